"""JAX's side of `make bench-engine`: jitted steps, differentiated twice, on two threads.

Answers the same requests as Benchmarks/Sources/EngineBenchmark: a line of milliseconds for each. The first step of
a request that was not met before compiles, outside the time.
"""

import sys
import time

import jax
import jax.numpy as jnp
import numpy
from jax import lax

generator = numpy.random.default_rng(0)


def dense(inputs, outputs):
    scale = inputs ** -0.5
    return (generator.uniform(-scale, scale, (outputs, inputs)).astype("f4"), numpy.zeros(outputs, "f4"))


def kernel(inputs, outputs, size):
    scale = (inputs * size * size) ** -0.5
    return (generator.uniform(-scale, scale, (outputs, inputs, size, size)).astype("f4"), numpy.zeros(outputs, "f4"))


def linear(p, x):
    return x @ p[0].T + p[1]


def convolve(p, x, stride=1, padding=0, bias=True):
    y = lax.conv_general_dilated(x, p[0], (stride, stride), [(padding, padding)] * 2)
    return y + p[1][:, None, None] if bias else y


def pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def norm(p, x):
    n, c, h, w = x.shape
    groups = x.reshape(n, 8, -1)
    mean = groups.mean(2, keepdims=True)
    variance = groups.var(2, keepdims=True)
    y = ((groups - mean) * lax.rsqrt(variance + 1e-5)).reshape(x.shape)
    return y * p[0][:, None, None] + p[1][:, None, None]


def flat(x):
    return x.reshape(len(x), -1)


relu = jax.nn.relu


def mlp():
    def apply(p, x):
        return linear(p[2], relu(linear(p[1], relu(linear(p[0], flat(x))))))
    return [dense(784, 50), dense(50, 30), dense(30, 10)], apply


def lenet():
    def apply(p, x):
        x = pool(relu(convolve(p[0], x)))
        x = pool(relu(convolve(p[1], x)))
        return linear(p[3], relu(linear(p[2], flat(x))))
    return [kernel(1, 20, 5), kernel(20, 50, 5), dense(800, 256), dense(256, 10)], apply


def convnet():
    def apply(p, x):
        x = pool(relu(convolve(p[1], relu(convolve(p[0], x, padding=1)), padding=1)))
        x = pool(relu(convolve(p[3], relu(convolve(p[2], x, padding=1)), padding=1)))
        return linear(p[5], relu(linear(p[4], flat(x))))
    return [kernel(3, 32, 3), kernel(32, 32, 3), kernel(32, 64, 3), kernel(64, 64, 3),
            dense(4096, 256), dense(256, 10)], apply


def resnet8():
    def scale(channels):
        return (numpy.ones(channels, "f4"), numpy.zeros(channels, "f4"))

    def block(p, x, stride):
        y = relu(norm(p[1], convolve(p[0], x, stride, 1, bias=False)))
        y = norm(p[3], convolve(p[2], y, 1, 1, bias=False))
        return relu(y + (convolve(p[4], x, stride, bias=False) if stride > 1 else x))

    def apply(p, x):
        x = relu(norm(p[1], convolve(p[0], x, 1, 1, bias=False)))
        x = block(p[2], x, 1)
        x = block(p[3], x, 2)
        x = block(p[4], x, 2)
        return linear(p[5], x.mean((2, 3)))

    def stage(inputs, outputs, stride):
        parts = [kernel(inputs, outputs, 3), scale(outputs), kernel(outputs, outputs, 3), scale(outputs)]
        return parts + [kernel(inputs, outputs, 1)] if stride > 1 else parts
    return [kernel(3, 16, 3), scale(16), stage(16, 16, 1), stage(16, 32, 2), stage(32, 64, 2), dense(64, 10)], apply


class Bench:
    def __init__(self, name, count, lambda1, annotated):
        self.parameters, apply = {"mlp": mlp, "lenet": lenet, "convnet": convnet, "resnet8": resnet8}[name]()
        shape = (1, 28, 28) if name in ("mlp", "lenet") else (3, 32, 32)
        images = generator.random((count, *shape), "f4")
        labels = numpy.arange(count) % 10
        masks = (generator.random((count, *shape)) < 0.5).astype("f4")
        masks[int(annotated * count):] = 0

        def cross_entropy(logits):
            return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1).mean()

        def loss(p, x):
            if lambda1 == 0:
                return cross_entropy(apply(p, x))

            def target(x):
                logits = apply(p, x)
                return jax.nn.log_softmax(logits).sum(), logits
            (_, logits), gradient = jax.value_and_grad(target, has_aux=True)(x)
            return cross_entropy(logits) + lambda1 * jnp.square(masks * gradient).sum() / count

        @jax.jit
        def step(p, x):
            return jax.tree.map(lambda value, slope: value - 1e-4 * slope, p, jax.grad(loss)(p, x))
        self.images = jnp.asarray(images)
        self.update = step
        self.step()

    def step(self):
        self.parameters = jax.block_until_ready(self.update(self.parameters, self.images))


benches = {}
for line in sys.stdin:
    name, count, lambda1, annotated, steps = line.split()
    key = (name, count, lambda1, annotated)
    if key not in benches:
        benches[key] = Bench(name, int(count), float(lambda1), float(annotated))
    times = []
    for _ in range(int(steps)):
        start = time.perf_counter()
        benches[key].step()
        times.append((time.perf_counter() - start) * 1e3)
    print(*times, flush=True)

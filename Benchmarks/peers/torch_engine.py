"""PyTorch's side of `make bench-engine`: eager steps with double backward, on two threads.

Answers the same requests as Benchmarks/Sources/EngineBenchmark: a line of milliseconds for each.
"""

import sys
import time

import torch
from torch import nn
from torch.nn import functional

torch.set_num_threads(2)


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.GroupNorm(8, outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.GroupNorm(8, outputs))
        self.projection = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if stride > 1 else nn.Identity()

    def forward(self, x):
        return self.body(x) + self.projection(x)


def network(name):
    match name:
        case "mlp":
            return nn.Sequential(
                nn.Flatten(), nn.Linear(784, 50), nn.ReLU(), nn.Linear(50, 30), nn.ReLU(), nn.Linear(30, 10))
        case "lenet":
            return nn.Sequential(
                nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2),
                nn.Flatten(), nn.Linear(800, 256), nn.ReLU(), nn.Linear(256, 10))
        case "convnet":
            return nn.Sequential(
                nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),
                nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1),
                nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4096, 256), nn.ReLU(), nn.Linear(256, 10))
        case "resnet8":
            return nn.Sequential(
                nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.GroupNorm(8, 16), nn.ReLU(),
                Residual(16, 16, 1), nn.ReLU(), Residual(16, 32, 2), nn.ReLU(), Residual(32, 64, 2), nn.ReLU(),
                nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class BasicBlock(nn.Module):
    """ResNet's, with batch normalisation everywhere."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        self.projection = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)) if stride > 1 else nn.Identity()

    def forward(self, x):
        return functional.relu(self.body(x) + self.projection(x))


def resnet18():
    widths = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2),
              (512, 512, 1)]
    # Statistics are frozen: in evaluation mode.
    return nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
        *[BasicBlock(*options) for options in widths],
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10)).eval()


class Bench:
    def __init__(self, name, count, lambda1, annotated):
        is_photo = name.startswith("resnet18")
        self.network = resnet18() if is_photo else network(name)
        shape = (1, 28, 28) if name in ("mlp", "lenet") else (3, 224, 224) if is_photo else (3, 32, 32)
        self.images = torch.rand(count, *shape)
        self.labels = torch.arange(count) % 10
        self.masks = (torch.rand(count, *shape) < 0.5).float()
        self.masks[int(annotated * count):] = 0
        self.lambda1 = lambda1
        self.optimizer = (torch.optim.Adam if is_photo else torch.optim.SGD)(self.network.parameters(), lr=1e-4)
        if name.endswith("-channels-last"):
            self.network.to(memory_format=torch.channels_last)
            self.images = self.images.contiguous(memory_format=torch.channels_last)

    def step(self):
        self.optimizer.zero_grad()
        if self.lambda1 > 0:
            images = self.images.clone().requires_grad_()
            logits = self.network(images)
            gradient, = torch.autograd.grad(
                functional.log_softmax(logits, 1).sum(), images, create_graph=True)
            penalty = (self.masks * gradient).square().sum() / len(images)
            loss = functional.cross_entropy(logits, self.labels) + self.lambda1 * penalty
        else:
            loss = functional.cross_entropy(self.network(self.images), self.labels)
        loss.backward()
        self.optimizer.step()

    def gradient(self, kept):
        images = self.images.clone().requires_grad_()
        logits = self.network(images)
        gradient, = torch.autograd.grad(functional.log_softmax(logits, 1).sum(), images)
        torch.topk(gradient.abs().flatten(1), kept)


def milliseconds(action):
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e3


def product_milliseconds(size):
    """A single-precision product of two square matrices."""
    left, right = torch.rand(size, size), torch.rand(size, size)
    torch.mm(left, right)
    return [milliseconds(lambda: torch.mm(left, right)) for _ in range(15)]


benches = {}
for line in sys.stdin:
    name, count, *rest = line.split()
    if name == "gradient":
        # The input gradients of COUNT images through LeNet in batches of 256, and the 64 largest of each.
        bench = Bench("lenet", 256, 0.0, 0.0)
        times = [sum(milliseconds(lambda: bench.gradient(64)) for _ in range(0, int(count), 256))]
    elif name == "product":
        times = product_milliseconds(int(count))
    else:
        lambda1, annotated, steps = rest
        key = (name, count, lambda1, annotated)
        if key not in benches:
            benches[key] = Bench(name, int(count), float(lambda1), float(annotated))
        times = [milliseconds(benches[key].step) for _ in range(int(steps))]
    print(*times, flush=True)

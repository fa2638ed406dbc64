"""PyTorch's side of `make bench-engine`: eager steps with double backward, on two threads.

Answers the same requests as Benchmarks/Sources/EngineBenchmark: a line of milliseconds for each.
"""

import sys
import time

import torch
import torchvision
from torch import nn
from torch.nn import functional

torch.set_num_threads(2)
# Fresh networks whose normalisation has no statistics give numbers on which a processor takes a hundred times as long.
torch.set_flush_denormal(True)

SMALL = ("mlp", "lenet", "convnet", "resnet8")


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


def photo_network(name):
    """A network of torchvision's. Statistics are frozen, in evaluation mode; what is drawn at random is not."""
    model = torchvision.models.get_model(name, weights=None, num_classes=10).eval()
    for module in model.modules():
        if isinstance(module, (nn.Dropout, torchvision.ops.StochasticDepth)):
            module.train()
    return model


def multiplications(name):
    """Those of a forward pass of one photograph by convolutions and linear layers: of all, and of the first."""
    counts = []

    def count(module, _, output):
        counts.append(output.numel() * module.weight[0].numel())
    model = photo_network(name)
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(count)
    with torch.no_grad():
        model(torch.rand(1, 3, 224, 224))
    return sum(counts), counts[0]


class Bench:
    def __init__(self, name, count, lambda1, annotated):
        is_photo = name not in SMALL
        self.network = photo_network(name.removesuffix("-channels-last")) if is_photo else network(name)
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
    elif name == "multiplications":
        # Of the network COUNT.
        times = multiplications(count)
    elif name == "nothing":
        times = [0]
    else:
        # The image's extent and the threads, where they follow, are those that stand here.
        lambda1, annotated, steps = rest[:3]
        key = (name, count, lambda1, annotated)
        if key not in benches:
            benches[key] = Bench(name, int(count), float(lambda1), float(annotated))
        times = [milliseconds(benches[key].step) for _ in range(int(steps))]
    print(*times, flush=True)

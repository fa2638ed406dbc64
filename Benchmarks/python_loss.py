"""Times `rrdata.torch.explanation_loss` against the same loss written by hand, in turn, and writes the table of
Benchmarks/results/python-loss.md.

    make bench-python

A step is the loss and its backward pass. By hand every sample goes through the second pass, as in the scripts that people
post; ours leaves samples without a mask out of it. Figures are medians of the rounds, ratios those of pairs that were run one
after the other. The operators are those that PyTorch's profiler counts in a step, the wrappers around others included.
"""

import argparse
import os
import pathlib
import platform
import statistics
import sys
import time

import torch
import torchvision
from torch import nn
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Python" / "src"))

from rrdata.torch import explanation_loss  # noqa: E402

LAMBDA1 = 10.0
TARGETS = {"all": 1.05, "a tenth": 0.6}


def networks():
    mlp = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 50), nn.ReLU(), nn.Linear(50, 30), nn.ReLU(), nn.Linear(30, 10))
    lenet = nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(800, 256), nn.ReLU(), nn.Linear(256, 10))
    yield "mlp", mlp, 256, (1, 28, 28)
    yield "lenet", lenet, 128, (1, 28, 28)
    yield "resnet18 at 64×64", torchvision.models.resnet18(num_classes=10).eval(), 64, (3, 64, 64)


def by_hand(model, images, labels, masks, annotated):
    images = images.clone().requires_grad_()
    logits = model(images)
    gradient, = torch.autograd.grad(functional.log_softmax(logits, 1).sum(), images, create_graph=True)
    penalty = (masks * gradient).square().sum() / len(images)
    return functional.cross_entropy(logits, labels) + LAMBDA1 * penalty


def ours(model, images, labels, masks, annotated):
    return explanation_loss(model, images, labels, masks, LAMBDA1, annotated=annotated).loss


def looking(model, images, labels, masks, annotated):
    return explanation_loss(model, images, labels, masks, LAMBDA1).loss


WAYS = {"by hand": by_hand, "explanation_loss": ours, "explanation_loss, without annotated=": looking}


def step(way, model, batch):
    model.zero_grad()
    way(model, *batch).backward()


def batch_of(size, shape, share, device):
    torch.manual_seed(1)
    images, labels = torch.rand(size, *shape), torch.randint(10, (size,))
    masks = (torch.rand(size, *shape) < 0.1).to(torch.uint8)
    masks[round(size * share):] = 0
    annotated = masks.flatten(1).any(1).cpu()
    return [*(part.to(device) for part in (images, labels, masks)), annotated]


def seconds(way, model, batch, repeats, device):
    start = time.perf_counter()
    for _ in range(repeats):
        step(way, model, batch)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / repeats


def operators(way, model, batch):
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        step(way, model, batch)
    return sum(event.name.startswith("aten::") for event in seen.events())


def measured(model, batch, patience, device):
    """The median seconds of each way, and the median of its ratio to the one by hand."""
    for way in WAYS.values():
        step(way, model, batch)
    repeats = max(1, round(0.1 / seconds(by_hand, model, batch, 2, device)))
    times = {name: [] for name in WAYS}
    end = time.perf_counter() + patience
    while time.perf_counter() < end or len(times["by hand"]) < 3:
        for name, way in WAYS.items():
            times[name].append(seconds(way, model, batch, repeats, device))
    ratios = {name: statistics.median(own / hand for own, hand in zip(values, times["by hand"]))
              for name, values in times.items()}
    return {name: statistics.median(values) for name, values in times.items()}, ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patience", type=float, default=15, help="seconds for each line of the table")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "Benchmarks" / "results" / "python-loss.md")
    options = parser.parse_args()
    torch.set_num_threads(2)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    lines = [
        "| network, batch | annotated | by hand, ms | explanation_loss, ms | ratio | target | without `annotated=` | operators by "
        "hand | ours |", "|---|---|---|---|---|---|---|---|---|"]
    for name, model, size, shape in networks():
        model = model.to(device)
        for annotated, share in [("all", 1.0), ("a tenth", 0.1)]:
            batch = batch_of(size, shape, share, device)
            times, ratios = measured(model, batch, options.patience, device)
            counts = [operators(way, model, batch) for way in (by_hand, ours)]
            lines.append(
                f"| {name}, {size} | {annotated} | {1e3 * times['by hand']:.2f} | {1e3 * times['explanation_loss']:.2f} | "
                f"{ratios['explanation_loss']:.2f} | {TARGETS[annotated]} | "
                f"{ratios['explanation_loss, without annotated=']:.2f} | {counts[0]} | {counts[1]} |")
            print(lines[-1], flush=True)
    processor = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    where = torch.cuda.get_device_name() if device.type == "cuda" else f"{os.cpu_count()} cores of {processor}"
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(
        "# The explanation loss in PyTorch against the same loss by hand\n\n"
        f"Made by `Benchmarks/python_loss.py` on {where}, {platform.machine()}; PyTorch {torch.__version__}, 2 threads. A step is "
        "the loss and its backward pass, single precision; by hand all samples go through the second pass. Medians of rounds in "
        "turn, ratios of neighbours. Operators are `aten::` events of a step. One of mlp takes as long as PyTorch needs to begin "
        "its operators, whatever the number of samples: leaving samples out of the second pass spares it little.\n\n"
        + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

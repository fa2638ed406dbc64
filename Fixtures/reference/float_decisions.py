#!/usr/bin/env python3
"""Tells whether float's gradients are off because a rectifier or a maximum was decided otherwise than in double.

    python3 Fixtures/reference/networks.py --full /tmp/networks.json --extent 64 --classes 10 densenet121
    RRDATA_NETWORKS=/tmp/networks.json RRDATA_FLOAT_GRADIENTS=/tmp/gradients swift test --filter NetworkNumberTests
    python3 Fixtures/reference/float_decisions.py /tmp/networks.json --gradients /tmp/gradients densenet121 --draw 0

A rectifier whose input is zero but for rounding may have either slope: one is as right as the other, and a gradient changes by
whatever went through that element. This shows it by cause. PyTorch's double takes the first step; then again with every decision
as PyTorch's float took it. And for the gradients that rrdata computed in float, whose decisions are not seen, double tries those
elements that are nearest to their kink, one after the other, and keeps each that brings it nearer to them. Where this leaves a
distance of a millionth, nothing but those decisions is different.

Weights are those that float has. Distances are the largest difference in a tensor over its largest magnitude, of all tensors.

Needs PyTorch, torchvision and NumPy.
"""

import argparse
import json
import pathlib

import numpy
import torch
from torch.nn import functional
from torchvision import models

import networks

# The functions of torch.nn.functional that have kinks, with where these are.
KINKS = {"relu": [0.0], "hardtanh": [0.0, 6.0], "relu6": [0.0, 6.0], "hardswish": [-3.0, 3.0]}


def pieces(name, values):
    """What each function is between its kinks."""
    if name == "relu":
        return [torch.zeros_like(values), values]
    if name == "hardswish":
        return [torch.zeros_like(values), values * (values + 3) / 6, values]
    return [torch.zeros_like(values), values, torch.full_like(values, 6.0)]


class Decisions:
    """Functions with kinks that record which piece each element took, or take those that are given."""

    def __init__(self, given=None):
        self.given = given
        self.taken = []
        self.margins = []

    def __enter__(self):
        self.originals = {name: getattr(functional, name) for name in [*KINKS, "max_pool2d"]}
        for name in KINKS:
            setattr(functional, name, lambda values, *_, name=name, **__: self.apply(name, values))
        functional.max_pool2d = self.maximum
        return self

    def __exit__(self, *_):
        for name, function in self.originals.items():
            setattr(functional, name, function)

    def apply(self, name, values):
        kinks = KINKS[name]
        own = sum((values > kink).long() for kink in kinks)
        piece = self.given[len(self.taken)] if self.given else own
        self.taken.append(piece)
        scale = values.detach().abs().max()
        margin, kink = torch.stack([(values.detach() - kink).abs() for kink in kinks]).min(0)
        self.margins.append((margin / scale, torch.where(piece > kink, kink, kink + 1)))
        result = torch.zeros_like(values)
        for number, function in enumerate(pieces(name, values)):
            result = torch.where(piece == number, function, result)
        return result

    def maximum(self, values, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, **_):
        own = functional.max_pool2d_with_indices(values, kernel_size, stride, padding, dilation, ceil_mode)[1]
        place = self.given[len(self.taken)] if self.given else own
        self.taken.append(place)
        self.margins.append(None)
        return values.flatten(2).gather(2, place.flatten(2)).view(place.shape)


def step(network, images, labels, masks, lambda1, given=None):
    """The gradients of a first step, and the decisions of its forward pass."""
    dtype = next(network.parameters()).dtype
    images = images.to(dtype).requires_grad_()
    with Decisions(given) as decisions:
        logits = network(images)
    target = functional.log_softmax(logits, 1).sum()
    slope, = torch.autograd.grad(target, images, create_graph=True)
    penalty = (masks.to(dtype) * slope).square().sum() / len(images)
    loss = functional.cross_entropy(logits, labels) + lambda1 * penalty
    gradients = torch.autograd.grad(loss, list(network.parameters()))
    return [gradient.double() for gradient in gradients], decisions


def distance(gradients, expected):
    return max(((g - e).abs().max() / e.abs().max()).item() for g, e in zip(gradients, expected))


def ours(folder, name, draw, network):
    """The gradients that rrdata computed, in the order of PyTorch's."""
    start = pathlib.Path(folder) / f"{name}-{draw}"
    names = json.loads(start.with_suffix(".json").read_text())
    values = torch.from_numpy(numpy.fromfile(start.with_suffix(".bin"), dtype=numpy.float32)).double()
    shapes = {key: parameter.shape for key, parameter in network.named_parameters()}
    parts = values.split([shapes[key].numel() for key in names])
    found = {key: part.view(shapes[key]) for key, part in zip(names, parts)}
    return [found[key] for key in shapes]


def flipped(taken, call, index, piece):
    """Decisions with one element's changed."""
    changed = [decision.clone() if number == call else decision for number, decision in enumerate(taken)]
    changed[call].view(-1)[index] = piece
    return changed


def candidates(decisions, count):
    """The elements nearest to a kink, relative to the largest of their map, with the piece beyond it."""
    found = []
    for call, margin in enumerate(decisions.margins):
        if margin is None:
            continue
        sizes, beyond = margin
        nearest = sizes.flatten().topk(min(count, sizes.numel()), largest=False)
        for value, index in zip(nearest.values.tolist(), nearest.indices.tolist()):
            found.append((value, call, index, beyond.flatten()[index].item()))
    return sorted(found)[:count]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file", help="of networks.py --full")
    parser.add_argument("name")
    parser.add_argument("--gradients", metavar="FOLDER")
    parser.add_argument("--draw", type=int, default=0)
    parser.add_argument("--candidates", type=int, default=12)
    options = parser.parse_args()
    torch.set_num_threads(1)
    case = next(case for case in json.loads(pathlib.Path(options.file).read_text()) if case["name"] == options.name)
    network = getattr(models, case["name"])(num_classes=case["classes"]).double().eval()
    networks.replace_hard_sigmoids(network)
    networks.fill(network, case["seed"])
    network.float().double()
    batch = networks.batch(case["extent"], case["classes"], case["seed"] + 100 * options.draw)
    expected, exact = step(network, *batch, case["lambda1"])
    network.float()
    single, rounded = step(network, *batch, case["lambda1"])
    network.double()
    changes = [(call, (a != b).sum().item()) for call, (a, b) in enumerate(zip(exact.taken, rounded.taken))]
    count = sum(number for _, number in changes)
    line = f"{options.name}, images {options.draw}: PyTorch's float is {distance(single, expected):.1e} from its double"
    if count:
        forced, _ = step(network, *batch, case["lambda1"], rounded.taken)
        line += f", {distance(single, forced):.1e} from double with float's {count} other decisions"
    print(line, flush=True)
    if not options.gradients:
        return
    own = ours(options.gradients, options.name, options.draw, network)
    taken, best = exact.taken, distance(own, expected)
    print(f"rrdata's float is {best:.1e} from PyTorch's double", flush=True)
    for margin, call, index, piece in candidates(exact, options.candidates):
        if best < 1e-5:
            break
        tried = flipped(taken, call, index, piece)
        gradients, _ = step(network, *batch, case["lambda1"], tried)
        if (reached := distance(own, gradients)) < best:
            taken, best = tried, reached
            print(f"  {best:.1e} from double with element {index} of function {call} on the other side of its kink, "
                  f"which double has at {margin:.1e} of the map's largest", flush=True)


if __name__ == "__main__":
    main()

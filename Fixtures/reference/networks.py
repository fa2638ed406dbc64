#!/usr/bin/env python3
"""Writes networks.json: torchvision's networks, judged by PyTorch's double-backward.

    python3 Fixtures/reference/networks.py

The networks that are checked in are narrow, at 32×32 pixels (ConvNeXt and VGG too). Those of the real widths are compared
with a file of one's own, at any extent; without names it has all of them, and takes some minutes and 16 GB:

    python3 Fixtures/reference/networks.py --full /tmp/networks.json --extent 64 --classes 10 resnet18 vgg16
    RRDATA_NETWORKS=/tmp/networks.json swift test -c release --filter NetworkReferenceTests

How torchvision draws the weights of its networks (of ten classes) is in initial-weights.json:

    python3 Fixtures/reference/networks.py --initial

A case stores names and shapes, and what PyTorch makes of values that follow from its seed. All names of the state dict,
without the counts of batches, are sorted by their bytes and counted from 1. Number k draws from SplitMix64(seed + 1000 k +
kind), u being a word's upper 53 bits over 2^53:
- kind 0 is the tensor: b (2u − 1) with b = sqrt(6 / fan) of 2 or 4 dimensions, fan the product of all extents but the first,
  a quarter of that for the network's last weight; 0.5 + u for a running_var; 0.6 + 0.8 u for any other "weight" and for a
  layer_scale; 0.4 u − 0.2 for the rest
- kinds 1 and 2 are the vectors u − 0.5 that a gradient is multiplied by
Number 0 has the images as kind 0, a word's upper 24 bits over 2^24, the masks as kind 3, a word's lowest bit, and the vectors
of the input gradient. Sample n has the label n modulo the classes, and sample 1 no mask.

"gradients" holds for each trained tensor the two sums of products and the largest magnitude. "trajectory" is the loss before
each of ten steps of SGD with momentum 0.9 over the same batch, and the sums of the weights after them.

Dropout and stochastic depth leave nothing out: the networks are in evaluation mode, as are their normalisations. What is left
out in training is in networks-left-out.json, of the narrow networks that leave anything out:

    python3 Fixtures/reference/networks.py --left-out

"layers" holds the place of each such layer in model.json and torchvision's probability; what they leave out follows from the seed,
step 0 and that place, as in random-architectures.json. All else is as above.

Needs PyTorch, torchvision and NumPy.
"""

import argparse
import json
import math

import numpy
import torch
from torch import nn
from torch.nn import functional
from torchvision import models, ops

import generate

SAMPLES = 3
STEPS = 10


def splitmix(seed, count):
    """The words of a seed, one after the other."""
    state = numpy.uint64(seed) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
    state = (state ^ state >> numpy.uint64(30)) * numpy.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ state >> numpy.uint64(27)) * numpy.uint64(0x94D049BB133111EB)
    return state ^ state >> numpy.uint64(31)


def units(seed, shape):
    words = splitmix(seed, math.prod(shape))
    return torch.from_numpy((words >> numpy.uint64(11)).astype(numpy.float64) / 2**53).view(*shape)


class NarrowResNet(models.ResNet):
    """A ResNet whose stages have so many times fewer channels."""

    def __init__(self, block, layers, divisor, num_classes):
        self.divisor = divisor
        super().__init__(block, layers)
        stem = 64 // divisor
        self.conv1 = nn.Conv2d(3, stem, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.fc = nn.Linear(512 // divisor * block.expansion, num_classes)

    def _make_layer(self, block, planes, *arguments, **options):
        if planes == 64:
            self.inplanes = 64 // self.divisor
        return super()._make_layer(block, planes // self.divisor, *arguments, **options)


def narrow_vgg(configuration, has_norm, divisor, classes):
    channels = [c if c == "M" else c // divisor for c in models.vgg.cfgs[configuration]]
    network = models.VGG(models.vgg.make_layers(channels, has_norm))
    hidden = 4096 // divisor
    network.classifier[0] = nn.Linear(512 // divisor * 49, hidden)
    network.classifier[3] = nn.Linear(hidden, hidden)
    network.classifier[6] = nn.Linear(hidden, classes)
    return network


def narrow_mobile(classes, width):
    setting, last = models.mobilenetv3._mobilenet_v3_conf("mobilenet_v3_small", width_mult=width)
    return models.MobileNetV3(setting, last, num_classes=classes)


def narrow_efficient(classes, width):
    setting, last = models.efficientnet._efficientnet_conf("efficientnet_b0", width_mult=width, depth_mult=1.0)
    return models.EfficientNet(setting, 0.2, last_channel=last, num_classes=classes)


def narrow_next(classes, divisor):
    configuration = models.convnext.CNBlockConfig
    setting = [configuration(96 // divisor, 192 // divisor, 3), configuration(192 // divisor, 384 // divisor, 3),
               configuration(384 // divisor, 768 // divisor, 9), configuration(768 // divisor, None, 3)]
    return models.ConvNeXt(setting, 0.1, num_classes=classes)


BASIC, BOTTLENECK = models.resnet.BasicBlock, models.resnet.Bottleneck
# The networks with the share of channels that is left of each.
NARROW = {
    "resnet18": (1 / 8, lambda classes: NarrowResNet(BASIC, [2, 2, 2, 2], 8, classes)),
    "resnet34": (1 / 16, lambda classes: NarrowResNet(BASIC, [3, 4, 6, 3], 16, classes)),
    "resnet50": (1 / 16, lambda classes: NarrowResNet(BOTTLENECK, [3, 4, 6, 3], 16, classes)),
    "vgg11": (1 / 32, lambda classes: narrow_vgg("A", False, 32, classes)),
    "vgg16": (1 / 32, lambda classes: narrow_vgg("D", False, 32, classes)),
    "vgg16_bn": (1 / 32, lambda classes: narrow_vgg("D", True, 32, classes)),
    "densenet121": (1 / 16, lambda classes: models.DenseNet(2, (6, 12, 24, 16), 4, num_classes=classes)),
    "mobilenet_v2": (1 / 4, lambda classes: models.MobileNetV2(classes, 1 / 4)),
    "mobilenet_v3_small": (1 / 4, lambda classes: narrow_mobile(classes, 1 / 4)),
    "efficientnet_b0": (1 / 4, lambda classes: narrow_efficient(classes, 1 / 4)),
    "convnext_tiny": (1 / 12, lambda classes: narrow_next(classes, 12)),
}


def fill(network, seed):
    """Gives every tensor its values, and returns the number of each name."""
    names = sorted(name for name in network.state_dict() if not name.endswith("num_batches_tracked"))
    numbers = {name: number for number, name in enumerate(names, 1)}
    last = [name for name, tensor in network.named_parameters() if tensor.dim() == 2][-1]
    for name, tensor in network.state_dict().items():
        if name not in numbers:
            continue
        u = units(seed + 1000 * numbers[name], tensor.shape)
        if tensor.dim() in (2, 4):
            bound = (6 / math.prod(tensor.shape[1:])) ** 0.5 / (4 if name == last else 1)
            tensor.copy_((2 * u - 1) * bound)
        elif name.endswith("running_var"):
            tensor.copy_(0.5 + u)
        elif name.endswith("weight") or name.endswith("layer_scale"):
            tensor.copy_(0.6 + 0.8 * u)
        else:
            tensor.copy_(0.4 * u - 0.2)
    return numbers


def batch(extent, classes, seed):
    """The images, their labels and masks."""
    shape = [SAMPLES, 3, extent, extent]
    count = math.prod(shape)
    images = torch.from_numpy((splitmix(seed, count) >> numpy.uint64(40)).astype(numpy.float64) / 2**24).view(shape)
    masks = torch.from_numpy((splitmix(seed + 3, count) & numpy.uint64(1)).astype(numpy.float64)).view(shape)
    masks[1] = 0
    return images, torch.arange(SAMPLES) % classes, masks


def replace_hard_sigmoids(module):
    for name, child in module.named_children():
        if isinstance(child, nn.Hardsigmoid):
            setattr(module, name, generate.HardSigmoid())
        replace_hard_sigmoids(child)


def projections(tensor, seed, number):
    flat = tensor.detach().flatten()
    sums = [(flat * (units(seed + 1000 * number + kind, flat.shape) - 0.5)).sum().item() for kind in [1, 2]]
    return sums + [flat.abs().max().item()]


def case(name, width, network, extent, classes, seed, steps):
    network = network.double().eval()
    replace_hard_sigmoids(network)
    numbers = fill(network, seed)
    images, labels, masks = batch(extent, classes, seed)

    logits = network(images)
    gradient = generate.input_gradient(network, images, labels, "sum-log-prob")
    cross_entropy = functional.cross_entropy(network(images), labels)
    penalty = generate.penalty(network, images, labels, masks)
    lambda1 = (cross_entropy / penalty).item()
    parameters = dict(network.named_parameters())
    plain = torch.autograd.grad(cross_entropy, list(parameters.values()), retain_graph=True)
    gradients = torch.autograd.grad(cross_entropy + lambda1 * penalty, list(parameters.values()))
    share = max(((g - p).abs().max() / p.abs().max()).item() for g, p in zip(gradients, plain))
    assert 0.01 < share < math.inf and math.isfinite(lambda1), f"the penalty of {name} is dead: {share}"
    result = {
        "name": name, "width": width, "extent": extent, "classes": classes, "seed": seed, "lambda1": lambda1,
        "state": {name: list(tensor.shape) for name, tensor in network.state_dict().items() if name in numbers},
        "logits": logits.detach().flatten().tolist(), "cross_entropy": cross_entropy.item(),
        "penalty": penalty.item(), "input_gradient": projections(gradient, seed, 0),
        "gradients": {name: projections(g, seed, numbers[name]) for name, g in zip(parameters, gradients)},
    }
    # A first step takes about a hundredth from the loss.
    rate = 0.02 * cross_entropy.item() / sum(g.square().sum() for g in gradients).item()
    del plain, gradients, gradient
    if not steps:
        return result
    optimizer = torch.optim.SGD(network.parameters(), rate, momentum=0.9)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(images), labels) + lambda1 * generate.penalty(
            network, images, labels, masks)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    result["trajectory"] = {
        "learning_rate": rate, "losses": losses,
        "weights": {name: projections(tensor, seed, numbers[name]) for name, tensor in parameters.items()},
    }
    return result


# Where model.json of the narrow networks has the layers that leave something out, in the order of torchvision's modules.
LEAVING_OUT = {
    "vgg11": ["layers[25]", "layers[28]"],
    "vgg16": ["layers[35]", "layers[38]"],
    "vgg16_bn": ["layers[48]", "layers[51]"],
    "mobilenet_v2": ["layers[67]"],
    "mobilenet_v3_small": ["layers[49]"],
    "efficientnet_b0": [f"layers[{n}].body[9]" for n in [13, 23, 33, 34, 44, 45, 55, 56, 57]] + ["layers[72]"],
    "convnext_tiny": [f"layers[{n}].body[5]" for n in [3, 4, 7, 8, 9, *range(12, 21), 23, 24, 25]],
}


def leaving_out(module):
    """The modules below one that leave something out in training, each with its parent and its name there."""
    for name, child in module.named_children():
        if isinstance(child, (nn.Dropout, ops.StochasticDepth)):
            is_used = getattr(module, "use_res_connect", True)
            if is_used and child.p > 0:
                yield module, name, child
        else:
            yield from leaving_out(child)


def left_out(name, network, extent, classes, seed):
    """The loss of a training step, whose layers leave out what the seed says."""
    network = network.double().eval()
    replace_hard_sigmoids(network)
    numbers = fill(network, seed)
    images, labels, masks = batch(extent, classes, seed)
    layers = []
    for (parent, child, module), place in zip(list(leaving_out(network)), LEAVING_OUT[name], strict=True):
        kind = generate.StochasticDepth if isinstance(module, ops.StochasticDepth) else generate.Dropout
        setattr(parent, child, kind(place, module.p).train())
        layers.append([place, module.p])
    generate.Dropout.seed, generate.Dropout.step, generate.Dropout.indices = seed, 0, range(SAMPLES)
    cross_entropy = functional.cross_entropy(network(images), labels)
    penalty = generate.penalty(network, images, labels, masks)
    lambda1 = (cross_entropy / penalty).item()
    parameters = dict(network.named_parameters())
    gradients = torch.autograd.grad(cross_entropy + lambda1 * penalty, list(parameters.values()))
    return {
        "name": name, "layers": layers, "lambda1": lambda1, "cross_entropy": cross_entropy.item(),
        "penalty": penalty.item(),
        "gradients": {name: projections(g, seed, numbers[name]) for name, g in zip(parameters, gradients)},
    }


def single(network, extent, classes, seed):
    """How far PyTorch's float is from its double at the same weights, which are float's, as the largest difference in a
    tensor over its largest magnitude; and how far rounding the weights to float moves double's gradients."""
    network = network.double().eval()
    replace_hard_sigmoids(network)
    fill(network, seed)
    images, labels, masks = batch(extent, classes, seed)

    def first_step(lambda1=None):
        dtype = next(network.parameters()).dtype
        inputs = images.to(dtype)
        logits = network(inputs)
        cross_entropy = functional.cross_entropy(logits, labels)
        penalty = generate.penalty(network, inputs, labels, masks.to(dtype))
        lambda1 = lambda1 or (cross_entropy / penalty).item()
        loss = cross_entropy + lambda1 * penalty
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        return lambda1, [tensor.detach().double() for tensor in (logits, loss, *gradients)]

    def distances(tensors, expected):
        return [((t - e).abs().max() / e.abs().max()).item() for t, e in zip(tensors, expected)]

    lambda1, unrounded = first_step()
    network.float().double()
    _, expected = first_step(lambda1)
    network.float()
    _, values = first_step(lambda1)
    logits, loss, *gradients = distances(values, expected)
    rounding = distances(unrounded, expected)[2:]
    names = [name for name, _ in network.named_parameters()]
    return (f"logits {logits:.1e}, loss {loss:.1e}, gradients' median {sorted(gradients)[len(names) // 2]:.1e}, "
            f"largest {max(gradients):.1e} ({names[gradients.index(max(gradients))]}); rounding the weights alone: "
            f"median {sorted(rounding)[len(names) // 2]:.1e}, largest {max(rounding):.1e}")


def initial(name):
    """The deviation and the largest magnitude of each tensor that torchvision draws."""
    torch.manual_seed(1)
    return {key: [float(f"{tensor.square().mean().sqrt().item():.4g}"), float(f"{tensor.abs().max().item():.4g}")]
            for key, tensor in getattr(models, name)(num_classes=10).named_parameters()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", metavar="FILE")
    parser.add_argument("--extent", type=int, default=64)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--steps", type=int, default=0, help="of the trajectory of a network of real width")
    parser.add_argument("--single", action="store_true", help="print how far PyTorch's float is from its double")
    parser.add_argument("--initial", action="store_true", help="write initial-weights.json alone")
    parser.add_argument("--left-out", action="store_true", help="write networks-left-out.json alone")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    lines = []
    if options.initial:
        lines = [json.dumps(name) + ":" + json.dumps(initial(name), separators=(",", ":")) for name in NARROW]
        (generate.FOLDER / "initial-weights.json").write_text("{" + ",\n".join(lines) + "}\n")
        return
    for seed, name in enumerate(NARROW, 1):
        if options.names and name not in options.names:
            continue
        if options.single:
            network = getattr(models, name)(num_classes=options.classes) if options.full else NARROW[name][1](5)
            size = (options.extent, options.classes) if options.full else (32, 5)
            print(name, single(network, *size, 1_000_000 * seed), flush=True)
            continue
        if options.left_out:
            if name in LEAVING_OUT:
                result = left_out(name, NARROW[name][1](5), 32, 5, 1_000_000 * seed)
                print(name, result["layers"], result["cross_entropy"], result["lambda1"], flush=True)
                lines.append(json.dumps(result, separators=(",", ":")))
            continue
        if options.full:
            network = getattr(models, name)(num_classes=options.classes)
            result = case(name, 1, network, options.extent, options.classes, 1_000_000 * seed, options.steps)
        else:
            width, make = NARROW[name]
            result = case(name, width, make(5), 32, 5, 1_000_000 * seed, STEPS)
        print(f"{name}: lambda1 {result['lambda1']:.3g}, cross-entropy {result['cross_entropy']:.3g}", flush=True)
        lines.append(json.dumps(result, separators=(",", ":")))
    if options.single:
        return
    path = generate.FOLDER / (options.full or ("networks-left-out.json" if options.left_out else "networks.json"))
    path.write_text("[" + ",\n".join(lines) + "]\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()

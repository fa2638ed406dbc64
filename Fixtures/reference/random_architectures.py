#!/usr/bin/env python3
"""Writes random-architectures.json: random stacks of all layers, judged by PyTorch's double-backward.

    python3 Fixtures/reference/random_architectures.py

A case stores its model and what PyTorch makes of it; weights, images and masks follow from its seed, so that the
file stays small. With SplitMix64(seed) as a stream of 64-bit words, in this order:
- each tensor of the state_dict, without the counts of batches, in its order: (2u − 1) / sqrt(fan), where u is the
  word's upper 53 bits over 2^53 and fan the product of all extents but the first of a tensor of 2 or 4 dimensions,
  else 1; 0.5 + u for a running_var
- SAMPLES images, (N, C, H, W): the word's upper 24 bits over 2^24, or, where "levels" is not 0, the upper bits that
  count them, over "levels"
- the masks of all samples but number 1, which has none: the word's lowest bit
Sample n has the label n modulo the classes. Dropout draws for the seed of the case and step 0.

"input_gradient", without dropout, and each of "gradients", in the order of the trained tensors, are the sums of
products with two vectors and the largest magnitude. Vector q of tensor t (0 the input gradient, 1 the first trained
tensor) is u − 0.5 from SplitMix64(seed + 1000 (2 t + q + 1)).

A network whose results are at the mercy of the last digit of its weights is passed over, as is one whose penalty has
no effect.

Needs PyTorch.
"""

import collections
import json
import random

import torch
from torch.nn import functional

import draws
import generate

CASES = 300
SAMPLES = 4
CLASSES = 3
MODULUS = 2**64
TARGETS = ["sum-log-prob", "label", "predicted", "logits-sum"]
REDUCTIONS = ["mean", "sum", "annotated"]
KINKED = {"relu", "leakyrelu", "maxpool2d", "relu6", "hardswish", "hardsigmoid", "prelu"}


class SplitMix64:
    """The words of a seed, one after the other."""

    def __init__(self, seed):
        self.state = seed

    def word(self):
        self.state = (self.state + draws.GOLDEN) % MODULUS
        return draws.mix(self.state)

    def unit(self):
        return (self.word() >> 11) / 2**53

    def tensor(self, shape, draw):
        count = torch.Size(shape).numel()
        return torch.tensor([draw() for _ in range(count)]).view(shape)


class Architect:
    """Draws layers that fit a shape."""

    def __init__(self, seed, is_smooth):
        self.random = random.Random(seed)
        self.is_smooth = is_smooth

    def model(self):
        shape = [self.random.randint(1, 3), self.random.randint(4, 9), self.random.randint(4, 9)]
        layers = self.list(shape, self.random.randint(1, 5), depth=0)
        flat = [self.shape_after(layers, shape).numel()]
        head = self.list(flat, self.random.randint(0, 3), depth=0)
        layers += ["flatten"] + head + [{"linear": {"out": CLASSES, "bias": self.random.random() < 0.8}}]
        return generate.model_json(shape, CLASSES, layers)

    def list(self, shape, count, depth):
        layers = []
        for _ in range(count):
            layers.append(self.layer(list(self.shape_after(layers, shape)), depth))
        return layers

    def shape_after(self, layers, shape):
        return generate.sequential(layers, shape, "layers")(torch.zeros(2, *shape)).shape[1:]

    def layer(self, shape, depth):
        kinds = {"activation": 4, "groupnorm": 2, "layernorm": 1, "dropout": 1, "residual": [3, 1, 0][depth]}
        kinds |= {"linear": 4} if len(shape) == 1 else {
            "conv2d": 6, "pooling": 2, "adaptiveavgpool2d": 1, "globalavgpool": 0.5, "batchnorm2d": 1}
        kind, = self.random.choices(list(kinds), list(kinds.values()))
        return getattr(self, kind)(shape, *([depth] if kind == "residual" else []))

    def activation(self, shape):
        smooth = ["gelu", {"gelu": {"approximate": "tanh"}}, "silu", "softplus", {"softplus": {"beta": 2.5}}, "tanh",
                  "sigmoid"]
        kinked = ["relu", "relu", "relu", "leakyrelu", {"leakyrelu": {"negative_slope": 0.2}}]
        return self.random.choice(smooth if self.is_smooth else smooth + kinked)

    def linear(self, shape):
        return {"linear": {"out": self.random.randint(3, 8), "bias": self.random.random() < 0.8}}

    def conv2d(self, shape):
        groups = self.random.choice([1, 1, 1, 2, shape[0]])
        kernel = self.random.randint(1, 3)
        return {"conv2d": {
            "out": groups * self.random.randint(1, 6 // groups), "kernel": kernel,
            "stride": self.random.choice([1, 1, 2]), "padding": self.random.randint(0, kernel - 1),
            "dilation": self.random.choice([1, 1, 2]), "groups": groups, "bias": self.random.random() < 0.8}}

    def pooling(self, shape):
        kernel = self.random.randint(2, 3)
        options = {"kernel": kernel, "stride": self.random.randint(1, 3),
                   "padding": self.random.randint(0, kernel // 2), "ceil_mode": self.random.random() < 0.5}
        if not self.is_smooth and self.random.random() < 0.7:
            return {"maxpool2d": options}
        return {"avgpool2d": options | {"count_include_pad": self.random.random() < 0.5}}

    def adaptiveavgpool2d(self, shape):
        return {"adaptiveavgpool2d": {"size": self.random.choice([3, 2, [3, 4]])}}

    def globalavgpool(self, shape):
        return "globalavgpool"

    def groupnorm(self, shape):
        # A group of few elements is at the mercy of eps.
        elements = torch.Size(shape).numel()
        groups = [count for count in range(1, shape[0] + 1) if shape[0] % count == 0 and elements // count >= 4]
        return {"groupnorm": {"groups": self.random.choice(groups or [1]), "eps": self.random.choice([1e-5, 1e-2])}}

    def layernorm(self, shape):
        return self.random.choice(["layernorm", {"layernorm": {"eps": 1e-2}}])

    def batchnorm2d(self, shape):
        return self.random.choice(["batchnorm2d", {"batchnorm2d": {"eps": 1e-2}}])

    def dropout(self, shape):
        return self.random.choice(["dropout", {"dropout": {"p": 0.2}}])

    def residual(self, shape, depth):
        body = self.list(shape, self.random.randint(1, 3), depth + 1)
        after = list(self.shape_after(body, shape))
        if len(after) == 3 and shape == after and self.random.random() < 0.1:
            return {"residual": {"body": body + ["flatten"], "projection": "flatten"}}
        options = self.projection(shape, after)
        return {"residual": {"body": body} | ({"projection": options[0]} if options else {})}

    def projection(self, shape, after):
        """A layer from one shape to another, or none."""
        if shape == after:
            return [] if self.random.random() < 0.6 else [self.activation(shape)]
        if len(shape) == 1:
            return [{"linear": {"out": after[0]}}]
        for stride in [1, 2, 3]:
            if [(extent - 1) // stride + 1 for extent in shape[1:]] == after[1:]:
                return [{"conv2d": {"out": after[0], "kernel": 1, "stride": stride, "bias": False}}]
        if shape[0] == after[0]:
            return [{"adaptiveavgpool2d": {"size": after[1:]}}]
        raise ValueError("no single layer does it")


def names(layers):
    """The names of all layers, those inside blocks too."""
    for layer in layers:
        name, options = generate.named(layer)
        yield name
        projection = options.get("projection", [])
        for inner in [options.get("body", []), *options.get("branches", [])]:
            yield from names(inner)
        yield from names(projection if isinstance(projection, list) else [projection])


def parameter_tensors(network):
    return {name: tensor for name, tensor in network.state_dict().items() if not name.endswith("num_batches_tracked")}


def evaluate(case, perturbation=0):
    """Fills in what PyTorch makes of a case; the weights are off by a factor of 1 ± perturbation."""
    model, seed = case["model"], case["seed"]
    network, stream = generate.build(model), SplitMix64(seed)
    for name, tensor in parameter_tensors(network).items():
        fan = tensor[0].numel() if tensor.dim() in (2, 4) else 1
        is_variance = name.endswith("running_var")
        values = stream.tensor(
            tensor.shape, lambda: 0.5 + stream.unit() if is_variance else (2 * stream.unit() - 1) / fan**0.5)
        tensor.copy_(values * (1 + perturbation * torch.randn(values.shape)))
    bits = case["levels"].bit_length() - 1 if case["levels"] else 24
    images = stream.tensor([SAMPLES, *model["input"]], lambda: (stream.word() >> 64 - bits) / 2**bits)
    masks = torch.stack([
        torch.zeros(model["input"]) if sample == 1 else stream.tensor(model["input"], lambda: float(stream.word() & 1))
        for sample in range(SAMPLES)])
    labels = torch.arange(SAMPLES) % CLASSES

    def projections(tensor, number):
        flat = tensor.detach().flatten()
        sums = []
        for vector in range(2):
            stream = SplitMix64(seed + 1000 * (2 * number + vector + 1))
            sums.append((flat * stream.tensor(flat.shape, lambda: stream.unit() - 0.5)).sum().item())
        return sums + [flat.abs().max().item()]

    gradient = generate.input_gradient(network, images, labels, case["target"])
    network_output = network(images)
    network.train()
    generate.Dropout.seed, generate.Dropout.step, generate.Dropout.indices = seed, 0, range(SAMPLES)
    class_weights = case["class_weights"] and torch.tensor(case["class_weights"])
    cross_entropy = functional.cross_entropy(network(images), labels, weight=class_weights)
    penalty = generate.penalty(network, images, labels, masks, case["target"], case["reduction"])
    if "lambda1" not in case:
        case["lambda1"] = (cross_entropy / penalty).item()
    plain = torch.autograd.grad(cross_entropy, list(network.parameters()), retain_graph=True)
    gradients = torch.autograd.grad(cross_entropy + case["lambda1"] * penalty, list(network.parameters()))
    share = max(((g - p).abs().max() / p.abs().max()).item() for g, p in zip(gradients, plain))
    return share, case | {
        "logits": network_output.detach().flatten().tolist(),
        "cross_entropy": cross_entropy.item(), "penalty": penalty.item(),
        "input_gradient": projections(gradient, 0),
        "gradients": [projections(tensor, number) for number, tensor in enumerate(gradients, 1)],
    }


def is_steady(first, second):
    """Whether results hardly differ: each gradient relative to its size, or to a thousandth of the largest."""
    floor = 1e-3 * max(largest for _, _, largest in first["gradients"])
    pairs = [(first["input_gradient"], second["input_gradient"], 0)]
    pairs += [(a, b, floor) for a, b in zip(first["gradients"], second["gradients"])]
    pairs += [([first[key], 0, first[key]], [second[key], 0, 0], 0) for key in ["cross_entropy", "penalty"]]
    return all(
        abs(a[vector] - b[vector]) <= 1e-10 * max(a[2], floor) for a, b, floor in pairs for vector in range(2))


def draw(number, attempt, architect=Architect):
    """One case, or none where the drawn layers do not fit each other."""
    seed = 1_000_000 * number + attempt
    try:
        model = architect(seed, is_smooth=number % 2 == 0).model()
    except (RuntimeError, ValueError, IndexError):
        return None
    kinds = list(names(model["layers"]))
    first_is_pool = generate.named(model["layers"][0])[0] == "maxpool2d"
    case = {
        "seed": seed, "model": model, "target": TARGETS[number % 7 % 4], "reduction": REDUCTIONS[number % 5 % 3],
        "class_weights": [0.25, 2.0, 0.75] if number % 3 == 2 else None,
        # Few levels make pixels tie, but only where no later layer could part equals by its rounding.
        "levels": 8 if first_is_pool and kinds.count("maxpool2d") == 1 else 0,
        "is_smooth": not KINKED & set(kinds),
    }
    try:
        share, result = evaluate(case)
    except RuntimeError:
        # A window of max pooling that lies in the padding alone: PyTorch takes an element that is not there.
        return None
    values = [result["lambda1"], result["penalty"], share] + [largest for _, _, largest in result["gradients"]]
    if not all(0 <= value < 1e9 for value in values) or share < 0.01 or result["penalty"] == 0:
        return None
    return result if is_steady(result, evaluate(case, perturbation=1e-15)[1]) else None


def write(name, numbers, architect=Architect):
    """Draws cases and writes them."""
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    cases = []
    for number in numbers:
        torch.manual_seed(number)
        cases.append(next(case for attempt in range(1000) if (case := draw(number, attempt, architect))))
    counts = collections.Counter(name for case in cases for name in names(case["model"]["layers"]))
    print(f"attempts: {sum(case['seed'] % 1_000_000 + 1 for case in cases)}; layers: {dict(counts)}")
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path = generate.FOLDER / name
    path.write_text(f"[{lines}]\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


def main():
    write("random-architectures.json", range(CASES))


if __name__ == "__main__":
    main()

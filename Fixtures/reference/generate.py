#!/usr/bin/env python3
"""Writes the reference values of this folder: the explanation loss by PyTorch's double-backward.

    python3 Fixtures/reference/generate.py

loss-*.json        one batch through a tiny network: logits, input gradients, penalties, and the
                   parameter gradients of the loss, for each target and reduction; dropout
                   leaves nothing out for logits and input gradients, as in evaluation
trajectory-*.json  ten training steps: the loss of every step and the final weights

All arithmetic is in double precision. Arrays are flat, in row-major order: images, masks and
input gradients are (N, C, H, W), logits (N, K). Weights have the names and shapes of the
state_dict of an nn.Sequential with the model's layers. Every network is trained a little first,
and lambda1 = cross_entropy / penalty at that point, so that a penalty without effect cannot
pass for a right one: at a fresh initialisation it is a millionth of the cross-entropy.

The penalty R = (1/N) sum_n sum_d (A_nd g_nd)^2 with g = d/dx of the target is that of Ross, Hughes
and Doshi-Velez, "Right for the Right Reasons" (IJCAI 2017), the cross-entropy averaged likewise.

Needs PyTorch.
"""

import json
import pathlib

import torch
from torch import nn
from torch.nn import functional

import draws

FOLDER = pathlib.Path(__file__).resolve().parent
SAMPLES = 5
CLASSES = 4
# Samples 1 and 4 have an all-zero mask: they count as unannotated, and lie between the others.
MASK_DENSITIES = [0.5, 0.0, 0.2, 1.0, 0.0]

LOSS_CASES = {
    "linear": ([2, 3, 4], ["flatten", {"linear": {"out": 4}}]),
    "mlp-relu": (
        [1, 4, 5],
        ["flatten", {"linear": {"out": 8}}, "relu", {"linear": {"out": 6}}, "relu", {"linear": {"out": 4}}]),
    "mlp-softplus": (
        [2, 3, 4],
        ["flatten", {"linear": {"out": 7}}, {"softplus": {"beta": 1}},
         {"linear": {"out": 5}}, {"softplus": {"beta": 2.5}}, {"linear": {"out": 4}}]),
    "convolution-relu": (
        [2, 7, 8],
        [{"conv2d": {"out": 3, "kernel": 3, "stride": 1, "padding": 1}}, "relu", {"maxpool2d": {"kernel": 2}},
         "flatten", {"linear": {"out": 4}}]),
    # The windows of the first layer leave the last column of the image out.
    "convolution-stride-softplus": (
        [2, 7, 8],
        [{"conv2d": {"out": 3, "kernel": 3, "stride": 2, "padding": 0}}, {"softplus": {"beta": 2}},
         {"conv2d": {"out": 4, "kernel": 2, "stride": 1, "padding": 1}}, {"softplus": {"beta": 1}},
         "flatten", {"linear": {"out": 4}}]),
    "softplus-overlapping-pool": (
        [2, 7, 8],
        [{"conv2d": {"out": 3, "kernel": 3, "stride": 1, "padding": 1}}, {"softplus": {"beta": 3}},
         {"maxpool2d": {"kernel": 3, "stride": 2, "padding": 1}}, "flatten", {"linear": {"out": 4}}]),
    # Pooling straight from the image, where equal pixels tie: the first of a window wins.
    "pool-first-ties": (
        [2, 7, 8],
        [{"maxpool2d": {"kernel": 3, "stride": 2, "padding": 1}},
         {"conv2d": {"out": 4, "kernel": 3, "stride": 1, "padding": 1}}, {"softplus": {"beta": 1}},
         "flatten", {"linear": {"out": 4}}]),
    "lenet-like": (
        [2, 9, 10],
        [{"conv2d": {"out": 3, "kernel": 3, "stride": 1, "padding": 1}}, "relu", {"maxpool2d": {"kernel": 2}},
         {"conv2d": {"out": 4, "kernel": 3, "stride": 1, "padding": 1}}, "relu", {"maxpool2d": {"kernel": 2}},
         "flatten", {"linear": {"out": 6}}, "relu", {"linear": {"out": 4}}]),
    "without-bias": (
        [2, 7, 8],
        [{"conv2d": {"out": 3, "kernel": 3, "stride": 2, "padding": 1, "bias": False}}, {"softplus": {"beta": 2}},
         "flatten", {"linear": {"out": 4, "bias": False}}]),
    "gelu-silu": (
        [2, 3, 4],
        ["flatten", {"linear": {"out": 7}}, "gelu", {"linear": {"out": 6}}, {"gelu": {"approximate": "tanh"}},
         {"linear": {"out": 5}}, "silu", {"linear": {"out": 4}}]),
    "tanh-sigmoid": (
        [2, 5, 6],
        [{"conv2d": {"out": 3, "kernel": 3, "stride": 2, "padding": 1}}, "tanh",
         "flatten", {"linear": {"out": 6}}, "sigmoid", {"linear": {"out": 4}}]),
    # The first layer meets the image, where many pixels are 0: the slope there is the negative one.
    "leakyrelu": (
        [2, 5, 6],
        [{"leakyrelu": {"negative_slope": 0.3}}, {"conv2d": {"out": 3, "kernel": 3, "stride": 1, "padding": 1}},
         "leakyrelu", "flatten", {"linear": {"out": 4}}]),
    # Ceil mode would add windows that start in the padding after the image: PyTorch leaves them out.
    "maximum-pooling-ceil": (
        [2, 5, 7],
        [{"conv2d": {"out": 3, "kernel": 3, "stride": 1, "padding": 1}}, {"softplus": {"beta": 2}},
         {"maxpool2d": {"kernel": 2, "stride": 3, "padding": 1, "ceil_mode": True}},
         "flatten", {"linear": {"out": 4}}]),
    "average-pooling": (
        [2, 7, 8],
        [{"conv2d": {"out": 3, "kernel": 3, "stride": 1, "padding": 1}}, "gelu",
         {"avgpool2d": {"kernel": 3, "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}},
         {"conv2d": {"out": 3, "kernel": 2, "stride": 1, "padding": 1}}, "silu",
         {"avgpool2d": {"kernel": 2, "stride": 3, "padding": 1, "ceil_mode": True}},
         "flatten", {"linear": {"out": 4}}]),
    # The second pooling gives more elements than it takes.
    "adaptive-pooling": (
        [2, 7, 8],
        [{"conv2d": {"out": 3, "kernel": 3, "stride": 1, "padding": 1}}, "tanh",
         {"adaptiveavgpool2d": {"size": [3, 2]}},
         {"conv2d": {"out": 6, "kernel": 2, "stride": 1, "padding": 1}}, "silu",
         {"adaptiveavgpool2d": {"size": 5}}, "gelu", "globalavgpool", "flatten", {"linear": {"out": 4}}]),
    "dropout": (
        [2, 5, 6],
        [{"conv2d": {"out": 3, "kernel": 3, "stride": 1, "padding": 1}}, {"softplus": {"beta": 2}},
         {"dropout": {"p": 0.3}}, "flatten", {"linear": {"out": 8}}, "gelu", "dropout", {"linear": {"out": 4}}]),
    "class-weights": (
        [2, 3, 4],
        ["flatten", {"linear": {"out": 7}}, {"softplus": {"beta": 1}}, {"linear": {"out": 4}}]),
    # Each branch of a block leaves out elements of its own.
    "residual-dropout": (
        [2, 5, 6],
        [{"conv2d": {"out": 3, "kernel": 3, "stride": 1, "padding": 1}}, "gelu",
         {"residual": {
             "body": ["dropout", {"conv2d": {"out": 3, "kernel": 3, "stride": 1, "padding": 1}}],
             "projection": {"dropout": {"p": 0.2}}}},
         "silu", "flatten", {"linear": {"out": 4}}]),
}

# What a case has beside its network; it is written to the file too.
LOSS_OPTIONS = {
    "dropout": {"dropout": {"seed": 3, "step": 4}, "indices": [7, 3, 11, 0, 5]},
    "residual-dropout": {"dropout": {"seed": 0, "step": 0}, "indices": [0, 1, 2, 3, 4]},
    "class-weights": {"class_weights": [0.25, 2.0, 0.75, 3.0]},
}

# Normalisations and residual blocks, seeded apart so that cases above can be added without a change here.
BLOCK_CASES = {
    "group-norm": (
        [2, 7, 8],
        [{"conv2d": {"out": 4, "kernel": 3, "stride": 1, "padding": 1}}, {"groupnorm": {"groups": 2}},
         {"softplus": {"beta": 2}}, {"conv2d": {"out": 6, "kernel": 3, "stride": 2, "padding": 0}},
         {"groupnorm": {"groups": 3, "eps": 1e-2}}, "gelu", "flatten", {"linear": {"out": 8}},
         {"groupnorm": {"groups": 2}}, "tanh", {"linear": {"out": 4}}]),
    # The first layer's input is the image: its adjoint is wanted by none.
    "layer-norm": (
        [2, 5, 6],
        [{"layernorm": {"eps": 1e-3}}, {"conv2d": {"out": 3, "kernel": 3, "stride": 2, "padding": 1}},
         "layernorm", "silu", "flatten", {"linear": {"out": 6}}, "layernorm", "silu", {"linear": {"out": 4}}]),
    "batch-norm": (
        [2, 5, 6],
        ["batchnorm2d", {"conv2d": {"out": 3, "kernel": 3, "stride": 1, "padding": 1, "bias": False}},
         {"batchnorm2d": {"eps": 1e-2}}, {"softplus": {"beta": 2}}, "flatten", {"linear": {"out": 4}}]),
    # Blocks in blocks, with and without a projection, first and last in their list, flat and with places.
    "residual": (
        [2, 6, 7],
        [{"residual": {
            "body": [
                {"conv2d": {"out": 4, "kernel": 3, "stride": 2, "padding": 1}}, {"groupnorm": {"groups": 2}},
                "silu",
                {"residual": {"body": [{"conv2d": {"out": 4, "kernel": 3, "stride": 1, "padding": 1}}, "tanh"]}}],
            "projection": {"conv2d": {"out": 4, "kernel": 1, "stride": 2, "padding": 0, "bias": False}}}},
         "gelu", "flatten", {"residual": {
             "body": [{"linear": {"out": 6}}, "silu", {"linear": {"out": 48}}], "projection": "silu"}},
         {"linear": {"out": 4}}]),
    # The last layers of both branches look at their own outputs again.
    "residual-relu": (
        [2, 6, 7],
        [{"conv2d": {"out": 4, "kernel": 3, "stride": 1, "padding": 1}},
         {"residual": {
             "body": [{"conv2d": {"out": 4, "kernel": 3, "stride": 1, "padding": 1}}, "relu"],
             "projection": "relu"}},
         {"maxpool2d": {"kernel": 2}}, "flatten", {"linear": {"out": 4}}]),
}

# Seeded apart once more.
CHANNEL_CASES = {
    "slopes": (
        [2, 4, 5],
        [{"conv2d": {"out": 4, "kernel": 3, "stride": 2, "padding": 1}}, {"prelu": {"num_parameters": 4, "init": 0.1}},
         {"conv2d": {"out": 3, "kernel": 2}}, {"elu": {"alpha": 0.7}}, "prelu", "flatten", {"linear": {"out": 6}},
         {"prelu": {"num_parameters": 6}}, {"linear": {"out": 4}}]),
    # Each branch reads a part, as in ShuffleNet's units.
    "channels": (
        [2, 4, 5],
        [{"conv2d": {"out": 6, "kernel": 3, "stride": 2, "padding": 1}},
         {"concat": {"branches": [
             [{"narrow": {"start": 0, "length": 2}}],
             [{"narrow": {"start": 2, "length": 4}}, {"conv2d": {"out": 4, "kernel": 1}}, "elu"]]}},
         {"channelshuffle": {"groups": 3}}, {"conv2d": {"out": 4, "kernel": 2, "groups": 2}}, "silu", "flatten",
         {"channelshuffle": {"groups": 2}}, {"narrow": {"start": 1, "length": 6}}, {"linear": {"out": 4}}]),
}

TRAJECTORY_MODEL = (
    [1, 6, 6],
    ["flatten", {"linear": {"out": 8}}, "relu", {"linear": {"out": 6}}, "relu", {"linear": {"out": 3}}])
# Weight decay must leave the statistics of the batch normalisation alone.
BLOCK_TRAJECTORY_MODEL = (
    [1, 6, 6],
    [{"conv2d": {"out": 4, "kernel": 3, "stride": 1, "padding": 1}}, "batchnorm2d", "silu",
     {"residual": {
         "body": [{"conv2d": {"out": 4, "kernel": 3, "stride": 2, "padding": 1}}, {"groupnorm": {"groups": 2}}, "relu"],
         "projection": {"conv2d": {"out": 4, "kernel": 1, "stride": 2, "padding": 0}}}},
     "globalavgpool", "flatten", {"linear": {"out": 3}}])
TRAJECTORIES = {
    "sgd": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "weight_decay": 1e-3},
    "adam": {"name": "adam", "learning_rate": 0.01, "momentum": 0.0, "weight_decay": 0.0},
    "adam-weight-decay": {"name": "adam", "learning_rate": 0.01, "momentum": 0.0, "weight_decay": 1e-3},
    "adamw": {"name": "adamw", "learning_rate": 0.01, "momentum": 0.0, "weight_decay": 0.1},
}

BLOCK_TRAJECTORIES = {
    "blocks-sgd": {"name": "sgd", "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0.01},
    "blocks-adamw": {"name": "adamw", "learning_rate": 0.01, "momentum": 0.0, "weight_decay": 0.1},
}


class Dropout(nn.Module):
    """Dropout with the masks of DropoutKey, which are a function of all that they depend on."""

    seed = step = indices = None

    def __init__(self, location, p=0.5):
        super().__init__()
        self.location, self.p = location, p

    def mask(self, index, count):
        layer = 0
        for byte in self.location.encode():
            layer = draws.fold(byte, layer)
        state = draws.fold(index, draws.fold(self.step, draws.fold(self.seed, 0)))
        state = draws.fold(layer, state)
        return [float(draws.wide_unit(state, element) >= self.p) for element in range(count)]

    def forward(self, values):
        if not self.training:
            return values
        masks = [self.mask(index, values[0].numel()) for index in self.indices]
        return values * torch.tensor(masks).view_as(values) / (1 - self.p)


class StochasticDepth(Dropout):
    """Dropout of whole samples."""

    def forward(self, values):
        if not self.training:
            return values
        kept = torch.tensor([self.mask(index, 1)[0] for index in self.indices])
        return values * kept.view(-1, *[1] * (values.dim() - 1)) / (1 - self.p)


def model_json(input_shape, classes, layers):
    return {
        "format": "rrdata.model", "format_version": "1.0",
        "input": input_shape, "classes": classes, "layers": layers,
    }


class FrozenBatchNorm(nn.BatchNorm2d):
    """Batch normalisation that stays in evaluation mode."""

    def train(self, mode=True):
        return super().train(False)


class HardSigmoid(nn.Module):
    """The hard sigmoid by its definition: PyTorch's own has no second derivative."""

    def forward(self, features):
        return functional.relu6(features + 3) / 6


class Narrow(nn.Module):
    """Some of the channels."""

    def __init__(self, start, length):
        super().__init__()
        self.start, self.length = start, length

    def forward(self, features):
        return features.narrow(1, self.start, self.length)


class Shuffle(nn.Module):
    """nn.ChannelShuffle, which takes no features without a place."""

    def __init__(self, groups):
        super().__init__()
        self.groups = groups

    def forward(self, features):
        return features.unflatten(1, (self.groups, -1)).transpose(1, 2).flatten(1, 2)


class LayerScale(nn.Module):
    """A factor for each channel."""

    def __init__(self, shape, start):
        super().__init__()
        self.layer_scale = nn.Parameter(torch.full((shape[0], 1, 1), start))

    def forward(self, features):
        return features * (self.layer_scale if features.dim() == 4 else self.layer_scale.flatten())


class Residual(nn.Module):
    """body(x) + projection(x), or body(x) + x; the body scaled where it has a scale."""

    def __init__(self, body, projection, scale=None):
        super().__init__()
        self.body = body
        self.scale = scale
        self.projection = projection

    def forward(self, features):
        body = self.body(features)
        if self.scale is not None:
            body = self.scale(body)
        return body + (features if self.projection is None else self.projection(features))


class Gate(Residual):
    """body(x) times projection(x), or body(x) times x."""

    def forward(self, features):
        return self.body(features) * (features if self.projection is None else self.projection(features))


class Concatenation(nn.Module):
    """The channels of all branches."""

    def __init__(self, branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, features):
        return torch.cat([branch(features) for branch in self.branches], 1)


class ChannelsLast(nn.Module):
    """A module over the last dimension, of the channels of maps."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, features):
        return self.module(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def sides(padding):
    """The padding as pairs (top, bottom), (left, right)."""
    return [pair(side) for side in pair(padding)]


def padded(padding, value, module):
    """A module of symmetric padding, or one behind a layer that pads each side by its own."""
    rows, columns = sides(padding)
    if rows[0] == rows[1] and columns[0] == columns[1]:
        return module((rows[0], columns[0]))
    return nn.Sequential(nn.ConstantPad2d((*columns, *rows), value), module(0))


def build(model):
    """The nn.Sequential of a model.json, in evaluation mode."""
    return sequential(model["layers"], model["input"], "layers").eval()


def sequential(layers, shape, location):
    network, features = nn.Sequential(), torch.zeros(1, *shape)
    for place, layer in enumerate(layers):
        module = single(layer, features.shape[1:], f"{location}[{place}]").eval()
        network.append(module)
        features = module(features)
    return network


def named(layer):
    """A layer's name and options."""
    if isinstance(layer, str):
        return layer, {}
    return next((name, options) for name, options in layer.items() if name != "name")


def single(layer, shape, location):
    """The module of a layer for an input of a shape."""
    name, options = named(layer)
    match name:
        case "flatten":
            return nn.Flatten()
        case "dropout":
            return Dropout(location, **options)
        case "relu":
            return nn.ReLU()
        case "leakyrelu":
            return nn.LeakyReLU(**options)
        case "prelu":
            return nn.PReLU(**options)
        case "elu":
            return nn.ELU(**options)
        case "narrow":
            return Narrow(**options)
        case "channelshuffle":
            return Shuffle(**options)
        case "gelu":
            return nn.GELU(**options)
        case "silu":
            return nn.SiLU()
        case "softplus":
            return nn.Softplus(**options)
        case "tanh":
            return nn.Tanh()
        case "sigmoid":
            return nn.Sigmoid()
        case "stochasticdepth":
            return StochasticDepth(location, options["p"])
        case "relu6":
            return nn.ReLU6()
        case "hardswish":
            return nn.Hardswish()
        case "hardsigmoid":
            return HardSigmoid()
        case "linear2d":
            return ChannelsLast(nn.Linear(shape[0], options["out"], bias=options.get("bias", True)))
        case "layernorm2d":
            return ChannelsLast(nn.LayerNorm(shape[0], options.get("eps", 1e-5)))
        case "linear":
            return nn.Linear(shape[0], options["out"], bias=options.get("bias", True))
        case "conv2d":
            return padded(options.get("padding", 0), 0, lambda padding: nn.Conv2d(
                shape[0], options["out"], pair(options["kernel"]), pair(options.get("stride", 1)), padding,
                pair(options.get("dilation", 1)), options.get("groups", 1), options.get("bias", True)))
        case "maxpool2d":
            return padded(options.get("padding", 0), -torch.inf, lambda padding: nn.MaxPool2d(
                options["kernel"], options.get("stride"), padding, options.get("dilation", 1),
                ceil_mode=options.get("ceil_mode", False)))
        case "avgpool2d":
            return padded(options.get("padding", 0), 0, lambda padding: nn.AvgPool2d(
                options["kernel"], options.get("stride"), padding,
                ceil_mode=options.get("ceil_mode", False),
                count_include_pad=options.get("count_include_pad", True),
                divisor_override=options.get("divisor_override")))
        case "adaptiveavgpool2d":
            return nn.AdaptiveAvgPool2d(options["size"])
        case "globalavgpool":
            return nn.AdaptiveAvgPool2d(1)
        case "groupnorm":
            return nn.GroupNorm(options["groups"], shape[0], options.get("eps", 1e-5))
        case "layernorm":
            return nn.LayerNorm(shape, options.get("eps", 1e-5))
        case "batchnorm2d":
            module = FrozenBatchNorm(shape[0], options.get("eps", 1e-5))
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
            return module
        case "residual" | "multiply":
            body = sequential(options["body"], shape, f"{location}.body")
            projection = beside(options.get("projection", []), shape, f"{location}.projection")
            if name == "multiply":
                return Gate(body, projection)
            start = options.get("layer_scale")
            return Residual(body, projection, start and LayerScale(body(torch.zeros(1, *shape)).shape[1:], start))
        case "concat":
            return Concatenation([
                sequential(branch, shape, f"{location}.branches[{number}]")
                for number, branch in enumerate(options["branches"])])
        case _:
            raise ValueError(f"unknown layer {name}")


def beside(projection, shape, location):
    """The module of a projection: one layer alone or a list; none for the identity."""
    layers = projection if isinstance(projection, list) else [projection]
    if len(layers) == 1:
        return single(layers[0], shape, location).eval()
    return sequential(layers, shape, location) if layers else None


def labelled_images(count, input_shape, classes):
    """Noisy prototypes, one a class, in steps of 1/8: exact in float32, many pixels 0, many equal."""
    prototypes = torch.rand(classes, *input_shape)
    labels = torch.randint(classes, (count,))
    images = (prototypes[labels] + 0.5 * torch.rand(count, *input_shape) - 0.5).clamp(0, 1)
    return (images * 8).floor() / 8, labels


def random_masks(densities, input_shape):
    return torch.stack([(torch.rand(input_shape) < density).double() for density in densities])


def target_sum(target, logits, labels, directions=None):
    """The number whose gradient with respect to the image is the input gradient, summed over the batch."""
    log_probabilities = functional.log_softmax(logits, 1)
    match target:
        case "sum-log-prob":
            return log_probabilities.sum()
        case "label":
            return log_probabilities.gather(1, labels[:, None]).sum()
        case "predicted":
            return log_probabilities.gather(1, logits.argmax(1)[:, None]).sum()
        case "logits-sum":
            return logits.sum()
        case "logit-jacobian":
            return (directions * logits).sum()


def input_gradient(network, images, labels, target, directions=None):
    images = images.clone().requires_grad_()
    total = target_sum(target, network(images), labels, directions)
    gradient, = torch.autograd.grad(total, images, create_graph=True)
    return gradient


def penalty(network, images, labels, masks, target="sum-log-prob", reduction="mean", directions=None):
    squares = (masks * input_gradient(network, images, labels, target, directions)).square().sum()
    match reduction:
        case "mean":
            return squares / len(images)
        case "sum":
            return squares
        case "annotated":
            return squares / masks.flatten(1).any(1).sum()


def train_a_little(network, images, labels):
    for _ in range(50):
        network.zero_grad()
        functional.cross_entropy(network(images), labels).backward()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter -= 0.5 * parameter.grad
    network.zero_grad()


def flat(tensor):
    return tensor.detach().flatten().tolist()


def state(network):
    return {
        name: {"shape": list(tensor.shape), "values": flat(tensor)}
        for name, tensor in network.state_dict().items()
    }


def write(name, value):
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


def loss_case(input_shape, layers, options):
    model = model_json(input_shape, CLASSES, layers)
    network = build(model)
    images, labels = labelled_images(40, input_shape, CLASSES)
    train_a_little(network, images, labels)
    images, labels = images[:SAMPLES], labels[:SAMPLES]
    # A wrong label tells the target "label" from "predicted".
    labels[3] = (network(images)[3].argmax() + 1) % CLASSES
    masks = random_masks(MASK_DENSITIES, input_shape)

    logits = network(images)
    rows = options.get("indices", range(SAMPLES))
    directions = draws.directions(0, 0, rows, CLASSES)
    input_gradients = {
        target: flat(input_gradient(network, images, labels, target, directions))
        for target in ["sum-log-prob", "label", "predicted", "logits-sum", "logit-jacobian"]
    }
    if "dropout" in options:
        network.train()
        Dropout.seed, Dropout.step = options["dropout"].values()
        Dropout.indices = options["indices"]
        directions = draws.directions(0, Dropout.step, rows, CLASSES)
    class_weights = torch.tensor(options["class_weights"]) if "class_weights" in options else None
    cross_entropy = functional.cross_entropy(network(images), labels, weight=class_weights)
    plain = torch.autograd.grad(cross_entropy, list(network.parameters()))
    evaluations = []
    for target, reduction in [
        ("sum-log-prob", "mean"), ("sum-log-prob", "sum"), ("sum-log-prob", "annotated"),
        ("label", "mean"), ("predicted", "mean"), ("logits-sum", "mean"),
        ("logit-jacobian", "mean"),
    ]:
        value = penalty(network, images, labels, masks, target, reduction, directions)
        lambda1 = (cross_entropy / value).item()
        loss = functional.cross_entropy(network(images), labels, weight=class_weights) + lambda1 * value
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        share = max((g - p).abs().max() / p.abs().max() for g, p in zip(gradients, plain))
        assert share > 0.01, f"the penalty {target} is dead"
        evaluations.append({
            "target": target, "reduction": reduction, "lambda1": lambda1,
            "penalty": value.item(), "loss": loss.item(),
            "gradients": {name: flat(g) for (name, _), g in zip(network.named_parameters(), gradients)},
        })

    return {
        "model": model, **options,
        "count": SAMPLES,
        "images": flat(images), "labels": labels.tolist(), "masks": masks.int().flatten().tolist(),
        "weights": state(network),
        "logits": flat(logits),
        "cross_entropy": cross_entropy.item(),
        "input_gradients": input_gradients,
        "evaluations": evaluations,
    }


def trajectory(options, input_shape, layers):
    model = model_json(input_shape, 3, layers)
    network = build(model)
    images, labels = labelled_images(24, input_shape, 3)
    masks = random_masks([0.0 if sample % 3 == 1 else 0.5 for sample in range(24)], input_shape)
    train_a_little(network, images, labels)
    initial_weights = state(network)
    cross_entropy = functional.cross_entropy(network(images), labels)
    lambda1 = (cross_entropy / penalty(network, images, labels, masks)).item()

    common = {"lr": options["learning_rate"], "weight_decay": options["weight_decay"]}
    match options["name"]:
        case "sgd":
            optimizer = torch.optim.SGD(network.parameters(), momentum=options["momentum"], **common)
        case "adam":
            optimizer = torch.optim.Adam(network.parameters(), **common)
        case "adamw":
            optimizer = torch.optim.AdamW(network.parameters(), **common)
    steps = []
    for step in range(10):
        rows = slice(step % 3 * 8, step % 3 * 8 + 8)
        optimizer.zero_grad()
        cross_entropy = functional.cross_entropy(network(images[rows]), labels[rows])
        value = penalty(network, images[rows], labels[rows], masks[rows])
        loss = cross_entropy + lambda1 * value
        loss.backward()
        optimizer.step()
        steps.append({"loss": loss.item(), "cross_entropy": cross_entropy.item(), "penalty": value.item()})

    return {
        "model": model,
        "optimizer": options, "lambda1": lambda1, "batch_size": 8,
        "count": 24,
        "images": flat(images), "labels": labels.tolist(), "masks": masks.int().flatten().tolist(),
        "initial_weights": initial_weights,
        "steps": steps,
        "final_weights": state(network),
    }


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    for seed, (name, (input_shape, layers)) in enumerate(LOSS_CASES.items()):
        torch.manual_seed(seed)
        write(f"loss-{name}", loss_case(input_shape, layers, LOSS_OPTIONS.get(name, {})))
    for seed, (name, (input_shape, layers)) in enumerate(BLOCK_CASES.items(), 200):
        torch.manual_seed(seed)
        write(f"loss-{name}", loss_case(input_shape, layers, {}))
    for seed, (name, (input_shape, layers)) in enumerate(CHANNEL_CASES.items(), 400):
        torch.manual_seed(seed)
        write(f"loss-{name}", loss_case(input_shape, layers, {}))
    for name, options in TRAJECTORIES.items():
        torch.manual_seed(100)
        write(f"trajectory-{name}", trajectory(options, *TRAJECTORY_MODEL))
    for name, options in BLOCK_TRAJECTORIES.items():
        torch.manual_seed(300)
        write(f"trajectory-{name}", trajectory(options, *BLOCK_TRAJECTORY_MODEL))


if __name__ == "__main__":
    main()

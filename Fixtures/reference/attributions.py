#!/usr/bin/env python3
"""Writes attributions.json: thirty training steps with each attribution and target on ten networks, in double precision.

    python3 Fixtures/reference/attributions.py

The networks, their weights, images, labels and masks are those of loss-*.json. With T the target and h the output of a layer,
which a hook of PyTorch takes, the loss is CE + lambda1 R with R the mean over the batch of sum (A a)^2, and a is

input-times-gradient  x dT/dx                          (Shrikumar et al., 2017)
feature-gradient      dT/dh, of all channels
gradcam               sum_k h_k mean(dT/dh_k), neither rectified nor normalised   (Selvaraju et al., 2017; RRR-G, 2020)

A of a layer's map is the mean of A, and of its channels, over the pixels that are nearer to the middle of what a place of the map
sees of the image than to the middle of another. Here the middle is that of the first and the last pixel that a place sees,
where layers reach beyond the image as if it went on, and the mean is a difference of the integral of A.

Every case has the loss and R of each step of full batches with Adam. lambda1 is the cross-entropy over R at the start.

Needs PyTorch.
"""

import json
import pathlib

import torch
from torch.nn import functional

import draws
import generate

FOLDER = pathlib.Path(__file__).resolve().parent
SEED, STEPS, RATE = 5, 30, 0.01
TARGETS = ["sum-log-prob", "label", "predicted", "logits-sum", "logit-jacobian"]
# By network: the layer that is named, and its entry with the normalisation and activation that follow it; None for the last
# behind a convolution. A map of whole images has no places: of an mlp only the input counts.
NETWORKS = {
    "mlp-softplus": (None, None),
    "lenet-like": ("layers[0]", 1),
    "convolution-stride-softplus": (None, 3),
    "softplus-overlapping-pool": ("layers[2]", 2),
    "pool-first-ties": (None, 2),
    "average-pooling": (None, 4),
    "adaptive-pooling": ("layers[2]", 2),
    "group-norm": (None, 5),
    "batch-norm": (None, 3),
    "residual-relu": (None, 1),
    "residual": ("0", 1),
}


def axis(layers, place, extent, side):
    """The first and last pixel that an element of the last layer sees along one axis, as if the image had no end."""
    first = last = float(place)
    for layer, before in reversed(list(zip(layers, extents(layers, extent, side)))):
        name, options = generate.named(layer)
        if name == "residual":
            layer = next(part for part in options["body"] if generate.named(part)[0] == "conv2d")
            name, options = generate.named(layer)
        if name == "adaptiveavgpool2d":
            width = before / generate.pair(options["size"])[side]
            first, last = first * width, (last + 1) * width - 1
        elif name in ("conv2d", "maxpool2d", "avgpool2d"):
            kernel = generate.pair(options["kernel"])[side]
            stride = generate.pair(options.get("stride", kernel if "pool" in name else 1))[side]
            padding = generate.sides(options.get("padding", 0))[side][0]
            dilation = generate.pair(options.get("dilation", 1))[side]
            first, last = first * stride - padding, last * stride - padding + dilation * (kernel - 1)
    return first, last


def extents(layers, extent, side):
    """The extent of each layer's input along an axis."""
    shape, result = extent, []
    features = torch.zeros(1, *shape)
    for number, layer in enumerate(layers):
        result.append(features.shape[2 + side])
        features = generate.single(layer, features.shape[1:], f"layers[{number}]").eval()(features)
    return result


def windowed(masks, layers, shape, side, count):
    """The means over windows along one axis, which comes last."""
    length = masks.shape[-1]
    integral = torch.cat([torch.zeros(*masks.shape[:-1], 1), masks.cumsum(-1)], -1)

    def up_to(edge):
        whole = min(int(edge), length - 1)
        return integral[..., whole] + (edge - whole) * (integral[..., whole + 1] - integral[..., whole])

    middles = [sum(axis(layers, place, shape, side)) / 2 for place in range(count + 1)]
    result = []
    for place in range(count):
        step = middles[place + 1] - middles[place]
        low, high = middles[place] + 0.5 - step / 2, middles[place] + 0.5 + step / 2
        low, high = 0.0 if place == 0 else low, float(length) if place == count - 1 else high
        if high <= 0 or low >= length:
            result.append(masks[..., 0 if high <= 0 else -1])
            continue
        low, high = max(low, 0.0), min(high, float(length))
        result.append((up_to(high) - up_to(low)) / (high - low))
    return torch.stack(result, -1)


def target_of(logits, labels, target, step):
    logs = functional.log_softmax(logits, 1)
    match target:
        case "sum-log-prob":
            return logs.sum()
        case "label":
            return logs.gather(1, labels[:, None]).sum()
        case "predicted":
            return logs.gather(1, logits.argmax(1, keepdim=True)).sum()
        case "logits-sum":
            return logits.sum()
        case "logit-jacobian":
            return (draws.directions(SEED, step, range(len(labels)), logits.shape[1]) * logits).sum()


def attribution(network, layer, method, images, labels, target, step):
    """Logits and the attribution of a batch."""
    kept = {}
    hook = None if layer is None else network[layer].register_forward_hook(lambda _, __, output: kept.update(map=output))
    images = images.clone().requires_grad_()
    logits = network(images)
    if hook is not None:
        hook.remove()
    about = images if method == "input-times-gradient" else kept["map"]
    gradient, = torch.autograd.grad(target_of(logits, labels, target, step), about, create_graph=True)
    if method == "input-times-gradient":
        return logits, images * gradient
    if method == "feature-gradient":
        return logits, gradient
    return logits, (about * gradient.mean((2, 3), keepdim=True)).sum(1, keepdim=True)


def run(name, case, layer, method, target):
    model, shape = case["model"], case["model"]["input"]
    network = generate.build(model)
    state = network.state_dict()
    network.load_state_dict({
        key: torch.tensor(case["weights"][key]["values"]).view(case["weights"][key]["shape"]) for key in state
        if key in case["weights"]}, strict=False)
    images = torch.tensor(case["images"]).view(-1, *shape)
    labels = torch.tensor(case["labels"])
    masks = torch.tensor(case["masks"], dtype=torch.float64).view(-1, *shape)
    if method != "input-times-gradient":
        layers = model["layers"][:layer + 1]
        features = network[:layer + 1](images)
        masks = windowed(masks.mean(1, keepdim=True), layers, shape, 1, features.shape[3])
        masks = windowed(masks.transpose(2, 3), layers, shape, 0, features.shape[2]).transpose(2, 3)
    parameters = [value for value in network.parameters() if value.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=RATE)
    weight, steps, shares = None, [], []
    for step in range(STEPS):
        logits, explained = attribution(network, layer, method, images, labels, target, step)
        cross_entropy = functional.cross_entropy(logits, labels)
        penalty = (masks * explained).square().sum() / len(images)
        weight = weight or (cross_entropy / penalty).item()
        plain = torch.autograd.grad(cross_entropy, parameters, retain_graph=True)
        optimizer.zero_grad()
        (cross_entropy + weight * penalty).backward()
        shares.append(max((p.grad - g).abs().max() / g.abs().max() for p, g in zip(parameters, plain)))
        optimizer.step()
        steps.append([(cross_entropy + weight * penalty).item(), penalty.item()])
    assert sum(share > 0.01 for share in shares) > 20, f"R has no effect: {name} {method} {target} {shares}"
    return weight, steps


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    cases = []
    for name, (asked, layer) in NETWORKS.items():
        case = json.loads((FOLDER / f"loss-{name}.json").read_text())
        for method in ["input-times-gradient", "feature-gradient", "gradcam"]:
            if layer is None and method != "input-times-gradient":
                continue
            for target in TARGETS:
                weight, steps = run(name, case, layer, method, target)
                text = method if asked is None or method == "input-times-gradient" else f"{method}:{asked}"
                cases.append(
                    {"network": name, "attribution": text, "target": target, "lambda1": weight, "steps": steps})
    document = {"seed": SEED, "learning_rate": RATE, "cases": cases}
    (FOLDER / "attributions.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes guidance.json: 30 training steps with each guidance loss, in double precision.

    python3 Fixtures/reference/guidance.py

With x the images, y the labels and A the masks, the loss is CE(f(x), y) + lambda1 R, where R is

augment         the cross-entropy of x~, which has other values inside A: uniform, normal or mean ones, or those of
                another image (Teso and Kersting, 2019); or, instead, that of the batch with x~ in the place of x
consistency     the squared difference of the centred logits of x and x~; augment may have it beside its own
pgd             the cross-entropy of x + A d, d from projected gradient ascent within a box
                (Heo et al., 2023; Madry et al., 2018)
input-gradient  (1/N) sum_n |d CE_n / d x_n|^2 by double backpropagation (Drucker and LeCun, 1992)
rrr             (1/N) sum_n |A_n d (v_n . z_n) / d x_n|^2 with the logits z and, for each sample and step, a
                random direction v: the Jacobian of the centred logits by projections (Hoffman et al., 2019)

R of augment and pgd is over the annotated samples, weighted as in PyTorch's CrossEntropyLoss and divided by
the weights of the batch (mean), by 1 (sum) or by the weights of the annotated samples (annotated). The random
values and directions are those of SampleDraws. Batches of 8 of the 24 samples in the order of each epoch; every case
has the loss, the cross-entropy and R of each step, and the weights at the end.

Needs PyTorch.
"""

import json
import pathlib

import torch
from torch import nn
from torch.nn import functional

import draws

SEED, COUNT, BATCH, STEPS, SHAPE, CLASSES = 2**63 + 11, 24, 8, 30, (1, 5, 5), 3
LAYERS = [
    {"conv2d": {"out": 2, "kernel": 3, "stride": 1, "padding": 0}}, "relu", "flatten",
    {"linear": {"out": 5}}, {"softplus": {"beta": 1}}, {"linear": {"out": CLASSES}},
]
CASES = {
    "augment": dict(guidance="augment", lambda1=1.0, reduction="mean"),
    "augment-weights": dict(
        guidance="augment", lambda1=2.0, reduction="annotated", class_weights=[0.25, 2.0, 0.75], label_smoothing=0.2),
    "augment-sum": dict(guidance="augment", lambda1=0.1, reduction="sum"),
    "augment-range": dict(guidance="augment", lambda1=1.0, reduction="mean", range=[-1.5, 0.5]),
    "augment-noise": dict(guidance="augment", fill="noise", lambda1=1.0, reduction="mean", moments=[0.25, 0.5]),
    "augment-mean": dict(guidance="augment", fill="mean", lambda1=2.0, reduction="annotated", moments=[0.25, 0.5]),
    "augment-swap": dict(guidance="augment", fill="swap", lambda1=1.0, reduction="mean", consistency=0.3),
    "augment-instead": dict(
        guidance="augment", fill="swap", place="instead", lambda1=1.0, reduction="mean",
        class_weights=[0.25, 2.0, 0.75]),
    "augment-share": dict(guidance="augment", lambda1=1.0, reduction="mean", share=0.5),
    "consistency": dict(guidance="consistency", fill="swap", lambda1=2.0, reduction="mean", consistency=1.0),
    "consistency-weights": dict(
        guidance="consistency", fill="swap", lambda1=1.0, reduction="annotated", consistency=0.5,
        class_weights=[0.25, 2.0, 0.75], label_smoothing=0.2),
    "pgd": dict(guidance="pgd", lambda1=1.0, reduction="mean", search_steps=7, radius=0.5, step_size=0.15),
    "pgd-weights": dict(
        guidance="pgd", lambda1=3.0, reduction="annotated", search_steps=2, radius=2.0, step_size=1.5,
        class_weights=[0.25, 2.0, 0.75]),
    "input-gradient": dict(guidance="input-gradient", lambda1=0.5, reduction="mean"),
    "input-gradient-sum": dict(
        guidance="input-gradient", lambda1=0.05, reduction="sum", class_weights=[0.25, 2.0, 0.75], label_smoothing=0.1),
    "logit-jacobian": dict(guidance="rrr", target="logit-jacobian", lambda1=0.5, reduction="mean"),
    "logit-jacobian-weights": dict(
        guidance="rrr", target="logit-jacobian", lambda1=0.2, reduction="annotated", class_weights=[0.25, 2.0, 0.75],
        label_smoothing=0.2),
}


def build():
    return nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(18, 5), nn.Softplus(), nn.Linear(5, CLASSES))


def changed(network, case, loss_of, x, y, masks, others, epoch, rows):
    unit = draws.random_values(SEED, epoch, rows, SHAPE)
    if case["guidance"] != "pgd":
        match case.get("fill", "uniform"):
            case "uniform":
                low, high = case.get("range", [0.0, 1.0])
                values = low + (high - low) * unit
            case "noise":
                mean, deviation = case["moments"]
                values = mean + deviation * draws.normal_values(SEED, epoch, rows, SHAPE)
                values = values.float().double()
            case "mean":
                values = torch.full_like(x, case["moments"][0])
            case "swap":
                values = others
        return torch.where(masks > 0, values, x)
    radius = case["radius"]
    delta = masks * radius * (2 * unit - 1)
    for _ in range(case["search_steps"]):
        delta.requires_grad_()
        # The sum of the samples': each sample's sign is its own.
        loss = loss_of(network(x + masks * delta), y, reduction="sum")
        slope, = torch.autograd.grad(loss, delta)
        delta = (delta.detach() + case["step_size"] * slope.sign()).clamp(-radius, radius)
    return x + masks * delta.detach()


def centred(logits):
    return logits - logits.mean(1, keepdim=True)


def regularizer(network, case, loss_of, weights, x, y, masks, others, epoch, step, rows):
    if case["guidance"] == "rrr":
        x = x.clone().requires_grad_()
        gradient, = torch.autograd.grad((draws.directions(SEED, step, rows, CLASSES) * network(x)).sum(), x, create_graph=True)
        total = (masks * gradient).square().sum()
        return total / (masks.flatten(1).any(1).sum() if case["reduction"] == "annotated" else len(x))
    if case["guidance"] == "input-gradient":
        x = x.clone().requires_grad_()
        gradient, = torch.autograd.grad(
            functional.cross_entropy(network(x), y, reduction="sum"), x, create_graph=True)
        return gradient.square().sum() / (1 if case["reduction"] == "sum" else len(x))
    annotated = masks.flatten(1).any(1)
    if "share" in case:
        annotated &= draws.shares(SEED, epoch, rows) < case["share"]
    if not annotated.any():
        return None
    other = changed(network, case, loss_of, x, y, masks, others, epoch, rows)
    logits = network(other[annotated])
    total = 0
    if case["guidance"] != "consistency":
        total = loss_of(logits, y[annotated], reduction="sum")
    if "consistency" in case:
        squares = (centred(network(x[annotated])) - centred(logits)).square().sum(1)
        total = total + case["consistency"] * (weights[y[annotated]] * squares).sum()
    match case["reduction"]:
        case "mean":
            return total / weights[y].sum()
        case "sum":
            return total
        case "annotated":
            return total / weights[y[annotated]].sum()


def run(case, images, labels, masks, others, orders, start):
    network = build()
    network.load_state_dict(start)
    weights = torch.tensor(case.get("class_weights", [1.0] * CLASSES))

    def loss_of(logits, y, reduction="mean"):
        return functional.cross_entropy(
            logits, y, weight=weights, label_smoothing=case.get("label_smoothing", 0.0), reduction=reduction)

    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    steps, shares = [], []
    for step in range(STEPS):
        epoch, batch = divmod(step, COUNT // BATCH)
        rows = orders[epoch][batch * BATCH:(batch + 1) * BATCH]
        x, y, a, o = images[rows], labels[rows], masks[rows], others[rows]
        cross_entropy = loss_of(network(x), y)
        value = None
        if case.get("place") == "instead":
            loss = loss_of(network(changed(network, case, loss_of, x, y, a, o, epoch, rows)), y)
        else:
            value = regularizer(network, case, loss_of, weights, x, y, a, o, epoch, step, rows)
            loss = cross_entropy if value is None else cross_entropy + case["lambda1"] * value
        plain = torch.autograd.grad(cross_entropy, list(network.parameters()), retain_graph=True)
        optimizer.zero_grad()
        loss.backward()
        shares.append(max((p.grad - g).abs().max() / g.abs().max() for p, g in zip(network.parameters(), plain)))
        optimizer.step()
        if case.get("place") == "instead":
            cross_entropy = loss
        steps.append([loss.item(), cross_entropy.item(), None if value is None else value.item()])
    assert len(steps) == STEPS and sum(share > 0.01 for share in shares) > 25, f"R has no effect: {shares}"
    return {
        "steps": steps,
        "final_weights": {name: tensor.flatten().tolist() for name, tensor in network.state_dict().items()},
    }


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    torch.manual_seed(17)
    # Exact in float32, as images reach a network; the patch in a corner is as bright as the label says.
    labels = torch.randint(CLASSES, (COUNT,))
    prototypes = torch.rand(CLASSES, *SHAPE)
    images = ((prototypes[labels] + torch.rand(COUNT, *SHAPE)) * 32).floor() / 64
    images[:, :, :2, :2] = labels.view(-1, 1, 1, 1) / 4
    masks = torch.zeros(COUNT, *SHAPE)
    masks[:, :, :2, :2] = 1
    masks[:, :, 4, :] = (torch.rand(COUNT, 1, 5) < 0.4).double()
    masks[torch.arange(COUNT) % 3 == 1] = 0
    orders = [torch.randperm(COUNT).tolist() for _ in range(STEPS * BATCH // COUNT)]
    network = build()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
    for _ in range(20):
        optimizer.zero_grad()
        functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
    start = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    # What comes from other samples; where nothing is masked it is not to be read.
    others = torch.where(masks > 0, (torch.rand(COUNT, *SHAPE) * 32).floor() / 32, torch.tensor(7.0))
    document = {
        "model": {"format": "rrdata.model", "format_version": "1.0", "input": list(SHAPE), "classes": CLASSES,
                  "layers": LAYERS},
        "seed": str(SEED), "batch_size": BATCH,
        "images": images.flatten().tolist(), "counterexamples": others.flatten().tolist(), "labels": labels.tolist(), "masks": masks.int().flatten().tolist(),
        "orders": orders,
        "initial_weights": {
            name: {"shape": list(tensor.shape), "values": tensor.flatten().tolist()} for name, tensor in start.items()},
        "cases": [
            {"case": name, **case, **run(case, images, labels, masks, others, orders, start)} for name, case in CASES.items()],
    }
    path = pathlib.Path(__file__).resolve().parent / "guidance.json"
    path.write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()

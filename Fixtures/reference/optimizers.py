#!/usr/bin/env python3
"""Writes optimizers.json: 500 steps of PyTorch's optimisers and schedulers, in double precision.

    python3 Fixtures/reference/optimizers.py

The network is one linear layer without a bias, (C = 1, H = 2, W = 3) to 3 classes; the loss the mean
cross-entropy of all 8 samples. Every case has the learning rate and, where it is cycled, the momentum or
beta1 of steps 0, 100, ..., 400 and 499, as the optimiser had them, and the weights after each of these
steps. A schedule is stepped once a step, StepLR once an epoch of 25 steps.

Needs PyTorch.
"""

import json
import pathlib

import torch
from torch import nn
from torch.optim import lr_scheduler

STEPS = 500
STEPS_PER_EPOCH = 25
CASES = {
    "sgd": dict(name="sgd", lr=0.3),
    "sgd-momentum": dict(name="sgd", lr=0.05, momentum=0.9, weight_decay=0.01),
    "sgd-nesterov": dict(name="sgd", lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": dict(name="adam", lr=0.02, weight_decay=0.01),
    "adamw": dict(name="adamw", lr=0.02, weight_decay=0.1),
    "step": dict(name="adamw", lr=0.05, weight_decay=0.1, schedule="step", epochs=4, factor=0.5),
    "step-warmup": dict(name="sgd", lr=0.3, schedule="step", epochs=7, factor=0.3, warmup=60),
    "cosine": dict(name="sgd", lr=0.3, momentum=0.9, schedule="cosine"),
    "cosine-warmup": dict(name="adam", lr=0.05, schedule="cosine", warmup=40),
    "constant-warmup": dict(name="adam", lr=0.05, warmup=130),
    "one-cycle-sgd": dict(name="sgd", lr=0.3, momentum=0.8, schedule="one-cycle"),
    "one-cycle-nesterov": dict(name="sgd", lr=0.1, momentum=0.8, nesterov=True, schedule="one-cycle"),
    "one-cycle-adam": dict(name="adam", lr=0.05, schedule="one-cycle"),
    "one-cycle-adamw": dict(name="adamw", lr=0.05, weight_decay=0.1, schedule="one-cycle"),
    "clip": dict(name="sgd", lr=2.0, clip=0.05),
    "clip-adam": dict(name="adam", lr=0.02, clip=0.02),
    "label-smoothing": dict(name="adam", lr=0.02, label_smoothing=0.2),
    "class-weights": dict(name="adam", lr=0.02, class_weights=[0.25, 2.0, 0.75]),
    "class-weights-smoothing": dict(name="adam", lr=0.02, class_weights=[0.25, 2.0, 0.75], label_smoothing=0.3),
}


def optimizer_of(parameters, case):
    options = {key: case[key] for key in ("lr", "momentum", "nesterov", "weight_decay") if key in case}
    return {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[case["name"]](
        parameters, **options)


def schedulers_of(optimizer, case):
    """The schedulers to step after every step, and after every epoch."""
    warmup = case.get("warmup", 0)
    rise = lambda: lr_scheduler.LinearLR(optimizer, start_factor=0.01, total_iters=warmup)
    match case.get("schedule", "constant"):
        case "cosine" if warmup:
            fall = lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS - warmup)
            return [lr_scheduler.SequentialLR(optimizer, [rise(), fall], milestones=[warmup])], []
        case "cosine":
            return [lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS)], []
        case "one-cycle":
            return [lr_scheduler.OneCycleLR(optimizer, max_lr=case["lr"], total_steps=STEPS)], []
        case "step":
            fall = lr_scheduler.StepLR(optimizer, step_size=case["epochs"], gamma=case["factor"])
            return [rise()] if warmup else [], [fall]
        case _:
            return [rise()] if warmup else [], []


def run(case, images, labels, start):
    network = nn.Sequential(nn.Flatten(), nn.Linear(6, 3, bias=False))
    network.load_state_dict({"1.weight": start})
    weights = case.get("class_weights")
    loss_of = nn.CrossEntropyLoss(
        weight=torch.tensor(weights) if weights else None, label_smoothing=case.get("label_smoothing", 0.0))
    optimizer = optimizer_of(network.parameters(), case)
    each_step, each_epoch = schedulers_of(optimizer, case)
    points = []
    for step in range(STEPS):
        group = optimizer.param_groups[0]
        rate = group["lr"]
        momentum = group["betas"][0] if "betas" in group else group["momentum"]
        optimizer.zero_grad()
        loss = loss_of(network(images), labels)
        loss.backward()
        if "clip" in case:
            nn.utils.clip_grad_norm_(network.parameters(), case["clip"])
        optimizer.step()
        for scheduler in each_step:
            scheduler.step()
        if (step + 1) % STEPS_PER_EPOCH == 0:
            for scheduler in each_epoch:
                scheduler.step()
        if step % 100 == 0 or step + 1 == STEPS:
            points.append({"step": step, "rate": rate, "momentum": momentum, "loss": loss.item(),
                           "weights": network[1].weight.flatten().tolist()})
    return points


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    torch.manual_seed(7)
    # Float32 values, as images reach a network.
    images = torch.rand(8, 1, 2, 3).float().double()
    labels = torch.tensor([0, 1, 2, 0, 1, 1, 2, 0])
    start = torch.randn(3, 6)
    document = {
        "steps_per_epoch": STEPS_PER_EPOCH, "steps": STEPS,
        "images": images.flatten().tolist(), "labels": labels.tolist(), "start": start.flatten().tolist(),
        "cases": [{"case": name, **case, "points": run(case, images, labels, start)}
                  for name, case in CASES.items()],
    }
    path = pathlib.Path(__file__).resolve().parent / "optimizers.json"
    path.write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()

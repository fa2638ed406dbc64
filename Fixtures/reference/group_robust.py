#!/usr/bin/env python3
"""Writes group-robust.json: 500 training steps of group DRO with the explanation loss, in double precision.

    python3 Fixtures/reference/group_robust.py

The network, weights and samples are those of guidance.json, in groups of four sizes that some batches lack. The loss is
sum_g q_g CE_g + lambda1 R as in `LossComputer` of the code that Sagawa et al. (2020) published: CE_g is the mean of a group's
samples in the batch, 0 where it has none, q is multiplied by exp(step * CE_g) and divided by its sum before it weighs the
losses. R is the penalty of Ross et al. (2017), the mean over the batch.

Needs PyTorch.
"""

import json
import pathlib

import torch
from torch.nn import functional

import guidance

FOLDER = pathlib.Path(__file__).resolve().parent
STEPS, STEP_SIZE, LAMBDA1, RATE, BATCH = 500, 0.05, 0.5, 0.01, 8


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    document = json.loads((FOLDER / "guidance.json").read_text())
    network = guidance.build()
    network.load_state_dict({
        name: torch.tensor(entry["values"]).view(entry["shape"]) for name, entry in document["initial_weights"].items()})
    shape = (-1, *document["model"]["input"])
    images, labels = torch.tensor(document["images"]).view(shape), torch.tensor(document["labels"])
    masks = torch.tensor(document["masks"], dtype=torch.float64).view(shape)
    torch.manual_seed(3)
    groups = torch.multinomial(torch.tensor([0.6, 0.25, 0.1, 0.05]), len(labels), replacement=True)
    assert len(groups.unique()) == 4
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    weights, steps, rows_of_steps, absent = torch.ones(4) / 4, [], [], 0
    for _ in range(STEPS):
        rows = torch.randperm(len(labels))[:BATCH]
        x = images[rows].clone().requires_grad_()
        logits = network(x)
        losses = functional.cross_entropy(logits, labels[rows], reduction="none")
        group_map = (groups[rows] == torch.arange(4)[:, None]).double()
        count = group_map.sum(1)
        absent += bool((count == 0).any())
        group_loss = (group_map @ losses) / (count + (count == 0).double())
        weights = weights * torch.exp(STEP_SIZE * group_loss.data)
        weights = weights / weights.sum()
        robust = group_loss @ weights
        gradient, = torch.autograd.grad(functional.log_softmax(logits, 1).sum(), x, create_graph=True)
        penalty = (masks[rows] * gradient).square().sum() / BATCH
        optimizer.zero_grad()
        (robust + LAMBDA1 * penalty).backward()
        optimizer.step()
        steps.append([robust.item(), penalty.item()])
        rows_of_steps.append(rows.tolist())
    assert absent > 100 and weights.max() > 0.5, f"nothing is robust: {absent} {weights}"
    result = {
        "step_size": STEP_SIZE, "lambda1": LAMBDA1, "learning_rate": RATE, "groups": groups.tolist(), "rows": rows_of_steps,
        "steps": steps, "group_weights": weights.tolist(),
        "final_weights": {name: value.flatten().tolist() for name, value in network.state_dict().items()},
    }
    (FOLDER / "group-robust.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()

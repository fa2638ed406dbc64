#!/usr/bin/env python3
"""Writes fine-tuning.pt, a network that PyTorch has trained on one task, and opens it again after another.

    python3 Fixtures/reference/fine_tuning.py          # trains a little, and saves the state dict
    python3 Fixtures/reference/fine_tuning.py WEIGHTS  # loads what rrdata train wrote, strictly

The network is torchvision's ResNet-18 with a sixteenth of its channels, of three classes: flat images of red, green and blue
with noise. What a test fine-tunes has two classes, so that the head is drawn anew.

Needs PyTorch, torchvision and, for WEIGHTS, safetensors.
"""

import sys

import torch
from torch.nn import functional
from torchvision import models

import generate
import networks


def network(classes):
    return networks.NarrowResNet(models.resnet.BasicBlock, [2, 2, 2, 2], 16, classes)


def main():
    if len(sys.argv) > 1:
        from safetensors.torch import load_file
        weights = load_file(sys.argv[1])
        model = network(len(weights["fc.bias"]))
        model.load_state_dict(weights, strict=True)
        print("strictly loaded:", model.eval()(torch.zeros(1, 3, 32, 32)).tolist())
        return
    torch.manual_seed(1)
    model = network(3)
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    for _ in range(60):
        labels = torch.randint(3, (24,))
        images = 0.5 * torch.rand(24, 3, 32, 32)
        images[torch.arange(24), labels] += 0.5
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
    print(f"loss {loss.item():.3g}")
    torch.save(model.state_dict(), generate.FOLDER / "fine-tuning.pt")


if __name__ == "__main__":
    main()

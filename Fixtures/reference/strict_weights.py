#!/usr/bin/env python3
"""Takes torchvision's weights of every network there and back.

    python3 Fixtures/reference/strict_weights.py --rrdata .build/release/rrdata resnet18 vgg16

Each network (all of them without names) is made by torchvision with two classes, its state dict saved by torch.save, and given
to `rrdata train --init … --head keep` for one step of next to no length. What that writes must load into a torchvision network
with strict=True, be the same weights, and give the same logits.

Needs PyTorch, torchvision, Pillow and safetensors, and some minutes.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import torch
from PIL import Image
from safetensors.torch import load_file
from torchvision import models

import networks

EXTENT = 64


def there_and_back(name, rrdata, folder):
    network = getattr(models, name)(num_classes=2).float().eval()
    networks.fill(network, 7)
    torch.save(network.state_dict(), folder / "theirs.pth")
    subprocess.run(
        [rrdata, "train", "images.h5", "--model", name, "--init", "theirs.pth", "--head", "keep", "--epochs", "1",
         "--learning-rate", "1e-12", "--optimizer", "sgd", "--batch-size", "4", "-o", "run", "--force"],
        cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ours = load_file(folder / "run" / "weights.safetensors")
    back = getattr(models, name)(num_classes=2).float().eval()
    back.load_state_dict(ours, strict=True)
    stored = network.state_dict()
    largest = max((ours[key] - stored[key]).abs().max().item() for key in ours)
    images = torch.rand(2, 3, EXTENT, EXTENT)
    with torch.no_grad():
        expected, logits = network(images), back(images)
    difference = ((logits - expected).abs().max() / expected.abs().max()).item()
    return len(ours), largest, difference


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rrdata", required=True)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    rrdata = str(pathlib.Path(options.rrdata).resolve())
    torch.manual_seed(1)
    failed = False
    with tempfile.TemporaryDirectory() as path:
        folder = pathlib.Path(path)
        for number in range(4):
            place = folder / "images" / "ab"[number % 2]
            place.mkdir(parents=True, exist_ok=True)
            pixels = (torch.rand(EXTENT, EXTENT, 3) * 255).byte().numpy()
            Image.fromarray(pixels).save(place / f"{number}.png")
        subprocess.run([rrdata, "import", "pngs", "images", "-o", "images.h5"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
        for name in options.names or networks.NARROW:
            count, weights, logits = there_and_back(name, rrdata, folder)
            is_same = weights < 1e-6 and logits < 1e-5
            failed = failed or not is_same
            print(f"{name}: {count} tensors loaded strictly, weights differ by {weights:.1e}, logits by {logits:.1e} of the largest"
                  + ("" if is_same else ": NOT THE SAME"), flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Takes torchvision's weights of every network, and timm's, there and back.

    python3 Fixtures/reference/strict_weights.py --rrdata .build/release/rrdata resnet18 vgg16
    python3 Fixtures/reference/strict_weights.py --rrdata .build/release/rrdata --timm mobilenet_v3_small

Each network (all of them without names) is made with two classes, and its state dict saved by torch.save and as safetensors.
Of both files the cross-entropy of four images that `rrdata evaluate` tells must be PyTorch's. `rrdata train --init … --head keep`
takes one step of next to no length from each, and what that writes must load into a torchvision network with strict=True, be
the same weights, and give the same logits. With --timm the networks are timm's at their real size, and the logits are timm's;
its MobileNetV3 gives other weights, for the same logits.

Needs PyTorch, torchvision, Pillow and safetensors, timm for --timm, and some minutes.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn import functional
from torchvision import models
from torchvision.transforms.functional import to_tensor

import networks

EXTENT = 64
# What timm calls the networks that it calls otherwise.
TIMM = {"mobilenet_v2": "mobilenetv2_100", "mobilenet_v3_small": "mobilenetv3_small_100"}


def make(name, is_from_timm):
    if not is_from_timm:
        return getattr(models, name)(num_classes=2).float().eval()
    import timm
    return timm.create_model(TIMM.get(name, name), num_classes=2).float().eval()


def run(rrdata, folder, *arguments):
    return subprocess.run([rrdata, *arguments], cwd=folder, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def relative(values, expected):
    return ((values - expected).abs().max() / expected.abs().max()).item()


def there_and_back(name, is_from_timm, rrdata, folder):
    network = make(name, is_from_timm)
    networks.fill(network, 7)
    stored = network.state_dict()
    torch.save(stored, folder / "theirs.pth")
    save_file(stored, folder / "theirs.safetensors")
    paths = sorted((folder / "images").glob("*/*.png"))
    images = torch.stack([to_tensor(Image.open(path)) for path in paths])
    labels = torch.tensor(["ab".index(path.parent.name) for path in paths])
    with torch.no_grad():
        expected = network(images)
    cross_entropy = functional.cross_entropy(expected, labels).item()
    figures = {"tensors": 0, "cross-entropy": 0, "weights": 0, "logits": 0}
    for file in ["theirs.pth", "theirs.safetensors"]:
        run(rrdata, folder, "train", "images.h5", "--model", name, "--init", file, "--head", "keep", "--epochs", "1",
            "--learning-rate", "1e-12", "--optimizer", "sgd", "--batch-size", "4", "-o", "run", "--force")
        measured = json.loads(run(rrdata, folder, "evaluate", "images.h5", "--model", "run/model.json", "--weights", file,
                                  "--json"))
        ours = load_file(folder / "run" / "weights.safetensors")
        back = make(name, False)
        back.load_state_dict(ours, strict=True)
        with torch.no_grad():
            logits = back(images)
        figures["tensors"] = len(ours)
        worst = {"cross-entropy": abs(measured["cross_entropy"] / cross_entropy - 1), "logits": relative(logits, expected)}
        if not is_from_timm:
            worst["weights"] = max((ours[key] - stored[key]).abs().max().item() for key in ours)
        figures |= {key: max(figures[key], value) for key, value in worst.items()}
    return figures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rrdata", required=True)
    parser.add_argument("--timm", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    rrdata = str(pathlib.Path(options.rrdata).resolve())
    torch.manual_seed(1)
    torch.set_num_threads(1)
    failed = False
    with tempfile.TemporaryDirectory() as path:
        folder = pathlib.Path(path)
        for number in range(4):
            place = folder / "images" / "ab"[number % 2]
            place.mkdir(parents=True, exist_ok=True)
            pixels = (torch.rand(EXTENT, EXTENT, 3) * 255).byte().numpy()
            Image.fromarray(pixels).save(place / f"{number}.png")
        run(rrdata, folder, "import", "pngs", "images", "-o", "images.h5")
        for name in options.names or networks.NARROW:
            figures = there_and_back(name, options.timm, rrdata, folder)
            is_same = figures["weights"] < 1e-6 and figures["logits"] < 1e-5 and figures["cross-entropy"] < 1e-5
            failed = failed or not is_same
            print(f"{name}: {figures['tensors']} tensors loaded strictly from either file, weights differ by "
                  f"{figures['weights']:.1e}, cross-entropy of rrdata by {figures['cross-entropy']:.1e} and logits of "
                  f"torchvision by {figures['logits']:.1e} of the largest" + ("" if is_same else ": NOT THE SAME"), flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()

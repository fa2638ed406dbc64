#!/usr/bin/env python3
"""Writes timm.json: what timm calls the tensors of its networks, and what it makes of them.

    python3 Fixtures/reference/timm_networks.py

The networks are those whose names or functions are not torchvision's, narrow where timm can make them so; strict_weights.py
--timm takes all of them at their real size. A case has the names and shapes of the state dict in its order, and the logits of
three images, which with the values of all tensors follow from its seed as networks.py says: the names that are counted are timm's.

Needs PyTorch, torchvision, timm and NumPy.
"""

import json

import timm
import torch
from timm.models import convnext, efficientnet, vgg
from torch import nn

import generate
import networks

CLASSES, EXTENT = 5, 32


def visual_geometry(configuration, norm, divisor):
    channels = [c if c == "M" else c // divisor for c in vgg.cfgs[configuration]]
    network = vgg.VGG(channels, norm_layer=norm)
    hidden = 4096 // divisor
    network.pre_logits = vgg.ConvMlp(512 // divisor, hidden, 7, 1.0, 0.0, nn.ReLU, nn.Conv2d)
    network.head = timm.layers.ClassifierHead(hidden, CLASSES, pool_type="avg")
    return network


# Networks with the share of channels that is left of each.
NETWORKS = {
    "vgg11": (1 / 32, lambda: visual_geometry("vgg11", None, 32)),
    "vgg16_bn": (1 / 32, lambda: visual_geometry("vgg16", nn.BatchNorm2d, 32)),
    "mobilenet_v2": (1 / 4, lambda: efficientnet._gen_mobilenet_v2("mobilenetv2_100", 1 / 4, num_classes=CLASSES)),
    "mobilenet_v3_small": (1, lambda: timm.create_model("mobilenetv3_small_100", num_classes=CLASSES)),
    "efficientnet_b0": (1 / 4, lambda: efficientnet._gen_efficientnet("efficientnet_b0", 1 / 4, num_classes=CLASSES)),
    "convnext_tiny": (1 / 12, lambda: convnext.ConvNeXt(
        depths=(3, 3, 9, 3), dims=(8, 16, 32, 64), num_classes=CLASSES)),
}


def main():
    torch.set_default_dtype(torch.float64)
    lines = []
    for number, (name, (width, make)) in enumerate(NETWORKS.items(), 51):
        network, seed = make().double().eval(), 1_000_000 * number
        networks.fill(network, seed)
        images, _, _ = networks.batch(EXTENT, CLASSES, seed)
        with torch.no_grad():
            logits = network(images)
        state = [[key, list(tensor.shape)] for key, tensor in network.state_dict().items()]
        case = {"name": name, "width": width, "extent": EXTENT, "classes": CLASSES, "seed": seed, "state": state,
                "logits": logits.flatten().tolist()}
        lines.append(json.dumps(case, separators=(",", ":")))
        print(name, sum(tensor.numel() for tensor in network.parameters()), logits.abs().max().item())
    path = generate.FOLDER / "timm.json"
    path.write_text("[" + ",\n".join(lines) + "]\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()

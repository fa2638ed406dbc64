#!/usr/bin/env python3
"""Exports torchvision's networks at their real widths by both of PyTorch's exporters, with what PyTorch makes of each file.

    python3 Fixtures/reference/onnx_torchvision.py --to FOLDER resnet18 vgg16   # without names all eleven, some 13 GB
    RRDATA_ONNX=FOLDER swift test --filter ImportedNetworkTests

Each network has ten classes and the weights of `networks.fill`, in double precision, and is written by the dynamo exporter, by the
TorchScript one, and by that as it is in training, with its batch normalisations. Images have 64×64 pixels, but of the VGGs in
TorchScript 224×224: that exporter has no pooling whose windows do not divide the map. networks.json is as in Fixtures/onnx.
"""

import argparse
import gc
import json
from pathlib import Path

import torch
from torchvision import models

import networks
import onnx_gradients
import onnx_networks

SAMPLES = 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--hows", nargs="*", default=["dynamo", "script-17", "script-17-plain-open"])
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    options.to.mkdir(parents=True, exist_ok=True)
    list_of_cases = options.to / "networks.json"
    for seed, name in enumerate(networks.NARROW, 1):
        if options.names and name not in options.names:
            continue
        for how in options.hows:
            extent = 224 if name.startswith("vgg") and how.startswith("script") else 64
            torch.set_default_dtype(torch.float64)
            network = getattr(models, name)(num_classes=10).eval()
            networks.fill(network, 1_000_000 * seed)
            file = f"{name}-{how}.onnx"
            onnx_networks.export(network, (3, extent, extent), str(options.to / file), how)
            case, left = onnx_gradients.judged(network, str(options.to / file), (3, extent, extent), SAMPLES)
            assert left == 0, f"{left} tensors of {file} are not those of the module"
            cases = json.loads(list_of_cases.read_text()) if list_of_cases.exists() else []
            cases = [other for other in cases if other["file"] != file] + [{"file": file, "input": [3, extent, extent], **case}]
            list_of_cases.write_text(json.dumps(cases) + "\n")
            print(f"{file}: {len(case['gradients'])} tensors, lambda1 {case['lambda1']:.3g}", flush=True)
            del network, case
            gc.collect()


if __name__ == "__main__":
    main()

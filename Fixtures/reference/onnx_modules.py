#!/usr/bin/env python3
"""Writes networks as people write them for classification, small, by both of PyTorch's exporters, with what PyTorch makes of each file.

    python3 Fixtures/reference/onnx_modules.py --to FOLDER
    RRDATA_ONNX=FOLDER swift test --filter 'Imported(Network|Gradient)Tests'

Some have what no layer here does, and are to be refused by the node that does it: that is what the tests fail with for them.
networks.json is as in Fixtures/onnx. What ends in a softmax, or in its logarithm, is judged without.
"""

import argparse
import json
from pathlib import Path

import torch

import onnx_gradients
import onnx_modules_other  # noqa: F401
import onnx_networks
from onnx_modules_known import Network


def judged(network, path, shape, samples, logits=None):
    network.gives_logits = True
    try:
        return JUDGED(network, path, shape, samples)
    finally:
        network.gives_logits = False


JUDGED = onnx_gradients.judged


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    options.to.mkdir(parents=True, exist_ok=True)
    onnx_gradients.judged = judged
    cases = []
    for kind in Network.__subclasses__():
        name = kind.__name__
        if options.names and name not in options.names:
            continue
        onnx_networks.SHAPES[name] = kind.shape
        for how in ["dynamo", "script-17"]:
            try:
                cases += onnx_networks.pytorch_cases(options.to, {name: kind()}, lambda _: [how])
            except Exception as error:  # noqa: BLE001
                file = f"{name}-{how}.onnx"
                print(f"{file}: not judged: {str(error).splitlines()[0][:150]}", flush=True)
                if (options.to / file).exists():
                    cases.append({"file": file, "input": list(kind.shape), "logits": []})
    (options.to / "networks.json").write_text(json.dumps(cases) + "\n")
    print(f"{len(cases)} files")


if __name__ == "__main__":
    main()

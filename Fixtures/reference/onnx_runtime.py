#!/usr/bin/env python3
"""Compares what `rrdata export model` writes with ONNX Runtime, for every layer, torchvision's networks, and the imported ones.

    python3 Fixtures/reference/onnx_runtime.py .build/release/rrdata
    python3 Fixtures/reference/onnx_runtime.py .build/release/rrdata vgg16 keras-next-tensorflow.onnx

Each network is trained for one step on random images, so that it is a run, and exported; ONNX Runtime's logits are compared with those
that the probabilities of `rrdata evaluate --predictions` tell of, less their mean, relative to the largest, and the graph is checked by
onnx. The probabilities have all digits of the logits but where one is next to 1. Needs onnx, onnxruntime and NumPy.
"""

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import onnx
import onnxruntime

IMAGE = (3, 20, 18)
# So small that no probability is 0 after the step.
LEARNING_RATE = 1e-5
FILES = Path(__file__).resolve().parent.parent / "onnx"

STACKS = {
    "convolutions": [{"conv2d": {"out": 6, "kernel": [3, 2], "stride": 2, "padding": 1, "groups": 3}}, "relu", {"linear2d": {"out": 4}},
                     {"conv2d": {"out": 5, "kernel": 3, "dilation": 2, "padding": [[0, 1], [2, 1]], "bias": False}}],
    "activations": ["relu6", {"leakyrelu": {"negative_slope": 0.1}}, "gelu", {"gelu": {"approximate": "tanh"}}, "silu", {"softplus": {"beta": 2}},
                    "tanh", "sigmoid", "hardswish", "hardsigmoid"],
    "maxima": [{"maxpool2d": {"kernel": 3, "stride": 2, "padding": 1, "ceil_mode": True}}, {"maxpool2d": {"kernel": 2, "dilation": 2}}],
    "averages": [{"avgpool2d": {"kernel": 3, "stride": 2, "padding": 1, "ceil_mode": True}}, {"avgpool2d": {"kernel": 2, "divisor_override": 3}},
                 {"adaptiveavgpool2d": {"size": [3, 4]}}],
    "averages-alone": [{"avgpool2d": {"kernel": 3, "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}},
                       {"adaptiveavgpool2d": {"size": [5, 2]}}],
    "normalisations": ["batchnorm2d", {"groupnorm": {"groups": 3}}, "layernorm2d", "layernorm"],
    "features": ["flatten", {"linear": {"out": 8}}, "batchnorm1d", {"groupnorm": {"groups": 2}}, "layernorm", {"dropout": {"p": 0.5}}],
    "blocks": [{"residual": {"body": [{"conv2d": {"out": 3, "kernel": 3, "padding": 1}}, {"stochasticdepth": {"p": 0.1}}], "layer_scale": 0.3}},
               {"concat": {"branches": [[], ["relu"], [{"conv2d": {"out": 2, "kernel": 1}}]]}},
               {"multiply": {"body": ["globalavgpool", {"conv2d": {"out": 8, "kernel": 1}}, "sigmoid"]}}],
    "graph": [{"graph": {"nodes": [{"layer": {"conv2d": {"out": 4, "kernel": 3}}}, {"layer": "relu"}, {"layer": "globalavgpool"}, {"layer": "flatten"},
                                   {"layer": {"linear": {"out": 4}}}, {"layer": "sigmoid"}, {"layer": "multiply", "of": [2, 6]},
                                   {"layer": "add", "of": [7, 2, 1]}, {"layer": "concat", "of": [8, 1]}]}}],
}
NETWORKS = ["resnet18", "resnet34", "resnet50", "vgg11", "vgg16", "vgg16_bn", "densenet121", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "convnext_tiny", "lenet", "resnet8"]


def run(*arguments, folder):
    done = subprocess.run([RRDATA, *map(str, arguments)], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"rrdata {' '.join(map(str, arguments))}: {done.stderr}")


def compare(name, model, dataset, images, folder, options):
    run("train", dataset, "--model", model, "--epochs", 1, "--batch-size", 8, "--learning-rate", LEARNING_RATE, *options, "-o", name, folder=folder)
    run("export", "model", name, "-o", f"{name}.onnx", folder=folder)
    run("evaluate", name, dataset, "--split", "all", "--predictions", f"{name}.csv", folder=folder)
    onnx.checker.check_model(str(folder / f"{name}.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(str(folder / f"{name}.onnx"), providers=["CPUExecutionProvider"])
    found = session.run(["logits"], {"images": images})[0].astype(numpy.float64)
    rows = list(csv.DictReader((folder / f"{name}.csv").open()))
    expected = numpy.log(numpy.array([[float(row[key]) for key in row if key.startswith("p_")] for row in rows]))
    found -= found.mean(1, keepdims=True)
    expected -= expected.mean(1, keepdims=True)
    difference = abs(found - expected).max() / abs(expected).max()
    print(f"{name}: {difference:.1e}, logits up to {abs(expected).max():.3g}", flush=True)
    return difference if numpy.isfinite(difference) else numpy.inf


def main():
    random = numpy.random.default_rng(0)
    worst, wanted = 0, sys.argv[2:]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        datasets = {}

        def data(*shape):
            """A dataset of eight images, and the images."""
            name = "x".join(map(str, shape))
            if shape not in datasets:
                datasets[shape] = random.random((8, *shape), numpy.float32)
                numpy.save(folder / f"{name}.npy", datasets[shape])
                numpy.save(folder / "labels.npy", numpy.arange(8) % 3)
                run("import", "npy", f"{name}.npy", "--labels", "labels.npy", "-o", f"{name}.h5", folder=folder)
            return f"{name}.h5", datasets[shape]

        for name, layers in STACKS.items():
            if wanted and name not in wanted:
                continue
            end = [{"linear": {"out": 3}}] if name == "features" else ["flatten", {"linear": {"out": 3}}]
            (folder / f"{name}.json").write_text(json.dumps(
                {"format": "rrdata.model", "format_version": "1.0", "input": IMAGE, "classes": 3, "layers": layers + end}))
            worst = max(worst, compare(name, f"{name}.json", *data(*IMAGE), folder, ["--normalize", "auto"]))
        for name in NETWORKS:
            if not wanted or name in wanted:
                shape = (1, 28, 28) if name == "lenet" else (3, 64, 64)
                worst = max(worst, compare(name, name, *data(*shape), folder, []))
        for case in json.loads((FILES / "networks.json").read_text()) + json.loads((FILES / "keras-networks.json").read_text()):
            if not wanted or case["file"] in wanted:
                name = case["file"].removesuffix(".onnx")
                worst = max(worst, compare(name, FILES / case["file"], *data(*case["input"]), folder, []))
    print(f"largest difference {worst:.1e}")
    sys.exit(worst > 1e-5)


if __name__ == "__main__":
    RRDATA = str(Path(sys.argv[1]).resolve())
    main()

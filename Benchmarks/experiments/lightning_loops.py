"""The explanation loss in a plain PyTorch loop, in PyTorch Lightning and in rrdata, from the same start in the same order.

    python Benchmarks/experiments/lightning_loops.py --rrdata rrdata [--work FOLDER] [--python PYTHON]

PYTHON has what Benchmarks/peers/requirements.txt names. Writes Benchmarks/results/lightning.md, and the trajectories in
Benchmarks/results/lightning.json.
"""

import argparse
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import types

import h5py
import numpy

import laboratory

BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent
EPOCHS, SEED, LAMBDA1, BATCH = 2, 7, 0.1, 256
SHOWN = [1, 10, 100, 235, 236, 470]
OPTIONS = ["--model", "mlp", "--precision", "double", "--optimizer", "adam", "--learning-rate", "0.001", "--weight-decay",
           "0.0001", "--batch-size", BATCH]
# The ways of peers/lightning_rrr.py: what is written, and why it goes as it goes.
WAYS = {
    "loop": ("plain PyTorch loop", "the reference"),
    "ours": ("`rrdata train`", "no graph is kept: forward over reverse, in `RRExplanation`"),
    "Right": ("Lightning, right: `Trainer(inference_mode=False)`, and `torch.enable_grad()` in `validation_step`",
              "`autograd.grad(…, create_graph=True)` on a copy of the images, the loss returned"),
    "InferenceModeLeft": ("Lightning, right too: `torch.inference_mode(False)`, `enable_grad()` and copies of the batch in "
                          "`validation_step`",
                          "the trainer may stay as it is"),
    "SharedStep": ("one `_step` for training and validation, the trainer's defaults",
                   "validation runs without gradients; the sanity check before the first step stops it"),
    "NoInferenceMode": ("the same with `Trainer(inference_mode=False)`", "validation runs under `no_grad` then"),
    "EnableGradient": ("`enable_grad()` in `validation_step`, the trainer's defaults",
                       "`fit` validates under `no_grad`, but `trainer.validate` and `test` in inference mode, which is "
                       "stronger than `enable_grad()`"),
    "WithoutGraph": ("`autograd.grad` without `create_graph`", "it frees the graph that the loss needs"),
    "RetainedGraph": ("`autograd.grad(…, retain_graph=True)`, as that error proposes",
                      "the penalty is a constant for the loss: it is logged, and trains nothing"),
    "Backward": ("`.backward(create_graph=True)` and `images.grad`, automatic optimisation",
                 "what it adds to the weights' gradients is cleared: Lightning's closure calls `zero_grad` after "
                 "`training_step`"),
    "ManualBackward": ("the same in manual optimisation: `zero_grad`, loss, `manual_backward`, `step`",
                       "∂S/∂θ stays in the weights' gradients: every step is shifted"),
    "ValidationBackward": ("the same in validation alone, `zero_grad` after the step",
                           "the first step after each validation is shifted by what validation added"),
    "OwnBackward": ("`loss.backward()` in `training_step`, nothing returned",
                    "automatic optimisation calls `zero_grad` and steps without gradients: zeroed steps"),
    "TwoBackwards": ("`loss.backward()` in `training_step`, the loss returned", "Lightning goes backward again"),
    "BatchNumber": ("masks by the batch's number, under a loader that shuffles",
                    "masks of other samples: invisible with zero masks, and in the accuracy"),
}


def make_data(place):
    """The weights to start from, an epoch of plain training; the order of the steps; a mask set of zeros."""
    laboratory.make_decoys(place)
    work = place.work
    with h5py.File(work / "masks.h5") as source, h5py.File(work / "zero.h5", "w") as target:
        target.attrs.update(source.attrs)
        target["A"], target["row"] = source["A"][-1:], numpy.zeros_like(source["row"][:])
    place.call("train", "decoy.h5", *OPTIONS, "--epochs", 1, "--force", "-o", "start")
    os.replace(work / "start" / "weights.safetensors", work / "init.safetensors")
    stream = subprocess.run(
        [place.rrdata, "stream", "decoy.h5", "--batch-size", str(BATCH), "--shuffle", "--seed", str(SEED), "--epochs",
         str(EPOCHS), "--format", "npy"], cwd=work, capture_output=True, check=True).stdout
    pipe = io.BytesIO(stream)
    reader, steps, seen = types.SimpleNamespace(read=pipe.read), {}, 0
    size = len(laboratory.training_rows(work / "decoy.h5"))
    while pipe.tell() < len(stream):
        _, _, index, _ = (numpy.lib.format.read_array(reader) for _ in range(4))
        steps[f"{seen // size} {len(steps):05}"] = index
        seen += len(index)
    with laboratory.made_once(work / "order.npz") as path:
        numpy.savez(path, **steps)


def read_safetensors(path):
    """The tensors of a file in double precision, one after another."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensors = []
    for _, entry in sorted(header.items()):
        assert entry["dtype"] == "F64", entry
        begin, end = entry["data_offsets"]
        tensors.append(numpy.frombuffer(data[8 + length + begin:8 + length + end], "<f8"))
    return numpy.concatenate(tensors)


def ours(place, masks):
    place.call("train", "decoy.h5", "--masks", masks, "--lambda1", LAMBDA1, *OPTIONS, "--epochs", EPOCHS, "--seed", SEED,
               "--init", "init.safetensors", "--force", "-o", "ours")
    lines = [json.loads(line) for line in (place.work / "ours" / "metrics.jsonl").read_text().splitlines()]
    steps = [[line["cross_entropy"], line["penalty"]] for line in lines if line.get("kind") != "epoch"]
    os.replace(place.work / "ours" / "weights.safetensors", place.work / "ours.safetensors")
    evaluation = json.loads(place.call(
        "evaluate", "--model", "ours/model.json", "--weights", "ours.safetensors", "--precision", "double", "decoy.h5",
        "--json"))
    return {"steps": steps, "moved": len(steps), "validate": None, "accuracy": evaluation["accuracy"]}


def theirs(place, python, way, masks):
    outcome = subprocess.run(
        [*python, BENCHMARKS / "peers" / "lightning_rrr.py", way, place.work, str(LAMBDA1), masks], capture_output=True,
        text=True)
    if outcome.returncode:
        sys.exit(f"{way}: {outcome.stderr}")
    return json.loads(outcome.stdout)


def difference(place, way, reference):
    """The largest difference of a weight, of the largest weight."""
    weights = read_safetensors(place.work / f"{way}.safetensors")
    return float(numpy.abs(weights - reference).max() / numpy.abs(reference).max())


def table(runs):
    lines = ["| written as | steps that move the weights | largest difference of a weight, zero masks | with masks "
             "| test accuracy, % | verdict | why |", "|---|---|---|---|---|---|---|"]
    for way, (title, reason) in WAYS.items():
        zero, real = runs["zero.h5"][way], runs["masks.h5"][way]
        if "error" in real:
            lines.append(f"| {title} | – | – | – | – | stops: “{real['error'].split('.')[0]}” | {reason} |")
            continue
        differences = [run["difference"] for run in (zero, real)]
        verdict = "reference" if way == "loop" else "equal" if max(differences) < 1e-9 else "wrong"
        if real["validate"]:
            verdict += f", but `trainer.validate` stops: “{real['validate'].split('.')[0]}”"
        cells = " | ".join("–" if way == "loop" else f"{value:.1e}" if value else "0" for value in differences)
        lines.append(f"| {title} | {real['moved']} of {len(real['steps'])} | {cells} | {100 * real['accuracy']:.2f} "
                     f"| {verdict} | {reason} |")
    lines += ["", "Cross-entropy and penalty on the way, with masks:", "",
              "| step | " + " | ".join(way for way in WAYS if "error" not in runs["masks.h5"][way]) + " |",
              "|---" * (1 + sum("error" not in run for run in runs["masks.h5"].values())) + "|"]
    for step in SHOWN:
        cells = []
        for way in WAYS:
            run = runs["masks.h5"][way]
            if "error" not in run:
                cross_entropy, penalty = run["steps"][step - 1]
                cells.append(f"{cross_entropy:.6f}, {penalty:.3g}")
        lines.append(f"| {step} | " + " | ".join(cells) + " |")
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rrdata", required=True, type=os.path.abspath, help="the rrdata executable")
    parser.add_argument("--python", default=sys.executable, help="a Python with PyTorch and Lightning; words with spaces")
    parser.add_argument("--work", type=pathlib.Path, help="a folder to keep the data sets in; else a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = laboratory.Laboratory("lightning", types.SimpleNamespace(
            rrdata=options.rrdata, work=(options.work or pathlib.Path(folder)).resolve(), seeds=1, jobs=2, rows=None,
            table_only=False))
        if not (place.work / "order.npz").exists():
            make_data(place)
        runs, versions = {}, None
        for masks in ("zero.h5", "masks.h5"):
            runs[masks] = {}
            for way in WAYS:
                # What a stopped experiment has done is kept in the work folder.
                kept = place.work / f"{masks}-{way}.json"
                if not kept.exists():
                    run = ours(place, masks) if way == "ours" else theirs(place, options.python.split(), way, masks)
                    if way == "loop":
                        os.replace(place.work / "loop.safetensors", place.work / f"{masks}-loop.safetensors")
                        run["difference"] = 0.0
                    elif "error" not in run:
                        reference = read_safetensors(place.work / f"{masks}-loop.safetensors")
                        run["difference"] = difference(place, way, reference)
                    kept.write_text(json.dumps(run))
                run = json.loads(kept.read_text())
                versions = versions or (run["torch"], run["lightning"])
                runs[masks][way] = {name: run[name] for name in run if name not in ("torch", "lightning")}
                print(masks, way, run.get("error") or (run["moved"], run["difference"], run["accuracy"]), flush=True)
    lines = table(runs)
    results = BENCHMARKS / "results"
    results.mkdir(exist_ok=True)
    for run in (run for of_masks in runs.values() for run in of_masks.values() if "error" not in run):
        # Every tenth step is enough to see where trajectories part.
        run["steps"] = [[step + 1, *run["steps"][step]] for step in range(0, len(run["steps"]), 10)]
    (results / "lightning.json").write_text(json.dumps(runs) + "\n")
    (results / "lightning.md").write_text(
        "# The explanation loss in a PyTorch loop, in PyTorch Lightning and in rrdata\n\n"
        f"Made by `Benchmarks/experiments/lightning_loops.py`; PyTorch {versions[0]}, Lightning {versions[1]}. The 50-30 "
        f"perceptron on Decoy Fashion-MNIST, λ1 = {LAMBDA1}, {EPOCHS} epochs of Adam at 0.001 with weight decay 0.0001, "
        f"batches of {BATCH}, in double precision. Everybody starts from one safetensors file, after an epoch of plain "
        f"training, and takes the samples as `rrdata stream --shuffle --seed {SEED}` gives them, with validation after each "
        "epoch. Differences are those of the weights at the end from the plain loop's, in shares of its largest weight; "
        "every tenth step of every run is in `lightning.json`.\n\n" + "\n".join(lines) + "\n")


main()

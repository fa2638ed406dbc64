"""Times a whole training with masks, from the start of the process to the saved weights, against PyTorch scripts in turn,
and writes the table of Benchmarks/results/training.md.

    make bench-training

Decoy Fashion-MNIST, 60,000 images with a mask each, `lenet`, batches of 256, Adam, λ1 = 10; ours reads the files while it
trains, theirs into memory first. Files are in the page cache. A figure is the median of the rounds.
"""

import argparse
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import types

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER / "experiments"))
import laboratory  # noqa: E402

LAMBDA1 = 10
PEERS = {"eager": "PyTorch, eager", "channels_last": "PyTorch, eager, channels last", "compiled": "PyTorch, torch.compile"}


def timed(*command):
    """The seconds of a process, and what went wrong, if anything."""
    start = time.perf_counter()
    outcome = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    seconds = time.perf_counter() - start
    # The last line of Python's report names the error.
    return seconds, outcome.stderr.strip().splitlines()[-1] if outcome.returncode else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rrdata", required=True, type=os.path.abspath, help="the rrdata executable")
    parser.add_argument("--python", default=sys.executable, help="a Python with PyTorch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--output", type=pathlib.Path, default=FOLDER / "results" / "training.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        laboratory.make_decoys(laboratory.Laboratory("training", types.SimpleNamespace(
            rrdata=options.rrdata, work=work, seeds=1, jobs=None, rows=None, table_only=False)))

        def ours():
            shutil.rmtree(work / "run", ignore_errors=True)
            return timed(options.rrdata, "train", work / "decoy.h5", "--masks", work / "masks.h5", "--lambda1", LAMBDA1,
                         "--model", "lenet", "--batch-size", 256, "--epochs", options.epochs, "-o", work / "run")

        def theirs(mode):
            return timed(options.python, FOLDER / "peers" / "torch_training.py", mode, work / "decoy.h5", work / "masks.h5",
                         options.epochs, LAMBDA1, work / "theirs")

        works = {"rrdata": ours} | {title: lambda mode=mode: theirs(mode) for mode, title in PEERS.items()}
        times, errors = {title: [] for title in works}, {}
        for _ in range(options.rounds):
            for title, run in works.items():
                if title in errors:
                    continue
                seconds, error = run()
                if error:
                    errors[title] = error
                else:
                    times[title].append(seconds)
                print(title, error or f"{seconds:.1f} s", flush=True)
    if "rrdata" in errors:
        sys.exit(errors["rrdata"])
    medians = {title: statistics.median(values) for title, values in times.items() if values}
    best = min(seconds for title, seconds in medians.items() if title != "rrdata")
    lines = ["| training | seconds | rrdata is times as fast | target |", "|---|---|---|---|",
             f"| rrdata | {medians['rrdata']:.1f} | | |"]
    for title in PEERS.values():
        if title in errors:
            lines.append(f"| {title} | stops: {errors[title][:120]} | – | |")
        else:
            target = "2" if medians[title] == best else ""
            lines.append(f"| {title} | {medians[title]:.1f} | {medians[title] / medians['rrdata']:.2f} | {target} |")
    print(*lines, sep="\n")
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    version = subprocess.run([options.python, "-c", "import torch; print(torch.__version__)"], capture_output=True,
                             text=True, check=True).stdout.strip()
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(
        "# A whole training against PyTorch\n\n"
        f"Made by `make bench-training` on {os.cpu_count()} cores of {model}, {platform.machine()}; PyTorch {version}, 2 "
        f"threads. `lenet` on Decoy Fashion-MNIST, {options.epochs} epochs with a mask for each of 60,000 images, batches "
        f"of 256, λ1 = {LAMBDA1}, from the start of the process to the saved weights; PyTorch's data are in its memory. Medians "
        f"of {options.rounds} rounds in turn.\n\n" + "\n".join(lines) + "\n")


main()

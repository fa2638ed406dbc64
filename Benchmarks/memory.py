"""Measures what training holds in memory with and without a limit, and writes Benchmarks/results/memory.md.

    make bench-memory

Each row is a process of its own: one step of a network on one batch of random photographs with random masks. Its peak is the
kernel's count of resident memory; the estimate is what `rrdata train` says before the first step. All rows of a network have
the same weights, which is checked.
"""

import argparse
import hashlib
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import time

import numpy

FOLDER = pathlib.Path(__file__).resolve().parent
# The network, the batch, the threads and the limits; nil for none, `smallest` for what a refusal names.
WORK = [
    ("resnet18", 16, 2, [None, "smallest"]),
    ("resnet50", 32, 2, [None, "4G", "2G", "smallest"]),
    ("resnet50", 32, 8, [None, "4G"]),
]


def run(command):
    """Runs a command; returns its status, its errors, its seconds and its peak memory in MiB."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        text = errors.read().decode()
    return process.returncode, text, time.monotonic() - start, usage.ru_maxrss / 1024


def make_data(binary, folder, count):
    generator = numpy.random.default_rng(1)
    numpy.save(folder / "x.npy", generator.integers(0, 256, (count, 3, 224, 224), dtype="u1"))
    numpy.save(folder / "y.npy", numpy.arange(count) % 10)
    numpy.save(folder / "a.npy", generator.integers(0, 2, (count, 1, 224, 224), dtype="u1"))
    subprocess.run(
        [binary, "import", "npy", folder / "x.npy", "--labels", folder / "y.npy", "--masks", folder / "a.npy",
         "--layout", "NCHW", "--masks-layout", "NCHW", "-o", folder / "x.h5", "--masks-output", folder / "m.h5"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def rows(binary, network, batch, threads, limits):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make_data(binary, folder, batch)
        command = [
            binary, "train", folder / "x.h5", "--masks", folder / "m.h5", "--lambda1", "1", "--model", network,
            "--batch-size", str(batch), "--epochs", "1", "--jobs", str(threads), "--force", "-o", folder / "run"]
        first = None
        for limit in limits:
            options = []
            if limit == "smallest":
                status, text, _, _ = run(command + ["--memory-limit", "1M"])
                assert status == 64, text
                limit = re.search(r"at least (\d+M)", text)[1]
            if limit:
                options = ["--memory-limit", limit]
            status, text, seconds, peak = run(command + options)
            assert status == 0, text
            estimate = re.search(r"about (\d+)M of memory", text)
            segments = re.search(r"in (\d+) segments", text)
            weights = hashlib.sha256((folder / "run" / "weights.safetensors").read_bytes()).hexdigest()
            first = first or weights
            assert weights == first, "other weights"
            yield (f"| `{network}`, {batch} | {threads} | {limit or '-'} | {estimate[1] if estimate else '-'} "
                   f"| {peak:.0f} | {segments[1] if segments else 1} | {seconds:.1f} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rrdata", required=True)
    parser.add_argument("--output", default=FOLDER / "results" / "memory.md")
    parser.add_argument("--network")
    options = parser.parse_args()
    lines = [
        "# Memory of training, with and without a limit", "",
        f"Made by `make bench-memory` on {os.cpu_count()} cores, {platform.machine()}: one step with the penalty on images of "
        "3×224×224, float, Adam, all samples annotated. All rows of a network end with the same weights to the last bit. "
        "Sizes in MiB; seconds are those of the whole process.", "",
        "| network, batch | threads | `--memory-limit` | estimate | peak | segments | s |", "|---|---|---|---|---|---|---|"]
    for work in WORK:
        if options.network in (None, work[0]):
            for row in rows(options.rrdata, *work):
                print(row, flush=True)
                lines.append(row)
    pathlib.Path(options.output).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())

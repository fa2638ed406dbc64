"""Streams for a long time, and looks whether memory, descriptors and threads stay as they are.

    python3 Tests/Faults/soak.py --rrdata .build/release/rrdata [--minutes 60] [--seed 0]

A dataset as it is imported, a compressed one and a folder of PNGs take turns, each streamed shuffled and augmented, with masks
and a cursor, through a pipe that is read at once or slowly. Half of each turn is one process, looked at every second, which
must end with the memory that it had after its first quarter; in the other half processes are started from the cursor and
stopped at random, by a closed pipe, SIGINT, SIGTERM or SIGKILL. Each must say so by its exit code, leave nothing beside its
cursor, and go on from it.
"""

import argparse
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from workshop import HERE, roomy_folder

MOVED = ["--shuffle", "--epochs", "1000000", "--augment", "hflip,crop:2,rot90,cutout:6,brightness:0.2,contrast:0.2,erase"]
# What flat means: the peak of the last quarter may exceed that of the second by so much.
MEGABYTES = 4


def held(process):
    """Resident memory in MB, open files and threads of a process."""
    place = Path(f"/proc/{process.pid}")
    pages = int((place / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20, len(os.listdir(place / "fd")), len(os.listdir(place / "task"))


class Soak:
    def __init__(self, rrdata, folder, seed):
        self.rrdata, self.folder, self.chance = str(rrdata), folder, random.Random(seed)
        self.faults, self.ends = [], Counter()
        pictures = HERE.parent.parent / "Fixtures/fashion/train"
        run = lambda *arguments: subprocess.run([self.rrdata, *map(str, arguments)], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        run("import", "pngs", pictures, "-o", "plain.h5")
        run("decoy", "plain.h5", "-o", "d.h5", "--masks-output", "m.h5")
        run("export", "pngs", "d.h5", "--masks", "m.h5", "-o", "pictures", "--masks-output", "marks")
        run("import", "pngs", "pictures", "--compress", "deflate", "-o", "packed.h5")
        run("import", "masks", "marks", "--for", "packed.h5", "-o", "packed-masks.h5")
        self.turns = [("d.h5", "m.h5"), ("packed.h5", "packed-masks.h5"), ("pictures", "packed-masks.h5")]

    def start(self, dataset, masks):
        return subprocess.Popen(
            [self.rrdata, "stream", dataset, "--masks", masks, "--batch-size", "32", *MOVED, "--cursor", "c.json",
             "--format", "npy"], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def read(self, process, seconds, pause=0.0):
        """Reads what comes for some seconds; gives whether the stream goes on."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([process.stdout], [], [], left)[0]:
                if not os.read(process.stdout.fileno(), 1 << 20):
                    return False
            time.sleep(pause)
        return True

    def watch(self, dataset, masks, seconds):
        """One process for some seconds."""
        (self.folder / "c.json").unlink(missing_ok=True)
        process, samples, end = self.start(dataset, masks), [], time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.read(process, min(1.0, seconds / 40)):
                self.faults.append(f"{dataset}: the stream stopped by itself: {process.stderr.read().decode()}")
                break
            samples.append(held(process))
        self.end(process, dataset)
        quarter = len(samples) // 4
        early, late = samples[quarter:2 * quarter], samples[-quarter:]
        if not early:
            return
        (memory, files, threads), (late_memory, late_files, late_threads) = (map(max, zip(*part)) for part in (early, late))
        print(f"{dataset}: {seconds:.0f} s, {memory:.1f} MB and at the end {late_memory:.1f} MB, {files} and {late_files} "
              f"descriptors, {threads} and {late_threads} threads", flush=True)
        if late_memory > memory + MEGABYTES:
            self.faults.append(f"{dataset}: memory grows from {memory:.1f} MB to {late_memory:.1f} MB")
        # A cursor is open for the moment in which it is written, and the system's queues keep some threads in reserve.
        if late_files > files + 2 or late_threads > threads + 4:
            self.faults.append(f"{dataset}: descriptors or threads grow")

    def interrupt(self, dataset, masks, seconds):
        """Processes one after another, each going on from the cursor, stopped at random."""
        end, place = time.monotonic() + seconds, (0, 0)
        while time.monotonic() < end:
            process = self.start(dataset, masks)
            self.read(process, self.chance.uniform(0.0, 1.0), self.chance.choice([0.0, 0.0, 0.01]))
            self.end(process, dataset)
            if not (self.folder / "c.json").exists():
                continue
            cursor = json.loads((self.folder / "c.json").read_text())
            now = cursor["epoch"], cursor["position"]
            if now < place:
                self.faults.append(f"{dataset}: the cursor went back from {place} to {now}")
            place = now

    def end(self, process, dataset):
        """Stops a process in one of the ways, and checks how it ended."""
        how = self.chance.choice(["closed pipe", "SIGINT", "SIGTERM", "SIGKILL"])
        if how == "closed pipe":
            process.stdout.close()
        else:
            process.send_signal(getattr(signal, how))
        # Not communicate(), which would read on.
        try:
            code = process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            code = f"none in 30 s, killed: {process.wait()}"
        message = process.stderr.read().decode().strip()
        for pipe in (process.stdout, process.stderr):
            pipe.close()
        self.ends[how] += 1
        expected = {"closed pipe": [0], "SIGINT": [130, -2], "SIGTERM": [143, -15], "SIGKILL": [-9]}[how]
        # A signal in the first moments of a process finds no one who waits for it.
        if code not in expected:
            self.faults.append(f"{dataset}: exit {code} after a {how}: {message}")
        left = [name for name in os.listdir(self.folder) if name.startswith(".")]
        if left and how != "SIGKILL":
            self.faults.append(f"{dataset}: a {how} leaves {left}")
        for name in left:
            (self.folder / name).unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rrdata", required=True, type=lambda path: Path(path).resolve())
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    # A shell starts what runs in its background with the signal ignored, and what that starts would have it so too: one that
    # comes before a process watches for it would be lost.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = roomy_folder()
    try:
        soak = Soak(options.rrdata, folder, options.seed)
        share = options.minutes * 60 / len(soak.turns) / 2
        for dataset, masks in soak.turns:
            soak.watch(dataset, masks, share)
            soak.interrupt(dataset, masks, share)
        print(", ".join(f"{count} × {how}" for how, count in sorted(soak.ends.items())))
        for fault in soak.faults:
            print(f"LOST {fault}")
        sys.exit(1 if soak.faults else 0)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

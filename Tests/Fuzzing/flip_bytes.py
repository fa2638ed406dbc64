#!/usr/bin/env python3
"""Flips every byte of a small dataset, a mask set and a run, one at a time, and counts what passes unseen.

    make flip-bytes
    python3 Tests/Fuzzing/flip_bytes.py .build/release/rrdata [--step 1] [--part dataset]

For every flip `validate --deep` is asked. Where it finds nothing, what is read must be what was read before: the batches of
`stream` and what `info` says of a dataset and of masks, the figures of `evaluate` for a run. What is neither found nor read
as before has passed unseen, and makes the end 1; so does a command that ends by a signal or takes more than ten seconds.
A flip turns all bits of a byte, or with --bit N one.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

import mutations


def png(width, height, pixel):
    import struct
    import zlib
    rows = b"".join(b"\0" + bytes(pixel(x, y) & 255 for x in range(width)) for y in range(height))
    return mutations.png_bytes([[b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)],
                                [b"IDAT", zlib.compress(rows)], [b"IEND", b""]])


class Program:
    def __init__(self, path):
        self.path = path

    def run(self, *arguments, folder):
        """The exit code, and the output without the paths of the machine."""
        environment = dict(os.environ, SWIFT_BACKTRACE="enable=no", OPENBLAS_NUM_THREADS="1")
        try:
            outcome = subprocess.run([self.path, *arguments], cwd=folder, capture_output=True, timeout=10, env=environment)
        except subprocess.TimeoutExpired:
            return "hang", b""
        return outcome.returncode, outcome.stdout


def make(program, folder, options):
    for name in ("train/ant/0", "train/ant/1", "train/bee/2", "test/ant/3", "test/bee/4"):
        path = f"{folder}/photos/{name}.png"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        number = int(name[-1])
        with open(path, "wb") as file:
            file.write(png(6, 5, lambda x, y: x * 17 + y * 29 + number * 41))
        mark = f"{folder}/marks/{name}.png"
        os.makedirs(os.path.dirname(mark), exist_ok=True)
        with open(mark, "wb") as file:
            file.write(png(6, 5, lambda x, y: 255 * (x == number)))
    with open(f"{folder}/model.json", "w") as file:
        json.dump({"format": "rrdata.model", "format_version": "1.0", "input": [1, 5, 6], "classes": 2,
                   "layers": ["flatten", {"linear": {"out": 2}}]}, file)
    commands = [
        ["import", "pngs", "photos", "-o", "dataset.h5", "--masks", "marks", "--masks-output", "masks.h5",
         *(["--compress", "deflate"] if options.deflated else [])],
        ["train", "dataset.h5", "--masks", "masks.h5", "--lambda1", "1", "--model", "model.json", "--epochs", "1", "--batch-size", "2",
         "--normalize", "auto", "-o", "run"],
    ]
    for arguments in commands:
        code, _ = program.run(*arguments, folder=folder)
        if code != 0:
            sys.exit(f"{arguments} ends with {code}")


def read_dataset(program, folder):
    yield program.run("stream", "dataset.h5", "--batch-size", "2", "--split", "all", "--format", "npy", folder=folder)
    yield program.run("stream", "dataset.h5", "--batch-size", "2", "--split", "train", "--format", "npy", folder=folder)
    yield described(program, "dataset.h5", folder)


def read_masks(program, folder):
    yield program.run("stream", "dataset.h5", "--masks", "masks.h5", "--batch-size", "2", "--split", "all", "--format", "npy",
                      folder=folder)
    yield described(program, "masks.h5", folder)


def described(program, name, folder):
    """What `info` says, without the provenance: a note for people, which nothing is read by."""
    code, output = program.run("info", name, "--json", folder=folder)
    try:
        members = json.loads(output)
    except ValueError:
        return code, output
    for name in ("provenance", "creator", "file_bytes"):
        members.pop(name, None)
    return code, json.dumps(members, sort_keys=True).encode()


def read_run(program, folder):
    yield program.run("evaluate", "run", "dataset.h5", "--masks", "masks.h5", "--split", "all", "--json", folder=folder)
    yield program.run("info", "run", "--json", folder=folder)


PARTS = {
    "dataset": (["dataset.h5"], [["validate", "dataset.h5", "--deep"]], read_dataset),
    "masks": (["masks.h5"], [["validate", "dataset.h5", "masks.h5", "--deep"]], read_masks),
    "run": (["run/weights.safetensors", "run/model.json", "run/config.json", "run/metrics.jsonl"],
            [["validate", "run"]], read_run),
}


def digest(outcomes):
    return [(code, hashlib.sha256(output).hexdigest()) for code, output in outcomes]


def judge(program, sound, work, part, name, place, mask, expected):
    """What becomes of one flip: found, same, refused (validate passes, reading ends with an error) or unseen."""
    folder = tempfile.mkdtemp(dir=work)
    for entry in ("dataset.h5", "masks.h5"):
        shutil.copy(f"{sound}/{entry}", folder)
    shutil.copytree(f"{sound}/run", f"{folder}/run")
    with open(f"{folder}/{name}", "r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ mask]))
    try:
        for arguments in PARTS[part][1]:
            code, _ = program.run(*arguments, folder=folder)
            if code == "hang" or code < 0 or code == 70:
                return f"crash ({code})"
            if code != 0:
                return "found"
        found = digest(PARTS[part][2](program, folder))
        if any(code == "hang" or code < 0 or code == 70 for code, _ in found):
            return "crash"
        if found == expected:
            return "same"
        return "unseen" if all(code == 0 for code, _ in found) else "refused"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def ranges(places):
    """`0-3, 7` of sorted numbers."""
    texts, start = [], None
    for place in [*places, None]:
        if start is not None and place is not None and place == last + 1:
            last = place
            continue
        if start is not None:
            texts.append(str(start) if start == last else f"{start}-{last}")
        start = last = place
    return ", ".join(texts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--step", type=int, default=1, help="flip every STEP-th byte alone")
    parser.add_argument("--bit", type=int, choices=range(8), help="one bit instead of all")
    parser.add_argument("--part", choices=sorted(PARTS), action="append", help="a part alone")
    parser.add_argument("--deflated", action="store_true", help="store the dataset compressed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    program = Program(options.program)
    mask = 255 if options.bit is None else 1 << options.bit
    unseen = 0
    with tempfile.TemporaryDirectory(prefix="flip-bytes-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as work, \
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        sound = f"{work}/sound"
        os.mkdir(sound)
        make(program, sound, options)
        for part in options.part or PARTS:
            for arguments in PARTS[part][1]:
                code, _ = program.run(*arguments, folder=sound)
                if code != 0:
                    sys.exit(f"{arguments} ends with {code} before anything is flipped")
            expected = digest(PARTS[part][2](program, sound))
            for name in PARTS[part][0]:
                size = os.path.getsize(f"{sound}/{name}")
                places = range(0, size, options.step)
                outcomes = list(pool.map(
                    lambda place: judge(program, sound, work, part, name, place, mask, expected), places))
                counts = collections.Counter(outcomes)
                print(json.dumps({"file": name, "bytes": size, "flips": len(places), **dict(sorted(counts.items()))}))
                for outcome in sorted(counts):
                    if outcome not in ("found", "same"):
                        where = [place for place, found in zip(places, outcomes) if found == outcome]
                        print(f"  {outcome}: {ranges(where)[:2000]}", flush=True)
                unseen += sum(count for outcome, count in counts.items() if outcome not in ("found", "same", "refused"))
    print(f"{unseen} flips passed unseen" if unseen else "no flip passed unseen")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Gives the commands of rrdata damaged files of every format, and looks at how each run ends.

    make fuzz-commands N=10000 SEED=1
    python3 Tests/Fuzzing/fuzz_commands.py .build/release/rrdata --count 10000 --seed 1

A run is a failure that ends by a signal, with 70 or another exit code that the README does not name, computes for more than
five seconds or hangs for thirty, takes more than 512 MB, or leaves something behind after an error. The damaged files of a
failure are kept in a folder of their own beside `replay`, which runs the command on them again.

Needs Python's standard library alone. HDF5 files are damaged by hdf5_mutations.py, which needs h5py; without them what
rrdata itself writes is damaged as bytes.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import random
import resource
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

import mutations

try:
    import hdf5_mutations
except ImportError:
    hdf5_mutations = None

KNOWN_EXIT_CODES = {0, 1, 64, 65, 66, 73, 74}
FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Fixtures", "formats")

PHOTOGRAPHS = ["gray-progressive", "colour-420", "colour-restarts", "colour-420-progressive", "cmyk", "turned-3"]

# What is damaged: the file, as which kind, and the commands that read it. In a command, `{}` stands for the damaged
# file, `{name}` for a sound one of the workshop.
Case = collections.namedtuple("Case", "file kind commands")


# Sound files

def png(width, height, channels, pixel):
    rows = b"".join(
        b"\0" + bytes(pixel(x, y, c) & 255 for x in range(width) for c in range(channels)) for y in range(height))
    color = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    return mutations.png_bytes([
        [b"IHDR", struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)], [b"gAMA", struct.pack(">I", 45455)],
        [b"IDAT", zlib.compress(rows)], [b"IEND", b""]])


def npy(descriptor, shape, body):
    text = repr({"descr": descriptor, "fortran_order": False, "shape": shape}).encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


class Workshop:
    """A folder of small sound files, made by hand and by the program."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.make_sources()
        self.make_ours()

    def path(self, name):
        return os.path.join(self.folder, name)

    def place(self, name):
        """Where a file is to be, whose folder is made."""
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        return self.path(name)

    def write(self, name, data):
        with open(self.place(name), "wb") as file:
            file.write(data)

    def run(self, *arguments):
        outcome = subprocess.run([self.program, *arguments], cwd=self.folder, capture_output=True)
        if outcome.returncode != 0:
            sys.exit(f"{arguments} ends with {outcome.returncode}: {outcome.stderr.decode()}")

    def make_sources(self):
        names = [f"{label}/{number}" for label in ("ant", "bee") for number in range(3)]
        for number, name in enumerate(names):
            self.write(f"photos/{name}.png", png(8, 6, 1, lambda x, y, c: x * y * 7 + number * 31))
            self.write(f"marks/{name}.png", png(8, 6, 1, lambda x, y, c: 255 * (x < 2)))
            self.write(f"listed/{number}.png", png(8, 6, 3, lambda x, y, c: x * 9 + y * c * 11 + number))
            self.write(f"listed/m{number}.png", png(8, 6, 1, lambda x, y, c: y < 2))
        self.write("listed/metadata.csv", b"file_name,label,split,mask_file_name\n" + b"".join(
            b"%d.png,%s,%s,m%d.png\n" % (n, [b"ant", b"bee"][n % 2], [b"train", b"test"][n // 3], n) for n in range(6)))
        self.write("lines/metadata.jsonl", b"".join(
            b'{"file_name": "%d.png", "label": "%s"}\n' % (n, [b"ant", b"bee"][n % 2]) for n in range(6)))
        for number in range(6):
            self.write(f"lines/{number}.png", png(8, 6, 1, lambda x, y, c: x + number))
        for name in PHOTOGRAPHS:
            for number in range(2):
                shutil.copy(os.path.join(FIXTURES, "jpeg", f"{name}.jpg"),
                            self.place(f"photographs/{name}/{number}.jpg"))
        pixels = bytes(n * 37 % 256 for n in range(6 * 48))
        self.write("x.npy", npy("|u1", (6, 1, 6, 8), pixels))
        self.write("y.npy", npy("<i8", (6,), struct.pack("<6q", 0, 1, 0, 1, 0, 1)))
        self.write("a.npy", npy("|u1", (6, 1, 6, 8), bytes(n % 48 < 8 for n in range(6 * 48))))
        read = lambda name: open(self.path(name), "rb").read()
        arrays = [[b"x.npy", 0, read("x.npy")], [b"y.npy", 8, read("y.npy")], [b"a.npy", 8, read("a.npy")]]
        self.write("arrays.npz", mutations.zip_bytes(arrays))
        self.write("images.idx", b"\0\0\x08\x03" + struct.pack(">3I", 6, 6, 8) + pixels)
        self.write("labels.idx", b"\0\0\x08\x01" + struct.pack(">I", 6) + bytes([0, 1, 0, 1, 0, 1]))
        self.write("images.idx.gz", mutations.gzip.compress(read("images.idx"), mtime=0))
        ids = [name for name in names]
        annotations = [
            {"id": 1, "image_id": 0, "category_id": 1, "bbox": [1, 1, 3, 2], "area": 6},
            {"id": 2, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 5, 0, 5, 4.5, 1, 3]], "area": 10},
            {"id": 3, "image_id": 2, "category_id": 1, "segmentation": {"size": [6, 8], "counts": [6, 12, 30]}},
            {"id": 4, "image_id": 3, "category_id": 1, "segmentation": {"size": [6, 8], "counts": "6<n0"}},
        ]
        self.write("coco.json", json.dumps({
            "images": [{"id": n, "file_name": f"{name}.png", "height": 6, "width": 8} for n, name in enumerate(ids)],
            "categories": [{"id": 1, "name": "corner"}], "annotations": annotations}).encode())
        self.write("boxes.csv", b"id,x_min,y_min,x_max,y_max\n" + b"".join(b"%s,1,1,4,3\n" % i.encode() for i in ids))
        shapes = [
            {"label": "corner", "points": [[0, 0], [5.5, 0], [3, 4.5]], "shape_type": "polygon"},
            {"label": "edge", "points": [[1, 1], [3, 2]], "shape_type": "rectangle"},
            {"label": "edge", "points": [[3, 3], [4, 5]], "shape_type": "circle"},
            {"label": "edge", "points": [[0, 0], [6, 5]], "shape_type": "line"},
        ]
        self.write("labelme/1.json", json.dumps({
            "version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": f"{ids[0]}.png", "imageData": None,
            "imageHeight": 6, "imageWidth": 8}).encode())
        self.write("cvat.xml", b"<annotations><version>1.1</version>" + b"".join(
            b'<image id="%d" name="%s.png" width="8" height="6"><polygon label="a" points="1.00,1.00;5.50,2.00;3.00,5.25"/>'
            b'<box label="a" xtl="1" ytl="1" xbr="3.5" ybr="4" rotation="30"/><ellipse label="b" cx="3" cy="4" rx="2" ry="1"/>'
            b'<mask label="b" rle="1, 2, 3" left="2" top="3" width="3" height="2"/></image>' % (n, name.encode())
            for n, name in enumerate(ids)) + b"</annotations>")
        region = {"original_width": 8, "original_height": 6, "image_rotation": 0, "to_name": "image"}
        values = [
            {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 15, "rectanglelabels": ["a"]},
            {"points": [[0, 0], [50, 10], [30, 90]], "polygonlabels": ["b"]},
            {"x": 50, "y": 50, "radiusX": 20, "radiusY": 10, "rotation": 40, "ellipselabels": ["a"]},
            {"format": "rle", "rle": [0, 0, 0, 192, 59, 187, 188, 191, 255], "brushlabels": ["a"]},
        ]
        self.write("label-studio.json", json.dumps([
            {"id": n, "data": {"image": f"/data/upload/1/0123abcd-{name}.png"}, "annotations": [{
                "id": 1, "was_cancelled": False,
                "result": [dict(region, id=str(k), value=value) for k, value in enumerate(values)]}]}
            for n, name in enumerate(ids)]).encode())
        for name in ids:
            self.write(f"yolo/{name}.txt", b"0 0.5 0.5 0.25 0.5\n1 0.1 0.1 0.9 0.2 0.5 0.95\n")
        self.write("model.json", json.dumps({
            "format": "rrdata.model", "format_version": "1.0", "input": [1, 6, 8], "classes": 2,
            "layers": [{"conv2d": {"out": 2, "kernel": 3, "padding": 1}}, "relu", {"groupnorm": {"groups": 1}},
                       {"residual": {"body": [{"conv2d": {"out": 2, "kernel": 1}}, "tanh"]}}, {"maxpool2d": {"kernel": 2}},
                       "flatten", {"linear": {"out": 2}}]}).encode())
        self.write("ids.txt", ("\n".join(ids) + "\n").encode())

    def make_ours(self):
        self.run("import", "pngs", "photos", "-o", "d.h5", "--masks", "marks", "--masks-output", "m.h5")
        self.run("import", "pngs", "photos", "-o", "z.h5", "--compress", "deflate")
        self.run("train", "d.h5", "--masks", "m.h5", "--model", "model.json", "--epochs", "1", "--lambda1", "1", "-o", "run")
        self.run("import", "pngs", "listed", "-o", "l.h5", "--masks-output", "lm.h5")
        self.run("export", "pngs", "l.h5", "--masks", "lm.h5", "-o", "exported")
        self.run("stream", "d.h5", "--batch-size", "2", "--shuffle", "--cursor", "c.json", "--format", "null")

    def cases(self):
        """What is damaged, and the commands."""
        stream = "stream {} --batch-size 2 --format null --split all"
        folder = ["info {}", "validate {}"]
        dataset = [stream, "validate {} --deep", "info {} --json", "export npy {} -o out", "export webdataset {} -o out",
                   "train {} --model model.json --epochs 1 --batch-size 6 -o out", "evaluate run {}",
                   "make-masks {} --run run --top-k 3 -o out.h5", "export pngs {} -o out", "decoy {} -o out.h5 --masks-output outm.h5 --seed 1"]
        masks = ["stream d.h5 --masks {} --batch-size 2 --format null", "validate d.h5 {}", "info {}",
                 "evaluate run d.h5 --masks {}", "train d.h5 --masks {} --model model.json --epochs 1 -o out",
                 "export npy d.h5 --masks {} -o out", "make-masks d.h5 --run run --top-k 2 --union {} -o out.h5"]
        pngs = ["import pngs photos -o out.h5", "import pngs photos -o out.h5 --on-error skip --color rgb --size 4x4 --fit crop",
                "stream photos --batch-size 2 --format null", "info photos", "import pngs photos -o out.h5 --depth 16 --compress deflate",
                "train photos --model model.json --epochs 1 -o out"]
        photographs = ["import images photographs -o out.h5 --color rgb --size 16x16 --fit crop",
                       "import images photographs -o out.h5 --color rgb --size 9x20 --fit pad --truncated complete",
                       "stream photographs --color rgb --size 16x16 --batch-size 2 --format null", "info photographs", "info {}",
                       "import images photographs -o out.h5 --color rgb --size 8x8 --on-error skip --orientation apply"]
        listed = ["import pngs listed -o out.h5 --masks-output outm.h5", "stream listed --batch-size 2 --format null --split all",
                  "info listed"]
        run = ["validate run", "evaluate run d.h5 --masks m.h5", "info run --json", "make-masks d.h5 --run run --top-k 3 -o out.h5",
               "train d.h5 --model model.json --epochs 2 --resume -o run"]
        weights = ["info {}", "evaluate d.h5 --model model.json --weights {}",
                   "train d.h5 --model model.json --init {} --epochs 1 -o out"]
        cases = [
            Case("photos/ant/1.png", "png", pngs),
            *(Case(f"photographs/{name}/1.jpg", "jpeg", photographs) for name in PHOTOGRAPHS),
            Case("listed/1.png", "png", listed), Case("listed/m1.png", "png", listed),
            Case("marks/bee/2.png", "png", ["import masks marks --for d.h5 -o out.h5"]),
            Case("listed/metadata.csv", "csv", listed),
            Case("lines/metadata.jsonl", "json", ["import pngs lines -o out.h5", "stream lines --batch-size 2 --format null"]),
            Case("x.npy", "npy", ["import npy {} --labels y.npy -o out.h5", "info {}", "import npy {} --layout NHWC -o out.h5"]),
            Case("y.npy", "npy", ["import npy x.npy --labels {} -o out.h5", "import npy x.npy --labels {} --layout NCHW -o out.h5"]),
            Case("a.npy", "npy", ["import npy x.npy --masks {} --masks-output out.h5 -o outd.h5",
                                  "import masks {} --for d.h5 -o out.h5", "make-masks d.h5 --gradients {} --top-k 2 -o out.h5"]),
            Case("arrays.npz", "zip", ["import npz {} --images x --labels y -o out.h5", "info {}", "import npz {} -o out.h5",
                                       "import npz {} --images x --masks a --masks-output out.h5 -o outd.h5"]),
            Case("images.idx", "idx", ["import idx {} --labels labels.idx -o out.h5", "info {}"]),
            Case("labels.idx", "idx", ["import idx images.idx --labels {} -o out.h5"]),
            Case("images.idx.gz", "gzip", ["import idx {} --labels labels.idx -o out.h5", "info {}"]),
            Case("coco.json", "json", ["import masks {} --for d.h5 -o out.h5", "info {}",
                                       "import masks {} --for d.h5 --category corner -o out.h5"]),
            Case("boxes.csv", "csv", ["import masks {} --for d.h5 -o out.h5", "info {}"]),
            Case("labelme/1.json", "json", ["import masks {} --for d.h5 -o out.h5", "import masks labelme --for d.h5 -o out.h5"]),
            Case("cvat.xml", "bytes", ["import masks {} --for d.h5 -o out.h5"]),
            Case("label-studio.json", "json", ["import masks {} --for d.h5 -o out.h5",
                                               "import masks {} --for d.h5 --category a --mask-threshold 0.5 -o out.h5"]),
            Case("yolo/ant/0.txt", "bytes", ["import masks yolo --for d.h5 -o out.h5"]),
            Case("model.json", "json", ["validate {}", "info {}", "train d.h5 --model {} --epochs 1 -o out",
                                        "evaluate d.h5 --model {} --weights run/weights.safetensors"]),
            Case("c.json", "json", ["stream d.h5 --batch-size 2 --shuffle --cursor {} --format null"]),
            Case("ids.txt", "bytes", ["stream d.h5 --batch-size 2 --ids {} --format null"]),
            Case("exported/metadata.csv", "csv", ["import pngs exported -o out.h5"]),
            Case("exported/.export.json", "json", ["import pngs exported -o out.h5", "info exported"]),
            Case("run/weights.safetensors", "safetensors", weights + run),
            Case("run/config.json", "json", run), Case("run/model.json", "json", run), Case("run/metrics.jsonl", "json", run),
        ]
        for name in ("checkpoint.pt", "half.pt", "compiled.pt", "arrays.npz", "deflated.pt", "big-endian.pt"):
            kept = f"kept-{name}"
            shutil.copy(os.path.join(FIXTURES, "weights", name), self.path(kept))
            cases.append(Case(kept, "zip", weights))
        return cases, [Case("d.h5", "hdf5", dataset), Case("z.h5", "hdf5", dataset), Case("m.h5", "hdf5", masks)]


# Runs

def measured(program, arguments, folder, options):
    """How a command ends: (status, computing seconds, waited seconds, kilobytes, its errors)."""
    began = time.monotonic()
    errors = tempfile.TemporaryFile()

    def limited():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (4 * options.seconds, 4 * options.seconds))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))

    environment = dict(os.environ, SWIFT_BACKTRACE="enable=no", OPENBLAS_NUM_THREADS="1")
    process = subprocess.Popen([program, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=errors, preexec_fn=limited, env=environment, start_new_session=True)
    killer = None
    while True:
        finished, status, usage = os.wait4(process.pid, os.WNOHANG)
        if finished:
            break
        if time.monotonic() - began > options.hang and killer is None:
            killer = "hang"
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.002)
    process.returncode = 0
    errors.seek(0)
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    text = errors.read(1 << 20).decode("utf-8", "replace")
    return code, usage.ru_utime + usage.ru_stime, time.monotonic() - began, usage.ru_maxrss, text


def listing(folder):
    return {os.path.join(place, name) for place, folders, names in os.walk(folder) for name in names + folders}


def damaged_copy(workshop, case, numbers):
    with open(workshop.path(case.file), "rb") as file:
        sound = file.read()
    if case.kind != "hdf5":
        return mutations.mutate(case.kind, sound, numbers)
    if hdf5_mutations is None:
        return mutations.mutate_bytes(sound, numbers)
    if case.file not in workshop.blocks:
        workshop.blocks[case.file] = (hdf5_mutations.places(sound), hdf5_mutations.checked_blocks(sound))
    return hdf5_mutations.mutate(sound, *workshop.blocks[case.file], [sound], numbers)[0]


def judge(options, workshop, cases, number):
    """Damages one file, runs one command over it, and returns what happened."""
    numbers = random.Random(f"{options.seed}/{number}")
    case = cases[number % len(cases)]
    damaged = damaged_copy(workshop, case, numbers)
    arguments = numbers.choice(case.commands).replace("{}", case.file).split(" ")
    folder = os.path.join(tempfile.mkdtemp(dir=options.work), "here")
    shutil.copytree(workshop.folder, folder)
    with open(os.path.join(folder, case.file), "wb") as file:
        file.write(damaged)
    before = listing(folder)
    code, seconds, waited, kilobytes, errors = measured(options.program, arguments, folder, options)
    faults = []
    if waited > options.hang:
        faults.append("hang")
    elif code < 0:
        faults.append(f"signal {-code}")
    elif code not in KNOWN_EXIT_CODES:
        faults.append(f"exit {code}")
    if seconds > options.seconds:
        faults.append("time")
    if kilobytes > options.megabytes << 10:
        faults.append("memory")
    left = sorted(os.path.relpath(path, folder) for path in listing(folder) - before)
    # A training that was begun stays, so that it can go on.
    if code not in (0, 1) and [path for path in left if not path.startswith(("out/", "out.unfinished", ".out.", "run/", ".run."))
                               or not arguments[0] == "train"]:
        faults.append("leftover")
    if code not in (0, 1) and not errors.strip():
        faults.append("no message")
    if any(ord(letter) < 32 and letter not in "\n\t\r" for letter in errors):
        faults.append("control characters")
    if faults and options.keep:
        kept = os.path.join(options.keep, f"{options.seed}-{number}")
        shutil.rmtree(kept, ignore_errors=True)
        for path in listing(folder) - before:
            shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(folder, kept, dirs_exist_ok=True)
        with open(os.path.join(kept, "replay"), "w") as note:
            note.write(f"#!/bin/sh\n# {', '.join(faults)}; damaged: {case.file}; exit {code}, {seconds:.1f} s, "
                       f"{kilobytes >> 10} MB, left {left[:4]}\n"
                       f"# python3 Tests/Fuzzing/fuzz_commands.py PROGRAM --seed {options.seed} --first {number} --count 1\n"
                       f"cd \"$(dirname \"$0\")\" && exec \"${{RRDATA:-rrdata}}\" {shlex.join(arguments)}\n")
        os.chmod(os.path.join(kept, "replay"), 0o755)
    shutil.rmtree(os.path.dirname(folder), ignore_errors=True)
    return case.kind, code, seconds, kilobytes, faults, arguments, errors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--count", type=int, default=1000, help="damaged files (default 1000)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--only", help="a kind alone: png, jpeg, npy, zip, idx, gzip, json, csv, safetensors, hdf5")
    parser.add_argument("--no-hdf5", action="store_true", help="leave out HDF5")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=int, default=5, help="the longest that a command may compute (default 5)")
    parser.add_argument("--hang", type=float, default=30, help="the longest that it may take in all (default 30)")
    parser.add_argument("--megabytes", type=int, default=512, help="the most memory (default 512)")
    parser.add_argument("--keep", type=os.path.abspath, help="a folder for what failed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-commands-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as work:
        options.work = work
        os.mkdir(os.path.join(work, "sound"))
        workshop = Workshop(options.program, os.path.join(work, "sound"))
        workshop.blocks = {}
        cases, hdf5 = workshop.cases()
        cases = [case for case in cases + ([] if options.no_hdf5 else hdf5) if options.only in (None, case.kind)]
        codes, kinds, faults = collections.Counter(), collections.Counter(), collections.Counter()
        slowest, largest = 0.0, 0
        numbers = range(options.first, options.first + options.count)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            outcomes = pool.map(lambda number: judge(options, workshop, cases, number), numbers)
            for number, (kind, code, seconds, kilobytes, found, arguments, errors) in zip(numbers, outcomes):
                codes[code] += 1
                kinds[kind] += 1
                slowest, largest = max(slowest, seconds), max(largest, kilobytes)
                faults.update(found)
                if found:
                    last = (errors.strip().splitlines() or [""])[-1]
                    print(f"{number}: {', '.join(found)}: {' '.join(arguments)}: {ascii(last[:160])}", flush=True)
        print(json.dumps({
            "files": options.count, "seed": options.seed, "kinds": dict(sorted(kinds.items())),
            "exit_codes": {str(code): count for code, count in sorted(codes.items())}, "faults": dict(sorted(faults.items())),
            "slowest_seconds": round(slowest, 2), "largest_megabytes": largest >> 10}))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""Small inputs, the commands that write, and what their outputs are before and after."""

import hashlib
import json
import os
import shutil
import struct
import subprocess
import tempfile
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from events import Events

HERE = Path(__file__).resolve().parent


def library(source, folder):
    """Compiles one of the libraries for LD_PRELOAD that stand beside this file."""
    path = folder / (source + ".so")
    subprocess.run(
        [os.environ.get("CC") or shutil.which("cc") or "clang", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", path, HERE / (source + ".c"), "-ldl"],
        check=True)
    return path


def roomy_folder():
    """A folder in memory where there is one: it is not the disk that is tested."""
    shared = "/dev/shm"
    return Path(tempfile.mkdtemp(prefix="rrdata-faults-", dir=shared if os.access(shared, os.W_OK) else None))


@dataclass
class Command:
    """A command line, run in a folder of its own, and what becomes of that folder."""

    name: str
    # "fresh" where no output is there, "replace" where older ones are, "resume" where it was stopped before.
    start: str
    arguments: list
    outputs: list
    # A folder with what is there at the start.
    before: Path
    # What a failure may leave for `again` to go on with.
    unfinished: list = field(default_factory=list)
    # Options of the same command, run again after a failure.
    again: list = field(default_factory=list)
    # Whether standard output is a part of the result, which the cursor goes on from.
    streams: bool = False
    # A folder of event files, which grow while the command runs and hold times.
    log: str = ""
    old: dict = field(default_factory=dict)
    new: dict = field(default_factory=dict)
    streamed: bytes = b""
    # What the event files then tell.
    logged: dict = field(default_factory=dict)

    @property
    def title(self):
        return f"{self.name} ({self.start})"


# What two runs of the same command have alike

def without_times(value):
    if isinstance(value, dict):
        # The sizes of files with times in them are as long as these are.
        return {key: without_times(item) for key, item in value.items() if "seconds" not in key and not key.endswith("_bytes")}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def content(path):
    """A file's hash, of some without the times that were measured."""
    data = path.read_bytes()
    try:
        if path.suffix == ".json":
            data = json.dumps(without_times(json.loads(data))).encode()
        elif path.suffix == ".jsonl":
            data = json.dumps([without_times(json.loads(line)) for line in data.splitlines()]).encode()
        elif path.name == "metrics.csv":
            rows = [line.split(b",") for line in data.splitlines()]
            timed = [i for i, name in enumerate(rows[0]) if b"seconds" in name]
            data = b"\n".join(b",".join(c for i, c in enumerate(row) if i not in timed) for row in rows)
        elif path.name == "SHA256SUMS":
            # Those of the files that hold times differ as they do.
            data = b"\n".join(line for line in data.splitlines() if b"metrics" not in line and b"state.json" not in line)
    except (ValueError, IndexError):
        pass
    return hashlib.sha256(data).hexdigest()


def tree(path):
    """Every file and folder below a path, by its name, with a hash of what it holds."""
    if path.is_file():
        return {"": content(path)}
    found = {}
    for folder, folders, files in os.walk(path):
        below = Path(folder).relative_to(path)
        found[str(below)] = "folder"
        for name in files:
            found[str(below / name)] = content(Path(folder) / name)
    return found


def outputs(command, folder):
    return {name: tree(folder / name) for name in command.outputs}


def leftovers(command, folder, also=()):
    """What is in a folder and was not there before, but for the outputs."""
    known = set(os.listdir(command.before)) | {*command.outputs, command.log, *also}
    return sorted(set(os.listdir(folder)) - known)


# Inputs

def png(path, pixels):
    """Writes a grey image of rows of bytes."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes(row) for row in pixels)
    header = struct.pack(">IIBBBBB", len(pixels[0]), len(pixels), 8, 0, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def pictures(folder, seed, count=4, side=8):
    """Two splits of three classes, and a mask for every other image."""
    state = seed
    for split in ("train", "test"):
        for label in ("cat", "dog", "owl"):
            for i in range(count):
                rows = []
                for _ in range(side):
                    row = []
                    for _ in range(side):
                        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
                        row.append(state >> 56)
                    rows.append(row)
                png(folder / "pictures" / split / label / f"{i}.png", rows)
                if i % 2 == 0:
                    mask = [[255 if y < 2 and x < 2 + i else 0 for x in range(side)] for y in range(side)]
                    png(folder / "marks" / split / label / f"{i}.png", mask)


def idx(path, kind, shape, data):
    path.write_bytes(bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + data)


class Workshop:
    """Inputs in `folder/inputs`, and the commands with what stands before and after each."""

    def __init__(self, rrdata, folder, faults, only=""):
        self.rrdata, self.folder, self.faults = str(rrdata), folder, faults
        self.inputs, self.others = folder / "inputs", folder / "others"
        for seed, place in ((1, self.inputs), (2, self.others)):
            self.prepare(place, seed)
        self.only = only.split(",")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            made = list(pool.map(lambda make: make(), self.all_commands()))
            self.commands = [command for command in made if command]
            list(pool.map(self.make_references, self.commands))
        self.inputs_before = tree(self.inputs)

    def run(self, *arguments, folder=None, environment=None, check=True, standard_output=subprocess.PIPE, timeout=120):
        done = subprocess.run(
            [self.rrdata, *map(str, arguments)], cwd=folder or self.folder, env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL, stdout=standard_output, stderr=subprocess.PIPE, timeout=timeout)
        if check and done.returncode:
            raise SystemExit(f"rrdata {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr.decode()}")
        return done

    def prepare(self, place, seed):
        place.mkdir()
        pictures(place, seed)
        here = lambda *arguments: self.run(*arguments, folder=place)
        here("import", "pngs", "pictures", "--masks", "marks", "-o", "d.h5", "--masks-output", "m.h5")
        here("import", "pngs", "pictures/train", "-o", "one-split.h5")
        here("export", "hdf5", "d.h5", "--masks", "m.h5", "-o", "export.h5")
        here("export", "npy", "d.h5", "--masks", "m.h5", "-o", "arrays")
        with zipfile.ZipFile(place / "arrays.npz", "w") as archive:
            archive.write(place / "arrays/images.npy", "x.npy")
            archive.write(place / "arrays/labels.npy", "y.npy")
        pixels = b"".join(hashlib.sha256(bytes([seed, i])).digest() * 2 for i in range(24))
        idx(place / "images.idx", 8, (24, 8, 8), pixels)
        idx(place / "labels.idx", 8, (24,), bytes(i % 3 for i in range(24)))
        here("train", "d.h5", "--masks", "m.h5", "--model", "mlp", "--epochs", "2", "--batch-size", "8", "--seed", seed, "-o", "run")

    def all_commands(self):
        pair = ["d.h5", "m.h5"]
        plain = [
            ("import pngs", ["import", "pngs", "{in}/pictures", "--masks", "{in}/marks", "-o", "d.h5", "--masks-output", "m.h5"], pair),
            ("import pngs --compress", ["import", "pngs", "{in}/pictures", "--compress", "deflate", "-o", "d.h5"], ["d.h5"]),
            ("import hdf5", ["import", "hdf5", "{in}/export.h5", "-o", "d.h5", "--masks-output", "m.h5"], pair),
            ("import npy", ["import", "npy", "{in}/arrays", "-o", "d.h5", "--masks-output", "m.h5"], pair),
            ("import npz", ["import", "npz", "{in}/arrays.npz", "--images", "x", "--labels", "y", "-o", "d.h5"], ["d.h5"]),
            ("import idx", ["import", "idx", "{in}/images.idx", "--labels", "{in}/labels.idx", "-o", "d.h5"], ["d.h5"]),
            ("import masks", ["import", "masks", "{in}/marks", "--for", "{in}/d.h5", "-o", "m.h5"], ["m.h5"]),
            ("export pngs", ["export", "pngs", "{in}/d.h5", "--masks", "{in}/m.h5", "-o", "p", "--masks-output", "q"], ["p", "q"]),
            ("export npy", ["export", "npy", "{in}/d.h5", "--masks", "{in}/m.h5", "-o", "a"], ["a"]),
            ("export hdf5", ["export", "hdf5", "{in}/d.h5", "--masks", "{in}/m.h5", "-o", "e.h5"], ["e.h5"]),
            ("export webdataset",
             ["export", "webdataset", "{in}/d.h5", "--masks", "{in}/m.h5", "--samples-per-shard", "9", "-o", "w"], ["w"]),
            ("export model", ["export", "model", "{in}/run", "-o", "m.onnx"], ["m.onnx"]),
            ("make-masks", ["make-masks", "{in}/d.h5", "--run", "{in}/run", "--top-k", "4", "-o", "m.h5"], ["m.h5"]),
            ("preview",
             ["preview", "{in}/d.h5", "--masks", "{in}/m.h5", "--run", "{in}/run", "--count", "6", "-o", "s.png"], ["s.png"]),
            ("report", ["report", "{in}/run", "--data", "{in}/d.h5", "--masks", "{in}/m.h5", "-o", "r.html"], ["r.html"]),
            ("decoy", ["decoy", "{in}/d.h5", "-o", "d.h5", "--masks-output", "m.h5", "--random-split", "test"], pair),
            ("toy-colors",
             ["toy-colors", "--train", "24", "--test", "12", "--seed", "{seed}", "-o", "d.h5",
              "--corner-masks-output", "c.h5", "--top-masks-output", "t.h5"], ["d.h5", "c.h5", "t.h5"]),
        ]
        commands = []
        for name, arguments, made in plain:
            commands.append(self.later(name, "fresh", arguments, made))
            commands.append(self.later(name, "replace", arguments, made))

        train = ["train", "{in}/d.h5", "--masks", "{in}/m.h5", "--model", "mlp", "--epochs", "3", "--batch-size", "6",
                 "--validation", "test", "--checkpoint-every", "0.000001", "-o", "run"]
        gathering = [*train, "--collect-masks", "c.h5", "--top-k", "4"]
        logging = [*train, "--tensorboard", "log"]
        again = dict(unfinished=["run.unfinished"], again=["--resume"])
        search = ["find-another", "{in}/d.h5", "--rounds", "2", "--threshold", "0.5", "--model", "mlp", "--epochs", "1",
                  "--batch-size", "12", "-o", "found"]
        searched = dict(unfinished=["found.unfinished"], again=["--resume"])
        sweep = ["sweep", "{in}/d.h5", "--masks", "{in}/m.h5", "--lambda1", "1", "--ways", "swap", "--model", "mlp",
                 "--epochs", "1", "--batch-size", "12", "--held-out-share", "0.5", "-o", "swept"]
        swept = dict(unfinished=["swept.unfinished"], again=["--resume"])
        commands += [
            self.later("train --collect-masks", "fresh", gathering, ["run", "c.h5"], **again),
            self.later("train --collect-masks", "replace", gathering, ["run", "c.h5"], **again),
            self.later("train", "replace", train, ["run"], **again),
            self.later("train", "resume", train, ["run"], **again),
            self.later("train --tensorboard", "fresh", logging, ["run"], log="log", **again),
            self.later("train --tensorboard", "replace", logging, ["run"], log="log", **again),
            self.later("find-another", "fresh", search, ["found"], **searched),
            self.later("find-another", "resume", search, ["found"], **searched),
            self.later("sweep", "fresh", sweep, ["swept"], **swept),
            self.later("sweep", "resume", sweep, ["swept"], **swept),
        ]
        stream = ["stream", "{in}/d.h5", "--masks", "{in}/m.h5", "--batch-size", "4", "--shuffle", "--epochs", "3",
                  "--augment", "hflip", "--cursor", "c.json", "--format", "npy"]
        commands += [self.later("stream --cursor", start, stream, ["c.json"], streams=True) for start in ("fresh", "resume")]
        commands.append(self.later(
            "evaluate", "fresh", ["evaluate", "{in}/run", "{in}/d.h5", "--masks", "{in}/m.h5", "--json"], []))
        table = ["evaluate", "{in}/run", "{in}/d.h5", "--masks", "{in}/m.h5", "--predictions", "p.csv"]
        commands.append(self.later("evaluate --predictions", "fresh", table, ["p.csv"]))
        commands.append(self.later("evaluate --predictions", "replace", [*table, "--force"], ["p.csv"]))
        return commands

    def later(self, *arguments, **more):
        return lambda: self.command(*arguments, **more)

    def command(self, name, start, arguments, made, **more):
        """A command with its starting folder made: empty, with older outputs, or where it was stopped; None where it was not asked for."""
        if not any(part in name for part in self.only):
            return None
        before = Path(tempfile.mkdtemp(prefix="before-", dir=self.folder))
        fill = lambda place, seed: [a.replace("{in}", str(place)).replace("{seed}", str(seed)) for a in arguments]
        wanted = fill(self.inputs, 1)
        if start == "replace":
            self.run(*fill(self.others, 2), folder=before)
            wanted.append("--force")
        elif name in ("train", "find-another", "sweep") and start == "resume":
            wanted.append("--resume")
            self.stop_half_way(before, wanted)
        elif start == "resume":
            self.run(*wanted, folder=before)
            cursor = json.loads((before / "c.json").read_text())
            (before / "c.json").write_text(json.dumps({**cursor, "epoch": 1, "position": 8}))
        return Command(name, start, wanted, made, before, **more)

    def stop_half_way(self, before, arguments):
        """Kills a run after two steps, or a search or sweep after its first training."""
        for number in range(1, 100):
            shutil.rmtree(before)
            before.mkdir()
            environment = {"LD_PRELOAD": str(self.faults), "FAULTS": f"rename:{number}:kill"}
            self.run(*arguments, folder=before, environment=environment, check=False)
            state = before / "run.unfinished/checkpoint/state.json"
            if state.exists() and json.loads(state.read_text())["step"] >= 2:
                return
            for name, entries in (("found.unfinished/find-another.json", "rounds"), ("swept.unfinished/sweep.json", "runs")):
                if (before / name).exists() and json.loads((before / name).read_text())[entries]:
                    return
        raise SystemExit("no checkpoint was found to resume from")

    def make_references(self, command):
        """Notes what the outputs are before and after, and that they are sound."""
        command.old = outputs(command, command.before)
        with Scratch(self, command) as folder:
            self.make_references_in(folder, command)

    def make_references_in(self, folder, command):
        done = self.run(*command.arguments, folder=folder)
        command.new = outputs(command, folder)
        command.streamed = done.stdout if command.streams else b""
        if command.log:
            command.logged = Events(folder / command.log).scalars
        if left := leftovers(command, folder, also=command.unfinished if command.start == "resume" else ()):
            raise SystemExit(f"{command.title} leaves {left} without any fault")
        checked = [name for name in command.outputs if name.endswith(".h5") and name != "e.h5"]
        datasets = [name for name in checked if name == "d.h5"] or ([str(self.inputs / "d.h5")] if checked else [])
        if checked:
            self.run("validate", *datasets, *[name for name in checked if name != "d.h5"], folder=folder)
        if "run" in command.outputs:
            self.run("validate", "run", folder=folder)


class Scratch:
    """A copy of what a command starts with, in a folder that goes afterwards."""

    def __init__(self, workshop, command):
        self.folder = Path(tempfile.mkdtemp(prefix="trial-", dir=workshop.folder))
        self.before = command.before

    def __enter__(self):
        folder = self.folder / "here"
        shutil.copytree(self.before, folder, symlinks=True)
        return folder

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

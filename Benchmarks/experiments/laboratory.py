"""Where the experiments run `rrdata`, and the file that remembers each finished run.

A run that is in the file is not done again: what was stopped goes on from there when it is started again. A run is known by
its commands, so that another option, seed or data set is another run.
"""

import argparse
import contextlib
import gzip
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import tempfile
import time

import h5py
import numpy

RESULTS = pathlib.Path(__file__).resolve().parent / "results"
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
# So many epochs are enough for cross-entropy to stand still.
EPOCHS = {"mlp": 64, "lenet": 5}


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return f"{os.cpu_count()} cores of {model}, {platform.machine()}"


def parser(description):
    """The options that every experiment has."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--rrdata", required=True, type=os.path.abspath, help="the rrdata executable")
    options.add_argument("--work", type=pathlib.Path, help="a folder to keep the data sets in; else a temporary one")
    options.add_argument("--seeds", type=int, default=5, help="runs of each row, with the seeds 0, 1, …")
    options.add_argument("--jobs", type=int, default=os.cpu_count(), help="threads of a run; no result depends on them")
    options.add_argument("--rows", help="only these rows, with commas between them")
    options.add_argument("--table-only", action="store_true", help="run nothing, write the tables of the runs so far")
    return options


class Laboratory:
    """Runs commands in a folder and remembers their figures in results/NAME.jsonl."""

    def __init__(self, name, options):
        self.rrdata, self.seeds, self.jobs = options.rrdata, options.seeds, options.jobs
        self.wanted = options.rows.split(",") if options.rows else None
        self.only_table = options.table_only
        self.ledger = RESULTS / f"{name}.jsonl"
        self.work = options.work or pathlib.Path(tempfile.mkdtemp(prefix="rrdata-experiment."))
        self.is_temporary = options.work is None
        self.work.mkdir(parents=True, exist_ok=True)
        self.records = {}
        if self.ledger.exists():
            for line in self.ledger.read_text().splitlines():
                record = json.loads(line)
                if "commands" in record:
                    self.records[key(record["commands"])] = record
        self.version = self.call("--version").splitlines()[0]

    def call(self, *arguments):
        """The standard output of an rrdata that must succeed."""
        outcome = subprocess.run(
            [self.rrdata, *map(str, arguments)], cwd=self.work, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if outcome.returncode:
            raise SystemExit(f"rrdata {' '.join(map(str, arguments))}: {outcome.returncode}\n{outcome.stderr}")
        return outcome.stdout

    def has_option(self, command, option):
        return option in self.call(command, "--help")

    def measure(self, labels, commands, figures):
        """The record of a run: from the file, or by its commands, whose standard outputs `figures` turns into numbers."""
        commands = [[str(word) for word in command] for command in commands]
        found = self.records.get(key(commands))
        if found or self.only_table:
            return found
        start = time.perf_counter()
        outputs = [self.call(*command, *self.threads(command)) for command in commands]
        seconds = round(time.perf_counter() - start, 2)
        record = {**labels, "seconds": seconds, **figures(*outputs), "threads": self.jobs, "version": self.version, "machine": machine()}
        record |= {"commands": [f"rrdata {' '.join(c)}" for c in commands]}
        RESULTS.mkdir(exist_ok=True)
        with open(self.ledger, "a") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self.records[key(record["commands"])] = record
        print({name: record[name] for name in (*labels, "accuracy") if name in record}, flush=True)
        return record

    def threads(self, command):
        return ["--jobs", self.jobs] if command[0] in ("train", "find-another") else []

    def train(self, labels, dataset, arguments, judged_on=None, masks="masks.h5"):
        """Trains, and evaluates on the split `test`: `masks` measures how much of the input gradient lies on the decoys."""
        judged_on = judged_on or dataset
        run = "run"
        shutil.rmtree(self.work / run, ignore_errors=True)
        shutil.rmtree(self.work / f"{run}.unfinished", ignore_errors=True)
        return self.measure(labels, [
            ["train", dataset, *arguments, "--json", "-o", run],
            ["evaluate", run, judged_on, *(["--masks", masks] if masks else []), "--json"]], figures_of_run)

    def is_wanted(self, row):
        return self.wanted is None or row in self.wanted

    def close(self):
        if self.is_temporary:
            shutil.rmtree(self.work)


def key(commands):
    return " ; ".join(c.removeprefix("rrdata ") if isinstance(c, str) else " ".join(c) for c in commands)


def figures_of_run(training, evaluation):
    training, evaluation = json.loads(training), json.loads(evaluation)
    explanation = evaluation.get("explanation") or {}
    return {
        "accuracy": evaluation["accuracy"], "cross_entropy": evaluation["cross_entropy"],
        "worst_class": evaluation["worst_class"]["accuracy"],
        "gradient_share_inside_mask": explanation.get("gradient_share_inside_mask"),
        "training_accuracy": training["training_accuracy"], "lambda1_used": training["lambda1"],
        "steps": training["steps"], "seconds": round(training["seconds"], 2)}


# --- Data -------------------------------------------------------------------------------------------------------------

def idx(name, offset):
    with gzip.open(FASHION / name) as file:
        return numpy.frombuffer(file.read(), "u1", offset=offset)


@contextlib.contextmanager
def made_once(path):
    """A name to write under, which becomes `path` when all went well."""
    unfinished = path.with_name("unfinished." + path.name)
    unfinished.unlink(missing_ok=True)
    yield unfinished
    os.rename(unfinished, path)


def make_decoys(laboratory):
    """fashion.h5 is Fashion-MNIST, 60,000 images for training and 10,000 for the test; decoy.h5 has the paper's decoys,
    which masks.h5 marks; permuted.h5 gives every training sample another one's mask, and centre.h5 marks a patch in
    the middle of all of them."""
    work = laboratory.work
    if not (work / "fashion.h5").exists():
        numpy.savez(work / "fashion.npz", **{
            f"{split}_{kind}": array for split, prefix in (("train", "train"), ("test", "t10k")) for kind, array in (
                ("images", idx(f"{prefix}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)),
                ("labels", idx(f"{prefix}-labels-idx1-ubyte.gz", 8)))})
        laboratory.call("import", "npz", "fashion.npz", "-o", "fashion.h5")
        (work / "fashion.npz").unlink()
    if not (work / "decoy.h5").exists():
        laboratory.call("decoy", "fashion.h5", "-o", "decoy.h5", "--masks-output", "masks.h5", "--random-split", "test",
                        "--seed", 0)
    training = training_rows(work / "decoy.h5")

    def permuted(rows, masks):
        rows[training] = numpy.random.default_rng(0).permutation(rows[training])
        return rows, masks

    def centred(rows, masks):
        patch = numpy.zeros((2, *masks.shape[1:]), "u1")
        patch[0, :, 12:16, 12:16] = 1
        return numpy.zeros_like(rows), patch

    change_masks(work, "permuted.h5", permuted)
    change_masks(work, "centre.h5", centred)


def training_options(network, seed):
    """The arguments of `train` that all runs on Decoy Fashion-MNIST share."""
    return ["--model", network, "--optimizer", "adam", "--learning-rate", "0.001", "--weight-decay", "0.0001",
            "--batch-size", "256", "--epochs", EPOCHS[network], "--seed", seed]


def training_rows(dataset):
    """The positions of the samples of the split `train`."""
    with h5py.File(dataset) as file:
        names = [name if isinstance(name, str) else name.decode() for name in file["split"].attrs["split_names"]]
        return numpy.flatnonzero(file["split"][:] == names.index("train"))


def change_masks(work, name, change):
    """A copy of masks.h5 whose /row and /A are `change` of the old ones."""
    if (work / name).exists():
        return
    with made_once(work / name) as path, h5py.File(work / "masks.h5") as source, h5py.File(path, "w") as target:
        # The old ones' digests are of the old arrays; masks of the first version have none.
        target.attrs.update({key: value for key, value in source.attrs.items() if key != "digests"})
        target.attrs["format_version"] = "1.0"
        target.attrs["provenance"] = json.dumps({"source": name.removesuffix(".h5")})
        target["row"], target["A"] = change(source["row"][:], source["A"][:])


# --- Tables -----------------------------------------------------------------------------------------------------------

def spread(values, scale=1, digits=2):
    """The mean of the runs, and their standard deviation."""
    values = [value for value in values if value is not None]
    if not values:
        return "–"
    mean = f"{scale * statistics.mean(values):.{digits}f}"
    return mean + (f" ± {scale * statistics.stdev(values):.{digits}f}" if len(values) > 1 else "")


def write_table(name, title, text, records):
    """results/NAME.md; the runs themselves are in the ledger."""
    machines = " and ".join(sorted({record["machine"] for record in records}))
    hours, minutes = divmod(round(sum(record["seconds"] for record in records) / 60), 60)
    (RESULTS / f"{name}.md").write_text(
        f"# {title}\n\n{text.strip()}\n\nRun on {machines}: {len(records)} runs, which trained for {hours} h {minutes} min "
        "in all, while the machine did other work too.\n")

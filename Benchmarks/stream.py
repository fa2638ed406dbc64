"""Times the stream against what people use today, in turn, and writes the table of Benchmarks/results/stream.md.

    make bench-stream
    python Benchmarks/stream.py --rrdata rrdata --only start,large

With --only the other sections of the table stay as they were.

Fashion-MNIST comes from Debian's dataset-fashion-mnist. Everybody gives float32 images, labels, index and A[index] in
shuffled batches of 256; files are in the page cache. A figure is the median of the rounds, samples a second.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import h5py
import numpy

from formats import gray_pngs, natural_pngs, photographs

FOLDER = pathlib.Path(__file__).resolve().parent
PEERS = FOLDER / "peers"
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
USUAL, BEST = "DataLoader, 0 workers", "DataLoader, batched sampler, 0 workers"
PLAIN = ["PyTorch slicing in memory", BEST, "DataLoader, batched sampler, 2 workers", USUAL, "DataLoader, 2 workers",
         "Grain", "Hugging Face datasets", "WebDataset", "FFCV"]
CROPS = [f"RandomResizedCrop, {decoder}, {workers} workers"
         for decoder in ("Pillow", "torchvision") for workers in (0, 2)]
FOLDERS = [f"ImageFolder, {decoder}, DataLoader, {workers} workers"
           for decoder in ("Pillow", "torchvision") for workers in (0, 2)]


def ours(rrdata, *arguments):
    """The rate that `rrdata stream` tells of itself."""
    command = [rrdata, "stream", *map(str, arguments), "--shuffle", "--format", "null", "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["samples_per_second"]


def theirs(peer, dataset, masks, work):
    """The rate of a peer; nil where it is not installed."""
    outcome = subprocess.run(
        [sys.executable, PEERS / "torch_streams.py", peer, dataset, masks, work], capture_output=True, text=True)
    if outcome.returncode:
        print(f"{peer}: {outcome.stderr.strip().splitlines()[-1:]}")
        return None
    return float(outcome.stdout.split()[-1])


def in_turn(works, rounds):
    """The medians of several works, each done once a round."""
    rates = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            rates[name].append(work())
    return {name: statistics.median(values) for name, values in rates.items() if None not in values}


def table(title, medians, targets):
    """The rows of a table in Markdown, which are printed too."""
    mine = medians["rrdata"]
    lines = [f"| {title} | samples/s | rrdata is times as fast | target |", "|---|---|---|---|",
             f"| rrdata | {mine:,.0f} | | |"]
    for name, rate in medians.items():
        if name != "rrdata":
            lines.append(f"| {name} | {rate:,.0f} | {mine / rate:.2f} | {targets.get(name, '')} |")
    print(*lines, "", sep="\n", flush=True)
    return lines + [""]


def first_batches(rrdata, dataset, masks, cursor, rounds):
    """Milliseconds from the start of the process to the first whole batch on its pipe: plain, with a new cursor, and
    from a cursor in the middle of an epoch, in turn."""
    command = [rrdata, "stream", dataset, "--masks", masks, "--batch-size", "256", "--shuffle", "--format", "npy"]
    size = 256 * 784 * 5 + 256 * 16 + 4 * 128

    def first(more, batches=1):
        start = time.perf_counter()
        with subprocess.Popen(command + more, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            for _ in range(batches):
                process.stdout.read(size)
            seconds = time.perf_counter() - start
            time.sleep(0 if batches == 1 else 0.2)
            process.kill()
        return 1000 * seconds

    first(["--cursor", cursor], batches=117)
    kept = pathlib.Path(cursor).read_text()

    def with_cursor(text):
        pathlib.Path(cursor).unlink()
        if text:
            pathlib.Path(cursor).write_text(text)
        return first(["--cursor", cursor])
    return in_turn({"plain": lambda: first([]), "new": lambda: with_cursor(None), "resumed": lambda: with_cursor(kept)},
                   rounds)


def waiting(rrdata, dataset, masks, run):
    """The share of the steps of a lenet epoch that went by waiting for the stream."""
    subprocess.run([rrdata, "train", dataset, "--masks", masks, "--model", "lenet", "--batch-size", "256", "--epochs",
                    "1", "--lambda1", "1", "-o", run], check=True, capture_output=True)
    steps = [json.loads(line) for line in open(f"{run}/metrics.jsonl")]
    steps = [step for step in steps if "step" in step]
    return sum(step["seconds_waiting"] for step in steps) / sum(step["seconds"] for step in steps)


def allocations(rrdata, dataset, masks, library):
    """The calls that allocate memory in 4,700 more batches, once a stream is under way."""
    subprocess.run(["cc", "-shared", "-fPIC", PEERS / "count_allocations.c", "-o", library], check=True)
    counts = []
    for epochs in (3, 23):
        outcome = subprocess.run(
            [rrdata, "stream", dataset, "--masks", masks, "--batch-size", "256", "--shuffle", "--epochs", str(epochs),
             "--format", "null"], capture_output=True, text=True, check=True, env=os.environ | {"LD_PRELOAD": library})
        counts.append(int(outcome.stderr.split()[-1]))
    return counts[1] - counts[0]


def single_chunks(source, target):
    """The dataset with each image in a deflated chunk of its own."""
    with h5py.File(source) as file, h5py.File(target, "w") as copy:
        copy.attrs.update(file.attrs)
        for name in file:
            if name != "images":
                file.copy(name, copy)
        images = file["images"]
        stored = copy.create_dataset("images", data=images[:], chunks=(1, *images.shape[1:]), compression="gzip")
        stored.attrs.update(images.attrs)


def png_folder(title, rrdata, folder, rounds):
    """A table of a folder of PNGs that is streamed without import, where every image is decoded as it is wanted, and
    where it is kept after the first epoch."""
    works = {"rrdata": lambda: ours(rrdata, folder, "--batch-size", 256),
             "rrdata, 10 epochs, kept in memory": lambda: ours(rrdata, folder, "--batch-size", 256, "--epochs", 10)}
    works |= {peer: lambda peer=peer: theirs(peer, folder, "none", str(folder.parent)) for peer in FOLDERS}
    return table(title, in_turn(works, rounds), {})


def large(rrdata, work, count):
    """A dataset of random images of 3×224×224."""
    with h5py.File(work / "source.h5", "w") as file:
        images = file.create_dataset("images", (count, 3, 224, 224), "u1")
        block = numpy.random.default_rng(0).integers(0, 256, (100, 3, 224, 224), "u1")
        for first in range(0, count, 100):
            images[first:first + 100] = numpy.roll(block, first, 3)[:count - first]
    subprocess.run([rrdata, "import", "hdf5", work / "source.h5", "--images", "images", "--layout", "NCHW",
                    "-o", work / "large.h5"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (work / "source.h5").unlink()
    with h5py.File(work / "large.h5") as file:
        return file["images"].id.get_offset()


def in_memory(rrdata, work, dataset, masks, options):
    works = {"rrdata": lambda: ours(rrdata, dataset, "--masks", masks, "--batch-size", 256, "--epochs", 20)}
    works |= {peer: lambda peer=peer: theirs(peer, dataset, masks, str(work)) for peer in PLAIN}
    return table("Fashion-MNIST with masks", in_turn(works, options.rounds), {PLAIN[0]: 2, BEST: 3, USUAL: 20})


def deflated(rrdata, work, dataset, masks, options):
    path = str(work / "deflated.h5")
    single_chunks(dataset, path)
    works = {"rrdata": lambda: ours(rrdata, path, "--masks", masks, "--batch-size", 256, "--epochs", 20),
             "rrdata, first epoch": lambda: ours(rrdata, path, "--masks", masks, "--batch-size", 256)}
    peers = ["h5py, DataLoader, 0 workers", "h5py, DataLoader, 2 workers"]
    works |= {peer: lambda peer=peer: theirs(peer, path, masks, str(work)) for peer in peers}
    return table("the same, a deflated chunk a sample", in_turn(works, min(options.rounds, 3)),
                 dict.fromkeys(peers, 20))


def start(rrdata, work, dataset, masks, options):
    times = first_batches(rrdata, dataset, masks, str(work / "cursor.json"), 2 * options.rounds)
    count = allocations(rrdata, dataset, masks, str(work / "allocations.so"))
    share = waiting(rrdata, dataset, masks, str(work / "run"))
    lines = [
        "| Fashion-MNIST with masks | | target |", "|---|---|---|",
        f"| first batch on a pipe, from the start of the process | {times['plain']:.0f} ms | below 50 ms |",
        f"| the same with a new cursor | {times['new']:.0f} ms | |",
        f"| the same, resumed from a cursor in the middle of an epoch | {times['resumed']:.0f} ms | as new |",
        f"| share of a lenet step with masks that waits for its batch | {100 * share:.2f} % | below 1 % |",
        f"| allocations in 4,700 batches more | {count} | none |", ""]
    print(*lines, sep="\n")
    return lines


def folders(rrdata, work, dataset, masks, options):
    rounds = min(options.rounds, 3)
    gray_pngs(work / "gray", 60_000)
    lines = png_folder("60,000 PNGs of 28×28 gray in a folder", rrdata, work / "gray", rounds)
    natural_pngs(work / "natural", 1_000)
    return lines + png_folder("1,000 PNGs of 224×224 RGB in a folder", rrdata, work / "natural", rounds)


def cropped_photographs(rrdata, work, dataset, masks, options):
    """A folder of JPEGs, of which every image is decoded as it is wanted and a random part of it brought to 224×224."""
    folder = work / "photographs"
    photographs(folder, 3_000)
    works = {"rrdata": lambda: ours(rrdata, folder, "--batch-size", 32, "--augment", "resized-crop:224x224")}
    works |= {peer: lambda peer=peer: theirs(peer, folder, "none", str(work)) for peer in CROPS}
    return table("3,000 JPEGs of 500×375, random parts at 224×224", in_turn(works, min(options.rounds, 3)),
                 dict.fromkeys(CROPS, 1.8))


def large_images(rrdata, work, dataset, masks, options):
    count = options.large_count
    offset = large(rrdata, work, count)
    program = str(work / "pread_convert")
    subprocess.run(["cc", "-O3", "-pthread", PEERS / "pread_convert.c", "-o", program], check=True)
    numbers = map(str, (offset, 3 * 224 * 224, count, os.cpu_count()))
    command = [program, work / "large.h5", *numbers]
    works = {"rrdata": lambda: ours(rrdata, work / "large.h5", "--batch-size", 32),
             "pread and conversion alone, in C": lambda: float(subprocess.check_output(command))}
    return table(f"{count:,} images of 3×224×224", in_turn(works, min(options.rounds, 3)),
                 {"pread and conversion alone, in C": 0.8})


SECTIONS = {"memory": in_memory, "deflated": deflated, "start": start, "folders": folders, "photographs": cropped_photographs,
            "large": large_images}


def sections_of(path):
    """The sections that a table has, by their titles."""
    parts = path.read_text().split("\n## ")[1:] if path.exists() else []
    return dict(part.split("\n\n", 1) for part in parts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rrdata", required=True, type=os.path.abspath, help="the rrdata executable")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections to measure, with commas between them")
    parser.add_argument("--large-count", type=int, default=28_500, help="images of 3×224×224; 28,500 are 4.3 GB")
    parser.add_argument("--output", type=pathlib.Path, default=FOLDER / "results" / "stream.md")
    options = parser.parse_args()
    chosen = options.only.split(",")
    if not set(chosen) <= set(SECTIONS):
        parser.error(f"--only takes {', '.join(SECTIONS)}")
    rrdata, results = options.rrdata, sections_of(options.output)
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        plain, dataset, masks = (str(work / f"{file}.h5") for file in ("plain", "decoy", "masks"))
        for command in (
            ["import", "idx", FASHION / "train-images-idx3-ubyte.gz", "--labels",
             FASHION / "train-labels-idx1-ubyte.gz", "-o", plain],
            ["decoy", plain, "-o", dataset, "--masks-output", masks]):
            subprocess.run([rrdata, *command], check=True, stdout=subprocess.DEVNULL)
        for section in chosen:
            lines = SECTIONS[section](rrdata, work, dataset, masks, options)
            results[section] = "\n".join(lines) + f"\nMedians of {options.rounds} rounds (of the slow works at most 3).\n"
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(
        "# The stream against PyTorch, h5py, WebDataset, Grain and Hugging Face datasets\n\n"
        f"Made by `make bench-stream` on {os.cpu_count()} cores of {model}, {platform.machine()}. Everybody in turn, files "
        "in the page cache. Shuffled batches of float32 images, labels, index and A[index]; 256 samples a batch, 32 of "
        "the large images. Each section was measured in one run.\n"
        + "".join(f"\n## {section}\n\n{results[section]}" for section in SECTIONS if section in results))


if __name__ == "__main__":
    main()

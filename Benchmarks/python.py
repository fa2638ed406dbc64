"""Times the Python package against what people use today, in turn, and writes the table of Benchmarks/results/python.md.

    make bench-python
    python Benchmarks/python.py --library .build-library/librrdata.so --only start

With --only the other sections of the table stay as they were. The package is that of this folder, the library and the command
beside it are those of a wheel. Everybody gives float32 images, labels, index and A[index] in shuffled batches; files are in the
page cache. A figure is the median of the rounds, samples a second.
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

from PIL import Image

from formats import natural_pngs, photographs
from stream import FASHION, FOLDER, PEERS, in_turn, ours, sections_of, theirs

SLICING, USUAL = "PyTorch slicing in memory", "DataLoader, 0 workers"
PLAIN = [SLICING, "DataLoader, batched sampler, 0 workers", USUAL, "DataLoader, 2 workers"]
EPOCHS = 20


class Ours:
    """The package on a library."""

    def __init__(self, library):
        self.command = str(library.parent / "rrdata")
        self.environment = os.environ | {
            "RRDATA_LIBRARY": str(library), "PYTHONPATH": str(FOLDER.parent / "Python" / "src")}

    def __call__(self, kind, dataset, masks="none", epochs=1, **options):
        outcome = subprocess.run(
            [sys.executable, PEERS / "rrdata_streams.py", kind, dataset, masks, str(epochs), json.dumps(options)],
            capture_output=True, text=True, check=True, env=self.environment)
        numbers = [float(word) for word in outcome.stdout.split()]
        return numbers[0] if kind != "start" else numbers


def table(title, medians, rows):
    """The rows of a table in Markdown, each of a name, what it is compared with, and the target."""
    lines = [f"| {title} | samples/s | | target |", "|---|---|---|---|"]
    for name, other, target in rows:
        if name in medians:
            share = f"{medians[name] / medians[other]:.2f} of {other}" if other in medians else ""
            lines.append(f"| {name} | {medians[name]:,.0f} | {share} | {target} |")
    print(*lines, "", sep="\n", flush=True)
    return lines + [""]


def in_memory(rrdata, work, options):
    dataset, masks = str(work / "decoy.h5"), str(work / "masks.h5")
    command = "rrdata stream --format null"
    works = {
        command: lambda: ours(rrdata.command, dataset, "--masks", masks, "--batch-size", 256, "--epochs", EPOCHS),
        "Stream, torch": lambda: rrdata("torch", dataset, masks, EPOCHS, batch_size=256),
        "Stream, NumPy": lambda: rrdata("numpy", dataset, masks, EPOCHS, batch_size=256),
    }
    works |= {peer: lambda peer=peer: theirs(peer, dataset, masks, str(work)) for peer in PLAIN}
    medians = in_turn(works, options.rounds)
    rows = [(command, None, ""), ("Stream, torch", command, "0.9"), ("Stream, NumPy", command, "")]
    rows += [(peer, None, "") for peer in PLAIN]
    rows += [("Stream, torch", SLICING, "2.5"), ("Stream, torch", USUAL, "25")]
    return table("Fashion-MNIST with masks, batches of 256", medians, rows)


def stored(rrdata, work, options):
    natural_pngs(work / "photos", 1_500)
    subprocess.run([rrdata.command, "import", "images", work / "photos", "-o", work / "photos.h5"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lines = []
    # Of images that stay in memory, the first epoch reads them.
    for title, name, size, epochs in [
        *[(f"Images of 3×224×224, batches of {size}", "photos.h5", size, EPOCHS) for size in (32, 64, 256)],
        ("Fashion-MNIST, batches of 256", "decoy.h5", 256, EPOCHS),
    ]:
        works = {
            "Stream, torch":
                lambda: rrdata("torch", str(work / name), "none", epochs, batch_size=size),
            'Stream, torch, dtype="stored"':
                lambda: rrdata("torch", str(work / name), "none", 3 * epochs, batch_size=size, dtype="stored"),
        }
        lines += table(title, in_turn(works, options.rounds),
                       [("Stream, torch", None, ""), ('Stream, torch, dtype="stored"', "Stream, torch", "3")])
    return lines + [
        "Of a sample of 3×224×224, 151 kB are read and as many written where it stays as stored, and 602 kB written as floats; "
        "smaller batches of floats stay in the caches.", ""]


def start(rrdata, work, options):
    runs = [rrdata("start", str(work / "decoy.h5"), str(work / "masks.h5"), batch_size=256)
            for _ in range(4 * options.rounds)]
    imported, first = (statistics.median(times) for times in zip(*runs))
    lines = ["| Fashion-MNIST with masks | | target |", "|---|---|---|",
             f"| `import rrdata`, beyond NumPy's own | {imported:.0f} ms | below 50 ms |",
             f"| from there to the first batch | {first:.0f} ms | below 60 ms |", ""]
    print(*lines, sep="\n")
    return lines


def as_jpegs(source, target):
    """The PNGs of a folder as Pillow writes JPEGs of the quality 90."""
    for path in source.glob("*/*.png"):
        other = (target / path.relative_to(source)).with_suffix(".jpg")
        other.parent.mkdir(parents=True, exist_ok=True)
        Image.open(path).save(other, quality=90)


def folders(rrdata, work, options):
    natural_pngs(work / "png", 1_500)
    as_jpegs(work / "png", work / "jpeg")
    photographs(work / "photographs", 1_500)
    lines = []
    for title, folder, size, augment, peers in [
        ("PNGs of 224×224 in a folder", "png", 256, None, "ImageFolder, {}, DataLoader, 2 workers"),
        ("JPEGs of 224×224 in a folder", "jpeg", 256, None, "ImageFolder, {}, DataLoader, 2 workers"),
        ("JPEGs of 500×375 in a folder, random parts at 224×224", "photographs", 32, "resized-crop:224x224",
         "RandomResizedCrop, {}, 2 workers"),
    ]:
        path, names = str(work / folder), [peers.format(decoder) for decoder in ("Pillow", "torchvision")]
        # Images and masks of two batches, and room for an image or two beside them: all others are decoded in each epoch.
        decoding = {"memory": 2 * size * 3 * 224 * 224 * 5 + (1 << 20)}
        streams = {"Stream, torch, 2 threads": decoding, "Stream, torch, 2 threads, images kept from the first epoch on": {}}
        works = {name: lambda memory=memory: rrdata(
            "torch", path, epochs="each", jobs=2, batch_size=size, augment=augment, **memory) for name, memory in streams.items()}
        works |= {name: lambda name=name: theirs(name, path, "none", str(work)) for name in names}
        medians = in_turn(works, min(options.rounds, 3))
        decoded, kept = streams
        lines += table(title, medians, [(name, None, "") for name in names]
                       + [(decoded, name, "1.8") for name in names] + [(kept, None, "")])
    return lines + ["Of two epochs the second is counted. PyTorch's loaders begin with their workers running.", ""]


SECTIONS = {"memory": in_memory, "stored": stored, "folders": folders, "start": start}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", required=True, type=pathlib.Path, help="librrdata.so, with the command beside it")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections to measure, with commas between them")
    parser.add_argument("--output", type=pathlib.Path, default=FOLDER / "results" / "python.md")
    options = parser.parse_args()
    chosen = options.only.split(",")
    if not set(chosen) <= set(SECTIONS):
        parser.error(f"--only takes {', '.join(SECTIONS)}")
    rrdata, results = Ours(options.library.resolve()), sections_of(options.output)
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        for command in (
            ["import", "idx", FASHION / "train-images-idx3-ubyte.gz", "--labels",
             FASHION / "train-labels-idx1-ubyte.gz", "-o", work / "plain.h5"],
            ["decoy", work / "plain.h5", "-o", work / "decoy.h5", "--masks-output", work / "masks.h5"]):
            subprocess.run([rrdata.command, *command], check=True, stdout=subprocess.DEVNULL)
        for section in chosen:
            lines = SECTIONS[section](rrdata, work, options)
            results[section] = "\n".join(lines) + f"\nMedians of {options.rounds} rounds (of folders at most 3).\n"
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    options.output.write_text(
        "# The Python package against PyTorch and torchvision\n\n"
        f"Made by `make bench-python` on {os.cpu_count()} cores of {model}, {platform.machine()}. Everybody in turn, files in the "
        "page cache. Shuffled batches of float32 images, labels, index and A[index]. Each section was measured in one run.\n"
        + "".join(f"\n## {section}\n\n{results[section]}" for section in SECTIONS if section in results))


if __name__ == "__main__":
    main()

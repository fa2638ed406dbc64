"""Times imports against what people use today, in turn, and writes the table of Benchmarks/results/formats.md.

    make bench-formats

Ours is timed as a whole process; the peers' start is not counted. Files are in the page cache, outputs are new files. A
figure is the median of five rounds.
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

import h5py
import numpy
from PIL import Image

FOLDER = pathlib.Path(__file__).resolve().parent
ROUNDS = 5
LIBRARIES, MODES = ["pillow", "opencv", "torchvision"], ["threads", "processes"]


def timed(*command):
    """The seconds of a process that must succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def peak_memory(*command):
    """The peak memory, in MB, of a process that must succeed: asked from a small process, since a child counts from the
    memory of the one that starts it."""
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    answer = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=True)
    return int(answer.stdout) / 1000


def fresh(path):
    path = pathlib.Path(path)
    path.unlink(missing_ok=True)
    return str(path)


def gray_pngs(folder, count):
    """Small gray images with a shape in them, as Pillow writes them, in ten class folders."""
    generator = numpy.random.default_rng(0)
    rows, columns = numpy.mgrid[:28, :28]
    for number in range(count):
        centre, width = generator.uniform(8, 20, 2), generator.uniform(3, 9, 2)
        distance = ((rows - centre[0]) / width[0])**2 + ((columns - centre[1]) / width[1])**2
        image = numpy.where(distance < 1, 255 * (1 - distance / 2) * generator.uniform(0.5, 1), 0)
        image[distance < 1] -= generator.uniform(0, 30, (distance < 1).sum())
        path = folder / str(number % 10) / f"{number:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.clip(0, 255).astype("u1")).save(path)


def natural_pngs(folder, count):
    """Crops of photographs, as Pillow writes them."""
    from sklearn.datasets import load_sample_images
    generator = numpy.random.default_rng(1)
    photographs = load_sample_images().images
    for number in range(count):
        photograph = photographs[number % len(photographs)]
        top, left = (generator.integers(0, extent - 224 + 1) for extent in photograph.shape[:2])
        crop = photograph[top:top + 224, left:left + 224]
        path = folder / str(number % 10) / f"{number:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(crop[:, ::-1] if generator.random() < 0.5 else crop).save(path)


def photographs(folder, count):
    """Crops of photographs of 500×375, as Pillow writes JPEGs of the quality 90."""
    from sklearn.datasets import load_sample_images
    generator = numpy.random.default_rng(3)
    images = load_sample_images().images
    for number in range(count):
        image = images[number % len(images)]
        top, left = (generator.integers(0, had - wanted + 1) for had, wanted in zip(image.shape, (375, 500)))
        crop = image[top:top + 375, left:left + 500]
        path = folder / str(number % 10) / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(crop[:, ::-1] if generator.random() < 0.5 else crop).save(path, quality=90)


def folder_times(rrdata, folder, work, extent=None):
    """The medians of an import of a folder, ours under the key None, and every peer's, all in turn."""
    kind = ["images", "--size", f"{extent}x{extent}", "--fit", "stretch"] if extent else ["pngs"]
    times = {None: []} | {(library, mode): [] for library in LIBRARIES for mode in MODES}
    for _ in range(ROUNDS):
        for peer in times:
            if peer is None:
                seconds = timed(rrdata, "import", *kind, folder, "-o", fresh(work / "ours.h5"))
            else:
                seconds = float(subprocess.run(
                    [sys.executable, FOLDER / "peers" / "folder_to_hdf5.py", *peer, folder,
                     fresh(work / "theirs.h5"), *([str(extent)] if extent else [])],
                    capture_output=True, text=True, check=True).stdout)
            times[peer].append(seconds)
    medians = {peer: statistics.median(values) for peer, values in times.items()}
    print({" ".join(peer or ["rrdata"]): round(seconds, 2) for peer, seconds in medians.items()})
    return medians


def folder_row(title, medians, target, libraries=LIBRARIES):
    """Ours against the fastest of some peers."""
    ours = medians[None]
    fastest = min((peer for peer in medians if peer and peer[0] in libraries), key=medians.get)
    return (f"| {title} | {ours:.2f} s | {medians[fastest]:.2f} s, {fastest[0]} on {fastest[1]} "
            f"| {medians[fastest] / ours:.2f} | {target} |")


def copy_row(rrdata, work):
    with h5py.File(work / "large.h5", "w") as file:
        generator = numpy.random.default_rng(2)
        images = file.create_dataset("images", (6_700, 224, 224, 3), "u1")
        for first in range(0, len(images), 100):
            images[first:first + 100] = generator.integers(0, 256, (100, 224, 224, 3), "u1")
    times = {"rrdata": [], "cp": []}
    for _ in range(ROUNDS):
        times["rrdata"].append(timed(
            rrdata, "import", "hdf5", work / "large.h5", "--images", "images", "--layout", "NHWC", "-o",
            fresh(work / "ours.h5")))
        times["cp"].append(timed("cp", work / "large.h5", fresh(work / "theirs.h5")))
    ours, theirs = (statistics.median(times[name]) for name in times)
    fresh(work / "large.h5")
    return f"| HDF5 (N,H,W,C) uint8, 1 GB | {ours:.2f} s | {theirs:.2f} s, `cp` | {theirs / ours:.2f} | 0.7 |"


def deflate_row(rrdata, source, work):
    """Natural images, a chunk each, deflated by h5py."""
    with h5py.File(source) as plain, h5py.File(work / "deflated.h5", "w") as file:
        images = plain["images"][:].transpose(0, 2, 3, 1)
        file.create_dataset("images", data=images, chunks=(1, *images.shape[1:]), compression="gzip")

    def by_h5py():
        start = time.perf_counter()
        with h5py.File(work / "deflated.h5") as file, h5py.File(fresh(work / "theirs.h5"), "w") as output:
            images = file["images"]
            copy = output.create_dataset("images", (len(images), 3, 224, 224), "u1")
            for first in range(0, len(images), 64):
                copy[first:first + 64] = images[first:first + 64].transpose(0, 3, 1, 2)
        return time.perf_counter() - start
    times = {"rrdata": [], "h5py": []}
    for _ in range(ROUNDS):
        times["rrdata"].append(timed(
            rrdata, "import", "hdf5", work / "deflated.h5", "--images", "images", "--layout", "NHWC", "-o",
            fresh(work / "ours.h5")))
        times["h5py"].append(by_h5py())
    ours, theirs = (statistics.median(times[name]) for name in times)
    return (f"| HDF5 of 3,000 images of 224×224 RGB, chunked, deflated | {ours:.2f} s | {theirs:.2f} s, h5py "
            f"| {theirs / ours:.2f} | 2.5 |")


def memory_rows(rrdata, folder, work):
    """The peak memory of an import of the folder, and of one with each file under ten names."""
    small = peak_memory(rrdata, "import", "pngs", folder, "-o", fresh(work / "ours.h5"))
    many = work / "many"
    count = 0
    for path in sorted(folder.glob("*/*.png")):
        (many / path.parent.name).mkdir(parents=True, exist_ok=True)
        for copy in range(10):
            os.link(path, many / path.parent.name / f"{path.stem}-{copy}.png")
            count += 1
    seconds = timed(rrdata, "import", "pngs", many, "-o", fresh(work / "ours.h5"))
    large = peak_memory(rrdata, "import", "pngs", many, "-o", fresh(work / "ours.h5"))
    added = (large - small) * 1e6 / (count - count / 10)
    shutil.rmtree(many)
    return [
        "", "| peak memory | rrdata | target |", "|---|---|---|", f"| {count // 10:,} images | {small:.0f} MB | |",
        f"| {count:,} images (in {seconds:.0f} s) | {large:.0f} MB | below 200 MB |",
        f"| for each image above {count // 10:,} | {added:.0f} bytes | at most 100 |"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rrdata", required=True, type=os.path.abspath, help="the rrdata executable")
    parser.add_argument("--count", type=int, default=60_000, help="of the small images")
    parser.add_argument("--output", type=pathlib.Path, default=FOLDER / "results" / "formats.md")
    options = parser.parse_args()
    lines = ["| work | rrdata | the fastest other | times as fast | target |", "|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        gray_pngs(work / "gray", options.count)
        medians = folder_times(options.rrdata, work / "gray", work)
        lines.append(folder_row(f"{options.count:,} PNGs of 28×28 gray", medians, 2.5))
        print(lines[-1], flush=True)
        natural_pngs(work / "natural", 3_000)
        medians = folder_times(options.rrdata, work / "natural", work)
        lines.append(folder_row("3,000 PNGs of 224×224 RGB", medians, 2.2))
        print(lines[-1], flush=True)
        shutil.rmtree(work / "natural")
        os.rename(work / "theirs.h5", work / "natural.h5")
        photographs(work / "photographs", 3_000)
        medians = folder_times(options.rrdata, work / "photographs", work, extent=224)
        title = "3,000 JPEGs of 500×375 to 224×224"
        lines.append(folder_row(title, medians, 1.15, ["opencv", "torchvision"]))
        lines.append(folder_row(title, medians, 2.0, ["pillow"]))
        print(*lines[-2:], sep="\n", flush=True)
        shutil.rmtree(work / "photographs")
        lines.append(deflate_row(options.rrdata, work / "natural.h5", work))
        print(lines[-1], flush=True)
        lines.insert(-1, copy_row(options.rrdata, work))
        print(lines[-2], flush=True)
        lines += memory_rows(options.rrdata, work / "gray", work)
        print(*lines[-3:], sep="\n")
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(
        "# Imports against Pillow, OpenCV, torchvision, h5py and cp\n\n"
        f"Made by `make bench-formats` on {os.cpu_count()} cores of {model}, {platform.machine()}. Medians of {ROUNDS} "
        "rounds in turn, files in the page cache; each peer with 2 threads and with 2 processes.\n\n"
        + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Gives rrdata damaged HDF5 files and looks at how it ends.

    python3 Tests/Fuzzing/hdf5_mutations.py .build/release/rrdata --count 10000 --seed 1

Sound files of many kinds are made by h5py and by rrdata itself, damaged by a seeded random generator, and given to a
command each. A run is a failure that ends by a signal, with an exit code that the README does not name or with 70, takes
longer than five seconds, or more than 512 MB; the file and the command are then kept. Half of the files have the checksums
of HDF5's metadata repaired after the damage, since most damage would else be found by them.

Needs NumPy and h5py; hdf5plugin, where it is installed, adds Blosc and Zstd.
"""
import argparse
import concurrent.futures
import json
import os
import random
import resource
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import h5py
import numpy

SIGNATURES = [
    b"\x89HDF\r\n\x1a\n", b"OHDR", b"OCHK", b"TREE", b"SNOD", b"HEAP", b"GCOL", b"FRHP", b"FHIB", b"FHDB", b"BTHD",
    b"BTIN", b"BTLF", b"FAHD", b"FADB", b"EAHD", b"EAIB", b"EASB", b"EADB", b"SMTB", b"SMLI", b"FSHD", b"FSSE",
]
KNOWN_EXIT_CODES = {0, 1, 64, 65, 66, 73, 74}


# Checksums

def lookup3(data):
    """Bob Jenkins' hash, by which HDF5 checks its metadata."""
    mask = 0xFFFFFFFF
    length = len(data)
    a = b = c = (0xDEADBEEF + length) & mask
    position = 0
    while length - position > 12:
        x, y, z = struct.unpack_from("<III", data, position)
        a, b, c = (a + x) & mask, (b + y) & mask, (c + z) & mask
        a = (a - c) & mask ^ ((c << 4 | c >> 28) & mask)
        c = (c + b) & mask
        b = (b - a) & mask ^ ((a << 6 | a >> 26) & mask)
        a = (a + c) & mask
        c = (c - b) & mask ^ ((b << 8 | b >> 24) & mask)
        b = (b + a) & mask
        a = (a - c) & mask ^ ((c << 16 | c >> 16) & mask)
        c = (c + b) & mask
        b = (b - a) & mask ^ ((a << 19 | a >> 13) & mask)
        a = (a + c) & mask
        c = (c - b) & mask ^ ((b << 4 | b >> 28) & mask)
        b = (b + a) & mask
        position += 12
    if length == position:
        return c
    x, y, z = struct.unpack("<III", data[position:] + bytes(12 - (length - position)))
    a, b, c = (a + x) & mask, (b + y) & mask, (c + z) & mask

    def rotated(value, count):
        return (value << count | value >> (32 - count)) & mask

    c = ((c ^ b) - rotated(b, 14)) & mask
    a = ((a ^ c) - rotated(c, 11)) & mask
    b = ((b ^ a) - rotated(a, 25)) & mask
    c = ((c ^ b) - rotated(b, 16)) & mask
    a = ((a ^ c) - rotated(c, 4)) & mask
    b = ((b ^ a) - rotated(a, 14)) & mask
    c = ((c ^ b) - rotated(b, 24)) & mask
    return c


def places(data):
    """Where metadata begin by their signatures."""
    found = []
    for signature in SIGNATURES:
        position = data.find(signature)
        while position >= 0:
            found.append(position)
            position = data.find(signature, position + 1)
    return sorted(found)


def checked_blocks(data, longest=1100):
    """The blocks (start, length) of a sound file that end with a checksum of what stands before."""
    blocks = []
    for start in places(data):
        for length in range(5, min(longest, len(data) - start - 4)):
            stored = struct.unpack_from("<I", data, start + length)[0]
            if stored and lookup3(data[start:start + length]) == stored:
                blocks.append((start, length))
                break
    return blocks


# Sound files

def make_h5py_seeds(folder):
    """Files of h5py with old and new superblocks, and the arguments of the commands that read them."""
    numbers = numpy.random.RandomState(1)
    images = numbers.randint(0, 255, (7, 3, 6, 5)).astype("u1")
    masks = numbers.randint(0, 2, (7, 1, 6, 5)).astype("u1")
    try:
        import hdf5plugin
    except ImportError:
        hdf5plugin = None
    seeds = []
    for version in ("earliest", "v108", "v110"):
        def create(name):
            path = f"{folder}/{name}-{version}.h5"
            seeds.append((path, name))
            return h5py.File(path, "w", libver=version if version == "earliest" else (version, version))

        with create("plain") as file:
            file["images"] = images
            file["labels"] = numpy.arange(7) % 3
            file["masks"] = masks
        with create("chunked") as file:
            file.create_dataset("images", data=images, chunks=(2, 3, 4, 5), compression="gzip", shuffle=True,
                                fletcher32=True)
            file.create_dataset("labels", data=(numpy.arange(7) % 3).astype("i4"), chunks=(3,), compression="gzip")
            file.create_dataset("masks", data=masks, chunks=(1, 1, 6, 5), compression="lzf", maxshape=(None, 1, 6, 5))
        with create("growing") as file:
            data = file.create_dataset("images", (0, 3, 6, 5), "u2", chunks=(1, 3, 6, 5), maxshape=(None, None, 6, 5))
            data.resize((7, 3, 6, 5))
            data[...] = images
            file.create_dataset("labels", data=numpy.arange(7.0), chunks=(2,), maxshape=(None,))
            file.create_dataset("masks", data=masks, chunks=(7, 1, 6, 5), scaleoffset=0)
        with create("groups") as file:
            for name in ("train", "test", "val"):
                group = file.create_group(name)
                group["images"] = images
                group["labels"] = numpy.arange(7, dtype=">i2") % 3
                group.attrs["names"] = ["ant", "bee", "cat"]
            file["train"]["again"] = file["test"]
            file["loop"] = h5py.SoftLink("/loop")
            for number in range(40):
                file.create_group(f"many/{number:03}")
            file["images"], file["labels"] = images, numpy.arange(7)
        with create("text") as file:
            file["images"] = images
            file.create_dataset("labels", data=["ant", "bee", "cat", "ant", "bee", "cat", "ant"],
                                dtype=h5py.string_dtype())
            file.create_dataset("ids", data=numpy.array([b"a", b"bb", b"ccc", b"d", b"e", b"f", b"g"]))
            file["images"].attrs["notes"] = "x" * 500
            for number in range(12):
                file["images"].attrs[f"attribute{number}"] = [f"text {number}", "more"]
            sequences = file.create_dataset("sequences", (7,), dtype=h5py.vlen_dtype("u1"))
            for number in range(7):
                sequences[number] = numpy.arange(number + 1, dtype="u1")
            kind = h5py.enum_dtype({"ant": 0, "bee": 1, "cat": 2}, basetype="i1")
            file.create_dataset("masks", data=numpy.arange(7) % 3, dtype=kind)
        if hdf5plugin is not None:
            with create("plugins") as file:
                file.create_dataset("images", data=images, chunks=(2, 3, 6, 5), **hdf5plugin.Blosc())
                file.create_dataset("labels", data=numpy.arange(7), chunks=(4,), **hdf5plugin.Zstd())
                file.create_dataset("masks", data=masks, chunks=(3, 1, 6, 5), **hdf5plugin.Blosc(cname="lz4"))
    return seeds


def make_own_seeds(program, folder):
    """Datasets and mask sets of rrdata's own."""
    seeds = []

    def run(*arguments):
        subprocess.run([program, *arguments], check=True, capture_output=True, cwd=folder)

    source = f"{folder}/source.h5"
    with h5py.File(source, "w") as file:
        file["images"] = numpy.random.RandomState(2).randint(0, 255, (9, 1, 8, 8)).astype("u1")
        file["labels"] = numpy.arange(9) % 3
        masks = numpy.zeros((9, 1, 8, 8), "u1")
        masks[:, :, 0] = 1
        file["masks"] = masks
    for name, options in (("own", []), ("own-deflated", ["--compress", "deflate"])):
        run("import", "hdf5", source, "--images", "images", "--labels", "labels", "--masks", "masks", "-o", f"{name}.h5",
            "--masks-output", f"{name}-masks.h5", *options)
        seeds.append((f"{folder}/{name}.h5", "dataset"))
        seeds.append((f"{folder}/{name}-masks.h5", f"masks of {folder}/{name}.h5"))
    return seeds


def commands(kind, path, output):
    """The commands that read a file of a kind."""
    if kind == "dataset":
        return [
            ["info", path], ["validate", path, "--deep"], ["validate", path],
            ["stream", path, "--batch-size", "4", "--format", "null", "--split", "all"],
            ["export", "npy", path, "-o", output],
        ]
    if kind.startswith("masks of "):
        dataset = kind.removeprefix("masks of ")
        return [
            ["info", path], ["validate", dataset, path],
            ["stream", dataset, "--masks", path, "--batch-size", "4", "--format", "null", "--split", "all"],
        ]
    arrays = {
        "groups": [["--images", "train/images", "--labels", "train/labels"], ["--images", "images", "--labels", "labels"]],
        "text": [["--images", "images", "--labels", "labels"], ["--images", "images", "--labels", "ids"],
                 ["--images", "sequences"], ["--images", "images", "--labels", "masks"]],
    }.get(kind, [["--images", "images", "--labels", "labels", "--masks", "masks", "--masks-output", output + ".masks"]])
    imports = [["import", "hdf5", path, *names, "--layout", "NCHW", "-o", output] for names in arrays]
    return [["info", path], ["validate", path], *imports, *imports]


# Damage

def interesting(random_numbers, data):
    size = len(data)
    return random_numbers.choice([
        0, 1, 2, 7, 8, 255, 256, 65535, size - 1, size, size + 1, size // 2, 2**31 - 1, 2**31, 2**32 - 1, 2**32,
        2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1, random_numbers.randrange(size),
        random_numbers.randrange(size) & ~7,
    ])


def mutate(seed_data, starts, blocks, others, random_numbers):
    """A damaged copy, and a word on how."""
    data = bytearray(seed_data)
    touched = []

    def place(width):
        if starts and random_numbers.random() < 0.6:
            start = random_numbers.choice(starts) + random_numbers.randrange(0, 400)
        else:
            start = random_numbers.randrange(len(data))
        return min(start, len(data) - width)

    def store(start, new):
        data[start:start + len(new)] = new
        touched.append((start, start + len(new)))

    words = []
    for _ in range(random_numbers.choice([1, 1, 1, 2, 3, 8])):
        how = random_numbers.choice(["bit", "byte", "byte", "number", "number", "number", "copy", "splice", "swap"])
        words.append(how)
        if how == "bit":
            start = place(1)
            store(start, bytes([data[start] ^ 1 << random_numbers.randrange(8)]))
        elif how == "byte":
            store(place(1), bytes([random_numbers.choice([0, 1, 0x7F, 0x80, 0xFF, random_numbers.randrange(256)])]))
        elif how == "number":
            width = random_numbers.choice([2, 4, 8, 8])
            start = place(width)
            if random_numbers.random() < 0.5:
                start &= ~7
            store(start, (interesting(random_numbers, data) & (1 << 8 * width) - 1).to_bytes(width, "little"))
        elif how in ("copy", "splice"):
            source = data if how == "copy" else random_numbers.choice(others)
            length = min(random_numbers.choice([4, 8, 16, 32, 64, 256]), len(source), len(data))
            start = random_numbers.randrange(len(source) - length + 1)
            store(place(length), bytes(source[start:start + length]))
        else:
            first, second = place(8), place(8)
            one, other = bytes(data[first:first + 8]), bytes(data[second:second + 8])
            store(first, other)
            store(second, one)
    if random_numbers.random() < 0.5:
        words.append("repaired")
        for start, length in blocks:
            if any(first < start + length and start < last for first, last in touched):
                data[start + length:start + length + 4] = lookup3(bytes(data[start:start + length])).to_bytes(4, "little")
    if random_numbers.random() < 0.03:
        words.append("cut")
        del data[random_numbers.randrange(len(data)):]
    return bytes(data), ",".join(words)


# Runs

def run(program, arguments, folder, seconds):
    """How a command ends: (status, seconds, kilobytes, last line of its errors)."""
    began = time.monotonic()
    with open(f"{folder}/errors", "wb") as errors:
        process = subprocess.Popen(
            [program, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))
        deadline = began + 4 * seconds
        while True:
            finished, status, usage = os.wait4(process.pid, os.WNOHANG)
            if finished:
                break
            if time.monotonic() > deadline:
                process.kill()
                _, status, usage = os.wait4(process.pid, 0)
                break
            time.sleep(0.002)
        process.returncode = 0
    with open(f"{folder}/errors", "rb") as errors:
        lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return code, time.monotonic() - began, usage.ru_maxrss, lines[-1] if lines else ""


def judge(options, seeds, contents, number):
    """Damages one file, runs one command over it, and returns what happened."""
    random_numbers = random.Random(f"{options.seed}/{number}")
    path, kind = seeds[number % len(seeds)]
    data, starts, blocks = contents[path]
    others = [content[0] for content in contents.values()]
    damaged, how = mutate(data, starts, blocks, others, random_numbers)
    folder = tempfile.mkdtemp(dir=options.work)
    target = f"{folder}/damaged.h5"
    with open(target, "wb") as file:
        file.write(damaged)
    arguments = random_numbers.choice(commands(kind, target, f"{folder}/output"))
    code, seconds, kilobytes, line = run(options.program, arguments, folder, options.seconds)
    if seconds > options.seconds:
        # A machine that is busy otherwise may take long once.
        subprocess.run(["rm", "-rf", f"{folder}/output", f"{folder}/output.masks"], check=True)
        code, seconds, kilobytes, line = run(options.program, arguments, folder, options.seconds)
    faults = []
    if code < 0:
        faults.append(f"signal {-code}")
    elif code not in KNOWN_EXIT_CODES:
        faults.append(f"exit {code}")
    if seconds > options.seconds:
        faults.append("time")
    if kilobytes > options.megabytes << 10:
        faults.append("memory")
    if code == 65 and "damaged.h5" not in line:
        faults.append("file not named")
    if faults and options.keep:
        name = f"{options.keep}/{options.seed}-{number}.h5"
        shutil.copy(target, name)
        with open(f"{name}.txt", "w") as note:
            words = " ".join(shlex.quote(word) for word in arguments).replace(target, name).replace(folder, "/tmp")
            note.write(f"{words}\n{faults} {how} of {path}: {line}\n")
    shutil.rmtree(folder, ignore_errors=True)
    return code, seconds, kilobytes, faults, line


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--count", type=int, default=1000, help="damaged files (default 1000)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=5, help="the longest that a command may take (default 5)")
    parser.add_argument("--megabytes", type=int, default=512, help="the most memory of a process (default 512)")
    parser.add_argument("--keep", type=os.path.abspath, help="a folder for the files that failed")
    options = parser.parse_args()
    if options.keep:
        os.makedirs(options.keep, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hdf5-mutations-") as options.work:
        sound = f"{options.work}/sound"
        os.mkdir(sound)
        seeds = make_h5py_seeds(sound) + make_own_seeds(options.program, sound)
        contents = {}
        for path, _ in seeds:
            with open(path, "rb") as file:
                data = file.read()
            contents[path] = (data, places(data), checked_blocks(data))
        codes, faults, reader_deaths, slowest, largest = {}, {}, 0, 0.0, 0
        numbers = range(options.first, options.first + options.count)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for number, outcome in zip(numbers, pool.map(lambda n: judge(options, seeds, contents, n), numbers)):
                code, seconds, kilobytes, found, line = outcome
                codes[code] = codes.get(code, 0) + 1
                reader_deaths += "in a process of its own" in line or "come to an end" in line
                slowest, largest = max(slowest, seconds), max(largest, kilobytes)
                for fault in found:
                    faults[fault] = faults.get(fault, 0) + 1
                if found:
                    print(f"{number}: {', '.join(found)}: {line[:200]}", flush=True)
        print(json.dumps({
            "files": options.count, "seed": options.seed, "exit_codes": dict(sorted(codes.items())), "faults": faults,
            "readers_lost": reader_deaths, "slowest_seconds": round(slowest, 2), "largest_megabytes": largest >> 10}))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

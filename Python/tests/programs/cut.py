"""Changes the files of a dataset while it is streamed and read by its rows.

    cut.py KIND SEED FOLDER DATA

Ends with `lives` on standard output, whatever became of reading; what is not an error of rrdata ends it otherwise.
"""

import os
import pathlib
import random
import shutil
import sys

import rrdata


def main() -> None:
    kind, seed, folder, data = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4])
    draw = random.Random(seed)
    dataset, masks = folder / "d.h5", folder / "m.h5"
    shutil.copy(data / "decoy.h5", dataset)
    shutil.copy(data / "masks.h5", masks)
    if kind == "folder":
        dataset = folder / "images"
        shutil.copytree(data / "images", dataset)
    given = [None if kind == "folder" else masks]
    # With little memory nothing is kept, and every epoch reads the files.
    stream = rrdata.Stream(dataset, *given, batch_size=2, split="all", memory=20_000, epochs=10**6, seed=seed)
    samples = rrdata.Dataset(dataset, *given)
    batches = iter(stream)
    # Files are opened where they are first wanted.
    for _ in range(draw.randrange(1, 41)):
        next(batches)
    size = 0 if kind == "folder" else os.path.getsize(dataset)
    if kind == "images":
        os.truncate(dataset, size - draw.randrange(1, size // 2))
    elif kind == "everything":
        os.truncate(dataset, draw.choice([0, 1, 511, 4096]))
    elif kind == "masks":
        os.truncate(masks, draw.randrange(os.path.getsize(masks)))
    elif kind == "removed":
        os.remove(dataset)
    else:
        for path in dataset.glob("*/*/*"):
            draw.choice([lambda: os.truncate(path, 20), path.unlink, lambda: None])()
    faults = 0
    for _ in range(2000):
        try:
            if next(batches, None) is None:
                break
        except rrdata.Error as error:
            assert str(dataset) in str(error) or str(masks) in str(error), error
            faults += 1
            break
    for row in range(len(samples)):
        try:
            samples[row]
        except rrdata.Error:
            faults += 1
    # What was taken away is seen; what was opened before it lost its name is still read.
    assert (faults > 0) == (kind in ("images", "everything", "folder")), faults
    print(faults, "lives", sep="\n")


main()

#!/usr/bin/env python3
"""Writes the balanced Fashion-MNIST subset fashion/{train,test}/<class>/<index>.png.

    python3 Fixtures/generate_fashion.py [--source FOLDER]

FOLDER holds the four IDX files of Fashion-MNIST, as Debian's package dataset-fashion-mnist
installs them. Of each class the first images in file order are taken, 100 from the training
set and 50 from the test set; a file is named after its index in the original set. The pixels
are the original's, unchanged. Needs NumPy and Pillow.
"""

import argparse
import gzip
import pathlib
import shutil

import numpy
from PIL import Image

# In the order of the original labels 0…9. "T-shirt/top" cannot be a folder name.
CLASS_FOLDERS = [
    "T-shirt-top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle-boot",
]
SPLITS = [("train", "train", 100), ("test", "t10k", 50)]


def read_idx(path):
    """Reads a gzipped IDX file of bytes: two zeros, a type (8), a rank, and big-endian extents."""
    content = gzip.decompress(path.read_bytes())
    assert content[:3] == b"\x00\x00\x08", f"{path} is no IDX file of bytes"
    rank = content[3]
    shape = numpy.frombuffer(content, ">u4", rank, offset=4)
    return numpy.frombuffer(content, "u1", offset=4 + 4 * rank).reshape(shape)


def main():
    parser = argparse.ArgumentParser(description="Write the Fashion-MNIST subset.")
    parser.add_argument("--source", type=pathlib.Path, default="/usr/share/datasets/fashion-mnist")
    source = parser.parse_args().source
    target = pathlib.Path(__file__).resolve().parent / "fashion"

    for split, prefix, images_per_class in SPLITS:
        images = read_idx(source / f"{prefix}-images-idx3-ubyte.gz")
        labels = read_idx(source / f"{prefix}-labels-idx1-ubyte.gz")
        shutil.rmtree(target / split, ignore_errors=True)
        for label, folder_name in enumerate(CLASS_FOLDERS):
            folder = target / split / folder_name
            folder.mkdir(parents=True)
            for index in numpy.flatnonzero(labels == label)[:images_per_class]:
                Image.fromarray(images[index]).save(folder / f"{index:05}.png", optimize=True)


if __name__ == "__main__":
    main()

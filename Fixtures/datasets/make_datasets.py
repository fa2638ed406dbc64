"""Writes a dataset and masks with h5py alone, from the words of the format and not from our code.

Run: python3 Fixtures/datasets/make_datasets.py (needs h5py and NumPy)
"""

import hashlib
import pathlib
import zlib

import h5py
import numpy as np

HERE = pathlib.Path(__file__).parent
IDS = ["train/mantel/1", "train/mantel/2", "train/stiefel/ä", "test/mantel/1", "test/stiefel/2"]
LABELS = np.array([0, 0, 1, 0, 1], "<i8")


def images():
    n = np.arange(5 * 3 * 4 * 6, dtype=np.uint16).reshape(5, 3, 4, 6)
    return (n * 181).astype("<u2")


def write_dataset(path, chunked):
    x = images()
    checksums = np.array([zlib.crc32(image.tobytes()) for image in x], "<u4")
    digest = hashlib.sha256()
    for identifier in IDS:
        digest.update(identifier.encode() + b"\0")
    digest.update(LABELS.tobytes())
    digest.update(np.array(x.shape[1:], "<i8").tobytes())
    digest.update(checksums.tobytes())
    with h5py.File(path, "w") as f:
        f.attrs["format"] = "rrdata.dataset"
        f.attrs["format_version"] = "1.0"
        f.attrs["creator"] = "h5py"
        f.attrs["fingerprint"] = digest.hexdigest()
        f.attrs["provenance"] = '{"source": "make_datasets.py"}'
        options = {"chunks": (2, 3, 4, 3), "compression": "gzip", "shuffle": True} if chunked else {}
        f.create_dataset("images", data=x, **options)
        for dimension, label in zip(f["images"].dims, "NCHW"):
            dimension.label = label
        f["images"].attrs["color"] = "rgb"
        f["labels"] = LABELS
        f["labels"].attrs["class_names"] = ["mantel", "stiefel"]
        f["ids"] = np.array([i.encode() for i in IDS], "S")
        f["split"] = np.array([0, 0, 0, 1, 1], "u1")
        f["split"].attrs["split_names"] = ["train", "test"]
        f["checksum"] = checksums
    return digest.hexdigest()


def write_masks(path, fingerprint):
    a = np.zeros((3, 1, 4, 6), "u1")
    a[0, 0, 1, 2] = 1
    a[1, 0, 3, 5] = 1
    with h5py.File(path, "w") as f:
        f.attrs["format"] = "rrdata.masks"
        f.attrs["format_version"] = "1.0"
        f.attrs["creator"] = "h5py"
        f.attrs["dataset_fingerprint"] = fingerprint
        f.attrs["provenance"] = "{}"
        f["A"] = a
        f["row"] = np.array([2, 1, 2, 2, 0], "<i8")


def write_bare(path):
    with h5py.File(path, "w") as f:
        f["images"] = images()
        f["deep/er/labels"] = LABELS.astype(">i4")


if __name__ == "__main__":
    write_dataset(HERE / "h5py.h5", chunked=False)
    fingerprint = write_dataset(HERE / "h5py-gzip.h5", chunked=True)
    write_masks(HERE / "h5py-masks.h5", fingerprint)
    write_bare(HERE / "h5py-bare.h5")

"""Writes HDF5 files as other programs leave them: MATLAB's user block, compression by plugins, enumerations, PNG files
inside, the newest form, and the mark of a writer that did not close its file.

    python3 Fixtures/formats/make_hdf5_habits.py     # needs NumPy, h5py 3.16 (HDF5 2.0), hdf5plugin 7.1 and Pillow
"""
import io
import pathlib
import shutil

import h5py
import hdf5plugin
import numpy as np
from PIL import Image

folder = pathlib.Path(__file__).parent / "hdf5"


def images(count=4, channels=3, height=4, width=6):
    """uint8 (N,C,H,W); element (n, c, h, w) is 100 n + 30 c + 6 h + w, modulo 251."""
    n, c, h, w = np.indices((count, channels, height, width))
    return ((100 * n + 30 * c + 6 * h + w) % 251).astype(np.uint8)


x = images()
y = np.array([0, 1, 0, 1])

# MATLAB writes its own header into the first 512 bytes, and shows its dimensions in the opposite order.
with h5py.File(folder / "habits-matlab.mat", "w", userblock_size=512) as file:
    file["x"] = x.transpose(0, 1, 3, 2)
    file["y"] = y[None].astype(np.float64) + 1
    masks = np.zeros((4, 4, 6), np.uint8)
    masks[:, 1, 5] = 1
    file["m"] = masks.transpose(0, 2, 1)
with open(folder / "habits-matlab.mat", "r+b") as file:
    file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 .".ljust(124) + b"\x00\x02IM")

with h5py.File(folder / "habits-filters.h5", "w") as file:
    n, c, h, w = np.indices((4, 3, 16, 16))
    smooth = (40 * n + 10 * c + h // 4).astype(np.uint8)
    chunks = (2, 3, 16, 16)
    file["smooth"] = smooth
    file.create_dataset("lzf", data=smooth, chunks=chunks, compression="lzf", shuffle=True)
    for name in ["blosclz", "lz4", "zlib", "zstd"]:
        file.create_dataset("blosc-" + name, data=smooth, chunks=chunks, **hdf5plugin.Blosc(cname=name))
    file.create_dataset("zstd", data=smooth, chunks=chunks, **hdf5plugin.Zstd())
    file.create_dataset("bitshuffle", data=smooth, chunks=chunks, **hdf5plugin.Bitshuffle())
    for name in ["lzf", "blosc-blosclz", "blosc-lz4", "blosc-zlib", "blosc-zstd", "zstd"]:
        # A chunk that no filter made smaller would stand as it is.
        assert file[name].id.get_chunk_info(0).filter_mask == 0, name
        assert file[name].id.get_chunk_info(0).size < 1536, name
    chunks = (2, 3, 4, 6)
    # Bytes that no compression makes smaller are stored as they are.
    noise = np.random.default_rng(1).integers(0, 256, (4, 3, 4, 6), dtype=np.uint8)
    file.create_dataset("noise", data=noise)
    file.create_dataset("noise-lzf", data=noise, chunks=chunks, compression="lzf")
    file.create_dataset("x", data=x)
    file.create_dataset("y", data=y)

# libhdf5 decodes SZIP by itself, where it was built with libaec or libsz, as Debian's is.
with h5py.File(folder / "habits-szip.h5", "w") as file:
    n, c, h, w = np.indices((4, 3, 16, 16))
    smooth = (40 * n + 10 * c + h // 4).astype(np.uint8)
    file["smooth"] = smooth
    for name, options in [("nn", ("nn", 8)), ("ec", ("ec", 32))]:
        file.create_dataset(name, data=smooth, chunks=(2, 3, 16, 16), compression="szip", compression_opts=options)
        assert file[name].id.get_chunk_info(0).size < 1536, name
    file.create_dataset(
        "shuffled", data=smooth, chunks=(2, 3, 16, 16), shuffle=True, compression="szip", compression_opts=("nn", 16))
    file.create_dataset("y", data=np.arange(4) % 2, chunks=(4,), compression="szip", compression_opts=("nn", 4))

with h5py.File(folder / "habits-labels.h5", "w") as file:
    file["x"] = x
    file["float"] = y.astype(np.float64)
    file["half"] = y + 0.5
    file["row"] = y[None]
    file["column"] = y.reshape(4, 1, 1, 1)
    file["hot-column"] = np.eye(2, dtype=np.float32)[y].reshape(4, 1, 1, 2)
    file["hot-rows"] = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]])
    kinds = h5py.enum_dtype({"dog": 5, "cat": 7}, basetype="i4")
    file.create_dataset("kinds", data=np.array([7, 5, 7, 5], "i4"), dtype=kinds)
    kinds = h5py.enum_dtype({"dog": 5, "cat": 7}, basetype=">i2")
    file.create_dataset("big-kinds", data=np.array([7, 5, 7, 5], ">i2"), dtype=kinds, chunks=(2,))
    file.create_dataset("unknown-kinds", data=np.array([7, 5, 6, 5], "i4"), dtype=h5py.enum_dtype(
        {"dog": 5, "cat": 7}, basetype="i4"))

with h5py.File(folder / "habits-png.h5", "w") as file:
    def store(name, encoded):
        array = file.create_dataset(name, (len(encoded),), dtype=h5py.vlen_dtype(np.uint8))
        for row, element in enumerate(encoded):
            array[row] = np.frombuffer(element, np.uint8)

    def encode(image, kind="png"):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, kind)
        return buffer.getvalue()

    store("x", [encode(image.transpose(1, 2, 0)) for image in x])
    store("gray", [encode(image[0]) for image in x])
    store("sizes", [encode(x[0, 0]), encode(x[0, 0, :2])])
    store("jpeg", [encode(image[0], "jpeg") for image in x])
    store("empty", [encode(x[0, 0]), b""])
    file["pixels"] = x
    file["y"] = y

with h5py.File(folder / "habits-latest.h5", "w", libver="latest") as file:
    file.create_dataset("x", data=x, chunks=(1, 3, 4, 6), compression="gzip")

with h5py.File(folder / "habits-groups.h5", "w") as file:
    for split in ["training", "testing"]:
        file[split + "/images"] = x[:, 0]
        file[split + "/labels"] = y
    file["weights"] = y

# MedMNIST's 3-D files have these names and shapes.
volumes = {f"{split}_images": np.zeros((1, 6, 6, 6), np.uint8) for split in ["train", "val", "test"]}
labels = {f"{split}_labels": np.zeros((1, 1), np.uint8) for split in ["train", "val", "test"]}
np.savez(folder.parent / "npz" / "volumes.npz", **volumes, **labels)

# Copied while it was open for writing, as a program leaves it that is killed.
writing = folder / "writing.h5"
with h5py.File(writing, "w", libver=("v110", "v110")) as file:
    file["x"] = x
    file.flush()
    file.swmr_mode = True
    shutil.copy(writing, folder / "habits-unclosed.h5")
writing.unlink()

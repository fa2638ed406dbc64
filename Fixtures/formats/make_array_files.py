"""Writes Fixtures/formats/hdf5/varieties.h5, Fixtures/formats/npz and Fixtures/formats/idx.

Run: python3 make_array_files.py (needs numpy and h5py).
"""

import gzip
import io
import pathlib
import struct
import zipfile

import h5py
import numpy as np

here = pathlib.Path(__file__).parent

# Element (n, c, h, w) is its own row-major position.
ramp = np.arange(5 * 2 * 3 * 4).reshape(5, 2, 3, 4)
filters = {
    "contiguous": {},
    "chunked": dict(chunks=(2, 1, 2, 3)),
    "larger-chunk": dict(chunks=(8, 4, 4, 8), maxshape=(None,) * 4, compression="gzip"),
    "deflate": dict(chunks=(2, 2, 3, 4), compression="gzip"),
    "last-alone": dict(chunks=(2, 2, 3, 1), compression="gzip"),
    "shuffle": dict(chunks=(3, 2, 3, 4), shuffle=True),
    "shuffle-deflate": dict(chunks=(3, 1, 3, 4), compression="gzip", shuffle=True),
    "fletcher32": dict(chunks=(3, 2, 3, 3), fletcher32=True),
    "all": dict(chunks=(2, 2, 3, 4), compression="gzip", shuffle=True, fletcher32=True),
    "scaleoffset": dict(chunks=(2, 2, 3, 4), scaleoffset=0),
    "szip": dict(chunks=(2, 2, 3, 4), compression="szip"),
}
# Its indexes of chunks are those of HDF5 1.10, which are small; layouts.h5 has those of before.
with h5py.File(here / "hdf5" / "varieties.h5", "w", libver=("v110", "v110")) as file:
    for name, options in filters.items():
        for kind in ("u1", "<u2", ">u2", ">i4", "<f4", ">f8"):
            if name != "scaleoffset" or kind[-2] != "f":
                file.create_dataset(f"{name} {kind}", data=ramp.astype(kind), **options)
    for kind in (h5py.h5t.STD_B8LE, h5py.h5t.STD_B16BE, h5py.h5t.STD_B32LE):
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        bits = h5py.h5d.create(file.id, f"bits {kind.get_size()}".encode(), kind, h5py.h5s.create_simple(ramp.shape), creation)
        bits.write(h5py.h5s.ALL, h5py.h5s.ALL, ramp.astype(kind.dtype), mtype=kind)
    for name, kind in (("u", h5py.h5t.STD_U16BE), ("i", h5py.h5t.STD_I16LE)):
        narrow = kind.copy()
        narrow.set_precision(9)
        narrow.set_offset(2)
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((2, 2, 3, 4))
        creation.set_filter(h5py.h5z.FILTER_NBIT, h5py.h5z.FLAG_MANDATORY)
        packed = h5py.h5d.create(file.id, f"nbit {name}".encode(), narrow, h5py.h5s.create_simple(ramp.shape), creation)
        packed.write(h5py.h5s.ALL, h5py.h5s.ALL, ramp.astype("i2"))
    # A chunk that its writer left as it was, as the filter mask says.
    data = file.create_dataset("filter-mask", data=ramp.astype("<u2"), chunks=(2, 2, 3, 4), compression="gzip", shuffle=True)
    data.id.write_direct_chunk((2, 0, 0, 0), ramp[2:4].astype("<u2").tobytes(), 3)

with h5py.File(here / "hdf5" / "partial.h5", "w") as file:
    data = file.create_dataset("chunks", shape=(5, 2), dtype="u1", chunks=(2, 2), compression="gzip", fillvalue=9)
    data[2:4] = 7
    file.create_dataset("nothing", shape=(5, 2), dtype="u1", fillvalue=9)

# The last chunk's data has one byte changed.
with h5py.File(here / "hdf5" / "damaged-chunk.h5", "w") as file:
    for name, options in (("deflate", dict(compression="gzip")), ("fletcher32", dict(fletcher32=True))):
        data = file.create_dataset(name, data=np.arange(512, dtype="u1").reshape(2, 256), chunks=(1, 256), **options)
        offset = data.id.get_chunk_info(1).byte_offset
        size = data.id.get_chunk_info(1).size
        file.flush()
        with open(here / "hdf5" / "damaged-chunk.h5", "r+b") as raw:
            raw.seek(offset + size // 2)
            byte = raw.read(1)[0]
            raw.seek(offset + size // 2)
            raw.write(bytes([byte ^ 255]))

npz = here / "npz"
npz.mkdir(exist_ok=True)
images = (np.arange(6 * 2 * 4 * 3) % 251).reshape(6, 2, 4, 3).astype("u1")
medical = {
    "train_images": images[:3], "train_labels": np.array([[2], [0], [1]], "u1"),
    "val_images": images[3:4], "val_labels": np.array([[1]], "u1"),
    "test_images": images[4:], "test_labels": np.array([[0], [2]], "u1"),
}
np.savez(npz / "medmnist.npz", **medical)
np.savez_compressed(npz / "medmnist-compressed.npz", **medical)
np.savez_compressed(npz / "several-labels.npz", **{**medical, "train_labels": np.array([[1, 0, 1], [0, 0, 1], [0, 1, 0]]),
                                                   "val_labels": np.array([[1, 0, 0]]), "test_labels": np.array([[1, 0, 0], [0, 1, 0]])})
np.savez(npz / "keras.npz", x_train=images[:4, :, :, 0], y_train=np.arange(4), x_test=images[4:, :, :, 0], y_test=np.arange(2))
np.savez_compressed(npz / "named.npz", pixels=np.asfortranarray(images.astype(">f4")), classes=np.array(["b", "a", "b", "c", "a", "a"]))


def member(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


limit, zipfile.ZIP64_LIMIT = zipfile.ZIP64_LIMIT, 10
with zipfile.ZipFile(npz / "zip64.npz", "w", zipfile.ZIP_DEFLATED) as file:
    file.writestr("first.npy", member(np.arange(40)))
    file.writestr("second.npy", member(np.arange(6) + 1))
zipfile.ZIP64_LIMIT = limit
with zipfile.ZipFile(npz / "refused-bzip2.npz", "w", zipfile.ZIP_BZIP2) as file:
    file.writestr("a.npy", member(np.arange(6)))
for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
    path = npz / f"damaged-{name}.npz"
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("a.npy", member(np.arange(6)))
    whole = bytearray(path.read_bytes())
    whole[100] ^= 255
    path.write_bytes(whole)
with zipfile.ZipFile(npz / "whole.npz", "w", zipfile.ZIP_DEFLATED) as file:
    file.writestr("a.npy", member(np.arange(6)))
whole = (npz / "whole.npz").read_bytes()
directory = whole.index(b"PK\1\2")
(npz / "whole.npz").unlink()


def change(name, offset, value):
    (npz / f"damaged-{name}.npz").write_bytes(whole[:offset] + value + whole[offset + len(value):])


change("vast", directory + 24, struct.pack("<I", 0xFFFFFFF0))
change("size", directory + 24, struct.pack("<I", 177))
change("region", directory + 20, struct.pack("<I", 100_000))
change("count", len(whole) - 12, struct.pack("<H", 9))
change("directory", len(whole) - 10, struct.pack("<I", 1 << 30))
change("offset", directory + 42, struct.pack("<I", 1 << 30))
(npz / "damaged-cut.npz").write_bytes(whole[:-9])
(npz / "damaged-text.npz").write_text("not a ZIP file")

idx = here / "idx"
idx.mkdir(exist_ok=True)


def encode(array, code):
    head = struct.pack(">BBBB", 0, 0, code, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


small = np.arange(24).reshape(2, 3, 4)
for kind, code in (("u1", 8), ("i1", 9), ("i2", 11), ("i4", 12), ("f4", 13), ("f8", 14)):
    (idx / f"{kind}.idx").write_bytes(encode(small.astype(kind), code))
whole = encode(small.astype("u1"), 8)
(idx / "labels.idx").write_bytes(encode(np.array([1, 0], "u1"), 8))
(idx / "u1.gz").write_bytes(gzip.compress(whole, mtime=0))
(idx / "members.gz").write_bytes(gzip.compress(whole[:20], mtime=0) + gzip.compress(whole[20:], mtime=0))
(idx / "damaged-short").write_bytes(whole[:-1])
(idx / "damaged-longer").write_bytes(whole + b"\0")
(idx / "damaged-vast").write_bytes(whole[:4] + b"\xff" * 12 + whole[16:])
(idx / "damaged-type").write_bytes(whole[:2] + b"\7" + whole[3:])
(idx / "damaged-rank").write_bytes(whole[:3] + b"\xff" + whole[4:])
(idx / "damaged-cut.gz").write_bytes(gzip.compress(whole, mtime=0)[:-6])
broken = bytearray(gzip.compress(whole, mtime=0))
broken[20] ^= 255
(idx / "damaged-byte.gz").write_bytes(broken)
# A last word that claims 4 GB.
(idx / "damaged-claim.gz").write_bytes(gzip.compress(whole, mtime=0)[:-4] + b"\xff\xff\xff\xff")

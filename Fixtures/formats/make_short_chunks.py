"""Writes HDF5 files whose one chunk of 64 MiB decodes to 100 bytes, as damage or malice may have it.

    python3 Fixtures/formats/make_short_chunks.py

libhdf5 1.10 copies the whole chunk out of what its filters give it.
"""

import ctypes
import os
import zlib

import h5py
import numpy

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hdf5")
text = b"a" * 100


def write(path, name, shape, filters, chunk):
    with h5py.File(os.path.join(here, path), "w") as file:
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk(shape)
        if filters == "deflate":
            creation.set_deflate(1)
        else:
            creation.set_filter(filters, h5py.h5z.FLAG_OPTIONAL, (3, 0, 100))
        space = h5py.h5s.create_simple(shape)
        dataset = h5py.h5d.create(file.id, name.encode(), h5py.h5t.NATIVE_UINT8, space, creation)
        dataset.write_direct_chunk((0,) * len(shape), chunk)


def lzf():
    with h5py.File("lzf", "w", driver="core", backing_store=False) as file:
        dataset = file.create_dataset("x", data=numpy.frombuffer(text, numpy.uint8), compression="lzf")
        return dataset.id.read_direct_chunk((0,))[1]


def zstd():
    library = ctypes.CDLL("libzstd.so.1")
    target = ctypes.create_string_buffer(1000)
    return target.raw[: library.ZSTD_compress(target, 1000, text, len(text), 1)]


images = (4, 1, 4096, 4096)
write("short-deflate.h5", "x", images, "deflate", zlib.compress(text))
write("short-lzf.h5", "x", images, 32000, lzf())
write("short-zstd.h5", "x", images, 32015, zstd())

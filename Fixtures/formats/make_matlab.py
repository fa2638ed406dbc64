"""Writes HDF5 files that begin with a block of the user's, as MATLAB's version 7.3 do.

    python3 Fixtures/formats/make_matlab.py

hdf5/matlab.mat holds what `save('matlab.mat', 'x', 'm', 'y', '-v7.3')` does of images x (H, W, C, N), masks m
(H, W, N) and labels y: MATLAB stores the last dimension first, so that HDF5 has (N, C, W, H) and (N, W, H). The images are
0, 1, 2, ... in the order (N, C, H, W), each mask marks row 1, column 5. hdf5/user-block.h5 is a dataset of ours behind
such a block.
"""

import hashlib
import os
import zlib

import h5py
import numpy

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hdf5")
images = (numpy.arange(3 * 2 * 8 * 8) % 256).astype(numpy.uint8).reshape(3, 2, 8, 8)
masks = numpy.zeros((3, 8, 8), numpy.uint8)
masks[:, 1, 5] = 1


def write_block(path, text):
    with open(path, "r+b") as file:
        file.write(text.ljust(124).encode() + bytes([0, 2]) + b"IM")


def matlab(path):
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in [
            ("x", images.transpose(0, 1, 3, 2)),
            ("m", masks.transpose(0, 2, 1)),
            ("y", numpy.arange(3, dtype=numpy.int32)),
        ]:
            dataset = file.create_dataset(name, data=numpy.ascontiguousarray(array))
            dataset.attrs["MATLAB_class"] = numpy.bytes_(array.dtype.name)
    write_block(path, "MATLAB 7.3 MAT-file")


def dataset(path):
    text = h5py.string_dtype()
    with h5py.File(path, "w", userblock_size=512) as file:
        stored = file.create_dataset("images", data=images)
        stored.attrs["DIMENSION_LABELS"] = numpy.array(list("NCHW"), dtype=object)
        stored.attrs.create("color", "other", dtype=text)
        file.create_dataset("ids", data=numpy.array([b"0", b"1", b"2"], dtype="S1"))
        checksums = [zlib.crc32(image.tobytes()) for image in images]
        file.create_dataset("checksum", data=numpy.array(checksums, numpy.uint32))
        digest = hashlib.sha256(b"0\x001\x002\x00")
        digest.update(numpy.array(images.shape[1:], "<i8").tobytes())
        digest.update(numpy.array(checksums, "<u4").tobytes())
        for name, value in [
            ("format", "rrdata.dataset"),
            ("format_version", "1.0"),
            ("creator", "make_matlab.py"),
            ("fingerprint", digest.hexdigest()),
            ("provenance", "{}"),
        ]:
            file.attrs.create(name, value, dtype=text)
    write_block(path, "a block of the user's")


matlab(os.path.join(here, "matlab.mat"))
dataset(os.path.join(here, "user-block.h5"))

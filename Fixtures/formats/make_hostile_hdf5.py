"""Writes HDF5 files over which libhdf5 1.10 crashes or never comes to an end, and one of groups in a circle.

    python3 Fixtures/formats/make_hostile_hdf5.py
"""

import os

import h5py
import numpy

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hdf5")


def text_file(name):
    """A file with a text of variable length, which stands in the file's global heap."""
    path = os.path.join(here, name)
    with h5py.File(path, "w") as file:
        file["x"] = numpy.zeros((2, 3, 3), numpy.uint8)
        file.attrs["format"] = "text"
    with open(path, "rb") as file:
        data = bytearray(file.read())
    return path, data, data.index(b"GCOL")


def save(path, data):
    with open(path, "wb") as file:
        file.write(data)


# The attribute says which object of the heap its text is; the heap has no such object.
path, data, heap = text_file("hostile-crash.h5")
reference = data.index(heap.to_bytes(8, "little") + (1).to_bytes(4, "little"))
data[reference + 8:reference + 12] = (0x7FFFFFFF).to_bytes(4, "little")
save(path, data)

# The heap's free space begins with its first object and has no bytes.
path, data, heap = text_file("hostile-endless.h5")
data[heap + 16:heap + 18] = bytes(2)
data[heap + 24:heap + 32] = bytes(8)
save(path, data)

with h5py.File(os.path.join(here, "hostile-circle.h5"), "w") as file:
    first, second = file.create_group("first"), file.create_group("second")
    for number in range(10):
        first[f"second{number}"] = second
        second[f"first{number}"] = first
        second[f"root{number}"] = file["/"]
    second["x"] = numpy.zeros(3, numpy.uint8)

"""Writes Fixtures/formats/hdf5: small files by h5py. Run: python3 make_hdf5.py (needs numpy and h5py)."""

import pathlib

import h5py
import numpy as np

folder = pathlib.Path(__file__).parent / "hdf5"
folder.mkdir(exist_ok=True)

# Element (n, c, h, w) is its own row-major position, so a test can say what it expects.
ramp = np.arange(5 * 2 * 3 * 4).reshape(5, 2, 3, 4)

with h5py.File(folder / "types.h5", "w", track_order=False) as file:
    for name in ("u1", "i1", "<u2", ">u2", "<i2", ">i4", "<u4", "<i8", ">u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"):
        file.create_dataset(name.replace("<", "little-").replace(">", "big-"), data=ramp.astype(name))
    file.create_dataset("bool", data=ramp % 3 == 0)
    file.create_dataset("negative", data=np.array([-1, 0, 1], dtype="<i2"))
    file.create_dataset("large", data=np.array([0, 255, 256], dtype="<i4"))
    file.create_dataset("fractions", data=np.array([0.5, 1.0], dtype="<f8"))
    file.create_dataset("scalar", data=np.int32(7))
    file.create_dataset("nothing", data=h5py.Empty("f4"))
    file.create_dataset("no-rows", shape=(0, 3), dtype="u1")
    file.create_dataset("never-written", shape=(4, 2), dtype="u1")
    file.create_dataset("compound", data=np.zeros(2, dtype=[("a", "u1"), ("b", "<f4")]))

with h5py.File(folder / "layouts.h5", "w") as file:
    data = ramp.astype("u2")
    file.create_dataset("contiguous", data=data)
    file.create_dataset("chunked", data=data, chunks=(2, 1, 2, 3))
    file.create_dataset("deflate", data=data, chunks=(2, 2, 3, 4), compression="gzip", compression_opts=4)
    file.create_dataset(
        "shuffle-deflate-fletcher32", data=data, chunks=(3, 2, 3, 4), compression="gzip", shuffle=True, fletcher32=True)
    file.create_dataset("lzf", data=data, chunks=(2, 2, 3, 4), compression="lzf")
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((5, 2))
    compact = h5py.h5d.create(file.id, b"compact", h5py.h5t.STD_U8LE, space, creation)
    compact.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(10, dtype="u1").reshape(5, 2))

with h5py.File(folder / "strings.h5", "w") as file:
    words = ["", "a", "T-shirt/top", "Müller", "日本"]
    file.create_dataset("variable", data=words, dtype=h5py.string_dtype())
    file.create_dataset("fixed", data=np.array([w.encode() for w in words], dtype="S16"))
    file.create_dataset("not-utf8", data=np.array([b"ok", b"\xff\xfe"], dtype="S4"))
    file.attrs["text"] = "Müller"
    file.attrs["bytes"] = np.bytes_(b"fixed")
    file.attrs["list"] = words
    file.attrs["integer"] = -5
    file.attrs["unsigned"] = np.uint64(2**63)
    file.attrs["fraction"] = 0.5
    file.attrs["empty"] = h5py.Empty("S1")

with h5py.File(folder / "elsewhere.h5", "w") as file:
    file["external-link"] = h5py.ExternalLink("layouts.h5", "/contiguous")
    file["soft-link"] = h5py.SoftLink("/group/inside")
    file["dangling"] = h5py.SoftLink("/missing")
    file.create_group("group").create_dataset("inside", data=np.arange(3, dtype="u1"))
    file.create_dataset("external-storage", shape=(4,), dtype="u1", external=[("/etc/hostname", 0, 4)])
    layout = h5py.VirtualLayout(shape=(5, 2, 3, 4), dtype="u2")
    layout[:] = h5py.VirtualSource("layouts.h5", "contiguous", shape=(5, 2, 3, 4))
    file.create_virtual_dataset("virtual", layout)

with h5py.File(folder / "vast.h5", "w") as file:
    # Claims 16 TB that were never written.
    file.create_dataset("contiguous", shape=(1 << 22, 1 << 22), dtype="u1")
    file.create_dataset("chunked", shape=(1 << 22, 1 << 22), dtype="u1", chunks=(1, 1024), compression="gzip")

with h5py.File(folder / "unwritten.h5", "w") as file:
    # Chunks that were never written read as the fill value.
    chunks = {"chunks": (16, 64, 64), "compression": "gzip"}
    file.create_dataset("filled", shape=(1000, 64, 64), dtype="u1", fillvalue=7, **chunks)
    file.create_dataset("largest", shape=(1 << 14, 64, 64), dtype="u1", **chunks)
    file.create_dataset("beyond", shape=((1 << 14) + 1, 64, 64), dtype="u1", **chunks)
    file.create_dataset("wide", shape=(1 << 14, 64, 64), dtype="<u2", **chunks)
    file.create_dataset("text", shape=(1 << 25,), dtype="S1", chunks=(1024,))

whole = (folder / "layouts.h5").read_bytes()
(folder / "truncated.h5").write_bytes(whole[: len(whole) // 2])
(folder / "text.h5").write_text("id,label\n0,3\n")
(folder / "empty.h5").write_bytes(b"")

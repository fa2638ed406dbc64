"""Writes Fixtures/formats/npy and Fixtures/formats/safetensors by NumPy and PyTorch.

Run: python3 make_arrays.py (needs numpy, torch, safetensors).
"""

import json
import pathlib
import struct

import numpy as np
import torch
from safetensors.torch import save_file

npy = pathlib.Path(__file__).parent / "npy"
npy.mkdir(exist_ok=True)
ramp = np.arange(6)
for name in ("u1", "i8", "f4", "f8"):
    np.save(npy / f"{name}.npy", ramp.astype(name).reshape(2, 3) + (np.float64(0.5).astype(name)))
np.save(npy / "vector.npy", ramp.astype("<f4"))
np.save(npy / "scalar.npy", np.float64(7.5))
np.save(npy / "no-rows.npy", np.zeros((0, 1, 28, 28), "<f4"))
np.save(npy / "long.npy", np.zeros((0, 1234567890123456), "|u1"))
types = npy / "types"
types.mkdir(exist_ok=True)
cube = np.arange(12).reshape(3, 2, 2)
for kind in ("bool", "u1", "i1", *(order + kind for kind in ("u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8") for order in "lb")):
    data = cube % 2 == 1 if kind == "bool" else cube.astype(kind.replace("l", "<").replace("b", ">") if len(kind) == 3 else kind)
    for version in (1, 2, 3):
        for order in "CF":
            with open(types / f"{kind}-{version}{order}.npy", "wb") as file:
                np.lib.format.write_array(file, np.asarray(data, order=order), version=(version, 0))
words = ["", "a", "Müller", "日本"]
np.save(types / "text-S.npy", np.array([word.encode() for word in words]))
np.save(types / "text-lU.npy", np.array(words, "<U7"))
np.save(types / "text-bU.npy", np.array(words, ">U7"))
np.save(npy / "refused-complex.npy", ramp.astype("<c8"))
np.save(npy / "refused-long-double.npy", ramp.astype(np.longdouble))
np.save(npy / "refused-date.npy", ramp.astype("<M8[D]"))
np.save(npy / "refused-record.npy", np.zeros(2, dtype=[("a", "u1"), ("b", "<f4")]))
np.save(npy / "refused-object.npy", np.array([{}, None], dtype=object), allow_pickle=True)
whole = (npy / "f4.npy").read_bytes()
(npy / "damaged-truncated.npy").write_bytes(whole[:-1])
(npy / "damaged-longer.npy").write_bytes(whole + b"\0")
(npy / "damaged-header-cut.npy").write_bytes(whole[:40])
(npy / "damaged-literal.npy").write_bytes(whole.replace(b"(2, 3)", b"(2, x)"))
(npy / "damaged-negative.npy").write_bytes(whole.replace(b"(2, 3)", b"(2,-3)"))
vast = b"(9999999999, 9999999999)"
(npy / "damaged-vast.npy").write_bytes(whole.replace(b"(2, 3), }" + b" " * 18, vast + b", }"))
(npy / "damaged-text.npy").write_text("not an array")
(npy / "damaged-vast-header.npy").write_bytes(b"\x93NUMPY\2\0" + struct.pack("<I", 1 << 30) + whole[10:])

folder = pathlib.Path(__file__).parent / "safetensors"
folder.mkdir(exist_ok=True)
values = torch.arange(6, dtype=torch.float64).reshape(2, 3) / 4 - 0.5
save_file({"0.weight": values.float(), "0.bias": values[0].float() + 1}, folder / "f32.safetensors", {"format": "pt"})
save_file({"1.weight": values, "1.bias": values[1].clone()}, folder / "f64.safetensors", {"format": "pt"})
save_file(
    {"half": values.half(), "brain": values.bfloat16(), "count": torch.tensor(3), "double": values, "empty": values[:0].clone()},
    folder / "mixed.safetensors")


def file(name, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    count = len(text) if length is None else length
    (folder / f"hostile-{name}.safetensors").write_bytes(struct.pack("<Q", count) + text + data)


def tensor(dtype="F32", shape=(2,), offsets=(0, 8), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}


data = bytes(8)
(folder / "hostile-short.safetensors").write_bytes(b"\x02\0\0")
file("huge-length", {"a": tensor()}, data, length=1 << 63)
file("length-over-limit", {"a": tensor()}, data, length=100_000_001)
file("length-beyond-end", {"a": tensor()}, data, length=9999)
file("no-object", b"[]")
file("bad-json", b'{"a":{"dtype":"F32","shape":[2]')
file("not-utf8", b'{"\xff\xfe":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', data)
file("trailing-text", b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}x', data)
file("duplicate", b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', data)
file("unknown-type", {"a": tensor(dtype="F7")}, data)
file("missing-field", {"a": {"dtype": "F32", "shape": [2]}}, data)
file("unknown-field", {"a": tensor(color="red")}, data)
file("fraction", b'{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}', data)
file("negative", b'{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}', data)
file("large-integer", b'{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}', data)
file("shape-overflow", {"a": tensor(shape=(1 << 32, 1 << 32))}, data)
file("size-mismatch", {"a": tensor(shape=(3,))}, data)
file("reversed", {"a": tensor(shape=(0,), offsets=(8, 0))}, data)
file("out-of-range", {"a": tensor(shape=(4,), offsets=(0, 16))}, data)
file("overlap", {"a": tensor(), "b": tensor(shape=(1,), offsets=(4, 8))}, data)
file("gap", {"a": tensor(shape=(1,), offsets=(0, 4)), "b": tensor(shape=(0,), offsets=(8, 8))}, data)
file("unclaimed", {"a": tensor(shape=(1,), offsets=(0, 4))}, data)
file("half-surrogate", b'{"\\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', data)
file("metadata-number", {"__metadata__": {"format": 1}, "a": tensor()}, data)

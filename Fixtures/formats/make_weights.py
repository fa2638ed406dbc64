"""Writes Fixtures/formats/weights: the same weights in the forms in which people keep them, and files that are refused.

Run: python3 make_weights.py (needs numpy, torch, safetensors).

All that is served holds the values of plain.safetensors, under names that become its names; torch.load reads them too.
"""

import argparse
import collections
import io
import pathlib
import pickle
import struct
import zipfile

import numpy as np
import torch
from safetensors.torch import save_file

folder = pathlib.Path(__file__).parent / "weights"
folder.mkdir(exist_ok=True)
DATE = (1980, 1, 1, 0, 0, 0)


def network():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))


torch.manual_seed(0)
model = network()
with torch.no_grad():
    for number, values in enumerate(model.parameters()):
        values.copy_(((torch.arange(values.numel()) * 5 + number) % 11 / 4 - 1.25).reshape(values.shape))
plain = model.state_dict()
other = torch.nn.Sequential(torch.nn.Linear(7, 7)).state_dict()
save_file(plain, folder / "plain.safetensors", {"format": "pt"})


def save(name, content, **options):
    """By torch.save, the file's folder always called `archive`."""
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    (folder / name).write_bytes(buffer.getvalue())


def prefixed(prefix, state=plain):
    return collections.OrderedDict((prefix + name, values) for name, values in state.items())


save("state-dict.pt", plain)
save("protocol-4.pt", plain, pickle_protocol=4)
save("half.pt", {name: values.half() for name, values in plain.items()})
save("brain.pt", {name: values.bfloat16() for name, values in plain.items()})
save("double.pt", {name: values.double() for name, values in plain.items()})
save("parameters.pt", dict(model.named_parameters()))
spaced = torch.full((9,), 77.0)
spaced[3:7:2] = plain["3.bias"]
save(
    "strided.pt",
    {"1.weight": plain["1.weight"].t().contiguous().t(), "1.bias": plain["1.bias"].clone(),
     "3.weight": plain["3.weight"].t().contiguous().t(), "3.bias": spaced[3:7:2]})
flat = torch.cat([values.flatten() for values in plain.values()])
starts = np.cumsum([0] + [values.numel() for values in plain.values()])
save("shared.pt", {
    name: flat[start:start + values.numel()].view(values.shape) for start, (name, values) in zip(starts, plain.items())})
save("data-parallel.pt", prefixed("module."))
save("compiled.pt", prefixed("_orig_mod.module."))
save("compiled-part.pt", {name.replace("3.", "3._orig_mod."): values for name, values in plain.items()})
save("larger.pt", prefixed("head.net."))
save_file(prefixed("module."), folder / "data-parallel.safetensors", {"format": "pt"})
save("lightning.pt", {
    "epoch": 3, "global_step": 1200, "pytorch-lightning_version": "2.5.0", "state_dict": prefixed("model."),
    "optimizer_states": [{"state": {}, "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999), "amsgrad": False}]}],
    "lr_schedulers": [], "hyper_parameters": {"width": 3, "name": "a"}, "callbacks": {}})
optimizer = torch.optim.Adam(trained := network().parameters())
loss = sum(values.sum() for values in optimizer.param_groups[0]["params"])
loss.backward()
optimizer.step()
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5])
save("checkpoint.pt", {
    "model_state_dict": plain, "optimizer_state_dict": optimizer.state_dict(), "scheduler": scheduler.state_dict(),
    "loss": 0.5, "history": [0.5, 0.25], "best": None, "device": torch.device("cpu"), "type": torch.float32,
    "large": 1 << 80, "negative": -5, "seed": 1 << 40})
save("two-networks.pt", {"generator": other, "discriminator": plain})
norm = torch.nn.Sequential(torch.nn.BatchNorm2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 2))
norm(torch.arange(8.0).reshape(2, 1, 2, 2))
save_file(norm.state_dict(), folder / "norm.safetensors", {"format": "pt"})
save("norm-data-parallel.pt", prefixed("module.", norm.state_dict()))


def members(name):
    with zipfile.ZipFile(folder / name) as archive:
        return {member: archive.read(member) for member in archive.namelist()}


def archive(name, content, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(folder / name, "w", method) as file:
        for member, data in content.items():
            file.writestr(zipfile.ZipInfo(member, DATE), data, method)


def swapped(content):
    """What PyTorch writes on a big-endian machine."""
    return {
        name: b"big" if name.endswith("byteorder")
        else np.frombuffer(data, "<f4").astype(">f4").tobytes() if "/data/" in name else data
        for name, data in content.items()}


archive("big-endian.pt", swapped(members("state-dict.pt")))
archive("deflated.pt", members("state-dict.pt"), zipfile.ZIP_DEFLATED)
old = members("state-dict.pt")
archive("without-byteorder.pt", {name: data for name, data in old.items() if not name.endswith("byteorder")})

arrays = {name: values.numpy() for name, values in plain.items()}
np.savez(folder / "arrays.npz", **arrays)
np.savez_compressed(folder / "arrays-double.npz", **{
    "module." + name: np.asfortranarray(values.astype(">f8")) for name, values in arrays.items()}, words=np.array(["a"]))

for path in sorted(folder.glob("*.pt")):
    if not path.name.startswith(("refused-", "hostile-", "deflated")):
        torch.load(path, weights_only=False)
assert all(torch.load(folder / "big-endian.pt")[name].equal(values) for name, values in plain.items())

# What is refused by name.
save("refused-module.pt", model)
save("refused-old.pt", plain, _use_new_zipfile_serialization=False)
save("refused-namespace.pt", {"args": argparse.Namespace(width=3), "state_dict": plain})
save("refused-numpy.pt", {"best": np.float64(0.5), "model_state_dict": plain})
save("refused-sparse.pt", {"1.weight": torch.eye(3).to_sparse()})
save("refused-complex.pt", {"1.weight": torch.zeros(3, 4, dtype=torch.complex64)})
save("refused-set.pt", {"state_dict": plain, "frozen": {1, 2}})
save("refused-twins.pt", {"model": plain, "ema": {"shadow": prefixed("module.")}})
save("refused-list.pt", list(plain.values()))
save("refused-tensor.pt", plain["1.weight"])
save("refused-numbers.pt", {"epoch": 3, "loss": 0.5})
script = io.BytesIO()
torch.jit.save(torch.jit.script(model), script)
(folder / "refused-script.pt").write_bytes(script.getvalue())
(folder / "refused-pickle.pt").write_bytes(pickle.dumps(arrays))
np.save(folder / "refused-array.npy", arrays["1.weight"])


class Hostile:
    """A pickle, instruction by instruction."""

    def __init__(self):
        self.bytes = b"\x80\x02}"

    def text(self, text):
        return b"X" + struct.pack("<I", len(text)) + text.encode()

    def integer(self, value):
        return b"\x8a\x08" + struct.pack("<q", value)

    def tensor(self, name, shape, strides, offset=0, count=12, key="0", storage="FloatStorage"):
        numbers = lambda values: b"(" + b"".join(map(self.integer, values)) + b"t"
        self.bytes += (
            self.text(name) + b"ctorch._utils\n_rebuild_tensor_v2\n((" + self.text("storage") + b"ctorch\n"
            + storage.encode() + b"\n" + self.text(key) + self.text("cpu") + self.integer(count) + b"tQ"
            + self.integer(offset) + numbers(shape) + numbers(strides)
            + b"\x89ccollections\nOrderedDict\n)RtRs")
        return self

    def write(self, name, end=b".", size=48, method=zipfile.ZIP_STORED):
        archive(f"hostile-{name}.pt", {
            "archive/data.pkl": self.bytes + end, "archive/byteorder": b"little", "archive/data/0": bytes(size)},
            method)


Hostile().tensor("1.weight", (3, 4), (4, 1), offset=1).write("beyond")
Hostile().tensor("1.weight", (3, 4), (4, 1), offset=-1).write("before")
Hostile().tensor("1.weight", (3, 4), (1 << 62, 1)).write("stride")
Hostile().tensor("1.weight", (1 << 40, 1 << 40), (0, 0)).write("overflow")
Hostile().tensor("1.weight", (1 << 20, 1 << 20), (0, 0)).write("vast")
Hostile().tensor("1.weight", (-3, 4), (4, 1)).write("negative")
Hostile().tensor("1.weight", (3, 4), (4,)).write("strides")
Hostile().tensor("1.weight", (3, 4), (4, 1), count=1 << 60).write("count")
Hostile().tensor("1.weight", (3, 4), (4, 1)).write("storage-size", size=44)
Hostile().tensor("1.weight", (3, 4), (4, 1), key="../0").write("missing")
Hostile().tensor("1.weight", (3, 4), (4, 1)).tensor("1.weight", (3, 4), (4, 1)).write("twice")
Hostile().tensor("a", (1,), (1,)).tensor("b", (1,), (1,), storage="LongStorage").write("two-types")
Hostile().tensor("1.weight", (3, 4), (4, 1)).write("cut", end=b"")
for name, instructions in {
    "system": b"cposix\nsystem\n(X\x04\0\0\0true" + b"tR.",
    "system-4": b"\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.",
    "build": b"ctorch\nSize\n)b.",
    "object": b"(X\1\0\0\0aios\nsystem\n.",
    "new-object": b"ccollections\nOrderedDict\n)\x81.",
    "memo": b"h\x07.",
    "empty": b"0.",
    "mark": b"t.",
    "text": b"X\xff\xff\xff\xff.",
    "long": b"\x8d" + b"\xff" * 8 + b".",
    "call": b"K\1)R.",
    "append": b"K\1K\2a.",
    "members": b"(K\1u.",
    "storage": b")Q.",
    "instruction": b"\xff.",
    "protocol": b"\x80\x09.",
}.items():
    hostile = Hostile()
    hostile.bytes += instructions
    hostile.write(name, end=b"")
for name, instructions in {
    "deep": b"]" + b"\x85" * 200_000, "many": b"N" * 1_000_100,
    "dictionaries": b"q\0" + b"".join(b"X\2\0\0\0" + bytes([97 + n // 26 % 26, 97 + n % 26]) + b"}s" for n in range(676)),
}.items():
    hostile = Hostile()
    hostile.bytes += instructions
    hostile.write(name, method=zipfile.ZIP_DEFLATED)
circle = Hostile()
circle.bytes += b"q\0" + circle.text("self") + b"h\0s"
circle.tensor("a", (3, 4), (4, 1)).write("circle")
broken = bytearray((folder / "state-dict.pt").read_bytes())
place = broken.find(plain["1.weight"].numpy().tobytes())
broken[place] ^= 1
(folder / "hostile-checksum.pt").write_bytes(broken)
(folder / "hostile-cut-archive.pt").write_bytes((folder / "state-dict.pt").read_bytes()[:-30])
content = members("state-dict.pt")
archive("hostile-byteorder.pt", {name: b"middle" if name.endswith("byteorder") else data for name, data in content.items()})

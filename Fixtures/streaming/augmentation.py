"""Writes augmentation.json: what the changes of place make of an image, computed by NumPy.

The draws are defined in RRStreaming.docc/stream-order.md. Run: python3 Fixtures/streaming/augmentation.py
"""

import json
import pathlib

import numpy as np
from permutation import GOLDEN, WORD, mix

NUMBERS = {"hflip": 1, "vflip": 2, "crop": 3, "rot90": 4, "cutout": 5}


def draws(seed, epoch, index, name):
    state = mix((seed + GOLDEN) & WORD)
    state = mix(((state ^ epoch) + GOLDEN) & WORD)
    state = mix(((state ^ index) + GOLDEN) & WORD)
    state = (state + NUMBERS[name] * GOLDEN) & WORD
    while True:
        state = (state + GOLDEN) & WORD
        yield mix(state)


def augment(x, changes, seed, epoch, index):
    height, width = x.shape[1:]
    for change in changes.split(","):
        name, _, amount = change.partition(":")
        source = draws(seed, epoch, index, name)

        def draw(count):
            return next(source) * count >> 64

        if name == "hflip" and draw(2):
            x = x[:, :, ::-1]
        elif name == "vflip" and draw(2):
            x = x[:, ::-1]
        elif name == "crop":
            p = int(amount)
            down, right = draw(2 * p + 1) - p, draw(2 * p + 1) - p
            padded = np.pad(x, ((0, 0), (p, p), (p, p)))
            x = padded[:, p - down:p - down + height, p - right:p - right + width]
        elif name == "rot90":
            x = np.rot90(x, draw(4), axes=(1, 2))
        elif name == "cutout":
            size = int(amount)
            top, left = draw(height) - size // 2, draw(width) - size // 2
            x = x.copy()
            x[:, max(0, top):max(0, top + size), max(0, left):max(0, left + size)] = 0
    return x


if __name__ == "__main__":
    cases = []
    for number, (changes, shape) in enumerate(
        [("hflip", (2, 3, 4)), ("vflip", (2, 3, 4)), ("crop:2", (1, 3, 5)), ("rot90", (2, 4, 4)), ("rot90", (1, 5, 5)),
         ("cutout:2", (2, 4, 5)), ("hflip,vflip,crop:1,rot90,cutout:3", (2, 5, 5)), ("cutout:3,rot90,hflip", (1, 4, 4))]
    ):
        for index in range(6):
            x = np.arange(1, np.prod(shape) + 1).reshape(shape)
            y = augment(x, changes, 2**64 - 1 - number, number, index)
            cases.append({"changes": changes, "shape": shape, "seed": str(2**64 - 1 - number), "epoch": number,
                          "index": index, "result": y.ravel().tolist()})
    text = "[\n" + ",\n".join("  " + json.dumps(c) for c in cases) + "\n]\n"
    pathlib.Path(__file__).with_suffix(".json").write_text(text)

"""Writes torchvision_changes.json: what torchvision makes of small images by the changes that resample or recolour them.

The draws are defined in RRStreaming.docc/stream-order.md; what is done with them is torchvision.transforms.v2.functional's.
Pixel i of an image is (7919 i mod 256) / 255, and its mask marks a rectangle. Run with torch and torchvision:
python3 Fixtures/streaming/torchvision_changes.py
"""

import json
import math
import pathlib

import torch
from permutation import GOLDEN, WORD, mix
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as F

NUMBERS = {"hflip": 1, "resized-crop": 9, "rotate": 10, "hue": 11, "blur": 12}


def draws(seed, epoch, index, name):
    state = mix((seed + GOLDEN) & WORD)
    state = mix(((state ^ epoch) + GOLDEN) & WORD)
    state = mix(((state ^ index) + GOLDEN) & WORD)
    state = (state + NUMBERS[name] * GOLDEN) & WORD
    while True:
        state = (state + GOLDEN) & WORD
        yield mix(state)


def crop_box(height, width, area, ratio, below, unit):
    low, high = math.log(ratio[0]), math.log(ratio[1])
    for _ in range(10):
        pixels = height * width * (area[0] + (area[1] - area[0]) * unit())
        proportion = math.exp(low + (high - low) * unit())
        w, h = round(math.sqrt(pixels * proportion)), round(math.sqrt(pixels / proportion))
        if 0 < w <= width and 0 < h <= height:
            top = below(height - h + 1)
            return top, below(width - w + 1), h, w
    h, w = height, width
    if width / height < ratio[0]:
        h = min(height, max(1, round(width / ratio[0])))
    elif width / height > ratio[1]:
        w = min(width, max(1, round(height * ratio[1])))
    return (height - h) // 2, (width - w) // 2, h, w


def change(image, mask, text, seed, epoch, index):
    for part in text.split(","):
        name, *values = part.split(":")
        source = draws(seed, epoch, index, name)

        def below(count):
            return next(source) * count >> 64

        def unit():
            return (next(source) >> 11) * 2.0**-53

        def between(low, high):
            return low + (high - low) * unit()

        if name == "hflip":
            if below(2):
                image, mask = F.hflip(image), F.hflip(mask)
        elif name == "resized-crop":
            size = [int(n) for n in values[0].split("x")]
            numbers = [float(v) for v in values[1:]]
            area = numbers[:2] or [0.08, 1]
            ratio = numbers[2:] or [3 / 4, 4 / 3]
            box = crop_box(*image.shape[1:], area, ratio, below, unit)
            image = F.resized_crop(image, *box, size, InterpolationMode.BILINEAR, antialias=True)
            mask = F.resized_crop(mask, *box, size, InterpolationMode.NEAREST_EXACT)
        elif name == "rotate":
            low, high = [float(v) for v in values] if len(values) == 2 else (-float(values[0]), float(values[0]))
            angle = between(low, high)
            image = F.rotate(image, angle, InterpolationMode.BILINEAR)
            mask = F.rotate(mask, angle, InterpolationMode.NEAREST)
        elif name == "hue":
            image = F.adjust_hue(image, float(values[0]) * (2 * unit() - 1))
        elif name == "blur":
            low, high = [float(v) for v in values[1:]] or (0.1, 2.0)
            sigma = between(low, high)
            image = F.gaussian_blur(image, [int(values[0])] * 2, [sigma] * 2)
    return image, mask


def picture(shape):
    count = math.prod(shape)
    image = (torch.arange(count) * 7919 % 256).reshape(shape).to(torch.float32) / 255
    mask = torch.zeros(shape, dtype=torch.uint8)
    height, width = shape[1:]
    mask[:, height // 4:height // 4 + (height + 1) // 2, width // 3:width // 3 + (width + 2) // 3] = 1
    return image, mask


CASES = [
    ("resized-crop:8x8", (3, 17, 13)), ("resized-crop:9x5:0.3:0.6", (1, 12, 20)), ("resized-crop:20x24", (4, 11, 9)),
    ("resized-crop:6x7:0.5:1:0.5:2", (3, 30, 21)), ("resized-crop:5x5:0.9:1:3:4", (1, 10, 8)),
    ("resized-crop:5x9:0.9:1:0.2:0.25", (1, 8, 10)),
    ("rotate:30", (3, 11, 11)), ("rotate:180", (1, 9, 14)), ("rotate:90:90", (2, 8, 8)), ("rotate:-180:-180", (1, 7, 10)),
    ("rotate:270:270", (1, 9, 9)), ("rotate:-100:-20", (4, 13, 10)),
    ("hue:0.5", (3, 9, 8)), ("hue:0.1", (3, 6, 7)),
    ("blur:3", (1, 8, 9)), ("blur:5:0.5:3", (3, 7, 12)), ("blur:9:1:1", (4, 5, 9)), ("blur:3:0.001:0.002", (1, 6, 5)),
    ("hflip,resized-crop:10x12,rotate:20,hue:0.2,blur:3", (3, 16, 18)),
]
RESIZED = [("9:8", (3, 17, 13)), ("16:11x7", (1, 12, 20)), ("6:6", (4, 31, 13)), ("10:7x10", (3, 10, 10)), ("7:4x3", (1, 9, 7))]


def numbers(tensor):
    return [round(v, 4) for v in tensor.ravel().tolist()]


if __name__ == "__main__":
    cases = []
    for number, (text, shape) in enumerate(CASES):
        for index in range(3):
            seed = 2**64 - 1 - number
            image, mask = change(*picture(shape), text, seed, number, index)
            cases.append({"changes": text, "shape": shape, "seed": str(seed), "epoch": number, "index": index,
                          "image": numbers(image), "mask": "".join(map(str, mask.ravel().tolist()))})
    resized = []
    for text, shape in RESIZED:
        side, crop = text.split(":")
        crop = [int(n) for n in crop.split("x")]
        crop = crop * 2 if len(crop) == 1 else crop
        image, mask = picture(shape)
        image = F.center_crop(F.resize(image, [int(side)], InterpolationMode.BILINEAR, antialias=True), crop)
        mask = F.center_crop(F.resize(mask, [int(side)], InterpolationMode.NEAREST_EXACT), crop)
        resized.append({"resizeCrop": text, "shape": shape, "image": numbers(image),
                        "mask": "".join(map(str, mask.ravel().tolist()))})
    lines = [",\n".join("    " + json.dumps(c) for c in part) for part in (cases, resized)]
    text = '{\n  "cases": [\n' + lines[0] + '\n  ],\n  "resized": [\n' + lines[1] + "\n  ]\n}\n"
    pathlib.Path(__file__).with_suffix(".json").write_text(text)

"""Writes Fixtures/formats/masks: COCO annotations as pycocotools reads them, and mask images by Pillow.

Run: python3 make_masks.py (needs numpy, Pillow and pycocotools). The mask images follow formulas that the tests know.
"""

import json
import math
import pathlib
import random

import numpy as np
from PIL import Image
from pycocotools import mask as coco

folder = pathlib.Path(__file__).parent / "masks"
(folder / "pngs").mkdir(parents=True, exist_ok=True)
rnd = random.Random(7)


def polygon(height, width, kind):
    """The vertices of one polygon, of a kind that has a corner of its own in the rule."""
    count = rnd.randint(3, 9)
    anywhere = lambda extent, beyond: rnd.uniform(-beyond * extent, (1 + beyond) * extent)
    if kind == "inside":
        points = [(anywhere(width, 0), anywhere(height, 0)) for _ in range(count)]
    elif kind == "whole":
        points = [(rnd.randint(0, width), rnd.randint(0, height)) for _ in range(count)]
    elif kind == "outside":
        points = [(anywhere(width, 1), anywhere(height, 1)) for _ in range(count)]
    elif kind == "tiny":
        x, y = anywhere(width, 0), anywhere(height, 0)
        points = [(x + rnd.uniform(-1, 1), y + rnd.uniform(-1, 1)) for _ in range(count)]
    elif kind == "repeated":
        few = [(anywhere(width, 0.1), anywhere(height, 0.1)) for _ in range(3)]
        points = [rnd.choice(few) for _ in range(count)]
    elif kind == "line":
        x, y, dx, dy = anywhere(width, 0), anywhere(height, 0), rnd.uniform(-5, 5), rnd.uniform(-5, 5)
        points = [(x + dx * step, y + dy * step) for step in range(count)]
    elif kind == "fifths":
        points = [(rnd.randint(-5, 5 * width + 5) / 5, rnd.randint(-5, 5 * height + 5) / 5) for _ in range(count)]
    elif kind == "far":
        points = [
            (rnd.choice([-1e4, 1e4, 0, width, -0.5, anywhere(width, 0)]), rnd.choice([-1e4, 1e4, 0, height, -0.5]))
            for _ in range(count)
        ]
    else:
        x, y = anywhere(width, 0), anywhere(height, 0)
        radii = [rnd.uniform(0.2, width / 2) for _ in range(count)]
        points = [
            (x + r * math.cos(2 * math.pi * i / count), y + r * math.sin(2 * math.pi * i / count))
            for i, r in enumerate(radii)
        ]
    digits = rnd.choice([0, 1, 2, 15])
    return [float(round(number, digits)) for point in points for number in point]


def packed(runs):
    return {"size": runs["size"], "counts": runs["counts"].decode()}


def union(annotation, height, width):
    """The mask of an annotation, by the rules of COCO's own reader."""
    segmentation = annotation.get("segmentation")
    if not segmentation:
        return coco.decode(coco.frPyObjects(np.array([annotation["bbox"]], dtype=float), height, width))[:, :, 0]
    if isinstance(segmentation, list):
        return coco.decode(coco.merge(coco.frPyObjects(segmentation, height, width)))
    if isinstance(segmentation["counts"], list):
        return coco.decode(coco.frPyObjects(segmentation, height, width))
    return coco.decode(segmentation)


def runs_of(mask):
    """The lengths of runs down the columns, the first of zeros."""
    runs, last, length = [], 0, 0
    for value in mask.flatten(order="F"):
        if value != last:
            runs.append(length)
            last, length = value, 0
        length += 1
    return [int(run) for run in runs + [length]]


kinds = ["inside", "whole", "outside", "tiny", "repeated", "line", "fifths", "far", "star"]
cases = []
for number in range(135):
    height, width = rnd.randint(1, 30), rnd.randint(1, 30)
    kind = kinds[number % len(kinds)]
    numbers = polygon(height, width, kind)
    runs = coco.frPyObjects([numbers], height, width)[0]
    cases.append({"kind": kind, "height": height, "width": width, "polygon": numbers, "counts": packed(runs)["counts"]})
for _ in range(25):
    height, width = rnd.randint(1, 30), rnd.randint(1, 30)
    box = [
        round(rnd.uniform(-4, width), 2), round(rnd.uniform(-4, height), 2), round(rnd.uniform(0, width), 2),
        round(rnd.uniform(0, height), 2)]
    runs = coco.frPyObjects(np.array([box]), height, width)[0]
    cases.append({"kind": "box", "height": height, "width": width, "box": box, "counts": packed(runs)["counts"]})
(folder / "segmentations.json").write_text(json.dumps(cases))

noise = []
for number in range(12):
    height, width = rnd.randint(1, 40), rnd.randint(1, 40)
    mask = (np.random.default_rng(number).random((height, width)) < number / 11).astype(np.uint8)
    text = packed(coco.encode(np.asfortranarray(mask)))["counts"]
    noise.append({"height": height, "width": width, "counts": text, "runs": runs_of(mask)})
(folder / "runs.json").write_text(json.dumps(noise))

# Seven images for the tests' dataset of seven samples, of which 0 has no annotation and 5 only others' categories.
HEIGHT, WIDTH = 9, 13
images = [
    {"id": 100 + n, "file_name": f"photos/{n}.jpg", "height": HEIGHT, "width": WIDTH} for n in (3, 0, 1, 2, 6, 5, 4)
] + [{"id": 900, "file_name": "photos/elsewhere.jpg", "height": 4, "width": 4}]
annotations = []


def annotate(sample, category, area, **fields):
    annotations.append(
        {**fields, "id": len(annotations) + 1, "image_id": sample if sample == 900 else 100 + sample,
         "category_id": category, "area": area, "iscrowd": int("counts" in str(fields))})


spots = (np.random.default_rng(3).random((HEIGHT, WIDTH)) < 0.3).astype(np.uint8)
annotate(3, 1, 20.5, segmentation=[polygon(HEIGHT, WIDTH, "star")], bbox=[0, 0, 1, 1])
annotate(1, 1, 30.0, segmentation=packed(coco.encode(np.asfortranarray(spots))), bbox=[0, 0, 13, 9])
annotate(6, 2, 5.0, segmentation=[], bbox=[2.3, 1.5, 4.4, 3])
annotate(2, 2, 40.0, segmentation={"size": [HEIGHT, WIDTH], "counts": runs_of(spots[::-1])})
annotate(3, 2, 10.0, segmentation=[polygon(HEIGHT, WIDTH, "inside"), polygon(HEIGHT, WIDTH, "whole")])
annotate(900, 1, 4.0, segmentation=[[0, 0, 2, 0, 2, 2]])
annotate(4, 1, 50.0, bbox=[0, 0, 13, 9])
annotate(5, 3, 60.0, bbox=[1, 1, 3, 3])
annotate(6, 1, 12.0, segmentation=[[8, 5, 12, 5, 12, 8, 8, 8]])
categories = [{"id": 1, "name": "ruler"}, {"id": 2, "name": "ink"}, {"id": 3, "name": "7"}]
document = {"info": {"year": 2026}, "licenses": [], "images": images, "annotations": annotations, "categories": categories}
(folder / "annotations.json").write_text(json.dumps(document, indent=1))

# For each sample and each annotation of it, the mask's rows as text.
masks = {}
for annotation in annotations:
    if annotation["image_id"] == 900:
        continue
    mask = union(annotation, HEIGHT, WIDTH)
    masks[annotation["id"]] = {
        "sample": annotation["image_id"] - 100, "category": annotation["category_id"], "area": annotation["area"],
        "mask": "".join(str(value) for value in mask.flatten())}
(folder / "annotation-masks.json").write_text(json.dumps(list(masks.values())))

# A pixel (row, column) of these is marked where (row * 7 + column) % 3 is 0.
row, column = np.mgrid[0:5, 0:7]
mask = ((row * 7 + column) % 3 == 0).astype(np.uint8)
colors = [10, 20, 30, 200, 100, 50, 0, 0, 0, 255, 255, 255] + [9] * 3 * 252


def palette(values, count):
    image = Image.fromarray(values, mode="P")
    image.putpalette(colors[: 3 * count])
    return image


images = {
    "gray-1-bit": Image.fromarray(mask * 255).convert("1", dither=0),
    "gray-1": Image.fromarray(mask),
    "gray-255": Image.fromarray(mask * 255),
    "gray16-1": Image.fromarray(mask.astype(np.uint16)),
    "gray16-65535": Image.fromarray(mask.astype(np.uint16) * 65535),
    "palette-1-bit": palette(mask, 2),
    "palette-2-bit": palette(mask, 4),
    "palette-8-bit": palette(mask, 256),
    "palette-255": palette(mask * 255, 256),
    "rgb": Image.fromarray(np.dstack([mask * 255] * 3)),
    "rgba": Image.fromarray(np.dstack([mask * 255] * 3 + [np.full_like(mask, 255)])),
    # Values (row * 7 + column) % 4.
    "classes-palette": palette(((row * 7 + column) % 4).astype(np.uint8), 4),
    "classes-gray": Image.fromarray(((row * 7 + column) % 4).astype(np.uint8)),
    # Values (row * 40 + column * 9 + 3) % 256, and 257 times that.
    "soft": Image.fromarray(((row * 40 + column * 9 + 3) % 256).astype(np.uint8)),
    "soft16": Image.fromarray(((row * 40 + column * 9 + 3) % 256).astype(np.uint16) * 257),
    "colored": Image.fromarray(np.dstack([mask, mask, 1 - mask])),
    "transparent": Image.fromarray(np.dstack([mask * 255] * 3 + [mask * 255])),
}
for name, image in images.items():
    image.save(folder / "pngs" / f"{name}.png")

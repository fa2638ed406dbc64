"""Writes Fixtures/formats/annotations/shapes.json: shapes and the masks that labelme, OpenCV and Label Studio make of them.

Run: python3 make_annotated_shapes.py [COUNT] (needs labelme, label-studio-sdk, opencv-python-headless, Pillow and NumPy).
COUNT is the number of shapes of each rule; 40 by default. A mask is the lengths of its runs row by row, the first of zeros.
"""

import json
import pathlib
import random
import sys

import cv2
import numpy as np
from label_studio_sdk.converter import brush
from labelme.utils.shape import shape_to_mask

folder = pathlib.Path(__file__).parent / "annotations"
count = int(sys.argv[1]) if len(sys.argv) > 1 else 40
rnd = random.Random(11)


def points_of(height, width, count, beyond):
    """Some points of a kind that has corners of its own in the rules."""
    kind = rnd.choice(["inside", "whole", "outside", "tiny", "repeated", "flat", "comb", "halves", "far"])
    anywhere = lambda extent, more=0.0: rnd.uniform(-more * extent, (1 + more) * extent)
    if kind == "inside":
        points = [(anywhere(width), anywhere(height)) for _ in range(count)]
    elif kind == "whole":
        points = [(rnd.randint(0, width), rnd.randint(0, height)) for _ in range(count)]
    elif kind == "outside":
        points = [(anywhere(width, beyond), anywhere(height, beyond)) for _ in range(count)]
    elif kind == "tiny":
        x, y = anywhere(width), anywhere(height)
        points = [(x + rnd.uniform(-2, 2), y + rnd.uniform(-2, 2)) for _ in range(count)]
    elif kind == "repeated":
        few = [(anywhere(width, beyond / 5), anywhere(height, beyond / 5)) for _ in range(3)]
        points = [rnd.choice(few) for _ in range(count)]
    elif kind == "flat":
        rows = [anywhere(height, beyond / 5) for _ in range(2)]
        points = [(anywhere(width, beyond / 5), rnd.choice(rows)) for _ in range(count)]
    elif kind == "comb":
        points = [(step * width / count, rnd.choice([2, height - 3, anywhere(height)])) for step in range(count)]
    elif kind == "halves":
        points = [(rnd.randint(-2, 2 * width + 2) / 2, rnd.randint(-2, 2 * height + 2) / 2) for _ in range(count)]
    else:
        far = [-beyond * 9 * width, beyond * 9 * width, 0, width - 1, anywhere(width)]
        points = [(rnd.choice(far), rnd.choice(far)) for _ in range(count)]
    return [[float(round(x, 3)), float(round(y, 3))] for x, y in points]


def runs_of(mask):
    runs, last, length = [], 0, 0
    for value in (np.asarray(mask) > 0).astype(int).flatten().tolist():
        if value != last:
            runs.append(length)
            last, length = value, 0
        length += 1
    return runs + [length]


shapes = []
sizes = {"polygon": (3, 10), "rectangle": (2, 2), "line": (2, 2), "linestrip": (1, 5), "circle": (2, 2), "point": (1, 1)}
for kind, (least, most) in sizes.items():
    for _ in range(count):
        height, width = rnd.randint(1, 40), rnd.randint(1, 40)
        points = points_of(height, width, rnd.randint(least, most), 1)
        mask = shape_to_mask((height, width), points, shape_type=kind)
        shapes.append(dict(rule=kind, height=height, width=width, points=points, mask=runs_of(mask)))
for _ in range(count):
    height, width = rnd.randint(1, 40), rnd.randint(1, 40)
    points = [[int(x), int(y)] for x, y in points_of(height, width, rnd.randint(1, 10), 0.3)]
    mask = np.zeros((height, width), dtype=np.uint8)
    # As ultralytics.data.utils.polygon2mask does.
    cv2.fillPoly(mask, np.asarray([points], dtype=np.int32), color=1)
    shapes.append(dict(rule="opencv", height=height, width=width, points=points, mask=runs_of(mask)))

for _ in range(count):
    height, width = rnd.randint(1, 60), rnd.randint(1, 60)
    most = rnd.choice([2, 5, 12, 20, 60])
    centre = [round(rnd.uniform(-10, width + 10), 2), round(rnd.uniform(-10, height + 10), 2)]
    radii = [round(rnd.uniform(0, most), 2), round(rnd.uniform(0, most), 2)]
    turn = rnd.choice([0, 90, 180, 360, -30, 725.5, round(rnd.uniform(0, 360), 2)])
    mask = np.zeros((height, width), dtype=np.uint8)
    # As CVAT's EllipsesToMasks does (cvat/apps/dataset_manager/formats/transformations.py).
    whole = tuple(round(number) for number in centre), tuple(round(number) for number in radii)
    cv2.ellipse(mask, whole[0], whole[1], turn, 0, 360, 255, thickness=-1)
    shapes.append(dict(rule="ellipse", height=height, width=width, points=[centre, radii, [turn, 0]], mask=runs_of(mask)))

brushes = []
for number in range(8):
    height, width = rnd.randint(1, 60), rnd.randint(1, 60)
    if number == 7:
        height, width = 300, 300
    mask = np.zeros((height, width), dtype=np.uint8)
    for _ in range(rnd.randint(0, 4)):
        centre = rnd.randint(0, width), rnd.randint(0, height)
        cv2.circle(mask, centre, rnd.randint(0, 15), rnd.choice([255, 255, 128, 3]), -1)
    if number in (2, 3):
        mask = np.random.default_rng(number).integers(0, 3, (height, width)).astype(np.uint8) * 127
    rle = brush.mask2rle(mask)
    cover = np.reshape(brush.decode_rle(rle), [height, width, 4])[:, :, 3]
    assert (cover == mask).all()
    brushes.append(
        dict(height=height, width=width, rle=rle, any=runs_of(cover), half=runs_of(cover >= 0.5 * 255))
    )

folder.mkdir(parents=True, exist_ok=True)
text = json.dumps({"shapes": shapes, "brushes": brushes}, separators=(",", ":"))
(folder / "shapes.json").write_text(text.replace('{"rule"', '\n{"rule"') + "\n")

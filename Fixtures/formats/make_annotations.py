"""Writes Fixtures/formats/annotations: files of annotation tools, and masks.json, what the tools themselves make of them.

Run: python3 make_annotations.py (needs labelme, label-studio-sdk, datumaro, ultralytics, pycocotools, opencv-python-headless,
Pillow and NumPy). Images are 24 high and 32 wide, called 0 to 6. A mask is the lengths of its runs row by row, the first of
zeros; masks.json has one for each file's image and label.
"""

import base64
import io
import json
import pathlib
import random
import shutil
import tempfile

import cv2
import numpy as np
import PIL.Image
from datumaro.components.annotation import AnnotationType
from datumaro.plugins.data_formats.cvat.base import CvatBase
from label_studio_sdk.converter import brush
from label_studio_sdk.converter.utils import convert_annotation_to_yolo_obb
from labelme._label_file import LabelFile
from labelme.utils.shape import shapes_to_label
from pycocotools import mask as coco
from ultralytics.data.utils import polygon2mask

folder = pathlib.Path(__file__).parent / "annotations"
height, width = 24, 32
rnd = random.Random(5)
masks = []


def runs_of(mask):
    runs, last, length = [], 0, 0
    for value in (np.asarray(mask) > 0).astype(int).flatten().tolist():
        if value != last:
            runs.append(length)
            last, length = value, 0
        length += 1
    return runs + [length]


def note(source, image, label, mask):
    masks.append(dict(source=source, image=image, label=label, mask=runs_of(mask)))


def some_points(count, digits=2):
    return [[round(rnd.uniform(-2, width + 2), digits), round(rnd.uniform(-2, height + 2), digits)] for _ in range(count)]


def inner(extent, digits=2):
    return round(rnd.uniform(0, extent), digits)


def filled(polygon):
    return coco.decode(coco.merge(coco.frPyObjects([[float(number) for number in polygon]], height, width)))


def blob():
    noise = np.random.default_rng(rnd.randint(0, 9999)).random((rnd.randint(2, 9), rnd.randint(2, 9)))
    return noise > 0.4


def centres():
    rows, columns = np.mgrid[0:height, 0:width]
    return columns + 0.5, rows + 0.5


def in_ellipse(x, y, rx, ry, rotation):
    columns, rows = centres()
    angle = np.radians(rotation)
    along = ((columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)) / rx
    across = ((rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)) / ry
    return along**2 + across**2 <= 1


# labelme: its own writer, its own drawing.
(folder / "labelme").mkdir(parents=True, exist_ok=True)
kinds = ["polygon", "rectangle", "circle", "line", "linestrip", "point", "mask", "oriented_rectangle"]
counts = dict(rectangle=2, circle=2, line=2, point=1, mask=2, oriented_rectangle=4)
for image in range(5):
    shapes = []
    for number in range(3 + image if image else 0):
        kind = kinds[(3 * image + number) % len(kinds)]
        shape = dict(
            label=rnd.choice(["logo", "ruler"]), points=some_points(counts.get(kind, rnd.randint(3, 6)), 4),
            group_id=None, description="", shape_type=kind, flags={}, mask=None,
        )
        if kind == "mask":
            mask = blob()
            left, top = rnd.randint(0, width - mask.shape[1]), rnd.randint(0, height - mask.shape[0])
            shape["points"] = [[left, top], [left + mask.shape[1] - 1.0, top + mask.shape[0] - 1.0]]
            with io.BytesIO() as file:
                PIL.Image.fromarray(mask if image % 2 else mask.astype(np.uint8)).save(file, "PNG")
                shape["mask"] = base64.b64encode(file.getvalue()).decode()
        shapes.append(shape)
    path = folder / "labelme" / f"{image}.json"
    LabelFile().save(str(path), shapes, f"../photos/{image}.jpg", height, width, flags={})
    data = json.loads(path.read_text())
    for label in ["logo", "ruler"]:
        of_label = []
        for shape in data["shapes"]:
            if shape["label"] == label:
                if shape["mask"]:
                    png = PIL.Image.open(io.BytesIO(base64.b64decode(shape["mask"])))
                    shape = dict(shape, mask=np.array(png).astype(bool))
                of_label.append(shape)
        note("labelme", image, label, shapes_to_label((height, width), of_label, {label: 1})[0])

# CVAT: as its exporter writes it; read by Datumaro, filled by pycocotools as CVAT's exporters are.
lines = ["<?xml version=\"1.0\" encoding=\"utf-8\"?>", "<annotations>", "  <version>1.1</version>", "  <meta>", "    <task>"]
lines += ["      <id>7</id>", "      <labels>"]
for label in ["logo", "ruler", "unused &amp; odd"]:
    lines += ["        <label>", f"          <name>{label}</name>", "          <attributes></attributes>", "        </label>"]
lines += ["      </labels>", "    </task>", "    <dumped>2026-01-01 00:00:00+00:00</dumped>", "  </meta>"]
ellipses = []
for image in range(6):
    lines.append(f'  <image id="{image}" name="photos/{image}.jpg" width="{width}" height="{height}">')
    for number in range(image + 2 if image < 5 else 0):
        label = rnd.choice(["logo", "ruler"])
        kind = ["polygon", "box", "mask", "turned", "ellipse", "polyline"][(image + number) % 6]
        head = f'label="{label}" source="manual" occluded="0"'
        if kind in ["polygon", "polyline"]:
            text = ";".join(f"{x:.2f},{y:.2f}" for x, y in some_points(rnd.randint(3, 6)))
            lines += [f'    <{kind} {head} points="{text}" z_order="0">', f"    </{kind}>"]
        elif kind in ["box", "turned"]:
            left, top, right, bottom = inner(16), inner(12), 16 + inner(16), 12 + inner(12)
            turn = f' rotation="{rnd.uniform(1, 359):.2f}"' if kind == "turned" else ""
            lines += [
                f'    <box {head} xtl="{left:.2f}" ytl="{top:.2f}" xbr="{right:.2f}" ybr="{bottom:.2f}"{turn} z_order="0">',
                "    </box>",
            ]
        elif kind == "ellipse":
            x, y, rx, ry, turn = inner(width), inner(height), 1 + inner(9), 1 + inner(7), round(rnd.uniform(0, 180), 2)
            mask = np.zeros((height, width), np.uint8)
            # As CVAT's EllipsesToMasks does (cvat/apps/dataset_manager/formats/transformations.py).
            cv2.ellipse(mask, (round(x), round(y)), (round(rx), round(ry)), turn, 0, 360, 255, thickness=-1)
            ellipses.append((image, label, mask > 0))
            lines += [
                f'    <ellipse {head} cx="{x:.2f}" cy="{y:.2f}" rx="{rx:.2f}" ry="{ry:.2f}" rotation="{turn}" z_order="0">',
                "    </ellipse>",
            ]
        else:
            mask = blob()
            left, top = rnd.randint(0, width - mask.shape[1]), rnd.randint(0, height - mask.shape[0])
            text = ", ".join(str(count) for count in runs_of(mask))
            lines += [
                f'    <mask {head} rle="{text}" left="{left}" top="{top}" width="{mask.shape[1]}" '
                f'height="{mask.shape[0]}" z_order="0">',
                "    </mask>",
            ]
    lines.append("  </image>")
lines.append("</annotations>")
(folder / "cvat.xml").write_text("\n".join(lines) + "\n")
with tempfile.TemporaryDirectory() as place:
    place = pathlib.Path(place)
    # Datumaro knows no ellipses.
    text = (folder / "cvat.xml").read_text()
    (place / "default.xml").write_text(text.replace("<ellipse", "<tag").replace("</ellipse", "</tag"))
    (place / "images" / "photos").mkdir(parents=True)
    for image in range(6):
        PIL.Image.new("L", (width, height)).save(place / "images" / "photos" / f"{image}.jpg")
    reader = CvatBase(str(place / "default.xml"))
    names = [label.name for label in reader.categories()[AnnotationType.label].items]
    union = {(image, label): np.zeros((height, width), bool) for image in range(6) for label in ["logo", "ruler"]}
    for item in reader:
        for shape in item.annotations:
            if shape.type == AnnotationType.polygon:
                mask = filled(shape.points)
            elif shape.type == AnnotationType.mask:
                mask = shape.image
            elif shape.type == AnnotationType.bbox:
                mask = filled(shape.as_polygon())
            elif shape.type == AnnotationType.rotated_bbox:
                x, y, w, h, turn = shape.points
                angle = np.radians(turn)
                corners = []
                for dx, dy in [(-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2)]:
                    corners += [x + np.cos(angle) * dx - np.sin(angle) * dy, y + np.sin(angle) * dx + np.cos(angle) * dy]
                mask = filled(corners)
            else:
                continue
            union[int(pathlib.Path(item.media.path).stem), names[shape.label]] |= mask > 0
    for image, label, mask in ellipses:
        union[image, label] |= mask
    for (image, label), mask in union.items():
        note("cvat", image, label, mask)

# Label Studio: brushes packed and unpacked by its converter, rectangles turned by it; filled by pycocotools as its COCO export.
tasks = []
for image in range(5):
    results = []
    union = {label: np.zeros((height, width), bool) for label in ["logo", "ruler"]}
    for number in range(image + 1 if image else 0):
        label = rnd.choice(["logo", "ruler"])
        kind = ["brushlabels", "polygonlabels", "rectanglelabels", "ellipselabels", "keypointlabels"][(image + number) % 5]
        result = dict(
            original_width=width, original_height=height, image_rotation=0, id=f"r{image}{number}", from_name="label",
            to_name="image", type=kind, origin="manual",
        )
        value = {kind: [label]}
        if kind == "brushlabels":
            mask = np.zeros((height, width), np.uint8)
            part = blob()
            top, left = rnd.randint(0, height - part.shape[0]), rnd.randint(0, width - part.shape[1])
            mask[top : top + part.shape[0], left : left + part.shape[1]] = part * 255
            value |= dict(format="rle", rle=brush.mask2rle(mask))
            union[label] |= np.reshape(brush.decode_rle(value["rle"]), [height, width, 4])[:, :, 3] > 0
        elif kind == "polygonlabels":
            value |= dict(points=[[inner(100, 12), inner(100, 12)] for _ in range(rnd.randint(3, 6))], closed=True)
            union[label] |= filled([n for x, y in value["points"] for n in (x / 100 * width, y / 100 * height)]) > 0
        elif kind == "rectanglelabels":
            value |= dict(x=inner(60, 12), y=inner(60, 12), width=inner(40, 12), height=inner(40, 12))
            value["rotation"] = rnd.choice([0, round(rnd.uniform(0, 360), 6)])
            corners = convert_annotation_to_yolo_obb(dict(result, **value), normalize=False)
            union[label] |= filled([n for corner in corners for n in corner]) > 0
        elif kind == "ellipselabels":
            value |= dict(x=inner(100, 12), y=inner(100, 12), radiusX=5 + inner(30), radiusY=5 + inner(30), rotation=30)
            union[label] |= in_ellipse(
                value["x"] / 100 * width, value["y"] / 100 * height, value["radiusX"] / 100 * width,
                value["radiusY"] / 100 * height, 30,
            )
        else:
            value |= dict(x=inner(100), y=inner(100), width=0.5)
        results.append(dict(result, value=value))
    tasks.append(
        dict(
            id=40 + image, file_upload=f"0a1b2c3{image}-{image}.jpg",
            data=dict(image=f"/data/upload/1/0a1b2c3{image}-{image}.jpg", place="a ward"),
            annotations=[
                dict(id=1, completed_by=1, was_cancelled=False, result=results),
                dict(id=2, completed_by=2, was_cancelled=True, result=results[:1]),
            ],
            predictions=[dict(id=3, result=[])] if image == 2 else [], meta={}, drafts=[],
        )
    )
    for label, mask in union.items():
        note("label-studio", image, label, mask)
(folder / "label-studio.json").write_text(json.dumps(tasks, separators=(",", ":")).replace('{"id":4', '\n{"id":4') + "\n")
minimal = [
    dict(
        id=task["id"], image=task["data"]["image"], annotator=1,
        label=[
            dict(result["value"], original_width=width, original_height=height)
            for result in task["annotations"][0]["result"]
        ],
    )
    for task in tasks
]
(folder / "label-studio-min.json").write_text(json.dumps(minimal, separators=(",", ":")) + "\n")

# YOLO: polygons by Ultralytics; boxes by the centres of pixels.
shutil.rmtree(folder / "yolo", ignore_errors=True)
(folder / "yolo" / "labels" / "batch").mkdir(parents=True)
(folder / "yolo" / "data.yaml").write_text("path: .\ntrain: images/batch\nnames:\n  0: logo\n  1: ruler # of steel\n")
for image in range(5):
    lines, union = [], [np.zeros((height, width), bool) for _ in range(2)]
    for number in range(image + 1 if image else 0):
        label = rnd.randint(0, 1)
        if (image + number) % 3:
            shares = np.array([[inner(1, 6), inner(1, 6)] for _ in range(rnd.randint(3, 7))], dtype=np.float32)
            lines.append(f"{label} " + " ".join(f"{number:.6f}" for number in shares.flatten()))
            shares[:, 0] *= width
            shares[:, 1] *= height
            union[label] |= polygon2mask((height, width), [shares.flatten()]) > 0
        else:
            x, y, w, h = inner(1, 6), inner(1, 6), inner(0.5, 6), inner(0.5, 6)
            lines.append(f"{label} {x:.6f} {y:.6f} {w:.6f} {h:.6f}")
            columns, rows = centres()
            union[label] |= (
                ((x - w / 2) * width <= columns) & (columns < (x + w / 2) * width)
                & ((y - h / 2) * height <= rows) & (rows < (y + h / 2) * height)
            )
    (folder / "yolo" / "labels" / "batch" / f"{image}.txt").write_text("".join(line + "\n" for line in lines))
    for label, mask in enumerate(union):
        note("yolo", image, ["logo", "ruler"][label], mask)

text = json.dumps(masks, separators=(",", ":")).replace('{"source"', '\n{"source"')
(folder / "masks.json").write_text(text + "\n")

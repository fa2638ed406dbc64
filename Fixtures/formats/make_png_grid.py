"""Writes Fixtures/formats/png-grid: every colour type, depth, interlacing and transparency of PNG, and what is read of it.

Run: python3 make_png_grid.py (needs numpy, Pillow, pypng and opencv-python-headless). The encoder below writes the
files, with all five filters; pypng reads them for `expected.json`. Where Pillow and OpenCV can read a kind without loss,
they must agree.
"""

import json
import pathlib
import struct
import zlib

import cv2
import numpy as np
import png
from PIL import Image

folder = pathlib.Path(__file__).parent / "png-grid"
folder.mkdir(exist_ok=True)
for old in folder.glob("*"):
    old.unlink()
HEIGHT, WIDTH = 7, 9
generator = np.random.default_rng(7)
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
NAMES = {0: "gray", 2: "rgb", 3: "palette", 4: "gray-alpha", 6: "rgba"}
PASSES = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(row, depth):
    if depth == 16:
        return row.astype(">u2").tobytes()
    if depth == 8:
        return row.astype("u1").tobytes()
    bits = "".join(format(int(v), f"0{depth}b") for v in row.ravel())
    return int(bits + "0" * (-len(bits) % 8), 2).to_bytes((len(bits) + 7) // 8, "big")


def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def filtered(kind, row, above, size):
    result = bytearray([kind])
    for i, x in enumerate(row):
        a, c = (row[i - size], above[i - size]) if i >= size else (0, 0)
        b = above[i]
        result.append((x - [0, a, b, (a + b) // 2, paeth(a, b, c)][kind]) & 255)
    return bytes(result)


def encode(samples, color_type, depth, interlaced, extra=b"", parts=1, level=9):
    size = max(1, CHANNELS[color_type] * depth // 8)
    raw, number = b"", 0
    for top, left, down, right in PASSES if interlaced else [(0, 0, 1, 1)]:
        rows = [packed(row, depth) for row in samples[top::down, left::right] if row.size]
        above = bytes(len(rows[0])) if rows else b""
        for row in rows:
            raw += filtered((number * 3 + number // 5) % 5, row, above, size)
            above, number = row, number + 1
    stream = zlib.compress(raw, level)
    edges = [len(stream) * i // parts for i in range(parts + 1)]
    data = b"".join(chunk(b"IDAT", stream[a:b]) for a, b in zip(edges, edges[1:]))
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], depth, color_type, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + data + chunk(b"IEND", b"")


def by_pypng(data):
    """(H, W, C) with palettes and transparency expanded, and gray scaled to 8 bits."""
    width, height, rows, info = png.Reader(bytes=data).asDirect()
    rows = np.array([list(row) for row in rows])
    depth = info["bitdepth"]
    if depth < 8:
        rows = rows * 255 // ((1 << depth) - 1)
    return rows.reshape(height, width, info["planes"]), max(8, depth)


def compare(data, expected, depth):
    path = folder / "compare.png"
    path.write_bytes(data)
    if depth == 8:
        mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[expected.shape[2]]
        image = Image.open(path).convert(mode)
        assert np.array_equal(np.asarray(image).reshape(expected.shape), expected)
    elif expected.shape[2] != 2:
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[expected.shape[2]]
        assert np.array_equal(image.reshape(HEIGHT, WIDTH, -1)[..., order], expected)
    path.unlink()


expected = {}
for color_type, depths in ((0, (1, 2, 4, 8, 16)), (2, (8, 16)), (3, (1, 2, 4, 8)), (4, (8, 16)), (6, (8, 16))):
    for depth in depths:
        noise = generator.random((HEIGHT, WIDTH, CHANNELS[color_type]))
        slope = np.mgrid[0:HEIGHT, 0:WIDTH].sum(axis=0)[..., None] / (HEIGHT + WIDTH)
        limit = min(1 << depth, 60) if color_type == 3 else 1 << depth
        samples = np.minimum((0.5 * noise + 0.6 * slope) * limit, limit - 1).astype(int)
        for transparent in (False, True) if color_type in (0, 2, 3) else (False,):
            extra = b""
            if color_type == 3:
                extra = chunk(b"PLTE", generator.integers(0, 256, 3 * limit, dtype=np.uint8).tobytes())
                if transparent:
                    extra += chunk(b"tRNS", generator.integers(0, 256, max(1, limit - 3), dtype=np.uint8).tobytes())
            elif transparent:
                extra = chunk(b"tRNS", b"".join(struct.pack(">H", int(v)) for v in samples[3, 4]))
            for interlaced in (False, True):
                name = f"{NAMES[color_type]}-{depth}" + "-trns" * transparent + "-interlaced" * interlaced
                data = encode(samples, color_type, depth, interlaced, extra)
                pixels, read_depth = by_pypng(data)
                # Pillow compares transparent gray of fewer than 8 bits with the scaled samples.
                if not (transparent and color_type == 0 and depth < 8):
                    compare(data, pixels, read_depth)
                (folder / f"{name}.png").write_bytes(data)
                expected[name] = {
                    "channels": pixels.shape[2], "depth": read_depth, "samples": pixels.ravel().tolist(),
                    "stored": samples.ravel().tolist(),
                }
# What encoders do besides: the stream in pieces, chunks of no bytes, stored blocks, text before and after.
samples = generator.integers(0, 256, (HEIGHT, WIDTH, 3))
text = chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"pHYs", bytes(9)) + chunk(b"tEXt", b"Comment\0here")
for name, data in (
    ("rgb-8-pieces", encode(samples, 2, 8, False, text, parts=9)),
    ("rgb-8-stored", encode(samples, 2, 8, False, level=0)),
    ("rgb-8-empty-piece", encode(samples, 2, 8, False).replace(b"\0\0\0\0IEND", chunk(b"IDAT", b"") + b"\0\0\0\0IEND")),
    ("rgb-8-text-after", encode(samples, 2, 8, False)[:-12] + chunk(b"tEXt", b"Comment\0there") + chunk(b"IEND", b"")),
    ("rgb-8-behind", encode(samples, 2, 8, False) + b"behind the end"),
    ("rgb-8-palette", encode(samples, 2, 8, False, chunk(b"PLTE", bytes(range(9))))),
):
    pixels, read_depth = by_pypng(data)
    (folder / f"{name}.png").write_bytes(data)
    expected[name] = {"channels": 3, "depth": 8, "samples": pixels.ravel().tolist(), "stored": samples.ravel().tolist()}
text = json.dumps(expected, separators=(",", ":")).replace("},", "},\n")
(folder / "expected.json").write_text(text + "\n")

# What --color, --depth and --background make of some of them: 8 bits by Pillow, 16 bits by NumPy's floats.
BACKGROUND = (10, 200, 31)
conversions = []


def convert(name, color, depth):
    image = expected[name]
    pixels = np.array(image["samples"]).reshape(HEIGHT, WIDTH, image["channels"])
    largest = (1 << image["depth"]) - 1
    has_alpha, keeps_alpha = pixels.shape[2] % 2 == 0, color in ("rgba", "gray-alpha")
    if image["depth"] == 8:
        picture = Image.fromarray(pixels.astype(np.uint8).squeeze())
        if has_alpha and not keeps_alpha:
            plate = Image.new("RGB", picture.size, BACKGROUND)
            if pixels.shape[2] == 2:  # gray on the background's gray
                plate = plate.convert("L")
            plate.paste(picture.convert(plate.mode), mask=picture.getchannel("A"))
            picture = plate
        mode = {"gray": "L", "rgb": "RGB", "rgba": "RGBA", "gray-alpha": "LA"}[color]
        result = np.asarray(picture.convert(mode)).reshape(HEIGHT, WIDTH, -1).astype(float)
    else:
        colors = pixels[..., : pixels.shape[2] - has_alpha].astype(float)
        if has_alpha and not keeps_alpha:
            share = pixels[..., -1:] / largest
            plate = np.array(BACKGROUND) * 257.0
            plate = plate if colors.shape[2] == 3 else np.floor(plate @ [0.299, 0.587, 0.114] + 0.5)
            colors = np.floor(share * colors + (1 - share) * plate + 0.5)
        if color.startswith("gray") and colors.shape[2] == 3:
            colors = np.floor(colors @ [[0.299], [0.587], [0.114]] + 0.5)
        if color.startswith("rgb") and colors.shape[2] == 1:
            colors = colors.repeat(3, axis=2)
        alpha = pixels[..., -1:] if has_alpha else np.full((HEIGHT, WIDTH, 1), largest)
        result = np.concatenate([colors, alpha], axis=2) if keeps_alpha else colors
    if depth:
        result = np.floor(result * ((1 << depth) - 1) / largest + 0.5)
    conversions.append({
        "name": name, "color": color, "depth": depth or image["depth"],
        "planes": result.astype(int).transpose(2, 0, 1).ravel().tolist(),
    })


for name in ("gray-8", "gray-alpha-8", "rgb-8-interlaced", "rgba-8", "palette-8-trns", "gray-2", "rgb-16", "rgba-16"):
    for color in ("gray", "rgb", "rgba", "gray-alpha"):
        convert(name, color, None)
    convert(name, "rgb", 8)
    convert(name, "rgba", 16)
text = json.dumps(conversions, separators=(",", ":")).replace("},", "},\n")
(folder / "conversions.json").write_text(text + "\n")

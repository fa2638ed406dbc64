"""Writes Fixtures/formats/png-orientations: a PNG for each Exif orientation, and what Pillow makes of them.

Run: python3 make_png_orientations.py (needs Pillow).
"""

import io
import json
import pathlib
import struct
import zlib

from PIL import Image, ImageOps

folder = pathlib.Path(__file__).parent / "png-orientations"
folder.mkdir(exist_ok=True)
WIDTH, HEIGHT = 3, 2


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def exif(orientation, order=">", kind=3, head=b""):
    mark, short = (b"MM", ">H") if order == ">" else (b"II", "<H")
    value = struct.pack(short, orientation) + b"\0\0"
    entries = struct.pack(order + "HHI", 271, 2, 4) + b"abc\0" + struct.pack(order + "HHI", 274, kind, 1) + value
    return head + mark + struct.pack(order + "HI", 42, 8) + struct.pack(order + "H", 2) + entries + bytes(4)


def png(channels, before=b"", after=b"", depth=8, palette=None):
    values = [(row * 40 + column * 9 + channel * 70 + 3) % 256
              for row in range(HEIGHT) for column in range(WIDTH) for channel in range(channels)]
    data = b"".join(b"\0" + bytes(values[row * WIDTH * channels:(row + 1) * WIDTH * channels]) for row in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, {1: 0, 3: 2}[channels], 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(data)) + after
            + chunk(b"IEND", b""))


expected = {}
for channels, kind in ((1, "gray"), (3, "rgb")):
    for orientation in range(1, 9):
        name = f"{kind}-{orientation}.png"
        body = chunk(b"eXIf", exif(orientation, "<" if orientation % 2 else ">"))
        # Both before and behind the pixels.
        file = png(channels, before=body) if orientation < 5 else png(channels, after=body)
        (folder / name).write_bytes(file)
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
        expected[name] = {"width": image.width, "height": image.height, "samples": list(image.tobytes())}
        if channels == 1:
            assert Image.open(io.BytesIO(file)).getexif()[274] == orientation
for name, data in {
    "upright-zero": exif(0), "upright-nine": exif(9), "upright-long": exif(6, kind=4), "upright-empty": b"",
    "upright-cut": exif(6)[:20], "upright-far": b"MM" + struct.pack(">HI", 42, 0xFFFFFFFF),
    "upright-many": b"MM" + struct.pack(">HIH", 42, 8, 0xFFFF), "upright-words": b"nonsense here",
}.items():
    (folder / f"{name}.png").write_bytes(png(1, before=chunk(b"eXIf", data)))
(folder / "headed-6.png").write_bytes(png(1, before=chunk(b"eXIf", exif(6, head=b"Exif\0\0"))))
(folder / "expected.json").write_text(json.dumps(expected) + "\n")

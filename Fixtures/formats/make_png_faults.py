"""Writes Fixtures/formats/png-faults: PNG files with harmless faults, and what OpenCV reads of them.

Run: python3 make_png_faults.py (needs NumPy, OpenCV).
"""

import json
import pathlib
import struct
import zlib

import cv2
import numpy as np

folder = pathlib.Path(__file__).parent / "png-faults"
folder.mkdir(exist_ok=True)
WIDTH, HEIGHT = 7, 5


def chunk(name, data, flip=False):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) ^ flip)


def rows(channels, bits=8, width=WIDTH, height=HEIGHT):
    """Rows of an image by a formula, each after a filter of 0."""
    made = b""
    for row in range(height):
        values = [(row * 40 + column * 9 + channel * 70 + 3) % (1 << bits)
                  for column in range(width) for channel in range(channels)]
        text = "".join(f"{value:0{bits}b}" for value in values)
        made += b"\0" + int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")
    return made


def interlaced(channels):
    data = b""
    for left, top, across, down in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        for row in range(top, HEIGHT, down):
            columns = range(left, WIDTH, across)
            if columns:
                data += b"\0" + bytes((row * 40 + column * 9 + channel * 70 + 3) % 256
                                      for column in columns for channel in range(channels))
    return data


def png(color_type, data, depth=8, before=b"", after=b"", is_interlaced=False, stream=None, parts=1):
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, color_type, 0, 0, is_interlaced)
    stream = zlib.compress(data) if stream is None else stream
    size = -(-len(stream) // parts)
    chunks = b"".join(chunk(b"IDAT", stream[start:start + size]) for start in range(0, len(stream), size))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunks + after + chunk(b"IEND", b"")


text = chunk(b"tEXt", b"comment\0text", flip=True)
palette = chunk(b"PLTE", bytes(range(30, 90)))
files = {
    "text-before": png(2, rows(3), before=text),
    "text-after": png(2, rows(3), after=text),
    "unknown": png(0, rows(1), before=chunk(b"zzZz", b"?", flip=True)),
    "gamma": png(0, rows(1), before=chunk(b"gAMA", struct.pack(">I", 45455), flip=True)),
    "exif": png(0, rows(1), before=chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0", flip=True)),
    "more-rows": png(2, rows(3) + rows(3)[:30]),
    "more-data": png(2, b"", stream=zlib.compress(rows(3)) + b"more"),
    "more-in-parts": png(6, b"", stream=zlib.compress(rows(4)) + bytes(9), parts=3),
    "more-interlaced": png(2, interlaced(3) + b"\0more", is_interlaced=True),
    "more-bits": png(0, rows(1, 2) + b"\0", depth=2),
    "palette-transparency": png(3, rows(1, 4), depth=4, before=palette + chunk(b"tRNS", bytes(21))),
    "palette-transparency-8": png(3, bytes(b % 20 if n % 8 else 0 for n, b in enumerate(rows(1))), before=palette + chunk(b"tRNS", bytes(300))),
    "gray-transparency": png(0, rows(1), before=chunk(b"tRNS", bytes(6))),
    "rgb-transparency": png(2, rows(3), before=chunk(b"tRNS", bytes(2))),
    "transparency-checksum": png(2, rows(3), before=chunk(b"tRNS", struct.pack(">HHH", 3, 73, 143), flip=True)),
    "several": png(2, rows(3) + b"more", before=text + chunk(b"tRNS", bytes(9))),
}
expected = {}
for name, data in files.items():
    (folder / f"{name}.png").write_bytes(data)
    image = cv2.imread(str(folder / f"{name}.png"), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    image = image[..., None] if image.ndim == 2 else image[..., [2, 1, 0, 3][:image.shape[2]]]
    expected[name] = {"channels": image.shape[2], "samples": image.flatten().tolist()}
(folder / "expected.json").write_text(json.dumps(expected) + "\n")
sound = zlib.compress(rows(3))
for name, data in {
    "refused-data": png(2, b"", stream=sound[:20] + bytes([sound[20] ^ 1]) + sound[21:] + b"more"),
    "refused-adler": png(2, b"", stream=sound[:-1] + bytes([sound[-1] ^ 1]), before=text),
    "refused-few": png(2, rows(3)[:-8], before=text),
    "refused-flood": png(2, rows(3) + bytes(1 << 25)),
    "refused-critical": png(3, rows(1, 4), depth=4, before=chunk(b"PLTE", bytes(60), flip=True)),
    "refused-cut": png(2, rows(3), before=text)[:-12],
}.items():
    (folder / f"{name}.png").write_bytes(data)

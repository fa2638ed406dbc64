"""Writes Fixtures/formats/png: small images by Pillow, and by the encoder below where Pillow has none.

Run: python3 make_png.py (needs numpy and Pillow). Samples follow a formula that the tests know.
"""

import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, PngImagePlugin

folder = pathlib.Path(__file__).parent / "png"
folder.mkdir(exist_ok=True)
HEIGHT, WIDTH = 5, 7


def samples(channels, depth):
    """Sample (row, column, channel) of the image."""
    row, column, channel = np.mgrid[0:HEIGHT, 0:WIDTH, 0:channels]
    if depth == 16:
        return ((row * 5001 + column * 733 + channel * 17011 + 5) % 65536).astype(np.uint16)
    return ((row * 40 + column * 9 + channel * 70 + 3) % 256).astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(color_type, depth, rows, interlaced=False, before_data=b"", after_stream=b""):
    """A PNG without filters; rows is an array (H, W, C), samples of 1, 2 and 4 bits are packed."""
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    raw = b""
    for top, left, down, right in passes:
        for row in rows[top::down, left::right]:
            if row.size == 0:
                continue
            if depth == 16:
                raw += b"\0" + row.astype(">u2").tobytes()
            elif depth == 8:
                raw += b"\0" + row.astype("u1").tobytes()
            else:
                bits = "".join(format(int(v), f"0{depth}b") for v in row.ravel())
                bits += "0" * (-len(bits) % 8)
                raw += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    header = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], depth, color_type, 0, 0, int(interlaced))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before_data
        + chunk(b"IDAT", zlib.compress(raw) + after_stream) + chunk(b"IEND", b"")
    )


# Served as they are.
for name, mode, channels in (("gray", "L", 1), ("gray-alpha", "LA", 2), ("rgb", "RGB", 3), ("rgba", "RGBA", 4)):
    Image.fromarray(samples(channels, 8).squeeze(), mode).save(folder / f"{name}-8.png")
Image.fromarray(samples(1, 16)[..., 0]).save(folder / "gray-16.png")
for name, color_type, channels in (("gray-alpha", 4, 2), ("rgb", 2, 3), ("rgba", 6, 4)):
    (folder / f"{name}-16.png").write_bytes(png(color_type, 16, samples(channels, 16)))
for name, color_type, channels in (("gray", 0, 1), ("rgb", 2, 3), ("rgba", 6, 4)):
    for depth in (8, 16):
        data = png(color_type, depth, samples(channels, depth), interlaced=True)
        (folder / f"{name}-{depth}-interlaced.png").write_bytes(data)
profile = PngImagePlugin.PngInfo()
profile.add(b"gAMA", struct.pack(">I", 100000))
profile.add_text("comment", "ignored", zip=True)
Image.fromarray(samples(3, 8), "RGB").save(folder / "rgb-8-gamma.png", pnginfo=profile, icc_profile=b"no profile")

# Served by expansion.
Image.fromarray(samples(1, 8)[..., 0] > 100).save(folder / "gray-1.png")
for depth in (2, 4):
    (folder / f"gray-{depth}.png").write_bytes(png(0, depth, samples(1, 8) % (1 << depth)))
palette = Image.fromarray(samples(3, 8), "RGB").quantize(200)
palette.save(folder / "palette-8.png")
Image.fromarray(samples(3, 8), "RGB").quantize(4).save(folder / "palette-2.png", bits=2)
Image.fromarray(samples(3, 8), "RGB").save(folder / "rgb-8-transparent-color.png", transparency=(3, 73, 143))
Image.fromarray(samples(1, 8)[..., 0], "L").save(folder / "gray-8-transparent-color.png", transparency=3)

# Damaged.
whole = (folder / "rgb-8.png").read_bytes()
data_at = whole.index(b"IDAT")
flipped = bytearray(whole)
flipped[data_at + 20] ^= 1
(folder / "damaged-data.png").write_bytes(flipped)
length = struct.unpack(">I", whole[data_at - 4 : data_at])[0]
wrong = bytearray(whole)
wrong[data_at + 4 + length] ^= 1
(folder / "damaged-crc.png").write_bytes(wrong)
(folder / "damaged-truncated.png").write_bytes(whole[: len(whole) // 2])
(folder / "damaged-no-end.png").write_bytes(whole[:-12])
(folder / "damaged-header-only.png").write_bytes(whole[:33])
adler = bytearray(zlib.compress(b"".join(b"\0" + row.tobytes() for row in samples(3, 8))))
adler[-1] ^= 1
header = chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0))
sound = b"\x89PNG\r\n\x1a\n" + header
(folder / "damaged-adler.png").write_bytes(sound + chunk(b"IDAT", bytes(adler)) + chunk(b"IEND", b""))
rows = b"".join(b"\0" + row.tobytes() for row in samples(3, 8))
for name, raw in (("few-rows", rows[:-22]), ("many-rows", rows + rows[:22])):
    (folder / f"damaged-{name}.png").write_bytes(sound + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
(folder / "damaged-trailing-data.png").write_bytes(png(2, 8, samples(3, 8), after_stream=b"more"))
text = bytearray(png(2, 8, samples(3, 8), before_data=chunk(b"tEXt", b"comment\0text")))
text[text.index(b"tEXt") + 6] ^= 1
(folder / "damaged-text-crc.png").write_bytes(text)
(folder / "damaged-no-image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b"") + bytes(40))
(folder / "damaged-type.png").write_bytes(png(7, 8, samples(3, 8)))
for name, (width, height) in (("empty", (0, 5)), ("vast", (1 << 31, 1 << 31)), ("bomb", (20000, 20000))):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99))
    (folder / f"damaged-{name}.png").write_bytes(data + chunk(b"IEND", b""))
(folder / "damaged-text.png").write_text("not an image")
(folder / "damaged-zero-bytes.png").write_bytes(b"")

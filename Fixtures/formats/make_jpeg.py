"""Writes Fixtures/formats/jpeg: JPEG files of every kind that is read, and what Pillow makes of them.

Run: python3 make_jpeg.py (needs Pillow 11.1 or newer, with libjpeg-turbo, and NumPy).
"""

import io
import json
import pathlib

import numpy as np
from PIL import Image, ImageFile

folder = pathlib.Path(__file__).parent / "jpeg"
folder.mkdir(exist_ok=True)
generator = np.random.default_rng(20)
WIDTH, HEIGHT = 21, 18


def image(channels):
    blocks = np.kron(generator.integers(0, 256, (5, 6, channels)), np.ones((4, 4, 1)))[:HEIGHT, :WIDTH]
    samples = (blocks + generator.normal(0, 9, blocks.shape)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(samples[..., 0] if channels == 1 else samples, {1: "L", 3: "RGB", 4: "CMYK"}[channels])


def jpeg(channels, **options):
    stream = io.BytesIO()
    image(channels).save(stream, "JPEG", **{"quality": 80, **options})
    return stream.getvalue()


def exif(orientation):
    data = Image.Exif()
    data[274] = orientation
    return data.tobytes()


def with_transform(file, transform):
    """A file whose Adobe segment says that its colours are of another kind: 0 for CMYK, 2 for YCCK."""
    place = file.index(b"Adobe")
    return file[:place + 11] + bytes([transform]) + file[place + 12:]


files = {
    "gray": jpeg(1),
    "gray-progressive": jpeg(1, progressive=True),
    "colour-444": jpeg(3, subsampling=0),
    "colour-422": jpeg(3, subsampling=1),
    "colour-420": jpeg(3, subsampling=2),
    "colour-420-progressive": jpeg(3, subsampling=2, progressive=True),
    "colour-quality-1": jpeg(3, quality=1),
    "colour-restarts": jpeg(3, restart_marker_blocks=1),
    "colour-optimised": jpeg(3, optimize=True, quality=95),
    "rgb": jpeg(3, keep_rgb=True),
    "cmyk": jpeg(4),
    "cmyk-progressive": jpeg(4, progressive=True),
    "ycck": with_transform(jpeg(4), 2),
    "profile": jpeg(3, icc_profile=b"profile" * 11000),
    "turned-6": jpeg(3, exif=exif(6)),
    "turned-3": jpeg(1, exif=exif(3)),
    "comment": jpeg(3, comment=b"\xff\xd9 is no end here"),
    "trailer": jpeg(3) + b"\xff\xd8 another image, or what a camera leaves",
}
expected = {}
for name, file in files.items():
    (folder / f"{name}.jpg").write_bytes(file)
    read = Image.open(io.BytesIO(file))
    orientation = read.getexif().get(274, 1)
    read = read if read.mode == "L" else read.convert("RGB")
    expected[name] = {"width": read.width, "height": read.height, "orientation": orientation,
                      "profile": "icc_profile" in read.info, "samples": list(read.tobytes())}

# Cut short, and what Pillow completes. Progressive ones are smoothed otherwise in each version of libjpeg-turbo.
ImageFile.LOAD_TRUNCATED_IMAGES = True
for name in ("gray", "colour-420", "cmyk"):
    file = files[name][:len(files[name]) * 9 // 10]
    (folder / f"cut-{name}.jpg").write_bytes(file)
    read = Image.open(io.BytesIO(file))
    read.load()
    read = read if read.mode == "L" else read.convert("RGB")
    expected["cut-" + name] = {"width": read.width, "height": read.height, "orientation": 1, "profile": False,
                               "samples": list(read.tobytes())}

# What is no image: damaged data, an end without data, and kinds that are not served.
gray = files["gray"]
scan = gray.index(b"\xff\xda")
damaged = bytearray(files["colour-restarts"])
# A restart that comes out of turn.
damaged[damaged.index(b"\xff\xd1") + 1] = 0xD5
twelve = bytearray(gray)
twelve[gray.index(b"\xff\xc0") + 4] = 12
lossless = bytearray(gray)
lossless[gray.index(b"\xff\xc0") + 1] = 0xC3
large = bytearray(gray)
place = gray.index(b"\xff\xc0")
large[place + 5:place + 9] = b"\x9c\x40\x9c\x40"
for name, file in {
    "fault-data": bytes(damaged), "fault-empty": gray[:scan] + b"\xff\xd9", "fault-header": gray[:60],
    "fault-twelve-bits": bytes(twelve), "fault-lossless": bytes(lossless), "fault-large": bytes(large),
}.items():
    (folder / f"{name}.jpg").write_bytes(file)
(folder / "stray.jpg").write_bytes(gray[:-2] + bytes(40) + gray[-2:])
expected["stray"] = {**expected["gray"]}
(folder / "expected.json").write_text(json.dumps(expected) + "\n")

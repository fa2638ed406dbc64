"""Writes Fixtures/formats/resizing.json: planes of noise on a slope, resized by Pillow.

Run: python3 make_resizing.py (needs numpy and Pillow). `stretch` is Image.resize, `crop` ImageOps.fit and `pad`
ImageOps.pad, each with BILINEAR (`smooth`) and with NEAREST (`nearest`). The extents
are chosen so that no centre of a target's pixel lies between two source pixels, where Pillow's sums of floats decide.
"""

import json
import pathlib

import numpy as np
from PIL import Image, ImageOps

generator = np.random.default_rng(4)
FILLING = 77


def plane(height, width, maximum):
    """A slope with noise, so that neither order nor smoothness helps a wrong program."""
    row, column = np.mgrid[0:height, 0:width]
    slope = (row * 3 + column * 5) / (height * 3 + width * 5)
    return np.clip((0.6 * slope + 0.4 * generator.random((height, width))) * maximum, 0, maximum)


def resize(image, size, fit, method, filling):
    if fit == "stretch":
        return image.resize(size, method)
    if fit == "crop":
        return ImageOps.fit(image, size, method)
    return ImageOps.pad(image, size, method, color=filling)


cases = []
for height, width in ((13, 17), (25, 9), (3, 5)):
    bytes_ = plane(height, width, 255).round().astype(np.uint8)
    words = plane(height, width, 65535).round().astype(np.uint16)
    targets = []
    for target_height, target_width in ((5, 7), (13, 17), (7, 29), (19, 4), (2, 2)):
        for fit in ("stretch", "crop", "pad"):
            size = (target_width, target_height)
            smooth = resize(Image.fromarray(bytes_), size, fit, Image.Resampling.BILINEAR, FILLING)
            nearest = resize(Image.fromarray(bytes_), size, fit, Image.Resampling.NEAREST, 0)
            deep = resize(Image.fromarray(words), size, fit, Image.Resampling.BILINEAR, FILLING * 257)
            targets.append({
                "height": target_height, "width": target_width, "fit": fit,
                "smooth": np.asarray(smooth).ravel().tolist(), "nearest": np.asarray(nearest).ravel().tolist(),
                "deep": np.asarray(deep).ravel().tolist(),
            })
    cases.append({"height": height, "width": width, "bytes": bytes_.ravel().tolist(),
                  "words": words.ravel().tolist(), "targets": targets})
text = json.dumps({"filling": FILLING, "cases": cases}, separators=(",", ":")).replace('{"height', '\n{"height')
(pathlib.Path(__file__).parent / "resizing.json").write_text(text + "\n")

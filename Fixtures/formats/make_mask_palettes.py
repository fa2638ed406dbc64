"""Makes mask images with palettes and in colours by Pillow, and what they are as masks.

Run from the root of the repository: python3 Fixtures/formats/make_mask_palettes.py
Needs Pillow, NumPy and OpenCV.

`masks/palettes/*.png` are 5×7. `masks/palettes.json` says of each how it is read without an option: by Pillow's
`convert("L")` where the palette is black and white, by the numbers where number 0 is the background, or not at all.
`masks/grown.json` has random masks, and what cv2.dilate and cv2.erode make of them with a square of 2N+1.
"""

import json
from pathlib import Path

import cv2
import numpy
from PIL import Image

FOLDER = Path(__file__).parent / "masks"
MASK = (numpy.arange(35).reshape(5, 7) % 3 == 0).astype(numpy.uint8)


def voc(number):
    """The colour of a number in Pascal VOC's development kit (VOClabelcolormap)."""
    channels = [0, 0, 0]
    for bit in range(8):
        for channel in range(3):
            channels[channel] |= (number >> channel & 1) << 7 - bit
        number >>= 3
    return channels


def bits(pixels):
    return "".join(str(int(pixel)) for pixel in numpy.asarray(pixels).flat)


def main():
    (FOLDER / "palettes").mkdir(exist_ok=True)
    ramp = {level: [level] * 3 for level in range(256)}
    kit = {number: voc(number) for number in range(256)}
    black, white, red, green = [0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0]
    classes = (MASK * 1).astype(numpy.uint8)
    void = classes.copy()
    void[0, 1:6] = 255
    # The name, the numbers, their colours, bits of a number, the transparent number.
    images = [
        ("white-first", 1 - MASK, {0: white, 1: black}, 8, None),
        ("white-first-1-bit", 1 - MASK, {0: white, 1: black}, 1, None),
        ("black-first", MASK, {0: black, 1: white}, 2, None),
        ("all-white", MASK * 0, {0: white}, 8, None),
        ("ramp-255", MASK * 255, ramp, 8, None),
        ("ramp-inverted", (1 - MASK) * 255, {n: [255 - n] * 3 for n in range(256)}, 8, None),
        ("white-at-7", MASK * 7, {0: black, 7: white}, 8, None),
        ("half-gray", MASK, {0: black, 1: [128] * 3}, 8, None),
        ("red-on-black", MASK, {0: black, 1: red}, 8, None),
        ("red-on-nothing", MASK, {0: white, 1: red}, 8, 0),
        ("class-and-void", void, kit, 8, None),
        ("red-and-green", MASK, {0: red, 1: green}, 8, None),
        ("red-on-white", MASK, {0: white, 1: red}, 8, None),
        ("gray-on-white", MASK, {0: white, 1: [128] * 3}, 8, None),
        ("void-alone", MASK * 255, kit, 8, None),
        ("three-classes", numpy.arange(35, dtype=numpy.uint8).reshape(5, 7) % 3, kit, 8, None),
        ("three-and-void", void + (void == 1) * 14, kit, 8, None),
    ]
    readings = {}
    for name, numbers, colors, depth, transparent in images:
        image = Image.fromarray(numbers.astype(numpy.uint8), mode="P")
        count = max(colors) + 1
        image.putpalette(sum((colors.get(number, black) for number in range(count)), []))
        more = {} if transparent is None else {"transparency": transparent}
        image.save(FOLDER / "palettes" / f"{name}.png", bits=depth, **more)
        used = [colors[number] for number in numpy.unique(numbers)]
        is_black_and_white = all(color in (black, white) for color in used)
        if name == "class-and-void":
            readings[name] = bits(numbers == 1)
        elif is_black_and_white:
            readings[name] = bits(numpy.asarray(image.convert("L")) == 255)
        elif numbers.max() == 1 and (colors[0] == black or transparent == 0):
            readings[name] = bits(numbers == 1)
        else:
            readings[name] = None
    colored = numpy.zeros((5, 7, 3), numpy.uint8)
    colored[MASK == 1] = red
    colored[4, 4] = green
    colored[4, 5] = [0, 0, 255]
    Image.fromarray(colored).save(FOLDER / "palettes" / "rgb.png")
    alpha = numpy.where(colored.any(axis=2), 255, 0).astype(numpy.uint8)
    Image.fromarray(numpy.dstack([colored, alpha])).save(FOLDER / "palettes" / "rgba.png")
    (FOLDER / "palettes.json").write_text(json.dumps(readings, indent=1) + "\n")

    generator = numpy.random.default_rng(0)
    grown = []
    for distance in (1, 2, 3, 9):
        for share in (0.05, 0.8):
            mask = (generator.random((5, 7)) < share).astype(numpy.uint8)
            square = numpy.ones((2 * distance + 1,) * 2, numpy.uint8)
            grown.append(
                {
                    "mask": bits(mask),
                    "distance": distance,
                    "dilated": bits(cv2.dilate(mask, square)),
                    "eroded": bits(cv2.erode(mask, square)),
                }
            )
    (FOLDER / "grown.json").write_text(json.dumps(grown, indent=1) + "\n")


if __name__ == "__main__":
    main()

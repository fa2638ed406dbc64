#!/usr/bin/env python3
"""Writes for random masks where the nearest marked pixels are, and images whose regions were swapped.

    python3 Fixtures/reference/nearest_pixels.py

nearest-pixels.json  "masks": height, width, the mask as a text of 0 and 1, the squared distances of all pixels to the
                     nearest marked one by SciPy's `distance_transform_edt`, and its place by looking at all, of
                     equally near ones the leftmost, of these the uppermost; both null where nothing is marked.
                     "swaps": image, mask, donor and donor's mask (C, H, W), or (H, W) of masks for all channels,
                     and what comes of swapping what lies inside

Needs NumPy and SciPy.
"""

import json
import pathlib

import numpy as np
from scipy.ndimage import distance_transform_edt

FOLDER = pathlib.Path(__file__).parent


def places(mask):
    """The place of the nearest marked pixel of each pixel, in a comparison of all with all."""
    height, width = mask.shape
    rows, columns = np.nonzero(mask)
    row, column = np.mgrid[:height, :width]
    squares = (row[..., None] - rows) ** 2 + (column[..., None] - columns) ** 2
    order = squares * (height * width) + columns * height + rows
    best = order.argmin(axis=-1)
    return squares.min(axis=-1), rows[best] * width + columns[best]


def case(mask):
    found = {"height": mask.shape[0], "width": mask.shape[1], "mask": "".join(map(str, mask.ravel()))}
    if not mask.any():
        return found | {"squares": None, "places": None}
    squares, nearest = places(mask)
    by_scipy = distance_transform_edt(mask == 0, return_indices=True)[1]
    row, column = np.mgrid[: mask.shape[0], : mask.shape[1]]
    squares_by_scipy = (by_scipy[0] - row) ** 2 + (by_scipy[1] - column) ** 2
    assert (squares == squares_by_scipy).all()
    return found | {"squares": squares_by_scipy.ravel().tolist(), "places": nearest.ravel().tolist()}


def swap(image, mask, donor, donor_mask):
    planes = [np.broadcast_to(a, image.shape) for a in (mask, donor_mask)]
    swapped = image.copy()
    for channel in range(len(image)):
        given = planes[1][channel]
        if not given.any():
            given = planes[1].any(axis=0)
        filled = donor[channel].ravel()[places(given)[1]]
        swapped[channel] = np.where(planes[0][channel] != 0, filled, image[channel])
    return swapped


def main():
    random = np.random.default_rng(20261129)
    masks = [np.zeros((3, 4), int), np.ones((3, 4), int), np.eye(9, dtype=int), np.ones((1, 1), int)]
    masks += [np.array([[1, 0, 0, 0, 1]]), np.array([[0], [1], [0], [0], [1], [0]])]
    for _ in range(40):
        height, width = random.integers(1, 20, 2)
        masks.append((random.random((height, width)) < random.choice([0.02, 0.1, 0.5, 0.95])).astype(int))
    swaps = []
    for number in range(12):
        channels, height, width = random.integers(1, 4), *random.integers(2, 9, 2)
        shape = (channels, height, width)
        images = random.integers(0, 100, (2, *shape))
        given = [shape if number % 3 == 2 else shape[1:]] * 2 if number % 4 else [shape, shape[1:]]
        image_mask, donor_mask = (random.random(s) < 0.3 for s in given)
        if number == 5:
            donor_mask[0] = False
        if not donor_mask.any():
            donor_mask.flat[0] = True
        swapped = swap(images[0], image_mask, images[1], donor_mask)
        texts = {"shape": list(map(int, shape))}
        for name, array in [("image", images[0]), ("mask", image_mask * 1), ("donor", images[1]),
                            ("donor_mask", donor_mask * 1), ("swapped", swapped)]:
            texts[name] = array.ravel().tolist()
        swaps.append(texts)
    text = json.dumps({"masks": [case(mask) for mask in masks], "swaps": swaps}, separators=(",", ":"))
    (FOLDER / "nearest-pixels.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

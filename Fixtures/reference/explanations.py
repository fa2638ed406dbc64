#!/usr/bin/env python3
"""Writes reference values of the explanation metrics, computed by NumPy.

    python3 Fixtures/reference/explanations.py

explanations.json  input gradients (N, D) and masks (N, D) of random samples, ties and zeros among
                   them, and the figures of each for k = the ones of the mask and for a fixed k;
                   null for a sample that cannot be measured. Further the uniform and the normal
                   noise of some seeds, indices and copies
explanation/       a perceptron (model.json, weights.safetensors), images, labels, groups and masks
                   as NPY, and expected.json: what `rrdata evaluate` says of them

Definitions: share of the input gradient inside A, and relevance rank accuracy, of Arras, Osman and
Samek (CLEVR-XAI, 2022); pointing game of Zhang et al. (2016); top-k intersection as intersection
over union; wrong-reason score as the share of A above the mean; R of Ross et al. (2017). Elements
are ranked by a full stable sort, so that of equal ones the first comes first.

Deletion and insertion of Petsiuk et al. (2018), and the swap test as `rrdata evaluate --help` defines it: each donor is the one at u · n of the samples that it may be, and
what it shows outside its region is filled from the nearest pixels inside, in a comparison of all with all.

Needs NumPy only.
"""

import json
import math
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent
WORD = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


def measure(gradient, mask, k=None):
    """The figures of one sample; None where its mask or its gradient is empty."""
    gradient, mask = np.abs(gradient.astype(np.float64)), mask.astype(bool)
    if not mask.any() or not gradient.any():
        return None
    order = np.argsort(-gradient, kind="stable")
    ones = int(mask.sum())
    highest = set(order[:k or ones].tolist())
    marked = set(np.flatnonzero(mask).tolist())
    inside, area = gradient[mask].sum() / gradient.sum(), ones / mask.size
    return {
        "inside": inside,
        "area": area,
        "relative": inside / area,
        "rank_accuracy": len(set(order[:ones].tolist()) & marked) / ones,
        "top_intersection": len(highest & marked) / len(highest | marked),
        "pointing": float(mask[order[0]]),
        "wrong_reason": float(np.mean(gradient[mask] > gradient.mean() * (1 + 1e-9))),
        "penalty": float((gradient[mask] ** 2).sum()),
    }


def mix(value):
    value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & WORD
    value = ((value ^ value >> 27) * 0x94D049BB133111EB) & WORD
    return value ^ value >> 31


def uniform(seed, index, count, copy=None):
    start = mix((mix(seed) + index) & WORD)
    if copy is not None:
        start = mix((start + copy) & WORD)
    return np.array([(mix((start + (d + 1) * GAMMA) & WORD) >> 11) * 2.0**-53 for d in range(count)])


def normal(seed, index, count, copy):
    numbers = uniform(seed, index, count + count % 2, copy).reshape(-1, 2)
    radius = np.sqrt(-2 * np.log(1 - numbers[:, 0]))
    angle = 2 * math.pi * numbers[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)[:count]


def samples(random):
    count, size, k = 40, 30, 7
    gradients = random.standard_normal((count, size)).astype(np.float32)
    # Every third sample has few values, so that ties decide; a fifth of the elements are zero in others.
    gradients[::3] = random.integers(-2, 3, (len(gradients[::3]), size))
    gradients[1::3][random.random((len(gradients[1::3]), size)) < 0.2] = 0
    masks = (random.random((count, size)) < random.random((count, 1))).astype(np.uint8)
    masks[4], masks[5], gradients[7], masks[7, 3], gradients[9] = 0, 1, 0, 1, 0.1
    masks[9, :4] = 1
    return {
        "element_count": size, "k": k,
        "gradients": gradients.astype(np.float64).ravel().tolist(), "masks": masks.ravel().tolist(),
        "ones": [measure(g, a) for g, a in zip(gradients, masks)],
        "fixed": [measure(g, a, k) for g, a in zip(gradients, masks)],
        "noise": [
            {"seed": str(seed), "index": index, "copy": copy, "deviation": 0.25,
             "uniform": uniform(seed, index, 5).tolist(), "normal": normal(seed, index, 5, copy).tolist()}
            for seed, index, copy in [(0, 0, 1), (7, 12345, 2), (WORD, 59999, 50)]],
    }


def forward(images, weights):
    hidden = images @ weights["1.weight"].T + weights["1.bias"]
    logits = np.maximum(hidden, 0) @ weights["3.weight"].T + weights["3.bias"]
    shifted = logits - logits.max(axis=1, keepdims=True)
    return hidden, shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def fill(values, region):
    """Values (H, W) with those outside a region replaced by the nearest inside, of equally near ones the leftmost."""
    rows, columns = np.nonzero(region)
    row, column = np.mgrid[: region.shape[0], : region.shape[1]]
    squares = (row[..., None] - rows) ** 2 + (column[..., None] - columns) ** 2
    best = (squares * region.size + columns * region.shape[0] + rows).argmin(axis=-1)
    return values[rows[best], columns[best]]


def wilson(count, total, z=1.959963984540054):
    if total == 0:
        return None
    p, scale = count / total, 1 + z * z / total
    half = z / scale * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    centre = (p + z * z / (2 * total)) / scale
    return [0 if count == 0 else centre - half, 1 if count == total else centre + half]


def newcombe(pairs):
    """Method 10 of Newcombe (1998), for pairs (n, 2) of booleans."""
    total = len(pairs)
    e, f, g, h = (int((pairs == p).all(axis=1).sum()) for p in [(1, 1), (1, 0), (0, 1), (0, 0)])
    (l1, u1), (l2, u2), p1, p2 = wilson(e + f, total), wilson(e + g, total), (e + f) / total, (e + g) / total
    product, excess = (e + f) * (g + h) * (e + g) * (f + h), e * h - f * g
    phi = (max(excess - total / 2, 0) if excess > 0 else excess) / math.sqrt(product) if product else 0
    below = math.sqrt((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2)
    above = math.sqrt((u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2)
    return [p1 - p2 - below, p1 - p2 + above]


def swap_test(seed, images, masks, labels, places, predict):
    """places: the group of each sample, or its label; images (N, H, W), masks (N, H, W)."""
    predicted = predict(images)
    donors = [n for n in range(len(images)) if masks[n].any()]
    objects = [n for n in donors if not masks[n].all()]
    by_class = places is labels

    def draw(sample, copy, candidates):
        if not candidates:
            return None
        return candidates[int(uniform(seed, sample, 1, copy)[0] * len(candidates))]

    def inside(sample, is_other):
        found = [n for n in donors if (places[n] != places[sample]) == is_other and n != sample]
        alike = [n for n in found if labels[n] == labels[sample]]
        return sorted(found if by_class or not alike else alike, key=lambda n: (places[n], n))

    def outside(sample, is_other):
        found = [n for n in objects if (labels[n] != labels[sample]) == is_other and n != sample]
        return sorted(found, key=lambda n: (labels[n], n))

    result = {}
    for name, choose, regions, copies in [("inside", inside, masks, (1, 2)), ("outside", outside, 1 - masks, (3, 4))]:
        flips = {}
        for kind, is_other, copy in [("other", True, copies[0]), ("same", False, copies[1])]:
            for sample in (n for n in donors if regions[n].any()):
                donor = draw(sample, copy, choose(sample, is_other))
                if donor is not None:
                    filled = fill(images[donor], regions[donor])
                    swapped = np.where(regions[sample] == 1, filled, images[sample])
                    flips.setdefault(kind, {})[sample] = bool(predict(swapped[None])[0] != predicted[sample])
        shared = [(flips["other"][n], flips["same"][n]) for n in flips["other"] if n in flips["same"]]
        pairs = np.array(shared, dtype=int)
        result[name] = {
            "pairs": len(pairs), "difference": mean(pairs[:, 0] - pairs[:, 1]), "difference_interval": newcombe(pairs)}
        for kind, found in flips.items():
            count = sum(found.values())
            result[name][kind] = {
                "samples": len(found), "flips": count / len(found), "interval": wilson(count, len(found))}
    return result


def blurred(image):
    """An image (H, W) blurred by 11 x 11 pixels with a deviation of 5, zeros beyond the border."""
    taps = np.arange(-5, 6)
    kernel = np.exp(-(taps**2) / 50)
    padded = np.pad(image.astype(np.float64), 5)
    weights = np.outer(kernel, kernel) / kernel.sum() ** 2
    height, width = image.shape
    return sum(
        weights[i, j] * padded[i : i + height, j : j + width] for i in range(11) for j in range(11)).astype(np.float32)


def curves(images, gradients, predict, steps):
    """Deletion and insertion of images (N, H, W); gradients (N, H, W); predict gives probabilities."""
    count = images[0].size
    found = {"deletion": [], "insertion": []}
    for image, gradient in zip(images, gradients):
        if not gradient.any():
            continue
        order = np.argsort(-np.abs(gradient).ravel(), kind="stable")
        number, blur = predict(image[None])[0].argmax(), blurred(image).ravel()
        for name in found:
            values = []
            for step in range(steps + 1):
                highest, changed = order[: step * count // steps], image.copy().ravel()
                if name == "deletion":
                    changed[highest] = 0
                else:
                    changed[np.setdiff1d(order, highest)] = blur[np.setdiff1d(order, highest)]
                values.append(predict(changed.reshape(image.shape)[None])[0, number])
            found[name].append(values)
    means = {name: np.mean(values, axis=0).tolist() for name, values in found.items()}
    areas = {f"{name}_area": mean(np.trapezoid(values, dx=1 / steps, axis=1)) for name, values in found.items()}
    return {"steps": steps, "samples": len(found["deletion"])} | means | areas


def mean(values):
    return float(np.mean(values))


def evaluation(random, folder):
    count, height, width, classes, k, seed, lambda1 = 60, 4, 5, 3, 6, 11, 2.5
    size = height * width
    images = random.integers(0, 256, (count, 1, height, width), dtype=np.uint8)
    labels = random.integers(0, classes, count)
    groups = random.integers(0, 4, count)
    groups[groups == 2] = 3  # group 2 has no samples
    masks = (random.random((count, height, width)) < 0.3).astype(np.uint8)
    masks[random.random(count) < 0.25] = 0
    weights = {
        "1.weight": random.standard_normal((8, size)), "1.bias": -np.abs(random.standard_normal(8)),
        "3.weight": random.standard_normal((classes, 8)), "3.bias": random.standard_normal(classes)}
    weights["1.weight"][:, [3, 8, 9, 17]] = 0  # elements that the model does not see
    # A black image leaves every hidden unit off: its gradient is zero throughout.
    images[:2], masks[0] = 0, 1
    masks[1] = 0
    values = (images.reshape(count, size).astype(np.float32) / np.float32(255)).astype(np.float64)

    hidden, logs = forward(values, weights)
    cotangent = (1 - classes * np.exp(logs)) @ weights["3.weight"] * (hidden > 0)
    gradients = cotangent @ weights["1.weight"]
    predicted = logs.argmax(axis=1)
    flat = masks.reshape(count, size)
    annotated = flat.any(axis=1)
    figures = [f for f in (measure(g, a, k) for g, a in zip(gradients, flat)) if f]
    noise = np.stack([uniform(seed, index, size) for index in range(count)]).astype(np.float32)
    _, changed = forward(np.where(flat == 1, noise, values.astype(np.float32)).astype(np.float64), weights)
    cross_entropy = -logs[np.arange(count), labels]
    penalty = float(((gradients * flat) ** 2).sum() / count)
    correct = predicted == labels
    predict = lambda x: forward(x.reshape(len(x), size).astype(np.float64), weights)[1].argmax(axis=1)
    by_place = [
        swap_test(seed, values.astype(np.float32).reshape(count, height, width), masks, labels, places, predict)
        for places in (groups, labels)]
    seen = lambda x: np.exp(forward(x.reshape(len(x), size).astype(np.float64), weights)[1])
    expected = {
        "curves": curves(
            values.astype(np.float32).reshape(count, height, width), gradients.reshape(count, height, width), seen, 7),
        "swap_tests": {"group": by_place[0], "class": by_place[1]},
        "accuracy_interval": wilson(int(correct.sum()), count),
        "samples": count, "accuracy": mean(correct), "cross_entropy": mean(cross_entropy),
        "worst_class": min(mean(correct[labels == c]) for c in range(classes)),
        "worst_group": min(mean(correct[groups == g]) for g in (0, 1, 3)),
        "per_group": {str(g): mean(correct[groups == g]) for g in (0, 1, 3)},
        "options": {"top_k": k, "seed": seed, "lambda1": lambda1},
        "explanation": {
            "annotated_samples": int(annotated.sum()), "measured_samples": len(figures),
            "unannotated_samples": int((~annotated).sum()), "empty_mask_samples": int((~annotated).sum()),
            "zero_gradient_samples": 1, "not_finite_gradient_samples": 0,
            "gradient_share_inside_mask": mean([f["inside"] for f in figures]),
            "mask_share_of_area": mean([f["area"] for f in figures]),
            "gradient_share_relative_to_area": mean([f["relative"] for f in figures]),
            "relevance_rank_accuracy": mean([f["rank_accuracy"] for f in figures]),
            "top_k_intersection": mean([f["top_intersection"] for f in figures]),
            "pointing_game": mean([f["pointing"] for f in figures]),
            "wrong_reason_score": mean([f["wrong_reason"] for f in figures]),
            "penalty": penalty,
            "penalty_to_cross_entropy": lambda1 * penalty / mean(cross_entropy),
            "randomized_samples": int(annotated.sum()),
            "prediction_flips": mean((changed.argmax(axis=1) != predicted)[annotated]),
        },
    }
    folder.mkdir(exist_ok=True)
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", labels.astype(np.int64))
    np.save(folder / "groups.npy", groups.astype(np.int64))
    np.save(folder / "masks.npy", masks)
    write_weights(folder / "weights.safetensors", weights)
    model = {
        "format": "rrdata.model", "format_version": "1.0", "input": [1, height, width], "classes": classes,
        "layers": ["flatten", {"linear": {"out": 8}}, "relu", {"linear": {"out": classes}}]}
    (folder / "model.json").write_text(json.dumps(model) + "\n")
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def write_weights(path, weights):
    """A safetensors file: the length of the header, the header, the tensors."""
    header, start = {"__metadata__": {"format": "pt"}}, 0
    for name, values in weights.items():
        header[name] = {
            "dtype": "F64", "shape": list(values.shape), "data_offsets": [start, start + values.nbytes]}
        start += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(
        len(text).to_bytes(8, "little") + text + b"".join(v.astype("<f8").tobytes() for v in weights.values()))


if __name__ == "__main__":
    random = np.random.default_rng(20170810)
    (FOLDER / "explanations.json").write_text(json.dumps(samples(random)) + "\n")
    evaluation(random, FOLDER / "explanation")

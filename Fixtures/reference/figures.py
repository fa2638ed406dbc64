#!/usr/bin/env python3
"""Writes random predictions with the figures that scikit-learn and NumPy find for them.

    python3 Fixtures/reference/figures.py

figures.json  "classification": 200 cases. Class count, labels, and for each sample a whole number per class, whose share
              of the sample's sum is the probability, so that scores are often equal; classes without samples are among
              them. balanced_accuracy, macro_f1, precision, f1, auroc and average_precision of each class against the
              rest, brier: scikit-learn's; null where it says that a figure is undefined. calibration_error: Guo et al.
              (2017), 15 bins, in NumPy. Some cases have the bounds of a bootstrap, drawn as `Bootstrap` says, of
              balanced accuracy, macro F1, area, average precision, calibration error and Brier score
              "localization": 200 gradients and masks, empty and full ones among them, with the area under the ROC
              curve of |g| by A, scikit-learn's
              "proportions": counts, totals and Wilson's bounds by SciPy's `binomtest(...).proportion_ci(method="wilson")`
              "discordant": the two counts of McNemar's test, its exact p by SciPy's `binomtest`, and the one by the chi-square
              distribution with Edwards' continuity correction by `chi2.sf`

Needs NumPy, SciPy and scikit-learn.
"""

import json
import pathlib
import warnings

import numpy as np
from scipy.stats import binomtest, chi2
from sklearn import metrics

from explanations import WORD, mix, GAMMA

FOLDER = pathlib.Path(__file__).resolve().parent


def short(value):
    """A number with 15 digits; None where there is none."""
    return None if value is None or np.isnan(value) else float(f"{value:.15g}")


def calibration_error(labels, predictions, probabilities):
    confidence = probabilities[np.arange(len(labels)), predictions]
    error = 0.0
    for number in range(15):
        # The bounds of the bins are compared as whole numbers of fifteenths.
        inside = np.ceil(confidence * 15).clip(1, 15) == number + 1
        if inside.any():
            error += inside.mean() * abs((labels == predictions)[inside].mean() - confidence[inside].mean())
    return error


def one_against_rest(labels, scores, classes):
    areas, precisions = [], []
    for number in range(classes):
        is_positive = labels == number
        both = is_positive.any() and not is_positive.all()
        areas.append(metrics.roc_auc_score(is_positive, scores[:, number]) if both else None)
        precisions.append(metrics.average_precision_score(is_positive, scores[:, number]) if is_positive.any() else None)
    return areas, precisions


def headline(values):
    if len(values) == 2:
        return values[1]
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None


def figures(labels, probabilities):
    classes = probabilities.shape[1]
    predictions = probabilities.argmax(axis=1)
    areas, precisions = one_against_rest(labels, probabilities, classes)
    seen = np.union1d(labels, predictions)
    onehot = np.eye(classes)[labels]
    brier = metrics.brier_score_loss(labels, probabilities, labels=list(range(classes)))
    assert np.isclose(brier, ((probabilities - onehot) ** 2).sum(axis=1).mean() / (2 if classes == 2 else 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes that nothing is of, but that something is taken for
        balanced = metrics.balanced_accuracy_score(labels, predictions)
        macro = metrics.f1_score(labels, predictions, average="macro", labels=seen, zero_division=0)
        f1 = metrics.f1_score(labels, predictions, average=None, labels=range(classes), zero_division=np.nan)
        precision = metrics.precision_score(
            labels, predictions, average=None, labels=range(classes), zero_division=np.nan)
    known = [i for i in range(classes) if areas[i] is not None]
    if classes > 2 and len(known) == classes:
        assert np.isclose(
            metrics.roc_auc_score(labels, probabilities, multi_class="ovr", labels=range(classes)), headline(areas))
    return {
        "balanced_accuracy": balanced, "macro_f1": macro, "area": headline(areas),
        "average_precision": headline(precisions),
        "calibration_error": calibration_error(labels, predictions, probabilities), "brier": brier,
    }, {"precision": precision, "f1": f1, "areas": areas, "average_precisions": precisions}


def bounds(labels, probabilities, draws, seed):
    """The percentiles of figures over samples drawn with replacement."""
    count, values = len(labels), {}
    for draw in range(draws):
        start = mix((mix(seed) + draw) & WORD)
        units = [(mix((start + (j + 1) * GAMMA) & WORD) >> 11) * 2.0**-53 for j in range(count)]
        chosen = np.array([int(u * count) for u in units])
        for name, value in figures(labels[chosen], probabilities[chosen])[0].items():
            if value is not None:
                values.setdefault(name, []).append(value)
    return {name: [short(v) for v in np.percentile(found, [2.5, 97.5])] for name, found in values.items()}


def classification(random):
    cases = []
    for number in range(200):
        classes, count = int(random.integers(2, 6)), int(random.integers(1, 30))
        labels = random.integers(0, classes, count)
        if number % 5 == 0:
            labels[labels == classes - 1] = 0  # a class without samples
        weights = random.integers(0, 6 if number % 2 else 200, (count, classes))
        weights[weights.sum(axis=1) == 0] = 1
        probabilities = weights / weights.sum(axis=1, keepdims=True)
        all_of_it, by_class = figures(labels, probabilities)
        case = {"classes": classes, "labels": labels.tolist(), "weights": weights.ravel().tolist()}
        case |= {name: short(value) for name, value in all_of_it.items()}
        case |= {name: [short(np.nan if v is None else v) for v in values] for name, values in by_class.items()}
        if number % 40 == 7:
            case["bounds"] = bounds(labels, probabilities, 40, number)
        cases.append(case)
    return cases


def localization(random):
    cases = []
    for number in range(200):
        size = int(random.integers(2, 40))
        gradient = random.integers(-3, 4, size) if number % 2 else random.standard_normal(size).astype(np.float32)
        mask = (random.random(size) < random.choice([0.1, 0.5, 0.9])).astype(int)
        if number % 20 == 0:
            mask[:] = number % 40 == 0
        area = metrics.roc_auc_score(mask, np.abs(gradient)) if 0 < mask.sum() < size else None
        cases.append({"gradient": [float(v) for v in gradient], "mask": mask.tolist(), "area": area})
    return cases


def proportions():
    cases = []
    for total in [1, 2, 7, 50, 1234]:
        for count in sorted({0, 1, total // 3, total - 1, total}):
            interval = binomtest(count, total).proportion_ci(method="wilson")
            cases.append([count, total, interval.low, interval.high])
    return cases


def discordant():
    cases = []
    for first, second in [(0, 0), (1, 0), (3, 9), (12, 12), (13, 12), (20, 41), (0, 70), (400, 350)]:
        total = first + second
        exact = binomtest(first, total).pvalue if total else 1.0
        corrected = chi2.sf(max(abs(first - second) - 1, 0) ** 2 / total, 1) if total else 1.0
        cases.append([first, second, exact, float(corrected)])
    return cases


def main():
    random = np.random.default_rng(20261130)
    text = json.dumps(
        {"classification": classification(random), "localization": localization(random),
         "proportions": proportions(), "discordant": discordant()},
        separators=(",", ":"))
    (FOLDER / "figures.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

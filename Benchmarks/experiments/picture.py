"""Draws the experiments on Decoy Fashion-MNIST: accuracy against λ1, and against the number of annotated samples.

    python Benchmarks/experiments/picture.py

Reads results/decoy_fashion_*.jsonl and results/annotated_count.jsonl, writes Benchmarks/results/decoys.svg. A curve is the
mean over the seeds, its band reaches from the worst seed to the best.
"""

import json
import math
import pathlib

import laboratory

OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "results" / "decoys.svg"
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 400, 250, 44, 34, 46
BLUE, ORANGE, GRAY = "#1f6fb4", "#d1661c", "#666666"


def records(name):
    path = laboratory.RESULTS / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Panel:
    """A chart with a logarithmic horizontal axis, and accuracy from 20 to 100 % upwards."""

    def __init__(self, origin, title, axis, first, last, ticks):
        self.origin, self.first, self.last = origin, math.log10(first), math.log10(last)
        self.parts = [text(origin + LEFT, 18, title, weight="bold")]
        for value in range(20, 101, 20):
            y = self.y(value)
            self.parts += [f'<line x1="{origin + LEFT}" x2="{origin + WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}" '
                           'stroke="#e4e4e4"/>',
                           text(origin + LEFT - 6, y + 4, f"{value} %", anchor="end", color=GRAY)]
        for value, label in ticks:
            self.parts.append(text(self.x(value), HEIGHT - BOTTOM + 16, label, anchor="middle", color=GRAY))
        self.parts.append(text(origin + (LEFT + WIDTH - 10) / 2, HEIGHT - 10, axis, anchor="middle", color=GRAY))

    def x(self, value):
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return self.origin + LEFT + 12 + share * (WIDTH - LEFT - 34)

    def y(self, percent):
        return HEIGHT - BOTTOM - (percent - 20) / 80 * (HEIGHT - BOTTOM - TOP)

    def level(self, runs, label, color, below=False, at=0):
        """A dashed line across, for a training that the horizontal axis does not touch."""
        if not runs:
            return
        mean = 100 * sum(runs) / len(runs)
        y = self.y(mean)
        self.parts += [
            f'<line x1="{self.origin + LEFT}" x2="{self.origin + WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="{color}" '
            'stroke-dasharray="5 4"/>',
            text(self.origin + LEFT + 8 + at, y + (14 if below else -6), f"{label}: {mean:.1f} %", color=color)]

    def curve(self, runs, label, color, label_at, right, down, anchor):
        """The mean and the band of the runs, {position: accuracies}, with its name so far from the point `label_at`."""
        if not runs:
            return
        points = sorted(runs.items())
        means = [(self.x(value), self.y(100 * sum(found) / len(found))) for value, found in points]
        band = [(self.x(value), self.y(100 * max(found))) for value, found in points]
        band += [(self.x(value), self.y(100 * min(found))) for value, found in reversed(points)]
        def path(places):
            return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        self.parts += [f'<polygon points="{path(band)}" fill="{color}" opacity="0.18"/>',
                       f'<polyline points="{path(means)}" fill="none" stroke="{color}" stroke-width="2"/>']
        self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{color}"/>' for x, y in means]
        x, y = means[min(range(len(points)), key=lambda number: abs(math.log10(points[number][0] / label_at)))]
        self.parts.append(text(x + right, y + down, label, anchor=anchor, color=color))


def text(x, y, words, anchor="start", color="#222222", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}" font-weight="{weight}">{words}</text>')


def sweep(runs):
    """The accuracies over λ1 of the explanation loss."""
    found = {}
    for run in runs:
        name = run["row"].removeprefix("rrr-")
        if run["row"].startswith("rrr-") and name != "auto":
            found.setdefault(float(name), []).append(run["accuracy"])
    return found


def main():
    networks = {name: records(f"decoy_fashion_{name}") for name in ("mlp", "lenet")}
    counts = records("annotated_count")

    def accuracies(runs, **wanted):
        return [run["accuracy"] for run in runs if all(run[name] == value for name, value in wanted.items())]

    left = Panel(0, "Test accuracy over λ1, all samples annotated", "λ1", 1e-3, 1e6,
                 [(10.0**power, label) for power, label in zip(range(-3, 7), (
                     "0.001", "", "0.1", "", "10", "", "1,000", "", "100,000", ""))])
    left.level(accuracies(networks["mlp"], row="clean"), "no decoys, mlp", GRAY)
    left.level(accuracies(networks["mlp"], row="plain"), "plain cross-entropy, mlp", GRAY)
    left.curve(sweep(networks["mlp"]), "explanation loss, mlp", BLUE, 1e1, 0, 22, "middle")
    left.curve(sweep(networks["lenet"]), "lenet", ORANGE, 1e2, 0, -10, "middle")
    right = Panel(WIDTH, "… over the number of masks, λ1 = 1, mlp", "annotated samples", 1, 6e4,
                  [(1, "1"), (10, "10"), (100, "100"), (1e3, "1,000"), (1e4, "10,000"), (6e4, "all")])
    right.level(accuracies(networks["mlp"], row="clean"), "no decoys", GRAY, at=236)
    right.level(accuracies(networks["mlp"], row="plain"), "plain cross-entropy", GRAY, below=True, at=150)
    everything = accuracies(counts, annotated=60_000)
    for way, label, color, *place in (
            ("annotated", "penalty per annotated sample", BLUE, 100, -20, -12, "middle"),
            ("mean", "penalty per sample of the batch", ORANGE, 100, 8, 12, "start")):
        found = {run["annotated"]: accuracies(counts, way=way, annotated=run["annotated"])
                 for run in counts if run["way"] == way and run["annotated"]}
        if found and everything:
            found[60_000] = everything
        right.curve(found, label, color, *place)
    OUTPUT.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT}" width="{2 * WIDTH}" height="{HEIGHT}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="11">\n'
        f'<rect width="{2 * WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n'
        + "\n".join(left.parts + right.parts) + "\n</svg>\n")


main()

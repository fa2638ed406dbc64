#!/usr/bin/env python3
"""Writes random-graphs.json: random graphs with branches, concatenations and gates, rectangular in all that can be.

    python3 Fixtures/reference/random_graphs.py [CASES [FILE [SEED]]]

The cases are of the form that random_architectures.py describes; 100 are checked in, of the seed 1000. A test takes those of
another file, where RRDATA_RANDOM_GRAPHS names one; the graphs of a seed are others unless two seeds are fewer than CASES apart:

    python3 Fixtures/reference/random_graphs.py 200 /tmp/graphs.json 5000
    RRDATA_RANDOM_GRAPHS=/tmp/graphs.json swift test --filter RandomArchitectureTests

Needs PyTorch.
"""

import sys

import torch

import generate
import random_architectures

SEED = 1000


class Architect(random_architectures.Architect):
    """Draws every layer with every option."""

    def layer(self, shape, depth):
        kinds = {"activation": 4, "narrow": 0.5, "channelshuffle": 1, "groupnorm": 1, "layernorm": 1, "dropout": 1, "stochasticdepth": 1,
                 "residual": [4, 1, 0][depth], "concat": [4, 1, 0][depth], "multiply": [4, 1, 0][depth]}
        kinds |= {"linear": 4} if len(shape) == 1 else {
            "conv2d": 6, "pooling": 2, "adaptiveavgpool2d": 1, "globalavgpool": 0.5, "batchnorm2d": 2,
            "layernorm2d": 4, "linear2d": 2}
        kind, = self.random.choices(list(kinds), list(kinds.values()))
        is_block = kind in ["residual", "concat", "multiply"]
        return getattr(self, kind)(shape, *([depth] if is_block else []))

    def activation(self, shape):
        if not self.is_smooth and self.random.random() < 0.6:
            slopes = {"prelu": {"num_parameters": self.random.choice([1, shape[0]]), "init": 0.2}}
            return self.random.choice(["relu6", "hardswish", "hardsigmoid", slopes])
        if self.random.random() < 0.1:
            return "elu"
        return super().activation(shape)

    def extents(self, low, high):
        """One number, or a height and a width."""
        if self.random.random() < 0.3:
            return self.random.randint(low, high)
        return [self.random.randint(low, high), self.random.randint(low, high)]

    def padding(self, kernel, symmetric=False):
        """At most `kernel` on a side."""
        rows, columns = kernel
        if symmetric or self.random.random() < 0.4:
            return [self.random.randint(0, rows), self.random.randint(0, columns)]
        return [[self.random.randint(0, rows) for _ in range(2)], [self.random.randint(0, columns) for _ in range(2)]]

    def conv2d(self, shape):
        groups = self.random.choice([1, 1, 1, 2, shape[0]])
        kernel = self.extents(1, 3)
        return {"conv2d": {
            "out": groups * self.random.randint(1, max(1, 6 // groups)), "kernel": kernel,
            "stride": self.random.choice([1, 1, self.extents(1, 2)]),
            "padding": self.padding(generate.pair(kernel)),
            "dilation": self.random.choice([1, 1, self.extents(1, 2)]), "groups": groups,
            "bias": self.random.random() < 0.8}}

    def pooling(self, shape):
        kernel = self.extents(1, 3)
        halves = [extent // 2 for extent in generate.pair(kernel)]
        has_ceiling = self.random.random() < 0.4
        options = {"kernel": kernel, "stride": self.extents(1, 3), "padding": self.padding(halves, has_ceiling),
                   "ceil_mode": has_ceiling}
        if not self.is_smooth and self.random.random() < 0.6:
            return {"maxpool2d": options | {"dilation": self.random.choice([1, self.extents(1, 2)])}}
        rows, columns = generate.sides(options["padding"])
        is_symmetric = rows[0] == rows[1] and columns[0] == columns[1]
        if self.random.random() < 0.3:
            options["divisor_override"] = self.random.randint(1, 5)
        return {"avgpool2d": options | {"count_include_pad": not is_symmetric or self.random.random() < 0.5}}

    def layernorm2d(self, shape):
        # Of two channels the normalised values hardly depend on the input.
        if shape[0] < 3:
            raise ValueError("too few channels")
        return {"layernorm2d": {"eps": self.random.choice([1e-2, 1e-1])}}

    def narrow(self, shape):
        start = self.random.randint(0, shape[0] - 1)
        return {"narrow": {"start": start, "length": self.random.randint(1, shape[0] - start)}}

    def channelshuffle(self, shape):
        return {"channelshuffle": {"groups": self.random.choice([n for n in range(1, shape[0] + 1) if shape[0] % n == 0])}}

    def linear2d(self, shape):
        return {"linear2d": {"out": self.random.randint(1, 6), "bias": self.random.random() < 0.8}}

    def stochasticdepth(self, shape):
        return {"stochasticdepth": {"p": self.random.choice([0.1, 0.3])}}

    def residual(self, shape, depth):
        body = self.list(shape, self.random.randint(1, 3), depth + 1)
        after = list(self.shape_after(body, shape))
        options = self.projection(shape, after)
        if options and self.random.random() < 0.5:
            options.append(self.activation(after))
        block = {"body": body}
        if options:
            block["projection"] = options if len(options) > 1 else options[0]
        if self.random.random() < 0.4:
            block["layer_scale"] = 0.5
        return {"residual": block}

    def concat(self, shape, depth):
        branches = [self.list(shape, self.random.randint(0, 2), depth + 1) for _ in range(self.random.randint(2, 3))]
        places = [list(self.shape_after(branch, shape)[1:]) for branch in branches]
        for branch, place in zip(branches, places):
            if place != places[0]:
                branch.append({"adaptiveavgpool2d": {"size": places[0]}})
        return {"concat": {"branches": branches}}

    def multiply(self, shape, depth):
        if len(shape) == 3 and self.random.random() < 0.6:
            # Squeeze and excitation.
            squeezed = self.random.randint(1, 4)
            body = ["globalavgpool", {"conv2d": {"out": squeezed, "kernel": 1}}, self.activation([squeezed]),
                    {"conv2d": {"out": shape[0], "kernel": 1}},
                    "sigmoid" if self.is_smooth else self.random.choice(["sigmoid", "hardsigmoid"])]
            return {"multiply": {"body": body}}
        body = self.list(shape, self.random.randint(1, 2), depth + 1)
        options = self.projection(shape, list(self.shape_after(body, shape)))
        return {"multiply": {"body": body} | ({"projection": options[0]} if options else {})}


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    path = sys.argv[2] if len(sys.argv) > 2 else "random-graphs.json"
    first = int(sys.argv[3]) if len(sys.argv) > 3 else SEED
    random_architectures.write(path, range(first, first + count), Architect)


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    main()

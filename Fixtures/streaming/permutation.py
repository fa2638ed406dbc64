"""Writes permutation.json: the order of the stream, computed by a second implementation.

The algorithm is described in Sources/RRStreaming/KeyedPermutation.swift, version 1.
Run: python3 Fixtures/streaming/permutation.py
"""

import json
import pathlib

WORD = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


def permutation(count, seed, epoch):
    """Gives the function from position to index."""
    state = mix((seed + GOLDEN) & WORD)
    state = mix(((state ^ epoch) + GOLDEN) & WORD)
    state = mix(((state ^ count) + GOLDEN) & WORD)
    keys = [mix((state + (r + 1) * GOLDEN) & WORD) for r in range(8)]
    bits = (count - 1).bit_length() if count > 1 else 0
    half = max(5, -(-bits // 2))

    def encrypt(x):
        left, right = x >> half, x & ((1 << half) - 1)
        for key in keys:
            left, right = right, left ^ (mix((right + key) & WORD) >> (64 - half))
        return (left << half) | right

    def index(position):
        if count == 1:
            return 0
        position = encrypt(position)
        while position >= count:
            position = encrypt(position)
        return position

    return index


CASES = [
    (1, 0, 0), (2, 0, 0), (2, 1, 0), (3, 7, 2), (10, 7, 0), (10, 7, 1), (10, 8, 0), (97, 2**64 - 1, 3),
    (1500, 7, 0), (4096, 7, 0), (4097, 7, 0), (60000, 0, 63), (2**31 + 1, 123456789, 5), (2**40 + 15, 1, 1),
    (2**62 + 1, 3, 0),
]

if __name__ == "__main__":
    vectors = []
    for count, seed, epoch in CASES:
        index = permutation(count, seed, epoch)
        positions = list(range(min(count, 10))) + ([count - 1] if count > 10 else [])
        vectors.append({
            "count": count, "seed": str(seed), "epoch": epoch, "positions": positions,
            "indices": [index(p) for p in positions],
        })
    text = "[\n" + ",\n".join("  " + json.dumps(v) for v in vectors) + "\n]\n"
    pathlib.Path(__file__).with_suffix(".json").write_text(text)

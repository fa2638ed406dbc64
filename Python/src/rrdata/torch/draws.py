"""Random values of samples, those of ``rrdata train``: they follow from a seed, a time, the sample and what they are for.

Sources: SplitMix64 by Steele, Lea and Flood (OOPSLA 2014); normal numbers by Box and Muller (1958).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mixed(bits: np.ndarray) -> np.ndarray:
    """The output function of SplitMix64, modulo 2⁶⁴."""
    with np.errstate(over="ignore"):
        bits = (bits ^ bits >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ bits >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return bits ^ bits >> np.uint64(31)


def _folded(value: np.ndarray, state: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return mixed((state ^ value) + _GOLDEN)


def _bits(purpose: bytes, seed: int, time: int, index: Sequence[int], count: int) -> np.ndarray:
    """``(N, count)`` uint64 of samples by their rows in the dataset."""
    whole = np.array([seed % 2**64, time % 2**64], np.uint64)
    name = np.zeros(1, np.uint64)
    for letter in purpose:
        name = _folded(np.array([letter], np.uint64), name)
    with np.errstate(over="ignore"):
        state = _folded(whole[1:], mixed(whole[:1] + _GOLDEN))
        rows = np.asarray(index, np.int64).view(np.uint64)
        state = _folded(name, _folded(rows, state))
        steps = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
        return mixed(state[:, None] + steps)


def unit_values(seed: int, epoch: int, index: Sequence[int], count: int) -> np.ndarray:
    """``(N, count)`` float32 in [0, 1): the values of samples' elements inside A."""
    bits = _bits(b"counterexample", seed, epoch, index, count)
    return (bits >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)


def normal_values(seed: int, epoch: int, index: Sequence[int], count: int) -> np.ndarray:
    """``(N, count)`` float64: normal numbers of samples' elements inside A."""
    bits = _bits(b"counterexample", seed, epoch, index, 2 * count)
    units = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return np.sqrt(-2 * np.log(1 - units[:, 0::2])) * np.cos(2 * np.pi * units[:, 1::2])


def share_values(seed: int, epoch: int, index: Sequence[int]) -> np.ndarray:
    """``(N,)`` float32 in [0, 1): samples with a number below the share are changed."""
    bits = _bits(b"share", seed, epoch, index, 1)[:, 0]
    return (bits >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)


def directions(seed: int, step: int, index: Sequence[int], classes: int) -> np.ndarray:
    """``(N, K)`` float64: a direction of each sample, uniform among those whose entries add up to 0 and whose squares to K − 1.

    They are normal numbers less their mean, brought to that length.
    """
    pairs = (classes + 1) // 2
    units = (_bits(b"projection", seed, step, index, 2 * pairs) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    radius, angle = np.sqrt(-2 * np.log(1 - units[:, 0::2])), 2 * np.pi * units[:, 1::2]
    normal = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 2).reshape(len(units), 2 * pairs)[:, :classes]
    normal = normal - normal.mean(1, keepdims=True)
    square = np.square(normal).sum(1, keepdims=True)
    return normal * np.sqrt((classes - 1) / np.where(square > 0, square, np.inf))

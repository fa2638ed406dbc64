"""Images that differ from those of a batch inside the masks alone, whose cross-entropy stands in the penalty's place.

Sources: Teso and Kersting, "Explanatory Interactive Machine Learning" (AIES 2019), random values; Heo, Piratla, Wicker and
Weller, "Use perturbations when learning from explanations" (NeurIPS 2023), with the search of Madry et al., "Towards deep
learning models resistant to adversarial attacks" (ICLR 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

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


def unit_values(seed: int, epoch: int, index: Sequence[int], count: int) -> np.ndarray:
    """``(N, count)`` float32 in [0, 1): the random values of samples' elements, those of ``rrdata train``.

    They follow from the seed, the epoch and the row of the sample in its dataset alone.
    """
    whole = np.array([seed % 2**64, epoch % 2**64], np.uint64)
    purpose = np.zeros(1, np.uint64)
    for letter in b"counterexample":
        purpose = _folded(np.array([letter], np.uint64), purpose)
    with np.errstate(over="ignore"):
        state = _folded(whole[1:], mixed(whole[:1] + _GOLDEN))
        rows = np.asarray(index, np.int64).view(np.uint64)
        state = _folded(purpose, _folded(rows, state))
        steps = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
        bits = mixed(state[:, None] + steps)
    return (bits >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)


def randomized(
    images: Tensor, masks: Tensor, units: np.ndarray, image_range: Any
) -> Tensor:
    """x̃ with values inside A that are uniform between the bounds.

    Args:
        images: ``(N, C, …)``.
        masks: of a shape that is broadcast to it.
        units: ``(N, C · …)``.
        image_range: ``(low, high)``, or one such pair a channel.
    """
    bounds = np.asarray(image_range, np.float32).reshape(-1, 2)
    shape = [1, -1] + [1] * (images.dim() - 2)
    low, high = bounds[:, 0].reshape(shape), bounds[:, 1].reshape(shape)
    values = torch.from_numpy(low + (high - low) * units.reshape(images.shape)).to(images.device, images.dtype)
    return torch.where(masks != 0, values, images)


def adversarial(
    images: Tensor, masks: Tensor, units: np.ndarray, loss_of: Callable[[Tensor], Tensor], *, steps: int, radius: float,
    step_size: float,
) -> Tensor:
    """x̃ = x + A ∘ δ with the δ of at most a radius that projected gradient ascent on the cross-entropy ends at.

    Args:
        loss_of: the summed cross-entropy of images.
    """
    inside = (masks != 0).to(images.dtype)
    start = torch.from_numpy(units.reshape(images.shape)).to(images.device, images.dtype)
    change = inside * (radius * (2 * start - 1))
    for _ in range(steps):
        point = (images + change).detach().requires_grad_()
        slope, = torch.autograd.grad(loss_of(point), point)
        change = inside * (change + step_size * slope.sign()).clamp(-radius, radius)
    return (images + change).detach()

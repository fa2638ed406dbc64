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


def uniform(units: np.ndarray, image_range: Any, shape: Sequence[int]) -> np.ndarray:
    """Values that are uniform between the bounds, of a shape ``(N, C, …)``.

    Args:
        units: ``(N, C · …)``, from 0 to 1.
        image_range: ``(low, high)``, or one such pair a channel.
    """
    low, high = _by_channel(image_range, np.float32, shape)
    return low + (high - low) * units.reshape(shape)


def normal(numbers: np.ndarray | float, image_moments: Any, shape: Sequence[int]) -> np.ndarray:
    """Values with the moments of each channel, of a shape ``(N, C, …)``.

    Args:
        numbers: ``(N, C · …)`` normal numbers, or 0 for the means.
        image_moments: ``(mean, deviation)``, or one such pair a channel.
    """
    mean, deviation = _by_channel(image_moments, np.float32, shape)
    values = np.asarray(numbers, np.float64)
    values = values.reshape(shape) if values.ndim else np.zeros(tuple(shape))
    return (mean.astype(np.float64) + deviation.astype(np.float64) * values).astype(np.float32)


def _by_channel(pairs: Any, kind: type, shape: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    values = np.asarray(pairs, kind).reshape(-1, 2)
    broadcast = [1, -1] + [1] * (len(shape) - 2)
    return values[:, 0].reshape(broadcast), values[:, 1].reshape(broadcast)


def filled(images: Tensor, masks: Tensor, values: Tensor | np.ndarray) -> Tensor:
    """x̃ with other values inside A.

    Args:
        images: ``(N, C, …)``.
        masks: of a shape that is broadcast to it.
        values: likewise; outside A they are not looked at.
    """
    other = torch.as_tensor(values).to(images.device, images.dtype)
    return torch.where(masks != 0, other, images)


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

"""Images that differ from those of a batch inside the masks alone, whose cross-entropy stands in the penalty's place.

Sources: Teso and Kersting, "Explanatory Interactive Machine Learning" (AIES 2019), random values; Heo, Piratla, Wicker and
Weller, "Use perturbations when learning from explanations" (NeurIPS 2023), with the search of Madry et al., "Towards deep
learning models resistant to adversarial attacks" (ICLR 2018).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor


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

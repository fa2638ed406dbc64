"""Masks of what a model looks at most, which the next model shall not look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .batch import refusal
from .gradients import explanations
from .samples import batches_on, gathered


def largest_gradient_masks(
    model: nn.Module, data: Tensor | Iterable[Any], y: Any = None, *, threshold: float | None = None,
    top_k: int | None = None, top_fraction: float | None = None, per_pixel: bool = False, target: str = "sum-log-prob",
    count: int | None = None, logits: Callable[[Any], Tensor] | None = None, group: Any = None,
) -> Any:
    """Masks of the elements with the largest absolute input gradients, as ``rrdata make-masks`` makes them.

    Source: Ross, Hughes and Doshi-Velez, "Right for the Right Reasons" (IJCAI 2017), ``largest_gradient_mask`` of its code,
    where the threshold is 0.67 and the target ``"predicted"``.

    Args:
        model: gives logits ``(N, K)``.
        data: images ``(N, …)``; or batches ``(images, labels, index, …)`` in any order, as a `Stream` gives them.
        y: of images, their labels, for ``target="label"``.
        threshold: from 0 to 1: all elements above so much of the sample's largest.
        top_k: the number of elements for each sample; of equal ones the first.
        top_fraction: the share of the elements for each sample, at least one.
        per_pixel: whether channels are summed first, and whole pixels taken.
        target: what is differentiated, as of `explanation_loss`.
        count: of batches, the number of rows of the result, the samples of the dataset; None for as many as the largest index
            asks for.
        logits: takes the logits out of what the model returns.
        group: of batches, the processes that share the samples, of which each gets all masks; None for those of
            `torch.distributed` where it is initialised, False for this one alone.

    Returns:
        of images a tensor, of batches an array ``(count, …)`` whose row i is of the sample with the index i: uint8, in the
        images' shape, with one channel by pixel. Of a sample that no batch has, and of one whose gradient is zero throughout or
        not finite, the mask is all zero.

    Raises:
        UsageError: not one of threshold, top_k and top_fraction is given, or it cannot be had.
    """
    selection = _Selection(threshold, top_k, top_fraction, per_pixel)
    if isinstance(data, Tensor):
        return selection.masks(explanations(model, data, y, target, logits)[1])
    found: dict[int, np.ndarray] = {}
    for batch in batches_on(model, data):
        labels = batch.labels if target == "label" else None
        gradients = explanations(model, batch.images, labels, target, logits, batch.index)[1]
        for row, mask in zip(batch.index, selection.masks(gradients).cpu().numpy()):
            if row >= 0:
                found[row] = mask
    parts = gathered(found, group)
    rows = max((max(part, default=-1) for part in parts), default=-1) + 1
    if count is not None and rows > count:
        raise refusal(f"a sample has the index {rows - 1}, but count is {count}", "index-out-of-range")
    shape = next((mask.shape for part in parts for mask in part.values()), ())
    masks = np.zeros((rows if count is None else count, *shape), np.uint8)
    for part in parts:
        for row, mask in part.items():
            masks[row] = mask
    return masks


class _Selection:
    """Which elements become a mask."""

    def __init__(self, threshold: float | None, top_k: int | None, top_fraction: float | None, per_pixel: bool) -> None:
        if sum(value is not None for value in (threshold, top_k, top_fraction)) != 1:
            raise refusal("give one of threshold, top_k and top_fraction", "invalid-option")
        if threshold is not None and not 0 <= threshold < 1:
            raise refusal(f"the threshold {threshold} must be at least 0 and below 1", "invalid-option")
        if top_fraction is not None and not 0 < top_fraction <= 1:
            raise refusal(f"the fraction {top_fraction} must be above 0 and at most 1", "invalid-option")
        self._threshold, self._top_k, self._fraction, self._per_pixel = threshold, top_k, top_fraction, per_pixel

    def masks(self, gradients: Tensor) -> Tensor:
        """``(N, …)`` uint8 of gradients ``(N, …)``."""
        values = gradients.abs()
        if self._per_pixel:
            values = values.sum(1, keepdim=True)
        rows = values.flatten(1)
        peaks = rows.amax(1, keepdim=True) if rows.numel() else rows
        if self._threshold is not None:
            chosen = rows > self._threshold * peaks
        else:
            chosen = torch.zeros_like(rows, dtype=torch.bool).scatter(1, self._largest(rows), True)
        chosen &= (peaks > 0) & rows.isfinite().all(1, keepdim=True)
        return chosen.reshape(values.shape).to(torch.uint8)

    def _largest(self, rows: Tensor) -> Tensor:
        count = rows.shape[1]
        kept = self._top_k
        if kept is None:
            # To the nearest, halves away from zero.
            kept = max(1, int((self._fraction or 0) * count + 0.5))
        if not 1 <= kept <= count:
            raise refusal(
                f"cannot take the {kept} largest of {count} elements: choose 1 to {count}", "invalid-option")
        return torch.argsort(rows, dim=1, descending=True, stable=True)[:, :kept]

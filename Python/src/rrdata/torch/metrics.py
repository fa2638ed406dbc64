"""For which reasons a model decides: the figures of ``rrdata evaluate``, whose help defines each with its source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .batch import checked_batch, choice, refusal
from .draws import mixed
from .gradients import explanations, unwrapped
from .passes import TARGETS, evaluated, logits_of
from .samples import Samples, batches_on, gathered

#: What is above the mean exceeds it by this share of it, so that where all are equal none is.
_TOLERANCE = 1e-9
_MEANS = (
    "gradient_share_inside_mask", "mask_share_of_area", "gradient_share_relative_to_area", "relevance_rank_accuracy",
    "top_k_intersection", "pointing_game", "wrong_reason_score")


def explanation_metrics(
    model: nn.Module, data: Tensor | Iterable[Any], y: Any = None, A: Any = None, *, target: str = "sum-log-prob",
    top_k: int | None = None, lambda1: float | None = None, reduction: str = "mean", batch_size: int = 1, seed: int = 0,
    normalization: tuple[Sequence[float], Sequence[float]] | None = None, value_range: str = "unit",
    logits: Callable[[Any], Tensor] | None = None, group: Any = None,
) -> dict[str, Any]:
    """For which reasons a model decides, by the figures and names of ``explanation`` in ``rrdata evaluate --json``.

    The swap test, ``localization_area`` and the intervals are the command's alone.

    The model is in evaluation mode meanwhile; `torch.no_grad` and `torch.inference_mode` around it are left.

    Args:
        model: gives logits ``(N, K)``.
        data: batches ``(images, labels, index, masks, …)`` as a `Stream` gives them, each sample once; or images ``(N, …)``.
        y, A: of images, their labels and masks.
        target: whose input gradient is measured, as of `explanation_loss`.
        top_k: the k of ``top_k_intersection``; None for as many as each mask marks.
        lambda1: the weight of the penalty in ``penalty_to_cross_entropy``.
        reduction, batch_size: how the penalties of samples become one of a batch, for that figure.
        seed: decides, with the index, the values that pixels in A are randomised to.
        normalization: means and standard deviations by channel, that images are brought to before the model sees them; None
            where they are as the model takes them.
        value_range: whence random values come: ``"unit"``, 0 to 1, of images that were integers, or ``"image"``, each image's
            own smallest to largest.
        logits: takes the logits out of what the model returns.
        group: the processes that share the samples; None for those of `torch.distributed` where it is initialised, False for
            this one alone.

    Returns:
        the figures, None where there is nothing to measure, and ``samples``, ``accuracy`` and ``cross_entropy``.

    Raises:
        UsageError: batches have no masks or no index, or an option is none.
    """
    choice("target", target, TARGETS)
    choice("reduction", reduction, ("mean", "sum", "annotated"))
    choice("value_range", value_range, ("unit", "image"))
    if isinstance(data, Tensor):
        data = [(data, y, torch.arange(len(data)), A)]
    own = _Tally()
    for samples in batches_on(model, data):
        kept = [place for place, row in enumerate(samples.index) if row >= 0]
        if kept:
            _Measurement(model, target, top_k, seed, normalization, value_range, logits).add(_part(samples, kept), own)
    whole = _Tally()
    for part in gathered(own, group):
        whole.join(part)
    figures = whole.report(lambda1, reduction, batch_size)
    return {**figures, "target": target, "top_k": top_k, "lambda1": lambda1, "seed": str(seed)}


def _part(samples: Samples, places: list[int]) -> Samples:
    if samples.masks is None:
        raise refusal("batches have no masks: the fourth part is A", "unsuitable-batch")
    if len(places) == len(samples.index):
        return samples
    return Samples(
        samples.images[places], samples.labels[places], [samples.index[place] for place in places], samples.masks[places])


class _Tally:
    """The sums over samples."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(
            ("samples", "correct", "measured", "zero", "not_finite", "unannotated", "randomized", "flipped"), 0)
        self.sums = dict.fromkeys(("cross_entropy", "penalty", *_MEANS), 0.0)

    def join(self, other: _Tally) -> None:
        for own, others in [(self.counts, other.counts), (self.sums, other.sums)]:
            for name, value in others.items():
                own[name] += value

    def report(self, lambda1: float | None, reduction: str, batch_size: int) -> dict[str, Any]:
        counts, sums = self.counts, self.sums
        annotated = counts["measured"] + counts["zero"] + counts["not_finite"]

        def mean(value: float, count: int) -> float | None:
            quotient = value / count if count else float("nan")
            return quotient if np.isfinite(quotient) else None

        cross_entropy = mean(sums["cross_entropy"], counts["samples"])
        penalty = mean(sums["penalty"], annotated if reduction == "annotated" else counts["samples"])
        ratio = None
        if lambda1 is not None and penalty is not None and cross_entropy:
            ratio = lambda1 * penalty * (batch_size if reduction == "sum" else 1) / cross_entropy
        return {
            "samples": counts["samples"],
            "accuracy": mean(counts["correct"], counts["samples"]),
            "cross_entropy": cross_entropy,
            "annotated_samples": annotated,
            "measured_samples": counts["measured"],
            "unannotated_samples": counts["unannotated"],
            "zero_gradient_samples": counts["zero"],
            "not_finite_gradient_samples": counts["not_finite"],
            **{name: mean(sums[name], counts["measured"]) for name in _MEANS},
            "penalty": mean(sums["penalty"], counts["samples"]),
            "penalty_to_cross_entropy": ratio,
            "randomized_samples": counts["randomized"],
            "prediction_flips": mean(counts["flipped"], counts["randomized"]),
        }


class _Measurement:
    """How samples are measured."""

    def __init__(
        self, model: nn.Module, target: str, top_k: int | None, seed: int, normalization: Any, value_range: str, logits: Any
    ) -> None:
        self._model, self._target, self._top_k, self._logits = model, target, top_k, logits
        self._seed, self._normalization, self._value_range = seed, normalization, value_range

    def add(self, samples: Samples, tally: _Tally) -> None:
        """Measures samples that pad no batch."""
        seen = self._seen(samples.images)
        batch = checked_batch(seen, samples.labels, samples.masks)
        output, gradients = explanations(
            self._model, batch.images, batch.labels if self._target == "label" else None, self._target, self._logits,
            samples.index)
        predictions = output.argmax(1)
        counts, sums = tally.counts, tally.sums
        counts["samples"] += batch.count
        counts["correct"] += int((predictions == batch.labels).sum())
        sums["cross_entropy"] += functional.cross_entropy(output.double(), batch.labels, reduction="sum").item()
        counts["unannotated"] += batch.count - len(batch.annotated)
        if not batch.annotated:
            return
        rows = torch.tensor(batch.annotated, device=seen.device)
        masks = (batch.marks(rows) != 0).expand_as(batch.images[rows])
        self._add_explanations(gradients[rows].flatten(1), masks.flatten(1), tally)
        images = self._randomized(samples.images[rows], masks, [samples.index[row] for row in batch.annotated])
        with evaluated(inner := unwrapped(self._model)), torch.no_grad():
            changed = logits_of(inner(self._seen(images)), self._logits, inner).argmax(1)
        counts["randomized"] += len(rows)
        counts["flipped"] += int((changed != predictions[rows]).sum())

    def _add_explanations(self, gradients: Tensor, masks: Tensor, tally: _Tally) -> None:
        """Adds annotated samples' gradients and masks, each ``(N, D)``."""
        values = gradients.abs()
        wide = values.double()
        total = wide.sum(1)
        finite = total.isfinite()
        tally.counts["not_finite"] += int((~finite).sum())
        tally.counts["zero"] += int((total == 0).sum())
        tally.sums["penalty"] += (wide.square() * masks).sum().item() if bool(finite.all()) else float("nan")
        kept = finite & (total > 0)
        if not bool(kept.any()):
            return
        values, wide, masks, total = values[kept], wide[kept], masks[kept], total[kept]
        count = values.shape[1]
        if self._top_k is not None and not 1 <= self._top_k <= count:
            raise refusal(f"cannot take the {self._top_k} largest of {count} elements", "invalid-option")
        ranked = torch.argsort(values, dim=1, descending=True, stable=True)
        marked = masks.gather(1, ranked)
        places = torch.arange(count, device=values.device)
        area = masks.sum(1)
        hits = (marked & (places < area[:, None])).sum(1)
        top = area if self._top_k is None else torch.full_like(area, self._top_k)
        common = (marked & (places < top[:, None])).sum(1)
        bound = total / count * (1 + _TOLERANCE)
        share, part = (wide * masks).sum(1) / total, area.double() / count
        figures = (
            share, part, share / part, hits.double() / area, common.double() / (top + area - common), marked[:, 0].double(),
            (masks & (wide > bound[:, None])).sum(1).double() / area)
        tally.counts["measured"] += len(values)
        for name, each in zip(_MEANS, figures):
            tally.sums[name] += each.sum().item()

    def _seen(self, images: Tensor) -> Tensor:
        """Images as the model sees them."""
        if self._normalization is None:
            return images
        means, deviations = (
            torch.tensor(part, dtype=images.dtype, device=images.device).reshape(1, -1, *[1] * (images.dim() - 2))
            for part in self._normalization)
        return (images - means) / deviations

    def _randomized(self, images: Tensor, masks: Tensor, index: list[int]) -> Tensor:
        """Images with the elements in A uniform over the range of values, rounded to float32."""
        count = images[0].numel()
        with np.errstate(over="ignore"):
            start = mixed(mixed(np.array([self._seed % 2**64], np.uint64)) + np.asarray(index, np.int64).view(np.uint64))
            bits = mixed(start[:, None] + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
        units = torch.from_numpy((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53).to(images.device)
        low, high = 0.0, 1.0
        if self._value_range == "image":
            flat = images.flatten(1).double()
            low, high = flat.amin(1, keepdim=True), flat.amax(1, keepdim=True)
        values = (low + (high - low) * units).float().to(images.dtype).reshape(images.shape)
        return torch.where(masks, values, images)

"""What a loss is asked to be, and what follows from it for each term."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .attributions import ATTRIBUTIONS, OF_LAYERS
from .batch import PADDING, LabelledBatch, choice, refusal
from .distributed import Totals
from .groups import GroupWeights
from .passes import TARGETS

#: What R is divided by, by the names of ``rrdata train --penalty-reduction``.
REDUCTIONS = ("mean", "sum", "annotated")
#: What R is, by the names of ``rrdata train --guidance``.
GUIDANCES = ("rrr", "augment", "consistency", "pgd", "input-gradient")
#: What lies inside A of changed images, by the names of ``rrdata train --augment-fill``.
FILLS = ("uniform", "noise", "mean", "swap")
#: Where changed images go, by the names of ``rrdata train --augment-place``.
PLACES = ("beside", "instead")


@dataclass(frozen=True)
class LossOptions:
    """What a loss is asked to be; `explanation_loss` says what each means."""

    lambda1: float
    target: str
    reduction: str
    guidance: str
    attribution: str
    layer: Any
    feature_masks: Tensor | None
    label_smoothing: float
    class_weights: Tensor | None
    groups: Any
    group_weights: GroupWeights | None
    index: Any
    epoch: int
    step: int | None
    seed: int
    image_range: Any
    fill: str
    place: str
    share: float
    consistency: float
    counterexamples: Tensor | None
    image_moments: Any
    pgd_steps: int
    pgd_radius: float
    pgd_step_size: float | None
    batch_norm: str
    pick: Callable[[Any], Tensor] | None
    compiled: Mapping[str, Any] | None

    def check(self, A: Any) -> None:
        """Refuses what makes no sense, with the masks that are given or None.

        Raises:
            UsageError: an option is none, or contradicts another.
        """
        choice("target", self.target, TARGETS)
        choice("reduction", self.reduction, REDUCTIONS)
        choice("guidance", self.guidance, GUIDANCES)
        choice("attribution", self.attribution, ATTRIBUTIONS)
        self._check_attribution()
        if (self.groups is None) != (self.group_weights is None):
            raise refusal(
                "groups and group_weights go together: which group each sample is in, and what groups weigh", "invalid-option")
        choice("fill", self.fill, FILLS)
        choice("place", self.place, PLACES)
        choice("batch_norm", self.batch_norm, ("freeze", "refuse"))
        if not 0 <= self.lambda1 < float("inf"):
            raise refusal(f"lambda1 is {self.lambda1}, but must be a number of at least 0", "invalid-option")
        if not 0 <= self.label_smoothing <= 1:
            raise refusal(f"label_smoothing is {self.label_smoothing}, but must be from 0 to 1", "invalid-option")
        if self.guidance != "rrr" and self.target != "sum-log-prob":
            raise refusal(
                f'target is of guidance="rrr"; {self.guidance} is about the cross-entropy of the label', "invalid-option")
        if self.target == "logit-jacobian" and self.compiled is not None:
            raise refusal(
                'target="logit-jacobian" draws a direction for each sample once its logits are there, which is not compiled: '
                "leave compile out", "invalid-option")
        if self.guidance == "input-gradient" and A is not None:
            raise refusal(
                'guidance="input-gradient" is over all pixels of all samples and takes no masks: give A=None, or '
                'guidance="rrr" with target="label" for the same inside the masks', "invalid-option")
        self._check_counterexamples()
        if self.guidance == "pgd" and not (self.pgd_steps >= 1 and self.pgd_radius > 0 and (self.pgd_step_size or 1) > 0):
            raise refusal("pgd_steps, pgd_radius and pgd_step_size must be above 0", "invalid-option")

    def _check_attribution(self) -> None:
        if self.guidance != "rrr" and self.attribution != "input-gradient":
            raise refusal(
                f'attribution is of guidance="rrr"; {self.guidance} is about the cross-entropy of the label', "invalid-option")
        if self.attribution not in OF_LAYERS:
            if self.layer is not None or self.feature_masks is not None:
                raise refusal(
                    'layer and feature_masks go with attribution="feature-gradient" or "gradcam"', "invalid-option")
            return
        if self.layer is None:
            raise refusal(
                f'attribution="{self.attribution}" is about the output of a layer: give layer=, a module of the model or its '
                'name, as layer="layer4" of a ResNet', "invalid-option")
        if self.compiled is not None:
            raise refusal(
                "the output of a layer is taken by a hook, which is not compiled: leave compile out", "invalid-option")

    def _check_counterexamples(self) -> None:
        others = (self.fill, self.place, self.share, self.consistency) != ("uniform", "beside", 1, 0)
        if self.guidance not in ("augment", "consistency"):
            if others:
                raise refusal(
                    'fill, place, share and consistency go with guidance="augment" or "consistency"', "invalid-option")
            return
        if not 0 < self.share <= 1:
            raise refusal(f"share is {self.share}, but must be above 0 and at most 1", "invalid-option")
        if not 0 <= self.consistency < float("inf") or (self.guidance == "consistency" and self.consistency == 0):
            raise refusal(
                f"consistency is {self.consistency}, but must be a number of at least 0, and above it where nothing else is "
                "weighed", "invalid-option")
        if self.place == "instead" and (self.guidance == "consistency" or self.consistency > 0):
            raise refusal(
                'place="instead" leaves no image to compare the changed one with: put it beside', "invalid-option")
        if self.place == "instead" and self.lambda1 not in (0, 1):
            raise refusal(
                'lambda1 weighs what is beside the images, and with place="instead" nothing is: give 1', "invalid-option")
        if self.fill == "swap" and self.counterexamples is None and self.lambda1 > 0:
            raise refusal(
                'fill="swap" takes counterexamples=, for each annotated sample an image whose mask another sample fills',
                "invalid-option")

    @property
    def has_counterexamples(self) -> bool:
        """Whether images are changed inside their masks."""
        return self.guidance in ("augment", "consistency", "pgd")

    def index_of(self, rows: list[int]) -> list[int]:
        """What samples of the batch are known by where values are drawn for them."""
        if self.index is None:
            return rows
        known = torch.as_tensor(self.index).tolist()
        return [known[row] for row in rows]

    def cross_entropy(self, logits: Tensor, labels: Tensor, reduction: str) -> Tensor:
        """The cross-entropy, its mean or its sum, of samples that pad no batch."""
        weights = self.class_weights
        if weights is not None:
            if weights.shape != logits.shape[1:]:
                raise refusal(
                    f"there are {weights.numel()} class weights, but the model has {logits.shape[1]} classes",
                    "unsuitable-class-weights")
            weights = weights.to(logits.device, logits.dtype)
        return functional.cross_entropy(
            logits, labels, weight=weights, ignore_index=PADDING, reduction=reduction,
            label_smoothing=self.label_smoothing)

    def weights_of(self, labels: Tensor, dtype: torch.dtype) -> Tensor:
        """``(N,)``: what each sample weighs in the cross-entropy; 0 for one that pads a batch."""
        kept = labels != PADDING
        if self.class_weights is None:
            return kept.to(dtype)
        return torch.where(kept, self.class_weights.to(labels.device, dtype)[labels.clamp_min(0)], 0)

    def totals(self, batch: LabelledBatch, guided: list[int], world: int) -> Totals:
        """The counts of this process's part of the batch."""
        labels, weights = batch.labels, self.class_weights
        if weights is None and world == 1 and not self.has_counterexamples:
            return Totals(batch.labelled, batch.labelled, len(guided), len(guided), 0)
        own = labels.tolist()
        of_class = None if weights is None else weights.tolist()
        if of_class is not None and own and max(own) >= len(of_class):
            raise refusal(f"a label is {max(own)}, but there are {len(of_class)} class weights", "unsuitable-class-weights")
        weight = [0.0 if label < 0 else 1.0 if of_class is None else of_class[label] for label in own]
        return Totals(
            sum(weight), sum(label >= 0 for label in own), len(guided), sum(weight[row] for row in guided),
            1 if batch.masks is not None and self.lambda1 > 0 and world > 1 else 0)

    def divisor(self, totals: Totals, world: int) -> Any:
        """What the penalties of samples are divided by, for each process, whose mean all together take."""
        if self.reduction == "sum":
            return 1 / world
        if self.reduction == "mean":
            return totals.weight if self.has_counterexamples else totals.samples
        # Where no annotated sample weighs anything, R is 0 whatever it is divided by.
        return (totals.guided_weight or 1.0) if self.has_counterexamples else totals.guided

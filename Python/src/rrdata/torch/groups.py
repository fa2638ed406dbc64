"""What groups of samples weigh in the cross-entropy, where they do not weigh what their samples do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .batch import PADDING, refusal


class GroupWeights:
    """Weights of groups: fixed ones, or those of group DRO, which change from batch to batch.

    With fixed weights w the cross-entropy is Σ_n w_g(n) CE_n / Σ_n w_g(n). With a step size η it is Σ_g q_g CE_g, CE_g the mean of
    a group's samples in the batch, 0 where it has none, and before each batch q_g ← q_g exp(η CE_g) / Σ, from 1 / G on.

    Source: Sagawa, Koh, Hashimoto and Liang, "Distributionally robust neural networks for group shifts" (ICLR 2020).

    Attributes:
        weights: ``(G,)``, float64: w, or q after the last batch; to be kept with a checkpoint.
        step_size: η; None for fixed weights.
    """

    def __init__(self, weights: int | Sequence[float] | Tensor, step_size: float | None = None) -> None:
        """
        Args:
            weights: one for each group, or their number for 1 / G each.
            step_size: η, above 0; None for weights that stay.

        Raises:
            UsageError: a weight is negative, or the step size not above 0.
        """
        self.weights = (
            torch.full((weights,), 1 / max(weights, 1), dtype=torch.float64) if isinstance(weights, int)
            else torch.as_tensor(weights, dtype=torch.float64).clone())
        if self.weights.dim() != 1 or len(self.weights) == 0 or not bool((self.weights >= 0).all()):
            raise refusal("the weights of groups must be numbers of at least 0, one for each group", "invalid-option")
        if step_size is not None and not 0 < step_size < float("inf"):
            raise refusal(f"step_size is {step_size}, but must be above 0", "invalid-option")
        self.step_size = step_size

    def of_samples(self, groups: Any, labels: Tensor, losses: Tensor) -> Tensor:
        """``(N,)``: the factors of CE_n in the sum; 0 for samples that pad a batch. Those of group DRO are those after this batch.

        Raises:
            UsageError: a sample has no group, or one that has no weight.
        """
        numbers = torch.as_tensor(groups).to("cpu", torch.int64)
        counts_of = labels.cpu() != PADDING
        if numbers.shape != labels.shape or not bool(((numbers >= 0) & (numbers < len(self.weights)))[counts_of].all()):
            raise refusal(
                f"groups must have the number of one of {len(self.weights)} groups for each of the {len(labels)} samples",
                "batch-mismatch")
        numbers = torch.where(counts_of, numbers, 0)
        own = losses.detach().to("cpu", torch.float64)
        if self.step_size is None:
            weights = self.weights[numbers] * counts_of
            return (weights / weights.sum().clamp_min(torch.finfo(torch.float64).tiny)).to(losses.device, losses.dtype)
        zeros = torch.zeros_like(self.weights)
        counts = zeros.index_add(0, numbers, counts_of.double())
        means = zeros.index_add(0, numbers, own * counts_of) / counts.clamp_min(1)
        grown = self.weights * (self.step_size * (means - means.max())).exp()
        self.weights = grown / grown.sum()
        return ((self.weights / counts.clamp_min(1))[numbers] * counts_of).to(losses.device, losses.dtype)

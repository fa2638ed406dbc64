"""Input gradients as explanations, which nothing is trained by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .batch import checked_images, choice, refusal
from .draws import directions
from .passes import TARGETS, Traits, evaluated, gradient_by, logits_of


def input_gradients(
    model: nn.Module, x: Tensor, y: Any = None, target: str = "sum-log-prob", *, index: Any = None,
    logits: Callable[[Any], Tensor] | None = None,
) -> Tensor:
    """The gradient of what a model says of each sample by the sample, as ``rrdata make-masks`` and ``evaluate`` take it.

    The model is in evaluation mode meanwhile, and then as it was; `torch.no_grad` and `torch.inference_mode` around it are
    left. In `DistributedDataParallel` it is the wrapped module that is asked, so each process may ask by itself.

    Args:
        model: gives logits ``(N, K)``.
        x: ``(N, …)``, floating-point.
        y: ``(N,)`` whole numbers, which ``target="label"`` needs.
        target: what is differentiated, as of `explanation_loss`.
        index: ``(N,)``, the rows of the samples in their dataset, by which ``"logit-jacobian"`` draws; None for those in x.
        logits: takes the logits out of what the model returns.

    Returns:
        in the shape of x, detached.

    Raises:
        UsageError: the output does not depend on the input, or an argument is none.
    """
    return explanations(model, x, y, target, logits, index)[1]


def explanations(
    model: nn.Module, x: Tensor, y: Any, target: str, pick: Callable[[Any], Tensor] | None, index: Any = None
) -> tuple[Tensor, Tensor]:
    """The logits ``(N, K)`` of samples, and their input gradients; both detached."""
    choice("target", target, TARGETS)
    if target == "label" and y is None:
        raise refusal('target="label" needs the labels: give y', "invalid-option")
    inner = unwrapped(model)
    with evaluated(inner):
        images = checked_images(x).detach()
        if images.is_inference():
            images = images.clone()
        point = images.requires_grad_() if images is not x else images.clone().requires_grad_()
        traits = Traits.of(inner)
        output = logits_of(inner(point.clone() if traits.changes_in_place else point), pick, inner)
        labels = None if y is None else torch.as_tensor(y).to(output.device)
        rows = range(len(output)) if index is None else torch.as_tensor(index).tolist()
        gradient = gradient_by(point, output, _seed(output.detach(), labels, target, rows))
    return output.detach(), gradient


def unwrapped(model: nn.Module) -> nn.Module:
    """The module inside wrappers of several processes or of a compiler."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if inner is None and isinstance(model, (nn.parallel.DistributedDataParallel, nn.DataParallel)):
            inner = model.module
        if inner is None:
            return model
        model = inner


def _seed(logits: Tensor, labels: Tensor | None, target: str, index: Sequence[int]) -> Tensor:
    """∂T/∂z: 1 − K p, e_c − p, 1 or a direction that is drawn, in which 1 − p of one class is summed from the others.

    Near certainty the difference would have lost its digits.
    """
    if target == "logits-sum":
        return torch.ones_like(logits)
    if target == "logit-jacobian":
        return torch.from_numpy(directions(0, 0, index, logits.shape[1])).to(logits.device, logits.dtype)
    probabilities = torch.softmax(logits.double(), 1)
    if target == "sum-log-prob":
        return (1 - logits.shape[1] * probabilities).to(logits.dtype)
    chosen = logits.argmax(1) if target == "predicted" or labels is None else labels.clamp_min(0)
    seed = -probabilities
    others = probabilities.scatter(1, chosen[:, None], 0.0).sum(1, keepdim=True)
    return seed.scatter(1, chosen[:, None], others).to(logits.dtype)

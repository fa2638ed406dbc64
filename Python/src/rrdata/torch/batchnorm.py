"""Batch normalisation in training mode: held while a penalty is computed, and over all processes where none is.

Each process of a data-parallel wrapper normalises its own part of a batch, so that two compute something else than one of the
whole. While a penalty is computed nothing is normalised by the batch. In a step of masks in which no sample of any process is
annotated, sums over the parts are added up over the processes, and the result is that of one again.

Source: Ioffe and Szegedy, "Batch Normalization" (ICML 2015), algorithm 1.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .batch import refusal

_told: weakref.WeakSet[nn.Module] = weakref.WeakSet()


def normalizes_batches(module: nn.Module) -> bool:
    """Whether a layer normalises by the batch as it stands."""
    return isinstance(module, _BatchNorm) and (module.training or module.running_mean is None)


@contextlib.contextmanager
def frozen(model: nn.Module, norms: list[nn.Module], batch_norm: str) -> Iterator[None]:
    """Batch normalisation as in evaluation, so that what is said of a sample does not depend on the others.

    Raises:
        UsageError: it has no running statistics, or ``batch_norm`` is "refuse".
    """
    if not norms:
        yield
        return
    if batch_norm == "refuse" or any(norm.running_mean is None for norm in norms):
        raise refusal(
            f"the model normalises over the batch in {len(norms)} layers, so that a sample's input gradient depends on the "
            "other samples: "
            + ("call eval() of these layers, or give batch_norm=\"freeze\"" if batch_norm == "refuse" else
               "they keep no running statistics to stand in (track_running_stats); take group normalisation"),
            "batch-normalization")
    if model not in _told:
        _told.add(model)
        warnings.warn(
            f"{len(norms)} batch normalisations are in training mode: while a penalty is computed they are frozen at their "
            "running statistics, as in rrdata train. Call eval() of them to have them so throughout, or give "
            "batch_norm=\"refuse\" to be stopped.", stacklevel=4)
    for norm in norms:
        norm.training = False
    try:
        yield
    finally:
        for norm in norms:
            norm.training = True


@contextlib.contextmanager
def shared(norms: list[nn.Module], group: Any) -> Iterator[None]:
    """Batch normalisation by the statistics of the parts that all processes of a group have of the batch.

    Raises:
        UsageError: a layer computes something else of the batch than batch normalisation.
    """
    # PyTorch's own does so by itself.
    norms = [norm for norm in norms if not isinstance(norm, nn.SyncBatchNorm)]
    for norm in norms:
        if type(norm) not in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d):
            raise refusal(
                f"no sample of the batch is annotated, and the model normalises over the batch in layers of the type "
                f"{type(norm).__name__}, which each process would do for its own part: call eval() of these layers, or take "
                "torch.nn.SyncBatchNorm", "batch-normalization")
    for norm in norms:
        norm.forward = functools.partial(_normalized, norm, group)
    try:
        yield
    finally:
        for norm in norms:
            del norm.forward


class _Sum(torch.autograd.Function):
    """A sum over processes, whose gradient has what it does to the losses of all of them."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, group: Any) -> Tensor:
        ctx.group = group
        total = values.clone()
        distributed.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        total = gradients[0].clone()
        distributed.all_reduce(total, group=ctx.group)
        return total, None


def _total(values: Tensor, group: Any) -> Tensor:
    total: Any = _Sum.apply(values, group)
    return total


def _normalized(norm: Any, group: Any, values: Tensor) -> Tensor:
    """What a layer makes of ``(N, C, …)``, of which this process has some samples or none."""
    wide = values.float() if values.dtype in (torch.float16, torch.bfloat16) else values
    channels = wide.shape[1]
    each, shape = [0, *range(2, wide.dim())], (1, channels, *[1] * (wide.dim() - 2))
    counted = _total(torch.cat([wide.sum(each), wide.new_tensor([wide.numel() / channels])]), group)
    count = counted[channels].detach()
    mean = counted[:channels] / count
    centred = wide - mean.view(shape)
    variance = _total(centred.square().sum(each), group) / count
    if norm.running_mean is not None and norm.training:
        with torch.no_grad():
            norm.num_batches_tracked.add_(1)
            share = 1 / norm.num_batches_tracked.item() if norm.momentum is None else norm.momentum
            norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), share)
            # As PyTorch keeps it, without bias.
            norm.running_var.lerp_((variance * (count / (count - 1))).to(norm.running_var.dtype), share)
    result = centred * (variance + norm.eps).rsqrt().view(shape)
    if norm.affine:
        result = result * norm.weight.view(shape) + norm.bias.view(shape)
    return result.to(values.dtype)

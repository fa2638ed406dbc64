"""Samples of a stream or a loader on a model's device, and what several processes have found of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn

from .batch import refusal


@dataclass(frozen=True)
class Samples:
    """A batch on a device.

    Attributes:
        images: ``(N, …)``.
        labels: ``(N,)`` int64, on the images' device.
        index: the row of each sample in its dataset; -1 for one that pads.
        masks: in the images' shape or with one channel; None where batches bring none.
    """

    images: Tensor
    labels: Tensor
    index: list[int]
    masks: Tensor | None


def device_of(model: nn.Module) -> torch.device:
    """Where a model's parameters are."""
    return next((value.device for value in model.parameters()), torch.device("cpu"))


def batches_on(model: nn.Module, batches: Iterable[Any]) -> Iterator[Samples]:
    """Batches ``(images, labels, index, masks, …)``, arrays or tensors, on a model's device.

    Raises:
        UsageError: they bring no index.
    """
    device = device_of(model)
    for batch in batches:
        if not isinstance(batch, (tuple, list)) or len(batch) < 3:
            raise refusal(
                "batches must be (images, labels, index, masks, …), as a Stream gives them: without an index nobody knows "
                "after a shuffle whose a mask is", "unsuitable-batch")
        images, labels, index = (torch.as_tensor(part) for part in batch[:3])
        masks = torch.as_tensor(batch[3]).to(device) if len(batch) > 3 and batch[3] is not None else None
        if index.shape != images.shape[:1] or index.is_floating_point():
            raise refusal(
                f"the third part of a batch must be the index, ({len(images)},) whole numbers, but is {index.dtype} of the "
                f"shape {tuple(index.shape)}", "unsuitable-batch")
        yield Samples(images.to(device), labels.to(device), index.tolist(), masks)


def processes(group: Any) -> Any:
    """The processes that share samples: those given, or all that there are; None for this one alone."""
    if group is False or not distributed.is_available() or not distributed.is_initialized():
        return None
    group = distributed.group.WORLD if group is None else group
    return group if distributed.get_world_size(group) > 1 else None


def gathered(found: Any, group: Any) -> list[Any]:
    """What each process has found, on all of them."""
    shared = processes(group)
    if shared is None:
        return [found]
    parts: list[Any] = [None] * distributed.get_world_size(shared)
    distributed.all_gather_object(parts, found, group=shared)
    return parts

"""λ1 by itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from .batch import choice, refusal
from .distributed import route_of
from .loss import explanation_loss
from .options import REDUCTIONS
from .passes import TARGETS, Traits, evaluated
from .samples import device_of

_STEPS, _BATCHES, _BOUNDS = 100, 10, (1e-3, 1e3)


def lambda1_auto(
    model: nn.Module, batches: Iterable[Any], *, optimizer: Callable[[Any], torch.optim.Optimizer] | None = None,
    target: str = "sum-log-prob", reduction: str = "mean", label_smoothing: float = 0.0,
    attribution: str = "input-gradient", layer: Any = None, transform: Callable[[Tensor], Tensor] | None = None,
    logits: Callable[[Any], Tensor] | None = None,
) -> float:
    """The λ1 with which the penalty weighs as much as the cross-entropy, as ``rrdata train --lambda1 auto`` chooses it.

    A copy of the model is trained by plain cross-entropy for 100 steps, batch normalisation frozen; then λ1 = CE / R over the
    annotated samples of the next 10 batches that have some, from 1e-3 to 1e3. The model stays as it is, and a `Stream` stands
    where it stood.

    Args:
        model: gives logits ``(N, K)``; in `DistributedDataParallel` all processes choose together.
        batches: ``(images, labels, index, masks, …)``, which can be iterated over again and again: a `Stream` or a loader.
        optimizer: makes an optimiser of parameters; None for Adam at 1e-3.
        target, reduction, label_smoothing, attribution, layer: as of `explanation_loss`.
        transform: what is done to images on the model's device before the model sees them.
        logits: takes the logits out of what the model returns.

    Returns:
        λ1; 0 where no sample is annotated. For the reduction ``"sum"`` it is divided by the samples of a batch.

    Raises:
        UsageError: the model is under ``fully_shard``, or the loss is no longer finite.
    """
    choice("target", target, TARGETS)
    choice("reduction", reduction, REDUCTIONS)
    route = route_of(model)
    # The copy that is trained has the layer by its name.
    if isinstance(layer, nn.Module):
        layer = next((name for name, module in route.inner.named_modules() if module is layer), layer)
    penalty = {"target": target, "attribution": attribution, "layer": layer, "logits": logits}
    if route.is_sharded:
        raise refusal("choose lambda1 before fully_shard, on one process, and give it to all", "sharded-model")
    source: Any = batches
    place = source.state_dict() if hasattr(source, "state_dict") else None
    try:
        return _chosen(
            model, _endless(batches), optimizer, penalty, reduction, label_smoothing, transform or (lambda images: images),
            len(source) if hasattr(source, "__len__") else _BATCHES)
    finally:
        if place is not None:
            source.load_state_dict(place)


def _endless(batches: Iterable[Any]) -> Iterator[Any]:
    while True:
        empty = True
        for batch in batches:
            empty = False
            yield batch
        if empty:
            return


def _chosen(
    model: nn.Module, batches: Iterator[Any], make: Any, penalty: dict[str, Any], reduction: str, label_smoothing: float,
    transform: Callable[[Tensor], Tensor], epoch: int,
) -> float:
    route = route_of(model)
    network = copy.deepcopy(route.inner)
    for norm in Traits.of(network).batch_norms:
        norm.training = False
    trained = DistributedDataParallel(network, process_group=route.group) if route.world > 1 else network
    parameters = [value for value in network.parameters() if value.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=1e-3) if make is None else make(parameters)
    device, size = device_of(network), 0
    for step in range(_STEPS):
        images, labels = next(batches)[:2]
        size = max(size, len(images))
        outcome = explanation_loss(
            trained, transform(torch.as_tensor(images).to(device)), labels, None, 0.0, label_smoothing=label_smoothing,
            logits=penalty["logits"])
        if not bool(outcome.cross_entropy.isfinite()):
            raise refusal(f"the loss is no longer a finite number after {step} steps of plain cross-entropy", "diverged")
        optimizer.zero_grad()
        outcome.loss.backward()
        optimizer.step()
    sums, measured = [0.0, 0.0], 0
    with evaluated(network):
        for _ in range(max(epoch, _BATCHES)):
            if measured == _BATCHES:
                break
            images, labels, _, masks = next(batches)[:4]
            own = _annotated_sums(network, transform(torch.as_tensor(images).to(device)), labels, masks, penalty)
            if route.world > 1:
                distributed.all_reduce(own := own.to(device), group=route.group)
            cross_entropy, own_penalty, count = own.tolist()
            if count > 0:
                sums = [sums[0] + cross_entropy / count, sums[1] + own_penalty / count]
                measured += 1
    if measured == 0:
        return 0.0
    if not sums[0] < float("inf") or not sums[1] < float("inf"):
        raise refusal("the loss is no longer a finite number after 100 steps of plain cross-entropy", "diverged")
    chosen = min(max(sums[0] / sums[1] if sums[1] > 0 else _BOUNDS[1], _BOUNDS[0]), _BOUNDS[1])
    return chosen / (size * route.world) if reduction == "sum" else chosen


def _annotated_sums(
    network: nn.Module, images: Tensor, labels: Any, masks: Any, options: dict[str, Any]
) -> Tensor:
    """Σ CE and Σ R over a batch's annotated samples, and their number."""
    masks = torch.as_tensor(masks).to(images.device)
    rows = masks.flatten(1).any(1).bool()
    count = int(rows.sum())
    if count == 0:
        return torch.zeros(3, dtype=torch.float64)
    outcome = explanation_loss(
        network, images[rows], torch.as_tensor(labels).to(images.device)[rows], masks[rows], 1.0,
        annotated=torch.ones(count, dtype=torch.bool), **options)
    return torch.tensor(
        [outcome.cross_entropy.item() * count, outcome.penalty.item() * count, count], dtype=torch.float64)

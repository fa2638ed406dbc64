"""How a model is spread over processes, and what the loss has to do so that all together compute that of one process.

A data-parallel wrapper averages the gradients of its W processes, each of which has a part of the batch. With the sums over
a process's own samples and the counts of the whole batch,

    W · (Σ_own CE / N + λ1 · Σ_own R_n / D)

averages to the loss of the whole batch, however many samples, or annotated ones, a process has.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from .batch import refusal


class Totals(NamedTuple):
    """Counts of a batch over all processes, divided by the number of processes.

    Attributes:
        weight: Σ w of the labels' classes, the number of samples where all weigh 1.
        samples: the number of samples.
        guided: the number of samples that the penalty is about.
        guided_weight: Σ w over these.
        masks: the number of several processes that have masks for a penalty, be they all zero.
    """

    weight: Any
    samples: Any
    guided: float
    guided_weight: float
    masks: float


class Route(NamedTuple):
    """The ways through a model.

    Attributes:
        outer: what is called once in each step, on every process.
        inner: what may be called any number of times.
        group: the processes that average their gradients; None for one process.
        shards: the parts of the model whose parameters lie on several processes, by FSDP2.
    """

    outer: nn.Module
    inner: nn.Module
    group: Any
    shards: list[Any]

    @property
    def is_sharded(self) -> bool:
        """Whether every forward pass waits for all processes, so that each has to make as many."""
        return bool(self.shards)

    @property
    def world(self) -> int:
        return 1 if self.group is None else distributed.get_world_size(self.group)

    def totals(self, own: Callable[[], Totals], device: torch.device) -> Totals:
        """The counts of the whole batch by those of each process's own part, divided by the number of processes."""
        counts = own()
        world = self.world
        if world == 1:
            return counts
        wide = torch.tensor(counts, dtype=torch.float64, device=device)
        distributed.all_reduce(wide, group=self.group)
        return Totals(*(value / world for value in wide.tolist()))

    def mean(self, *values: Tensor) -> tuple[Tensor, ...]:
        """What processes have each, averaged over them."""
        world = self.world
        if world == 1:
            return values
        stacked = torch.stack([value.detach().double() for value in values])
        distributed.all_reduce(stacked, group=self.group)
        return tuple((stacked / world).to(values[0].dtype).unbind())

    def keep_parameters(self) -> None:
        """Has FSDP2 keep parameters whole from the forward pass to the end of the second backward pass."""
        for shard in self.shards:
            _habits.setdefault(shard, _habit(shard))
            # What an earlier pass that nobody went backward from has left is of its time.
            shard.reshard()
            shard.set_reshard_after_forward(False, recurse=False)
            shard.set_reshard_after_backward(False, recurse=False)

    def release_parameters(self, loss: Tensor) -> None:
        """Has FSDP2 shard parameters again, and as is its habit, at the end of the backward pass from the loss."""
        shards = self.shards
        if not shards or not loss.requires_grad:
            return
        engine: Any = torch.autograd.Variable._execution_engine  # pyright: ignore[reportAttributeAccessIssue]

        def release() -> None:
            for shard in shards:
                shard.reshard()
                after_forward, after_backward = _habits.pop(shard, (True, True))
                shard.set_reshard_after_forward(after_forward, recurse=False)
                shard.set_reshard_after_backward(after_backward, recurse=False)

        # After FSDP2's own last callback, which is queued during the pass.
        loss.register_hook(lambda _: engine.queue_callback(lambda: engine.queue_callback(release)))


#: Whether parameters are sharded again after the forward and after the backward pass, while a loss has them kept.
_habits: weakref.WeakKeyDictionary[Any, tuple[bool, bool]] = weakref.WeakKeyDictionary()


def _habit(shard: Any) -> tuple[bool, bool]:
    """What FSDP2 was told of a part, which it has no question for."""
    groups = getattr(shard._get_fsdp_state(), "_fsdp_param_groups", None) or []
    return (
        any(getattr(group, "post_forward_mesh_info", True) is not None for group in groups),
        all(getattr(group, "reshard_after_backward", True) for group in groups))


def route_of(model: nn.Module, group: Any = None) -> Route:
    """The ways through a model, by how it is wrapped.

    Args:
        model: plain, in `DistributedDataParallel`, or under ``fully_shard``.
        group: the processes that average the gradients of a model that does not say so itself, as inside a
            `LightningModule`; None for those of the wrapper.

    Raises:
        UsageError: a wrapper makes double backward wrong or impossible.
    """
    if _is_compiled(model):
        raise refusal(
            "the model is compiled, and what torch.compile makes of it can be differentiated only once: give the model "
            "itself, and compile=True, which compiles forward and input gradient as one", "compiled-model")
    if isinstance(model, DistributedDataParallel):
        if model.static_graph:
            raise refusal(
                "under DistributedDataParallel(static_graph=True) gradients are not averaged when the loss holds an input "
                "gradient, without a word: leave static_graph out", "static-graph")
        inner = model.module
        if _is_compiled(inner):
            return route_of(inner)
        return Route(model, inner, group or model.process_group, [])
    if type(model).__name__ == "FullyShardedDataParallel":
        raise refusal(
            "FullyShardedDataParallel (FSDP1) frees parameters that the second backward pass needs: use fully_shard "
            "(FSDP2), under which this loss is right", "sharded-model")
    shards = _shards(model)
    if shards and group is None:
        group = distributed.group.WORLD
    return Route(model, model, group, shards)


def _is_compiled(model: nn.Module) -> bool:
    return "_orig_mod" in model._modules or getattr(model, "_compiled_call_impl", None) is not None


def _shards(model: nn.Module) -> list[Any]:
    if not distributed.is_available() or not distributed.is_initialized():
        return []
    try:
        from torch.distributed.fsdp import FSDPModule
    except ImportError:
        return []
    return [module for module in model.modules() if isinstance(module, FSDPModule)]

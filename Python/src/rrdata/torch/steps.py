"""Steps without gradients, which move nothing and say nothing: they are refused.

Who calls ``zero_grad`` between ``backward`` and ``step``, or never ``backward``, gets an error from the optimiser's step.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

from .batch import refusal

#: Gradients are looked at, and not only for being there, in so many steps: the look waits for the device.
_LOOKS = 3

_waiting: weakref.WeakSet[nn.Module] = weakref.WeakSet()
_steps: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()
_registered = False


def expect_gradients(model: nn.Module) -> None:
    """Has the next step of an optimiser with the model's parameters make sure that there are gradients."""
    global _registered
    if not _registered:
        register_optimizer_step_pre_hook(_check)
        _registered = True
    _waiting.add(model)


def require_gradients_of(model: nn.Module, parameters: Sequence[Tensor]) -> None:
    """Refuses a step in which no parameter has a gradient, or in the first steps every gradient is 0."""
    steps = _steps.get(model, 0)
    _steps[model] = steps + 1
    if all(value.grad is None or (steps < _LOOKS and not bool(value.grad.any())) for value in parameters):
        raise refusal(
            "the optimiser takes a step, but no parameter has a gradient: the order is zero_grad, loss.backward, step. "
            "Here zero_grad came between the two, or backward was not called; in Lightning's automatic optimisation "
            "training_step returns the loss and calls neither", "no-gradients")


def _check(optimizer: Optimizer, arguments: Any, named: Any) -> None:
    # One with a closure goes backward in its step.
    if not _waiting or len(arguments) > 1 or named.get("closure") is not None:
        return
    own = {id(value) for group in optimizer.param_groups for value in group["params"]}
    for model in list(_waiting):
        parameters = [value for value in model.parameters() if value.requires_grad and id(value) in own]
        if parameters:
            _waiting.discard(model)
            require_gradients_of(model, parameters)

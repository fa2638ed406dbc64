"""A model as the loss calls it: once forward, and back to its input with a graph that can be differentiated again.

Source: Drucker and LeCun, "Improving generalization performance using double backpropagation" (IEEE Transactions on Neural
Networks 3, 1992).
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from .batch import refusal
from .batchnorm import normalizes_batches

#: The quantities whose input gradient is the explanation, by the names of ``rrdata train --penalty-target``.
TARGETS = ("sum-log-prob", "label", "predicted", "logits-sum", "logit-jacobian")

_Logits = Callable[[Any], Tensor]
_Directions = Callable[[Tensor], Tensor]


class Traits(NamedTuple):
    """What of a model the loss has to heed."""

    batch_norms: list[nn.Module]
    changes_in_place: bool

    @classmethod
    def of(cls, model: nn.Module) -> Traits:
        norms: list[nn.Module] = []
        in_place = False
        # What `modules` walks with names and a set for each is, in a small network, a hundredth of a step.
        layers = [model]
        for module in layers:
            layers.extend(child for child in module._modules.values() if child is not None)
            if normalizes_batches(module):
                norms.append(module)
            in_place = in_place or getattr(module, "inplace", False) is True
        return cls(norms, in_place)


_known: weakref.WeakSet[nn.Module] = weakref.WeakSet()


@contextlib.contextmanager
def evaluated(model: nn.Module) -> Iterator[None]:
    """The whole model in evaluation mode, with gradients, whatever is around it."""
    training = [module for module in model.modules() if module.training]
    for module in training:
        module.training = False
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        for module in training:
            module.training = True


def logits_of(output: Any, pick: _Logits | None, model: nn.Module) -> Tensor:
    """The logits ``(N, K)`` of what a model returns: a tensor, the first of a tuple, or what is called ``logits``.

    Raises:
        UsageError: there are none, or they are probabilities.
    """
    return checked_logits(_taken(output, pick), model)


def _taken(output: Any, pick: _Logits | None) -> Any:
    if pick is not None:
        return pick(output)
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping) and "logits" in output:
        return output["logits"]
    named = getattr(output, "logits", None)
    if isinstance(named, Tensor):
        return named
    return output[0] if isinstance(output, (tuple, list)) and output else output


def checked_logits(output: Any, model: nn.Module) -> Tensor:
    """The logits, after a look at them: at their values the first time that the model gives some."""
    if not isinstance(output, Tensor) or output.dim() != 2:
        what = f"the shape {tuple(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
        raise refusal(
            f"the model's logits must be a tensor (N, K), but it returned {what}: give logits=, a function that takes them "
            "out of what the model returns", "unsuitable-output")
    if output.shape[1] < 2:
        raise refusal(
            "the model has one logit, whose softmax is 1: give it one for each of the two classes", "unsuitable-output")
    if model not in _known and len(output) > 0:
        _known.add(model)
        _refuse_probabilities(output.detach())
    return output


def _refuse_probabilities(output: Tensor) -> None:
    if bool((output >= 0).all()) and bool(((output.sum(1) - 1).abs() < 1e-3).all()):
        raise refusal(
            "the model returns probabilities, whose logarithm is not taken here: leave its softmax out and return logits",
            "unsuitable-output")


def target_sum(logits: Tensor, labels: Tensor, target: str, draw: _Directions | None = None) -> Tensor:
    """T summed over samples: Σ_k log p_k, log p_y, log p of the largest logit's class, Σ_k z_k, or v · z of drawn v."""
    if target == "logits-sum":
        return logits.sum()
    if draw is not None:
        return (draw(logits) * logits).sum()
    # In half precision the gradient of the logarithm would have lost its digits.
    wide = torch.float32 if logits.dtype in (torch.float16, torch.bfloat16) else None
    log_probabilities = functional.log_softmax(logits, 1, dtype=wide)
    if target == "sum-log-prob":
        return log_probabilities.sum()
    chosen = labels.clamp_min(0) if target == "label" else logits.argmax(1)
    return log_probabilities.gather(1, chosen[:, None]).sum()


def explained(
    call: Callable[[Tensor], Any], images: Tensor, labels: Tensor, target: str, *, model: nn.Module, traits: Traits,
    pick: _Logits | None, compiled: Mapping[str, Any] | None = None, draw: _Directions | None = None,
    watch: Callable[[], contextlib.AbstractContextManager[Callable[[], Tensor]]] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Logits ``(N, K)``, the gradient of the target by the images, and the images, or by a map and the map; the gradient at least
    float32. All have a graph.

    Attention runs by its plain formulas here, since the fused kernels have no second derivative.

    Args:
        draw: the directions v ``(N, K)`` of "logit-jacobian", by logits of their shape, type and device.
        watch: around the forward pass, what says afterwards which map is meant; None for the images.

    Raises:
        UsageError: the model's output does not depend on its input, or the model changes its input in place.
    """
    images = images if images.requires_grad else images.detach().requires_grad_()
    if compiled is not None:
        with sdpa_kernel(SDPBackend.MATH):
            logits, gradient = _compiled_pass(pick, target, compiled)(model, images, labels)
        return checked_logits(logits, model), _wide(gradient), images
    with sdpa_kernel(SDPBackend.MATH), contextlib.nullcontext() if watch is None else watch() as watched:
        try:
            output = call(images.clone() if traits.changes_in_place else images)
        except RuntimeError as error:
            if "leaf Variable" not in str(error):
                raise
            raise refusal(
                "the model changes its input in place, which then has no gradient: begin its forward with x = x.clone()",
                "changed-input") from error
    logits = logits_of(output, pick, model)
    about = images if watched is None else watched()
    return logits, _wide(_gradient(logits, labels, about, target, draw)), about


def _gradient(logits: Tensor, labels: Tensor, images: Tensor, target: str, draw: _Directions | None) -> Tensor:
    with in_single(images):
        return gradient_by(images, target_sum(logits, labels, target, draw), create_graph=True)


def in_single(images: Tensor) -> contextlib.AbstractContextManager[Any]:
    """Without autocast, where it is on."""
    kind = images.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else contextlib.nullcontext()


def gradient_by(images: Tensor, output: Tensor, seed: Tensor | None = None, *, create_graph: bool = False) -> Tensor:
    """The gradient of an output, times a seed, by the images.

    Raises:
        UsageError: the output does not depend on them.
    """
    if not output.requires_grad:
        raise _no_graph()
    try:
        return torch.autograd.grad(output, images, seed, create_graph=create_graph)[0]
    except RuntimeError as error:
        if "not have been used in the graph" in str(error):
            raise _no_graph() from error
        raise


def _no_graph() -> Exception:
    return refusal(
        "the model's output does not depend on its input as far as gradients go: its forward runs under no_grad, or detaches, "
        "rounds or copies the input through NumPy", "no-graph")


def _wide(gradient: Tensor) -> Tensor:
    return gradient.float() if gradient.dtype in (torch.float16, torch.bfloat16) else gradient


_passes: dict[Any, Callable[..., Any]] = {}


def _compiled_pass(pick: _Logits | None, target: str, options: Mapping[str, Any]) -> Callable[..., Any]:
    """Forward and back to the input as one compiled function, whose gradient is the second derivative.

    A model that is compiled by itself has none: what AOTAutograd makes of its forward can be differentiated once.
    """
    key = (target, pick, tuple(sorted((name, repr(value)) for name, value in options.items())))
    if key not in _passes:

        def both(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            def forward(images: Tensor) -> tuple[Tensor, Tensor]:
                logits = _taken(model(images), pick)
                return target_sum(logits, labels, target), logits

            explained: Any = torch.func.vjp(forward, images, has_aux=True)
            value, back, logits = explained
            gradient, = back(torch.ones_like(value))
            return logits, gradient

        _passes[key] = torch.compile(both, **options)
    return _passes[key]

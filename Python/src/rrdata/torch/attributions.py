"""What of a network's answer is held against the masks, and the masks at the places of a feature map."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .batch import refusal
from .passes import evaluated

#: What is held against the masks, by the names of ``rrdata train --attribution``.
ATTRIBUTIONS = ("input-gradient", "input-times-gradient", "feature-gradient", "gradcam")
#: Those that are about the output of a layer.
OF_LAYERS = ("feature-gradient", "gradcam")


class Axis(NamedTuple):
    """Where along one axis of the image the elements of a map look: the middle of what element i sees is start + i · step."""

    start: float = 0.0
    step: float = 1.0

    def behind(self, start: float, step: float) -> Axis:
        """The axis of windows whose middles lie at start + i · step of this one."""
        return Axis(self.start + self.step * start, self.step * step)

    def shares(self, elements: int, pixels: int) -> Tensor:
        """``(elements, pixels)``: of what an element is given, by a window of half a step to either side of its middle, the first
        and the last to the image's edge.

        One whose window lies outside the image is given the nearest pixel.
        """
        middles = self.start + torch.arange(elements, dtype=torch.float64) * self.step + 0.5
        edges = torch.arange(pixels, dtype=torch.float64)
        low, high = (middles - self.step / 2)[:, None], (middles + self.step / 2)[:, None]
        low[0].clamp_max_(0)
        high[-1].clamp_min_(pixels)
        overlap = (torch.minimum(high, edges + 1) - torch.maximum(low, edges)).clamp_min(0)
        outside = overlap.sum(1) == 0
        overlap[outside, 0] = (high[outside, 0] <= 0).double()
        overlap[outside, pixels - 1] = (high[outside, 0] > 0).double()
        return overlap / overlap.sum(1, keepdim=True)


def layer_of(model: nn.Module, layer: Any) -> nn.Module:
    """The module that is named, or given.

    Raises:
        UsageError: the model has none of this name.
    """
    if isinstance(layer, nn.Module):
        return layer
    modules = dict(model.named_modules())
    if layer not in modules or layer == "":
        known = [name for name, module in modules.items() if isinstance(module, nn.Conv2d)]
        raise refusal(
            f"the model has no layer {layer!r}: its convolutions are {', '.join(known) or 'none'}; take the module behind the "
            "normalisation and the activation of the one that is meant", "unknown-layer")
    return modules[layer]


@contextlib.contextmanager
def kept_output(layer: nn.Module) -> Iterator[list[Any]]:
    """What a layer returns meanwhile."""
    outputs: list[Any] = []
    handle = layer.register_forward_hook(lambda _, __, output: outputs.append(output))
    try:
        yield outputs
    finally:
        handle.remove()


def feature_map(outputs: list[Any]) -> Tensor:
    """The one map that a layer has returned.

    Raises:
        UsageError: it returned none, several, or no map of more than one pixel.
    """
    if len(outputs) != 1:
        raise refusal(
            f"the layer is called {len(outputs)} times in the model's forward, but an attribution is about one output of it",
            "unsuitable-layer")
    output = outputs[0]
    if not isinstance(output, Tensor) or output.dim() != 4 or output.shape[2] * output.shape[3] < 2:
        what = f"the shape {tuple(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
        raise refusal(
            f"the layer's output must be a map (N, C, H, W) of more than one pixel, but has {what}", "unsuitable-layer")
    return output


_Known = weakref.WeakKeyDictionary[nn.Module, dict[tuple[int, ...], tuple[Axis, Axis]]]
_axes: weakref.WeakKeyDictionary[nn.Module, _Known] = weakref.WeakKeyDictionary()


def axes_of(model: nn.Module, layer: nn.Module, images: Tensor) -> tuple[Axis, Axis]:
    """Where the rows and the columns of a layer's output look in images of this size.

    A pass of one image follows the layers with windows; between them maps of the same size are taken to look at the same
    places. It is made once for each size.

    Raises:
        UsageError: something else than convolutions and poolings changes the size of maps.
    """
    known = _axes.setdefault(model, weakref.WeakKeyDictionary()).setdefault(layer, {})
    size = tuple(images.shape[2:])
    if size not in known:
        known[size] = _followed(model, layer, images[:1])
    return known[size]


def _followed(model: nn.Module, layer: nn.Module, image: Tensor) -> tuple[Axis, Axis]:
    places: dict[tuple[int, ...], set[tuple[Axis, Axis]]] = {tuple(image.shape[2:]): {(Axis(), Axis())}}
    found: list[set[tuple[Axis, Axis]]] = []

    def follow(module: nn.Module, inputs: Any, output: Any) -> None:
        source = inputs[0] if inputs else None
        if isinstance(source, Tensor) and isinstance(output, Tensor) and source.dim() == output.dim() == 4:
            windows = _windows(module, source, output)
            if windows is not None:
                new = {
                    (rows.behind(*windows[0]), columns.behind(*windows[1]))
                    for rows, columns in places.get(tuple(source.shape[2:]), ())}
                same = tuple(source.shape[2:]) == tuple(output.shape[2:])
                places[tuple(output.shape[2:])] = new if same else places.get(tuple(output.shape[2:]), set()) | new
        if module is layer and isinstance(output, Tensor):
            found.append(places.get(tuple(output.shape[2:]), set()))

    handles = [module.register_forward_hook(follow) for module in model.modules()]
    try:
        with evaluated(model), torch.no_grad():
            # A model may begin by changing its input in place, which is the caller's batch.
            model(image.clone())
    finally:
        for handle in handles:
            handle.remove()
    if not found or len(found[0]) != 1:
        raise refusal(
            "where the layer's output looks in the image does not follow from the model's convolutions and poolings: give "
            "feature_masks, A at the places of the map, from 0 to 1", "unknown-places")
    return next(iter(found[0]))


def _windows(module: nn.Module, source: Tensor, output: Tensor) -> list[tuple[float, float]] | None:
    """The first middle and the distance of a layer's windows along both axes; None where it has none."""
    if isinstance(module, (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)):
        widths = [source.shape[axis] / output.shape[axis] for axis in (2, 3)]
        return [((width - 1) / 2, width) for width in widths]
    if not isinstance(module, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)):
        return None

    def both(value: Any) -> tuple[Any, Any]:
        return tuple(value) if isinstance(value, (tuple, list)) else (value, value)

    kernel, dilation = both(module.kernel_size), both(getattr(module, "dilation", 1))
    stride, padding = both(module.stride), module.padding
    reach = [step * (extent - 1) for step, extent in zip(dilation, kernel)]
    if padding == "same":
        padding = [extent // 2 for extent in reach]
    before = (0, 0) if padding == "valid" else both(padding)
    return [(extent / 2 - pad, step) for extent, pad, step in zip(reach, before, stride)]


def masks_at(
    marks: Tensor, axes: tuple[Axis, Axis], features: Tensor
) -> Tensor:
    """``(N, 1, h, w)`` from 0 to 1: A, its channels' mean, at the places of a map."""
    size = marks.shape[2:]
    rows, columns = (
        axis.shares(features.shape[place], size[place - 2]).to(features.device, features.dtype)
        for place, axis in zip((2, 3), axes))
    return (rows @ marks.to(features.dtype).mean(1) @ columns.T)[:, None]


def inside(method: str, gradient: Tensor, about: Tensor, masks: Tensor) -> Tensor:
    """A ∘ a, with a by the gradient of the target by what the attribution is about."""
    if method == "input-times-gradient":
        return masks * about * gradient
    if method == "gradcam":
        return masks * (about * gradient.mean((2, 3), keepdim=True)).sum(1, keepdim=True)
    return masks * gradient

"""What a loss is given, checked before anything is computed: the usual mistakes are named with their cure."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._errors import UsageError

#: The label of a sample that pads a rank's batch: it counts nowhere.
PADDING = -1


def refusal(message: str, code: str) -> UsageError:
    """The error for what is asked for wrongly."""
    return UsageError(message, code=code)


def choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuses a value that is none of the choices."""
    if value not in choices:
        words = ", ".join(map(repr, choices[:-1])) + f" or {choices[-1]!r}"
        raise refusal(f"{name} is {value!r}, but must be {words}", "invalid-option")


@dataclass(frozen=True)
class LabelledBatch:
    """Samples on one device.

    Attributes:
        images: ``(N, …)`` of a floating-point type.
        labels: ``(N,)`` int64, `PADDING` where a sample counts nowhere.
        masks: as the images, or with one channel for all; None without any.
        annotated: the samples with a mask that is not all zero, in order.
    """

    images: Tensor
    labels: Tensor
    masks: Tensor | None
    annotated: list[int]

    @property
    def count(self) -> int:
        return len(self.images)

    @functools.cached_property
    def labelled(self) -> Any:
        """The number of samples that count; a tensor where labels are on a device, for which nobody waits."""
        if self.labels.device.type == "cpu":
            return int(np.count_nonzero(self.labels.numpy() >= 0))
        return (self.labels >= 0).sum()

    def marks(self, rows: Tensor | None) -> Tensor:
        """The masks of some samples, or of all; zeros without any."""
        if self.masks is None:
            return self.images.new_zeros([self.count if rows is None else len(rows)] + [1] * (self.images.dim() - 1))
        return self.masks if rows is None else self.masks.index_select(0, rows)


def checked_batch(x: Any, y: Any, A: Any = None, annotated: Any = None) -> LabelledBatch:
    """Images, labels and masks as the loss takes them, on the images' device.

    Args:
        x: ``(N, C, H, W)``, or ``(N, …)``.
        y: ``(N,)`` whole numbers.
        A: of the shape of x, or ``(N, 1, H, W)``; None for no masks.
        annotated: ``(N,)`` bool, which spares the look at A; None to look.

    Raises:
        UsageError: they do not fit each other.
    """
    images = checked_images(x)
    labels = _labels(y, images)
    if A is None:
        return LabelledBatch(images, labels, None, [])
    masks = _masks(A, images)
    return LabelledBatch(images, labels, masks, _annotated_rows(masks, annotated))


def checked_images(x: Any) -> Tensor:
    """Images as the network takes them; a copy where they were made in inference mode, which keeps no graph."""
    if not isinstance(x, Tensor):
        raise refusal(
            f'the images are a {type(x).__name__}: give a tensor, as Stream(…, arrays="torch") has them, or '
            "torch.from_numpy(images)", "not-a-tensor")
    if not x.is_floating_point():
        raise refusal(
            f"the images are {x.dtype}, which has no gradient: give floating-point numbers, as Stream does, or "
            "images.float() / 255", "not-floating-point")
    if x.dim() < 2:
        raise refusal(f"the images have the shape {tuple(x.shape)}, but must be (N, C, H, W): one row a sample",
                      "shape-mismatch")
    return usable(x)


def usable(tensor: Tensor) -> Tensor:
    """The tensor, or a copy of one that was made in inference mode."""
    return tensor.clone() if tensor.is_inference() and not torch.is_inference_mode_enabled() else tensor


def _labels(y: Any, images: Tensor) -> Tensor:
    labels = y if isinstance(y, Tensor) else torch.as_tensor(y)
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise refusal(
            f"the labels are {labels.dtype}, but must be whole numbers from 0: of one-hot rows take labels.argmax(1)",
            "unsuitable-labels")
    if labels.shape != images.shape[:1]:
        raise refusal(
            f"the labels have the shape {tuple(labels.shape)}, but {len(images)} images have ({len(images)},): a whole "
            "number each", "shape-mismatch")
    labels = usable(labels)
    if labels.dtype == torch.int64 and labels.device == images.device:
        return labels
    return labels.to(images.device, torch.int64)


def _masks(A: Any, images: Tensor) -> Tensor:
    masks = A if isinstance(A, Tensor) else torch.as_tensor(A)
    count, shape = len(images), images.shape
    if masks.dim() == images.dim() and masks.shape[1:] in (shape[1:], (1, *shape[2:])):
        if len(masks) == count:
            masks = usable(masks)
            return masks if masks.device == images.device else masks.to(images.device)
        if len(masks) != 1:
            raise refusal(
                f"A has {len(masks)} masks, but the batch has {count} samples: give the masks of these samples, as a Stream "
                "does, or A[index] of masks with a row for each sample of the dataset, A[row[index]] of a mask file",
                "batch-mismatch")
    expected = tuple(shape) if images.dim() < 3 else f"{tuple(shape)} or {(count, 1, *shape[2:])}"
    cure = ""
    if images.dim() == 4 and masks.shape == (count, *shape[2:]):
        cure = ": masks without channels are A[:, None]"
    elif images.dim() == 4 and masks.dim() == 4 and masks.shape[1:3] == shape[2:]:
        cure = ": channels come first, A.permute(0, 3, 1, 2)"
    raise refusal(f"A has the shape {tuple(masks.shape)}, but must have {expected}{cure}", "shape-mismatch")


def _annotated_rows(masks: Tensor, annotated: Any) -> list[int]:
    """The samples whose mask is not all zero."""
    if annotated is not None:
        flags = annotated if isinstance(annotated, Tensor) else torch.as_tensor(annotated)
        if flags.shape != masks.shape[:1]:
            raise refusal(
                f"annotated has the shape {tuple(flags.shape)}, but there are {len(masks)} masks", "shape-mismatch")
        return _rows(flags.tolist())
    if masks.dtype == torch.bool:
        return _rows(masks.flatten(1).any(1).tolist())
    if masks.numel() == 0:
        return []
    # One pass tells both what is marked and that nothing else than 0 and 1 is there.
    peaks = masks.flatten(1).amax(1).tolist()
    if max(peaks) > 1:
        raise refusal(
            f"A has the value {max(peaks):g}, but is 1 where a pixel is no valid reason and 0 elsewhere: of masks with "
            f"0 and {max(peaks):g} give A > 0", "non-binary-mask")
    return _rows(peaks)


def _rows(flags: list[Any]) -> list[int]:
    return [row for row, flag in enumerate(flags) if flag]

"""Arrays over the memory of a batch, without a copy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import _library


class Batch(NamedTuple):
    """Samples that a stream gives, as NumPy arrays or PyTorch tensors; each is fresh and may be written to.

    Attributes:
        images: ``(B, C, H, W)`` float32, or of the dataset's own type with ``dtype="stored"``.
        labels: ``(B,)`` int64; -1 where the dataset has no labels.
        index: ``(B,)`` int64, the row in the dataset; -1 for a padded sample, whose image and mask are zero.
        masks: ``(B, C, H, W)`` uint8: 1 says "this pixel is no valid reason"; all zero where a sample has no mask.
        annotated: ``(B,)`` bool: whether the sample has a mask that is not all zero.
    """

    images: Any
    labels: Any
    index: Any
    masks: Any
    annotated: Any


class _Memory:
    """A part of a batch's memory, which lives as long as an array over it does."""

    __slots__ = ("__array_interface__", "_batch")

    def __init__(self, batch: BatchHandle, address: int, shape: tuple[int, ...], kind: str) -> None:
        self.__array_interface__ = {"version": 3, "data": (address, False), "shape": shape, "typestr": kind}
        self._batch = batch


class BatchHandle:
    """An ``rr_batch``, whose memory goes back to its stream with the last array over it."""

    __slots__ = ("pointer", "_close")

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer
        self._close = _library.library().rr_batch_close

    def __del__(self) -> None:
        self._close(self.pointer)


_KINDS = {"uint8": "|u1", "uint16": "<u2", "float32": "<f4"}


def batch_arrays(pointer: int, element_type: str) -> tuple[Batch, _library.Arrays]:
    """The arrays of a batch, and where it stands.

    Args:
        pointer: an ``rr_batch``, which the arrays take over.
        element_type: that of images as they are stored.
    """
    handle = BatchHandle(pointer)
    arrays = _library.Arrays(size=_ARRAYS_SIZE)
    _library.library().rr_batch_arrays(pointer, arrays)
    count = arrays.count
    shape = (count, arrays.channels, arrays.height, arrays.width)
    kind = "<f4" if arrays.image_type == _library.FLOAT32 else _KINDS[element_type]
    masks = (
        np.asarray(_Memory(handle, arrays.masks, shape, "|u1")) if arrays.masks else np.zeros(shape, np.uint8))
    return Batch(
        np.asarray(_Memory(handle, arrays.images, shape, kind)),
        np.asarray(_Memory(handle, arrays.labels, (count,), "<i8")),
        np.asarray(_Memory(handle, arrays.index, (count,), "<i8")),
        masks,
        np.asarray(_Memory(handle, arrays.annotated, (count,), "|b1")),
    ), arrays


_ARRAYS_SIZE = _library.ctypes.sizeof(_library.Arrays)

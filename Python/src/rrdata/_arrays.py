"""Arrays over the memory of a batch, without a copy."""

from __future__ import annotations

import ctypes
import functools
import math
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


class BatchHandle:
    """An ``rr_batch``, whose memory goes back to its stream with the last array over it."""

    __slots__ = ("pointer", "_close")

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer
        self._close = _library.library().rr_batch_close

    def __del__(self) -> None:
        self._close(self.pointer)


_STORED = {"uint8": np.dtype("u1"), "uint16": np.dtype("<u2"), "float32": np.dtype("<f4")}
_FLOATS, _INTEGERS, _BYTES, _FLAGS = (np.dtype(kind) for kind in ("<f4", "<i8", "u1", "?"))
_ARRAYS_SIZE = ctypes.sizeof(_library.Arrays)


@functools.cache
def _memory(size: int) -> Any:
    """The type of so many bytes in ctypes, which makes one for each size."""
    return ctypes.c_char * size


def _array(batch: BatchHandle, address: int, shape: tuple[int, ...], kind: np.dtype) -> np.ndarray:
    """An array over a part of a batch's memory, which lives as long as the array does."""
    memory = _memory(math.prod(shape) * kind.itemsize).from_address(address)
    memory.batch = batch
    return np.ndarray(shape, kind, memory)


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
    shape, each = (count, arrays.channels, arrays.height, arrays.width), (count,)
    kind = _FLOATS if arrays.image_type == _library.FLOAT32 else _STORED[element_type]
    return Batch(
        _array(handle, arrays.images, shape, kind),
        _array(handle, arrays.labels, each, _INTEGERS),
        _array(handle, arrays.index, each, _INTEGERS),
        _array(handle, arrays.masks, shape, _BYTES) if arrays.masks else np.zeros(shape, np.uint8),
        _array(handle, arrays.annotated, each, _FLAGS),
    ), arrays

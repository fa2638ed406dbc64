"""Arrays over the memory of a batch, without a copy."""

from __future__ import annotations

import ctypes
import math
import mmap
import struct
from collections.abc import Callable
from ctypes import byref, c_void_p
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


_STORED = {"uint8": np.dtype("u1"), "uint16": np.dtype("<u2"), "float32": np.dtype("<f4")}
_FLOATS, _INTEGERS, _BYTES, _FLAGS = (np.dtype(kind) for kind in ("<f4", "<i8", "u1", "?"))

#: The milliseconds after which a waiting main thread looks for Ctrl-C.
_PATIENCE = 100


#: The bytes from which on zeros are pages of their own.
_LARGE = 1 << 20

#: An address before that of any array.
_BEGINNING = 4096


class _Memory(ctypes.c_char * (1 << 47)):  # type: ignore[misc]
    """All memory as NumPy sees it, which goes back to the stream, as far as it is a batch's, with the last array over it.

    A batch's arrays lie apart. This stands for all of them, and says of itself that it goes on as far as addresses do: one
    object a batch, of one type, is what is quick to make. NumPy reads none of it but what an array has.
    """

    __slots__ = ("batch", "close")

    def __del__(self) -> None:
        self.close(self.batch)


class OpenStream:
    """A stream of the library, and the arrays of its batches. One thread at a time uses it.

    A batch of small images is there in a tenth of a millisecond, so what is done for each is as little as can be.

    Attributes:
        place: where the stream goes on after the batch that was given last: epoch and position.
    """

    #: Of ``rr_arrays``: B, C, H, W; images and their type; labels, index, masks, annotated; where the stream goes on.
    _FIELDS = struct.Struct("8x4qPi4x4P16x2q")

    def __init__(
        self, handle: _library.Handle, element_type: str, convert: Callable[[np.ndarray], Any] | None = None
    ) -> None:
        """
        Args:
            handle: the stream.
            element_type: that of images as they are stored.
            convert: makes of each array what a batch has in its place; None for the array itself.
        """
        self.handle = handle
        self.place = (0, 0)
        self._element_type = _STORED[element_type]
        self._convert = convert
        # Made once, for each takes as long as a call.
        library = _library.library()
        self._next, self._fill, self._close = library.rr_stream_next, library.rr_batch_arrays, library.rr_batch_close
        self._batch, self._error = c_void_p(), c_void_p()
        self._places = byref(self._batch), byref(self._error)
        self._arrays = _library.Arrays(size=ctypes.sizeof(_library.Arrays))
        self._arrays_place = byref(self._arrays)

    def next(self) -> Batch | None:
        """The next batch; None at the end.

        Raises:
            Error: as the library tells. The stream is then at its end.
        """
        while status := self._next(self.handle.pointer, _PATIENCE, *self._places):
            if status != _library.TOO_LATE:
                _library.check(status, self._error)
                return None
        pointer = self._batch.value
        self._fill(pointer, self._arrays_place)
        memory: Any = _Memory.from_address(_BEGINNING)
        memory.batch, memory.close = pointer, self._close
        (
            count, channels, height, width, images, kind, labels, index, masks, annotated, epoch, position,
        ) = self._FIELDS.unpack_from(self._arrays)
        self.place = epoch, position
        shape, each, array = (count, channels, height, width), (count,), np.ndarray
        arrays = (
            array(shape, _FLOATS if kind == _library.FLOAT32 else self._element_type, memory, images - _BEGINNING),
            array(each, _INTEGERS, memory, labels - _BEGINNING),
            array(each, _INTEGERS, memory, index - _BEGINNING),
            array(shape, _BYTES, memory, masks - _BEGINNING) if masks else _zeros(shape),
            array(each, _FLAGS, memory, annotated - _BEGINNING))
        # Past what a tuple with names does in Python to be made.
        return tuple.__new__(Batch, arrays if self._convert is None else map(self._convert, arrays))


def _zeros(shape: tuple[int, ...]) -> np.ndarray:
    """Bytes that are zero. Large ones are pages that the system clears where they are looked at: what NumPy gets anew from memory
    that was freed is cleared each time, which for photographs takes as long as their pixels."""
    size = math.prod(shape)
    if size < _LARGE:
        return np.zeros(shape, np.uint8)
    return np.ndarray(shape, _BYTES, mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))

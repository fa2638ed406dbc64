"""Arrays over the memory of a batch, without a copy."""

from __future__ import annotations

import ctypes
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


class _Memory(ctypes.c_char * (1 << 47)):  # type: ignore[misc]
    """Memory from the first array of a batch on, which goes back to its stream with the last array over it.

    A batch's arrays lie apart. This stands for all of them, and says of itself that it goes on as far as addresses do: one
    object a batch, of one type, is what is quick to make. NumPy reads none of it but what an array has.
    """

    __slots__ = ("batch", "close")

    def __del__(self) -> None:
        self.close(self.batch)


class OpenStream:
    """A stream of the library, and the arrays of its batches. One thread at a time uses it."""

    def __init__(self, handle: _library.Handle, element_type: str) -> None:
        """
        Args:
            handle: the stream.
            element_type: that of images as they are stored.
        """
        self.handle = handle
        self._element_type = _STORED[element_type]
        # Made once, for each takes as long as a call.
        library = _library.library()
        self._next, self._fill, self._close = library.rr_stream_next, library.rr_batch_arrays, library.rr_batch_close
        self._batch, self._error = c_void_p(), c_void_p()
        self._places = byref(self._batch), byref(self._error)
        self.arrays = _library.Arrays(size=ctypes.sizeof(_library.Arrays))
        self._arrays_place = byref(self.arrays)

    def next(self) -> Batch | None:
        """The next batch as NumPy arrays, whose place then stands in `arrays`; None at the end.

        Raises:
            Error: as the library tells. The stream is then at its end.
        """
        while status := self._next(self.handle.pointer, _PATIENCE, *self._places):
            if status != _library.TOO_LATE:
                _library.check(status, self._error)
                return None
        pointer, arrays = self._batch.value, self.arrays
        self._fill(pointer, self._arrays_place)
        images, labels, index, annotated = arrays.images, arrays.labels, arrays.index, arrays.annotated
        masks = arrays.masks
        start = min(images, labels, index, annotated, masks or images)
        memory: Any = _Memory.from_address(start)
        memory.batch, memory.close = pointer, self._close
        count = arrays.count
        shape, each = (count, arrays.channels, arrays.height, arrays.width), (count,)
        kind, array = _FLOATS if arrays.image_type == _library.FLOAT32 else self._element_type, np.ndarray
        return Batch(
            array(shape, kind, memory, images - start),
            array(each, _INTEGERS, memory, labels - start),
            array(each, _INTEGERS, memory, index - start),
            array(shape, _BYTES, memory, masks - start) if masks else np.zeros(shape, np.uint8),
            array(each, _FLAGS, memory, annotated - start))

"""The C interface, ``rrdata.h``, by ctypes. The library is loaded when it is first wanted."""

from __future__ import annotations

import ctypes
import functools
import json
import os
from collections.abc import Callable, Sequence
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_int32, c_int64, c_size_t, c_void_p
from typing import Any

from ._errors import error_of

OK, END, TOO_LATE, CANCELLED = 0, 1, 2, 3
LABELS, SPLITS, GROUPS = 0, 1, 2
FLOAT32, STORED = 0, 1

#: The version of the interface that this package was written for.
INTERFACE_VERSION = 2


class Arrays(Structure):
    """``rr_arrays``"""

    _fields_ = [
        ("size", c_size_t),
        ("count", c_int64),
        ("channels", c_int64),
        ("height", c_int64),
        ("width", c_int64),
        ("images", c_void_p),
        ("image_type", c_int),
        ("labels", c_void_p),
        ("index", c_void_p),
        ("masks", c_void_p),
        ("annotated", c_void_p),
        ("epoch", c_int64),
        ("step", c_int64),
        ("next_epoch", c_int64),
        ("next_position", c_int64),
    ]


class Target(Structure):
    """``rr_target``"""

    _fields_ = [
        ("size", c_size_t),
        ("room", c_size_t),
        ("images", c_void_p),
        ("image_type", c_int),
        ("image_strides", c_void_p),
        ("labels", c_void_p),
        ("index", c_void_p),
        ("masks", c_void_p),
        ("mask_type", c_int),
        ("mask_strides", c_void_p),
        ("annotated", c_void_p),
    ]


_OUT = POINTER(c_void_p)

# By name: what is returned, and what is taken.
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "rr_interface_version": (c_int32, []),
    "rr_error_code": (c_char_p, [c_void_p]),
    "rr_error_message": (c_char_p, [c_void_p]),
    "rr_error_path": (c_char_p, [c_void_p]),
    "rr_error_sample": (c_int64, [c_void_p]),
    "rr_error_free": (None, [c_void_p]),
    "rr_text_free": (None, [c_void_p]),
    "rr_reader_expect": (c_int, [POINTER(c_char_p), c_size_t, _OUT]),
    "rr_dataset_open": (c_int, [POINTER(c_char_p), c_size_t, c_char_p, _OUT, _OUT]),
    "rr_dataset_close": (None, [c_void_p]),
    "rr_dataset_describe": (c_int, [c_void_p, _OUT, _OUT]),
    "rr_dataset_fingerprint": (c_int, [c_void_p, _OUT, _OUT]),
    "rr_dataset_ids": (c_int, [c_void_p, _OUT, _OUT]),
    "rr_dataset_list": (c_int, [c_void_p, c_int, c_void_p, c_size_t, _OUT]),
    "rr_dataset_gather": (c_int, [c_void_p, c_void_p, c_void_p, c_size_t, POINTER(Target), _OUT]),
    "rr_masks_open": (c_int, [c_void_p, POINTER(c_char_p), c_size_t, _OUT, _OUT]),
    "rr_masks_close": (None, [c_void_p]),
    "rr_masks_describe": (c_int, [c_void_p, _OUT, _OUT]),
    "rr_stream_open": (c_int, [c_void_p, c_void_p, c_char_p, c_char_p, _OUT, _OUT]),
    "rr_stream_open_at": (c_int, [c_void_p, c_void_p, c_char_p, c_int64, c_int64, _OUT, _OUT]),
    "rr_stream_close": (None, [c_void_p]),
    "rr_stream_describe": (c_int, [c_void_p, _OUT, _OUT]),
    "rr_stream_next": (c_int, [c_void_p, c_int64, _OUT, _OUT]),
    "rr_stream_cursor": (c_int, [c_void_p, c_int64, c_int64, _OUT, _OUT]),
    "rr_batch_arrays": (c_int, [c_void_p, POINTER(Arrays)]),
    "rr_batch_close": (None, [c_void_p]),
}


def library_path() -> str:
    """The library of this package, or the one that ``RRDATA_LIBRARY`` names."""
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_native", "librrdata.so.1")
    return os.environ.get("RRDATA_LIBRARY") or beside


def command_path() -> str:
    """The command ``rrdata`` beside the library."""
    return os.path.join(os.path.dirname(os.path.realpath(library_path())), "rrdata")


@functools.cache
def library() -> ctypes.CDLL:
    """The library, loaded once."""
    loaded = ctypes.CDLL(library_path())
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    if loaded.rr_interface_version() < INTERFACE_VERSION:
        raise ImportError(f"{library_path()} is older than this package: install both from one wheel")
    return loaded


def check(status: int, error: c_void_p) -> None:
    """Raises what a failed call tells, and frees it."""
    _check(library(), status, error)


def _check(loaded: ctypes.CDLL, status: int, error: c_void_p) -> None:
    if status < 64:
        return
    if not error:
        raise error_of(status, f"the library failed with the status {status}")
    try:
        words = [loaded.rr_error_message(error), loaded.rr_error_code(error), loaded.rr_error_path(error)]
        message, code, path = (word.decode("utf-8", "surrogateescape") for word in words)
        sample = loaded.rr_error_sample(error)
    finally:
        loaded.rr_error_free(error)
    raise error_of(status, message, code, path, sample if sample >= 0 else None)


def call(name: str, *arguments: Any) -> int:
    """Calls a function whose last argument is the place for an error, and raises what it tells."""
    loaded, error = library(), c_void_p()
    status = getattr(loaded, name)(*arguments, byref(error))
    if status >= 64:
        _check(loaded, status, error)
    return status


def text(name: str, *arguments: Any) -> str:
    """Calls a function that gives a text."""
    place = c_void_p()
    call(name, *arguments, byref(place))
    try:
        return ctypes.string_at(place).decode("utf-8", "surrogateescape") if place else ""
    finally:
        library().rr_text_free(place)


def facts(name: str, *arguments: Any) -> Any:
    """Calls a function that gives JSON."""
    return json.loads(text(name, *arguments))


def path_list(paths: Sequence[str]) -> tuple[Any, int]:
    """Paths as a list in C."""
    return (c_char_p * max(1, len(paths)))(*[os.fsencode(path) for path in paths]), len(paths)


class Handle:
    """A handle of the library, closed with its last reference, in the process that it is of."""

    __slots__ = ("pointer", "process", "_close")

    def __init__(self, opener: str, closer: str, *arguments: Any) -> None:
        self._close: Callable[[int], None] | None = None
        place = c_void_p()
        call(opener, *arguments, byref(place))
        self.pointer: int = place.value or 0
        self.process = os.getpid()
        self._close = getattr(library(), closer)

    @property
    def is_ours(self) -> bool:
        """Whether it may be used: a fork copies it, but not what it stands for."""
        return self.process == os.getpid()

    def __del__(self) -> None:
        if (close := self._close) is not None:
            # In a forked process this does nothing.
            close(self.pointer)

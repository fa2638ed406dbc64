"""Paths and options as users give them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

PathLike: TypeAlias = "str | os.PathLike[str]"
PathList: TypeAlias = "PathLike | Sequence[PathLike]"


def paths(given: PathList | None) -> list[str]:
    """One path or several as a list; none for None."""
    if given is None:
        return []
    if isinstance(given, (str, os.PathLike)):
        return [os.fspath(given)]
    return [os.fspath(path) for path in given]


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are not None."""
    return {name: value for name, value in options.items() if value is not None}

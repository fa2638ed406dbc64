"""How a folder of images is read: the options that everything has in common which opens one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from ._errors import UsageError
from ._paths import given


class FolderOptions(TypedDict, total=False):
    """The options by their names, with None as if an option were not there; ``rrdata stream --help`` says what each does."""

    labels: str | None
    metadata: str | None
    columns: str | Mapping[str, Any] | None
    split_values: str | Mapping[str, Any] | None
    splits: str | Mapping[str, str] | None
    no_splits: bool | None
    masks_among_images: bool | None
    trust_links: bool | None
    color: Literal["auto", "gray", "rgb", "rgba"] | None
    depth: Literal[8, 16] | None
    orientation: str | None
    truncated: str | None
    size: str | Sequence[int] | None
    fit: Literal["stretch", "crop", "pad"] | None
    background: str | None


def folder_options(options: FolderOptions) -> dict[str, Any]:
    """The options as the library takes them.

    Raises:
        TypeError: there is no option of a name.
    """
    for name in options:
        if name not in FolderOptions.__annotations__:
            raise TypeError(f"there is no argument {name!r}; how a folder is read is said by {', '.join(FolderOptions.__annotations__)}")
    texts = {name: pairs(options.get(name)) for name in ("columns", "split_values", "splits")}
    return given({**options, **texts, "size": image_size(options.get("size"))})


def image_size(size: str | Sequence[int] | None) -> str | None:
    """``224x224`` of ``(224, 224)``, height and width."""
    if size is None or isinstance(size, str):
        return size
    if len(size) != 2:
        raise UsageError(f"a size is height and width, and not {size!r}", code="invalid-option")
    height, width = size
    return f"{height}x{width}"


def pairs(values: str | Mapping[str, Any] | None) -> str | None:
    """``file=name,label=y`` of ``{"file": "name", "label": "y"}``."""
    if values is None or isinstance(values, str):
        return values
    return ",".join(f"{name}={'+'.join(value) if isinstance(value, (list, tuple)) else value}" for name, value in values.items())

"""What Dataset and Stream have in common: files that are opened where they are needed, once a process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from . import _library
from ._paths import PathList, paths


class Source:
    """The files of a dataset and its masks. A copy in another process opens them again."""

    def __init__(self, path: PathList, masks: PathList | None, folder: Mapping[str, Any]) -> None:
        self._paths, self._mask_paths, self._folder = paths(path), paths(masks), dict(folder)
        self._dataset: _library.Handle | None = None
        self._masks: _library.Handle | None = None
        self._facts: dict[str, Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_dataset": None, "_masks": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    @property
    def dataset(self) -> int:
        """The handle of the dataset."""
        if self._dataset is None or not self._dataset.is_ours:
            options = json.dumps(self._folder).encode() if self._folder else None
            files = self._paths + self._mask_paths
            if len(files) > 1:
                # Their readers start while the first is waited for.
                _library.call("rr_reader_expect", *_library.path_list(files))
            try:
                self._dataset = _library.Handle(
                    "rr_dataset_open", "rr_dataset_close", *_library.path_list(self._paths), options)
            except BaseException:
                _library.call("rr_reader_expect", *_library.path_list([]))
                raise
            self._masks = None
        return self._dataset.pointer

    @property
    def masks(self) -> int | None:
        """The handle of the masks, or None."""
        if not self._mask_paths:
            return None
        dataset = self.dataset
        if self._masks is None or not self._masks.is_ours:
            self._masks = _library.Handle(
                "rr_masks_open", "rr_masks_close", dataset, *_library.path_list(self._mask_paths))
        return self._masks.pointer

    @property
    def has_masks(self) -> bool:
        return bool(self._mask_paths)

    @property
    def facts(self) -> dict[str, Any]:
        """What ``rr_dataset_describe`` tells."""
        facts = self._facts
        if facts is None:
            facts = self._facts = _library.facts("rr_dataset_describe", self.dataset)
        return facts

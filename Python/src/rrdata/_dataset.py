"""Datasets by their samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ctypes import byref, sizeof
from typing import TYPE_CHECKING, Literal

import numpy as np

from . import _library
from ._arrays import Batch
from ._errors import SampleIndexError, UsageError
from ._folder import FolderOptions, folder_options
from ._paths import PathList
from ._source import Source

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Dataset:
    """A dataset with its masks, sample by sample: what PyTorch calls a map-style dataset.

    An item is ``(image, label, index, mask)``: image ``(C, H, W)`` float32, label int, the row in the dataset int, mask
    ``(C, H, W)`` uint8, where 1 says "this pixel is no valid reason". Any sample may be read at any time and from any
    thread; images are read on all cores where several are asked for. It can be pickled: a copy in another process, also
    in one that a fork has made, opens its files there.

    Args:
        path: a dataset file or a folder of images, or several that are one dataset.
        masks: the mask set, or one for each file.
        split: a split's name; None or ``"all"`` for all samples.
        dtype: ``"float32"`` for images as a network takes them (uint8 / 255, uint16 / 65,535), ``"stored"`` for those
            that are stored.
        labels, metadata, columns, split_values, splits, no_splits, masks_among_images, trust_links, color, depth,
            orientation, truncated, size, fit, background: how a folder is read, as ``rrdata stream --help`` has it;
            ``size`` may be ``(height, width)``, and columns, split values and splits may be dictionaries.

    Raises:
        InputNotFoundError: there is no such file.
        DataError: the files are damaged, or the masks are of another dataset.
        UsageError: an option makes no sense, or there is no such split.

    >>> import tempfile, numpy, rrdata
    >>> folder = tempfile.mkdtemp()
    >>> images = numpy.arange(4 * 6 * 5, dtype=numpy.uint8).reshape(4, 6, 5)
    >>> dataset = rrdata.write_dataset(images, [0, 1, 1, 0], folder + "/d.h5")
    >>> len(dataset)
    4
    >>> image, label, index, mask = dataset[2]
    >>> image.shape, label, index, int(mask.sum())
    ((1, 6, 5), 1, 2, 0)
    >>> dataset.images([3, 0, 3]).shape
    (3, 1, 6, 5)
    """

    def __init__(
        self,
        path: PathList,
        masks: PathList | None = None,
        split: str | None = None,
        *,
        dtype: Literal["float32", "stored"] = "float32",
        **folder: Unpack[FolderOptions],
    ) -> None:
        if dtype not in ("float32", "stored"):
            raise UsageError(f'dtype is "float32" or "stored", and not {dtype!r}', code="invalid-option")
        self._source = Source(path, masks, folder_options(folder))
        self._split, self._is_stored = split, dtype == "stored"
        # What is wrong with the files is told at once.
        self._rows = self._rows_of_split()
        _ = self._source.masks

    def _rows_of_split(self) -> np.ndarray:
        names = self._source.facts["split_names"]
        if self._split is None or (self._split == "all" and "all" not in (names or [])):
            return np.arange(self._source.facts["samples"])
        if self._split not in (names or []):
            known = f"its splits are {', '.join(names)}" if names else "the dataset has no splits"
            raise UsageError(
                f"{self._source.facts['path']}: there is no split “{self._split}”: {known}", code="unknown-split")
        return np.flatnonzero(self._list(_library.SPLITS) == names.index(self._split))

    def _list(self, which: int) -> np.ndarray:
        values = np.empty(self._source.facts["samples"], np.int64)
        _library.call("rr_dataset_list", self._source.dataset, which, values.ctypes.data, len(values))
        return values

    # What it is.

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """``(C, H, W)``"""
        facts = self._source.facts
        return facts["channels"], facts["height"], facts["width"]

    @property
    def dtype(self) -> np.dtype:
        """The type of images as they are given."""
        return np.dtype(self._source.facts["element_type"] if self._is_stored else "float32")

    @property
    def labels(self) -> np.ndarray | None:
        """``(N,)`` int64: the class of each sample; None where the dataset has no labels."""
        return self._list(_library.LABELS)[self._rows] if self._source.facts["has_labels"] else None

    @property
    def groups(self) -> np.ndarray | None:
        """``(N,)`` int64: the group of each sample; None where the samples are in none."""
        return self._list(_library.GROUPS)[self._rows] if self._source.facts["has_groups"] else None

    @property
    def ids(self) -> list[str]:
        """What each sample is called."""
        ids = _library.facts("rr_dataset_ids", self._source.dataset)
        return [ids[row] for row in self._rows]

    @property
    def rows(self) -> np.ndarray:
        """``(N,)`` int64: the row of each sample in the dataset, which is another number where a split is taken."""
        return self._rows.copy()

    @property
    def class_names(self) -> list[str] | None:
        """The names of the classes by label; None where labels are bare numbers or absent."""
        return self._source.facts["class_names"]

    @property
    def group_names(self) -> list[str] | None:
        """The names of the groups by number; None where groups are bare numbers or absent."""
        return self._source.facts["group_names"]

    @property
    def split_names(self) -> list[str] | None:
        """The names of the splits; None where the dataset has none."""
        return self._source.facts["split_names"]

    @property
    def notes(self) -> list[str]:
        """How the files were read, where they allow more than one reading."""
        return self._source.facts["notes"]

    @property
    def fingerprint(self) -> str:
        """The 64 hexadecimal digits by which masks and cursors know the dataset; of a folder all images are read for it."""
        return _library.text("rr_dataset_fingerprint", self._source.dataset)

    # Samples.

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> tuple[np.ndarray, int, int, np.ndarray]:
        batch = self.gather([number])
        return batch.images[0], int(batch.labels[0]), int(batch.index[0]), batch.masks[0]

    def __getitems__(self, numbers: Sequence[int]) -> list[tuple[np.ndarray, int, int, np.ndarray]]:
        """The items of several numbers, read together: PyTorch's loaders fetch a batch by it."""
        batch = self.gather(numbers)
        return list(zip(batch.images, batch.labels.tolist(), batch.index.tolist(), batch.masks))

    def __iter__(self) -> Iterator[tuple[np.ndarray, int, int, np.ndarray]]:
        return (self[number] for number in range(len(self)))

    def images(self, numbers: Iterable[int]) -> np.ndarray:
        """``(B, C, H, W)``: images of samples, in any order and any of them more than once."""
        rows = self._chosen(numbers)
        images = np.empty((len(rows), *self.image_shape), self.dtype)
        self._gather(rows, images=images)
        return images

    def masks(self, numbers: Iterable[int]) -> np.ndarray:
        """``(B, C, H, W)`` uint8: masks of samples, all zero where a sample has none."""
        rows = self._chosen(numbers)
        masks = np.empty((len(rows), *self.image_shape), np.uint8)
        self._gather(rows, masks=masks)
        return masks

    def gather(self, numbers: Iterable[int]) -> Batch:
        """Reads samples, in any order and any of them more than once.

        Raises:
            SampleIndexError: there is no sample of one of the numbers.
            DataError: an image is damaged; ``sample`` of the error says which.
        """
        rows = self._chosen(numbers)
        count = len(rows)
        batch = Batch(
            np.empty((count, *self.image_shape), self.dtype), np.empty(count, np.int64), np.empty(count, np.int64),
            np.empty((count, *self.image_shape), np.uint8), np.empty(count, bool))
        self._gather(rows, **batch._asdict())
        return batch

    def _chosen(self, numbers: Iterable[int]) -> np.ndarray:
        chosen = np.asarray(numbers if hasattr(numbers, "__len__") else list(numbers))
        if chosen.size and chosen.dtype.kind not in "iu":
            raise TypeError(f"numbers of samples are whole numbers, and not {chosen.dtype}")
        chosen = chosen.astype(np.int64).reshape(-1)
        count = len(self)
        for number in chosen[(chosen < -count) | (chosen >= count)][:1]:
            raise SampleIndexError(
                f"there is no sample {number}; the samples are 0 to {count - 1}", code="index-out-of-range")
        return self._rows[chosen]

    def _gather(self, rows: np.ndarray, **arrays: np.ndarray) -> None:
        target = _library.Target(
            size=sizeof(_library.Target), room=len(rows),
            image_type=_library.STORED if self._is_stored else _library.FLOAT32,
            **{name: array.ctypes.data for name, array in arrays.items()})
        rows = np.ascontiguousarray(rows, np.int64)
        _library.call(
            "rr_dataset_gather", self._source.dataset, self._source.masks, rows.ctypes.data, len(rows), byref(target))

    def __repr__(self) -> str:
        return f"<rrdata.Dataset {self._source.facts['path']}: {len(self)} images of {self.image_shape}>"

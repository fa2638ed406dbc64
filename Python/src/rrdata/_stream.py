"""Streams of batches."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from . import _library
from ._arrays import Batch, OpenStream
from ._errors import UsageError
from ._folder import FolderOptions, folder_options
from ._paths import PathList, PathLike, given
from ._source import Source

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Stream:
    """Batches of images, labels, indices and masks, on threads of its own.

    An iteration is an epoch, and the next iteration is the next epoch; with ``epochs`` it is all of them. The order is a
    function of seed and epoch, that of ``rrdata stream`` to the byte, whatever the number of threads, workers and ranks.

    It may be used as it is, or as ``DataLoader(stream, batch_size=None)`` where torch was imported before it was made. With
    workers each gives other samples; they begin with copies of the stream, so call `set_epoch` before each iteration, and may
    together have some more, smaller batches than ``len`` says.
    Ranks each have the same number of batches; what is left at an epoch's end is padded (index -1) or, with ``drop_last``,
    left out. One iteration runs at a time: a new one ends the one before.

    Args:
        path: a dataset file or a folder of images, or several that are one dataset.
        masks: the mask set, or one for each file; None for masks that are all zero.
        batch_size: the number of samples in a batch.
        shuffle: whether each epoch has a random order of its own.
        seed: decides the orders and what augmentation draws.
        epochs: None for iterations of an epoch each without end; else the epochs of one iteration.
        split: the split, or ``"all"``; None for ``train`` where the dataset has splits.
        drop_last: whether a smaller batch at an epoch's end is left out.
        rank, world: this process's part; None for those of ``torch.distributed`` where it is initialised, or of the
            environment (``RANK``, ``WORLD_SIZE``), or for all.
        balance: ``"equal"``, or a weight for each class: how often each is drawn; ``"groups"`` for all groups as often.
        annotated_only: whether samples without a mask are left out.
        annotated_fraction: the share of annotated samples in every batch.
        ids: the ids of the samples to take, or a text file with one a line.
        augment: random changes of images and masks, as ``"hflip,crop:4"`` or ``"resized-crop:224x224"``.
        resize_crop: brings the short side of each image to a size and cuts the middle out, as ``"256:224"``.
        dtype: ``"float32"``, or ``"stored"`` for images as they are stored.
        memory: the bytes for batches and kept images.
        jobs: the number of threads; None for one a core.
        arrays: ``"numpy"``, or ``"torch"`` for tensors.
        pin_memory: whether tensors are copied into pinned memory, from which devices copy faster. Where there is no device it
            changes nothing, with a warning; in workers of a loader that is the loader's ``pin_memory``.
        labels, metadata, columns, split_values, splits, no_splits, masks_among_images, trust_links, color, depth,
            orientation, truncated, size, fit, background: as of `Dataset`.

    Raises:
        UsageError, DataError, InputNotFoundError: as of `Dataset`, where the stream is opened: at its first use.
        ReadError: a file was changed under the stream.

    >>> import tempfile, numpy, rrdata
    >>> folder = tempfile.mkdtemp()
    >>> images = numpy.zeros((10, 6, 5), numpy.uint8)
    >>> _ = rrdata.write_dataset(images, None, folder + "/d.h5")
    >>> stream = rrdata.Stream(folder + "/d.h5", batch_size=4, seed=7)
    >>> len(stream)
    3
    >>> [batch.images.shape for batch in stream]
    [(4, 1, 6, 5), (4, 1, 6, 5), (2, 1, 6, 5)]
    >>> sorted(int(row) for batch in stream for row in batch.index)
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """

    def __init__(
        self,
        path: PathList,
        masks: PathList | None = None,
        *,
        batch_size: int,
        shuffle: bool = True,
        seed: int = 0,
        epochs: int | None = None,
        split: str | None = None,
        drop_last: bool = False,
        rank: int | None = None,
        world: int | None = None,
        balance: str | Sequence[float] | None = None,
        annotated_only: bool = False,
        annotated_fraction: float | None = None,
        ids: PathLike | Sequence[str] | None = None,
        augment: str | None = None,
        resize_crop: str | None = None,
        dtype: Literal["float32", "stored"] = "float32",
        memory: int | None = None,
        jobs: int | None = None,
        arrays: Literal["numpy", "torch"] = "numpy",
        pin_memory: bool = False,
        **folder: Unpack[FolderOptions],
    ) -> None:
        for name, value, words in [("dtype", dtype, ("float32", "stored")), ("arrays", arrays, ("numpy", "torch"))]:
            if value not in words:
                raise UsageError(f"{name} is {' or '.join(map(repr, words))}, and not {value!r}", code="invalid-option")
        if epochs is not None and epochs < 1:
            raise UsageError(f"the number of epochs is {epochs}, but must be at least 1", code="invalid-option")
        if pin_memory and arrays != "torch":
            raise UsageError('pinned memory is PyTorch\'s: give arrays="torch" too', code="invalid-option")
        if (rank is None) != (world is None):
            raise UsageError("rank and world go together: give both or none", code="invalid-option")
        self._source = Source(path, masks, folder_options(folder))
        if balance is not None and not isinstance(balance, str):
            balance = ",".join(map(repr, map(float, balance)))
        self._options = given({
            "batch_size": batch_size, "shuffle": shuffle, "seed": str(seed), "epochs": epochs or 0, "split": split,
            "drop_last": drop_last, "balance": balance, "annotated_only": annotated_only,
            "annotated_fraction": annotated_fraction, "ids": _id_list(ids), "augment": augment,
            "resize_crop": resize_crop, "raw": dtype == "stored", "memory": memory, "jobs": jobs,
        })
        self._epochs, self._share = epochs, None if rank is None or world is None else (rank, world)
        self._arrays, self._pins = arrays, pin_memory
        #: Where the next batch of the iteration stands: epoch, and position among all ranks' samples.
        self._place = (0, 0)
        #: Whether the next iteration goes on from the place, as after `load_state_dict`, and does not begin an epoch.
        self._goes_on = True
        #: Whether the batch that was given last is the last of its iteration.
        self._is_over = False
        self._cursor: str | None = None
        self._native: OpenStream | None = None
        self._native_place: tuple[int, int] | None = None
        self._iteration = 0
        _register_as_torch_dataset()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_native": None, "_native_place": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        _register_as_torch_dataset()

    # Iterating.

    def __iter__(self) -> Iterator[Batch]:
        self._iteration += 1
        if not self._goes_on:
            # One that was left, or has ended.
            epoch, position = self._place
            self._place = (0, 0) if self._epochs is not None else (epoch + (position > 0), 0)
        # A worker that had given all of its epoch has nothing to add while the others go on with it.
        has_nothing = self._goes_on and self._is_over and _worker() is not None
        self._goes_on = self._is_over = False
        return iter(()) if has_nothing else self._batches(self._iteration)

    def _batches(self, iteration: int) -> Iterator[Batch]:
        last = self._place[0] + 1 if self._epochs is None else self._epochs
        while self._place[0] < last:
            native = self._opened()
            try:
                batch = native.next()
            except BaseException:
                self._native = None
                raise
            if batch is None:
                return
            self._place = self._native_place = native.place
            self._is_over = native.place[0] >= last
            yield batch if not self._pins else self._pinned(batch)
            if iteration != self._iteration:
                return

    def _opened(self) -> OpenStream:
        """The stream of the library, which stands at the place where this one goes on."""
        native = self._native
        if native is not None and native.handle.is_ours and self._native_place == self._place:
            return native
        self._native = None
        rank, world = self._part()
        options = json.dumps({**self._options, "rank": rank, "world": world}).encode()
        where = [self._source.dataset, self._source.masks, options]
        if self._cursor is not None:
            handle = _library.Handle("rr_stream_open", "rr_stream_close", *where, self._cursor.encode())
            self._cursor = None
        else:
            handle = _library.Handle("rr_stream_open_at", "rr_stream_close", *where, *self._place)
        convert = None
        if self._arrays == "torch":
            from torch import from_numpy as convert
        self._native, self._native_place = OpenStream(handle, self._source.facts["element_type"], convert), self._place
        return self._native

    def _pinned(self, batch: Batch) -> Batch:
        import torch

        return Batch(*(tensor.pin_memory() for tensor in batch)) if _can_pin(torch) else batch

    def _part(self) -> tuple[int, int]:
        """The rank and the number of ranks, workers of a loader counted as ranks."""
        rank, world = self._share or _process_part()
        worker = _worker()
        return (rank, world) if worker is None else (rank * worker.num_workers + worker.id, world * worker.num_workers)

    # What it is, and where.

    def __len__(self) -> int:
        """The number of batches in an iteration, the same for every rank."""
        facts = _library.facts("rr_stream_describe", self._opened().handle.pointer)
        return facts["batches_per_epoch"] * (self._epochs or 1)

    @property
    def epoch(self) -> int:
        """The epoch that the next batch is of, from 0."""
        return self._place[0]

    def set_epoch(self, epoch: int) -> None:
        """Has the next iteration begin with an epoch, from 0: for loaders whose workers begin anew each time."""
        if epoch < 0:
            raise UsageError(f"the epoch is {epoch}, but the first is 0", code="invalid-option")
        self._place, self._goes_on, self._is_over, self._cursor = (epoch, 0), True, False, None

    def state_dict(self) -> dict[str, Any]:
        """Where the stream is, after the batch that was given last: what `load_state_dict` goes on from.

        It counts in the order of all ranks, and so serves every rank, whatever their number will be. After the last batch of
        an epoch the next epoch follows; in a worker of a loader, once the others have ended theirs.
        """
        cursor = _library.text("rr_stream_cursor", self._opened().handle.pointer, *self._place)
        return {"cursor": json.loads(cursor), "is_over": self._is_over}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Has the next iteration go on from a state, which may be of another number of ranks.

        Raises:
            DataError: it is of another dataset, or of other masks.
            UsageError: it is of another seed or option.
        """
        cursor = state["cursor"]
        self._native, self._goes_on, self._is_over = None, True, state.get("is_over", False)
        self._cursor = json.dumps(cursor)
        self._place = (cursor["epoch"], cursor["position"])
        self._opened()

    def __repr__(self) -> str:
        return f"<rrdata.Stream {self._source.facts['path']}: batches of {self._options['batch_size']}>"


def _worker() -> Any:
    """What PyTorch tells a worker of a loader of itself; None in any other process."""
    data = sys.modules.get("torch.utils.data")
    return None if data is None else data.get_worker_info()


def _can_pin(torch: Any) -> bool:
    """Whether there is a device to pin memory for; it is said where there is none, as by PyTorch's loaders."""
    if _worker() is not None:
        # What workers give goes through shared memory: the loader pins it where it arrives.
        return False
    # Before PyTorch 2.6 CUDA is the one that is asked for.
    has_device = getattr(torch, "accelerator", torch.cuda).is_available()
    if not has_device:
        warnings.warn("pin_memory=True has no effect: PyTorch finds no accelerator here", RuntimeWarning, stacklevel=4)
    return has_device


def _process_part() -> tuple[int, int]:
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


def _id_list(ids: PathLike | Sequence[str] | None) -> list[str] | None:
    if isinstance(ids, (str, os.PathLike)):
        with open(ids, encoding="utf-8") as file:
            return [line for line in file.read().splitlines() if line]
    return None if ids is None else list(ids)


def _register_as_torch_dataset() -> None:
    """Tells PyTorch's loaders, where they are there, that a stream is iterated over."""
    data = sys.modules.get("torch.utils.data")
    if data is not None:
        data.IterableDataset.register(Stream)

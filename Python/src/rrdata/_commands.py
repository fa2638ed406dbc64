"""What the command ``rrdata`` does, which the package brings along."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _library
from ._errors import error_of
from ._folder import image_size, pairs
from ._paths import PathLike, PathList, paths
from ._dataset import Dataset

# What only these functions need is imported by them: who streams does not wait for it.
if TYPE_CHECKING:
    import subprocess
    import tempfile


def run(*words: PathLike, **options: Any) -> str:
    """Runs the command, and gives what it prints.

    Args:
        words: the command and what it takes: ``"import", "images", "photos"``.
        options: by their names with ``_`` for ``-``: True for a flag, a list for an option that may be repeated; None is
            left out.

    Raises:
        UsageError, DataError, InputNotFoundError, OutputError, ReadError: as the command ends.

    >>> import rrdata
    >>> rrdata.run("--version").splitlines()[0]
    'rrdata 0.1.0'
    """
    line = [_library.command_path()]
    for name, value in options.items():
        flag = "--" + name.rstrip("_").replace("_", "-")
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if item is True:
                line.append(flag)
            elif item is not None and item is not False:
                line.append(f"{flag}={os.fspath(item) if isinstance(item, os.PathLike) else item}")
    names = [os.fspath(word) for word in words]
    # A path that looks like an option is none.
    line[1:1] = [f"./{name}" if name.startswith("-") and number > 0 else name for number, name in enumerate(names)]
    outcome = _outcome(line)
    if outcome.returncode != 0:
        raise _failure(outcome)
    return outcome.stdout


def _outcome(line: list[str]) -> subprocess.CompletedProcess[str]:
    import subprocess

    return subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="surrogateescape")


def _failure(outcome: subprocess.CompletedProcess[str]) -> Exception:
    message = outcome.stderr.strip()
    for start in ("rrdata: error: ", "Error: "):
        message = message.rpartition(start)[2] if start in message else message
    if outcome.returncode < 0:
        import signal

        message = f"rrdata was ended by {signal.Signals(-outcome.returncode).name}. {message}"
    return error_of(outcome.returncode, message)


# Making datasets and masks.


def import_images(
    folder: PathLike, output: PathLike, *, size: str | Sequence[int] | None = None, columns: Any = None,
    splits: Any = None, split_values: Any = None, **options: Any,
) -> Dataset:
    """Makes a dataset of a folder of JPEG and PNG files, as ``rrdata import images`` does, and opens it.

    Args:
        folder: with a folder for each class, or a list ``metadata.csv``.
        output: the dataset to write.
        size: ``(height, width)`` that images are brought to.
        options: those of the command: ``force=True``, ``color="rgb"``, ``masks_output="m.h5"``, …

    Raises:
        OutputError: the output is there already, or cannot be written.
        DataError: an image is damaged, or images differ in size or colour.
    """
    run(
        "import", "images", folder, output=output, size=image_size(size), columns=pairs(columns), splits=pairs(splits),
        split_values=pairs(split_values), **options)
    return Dataset(output)


def import_hdf5(files: PathList, output: PathLike, **options: Any) -> Dataset:
    """Makes a dataset of arrays in HDF5 files, as ``rrdata import hdf5`` does, and opens it.

    Args:
        files: the files.
        output: the dataset to write.
        options: those of the command: ``images="x"``, ``labels="y"``, ``masks="A"``, ``masks_output="m.h5"``, …
    """
    run("import", "hdf5", *paths(files), output=output, **options)
    return Dataset(output)


def import_masks(source: PathLike, output: PathLike, *, for_: PathLike, **options: Any) -> Dataset:
    """Makes a mask set of mask images, COCO annotations, boxes or arrays, as ``rrdata import masks`` does.

    Args:
        source: a folder of masks, or a file of annotations or arrays.
        output: the mask set to write.
        for_: the dataset that the masks are for.
        options: those of the command: ``marks="right"``, ``match="{id}_mask"``, …

    Returns:
        the dataset with its masks.
    """
    run("import", "masks", source, output=output, for_=for_, **options)
    return Dataset(for_, masks=output)


def write_dataset(
    images: np.ndarray, labels: Any, output: PathLike, *, layout: str | None = None, force: bool = False, **options: Any,
) -> Dataset:
    """Writes a dataset of arrays, and opens it.

    Args:
        images: ``(N, H, W)``, ``(N, C, H, W)`` or ``(N, H, W, C)``, uint8, uint16 or float32.
        labels: ``(N,)`` whole numbers or names, or None.
        output: the dataset to write.
        layout: ``"NCHW"``, ``"NHWC"``, …; where shapes leave one reading it need not be given.
        force: whether a file of that name is replaced.
        options: those of ``rrdata import npy``: ``compress="deflate"``, …
    """
    with _temporary_folder() as folder:
        _save(f"{folder}/images.npy", images)
        if labels is not None:
            _save(f"{folder}/labels.npy", np.asarray(labels))
            options["labels"] = f"{folder}/labels.npy"
        run("import", "npy", f"{folder}/images.npy", output=output, layout=layout, force=force, **options)
    return Dataset(output)


def write_masks(
    masks: np.ndarray, output: PathLike, *, for_: PathLike, layout: str | None = None, marks: str = "wrong",
    force: bool = False, **options: Any,
) -> Dataset:
    """Writes the masks of a dataset, row i for sample i.

    Args:
        masks: ``(N, H, W)``, ``(N, 1, H, W)`` or ``(N, C, H, W)``, 0 and 1 or bool; all zero for a sample without one.
        output: the mask set to write.
        for_: the dataset that they are for.
        layout: the order of the masks' dimensions, where their shape leaves more than one.
        marks: ``"wrong"`` where a 1 says "this pixel is no valid reason", ``"right"`` where it marks the right region,
            which is then inverted.
        force: whether a file of that name is replaced.
        options: those of ``rrdata import masks``.

    Returns:
        the dataset with its masks.

    >>> import tempfile, numpy, rrdata
    >>> folder = tempfile.mkdtemp()
    >>> _ = rrdata.write_dataset(numpy.zeros((3, 6, 5), numpy.uint8), [0, 1, 0], folder + "/d.h5")
    >>> masks = numpy.zeros((3, 6, 5), bool)
    >>> masks[1, :2, :2] = True
    >>> rrdata.write_masks(masks, folder + "/m.h5", for_=folder + "/d.h5").masks([0, 1]).sum((1, 2, 3)).tolist()
    [0, 4]
    """
    array = np.asarray(masks)
    with _temporary_folder() as folder:
        _save(f"{folder}/masks.npy", array.astype(np.uint8) if array.dtype == bool else array)
        run(
            "import", "masks", f"{folder}/masks.npy", output=output, for_=for_, masks_layout=layout, marks=marks,
            force=force, **options)
    return Dataset(for_, masks=output)


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    import tempfile

    return tempfile.TemporaryDirectory()


def _save(path: str, array: Any) -> None:
    np.save(path, np.ascontiguousarray(array), allow_pickle=False)


# Checking them.


@dataclass(frozen=True)
class Finding:
    """Something that a validation has to say about a file.

    Attributes:
        code: what was found, in a stable word, as ``non-binary-mask``.
        severity: ``"fault"`` where the file cannot be used as it is, else ``"warning"``.
        path: the file, and the array inside it where it is known.
        message: what is wrong, with the figures.
        remedy: what can be done, or None.
    """

    code: str
    severity: str
    path: str
    message: str
    remedy: str | None


def validate(path: PathLike, *others: PathLike, deep: bool = False) -> list[Finding]:
    """Judges a dataset, its mask sets and runs, as ``rrdata validate`` does.

    Args:
        path: a dataset; or a run or a model by itself.
        others: mask sets of the dataset, and runs that were trained on it.
        deep: whether every image is read; else 256 MB of them are.

    Returns:
        what was found: an empty list where all is sound.

    Raises:
        InputNotFoundError: there is no such file.
    """
    names = [os.fspath(name) for name in (path, *others)]
    line = [_library.command_path(), "validate", "--json", *(["--deep"] if deep else []), "--", *names]
    outcome = _outcome(line)
    if outcome.returncode not in (0, 1):
        raise _failure(outcome)
    return [Finding(**finding) for finding in json.loads(outcome.stdout)["findings"]]

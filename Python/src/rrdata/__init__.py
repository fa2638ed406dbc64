"""Datasets with annotation masks, and streams of batches, for models that are right for the right reasons.

A mask is 1 where a pixel is no valid reason for a class. With `Stream` and `Dataset` images come with their masks, in
step whatever the order, as NumPy arrays or PyTorch tensors:

    for images, labels, index, masks, annotated in rrdata.Stream("d.h5", masks="m.h5", batch_size=256):
        ...

`import_images`, `import_hdf5`, `import_masks`, `write_dataset` and `write_masks` make the files, `validate` judges them, `Run`
reads what a training has left, and `run` is the whole command. `rrdata.torch` is the explanation loss in PyTorch, with what it takes
to train by it, and `rrdata.lightning` the same in Lightning. What is refused is an `Error` that says what, where and the remedy.
"""

from typing import TYPE_CHECKING, Any

from ._errors import (
    DataError,
    Error,
    InputNotFoundError,
    InternalError,
    OutputError,
    ReadError,
    SampleIndexError,
    UsageError,
)
from ._version import version as __version__

if TYPE_CHECKING:
    from ._arrays import Batch
    from ._commands import Finding, import_hdf5, import_images, import_masks, run, validate, write_dataset, write_masks
    from ._dataset import Dataset
    from ._run import Run
    from ._stream import Stream
else:
    _PLACES = {
        "_arrays": ["Batch"],
        "_commands": [
            "Finding", "import_hdf5", "import_images", "import_masks", "run", "validate", "write_dataset", "write_masks"],
        "_dataset": ["Dataset"],
        "_run": ["Run"],
        "_stream": ["Stream"],
    }

    def __getattr__(name: str) -> Any:
        """Loads what is asked for, and NumPy with it, the first time: the command is of this package and needs neither."""
        for place, names in _PLACES.items():
            if name in names:
                from importlib import import_module

                value = globals()[name] = getattr(import_module(f".{place}", __name__), name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = [
    "Batch",
    "DataError",
    "Dataset",
    "Error",
    "Finding",
    "InputNotFoundError",
    "InternalError",
    "OutputError",
    "ReadError",
    "Run",
    "SampleIndexError",
    "Stream",
    "UsageError",
    "__version__",
    "import_hdf5",
    "import_images",
    "import_masks",
    "run",
    "validate",
    "write_dataset",
    "write_masks",
]

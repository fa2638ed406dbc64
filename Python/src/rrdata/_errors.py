"""What goes wrong, as exceptions that Python users catch by the usual names too."""

from __future__ import annotations


class Error(Exception):
    """Something that rrdata refuses or cannot do; the message says what, where and the remedy.

    Attributes:
        code: what is wrong in a stable word, as ``checksum-mismatch``.
        path: the file, where known followed by the place inside it; empty where it is about none.
        sample: the row of the sample that cannot be read, or None.
    """

    def __init__(self, message: str = "", *, code: str = "", path: str = "", sample: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.path = path
        self.sample = sample

    def __str__(self) -> str:
        return self.message

    def __reduce__(self):
        facts = {"message": self.message, "code": self.code, "path": self.path, "sample": self.sample}
        return _remake, (type(self), facts)


def _remake(kind: type[Error], facts: dict) -> Error:
    return kind(facts.pop("message"), **facts)


class UsageError(Error, ValueError):
    """An option or argument is wrong, or contradicts the data or another."""


class DataError(Error, ValueError):
    """The data cannot be used as it is: damaged, of another format, of another dataset."""


class SampleIndexError(DataError, IndexError):
    """There is no sample of that number."""


class InputNotFoundError(Error, FileNotFoundError):
    """There is no such file or folder."""


class OutputError(Error, OSError):
    """The output cannot be written, or is there already and was not to be replaced."""


class ReadError(Error, OSError):
    """The system or the disk failed, or a file was changed while it was read."""


class InternalError(Error, RuntimeError):
    """A fault of rrdata itself."""


_KINDS: dict[int, type[Error]] = {
    64: UsageError,
    65: DataError,
    66: InputNotFoundError,
    70: InternalError,
    73: OutputError,
    74: ReadError,
}


def error_of(status: int, message: str, code: str = "", path: str = "", sample: int | None = None) -> Error:
    """The exception for a status of the library, which is also the exit code of the command."""
    kind = SampleIndexError if code == "index-out-of-range" else _KINDS.get(status, InternalError)
    return kind(message, code=code, path=path, sample=sample)

"""What a training has left."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from ._errors import DataError, InputNotFoundError
from ._paths import PathLike

_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1", "U8": "|u1",
    "BOOL": "|b1",
}


class Run:
    """A run folder that ``rrdata train`` wrote.

    Raises:
        InputNotFoundError: there is no such folder, or it holds no run.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = os.fspath(path)
        if not os.path.isfile(self._file("config.json")):
            raise InputNotFoundError(
                f"{self.path}: there is no run here: rrdata train writes one", code="not-found", path=self.path)

    def _file(self, name: str) -> str:
        return os.path.join(self.path, name)

    @property
    def config(self) -> dict[str, Any]:
        """Data, options and what was chosen: ``config.json``."""
        return self._json("config.json")

    @property
    def model(self) -> dict[str, Any]:
        """The network: ``model.json``."""
        return self._json("model.json")

    def _json(self, name: str) -> dict[str, Any]:
        with open(self._file(name), encoding="utf-8") as file:
            return json.load(file)

    @property
    def metrics(self) -> dict[str, np.ndarray]:
        """``(epochs,)`` float64 for each figure of an epoch, by its name: ``loss``, ``cross_entropy``, ``penalty``, …

        NaN where an epoch has none.
        """
        return self._figures("epoch")

    @property
    def step_metrics(self) -> dict[str, np.ndarray]:
        """``(steps,)`` float64 for each figure of a step, by its name; NaN where a step has none."""
        return self._figures(None)

    def _figures(self, kind: str | None) -> dict[str, np.ndarray]:
        with open(self._file("metrics.jsonl"), encoding="utf-8") as file:
            records = [json.loads(line) for line in file if line.strip()]
        records = [record for record in records if record.get("kind") == kind]
        names = dict.fromkeys(
            name for record in records for name, value in record.items()
            if isinstance(value, (int, float)) and not isinstance(value, bool))
        return {
            name: np.array([float("nan") if record.get(name) is None else record[name] for record in records], np.float64)
            for name in names}

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """The parameters by the names that PyTorch has for them: ``weights.safetensors``."""
        path = self._file("weights.safetensors")
        with open(path, "rb") as file:
            content = file.read()
        length = int.from_bytes(content[:8], "little")
        try:
            header = json.loads(content[8 : 8 + length])
            data = memoryview(content)[8 + length :]
            return {
                name: np.frombuffer(data[slice(*entry["data_offsets"])], _TYPES[entry["dtype"]]).reshape(entry["shape"]).copy()
                for name, entry in header.items() if name != "__metadata__"}
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: these are no weights: {error}", code="malformed", path=path) from error

    def __repr__(self) -> str:
        return f"<rrdata.Run {self.path}>"

"""A run folder that the commands read, of a network that PyTorch trains."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, distributed, nn

from .._commands import run as run_command
from .._dataset import Dataset
from .._errors import OutputError
from .._paths import PathLike
from .._version import version
from .batch import refusal
from .gradients import unwrapped
from .loss import ExplanationLoss

_TYPES = {torch.float64: "F64", torch.float32: "F32"}
_CHECKPOINT = "checkpoint.pt"
_FILES = ("best.safetensors", "config.json", "metrics.jsonl", "model.json", "weights.safetensors")


class RunWriter:
    """Writes a run folder as ``rrdata train`` leaves it: ``evaluate``, ``make-masks``, ``info`` and ``validate`` read it.

    Until `finish` everything stands beside its place, in ``PATH.unfinished``, where a program that is started again goes on with
    what it finds. Of several processes each has one; that of rank 0 writes, and all read.

    Args:
        path: the run folder.
        dataset: what is trained on.
        network: the name of a network of ``rrdata train --model``, as ``"resnet18"``, whose parameters have torchvision's names;
            or the content of a ``model.json``.
        options: what shall stand in ``config.json``: ``lambda1``, ``batch_size``, ``penalty_reduction``, … by the names there.
        split: the split that is trained on.
        normalization: means and standard deviations by channel, that images are brought to before the network sees them.
        resume: whether an unfinished run is gone on with, where there is one.
        force: whether a run of that name, and an unfinished one, is replaced.

    Raises:
        OutputError: the output is there already, or cannot be written.
        UsageError: there is no network of that name, or it does not suit the dataset.
    """

    def __init__(
        self, path: PathLike, dataset: Dataset, network: str | Mapping[str, Any], *, options: Mapping[str, Any] | None = None,
        split: str = "train", normalization: tuple[Sequence[float], Sequence[float]] | None = None, resume: bool = False,
        force: bool = False,
    ) -> None:
        self.path = os.fspath(path).rstrip("/")
        self._folder = self.path + ".unfinished"
        self._force = force
        #: Whether this is the process that writes.
        self.is_first: bool = not (distributed.is_available() and distributed.is_initialized()) or distributed.get_rank() == 0
        self._metrics: Any = None
        if os.path.lexists(self.path) and not force:
            raise _taken(self.path, "there is something already: name another output, or give force=True")
        if not self.is_first:
            return
        if os.path.lexists(self._file(_CHECKPOINT)) and not resume and not force:
            raise _taken(self._folder, "an unfinished run is there: resume=True goes on with it, force=True starts anew")
        if not resume:
            shutil.rmtree(self._folder, ignore_errors=True)
        model = _described(network, dataset) if isinstance(network, str) else dict(network)
        os.makedirs(self._folder, exist_ok=True)
        self._write("config.json", _text(_configuration(dataset, split, normalization, options or {})))
        self._write("model.json", _text(model))
        self._metrics = open(self._file("metrics.jsonl"), "a+", encoding="utf-8")
        if not os.path.exists(self._file(_CHECKPOINT)):
            self._metrics.truncate(0)

    def _file(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def step(
        self, epoch: int, step: int, outcome: ExplanationLoss, *, learning_rate: float, seconds: float = 0.0,
        seconds_waiting: float = 0.0,
    ) -> None:
        """Records a step, from 0 over all epochs, before its parameters were moved."""
        if not self.is_first:
            return
        cross_entropy, penalty = outcome.cross_entropy.item(), outcome.penalty.item()
        self._line({
            "epoch": epoch, "step": step, "loss": cross_entropy + outcome.lambda1 * penalty, "cross_entropy": cross_entropy,
            "penalty": penalty if outcome.has_penalty else None, "lambda1": outcome.lambda1, "learning_rate": learning_rate,
            "seconds": seconds, "seconds_waiting": seconds_waiting})

    def epoch(self, epoch: int, **figures: Any) -> None:
        """Records the end of an epoch, with figures by their names in ``metrics.jsonl``."""
        if self.is_first:
            self._line({"kind": "epoch", "epoch": epoch, **figures})

    def _line(self, line: Mapping[str, Any]) -> None:
        self._metrics.write(json.dumps(line, sort_keys=True, separators=(",", ":")) + "\n")

    def save(self, state: Any) -> None:
        """Puts a checkpoint, as `torch.save` writes it, in the place of the one before, the metrics so far with it."""
        if not self.is_first:
            return
        self._metrics.flush()
        os.fsync(self._metrics.fileno())
        content = io.BytesIO()
        torch.save({"state": state, "metrics": os.path.getsize(self._file("metrics.jsonl"))}, content)
        self._write(_CHECKPOINT + ".new", content.getvalue())
        os.replace(self._file(_CHECKPOINT + ".new"), self._file(_CHECKPOINT))

    def load(self) -> Any:
        """The checkpoint's state on the CPU, metrics of later steps dropped; None where there is none."""
        if not os.path.exists(self._file(_CHECKPOINT)):
            return None
        kept = torch.load(self._file(_CHECKPOINT), map_location="cpu", weights_only=True)
        if self.is_first:
            self._metrics.truncate(kept["metrics"])
        return kept["state"]

    def finish(self, model: nn.Module) -> None:
        """Writes the weights, and gives the folder its name; under ``fully_shard`` all processes have to call it."""
        content = safetensors(unwrapped(model).state_dict())
        if not self.is_first:
            return
        self._metrics.close()
        self._write("weights.safetensors", content)
        for name in os.listdir(self._folder):
            if name not in _FILES:
                os.remove(self._file(name))
        sums = [f"{_hash(self._file(name))}  {name}\n" for name in _FILES if os.path.exists(self._file(name))]
        self._write("SHA256SUMS", "".join(sums).encode())
        if self._force and os.path.isfile(os.path.join(self.path, "config.json")):
            shutil.rmtree(self.path)
        try:
            os.rename(self._folder, self.path)
        except OSError as error:
            raise _taken(self.path, f"the run cannot be put there: {error}") from error

    def _write(self, name: str, content: bytes) -> None:
        with open(self._file(name), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _taken(path: str, message: str) -> OutputError:
    return OutputError(f"{path}: {message}", code="output-exists", path=path)


def _configuration(dataset: Dataset, split: str, normalization: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """What ``config.json`` has to say for the commands that read it."""
    return {
        "format": "rrdata.run", "format_version": "1.0", "creator": f"rrdata {version}",
        "dataset_fingerprint": dataset.fingerprint, "class_names": dataset.class_names,
        "normalization": normalization and {
            "means": [float(value) for value in normalization[0]],
            "standard_deviations": [float(value) for value in normalization[1]]},
        "options": {
            "guidance": "rrr", "penalty_target": "sum-log-prob", "penalty_reduction": "mean", "split": split, **options},
    }


def _text(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _hash(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _described(name: str, dataset: Dataset) -> dict[str, Any]:
    """The ``model.json`` of a network by its name, for a dataset's images and classes."""
    described = json.loads(run_command("info", name, json=True))
    model = {key: described[key] for key in ("format", "layers")}
    labels = dataset.labels
    if labels is None:
        raise refusal("the dataset has no labels, so there is nothing to learn from it", "unsuitable-dataset")
    classes = len(dataset.class_names or ()) or int(labels.max()) + 1
    head = model["layers"][-1]
    if not isinstance(head, dict) or "linear" not in head:
        raise refusal(f"{name} has no linear layer last: give the content of a model.json", "unsuitable-network")
    head["linear"]["out"] = classes
    return {**model, "format_version": "1.0", "input": list(dataset.image_shape), "classes": classes}


def safetensors(state: Mapping[str, Tensor]) -> bytes:
    """A state by its names as a safetensors file; without what batch normalisation counts."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    parts, end = [], 0
    for name in sorted(state):
        value = state[name]
        if name.endswith("num_batches_tracked"):
            continue
        whole = getattr(value, "full_tensor", None)
        value = value if whole is None else whole()
        value = value.detach().cpu().contiguous()
        value = value if value.dtype in _TYPES else value.float()
        content = value.numpy().tobytes()
        header[name] = {
            "dtype": _TYPES[value.dtype], "shape": list(value.shape), "data_offsets": [end, end + len(content)]}
        parts.append(content)
        end += len(content)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(parts)

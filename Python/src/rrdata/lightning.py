"""The explanation loss in Lightning: a mixin for a `LightningModule`, and a `LightningDataModule` of streams.

    class Classifier(rrdata.lightning.ExplanationMixin, lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.network = torchvision.models.resnet18(num_classes=10)
            self.explanation = {"lambda1": 1.0}

        def forward(self, images):
            return self.network(images)

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters())

    trainer.fit(Classifier(), rrdata.lightning.StreamDataModule("d.h5", masks="m.h5", batch_size=64, validation="val"))

The steps are those of a plain loop, to the last bit: in automatic and manual optimisation, with validation in Lightning's
inference mode, with clipped gradients, and on several processes.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from lightning import LightningDataModule
else:
    try:
        import torch

        try:
            from lightning import LightningDataModule
        except ImportError:
            LightningDataModule = importlib.import_module("pytorch_lightning").LightningDataModule
    except ImportError as error:
        raise ImportError(
            "rrdata.lightning needs PyTorch and Lightning, which are not both installed here: pip install lightning") from error

from ._paths import PathList
from ._stream import Stream
from .torch import ExplanationLoss, explanation_loss
from .torch.batch import refusal
from .torch.steps import require_gradients_of

__all__ = ["ExplanationMixin", "StreamDataModule"]


class ExplanationMixin:
    """A `LightningModule`'s training and validation steps by the explanation loss; it comes before `LightningModule`.

    Attributes:
        explanation: the options of `explanation_loss`, λ1 among them.

    The module's ``forward`` gives logits. `explained` is the loss of a batch for steps of one's own; it leaves
    `torch.inference_mode`, in which Lightning validates, by itself.
    """

    explanation: Mapping[str, Any] = {"lambda1": 1.0}

    def explained(self, batch: Any, **options: Any) -> ExplanationLoss:
        """The explanation loss of a batch ``(images, labels, index, masks, annotated)``, the last left out or not.

        Args:
            batch: as `Stream` gives it, on the module's device.
            options: of `explanation_loss`, in place of those in `explanation`.

        Raises:
            UsageError: the batch has no index and masks, or as `explanation_loss`.
        """
        if not isinstance(batch, (tuple, list)) or len(batch) < 4:
            raise refusal(
                "a batch must be (images, labels, index, masks), as a Stream gives it: masks that are looked up by the number of "
                "the batch are of other samples when a loader shuffles", "unsuitable-batch")
        module: Any = self
        images, labels, index, masks = batch[:4]
        chosen = {**self.explanation, **options}
        if chosen.get("guidance") == "input-gradient":
            masks = None
        annotated = batch[4] if len(batch) > 4 and masks is not None else None
        with _gradients():
            return explanation_loss(
                module, *(_usable(part) for part in (images, labels, masks)),
                **{
                    "index": _usable(index), "epoch": module.current_epoch, "annotated": _usable(annotated),
                    "group": _processes(module), **chosen})

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        """One step: the loss for Lightning to go backward from, or in manual optimisation all of it."""
        module: Any = self
        outcome = self.explained(batch)
        self._tell("train", outcome, batch)
        if module.automatic_optimization:
            return outcome.loss
        optimizers = module.optimizers()
        for optimizer in optimizers if isinstance(optimizers, list) else [optimizers]:
            optimizer.zero_grad()
        module.manual_backward(outcome.loss)
        for optimizer in optimizers if isinstance(optimizers, list) else [optimizers]:
            clip = getattr(self, "clip_norm", None)
            if clip is not None:
                module.clip_gradients(optimizer, gradient_clip_val=clip, gradient_clip_algorithm="norm")
            optimizer.step()
        return outcome.loss.detach()

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Logs ``val_loss``, ``val_cross_entropy``, ``val_penalty`` and ``val_accuracy``."""
        self._tell("val", self.explained(batch), batch)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        """Logs the same as ``test_…``."""
        self._tell("test", self.explained(batch), batch)

    def _tell(self, kind: str, outcome: ExplanationLoss, batch: Any) -> None:
        module: Any = self
        labels = batch[1]
        seen = labels >= 0
        count = int(seen.sum())
        figures = {
            "loss": outcome.value, "cross_entropy": outcome.cross_entropy, "penalty": outcome.penalty,
            "accuracy": ((outcome.logits.argmax(1) == labels) & seen).sum() / max(count, 1)}
        module.log_dict(
            {f"{kind}_{name}": value for name, value in figures.items()}, batch_size=count, on_step=kind == "train",
            on_epoch=True, sync_dist=kind != "train")

    def backward(self, loss: Any, *arguments: Any, **named: Any) -> None:
        """Goes backward as Lightning does.

        Raises:
            UsageError: that was done already.
        """
        parent: Any = super()
        try:
            parent.backward(loss, *arguments, **named)
        except RuntimeError as error:
            if "second time" not in str(error):
                raise
            raise refusal(
                "training_step went backward from the loss that it returns, and Lightning goes backward again: leave "
                "loss.backward() out, or set automatic_optimization to False", "second-backward") from error

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        """Refuses a step without gradients, as of a training_step that goes backward itself and returns nothing.

        Raises:
            UsageError: no parameter has a gradient.
        """
        parameters = [value for group in optimizer.param_groups for value in group["params"] if value.requires_grad]
        if parameters:
            module: Any = self
            require_gradients_of(module, parameters)


@contextlib.contextmanager
def _gradients() -> Iterator[None]:
    """Gradients, also where Lightning validates."""
    if torch.is_inference_mode_enabled():
        with torch.inference_mode(False), torch.enable_grad():
            yield
    else:
        with torch.enable_grad():
            yield


def _usable(part: Any) -> Any:
    return part.clone() if isinstance(part, torch.Tensor) and part.is_inference() else part


def _processes(module: Any) -> Any:
    """The processes that average the gradients of a module; None for one."""
    trainer = getattr(module, "_trainer", None)
    if trainer is None or trainer.world_size == 1 or not torch.distributed.is_initialized():
        return None
    return torch.distributed.group.WORLD


class StreamDataModule(LightningDataModule):
    """Streams for training, validation and test; each epoch has the order that `Stream` gives it, and ranks share it.

    A checkpoint of Lightning keeps the place of the training stream.

    Args:
        path: a dataset, as of `Stream`.
        masks: its masks.
        batch_size: the number of samples in a batch, of each process.
        split: the split that is trained on; None as of `Stream`.
        validation, test: the splits that are measured on; None for none.
        options: of `Stream`, for training.
    """

    def __init__(
        self, path: PathList, masks: PathList | None = None, *, batch_size: int, split: str | None = None,
        validation: str | None = None, test: str | None = None, **options: Any,
    ) -> None:
        super().__init__()
        self._path, self._masks, self._batch_size = path, masks, batch_size
        self._validation, self._test = validation, test
        self._split, self._options = split, options
        self._training: Stream | None = None
        self._state: Mapping[str, Any] | None = None

    def train_dataloader(self) -> Stream:
        """The training stream, which is one throughout: an iteration is the next epoch."""
        if self._training is None:
            self._training = Stream(
                self._path, self._masks, batch_size=self._batch_size, split=self._split, arrays="torch", **self._options)
            if self._state is not None:
                self._training.load_state_dict(self._state)
        return self._training

    def val_dataloader(self) -> Any:
        """The stream of the validation split, in order; nothing where there is none."""
        return self._measured(self._validation)

    def test_dataloader(self) -> Any:
        """The same of the test split."""
        return self._measured(self._test)

    def _measured(self, split: Any) -> Any:
        if split is None:
            return []
        kept = {name: value for name, value in self._options.items() if name in ("jobs", "memory", "resize_crop", "dtype")}
        return Stream(
            self._path, self._masks, batch_size=self._batch_size, split=split, shuffle=False, arrays="torch", **kept)

    def state_dict(self) -> dict[str, Any]:
        """The place of the training stream."""
        return {} if self._training is None else {"stream": self._training.state_dict()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes on from a place."""
        self._state = state_dict.get("stream")
        self._training = None

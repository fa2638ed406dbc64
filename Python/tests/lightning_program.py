"""Trains in Lightning or in a plain loop, from the same weights; run by test_lightning.py, by itself or under torchrun.

    python lightning_program.py WAY DATASET MASKS OUTPUT [PROCESSES]
"""

import logging
import sys
import warnings

import lightning
import torch
from torch import nn

import rrdata
from rrdata.lightning import ExplanationMixin, StreamDataModule
from rrdata.torch import explanation_loss

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
EPOCHS, SIZE, LAMBDA1 = 2, 12, 50.0


def network():
    torch.manual_seed(4)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 12), nn.ReLU(), nn.Linear(12, 10))


def adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-2)


class Classifier(ExplanationMixin, lightning.LightningModule):
    explanation = {"lambda1": LAMBDA1}

    def __init__(self):
        super().__init__()
        self.network = network()

    def forward(self, images):
        return self.network(images)

    def on_after_batch_transfer(self, batch, dataloader_idx):
        return batch._replace(images=batch.images.double())

    def configure_optimizers(self):
        return adam(self.parameters())


class Manual(Classifier):
    def __init__(self, clip_norm=None):
        super().__init__()
        self.automatic_optimization, self.clip_norm = False, clip_norm


class OwnBackward(Classifier):
    """loss.backward() in training_step, nothing returned."""

    def training_step(self, batch, batch_idx):
        self.explained(batch).loss.backward()


class TwoBackwards(Classifier):
    """loss.backward() in training_step, and the loss returned."""

    def training_step(self, batch, batch_idx):
        loss = self.explained(batch).loss
        loss.backward()
        return loss


class ByNumber(Classifier):
    """Batches without masks, which the number of the batch would look up."""

    def training_step(self, batch, batch_idx):
        return self.explained(batch[:2]).loss


class SharedStep(Classifier):
    """One function for training and validation."""

    def step(self, batch, kind):
        outcome = self.explained(batch)
        self.log(kind, outcome.value)
        return outcome.loss

    def training_step(self, batch, batch_idx):
        return self.step(batch, "training")

    def validation_step(self, batch, batch_idx):
        return self.step(batch, "validation")


class ZeroBefore(Manual):
    """zero_grad between backward and step."""

    def training_step(self, batch, batch_idx):
        optimizer = self.optimizers()
        self.manual_backward(self.explained(batch).loss)
        optimizer.zero_grad()
        optimizer.step()


class LateZero(Manual):
    """zero_grad only after the step: what a validation adds to gradients would meet the next step."""

    def training_step(self, batch, batch_idx):
        optimizer = self.optimizers()
        self.manual_backward(self.explained(batch).loss)
        optimizer.step()
        optimizer.zero_grad()


WAYS = {
    "automatic": Classifier, "clipped": Classifier, "manual": Manual,
    "manual-clipped": lambda: Manual(0.05), "shared": SharedStep, "late-zero": LateZero, "own-backward": OwnBackward, "two-backwards": TwoBackwards, "no-inference": SharedStep,
    "by-number": ByNumber, "zero-before": ZeroBefore, "processes": Classifier,
}


def by_loop(path, masks, clip, processes):
    model = network()
    optimizer = adam(model.parameters())
    stream = rrdata.Stream(path, masks, batch_size=SIZE * processes, arrays="torch", seed=5)
    for _ in range(EPOCHS):
        for images, labels, _, marks, _ in stream:
            loss = explanation_loss(model, images.double(), labels, marks, LAMBDA1).loss
            optimizer.zero_grad()
            loss.backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
    return model


def by_lightning(way, path, masks, processes):
    module = WAYS[way]()
    trainer = lightning.Trainer(
        max_epochs=EPOCHS, accelerator="cpu", devices=processes, strategy="ddp" if processes > 1 else "auto", logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        gradient_clip_val=0.05 if way == "clipped" else None, inference_mode=way != "no-inference")
    data = StreamDataModule(path, masks, batch_size=SIZE, seed=5, validation="test", test="test")
    trainer.fit(module, data)
    if way != "processes":
        trainer.validate(module, data, verbose=False)
        trainer.test(module, data, verbose=False)
    return module.network


def main():
    way, path, masks, output = sys.argv[1:5]
    processes = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    if way.startswith("loop"):
        model = by_loop(path, masks, 0.05 if way == "loop-clipped" else None, processes)
    else:
        model = by_lightning(way, path, masks, processes)
    if not torch.distributed.is_initialized() or torch.distributed.get_rank() == 0:
        torch.save(model.state_dict(), output)


main()

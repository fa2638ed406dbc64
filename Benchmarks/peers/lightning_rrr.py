"""PyTorch's side of `Benchmarks/experiments/lightning_loops.py`: the explanation loss in a plain loop, and in PyTorch
Lightning as people write it first, and as it is right.

    python lightning_rrr.py WAY FOLDER LAMBDA1 MASKS.h5

FOLDER has decoy.h5, the weights to start from (init.safetensors) and the samples of each step (order.npz). Everything is in
double precision. Writes FOLDER/WAY.safetensors, and prints JSON: the terms of each step's loss, and how many steps moved
the weights.
"""

import contextlib
import json
import logging
import pathlib
import sys
import warnings

import h5py
import lightning
import numpy
import safetensors.torch
import torch
from torch import nn
from torch.nn import functional

# A step of this network is too short for two threads.
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Samples:
    """The training and test samples, and the order in which the steps of each epoch take them."""

    def __init__(self, folder, masks):
        with h5py.File(folder / "decoy.h5") as file, h5py.File(masks) as marks:
            self.images = torch.from_numpy(file["images"][:])
            self.labels = torch.from_numpy(file["labels"][:])
            self.masks, self.rows = torch.from_numpy(marks["A"][:]), torch.from_numpy(marks["row"][:])
            names = [name if isinstance(name, str) else name.decode() for name in file["split"].attrs["split_names"]]
            self.training, self.test = (
                numpy.flatnonzero(file["split"][:] == names.index(name)) for name in ("train", "test"))
        steps = numpy.load(folder / "order.npz")
        self.epochs = [[steps[name] for name in steps.files if name.startswith(f"{epoch} ")]
                       for epoch in range(1 + max(int(name.split()[0]) for name in steps.files))]

    def batch(self, index):
        index = torch.from_numpy(index)
        # As rrdata and everybody else: pixels become single-precision numbers first.
        images = self.images[index].float().div(255).double()
        return images, self.labels[index], self.masks[self.rows[index]].double()


def network(folder):
    layers = nn.Sequential(nn.Flatten(), nn.Linear(784, 50), nn.ReLU(), nn.Linear(50, 30), nn.ReLU(), nn.Linear(30, 10))
    layers.load_state_dict(safetensors.torch.load_file(folder / "init.safetensors"))
    return layers


def adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-3, weight_decay=1e-4)


def terms(layers, images, labels, masks):
    """The cross-entropy and the penalty, which can be differentiated once more."""
    images = images.clone().requires_grad_()
    logits = layers(images)
    gradient, = torch.autograd.grad(functional.log_softmax(logits, 1).sum(), images, create_graph=True)
    return functional.cross_entropy(logits, labels), (masks * gradient).square().sum() / len(images)


class Right(lightning.LightningModule):
    """Lightning with what the loss needs: gradients in validation too."""

    inference_mode = False

    def __init__(self, layers, samples, lambda1):
        super().__init__()
        self.layers, self.samples, self.lambda1 = layers, samples, lambda1
        self.steps, self.moved, self.before = [], 0, None

    def configure_optimizers(self):
        return adam(self.parameters())

    def loaders(self, order):
        batches = [self.samples.batch(index) for index in order]
        return torch.utils.data.DataLoader(batches, batch_size=None, shuffle=False)

    def train_dataloader(self):
        return self.loaders(self.samples.epochs[self.current_epoch])

    def val_dataloader(self):
        return self.loaders(numpy.array_split(self.samples.test, 10))

    def terms(self, images, labels, masks):
        return terms(self.layers, images, labels, masks)

    def loss(self, batch):
        cross_entropy, penalty = self.terms(*batch)
        self.steps.append([cross_entropy.item(), penalty.item()])
        return cross_entropy + self.lambda1 * penalty

    def training_step(self, batch, number):
        return self.loss(batch)

    def validation_step(self, batch, number):
        with torch.enable_grad():
            self.log("validation", sum(self.terms(*batch)))

    def on_train_batch_start(self, *_):
        self.before = torch.cat([parameter.detach().flatten() for parameter in self.parameters()])

    def on_train_batch_end(self, *_):
        self.moved += int(not torch.equal(self.before, torch.cat([p.detach().flatten() for p in self.parameters()])))


class InferenceModeLeft(Right):
    """Right with the trainer's defaults: validation_step leaves inference mode by itself."""

    inference_mode = True

    def validation_step(self, batch, number):
        # The batch was made in inference mode: only a copy may have a gradient.
        with torch.inference_mode(False), torch.enable_grad():
            self.log("validation", sum(self.terms(*[tensor.clone() for tensor in batch])))


class SharedStep(Right):
    """One function for training and validation, the trainer's defaults."""

    inference_mode = True

    def validation_step(self, batch, number):
        self.log("validation", sum(self.terms(*batch)))


class EnableGradient(Right):
    """Gradients asked for in validation, the trainer's defaults: `fit` validates under no_grad, `validate` does not."""

    inference_mode = True


class NoInferenceMode(SharedStep):
    """The trainer's inference mode off, gradients not asked for."""

    inference_mode = False


class WithoutGraph(Right):
    """The input gradient without create_graph: the second backward pass finds its graph freed."""

    kept = False

    def terms(self, images, labels, masks):
        images = images.clone().requires_grad_()
        logits = self.layers(images)
        gradient, = torch.autograd.grad(
            functional.log_softmax(logits, 1).sum(), images, retain_graph=self.kept)
        return functional.cross_entropy(logits, labels), (masks * gradient).square().sum() / len(images)


class RetainedGraph(WithoutGraph):
    """The same with retain_graph, which the error's text proposes."""

    kept = True


class Backward(Right):
    """The input gradient by .backward() and images.grad, which also adds to the gradients of the weights."""

    def terms(self, images, labels, masks):
        images = images.clone().requires_grad_()
        logits = self.layers(images)
        functional.log_softmax(logits, 1).sum().backward(create_graph=True)
        return functional.cross_entropy(logits, labels), (masks * images.grad).square().sum() / len(images)


class ManualBackward(Backward):
    """The same in manual optimisation, in the order of its documentation: zero_grad, loss, backward, step."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.automatic_optimization = False

    def training_step(self, batch, number):
        optimizer = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(self.loss(batch))
        optimizer.step()


class ValidationBackward(ManualBackward):
    """The same, zero_grad only after the step: what validation adds to the gradients meets the next step."""

    def terms(self, images, labels, masks):
        return terms(self.layers, images, labels, masks) if self.trainer.training else super().terms(images, labels, masks)

    def training_step(self, batch, number):
        optimizer = self.optimizers()
        self.manual_backward(self.loss(batch))
        optimizer.step()
        optimizer.zero_grad()


class OwnBackward(Right):
    """loss.backward() in training_step, nothing returned, automatic optimisation."""

    def training_step(self, batch, number):
        self.loss(batch).backward()


class TwoBackwards(Right):
    """loss.backward() in training_step, and the loss returned."""

    def training_step(self, batch, number):
        loss = self.loss(batch)
        loss.backward()
        return loss


class BatchNumber(Right):
    """Masks looked up by the number of the batch, under a loader that shuffles."""

    def training_step(self, batch, number):
        images, labels, _ = batch
        first = number * len(self.samples.epochs[0][0])
        _, _, masks = self.samples.batch(self.samples.training[first:first + len(images)])
        return self.loss((images, labels, masks))


WAYS = {way.__name__: way for way in (
    Right, InferenceModeLeft, SharedStep, EnableGradient, NoInferenceMode, WithoutGraph, RetainedGraph, Backward,
    ManualBackward, ValidationBackward, OwnBackward, TwoBackwards, BatchNumber)}


def by_loop(layers, samples, lambda1):
    """What PyTorch's tutorials write."""
    optimizer, steps = adam(layers.parameters()), []
    for epoch in samples.epochs:
        for index in epoch:
            cross_entropy, penalty = terms(layers, *samples.batch(index))
            steps.append([cross_entropy.item(), penalty.item()])
            optimizer.zero_grad()
            (cross_entropy + lambda1 * penalty).backward()
            optimizer.step()
    return steps, len(steps), None


def by_lightning(way, layers, samples, lambda1):
    module = way(layers, samples, lambda1)
    trainer = lightning.Trainer(
        max_epochs=len(samples.epochs), accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, inference_mode=way.inference_mode,
        reload_dataloaders_every_n_epochs=1)
    with contextlib.redirect_stdout(sys.stderr):
        trainer.fit(module)
        try:
            trainer.validate(module, verbose=False)
            fault = None
        except RuntimeError as error:
            fault = first_line(error)
    return module.steps, module.moved, fault


def first_line(error):
    return str(error).strip().splitlines()[0]


def main():
    way, folder, lambda1, masks = sys.argv[1], pathlib.Path(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    samples, layers = Samples(folder, folder / masks), network(folder)
    try:
        if way == "loop":
            steps, moved, fault = by_loop(layers, samples, lambda1)
        else:
            steps, moved, fault = by_lightning(WAYS[way], layers, samples, lambda1)
    except RuntimeError as error:
        print(json.dumps({"error": first_line(error)}))
        return
    safetensors.torch.save_file(layers.state_dict(), folder / f"{way}.safetensors", metadata={"format": "pt"})
    images, labels, _ = samples.batch(samples.test)
    with torch.no_grad():
        accuracy = (layers(images).argmax(1) == labels).double().mean().item()
    print(json.dumps({"steps": steps, "moved": moved, "validate": fault, "accuracy": accuracy, "torch": torch.__version__,
                      "lightning": lightning.__version__}))


main()

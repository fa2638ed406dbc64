"""Loaders and trainers of others, which save where a stream is and go on from there."""

import warnings

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import rrdata  # noqa: E402


@pytest.mark.parametrize("read", [0, 3, 7, 8])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_stateful_loader_saves_and_goes_on(files, workers, read):
    loaders = pytest.importorskip("torchdata.stateful_dataloader", reason="torchdata is not installed")

    def loader(epoch=0):
        stream = rrdata.Stream(**files, batch_size=16)
        stream.set_epoch(epoch)
        return loaders.StatefulDataLoader(stream, batch_size=None, num_workers=workers)

    epochs = [[index.tolist() for _, _, index, _, _ in loader(epoch)] for epoch in range(2)]
    begun = loader()
    batches = iter(begun)
    seen = [next(batches)[2].tolist() for _ in range(read)]
    resumed = loader()
    resumed.load_state_dict(begun.state_dict())
    rest = [index.tolist() for _, _, index, _, _ in resumed]
    # After the last batch of an epoch the next one follows; workers end theirs together first.
    assert seen + rest == epochs[0] + (epochs[1] if read == len(epochs[0]) and workers == 0 else [])


@pytest.fixture
def lightning():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("lightning", reason="Lightning is not installed")


def trained(lightning, stream, folder, batches, resumed=None):
    """The rows of the batches of a training, which saves itself after each."""

    class Model(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(784, 10)
            self.seen = []

        def training_step(self, batch, number):
            self.seen.append(batch.index.tolist())
            return torch.nn.functional.cross_entropy(self.layer(batch.images.flatten(1)), batch.labels)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    saving = lightning.pytorch.callbacks.ModelCheckpoint(folder, "{step}", every_n_train_steps=1, save_top_k=-1)
    trainer = lightning.Trainer(
        max_steps=batches, max_epochs=-1, logger=False, callbacks=[saving], enable_progress_bar=False,
        enable_model_summary=False, accelerator="cpu")
    model = Model()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(model, stream, ckpt_path=resumed)
    return model.seen


@pytest.mark.parametrize("has_loader", [False, True])
def test_lightning_saves_and_goes_on(files, tmp_path, lightning, has_loader):
    def data():
        stream = rrdata.Stream(**files, batch_size=16, arrays="torch")
        if not has_loader:
            return stream
        loaders = pytest.importorskip("torchdata.stateful_dataloader", reason="torchdata is not installed")
        return loaders.StatefulDataLoader(stream, batch_size=None)

    # Two epochs of eight batches.
    expected = rrdata.Stream(**files, batch_size=16)
    whole = [batch.index.tolist() for _ in range(2) for batch in expected]
    assert trained(lightning, data(), tmp_path, 16) == whole
    for read in [3, 8, 11]:
        assert trained(lightning, data(), tmp_path / "again", 16, tmp_path / f"step={read}.ckpt") == whole[read:]

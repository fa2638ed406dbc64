"""With PyTorch, where it is installed."""

import multiprocessing

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch.utils.data import DataLoader  # noqa: E402

import rrdata  # noqa: E402


def test_tensors_are_those_arrays(files):
    arrays = rrdata.Stream(**files, batch_size=32)
    tensors = rrdata.Stream(**files, batch_size=32, arrays="torch")
    for one, other in zip(arrays, tensors, strict=True):
        assert all(isinstance(tensor, torch.Tensor) for tensor in other)
        assert all(np.array_equal(array, tensor.numpy()) for array, tensor in zip(one, other))
        other.images.mul_(0)


def test_tensors_are_pinned_where_there_is_a_device(files):
    stream = rrdata.Stream(**files, batch_size=32, arrays="torch", pin_memory=True)
    if torch.accelerator.is_available():
        assert all(tensor.is_pinned() for tensor in next(iter(stream)))
    else:
        with pytest.warns(RuntimeWarning, match="no accelerator"):
            batch = next(iter(stream))
        assert not any(tensor.is_pinned() for tensor in batch)


@pytest.mark.parametrize("workers,method", [(0, None), (1, "fork"), (2, "fork"), (3, "spawn"), (2, "forkserver")])
def test_a_loader_gives_every_sample_once(files, workers, method):
    stream = rrdata.Stream(**files, batch_size=16)
    loader = DataLoader(
        stream, batch_size=None, num_workers=workers, multiprocessing_context=method)
    rows = torch.cat([index for _, _, index, _, _ in loader])
    assert sorted(rows[rows >= 0].tolist()) == sorted(rrdata.Dataset(**files, split="train").rows.tolist())


def test_workers_begin_with_the_epoch_that_is_set(files):
    stream = rrdata.Stream(**files, batch_size=16)
    epochs = [[batch.index.tolist() for batch in stream] for _ in range(2)]
    assert epochs[0] != epochs[1]
    loader = DataLoader(stream, batch_size=None, num_workers=1)
    for epoch in [1, 0]:
        stream.set_epoch(epoch)
        assert [index.tolist() for _, _, index, _, _ in loader] == epochs[epoch]


@pytest.mark.parametrize("workers,method", [(0, None), (2, "fork"), (2, "spawn")])
def test_a_dataset_serves_a_loader(files, workers, method):
    dataset = rrdata.Dataset(**files)
    loader = DataLoader(
        dataset, batch_size=50, shuffle=True, num_workers=workers, multiprocessing_context=method)
    seen = []
    for images, labels, index, masks in loader:
        assert images.shape[1:] == (1, 28, 28) and masks.dtype == torch.uint8
        assert torch.equal(images, torch.from_numpy(dataset.images(index.numpy())))
        assert np.array_equal(labels.numpy(), dataset.labels[index.numpy()])
        seen += index.tolist()
    assert sorted(seen) == list(range(180))


def rank_of_gloo(rank, world, path, masks, store, queue):
    torch.distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=world)
    queue.put([batch.index.tolist() for batch in rrdata.Stream(path, masks, batch_size=16)])
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("world", [2, 3])
def test_ranks_of_a_process_group_share_the_samples(files, tmp_path, world):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [
        context.Process(
            target=rank_of_gloo,
            args=(rank, world, str(files["path"]), str(files["masks"]), str(tmp_path / "store"), queue))
        for rank in range(world)]
    for process in processes:
        process.start()
    batches = [queue.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    assert len({len(own) for own in batches}) == 1
    rows = [row for own in batches for batch in own for row in batch if row >= 0]
    assert sorted(rows) == sorted(rrdata.Dataset(**files, split="train").rows.tolist())

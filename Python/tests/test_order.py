"""The order of a stream is that of the command, byte for byte."""

import io
import json
import random
import subprocess

import numpy as np
import pytest

import rrdata
from rrdata import _library


def drawn_options(seed: int) -> dict:
    """Options of a stream that a seed draws."""
    draw = random.Random(seed)
    options = {"batch_size": draw.choice([1, 7, 32, 64, 500]), "epochs": draw.randint(1, 3), "seed": draw.getrandbits(64)}
    options["shuffle"] = draw.random() < 0.8
    options["split"] = draw.choice([None, "all", "train", "test"])
    options["drop_last"] = draw.random() < 0.3
    options["jobs"] = draw.choice([1, 2, 5])
    if draw.random() < 0.5:
        options["world"] = draw.randint(1, 4)
        options["rank"] = draw.randrange(options["world"])
    if options["shuffle"]:
        options |= draw.choice([{}, {"balance": "equal"}, {"annotated_fraction": 0.25}])
    if draw.random() < 0.3:
        options["augment"] = draw.choice(["hflip", "crop:4,vflip", "cutout:5,brightness:0.2"])
    elif draw.random() < 0.3:
        options["dtype"] = "stored"
    if "dtype" not in options and draw.random() < 0.2:
        options["resize_crop"] = draw.choice(["32:24", "20:16x18"])
    return {name: value for name, value in options.items() if value is not None}


def pipe(files: dict, options: dict, *words: object) -> list[tuple]:
    """What the command writes for the same options."""
    line = [_library.command_path(), "stream", files["path"], "--format", "npy", *words]
    if "masks" in files:
        line += ["--masks", files["masks"]]
    for name, value in options.items():
        if name == "dtype":
            line.append("--raw")
        elif value is True:
            line.append("--" + name.replace("_", "-"))
        elif value is not False:
            line += ["--" + name.replace("_", "-"), str(value)]
    output = io.BytesIO(subprocess.run(line, check=True, capture_output=True).stdout)
    batches = []
    while output.tell() < len(output.getbuffer()):
        batches.append(tuple(np.load(output) for _ in range(4)))
    return batches


def is_same(batch: rrdata.Batch, arrays: tuple) -> bool:
    return all(one.dtype == other.dtype and np.array_equal(one, other) for one, other in zip(batch, arrays, strict=False))


def is_stream(batches: list, expected: list) -> bool:
    return len(batches) == len(expected) and all(map(is_same, batches, expected))


def files_of(files: dict, seed: int, options: dict) -> dict:
    """The files of a combination, of which every fifth has no masks."""
    return {"path": files["path"]} if seed % 5 == 4 and "annotated_fraction" not in options else files


def test_stream_is_that_of_the_command(files, combination):
    options = drawn_options(combination)
    files = files_of(files, combination, options)
    expected = pipe(files, options)
    stream = rrdata.Stream(**files, **options)
    batches = list(stream)
    assert is_stream(batches, expected)
    assert len(batches) == len(stream) and (batches or options["drop_last"])
    for batch in batches:
        assert batch.annotated.dtype == bool
        assert np.array_equal(batch.annotated, batch.masks.any((1, 2, 3)))


def test_a_resumed_stream_is_that_of_the_command(files, resumed_combination, tmp_path):
    """Some batches on one number of ranks, and the rest on another."""
    options, draw = drawn_options(resumed_combination), random.Random(-resumed_combination)
    options = {name: value for name, value in options.items() if name not in ("rank", "world")}
    files = files_of(files, resumed_combination, options)
    first, second = (draw.randint(1, 4) for _ in range(2))
    ranks = [rrdata.Stream(**files, **options, rank=rank, world=first) for rank in range(first)]
    iterations, read = [iter(stream) for stream in ranks], draw.randint(0, len(ranks[0]))
    for rank, iteration in enumerate(iterations):
        seen = [next(iteration) for _ in range(read)]
        assert is_stream(seen, pipe(files, options | {"rank": rank, "world": first})[:read])
    state = draw.choice(ranks).state_dict()
    assert all(stream.state_dict() == state for stream in ranks)
    for rank in range(second):
        share = {"rank": rank, "world": second}
        stream = rrdata.Stream(**files, **options, **share)
        stream.load_state_dict(json.loads(json.dumps(state)))
        cursor = tmp_path / f"{rank}.json"
        cursor.write_text(json.dumps(state["cursor"]))
        assert is_stream(list(stream), pipe(files, options | share, "--cursor", cursor))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_give_the_batches_of_the_command(files, method, worker_combination):
    """Each worker of a loader is a rank of its own, whose batches come in turn."""
    data = pytest.importorskip("torch.utils.data", reason="PyTorch is not installed")
    options, draw = drawn_options(worker_combination), random.Random(-worker_combination)
    options |= {"batch_size": draw.choice([7, 32, 64])}
    files, workers = files_of(files, worker_combination, options), draw.randint(1, 3)
    rank, world = options.get("rank", 0), options.get("world", 1)
    shares = [
        pipe(files, options | {"rank": rank * workers + worker, "world": world * workers}) for worker in range(workers)]
    loader = data.DataLoader(
        rrdata.Stream(**files, **options), batch_size=None, num_workers=workers, multiprocessing_context=method)
    batches = [rrdata.Batch(*(tensor.numpy() for tensor in batch)) for batch in loader]
    assert is_stream(batches, [batch for step in zip(*shares, strict=True) for batch in step])


def test_epochs_follow_one_another(files):
    expected = pipe(files, {"batch_size": 50, "shuffle": True, "epochs": 3})
    stream = rrdata.Stream(**files, batch_size=50)
    batches = [batch for _ in range(3) for batch in stream]
    assert len(batches) == len(expected) == 9
    assert all(map(is_same, batches, expected))
    # One that is left goes on with the next epoch.
    stream.set_epoch(0)
    next(iter(stream))
    assert all(map(is_same, stream, expected[3:6]))
    stream.set_epoch(2)
    assert all(map(is_same, stream, expected[6:]))


@pytest.mark.parametrize("read", range(0, 9, 2))
@pytest.mark.parametrize("worlds", [(1, 1), (1, 3), (2, 1), (3, 2)])
def test_a_state_goes_on_to_the_batch_with_other_ranks(files, read, worlds):
    def streams(world):
        return [
            rrdata.Stream(**files, batch_size=6 // world, epochs=2, rank=rank, world=world) for rank in range(world)]

    def rows(batches):
        return [row for step in zip(*batches) for row in np.stack([batch.index for batch in step], 1).ravel().tolist()]

    first, second = worlds
    # Batches of all ranks together are as large as those of one.
    whole = [row for batch in rrdata.Stream(**files, batch_size=6, epochs=2) for row in batch.index.tolist()]
    begun = streams(first)
    iterations = [iter(stream) for stream in begun]
    seen = rows([[next(iteration) for _ in range(read)] for iteration in iterations])
    state = begun[0].state_dict()
    if first != second:
        # The size of a rank's batch is part of a cursor.
        state["cursor"]["options"]["batch_size"] = 6 // second
    resumed = streams(second)
    for stream in resumed:
        stream.load_state_dict(state)
    assert seen + rows([list(stream) for stream in resumed]) == whole


def test_a_cursor_of_the_command_serves(files, tmp_path):
    cursor = tmp_path / "c.json"
    line = [
        _library.command_path(), "stream", files["path"], "--batch-size", "50", "--shuffle", "--epochs", "2", "--cursor", cursor,
        "--format", "null"]
    subprocess.run(line, check=True, capture_output=True)
    stream = rrdata.Stream(files["path"], batch_size=50, epochs=2)
    stream.load_state_dict({"cursor": json.loads(cursor.read_text())})
    assert list(stream) == []
    # Another iteration begins anew.
    assert sum(len(batch.index) for batch in stream) == 240


def test_another_seed_or_dataset_is_refused(files, data):
    state = rrdata.Stream(**files, batch_size=50).state_dict()
    with pytest.raises(rrdata.UsageError, match="seed"):
        rrdata.Stream(**files, batch_size=50, seed=1).load_state_dict(state)
    with pytest.raises(rrdata.DataError, match="another dataset"):
        rrdata.Stream(data / "images.h5", batch_size=50).load_state_dict(state)


def test_ranks_come_from_the_environment(files, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "3")
    given = rrdata.Stream(**files, batch_size=7, rank=1, world=3)
    assert [batch.index.tolist() for batch in rrdata.Stream(**files, batch_size=7)] == [
        batch.index.tolist() for batch in given]

"""Samples by their numbers, in this process and in others."""

import multiprocessing
import os
import pickle

import numpy as np
import pytest

import rrdata


def test_items(files):
    dataset = rrdata.Dataset(**files)
    assert len(dataset) == 180
    assert dataset.image_shape == (1, 28, 28) and dataset.dtype == np.float32
    assert dataset.split_names == ["test", "train"] or dataset.split_names == ["train", "test"]
    assert len(dataset.class_names) == 10 and len(dataset.ids) == 180
    image, label, index, mask = dataset[-1]
    assert (index, label) == (179, dataset.labels[179])
    assert np.array_equal(image, dataset.images([179])[0]) and np.array_equal(mask, dataset.masks([179])[0])
    assert mask.sum() == 16


def test_a_split_has_its_own_numbers(files):
    every, test = rrdata.Dataset(**files), rrdata.Dataset(**files, split="test")
    assert len(test) == 60
    assert np.array_equal(test.images([5, 2, 5]), every.images(test.rows[[5, 2, 5]]))
    assert test[5][2] == test.rows[5]
    assert [test.ids[5], test.labels[5]] == [every.ids[test.rows[5]], every.labels[test.rows[5]]]
    with pytest.raises(rrdata.UsageError, match="train"):
        rrdata.Dataset(**files, split="dev")


def test_many_at_once_are_those_one_by_one(files):
    dataset = rrdata.Dataset(**files)
    numbers = [7, 3, 179, 3, 0]
    for item, number in zip(dataset.__getitems__(numbers), numbers):
        for one, other in zip(item, dataset[number]):
            assert np.array_equal(one, other)
    batch = dataset.gather(np.array(numbers))
    assert batch.index.tolist() == numbers
    assert batch.annotated.tolist() == [number % 3 != 0 for number in numbers]
    assert len(dataset.gather([]).index) == 0


def test_stored_images_are_those_of_the_file(files):
    stored = rrdata.Dataset(**files, dtype="stored")
    assert stored.dtype == np.uint8
    assert np.array_equal(stored.images([1, 2]).astype(np.float32) / 255, rrdata.Dataset(**files).images([1, 2]))


@pytest.mark.parametrize("number", [180, -181])
def test_a_number_out_of_range_is_an_index_error(files, number):
    with pytest.raises(IndexError, match="0 to 179") as caught:
        rrdata.Dataset(**files)[number]
    assert isinstance(caught.value, rrdata.DataError) and caught.value.code == "index-out-of-range"
    with pytest.raises(TypeError):
        rrdata.Dataset(**files).images([0.5])


def other_process(dataset, stream, images):
    """Whether all is the same in another process."""
    rows = [batch.index.tolist() for batch in stream]
    return np.array_equal(dataset.images([4, 1]), images) and dataset.masks([4]).sum() == 16, rows, os.getpid()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_other_processes_open_the_files_again(files, method):
    dataset, stream = rrdata.Dataset(**files), rrdata.Stream(**files, batch_size=16)
    rows = [batch.index.tolist() for batch in stream]
    stream.set_epoch(0)
    with multiprocessing.get_context(method).Pool(2) as pool:
        outcomes = [
            pool.apply_async(other_process, (dataset, stream, dataset.images([4, 1]))) for _ in range(4)]
        for is_same, others, process in [outcome.get(120) for outcome in outcomes]:
            assert is_same and others == rows and process != os.getpid()
    # The copies have closed nothing that is this process's.
    assert dataset[0][2] == 0 and len(list(stream)) == len(rows)


def test_a_fork_opens_its_own_handles(files):
    dataset, batches = rrdata.Dataset(**files), iter(rrdata.Stream(**files, batch_size=16))
    dataset[0], next(batches)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=lambda: queue.put(int(dataset[3][2]) * 1000 + len(next(batches).index)))
    process.start()
    assert queue.get(timeout=60) == 3016
    process.join()
    assert process.exitcode == 0
    assert len(next(batches).index) == 16


def test_folders_are_read_as_the_options_say(data):
    dataset = rrdata.Dataset(data / "images", size=(14, 20), fit="pad", background="FFFFFF", split="train")
    assert dataset.image_shape == (1, 14, 20) and len(dataset) == 120
    assert dataset.images([0])[0, 0, 0, 0] == 1
    imported = rrdata.Dataset(data / "images.h5")
    assert np.array_equal(rrdata.Dataset(data / "images").images(range(9)), imported.images(range(9)))
    assert rrdata.Dataset(data / "images").fingerprint == imported.fingerprint


def test_errors_are_those_that_python_users_expect(files, data, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        rrdata.Dataset(tmp_path / "missing.h5")
    assert isinstance(caught.value, rrdata.Error) and caught.value.code == "not-found"
    with pytest.raises(ValueError, match="made for another dataset"):
        rrdata.Dataset(data / "images.h5", masks=files["masks"])
    with pytest.raises(ValueError, match="batch size is 0"):
        len(rrdata.Stream(**files, batch_size=0))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is type(caught.value) and str(copy) == str(caught.value) and copy.code == "not-found"
    # As PyTorch's loaders raise again what a worker met.
    assert str(rrdata.DataError("x")) == "x"

"""Nothing grows, however long it goes on: a short form here; with ``--long`` a million batches and 500 openings."""

import gc
import os
import pathlib
import subprocess
import sys
import time

import pytest

import rrdata


def memory() -> int:
    """The bytes of this process in memory."""
    gc.collect()
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def tasks() -> int:
    return len(os.listdir("/proc/self/task"))


def children() -> int:
    return len(pathlib.Path("/proc/self/task", str(os.getpid()), "children").read_text().split())


def settles(count, most: int) -> bool:
    """Whether a number comes down to another in time: threads of a stream that is closed end a moment later."""
    end = time.monotonic() + 20
    while count() > most and time.monotonic() < end:
        time.sleep(0.01)
    return count() <= most


@pytest.mark.parametrize("arrays", ["numpy", "torch"])
def test_batches_without_end_take_no_memory(files, arrays, is_long):
    if arrays == "torch":
        pytest.importorskip("torch", reason="PyTorch is not installed")
    wanted, count = 500_000 if is_long else 20_000, 0
    stream = rrdata.Stream(**files, batch_size=3, arrays=arrays, epochs=10**9)
    before: tuple[int, int, int] | None = None
    for images, labels, index, masks, annotated in stream:
        assert len(index) == 3
        count += 1
        if count == wanted // 5:
            before = memory(), descriptors(), tasks()
        if count == wanted:
            break
    assert before is not None
    held, open_before, tasks_before = before
    assert memory() - held < 4 << 20
    assert (descriptors(), tasks()) == (open_before, tasks_before)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_openings_without_end_leave_nothing_open(data, files, kind, is_long):
    given = files if kind == "file" else {"path": data / "images"}
    count = 500 if is_long else 25
    for number in range(count + 5):
        if number == 5:
            held, before = memory(), (descriptors(), tasks(), children())
        dataset = rrdata.Dataset(**given)
        stream = rrdata.Stream(**given, batch_size=8)
        batches = iter(stream)
        # Left in the middle, at the end, and before the beginning.
        for _ in range([3, 10**6, 0][number % 3]):
            if next(batches, None) is None:
                break
        dataset[number % len(dataset)]
        del dataset, stream, batches
    for now, most in zip((descriptors, tasks, children), before):
        assert settles(now, most)
    # What the system's allocator keeps of threads that ended.
    assert memory() - held < 24 << 20


def test_a_refused_opening_leaves_nothing_open(files, tmp_path, is_long):
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(pathlib.Path(files["path"]).read_bytes()[:3000])
    for number in range(500 if is_long else 25):
        if number == 5:
            before = descriptors(), children()
        for path, masks in [(damaged, None), (files["path"], files["path"]), (tmp_path / "missing.h5", None)]:
            with pytest.raises(rrdata.Error):
                rrdata.Dataset(path, masks)
    assert settles(descriptors, before[0]) and settles(children, before[1])


@pytest.mark.parametrize("cut", ["images", "everything", "masks", "removed", "folder"])
def test_files_that_change_under_the_stream_never_end_the_process(data, files, tmp_path, cut, is_long):
    """What is cut is an error, or was read before; the process lives on and says so."""
    program = pathlib.Path(__file__).resolve().parent / "programs" / "cut.py"
    for seed in range(40 if is_long else 4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        outcome = subprocess.run(
            [sys.executable, program, cut, str(seed), folder, data], capture_output=True, text=True, timeout=120)
        assert outcome.returncode == 0, (seed, outcome.stderr[-2000:])
        assert outcome.stdout.splitlines()[-1] == "lives"

"""Batches are each their own, and what fails is an exception, never the end of the process."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import rrdata


@pytest.mark.parametrize("dtype", ["float32", "stored"])
def test_batches_are_fresh_and_writable(files, dtype):
    once = [np.copy(array) for batch in rrdata.Stream(**files, batch_size=16, dtype=dtype) for array in batch]
    kept = []
    for batch in rrdata.Stream(**files, batch_size=16, dtype=dtype):
        kept.append([np.copy(array) for array in batch])
        for array in batch:
            assert array.flags.writeable and array.flags.c_contiguous
            array[...] = 77
    assert all(np.array_equal(one, other) for one, other in zip(once, (array for batch in kept for array in batch)))
    # All at once, as they were.
    batches = list(rrdata.Stream(**files, batch_size=16, dtype=dtype))
    assert all(np.array_equal(one, other) for one, other in zip(once, (array for batch in batches for array in batch)))


def test_masks_of_a_stream_without_stay_zero(files, tmp_path):
    # Of a megabyte and more too, which are made another way.
    rrdata.write_dataset(np.zeros((12, 3, 240, 256), np.uint8), None, tmp_path / "large.h5")
    for path in [files["path"], tmp_path / "large.h5"]:
        for batch in rrdata.Stream(path, batch_size=6, epochs=3):
            assert batch.masks.shape == batch.images.shape and batch.masks.dtype == np.uint8
            assert not batch.masks.any()
            batch.masks[...] = 1


def test_an_array_outlives_its_stream(files):
    images = next(iter(rrdata.Stream(**files, batch_size=16, shuffle=False))).images
    part = images[3, 0, 5:9]
    del images
    assert np.array_equal(part, rrdata.Dataset(**files, split="train").images([3])[0, 0, 5:9])


def test_a_dataset_cut_short_under_the_stream_raises(files, tmp_path):
    shutil.copy(files["path"], tmp_path / "d.h5")
    batches = iter(rrdata.Stream(tmp_path / "d.h5", batch_size=1, split="all", memory=2 * 4096, epochs=10**6))
    next(batches)
    os.truncate(tmp_path / "d.h5", 5000)
    with pytest.raises((rrdata.ReadError, rrdata.DataError)) as caught:
        for _ in batches:
            pass
    assert caught.value.sample is not None and "sample" in str(caught.value)


READERS = ["lib/rrdata-hdf5-reader", "libexec/rrdata-hdf5-reader", "lib/rrdata", "bin/rrdata"]


@pytest.mark.parametrize("first", range(len(READERS) + 1))
def test_what_reads_hdf5_files_is_the_first_that_there_is(first, files, tmp_path):
    library = pathlib.Path(os.environ["RRDATA_LIBRARY"]).resolve()
    (tmp_path / "lib").mkdir()
    shutil.copy(library, tmp_path / "lib" / "librrdata.so.1")
    for number, place in enumerate(READERS):
        program = tmp_path / place
        program.parent.mkdir(exist_ok=True)
        if number == first:
            shutil.copy(library.parent / program.name, program)
        elif number > first:
            # Which nothing can be read by.
            shutil.copy("/bin/true", program)
    outcome = subprocess.run(
        [sys.executable, "-c", f"import rrdata; print(len(rrdata.Dataset({str(files['path'])!r})))"], capture_output=True,
        text=True, env=os.environ | {"RRDATA_LIBRARY": str(tmp_path / "lib" / "librrdata.so.1")})
    if first < len(READERS):
        assert outcome.stdout == "180\n", outcome.stderr
    else:
        assert outcome.returncode != 0 and "lib/rrdata-hdf5-reader" in outcome.stderr


def test_ctrl_c_ends_a_loop(files):
    program = f"""
        import rrdata, sys
        try:
            while True:
                for batch in rrdata.Stream({str(files['path'])!r}, batch_size=16):
                    print("x", flush=True)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    assert process.stdout.readline() == "x\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert "interrupted" in process.stdout.read()
    assert process.wait(10) == 0

"""What is made and judged by the command."""

import doctest
import importlib
import os
import pathlib
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import rrdata


def test_arrays_come_back(tmp_path):
    generator = np.random.default_rng(5)
    images = generator.integers(0, 256, (9, 8, 7, 3), np.uint8)
    names = ["bird", "cat", "dog"] * 3
    dataset = rrdata.write_dataset(images, names, tmp_path / "d.h5", layout="NHWC", compress="deflate")
    assert np.array_equal(rrdata.Dataset(tmp_path / "d.h5", dtype="stored").images(range(9)), images.transpose(0, 3, 1, 2))
    assert [dataset.class_names[label] for label in dataset.labels] == names
    masks = generator.random((9, 8, 7)) < 0.2
    masks[4] = False
    marked = rrdata.write_masks(masks, tmp_path / "m.h5", for_=tmp_path / "d.h5")
    assert np.array_equal(marked.masks(range(9)), np.repeat(masks[:, None], 3, 1))
    assert marked.gather(range(9)).annotated.tolist() == [number != 4 for number in range(9)]
    right = rrdata.write_masks(masks, tmp_path / "r.h5", for_=tmp_path / "d.h5", marks="right")
    assert np.array_equal(right.masks([0])[0, 0], ~masks[0]) and not right.masks([4]).any()
    with pytest.raises(rrdata.OutputError, match="exists"):
        rrdata.write_dataset(images, names, tmp_path / "d.h5", layout="NHWC")
    assert rrdata.write_dataset(images, None, tmp_path / "d.h5", layout="NHWC", force=True).labels is None


def test_validation_gives_what_it_finds(data, files):
    assert rrdata.validate(files["path"], files["masks"], deep=True) == []
    faults = rrdata.validate(data / "images.h5", files["masks"])
    assert [fault.code for fault in faults if fault.severity == "fault"] == ["other-dataset"]
    assert faults[0].remedy and "masks.h5" in faults[0].path
    with pytest.raises(FileNotFoundError):
        rrdata.validate(data / "missing.h5")


def test_failures_of_the_command_are_exceptions(data, tmp_path):
    with pytest.raises(rrdata.UsageError):
        rrdata.run("stream", data / "decoy.h5", batch_size=0, format="null")
    with pytest.raises(rrdata.InputNotFoundError, match="no such"):
        rrdata.import_hdf5(tmp_path / "missing.h5", tmp_path / "d.h5")


def test_a_run_is_read(files, tmp_path):
    rrdata.run(
        "train", files["path"], masks=files["masks"], lambda1=1, model="mlp", batch_size=32, epochs=2, output=tmp_path / "run")
    run = rrdata.Run(tmp_path / "run")
    assert run.metrics["epoch"].tolist() == [0, 1] and run.step_metrics["step"].tolist() == list(range(8))
    assert run.metrics["penalty"].dtype == np.float64 and (run.metrics["penalty"] > 0).all()
    assert run.config and run.model["layers"]
    weights = run.weights
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float32)}
    assert all(np.isfinite(array).all() for array in weights.values())
    with pytest.raises(FileNotFoundError):
        rrdata.Run(tmp_path)


@pytest.mark.parametrize("module", ["_dataset", "_stream", "_commands"])
def test_examples_of_the_documentation(module):
    outcome = doctest.testmod(importlib.import_module(f"rrdata.{module}"))
    assert outcome.attempted > 0 and outcome.failed == 0


def test_the_lines_of_the_readme_run(data):
    readme = pathlib.Path(__file__).resolve().parents[2] / "README.md"
    blocks = re.findall(r"```python\n(.*?)\n```", readme.read_text(), re.DOTALL)
    program = next(block for block in blocks if "import rrdata" in block)
    outcome = subprocess.run([sys.executable, "-c", program], cwd=data, capture_output=True, text=True, env=os.environ)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout


def test_the_command_of_the_wheel_waits_for_no_numpy():
    """It is started through the package, whose arrays it has no use for."""
    program = """
        import sys, rrdata, rrdata._command
        assert "numpy" not in sys.modules
        rrdata.DataError
        assert "numpy" not in sys.modules and "Stream" in dir(rrdata)
        rrdata.Stream, rrdata.Dataset, rrdata.write_masks
        assert "numpy" in sys.modules
        try:
            rrdata.Streams
        except AttributeError as error:
            print(error)
    """
    outcome = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, env=os.environ, check=True)
    assert outcome.stdout == "module 'rrdata' has no attribute 'Streams'\n"


def test_what_is_public_is_documented():
    for name in rrdata.__all__:
        thing = getattr(rrdata, name)
        assert isinstance(thing, str) or thing.__doc__, name
        for member, value in vars(thing).items() if isinstance(thing, type) else []:
            if not member.startswith("_") and (callable(value) or isinstance(value, property)):
                assert value.__doc__, f"{name}.{member}"

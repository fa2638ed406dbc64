"""The fine-tuning example at a small size: in one process and two, stopped and gone on with; the commands read its run."""

import importlib
import importlib.util
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
# It may be one that only `programs/example.py` can import.
if importlib.util.find_spec("torchvision") is None:
    pytest.skip("torchvision is not installed", allow_module_level=True)

import rrdata  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "Python" / "examples" / "finetune.py"
STARTER = ROOT / "Python" / "tests" / "programs" / "example.py"


@pytest.fixture(scope="module")
def photographs(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    rrdata.run("import", "images", data / "images", output=folder / "i.h5", size="32x32", fit="pad", color="rgb")
    rrdata.run("decoy", folder / "i.h5", output=folder / "d.h5", masks_output=folder / "m.h5", random_split="test", seed=3)
    return folder


def command(folder, output, *options, processes=1):
    launcher = [sys.executable]
    if processes > 1:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        launcher += ["-m", "torch.distributed.run", f"--nproc-per-node={processes}", f"--master-port={port}"]
    return [
        *launcher, str(STARTER), str(PROGRAM), str(folder / "d.h5"), "--masks", str(folder / "m.h5"), "--output", str(output),
        "--batch-size", str(20 // processes), *options]


def finetune(*arguments, **named):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    outcome = subprocess.run(command(*arguments, **named), capture_output=True, text=True, timeout=300, env=environment)
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout


def difference(one, other):
    one, other = rrdata.Run(one).weights, rrdata.Run(other).weights
    assert one.keys() == other.keys()
    return max(abs(one[name] - other[name]).max() for name in one)


@pytest.fixture(scope="module")
def by_one(photographs):
    output = photographs / "one"
    said = finetune(photographs, output, "--epochs", "2", "--lambda1", "2")
    assert said.startswith("test: accuracy")
    return output


def test_the_commands_read_the_run(photographs, by_one):
    assert rrdata.validate(photographs / "d.h5", photographs / "m.h5", by_one) == []
    told = json.loads(rrdata.run("evaluate", by_one, photographs / "d.h5", masks=photographs / "m.h5", json=True))
    assert told["samples"] == 60 and told["explanation"]["lambda1"] == 2
    assert "classes" in rrdata.run("info", by_one)
    run = rrdata.Run(by_one)
    assert len(run.step_metrics["step"]) == 12 and (run.step_metrics["penalty"] > 0).all()
    rrdata.run("make-masks", photographs / "d.h5", run=by_one, top_k=10, output=photographs / "seen.h5")


def test_two_processes_leave_the_run_of_one(photographs, by_one, tmp_path):
    finetune(photographs, tmp_path / "two", "--epochs", "2", "--lambda1", "2", processes=2)
    assert rrdata.validate(photographs / "d.h5", tmp_path / "two") == []
    # In single precision, after twelve steps of Adam.
    assert difference(by_one, tmp_path / "two") < 2e-3
    one, two = rrdata.Run(by_one).step_metrics, rrdata.Run(tmp_path / "two").step_metrics
    assert two["loss"][0] == pytest.approx(one["loss"][0], rel=1e-5)


def test_half_precision_is_where_it_does(photographs, by_one, tmp_path):
    finetune(photographs, tmp_path / "half", "--epochs", "1", "--lambda1", "2", "--amp")
    assert rrdata.validate(photographs / "d.h5", tmp_path / "half") == []
    one, half = rrdata.Run(by_one).step_metrics, rrdata.Run(tmp_path / "half").step_metrics
    for name in ["cross_entropy", "penalty"]:
        assert half[name][0] == pytest.approx(one[name][0], rel=0.05) and half[name][0] != one[name][0]
    # Parameters stay in single precision.
    assert {str(value.dtype) for value in rrdata.Run(tmp_path / "half").weights.values()} <= {"float32", "int64"}


def test_what_is_stopped_goes_on(photographs, by_one, tmp_path):
    output, options = tmp_path / "run", ("--epochs", "2", "--lambda1", "2", "--resume")
    process = subprocess.Popen(command(photographs, output, *options), env={**os.environ, "OMP_NUM_THREADS": "1"})
    checkpoint = tmp_path / "run.unfinished" / "checkpoint.pt"
    for _ in range(1200):
        if checkpoint.exists() or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert checkpoint.exists() and not output.exists()
    finetune(photographs, output, *options)
    assert difference(by_one, output) == 0
    assert rrdata.validate(output) == [] and not checkpoint.parent.exists()
    assert len(rrdata.Run(output).step_metrics["step"]) == 12
    with pytest.raises(AssertionError, match="there is something already"):
        finetune(photographs, output, "--epochs", "2")


def test_an_unfinished_run_is_not_written_over(photographs, tmp_path):
    from rrdata.torch import RunWriter

    dataset = rrdata.Dataset(photographs / "d.h5", masks=photographs / "m.h5")
    RunWriter(tmp_path / "run", dataset, "resnet18").save({"step": 1})
    with pytest.raises(rrdata.OutputError, match="unfinished"):
        RunWriter(tmp_path / "run", dataset, "resnet18")
    assert RunWriter(tmp_path / "run", dataset, "resnet18", resume=True).load() == {"step": 1}
    assert RunWriter(tmp_path / "run", dataset, "resnet18", force=True).load() is None
    with pytest.raises(rrdata.Error):
        RunWriter(tmp_path / "other", dataset, "resnet19")


def test_the_lines_of_the_readme_run(data):
    blocks = re.findall(r"```python\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    program = next(block for block in blocks if "rrdata.torch" in block)
    outcome = subprocess.run([sys.executable, "-c", program], cwd=data, capture_output=True, text=True, env=os.environ)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout


@pytest.mark.parametrize("module", ["rrdata.torch", "rrdata.lightning"])
def test_what_is_public_is_documented(module):
    if module == "rrdata.lightning":
        pytest.importorskip("lightning", reason="Lightning is not installed")
    module = importlib.import_module(module)
    assert module.__doc__
    for name in module.__all__:
        thing = getattr(module, name)
        assert thing.__doc__, name
        for member, value in vars(thing).items() if isinstance(thing, type) else []:
            if not member.startswith("_") and (callable(value) or isinstance(value, property)):
                assert value.__doc__, f"{name}.{member}"

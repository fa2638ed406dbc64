"""In Lightning the loss takes the steps of a plain loop; what goes wrong without a word elsewhere is refused."""

import os
import pathlib
import socket
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("lightning", reason="Lightning is not installed")

PROGRAM = pathlib.Path(__file__).with_name("lightning_program.py")


def train(way, files, output, processes=1):
    """The weights at the end, or what the program has to say before it stops."""
    launcher = [sys.executable]
    if processes > 1 and not way.startswith("loop"):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        launcher += ["-m", "torch.distributed.run", f"--nproc-per-node={processes}", f"--master-port={port}"]
    outcome = subprocess.run(
        [*launcher, str(PROGRAM), way, str(files["path"]), str(files["masks"]), str(output), str(processes)],
        capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"})
    if outcome.returncode != 0:
        return outcome.stderr
    return torch.load(output)


@pytest.fixture(scope="module")
def loops(data, tmp_path_factory):
    folder, files = tmp_path_factory.mktemp("loops"), {"path": data / "decoy.h5", "masks": data / "masks.h5"}
    return {
        "plain": train("loop", files, folder / "plain"), "clipped": train("loop-clipped", files, folder / "clipped"),
        "processes": train("loop", files, folder / "processes", 2)}


@pytest.mark.parametrize("way,loop", [
    ("automatic", "plain"), ("manual", "plain"), ("shared", "plain"), ("no-inference", "plain"), ("late-zero", "plain"), ("clipped", "clipped"),
    ("manual-clipped", "clipped")])
def test_lightning_takes_the_steps_of_a_plain_loop(way, loop, files, loops, tmp_path):
    weights = train(way, files, tmp_path / "weights")
    assert isinstance(weights, dict), weights
    assert all(torch.equal(value, loops[loop][name]) for name, value in weights.items())


def test_two_processes_take_the_steps_of_one(files, loops, tmp_path):
    weights = train("processes", files, tmp_path / "weights", 2)
    assert isinstance(weights, dict), weights
    assert all((value - loops["processes"][name]).abs().max() < 1e-9 for name, value in weights.items())


@pytest.mark.parametrize("way,message", [
    ("own-backward", "training_step returns the loss"), ("two-backwards", "leave loss.backward() out"),
    ("zero-before", "zero_grad"), ("by-number", "other samples")])
def test_what_goes_wrong_without_a_word_is_refused(way, message, files, tmp_path):
    said = train(way, files, tmp_path / "weights")
    assert isinstance(said, str) and message in said, said

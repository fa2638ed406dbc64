"""Jobs of torchrun: ranks share the samples, a job whose rank was killed goes on to the batch, and the loss is that of one."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

import rrdata  # noqa: E402

TESTS = pathlib.Path(__file__).resolve().parent


def torchrun(world: int, program: str, *words: object) -> None:
    """Runs one of the programs on so many ranks."""
    line = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", world, "--max-restarts", 1, "--rdzv-backend", "c10d",
        "--rdzv-endpoint", "127.0.0.1:0", "--monitor-interval", 0.1, TESTS / "programs" / program, *words]
    # In the store of torchrun itself ranks that are started anew may find where the old ones listened.
    outcome = subprocess.run(
        [*map(str, line)], capture_output=True, text=True, timeout=300, env=os.environ | {
            "OMP_NUM_THREADS": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
            "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])})
    assert outcome.returncode == 0, outcome.stderr[-3000:]


def rows_of_ranks(world: int, files: dict, folder: pathlib.Path, *words: object) -> list[list[list[int]]]:
    """The rows of the batches that each rank was given."""
    torchrun(world, "ranks.py", files["path"], files["masks"], folder, *words)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(world)]


@pytest.mark.parametrize("world,killed", [(2, None), (3, None), (2, (1, 5)), (3, (0, 4)), (3, (2, 9))])
def test_every_sample_comes_once_also_where_a_rank_is_killed(files, tmp_path, world, killed):
    epochs = 2
    ranks = rows_of_ranks(world, files, tmp_path, epochs, *(killed or ()))
    # All have as many batches, of the same sizes.
    assert len({tuple(map(len, batches)) for batches in ranks}) == 1
    # Batch by batch those of one process that had no such luck.
    for rank, batches in enumerate(ranks):
        alone = rrdata.Stream(**files, batch_size=7, seed=5, epochs=epochs, rank=rank, world=world)
        assert batches == [batch.index.tolist() for batch in alone]
    rows = sorted(row for batches in ranks for batch in batches for row in batch if row >= 0)
    assert rows == sorted(rrdata.Dataset(**files, split="train").rows.tolist() * epochs)


@pytest.mark.parametrize("world", [2, 3])
def test_ranks_train_as_one_process_does(world):
    torchrun(world, "losses.py")

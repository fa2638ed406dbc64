"""One rank of a job of torchrun, which writes down which rows it was given, and goes on where a job before it was ended.

    torchrun --nproc-per-node 3 ranks.py DATASET MASKS FOLDER EPOCHS [RANK BATCH]

After every batch all ranks meet, and the first of them saves where the stream is. RANK is killed by a signal at its BATCH,
once: torchrun then ends the others and starts all of them anew, which go on from what was saved.
"""

import json
import os
import pathlib
import signal
import sys

import torch
import torch.distributed as distributed

import rrdata


def write(path: pathlib.Path, value: object) -> None:
    """Writes a file whole or not at all: torchrun ends ranks at any moment."""
    path.with_suffix(".new").write_text(json.dumps(value))
    path.with_suffix(".new").replace(path)


def main() -> None:
    dataset, masks, folder, epochs, *killed = sys.argv[1:]
    distributed.init_process_group("gloo")
    rank, place = distributed.get_rank(), pathlib.Path(folder)
    stream = rrdata.Stream(dataset, masks, batch_size=7, seed=5, epochs=int(epochs), arrays="torch")
    saved = place / "state.json"
    seen: list[list[int]] = []
    if saved.exists():
        kept = json.loads(saved.read_text())
        stream.load_state_dict(kept["stream"])
        seen = json.loads((place / f"{rank}.json").read_text())[: kept["batches"]]
    # Nobody begins to save before all have read.
    distributed.barrier()
    for images, labels, index, masks, annotated in stream:
        seen.append(index.tolist())
        if killed == [str(rank), str(len(seen))] and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
            os.kill(os.getpid(), signal.SIGKILL)
        total = torch.tensor(float(len(index)))
        distributed.all_reduce(total)
        write(place / f"{rank}.json", seen)
        distributed.barrier()
        if rank == 0:
            write(saved, {"stream": stream.state_dict(), "batches": len(seen)})
        distributed.barrier()
    distributed.destroy_process_group()


main()

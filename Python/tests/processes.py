"""Functions that run in several processes of gloo, for tests of what processes do together."""

import datetime
import multiprocessing
import queue
import traceback

import torch


def _rank(function, rank, world, store, results, arguments):
    try:
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(1)
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{store}", rank=rank, world_size=world, timeout=datetime.timedelta(seconds=60))
        function(rank, world, *arguments)
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
        results.put((rank, None))
    except BaseException:
        results.put((rank, traceback.format_exc()))
        raise


def together(function, world, folder, *arguments, patience=300):
    """Runs ``function(rank, world, …)`` in processes of gloo; fails with what the first that fails has to say."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    started = [
        context.Process(target=_rank, args=(function, rank, world, folder / "store", results, arguments))
        for rank in range(world)]
    for process in started:
        process.start()
    try:
        for _ in started:
            try:
                rank, failure = results.get(timeout=patience)
            except queue.Empty:
                raise AssertionError(f"the processes of {function.__name__} wait for each other") from None
            assert failure is None, f"rank {rank} of {world}: {failure}"
    finally:
        for process in started:
            process.join(5)
            if process.is_alive():
                process.kill()

"""One rank of a job of torchrun that trains by the explanation loss, beside one process that has the whole batch.

    torchrun --nproc-per-node 3 losses.py

Parameters are compared as in `test_torch_distributed`, whose networks and masks these are: with annotated samples on all ranks, on
the first alone and on none, and with batch normalisation in training mode.
"""

import torch
import torch.distributed as distributed

from test_torch_distributed import everybody, first_rank, mixed, normalized, smooth, steps_of

torch.set_default_dtype(torch.float64)
distributed.init_process_group("gloo")
for build, annotated in [(smooth, everybody), (smooth, first_rank), (normalized, mixed)]:
    steps_of(distributed.get_rank(), distributed.get_world_size(), build, annotated, {}, {})
distributed.destroy_process_group()

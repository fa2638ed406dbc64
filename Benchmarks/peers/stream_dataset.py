"""The batches of `rrdata stream` as a PyTorch IterableDataset, for a DataLoader with `batch_size=None`.

    stream = Stream("decoy.h5", "--masks", "masks.h5", "--batch-size", "256", "--shuffle")
    for images, labels, index, masks in torch.utils.data.DataLoader(stream, batch_size=None):
"""

import subprocess
import types

import numpy

try:
    import torch
    from torch.utils.data import IterableDataset
except ImportError:  # the batches are NumPy arrays then
    torch, IterableDataset = None, object


class Stream(IterableDataset):
    def __init__(self, *arguments, rrdata="rrdata"):
        self.command = [rrdata, "stream", *arguments, "--format", "npy"]

    def __iter__(self):
        with subprocess.Popen(self.command, stdout=subprocess.PIPE, bufsize=1 << 20) as process:
            # Of a file, NumPy would ask for its position.
            reader = types.SimpleNamespace(read=process.stdout.read)
            while process.stdout.peek(1):
                batch = tuple(numpy.lib.format.read_array(reader) for _ in range(4))
                yield tuple(torch.from_numpy(array) for array in batch) if torch else batch
            process.stdout.close()
        if process.returncode:
            raise RuntimeError(f"{' '.join(self.command)} ended with {process.returncode}")

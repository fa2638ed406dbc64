"""What a training in Python has of rrdata: its streams, and how soon the first batch is there.

    python rrdata_streams.py KIND DATASET MASKS EPOCHS OPTIONS

KIND is a kind of arrays, for which samples a second are printed, as the command counts them: from the opening of the stream
on. With `each` in the place of a number of epochs there are two iterations of an epoch each, of which the second counts, as
with the peers. Or KIND is `start`: the milliseconds of `import rrdata` beyond those of NumPy, and from there to the first
batch. OPTIONS are those of the stream, in JSON. `none` for no masks.
"""

import json
import sys
import time


def batches(kind, dataset, masks, epochs, options):
    import rrdata
    if kind == "torch":
        import torch  # noqa: F401
    stream = rrdata.Stream(
        dataset, None if masks == "none" else masks, seed=7, epochs=None if epochs == "each" else int(epochs), arrays=kind,
        **json.loads(options))
    # The dataset and the masks are open, as where the command begins to count.
    stream._source.dataset, stream._source.masks
    for _ in range(2 if epochs == "each" else 1):
        start, count = time.perf_counter(), 0
        for images, labels, index, marks, annotated in stream:
            count += len(labels)
        rate = count / (time.perf_counter() - start)
    print(rate)


def start(dataset, masks, options):
    import numpy  # noqa: F401
    times = [time.perf_counter()]
    import rrdata
    # They are loaded where they are first wanted.
    rrdata.Dataset, rrdata.Stream, rrdata.run
    times.append(time.perf_counter())
    next(iter(rrdata.Stream(dataset, masks, **json.loads(options))))
    times.append(time.perf_counter())
    print(*(1000 * (later - earlier) for earlier, later in zip(times, times[1:])))


if sys.argv[1] == "start":
    start(sys.argv[2], sys.argv[3], sys.argv[5])
else:
    batches(*sys.argv[1:])

"""Event files by TensorBoard's own writer and reader.

    python3 Fixtures/reference/tensorboard_events.py             # writes tensorboard-events.bin
    python3 Fixtures/reference/tensorboard_events.py RUN FOLDER  # compares metrics.jsonl of a run with its --tensorboard

Needs tensorboard (2.21.0 when it was made), and no TensorFlow. The file has two records of a session that begins at step 7, and
the scalars of two steps, all at the time 1.5e9 and as many seconds as came before.
"""

import json
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter


def scalars(step, values):
    return dict(
        step=step,
        summary=summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, simple_value=value) for tag, value in values]),
    )


def write(path):
    events = [
        dict(file_version="brain.Event:2"),
        dict(step=7, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START)),
        scalars(7, [("step/loss", 0.1), ("step/penalty", 1e-30), ("größe", -3.5)]),
        scalars(1 << 40, [("step/loss", float("nan")), ("step/penalty", float("inf")), ("zero", 0.0)]),
    ]
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        for number, event in enumerate(events):
            writer.write(event_pb2.Event(wall_time=1.5e9 + number, **event).SerializeToString())


def figures(run):
    """What TensorBoard should show of a run: by name, the values by step."""
    found = {}
    for line in map(json.loads, open(Path(run) / "metrics.jsonl")):
        is_epoch = line.pop("kind", None) == "epoch"
        group, place = ("epoch", line.pop("epoch")) if is_epoch else ("step", line.pop("step"))
        validation = line.pop("validation", {})
        for name, value in [(f"{group}/{name}", value) for name, value in line.items()] + [
            (f"validation/{name}", value) for name, value in validation.items()
        ]:
            if isinstance(value, (int, float)):
                found.setdefault(name, {})[place] = struct.unpack("f", struct.pack("f", value))[0]
    return found


def compare(run, folder):
    reader = EventAccumulator(folder, size_guidance={"scalars": 0})
    reader.Reload()
    shown = {name: {event.step: event.value for event in reader.Scalars(name)} for name in reader.Tags()["scalars"]}
    expected = figures(run)
    assert shown == expected, {
        name: (shown.get(name), expected.get(name)) for name in shown.keys() | expected.keys() if shown.get(name) != expected.get(name)
    }
    files = sorted(path.name for path in Path(folder).iterdir())
    print(f"{len(shown)} names, {sum(map(len, shown.values()))} values of {len(files)} files are those of {run}/metrics.jsonl")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        compare(*sys.argv[1:])
    else:
        write(Path(__file__).parent / "tensorboard-events.bin")

"""Replays what a power cut may leave of each writing command, cut anywhere, and looks at what is then there.

    python3 Tests/Faults/power_cuts.py --rrdata .build/release/rrdata [--cuts 100] [--every] [--only train] [--seed 0]

A run of each command is recorded: its writes, syncs, links, renames and removals (record.c). A cut comes after any of them, or
after the command has ended, and leaves what disk.py says: of what was not synced all, nothing, the names alone, the bytes
alone, or what chance has it. Afterwards
- after exit 0 the outputs are the new ones; before, the old or the new ones, byte for byte, and of several outputs those that
  are there pass `validate` together;
- the same command works then: with --resume for a training, with --force where an output is there, and sweeps what was left.
`--every` cuts after every operation, in every way, instead of at random places. `--image` needs root and loop devices: each
command runs on an ext4 file system in a file, which is copied at a random moment, mounted and checked.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import image
from disk import Choice, Disk, read_record
from outcome import Outcome, Tally
from workshop import Scratch, Workshop, library, roomy_folder, tree


class Recording:
    """A run of a command: the folder as it was before, and the operations on it."""

    def __init__(self, workshop, command, recorder):
        self.command = command
        with Scratch(workshop, command) as folder:
            record = folder.with_suffix(".record")
            self.start = Disk(folder)
            workshop.run(*command.arguments, folder=folder, environment={"LD_PRELOAD": str(recorder), "RECORD": str(record)})
            self.operations = read_record(record)
            # The record has all that happened, or a replay would show nothing.
            replayed = folder.with_suffix(".replayed")
            self.start.after(self.operations).write(replayed, Choice("kept", 0))
            if tree(replayed) != tree(folder):
                raise SystemExit(f"{command.title}: the record does not give what the command left")


@dataclass
class Cut:
    recording: Recording
    # The number of operations before it; None after the command has ended.
    place: int
    kind: str
    seed: int

    def __str__(self):
        where = "after exit 0" if self.place is None else f"after {self.place} of {len(self.recording.operations)} operations"
        return f"{self.recording.command.title} cut {where}, {self.kind} {self.seed}"


class Replay:
    def __init__(self, workshop):
        self.workshop, self.lock = workshop, threading.Lock()
        self.tally = Tally(command.title for command in workshop.commands)

    def run(self, cut):
        command = cut.recording.command
        with Scratch(self.workshop, command) as scratch:
            folder = scratch.with_suffix(".cut")
            cut.recording.start.after(cut.recording.operations[:cut.place]).write(folder, Choice(cut.kind, cut.seed))
            self.judge(command, folder, cut.place is None, cut)

    def judge(self, command, folder, is_after_end, cut):
        """Checks what a cut has left in a folder."""
        outcome = Outcome(self.workshop, command, folder)
        faults = outcome.faults(may_be_between=not is_after_end)
        if is_after_end and set(outcome.states.values()) - {"new"}:
            faults.append(f"exit 0, and {outcome.states}")
        try:
            faults += outcome.again(lambda arguments: self.again(arguments, folder), command.streamed)
        except subprocess.TimeoutExpired:
            faults.append("hangs when it is run again")
        with self.lock:
            self.tally.add(command.title, "after exit 0" if is_after_end else "during", cut, outcome.summary, faults)

    def run_on_images(self, commands, count, seed):
        """Cuts runs on a file system of their own: each command's first after its end, the others at random moments."""
        chance, lengths = random.Random(seed), {}
        for number in range(count):
            command = chance.choice(commands)
            share = chance.random() if command.title in lengths else None
            left, lengths[command.title] = image.cut(
                command, self.workshop.rrdata, self.workshop.folder, share, lengths.get(command.title))
            where = "after exit 0" if share is None else f"after {share:.0%} of its time"
            self.judge(command, left, share is None, f"{command.title} cut {where} on ext4, {number}")
            shutil.rmtree(left)

    def again(self, arguments, folder):
        done = self.workshop.run(*arguments, folder=folder, check=False)
        return done, done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rrdata", required=True, type=lambda path: Path(path).resolve())
    parser.add_argument("--cuts", type=int, default=100, help="the number of cuts at random places")
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--image", action="store_true", help="cut runs on an ext4 file system instead of replaying them")
    parser.add_argument("--only", default="", help="the commands whose name contains one of these, with commas between")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if options.image and (reason := image.reason_against()):
        print(f"Power cuts on ext4 are skipped here: {reason}.")
        return

    folder = roomy_folder()
    try:
        recorder = library("record", folder)
        workshop = Workshop(options.rrdata, folder, library("faults", folder), only=options.only)
        commands = [command for command in workshop.commands if command.outputs]
        replay = Replay(workshop)
        if options.image:
            replay.run_on_images(commands, options.cuts, options.seed)
        else:
            with ThreadPoolExecutor(options.jobs) as pool:
                recordings = list(pool.map(lambda command: Recording(workshop, command, recorder), commands))
                list(pool.map(replay.run, all_cuts(recordings) if options.every else some_cuts(recordings, options)))
        tally = replay.tally
        print(tally.rows(["during", "after exit 0"], ["old", "new", "new/old"]))
        count = sum(tally.total().values()) - tally.total()["lost"]
        print(f"{count} power cuts in {len(commands)} commands, {len(tally.lost)} of them lost something")
        sys.exit(1 if tally.lost or not count else 0)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def all_cuts(recordings):
    for recording in recordings:
        for place in [*range(len(recording.operations) + 1), None]:
            for kind in Choice.KINDS:
                yield Cut(recording, place, kind, place or 0)


def some_cuts(recordings, options):
    chance = random.Random(options.seed)
    for number in range(options.cuts):
        recording = chance.choice(recordings)
        # One of five after the command has ended.
        place = None if number % 5 == 0 else chance.randint(0, len(recording.operations))
        yield Cut(recording, place, chance.choice(Choice.KINDS), number)


if __name__ == "__main__":
    main()

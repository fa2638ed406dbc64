"""Fails or kills at every call of the C library that each writing command makes, and looks at what is then there.

    python3 Tests/Faults/faults.py --rrdata .build/release/rrdata [--sample 40] [--runs 400] [--minutes 30]
        [--only "import pngs"] [--seed 0]

For each command, started with no outputs, over older ones, and where it was stopped before: a run counts its calls, and then
one run each fails the n-th with each fault that such a call can have. Of more than --sample calls of a kind that many are
drawn; with --runs and --minutes, of all these faults so many as are asked for or come up in that time. Afterwards
- the outputs are the old ones or the new ones, byte for byte, never a mixture; after exit 0 the new ones; where the disk takes
  no change between the names of two outputs, which nothing can undo then, the message says which is new;
- event files end with a whole record, and when the command has worked again they tell of every step;
- the exit code is 74 for an input/output error and 73 where there is no room, with a message that names the file; the process
  ends by no signal but our own kill;
- a write or read that was cut short or interrupted is gone on with;
- nothing else is left, save after a kill or where removing was what failed, and then the next run sweeps it;
- the same command works then: with --resume for a training, with --force where an output is there.
A failed allocation is where Swift's runtime ends the process by design: there the signal is counted, not refused, and all
else is checked as after a kill.
"""

import argparse
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from outcome import Outcome, Tally
from workshop import Command, Scratch, Workshop, leftovers, library, outputs, roomy_folder, tree

KINDS = ["read", "write", "truncate", "sync", "rename", "open", "mkdir", "unlink", "lock", "mmap", "malloc"]
FAULTS = {
    "read": ["EIO", "EINTR", "short", "kill"],
    "write": ["ENOSPC", "EIO", "EINTR", "short", "full", "gone", "kill"],
    "truncate": ["ENOSPC", "EIO", "gone", "kill"],
    "sync": ["ENOSPC", "EIO", "EINTR", "gone", "kill"],
    "rename": ["ENOSPC", "EIO", "gone", "kill"],
    "open": ["EIO", "EMFILE", "EINTR", "ENOSPC", "gone", "kill"],
    "mkdir": ["ENOSPC", "EIO", "gone", "kill"],
    "unlink": ["EIO", "gone", "kill"],
    "lock": ["ENOLCK", "EIO", "EINTR"],
    "mmap": ["ENOMEM", "kill"],
    "malloc": ["ENOMEM", "kill"],
}
# One call fails, or (full, gone) all that come after it.
MEANING = {
    "short": "fewer bytes than asked for", "full": "no room from then on", "gone": "no change of the disk from then on",
    "kill": "SIGKILL at the call",
}
# The exit codes where nothing can be written, and of an input/output error.
REFUSED, BROKEN = 73, 74
CODES = {"EIO": BROKEN, "gone": BROKEN, "ENOSPC": REFUSED, "full": REFUSED}
# The calls that nothing but an output needs.
CHANGES = ("write", "truncate", "sync", "rename", "mkdir")
STUCK = "could not be taken back"
LIMIT = 60


@dataclass
class Trial:
    command: Command
    kind: str
    number: int
    fault: str

    def __str__(self):
        return f"{self.command.title} {self.kind}:{self.number}:{self.fault}"


class Walk:
    def __init__(self, workshop, faults):
        self.workshop, self.library = workshop, faults
        self.lock = threading.Lock()
        self.tally = Tally(command.title for command in workshop.commands)
        # The calls that each command makes without faults, and those of them that a fault was put into.
        self.calls, self.failed = Counter(), {}
        # The moment after which no trial is begun.
        self.end = float("inf")

    def call(self, arguments, folder, plan=None):
        """Runs a command with a fault; gives the process, what it streamed, the calls by kind and the call that failed."""
        report, streamed = folder.with_suffix(".report"), folder.with_suffix(".stream")
        environment = {"LD_PRELOAD": str(self.library), "FAULTS": plan, "FAULTS_REPORT": str(report)} if plan else {}
        with open(streamed, "wb") as out:
            done = self.workshop.run(
                *arguments, folder=folder, environment=environment, check=False, standard_output=out, timeout=LIMIT)
        data = report.read_bytes() if plan else b""
        calls = {kind: struct.unpack_from("q", data, 64 * i)[0] if data else 0 for i, kind in enumerate(KINDS)}
        return done, streamed.read_bytes(), calls, data[64 * len(KINDS):].split(b"\n")[0].rstrip(b"\0").decode()

    def count(self, command):
        """The calls of each kind that a run without faults makes."""
        with Scratch(self.workshop, command) as folder:
            done, _, calls, _ = self.call(command.arguments, folder, "count")
            if done.returncode or outputs(command, folder) != command.new:
                raise SystemExit(f"{command.title} gives other outputs the second time")
            return calls

    def trials(self, command, sample, seed, kind=None):
        counts = {k: n for k, n in self.count(command).items() if kind in (None, k)}
        self.calls[command.title] = sum(counts.values())
        for kind, calls in counts.items():
            numbers = list(range(1, calls + 1))
            if calls > sample:
                numbers = sorted(random.Random(f"{seed} {command.title} {kind}").sample(numbers, sample))
            for number in numbers:
                for fault in FAULTS[kind]:
                    yield Trial(command, kind, number, fault)

    def run(self, trial):
        if time.monotonic() > self.end:
            return
        with Scratch(self.workshop, trial.command) as folder:
            try:
                outcome, faults, struck = self.judge(trial, folder)
            except subprocess.TimeoutExpired:
                outcome, faults, struck = "old", [f"takes more than {LIMIT} s"], ""
        with self.lock:
            self.failed.setdefault(trial.command.title, set()).add((trial.kind, trial.number))
            self.tally.add(trial.command.title, (trial.kind, trial.fault), f"{trial} at {struck}", outcome, faults)

    def judge(self, trial, folder):
        command = trial.command
        done, streamed, _, struck = self.call(
            command.arguments, folder, f"{trial.kind}:{trial.number}:{trial.fault}")
        code, message = done.returncode, done.stderr.decode(errors="replace").strip()
        killed = trial.fault == "kill" and code == -9
        trapped = trial.kind == "malloc" and code < 0 and not killed
        outcome = Outcome(self.workshop, command, folder)

        stuck = trial.fault == "gone" and STUCK in message
        faults = outcome.faults(may_be_between=killed or trapped or stuck)
        if code == 0 and set(outcome.states.values()) - {"new"}:
            faults.append("exit 0 without the new outputs")
        if not (code == 0 or killed or trapped):
            faults += self.exit_faults(trial, code, struck, message)
        faults += outcome.log_faults(
            may_be_cut=killed or trapped or trial.kind == "truncate" or trial.fault == "gone", is_complete=code == 0)
        left = leftovers(command, folder, also=command.unfinished if code != 0 else ())
        if left and not (killed or trapped or trial.kind == "unlink" or trial.fault == "gone" or "opendir" in struck):
            faults.append(f"leaves {left}")
        faults += outcome.again(lambda arguments: self.call(arguments, folder)[:2], streamed)
        faults += outcome.log_faults(may_be_cut=True, is_complete=True)
        return ("unaffected" if code == 0 else "trapped" if trapped else outcome.summary), faults, struck

    def exit_faults(self, trial, code, struck, message):
        """What is wrong with the way that a command failed."""
        if code < 0:
            return [f"ended by signal {-code}"]
        if trial.kind == "malloc":
            return [f"exit 70: {message}"] if code == 70 else []
        if trial.fault in ("short", "EINTR") and trial.kind in ("read", "write"):
            return [f"takes an interruption for a failure: exit {code}, {message}"]
        wanted = [REFUSED, BROKEN]
        if struck.endswith(".stream"):
            wanted = [BROKEN]
        elif trial.kind in CHANGES and "standard output" not in message:
            wanted = [CODES[trial.fault]]
        if code not in wanted:
            return [f"exit {code}, not {' or '.join(map(str, wanted))}: {message}"]
        return [] if self.names_file(trial, struck, message) else [f"names no file: {message}"]

    @staticmethod
    def names_file(trial, struck, message):
        """Whether a message names an input or output of the command, or the file of the call that failed."""
        command, path = trial.command, struck.partition(" ")[2]
        # Where all fails from a call on, another call may be the one that is told of.
        if path.endswith(".stream") or trial.fault in ("full", "gone") and "standard output" in message:
            return "standard output" in message
        given = [a for a in command.arguments if "/" in a or a in (*command.outputs, command.log)]
        return any(f"{Path(name).name}" in message for name in [*given, *command.unfinished, path] if name)

    def summary(self):
        """Markdown: a row a command with its calls, those that a fault was put into, the faults, and what was lost by them."""
        lines = ["| command | calls | of them failed | faults | lost |", "|---|---:|---:|---:|---:|"]
        totals = Counter()
        for title in self.tally.order:
            cells = self.tally.total(title)
            row = Counter(calls=self.calls[title], failed=len(self.failed.get(title, ())), faults=sum(cells.values()) - cells["lost"], lost=cells["lost"])
            totals += row
            lines.append("| {} | {:,} | {:,} | {:,} | {} |".format(title, *(row[key] for key in ("calls", "failed", "faults", "lost"))))
        lines.append("| all | {:,} | {:,} | {:,} | {} |".format(*(totals[key] for key in ("calls", "failed", "faults", "lost"))))
        return "\n".join(lines)

    def tables(self):
        columns = {(kind, fault) for _, (kind, fault) in self.tally.results}
        by_kind, by_fault = Tally(self.tally.order), Tally()
        for (row, (kind, fault)), cell in self.tally.results.items():
            for tally, key in ((by_kind, (row, kind)), (by_fault, (f"{fault} ({MEANING[fault]})" if fault in MEANING else fault, ""))):
                tally.results[key] = tally.results.get(key, Counter()) + cell
        kinds = [kind for kind in KINDS if any(kind == k for k, _ in columns)]
        outcomes = ["unaffected", "old", "new", "new/old", "trapped"]
        return by_kind.rows(kinds, outcomes) + "\n\n" + by_fault.rows([], outcomes).replace("| command |", "| fault |", 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rrdata", required=True, type=lambda path: Path(path).resolve())
    parser.add_argument("--sample", type=int, default=40, help="the most calls of a kind that are each failed")
    parser.add_argument("--runs", type=int, help="the number of trials drawn of all, at least one of every kind and fault")
    parser.add_argument("--minutes", type=float, help="the time after which no more trials are begun; they are drawn likewise")
    parser.add_argument("--only", default="", help="the commands whose name contains this")
    parser.add_argument("--kind", choices=KINDS, help="this kind of call alone")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()

    folder = roomy_folder()
    try:
        faults = library("faults", folder)
        workshop = Workshop(options.rrdata, folder, faults, only=options.only)
        walk = Walk(workshop, faults)
        trials = [trial for command in workshop.commands
                  for trial in walk.trials(command, options.sample, options.seed, options.kind)]
        if options.minutes or options.runs and options.runs < len(trials):
            random.Random(options.seed).shuffle(trials)
            # One of every kind and fault comes first.
            first = {(trial.kind, trial.fault): trial for trial in reversed(trials)}
            trials = [*first.values(), *(trial for trial in trials if first[trial.kind, trial.fault] is not trial)]
            trials = trials[:options.runs]
        if options.minutes:
            walk.end = time.monotonic() + 60 * options.minutes
        with ThreadPoolExecutor(options.jobs) as pool:
            list(pool.map(walk.run, trials))
        changed = tree(workshop.inputs) != workshop.inputs_before
        print(walk.tables() + "\n\n" + walk.summary() + "\n")
        if changed:
            print("the inputs were changed")
        count = sum(walk.tally.total().values()) - len(walk.tally.lost)
        print(f"{count:,} faults injected into {len(workshop.commands)} commands, {len(walk.tally.lost)} of them lost")
        sys.exit(1 if walk.tally.lost or changed or not count else 0)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

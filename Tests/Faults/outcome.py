"""What a command must have left when it was stopped, and that it works again."""

import json
from collections import Counter
from pathlib import Path

from events import Events
from workshop import leftovers, outputs


class Outcome:
    """The outputs in a folder where a command was stopped, each of them as before, as after, or torn."""

    def __init__(self, workshop, command, folder):
        self.workshop, self.command, self.folder = workshop, command, folder
        self.there = outputs(command, folder)
        self.states = {name: self.state(name) for name in command.outputs}

    def state(self, name):
        found = self.there[name]
        if found == self.command.new[name] or self.is_uncleaned(name):
            return "new"
        if found == self.command.old[name]:
            return "old"
        # A stream's cursor is anywhere between.
        return "old" if self.command.streams and self.is_cursor() else "torn"

    def is_uncleaned(self, name):
        """Whether this is a finished run whose checkpoint is still there, which resuming it then removes."""
        found = {key: value for key, value in self.there[name].items() if "checkpoint" not in Path(key).parts}
        return found == self.command.new[name] != self.there[name]

    def is_cursor(self):
        text = (self.folder / "c.json").read_text(errors="replace")
        return text.rstrip().endswith("}") and "rrdata.cursor" in text

    @property
    def summary(self):
        return "/".join(sorted(set(self.states.values()))) or "none"

    def faults(self, may_be_between):
        """What is wrong with the outputs; `may_be_between` where one of several may be there before the others."""
        kinds = set(self.states.values())
        torn = [name for name, state in self.states.items() if state == "torn"]
        if torn:
            return ["neither old nor new: " + ", ".join(f"{name} ({self.difference(name)})" for name in torn)]
        if len(kinds) > 1 and not may_be_between:
            return [f"a mixture: {self.states}"]
        if len(kinds) > 1 and not self.is_sound():
            return [f"a mixture that is not sound: {self.states}"]
        return []

    def log_faults(self, may_be_cut, is_complete):
        """What is wrong with the event files; `may_be_cut` where nobody could take half a record back."""
        command = self.command
        if not command.log:
            return []
        events = Events(self.folder / command.log)
        faults = [] if may_be_cut else [f"{name} is not whole" for name in events.broken]
        if is_complete and events.scalars != command.logged:
            faults.append(f"{len(events.scalars)} figures are logged, not {len(command.logged)}, or others")
        return faults

    def difference(self, name, found=None):
        new, found = self.command.new[name], found or self.there[name]
        changed = sorted(key or name for key in {*new, *found} if new.get(key) != found.get(key))
        return f"{len(changed)} files: {', '.join(changed[:4])}"

    def is_sound(self):
        """Whether of several outputs the first ones are new and the others old, and nobody takes them for what they are not.

        What is there passes `validate` together; or, where older outputs were to be replaced, all that it says is that older
        masks are not those of the newer dataset.
        """
        order = list(self.states.values())
        if order != sorted(order):
            return False
        names = [name for name in self.command.outputs if name.endswith(".h5") and (self.folder / name).exists()]
        if "d.h5" not in names:
            if not self.command.name.startswith(("train", "import masks")):
                return True
            names.insert(0, str(self.workshop.inputs / "d.h5"))
        done = self.workshop.run("validate", *names, "--json", folder=self.folder, check=False)
        faults = [finding for finding in json.loads(done.stdout)["findings"] if finding["severity"] == "fault"]
        return done.returncode == (1 if faults else 0) and all(
            finding["code"] == "other-dataset" and self.states.get(finding["path"]) == "old" and self.command.old[finding["path"]]
            for finding in faults)

    def again(self, call, streamed=b""):
        """Runs the command once more with `call`, which gives the process and what it streamed; what is wrong with that."""
        command, folder = self.command, self.folder
        arguments = [*command.arguments, *command.again]
        # With --resume nothing is in the way: a run that is done says so and ends well.
        if command.start == "fresh" and not command.streams and not command.again and any(self.there.values()):
            arguments.append("--force")
        done, rest = call(arguments)
        if done.returncode:
            return [f"does not work again: exit {done.returncode}, {done.stderr.decode(errors='replace').strip()}"]
        faults = []
        for name, found in outputs(command, folder).items():
            if found != command.new[name]:
                faults.append(f"gives another {name} when it is run again ({self.difference(name, found)})")
        # A stream that is at its end writes nothing and so sweeps nothing.
        swept = not command.streams or self.there != command.new
        left = (leftovers(command, folder) if swept else []) + [name for name in command.unfinished if (folder / name).exists()]
        if left:
            faults.append(f"leaves {left} when it is run again")
        if command.streams:
            whole = command.streamed
            if not whole.endswith(rest) or not whole.startswith(streamed) or len(streamed) + len(rest) < len(whole):
                faults.append("leaves samples out of the stream")
        return faults


class Tally:
    """Counts what became of the runs of each command, and keeps what was wrong."""

    def __init__(self, order=()):
        self.order, self.results, self.lost = list(order), {}, []

    def add(self, row, column, what, outcome, faults):
        cell = self.results.setdefault((row, column), Counter())
        cell[outcome] += 1
        if faults:
            cell["lost"] += 1
            self.lost.append((what, faults))
            print(f"LOST {what}: {'; '.join(faults)}", flush=True)

    def total(self, row=None, column=None):
        cells = [cell for (r, c), cell in self.results.items() if row in (None, r) and column in (None, c)]
        return sum(cells, Counter())

    def rows(self, columns, outcomes):
        """Markdown: a row a command, the runs by column, then all runs by outcome."""
        lines = ["| command | " + " | ".join([*columns, "runs", *outcomes, "lost"]) + " |",
                 "|---|" + "---:|" * (len(columns) + len(outcomes) + 2)]
        count = lambda cell: sum(cell.values()) - cell["lost"]
        found = dict.fromkeys(row for row, _ in self.results)
        for row in [*sorted(found, key=lambda row: self.order.index(row) if row in self.order else 0), None]:
            total = self.total(row)
            values = [*(count(self.total(row, c)) for c in columns), count(total), *(total[o] for o in outcomes), total["lost"]]
            lines.append(f"| {row or 'all'} | " + " | ".join(map(str, values)) + " |")
        return "\n".join(lines)

"""A model of a disk: what a power cut may leave of the operations that were recorded.

What was written to a file is there for sure once the file was synced; until then each write may be there, be missing, or have
made the file longer with zeros in the place of the bytes. What was done to the names of a folder is there for sure once that
folder was synced; until then any number of the last ones is missing, as a journal has them in order. Syncing a file does not
keep its name, and syncing a folder does not keep what its files hold.
"""

import copy
import os
import random
from dataclasses import dataclass, field


@dataclass
class Operation:
    name: str
    file: int
    at: int
    data: bytes


def read_record(path):
    """The operations of a record that `record.c` wrote, in order."""
    data, place, operations = path.read_bytes(), 0, []
    while place < len(data):
        end = data.index(b"\n", place)
        name, file, at, size = data[place:end].split()
        place = end + 1 + int(size)
        operations.append(Operation(name.decode(), int(file), int(at), data[end + 1:place]))
    return operations


@dataclass
class File:
    # (offset, bytes), or (size, None) where the file was cut or made longer.
    changes: list = field(default_factory=list)
    synced: int = 0


@dataclass
class Folder:
    # ("enter", name, file or folder), ("move", old name, new name), ("exchange", name, name) or ("remove", name).
    changes: list = field(default_factory=list)
    synced: int = 0

    def names(self, count=None):
        """What it holds by name after so many changes."""
        found = {}
        for change, name, *more in self.changes[:count]:
            if change == "enter":
                found[name] = more[0]
            elif name in found:
                moved = found.pop(name)
                if change == "exchange" and more[0] in found:
                    found[name] = found[more[0]]
                if change != "remove":
                    found[more[0]] = moved
        return found


class Disk:
    """The folder `root` as it is, and then the operations on it."""

    def __init__(self, root):
        self.root = str(root)
        self.by_number = {}
        self.top = self.take_in(self.root)

    def take_in(self, path):
        """What is there already counts as synced."""
        if os.path.isdir(path):
            made = Folder()
            for name in sorted(os.listdir(path)):
                made.changes.append(("enter", name, self.take_in(os.path.join(path, name))))
        else:
            with open(path, "rb") as file:
                made = File([(0, file.read())])
        made.synced = len(made.changes)
        self.by_number[os.stat(path).st_ino] = made
        return made

    def folder(self, path):
        """The folder that holds a path, and the name in it; None for what is elsewhere."""
        around, _, name = path.rpartition("/")
        if around != self.root and not around.startswith(self.root + "/"):
            return None, name
        found = self.top
        for part in around[len(self.root):].strip("/").split("/"):
            if part:
                found = found.names()[part]
        return found, name

    def apply(self, operation):
        name, known = operation.name, self.by_number.get(operation.file)
        if name == "write" and known:
            known.changes.append((operation.at, operation.data))
        elif name == "truncate" and known:
            known.changes.append((operation.at, None))
        elif name == "sync" and known:
            known.synced = len(known.changes)
        elif name == "sync-all":
            for each in self.by_number.values():
                each.synced = len(each.changes)
        elif name in ("create", "mkdir", "link"):
            folder, last = self.folder(operation.data.decode())
            if folder is None and operation.data:
                return
            if name != "link":
                self.by_number[operation.file] = known = Folder() if name == "mkdir" else File()
            if operation.data and known:
                folder.changes.append(("enter", last, known))
        elif name in ("rename", "exchange"):
            self.move(name, *operation.data.decode().split("\0"))
        elif name == "unlink":
            folder, last = self.folder(operation.data.decode())
            if folder is not None:
                folder.changes.append(("remove", last))

    def move(self, name, source, target):
        (here, old), (there, new) = self.folder(source), self.folder(target)
        if here is there and here is not None:
            here.changes.append(("move" if name == "rename" else name, old, new))
        elif here is not None or there is not None:
            # From folder to folder: each keeps its half of it when it is synced.
            moved, replaced = (folder.names().get(last) if folder else None for folder, last in ((here, old), (there, new)))
            if moved is None or name == "exchange" and replaced is None:
                raise SystemExit(f"{name} of what is not known: {source} {target}")
            there.changes.append(("enter", new, moved))
            here.changes.append(("enter", old, replaced) if name == "exchange" else ("remove", old))

    def after(self, operations):
        """Another disk, of this one and the operations on it."""
        other = copy.deepcopy(self)
        for operation in operations:
            other.apply(operation)
        return other

    # What a cut leaves

    def write(self, place, choice):
        """Makes the folder `place` of what is left."""
        self.write_folder(self.top, str(place), choice, {})

    def write_folder(self, folder, path, choice, done):
        os.mkdir(path)
        for name, made in folder.names(choice.names(folder)).items():
            below = os.path.join(path, name)
            if isinstance(made, Folder):
                self.write_folder(made, below, choice, done)
            elif id(made) in done:
                os.link(done[id(made)], below)
            else:
                done[id(made)] = below
                with open(below, "wb") as file:
                    file.write(self.content(made, choice))

    @staticmethod
    def content(file, choice):
        data = bytearray()
        for number, (at, written) in enumerate(file.changes):
            kept = "kept" if number < file.synced else choice.write()
            if kept == "lost":
                continue
            if written is None:
                del data[at:]
                data.extend(bytes(at - len(data)))
            else:
                data.extend(bytes(max(0, at + len(written) - len(data))))
                if kept == "kept":
                    data[at:at + len(written)] = written
        return bytes(data)


class Choice:
    """What becomes of what was not synced: all is kept, or lost, of the files, of the names, or each by chance."""

    KINDS = ["kept", "lost", "names", "bytes", "chance"]

    def __init__(self, kind, seed):
        self.kind, self.random = kind, random.Random(seed)

    def names(self, folder):
        if self.kind == "chance":
            return self.random.randint(folder.synced, len(folder.changes))
        return None if self.kind in ("kept", "names") else folder.synced

    def write(self):
        if self.kind == "chance":
            return self.random.choice(["kept", "kept", "lost", "zeros"])
        return "kept" if self.kind in ("kept", "bytes") else "lost"

"""A file system in a file, of which a power cut leaves what has reached that file."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

MEGABYTES = 32


def reason_against():
    """Why there can be none here; None where there can."""
    missing = [name for name in ("mkfs.ext4", "mount", "umount") if not shutil.which(name)]
    if os.geteuid() != 0 or missing or not os.path.exists("/dev/loop-control"):
        return "it needs root, loop devices and mkfs.ext4"
    return None


@contextmanager
def mounted(file, place, *options):
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", ",".join(["loop", *options]), file, place], check=True)
    try:
        yield place
    finally:
        # A process that reads files for one that was killed ends a moment after it.
        for _ in range(100):
            if not subprocess.run(["umount", place], stderr=subprocess.DEVNULL).returncode:
                break
            time.sleep(0.1)
        else:
            subprocess.run(["umount", place], check=True)


def cut(command, rrdata, folder, share, length):
    """Runs a command on a new file system and cuts the power after a share of its length; None after its end.

    Gives what was left in a folder, and the length of the run where it ended. What has not been synced has not reached the file:
    the system writes by itself only after minutes.
    """
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        file, left = place / "disk", place / "left"
        with open(file, "wb") as image:
            image.truncate(MEGABYTES << 20)
        subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0", file], check=True)
        with mounted(file, place / "mounted", "commit=300") as disk:
            shutil.copytree(command.before, disk / "here")
            os.sync()
            start = time.monotonic()
            process = subprocess.Popen([rrdata, *command.arguments], cwd=disk / "here", stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            if share is None:
                if process.wait(120):
                    raise SystemExit(f"{command.title}: exit {process.returncode}: {process.stderr.read().decode()}")
                length = time.monotonic() - start
            else:
                time.sleep(share * length)
                # Nothing is written while the file is copied.
                process.send_signal(signal.SIGSTOP)
            shutil.copyfile(file, left)
            process.kill()
            process.wait()
            process.stderr.close()
        with mounted(left, place / "mounted") as disk:
            kept = folder / f"{place.name}-left"
            shutil.copytree(disk / "here", kept)
        return kept, length

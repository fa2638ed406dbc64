"""The command ``rrdata`` of the wheel."""

import os
import sys

from ._library import command_path


def main() -> None:
    """Becomes the command."""
    path = command_path()
    os.execv(path, ["rrdata", *sys.argv[1:]])

"""Runs a program with torchvision also where its operators in C++ are of another build of PyTorch: networks use none of them.

    example.py PROGRAM [WORDS…]
"""

import re
import runpy
import sys

import torch

declared: list[str] = []
while True:
    try:
        import torchvision  # noqa: F401

        break
    except RuntimeError as error:
        missing = re.search(r"operator (torchvision::\w+) does not exist", str(error))
        if missing is None or missing[1] in declared:
            raise
        # What it is given only counts where it is called.
        declared.append(missing[1])
        torch.library.define(missing[1], "(Tensor boxes) -> Tensor")
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]

del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")

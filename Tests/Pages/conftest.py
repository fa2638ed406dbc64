"""Runs the command that makes the pages, and opens them in Chromium.

Where there is no browser, or no Playwright to drive it, the tests say so and are skipped.
"""

import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make test-pages installs it")


def pytest_addoption(parser):
    parser.addoption("--rrdata", required=True, help="the command")


@pytest.fixture(scope="session")
def browser():
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def rrdata(request):
    program = Path(request.config.getoption("--rrdata")).resolve()

    def run(folder, *words):
        outcome = subprocess.run([program, *map(str, words)], cwd=folder, capture_output=True, text=True)
        assert outcome.returncode == 0, (words, outcome.stderr)
        return outcome.stdout

    return run


def write_png(path, rows, channels=1, depth=8):
    """Writes a PNG of rows of bytes, as the standard has it, without a library."""
    height, width = len(rows), len(rows[0]) // (channels * depth // 8)

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


def write_npy(path, kind, values, shape):
    """Writes an array as NumPy's files have it; `kind` is that of `struct`."""
    name = {"f": "<f4", "q": "<i8"}[kind]
    header = f"{{'descr': '{name}', 'fortran_order': False, 'shape': {shape!r}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack(f"<{len(values)}{kind}", *values))

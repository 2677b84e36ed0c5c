"""Importing minigrad: from where it cannot work, the error says what to do."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import minigrad
from minigrad import _core


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with minigrad's source, as after a clone: no compiled core."""
    source = Path(minigrad.__file__).parent
    shutil.copytree(source, tmp_path / "minigrad", ignore=shutil.ignore_patterns("*.so", "__pyc*"))
    return tmp_path


def test_a_source_folder_says_how_to_run(checkout: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import minigrad"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"ImportError: {checkout / 'minigrad'} is minigrad's source")
    assert "pip install ." in last
    assert "-P" in last
    assert "CONTRIBUTING.md" in last
    assert "ModuleNotFoundError" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads an ELF file")
def test_little_is_taken_of_the_room_for_thread_local_variables() -> None:
    """It is 1.6 KB or less for all libraries that a process loads late; then loading one fails."""
    library = Path(_core.__file__).read_bytes()
    (table,) = struct.unpack_from("<Q", library, 32)
    size, count = struct.unpack_from("<HH", library, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", library, table + i * size) for i in range(count)]
    of_threads = [memory for kind, _, _, _, _, _, memory, _ in headers if kind == 7]
    assert len(of_threads) == 1
    assert of_threads[0] <= 256

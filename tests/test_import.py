"""Importing minigrad: from where it cannot work, the error says what to do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import minigrad


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

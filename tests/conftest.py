"""Settings of the test run."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# The source folder has no compiled core unless one was linked into it by hand: then the package
# under test is the installed one, also when Python put the folder on its path.
if not any((ROOT / "minigrad").glob("_core*.so")):
    sys.path[:] = [p for p in sys.path if Path(p).resolve() != ROOT]

COMMON = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
settings.register_profile("quick", max_examples=15, derandomize=True, database=None, **COMMON)
settings.register_profile("brief", max_examples=3, derandomize=True, database=None, **COMMON)
settings.register_profile("thorough", max_examples=1000, **COMMON)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt: a job in a shell's background starts with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run tests marked slow too")
    parser.addoption("--thorough", action="store_true", help="many random examples a test")
    parser.addoption("--brief", action="store_true", help="few of them: under a sanitizer")


def pytest_configure(config: pytest.Config) -> None:
    given = [name for name in ("thorough", "brief") if config.getoption(f"--{name}")]
    settings.load_profile(given[0] if given else "quick")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))

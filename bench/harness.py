"""What every subject of the bench shares: fair clocks, the machine's limits, and the table.

A subject is a module with `run(bench: Bench) -> None`, which checks each answer before it times it
and hands `bench.compare` one callable a library. Runs are interleaved: round after round, each
library once, so that a busy machine slows all of them alike; what is printed are medians, and the
ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import minigrad as mg

OURS = "minigrad"


@dataclass
class Result:
    """One line of the table: seconds by library, and how we stand beside each peer."""

    case: str
    threads: int
    seconds: dict[str, float]
    ratio: dict[str, float]  # peer / ours: above 1 we are faster
    spread: tuple[float, float]  # quartiles of our time over its median
    work: float = 0.0  # floating-point operations or bytes of one call
    limit: float = 0.0  # the same per second, at most
    group: str = ""
    x: float = 0.0  # where the case stands on the plot's axis

    @property
    def share(self) -> float:
        """Our part of the limit."""
        return self.work / self.seconds[OURS] / self.limit if self.limit else 0.0


@dataclass
class Bench:
    """One run of one subject with one thread count."""

    quick: bool
    threads: int
    results: list[Result] = field(default_factory=list)

    def title(self, text: str) -> None:
        """Prints the head of a group of lines."""
        print(f"\n{text}", flush=True)

    def compare(
        self,
        case: str,
        calls: dict[str, Callable[[], Any]],
        work: float = 0.0,
        limit: float = 0.0,
        group: str = "",
        x: float = 0.0,
    ) -> Result:
        """Times the calls side by side and prints the line; one of them is called OURS."""
        rounds, budget = (7, 0.3) if self.quick else (15, 2.0)
        times = interleave(calls, rounds, budget, SPIN if self.threads > 1 else 0.0)
        ours = times[OURS]
        low, middle, high = statistics.quantiles(ours, n=4)
        result = Result(
            case,
            self.threads,
            {name: statistics.median(t) for name, t in times.items()},
            {
                name: statistics.median(a / b for a, b in zip(t, ours, strict=True))
                for name, t in times.items()
                if name != OURS
            },
            (low / middle, high / middle),
            work,
            limit,
            group,
            x,
        )
        self.results.append(result)
        print(line(result), flush=True)
        return result

    def summary(self, label: str, results: list[Result], peer: str = "numpy") -> None:
        """Prints the geometric mean of the ratios to one peer."""
        ratios = [r.ratio[peer] for r in results if peer in r.ratio]
        if ratios:
            print(f"  {label}: {statistics.geometric_mean(ratios):.2f}x {peer} (geometric mean)")

    def as_json(self) -> list[dict[str, Any]]:
        """The results as plain data."""
        return [asdict(r) | {"share": r.share} for r in self.results]


def line(r: Result) -> str:
    """One result as text."""
    peers = "  ".join(
        f"{name} {micros(r.seconds[name])} ({ratio:4.2f}x)" for name, ratio in r.ratio.items()
    )
    share = f"  {100 * r.share:3.0f}% of the limit" if r.limit else ""
    spread = f"[{r.spread[0]:.2f}, {r.spread[1]:.2f}]"
    return f"  {r.case:32s} ours {micros(r.seconds[OURS])} {spread}  {peers}{share}"


def micros(seconds: float) -> str:
    """Microseconds, in a column."""
    return f"{seconds * 1e6:10.2f} us"


# How long OpenBLAS's threads go on spinning after a call, on the cores of whoever is next.
SPIN = 0.15  # seconds


def interleave(
    calls: dict[str, Callable[[], Any]], rounds: int, budget: float, pause: float = 0.0
) -> dict[str, list[float]]:
    """Seconds a call, one figure a round; `budget` is about the seconds spent in all."""
    repeats = {}
    for name, call in calls.items():
        call()
        begin = time.perf_counter()
        call()
        once = time.perf_counter() - begin
        repeats[name] = max(1, min(10_000, int(budget / len(calls) / rounds / max(once, 1e-8))))
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            n = repeats[name]
            time.sleep(pause)
            call()
            begin = time.perf_counter()
            for _ in range(n):
                call()
            times[name].append((time.perf_counter() - begin) / n)
    return times


@cache
def peak_library() -> ctypes.CDLL | None:
    """bench/peak.cpp, compiled for this machine; None without a C++ compiler."""
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if not compiler:
        return None
    width = {"avx512": 64, "neon": 16, "baseline": 16}.get(mg.isa(), 32)
    source = Path(__file__).with_name("peak.cpp")
    built = Path(tempfile.mkdtemp(prefix="minigrad-bench-")) / "peak.so"
    flags = ["-O3", "-march=native", "-ffp-contract=fast", "-std=c++20", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, f"-DPEAK_BYTES={width}", source, "-o", built], check=True)
    return ctypes.CDLL(str(built))


def fma_peak(dtype: str, threads: int) -> float:
    """Floating-point operations a second that `threads` cores reach at most, measured now."""
    library = peak_library()
    if library is None:
        return 0.0
    measure = getattr(library, f"peak_{dtype}")
    measure.restype = ctypes.c_double
    rates: list[float] = []
    workers = [threading.Thread(target=lambda: rates.append(measure())) for _ in range(threads)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    return sum(rates)


def copy_bandwidth(megabytes: int = 64) -> float:
    """Bytes a second (read and written) of a copy that outgrows the cache, one thread."""
    source = np.ones(megabytes << 17)
    target = np.empty_like(source)
    seconds = interleave({"copy": lambda: np.copyto(target, source)}, rounds=5, budget=0.5)["copy"]
    return 2.0 * source.nbytes / min(seconds)


def check(case: str, got: Any, want: np.ndarray[Any, Any], tolerance: float) -> None:
    """A wrong answer is an error, not a figure."""
    error = float(np.max(np.abs(np.asarray(got, np.float64) - want), initial=0.0))
    if not error <= tolerance * max(1.0, float(np.max(np.abs(want), initial=0.0))):
        raise AssertionError(f"{case}: off by {error:.3g}, more than {tolerance:.1g} allowed")

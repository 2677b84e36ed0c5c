"""What the machine can do at most, and what runs on it: measured or asked here and now."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np

import minigrad as mg

# What holds a library to less than the CPU can do.
ISA_VARIABLES = (
    "MINIGRAD_ISA",
    "OPENBLAS_CORETYPE",
    "NPY_DISABLE_CPU_FEATURES",
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
)


def facts() -> dict[str, str]:
    """The CPU, its cores, the kernels that minigrad and numpy run on it, and what forced them."""
    known = {
        "cpu": cpu_name(),
        "cores": str(len(cores())),
        "minigrad": f"{mg.__version__}, ISA {mg.isa()}",
        "numpy": f"{np.__version__}, {openblas()}",
    }
    forced = [f"{name}={os.environ[name]}" for name in ISA_VARIABLES if os.environ.get(name)]
    return known | ({"forced by": " ".join(forced)} if forced else {})


def cores() -> list[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def busy_cores(seconds: float = 0.3) -> float:
    """How many cores others keep busy while this process sleeps; the load where that is unknown."""

    def times() -> list[int]:
        return [int(t) for t in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]

    try:
        before = times()
        time.sleep(seconds)
        spent = [b - a for a, b in zip(before, times(), strict=True)]
    except OSError:
        return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    idle = spent[3] + spent[4]  # and waiting for a disk
    return (os.cpu_count() or 1) * (1 - idle / max(1, sum(spent)))


def cpu_name() -> str:
    """As the machine calls itself; family and model tell apart what has the same name."""
    try:
        text = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except OSError:
        return platform.processor() or platform.machine()
    known = dict(line.replace("\t", "").split(":", 1) for line in text.splitlines() if ":" in line)
    known = {key: value.strip() for key, value in known.items()}
    if "model name" not in known:
        return platform.machine()
    return f"{known['model name']} (family {known['cpu family']}, model {known['model']})"


def openblas() -> str:
    """The core type whose kernels numpy's OpenBLAS runs (OPENBLAS_CORETYPE chooses another)."""
    for library in Path(np.__file__).parent.with_name("numpy.libs").glob("*openblas*"):
        name = getattr(ctypes.CDLL(str(library)), "scipy_openblas_get_corename64_", None)
        if name:
            name.restype = ctypes.c_char_p
            return f"OpenBLAS core type {name().decode()}"
    return "BLAS unknown"


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
    with ThreadPoolExecutor(threads) as pool:  # best of five: a core that others held is no limit
        best = max(sum(pool.map(lambda _: measure(), range(threads))) for _ in range(5))
    print(f"FMA peak, {dtype}, {threads} thread(s): {best / 1e9:.1f} GFLOP/s")
    return best


def copy_bandwidth(megabytes: int = 64) -> float:
    """Bytes a second (read and written) of a copy that outgrows the cache, one thread."""
    source = np.ones(megabytes << 17)
    target = np.empty_like(source)
    seconds = []
    for _ in range(7):
        begin = time.perf_counter()
        np.copyto(target, source)
        seconds.append(time.perf_counter() - begin)
    return 2.0 * source.nbytes / min(seconds)

"""`python bench [subject ...] [--quick] [--threads 1 2] [--save DIR]`.

Every subject runs in a process of its own for each thread count, with all libraries told to use
that many.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HELPERS = {"__main__", "harness", "plot"}
THREAD_VARIABLES = ("MINIGRAD_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


def subjects() -> list[str]:
    """Every file here that is not a helper."""
    return sorted(p.stem for p in HERE.glob("*.py") if p.stem not in HELPERS)


def run_child(subject: str, quick: bool, threads: int, out: Path) -> None:
    """Runs one subject here and now, and leaves its results in a file."""
    sys.path.insert(0, str(HERE))
    from harness import Bench

    bench = Bench(quick, threads)
    importlib.import_module(subject).run(bench)
    out.write_text(json.dumps(bench.as_json()))


def run_subject(subject: str, quick: bool, threads: int) -> list[dict[str, Any]]:
    """Runs one subject in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "results.json"
        environment = os.environ | {name: str(threads) for name in THREAD_VARIABLES}
        command = [sys.executable, str(HERE), subject, "--child", str(out)]
        command += ["--threads", str(threads)] + ["--quick"] * quick
        subprocess.run(command, env=environment, check=True)
        results: list[dict[str, Any]] = json.loads(out.read_text())
        return results


def main() -> None:
    """Parses the command line and runs what it names."""
    parser = argparse.ArgumentParser(prog="python bench", description=__doc__)
    parser.add_argument("subjects", nargs="*", help=f"of {', '.join(subjects())}; default all")
    parser.add_argument("--quick", action="store_true", help="under a minute a subject")
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, os.cpu_count() or 1}))
    parser.add_argument("--save", type=Path, metavar="DIR", help="write JSON and a PNG a subject")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    unknown = set(args.subjects) - set(subjects())
    if unknown:
        parser.error(f"no subject {', '.join(sorted(unknown))}; there are {', '.join(subjects())}")
    if args.child:
        run_child(args.subjects[0], args.quick, args.threads[0], args.child)
        return
    if (busy := os.getloadavg()[0]) > 0.5:
        print(f"Others keep {busy:.1f} cores of this machine busy: trust ratios, not times.")
    for subject in args.subjects or subjects():
        results = []
        for threads in args.threads:
            print(f"\n== {subject}, {threads} thread{'s' * (threads > 1)} ==", flush=True)
            results += run_subject(subject, args.quick, threads)
        if args.save:
            args.save.mkdir(parents=True, exist_ok=True)
            (args.save / f"{subject}.json").write_text(json.dumps(results, indent=1))
            sys.path.insert(0, str(HERE))
            from plot import draw

            draw(subject, results, args.save / f"{subject}.png")


if __name__ == "__main__":
    main()

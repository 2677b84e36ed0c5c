"""`python bench [subject ...] [--quick] [--threads 1 2] [--without torch] [--save DIR]`.

Each library runs in a process of its own, bound to as many cores as it may use threads, and is
stopped while others are timed. A library can be held to what a smaller CPU has by its own variable,
which the first lines of the output then name; for one without AVX-512:

    MINIGRAD_ISA=avx2 OPENBLAS_CORETYPE=Haswell ATEN_CPU_CAPABILITY=avx2 python bench matmul
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

# This process only compares answers: its BLAS needs no threads that would spin beside contenders.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

from harness import Bench, Result, best_threads
from machine import busy_cores, cores, facts
from plot import draw

HERE = Path(__file__).parent
HELPERS = {"__main__", "contender", "harness", "machine", "plot"}


def subjects() -> list[str]:
    """Every file here that is not a helper."""
    return sorted(p.stem for p in HERE.glob("*.py") if p.stem not in HELPERS)


def write(folder: Path, subject: str, machine: dict[str, str], results: Any) -> None:
    """Writes the results as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine, "results": results}, indent=1)
    (folder / f"{subject}.json").write_text(text)


def main() -> None:
    """Parses the command line and runs what it names."""
    parser = argparse.ArgumentParser(prog="python bench", description=__doc__)
    parser.add_argument("subjects", nargs="*", help=f"of {', '.join(subjects())}; default all")
    parser.add_argument("--quick", action="store_true", help="under a minute a subject")
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, len(cores())}))
    parser.add_argument(
        "--without", nargs="+", default=[], metavar="PEER", help="peers to leave out"
    )
    parser.add_argument("--save", type=Path, metavar="DIR", help="write JSON and a PNG a subject")
    args = parser.parse_args()
    unknown = set(args.subjects) - set(subjects())
    if unknown:
        parser.error(f"no subject {', '.join(sorted(unknown))}; there are {', '.join(subjects())}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # leave no stopped process behind
    machine = facts()
    print("\n".join(f"{name}: {fact}" for name, fact in machine.items()))
    if (busy := busy_cores()) > 0.2:
        print(f"Others keep {busy:.1f} cores of this machine busy: trust ratios, not times.")
    for subject in args.subjects or subjects():
        results: list[Result] = []
        saved = []
        module = importlib.import_module(subject)
        if hasattr(module, "study"):  # of what is learned, which does not depend on threads
            print(f"\n== {subject} ==", flush=True)
            study = module.study(args.quick)
            if args.save:
                write(args.save, subject, machine, study.as_json())
                study.draw(args.save / f"{subject}.png")
            continue
        for threads in args.threads:
            print(f"\n== {subject}, {threads} thread{'s' * (threads > 1)} ==", flush=True)
            with Bench(args.quick, threads, tuple(args.without)) as bench:
                module.run(bench)
            results += bench.results
            saved += bench.as_json()
        if len(args.threads) > 1:
            print(f"\n{subject}, each on its best number of threads")
            print("\n".join(best_threads(results)), flush=True)
        if args.save:
            write(args.save, subject, machine, saved)
            draw(subject, machine, saved, args.save / f"{subject}.png")


if __name__ == "__main__":
    main()

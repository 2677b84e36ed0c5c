"""The demo's run: a table and words while it goes, a picture at the end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from minigrad.demo.plot import draw_demo
from minigrad.demo.problems import Problem, digits, moons
from minigrad.demo.runs import FIXES, Run, train
from minigrad.plots import figure


def run_demo(
    out: str | PathLike[str], *, seed: int = 0, mnist: Path | None = None, quick: bool = False
) -> list[tuple[Problem, list[Run]]]:
    """Run everything, print tables while it goes, and write the picture to ``out``."""
    figure(1, 1)  # a missing extra or folder is told before the work, not after
    if not Path(out).resolve().parent.is_dir():
        raise FileNotFoundError(f"the folder of {out} does not exist")
    start = time.perf_counter()
    results = []
    for problem in (moons(seed, quick), digits(seed, quick, mnist)):
        print(f"\n{problem.name}\n\n{_HEADER}")
        runs = []
        for fix in FIXES:
            runs.append(train(problem, fix, seed))
            print(_line(runs[-1]), flush=True)
        print(f"\n{verdict(runs)}{problem.note}")
        results.append((problem, runs))
    draw_demo([(problem.name, runs) for problem, runs in results], out)
    print(
        "\nLosses are data losses in eval mode, without the penalty. Early stopping chooses its\n"
        "epoch by the validation data, so its validation figures are a little flattered.\n"
        f"\nThe curves are in {out}. {time.perf_counter() - start:.1f} s in all."
    )
    return results


_HEADER = (
    f"{'':14}  {'train':>8}  {'val':>8}  {'gap':>8}  {'train':>6}  {'val':>6}"
    f"  {'best':>5}  {'epochs':>6}  {'':>6}\n"
    f"{'fix':14}  {'loss':>8}  {'loss':>8}  {'':>8}  {'acc.':>6}  {'acc.':>6}"
    f"  {'epoch':>5}  {'run':>6}  {'s':>6}\n" + "-" * 81
)


def _line(run: Run) -> str:
    return (
        f"{run.fix.name:14}  {run.train['loss']:8.4f}  {run.val['loss']:8.4f}  {run.gap:+8.4f}"
        f"  {run.train['accuracy']:6.1%}  {run.val['accuracy']:6.1%}"
        f"  {run.history.best_epoch!s:>5}  {len(run.history):6}  {run.seconds:6.2f}"
    )


def verdict(runs: Sequence[Run]) -> str:
    """Say in words whether the first run overfits, and what the others were worth."""
    plain = runs[0]
    curve = plain.history["val_loss"]
    best = plain.history.best_epoch
    lines = []
    if best is not None and curve[-1] > 1.1 * curve[best]:
        lines.append(
            f"Without a fix it overfits: validation loss is {curve[best]:.3f} at epoch {best} and "
            f"{curve[-1]:.3f} at the end."
        )
    else:
        lines.append("Without a fix it does not overfit: validation loss ends near its best.")
    for run in runs[1:]:
        ratio = run.val["loss"] / plain.val["loss"]
        points = 100 * (run.val["accuracy"] - plain.val["accuracy"])
        effect = "better" if ratio < 0.95 else "worse" if ratio > 1.05 else "little change"
        lines.append(
            f"  {run.fix.name}: {effect}, "
            f"validation loss x {ratio:.2f}, accuracy {points:+.1f} points"
        )
    return "\n".join(lines)

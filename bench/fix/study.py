"""Runs of every fix, and their paired differences as a table and a picture."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.intervals import Interval, mean_interval
from minigrad.plots import INK, TRAIN, VALIDATION, figure, style

from .recipes import Problem


@dataclass(frozen=True)
class Run:
    """Figures of one training's last weights, on training and test rows."""

    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    seconds: float

    def same_as(self, other: Run) -> bool:
        """Whether all figures but the time are equal."""
        return replace(self, seconds=0.0) == replace(other, seconds=0.0)


@dataclass
class Study:
    """All runs: problem -> fix -> one run a seed."""

    runs: dict[str, dict[str, list[Run]]] = field(default_factory=dict)
    beside: dict[tuple[str, str], str] = field(default_factory=dict)  # what a fix is compared with

    def difference(self, problem: str, fix: str, figure: str) -> Interval:
        """The paired difference to what the fix is compared with, with its 95% interval."""
        pairs = self._pairs(problem, fix)
        return mean_interval([getattr(a, figure) - getattr(b, figure) for a, b in pairs])

    def _pairs(self, problem: str, fix: str) -> list[tuple[Run, Run]]:
        runs, other = self.runs[problem], self.beside.get((problem, fix), "plain")
        return list(zip(runs[fix], runs[other], strict=True))

    def verdict(self, problem: str, fix: str) -> str:
        """Which of the two figures the fix surely changes, and whether for the better."""
        if all(a.same_as(b) for a, b in self._pairs(problem, fix)):
            return "did nothing: the same bits"
        loss = self.difference(problem, fix, "test_loss")
        accuracy = self.difference(problem, fix, "test_accuracy")
        words = [
            f"{name} {'better' if (interval.mean > 0) == up else 'worse'}"
            for name, interval, up in (("loss", loss, False), ("accuracy", accuracy, True))
            if interval.excludes_zero
        ]
        return ", ".join(words) or "no clear effect"

    def as_json(self) -> dict[str, Any]:
        """The runs as plain data."""
        return {
            problem: {fix: [asdict(run) for run in runs] for fix, runs in fixes.items()}
            for problem, fixes in self.runs.items()
        }

    def draw(self, path: Path) -> None:
        """Differences as dots with intervals: a row of panels a problem."""
        heights = [len(fixes) for fixes in self.runs.values()]
        picture = figure(10, 1.4 + 0.3 * sum(heights))
        grid = picture.subplots(len(heights), 2, squeeze=False, sharex="col", height_ratios=heights)
        for axes, problem in zip(grid, self.runs, strict=True):
            names = [name for name in self.runs[problem] if name != "plain"]
            columns = (("test_loss", "test loss", 1), ("test_accuracy", "accuracy, points", 100))
            for axis, (column, label, scale) in zip(axes, columns, strict=True):
                for place, name in enumerate(names):
                    found = self.difference(problem, name, column)
                    good = (found.mean > 0) == (column == "test_accuracy")
                    color = (TRAIN if good else VALIDATION) if found.excludes_zero else "#a0aec0"
                    bounds = [scale * found.low, scale * found.high]
                    axis.plot(bounds, [place, place], color=color, lw=2.4, solid_capstyle="round")
                    axis.plot(scale * found.mean, place, "o", color=color, ms=6)
                axis.axvline(0, color=INK, lw=0.8)
                others = [self.beside.get((problem, name), "plain") for name in names]
                labels = [
                    name if other == "plain" else f"{name}, to {other}"
                    for name, other in zip(names, others, strict=True)
                ]
                axis.set_yticks(range(len(names)), labels)
                axis.set_ylim(len(names) - 0.5, -0.5)
                style(axis)
                if problem == list(self.runs)[-1]:
                    axis.set_xlabel(f"difference in {label}: fix - plain, or as named")
            axes[1].tick_params(labelleft=False)
            axes[0].set_title(problem, fontsize=10, color=INK, loc="left")
        picture.suptitle(
            "paired differences with 95% intervals: blue better, orange worse, grey not sure",
            fontsize=9,
            color=INK,
        )
        picture.savefig(path)


def table(found: Study, problem: Problem, seeds: int) -> None:
    """Means of every fix, and paired differences with their intervals."""
    runs = found.runs[problem.name]
    print(
        f"\n{problem.name}; {'-'.join(map(str, problem.sizes))}, {problem.epochs} epochs; ", end=""
    )
    others = {name: found.beside.get((problem.name, name), "plain") for name in runs}
    print(f"means of {seeds} seeds, 95% intervals of the paired difference to plain")
    for other in dict.fromkeys(others.values()):
        if other != "plain":
            named = ", ".join(name for name, beside in others.items() if beside == other)
            print(f"({named}: to {other})")
    head = (
        f"{'':23} {'train':>13} {'test':>13}   {'difference in loss':24} {'in accuracy, points':24}"
    )
    print(head)
    for name, of_seeds in runs.items():
        means = np.mean([list(asdict(run).values()) for run in of_seeds], axis=0)
        cells = f"{name:23} {means[0]:6.3f} {means[1]:6.1%} {means[2]:6.3f} {means[3]:6.1%}   "
        if name != "plain":
            loss = found.difference(problem.name, name, "test_loss")
            points = found.difference(problem.name, name, "test_accuracy")
            cells += f"{loss.mean:+.3f} [{loss.low:+.3f}, {loss.high:+.3f}]  "
            cells += (
                f"{100 * points.mean:+.2f} [{100 * points.low:+.2f}, {100 * points.high:+.2f}]  "
            )
            cells += found.verdict(problem.name, name)
        print(cells)
    sure = (len(runs) - 1) * 2 * 0.05
    print(f"Of {2 * (len(runs) - 1)} intervals about {sure:.1f} would exclude 0 by chance alone.")

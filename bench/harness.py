"""What every subject of the bench shares: contenders, fair turns, and the table.

A subject is a module with `run(bench: Bench) -> None`. It hands `bench.compare` one function a
library, of the module's top level: called in a process of the library's own, it prepares the inputs
and returns the call to be timed. Peers that cannot be imported are left out. Answers are compared
before anything is timed. Turns are interleaved: round after round, each library once, so that a
busy machine slows all of them alike; what is printed are medians, and the ratio is the median of
the rounds' ratios.
"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from contender import Contender, Make

OURS = "minigrad"
Peers = dict[str, Make]


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
    group: str = ""  # the title above it
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
    without: tuple[str, ...] = ()  # peers that are not wanted
    results: list[Result] = field(default_factory=list)
    contenders: dict[str, Contender] = field(default_factory=dict)
    group: str = ""  # the last title

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        for contender in self.contenders.values():
            contender.close()

    def title(self, text: str, note: str = "") -> None:
        """Prints the head of a group of lines, and what to know of them."""
        self.group = text
        print(f"\n{text}{note and '; ' + note}", flush=True)

    def agree(
        self, case: str, peers: Peers, args: tuple[Any, ...], tolerance: float | None
    ) -> list[str]:
        """Prepares the peers that there are and compares their answers with numpy's, or ours."""
        answers: dict[str, Any] = {}
        for name, make in peers.items():
            if name in self.without:
                continue
            if name not in self.contenders:
                self.contenders[name] = Contender(self.threads)
            try:
                answers[name] = self.contenders[name].prepare(make, args)
            except ImportError as missing:
                print(f"  {name} is left out: {missing}", flush=True)
                self.without += (name,)
        if tolerance is not None:
            want = np.asarray(answers["numpy" if "numpy" in answers else OURS], np.float64)
            for name, answer in answers.items():
                check(f"{case}, {name}", answer, want, tolerance)
        return list(answers)

    def compare(
        self,
        case: str,
        peers: Peers,
        args: tuple[Any, ...] = (),
        *,
        tolerance: float | None = None,
        repeats: int = 1,
        work: float = 0.0,
        limit: float = 0.0,
        x: float = 0.0,
    ) -> Result:
        """Checks the answers, times the calls side by side and prints the line.

        One peer is called OURS; a call that does its work `repeats` times counts as so many.
        """
        names = self.agree(case, peers, args, tolerance)
        times = self.take_turns(names)
        times = {name: [seconds / repeats for seconds in t] for name, t in times.items()}
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
            self.group,
            x,
        )
        self.results.append(result)
        print(line(result), flush=True)
        return result

    def take_turns(self, names: list[str]) -> dict[str, list[float]]:
        """Seconds a call, one figure a round, of what each contender prepared last."""
        rounds, budget, most = (7, 0.3, 10.0) if self.quick else (15, 2.0, 60.0)
        once = {name: min(self.contenders[name].time(1) for _ in range(2)) for name in names}
        rounds = max(3, min(rounds, int(most / sum(once.values()))))
        share = budget / len(names) / rounds
        repeats = {name: max(1, min(10_000, int(share / max(s, 1e-8)))) for name, s in once.items()}
        times: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                times[name].append(self.contenders[name].time(repeats[name]))
        return times

    def per_element(self, result: Result, elements: int) -> None:
        """Prints our nanoseconds an element."""
        print(f"    {result.seconds[OURS] / elements * 1e9:.3f} ns an element", flush=True)

    def summary(self, label: str, results: list[Result], peer: str = "numpy") -> None:
        """Prints the geometric mean of the ratios to one peer."""
        ratios = [r.ratio[peer] for r in results if peer in r.ratio]
        if ratios:
            print(f"  {label}: {statistics.geometric_mean(ratios):.2f}x {peer} (geometric mean)")

    def as_json(self) -> list[dict[str, Any]]:
        """The results as plain data."""
        return [asdict(r) | {"share": r.share} for r in self.results]


def line(r: Result) -> str:
    """One result as text; many peers stand below each other."""
    share = f" {100 * r.share:3.0f}% of the limit" if r.limit else ""
    ours = f"ours {micros(r.seconds[OURS])} [{r.spread[0]:.2f}, {r.spread[1]:.2f}]{share}"
    few = len(r.ratio) <= 3
    peers = [
        f"{name:{1 if few else 32}s} {micros(r.seconds[name])} ({ratio:4.2f}x)"
        for name, ratio in r.ratio.items()
    ]
    return ("  " if few else "\n    ").join([f"  {r.case:32s} {ours}", *peers])


def micros(seconds: float) -> str:
    """Microseconds, in a column."""
    return f"{seconds * 1e6:10.2f} us"


def best_threads(results: list[Result]) -> list[str]:
    """Each contender with the thread count that suits it best, case by case."""
    lines: list[str] = []
    group = None
    for head, case in dict.fromkeys((r.group, r.case) for r in results):
        if head != group:
            lines += [f"\n{head}"]
            group = head
        runs = [r for r in results if (r.group, r.case) == (head, case)]
        best = {
            name: min((r.seconds[name], r.threads) for r in runs if name in r.seconds)
            for name in runs[0].seconds
        }
        ours = best[OURS][0]
        shown = [f"{n} {micros(s)} on {t} ({s / ours:4.2f}x)" for n, (s, t) in best.items()]
        lines.append(f"  {case:32s} {'  '.join(shown)}")
    return lines


def check(case: str, got: Any, want: np.ndarray[Any, Any], tolerance: float) -> None:
    """A wrong answer is an error, not a figure."""
    error = float(np.max(np.abs(np.asarray(got, np.float64) - want), initial=0.0))
    if not error <= tolerance * max(1.0, float(np.max(np.abs(want), initial=0.0))):
        raise AssertionError(f"{case}: off by {error:.3g}, more than {tolerance:.1g} allowed")

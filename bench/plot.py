"""One picture a subject: rates over size where there is a size; how many times our time else."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

Row = dict[str, Any]
OURS = "minigrad"
INK, PALE = "#2d3748", "#a0aec0"
COLOURS = {OURS: "#2b6cb0", "numpy": "#dd6b20", "torch": "#c53030", "copy": PALE}
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
HEAD: dict[str, Any] = {"fontsize": 8, "fontweight": "bold", "va": "center", "color": INK}
OTHERS = ("#2f855a", "#6b46c1", "#b7791f", "#0987a0", "#97266d", "#4a5568")


def draw(subject: str, machine: dict[str, str], results: list[Row], path: Path) -> None:
    """Draws a panel for each group of results over a size, and one of all others, by threads."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    names = list(dict.fromkeys(name for r in results for name in r["seconds"]))
    colours = dict(zip([n for n in names if n not in COLOURS], OTHERS * 9, strict=False)) | COLOURS
    threads = sorted({r["threads"] for r in results})
    sized = list(dict.fromkeys(r["group"] for r in results if r["x"]))
    rest = [r for r in results if not r["x"]]
    grouped = {group: [r for r in results if r["group"] == group] for group in sized}
    # The height of a row of panels: lines are as high as they are, dots have a line a case.
    heights = [3.4] * len(sized)
    if rest:
        most = max(sum(r["threads"] == t for r in rest) for t in threads)
        heads = len({r["group"] for r in rest})
        heights.append(0.9 + 0.22 * (most + 2 * heads))
    figure, grid = plt.subplots(
        len(heights),
        len(threads),
        figsize=(5.6 * len(threads) + 1.4, sum(heights) + 1.0),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for axes, group in zip(grid, sized, strict=False):
        for axis, t in zip(axes, threads, strict=True):
            lines(axis, [r for r in grouped[group] if r["threads"] == t], colours)
            axis.set_title(f"{group}, {_threads(t)}", loc="left", fontsize=9, color=INK)
    if rest:
        for axis, t in zip(grid[-1], threads, strict=True):
            dots(axis, [r for r in rest if r["threads"] == t], colours)
            axis.set_title(_threads(t), loc="right", fontsize=9, color=INK)
        for axis in grid[-1][1:]:
            if axis.get_ylim() == grid[-1][0].get_ylim():  # the same cases
                axis.set_yticklabels([])
    drawn = {}
    for axis in grid.flat:
        drawn |= {label: handle for handle, label in zip(*axis.get_legend_handles_labels())}  # noqa: B905
    figure.legend(
        drawn.values(), drawn.keys(), fontsize=8, ncols=9, loc="outside lower center", frameon=False
    )
    figure.suptitle(
        f"{subject}: {machine['cpu']}, minigrad {machine['minigrad']}", fontsize=10, color=INK
    )
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _threads(number: int) -> str:
    return f"{number} thread{'s' * (number > 1)}"


def _bare(axis: Any) -> None:
    """Leaves what is read, and takes the rest of the frame away."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(PALE)
    axis.tick_params(colors=INK, labelsize=8)
    axis.grid(alpha=0.25, linewidth=0.6)


def lines(axis: Any, rows: list[Row], colours: dict[str, str]) -> None:
    """Rates over size, the limit dashed."""
    rows.sort(key=lambda r: float(r["x"]))
    xs = [r["x"] for r in rows]
    for name in rows[0]["seconds"]:
        rates = [r["work"] / r["seconds"][name] / 1e9 for r in rows]
        wide = 2.2 if name == OURS else 1.4
        axis.plot(xs, rates, "o-", markersize=4, linewidth=wide, label=name, color=colours[name])
    if rows[0]["limit"]:
        limits = [r["limit"] / 1e9 for r in rows]
        axis.plot(xs, limits, "--", color=INK, linewidth=1, label="limit of the machine")
    axis.set_xscale("log", base=2)
    axis.set_xticks(xs, [f"{x:g}" for x in xs])
    axis.set_ylim(bottom=0)
    axis.set_xlabel("size", fontsize=8, color=INK)
    axis.set_ylabel("GFLOP/s", fontsize=8, color=INK)
    _bare(axis)


def dots(axis: Any, rows: list[Row], colours: dict[str, str]) -> None:
    """A line a case: the times of all libraries as multiples of ours, which stands beside it."""
    below = count()
    places: list[int] = []
    group = ""
    for r in rows:
        if r["group"] != group:
            group = r["group"]
            if places:
                next(below)
            axis.text(0, -next(below), group, transform=axis.get_yaxis_transform(), **HEAD)
        place = -next(below)
        places.append(place)
        ours = r["seconds"][OURS]
        for name, seconds in r["seconds"].items():
            size, over = (46, 3) if name == OURS else (22, 2)
            axis.scatter(seconds / ours, place, size, colours[name], zorder=over)
        if r["limit"]:
            at = r["work"] / r["limit"] / ours
            axis.plot(at, place, "|", color=INK, markersize=9, markeredgewidth=1.5)
        axis.annotate(
            _time(ours),
            (1, place),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
            color=COLOURS[OURS],
        )
    axis.axvline(1, color=COLOURS[OURS], linewidth=1, alpha=0.4, zorder=1)
    axis.set_yticks(places, [r["case"] for r in rows])
    axis.set_ylim(min(places) - 0.7, 0.7)
    axis.set_xscale("log")
    axis.set_xlabel("time as a multiple of ours, which stands at the right", fontsize=8, color=INK)
    low, high = axis.get_xlim()
    ticks = [t for t in (TICKS if high < 100 * low else TICKS[::3]) if low <= t <= high]
    axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axis.minorticks_off()
    _bare(axis)
    # What stands in the legend.
    for name in dict.fromkeys(name for r in rows for name in r["seconds"]):
        axis.scatter([], [], 46 if name == OURS else 22, colours[name], label=name)
    if any(r["limit"] for r in rows):
        axis.plot([], [], "|", color=INK, markeredgewidth=1.5, label="limit of the machine")


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"

"""One picture a subject: rates over size where there is a size, else a dot a library and case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

Row = dict[str, Any]
OURS = "minigrad"


def draw(subject: str, results: list[Row], path: Path) -> None:
    """Draws a panel for each group of results that has an axis, or for each number of threads."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    sized = [r for r in results if r["x"] > 0 and r["work"] > 0 and r["group"]]
    panels: dict[tuple[str, int], list[Row]] = {}
    for r in sized or results:
        panels.setdefault((r["group"] if sized else "", r["threads"]), []).append(r)
    names = list(dict.fromkeys(name for r in results for name in r["seconds"]))
    colours = {name: f"C{i}" for i, name in enumerate(names)}
    height = 4.0 if sized else 1.5 + 0.3 * max(len(rows) for rows in panels.values())
    figure, axes = plt.subplots(
        1, len(panels), figsize=(5 * len(panels) + 1, height), squeeze=False, layout="constrained"
    )
    for axis, ((group, threads), rows) in zip(axes[0], panels.items(), strict=True):
        (lines if sized else dots)(axis, rows, colours)
        axis.set_title(f"{group} {threads} thread{'s' * (threads > 1)}".strip())
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8, ncols=8, loc="outside lower center")
    figure.suptitle(subject)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def lines(axis: Any, rows: list[Row], colours: dict[str, str]) -> None:
    """Rates over size, the limit dashed."""
    rows.sort(key=lambda r: float(r["x"]))
    xs = [r["x"] for r in rows]
    for name in rows[0]["seconds"]:
        rates = [r["work"] / r["seconds"][name] / 1e9 for r in rows]
        axis.plot(xs, rates, marker="o", markersize=3, label=name, color=colours[name])
    if rows[0]["limit"]:
        axis.plot(xs, [r["limit"] / 1e9 for r in rows], "k--", linewidth=1, label="limit")
    axis.set(xscale="log", xlabel="size", ylabel="GFLOP/s")
    axis.set_ylim(bottom=0)


def dots(axis: Any, rows: list[Row], colours: dict[str, str]) -> None:
    """Time of each library, a line a case; ours is the large dot."""
    rows = rows[::-1]
    for name, colour in colours.items():
        at = [i for i, r in enumerate(rows) if name in r["seconds"]]
        times = [rows[i]["seconds"][name] * 1e6 for i in at]
        axis.scatter(times, at, 60 if name == OURS else 20, colour, label=name, zorder=2)
    axis.set_yticks(range(len(rows)), [r["case"] for r in rows], fontsize=8)
    axis.set(xscale="log", xlabel="microseconds")
    axis.grid(alpha=0.3)

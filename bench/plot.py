"""One picture a subject: rates over size, ours and the peers' as lines, the limit dashed."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def draw(subject: str, results: list[dict[str, Any]], path: Path) -> None:
    """Draws one panel for each group of results that has an axis."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    panels: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for r in results:
        if r["x"] > 0 and r["work"] > 0:
            panels.setdefault((r["group"], r["threads"]), []).append(r)
    if not panels:
        return
    figure, axes = plt.subplots(
        1, len(panels), figsize=(5 * len(panels), 4), squeeze=False, layout="constrained"
    )
    for axis, ((group, threads), rows) in zip(axes[0], panels.items(), strict=True):
        rows.sort(key=lambda r: float(r["x"]))
        xs = [r["x"] for r in rows]
        for name in rows[0]["seconds"]:
            rates = [r["work"] / r["seconds"][name] / 1e9 for r in rows]
            axis.plot(xs, rates, marker="o", markersize=3, label=name)
        if rows[0]["limit"]:
            axis.plot(xs, [r["limit"] / 1e9 for r in rows], "k--", linewidth=1, label="limit")
        axis.set(xscale="log", xlabel="size", title=f"{group}, {threads} thread(s)")
        axis.set_ylim(bottom=0)
        axis.legend(fontsize=8)
    axes[0][0].set_ylabel("10^9 a second")
    figure.suptitle(subject)
    figure.savefig(path, dpi=120)
    plt.close(figure)

"""The demo: networks that overfit, the usual fixes, and what each of them was worth.

Two problems, each trained with no fix, with an L2 penalty, with dropout, with early stopping, and
with all three. Nothing is tuned to look right; where a fix does not help, the table says so.
"""

from minigrad.demo.report import run_demo

__all__ = ["run_demo"]

"""The command line: ``minigrad demo``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, or 2 with a message on stderr."""
    parser = argparse.ArgumentParser(
        prog="minigrad", description="Neural-network experiments on a CPU that end in knowledge."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser(
        "demo",
        help="train networks that overfit, apply the usual fixes, print a table, draw the curves",
    )
    demo.add_argument(
        "--out", type=Path, default=Path("minigrad-demo.png"), metavar="PNG", help="the picture"
    )
    demo.add_argument("--seed", type=int, default=0, help="of data, weights and noise")
    demo.add_argument(
        "--mnist", type=Path, metavar="DIR", help="MNIST's IDX files, instead of the small digits"
    )
    demo.add_argument("--quick", action="store_true", help="few epochs, to see that it works")
    options = parser.parse_args(arguments)
    try:
        from minigrad.demo import run_demo

        run_demo(options.out, seed=options.seed, mnist=options.mnist, quick=options.quick)
    except (ImportError, OSError, ValueError) as error:
        print(f"minigrad: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("minigrad: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

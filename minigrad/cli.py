"""The command line: ``minigrad demo``, ``minigrad fit``, ``minigrad predict``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from minigrad.table.arguments import add_fit, add_predict


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, or 2 with a message on stderr."""
    parser = argparse.ArgumentParser(
        prog="minigrad", description="Neural-network experiments on a CPU that end in knowledge."
    )
    commands = parser.add_subparsers(dest="command")
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
    add_fit(commands)
    add_predict(commands)
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 0
    try:
        _run(options)
    except (ImportError, OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError) and error.filename is not None
        text = f"there is no file {error.filename}" if missing else error  # type: ignore[union-attr]
        print(f"minigrad: {text}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        print(f"minigrad: {error or 'interrupted'}", file=sys.stderr)
        return 130
    return 0


def _run(options: argparse.Namespace) -> None:
    if options.command == "demo":
        from minigrad.demo import run_demo

        run_demo(options.out, seed=options.seed, mnist=options.mnist, quick=options.quick)
        return
    from minigrad.table.commands import run_fit, run_predict

    (run_fit if options.command == "fit" else run_predict)(options)


if __name__ == "__main__":
    raise SystemExit(main())

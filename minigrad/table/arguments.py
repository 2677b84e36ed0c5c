"""The options of ``minigrad fit`` and ``minigrad predict``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_fit(commands: Any) -> None:
    """Add ``fit`` to the commands of a parser."""
    parser = commands.add_parser(
        "fit", help="train a network on a CSV file, beside a linear model and the majority or mean"
    )
    parser.add_argument("data", type=Path, help="the table; its first line names the columns")
    parser.add_argument("--target", required=True, metavar="COLUMN", help="what to predict")
    parser.add_argument("--task", choices=("classification", "regression"), help="else found out")
    parser.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help="for model.safetensors, curves.png"
    )
    columns = parser.add_argument_group("columns")
    for name, what in (
        ("drop", "leave out"),
        ("numeric", "take as numbers"),
        ("categorical", "take as categories"),
    ):
        columns.add_argument(
            f"--{name}", action="append", default=[], metavar="COLUMN", help=f"{what}; repeatable"
        )
    columns.add_argument("--group", metavar="COLUMN", help="keep its rows of one value together")
    columns.add_argument("--time", metavar="COLUMN", help="test on the newest fifth of the rows")
    columns.add_argument(
        "--max-categories", type=int, default=50, metavar="N", help="features a column; default 50"
    )
    columns.add_argument(
        "--missing", action="append", default=[], metavar="TEXT", help="cells that mean missing"
    )
    columns.add_argument("--skip-missing-targets", action="store_true", help="leave such rows out")
    network = parser.add_argument_group(
        "network", "the linear model beside it is always trained in its own way"
    )
    network.add_argument(
        "--hidden", type=_widths, metavar="N,N", help="such as 64,32; none: a linear model"
    )
    network.add_argument("--epochs", type=int, default=300, help="at most; default 300")
    network.add_argument("--patience", type=int, default=20, help="epochs; default 20")
    network.add_argument("--batch-size", type=int, metavar="ROWS", help="default by rows")
    network.add_argument("--lr", type=float, help="of AdamW; default 0.001, or 0.01 if linear")
    network.add_argument("--dropout", type=float, default=0.1, metavar="P", help="default 0.1")
    network.add_argument("--weight-decay", type=float, help="default 0.01, or 0 if linear")
    network.add_argument("--seed", type=int, default=0, help="of split, weights and noise")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    file = parser.add_argument_group("file")
    _add_delimiter(file)
    file.add_argument("--decimal", default=".", metavar="CHAR", help="before the decimals")
    file.add_argument("--encoding", default="utf-8", help="of the text; default utf-8")


def add_predict(commands: Any) -> None:
    """Add ``predict`` to the commands of a parser."""
    parser = commands.add_parser("predict", help="predict for a CSV file with a model of fit")
    parser.add_argument("model", type=Path, help="the model.safetensors of fit")
    parser.add_argument("data", type=Path, help="the table, with the columns of the training")
    parser.add_argument("-o", "--out", type=Path, metavar="CSV", help="default: stdout")
    parser.add_argument(
        "--keep", action="append", default=[], metavar="COLUMN", help="copy to the output"
    )
    parser.add_argument(
        "--lenient",
        action="store_true",
        help="let unknown categories and unexpected gaps pass, with a note, as none and the middle",
    )
    _add_delimiter(parser)
    parser.add_argument("--decimal", metavar="CHAR", help="before the decimals; else as in fit")
    parser.add_argument("--encoding", help="of the text; else as in fit")


def _add_delimiter(parser: Any) -> None:
    parser.add_argument(
        "--delimiter", type=_character, metavar="CHAR", help="between columns; else found out"
    )


def _character(text: str) -> str:
    text = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(text) != 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not one character (or: tab)")
    return text


def _widths(text: str) -> tuple[int, ...]:
    if text.strip().lower() == "none":
        return ()
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not widths such as 64,32, or none") from None

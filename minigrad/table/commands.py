"""``minigrad fit`` and ``minigrad predict``: the table functions on files, and what they print."""

from __future__ import annotations

import argparse
import csv
import io
import sys
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from minigrad._files import write_whole
from minigrad.table.encoders import ENCODERS, Categorical, Encoder
from minigrad.table.fitting import fit_prepared
from minigrad.table.model import TableModel
from minigrad.table.prepare import Choices, Prepared, prepare
from minigrad.table.reading import read_table
from minigrad.table.training import Settings

_WIDTH = 88
_LISTED = 12


def run_fit(options: argparse.Namespace) -> None:
    """Train on a file, print what was found, write the model and its curves."""
    start = time.perf_counter()
    folder: Path = options.out
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"--out {folder} is a file: name a folder")
    reading = {
        "delimiter": options.delimiter,
        "decimal": options.decimal,
        "encoding": options.encoding,
        "missing": options.missing,
    }
    frame = read_table(options.data, **reading, text=options.categorical)
    separated = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}
    delimiter = frame.attrs["delimiter"]
    how = f", {separated.get(delimiter, repr(delimiter))}-separated" if delimiter else ""
    print(f"{options.data}: {len(frame):,} rows, {frame.shape[1]:,} columns{how}")
    prepared = prepare(frame, options.target, Choices(**_given(options, Choices)))
    settings = Settings.for_rows(len(prepared.parts["train"]), **_given(options, Settings))
    folder.mkdir(parents=True, exist_ok=True)
    print(describe(prepared, settings), flush=True)
    progress = False if options.quiet else None
    model = fit_prepared(
        prepared, settings, progress=progress, reading=reading, until_interrupted=True
    )
    print(_entry("trained", f"{len(model.history)} epochs; {model.history.stop_reason}"))
    print(f"\n{model.report.table()}\n")
    for text in (model.report.overfitting, model.report.comparison):
        print(fill(text, _WIDTH))
    path = folder / "model.safetensors"
    model.save(path)
    print(f"\n{path}  the model, for: minigrad predict {path} new.csv")
    try:
        from minigrad.table.plot import plot_model

        plot_model(model, folder / "curves.png")
        print(f"{folder / 'curves.png'}  the curves")
    except ImportError as error:
        print(f"no picture of the curves: {error}", file=sys.stderr)
    print(f"{time.perf_counter() - start:.1f} s in all")
    if model.interrupted:
        raise KeyboardInterrupt(
            f"interrupted in training: epoch {model.history.best_epoch}, the best so far, is saved"
        )


def _given(options: argparse.Namespace, kind: type[Any]) -> dict[str, Any]:
    """The options that are fields of a dataclass."""
    return {field.name: getattr(options, field.name) for field in fields(kind)}


def describe(prepared: Prepared, settings: Settings) -> str:
    """Return what was found out: the target, the columns by kind, the network, notes."""
    target = prepared.target
    values = target.why
    if target.task == "classification":
        shares = np.bincount(prepared.y) / len(prepared.y)
        pairs = zip(target.labels, shares.tolist(), strict=True)
        values = _listed([f"{label} {share:.1%}" for label, share in pairs])
    hint = "; --task overrides this" if "whole numbers" in target.why else ""
    lines = [_entry("target", f"{target.name}: {target.described} ({values}){hint}")]
    for kind in ENCODERS:
        names = [
            _described(encoder, prepared.missing.get(encoder.name, 0.0))
            for encoder in prepared.preprocess.encoders
            if encoder.kind == kind
        ]
        if names:
            lines.append(_entry(kind, _listed(names)))
    dropped = [f"{name} ({why})" for name, why in prepared.dropped.items()]
    if dropped:
        lines.append(_entry("dropped", _listed(dropped, "; ")))
    lines += [_entry("note", note) for note in prepared.notes]
    widths = "-".join(map(str, (prepared.x.shape[1], *settings.hidden, target.outputs)))
    how = f"dropout {settings.dropout:g}" if settings.hidden else "a linear model"
    how += (
        f", AdamW with lr {settings.lr:g} and weight decay {settings.weight_decay:g}, batches of "
        f"{settings.batch_size}"
    )
    lines.append(_entry("network", f"{widths}, {how}, seed {settings.seed}"))
    return "\n".join(lines)


def _described(encoder: Encoder, missing: float) -> str:
    details = []
    if isinstance(encoder, Categorical):
        details.append(f"{len(encoder.levels)}{' most frequent + others' * encoder.others}")
    if missing:
        details.append(f"{missing:.1%} missing")
    return f"{encoder.name} ({', '.join(details)})" if details else encoder.name


def _entry(head: str, text: str) -> str:
    return fill(text, _WIDTH, initial_indent=f"  {head:13}", subsequent_indent=" " * 15)


def _listed(names: Sequence[str], separator: str = ", ") -> str:
    more = f"{separator}and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return separator.join(names[:_LISTED]) + more


def run_predict(options: argparse.Namespace) -> None:
    """Predict for the rows of a file; predictions go to a file or to stdout, notes to stderr."""
    model = TableModel.load(options.model)
    reading = dict(model.reading)
    for name in ("delimiter", "decimal", "encoding"):
        if getattr(options, name) is not None:
            reading[name] = getattr(options, name)
    names = [e.name for e in model.preprocess.encoders if isinstance(e, Categorical)]
    frame = read_table(options.data, **reading, text=[*names, *options.keep])
    for name in options.keep:
        if name not in frame.columns:
            raise ValueError(f"--keep: {options.data} has no column {name!r}")
    notes: list[str] = []
    regression = model.target.task == "regression"
    found = model.predict(frame, lenient=options.lenient, notes=notes)
    columns: dict[str, list[str]] = {}
    for name in options.keep:
        columns[name] = frame[name].fillna("").astype(str).tolist()
    if regression:
        columns["prediction"] = [f"{value:.9g}" for value in found.tolist()]
    else:
        columns["prediction"] = [str(label) for label in found.tolist()]
        chances = model.predict_proba(frame, lenient=options.lenient)
        for label, chance in zip(model.target.labels, chances.T, strict=True):
            columns[f"probability {label}"] = [str(value) for value in chance]
    _write(columns, options.out)
    known = {*model.preprocess.names, *model.dropped, model.target.name, *options.keep}
    extra = [repr(name) for name in frame.columns if name not in known]
    if extra:
        notes.append(f"columns that the model does not know are left alone: {_listed(extra)}")
    for note in notes:
        print(f"minigrad: note: {note}", file=sys.stderr)
    if options.out is not None:
        print(f"{options.out}  {len(frame):,} predictions", file=sys.stderr)


def _write(columns: dict[str, list[str]], out: Path | None) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    if out is None:
        sys.stdout.write(text.getvalue())
    else:
        write_whole(out, text.getvalue().encode())

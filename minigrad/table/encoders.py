"""Encoders: one column of a table to features of a network, by what the training rows taught.

Each is a few plain values, so that it can be kept in a file; ``fit`` sees training rows only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from minigrad.table.cells import as_booleans, as_days, as_numbers, blame, levels, place, shown

Array = npt.NDArray[Any]

_YEAR, _WEEK = 365.2425, 7.0


@dataclass(frozen=True)
class Leniency:
    """What to do about cells that the training rows knew nothing like, and what was done.

    Attributes:
        lenient: treat them as missing, or as in the middle; else they are errors.
        notes: what a reader should know of the table, added to while it is encoded.
    """

    lenient: bool
    notes: list[str]

    def note(self, column: Any, rows: Array, what: str) -> None:
        """Note the rows of a mask, by the first of them."""
        count = int(rows.sum())
        first = place(column, int(np.flatnonzero(rows)[0]))
        times = "" if count == 1 else f" and {count - 1} more"
        self.notes.append(f"column {column.name!r}, {first}{times}: {what}")


@dataclass(frozen=True)
class Scale:
    """Standardisation: (x - mean) / std; a missing x is the median."""

    median: float
    mean: float
    std: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Array) -> Scale:
        """Return the scale of the values that are there; std is 0 if they do not differ."""
        known = values[~np.isnan(values)]
        if known.size == 0:
            return cls(0.0, 0.0, 0.0, 0.0, 0.0)
        low, high = float(known.min()), float(known.max())
        median = float(np.median(known))
        filled = np.where(np.isnan(values), median, values)
        unit = max(abs(low), abs(high)) or 1.0  # squares of 1e200 or 1e-200 have no float64
        std = unit * float((filled / unit).std()) if high > low else 0.0
        return cls(median, unit * float((filled / unit).mean()), std, low, high)

    def apply(self, values: Array) -> Array:
        """Return standardised values without gaps."""
        return (np.where(np.isnan(values), self.median, values) - self.mean) / self.std

    def far(self, values: Array) -> Array:
        """Return which values lie further from the known range than it is wide."""
        width = self.high - self.low
        return (values < self.low - width) | (values > self.high + width)


def check_gaps(column: Any, gaps: Array, known: bool, leniency: Leniency) -> None:
    """Raise ValueError if cells are missing where no training row's was, unless it is lenient."""
    if known or not gaps.any():
        return
    if not leniency.lenient:
        mend = "fill it in, or be lenient (--lenient): the middle of the training rows is taken"
        blame(column, gaps, "is empty, as it never was in a training row", mend)
    leniency.note(column, gaps, "empty, as in no training row; the middle was taken")


@dataclass(frozen=True)
class Numeric:
    """A column of numbers: standardised, and whether it is missing if it ever was."""

    name: str
    scale: Scale
    gaps: bool
    kind: ClassVar[str] = "numeric"

    @classmethod
    def fit(cls, column: Any, limit: int) -> Self:
        """Learn from the training rows."""
        values = cls._read(column)
        return cls(str(column.name), Scale.of(values), bool(np.isnan(values).any()))

    @property
    def features(self) -> list[str]:
        """The names of the features."""
        return self._names() + ([f"{self.name} is missing"] if self.gaps else [])

    def encode(self, column: Any, leniency: Leniency) -> list[Array]:
        """Return the features, each (n,)."""
        values = self._read(column)
        missing = np.isnan(values)
        check_gaps(column, missing, self.gaps, leniency)
        features = self._values(column, values, leniency)
        return features + ([missing.astype(np.float64)] if self.gaps else [])

    @staticmethod
    def _read(column: Any) -> Array:
        return as_numbers(column, _MEND)

    def _names(self) -> list[str]:
        return [self.name] if self.scale.std else []

    def _values(self, column: Any, values: Array, leniency: Leniency) -> list[Array]:
        """The features but for that of the gaps."""
        if not self.scale.std:
            return []
        if (far := self.scale.far(values)).any():
            known = f"{self.scale.low:g} to {self.scale.high:g}"
            value = values[int(np.flatnonzero(far)[0])]
            leniency.note(column, far, f"{value:g} is far outside the training rows' {known}")
        return [self.scale.apply(values)]


@dataclass(frozen=True)
class Date(Numeric):
    """A column of dates: days, standardised, and the place in the year and in the week."""

    kind: ClassVar[str] = "date"

    @staticmethod
    def _read(column: Any) -> Array:
        return as_days(column, _MEND)

    def _names(self) -> list[str]:
        days = ["days"] if self.scale.std else []
        parts = [*days, "year sin", "year cos", "week sin", "week cos"]
        return [f"{self.name} {part}" for part in parts]

    def _values(self, column: Any, values: Array, leniency: Leniency) -> list[Array]:
        scaled = [self.scale.apply(values)] if self.scale.std else []
        angles = [2 * np.pi * values / period for period in (_YEAR, _WEEK)]
        return scaled + [
            np.nan_to_num(wave(angle)) for angle in angles for wave in (np.sin, np.cos)
        ]


@dataclass(frozen=True)
class Boolean:
    """A column of true and false: 1 and 0, and whether it is missing if it ever was."""

    name: str
    usual: float
    gaps: bool
    kind: ClassVar[str] = "boolean"

    @classmethod
    def fit(cls, column: Any, limit: int) -> Boolean:
        """Learn from the training rows."""
        values = as_booleans(column, _MEND)
        missing = np.isnan(values)
        share = float(values[~missing].mean()) if not missing.all() else 0.0
        return cls(str(column.name), float(share > 0.5), bool(missing.any()))

    @property
    def features(self) -> list[str]:
        """The names of the features."""
        return [self.name] + ([f"{self.name} is missing"] if self.gaps else [])

    def encode(self, column: Any, leniency: Leniency) -> list[Array]:
        """Return the features, each (n,)."""
        values = as_booleans(column, _MEND)
        missing = np.isnan(values)
        check_gaps(column, missing, self.gaps, leniency)
        filled = np.where(missing, self.usual, values)
        return [filled] + ([missing.astype(np.float64)] if self.gaps else [])


@dataclass(frozen=True)
class Categorical:
    """A column of categories: a feature for each, for the rare ones together, for missing.

    Attributes:
        levels: the categories that have a feature, the most frequent first.
        others: whether there are more, which share a feature: then new ones belong there too.
        unused: categories of the table that no training row has, without a feature.
    """

    name: str
    levels: Sequence[str]
    others: bool
    gaps: bool
    unused: Sequence[str] = ()
    kind: ClassVar[str] = "categorical"

    @classmethod
    def fit(cls, column: Any, limit: int) -> Categorical:
        """Learn from the training rows; categories beyond the ``limit`` share a feature."""
        codes, texts = levels(column)
        counts = np.bincount(codes[codes >= 0], minlength=len(texts))
        order = sorted(range(len(texts)), key=lambda code: (-counts[code], texts[code]))
        names = [texts[code] for code in order[:limit]]
        return cls(str(column.name), names, len(texts) > limit, bool((codes < 0).any()))

    @property
    def features(self) -> list[str]:
        """The names of the features."""
        rest = (["(other)"] if self.others else []) + (["(missing)"] if self.gaps else [])
        return [f"{self.name} = {level}" for level in (*self.levels, *rest)]

    def encode(self, column: Any, leniency: Leniency) -> list[Array]:
        """Return the features, each (n,)."""
        codes, texts = levels(column)
        missing = codes < 0
        check_gaps(column, missing, self.gaps, leniency)
        number = {level: i for i, level in enumerate(self.levels)}
        unused = set(self.unused)
        other, nothing = len(number), len(number) + 1
        chosen = [number.get(text, nothing if text in unused else other) for text in texts]
        which = np.array([*chosen, nothing])[codes]
        unknown = which == other
        if unknown.any() and not self.others:
            self._unknown(column, unknown, leniency)
            missing = missing | unknown
        features = [which == code for code in range(len(self.levels))]
        features += [unknown] if self.others else []
        features += [missing] if self.gaps else []
        return [feature.astype(np.float64) for feature in features]

    def _unknown(self, column: Any, unknown: Array, leniency: Leniency) -> None:
        known = ", ".join(shown(level) for level in self.levels[:6])
        known += f" and {len(self.levels) - 6} more" if len(self.levels) > 6 else ""
        if not leniency.lenient:
            mend = "mend it, fit again with such rows, or be lenient (--lenient): it counts as none"
            blame(column, unknown, f"is not one of the known categories {known}", mend)
        leniency.note(column, unknown, "not a known category; it counts as none of them")


Encoder = Numeric | Boolean | Date | Categorical
ENCODERS: dict[str, type[Encoder]] = {
    encoder.kind: encoder for encoder in (Numeric, Boolean, Date, Categorical)
}
_MEND = "mend the cell, or leave it empty if it is not known"

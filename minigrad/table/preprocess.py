"""From a table to the numbers that a network takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad.table.cells import levels
from minigrad.table.columns import Found, check_names, suggestion
from minigrad.table.encoders import ENCODERS, Categorical, Encoder, Leniency, Scale

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Preprocess:
    """The encoders of all columns, in the table's order.

    Example:
        >>> import pandas
        >>> from minigrad.table.columns import Found
        >>> from minigrad.table.preprocess import Preprocess
        >>> frame = pandas.DataFrame({"size": [1.0, 3.0, None], "shape": ["o", "x", "o"]})
        >>> found = [Found("size", "numeric"), Found("shape", "categorical")]
        >>> preprocess = Preprocess.fit(frame, found, rows=[0, 1, 2])
        >>> preprocess.features
        ['size', 'size is missing', 'shape = o', 'shape = x']
        >>> preprocess.encode(frame).tolist()[2]
        [0.0, 1.0, 1.0, 0.0]
    """

    encoders: tuple[Encoder, ...]

    @classmethod
    def fit(
        cls, frame: Any, found: Sequence[Found], rows: npt.ArrayLike, max_categories: int = 50
    ) -> Preprocess:
        """Learn scales and categories from the training ``rows`` of a table."""
        chosen = np.asarray(rows)
        encoders = []
        for entry in found:
            if entry.kind == "dropped":
                continue
            column = frame[entry.name]
            encoder = ENCODERS[entry.kind].fit(column.iloc[chosen], max_categories)
            if isinstance(encoder, Categorical) and not encoder.others:
                unused = [text for text in levels(column)[1] if text not in encoder.levels]
                encoder = replace(encoder, unused=unused)
            encoders.append(encoder)
        return cls(tuple(encoder for encoder in encoders if encoder.features))

    @property
    def features(self) -> list[str]:
        """The names of the network's inputs."""
        return [name for encoder in self.encoders for name in encoder.features]

    def encode(
        self, frame: Any, *, lenient: bool = True, notes: list[str] | None = None
    ) -> npt.NDArray[np.float32]:
        """Return the features of every row, (n, features), all finite.

        Args:
            frame: a table with at least the columns of the training.
            lenient: let unknown categories, and gaps where the training rows had none, pass.
            notes: gets a line on everything that a reader should know of.

        Raises:
            ValueError: a column is missing or doubled, or a cell does not fit; both are named.
        """
        check_names(frame, {})
        names = [str(name) for name in frame.columns]
        absent = [encoder.name for encoder in self.encoders if encoder.name not in names]
        if absent:
            listed = ", ".join(repr(name) for name in absent[:8])
            more = f" and {len(absent) - 8} more" if len(absent) > 8 else ""
            raise ValueError(
                f"the table lacks {listed}{more}, which the model needs"
                + suggestion(absent[0], [name for name in names if name not in self.names])
            )
        leniency = Leniency(lenient, [] if notes is None else notes)
        table = np.empty((len(frame), len(self.features)), dtype=np.float32)
        start = 0
        for encoder in self.encoders:
            column = frame.iloc[:, names.index(encoder.name)]
            for feature in encoder.encode(column, leniency):
                table[:, start] = feature
                start += 1
        return table

    @property
    def names(self) -> list[str]:
        """The columns that are used."""
        return [encoder.name for encoder in self.encoders]

    def state(self) -> list[dict[str, Any]]:
        """Return plain values, for a file."""
        return [{"kind": encoder.kind, **asdict(encoder)} for encoder in self.encoders]

    @classmethod
    def from_state(cls, state: Sequence[dict[str, Any]]) -> Preprocess:
        """Return what ``state`` was taken from."""
        encoders = []
        for entry in state:
            fields = dict(entry)
            encoder = ENCODERS[fields.pop("kind")]
            if "scale" in fields:
                fields["scale"] = Scale(**fields["scale"])
            encoders.append(encoder(**fields))
        return cls(tuple(encoders))

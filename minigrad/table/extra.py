"""pandas, imported when a table is first touched, as it is an extra and takes time."""

from __future__ import annotations

from typing import Any


def pandas() -> Any:
    """Return the pandas module.

    Raises:
        ImportError: it is not installed; the message names the extra.
    """
    try:
        import pandas  # type: ignore[import-untyped]
    except ImportError as error:
        raise ImportError("tables need pandas: pip install 'minigrad[table]'") from error
    return pandas

"""The user's own table: columns found out, a network trained beside baselines, all in one file.

``minigrad fit data.csv --target COLUMN`` and ``minigrad predict model.safetensors new.csv`` are
these functions on files. The extra ``table`` must be installed: ``pip install 'minigrad[table]'``.
"""

from minigrad.table.fitting import fit
from minigrad.table.model import TableModel
from minigrad.table.reading import read_table
from minigrad.table.report import Report

__all__ = ["Report", "TableModel", "fit", "read_table"]

"""Data: arrays in, arrays out; splitting, toy problems and readers that name what is wrong.

Everything random takes a ``seed`` and draws from numpy's counter-based Philox generator, so the
same seed gives the same rows on every machine.
"""

from minigrad.data.dataset import Dataset
from minigrad.data.digits import load_digits, load_mnist
from minigrad.data.readers import read_csv, read_idx
from minigrad.data.split import k_fold, split
from minigrad.data.toys import make_circles, make_moons, make_polynomial

__all__ = [
    "Dataset",
    "k_fold",
    "load_digits",
    "load_mnist",
    "make_circles",
    "make_moons",
    "make_polynomial",
    "read_csv",
    "read_idx",
    "split",
]

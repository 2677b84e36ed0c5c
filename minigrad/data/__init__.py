"""Data: arrays in, arrays out; splitting, toy problems and readers that name what is wrong.

Everything random takes a ``seed`` and draws from numpy's counter-based Philox generator, so the
same seed gives the same rows on every machine.
"""

from typing import TYPE_CHECKING, Any

from minigrad._names import missing
from minigrad.data.dataset import Dataset
from minigrad.data.digits import load_digits, load_mnist
from minigrad.data.fashion import fashion_mnist
from minigrad.data.readers import read_csv, read_idx
from minigrad.data.split import k_fold, split
from minigrad.data.toys import make_circles, make_moons, make_polynomial
from minigrad.data.weights import class_weights

__all__ = [
    "Dataset",
    "class_weights",
    "fashion_mnist",
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


if not TYPE_CHECKING:  # which would then know of no missing name

    def __getattr__(name: str) -> Any:
        raise missing(__name__, name)

"""Real handwritten digits: scikit-learn's bundled ones, or MNIST from files the user has."""

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad.data.readers import read_idx

Array = npt.NDArray[Any]


def load_digits() -> tuple[Array, Array]:
    """Return 1797 real handwritten digits that come with scikit-learn; no download.

    8 x 8 pixels scaled to [0, 1], from the UCI set "Optical Recognition of Handwritten Digits".

    Returns:
        x (1797, 64) float32 and y (1797,) int64, classes 0 to 9.

    Raises:
        ImportError: scikit-learn is missing; the message says what to install.

    Example:
        >>> from minigrad.data import load_digits
        >>> x, y = load_digits()  # doctest: +SKIP
    """
    try:
        from sklearn import datasets  # type: ignore[import-untyped]
    except ImportError as error:
        raise ImportError(
            "the digits come with scikit-learn: pip install 'minigrad[sklearn]'"
        ) from error
    x, y = datasets.load_digits(return_X_y=True)
    return (x / 16.0).astype(np.float32), y.astype(np.int64)


def load_mnist(folder: str | PathLike[str], *, train: bool = True) -> tuple[Array, Array]:
    """Read MNIST, Fashion-MNIST or any set with the same file names from a folder.

    Args:
        folder: holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` and the two
            ``t10k-`` files; each may end in ``.gz``.
        train: the 60,000 training images, or the 10,000 test images.

    Returns:
        x (n, 784) float32 scaled to [0, 1] and y (n,) int64.

    Raises:
        FileNotFoundError: a file is missing; the message names it.
        ValueError: a file is damaged, or images and labels do not belong together.

    Example:
        >>> from minigrad.data import load_mnist
        >>> x, y = load_mnist("mnist", train=False)  # doctest: +SKIP
    """
    part = "train" if train else "t10k"
    images = read_idx(_find(Path(folder), f"{part}-images-idx3-ubyte"))
    labels = read_idx(_find(Path(folder), f"{part}-labels-idx1-ubyte"))
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise ValueError(
            f"{folder}: images of shape {images.shape} and labels of shape {labels.shape} do not "
            "belong together"
        )
    return (images.reshape(len(images), -1) / np.float32(255)).astype(np.float32), labels.astype(
        np.int64
    )


def _find(folder: Path, name: str) -> Path:
    for file in (folder / name, folder / f"{name}.gz"):
        if file.is_file():
            return file
    raise FileNotFoundError(f"{folder} holds neither {name} nor {name}.gz")

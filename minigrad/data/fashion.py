"""Fashion-MNIST: fetched once from its official address, checked, and kept."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from http.client import HTTPException
from os import PathLike
from pathlib import Path
from typing import Any

import numpy.typing as npt

from minigrad._files import write_whole
from minigrad.data.digits import load_mnist

Array = npt.NDArray[Any]

__all__ = ["fashion_mnist"]

# Address and MD5 sums as in the README of https://github.com/zalandoresearch/fashion-mnist, which
# holds the files, too: what one address cannot give the next one may.
_ADDRESSES = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
_MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
_SECONDS = 30  # without an answer


def fashion_mnist(
    folder: str | PathLike[str] | None = None, *, train: bool = True, download: bool = True
) -> tuple[Array, Array]:
    """Return Fashion-MNIST: 28 x 28 grey images of clothes in 10 classes, instead of digits.

    Xiao, Rasul and Vollgraf (2017, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
    Learning Algorithms"). Classes: 0 T-shirt, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal,
    6 shirt, 7 sneaker, 8 bag, 9 ankle boot. What is missing is downloaded (30 MB in all) and
    kept, so that later calls need no network; every file is checked against the official MD5 sum.

    Args:
        folder: where the four ``.gz`` files are or shall be; None: ``fashion-mnist`` in
            ``$MINIGRAD_DATA``, or in the user's cache (``$XDG_CACHE_HOME/minigrad``).
        train: the 60,000 training images, or the 10,000 test images.
        download: fetch what is missing; if off, that is an error.

    Returns:
        x (n, 784) float32 scaled to [0, 1] and y (n,) int64.

    Raises:
        FileNotFoundError: a file is missing and ``download`` is off.
        ValueError: a file that is there does not have the official content; the message names it.
        OSError: the download failed, or gave something else; nothing is left behind.

    Example:
        >>> from minigrad.data import fashion_mnist
        >>> x, y = fashion_mnist(train=False)  # doctest: +SKIP
    """
    place = _cache() if folder is None else Path(folder)
    part = "train" if train else "t10k"
    for name in (name for name in _MD5 if name.startswith(part)):
        file = place / name
        if file.exists():
            if (found := _md5(file.read_bytes())) != _MD5[name]:
                raise ValueError(
                    f"{file} is damaged: its MD5 sum is {found}, the official one {_MD5[name]}: "
                    "delete it, and it is fetched again"
                )
        elif download:
            content = _fetched(name, file.parent)
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, content)
        else:
            raise FileNotFoundError(
                f"{file} does not exist: put it there or use download=True ({_ADDRESSES[0]}{name})"
            )
    return load_mnist(place, train=train)


def _cache() -> Path:
    if own := os.environ.get("MINIGRAD_DATA"):
        return Path(own) / "fashion-mnist"
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "minigrad" / "fashion-mnist"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _fetched(name: str, folder: Path) -> bytes:
    """Return the official content of a file, from the first address that gives it."""
    problems = []
    for address in _ADDRESSES:
        try:
            with urllib.request.urlopen(address + name, timeout=_SECONDS) as answer:
                content: bytes = answer.read()
        except (OSError, HTTPException) as error:
            problems.append(f"{address}{name} ({error})")
            continue
        if (found := _md5(content)) == _MD5[name]:
            return content
        problems.append(
            f"{address}{name} (it gave {len(content)} bytes with the MD5 sum {found}, the official "
            f"one is {_MD5[name]})"
        )
    raise OSError(
        f"could not fetch {', nor '.join(problems)}: without a network, put the file into {folder}"
    )

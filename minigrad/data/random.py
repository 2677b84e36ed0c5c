"""The one place where data code gets its random numbers."""

import numpy as np

from minigrad._check import integer


def generator(seed: int, stream: int = 0) -> np.random.Generator:
    """Return numpy's Philox generator for ``(seed, stream)``.

    Streams of one seed are independent: `k_fold` uses the number of the fold as the stream.

    Raises:
        TypeError, ValueError: seed or stream is no whole number of at least 0.

    Example:
        >>> from minigrad.data.random import generator
        >>> generator(0).permutation(4).tolist() == generator(0).permutation(4).tolist()
        True
    """
    key = np.array([integer("seed", seed, 0), integer("stream", stream, 0)], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))

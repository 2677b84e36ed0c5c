"""The one place where data code gets its random numbers."""

import numpy as np


def generator(seed: int, stream: int = 0) -> np.random.Generator:
    """Return numpy's Philox generator for ``(seed, stream)``.

    Streams of one seed are independent: the trainer uses the epoch as the stream.

    Example:
        >>> from minigrad.data.random import generator
        >>> generator(0).permutation(4).tolist() == generator(0).permutation(4).tolist()
        True
    """
    if seed < 0 or stream < 0:
        raise ValueError(f"seed and stream must be >= 0, got {seed} and {stream}")
    key = np.array([seed, stream], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))

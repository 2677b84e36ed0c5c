"""Random ops: calls, and what must hold of the numbers they draw."""

from __future__ import annotations

import numpy as np
from draws import Call, Source, real


def key(s: Source) -> np.ndarray:
    return s.rng.integers(-(2**62), 2**62, 2)


def key_only(s: Source) -> Call:
    return Call((key(s),))


def floats(s: Source) -> Call:
    return Call((key(s),), {"shape": (300, *s.shape(max_rank=2)), "dtype": s.integer(0, 1)})


def moments(x: np.ndarray, mean: float, deviation: float) -> None:
    """Mean and deviation are as they should be, within 6 standard errors."""
    if x.size == 0:
        return
    error = deviation / np.sqrt(x.size)
    assert abs(x.mean() - mean) < 6 * error
    assert abs(x.std() - deviation) < 6 * error


def check_shape(x: np.ndarray, call: Call) -> None:
    assert x.shape == call.attrs["shape"]
    assert x.dtype == (np.float32, np.float64)[call.attrs["dtype"]]


def check_uniform(out: list[np.ndarray], call: Call) -> None:
    check_shape(out[0], call)
    assert ((out[0] >= 0) & (out[0] < 1)).all()
    moments(out[0], 0.5, np.sqrt(1 / 12))


def check_normal(out: list[np.ndarray], call: Call) -> None:
    check_shape(out[0], call)
    assert np.isfinite(out[0]).all()
    moments(out[0], 0, 1)


def randint(s: Source) -> Call:
    low = s.integer(-5, 5)
    shape = (400, s.size(), *[6] * (s.scale > 1))
    return Call((key(s),), {"low": low, "high": low + s.integer(1, 7), "shape": shape})


def check_randint(out: list[np.ndarray], call: Call) -> None:
    x, low, high = out[0], call.attrs["low"], call.attrs["high"]
    assert x.dtype == np.int64
    assert x.shape == call.attrs["shape"]
    if x.size:
        assert set(np.unique(x)) == set(range(low, high))


def permutation(s: Source) -> Call:
    return Call((key(s),), {"n": s.integer(0, 300)})


def check_permutation(out: list[np.ndarray], call: Call) -> None:
    assert out[0].dtype == np.int64
    assert sorted(out[0]) == list(range(call.attrs["n"]))


def dropout(s: Source) -> Call:
    p = s.choice([0.0, 0.25, 0.5, 0.1, 0.9, 1.0])
    return Call((real(s.rng, (500, *s.shape(max_rank=2))), key(s)), {"p": p})


def check_dropped(kept: np.ndarray, p: float) -> None:
    if p in (0.0, 1.0):
        assert (kept == (p == 0)).all()
    elif kept.size:
        assert abs(kept.mean() - (1 - p)) < 6 * np.sqrt(p * (1 - p) / kept.size)


def check_dropout(out: list[np.ndarray], call: Call) -> None:
    x, p = call.inputs[0], call.attrs["p"]
    assert x is not None
    kept = out[0] != 0
    check_dropped(kept, p)
    np.testing.assert_allclose(out[0][kept], x[kept] / (1 - p) if p < 1 else [], rtol=1e-6)


def dropout2d(s: Source) -> Call:
    shape = (20, 25, *s.shape(max_rank=2, low=1))
    return Call((real(s.rng, shape), key(s)), {"p": s.choice([0.0, 0.25, 0.5, 0.1, 1.0])})


def check_dropout2d(out: list[np.ndarray], call: Call) -> None:
    check_dropout([out[0][:, :, None].reshape(500, -1)[:, :1]], _first_of_channels(call))
    whole = (out[0] != 0).reshape(500, -1)
    assert (whole == whole[:, :1]).all(), "a channel is dropped in part"


def _first_of_channels(call: Call) -> Call:
    x = call.inputs[0]
    assert x is not None
    return Call((x.reshape(500, -1)[:, :1],), call.attrs)

"""Clipping of gradients by norm and value, and of weight rows by MaxNorm."""

import math

import numpy as np
import pytest
from optimizers import parameter

import minigrad as mg
from minigrad import optim


def with_gradients(seed=0):
    rng = np.random.default_rng(seed)
    ps = [parameter(rng.normal(size=s)) for s in [(20, 30), (17,), ()]]
    for p in ps:
        p.grad = mg.tensor(rng.normal(size=p.shape))
    return [*ps, parameter([1.0])]


def flat(ps):
    return np.concatenate([p.grad.numpy().ravel() for p in ps if p.grad is not None])


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, math.inf])
@pytest.mark.parametrize("max_norm", [0.5, 1e4])
def test_clip_grad_norm(norm_type, max_norm):
    ps = with_gradients()
    before = flat(ps)
    norm = optim.clip_grad_norm_(ps, max_norm, norm_type)
    expected = np.linalg.norm(before, norm_type)
    np.testing.assert_allclose(norm.item(), expected, rtol=1e-12)
    factor = min(1, max_norm / (expected + 1e-6))
    np.testing.assert_allclose(flat(ps), before * factor, rtol=1e-12)
    if factor == 1:
        np.testing.assert_array_equal(flat(ps), before)


def test_clip_grad_norm_edges():
    assert optim.clip_grad_norm_([parameter([1.0])], 1.0).item() == 0
    p = parameter([1.0, 2.0])
    p.grad = mg.tensor([np.nan, 1.0], "float64")
    with pytest.raises(ValueError, match="norm of the gradients is nan"):
        optim.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    assert p.grad.tolist()[1] == 1
    assert math.isnan(optim.clip_grad_norm_(p, 1.0).item())
    assert math.isnan(optim.clip_grad_norm_(p, 1.0, math.inf).item())
    for bad in (-1.0, math.nan):
        with pytest.raises(ValueError, match="max_norm must be"):
            optim.clip_grad_norm_(p, bad)
    with pytest.raises(ValueError, match="norm_type must be above 0"):
        optim.clip_grad_norm_(p, 1.0, 0.0)


def test_total_norm_joins_dtypes_and_chunks():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=50_001).astype(np.float32), rng.normal(size=9000)
    norm = mg._core.total_norm(mg.tensor(a), mg.tensor(b))
    expected = math.sqrt((a.astype(np.float64) ** 2).sum() + (b**2).sum())
    assert norm.dtype == np.float64
    np.testing.assert_allclose(norm.item(), expected, rtol=1e-6)
    largest = mg._core.total_norm(mg.tensor(-abs(a)), mg.tensor(b), largest=True)
    assert largest.item() == max(abs(a).max(), abs(b).max())


def test_clip_grad_value():
    ps = with_gradients()
    before = flat(ps)
    optim.clip_grad_value_(ps, 0.3)
    np.testing.assert_array_equal(flat(ps), np.clip(before, -0.3, 0.3))


def test_max_norm_scales_rows_back():
    rng = np.random.default_rng(4)
    w = rng.normal(size=(6, 2, 5)) * np.arange(6)[:, None, None]
    t = mg.tensor(w)
    mg._core.max_norm_(t, 3.0)
    norms = np.linalg.norm(w.reshape(6, -1), axis=1)
    factor = np.minimum(1, 3 / np.maximum(norms, 1e-30))
    np.testing.assert_allclose(t.numpy(), w * factor[:, None, None], rtol=1e-14)
    np.testing.assert_array_equal(t.numpy()[norms <= 3], w[norms <= 3])
    with pytest.raises(ValueError, match="2 dimensions or more"):
        mg._core.max_norm_(mg.ones(3), 1.0)
    with pytest.raises(ValueError, match="max_norm must be above 0, got -1"):
        mg._core.max_norm_(t, -1.0)

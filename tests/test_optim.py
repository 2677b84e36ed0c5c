"""Optimizers against the papers' formulas in numpy; the decay rule; state; errors."""

import contextlib
import hashlib
import math
import os
import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad import optim

STEPS = 100


def sgd(p, grads, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, l1=0, keep=0):
    buf = None
    for g in grads:
        g = g + weight_decay * p + l1 * np.sign(p)
        p = p * (1 - lr * keep)
        if momentum:
            buf = g if buf is None else momentum * buf + (1 - dampening) * g
            g = g + momentum * buf if nesterov else buf
        p = p - lr * g
    return p


def adam(
    p, grads, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, l1=0, keep=0
):
    m, v, top = 0 * p, 0 * p, 0 * p
    for t, g in enumerate(grads, 1):
        g = g + weight_decay * p + l1 * np.sign(p)
        p = p * (1 - lr * keep)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        top = np.maximum(top, v)
        denominator = np.sqrt((top if amsgrad else v) / (1 - betas[1] ** t)) + eps
        p = p - lr * (m / (1 - betas[0] ** t)) / denominator
    return p


def rmsprop(
    p,
    grads,
    lr=1e-2,
    alpha=0.99,
    eps=1e-8,
    weight_decay=0,
    momentum=0,
    centered=False,
    l1=0,
    keep=0,
):
    v, mean, buf = 0 * p, 0 * p, 0 * p
    for g in grads:
        g = g + weight_decay * p + l1 * np.sign(p)
        p = p * (1 - lr * keep)
        v = alpha * v + (1 - alpha) * g * g
        mean = alpha * mean + (1 - alpha) * g
        step = g / (np.sqrt(v - mean * mean if centered else v) + eps)
        if momentum:
            buf = momentum * buf + step
            step = buf
        p = p - lr * step
    return p


def decoupled(options):
    """The reference's arguments for decoupled decay."""
    options = {k: v for k, v in options.items() if k != "decoupled_weight_decay"}
    return {**options, "keep": options.pop("weight_decay", 0), "weight_decay": 0}


CASES = [
    (optim.SGD, sgd, {}),
    (optim.SGD, sgd, {"lr": 0.1, "momentum": 0.9}),
    (optim.SGD, sgd, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    (optim.SGD, sgd, {"lr": 0.1, "momentum": 0.8, "nesterov": True, "l1": 0.01}),
    (optim.SGD, sgd, {"lr": 0.1, "weight_decay": 0.2, "decoupled_weight_decay": True}),
    (optim.Adam, adam, {}),
    (optim.Adam, adam, {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    (optim.Adam, adam, {"lr": 0.05, "amsgrad": True, "l1": 0.02}),
    (optim.Adam, adam, {"lr": 0.05, "weight_decay": 0.3, "decoupled_weight_decay": True}),
    (optim.RMSprop, rmsprop, {}),
    (optim.RMSprop, rmsprop, {"lr": 0.01, "alpha": 0.9, "eps": 1e-2, "weight_decay": 0.1}),
    (optim.RMSprop, rmsprop, {"centered": True, "eps": 1e-3, "momentum": 0.5, "l1": 0.01}),
    (optim.RMSprop, rmsprop, {"weight_decay": 0.3, "decoupled_weight_decay": True}),
]


def problem(shape=(5, 7), seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape), rng.normal(size=(STEPS, *shape))


def train(optimizer, p, grads):
    for g in grads:
        p.grad = mg.tensor(g.astype(p.dtype))
        optimizer.step()
    return p.detach().numpy()


def parameter(values, dtype="float64"):
    return mg.tensor(values, dtype, requires_grad=True)


@pytest.mark.parametrize(("make", "formula", "options"), CASES)
@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-11), ("float32", 2e-4)])
def test_trajectory_is_the_formula(make, formula, options, dtype, rtol):
    start, grads = problem()
    p = parameter(start, dtype)
    got = train(make([p], **options), p, grads)
    known = decoupled(options) if "decoupled_weight_decay" in options else options
    expected = formula(start, grads, **known)
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol)
    assert not np.allclose(got, start, rtol=1e-3)


def test_adamw_is_adam_with_decoupled_decay():
    start, grads = problem()
    p, q = parameter(start), parameter(start)
    got = train(optim.AdamW([p], lr=0.02), p, grads)
    np.testing.assert_allclose(got, adam(start, grads, lr=0.02, keep=1e-2), rtol=1e-11)
    other = optim.Adam([q], lr=0.02, weight_decay=1e-2, decoupled_weight_decay=True)
    np.testing.assert_array_equal(train(other, q, grads), got)


@pytest.mark.parametrize(
    ("make", "formula"), [(optim.SGD, sgd), (optim.Adam, adam), (optim.RMSprop, rmsprop)]
)
@pytest.mark.parametrize("shape", [(), (6,), (3, 2), (2, 2, 2, 2)])
def test_decay_leaves_out_biases_unless_asked(make, formula, shape):
    start, grads = problem(shape)
    for decay_all in (False, True):
        p = parameter(start)
        got = train(make([p], lr=0.1, weight_decay=0.5, l1=0.1, decay_all=decay_all), p, grads)
        decays = {"weight_decay": 0.5, "l1": 0.1} if decay_all or len(shape) >= 2 else {}
        np.testing.assert_allclose(got, formula(start, grads, lr=0.1, **decays), rtol=1e-9)


@pytest.mark.parametrize(("make", "formula", "options"), CASES)
def test_state_round_trip_gives_the_same_bits(make, formula, options, tmp_path):
    start, grads = problem()
    p, q = parameter(start, "float32"), parameter(start, "float32")
    whole = make([p], **options)
    expected = train(whole, p, grads).copy()
    first = make([q], **options)
    train(first, q, grads[:40])
    mg.save({"optimizer": first.state_dict(), "weights": q.detach()}, tmp_path / "half")
    found = mg.load(tmp_path / "half")
    q = parameter(found["weights"].numpy(), "float32")
    second = make([q])
    second.load_state_dict(found["optimizer"])
    np.testing.assert_array_equal(train(second, q, grads[40:]), expected)
    assert second.state[q]["step"] == STEPS
    assert second.param_groups[0].options == whole.param_groups[0].options


def test_state_dict_is_a_snapshot():
    start, grads = problem()
    p = parameter(start)
    optimizer = optim.Adam([p])
    train(optimizer, p, grads[:3])
    saved = optimizer.state_dict()
    before = saved["state"][0]["exp_avg"].numpy().copy()
    train(optimizer, p, grads[3:6])
    np.testing.assert_array_equal(saved["state"][0]["exp_avg"].numpy(), before)
    assert saved["state"][0]["step"] == 3
    assert saved["param_groups"][0]["params"] == [0]


def test_wrong_state_changes_nothing():
    start, grads = problem()
    p, q = parameter(start), parameter(start[0])
    optimizer = optim.Adam([p], lr=0.5)
    train(optimizer, p, grads[:2])
    before = optimizer.state_dict()
    other = optim.Adam([q]).state_dict()
    with pytest.raises(ValueError, match=r"exp_avg of parameter 0 is float64 of shape \(7,\)"):
        optimizer.load_state_dict(other)
    with pytest.raises(ValueError, match="lacks exp_avg, exp_avg_sq"):
        optimizer.load_state_dict(optim.RMSprop([p]).state_dict())
    with pytest.raises(ValueError, match=r"groups of \[2\] parameters, the optimizer of \[1\]"):
        optimizer.load_state_dict(optim.Adam([p, q]).state_dict())
    with pytest.raises(ValueError, match="'param_groups' and 'state'"):
        optimizer.load_state_dict({"model": 1})
    bad = optimizer.state_dict()
    bad["param_groups"][0]["lr"] = float("nan")
    with pytest.raises(ValueError, match="lr must be finite, got nan"):
        optimizer.load_state_dict(bad)
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    assert after["state"][0]["step"] == 2
    np.testing.assert_array_equal(
        after["state"][0]["exp_avg"].numpy(), before["state"][0]["exp_avg"].numpy()
    )


def test_missing_gradients_are_skipped():
    p, q = parameter([[1.0]]), parameter([[1.0]])
    optimizer = optim.AdamW([p, q], lr=0.1, weight_decay=0.5)
    (p * 3).sum().backward()
    optimizer.step()
    assert p.item() != 1
    assert q.item() == 1
    assert [s["step"] for s in optimizer.state.values()] == [1, 0]


def test_groups_have_options_of_their_own():
    start, grads = problem()
    p, q = parameter(start), parameter(start)
    optimizer = optim.SGD([{"params": [p], "lr": 0.5}, {"params": q}], lr=0.1)
    for g in grads[:3]:
        p.grad = mg.tensor(g)
        q.grad = mg.tensor(g)
        optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), sgd(start, grads[:3], 0.5), rtol=1e-12)
    np.testing.assert_allclose(q.detach().numpy(), sgd(start, grads[:3], 0.1), rtol=1e-12)


def test_an_option_set_later_takes_effect():
    start, grads = problem()
    p = parameter(start)
    optimizer = optim.Adam([p], lr=0.1)
    train(optimizer, p, grads[:1])
    before = p.detach().numpy().copy()
    optimizer.param_groups[0]["lr"] = 0.0
    train(optimizer, p, grads[1:2])
    np.testing.assert_array_equal(p.detach().numpy(), before)
    with pytest.raises(ValueError, match=r"lr must be in \[0.0, inf\), got -1"):
        optimizer.param_groups[0]["lr"] = -1
    with pytest.raises(ValueError, match="betas"):
        optimizer.param_groups[0].update(betas=(0.9, 1.0))
    with pytest.raises(ValueError, match="add_param_group"):
        optimizer.param_groups[0]["params"] = []
    assert optimizer.param_groups[0]["lr"] == 0
    assert optimizer.param_groups[0]["betas"] == (0.9, 0.999)


def test_zero_grad():
    p = parameter([1.0, 2.0])
    optimizer = optim.SGD([p])
    p.sum().backward()
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert p.grad is None
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is None


def test_step_with_a_closure_returns_its_loss():
    p = parameter([2.0])
    optimizer = optim.SGD([p], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 4
    assert p.tolist() == [0.0]


BAD = [
    (optim.SGD, {"lr": -0.1}, r"lr must be in \[0.0, inf\), got -0.1"),
    (optim.SGD, {"lr": float("nan")}, "lr must be finite, got nan"),
    (optim.SGD, {"momentum": -1}, "momentum must be in"),
    (optim.SGD, {"weight_decay": float("inf")}, "weight_decay must be finite"),
    (optim.SGD, {"nesterov": True}, "nesterov needs momentum above 0"),
    (optim.SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "dampening = 0.1"),
    (optim.SGD, {"l1": -1}, "l1 must be in"),
    (optim.Adam, {"betas": (1.0, 0.999)}, r"betas\[0\] must be in \[0, 1\), got 1.0"),
    (optim.Adam, {"betas": (0.9, -0.1)}, r"betas\[1\]"),
    (optim.Adam, {"betas": 0.9}, "betas must be two numbers, got 0.9"),
    (optim.AdamW, {"eps": -1e-8}, "eps must be in"),
    (optim.RMSprop, {"alpha": 1.5}, r"alpha must be in \[0, 1\], got 1.5"),
    (optim.RMSprop, {"momentum": float("nan")}, "momentum must be finite"),
]


@pytest.mark.parametrize(("make", "options", "message"), BAD)
def test_wrong_options_are_named(make, options, message):
    with pytest.raises(ValueError, match=message):
        make([parameter([1.0])], **options)


def test_wrong_parameters_are_named():
    p = parameter([1.0])
    with pytest.raises(ValueError, match="no parameters"):
        optim.Adam([])
    with pytest.raises(ValueError, match="a parameter group is empty"):
        optim.Adam([{"params": []}])
    with pytest.raises(TypeError, match="iterable of parameters, got one Tensor"):
        optim.Adam(p)
    with pytest.raises(TypeError, match=r"parameter 1 must be a Tensor, got float: 3\.0"):
        optim.Adam([p, 3.0])
    with pytest.raises(ValueError, match="parameter 0 is the result of an op"):
        optim.Adam([p * 2])
    with pytest.raises(ValueError, match=r"parameter 1 of shape \(1,\) is given twice"):
        optim.Adam([p, p])
    with pytest.raises(TypeError, match="float32 or float64, got int64"):
        optim.Adam([mg.arange(3)])
    with pytest.raises(ValueError, match="may set lr, betas"):
        optim.Adam([{"params": [p], "rate": 1}])
    with pytest.raises(TypeError, match="lr must be a number, got '1e-3x'"):
        optim.Adam([p], lr="1e-3x")


def test_ops_refuse_what_does_not_fit():
    p, hyper = mg.zeros(3), mg.zeros(8, dtype="float64")
    with pytest.raises(ValueError, match=r"gradient has shape \(2,\), the parameter \(3,\)"):
        mg._core.sgd_(p, mg.zeros(2), hyper)
    with pytest.raises(TypeError, match="gradient is float64, the parameter float32"):
        mg._core.sgd_(p, mg.zeros(3, dtype="float64"), hyper)
    with pytest.raises(ValueError, match="hyper must be float64 of 8 elements, got float32"):
        mg._core.sgd_(p, mg.zeros(3), mg.zeros(8))
    with pytest.raises(ValueError, match=r"factor must be float64 of one element, .* \(2,\)"):
        mg._core.scale_(p, mg.zeros(2, dtype="float64"))
    with pytest.raises(RuntimeError, match="no_grad"):
        mg._core.sgd_(parameter([1.0]), mg.zeros(1, dtype="float64"), hyper)


def test_strided_parameters_and_gradients():
    start, grads = problem((5, 7))
    p, q = parameter(start), parameter(start.T).T.detach().requires_grad_()
    assert not q.is_contiguous()
    made = optim.Adam([p]), optim.Adam([q])
    for g in grads[:3]:
        p.grad, q.grad = mg.tensor(g), mg.tensor(g.T).T
        assert optim.clip_grad_norm_([p], 1.0).item() == optim.clip_grad_norm_([q], 1.0).item()
        for optimizer in made:
            optimizer.step()
    np.testing.assert_array_equal(q.detach().numpy(), p.detach().numpy())


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.RMSprop])
def test_grad_scale_is_a_cell(make):
    start, grads = problem((4, 5))
    p, q = parameter(start), parameter(start)
    expected = train(make([p], lr=0.1), p, grads[:1] * 0.25)
    slot = make([q], lr=0.1).param_groups[0].slots[0]
    g, scale, b = mg.tensor(grads[0]), mg.tensor([0.25], "float64"), slot.buffers
    with mg.no_grad():
        if make is optim.SGD:
            mg._core.sgd_(q, g, slot.hyper, grad_scale=scale)
        elif make is optim.Adam:
            mg._core.adam_(q, g, b["exp_avg"], b["exp_avg_sq"], slot.hyper, grad_scale=scale)
        else:
            mg._core.rmsprop_(q, g, b["square_avg"], slot.hyper, grad_scale=scale)
    np.testing.assert_array_equal(q.detach().numpy(), expected)


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


def test_ema_follows_its_formula_and_gives_weights_back():
    p = parameter([1.0, 2.0])
    ema = optim.EMA([p], decay=0.9)
    average = p.detach().numpy().copy()
    for i in range(20):
        p.detach().numpy()[...] = [i, -i]
        ema.update()
        average = 0.9 * average + 0.1 * np.array([i, -i])
    with contextlib.suppress(KeyError), ema.applied():
        np.testing.assert_allclose(p.detach().numpy(), average, rtol=1e-12)
        raise KeyError
    assert p.tolist() == [19.0, -19.0]
    other = optim.EMA([p], decay=0.9)
    other.load_state_dict(ema.state_dict())
    assert other.n_averaged == 20
    assert other.averages[0].tolist() == ema.averages[0].tolist()


def test_swa_is_the_mean():
    p = parameter(np.zeros((2, 3)))
    swa = optim.SWA([p])
    values = np.random.default_rng(5).normal(size=(7, 2, 3))
    for v in values:
        p.detach().numpy()[...] = v
        swa.update()
    swa.copy_to()
    np.testing.assert_allclose(p.detach().numpy(), values.mean(0), rtol=1e-12)


def test_averages_refuse_what_does_not_fit():
    p = parameter([1.0])
    with pytest.raises(ValueError, match=r"decay must be in \[0, 1\), got 1.0"):
        optim.EMA([p], 1.0)
    with pytest.raises(ValueError, match="SWA got no parameters"):
        optim.SWA([])
    with pytest.raises(TypeError, match="got one Tensor"):
        optim.SWA(p)
    with pytest.raises(ValueError, match="averages are of"):
        optim.SWA([p]).load_state_dict(optim.SWA([parameter([1.0, 2.0])]).state_dict())


def digest():
    """The bits after a few updates of arrays that threads share out."""
    out = hashlib.sha256()
    for dtype in ("float32", "float64"):
        for make, _, options in CASES:
            rng = np.random.default_rng(6)
            p = parameter(rng.normal(size=(300, 301)), dtype)
            optimizer = make([p], **options)
            for _ in range(3):
                p.grad = mg.tensor(rng.normal(size=p.shape).astype(dtype))
                out.update(optim.clip_grad_norm_([p], 100.0).numpy().tobytes())
                optimizer.step()
            out.update(p.detach().numpy().tobytes())
    return out.hexdigest()


def test_same_bits_for_any_number_of_threads():
    before = mg.get_num_threads()
    digests = set()
    try:
        for threads in (1, 2, 3):
            mg.set_num_threads(threads)
            digests.add(digest())
    finally:
        mg.set_num_threads(before)
    assert len(digests) == 1


def test_same_bits_as_the_reference_isa():
    if mg.isa() == "baseline":
        pytest.skip("baseline has no fma")
    run = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "MINIGRAD_ISA": "reference"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == digest()


if __name__ == "__main__":
    print(digest())

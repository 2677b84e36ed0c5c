"""Optimizers against the papers' formulas in numpy; the decay rule; state; errors."""

import numpy as np
import pytest
from optimizers import CASES, STEPS, adam, decoupled, parameter, problem, rmsprop, sgd, train

import minigrad as mg
from minigrad import nn, optim


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


@pytest.mark.parametrize(("key", "wrong"), [("decoupled_weight_decay", None), ("lr", -1.0)])
def test_a_wrong_option_leaves_the_group_as_it_was(key, wrong):
    p = mg.ones(2, 2, requires_grad=True)
    group = optim.SGD([p], lr=0.5, weight_decay=0.1).param_groups[0]
    before, cells = dict(group.data), group.slots[0].cells.tolist()
    with pytest.raises((TypeError, ValueError)):
        group.change({"momentum": 0.9, key: wrong})
    assert dict(group.data) == before
    assert group.slots[0].cells.tolist() == cells


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
    with pytest.raises(TypeError, match=r"give Linear\.parameters\(\), not the module"):
        optim.SGD(nn.Linear(1, 1), lr=0.1)
    with pytest.raises(TypeError, match="without names"):
        optim.SGD(nn.Linear(1, 1).named_parameters(), lr=0.1)
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

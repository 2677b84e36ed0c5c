"""`mg.equivalents`: the strengths under the libraries' own names give the same gradients."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim

L2 = 0.03
X = np.random.default_rng(0).normal(size=(40, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.3 * np.random.default_rng(1).normal(size=40)
W = np.array([[0.5, -1.0, 2.0]])


def steps_of(weight_decay, penalty, count=5, make=optim.SGD):
    """Weights after some steps, by decay or by penalty."""
    model = nn.Linear(3, 1, bias=False).double()
    nn.init.zeros_(model.weight)
    model.load_state_dict({"weight": W})
    optimizer = make(model.parameters(), lr=0.1, weight_decay=weight_decay)
    for _ in range(count):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(mg.tensor(X)), mg.tensor(Y[:, None]))
        (loss if penalty is None else loss + penalty(model)).backward()
        optimizer.step()
    return model.weight.detach().numpy()


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_weight_decay_of_sgd_and_adam_is_the_penalty(make):
    same = mg.equivalents(l2=L2)
    by_penalty = steps_of(0.0, nn.L2(same.l2), make=make)
    np.testing.assert_allclose(steps_of(same.weight_decay, None, make=make), by_penalty, rtol=1e-9)
    assert not np.allclose(by_penalty, steps_of(0.0, None, make=make), rtol=1e-3)


def test_adamw_loses_the_same_share_in_a_step_and_is_another_method():
    decay = mg.equivalents(l2=L2).weight_decay
    model = nn.Linear(3, 1, bias=False).double()
    model.load_state_dict({"weight": W})
    optimizer = optim.AdamW(model.parameters(), lr=0.1, weight_decay=decay)
    (model.weight * 0).sum().backward()
    optimizer.step()
    np.testing.assert_allclose(model.weight.detach().numpy(), W * (1 - 0.1 * 2 * L2), rtol=1e-12)
    trained = steps_of(decay, None, make=optim.AdamW)
    assert not np.allclose(trained, steps_of(0.0, nn.L2(L2), make=optim.AdamW), rtol=1e-3)


def test_torch_agrees():
    torch = pytest.importorskip("torch")
    same = mg.equivalents(l2=L2)
    w = torch.tensor(W, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1, weight_decay=same.weight_decay)
    for _ in range(5):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(torch.tensor(X) @ w.T, torch.tensor(Y[:, None])).backward()
        optimizer.step()
    np.testing.assert_allclose(steps_of(0.0, nn.L2(L2)), w.detach().numpy(), rtol=1e-9)


def minimum(loss, penalty, target):
    """The weights of least mean loss and penalty, found by full gradient descent."""
    model = nn.Linear(3, 1).double()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(800):
        optimizer.zero_grad()
        (loss(model(mg.tensor(X)), mg.tensor(target[:, None])) + penalty(model)).backward()
        optimizer.step()
    return model.weight.detach().numpy()


def test_ridge_and_logistic_regression_agree():
    linear = pytest.importorskip("sklearn.linear_model")
    same = mg.equivalents(l2=L2, n=len(X))
    ridge = linear.Ridge(alpha=same.ridge_alpha).fit(X, Y).coef_
    found = minimum(nn.functional.mse_loss, nn.L2(L2), Y)
    np.testing.assert_allclose(found, ridge.reshape(1, -1), rtol=1e-6)
    labels = (Y > 0).astype(float)
    logistic = linear.LogisticRegression(C=same.c, tol=1e-10, max_iter=10_000).fit(X, labels).coef_
    bce = nn.functional.binary_cross_entropy_with_logits
    np.testing.assert_allclose(minimum(bce, nn.L2(L2), labels), logistic, rtol=1e-5)


def test_scikit_learns_networks_agree():
    networks = pytest.importorskip("sklearn.neural_network")
    same = mg.equivalents(l2=L2, n=len(X))
    peer = networks.MLPRegressor(
        hidden_layer_sizes=(),
        solver="lbfgs",
        alpha=same.alpha,
        tol=1e-12,
        max_iter=5000,
        random_state=0,
    ).fit(X, Y)
    found = minimum(lambda p, y: nn.functional.mse_loss(p, y) * 0.5, nn.L2(L2), Y)  # as they halve
    np.testing.assert_allclose(found, peer.coefs_[0].T, rtol=1e-4)


@pytest.mark.parametrize("n", [None, 40])
def test_every_name_leads_to_every_other(n):
    same = mg.equivalents(l2=L2, n=n)
    names = ["l2", "weight_decay"] + (["alpha", "ridge_alpha", "c"] if n else [])
    for name in names:
        back = mg.equivalents(**{name: getattr(same, name)}, n=n)
        assert back.l2 == pytest.approx(L2, rel=1e-14)
        assert str(back) == str(same)
        assert f"{2 * L2:g}" in str(back)
    assert ("needs n=" in str(same)) == (n is None)


def test_no_penalty_at_all_has_no_c():
    assert mg.equivalents(l2=0, n=10).c is None
    assert "penalty=None" in str(mg.equivalents(l2=0, n=10))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, TypeError, "exactly one of l2, weight_decay, alpha, ridge_alpha, c; got none"),
        ({"l2": 1, "alpha": 2}, TypeError, "got l2, alpha"),
        ({"alpha": 1}, ValueError, "alpha = 1 is divided by the number of rows: give n="),
        ({"l2": -1}, ValueError, r"l2 must be in \[0.0, inf\), got -1"),
        ({"weight_decay": float("nan")}, ValueError, "weight_decay must be finite"),
        ({"c": 0, "n": 5}, ValueError, "c must be in"),
        ({"l2": 1, "n": 0}, ValueError, "n must be in"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        mg.equivalents(**arguments)

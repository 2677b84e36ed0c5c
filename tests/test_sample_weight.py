"""Weights of examples: a weight of 2 is a row that comes twice, in every loss and in training."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.data import Dataset, k_fold, split

RNG = np.random.default_rng(0)
N = 9
COUNTS = np.array([2, 1, 0, 3, 1, 1, 2, 0, 4])  # as weights
TWICE = np.repeat(np.arange(N), COUNTS)  # as rows
VALUES = RNG.normal(size=(N, 3)), RNG.normal(size=(N, 3))
BINARY = RNG.normal(size=(N, 2)), RNG.integers(0, 2, (N, 2)).astype(float)
CLASSES = RNG.normal(size=(N, 4)), RNG.integers(0, 4, N)
PIXELS = RNG.normal(size=(N, 4, 5)), RNG.integers(0, 4, (N, 5))
SHARES = RNG.normal(size=(N, 4)), RNG.dirichlet(np.ones(4), N)
WEIGHTS = np.array([0.5, 1.0, 2.0, 0.25])

LOSSES = {
    "mse": (nn.MSELoss, VALUES),
    "l1": (nn.L1Loss, VALUES),
    "huber": (lambda **k: nn.HuberLoss(delta=0.5, **k), VALUES),
    "bce": (nn.BCEWithLogitsLoss, BINARY),
    "bce, pos_weight": (lambda **k: nn.BCEWithLogitsLoss(pos_weight=np.array(3.0), **k), BINARY),
    "classes": (nn.CrossEntropyLoss, CLASSES),
    "classes, weight": (lambda **k: nn.CrossEntropyLoss(WEIGHTS, **k), CLASSES),
    "classes, smooth": (lambda **k: nn.CrossEntropyLoss(label_smoothing=0.1, **k), CLASSES),
    "pixels": (nn.CrossEntropyLoss, PIXELS),
    "pixels, weight": (lambda **k: nn.CrossEntropyLoss(WEIGHTS, **k), PIXELS),
    "probabilities": (nn.CrossEntropyLoss, SHARES),
}


def value_and_slope(loss, x, y, *weights):
    x = mg.tensor(x, requires_grad=True)
    value = loss(x, mg.tensor(y), *map(mg.tensor, weights))
    value.backward()
    return value.item(), x.grad.numpy()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_weight_of_two_is_a_row_that_comes_twice(name, reduction):
    make, (x, y) = LOSSES[name]
    loss = make(reduction=reduction)
    value, slope = value_and_slope(loss, x, y, COUNTS.astype(float))
    repeated, slopes = value_and_slope(loss, x[TWICE], y[TWICE])
    assert value == pytest.approx(repeated, rel=1e-12)
    expected = np.zeros_like(slope)
    np.add.at(expected, TWICE, slopes)
    np.testing.assert_allclose(slope, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_the_mean_does_not_depend_on_the_scale_of_the_weights(name):
    make, (x, y) = LOSSES[name]
    value, _ = value_and_slope(make(), x, y, RNG.uniform(size=N))
    plain, plain_slope = value_and_slope(make(), x, y)
    same, same_slope = value_and_slope(make(), x, y, np.full(N, 7.0))
    assert same == pytest.approx(plain, rel=1e-12) != value
    np.testing.assert_allclose(same_slope, plain_slope, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_without_reduction_every_value_is_weighed(name):
    make, (x, y) = LOSSES[name]
    each = make(reduction="none")(mg.tensor(x), mg.tensor(y)).numpy()
    weighed = make(reduction="none")(mg.tensor(x), mg.tensor(y), mg.tensor(COUNTS)).numpy()
    row = COUNTS.reshape(-1, *[1] * (each.ndim - 1))
    np.testing.assert_allclose(weighed, each * row, rtol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_weights_that_are_all_zero_teach_nothing(name):
    make, (x, y) = LOSSES[name]
    value, slope = value_and_slope(make(), x, y, np.zeros(N))
    assert value == 0
    assert not slope.any()


def test_torch_and_scikit_learn_agree():
    metrics = pytest.importorskip("sklearn.metrics")
    weights = RNG.uniform(size=N)
    x, y = CLASSES
    shares = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    expected = metrics.log_loss(y, shares, sample_weight=weights, labels=range(4))
    assert value_and_slope(nn.CrossEntropyLoss(), x, y, weights)[0] == pytest.approx(expected)
    x, y = VALUES
    expected = metrics.mean_squared_error(y, x, sample_weight=weights)
    assert value_and_slope(nn.MSELoss(), x, y, weights)[0] == pytest.approx(expected)
    torch = pytest.importorskip("torch")
    wide = torch.tensor(weights)[:, None].expand(N, 3)
    peer = torch.nn.functional.mse_loss(*map(torch.tensor, (x, y)), weight=wide)
    assert value_and_slope(nn.MSELoss(), x, y, weights)[0] == pytest.approx(peer.item())


@pytest.mark.parametrize("weights", [np.ones(N - 1), np.ones((N, 1)), np.ones(())])
def test_weights_are_one_a_row(weights):
    for name in ("mse", "classes", "bce, pos_weight"):
        make, (x, y) = LOSSES[name]
        with pytest.raises(ValueError, match="expected one weight for each of the rows"):
            make()(mg.tensor(x), mg.tensor(y), mg.tensor(weights))


# --- in training -----------------------------------------------------------------------------


def fitted(data, val=None, loss=None, **arguments):
    mg.seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    trainer = mg.Trainer(
        model,
        loss or nn.MSELoss(),
        mg.optim.SGD(model.parameters(), lr=0.1),
        **{"batch_size": 100, "metrics": ["mae"], **arguments},
    )
    history = trainer.fit(data, val=val, epochs=12)
    return trainer, history, model[0].weight.numpy().copy()


X, Y = VALUES[0], VALUES[1][:, 0]


def test_a_training_on_weights_is_one_on_rows_that_come_so_often():
    trainer, history, weights = fitted((X, Y, COUNTS), val=(X, Y, COUNTS))
    _, repeated, expected = fitted((X[TWICE], Y[TWICE]))
    np.testing.assert_allclose(weights, expected, rtol=1e-10)
    np.testing.assert_allclose(history["loss"], repeated["loss"], rtol=1e-10)
    assert history["val_loss"].tolist() == history["loss"].tolist()
    evaluated = trainer.evaluate((X, Y, COUNTS))
    assert evaluated["loss"] == pytest.approx(history["loss"][-1], rel=1e-12)
    assert evaluated["mae"] == trainer.evaluate((X, Y))["mae"] == history["mae"][-1]  # unweighted
    assert trainer.evaluate((X, Y))["loss"] != pytest.approx(evaluated["loss"], rel=1e-3)


@pytest.mark.parametrize("curves", ["honest", "running"])
@pytest.mark.parametrize("batch_size", [4, 100])
def test_every_way_to_give_weights_and_to_run_gives_the_same_bits(
    tmp_path, monkeypatch, curves, batch_size
):
    np.save(tmp_path / "x.npy", X)
    disk = np.load(tmp_path / "x.npy", mmap_mode="r")
    ways = [
        (X, Y, COUNTS),
        (X, Y, mg.tensor(COUNTS)),
        Dataset(X, Y, weight=COUNTS.tolist()),
        Dataset(np.vstack([X, X]), np.r_[Y, Y], weight=np.r_[COUNTS, Y * 0]).take(np.arange(N)),
        (disk, Y, COUNTS),
    ]
    found = [fitted(data, batch_size=batch_size, curves=curves) for data in ways]
    monkeypatch.setenv("MINIGRAD_EAGER", "1")
    found.append(fitted(ways[0], batch_size=batch_size, curves=curves))
    for _, history, weights in found:
        np.testing.assert_array_equal(weights, found[0][2])
        assert history["loss"].tolist() == found[0][1]["loss"].tolist()


def test_running_curves_are_weighted_means():
    """With a learning rate of 0 they are those of the honest ones."""

    def curve(curves, data):
        mg.seed(0)
        model = nn.Linear(3, 1).double()
        optimizer = mg.optim.SGD(model.parameters(), lr=0.0)
        trainer = mg.Trainer(model, nn.MSELoss(), optimizer, batch_size=4, curves=curves)
        return trainer.fit(data, epochs=3)["loss"]

    expected = curve("honest", (X, Y, COUNTS))
    np.testing.assert_allclose(curve("running", (X, Y, COUNTS)), expected, rtol=1e-12)
    batches = [(X[:5], Y[:5], COUNTS[:5]), (X[5:], Y[5:], COUNTS[5:])]
    np.testing.assert_allclose(curve("running", batches), expected, rtol=1e-12)
    assert abs(curve("honest", (X, Y)) / expected - 1).min() > 0.01


def test_splits_and_folds_take_the_weights_along():
    data = Dataset(X, Y, weight=np.arange(N) + 1.0)
    for part in (*split(data, val=3), *(part for pair in k_fold(data, 3) for part in pair)):
        rows = [X[:, 0].tolist().index(value) for value in part.x[:, 0]]
        assert part.weight.tolist() == [row + 1.0 for row in rows]
        assert part.weights([1]).tolist() == [rows[1] + 1.0]
    assert "weighed" in repr(data)


def test_a_loss_of_ones_own_takes_the_weights():
    def loss(output, target, sample_weight=None):
        each = ((output - target) ** 2).reshape(-1)
        if sample_weight is None:
            return each.mean()
        return (each * sample_weight).sum() / sample_weight.sum()

    functional = nn.functional.mse_loss
    for own in (loss, functional):
        weights = fitted((X, Y, COUNTS), loss=own)[2]
        np.testing.assert_allclose(weights, fitted((X, Y, COUNTS))[2], rtol=1e-12)
    with pytest.raises(TypeError, match="must take them, as loss"):
        fitted((X, Y, COUNTS), loss=lambda output, target: ((output - target) ** 2).mean())


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (COUNTS[:-1], r"weight has shape \(8,\): every one of 9 rows needs one"),
        (COUNTS - 1.0, "weight has -1.0 at row 2: weights must be >= 0"),
        (COUNTS * 0, "all weights are 0"),
        (np.where(COUNTS == 4, np.nan, COUNTS), "weight has nan at row 8"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        fitted((X, Y, weight))

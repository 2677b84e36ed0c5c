"""What training minimises: losses and penalties as modules against numpy formulas; MaxNorm."""

import math

import numpy as np
import pytest
from formulas import array, close, log_softmax, rng, sigmoid

import minigrad as mg
from minigrad import nn

REDUCE = {"mean": np.mean, "sum": np.sum, "none": lambda v: v}
A, B = array(6, 3) * 2, array(6, 3) * 2
P = rng.random((6, 3))
CLASSES = rng.integers(0, 3, 6)


@pytest.mark.parametrize("reduction", list(REDUCE))
def test_elementwise_losses(reduction):
    a, b, p = mg.tensor(A), mg.tensor(B), mg.tensor(P)
    reduce, d = REDUCE[reduction], A - B
    close(nn.MSELoss(reduction)(a, b), reduce(d**2))
    close(nn.L1Loss(reduction)(a, b), reduce(abs(d)))
    huber = np.where(abs(d) <= 1.5, d**2 / 2, 1.5 * (abs(d) - 0.75))
    close(nn.HuberLoss(reduction, 1.5)(a, b), reduce(huber))
    s = sigmoid(A)
    bce = nn.BCEWithLogitsLoss(reduction=reduction)
    close(bce(a, p), reduce(-P * np.log(s) - (1 - P) * np.log(1 - s)), 1e-9)
    weighted = nn.BCEWithLogitsLoss(reduction=reduction, pos_weight=[1.0, 2.0, 3.0]).double()
    close(weighted(a, p), reduce(-P * np.log(s) * [1, 2, 3] - (1 - P) * np.log(1 - s)), 1e-9)


@pytest.mark.parametrize(
    ("target", "pos_weight"), [((4,), 2.0), ((4, 1), [1.0, 2.0, 3.0]), ((1, 1), 2.0)]
)
def test_a_weight_of_positives_broadcasts_nothing_else(target, pos_weight):
    loss = nn.BCEWithLogitsLoss(pos_weight=pos_weight)
    with pytest.raises(ValueError, match=r"the input has shape \(4, 1\), the target \("):
        loss(mg.zeros(4, 1), mg.zeros(target))


@pytest.mark.parametrize("reduction", list(REDUCE))
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy(reduction, smoothing):
    q = np.eye(3)[CLASSES] * (1 - smoothing) + smoothing / 3
    each = -(q * log_softmax(A)).sum(1)
    loss = nn.CrossEntropyLoss(reduction=reduction, label_smoothing=smoothing)
    close(loss(mg.tensor(A), mg.tensor(CLASSES)), REDUCE[reduction](each), 1e-9)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_with_class_weights(smoothing):
    w = np.array([1.0, 2.0, 0.5])
    q = np.eye(3)[CLASSES] * (1 - smoothing) + smoothing / 3
    each = -(q * w * log_softmax(A)).sum(1)
    expected = {
        "none": each,
        "sum": each.sum(),
        "mean": each.sum() / w[CLASSES].sum(),
    }
    for reduction, value in expected.items():
        loss = nn.CrossEntropyLoss(w, reduction=reduction, label_smoothing=smoothing)
        close(loss(mg.tensor(A), mg.tensor(CLASSES)), value, 1e-9)


def test_cross_entropy_of_pixels_and_of_probabilities():
    logits, classes = array(2, 3, 4), rng.integers(0, 3, (2, 4))
    weight = np.array([1.0, 2.0, 0.5])
    flat = mg.tensor(logits.transpose(0, 2, 1).reshape(-1, 3)), mg.tensor(classes.reshape(-1))
    for loss in (nn.CrossEntropyLoss(), nn.CrossEntropyLoss(weight, label_smoothing=0.1)):
        close(loss(mg.tensor(logits), mg.tensor(classes)), loss(*flat).item(), 1e-9)
    q = np.eye(3)[CLASSES] * 0.7 + 0.1
    close(
        nn.CrossEntropyLoss()(mg.tensor(A), mg.tensor(q)), -(q * log_softmax(A)).sum(1).mean(), 1e-9
    )
    with pytest.raises(TypeError, match="int64"):
        nn.CrossEntropyLoss(weight)(mg.tensor(A), mg.tensor(q))
    with pytest.raises(ValueError, match="there are 3 classes"):
        nn.CrossEntropyLoss([1.0, 2.0])(mg.tensor(A), mg.tensor(CLASSES))


def test_losses_of_extreme_logits_are_finite():
    far = mg.tensor([[1e4, -1e4]])
    assert nn.CrossEntropyLoss()(far, mg.tensor([0])).item() == 0
    assert nn.CrossEntropyLoss()(far, mg.tensor([1])).item() == 2e4
    assert nn.BCEWithLogitsLoss()(far, mg.tensor([[1.0, 1.0]])).item() == 5e3
    positive = nn.BCEWithLogitsLoss(pos_weight=2.0)
    assert positive(far, mg.tensor([[1.0, 1.0]])).item() == 1e4


@pytest.mark.parametrize(
    "loss", [nn.MSELoss(), nn.L1Loss(), nn.HuberLoss(), nn.BCEWithLogitsLoss()], ids=repr
)
def test_losses_do_not_broadcast(loss):
    with pytest.raises(ValueError, match=r"\(4, 1\)|\(4,\)"):
        loss(mg.zeros(4, 1), mg.zeros(4))


def test_cross_entropy_refuses_bad_classes():
    loss = nn.CrossEntropyLoss()
    for classes in ([0, 3], [0, -1]):
        with pytest.raises((IndexError, ValueError), match=r"3|-1"):
            loss(mg.zeros(2, 3), mg.tensor(classes))
    with pytest.raises((TypeError, ValueError)):
        loss(mg.zeros(2, 3), mg.tensor([0, 1, 2]))


def test_penalties():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()
    w0, w2 = model[0].weight.numpy(), model[2].weight.numpy()
    squares = (w0**2).sum() + (w2**2).sum()
    absolute = abs(w0).sum() + abs(w2).sum()
    assert math.isclose(nn.L2(0.3)(model).item(), 0.3 * squares)
    assert math.isclose(nn.L1(0.3)(model).item(), 0.3 * absolute)
    assert math.isclose(nn.L1L2(0.1, 0.2)(model).item(), 0.1 * absolute + 0.2 * squares)
    assert math.isclose(
        nn.L2(0.3, "2.*")(model).item(), 0.3 * ((w2**2).sum() + (model[2].bias.numpy() ** 2).sum())
    )
    assert nn.L2(0.0)(model).item() == 0.0
    nn.L2(0.3)(model).backward()
    close(model[0].weight.grad, 0.6 * w0)
    assert model[0].bias.grad is None
    with pytest.raises(ValueError, match=r"no parameter matches 'body\.\*'; there are: 0.weight"):
        nn.L2(0.3, "body.*")(model)


def test_penalties_are_added():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)).double()
    w0, w1 = model[0].weight.numpy(), model[1].weight.numpy()
    both = nn.L2(0.3, "0.weight") + nn.L1(0.1, "1.weight") + nn.L2(0.0)
    both(model).backward()
    close(model[0].weight.grad, 0.6 * w0)
    close(model[1].weight.grad, 0.1 * np.sign(w1))
    assert repr(both) == "L2(0.3, names='0.weight') + L1(0.1, names='1.weight') + L2(0.0)"
    with pytest.raises(TypeError):
        nn.L2(0.1) + 1


def test_max_norm():
    model = nn.Sequential(nn.Linear(5, 4), nn.Conv2d(2, 3, 3))
    nn.init.normal_(model[0].weight)
    before = model[0].weight.numpy().copy()
    norms = np.linalg.norm(before, axis=1)
    limit = float(np.median(norms))
    nn.MaxNorm(limit)(model)
    after = model[0].weight.numpy()
    small = norms < limit
    assert np.array_equal(after[small], before[small])
    np.testing.assert_allclose(np.linalg.norm(after[~small], axis=1), limit, rtol=1e-6)
    assert model[0].weight.requires_grad
    kernels = model[1].weight.numpy().reshape(3, -1)
    assert (np.linalg.norm(kernels, axis=1) <= limit * (1 + 1e-6)).all()

"""Class weights: scikit-learn's numbers, and what they do to the losses."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.data import class_weights

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("y", [[0, 1], [0] * 7 + [1], RNG.integers(0, 4, 50), [True, False, True]])
def test_weights_are_scikit_learns(y):
    utils = pytest.importorskip("sklearn.utils.class_weight")
    expected = utils.compute_class_weight("balanced", classes=np.unique(y), y=np.asarray(y))
    np.testing.assert_allclose(class_weights(y), expected, rtol=1e-6)
    assert class_weights(y)[np.asarray(y, int)].mean() == pytest.approx(1)


def test_with_the_weights_every_class_counts_the_same():
    y = np.array([0] * 8 + [1] * 3 + [2])
    x = RNG.normal(size=(12, 3)).astype(np.float32)
    loss = nn.CrossEntropyLoss(weight=class_weights(y))(mg.tensor(x), mg.tensor(y)).item()
    each = nn.CrossEntropyLoss(reduction="none")(mg.tensor(x), mg.tensor(y)).numpy()
    assert loss == pytest.approx(np.mean([each[y == c].mean() for c in range(3)]), rel=1e-5)


def test_pos_weight_makes_up_for_rare_positives():
    y = np.array([[0.0]] * 6 + [[1.0]] * 2, np.float32)
    x = RNG.normal(size=(8, 1)).astype(np.float32)
    w = class_weights(y)
    assert w[1] / w[0] == pytest.approx(3)
    loss = nn.BCEWithLogitsLoss(pos_weight=w[1] / w[0])(mg.tensor(x), mg.tensor(y)).item()
    each = nn.BCEWithLogitsLoss(reduction="none")(mg.tensor(x), mg.tensor(y)).numpy()
    assert loss == pytest.approx((each[y == 0].sum() + 3 * each[y == 1].sum()) / 8, rel=1e-5)


@pytest.mark.parametrize("outputs", [1, 2])
def test_they_train(outputs):
    x = RNG.normal(size=(400, 2)).astype(np.float32)
    y = (x[:, 0] + 0.8 * RNG.normal(size=400) > 1.9).astype(np.int64)
    w = class_weights(y)
    found = {}
    for weighted in (False, True):
        mg.seed(0)
        model = nn.Linear(2, outputs)
        if outputs == 2:
            loss = nn.CrossEntropyLoss(weight=w if weighted else None)
        else:
            loss = nn.BCEWithLogitsLoss(pos_weight=w[1] / w[0] if weighted else None)
        trainer = mg.Trainer(model, loss, mg.optim.Adam(model.parameters(), lr=0.05))
        trainer.fit((x, y), epochs=20)
        scores = trainer.predict(x)
        guess = scores[:, 0] > 0 if outputs == 1 else scores.argmax(1)
        found[weighted] = (guess == 1)[y == 1].mean()  # recall of the rare class
    assert found[True] > found[False] + 0.2


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        ([0, 2], None, "class 1 has no rows"),
        ([0, 1], 3, "class 2 has no rows"),
        ([0, 3], 2, "y has class 3, there are 2 classes"),
        ([0, -1], None, "must hold class numbers"),
        ([0.5, 1], None, "must hold class numbers"),
        (["a", "b"], None, "must hold class numbers"),
        ([], None, "one class number a row"),
        (np.zeros((3, 2)), None, r"got shape \(3, 2\)"),
    ],
)
def test_what_are_no_classes_is_refused(y, classes, message):
    with pytest.raises(ValueError, match=message):
        class_weights(y, classes)

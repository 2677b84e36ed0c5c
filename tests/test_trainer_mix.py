"""Trainer(mix=): steps on mixed examples, curves of the data as they are."""

import numpy as np
import pytest
from trainers import CLASSES, X, make, network, rows, same, weights

from minigrad import augment, nn

LOSS = nn.CrossEntropyLoss()
IMAGES = X[:, :, None, None]


def images_network():
    return nn.Sequential(nn.Flatten(), *network(3))


@pytest.mark.parametrize("batch_size", [16, 50])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_plan_mixes_as_ops_one_by_one(batch_size, dtype, monkeypatch):
    trained = []
    for eager in ("0", "1"):
        monkeypatch.setenv("MINIGRAD_EAGER", eager)
        model = images_network().to(dtype)
        trainer = make(model, LOSS, mix=augment.CutMix(), batch_size=batch_size)
        history = trainer.fit((IMAGES, CLASSES), epochs=6)
        trained.append((weights(model), rows(history)))
    assert same(trained[0][0], trained[1][0])
    assert trained[0][1] == trained[1][1]


@pytest.mark.parametrize("batch_size", [16, 50])
def test_mixing_changes_the_weights_and_not_what_is_measured(batch_size):
    results = []
    for mix in (None, augment.MixUp(1.0), augment.MixUp(1.0, num_classes=3)):
        model = network(3)
        trainer = make(model, LOSS, mix=mix, batch_size=batch_size, metrics=["accuracy"])
        history = trainer.fit((X, CLASSES), epochs=5)
        measured = trainer.evaluate((X, CLASSES))
        assert history["loss"][-1] == pytest.approx(measured["loss"])
        assert history["accuracy"][-1] == pytest.approx(measured["accuracy"])
        results.append(weights(model))
    assert not same(results[0], results[1])
    assert same(results[1], results[2])


def test_one_batch_is_shuffled_so_that_every_pair_meets():
    pairs = set()

    def watch(x, y):
        pairs.update(zip(x.numpy()[:, 0].tolist(), y.numpy()[:, 0].tolist(), strict=True))
        orders.append(x.numpy()[:, 0].tolist())
        return x, y

    orders: list[list[float]] = []
    target = X[:, 0]
    with pytest.warns(UserWarning, match="without a plan"):
        make(network(), mix=watch, batch_size=50).fit((X, target), epochs=3)
    assert len({tuple(order) for order in orders}) == len(orders) >= 3
    assert len(pairs) == 50


def test_float_targets_are_mixed_as_they_are():
    y = (X[:, 0] > 0).astype(np.float32)
    trainer = make(network(), nn.BCEWithLogitsLoss(), mix=augment.MixUp(0.2))
    history = trainer.fit((X, y), epochs=30)
    assert history["loss"][-1] < history["loss"][0]


def test_batches_of_the_users_own_are_mixed():
    batches = [(X[i : i + 10], CLASSES[i : i + 10]) for i in range(0, 50, 10)]
    mixed, plain = network(3), network(3)
    make(mixed, LOSS, mix=augment.MixUp(0.2)).fit(batches, epochs=3)
    make(plain, LOSS).fit(batches, epochs=3)
    assert not same(weights(mixed), weights(plain))


def test_refusals():
    with pytest.raises(TypeError, match="mix must be callable"):
        make(mix=0.2)
    with pytest.raises(ValueError, match="do not go together"):
        make(mix=augment.MixUp()).fit((X, X[:, 0], np.ones(50)))
    with pytest.raises(ValueError, match=r"CutMix takes images of shape \(N, C, H, W\)"):
        make(mix=augment.CutMix()).fit((X, X[:, 0]))

"""Training on iterables of batches: the same bits as the rows, and errors that name the batch."""

import numpy as np
import pytest
from trainers import CLASSES, XV, YV, X, Y, make, network, same, weights

import minigrad as mg
from minigrad import nn
from minigrad.data import Dataset

SIZE = 16
SPANS = [slice(i, i + SIZE) for i in range(0, len(X), SIZE)]


def batches():
    """The rows in order; the last batch is smaller."""
    for span in SPANS:
        yield X[span], Y[span]


class Loader:
    """Begins anew each time, as other libraries' loaders do, and gives lists."""

    def __iter__(self):
        return (list(batch) for batch in batches())


def by_hand(epochs):
    """Weights, and the honest loss of each epoch, by steps of one's own."""
    trainer = make()
    losses = []
    for _ in range(epochs):
        trainer.model.train()
        for x, y in batches():
            trainer.step(mg.tensor(x.astype(np.float32)), mg.tensor(y.astype(np.float32)[:, None]))
        losses.append(trainer.evaluate((X, Y))["loss"])
    return weights(trainer.model), losses


WAYS = {
    "list": lambda: list(batches()),
    "function": lambda: batches,
    "loader": Loader,
    "data sets": lambda: [Dataset(x, y) for x, y in batches()],
    "tensors": lambda: [(mg.tensor(x), mg.tensor(y)) for x, y in batches()],
}


@pytest.mark.parametrize("way", WAYS)
def test_an_iterable_is_gone_through_anew_each_epoch(way):
    expected, losses = by_hand(3)
    trainer = make(metrics=["mae"])
    history = trainer.fit(WAYS[way](), val=WAYS[way](), epochs=3)
    assert same(weights(trainer.model), expected)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-6)
    assert history["val_loss"].tolist() == history["loss"].tolist()
    assert history.curves == "honest"
    assert trainer.evaluate(WAYS[way]())["mae"] == history["mae"][-1]


INPUTS = {
    "inputs": lambda: (x for x, _ in batches()),
    "tuples of one": lambda: ((x,) for x, _ in batches()),
    "with weights": lambda: ((x, y, np.ones(len(y))) for x, y in batches()),
    "generator": batches,
}


@pytest.mark.parametrize("way", {**WAYS, **INPUTS})
def test_an_iterable_is_predicted(way):
    trainer = make(network(dropout=0.5), batch_size=16)
    trainer.fit((X, Y), epochs=1)
    found = trainer.predict({**WAYS, **INPUTS}[way]())
    np.testing.assert_allclose(found, trainer.predict(X), rtol=1e-6)


def test_what_cannot_be_predicted_is_named():
    trainer = make()
    with pytest.raises(ValueError, match="x gave no batches"):
        trainer.predict(iter(()))
    with pytest.raises(ValueError, match="nan at row 0") as caught:
        trainer.predict([(X[:3], Y[:3]), (NAN, Y[:3])])
    assert caught.value.__notes__ == ["in batch 1 of x"]
    with pytest.raises(TypeError, match="the function returned 3"):
        trainer.predict(lambda: 3)


def test_a_loader_of_torch():
    data = pytest.importorskip("torch.utils.data")
    torch = pytest.importorskip("torch")
    loader = data.DataLoader(data.TensorDataset(*map(torch.tensor, (X, Y))), batch_size=SIZE)
    trainer = make()
    trainer.fit(loader, epochs=3)
    assert same(weights(trainer.model), by_hand(3)[0])


def test_a_generator_does_for_one_epoch_with_running_curves():
    trainer = make(metrics=["mae"])
    history = trainer.fit(batches(), val=(XV, YV), epochs=1)
    assert same(weights(trainer.model), by_hand(1)[0])
    assert history.curves == "running"
    assert history["val_loss"][0] == trainer.evaluate((XV, YV))["loss"]
    with pytest.raises(ValueError, match=r"data is a generator.* not for 2 epochs: give the func"):
        trainer.fit(batches(), epochs=2)
    with pytest.raises(ValueError, match="val is a generator"):
        trainer.fit((X, Y), val=batches(), epochs=2)
    assert "mae" in trainer.evaluate(batches())


def test_batches_of_ever_new_sizes_leave_a_bounded_number_of_plans(monkeypatch):
    sizes = [(X[:n], Y[:n]) for n in range(1, 50)]
    trainer = make()
    trainer.fit(sizes, epochs=2)
    assert len(trainer._plans) == 64
    monkeypatch.setenv("MINIGRAD_EAGER", "1")
    eager = make()
    eager.fit(sizes, epochs=2)
    assert same(weights(trainer.model), weights(eager.model))


def test_batches_with_weights():
    w = np.arange(len(X)) % 3.0
    trainer = make()
    history = trainer.fit([(X[s], Y[s], w[s]) for s in SPANS], epochs=2)
    assert history["loss"][-1] == pytest.approx(trainer.evaluate((X, Y, w))["loss"], rel=1e-6)
    assert history["loss"][-1] != pytest.approx(trainer.evaluate((X, Y))["loss"], rel=1e-3)


def test_one_list_of_rows_is_no_list_of_batches():
    trainer = make()
    trainer.fit((X.tolist(), Y.tolist()), epochs=1)
    with pytest.raises(ValueError, match="no targets"):
        trainer.fit(X.tolist(), epochs=1)


NAN = X[:3] * np.nan
BAD = {
    "no batches": (lambda: [], ValueError, "has no targets|empty"),
    "an empty generator": (lambda: iter(()), ValueError, "data gave no batches"),
    "numbers": (lambda: range(3), TypeError, "a batch must be"),
    "inputs alone": (lambda: (x for x, _ in batches()), TypeError, "a batch must be"),
    "nan": (lambda: [(X[:3], Y[:3]), (NAN, Y[:3])], ValueError, "nan at row 0"),
    "shape": (
        lambda: [(X[:3], Y[:3]), (X[:3], X[:3])],
        ValueError,
        r"it has targets \(3,\) a row, the first batch targets \(\) a row",
    ),
    "weights": (
        lambda: [(X[:3], Y[:3]), (X[:3], Y[:3], Y[:3] ** 2)],
        ValueError,
        "a row and weights, the first batch",
    ),
    "no function": (lambda: lambda: 3, TypeError, "the function returned 3"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named(name):
    data, error, message = BAD[name]
    with pytest.raises(error, match=message) as caught:
        make().fit(data())
    if name in ("nan", "shape", "weights"):
        assert caught.value.__notes__ == ["in batch 1 of data"]


def test_bad_labels_of_a_later_batch_are_named():
    trainer = make(network(3), nn.CrossEntropyLoss())
    batch = X[:4], CLASSES[:4]
    with pytest.raises(ValueError, match="label 3 in row 1") as caught:
        trainer.fit([batch, (X[:4], [0, 3, 1, 1])])
    assert caught.value.__notes__ == ["in batch 1 of data"]


def test_an_iterable_that_does_not_begin_anew_is_named():
    class Once:
        def __init__(self):
            self.batches = batches()

        def __iter__(self):
            return (batch for batch in self.batches)

    with pytest.raises(ValueError, match="it must begin anew"):
        make().fit(Once(), epochs=2)


def test_the_learning_rate_is_found_on_batches_too():
    trainer = make()
    before = weights(trainer.model)
    found = mg.lr_find(trainer, Loader(), steps=40)
    assert len(found.losses) > 10
    assert same(weights(trainer.model), before)
    with pytest.raises(ValueError, match="generator"):
        mg.lr_find(trainer, batches())

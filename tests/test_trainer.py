"""Trainer: it learns, its curves are honest, the same seed gives the same bits, and bad input
leaves every parameter as it was.
"""

import warnings

import numpy as np
import pytest
from trainers import CLASSES, XV, YV, X, Y, make, network, rows, same, weights

import minigrad as mg
from minigrad import nn, optim
from minigrad.callbacks import Callback
from minigrad.data import make_moons, split

# --- learning --------------------------------------------------------------------------------


def test_it_learns_a_line():
    model = nn.Sequential(nn.Linear(3, 1))
    trainer = make(model, lr=0.05, metrics=["r2", "mae"])
    history = trainer.fit((X, Y), val=(XV, YV), epochs=200)
    assert history["val_loss"][-1] < 1e-4
    assert history["val_r2"][-1] > 0.999
    np.testing.assert_allclose(model[0].weight.numpy()[0], [1.0, -2.0, 0.5], atol=0.02)
    assert history.stop_reason == "all 200 epochs run"


def test_it_tells_the_moons_apart():
    train, val = split(make_moons(200, noise=0.1), val=0.5)
    mg.seed(0)
    model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1))
    trainer = make(model, nn.BCEWithLogitsLoss(), metrics=["accuracy", "auc", "f1"])
    trainer.fit(train, epochs=150)
    result = trainer.evaluate(val)
    assert result["accuracy"] > 0.95
    assert result["auc"] > 0.98


def test_it_learns_classes():
    trainer = make(network(3), nn.CrossEntropyLoss(), lr=0.03, metrics=["accuracy"])
    assert trainer.fit((X, CLASSES), epochs=100)["accuracy"][-1] > 0.95
    assert trainer.predict(X).shape == (50, 3)


# --- honesty ---------------------------------------------------------------------------------


def by_hand(model, loss, x, y):
    dtype = next(model.parameters()).dtype
    model.eval()
    with mg.no_grad():
        output = model(mg.tensor(x.astype(dtype)))
        return output.numpy(), loss(output, mg.tensor(y.astype(dtype).reshape(-1, 1))).item()


@pytest.mark.parametrize("double", [False, True])
def test_curves_equal_an_evaluation_by_hand_after_every_epoch(double):
    model = network(dropout=0.5, norm=True)
    model = model.double() if double else model
    loss = nn.MSELoss()
    found = []

    class ByHand(Callback):
        def on_epoch_end(self, trainer, row):
            found.append([by_hand(model, loss, x, y)[1] for x, y in ((X, Y), (XV, YV))])

    trainer = make(model, loss, callbacks=[ByHand()], penalty=nn.L2(0.01), batch_size=16)
    history = trainer.fit((X, Y), val=(XV, YV), epochs=4)
    assert np.array_equal(found, np.stack([history["loss"], history["val_loss"]], axis=1))
    squares = sum((w**2).sum() for name, w in weights(model).items() if name.endswith("0.weight"))
    assert history["penalty"][-1] > 0.01 * squares * 0.99
    output, value = by_hand(model, loss, XV, YV)
    assert np.array_equal(trainer.predict(XV), output)
    assert trainer.evaluate((XV, YV)) == {"loss": value}


def test_evaluation_in_many_batches_is_the_loss_of_all_rows(monkeypatch):
    trainer = make(metrics=["rmse"])
    whole, outputs = trainer.evaluate((X, Y)), trainer.predict(X)
    monkeypatch.setattr("minigrad.training.learner.EVALUATION_ROWS", 7)
    assert trainer.evaluate((X, Y)) == whole
    assert np.array_equal(trainer.predict(X), outputs)


def test_running_curves_are_averages_over_the_steps():
    trainer = make(curves="running", batch_size=20, metrics=["mae"])
    sizes, losses, errors = [], [], []
    step = trainer.step

    def spied(x, y):
        loss, output = step(x, y)
        sizes.append(len(x))
        losses.append(loss.item())
        errors.append(np.abs(output.numpy() - y.numpy()).mean())
        return loss, output

    trainer.step = spied
    history = trainer.fit((X, Y), val=(XV, YV), epochs=1)
    assert sizes == [20, 20, 10]
    assert history["loss"][0] == pytest.approx(np.average(losses, weights=sizes))
    assert history["mae"][0] == pytest.approx(np.average(errors, weights=sizes))
    assert history["val_loss"][0] == trainer.evaluate((XV, YV))["loss"]
    assert history.curves == "running"


def test_the_columns_are_told_beforehand():
    trainer = make(metrics=["mae"], penalty=nn.L2(1e-3))
    history = trainer.fit((X, Y), val=(XV, YV), epochs=1)
    expected = ["epoch", "loss", "val_loss", "penalty", "mae", "val_mae", "lr", "seconds"]
    assert history.columns == trainer.columns == expected


# --- modes, shuffling, bits ------------------------------------------------------------------


def test_modes_are_set_and_put_back():
    model = network(dropout=0.5)
    modes = []

    class Look(Callback):
        def on_batch_end(self, trainer, loss):
            modes.append([module.training for module in model.modules()])

        def on_epoch_end(self, trainer, row):
            trainer.predict(X)

    model.eval()
    trainer = make(model, callbacks=[Look()])
    trainer.fit((X, Y), epochs=2)
    assert np.all(modes)
    assert not any(module.training for module in model.modules())
    model.train()
    model[2].eval()
    first, second = trainer.predict(X), trainer.predict(X)
    assert np.array_equal(first, second)
    assert [module.training for module in model.modules()] == [True, True, True, False, True]


def test_every_row_comes_once_an_epoch_in_another_order():
    seen = []

    class Spy(nn.Module):
        def forward(self, x):
            if self.training:
                seen.append(x.numpy()[:, 0].copy())
            return x

    trainer = make(nn.Sequential(Spy(), network()), batch_size=16)
    with pytest.warns(UserWarning, match="training without a plan"):
        trainer.fit((X, Y), epochs=2)
    seen = seen[-8:]
    assert [len(batch) for batch in seen] == [16, 16, 16, 2] * 2
    first, second = np.concatenate(seen[:4]), np.concatenate(seen[4:])
    assert not np.array_equal(first, second)
    assert np.array_equal(np.sort(first), np.sort(second))


def test_a_lone_last_row_joins_its_neighbours_before_a_batch_norm():
    trainer = make(network(norm=True), batch_size=7)
    sizes = []
    step = trainer.step
    trainer.step = lambda x, y: (sizes.append(len(x)), step(x, y))[1]
    trainer.fit((X, Y), epochs=1)
    assert sizes == [7, 7, 7, 7, 7, 7, 8]


@pytest.mark.parametrize("norm", [False, True])
def test_the_same_seed_gives_the_same_bits(norm):
    def train(seed):
        model = network(dropout=0.3, norm=norm)
        mg.seed(123 + seed)  # what else was drawn does not matter
        mg.rand(seed + 1)
        trainer = make(model, batch_size=16, seed=seed, metrics=["mae"])
        return rows(trainer.fit((X, Y), val=(XV, YV), epochs=3)), weights(model)

    (one, a), (two, b), (other, c) = train(0), train(0), train(1)
    assert one == two != other
    assert same(a, b)
    assert not same(a, c)


def test_training_leaves_the_users_random_numbers_alone():
    model = network(dropout=0.5)
    mg.seed(5)
    expected = mg.rand(3).tolist()
    mg.seed(5)
    make(model).fit((X, Y), epochs=2)
    assert mg.rand(3).tolist() == expected


def test_a_second_fit_goes_on():
    model = network(dropout=0.3)
    trainer = make(model, batch_size=16)
    first = trainer.fit((X, Y), epochs=3)
    second = trainer.fit((X, Y), epochs=2)
    whole_model = network(dropout=0.3)
    whole = make(whole_model, batch_size=16).fit((X, Y), epochs=5)
    assert same(weights(model), weights(whole_model))
    assert [*first["loss"], *second["loss"]] == whole["loss"].tolist()
    assert second[0]["epoch"] == 0


def test_a_layer_exchanged_after_training_is_used():
    model = network()
    trainer = make(model)
    trainer.fit((X, Y), epochs=1)
    trainer.predict(X)
    model[3] = nn.Linear(8, 1)
    output, loss = by_hand(model, nn.MSELoss(), X, Y)
    assert np.array_equal(trainer.predict(X), output)
    assert trainer.evaluate((X, Y)) == {"loss": loss}


@pytest.mark.parametrize("curves", ["honest", "running"])
def test_a_model_may_return_a_transposed_view(curves):
    """Scores (n, classes, places) are often made as (n, places, classes)."""

    class Places(nn.Module):
        def __init__(self, turned) -> None:
            super().__init__()
            self.embedding = nn.Embedding(5, 4)
            self.out = nn.Linear(4, 3)
            self.turned = turned

        def forward(self, x):
            scores = self.out(self.embedding(x)).transpose(1, 2)
            return scores if self.turned else scores.contiguous()

    def right(output, target):
        return float((output.argmax(1) == target).mean())

    x = np.random.default_rng(0).integers(0, 5, (40, 6))
    found = []
    for turned in (True, False):
        mg.seed(0)
        model = Places(turned)
        optimizer = optim.Adam(model.parameters(), lr=0.05)
        options = {"curves": curves, "batch_size": 16, "metrics": [right]}
        trainer = mg.Trainer(model, nn.CrossEntropyLoss(), optimizer, **options)
        history = trainer.fit((x, x % 3), val=(x[:7], x[:7] % 3), epochs=4)
        found.append(
            ([list(history[c]) for c in ("loss", "val_loss", "right")], trainer.predict(x).tolist())
        )
    assert found[0] == found[1]


def test_only_a_head_is_trained_as_fast_and_to_the_same_bits():
    found = []
    for frozen in (False, True):
        mg.seed(0)
        body, head = nn.Linear(2, 8), nn.Linear(8, 1)
        body.requires_grad_(not frozen)
        optimizer = optim.Adam(head.parameters(), lr=0.01)
        trainer = mg.Trainer(nn.Sequential(body, nn.ReLU(), head), nn.MSELoss(), optimizer)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # there is a plan
            history = trainer.fit((np.ones((50, 2)), np.zeros(50)), epochs=4)
        found.append([*history["loss"], *head.weight.numpy().ravel()])
    assert found[0] == found[1]


def test_figures_come_in_the_order_of_the_metrics():
    """Also where some are measured within a plan and others by numpy."""
    names = ["auc", "accuracy", "f1"]
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    trainer = mg.Trainer(model, nn.BCEWithLogitsLoss(), optimizer, metrics=names)
    history = trainer.fit(mg.data.make_moons(40), epochs=3)
    assert history.columns == ["epoch", "loss", *names, "lr", "seconds"]
    assert list(trainer.evaluate(mg.data.make_moons(40))) == ["loss", *names]

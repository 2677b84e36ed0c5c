"""AverageWeights: the means it says, with batch-norm statistics of the averaged weights."""

import numpy as np
import pytest
from trainers import XV, YV, X, Y, make, network, same, weights

import minigrad as mg
from minigrad import nn, optim
from minigrad.callbacks import AverageWeights, Callback, EarlyStopping, ModelCheckpoint


class Record(Callback):
    """Keeps the weights of every epoch."""

    def __init__(self):
        self.weights = []

    def on_epoch_end(self, trainer, row):
        self.weights.append(weights(trainer.model))


class RecordSteps(Callback):
    """Keeps the weights of every step."""

    def __init__(self):
        self.weights = []

    def on_batch_end(self, trainer, loss):
        self.weights.append(weights(trainer.model))


def mean(values, decay):
    """The average in float64: the plain mean until there are 1 / (1 - decay) values."""
    average = np.zeros_like(values[0], np.float64)
    for i, value in enumerate(values, 1):
        share = 1 / i if decay is None else max(1 / i, 1 - decay)
        average = average + share * (value - average)
    return average


@pytest.mark.parametrize("decay", [None, 0.8])
@pytest.mark.parametrize("start", [0, 3])
def test_the_model_ends_with_the_average_of_its_last_epochs(decay, start):
    record, average = Record(), AverageWeights(decay, start, every="epoch")
    trainer = make(callbacks=[average, record], batch_size=16)
    history = trainer.fit((X, Y), epochs=7)
    assert average.n_averaged == 7 - start
    for name, got in weights(trainer.model).items():
        expected = mean([w[name] for w in record.weights[start:]], decay)
        np.testing.assert_allclose(got, expected, rtol=2e-6, atol=1e-7)
    plain = make(batch_size=16)
    plain.fit((X, Y), epochs=7)
    assert same(weights(plain.model), record.weights[-1]), "it is trained as without"
    assert trainer.evaluate((X, Y))["loss"] == history["loss"][-1]


@pytest.mark.parametrize("decay", [None, 0.8])
@pytest.mark.parametrize("start", [0, 3])
def test_every_step_can_be_averaged(decay, start):
    record = RecordSteps()
    make(callbacks=[record], batch_size=16).fit((X, Y), epochs=7)
    average = AverageWeights(decay, start, every="step")
    trainer = make(callbacks=[average], batch_size=16)
    trainer.fit((X, Y), epochs=7)
    assert average.n_averaged == 4 * (7 - start)
    for name, got in weights(trainer.model).items():
        expected = mean([w[name] for w in record.weights[4 * start :]], decay)
        np.testing.assert_allclose(got, expected, rtol=2e-6, atol=1e-7)
    before = average.n_averaged
    trainer.step(*[mg.tensor(a.astype(np.float32)) for a in (X, Y[:, None])])
    assert average.n_averaged == before, "a step of one's own is no part of that training"


def test_steps_are_averaged_where_decay_says_and_epochs_where_not():
    assert [AverageWeights(decay).every for decay in (0.9, None)] == ["step", "epoch"]
    with pytest.raises(ValueError, match="every must be one of 'step', 'epoch'"):
        AverageWeights(every="batch")


@pytest.mark.parametrize("arguments", [(0.9,), (0.9, 4), (None, 2, "step")])
def test_a_plan_averages_to_the_bits_of_eager_mode(arguments, monkeypatch):
    def train(**options):
        stopping = EarlyStopping("loss", patience=2, min_delta=0.3, restore_best=False)
        trainer = make(
            network(dropout=0.2, norm=True),
            callbacks=[AverageWeights(*arguments), stopping, *options.pop("callbacks", ())],
            batch_size=16,
            **options,
        )
        history = trainer.fit((X, Y), val=(XV, YV), epochs=60)
        assert 5 < len(history) < 60
        return weights(trainer.model)

    whole = train()
    assert same(train(callbacks=[Record()]), whole), "epoch by epoch"
    assert same(train(callbacks=[RecordSteps()]), whole), "step by step"
    monkeypatch.setenv("MINIGRAD_EAGER", "1")
    assert same(train(), whole)


@pytest.mark.parametrize("stream", [False, True])
def test_batch_norm_statistics_are_those_of_the_average(stream):
    trainer = make(network(norm=True), callbacks=[AverageWeights()], batch_size=25)
    batches = [(X[:25], Y[:25]), (X[25:], Y[25:])]
    trainer.fit(batches if stream else (X, Y), epochs=6)
    linear, norm = trainer.model[0], trainer.model[1]
    hidden = X @ linear.weight.numpy().T + linear.bias.numpy()
    np.testing.assert_allclose(norm.running_mean.numpy(), hidden.mean(0), rtol=1e-4, atol=1e-6)
    assert norm.momentum == 0.1
    assert not trainer.model.training


def test_an_interrupted_training_ends_with_the_average_too():
    class Interrupt(Callback):
        def on_epoch_begin(self, trainer):
            if trainer.epoch == 4:
                raise KeyboardInterrupt

    record = Record()
    trainer = make(callbacks=[record, AverageWeights(), Interrupt()], batch_size=16)
    with pytest.raises(KeyboardInterrupt):
        trainer.fit((X, Y), epochs=9)
    expected = mean([w["0.weight"] for w in record.weights], None)
    np.testing.assert_allclose(trainer.model[0].weight.numpy(), expected, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("every", ["step", "epoch"])
@pytest.mark.parametrize("start", [0, 1, 5])
def test_a_resumed_training_ends_with_the_same_bits(tmp_path, start, every):
    class StopAt(Callback):
        def on_epoch_begin(self, trainer):
            if trainer.epoch == 4:
                raise KeyboardInterrupt

    def train(*callbacks, resume=None):
        checkpoint = ModelCheckpoint(tmp_path / "last", save="last")
        average = AverageWeights(0.8, start, every)
        trainer = make(callbacks=[average, checkpoint, *callbacks], batch_size=16)
        trainer.fit((X, Y), epochs=7, resume=resume)
        return weights(trainer.model)

    whole = train()
    with pytest.raises(KeyboardInterrupt):
        train(StopAt())
    assert same(train(resume=tmp_path / "last"), whole)


def test_a_training_that_stops_ends_with_the_average():
    record = Record()
    stopping = EarlyStopping("loss", patience=1, min_delta=10.0, restore_best=False)
    trainer = make(callbacks=[AverageWeights(), stopping, record], batch_size=16)
    assert len(trainer.fit((X, Y), epochs=50)) == 2
    expected = mean([w["0.weight"] for w in record.weights], None)
    np.testing.assert_allclose(trainer.model[0].weight.numpy(), expected, rtol=2e-6, atol=1e-7)


AVERAGES = {
    "EMA": (0.9,),
    "EMA, later": (0.9, 4),
    "EMA over epochs": (0.5, 0, "epoch"),
    "SWA": (),
    "SWA, later": (None, 4),
}


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("name", AVERAGES)
@pytest.mark.parametrize("eager", [False, True])
def test_the_best_epochs_average_is_put_back(name, norm, eager, monkeypatch):
    """What was validated is what the model ends with, wherever the callbacks stand."""
    if eager:
        monkeypatch.setenv("MINIGRAD_EAGER", "1")
    average = AverageWeights(*AVERAGES[name])
    noisy = Y + np.random.default_rng(0).normal(0, 2, len(Y))
    for order in (1, -1):
        stopping = EarlyStopping(patience=6)
        trainer = make(
            network(dropout=0.2, norm=norm),
            callbacks=[average, stopping][::order],
            metrics=["mae"],
            batch_size=16,
        )
        history = trainer.fit((X, noisy), val=(XV, YV), epochs=300)
        best = history.best_epoch
        assert 4 < best < len(history) - 1, "it stopped after its best epoch"
        for data, prefix in (((X, noisy), ""), ((XV, YV), "val_")):
            for figure, value in trainer.evaluate(data).items():
                assert value == history[prefix + figure][best]


def test_the_curves_are_of_the_average_and_plans_draw_them_to_the_bit(monkeypatch):
    class Evaluate(Callback):
        """Evaluates its own averages of every step."""

        def __init__(self):
            self.model, self.seen, self.losses = network(dropout=0.2), [], []

        def on_batch_end(self, trainer, loss):
            self.seen.append(weights(trainer.model))

        def on_epoch_end(self, trainer, row):
            averages = {name: mean([w[name] for w in self.seen], 0.8) for name in self.seen[0]}
            self.model.load_state_dict({n: a.astype(np.float32) for n, a in averages.items()})
            self.losses.append(make(self.model).evaluate((XV, YV))["loss"])

    def train(*callbacks):
        model = network(dropout=0.2)
        trainer = make(model, callbacks=[AverageWeights(0.8), *callbacks], batch_size=16)
        history = trainer.fit((X, Y), val=(XV, YV), epochs=12)
        return history["loss"].tolist(), history["val_loss"].tolist(), weights(model)

    by_hand = Evaluate()
    losses, val_losses, ended = train()
    train(by_hand)
    np.testing.assert_allclose(val_losses, by_hand.losses, rtol=1e-5)
    monkeypatch.setenv("MINIGRAD_EAGER", "1")
    again = train()
    assert (losses, val_losses) == again[:2]
    assert same(ended, again[2])


def test_the_best_epoch_may_be_one_before_the_average():
    def train(*callbacks):
        trainer = make(callbacks=[*callbacks, EarlyStopping(mode="max", patience=99)])
        history = trainer.fit((X, Y), val=(XV, YV), epochs=8)
        assert history.best_epoch == 0
        return weights(trainer.model)

    assert same(train(AverageWeights(0.9, start=6)), train())


def test_an_error_in_an_evaluation_leaves_the_weights_in_their_places():
    class Broken(Exception):
        pass

    def loss(output, target):
        calls.append(1)
        if len(calls) > 5 and not model.training:
            raise Broken
        return nn.functional.mse_loss(output, target)

    calls, model, record = [], network(), RecordSteps()
    average = AverageWeights(0.9)
    trainer = make(model, callbacks=[average, record], batch_size=16)
    trainer.loss = loss
    with pytest.raises(Broken):
        trainer.fit((X, Y), epochs=3)
    expected = mean([w["0.weight"] for w in record.weights], 0.9)
    np.testing.assert_allclose(weights(model)["0.weight"], expected, rtol=2e-6, atol=1e-7)
    assert trainer.average is None


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match=r"decay must be in \[0, 1\), got 1"):
        AverageWeights(1)
    with pytest.raises(ValueError, match="start must be at least 0"):
        AverageWeights(start=-1)
    with pytest.raises(ValueError, match="start = 5 comes after all 5 epochs"):
        make(callbacks=[AverageWeights(start=5)]).fit((X, Y), epochs=5)
    with pytest.raises(ValueError, match="no running fit"):
        make().training_batches()


# --- update_bn -------------------------------------------------------------------------------


def test_update_bn_is_torchs():
    torch = pytest.importorskip("torch")
    batches = [np.random.default_rng(i).normal(i, 1 + i, (n, 3)) for i, n in enumerate((8, 8, 5))]
    ours = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.BatchNorm1d(4)).double()
    peer = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU(), torch.nn.BatchNorm1d(4)
    ).double()
    state = {name: torch.tensor(w.numpy().copy()) for name, w in ours.state_dict().items()}
    peer.load_state_dict(state, strict=False)
    torch.optim.swa_utils.update_bn([torch.tensor(b) for b in batches], peer)
    ours[2].eval()
    optim.update_bn([(mg.tensor(b), "target") for b in batches], ours)
    for name in ("1.running_mean", "1.running_var", "3.running_mean", "3.running_var"):
        expected = peer.state_dict()[name].numpy()
        np.testing.assert_allclose(ours.state_dict()[name].numpy(), expected, rtol=1e-12)
    assert [m.training for m in ours] == [True, True, False, True]


def test_update_bn_without_batches_or_norms_changes_nothing():
    model = nn.BatchNorm1d(2)
    with pytest.raises(ValueError, match="got no batches"):
        optim.update_bn([], model)
    assert model.running_var.tolist() == [1.0, 1.0]
    optim.update_bn(
        iter([0]), nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, 1e-5, 0.1, True, False))
    )

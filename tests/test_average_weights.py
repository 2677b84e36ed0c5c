"""AverageWeights: the means it says, with batch-norm statistics of the averaged weights."""

import numpy as np
import pytest
from trainers import X, Y, make, network, same, weights

import minigrad as mg
from minigrad import nn, optim
from minigrad.callbacks import AverageWeights, Callback, EarlyStopping, ModelCheckpoint


class Record(Callback):
    """Keeps the weights of every epoch."""

    def __init__(self):
        self.weights = []

    def on_epoch_end(self, trainer, row):
        self.weights.append(weights(trainer.model))


def mean(values, decay):
    """The average in float64."""
    average = values[0].astype(np.float64)
    for i, value in enumerate(values[1:], 2):
        share = 1 / i if decay is None else 1 - decay
        average = average + share * (value - average)
    return average


@pytest.mark.parametrize("decay", [None, 0.8])
@pytest.mark.parametrize("start", [0, 3])
def test_the_model_ends_with_the_average_of_its_last_epochs(decay, start):
    record, average = Record(), AverageWeights(decay, start)
    trainer = make(callbacks=[average, record], batch_size=16)
    history = trainer.fit((X, Y), epochs=7)
    assert average.n_averaged == 7 - start
    for name, got in weights(trainer.model).items():
        expected = mean([w[name] for w in record.weights[start:]], decay)
        np.testing.assert_allclose(got, expected, rtol=2e-6, atol=1e-7)
    plain = make(batch_size=16)
    assert plain.fit((X, Y), epochs=7)["loss"].tolist() == history["loss"].tolist()


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


@pytest.mark.parametrize("decay", [None, 0.8])
def test_a_resumed_training_ends_with_the_same_bits(tmp_path, decay):
    def train(epochs, resume=None):
        checkpoint = ModelCheckpoint(tmp_path / "last", save="last")
        trainer = make(callbacks=[AverageWeights(decay, 1), checkpoint], batch_size=16)
        trainer.fit((X, Y), epochs=epochs, resume=resume)
        return weights(trainer.model)

    whole = train(6)
    train(4)
    assert same(train(6, resume=tmp_path / "last"), whole)


def test_early_stopping_may_stop_but_not_restore():
    record = Record()
    with pytest.raises(ValueError, match="restore_best=False"):
        make(callbacks=[AverageWeights(), EarlyStopping("loss")]).fit((X, Y))
    stopping = EarlyStopping("loss", patience=1, min_delta=10.0, restore_best=False)
    trainer = make(callbacks=[AverageWeights(), stopping, record], batch_size=16)
    assert len(trainer.fit((X, Y), epochs=50)) == 2
    expected = mean([w["0.weight"] for w in record.weights], None)
    np.testing.assert_allclose(trainer.model[0].weight.numpy(), expected, rtol=2e-6, atol=1e-7)


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

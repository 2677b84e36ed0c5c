"""The loop: many epochs in one call are the epochs one by one, to the bit, whatever looks on."""

import numpy as np
import pytest
from presses import CtrlC

import minigrad as mg
from minigrad import nn, optim
from minigrad.callbacks import Callback, EarlyStopping, ModelCheckpoint
from minigrad.trainer import Trainer

RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=(50, 3))
Y = (X @ [1.0, -2.0, 0.5] + RANDOM.normal(size=50) > 0).astype(float)
XV = RANDOM.normal(size=(1100, 3))
YV = (XV @ [1.0, -2.0, 0.5] > 0).astype(float)


def network(norm=False):
    mg.seed(0)
    hidden = [nn.BatchNorm1d(8)] if norm else []
    return nn.Sequential(nn.Linear(3, 8), *hidden, nn.ReLU(), nn.Dropout(0.4), nn.Linear(8, 1))


def spread(output, target):
    return np.ptp(output) - np.ptp(target)


# arguments of the trainer, whether there is validation data, float64
TRAININGS = {
    "one batch": ({"batch_size": 64}, True, False),
    "batches": ({"batch_size": 10}, True, False),
    "a smaller last batch": ({"batch_size": 16}, True, False),
    "float64": ({"batch_size": 16, "metrics": ["r2", "mae"]}, True, True),
    "no validation": ({"batch_size": 16}, False, False),
    "metrics of tensors": ({"metrics": ["accuracy", "f1", "rmse"]}, True, False),
    "metrics of numpy": ({"metrics": ["accuracy", "auc", spread]}, True, False),
    "running": ({"curves": "running"}, True, False),
    "running with metrics": ({"curves": "running", "metrics": ["accuracy", spread]}, True, False),
    "penalty": ({"penalty": nn.L2(0.01), "batch_size": 64}, True, False),
    "clipped": ({"clip_grad_norm": 0.1, "constraint": nn.MaxNorm(1.0)}, False, False),
    "stopping": ({"callbacks": lambda: [EarlyStopping(patience=4)]}, True, False),
    "never stopping": ({"callbacks": lambda: [EarlyStopping(patience=99)]}, True, False),
    "stopping, not restoring": (
        {"callbacks": lambda: [EarlyStopping(patience=4, restore_best=False)]},
        *(True, False),
    ),
}


def train(arguments, val=True, double=False, norm=False, epochs=40):
    model = network(norm)
    model = model.double() if double else model
    arguments = dict(arguments)
    callbacks = arguments.pop("callbacks", list)()
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    trainer = Trainer(
        model,
        nn.BCEWithLogitsLoss(),
        optimizer,
        **{"progress": False, "callbacks": callbacks, **arguments},
    )
    trainer.fit((X, Y), val=(XV, YV) if val else None, epochs=epochs)
    return trainer


def outcome(trainer):
    """All that a training leaves behind, but for the time that it took."""
    history = [{**row, "seconds": 0.0} for row in trainer.history]
    state = {name: w.numpy().tobytes() for name, w in trainer.model.state_dict().items()}
    slots = trainer.optimizer.state_dict()["state"]
    moments = [np.asarray(slots[i]["exp_avg"]).tobytes() for i in slots]
    steps = [slots[i]["step"] for i in slots]
    progress = trainer.progress_state()
    return history, trainer.history.stop_reason, state, moments, steps, progress


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("name", TRAININGS)
def test_calls_of_many_epochs_equal_ops_one_by_one(name, norm, monkeypatch):
    arguments, val, double = TRAININGS[name]
    calls = []
    run = mg.training.planned.PlannedEpochs.run

    def spied(self, *given):
        table, interrupted = run(self, *given)
        calls.append(len(table))
        return table, interrupted

    monkeypatch.setattr(
        "minigrad.training.planned.PlannedEpochs.run",
        spied,
    )
    planned = outcome(train(arguments, val, double, norm))
    assert calls, "no epoch was run in the core"
    if not ({"auc", spread} & set(arguments.get("metrics", []))) and name != "running with metrics":
        assert max(calls) > 1
    calls.clear()
    monkeypatch.setenv("MINIGRAD_EAGER", "1")
    assert planned == outcome(train(arguments, val, double, norm))
    assert not calls


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt(), None])
@pytest.mark.parametrize("at", [0, 1, 17, 38, 39])
def test_an_end_in_the_middle_of_a_call_leaves_that_epoch(error, at):
    class End(Callback):
        reads_model = False

        def on_epoch_end(self, trainer, row):
            if trainer.epoch == at:
                if isinstance(error, KeyboardInterrupt):
                    return trainer.interrupt()
                if error is not None:
                    raise error
                trainer.stop("enough")

    model = network()
    trainer = Trainer(
        model, nn.BCEWithLogitsLoss(), optim.Adam(model.parameters()), callbacks=[End()]
    )
    if error is None or (at == 39 and not str(error)):  # there is nothing left to interrupt
        trainer.fit((X, Y), epochs=40)
    else:
        with pytest.raises(type(error), match=str(error) or None):
            trainer.fit((X, Y), epochs=40)
    assert len(trainer.history) == at + 1
    model = network()
    plain = Trainer(model, nn.BCEWithLogitsLoss(), optim.Adam(model.parameters()))
    plain.fit((X, Y), epochs=at + 1)
    trainer.stop_reason = ""
    assert outcome(trainer)[2:] == outcome(plain)[2:]


def test_a_snapshot_in_the_middle_of_a_call_can_be_saved():
    states = []

    class Keep(Callback):
        reads_model = False

        def on_epoch_end(self, trainer, row):
            if trainer.epoch == 25:
                self.snapshot = trainer.snapshot()

        def on_fit_end(self, trainer):
            before = trainer.predict(X)
            states.append(self.snapshot.state())
            assert np.array_equal(trainer.predict(X), before)

    train({"callbacks": lambda: [Keep()]})
    plain = train({}, epochs=26)
    for name, w in plain.model.state_dict().items():
        assert np.array_equal(states[0]["model"][name], w.numpy())


# --- callbacks that look or act ---------------------------------------------------------------


class Change(Callback):
    """Changes the model before epoch 5."""

    def __init__(self, change):
        self.change = change

    def on_epoch_begin(self, trainer):
        if trainer.epoch == 5:
            self.change(trainer.model)


def exchange(model):
    mg.seed(9)
    model[1] = nn.GELU()


CHANGES = {
    "freeze": lambda model: model[0].requires_grad_(False),
    "a setting": lambda model: setattr(model[2], "p", 0.0),
    "another layer": exchange,
    "other weights": lambda model: model.load_state_dict(network(False).state_dict()),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_callback_changes_is_trained(name, monkeypatch):
    arguments = {"callbacks": lambda: [Change(CHANGES[name])]}
    planned = outcome(train(arguments, epochs=12))
    assert planned != outcome(train({}, epochs=12)), "it made no difference"
    monkeypatch.setenv("MINIGRAD_EAGER", "1")
    assert planned == outcome(train(arguments, epochs=12))


def test_a_subclass_that_reads_the_model_sees_every_epoch():
    seen = []

    class Nosy(EarlyStopping):
        def on_epoch_end(self, trainer, row):
            super().on_epoch_end(trainer, row)
            seen.append(trainer.evaluate((XV, YV))["loss"])

    trainer = train({"callbacks": lambda: [Nosy(patience=99)]}, epochs=20)
    assert np.array_equal(seen, trainer.history["val_loss"])


class Now(Callback):
    """Wants to be told now and then."""

    reads_model = False
    every_epoch = False

    def __init__(self):
        self.seen = []

    def on_epoch_end(self, trainer, row):
        row["seen"] = 1.0
        self.seen.append((trainer.epoch, row["epoch"], len(trainer.history), row["loss"]))


def test_who_need_not_see_every_epoch_sees_the_last_of_each_call():
    now = Now()
    trainer = train({"callbacks": lambda: [now]}, epochs=300)
    history = trainer.history
    assert len(now.seen) < 100
    assert now.seen[-1][0] == 299
    for epoch, number, length, loss in now.seen:
        assert (epoch, length, loss) == (number, number + 1, history["loss"][number])
    marked = np.flatnonzero(history["seen"] == 1.0).tolist()
    assert marked == [epoch for epoch, *_ in now.seen]
    for row in history:
        row.pop("seen", None)
    assert outcome(trainer) == outcome(train({}, epochs=300))


def test_beside_who_must_all_see_every_epoch():
    class Every(Now):
        def on_epoch_end(self, trainer, row):  # says nothing of every_epoch itself
            super().on_epoch_end(trainer, row)

    class Stopping(EarlyStopping):
        pass

    for other in ([Every()], [Stopping(patience=99), Now()]):
        train({"callbacks": lambda other=other: other}, epochs=60)
        assert [epoch for epoch, *_ in other[-1].seen] == list(range(60))


def test_resuming_goes_on_to_the_same_bits(tmp_path):
    path = str(tmp_path / "{epoch}.safetensors")

    def stopping():
        return [EarlyStopping(patience=99), ModelCheckpoint(path, save=5)]

    whole = outcome(train({"callbacks": stopping}, epochs=30))
    model = network()
    trainer = Trainer(
        model,
        nn.BCEWithLogitsLoss(),
        optim.Adam(model.parameters(), lr=0.05),
        callbacks=stopping(),
        progress=False,
    )
    trainer.fit((X, Y), val=(XV, YV), epochs=30, resume=path.format(epoch=9))
    assert outcome(trainer) == whole


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_a_long_call_with_a_whole_history():
    model, ctrl_c = network(), CtrlC(0.3, epochs=1)
    trainer = Trainer(
        model,
        nn.BCEWithLogitsLoss(),
        optim.Adam(model.parameters()),
        callbacks=[EarlyStopping(patience=1_000_000), ctrl_c],
        progress=False,
    )
    ctrl_c.ends(lambda: trainer.fit((X, Y), val=(XV[:20], YV[:20]), epochs=1_000_000))
    history = trainer.history
    assert history["epoch"].tolist() == list(range(len(history)))
    assert history.stop_reason == f"interrupted in epoch {len(history)}"
    assert trainer.evaluate((XV[:20], YV[:20]))["loss"] == history.best_value

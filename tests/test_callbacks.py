"""Callbacks in small trainings: what they write, change and restore, and in which order."""

import csv
import io
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    ModelCheckpoint,
    ProgressBar,
    ReduceLROnPlateau,
    StopOnNaN,
    TensorBoard,
)

X = np.linspace(-1, 1, 24).reshape(12, 2)
Y = X.sum(axis=1)


def make(*callbacks, lr=0.01, **arguments):
    mg.seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Dropout(0.2), nn.Linear(4, 1))
    optimizer = optim.Adam(model.parameters(), lr=lr)
    arguments = {"batch_size": 5, "progress": False, **arguments}
    return mg.Trainer(model, nn.MSELoss(), optimizer, callbacks=callbacks, **arguments)


def weights(trainer):
    return {name: w.numpy().copy() for name, w in trainer.model.state_dict().items()}


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


class Script(Callback):
    """Puts scripted values into a column."""

    def __init__(self, values, column="loss"):
        self.values = values
        self.column = column

    def on_epoch_end(self, trainer, row):
        row[self.column] = self.values[trainer.epoch]


class Spy(Callback):
    def __init__(self):
        self.calls = []

    def on_fit_begin(self, trainer):
        self.calls.append("fit begin")

    def on_epoch_begin(self, trainer):
        self.calls.append(f"epoch {trainer.epoch}")

    def on_batch_end(self, trainer, loss):
        assert loss.numel() == 1
        self.calls.append("batch")

    def on_epoch_end(self, trainer, row):
        assert trainer.history[-1] is row
        self.calls.append("epoch end")

    def on_fit_end(self, trainer):
        assert trainer.history.stop_reason
        self.calls.append("fit end")


def test_hooks_come_in_order():
    spy = Spy()
    make(spy).fit((X, Y), epochs=2)
    epoch = ["batch"] * 3 + ["epoch end"]
    assert spy.calls == ["fit begin", "epoch 0", *epoch, "epoch 1", *epoch, "fit end"]


def test_a_callback_stops_by_asking():
    class StopAt(Callback):
        def on_epoch_end(self, trainer, row):
            if trainer.epoch == 2:
                trainer.stop("far enough")

    history = make(StopAt()).fit((X, Y), epochs=9)
    assert len(history) == 3
    assert history.stop_reason == "far enough"


def test_a_stop_within_an_epoch_still_ends_in_a_row():
    class StopSoon(Callback):
        def on_batch_end(self, trainer, loss):
            trainer.stop("at once")

    spy = Spy()
    history = make(StopSoon(), spy).fit((X, Y), epochs=9)
    assert len(history) == 1
    assert spy.calls.count("batch") == 1


def test_every_fit_end_is_called_even_if_one_fails():
    class Broken(Callback):
        def on_fit_end(self, trainer):
            raise RuntimeError("broken")

    spy = Spy()
    with pytest.raises(RuntimeError, match="broken"):
        make(Broken(), spy).fit((X, Y), epochs=1)
    assert spy.calls[-1] == "fit end"


def test_a_class_instead_of_an_instance_is_refused():
    with pytest.raises(TypeError, match="not a Callback"):
        make(EarlyStopping)


# --- ModelCheckpoint -------------------------------------------------------------------------


def test_checkpoint_best_last_and_every_n(tmp_path):
    values = [3.0, 2.0, math.nan, 1.0, 2.0]
    best = ModelCheckpoint(tmp_path / "best{epoch}.safetensors", monitor="loss")
    last = ModelCheckpoint(tmp_path / "last.safetensors", "last")
    every = ModelCheckpoint(tmp_path / "every{epoch}.safetensors", 2)
    make(best, last, every, Script(values)).fit((X, Y), epochs=5)
    names = sorted(path.name.split(".")[0] for path in tmp_path.iterdir())
    assert names == ["best0", "best1", "best3", "every1", "every3", "last"]
    assert best.saved == tmp_path / "best3.safetensors"


@pytest.mark.parametrize("curves", ["honest", "running"])
def test_a_resumed_training_gives_the_same_bits(tmp_path, curves):
    def trainer():
        stopping = EarlyStopping("loss", patience=100)
        checkpoint = ModelCheckpoint(tmp_path / "{epoch}.safetensors", 1)
        return make(checkpoint, ReduceLROnPlateau("loss", patience=1), stopping, curves=curves)

    whole, resumed = trainer(), trainer()
    uninterrupted = whole.fit((X, Y), epochs=7)
    again = resumed.fit((X, Y), epochs=7, resume=tmp_path / "2.safetensors")
    assert same(weights(whole), weights(resumed))
    for one, other in zip(uninterrupted, again, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    assert uninterrupted.best_epoch == again.best_epoch


def test_a_second_fit_after_a_resumed_one_goes_on_alike(tmp_path):
    path = tmp_path / "last.safetensors"
    whole = make(ModelCheckpoint(path, "last"))
    whole.fit((X, Y), epochs=3)
    resumed = make(ModelCheckpoint(tmp_path / "other.safetensors", "last"))
    resumed.fit((X, Y), epochs=3, resume=path)
    whole.fit((X, Y), epochs=2)
    resumed.fit((X, Y), epochs=2)
    assert same(weights(whole), weights(resumed))


def test_a_state_that_cannot_be_loaded_changes_nothing(tmp_path):
    class Picky(Callback):
        def state_dict(self):
            return {"kept": 1}

        def load_state_dict(self, state):
            if state["kept"] != self.wanted:
                raise KeyError("kept")

    path = tmp_path / "a.safetensors"
    make(EarlyStopping("loss"), Picky(), ModelCheckpoint(path, "last")).fit((X, Y), epochs=3)
    stopping, picky = EarlyStopping("loss"), Picky()
    other = make(stopping, picky, ModelCheckpoint(path, "last"))
    picky.wanted = 2
    before, state = weights(other), stopping.state_dict()
    with pytest.raises(KeyError, match="kept"):
        other.fit((X, Y), epochs=2, resume=path)
    assert same(weights(other), before)
    assert stopping.state_dict() == state


def test_foreign_checkpoints_change_nothing(tmp_path):
    path = tmp_path / "a.safetensors"
    make(ModelCheckpoint(path, "last")).fit((X, Y), epochs=1)
    other = make(ModelCheckpoint(path, "last"), EarlyStopping("loss"))
    before = weights(other)
    with pytest.raises(ValueError, match="saved with the callbacks"):
        other.fit((X, Y), epochs=2, resume=path)
    plain = tmp_path / "weights.safetensors"
    mg.save(other.model.state_dict(), plain)
    with pytest.raises(ValueError, match="holds no training"):
        other.fit((X, Y), epochs=2, resume=plain)
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    wider = mg.Trainer(
        model,
        nn.MSELoss(),
        optim.Adam(model.parameters()),
        callbacks=[ModelCheckpoint(path, "last")],
    )
    narrow = weights(wider)
    with pytest.raises(ValueError, match="load_state_dict"):
        wider.fit((X, Y), epochs=2, resume=path)
    assert same(before, weights(other))
    assert same(narrow, weights(wider))
    third = make(ModelCheckpoint(path, "last"))
    third.optimizer = optim.SGD(third.model.parameters(), lr=0.1, momentum=0.9)
    with pytest.raises(ValueError, match="momentum_buffer"):
        third.fit((X, Y), epochs=2, resume=path)
    assert same(before, weights(third))


@pytest.mark.parametrize("save", ["worst", 0, True, 1.5])
def test_impossible_checkpoints_are_refused(save):
    with pytest.raises(ValueError, match="save"):
        ModelCheckpoint("x", save)


def test_a_missing_folder_is_told_before_training(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        make(ModelCheckpoint(tmp_path / "no" / "x", "last")).fit((X, Y), epochs=1)


# --- the others ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "values", "rates"),
    [
        ({"patience": 2}, [1, 1, 1, 1, 1], [1, 1, 1, 0.5, 0.5]),
        ({"patience": 1, "min_lr": 0.3}, [1, 1, 1, 1], [1, 1, 0.5, 0.3]),
        ({"patience": 1, "cooldown": 2}, [1, 1, 1, 1, 1, 1], [1, 1, 0.5, 0.5, 0.5, 0.25]),
        ({"patience": 1, "min_delta": 1}, [9, 7, 6.5, 5], [1, 1, 1, 0.5]),
        ({"patience": 1}, [math.nan, 1, 0.5], [1, 0.5, 0.5]),
    ],
)
def test_reduce_lr_scripted(arguments, values, rates):
    callback = ReduceLROnPlateau("loss", factor=0.5, **arguments)
    history = make(Script(values), callback, lr=1.0).fit((X, Y), epochs=len(values))
    assert history["lr"].tolist() == rates


@pytest.mark.parametrize("arguments", [{"factor": 1.0}, {"patience": -1}, {"min_lr": -1.0}])
def test_impossible_reductions_are_refused(arguments):
    with pytest.raises(ValueError, match=r"must be"):
        ReduceLROnPlateau(**arguments)


def test_csv_log_is_complete_and_can_be_appended_to(tmp_path):
    path = tmp_path / "log.csv"
    trainer = make(CSVLogger(path, append=True), penalty=nn.L2(0.1))
    history = trainer.fit((X, Y), val=(X, Y), epochs=2)
    trainer.fit((X, Y), val=(X, Y), epochs=1)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert list(rows[0]) == history.columns
    assert [row["epoch"] for row in rows] == ["0", "1", "0"]
    assert float(rows[1]["loss"]) == history[1]["loss"]
    with pytest.raises(ValueError, match="has the columns"):
        make(CSVLogger(path, append=True)).fit((X, Y), epochs=1)
    make(CSVLogger(path)).fit((X, Y), epochs=1)
    assert len(path.read_text().splitlines()) == 2


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_stop_on_nan(value):
    history = make(Script([1.0, value, 1.0]), StopOnNaN()).fit((X, Y), epochs=3)
    assert len(history) == 2
    assert history.stop_reason.startswith(f"loss is {value} at epoch 1")


def test_a_breakdown_restores_the_best_before_it():
    class Explode(Callback):
        def on_epoch_begin(self, trainer):
            if trainer.epoch == 2:
                self.before = weights(trainer)
                for group in trainer.optimizer.param_groups:
                    group["lr"] = 1e30

    explode = Explode()
    trainer = make(explode, StopOnNaN(), EarlyStopping("loss", patience=9))
    with np.errstate(all="ignore"):
        history = trainer.fit((X, Y), epochs=30)
    assert len(history) < 30
    assert "loss is" in history.stop_reason
    assert same(weights(trainer), explode.before)
    assert trainer.optimizer.param_groups[0]["lr"] == 0.01


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_shows_loss_and_gap_on_a_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    make(progress=None).fit((X, Y), val=(X, Y), epochs=3)
    text = terminal.getvalue()
    assert "loss " in text
    assert "gap " in text
    assert "left]" in text


@pytest.mark.parametrize("progress", [None, False])
def test_progress_is_quiet_in_a_log(monkeypatch, progress):
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    make(progress=progress).fit((X, Y), epochs=3)
    make(ProgressBar()).fit((X, Y), epochs=3)
    assert log.getvalue() == ""


def test_tensorboard_reads_what_was_written(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    history = make(TensorBoard(tmp_path)).fit((X, Y), val=(X, Y), epochs=3)
    for run, column in (("train", "loss"), ("validation", "val_loss")):
        events = EventAccumulator(str(tmp_path / run))
        events.Reload()
        values = [event.value for event in events.Scalars("loss")]
        np.testing.assert_allclose(values, history[column], rtol=1e-6)


def test_tensorboard_missing_is_told_before_training(monkeypatch, tmp_path):
    module = "tensorboard.summary.writer.event_file_writer"
    monkeypatch.setitem(__import__("sys").modules, module, None)
    trainer = make(TensorBoard(tmp_path))
    before = weights(trainer)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        trainer.fit((X, Y), epochs=1)
    assert same(before, weights(trainer))

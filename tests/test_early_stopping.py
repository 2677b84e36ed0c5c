"""EarlyStopping on scripted values, without training: when it stops, and what it calls the best."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from minigrad.callbacks import EarlyStopping
from minigrad.history import History
from minigrad.metrics import Metric, resolve
from minigrad.training.snapshot import Snapshot, take_snapshot

NAN, INF = math.nan, math.inf


class Holder:
    """Stands for a model or an optimizer: state that can be taken and put back."""

    def __init__(self):
        self.state = {"w": np.zeros(1)}

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        self.state = {"w": np.array(state["w"])}


@dataclass
class Script:
    """A trainer that reads its values from a list."""

    columns: list[str] = field(default_factory=lambda: ["epoch", "loss", "val_loss"])
    metrics: list[Metric] = field(default_factory=list)
    model: Any = field(default_factory=Holder)
    optimizer: Any = field(default_factory=Holder)
    average: Any = None
    history: History = field(default_factory=History)
    epoch: int = 0
    reason: str = ""

    def stop(self, reason):
        self.reason = reason

    def snapshot(self):
        return Snapshot(take_snapshot(self.model, self.optimizer))

    def play(self, callback, values):
        """Return the epoch after which it stopped, or None; weights are the epoch's number."""
        callback.on_fit_begin(self)
        for self.epoch, value in enumerate(values):
            self.model.state["w"][:] = self.epoch
            self.optimizer.state["w"][:] = -self.epoch
            row = {"epoch": self.epoch, callback.monitor.column: value}
            self.history.append(row)
            callback.on_epoch_end(self, row)
            if self.reason:
                break
        callback.on_fit_end(self)
        return self.epoch if self.reason else None


CASES = {
    # name: (arguments, values, stops after epoch, best epoch)
    "improves for ever": ({"patience": 1}, [4, 3, 2, 1], None, 3),
    "worse at once": ({"patience": 1}, [1, 2, 3], 1, 0),
    "patience zero is one": ({"patience": 0}, [1, 2, 3], 1, 0),
    "patience counts epochs in a row": ({"patience": 2}, [3, 4, 2, 3, 1, 2, 2], 6, 4),
    "runs out exactly at the end": ({"patience": 3}, [1, 2, 2, 2], 3, 0),
    "equal is no improvement": ({"patience": 2}, [1, 1, 1, 1], 2, 0),
    "min_delta is absolute": ({"patience": 2, "min_delta": 0.5}, [3, 2.6, 2.5, 2.4], 2, 0),
    "min_delta adds up over slow progress": (
        {"patience": 3, "min_delta": 0.5},
        [3, 2.75, 2.25, 2, 1.5, 1.5],
        None,
        4,
    ),
    "min_delta on negative values": ({"patience": 1, "min_delta": 0.5}, [-1, -2, -2.25], 2, 1),
    "exactly min_delta is not more": ({"patience": 1, "min_delta": 0.5}, [2, 1.5], 1, 0),
    "max": ({"patience": 2, "mode": "max"}, [1, 3, 2, 2, 9], 3, 1),
    "NaN first is not the best": ({"patience": 3}, [NAN, 5, NAN, 4, 9], None, 3),
    "NaN counts as no improvement": ({"patience": 2}, [1, NAN, NAN, 0], 2, 0),
    "never finite": ({"patience": 2}, [NAN, INF, NAN], 1, None),
    "infinity is not the best": ({"patience": 2, "mode": "max"}, [1, INF, 2, INF, INF], 4, 2),
    "minus infinity neither": ({"patience": 2}, [1, -INF, 0.5], None, 2),
    "early epochs do not count": (
        {"patience": 1, "start_from_epoch": 2},
        [0, 9, 5, 4, 6, 1],
        4,
        3,
    ),
    "start beyond the end": ({"patience": 1, "start_from_epoch": 9}, [1, 2, 3], None, None),
    "baseline never reached": ({"patience": 2, "baseline": 1.0}, [4, 3, 2, 1], 1, 1),
    "baseline reached": ({"patience": 2, "baseline": 3.5}, [4, 3, 2, 1], None, 3),
    "baseline in max mode": (
        {"patience": 2, "baseline": 0.5, "mode": "max"},
        [0.4, 0.6, 0.5, 0.5],
        3,
        1,
    ),
    "smoothing rides over a spike": ({"patience": 1, "smoothing": 0.5}, [8, 4, 5, 2], None, 3),
    "without smoothing it stops": ({"patience": 1}, [8, 4, 5, 2], 2, 1),
    "smoothing survives NaN": ({"patience": 2, "smoothing": 0.5}, [8, 4, NAN, 2], None, 3),
}


@pytest.mark.parametrize("name", CASES)
def test_scripted(name):
    arguments, values, stopped, best = CASES[name]
    script, callback = Script(), EarlyStopping(**arguments)
    assert script.play(callback, values) == stopped
    assert callback.best_epoch == best
    if best is None:
        assert script.model.state["w"] == script.epoch  # nothing better to go back to
    else:
        assert script.model.state["w"] == best
        assert script.optimizer.state["w"] == -best
        assert script.history.best_epoch == best
        assert script.history.best_value == values[best]


def test_the_reason_tells_the_story():
    script = Script()
    script.play(EarlyStopping(patience=2), [1.0, 0.25, 3, 4])
    assert script.reason == "val_loss did not improve for 2 epochs; best 0.25 at epoch 1"
    script = Script()
    script.play(EarlyStopping(patience=1), [NAN, NAN])
    assert script.reason == "val_loss did not improve for 1 epoch and was never finite"
    script = Script()
    script.play(EarlyStopping(patience=1, baseline=0.5), [0.75, 0.6])
    assert "over the baseline 0.5; best 0.75 at epoch 0" in script.reason


def test_weights_stay_if_so_wished():
    script = Script()
    script.play(EarlyStopping(patience=2, restore_best=False), [1, 2, 3])
    assert script.model.state["w"] == 2
    assert script.history.best_epoch == 0


def test_a_second_training_starts_afresh():
    callback = EarlyStopping(patience=2)
    Script().play(callback, [1, 2, 3])
    second = Script()
    assert second.play(callback, [9, 8, 7]) is None
    assert callback.best_epoch == 2


def test_state_goes_on_where_it_was():
    values = [3, 4, 2, NAN, 3, 3, 1]
    whole, first = (
        EarlyStopping(patience=3, smoothing=0.3),
        EarlyStopping(patience=3, smoothing=0.3),
    )
    script = Script()
    end = script.play(whole, values)
    begun = Script()
    first.on_fit_begin(begun)
    for begun.epoch in range(3):
        begun.model.state["w"][:] = begun.epoch
        first.on_epoch_end(begun, {"val_loss": values[begun.epoch]})
    second = EarlyStopping(patience=3, smoothing=0.3)
    second.on_fit_begin(begun)
    second.load_state_dict(first.state_dict())
    for begun.epoch in range(3, len(values)):
        second.on_epoch_end(begun, {"val_loss": values[begun.epoch]})
        if begun.reason:
            break
    second.on_fit_end(begun)
    assert (begun.epoch, begun.reason) == (end, script.reason)
    assert begun.model.state["w"] == script.model.state["w"]


def test_the_mode_follows_from_the_metric():
    script = Script(metrics=resolve(["auc", "rmse"]))
    script.columns += ["val_auc", "val_rmse", "penalty"]
    for column, values, best in (
        ("val_auc", [1, 3, 2], 1),
        ("val_rmse", [1, 3, 2], 0),
        ("penalty", [2, 1, 3], 1),
        ("loss", [2, 1, 3], 1),
    ):
        callback = EarlyStopping(column)
        script.play(callback, values)
        assert callback.best_epoch == best, column


def test_an_unknown_metric_wants_a_mode():
    def closeness(output, target):
        return 0.0

    script = Script(columns=["val_closeness"], metrics=resolve([closeness]))
    with pytest.raises(ValueError, match="Give mode='min' or 'max'"):
        script.play(EarlyStopping("val_closeness"), [1])
    script.play(EarlyStopping("val_closeness", mode="max"), [1])


def test_a_missing_column_is_refused_before_training():
    with pytest.raises(ValueError, match=r"cannot monitor 'val_loss'.*fit\(..., val="):
        Script(columns=["epoch", "loss"]).play(EarlyStopping(), [1])
    with pytest.raises(ValueError, match=r"cannot monitor 'val_acc', the columns are \['epoch'"):
        Script().play(EarlyStopping("val_acc"), [1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patience": -1}, "patience"),
        ({"min_delta": -0.1}, "absolute difference"),
        ({"min_delta": NAN}, "absolute difference"),
        ({"mode": "best"}, "'auto', 'min' or 'max'"),
        ({"start_from_epoch": -1}, "start_from_epoch"),
        ({"smoothing": 1.0}, "weight of the past"),
        ({"baseline": NAN}, "finite"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**arguments)

"""fit_many: trainings side by side are the trainings alone, and end together when one fails."""

import os
import signal
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.callbacks import Callback, EarlyStopping, ModelCheckpoint
from minigrad.data import k_fold, make_moons
from minigrad.trainer import Trainer

DATA, VAL = make_moons(60, seed=0), make_moons(40, seed=1)


def trainer(seed, lr=0.01, p=0.5, callbacks=()):
    mg.seed(seed)
    model = nn.Sequential(nn.Linear(2, 30), nn.ReLU(), nn.Dropout(p), nn.Linear(30, 1))
    optimizer = optim.AdamW(model.parameters(), lr=lr)
    return Trainer(
        model, nn.BCEWithLogitsLoss(), optimizer, batch_size=25, seed=seed, callbacks=callbacks
    )


def trainers():
    stopping = [EarlyStopping(patience=5)]
    return [trainer(0), trainer(1), trainer(0, lr=0.1), trainer(0, p=0.1, callbacks=stopping)]


def outcome(one):
    rows = [{**row, "seconds": 0.0} for row in one.history]
    return rows, {name: w.tolist() for name, w in one.model.state_dict().items()}


@pytest.mark.parametrize("workers", [1, 2, 3, None])
def test_side_by_side_is_alone(workers):
    alone, together = trainers(), trainers()
    for one in alone:
        one.fit(DATA, val=VAL, epochs=60)
    histories = mg.fit_many(together, DATA, VAL, epochs=60, workers=workers)
    assert [one.history for one in together] == histories
    assert [outcome(one) for one in alone] == [outcome(one) for one in together]


@pytest.mark.parametrize("workers", [1, 2])
def test_each_may_have_its_own_data(workers):
    """Folds, and growing numbers of rows, also without validation."""
    folds = list(k_fold(DATA, 3))
    own = [*folds, ((DATA[0][:20], DATA[1][:20]), None)]
    alone, together = trainers()[:3], trainers()[:3]
    alone, together = [*alone, trainer(5)], [*together, trainer(5)]
    for one, (data, val) in zip(alone, own, strict=True):
        one.fit(data, val=val, epochs=20)
    mg.fit_many(together, each=iter(own), epochs=20, workers=workers)
    assert [outcome(one) for one in alone] == [outcome(one) for one in together]
    assert "val_loss" not in together[3].history.columns


def test_data_for_each_that_does_not_fit_is_refused():
    many = [trainer(0), trainer(1)]
    with pytest.raises(ValueError, match="2 trainers and 3 pairs"):
        mg.fit_many(many, each=k_fold(DATA, 3))
    with pytest.raises(TypeError, match=r"each\[1\] must be a pair"):
        mg.fit_many(many, each=[(DATA, None), DATA[0]])
    with pytest.raises(TypeError, match="needs data for all, or each="):
        mg.fit_many(many)
    for given in ({"data": DATA}, {"val": DATA}):
        with pytest.raises(TypeError, match="not both"):
            mg.fit_many(many, each=[(DATA, None)] * 2, **given)
    with pytest.raises(ValueError, match="no targets") as caught:
        mg.fit_many(many, each=[(DATA, None), (DATA[0], None)])
    assert "in training 1 of fit_many" in caught.value.__notes__
    assert not len(many[1].history)


class Break(Callback):
    reads_model = False

    def on_epoch_end(self, trainer, row):
        if trainer.epoch == 30:
            raise RuntimeError("broken")


def test_one_that_fails_ends_the_others():
    many = [trainer(0), trainer(1, callbacks=[Break()]), trainer(2), trainer(3)]
    with pytest.raises(RuntimeError, match="broken") as caught:
        mg.fit_many(many, DATA, epochs=1_000_000, workers=2)
    assert "in training 1 of fit_many" in caught.value.__notes__
    assert "interrupted" in many[0].history.stop_reason
    assert len(many[3].history) == 0
    assert len(many[0].fit(DATA, epochs=2)) == 2, "still usable"


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_them_all():
    begun = threading.Barrier(2)

    class CtrlC(Callback):
        reads_model = False

        def on_fit_begin(self, trainer):
            begun.wait(60)

        def on_epoch_end(self, trainer, row):
            if trainer.seed == 1 and trainer.epoch == 20:
                os.kill(os.getpid(), signal.SIGINT)

    many = [trainer(seed, callbacks=[CtrlC()]) for seed in range(3)]
    with pytest.raises(KeyboardInterrupt):
        mg.fit_many(many, DATA, VAL, epochs=1_000_000, workers=2)
    for one in many[:2]:
        assert one.history.stop_reason == f"interrupted in epoch {len(one.history)}"
        assert np.isfinite(one.predict(DATA[0] if isinstance(DATA, tuple) else DATA.x)).all()


def test_after_an_error_all_can_be_fitted_at_once():
    many = [trainer(0), trainer(1)]
    x, y = DATA
    with pytest.raises(ValueError, match="nan"):
        mg.fit_many(many, (x * np.nan, y))
    assert [len(history) for history in mg.fit_many(many, DATA, epochs=2)] == [2, 2]


def sharing(change):
    one, other = trainer(0), trainer(1)
    change(one, other)
    return [trainer(2), one, other]


def share_weight(one, other):
    other.model[0].weight = one.model[0].weight


def share_scheduler(one, other):
    one.scheduler = other.scheduler = optim.lr_scheduler.StepLR(one.optimizer, 2)


def share_callback(one, other):
    stopping = EarlyStopping(patience=5)
    one.callbacks.append(stopping)
    other.callbacks.append(stopping)


SHARED = {
    "model": lambda one, other: setattr(other, "model", one.model),
    "ReLU": lambda one, other: setattr(other.model, "1", one.model[1]),
    "parameter": share_weight,
    "optimizer": lambda one, other: setattr(other, "optimizer", one.optimizer),
    "scheduler": share_scheduler,
    "EarlyStopping": share_callback,
}


@pytest.mark.parametrize("what", SHARED)
def test_what_two_trainers_share_is_refused(what):
    many = sharing(SHARED[what])
    with pytest.raises(ValueError, match=f"trainers 1 and 2 share one {what}: give each its own"):
        mg.fit_many(many, DATA)
    assert not any(len(one.history) for one in many)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="no trainers"):
        mg.fit_many([], DATA)
    with pytest.raises(ValueError, match="workers"):
        mg.fit_many([trainer(0)], DATA, workers=0)
    with pytest.raises(TypeError, match=r"trainers\[1\] must be a Trainer, got function"):
        mg.fit_many([trainer(0), trainer], DATA)


def test_checkpoints_of_all_may_go_to_one_path(tmp_path):
    path = tmp_path / "best.safetensors"
    many = [trainer(i, callbacks=[ModelCheckpoint(path, save="best")]) for i in range(4)]
    mg.fit_many(many, DATA, VAL, epochs=60, workers=4)
    assert "model" in mg.load(path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]

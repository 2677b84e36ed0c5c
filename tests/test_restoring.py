"""However a training ends, EarlyStopping puts back all of its best epoch, optimizer included."""

import numpy as np
import pytest
from presses import CtrlC
from trainers import XV, YV, X, Y, make, network

from minigrad.callbacks import Callback, EarlyStopping, StopOnNaN

AT = 20  # the epoch in which something comes in between


class Between(Callback):
    """Does something after an epoch; epochs come many in one call."""

    reads_model = False

    def __init__(self, act):
        self.act = act

    def on_epoch_end(self, trainer, row):
        if trainer.epoch == AT:
            self.act(trainer)


class EachEpoch(Between):
    """Has epochs come one by one."""

    reads_model = True


class EachStep(Between):
    """Has steps come one by one, without plans, and acts in the midst of an epoch."""

    reads_model = True
    on_epoch_end = Callback.on_epoch_end

    def on_batch_end(self, trainer, loss):
        if trainer.epoch == AT:
            self.act(trainer)


def fail(trainer):
    raise RuntimeError("broken")


def interrupt(trainer):
    raise KeyboardInterrupt


# how it ends: patience, what comes in between, the error that fit raises, the reason in the history
ENDINGS = {
    "patience": (3, lambda trainer: None, None, "val_loss did not improve for 3 epochs"),
    "all epochs": (99, lambda trainer: None, None, "all 40 epochs run"),
    "another callback": (99, lambda trainer: trainer.stop("enough"), None, "enough"),
    "an exception": (99, fail, RuntimeError, "RuntimeError: broken"),
    "Ctrl-C": (99, interrupt, KeyboardInterrupt, "interrupted in epoch"),
    "trainer.interrupt": (
        99,
        lambda trainer: trainer.interrupt(),
        KeyboardInterrupt,
        "interrupted in epoch",
    ),
}


def train(epochs, *callbacks):
    trainer = make(
        network(dropout=0.3, norm=True), callbacks=callbacks, batch_size=16, lr=0.3, seed=5
    )
    trainer.fit((X, Y), val=(XV, YV), epochs=epochs)
    return trainer


def state(trainer):
    """Everything that must be as it was, as bytes."""
    optimizer = trainer.optimizer.state_dict()
    slots = [
        (name, np.asarray(value).tobytes())
        for slot in optimizer["state"].values()
        for name, value in slot.items()
    ]
    tensors = {name: t.numpy().tobytes() for name, t in trainer.model.state_dict().items()}
    assert "1.running_var" in tensors, "buffers, too"
    return tensors, slots, optimizer["param_groups"]


@pytest.mark.parametrize("way", [Between, EachEpoch, EachStep])
@pytest.mark.parametrize("ending", ENDINGS)
def test_the_best_epoch_comes_back_whole(ending, way):
    patience, act, error, reason = ENDINGS[ending]
    held = []
    between = way(lambda trainer: held.append(trainer) or act(trainer))
    keep = EarlyStopping(patience=patience)
    if error is None:
        trainer = train(40, keep, between)
    else:
        with pytest.raises(error):
            train(40, keep, between)
        trainer = held[0]
    history = trainer.history
    assert reason in history.stop_reason
    assert history.best_epoch < len(history) - 1, "else there is nothing to put back"
    assert history.best_value == history["val_loss"].min()
    plain = train(history.best_epoch + 1)
    assert state(trainer) == state(plain)
    assert trainer.evaluate((XV, YV))["loss"] == history.best_value
    assert not any(module.training for module in trainer.model.modules())


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("way", [Between, EachEpoch])
def test_ctrl_c_from_the_keyboard(way):
    ctrl_c = CtrlC(0.3, epochs=1)
    trainer = make(
        network(norm=True),
        callbacks=[EarlyStopping(patience=10**6), way(lambda trainer: None), ctrl_c],
        batch_size=16,
        lr=0.3,
        seed=5,
    )
    ctrl_c.ends(lambda: trainer.fit((X, Y), val=(XV, YV), epochs=10**6))
    plain = make(network(norm=True), batch_size=16, lr=0.3, seed=5)
    plain.fit((X, Y), val=(XV, YV), epochs=trainer.history.best_epoch + 1)
    assert state(trainer) == state(plain)


def test_an_interruption_while_the_best_epoch_is_put_back():
    """It waits: half of the way back would be weights that nobody asked for."""

    def act(trainer):
        trainer.stop("enough")
        trainer.interrupt()

    trainer = train(40, EarlyStopping(patience=99), Between(act))
    assert trainer.history.stop_reason == "enough"
    assert state(trainer) == state(train(trainer.history.best_epoch + 1))


def test_a_breakdown_of_the_loss():
    """NaN from some epoch on: the best is the last one before it, or an earlier one."""

    class Break(Callback):
        def on_epoch_begin(self, trainer):
            if trainer.epoch == AT:
                next(trainer.model.parameters()).detach().fill_(np.nan)

    trainer = train(40, Break(), StopOnNaN(), EarlyStopping(patience=99))
    assert "nan" in trainer.history.stop_reason.lower()
    assert len(trainer.history) == AT + 1
    assert trainer.history.best_epoch < AT
    assert state(trainer) == state(train(trainer.history.best_epoch + 1))

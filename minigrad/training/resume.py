"""The whole state of a training, to a file and back, so that it goes on to the same bits."""

from __future__ import annotations

import copy
from os import PathLike

from minigrad import serialize
from minigrad.history import History
from minigrad.training.snapshot import restore_snapshot, take_snapshot
from minigrad.training.training import Stateful, Training

_KIND = "minigrad training"


def save_training(training: Training, path: str | PathLike[str]) -> None:
    """Write model, optimizer, scheduler, callbacks, history and random state to ``path``."""
    state = {
        "kind": _KIND,
        **take_snapshot(training.model, training.optimizer),
        "scheduler": None if training.scheduler is None else training.scheduler.state_dict(),
        "callbacks": [
            {"type": type(callback).__name__, "state": callback.state_dict()}
            for callback in _stateful(training)
        ],
        "history": training.history.to_json(),
        "trainer": training.progress_state(),
    }
    serialize.save(state, path)


def load_training(training: Training, path: str | PathLike[str]) -> None:
    """Put a saved training into a trainer that was made like the one that saved it.

    Raises:
        ValueError: another kind of file, or other model, optimizer or callbacks; nothing is
            changed then.
    """
    state = serialize.load(path)
    if not isinstance(state, dict) or state.get("kind") != _KIND:
        raise ValueError(f"{path} holds no training: was it written by ModelCheckpoint?")
    callbacks = _stateful(training)
    types = [type(callback).__name__ for callback in callbacks]
    saved = [entry["type"] for entry in state["callbacks"]]
    if types != saved:
        raise ValueError(f"{path} was saved with the callbacks {saved}, the trainer has {types}")
    if (state["scheduler"] is None) != (training.scheduler is None):
        raise ValueError(f"{path} and the trainer must both have a scheduler, or neither")
    history = History.from_json(state["history"])
    before = take_snapshot(training.model, training.optimizer)
    stateful = [*callbacks]
    if training.scheduler is not None:
        stateful.append(training.scheduler)
    loaded = [entry["state"] for entry in state["callbacks"]] + [state["scheduler"]]
    held = copy.deepcopy([thing.state_dict() for thing in stateful])
    try:
        restore_snapshot(state, training.model, training.optimizer)
        for thing, new in zip(stateful, loaded, strict=False):
            thing.load_state_dict(new)
    except BaseException:
        restore_snapshot(before, training.model, training.optimizer)
        for thing, old in zip(stateful, held, strict=True):
            thing.load_state_dict(old)
        raise
    training.history = history
    training.load_progress_state(state["trainer"])


def _stateful(training: Training) -> list[Stateful]:
    """Return the callbacks whose state matters for what comes next."""
    return [callback for callback in training.callbacks if callback.state_dict()]

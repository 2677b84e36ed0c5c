"""The base of all callbacks: hooks that do nothing."""

from typing import Any

from minigrad.rows import Row


class Callback:
    """Override the hooks you need. Stop a training by ``trainer.stop("reason")``.

    A hook sees the ``mg.Trainer``: its ``model``, ``optimizer``, ``history``, ``epoch``. Callbacks
    are called in the order given, those with ``runs_last`` after all others.

    Attributes:
        runs_last: called after those without.
        reads_model: whether ``on_epoch_begin`` or ``on_epoch_end`` looks at the model or the
            optimizer, or changes something. If no callback of a training does, many epochs run in
            one call, and the hooks of each are called afterwards. A class that overrides one of
            the hooks must say False anew; what it needs of the model ``trainer.snapshot()`` gives.
        every_epoch: whether ``on_epoch_end`` must be called after each epoch. If no callback of a
            training needs that, it is called once for the epochs of one call, with the last row.
            A class that overrides the hook must say False anew, here, too.

    Example:
        >>> from minigrad.callbacks import Callback
        >>> class StopAt(Callback):
        ...     def on_epoch_end(self, trainer, row):
        ...         if row["loss"] < 0.1:
        ...             trainer.stop("the loss is below 0.1")
    """

    runs_last = False
    reads_model = True
    every_epoch = True

    def on_fit_begin(self, trainer: Any) -> None:
        """Before the first epoch, when the data has been checked. May raise to refuse."""

    def on_epoch_begin(self, trainer: Any) -> None:
        """Before the first batch of an epoch."""

    def on_batch_end(self, trainer: Any, loss: Any) -> None:
        """After a step. ``loss`` is the batch's data loss, a tensor; reading it takes time.

        Overriding it has every op run by itself, without plans: for ops on tensors alone
        ``trainer.add_to_step``, called in ``on_fit_begin``, is the fast way.
        """

    def on_epoch_end(self, trainer: Any, row: Row) -> None:
        """After an epoch; ``row`` is its entry in the history."""

    def on_fit_end(self, trainer: Any) -> None:
        """After the last epoch, however the training ended: also after Ctrl-C or an exception."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold so that a resumed training goes on as if uninterrupted."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what ``state_dict`` gave; called after ``on_fit_begin``."""


def overrides(callback: Callback, hook: str) -> bool:
    """Whether its class has a hook of its own."""
    return getattr(type(callback), hook) is not getattr(Callback, hook)


def says(callback: Callback, what: str) -> bool:
    """Whether `reads_model` or `every_epoch` holds, as the class says that has the hooks.

    One that overrides them must say it anew.
    """
    for cls in type(callback).__mro__:
        if cls is Callback:
            break
        if what in vars(cls):
            return bool(getattr(callback, what))
        if {"on_epoch_begin", "on_epoch_end"} & vars(cls).keys():
            return True
    return False

"""Train and eval mode, so that nobody has to think of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from minigrad.grad_mode import no_grad
from minigrad.nn import Module


def set_training(modules: Iterable[Module]) -> None:
    """Put every module into train mode."""
    for module in modules:
        if not module.training:
            module.training = True


@contextmanager
def evaluating(modules: Iterable[Module]) -> Iterator[None]:
    """Inside: every module in eval mode, no gradients. After: each in the mode it was found in.

    Example:
        >>> from minigrad import nn
        >>> from minigrad.training.modes import evaluating
        >>> model = nn.Sequential(nn.Dropout(0.5))
        >>> with evaluating(model.modules()):
        ...     model.training, model[0].training
        (False, False)
        >>> model.training, model[0].training
        (True, True)
    """
    training = [module for module in modules if module.training]
    for module in training:
        module.training = False
    try:
        with no_grad():
            yield
    finally:
        set_training(training)

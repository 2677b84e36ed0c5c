"""Train and eval mode, so that nobody has to think of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from minigrad.grad_mode import no_grad
from minigrad.nn import Module


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Inside: every module in eval mode, no gradients. After: each in the mode it was found in.

    Example:
        >>> from minigrad.modes import evaluating
        >>> from minigrad import nn
        >>> model = nn.Sequential(nn.Dropout(0.5))
        >>> with evaluating(model):
        ...     model.training, model[0].training
        (False, False)
        >>> model.training, model[0].training
        (True, True)
    """
    training = [module for module in model.modules() if module.training]
    for module in training:
        module.training = False
    try:
        with no_grad():
            yield
    finally:
        for module in training:
            module.training = True

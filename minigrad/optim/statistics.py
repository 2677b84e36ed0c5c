"""Batch-norm statistics for weights that no training step has seen, such as averages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minigrad._core import Tensor
from minigrad.grad_mode import no_grad
from minigrad.nn.module import Module
from minigrad.nn.norm import BatchNorm1d, BatchNorm2d

__all__ = ["update_bn"]


def update_bn(loader: Iterable[Any], model: Module) -> None:
    """Take the running statistics of every batch norm anew, as the plain mean over the batches.

    As torch's ``swa_utils.update_bn``: the model runs in train mode, without gradients, and is
    left in the modes that it had. Averaged weights need it (Izmailov et al., 2018).

    Args:
        loader: inputs of the model, or tuples that begin with them; tensors.
        model: one without batch norms is left alone, and the loader unread.

    Raises:
        ValueError: no batches; the statistics are what they were.

    >>> import minigrad as mg
    >>> model = mg.nn.BatchNorm1d(1)
    >>> mg.optim.update_bn([mg.tensor([[1.0], [3.0]]), mg.tensor([[5.0], [7.0]])], model)
    >>> model.running_mean.tolist(), model.running_var.tolist()
    ([4.0], [2.0])
    """
    norms = [
        m
        for m in model.modules()
        if isinstance(m, BatchNorm1d | BatchNorm2d) and m.running_mean is not None
    ]
    if not norms:
        return
    modes = [(module, module.training) for module in model.modules()]
    momenta = [norm.momentum for norm in norms]
    number = -1
    try:
        model.train()
        with no_grad():
            for number, batch in enumerate(loader):
                x = batch if isinstance(batch, Tensor) else batch[0]
                for norm in norms:
                    # The first batch replaces what there was. Plans need not hear of it, as it is
                    # put back before one is used.
                    vars(norm)["momentum"] = 1.0 / (number + 1)
                model(x)
    finally:
        for module, training in modes:
            module.training = training
        for norm, momentum in zip(norms, momenta, strict=True):
            vars(norm)["momentum"] = momentum
    if number < 0:
        raise ValueError("update_bn got no batches; is the loader used up?")

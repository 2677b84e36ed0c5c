"""Stochastic gradient descent, plain, with momentum or Nesterov's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad import _core
from minigrad._core import Tensor
from minigrad._names import hinting
from minigrad.optim.group import ParamGroup, Slot
from minigrad.optim.optimizer import Optimizer, non_negative

__all__ = ["SGD"]


class SGD(Optimizer):
    """Gradient descent: p -= lr * g, or with momentum buf = momentum * buf + (1 - dampening) * g.

    PyTorch's formula: the buffer begins as the first gradient; the step is buf, or
    g + momentum * buf if `nesterov` (Sutskever et al., 2013).

    Args:
        params: parameters, or dicts with groups of them.
        lr: the learning rate.
        momentum: the share of the buffer that is kept.
        dampening: 1 - the weight of a new gradient in the buffer.
        weight_decay: adds weight_decay * p to the gradient.
        nesterov: look ahead by one step of the buffer.
        l1: adds l1 * sign(p) to the gradient.
        decoupled_weight_decay: multiply p by 1 - lr * weight_decay instead.
        decay_all: decay parameters with fewer than 2 dimensions too, as PyTorch does.

    Raises:
        ValueError: an option is negative, NaN or infinite, or there are no parameters.

    >>> import minigrad as mg
    >>> p = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = mg.optim.SGD([p], lr=0.5)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.tolist()
    [0.0, 0.0]
    """

    @hinting
    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        l1: float = 0.0,
        decoupled_weight_decay: bool = False,
        decay_all: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "l1": l1,
            "decoupled_weight_decay": decoupled_weight_decay,
            "decay_all": decay_all,
        }
        super().__init__(params, defaults)

    def _checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        numbers = non_negative(options, "lr", "momentum", "dampening", "weight_decay", "l1")
        if options["nesterov"] and (numbers["momentum"] == 0 or numbers["dampening"] != 0):
            raise ValueError(
                "nesterov needs momentum above 0 and dampening 0, got momentum = "
                f"{numbers['momentum']}, dampening = {numbers['dampening']}"
            )
        return {**options, **numbers}

    def _buffer_names(self, group: ParamGroup) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] else ()

    def _own_cells(self, group: ParamGroup) -> tuple[float, float, float]:
        return group["momentum"], group["dampening"], float(group["nesterov"])

    def _update(self, slot: Slot, grad: Tensor) -> None:
        _core.sgd_(slot.param, grad, slot.hyper, slot.buffers.get("momentum_buffer"))

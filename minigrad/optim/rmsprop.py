"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad import _core
from minigrad._core import Tensor
from minigrad._names import hinting
from minigrad.optim.group import ParamGroup, Slot
from minigrad.optim.optimizer import Optimizer, non_negative

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """Divides the gradient by a running root mean square of it (Hinton, 2012).

        v = alpha * v + (1 - alpha) * g * g;  p -= lr * g / (sqrt(v) + eps)

    Args:
        params: parameters, or dicts with groups of them.
        lr: the learning rate.
        alpha: how much of the average is kept, in [0, 1].
        eps: keeps the denominator above 0.
        weight_decay: adds weight_decay * p to the gradient.
        momentum: buf = momentum * buf + the step; p -= lr * buf.
        centered: divide by the deviation, v minus the squared average gradient, instead.
        l1: adds l1 * sign(p) to the gradient.
        decoupled_weight_decay: multiply p by 1 - lr * weight_decay instead.
        decay_all: decay parameters with fewer than 2 dimensions too, as PyTorch does.

    Raises:
        ValueError: an option is out of its range, NaN or infinite, or there are no parameters.

    >>> import minigrad as mg
    >>> p = mg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = mg.optim.RMSprop([p], lr=0.1, alpha=0.75)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.numpy().round(4).tolist()
    [0.800000011920929, -1.7999999523162842]
    """

    @hinting
    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        l1: float = 0.0,
        decoupled_weight_decay: bool = False,
        decay_all: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "l1": l1,
            "decoupled_weight_decay": decoupled_weight_decay,
            "decay_all": decay_all,
        }
        super().__init__(params, defaults)

    def _checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        numbers = non_negative(options, "lr", "alpha", "eps", "weight_decay", "momentum", "l1")
        if numbers["alpha"] > 1:
            raise ValueError(f"alpha must be in [0, 1], got {numbers['alpha']}")
        return {**options, **numbers}

    def _buffer_names(self, group: ParamGroup) -> tuple[str, ...]:
        optional = {"grad_avg": group["centered"], "momentum_buffer": group["momentum"]}
        return ("square_avg", *(name for name, wanted in optional.items() if wanted))

    def _own_cells(self, group: ParamGroup) -> tuple[float, float, float]:
        return group["alpha"], group["eps"], group["momentum"]

    def _update(self, slot: Slot, grad: Tensor) -> None:
        b = slot.buffers
        _core.rmsprop_(
            slot.param,
            grad,
            b["square_avg"],
            slot.hyper,
            b.get("grad_avg"),
            b.get("momentum_buffer"),
        )

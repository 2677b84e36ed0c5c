"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad import _core
from minigrad._check import number
from minigrad._core import Tensor
from minigrad._names import hinting
from minigrad.optim.group import ParamGroup, Slot
from minigrad.optim.optimizer import Optimizer, non_negative

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Steps by running averages of the gradient and its square (Kingma and Ba, 2015).

        m += (1 - beta1) * (g - m);  v = beta2 * v + (1 - beta2) * g * g
        p -= lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps)

    Args:
        params: parameters, or dicts with groups of them.
        lr: the learning rate.
        betas: how much of the averages of gradient and square is kept, each in [0, 1).
        eps: keeps the denominator above 0.
        weight_decay: adds weight_decay * p to the gradient, which Adam then rescales; AdamW decays
            by the same factor everywhere, which is what one usually wants.
        amsgrad: divide by the largest v so far (Reddi et al., 2018).
        l1: adds l1 * sign(p) to the gradient.
        decoupled_weight_decay: multiply p by 1 - lr * weight_decay instead, as AdamW does.
        decay_all: decay parameters with fewer than 2 dimensions too, as PyTorch does.

    Raises:
        ValueError: an option is out of its range, NaN or infinite, or there are no parameters.

    >>> import minigrad as mg
    >>> p = mg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = mg.optim.Adam([p], lr=0.5)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.tolist()
    [0.5, -1.5]
    """

    @hinting
    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        l1: float = 0.0,
        decoupled_weight_decay: bool = False,
        decay_all: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "l1": l1,
            "decoupled_weight_decay": decoupled_weight_decay,
            "decay_all": decay_all,
        }
        super().__init__(params, defaults)

    def _checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        try:
            first, second = options["betas"]
        except (TypeError, ValueError):
            raise ValueError(f"betas must be two numbers, got {options['betas']!r}") from None
        betas = number("betas[0]", first, 0.0), number("betas[1]", second, 0.0)
        for i, beta in enumerate(betas):
            if beta >= 1:
                raise ValueError(f"betas[{i}] must be in [0, 1), got {beta}")
        return {
            **options,
            **non_negative(options, "lr", "eps", "weight_decay", "l1"),
            "betas": betas,
        }

    def _buffer_names(self, group: ParamGroup) -> tuple[str, ...]:
        names = ("exp_avg", "exp_avg_sq")
        return (*names, "max_exp_avg_sq") if group["amsgrad"] else names

    def _own_cells(self, group: ParamGroup) -> tuple[float, float, float]:
        return *group["betas"], group["eps"]

    def _update(self, slot: Slot, grad: Tensor) -> None:
        b = slot.buffers
        _core.adam_(
            slot.param, grad, b["exp_avg"], b["exp_avg_sq"], slot.hyper, b.get("max_exp_avg_sq")
        )


class AdamW(Adam):
    """Adam whose weight decay multiplies p by 1 - lr * weight_decay (Loshchilov and Hutter, 2019).

    Args:
        params: parameters, or dicts with groups of them.
        lr: the learning rate.
        betas: how much of the averages of gradient and square is kept, each in [0, 1).
        eps: keeps the denominator above 0.
        weight_decay: the rate of decay; lr * weight_decay is lost in each step.
        amsgrad: divide by the largest v so far.
        l1: adds l1 * sign(p) to the gradient.
        decay_all: decay parameters with fewer than 2 dimensions too, as PyTorch does.

    >>> import minigrad as mg
    >>> p = mg.tensor([[1.0]], requires_grad=True)
    >>> optimizer = mg.optim.AdamW([p], lr=0.5, weight_decay=0.5)
    >>> (p * 0).sum().backward()
    >>> optimizer.step()
    >>> p.tolist()
    [[0.75]]
    """

    @hinting
    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        l1: float = 0.0,
        decay_all: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            l1=l1,
            decoupled_weight_decay=True,
            decay_all=decay_all,
        )

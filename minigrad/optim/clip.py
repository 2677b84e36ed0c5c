"""Gradient clipping, between `backward` and `step`."""

from __future__ import annotations

import math
from collections.abc import Iterable

from minigrad import _core
from minigrad._check import number
from minigrad._core import Tensor
from minigrad.grad_mode import no_grad

__all__ = ["clip_grad_norm_", "clip_grad_value_"]


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    given = [parameters] if isinstance(parameters, Tensor) else parameters
    gradients = []
    for p in given:
        gradient = p.grad
        if gradient is not None:
            gradients.append(gradient)
    return gradients


def _norm(gradients: list[Tensor], norm_type: float) -> Tensor:
    if not gradients:
        return Tensor(0.0, "float64")
    if norm_type == 2 or norm_type == math.inf:
        return _core.total_norm(*gradients, largest=norm_type == math.inf)
    total = Tensor(0.0, "float64")
    for g in gradients:
        total = total + (abs(g.double()) ** norm_type).sum()
    return total ** (1 / norm_type)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients in place so that their norm, taken together, is at most `max_norm`.

    The factor is min(1, max_norm / (norm + 1e-6)), as in PyTorch.

    Args:
        parameters: a parameter or several; those without a gradient are left out.
        max_norm: the largest norm.
        norm_type: the p of the norm; `math.inf` for the largest magnitude.
        error_if_nonfinite: raise if the norm is NaN or infinite, before anything is changed.
            (Not inside a compiled function, which cannot look at values.)

    Returns:
        The norm before clipping, a float64 tensor without dimensions.

    >>> import minigrad as mg
    >>> p = mg.tensor([3.0, 4.0], requires_grad=True)
    >>> (p * p).sum().backward()
    >>> mg.optim.clip_grad_norm_([p], max_norm=1.0).item()
    10.0
    >>> p.grad.numpy().round(3).tolist()
    [0.6000000238418579, 0.800000011920929]
    """
    limit = number("max_norm", max_norm, 0.0)
    if not (norm_type > 0):
        raise ValueError(f"norm_type must be above 0, got {norm_type}")
    with no_grad():
        gradients = _gradients(parameters)
        norm = _norm(gradients, norm_type)
        if error_if_nonfinite and not math.isfinite(norm.item()):
            raise ValueError(
                f"the norm of the gradients is {norm.item()}: a loss or an input is not finite; "
                "with error_if_nonfinite=False they would be scaled by it"
            )
        factor = _core.clip(limit / (norm + 1e-6), None, 1.0)
        for gradient in gradients:
            _core.scale_(gradient, factor)
    return norm


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Clip every element of the gradients to [-clip_value, clip_value], in place.

    >>> import minigrad as mg
    >>> p = mg.tensor([3.0, -0.25], requires_grad=True)
    >>> (p * p).sum().backward()
    >>> mg.optim.clip_grad_value_([p], 1.0)
    >>> p.grad.tolist()
    [1.0, -0.5]
    """
    limit = number("clip_value", clip_value, 0.0)
    with no_grad():
        for gradient in _gradients(parameters):
            gradient.copy_(_core.clip(gradient, -limit, limit))

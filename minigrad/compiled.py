"""Run a function once, then replay what it did in C++: :func:`compile`."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

from minigrad import _core
from minigrad._core import Tensor
from minigrad.nn.module import Module

P = ParamSpec("P")
R = TypeVar("R")


class _Leaf:
    """Stands in a structure where a tensor was."""


_LEAF = _Leaf()

# Values that are compared; of all others it is asked whether they are the same object.
_PLAIN = frozenset((bool, int, float, complex, str, bytes, type(None)))


def _flatten(value: Any, leaves: list[Any]) -> Any:
    """Moves the tensors and arrays of nested tuples, lists and dicts into ``leaves``."""
    if isinstance(value, (Tensor, np.ndarray)):
        leaves.append(value)
        return _LEAF
    if isinstance(value, (tuple, list)):
        return type(value)(_flatten(v, leaves) for v in value)
    if isinstance(value, dict):
        return {k: _flatten(v, leaves) for k, v in value.items()}
    return value


def _restore(structure: Any, leaves: Iterator[Any]) -> Any:
    if structure is _LEAF:
        return next(leaves)
    if isinstance(structure, (tuple, list)):
        return type(structure)(_restore(v, leaves) for v in structure)
    if isinstance(structure, dict):
        return {k: _restore(v, leaves) for k, v in structure.items()}
    return structure


def _is_array(value: Any) -> bool:
    return type(value) is Tensor or type(value) is np.ndarray


def _hashable(structure: Any) -> Any:
    if isinstance(structure, (tuple, list)):
        return tuple(_hashable(v) for v in structure)
    if isinstance(structure, dict):
        return tuple((k, _hashable(v)) for k, v in structure.items())
    return structure


def _as_input(leaf: Any) -> Tensor:
    tensor = leaf if isinstance(leaf, Tensor) else _core.from_numpy(leaf)
    return tensor.detach().clone()


def _settings(module: Module) -> list[Any]:
    """What makes a module do what it does, apart from values that a plan reads at each replay."""
    return [
        (name, value if type(value) in _PLAIN else id(value), _trained(value))
        for name, value in vars(module).items()
        if name != "training"
    ]


def _trained(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def _replayed(
    plan: _core.Plan,
    data: list[Tensor],
    order: np.ndarray,
    span: tuple[int, int],
    batch_size: int,
    sums: list[float],
) -> list[float]:
    """The sums with the batches of a span of the order added."""
    figures = [
        i if dtype.kind == "f" and math.prod(shape) == 1 else -1
        for i, (shape, dtype) in enumerate(plan.outputs)
    ]
    part = _core.EpochPart(
        plan, data, *span, True, figures, float(batch_size), [None] * len(figures)
    )
    table = np.zeros((1, len(figures) + 1))
    table[0, : len(sums)] = sums
    _core.Epoch([part], [1.0] * len(figures)).run(order[None], table)
    return [float(total) for total in table[0, :-1]]


class Compiled(Generic[P, R]):
    """A function that replays itself; made by :func:`compile`.

    Attributes:
        plans: The plans recorded so far, one for each combination of input shapes, dtypes,
            other arguments, and train or eval mode of the modules that the function uses.
    """

    def __init__(self, fn: Callable[P, R]) -> None:
        if not callable(fn):
            raise TypeError(f"mg.compile takes a function, got {type(fn).__name__}")
        self._fn = fn
        self._plans: dict[Any, tuple[_core.Plan, Any]] = {}
        self._obstacles: dict[Any, list[str]] = {}
        plain = getattr(fn, "__func__", fn)
        owner = getattr(fn, "__self__", None)
        self._bound = [
            value
            for value in (owner, *getattr(owner, "__dict__", {}).values())
            if isinstance(value, Module)
        ]
        self._cells = getattr(plain, "__closure__", None) or ()
        self._globals = getattr(plain, "__globals__", {})
        self._names = getattr(getattr(plain, "__code__", None), "co_names", ())
        self._seen: list[Any] | None = None
        self._modules: list[Module] = []
        self._settings: list[Any] = []
        self._changes = -1
        functools.update_wrapper(self, fn)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Replays the plan for these arguments, recording it first if there is none."""
        structure, leaves, key = self._read(args, kwargs)
        known = self._plans.get(key)
        if known is None:
            if os.environ.get("MINIGRAD_EAGER") == "1":
                return self._fn(*args, **kwargs)
            return self._record(key, structure, leaves)
        plan, result = known
        restored: R = _restore(result, iter(plan.replay(leaves)))
        return restored

    def over_batches(self, data: Sequence[Any], order: np.ndarray, batch_size: int) -> list[float]:
        """Calls the function on batches of rows, a whole epoch in one call.

        Args:
            data: Arrays or tensors with the same number of rows, one for each argument.
            order: int64 row numbers; batch ``b`` takes ``order[b * batch_size : ...]``. The last
                batch may be smaller.
            batch_size: Rows in a batch.

        Returns:
            For each output of one element, the sum over batches of its value times the batch's
            rows: divided by ``len(order)``, the mean over the epoch.
        """
        order = np.ascontiguousarray(order, dtype=np.int64)
        tensors = [d if isinstance(d, Tensor) else _core.from_numpy(d) for d in data]
        tensors = [t.detach().contiguous() for t in tensors]
        arrays = [t.numpy() for t in tensors]
        rows = min(len(a) for a in arrays)
        if len(wrong := order[(order < 0) | (order >= rows)]):
            raise IndexError(f"over_batches: row {wrong[0]} of {rows}")
        sums: list[float] = []
        first, full = 0, len(order) // batch_size * batch_size
        while first < len(order):
            taken = order[first : first + batch_size]
            batch = [a[taken] for a in arrays]
            plan = self.plan_of(*batch)  # type: ignore[call-arg]
            if plan is not None and first < full and os.environ.get("MINIGRAD_EAGER") != "1":
                sums = _replayed(plan, tensors, order, (first, full), batch_size, sums)
                first = full
                continue
            outputs: list[Any] = []
            _flatten(self(*batch), outputs)  # type: ignore[call-arg]
            sums = sums or [0.0] * len(outputs)
            for i, value in enumerate(outputs):
                if value.numel() == 1:
                    sums[i] += value.item() * len(taken)
            first += len(taken)
        return sums

    def plan_of(self, *args: P.args, **kwargs: P.kwargs) -> _core.Plan | None:
        """Returns the plan that a call with these arguments would replay, if there is one."""
        known = self._plans.get(self._read(args, kwargs)[2])
        return None if known is None else known[0]

    @property
    def plans(self) -> list[_core.Plan]:
        """The plans recorded so far, oldest first."""
        return [plan for plan, _ in self._plans.values()]

    def _read(self, args: Any, kwargs: Any) -> tuple[Any, Sequence[Any], Any]:
        """The structure of the arguments, the tensors in it, and the key of their plan."""
        self._look()
        structure: Any = None
        leaves: list[Any] = []
        hashed: Any = len(args)
        if kwargs or not all(map(_is_array, args)):
            structure = _flatten((args, kwargs), leaves)
            hashed = _hashable(structure)
        else:  # tensors alone, as most often
            leaves = args
        modes = tuple([m.training for m in self._modules])
        return structure, leaves, (hashed, _core.layout(leaves), modes, _core.is_grad_enabled())

    def _look(self) -> None:
        """Forget the plans if what the function reaches has changed since they were made."""
        seen = [value if type(value) in _PLAIN else id(value) for value in self._reachable()]
        changes = _core.changes()
        if seen == self._seen and changes == self._changes:
            return
        modules = [v for v in self._reachable() if isinstance(v, Module)]
        self._modules = [m for root in modules for m in root.modules()]
        settings = [_settings(module) for module in self._modules]
        if seen != self._seen or settings != self._settings:
            self._plans.clear()
            self._obstacles.clear()
        self._seen, self._changes, self._settings = seen, changes, settings

    def _reachable(self) -> list[Any]:
        """What the function is bound to, closes over, or names among the globals."""
        return [
            *self._bound,
            *[cell.cell_contents for cell in self._cells],
            *[self._globals.get(name) for name in self._names],
        ]

    def _record(self, key: Any, structure: Any, leaves: Sequence[Any]) -> R:
        # State that the first call makes and keeps is there at the second; what stands in the way
        # twice stays. The function is not run then, so that the caller can do without a plan.
        if len(obstacles := self._obstacles.get(key, [])) == 2:
            name = getattr(self._fn, "__name__", "the function")
            raise _core.CaptureError(f"mg.compile: in {name!r} {obstacles[1]}")
        if structure is None:
            structure = tuple(_LEAF for _ in leaves), {}
        inputs = [_as_input(leaf) for leaf in leaves]
        results: list[Any] = []

        def body() -> list[Tensor]:
            args, kwargs = _restore(structure, iter(inputs))
            outputs: list[Any] = []
            results.append(_flatten(self._fn(*args, **kwargs), outputs))
            return [o.detach() for o in outputs]

        outputs, plan = _core.record(inputs, body)
        if isinstance(plan, str):
            self._obstacles.setdefault(key, []).append(plan)
        else:
            self._plans[key] = plan, results[0]
        restored: R = _restore(results[0], iter(outputs))
        return restored


def compile(fn: Callable[P, R]) -> Compiled[P, R]:
    """Runs ``fn`` once, recording every op that it executes, and replays the record afterwards.

    A replay runs in C++, without the interpreter lock and without allocating: forward, backward,
    optimizer, random numbers and batch-norm statistics, to the same bits as the function itself.

    Tensors and numpy arrays among the arguments are inputs; they may be nested in tuples, lists
    and dicts. Everything else is part of the key: another value records another plan, as do other
    shapes, dtypes, or another train/eval mode of a module that the function uses. If a variable
    that the function closes over is another one, or a module in it got another layer, setting or
    frozen parameter, it is recorded anew. Learning rate, decay and the random state are read at
    each replay. The results are new tensors, cut off from the graph.

    A recorded function may not read the values of tensors (``item``, ``numpy``, ``if loss > 1``),
    since a replay would not read them again; it must clear the gradients that it computes
    (``optimizer.zero_grad()``), and after it they are None. ``MINIGRAD_EAGER=1`` turns plans off.

    Raises:
        CaptureError: the function reads a value, or keeps a tensor that it made beyond the call.

    Example:
        >>> import numpy as np, minigrad as mg
        >>> from minigrad import nn, optim
        >>> model = nn.Linear(2, 1)
        >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
        >>> @mg.compile
        ... def step(x, y):
        ...     optimizer.zero_grad()
        ...     loss = nn.functional.mse_loss(model(x), y)
        ...     loss.backward()
        ...     optimizer.step()
        ...     return loss
        >>> x, y = np.ones((4, 2), "float32"), np.zeros((4, 1), "float32")
        >>> losses = [step(x, y).item() for _ in range(3)]
        >>> losses[2] < losses[0]
        True
    """
    return Compiled(fn)

"""Run a function once, then replay what it did in C++: :func:`compile`."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable, Sequence
from operator import is_
from threading import get_ident
from types import FunctionType, MethodType
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

from minigrad import _core
from minigrad._core import Tensor
from minigrad.grad_mode import no_grad
from minigrad.nn.module import Module
from minigrad.plan.batches import over_batches
from minigrad.plan.reach import Reach
from minigrad.plan.recording import Recording, SideEffects
from minigrad.plan.structure import flatten, hashable, is_array, objects, restore
from minigrad.watched import recorders, recording, same, settings

P = ParamSpec("P")
R = TypeVar("R")

MANY = 64  # plans of one function, after which it says so


def _as_tensor(leaf: Any) -> Tensor:
    return leaf if isinstance(leaf, Tensor) else _core.from_numpy(leaf)


def _as_input(leaf: Any) -> Tensor:
    tensor = _as_tensor(leaf)
    made = tensor.detach().clone()
    made.requires_grad = tensor.requires_grad
    return made


def _hand_back(leaves: Sequence[Any], inputs: list[Tensor]) -> None:
    """Do to arguments what was done to the tensors that stood for them."""
    for leaf, given in zip(leaves, inputs, strict=True):
        tensor = _as_tensor(leaf)
        if given.grad is not None:
            tensor.backward(given.grad)
        if tensor.detach().numpy().tobytes() != given.detach().numpy().tobytes():
            with no_grad():
                tensor.copy_(given)


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
        self._recordings: dict[Any, list[Recording]] = {}
        self._reach: Reach | None = None
        self._seen: list[Any] = []
        # Modules, optimizers and the like, with their settings when they were last looked at.
        self._things: dict[int, tuple[Any, list[Any]]] = {}
        self._changes = -1
        functools.update_wrapper(self, fn)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Replays the plan for these arguments, recording it first if there is none."""
        if recorders and get_ident() in recorders:  # a part of another compiled function
            return self._run(args, kwargs)
        structure, leaves, key = self._read(args, kwargs)
        known = self._find(key)
        if known is None or known.plan is None:
            if os.environ.get("MINIGRAD_EAGER") == "1":
                return self._run(args, kwargs)
            return self._record(key, structure, leaves, known)
        restored: R = restore(known.result, iter(known.plan.replay(leaves)))
        return restored

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """As a method in a class: each object has plans of its own, kept with its attributes."""
        if instance is None or type(self._fn) is not FunctionType:  # of the class, or static
            return self
        space = getattr(instance, "__dict__", None)
        if type(space) is not dict:
            return MethodType(self, instance)  # the object is a part of the key
        # Not the method's own name: a method of a subclass may call this one by super().
        name = f"<compiled {self._fn.__qualname__}>"
        made = space.get(name)
        if made is None or made._fn.__func__ is not self._fn:
            made = space[name] = _Bound(MethodType(self._fn, instance))
        return made

    def over_batches(self, data: Sequence[Any], order: np.ndarray, batch_size: int) -> list[float]:
        """Calls the function on batches of rows, a whole epoch in one call.

        Args:
            data: Arrays or tensors with the same number of rows, one for each argument.
            order: Whole row numbers (n,); batch ``b`` takes ``order[b * batch_size : ...]``. The
                last batch may be smaller.
            batch_size: Rows in a batch, at least 1.

        Returns:
            For each output of one element, the sum over batches of its value times the batch's
            rows: divided by ``len(order)``, the mean over the epoch. 0 for other outputs.

        Raises:
            ValueError: the arrays have different numbers of rows.
            TypeError: the order is none of whole numbers.
            IndexError: a row number outside of the arrays.

        Example:
            >>> import numpy as np, minigrad as mg
            >>> mean = mg.compile(lambda x: x.mean())
            >>> [total] = mean.over_batches([np.arange(6.0)], np.arange(6), batch_size=2)
            >>> total / 6
            2.5
        """
        return over_batches(self, self.plan_of, data, order, batch_size)

    def plan_of(self, *args: P.args, **kwargs: P.kwargs) -> _core.Plan | None:
        """Returns the plan that a call with these arguments would replay, if there is one."""
        known = self._find(self._read(args, kwargs)[2])
        return None if known is None else known.plan

    @property
    def plans(self) -> list[_core.Plan]:
        """The plans recorded so far."""
        every = [known for group in self._recordings.values() for known in group]
        return [known.plan for known in every if known.plan is not None]

    def outdated(self) -> bool:
        """Whether a variable in reach has another value than when the plans were recorded."""
        return self._reach is not None and not same(self._seen, self._reach.values())

    def _run(self, args: Any, kwargs: Any) -> R:
        """The function itself, op by op; it is given tensors where arrays were, as in a plan."""
        leaves: list[Any] = []
        structure = flatten((args, kwargs), leaves)
        args, kwargs = restore(structure, map(_as_tensor, leaves))
        return self._fn(*args, **kwargs)

    def _find(self, key: Any) -> Recording | None:
        for known in self._recordings.get(key, ()):
            if known.fits():
                return known
        return None

    def _read(self, args: Any, kwargs: Any) -> tuple[Any, Sequence[Any], Any]:
        """The structure of the arguments, the tensors in it, and the key of their plan."""
        self._look()
        structure: Any = None
        leaves: list[Any] = []
        hashed: Any = len(args)
        if kwargs or not all(map(is_array, args)):
            structure = flatten((args, kwargs), leaves)
            hashed = hashable(structure)
        else:  # tensors alone, as most often
            leaves = args
        return structure, leaves, (hashed, _core.layout(leaves), _core.is_grad_enabled())

    def _look(self) -> None:
        """Forget the plans if what the function reaches has changed since they were made."""
        if self._reach is None:
            self._reach = Reach([self._fn])
            return self._begin(self._reach)
        now, changes = self._reach.values(), _core.changes()
        unmoved = changes == self._changes and len(now) == len(self._seen)
        if unmoved and all(map(is_, now, self._seen)):
            return None
        if not same(self._seen, now) or any(
            not same(before, settings(thing)) for thing, before in self._things.values()
        ):
            self._recordings.clear()
            self._things.clear()
            self._reach = Reach([self._fn])
            return self._begin(self._reach)
        self._seen, self._changes = now, changes
        return None

    def _begin(self, reach: Reach) -> None:
        """Take what is found for what it is from now on."""
        self._seen, self._changes = reach.values(), _core.changes()
        self._things = {id(t): (t, settings(t)) for t in reach.things} | self._things

    def _record(
        self, key: Any, structure: Any, leaves: Sequence[Any], known: Recording | None
    ) -> R:
        # State that the first call makes and keeps is there at the second; what stands in the way
        # twice stays. The function is not run then, so that the caller can do without a plan.
        if known is not None and known.obstacles == 2:
            name = getattr(self._fn, "__name__", "the function")
            raise _core.CaptureError(f"mg.compile: in {name!r} {known.obstacle}")
        reach = self._reach
        assert reach is not None
        self._follow(objects(structure))
        inputs = [_as_input(leaf) for leaf in leaves]
        results: list[Any] = []

        def body() -> list[Tensor]:
            args, kwargs = (inputs, {}) if structure is None else restore(structure, iter(inputs))
            outputs: list[Any] = []
            results.append(flatten(self._fn(*args, **kwargs), outputs))
            return [o.detach() for o in outputs]

        side_effects = SideEffects(reach, self._seen)
        with recording(self._things.values()) as used:
            outputs, plan = _core.record(inputs, body)
        self._things = {number: (t, before) for number, (t, before, _) in used.items()}
        if not isinstance(plan, str):
            plan = side_effects.found(self._things.values()) or plan
        modes = [(t, mode) for t, _, mode in used.values() if isinstance(t, Module)]
        made = Recording([module for module, _ in modes], [mode for _, mode in modes])
        if isinstance(plan, str):
            _hand_back(leaves, inputs)
            made.obstacle, made.obstacles = plan, 1 + (known.obstacles if known else 0)
            self._things.clear()  # what the function itself has changed is no reason to forget it
            self._begin(reach)
        else:
            made.plan, made.result = plan, results[0]
        self._follow([thing for thing, _, _ in used.values()])
        others = [r for r in self._recordings.get(key, []) if r is not known and not r.fits()]
        self._recordings[key] = [*others, made]
        if made.plan is not None and len(self.plans) == MANY:
            name = getattr(self._fn, "__name__", "the function")
            warnings.warn(
                f"mg.compile: {name!r} has recorded {MANY} plans, one for each shape of tensors "
                "and each value of its other arguments; pass a number that changes from call to "
                "call as a tensor or array",
                stacklevel=3,
            )
        restored: R = restore(results[0], iter(outputs))
        return restored

    def _follow(self, held: list[Any]) -> None:
        """Watch what these hold, too."""
        reach = self._reach
        assert reach is not None
        known = {id(root) for root in reach.roots} | {id(thing) for thing in reach.things}
        if new := [thing for thing in held if id(thing) not in known]:
            reach.roots += new
            reach.walk()
            self._begin(reach)


class _Bound(Compiled[P, R]):
    """A compiled method of one object."""

    def __reduce__(self) -> Any:
        """A copy of the object has none, and makes its own."""
        return type(None), ()


def compile(fn: Callable[P, R]) -> Compiled[P, R]:
    """Runs ``fn`` once, recording every op that it executes, and replays the record afterwards.

    A replay runs in C++, without the interpreter lock and without allocating: forward, backward,
    optimizer, random numbers and batch-norm statistics, to the same bits as the function itself.

    Tensors and numpy arrays among the arguments are inputs; they may be nested in tuples, lists
    and dicts. Everything else is part of the key: another value records another plan, as do other
    shapes, dtypes, or another train/eval mode of a module that the function calls; pass a number
    that changes from call to call as an array. It is recorded anew if one of these got another
    layer, setting or frozen parameter, wherever it came from; if a penalty, a constraint or the
    buffers of an optimizer changed; or if another value is in a variable that the function names:
    globals, closures, defaults, attributes, lists and dicts of up to 64 elements, and what the
    user's own functions and methods that it calls name, four levels deep. Not seen are changes
    within numpy arrays, ``__slots__``, longer lists and dicts, the state of libraries, and
    variables found by computed names. Learning rate, decay and the random state are read at each
    replay. The results are new tensors, cut off from the graph; within another compiled function
    it is a part of that one. As a method in a class body it has plans of its own for each object.

    A recorded function may not read the values of tensors (``item``, ``numpy``, ``if loss > 1``),
    change such variables or its arguments, or draw random numbers of Python or numpy (those of a
    generator out of reach go unseen), since a replay would not do so again. It must clear the
    gradients that it computes (``optimizer.zero_grad()``), and after it they are None; that of an
    argument it may return (``mg.grad``). ``MINIGRAD_EAGER=1`` turns plans off.

    Raises:
        CaptureError: the function reads a value, keeps a tensor that it made beyond the call, or
            does at the second call, too, what a replay would not do.

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

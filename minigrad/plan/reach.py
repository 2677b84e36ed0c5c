"""What a function reads from outside its arguments, to be compared before a plan is replayed."""

from __future__ import annotations

import functools
import random
import sys
from collections.abc import Iterable
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from minigrad._core import Tensor
from minigrad.nn.constraint import MaxNorm
from minigrad.nn.module import Module
from minigrad.nn.penalty import Penalty
from minigrad.optim.optimizer import Optimizer

_DEPTH = 4  # from the function to a value in a dict of an attribute of its object, for instance
_LONGEST = 64  # lists and dicts with more elements are not looked into
_THINGS = (Module, Penalty, MaxNorm, Optimizer)  # they say themselves when they change
_ENDS = (Tensor, np.ndarray, str, bytes, int, float, complex, type(None), BuiltinFunctionType)
_OURS = {__name__.partition(".")[0], "numpy"}


class Reach:
    """The variables that functions name, followed into what they hold.

    Globals, closures, default arguments and the object of a bound method; from there attributes
    that the code names, lists and dicts of up to 64 elements, functools.partial, and the user's
    own functions, methods and callable objects, down to four levels. Not followed: libraries,
    `__slots__`, elements of arrays, what is looked up by computed names.

    Attributes:
        things: the modules, penalties, constraints and optimizers found.
        generators: the random generators of Python and numpy found.

    Example:
        >>> from minigrad.plan.reach import Reach
        >>> settings = {"scale": 2.0}
        >>> reach = Reach([lambda x: x * settings["scale"]])
        >>> reach.values()[-1]
        2.0
        >>> settings["scale"] = 3.0
        >>> reach.values()[-1]
        3.0
    """

    def __init__(self, roots: Iterable[Any]) -> None:
        self.roots = list(roots)
        self._owner = getattr(self.roots[0], "__self__", None)
        self.walk()

    def values(self) -> list[Any]:
        """What the variables hold now."""
        values = [cell.cell_contents for cell in self._cells]
        values += [space.get(name) for space, name in self._places]
        for container in self._containers:
            values += container.values() if isinstance(container, dict) else container
        return values

    def labels(self) -> list[str]:
        """What to call each of the values."""
        labels = [*map(repr, self._cell_names), *[repr(name) for _, name in self._places]]
        for container in self._containers:
            labels += [f"an element of a {type(container).__name__}"] * len(container)
        return labels

    def walk(self) -> None:
        """Find the variables anew, as some hold something else now."""
        self._names: set[str] = set()
        self._late = True
        while self._late:
            # Whether attributes were looked up before a method was found that names further ones.
            self._late = self._looked_up = False
            self._seen: dict[int, Any] = {}
            self._cells: list[Any] = []
            self._cell_names: list[str] = []
            self._places: list[tuple[dict[str, Any], str]] = []
            self._containers: list[Any] = []
            self.things: list[Any] = []
            self.generators: list[Any] = []
            for root in self.roots:
                self._visit(root, 0)

    def _visit(self, value: Any, depth: int) -> None:
        if isinstance(value, _ENDS) or depth > _DEPTH or id(value) in self._seen:
            return
        self._seen[id(value)] = value
        if isinstance(value, _THINGS):
            self._visit_thing(value, depth)
        elif isinstance(value, FunctionType):
            self._visit_function(value, depth)
        elif isinstance(value, MethodType):
            self._visit(value.__func__, depth)
            self._visit(value.__self__, depth)
        elif isinstance(value, functools.partial):
            for part in (value.func, *value.args, *value.keywords.values()):
                self._visit(part, depth)
        elif isinstance(value, (list, tuple, set, frozenset, dict)):
            self._visit_elements(value, depth)
        elif isinstance(value, ModuleType):
            if not _is_library(value.__name__, value):
                self._visit_names(vars(value), depth)
        elif isinstance(value, type):
            if not _is_library(value.__module__):
                self._visit_names(vars(value), depth)
        else:
            self._visit_object(value, depth)

    def _visit_thing(self, thing: Any, depth: int) -> None:
        self.things.append(thing)
        if not isinstance(thing, Module):
            return
        for value in list(vars(thing).values()):
            if isinstance(value, Module):  # however deep
                self._visit(value, depth)
            elif type(value) in (list, dict) or not isinstance(value, _ENDS):
                self._visit(value, depth + 1)
        if not _is_library(type(thing).__module__):
            self._visit_class(thing, depth, "forward")

    def _visit_elements(self, value: Any, depth: int) -> None:
        if len(value) > _LONGEST:
            return
        if isinstance(value, (list, dict)):
            self._containers.append(value)
        for element in list(value.values() if isinstance(value, dict) else value):
            self._visit(element, depth + 1)

    def _visit_function(self, function: FunctionType, depth: int) -> None:
        if depth > 0 and _is_library(function.__module__ or ""):
            return
        names = _names_in(function.__code__)
        self._late |= self._looked_up and not names <= self._names
        self._names |= names
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        ):
            try:
                content = cell.cell_contents
            except ValueError:  # nothing is in it yet
                continue
            self._cells.append(cell)
            self._cell_names.append(name)
            self._visit(content, depth + 1)
        self._visit_names(function.__globals__, depth, names)
        for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self._visit(default, depth + 1)

    def _visit_object(self, value: Any, depth: int) -> None:
        attributes = getattr(value, "__dict__", None)
        cls = type(value)
        if isinstance(value, random.Random) or cls.__module__.startswith("numpy.random"):
            self.generators.append(value)
            return
        ours = cls.__module__.partition(".")[0] in _OURS and value is not self._owner
        if ours:  # what is compiled is followed into its function
            return self._visit(getattr(value, "__wrapped__", None), depth)
        if not isinstance(attributes, dict):
            return
        self._visit_names(attributes, depth)
        self._visit_class(value, depth, "__call__")

    def _visit_class(self, value: Any, depth: int, called: str) -> None:
        """The methods that the code names, and defaults of attributes."""
        self._looked_up = True
        for cls in type(value).__mro__:
            if _is_library(cls.__module__):
                continue
            for name, member in vars(cls).items():
                if name != called and name not in self._names:
                    continue
                inner = getattr(member, "fget", None) or getattr(member, "__func__", member)
                if isinstance(inner, FunctionType):
                    self._visit(inner, depth)
                else:
                    self._places += [(vars(value), name), (vars(cls), name)]  # type: ignore[list-item]
                    self._visit(inner, depth + 1)

    def _visit_names(self, space: Any, depth: int, names: set[str] | None = None) -> None:
        if names is None:
            self._looked_up, names = True, self._names
        for name in sorted(names & space.keys()):
            self._places.append((space, name))
            inner = space[name]
            self._visit(getattr(inner, "__func__", inner), depth + 1)


def _names_in(code: CodeType) -> set[str]:
    """Globals and attributes that the code names, lambdas and comprehensions in it included."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names_in(constant)
    return names


@functools.cache
def _is_library(name: str, module: Any = None) -> bool:
    """Whether a module is Python's, this library's or an installed one."""
    top = name.partition(".")[0]
    if top in _OURS or (top in sys.stdlib_module_names and top != "__main__"):
        return True
    file = getattr(module or sys.modules.get(top), "__file__", None) or ""
    return "site-packages" in file or "dist-packages" in file

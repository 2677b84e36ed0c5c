"""Modules that hold modules: in a row, in a list, by name."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Self, overload

from minigrad._check import integer
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter

__all__ = ["ModuleDict", "ModuleList", "Sequential"]


class _Row(Module):
    """Modules named "0", "1", ... or as their owner likes, in order."""

    def _items(self) -> list[Module]:
        return [value for value in self.__dict__.values() if isinstance(value, Module)]

    def _name(self, index: int) -> str:
        names = [name for name, value in self.__dict__.items() if isinstance(value, Module)]
        if not -len(names) <= index < len(names):
            raise IndexError(f"{type(self).__name__} of {len(names)} modules has no index {index}")
        return names[index]

    def __len__(self) -> int:
        """How many modules there are, a repeated one counted each time."""
        return len(self._items())

    def __iter__(self) -> Iterator[Module]:
        """The modules in order."""
        return iter(self._items())

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Module | Self:
        """A module, or for a slice a container of the same kind with those modules."""
        if isinstance(index, slice):
            return self._of(self._items()[index])
        module: Module = self.__dict__[self._name(integer("index", index))]
        return module

    def __setitem__(self, index: int, module: Module) -> None:
        """Replace the module at `index`."""
        setattr(self, self._name(integer("index", index)), _module(module))

    def _of(self, modules: Iterable[Module]) -> Self:
        raise NotImplementedError

    def append(self, module: Module) -> Self:
        """Add a module at the end, under the next number that is no name yet."""
        number = len(self)
        while str(number) in self.__dict__:
            number += 1
        self.add_module(str(number), _module(module))
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end."""
        for module in [_module(m) for m in modules]:
            self.append(module)
        return self


class Sequential(_Row):
    """Modules that run one after the other: each gets what the one before it returns.

    Args:
        modules: the modules, or one mapping from names to modules.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> model = nn.Sequential(nn.Linear(2, 500), nn.ReLU(), nn.Dropout(0.5), nn.Linear(500, 1))
    >>> model
    Sequential(
      (0): Linear(in_features=2, out_features=500, bias=True)
      (1): ReLU()
      (2): Dropout(p=0.5)
      (3): Linear(in_features=500, out_features=1, bias=True)
    )
    >>> model(mg.zeros(8, 2)).shape
    (8, 1)
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self.add_module(name, _module(module))
        else:
            self.extend(modules)  # type: ignore[arg-type]

    def _of(self, modules: Iterable[Module]) -> Self:
        return type(self)(*modules)

    def forward(self, x: Any) -> Any:
        """The last module's result."""
        for module in self._items():
            x = module(x)
        return x


class ModuleList(_Row):
    """A list whose modules count as the owner's; it has no `forward`.

    Args:
        modules: what the list begins with.

    >>> from minigrad import nn
    >>> layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def _of(self, modules: Iterable[Module]) -> Self:
        return type(self)(modules)


class ParameterList(Module):
    """A list of parameters that count as the owner's; it has no `forward`.

    Args:
        values: parameters, or tensors and arrays that become some.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> weights = nn.ParameterList([mg.zeros(2, 2), mg.ones(3)])
    >>> len(weights), weights[-1].shape, list(weights.state_dict())
    (2, (3,), ['0', '1'])
    """

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self.extend(values)

    def append(self, value: Any) -> Self:
        """Add a parameter at the end."""
        made = value if isinstance(value, Parameter) else Parameter(value)
        self.register_parameter(str(len(self)), made)
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add parameters at the end: all, or none if one of them cannot be a parameter."""
        for made in [v if isinstance(v, Parameter) else Parameter(v) for v in values]:
            self.append(made)
        return self

    def _items(self) -> list[Parameter]:
        return [value for value in self.__dict__.values() if isinstance(value, Parameter)]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._items())

    def __iter__(self) -> Iterator[Parameter]:
        """The parameters in order."""
        return iter(self._items())

    def __getitem__(self, index: int) -> Parameter:
        """The parameter at `index`."""
        return self._items()[integer("index", index)]


class ModuleDict(Module):
    """A dict whose modules count as the owner's; it has no `forward`.

    Names are strings without dots that are not methods of the class.

    Args:
        modules: name -> module, what the dict begins with.

    >>> from minigrad import nn
    >>> heads = nn.ModuleDict({"shape": nn.Linear(8, 3), "colour": nn.Linear(8, 5)})
    >>> heads["colour"].out_features
    5
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add or replace modules by name."""
        for name, module in modules.items():
            self[name] = module

    def _modules(self) -> dict[str, Module]:
        return {name: v for name, v in self.__dict__.items() if isinstance(v, Module)}

    def __getitem__(self, name: str) -> Module:
        """The module called `name`."""
        return self._modules()[name]

    def __setitem__(self, name: str, module: Module) -> None:
        """Add or replace the module called `name`."""
        self.add_module(name, _module(module))

    def __delitem__(self, name: str) -> None:
        """Take the module called `name` out."""
        self[name]
        delattr(self, name)

    def __contains__(self, name: object) -> bool:
        """Whether there is a module called `name`."""
        return name in self._modules()

    def __len__(self) -> int:
        """How many modules there are."""
        return len(self._modules())

    def __iter__(self) -> Iterator[str]:
        """The names in order."""
        return iter(self._modules())

    def keys(self) -> KeysView[str]:
        """The names in order."""
        return self._modules().keys()

    def values(self) -> ValuesView[Module]:
        """The modules in order."""
        return self._modules().values()

    def items(self) -> ItemsView[str, Module]:
        """Names and modules in order."""
        return self._modules().items()


def _module(value: Any) -> Module:
    if not isinstance(value, Module):
        hint = "; give an instance, not the class" if isinstance(value, type) else ""
        if isinstance(value, list | tuple):
            hint = "; give the modules one by one: Sequential(*modules)"
        raise TypeError(f"expected a Module, got {value!r}{hint}")
    return value

"""Module: a tree of named parameters, buffers and other modules, with a `forward`.

A module keeps no registry of its own: its parameters are the attributes that are `Parameter`s, its
children those that are `Module`s, in the order in which they were first set. Reading `self.weight`
is therefore a plain attribute access.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from minigrad._core import Tensor, note_change
from minigrad._names import HINTS, missing
from minigrad.grad_mode import no_grad
from minigrad.nn.parameter import Parameter
from minigrad.nn.state import LoadResult, fit
from minigrad.watched import recorders, used

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

__all__ = ["Module"]


def _forward_unimplemented(self: Module, *args: Any, **kwargs: Any) -> Any:
    raise NotImplementedError(f"{type(self).__name__} has no forward(); define it in your class")


class Module:
    """Base class of all layers, losses and networks.

    Set parameters and modules as attributes and define `forward`; call the module to run it.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = nn.Linear(2, 8)
    ...         self.out = nn.Linear(8, 1)
    ...     def forward(self, x):
    ...         return self.out(self.hidden(x).relu())
    >>> net = Net()
    >>> net(mg.zeros(4, 2)).shape
    (4, 1)
    >>> [name for name, _ in net.named_parameters()]
    ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']
    """

    training: bool = True
    # Name -> whether the state dict holds it. Replaced, never changed, as the class's is shared.
    _buffer_names: Mapping[str, bool] = {}
    # Names that a foreign state dict may hold and that mean nothing here.
    _ignored_keys: frozenset[str] = frozenset()

    forward: Callable[..., Any] = _forward_unimplemented

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Takes nothing; a subclass with arguments has an ``__init__`` of its own."""
        if args or kwargs:
            named = ", ".join(map(repr, args)) or ", ".join(f"{name}=" for name in kwargs)
            raise TypeError(
                f"{type(self).__name__} takes no arguments, got {named} (layers have no inplace=, "
                "device= or dtype=)"
            )
        super().__init__()

    if not TYPE_CHECKING:  # which would then know of no missing attribute

        def __getattr__(self, name: str) -> Any:
            """Raise AttributeError for what is not there, with a hint if others call it so."""
            if name in HINTS["Module"]:
                raise missing("Module", name, type(self))
            return object.__getattribute__(self, name)  # the error as it was

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`."""
        if recorders:
            used(self)
        return self.forward(*args, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; what is a parameter, buffer or module cannot silently stop being one.

        Raises:
            TypeError: if `name` holds one of them and `value` is neither of its kind nor None.
        """
        held = self.__dict__.get(name)
        if held is not None and value is not None:
            kind = (
                Parameter
                if isinstance(held, Parameter)
                else Module
                if isinstance(held, Module)
                else Tensor
                if name in self._buffer_names
                else object
            )
            if not isinstance(value, kind):
                raise TypeError(
                    f"{type(self).__name__}.{name} is a {kind.__name__}; it can be set to another "
                    f"{kind.__name__} or None, not to a {type(value).__name__} "
                    "(to change its values use copy_ under no_grad)"
                )
        object.__setattr__(self, name, value)
        if name != "training":  # the trainer minds the modes itself
            note_change()

    def __delattr__(self, name: str) -> None:
        """Remove an attribute."""
        object.__delattr__(self, name)
        note_change()

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """The same as setting the attribute, for computed names; None leaves the name empty."""
        self._claim(name)
        if parameter is not None and not isinstance(parameter, Parameter):
            raise TypeError(f"{name} must be a Parameter or None, got a {type(parameter).__name__}")
        setattr(self, name, parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but is not trained, such as a running mean.

        A buffer that is not persistent is cast with the module but stays out of the state dict.
        """
        self._claim(name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"{name} must be a Tensor or None, got a {type(tensor).__name__}")
        self._buffer_names = {**self._buffer_names, name: persistent}
        setattr(self, name, tensor)

    def add_module(self, name: str, module: Module | None) -> None:
        """The same as setting the attribute, for computed names such as "0"."""
        self._claim(name)
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{name} must be a Module or None, got a {type(module).__name__}")
        setattr(self, name, module)

    def _claim(self, name: str) -> None:
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(f"a name must be a non-empty string without dots, got {name!r}")
        if name not in self.__dict__ and hasattr(self, name):
            raise KeyError(f"{type(self).__name__} has an attribute {name!r} of its own")

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module under the name `prefix`, then all below it; a shared one comes once."""
        found: dict[int, tuple[str, Module]] = {}
        self._walk(prefix, found)
        return iter(found.values())

    def _walk(self, prefix: str, found: dict[int, tuple[str, Module]]) -> None:
        found[id(self)] = prefix, self
        for name, value in self.__dict__.items():
            if isinstance(value, Module) and id(value) not in found:
                value._walk(_join(prefix, name), found)

    def modules(self) -> Iterator[Module]:
        """This module and all below it."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly in this one, each once."""
        seen: set[int] = set()
        for name, value in self.__dict__.items():
            if isinstance(value, Module) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def children(self) -> Iterator[Module]:
        """The modules directly in this one, each once."""
        return (module for _, module in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Parameters with their dotted names; a shared one comes once unless told otherwise."""
        seen: set[int] = set()
        for path, module in self._holders(prefix, recurse, remove_duplicate):
            for name, value in module.__dict__.items():
                if isinstance(value, Parameter) and id(value) not in seen:
                    if remove_duplicate:
                        seen.add(id(value))
                    yield _join(path, name), value

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of this module and, if `recurse`, of all below it."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Buffers with their dotted names."""
        seen: set[int] = set()
        for path, module in self._holders(prefix, recurse, remove_duplicate):
            for name in module._buffer_names:
                value = module.__dict__.get(name)
                if value is not None and id(value) not in seen:
                    if remove_duplicate:
                        seen.add(id(value))
                    yield _join(path, name), value

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of this module and, if `recurse`, of all below it."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _holders(self, prefix: str, recurse: bool, once: bool) -> Iterator[tuple[str, Module]]:
        yield prefix, self
        if not recurse:
            return
        if once:
            modules = self.named_modules(prefix)
            next(modules)
            yield from modules
            return
        for name, value in self.__dict__.items():
            if isinstance(value, Module):
                yield from value._holders(_join(prefix, name), True, False)

    def apply(self, function: Callable[[Module], Any]) -> Self:
        """Call `function` on every module below, then on this one; for initialisation."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set train mode here and below: dropout drops, batch norm uses the batch."""
        if not isinstance(mode, bool):
            raise TypeError(f"train() takes True or False, got {mode!r}")
        for module in self.modules():
            if module.training is not mode:
                module.training = mode
        return self

    def eval(self) -> Self:
        """Set evaluation mode here and below: `train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze (False) or train (True) all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters: each `grad` becomes None."""
        for parameter in self.parameters():
            parameter.grad = None

    def to(self, dtype: DTypeLike) -> Self:
        """Cast floating parameters and buffers to float32 or float64.

        A cast parameter is a new object without gradient: make optimizers afterwards.
        """
        target = np.dtype(dtype)
        if target not in (np.dtype(np.float32), np.dtype(np.float64)):
            raise TypeError(f"a module can be float32 or float64, not {target}")
        cast: dict[int, Tensor] = {}  # what is shared stays shared
        for module in self.modules():
            for name, value in module.__dict__.items():
                is_state = isinstance(value, Parameter) or name in module._buffer_names
                if not is_state or value is None or value.dtype.kind != "f":
                    continue
                if value.dtype != target and id(value) not in cast:
                    new = value.detach().to(target)
                    if isinstance(value, Parameter):
                        new = Parameter(new, value.requires_grad)
                    cast[id(value)] = new
                module.__dict__[name] = cast.get(id(value), value)
        note_change()
        return self

    def float(self) -> Self:
        """Cast to float32; see `to`."""
        return self.to(np.float32)

    def double(self) -> Self:
        """Cast to float64; see `to`."""
        return self.to(np.float64)

    def _named_state(self) -> Iterator[tuple[str, Tensor]]:
        for path, module in self._holders("", True, False):
            for name, value in module.__dict__.items():
                if isinstance(value, Parameter) or (
                    value is not None and module._buffer_names.get(name, False)
                ):
                    yield _join(path, name), value

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and persistent buffers by dotted name.

        The tensors share the module's memory, as in PyTorch: training changes them. `clone()` each
        for a snapshot, or `mg.save` them.

        >>> from minigrad import nn
        >>> list(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).state_dict())
        ['0.weight', '0.bias', '1.weight', '1.bias', '1.running_mean', '1.running_var']
        """
        return {name: value.detach() for name, value in self._named_state()}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> LoadResult:
        """Copy values into the parameters and buffers, all or nothing.

        Args:
            state_dict: tensors or arrays by dotted name; they are cast to the module's dtype.
            strict: whether missing and unexpected names are errors too.

        Raises:
            ValueError: with every missing, unexpected and mis-shaped name; nothing was changed.
        """
        ignored = {
            _join(path, name) for path, m in self.named_modules() for name in m._ignored_keys
        }
        own = dict(self._named_state())
        values, result, problems = fit(own, state_dict, ignored, strict)
        if problems:
            listed = "\n  ".join(problems)
            raise ValueError(f"load_state_dict of {type(self).__name__}:\n  {listed}")
        with no_grad():
            for target, value in values:
                target.copy_(value)
        return result

    def extra_repr(self) -> str:
        """What stands between the parentheses of this layer's text; for subclasses."""
        return ""

    def __repr__(self) -> str:
        """The tree of modules, laid out as torch does."""
        lines = [
            f"({name}): " + repr(value).replace("\n", "\n  ")
            for name, value in self.__dict__.items()
            if isinstance(value, Module)
        ]
        extra = self.extra_repr()
        if lines:
            body = "\n  ".join([extra, *lines] if extra else lines)
            return f"{type(self).__name__}(\n  {body}\n)"
        return f"{type(self).__name__}({extra})"


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name

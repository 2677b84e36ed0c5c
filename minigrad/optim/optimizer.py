"""The base of all optimizers: parameter groups, gradients to zero, steps, and their state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from minigrad._check import number
from minigrad._core import Tensor, note_change
from minigrad.grad_mode import enable_grad, no_grad
from minigrad.optim.group import ParamGroup, Slot
from minigrad.watched import used

__all__ = ["Optimizer", "non_negative"]


def non_negative(options: Mapping[str, Any], *names: str) -> dict[str, float]:
    """These options as floats, each checked to be finite and not below 0."""
    return {name: number(name, options[name], 0.0) for name in names}


class Optimizer:
    """Base class: a subclass checks its options, lays them out in cells and calls its update op.

    Args:
        params: an iterable of parameters, or of dicts {"params": parameters, option: value, ...}.
        defaults: the options of groups that do not set their own.

    Weight decay and the L1 term leave out parameters with fewer than 2 dimensions (biases,
    normalisation), unless the group's `decay_all` is true.

    >>> import minigrad as mg
    >>> weight = mg.ones(2, requires_grad=True)
    >>> isinstance(mg.optim.SGD([weight], lr=0.1), mg.optim.Optimizer)
    True
    """

    def __init__(
        self, params: Iterable[Tensor] | Iterable[dict[str, Any]], defaults: Mapping[str, Any]
    ) -> None:
        if isinstance(params, Tensor):
            raise TypeError("params must be an iterable of parameters, got one Tensor; write [p]")
        if hasattr(params, "parameters"):
            raise TypeError(f"params: give {type(params).__name__}.parameters(), not the module")
        self.defaults = dict(defaults)
        self.param_groups: list[ParamGroup] = []
        given = list(params)
        if not given:
            raise ValueError("the optimizer got no parameters; is model.parameters() used up?")
        groups = given if isinstance(given[0], Mapping) else [{"params": given}]
        for group in groups:
            if not isinstance(group, Mapping):
                raise TypeError(f"params mixes dicts with {type(group).__name__}")
            self.add_param_group(group)

    # What a subclass says about itself.

    def _checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options, checked; a ValueError or TypeError names the one that is wrong."""
        raise NotImplementedError

    def _buffer_names(self, group: ParamGroup) -> tuple[str, ...]:
        """The buffers, shaped like the parameter, that these options need."""
        raise NotImplementedError

    def _own_cells(self, group: ParamGroup) -> tuple[float, float, float]:
        """Cells 4 to 6 of the op's `hyper`."""
        raise NotImplementedError

    def _update(self, slot: Slot, grad: Tensor) -> None:
        """Call the op that changes parameter and buffers."""
        raise NotImplementedError

    # What they share.

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Train more parameters, with options of their own where the dict has them.

        Raises:
            ValueError: a parameter is here already, is the result of an op, or an option is wrong.
        """
        unknown = param_group.keys() - self.defaults.keys() - {"params", "initial_lr"}
        if unknown or "params" not in param_group:
            raise ValueError(
                f"a parameter group needs 'params' and may set {', '.join(self.defaults)}; "
                f"got {', '.join(map(str, param_group))}"
            )
        members = param_group["params"]
        params = [members] if isinstance(members, Tensor) else list(members)
        if not params:
            raise ValueError("a parameter group is empty")
        known = {id(slot.param) for slot in self._slots()}
        for i, p in enumerate(params):
            self._check_param(i, p)
            if id(p) in known:
                raise ValueError(f"parameter {i} of shape {p.shape} is given twice")
            known.add(id(p))
        own = {key: value for key, value in param_group.items() if key != "params"}
        slots = [Slot(p) for p in params]
        options = {**self.defaults, **own}
        self.param_groups.append(ParamGroup(slots, options, self._checked, self._write))
        note_change()

    @staticmethod
    def _check_param(i: int, p: Any) -> None:
        if not isinstance(p, Tensor):
            named = isinstance(p, tuple) and len(p) == 2 and isinstance(p[1], Tensor)
            hint = "; give model.parameters(), without names" if named else f": {p!r}"
            raise TypeError(f"parameter {i} must be a Tensor, got {type(p).__name__}{hint}")
        if not p.is_leaf:
            raise ValueError(f"parameter {i} is the result of an op; only leaves can be trained")
        if p.dtype.kind != "f":
            raise TypeError(f"parameter {i} must be float32 or float64, got {p.dtype}")

    def _write(self, group: ParamGroup) -> None:
        """Bring cells and buffers in line with the group's options."""
        names = self._buffer_names(group)
        own = self._own_cells(group)
        options = group.data
        lr, decoupled = options["lr"], float(options["decoupled_weight_decay"])
        for slot in group.slots:
            slot.require(names)
            decays = slot.param.ndim >= 2 or options["decay_all"]
            penalty = (options["weight_decay"], options["l1"]) if decays else (0.0, 0.0)
            slot.cells[1:] = (lr, *penalty, *own, decoupled)

    def _slots(self) -> list[Slot]:
        return [slot for group in self.param_groups for slot in group.slots]

    @property
    def state(self) -> dict[Tensor, dict[str, Any]]:
        """Parameter -> {"step": updates so far, buffer name: tensor, ...}."""
        return {slot.param: {"step": slot.step, **slot.buffers} for slot in self._slots()}

    def _plan_settings(self) -> list[Any]:
        """Which tensors an update changes: what else it depends on are cells that it reads."""
        return [tensor for slot in self._slots() for tensor in (slot.param, *slot.buffers.values())]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; with `set_to_none=False` they become zeros."""
        for group in self.param_groups:
            for slot in group.slots:
                if set_to_none:
                    slot.param.grad = None
                elif slot.param.grad is not None:
                    slot.param.grad.fill_(0.0)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; the others are left alone.

        A `closure` that computes loss and gradients is called first; its value comes back.
        """
        used(self)
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for group in self.param_groups:
                for slot in group.slots:
                    grad = slot.param.grad
                    if grad is not None:
                        self._update(slot, grad)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """A snapshot of options, step counts and buffers, as `mg.save` takes it.

        {"state": {i: {"step", buffers...}}, "param_groups": [{options..., "params": [i, ...]}]},
        where i counts the parameters in the order in which they were given.
        """
        state = {
            i: {"step": slot.step, **{k: b.clone() for k, b in slot.buffers.items()}}
            for i, slot in enumerate(self._slots())
        }
        groups, first = [], 0
        for group in self.param_groups:
            last = first + len(group.slots)
            groups.append({**group.options, "params": list(range(first, last))})
            first = last
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave, to the same bits.

        Raises:
            ValueError: it is from other groups, shapes or another optimizer. Nothing has changed.
        """
        try:
            groups, state = state_dict["param_groups"], state_dict["state"]
        except (KeyError, TypeError):
            raise ValueError("an optimizer's state dict has 'param_groups' and 'state'") from None
        sizes = [len(group["params"]) for group in groups]
        own_sizes = [len(group.slots) for group in self.param_groups]
        if sizes != own_sizes:
            raise ValueError(
                f"the state dict has groups of {sizes} parameters, the optimizer of {own_sizes}"
            )
        loaded = []
        for group, saved in zip(self.param_groups, groups, strict=True):
            options = {k: v for k, v in saved.items() if k != "params"}
            trial = ParamGroup(
                [Slot(slot.param) for slot in group.slots],
                {**group.options, **options},
                self._checked,
                self._write,
            )
            for slot, i in zip(trial.slots, saved["params"], strict=True):
                self._fill(slot, i, state.get(i, {}))
            loaded.append(trial)
        for group, trial in zip(self.param_groups, loaded, strict=True):
            group.change(trial.options)
            for slot, new in zip(group.slots, trial.slots, strict=True):
                slot.cells[0] = new.step
                for name, buffer in new.buffers.items():
                    slot.buffers[name].numpy()[...] = buffer.numpy()

    @staticmethod
    def _fill(slot: Slot, i: int, saved: Mapping[str, Any]) -> None:
        """Fill a new slot from a saved state; an empty one stands for no update yet."""
        if not saved:
            return
        missing = {"step", *slot.buffers} - saved.keys()
        if missing:
            raise ValueError(f"the state of parameter {i} lacks {', '.join(sorted(missing))}")
        slot.cells[0] = int(saved["step"])
        for name, buffer in slot.buffers.items():
            value = np.asarray(saved[name])
            if value.shape != buffer.shape or value.dtype != buffer.dtype:
                raise ValueError(
                    f"{name} of parameter {i} is {value.dtype} of shape {value.shape}, "
                    f"the parameter {buffer.dtype} of shape {buffer.shape}"
                )
            buffer.numpy()[...] = value

    def __repr__(self) -> str:
        """The class and the options of every group."""
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {key}: {value}" for key, value in sorted(group.options.items())]
        return "\n".join([*lines, ")"])

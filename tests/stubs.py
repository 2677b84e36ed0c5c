"""Writes minigrad/_core.pyi, what type checkers and editors know of the compiled core.

    python tests/stubs.py            # write it
    python tests/stubs.py --check    # exit with 1 if it is not current

Ops come from the op table; everything else from the signatures that pybind11 leaves in docstrings,
with RETURNS naming the types that C++ leaves open.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any

from minigrad import _core

TARGET = Path(__file__).parent.parent / "minigrad" / "_core.pyi"

HEADER = '''"""The compiled core; written by tests/stubs.py, not by hand."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minigrad.composed import Sorted

# Tensor has methods that are called float and bool.
_Bool: TypeAlias = bool
_Float: TypeAlias = float
_Ints: TypeAlias = int | Sequence[int]
_Array: TypeAlias = np.ndarray[Any, Any]
TensorLike: TypeAlias = "Tensor | _Array | np.generic | _Float"
'''

# What a signature of pybind11 calls object, by owner.name or name.
RETURNS = {
    "T": "Tensor",
    "__complex__": "complex",
    "__format__": "str",
    "__round__": "Any",
    "add_": "Tensor",
    "div_": "Tensor",
    "mul_": "Tensor",
    "pow_": "Tensor",
    "sub_": "Tensor",
    "zero_": "Tensor",
    "__array__": "_Array",
    "__deepcopy__": "Tensor",
    "__dlpack__": "Any",
    "__getitem__": "Tensor",
    "__index__": "int",
    "__iter__": "Iterator[Tensor]",
    "bool": "Tensor",
    "build_info": "dict[str, Any]",
    "double": "Tensor",
    "dtype": "np.dtype[Any]",
    "fill_": "Tensor",
    "float": "Tensor",
    "from_numpy": "Tensor",
    "grad": "tuple[Tensor, ...]",
    "grad_fn": "str | None",
    "item": "Any",
    "long": "Tensor",
    "Tensor.data": "Tensor",
    "numpy": "_Array",
    "ops": "list[dict[str, Any]]",
    "record": "tuple[Any, ...]",
    "replay": "list[Tensor]",
    "requires_grad_": "Tensor",
    "shape": "tuple[int, ...]",
    "strides": "tuple[int, ...]",
    "to": "Tensor",
    "tolist": "Any",
    "watch": "Interrupt | None",
    "Tensor.grad": "Tensor | None",
}
SETTABLE = {"data", "grad", "requires_grad"}
ARGUMENTS = {
    "dtype: object": "dtype: DTypeLike | None",
    "value: object": "value: _Float",
    "memo: dict": "memo: dict[int, Any]",
    "interrupt: minigrad._core.Interrupt": "interrupt: Interrupt | None",
}
WORDS = {
    r"typing\.SupportsInt \| typing\.SupportsIndex": "int",
    r"typing\.SupportsFloat \| typing\.SupportsIndex": "_Float",
    r"typing\.Annotated\[numpy\.typing\.ArrayLike, [^\]]*\]": "ArrayLike",
    r"minigrad\._core\.": "",
    r"collections\.abc\.Sequence(?!\[)": "Sequence[Any]",
    r"collections\.abc\.Callable(?!\[)": "Callable[..., Any]",
    r"collections\.abc\.": "",
    r"\bnumpy\.ndarray(\[[^\]]*\]+)?": "_Array",
    r"\bnumpy\.typing\.NDArray\[[^\]]*\]": "_Array",
    r"\bobject\b": "Any",
    r"\b(list|tuple)\b(?!\[)": r"\1[Any]",
    r"\bfloat\b": "_Float",
    r"\bbool\b": "_Bool",
}
OPERATORS = {
    "__iadd__ __isub__ __imul__ __itruediv__ __ipow__ __iand__ __ior__": (
        "(self, other: TensorLike) -> Self: ..."
    ),
    "__abs__ __neg__ __invert__": "(self) -> Tensor: ...",
    "__add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ __rtruediv__ __floordiv__ "
    "__rfloordiv__ __mod__ __rmod__ __pow__ __rpow__ "
    "__matmul__ __rmatmul__ __and__ __rand__ __or__ __ror__ __lt__ __le__ __gt__ __ge__": (
        "(self, other: TensorLike) -> Tensor: ..."
    ),
    "__eq__ __ne__": "(self, other: TensorLike) -> Tensor: ...  # type: ignore[override]",
}


def typed(text: str) -> str:
    """A type or argument list of pybind11 as Python with this file's names."""
    for old, new in ARGUMENTS.items():
        text = text.replace(old, new)
    for pattern, new in WORDS.items():
        text = re.sub(pattern, new, text)
    return re.sub(r": Any = None", ": Any | None = None", text)


def doc_lines(text: str | None, indent: str) -> str:
    """A docstring, or the dots that stand for a body."""
    text = (text or "").strip()
    if not text:
        return " ...\n"
    body = text.replace("\\", "\\\\").replace("\n", f"\n{indent}").replace(f"\n{indent}\n", "\n\n")
    close = f"\n{indent}" if "\n" in text else ""
    return f'\n{indent}"""{body}{close}"""\n'


def parameter(text: str, with_default: bool) -> str:
    """One parameter of an op's signature in Python's types."""
    name, _, rest = (part.strip() for part in text.partition(":"))
    kind, _, default = (part.strip() for part in rest.partition("="))
    if name.startswith("*"):
        return f"{name}: Tensor | Sequence[Tensor]"
    types = {"ints": "_Ints", "int": "int", "float": "_Float", "bool": "_Bool"}
    if kind:
        made = types[kind.rstrip("?")]
    else:
        made = "Tensor" if "!" in name else "TensorLike"
        kind = "?" if name.endswith("?") else ""
        default = "None" if kind and with_default else ""
    optional = " | None" if kind.endswith("?") else ""
    return f"{name.rstrip('!?')}: {made}{optional}" + (f" = {default}" if default else "")


def op_parameters(signature: str) -> list[str]:
    """The parameters of an op, numpy's spellings included."""
    inside = signature[signature.index("(") + 1 : -1]
    parts = inside.split(", ") if inside else []
    # Only a tail of optional tensors may be left out.
    tail = [all("?" in p or "=" in p for p in parts[i:]) for i in range(len(parts))]
    made = [parameter(p, ok) for p, ok in zip(parts, tail, strict=True)]
    if any(p.startswith("*") for p in made):
        return made
    aliases = {"dim": "axis", "keepdim": "keepdims"}
    spelled = [(p.split(":")[0], p) for p in made]
    extra = [p.replace(n, aliases[n], 1) for n, p in spelled if n in aliases and "=" in p]
    return [*made, "*", *extra] if extra else made


def op_stub(row: dict[str, Any], method: bool, name: str) -> str:
    """One op under one of its names: a function, or a method of its first tensor."""
    parameters = op_parameters(row["signature"])
    lists = [i for i, p in enumerate(parameters) if p.endswith(": _Ints")]
    if lists == [1] and len(parameters) == 2:  # x.reshape(2, 3)
        parameters[1] = "*" + parameters[1]
    if method:
        parameters[0] = "self"
    result = {0: "None", 1: "Tensor"}.get(row["outputs"], "tuple[Tensor, ...]")
    indent = "    " if method else ""
    body = " ...\n" if method else doc_lines(row["doc"], "    ")
    return f"{indent}def {name}({', '.join(parameters)}) -> {result}:{body}"


def bound_stub(name: str, doc: str, owner: str = "") -> str:
    """A function or method of pybind11, from its docstring."""
    head, _, rest = doc.partition("\n")
    match = re.fullmatch(r"\w*\((.*)\) -> (.*)", head)
    if match is None:
        raise ValueError(f"{owner}.{name}: no signature in {head!r}")
    arguments = typed(re.sub(r"^(self|arg0): [\w.]+", "self", match[1]) if owner else match[1])
    arguments = re.sub(r"\*\*kwargs$", "**kwargs: Any", arguments)
    result = RETURNS.get(f"{owner}.{name}", RETURNS.get(name, typed(match[2])))
    indent = "    " if owner else ""
    return f"{indent}def {name}({arguments}) -> {result}:" + doc_lines(rest, indent + "    ")


def python_stub(name: str, method: Any) -> str:
    """A method that is written in Python."""
    parameters = list(inspect.signature(method).parameters.values())
    parts = ["self"]
    for p in parameters[1:]:
        kind = typed(str(p.annotation))
        default = "" if p.default is p.empty else f" = {p.default!r}"
        parts.append(f"{'*' * (p.kind is p.VAR_POSITIONAL)}{p.name}: {kind}{default}")
    result = typed(str(inspect.signature(method).return_annotation))
    return f"    def {name}({', '.join(parts)}) -> {result}: ...\n"


def property_stub(name: str, value: property, owner: str) -> str:
    """A property, and its setter if it has one."""
    getter = f"{name}{(value.fget.__doc__ or '').strip()}"
    text = "    @property\n" + bound_stub(name, getter + "\n" + (value.__doc__ or ""), owner)
    if name in SETTABLE:
        kind = RETURNS.get(f"{owner}.{name}", "_Bool")
        text += f"    @{name}.setter\n    def {name}(self, value: {kind}) -> None: ...\n"
    return text


def class_stub(cls: type, rows: list[dict[str, Any]]) -> str:
    """A class of the core; Tensor also has ops as methods and operators."""
    ops = {name: row for row in rows for name in (row["name"], *row["aliases"])}
    operators = {n: text for names, text in OPERATORS.items() for n in names.split()}
    base = f"({cls.__base__.__name__})" if issubclass(cls, BaseException) else ""
    text = f"class {cls.__name__}{base}:" + doc_lines(cls.__doc__, "    ")
    for name, value in sorted(vars(cls).items()):
        if inspect.isfunction(value) and not name.startswith("__"):
            text += python_stub(name, value)
        elif isinstance(value, property):
            text += property_stub(name, value, cls.__name__)
        elif name in ops:
            text += op_stub(ops[name], True, name)
        elif name in operators:
            text += f"    def {name}{operators[name]}\n"
        elif callable(value) and re.match(rf"{name}\(", value.__doc__ or ""):
            text += bound_stub(name, value.__doc__ or "", cls.__name__)
    return text


def stubs() -> str:
    """The whole file."""
    rows = _core.ops()
    names = {name for row in rows for name in (row["name"], *row["aliases"])}
    text = HEADER + "\n__all__ = [\n"
    text += "".join(f'    "{name}",\n' for name in sorted(_core.__all__)) + "]\n"
    for name, value in sorted(vars(_core).items()):
        if isinstance(value, type):
            text += "\n" + class_stub(value, rows)
        elif callable(value) and name not in names and not name.startswith("__"):
            text += "\n" + bound_stub(name, value.__doc__ or "")
    functions = ((row, name) for row in rows for name in (row["name"], *row["aliases"]))
    return text + "".join("\n" + op_stub(row, False, name) for row, name in functions)


def main() -> int:
    """Write the file, or with --check compare it."""
    made = stubs()
    if "--check" in sys.argv[1:]:
        current = TARGET.exists() and TARGET.read_text() == made
        print(f"{TARGET.name} is {'current' if current else 'not current: run tests/stubs.py'}")
        return 0 if current else 1
    TARGET.write_text(made)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

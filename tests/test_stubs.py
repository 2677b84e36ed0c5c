"""What type checkers are told of the compiled core is what it has."""

import ast
from pathlib import Path

import stubs

from minigrad import _core

ROOT = Path(__file__).parent.parent
STUB = ROOT / "minigrad" / "_core.pyi"


def test_the_stub_is_current():
    assert STUB.read_text() == stubs.stubs(), "run `python tests/stubs.py`"


def test_nothing_public_is_left_out():
    tree = ast.parse(STUB.read_text())
    classes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
    functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    public = {n for n in vars(_core) if not n.startswith("_")}
    assert public == functions | set(classes)
    for name, node in classes.items():
        members = {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
        assert {n for n in vars(getattr(_core, name)) if not n.startswith("_")} <= members


def test_parameters_of_ops():
    parameters = stubs.op_parameters
    assert parameters("f(x!, y?, dim: ints? = None)") == [
        "x: Tensor",
        "y: TensorLike | None = None",
        "dim: _Ints | None = None",
        "*",
        "axis: _Ints | None = None",
    ]
    assert parameters("g(w?, x, p: float = 0.5)") == [
        "w: TensorLike | None",
        "x: TensorLike",
        "p: _Float = 0.5",
    ]


def test_type_checkers_see_no_name_that_stands_for_any():
    """Where they saw `__getattr__`, every slip in a name would pass."""
    for file in (ROOT / "minigrad").rglob("*.py"):
        tree = ast.parse(file.read_text())
        for scope in [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]:
            names = {n.name for n in scope.body if isinstance(n, ast.FunctionDef)}
            assert "__getattr__" not in names, file

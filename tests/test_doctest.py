"""Every example in the package's texts runs and shows what it says."""

import doctest
import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import minigrad as mg
from minigrad import _core


def modules():
    names = [m.name for m in pkgutil.walk_packages(mg.__path__, "minigrad.")]
    return ["minigrad", *(n for n in names if not n.endswith(("_core", "__main__")))]


@pytest.mark.parametrize("name", modules())
def test_examples(name):
    module = importlib.import_module(name)
    mg.seed(0)
    with np.printoptions(legacy=False):
        result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


OPS = {row["name"]: row["doc"] for row in _core.ops()}
BOUND = {
    f"Tensor.{name}": value.__doc__
    for name, value in vars(_core.Tensor).items()
    if not name.startswith("_") and name not in OPS
} | {
    name: getattr(mg, name).__doc__
    for name in mg.__all__
    if getattr(getattr(mg, name), "__module__", "") == "minigrad._core"
}


@pytest.mark.parametrize("name", [*OPS, *BOUND])
def test_the_compiled_core_has_examples(name):
    """The texts of ops are in the rows of the op table, those of the rest where it is bound."""
    text = {**OPS, **BOUND}[name]
    mg.seed(0)
    names = {"mg": mg, "np": np, "_core": _core}
    test = doctest.DocTestParser().get_doctest(text, names, name, None, None)
    assert test.examples, "an example is missing"
    found = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test)
    assert (found.failed, found.attempted) == (0, len(test.examples))


SPACES = (
    "minigrad",
    "minigrad.augment",
    "minigrad.callbacks",
    "minigrad.data",
    "minigrad.metrics",
    "minigrad.nn",
    "minigrad.nn.functional",
    "minigrad.nn.init",
    "minigrad.optim",
    "minigrad.optim.lr_scheduler",
)


def public(space):
    """The names that users reach there; those of the compiled core have texts of their own."""
    module = importlib.import_module(space)
    names = getattr(module, "__all__", None) or module.METRICS
    values = {name: getattr(module, name) for name in names}
    return {
        name: value
        for name, value in values.items()
        if callable(value) and (value.__module__ or "minigrad._core") != "minigrad._core"
    }


@pytest.mark.parametrize("space", SPACES)
def test_every_public_name_has_a_text_with_an_example(space):
    found = public(space)
    assert len(found) >= (4 if space == "minigrad.optim" else 6)
    assert [n for n, value in found.items() if ">>> " not in (inspect.getdoc(value) or "")] == []


LAYERS = {**public("minigrad.augment"), **public("minigrad.nn"), **public("minigrad.optim")}
WITH_ARGUMENTS = [
    value
    for value in LAYERS.values()
    if inspect.isclass(value) and value not in (mg.nn.LoadResult, mg.nn.Penalty)
]


@pytest.mark.parametrize("value", WITH_ARGUMENTS, ids=lambda value: value.__name__)
def test_every_argument_is_in_the_text(value):
    arguments = [a for a in inspect.signature(value).parameters if a not in ("args", "kwargs")]
    text = inspect.getdoc(value).partition("Args:")[2]
    assert [a for a in arguments if f"{a}:" not in text] == []

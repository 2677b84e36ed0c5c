"""Every example in the package's texts runs and shows what it says."""

import doctest
import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import minigrad as mg


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

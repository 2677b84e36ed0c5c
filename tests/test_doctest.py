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


def test_every_layer_and_loss_has_an_example():
    layers = [
        getattr(mg.nn, name)
        for name in mg.nn.__all__
        if inspect.isclass(getattr(mg.nn, name)) and name not in ("LoadResult", "Penalty")
    ]
    assert len(layers) > 40
    assert [c.__name__ for c in layers if ">>> " not in (c.__doc__ or "")] == []

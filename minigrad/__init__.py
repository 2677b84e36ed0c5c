"""minigrad: neural-network experiments on a CPU that take milliseconds and end in knowledge.

`import minigrad as mg` gives tensors and every op; `mg.nn`, `mg.optim`, `mg.data`,
`mg.augment`, `mg.callbacks`, `mg.table` and the trainer are imported when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

try:
    from minigrad._core import *  # noqa: F403  the ops of the core's table that are for users
except ModuleNotFoundError as error:
    if error.name != "minigrad._core":
        raise
    raise ImportError(
        f"{__file__.removesuffix('/__init__.py')} is minigrad's source, without its"
        " compiled core. If you ran `pip install .`, start Python outside of this checkout, or"
        " with -P, so that the installed minigrad is found; to import this one, build its core in"
        " place (CONTRIBUTING.md, 'Set up')."
    ) from None
from minigrad import _core
from minigrad._core import (
    Tensor,
    build_info,
    from_numpy,
    get_num_threads,
    grad,
    isa,
    set_num_threads,
)
from minigrad._names import missing
from minigrad.composed import *  # noqa: F403
from minigrad.composed import __all__ as _composed
from minigrad.grad_mode import enable_grad, no_grad
from minigrad.random import (
    Generator,
    bernoulli,
    default_generator,
    manual_seed,
    multinomial,
    normal,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    seed,
)
from minigrad.tensor import (
    arange,
    eye,
    from_dlpack,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)

__all__ = [
    "EarlyStopping",
    "Generator",
    "History",
    "ModelCheckpoint",
    "Tensor",
    "Trainer",
    "arange",
    "augment",
    "bernoulli",
    "build_info",
    "callbacks",
    "compile",
    "cross_validate",
    "data",
    "default_generator",
    "enable_grad",
    "equivalents",
    "eye",
    "fit_many",
    "from_dlpack",
    "from_numpy",
    "full",
    "full_like",
    "get_num_threads",
    "grad",
    "isa",
    "linspace",
    "load",
    "lr_find",
    "manual_seed",
    "multinomial",
    "nn",
    "no_grad",
    "normal",
    "ones",
    "ones_like",
    "optim",
    "plots",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "save",
    "seed",
    "set_num_threads",
    "table",
    "tensor",
    "zeros",
    "zeros_like",
]

if TYPE_CHECKING:
    from minigrad import augment, callbacks, data, nn, optim, plots, table
    from minigrad.callbacks import EarlyStopping, ModelCheckpoint
    from minigrad.cross_validation import cross_validate
    from minigrad.history import History
    from minigrad.lr_range import lr_find
    from minigrad.many import fit_many
    from minigrad.plan import compile
    from minigrad.serialize import load, save
    from minigrad.strengths import equivalents
    from minigrad.trainer import Trainer

__version__: str = build_info()["version"]

# What is imported on first use: name -> module that holds it or is it.
_LATER = {
    "EarlyStopping": "minigrad.callbacks",
    "History": "minigrad.history",
    "ModelCheckpoint": "minigrad.callbacks",
    "Trainer": "minigrad.trainer",
    "augment": "minigrad.augment",
    "callbacks": "minigrad.callbacks",
    "compile": "minigrad.plan",
    "cross_validate": "minigrad.cross_validation",
    "data": "minigrad.data",
    "equivalents": "minigrad.strengths",
    "fit_many": "minigrad.many",
    "load": "minigrad.serialize",
    "lr_find": "minigrad.lr_range",
    "nn": "minigrad.nn",
    "optim": "minigrad.optim",
    "plots": "minigrad.plots",
    "save": "minigrad.serialize",
    "table": "minigrad.table",
}


if not TYPE_CHECKING:  # which would then know of no missing name

    def __getattr__(name: str) -> Any:
        if name not in _LATER:
            raise missing("minigrad", name)
        module = importlib.import_module(_LATER[name])
        value = globals()[name] = getattr(module, name, module)
        return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_composed, *_core.__all__, "__version__"})

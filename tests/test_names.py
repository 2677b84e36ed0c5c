"""Names that users bring from PyTorch, numpy and Keras: they are there, or errors say what is."""

from __future__ import annotations

import copy
import importlib
import pickle
import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import _core, nn
from minigrad._names import HINTS
from minigrad.history import History

MODULES = [owner for owner in HINTS if owner.startswith("minigrad")]
NAMES = [(owner, name) for owner in MODULES for name in HINTS[owner]]


@pytest.mark.parametrize(("owner", "name"), NAMES)
def test_a_name_from_elsewhere_is_an_error_that_says_what_to_take(owner, name):
    module = importlib.import_module(owner)
    with pytest.raises(AttributeError) as caught:
        getattr(module, name)
    assert str(caught.value) == f"{owner} has no {name!r}: {HINTS[owner][name]}"
    assert not hasattr(module, name)


CALLS = {
    "CrossEntropyLoss": nn.CrossEntropyLoss,
    "EarlyStopping": mg.EarlyStopping,
    "ModelCheckpoint": mg.ModelCheckpoint,
    "Trainer": mg.Trainer,
    "split": mg.data.split,
    "k_fold": mg.data.k_fold,
    "make_circles": mg.data.make_circles,
    "make_moons": mg.data.make_moons,
    **{name: getattr(mg.optim, name) for name in ("Adam", "AdamW", "RMSprop", "SGD")},
}


@pytest.mark.parametrize(("owner", "name"), [(o, name) for o in CALLS for name in HINTS[o]])
def test_a_keyword_from_elsewhere_is_an_error_that_says_what_to_take(owner, name):
    with pytest.raises(TypeError) as caught:
        CALLS[owner](**{name: 1})
    assert str(caught.value) == f"{owner} has no argument {name!r}: {HINTS[owner][name]}"


@pytest.mark.parametrize("name", HINTS["Module"])
def test_a_models_method_from_elsewhere_is_an_error_that_says_what_to_take(name):
    with pytest.raises(AttributeError) as caught:
        getattr(nn.Linear(1, 1), name)
    assert str(caught.value) == f"Module has no {name!r}: {HINTS['Module'][name]}"


def test_an_attribute_of_a_model_that_is_not_there_is_pythons_own_error():
    class Net(nn.Module):
        @property
        def broken(self):
            return self.bias.nonsense

        bias = None

    with pytest.raises(AttributeError, match="'Net' object has no attribute 'typo'"):
        Net().typo  # noqa: B018
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'nonsense'"):
        Net().broken  # noqa: B018


def test_layers_without_options_say_so():
    with pytest.raises(TypeError, match="ReLU takes no arguments, got inplace= "):
        nn.ReLU(inplace=True)
    with pytest.raises(TypeError, match="Tanh takes no arguments, got 3"):
        nn.Tanh(3)


@pytest.mark.parametrize("name", HINTS["Tensor"])
def test_a_method_from_elsewhere_is_an_error_that_says_what_to_take(name):
    with pytest.raises(AttributeError) as caught:
        getattr(mg.ones(2), name)
    assert str(caught.value) == f"Tensor has no {name!r}: {HINTS['Tensor'][name]}"
    assert not hasattr(mg.nn.Linear(1, 1).weight, "nonsense")


# What hints call things, and what these are.
CALLED = {
    **{name: getattr(mg, name) for name in ("nn", "optim", "augment", "data", "callbacks")},
    "mg": mg,
    "F": nn.functional,
    "x": mg.Tensor,
    "dataset": mg.data.Dataset,
    "model": nn.Module,
    "trainer": mg.Trainer,
}


def test_what_hints_name_is_there():
    hints = " ".join(hint for names in HINTS.values() for hint in names.values())
    named = re.findall(rf"\b({'|'.join(CALLED)})\.([a-zA-Z_][\w.]*\w)", hints)
    assert len(named) > 50
    for owner, path in named:
        thing = CALLED[owner]
        for part in path.split("."):
            assert hasattr(thing, part), f"a hint names {owner}.{path}"
            thing = getattr(thing, part)


@pytest.mark.parametrize("owner", MODULES)
def test_an_unknown_name_is_an_error_without_a_hint(owner):
    with pytest.raises(AttributeError, match=rf"{owner} has no 'nonsense'$"):
        importlib.import_module(owner).nonsense  # noqa: B018


@pytest.mark.parametrize("name", HINTS["Trainer.fit"])
def test_keywords_of_keras_are_named(name):
    model = nn.Linear(2, 1)
    trainer = mg.Trainer(model, nn.MSELoss(), mg.optim.SGD(model.parameters(), lr=0.1))
    before = model.weight.tolist()
    with pytest.raises(TypeError, match=f"Trainer.fit has no argument '{name}': it|split|rows"):
        trainer.fit((np.ones((4, 2)), np.ones((4, 1))), **{name: None})
    assert model.weight.tolist() == before


def test_history_and_early_stopping_name_theirs():
    with pytest.raises(TypeError, match="restore_best, and on by default"):
        mg.EarlyStopping(restore_best_weights=True)
    with pytest.raises(TypeError, match="unexpected keyword"):
        mg.EarlyStopping(nonsense=True)
    history = History()
    history.append({"epoch": 0, "loss": 1.0})
    with pytest.raises(AttributeError, match=r'history\["val_loss"\]'):
        history.history  # noqa: B018
    with pytest.raises(AttributeError, match=r"History has no 'loss': it is history\['loss'\]"):
        history.loss  # noqa: B018
    for twin in (copy.deepcopy(history), pickle.loads(pickle.dumps(history))):
        assert twin.rows == history.rows


def test_dir_shows_what_is_for_users():
    shown = dir(mg)
    assert {"tensor", "matmul", "normal", "cat", "Trainer", "nn", "manual_seed"} <= set(shown)
    assert all(hasattr(mg, name) for name in shown)
    assert not {"TYPE_CHECKING", "importlib", "Epoch", "_core", "copy_"} & set(shown)


def test_inner_ops_are_in_the_core_alone():
    inner = {row["name"] for row in _core.ops() if row["inner"]}
    assert {"relu_backward", "sgd_", "next_key", "affine_matrix"} <= inner
    assert not inner & {*dir(mg), *dir(mg.Tensor)} - {*mg.random.__all__}
    assert not any(hasattr(mg, name) for name in inner - {*mg.random.__all__})
    assert all(hasattr(_core, name) for name in inner)
    of_users = {row["name"] for row in _core.ops()} - inner
    assert not [name for name in of_users if name.endswith(("_backward", "_grad", "_boxes"))]


def test_seeds_and_distances():
    first = (mg.manual_seed(3), mg.rand(4).tolist())[1]
    assert (mg.seed(3), mg.rand(4).tolist())[1] == first
    for steps in (0, 1, 2, 7):
        made = mg.linspace(-1, 3, steps)
        assert made.dtype == "float32"
        assert np.array_equal(made.numpy(), np.linspace(-1, 3, steps, dtype="float32"))
    assert mg.linspace(0, 1, 3, dtype="float64", requires_grad=True).requires_grad
    with pytest.raises(ValueError, match="steps must be at least 0"):
        mg.linspace(0, 1, -1)


RNG = np.random.default_rng(0)
LOGS = np.log(RNG.dirichlet(np.ones(4), 6))
CLASSES = RNG.integers(0, 4, 6)


@pytest.mark.parametrize("weight", [None, [0.5, 1.0, 2.0, 0.0]])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_nll_is_cross_entropy_of_logs_of_probabilities(reduction, weight):
    weight = None if weight is None else np.array(weight)
    found, wanted = mg.tensor(LOGS, requires_grad=True), mg.tensor(LOGS, requires_grad=True)
    target = mg.tensor(CLASSES)
    one = nn.NLLLoss(weight, reduction=reduction)(found, target)
    other = nn.CrossEntropyLoss(weight, reduction=reduction)(wanted, target)
    np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), rtol=1e-12)
    one.sum().backward()
    share = np.ones(6) if weight is None else weight[CLASSES]
    share = share / (share.sum() if reduction == "mean" else 1)
    np.testing.assert_allclose(found.grad.numpy(), -np.eye(4)[CLASSES] * share[:, None], rtol=1e-12)


def test_nll_of_images_and_of_a_probability_of_zero():
    logs = mg.tensor(RNG.normal(size=(2, 3, 4, 5)))
    target = RNG.integers(0, 3, (2, 4, 5))
    each = nn.NLLLoss(reduction="none")(logs, mg.tensor(target)).numpy()
    wanted = -np.take_along_axis(logs.numpy(), target[:, None], 1)[:, 0]
    assert np.array_equal(each, wanted)
    never = mg.tensor([[0.0, -np.inf]])
    assert nn.NLLLoss()(never, mg.tensor([0])).item() == 0
    weighed = nn.NLLLoss()(mg.tensor(LOGS), mg.tensor(CLASSES), mg.tensor(np.arange(6.0)))
    wanted = (-LOGS[np.arange(6), CLASSES] * np.arange(6)).sum() / 15
    assert weighed.item() == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        (np.array([4] * 6), IndexError, "index 4"),
        (np.ones(6), TypeError, "int64 classes"),
        (np.ones((6, 1), int), ValueError, r"target \(N, ...\) \(6, 1\)"),
    ],
)
def test_nll_refuses(target, error, message):
    with pytest.raises(error, match=message):
        nn.NLLLoss()(mg.tensor(LOGS), mg.tensor(target))


@pytest.mark.parametrize("classes", [3, 5])
def test_class_weights_are_as_many_as_classes(classes):
    for loss in (nn.NLLLoss(np.ones(classes)), nn.CrossEntropyLoss(np.ones(classes))):
        with pytest.raises(ValueError, match="there are 4 classes"):
            loss(mg.tensor(LOGS), mg.tensor(CLASSES))


@pytest.mark.parametrize("size", [1, 2, (7, 5), (4, 3), (9, 6), (7, 1), (1, 4)])
def test_adaptive_pooling_takes_the_means_of_its_windows(size):
    x = mg.tensor(RNG.normal(size=(2, 3, 7, 5)), requires_grad=True)
    rows, columns = (size, size) if isinstance(size, int) else size
    out = nn.AdaptiveAvgPool2d(size)(x)
    assert out.shape == (2, 3, rows, columns)
    share = np.zeros(x.shape)
    for i in range(rows):
        for j in range(columns):
            high = slice(i * 7 // rows, -(-(i + 1) * 7 // rows))
            wide = slice(j * 5 // columns, -(-(j + 1) * 5 // columns))
            window = x.detach().numpy()[:, :, high, wide]
            np.testing.assert_allclose(
                out.detach().numpy()[:, :, i, j], window.mean((2, 3)), atol=1e-14
            )
            share[:, :, high, wide] += 1 / window[0, 0].size
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), share, atol=1e-14)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_adaptive_pooling_keeps_what_is_not_finite_in_its_window(value):
    x = np.ones((1, 1, 5, 5))
    x[0, 0, 0, 0] = value
    out = nn.AdaptiveAvgPool2d(3)(mg.tensor(x)).numpy().reshape(9)
    assert not np.isfinite(out[0])
    assert (out[1:] == 1).all()


def test_adaptive_pooling_refuses_what_is_no_image():
    with pytest.raises(ValueError, match=r"takes images \(N, C, H, W\), got shape \(3, 4\)"):
        nn.AdaptiveAvgPool2d(1)(mg.zeros(3, 4))


@pytest.mark.parametrize("row", [1, -3])
def test_the_padding_row_starts_as_zeros_and_gets_no_gradient(row):
    layer = nn.Embedding(4, 3, padding_idx=row)
    assert layer.padding_idx == 1
    assert layer.weight[1].tolist() == [0.0, 0.0, 0.0]
    layer(mg.tensor([[0, 1], [1, 3]])).sum().backward()
    assert layer.weight.grad[:, 0].tolist() == [1.0, 0.0, 0.0, 1.0]
    with mg.no_grad():
        layer.weight.fill_(2)
    assert layer(mg.tensor([1])).tolist() == [[2.0] * 3], "the row itself, as in PyTorch"


@pytest.mark.parametrize("row", [4, -5])
def test_a_padding_row_outside_is_refused(row):
    with pytest.raises(ValueError, match="padding_idx"):
        nn.Embedding(4, 3, padding_idx=row)

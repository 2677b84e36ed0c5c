"""Products take in relu and its gradient, to the bits of doing one after the other."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import _core, nn

RNG = np.random.default_rng(0)


def plan_of(function: Callable[..., object], *inputs: object) -> Counter[str]:
    """The ops of the plan's instructions, once its replay gave the bits of the function."""
    compiled = mg.compile(function)
    for i in range(4):
        mg.seed(i)
        want = function(*inputs)
        mg.seed(i)
        got = compiled(*inputs)
        want, got = (v if isinstance(v, tuple) else (v,) for v in (want, got))
        for a, b in zip(want, got, strict=True):
            assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
    return Counter(op for name in compiled.plans[0].instructions for op in name.split("+"))


def gradients(model: nn.Module) -> Callable[[mg.Tensor], tuple[mg.Tensor, ...]]:
    def function(x: mg.Tensor) -> tuple[mg.Tensor, ...]:
        y = model(x)
        parameters = list(model.parameters())
        return (y, *_core.grad([(y * y).sum()], parameters))

    return function


def network(sizes: tuple[int, ...], p: float, dtype: str) -> nn.Sequential:
    mg.seed(1)
    layers: list[nn.Module] = []
    for wide, wanted in itertools.pairwise(sizes[:-1]):
        layers += [nn.Linear(wide, wanted), nn.ReLU(), nn.Dropout(p)]
    model = nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))
    return model.double() if dtype == "float64" else model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("p", [0.5, 0.3, 1.0])
@pytest.mark.parametrize(
    ("batch", "sizes"),
    [
        (30, (2, 500, 2)),
        (7, (3, 65, 33, 2)),
        (1, (5, 9, 3)),
        (64, (70, 40, 1)),
        (5, (4, 3, 2, 1)),
        (200, (30, 130, 10)),
    ],
    ids=str,
)
def test_a_network_is_its_products(
    batch: int, sizes: tuple[int, ...], p: float, dtype: str
) -> None:
    x = RNG.standard_normal((batch, sizes[0])).astype(dtype)
    x[0] = 0
    plan = plan_of(gradients(network(sizes, p, dtype)), x)
    hidden = len(sizes) - 2
    assert plan["linear_relu"] == plan["dropout"] == hidden
    assert plan["matmul_relu_dropout_backward"] == hidden
    assert plan["linear_weight_grad"] == hidden + 1
    assert plan["linear"] == 1
    assert not {"relu", "relu_backward", "relu_dropout_backward", "matmul"} & set(plan)


def test_nan_infinity_and_zeros_of_both_signs_pass_alike() -> None:
    x = np.array([[np.nan, 1], [np.inf, 1], [-np.inf, 0], [-0.0, 0.0], [0, -1]], "float32")
    plan = plan_of(gradients(network((2, 40, 3), 0.5, "float32")), x)
    assert plan["matmul_relu_dropout_backward"] == 1


def test_what_others_read_is_not_dropped() -> None:
    dropout = nn.Dropout(0.5)

    def function(x: mg.Tensor) -> tuple[mg.Tensor, mg.Tensor]:
        y = _core.linear(x, W, BIAS)
        return y, dropout(y)

    plan = plan_of(function, X)
    assert plan["linear"] == plan["dropout"] == 1


@pytest.mark.parametrize("stride", [1, 2])
def test_convolutions_take_in_relu_and_its_gradient(stride: int) -> None:
    mg.seed(2)
    model = nn.Sequential(
        *(nn.Conv2d(2, 5, 3, padding=1), nn.ReLU(), nn.Conv2d(5, 3, 3, stride=stride), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(3 * (5 // stride + 1) ** 2, 2)),
    )
    plan = plan_of(gradients(model), RNG.standard_normal((4, 2, 8, 8)).astype("float32"))
    assert plan["conv2d_relu"] == 2
    assert plan["conv2d_input_grad_relu_backward"] == 1
    assert not {"conv2d", "relu", "relu_backward"} & set(plan)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batch_norms_take_in_relu(dtype: str) -> None:
    mg.seed(2)
    model = nn.Sequential(
        *(nn.Conv2d(2, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(5, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 7)),
        *(nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 2)),
    )
    if dtype == "float64":
        model.double()
    x = RNG.standard_normal((6, 2, 8, 8)).astype(dtype)
    plan = plan_of(gradients(model), x)
    assert plan["batch_norm_relu"] == 3
    assert not {"batch_norm", "relu", "relu_backward"} & set(plan)
    model.eval()
    assert plan_of(model, x)["batch_norm_relu"] == 3


def test_the_running_statistics_are_those_of_one_after_the_other() -> None:
    def trained(step: Callable[[nn.Module, object], object]) -> list[bytes]:
        model = nn.Sequential(nn.BatchNorm1d(3), nn.ReLU())
        step(model, mg.tensor([[1.0, np.nan, -2.0], [3.0, 0.0, -np.inf], [4.0, -0.0, 1.0]]))
        return [t.numpy().tobytes() for t in model.state_dict().values()]

    def twice(model: nn.Module, x: object) -> None:
        compiled = mg.compile(model)
        assert compiled(x).numpy().tobytes() == compiled(x).numpy().tobytes()
        assert compiled.plans[0].instructions == ["batch_norm_relu"]

    assert trained(twice) == trained(lambda model, x: (model(x), model(x)))


def test_a_batch_norm_that_others_read_stays() -> None:
    def function(x: mg.Tensor) -> tuple[mg.Tensor, mg.Tensor]:
        y = F.batch_norm(x, training=True)
        return y, y.relu()

    assert plan_of(function, X)["batch_norm_relu"] == 0


@pytest.mark.parametrize("options", [(2,), (3, 2, 1)])
@pytest.mark.parametrize("dropped", [0.0, 0.25])
def test_max_pools_take_in_the_gradient_of_relu(options: tuple[int, ...], dropped: float) -> None:
    mg.seed(2)
    after = [nn.Dropout(dropped)] if dropped else []
    model = nn.Sequential(
        *(nn.Conv2d(2, 5, 3, padding=1), nn.ReLU(), nn.MaxPool2d(*options), *after),
        *(nn.Flatten(), nn.Linear(5 * 4 * 4, 2)),
    )
    x = RNG.standard_normal((4, 2, 8, 8)).astype("float32")
    x[0, 0, 0, 0], x[1, 1, 3, 3] = np.nan, -np.inf
    plan = plan_of(gradients(model), x)
    assert plan["max_pool2d_relu_backward"] == 1
    assert not {"max_pool2d_backward", "relu_dropout_backward", "relu_backward"} & set(plan)


def weights(*shape: int) -> mg.Tensor:
    return mg.tensor(RNG.standard_normal(shape).astype("float32"), requires_grad=True)


X, W, BIAS, V = weights(12, 6), weights(20, 6), weights(20), weights(5, 20)
F = nn.functional


def slope_of_both(x: mg.Tensor, read: Callable[..., tuple[mg.Tensor, ...]]) -> object:
    hidden = _core.linear(x, W, BIAS)
    active = hidden.relu()
    loss = _core.linear(active, V).sum()
    return (loss, *read(hidden, active), *_core.grad([loss], [W, BIAS]))


def test_without_dropout_and_without_bias() -> None:
    plan = plan_of(lambda x: slope_of_both(x, lambda hidden, active: ()), X)
    assert plan["linear_relu"] == plan["matmul_relu_dropout_backward"] == 1
    plan = plan_of(lambda x: _core.linear(x, W).relu(), X)
    assert plan == {"linear_relu": 1}
    plan = plan_of(lambda x: _core.linear(x.reshape(3, 4, 6), W, BIAS).relu(), X)
    assert plan == {"linear_relu": 1}


@pytest.mark.parametrize(
    ("read", "relu", "linear"),
    [
        (lambda hidden, active: (hidden,), 1, 2),
        (lambda hidden, active: (hidden.sum(0),), 1, 2),
        (lambda hidden, active: (hidden[:, ::2],), 1, 2),
        (lambda hidden, active: (active,), 0, 1),
    ],
    ids=["returned", "read twice", "seen through a view", "only its activation is returned"],
)
def test_what_others_read_is_stored(read: Callable[..., object], relu: int, linear: int) -> None:
    plan = plan_of(lambda x: slope_of_both(x, read), X)
    assert plan["relu"] == relu
    assert plan["linear"] == linear


def test_a_view_between_keeps_them_apart() -> None:
    plan = plan_of(lambda x: _core.linear(x, W).reshape(-1).relu(), X)
    assert plan == {"linear": 1, "relu": 1}
    plan = plan_of(lambda x: _core.linear(x, W).T.relu(), X)
    assert plan == {"linear": 1, "relu": 1}


def test_masks_of_different_keys_are_not_taken_for_each_other() -> None:
    one, other = (mg.tensor(np.array([5, i])) for i in range(2))

    def function(x: mg.Tensor) -> mg.Tensor:
        hidden = x * 2
        dropped = _core.dropout(hidden.relu(), one)
        back = _core.relu_backward(_core.dropout(x, other), hidden)
        return dropped, back

    plan = plan_of(function, X)
    assert plan["dropout"] == 2


def test_what_is_changed_in_place_meanwhile_is_not_read_later() -> None:
    scratch = mg.tensor(np.ones((20, 6), "float32"))

    def function(x: mg.Tensor) -> mg.Tensor:
        scratch.copy_(W.detach())
        hidden = _core.linear(x, scratch)
        scratch.copy_(W.detach() * 0)
        return hidden.relu()

    with mg.no_grad():
        plan = plan_of(function, X)
    assert plan["linear"] == plan["relu"] == 1


# ---- A wide layer between a few features and one output -----------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("p", [0.0, 0.5])
@pytest.mark.parametrize("units", [64, 65, 500])
@pytest.mark.parametrize(
    ("batch", "features"), [(1, 2), (7, 1), (30, 2), (64, 3), (70, 1), (1030, 4)]
)
def test_a_wide_layer_is_read_once(
    batch: int, features: int, units: int, p: float, dtype: str
) -> None:
    x = RNG.standard_normal((batch, features)).astype(dtype)
    x[0] = [np.inf, np.nan, -0.0, 0][:features] if units == 65 else 0
    model = network((features, units, 1), p, dtype)
    plan = plan_of(gradients(model), x)
    assert plan["linear_relu_linear_grad"] == 1
    assert plan["linear_relu_linear_stored"] == (p == 0)
    assert plan["linear_relu"] == plan["linear"] == plan["dropout"] == (p > 0)
    assert not {"linear_weight_grad", "matmul_relu_dropout_backward"} & set(plan)

    model.eval()
    with mg.no_grad():
        assert plan_of(lambda x: model(x), x) == {"linear_relu_linear": 1}


def both_layers(model: nn.Sequential, x: mg.Tensor) -> tuple[mg.Tensor, mg.Tensor]:
    hidden = model[0](x).relu()
    return hidden, model[-1](hidden)


SCALE = mg.tensor(np.ones(2, "float32"), requires_grad=True)


def trained(x: mg.Tensor, model: nn.Sequential, *others: mg.Tensor) -> tuple[mg.Tensor, ...]:
    y = model(x)
    return (y, *_core.grad([(y * y).sum()], [*model.parameters(), *others]))


@pytest.mark.parametrize("sizes", [(2, 63, 1), (5, 64, 1), (2, 64, 2)], ids=str)
def test_other_layers_are_products(sizes: tuple[int, ...]) -> None:
    x = RNG.standard_normal((8, sizes[0])).astype("float32")
    plan = plan_of(gradients(network(sizes, 0.0, "float32")), x)
    assert plan["linear_relu"] == plan["linear"] == 1


@pytest.mark.parametrize(
    "function",
    [
        lambda x, model: both_layers(model, x),
        lambda x, model: (h := both_layers(model, x))[1] + h[0].sum(),
        lambda x, model: trained(x * SCALE, model, SCALE),
    ],
    ids=["returned", "read by others", "a gradient of what is before"],
)
def test_a_layer_that_others_want_is_stored(function: Callable[..., object]) -> None:
    model = network((2, 64, 1), 0.0, "float32")
    x = RNG.standard_normal((8, 2)).astype("float32")
    plan = plan_of(lambda x: function(x, model), x)
    assert plan["linear_relu_linear_stored"] == 1
    assert not {"linear_relu_linear", "linear_relu_linear_grad"} & set(plan)


def test_a_layer_read_before_the_output_is_made_once() -> None:
    model = network((2, 64, 1), 0.0, "float32")

    def function(x: mg.Tensor) -> tuple[mg.Tensor, ...]:
        hidden = model[0](x).relu()
        return hidden.sum(), model[-1](hidden)

    plan = plan_of(function, RNG.standard_normal((8, 2)).astype("float32"))
    assert plan["linear_relu"] == plan["linear"] == 1


def test_a_layer_changed_meanwhile_is_stored() -> None:
    model = network((2, 64, 1), 0.0, "float32")
    scratch = model[0].weight.detach().clone()

    def function(x: mg.Tensor) -> mg.Tensor:
        scratch.copy_(model[0].weight.detach())
        hidden = _core.linear(x, scratch, model[0].bias).relu()
        scratch.copy_(x.sum() * scratch)
        return model[-1](hidden)

    with mg.no_grad():
        plan = plan_of(function, RNG.standard_normal((8, 2)).astype("float32"))
    assert plan["linear_relu"] == plan["linear"] == 1

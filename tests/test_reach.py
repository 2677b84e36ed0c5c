"""mg.compile watches what a function reads from outside, wherever it is kept."""

import functools
import random
import types

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad._core import CaptureError

X = np.ones((4, 8), "float32")
DROP = nn.Dropout(0.5)
NETS = {"drop": DROP}
NET_LIST = [DROP]
HOLDER = types.SimpleNamespace(net=DROP, alpha=1.0)
SETTINGS = {"a": 1.0, "inner": {"b": 1.0}}
SCALE = 1.0


class Holder:
    beta = 1.0

    def __init__(self):
        self.net = DROP
        self.alpha = 1.0

    def run(self, x):
        return self.inner(x)

    def inner(self, x):
        return self.net(x)

    def scaled(self, x):
        return x * self.alpha * self.beta

    @property
    def both(self):
        return self.alpha

    def by_property(self, x):
        return x * self.both

    def __call__(self, x):
        return DROP(x)


def helper(x):
    return DROP(x)


def with_model(model, x):
    return model(x)


# What is compiled, and the arguments before x.
WAYS = {
    "global": (lambda x: DROP(x), ()),
    "helper": (lambda x: helper(x), ()),
    "dict": (lambda x: NETS["drop"](x), ()),
    "list": (lambda x: NET_LIST[0](x), ()),
    "comprehension": (lambda x: sum([net(x) for net in NET_LIST]), ()),
    "attribute of a global": (lambda x: HOLDER.net(x), ()),
    "argument": (with_model, (DROP,)),
    "keyword in a dict": (lambda nets, x: nets["one"](x), ({"one": DROP},)),
    "object as argument": (lambda holder, x: holder.net(x), (HOLDER,)),
    "bound method": (Holder().run, ()),
    "partial": (functools.partial(with_model, DROP), ()),
    "default": (lambda x, net=DROP: net(x), ()),
    "callable object": (Holder(), ()),
    "computed name": (lambda x: globals()["DR" + "OP"](x), ()),
}


def zeros(tensor):
    return int((tensor.numpy() == 0).sum())


@pytest.mark.parametrize("way", WAYS)
def test_modes_and_settings_of_a_module_are_seen(way):
    function, arguments = WAYS[way]
    compiled = mg.compile(function)
    try:
        DROP.train()
        assert zeros(compiled(*arguments, X)) + zeros(compiled(*arguments, X)) > 0
        DROP.eval()
        assert zeros(compiled(*arguments, X)) == 0
        DROP.train()
        assert sum(zeros(compiled(*arguments, X)) for _ in range(3)) > 0
        assert len(compiled.plans) == 2
        DROP.p = 0.0
        assert zeros(compiled(*arguments, X)) == 0
    finally:
        DROP.p = 0.5
        DROP.train()


def scale(x):
    return x * SCALE


def test_plain_values_are_seen(monkeypatch):
    holder, slot = Holder(), [1.0]
    cases = {
        "attribute": (holder.scaled, lambda: setattr(holder, "alpha", 3.0)),
        "default of the class": (holder.scaled, lambda: setattr(holder, "beta", 3.0)),
        "property": (holder.by_property, lambda: setattr(holder, "alpha", 3.0)),
        "dict": (lambda x: x * SETTINGS["a"], lambda: monkeypatch.setitem(SETTINGS, "a", 3.0)),
        "dict in a dict": (
            lambda x: x * SETTINGS["inner"]["b"],
            lambda: monkeypatch.setitem(SETTINGS["inner"], "b", 3.0),
        ),
        "list": (lambda x: x * slot[0], lambda: slot.__setitem__(0, 3.0)),
        "namespace": (
            lambda x: x * HOLDER.alpha,
            lambda: monkeypatch.setattr(HOLDER, "alpha", 3.0),
        ),
        "global of a helper": (
            lambda x: scale(x),
            lambda: monkeypatch.setitem(globals(), "SCALE", 3.0),
        ),
    }
    for name, (function, change) in cases.items():
        holder.alpha = 1.0
        vars(holder).pop("beta", None)
        compiled = mg.compile(function)
        assert [compiled(X)[0, 0].item() for _ in range(2)] == [1, 1], name
        assert len(compiled.plans) == 1, name
        change()
        assert [compiled(X)[0, 0].item() for _ in range(2)] == [3, 3], name


def test_a_dict_of_a_module_is_seen():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.options = {"k": 1.0}

        def forward(self, x):
            return x * self.options["k"]

    net = Net()
    for function, arguments in ((lambda x: net(x), ()), (with_model, (net,))):
        net.options["k"] = 1.0
        compiled = mg.compile(function)
        assert compiled(*arguments, X)[0, 0].item() == 1
        net.options["k"] = 3.0
        assert compiled(*arguments, X)[0, 0].item() == 3


def stepper(make):
    """A function that updates a weight of 1 whose gradient is 1, with a penalty or constraint."""
    w = nn.Linear(1, 1, bias=False)
    nn.init.constant_(w.weight, 1.0)
    optimizer = optim.SGD(w.parameters(), lr=0.25)
    penalty, constraint = make()

    def step():
        optimizer.zero_grad()
        (w.weight.sum() + penalty(w)).backward()
        optimizer.step()
        constraint(w)
        return w.weight * 1

    return step, penalty, constraint, optimizer


@pytest.mark.parametrize("what", ["penalty", "constraint", "momentum"])
def test_penalties_constraints_and_optimizers_are_seen(what):
    found = []
    for compiled in (True, False):
        step, penalty, constraint, optimizer = stepper(lambda: (nn.L2(0.0), nn.MaxNorm(9.0)))
        step = mg.compile(step) if compiled else step
        values = [step().item() for _ in range(2)]
        if what == "penalty":
            penalty.l2 = 0.5
        elif what == "constraint":
            constraint.max_norm = 0.125
        else:
            optimizer.param_groups[0]["momentum"] = 0.5
        found.append(values + [step().item() for _ in range(3)])
    assert found[0] == found[1]
    assert found[0][2:] != [0.25, 0.0, -0.25], "the change made a difference"


def test_numpys_and_pythons_random_numbers_are_refused():
    rng = np.random.default_rng(0)
    draws = {
        "python": lambda x: x * random.random(),
        "numpy": lambda x: x * np.random.rand(),  # noqa: NPY002
        "python's other one of two": lambda x: x * random.gauss(),
        "numpy's other one of two": lambda x: x * np.random.randn(),  # noqa: NPY002
        "generator in reach": lambda x: x * rng.random(),
    }
    for function in draws.values():
        compiled = mg.compile(function)
        first, second = compiled(X)[0, 0].item(), compiled(X)[0, 0].item()
        assert first != second
        with pytest.raises(CaptureError, match="random numbers of Python or numpy"):
            compiled(X)
    assert isinstance(mg.compile(lambda x: x * mg.rand(1))(X), mg.Tensor)


def test_what_the_function_changes_itself_is_named():
    count = 0

    def counting(x):
        nonlocal count
        count += 1
        return x * count

    compiled = mg.compile(counting)
    assert [compiled(X)[0, 0].item() for _ in range(2)] == [1, 2]
    with pytest.raises(CaptureError, match="'count' is changed"):
        compiled(X)

    made = None

    def lazy(x):
        nonlocal made
        made = made or 3.0
        return x * made

    compiled = mg.compile(lazy)
    assert [compiled(X)[0, 0].item() for _ in range(4)] == [3, 3, 3, 3]
    assert len(compiled.plans) == 1, "what the first call makes is there at the second"


def test_random_numbers_of_the_system_may_be_in_reach():
    source = random.SystemRandom()
    compiled = mg.compile(lambda x: x if source else -x)
    assert [compiled(X).tolist() for _ in range(2)] == [X.tolist()] * 2
    assert len(compiled.plans) == 1

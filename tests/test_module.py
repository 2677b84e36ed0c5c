"""Modules: names, modes, state, and what bad input must not change."""

import copy
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5))
        self.head = nn.Linear(4, 2, bias=False)
        self.register_buffer("scale", mg.ones(2))
        self.register_buffer("scratch", mg.zeros(1), persistent=False)

    def forward(self, x):
        return self.head(self.body(x)) * self.scale


def values(model):
    return {name: value.numpy().copy() for name, value in model.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def test_names_come_in_the_order_of_assignment():
    net = Net()
    assert [n for n, _ in net.named_parameters()] == [
        "body.0.weight",
        "body.0.bias",
        "body.1.weight",
        "body.1.bias",
        "head.weight",
    ]
    assert [n for n, _ in net.named_buffers()] == [
        "scale",
        "scratch",
        "body.1.running_mean",
        "body.1.running_var",
    ]
    assert set(net.state_dict()) == {
        *(n for n, _ in net.named_parameters()),
        "scale",
        "body.1.running_mean",
        "body.1.running_var",
    }
    assert [n for n, _ in net.named_modules()] == [
        "",
        "body",
        "body.0",
        "body.1",
        "body.2",
        "body.3",
        "head",
    ]
    assert [n for n, _ in net.named_children()] == ["body", "head"]
    assert [n for n, _ in net.head.named_parameters("x")] == ["x.weight"]
    assert len(list(net.parameters(recurse=False))) == 0


def test_shared_parameters_come_once_and_are_saved_under_each_name():
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    b.weight = a.weight
    model = nn.Sequential(a, b)
    assert len(list(model.parameters())) == 3
    assert len(list(model.named_parameters(remove_duplicate=False))) == 4
    assert set(model.state_dict()) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    model.double()
    assert a.weight is b.weight
    assert a.weight.dtype == np.float64


def test_a_repeated_module_runs_each_time():
    double = nn.Linear(1, 1, bias=False)
    nn.init.constant_(double.weight, 2.0)
    model = nn.Sequential(double, double, double)
    assert len(model) == 3
    assert len(list(model.parameters())) == 1
    assert model(mg.ones(1, 1)).item() == 8.0


def test_train_and_eval_reach_every_module():
    net = Net()
    assert all(m.training for m in net.modules())
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    net.train()
    assert all(m.training for m in net.modules())
    with pytest.raises(TypeError, match="'yes'"):
        net.train("yes")


def test_gradients_flow_and_are_forgotten():
    net = Net()
    net(mg.ones(5, 3)).sum().backward()
    assert all(p.grad is not None and p.grad.shape == p.shape for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_frozen_parameters_get_no_gradient():
    net = Net()
    net.body.requires_grad_(False)
    net(mg.ones(5, 3)).sum().backward()
    assert net.head.weight.grad is not None
    assert all(p.grad is None for p in net.body.parameters())


def test_state_dict_round_trip():
    source, target = Net(), Net()
    source(mg.randn(6, 3))
    assert not same(values(source), values(target))
    result = target.load_state_dict(source.state_dict())
    assert result == ([], [])
    assert same(values(source), values(target))
    x = mg.ones(2, 3)
    assert np.array_equal(source.eval()(x).numpy(), target.eval()(x).numpy())


def test_loading_keeps_the_objects_and_the_dtype():
    net = Net()
    before = dict(net.named_parameters())
    net.load_state_dict({k: v.astype(np.float64) + 1 for k, v in values(net).items()})
    for name, p in net.named_parameters():
        assert p is before[name]
        assert p.dtype == np.float32
        assert p.requires_grad


def broken_states():
    good = values(Net())
    yield "missing: head.weight", {k: v for k, v in good.items() if k != "head.weight"}
    yield "unexpected: tail.weight", {**good, "tail.weight": np.zeros(2)}
    yield r"head.weight has shape \(2, 5\).*\(2, 4\)", {**good, "head.weight": np.zeros((2, 5))}
    yield "scale has dtype complex64", {**good, "scale": np.zeros(2, np.complex64)}
    yield "scale", {**good, "scale": "what"}
    yield "scale", {**good, "scale": None}


@pytest.mark.parametrize(("message", "state"), list(broken_states()))
def test_bad_state_is_named_and_changes_nothing(message, state):
    net = Net()
    before = values(net)
    with pytest.raises(ValueError, match=message):
        net.load_state_dict(
            {k: v if isinstance(v, str | None) else v + 1 for k, v in state.items()}
        )
    assert same(before, values(net))


def test_one_error_lists_all_that_is_wrong():
    state = {**values(Net()), "tail": np.zeros(1), "scale": np.zeros(3)}
    del state["head.weight"]
    with pytest.raises(ValueError, match=r"(?s)missing: head\.weight.*unexpected: tail.*scale has"):
        Net().load_state_dict(state)


def test_not_strict_takes_what_fits_and_says_what_it_left():
    net = Net()
    result = net.load_state_dict({"scale": np.full(2, 7.0), "other": 1}, strict=False)
    assert net.scale.tolist() == [7.0, 7.0]
    assert result.unexpected_keys == ["other"]
    assert "head.weight" in result.missing_keys
    with pytest.raises(ValueError, match="scale has shape"):
        net.load_state_dict({"scale": np.zeros(3)}, strict=False)


def test_torch_batch_counts_are_ignored():
    layer = nn.BatchNorm1d(2)
    state = {**values(layer), "num_batches_tracked": np.array(5)}
    assert nn.Sequential(layer).load_state_dict({f"0.{k}": v for k, v in state.items()}) == ([], [])


def test_casting():
    net = Net().double()
    assert {v.dtype for v in net.state_dict().values()} == {np.dtype("float64")}
    assert net(mg.zeros(4, 3, dtype="float64")).dtype == np.float64
    assert all(p.requires_grad for p in net.parameters())
    assert {v.dtype for v in net.float().state_dict().values()} == {np.dtype("float32")}
    with pytest.raises(TypeError, match="int64"):
        net.to("int64")


def test_a_parameter_cannot_silently_stop_being_one():
    layer = nn.Linear(2, 2)
    with pytest.raises(TypeError, match="weight is a Parameter"):
        layer.weight = mg.zeros(2, 2)
    layer.bias = None
    assert [n for n, _ in layer.named_parameters()] == ["weight"]
    net = Net()
    with pytest.raises(TypeError, match="head is a Module"):
        net.head = 3
    with pytest.raises(TypeError, match="scale is a Tensor"):
        net.scale = 3


@pytest.mark.parametrize("name", ["", "a.b", 3, "forward", "parameters"])
def test_names_that_cannot_be(name):
    for register in (nn.Module().register_buffer, nn.Module().register_parameter):
        with pytest.raises(KeyError):
            register(name, None)


def test_registering_the_wrong_thing():
    module = nn.Module()
    for register in (module.register_buffer, module.register_parameter, module.add_module):
        with pytest.raises(TypeError, match="x must be a"):
            register("x", 3)
    assert not hasattr(module, "x")


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        nn.Module()(1)


def test_apply_visits_children_first():
    seen = []
    Net().apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "BatchNorm1d", "ReLU", "Dropout", "Sequential", "Linear", "Net"]


def test_copies_are_independent():
    net = Net()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert same(values(net), values(other))
        nn.init.zeros_(other.head.weight)
        assert net.head.weight.numpy().any()
        assert isinstance(other.head.weight, nn.Parameter)
        assert other.head.weight.requires_grad
    tied = nn.Sequential(net.head, net.head)
    twin = copy.deepcopy(tied)
    assert twin[0] is twin[1]


def test_text():
    assert repr(Net()).splitlines()[:3] == [
        "Net(",
        "  (body): Sequential(",
        "    (0): Linear(in_features=3, out_features=4, bias=True)",
    ]
    assert repr(nn.Conv2d(1, 2, 3, padding=1)) == (
        "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))"
    )
    assert repr(nn.Linear(1, 1).weight).startswith("Parameter containing:\n")


def test_parameter():
    source = np.ones(3, np.float32)
    p = nn.Parameter(source)
    source[:] = 5
    assert p.tolist() == [1.0, 1.0, 1.0]
    assert isinstance(p, mg.Tensor)
    assert p.is_leaf
    assert not nn.Parameter([1.0], requires_grad=False).requires_grad
    assert nn.Parameter(np.zeros(1)).dtype == np.float64
    with pytest.raises(TypeError, match="int64"):
        nn.Parameter([1, 2])


def test_module_list():
    layers = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 2)])
    layers.append(nn.Linear(2, 3)).extend([nn.Linear(3, 4)])
    assert len(layers) == 4
    assert layers[-1].out_features == 4
    assert [m.out_features for m in layers[1:3]] == [2, 3]
    assert isinstance(layers[:2], nn.ModuleList)
    layers[0] = nn.Linear(9, 9)
    assert layers[0].in_features == 9
    with pytest.raises(IndexError, match="4 modules has no index 4"):
        layers[4]
    with pytest.raises(TypeError, match="not the class"):
        layers.append(nn.ReLU)
    with pytest.raises(TypeError, match="one by one"):
        nn.Sequential([nn.ReLU(), nn.Tanh()])
    with pytest.raises(TypeError, match="expected a Module"):
        layers.extend([nn.ReLU(), 3])
    assert len(layers) == 4


def test_appending_replaces_nothing():
    model = nn.Sequential({"1": nn.Tanh()}).append(nn.ReLU())
    assert [type(m) for m in model] == [nn.Tanh, nn.ReLU]
    layers = nn.ModuleList([nn.Linear(1, 1), nn.ReLU(), nn.Tanh()])
    del layers.__dict__["0"]
    assert [type(m) for m in layers.append(nn.SiLU())] == [nn.ReLU, nn.Tanh, nn.SiLU]


def test_module_dict():
    heads = nn.ModuleDict({"a": nn.Linear(1, 1)})
    heads["b"] = nn.Linear(1, 2)
    assert list(heads) == ["a", "b"] == list(heads.keys())
    assert len(heads) == 2
    assert "a" in heads
    assert [n for n, _ in heads.named_parameters()] == ["a.weight", "a.bias", "b.weight", "b.bias"]
    del heads["a"]
    assert [m.out_features for m in heads.values()] == [2]
    with pytest.raises(KeyError):
        heads["a"]
    with pytest.raises(KeyError):
        heads["keys"] = nn.ReLU()


def test_sequential_with_names():
    model = nn.Sequential({"first": nn.Linear(2, 3), "act": nn.ReLU()})
    assert [n for n, _ in model.named_children()] == ["first", "act"]
    assert model.first.out_features == 3
    assert len(model[:1]) == 1
    with pytest.raises(TypeError, match="expected a Module"):
        nn.Sequential(nn.ReLU(), "relu")

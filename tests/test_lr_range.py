"""The learning-rate range test: it leaves no trace and finds the steepest descent."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.lr_range import LrRange

X = np.random.default_rng(0).normal(size=(70, 3)).astype(np.float32)
Y = (X @ [1.0, -2.0, 0.5]).astype(np.float32)


def make(optimizer=optim.Adam, lr=0.01, **arguments):
    mg.seed(0)
    model = nn.Sequential(
        nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1)
    )
    return mg.Trainer(model, nn.MSELoss(), optimizer(model.parameters(), lr=lr), **arguments)


def everything(trainer):
    """All that training changes, as bytes."""
    state = trainer.optimizer.state_dict()
    tensors = [*trainer.model.state_dict().values()]
    tensors += [
        v for slot in state["state"].values() for v in slot.values() if v is not slot["step"]
    ]
    return (
        [t.numpy().tobytes() for t in tensors],
        [slot["step"] for slot in state["state"].values()],
        state["param_groups"],
        mg.default_generator.get_state(),
        [m.training for m in trainer.model.modules()],
        [None if p.grad is None else p.grad.tolist() for p in trainer.model.parameters()],
    )


@pytest.mark.parametrize("trained", [False, True])
def test_it_leaves_no_trace(trained):
    trainer = make(batch_size=16)
    if trained:
        trainer.fit((X, Y), epochs=2)
        trainer.model.train()
        trainer.model[1].eval()
        trainer.model[0].weight.grad = mg.ones(8, 3)
    mg.seed(11)
    mg.rand(3)
    before = everything(trainer)
    found = mg.lr_find(trainer, (X, Y))
    assert len(found.losses) > 50
    assert everything(trainer) == before
    other = make(batch_size=16)
    if trained:
        other.fit((X, Y), epochs=2)
    again, once = (t.fit((X, Y), epochs=2)["loss"].tolist() for t in (trainer, other))
    assert again == once


def test_an_error_in_the_sweep_leaves_no_trace_either():
    trainer = make()
    before = everything(trainer)

    def broken(module):
        raise RuntimeError("broken constraint")

    trainer.constraint = broken
    with pytest.raises(RuntimeError, match="broken constraint"):
        mg.lr_find(trainer, (X, Y))
    assert everything(trainer) == before


def test_the_same_seed_gives_the_same_sweep():
    first, second = (mg.lr_find(make(batch_size=16), (X, Y)) for _ in range(2))
    assert first.losses.tolist() == second.losses.tolist()
    other = mg.lr_find(make(batch_size=16, seed=1), (X, Y))
    assert first.losses.tolist() != other.losses.tolist()


def test_rates_are_exponential_and_groups_keep_their_ratio():
    model = nn.Linear(3, 1)
    groups = [{"params": [model.weight], "lr": 0.1}, {"params": [model.bias], "lr": 0.02}]
    trainer = mg.Trainer(model, nn.MSELoss(), optim.SGD(groups))
    seen = []
    step = trainer.step
    trainer.step = lambda x, y: (
        seen.append([g["lr"] for g in trainer.optimizer.param_groups]),
        step(x, y),
    )[1]
    found = mg.lr_find(trainer, (X, Y), start=1e-4, end=1e-2, steps=5)
    np.testing.assert_allclose(found.lrs, np.geomspace(1e-4, 1e-2, 5))
    np.testing.assert_allclose(np.array(seen)[:, 0], found.lrs)
    np.testing.assert_allclose(np.array(seen)[:, 1], found.lrs / 5)
    assert found.stop_reason == "all 5 steps made"


def test_it_stops_when_the_loss_diverges():
    found = mg.lr_find(make(optim.SGD), (X, Y), end=1e3)
    assert len(found.losses) < 100
    assert "4 times its minimum" in found.stop_reason
    assert np.isfinite(found.losses).all()
    assert found.smoothed[-1] > 4 * found.smoothed.min() >= found.smoothed[-2]


def test_it_stops_when_the_loss_is_no_number():
    model = nn.Linear(3, 1)
    trainer = mg.Trainer(model, nn.MSELoss(), optim.SGD(model.parameters()), batch_size=70)
    found = mg.lr_find(trainer, (X, Y), start=1e20, end=1e30, steps=10, diverged=1e300)
    assert "the loss became" in found.stop_reason
    assert np.isfinite(found.losses).all()
    with pytest.raises(ValueError, match="fell nowhere between lr"):
        found.suggestion  # noqa: B018
    assert "no suggestion" in str(found)


def sweep(losses):
    losses = np.asarray(losses, float)
    return LrRange(np.geomspace(1e-6, 1, len(losses)), losses, losses, "made up")


def test_the_suggestion_is_the_steepest_descent():
    lrs = np.geomspace(1e-6, 1, 97)
    noise = 0.05 * np.random.default_rng(0).normal(size=97)
    curve = 1 / (1 + np.exp(4 * (np.log10(lrs) + 3))) + 20 * np.maximum(lrs - 0.1, 0)
    assert sweep(curve).suggestion == pytest.approx(1e-3, rel=0.16)  # one step of the sweep
    assert sweep(curve + noise).suggestion == pytest.approx(1e-3, rel=0.6)
    falls_after_the_explosion = np.concatenate([curve, 1e6 * np.linspace(1, 0.1, 20)])
    assert sweep(falls_after_the_explosion).suggestion < 1e-2
    with pytest.raises(ValueError, match="fell nowhere"):
        sweep(np.arange(1.0, 50.0)).suggestion  # noqa: B018


def test_the_suggestion_trains():
    trainer = make(optim.SGD, lr=1e-5, batch_size=16)
    suggestion = mg.lr_find(trainer, (X, Y)).suggestion
    slow = trainer.fit((X, Y), epochs=5)["loss"][-1]
    fast = make(optim.SGD, lr=suggestion, batch_size=16).fit((X, Y), epochs=5)["loss"][-1]
    assert fast < 0.3 * slow


def test_the_picture_shows_losses_average_and_suggestion(tmp_path):
    pytest.importorskip("matplotlib")
    for name, losses in (("found", np.linspace(2, 1, 30)), ("nothing", np.full(30, 2.0))):
        picture = sweep(losses).plot(tmp_path / f"{name}.png")
        labels = [line.get_label() for line in picture.axes[0].lines]
        assert labels[:2] == ["loss of a batch", "running average"]
        assert any(label.startswith("steepest descent") for label in labels) == (name == "found")
        assert (tmp_path / f"{name}.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": 0.0}, "start must be in"),
        ({"start": 1.0, "end": 0.5}, "end must be in"),
        ({"steps": 2}, "steps must be at least 3"),
        ({"diverged": 1.0}, "diverged must be in"),
    ],
)
def test_wrong_ranges_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        mg.lr_find(make(), (X, Y), **arguments)


def test_bad_data_is_refused():
    with pytest.raises(ValueError, match="the data has no targets"):
        mg.lr_find(make(), X)

"""What the trainer takes, of any shape and dtype; what it refuses, changing nothing."""

import math

import numpy as np
import pytest
from trainers import CLASSES, XV, YV, X, Y, make, network, rows, same, weights

import minigrad as mg
from minigrad import nn, optim
from minigrad.callbacks import Callback, EarlyStopping
from minigrad.data import Dataset
from minigrad.trainer import Trainer

# --- shapes and dtypes -----------------------------------------------------------------------


@pytest.mark.parametrize("y", [Y, Y.reshape(-1, 1), Y.astype(np.float32), mg.tensor(Y)])
def test_targets_of_one_column_are_matched_in_either_shape(y):
    model = network()
    make(model).fit((X, y), epochs=2)
    expected = network()
    make(expected).fit((X, Y), epochs=2)
    assert same(weights(model), weights(expected))


def test_a_model_with_outputs_of_one_axis():
    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network()

        def forward(self, x):
            return self.inner(x).reshape(-1)

    trainer = make(Flat())
    trainer.fit((X, Y.reshape(-1, 1)), epochs=1)
    assert trainer.predict(X).shape == (50,)


@pytest.mark.parametrize("labels", [np.int32, np.uint8, np.float64, bool])
def test_labels_of_any_dtype(labels):
    y = (X[:, 0] > 0).astype(labels)
    expected = make(network(), nn.BCEWithLogitsLoss()).evaluate((X, y.astype(np.int64)))
    assert make(network(), nn.BCEWithLogitsLoss()).evaluate((X, y)) == expected
    expected = make(network(2), nn.CrossEntropyLoss()).evaluate((X, y.astype(np.int64)))
    assert make(network(2), nn.CrossEntropyLoss()).evaluate((X, y.reshape(-1, 1))) == expected


def test_tensors_lists_datasets_and_mapped_files_give_the_same(tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    found = []
    pairs = (X, Y), (mg.tensor(X), mg.tensor(Y)), (X.tolist(), Y.tolist()), (mapped, Y)
    for data in (*pairs, Dataset(X, Y)):
        model = network()
        trainer = make(model, batch_size=16)
        trainer.fit(data, val=data, epochs=2)
        found.append((rows(trainer.history), weights(model), trainer.predict(data)))
    for one in found[1:]:
        assert one[0] == found[0][0]
        assert same(one[1], found[0][1])
        assert np.array_equal(one[2], found[0][2])


def test_a_loss_of_ones_own_gets_what_was_given():
    shapes = []

    def loss(output, target):
        shapes.append((output.shape, target.shape, target.dtype))
        return (output - target[:, :1]).mean() ** 2

    y = np.stack([Y, Y], axis=1)
    make(loss=loss, batch_size=50).fit((X, y), epochs=1)
    assert set(shapes) == {((50, 1), (50, 2), np.dtype(np.float32))}


def test_clipping_constraint_and_scheduler_are_applied():
    class Halve:
        def __init__(self, optimizer):
            self.optimizer = optimizer

        def step(self):
            self.optimizer.param_groups[0]["lr"] /= 2

    model = network()
    trainer = make(model, clip_grad_norm=1e-3, constraint=nn.MaxNorm(0.1))
    trainer.scheduler = Halve(trainer.optimizer)
    norms = []

    class Look(Callback):
        def on_batch_end(self, trainer, loss):
            squares = [float((p.grad.numpy() ** 2).sum()) for p in model.parameters()]
            norms.append(math.sqrt(sum(squares)))

    trainer.callbacks.append(Look())
    history = trainer.fit((X, Y), epochs=3)
    assert max(norms) <= 1.001e-3
    assert np.linalg.norm(model[0].weight.numpy(), axis=1).max() <= 0.1001
    np.testing.assert_allclose(history["lr"], [0.01, 0.005, 0.0025])


def test_the_learning_rate_of_an_epoch_is_that_of_its_last_step():
    trainer = make(batch_size=25, scheduler_every="batch")
    trainer.scheduler = optim.lr_scheduler.StepLR(trainer.optimizer, 1, gamma=0.5)
    history = trainer.fit((X, Y), epochs=3)  # two steps each
    np.testing.assert_allclose(history["lr"], 0.01 * 0.5 ** np.array([1, 3, 5]))


def test_a_cycle_of_steps_that_is_called_by_epochs_is_warned_of():
    trainer = make(batch_size=25)
    trainer.scheduler = optim.lr_scheduler.OneCycleLR(trainer.optimizer, 0.1, total_steps=6)
    with pytest.warns(UserWarning, match="made for 6 steps .* 3 epochs: .*scheduler_every='batch'"):
        trainer.fit((X, Y), epochs=3)


def test_a_loss_that_is_no_number_is_told_at_the_end():
    trainer = make(lr=1e30)
    history = trainer.fit((X, Y), epochs=20)
    first = int(np.isfinite(history["loss"]).argmin())
    assert history.stop_reason == (
        f"all 20 epochs run; the loss is not finite from epoch {first} on "
        "(StopOnNaN would have ended it)"
    )


# --- refusals --------------------------------------------------------------------------------

NAN = X.copy()
NAN[7, 2] = np.nan

BAD = {
    "lengths": ((X, Y[:-1]), None, ValueError, "50 rows and y has 49"),
    "empty": ((X[:0], Y[:0]), None, ValueError, "empty"),
    "no targets": (X, None, ValueError, "the training data has no targets"),
    "four arrays": ((X, Y, Y, Y), None, TypeError, "a tuple of 4"),
    "NaN": ((NAN, Y), None, ValueError, "row 7, column 2"),
    "NaN in val": ((X, Y), (NAN, Y), ValueError, "row 7, column 2"),
    "features": ((X[:, :2], Y), None, ValueError, "2"),
    "val features": ((X, Y), (XV[:, :2], YV), ValueError, r"shape \(3,\), of the validation data"),
    "two columns": ((X, np.stack([Y, Y], 1)), None, ValueError, "must match; reshape y"),
    "val columns": ((X, Y), (XV, np.stack([YV, YV], 1)), ValueError, "must match"),
    "text": ((X, np.array(["a"] * 50)), None, TypeError, "numbers"),
    "val fraction": ((X, Y), 0.2, TypeError, "minigrad.data.split"),
    "empty val": ((X, Y), (X[:0], Y[:0]), ValueError, "empty"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data_is_refused_and_changes_nothing(name):
    data, val, error, message = BAD[name]
    trainer = make(network(norm=True))
    before = weights(trainer.model)
    with pytest.raises(error, match=message):
        trainer.fit(data, val=val, epochs=1)
    assert same(before, weights(trainer.model))
    trainer.fit((X, Y), epochs=1)  # still usable


@pytest.mark.parametrize(
    ("outputs", "loss", "y", "message"),
    [
        (3, nn.CrossEntropyLoss, np.full(50, 3), "label 3 in row 0 .* 3 classes 0 to 2"),
        (3, nn.CrossEntropyLoss, np.arange(50) % 3 - 1, "label -1 in row 0"),
        (3, nn.CrossEntropyLoss, np.full(50, 0.5), r"label 0\.5"),
        (3, nn.CrossEntropyLoss, np.zeros((50, 2)), r"class numbers, or \(n, 3\)"),
        (1, nn.BCEWithLogitsLoss, np.arange(50) % 3, "target 2 in row 2"),
        (2, nn.BCEWithLogitsLoss, np.zeros(50), "must match"),
    ],
)
def test_bad_labels_are_refused_and_change_nothing(outputs, loss, y, message):
    trainer = make(network(outputs), loss())
    before = weights(trainer.model)
    with pytest.raises(ValueError, match=message):
        trainer.fit((X, y), epochs=1)
    with pytest.raises(ValueError, match=message):
        trainer.fit((X, np.zeros_like(y) if y.ndim == 1 and outputs > 1 else y), val=(X, y))
    assert same(before, weights(trainer.model))


def test_a_metric_or_loss_that_fails_does_so_before_training():
    def broken(output, target):
        raise RuntimeError("broken metric")

    for arguments, error, message in (
        ({"metrics": [broken]}, RuntimeError, "broken metric"),
        ({"loss": nn.MSELoss(reduction="none")}, ValueError, "the loss must be a tensor of one"),
        ({"penalty": lambda model: model[0].weight}, ValueError, "the penalty must be"),
        ({"callbacks": [EarlyStopping("val_loss")]}, ValueError, "cannot monitor"),
    ):
        trainer = make(**arguments)
        before = weights(trainer.model)
        with pytest.raises(error, match=message):
            trainer.fit((X, Y), epochs=1)
        assert same(before, weights(trainer.model))


@pytest.mark.parametrize("metric", ["accuracy", "f1", "precision", "recall"])
@pytest.mark.parametrize(
    ("y", "message"),
    [(np.arange(50) % 2 * 2 - 1, "-1 in row 0"), (Y, "0 or|is none; number the classes")],
)
def test_metrics_of_classes_want_class_numbers(metric, y, message):
    trainer = make(metrics=[metric])
    with pytest.raises(ValueError, match=rf"metric '{metric}' needs class numbers.*{message}"):
        trainer.fit((X, y), epochs=1)
    batches = [(X[:25], (X[:25, 0] > 0) * 1.0), (X[25:], y[25:])]
    with pytest.raises(ValueError, match="needs class numbers"):
        trainer.fit(batches, epochs=1)


def test_one_hot_targets_are_classes_to_a_metric():
    numbers = make(network(3), nn.CrossEntropyLoss(), metrics=["accuracy", "f1"])
    coded = make(network(3), nn.CrossEntropyLoss(), metrics=["accuracy", "f1"])
    expected = numbers.fit((X, CLASSES), epochs=3)
    found = coded.fit((X, np.eye(3)[CLASSES]), epochs=3)
    for name in ("accuracy", "f1"):
        np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.parametrize(
    ("last", "loss", "metrics", "message"),
    [
        (nn.Sigmoid(), nn.BCEWithLogitsLoss(), [], "ends in Sigmoid and the loss applies one"),
        (nn.Softmax(), nn.CrossEntropyLoss(), [], "ends in Softmax and the loss applies one"),
        (nn.Sigmoid(), nn.MSELoss(), ["accuracy"], "'accuracy' takes logits"),
    ],
)
def test_probabilities_are_refused_where_logits_are_wanted(last, loss, metrics, message):
    outputs = 2 if isinstance(last, nn.Softmax) else 1
    model = nn.Sequential(network(outputs), nn.Sequential(last))
    with pytest.raises(ValueError, match=message):
        make(model, loss, metrics=metrics).fit((X, CLASSES // 2), epochs=1)
    make(model).fit((X, np.zeros((50, outputs))), epochs=1)  # as probabilities they are fine


def test_a_model_that_loses_rows_is_refused():
    class Total(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(3, 1)

        def forward(self, x):
            return self.inner(x).sum()

    with pytest.raises(ValueError, match="first axis must be the rows"):
        make(Total()).fit((X, Y))


def test_an_optimizer_of_another_model_is_refused():
    model, other = network(), network()
    trainer = Trainer(model, nn.MSELoss(), optim.Adam(other.parameters()), progress=False)
    with pytest.raises(ValueError, match="no parameter of this model"):
        trainer.fit((X, Y))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"curves": "smooth"}, "'honest' or 'running'"),
        ({"clip_grad_norm": 0.0}, "clip_grad_norm must be in"),
        ({"metrics": ["accurracy"]}, "no metric 'accurracy'"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("loss", nn.MSELoss, r"loss must be callable, such as nn.MSELoss\(\)"),
        ("loss", "mse", "got 'mse'"),
        ("metrics", "accuracy", r"a list of them: \['accuracy'\]"),
        ("callbacks", mg.EarlyStopping(), r"a list of them: \[EarlyStopping\(...\)\]"),
        ("penalty", [nn.L2(0.1)], "several are added"),
        ("constraint", nn.MaxNorm, r"such as nn.MaxNorm\(3\)"),
        ("mix", 0.2, "such as augment.MixUp"),
        ("optimizer", optim.Adam, r"such as optim.Adam\(model.parameters\(\)\)"),
        ("optimizer", "adam", "got 'adam'"),
    ],
)
def test_classes_names_and_lists_are_refused_at_once(name, value, message):
    model = network()
    parts = {"loss": nn.MSELoss(), "optimizer": optim.SGD(model.parameters())}
    with pytest.raises(TypeError, match=message):
        Trainer(model, **{**parts, name: value})


def test_usual_slips_are_told_how_to_mend():
    with pytest.raises(ValueError, match=r"one pair, fit\(\(x, y\), val="):
        make().fit(X, Y)
    with pytest.raises(ValueError, match=r"one pair, \(x, y\)"):
        make().fit(X)
    with pytest.raises(ValueError, match=r"label 1 .* give it 2, or use BCEWithLogitsLoss"):
        make(network(1), nn.CrossEntropyLoss()).fit((X, np.arange(50) % 2))
    with pytest.raises(ValueError, match=r"of a single row make x\[None\]"):
        make().predict(X[0])


def test_data_of_another_make_is_told_how_to_mend():
    for data, error, message in (
        (((X, X[:, :1]), Y), ValueError, "tuple of 2 arrays.*side by side as columns.*forward"),
        ((X, [Y, Y]), ValueError, "y is a list of 2 arrays.*take them apart in the loss"),
        (({"a": X, "b": X}, Y), TypeError, "x is a dict of 2 arrays.*side by side"),
        ({"x": X, "y": Y}, TypeError, r"a dict with 'x', 'y': give the arrays as a pair"),
        (((1, [2, 3]), Y), ValueError, "not a rectangular array"),
    ):
        with pytest.raises(error, match=message):
            make().fit(data)


@pytest.mark.parametrize("together", [lambda *parts: parts, lambda a, b: {"a": a, "b": b}])
def test_several_outputs_are_told_how_to_mend(together):
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 1)

        def forward(self, x):
            return together(self.layer(x), x)

    model = Two()
    trainer = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters()))
    with pytest.raises(TypeError, match=r"one tensor, got (tuple|dict): join the parts, as mg.cat"):
        trainer.fit((np.ones((4, 2)), np.ones((4, 1))))


def test_a_scheduler_of_another_optimizer_is_refused():
    other = optim.SGD(network().parameters(), lr=0.1)
    with pytest.raises(ValueError, match="made for another optimizer"):
        make(scheduler=optim.lr_scheduler.StepLR(other, 1))


def test_no_epochs_are_refused():
    with pytest.raises(ValueError, match="epochs must be at least 1, got 0"):
        make().fit((X, Y), epochs=0)
    for arguments in ({"batch_size": 2.5}, {"seed": "one"}):
        with pytest.raises(TypeError, match=f"{next(iter(arguments))} must be an integer"):
            make(**arguments)
    trainer = make()
    before = [p.numpy().tobytes() for p in trainer.model.parameters()]
    with pytest.raises(TypeError, match="epochs must be an integer"):
        trainer.fit((X, Y), epochs=1.5)
    assert before == [p.numpy().tobytes() for p in trainer.model.parameters()]


def test_an_error_says_which_data_it_is_about():
    x = X.copy()
    x[1, 0] = np.nan
    for data, val, what in (((x, Y), (X, Y), "data"), ((X, Y), (x, Y), "val")):
        with pytest.raises(ValueError, match="x has nan at row 1, column 0") as caught:
            make().fit(data, val=val)
        assert caught.value.__notes__ == [f"in {what}"]

"""Cross-validation: folds, bits whatever the executor, intervals, refusals."""

import multiprocessing
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from folds import X, Y, build
from trainers import make, network

import minigrad as mg
from minigrad import nn
from minigrad.cross_validation import CrossValidation, Fold
from minigrad.data import Dataset
from minigrad.history import History
from minigrad.intervals import mean_interval


def validate(**arguments):
    return mg.cross_validate(build, (X, Y), **{"k": 4, "epochs": 3, **arguments})


def figures(found):
    """All but the seconds."""
    rows = [[{**row, "seconds": 0} for row in history] for history in found.histories]
    return [(f.number, f.rows, f.train, f.val) for f in found.folds], rows


def test_every_fold_is_a_training_of_its_own():
    found = validate()
    assert [fold.rows for fold in found.folds] == [(45, 16), (46, 15), (46, 15), (46, 15)]
    assert found.columns == ["val_loss", "val_accuracy", "loss", "accuracy"]
    for fold in found.folds:
        assert len(fold.history) == 3
        assert fold.val["loss"] == fold.history["val_loss"][-1]
        assert fold.train["accuracy"] == fold.history["accuracy"][-1]
    assert len({fold.history["loss"][0] for fold in found.folds}) == 4
    assert found["val_loss"].tolist() == [fold.val["loss"] for fold in found.folds]


class InThisThread(Executor):
    """The least that an executor can be."""

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def test_the_bits_do_not_depend_on_the_executor():
    serial = figures(validate())
    assert figures(validate()) == serial
    assert figures(validate(seed=1)) != serial
    context = multiprocessing.get_context("spawn")
    for pool in (
        InThisThread,
        lambda: ThreadPoolExecutor(3),
        lambda: ProcessPoolExecutor(2, mp_context=context),
    ):
        with pool() as executor:
            assert figures(validate(executor=executor)) == serial


def test_the_users_random_numbers_are_left_alone():
    mg.seed(5)
    expected = mg.rand(3).tolist()
    mg.seed(5)
    validate()
    assert mg.rand(3).tolist() == expected


def test_folds_are_stratified_or_grouped():
    seen = []

    def look(train, val):
        seen.append((train, val))
        return train, val

    validate(prepare=look)
    assert {int(val.y.sum()) for _, val in seen} <= {Y.sum() // 4, Y.sum() // 4 + 1}
    seen.clear()
    patients = np.arange(61) // 6
    data = Dataset(np.column_stack([patients, X[:, :2]]).astype(np.float32), Y)
    mg.cross_validate(build, data, k=3, epochs=1, groups=patients, prepare=look)
    for train, val in seen:
        assert not set(train.x[:, 0]) & set(val.x[:, 0])


def test_prepare_sees_the_training_rows_only():
    def standardise(train, val):
        mean, spread = train.x.mean(0), train.x.std(0)
        return ((train.x - mean) / spread, train.y), ((val.x - mean) / spread, val.y)

    shifted = Dataset(50 + 10 * X, Y)
    found = mg.cross_validate(build, shifted, k=4, epochs=20, prepare=standardise)
    assert found.interval("val_accuracy").mean > 0.7
    assert [fold.rows for fold in found.folds] == [fold.rows for fold in validate().folds]


def test_the_interval_is_widened_for_shared_rows():
    found = validate(confidence=0.9)
    wide = found.interval("val_loss")
    naive = mean_interval(found["val_loss"].tolist(), 0.9)
    assert wide.mean == naive.mean == pytest.approx(found["val_loss"].mean())
    ratio = (wide.high - wide.low) / (naive.high - naive.low)
    assert ratio == pytest.approx(np.sqrt((1 / 4 + 1 / 3) / (1 / 4)))


def test_the_table_has_a_line_a_fold_and_the_interval():
    found = validate()
    lines = str(found).splitlines()
    assert lines[0].split() == ["fold", *found.columns]
    assert [line.split()[0] for line in lines[1:8]] == ["0", "1", "2", "3", "mean", "low", "high"]
    assert lines[5].split()[1] == f"{found.interval('val_loss').mean:.4g}"
    assert lines[-1].startswith("4 folds, 95% intervals of the mean (Student's t, widened")
    with pytest.raises(KeyError, match="no column 'val_f1'"):
        found["val_f1"]


@pytest.mark.parametrize("threads", [False, True])
def test_an_error_names_its_fold_and_cancels_the_others(threads):
    calls = []

    def fragile():
        calls.append(1)
        if len(calls) > 1:
            time.sleep(0.2)  # until the others are cancelled
        raise RuntimeError("no luck")

    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match="no luck") as caught:
        mg.cross_validate(fragile, (X, Y), epochs=1, executor=pool if threads else None)
    assert caught.value.__notes__ == ["in fold 0 of the cross-validation"]
    assert len(calls) <= 2


@pytest.mark.parametrize("progress", [None, False, True])
def test_progress_is_shown_on_a_terminal_only(progress, capsys):
    validate(progress=progress)
    text = capsys.readouterr().err
    assert ("4/4" in text) == (progress is True)
    assert ("val loss" in text) == (progress is True)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"k": 1}, ValueError, "k = 1 folds"),
        ({"epochs": 0}, ValueError, "epochs must be at least 1"),
        ({"confidence": 95}, ValueError, r"confidence = 95 must be in \(0, 1\)"),
        ({"groups": [1, 2]}, ValueError, "groups has shape"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        validate(**arguments)


def test_build_must_give_a_trainer():
    with pytest.raises(TypeError, match="build must return a Trainer, got Linear"):
        mg.cross_validate(lambda: nn.Linear(3, 1), (X, Y), epochs=1)
    with pytest.raises(TypeError, match="build must be a function that makes a fresh Trainer"):
        mg.cross_validate(make(), (X, Y), epochs=1)


@pytest.mark.parametrize("threads", [0, 2])
def test_a_model_of_another_fold_is_refused(threads):
    model = network()

    def build():
        return make(model)

    executor = ThreadPoolExecutor(threads) if threads else None
    with pytest.raises(ValueError, match="build returned a model that another fold has trained"):
        mg.cross_validate(build, (X, Y), epochs=1, executor=executor)


def test_intervals_end_where_the_metric_does():

    part = {"loss": 0.1, "f1": 0.9}
    scores = [{"loss": 0.1, "f1": 1.0}, {"loss": 0.1, "f1": 0.5}]
    found = CrossValidation([Fold(i, (8, 2), History(), part, s) for i, s in enumerate(scores)])
    assert found.interval("val_f1").high == 1.0
    assert found.interval("val_f1").low == 0.0
    assert found.interval("val_f1").mean == 0.75

"""History, its files and its picture; metrics against scikit-learn's definitions."""

import json
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.history import History
from minigrad.metrics import (
    METRICS,
    Metric,
    accuracy,
    auc,
    f1,
    mae,
    precision,
    r2,
    recall,
    resolve,
    rmse,
)


@pytest.fixture
def history():
    made = History()
    losses = [(0.9, 0.8), (0.5, 0.4), (0.3, 0.5), (0.1, math.nan)]
    for epoch, (loss, val_loss) in enumerate(losses):
        made.append({"epoch": epoch, "loss": loss, "val_loss": val_loss, "lr": 0.1})
    made.stop_reason = "all 4 epochs run"
    return made


def test_columns_rows_best_and_gap(history):
    assert history["loss"].tolist() == [0.9, 0.5, 0.3, 0.1]
    assert history[-1]["loss"] == 0.1
    assert len(history) == len(list(history)) == 4
    assert (history.best_epoch, history.best_value) == (1, 0.4)
    np.testing.assert_allclose(history.gap, [-0.1, -0.1, 0.2, np.nan])
    with pytest.raises(KeyError, match="no column 'acc'"):
        history["acc"]


def test_numpys_numbers_in_a_row_are_written_as_numbers(history, tmp_path):
    for i, row in enumerate(history):
        row |= {"grad": np.float32(0.25), "dead": np.int64(i), "share": np.float64(0.5)}
    history.to_csv(tmp_path / "history.csv")
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines[:2] == ["epoch,loss,val_loss,lr,grad,dead,share", "0,0.9,0.8,0.1,0.25,0,0.5"]
    again = History.from_json(history.to_json())
    assert again[1] == {**history[1]}
    history[2]["note"] = "odd"
    with pytest.raises(TypeError, match="column 'note' of the history holds 'odd'"):
        history.to_json()


def test_columns_are_rows_for_who_looks(history):
    """Epochs taken in as columns, or some of them as rows, are those taken in as rows."""
    rows = history.rows
    columns = {name: history[name] for name in history.columns} | {"epoch": np.arange(4)}
    for cut in range(5):
        made = History()
        made.extend({name: column[:cut] for name, column in columns.items()})
        for row in rows[cut:]:
            made.append(row)
        assert (len(made), made.columns) == (4, history.columns)
        for name in columns:
            np.testing.assert_array_equal(made[name], history[name])
        assert (made.best_epoch, made.best_value) == (1, 0.4)
        made.stop_reason = history.stop_reason
        assert made.to_json() == history.to_json()
        assert all(type(row["epoch"]) is int and type(row["loss"]) is float for row in made)


def test_a_row_of_columns_can_be_added_to():
    history = History()
    history.extend({"epoch": np.arange(2), "loss": np.array([0.5, 0.25])})
    history[1]["f1"] = 0.75
    history.extend({"epoch": np.array([2]), "loss": np.array([0.125])})
    assert history.columns == ["epoch", "loss", "f1"]
    np.testing.assert_array_equal(history["f1"], [np.nan, 0.75, np.nan])
    assert [len(history.rows), history[-1]] == [3, {"epoch": 2, "loss": 0.125}]
    assert history.rows is history.rows


def test_nan_is_never_the_best():
    history = History()
    assert history.best_epoch is None
    for epoch in range(2):
        history.append({"epoch": epoch, "loss": math.nan})
    assert history.best_epoch is None
    assert math.isnan(history.best_value)
    history.append({"epoch": 2, "loss": 5.0})
    assert history.best_epoch == 2
    with pytest.raises(KeyError, match="no validation data"):
        history.gap  # noqa: B018


def test_json_round_trip(history, tmp_path):
    history.set_best("val_loss", 2, 0.5)
    path = tmp_path / "history.json"
    text = history.to_json(path)
    json.loads(text, parse_constant=pytest.fail)  # NaN has no place in JSON
    for again in (History.from_json(text), History.from_json(path)):
        assert again.to_json() == text
        assert again.best_epoch == 2
        assert again.stop_reason == history.stop_reason
        assert again[0] == history[0]
        assert math.isnan(again[3]["val_loss"])


@pytest.mark.parametrize("text", ["{}", '{"rows": 3}', "{nonsense"])
def test_foreign_json_is_refused(text):
    with pytest.raises(ValueError, match="not the JSON of a History"):
        History.from_json(text)


def test_csv_has_a_line_an_epoch(history, tmp_path):
    path = tmp_path / "history.csv"
    history.to_csv(path)
    lines = path.read_text().splitlines()
    assert lines[0] == "epoch,loss,val_loss,lr"
    assert lines[1] == "0,0.9,0.8,0.1"
    assert len(lines) == 5


def test_pandas(history):
    pytest.importorskip("pandas")
    frame = history.to_pandas()
    assert list(frame.columns) == history.columns
    assert frame["loss"].tolist() == history["loss"].tolist()


def test_repr_is_a_short_table(history):
    text = repr(history)
    assert "<- best" in text.splitlines()[2]
    assert text.endswith("4 epochs; all 4 epochs run")
    for epoch in range(4, 1000):
        history.append({"epoch": epoch, "loss": 1.0, "val_loss": 1.0, "lr": 0.1})
    assert len(repr(history).splitlines()) < 12
    assert repr(History()) == "History(no epochs)"


def test_plot_shows_both_curves_and_marks_the_best(history, tmp_path):
    pytest.importorskip("matplotlib")
    figure = history.plot(tmp_path / "curves.png")
    (axes,) = figure.axes
    labels = axes.get_legend_handles_labels()[1]
    assert labels == ["train", "validation", "gap", "best epoch: 1 (by val_loss)"]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    history.curves = "running"
    assert "running average" in str(history.plot().axes[0].get_legend_handles_labels()[1])
    with pytest.raises(KeyError, match="no column"):
        history.plot(metric="accuracy")
    with pytest.raises(ValueError, match="no epochs"):
        History().plot()


def test_a_loss_that_falls_far_has_an_axis_with_numbers_to_read():
    pytest.importorskip("matplotlib")
    history = History()
    for epoch in range(100):
        history.append({"epoch": epoch, "loss": 0.6 * 0.95**epoch})
    figure = history.plot()
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    texts = [label.get_text() for label in axes.get_yticklabels()]
    assert {"0.005", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5"} <= set(texts)
    history.append({"epoch": 100, "loss": 1e-6})
    assert "10^{-6}" in str([t.get_text() for t in history.plot().axes[0].get_yticklabels()])


def test_a_column_is_no_file_name(history, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"write plot\(metric='val_loss'\)"):
        history.plot("val_loss")
    assert not list(tmp_path.iterdir())


def test_several_histories_in_one_chart(history, tmp_path):
    pytest.importorskip("matplotlib")
    alone = History()
    alone.append({"epoch": 0, "loss": 1.0})
    (axes,) = mg.plots.compare({"a": history, "b": alone}, tmp_path / "both.png").axes
    assert axes.get_legend_handles_labels()[1] == ["a", "b", "train"]
    train, val = axes.lines[:2]
    np.testing.assert_array_equal(train.get_ydata(), history["loss"])
    np.testing.assert_array_equal(val.get_ydata(), history["val_loss"])
    assert train.get_color() == val.get_color() != axes.lines[3].get_color()
    assert axes.lines[2].get_xdata().tolist() == [history.best_epoch]
    with pytest.raises(ValueError, match="no epochs"):
        mg.plots.compare({"a": History()})


def test_a_single_epoch_can_be_seen():
    pytest.importorskip("matplotlib")
    history = History()
    history.append({"epoch": 0, "loss": 1.0, "val_loss": 2.0})
    (axes,) = history.plot().axes
    assert [line.get_marker() for line in axes.lines[:2]] == ["o", "o"]
    assert all(tick == round(tick) for tick in axes.get_xticks())


def test_plot_without_matplotlib_names_the_extra(history, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"minigrad\[plot\]"):
        history.plot()


# --- metrics ---------------------------------------------------------------------------------


def test_metrics_equal_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(0)
    logits = random.normal(size=(200, 1)).round(1)  # rounded: ties for the AUC
    truth = (random.uniform(size=200) < 0.4).astype(int)
    guess = logits[:, 0] > 0
    assert accuracy(logits, truth) == metrics.accuracy_score(truth, guess)
    assert f1(logits, truth) == pytest.approx(metrics.f1_score(truth, guess))
    assert auc(logits, truth) == pytest.approx(metrics.roc_auc_score(truth, logits[:, 0]))
    many, classes = random.normal(size=(200, 5)), random.integers(5, size=200)
    assert accuracy(many, classes) == metrics.accuracy_score(classes, many.argmax(1))
    macro = metrics.f1_score(classes, many.argmax(1), average="macro")
    assert f1(many, classes) == pytest.approx(macro)
    guess, values = random.normal(size=(2, 50, 3))
    assert r2(guess, values) == pytest.approx(metrics.r2_score(values, guess))
    assert mae(guess, values) == pytest.approx(metrics.mean_absolute_error(values, guess))
    error = metrics.root_mean_squared_error(values.ravel(), guess.ravel())
    assert rmse(guess, values) == pytest.approx(error)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("average", ["binary", "macro"])
def test_scores_of_classes_equal_scikit_learn(seed, average):
    """Few rows, so that classes are often missing among guesses, targets or both."""
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(seed)
    n, classes = random.integers(1, 7), 4
    if average == "binary":
        output, target = random.normal(size=n), random.integers(2, size=n)
        guess = output > 0
    else:
        output, target = random.normal(size=(n, classes)), random.integers(classes, size=n)
        guess = output.argmax(1)
    for metric in (f1, precision, recall):
        score = getattr(metrics, f"{metric.__name__}_score")
        expected = score(target, guess, average=average, zero_division=0)
        assert metric(output, target) == pytest.approx(expected), metric.__name__
        assert metric(mg.tensor(output), mg.tensor(target)).item() == metric(output, target)


def test_metrics_without_an_answer_are_nan():
    assert math.isnan(auc(np.zeros(3), np.ones(3)))
    assert math.isnan(r2(np.zeros(3), np.ones(3)))


@pytest.mark.parametrize("metric", list(METRICS))
def test_metrics_never_broadcast(metric):
    with pytest.raises(ValueError, match=r"match|not one class|two classes"):
        METRICS[metric](np.zeros((4, 1)), np.zeros((4, 4)))


def test_metrics_by_name_function_and_object():
    def bias(output, target):
        return np.mean(output - target)

    found = resolve(["f1", bias, Metric("spread", np.ptp, "min"), accuracy])
    assert [metric.name for metric in found] == ["f1", "bias", "spread", "accuracy"]
    assert [metric.mode for metric in found] == ["max", None, "min", "max"]
    with pytest.raises(ValueError, match="no metric 'f2'"):
        resolve(["f2"])
    with pytest.raises(ValueError, match="repeat"):
        resolve([accuracy, "accuracy"])
    with pytest.raises(TypeError, match="a name or a function"):
        resolve([3])
    with pytest.raises(TypeError, match="not one number"):
        Metric("all", lambda output, target: output)(np.zeros(2), np.zeros(2))

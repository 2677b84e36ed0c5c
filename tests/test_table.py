"""A user's own table: prepared, trained on beside baselines, reported in figures and words."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from sklearn import datasets
from tables import mixed

import minigrad as mg
from minigrad.cli import main
from minigrad.table import TableModel, fit
from minigrad.table.chance import gap, paired
from minigrad.table.prepare import Choices, prepare
from minigrad.table.words import say_comparison, say_overfitting

QUICK = {"epochs": 8, "hidden": (16,)}


@pytest.fixture
def csv_file(tmp_path):
    path = tmp_path / "mixed.csv"
    mixed().to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("loader", "measure", "least", "rows"),
    [
        ("load_breast_cancer", "accuracy", 0.93, (341, 114, 114)),
        ("load_wine", "accuracy", 0.9, (106, 36, 36)),
        ("load_diabetes", "r2", 0.35, (266, 88, 88)),
    ],
)
def test_real_tables_are_learned(tmp_path, capsys, loader, measure, least, rows):
    getattr(datasets, loader)(as_frame=True).frame.to_csv(tmp_path / "t.csv", index=False)
    arguments = ["fit", str(tmp_path / "t.csv"), "--target", "target", "--out", str(tmp_path)]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "It " in text
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    model = TableModel.load(tmp_path / "model.safetensors")
    assert model.report.table() in text
    figures = model.report.figures["test"]
    trivial = "mean" if measure == "r2" else "majority"
    assert figures["network"][measure] > least
    assert figures["linear"][measure] > least
    assert figures[trivial][measure] < 0.7
    assert tuple(model.report.rows.values()) == rows


def test_the_linear_model_is_as_good_as_scikit_learns():
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    frame = datasets.load_breast_cancer(as_frame=True).frame
    ours, theirs = [], []
    for seed in range(5):
        figures = fit(frame, "target", seed=seed, epochs=1).report.figures["test"]
        ready = prepare(frame, "target", Choices(seed=seed))
        train, test = ready.parts["train"], ready.parts["test"]
        model = LogisticRegression(max_iter=1000).fit(ready.x[train], ready.y[train])
        ours.append(figures["linear"]["loss"])
        theirs.append(log_loss(ready.y[test], model.predict_proba(ready.x[test])))
    assert np.mean(ours) < np.mean(theirs) + 0.02


def test_what_was_found_is_said(csv_file, tmp_path, capsys):
    arguments = ["fit", str(csv_file), "--target", "grade", "--drop", "price", "--epochs", "3"]
    assert main([*arguments, "--out", str(tmp_path / "new")]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for said in (
        "240 rows, 9 columns, comma-separated",
        "target grade: binary classification (bad",
        "numeric size (",
        "% missing)",
        "boolean sold",
        "date day",
        "categorical colour (3, ",
        "number (numbers the rows from 7)",
        "unit (constant, always 'cm')",
        "remark (240 different texts in 240 rows)",
        "price (as asked)",
        "majority",
        "linear",
    ):
        assert said in text


def test_parts_are_disjoint_and_keep_shares_and_groups():
    frame = mixed()
    prepared = prepare(frame, "grade", Choices(seed=3))
    rows = np.concatenate(list(prepared.parts.values()))
    assert sorted(rows) == list(range(len(frame)))
    shares = [prepared.y[part].mean() for part in prepared.parts.values()]
    assert np.ptp(shares) < 0.03
    frame["farm"] = [f"farm {i % 20}" for i in range(len(frame))]
    grouped = prepare(frame, "price", Choices(group="farm"))
    farms = [set(frame["farm"].iloc[part]) for part in grouped.parts.values()]
    assert sum(map(len, farms)) == 20
    assert len(set.union(*farms)) == 20
    assert "farm" in grouped.dropped
    frame.loc[5, "farm"] = None
    with pytest.raises(ValueError, match="row 5: the group 'farm' is missing"):
        prepare(frame, "price", Choices(group="farm"))


def test_the_newest_rows_are_for_testing():
    frame = mixed().sample(frac=1, random_state=0)
    parts = prepare(frame, "price", Choices(time="day")).parts
    days = [frame["day"].iloc[rows] for rows in parts.values()]
    assert days[0].max() < days[1].min() <= days[1].max() < days[2].min()
    assert sum(map(len, days)) == len(frame)
    assert 40 < len(days[2]) <= 48
    by_number = prepare(frame, "price", Choices(time="number")).parts
    assert sorted(frame["number"].iloc[by_number["test"]]) == list(range(7 + 192, 7 + 240))
    with pytest.raises(ValueError, match=r"column 'colour': .* is not a number .*: --time"):
        prepare(frame, "price", Choices(time="colour"))
    with pytest.raises(ValueError, match="column 'size': the cell is empty"):
        prepare(frame, "price", Choices(time="size"))
    with pytest.raises(ValueError, match="by group or by time"):
        prepare(frame, "price", Choices(time="day", group="colour"))


@pytest.mark.parametrize("target", ["price", "grade"])
def test_without_hidden_layers_it_is_the_linear_model(target):
    frame = mixed().drop(columns=({"price", "grade"} - {target}).pop())
    plain, deep = fit(frame, target, hidden=()), fit(frame, target, **QUICK)
    assert plain.report.figures["test"]["linear"] == deep.report.figures["test"]["linear"]
    assert "network" not in plain.report.figures["test"]
    assert plain.report.comparison.startswith("It is a linear model.")
    assert plain.evaluate(frame).keys() == plain.report.figures["test"]["linear"].keys()


def test_options_are_those_of_the_model_that_is_returned():
    frame = mixed().drop(columns="price")
    deep = fit(frame, "grade", lr=1e-6, **QUICK)
    default = fit(frame, "grade", **QUICK)
    assert deep.report.figures["test"]["linear"] == default.report.figures["test"]["linear"]
    linear = fit(frame, "grade", hidden=(), lr=1e-6, epochs=5)
    assert len(linear.history) == 5
    assert linear.report.figures["test"]["linear"] != default.report.figures["test"]["linear"]


def test_groups_so_few_that_nothing_can_be_said(tmp_path):
    frame = mixed().drop(columns="price")
    frame["farm"] = np.arange(len(frame)) % 5
    model = fit(frame, "grade", group="farm", **QUICK)
    assert model.report.gap.rows == 1
    assert "(95 % interval of the gap -inf to +inf)" in model.report.overfitting
    assert "It overfits" not in model.report.overfitting
    model.save(tmp_path / "model")
    assert TableModel.load(tmp_path / "model").report == model.report


def test_the_same_seed_gives_the_same_file_in_any_process(csv_file, tmp_path):
    found = []
    for name in ("one", "two"):
        command = [
            sys.executable,
            "-P",
            "-m",
            "minigrad",
            "fit",
            str(csv_file),
            "--target",
            "grade",
        ]
        options = ["--out", str(tmp_path / name), "--epochs", "3", "--quiet"]
        subprocess.run([*command, *options], check=True, capture_output=True)
        found.append((tmp_path / name / "model.safetensors").read_bytes())
    assert found[0] == found[1]


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_keeps_the_best_epoch_so_far(csv_file, tmp_path, capsys, monkeypatch):
    begin = mg.EarlyStopping.on_epoch_end

    def press(self, trainer, row):
        begin(self, trainer, row)
        if trainer.epoch == 6 and len(trainer.model) > 1:  # in the network, not the linear model
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(mg.EarlyStopping, "on_epoch_end", press)
    arguments = ["fit", str(csv_file), "--target", "grade", "--drop", "price", "--out"]
    assert main([*arguments, str(tmp_path), "--epochs", "100000", "--patience", "100000"]) == 130
    out, err = capsys.readouterr()
    model = TableModel.load(tmp_path / "model.safetensors")
    assert model.interrupted
    assert 7 <= len(model.history) < 100_000
    best = model.history.best_epoch
    assert f"interrupted in training: epoch {best}, the best so far, is saved" in err
    assert "interrupted in epoch" in out
    assert model.report.table() in out
    ready = prepare(mixed(), "grade", Choices(drop=["price"]))
    x, y = ready.x[ready.parts["validation"]], ready.y[ready.parts["validation"]]
    model.network.eval()
    logits = model.network(mg.tensor(x)).reshape(-1)
    loss = mg.nn.functional.binary_cross_entropy_with_logits(logits, mg.tensor(y.astype("f4")))
    assert loss.item() == pytest.approx(model.history.best_value, rel=1e-5)
    with pytest.raises(KeyboardInterrupt):  # in Python nothing swallows it
        fit(mixed(), "grade", drop=["price"], epochs=100_000, patience=100_000)


def test_columns_that_give_the_target_away_are_named():
    frame = mixed()
    frame["verdict"] = np.where(frame["grade"] == "good", "keep", "return")
    frame["cents"] = 100 * frame["price"]
    assert "'verdict' alone tells 'grade'" in " ".join(fit(frame, "grade", **QUICK).notes)
    assert "'cents' alone tells 'price'" in " ".join(fit(frame, "price", **QUICK).notes)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"target": "Grade"}, "target: no column 'Grade': did you mean 'grade'"),
        ({"drop": ["pirce"]}, "drop: no column 'pirce': did you mean 'price'"),
        ({"numeric": ["size"], "categorical": ["size"]}, "asked to be numeric and categorical"),
        ({"numeric": ["colour"]}, r"row \d, column 'colour': '.*' is not a number"),
        ({"group": "colour"}, "the group 'colour' is missing"),
        ({"group": "sold"}, "2 groups: too few"),
        ({"max_categories": 0}, "max_categories = 0"),
        ({"hidden": (8, 0)}, "every width must be >= 1"),
        ({"dropout": 1.0}, "dropout = 1.0"),
        ({"epochs": 0}, "epochs = 0"),
        ({"lr": 0.0}, "lr = 0.0"),
        ({"weight_decay": -1.0}, "weight_decay = -1.0"),
        ({"drop": [c for c in mixed() if c != "grade"]}, "no column is left to predict 'grade'"),
    ],
)
def test_options_that_cannot_be(options, text):
    with pytest.raises(ValueError, match=text):
        fit(mixed(), **{"target": "grade", **options})


def test_a_training_that_explodes_is_told():
    with pytest.raises(ValueError, match="never finite: try a lower lr than 1e"):
        fit(mixed(), "price", lr=1e30, epochs=3)


def test_few_rows_and_missing_targets():
    with pytest.raises(ValueError, match="19 rows are too few"):
        fit(mixed().head(19), "grade")
    frame = mixed()
    frame.loc[[3, 8], "grade"] = None
    with pytest.raises(ValueError, match=r"row 3, column 'grade': .* \(and 1 more\)"):
        fit(frame, "grade")
    model = fit(frame, "grade", skip_missing_targets=True, **QUICK)
    assert "rows left out, as they have no target: 2" in model.notes
    assert sum(model.report.rows.values()) == 238


def test_two_columns_of_one_name():
    frame = mixed().rename(columns={"unit": "size"})
    with pytest.raises(ValueError, match="two columns named 'size'"):
        fit(frame, "grade")


# Words


@pytest.mark.parametrize(
    ("train", "test", "curve", "said"),
    [
        (0.1, 0.5, [0.5, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], "It overfits. With the weights of epoch 1"),
        (0.40, 0.44, [0.5, 0.4], "It overfits a little"),
        (0.40, 0.41, [0.5, 0.4], "but it is little"),
        (0.4, 0.4, [0.5, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], "It was stopped before it overfitted"),
        (0.4, 0.4, [0.5, 0.45, 0.4], "No overfitting shows"),
        (0.4, 0.4, [0.5, 0.45, 0.4], "still falling"),
    ],
)
def test_overfitting_in_words(train, test, curve, said):
    history = mg.History()
    for epoch, value in enumerate(curve):
        history.append({"epoch": epoch, "loss": 0.5 - 0.05 * epoch, "val_loss": value})
    spread = np.linspace(-0.01, 0.01, 100)
    means = {"train": train, "validation": test, "test": test}
    text = say_overfitting(history, means, gap(test + spread, train + spread))
    assert said in text
    assert ("may be chance" in text) == (train == test)


@pytest.mark.parametrize(
    ("shift", "said"),
    [(-0.2, "It beats the linear model."), (0.2, "The linear model beats it"),
     (0.0, "It is no better than the linear model"), (2.0, "not even better than the mean")],
)  # fmt: skip
def test_the_comparison_in_words(shift, said):
    random = np.random.default_rng(1)
    linear = 1.0 + 0.1 * random.normal(size=200)
    network = linear + shift + 0.1 * random.normal(size=200)
    differences = {"rmse": paired(network, linear, None, root=True)}
    figures = {
        name: {"rmse": float(np.sqrt(np.mean(values)))}
        for name, values in (("mean", linear + 0.5), ("linear", linear), ("network", network))
    }
    assert said in say_comparison(figures, differences, 200)

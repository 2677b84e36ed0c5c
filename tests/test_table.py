"""A user's own table: prepared, trained on beside baselines, reported in figures and words."""

import numpy as np
import pytest
from sklearn import datasets
from tables import mixed

import minigrad as mg
from minigrad.cli import main
from minigrad.table import TableModel, fit
from minigrad.table.prepare import prepare
from minigrad.table.report import difference
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
        ready = prepare(frame, "target", seed=seed)
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
    prepared = prepare(frame, "grade", seed=3)
    rows = np.concatenate(list(prepared.parts.values()))
    assert sorted(rows) == list(range(len(frame)))
    shares = [prepared.y[part].mean() for part in prepared.parts.values()]
    assert np.ptp(shares) < 0.03
    frame["farm"] = [f"farm {i % 20}" for i in range(len(frame))]
    grouped = prepare(frame, "price", group="farm")
    farms = [set(frame["farm"].iloc[part]) for part in grouped.parts.values()]
    assert sum(map(len, farms)) == 20
    assert len(set.union(*farms)) == 20
    assert "farm" in grouped.dropped
    frame.loc[5, "farm"] = None
    with pytest.raises(ValueError, match="row 5: the group 'farm' is missing"):
        prepare(frame, "price", group="farm")


def test_the_newest_rows_are_for_testing():
    frame = mixed().sample(frac=1, random_state=0)
    parts = prepare(frame, "price", time="day").parts
    days = [frame["day"].iloc[rows] for rows in parts.values()]
    assert days[0].max() < days[1].min() <= days[1].max() < days[2].min()
    assert sum(map(len, days)) == len(frame)
    assert 40 < len(days[2]) <= 48
    by_number = prepare(frame, "price", time="number").parts
    assert sorted(frame["number"].iloc[by_number["test"]]) == list(range(7 + 192, 7 + 240))
    with pytest.raises(ValueError, match=r"column 'colour': .* is not a number .*: --time"):
        prepare(frame, "price", time="colour")
    with pytest.raises(ValueError, match="column 'size': the cell is empty"):
        prepare(frame, "price", time="size")
    with pytest.raises(ValueError, match="by group or by time"):
        prepare(frame, "price", time="day", group="colour")


@pytest.mark.parametrize("target", ["price", "grade"])
def test_without_hidden_layers_it_is_the_linear_model(target):
    frame = mixed().drop(columns=({"price", "grade"} - {target}).pop())
    plain, deep = fit(frame, target, hidden=()), fit(frame, target, **QUICK)
    assert plain.report.figures["test"]["linear"] == deep.report.figures["test"]["linear"]
    assert "network" not in plain.report.figures["test"]
    assert plain.report.comparison.startswith("It is a linear model.")
    assert plain.evaluate(frame).keys() == plain.report.figures["test"]["linear"].keys()


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
        (0.40, 0.41, [0.5, 0.4], "but by little"),
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
    losses = {"train": train + spread, "validation": test + spread, "test": test + spread}
    assert said in say_overfitting(history, losses)


@pytest.mark.parametrize(
    ("shift", "said"),
    [(-0.2, "It beats the linear model."), (0.2, "The linear model beats it"),
     (0.0, "It is no better than the linear model"), (2.0, "not even better than the mean")],
)  # fmt: skip
def test_the_comparison_in_words(shift, said):
    random = np.random.default_rng(1)
    linear = 1.0 + 0.1 * random.normal(size=200)
    network = linear + shift + 0.1 * random.normal(size=200)
    differences = {"rmse": difference(network, linear, None, root=True)}
    figures = {
        name: {"rmse": float(np.sqrt(np.mean(values)))}
        for name, values in (("mean", linear + 0.5), ("linear", linear), ("network", network))
    }
    assert said in say_comparison(figures, differences)


def test_the_interval_covers_and_groups_widen_it():
    random = np.random.default_rng(0)
    inside = 0
    for _ in range(40):
        a, b = random.normal(1.0, 1.0, 80), random.normal(0.8, 1.0, 80)
        d = difference(a, b, None)
        inside += d.low <= 0.2 <= d.high
    assert 34 <= inside <= 40
    groups = np.repeat(np.arange(20), 20)
    a = np.repeat(random.normal(size=20), 20)  # rows of a group say the same
    narrow, wide = difference(a, 0 * a, None), difference(a, 0 * a, groups)
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)
    assert (wide.rows, narrow.rows) == (20, 400)
    assert wide.value == pytest.approx(narrow.value)

"""A user's own table: found out, trained on, reported, kept, predicted; what is wrong is named."""

import io
import json
import sys

import numpy as np
import pandas
import pytest
from sklearn import datasets

import minigrad as mg
from minigrad.cli import main
from minigrad.table import TableModel, fit, read_table
from minigrad.table.columns import find_column
from minigrad.table.preprocess import Preprocess
from minigrad.table.report import difference
from minigrad.table.target import find_target
from minigrad.table.words import say_comparison, say_overfitting

QUICK = {"epochs": 8, "hidden": (16,)}


def mixed(rows=240, seed=0):
    """Every kind of column, with gaps; the target hangs on size, colour and sold."""
    random = np.random.default_rng(seed)
    size = random.normal(50.0, 10.0, rows).round(2)
    colour = random.choice(["red", "green", "blue"], rows)
    sold = random.choice([True, False], rows)
    score = (size - 50) / 10 + 2 * (colour == "red") - sold + 0.3 * random.normal(size=rows)
    frame = pandas.DataFrame(
        {
            "number": np.arange(rows) + 7,
            "size": np.where(random.random(rows) < 0.1, np.nan, size),
            "colour": np.where(random.random(rows) < 0.1, None, colour),
            "sold": np.where(sold, "yes", "no"),
            "day": [f"2020-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(rows)],
            "unit": "cm",
            "remark": [f'row {i}, as "told"' for i in range(rows)],
            "price": (1000 + 100 * score).round(2),
            "grade": np.where(score > 0.3, "good", "bad"),
        }
    )
    return frame


@pytest.fixture
def csv_file(tmp_path):
    path = tmp_path / "mixed.csv"
    mixed().to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A model of the mixed table, in a file, trained from the command line."""
    folder = tmp_path_factory.mktemp("graded")
    mixed().to_csv(folder / "mixed.csv", index=False)
    arguments = ["fit", str(folder / "mixed.csv"), "--target", "grade", "--drop", "price"]
    assert main([*arguments, "--epochs", "8", "--hidden", "16", "--out", str(folder)]) == 0
    return folder / "model.safetensors"


def table(**columns):
    return pandas.DataFrame(columns)


# Columns


@pytest.mark.parametrize(
    ("values", "kind", "why"),
    [
        ([1.5, 2.5, None, 1.5], "numeric", ""),
        ([3, 1, 2, 2], "numeric", ""),
        (["1", "2.5", " 3 ", ""], "numeric", ""),
        ([True, False, True], "boolean", ""),
        (["Yes", "no", None], "boolean", ""),
        (["f", None, "f", None], "categorical", ""),
        (["m", "f", "m"], "categorical", ""),
        (["2020-02-29", "2021-01-01", None], "date", ""),
        (["2020-02-29 12:00", "2021-01-01 00:30"], "date", ""),
        (pandas.to_datetime(["2020-02-29", "2021-01-01"]), "date", ""),
        (["3/4/2020", "12/31/2020"], "dropped", "two ways"),
        ([5, 5, 5], "dropped", "constant, always '5'"),
        ([None, None], "dropped", "every cell is missing"),
        ([4, 5, 6, 7], "dropped", "numbers the rows from 4"),
        ([f"key {i}" for i in range(60)], "dropped", "60 different texts in 60 rows"),
        (["a", "b"] * 40, "categorical", ""),
    ],
)
def test_kinds_of_columns(values, kind, why):
    found = find_column(pandas.Series(values, name="c"))
    assert found.kind == kind
    assert why in found.why


def test_an_id_is_told_by_its_name():
    values = [17, 4, 99, 23]
    assert find_column(pandas.Series(values, name="user_id")).kind == "dropped"
    assert find_column(pandas.Series(values, name="humid")).kind == "numeric"
    assert find_column(pandas.Series(values, name="user_id"), "numeric").kind == "numeric"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["1", "2", "3", "4", "x7"], "row 4, column 'c': 'x7' is not a number, but 4 other"),
        (["1,5", "2,5", "3"], "row 0, column 'c': '1,5' has a decimal comma"),
        ([1.0, 2.0, np.inf], "row 2, column 'c': inf is not a finite number"),
    ],
)
def test_columns_that_need_a_person(values, text):
    with pytest.raises(ValueError, match=text):
        find_column(pandas.Series(values, name="c"))


@pytest.mark.parametrize(
    ("values", "task", "labels"),
    [
        ([0, 1] * 10, "classification", [0, 1]),
        ([3.0, 1.0, 2.0] * 10, "classification", [1, 2, 3]),
        (["no", "yes"] * 10, "classification", ["no", "yes"]),
        ([True, False] * 10, "classification", [False, True]),
        (list(range(40)), "regression", ()),
        ([0.5, 1.5] * 10, "regression", ()),
        (["1.5", "2.5"] * 10, "regression", ()),
    ],
)
def test_the_task_is_found(values, task, labels):
    target = find_target(pandas.Series(values, name="y"))
    assert (target.task, list(target.labels)) == (task, list(labels))


@pytest.mark.parametrize(
    ("values", "task", "text"),
    [
        ([1, 1, 1], None, "constant, always '1'"),
        (["a", "b", None], None, "row 2, column 'y': the cell is empty, and it is the target"),
        (["a", "a", "a", "b"], None, "class 'b' of target 'y' has 1 row: at least 3"),
        ([f"t{i}" for i in range(30)], None, "30 classes in 30 rows"),
        (["a", "b"] * 5, "regression", "row 0, column 'y': 'a' is not a number"),
        (["1", "2", "3", "4", "five"], None, "row 4, column 'y': 'five' is not a number"),
    ],
)
def test_targets_that_cannot_be_learned(values, task, text):
    with pytest.raises(ValueError, match=text):
        find_target(pandas.Series(values, name="y"), task)


def test_a_task_can_be_asked_for():
    values = pandas.Series([1, 2, 3] * 10, name="y")
    assert find_target(values, "regression").labels == ()
    assert find_target(values / 2, "classification").labels == [0.5, 1.0, 1.5]


# Preprocessing


def encoded(frame, rows=None, **options):
    found = [find_column(frame[name]) for name in frame.columns]
    rows = range(len(frame)) if rows is None else rows
    preprocess = Preprocess.fit(frame, found, list(rows), **options)
    return preprocess, dict(zip(preprocess.features, preprocess.encode(frame).T, strict=True))


def test_scales_come_from_the_training_rows_alone():
    _, features = encoded(table(a=[1.0, 3.0, None, 100.0], b=["x", "y", "x", "z"]), [0, 1, 2])
    np.testing.assert_allclose(features["a"][:3], [-np.sqrt(1.5), np.sqrt(1.5), 0], rtol=1e-6)
    assert features["a"][3] > 100
    assert features["a is missing"].tolist() == [0, 0, 1, 0]
    assert list(features)[2:] == ["b = x", "b = y"]  # no training row has z: no untrained weight
    assert [features["b = x"][3], features["b = y"][3]] == [0, 0]


def test_many_categories_share_a_feature():
    frame = table(c=["a"] * 9 + ["b"] * 5 + ["c", "d"], n=np.arange(16) ** 2)
    preprocess, features = encoded(frame, max_categories=2)
    assert preprocess.features[:3] == ["c = a", "c = b", "c = (other)"]
    assert features["c = (other)"].sum() == 2
    new = preprocess.encode(table(c=["never seen"], n=[4]), lenient=False)
    assert new[0, :3].tolist() == [0, 0, 1]


def test_dates_have_a_trend_and_a_season():
    days = pandas.date_range("2020-01-01", periods=400).astype(str)
    _, features = encoded(table(day=days))
    trend, week = features["day days"], features["day week sin"]
    assert np.all(np.diff(trend) > 0)
    np.testing.assert_allclose(week[:-7], week[7:], atol=1e-5)


def test_preprocessing_equals_scikit_learn():
    from sklearn.preprocessing import StandardScaler

    x = datasets.load_breast_cancer().data
    frame = pandas.DataFrame(x, columns=[f"c{i}" for i in range(x.shape[1])])
    preprocess, _ = encoded(frame, range(300))
    expected = StandardScaler().fit(x[:300]).transform(x)
    np.testing.assert_allclose(preprocess.encode(frame), expected, rtol=2e-5, atol=1e-5)


# Files


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("a,b\n1,x\n2,y\n", ","),
        ("\ufeffa;b\r\n1;x\r\n\r\n2;y\r\n", ";"),
        ("a\tb\n1\tx\n2\ty", "\t"),
        ('"a"|"b"\n1|x\n2|y\n', "|"),
        ("a , b\n1, x\n2, y\n", ","),
    ],
)
def test_separators_are_found(tmp_path, content, delimiter):
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode())
    frame = read_table(path)
    assert frame.attrs["delimiter"] == delimiter
    assert frame["a"].tolist() == [1, 2]
    assert frame["b"].str.strip().tolist() == ["x", "y"]


def test_lines_are_those_of_the_file(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a,b\n\n1,"two\nlines, one cell"\n\n3,"a ""quote"""\n')
    frame = read_table(path)
    assert frame.index.tolist() == [4, 6]
    assert frame["b"].tolist() == ["two\nlines, one cell", 'a "quote"']


def test_decimals_and_missing_marks(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a;b;c\n1,5;?;1\n2,5;4;02\n")
    frame = read_table(path, decimal=",", missing=["?"], text=["c"])
    assert frame["a"].tolist() == [1.5, 2.5]
    assert frame["b"].isna().tolist() == [True, False]
    assert frame["c"].tolist() == ["1", "02"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"a,b\n", "column names but no rows"),
        (b"a,b\n1,2\n3\n", "line 3: 1 cells, but the first line names 2 columns"),
        (b"a,b\n1,2\n3,4,5\n", "line 3: 3 cells"),
        (b"a,b,a\n1,2,3\n", "columns 1 and 3 are both named 'a'"),
        (b"1,2\n3,4\n", "the first line holds numbers"),
        (b'a,b\n1,"2\n', "is a quote not closed"),
        (b"a,b\n1,caf\xe9\n", "not utf-8 text"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04...", "a zip archive"),
        (b"PAR1....", "a Parquet file"),
    ],
)
@pytest.mark.parametrize("command", ["fit", "predict"])
def test_bad_files_end_with_one_clear_line(tmp_path, graded, capsys, content, text, command):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    last = ["--target", "b"] if command == "fit" else []
    first = [] if command == "fit" else [str(graded)]
    assert main([command, *first, str(path), *last]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert text in err
    assert err.count("\n") == 1


def test_without_pandas_the_extra_is_named(monkeypatch, csv_file, capsys):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert main(["fit", str(csv_file), "--target", "grade"]) == 2
    assert "pip install 'minigrad[table]'" in capsys.readouterr().err


# From table to report


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

    from minigrad.table.prepare import prepare

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
    from minigrad.table.prepare import prepare

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


def test_few_rows_and_missing_targets():
    with pytest.raises(ValueError, match="19 rows are too few"):
        fit(mixed().head(19), "grade")
    frame = mixed()
    frame.loc[[3, 8], "grade"] = None
    with pytest.raises(ValueError, match=r"row 3, column 'grade': .* \(and 1 more\)"):
        fit(frame, "grade")
    model = fit(frame, "grade", skip_missing_targets=True, **QUICK)
    assert "2 rows without a target are left out" in model.notes
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


# Predictions


@pytest.mark.parametrize("target", ["grade", "price", "colour", "sold"])
def test_a_file_predicts_what_training_reported(tmp_path, target):
    frame = mixed().drop(columns=["price"] if target == "grade" else ["grade"])
    frame = frame.dropna(subset=[target])
    model = fit(frame, target, **QUICK)
    model.save(tmp_path / "m.safetensors")
    loaded = TableModel.load(tmp_path / "m.safetensors")
    found = model.predict(frame)
    assert np.array_equal(found, loaded.predict(frame))
    assert np.array_equal(found[:1], loaded.predict(frame.head(1)))  # alone as in company
    assert np.array_equal(found, loaded.predict(frame[frame.columns[::-1]]))
    assert loaded.predict(frame.head(0)).shape == (0,)
    assert (str(loaded.report), loaded.history["loss"].tolist()) == (
        str(model.report),
        model.history["loss"].tolist(),
    )
    if target == "price":
        with pytest.raises(ValueError, match="no probabilities"):
            model.predict_proba(frame)
    else:
        chances = loaded.predict_proba(frame)
        np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-6)
        assert np.array_equal(np.array(model.target.labels)[chances.argmax(axis=1)], found)


def test_evaluation_equals_the_report():
    from minigrad.table.prepare import prepare

    frame = mixed().drop(columns="price")
    model = fit(frame, "grade", seed=5, **QUICK)
    test = frame.iloc[prepare(frame, "grade", seed=5).parts["test"]]
    assert model.evaluate(test) == model.report.figures["test"]["network"]
    with pytest.raises(ValueError, match="row 1, column 'grade': 'fair' is not one of the classes"):
        model.evaluate(mixed().assign(grade=["good", "fair"] * 120))
    with pytest.raises(ValueError, match="no column 'grade'"):
        model.evaluate(test.drop(columns="grade"))


def test_the_same_seed_gives_the_same_numbers():
    frame = mixed()
    mg.seed(1)
    first = fit(frame, "price", **QUICK)
    after = mg.default_generator.get_state()
    second = fit(frame, "price", **QUICK)
    other = fit(frame, "price", seed=1, **QUICK)
    for name, value in first.network.state_dict().items():
        assert np.array_equal(value.numpy(), second.network.state_dict()[name].numpy())
    assert str(first.report) == str(second.report) != str(other.report)
    assert after == mg.default_generator.get_state() == (1, 0)  # the caller's numbers are left be


ROW = {"size": 50.0, "colour": "red", "sold": "yes", "day": "2020-05-05"}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"colour": "pink"}, "line 3, column 'colour': 'pink' is not one of the known categories"),
        ({"size": "big"}, "line 3, column 'size': 'big' is not a number"),
        ({"size": "inf"}, "line 3, column 'size': inf is not a finite number"),
        ({"sold": "maybe"}, "line 3, column 'sold': 'maybe' is neither true nor false"),
        ({"sold": ""}, "line 3, column 'sold': the cell is empty, as it never was in a training"),
        ({"day": "5.5.2020"}, "line 3, column 'day': '5.5.2020' is not a date such as"),
        ({"day": ""}, "line 3, column 'day': the cell is empty"),
    ],
)
def test_cells_that_do_not_fit_are_named(tmp_path, graded, capsys, changes, text):
    path = tmp_path / "new.csv"
    pandas.DataFrame([ROW, {**ROW, **changes}]).to_csv(path, index=False)
    assert main(["predict", str(graded), str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert text in err
    assert err.count("\n") == 1
    if "pink" in text or "empty" in text:
        assert main(["predict", str(graded), str(path), "--lenient"]) == 0
        out, err = capsys.readouterr()
        assert out.count("\n") == 3
        assert "note: column" in err


def test_columns_of_a_new_table(tmp_path, graded, capsys):
    path, out = tmp_path / "new.csv", tmp_path / "out.csv"
    frame = pandas.DataFrame([ROW, {**ROW, "size": 5000, "colour": None}])
    frame.drop(columns="size").rename(columns={"colour": "Colour"}).to_csv(path, index=False)
    assert main(["predict", str(graded), str(path)]) == 2
    assert "lacks 'size', 'colour', which the model needs" in capsys.readouterr().err
    frame.assign(weight=1, number=["007", "08"]).to_csv(path, index=False, sep=";")
    arguments = ["predict", str(graded), str(path), "-o", str(out), "--keep"]
    assert main([*arguments, "name"]) == 2
    assert "no column 'name'" in capsys.readouterr().err
    assert main([*arguments, "number"]) == 0
    notes = capsys.readouterr().err
    assert "columns that the model does not know are left alone: 'weight'" in notes
    assert "column 'size', line 3: 5000 is far outside the training rows'" in notes
    found = pandas.read_csv(out, dtype=str)
    assert list(found.columns) == ["number", "prediction", "probability bad", "probability good"]
    assert found["number"].tolist() == ["007", "08"]
    model = TableModel.load(graded)
    assert found["prediction"].tolist() == model.predict(frame).tolist()
    chances = found.iloc[:, 2:].to_numpy().astype(np.float32)
    assert np.array_equal(chances, model.predict_proba(frame))  # not a bit is lost in the text


def test_regressions_are_written_in_the_targets_unit(tmp_path, csv_file, capsys):
    arguments = ["fit", str(csv_file), "--target", "price", "--drop", "grade", "--hidden", "none"]
    assert main([*arguments, "--out", str(tmp_path), "--quiet"]) == 0
    assert "RMSE" in capsys.readouterr().out
    assert main(["predict", str(tmp_path / "model.safetensors"), str(csv_file)]) == 0
    found = pandas.read_csv(io.StringIO(capsys.readouterr().out))
    assert list(found.columns) == ["prediction"]
    prices = mixed()["price"]
    assert np.corrcoef(found["prediction"], prices)[0, 1] > 0.8
    assert abs(found["prediction"].mean() - prices.mean()) < 0.3 * prices.std()


def test_the_files_decimals_are_kept_with_the_model(tmp_path, capsys):
    path = tmp_path / "mixed.csv"
    mixed().to_csv(path, index=False, sep=";", decimal=",")
    arguments = ["fit", str(path), "--target", "grade", "--drop", "price", "--epochs", "2"]
    assert main([*arguments, "--out", str(tmp_path)]) == 2
    assert "--decimal ," in capsys.readouterr().err
    assert main([*arguments, "--out", str(tmp_path), "--decimal", ","]) == 0
    assert main(["predict", str(tmp_path / "model.safetensors"), str(path)]) == 0
    mixed().to_csv(path, index=False)
    predict = ["predict", str(tmp_path / "model.safetensors"), str(path)]
    assert main(predict) == 2
    assert "has a point, but decimals are written with ','" in capsys.readouterr().err
    assert main([*predict, "--decimal", "."]) == 0


# The file


@pytest.mark.parametrize(
    ("break_it", "text"),
    [
        (lambda raw: raw[: len(raw) // 2], "truncated or corrupt"),
        (lambda raw: raw[:5], "truncated or corrupt"),
        (lambda raw: b"", "truncated or corrupt"),
        (lambda raw: raw[:-8] + bytes(8 * [0x5A]), "does not match its checksum"),
        (lambda raw: b"\x80\x04" + raw, "a pickle"),
    ],
)
def test_broken_models_are_refused(tmp_path, graded, csv_file, capsys, break_it, text):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(break_it(graded.read_bytes()))
    assert main(["predict", str(path), str(csv_file)]) == 2
    err = capsys.readouterr().err
    assert text in err
    assert err.count("\n") == 1


def test_other_files_are_not_models(tmp_path, csv_file, capsys):
    path = tmp_path / "other.safetensors"
    mg.save({"weight": mg.zeros(3)}, path)
    assert main(["predict", str(path), str(csv_file)]) == 2
    assert "not a model of a table" in capsys.readouterr().err
    assert main(["predict", str(tmp_path / "none.safetensors"), str(csv_file)]) == 2
    assert "none.safetensors" in capsys.readouterr().err


def test_the_file_is_plain_tensors_and_json(graded):
    from safetensors import safe_open

    with safe_open(graded, framework="numpy") as file:
        assert all(name.startswith("network.") for name in file.keys())  # noqa: SIM118
        assert json.loads(file.metadata()["minigrad.structure"])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--hidden", "8,x"], "not widths"),
        (["--delimiter", "ab"], "not one character"),
        (["--task", "ranking"], "invalid choice"),
    ],
)
def test_options_are_checked_by_the_parser(csv_file, capsys, arguments, text):
    with pytest.raises(SystemExit) as stop:
        main(["fit", str(csv_file), "--target", "grade", *arguments])
    assert stop.value.code == 2
    assert text in capsys.readouterr().err


def test_an_out_that_is_a_file(csv_file, capsys):
    assert main(["fit", str(csv_file), "--target", "grade", "--out", str(csv_file)]) == 2
    assert "is a file: name a folder" in capsys.readouterr().err

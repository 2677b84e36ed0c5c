"""What a table's columns and target are found to be, how they are encoded, how files are read."""

import numpy as np
import pandas
import pytest
from sklearn import datasets

from minigrad.table import read_table
from minigrad.table.columns import find_column
from minigrad.table.preprocess import Preprocess
from minigrad.table.target import find_target


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
        (pandas.to_timedelta([1, 2], unit="h"), "dropped", "turn it into numbers"),
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
        ([[1], [2]], "column 'c' holds cells that are no values: unhashable"),
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
        (pandas.date_range("2020-01-01", periods=9), None, "turn it into a number, such as days"),
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


@pytest.mark.parametrize("unit", [1e-300, 1e-30, 1e30, 1e300])
def test_any_unit_gives_the_same_features(unit):
    values = np.array([1.0, 2.0, 4.0, 8.0])
    plain, scaled = encoded(table(a=values))[1]["a"], encoded(table(a=unit * values))[1]["a"]
    np.testing.assert_allclose(scaled, plain, rtol=1e-6)


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


def test_points_beside_decimal_commas_are_numbers_or_dates(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a;day\n1,5;01.02.2023\n2,5;31.12.2023\n")
    assert read_table(path, decimal=",")["day"].tolist() == ["01.02.2023", "31.12.2023"]
    for cell, mend in (("1.5", "decimal='.'"), ("1.234,5", "between thousands"), (".5", "'.'")):
        path.write_text(f"a;b\n1,5;{cell}\n2,5;{cell}\n")
        with pytest.raises(ValueError, match=rf"line 2, column 'b': '{cell}' has a point.*{mend}"):
            read_table(path, decimal=",")


def test_decimals_and_missing_marks(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a;b;c\n1,5;?;1\n2,5;4;02\n")
    frame = read_table(path, decimal=",", missing=["?"], text=["c"])
    assert frame["a"].tolist() == [1.5, 2.5]
    assert frame["b"].isna().tolist() == [True, False]
    assert frame["c"].tolist() == ["1", "02"]

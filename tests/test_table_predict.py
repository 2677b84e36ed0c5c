"""Predictions for new tables: the bits of the training's own; what does not fit is named."""

import gzip
import io
import json
import sys

import numpy as np
import pandas
import pytest
from tables import mixed

import minigrad as mg
from minigrad.cli import main
from minigrad.table import TableModel, fit
from minigrad.table.prepare import Choices, prepare

QUICK = {"epochs": 8, "hidden": (16,)}


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
    frame = mixed().drop(columns="price")
    model = fit(frame, "grade", seed=5, **QUICK)
    test = frame.iloc[prepare(frame, "grade", Choices(seed=5)).parts["test"]]
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
    with pytest.raises(ValueError, match=r"lacks 'size', which the model needs$"):
        TableModel.load(graded).predict(frame.drop(columns="size"))
    with pytest.raises(TypeError, match="of type ndarray: give a pandas DataFrame"):
        TableModel.load(graded).predict(frame.to_numpy())
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


def test_without_a_command_or_a_file_the_command_line_says_what_there_is(tmp_path, capsys):
    assert main([]) == 0
    assert "train a network on a CSV file" in capsys.readouterr().out
    assert main(["fit", str(tmp_path / "no.csv"), "--target", "a"]) == 2
    assert capsys.readouterr().err == f"minigrad: there is no file {tmp_path / 'no.csv'}\n"


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
    mixed().to_csv(path, index=False, encoding="utf-16")
    assert main([*predict, "--decimal", ".", "--encoding", "utf-16"]) == 0


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
        (b"\x89HDF....", "an HDF5 file: read it with pandas.read_hdf and give that to"),
        (b"\x28\xb5\x2f\xfd....", "compressed with zstd: unpack it first"),
        (b"\x1f\x8b....", "begins as gzip does, but is broken"),
        (gzip.compress(b"a,b\n1,2\n")[:-9], "begins as gzip does, but is broken"),
        (gzip.compress(b"a,b\n1,2,3\n"), "line 2: 3 cells, but the first line names 2"),
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
    mg.save({"format": "minigrad.table 1", "hidden": [3]}, path)
    assert main(["predict", str(path), str(csv_file)]) == 2
    assert "not whole, or of another version" in capsys.readouterr().err
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

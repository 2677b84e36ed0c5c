"""Tables in compressed files, and of Excel, Parquet and Feather: what the CSV of them gives."""

import bz2
import gzip
import lzma
import sys
import zipfile

import numpy as np
import pytest

from minigrad.cli import main
from minigrad.table import read_table

pandas = pytest.importorskip("pandas")

COLUMNS = {
    "age": [36.0, 41.5, np.nan, 28.0],
    "city": ["Rome", "Oslo", None, "NA-7"],
    "count": [1, 2, 3, 4],
}
TEXT = "age\tcity\tcount\n36\tRome\t1\n41.5\tOslo\t2\n\t\t3\n28\tNA-7\t4\n"


@pytest.mark.parametrize("opened", [gzip.open, bz2.open, lzma.open])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_compressed_text_is_read_as_text(tmp_path, opened, encoding):
    path = tmp_path / "table.tsv.packed"
    with opened(path, "wb") as file:
        file.write(TEXT.encode(encoding))
    frame = read_table(path, encoding=encoding)
    assert frame.attrs["delimiter"] == "\t"
    assert list(frame.index) == [2, 3, 4, 5]
    pandas.testing.assert_frame_equal(
        frame.reset_index(drop=True), pandas.DataFrame(COLUMNS), check_dtype=False
    )


def written(path, frame):
    """The frame in a file of that kind; skips the test where pandas lacks the package."""
    kind = path.suffix
    pytest.importorskip("openpyxl" if kind == ".xlsx" else "pyarrow")
    if kind == ".xlsx":
        frame.to_excel(path, index=False)
    else:
        getattr(frame, "to_parquet" if kind == ".parquet" else "to_feather")(path)
    return path


KINDS = [".xlsx", ".parquet", ".feather"]


@pytest.mark.parametrize("kind", KINDS)
def test_columns_keep_their_kind(tmp_path, kind):
    frame = read_table(written(tmp_path / f"table{kind}", pandas.DataFrame(COLUMNS)))
    assert frame.attrs["delimiter"] is None
    assert frame.index.name == "row"
    assert list(frame.index) == ([2, 3, 4, 5] if kind == ".xlsx" else [1, 2, 3, 4])
    assert frame["age"].dtype == np.float64
    assert frame["count"].dtype == np.int64
    assert frame["city"].isna().tolist() == [False, False, True, False]
    assert frame["city"].dropna().tolist() == ["Rome", "Oslo", "NA-7"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_is_fitted_and_predicts(tmp_path, capsys, kind):
    random = np.random.default_rng(0)
    x = random.normal(size=(120, 2))
    table = pandas.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": x @ [1.0, -2.0]})
    path = written(tmp_path / f"table{kind}", table)
    fit = ["fit", str(path), "--target", "y", "--epochs", "3", "--quiet"]
    assert main([*fit, "--out", str(tmp_path / "out")]) == 0
    assert "120 rows, 3 columns\n" in capsys.readouterr().out
    model = str(tmp_path / "out" / "model.safetensors")
    assert main(["predict", model, str(path)]) == 0
    by_file = capsys.readouterr().out
    table.to_csv(tmp_path / "table.csv", index=False)
    assert main(["predict", model, str(tmp_path / "table.csv")]) == 0
    assert capsys.readouterr().out == by_file


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (pandas.DataFrame({1: [2, 3], 2: [4, 5]}), "the first line holds numbers"),
        (pandas.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), "both named 'a'"),
        (pandas.DataFrame({"a": []}), "column names but no rows"),
        (pandas.DataFrame(), "the first sheet is empty"),
    ],
)
def test_sheets_that_are_no_tables_are_refused(tmp_path, frame, text):
    path = written(tmp_path / "table.xlsx", frame)
    with pytest.raises(ValueError, match=text):
        read_table(path)


def test_a_sheet_may_begin_below_its_first_row(tmp_path):
    pytest.importorskip("openpyxl")
    path = tmp_path / "table.xlsx"
    pandas.DataFrame(COLUMNS).to_excel(path, index=False, startrow=3)
    assert list(read_table(path, missing=["Oslo"]).index) == [5, 6, 7, 8]
    assert read_table(path, missing=["Oslo"])["city"].isna().sum() == 2


def test_the_index_of_a_parquet_file_is_a_column(tmp_path):
    frame = pandas.DataFrame(COLUMNS).set_index("city")
    again = read_table(written(tmp_path / "table.parquet", frame))
    assert list(again.columns) == ["city", "age", "count"]


@pytest.mark.parametrize(
    ("content", "package", "what"),
    [
        (b"PK\x03\x04...", "openpyxl", "an Excel file"),
        (b"PAR1....PAR1", "pyarrow", "a Parquet file"),
        (b"ARROW1..", "pyarrow", "a Feather file"),
    ],
)
@pytest.mark.parametrize("there", [False, True])
def test_what_is_missing_or_broken_is_said_in_a_line(
    tmp_path, monkeypatch, capsys, content, package, what, there
):
    if there:
        pytest.importorskip(package)
    else:
        monkeypatch.setitem(sys.modules, package, None)
        monkeypatch.setitem(sys.modules, "fastparquet", None)
    path = tmp_path / "table.csv"  # the name does not matter
    path.write_bytes(content)
    if content.startswith(b"PK"):
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("xl/workbook.xml", "nothing")
    assert main(["fit", str(path), "--target", "y"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert what in err
    assert ("cannot read it" if there else package) in err

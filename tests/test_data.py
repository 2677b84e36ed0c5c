"""Data: what is wrong is named, splits are what they say, toys equal scikit-learn's."""

import gzip
import struct

import numpy as np
import pytest

from minigrad.data import (
    Dataset,
    k_fold,
    load_digits,
    load_mnist,
    make_circles,
    make_moons,
    make_polynomial,
    read_csv,
    read_idx,
    split,
)

# --- Dataset ---------------------------------------------------------------------------------


def test_rows_and_subsets_share_the_arrays():
    x, y = np.arange(12.0).reshape(6, 2), np.arange(6)
    data = Dataset(x, y)
    part = data.take([4, 1]).take([1])
    assert part.x.tolist() == [[2.0, 3.0]]
    assert part.y.tolist() == [1]
    assert part._x is data._x
    assert len(data) == 6
    assert data.rows(slice(2, 4))[1].tolist() == [2, 3]


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (np.zeros((3, 2)), np.zeros(4), ValueError, "x has 3 rows and y has 4"),
        (np.zeros((0, 2)), np.zeros(0), ValueError, "empty"),
        (np.array(1.0), None, ValueError, "axis of rows"),
        (np.array(["a", "b"]), None, TypeError, "must hold numbers"),
        (lambda: None, None, TypeError, "x is of type function: it must hold rows"),
        ([[1.0], [1.0, 2.0]], None, ValueError, "rectangular"),
        ([np.ones((3, 2)), np.ones(3)], None, ValueError, r"are a tuple, \(x, y\)"),
        ([[1.0, 2.0], [3.0, np.nan]], None, ValueError, "nan at row 1, column 1:"),
        ([[1.0], [2.0]], [0.0, -np.inf], ValueError, "y has -inf at row 1"),
        (np.full((2, 2, 2), np.inf), None, ValueError, r"row 0, position \(0, 0\) and 7 more"),
    ],
)
def test_bad_data_is_named(x, y, error, message):
    with pytest.raises(error, match=message):
        Dataset(x, y)


def test_a_nan_is_named_by_the_columns_name():
    with pytest.raises(ValueError, match=r"row 1, column 1 \('height'\)"):
        Dataset([[1.0, 2.0], [3.0, np.nan]], names=["age", "height"])
    with pytest.raises(ValueError, match="1 column names"):
        Dataset(np.zeros((2, 2)), names=["age"])


def test_a_pandas_table_names_its_columns():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(TypeError, match=r"column 'colour' of x has dtype .* minigrad\.table\.fit"):
        Dataset(pandas.DataFrame({"size": [1.0], "colour": ["red"]}))
    table = pandas.DataFrame({"age": [1.0, 2.0], "height": [3.0, np.nan]})
    with pytest.raises(ValueError, match=r"row 1, column 1 \('height'\)"):
        Dataset(table)
    assert Dataset(table.fillna(0)).names == ["age", "height"]


@pytest.mark.parametrize("rows", [[3], [-1], [0.5], [], np.zeros(2, dtype=bool)])
def test_rows_that_do_not_exist_are_refused(rows):
    with pytest.raises(ValueError, match=r"row|mask"):
        Dataset(np.zeros((3, 1))).take(rows)


def test_memory_mapped_arrays_stay_on_disk(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.arange(40, dtype=np.float32).reshape(20, 2))
    data = Dataset(np.load(path, mmap_mode="r"), np.arange(20))
    assert data.on_disk
    train, val = split(data, val=5)
    assert train.on_disk
    assert val._x is data._x
    assert train.rows([0])[0].shape == (1, 2)


def test_checking_goes_through_all_pieces(monkeypatch):
    monkeypatch.setattr("minigrad.data.dataset._CHECK_BYTES", 64)
    x = np.zeros((100, 3))
    x[97, 2] = np.nan
    with pytest.raises(ValueError, match="row 97, column 2"):
        Dataset(x)


# --- split and k_fold ------------------------------------------------------------------------


def test_split_shuffles_by_seed_and_loses_nothing():
    x = np.arange(100.0)
    train, val = split(x, val=0.3, seed=1)
    assert (len(train), len(val)) == (70, 30)
    assert sorted([*train.x, *val.x]) == x.tolist()
    assert train.x.tolist() != sorted(train.x)
    again, _ = split(x, val=0.3, seed=1)
    other, _ = split(x, val=0.3, seed=2)
    assert train.x.tolist() == again.x.tolist() != other.x.tolist()


def test_split_keeps_the_share_of_each_class():
    y = np.array([0] * 90 + [1] * 10)
    for seed in range(5):
        train, val = split((np.arange(100.0), y), val=0.2, seed=seed)
        assert (int(val.y.sum()), int(train.y.sum())) == (2, 8)
        assert "stratified over 2 classes" in repr(val)


def test_split_keeps_groups_whole():
    groups = np.repeat(np.arange(10), 7)
    train, val = split(np.arange(70.0), val=20, groups=groups)
    inside = {groups[int(i)] for i in val.x}
    assert inside.isdisjoint({groups[int(i)] for i in train.x})
    assert len(val) == 21


@pytest.mark.parametrize(("val", "test"), [(0.2, 0.1), (20, 10), (0.2, 10)])
def test_split_in_three(val, test):
    y = np.array([0] * 80 + [1] * 20)
    parts = split((np.arange(100.0), y), val, test, seed=3)
    assert [len(part) for part in parts] == [70, 20, 10]
    assert sorted(np.concatenate([part.x for part in parts])) == list(range(100))
    assert [int(part.y.sum()) for part in parts] == [14, 4, 2], "stratified"
    others = split((np.arange(100.0), y), 0.4, test, seed=3)
    assert set(others[2].x) == set(parts[2].x), "the test rows do not depend on val"
    assert all(part.x.tolist() != sorted(part.x) for part in parts)


def test_split_in_three_keeps_groups_whole():
    for seed in range(20):
        groups = np.random.default_rng(seed).integers(0, 5, 60)
        parts = split(np.arange(60.0), 0.3, 0.3, seed=seed, groups=groups)
        inside = [set(groups[part.x.astype(int)]) for part in parts]
        assert sum(len(names) for names in inside) == 5
        assert set.union(*inside) == set(range(5))
        assert all(inside)


def test_three_parts_need_rows_and_groups_and_classes_for_three():
    x = np.arange(10.0)
    with pytest.raises(ValueError, match="5 and 5 rows of 10 leave none to train on"):
        split(x, 0.5, 0.5)
    with pytest.raises(ValueError, match=r"test = 2\.0 is not a fraction"):
        split(x, 0.2, 2.0)
    with pytest.raises(TypeError, match="test must be a fraction or a number of rows, got True"):
        split(x, 0.2, True)
    with pytest.raises(ValueError, match="there are 2 groups for 3 parts"):
        split(x, 0.2, 0.2, groups=[0] * 5 + [1] * 5)
    y = np.array([0] * 8 + [1] * 2)
    with pytest.raises(ValueError, match="class 1 has 2 rows and cannot be in all 3 parts"):
        split((x, y), 0.2, 0.2, stratify=True)
    assert "stratified" not in repr(split((x, y), 0.2, 0.2)[0])
    assert "stratified" in repr(split((x, y), 0.2)[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"val": 1.5}, "fraction"),
        ({"val": 0}, "at least one row"),
        ({"val": 10}, "at least one row"),
        ({"val": 0.01}, "at least one row"),
        ({"groups": [1, 2]}, "one label a row"),
        ({"groups": [1] * 10}, "one group"),
        ({"stratify": True}, "whole numbers as classes"),
    ],
)
def test_impossible_splits_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        split(np.arange(10.0), **arguments)


def test_a_class_of_one_row_cannot_be_stratified():
    y = np.array([0, 0, 0, 1])
    with pytest.raises(ValueError, match="class 1 has a single row"):
        split((np.arange(4.0), y), val=2, stratify=True)
    train, val = split((np.arange(4.0), y), val=2)
    assert len(train) == len(val) == 2


@pytest.mark.parametrize("part", [split, k_fold])
def test_options_of_another_type_are_named(part):
    pair = np.arange(10.0), np.arange(10) % 2
    for wrong in (pair[1], "yes", 1):
        with pytest.raises(TypeError, match="stratify must be True, False or 'auto'"):
            part(pair, stratify=wrong)
    with pytest.raises(TypeError, match=r"seed must be an integer, got 1\.5"):
        part(pair, seed=1.5)


@pytest.mark.parametrize("groups", [None, np.arange(20) // 3])
def test_folds_cover_every_row_once(groups):
    y = np.arange(20) % 2
    seen = []
    for train, val in k_fold((np.arange(20.0), y), k=4, groups=groups):
        assert set(train.x).isdisjoint(val.x)
        assert len(train) + len(val) == 20
        if groups is None:
            assert abs(int(val.y.sum()) - 2.5) <= 0.5
        else:
            assert {groups[int(i)] for i in val.x}.isdisjoint({groups[int(i)] for i in train.x})
        seen += val.x.tolist()
    assert sorted(seen) == list(range(20))


@pytest.mark.parametrize("k", [1, 11])
def test_impossible_folds_are_refused_at_once(k):
    with pytest.raises(ValueError, match="k must be from 2 to 10"):
        k_fold(np.arange(10.0), k=k)


# --- toys ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "n"), [("make_moons", 101), ("make_circles", 100)])
def test_toys_without_noise_are_scikit_learns_points(name, n):
    datasets = pytest.importorskip("sklearn.datasets")
    ours = {"make_moons": make_moons, "make_circles": make_circles}[name]
    x, y = ours(n, shuffle=False)
    theirs_x, theirs_y = getattr(datasets, name)(n, shuffle=False)
    np.testing.assert_allclose(x, theirs_x, atol=1e-12)
    assert y.tolist() == theirs_y.tolist()


def test_noise_has_the_deviation_asked_for():
    clean, labels = make_moons(20_000, seed=3)
    noisy, same = make_moons(20_000, noise=0.2, seed=3)
    assert labels.tolist() == same.tolist()
    noise = noisy - clean
    assert abs(noise.mean()) < 0.01
    np.testing.assert_allclose(noise.std(axis=0), 0.2, rtol=0.03)


def test_toys_follow_the_seed():
    assert np.array_equal(make_moons(noise=0.1, seed=1)[0], make_moons(noise=0.1, seed=1)[0])
    assert not np.array_equal(make_moons(noise=0.1, seed=1)[0], make_moons(noise=0.1, seed=2)[0])


def test_the_polynomial_is_a_sine_of_its_first_column():
    x, y = make_polynomial(50, degree=3, noise=0.0)
    np.testing.assert_allclose(y, np.sin(2 * np.pi * x[:, 0]))
    np.testing.assert_allclose(x[:, 2], x[:, 0] ** 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_moons(1), "at least 2 points"),
        (lambda: make_moons(noise=-1.0), "standard deviation"),
        (lambda: make_circles(factor=1.0), "inner circle"),
        (lambda: make_polynomial(0), ">= 1"),
        (lambda: make_moons(seed=-1), "seed"),
    ],
)
def test_impossible_toys_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- readers ---------------------------------------------------------------------------------


def idx(array, code):
    big = array.astype(array.dtype.newbyteorder(">"))
    return (
        bytes([0, 0, code, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + (big.tobytes())
    )


@pytest.mark.parametrize(
    ("dtype", "code"),
    [("u1", 8), ("i1", 9), ("i2", 11), ("i4", 12), ("f4", 13), ("f8", 14)],
)
@pytest.mark.parametrize("packed", [False, True])
def test_idx_round_trip(tmp_path, dtype, code, packed):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    raw = idx(array, code)
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    found = read_idx(path)
    assert found.dtype == array.dtype
    assert np.array_equal(found, array)


WHOLE = idx(np.arange(6, dtype=np.uint8), 8)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "not an IDX file: it starts with nothing"),
        (b"PNG\x00", "not an IDX file: it starts with 50 4e 47 00"),
        (b"\0\0\x07\x01", "not an IDX file"),
        (WHOLE[:6], "truncated in the header"),
        (WHOLE[:-1], "truncated: 13 bytes"),
        (WHOLE + b"x", "too long"),
        (gzip.compress(WHOLE)[:-9], "broken gzip"),
    ],
)
def test_foreign_and_truncated_idx_files_are_named(tmp_path, raw, message):
    path = tmp_path / "file"
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=message):
        read_idx(path)


def test_mnist_from_a_folder(tmp_path):
    images = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(images, 8))
    with pytest.raises(FileNotFoundError, match="train-labels-idx1-ubyte"):
        load_mnist(tmp_path)
    labels = gzip.compress(idx(np.array([3, 7], dtype=np.uint8), 8))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(labels)
    x, y = load_mnist(tmp_path)
    assert x.dtype == np.float32
    assert x.shape == (2, 16)
    assert x[0, 1] == np.float32(1 / 255)
    assert y.tolist() == [3, 7]


def test_csv_with_names_and_target(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text('size,"weight, kg",label\n1,2.5,0\n\n3,4.5,1\n')
    data = read_csv(path, target="label")
    assert data.x.tolist() == [[1.0, 2.5], [3.0, 4.5]]
    assert data.y.tolist() == [0, 1]
    assert data.y.dtype == np.int64
    assert data.names == ["size", "weight, kg"]
    assert read_csv(path, target=1).y.dtype == np.float64
    assert read_csv(path, target=-1).y.tolist() == [0, 1]


def test_csv_without_names(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("1;2\n3;4\n")
    data = read_csv(path, delimiter=";")
    assert data.x.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert data.y is None
    assert data.names is None


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        ("a,b\n1,2\n3\n", None, "line 3: 1 columns, expected 2"),
        ("1,2\n3,4,5\n", None, "line 2: 3 columns, expected 2"),
        ("a,b\n1,2\n3,x\n", None, r"line 3, column 1 \('b'\): 'x' is not a finite number"),
        ("a;b\n1;2\n", None, r"'1;2' is not a finite number: perhaps .*delimiter=';'\)"),
        ("a,b\n1_0,2\n", None, "'1_0' is not a finite number"),
        ("a,b,a\n1,2,3\n", "a", "2 columns are named 'a'"),
        ("1,2\n3,\n", None, "line 2, column 1: the cell is empty"),
        ("a,b\n1,nan\n", None, r"line 2, column 1 \('b'\): 'nan'"),
        ("a,b\n", None, "no rows"),
        ("", None, "no rows"),
        ("a,b\n1,2\n", "c", "no column 'c'"),
        ("1,2\n", "a", "names no columns"),
        ("1,2\n", 2, "column 2 does not exist"),
    ],
)
def test_bad_tables_are_named_by_line_and_column(tmp_path, text, target, message):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_csv(path, target=target)


def test_the_digits_are_real_ones():
    pytest.importorskip("sklearn")
    x, y = load_digits()
    assert x.shape == (1797, 64)
    assert (x.min(), x.max()) == (0.0, 1.0)
    assert set(y) == set(range(10))

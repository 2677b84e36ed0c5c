"""Files: what goes in comes out, and what is not whole is refused by name."""

import json
import os
import pickle

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import minigrad as mg
from minigrad import nn


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def test_nested_state_round_trip(path):
    state = {
        "model": nn.Linear(3, 2).state_dict(),
        "optimizer": {"state": {0: {"step": mg.tensor(3)}, 1: {}}, "lr": [1e-3, 1e-4]},
        "epoch": 7,
        "best": float("inf"),
        "name": "a naïve name",
        "flag": True,
        "nothing": None,
        "shape": (2, (3, 4)),
        "array": np.arange(3, dtype=np.int32),
        "empty": mg.zeros(0, 4),
        "scalar": np.float32(0.5),
    }
    mg.save(state, path)
    found = mg.load(path)
    assert found.keys() == state.keys()
    for key in ("epoch", "best", "name", "flag", "nothing", "shape", "scalar"):
        assert found[key] == state[key]
        assert type(found[key]) is type(state[key]) or key == "scalar"
    assert found["optimizer"]["lr"] == [1e-3, 1e-4]
    assert found["optimizer"]["state"][0]["step"].item() == 3
    assert found["optimizer"]["state"][1] == {}
    assert found["array"].dtype == np.int32
    assert found["array"].tolist() == [0, 1, 2]
    assert found["empty"].shape == (0, 4)
    for name, value in state["model"].items():
        assert np.array_equal(found["model"][name].numpy(), value.numpy())
        assert not found["model"][name].requires_grad


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_every_dtype_and_layout(path, dtype):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    views = [array, array.T, array[:, ::2], array[1, 2, 3]]
    mg.save([mg.tensor(v) for v in views] + [mg.tensor(array).transpose(0, 2)], path)
    for found, view in zip(mg.load(path), [*views, array.transpose(2, 1, 0)], strict=True):
        assert found.dtype == np.dtype(dtype)
        assert np.array_equal(found.numpy(), view)


def test_order_of_names_and_colliding_names_survive(path):
    state = {"b": mg.ones(1), "a": {"x": mg.ones(2)}, "a.x": mg.ones(3)}
    mg.save(state, path)
    found = mg.load(path)
    assert list(found) == ["b", "a", "a.x"]
    assert (found["a"]["x"].shape, found["a.x"].shape) == ((2,), (3,))


def test_a_single_tensor(path):
    mg.save(mg.tensor([1.0, np.nan, np.inf]), path)
    assert np.array_equal(mg.load(path).numpy(), [1, np.nan, np.inf], equal_nan=True)


def test_other_programs_read_the_names(path):
    layer = nn.Linear(3, 2)
    mg.save(layer.state_dict(), path)
    assert np.array_equal(load_file(path)["weight"], layer.weight.numpy())


def test_files_of_other_programs(path):
    save_file({"weight": np.ones((2, 3), np.float16)}, path)
    found = mg.load(path)
    assert found["weight"].tolist() == [[1.0] * 3] * 2
    assert found["weight"].dtype == np.float32


def test_an_odd_dtype_in_a_foreign_file_is_named(path):
    header = json.dumps({"w": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        mg.load(path)


def test_every_truncation_is_refused(path):
    mg.save({"w": mg.arange(4.0), "n": 3}, path)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"model\.safetensors.*truncated"):
            mg.load(path)


def test_every_flipped_byte_is_refused(path):
    mg.save({"w": mg.arange(4.0), "n": 3}, path)
    whole = path.read_bytes()
    spare = set(b" ")  # the header is padded with spaces
    for i, byte in enumerate(whole):
        if byte in spare:
            continue
        path.write_bytes(whole[:i] + bytes([byte ^ 1]) + whole[i + 1 :])
        with pytest.raises(ValueError, match=r"model\.safetensors"):
            mg.load(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "truncated"),
        (b"hello, this is no model", "not a safetensors file"),
        (pickle.dumps({"w": 1}), "a pickle, which is never opened"),
        (b"PK\x03\x04" + b"\0" * 40, "a zip archive"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 40, "HDF5"),
        (b"\x93NUMPY\x01\0" + b"\0" * 40, "numpy.load"),
    ],
)
def test_foreign_files(path, content, message):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        mg.load(path)
    assert str(path) in str(error.value)


def test_missing_file_and_directory(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        mg.load(tmp_path / "nowhere")
    with pytest.raises(IsADirectoryError, match="is a directory"):
        mg.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        mg.save({}, tmp_path / "nowhere" / "model.safetensors")
    with pytest.raises(IsADirectoryError, match="is a directory; give the name of a file in it"):
        mg.save({}, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        ({"model": {"f": len}}, r"obj\['model'\]\['f'\] is a builtin"),
        (nn.Linear(1, 1), "state_dict"),
        ({"x": np.array(["text"])}, r"obj\['x'\] has dtype"),
        ({"x": np.zeros(1, complex)}, "complex128"),
        ({1.5: 1}, "a key of the object is 1.5"),
        ({"a": [{None: 1}]}, r"obj\['a'\]\['0'\]"),
    ],
)
def test_what_cannot_be_saved_leaves_the_old_file(path, obj, message):
    mg.save({"old": 1}, path)
    with pytest.raises(TypeError, match=message):
        mg.save(obj, path)
    assert mg.load(path) == {"old": 1}
    assert os.listdir(path.parent) == [path.name]


def test_a_failed_write_leaves_the_old_file(path, monkeypatch):
    mg.save({"old": 1}, path)

    def full_disk(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        mg.save({"new": 2}, path)
    assert mg.load(path) == {"old": 1}
    assert os.listdir(path.parent) == [path.name]


def test_loaded_tensors_own_their_memory(path):
    mg.save({"w": mg.zeros(3)}, path)
    found = mg.load(path)["w"]
    with mg.no_grad():
        found.fill_(5.0)
    assert mg.load(path)["w"].tolist() == [0.0, 0.0, 0.0]


def test_the_metadata_is_in_order(tmp_path):
    """safetensors writes it in an order that differs from process to process."""
    mg.save({"é": mg.ones(3), "b": 1}, tmp_path / "a")
    content = (tmp_path / "a").read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    assert list(header["__metadata__"]) == ["minigrad.crc32", "minigrad.structure"]
    assert size % 8 == 0
    assert mg.load(tmp_path / "a")["é"].tolist() == [1.0, 1.0, 1.0]

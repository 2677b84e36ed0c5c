"""Fashion-MNIST from a local address: fetched once, checked, never half written."""

import gzip
import hashlib
import struct

import numpy as np
import pytest

from minigrad.data import fashion, fashion_mnist


@pytest.fixture
def official(tmp_path, monkeypatch):
    """A folder that plays the official address, with four small files."""
    folder = tmp_path / "official"
    folder.mkdir()
    for part, n in (("train", 6), ("t10k", 3)):
        images = bytes(range(n * 28 * 28 % 256)) + bytes(n * 28 * 28 - n * 28 * 28 % 256)
        contents = {
            f"{part}-images-idx3-ubyte.gz": struct.pack(">4B3I", 0, 0, 8, 3, n, 28, 28) + images,
            f"{part}-labels-idx1-ubyte.gz": struct.pack(">4BI", 0, 0, 8, 1, n) + bytes(range(n)),
        }
        for name, content in contents.items():
            (folder / name).write_bytes(gzip.compress(content, mtime=0))
    sums = {file.name: hashlib.md5(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    monkeypatch.setattr(fashion, "_MD5", sums)
    nowhere = (tmp_path / "nowhere").as_uri() + "/"
    monkeypatch.setattr(fashion, "_ADDRESSES", (nowhere, folder.as_uri() + "/"))
    return folder


def test_the_sums_are_of_the_four_official_files():
    assert sorted(fashion._MD5) == [
        f"{part}-{kind}-ubyte.gz" for part in ("t10k", "train") for kind in
        ("images-idx3", "labels-idx1")
    ]  # fmt: skip
    assert {len(md5) for md5 in fashion._MD5.values()} == {32}


def test_it_is_fetched_once_and_then_needs_no_network(official, tmp_path):
    cache = tmp_path / "new" / "cache"
    x, y = fashion_mnist(cache, train=False)
    assert (x.shape, x.dtype, y.tolist()) == ((3, 784), np.float32, [0, 1, 2])
    assert x[0, :3].tolist() == [0.0, np.float32(1 / 255), np.float32(2 / 255)]
    assert sorted(f.name for f in cache.iterdir()) == [
        n for n in sorted(fashion._MD5) if "t10" in n
    ]
    for file in official.glob("t10k*"):
        file.unlink()
    assert np.array_equal(fashion_mnist(cache, train=False, download=False)[0], x)
    assert len(fashion_mnist(cache)[1]) == 6


@pytest.mark.parametrize("variable", ["MINIGRAD_DATA", "XDG_CACHE_HOME"])
def test_the_cache_is_where_the_environment_says(official, tmp_path, monkeypatch, variable):
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "there"))
    fashion_mnist(train=False)
    inner = "fashion-mnist" if variable == "MINIGRAD_DATA" else "minigrad/fashion-mnist"
    assert (tmp_path / "there" / inner / "t10k-labels-idx1-ubyte.gz").is_file()


def test_a_damaged_cache_is_named(official, tmp_path):
    fashion_mnist(tmp_path / "cache", train=False)
    file = tmp_path / "cache" / "t10k-labels-idx1-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"t10k-labels-idx1-ubyte\.gz is damaged: its MD5.*delete"):
        fashion_mnist(tmp_path / "cache", train=False)


def test_a_damaged_download_is_not_kept(official, tmp_path):
    (official / "t10k-images-idx3-ubyte.gz").write_bytes(b"<html>not found</html>")
    with pytest.raises(OSError, match=r"gave 22 bytes with the MD5 sum .*, the official one is"):
        fashion_mnist(tmp_path / "cache", train=False)
    assert not (tmp_path / "cache").exists()


def test_an_interrupted_write_leaves_nothing(official, tmp_path, monkeypatch):
    def interrupted(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(fashion.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fashion_mnist(tmp_path / "cache", train=False)
    assert list((tmp_path / "cache").iterdir()) == []


def test_without_network_the_message_says_what_to_do(official, tmp_path):
    (official / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(
        OSError, match=r"nowhere/t10k-images.*, nor .*t10k-images.* put the file into"
    ):
        fashion_mnist(tmp_path / "cache", train=False)
    with pytest.raises(FileNotFoundError, match="does not exist: put it there or use download"):
        fashion_mnist(tmp_path / "cache", train=False, download=False)

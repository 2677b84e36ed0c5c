"""The demo runs from the command line, prints its table, draws its picture, tells the truth."""

import struct

import numpy as np
import pytest

from minigrad.cli import main
from minigrad.demo import run_demo
from minigrad.demo.report import verdict
from minigrad.demo.runs import FIXES, Run
from minigrad.history import History

pytest.importorskip("matplotlib")


def test_the_command_prints_a_table_and_draws(tmp_path, capsys):
    pytest.importorskip("sklearn")
    picture = tmp_path / "demo.png"
    assert main(["demo", "--quick", "--out", str(picture)]) == 0
    text = capsys.readouterr().out
    for fix in FIXES:
        assert sum(line.startswith(f"{fix.name:14}  ") for line in text.splitlines()) == 2
    assert "moons" in text
    assert "handwritten digits" in text
    assert text.count("Without a fix it") == 2
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def mnist(tmp_path):
    random = np.random.Generator(np.random.Philox(0))
    for part, n in (("train", 60), ("t10k", 40)):
        header = bytes([0, 0, 8, 3]) + struct.pack(">3I", n, 4, 4)
        pixels = random.integers(256, size=(n, 4, 4), dtype=np.uint8)
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
        labels = (np.arange(n) % 10).astype(np.uint8).tobytes()
        header = bytes([0, 0, 8, 1]) + struct.pack(">I", n)
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(header + labels)
    return tmp_path


def test_digits_from_a_folder_and_figures_that_agree(mnist, tmp_path, capsys):
    results = run_demo(tmp_path / "demo.png", seed=3, mnist=mnist, quick=True)
    assert [len(runs) for _, runs in results] == [5, 5]
    problem, runs = results[1]
    assert (len(problem.train), len(problem.val)) == (30, 20)
    for run in runs:
        epoch = run.history.best_epoch if run.fix.early_stopping else len(run.history) - 1
        assert run.val["loss"] == run.history["val_loss"][epoch]
        assert run.train["accuracy"] == run.history["accuracy"][epoch]
        assert ("penalty" in run.history.columns) == run.fix.l2
    assert "MNIST" in capsys.readouterr().out


def test_a_missing_folder_is_a_message_not_a_traceback(tmp_path, capsys):
    out = str(tmp_path / "demo.png")
    assert main(["demo", "--quick", "--mnist", str(tmp_path / "no"), "--out", out]) == 2
    assert "train-images-idx3-ubyte" in capsys.readouterr().err


def test_a_picture_with_no_place_is_told_before_the_work(tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "no" / "demo.png")]) == 2
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("val", "accuracy", "text"),
    [
        (0.3, 0.9, "better, validation loss x 0.30"),
        (1.2, 0.7, "worse"),
        (1.01, 0.8, "little change"),
    ],
)
def test_the_verdict_says_what_was_measured(val, accuracy, text):
    def run(fix, losses, loss, accuracy):
        history = History()
        for epoch, value in enumerate(losses):
            history.append({"epoch": epoch, "loss": 0.1, "val_loss": value})
        figures = {"loss": loss, "accuracy": accuracy}
        return Run(fix, history, figures, figures, 0.0)

    plain = run(FIXES[0], [0.5, 1.0], 1.0, 0.8)
    other = run(FIXES[1], [0.5, val], val, accuracy)
    said = verdict([plain, other])
    assert "it overfits: validation loss is 0.500 at epoch 0 and 1.000 at the end" in said
    assert f"L2: {text}" in said
    calm = run(FIXES[0], [1.0, 0.9], 0.9, 0.8)
    assert "does not overfit" in verdict([calm])

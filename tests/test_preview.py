"""The picture of what augmentation does: it shows all, and leaves no trace."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import augment, nn

X = np.random.default_rng(0).random((3, 1, 9, 9), np.float32)


def test_preview_leaves_no_trace_and_shows_all():
    pytest.importorskip("matplotlib")
    model = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), augment.RandomRotation(20), nn.Flatten(), nn.Linear(64, 2)
    )
    model[1].eval()
    state = mg.default_generator.get_state()
    picture = augment.preview(np.random.default_rng(0).random((3, 64), np.float32), model, draws=4)
    assert mg.default_generator.get_state() == state
    assert [m.training for m in model] == [True, False, True, True]
    titles = [axes.get_title() for axes in picture.axes]
    assert titles[:5] == ["original", "draw 1", "draw 2", "draw 3", "draw 4"]
    assert len(picture.axes) == 15
    shown = [axes.images[0].get_array() for axes in picture.axes]
    assert len({np.asarray(a).tobytes() for a in shown}) == 15


@pytest.mark.parametrize("mix", [augment.MixUp(1.0), augment.CutMix()])
def test_preview_of_several_modules_in_a_row(mix, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "a.png"
    augment.preview(X, [augment.ColorJitter(0.5), mix], draws=2, path=path)
    assert path.stat().st_size > 1000


def test_preview_refuses_what_it_cannot_draw():
    pytest.importorskip("matplotlib")
    with pytest.raises(ValueError, match="no augmentation"):
        augment.preview(X, nn.Linear(2, 2))
    with pytest.raises(TypeError, match="the images first"):
        augment.preview(augment.RandomRotation(3), X)
    with pytest.raises(ValueError, match="1 or 3"):
        augment.preview(mg.rand(2, 2, 4, 4), augment.RandomRotation(3))
    with pytest.raises(ValueError, match="at least one"):
        augment.preview(X[:0], augment.RandomRotation(3))

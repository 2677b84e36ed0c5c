"""MixUp and CutMix: inputs and labels are blended alike, by weights of the right distribution."""

import numpy as np
import pytest
from scipy import stats

import minigrad as mg
from minigrad import _core, augment, nn, optim


def test_mixup_blends_inputs_and_labels_alike():
    x, y = mg.tensor(np.eye(5, dtype=np.float32)), mg.tensor(np.arange(5))
    mixed, labels = augment.MixUp(1.0, num_classes=5)(x, y)
    assert np.array_equal(mixed.numpy(), labels.numpy())
    w = np.diagonal(mixed.numpy())
    both = np.diag(w) + np.roll(np.diag(1 - w), -1, 1)
    np.testing.assert_allclose(mixed.numpy(), both, rtol=0, atol=1.2e-7)  # an ulp of 1
    assert len({*w}) == 5


def test_cutmix_blends_labels_by_the_share_of_the_pixels():
    n = 400
    x = mg.tensor(np.broadcast_to(np.arange(n)[:, None, None, None], (n, 2, 11, 13)).astype("f4"))
    y = mg.tensor(np.eye(n, dtype=np.float32))
    mixed, labels = augment.CutMix(1.0)(x, y)
    own = (mixed.numpy() == np.arange(n)[:, None, None, None]).mean((1, 2, 3))
    np.testing.assert_allclose(np.diagonal(labels.numpy()), own, atol=1e-6)
    others = mixed.numpy() == (np.arange(n) - 1)[:, None, None, None] % n
    assert (others.mean((1, 2, 3)) + own == 1).all()
    for image in others:
        assert image[0].sum() == image[0].any(0).sum() * image[0].any(1).sum(), "no box"
    assert own.std() > 0.15


@pytest.mark.parametrize("mix", [augment.MixUp(0.4), augment.CutMix(0.4)])
def test_binary_targets_are_blended_as_they_are(mix):
    x, y = mg.rand(6, 1, 5, 5), mg.tensor(np.array([0, 1, 0, 1, 1, 0], np.float32))
    _, soft = mix(x, y)
    assert soft.shape == (6,)
    np.testing.assert_allclose(soft.sum().item(), 3, atol=2)
    kept = mix.eval()(x, y)
    mix.train()
    assert kept[0] is x
    assert kept[1] is y


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_weights_are_beta_distributed(alpha):
    w = _core.symmetric_beta(mg.random.next_key(), 20000, alpha).numpy()
    assert stats.kstest(w, stats.beta(alpha, alpha).cdf).pvalue > 1e-3


def test_mixing_is_part_of_a_compiled_step():
    def train(compiled):
        mg.seed(0)
        model = nn.Sequential(
            augment.RandomAffine(20, (0.2, 0.1), (0.7, 1.4), (-10, 10, -5, 5)),
            nn.Flatten(),
            nn.Linear(64, 3),
        )
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        mixes, loss_fn = [augment.MixUp(0.2, 3), augment.CutMix(1.0, 3)], nn.CrossEntropyLoss()

        def step(x, y):
            optimizer.zero_grad()
            x, y = mixes[0](x, y)
            x, y = mixes[1](x, y)
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        step = mg.compile(step) if compiled else step
        rng = np.random.default_rng(1)
        for _ in range(5):
            step(mg.tensor(rng.random((9, 1, 8, 8), np.float32)), mg.tensor(rng.integers(0, 3, 9)))
        return model[2].weight.detach().numpy()

    assert np.array_equal(train(True), train(False))

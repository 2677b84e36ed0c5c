"""Random numbers: Philox's known answers, the written assignment of bits, statistics, same bits."""

import threading

import numpy as np
import pytest
from scipy import stats

import minigrad as mg
from minigrad import _core
from minigrad.random import Generator, default_generator, next_key, rand, randint, randn, randperm


def philox(counter, key):
    """Philox4x32-10 in plain integers: the reference that the kernels must equal."""
    c, (k0, k1) = list(counter), key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        low = 0xFFFFFFFF
        c = [p1 >> 32 ^ c[1] ^ k0, p1 & low, p0 >> 32 ^ c[3] ^ k1, p0 & low]
        k0, k1 = k0 + 0x9E3779B9 & low, k1 + 0xBB67AE85 & low
    return c


def words(seed, step, group):
    """The 64 words of a group, in the order that kernels/philox.h documents."""
    out = np.empty(64, np.uint32)
    halves = [v % 2**64 >> s & 0xFFFFFFFF for v in (step, seed) for s in (0, 32)]
    for b in range(16):
        block = 16 * group + b
        w = philox([block & 0xFFFFFFFF, block >> 32, *halves[:2]], halves[2:])
        out[2 * b : 2 * b + 2], out[32 + 2 * b : 34 + 2 * b] = w[:2], w[2:]
    return out


def key(seed, step=0):
    return mg.tensor(np.array([seed, step], np.int64))


@pytest.mark.parametrize(
    ("counter", "secret", "expected"),
    [
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        (
            [0xFFFFFFFF] * 4,
            [0xFFFFFFFF] * 2,
            [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD],
        ),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_reference_gives_the_known_answers_of_random123(counter, secret, expected):
    assert philox(counter, secret) == expected


@pytest.mark.parametrize(("seed", "step"), [(0, 0), (1, 2), (-1, -1), (2**40 + 5, 3 * 2**33)])
def test_uniform_is_the_upper_bits_of_philox(seed, step):
    drawn = [words(seed, step, g) for g in range(3)]
    expected = np.concatenate(drawn) >> 8
    got = _core.uniform(key(seed, step), (150,)).numpy()
    np.testing.assert_array_equal(got, expected[:150].astype(np.float32) * np.float32(2**-24))

    whole = np.concatenate([w.view(np.uint64) for w in drawn])
    got = _core.uniform(key(seed, step), (75,), 1).numpy()
    np.testing.assert_array_equal(got, (whole[:75] >> 11).astype(np.float64) * 2.0**-53)


def test_randint_and_permutation_follow_their_numbers():
    numbers = np.concatenate([words(3, 4, g).view(np.uint64) for g in range(3)])
    got = _core.randint(key(3, 4), -5, 995, (80,)).numpy()
    assert got.tolist() == [(int(n) * 1000 >> 64) - 5 for n in numbers[:80]]
    expected: list[int] = []
    for i, n in enumerate(numbers[:90]):
        j = int(n) * (i + 1) >> 64
        expected.append(i)
        expected[i], expected[j] = expected[j], i
    assert _core.permutation(key(3, 4), 90).tolist() == expected


def dropout_mask(n, seed, step, p):
    """What kernels/random.h says of dropout, in plain numpy."""
    drop = int(p * 65536 + 0.5)
    bits = next(b for b in (1, 2, 4, 8, 16) if drop % 2 ** (16 - b) == 0)
    fields = 32 // bits
    keep = []
    for g in range(n // (64 * fields) + 1):
        w = words(seed, step, g)
        for f in range(fields):
            field = (w << np.uint32(f * bits)) >> np.uint32(32 - bits)
            signed = field ^ np.uint32(1 << (bits - 1))  # as a signed number, from the lowest up
            keep.append(signed >= drop >> (16 - bits))
    return np.concatenate(keep)[:n]


@pytest.mark.parametrize("p", [0.5, 0.25, 0.75, 0.0625, 0.9375, 3 / 256, 0.1, 0.3, 0.9, 1e-4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_is_the_documented_mask(p, dtype):
    n = 2500
    x = np.random.default_rng(0).normal(size=n).astype(dtype)
    y = _core.dropout(mg.tensor(x), key(9, 11), p).numpy()
    mask = dropout_mask(n, 9, 11, p)
    scale = np.dtype(dtype).type(1 / (1 - p))
    np.testing.assert_array_equal(y, np.where(mask, x * scale, 0))


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.8])
def test_dropout_rate_and_independence(p):
    n = 400_000
    masks = [_core.dropout(mg.ones(n), key(s, t), p).numpy() == 0 for s, t in ((1, 1), (1, 2))]
    error = 4.5 * np.sqrt(p * (1 - p) / n)
    for mask in masks:
        assert abs(mask.mean() - p) < error
        rows = mask[: n // 640 * 640].reshape(-1, 640)
        columns = rows.mean(0)
        spread = np.sqrt(p * (1 - p) / len(rows))
        assert abs(columns - p).max() < 5 * spread
        for lag in (1, 2, 8, 16, 32, 64, 128, 256, 512, 1024, 2048):
            both = (mask[lag:] & mask[:-lag]).mean()
            assert abs(both - p * p) < 5 * np.sqrt(p * p * (1 - p * p) / n), lag
    both = (masks[0] & masks[1]).mean()
    assert abs(both - p * p) < 5 * np.sqrt(p * p * (1 - p * p) / n)


def test_gradient_of_dropout_is_the_same_mask():
    x = mg.tensor(np.random.default_rng(0).normal(size=(40, 50)), requires_grad=True)
    k = key(4, 4)
    y = _core.dropout(x, k, 0.3)
    y.backward(mg.ones(40, 50, dtype="float64"))
    np.testing.assert_array_equal(x.grad.numpy(), np.where(y.numpy() == 0, 0, 1 / 0.7))
    (first,) = mg.grad((_core.dropout(x, k, 0.3) ** 2).sum(), [x], create_graph=True)
    (second,) = mg.grad(first.sum(), [x])
    np.testing.assert_allclose(second.numpy(), np.where(y.numpy() == 0, 0, 2 / 0.49), rtol=1e-15)


def test_dropout_edges():
    x = mg.tensor([1.0, np.nan, np.inf, -np.inf] * 50, requires_grad=True)
    y = _core.dropout(x, key(1), 1.0)
    y.backward(mg.ones(200))
    assert y.tolist() == x.grad.tolist() == [0.0] * 200
    assert _core.dropout(mg.ones(7), key(1), 0.0).tolist() == [1.0] * 7
    half = _core.dropout(x.detach(), key(1), 0.5).numpy()
    dropped = _core.dropout(mg.ones(200), key(1), 0.5).numpy() == 0
    assert (half[dropped] == 0).all()
    assert np.isnan(half[~dropped]).any()
    assert _core.dropout(mg.zeros(0), key(1), 0.5).shape == (0,)


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan"), float("inf")])
@pytest.mark.parametrize("op", [_core.dropout, _core.dropout2d])
def test_p_outside_0_1_is_an_error(op, p):
    with pytest.raises(ValueError, match=r"p must be a probability in \[0, 1\]"):
        op(mg.ones(2, 2), key(0), p)


def test_other_wrong_arguments_name_what_is_wrong():
    with pytest.raises(TypeError, match="key must be an int64 tensor of 2 elements"):
        _core.dropout(mg.ones(3), mg.ones(2), 0.5)
    with pytest.raises(TypeError, match="x must be float32 or float64, got int64"):
        _core.dropout(mg.arange(3), key(0), 0.5)
    with pytest.raises(ValueError, match=r"shape \(N, C, ...\), got \(3,\)"):
        _core.dropout2d(mg.ones(3), key(0), 0.5)
    with pytest.raises(ValueError, match="low must be below high, got low = 3, high = 3"):
        randint(3, 3, 5)
    with pytest.raises(ValueError, match="n must not be negative, got -1"):
        randperm(-1)
    with pytest.raises(ValueError, match="negative"):
        rand(-1)
    with pytest.raises(TypeError, match="float32 or float64, got int64"):
        rand(3, dtype="int64")
    with pytest.raises(TypeError, match=r"seed must be an integer, got 1\.5"):
        mg.seed(1.5)


@pytest.mark.parametrize("shape", [(6, 5, 4, 3), (3, 130), (2, 3, 0), (70, 3, 7)])
def test_dropout2d_drops_whole_channels(shape):
    x = mg.tensor(np.random.default_rng(1).uniform(1, 2, shape), requires_grad=True)
    y = _core.dropout2d(x, key(2), 0.25)
    channels = shape[0] * shape[1]
    keep = _core.dropout(mg.ones(channels, dtype="float64"), key(2), 0.25).numpy()
    factor = keep.reshape(shape[0], shape[1], *[1] * (len(shape) - 2))
    np.testing.assert_array_equal(y.numpy(), x.detach().numpy() * factor)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.broadcast_to(factor, shape))


def test_dropout_of_strided_views():
    x = mg.tensor(np.random.default_rng(2).normal(size=(30, 70)))
    expected = _core.dropout(x.T.clone(), key(3), 0.4).numpy()
    np.testing.assert_array_equal(_core.dropout(x.T, key(3), 0.4).numpy(), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_is_normal(dtype):
    x = randn(200_000, dtype=dtype, generator=Generator(5)).numpy()
    assert x.dtype == dtype
    assert stats.kstest(x, "norm").pvalue > 1e-3
    assert abs(stats.kurtosis(x)) < 0.05
    pairs = x[: len(x) // 64 * 64].reshape(-1, 2, 32)  # cosines and sines of the same draws
    assert abs(np.corrcoef(pairs[:, 0].ravel(), pairs[:, 1].ravel())[0, 1]) < 0.01
    assert np.isfinite(x).all()


def test_uniform_is_uniform():
    x = rand(200_000, generator=Generator(6)).numpy()
    assert stats.kstest(x, "uniform").pvalue > 1e-3
    assert 0 <= x.min() < x.max() < 1


def test_permutations_are_equally_likely():
    g = Generator(7)
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(4800):
        p = tuple(randperm(4, g).tolist())
        counts[p] = counts.get(p, 0) + 1
    assert len(counts) == 24
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3
    assert sorted(randperm(1000, g).tolist()) == list(range(1000))
    assert randperm(0).tolist() == []


def test_randint_covers_its_range():
    x = randint(-3, 4, (70, 100), Generator(8)).numpy()
    assert x.shape == (70, 100)
    assert stats.chisquare(np.bincount(x.ravel() + 3)).pvalue > 1e-3
    assert randint(-(2**63), 2**63 - 1, 3).numpy().dtype == np.int64


def test_generator_goes_on_from_its_state():
    g = Generator(11)
    rand(5, generator=g)
    state = g.get_state()
    assert state == (11, 1)
    expected = randn(4, generator=g).tolist()
    h = Generator()
    h.set_state(state)
    assert randn(4, generator=h).tolist() == expected
    assert h.initial_seed() == 11
    assert h.manual_seed(-1).get_state() == (-1, 0)
    assert Generator(2**64 + 3).get_state() == (3, 0)
    assert repr(Generator(3)) == "Generator(seed=3, count=0)"
    with pytest.raises(ValueError, match="state is"):
        g.set_state((1, 2, 3))


def test_keys_count_up_and_do_not_share_memory_with_the_state():
    g = Generator(5)
    first, second = next_key(g), next_key(g)
    assert first.tolist() == [5, 0]
    assert second.tolist() == [5, 1]
    assert g.state.tolist() == [5, 2]


def test_every_thread_has_a_default_generator_of_its_own():
    mg.seed(3)
    here = default_generator.get_state()
    there = []

    def draw():
        mg.seed(4)
        rand(3)
        there.append(default_generator.get_state())

    thread = threading.Thread(target=draw)
    thread.start()
    thread.join()
    assert there == [(4, 1)]
    assert default_generator.get_state() == here == (3, 0)

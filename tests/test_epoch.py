"""Epochs in C++: plans over rows, figures, rows kept, and going back to where a training was."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import minigrad as mg
from minigrad import _core
from minigrad._core import Epoch, EpochPart, orders

X = np.arange(20, dtype="float32").reshape(10, 2)
NO_ORDER = np.zeros((1, 0), np.int64)


def doubled_and_sum():
    """A plan over 3 rows: twice the rows, and their sum."""
    function = mg.compile(lambda x: (x * 2, x.sum()))
    function(X[:3])
    return function.plans[0]


def table(epochs, figures):
    return np.zeros((epochs, figures + 1))


def test_rows_in_order_fill_an_array_and_add_up():
    kept = mg.zeros(10, 2)
    part = EpochPart(doubled_and_sum(), [mg.tensor(X)], 1, 10, False, [-1, 0], 3.0, [kept, None])
    found = table(1, 1)
    epoch = Epoch([part], [9.0])
    epoch.run(NO_ORDER, found)
    assert epoch.completed == 1
    assert found[0, 0] == sum(3.0 * X[i : i + 3].sum() for i in (1, 4, 7)) / 9
    assert found[0, 1] > 0, "seconds"
    assert np.array_equal(kept.numpy()[1:], 2 * X[1:])
    assert np.array_equal(kept.numpy()[0], [0, 0])


def test_shuffled_rows_follow_each_epochs_order():
    order = np.stack([np.random.default_rng(i).permutation(10) for i in range(4)])
    kept = mg.zeros(9, 2)
    part = EpochPart(doubled_and_sum(), [mg.tensor(X)], 0, 9, True, [-1, 0], 3.0, [kept, None])
    found = table(4, 1)
    Epoch([part], [9.0]).run(order, found)
    assert np.array_equal(kept.numpy(), 2 * X[order[-1, :9]])
    wanted = [3 * float(X[row[:9]].sum()) / 9 for row in order]
    assert np.array_equal(found[:, 0], wanted)


def test_epochs_in_drawn_orders_are_those_in_given_ones():
    given, drawn = table(7, 1), table(7, 1)
    part = EpochPart(doubled_and_sum(), [mg.tensor(X)], 0, 9, True, [-1, 0], 3.0, [None, None])
    epoch = Epoch([part], [9.0])
    epoch.run(orders(5, 3, 7, 10), given)
    assert epoch.run_drawn(5, 3, 10, drawn, np.inf) == 7
    assert np.array_equal(drawn[:, 0], given[:, 0])
    assert len(set(drawn[:, 0])) > 1, "the rows that are left out differ"


def test_no_epoch_begins_once_time_is_over():
    part = EpochPart(doubled_and_sum(), [mg.tensor(X)], 1, 10, False, [-1, 0], 3.0, [None, None])
    epoch = Epoch([part], [9.0])
    found = table(10**6, 1)
    for seconds, fewest, most in ((0.0, 1, 1), (0.01, 2, 10**6 - 1)):
        found[:] = 0
        count = epoch.run_drawn(0, 0, 0, found, seconds)
        assert fewest <= count <= most
        assert count == epoch.completed == np.count_nonzero(found[:, 1])
        assert found[count - 1, 1] >= seconds
        assert (found[: count - 1, 1] < max(seconds, 1e-9)).all()


@pytest.fixture
def threads():
    before = mg.get_num_threads()
    yield
    mg.set_num_threads(before)


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("shuffled", [False, True])
def test_large_rows_are_brought_by_several_threads(threads, count, shuffled):
    mg.set_num_threads(count)
    rows = np.random.default_rng(0).standard_normal((130, 1000)).astype("float32")
    function = mg.compile(lambda x: (x * 2,))
    function(rows[:64])
    kept = mg.zeros(128, 1000)
    part = EpochPart(function.plans[0], [mg.tensor(rows)], 0, 128, shuffled, [-1], 1.0, [kept])
    order = np.random.default_rng(1).permutation(130)[None]
    Epoch([part], []).run(order, table(1, 0))
    assert np.array_equal(kept.numpy(), 2 * rows[order[0, :128] if shuffled else slice(128)])


def test_state_goes_back():
    counter = mg.zeros(1)

    def count():
        with mg.no_grad():
            counter.copy_(counter + 1)
        return counter * 1

    function = mg.compile(count)
    function()
    function()
    epoch = Epoch([EpochPart(function.plans[0], [], 0, 0, False, [0], 1.0, [None])], [1.0])
    state = epoch.save()
    found = table(3, 1)
    epoch.run(np.zeros((3, 0), np.int64), found)
    assert found[:, 0].tolist() == [3, 4, 5]
    epoch.restore(state)
    assert counter.item() == 2


@pytest.mark.parametrize(
    ("data", "span", "figures", "kept", "error", "message"),
    [
        ([], (0, 3), [-1, 0], [None, None], ValueError, "1 inputs got 0 arrays"),
        ([X], (0, 3), [0], [None], ValueError, "2 outputs got 1 figures"),
        ([X], (0, 4), [-1, 0], [None, None], ValueError, "no multiple"),
        ([X], (0, 12), [-1, 0], [None, None], IndexError, "row 11 of 10"),
        ([X], (0, 3), [0, -1], [None, None], ValueError, "is no figure"),
        ([X], (0, 3), [-1, 1], [None, None], ValueError, "is no figure"),
        ([X[:, :1]], (0, 3), [-1, 0], [None, None], ValueError, "array 0 of"),
        ([X.astype(float)], (0, 3), [-1, 0], [None, None], ValueError, "float64"),
        ([X], (0, 9), [-1, 0], [mg.zeros(8, 2), None], ValueError, "not fill"),
        ([X], (0, 9), [-1, 0], [X, None], TypeError, "expected a Tensor"),
    ],
)
def test_parts_that_do_not_fit_are_refused(data, span, figures, kept, error, message):
    data = [mg.tensor(array) for array in data]
    with pytest.raises(error, match=message):
        Epoch([EpochPart(doubled_and_sum(), data, *span, False, figures, 1.0, kept)], [1.0])


@pytest.mark.parametrize(("epochs", "rows"), [(0, 5), (1, 0), (1, 1), (3, 2), (4, 257)])
def test_orders_of_epochs_are_permutations_by_their_numbers(epochs, rows):
    drawn = orders(7, 2**31, epochs, rows)
    assert (drawn.shape, drawn.dtype) == ((epochs, rows), np.int64)
    for number, order in enumerate(drawn):
        expected = _core.permutation(mg.tensor([7, 2**31 + number]), rows)
        assert np.array_equal(order, expected.numpy())


def test_orders_of_negative_size_are_refused():
    for size in ((-1, 5), (5, -1)):
        with pytest.raises(ValueError, match=f"{size[0]} epochs of {size[1]} rows"):
            orders(0, 0, *size)


def test_orders_that_do_not_fit_are_refused():
    part = EpochPart(doubled_and_sum(), [mg.tensor(X)], 0, 9, True, [-1, 0], 3.0, [None, None])
    epoch = Epoch([part], [9.0])
    for order, error, message in (
        (np.full((1, 10), 10), IndexError, "row 10 of 10"),
        (np.full((1, 10), -1), IndexError, "row -1 of 10"),
        (np.zeros((1, 8), np.int64), ValueError, "of which 9 are taken"),
        (np.zeros((2, 10), np.int64), ValueError, "epochs"),
    ):
        with pytest.raises(error, match=message):
            epoch.run(order, table(1, 1))
    for rows, error, message in (
        (11, IndexError, "row 10 of 10"),
        (8, ValueError, "of which 9 are taken"),
        (-1, ValueError, "orders of -1 rows"),
    ):
        with pytest.raises(error, match=message):
            epoch.run_drawn(0, 0, rows, table(1, 1), 1.0)
    with pytest.raises(ValueError, match="a table"):
        epoch.run_drawn(0, 0, 10, table(1, 2), 1.0)


def test_threads_that_use_one_epoch_at_once_are_refused():
    """What the first one writes stays within its table, however often others try to run."""
    part = EpochPart(doubled_and_sum(), [mg.tensor(X)], 0, 9, True, [-1, 0], 3.0, [None, None])
    epoch = Epoch([part], [9.0])
    state = epoch.save()
    epochs, rounds = 30000, 4  # long enough that the others come while one is at it
    order = np.tile(np.arange(10), (epochs, 1))
    start = threading.Barrier(4)

    def use(number):
        refusals = []
        for _ in range(rounds):
            around = np.zeros((3, epochs, 2))
            start.wait(60)
            for _ in range(50):
                try:
                    if number < 2:
                        epoch.run(order, around[1])
                        break
                    epoch.restore(epoch.save() if number == 2 else state)
                except RuntimeError as error:
                    refusals.append(str(error))
            assert not around[0].any()
            assert not around[2].any()
        return refusals

    with ThreadPoolExecutor(4) as pool:
        refusals = [text for texts in pool.map(use, range(4)) for text in texts]
    assert refusals, "they never met"
    assert all("already replaying in another thread" in text for text in refusals)


def test_an_order_that_is_written_to_while_it_is_followed_cannot_lead_astray():
    part = EpochPart(doubled_and_sum(), [mg.tensor(X)], 0, 9, True, [-1, 0], 3.0, [None, None])
    order = np.tile(np.arange(10), (20000, 1))
    begun, ended = threading.Event(), threading.Event()

    def spoil():
        begun.set()
        while not ended.is_set():
            order[:] = 1 << 40
            order[:] = np.arange(10)

    with ThreadPoolExecutor(1) as pool:
        spoiling = pool.submit(spoil)
        begun.wait(60)
        try:
            for _ in range(5):
                found = table(20000, 1)
                try:
                    Epoch([part], [9.0]).run(order, found)
                except IndexError:
                    assert not found.any()
                else:
                    assert (found[:, 0] == 3 * X[:9].sum() / 9).all()
        finally:
            ended.set()
        spoiling.result()

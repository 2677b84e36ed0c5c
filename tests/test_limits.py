"""Sizes and attributes beyond all memory are errors that say so, and never a crash."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import _core

IMAGE, FILTERS = mg.ones(1, 1, 4, 4), mg.ones(1, 1, 5, 5)
NO_ROWS = mg.tensor(np.zeros(0, "int64"))
THETA = mg.tensor(np.zeros((1, 2, 3)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: _core.uniform(mg.tensor([0, 0]), (2**62,)), "more bytes than can be counted"),
        (lambda: mg.ones(1).expand(2**62).clone(), "more bytes than can be counted"),
        (lambda: _core.slice_backward(mg.ones(1), [2**62], [0], [1]), "more bytes"),
        (lambda: _core.embedding_backward(mg.ones(0, 4), NO_ROWS, 2**60), "more bytes"),
        (lambda: _core.slice_backward(mg.ones(0, 0), [-1, -1], [0, 0], [1, 1]), "not be negative"),
        (lambda: _core.take_backward(mg.ones(0), NO_ROWS, [-3], 0), "must not be negative"),
        (lambda: mg.cat([mg.ones(1).expand(2**62)] * 4 + [mg.ones(5)]), "than can be counted"),
        (lambda: mg.conv2d(IMAGE, FILTERS, dilation=2**62), "dilation must be at most 2147483648"),
        (lambda: mg.conv2d(IMAGE, FILTERS, padding=2**63 - 1), "padding must be at most"),
        (lambda: mg.max_pool2d(IMAGE, 2**62, 1, 2**61), "kernel_size must be at most"),
        (lambda: _core.resample_backward(IMAGE, THETA, 2**63 - 5, 1), "limit is 2\\^24 pixels"),
    ],
)
def test_sizes_that_cannot_be(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_sizes_beyond_all_counting_beside_one_of_0() -> None:
    x = mg.ones(0).reshape(0, 2**62, 2**62)
    assert ((x + 1).shape, x.sum().item()) == ((0, 2**62, 2**62), 0)


@pytest.mark.parametrize(
    ("starts", "sizes", "steps"),
    [([0], [5], [2**62]), ([0], [5], [0]), ([1], [3], [-(2**63)]), ([2**63 - 1], [2], [1])],
)
def test_slices_that_leave_their_tensor(
    starts: list[int], sizes: list[int], steps: list[int]
) -> None:
    with pytest.raises(IndexError, match="leave shape"):
        _core.slice(mg.tensor([True, False]), starts, sizes, steps)


def test_a_step_beyond_the_end_takes_one() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x[1 :: 2**62]
    y.sum().backward()
    assert (y.tolist(), x.grad.tolist()) == ([2.0], [0.0, 1.0])


def in_child(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-c", "import minigrad as mg, numpy as np\n" + code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("number", [str(2**32), "65537", "0", "two"])
def test_numbers_of_threads_that_no_machine_has(number: str) -> None:
    found = in_child("mg.get_num_threads()", MINIGRAD_NUM_THREADS=number)
    assert f"whole number from 1 to 65536, got '{number}'" in found.stderr
    with pytest.raises(ValueError, match="at most 65536"):
        mg.set_num_threads(2**31 - 1)


LITTLE_MEMORY = """
import resource
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {room} * 2**20, resource.RLIM_INFINITY))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_fewer_threads_than_asked_for_give_the_same() -> None:
    code = "x = mg.ones(1000, 1000)\nmg.set_num_threads(64)\n" + LITTLE_MEMORY.format(room=200)
    found = in_child(code + "print((x @ x).sum().item())")
    assert found.stdout == "1000000000.0\n", found.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_that_ends_within_a_task_is_an_error() -> None:
    code = """
mg.set_num_threads(2)
images, big = mg.zeros(4, 1, 4000, 4000), mg.ones(1000, 1000)
theta = mg.tensor(np.tile([[0.9, 0.1, 0.0], [0.0, 0.9, 0.1]], (4, 1, 1)))
big @ big  # the threads are there
"""
    again = """
try:
    mg._core.resample(images, theta, 8, 8)
except MemoryError:
    print("no memory", (big @ big).sum().item())
"""
    found = in_child(code + LITTLE_MEMORY.format(room=64) + again)
    assert found.stdout == "no memory 1000000000.0\n", found.stderr

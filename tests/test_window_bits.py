"""The bits of convolution, pooling and embedding, for any number of threads and on every ISA."""

import hashlib
import itertools
import os
import subprocess
import sys

import numpy as np
from convolutions import CONVS, arrays
from test_pool import POOLS

from minigrad import _core
from minigrad._core import Tensor


def digest() -> str:
    """The bits of every op here, values and gradients, over the tables above."""
    h = hashlib.sha256()

    def add(y, *leaves):
        y.backward(Tensor(np.random.default_rng(3).standard_normal(y.shape).astype(y.dtype)))
        for t in (y, *(leaf.grad for leaf in leaves)):
            h.update(t.numpy().tobytes())

    for case, dtype in itertools.product(CONVS, (np.float32, np.float64)):
        leaves = [Tensor(a, requires_grad=True) for a in arrays(case, dtype=dtype)]
        add(_core.conv2d(*leaves, *case[2:]), *leaves)
    for case in POOLS:
        x = Tensor(np.random.default_rng(4).standard_normal(case[0]), requires_grad=True)
        add(_core.max_pool2d(x, *case[1:]) + _core.avg_pool2d(x, *case[1:]), x)
    rng = np.random.default_rng(5)
    w = Tensor(rng.standard_normal((9, 300)).astype(np.float32), requires_grad=True)
    add(_core.embedding(Tensor(rng.integers(0, 9, 1000)), w), w)
    # Large enough for several threads.
    leaves = [
        Tensor(rng.standard_normal(s).astype(np.float32), requires_grad=True)
        for s in ((20, 8, 14, 14), (24, 8, 3, 3), (24,))
    ]
    y = _core.max_pool2d(_core.conv2d(*leaves, padding=1), 2)
    add(y, *leaves)
    return h.hexdigest()


def test_bits_do_not_depend_on_threads():
    before = _core.get_num_threads()
    try:
        digests = []
        for n in (1, 2, 5):
            _core.set_num_threads(n)
            digests.append(digest())
    finally:
        _core.set_num_threads(before)
    assert len(set(digests)) == 1


def test_bits_do_not_depend_on_the_isa():
    def run(isa: str) -> str:
        code = (
            "import sys; sys.path.insert(0, sys.argv[1]);"
            "import test_window_bits; print(test_window_bits.digest())"
        )
        command = [sys.executable, "-P", "-c", code, os.path.dirname(__file__)]
        env = {**os.environ, "MINIGRAD_ISA": isa}
        return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout

    best = run("")
    assert best.strip() == digest() or _core.isa() in ("baseline", "reference")
    assert best == run("reference") or _core.isa() == "baseline"

"""The same bits in long computations: for any number of threads, and as the reference ISA's."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from optimizers import CASES, parameter

import minigrad as mg
from minigrad import _core, optim


def key(seed, step=0):
    return mg.tensor(np.array([seed, step], np.int64))


def random_numbers():
    """A hash over all that draws, on arrays that threads share out."""
    out = hashlib.sha256()
    x = mg.tensor(np.linspace(-1, 1, 300_007, dtype=np.float32))
    for p in (0.5, 0.3):
        out.update(_core.dropout(x, key(1, 2), p).numpy().tobytes())
        out.update(_core.dropout(x.double(), key(1, 2), p).numpy().tobytes())
    channels = x[:300_000].reshape(300, 100, 10)
    out.update(_core.dropout2d(channels, key(1, 2), 0.2).numpy().tobytes())
    for dtype in (0, 1):
        out.update(_core.uniform(key(3), (100_003,), dtype).numpy().tobytes())
        out.update(_core.normal(key(3), (100_003,), dtype).numpy().tobytes())
    out.update(_core.randint(key(4), 0, 10**12, (100_003,)).numpy().tobytes())
    out.update(_core.permutation(key(4), 5000).numpy().tobytes())
    return out.hexdigest()


def updates():
    """The bits after a few updates of arrays that threads share out."""
    out = hashlib.sha256()
    for dtype in ("float32", "float64"):
        for make, _, options in CASES:
            rng = np.random.default_rng(6)
            p = parameter(rng.normal(size=(300, 301)), dtype)
            optimizer = make([p], **options)
            for _ in range(3):
                p.grad = mg.tensor(rng.normal(size=p.shape).astype(dtype))
                out.update(optim.clip_grad_norm_([p], 100.0).numpy().tobytes())
                optimizer.step()
            out.update(p.detach().numpy().tobytes())
    return out.hexdigest()


DIGESTS = {"random_numbers": random_numbers, "updates": updates}


@pytest.mark.parametrize("name", DIGESTS)
def test_any_number_of_threads(name):
    before = mg.get_num_threads()
    digests = set()
    try:
        for threads in (1, 2, 3):
            mg.set_num_threads(threads)
            digests.add(DIGESTS[name]())
    finally:
        mg.set_num_threads(before)
    assert len(digests) == 1


@pytest.mark.skipif(mg.isa() == "baseline", reason="baseline has no fma")
def test_the_reference_isa():
    run = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "MINIGRAD_ISA": "reference"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == [digest() for digest in DIGESTS.values()]


if __name__ == "__main__":
    print(*(digest() for digest in DIGESTS.values()))

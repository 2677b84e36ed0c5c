"""Every instruction set that this machine has, on the same inputs, each in a process of its own:
those with fused multiply-add give the bits of `reference`, and baseline its values."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from checks import DTYPES, PRESENT, everything, fixed_call

from minigrad import _core

ISAS = _core.build_info()["isas"]
SCALES = [1, 1, 1, 6, 6, 19]  # tiny, and with vectors whole and cut


def dump(path: str) -> None:
    """Everything that the cases give, by name, to an npz."""
    results = {}
    for case in PRESENT:
        for number, scale in enumerate(SCALES):
            call, source = fixed_call(case, number, scale)
            for dtype in DTYPES:
                found = everything(case, call, dtype, source.rng)
                for i, array in enumerate(found):
                    results[f"{case.op}/{number}/{np.dtype(dtype)}/{i}"] = array
    results["isa"] = np.array(_core.isa())
    np.savez(path, **results)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, np.ndarray]]:
    folder = tmp_path_factory.mktemp("isas")
    here = Path(__file__).parent
    code = f"import sys; sys.path[:0] = [{str(here)!r}]; import test_isas as t; t.dump(sys.argv[1])"
    running = {
        isa: subprocess.Popen(
            [sys.executable, "-P", "-c", code, str(folder / f"{isa}.npz")],
            env={**os.environ, "MINIGRAD_ISA": isa},
        )
        for isa in ISAS
    }
    assert [isa for isa, process in running.items() if process.wait() != 0] == []
    return {isa: dict(np.load(folder / f"{isa}.npz")) for isa in ISAS}


def test_the_forced_isa_is_the_one_that_ran(results: dict[str, dict[str, np.ndarray]]) -> None:
    assert {isa: str(found["isa"]) for isa, found in results.items()} == {i: i for i in ISAS}


@pytest.mark.parametrize("isa", [i for i in ISAS if i not in ("baseline", "reference")])
def test_fused_isas_give_the_bits_of_the_reference(
    isa: str, results: dict[str, dict[str, np.ndarray]]
) -> None:
    want, got = results["reference"], results[isa]
    assert set(want) == set(got)
    other = sorted(
        {k.split("/")[0] for k in want if want[k].tobytes() != got[k].tobytes()} - {"isa"}
    )
    assert other == [], f"ops whose bits differ between {isa} and reference: {other}"


def test_baseline_gives_the_values_of_the_reference(
    results: dict[str, dict[str, np.ndarray]],
) -> None:
    assert "baseline" in ISAS
    for name, want in results["reference"].items():
        got = results["baseline"][name]
        if want.dtype.kind != "f":
            assert np.array_equal(got, want) or name == "isa", name
            continue
        width = 1e-5 if "float32" in name or want.dtype == np.float32 else 1e-13
        scale = np.abs(want).max(initial=1)
        np.testing.assert_allclose(got, want, 50 * width, 10 * width * scale, err_msg=name)


def test_an_unknown_isa_is_an_error() -> None:
    lacking = "unknown" if "neon" in ISAS else "lacks"
    for isa, words in [("sse9", "unknown"), ("neon", "unknown"), ("avx512", lacking)]:
        if isa in ISAS:
            continue
        done = subprocess.run(
            [sys.executable, "-P", "-c", "import minigrad"],
            env={**os.environ, "MINIGRAD_ISA": isa},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert words in done.stderr


def test_fixed_inputs_are_fixed() -> None:
    """Two processes that drew different inputs would compare nothing."""
    draws = [fixed_call(case, 0)[0].inputs for case in PRESENT]
    again = [fixed_call(case, 0)[0].inputs for case in PRESENT]
    digests = [
        zlib.crc32(b"".join(np.ascontiguousarray(a).tobytes() for a in d if a is not None))
        for d in draws
    ]
    assert digests == [
        zlib.crc32(b"".join(np.ascontiguousarray(a).tobytes() for a in d if a is not None))
        for d in again
    ]

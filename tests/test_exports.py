"""What the compiled core shows to the linker: one function, so that nothing of it can be replaced
by, or replace, another library's copy built for another instruction set."""

import subprocess

from minigrad import _core


def test_the_module_exports_its_init_function_alone():
    lines = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--demangle", _core.__file__],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert [line.split(maxsplit=2)[2] for line in lines] == ["PyInit__core"]

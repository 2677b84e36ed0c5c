"""What the compiled core shows to the linker: one function, so that nothing of it can be replaced
by, or replace, another library's copy built for another instruction set."""

import subprocess

from minigrad import _core


def test_the_module_exports_its_init_function_and_nothing_of_its_own():
    lines = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--demangle", _core.__file__],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    symbols = [line.split(maxsplit=2)[1:] for line in lines]
    assert [name for kind, name in symbols if kind in "TDBR"] == ["PyInit__core"]
    assert [name for _, name in symbols if "mg::" in name] == []

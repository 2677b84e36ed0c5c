"""Whatever ends a write, a path holds its old content or the new."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import History
from minigrad._files import write_whole

posix = pytest.mark.skipif(os.name != "posix", reason="links, permissions and signals of POSIX")


def history(epochs: int) -> History:
    found = History()
    for epoch in range(epochs):
        found.append({"epoch": epoch, "loss": 1 / (1 + epoch)})
    return found


WRITERS: dict[str, Callable[[Path, int], object]] = {
    "write_whole": lambda path, size: write_whole(path, b"x" * size),
    "save": lambda path, size: mg.save({"w": mg.zeros(size)}, path),
    "to_csv": lambda path, size: history(size).to_csv(path),
    "to_json": lambda path, size: history(size).to_json(path),
}


def errno_in_a_child(work: Callable[[], None]) -> int:
    """Of the OSError, with the name of a file, that `work` ends with in a process of its own."""
    child = os.fork()
    if child == 0:
        code = 255
        try:
            work()
            code = 0
        except OSError as error:
            code = (error.errno or 253) if error.filename is not None else 254
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@posix
@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, name: str) -> None:
    write = WRITERS[name]
    path = tmp_path / "file"
    write(path, 100)
    old = path.read_bytes()

    def work() -> None:  # on a disk without room for more than 8 KB a file
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        write(path, 10_000)

    assert errno_in_a_child(work) == errno.EFBIG
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["file"]


@posix
def test_a_kill_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    code = f"""
import minigrad as mg
states = [{{"w": mg.full((300_000,), value), "value": value}} for value in (1.0, 2.0)]
while True:
    for state in states:
        mg.save(state, {str(path)!r})
    print(flush=True)
"""
    for i in range(5):
        process = subprocess.Popen([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE)
        assert process.stdout is not None
        with process.stdout:
            process.stdout.readline()
            time.sleep(0.003 * i)
            process.kill()
            process.wait()
        found = mg.load(path)
        assert np.all(found["w"].numpy() == found["value"])


@posix
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    link = tmp_path / "newest"
    for name in ("runs/new", "runs/old"):  # one that dangles, and one to a file
        if name == "runs/old":
            write_whole(tmp_path / name, b"old")
        link.unlink(missing_ok=True)
        link.symlink_to(name)
        write_whole(link, b"content")
        assert os.readlink(link) == name
        assert (tmp_path / name).read_bytes() == b"content"
    assert sorted(os.listdir(tmp_path / "runs")) == ["new", "old"]


@posix
def test_permissions_stay(tmp_path: Path) -> None:
    path, fresh = tmp_path / "private", tmp_path / "fresh"
    path.write_bytes(b"old")
    path.chmod(0o640)
    before = os.umask(0o027)
    try:
        write_whole(fresh, b"new")
    finally:
        os.umask(before)
    write_whole(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o640
    assert fresh.stat().st_mode & 0o777 == 0o640


@posix
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize(
    ("file", "folder"), [(0o444, 0o777), (0o666, 0o555)], ids=["file", "folder"]
)
def test_what_is_write_protected_stays(tmp_path: Path, file: int, folder: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(file)
    tmp_path.chmod(folder)

    def work() -> None:
        os.chdir(tmp_path)
        if os.geteuid() == 0:  # root may write everything
            os.seteuid(65534)
        write_whole("file", b"new")

    assert errno_in_a_child(work) == errno.EACCES
    tmp_path.chmod(0o755)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


@posix
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    write_whole(path, b"content")
    reader.join()
    assert got == [b"content"]
    assert path.is_fifo()


def test_threads_that_write_one_path_leave_one_of_theirs(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [bytes([i]) * 100_000 for i in range(4)]

    def write(content: bytes) -> None:
        for _ in range(5):
            write_whole(path, content)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert path.read_bytes() in contents
    assert os.listdir(tmp_path) == ["file"]


def test_a_name_may_be_as_long_as_the_folder_allows(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 127)
    write_whole(path, b"content")
    assert path.read_bytes() == b"content"

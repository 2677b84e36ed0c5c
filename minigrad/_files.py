"""Files written whole: a path holds its old content or the new, whatever happens in between."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat

__all__ = ["write_whole"]


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` beside `path`, sync it to disk and rename it to `path`.

    As with `open(path, "wb")`, the file that a symbolic link points to is the one written, an old
    file keeps its permissions, and a write-protected one raises PermissionError. A device or a
    pipe is written to as it is.
    """
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path} is a directory; give the name of a file in it")
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as device:
            device.write(content)
        return
    target = os.path.realpath(path) if os.path.islink(path) else os.fspath(path)
    folder, name = os.path.split(target)
    if not os.path.isdir(folder or "."):
        raise FileNotFoundError(f"{path}: there is no folder {folder}")
    mode = None
    if os.path.exists(target):
        with open(target, "r+b") as old:  # an error here if it must not be written
            mode = stat.S_IMODE(os.fstat(old.fileno()).st_mode)
    # A name that no other thread, process or machine takes; short, as the folder may limit it.
    beside = os.path.join(folder, f".{name[:40]}.{secrets.token_hex(6)}.tmp")
    try:
        with open(beside, "xb") as file:
            if mode is not None:
                os.chmod(beside, mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.remove(beside)
        if isinstance(error, OSError):
            error.filename, error.filename2 = os.fspath(path), None
        raise
    if os.name == "posix":  # the rename itself must reach the disk too
        descriptor = os.open(folder or ".", os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

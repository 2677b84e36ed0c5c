"""Files of tensors: the safetensors format, with the nesting kept as JSON in its metadata.

Nothing is ever unpickled, so that opening a stranger's file runs no code of theirs. Tensors of a
flat dict keep their names, so that other readers of safetensors see a plain state dict.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from minigrad._core import Tensor
from minigrad._files import write_whole

__all__ = ["load", "save"]

_STRUCTURE = "minigrad.structure"
_CHECKSUM = "minigrad.crc32"
_FOREIGN = {
    b"PK\x03\x04": "a zip archive (a torch or npz file?)",
    b"\x80": "a pickle, which is never opened because it can run code",
    b"\x89HDF": "an HDF5 file (Keras?)",
    b"\x93NUMPY": "a numpy array; use numpy.load",
}


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Write `obj` to a safetensors file at `path`.

    `obj` is a tensor, a numpy array, None, a bool, number or string, or dicts, lists and tuples of
    these, nested as you like; anything else raises TypeError that says where it is. The same values
    give the same bytes. The file is written beside `path`, or beside the file that it links to,
    synced to disk and renamed: there is either the old content or the new, whatever happens in
    between.

    >>> import os, tempfile
    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> model = nn.Linear(3, 2)
    >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
    >>> mg.save({"model": model.state_dict(), "epoch": 7}, path)
    >>> found = mg.load(path)
    >>> found["epoch"], found["model"]["weight"].shape
    (7, (2, 3))
    """
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    structure = json.dumps(_flatten(obj, (), arrays))
    metadata = {_STRUCTURE: structure, _CHECKSUM: _checksum(structure, arrays)}
    write_whole(path, _ordered(safetensors.numpy.save(arrays, metadata)))


def load(path: str | os.PathLike[str]) -> Any:
    """What `save` wrote to `path`; tensors are new, in memory of their own, without gradient.

    A safetensors file of another program gives a dict of its tensors. A file that is truncated,
    corrupt (a checksum tells) or of another format raises ValueError that names file and problem;
    a missing one FileNotFoundError.

    >>> import os, tempfile
    >>> import minigrad as mg
    >>> path = os.path.join(tempfile.mkdtemp(), "numbers.safetensors")
    >>> mg.save({"a": mg.ones(2), "b": [1, "two"]}, path)
    >>> found = mg.load(path)
    >>> found["a"].tolist(), found["b"]
    ([1.0, 1.0], [1, 'two'])
    """
    path = os.fspath(path)
    metadata, arrays = _read(path)
    if not metadata.keys() & {_STRUCTURE, _CHECKSUM}:  # another program's
        return {name: _tensor(path, name, array) for name, array in arrays.items()}
    structure = metadata.get(_STRUCTURE, "")
    if metadata.get(_CHECKSUM) != _checksum(structure, arrays):
        raise ValueError(f"{path}: corrupt, its content does not match its checksum")
    return _restore(json.loads(structure), path, arrays)


def _flatten(obj: Any, at: tuple[str, ...], arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    # A node is a JSON scalar, a list, or {kind: content}; tensors are {kind: name in the file}.
    if obj is None or isinstance(obj, bool | int | float | str):
        return obj
    if isinstance(obj, np.bool_ | np.integer | np.floating):
        return obj.item()
    if isinstance(obj, Tensor | np.ndarray):
        kind = "tensor" if isinstance(obj, Tensor) else "array"
        array = obj.detach().numpy() if isinstance(obj, Tensor) else obj
        if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
            raise TypeError(f"save: {_place(at)} has dtype {array.dtype}, which has no place here")
        name = ".".join(at) or kind
        while name in arrays:
            name += "_"
        arrays[name] = np.require(array, requirements=["C", "A"])
        return {kind: name}
    if isinstance(obj, Mapping):
        for key in obj:
            if not isinstance(key, str | int) or isinstance(key, bool):
                raise TypeError(f"save: a key of {_place(at)} is {key!r}; use strings or integers")
        return {"dict": [[k, _flatten(v, (*at, str(k)), arrays)] for k, v in obj.items()]}
    if isinstance(obj, list | tuple):
        items = [_flatten(v, (*at, str(i)), arrays) for i, v in enumerate(obj)]
        return items if isinstance(obj, list) else {"tuple": items}
    raise TypeError(
        f"save: {_place(at)} is a {type(obj).__name__}; only tensors, arrays, numbers, strings, "
        "None and dicts, lists and tuples of them can be saved (of a module: its state_dict())"
    )


def _restore(node: Any, path: str, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(node, list):
        return [_restore(item, path, arrays) for item in node]
    if not isinstance(node, dict):
        return node
    ((kind, content),) = node.items()
    if kind == "tensor":
        return _tensor(path, content, arrays[content])
    if kind == "array":
        return arrays[content]
    if kind == "dict":
        return {key: _restore(value, path, arrays) for key, value in content}
    return tuple(_restore(item, path, arrays) for item in content)


def _place(at: tuple[str, ...]) -> str:
    return "the object" if not at else "obj" + "".join(f"[{name!r}]" for name in at)


def _checksum(structure: str, arrays: Mapping[str, np.ndarray[Any, Any]]) -> str:
    crc = zlib.crc32(structure.encode())
    for name in sorted(arrays):
        array = arrays[name]
        crc = zlib.crc32(f"{name} {array.dtype.str} {array.shape}".encode(), crc)
        crc = zlib.crc32(array.reshape(-1).view(np.uint8).data, crc)
    return f"{crc:08x}"


def _ordered(content: bytes) -> bytes:
    """The file with its metadata in order, which safetensors shuffles in every process anew."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join((len(text).to_bytes(8, "little"), text, content[8 + size :]))


def _read(path: str) -> tuple[dict[str, str], dict[str, np.ndarray[Any, Any]]]:
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path} is a directory; load one of its files")
    with open(path, "rb") as file:
        start = file.read(8)
    for magic, what in _FOREIGN.items():
        if start.startswith(magic) and not _plausible_header(start, path):
            raise ValueError(f"{path}: not a safetensors file but {what}")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = dict(file.metadata() or {})
            return metadata, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except Exception as error:  # safetensors raises its own kind, and TypeError for odd dtypes
        raise ValueError(
            f"{path}: not a safetensors file, or truncated or corrupt ({error})"
        ) from error


def _plausible_header(start: bytes, path: str) -> bool:
    return 2 <= int.from_bytes(start, "little") <= os.path.getsize(path) - 8


def _tensor(path: str, name: str, array: np.ndarray[Any, Any]) -> Tensor:
    try:
        return Tensor(array)
    except TypeError as error:
        raise ValueError(f"{path}: tensor {name!r}: {error}") from error

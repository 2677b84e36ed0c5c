"""Nested tuples, lists and dicts, taken apart into tensors and all that stands beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from minigrad._core import Tensor


class _Leaf:
    """Stands in a structure where a tensor was."""


LEAF = _Leaf()


def flatten(value: Any, leaves: list[Any]) -> Any:
    """Moves the tensors and arrays of nested tuples, lists and dicts into ``leaves``."""
    if isinstance(value, (Tensor, np.ndarray)):
        leaves.append(value)
        return LEAF
    if isinstance(value, (tuple, list)):
        return _like(value, (flatten(v, leaves) for v in value))
    if isinstance(value, dict):
        return {k: flatten(v, leaves) for k, v in value.items()}
    return value


def restore(structure: Any, leaves: Iterator[Any]) -> Any:
    """The value that `flatten` took apart, with these tensors in their places."""
    if structure is LEAF:
        return next(leaves)
    if isinstance(structure, (tuple, list)):
        return _like(structure, (restore(v, leaves) for v in structure))
    if isinstance(structure, dict):
        return {k: restore(v, leaves) for k, v in structure.items()}
    return structure


def _like(sequence: Any, elements: Iterable[Any]) -> Any:
    """The elements as the same kind of list or tuple; a named tuple takes them one by one."""
    kind = type(sequence)
    return kind(*elements) if hasattr(kind, "_fields") else kind(elements)


def is_array(value: Any) -> bool:
    """Whether it is a tensor or an array, and no subclass that may mean more."""
    return type(value) is Tensor or type(value) is np.ndarray


def hashable(structure: Any) -> Any:
    """A key that structures share if a function cannot tell them apart: 1, 1.0 and True do not.

    Example:
        >>> from minigrad.plan.structure import hashable
        >>> hashable([1, "a"]) == hashable([1, "a"]), hashable(0.0) == hashable(-0.0)
        (True, False)
    """
    kind = type(structure)
    if isinstance(structure, (tuple, list)):
        return kind, *map(hashable, structure)
    if isinstance(structure, dict):
        return kind, *((hashable(k), hashable(v)) for k, v in structure.items())
    if kind.__hash__ is None:  # it is kept while its plans are, as a root of the reach
        return _Leaf, id(structure)
    # A float by its digits: NaN equals itself there, and -0.0 is not 0.0.
    return kind, structure.hex() if isinstance(structure, float) else structure


def objects(structure: Any) -> list[Any]:
    """What stands beside the tensors in a structure."""
    if isinstance(structure, (tuple, list)):
        return [o for v in structure for o in objects(v)]
    if isinstance(structure, dict):
        return [o for v in structure.values() for o in objects(v)]
    return [] if structure is LEAF or structure is None else [structure]

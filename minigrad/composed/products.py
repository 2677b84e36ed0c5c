"""Norms, and sums of products by Einstein's convention."""

from __future__ import annotations

import math
from collections.abc import Sequence

from minigrad import _core
from minigrad._core import Tensor

# A letter, or a dimension that "..." stands for, counted from the right: -1 is the last.
_Label = str | int


def norm(
    x: Tensor,
    p: float = 2.0,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
) -> Tensor:
    """The vector norm (sum of |x|^p)^(1/p), of all elements or along dimensions.

    Args:
        x: floating numbers.
        p: also inf (the largest |x|), -inf (the smallest) and 0 (how many are not 0).
        dim: what is summed over; None: all.
        keepdim: whether these dimensions stay, with size 1.

    The gradient where the norm is 0 is 0, as torch has it.

    >>> import minigrad as mg
    >>> x = mg.tensor([[3.0, -4.0], [0.0, 0.0]], requires_grad=True)
    >>> x.norm(dim=1).tolist(), x.norm(1).item(), x.norm(float("inf")).item()
    ([5.0, 0.0], 7.0, 4.0)
    """
    if x.dtype.kind != "f":
        raise TypeError(f"norm: x is {x.dtype}; convert it to floating numbers, such as x.float()")
    if isinstance(p, str):
        raise TypeError(f"norm: p must be a number, got {p!r}; Frobenius' norm is p = 2 of all")
    dims = tuple(dim) if isinstance(dim, Sequence) else dim
    if p == math.inf:
        return x.abs().max(dims, keepdim)
    if p == -math.inf:
        return x.abs().min(dims, keepdim)
    if p == 0:
        return (x != 0).sum(dims, keepdim).to(x.dtype)
    if p == 1:
        return x.abs().sum(dims, keepdim)
    total = (x * x if p == 2 else x.abs() ** p).sum(dims, keepdim)
    zero = total == 0
    safe = _core.where(zero, 1.0, total)  # a root has no gradient at 0
    return _core.where(zero, 0.0, safe.sqrt() if p == 2 else safe ** (1 / p))


def einsum(equation: str, *operands: Tensor) -> Tensor:
    """Products of tensors summed over the indices that the result does not have.

    Args:
        equation: letters for the dimensions of each operand, then those of the result: "ij,jk->ik".
            Without "->" the result has the letters that occur once, in the alphabet's order. A
            letter twice in an operand takes the diagonal; "..." stands for further dimensions,
            which broadcast.
        operands: as many tensors; they are multiplied from left to right, each pair as matrices.

    >>> import minigrad as mg
    >>> x, y = mg.arange(6.0).reshape(2, 3), mg.ones(3, 2)
    >>> mg.einsum("ij,jk->ik", x, y).tolist()
    [[3.0, 3.0], [12.0, 12.0]]
    >>> mg.einsum("ii", x @ y).item(), mg.einsum("ij->ji", x).shape
    (15.0, (3, 2))
    """
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    inputs, output = _parse(equation, operands)
    sizes = _sizes(equation, inputs, operands)
    parts = [_distinct(x, labels, sizes) for x, labels in zip(operands, inputs, strict=True)]
    x, labels = parts[0]
    for i, (y, others) in enumerate(parts[1:], 2):
        later = {*output, *(label for _, rest in parts[i:] for label in rest)}
        x, labels = _contract(x, labels, y, others, later)
    x, labels = _summed(x, labels, set(output))
    return x.permute(*map(labels.index, output)) if output else x


def _parse(equation: str, operands: Sequence[Tensor]) -> tuple[list[list[_Label]], list[_Label]]:
    """The labels of each operand's dimensions, and those of the result."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ValueError(
            f"einsum: {equation!r} names {len(terms)} operands, and there are {len(operands)}"
        )
    for term in [*terms, right]:
        letters = term.replace("...", "", 1)
        if not (letters == "" or (letters.isascii() and letters.isalpha())):
            raise ValueError(
                f"einsum: {term!r} in {equation!r} must be letters, and '...' at most once"
            )
    inputs = [
        _labels(term, x.ndim - len(term.replace("...", "")))
        for term, x in zip(terms, operands, strict=True)
    ]
    for term, labels, x in zip(terms, inputs, operands, strict=True):
        if len(labels) != x.ndim:
            raise ValueError(
                f"einsum: {term!r} in {equation!r} does not fit an operand of shape {x.shape}"
            )
    every = [label for labels in inputs for label in labels]
    dots: list[_Label] = sorted({label for label in every if isinstance(label, int)})
    if not arrow:
        once = {label for label in every if isinstance(label, str) and every.count(label) == 1}
        return inputs, [*dots, *sorted(once)]
    if dots and "..." not in right:
        raise ValueError(
            f"einsum: the result of {equation!r} leaves out the dimensions of '...': name them to "
            "sum over them"
        )
    output = _labels(right, len(dots))
    wrong = [label for label in output if label not in every or output.count(label) > 1]
    if wrong:
        raise ValueError(
            f"einsum: the result of {equation!r} has {wrong[0]!r}, which must be in an operand and "
            "once in the result"
        )
    return inputs, output


def _labels(term: str, dots: int) -> list[_Label]:
    before, there, after = term.partition("...")
    return [*before, *(range(-dots, 0) if there else ()), *after]


def _sizes(
    equation: str, inputs: Sequence[Sequence[_Label]], operands: Sequence[Tensor]
) -> dict[_Label, int]:
    """The size of each label; sizes of 1 broadcast."""
    sizes: dict[_Label, int] = {}
    for labels, x in zip(inputs, operands, strict=True):
        for label, size in zip(labels, x.shape, strict=True):
            known = sizes.setdefault(label, size)
            if known == 1:
                sizes[label] = size
            elif size not in (1, known):
                raise ValueError(
                    f"einsum: in {equation!r} {label!r} is {known} and {size} for operands of "
                    f"shapes {', '.join(str(x.shape) for x in operands)}"
                )
    return sizes


def _distinct(
    x: Tensor, labels: Sequence[_Label], sizes: dict[_Label, int]
) -> tuple[Tensor, list[_Label]]:
    """An operand with sizes of 1 expanded, and of repeated labels the diagonal."""
    x = x.expand(*[sizes[label] for label in labels]) if labels else x
    left = list(labels)
    while len(set(left)) < len(left):
        label = next(label for label in left if left.count(label) > 1)
        first = left.index(label)
        second = left.index(label, first + 1)
        rest = [i for i in range(len(left)) if i not in (first, second)]
        n = sizes[label]
        flat = x.permute(*rest, first, second).reshape(*[x.shape[i] for i in rest], n * n)
        x, left = flat[..., :: n + 1], [*[left[i] for i in rest], label]
    return x, left


def _summed(
    x: Tensor, labels: Sequence[_Label], wanted: set[_Label]
) -> tuple[Tensor, list[_Label]]:
    """The sum over the labels that nobody wants."""
    dims = tuple(i for i, label in enumerate(labels) if label not in wanted)
    return (x.sum(dims) if dims else x), [label for label in labels if label in wanted]


def _contract(
    x: Tensor, ours: list[_Label], y: Tensor, theirs: list[_Label], later: set[_Label]
) -> tuple[Tensor, list[_Label]]:
    """The product of two operands, summed over what only they have: matrices in batches."""
    x, ours = _summed(x, ours, later | set(theirs))
    y, theirs = _summed(y, theirs, later | set(ours))
    shared = [label for label in ours if label in theirs]
    batch = [label for label in shared if label in later]
    inner = [label for label in shared if label not in later]
    rows = [label for label in ours if label not in shared]
    columns = [label for label in theirs if label not in shared]
    left = _arranged(x, ours, batch, rows, inner)
    right = _arranged(y, theirs, batch, inner, columns)
    size = dict(zip(ours + theirs, x.shape + y.shape, strict=True))
    labels = [*batch, *rows, *columns]
    return _core.matmul(left, right).reshape([size[label] for label in labels]), labels


def _arranged(x: Tensor, labels: list[_Label], *groups: list[_Label]) -> Tensor:
    """An operand as matrices: batch, rows and columns, each of the dimensions of a group."""
    size = dict(zip(labels, x.shape, strict=True))
    order = [labels.index(label) for group in groups for label in group]
    shape = [math.prod(size[label] for label in group) for group in groups]
    return (x.permute(*order) if order else x).reshape(*shape)

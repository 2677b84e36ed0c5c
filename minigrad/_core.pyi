"""The compiled core; written by tests/stubs.py, not by hand."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minigrad.composed import Sorted

# Tensor has methods that are called float and bool.
_Bool: TypeAlias = bool
_Float: TypeAlias = float
_Ints: TypeAlias = int | Sequence[int]
_Array: TypeAlias = np.ndarray[Any, Any]
TensorLike: TypeAlias = "Tensor | _Array | np.generic | _Float"

__all__ = [
    "abs",
    "add",
    "argmax",
    "argmin",
    "argsort",
    "avg_pool2d",
    "batch_norm",
    "cat",
    "clamp",
    "clip",
    "clone",
    "concatenate",
    "contiguous",
    "conv2d",
    "cos",
    "cumsum",
    "detach",
    "div",
    "elu",
    "embedding",
    "eq",
    "erf",
    "exp",
    "expand",
    "expm1",
    "flatten",
    "floor",
    "floor_divide",
    "ge",
    "gelu",
    "gt",
    "isfinite",
    "isnan",
    "layer_norm",
    "le",
    "leaky_relu",
    "linear",
    "log",
    "log1p",
    "log_softmax",
    "logical_and",
    "logical_not",
    "logical_or",
    "logsumexp",
    "lt",
    "matmul",
    "max",
    "max_pool2d",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mul",
    "ne",
    "neg",
    "permute",
    "pow",
    "reciprocal",
    "relu",
    "remainder",
    "reshape",
    "round",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "softmax",
    "softplus",
    "sqrt",
    "squeeze",
    "stack",
    "std",
    "sub",
    "sum",
    "take",
    "take_along_dim",
    "tanh",
    "transpose",
    "unsqueeze",
    "var",
    "view",
    "where",
]

class CaptureError(RuntimeError):
    """A function cannot be recorded by mg.compile; it ran, or failed, as it would have without it."""

class Epoch:
    """Plans replayed over rows, one after the other, in one call."""
    def __init__(self, parts: Sequence[EpochPart], rows: Sequence[_Float]) -> None: ...
    @property
    def completed(self) -> int:
        """Whole epochs of the last run."""
    def restore(self, state: EpochState) -> None:
        """Puts back what save() gave."""
    def run(self, orders: ArrayLike, table: _Array) -> None:
        """One epoch for each row of `orders`. In that row of `table` its figures are added to what is there and divided by their rows; the seconds since the call began come last."""
    def run_drawn(self, seed: int, first: int, rows: int, table: _Array, seconds: _Float, interruptible: _Bool = True) -> int:
        """The same for each row of `table`, in the orders that orders() draws. None begins once `seconds` are over, but for the first; returns how many there were."""
    def save(self) -> EpochState:
        """A copy of all that the plans change."""

class EpochPart:
    """A plan and the rows that it is replayed over."""
    def __init__(self, plan: Plan, data: Sequence[Any], first: int, last: int, shuffled: _Bool, figures: Sequence[int], weight: _Float, kept: Sequence[Any]) -> None: ...

class EpochState:
    """What an Epoch's plans change, as it was once."""

class Interrupt:
    """A way to end a thread's work from another, as by Ctrl-C."""
    def __getstate__(self, /) -> tuple[Any]: ...
    def __init__(self) -> None: ...
    def __setstate__(self, arg0: tuple[Any]) -> None: ...
    def clear(self) -> None:
        """As if nothing had been requested."""
    def request(self) -> None:
        """The thread that watches gets a KeyboardInterrupt out of its work in the core."""
    @property
    def requested(self) -> _Bool: ...

class Plan:
    """A recorded function, replayed in C++."""
    @property
    def arena_bytes(self) -> int: ...
    def describe(self, times: Sequence[_Float] = []) -> str:
        """The instructions as a table, with estimated operations and bytes; the times that profile() measured put rates beside them."""
    @property
    def instructions(self) -> list[str]: ...
    @property
    def outputs(self) -> list[Any]:
        """Shape and dtype of each output."""
    def profile(self, repeats: int = 20) -> list[_Float]:
        """Median nanoseconds of each instruction; changes nothing."""
    def replay(self, inputs: Sequence[Any]) -> list[Tensor]:
        """The outputs for these inputs, as new tensors."""

class Tensor:
    """An n-dimensional array of float32, float64, int64 or bool that can be differentiated.

    Made by mg.tensor and by ops; operators and indexing are numpy's, names and gradients torch's.

    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """
    @property
    def T(self) -> Tensor:
        """The dimensions in reverse order; a view.

        >>> mg.zeros(2, 3).T.shape
        (3, 2)
        """
    def __abs__(self) -> Tensor: ...
    def __add__(self, other: TensorLike) -> Tensor: ...
    def __and__(self, other: TensorLike) -> Tensor: ...
    def __array__(self, dtype: DTypeLike | None = None, copy: Any | None = None) -> _Array: ...
    def __bool__(self) -> _Bool: ...
    def __complex__(self) -> complex: ...
    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor: ...
    def __dlpack__(self, **kwargs: Any) -> Any: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...
    def __eq__(self, other: TensorLike) -> Tensor: ...  # type: ignore[override]
    def __float__(self) -> _Float: ...
    def __floordiv__(self, other: TensorLike) -> Tensor: ...
    def __format__(self, format_spec: str) -> str: ...
    def __ge__(self, other: TensorLike) -> Tensor: ...
    def __getitem__(self, arg0: Any) -> Tensor: ...
    def __gt__(self, other: TensorLike) -> Tensor: ...
    def __hash__(self) -> int: ...
    def __iadd__(self, other: TensorLike) -> Self: ...
    def __iand__(self, other: TensorLike) -> Self: ...
    def __imul__(self, other: TensorLike) -> Self: ...
    def __index__(self) -> int: ...
    def __init__(self, data: Any, dtype: DTypeLike | None = None, requires_grad: _Bool = False) -> None: ...
    def __int__(self) -> int: ...
    def __invert__(self) -> Tensor: ...
    def __ior__(self, other: TensorLike) -> Self: ...
    def __ipow__(self, other: TensorLike) -> Self: ...
    def __isub__(self, other: TensorLike) -> Self: ...
    def __iter__(self) -> Iterator[Tensor]: ...
    def __itruediv__(self, other: TensorLike) -> Self: ...
    def __le__(self, other: TensorLike) -> Tensor: ...
    def __len__(self) -> int: ...
    def __lt__(self, other: TensorLike) -> Tensor: ...
    def __matmul__(self, other: TensorLike) -> Tensor: ...
    def __mod__(self, other: TensorLike) -> Tensor: ...
    def __mul__(self, other: TensorLike) -> Tensor: ...
    def __ne__(self, other: TensorLike) -> Tensor: ...  # type: ignore[override]
    def __neg__(self) -> Tensor: ...
    def __or__(self, other: TensorLike) -> Tensor: ...
    def __pow__(self, other: TensorLike) -> Tensor: ...
    def __radd__(self, other: TensorLike) -> Tensor: ...
    def __rand__(self, other: TensorLike) -> Tensor: ...
    def __repr__(self) -> str: ...
    def __rfloordiv__(self, other: TensorLike) -> Tensor: ...
    def __rmatmul__(self, other: TensorLike) -> Tensor: ...
    def __rmod__(self, other: TensorLike) -> Tensor: ...
    def __rmul__(self, other: TensorLike) -> Tensor: ...
    def __ror__(self, other: TensorLike) -> Tensor: ...
    def __round__(self, ndigits: Any | None = None) -> Any: ...
    def __rpow__(self, other: TensorLike) -> Tensor: ...
    def __rsub__(self, other: TensorLike) -> Tensor: ...
    def __rtruediv__(self, other: TensorLike) -> Tensor: ...
    def __setitem__(self, arg0: Any, arg1: Any) -> None: ...
    def __sub__(self, other: TensorLike) -> Tensor: ...
    def __truediv__(self, other: TensorLike) -> Tensor: ...
    def abs(self) -> Tensor: ...
    def add(self, y: TensorLike) -> Tensor: ...
    def add_(self, other: Any, *, alpha: Any | None = None) -> Tensor:
        """x += alpha * other, in place; returns x, which keeps its shape and dtype.

        >>> mg.ones(2).add_(mg.tensor([1.0, 2.0]), alpha=-0.5).tolist()
        [0.5, 0.0]
        """
    def all(self, dim: int | None = None, keepdim: _Bool = False) -> Tensor: ...
    def allclose(self, other: Tensor, rtol: _Float = 1e-05, atol: _Float = 1e-08, equal_nan: _Bool = False) -> _Bool: ...
    def any(self, dim: int | None = None, keepdim: _Bool = False) -> Tensor: ...
    def argmax(self, dim: int | None = None, keepdim: _Bool = False, *, axis: int | None = None, keepdims: _Bool = False) -> Tensor: ...
    def argmin(self, dim: int | None = None, keepdim: _Bool = False, *, axis: int | None = None, keepdims: _Bool = False) -> Tensor: ...
    def argsort(self, dim: int = -1, descending: _Bool = False, *, axis: int = -1) -> Tensor: ...
    def avg_pool2d(self, kernel_size: _Ints, stride: _Ints | None = None, padding: _Ints = 0) -> Tensor: ...
    def backward(self, gradient: Any | None = None, retain_graph: Any | None = None, create_graph: _Bool = False) -> None:
        """Adds d(self)/d(leaf) to .grad of every leaf that requires a gradient.

        gradient, of the shape of self, takes the place of the 1 for a scalar. The graph is freed,
        unless retain_graph; with create_graph gradients can be differentiated again.

        >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).backward(mg.tensor([1.0, 10.0]))
        >>> x.grad.tolist()
        [2.0, 40.0]
        """
    def batch_norm(self, weight: TensorLike | None = None, bias: TensorLike | None = None, running_mean: Tensor | None = None, running_var: Tensor | None = None, training: _Bool = False, momentum: _Float = 0.1, eps: _Float = 1e-05) -> Tensor: ...
    def bool(self) -> Tensor:
        """Converted to bool: whether not 0.

        >>> mg.tensor([0.0, 2.0]).bool().tolist()
        [False, True]
        """
    def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]: ...
    def clamp(self, min: _Float | None = None, max: _Float | None = None) -> Tensor: ...
    def clip(self, min: _Float | None = None, max: _Float | None = None) -> Tensor: ...
    def clone(self) -> Tensor: ...
    def contiguous(self) -> Tensor: ...
    def conv2d(self, weight: TensorLike, bias: TensorLike | None = None, stride: _Ints = 1, padding: _Ints = 0, dilation: _Ints = 1, groups: int = 1) -> Tensor: ...
    def copy_(self, source: TensorLike) -> None: ...
    def cos(self) -> Tensor: ...
    def cumsum(self, dim: int) -> Tensor: ...
    @property
    def data(self) -> Tensor:
        """The values without gradient, in the same memory, as detach() gives them; to be changed in
        place or set, unseen by gradients.

        >>> x = mg.ones(2, requires_grad=True)
        >>> x.data -= 0.5
        >>> x.tolist(), x.requires_grad
        ([0.5, 0.5], True)
        """
    @data.setter
    def data(self, value: Tensor) -> None: ...
    def detach(self) -> Tensor: ...
    def div(self, y: TensorLike) -> Tensor: ...
    def div_(self, other: Any) -> Tensor:
        """x /= other, in place; returns x, which keeps its shape and dtype (so that it is no integer).

        >>> mg.ones(2).div_(2).tolist()
        [0.5, 0.5]
        """
    def double(self) -> Tensor:
        """Converted to float64.

        >>> mg.tensor([1]).double().dtype
        dtype('float64')
        """
    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements, as numpy's.

        >>> mg.zeros(2).dtype
        dtype('float32')
        """
    def elu(self, alpha: _Float = 1.0) -> Tensor: ...
    def eq(self, y: TensorLike) -> Tensor: ...
    def erf(self) -> Tensor: ...
    def exp(self) -> Tensor: ...
    def expand(self, *shape: _Ints) -> Tensor: ...
    def expand_as(self, other: Tensor) -> Tensor: ...
    def expm1(self) -> Tensor: ...
    def fill_(self, value: _Float) -> Tensor:
        """Sets every element, in place; returns the tensor.

        >>> mg.zeros(2).fill_(3).tolist()
        [3.0, 3.0]
        """
    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor: ...
    def flip(self, *dims: int | Sequence[int]) -> Tensor: ...
    def float(self) -> Tensor:
        """Converted to float32.

        >>> mg.tensor([1]).float().dtype
        dtype('float32')
        """
    def floor(self) -> Tensor: ...
    def floor_divide(self, y: TensorLike) -> Tensor: ...
    def gather(self, dim: int, index: Tensor) -> Tensor: ...
    def ge(self, y: TensorLike) -> Tensor: ...
    def gelu(self, approximate: _Bool = False) -> Tensor: ...
    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward() added up, a tensor of the same shape and dtype, or None.

        >>> x = mg.ones(2, requires_grad=True)
        >>> (3 * x).sum().backward()
        >>> x.grad.tolist()
        [3.0, 3.0]
        """
    @grad.setter
    def grad(self, value: Tensor | None) -> None: ...
    @property
    def grad_fn(self) -> str | None:
        """The name of the op that made this tensor, or None for a leaf.

        >>> mg.ones(1, requires_grad=True).exp().grad_fn
        'exp'
        """
    def gt(self, y: TensorLike) -> Tensor: ...
    def is_contiguous(self) -> _Bool:
        """Whether the elements lie side by side in row-major order.

        >>> mg.zeros(2, 3).is_contiguous(), mg.zeros(2, 3).T.is_contiguous()
        (True, False)
        """
    @property
    def is_leaf(self) -> _Bool:
        """Whether it is no result of an op that gradients flow through: its own .grad is kept.

        >>> x = mg.ones(1, requires_grad=True)
        >>> x.is_leaf, (2 * x).is_leaf
        (True, False)
        """
    def isfinite(self) -> Tensor: ...
    def isinf(self) -> Tensor: ...
    def isnan(self) -> Tensor: ...
    def item(self) -> Any:
        """The value of a tensor of one element, as a Python number.

        >>> mg.tensor([[2.5]]).item()
        2.5
        """
    def layer_norm(self, normalized_shape: _Ints, weight: TensorLike | None = None, bias: TensorLike | None = None, eps: _Float = 1e-05) -> Tensor: ...
    def le(self, y: TensorLike) -> Tensor: ...
    def leaky_relu(self, negative_slope: _Float = 0.01) -> Tensor: ...
    def linear(self, weight: TensorLike, bias: TensorLike | None = None) -> Tensor: ...
    def log(self) -> Tensor: ...
    def log10(self) -> Tensor: ...
    def log1p(self) -> Tensor: ...
    def log2(self) -> Tensor: ...
    def log_softmax(self, dim: int = -1, *, axis: int = -1) -> Tensor: ...
    def logical_and(self, y: TensorLike) -> Tensor: ...
    def logical_not(self) -> Tensor: ...
    def logical_or(self, y: TensorLike) -> Tensor: ...
    def logsumexp(self, dim: _Ints | None = None, keepdim: _Bool = False, *, axis: _Ints | None = None, keepdims: _Bool = False) -> Tensor: ...
    def long(self) -> Tensor:
        """Converted to int64, towards 0.

        >>> mg.tensor([1.5]).long().tolist()
        [1]
        """
    def lt(self, y: TensorLike) -> Tensor: ...
    def masked_fill(self, mask: Tensor, value: _Float) -> Tensor: ...
    def matmul(self, y: TensorLike) -> Tensor: ...
    def max(self, dim: _Ints | None = None, keepdim: _Bool = False, *, axis: _Ints | None = None, keepdims: _Bool = False) -> Tensor: ...
    def max_pool2d(self, kernel_size: _Ints, stride: _Ints | None = None, padding: _Ints = 0) -> Tensor: ...
    def maximum(self, y: TensorLike) -> Tensor: ...
    def mean(self, dim: _Ints | None = None, keepdim: _Bool = False, *, axis: _Ints | None = None, keepdims: _Bool = False) -> Tensor: ...
    def min(self, dim: _Ints | None = None, keepdim: _Bool = False, *, axis: _Ints | None = None, keepdims: _Bool = False) -> Tensor: ...
    def minimum(self, y: TensorLike) -> Tensor: ...
    def movedim(self, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor: ...
    def mul(self, y: TensorLike) -> Tensor: ...
    def mul_(self, other: Any) -> Tensor:
        """x *= other, in place; returns x, which keeps its shape and dtype.

        >>> mg.ones(2).mul_(3).tolist()
        [3.0, 3.0]
        """
    @property
    def nbytes(self) -> int:
        """The bytes that the elements take.

        >>> mg.zeros(2, 3).nbytes
        24
        """
    @property
    def ndim(self) -> int:
        """How many dimensions there are.

        >>> mg.zeros(2, 3).ndim
        2
        """
    def ne(self, y: TensorLike) -> Tensor: ...
    def neg(self) -> Tensor: ...
    def norm(self, p: _Float = 2.0, dim: int | Sequence[int] | None = None, keepdim: _Bool = False) -> Tensor: ...
    def numel(self) -> int:
        """How many elements there are.

        >>> mg.zeros(2, 3).numel()
        6
        """
    def numpy(self) -> _Array:
        """The same memory as an ndarray: what is written to one is in the other.

        >>> x = mg.zeros(2)
        >>> x.numpy()[0] = 5
        >>> x.tolist()
        [5.0, 0.0]
        """
    def outer(self, y: Tensor) -> Tensor: ...
    def permute(self, *dims: _Ints) -> Tensor: ...
    def pow(self, y: TensorLike) -> Tensor: ...
    def pow_(self, other: Any) -> Tensor:
        """x **= other, in place; returns x, which keeps its shape and dtype.

        >>> mg.tensor([2.0, 3.0]).pow_(2).tolist()
        [4.0, 9.0]
        """
    def reciprocal(self) -> Tensor: ...
    def relu(self) -> Tensor: ...
    def remainder(self, y: TensorLike) -> Tensor: ...
    def repeat(self, *repeats: int | Sequence[int]) -> Tensor: ...
    @property
    def requires_grad(self) -> _Bool:
        """Whether gradients flow to it; of a leaf it can be set.

        >>> x = mg.ones(1)
        >>> x.requires_grad = True
        >>> (2 * x).requires_grad
        True
        """
    @requires_grad.setter
    def requires_grad(self, value: _Bool) -> None: ...
    def requires_grad_(self, requires_grad: _Bool = True) -> Tensor:
        """Sets requires_grad of a leaf; returns it.

        >>> mg.ones(1).requires_grad_().requires_grad
        True
        """
    def reshape(self, *shape: _Ints) -> Tensor: ...
    def roll(self, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor: ...
    def round(self) -> Tensor: ...
    def rsqrt(self) -> Tensor: ...
    def selu(self) -> Tensor: ...
    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the dimensions, as a tuple.

        >>> mg.zeros(2, 3).shape
        (2, 3)
        """
    def sigmoid(self) -> Tensor: ...
    def sign(self) -> Tensor: ...
    def silu(self) -> Tensor: ...
    def sin(self) -> Tensor: ...
    @property
    def size(self) -> int:
        """How many elements there are, as in numpy (torch: numel).

        >>> mg.zeros(2, 3).size
        6
        """
    def softmax(self, dim: int = -1, *, axis: int = -1) -> Tensor: ...
    def softplus(self) -> Tensor: ...
    def sort(self, dim: int = -1, descending: _Bool = False) -> Sorted: ...
    def split(self, split_size: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]: ...
    def sqrt(self) -> Tensor: ...
    def square(self) -> Tensor: ...
    def squeeze(self, dim: _Ints | None = None, *, axis: _Ints | None = None) -> Tensor: ...
    def std(self, dim: _Ints | None = None, correction: int = 1, keepdim: _Bool = False, *, axis: _Ints | None = None, keepdims: _Bool = False) -> Tensor: ...
    @property
    def strides(self) -> tuple[int, ...]:
        """Steps between elements along each dimension, in elements.

        >>> mg.zeros(2, 3).strides
        (3, 1)
        """
    def sub(self, y: TensorLike) -> Tensor: ...
    def sub_(self, other: Any, *, alpha: Any | None = None) -> Tensor:
        """x -= alpha * other, in place; returns x, which keeps its shape and dtype.

        >>> mg.ones(2).sub_(1).tolist()
        [0.0, 0.0]
        """
    def sum(self, dim: _Ints | None = None, keepdim: _Bool = False, *, axis: _Ints | None = None, keepdims: _Bool = False) -> Tensor: ...
    def take(self, indices: TensorLike, dim: int = 0, *, axis: int = 0) -> Tensor: ...
    def take_along_dim(self, indices: TensorLike, dim: int) -> Tensor: ...
    def tan(self) -> Tensor: ...
    def tanh(self) -> Tensor: ...
    def tile(self, *dims: int | Sequence[int]) -> Tensor: ...
    def to(self, dtype: DTypeLike | None) -> Tensor:
        """Converted to a dtype; self if it has it already.

        >>> mg.tensor([1.5, -0.5]).to('int64').tolist()
        [1, 0]
        """
    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers.

        >>> mg.tensor([[1, 2], [3, 4]]).tolist()
        [[1, 2], [3, 4]]
        """
    def topk(self, k: int, dim: int = -1, largest: _Bool = True) -> Sorted: ...
    def transpose(self, dim0: int = -2, dim1: int = -1) -> Tensor: ...
    def tril(self, diagonal: int = 0) -> Tensor: ...
    def triu(self, diagonal: int = 0) -> Tensor: ...
    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]: ...
    def unsqueeze(self, dim: int) -> Tensor: ...
    def var(self, dim: _Ints | None = None, correction: int = 1, keepdim: _Bool = False, *, axis: _Ints | None = None, keepdims: _Bool = False) -> Tensor: ...
    def view(self, *shape: _Ints) -> Tensor: ...
    def zero_(self) -> Tensor:
        """Sets every element to 0, in place; returns the tensor.

        >>> mg.ones(2).zero_().tolist()
        [0.0, 0.0]
        """

def build_info() -> dict[str, Any]:
    """Version, compiler, instruction sets and threads, as a dict.

    >>> sorted(mg.build_info())
    ['compiler', 'isa', 'isas', 'threads', 'version']
    """

def bytes_within(Any: Any, type: type) -> bytes:
    """What an object keeps in itself as one of a type written in C, as bytes to compare."""

def changes() -> int:
    """How often a tensor's requires_grad or a module was changed: another count means that a plan may no longer be what its function does."""

def check_interrupt() -> None:
    """Raises KeyboardInterrupt if this thread's work is to end."""

def from_numpy(array: Any) -> Tensor:
    """A tensor over the array's own memory, where dtype and memory allow.

    >>> array = np.zeros(2, 'float32')
    >>> _ = mg.from_numpy(array).fill_(3)
    >>> array.tolist()
    [3.0, 3.0]
    """

def get_num_threads() -> int:
    """How many threads an op may use.

    >>> mg.get_num_threads() >= 1
    True
    """

def grad(outputs: Any, inputs: Any, grad_outputs: Any | None = None, retain_graph: Any | None = None, create_graph: _Bool = False, allow_unused: _Bool = False) -> tuple[Tensor, ...]:
    """Gradients of outputs with respect to inputs (each a tensor, or several), as a tuple; no .grad
    is touched.

    With create_graph they can be differentiated again. An input that outputs do not depend on
    is an error, or None with allow_unused.

    >>> x = mg.tensor(3.0, requires_grad=True)
    >>> (slope,) = mg.grad(x ** 3, x, create_graph=True)
    >>> slope.item(), mg.grad(slope, x)[0].item()
    (27.0, 18.0)
    """

def is_grad_enabled() -> _Bool:
    """Whether ops of this thread are recorded."""

def isa() -> str:
    """The instruction set whose kernels are in use.

    >>> mg.isa() in mg.build_info()['isas']
    True
    """

def layout(values: Sequence[Any]) -> bytes:
    """Shapes and dtypes of tensors and arrays, and which want gradients, as a key."""

def note_change() -> None:
    """Counts one change."""

def ops() -> list[dict[str, Any]]:
    """The op table: name, aliases, signature, doc, outputs, differentiable and inner of each row."""

def orders(seed: int, first: int, epochs: int, rows: int) -> _Array:
    """int64 (epochs, rows): in row i the permutation of the key [seed, first + i]."""

def record(inputs: Sequence[Any], body: Callable[..., Any]) -> tuple[Any, ...]:
    """Runs body() and records it: (its tensors, a Plan or what stood in the way)."""

def set_grad_enabled(mode: _Bool) -> _Bool:
    """Whether ops of this thread are recorded; returns what it was before."""

def set_num_threads(n: int) -> None:
    """How many threads an op may use; results do not depend on it.

    >>> mg.set_num_threads(mg.get_num_threads())
    """

def set_serial(serial: _Bool) -> None:
    """Whether the ops of the calling thread stay on it; results do not depend on it."""

def swap_memory(self: Any, other: Any) -> None:
    """Each of two tensors of one shape and dtype gets the memory of the other."""

def watch(interrupt: Interrupt | None) -> Interrupt | None:
    """The calling thread watches this Interrupt, which must outlive that; returns what it watched before."""

def add(x: TensorLike, y: TensorLike) -> Tensor:
    """x + y, element by element. Shapes broadcast as in numpy.

    >>> mg.add(mg.tensor([1.0, 2.0]), 0.5).tolist()
    [1.5, 2.5]
    """

def sub(x: TensorLike, y: TensorLike) -> Tensor:
    """x - y, element by element. Shapes broadcast as in numpy.

    >>> mg.sub(mg.tensor([1.0, 2.0]), 0.5).tolist()
    [0.5, 1.5]
    """

def mul(x: TensorLike, y: TensorLike) -> Tensor:
    """x * y, element by element. Shapes broadcast as in numpy.

    >>> mg.mul(mg.tensor([1.0, 2.0]), mg.tensor([[2.0], [3.0]])).tolist()
    [[2.0, 4.0], [3.0, 6.0]]
    """

def div(x: TensorLike, y: TensorLike) -> Tensor:
    """x / y, element by element; integers are divided as float32. Shapes broadcast as in numpy.

    >>> mg.div(mg.tensor([1, 2]), 2).tolist()
    [0.5, 1.0]
    """

def pow(x: TensorLike, y: TensorLike) -> Tensor:
    """x to the power of y, element by element. The gradient is 0 where y is 0, and 0 for y where x is 0 and y >= 0. Integers take no negative exponents. Shapes broadcast as in numpy.

    >>> mg.pow(mg.tensor([1.0, 3.0]), 2).tolist()
    [1.0, 9.0]
    """

def neg(x: TensorLike) -> Tensor:
    """-x.

    >>> mg.neg(mg.tensor([1.0, -2.0])).tolist()
    [-1.0, 2.0]
    """

def abs(x: TensorLike) -> Tensor:
    """The absolute value. The gradient at 0 is 0.

    >>> mg.abs(mg.tensor([1.0, -2.0])).tolist()
    [1.0, 2.0]
    """

def sign(x: TensorLike) -> Tensor:
    """-1, 0 or 1; NaN stays NaN.

    >>> mg.sign(mg.tensor([-3.0, 0.0, 0.5])).tolist()
    [-1.0, 0.0, 1.0]
    """

def floor(x: TensorLike) -> Tensor:
    """The largest whole number <= x.

    >>> mg.floor(mg.tensor([-1.5, 1.5])).tolist()
    [-2.0, 1.0]
    """

def round(x: TensorLike) -> Tensor:
    """The nearest whole number; halves go to even.

    >>> mg.round(mg.tensor([0.5, 1.5, 1.75])).tolist()
    [0.0, 2.0, 2.0]
    """

def reciprocal(x: TensorLike) -> Tensor:
    """1 / x.

    >>> mg.reciprocal(mg.tensor([2.0, 4.0])).tolist()
    [0.5, 0.25]
    """

def minimum(x: TensorLike, y: TensorLike) -> Tensor:
    """The lesser of x and y, element by element; NaN if either is. Equal ones share the gradient. Shapes broadcast as in numpy.

    >>> mg.minimum(mg.tensor([1.0, 5.0]), 3.0).tolist()
    [1.0, 3.0]
    """

def maximum(x: TensorLike, y: TensorLike) -> Tensor:
    """The greater of x and y, element by element; NaN if either is. Equal ones share the gradient. Shapes broadcast as in numpy.

    >>> mg.maximum(mg.tensor([1.0, 5.0]), 3.0).tolist()
    [3.0, 5.0]
    """

def clip(x: TensorLike, min: _Float | None = None, max: _Float | None = None) -> Tensor:
    """x held between min and max (`max` if they cross); None leaves a side open. NaN stays NaN. The gradient is 1 inside and on the bounds.

    >>> mg.clip(mg.tensor([-2.0, 0.5, 2.0]), -1.0, 1.0).tolist()
    [-1.0, 0.5, 1.0]
    """

def clamp(x: TensorLike, min: _Float | None = None, max: _Float | None = None) -> Tensor:
    """x held between min and max (`max` if they cross); None leaves a side open. NaN stays NaN. The gradient is 1 inside and on the bounds.

    >>> mg.clip(mg.tensor([-2.0, 0.5, 2.0]), -1.0, 1.0).tolist()
    [-1.0, 0.5, 1.0]
    """

def clip_backward(g: TensorLike, x: TensorLike, min: _Float | None = None, max: _Float | None = None) -> Tensor:
    """g where min <= x <= max, else 0.

    >>> _core.clip_backward(mg.ones(3), mg.tensor([-2.0, 0.5, 2.0]), -1.0, 1.0).tolist()
    [0.0, 1.0, 0.0]
    """

def where(condition: TensorLike, x: TensorLike, y: TensorLike) -> Tensor:
    """x where condition (bool), else y, element by element. Shapes broadcast as in numpy.

    >>> mg.where(mg.tensor([True, False]), mg.tensor([1.0, 2.0]), 0.0).tolist()
    [1.0, 0.0]
    """

def floor_divide(x: TensorLike, y: TensorLike) -> Tensor:
    """The quotient rounded down, `x // y`; it has no gradient. Of integers by 0 a ValueError.

    >>> (mg.tensor([7, -7]) // 2).tolist()
    [3, -4]
    """

def remainder(x: TensorLike, y: TensorLike) -> Tensor:
    """What the division leaves, `x % y`, with the sign of y, as in Python.

    >>> (mg.tensor([7, -7]) % 3).tolist()
    [1, 2]
    """

def eq(x: TensorLike, y: TensorLike) -> Tensor:
    """x == y, as bool; NaN equals nothing. Shapes broadcast as in numpy.

    >>> mg.eq(mg.tensor([1.0, 2.0, 3.0]), 2.0).tolist()
    [False, True, False]
    """

def ne(x: TensorLike, y: TensorLike) -> Tensor:
    """x != y, as bool. Shapes broadcast as in numpy.

    >>> mg.ne(mg.tensor([1.0, 2.0, 3.0]), 2.0).tolist()
    [True, False, True]
    """

def lt(x: TensorLike, y: TensorLike) -> Tensor:
    """x < y, as bool. Shapes broadcast as in numpy.

    >>> mg.lt(mg.tensor([1.0, 2.0, 3.0]), 2.0).tolist()
    [True, False, False]
    """

def le(x: TensorLike, y: TensorLike) -> Tensor:
    """x <= y, as bool. Shapes broadcast as in numpy.

    >>> mg.le(mg.tensor([1.0, 2.0, 3.0]), 2.0).tolist()
    [True, True, False]
    """

def gt(x: TensorLike, y: TensorLike) -> Tensor:
    """x > y, as bool. Shapes broadcast as in numpy.

    >>> mg.gt(mg.tensor([1.0, 2.0, 3.0]), 2.0).tolist()
    [False, False, True]
    """

def ge(x: TensorLike, y: TensorLike) -> Tensor:
    """x >= y, as bool. Shapes broadcast as in numpy.

    >>> mg.ge(mg.tensor([1.0, 2.0, 3.0]), 2.0).tolist()
    [False, True, True]
    """

def logical_not(x: TensorLike) -> Tensor:
    """True where x is 0.

    >>> mg.logical_not(mg.tensor([0.0, 2.0])).tolist()
    [True, False]
    """

def logical_and(x: TensorLike, y: TensorLike) -> Tensor:
    """True where neither x nor y is 0. Shapes broadcast as in numpy.

    >>> mg.logical_and(mg.tensor([True, True]), mg.tensor([True, False])).tolist()
    [True, False]
    """

def logical_or(x: TensorLike, y: TensorLike) -> Tensor:
    """True where x or y is not 0. Shapes broadcast as in numpy.

    >>> mg.logical_or(mg.tensor([True, False]), mg.tensor([False, False])).tolist()
    [True, False]
    """

def isfinite(x: TensorLike) -> Tensor:
    """True where x is neither infinite nor NaN.

    >>> mg.isfinite(mg.tensor([1.0, float("inf"), float("nan")])).tolist()
    [True, False, False]
    """

def isnan(x: TensorLike) -> Tensor:
    """True where x is NaN.

    >>> mg.isnan(mg.tensor([1.0, float("inf"), float("nan")])).tolist()
    [False, False, True]
    """

def exp(x: TensorLike) -> Tensor:
    """e to the power of x.

    >>> round(mg.exp(mg.tensor(1.0)).item(), 4)
    2.7183
    """

def expm1(x: TensorLike) -> Tensor:
    """exp(x) - 1, exact near 0.

    >>> mg.expm1(mg.tensor([0.0, 1e-20], 'float64')).tolist()
    [0.0, 1e-20]
    """

def log(x: TensorLike) -> Tensor:
    """The natural logarithm; -inf at 0, NaN below.

    >>> mg.log(mg.tensor([1.0, 0.0])).tolist()
    [0.0, -inf]
    """

def log1p(x: TensorLike) -> Tensor:
    """log(1 + x), exact near 0.

    >>> mg.log1p(mg.tensor([0.0, 1e-20], 'float64')).tolist()
    [0.0, 1e-20]
    """

def sqrt(x: TensorLike) -> Tensor:
    """The square root; NaN below 0. The gradient at 0 is infinite.

    >>> mg.sqrt(mg.tensor([4.0, 9.0])).tolist()
    [2.0, 3.0]
    """

def sin(x: TensorLike) -> Tensor:
    """The sine of x radians.

    >>> mg.sin(mg.tensor([0.0, 0.5 * 3.141592653589793], 'float64')).tolist()
    [0.0, 1.0]
    """

def cos(x: TensorLike) -> Tensor:
    """The cosine of x radians.

    >>> mg.cos(mg.tensor([0.0, 3.141592653589793], 'float64')).tolist()
    [1.0, -1.0]
    """

def erf(x: TensorLike) -> Tensor:
    """The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    >>> mg.erf(mg.tensor([0.0, 9.0])).tolist()
    [0.0, 1.0]
    """

def relu(x: TensorLike) -> Tensor:
    """max(x, 0); NaN stays NaN. The gradient at 0 is 0.

    >>> mg.relu(mg.tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

def relu_backward(g: TensorLike, x: TensorLike) -> Tensor:
    """g where x > 0, else 0.

    >>> _core.relu_backward(mg.ones(2), mg.tensor([-1.0, 2.0])).tolist()
    [0.0, 1.0]
    """

def relu_dropout_backward(g: TensorLike, y: TensorLike, scale: _Float = 1.0) -> Tensor:
    """g * scale where y > 0, else 0: the gradient of y = dropout(relu(x)) with scale = 1 / (1 - p).

    >>> _core.relu_dropout_backward(mg.ones(2), mg.tensor([0.0, 2.0]), 2.0).tolist()
    [0.0, 2.0]
    """

def leaky_relu(x: TensorLike, negative_slope: _Float = 0.01) -> Tensor:
    """x where x > 0, else negative_slope * x.

    >>> mg.leaky_relu(mg.tensor([-4.0, 2.0]), 0.25).tolist()
    [-1.0, 2.0]
    """

def leaky_relu_backward(g: TensorLike, x: TensorLike, negative_slope: _Float) -> Tensor:
    """g where x > 0, else negative_slope * g.

    >>> _core.leaky_relu_backward(mg.ones(2), mg.tensor([-4.0, 2.0]), 0.25).tolist()
    [0.25, 1.0]
    """

def sigmoid(x: TensorLike) -> Tensor:
    """1 / (1 + exp(-x)).

    >>> mg.sigmoid(mg.tensor([0.0, 100.0])).tolist()
    [0.5, 1.0]
    """

def sigmoid_backward(g: TensorLike, y: TensorLike) -> Tensor:
    """g * y * (1 - y), y being the sigmoid.

    >>> _core.sigmoid_backward(mg.ones(1), mg.tensor([0.5])).tolist()
    [0.25]
    """

def tanh(x: TensorLike) -> Tensor:
    """The hyperbolic tangent.

    >>> mg.tanh(mg.tensor([0.0, 100.0])).tolist()
    [0.0, 1.0]
    """

def tanh_backward(g: TensorLike, y: TensorLike) -> Tensor:
    """g * (1 - y^2), y being the tanh.

    >>> _core.tanh_backward(mg.ones(1), mg.tensor([0.5])).tolist()
    [0.75]
    """

def gelu(x: TensorLike, approximate: _Bool = False) -> Tensor:
    """x times the normal distribution function, x (1 + erf(x / sqrt 2)) / 2 (Hendrycks and Gimpel 2016); approximate=True: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.

    >>> round(mg.gelu(mg.tensor([1.0])).item(), 4)
    0.8413
    """

def gelu_backward(g: TensorLike, x: TensorLike, approximate: _Bool) -> Tensor:
    """g times the derivative of gelu at x.

    >>> _core.gelu_backward(mg.ones(1), mg.tensor([0.0]), False).tolist()
    [0.5]
    """

def silu(x: TensorLike) -> Tensor:
    """x * sigmoid(x), also known as swish.

    >>> mg.silu(mg.tensor([0.0, 100.0])).tolist()
    [0.0, 100.0]
    """

def silu_backward(g: TensorLike, x: TensorLike) -> Tensor:
    """g times the derivative of silu at x.

    >>> _core.silu_backward(mg.ones(1), mg.tensor([0.0])).tolist()
    [0.5]
    """

def softplus(x: TensorLike) -> Tensor:
    """log(1 + exp(x)).

    >>> round(mg.softplus(mg.tensor([0.0])).item(), 4)
    0.6931
    """

def softplus_backward(g: TensorLike, x: TensorLike) -> Tensor:
    """g * sigmoid(x).

    >>> _core.softplus_backward(mg.ones(1), mg.tensor([0.0])).tolist()
    [0.5]
    """

def elu(x: TensorLike, alpha: _Float = 1.0) -> Tensor:
    """x where x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2015).

    >>> mg.elu(mg.tensor([-100.0, 2.0])).tolist()
    [-1.0, 2.0]
    """

def elu_backward(g: TensorLike, x: TensorLike, alpha: _Float) -> Tensor:
    """g where x > 0, else g * alpha * exp(x).

    >>> _core.elu_backward(mg.ones(2), mg.tensor([0.0, 2.0]), 0.25).tolist()
    [0.25, 1.0]
    """

def selu(x: TensorLike) -> Tensor:
    """1.0507 * elu(x, 1.6733): keeps mean 0 and variance 1 through deep dense networks (Klambauer et al. 2017).

    >>> round(mg.selu(mg.tensor([1.0])).item(), 4)
    1.0507
    """

def selu_backward(g: TensorLike, x: TensorLike) -> Tensor:
    """g times the derivative of selu at x.

    >>> round(_core.selu_backward(mg.ones(1), mg.tensor([1.0])).item(), 4)
    1.0507
    """

def reshape(x: TensorLike, *shape: _Ints) -> Tensor:
    """The same elements in another shape; one size may be -1. A view where memory allows.

    >>> mg.arange(6).reshape(2, -1).tolist()
    [[0, 1, 2], [3, 4, 5]]
    """

def view(x: TensorLike, *shape: _Ints) -> Tensor:
    """The same elements in another shape; one size may be -1. A view where memory allows.

    >>> mg.arange(6).reshape(2, -1).tolist()
    [[0, 1, 2], [3, 4, 5]]
    """

def flatten(x: TensorLike, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions start_dim to end_dim as one.

    >>> mg.zeros(5, 2, 3).flatten(1).shape
    (5, 6)
    """

def squeeze(x: TensorLike, dim: _Ints | None = None, *, axis: _Ints | None = None) -> Tensor:
    """Without the dimensions of size 1 (all of them, or those in dim).

    >>> mg.zeros(1, 3, 1).squeeze().shape, mg.zeros(1, 3, 1).squeeze(0).shape
    ((3,), (3, 1))
    """

def unsqueeze(x: TensorLike, dim: int) -> Tensor:
    """With a new dimension of size 1 at dim.

    >>> mg.zeros(3).unsqueeze(0).shape, mg.zeros(3).unsqueeze(-1).shape
    ((1, 3), (3, 1))
    """

def transpose(x: TensorLike, dim0: int = -2, dim1: int = -1) -> Tensor:
    """Two dimensions exchanged; a view.

    >>> mg.zeros(2, 3, 4).transpose(0, 2).shape
    (4, 3, 2)
    """

def permute(x: TensorLike, *dims: _Ints) -> Tensor:
    """Dimensions in the order dims; a view.

    >>> mg.zeros(2, 3, 4).permute(1, 2, 0).shape
    (3, 4, 2)
    """

def expand(x: TensorLike, *shape: _Ints) -> Tensor:
    """Sizes of 1 repeated up to shape (-1 keeps a size), without copying.

    >>> mg.tensor([[1], [2]]).expand(2, 3).tolist()
    [[1, 1, 1], [2, 2, 2]]
    """

def contiguous(x: TensorLike) -> Tensor:
    """The same values side by side in row-major order; x itself if it is so already.

    >>> mg.zeros(2, 3).transpose().contiguous().strides
    (2, 1)
    """

def clone(x: TensorLike) -> Tensor:
    """A copy with memory of its own.

    >>> x = mg.zeros(1)
    >>> _ = x.clone().fill_(3.0)
    >>> x.tolist()
    [0.0]
    """

def detach(x: TensorLike) -> Tensor:
    """The same memory, cut off from the graph: no gradient flows back.

    >>> mg.ones(1, requires_grad=True).detach().requires_grad
    False
    """

def cast(x: TensorLike, dtype: int) -> Tensor:
    """Converted to another dtype (0 float32, 1 float64, 2 int64, 3 bool).

    >>> _core.cast(mg.tensor([1.5, -0.5]), 2).tolist()
    [1, 0]
    """

def copy_(x: Tensor, source: TensorLike) -> None:
    """Writes source (broadcast) into x's memory.

    >>> x = mg.zeros(2, 2)
    >>> x.copy_(mg.tensor([1.0, 2.0]))
    >>> x.tolist()
    [[1.0, 2.0], [1.0, 2.0]]
    """

def slice(x: TensorLike, starts: _Ints, sizes: _Ints, steps: _Ints) -> Tensor:
    """A box of x: elements starts[d] + i * steps[d], i < sizes[d]; a view. x[a:b:c] calls it.

    >>> _core.slice(mg.arange(6), [1], [2], [3]).tolist()
    [1, 4]
    """

def slice_backward(g: TensorLike, shape: _Ints, starts: _Ints, steps: _Ints) -> Tensor:
    """Zeros of `shape` with g where `slice` read.

    >>> _core.slice_backward(mg.ones(2), [6], [1], [3]).tolist()
    [0.0, 1.0, 0.0, 0.0, 1.0, 0.0]
    """

def take(x: TensorLike, indices: TensorLike, dim: int = 0, *, axis: int = 0) -> Tensor:
    """The entries of dimension dim that the int64 indices name (numpy's take); indices below 0 count from the end. Dimension dim of x becomes those of indices.

    >>> mg.take(mg.tensor([[1, 2], [3, 4]]), mg.tensor([1, 1, 0])).tolist()
    [[3, 4], [3, 4], [1, 2]]
    """

def take_backward(g: TensorLike, indices: TensorLike, shape: _Ints, dim: int) -> Tensor:
    """Zeros of `shape` to which the rows of g are added where `take` read them.

    >>> _core.take_backward(mg.ones(3), mg.tensor([1, 1, 0]), [3], 0).tolist()
    [1.0, 2.0, 0.0]
    """

def check_indices(indices: TensorLike, size: int) -> Tensor:
    """Indices in [-size, size) as [0, size); an IndexError names the first beyond.

    >>> _core.check_indices(mg.tensor([0, -1]), 4).tolist()
    [0, 3]
    """

def concatenate(*tensors: Tensor | Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors one after another along an existing dimension.

    >>> mg.concatenate(mg.tensor([1, 2]), mg.tensor([3])).tolist()
    [1, 2, 3]
    """

def cat(*tensors: Tensor | Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors one after another along an existing dimension.

    >>> mg.concatenate(mg.tensor([1, 2]), mg.tensor([3])).tolist()
    [1, 2, 3]
    """

def stack(*tensors: Tensor | Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape along a new dimension.

    >>> mg.stack(mg.tensor([1, 2]), mg.tensor([3, 4]), dim=1).tolist()
    [[1, 3], [2, 4]]
    """

def take_along_dim(x: TensorLike, indices: TensorLike, dim: int) -> Tensor:
    """out[i, j] = x[i, indices[i, j]] for dim 1, and likewise for others (numpy's take_along_axis); indices below 0 count from the end. The int64 indices have the sizes of x but for `dim`, or 1 where all of x take the same.

    >>> x = mg.tensor([[0.5, 1.5], [2.5, 3.5]])
    >>> mg.take_along_dim(x, mg.tensor([[1], [0]]), 1).tolist()
    [[1.5], [2.5]]
    """

def take_along_dim_backward(g: TensorLike, indices: TensorLike, shape: _Ints, dim: int) -> Tensor:
    """Zeros of `shape` to which the elements of g are added where `take_along_dim` read them.

    >>> g, indices = mg.ones(1, 3), mg.tensor([[1, 1, 0]])
    >>> _core.take_along_dim_backward(g, indices, [1, 2], 1).tolist()
    [[1.0, 2.0]]
    """

def cumsum(x: TensorLike, dim: int) -> Tensor:
    """Running sums along a dimension: each element and all before it.

    >>> mg.cumsum(mg.tensor([1, 2, 3]), 0).tolist()
    [1, 3, 6]
    """

def argsort(x: TensorLike, dim: int = -1, descending: _Bool = False, *, axis: int = -1) -> Tensor:
    """The indices that sort x along a dimension, int64. Equal elements keep their order; NaN counts as largest.

    >>> mg.argsort(mg.tensor([3, 1, 2])).tolist()
    [1, 2, 0]
    """

def sum(x: TensorLike, dim: _Ints | None = None, keepdim: _Bool = False, *, axis: _Ints | None = None, keepdims: _Bool = False) -> Tensor:
    """The sum over `dim` (one, several, or all). Integers and bools are counted as int64; the sum of nothing is 0. What is reduced vanishes from the shape, or stays with size 1 if keepdim.

    >>> mg.sum(mg.tensor([[1, 2], [3, 4]]), 0).tolist()
    [4, 6]
    """

def mean(x: TensorLike, dim: _Ints | None = None, keepdim: _Bool = False, *, axis: _Ints | None = None, keepdims: _Bool = False) -> Tensor:
    """The mean over `dim` (one, several, or all). Integers are averaged as float32; the mean of nothing is NaN. What is reduced vanishes from the shape, or stays with size 1 if keepdim.

    >>> mg.mean(mg.tensor([[1, 2], [3, 4]]), 1, keepdim=True).tolist()
    [[1.5], [3.5]]
    """

def max(x: TensorLike, dim: _Ints | None = None, keepdim: _Bool = False, *, axis: _Ints | None = None, keepdims: _Bool = False) -> Tensor:
    """The largest element over `dim` (one, several, or all), NaN if there is one. The gradient is shared evenly by all elements that are equal to it, as torch.amax does. What is reduced vanishes from the shape, or stays with size 1 if keepdim.

    >>> mg.max(mg.tensor([[1, 5], [3, 4]]), 1).tolist()
    [5, 4]
    """

def min(x: TensorLike, dim: _Ints | None = None, keepdim: _Bool = False, *, axis: _Ints | None = None, keepdims: _Bool = False) -> Tensor:
    """The smallest element over `dim` (one, several, or all), NaN if there is one. The gradient is shared evenly by all elements that are equal to it, as torch.amin does. What is reduced vanishes from the shape, or stays with size 1 if keepdim.

    >>> mg.min(mg.tensor([[1, 5], [3, 4]])).item()
    1
    """

def argmax(x: TensorLike, dim: int | None = None, keepdim: _Bool = False, *, axis: int | None = None, keepdims: _Bool = False) -> Tensor:
    """The index of the first largest element along `dim`, or of the flattened tensor; the first NaN counts as largest. The result is int64, without the dimension, or with size 1 if keepdim.

    >>> mg.argmax(mg.tensor([[1, 5], [3, 4]]), 1).tolist()
    [1, 1]
    """

def argmin(x: TensorLike, dim: int | None = None, keepdim: _Bool = False, *, axis: int | None = None, keepdims: _Bool = False) -> Tensor:
    """The index of the first smallest element along `dim`, or of the flattened tensor; the first NaN counts as smallest. The result is int64, without the dimension, or with size 1 if keepdim.

    >>> mg.argmin(mg.tensor([[1, 5], [3, 4]])).item()
    0
    """

def var(x: TensorLike, dim: _Ints | None = None, correction: int = 1, keepdim: _Bool = False, *, axis: _Ints | None = None, keepdims: _Bool = False) -> Tensor:
    """sum((x - mean)^2) / max(n - correction, 0) over `dim`, where n elements are reduced to one: correction 1 is the unbiased estimate, 0 the variance of the data itself. What is reduced vanishes from the shape, or stays with size 1 if keepdim.

    >>> mg.var(mg.tensor([1.0, 3.0])).item(), mg.var(mg.tensor([1.0, 3.0]), correction=0).item()
    (2.0, 1.0)
    """

def std(x: TensorLike, dim: _Ints | None = None, correction: int = 1, keepdim: _Bool = False, *, axis: _Ints | None = None, keepdims: _Bool = False) -> Tensor:
    """The square root of var(x, dim, correction); its gradient is 0 where it is 0. What is reduced vanishes from the shape, or stays with size 1 if keepdim.

    >>> mg.std(mg.tensor([[1.0, 3.0], [1.0, 1.0]]), 1, correction=0).tolist()
    [1.0, 0.0]
    """

def logsumexp(x: TensorLike, dim: _Ints | None = None, keepdim: _Bool = False, *, axis: _Ints | None = None, keepdims: _Bool = False) -> Tensor:
    """log(sum(exp(x))) over `dim`, without overflow. What is reduced vanishes from the shape, or stays with size 1 if keepdim.

    >>> mg.logsumexp(mg.tensor([1000.0, -1000.0])).item()
    1000.0
    """

def softmax(x: TensorLike, dim: int = -1, *, axis: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along `dim`, without overflow. The shape stays.

    >>> mg.softmax(mg.tensor([[0.0, 0.0], [1000.0, 0.0]])).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """

def log_softmax(x: TensorLike, dim: int = -1, *, axis: int = -1) -> Tensor:
    """x - log(sum(exp(x))) along `dim`, without overflow. The shape stays.

    >>> mg.log_softmax(mg.tensor([1000.0, 0.0])).tolist()
    [0.0, -1000.0]
    """

def softmax_backward(grad: TensorLike, y: TensorLike, dim: int) -> Tensor:
    """y (grad - sum(grad y)) along `dim`: the gradient of y = softmax(x).

    >>> _core.softmax_backward(mg.tensor([1.0, 0.0]), mg.tensor([0.5, 0.5]), -1).tolist()
    [0.25, -0.25]
    """

def log_softmax_backward(grad: TensorLike, y: TensorLike, dim: int) -> Tensor:
    """grad - exp(y) sum(grad) along `dim`: the gradient of y = log_softmax(x).

    >>> y = mg.log_softmax(mg.zeros(2))
    >>> _core.log_softmax_backward(mg.tensor([1.0, 0.0]), y, -1).numpy().round(4).tolist()
    [0.5, -0.5]
    """

def batch_norm(x: TensorLike, weight: TensorLike | None = None, bias: TensorLike | None = None, running_mean: Tensor | None = None, running_var: Tensor | None = None, training: _Bool = False, momentum: _Float = 0.1, eps: _Float = 1e-05) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel (dimension 1). In training mean and biased variance are the batch's, and running = (1 - momentum) running + momentum batch, with the unbiased variance; otherwise they are the running ones. x has shape (N, C, ...), the others (C,).

    >>> mean, var = mg.zeros(1).double(), mg.ones(1).double()
    >>> x = mg.tensor([[1.0], [3.0]], 'float64')
    >>> mg.batch_norm(x, None, None, mean, var, training=True, eps=0.0).tolist()
    [[-1.0], [1.0]]
    >>> mean.tolist(), var.tolist()
    ([0.2], [1.1])
    """

def batch_norm_relu(x: TensorLike, weight: TensorLike | None = None, bias: TensorLike | None = None, running_mean: Tensor | None = None, running_var: Tensor | None = None, training: _Bool = False, momentum: _Float = 0.1, eps: _Float = 1e-05) -> Tensor:
    """relu(batch_norm(...)) in one pass.

    >>> x = mg.tensor([[1.0], [3.0]])
    >>> _core.batch_norm_relu(x, None, None, None, None, training=True, eps=0.0).tolist()
    [[0.0], [1.0]]
    """

def batch_norm_backward(grad: TensorLike, x: TensorLike, weight: TensorLike | None, mean: TensorLike, rstd: TensorLike, training: _Bool, eps: _Float) -> tuple[Tensor, ...]:
    """The gradients of batch_norm for x, weight and bias. rstd is 1 / sqrt(var + eps).

    >>> x, mean, rstd = mg.tensor([[1.0], [3.0]]), mg.tensor([2.0]), mg.ones(1)
    >>> gx, gw, gb = _core.batch_norm_backward(x, x, None, mean, rstd, True, 0.0)
    >>> gx.tolist(), gw.tolist(), gb.tolist()
    ([[0.0], [0.0]], [2.0], [4.0])
    """

def layer_norm(x: TensorLike, normalized_shape: _Ints, weight: TensorLike | None = None, bias: TensorLike | None = None, eps: _Float = 1e-05) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias, with mean and biased variance over the last dimensions, whose sizes are normalized_shape.

    >>> mg.layer_norm(mg.tensor([[1.0, 3.0], [5.0, 5.0]]), (2,), eps=1e-12).tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """

def layer_norm_backward(grad: TensorLike, x: TensorLike, weight: TensorLike | None, mean: TensorLike, rstd: TensorLike, normalized_shape: _Ints, eps: _Float) -> tuple[Tensor, ...]:
    """The gradients of layer_norm for x, weight and bias. rstd is 1 / sqrt(var + eps).

    >>> x, mean, rstd = mg.tensor([[1.0, 3.0]]), mg.tensor([2.0]), mg.ones(1)
    >>> gx, gw, gb = _core.layer_norm_backward(x, x, None, mean, rstd, (2,), 0.0)
    >>> gx.tolist(), gw.tolist(), gb.tolist()
    ([[0.0, 0.0]], [-1.0, 3.0], [1.0, 3.0])
    """

def binary_cross_entropy_with_logits(x: TensorLike, target: TensorLike, reduction: int = 1) -> Tensor:
    """max(x, 0) - x t + log(1 + exp(-|x|)): the cross-entropy of sigmoid(x) against targets in [0, 1], without overflow. reduction: 0 each element, 1 mean, 2 sum. x and target have one shape; the result has it too, or none if reduced.

    >>> x, y = mg.tensor([0.0, 1000.0], 'float64'), mg.ones(2).double()
    >>> _core.binary_cross_entropy_with_logits(x, y, reduction=0).numpy().round(4).tolist()
    [0.6931, 0.0]
    """

def mse_loss(x: TensorLike, target: TensorLike, reduction: int = 1) -> Tensor:
    """(x - target)^2. reduction: 0 each element, 1 mean, 2 sum. x and target have one shape; the result has it too, or none if reduced.

    >>> _core.mse_loss(mg.tensor([1.0, 2.0]), mg.tensor([1.0, 4.0])).item()
    2.0
    """

def l1_loss(x: TensorLike, target: TensorLike, reduction: int = 1) -> Tensor:
    """|x - target|. reduction: 0 each element, 1 mean, 2 sum. The gradient at 0 is 0. x and target have one shape; the result has it too, or none if reduced.

    >>> _core.l1_loss(mg.tensor([1.0, 2.0]), mg.tensor([1.0, 4.0])).item()
    1.0
    """

def huber_loss(x: TensorLike, target: TensorLike, delta: _Float = 1.0, reduction: int = 1) -> Tensor:
    """d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), for d = x - target. reduction: 0 each element, 1 mean, 2 sum. x and target have one shape; the result has it too, or none if reduced.

    >>> _core.huber_loss(mg.tensor([1.0, 3.0]), mg.zeros(2), reduction=0).tolist()
    [0.5, 2.5]
    """

def binary_cross_entropy_with_logits_backward(grad: TensorLike, x: TensorLike, target: TensorLike, reduction: int) -> Tensor:
    """(sigmoid(x) - target) times the gradient of the loss.

    >>> one = mg.tensor(1.0)
    >>> _core.binary_cross_entropy_with_logits_backward(one, mg.zeros(2), mg.tensor([0.0, 1.0]), 2).tolist()
    [0.5, -0.5]
    """

def mse_loss_backward(grad: TensorLike, x: TensorLike, target: TensorLike, reduction: int) -> Tensor:
    """2 (x - target) times the gradient of the loss.

    >>> _core.mse_loss_backward(mg.tensor(1.0), mg.tensor([1.0, 2.0]), mg.zeros(2), 1).tolist()
    [1.0, 2.0]
    """

def l1_loss_backward(grad: TensorLike, x: TensorLike, target: TensorLike, reduction: int) -> Tensor:
    """sign(x - target) times the gradient of the loss.

    >>> _core.l1_loss_backward(mg.tensor(1.0), mg.tensor([-1.0, 2.0]), mg.zeros(2), 1).tolist()
    [-0.5, 0.5]
    """

def huber_loss_backward(grad: TensorLike, x: TensorLike, target: TensorLike, delta: _Float, reduction: int) -> Tensor:
    """x - target, cut to [-delta, delta], times the gradient of the loss.

    >>> _core.huber_loss_backward(mg.tensor(1.0), mg.tensor([0.5, 2.0]), mg.zeros(2), 1.0, 2).tolist()
    [0.5, 1.0]
    """

def cross_entropy(x: TensorLike, target: TensorLike, label_smoothing: _Float = 0.0, reduction: int = 1) -> Tensor:
    """-sum(q log softmax(x)) over the classes, for logits x of shape (N, C) or (N, C, ...). The target is int64 class indices of shape (N,) or (N, ...), or class probabilities in the shape of x; q is the target with a share of label_smoothing spread evenly. reduction: 0 each example, 1 mean, 2 sum.

    >>> x = mg.tensor([[0.0, 0.0], [1000.0, 0.0]], 'float64')
    >>> _core.cross_entropy(x, mg.tensor([0, 0]), reduction=0).numpy().round(4).tolist()
    [0.6931, 0.0]
    """

def cross_entropy_backward(grad: TensorLike, x: TensorLike, target: TensorLike, label_smoothing: _Float, reduction: int) -> Tensor:
    """(softmax(x) sum(q) - q) times the gradient of the loss.

    >>> x = mg.tensor([[0.0, 0.0]])
    >>> _core.cross_entropy_backward(mg.tensor(1.0), x, mg.tensor([0]), 0.0, 1).tolist()
    [[-0.5, 0.5]]
    """

def sgd_(param: Tensor, grad: TensorLike, hyper: Tensor, momentum_buffer: Tensor | None = None, grad_scale: TensorLike | None = None, stream: _Bool = False) -> None:
    """One SGD update. hyper: [step, lr, weight_decay, l1, momentum, dampening, nesterov, decoupled] as float64; step grows by one. grad_scale multiplies the gradient. Parameter, gradient and buffers have one shape. stream: store the parameter past the caches, for other threads to read.

    >>> p, hyper = mg.tensor([1.0]), mg.tensor([0, 0.5, 0, 0, 0, 0, 0, 0], 'float64')
    >>> _core.sgd_(p, mg.ones(1), hyper, None)
    >>> p.tolist(), hyper.tolist()[0]
    ([0.5], 1.0)
    """

def adam_(param: Tensor, grad: TensorLike, exp_avg: Tensor, exp_avg_sq: Tensor, hyper: Tensor, max_exp_avg_sq: Tensor | None = None, grad_scale: TensorLike | None = None, stream: _Bool = False) -> None:
    """One Adam (AdamW if decoupled) update. hyper: [step, lr, weight_decay, l1, beta1, beta2, eps, decoupled] as float64; step grows by one, and gives the bias corrections. With max_exp_avg_sq, AMSGrad. Parameter, gradient and buffers have one shape. stream: store the parameter past the caches, for other threads to read.

    >>> p, m, v = mg.tensor([1.0]), mg.zeros(1), mg.zeros(1)
    >>> hyper = mg.tensor([0, 0.5, 0, 0, 0.9, 0.999, 1e-8, 0], 'float64')
    >>> _core.adam_(p, mg.ones(1), m, v, hyper, None)
    >>> round(p.item(), 4), hyper.tolist()[0]
    (0.5, 1.0)
    """

def rmsprop_(param: Tensor, grad: TensorLike, square_avg: Tensor, hyper: Tensor, grad_avg: Tensor | None = None, momentum_buffer: Tensor | None = None, grad_scale: TensorLike | None = None, stream: _Bool = False) -> None:
    """One RMSprop update. hyper: [step, lr, weight_decay, l1, alpha, eps, momentum, decoupled] as float64; step grows by one. With grad_avg, centered. Parameter, gradient and buffers have one shape. stream: store the parameter past the caches, for other threads to read.

    >>> p, v = mg.tensor([1.0]), mg.zeros(1)
    >>> hyper = mg.tensor([0, 0.25, 0, 0, 0.75, 0, 0, 0], 'float64')
    >>> _core.rmsprop_(p, mg.ones(1), v, hyper, None, None)
    >>> p.tolist(), v.tolist()
    ([0.5], [0.25])
    """

def total_norm(*tensors: Tensor | Sequence[Tensor], largest: _Bool = False) -> Tensor:
    """The Euclidean norm of all elements of all tensors, or the largest magnitude, as float64. The result has no dimensions.

    >>> _core.total_norm(mg.tensor([3.0]), mg.tensor([[4.0]])).item()
    5.0
    """

def scale_(tensor: Tensor, factor: TensorLike) -> None:
    """tensor *= factor in place; factor is one float64 value, read when the op runs. The factor has shape (1,).

    >>> x = mg.tensor([1.0, 2.0])
    >>> _core.scale_(x, mg.tensor([0.5], 'float64'))
    >>> x.tolist()
    [0.5, 1.0]
    """

def lerp_(tensor: Tensor, end: TensorLike, weight: TensorLike) -> None:
    """tensor += weight * (end - tensor) in place; weight is one float64 value. The weight has shape (1,).

    >>> x = mg.zeros(2)
    >>> _core.lerp_(x, mg.tensor([4.0, 8.0]), mg.tensor([0.25], 'float64'))
    >>> x.tolist()
    [1.0, 2.0]
    """

def max_norm_(tensor: Tensor, max_norm: _Float) -> None:
    """Scales back every row tensor[i] (over all other dimensions) whose Euclidean norm exceeds max_norm.

    >>> x = mg.tensor([[3.0, 4.0], [0.0, 1.0]])
    >>> _core.max_norm_(x, 2.5)
    >>> x.tolist()
    [[1.5, 2.0], [0.0, 1.0]]
    """

def next_key(state: Tensor) -> Tensor:
    """A copy of the generator's state [seed, step]; the state's step then grows by one. Both are int64 (2,).

    >>> state = mg.tensor([7, 0])
    >>> _core.next_key(state).tolist(), state.tolist()
    ([7, 0], [7, 1])
    """

def uniform(key: TensorLike, shape: _Ints, dtype: int = 0) -> Tensor:
    """Uniform numbers in [0, 1) with 24 random bits, or 53 as float64 (dtype 1). The key is int64 [seed, step], as next_key gives it.

    >>> x = _core.uniform(mg.tensor([0, 0]), (2, 3))
    >>> x.shape, x.min().item() >= 0, x.max().item() < 1
    ((2, 3), True, True)
    """

def normal(key: TensorLike, shape: _Ints, dtype: int = 0) -> Tensor:
    """Normal numbers of mean 0 and variance 1 (Box-Muller); dtype 1 for float64. The key is int64 [seed, step], as next_key gives it.

    >>> mg._core.normal(mg.tensor([0, 0]), (2, 3)).shape
    (2, 3)
    """

def uniform_between(key: TensorLike, ranges: TensorLike, rows: int) -> Tensor:
    """float64 numbers (rows, columns), those of column j uniform in [low, high), the pair in row j of ranges (columns, 2). A row is the same for any number of rows.

    >>> _core.uniform_between(mg.tensor([0, 0]), mg.tensor([[0.0, 0.0], [5.0, 5.0]], 'float64'), 3).tolist()
    [[0.0, 5.0], [0.0, 5.0], [0.0, 5.0]]
    """

def symmetric_beta(key: TensorLike, n: int, alpha: _Float) -> Tensor:
    """n float64 numbers with the distribution Beta(alpha, alpha). A number is the same for any n.

    >>> _core.symmetric_beta(mg.tensor([0, 0]), 4, 0.2).shape
    (4,)
    """

def randint(key: TensorLike, low: int, high: int, shape: _Ints) -> Tensor:
    """Whole numbers, uniform in [low, high), as int64. The key is int64 [seed, step]; high is not included.

    >>> mg._core.randint(mg.tensor([0, 0]), 5, 6, (3,)).tolist()
    [5, 5, 5]
    """

def permutation(key: TensorLike, n: int) -> Tensor:
    """The numbers 0 .. n - 1 in random order, as int64.

    >>> sorted(_core.permutation(mg.tensor([0, 0]), 4).tolist())
    [0, 1, 2, 3]
    """

def dropout(x: TensorLike, key: TensorLike, p: _Float = 0.5) -> Tensor:
    """Zero with probability p, else x / (1 - p). The gradient draws the same mask from the key again. The shape stays; the key is int64 [seed, step].

    >>> sorted(set(_core.dropout(mg.ones(100), mg.tensor([0, 0]), 0.5).tolist()))
    [0.0, 2.0]
    """

def dropout2d(x: TensorLike, key: TensorLike, p: _Float = 0.5) -> Tensor:
    """Dropout of whole channels of x (N, C, ...): one draw for each n and c. The key is int64 [seed, step].

    >>> x = _core.dropout2d(mg.ones(20, 5, 2, 2), mg.tensor([0, 0]), 0.5)
    >>> sorted(set(x.mean((2, 3)).flatten().tolist()))
    [0.0, 2.0]
    """

def conv2d(x: TensorLike, weight: TensorLike, bias: TensorLike | None = None, stride: _Ints = 1, padding: _Ints = 0, dilation: _Ints = 1, groups: int = 1) -> Tensor:
    """The convolution (without flipping, as in PyTorch) of x (images, channels, height, width) with weight (filters, channels / groups, kernel height, kernel width), plus bias (filters,): (images, filters, out height, out width), where out = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1. Kernels of 3 by 3 with stride 1 and at least 8 channels and filters go by Winograd's F(2x2, 3x3) where it is faster: no less accurate, but a window with an infinity may give NaN.

    >>> mg.conv2d(mg.ones(1, 1, 3, 3), mg.ones(2, 1, 2, 2), padding=1).shape
    (1, 2, 4, 4)
    """

def conv2d_relu(x: TensorLike, weight: TensorLike, bias: TensorLike | None = None, stride: _Ints = 1, padding: _Ints = 0, dilation: _Ints = 1, groups: int = 1) -> Tensor:
    """relu(conv2d(...)) in one pass.

    >>> _core.conv2d_relu(mg.ones(1, 1, 2, 2), -mg.ones(1, 1, 2, 2), None).tolist()
    [[[[0.0]]]]
    """

def conv2d_input_grad(g: TensorLike, weight: TensorLike, height: int, width: int, stride: _Ints = 1, padding: _Ints = 0, dilation: _Ints = 1, groups: int = 1) -> Tensor:
    """The gradient of conv2d by x, of the given height and width, for gradient g of its output; also the transposed convolution of g.

    >>> _core.conv2d_input_grad(mg.ones(1, 1, 2, 2), mg.ones(1, 1, 2, 2), 3, 3).tolist()
    [[[[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]]]
    """

def conv2d_input_grad_relu_backward(g: TensorLike, weight: TensorLike, y: TensorLike, height: int, width: int, stride: _Ints = 1, padding: _Ints = 0, dilation: _Ints = 1, groups: int = 1, scale: _Float = 1.0) -> Tensor:
    """relu_dropout_backward(conv2d_input_grad(g, weight, ...), y, scale) in one pass.

    >>> g, w, y = mg.ones(1, 1, 1, 1), mg.ones(1, 1, 2, 2), mg.tensor([[[[0.0, 1.0], [1.0, 0.0]]]])
    >>> _core.conv2d_input_grad_relu_backward(g, w, y, 2, 2).tolist()
    [[[[0.0, 1.0], [1.0, 0.0]]]]
    """

def conv2d_weight_grad(g: TensorLike, x: TensorLike, kernel_height: int, kernel_width: int, stride: _Ints = 1, padding: _Ints = 0, dilation: _Ints = 1, groups: int = 1) -> tuple[Tensor, ...]:
    """The gradients of conv2d by weight, of the given kernel size, and by bias, for gradient g of its output.

    >>> weight, bias = _core.conv2d_weight_grad(mg.ones(1, 1, 2, 2), mg.ones(1, 1, 3, 3), 2, 2)
    >>> weight.tolist(), bias.tolist()
    ([[[[4.0, 4.0], [4.0, 4.0]]]], [4.0])
    """

def max_pool2d(x: TensorLike, kernel_size: _Ints, stride: _Ints | None = None, padding: _Ints = 0) -> Tensor:
    """The greatest element of every window of (images, channels, height, width); NaN wins. stride is kernel_size by default. Of equal elements the first takes the gradient.

    >>> mg.max_pool2d(mg.arange(16).float().reshape(1, 1, 4, 4), 2).tolist()
    [[[[5.0, 7.0], [13.0, 15.0]]]]
    """

def max_pool2d_backward(g: TensorLike, x: TensorLike, kernel_size: _Ints, stride: _Ints | None = None, padding: _Ints = 0) -> Tensor:
    """g at the places where x has its maxima, summed where windows overlap, 0 elsewhere.

    >>> _core.max_pool2d_backward(mg.ones(1, 1, 1, 1), mg.tensor([[[[1.0, 4.0], [3.0, 2.0]]]]), 2).tolist()
    [[[[0.0, 1.0], [0.0, 0.0]]]]
    """

def max_pool2d_relu_backward(g: TensorLike, y: TensorLike, kernel_size: _Ints, stride: _Ints | None = None, padding: _Ints = 0) -> Tensor:
    """relu_dropout_backward(max_pool2d_backward(g, y, ...), y) in one pass.

    >>> y = mg.tensor([[[[1.0, 4.0, 0.0, 0.0], [3.0, 2.0, 0.0, 0.0]]]])
    >>> _core.max_pool2d_relu_backward(mg.ones(1, 1, 1, 2), y, 2).tolist()
    [[[[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]]]
    """

def max_pool2d_pick(values: TensorLike, x: TensorLike, kernel_size: _Ints, stride: _Ints | None = None, padding: _Ints = 0) -> Tensor:
    """The elements of values at the places where x has its maxima.

    >>> x = mg.tensor([[[[1.0, 4.0], [3.0, 2.0]]]])
    >>> _core.max_pool2d_pick(10 * x, x, 2).tolist()
    [[[[40.0]]]]
    """

def avg_pool2d(x: TensorLike, kernel_size: _Ints, stride: _Ints | None = None, padding: _Ints = 0) -> Tensor:
    """The mean of every window of (images, channels, height, width), padding counted as zeros. stride is kernel_size by default.

    >>> mg.avg_pool2d(mg.arange(16).float().reshape(1, 1, 4, 4), 2).tolist()
    [[[[2.5, 4.5], [10.5, 12.5]]]]
    """

def avg_pool2d_backward(g: TensorLike, height: int, width: int, kernel_size: _Ints, stride: _Ints | None = None, padding: _Ints = 0) -> Tensor:
    """The gradient of avg_pool2d by x, of the given height and width.

    >>> _core.avg_pool2d_backward(mg.ones(1, 1, 1, 1), 2, 2, 2).tolist()
    [[[[0.25, 0.25], [0.25, 0.25]]]]
    """

def embedding(indices: TensorLike, weight: TensorLike) -> Tensor:
    """Row weight[i] for each of the int64 indices: shape (*indices.shape, features).

    >>> mg.embedding(mg.tensor([2, 0]), mg.tensor([[1.0], [2.0], [3.0]])).tolist()
    [[3.0], [1.0]]
    """

def embedding_backward(g: TensorLike, indices: TensorLike, rows: int) -> Tensor:
    """Zeros (rows, features) to which each row of g is added at its index, in order.

    >>> _core.embedding_backward(mg.ones(3, 1), mg.tensor([2, 0, 2]), 3).tolist()
    [[1.0], [0.0], [2.0]]
    """

def matmul(x: TensorLike, y: TensorLike) -> Tensor:
    """The matrix product x @ y of x (..., m, k) and y (..., k, n): (..., m, n).

    Leading dimensions broadcast. A 1-d x counts as one row and a 1-d y as one column, which the
    result leaves out. Strided operands, such as transposes, are used where they lie.

    Raises ValueError if the inner dimensions differ, TypeError if x or y holds no floats.

    >>> mg.matmul(mg.tensor([[1.0, 2.0]]), mg.tensor([[3.0], [4.0]])).tolist()
    [[11.0]]
    """

def matmul_relu_dropout_backward(x: TensorLike, w: TensorLike, y: TensorLike, scale: _Float = 1.0) -> Tensor:
    """relu_dropout_backward(x @ w, y, scale) in one pass: the gradient of what was put into y = dropout(relu(.)).

    >>> _core.matmul_relu_dropout_backward(mg.ones(1, 2), mg.ones(2, 2), mg.tensor([[0.0, 1.0]]), 2.0).tolist()
    [[0.0, 4.0]]
    """

def linear(x: TensorLike, weight: TensorLike, bias: TensorLike | None = None) -> Tensor:
    """x @ weight.T + bias for x (..., in), weight (out, in) and bias (out,): (..., out).

    Raises ValueError if the features of x are not those that weight takes.

    >>> mg.linear(mg.tensor([1.0, 2.0]), mg.tensor([[3.0, 4.0]]), mg.tensor([0.5])).tolist()
    [11.5]
    """

def linear_relu(x: TensorLike, weight: TensorLike, bias: TensorLike | None = None) -> Tensor:
    """relu(linear(x, weight, bias)) in one pass.

    >>> _core.linear_relu(mg.ones(1, 2), mg.tensor([[1.0, 1.0], [-1.0, -1.0]])).tolist()
    [[2.0, 0.0]]
    """

def linear_weight_grad(g: TensorLike, x: TensorLike) -> tuple[Tensor, ...]:
    """The gradients of a linear layer's weight, g.T @ x, and bias, the sum of g's rows, for g (batch, out) and x (batch, in).

    >>> weight, bias = _core.linear_weight_grad(mg.ones(3, 1), mg.ones(3, 2))
    >>> weight.tolist(), bias.tolist()
    ([[3.0, 3.0]], [3.0])
    """

def linear_relu_linear(x: TensorLike, weight1: TensorLike, bias1: TensorLike, weight2: TensorLike, bias2: TensorLike) -> Tensor:
    """linear(relu(linear(x, weight1, bias1)), weight2, bias2) in one pass, without the hidden layer in memory: for x (batch, 1 to 4), 64 hidden units or more and one output.

    >>> x, first, second = mg.ones(1, 2), mg.ones(64, 2), mg.ones(1, 64)
    >>> _core.linear_relu_linear(x, first, mg.zeros(64), second, mg.zeros(1)).tolist()
    [[128.0]]
    """

def linear_relu_linear_stored(x: TensorLike, weight1: TensorLike, bias1: TensorLike, weight2: TensorLike, bias2: TensorLike) -> tuple[Tensor, ...]:
    """linear_relu_linear, and the hidden layer that it went through.

    >>> x, first, second = mg.ones(1, 2), mg.ones(64, 2), mg.ones(1, 64)
    >>> y, hidden = _core.linear_relu_linear_stored(x, first, mg.zeros(64), second, mg.zeros(1))
    >>> y.item(), hidden.shape
    (128.0, (1, 64))
    """

def linear_relu_linear_grad(g: TensorLike, x: TensorLike, hidden: TensorLike, weight2: TensorLike, scale: _Float = 1.0) -> tuple[Tensor, ...]:
    """The gradients of weight1, bias1, weight2 and bias2 in linear(hidden, weight2, bias2), hidden = dropout(relu(linear(x, weight1, bias1))), in one pass; g is that of the output, and scale what dropout multiplied by.

    >>> g, x, hidden, second = mg.ones(1, 1), mg.ones(1, 2), mg.ones(1, 64), mg.ones(1, 64)
    >>> [part.shape for part in _core.linear_relu_linear_grad(g, x, hidden, second)]
    [(64, 2), (64,), (1, 64), (1,)]
    """

def affine_matrix(params: TensorLike, before: TensorLike | None, height: int, width: int) -> Tensor:
    """theta (N, 2, 3) for resample, from float64 params (N, 8) of images of height x width: clockwise angle in degrees, shift to the right and down in pixels (rounded down to whole ones), scale, shear along x and y in degrees, and two numbers that mirror left and right, or top and bottom, where they are negative. The image is mirrored, then sheared, turned and scaled about its centre, then shifted. With `before`, another theta, all that happens to what that one gives.

    >>> shift = mg.tensor([[0, 1, 0, 1, 0, 0, 1, 1]], 'float64')
    >>> _core.affine_matrix(shift, None, 4, 4).tolist()
    [[[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]]]
    """

def resample(x: TensorLike, theta: TensorLike, height: int, width: int, fill: _Float = 0.0) -> Tensor:
    """Images x (N, C, H, W) seen through float64 matrices theta (N, 2, 3): pixel (i, j) of the (N, C, height, width) result is at theta · (j, i, 1) of x, interpolated between its four neighbours, of which those outside of x are `fill`. Mirrors and shifts by whole pixels are copies.

    >>> theta = mg.tensor([[[1, 0, -1], [0, 1, 0]]], 'float64')
    >>> _core.resample(mg.tensor([[[[1.0, 2.0, 3.0]]]]), theta, 1, 3).tolist()
    [[[[0.0, 1.0, 2.0]]]]
    """

def resample_backward(g: TensorLike, theta: TensorLike, height: int, width: int) -> Tensor:
    """The gradient of resample by its images, which are of height x width.

    >>> theta = mg.tensor([[[1, 0, -1], [0, 1, 0]]], 'float64')
    >>> _core.resample_backward(mg.tensor([[[[1.0, 2.0, 3.0]]]]), theta, 1, 3).tolist()
    [[[[2.0, 3.0, 0.0]]]]
    """

def color_jitter(x: TensorLike, factors: TensorLike, transposed: _Bool = False) -> Tensor:
    """Images x (N, 1 or 3, H, W) times float64 factors (N, 3) of brightness, contrast and saturation: x is multiplied by the first, blended with the mean of its grey values by the second, with its grey values by the third. `transposed` is the transpose of this linear map.

    >>> _core.color_jitter(mg.tensor([[[[0.25, 0.5]]]]), mg.tensor([[2, 1, 1]], 'float64')).tolist()
    [[[[0.5, 1.0]]]]
    """

def mix_rows(x: TensorLike, weights: TensorLike, transposed: _Bool = False) -> Tensor:
    """Row i of x (N, ...) becomes w x[i] + (1 - w) x[i - 1], w being number i of the float64 weights (N,); row 0 is mixed with the last one. `transposed` is the transpose of this linear map.

    >>> _core.mix_rows(mg.tensor([[0.0], [8.0]]), mg.tensor([0.75, 0.5], 'float64')).tolist()
    [[2.0], [4.0]]
    """

def erase_boxes(draws: TensorLike, height: int, width: int) -> Tensor:
    """Boxes (N, 4) of images of height x width, from float64 draws (N, 3 + 2 attempts). A box is empty unless number 0 is negative. Then come an area, as a share of the image, and the logarithm of height / width, for each attempt: the first box that is smaller than the image both ways is taken. The last two numbers, in [0, 1), are its place down and to the right.

    >>> draws = mg.tensor([[-1, 0.25, 0, 0, 0], [1, 0.25, 0, 0, 0]], 'float64')
    >>> _core.erase_boxes(draws, 8, 8).tolist()
    [[0, 0, 4, 4], [0, 0, 0, 0]]
    """

def cut_boxes(weights: TensorLike, centres: TensorLike, height: int, width: int) -> tuple[Tensor, ...]:
    """Boxes (N, 4) that leave the share `weights` (N,) of images of height x width outside, around centres (N, 2), which are in [0, 1), down and to the right. What would leave the image is cut off; the second result is the share that is left.

    >>> weight, centre = mg.tensor([0.75], 'float64'), mg.tensor([[0.5, 0.5]], 'float64')
    >>> boxes, left = _core.cut_boxes(weight, centre, 8, 8)
    >>> boxes.tolist(), left.tolist()
    ([[2, 2, 4, 4]], [0.75])
    """

def paste(x: TensorLike, y: TensorLike, boxes: TensorLike) -> Tensor:
    """Images x (N, C, H, W), but y inside of int64 boxes (N, 4), which are (top, left, height, width). y is repeated to the shape of x.

    >>> _core.paste(mg.zeros(1, 1, 2, 2), mg.ones(1, 1, 1, 1), mg.tensor([[0, 1, 2, 1]])).tolist()
    [[[[0.0, 1.0], [0.0, 1.0]]]]
    """

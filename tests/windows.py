"""Convolution, pooling and embedding in plain numpy, and draws for them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import references as ref
from draws import Call, Draw, Source, distinct, real, thinned

Array = np.ndarray


def pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[-1])


def views(
    x: Array, kernel: Any, stride: Any, padding: Any, dilation: Any = 1, fill: float = 0.0
) -> Iterator[tuple[int, int, Array]]:
    """(i, j, what element (i, j) of the kernel sees): views of x if there is no padding."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel, stride, padding, dilation))
    if ph or pw:
        x = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(ph, ph), (pw, pw)], constant_values=fill)
    height, width = x.shape[-2] - dh * (kh - 1), x.shape[-1] - dw * (kw - 1)
    for i, j in itertools.product(range(kh), range(kw)):
        top, left = i * dh, j * dw
        yield i, j, x[..., top : top + height : sh, left : left + width : sw]


def inside(x: Array, padding: Any) -> Array:
    """x without its border."""
    ph, pw = pair(padding)
    return x[..., ph : x.shape[-2] - ph, pw : x.shape[-1] - pw]


def bordered(shape: tuple[int, ...], padding: Any) -> Array:
    ph, pw = pair(padding)
    return np.zeros((*shape[:-2], shape[-2] + 2 * ph, shape[-1] + 2 * pw))


def grouped(x: Array, groups: int, dim: int) -> Array:
    return x.reshape(*x.shape[:dim], groups, x.shape[dim] // groups, *x.shape[dim + 1 :])


# ---- Convolution ------------------------------------------------------------------------------


def conv2d(
    x: Array, w: Array, b: Array | None, stride: Any, padding: Any, dilation: Any, groups: int
) -> Array:
    out: Any = 0.0
    for i, j, seen in views(x, w.shape[2:], stride, padding, dilation):
        element = grouped(w[:, :, i, j], groups, 0)
        part = np.einsum("ngchw,gfc->ngfhw", grouped(seen, groups, 1), element)
        out = out + part.reshape(len(x), len(w), *part.shape[3:])
    return out if b is None else out + b[:, None, None]


def conv2d_input_grad(
    g: Array, w: Array, height: int, width: int, stride: Any, padding: Any, dilation: Any,
    groups: int,
) -> Array:  # fmt: skip
    x = bordered((len(g), w.shape[1] * groups, height, width), padding)
    for i, j, seen in views(x, w.shape[2:], stride, 0, dilation):
        element = grouped(w[:, :, i, j], groups, 0)
        part = np.einsum("ngfhw,gfc->ngchw", grouped(g, groups, 1), element)
        seen += part.reshape(seen.shape)
    return inside(x, padding)


def conv2d_relu(x: Array, w: Array, b: Array | None, **attrs: Any) -> Array:
    return ref.relu(conv2d(x, w, b, **attrs))


def conv2d_input_grad_relu_backward(
    g: Array, w: Array, y: Array, *, scale: float, **attrs: Any
) -> Array:
    return ref.slope_of_relu_dropout(conv2d_input_grad(g, w, **attrs), y, scale)


def conv2d_weight_grad(
    g: Array, x: Array, kernel_height: int, kernel_width: int, stride: Any, padding: Any,
    dilation: Any, groups: int,
) -> tuple[Array, Array]:  # fmt: skip
    w = np.zeros((g.shape[1], x.shape[1] // groups, kernel_height, kernel_width))
    for i, j, seen in views(x, w.shape[2:], stride, padding, dilation):
        part = np.einsum("ngfhw,ngchw->gfc", grouped(g, groups, 1), grouped(seen, groups, 1))
        w[:, :, i, j] = part.reshape(w.shape[:2])
    return w, g.sum((0, 2, 3))


def out_size(n: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> int:
    return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def axis(s: Source) -> tuple[int, int, int, int, int]:
    """Size, kernel, stride, padding, dilation of one axis."""
    kernel, stride = s.integer(1, 3), s.integer(1, 3)
    padding, dilation = s.integer(0, 2), s.integer(1, 2)
    least = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
    return least + s.integer(0, 4) + 10 * (s.scale > 1), kernel, stride, padding, dilation


def convolution(s: Source) -> tuple[dict[str, Array], dict[str, Any]]:
    """x, weight, bias and g (like the output), and the attributes."""
    large = s.scale > 1
    groups = s.choice([1, 1, 2, 3])
    channels = groups * (6 if large else s.integer(1, 3))
    filters = groups * (20 if large else s.integer(1, 3))
    images = 19 if large else s.integer(0, 3)
    (height, kh, sh, ph, dh), (width, kw, sw, pw, dw) = axis(s), axis(s)
    out = out_size(height, kh, sh, ph, dh), out_size(width, kw, sw, pw, dw)
    arrays = {
        "x": real(s.rng, (images, channels, height, width)),
        "weight": real(s.rng, (filters, channels // groups, kh, kw)),
        "bias": real(s.rng, (filters,)),
        "g": real(s.rng, (images, filters, *out)),
    }
    attrs = {"stride": (sh, sw), "padding": (ph, pw), "dilation": (dh, dw), "groups": groups}
    return arrays, attrs


def draw_conv2d(s: Source) -> Call:
    a, attrs = convolution(s)
    return Call((a["x"], a["weight"], a["bias"] if s.flag() else None), attrs)


def draw_conv2d_input_grad(s: Source) -> Call:
    a, attrs = convolution(s)
    height, width = a["x"].shape[2:]
    return Call((a["g"], a["weight"]), {"height": height, "width": width, **attrs})


def draw_conv2d_relu(s: Source) -> Call:
    """Nowhere near the kink: multiples of 1/4, and 0.1."""
    call = draw_conv2d(s)
    x, w = (np.round(2 * a) / 2 for a in call.inputs[:2])
    return Call((x, w, np.round(2 * s.rng.normal(0, 1, len(w))) / 2 + 0.1), call.attrs)


def draw_conv2d_input_grad_relu_backward(s: Source) -> Call:
    a, attrs = convolution(s)
    height, width = a["x"].shape[2:]
    sizes = {"height": height, "width": width, "scale": s.choice([1.0, 2.0, 1.25])}
    return Call((a["g"], a["weight"], thinned(s.rng, a["x"].shape)), {**sizes, **attrs})


def draw_conv2d_weight_grad(s: Source) -> Call:
    a, attrs = convolution(s)
    height, width = a["weight"].shape[2:]
    return Call((a["g"], a["x"]), {"kernel_height": height, "kernel_width": width, **attrs})


# ---- Pooling ----------------------------------------------------------------------------------


def stacked(x: Array, kernel_size: Any, stride: Any, padding: Any, fill: float) -> Array:
    stride = kernel_size if stride is None else stride
    return np.stack([v for _, _, v in views(x, kernel_size, stride, padding, fill=fill)])


def max_pool2d(x: Array, kernel_size: Any, stride: Any, padding: Any) -> Array:
    return stacked(x, kernel_size, stride, padding, -np.inf).max(0)


def avg_pool2d(x: Array, kernel_size: Any, stride: Any, padding: Any) -> Array:
    return stacked(x, kernel_size, stride, padding, 0.0).mean(0)


def is_max(x: Array, kernel_size: Any, stride: Any, padding: Any) -> list[Array]:
    """For each kernel element, where it sees the maximum (of equal ones, the first)."""
    best = stacked(x, kernel_size, stride, padding, -np.inf).argmax(0)
    kh, kw = pair(kernel_size)
    return [best == k for k in range(kh * kw)]


def max_pool2d_pick(values: Array, x: Array, kernel_size: Any, stride: Any, padding: Any) -> Array:
    seen = stacked(values, kernel_size, stride, padding, 0.0)
    return np.sum(np.where(is_max(x, kernel_size, stride, padding), seen, 0), axis=0)


def spread(shares: list[Array], shape: Any, kernel_size: Any, stride: Any, padding: Any) -> Array:
    """Sums, at every element of an input of this shape, what each kernel element sends there."""
    x = bordered(shape, padding)
    stride = kernel_size if stride is None else stride
    for (_, _, seen), share in zip(views(x, kernel_size, stride, 0), shares, strict=True):
        seen += share
    return inside(x, padding)


def max_pool2d_backward(g: Array, x: Array, kernel_size: Any, stride: Any, padding: Any) -> Array:
    shares = [np.where(m, g, 0) for m in is_max(x, kernel_size, stride, padding)]
    return spread(shares, x.shape, kernel_size, stride, padding)


def max_pool2d_relu_backward(g: Array, y: Array, **attrs: Any) -> Array:
    return np.where(y <= 0, 0, max_pool2d_backward(g, y, **attrs))


def avg_pool2d_backward(
    g: Array, height: int, width: int, kernel_size: Any, stride: Any, padding: Any
) -> Array:
    kh, kw = pair(kernel_size)
    shares = [g / (kh * kw)] * (kh * kw)
    return spread(shares, (*g.shape[:-2], height, width), kernel_size, stride, padding)


def pool(s: Source) -> tuple[Array, Array, dict[str, Any]]:
    """x, g (like the output), and the attributes; half of the calls are 2 by 2, the common case."""
    if s.flag():
        kernel: Any = 2
        stride, padding = s.choice([None, 2]), 0
    else:
        kernel = (s.integer(1, 3), s.integer(1, 3))
        stride = s.choice([None, (s.integer(1, 3), s.integer(1, 4))])
        padding = tuple(s.integer(0, k // 2) for k in kernel)
    sizes = [k + s.integer(0, 20 if i else 4) for i, k in enumerate(pair(kernel))]
    lead = (7, s.scale**2) if s.scale > 1 else s.choice([(2,), (2, 3), (0, 2), (1, 1)])
    step = pair(kernel if stride is None else stride)
    shape = zip(sizes, pair(kernel), step, pair(padding), strict=True)
    x = distinct(s.rng, (*lead, *sizes))
    g = real(s.rng, (*lead, *(out_size(*n) for n in shape)))
    return x, g, {"kernel_size": kernel, "stride": stride, "padding": padding}


def draw_pool(s: Source) -> Call:
    x, _, attrs = pool(s)
    return Call((x,), attrs)


def draw_max_pool2d_pick(s: Source) -> Call:
    x, _, attrs = pool(s)
    return Call((real(s.rng, x.shape), x), attrs)


def draw_max_pool2d_backward(s: Source) -> Call:
    x, g, attrs = pool(s)
    return Call((g, x), attrs)


def draw_avg_pool2d_backward(s: Source) -> Call:
    x, g, attrs = pool(s)
    return Call((g,), {"height": x.shape[-2], "width": x.shape[-1], **attrs})


# ---- Embedding --------------------------------------------------------------------------------


def embedding_backward(g: Array, indices: Array, rows: int) -> Array:
    out = np.zeros((rows, g.shape[-1]))
    np.add.at(out, indices, g)
    return out


def embedding(backward: bool) -> Draw:
    def draw(s: Source) -> Call:
        large = s.scale > 1
        rows, features = s.integer(1, 5), 40 if large else s.integer(0, 9)
        indices = s.rng.integers(0, rows, (50, 80) if large else s.shape(max_rank=2))
        if backward:
            return Call((real(s.rng, (*indices.shape, features)), indices), {"rows": rows})
        return Call((indices, real(s.rng, (rows, features))))

    return draw


def numeric_gradient(f, x, eps=1e-6):
    g = np.empty_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += eps
        down[i] -= eps
        g[i] = (f(up) - f(down)) / (2 * eps)
    return g

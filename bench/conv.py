"""Convolution and pooling beside numpy (windows unfolded, one matrix product) and torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from harness import OURS, Bench, Result, check, fma_peak

import minigrad as mg
from minigrad import _core

Array = np.ndarray[Any, Any]
Calls = dict[str, Callable[[], Any]]


@dataclass
class Layer:
    """One convolution: what a network does with it is forward and two gradients."""

    name: str
    x: tuple[int, int, int, int]
    filters: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1

    @property
    def weight(self) -> tuple[int, int, int, int]:
        return self.filters, self.x[1] // self.groups, self.kernel, self.kernel

    def options(self) -> tuple[int, int, int, int]:
        return self.stride, self.padding, 1, self.groups


LAYERS = (
    Layer("cnn, first", (64, 1, 28, 28), 32, 3),
    Layer("cnn, second", (64, 32, 26, 26), 64, 3),
    Layer("colours, first", (64, 3, 32, 32), 32, 3, padding=1),
    Layer("64 to 64 at 16", (32, 64, 16, 16), 64, 3, padding=1),
    Layer("64 to 128, stride 2", (32, 64, 16, 16), 128, 3, stride=2, padding=1),
    Layer("256 to 256 at 4", (32, 256, 4, 4), 256, 3, padding=1),
    Layer("256 to 128, 1 by 1", (32, 256, 8, 8), 128, 1),
    Layer("lenet, second", (64, 6, 14, 14), 16, 5),
    Layer("a filter a channel", (16, 64, 16, 16), 64, 3, padding=1, groups=64),
)


def unfolded(x: Array, layer: Layer) -> Array:
    """Every window as a row, group by group: what numpy needs to call its matrix product."""
    p = layer.padding
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    seen = np.lib.stride_tricks.sliding_window_view(x, (layer.kernel,) * 2, axis=(2, 3))
    seen = seen[:, :, :: layer.stride, :: layer.stride]
    n, c, h, w = seen.shape[:4]
    seen = seen.reshape(n, layer.groups, c // layer.groups, h, w, *seen.shape[4:])
    return seen.transpose(1, 0, 3, 4, 2, 5, 6).reshape(layer.groups, n * h * w, -1)


def numpy_forward(x: Array, w: Array, layer: Layer) -> Array:
    columns = w.reshape(layer.groups, layer.filters // layer.groups, -1).transpose(0, 2, 1)
    out = np.matmul(unfolded(x, layer), columns)
    side = (x.shape[2] + 2 * layer.padding - layer.kernel) // layer.stride + 1
    out = out.reshape(layer.groups, len(x), side, side, -1)
    return out.transpose(1, 0, 4, 2, 3).reshape(len(x), layer.filters, side, side)


def torch_calls(x: Array, w: Array, g: Array, layer: Layer, threads: int) -> list[Calls]:
    """Forward, gradient by x, gradient by w; nothing if torch is not installed or not wanted."""
    if os.environ.get("MINIGRAD_BENCH_TORCH") == "0":
        return [{}, {}, {}]
    try:
        import torch
    except ImportError:
        return [{}, {}, {}]
    torch.set_num_threads(threads)
    tx, tw, tg = torch.from_numpy(x), torch.from_numpy(w), torch.from_numpy(g)
    both = [layer.stride] * 2, [layer.padding] * 2, [1, 1], False, [0, 0], layer.groups

    def gradient(which: int) -> Any:
        mask = [which == 0, which == 1, False]
        return torch.ops.aten.convolution_backward(tg, tx, tw, None, *both, mask)

    return [
        {"torch": lambda: torch.nn.functional.conv2d(tx, tw, None, *layer.options())},
        {"torch": lambda: gradient(0)},
        {"torch": lambda: gradient(1)},
    ]


def convolution(bench: Bench, layer: Layer, limit: float) -> list[Result]:
    """Checks and times the three passes of a layer."""
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(s).astype(np.float32) for s in (layer.x, layer.weight))
    tx, tw = mg.tensor(x), mg.tensor(w)
    options = layer.options()
    y = _core.conv2d(tx, tw, None, *options)
    check(layer.name, y.numpy(), numpy_forward(x, w, layer), 1e-4)
    g = rng.standard_normal(y.shape).astype(np.float32)
    tg = mg.tensor(g)
    side = layer.x[2]

    def by_x() -> Any:
        return _core.conv2d_input_grad(tg, tw, side, side, *options)

    def by_w() -> Any:
        return _core.conv2d_weight_grad(tg, tx, layer.kernel, layer.kernel, *options)

    # <g, y> is linear in x and in w, so either gradient gives it back.
    whole = np.vdot(g.astype(np.float64), y.numpy())
    for gradient, at in ((by_x(), x), (by_w(), w)):
        found = np.vdot(gradient.numpy().astype(np.float64), at)
        check(layer.name, found, np.asarray(whole), 1e-3)

    forward, dx, dw = torch_calls(x, w, g, layer, bench.threads)
    work = 2.0 * y.numpy().size * np.prod(layer.weight[1:])
    ours = {OURS: lambda: _core.conv2d(tx, tw, None, *options)}
    return [
        bench.compare(
            f"{layer.name}: forward",
            {**ours, "numpy": lambda: numpy_forward(x, w, layer), **forward},
            work,
            limit,
        ),
        bench.compare(f"{layer.name}: by input", {OURS: by_x, **dx}, work, limit),
        bench.compare(f"{layer.name}: by weight", {OURS: by_w, **dw}, work, limit),
    ]


def pooling(bench: Bench) -> None:
    """The pool of the cnn workload, forward and backward."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 64, 24, 24)).astype(np.float32)
    g = rng.standard_normal((64, 64, 12, 12)).astype(np.float32)
    tx, tg = mg.tensor(x), mg.tensor(g)
    blocks = x.reshape(64, 64, 12, 2, 12, 2)
    check("max pool", _core.max_pool2d(tx, 2).numpy(), blocks.max((3, 5)), 0)
    forward: Calls = {
        OURS: lambda: _core.max_pool2d(tx, 2),
        "numpy": lambda: blocks.max((3, 5)),
    }
    backward: Calls = {OURS: lambda: _core.max_pool2d_backward(tg, tx, 2)}
    if os.environ.get("MINIGRAD_BENCH_TORCH") != "0":
        try:
            import torch

            torch.set_num_threads(bench.threads)
            px, pg = torch.from_numpy(x), torch.from_numpy(g)
            ops = torch.ops.aten
            where = ops.max_pool2d_with_indices(px, [2, 2])[1]
            forward["torch"] = lambda: ops.max_pool2d_with_indices(px, [2, 2])
            backward["torch"] = lambda: ops.max_pool2d_with_indices_backward(
                pg, px, [2, 2], [2, 2], [0, 0], [1, 1], False, where
            )
        except ImportError:
            pass
    bench.title("pooling, (64, 64, 24, 24) by 2")
    bench.compare("max pool: forward", forward)
    bench.compare("max pool: backward", backward)


def run(bench: Bench) -> None:
    """Every layer, then pooling."""
    peak = fma_peak("float32", bench.threads)
    bench.title("convolutions, float32")
    layers = LAYERS[:3] if bench.quick else LAYERS
    results = [convolution(bench, layer, peak) for layer in layers]
    for i, what in enumerate(("forward", "by input", "by weight")):
        bench.summary(what, [r[i] for r in results], "torch")
    pooling(bench)

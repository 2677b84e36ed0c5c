"""Convolution and pooling beside numpy (windows unfolded, one matrix product) and torch.

The limit is what the FMA peak allows for the products of the plain sum: Winograd's way, which takes
fewer, may pass it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from harness import OURS, Bench, Result
from machine import fma_peak

import minigrad as mg
from minigrad import _core

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]


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
    Layer("the same, stride 2", (32, 32, 28, 28), 32, 3, stride=2, padding=1, groups=32),
    Layer("the same, narrow", (16, 128, 8, 8), 128, 3, padding=1, groups=128),
    Layer("the same, 5 by 5", (16, 64, 16, 16), 64, 5, padding=2, groups=64),
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


def inputs(layer: Layer) -> tuple[Array, Array, Array]:
    """Image, filters, and a gradient of the output."""
    rng = np.random.default_rng(0)
    side = (layer.x[2] + 2 * layer.padding - layer.kernel) // layer.stride + 1
    shapes = layer.x, layer.weight, (layer.x[0], layer.filters, side, side)
    x, w, g = (rng.standard_normal(s).astype(np.float32) for s in shapes)
    return x, w, g


def ours(kind: str, layer: Layer) -> Call:
    x, w, g = (mg.tensor(a) for a in inputs(layer))
    side, kernel, options = layer.x[2], layer.kernel, layer.options()
    return {
        "forward": lambda: _core.conv2d(x, w, None, *options),
        "by input": lambda: _core.conv2d_input_grad(g, w, side, side, *options),
        "by weight": lambda: _core.conv2d_weight_grad(g, x, kernel, kernel, *options)[0],
    }[kind]


def by_numpy(kind: str, layer: Layer) -> Call:
    x, w, _ = inputs(layer)
    return lambda: numpy_forward(x, w, layer)


def by_torch(kind: str, layer: Layer) -> Call:
    import torch

    x, w, g = (torch.from_numpy(a) for a in inputs(layer))
    both = [layer.stride] * 2, [layer.padding] * 2, [1, 1], False, [0, 0], layer.groups

    def gradient(which: int) -> Any:
        mask = [which == 0, which == 1, False]
        return torch.ops.aten.convolution_backward(g, x, w, None, *both, mask)[which]

    return {
        "forward": lambda: torch.nn.functional.conv2d(x, w, None, *layer.options()),
        "by input": lambda: gradient(0),
        "by weight": lambda: gradient(1),
    }[kind]


def transposed(kind: str, layer: Layer) -> Call:
    """<g, y> is linear in x and in w, so either gradient gives it back: (<g, y>,) by each."""
    x, w, g = inputs(layer)
    gradient = np.asarray(ours(kind, layer)()).astype(np.float64)
    by = x if kind == "by input" else w
    return lambda: np.vdot(gradient, by) / np.sqrt(g.size)


def whole(kind: str, layer: Layer) -> Call:
    x, w, g = inputs(layer)
    return lambda: np.vdot(g.astype(np.float64), numpy_forward(x, w, layer)) / np.sqrt(g.size)


def convolution(bench: Bench, layer: Layer, limit: float) -> list[Result]:
    """Checks and times the three passes of a layer."""
    work = 2.0 * inputs(layer)[2].size * np.prod(layer.weight[1:])
    results = []
    for kind in ("forward", "by input", "by weight"):
        case, peers = f"{layer.name}: {kind}", {OURS: ours, "torch": by_torch}
        if kind == "forward":
            peers["numpy"] = by_numpy
        else:
            bench.agree(case, {OURS: transposed, "numpy": whole}, (kind, layer), 1e-3)
        results.append(
            bench.compare(case, peers, (kind, layer), tolerance=1e-4, work=work, limit=limit)
        )
    return results


def pool_inputs() -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 64, 24, 24)).astype(np.float32)
    return x, rng.standard_normal((64, 64, 12, 12)).astype(np.float32)


def our_pool(kind: str) -> Call:
    x, g = (mg.tensor(a) for a in pool_inputs())
    return {
        "forward": lambda: _core.max_pool2d(x, 2),
        "backward": lambda: _core.max_pool2d_backward(g, x, 2),
    }[kind]


def numpy_pool(kind: str) -> Call:
    blocks = pool_inputs()[0].reshape(64, 64, 12, 2, 12, 2)
    return lambda: blocks.max((3, 5))


def torch_pool(kind: str) -> Call:
    import torch

    x, g = (torch.from_numpy(a) for a in pool_inputs())
    ops = torch.ops.aten
    where = ops.max_pool2d_with_indices(x, [2, 2])[1]
    return {
        "forward": lambda: ops.max_pool2d_with_indices(x, [2, 2])[0],
        "backward": lambda: ops.max_pool2d_with_indices_backward(
            g, x, [2, 2], [2, 2], [0, 0], [1, 1], False, where
        ),
    }[kind]


def run(bench: Bench) -> None:
    """Every layer, then pooling."""
    peak = fma_peak("float32", bench.threads)
    bench.title("convolutions, float32")
    layers = LAYERS[:3] if bench.quick else LAYERS
    results = [convolution(bench, layer, peak) for layer in layers]
    for i, what in enumerate(("forward", "by input", "by weight")):
        bench.summary(what, [r[i] for r in results], "torch")
    bench.title("pooling, (64, 64, 24, 24) by 2")
    peers = {OURS: our_pool, "torch": torch_pool}
    bench.compare("max pool: forward", {**peers, "numpy": numpy_pool}, ("forward",), tolerance=0)
    bench.compare("max pool: backward", peers, ("backward",), tolerance=0)

"""The five networks: layers, data, initial weights and arithmetic, the same for every library."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, Any]

BETAS = (0.9, 0.999)


@dataclass(frozen=True)
class Workload:
    """Convolutions of 3 by 3 (with a max pool of 2 after the last), then dense layers.

    ReLU after every layer but the last; `drops` holds the dropout rate after the pool, if there is
    one, and after each hidden dense layer. One output means BCE with logits, several mean CE.
    """

    name: str
    inputs: tuple[int, ...]
    convs: tuple[int, ...]
    dense: tuple[int, ...]
    drops: tuple[float, ...]
    batch: int
    batches: int  # in an epoch

    @property
    def classes(self) -> int:
        """Outputs of the last layer."""
        return self.dense[-1]

    def planes(self) -> list[tuple[int, int, int]]:
        """Channels in, channels out and the output's side of each convolution."""
        found, channels, side = [], self.inputs[0], self.inputs[-1]
        for filters in self.convs:
            side -= 2
            found.append((channels, filters, side))
            channels = filters
        return found

    def widths(self) -> list[tuple[int, int]]:
        """Inputs and outputs of each dense layer."""
        flat = int(np.prod(self.inputs))
        if self.convs:
            _, channels, side = self.planes()[-1]
            flat = channels * (side // 2) ** 2
        return list(pairwise((flat, *self.dense)))

    def flops(self) -> float:
        """Floating-point operations of a step; the first layer needs no gradient of its input."""
        layers = [2.0 * 9 * i * o * side * side for i, o, side in self.planes()]
        layers += [2.0 * i * o for i, o in self.widths()]
        return self.batch * (3 * sum(layers) - layers[0])


WORKLOADS = {
    w.name: w
    for w in (
        Workload("moons", (2,), (), (500, 1), (0.0,), 30, 200),
        Workload("moons-d", (2,), (), (500, 128, 1), (0.5, 0.25), 30, 100),
        Workload("mlp", (784,), (), (256, 128, 10), (0.5, 0.5), 64, 40),
        Workload("mlp-big", (784,), (), (1024, 1024, 1024, 10), (0.5, 0.5, 0.5), 128, 8),
        Workload("cnn", (1, 28, 28), (32, 64), (128, 10), (0.25, 0.5), 64, 4),
    )
}


@dataclass(frozen=True)
class Task:
    """A workload as it is timed; or, to compare answers, a few steps without chance.

    The check takes a large eps, so that Adam does not turn the last bit of a gradient near zero
    into a step of full length, and a large decay, so that a forgotten one is seen.
    """

    name: str
    checking: bool

    @property
    def workload(self) -> Workload:
        """The network."""
        return WORKLOADS[self.name]

    @property
    def batches(self) -> int:
        """Steps of an epoch."""
        return 5 if self.checking else self.workload.batches

    @property
    def drops(self) -> tuple[float, ...]:
        """The dropout rates."""
        return tuple(0.0 if self.checking else p for p in self.workload.drops)

    @property
    def lr(self) -> float:
        """AdamW's; small in timing, which must not end where noise is learnt by heart.

        Gradients would vanish there, and their squares be denormal, which takes CPUs far longer.
        """
        return 1e-3 if self.checking else 1e-7

    @property
    def eps(self) -> float:
        """AdamW's."""
        return 1e-3 if self.checking else 1e-8

    @property
    def decay(self) -> float:
        """AdamW's, of every parameter."""
        return 0.1 if self.checking else 0.01

    def data(self) -> tuple[Array, Array, Array]:
        """Inputs, targets, and the order of an epoch's rows."""
        rng, w = np.random.default_rng(0), self.workload
        rows = w.batch * self.batches
        x = rng.standard_normal((rows, *w.inputs), np.float32)
        y = rng.integers(0, max(w.classes, 2), rows)
        target = y.astype(np.float32)[:, None] if w.classes == 1 else y
        return x, target, rng.permutation(rows)

    def weights(self) -> list[Array]:
        """Weight and bias of each layer in turn, as PyTorch lays them out."""
        rng, found = np.random.default_rng(1), []
        shapes: list[tuple[int, ...]] = [(o, i, 3, 3) for i, o, _ in self.workload.planes()]
        shapes += [(o, i) for i, o in self.workload.widths()]
        for shape in shapes:
            bound = float(np.prod(shape[1:])) ** -0.5
            found += [rng.uniform(-bound, bound, s).astype(np.float32) for s in (shape, shape[:1])]
        return found


def layers(task: Task, nn: Any) -> list[Any]:
    """The layers, of minigrad's nn or of torch's: their names are the same."""
    w, drops = task.workload, iter(task.drops)
    found: list[Any] = []
    for i, o, _ in w.planes():
        found += [nn.Conv2d(i, o, 3), nn.ReLU()]
    if w.convs:
        found += [nn.MaxPool2d(2), nn.Dropout(next(drops)), nn.Flatten()]
    for i, o in w.widths():
        found += [nn.Linear(i, o)]
        if p := next(drops, None) if o != w.classes else None:
            found += [nn.ReLU(), nn.Dropout(p)]
        elif o != w.classes:
            found += [nn.ReLU()]
    return found


class Training(Protocol):
    """A network in training, in some library."""

    def epoch(self) -> float:
        """Steps through every batch; the mean loss."""

    def weights(self) -> list[Array]:
        """As Task.weights lays them out."""

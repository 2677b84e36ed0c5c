"""The training step in numpy, by hand: what is left when there is no library at all."""

from __future__ import annotations

import numpy as np

from .workload import BETAS, Array, Task


class InNumpy:
    """Dense layers only."""

    def __init__(self, task: Task) -> None:
        self.task, self.rng = task, np.random.default_rng(2)
        self.x, self.y, self.order = task.data()
        self.params = task.weights()
        self.first = [np.zeros_like(p) for p in self.params]
        self.second = [np.zeros_like(p) for p in self.params]
        self.steps = 0

    def weights(self) -> list[Array]:
        return self.params

    def epoch(self) -> float:
        batch, total = self.task.workload.batch, 0.0
        for first in range(0, len(self.order), batch):
            rows = self.order[first : first + batch]
            total += self.step(self.x[rows], self.y[rows])
        return total * batch / len(self.order)

    def step(self, x: Array, y: Array) -> float:
        kept: list[Array] = [x]  # the input of each layer
        masks: list[Array] = []  # what relu and dropout pass on, scaled
        pairs = list(zip(self.params[::2], self.params[1::2], strict=True))
        for (w, b), p in zip(pairs[:-1], self.task.drops, strict=True):
            z = kept[-1] @ w.T
            z += b
            mask = (z > 0).astype(np.float32)
            if p:
                mask *= self.rng.random(z.shape, np.float32) >= p
                mask *= np.float32(1 / (1 - p))
            masks.append(mask)
            kept.append(np.multiply(z, mask, out=z))
        z = kept[-1] @ pairs[-1][0].T + pairs[-1][1]
        loss, g = binary(z, y) if z.shape[1] == 1 else categorical(z, y)
        grads: list[Array] = []
        for i in range(len(pairs) - 1, -1, -1):
            grads = [g.T @ kept[i], g.sum(0), *grads]
            if i:
                g = g @ pairs[i][0]
                g *= masks[i - 1]
        self.update(grads)
        return loss

    def update(self, grads: list[Array]) -> None:
        """AdamW, in place."""
        self.steps += 1
        (b1, b2), lr, eps, decay = BETAS, self.task.lr, self.task.eps, self.task.decay
        rate, root = lr / (1 - b1**self.steps), (1 - b2**self.steps) ** -0.5
        for p, g, m, v in zip(self.params, grads, self.first, self.second, strict=True):
            p *= 1 - lr * decay
            m *= b1
            m += (1 - b1) * g
            v *= b2
            g *= g
            v += (1 - b2) * g
            np.sqrt(v, out=g)
            g *= root
            g += eps
            p -= rate * np.divide(m, g, out=g)


def binary(z: Array, y: Array) -> tuple[float, Array]:
    """BCE with logits and its gradient."""
    e = np.exp(-np.abs(z))
    loss = np.maximum(z, 0) - z * y + np.log1p(e)
    g = np.where(z >= 0, 1, e) / (1 + e) - y
    return float(loss.mean()), g / np.float32(len(z))


def categorical(z: Array, y: Array) -> tuple[float, Array]:
    """Cross-entropy and its gradient."""
    z -= z.max(1, keepdims=True)
    g = np.exp(z)
    total = g.sum(1, keepdims=True)
    every = np.arange(len(z))
    loss = float((np.log(total[:, 0]) - z[every, y]).mean())
    g /= total
    g[every, y] -= 1
    return loss, g / np.float32(len(z))

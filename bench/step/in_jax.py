"""The training step in JAX: an epoch as one scan, or a jitted step a batch; buffers donated."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from .workload import BETAS, Array, Task


class InJax:
    """Images are NHWC, which XLA's convolutions on a CPU prefer; `random` names the generator."""

    def __init__(self, task: Task, scan: bool, random: str) -> None:
        self.task, self.scan = task, scan
        x, y, order = task.data()
        if task.workload.convs:
            x = x.transpose(0, 2, 3, 1)
        self.x, self.y, self.order = jnp.asarray(x), jnp.asarray(y), jnp.asarray(order)
        params = [jnp.asarray(p) for p in self.turned(task.weights(), back=False)]
        zeros = [jnp.zeros_like(p) for p in params]
        key = jax.random.key(0, impl=random)
        self.state: Any = params, zeros, [jnp.zeros_like(p) for p in params], jnp.zeros(()), key
        self.jitted_epoch = jax.jit(self.scanned, donate_argnums=0)
        self.jitted_step = jax.jit(self.gathered, donate_argnums=0)

    def turned(self, params: list[Array], back: bool) -> list[Array]:
        """Filters as HWIO, and the first dense layer's columns to match; or back again."""
        w = self.task.workload
        if not w.convs:
            return params
        _, channels, side = w.planes()[-1]
        found = []
        for i, p in enumerate(params):
            if i < 2 * len(w.convs) and i % 2 == 0:
                p = p.transpose((3, 2, 0, 1) if back else (2, 3, 1, 0))
            elif i == 2 * len(w.convs):
                half = side // 2
                shape = (half, half, channels) if back else (channels, half, half)
                p = p.reshape(-1, *shape).transpose((0, 3, 1, 2) if back else (0, 2, 3, 1))
                p = p.reshape(len(p), -1)
            found.append(p)
        return found

    def loss(self, params: list[Any], key: Any, x: Any, y: Any) -> Any:
        convs, pairs = (
            len(self.task.workload.convs),
            list(zip(params[::2], params[1::2], strict=True)),
        )
        drops = list(self.task.drops)
        for w, b in pairs[:convs]:
            axes = ("NHWC", "HWIO", "NHWC")
            x = jax.nn.relu(
                lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=axes) + b
            )
        if convs:
            n, side, _, channels = x.shape
            x = x.reshape(n, side // 2, 2, side // 2, 2, channels).max((2, 4)).reshape(n, -1)
            key, now = jax.random.split(key)
            x = dropped(x, drops.pop(0), now)
        for w, b in pairs[convs:-1]:
            key, now = jax.random.split(key)
            x = dropped(jax.nn.relu(x @ w.T + b), drops.pop(0), now)
        z = x @ pairs[-1][0].T + pairs[-1][1]
        if z.shape[1] == 1:
            return jnp.mean(jax.nn.softplus(z) - z * y)
        chosen = jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1)
        return -jnp.mean(chosen)

    def step(self, state: Any, x: Any, y: Any) -> tuple[Any, Any]:
        """Loss, gradients and AdamW."""
        params, first, second, count, key = state
        key, now = jax.random.split(key)
        loss, grads = jax.value_and_grad(self.loss)(params, now, x, y)
        (b1, b2), eps, decay, count = BETAS, self.task.eps, self.task.decay, count + 1
        rate, root = self.task.lr / (1 - b1**count), lax.rsqrt(1 - b2**count)
        first = [b1 * m + (1 - b1) * g for m, g in zip(first, grads, strict=True)]
        second = [b2 * v + (1 - b2) * g * g for v, g in zip(second, grads, strict=True)]
        params = [
            p * (1 - self.task.lr * decay) - rate * m / (jnp.sqrt(v) * root + eps)
            for p, m, v in zip(params, first, second, strict=True)
        ]
        return (params, first, second, count, key), loss

    def scanned(self, state: Any, x: Any, y: Any, order: Any) -> tuple[Any, Any]:
        batches = (self.task.batches, self.task.workload.batch)
        xs, ys = (a[order].reshape(*batches, *a.shape[1:]) for a in (x, y))
        state, losses = lax.scan(lambda s, batch: self.step(s, *batch), state, (xs, ys))
        return state, losses.mean()

    def gathered(self, state: Any, x: Any, y: Any, rows: Any) -> tuple[Any, Any]:
        return self.step(state, x[rows], y[rows])

    def epoch(self) -> float:
        if self.scan:
            self.state, loss = self.jitted_epoch(self.state, self.x, self.y, self.order)
            return float(loss)
        losses = []
        for rows in np.split(np.asarray(self.order), self.task.batches):
            self.state, loss = self.jitted_step(self.state, self.x, self.y, rows)
            losses.append(loss)
        return float(np.mean([float(v) for v in losses]))

    def weights(self) -> list[Array]:
        return self.turned([np.asarray(p) for p in self.state[0]], back=True)


def dropped(x: Any, p: float, key: Any) -> Any:
    """Inverted dropout."""
    return jnp.where(jax.random.bernoulli(key, 1 - p, x.shape), x / (1 - p), 0) if p else x


scan_rbg = partial(InJax, scan=True, random="rbg")
scan_threefry = partial(InJax, scan=True, random="threefry2x32")
jit_rbg = partial(InJax, scan=False, random="rbg")

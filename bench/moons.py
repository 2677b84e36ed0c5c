"""The whole experiment of many an article on overfitting: 2-500-1 on 30 points of two moons.

4000 epochs of Adam on binary cross-entropy, each followed by the loss of the 30 training and of the
70 validation points with the weights as they then are. Seconds from the arrays to the curves, each
library as its users would write it for speed; all of them must draw the same curves.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from harness import OURS, Bench, Peers

import minigrad as mg
from minigrad import data, nn, optim

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]  # gives the curves: a row of loss and validation loss an epoch

EPOCHS, CHECKED = 4000, 50
LR, BETAS, EPS = 1e-3, (0.9, 0.999), 1e-8


def points() -> tuple[Array, Array, Array, Array]:
    """Training and validation inputs and targets."""
    x, y = data.make_moons(100, noise=0.2, seed=1)
    x, y = x.astype(np.float32), y.astype(np.float32)[:, None]
    return x[:30], y[:30], x[30:], y[30:]


def weights() -> list[Array]:
    rng = np.random.default_rng(0)
    shapes: list[tuple[int, ...]] = [(500, 2), (500,), (1, 500), (1,)]
    bounds = (0.7, 0.7, 0.04, 0.04)
    return [rng.uniform(-b, b, s).astype(np.float32) for s, b in zip(shapes, bounds, strict=True)]


def ours(epochs: int) -> Call:
    """Each call makes model, optimizer and trainer anew: nothing recorded is kept."""
    x, y, xv, yv = points()

    def experiment() -> Any:
        model = nn.Sequential(nn.Linear(2, 500), nn.ReLU(), nn.Linear(500, 1))
        with mg.no_grad():
            for p, start in zip(model.parameters(), weights(), strict=True):
                p.copy_(mg.tensor(start))
        optimizer = optim.Adam(model.parameters(), LR, BETAS, EPS)
        trainer = mg.Trainer(model, nn.BCEWithLogitsLoss(), optimizer, progress=False)
        history = trainer.fit((x, y), val=(xv, yv), epochs=epochs)
        return np.stack([history["loss"], history["val_loss"]], 1)

    return experiment


def by_torch(epochs: int) -> Call:
    import torch

    x, y, xv, yv = (torch.from_numpy(a) for a in points())
    loss_of = torch.nn.functional.binary_cross_entropy_with_logits

    def experiment() -> Any:
        model = torch.nn.Sequential(
            torch.nn.Linear(2, 500), torch.nn.ReLU(), torch.nn.Linear(500, 1)
        )
        with torch.no_grad():
            for p, start in zip(model.parameters(), weights(), strict=True):
                p.copy_(torch.from_numpy(start))
        optimizer = torch.optim.Adam(model.parameters(), LR, BETAS, EPS, fused=True)
        curves = []
        for _ in range(epochs):
            optimizer.zero_grad()
            loss_of(model(x), y).backward()
            optimizer.step()
            with torch.no_grad():
                curves += [loss_of(model(x), y), loss_of(model(xv), yv)]
        return torch.stack(curves).reshape(-1, 2)

    return experiment


def by_jax(epochs: int, compiling: bool) -> Call:
    """One scan over all epochs, compiled beforehand, or in each call as in a new process."""
    import jax
    from jax import lax
    from jax import numpy as jnp

    x, y, xv, yv = (jnp.asarray(a) for a in points())

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        z = jax.nn.relu(x @ params[0].T + params[1]) @ params[2].T + params[3]
        return jnp.mean(jax.nn.softplus(z) - z * y)

    def epoch(state: Any, step: Any) -> Any:
        params, first, second = state
        grads = jax.grad(loss_of)(params, x, y)
        rate, root = LR / (1 - BETAS[0] ** step), lax.rsqrt(1 - BETAS[1] ** step)
        first = [BETAS[0] * m + (1 - BETAS[0]) * g for m, g in zip(first, grads, strict=True)]
        second = [BETAS[1] * v + (1 - BETAS[1]) * g * g for v, g in zip(second, grads, strict=True)]
        params = [
            p - rate * m / (jnp.sqrt(v) * root + EPS)
            for p, m, v in zip(params, first, second, strict=True)
        ]
        return (params, first, second), jnp.stack([loss_of(params, x, y), loss_of(params, xv, yv)])

    def train(params: Any) -> Any:
        zeros = [jnp.zeros_like(p) for p in params]
        return lax.scan(epoch, (params, zeros, zeros), jnp.arange(1.0, epochs + 1))[1]

    jitted = jax.jit(train)

    def experiment() -> Any:
        if compiling:
            jax.clear_caches()
        return np.asarray(jitted([jnp.asarray(p) for p in weights()]))

    return experiment


def by_keras(epochs: int) -> Call:
    """model.fit on JAX. Its training loss is that before each update: an epoch later it is ours."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    x, y, xv, yv = points()

    def experiment() -> Any:
        model = keras.Sequential(
            [keras.layers.Dense(500, activation="relu"), keras.layers.Dense(1)]
        )
        model.build((None, 2))
        model.set_weights([w.T for w in weights()])
        model.compile(
            keras.optimizers.Adam(LR, *BETAS, epsilon=EPS),
            keras.losses.BinaryCrossentropy(from_logits=True),
        )
        fit = model.fit(x, y, 30, epochs, validation_data=(xv, yv), verbose=0)
        loss = [*fit.history["loss"][1:], model.evaluate(x, y, 30, verbose=0)]
        return np.stack([loss, fit.history["val_loss"]], 1)

    return experiment


PEERS: Peers = {
    OURS: ours,
    "torch": by_torch,
    "jax scan": partial(by_jax, compiling=False),
    "jax scan, compiling": partial(by_jax, compiling=True),
    "keras": by_keras,
}


def run(bench: Bench) -> None:
    """The experiment, once its first epochs agree."""
    bench.title(f"{EPOCHS} epochs of one step and two evaluations, from arrays to curves")
    peers = {n: p for n, p in PEERS.items() if n != "keras" or not bench.quick}
    bench.agree("the first epochs", peers, (CHECKED,), 1e-4)
    bench.compare(f"{EPOCHS} epochs", peers, (EPOCHS,))

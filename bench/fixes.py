"""What each fix against overfitting is worth on real data, beside the plain network.

Ten seeds; each draws its own split and first weights, which all fixes share, so that differences to
the plain network are paired. The test rows choose nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from fix.recipes import Fix, Problem, problems
from fix.study import Run, Study, table
from machine import cores

import minigrad as mg
from minigrad import _core, metrics, nn


def study(quick: bool) -> Study:
    """Train everything, and print a table a problem."""
    seeds = range(3 if quick else 10)
    found = Study()
    for problem, fixes in problems():
        start = time.perf_counter()
        runs = {fix.name: side_by_side(partial(train, problem, fix), seeds) for fix in fixes}
        found.runs[problem.name] = runs
        found.beside |= {(problem.name, fix.name): fix.beside for fix in fixes}
        table(found, problem, len(seeds))
        print(f"{time.perf_counter() - start:.0f} s", flush=True)
    return found


def side_by_side(call: Callable[[int], Run], seeds: Sequence[int]) -> list[Run]:
    """One training a core at a time; the bits are those of one after another."""
    with ThreadPoolExecutor(len(cores()), initializer=_core.set_serial, initargs=(True,)) as pool:
        return list(pool.map(call, seeds))


def train(problem: Problem, fix: Fix, seed: int) -> Run:
    """One training; split, first weights and shuffling follow from the seed alone."""
    order = np.random.default_rng(seed).permutation(len(problem.x) - problem.test)
    rows = problem.train * fix.more
    train = problem.x[order[:rows]], problem.y[order[:rows]]
    rest = order[2 * problem.train :]  # also where the fix does not take more: the same rows
    val = problem.x[rest[: problem.val]], problem.y[rest[: problem.val]]
    if problem.test:
        test = problem.x[-problem.test :], problem.y[-problem.test :]
    else:
        test = problem.x[rest[problem.val :]], problem.y[rest[problem.val :]]
    mg.seed(seed)
    model = network(problem.sizes, **fix.network())
    trainer = mg.Trainer(
        model,
        nn.CrossEntropyLoss(label_smoothing=fix.smoothing),
        **problem.recipe(model, fix, problem.epochs),
        batch_size=problem.batch_size,
        seed=seed,
        progress=False,
        **fix.training(),
    )
    start = time.perf_counter()
    trainer.fit(train, val=val if problem.val else None, epochs=problem.epochs)
    seconds = time.perf_counter() - start
    return Run(*figures(trainer, *train), *figures(trainer, *test), seconds)


def network(
    sizes: Sequence[int], first: Sequence[Any] = (), dropout: float = 0.0, norm: bool = False
) -> nn.Module:
    """Linear layers and ReLU; batch norm before it, dropout behind it, where asked for."""
    layers = list(first)
    for inputs, outputs in pairwise(sizes[:-1]):
        layers.append(nn.Linear(inputs, outputs))
        if norm:
            layers.append(nn.BatchNorm1d(outputs))
        layers.append(nn.ReLU())
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(*sizes[-2:]))


def figures(trainer: mg.Trainer, x: Any, y: Any) -> tuple[float, float]:
    """Cross-entropy (without any smoothing) and accuracy."""
    logits = mg.tensor(trainer.predict(x))
    loss = nn.functional.cross_entropy(logits, mg.tensor(y)).item()
    return loss, metrics.accuracy(logits.numpy(), y)

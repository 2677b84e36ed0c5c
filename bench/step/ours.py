"""The training step in minigrad: replayed, a whole epoch a call, or op by op."""

from __future__ import annotations

import numpy as np

import minigrad as mg
from minigrad import nn, optim

from .workload import BETAS, Array, Task, layers


def network(task: Task) -> nn.Sequential:
    """The layers, with the task's weights."""
    model = nn.Sequential(*layers(task, nn))
    for p, start in zip(model.parameters(), task.weights(), strict=True):
        with mg.no_grad():
            p.copy_(mg.tensor(start))
    return model


class Ours:
    """`compiled` replays; otherwise Python calls every op."""

    def __init__(self, task: Task, compiled: bool) -> None:
        self.batch, self.compiled = task.workload.batch, compiled
        self.x, self.y, self.order = task.data()
        self.model = model = network(task)
        loss_of = nn.BCEWithLogitsLoss() if task.workload.classes == 1 else nn.CrossEntropyLoss()
        optimizer = optim.AdamW(
            model.parameters(), task.lr, BETAS, task.eps, weight_decay=task.decay, decay_all=True
        )

        def step(x: mg.Tensor, y: mg.Tensor) -> mg.Tensor:
            optimizer.zero_grad()
            loss = loss_of(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        self.step, self.replay = step, mg.compile(step)

    def epoch(self) -> float:
        rows = len(self.order)
        if self.compiled:
            return self.replay.over_batches((self.x, self.y), self.order, self.batch)[0] / rows
        total = 0.0
        for first in range(0, rows, self.batch):
            at = self.order[first : first + self.batch]
            total += self.step(mg.tensor(self.x[at]), mg.tensor(self.y[at])).item()
        return total * self.batch / rows

    def weights(self) -> list[Array]:
        return [np.array(p.detach().numpy()) for p in self.model.parameters()]


def plan(task: Task) -> Ours:
    return Ours(task, compiled=True)


def eager(task: Task) -> Ours:
    return Ours(task, compiled=False)

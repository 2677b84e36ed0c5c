"""The training step in torch: eager with the fused AdamW, or the forward pass compiled."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from .workload import BETAS, Array, Task, layers


def network(task: Task) -> nn.Sequential:
    """The layers, with the task's weights."""
    model = nn.Sequential(*layers(task, nn))
    with torch.no_grad():
        for p, start in zip(model.parameters(), task.weights(), strict=True):
            p.copy_(torch.from_numpy(start))
    return model


class InTorch:
    """`compiled` asks torch.compile for forward and backward."""

    def __init__(self, task: Task, compiled: bool) -> None:
        self.batch = task.workload.batch
        x, y, order = task.data()
        self.x, self.y, self.order = (torch.from_numpy(a) for a in (x, y, order))
        self.model = network(task)
        loss_of = nn.BCEWithLogitsLoss() if task.workload.classes == 1 else nn.CrossEntropyLoss()

        def forward(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return loss_of(self.model(x), y)

        self.forward = torch.compile(forward) if compiled else forward
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), task.lr, BETAS, task.eps, task.decay, fused=True
        )

    def epoch(self) -> float:
        total = torch.zeros(())
        for rows in self.order.split(self.batch):
            self.optimizer.zero_grad()
            loss = self.forward(self.x[rows], self.y[rows])
            loss.backward()
            self.optimizer.step()
            total += loss.detach()
        return float(total) * self.batch / len(self.order)

    def weights(self) -> list[Array]:
        return [np.array(p.detach().numpy()) for p in self.model.parameters()]


def eager(task: Task) -> InTorch:
    return InTorch(task, compiled=False)


def compiled(task: Task) -> InTorch:
    return InTorch(task, compiled=True)

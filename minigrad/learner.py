"""Learner: one step and one evaluation, all that is done with numbers while training."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad import random
from minigrad._core import CaptureError, Tensor
from minigrad.compiled import compile
from minigrad.feed import Feed
from minigrad.metrics import Metric
from minigrad.nn import Module
from minigrad.optim import clip_grad_norm_
from minigrad.preparation import EVALUATION_ROWS, check_rows

Array = npt.NDArray[Any]


class Learner:
    """A model with its loss and optimizer; the trainer is a learner with epochs around it."""

    penalty: Callable[[Module], Tensor] | None = None
    constraint: Callable[[Module], Any] | None = None
    clip_grad_norm: float | None = None

    def __init__(
        self,
        model: Module,
        loss: Callable[[Tensor, Tensor], Tensor],
        optimizer: Any,
        metrics: list[Metric],
    ) -> None:
        """Put the parts together."""
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.metrics = metrics
        self.begin()

    def begin(self, planned: bool = True) -> None:
        """Forget the plans, as model, loss or options may have changed since they were recorded.

        With ``planned=False`` every op is run by itself, so that gradients can be looked at.
        """
        self._planned_update = compile(self._update)
        self._planned_forward = compile(self._forward)
        self._planned = planned

    def step(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Update the model once on a batch; return the data loss and the output before it.

        The first step is recorded as a plan, which the others replay. A model that cannot be
        recorded is trained op by op, to the same bits, and a warning says why.
        """
        if self._planned:
            noise = random.default_generator.get_state()
            try:
                return self._planned_update(x, y)
            except CaptureError as reason:
                random.default_generator.set_state(noise)
                self._planned = False
                warnings.warn(f"training without a plan, op by op: {reason}", stacklevel=2)
        return self._update(x, y)

    def _update(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        self.optimizer.zero_grad()
        output = self.model(x)
        loss = self.loss(output, y)
        total = loss if self.penalty is None else loss + self.penalty(self.model)
        total.backward()
        if self.clip_grad_norm is not None:
            clip_grad_norm_(self.model.parameters(), self.clip_grad_norm)
        self.optimizer.step()
        if self.constraint is not None:
            self.constraint(self.model)
        return loss, output

    def _forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.model(x)
        return output

    def evaluate_batches(self, feed: Feed, planned: bool = True) -> dict[str, float]:
        """Return data loss and metrics of all rows of a Feed. The caller sets eval mode."""
        output, target = self.outputs(feed, planned), feed.targets
        loss = self.loss(output, target).item()
        return {"loss": loss, **self.measure(output.numpy(), target.numpy())}

    def outputs(self, feed: Feed, planned: bool = True) -> Tensor:
        """Return the model's outputs for all rows of a Feed. The caller sets eval mode.

        Outside of a training the model may have changed since the plan: then ``planned`` is off.
        """
        forward = self._planned_forward if planned and self._planned else self._forward
        outputs: list[Tensor] = []
        for x in feed.inputs(EVALUATION_ROWS):
            output = forward(x)
            check_rows(output, len(x))
            outputs.append(output)
        if len(outputs) == 1:
            return outputs[0]
        return Tensor(np.concatenate([output.numpy() for output in outputs]))

    def measure(self, output: Array, target: Array) -> dict[str, float]:
        """Return every metric."""
        return {metric.name: metric(output, target) for metric in self.metrics}

"""Learner: one step and one evaluation, all that is done with numbers while training."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad import _core, random
from minigrad._core import CaptureError, Plan, Tensor
from minigrad.grad_mode import no_grad
from minigrad.metrics import Metric
from minigrad.nn import Module
from minigrad.nn.functional import one_hot
from minigrad.optim import EMA, SWA, clip_grad_norm_
from minigrad.plan import Compiled, compile
from minigrad.training.contract import EVALUATION_ROWS, check_rows, model_dtype, weighed
from minigrad.training.feed import Feed
from minigrad.training.modes import evaluating
from minigrad.training.stream import InputStream, Stream

Array = npt.NDArray[Any]

# Batches of ever new sizes would each leave a plan behind, with memory of its own: further sizes
# are trained op by op, to the same bits.
_MOST_PLANS = 64


class Learner:
    """A model with its loss and optimizer; the trainer is a learner with epochs around it."""

    penalty: Callable[[Module], Tensor] | None = None
    constraint: Callable[[Module], Any] | None = None
    clip_grad_norm: float | None = None
    mix: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] | None = None
    classes: int | None = None  # of targets that are class numbers, one a row
    average: EMA | SWA | None = None  # stands for the parameters in evaluations while training
    averages_epochs = False  # the average takes in the parameters after each epoch

    def __init__(
        self,
        model: Module,
        loss: Callable[..., Tensor],
        optimizer: Any,
        metrics: list[Metric],
    ) -> None:
        """Put the parts together."""
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.metrics = metrics
        self.planned_metrics = [metric for metric in metrics if metric.of_tensors]
        self.numpy_metrics = [metric for metric in metrics if not metric.of_tensors]
        self._added: list[Callable[[], object]] = []
        self.begin()

    def begin(self, planned: bool = True) -> None:
        """Forget the plans, as model, loss or options may have changed since they were recorded.

        With ``planned=False`` every op is run by itself, so that gradients can be looked at.
        """
        self._compiled: dict[str, Compiled[..., Any]] = {}
        self._plans: dict[Any, Plan] = {}
        self.planned = planned

    def outdated(self) -> bool:
        """Whether an option, or a variable that the loss or model reads, is not as recorded."""
        return any(compiled.outdated() for compiled in self._compiled.values())

    def plan(self, method: str, *shapes: tuple[int, ...]) -> Plan:
        """Return the plan of a method for inputs of these shapes; a KeyError if there is none."""
        return self._plans[method, *shapes]

    def step(self, x: Tensor, y: Tensor, *weights: Tensor) -> Sequence[Tensor]:
        """Update the model once on a batch; return the data loss and the output before it.

        With weights also the loss times the mean weight of the batch's rows, as the weighted mean
        over several batches needs it.

        The first step is recorded as a plan, which the others replay. A model that cannot be
        recorded is trained op by op, to the same bits, and a warning says why.
        """
        outputs: Sequence[Tensor] = self._call(self._update, x, y, *weights)
        return outputs

    def _call(self, fn: Callable[..., Any], *tensors: Tensor) -> Any:
        """Call a method that is always called in the same mode: by its plan, if it has one."""
        key = (fn.__name__, *[t.shape for t in tensors])
        if (plan := self._plans.get(key)) is not None:
            return plan.replay(tensors)
        if not self.planned or len(self._plans) >= _MOST_PLANS:
            return fn(*tensors)
        noise = random.default_generator.get_state()
        if (compiled := self._compiled.get(fn.__name__)) is None:
            compiled = self._compiled[fn.__name__] = compile(fn)
        try:
            outputs = compiled(*tensors)
        except CaptureError as reason:
            random.default_generator.set_state(noise)
            self.planned = False
            warnings.warn(f"training without a plan, op by op: {reason}", stacklevel=2)
            return fn(*tensors)
        if (recorded := compiled.plan_of(*tensors)) is not None:
            self._plans[key] = recorded
        return outputs

    def _update(self, x: Tensor, y: Tensor, *weights: Tensor) -> tuple[Tensor, ...]:
        self.optimizer.zero_grad()
        self.model.zero_grad()  # also of what the optimizer leaves alone
        if self.mix is not None:
            if weights:
                raise ValueError("mix= and weights of rows do not go together: a mixture is of two")
            if self.classes is not None:
                y = one_hot(y, self.classes).to(model_dtype(self.model))
            x, y = self.mix(x, y)
        output = self.model(x)
        loss = self.loss(output, y, **weighed(weights))
        total = loss if self.penalty is None else loss + self.penalty(self.model)
        total.backward()
        if self.clip_grad_norm is not None:
            clip_grad_norm_(self.model.parameters(), self.clip_grad_norm)
        self.optimizer.step()
        if self.constraint is not None:
            self.constraint(self.model)
        with no_grad():
            for function in self._added:
                function()
            shares = [loss * weight.mean() for weight in weights]
            output = _side_by_side(output)
        return loss, output, *shares

    def _evaluate(self, x: Tensor, y: Tensor, *weights: Tensor) -> tuple[Tensor, ...]:
        output = _checked(self.model(x), x)
        loss = self.loss(output, y, **weighed(weights))
        return output, loss, *[metric.function(output, y) for metric in self.planned_metrics]

    def _forward(self, x: Tensor) -> tuple[Tensor]:
        return (_checked(self.model(x), x),)

    def _measure(self, output: Tensor, y: Tensor, *weights: Tensor) -> tuple[Tensor, ...]:
        loss = self.loss(output, y, **weighed(weights))
        return loss, *[metric.function(output, y) for metric in self.planned_metrics]

    def _take_in(self) -> tuple[()]:
        assert self.average is not None
        self.average.update()
        return ()

    def _penalize(self) -> tuple[Tensor]:
        assert self.penalty is not None
        return (self.penalty(self.model),)

    def take_in(self) -> None:
        """Have the average take in the parameters as they are now."""
        self._call(self._take_in)

    @contextmanager
    def evaluated(self) -> Iterator[None]:
        """Inside: eval mode, no gradients, and the average in the place of the parameters.

        Only the memory is exchanged, so that plans that are recorded inside go on with the average,
        and those of the steps with the parameters.
        """
        pairs: list[tuple[Tensor, Tensor]] = []
        with evaluating(self.model.modules()):
            try:
                if self.average is not None:
                    for pair in zip(self.average.parameters, self.average.averages, strict=True):
                        _core.swap_memory(*pair)
                        pairs.append(pair)
                yield
            finally:
                for pair in pairs:
                    _core.swap_memory(*pair)

    def evaluate_batches(self, feed: Feed | Stream, planned: bool = True) -> dict[str, float]:
        """Return data loss and metrics, in their order, of all rows. The caller sets eval mode.

        Outside of a training the model may have changed since the plan: then ``planned`` is off.
        """
        call = self._call if planned else _do
        if isinstance(feed, Feed) and feed.rows <= EVALUATION_ROWS:  # all in one go
            x, target, *weights = feed.whole()
            output, *numbers = call(self._evaluate, x, target, *weights)
        else:
            output, target = self.outputs(feed, planned), feed.targets
            numbers = call(self._measure, output, target, *feed.weights)
        names = ["loss", *[metric.name for metric in self.planned_metrics]]
        figures = {name: value.item() for name, value in zip(names, numbers, strict=True)}
        figures |= self.measure(output.numpy(), target.numpy(), self.numpy_metrics)
        return {name: figures[name] for name in ("loss", *[m.name for m in self.metrics])}

    def evaluate_penalty(self) -> float:
        """Return the penalty of the model as it is: 0 if there is none any more."""
        if self.penalty is None:
            return 0.0
        (penalty,) = self._call(self._penalize)
        value: float = penalty.item()
        return value

    def outputs(self, feed: Feed | Stream | InputStream, planned: bool = True) -> Tensor:
        """Return the model's outputs for all rows of a Feed. The caller sets eval mode."""
        outputs: list[Tensor] = []
        for x in feed.inputs(EVALUATION_ROWS):
            _core.check_interrupt()
            (output,) = (self._call if planned else _do)(self._forward, x)
            outputs.append(output)
        if len(outputs) == 1:
            return outputs[0]
        return Tensor(np.concatenate([output.numpy() for output in outputs]))

    def measure(self, output: Array, target: Array, metrics: list[Metric]) -> dict[str, float]:
        """Return these metrics of all rows."""
        return {metric.name: metric(output, target) for metric in metrics}


def _checked(output: Any, x: Tensor) -> Tensor:
    check_rows(output, len(x))
    gathered: Tensor = _side_by_side(output)
    return gathered


def _side_by_side(output: Any) -> Any:
    """Outputs as an epoch gathers them: the rows of a transposed view do not lie so."""
    if isinstance(output, Tensor) and not output.is_contiguous():
        return output.contiguous()
    return output


def _do(fn: Callable[..., Any], *tensors: Tensor) -> Any:
    return fn(*tensors)

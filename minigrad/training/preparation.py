"""From the user's data to Feeds: everything that can be wrong is found before training starts."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad._core import Tensor
from minigrad.data import Dataset
from minigrad.data.dataset import as_dataset
from minigrad.nn import Module
from minigrad.training.contract import EVALUATION_ROWS, check_rows, model_dtype, weighed
from minigrad.training.feed import (
    Feed,
    TargetForm,
    check_class_numbers,
    check_classes,
    check_logits,
    check_probabilities,
    features,
    loss_kind,
    target_form,
)
from minigrad.training.learner import Learner
from minigrad.training.modes import evaluating
from minigrad.training.stream import Stream, is_stream


def prepare(
    learner: Learner, data: Any, val: Any, epochs: int
) -> tuple[Feed | Stream, Feed | Stream | None]:
    """Return training and validation data made ready, or raise and change nothing."""
    check_optimizer(learner.model, learner.optimizer)
    train = source(data, "data", epochs)
    if val is None:
        return make_feed(learner, train, "the training data"), None
    if isinstance(val, int | float):
        raise TypeError(
            f"val must be data, got {val!r}: train, val = minigrad.data.split((x, y), {val!r})"
        )
    if isinstance(train, Dataset) and train.y is None:
        raise ValueError(
            "the training data has no targets: give both as one pair, fit((x, y), val=(xv, yv))"
        )
    validation = source(val, "val", epochs)
    rows = [_first(given).rows(slice(0, 1))[0].shape[1:] for given in (train, validation)]
    if rows[0] != rows[1]:
        raise ValueError(
            f"rows of the training data have shape {rows[0]}, of the validation data {rows[1]}"
        )
    return (
        make_feed(learner, train, "the training data"),
        make_feed(learner, validation, "the validation data"),
    )


def source(data: Any, what: str = "data", epochs: int = 1) -> Dataset | Stream:
    """Return ``data`` as a Dataset, or as a Stream if it is an iterable of batches.

    Raises:
        ValueError: a generator, for more than one epoch.
    """
    if not is_stream(data):
        try:
            return as_dataset(data, what)
        except (TypeError, ValueError) as error:
            error.add_note(f"in {what}")
            raise
    stream = Stream(data, what)
    if stream.once and epochs > 1:
        raise ValueError(
            f"{what} is a generator, which can be gone through only once, not for {epochs} epochs: "
            "give the function that makes it, without calling it, or a list of batches"
        )
    return stream


def make_feed(learner: Learner, data: Dataset | Stream, what: str) -> Feed | Stream:
    """Match data, model, loss, penalty and metrics on the first rows, in eval mode.

    Raises:
        ValueError: no targets, labels out of range, shapes that do not go together, or a loss that
            is not one number.
    """
    dtype = model_dtype(learner.model)
    form = _match(learner, _first(data), dtype, what)
    if isinstance(data, Dataset):
        return Feed(data, dtype, form)
    data.match(dtype, form, lambda batch: _check_targets(learner, batch, form, what))
    return data


def _first(data: Dataset | Stream) -> Dataset:
    """The rows by which data and model are matched: all of a Dataset, the first of a Stream."""
    return data if isinstance(data, Dataset) else data.first


def _match(learner: Learner, data: Dataset, dtype: np.dtype[Any], what: str) -> TargetForm:
    """Find how the targets are handed to the loss."""
    if data.y is None:
        raise ValueError(f"{what} has no targets: give both as one pair, (x, y)")
    first = slice(0, min(len(data), EVALUATION_ROWS))
    x, y = data.rows(first)
    assert y is not None
    with evaluating(learner.model.modules()):
        output = learner.model(Tensor(features(x, dtype)))
        check_rows(output, len(x))
        kind = loss_kind(learner.loss)
        form = target_form(y, output.shape, dtype, kind)
        check_logits(learner.model, output, kind, learner.metrics)
        _check_targets(learner, data, form, what)
        target = Tensor(form.of(y))
        given = data.weights(first)
        weights = [] if given is None else [Tensor(given.astype(dtype))]
        try:
            loss = learner.loss(output, target, **weighed(weights))
        except TypeError as error:
            if weights and kind == "own":
                raise TypeError(
                    f"{what} has weights: a loss of your own must take them, as "
                    "loss(output, target, sample_weight)"
                ) from error
            raise
        _check_scalar(loss, "the loss")
        if learner.penalty is not None:
            _check_scalar(learner.penalty(learner.model), "the penalty")
    for metric in learner.metrics:
        metric(output.numpy(), target.numpy())
    return form


def _check_targets(learner: Learner, data: Dataset, form: TargetForm, what: str) -> None:
    """Raise ValueError naming the first target that the loss or a metric cannot take."""
    assert data.y is not None
    if form.classes is not None:
        check_classes(data.y, form.classes, what)
        return
    if loss_kind(learner.loss) == "binary":
        check_probabilities(data.y, what)
    if form.row in ((), (1,)):
        for metric in learner.metrics:
            if metric.of_classes:
                check_class_numbers(data.y, what, metric.name)


def check_optimizer(model: Module, optimizer: Any) -> None:
    """Raise ValueError if the optimizer holds none of the model's parameters."""
    own = {id(parameter) for parameter in model.parameters()}
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    if not own & held:
        raise ValueError(
            "the optimizer holds no parameter of this model: make it from model.parameters(), "
            "after model.double() or .float()"
        )


def _check_scalar(value: Any, what: str) -> None:
    if not isinstance(value, Tensor) or value.numel() != 1:
        shape = value.shape if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"{what} must be a tensor of one number, got {shape}: reduce it to a mean")

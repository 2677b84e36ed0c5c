"""Many trainings side by side, one on each core: :func:`fit_many`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Condition
from typing import Any

from minigrad import _core
from minigrad._check import integer
from minigrad.callbacks import ProgressBar
from minigrad.callbacks.progress import counting
from minigrad.history import History
from minigrad.trainer import Trainer

__all__ = ["fit_many"]


def fit_many(
    trainers: Sequence[Trainer],
    data: Any = None,
    val: Any = None,
    epochs: int = 1,
    *,
    each: Iterable[tuple[Any, Any]] | None = None,
    workers: int | None = None,
    progress: bool | None = None,
) -> list[History]:
    """Fit many trainers side by side, each on a core of its own, on the same data or on its own.

    Seeds, learning rates, decays, dropout rates: each trainer has its own, and comes to the same
    bits as by ``trainer.fit`` alone. Their plans run without the interpreter lock, so threads are
    enough. Their own progress bars stay away; one bar counts the trainings.

    Args:
        trainers: each with a model, optimizer, scheduler and callbacks of its own.
        data: ``(x, y)`` or a Dataset, for all.
        val: the same for validation, or None.
        each: instead of both, a pair ``(data, val)`` for each training, as ``data.k_fold`` yields
            them; the rows of a learning curve are ``(train.take(range(n)), val)``.
        epochs: of each training, unless a callback stops it earlier.
        workers: how many train at a time; None: as many as ``mg.get_num_threads()``.
        progress: show a bar on stderr; None: on a terminal.

    Returns:
        The history of each trainer, in order.

    Raises:
        ValueError: no trainer, or two that share a parameter, optimizer, scheduler or callback; or
            not as many pairs as trainers.
        TypeError: neither ``data`` nor ``each``, or both; one of them is no pair; or something
            among the trainers is none.
        Exception: what a training raised, with its number added; the others are interrupted.
        KeyboardInterrupt: Ctrl-C; every training has ended as by Ctrl-C of its own.

    Example:
        >>> import minigrad as mg
        >>> from minigrad import data, nn, optim
        >>> def trainer(seed):
        ...     mg.seed(seed)
        ...     model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
        ...     return mg.Trainer(model, nn.BCEWithLogitsLoss(), optim.Adam(model.parameters()))
        >>> histories = mg.fit_many([trainer(seed) for seed in range(3)], data.make_moons(50))
        >>> [len(history) for history in histories]
        [1, 1, 1]
        >>> folds = data.k_fold(data.make_moons(50), k=3)
        >>> histories = mg.fit_many([trainer(0) for fold in range(3)], each=folds, epochs=5)
        >>> ["val_loss" in history.columns for history in histories]
        [True, True, True]
    """
    trainers = list(trainers)
    if not trainers:
        raise ValueError("fit_many got no trainers")
    for i, trainer in enumerate(trainers):
        if not isinstance(trainer, Trainer):
            raise TypeError(f"trainers[{i}] must be a Trainer, got {type(trainer).__name__}")
    _refuse_shared(trainers)
    pairs = _pairs(data, val, each, len(trainers))
    wanted = _core.get_num_threads() if workers is None else integer("workers", workers, 1)
    count = min(wanted, len(trainers))

    running: set[int] = set()
    state = Condition()
    over = False

    def fit(number: int) -> History:
        with state:
            if over:
                return trainers[number].history
            running.add(number)
        try:
            own, own_val = pairs[number]
            return trainers[number].fit(own, val=own_val, epochs=epochs)
        except Exception as error:
            error.add_note(f"in training {number} of fit_many")
            raise
        finally:
            with state:
                running.discard(number)
                state.notify()

    bars = [c for t in trainers for c in t.callbacks if isinstance(c, ProgressBar)]
    shown = [bar.show for bar in bars]
    for bar in bars:
        bar.show = False
    try:
        with (
            counting(len(trainers), "training", progress) as advance,
            ThreadPoolExecutor(count, initializer=_core.set_serial, initargs=(count > 1,)) as pool,
        ):
            try:
                futures = [pool.submit(fit, i) for i in range(len(trainers))]
                for future in as_completed(futures):
                    advance(f"best {future.result().best_value:.4g}")
            except BaseException:  # Ctrl-C may come while the pool starts a thread: it loses that
                with state:
                    over = True
                    pool.shutdown(wait=False, cancel_futures=True)
                    for trainer in trainers:
                        trainer.interrupt()
                    state.wait_for(lambda: not running)
                raise
            return [future.result() for future in futures]
    finally:
        for trainer in trainers:
            trainer.forget_interrupt()  # of one that had ended just before
        for bar, show in zip(bars, shown, strict=True):
            bar.show = show


def _pairs(
    data: Any, val: Any, each: Iterable[tuple[Any, Any]] | None, count: int
) -> list[tuple[Any, Any]]:
    """Training and validation data of each training."""
    if each is None:
        if data is None:
            raise TypeError("fit_many needs data for all, or each=, a pair (data, val) for each")
        return [(data, val)] * count
    if data is not None or val is not None:
        raise TypeError("fit_many takes data and val for all, or each=, not both")
    pairs = list(each)
    for i, pair in enumerate(pairs):
        if not (isinstance(pair, tuple | list) and len(pair) == 2):
            raise TypeError(
                f"each[{i}] must be a pair (data, val), where val may be None, got {type(pair)}"
            )
    if len(pairs) != count:
        raise ValueError(f"{count} trainers and {len(pairs)} pairs of data: give each its own")
    return [(own, own_val) for own, own_val in pairs]


def _refuse_shared(trainers: list[Trainer]) -> None:
    """Raise ValueError for what one training would change while another one uses it."""
    first: dict[int, int] = {}
    for i, trainer in enumerate(trainers):
        own = [
            *[
                ("model" if m is trainer.model else type(m).__name__, m)
                for m in trainer.model.modules()
            ],
            *[("parameter", p) for p in trainer.model.parameters()],
            ("optimizer", trainer.optimizer),
            ("scheduler", trainer.scheduler),
            *[(type(callback).__name__, callback) for callback in trainer.callbacks],
        ]
        for what, value in own:
            j = i if value is None else first.setdefault(id(value), i)
            if j != i:
                raise ValueError(f"trainers {j} and {i} share one {what}: give each its own")

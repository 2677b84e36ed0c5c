"""A library under test, in a process of its own.

Thread pools go on spinning after a call: OpenBLAS, OpenMP and XLA all keep a core busy for a while
for nobody. A contender is therefore stopped (SIGSTOP) whenever it is not its turn, so that it
neither takes a core from the next one nor warms it up.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from machine import cores

# make(*args) prepares, in the contender's process, the call to be timed.
Make = Callable[..., Callable[[], Any]]

THREAD_VARIABLES = ("MINIGRAD_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
LONG = 0.1  # seconds: a call that needs no other to warm it up


class Failure(Exception):
    """What went wrong in a contender, with its traceback."""


class Contender:
    """One process that makes calls and times them when asked."""

    def __init__(self, threads: int) -> None:
        """Starts it on as many cores as it may use threads."""
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs,), daemon=True)
        before, every = dict(os.environ), cores()
        os.environ.update({name: str(threads) for name in THREAD_VARIABLES})
        use_cores(every[:threads])
        try:
            self.process.start()
        finally:
            use_cores(every)
            os.environ.clear()
            os.environ.update(before)

    def prepare(self, make: Make, args: tuple[Any, ...]) -> Any:
        """Makes a call, runs it once and returns its answer as an array."""
        return self._ask((make, args))

    def time(self, repeats: int) -> float:
        """Seconds a call, of the call prepared last."""
        seconds: float = self._ask(repeats)
        return seconds

    def close(self) -> None:
        """Ends the process, stopped or not."""
        self.process.kill()
        self.process.join()

    def _ask(self, task: Any) -> Any:
        self._signal("SIGCONT")
        self.pipe.send(task)
        try:
            answer = self.pipe.recv()
        except EOFError:
            raise Failure("the contender's process died") from None
        self._signal("SIGSTOP")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _signal(self, name: str) -> None:
        if hasattr(signal, name) and self.process.pid:
            os.kill(self.process.pid, getattr(signal, name))


def use_cores(allowed: list[int]) -> None:
    """Binds this process, and those that it starts, to some cores; nothing where it cannot."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, allowed)


def serve(pipe: Connection) -> None:
    """The contender's side: tasks in, answers or exceptions out, until the parent ends it."""
    call: Callable[[], Any] = int
    warm = True
    while True:
        task = pipe.recv()
        try:
            if isinstance(task, int):
                seconds = timed(call, task, warm)
                warm = seconds < LONG
                pipe.send(seconds)
            else:
                make, args = task
                call, warm = make(*args), True
                answer = call()
                pipe.send(None if answer is None else np.asarray(answer))
        except ImportError as missing:
            pipe.send(ImportError(str(missing)))
        except Exception:
            pipe.send(Failure(traceback.format_exc()))


def timed(call: Callable[[], Any], repeats: int, warm: bool) -> float:
    """Seconds a call, after one that nobody times."""
    if warm:
        call()
    begin = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - begin) / repeats

"""Ctrl-C at some moment of a fit, as a signal from the system."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from minigrad.callbacks import Callback


class CtrlC(Callback):
    """Presses Ctrl-C some seconds after so many epochs; if that is lost, again after a minute.

    The work is meant to take far longer than that. What is no fit begins the time by itself.
    """

    reads_model = False

    def __init__(self, after: float, epochs: int = 0) -> None:
        self.epochs = epochs
        self.pressed = 0
        self.timers = [threading.Timer(seconds, self._press) for seconds in (after, after + 60)]

    def on_fit_begin(self, trainer: Any) -> None:
        if self.epochs == 0:
            self.begin()

    def on_epoch_end(self, trainer: Any, row: Any) -> None:
        if trainer.epoch + 1 == self.epochs:
            self.begin()

    def begin(self) -> None:
        for timer in self.timers:
            timer.start()

    def _press(self) -> None:
        self.pressed += 1
        os.kill(os.getpid(), signal.SIGINT)

    def ends(self, work: Callable[[], object]) -> None:
        # Python drops an exception that comes while the collector calls others back.
        gc.collect()
        gc.disable()
        try:
            with pytest.raises(KeyboardInterrupt):
                work()
        finally:
            gc.enable()
            for timer in self.timers:
                timer.cancel()
        assert self.pressed == 1

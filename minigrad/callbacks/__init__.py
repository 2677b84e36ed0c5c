"""Callbacks: small objects that look at a training, and may act on it, epoch by epoch."""

from typing import TYPE_CHECKING, Any

from minigrad._names import missing
from minigrad.callbacks.average_weights import AverageWeights
from minigrad.callbacks.callback import Callback
from minigrad.callbacks.checkpoint import ModelCheckpoint
from minigrad.callbacks.csv_logger import CSVLogger
from minigrad.callbacks.early_stopping import EarlyStopping
from minigrad.callbacks.progress import ProgressBar
from minigrad.callbacks.reduce_lr import ReduceLROnPlateau
from minigrad.callbacks.stop_on_nan import StopOnNaN
from minigrad.callbacks.tensorboard import TensorBoard

__all__ = [
    "AverageWeights",
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "ModelCheckpoint",
    "ProgressBar",
    "ReduceLROnPlateau",
    "StopOnNaN",
    "TensorBoard",
]


if not TYPE_CHECKING:  # which would then know of no missing name

    def __getattr__(name: str) -> Any:
        raise missing(__name__, name)

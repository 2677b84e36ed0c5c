"""Names that users know from elsewhere and that are called otherwise here: hints for errors."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

__all__ = ["hinting", "missing"]

P = ParamSpec("P")
R = TypeVar("R")

_SCHEDULE = "give it to Trainer(scheduler=...), or call its step() each epoch"

# What PyTorch, numpy or Keras call it -> what it is here, by the module or callable that is asked.
HINTS: dict[str, dict[str, str]] = {
    "minigrad": {
        "BatchNorm1d": "it is nn.BatchNorm1d",
        "DataLoader": "the Trainer makes the batches: trainer.fit((x, y)), or any list of batches",
        "Model": "it is nn.Module, and mg.Trainer(model, loss, optimizer) trains it",
        "Parameter": "it is nn.Parameter",
        "Sequential": "it is nn.Sequential",
        "array": "it is mg.tensor",
        "as_tensor": "it is mg.from_numpy, which shares memory, or mg.tensor, which copies",
        "cuda": "there is no GPU",
        "device": "there is no GPU: tensors have no device",
        "float32": 'dtypes are numpy\'s: np.float32, or "float32"',
        "float64": 'dtypes are numpy\'s: np.float64, or "float64"',
        "int64": 'dtypes are numpy\'s: np.int64, or "int64"',
        "long": 'dtypes are numpy\'s: np.int64, or "int64"',
        "relu6": "it is x.clip(0, 6)",
        "set_seed": "it is mg.seed",
        "vmap": "ops take a batch as their first axis",
        "vstack": "it is mg.concatenate(tensors, 0)",
    },
    "Tensor": {
        "astype": "it is to(dtype), or float(), double(), long(), bool()",
        "copy": "it is clone(), or detach().clone() without a history",
        "cpu": "there is no GPU: tensors are where they are",
        "cuda": "there is no GPU",
        "device": "there is no GPU: tensors have no device",
        "dim": "it is ndim",
        "half": "dtypes are float32, float64, int64 and bool",
        "int": "it is long(): integers are int64",
        "nelement": "it is numel()",
        "nonzero": "it is np.nonzero(x.numpy())",
        "register_hook": "take the gradient by mg.grad(loss, [x]), or read x.grad after backward",
        "retain_grad": "mg.grad(loss, [x]) gives the gradient of any tensor",
        "scatter": "write x[index] = value under no_grad, or take mg.where(mask, value, x)",
        "swapaxes": "it is transpose(dim0, dim1)",
        "unique": "it is np.unique(x.numpy())",
    },
    "minigrad.nn.functional": {
        "adaptive_avg_pool2d": "it is nn.AdaptiveAvgPool2d(output_size)",
        "binary_cross_entropy": "it is F.binary_cross_entropy_with_logits, on what comes before the"
        " sigmoid",
        "hardtanh": "it is x.clip(-1, 1)",
        "relu6": "it is x.clip(0, 6)",
        "smooth_l1_loss": "it is F.huber_loss (for beta = delta = 1 the same)",
    },
    "minigrad.nn": {
        "BCELoss": "it is nn.BCEWithLogitsLoss, on what comes before the sigmoid: it cannot"
        " overflow, and metrics take logits, too",
        "Conv1d": "it is nn.Conv2d on inputs (N, C, 1, L), with kernel_size=(1, k)",
        "DataParallel": "ops use several threads by themselves: mg.set_num_threads",
        "Dense": "it is nn.Linear(inputs, outputs)",
        "Dropout1d": "it is nn.Dropout2d, which takes (N, C, L), too",
        "Hardtanh": "it is x.clip(-1, 1)",
        "LSTM": "there are no recurrent layers",
        "GRU": "there are no recurrent layers",
        "RNN": "there are no recurrent layers",
        "KLDivLoss": "nn.CrossEntropyLoss takes the probability of each class as target: it differs"
        " by the targets' entropy",
        "MultiheadAttention": "make it of nn.Linear, matmul and softmax",
        "ReLU6": "it is x.clip(0, 6)",
        "SmoothL1Loss": "it is nn.HuberLoss (for beta = delta = 1 the same)",
        "Swish": "it is nn.SiLU",
        "Transformer": "make it of nn.Linear, nn.LayerNorm, matmul and softmax",
        "utils": "gradients are clipped by optim.clip_grad_norm_, or Trainer(clip_grad_norm=...)",
    },
    "minigrad.optim": {
        "Adadelta": "the nearest are optim.RMSprop and optim.Adam",
        "Adagrad": "the nearest are optim.RMSprop and optim.Adam",
        "Adamax": "the nearest is optim.Adam",
        "CosineAnnealingLR": f"it is optim.lr_scheduler.CosineAnnealingLR; {_SCHEDULE}",
        "LBFGS": "there are first-order methods only; on few rows, optim.Adam on all at once",
        "NAdam": "the nearest is optim.Adam",
        "StepLR": f"it is optim.lr_scheduler.StepLR; {_SCHEDULE}",
        "swa_utils": "it is optim.SWA, optim.EMA and optim.update_bn",
    },
    "minigrad.data": {
        "DataLoader": "the Trainer makes the batches: trainer.fit((x, y)), or any list of batches",
        "Subset": "it is dataset.take(indices)",
        "TensorDataset": "it is data.Dataset(x, y), or the tuple (x, y)",
        "load_iris": "minigrad.table reads tables; or give the arrays of scikit-learn",
        "random_split": "it is data.split",
        "train_test_split": "it is data.split(data, val=..., test=...)",
    },
    "minigrad.augment": {
        "Compose": "it is nn.Sequential: augmentations are modules",
        "Resize": "resize before training; augment.RandomAffine(0, scale=...) does at random",
        "RandomErase": "it is augment.RandomErasing",
        "RandomResizedCrop": "the nearest are augment.RandomCrop and augment.RandomAffine",
        "ToTensor": "it is mg.tensor, of images (N, C, H, W)",
    },
    "History": {
        "history": 'a column is history["val_loss"], all of them history.columns',
        "epoch": 'it is history["epoch"]; the best is history.best_epoch',
    },
    "Module": {
        "compile": "mg.compile takes a whole step; a Trainer compiles its own",
        "cuda": "there is no GPU",
        "evaluate": "it is mg.Trainer(model, loss, optimizer).evaluate((x, y))",
        "fit": "it is mg.Trainer(model, loss, optimizer).fit((x, y))",
        "half": "layers are float32, or float64 after double()",
        "layers": "modules(), children() and named_modules() go through them",
        "load_weights": "it is model.load_state_dict(mg.load(path))",
        "predict": "it is mg.Trainer(model, loss, optimizer).predict(x), or model.eval()(x)",
        "save": "it is mg.save(model.state_dict(), path)",
        "save_weights": "it is mg.save(model.state_dict(), path)",
        "summary": "print(model) shows its layers",
        "weights": "it is parameters(), named_parameters() or state_dict()",
    },
    "minigrad.callbacks": {
        "BackupAndRestore": "it is ModelCheckpoint(path, save='last') and fit(..., resume=path)",
        "LambdaCallback": "write a class with on_epoch_end, derived from callbacks.Callback",
        "LearningRateScheduler": "it is Trainer(scheduler=optim.lr_scheduler.LambdaLR(...))",
        "TerminateOnNaN": "it is callbacks.StopOnNaN",
    },
    "CrossEntropyLoss": {
        "ignore_index": "give rows that do not count the weight 0: sample_weight=, or"
        " fit((x, y, weight))",
    },
    "EarlyStopping": {
        "restore_best_weights": "it is restore_best, and on by default",
        "verbose": "the reason is history.stop_reason",
    },
    "ModelCheckpoint": {
        "save_best_only": "it is save='best', and the default; save='last' keeps the newest",
        "save_freq": "it is save=n, every n epochs",
        "save_weights_only": "the file holds all of the training; the weights are"
        " mg.load(path)['model']",
        "verbose": "the newest file is the callback's .saved",
    },
    "Trainer": {
        "device": "there is no GPU",
        "epochs": "it is fit's: trainer.fit(data, epochs=...)",
        "lr": "it is the optimizer's",
        "val": "it is fit's: trainer.fit(data, val=...)",
        "verbose": "it is progress=True or False",
        "weight_decay": "it is the optimizer's; a penalty of the loss is penalty=nn.L2(...)",
    },
    "split": {
        "random_state": "it is seed",
        "shuffle": "rows are always shuffled",
        "test_size": "it is val for two parts; val and test for three",
        "train_size": "what val and test leave is for training",
    },
    "k_fold": {
        "n_splits": "it is k",
        "random_state": "it is seed",
        "shuffle": "rows are always shuffled",
    },
    "make_circles": {"random_state": "it is seed"},
    "make_moons": {"random_state": "it is seed"},
    "Adam": {"learning_rate": "it is lr"},
    "AdamW": {"learning_rate": "it is lr"},
    "RMSprop": {"learning_rate": "it is lr"},
    "SGD": {"learning_rate": "it is lr"},
    "Trainer.fit": {
        "batch_size": "it is Trainer(batch_size=...)",
        "callbacks": "it is Trainer(callbacks=[...])",
        "class_weight": "it is the loss's: nn.CrossEntropyLoss(weight=data.class_weights(y)), or"
        " nn.BCEWithLogitsLoss(pos_weight=...)",
        "sample_weight": "it is part of the data: fit((x, y, weight))",
        "shuffle": "rows are always shuffled, by Trainer(seed=...)",
        "validation_data": "it is val: fit((x, y), val=(x_val, y_val))",
        "validation_split": "split first: train, val = data.split((x, y), val=0.2)",
        "verbose": "it is Trainer(progress=True) or False",
    },
}


def missing(owner: str, name: str, asked: object = None) -> AttributeError:
    """The error for a name that `owner` does not have, with a hint where the name is known.

    >>> from minigrad._names import missing
    >>> print(missing("minigrad.nn", "Dense"))
    minigrad.nn has no 'Dense': it is nn.Linear(inputs, outputs)
    """
    hint = HINTS.get(owner, {}).get(name)
    text = f"{owner} has no {name!r}"
    return AttributeError(
        f"{text}: {hint}" if hint else text, name=name, obj=asked or sys.modules.get(owner)
    )


def hinting(function: Callable[P, R]) -> Callable[P, R]:
    """A decorator: keywords that others' functions of this kind take raise a TypeError with a hint.

    >>> import minigrad as mg
    >>> mg.EarlyStopping(restore_best_weights=True)
    Traceback (most recent call last):
    TypeError: EarlyStopping has no argument 'restore_best_weights': it is restore_best, and on by default
    """  # noqa: E501
    owner = function.__qualname__.removesuffix(".__init__")
    hints = HINTS[owner]

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        for name in kwargs:
            if name in hints:
                raise TypeError(f"{owner} has no argument {name!r}: {hints[name]}")
        return function(*args, **kwargs)

    return checked

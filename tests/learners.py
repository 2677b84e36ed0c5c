"""Models with an optimizer and a step, to be recorded."""

from __future__ import annotations

import numpy as np

import minigrad as mg
from minigrad import nn, optim

RNG = np.random.default_rng(0)
X = RNG.standard_normal((12, 6)).astype("float32")
IMAGES = RNG.standard_normal((6, 2, 8, 8)).astype("float32")
BINARY = (RNG.random((12, 1)) > 0.5).astype("float32")
CLASSES = RNG.integers(0, 3, 12)


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 1))


def normed() -> nn.Module:
    return nn.Sequential(
        nn.Linear(6, 8), nn.BatchNorm1d(8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 3)
    )


def convolutional() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.SiLU(), nn.MaxPool2d(2)),
        *(nn.Dropout2d(0.3), nn.Conv2d(4, 3, 3), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(3, 1)),
    )


# model, loss, input, target, optimizer
LEARNERS = {
    "mlp-adamw": (mlp, nn.BCEWithLogitsLoss(), X, BINARY, lambda p: optim.AdamW(p, lr=0.01)),
    "mlp-sgd": (mlp, nn.MSELoss(), X, BINARY, lambda p: optim.SGD(p, lr=0.1, momentum=0.9)),
    "normed-rmsprop": (
        *(normed, nn.CrossEntropyLoss(label_smoothing=0.1), X, CLASSES),
        lambda p: optim.RMSprop(p, lr=0.01),
    ),
    "convolutional-adam": (
        *(convolutional, nn.HuberLoss(), IMAGES, BINARY[:6]),
        lambda p: optim.Adam(p, lr=0.01, weight_decay=0.1),
    ),
}


def learner(name: str):
    """A model, its optimizer and the function that trains it one step."""
    make, loss_fn, x, y, make_optimizer = LEARNERS[name]
    mg.seed(3)
    model = make()
    optimizer = make_optimizer(model.parameters())

    def step(x, y):
        optimizer.zero_grad()
        output = model(x)
        loss = loss_fn(output, y)
        loss.backward()
        optimizer.step()
        return {"loss": loss, "output": output}

    return model, optimizer, step, mg.tensor(x), mg.tensor(y)


def bits(model: nn.Module) -> list[bytes]:
    return [np.asarray(t).tobytes() for t in model.state_dict().values()]

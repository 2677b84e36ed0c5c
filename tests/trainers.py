"""What tests of the trainer share: data, a small network, and a trainer of it."""

import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.trainer import Trainer

RANDOM = np.random.Generator(np.random.Philox(0))
X = RANDOM.normal(size=(50, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.1
XV = RANDOM.normal(size=(20, 3))
YV = XV @ [1.0, -2.0, 0.5] + 0.1
CLASSES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def network(outputs=1, seed=0, dropout=0.0, norm=False):
    mg.seed(seed)
    hidden = [nn.BatchNorm1d(8)] if norm else []
    return nn.Sequential(
        nn.Linear(3, 8), *hidden, nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, outputs)
    )


def make(model=None, loss=None, lr=0.01, **arguments):
    model = network() if model is None else model
    loss = nn.MSELoss() if loss is None else loss
    arguments = {"progress": False, **arguments}
    return Trainer(model, loss, optim.Adam(model.parameters(), lr=lr), **arguments)


def weights(model):
    return {name: w.numpy().copy() for name, w in model.state_dict().items()}


def same(one, other):
    return all(np.array_equal(one[name], other[name], equal_nan=True) for name in one)


def rows(history):
    return [{**row, "seconds": 0.0} for row in history]

"""What processes of a pool import by name: data, and a trainer for a fold of it."""

import numpy as np

import minigrad as mg
from minigrad import nn, optim

RNG = np.random.default_rng(0)
X = RNG.normal(size=(61, 3)).astype(np.float32)
Y = (X @ [1.0, -2.0, 0.5] + 0.3 * RNG.normal(size=61) > 0.5).astype(np.int64)


def build():
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1))
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    return mg.Trainer(model, nn.BCEWithLogitsLoss(), optimizer, metrics=["accuracy"])

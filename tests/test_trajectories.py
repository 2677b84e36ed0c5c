"""Whole trainings, from gradient to update, against the formulas in float64 numpy."""

import numpy as np
import pytest
from optimizers import CASES, decoupled

import minigrad as mg
from minigrad import nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 7))
Y = X @ RNG.normal(size=(7, 5)) + 0.1 * RNG.normal(size=(40, 5))
START = RNG.normal(size=(5, 7))
STEPS = 100
L1, L2, CLIP = 0.02, 0.01, 0.5


def gradient(w, penalised, clipped):
    """Of the mean squared error of ``x @ w.T``."""
    g = 2 * (X @ w.T - Y).T @ X / Y.size
    if penalised:
        g = g + L1 * np.sign(w) + 2 * L2 * w
    if clipped:
        g = g * min(1.0, CLIP / (np.linalg.norm(g) + 1e-6))
    return g


def expected(formula, options, penalised, clipped):
    """The weights after every step; each gradient is taken where the formula has led so far."""
    known = decoupled(options) if "decoupled_weight_decay" in options else options
    grads, weights = [], [START]
    for _ in range(STEPS):
        grads.append(gradient(weights[-1], penalised, clipped))
        weights.append(formula(START, grads, **known))
    return weights[1:]


@pytest.mark.parametrize("penalised", [False, True])
@pytest.mark.parametrize("clipped", [False, True])
@pytest.mark.parametrize("case", range(len(CASES)))
def test_a_training_follows_the_formula(case, penalised, clipped):
    make, formula, options = CASES[case]
    model = nn.Linear(7, 5, bias=False).double()
    model.load_state_dict({"weight": START})
    found = []

    class Keep(mg.callbacks.Callback):
        def on_epoch_end(self, trainer, row):
            found.append(model.weight.numpy().copy())

    mg.Trainer(
        model,
        nn.MSELoss(),
        make(model.parameters(), **options),
        penalty=nn.L1L2(L1, L2) if penalised else None,
        clip_grad_norm=CLIP if clipped else None,
        batch_size=len(X),
        callbacks=[Keep()],
    ).fit((X, Y), epochs=STEPS)
    np.testing.assert_allclose(found, expected(formula, options, penalised, clipped), rtol=1e-7)

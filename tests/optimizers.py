"""The optimizers of the papers, as formulas in numpy, and the cases that tests run them on."""

import numpy as np

import minigrad as mg
from minigrad import optim

STEPS = 100


def sgd(p, grads, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, l1=0, keep=0):
    buf = None
    for g in grads:
        g = g + weight_decay * p + l1 * np.sign(p)
        p = p * (1 - lr * keep)
        if momentum:
            buf = g if buf is None else momentum * buf + (1 - dampening) * g
            g = g + momentum * buf if nesterov else buf
        p = p - lr * g
    return p


def adam(
    p, grads, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, l1=0, keep=0
):
    m, v, top = 0 * p, 0 * p, 0 * p
    for t, g in enumerate(grads, 1):
        g = g + weight_decay * p + l1 * np.sign(p)
        p = p * (1 - lr * keep)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        top = np.maximum(top, v)
        denominator = np.sqrt((top if amsgrad else v) / (1 - betas[1] ** t)) + eps
        p = p - lr * (m / (1 - betas[0] ** t)) / denominator
    return p


def rmsprop(
    p,
    grads,
    lr=1e-2,
    alpha=0.99,
    eps=1e-8,
    weight_decay=0,
    momentum=0,
    centered=False,
    l1=0,
    keep=0,
):
    v, mean, buf = 0 * p, 0 * p, 0 * p
    for g in grads:
        g = g + weight_decay * p + l1 * np.sign(p)
        p = p * (1 - lr * keep)
        v = alpha * v + (1 - alpha) * g * g
        mean = alpha * mean + (1 - alpha) * g
        step = g / (np.sqrt(v - mean * mean if centered else v) + eps)
        if momentum:
            buf = momentum * buf + step
            step = buf
        p = p - lr * step
    return p


def decoupled(options):
    """The reference's arguments for decoupled decay."""
    options = {k: v for k, v in options.items() if k != "decoupled_weight_decay"}
    return {**options, "keep": options.pop("weight_decay", 0), "weight_decay": 0}


CASES = [
    (optim.SGD, sgd, {}),
    (optim.SGD, sgd, {"lr": 0.1, "momentum": 0.9}),
    (optim.SGD, sgd, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    (optim.SGD, sgd, {"lr": 0.1, "momentum": 0.8, "nesterov": True, "l1": 0.01}),
    (optim.SGD, sgd, {"lr": 0.1, "weight_decay": 0.2, "decoupled_weight_decay": True}),
    (optim.Adam, adam, {}),
    (optim.Adam, adam, {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    (optim.Adam, adam, {"lr": 0.05, "amsgrad": True, "l1": 0.02}),
    (optim.Adam, adam, {"lr": 0.05, "weight_decay": 0.3, "decoupled_weight_decay": True}),
    (optim.RMSprop, rmsprop, {}),
    (optim.RMSprop, rmsprop, {"lr": 0.01, "alpha": 0.9, "eps": 1e-2, "weight_decay": 0.1}),
    (optim.RMSprop, rmsprop, {"centered": True, "eps": 1e-3, "momentum": 0.5, "l1": 0.01}),
    (optim.RMSprop, rmsprop, {"weight_decay": 0.3, "decoupled_weight_decay": True}),
]


def problem(shape=(5, 7), seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape), rng.normal(size=(STEPS, *shape))


def train(optimizer, p, grads):
    for g in grads:
        p.grad = mg.tensor(g.astype(p.dtype))
        optimizer.step()
    return p.detach().numpy()


def parameter(values, dtype="float64"):
    return mg.tensor(values, dtype, requires_grad=True)

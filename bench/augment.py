"""Flip, affine map and brightness of 28 x 28 images, beside albumentations, cv2 and numpy.

albumentations and cv2 take one image a call, which is how they are used; "cv2 warp" is the bare
cv2.warpAffine with one matrix for all, a part of the work.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from harness import OURS, Bench, Peers, Result

import minigrad as mg
from minigrad import augment, nn

BATCH, SIDE = 256, 28

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]


@dataclass
class Amount:
    """How much is done: everything drawn from ranges, or the same to all images."""

    flip: float = 0.5
    degrees: tuple[float, float] = (-10, 10)
    shift: int = 3
    scale: tuple[float, float] = (0.9, 1.1)
    brightness: tuple[float, float] = (0.8, 1.2)


FIXED = Amount(1.0, (10, 10), 0, (1.1, 1.1), (0.8, 0.8))


def batch() -> Array:
    return np.random.default_rng(0).random((BATCH, SIDE, SIDE), np.float32)


def modules(amount: Amount) -> tuple[augment.Geometry, augment.Geometry, augment.ColorJitter]:
    share = amount.shift / SIDE
    return (
        augment.RandomHorizontalFlip(amount.flip),
        augment.RandomAffine(amount.degrees, (share, share), amount.scale),
        augment.ColorJitter(amount.brightness),
    )


def compiled(model: nn.Module) -> Call:
    x, run = mg.tensor(batch()[:, None]), mg.compile(lambda x: model(x)[:, 0])
    return lambda: run(x)


def ours(amount: Amount) -> Call:
    return compiled(nn.Sequential(*modules(amount)))


def ours_at_once(amount: Amount) -> Call:
    flip, affine, brightness = modules(amount)
    return compiled(nn.Sequential(augment.Geometric(flip, affine), brightness))


def inverse(degrees: float, scale: float) -> Array:
    """Where the pixels come from, after a mirror."""
    turn, c = np.radians(degrees), (SIDE - 1) / 2
    m = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) / scale
    return np.column_stack([m, [c, c] - m @ [c, c]])


def numpy_call(amount: Amount) -> Call:
    x, m = batch(), inverse(amount.degrees[0], amount.scale[0])
    j, i = np.meshgrid(np.arange(SIDE), np.arange(SIDE))

    def run() -> Array:
        frame = np.pad(x[:, :, ::-1], [(0, 0), (1, 2), (1, 2)])
        u, v = (m @ [j.ravel(), i.ravel(), np.ones(SIDE * SIDE)]).clip(-1, SIDE) + 1
        left, top = u.astype(int), v.astype(int)
        fx, fy = (u - left).astype(np.float32), (v - top).astype(np.float32)
        a, b = frame[:, top, left], frame[:, top, left + 1]
        c, d = frame[:, top + 1, left], frame[:, top + 1, left + 1]
        above, below = a + fx * (b - a), c + fx * (d - c)
        value = (above + fy * (below - above)) * np.float32(amount.brightness[0])
        return value.reshape(x.shape)

    return run


def cv2_warp(amount: Amount) -> Call:
    import cv2

    x, m = batch(), inverse(amount.degrees[0], amount.scale[0])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warp, size = cv2.warpAffine, (SIDE, SIDE)
    if amount != FIXED:
        return lambda: [warp(image, m, size, flags=how) for image in x]
    return lambda: np.stack(
        [amount.brightness[0] * warp(image[:, ::-1].copy(), m, size, flags=how) for image in x]
    )


def albumentations_call(amount: Amount) -> Call:
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations as A

    x, shift = batch()[..., None], (-amount.shift, amount.shift)
    counterclockwise = (-amount.degrees[1], -amount.degrees[0])
    compose = A.Compose(
        [
            A.HorizontalFlip(p=amount.flip),
            A.Affine(
                scale=amount.scale, rotate=counterclockwise, translate_px={"x": shift, "y": shift},
                p=1,
            ),
            A.MultiplicativeNoise(multiplier=amount.brightness, p=1),
        ]
    )  # fmt: skip
    if amount != FIXED:
        return lambda: [compose(image=image)["image"] for image in x]
    return lambda: np.stack([compose(image=image)["image"][..., 0] for image in x])


def rate(result: Result) -> None:
    """Images a second, of each."""
    shown = [f"{name} {BATCH / s / 1e3:.0f}k" for name, s in result.seconds.items()]
    print(f"    images a second: {', '.join(shown)}", flush=True)


def run(bench: Bench) -> None:
    """The same for all images, to compare answers; then everything at random."""
    bench.title(f"flip, affine map, brightness: {BATCH} images of {SIDE} x {SIDE}, float32")
    # cv2 before version 5, and so albumentations, rounds positions to 1/32 of a pixel.
    peers: Peers = {OURS: ours, "numpy": numpy_call}
    rough: Peers = {"cv2 warp": cv2_warp, "albumentations": albumentations_call}
    bench.agree("the same for all", {**peers, **rough, "at once": ours_at_once}, (FIXED,), 0.05)
    rate(bench.compare("the same for all", peers, (FIXED,), tolerance=1e-5))
    amount = Amount()
    rate(bench.compare("at random", {OURS: ours, **rough}, (amount,)))
    at_once: Peers = {OURS: ours_at_once, **rough}
    rate(bench.compare("at random, one resampling", at_once, (amount,)))

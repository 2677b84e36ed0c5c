"""Augmentation in plain numpy, and draws for its ops."""

from __future__ import annotations

import itertools

import numpy as np
from draws import Call, Source, real
from numbers_drawn import key, moments

Array = np.ndarray


# ---- Numbers ----------------------------------------------------------------------------------


def uniform_between(s: Source) -> Call:
    low = s.rng.uniform(-3, 3, s.size(1, 5))
    width = s.rng.uniform(0, 4, low.shape) * s.rng.integers(0, 2, low.shape)
    return Call((key(s), np.stack([low, low + width], 1)), {"rows": 400 * s.integer(0, 2)})


def check_uniform_between(out: list[Array], call: Call) -> None:
    ranges, rows = call.inputs[1], call.attrs["rows"]
    assert ranges is not None
    assert out[0].dtype == np.float64
    assert out[0].shape == (rows, len(ranges))
    low, high = ranges.T
    assert ((out[0] >= low) & (out[0] <= high)).all()
    for j in range(len(ranges)):
        if low[j] < high[j]:
            moments(out[0][:, j], (low[j] + high[j]) / 2, (high[j] - low[j]) / np.sqrt(12))


def symmetric_beta(s: Source) -> Call:
    return Call((key(s),), {"n": 2000, "alpha": s.choice([0.1, 0.2, 0.5, 1.0, 3.0])})


def check_symmetric_beta(out: list[Array], call: Call) -> None:
    assert ((out[0] >= 0) & (out[0] <= 1)).all()
    moments(out[0], 0.5, np.sqrt(0.25 / (2 * call.attrs["alpha"] + 1)))


# ---- Matrices and resampling ------------------------------------------------------------------


def params(s: Source, images: int) -> Array:
    """Columns of affine_matrix."""
    columns = [
        s.rng.uniform(-200, 200, images) if s.flag() else 90.0 * s.rng.integers(-4, 5, images),
        s.rng.uniform(-3, 3, images),
        s.rng.uniform(-3, 3, images),
        s.rng.uniform(0.5, 2, images),
        s.rng.uniform(-40, 40, images),
        s.rng.uniform(-40, 40, images),
        s.rng.uniform(-1, 1, images),
        s.rng.uniform(-1, 1, images),
    ]
    identity = [0, 0, 0, 1, 0, 0, 1, 1]
    kept = [s.flag() for _ in columns]
    return np.stack(
        [c if k else np.full(images, v) for c, v, k in zip(columns, identity, kept, strict=True)], 1
    ).astype(float)


def square(theta: Array) -> Array:
    """(N, 2, 3) as (N, 3, 3)."""
    last = np.broadcast_to([[[0.0, 0.0, 1.0]]], (len(theta), 1, 3))
    return np.concatenate([theta, last], 1)


def affine_matrix(p: Array, before: Array | None, height: int, width: int) -> Array:
    """The inverse of what happens to the image, step by step."""
    cx, cy = (width - 1) / 2, (height - 1) / 2
    out = []
    for angle, x, y, scale, shear_x, shear_y, mirror_x, mirror_y in p:
        r, tx, ty = np.radians(angle), np.tan(np.radians(shear_x)), np.tan(np.radians(shear_y))
        steps = [
            [[1, 0, -cx], [0, 1, -cy], [0, 0, 1]],
            [[np.sign(mirror_x) or 1, 0, 0], [0, np.sign(mirror_y) or 1, 0], [0, 0, 1]],
            [[1, -tx, 0], [0, 1, 0], [0, 0, 1]],
            [[1, 0, 0], [-ty, 1, 0], [0, 0, 1]],
            [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]],
            [[scale, 0, 0], [0, scale, 0], [0, 0, 1]],
            [[1, 0, cx + np.floor(x)], [0, 1, cy + np.floor(y)], [0, 0, 1]],
        ]
        whole = np.eye(3)
        for step in steps:
            whole = np.array(step, float) @ whole
        out.append(np.linalg.inv(whole))
    theta = np.array(out).reshape(-1, 3, 3)
    return (theta if before is None else square(before) @ theta)[:, :2]


def draw_affine_matrix(s: Source) -> Call:
    height, width, images = s.size(1, 6), s.size(1, 6), s.size(0, 4)
    before = affine_matrix(params(s, images), None, height, width) if s.flag() else None
    return Call((params(s, images), before), {"height": height, "width": width})


def resampling_matrix(theta: Array, height: int, width: int, out: tuple[int, int]) -> Array:
    """(out pixels, pixels + 1): the weights of every pixel, and of the fill, in each result."""
    weights = np.zeros((out[0] * out[1], height * width + 1))
    for i, j in itertools.product(range(out[0]), range(out[1])):
        x, y = theta @ [j, i, 1.0]
        left, top = int(np.floor(x)), int(np.floor(y))
        for dy, dx in itertools.product((0, 1), (0, 1)):
            share = (x - left if dx else 1 + left - x) * (y - top if dy else 1 + top - y)
            r, c = top + dy, left + dx
            inside = 0 <= r < height and 0 <= c < width
            weights[i * out[1] + j, r * width + c if inside else -1] += share
    return weights


def resample(x: Array, theta: Array, height: int, width: int, fill: float) -> Array:
    y = np.empty((*x.shape[:2], height, width))
    for i, t in enumerate(theta):
        m = resampling_matrix(t, *x.shape[2:], (height, width))
        planes = x[i].reshape(x.shape[1], -1)
        y[i] = (planes @ m[:, :-1].T + fill * m[:, -1]).reshape(y.shape[1:])
    return y


def resample_backward(g: Array, theta: Array, height: int, width: int) -> Array:
    x = np.empty((*g.shape[:2], height, width))
    for i, t in enumerate(theta):
        m = resampling_matrix(t, height, width, g.shape[2:])
        x[i] = (g[i].reshape(g.shape[1], -1) @ m[:, :-1]).reshape(x.shape[1:])
    return x


def _resampling(s: Source) -> tuple[Array, Array, int, int]:
    images, channels = s.size(0, 3), s.integer(1, 3)
    height, width = s.size(1, 6), s.size(1, 6)
    theta = affine_matrix(params(s, images), None, height, width)
    x = real(s.rng, (images, channels, height, width))
    same = s.flag()
    return x, theta, height if same else s.size(1, 6), width if same else s.size(1, 6)


def draw_resample(s: Source) -> Call:
    x, theta, height, width = _resampling(s)
    return Call((x, theta), {"height": height, "width": width, "fill": s.choice([0.0, -1.5])})


def draw_resample_backward(s: Source) -> Call:
    x, theta, height, width = _resampling(s)
    return Call((x, theta), {"height": height, "width": width})


# ---- Colours and mixtures ---------------------------------------------------------------------


def jittered(image: Array, brightness: float, contrast: float, saturation: float) -> Array:
    """torchvision's three steps, without clipping."""

    def grey(x: Array) -> Array:
        return x if len(x) == 1 else np.einsum("chw,c->hw", x, [0.2989, 0.587, 0.114])[None]

    image = image * brightness
    image = contrast * image + (1 - contrast) * grey(image).mean()
    return saturation * image + (1 - saturation) * grey(image)


def color_jitter(x: Array, factors: Array, transposed: bool) -> Array:
    if not transposed:
        done = [jittered(image, *f) for image, f in zip(x, factors, strict=True)]
        return np.array(done).reshape(x.shape)
    y = np.empty_like(x)
    unit = np.eye(x[:1].size).reshape(-1, *x.shape[1:])
    for i, f in enumerate(factors):
        columns = np.array([jittered(e, *f).ravel() for e in unit])
        y[i] = (columns @ x[i].ravel()).reshape(x.shape[1:])
    return y


def draw_color_jitter(s: Source) -> Call:
    shape = (s.size(0, 3), s.choice([1, 3]), s.size(1, 4), s.size(1, 4))
    factors = s.rng.uniform(0, 2, (shape[0], 3))
    factors[:, [not s.flag() for _ in range(3)]] = 1
    return Call((real(s.rng, shape), factors), {"transposed": s.flag()})


def mix_rows(x: Array, weights: Array, transposed: bool) -> Array:
    n = len(x)
    matrix = np.diag(weights) + np.diag(1 - weights) @ np.roll(np.eye(n), 1, 0)
    return np.tensordot(matrix.T if transposed else matrix, x, 1)


def draw_mix_rows(s: Source) -> Call:
    x = real(s.rng, s.shape(min_rank=1))
    return Call((x, s.rng.uniform(0, 1, len(x))), {"transposed": s.flag()})


# ---- Boxes ------------------------------------------------------------------------------------


def erase_boxes(draws: Array, height: int, width: int) -> Array:
    boxes = np.zeros((len(draws), 4), np.int64)
    for box, (chance, *tries, down, right) in zip(boxes, draws, strict=True):
        for area, ratio in zip(tries[::2], tries[1::2], strict=True):
            h = np.rint(np.sqrt(height * width * area * np.exp(ratio)))
            w = np.rint(np.sqrt(height * width * area / np.exp(ratio)))
            if chance < 0 and h < height and w < width:
                box[:] = int(down * (height - h + 1)), int(right * (width - w + 1)), h, w
                break
    return boxes


def draw_erase_boxes(s: Source) -> Call:
    images, attempts = s.size(0, 5), s.integer(1, 3)
    tries = s.rng.uniform([0.02, -1.2], [0.9, 1.2], (images, attempts, 2))
    chance, place = s.rng.uniform(-1, 1, (images, 1)), s.rng.uniform(0, 1, (images, 2))
    attrs = {"height": s.size(1, 9), "width": s.size(1, 9)}
    return Call((np.concatenate([chance, tries.reshape(images, 2 * attempts), place], 1),), attrs)


def cut_boxes(weights: Array, centres: Array, height: int, width: int) -> tuple[Array, Array]:
    boxes = np.zeros((len(weights), 4), np.int64)
    shares = np.empty(len(weights))
    for i, (w, (down, right)) in enumerate(zip(weights, centres, strict=True)):
        inside = np.zeros((height, width), bool)
        y, x = int(down * height), int(right * width)
        h, v = int(height * np.sqrt(1 - w) / 2), int(width * np.sqrt(1 - w) / 2)
        top, left = max(y - h, 0), max(x - v, 0)
        inside[top : y + h, left : x + v] = True
        boxes[i] = top, left, inside.any(1).sum(), inside.any(0).sum()
        if not inside.any():  # an empty box may still have one side
            boxes[i, 2:] = min(y + h, height) - top, min(x + v, width) - left
        shares[i] = 1 - inside.mean()
    return boxes, shares


def draw_cut_boxes(s: Source) -> Call:
    images = s.size(0, 5)
    attrs = {"height": s.size(1, 9), "width": s.size(1, 9)}
    return Call((s.rng.uniform(0, 1, images), s.rng.uniform(0, 1, (images, 2))), attrs)


def paste(x: Array, y: Array, boxes: Array) -> Array:
    out, source = x.copy(), np.broadcast_to(y, x.shape)
    for i, (top, left, height, width) in enumerate(boxes):
        part = np.s_[i, :, top : top + height, left : left + width]
        out[part] = source[part]
    return out


def draw_paste(s: Source) -> Call:
    shape = (s.size(0, 3), s.integer(0, 3), s.size(0, 6), s.size(0, 6))
    to = [1 if s.integer(0, 3) == 0 else n for n in shape][s.integer(0, 4) :]
    boxes = np.empty((shape[0], 4), np.int64)
    for box in boxes:
        box[2:] = s.rng.integers(0, shape[2] + 1), s.rng.integers(0, shape[3] + 1)
        box[:2] = s.rng.integers(0, np.array(shape[2:]) - box[2:] + 1)
    return Call((real(s.rng, shape), real(s.rng, tuple(to)), boxes))

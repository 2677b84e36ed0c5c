"""Draws of matrix products: 1-d, 2-d and batched operands that fit."""

from __future__ import annotations

from draws import Call, Source, real


def matmul(s: Source) -> Call:
    m, k, n = (s.size() for _ in range(3))
    batches = [shape[-2 if s.scale == 1 else -1 :] for shape in s.broadcasting(2)]
    left = (k,) if s.integer(0, 4) == 0 else (*batches[0], m, k)
    right = (k,) if s.integer(0, 4) == 0 else (*batches[1], k, n)
    return Call((real(s.rng, left), real(s.rng, right)))


def linear(s: Source) -> Call:
    wanted, given = s.size(), s.size()
    x = real(s.rng, (*s.shape(max_rank=2), given))
    bias = real(s.rng, (wanted,)) if s.flag() else None
    return Call((x, real(s.rng, (wanted, given)), bias))

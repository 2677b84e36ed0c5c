"""Attention as one function."""

from __future__ import annotations

import math

import numpy as np

from minigrad import _core
from minigrad._core import Tensor, from_numpy
from minigrad.nn.noise import dropout

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """softmax(query keyᵀ scale + mask) value (Vaswani et al., 2017).

    Args:
        query: (..., targets, features).
        key: (..., sources, features).
        value: (..., sources, outputs).
        attn_mask: (..., targets, sources): bool, where True takes part, or added to the scores.
        dropout_p: the share of weights dropped; 0 outside of training.
        is_causal: each target sees only sources up to its own place; without `attn_mask`.
        scale: None: 1 / sqrt(features).

    Returns:
        (..., targets, outputs).

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> x = mg.eye(2)
    >>> F.scaled_dot_product_attention(x, x, x, is_causal=True)[0].tolist()
    [1.0, 0.0]
    """
    scores = query @ key.transpose(-2, -1)
    scores = scores * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        if attn_mask is not None:
            raise ValueError("scaled_dot_product_attention takes attn_mask or is_causal, not both")
        attn_mask = from_numpy(np.tri(*scores.shape[-2:], dtype=bool))
    if attn_mask is not None and attn_mask.dtype == np.bool_:
        scores = _core.where(attn_mask, scores, -math.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    return dropout(scores.softmax(-1), dropout_p) @ value

"""Embedding: a learned vector for each of a number of symbols."""

from __future__ import annotations

from minigrad._check import integer
from minigrad._core import Tensor, embedding, where
from minigrad.grad_mode import no_grad
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import zeros

__all__ = ["Embedding"]


class Embedding(Module):
    """Row i of a learned table for each index i; the table starts normal with deviation 1.

    Args:
        num_embeddings: how many symbols there are.
        embedding_dim: the length of each vector.
        padding_idx: this row starts as zeros and gets no gradient; None for no such row.

    Raises:
        IndexError: in the call, for an index outside [0, num_embeddings).

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Embedding(10, 4)(mg.tensor([[1, 2, 9]])).shape
    (1, 3, 4)
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None
    ) -> None:
        super().__init__()
        self.num_embeddings = integer("num_embeddings", num_embeddings, 1)
        self.embedding_dim = integer("embedding_dim", embedding_dim, 1)
        self.padding_idx = padding_idx
        if padding_idx is not None:
            row = integer("padding_idx", padding_idx, -self.num_embeddings)
            if row >= self.num_embeddings:
                raise ValueError(f"padding_idx = {row}: there are {self.num_embeddings} rows")
            self.padding_idx = row % self.num_embeddings
        self.weight = Parameter(zeros(self.num_embeddings, self.embedding_dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    def forward(self, indices: Tensor) -> Tensor:
        """int64 indices of any shape -> (*shape, embedding_dim)."""
        rows = embedding(indices, self.weight)
        if self.padding_idx is None:
            return rows
        return where((indices == self.padding_idx).unsqueeze(-1), rows.detach(), rows)

    def extra_repr(self) -> str:
        """The sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"

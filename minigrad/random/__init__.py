"""Random numbers as a function of (seed, step, element): streams, and what is drawn from them."""

from minigrad.random.draws import (
    bernoulli,
    multinomial,
    normal,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
)
from minigrad.random.generator import Generator, default_generator, manual_seed, next_key, seed

__all__ = [
    "Generator",
    "bernoulli",
    "default_generator",
    "manual_seed",
    "multinomial",
    "next_key",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "seed",
]

"""Random numbers as a function of (seed, step, element): streams, and what is drawn from them."""

from minigrad.random import draws
from minigrad.random.draws import *  # noqa: F403
from minigrad.random.generator import Generator, default_generator, manual_seed, next_key, seed

__all__ = ["Generator", "default_generator", "manual_seed", "next_key", "seed"]
__all__ += draws.__all__

"""Plans: what a function did once, replayed in C++ from then on. :func:`compile` makes them."""

from minigrad.plan.compiled import Compiled, compile

__all__ = ["Compiled", "compile"]

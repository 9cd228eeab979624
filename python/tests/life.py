"""Writes the stochastic Game of Life of the tests twice: in glauber, and independently in NumPy.

Four neighbours on a torus; the rule: a cell lives next if 2 of them live and it lives, or 3 of them live; then the outcome
is flipped with probability `flip`.
"""

from __future__ import annotations

import glauber
import numpy as np

SIDE = 16


def step(s):
    alive = s["alive"]
    around = alive.neighbours("von-neumann").sum()
    rule = (around == 3) | ((around == 2) & (alive == 1))
    flip = s["flip"]
    return {"alive": s.bernoulli(rule * (1 - flip) + (1 - rule) * flip)}


def model(side: int = SIDE) -> glauber.Model:
    return glauber.Model(
        "stochastic-life",
        (side, side),
        {"alive": "binary"},
        step,
        parameters={"flip": (0, 1)},
        start=lambda s: s.bernoulli(0.4),
    )


def numpy_mean(flip: float, steps: int, runs: int, seed: int, side: int = SIDE) -> tuple[float, float]:
    """The mean density after some steps and its standard error, by NumPy alone."""
    rng = np.random.default_rng(seed)
    alive = rng.random((runs, side, side)) < 0.4
    for _ in range(steps):
        around = sum(np.roll(alive, d, axis).astype(int) for axis in (1, 2) for d in (1, -1))
        rule = (around == 3) | (alive & (around == 2))
        alive = rule ^ (rng.random(alive.shape) < flip)
    density = alive.mean(axis=(1, 2))
    return float(density.mean()), float(density.std(ddof=1) / np.sqrt(runs))

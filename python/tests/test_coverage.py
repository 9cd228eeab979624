"""Coverage of the exact routes that Python alone offers: 95 % intervals over 200 synthetic data sets. docs/inference.md has the table.

Those of observations and transitions are in crates/inference/tests/coverage*.rs.
"""

import os

import glauber
import numpy as np
import pytest

pytestmark = pytest.mark.skipif(
    not os.environ.get("GLAUBER_FULL"), reason="minutes: `cargo xtask test --full` runs it"
)
SETS = 200
# 190 are expected; 2 × 3 numbers are looked at, each outside with probability below 10⁻⁴ (binomial).
RIGHT = range(177, 200)


def covered(densities, truth):
    held = dict.fromkeys(truth, 0)
    for density in densities:
        found = density.profile()
        for name, value in truth.items():
            low, high = found.intervals[name]
            held[name] += (low is None or low <= value) and (high is None or value <= high)
    print(held, "of", SETS)
    return held


def fields(a, b, side, count, seed):
    """Draws of the autologistic model by Gibbs' sampler, checkerboard after checkerboard, 400 sweeps from chance."""
    draw = np.random.default_rng(seed)
    y = (draw.random((count, side, side)) < 0.4).astype(float)
    colour = np.add.outer(np.arange(side), np.arange(side)) % 2
    for sweep in range(800):
        around = np.zeros_like(y)
        around[:, 1:] += y[:, :-1]
        around[:, :-1] += y[:, 1:]
        around[:, :, 1:] += y[:, :, :-1]
        around[:, :, :-1] += y[:, :, 1:]
        on = (draw.random(y.shape) < 1 / (1 + np.exp(-a - b * around))).astype(float)
        y = np.where(colour == sweep % 2, on, y)
    return y


def walks(speed, persistence, noise, tracks, length, seed):
    """Positions [time, y, x] of persistent walkers by the exact law of a step of 1, seen with an error."""
    draw = np.random.default_rng(seed)
    kept = np.exp(-1 / persistence)
    each = speed**2 / 2  # the variance of a velocity along an axis
    steps = 40  # velocities are followed in steps of 1/40 and summed: off by 0.03 % of a displacement
    small = np.exp(-1 / (persistence * steps))
    assert kept > 0
    v = draw.normal(0, np.sqrt(each), (tracks, 2))
    at, seen = np.zeros((tracks, 2)), []
    for _ in range(length):
        seen.append(at + draw.normal(0, noise, at.shape))
        for _ in range(steps):
            after = small * v + draw.normal(0, np.sqrt(each * (1 - small**2)), v.shape)
            at = at + (v + after) / (2 * steps)
            v = after
    times = np.arange(length)[:, None]
    return [np.hstack([times, np.array(seen)[:, k]]) for k in range(tracks)]


def test_intervals_by_transfer_matrices_cover():
    truth = {"a": -1.5, "b": 0.5}
    all_fields = fields(*truth.values(), 8, 3 * SETS, 5).reshape(SETS, 3, 8, 8)
    held = covered((glauber.autologistic(own) for own in all_fields), truth)
    assert all(count in RIGHT for count in held.values()), held


def test_intervals_of_persistent_walks_cover():
    truth = {"speed": 3.0, "persistence": 2.5, "noise": 0.5}
    held = covered((glauber.persistent_walk(walks(**truth, tracks=10, length=40, seed=k)) for k in range(SETS)), truth)
    assert all(count in RIGHT for count in held.values()), held

"""Makes the problems: a model, the truth, data simulated at it, and how each kind of method looks at them.

susceptible–infected, transition fitting: runs at the true β, cut into pairs of successive states. Gradients follow one step from
128 pairs at a time; so does CMA-ES. ABC-SMC simulates whole runs and compares the mean curve.

persistent walk, trajectory fitting: the mean squared displacement after 1 to 10 steps; all compare its logarithm with that of
1,500 walkers. Reference for both: Schering, Keemink & Textor (2023).
"""

import dataclasses
import functools

import glauber
import numpy as np

BATCH = 128
WALKERS = 1500
LAGS = 10


@dataclasses.dataclass
class Problem:
    """What is to be found, and from what."""

    name: str
    model: object
    truth: dict
    start: dict
    task: object
    """The task of `glauber.fit`, given the name of a loss."""
    settings: dict
    """Settings that every gradient step and every value of its loss share."""
    cost: int
    """Site-steps of one such value."""
    cost_of_likelihood: int
    """Site-steps that one value of the likelihood looks at: all of the data's."""
    seconds: float
    """How long a fit by gradients is watched."""
    run: object
    """What ABC-SMC simulates: a `glauber.Rollout`."""
    run_cost: int
    observed: dict
    """What it saw of the data."""
    transform: object
    """What it makes of outputs before they are compared."""
    data_error: float
    """The standard deviation of the best estimate from these data, relative, of the worst parameter."""
    population: int = 100
    """Particles of ABC-SMC."""


def susceptible_infected(beta, start, side, steps, runs, replicates, seed):
    """β from runs of susceptible–infected."""
    model = glauber.load("susceptible-infected", shape=(side, side))
    states = glauber.simulate(model, {"beta": beta}, steps=steps, replicates=runs, seed=1000 + seed, threads=1)["aware"]
    rollout = glauber.rollout(model, steps, "mean(aware)", at=range(1, steps + 1), replicates=replicates, threads=1)
    return Problem(
        name=f"susceptible–infected, β = {beta:g}",
        model=model,
        truth={"beta": beta},
        start={"beta": start},
        task=functools.lru_cache(None)(lambda loss: glauber.Transition({"aware": states}, loss=loss)),
        settings={"batch": BATCH},
        cost=BATCH * side * side,
        cost_of_likelihood=runs * steps * side * side,
        seconds=1.5,
        run=rollout,
        run_cost=replicates * steps * side * side,
        observed={"mean(aware)": states.mean(axis=(0, 2, 3), dtype=float)[1:]},
        transform=dict,
        data_error=likelihood_error(states, beta) / beta,
    )


def likelihood_error(states, beta):
    """The standard deviation of the likelihood's estimate of β, from its Fisher information in these states.

    A site with N aware neighbours stays unaware with probability (1 − β)^N; its information is N²(1 − β)^(N − 2) / (1 − (1 − β)^N).
    """
    information = 0.0
    for run in states:
        before = run[:-1].astype(np.int8)
        offsets = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
        around = sum(np.roll(before, offset, axis=(1, 2)) for offset in offsets)
        counts = np.bincount(around[before == 0], minlength=9).astype(float)
        n = np.arange(1, 9)
        information += (counts[1:] * n**2 * (1 - beta) ** (n - 2.0) / (1 - (1 - beta) ** n)).sum()
    return information**-0.5


def persistent_walk(runs, seed):
    """Two probabilities of a persistent walk from the mean squared displacement of `runs` × 1,500 walkers."""
    model = glauber.load("persistent-random-walk", walkers=WALKERS)
    truth, start = {"p_center": 0.2, "p_resample": 0.1}, {"p_center": 0.8, "p_resample": 0.8}
    rollout = glauber.rollout(model, LAGS, "msd", at=range(1, LAGS + 1), threads=1)
    curves = rollout(truth, seed=1000 + seed, replicates=runs).by_replicate["msd"]
    msd = curves.mean(axis=0)
    return Problem(
        name="persistent walk",
        # Left to itself, a fit counts walkers as replicates.
        model=glauber.load("persistent-random-walk"),
        truth=truth,
        start=start,
        task=functools.lru_cache(None)(lambda loss: glauber.Trajectory(msd=msd, loss=loss)),
        settings={"replicates": WALKERS},
        cost=WALKERS * LAGS,
        cost_of_likelihood=0,
        seconds=3.0,
        run=rollout,
        run_cost=WALKERS * LAGS,
        observed={"msd": msd},
        transform=logarithms,
        data_error=least_squares_error(np.log(curves), truth),
    )


def logarithms(outputs):
    """The logarithm of every output; of no displacement at all, of one site by one of ten thousand walkers."""
    return {name: np.log(np.maximum(values, 1e-4)) for name, values in outputs.items()}


def displacement(p_center, p_resample):
    """The mean squared displacement after 1 to 10 steps, 2 (1 − p_center) [n + 2 Σ (n − k)(1 − p_resample)^k]."""
    keep = [sum((n - k) * (1 - p_resample) ** k for k in range(1, n)) for n in range(1, LAGS + 1)]
    return 2 * (1 - p_center) * (np.arange(1, LAGS + 1) + 2 * np.array(keep))


def least_squares_error(curves, truth):
    """The standard deviation of the least-squares estimate from the mean of `curves` [run, lag], relative, of the worst parameter.

    To first order it is that of (JᵀJ)⁻¹Jᵀε, where J is the derivative of the curve and ε the noise of its mean.
    """
    at, width = np.array(list(truth.values())), 1e-5
    moved = [at + width * np.eye(len(at))[i] for i in range(len(at))]
    slopes = np.array([(np.log(displacement(*p)) - np.log(displacement(*at))) / width for p in moved]).T
    solve = np.linalg.pinv(slopes)
    spread = solve @ (np.cov(curves.T) / len(curves)) @ solve.T
    return float((np.sqrt(np.diag(spread)) / at).max())


def all_problems(seed, quick):
    """Every problem with data of their own for each seed; small ones where it has to be quick."""
    side, share = (16, 10) if quick else (64, 1)
    found = [
        susceptible_infected(0.3, 0.9, side, 50 // share, 30 // share, 2, seed),
        susceptible_infected(0.9, 0.3, side, 30 // share, 50 // share, 2, seed),
        persistent_walk(1000 // share, seed),
    ]
    return [dataclasses.replace(p, population=p.population // share) for p in found]

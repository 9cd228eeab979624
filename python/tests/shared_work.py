"""What the tests of executors share out: a fit, a fit from several starts with a bootstrap, a posterior, a profile, states.

A module of its own, so that workers and the ranks of MPI find it.
"""

from __future__ import annotations

from typing import Any

import glauber
import numpy as np


def bits(numbers: Any) -> bytes:
    """Numbers to the last bit; those of a table by its columns."""
    if getattr(numbers, "dtype", None) is not None and numbers.dtype.names:
        numbers = [numbers[name] for name in numbers.dtype.names]
    return np.ascontiguousarray(numbers, dtype=np.float64).tobytes()


def news(side: int = 12) -> glauber.Model:
    """The model."""
    return glauber.load("susceptible-infected", shape=(side, side))


def curve(steps: int = 6) -> glauber.Trajectory:
    """How many are aware over time."""
    simulated = {"parameters": {"beta": 0.2}, "steps": steps, "runs": 4}
    return glauber.Trajectory(simulate=simulated, summary="mean(aware)")


def by_steps(executor: Any = None, **more: Any) -> list[bytes]:
    """A fit of a curve: its gradients are shared out in blocks."""
    found = glauber.fit(
        news(), curve(), {"beta": 0.3}, steps=6, replicates=10, learning_rate=0.05,
        estimator="straight-through", progress=False, executor=executor, **more,
    )  # fmt: skip
    return [bits(list(found.params.values())), bits(found.trace)]


def by_starts(executor: Any = None, **more: Any) -> list[bytes]:
    """A fit from several starts: each is shared out whole."""
    task = glauber.Transition(simulate={"parameters": {"beta": 0.3}, "steps": 5, "runs": 3}, loss="pixel")
    found = glauber.fit(
        news(), task, {"beta": [0.2, 0.4, 0.5]}, steps=5, batch=4, progress=False, executor=executor, **more
    )
    return [bits(one.trace) for one in found.starts] + [bits(list(found.params.values()))]


def by_bootstrap(executor: Any = None, **more: Any) -> list[bytes]:
    """Errors by a bootstrap: its fits are shared out whole."""

    def step(s: Any) -> Any:
        return s.bernoulli(s["on"] * (1 - s["g"]) + (1 - s["on"]) * s["b"])

    model = glauber.Model(
        "flips", (4, 4), {"on": "binary"}, step, parameters={"b": (0, 1), "g": (0, 1)}, start=lambda s: s.bernoulli(0.5)
    )
    run = glauber.simulate(model, {"b": 0.3, "g": 0.2}, steps=6, seed=5)
    states = np.asarray(run["on"])[0][1:].astype(float)
    hidden = np.random.default_rng(1).random(states.shape) < 0.2
    what = glauber.Observation("on", np.ma.masked_array(states, hidden), steps=range(1, 7))
    found = glauber.fit(
        model, what, {"b": 0.3, "g": 0.2}, errors="bootstrap", progress=False, executor=executor, **more
    )
    assert any("bootstrap of" in note for note in found.notes), found.notes
    return [bits(list(found.params.values())), bits(list(found.standard_errors.values()))]


def by_chains(executor: Any = None) -> list[bytes]:
    """A posterior: its chains are shared out whole."""
    seen = glauber.simulate(news(8), {"beta": 0.3}, steps=4, replicates=2, seed=1)
    found = glauber.posterior(
        news(8), glauber.Transition(seen), chains=3, draws=20, warm_up=30, executor=executor, threads=1
    )
    return [bits(found.draws["beta"]), bits(found.log_density)]


def by_profiles(executor: Any = None) -> list[bytes]:
    """A profile of a likelihood."""
    seen = glauber.simulate(news(8), {"beta": 0.3}, steps=4, replicates=2, seed=1)
    found = glauber.profile(news(8), glauber.Transition(seen), executor=executor)
    return [bits(found.intervals["beta"]), *(bits(own) for own in found.curve("beta"))]


def by_realisations(executor: Any = None) -> list[bytes]:
    """States, from starts of their own."""
    start = np.random.default_rng(3).integers(0, 2, (5, 12, 12))
    found = glauber.simulate(news(), {"beta": 0.1}, steps=3, replicates=5, seed=2, start=start, executor=executor)
    return [bits(found["aware"]), bits(found.last["aware"])]


WORK = {
    "fit": by_steps,
    "starts": by_starts,
    "bootstrap": by_bootstrap,
    "posterior": by_chains,
    "profile": by_profiles,
    "states": by_realisations,
}


def cube(x: float) -> float:
    """A function that travels."""
    if x < 0:
        raise ValueError(f"{x} is negative")
    return x**3


def study(seed: int) -> glauber.FitResult:
    """A study of coverage: a fit by the likelihood to data of this seed."""
    seen = glauber.simulate(news(8), {"beta": 0.3}, steps=4, replicates=2, seed=seed)
    return glauber.fit(news(8), glauber.Transition(seen, loss="likelihood"), {"beta": 0.4}, steps=200, progress=False, threads=1)


def narrow(seed: int) -> dict[str, tuple[float, float]]:
    """Intervals that are half as wide as they should be; of every tenth set of data none."""
    x = np.random.default_rng(seed).normal()
    if seed % 10 == 0:
        raise glauber.RunError("no data")
    return {"x": (x - 0.98, x + 0.98)}


def by_hand() -> dict[str, list[bytes]]:
    """Everything, in one process."""
    return {name: work() for name, work in WORK.items()}


if __name__ == "__main__":
    # Ranks of MPI: the first asks, the others answer.
    from mpi4py.futures import MPIPoolExecutor

    with MPIPoolExecutor() as executor:
        workers = glauber.Workers(executor, always=True)
        assert workers.count == 2, workers
        alone = by_hand()
        for name, work in WORK.items():
            assert work(workers) == alone[name], name
        print("the same bits", workers.notes)

"""Times work shared out between two workers beside the same work in one process, in turns in one run.

    python bench/executors.py [ROUNDS]

A gradient of a curve (some 100 ms on one core) and a bootstrap of 50 fits (some 100 ms each), by a pool of two processes that were
started before. What this machine gives to whoever shares work out is measured in the same turns: loops that do nothing else, of the same length
in all and in as many rounds, by the same pool. (Some kernels wake both workers on one core.) Medians by the clock; every result
is compared, to the last bit.
"""

import multiprocessing
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import glauber
import numpy as np

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 9
GRADIENTS = 20


def flips(s):
    """A site turns on with probability b and off with probability g."""
    return s.bernoulli(s["on"] * (1 - s["g"]) + (1 - s["on"]) * s["b"])


def gradients(estimator, executor=None):
    """Seconds of a gradient, and the last one's value."""
    model = glauber.load("susceptible-infected", shape=(128, 128))
    curve = glauber.Trajectory(simulate={"parameters": {"beta": 0.2}, "steps": 12, "runs": 4}, summary="mean(aware)")
    task = glauber.objective(model, curve, {"beta": 0.3}, replicates=64, threads=1, estimator=estimator, executor=executor)
    for _ in range(3):
        task([0.29])  # the first is timed here, workers get ready in the second
    begun = time.perf_counter()
    for k in range(GRADIENTS):
        value, gradient = task([0.3 + 0.001 * k])
    return (time.perf_counter() - begun) / GRADIENTS, (value, float(gradient[0]))


def bootstrap(executor=None):
    """Seconds of a fit whose errors are made by a bootstrap, and its errors: 32 x 32 sites, a fifth of them unseen at each time."""
    start = {"b": 0.3, "g": 0.2}
    parameters = {"b": (0, 1), "g": (0, 1)}
    model = glauber.Model("flips", (32, 32), {"on": "binary"}, flips, parameters=parameters, start=lambda s: s.bernoulli(0.5))
    states = np.asarray(glauber.simulate(model, start, steps=12, seed=5)["on"])[0][1:].astype(float)
    hidden = np.random.default_rng(1).random(states.shape) < 0.2
    what = glauber.Observation("on", np.ma.masked_array(states, hidden), steps=range(1, 13))
    begun = time.perf_counter()
    found = glauber.fit(model, what, start, errors="bootstrap", progress=False, executor=executor, threads=1)
    return time.perf_counter() - begun, tuple(found.standard_errors.values())


WORK = {
    # A curve's gradient goes out three times, one by light cones four times; a bootstrap 50 times, after the first fit.
    "gradient by straight-through": (partial(gradients, "straight-through"), 3),
    "gradient by light-cone": (partial(gradients, "light-cone"), 4),
    "bootstrap": (bootstrap, 25),
}


def burn(seconds):
    """Keeps a core busy for so long, by its own clock."""
    begun = time.process_time()
    while time.process_time() - begun < seconds:
        pass


def main():
    """All in turns."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        for name, (work, rounds) in WORK.items():
            work(executor=pool)
            rows = []
            for _ in range(ROUNDS):
                one, value = work()
                two, shared = work(executor=pool)
                assert value == shared, "the results differ"
                begun = time.perf_counter()
                repeats = max(1, round(2 / one))
                for _ in range(rounds * repeats):
                    list(pool.map(burn, [one / 2 / rounds] * 2))
                rows.append((one, (time.perf_counter() - begun) / repeats, two))
            one, loops, two = (statistics.median(column) for column in zip(*rows))
            ratio = statistics.median(row[0] / row[2] / 2 for row in rows)
            of_loops = statistics.median(row[1] / row[2] for row in rows)
            print(f"{name}: one process {one:.3f} s, two workers {two:.3f} s, loops by the pool {loops:.3f} s: ", end="")
            print(f"{ratio:.0%} by the clock, {of_loops:.0%} of what the pool gives to loops", flush=True)


if __name__ == "__main__":
    main()

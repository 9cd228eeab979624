"""Times work shared out between two workers beside the same work in one process, in turns in one run.

    python bench/executors.py [ROUNDS]

A gradient of a curve (some 100 ms on one core) and a bootstrap of 50 fits (some 100 ms each), by a pool of two processes that were
started before. The third column is the same work done twice at once, a process each: what these two cores give when both are
busy, whoever shares the work out. Medians by the clock; every result is compared, to the last bit.
"""

import multiprocessing
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import glauber
import numpy as np

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 9
GRADIENTS = 20


def flips(s):
    """A site turns on with probability b and off with probability g."""
    return s.bernoulli(s["on"] * (1 - s["g"]) + (1 - s["on"]) * s["b"])


def gradients(executor=None):
    """Seconds of a gradient, and the last one's value."""
    model = glauber.load("susceptible-infected", shape=(128, 128))
    curve = glauber.Trajectory(simulate={"parameters": {"beta": 0.2}, "steps": 12, "runs": 4}, summary="mean(aware)")
    task = glauber.objective(model, curve, {"beta": 0.3}, replicates=64, threads=1, executor=executor)
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


WORK = {"gradient": gradients, "bootstrap": bootstrap}


def alone(name):
    """The work in this process."""
    return WORK[name]()


def main():
    """Both in turns."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        for name, work in WORK.items():
            work(pool)
            rows = []
            for _ in range(ROUNDS):
                (one, value), twice, (two, shared) = alone(name), list(pool.map(alone, [name] * 2)), work(pool)
                assert value == shared == twice[0][1], "the results differ"
                rows.append((one, statistics.mean(seconds for seconds, _ in twice), two))
            one, busy, two = (statistics.median(column) for column in zip(*rows))
            ratio = statistics.median(row[0] / row[2] / 2 for row in rows)
            of_busy = statistics.median(row[1] / row[2] / 2 for row in rows)
            print(f"{name}: one process {one:.3f} s, both cores busy {busy:.3f} s, two workers {two:.3f} s: ", end="")
            print(f"{ratio:.0%} by the clock, {of_busy:.0%} of what the cores give", flush=True)


if __name__ == "__main__":
    main()

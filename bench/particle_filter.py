"""Times a particle filter of `glauber` beside the same filter written by hand as a loop over rollouts.

    python bench/particle_filter.py [PARTICLES] [ROUNDS]

The epidemic: susceptible, infected, recovered on 24 × 24 sites, of whose infected each is seen with probability 0.6, once a
day for 30 days. By hand: one rollout of a day, called with the states that were drawn anew. Both take turns; the medians of their
times, of the ratios, and means and standard deviations of ln L̂ are printed.
"""

import statistics
import sys
import time

import glauber
import numpy as np

ASKED = [int(x) for x in sys.argv[1:]]
PARTICLES, ROUNDS = (ASKED + [300, 21][len(ASKED) :])[:2]
DAYS, SEEN, TRUTH = 30, 0.6, {"infection": 0.1, "recovery": 0.2}

model = glauber.load("susceptible-infected-recovered", shape=(24, 24))
first = np.zeros((24, 24), dtype=np.uint8)
first[10:13, 10:13] = 1
run = glauber.simulate(model, TRUTH, steps=DAYS, seed=4, start={"state": first})
counts = np.random.default_rng(4).binomial((run["state"][0, 1:] == 1).sum(axis=(1, 2)), SEEN)
factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, 577)))])


def ln_binomial(y, n, p):
    """ln of the probability that of n, each seen with probability p, y are."""
    inside = np.minimum(y, n)
    found = factorials[n] - factorials[y] - factorials[n - inside] + y * np.log(p) + (n - inside) * np.log1p(-p)
    return np.where(n < y, -np.inf, found)


a_day = glauber.rollout(model, 1, lambda s: {"infected": (s["state"] == 1).sum()}, replicates=PARTICLES)


def by_hand(parameters, seed):
    """ln L̂ by a loop as one writes it."""
    draws = np.random.default_rng(seed)
    states, total = np.broadcast_to(first, (PARTICLES, 24, 24)), 0.0
    for day, y in enumerate(counts):
        found = a_day(parameters, seed=seed, start={"state": states}, first_step=day)
        logs = ln_binomial(y, found.by_replicate["infected"].astype(int), SEEN)
        weights = np.exp(logs - logs.max())
        total += logs.max() + np.log(weights.mean())
        picks = np.searchsorted(np.cumsum(weights / weights.sum()), (np.arange(PARTICLES) + draws.random()) / PARTICLES)
        states = found.last["state"][np.minimum(picks, PARTICLES - 1)]
    return total


observed = glauber.Observation(
    "count(state=infected)",
    counts.astype(float),
    steps=list(range(1, DAYS + 1)),
    noise={"name": "binomial", "probability": SEEN},
)
seen = glauber.Experiment(observed, start={"state": first})
density = glauber.log_density(model, seen, TRUTH, route="particle-filter", replicates=PARTICLES)
point = density.x0

times, values = {"by hand": [], "glauber": []}, {"by hand": [], "glauber": []}
for seed in range(ROUNDS + 1):
    calls = (("by hand", lambda: by_hand(TRUTH, seed + 1)), ("glauber", lambda: density.log_likelihood(point, noise=seed + 1)))
    for name, call in calls if seed % 2 else calls[::-1]:
        begin = time.perf_counter()
        value = call()
        if seed:  # the first compiles
            times[name].append(time.perf_counter() - begin)
            values[name].append(value)
ratios = [a / b for a, b in zip(*times.values())]
for name in times:
    spread = statistics.stdev(values[name])
    print(f"{name}: {1e3 * statistics.median(times[name]):.2f} ms, ln L {statistics.mean(values[name]):.2f}, sd {spread:.2f}")
print(f"ratio {statistics.median(ratios):.1f} (quartiles {', '.join(f'{q:.1f}' for q in statistics.quantiles(ratios)[::2])})")

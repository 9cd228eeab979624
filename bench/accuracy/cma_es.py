"""Minimises the same loss without gradients by CMA-ES (package `cma`), from the same start.

All candidates of a generation are compared under the same noise, each generation under new noise, which spares CMA-ES most of
what noise does to rankings. The estimate is the mean of its distribution, averaged over the last half of the generations as the
fits by gradients are over their steps. `cma` needs two dimensions: a problem of one gets a second, which changes nothing.
"""

import cma
import glauber
import numpy as np
from course import Course, clock, relative_error, tail_average

METHOD = "CMA-ES"
WIDTH = 0.2
# A walk that never moves has no logarithm of a displacement.
INSIDE = 1e-3


def run(problem, seed, budget):
    """One search, stopped after `budget` seconds."""
    loss = "count" if "beta" in problem.truth else "log-squared"
    objective = glauber.objective(
        problem.model, problem.task(loss), problem.start, seed=seed, threads=1, **problem.settings
    )
    names = list(problem.truth)
    start = [problem.start[name] for name in objective.names]
    order = [objective.names.index(name) for name in names]
    count = len(start)
    padded = start + [0.5] * (max(2, count) - count)
    search = cma.CMAEvolutionStrategy(padded, WIDTH, {"bounds": [INSIDE, 1 - INSIDE], "verbose": -9, "seed": seed})
    objective.value(np.array(start))
    seconds, means, evaluations = [], [], []
    begin = clock()
    while not seconds or seconds[-1] < budget:
        candidates = search.ask()
        objective.iteration += 1
        search.tell(candidates, [objective.value(c[:count]) for c in candidates])
        means.append(np.asarray(search.result.xfavorite)[order])
        evaluations.append(search.countevals)
        seconds.append(clock() - begin)
    estimates = tail_average(np.array(means))
    return Course(
        problem.name,
        METHOD,
        seed,
        seconds=np.array(seconds),
        error=relative_error(estimates, problem.truth),
        site_steps=np.array(evaluations) * float(problem.cost),
        estimate=dict(zip(names, estimates[-1].tolist())),
    )

"""Infers the parameters by ABC-SMC (package pyABC) with simulations of whole runs.

Prior uniform on [0, 1]; populations of 100; distances weighted by each statistic's spread (adaptive), their threshold the median
of the population before: pyABC's own choices. One core, its database in memory. The estimate is the weighted mean of the last
finished population.
"""

import datetime
import logging
import warnings

import numpy as np
import pyabc
from course import Course, relative_error

METHOD = "ABC-SMC"
POPULATION = 100


class Spent(Exception):
    """The seconds are over."""


def run(problem, seed, budget, population=POPULATION):
    """One inference, stopped after `budget` seconds in the midst of a population."""
    logging.getLogger("ABC").setLevel(logging.ERROR)
    np.random.seed(seed)
    simulator = problem.run.simulator()
    simulator(problem.truth)
    begin = None

    def simulate(parameters):
        if (datetime.datetime.now() - begin).total_seconds() > budget:
            raise Spent
        return problem.transform(simulator(parameters))

    names = list(problem.truth)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inference = pyabc.ABCSMC(
            simulate,
            pyabc.Distribution(**{name: pyabc.RV("uniform", 0, 1) for name in names}),
            pyabc.AdaptivePNormDistance(p=2),
            population_size=population,
            sampler=pyabc.sampler.SingleCoreSampler(),
        )
        begin = datetime.datetime.now()
        history = inference.new("sqlite://", problem.transform(problem.observed))
        try:
            inference.run()
        except Spent:
            pass
        return course(problem, seed, history, begin, budget)


def course(problem, seed, history, begin, budget):
    """The estimates of all finished populations; the prior's mean where there is none."""
    frame = history.get_all_populations()
    frame = frame[frame["t"] >= 0]
    means, names = [], list(problem.truth)
    for t in frame["t"]:
        particles, weights = history.get_distribution(m=0, t=int(t))
        means.append(np.average(particles[names], axis=0, weights=weights))
    ends = [(end - begin).total_seconds() for end in frame["population_end_time"].dt.to_pydatetime()]
    samples = np.cumsum(frame["samples"].to_numpy(dtype=float))
    if not means:
        means, ends, samples = [np.full(len(names), 0.5)], [budget], np.zeros(1)
    return Course(
        problem.name,
        METHOD,
        seed,
        seconds=np.array(ends),
        error=relative_error(means, problem.truth),
        site_steps=samples * problem.run_cost,
        estimate=dict(zip(names, means[-1].tolist())),
    )

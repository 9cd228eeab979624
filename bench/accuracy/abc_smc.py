"""Infers the parameters by ABC-SMC (package pyABC) with simulations of whole runs.

Prior uniform on [0, 1]; populations of 100 (`Problem.population`); distances weighted by each statistic's spread (adaptive), their
threshold the median of the population before: pyABC's own choices. One core, its database in memory. The estimate is the weighted
mean of the last finished population.
"""

import logging
import warnings

import numpy as np
import pyabc
from course import Course, clock, relative_error

METHOD = "ABC-SMC"


class Spent(Exception):
    """The seconds are over."""


def run(problem, seed, budget):
    """One inference, stopped after `budget` seconds in the midst of a population."""
    logging.getLogger("ABC").setLevel(logging.ERROR)
    np.random.seed(seed)
    simulator = problem.run.simulator()
    simulator(problem.truth)
    begin = None

    def simulate(parameters):
        if clock() - begin > budget:
            raise Spent
        return problem.transform(simulator(parameters))

    names = list(problem.truth)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inference = pyabc.ABCSMC(
            simulate,
            pyabc.Distribution(**{name: pyabc.RV("uniform", 0, 1) for name in names}),
            pyabc.AdaptivePNormDistance(p=2),
            population_size=problem.population,
            sampler=pyabc.sampler.SingleCoreSampler(),
        )
        begin = clock()
        history = inference.new("sqlite://", problem.transform(problem.observed))
        ends = watched(history)
        try:
            inference.run()
        except Spent:
            pass
        return course(problem, seed, history, {t: end - begin for t, end in ends.items()}, budget)


def watched(history):
    """When each population will have been stored: {t: clock}, filled later."""
    ends, store = {}, history.append_population

    def append(t, *arguments, **keywords):
        store(t, *arguments, **keywords)
        ends[t] = clock()

    history.append_population = append
    return ends


def course(problem, seed, history, ends, budget):
    """The estimates of all finished populations; the prior's mean where there is none."""
    frame = history.get_all_populations().sort_values("t")
    # Row −1 is the calibration's, whose simulations count too.
    frame["all samples"] = frame["samples"].cumsum()
    frame = frame[frame["t"] >= 0]
    means, names = [], list(problem.truth)
    for t in frame["t"]:
        particles, weights = history.get_distribution(m=0, t=int(t))
        means.append(np.average(particles[names], axis=0, weights=weights))
    seconds = [ends[int(t)] for t in frame["t"]]
    samples = frame["all samples"].to_numpy(dtype=float)
    if not means:
        means, seconds, samples = [np.full(len(names), 0.5)], [budget], np.zeros(1)
    return Course(
        problem.name,
        METHOD,
        seed,
        seconds=np.array(seconds),
        error=relative_error(means, problem.truth),
        site_steps=samples * problem.run_cost,
        estimate=dict(zip(names, means[-1].tolist())),
    )

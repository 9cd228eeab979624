"""Runs a problem by glauber's own fit, by ABC-SMC (package pyABC) and by CMA-ES (package cma), and keeps how each came closer.

ABC-SMC: uniform prior over the ranges, populations of 100, distances weighed by each summary's spread (adaptive), thresholds the
median of the population before: pyABC's own choices; the estimate is the weighted mean of the last finished population, its width the
weighted standard deviation. CMA-ES: from the middle of the ranges with a width of 0.2, on Σ ((s − s_data)/spread)² of one simulation a
candidate; the estimate is the mean of its distribution over the last half of its generations; it has no width.
"""

import logging
import math
import time
import warnings
from dataclasses import dataclass, field

import numpy as np

TOLERANCES = (0.10, 0.03)
clock = time.process_time
"""The processor's time: every method runs on one thread."""


@dataclass
class Course:
    """One method on one problem: estimates while the seconds went by."""

    problem: str
    method: str
    seed: int
    seconds: list = field(default_factory=list)
    estimates: list = field(default_factory=list)
    widths: list = field(default_factory=list)
    attempts: list = field(default_factory=list)
    watched: float = 0.0

    def add(self, seconds, estimate, width, attempts):
        self.seconds.append(float(seconds))
        self.estimates.append([float(x) for x in estimate])
        self.widths.append([float(x) for x in width])
        self.attempts.append(float(attempts))

    def errors(self, truth):
        """Relative, of the worst coefficient, by time."""
        truth = np.array(list(truth.values()))
        return (np.abs(np.array(self.estimates) - truth) / truth).max(axis=1)

    def first(self, truth, tolerance):
        """The place from which on all estimates are within the tolerance; None for never."""
        outside = np.flatnonzero(~(self.errors(truth) <= tolerance))
        place = 0 if not len(outside) else int(outside[-1]) + 1
        return place if place < len(self.seconds) else None


def own(problem, seed, budget):
    """glauber's fit, whole."""
    course = Course(problem.name, problem.own, seed)
    begin = clock()
    estimates, errors, attempts = problem.fit()
    names = list(problem.truth)
    width = [math.nan if errors[n] is None else errors[n] for n in names]
    course.add(clock() - begin, [estimates[n] for n in names], width, attempts)
    course.watched = course.seconds[-1]
    return course


class Spent(Exception):
    """The seconds are over."""


def abc_smc(problem, seed, budget, population=100):
    """One inference, stopped after `budget` seconds in the midst of a population."""
    import pyabc

    logging.getLogger("ABC").setLevel(logging.ERROR)
    np.random.seed(seed)
    names = list(problem.truth)
    course = Course(problem.name, "ABC-SMC", seed)
    runs = 0

    def simulate(parameters):
        nonlocal runs
        if clock() - begin > budget:
            raise Spent
        runs += 1
        found = problem.simulate(problem.values([parameters[n] for n in names]), 10**7 * seed + runs)
        # pyABC weighs by spread: what is no number would spoil it.
        return {"s": np.where(np.isfinite(found), found, 1e3)}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inference = pyabc.ABCSMC(
            simulate,
            pyabc.Distribution(**{n: pyabc.RV("uniform", 0, 1) for n in names}),
            pyabc.AdaptivePNormDistance(p=2),
            population_size=population,
            sampler=pyabc.sampler.SingleCoreSampler(),
        )
        begin = clock()
        history = inference.new("sqlite://", {"s": problem.observed})
        store = history.append_population

        def append(t, *arguments, **keywords):
            store(t, *arguments, **keywords)
            if t < 0:
                return
            particles, weights = history.get_distribution(m=0, t=int(t))
            values = np.array([problem.values(row) for row in particles[names].to_numpy()])
            mean = np.average(values, axis=0, weights=weights)
            width = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))
            course.add(clock() - begin, mean, width, runs * problem.attempts)

        history.append_population = append
        try:
            inference.run(max_nr_populations=40)
        except Spent:
            pass
    if not course.seconds:
        nothing = [math.nan] * len(names)
        course.add(clock() - begin, problem.values([0.5] * len(names)), nothing, runs * problem.attempts)
    course.watched = clock() - begin
    return course


def cma_es(problem, seed, budget):
    """One search, stopped after `budget` seconds."""
    import cma

    course, runs = Course(problem.name, "CMA-ES", seed), 0
    names = list(problem.truth)
    options = {"bounds": [0.0, 1.0], "verbose": -9, "seed": seed}
    search = cma.CMAEvolutionStrategy([0.5] * len(names), 0.2, options)
    places = []
    begin = clock()
    while clock() - begin < budget:
        candidates = search.ask()
        losses = []
        for candidate in candidates:
            runs += 1
            found = problem.simulate(problem.values(candidate), 10**7 * seed + runs)
            apart = (found - problem.observed) / problem.spread
            losses.append(float((apart**2).sum()) if np.isfinite(apart).all() else 1e12)
        search.tell(candidates, losses)
        places.append(np.asarray(search.result.xfavorite))
        mean = np.mean(places[len(places) // 2 :], axis=0)
        course.add(clock() - begin, problem.values(mean), [math.nan] * len(names), runs * problem.attempts)
        # Where its distribution has no width left it would go on without end.
        if search.sigma < 1e-12:
            break
    course.watched = clock() - begin
    return course

"""Fits by gradients: glauber.fit by every estimator and by the likelihood, watched for a number of seconds.

The estimate after k steps is the mean of the last half of them; by the likelihood, which has no noise, it is where the fit stands.
Steps of a fit cost the same, so the seconds of a step are taken from two looks at the running fit; reading data and compiling come
before the first look and do not count.
"""

import glauber
import numpy as np
from course import Course, clock, relative_error, tail_average

ESTIMATORS = ("straight-through", "reinmax", "gumbel-softmax", "gumbel-rao", "score-function", "light-cone", "differences", "mean-field")
# Rates at which straight-through or ReinMax come close in some hundred steps, the same for all estimators.
ADAM = {"name": "adam", "map": "logit"}
WALK = {"optimizer": ADAM, "learning_rate": 0.1}
SPREAD = {"optimizer": ADAM, "learning_rate": 0.2}
# Without noise there is nothing to be averaged over.
LIKELIHOOD = {"optimizer": {"name": "rprop"}, "learning_rate": 0.1}
# More would thin out the record that the course is read from.
MOST_STEPS = 100_000


def methods(problem):
    """The fits of a problem: {name: (loss, estimator, settings)}."""
    if "beta" not in problem.truth:
        return {name: ("log-squared", name, WALK) for name in ESTIMATORS}
    found = {"likelihood": ("likelihood", None, LIKELIHOOD)}
    found |= {f"{name}, pixel loss": ("pixel", name, SPREAD) for name in ESTIMATORS}
    return found | {f"{name}, count loss": ("count", name, SPREAD) for name in ESTIMATORS}


def run(problem, method, seed, budget):
    """One fit, stopped after `budget` seconds."""
    loss, estimator, settings = methods(problem)[method]
    looks = []

    def look(_attempt, step, *_):
        looks.append((step + 1, clock()))
        if looks[-1][1] - looks[0][1] > budget:
            raise KeyboardInterrupt

    kept = {**problem.settings, **settings, "estimator": estimator, "seed": seed, "threads": 1, "progress": look}
    if loss == "likelihood":
        kept.pop("batch", None)  # it takes all pairs
    try:
        found = glauber.fit(problem.model, problem.task(loss), problem.start, steps=MOST_STEPS, **kept)
    except glauber.FitInterrupted as stopped:
        found = stopped.result
    return course(problem, method, seed, found, looks or [(0, 0.0), (max(found.steps, 1), found.seconds)])


def course(problem, method, seed, found, looks):
    """The estimates along the trace of a fit."""
    names, exact = list(problem.truth), method == "likelihood"
    # The first record is the start; a fit without any gradient has no other.
    rows = found.trace[1:] if len(found.trace) > 1 else found.trace
    path = np.stack([rows[name] for name in names], axis=1)
    (first, begin), (last, end) = looks[0], looks[-1]
    per_step = (end - begin) / (last - first) if last > first else found.seconds / max(found.steps, 1)
    estimates = path if exact else tail_average(path)
    return Course(
        problem.name,
        method,
        seed,
        seconds=rows["step"] * per_step,
        error=relative_error(estimates, problem.truth),
        site_steps=rows["step"] * float(problem.cost_of_likelihood if exact else problem.cost),
        estimate=dict(zip(names, estimates[-1].tolist())),
    )

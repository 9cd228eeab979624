"""SEIR from noisy counts of nine regions, two weeks with days missing: infection and reporting noise by a particle filter.

A third of the infected are reported, with a spread of their own (negative binomial); on three days nobody counted.
"""

import numpy as np

import glauber

TRUTH = {"infection": 0.12, "onset": 0.4, "recovery": 0.25}
DAYS = [2, 4, 5, 7, 9, 10, 12, 14, 16, 18]
SHARE, SIZE = 0.33, 12.0

model = glauber.load("susceptible-exposed-infected-recovered", shape=(36, 36), start="random", density=0.03)
regions = np.add.outer(np.arange(36) // 12 * 3, np.arange(36) // 12)


def counted(seed):
    """What was reported: a simulation, counted by region and day, with noise; two days and one region's day missing."""
    run = glauber.simulate(model, TRUTH, steps=max(DAYS), seed=seed)
    ill = np.asarray(run["state"])[0][DAYS] == 2
    there = np.stack([ill[:, regions == k].sum(-1) for k in range(9)], axis=-1)
    mean = SHARE * there
    draw = np.random.default_rng(seed)
    seen = draw.poisson(mean * draw.gamma(SIZE, 1 / SIZE, there.shape)).astype(float)
    seen[[3, 6]] = np.nan
    seen[8, 4] = np.nan
    return seen


def fitted(seed=1, **settings):
    seen = glauber.Observation(
        "regions(state=infected)",
        counted(seed),
        regions=regions,
        steps=DAYS,
        noise={"name": "negative-binomial", "size": "size", "share": SHARE},
    )
    start = {"infection": 0.2, "size": 5.0}
    known = {"onset": TRUTH["onset"], "recovery": TRUTH["recovery"]}
    return glauber.fit(model, seen, start, fixed=known, progress=False, **settings)


if __name__ == "__main__":
    print(fitted())

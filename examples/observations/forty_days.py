"""Forty days of an epidemic from counts of nine districts every five days: infection and recovery by a particle filter.

The same model by gradients of the mean curve is `examples/gradients/forty-days.toml`.
"""

import numpy as np

import glauber

TRUTH = {"infection": 0.12, "onset": 0.4, "recovery": 0.25}
DAYS = list(range(5, 41, 5))
SPREAD = 2.0

model = glauber.load("susceptible-exposed-infected-recovered", shape=(18, 18), start="random", density=0.04)
districts = np.add.outer(np.arange(18) // 6 * 3, np.arange(18) // 6)


def counted(seed):
    """What was counted: a simulation, by district and day, give or take two."""
    run = glauber.simulate(model, TRUTH, steps=max(DAYS), seed=seed)
    ill = np.asarray(run["state"])[0][DAYS] == 2
    there = np.stack([ill[:, districts == k].sum(-1) for k in range(9)], axis=-1)
    return there + np.random.default_rng(seed).normal(0.0, SPREAD, there.shape)


def fitted(seed=1, **settings):
    seen = glauber.Observation(
        "regions(state=infected)",
        counted(seed),
        regions=districts,
        steps=DAYS,
        noise={"name": "gaussian", "deviation": SPREAD},
    )
    start = {"infection": 0.2, "recovery": 0.4}
    return glauber.fit(model, seen, start, fixed={"onset": TRUTH["onset"]}, progress=False, **settings)


if __name__ == "__main__":
    print(fitted())

"""A scratch assay from column profiles at three times: motility and proliferation by a synthetic likelihood.

Cells of each column were counted after 0, 60 and 120 steps in four wells; the normal law of simulated profiles, with their
covariance, takes the place of a likelihood.
"""

import numpy as np

import glauber

TRUTH = {"motility": 0.4, "proliferation": 0.006}
STEPS = [0, 60, 120]

model = glauber.load("scratch-assay", shape=(40, 48), gap=0.4, density=0.4)


def counted(seed, wells=4):
    """Cells of each column: [well, time, column]."""
    run = glauber.simulate(model, TRUTH, steps=max(STEPS), every=60, replicates=wells, seed=seed)
    return np.asarray(run["cell"]).sum(axis=2).astype(float)


def fitted(seed=1, **settings):
    seen = glauber.Observation("columns(cell=1)", counted(seed), steps=STEPS)
    start = {"motility": 0.6, "proliferation": 0.004}
    return glauber.fit(model, seen, start, progress=False, **settings)


if __name__ == "__main__":
    print(fitted())

"""Two experiments sharing a parameter: an epidemic with and without treatment, of other lengths, from counts of the infected.

Treatment doubles the recovery, which both know; infection is what both share.
"""

import numpy as np

import glauber

INFECTION = 0.1
CONDITIONS = {"untreated": (0.15, [2, 4, 6, 8, 10, 12]), "treated": (0.3, [2, 4, 6, 8])}

model = glauber.load("susceptible-infected-recovered", shape=(24, 24), start="random", density=0.05)


def experiment(name, recovery, steps, seed):
    run = glauber.simulate(model, {"infection": INFECTION, "recovery": recovery}, steps=max(steps), replicates=2, seed=seed)
    there = (np.asarray(run["state"]) == 1).sum(axis=(2, 3))[:, steps]
    seen = np.random.default_rng(seed).binomial(there, 0.5).astype(float)
    counts = glauber.Observation(
        "count(state=infected)", seen[:, :, None], steps=steps, noise={"name": "binomial", "probability": 0.5}
    )
    return glauber.Experiment(counts, fixed={"recovery": recovery}, name=name)


def fitted(seed=1, **settings):
    both = [experiment(name, *own, seed + k) for k, (name, own) in enumerate(CONDITIONS.items())]
    return glauber.fit(model, both, {"infection": 0.2}, progress=False, **settings)


if __name__ == "__main__":
    print(fitted())

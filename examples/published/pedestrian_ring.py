"""Pedestrians in single file on a ring of 14.97 m as exclusion processes (Paetzke, Boltes & Seyfried 2023; data 10.34735/ped.2021.5).

Seen: the mean speed of 4, 8, 16, 20 and 24 people over the middle 100 s. A ring of L sites, one for each person's length, N of them
taken; who has a free site ahead takes it. `parallel`: all at once, a step of `pace` sites of length a per second with
probability p; `sequential`: one after another, each at the rate pace / a. The normal law of simulated speeds is the
likelihood, their own fluctuations its only noise; L is tried one by one, and counts as a parameter for AIC. The tracks
are in github.com/PedestrianDynamics/SingleFileMovementAnalysis (MIT), notebooks/demo_data; here as positions_5hz.csv: n_people,
person, t_s, s_m (along the middle line, unrolled) in the folder given.

    python pedestrian_ring.py FOLDER
"""

import sys
from pathlib import Path

import glauber
import numpy as np

ROUND, WARM, STEPS = 14.97, 100, 350


def speeds(folder):
    """Mean speed by the number of people, of the middle 100 s."""
    table = np.genfromtxt(folder / "positions_5hz.csv", delimiter=",", names=True)
    found = {}
    for n in np.unique(table["n_people"]):
        own = table[table["n_people"] == n]
        tracks = [own[own["person"] == k] for k in np.unique(own["person"])]
        ends = [np.interp([12, 112], track["t_s"], np.unwrap(track["s_m"], period=ROUND)) for track in tracks]
        found[int(n)] = np.mean([(b - a) / 100 for a, b in ends])
    return found


def ring(sites, scheme):
    def step(s):
        if scheme == "parallel":
            goes = s.bernoulli(s["p"]) * s["taken"] * (1 - s["taken"].shift(-1))
            s.next("taken").set(s["taken"] - goes + goes.shift(1))
        else:
            ahead = s.neighbour_towards(0, [1])
            goes = s["taken"] * (1 - ahead["taken"])
            s.move_to(ahead, "taken", left=0, when=goes)
        s.next("hops").set(s["hops"] + goes * (s.step() >= WARM))

    parameters = {"pace": (0.1, 10), **({"p": (0, 1)} if scheme == "parallel" else {})}
    update = "synchronous" if scheme == "parallel" else "random-sequential"
    return glauber.Model(scheme, sites, {"taken": "binary", "hops": "real"}, step, parameters=parameters, update=update)


def fit(folder, sites, scheme, replicates=60, **settings):
    """A fit with so many sites round, and its AIC."""
    seen = []
    for n, speed in speeds(folder).items():
        taken = np.zeros(sites)
        taken[np.arange(n) * sites // n] = 1
        walked = lambda s, n=n: {"speed": s["hops"].sum() * s["pace"] / (n * (STEPS - WARM))}  # noqa: E731
        observed = glauber.Observation(walked, [speed], steps=[STEPS])
        seen.append(glauber.Experiment(observed, start={"taken": taken, "hops": 0 * taken}, name=str(n)))
    model = ring(sites, scheme)
    start = {"pace": 1.3, "p": 0.8} if scheme == "parallel" else {"pace": 1.3}
    found = glauber.fit(model, seen, start, replicates=replicates, progress=False, **settings)
    return found, 2 * len(seen) * found.loss + 2 * (len(start) + 1)


if __name__ == "__main__":
    print(speeds(Path(sys.argv[1])))
    for scheme in ("sequential", "parallel"):
        for sites in range(27, 38):
            found, aic = fit(Path(sys.argv[1]), sites, scheme)
            numbers = {n: (round(x, 3), found.standard_errors[n]) for n, x in found.params.items()}
            print(f"{scheme}, {sites} sites of {ROUND / sites:.3f} m: AIC {aic:.1f}", numbers)

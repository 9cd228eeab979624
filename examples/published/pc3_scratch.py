"""Scratch assays of PC-3 cells at six seeding densities (Jin et al. 2016, J. Theor. Biol. 390, 136): motility and proliferation.

Cells exclude one another on sites of 50 x 11.8 um, one a cell of 1/K = 588 um2, and move and divide one after another, steps of
half an hour. Seen: cells in columns of 50 um, the mean of three wells, at 12, 24, 36 and 48 h; each run starts with the
occupancy of the first profile. Each well is two strips of 61 sites, so that data are means of six runs. Route: the normal law
of simulated columns (synthetic likelihood), with a misfit of its own. A cell that moves or divides spreads: D = (motility + proliferation) 625 um2 / tau, at low density;
lambda = proliferation / tau. The profiles are in github.com/jlager/BINNs, Data/cell_density_profiles.npy; here as
density_profiles.csv: seeded_per_well, x_um, t_h, u1, u2, u3, mean, std (cells/um2) in the folder given.

    python pc3_scratch.py FOLDER
"""

import sys
from pathlib import Path

import glauber
import numpy as np

SEEDED, TAU, ROWS, AREA = [10000, 12000, 14000, 16000, 18000, 20000], 0.5, 61, 71_500


def step(s):
    there = s.neighbour("von-neumann")
    divides = s.bernoulli(s["proliferation"])
    moves = (1 - divides) * s.bernoulli(s["motility"])
    free = (there["cell"] == 0) & there.exists()
    s.move_to(there, "cell", left=divides, when=free & (moves | divides))


model = glauber.Model(
    "scratch", glauber.Lattice((ROWS, 38), boundary=("periodic", "reflecting")), {"cell": "binary"}, step,
    parameters={"motility": (0, 1), "proliferation": (0, 0.2)}, fields={"first": (0, 1)},
    start=lambda s: s.bernoulli(s["first"]), update=glauber.RandomSequential(among=("cell", 1)),
)  # fmt: skip


def experiment(folder, seeded):
    table = np.genfromtxt(folder / "density_profiles.csv", delimiter=",", names=True)
    own = table[table["seeded_per_well"] == seeded]
    counts = np.array([own[own["t_h"] == t]["mean"] for t in (0, 12, 24, 36, 48)]) * AREA / 2
    noise = {"name": "gaussian", "deviation": "misfit"}
    seen = glauber.Observation("columns(cell=1)", counts[None, 1:], steps=[24, 48, 72, 96], noise=noise)
    first = np.tile(np.minimum(counts[0] / ROWS, 1), (ROWS, 1))
    return glauber.Experiment(seen, fields={"first": first}, mean_of=6, name=str(seeded))


def fit(folder, densities, replicates=24, **settings):
    start = {"motility": 0.5, "proliferation": 0.025, "misfit": 8.0}
    seen = [experiment(folder, seeded) for seeded in densities]
    return glauber.fit(model, seen, start, replicates=replicates, progress=False, **settings)


if __name__ == "__main__":
    for densities in [[seeded] for seeded in SEEDED] + [SEEDED]:
        found = fit(Path(sys.argv[1]), densities)
        per_hour = {n: (found.params[n] / TAU, (found.standard_errors[n] or np.nan) / TAU) for n in ("motility", "proliferation")}
        spread = 625 * sum(x for x, _ in per_hour.values())
        print(densities, f"D {spread:.0f} +- {625 * per_hour['motility'][1]:.0f} um2/h, lambda", "{:.4f} +- {:.4f} /h".format(*per_hour["proliferation"]))
        print("    " + str(found).replace("\n", "\n    "))

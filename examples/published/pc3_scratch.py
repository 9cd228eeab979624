"""Scratch assays of PC-3 cells at six seeding densities (Jin et al. 2016, J. Theor. Biol. 390, 136): motility and proliferation.

Cells exclude one another on sites of 50 x 11.7 um, one a cell of 1/K = 588 um2, and move and divide one after another, a step in
half an hour (the catalogue's scratch-assay). Seen: cells in columns of 50 um, the mean of three wells, at 12, 24, 36 and 48 h; each
well is two strips of 61 rows, so that data are means of six runs, which start with the first profile. Route: the normal law
of simulated columns (synthetic likelihood), with a misfit of its own. A cell that moves or divides spreads: at low density
D = (motility + proliferation) 625 um2 / tau; lambda = proliferation / tau. The profiles are in github.com/jlager/BINNs,
Data/cell_density_profiles.npy; here as density_profiles.csv: seeded_per_well, x_um, t_h, u1, u2, u3, mean, std (cells/um2).

    python pc3_scratch.py FOLDER
"""

import sys
from pathlib import Path

import glauber
import numpy as np

SEEDED, TAU, ROWS, AREA = [10000, 12000, 14000, 16000, 18000, 20000], 0.5, 61, 71_500


def experiment(folder, seeded):
    """Half the cells of each column, [time, column], and a start with those of the first profile."""
    table = np.genfromtxt(folder / "density_profiles.csv", delimiter=",", names=True)
    own = table[table["seeded_per_well"] == seeded]
    counts = np.array([own[own["t_h"] == t]["mean"] for t in (0, 12, 24, 36, 48)]) * AREA / 2
    ranks = np.random.default_rng(1).permuted(np.tile(np.arange(ROWS), (38, 1)), axis=1).T
    noise = {"name": "gaussian", "deviation": "misfit"}
    seen = glauber.Observation("columns(cell=1)", counts[1:], steps=[24, 48, 72, 96], noise=noise)
    return glauber.Experiment(seen, start={"cell": ranks < np.round(counts[0])}, mean_of=6, name=str(seeded))


def fit(folder, densities, replicates=24, **settings):
    model = glauber.load("scratch-assay", shape=(ROWS, 38))
    seen = [experiment(folder, seeded) for seeded in densities]
    start = {"motility": 0.5, "proliferation": 0.025, "misfit": 8.0}
    return glauber.fit(model, seen, start, replicates=replicates, progress=False, **settings)


def by_hour(found):
    """D (um2/h) and lambda (1/h) of a fit, each with its error."""
    (move, error), (divide, other) = [(found.params[n] / TAU, (found.standard_errors[n] or np.nan) / TAU) for n in ("motility", "proliferation")]
    return 625 * (move + divide), 625 * error, divide, other


if __name__ == "__main__":
    for densities in [[seeded] for seeded in SEEDED] + [SEEDED]:
        found = fit(Path(sys.argv[1]), densities)
        print(densities, "D {:.0f} +- {:.0f} um2/h, lambda {:.4f} +- {:.4f} /h".format(*by_hour(found)))
        print("    " + str(found).replace("\n", "\n    "))

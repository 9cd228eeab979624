"""Citrus tristeza virus in three orchards (Gottwald et al. 1996, Phytopathology 86, 45; Gibson 1997, Phytopathology 87, 139).

Hazard of a healthy tree from one map to the next: eps + b_y (diseased of its 2 neighbours along y) + b_x (along x), or with
`alike` eps + b (diseased of all 4). The maps
of El Realengo are 1, 2, 1 and 5 years apart; with `by_year` the hazard is one of a year and holds for all the years to the next map, the
neighbours as they were. One tree was never seen: it takes no part. Thirteen trees are diseased in 1985 and healthy in 1990, which the
model forbids: the likelihood is 0, and they are named; with `recovers` a diseased tree is found healthy with probability rho.
`hidden` bears them otherwise: no tree recovers, but a tree is taken for the other state with probability `mistaken`, in every map;
the true states pass from year to year unseen, and a mean-field filter sums over them (exact where b = 0: trees do not meet then).
The maps are in the R package epiphy (github.com/chgigot/epiphy, MIT), data-raw/citrus_ctv_*.csv; here as NPY arrays [time, y, x] of
0, 1 and 255 (not seen) in the folder given.

    python citrus_tristeza.py FOLDER
"""

import sys
from pathlib import Path

import glauber
import numpy as np

YEARS = {"IVIA3and4": [1, 1, 1], "IVIA6and7": [1, 1], "El-Realengo": [1, 2, 1, 5]}


def tristeza(shape, recovers=False, years=None, alike=False):
    def step(s):
        sick, seen = s["sick"], s["seen"]
        b_y, b_x = (s["b"], s["b"]) if alike else (s["b_y"], s["b_x"])
        hazard = s["eps"] + b_y * sick.neighbours([(-1, 0), (1, 0)]).sum() + b_x * sick.neighbours([(0, -1), (0, 1)]).sum()
        if years is not None:
            # The rule reads which map it makes: the first step makes map 1.
            hazard = hazard * sum(n * (s.step() == k + 1) for k, n in enumerate(years))
        stays = 1 - s["rho"] if recovers else 1
        s.next("sick").bernoulli(seen * (sick * stays + (1 - sick) * (1 - glauber.exp(-hazard))))

    rates = {"eps": (0, 5), **({"b": (0, 5)} if alike else {"b_y": (0, 5), "b_x": (0, 5)})}
    return glauber.Model(
        "tristeza",
        lattice=glauber.Lattice(shape, boundary=0),
        layers={"sick": "binary"},
        fields={"seen": (0, 1)},
        parameters={**rates, "rho": (0, 1)} if recovers else rates,
        start=lambda s: s.bernoulli(0.1),
        step=step,
    )


def orchard(folder, name):
    """Maps, and which trees were seen in all of them."""
    maps = np.load(folder / f"citrus_ctv_{name}.npy")
    seen = (maps != 255).all(axis=0)
    return np.where(seen, maps, 0), seen


def recoveries(maps):
    """Trees that are diseased and later healthy: (map, y, x)."""
    return [tuple(int(i) for i in place) for place in np.argwhere((maps[:-1] == 1) & (maps[1:] == 0))]


def fit(folder, name, by_year=False, alike=False):
    """What the model allows of an orchard: its profile, and the recoveries that it forbids."""
    maps, seen = orchard(folder, name)
    forbidden = recoveries(maps)
    years = YEARS[name] if by_year else None
    model = tristeza(maps.shape[1:], recovers=bool(forbidden), years=years, alike=alike)
    start = {parameter: 0.05 for parameter in model.parameters}
    fields = {"seen": seen.astype(float)}
    return glauber.profile(model, glauber.Transition(maps[None]), start, fields=fields), forbidden


def hidden(folder, name):
    """The profile of a model whose true states nobody saw: maps with mistakes, trees and years without one."""
    maps = np.load(folder / f"citrus_ctv_{name}.npy").astype(float)
    maps[maps == 255] = np.nan

    def step(s):
        hazard = s["eps"] + s["b"] * s["sick"].neighbours("von-neumann").sum()
        s.next("sick").bernoulli(s["sick"] + (1 - s["sick"]) * (1 - glauber.exp(-hazard)))

    rates = {"eps": (0, 1), "b": (0, 1), "first": (0, 1)}
    lattice = glauber.Lattice(maps.shape[1:], boundary=0)
    model = glauber.Model("hidden-tristeza", lattice, {"sick": "binary"}, step, parameters=rates, start=lambda s: s.bernoulli(s["first"]))
    noise = {"name": "flipped", "probability": "mistaken"}
    seen = glauber.Observation("sick", maps, noise=noise, steps=np.cumsum([0, *YEARS[name]]))
    return glauber.profile(model, seen, {"eps": 0.05, "b": 0.02, "first": 0.2, "mistaken": 0.02})


if __name__ == "__main__":
    for name in YEARS:
        for by_year in (False, True) if len(set(YEARS[name])) > 1 else (False,):
            found, forbidden = fit(Path(sys.argv[1]), name, by_year)
            print(name, ", hazards by year" if by_year else "", ":", sep="")
            if forbidden:
                print(f"    {len(forbidden)} trees recover, which the model forbids (map, y, x): {forbidden}")
            print("    " + str(found).replace("\n", "\n    "))
    print("El Realengo, no recoveries but mistakes:\n    " + str(hidden(Path(sys.argv[1]), "El-Realengo")).replace("\n", "\n    "))

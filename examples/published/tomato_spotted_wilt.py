"""Tomato spotted wilt in four plots, 1928, and a field, 1929 (Bald 1937; Cochran 1936, Suppl. J. R. Stat. Soc. 3, 49).

Hazard of a healthy plant from one map to the next: eps + b_y (diseased of its 2 neighbours in the row) + b_x (of those
across). The maps are in the R package epiphy (github.com/chgigot/epiphy, MIT), data-raw/tomato_tswv_*.csv, columns
variety, irrigation, x, y, t, i; here as NPY arrays [plot, time, y, x] and [time, y, x] of 0 and 1 in the folder given.

    python tomato_spotted_wilt.py FOLDER
"""

import sys
from pathlib import Path

import glauber
import numpy as np

PLOTS = ["1A", "1B", "2A", "2B"]


def wilt(shape):
    def step(s):
        sick = s["sick"]
        hazard = s["eps"] + s["b_y"] * sick.neighbours([(-1, 0), (1, 0)]).sum() + s["b_x"] * sick.neighbours([(0, -1), (0, 1)]).sum()
        s.next("sick").bernoulli(sick + (1 - sick) * (1 - glauber.exp(-hazard)))

    return glauber.Model(
        "wilt",
        lattice=glauber.Lattice(shape, boundary=0),
        layers={"sick": "binary"},
        parameters={"eps": (0, 5), "b_y": (0, 5), "b_x": (0, 5)},
        start=lambda s: s.bernoulli(0.1),
        step=step,
    )


def fits(folder):
    """By field: the profile of its likelihood."""
    first, second = np.load(folder / "field_1928.npy"), np.load(folder / "field_1929.npy")
    data = {"all four plots": first, **{name: own[None] for name, own in zip(PLOTS, first)}, "1929": second[None]}
    start = {"eps": 0.2, "b_y": 0.05, "b_x": 0.05}
    return {name: glauber.profile(wilt(own.shape[2:]), glauber.Transition(own), start) for name, own in data.items()}


if __name__ == "__main__":
    for name, found in fits(Path(sys.argv[1])).items():
        print(name, {n: round(x, 4) for n, x in found.estimates.items()}, sep=": ")
        print("    95 %:", {n: tuple(e and round(e, 4) for e in ends) for n, ends in found.intervals.items()})
    first = np.load(Path(sys.argv[1]) / "field_1928.npy")
    print(glauber.posterior(wilt(first.shape[2:]), glauber.Transition(first), {"eps": 0.2, "b_y": 0.05, "b_x": 0.05}))

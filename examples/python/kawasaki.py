"""Kawasaki's exchange of unlike neighbours by heat bath: an Ising model whose magnetisation stays."""

import glauber
import numpy as np


def step(s):
    there = s.neighbour("von-neumann")
    spin = 2 * s["up"] - 1
    around, other = spin.neighbours("von-neumann").sum(), spin.at(there)
    # What both would have of their neighbours in each other's place; each has the other among them.
    cost = 2 * (spin * (around - other) + other * (around.at(there) - spin))
    accepted = s.bernoulli((-s["beta"] * cost).sigmoid())
    s.swap_with(there, "up", when=(s["up"] != there["up"]) * accepted)


model = glauber.Model(
    "kawasaki", (64, 64), {"up": "binary"}, step, parameters={"beta": (0, 2, 0.6)},
    start=lambda s: s.bernoulli(0.5), update="random-sequential",
)  # fmt: skip

if __name__ == "__main__":
    up = glauber.simulate(model, steps=500, every=100)["up"][0]
    print("like neighbours:", (up == np.roll(up, 1, axis=2)).mean(axis=(1, 2)))

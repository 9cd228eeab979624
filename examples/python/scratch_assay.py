"""A scratch assay: cells that exclude one another move and divide into a wound, picked one after another.

After Baker & Simpson 2010, Phys. Rev. E 82, 041905, who try all moves of a step before all divisions.
"""

import glauber


def step(s):
    there = s.neighbour("von-neumann")
    divides = s.bernoulli(s["division"])
    moves = (1 - divides) * s.bernoulli(s["motility"])
    free = (there["cell"] == 0) & there.exists()
    s.move_to(there, "cell", left=divides, when=free & (moves | divides))


model = glauber.Model(
    "scratch-assay", glauber.Lattice((48, 96), boundary=("periodic", "reflecting")), {"cell": "binary"}, step,
    parameters={"motility": (0, 1, 0.9), "division": (0, 1, 0.02)},
    start=lambda s: s.bernoulli(0.4 * ((s.coordinate(1) < 32) | (s.coordinate(1) >= 64))),
    update=glauber.RandomSequential(among=("cell", 1)),
)  # fmt: skip

if __name__ == "__main__":
    print(glauber.simulate(model, steps=100, every=20)["cell"].mean(axis=(2, 3)))

"""The totally asymmetric exclusion process with open ends: particles enter on the left, hop to the right, leave."""

import glauber

LENGTH = 32


def step(s):
    occupied, right = s["occupied"], s.neighbour_towards(0, [1])
    first, last = s.coordinate(0) == 0, s.coordinate(0) == LENGTH - 1
    leaves = occupied * glauber.where(last, s["exit"], 1 - right["occupied"])
    moves = s.bernoulli(leaves + (1 - occupied) * first * s["entry"])
    s.next("occupied").set(glauber.where(moves, 1 - occupied, occupied))
    s.next("occupied").set_at(right, glauber.where(moves * occupied, 1, right["occupied"]))


model = glauber.Model(
    "tasep", glauber.Lattice(LENGTH, boundary=0), {"occupied": "binary"}, step, start=lambda s: 0,
    parameters={"entry": (0, 1, 0.3), "exit": (0, 1, 0.8)}, update="random-sequential",
)  # fmt: skip

if __name__ == "__main__":
    runs = glauber.simulate(model, steps=3000, replicates=40, seed=1)
    print("current", 0.3 * (1 - runs["occupied"][:, 500:, 0].mean()), "exactly 0.2100 (Derrida et al. 1993)")

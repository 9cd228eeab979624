"""The contact process in continuous time: a particle dies at rate 1, and breeds at rate lambda onto a free neighbour."""

import glauber


def step(s):
    occupied = s["occupied"]
    birth = s["lambda"] * (1 - occupied) * occupied.neighbours("von-neumann").mean()
    event = s.rates([occupied, birth])
    return glauber.where(event == 0, 0, glauber.where(event == 1, 1, occupied))


model = glauber.Model(
    "contact-process", (64, 64), {"occupied": "binary"}, step, parameters={"lambda": (0, 10, 1.9)},
    start=lambda s: 1, update="continuous-time",
)  # fmt: skip

if __name__ == "__main__":
    for rate in (1.5, 1.9):  # dies out below 1.64874 (Sabag & de Oliveira 2002), lives on above
        runs = glauber.simulate(model, {"lambda": rate}, steps=200, every=50, replicates=4)
        print(rate, runs["occupied"].mean(axis=(0, 2, 3)))

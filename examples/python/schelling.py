"""Schelling's segregation: who has too few of their own kind around moves to an empty house drawn from anywhere."""

import glauber
import numpy as np


def step(s):
    house, there = s["house"], s.anywhere()
    around = house.neighbours("moore")
    reds, blues = around.count("red"), around.count("blue")
    own = glauber.where(house == "red", reds, blues)
    unhappy = (house != "empty") & (own < s["wanted"] * (reds + blues))
    s.swap_with(there, "house", when=unhappy & (there["house"] == "empty"))


model = glauber.Model(
    "schelling", (48, 48), {"house": ["empty", "red", "blue"]}, step,
    parameters={"wanted": (0, 1, 0.5)}, start=lambda s: s.categorical([0.1, 0.45, 0.45]),
    update="random-sequential", colours={"house": ["white", "red", "blue"]},
)  # fmt: skip

if __name__ == "__main__":
    house = glauber.simulate(model, steps=50, every=10)["house"][0]
    print("like neighbours:", (house == np.roll(house, 1, axis=2)).mean(axis=(1, 2)))

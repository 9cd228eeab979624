"""Writes a model in fifteen lines, simulates it, differentiates it, and fits it to what was seen."""

import glauber
import numpy as np


def step(s):
    tree, around = s["tree"], s["tree"].neighbours("moore").mean()
    grows = s["seed"] * around + s["wind"]
    return s.bernoulli(tree * (1 - s["death"]) + (1 - tree) * grows)


forest = glauber.Model(
    "forest",
    lattice=(64, 64),
    layers={"tree": "binary"},
    step=step,
    parameters={"seed": (0, 0.9), "wind": (0, 0.1), "death": (0, 1)},
    start=lambda s: s.bernoulli(0.2),
)
truth = {"seed": 0.5, "wind": 0.01, "death": 0.2}
seen = glauber.simulate(forest, truth, steps=20, replicates=4, seed=1)

value, gradient = glauber.value_and_grad(forest, truth, steps=20, observe="mean(tree)", replicates=16)
print(
    f"density after 20 steps: {value:.3f}; its derivatives: "
    + ", ".join(f"{n} {g:+.2f}" for n, g in gradient.items())
)

found = glauber.fit(
    forest,
    glauber.Transition(seen, loss="likelihood"),
    {"seed": 0.2, "wind": 0.05, "death": 0.5},
    optimizer="rprop",
    learning_rate=0.05,
    steps=120,
    progress=False,
)
for name, true in truth.items():
    error = found.standard_errors[name]
    print(f"{name:6} true {true:.3f}, found {found.params[name]:.4f} ± {error:.4f}")
    assert abs(found.params[name] - true) < 4 * error
assert np.isfinite(value)

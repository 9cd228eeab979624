"""Trains a neural network that predicts a model's parameters from covariates, through the engine.

Every site of a landscape has two covariates; how readily it burns is an unknown function of them. What is seen are fires
in several landscapes: the share of runs in which each site has burnt after a few steps. The network maps covariates to the
parameter field `risk`, the engine spreads the fire, and the gradient of the misfit goes back through both.
"""

import os

import glauber
import glauber.torch
import numpy as np
import torch

SIDE, STEPS, REPLICATES = 24, 6, 32
rng = np.random.default_rng(1)


def step(s):
    burnt = s["burnt"]
    exposure = burnt.neighbours("von-neumann").sum()
    catches = 1 - (1 - s.field("risk")) ** exposure
    return s.bernoulli(burnt + (1 - burnt) * catches)


fire = glauber.Model(
    "fire",
    (SIDE, SIDE),
    {"burnt": "binary"},
    step,
    fields={"risk": (0, 1)},
    start=lambda s: (s.coordinate(0) % 8 == 3) & (s.coordinate(1) % 8 == 3),
)
run = glauber.torch.rollout(glauber.rollout(fire, STEPS, replicates=REPLICATES), "states")


def smooth(noise):
    """A field that varies over a few sites."""
    for axis in (0, 1):
        noise = sum(np.roll(noise, d, axis) for d in range(-2, 3))
    return (noise - noise.mean()) / noise.std()


def landscape():
    """Two covariates, the true risk, and what was seen of it."""
    covariates = np.stack([smooth(rng.normal(size=(SIDE, SIDE))) for _ in range(2)])
    risk = 1 / (1 + np.exp(-(0.2 + 1.5 * covariates[0] - 1.0 * covariates[1])))
    seen = glauber.rollout(fire, STEPS, replicates=500)(
        fields={"risk": risk}, seed=int(rng.integers(1 << 30))
    ).last["burnt"]
    return (
        torch.tensor(covariates, dtype=torch.float32),
        risk,
        torch.tensor(seen.mean(axis=0), dtype=torch.float32),
    )


landscapes = [landscape() for _ in range(4)]
torch.manual_seed(0)
network = torch.nn.Sequential(
    torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1), torch.nn.Sigmoid()
)
optimizer = torch.optim.Adam(network.parameters(), lr=0.02)


def predicted(covariates):
    """The network's risk at every site."""
    return 0.001 + 0.998 * network(covariates.reshape(2, -1).T).reshape(SIDE, SIDE)


def correlation():
    """Between predicted and true risk, in a landscape the network has not seen."""
    covariates, risk, _ = unseen
    return float(np.corrcoef(predicted(covariates).detach().numpy().ravel(), risk.ravel())[0, 1])


unseen = landscape()
before = correlation()
epochs = 40 if os.environ.get("GLAUBER_QUICK") else 200
for epoch in range(epochs):
    total = 0.0
    for number, (covariates, _, seen) in enumerate(landscapes):
        burnt = run({}, seed=1000 * epoch + number, fields={"risk": predicted(covariates)})["burnt"]
        loss = ((burnt.mean(dim=0) - seen) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % (epochs // 5) == 0:
        print(
            f"epoch {epoch:3}: misfit {total / len(landscapes):.4f}, correlation with the true risk {correlation():+.3f}"
        )
print(f"correlation in an unseen landscape: {before:+.3f} before, {correlation():+.3f} after")
assert correlation() > 0.9

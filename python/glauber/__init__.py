"""Simulates stochastic lattice models and fits them to data, by gradients through their randomness.

A model is written once, as Python functions that are traced into a program; simulations, gradients and fits of it run at
the speed of Rust, without Python in the loop.

>>> import glauber
>>> def spread(s):
...     aware = s["aware"]
...     exposure = aware.neighbours("moore").sum()
...     learns = 1 - (1 - s["beta"]) ** exposure
...     s.next("aware").bernoulli(aware + (1 - aware) * learns)
>>> news = glauber.Model(
...     "news", lattice=(16, 16), layers={"aware": "binary"}, parameters={"beta": (0, 1)},
...     start=lambda s: s.bernoulli(0.05), step=spread,
... )
>>> runs = glauber.simulate(news, {"beta": 0.3}, steps=5, replicates=4, seed=1)
>>> runs["aware"].shape  # replicate, time, y, x
(4, 6, 16, 16)
>>> value, gradient = glauber.value_and_grad(news, {"beta": 0.3}, steps=5, observe="mean(aware)", replicates=100)
>>> gradient["beta"] > 0
True

In the order of use: models (`Model`, `load`, `models`), simulations (`simulate`), rollouts with outputs and gradients
(`rollout`, `value_and_grad`), fits (`fit`, `fit_file`, `log_density`, `posterior`, `profile`, and the tasks `Transition`, `Trajectory`, `Stationary`, `Stability`,
`InitialState`), the workers of an executor to share them (`Workers`, `map`), how often intervals hold the truth (`coverage`), images (`segment`), cells of the Cellular Potts model
(`glauber.cells`), gradient checks (`check`). `glauber.jax` and `glauber.torch` put rollouts into JAX and
PyTorch.
"""

import os as _os

from glauber import _functions, _glauber, cells
from glauber._callables import Simulator
from glauber._check import Check, check
from glauber._coverage import Coverage, coverage
from glauber._density import (
    LogDensity,
    Posterior,
    Profile,
    autologistic,
    log_density,
    persistent_walk,
    posterior,
    profile,
)
from glauber._errors import InputError, ModelError, RunError
from glauber._fit import fit, fit_file
from glauber._fit_result import FitInterrupted, FitResult
from glauber._functions import *  # noqa: F403
from glauber._glauber import (
    Beyond,
    CellSum,
    Expression,
    Neighbours,
    Next,
    Scope,
    There,
    __version__,
)
from glauber._model import Lattice, Layer, Model, Parameter, RandomSequential, labels, load, models
from glauber._objective import Objective, objective
from glauber._observation import Experiment, Observation
from glauber._outputs import Gradient, Outputs
from glauber._rollout import Rollout, rollout, value_and_grad
from glauber._segment import Segmentation, segment
from glauber._simulation import Simulation, simulate
from glauber._tasks import InitialState, Stability, Stationary, Trajectory, Transition
from glauber._view import view
from glauber._workers import Workers, map

if hasattr(_os, "register_at_fork"):
    _os.register_at_fork(after_in_child=_glauber.forked)

__all__ = [
    "__version__",
    "Beyond",
    "CellSum",
    "Check",
    "Coverage",
    "Experiment",
    "Expression",
    "FitInterrupted",
    "FitResult",
    "Gradient",
    "InitialState",
    "InputError",
    "Lattice",
    "Layer",
    "LogDensity",
    "Model",
    "ModelError",
    "Neighbours",
    "Next",
    "Objective",
    "Observation",
    "Outputs",
    "Parameter",
    "Posterior",
    "Profile",
    "RandomSequential",
    "Rollout",
    "RunError",
    "Scope",
    "Segmentation",
    "Simulation",
    "Simulator",
    "Stability",
    "Stationary",
    "There",
    "Trajectory",
    "Transition",
    "Workers",
    "autologistic",
    "cells",
    "check",
    "coverage",
    "fit",
    "fit_file",
    "labels",
    "load",
    "log_density",
    "map",
    "models",
    "objective",
    "persistent_walk",
    "posterior",
    "profile",
    "rollout",
    "segment",
    "simulate",
    "value_and_grad",
    "view",
]
__all__ += _functions.__all__

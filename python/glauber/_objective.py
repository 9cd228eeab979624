"""Makes the loss of a task a function of the fitted parameters, for any optimizer."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from glauber import _glauber
from glauber._arrays import few, theta_of, warn_of_slopes
from glauber._errors import InputError
from glauber._fit_request import fit_request, warn_of_reading
from glauber._kinds import Whole
from glauber._model import Model
from glauber._tasks import Task
from glauber._workers import failing_as_workers_do, warning_of, workers_of


class Objective:
    """The loss of a task as a function of the fitted parameters; made by `objective`.

    A call gives (loss, gradient), as `scipy.optimize.minimize(f, f.x0, jac=True, bounds=f.bounds)` wants it. The noise is
    that of one iteration: the same θ gives the same numbers. Outside the bounds, and where a rule has no value, the loss is
    infinite, its gradient NaN. Where the likelihood's route has no gradient a call is refused, and `value` gives the loss. θ may also be given by name, as a dictionary or a Series.
    A pickle carries the model and the data, not the executor.
    """

    def __init__(self, given: tuple[Any, ...], settings: Mapping[str, Any], executor: Any = None) -> None:
        self._given, self._settings = given, dict(settings)
        request = fit_request(*given, **settings)
        warn_of_reading(request, 3)
        self._workers = own = workers_of(executor)
        with failing_as_workers_do(own), warning_of(own, 2):
            request["crew"] = None if own is None else own.crew()
            self._native = native = _glauber.objective_of_file(request)
        self.names: list[str] = [name for name, _, _, _ in native.unknowns]
        """The fitted parameters, in the order of θ."""
        self.bounds: list[tuple[float, float]] = []
        """The interval of every number of θ."""
        self._lengths = [1 if shape is None else int(np.prod(shape)) for _, _, _, shape in native.unknowns]
        for (_, low, high, _), length in zip(native.unknowns, self._lengths):
            self.bounds += [(low, high)] * length
        self.x0: np.ndarray = native.start
        """Where a fit starts."""
        self.iteration = 0
        """Which noise is used."""
        self.observations: int | None = native.observations
        """How many numbers were observed, where that is known: sites of all states that are compared."""
        self.notes: list[str] = native.notes
        """What is to be known of the data, and of what gradients lack, as in a fit's result."""

    def _theta(self, theta: Any) -> np.ndarray:
        array = theta_of(theta, self.names, self._lengths).reshape(-1)
        if array.size != len(self.bounds):
            raise InputError(f"θ has {array.size} numbers: give {len(self.bounds)}, {', '.join(self.names)}")
        return array

    def __call__(self, theta: Any) -> tuple[float, np.ndarray]:
        with warning_of(self._workers, 1):
            value, gradient = self._native.evaluate(self._theta(theta), self.iteration, True)
        own = np.asarray(gradient)
        parts = np.split(own, np.cumsum(self._lengths)[:-1])
        warn_of_slopes(f"model `{self._given[0].name}`", value, self.names, parts, 2)
        return value, own

    def value(self, theta: Any) -> float:
        """The loss alone."""
        with warning_of(self._workers, 1):
            return self._native.evaluate(self._theta(theta), self.iteration, False)[0]

    def __reduce__(self) -> Any:
        return _restored, (self._given, self._settings, self.iteration)


def _restored(given: tuple[Any, ...], settings: Mapping[str, Any], iteration: int) -> Objective:
    own = Objective(given, settings)
    own.iteration = iteration
    return own


def objective(
    model: Model,
    task: Task,
    start: Any = None,
    *,
    fixed: Any = None,
    fields: Mapping[str, Any] | None = None,
    estimator: str | Mapping[str, Any] | None = None,
    replicates: Whole | None = None,
    batch: Whole | None = None,
    seed: Whole = 1,
    threads: Whole = 0,
    precision: str = "f32",
    memory: Whole | str = "1 GiB",
    executor: Any = None,
) -> Objective:
    """The loss of a task as a function of the fitted parameters, for any optimizer. Parameters are those of `fit`.

    Examples
    --------
    >>> import glauber
    >>> news = glauber.load("susceptible-infected", shape=(16, 16))
    >>> seen = glauber.simulate(news, {"beta": 0.3}, steps=8, replicates=4, seed=1)
    >>> f = glauber.objective(news, glauber.Transition(seen, loss="likelihood"), {"beta": 0.5})
    >>> f.names, f.bounds
    (['beta'], [(0.0, 1.0)])
    >>> value, gradient = f([0.5])
    """
    settings = {
        "fixed": fixed,
        "fields": fields,
        "threads": threads,
        "estimator": estimator,
        "replicates": replicates,
        "batch": batch,
        "seed": seed,
        "precision": precision,
        "memory": memory,
    }
    own = Objective((model, task, start), settings, executor)
    for words in few(own._native.slopeless, ": glauber.check(model).notes has them all"):
        warnings.warn(f"model `{model.name}`: {words}", UserWarning, stacklevel=2)
    return own

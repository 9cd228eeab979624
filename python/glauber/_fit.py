"""Fits models to data."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from glauber import _glauber
from glauber._arrays import path_text, table, whole
from glauber._fit_request import fit_request
from glauber._fit_result import FitResult, collected
from glauber._kinds import Real, Whole
from glauber._model import Model
from glauber._observation import Experiment, Observation
from glauber._plain import plain, text
from glauber._progress import shown
from glauber._simulation import Simulation
from glauber._tasks import Task
from glauber._workers import failing_as_workers_do, heard_of, workers_of


SETS = 50
"""Data sets of a bootstrap."""


def fit(
    model: Model,
    task: Task | Observation | Experiment | Sequence[Observation] | Sequence[Experiment],
    start: Any = None,
    *,
    fixed: Any = None,
    fields: Mapping[str, Any] | None = None,
    estimator: str | Mapping[str, Any] | None = None,
    route: str | None = None,
    errors: str | None = None,
    optimizer: str | Mapping[str, Any] | None = None,
    learning_rate: Real | None = None,
    steps: Whole | None = None,
    replicates: Whole | None = None,
    batch: Whole | None = None,
    average: Real | None = None,
    seed: Whole = 1,
    threads: Whole = 0,
    precision: str = "f32",
    memory: Whole | str = "1 GiB",
    progress: bool | Callable[..., Any] | None = None,
    executor: Any = None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> FitResult:
    """Fits a model's parameters (or its initial state) to data.

    The same fit as `glauber fit` on the command line, to the last bit.

    Parameters
    ----------
    model : Model
    task : Transition, Trajectory, Stationary, Stability, InitialState, Observation, Experiment, or a list of these two
        The data and the loss; of observations their likelihood.
    start : dict, optional
        Where the parameters start, by name (a Series, a row or a record too); a list of numbers, or a table of several rows,
        gives several starts. By default their defaults.
    fixed : dict, optional
        Parameters that are not fitted, by name too.
    fields : dict, optional
        Covariates: arrays of the lattice's shape.
    estimator : str or dict, optional
        What a draw's gradient is taken to be, as in `rollout`, or {"name": …, "temperature": …}; by default the task's.
    route : str, optional
        How the likelihood of observations is computed: "exact", "particle-filter", "mean-field-filter",
        "synthetic-likelihood"; by default what the data ask for, which the result says.
    errors : str, optional
        "curvature" (the default); "bootstrap" of observations: from fits to 50 data sets drawn at the estimate; "sandwich" of a
        trajectory of several runs: what the data's own uncertainty does to the estimate.
    optimizer : str or dict, optional
        "adam" (the default), "sgd", "rprop" …, or without gradients "nelder-mead", "cma-es" (the default for observations);
        with options {"name": …, "map": …}.
    learning_rate, steps, replicates, batch : optional
        The size of a step, the most steps, rollouts and data per gradient. Of observations, replicates are the particles of
        each run, or the simulations.
    average : float, optional
        The share of the steps, at the end, over which the estimate is averaged.
    seed, threads, precision, memory
        As in `rollout`.
    progress : bool or callable, optional
        False for silence. By default a line in a terminal or notebook. A callable gets (attempt, step, steps, loss, names,
        values) now and then; what it raises stops the fit.
    executor : object with submit, optional
        Whose workers share the work: blocks of rollouts within a step; several starts and comparisons, and the fits of a bootstrap, whole.
        The result is the same, to the last bit, for any number of workers and as without one. See `Workers` and docs/many-machines.md.
    checkpoint : path, optional
        A folder for checkpoints, now and then and on Ctrl-C: the same call carries on from those that are there, with any executor.

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        For data, names or settings that do not fit.
    RunError
        Where a run failed.
    FitInterrupted
        On Ctrl-C, with what was found so far as `.result`.

    Examples
    --------
    >>> import glauber
    >>> news = glauber.load("susceptible-infected", shape=(32, 32))
    >>> seen = glauber.simulate(news, {"beta": 0.3}, steps=12, replicates=8, seed=1)
    >>> found = glauber.fit(news, glauber.Transition(seen), {"beta": 0.6}, steps=200, learning_rate=0.05, progress=False)
    >>> abs(found.params["beta"] - 0.3) < 0.03
    True
    """
    begin = time.perf_counter()
    settings = {
        "fixed": fixed,
        "fields": fields,
        "threads": threads,
        "estimator": estimator,
        "route": route,
        "errors": errors,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "steps": steps,
        "replicates": replicates,
        "batch": batch,
        "average": average,
        "seed": seed,
        "precision": precision,
        "memory": memory,
    }
    asked = fit_request(model, task, start, **settings)
    alone = _PiecesOfFit((model, task, start), {**settings, "threads": 1})
    found, raised = _run(asked, executor, alone, checkpoint, progress, SETS if errors == "bootstrap" else 0)
    found["about"] = [*found["about"], *asked["said"], *asked["assumed"]]
    states = getattr(task, "states", None)
    if isinstance(states, Simulation) and states.update not in (None, model.update):
        found["about"] = [
            *found["about"],
            f"the states were simulated under update={states.update!r}, and the model is fitted under update={model.update!r}: a step of "
            "one is no step of the other, so the estimates need not be what the states were simulated with",
        ]
    return collected(found, raised, time.perf_counter() - begin)


def fit_file(
    path: str | os.PathLike[str],
    overrides: Mapping[str, Any] | None = None,
    *,
    threads: Whole | None = None,
    progress: bool | Callable[..., Any] | None = None,
    executor: Any = None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> FitResult:
    """Runs a fit file, as `glauber fit` does, without writing anything.

    Parameters
    ----------
    path : path
        The fit file.
    overrides : dict, optional
        Values in place of the file's, by "table.key", as {"optimizer.steps": 100, "run.seed": 2}.
    threads, progress, executor, checkpoint
        As in `fit`. Whole fits are run by workers that find the file under the same path.
    """
    begin = time.perf_counter()
    changed = table(overrides, "overrides", '{"optimizer.steps": 100}')
    given = path_text(path), [(text(str(key), "overrides"), plain(value, str(key))) for key, value in changed.items()]
    count = None if threads is None else whole(threads, "threads", 0, 1024)
    found, raised = _run(_file_request(*given, count), executor, _PiecesOfFile(given), checkpoint, progress)
    return collected(found, raised, time.perf_counter() - begin)


def _file_request(path: str, overrides: list[tuple[str, Any]], threads: int | None) -> dict[str, Any]:
    """The request of a fit file."""
    return {
        "tables": None,
        "path": path,
        "overrides": overrides,
        "model": None,
        "covariates": [],
        "arrays": None,
        "programs": [],
        "curve": None,
        "tracks": None,
        "threads": threads,
        "crew": None,
        "pieces": None,
        "checkpoint": None,
    }


def _run(
    asked: dict[str, Any],
    executor: Any,
    alone: Callable[[bytes], bytes | None],
    checkpoint: str | os.PathLike[str] | None,
    progress: bool | Callable[..., Any] | None,
    warm: int = 0,
) -> tuple[Any, Any]:
    """Runs a request: what was found, and what was raised meanwhile. `alone` does a piece of it on a worker; so many of
    these get ready for pieces while the first fit runs."""
    own = workers_of(executor)
    asked["checkpoint"] = None if checkpoint is None else path_text(checkpoint)
    with shown(progress) as show, failing_as_workers_do(own), heard_of(own) as heard:
        waking, shared = None, [0]
        if own is not None:
            asked["crew"] = own.crew()
            asked["pieces"] = own.beginning(alone, "the fit", _seen_by(show, own.count), shared)
            waking = own.warming(alone, "the fit", warm) if warm else None
        try:
            found, raised = _glauber.fit_file(asked, show)
        finally:
            if waking is not None:
                waking.cancel()
    if shared[0]:
        more = f"; whole fits were shared out, {shared[0]} of them"
        heard = [note + (more if "here" in note and note not in own.troubles_of(heard) else "") for note in heard]
    found["about"] = [*found["about"], *heard]
    return found, raised


def _seen_by(show: Callable[..., Any] | None, count: int) -> Callable[[int, int], Any] | None:
    """What is told how many fits of how many have ended."""
    if show is None:
        return None
    return lambda done, all: show(f"fits on {count} workers", done, all, math.nan, [], [])


class _PiecesOfFit:
    """Does pieces of a fit on a worker."""

    def __init__(self, given: tuple[Any, ...], settings: Mapping[str, Any]) -> None:
        self._given, self._settings = given, dict(settings)
        self._native: _glauber.FitPieces | None = None

    def _request(self) -> dict[str, Any]:
        return fit_request(*self._given, **self._settings)

    def __call__(self, piece: bytes) -> bytes | None:
        """What came of a piece; None where it failed, so that whoever asked does it, and meets the failure."""
        try:
            if self._native is None:
                self._native = _glauber.FitPieces(self._request())
            return self._native.piece(piece)
        except Exception:
            return None

    def __reduce__(self) -> Any:
        return type(self), (self._given, self._settings)


class _PiecesOfFile(_PiecesOfFit):
    """Does pieces of a fit file's fits on a worker."""

    def __init__(self, given: tuple[Any, ...], settings: Mapping[str, Any] | None = None) -> None:
        super().__init__(given, settings or {})

    def _request(self) -> dict[str, Any]:
        return _file_request(*self._given, 1)

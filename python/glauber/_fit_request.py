"""Writes down a fit as the native module takes it: the tables of a fit file as dictionaries, and what is in memory."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from glauber._arrays import memory_of, named_numbers, names, run_fields, seed_of, told, whole
from glauber._containers import columns
from glauber._model import Model, model_of
from glauber._observation import Experiment, Observation, seen
from glauber._plain import plain
from glauber._tasks import Task


def fit_request(
    model: Model,
    task: Task,
    start: Any,
    *,
    fixed: Any,
    fields: Any,
    threads: Any,
    **settings: Any,
) -> dict[str, Any]:
    """The request of a fit.

    The settings are the keywords of `fit`; those that are left out have the fit file's defaults. The model is the object
    itself: its file, where it came from one, is not read again. Of a model of the catalogue the name and options are said
    too, so that a task can ask the catalogue for more or fewer of its walkers.
    """
    task = seen(task) or task
    _check(model, task)
    given = task._given(model)
    own_fixed = {**given.get("fixed", {}), **_known(named_numbers(fixed, "fixed"), "fixed")}
    name, options = model._recipe or ("own-model", {})
    tables = {
        "model": name,
        "task": given["task"],
        "route": settings.pop("route", None),
        "errors": settings.pop("errors", None),
        "experiment": given.get("experiment"),
        "model-options": options,
        "data": given["data"],
        "loss": given["loss"],
        "start": _known(_starts(start, [n for n in model.parameters if n not in own_fixed]), "start"),
        "fixed": own_fixed,
        **_tables({**settings, "compare": given["compare"]}),
    }
    return {
        "tables": {key: plain(value, key) for key, value in tables.items() if value is not None},
        "path": "fit",
        "overrides": [],
        "model": model._native,
        "covariates": run_fields(model, fields, 1),
        "arrays": given.get("arrays"),
        "programs": given.get("programs", []),
        "curve": given.get("curve"),
        "tracks": given.get("tracks"),
        "threads": whole(threads, "threads", 0, 1024),
        "crew": None,
        "pieces": None,
        "checkpoint": None,
        "said": given.get("said", []),
        "assumed": given.get("assumed", []),
    }


def warn_of_reading(request: Mapping[str, Any], depth: int) -> None:
    """Warns of what is to be said of how data were read, where no result says it, `depth` calls up."""
    for words in request["said"]:
        warnings.warn(words, UserWarning, stacklevel=depth + 1)


def _starts(start: Any, fitted: list[str]) -> dict[Any, Any]:
    """Start values by name; the rows of a table are several starts."""
    if _nameless(start):
        example = ", ".join(f'"{name}": …' for name in fitted)
        raise TypeError(
            f"start is {told(start)}, numbers without names, which are not read by their place: give a dictionary, "
            f"start={{{example}}}, with a list of numbers for several starts"
        )
    alone = start is None or isinstance(start, Mapping) or getattr(start, "ndim", 1) == 0
    table = None if alone else columns(start, "start")
    if table is None:
        return named_numbers(start, "start")
    own = {name: list(column) for name, column in table.items()}
    return {name: column[0] if len(column) == 1 else column for name, column in own.items()}


def _nameless(start: Any) -> bool:
    """Whether start values are numbers alone: one, a list of them, an array without fields."""
    if isinstance(start, (list, tuple)) and not hasattr(start, "_asdict"):
        return bool(start) and all(map(_nameless, start))
    if isinstance(start, np.ndarray):
        return start.dtype.names is None and start.dtype.kind in "buifc"
    return isinstance(start, (int, float, complex, np.number))


def _known(given: dict[Any, Any], what: str) -> dict[Any, Any]:
    for name, value in given.items():
        if value is None:
            raise TypeError(f"{what} of `{name}` is None: give a number, or leave `{name}` out")
    return given


def _tables(settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The tables of a fit file that do not speak of data."""
    optimizer = _named(settings.get("optimizer"), "optimizer")
    for key in ("steps", "learning_rate", "replicates", "batch", "average"):
        if settings.get(key) is not None:
            optimizer[key] = settings[key]
    return {
        "estimator": {
            **_named(settings["estimator"], "estimator"),
            "compare": names(settings["compare"], "compare") or None,
        },
        "optimizer": {key.replace("_", "-"): value for key, value in optimizer.items()},
        "run": {
            "seed": seed_of(settings["seed"]),
            "memory": memory_of(settings["memory"]),
            "precision": settings["precision"],
        },
    }


def _named(given: Any, what: str) -> dict[str, Any]:
    """A choice with its options, from its name alone too."""
    if given is None or isinstance(given, str):
        return {"name": given}
    if isinstance(given, Mapping):
        return dict(given)
    raise TypeError(f'the {what} is {told(given)}: give its name, or {{"name": …}} with its options')


def _check(model: Any, task: Any) -> None:
    model_of(model)
    if isinstance(task, (list, tuple)) and any(isinstance(one, (Observation, Experiment)) for one in task):
        raise TypeError(
            "the task is a list of unlike things: give observations of the same runs, or experiments "
            "(glauber.Experiment(observation, …)) of runs of their own"
        )
    if not isinstance(task, Task):
        raise TypeError(
            f"the task is {type(task).__name__}: give glauber.Transition(states), glauber.Trajectory(…), "
            "glauber.Stability(pattern), glauber.InitialState(states), glauber.Observation(what, data, …), or a list of glauber.Experiment"
        )

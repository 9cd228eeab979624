"""Writes down a fit as the native module takes it: the text of a fit file, and the data in memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from glauber._arrays import memory_of, names, run_fields, seed_of, table, told, whole
from glauber._model import Model, model_of
from glauber._tasks import Given, InitialState, Stability, Task, Trajectory, Transition
from glauber._toml import document


@contextmanager
def fit_request(
    model: Model,
    task: Task,
    start: Mapping[str, Any] | None,
    *,
    fixed: Mapping[str, float] | None,
    fields: Mapping[str, Any] | None,
    threads: int,
    **settings: Any,
) -> Iterator[dict[str, Any]]:
    """The request of a fit; tracks that are in memory lie in a temporary file meanwhile.

    The settings are the keywords of `fit`; those that are left out have the fit file's defaults.
    """
    _check(model, task, start, fixed)
    given = task._given(model)
    request = {
        "path": "fit",
        "overrides": [],
        "model": None if model._recipe and not fields else model._native,
        "covariates": run_fields(model, fields, 1),
        "arrays": given.get("arrays"),
        "curve": given.get("curve"),
        "threads": whole(threads, "threads", 0, 1024),
    }
    name, options = model._recipe or ("own-model", {})
    top = {"model": name, "task": given["task"]}
    tables = {
        "loss": given["loss"],
        "start": start or {},
        "fixed": {**given.get("fixed", {}), **(fixed or {})},
        **_tables({**settings, "compare": given["compare"]}),
        **({"model-options": options} if options else {}),
    }
    with _in_files(given) as data:
        yield {**request, "text": document(top, {"data": data, **tables})}


@contextmanager
def _in_files(given: Given) -> Iterator[dict[str, Any]]:
    """The table of data; what only files can hold is written into one."""
    if "tracks_csv" not in given:
        yield given["data"]
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tracks.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write(given["tracks_csv"])
        yield {**given["data"], "tracks": path}


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


def _check(model: Any, task: Any, start: Any, fixed: Any) -> None:
    model_of(model)
    if not isinstance(task, (Transition, Trajectory, Stability, InitialState)):
        raise TypeError(
            f"the task is {type(task).__name__}: give glauber.Transition(states), glauber.Trajectory(…), "
            "glauber.Stability(pattern) or glauber.InitialState(states)"
        )
    for what, given in (("start", start), ("fixed", fixed)):
        for name, value in table(given, what, '{"beta": 0.3}').items():
            if value is None:
                raise TypeError(f"{what} of `{name}` is None: give a number, or leave `{name}` out")

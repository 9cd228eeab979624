"""Says what was seen of a process: what of its state, when, with which noise, under which conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glauber._arrays import check_kinds, named_arrays, named_numbers, numbers, table, told, whole
from glauber._containers import by_name, lattice_axes
from glauber._errors import InputError
from glauber._kinds import Whole
from glauber._model import Model
from glauber._simulation import LastStates, Simulation
from glauber._written import written

Array = tuple[str, list[int], Any]
"""A name, a shape, flat numbers."""


@dataclass(frozen=True, eq=False)
class Observation:
    """What was seen of a process.

    Parameters
    ----------
    what : str or callable
        A layer "LAYER", or a state of it "LAYER=STATE", seen site by site; "count(LAYER=STATE)" and other summaries;
        "regions(LAYER=STATE)" with `regions`; "rows(…)", "columns(…)"; or a function of a scope that returns
        {name: number}, traced as in `rollout(observe=…)`.
    data : array or table
        What was written down: [run, time, number] or [time, number], [run, time, …lattice] or [time, …lattice] of sites; of
        a single number also [time]. NaN, None and what is masked were not seen. The columns of a table are found by the names of
        the numbers, of regions by their labels, its rows' steps in a column or index `step`; the named axes of xarray may come in
        any order, and the labels of `time` are the steps. Names that say none of this are taken by their place, which is said.
    noise : str or dict
        "exact" (the default); {"name": "gaussian", "deviation": …}, "poisson" ("share"), "negative-binomial" ("size",
        "share"), "binomial" ("probability" of seeing each), "flipped" ("probability" of another state). An argument is a
        number, or the name of a parameter that is fitted with the others (with its start in `start`).
    steps : array [time], optional
        After which step each time was seen, ascending; 0 is the start. By default steps 0, 1, 2 …
    regions : array, optional
        A label for each site, for "regions(…)": numbers of the data are in the order of labels; negative is no region.
    """

    what: str | Callable[[Any], Any]
    data: Any
    noise: str | Mapping[str, Any] = "exact"
    steps: Any = None
    regions: Any = None


@dataclass(frozen=True, eq=False)
class Experiment:
    """What was seen of one set of runs under conditions of its own; what it does not fix it shares with the others.

    Parameters
    ----------
    observed : Observation or list of Observation
        What was seen, each of the same runs.
    start : dict, array or `Simulation.last`, optional
        The state that its runs start from, or one for each run, [run, …lattice]; by default the model's own start.
    first_step : int, optional
        After how many steps that was seen (0).
    fixed : dict, optional
        Parameters with a value of their own here.
    fields : dict, optional
        Covariates of its own.
    mean_of : int
        Of so many runs each run of the data is the mean.
    name : str, optional
    """

    observed: Observation | Sequence[Observation]
    start: Any = None
    first_step: Whole | None = None
    fixed: Any = None
    fields: Mapping[str, Any] | None = None
    mean_of: Whole = 1
    name: str | None = None


@dataclass(frozen=True, eq=False)
class Seen:
    """Experiments as a task of a fit."""

    experiments: Sequence[Experiment]

    def _given(self, model: Model) -> dict[str, Any]:
        arrays: list[Array] = []
        programs: list[tuple[str, Any, str]] = []
        said: list[str] = []
        tables = [
            _experiment(model, f"e{e}", one, arrays, programs, said) for e, one in enumerate(self.experiments)
        ]
        return {
            "task": "observation",
            "data": {},
            "loss": {},
            "experiment": tables,
            "arrays": arrays,
            "programs": programs,
            "said": said,
            "compare": (),
        }


def seen(task: Any) -> Seen | None:
    """Experiments from what may stand for them: one or several observations or experiments; None of anything else."""
    if isinstance(task, (Observation, Experiment)):
        task = [task]
    if not isinstance(task, (list, tuple)) or not task:
        return None
    if all(isinstance(one, Experiment) for one in task):
        return Seen(list(task))
    if all(isinstance(one, Observation) for one in task):
        # Several observations of the same runs; runs of their own are experiments.
        return Seen([Experiment(list(task))])
    return None


def _experiment(
    model: Model, name: str, one: Experiment, arrays: list[Array], programs: list[tuple[str, Any, str]], said: list[str]
) -> dict[str, Any]:
    observed = [one.observed] if isinstance(one.observed, Observation) else list(one.observed)
    for place in observed:
        if not isinstance(place, Observation):
            raise TypeError(f"an experiment observes {told(place)}: give glauber.Observation(what, data, …)")
    own: dict[str, Any] = {
        "name": one.name,
        "observation": [
            _observation(model, f"{name}.o{k}", place, arrays, programs, said) for k, place in enumerate(observed)
        ],
        "first-step": one.first_step,
        "fixed": named_numbers(one.fixed, "fixed of an experiment"),
        "mean-of": whole(one.mean_of, "mean_of", 1),
    }
    if one.start is not None:
        own["start"] = f"{name}.start"
        if isinstance(one.start, LastStates) and one.first_step is None:
            own["first-step"] = int(one.start.step)
        for layer, array in _states(model, one.start).items():
            arrays.append((f"{name}.start/{layer}", list(array.shape), array.reshape(-1)))
    covariates = named_arrays(one.fields, "fields", model.fields)
    for field, value in covariates.items():
        array = np.asarray(numbers(f"field `{field}`", value, axes=[lattice_axes(len(model.shape))]))
        if array.ndim == 0:
            array = np.full(model.shape, array, dtype=float)
        arrays.append((f"{name}.{field}/{field}", list(array.shape), array.reshape(-1)))
    own["covariates"] = {field: f"{name}.{field}" for field in covariates}
    return own


def _states(model: Model, start: Any) -> dict[str, np.ndarray]:
    """The starting lattices by layer."""
    if isinstance(start, Simulation):
        raise InputError("the start is a whole simulation: give its last states, simulation.last, or arrays by layer")
    given = by_name(start, "the start", list(model.layers))
    if given is None:
        if len(model.layers) != 1:
            raise InputError(f"the start has no names: give {{layer: array}} for {', '.join(model.layers)}")
        given = {next(iter(model.layers)): start}
    lattice = lattice_axes(len(model.shape))
    return {
        str(n): np.asarray(numbers(f"the start of `{n}`", v, axes=[lattice, ("run", *lattice)]))
        for n, v in given.items()
    }


def _observation(
    model: Model, name: str, one: Observation, arrays: list[Array], programs: list[tuple[str, Any, str]], said: list[str]
) -> dict[str, Any]:
    what: str = one.what if isinstance(one.what, str) else name
    words, outputs = what, None
    if not isinstance(one.what, str):
        if not callable(one.what):
            raise TypeError(f"what is {told(one.what)}: give a text, or a function of a scope that returns numbers")
        words = "the function " + getattr(one.what, "__name__", "a function").strip("<>")
        observed = model._native.observe(one.what)
        programs.append((name, observed, words))
        outputs = observed.outputs
    own: dict[str, Any] = {"what": what, "data": name}
    if one.regions is not None:
        labels = np.asarray(numbers("regions", one.regions, axes=[lattice_axes(len(model.shape))]), dtype=float)
        if labels.shape != tuple(model.shape):
            raise InputError(f"regions has shape {labels.shape}, but the lattice {tuple(model.shape)}: give a label for each site")
        arrays.append((f"{name}.regions/regions", list(labels.shape), labels.reshape(-1)))
        own["regions"] = f"{name}.regions"
    check_kinds(model, one.data, "the data")
    layer = None
    if outputs is None and "(" not in what:
        layer = what.partition("=")[0].strip()
    elif outputs is None:
        outputs = _outputs(model, what, one.regions)
    data, steps = written(one.data, words, layer, model.shape, outputs or [], said)
    arrays.append((f"{name}/data", list(data.shape), data.reshape(-1)))
    own["noise"] = {"name": one.noise} if isinstance(one.noise, str) else table(one.noise, "noise", '{"name": "binomial", "probability": 0.3}')
    if one.steps is not None:
        given = _steps(one.steps)
        if steps is not None and _steps(steps) != given:
            raise InputError(
                f"the data of `{words}` say that they were seen after the steps {_steps(steps)[:4]} …, and steps= says {given[:4]} …: leave one of them out"
            )
        steps = given
    if steps is not None:
        own["steps"] = _steps(steps)
    return own


def _steps(given: Any) -> list[int]:
    """Whole numbers from 0."""
    steps = np.atleast_1d(np.asarray(numbers("steps", given), dtype=float))
    if (steps < 0).any() or (steps != np.floor(steps)).any():
        raise InputError(f"steps holds {steps[(steps < 0) | (steps != np.floor(steps))][0]:g}: give whole numbers from 0")
    return [int(step) for step in steps]


def _outputs(model: Model, what: str, regions: Any) -> list[str]:
    """The names of the numbers of a summary; none where they cannot be known, which the fit then says."""
    kind = what.partition("(")[0].strip()
    if kind == "regions":
        labels = np.unique(np.asarray([] if regions is None else numbers("regions", regions), dtype=float))
        return [f"region {label:g}" for label in labels if label >= 0]
    if kind in ("rows", "columns"):
        axis = len(model.shape) - (2 if kind == "rows" else 1)
        return [f"{kind[:-1]} {k}" for k in range(model.shape[axis])] if axis >= 0 else []
    try:
        return list(model._native.summary(what).outputs)
    except InputError:
        return []

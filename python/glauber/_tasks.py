"""Names what a model is fitted to: each task is its data and its loss."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glauber._arrays import hint, numbers, real, table, whole
from glauber._errors import InputError
from glauber._model import Model
from glauber._simulation import LastStates, Simulation

CURVES = ("t-cells", "b-cells", "neutrophils")
"""The mean squared displacements that come with glauber."""

Given = dict[str, Any]
"""What a task hands to a fit: tables of the fit file, arrays, a curve, temporary tracks."""


def _named_arrays(
    model: Model, states: Any, what: str, times: Any = None
) -> list[tuple[str, list[int], np.ndarray]]:
    """Arrays by layer, and with them the step of every time where that is known: from a simulation, or as given."""
    own, states = _with_times(states)
    if own is not None and times is not None:
        raise InputError("a simulation brings its times: leave times= out")
    steps = own if own is not None else times
    arrays = _layers(model, states, what)
    if steps is not None:
        steps = np.atleast_1d(numbers("times", steps).astype(float))
        name = "times of states" if "times" in model.layers else "times"
        arrays = [one for one in arrays if one[0] != name] + [(name, list(steps.shape), steps.reshape(-1))]
    return arrays


def _with_times(states: Any) -> tuple[Any, Any]:
    """The times that a simulation brings, and its states as [run, time, …lattice]."""
    if isinstance(states, Simulation):
        return states.times, dict(states)
    if isinstance(states, LastStates):
        return [states.step], {name: array[:, None] for name, array in states.items()}
    return None, states


def _layers(model: Model, states: Any, what: str) -> list[tuple[str, list[int], np.ndarray]]:
    if not isinstance(states, Mapping):
        states = {next(iter(model.layers)) if len(model.layers) == 1 else what: states}
    else:
        missing = [name for name in model.layers if name not in states]
        if missing:
            there = ", ".join(map(str, states)) or "none"
            raise InputError(
                f"the data have no array for layer `{missing[0]}` of model `{model.name}`, only {there}: "
                f'give {{"{missing[0]}": array}}'
            )
    out = []
    for name, value in states.items():
        array = numbers(f"`{name}`", value)
        out.append((str(name), list(array.shape), array.reshape(-1)))
    return out


def _simulated(simulate: Any) -> dict[str, Any]:
    """The table of a simulation, its keys as a fit file writes them; parameters keep their names."""
    own = table(simulate, "simulate", '{"parameters": {"beta": 0.3}, "steps": 12, "runs": 8, "seed": 1}')
    if "parameters" in own:
        own["parameters"] = table(own["parameters"], "the parameters to simulate with", '{"beta": 0.3}')
    return {str(key).replace("_", "-"): value for key, value in own.items()}


def _one_of(**given: Any) -> str:
    present = [name for name, value in given.items() if value is not None]
    if len(present) != 1:
        raise InputError(f"give one of {', '.join(given)}; {', '.join(present) or 'none'} was given")
    return present[0]


def _only_with_states(source: str, times: Any) -> None:
    if source != "states" and times is not None:
        raise InputError("times= says when states were seen: give it with states=")


@dataclass(frozen=True, eq=False)
class Transition:
    """Pairs of successive states: what the model makes of each state is compared with the one that was observed.

    Parameters
    ----------
    states : Simulation, dict or array
        A simulation, with its times; or by layer an array [run, time, …lattice] or [time, …lattice]; an array alone for a
        model of one layer.
    times : array [time], optional
        After which step each state was seen, where not after steps 0, 1, 2 … Over several steps between two states a loss
        simulates them all; the likelihood is known for one.
    simulate : dict, optional
        In place of states: data simulated by the model itself, {"parameters": {…}, "steps": …, "runs": …, "seed": …}.
    loss : str, optional
        "pixel" (squared error per site, the default), "count" (of their sums), or "likelihood": the exact likelihood, where the
        model has one, with standard errors.
    compare : sequence of str
        Other estimators, or "likelihood", fitted to the same data for comparison.
    """

    states: Any = None
    simulate: Mapping[str, Any] | None = None
    loss: str | None = None
    compare: Sequence[str] = ()
    times: Any = None

    def _given(self, model: Model) -> Given:
        source = _one_of(states=self.states, simulate=self.simulate)
        _only_with_states(source, self.times)
        data = {"states": "given.npz"} if source == "states" else {"simulate": _simulated(self.simulate)}
        arrays = _named_arrays(model, self.states, "states", self.times) if source == "states" else None
        return {
            "task": "transition",
            "data": data,
            "loss": {"name": self.loss},
            "arrays": arrays,
            "compare": self.compare,
        }


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A summary over time, from states, tracks or a curve: simulations follow it on average.

    Parameters
    ----------
    states : Simulation, dict or array, optional
        A simulation, with its times; or by layer an array [run, time, …lattice] or [time, …lattice].
    times : array [time], optional
        After which step each state was seen, where not after steps 0, 1, 2 …
    tracks : array [point, 4 or 5], path, or DataFrame, optional
        Rows (track, time, x, y) or (track, time, x, y, z), for the mean squared displacement; or the path of a file (CSV,
        TrackMate).
    msd : array [lag], pair of arrays, str, or path, optional
        The mean squared displacement after 1, 2 … intervals; with standard errors as (values, errors); or the name of a
        curve that comes with glauber ("t-cells", "b-cells", "neutrophils"); or a path.
    simulate : dict, optional
        Data simulated by the model itself, as in `Transition`.
    summary : str, optional
        What is compared, such as "mean(aware)"; "msd" for walkers.
    loss : str, optional
        "squared-error" (the default), "weighted" or "log-squared".
    weighted : bool
        Divide differences by the data's standard errors.
    at : sequence of int, optional
        The steps that are compared.
    interval, step_time, site_length : float, optional
        Time between two frames; time of one step and length of one site of the model, in the data's units.
    lags, shortest_track, bootstrap, dimensions : int, optional
        Of tracks: lags compared, tracks left out, resamplings for errors, axes used.
    initial : str, optional
        "data" to start at the first observed states, "model" to start as the model says.
    columns : dict, optional
        Of tracks: which column holds what, {"id": …, "time": …, "x": …, "y": …, "z": …}, by name or number from 1.
    """

    states: Any = None
    tracks: Any = None
    msd: Any = None
    simulate: Mapping[str, Any] | None = None
    summary: str | None = None
    loss: str | None = None
    weighted: bool = False
    at: Sequence[int] | None = None
    interval: float | None = None
    step_time: float | None = None
    site_length: float | None = None
    lags: int | None = None
    shortest_track: int | None = None
    bootstrap: int | None = None
    dimensions: int | None = None
    initial: str | None = None
    compare: Sequence[str] = ()
    times: Any = None
    columns: Mapping[str, str | int] | None = None

    def _given(self, model: Model) -> Given:
        source = _one_of(states=self.states, tracks=self.tracks, msd=self.msd, simulate=self.simulate)
        _only_with_states(source, self.times)
        given: Given = {"task": "trajectory", "compare": self.compare}
        data: dict[str, Any] = {
            "interval": self.interval,
            "step-time": self.step_time,
            "site-length": self.site_length,
            "lags": self.lags,
            "shortest-track": self.shortest_track,
            "bootstrap": self.bootstrap,
            "dimensions": self.dimensions,
            "initial": self.initial,
            "columns": table(self.columns, "columns", '{"id": "TRACK", "time": 3}') or None,
        }
        if source == "states":
            data["states"] = "given.npz"
            given["arrays"] = _named_arrays(model, self.states, "states", self.times)
        elif source == "simulate":
            data["simulate"] = _simulated(self.simulate)
        elif isinstance(getattr(self, source), (str, os.PathLike)):
            data[source] = _curve_or_path(source, os.fspath(getattr(self, source)))
        elif source == "msd":
            data["msd"] = "given.csv"
            given["curve"] = _curve_csv(
                self.msd,
                real(next((t for t in (self.interval, self.step_time) if t is not None), 1.0), "interval"),
            )
            data["interval"] = None
        else:
            given["tracks_csv"] = _tracks_csv(self.tracks)
        loss = {"name": self.loss, "summary": self.summary, "weighted": self.weighted or None, "at": self.at}
        return {**given, "data": data, "loss": loss}


def _curve_or_path(source: str, given: str) -> str:
    """A curve's name, or the whole path of a file."""
    if source == "msd" and os.path.dirname(given) == "" and not os.path.exists(given):
        if given not in CURVES:
            raise InputError(f'there is no curve or file "{given}"{hint(given, CURVES)}')
        return given
    return os.path.abspath(given)


def _curve_csv(msd: Any, interval: float) -> str:
    values, errors = msd if isinstance(msd, tuple) else (msd, None)
    values = numbers("msd", values).astype(float)
    if values.ndim != 1 or not len(values):
        raise InputError(
            f"msd has shape {values.shape}: give one number per lag, [lag], for lags of 1, 2 … intervals"
        )
    header, columns = ["lag", "msd"], [np.arange(1, len(values) + 1), values]
    if errors is not None:
        errors = numbers("the errors of msd", errors).astype(float)
        if errors.shape != values.shape:
            raise InputError(
                f"msd has {len(values)} values and errors of shape {errors.shape}: give one error for each"
            )
        header, columns = [*header, "standard_error"], [*columns, errors]
    return f"# interval: {interval!r}\n" + _table(header, np.column_stack(columns))


def _tracks_csv(tracks: Any) -> str:
    if hasattr(tracks, "to_csv"):
        return str(tracks.to_csv(index=False))
    table = numbers("tracks", tracks).astype(float)
    if table.ndim != 2 or table.shape[1] not in (4, 5):
        raise InputError(
            f"tracks have shape {table.shape}: give rows (track, time, x, y) or (track, time, x, y, z)"
        )
    return _table(["id", "t", "x", "y", "z"][: table.shape[1]], table)


def _table(header: Sequence[str], rows: np.ndarray) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(
        [repr(int(x)) if float(x).is_integer() and abs(x) < 2**53 else repr(float(x)) for x in row]
        for row in rows
    )
    return out.getvalue()


@dataclass(frozen=True, eq=False)
class Stability:
    """A pattern that should stay: its distance to what it has become some steps later.

    Parameters
    ----------
    pattern : Simulation, dict or array, optional
        A simulation or its `.last`, of which every run's last state is a pattern; or by layer an array of the lattice's
        shape; or one array [layer, …lattice].
    simulate : dict, optional
        In place of it: a pattern simulated by the model itself, as in `Transition`.
    steps : int
        How many steps later.
    loss : str, optional
        "log-sum-squares" (the default) or "mean-squares".
    """

    pattern: Any = None
    simulate: Mapping[str, Any] | None = None
    steps: int = 500
    loss: str | None = None
    compare: Sequence[str] = ()

    def _given(self, model: Model) -> Given:
        source = _one_of(pattern=self.pattern, simulate=self.simulate)
        data: dict[str, Any] = {"steps": whole(self.steps, "steps", 1)}
        arrays = None
        if source == "pattern":
            data["pattern"] = "given.npz"
            pattern = self.pattern.last if isinstance(self.pattern, Simulation) else self.pattern
            arrays = _named_arrays(model, pattern, "pattern")
        else:
            data["simulate"] = _simulated(self.simulate)
        return {
            "task": "stability",
            "data": data,
            "loss": {"name": self.loss},
            "arrays": arrays,
            "compare": self.compare,
        }


@dataclass(frozen=True, eq=False)
class InitialState:
    """The lattice a process started from, given what it looked like later, at known parameters.

    The result's `params` hold for every layer the probability that each site started on, refined by simulated likelihood
    ("start of LAYER"), and the map as the gradient left it ("fitted start of LAYER"); `starting_sites` the most likely sites.

    Parameters
    ----------
    states : Simulation, dict or array, optional
        A simulation of one run, with its times; or by layer what was seen, [time, …lattice]; an array alone for a model of
        one layer.
    parameters : dict
        The model's parameters.
    steps : int, optional
        After how many steps the first state was seen; the others follow one step after another. By default the first is
        the start itself, which is only compared with.
    times : array [time], optional
        In place of steps: after which step each state was seen.
    simulate : dict, optional
        In place of states: a run of the model itself, {"steps": …, "seed": …, "start_sites": …}.
    start_sites : int, optional
        How many sites it started from, where that is known.
    loss : str, optional
        In place of the usual one.
    """

    states: Any = None
    parameters: Mapping[str, float] | None = None
    steps: int | None = None
    simulate: Mapping[str, Any] | None = None
    start_sites: int | None = None
    loss: str | None = None
    compare: Sequence[str] = ()
    times: Any = None

    def _given(self, model: Model) -> Given:
        source = _one_of(states=self.states, simulate=self.simulate)
        _only_with_states(source, self.times)
        data: dict[str, Any] = {"start-sites": self.start_sites, "steps": self.steps}
        arrays = None
        if source == "states":
            data["states"] = "given.npz"
            arrays = _named_arrays(model, self.states, "states", self.times)
        else:
            data["simulate"] = _simulated(self.simulate)
        return {
            "task": "state",
            "data": data,
            "loss": {"name": self.loss},
            "arrays": arrays,
            "compare": self.compare,
            "fixed": table(self.parameters, "the parameters", '{"beta": 0.3}'),
        }


Task = Transition | Trajectory | Stability | InitialState
"""Any of the tasks."""

"""Names what a model is fitted to: each task is its data and its loss."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glauber._arrays import NAMES_OF_STATES, UPDATE_OF_STATES, check_kinds, hint, named_numbers, numbers, table, told, whole
from glauber._containers import by_name, labels_of_time, lattice_axes
from glauber._curves import curve_of
from glauber._errors import InputError
from glauber._kinds import Real, Whole
from glauber._model import Model
from glauber._observation import Seen
from glauber._simulation import LastStates, Simulation, alike, times_of
from glauber._tracks import tracks_of

CURVES = ("t-cells", "b-cells", "neutrophils")
"""The mean squared displacements that come with glauber."""

Given = dict[str, Any]
"""What a task hands to a fit: tables of the fit file, arrays, a curve, the columns of tracks."""


def _named_arrays(
    model: Model, states: Any, what: str, times: Any = None, remembers: bool = True, assumed: list[str] | None = None
) -> list[tuple[str, list[int], Any]]:
    """Arrays by layer, and with them the step of every time where that is known: from a simulation, or as given.

    That times were taken for steps 0, 1, 2 … is added to `assumed`, where it matters.
    """
    if isinstance(states, (list, tuple)) and any(
        isinstance(one, (Simulation, LastStates, Mapping)) for one in states
    ):
        raise TypeError(
            f"`{what}` is a {type(states).__name__} of {type(states[0]).__name__}s: give one, in which every run has a "
            "place of its own: glauber.simulate(…, replicates=n), or {layer: np.concatenate([one[layer] for one in all])} with times="
        )
    if isinstance(states, (str, bytes, os.PathLike)):
        raise TypeError(
            f"`{what}` is the text {told(states)}: give arrays; of a file, what was read from it, as dict(numpy.load(path)); paths are for "
            "fit files (glauber.fit_file)"
        )
    check_kinds(model, states, f"the {what}")
    own, states = _with_times(states, model)
    about = []
    for name in (NAMES_OF_STATES, UPDATE_OF_STATES):
        if isinstance(states, Mapping) and name in states and name not in model.layers:
            # As `Simulation.save` and `glauber simulate` write them.
            text = numbers(name, states[name])
            about.append((name, list(text.shape), text.reshape(-1)))
            states = {key: array for key, array in states.items() if key != name}
    if own is not None and times is not None:
        raise InputError("a simulation brings its times, as does an axis with labels: leave times= out")
    steps = own if own is not None else times
    if steps is None and remembers:
        try:
            steps = _times_of_arrays(states)
        except InputError:
            # Snapshots of several runs may lie where times would, where times do not matter.
            if assumed is not None:
                raise
    arrays = _layers(model, states, what)
    if steps is None and assumed is not None and remembers:
        _say_times(model, arrays[0][1], assumed)
    arrays.extend(about)
    if steps is not None:
        steps = np.atleast_1d(numbers("times", steps).astype(float))
        name = "times of states" if "times" in model.layers else "times"
        arrays = [one for one in arrays if one[0] != name] + [(name, list(steps.shape), steps.reshape(-1))]
    return arrays


def _with_times(states: Any, model: Model) -> tuple[Any, Any]:
    """The times that states bring, and the states: of a simulation, of arrays from its file, of an axis `time` of xarray."""
    if isinstance(states, Simulation):
        return states.times, dict(states)
    if isinstance(states, LastStates):
        return [states.step], {name: array[:, None] for name, array in states.items()}
    name = "times of states" if "times" in model.layers else "times"
    if isinstance(states, Mapping) and name in states and name not in model.layers:
        # As `Simulation.save` and `glauber simulate` write them.
        return states[name], {key: array for key, array in states.items() if key != name}
    labelled = states.values() if isinstance(states, Mapping) else [states]
    lattice = lattice_axes(len(model.shape))
    found = [own for own in (labels_of_time(one, lattice) for one in labelled) if own is not None]
    if any(other != found[0] for other in found[1:]):
        raise InputError("the layers are labelled by different times: give all alike")
    return (found[0] if found else None), states


def _times_of_arrays(states: Any) -> Any:
    """The times of arrays taken out of a simulation, as by `dict(run)`; none where they are of several, or 0, 1, 2 …"""
    own = [times_of(one) for one in (states.values() if isinstance(states, Mapping) else [states])]
    known = [times for times in own if times is not None]
    if not known:
        return None
    if any(not np.array_equal(times, known[0]) for times in known[1:]):
        raise InputError("the layers are of simulations with different times: give times=")
    return known[0]


def _say_times(model: Model, shape: Sequence[int], assumed: list[str]) -> None:
    """Says that states without times are taken for those of successive steps; where a simulation's were not, as a warning too."""
    place = len(shape) - len(model.shape) - 1
    if place < 0 or shape[place] < 2:
        return
    count = shape[place]
    words = f"nobody said when the states were seen: their {count} times are taken for steps {', '.join(map(str, range(min(count, 3))))}{' …' if count > 3 else ''}"
    like = alike(shape)
    if like is not None:
        shown = ", ".join(map(str, like[:4])) + (" …" if len(like) > 4 else "")
        words += f", but a simulation that has arrays of this shape keeps the steps {shown}: if they come from it, give times={like.tolist()[:8]}{' …' if len(like) > 8 else ''}"
        warnings.warn(words, UserWarning, stacklevel=6)
    assumed.append(words)


def _layers(model: Model, states: Any, what: str) -> list[tuple[str, list[int], Any]]:
    """Arrays by layer, their named axes in order; one without a name is that of the only layer, or called `what`."""
    lattice = lattice_axes(len(model.shape))
    axes = [lattice, ("time", *lattice), ("run", "time", *lattice), ("layer", *lattice)]
    given = by_name(states, f"the {what}", list(model.layers))
    if given is None:
        given = {next(iter(model.layers)) if len(model.layers) == 1 else what: states}
    else:
        missing = [name for name in model.layers if name not in given]
        if missing:
            there = ", ".join(map(str, given)) or "none"
            raise InputError(
                f"the data have no array for layer `{missing[0]}` of model `{model.name}`, only {there}: "
                f'give {{"{missing[0]}": array}}'
            )
        more = [str(name) for name in given if name not in model.layers]
        if more:
            raise InputError(
                f"the data have an array `{more[0]}`, but model `{model.name}` has only {', '.join(model.layers)}: leave it out"
            )
        given = {name: given[name] for name in model.layers}
    out = []
    for name, value in given.items():
        array = numbers(f"`{name}`", value, axes=axes)
        out.append((str(name), list(array.shape), array.reshape(-1)))
    return out


def _simulated(simulate: Any) -> dict[str, Any]:
    """The table of a simulation, its keys as a fit file writes them; parameters keep their names."""
    own = table(simulate, "simulate", '{"parameters": {"beta": 0.3}, "steps": 12, "runs": 8, "seed": 1}')
    if "parameters" in own:
        own["parameters"] = named_numbers(own["parameters"], "the parameters to simulate with")
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
        model of one layer. A dataset, a structured array or an array with a labelled axis `layer` gives layers by their
        names; the named axes of xarray (run, time, z, y, x) may come in any order, and the labels of `time` are its times.
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
        assumed: list[str] = []
        arrays = _named_arrays(model, self.states, "states", self.times, True, assumed) if source == "states" else None
        return {
            "assumed": assumed,
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
    tracks : table, array [point, 4 or 5], or path, optional
        For the mean squared displacement: a table with named columns (of pandas, polars, pyarrow or xarray, a structured
        array, a dictionary of columns, a list of records), which are found by their names as in a file; or rows (track,
        time, x, y) or (track, time, x, y, z) without names; or the path of a file (CSV, TrackMate).
    msd : array [lag], pair of arrays, table, str, or path, optional
        The mean squared displacement after 1, 2 … intervals; with standard errors as (values, errors); a Series by lag; a
        table with the columns lag, msd and, if known, standard_error (without lag its rows are lags of 1, 2 …, which is
        said, and columns of other names are refused); or the name of a curve that comes with glauber
        ("t-cells", "b-cells", "neutrophils"); or a path.
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
        Of tracks: which column holds what, where their names do not say, {"id": …, "time": …, "x": …, "y": …, "z": …}, by name
        or number from 1.
    length_unit, time_unit : str, optional
        Of tracks: their units, where the data name none; other ones than the data's are refused.
    """

    states: Any = None
    tracks: Any = None
    msd: Any = None
    simulate: Mapping[str, Any] | None = None
    summary: str | None = None
    loss: str | None = None
    weighted: bool = False
    at: Sequence[Whole] | None = None
    interval: Real | None = None
    step_time: Real | None = None
    site_length: Real | None = None
    lags: Whole | None = None
    shortest_track: Whole | None = None
    bootstrap: Whole | None = None
    dimensions: Whole | None = None
    initial: str | None = None
    compare: Sequence[str] = ()
    times: Any = None
    columns: Mapping[str, Any] | None = None
    length_unit: str | None = None
    time_unit: str | None = None

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
            "length-unit": self.length_unit,
            "time-unit": self.time_unit,
            "initial": self.initial,
            "columns": table(self.columns, "columns", '{"id": "TRACK", "time": 3}') or None,
        }
        if source == "states":
            data["states"] = "given.npz"
            given["assumed"] = []
            given["arrays"] = _named_arrays(model, self.states, "states", self.times, True, given["assumed"])
        elif source == "simulate":
            data["simulate"] = _simulated(self.simulate)
        elif isinstance(getattr(self, source), (str, os.PathLike)):
            data[source] = _curve_or_path(source, os.fspath(getattr(self, source)))
        elif source == "msd":
            data["msd"] = "given"
            interval = self.interval if self.interval is not None else self.step_time
            given["curve"], given["said"] = curve_of(self.msd, interval)
            data["interval"] = None
        else:
            data["tracks"] = "given"
            given["tracks"], data["columns"] = tracks_of(self.tracks, data["columns"])
        loss = {"name": self.loss, "summary": self.summary, "weighted": self.weighted or None, "at": self.at}
        return {**given, "data": data, "loss": loss}


def _curve_or_path(source: str, given: str) -> str:
    """A curve's name, or the whole path of a file."""
    if source == "msd" and os.path.dirname(given) == "" and not os.path.exists(given):
        if given not in CURVES:
            raise InputError(f'there is no curve or file "{given}"{hint(given, CURVES)}')
        return given
    return os.path.abspath(given)


@dataclass(frozen=True, eq=False)
class Stationary:
    """A summary of stationary states, whose times do not matter: snapshots of a process that has forgotten its start.

    Parameters
    ----------
    states : Simulation, dict or array, optional
        Snapshots, as the states of `Transition`: by layer an array [run, time, …lattice] or [time, …lattice].
    simulate : dict, optional
        In place of them: the last states of runs of the model itself, as in `Transition`.
    summary : str
        What is compared, such as "mean(aware)" or "correlation(particles, 1, 2, 4)".
    steps : int
        How many steps bring a rollout from the model's own start to its stationary state; it is compared after half as many
        too.
    loss : str, optional
        "squared-error" (the default), "weighted" or "log-squared".
    weighted : bool
        Divide differences by the standard errors over runs.
    """

    states: Any = None
    simulate: Mapping[str, Any] | None = None
    summary: str | None = None
    steps: Whole | None = None
    loss: str | None = None
    weighted: bool = False
    compare: Sequence[str] = ()

    def _given(self, model: Model) -> Given:
        source = _one_of(states=self.states, simulate=self.simulate)
        data: dict[str, Any] = {"steps": self.steps}
        arrays = None
        if source == "states":
            if isinstance(self.states, Simulation) and int(self.states.times[0]) == 0:
                raise InputError(
                    "the states are a simulation from its start on, which is no stationary state: give the later ones, such as "
                    "{layer: run[layer][:, k:] for layer in run}, with the start and what follows it left out; where its start was "
                    "a stationary state already, say so by first_step= of the simulation, as simulate(…, first_step=1)"
                )
            data["states"] = "given.npz"
            arrays = _named_arrays(model, self.states, "states")
        else:
            data["simulate"] = _simulated(self.simulate)
        return {
            "task": "stationary",
            "data": data,
            "loss": {"name": self.loss, "summary": self.summary, "weighted": self.weighted or None},
            "arrays": arrays,
            "compare": self.compare,
        }


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
    steps: Whole = 500
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
    parameters: Any = None
    steps: Whole | None = None
    simulate: Mapping[str, Any] | None = None
    start_sites: Whole | None = None
    loss: str | None = None
    compare: Sequence[str] = ()
    times: Any = None

    def _given(self, model: Model) -> Given:
        source = _one_of(states=self.states, simulate=self.simulate)
        _only_with_states(source, self.times)
        data: dict[str, Any] = {"start-sites": self.start_sites, "steps": self.steps}
        arrays = None
        assumed: list[str] = []
        if source == "states":
            data["states"] = "given.npz"
            # Where `steps` says when the state was seen, times would say it again.
            arrays = _named_arrays(model, self.states, "states", self.times, self.steps is None, assumed)
        else:
            data["simulate"] = _simulated(self.simulate)
        return {
            "assumed": assumed,
            "task": "state",
            "data": data,
            "loss": {"name": self.loss},
            "arrays": arrays,
            "compare": self.compare,
            "fixed": named_numbers(self.parameters, "the parameters"),
        }


Task = Transition | Trajectory | Stationary | Stability | InitialState | Seen
"""Any of the tasks."""

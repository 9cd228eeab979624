"""Runs models forwards and keeps their states."""

from __future__ import annotations

import base64
import html
import os
import warnings
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glauber import _glauber
from glauber._arrays import (
    NAMES_OF_STATES,
    UPDATE_OF_STATES,
    hint,
    parameter_list,
    path_text,
    run_fields,
    seed_of,
    start_fields,
    whole,
)
from glauber._containers import kind_of
from glauber._over_time import pyplot
from glauber._errors import InputError, RunError
from glauber._kinds import Whole
from glauber._model import Layer, Model, model_of
from glauber._pictures import colours_of, draw, key_html
from glauber._workers import Workers, warning_of, workers_of


def request(
    model: Model,
    parameters: Any,
    steps: Whole,
    replicates: Whole,
    seed: Whole,
    start: Any,
    fields: Mapping[str, Any] | None,
    threads: Whole,
    *,
    events: list[tuple[int, int]] | None = None,
    first_replicate: Whole = 0,
    first_step: Whole | None = None,
    data: Sequence[str] = (),
) -> dict[str, Any]:
    """A run, checked, as the engine's face takes it; `data` names the fields of observations."""
    replicates = whole(replicates, "replicates", 1, 2**31 - 1)
    if isinstance(start, Simulation):
        start = start.last
    warn_of_another_update(model_of(model), start)
    if first_step is None:
        first_step = steps_behind(start)
    return {
        "parameters": parameter_list(model_of(model), parameters),
        "steps": whole(steps, "steps", 0, 2**31 - 1),
        "replicates": replicates,
        "first_replicate": whole(first_replicate, "first_replicate", 0, 2**32 - 1),
        "first_step": None if first_step is None else whole(first_step, "first_step", 0, 2**31 - 1),
        "seed": seed_of(seed),
        "start": start_fields(model, start, replicates),
        "fields": run_fields(model, fields, replicates, data),
        "events": events or [],
        "threads": whole(threads, "threads", 0, 1024),
    }


def png(values: np.ndarray, layer: Layer) -> bytes:
    """A picture of one state: of a plane, of the middle plane of a volume, of a line as a stripe."""
    plane = np.asarray(values, dtype=float)
    if plane.ndim == 3:
        plane = plane[plane.shape[0] // 2]
    plane = np.atleast_2d(plane)
    flat = np.ascontiguousarray(plane).reshape(-1)
    return _glauber.picture(flat, plane.shape[0], plane.shape[1], list(colours_of(layer)))


def picture_html(values: np.ndarray, layer: Layer, caption: str) -> str:
    """A picture with its caption, a plain text, for a notebook."""
    text = base64.b64encode(png(values, layer)).decode()
    style = "width:256px;image-rendering:pixelated"
    key = key_html(np.asarray(values, dtype=float), layer)
    return f'<figure style="display:inline-block;margin:4px"><img style="{style}" src="data:image/png;base64,{text}"><figcaption>{html.escape(caption)}<br><small>{key}</small></figcaption></figure>'


class LastStates(dict[str, np.ndarray]):
    """The last states of a run: by layer an array [replicate, …lattice].

    Handed to `start=`, they let a run carry on where this one stopped: its steps have the numbers that follow, and noise
    of their own.
    """

    step: int
    """The number of the step that the states were left by."""
    kinds: dict[str, Layer]
    """What the numbers of each layer mean."""
    scheme: str | None
    """The update under which they came about, where that is known."""

    def __init__(
        self,
        layers: Mapping[str, np.ndarray],
        step: int,
        kinds: Mapping[str, Layer] | None = None,
        scheme: str | None = None,
    ) -> None:
        super().__init__(layers)
        self.step = int(step)
        self.kinds = dict(kinds or {})
        self.scheme = scheme

    def __reduce__(self) -> Any:
        return LastStates, (dict(self), self.step, self.kinds, self.scheme)


def steps_behind(start: Any) -> int | None:
    """How many steps a start has behind it, where it says so; 0 where a run starts as the model says."""
    if start is None:
        return 0
    return start.step if isinstance(start, LastStates) else None


@dataclass(frozen=True, eq=False)
class Simulation(Mapping[str, np.ndarray]):
    """The states of a simulation: by layer an array of shape [replicate, time, …lattice].

    A layer of named states holds their numbers 0, 1, 2 …
    """

    model: str
    layers: dict[str, np.ndarray]
    times: np.ndarray
    """The step of each time; 0 is the start."""
    parameters: dict[str, float]
    seed: int
    kinds: dict[str, Layer] = field(repr=False)
    final: LastStates = field(repr=False)
    update: Any = None
    """The update of the model, as `Model.update` says it."""
    scheme: str | None = field(default=None, repr=False)
    """The same as a file of states holds it."""

    def __post_init__(self) -> None:
        for states in self.layers.values():
            _remember(states, self.times)
        for states in self.final.values():
            _remember(states, None)

    def __getitem__(self, layer: str) -> np.ndarray:
        if layer not in self.layers:
            raise InputError(f"model `{self.model}` has no layer `{layer}`{hint(layer, self.layers)}")
        _remember(self.layers[layer], self.times)
        return self.layers[layer]

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    @property
    def last(self) -> LastStates:
        """The states after the last step, kept by `every=` or not: by layer [replicate, …lattice].

        Handed to `start=`, they carry the run on: `last.step` is the number of that step.
        """
        return self.final

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Writes an NPZ file as `glauber simulate` does, with the step of every time as `times`, the names of
        states as `names of states` and the update as `update scheme` (text in bytes), for `data.states` of a fit file.

        Raises
        ------
        InputError
            Where a file of this name is there, unless it may be overwritten.
        """
        times = "times" if "times" not in self.layers else "times of states"
        try:
            file = open(path_text(path), "wb" if overwrite else "xb")
        except FileExistsError:
            raise InputError(
                f"{path_text(path)} is already there and is not overwritten: choose another name, or give overwrite=True"
            ) from None
        with file:
            arrays: dict[str, Any] = {
                **self.layers,
                times: self.times,
                **names_of_states(self.kinds),
                **update_of_states(self.kinds, self.scheme),
            }
            np.savez_compressed(file, **arrays)

    def plot(self, layer: str | None = None, replicate: int = 0, time: int = -1, ax: Any = None) -> Any:
        """Draws one state with Matplotlib and gives the axes. A line's states are drawn over time."""
        name = layer or next(iter(self.layers))
        states = self[name][replicate]
        if ax is None:
            ax = pyplot().subplots(layout="constrained")[1]
        flat = states if states.ndim == 2 else states[time]
        if flat.ndim == 3:
            flat = flat[flat.shape[0] // 2]
        draw(ax, flat, name, self.kinds[name], aspect="auto" if states.ndim == 2 else "equal")
        ax.set_title(f"{name}, all times" if states.ndim == 2 else f"{name}, step {self.times[time]}")
        return ax

    def __repr__(self) -> str:
        shapes = ", ".join(f"{n} {a.shape} {a.dtype}" for n, a in self.layers.items())
        return f"Simulation of {self.model!r} at {self.parameters}, seed {self.seed}: {shapes}"

    def _repr_html_(self) -> str:
        parts = []
        for name, states in self.layers.items():
            one = states[0] if states.ndim == 3 else states[0, -1]
            caption = f"{name}, all times" if states.ndim == 3 else f"{name}, step {self.times[-1]}"
            parts.append(picture_html(one, self.kinds[name], caption))
        return f"<div>{''.join(parts)}<br><small>{html.escape(repr(self))}</small></div>"


def names_of_states(kinds: Mapping[str, Layer]) -> dict[str, np.ndarray]:
    """The array that says what the numbers of named states mean: a line of UTF-8 by layer, tabs between; none without names."""
    lines = ["\t".join([name, *layer.states]) for name, layer in kinds.items() if layer.states]
    name = NAMES_OF_STATES
    return {name: np.frombuffer("\n".join(lines).encode(), np.uint8)} if lines and name not in kinds else {}


def update_of_states(kinds: Mapping[str, Layer], scheme: str | None) -> dict[str, np.ndarray]:
    """The array that says under which update states were simulated, in UTF-8."""
    known = scheme is not None and UPDATE_OF_STATES not in kinds
    return {UPDATE_OF_STATES: np.frombuffer(str(scheme).encode(), np.uint8)} if known else {}


def warn_of_another_update(model: Model, start: Any) -> None:
    """Says where a run carries on from states that came about under another update than its own."""
    theirs, own = getattr(start, "scheme", None), model._native.scheme
    if theirs not in (None, own):
        warnings.warn(
            f"the states were simulated under update = {theirs}, and this model has update = {own}: a step of one is no step of "
            "the other; the run carries on under its own",
            UserWarning,
            stacklevel=4,
        )


@dataclass(frozen=True)
class _Handed:
    """An array of a simulation, [replicate, time, …lattice], or of its last states, [replicate, …lattice], as it lies in memory."""

    owner: Any
    """What owns the memory, held weakly."""
    begin: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    times: np.ndarray | None
    """The step of each time; none of last states."""

    @property
    def lattice(self) -> int:
        """How many axes the lattice has."""
        return len(self.shape) - (1 if self.times is None else 2)

    def times_of(self, view: np.ndarray) -> np.ndarray | None:
        """The times of a part of the array, by where it lies."""
        axis = view.ndim - self.lattice - 1
        if axis not in (-1, 0, 1):
            return None
        offset = view.__array_interface__["data"][0] - self.begin
        if self.times is None:
            place, step = 0, self.strides[0]
        else:
            place, step = offset % self.strides[0] // self.strides[1], self.strides[1]
        if axis == -1:
            return None if self.times is None else self.times[[place]]
        length, stride = view.shape[axis], view.strides[axis]
        if length <= 1:
            return None if self.times is None or not length else self.times[[place]]
        if stride % step:
            return None
        places = place + stride // step * np.arange(length)
        if self.times is not None and 0 <= places.min() and places.max() < len(self.times):
            return self.times[places]
        raise InputError(
            f"the states are part of what a simulation handed out, but what is read as their axis of time, of {length}, are its "
            "runs: give [run, time, …lattice] or [time, …lattice], as states[:, k:k + 1] or last[:, None] for one time of all runs"
        )


_HANDED: dict[int, _Handed] = {}
"""By the identity of what owns the memory of a simulation's array, as long as that lives."""


def _owner(array: np.ndarray) -> np.ndarray:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _remember(array: np.ndarray, times: np.ndarray | None) -> None:
    """Notes where an array lies that is handed out alone, and its times."""
    owner = _owner(array)
    key = id(owner)
    begin = array.__array_interface__["data"][0]
    known = weakref.ref(owner, lambda _: _HANDED.pop(key, None))
    _HANDED[key] = _Handed(known, begin, array.shape, array.strides, times)


def times_of(array: Any) -> np.ndarray | None:
    """The times of an array that a simulation handed out, or of a part of it that lies in the same memory; none of others.

    Raises
    ------
    InputError
        Where runs lie where times are read.
    """
    if isinstance(array, (list, tuple)) and array and all(isinstance(one, np.ndarray) for one in array):
        times = [times_of(one) for one in array]
        same = times[0] is not None and all(t is not None and np.array_equal(t, times[0]) for t in times[1:])
        return times[0] if same and array[0].ndim > 1 else None
    if kind_of(array) == "xarray.DataArray" and not len(array.coords):
        try:
            return times_of(array.values)
        except InputError:
            # Its axes have names, by which they are read.
            return None
    if not isinstance(array, np.ndarray):
        return None
    owner = _owner(array)
    own = _HANDED.get(id(owner))
    return own.times_of(array) if own is not None and own.owner() is owner else None


def alike(shape: Sequence[int]) -> np.ndarray | None:
    """The times of a simulation that lives and has arrays of this shape, where these are not steps that follow one another."""
    for own in list(_HANDED.values()):
        if own.times is None or not (np.diff(own.times) > 1).any():
            continue
        if tuple(shape[-len(own.shape) + 1 :]) == own.shape[1:]:
            return own.times
    return None


def simulate(
    model: Model,
    parameters: Any = None,
    steps: Whole = 1,
    *,
    replicates: Whole = 1,
    seed: Whole = 1,
    start: Any = None,
    fields: Mapping[str, Any] | None = None,
    every: Whole = 1,
    first_step: Whole | None = None,
    threads: Whole = 0,
    precision: str = "f32",
    executor: Any = None,
) -> Simulation:
    """Runs a model forwards and keeps its states.

    The same seed gives the same states, bit for bit, on any number of threads and as `glauber simulate` on the command
    line. Rollouts and fits have noise of their own under the same seed.

    Parameters
    ----------
    model : Model
        What is run.
    parameters : dict or sequence of float, optional
        Parameters by name (a dictionary, a Series, a row of a table, a record), or all in the model's order where they have
        no names; those that are not named have their defaults.
    steps : int
        How many steps.
    replicates : int
        How many independent realisations.
    seed : int
        The seed of all noise.
    start : dict or array, optional
        The state to start from: by layer an array of the lattice's shape, or [replicate, …lattice]; by default as the
        model says. With another simulation, or its `.last`, the run carries on where that one stopped: under the same
        seed and parameters it is what the other would have been with more steps, bit for bit. The named axes of xarray
        (run, z, y, x) may come in any order.
    fields : dict, optional
        Covariates and parameter fields: arrays of the lattice's shape, or [replicate, …lattice].
    every : int
        Keep the states of steps 0, every, 2·every …; that after the last step is in `.last` in any case.
    first_step : int, optional
        How many steps the start has behind it, for rules that read the step's number, and for the noise, which is that of
        the steps' numbers; by default what `start` says, else 0: two runs from plain arrays have the same noise under the
        same seed.
    threads : int
        0 for all cores.
    precision : str
        "f32" or "f64".
    executor : object with submit, optional
        Whose workers run the realisations, some each; the states are the same. See `Workers`.

    Returns
    -------
    Simulation
        By layer an array [replicate, time, …lattice], in the smallest type of the layer's range.

    Raises
    ------
    InputError
        For parameters, states or fields that do not fit.
    RunError
        Where the rule leaves a layer's range or a probability leaves [0, 1], with step and site.

    Examples
    --------
    >>> import glauber
    >>> voter = glauber.load("voter", shape=(8, 8))
    >>> runs = glauber.simulate(voter, steps=3, replicates=2, seed=7)
    >>> [states.shape for states in runs.values()]
    [(2, 4, 8, 8)]
    """
    every = whole(every, "every", 1)
    asked = request(
        model, parameters, steps, replicates, seed, start, fields, threads, first_step=first_step
    )
    if every > max(asked["steps"], 1):
        raise InputError(
            f"every={every} keeps only the start of {asked['steps']} steps: give every={asked['steps']} or less; "
            "the states after the last step are in .last in any case"
        )
    if executor is not None:
        own = workers_of(executor)
        with warning_of(own, 1):
            return _shared(model, asked, every, precision, own)
    key = ("simulate", precision)
    if key not in model._plans:
        model._plans[key] = _glauber.Plan(model._native, [], None, 1.0, 1, None, precision, 1 << 30)
    try:
        return _run(model, model._plans[key], asked, every)
    except RunError as error:
        before = error
        # The same noise gives the same states again, up to the step before; other realisations may have ended earlier still.
        while before.step is not None and (steps := before.step - 1 - (asked["first_step"] or 0)) >= 0:
            try:
                kept = _run(model, model._plans[key], {**asked, "steps": steps}, min(every, max(steps, 1)))
            except RunError as earlier:
                before = earlier
                continue
            what = "what was run before that step" if steps else "the state at the start"
            raised = RunError(f"{before}; {what} is the `.simulation` of this error")
            raised.step, raised.simulation = before.step, kept
            raise raised from None
        raise


def _shared(model: Model, asked: Mapping[str, Any], every: int, precision: str, own: Workers) -> Simulation:
    """A run whose realisations are shared among workers."""
    count = asked["replicates"]
    parts = min(count, own.count)
    bounds = [k * count // parts for k in range(parts + 1)]
    runs = own.map(
        _Simulates(model, every, precision),
        [(_part(asked, a, b, model.shape),) for a, b in zip(bounds, bounds[1:])],
        "the model",
    )
    one = _states(model, asked, every, [np.concatenate(own) for own in zip(*(flat for flat, _ in runs))],
                  [np.concatenate(own) for own in zip(*(last for _, last in runs))])
    return one


def _part(asked: Mapping[str, Any], begin: int, end: int, shape: tuple[int, ...]) -> dict[str, Any]:
    """Some of the realisations of a run: states and fields that each has of its own are cut too."""
    sites = int(np.prod(shape))

    def cut(field: Any) -> Any:
        flat, several = field
        return field if several is None else (flat[begin * sites : end * sites], end - begin)

    start = asked["start"]
    return {
        **asked,
        "replicates": end - begin,
        "first_replicate": asked["first_replicate"] + begin,
        "start": None if start is None else [cut(own) for own in start],
        "fields": [(name, cut(own)) for name, own in asked["fields"]],
        "threads": 1,
    }


class _Simulates:
    """Runs a model on a worker."""

    def __init__(self, model: Model, every: int, precision: str) -> None:
        self._model, self._every, self._precision = model, every, precision
        self._plan: Any = None

    def __call__(self, asked: Mapping[str, Any]) -> Any:
        if self._plan is None:
            self._plan = _glauber.Plan(self._model._native, [], None, 1.0, 1, None, self._precision, 1 << 30)
        return self._plan.simulate(asked, self._every)

    def __reduce__(self) -> Any:
        return _Simulates, (self._model, self._every, self._precision)


def _run(model: Model, plan: Any, asked: Mapping[str, Any], every: int) -> Simulation:
    return _states(model, asked, every, *plan.simulate(asked, every))


def _states(model: Model, asked: Mapping[str, Any], every: int, flat: list[np.ndarray], last: list[np.ndarray]) -> Simulation:
    begin = asked["first_step"] or 0
    times = begin + np.arange(0, asked["steps"] + 1, every)
    shape = (asked["replicates"], len(times), *model.shape)
    layers = {name: states.reshape(shape) for name, states in zip(model.layers, flat)}
    one = (asked["replicates"], *model.shape)
    final = {name: states.reshape(one) for name, states in zip(model.layers, last)}
    return Simulation(
        model.name,
        layers,
        times,
        dict(zip(model.parameters, asked["parameters"])),
        asked["seed"],
        dict(model.layers),
        LastStates(final, begin + asked["steps"], model.layers, model._native.scheme),
        model.update,
        model._native.scheme,
    )

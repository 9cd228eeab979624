"""Simulates cells of the Cellular Potts model, and fits it to labels of cells over time, or to tracks of their centroids.

>>> from glauber import cells
>>> truth = {"J01": 1.6, "J11": 1.4, "volume_strength": 0.1, "volume_target": 36}
>>> movie = cells.simulate(truth, shape=(48, 48), blocks=(6, 6), sides=(6, 6), torus=True, steps=20)
>>> movie.labels.shape  # time, y, x
(21, 48, 48)
>>> found = cells.fit(movie.labels, movie.types, torus=True, fixed={"volume_target": 36}, replicates=0)
>>> abs(found.params["J01"] - 1.6) < 4.5 * found.standard_errors["J01"]
True
"""

from __future__ import annotations

import base64
import html
import json
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glauber import _glauber
from glauber._arrays import named_numbers, numbers, path_text, real, seed_of, told, whole
from glauber._arrays import names as texts
from glauber._containers import columns
from glauber._density import LogDensity, priors_of
from glauber._errors import InputError
from glauber._kinds import Whole
from glauber._over_time import grid
from glauber._tracks import tracks_of

__all__ = ["CellsFit", "CellsSimulation", "TracksFit", "fit", "fit_tracks", "log_density", "simulate", "simulate_tracks"]

_FRAMES = [("time", "y", "x"), ("time", "z", "y", "x")]
_FRAME = [("y", "x"), ("z", "y", "x")]


@dataclass(frozen=True, eq=False)
class CellsSimulation:
    """Cells over time."""

    labels: np.ndarray
    """The label of every site, 0 the medium: uint32 [time, (z,) y, x]."""
    times: np.ndarray
    """The step of every time."""
    types: dict[int, int]
    """The type of every label."""
    cells: np.ndarray
    """A row for every cell at every time: a structured array with step, id, type, volume, perimeter, (z,) y, x."""
    params: dict[str, float]
    notes: list[str]
    """What a person should know."""
    _object: dict[str, Any] = field(repr=False)

    @property
    def dataframe(self) -> Any:
        """The table of cells as a pandas DataFrame."""
        try:
            import pandas
        except ImportError:
            raise ImportError(
                "simulation.dataframe needs pandas: pip install pandas; simulation.cells is the same as a NumPy array"
            ) from None
        return pandas.DataFrame({name: self.cells[name] for name in self.cells.dtype.names or ()})

    def to_json(self) -> dict[str, Any]:
        """The run as `glauber cells simulate --json` prints it, without its files."""
        return dict(self._object)

    def __repr__(self) -> str:
        head = f"CellsSimulation: {len(self.types)} cells, {self._object['lattice']}, steps {self.times[0]} to {self.times[-1]}"
        return "\n".join([head, *(f"  note: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        shown = ""
        last = np.ascontiguousarray(self.labels[-1], dtype=np.uint32)
        picture = _glauber.cells_picture(last.reshape(-1), list(last.shape), list(self.types.items()))
        if picture is not None:
            data = base64.b64encode(picture).decode()
            shown = f'<img style="width:320px" src="data:image/png;base64,{data}"><br>'
        return f"<div>{shown}<pre>{html.escape(repr(self))}</pre></div>"


@dataclass(frozen=True, eq=False)
class CellsFit:
    """Coefficients of the Cellular Potts model, in units of T, with errors, and whether cells simulated from them behave as
    those of the movie."""

    params: dict[str, float | None]
    """The estimates; None where the data do not determine them."""
    standard_errors: dict[str, float | None]
    """Their errors; None where there is none."""
    intervals: dict[str, tuple[float, float] | None]
    """Their 95 % intervals."""
    fixed: dict[str, float]
    """What was known, or assumed from the frames (the notes say which)."""
    effective: bool
    """Whether the estimates are those of no simulation: the frames are further apart than one step, are binned, or a target is assumed."""
    verdict: str
    notes: list[str]
    """What a person must know, worst first."""
    check: dict[str, Any] | None
    """The simulations from the estimates beside the movie: `words`, `frames`, and `quantities`, each with name, observed, mean,
    band, departs, words."""
    log_likelihood: float
    types: dict[int, str]
    """What each type is called, by its number in J11 …"""
    _object: dict[str, Any] = field(repr=False)
    _words: str = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """The result as `glauber cells fit --json` prints it, without its folder."""
        return dict(self._object)

    def plot(self, axes: Any = None) -> Any:
        """Draws the check with Matplotlib, and gives the axes."""
        if self.check is None:
            raise InputError("this fit was not checked: fit with replicates=39")
        quantities, frames = self.check["quantities"], self.check["frames"]
        axes = grid(len(quantities)) if axes is None else axes
        axes = np.atleast_1d(np.asarray(axes, dtype=object)).reshape(-1)
        for ax, one in zip(axes, quantities):
            ax.fill_between(frames, *np.transpose(one["band"]), alpha=0.3, label="95 % of simulations")
            ax.plot(frames, one["mean"], label="simulated")
            ax.plot(frames, one["observed"], "k.", label="movie")
            ax.set(xlabel="frame", title=one["name"])
        return axes

    def __repr__(self) -> str:
        return self._words

    def _repr_html_(self) -> str:
        return f"<div><b>cellular-potts</b><pre>{html.escape(self._words)}</pre></div>"


@dataclass(frozen=True, eq=False)
class TracksFit:
    """Coefficients of the Cellular Potts model from tracks, with errors, and whether cells simulated at them move as the tracks do."""

    params: dict[str, float]
    """The estimates."""
    standard_errors: dict[str, float | None]
    """By the curvature of the synthetic likelihood, the simulations' own noise included; None where there is no error."""
    intervals: dict[str, tuple[float, float] | None]
    """Their 95 % intervals."""
    fixed: dict[str, float]
    describes: bool | None
    """Whether simulated cells move as the tracks do; None where the tracks come to too few numbers to say."""
    verdict: str
    notes: list[str]
    """What a person must know, worst first."""
    numbers: list[dict[str, Any]]
    """What the tracks come to: name, observed, simulated, band."""
    observed: dict[str, Any]
    """Of the tracks: speed in sites a step, mean_squared_displacement and correlation by lags in steps, half_life."""
    simulated: dict[str, Any]
    """The same of the cells simulated at the estimates."""
    _object: dict[str, Any] = field(repr=False)
    _words: str = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """The result as `glauber cells fit --json` prints it, without its folder."""
        return dict(self._object)

    def __repr__(self) -> str:
        return self._words

    def _repr_html_(self) -> str:
        return f"<div><b>cellular-potts</b><pre>{html.escape(self._words)}</pre></div>"


def simulate(
    params: Any,
    *,
    shape: Iterable[Whole] | None = None,
    blocks: Iterable[Whole] | None = None,
    sides: Iterable[Whole] | None = None,
    begin: Iterable[Whole] | None = None,
    grown: Whole | None = None,
    counts: Iterable[Whole] | None = None,
    start: Any = None,
    types: Any = None,
    frame: Whole = 0,
    torus: bool = False,
    order: str = "sublattices",
    acceptance: str = "metropolis",
    connected: bool = False,
    steps: Whole = 50,
    every: Whole = 1,
    seed: Whole = 1,
    replicate: Whole = 0,
    threads: Whole = 0,
) -> CellsSimulation:
    """Simulates cells, as `glauber cells simulate` does on the command line, to the last bit.

    Parameters
    ----------
    params : dict, or a fit's result
        Coefficients in units of T: J01, J11, J12 … by types (0 the medium), volume_strength, volume_target, perimeter_strength,
        perimeter_target, act_strength, max_act; of all types, or of one (volume_target2). An adhesion between types that can
        meet, or half of a term, is asked for, not guessed. Of a fit its estimates and what was fixed.
    shape : sequence of int
        Sites along each axis, (z,) y, x.
    blocks, sides, begin : sequence of int
        Start with so many blocks along each axis, each with so many sites, in the middle or from `begin` on.
    grown : int
        Start with seeds at random sites, each grown to so many sites.
    counts : sequence of int
        How many cells are of type 1, of type 2 …, mixed at random.
    start : array [y, x] or [z, y, x], or path
        Start with these labels; a file is read as `fit` reads it, or is a PIF; `frame` says which of its
        frames.
    types : dict, table, array or path
        Of `start`: {label: type}; a table with the columns label and type; types by label, the medium's 0 first.
    torus : bool
        The lattice closes on itself; else there is medium beyond its edges.
    order, acceptance : str
        "sublattices" or "random-sequential"; "metropolis" or "heat-bath".
    connected : bool
        Copies that would cut a cell are refused.
    steps, every : int
        How many steps; every n-th state is kept, the start's included.
    seed, replicate : int
        The noise of the start and of the steps; which realisation from that start.
    threads : int
        0 for all cores. The result does not depend on it.

    Raises
    ------
    InputError
        For a start or coefficients that do not fit together.
    """
    starts = {"blocks": blocks, "grown": grown, "start": start}
    given = [name for name, one in starts.items() if one is not None]
    if len(given) != 1:
        raise InputError(
            "say how the cells start: blocks=(7, 7) with sides=(8, 8), or grown=60 with counts=(20,), or start=labels"
            + (f"; {' and '.join(given)} are given, one of them is needed" if given else "")
        )
    if start is None and types is not None:
        raise InputError("types are those of `start`: blocks and grown cells have theirs by counts=(25, 24)")
    if start is not None and (shape is not None or counts is not None):
        raise InputError("a start by labels has its shape and its types: leave out shape and counts")
    if start is None and shape is None:
        raise InputError("give the lattice its size: shape=(64, 64)")
    if grown is not None and counts is None:
        raise InputError("give the cells that are to grow by types: counts=(20,)")
    if (blocks is None) != (sides is None) or (blocks is None and begin is not None):
        raise InputError("blocks and sides go together, and begin with them: blocks=(7, 7), sides=(8, 8)")
    own_shape, labels, file = _wholes(shape, "shape") or [], None, None
    if start is not None:
        labels, own_shape, file = _labels(start, _FRAME)
    found = _glauber.cells_simulate(
        own_shape,
        _wholes(begin, "begin"),
        _wholes(blocks, "blocks"),
        _wholes(sides, "sides") or [],
        _wholes(counts, "counts"),
        None if grown is None else whole(grown, "grown", 0, 2**32),
        labels,
        file,
        whole(frame, "frame", 0, 2**32),
        *_types(types),
        _parameters(params, "params"),
        bool(torus),
        str(order),
        str(acceptance),
        bool(connected),
        whole(steps, "steps"),
        whole(every, "every"),
        seed_of(seed),
        whole(replicate, "replicate", 0, 2**32 - 1),
        whole(threads, "threads", 0, 1024),
    )
    told_of = json.loads(found["object"])
    axes = ("z", "y", "x")[3 - len(found["shape"]) :]
    kinds = {"step": np.int64, "id": np.int64, "type": np.int64, "volume": np.int64, "perimeter": np.int64}
    table = np.zeros(len(found["id"]), dtype=[*kinds.items(), *((axis, np.float64) for axis in axes)])
    for name in table.dtype.names or ():
        table[name] = found[name]
    return CellsSimulation(
        found["labels"].reshape(-1, *found["shape"]),
        found["times"].astype(np.int64),
        dict(found["types"]),
        table,
        told_of["parameters"],
        told_of["notes"],
        told_of,
    )


def fit(
    labels: Any,
    types: Any = None,
    *,
    torus: bool = False,
    coarsen: Whole = 1,
    frames: tuple[Whole, Whole] | None = None,
    every: Whole = 1,
    acceptance: str = "metropolis",
    connected: bool = False,
    fit: Sequence[str] = (),
    fixed: Any = None,
    replicates: Whole = 39,
    seed: Whole = 1,
    array: str | None = None,
    channel: Whole | None = None,
    depth: Whole | None = None,
    threads: Whole = 0,
) -> CellsFit:
    """Fits the Cellular Potts model to labels over time by its exact likelihood, as `glauber cells fit` does on the command line.

    Parameters
    ----------
    labels : array [time, y, x] or [time, z, y, x], simulation, or path
        The label of every site, 0 the medium, one step from frame to frame. A simulation comes with its types, a file NPZ with those
        that it holds.
    types : dict, table, array or path, optional
        {label: type}; a table with the columns label and type; types by label, the medium's 0 first. Types are numbers from 1, or
        names, which are numbered in the order of the alphabet. All cells have type 1 where nobody says.
    torus : bool
        The frames close on themselves; else there is medium beyond their edges.
    coarsen : int
        Make one site of blocks of so many along each axis.
    frames : (int, int), optional
        The frames that are fitted, the last one not; later ones are predicted.
    every : int
        Take every n-th frame.
    acceptance, connected : str, bool
        "metropolis" or "heat-bath"; whether copies that would cut a cell are refused.
    fit : sequence of str
        What is fitted; every adhesion that occurs, volume_strength and volume_target where nobody says.
    fixed : dict, optional
        What is known.
    replicates, seed : int
        The simulations that check the fit, 0 for none, and their seed.
    array, channel, depth : optional
        Of a file: which array of an NPZ, which channel, how many slices a time has (1 where what the file calls slices are times).
    threads : int
        0 for all cores.

    Raises
    ------
    InputError
        For labels, types and names that do not fit together.
    """
    if isinstance(labels, CellsSimulation):
        types = labels.types if types is None else types
        labels = labels.labels
    own, shape, file = _labels(labels, _FRAMES, array, channel, depth)
    told_of, words = _glauber.cells_fit(
        own,
        shape,
        file,
        *_types(types),
        bool(torus),
        whole(coarsen, "coarsen", 1, 2**32),
        None if frames is None else _range(frames),
        whole(every, "every", 1, 2**32),
        str(acceptance),
        bool(connected),
        texts(fit, "fit"),
        _parameters(fixed, "fixed"),
        whole(replicates, "replicates", 0, 2**32 - 1),
        seed_of(seed),
        whole(threads, "threads", 0, 1024),
    )
    found = json.loads(told_of)
    found.pop("out")
    parameters = found["parameters"]
    return CellsFit(
        {name: one["estimate"] for name, one in parameters.items()},
        {name: one["standard_error"] for name, one in parameters.items()},
        {name: one["interval"] and tuple(one["interval"]) for name, one in parameters.items()},
        found["fixed"],
        found["effective"],
        found["verdict"],
        found["notes"],
        found["check"],
        found["log_likelihood"],
        dict(enumerate(found["types"], 1)),
        found,
        words.rsplit("\n\n", 1)[0],
    )


def simulate_tracks(
    params: Any,
    *,
    tracks: Whole,
    records: Whole,
    steps_per_frame: Whole,
    shape: Iterable[Whole] | None = None,
    counts: Iterable[Whole] = (1,),
    grown: Whole | None = None,
    burn_in: Whole = 500,
    order: str = "random-sequential",
    acceptance: str = "metropolis",
    connected: bool = False,
    seed: Whole = 1,
    threads: Whole = 0,
) -> np.ndarray:
    """Simulates tracks of cells' centroids, each lattice with cells of its own, unrolled over its edges.

    >>> from glauber import cells
    >>> act = {"J01": 1, "volume_strength": 1.5, "volume_target": 100, "act_strength": 8, "max_act": 20}
    >>> tracks = cells.simulate_tracks(act, tracks=2, records=11, steps_per_frame=5, shape=(48, 48))
    >>> tracks.dtype.names, len(tracks)
    (('id', 'frame', 'y', 'x'), 22)

    Parameters
    ----------
    params : dict, or a fit's result
        Coefficients in units of T, as `simulate` has them.
    tracks, records, steps_per_frame : int
        How many tracks, of how many records each, how many steps apart.
    shape : sequence of int
        Sites of a lattice, a torus; where nobody says, a square six times as wide as its cells.
    counts, grown : sequence of int, int
        Cells of type 1, of type 2 … on a lattice; the sites to which each is grown at the start, its target volume where nobody says.
    burn_in : int
        Steps before the first record.
    order, acceptance, connected : str, str, bool
        As `simulate` has them.
    seed, threads : int
        The noise; 0 threads for all cores. The result does not depend on them.

    Raises
    ------
    InputError
        For coefficients and cells that do not fit together.
    """
    own_shape = _wholes(shape, "shape") or []
    found = _glauber.cells_tracks(
        _parameters(params, "params"),
        _setting(own_shape, counts, grown, burn_in, steps_per_frame),
        whole(tracks, "tracks", 1, 2**32),
        whole(records, "records", 2, 2**32 - 1),
        str(order),
        str(acceptance),
        bool(connected),
        seed_of(seed),
        whole(threads, "threads", 0, 1024),
    )
    for note in found["notes"]:
        warnings.warn(note, stacklevel=2)
    axes = ("z", "y", "x") if len(own_shape) == 3 else ("y", "x")
    table = np.zeros(
        len(found["id"]), dtype=[("id", np.int64), ("frame", np.int64), *((axis, np.float64) for axis in axes)]
    )
    table["id"], table["frame"] = found["id"], found["record"]
    for axis in axes:
        table[axis] = found[axis]
    return table


def fit_tracks(
    tracks: Any,
    *,
    steps_per_frame: Whole,
    site: float | None = None,
    fixed: Any = None,
    fit: Sequence[str] = (),
    ranges: Mapping[str, tuple[float, float]] | None = None,
    shape: Iterable[Whole] | None = None,
    counts: Iterable[Whole] = (1,),
    grown: Whole | None = None,
    burn_in: Whole = 500,
    torus: bool = False,
    order: str = "random-sequential",
    acceptance: str = "metropolis",
    connected: bool = False,
    seed: Whole = 1,
    threads: Whole = 0,
) -> TracksFit:
    """Fits the Cellular Potts model to tracks of cells' centroids by a synthetic likelihood, as `glauber cells fit` does on the
    command line: the speed, the mean squared displacement and the velocities' correlation of simulated cells beside those of the tracks.

    Parameters
    ----------
    tracks : table, array [point, 4 or 5], or path
        Columns id, time, x, y [, z]; or rows of these.
    steps_per_frame : int
        How many Monte Carlo steps there are from frame to frame.
    site : float, optional
        The length of a site in the tracks' unit; 1 where nobody says.
    fixed : dict
        What is known, in units of T.
    fit : sequence of str
        What is fitted; act_strength and max_act where nobody says.
    ranges : dict, optional
        Between which numbers an unknown is looked for.
    shape, counts, grown, burn_in, order, acceptance, connected :
        How cells are simulated, as `simulate_tracks` has it.
    torus : bool
        The tracks are folded at the edges of the lattice.
    seed, threads : int
        The noise; 0 threads for all cores. The result does not depend on them.

    Raises
    ------
    InputError
        For tracks and names that do not fit together.
    """
    file = path_text(tracks) if isinstance(tracks, (str, os.PathLike)) else None
    own_ranges = [
        (str(name), (real(ends[0], f"ranges[{name!r}]"), real(ends[1], f"ranges[{name!r}]")))
        for name, ends in _pairs(ranges)
    ]
    told_of, words = _glauber.cells_fit_tracks(
        None if file is not None else tracks_of(tracks, ())[0],
        file,
        None if site is None else real(site, "site"),
        bool(torus),
        _setting(_wholes(shape, "shape") or [], counts, grown, burn_in, steps_per_frame),
        texts(fit, "fit"),
        own_ranges,
        _parameters(fixed, "fixed"),
        str(order),
        str(acceptance),
        bool(connected),
        seed_of(seed),
        whole(threads, "threads", 0, 1024),
    )
    found = json.loads(told_of)
    found.pop("out")
    parameters = found["parameters"]
    return TracksFit(
        {name: one["estimate"] for name, one in parameters.items()},
        {name: one["standard_error"] for name, one in parameters.items()},
        {name: one["interval"] and tuple(one["interval"]) for name, one in parameters.items()},
        found["fixed"],
        found["describes"],
        found["verdict"],
        found["notes"],
        found["numbers"],
        found["observed"],
        found["simulated"],
        found,
        words.rsplit("\n\n", 1)[0],
    )


def _setting(shape: list[int], counts: Any, grown: Any, burn_in: Any, steps_per_frame: Any) -> tuple[Any, ...]:
    return (
        shape,
        _wholes(counts, "counts") or [],
        None if grown is None else whole(grown, "grown", 0, 2**32),
        whole(burn_in, "burn_in"),
        whole(steps_per_frame, "steps_per_frame", 1, 2**32),
    )


def _pairs(ranges: Any) -> list[tuple[Any, tuple[Any, Any]]]:
    if ranges is None:
        return []
    if not isinstance(ranges, Mapping):
        raise TypeError(f"the ranges are {told(ranges)}: give {{'act_strength': (1, 60)}}")
    for name, ends in ranges.items():
        if isinstance(ends, (str, bytes)) or not isinstance(ends, Iterable) or len(list(ends)) != 2:
            raise InputError(f"the range of {name!r} is {told(ends)}: give (low, high)")
    return [(name, tuple(ends)) for name, ends in ranges.items()]


def log_density(
    labels: Any,
    types: Any = None,
    *,
    priors: Mapping[str, str] | None = None,
    torus: bool = False,
    coarsen: Whole = 1,
    frames: tuple[Whole, Whole] | None = None,
    every: Whole = 1,
    acceptance: str = "metropolis",
    connected: bool = False,
    fit: Sequence[str] = (),
    fixed: Any = None,
    array: str | None = None,
    channel: Whole | None = None,
    depth: Whole | None = None,
    threads: Whole = 0,
) -> LogDensity:
    """ln likelihood + ln prior of labels over time by the unknown coefficients, as `glauber.log_density` gives it of a task:
    for `posterior`, `profile` and any sampler. Parameters are those of `fit`. Every coefficient needs a prior, such as
    "normal(0, 5)" or "half-normal(5)": none has two ends.
    """
    given = (labels, types, bool(torus), coarsen, frames, every, str(acceptance), bool(connected))
    return LogDensity(_density_of, (given, list(fit), fixed, (array, channel, depth), priors_of(priors), threads))


def _density_of(given: Any, fit: Any, fixed: Any, of_file: Any, priors: Mapping[str, str], threads: Any) -> Any:
    labels, types, torus, coarsen, frames, every, acceptance, connected = given
    own, shape, file = _labels(labels, _FRAMES, *of_file)
    return _glauber.cells_log_density(
        own,
        shape,
        file,
        *_types(types),
        torus,
        whole(coarsen, "coarsen", 1, 2**32),
        None if frames is None else _range(frames),
        whole(every, "every", 1, 2**32),
        acceptance,
        connected,
        texts(fit, "fit"),
        _parameters(fixed, "fixed"),
        list(priors.items()),
        whole(threads, "threads", 0, 1024),
    )


def _wholes(value: Any, what: str) -> list[int] | None:
    if value is None:
        return None
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise TypeError(f"{what} is {told(value)}: give whole numbers, as (64, 64)")
    return [whole(one, what, 0, 2**62) for one in value]


def _range(frames: Any) -> tuple[int, int]:
    own = _wholes(frames, "frames") or []
    if len(own) != 2 or own[0] >= own[1]:
        raise InputError(f"frames is {told(frames)}: give (from, to), as (0, 3) for the frames 0, 1 and 2")
    return own[0], own[1]


def _parameters(params: Any, what: str) -> list[tuple[str, float]]:
    """Coefficients by name; of a fit its estimates and what was fixed."""
    if isinstance(params, (CellsFit, TracksFit)):
        unsaid = [name for name, value in params.params.items() if value is None]
        if unsaid:
            names = ", ".join(f"`{name}`" for name in unsaid)
            raise InputError(f"{what}: the data of this fit do not determine {names}: give a dict with numbers for all coefficients")
        params = {**params.fixed, **params.params}
    own = named_numbers(params, what)
    return [(str(name), real(value, f"{what}[{name!r}]")) for name, value in own.items()]


def _labels(
    labels: Any, axes: Any, array: str | None = None, channel: Any = None, depth: Any = None
) -> tuple[np.ndarray | None, list[int], Any]:
    """Flat labels and the shape of a frame; or a file."""
    if isinstance(labels, (str, os.PathLike)):
        channel = None if channel is None else whole(channel, "channel", 0, 2**32)
        depth = None if depth is None else whole(depth, "depth", 0, 2**32)
        return None, [], (path_text(labels), array, channel, depth)
    if array is not None or channel is not None or depth is not None:
        raise InputError("array, channel and depth are of a file: leave them out, or give labels by their path")
    given = numbers("the labels", labels, axes=axes)
    if given.ndim not in {len(own) for own in axes}:
        wanted = " or ".join("[" + ", ".join(own) + "]" for own in axes)
        raise InputError(f"the labels have shape {given.shape}: give {wanted}")
    if (far := np.abs(given, dtype=np.float64) >= 2**53).any():
        place = tuple(int(i) for i in np.argwhere(far)[0])
        raise InputError(
            f"the labels hold {int(given[place])} at {place}: labels above 2^53 are not told apart; number the cells anew, as by "
            "np.unique(labels, return_inverse=True)"
        )
    whole_numbers = given.astype(np.int64)
    if given.dtype.kind == "f" and (whole_numbers != given).any():
        place = tuple(int(i) for i in np.argwhere(whole_numbers != given)[0])
        raise InputError(f"the labels hold {given[place]} at {place}: labels are whole numbers")
    shape = given.shape[1:] if "time" in axes[0] else given.shape
    return whole_numbers.reshape(-1), list(shape), None


def _types(types: Any) -> tuple[Any, str | None]:
    """Rows of label and type with the names of types; or a file."""
    if types is None or isinstance(types, (str, os.PathLike)):
        return None, None if types is None else path_text(types)
    if isinstance(types, Mapping) and not {"label", "type"} <= set(types):
        pairs = list(types.items())
    elif hasattr(types, "items") and hasattr(types, "index") and not hasattr(types, "columns"):
        pairs = list(types.items())  # A series of pandas: its index has the labels.
    elif (table := columns(types, "the types")) is not None:
        if not {"label", "type"} <= set(table):
            raise InputError(
                f"the types have the columns {', '.join(map(str, table))}: name two of them label and type"
            )
        pairs = list(zip(table["label"], table["type"]))
    elif not isinstance(types, Iterable):
        raise TypeError(f"the types are {told(types)}: give {{label: type}}, or [0, 1, 2, …] by label")
    else:
        pairs = list(enumerate(types))
        if pairs and not isinstance(pairs[0][1], str) and pairs[0][1] == 0:
            pairs = pairs[1:]
        else:
            raise InputError("types by label begin with the medium's, 0: give [0, 1, 2, …], or {label: type}")
    labels = [whole(label, "a label of the types", 0) for label, _ in pairs]
    kinds = [kind for _, kind in pairs]
    if all(isinstance(kind, str) for kind in kinds):
        called = sorted(set(kinds))
        if len(called) > 255:
            raise InputError(f"the types have {len(called)} names: at most 255 are possible")
        return (list(zip(labels, (called.index(kind) + 1 for kind in kinds))), called), None
    if any(isinstance(kind, str) for kind in kinds):
        raise InputError("the types hold names and numbers: give numbers from 1, or names, not both")
    numbered = [whole(kind, f"the type of label {label}", 0, 255) for label, kind in zip(labels, kinds)]
    most = max(numbered, default=1)
    return (list(zip(labels, numbered)), [str(kind) for kind in range(1, most + 1)]), None

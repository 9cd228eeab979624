"""Fits models to data, and holds what was found."""

from __future__ import annotations

import html
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glauber import _glauber
from glauber._arrays import memory_of, path_text, run_fields, seed_of, whole
from glauber._glauber import InputError, __version__
from glauber._model import Layer, Model
from glauber._progress import Progress, progress_of
from glauber._simulation import picture_html, pyplot
from glauber._tasks import InitialState, Stability, Trajectory, Transition
from glauber._toml import document, text_of

Task = Transition | Trajectory | Stability | InitialState


@dataclass(frozen=True, eq=False)
class FitResult:
    """What a fit found."""

    model: str
    task: str
    params: dict[str, Any]
    """The estimates: a number for each parameter, an array of the lattice's shape for a field."""
    start: dict[str, float]
    """Where the parameters started."""
    standard_errors: dict[str, float | None]
    """The errors from the data, where the model has an exact likelihood and the fit ended at its minimum."""
    monte_carlo_errors: dict[str, float | None]
    """The errors from the simulation's noise alone, where an average was taken."""
    loss: float
    """The loss at the estimate: one evaluation, with its noise."""
    steps: int
    stopped: str
    """Why it ended: "steps", "tolerance", "plateau", "diverged" or "interrupted"."""
    stopped_because: str
    """The same in words."""
    seed: int
    trace: np.ndarray
    """Its history: a structured array with the fields step, loss, gradient_norm, rate, and the parameters."""
    notes: list[str]
    """What a person should know."""
    name: str = ""
    """The estimator, and the start where there are several."""
    caveat: str | None = None
    """What its estimates are known to be off by."""
    starts: list[FitResult] = field(default_factory=list, repr=False)
    """The fits from all starts, where there are several; the best is this one."""
    compared: list[FitResult] = field(default_factory=list, repr=False)
    """The fits for comparison."""
    starting_sites: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    """Of a fitted initial state: by layer the sites it most likely started from."""
    truth: dict[str, float] = field(default_factory=dict)
    """The true parameters, where the data were simulated."""
    seconds: float = 0.0
    version: str = __version__

    @property
    def dataframe(self) -> Any:
        """The trace as a pandas DataFrame."""
        try:
            import pandas
        except ImportError:
            raise ImportError(
                "result.dataframe needs pandas: pip install pandas; result.trace is the same as a NumPy array"
            ) from None
        return pandas.DataFrame({name: self.trace[name] for name in self.trace.dtype.names or ()})

    def to_json(self) -> dict[str, Any]:
        """The result as `glauber fit --json` prints it, without its `out`."""

        def one(name: str) -> dict[str, Any]:
            own = {
                "estimate": self.params[name],
                "standard_error": self.standard_errors[name],
                "start": self.start[name],
            }
            error = self.monte_carlo_errors[name]
            return own if error is None else {**own, "monte_carlo_error": error}

        return {
            "model": self.model,
            "task": self.task,
            "parameters": {n: one(n) for n in self.params if n in self.start},
            "loss": self.loss,
            "steps": self.steps,
            "stopped": self.stopped,
            "seed": self.seed,
            "seconds": self.seconds,
            "version": self.version,
        }

    def plot(self, axes: Any = None) -> Any:
        """Draws the loss and the parameters over the steps with Matplotlib, and gives the axes."""
        names = [n for n in self.trace.dtype.names or () if n not in ("step", "gradient_norm", "rate")]
        if axes is None:
            columns = min(3, len(names))
            rows = -(-len(names) // columns)
            _, axes = pyplot().subplots(
                rows, columns, figsize=(4 * columns, 3 * rows), squeeze=False, layout="constrained"
            )
        axes = np.atleast_1d(np.asarray(axes, dtype=object)).reshape(-1)
        for ax, name in zip(axes, names):
            ax.plot(self.trace["step"], self.trace[name], lw=1)
            if name in self.truth:
                ax.axhline(self.truth[name], color="k", ls=":", lw=1)
            losses = self.trace["loss"]
            if name == "loss" and (losses > 0).all() and losses.max() > 10 * losses.min():
                ax.set_yscale("log")
            ax.set(xlabel="step", title=name)
        for ax in axes[len(names) :]:
            ax.set_visible(False)
        return axes

    def _line(self, name: str) -> str:
        value = self.params[name]
        if isinstance(value, np.ndarray):
            return f"{name}: {value.shape}, mean {value.mean():.5g}"
        errors = [
            e for e in (self.standard_errors.get(name), self.monte_carlo_errors.get(name)) if e is not None
        ]
        error = f" ± {np.hypot.reduce(errors):.2g}" if errors else ""
        truth = f", true {self.truth[name]:g}" if name in self.truth else ""
        return f"{name} = {value:.6g}{error}{truth}"

    def __repr__(self) -> str:
        lines = [
            f"FitResult of {self.model!r}, {self.name or self.task}: {self.stopped_because} ({self.steps} steps), loss {self.loss:.6g}"
        ]
        lines += [f"  {self._line(name)}" for name in self.params]
        lines += [f"  {note}" for note in ([f"known bias: {self.caveat}"] if self.caveat else [])]
        for other in self.compared:
            lines += [f"  compared, {other.name}: " + ", ".join(other._line(n) for n in other.params)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{html.escape(self._line(n))}</td></tr>" for n in self.params)
        pictures = "".join(
            picture_html(v, Layer("real", 0, 1), html.escape(n))
            for n, v in self.params.items()
            if isinstance(v, np.ndarray)
        )
        head = f"<b>{html.escape(self.model)}</b>, {html.escape(self.name or self.task)}: {html.escape(self.stopped_because)}"
        return f"<div>{head}<table>{rows}</table>{pictures}<small>loss {self.loss:.6g} after {self.steps} steps</small></div>"


class FitInterrupted(KeyboardInterrupt):
    """A fit that was stopped by Ctrl-C; `result` is what it had found so far."""

    result: FitResult

    def __reduce__(self) -> Any:
        return _interrupted, (self.result,)


def _interrupted(result: FitResult) -> FitInterrupted:
    error = FitInterrupted("the fit was stopped; the exception's .result holds what it had found")
    error.result = result
    return error


class Objective:
    """The loss of a task as a function of the fitted parameters; made by `objective`.

    A call gives (loss, gradient), as `scipy.optimize.minimize(f, f.x0, jac=True, bounds=f.bounds)` wants it. The noise is
    that of one iteration: the same θ gives the same numbers.
    """

    def __init__(self, native: _glauber.Objective, seed: int) -> None:
        self._native = native
        self.names: list[str] = [name for name, _, _, _ in native.unknowns]
        """The fitted parameters, in the order of θ."""
        self.bounds: list[tuple[float, float]] = []
        """The interval of every number of θ."""
        for _, low, high, shape in native.unknowns:
            self.bounds += [(low, high)] * (1 if shape is None else int(np.prod(shape)))
        self.x0: np.ndarray = native.start
        """Where a fit starts."""
        self.iteration = 0
        """Which noise is used."""

    def _theta(self, theta: Any) -> np.ndarray:
        array = np.ascontiguousarray(theta, dtype=float).reshape(-1)
        if array.size != len(self.bounds):
            raise InputError(f"θ has {array.size} numbers: give {len(self.bounds)}, {', '.join(self.names)}")
        return array

    def __call__(self, theta: Any) -> tuple[float, np.ndarray]:
        value, gradient = self._native.evaluate(self._theta(theta), self.iteration, True)
        return value, np.asarray(gradient)

    def value(self, theta: Any) -> float:
        """The loss alone."""
        return self._native.evaluate(self._theta(theta), self.iteration, False)[0]


def _result(
    own: Mapping[str, Any], model: str, task: str, truth: Mapping[str, float], seconds: float
) -> FitResult:
    columns = ["step", "loss", "gradient_norm", "rate", *own["columns"]]
    kinds = [(name, np.int64 if name == "step" else np.float64) for name in columns]
    rows = np.asarray(own["trace"]).reshape(-1, len(columns))
    trace = np.zeros(len(rows), dtype=kinds)
    for place, name in enumerate(columns):
        trace[name] = rows[:, place]
    estimates = own["estimates"]
    params: dict[str, Any] = {name: value for name, value, *_ in estimates}
    params.update({name: np.asarray(values).reshape(shape) for name, shape, values in own["fields"]})
    return FitResult(
        model=model,
        task=task,
        params=params,
        start={e[0]: e[2] for e in estimates},
        standard_errors={e[0]: e[3] for e in estimates},
        monte_carlo_errors={e[0]: e[4] for e in estimates},
        loss=own["loss"],
        steps=own["steps"],
        stopped=own["stopped"],
        stopped_because=own["stopped_because"],
        seed=own["seed"],
        trace=trace,
        notes=list(own["notes"]),
        name=own["name"],
        caveat=own["caveat"],
        truth={n: v for n, v in truth.items() if n in params},
        seconds=seconds,
    )


def _add_start_map(best: FitResult, state: tuple[np.ndarray, Any]) -> None:
    """Puts probabilities in place of the weights that were fitted, and the sites they speak for."""
    fitted, refined = state
    names = list(best.params)
    shape = best.params[names[0]].shape
    for name, values in zip(names, np.asarray(fitted).reshape(len(names), *shape)):
        best.params[name] = best.params[f"fitted {name}"] = values
    if refined is not None:
        maps, sites, moved = refined
        for name, values in zip(names, np.asarray(maps).reshape(len(names), *shape)):
            best.params[name] = values
        for name, own in zip(names, sites):
            layer = name.removeprefix("start of ")
            best.starting_sites[layer] = [tuple(int(i) for i in np.unravel_index(s, shape)) for s in own]
        if not moved:
            best.notes.append("the map of probabilities is as the gradient left it: nothing was refined")


def _collected(
    found: Mapping[str, Any], raised: BaseException | None, model: str, task: str, seconds: float
) -> FitResult:
    truth = found.get("truth", {})
    all_results = [
        (own["comparison"], _result(own, model, task, truth, seconds)) for own in found["attempts"]
    ]
    own = [r for comparison, r in all_results if not comparison]
    best: FitResult = own[found["best"]]
    if found["state"] is not None:
        _add_start_map(best, found["state"])
    best.notes[:0] = found.get("about", [])
    best.compared.extend(r for comparison, r in all_results if comparison)
    if len(own) > 1:
        best.starts.extend(own)
    if raised is not None:
        if isinstance(raised, KeyboardInterrupt):
            raise _interrupted(best) from None
        raise raised
    return best


@contextmanager
def _request(
    model: Model, given: dict[str, Any], text: Callable[[dict[str, Any]], str], fields: Any, threads: int
) -> Iterator[dict[str, Any]]:
    """The request of a fit; tracks that are in memory lie in a temporary file meanwhile."""
    request = {
        "path": "fit",
        "overrides": [],
        "model": None if model._recipe and not fields else model._native,
        "covariates": run_fields(model, fields, 1),
        "arrays": given.get("arrays"),
        "curve": given.get("curve"),
        "threads": whole(threads, "threads", 0, 1024),
    }
    if "tracks_csv" not in given:
        yield {**request, "text": text(given["data"])}
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tracks.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write(given["tracks_csv"])
        yield {**request, "text": text({**given["data"], "tracks": path})}


def _tables(settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The tables of a fit file that do not speak of data."""
    optimizer = settings["optimizer"]
    optimizer = {"name": optimizer} if isinstance(optimizer, str) else dict(optimizer)
    for key in ("steps", "learning_rate", "replicates", "batch", "average"):
        if settings[key] is not None:
            optimizer[key] = settings[key]
    estimator = settings["estimator"]
    estimator = {"name": estimator} if estimator is None or isinstance(estimator, str) else dict(estimator)
    return {
        "estimator": {**estimator, "compare": list(settings["compare"]) or None},
        "optimizer": {key.replace("_", "-"): value for key, value in optimizer.items()},
        "run": {
            "seed": seed_of(settings["seed"]),
            "memory": memory_of(settings["memory"]),
            "precision": settings["precision"],
        },
    }


def _document(
    model: Model, given: dict[str, Any], start: Any, fixed: Any, settings: Mapping[str, Any]
) -> Callable[[dict[str, Any]], str]:
    name, options = model._recipe or ("own-model", {})
    tables = _tables({**settings, "compare": given["compare"]})
    fixed = {**given.get("fixed", {}), **(fixed or {})}

    def text(data: dict[str, Any]) -> str:
        rest = {"data": data, "loss": given["loss"], "start": start or {}, "fixed": fixed, **tables}
        if options:
            rest["model-options"] = options
        return document({"model": name, "task": given["task"]}, rest)

    return text


def _check_start(start: Any, fixed: Any) -> None:
    for what, given in (("start", start), ("fixed", fixed)):
        if given is not None and not isinstance(given, Mapping):
            raise TypeError(f"{what} is {given!r}: give a dictionary {{parameter: number}}")


def _check_task(model: Any, task: Any) -> None:
    if not isinstance(model, Model):
        raise TypeError(
            f'the model is {model!r}: give a glauber.Model, as glauber.load("susceptible-infected")'
        )
    if not isinstance(task, (Transition, Trajectory, Stability, InitialState)):
        raise TypeError(
            f"the task is {type(task).__name__}: give glauber.Transition(states), glauber.Trajectory(…), "
            "glauber.Stability(pattern) or glauber.InitialState(states)"
        )


def fit(
    model: Model,
    task: Task,
    start: Mapping[str, Any] | None = None,
    *,
    fixed: Mapping[str, float] | None = None,
    fields: Mapping[str, Any] | None = None,
    estimator: str | Mapping[str, Any] | None = None,
    optimizer: str | Mapping[str, Any] = "adam",
    learning_rate: float | None = None,
    steps: int | None = None,
    replicates: int | None = None,
    batch: int | None = None,
    average: float | None = None,
    seed: int = 1,
    threads: int = 0,
    precision: str = "f32",
    memory: int | str = "1 GiB",
    progress: bool | Callable[..., Any] | None = None,
) -> FitResult:
    """Fits a model's parameters (or its initial state) to data.

    The same fit as `glauber fit` on the command line, to the last bit.

    Parameters
    ----------
    model : Model
    task : Transition, Trajectory, Stability or InitialState
        The data and the loss.
    start : dict, optional
        Where the parameters start, by name; a list of numbers gives several starts. By default their defaults.
    fixed : dict, optional
        Parameters that are not fitted.
    fields : dict, optional
        Covariates: arrays of the lattice's shape.
    estimator : str or dict, optional
        What a draw's gradient is taken to be, as in `rollout`, or {"name": …, "temperature": …}; by default the task's.
    optimizer : str or dict
        "adam", "sgd", "rprop" …, or without gradients "nelder-mead", "cma-es"; with options {"name": …, "map": …}.
    learning_rate, steps, replicates, batch : optional
        The size of a step, the most steps, rollouts and data per gradient.
    average : float, optional
        The share of the steps, at the end, over which the estimate is averaged.
    seed, threads, precision, memory
        As in `rollout`.
    progress : bool or callable, optional
        False for silence. By default a line in a terminal or notebook. A callable gets (attempt, step, steps, loss, names,
        values) now and then; what it raises stops the fit.

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
    _check_task(model, task)
    _check_start(start, fixed)
    begin = time.perf_counter()
    settings = dict(
        estimator=estimator,
        optimizer=optimizer,
        learning_rate=learning_rate,
        steps=steps,
        replicates=replicates,
        batch=batch,
        average=average,
        seed=seed,
        precision=precision,
        memory=memory,
    )
    show = progress_of(progress)
    try:
        given = task._given(model)
        with _request(
            model, given, _document(model, given, start, fixed, settings), fields, threads
        ) as request:
            found, raised = _glauber.fit_file(request, show)
        return _collected(found, raised, model.name, given["task"], time.perf_counter() - begin)
    finally:
        if isinstance(show, Progress):
            show.close()


def objective(
    model: Model,
    task: Task,
    start: Mapping[str, Any] | None = None,
    *,
    fixed: Mapping[str, float] | None = None,
    fields: Mapping[str, Any] | None = None,
    estimator: str | Mapping[str, Any] | None = None,
    replicates: int | None = None,
    batch: int | None = None,
    seed: int = 1,
    threads: int = 0,
    precision: str = "f32",
    memory: int | str = "1 GiB",
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
    _check_task(model, task)
    _check_start(start, fixed)
    settings = dict(
        estimator=estimator,
        optimizer="adam",
        learning_rate=None,
        steps=None,
        replicates=replicates,
        batch=batch,
        average=None,
        seed=seed,
        precision=precision,
        memory=memory,
    )
    given = task._given(model)
    with _request(model, given, _document(model, given, start, fixed, settings), fields, threads) as request:
        return Objective(_glauber.objective_of_file(request), seed)


def fit_file(
    path: str | os.PathLike[str],
    overrides: Mapping[str, Any] | None = None,
    *,
    threads: int | None = None,
    progress: bool | Callable[..., Any] | None = None,
) -> FitResult:
    """Runs a fit file, as `glauber fit` does, without writing anything.

    Parameters
    ----------
    path : path
        The fit file.
    overrides : dict, optional
        Values in place of the file's, by "table.key", as {"optimizer.steps": 100, "run.seed": 2}.
    """
    begin = time.perf_counter()
    request = {
        "text": None,
        "path": path_text(path),
        "overrides": [f"{key}={text_of(value)}" for key, value in (overrides or {}).items()],
        "model": None,
        "covariates": [],
        "arrays": None,
        "curve": None,
        "threads": threads,
    }
    show = progress_of(progress)
    try:
        found, raised = _glauber.fit_file(request, show)
    finally:
        if isinstance(show, Progress):
            show.close()
    return _collected(found, raised, found["model"], found["task"], time.perf_counter() - begin)

"""Holds what a fit found, and reads it from what the native module hands over."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from glauber._arrays import path_text
from glauber._errors import InputError
from glauber._over_time import Curves, grid
from glauber._glauber import __version__
from glauber._model import Layer
from glauber._simulation import picture_html


@dataclass(frozen=True, eq=False)
class Formation:
    """The pattern-formation tests of a fit (`run.formation-test` of a fit file): rollouts from the model's own start."""

    claim: str
    """What they say together."""
    verdict: str | None
    """That of the last."""
    steps: int
    """Of each rollout."""
    rollouts: int
    """Of each test."""
    tests: list[dict[str, Any]]
    """For each its step of the fit, verdict, patterns (of how many rollouts), variance, correlation, mean_wave_number, and
    the last states of the median rollout, `layers` {layer: array}."""

    def to_json(self) -> dict[str, Any]:
        """The tests as `glauber fit --json` prints them, without the states."""
        tests = [{n: v for n, v in test.items() if n != "layers"} for test in self.tests]
        own = {"verdict": self.verdict, "claim": self.claim, "steps": self.steps, "rollouts": self.rollouts}
        return {**own, "tests": tests}

    @staticmethod
    def _read(found: Mapping[str, Any] | None) -> Formation | None:
        if not found or not found["tests"]:
            return None
        layers, shape = found["layers"], tuple(found["shape"])

        def one(test: Mapping[str, Any]) -> dict[str, Any]:
            states = {n: np.asarray(v).reshape(shape) for n, v in zip(layers, test["layers"])}
            return {**test, "layers": states}

        tests = [one(test) for test in found["tests"]]
        return Formation(found["claim"], found["verdict"], found["steps"], found["rollouts"], tests)


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
    """The errors of the estimates, where the loss is an exact likelihood, the fit came to rest at its optimum and the data
    determine the parameter; else None."""
    simulation_noise: dict[str, float | None]
    """How far the simulation's noise still moves the estimates, where an average was taken. No errors: the data's own
    uncertainty is not in them."""
    loss: float
    """The loss at the estimate: one evaluation, with its noise."""
    steps: int
    stopped: str
    """Why it ended: "steps", "tolerance", "plateau" or "interrupted"; "diverged" only among `starts` and `compared`."""
    stopped_because: str
    """The same in words."""
    seed: int
    trace: np.ndarray
    """Its history: a structured array with the fields step, loss, gradient_norm, rate, and the parameters; one of those
    names again (a parameter called `rate`) is `rate (parameter)`."""
    notes: list[str]
    """What a person must know, worst first."""
    verdict: str = ""
    """What is known of the fit as a whole: whether it came to rest, what the data do not determine."""
    at_optimum: bool | None = None
    """Whether it came to rest at an optimum; None where nothing tells."""
    likelihood: str | None = None
    """By which route the likelihood was computed ("exact"); None where the loss is none."""
    no_error_because: dict[str, str] = field(default_factory=dict)
    """Why an estimate has no error, of those that have none."""
    words: dict[str, str] = field(default_factory=dict, repr=False)
    """Every estimate in words, with its error or why it has none."""
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
    refined: bool = False
    """Of a fitted initial state: whether its map was refined by simulated likelihood, or is the gradient's."""
    formation: Formation | None = field(default=None, repr=False)
    """The pattern-formation tests, where the fit file asks for them."""
    truth: dict[str, float] = field(default_factory=dict)
    """The true parameters, where the data were simulated."""
    seconds: float = 0.0
    version: str = __version__
    curves: Curves | None = field(default=None, repr=False)
    """Of a trajectory fit: the summary over time of the data, at the start and at the end of the fit."""
    _outcome: Any = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_outcome": None}

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes what `glauber fit` writes into its folder: `result.json`, the traces and their picture, the curves of a
        trajectory, the maps of an initial state, the formation tests; of a fit file also `fit.toml`.

        Parameters
        ----------
        folder : path
            A new folder, or an empty one.
        """
        if self._outcome is None:
            raise InputError(
                "only what glauber.fit and glauber.fit_file returned is saved whole, in the process that ran the fit: save that "
                "result, or write result.to_json()"
            )
        self._outcome.write(path_text(folder))

    @property
    def monte_carlo_errors(self) -> dict[str, float | None]:
        """As `simulation_noise` was called before."""
        return self.simulation_noise

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
            noise = self.simulation_noise[name]
            own = {"estimate": self.params[name], "standard_error": self.standard_errors[name]}
            if own["standard_error"] is None:
                own["no_error_because"] = self.no_error_because[name]
            own = {**own, "simulation_noise": noise, "start": self.start[name]}
            return own if noise is None else {**own, "monte_carlo_error": noise}

        formed = {} if self.formation is None else {"formation": self.formation.to_json()}
        return {
            **formed,
            "model": self.model,
            "task": self.task,
            "parameters": {n: one(n) for n in self.params if n in self.start},
            "loss": self.loss,
            "steps": self.steps,
            "stopped": self.stopped,
            "seed": self.seed,
            "likelihood": self.likelihood,
            "at_optimum": self.at_optimum,
            "verdict": self.verdict,
            "notes": self.notes,
            "seconds": self.seconds,
            "version": self.version,
        }

    def plot(self, axes: Any = None) -> Any:
        """Draws the loss and the parameters over the steps with Matplotlib, and gives the axes. Of a trajectory fit first the
        data, its start and its end over time, as `result.curves.plot()` alone."""
        names = [n for n in self.trace.dtype.names or () if n not in ("step", "gradient_norm", "rate")]
        first = len(self.curves.data) if self.curves is not None else 0
        axes = grid(first + len(names)) if axes is None else axes
        axes = np.atleast_1d(np.asarray(axes, dtype=object)).reshape(-1)
        if self.curves is not None:
            self.curves.plot(axes[:first])
        for ax, name in zip(axes[first:], names):
            ax.plot(self.trace["step"], self.trace[name], lw=1)
            truth = self.truth.get(name.removesuffix(" (parameter)"))
            if truth is not None:
                ax.axhline(truth, color="k", ls=":", lw=1)
            losses = self.trace["loss"]
            if name == "loss" and (losses > 0).all() and losses.max() > 10 * losses.min():
                ax.set_yscale("log")
            ax.set(xlabel="step", title=name)
        for ax in axes[first + len(names) :]:
            ax.set_visible(False)
        return axes

    def _line(self, name: str) -> str:
        value = self.params[name]
        if isinstance(value, np.ndarray):
            return f"{name}: {value.shape}, mean {value.mean():.5g}"
        truth = f", true {self.truth[name]:g}" if name in self.truth else ""
        return f"{self.words[name]}{truth}"

    def _remarks(self) -> list[str]:
        """What stands below the estimates: the notes, without the verdict, which stands above."""
        said = self.caveat and any(note.endswith(self.caveat) for note in self.notes)
        about = [f"of {self.name}: {self.caveat}"] if self.caveat and not said else []
        return [note for note in self.notes if note != self.verdict] + about

    def _sites(self) -> list[str]:
        """Where a fitted initial state most likely started, by layer."""
        lines = []
        for layer, sites in self.starting_sites.items():
            probability = self.params.get(f"start of {layer}")
            each = [
                f"{site}" if probability is None else f"{site} (probability {float(probability[site]):.2f})"
                for site in sites[:MOST_SITES]
            ]
            more = f" and {len(sites) - MOST_SITES} more" if len(sites) > MOST_SITES else ""
            where = ", ".join(each) + more
            said = f"most likely started at {where}" if each else "no site is likely to have started it"
            lines.append(f"{layer}: {said}")
        return lines

    def __repr__(self) -> str:
        lines = [
            f"FitResult of {self.model!r}, {self.name or self.task}: {self.verdict}"
            f" ({self.stopped_because}, {self.steps} steps, loss {self.loss:.6g})"
        ]
        lines += [f"  {self._line(name)}" for name in self.params]
        lines += [f"  {line}" for line in self._sites()]
        lines += [f"  note: {note}" for note in self._remarks()]
        for other in self.compared:
            lines += [f"  compared, {other.name}: " + "; ".join(other._line(n) for n in other.params)]
            lines += [f"    note: {note}" for note in other.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        told = [*(self._line(n) for n in self.params), *self._sites()]
        rows = "".join(f"<tr><td>{html.escape(line)}</td></tr>" for line in told)
        pictures = "".join(
            picture_html(v, Layer("real", 0, 1), n)
            for n, v in self.params.items()
            if isinstance(v, np.ndarray)
        )
        head = f"<b>{html.escape(self.model)}</b>, {html.escape(self.name or self.task)}: {html.escape(self.verdict)}"
        curves = self.curves._repr_html_() if self.curves is not None else ""
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self._remarks())
        foot = f"<small>{html.escape(self.stopped_because)}; loss {self.loss:.6g} after {self.steps} steps</small>"
        return f"<div>{head}<table>{rows}</table>{pictures}{curves}<ul>{notes}</ul>{foot}</div>"


MOST_SITES = 8
"""The most starting sites that are printed."""


class FitInterrupted(KeyboardInterrupt):
    """A fit that was stopped by Ctrl-C; `result` is what it had found so far."""

    result: FitResult

    def __reduce__(self) -> Any:
        return _interrupted, (self.result,)


def _interrupted(result: FitResult) -> FitInterrupted:
    error = FitInterrupted("the fit was stopped; the exception's .result holds what it had found")
    error.result = result
    return error


def _read(own: Mapping[str, Any], found: Mapping[str, Any], seconds: float) -> FitResult:
    """One of the fits that ran."""
    columns = ["step", "loss", "gradient_norm", "rate", *own["columns"]]
    kinds = [(name, np.int64 if name == "step" else np.float64) for name in columns]
    rows = np.asarray(own["trace"]).reshape(-1, len(columns))
    trace = np.zeros(len(rows), dtype=kinds)
    for place, name in enumerate(columns):
        trace[name] = rows[:, place]
    estimates = own["estimates"]
    formation = Formation._read(own["formation"])
    params: dict[str, Any] = {name: value for name, value, *_ in estimates}
    params.update({name: np.asarray(values).reshape(shape) for name, shape, values in own["fields"]})
    return FitResult(
        model=found["model"],
        task=found["task"],
        params=params,
        start={e[0]: e[2] for e in estimates},
        standard_errors={e[0]: e[3] for e in estimates},
        simulation_noise={e[0]: e[4] for e in estimates},
        words={e[0]: e[5] for e in estimates},
        no_error_because={e[0]: e[6] for e in estimates if e[3] is None},
        loss=own["loss"],
        steps=own["steps"],
        stopped=own["stopped"],
        stopped_because=own["stopped_because"],
        seed=own["seed"],
        trace=trace,
        notes=[*own["notes"], *([formation.claim] if formation else [])],
        verdict=own["verdict"],
        at_optimum=own["at_optimum"],
        likelihood=own["likelihood"],
        formation=formation,
        name=own["name"],
        caveat=own["caveat"],
        truth={n: v for n, v in found["truth"].items() if n in params},
        seconds=seconds,
    )


def _with_start_map(best: FitResult, state: tuple[np.ndarray, Any]) -> FitResult:
    """The result with probabilities in place of the weights that were fitted, and the sites they speak for."""
    fitted, refined = state
    names, params, notes = list(best.params), dict(best.params), list(best.notes)
    shape = params[names[0]].shape

    def by_name(flat: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(names, np.asarray(flat).reshape(len(names), *shape)))

    params.update({f"fitted {name}": values for name, values in by_name(fitted).items()})
    maps, sites, moved = refined if refined is not None else (fitted, [], False)
    params.update(by_name(maps))
    if not moved:
        notes.append("the map of probabilities is as the gradient left it: nothing was refined")
    return replace(
        best,
        params=params,
        notes=notes,
        refined=moved,
        starting_sites={
            name.removeprefix("start of "): [tuple(int(i) for i in np.unravel_index(s, shape)) for s in own]
            for name, own in zip(names, sites)
        },
    )


def _with_curves(best: FitResult, curves: Mapping[str, Any] | None) -> FitResult:
    """The result with the curves of a trajectory fit, or with why there are none."""
    if curves is None:
        return best
    if "why" in curves:
        return replace(best, notes=[*best.notes, f"no curves of the fit: {curves['why']}"])
    return replace(best, curves=Curves.of(curves))


def collected(found: Mapping[str, Any], raised: BaseException | None, seconds: float) -> FitResult:
    """The best of the fits that ran, with all others; raises what stopped them, a Ctrl-C with the result."""
    results = [(one["comparison"], _read(one, found, seconds)) for one in found["attempts"]]
    own = [r for comparison, r in results if not comparison]
    best: FitResult = own[found["best"]]
    if found["state"] is not None:
        best = _with_start_map(best, found["state"])
    best = _with_curves(best, found["curves"])
    best.notes.extend([found["best_of"]] if found["best_of"] else [])
    best.notes.extend([*found["data_notes"], *found["about"]])
    best.compared.extend(r for comparison, r in results if comparison)
    if len(own) > 1:
        best.starts.extend(own)
    best = replace(best, _outcome=found["outcome"])
    if raised is not None:
        if isinstance(raised, KeyboardInterrupt):
            raise _interrupted(best) from None
        raise raised
    return best

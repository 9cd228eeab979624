"""Makes likelihoods with priors functions of the parameters, draws from their posteriors, and profiles them."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glauber import _glauber
from glauber._arrays import names as texts
from glauber._arrays import numbers, real, seed_of, theta_of, told, whole
from glauber._errors import InputError
from glauber._fit_request import fit_request, warn_of_reading
from glauber._kinds import Whole
from glauber._model import Model
from glauber._observation import Experiment, Observation
from glauber._over_time import grid
from glauber._tasks import Task
from glauber._workers import heard_of, workers_of

Observed = Observation | Experiment | Sequence[Observation] | Sequence[Experiment]



class Transform:
    """Parameters to free coordinates, each on the whole line, and back: log-odds between two ends, the logarithm of the
    distance from one."""

    def __init__(self, density: LogDensity) -> None:
        self._density = density

    def forward(self, theta: Any) -> np.ndarray:
        """Parameters → free coordinates."""
        return np.asarray(self._density._native.to_free(self._density._theta(theta)))

    def inverse(self, free: Any) -> np.ndarray:
        """Free coordinates → parameters."""
        return np.asarray(self._density._native.to_natural(self._density._flat(free))[0])

    def log_jacobian(self, free: Any) -> float:
        """ln |dθ/du|, which the density by free coordinates u has more."""
        return float(self._density._native.to_natural(self._density._flat(free))[1])


class LogDensity:
    """ln likelihood + ln prior by the fitted parameters; made by `log_density`.

    −inf outside the intervals, where a prior is 0 and where the data are impossible, never an exception. Parameters are an
    array in the order `names`, or a dictionary. By free coordinates (`transform`), with the Jacobian: `free` and
    `free_value_and_grad`. Calls from several threads at once are fine; a pickle carries the model and the data.
    """

    def __init__(self, make: Callable[..., Any], given: tuple[Any, ...]) -> None:
        self._made_of = (make, given)
        self._native = native = make(*given)
        rows = native.parameters
        self.names: list[str] = [row[0] for row in rows]
        """The parameters, in order."""
        self.bounds: list[tuple[float, float]] = [(row[1], row[2]) for row in rows]
        """Where each may be: its interval, where its prior is not 0."""
        self.x0: np.ndarray = np.array([row[3] for row in rows])
        """Where chains begin."""
        self.priors: dict[str, str] = {row[0]: row[4] for row in rows}
        """The priors, as they are written."""
        self.route, self.kind, self.has_gradient, self.observations = native.likelihood
        self.notes: list[str] = native.notes
        """What is to be known of the data."""
        self.transform = Transform(self)

    def _flat(self, given: Any) -> np.ndarray:
        return np.ascontiguousarray(np.asarray(given, dtype=float).reshape(-1))

    def _theta(self, theta: Any) -> np.ndarray:
        if isinstance(theta, (list, tuple, np.ndarray)) and getattr(theta, "dtype", np.dtype(float)).kind in "iuf":
            # Numbers that are none are outside, and no mistake: samplers try them.
            array = self._flat(theta)
        else:
            array = theta_of(theta, self.names, [1] * len(self.names)).reshape(-1)
        if array.size != len(self.names):
            raise InputError(f"θ has {array.size} numbers: give {len(self.names)}, {', '.join(self.names)}")
        return array

    def __call__(self, theta: Any, noise: int = 0) -> float:
        return self._native.value(self._theta(theta), False, noise)

    def value_and_grad(self, theta: Any) -> tuple[float, np.ndarray]:
        """The density and its derivatives by the parameters; these are NaN where it is −inf."""
        value, gradient = self._native.value_and_grad(self._theta(theta), False)
        return value, np.asarray(gradient)

    def free(self, free: Any, noise: int = 0) -> float:
        """The density by free coordinates, with their Jacobian."""
        return self._native.value(self._flat(free), True, noise)

    def free_value_and_grad(self, free: Any) -> tuple[float, np.ndarray]:
        """The same with its derivatives by them."""
        value, gradient = self._native.value_and_grad(self._flat(free), True)
        return value, np.asarray(gradient)

    def log_likelihood(self, theta: Any, noise: int = 0) -> float:
        """ln likelihood alone."""
        return self._native.log_likelihood(self._theta(theta), noise)

    def log_prior(self, theta: Any) -> float:
        """ln prior alone."""
        return self._native.log_prior(self._theta(theta))

    def why_impossible(self, theta: Any) -> str | None:
        """Why the likelihood is 0 there, where that can be said."""
        return self._native.why_impossible(self._theta(theta))

    def posterior(
        self,
        *,
        chains: Whole = 4,
        draws: Whole = 1000,
        warm_up: Whole = 1000,
        sampler: str | None = None,
        seed: Whole = 1,
        progress: Callable[[int, int], Any] | None = None,
        executor: Any = None,
    ) -> Posterior:
        """Draws from the posterior; `progress` is called with draws made and draws wanted, now and then.

        The workers of an `executor` walk the chains, each whole; the draws are the same.
        """
        counts = (whole(chains, "chains", 1, 10_000), whole(draws, "draws", 4, 10**9))
        how = (*counts, whole(warm_up, "warm_up", 20, 10**9), sampler, seed_of(seed))
        own, walked = workers_of(executor), None
        with heard_of(own) as heard:
            if own is not None:
                each = how[1] + how[2]
                seen = None if progress is None else (lambda done, all: progress(each * done, each * all))
                walked = own.map(_Chain(self, how), [(chain,) for chain in range(how[0])], "the log density", seen)
        found = self._native.sample(*how, progress if own is None else None, walked)
        shaped = {name: found[f"draws {name}"].reshape(counts) for name in self.names}
        return Posterior(
            draws=shaped,
            log_density=found["log_density"].reshape(counts),
            diverging=found["diverging"].reshape(counts),
            _object=_noting(json.loads(found["object"]), heard),
            _words=_saying(found["text"], heard),
        )

    def profile(
        self, names: str | Sequence[str] | None = None, level: float = 0.95, *, executor: Any = None
    ) -> Profile:
        """Profiles the likelihood along the parameters of these names, all where none is named.

        The workers of an `executor` walk the profiles, each whole; they are the same.
        """
        own = workers_of(executor)
        elsewhere = None if own is None else own.beginning(_WalkProfile(self), "the log density", None)
        with heard_of(own) as heard:
            words = self._native.profile(_names(names), real(level, "level"), elsewhere)
        return Profile(_noting(json.loads(words[0]), heard), _saying(words[1], heard))

    def for_emcee(self, walkers: int | None = None) -> tuple[int, int, Callable[[Any], float], np.ndarray]:
        """What `emcee.EnsembleSampler` takes, and where its walkers begin.

        >>> walkers, width, log_prob, begin = density.for_emcee()  # doctest: +SKIP
        >>> emcee.EnsembleSampler(walkers, width, log_prob).run_mcmc(begin, 1000)  # doctest: +SKIP

        Walkers walk on the natural scale; they begin close about the start, inside the intervals.
        """
        count = max(2 * len(self.names) + 2, 16) if walkers is None else walkers
        middle = self.transform.forward(self.x0)
        noise = np.random.default_rng(1).normal(size=(count, len(self.names)))
        begin = np.array([self.transform.inverse(middle + 0.1 * row) for row in noise])
        return count, len(self.names), self, begin

    def for_nutpie(self) -> Any:
        """The density as `nutpie.sample` takes it: by free coordinates, the draws in parameters."""
        self._needs_gradient("nutpie")
        try:
            import nutpie
            from nutpie.compiled_pyfunc import from_pyfunc
        except ImportError:
            raise ImportError("for_nutpie needs nutpie: pip install nutpie") from None
        del nutpie
        width, start = len(self.names), self.transform.forward(self.x0)

        def make_logp() -> Callable[..., Any]:
            def logp(free: np.ndarray) -> tuple[float, np.ndarray]:
                value, gradient = self.free_value_and_grad(free)
                if not np.isfinite(value):
                    raise _Impossible
                return value, gradient

            return logp

        def make_expand(*seeds: Any) -> Callable[..., Any]:
            def expand(free: np.ndarray) -> dict[str, np.ndarray]:
                return dict(zip(self.names, map(np.asarray, self.transform.inverse(free))))

            return expand

        def initial(seed: Any) -> np.ndarray:
            return start + np.random.default_rng(seed).normal(size=width) * 0.5

        return from_pyfunc(
            width,
            make_logp,
            make_expand,
            [np.dtype("float64")] * width,
            [()] * width,
            list(self.names),
            make_initial_point_fn=initial,
        )

    def for_pypesto(self) -> Any:
        """The density as a `pypesto.Problem`: −(ln likelihood + ln prior), its gradient, bounds and names."""
        try:
            import pypesto
        except ImportError:
            raise ImportError("for_pypesto needs pyPESTO: pip install pypesto") from None
        slopes = (lambda theta: -self.value_and_grad(theta)[1]) if self.has_gradient else None
        objective = pypesto.Objective(fun=_Negative(self), grad=slopes)
        # At the very ends the density may be 0, which SciPy's L-BFGS-B takes for convergence: a millionth of the width inside.
        ends = np.array(self.bounds)
        width = np.where(np.isfinite(ends[:, 1] - ends[:, 0]), ends[:, 1] - ends[:, 0], 1.0)
        ends = ends + np.outer(width, [1e-6, -1e-6])
        return pypesto.Problem(objective, lb=ends[:, 0], ub=ends[:, 1], x_names=list(self.names), x_guesses=self.x0[None])

    def _needs_gradient(self, who: str) -> None:
        if not self.has_gradient or self.kind == "noisy":
            raise InputError(f"{who} needs gradients, which the likelihood by the route `{self.route}` does not give")

    def __repr__(self) -> str:
        priors = ", ".join(f"{name} {prior}" for name, prior in self.priors.items())
        head = f"LogDensity of {', '.join(self.names)}: {self.route} likelihood of {self.observations} observations; priors: {priors}"
        return "\n".join([head, *(f"  note: {note}" for note in self.notes)])

    def __reduce__(self) -> Any:
        return LogDensity, self._made_of


class _Chain:
    """Walks chains of a posterior on a worker."""

    def __init__(self, density: LogDensity, how: tuple[Any, ...]) -> None:
        self._density, self._how = density, how

    def __call__(self, chain: int) -> bytes:
        return self._density._native.chain(chain, *self._how)


class _WalkProfile:
    """Walks profiles of a likelihood on a worker."""

    def __init__(self, density: LogDensity) -> None:
        self._density = density

    def __call__(self, one: bytes) -> bytes:
        return self._density._native.walk_profile(one)


class _Impossible(ValueError):
    """The density is 0: a sampler turns round."""

    is_recoverable = True


class _Negative:
    """−density, as pyPESTO minimises it."""

    def __init__(self, density: LogDensity) -> None:
        self.density = density

    def __call__(self, theta: Any) -> float:
        return -self.density(theta)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of a posterior: `posterior.draws["beta"]` is an array [chain, draw]."""

    draws: dict[str, np.ndarray]
    """By parameter: [chain, draw], in natural units."""
    log_density: np.ndarray
    """ln likelihood + ln prior of each draw: [chain, draw]."""
    diverging: np.ndarray
    """Whether the path to a draw left the posterior: [chain, draw]."""
    _object: dict[str, Any] = field(repr=False)
    _words: str = field(repr=False)

    @property
    def verdict(self) -> str:
        """Whether the chains agree."""
        return self._object["verdict"]

    @property
    def trusted(self) -> bool:
        """Whether the draws may be taken for those of the posterior."""
        return self._object["trusted"]

    @property
    def notes(self) -> list[str]:
        """What a person must know, worst first."""
        return self._object["notes"]

    @property
    def divergences(self) -> int:
        """How many paths left the posterior."""
        return self._object["divergences"]

    @property
    def summary(self) -> dict[str, dict[str, Any]]:
        """By parameter: mean, sd, quantiles, rhat, effective_bulk, effective_tail, error_of_mean, prior."""
        return self._object["parameters"]

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """The middle of the draws that holds this share of them."""
        if name not in self.draws:
            raise InputError(f"no `{name}` was drawn: there are {', '.join(self.draws)}")
        tail = 50 * (1 - level)
        low, high = np.percentile(self.draws[name], [tail, 100 - tail])
        return float(low), float(high)

    def to_json(self) -> dict[str, Any]:
        """The result as `glauber posterior --json` prints it, without its folder."""
        return dict(self._object)

    def to_arviz(self) -> Any:
        """The draws as ArviZ takes them: groups `posterior` and `sample_stats`."""
        try:
            import arviz
        except ImportError:
            raise ImportError("to_arviz needs ArviZ: pip install arviz") from None
        stats = {"lp": self.log_density, "diverging": self.diverging}
        # Before 1.0 the groups were keywords.
        if int(arviz.__version__.split(".")[0]) < 1:
            return arviz.from_dict(posterior=self.draws, sample_stats=stats)
        return arviz.from_dict({"posterior": self.draws, "sample_stats": stats})

    def plot(self, axes: Any = None) -> Any:
        """Draws the marginal of each parameter, a line for each chain, with Matplotlib, and gives the axes."""
        axes = grid(len(self.draws)) if axes is None else axes
        axes = np.atleast_1d(np.asarray(axes, dtype=object)).reshape(-1)
        for ax, (name, chains) in zip(axes, self.draws.items()):
            edges = np.histogram_bin_edges(chains, bins=40)
            for chain in chains:
                ax.hist(chain, bins=edges, histtype="step", density=True)
            ax.axvspan(*self.interval(name), alpha=0.15)
            ax.set_xlabel(name)
        return axes

    def __repr__(self) -> str:
        return self._words

    def _repr_html_(self) -> str:
        return f"<div><pre>{html.escape(repr(self))}</pre></div>"


class Profile:
    """Profiles of a likelihood: along each parameter, the highest ln likelihood over all others."""

    def __init__(self, object: dict[str, Any], words: str) -> None:
        self._object, self._words = object, words
        self.verdict: str = object["verdict"]
        """What the data determine."""
        self.notes: list[str] = object["notes"]
        """What a person must know."""
        self.estimates: dict[str, float] = object["estimates"]
        """The parameters at the highest likelihood."""
        own = object["parameters"]
        self.intervals: dict[str, tuple[float | None, float | None]] = {n: tuple(p["interval"]) for n, p in own.items()}
        """The intervals; None on a side where the data give no end."""
        self.verdicts: dict[str, str] = {n: p["verdict"] for n, p in own.items()}
        """What the data say of each."""
        self.log_likelihood: float = object["log_likelihood"]
        self.aic: float = object["aic"]
        self.bic: float = object["bic"]
        self.observations: int = object["observations"]

    def curve(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The profile of a parameter: its values and ln likelihood."""
        if name not in self._object["parameters"]:
            raise InputError(f"no `{name}` was profiled: there are {', '.join(self._object['parameters'])}")
        own = self._object["parameters"][name]
        return np.array(own["values"]), np.array(own["log_likelihood"])

    def path(self, name: str) -> dict[str, np.ndarray]:
        """All parameters along the profile of one."""
        self.curve(name)
        rows = np.array(self._object["parameters"][name]["paths"])
        return dict(zip(self._object["names"], rows.T))

    def to_json(self) -> dict[str, Any]:
        """The result as `glauber profile --json` prints it, without its folder."""
        return dict(self._object)

    def plot(self, axes: Any = None) -> Any:
        """Draws the profiles with Matplotlib, and gives the axes."""
        own = self._object["parameters"]
        axes = grid(len(own)) if axes is None else axes
        axes = np.atleast_1d(np.asarray(axes, dtype=object)).reshape(-1)
        for ax, name in zip(axes, own):
            values, heights = self.curve(name)
            ax.plot(values, heights - self.log_likelihood, ".-")
            for end in self.intervals[name]:
                if end is not None:
                    ax.axvline(end, linestyle=":")
            ax.set(xlabel=name, ylabel="ln likelihood below the top")
        return axes

    def __repr__(self) -> str:
        return self._words

    def _repr_html_(self) -> str:
        return f"<div><pre>{html.escape(repr(self))}</pre></div>"


def priors_of(given: Any) -> dict[str, str]:
    """Priors by parameter, as they are written."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f'priors are {told(given)}: give a dictionary, {{"beta": "beta(2, 5)"}}')
    for name, prior in given.items():
        if not isinstance(prior, str):
            raise TypeError(f'the prior of `{name}` is {told(prior)}: give a text, such as "normal(0.3, 0.1)"')
    return dict(given)


def log_density(
    model: Model,
    task: Task | Observed,
    start: Any = None,
    *,
    priors: Mapping[str, str] | None = None,
    fixed: Any = None,
    fields: Mapping[str, Any] | None = None,
    seed: Whole = 1,
    route: str | None = None,
    replicates: Whole | None = None,
    threads: Whole = 0,
    memory: Whole | str = "1 GiB",
) -> LogDensity:
    """ln likelihood + ln prior of a task's data by the fitted parameters, for any sampler.

    Priors are written `"normal(mean, sd)"`, `"log-normal(mean, sd)"`, `"beta(a, b)"`, `"gamma(shape, rate)"`,
    `"half-normal(sd)"`, `"uniform(a, b)"`; uniform on the interval where none is given. The task is a `Transition`, or what
    was seen: observations and experiments, by a `route` with so many `replicates` (particles or simulations) as in `fit`.

    Examples
    --------
    >>> import glauber
    >>> news = glauber.load("susceptible-infected", shape=(16, 16))
    >>> seen = glauber.simulate(news, {"beta": 0.3}, steps=8, replicates=4, seed=1)
    >>> density = glauber.log_density(news, glauber.Transition(seen), priors={"beta": "beta(2, 5)"})
    >>> density.names, density.bounds
    (['beta'], [(0.0, 1.0)])
    >>> density([0.3]) > density([0.5]) > density([1.5])
    True
    """
    settings = _settings(fixed, fields, route, replicates, threads, seed, memory)
    return LogDensity(_of_task, ((model, task, start), settings, priors_of(priors)))


def _of_task(given: tuple[Any, ...], settings: Mapping[str, Any], priors: Mapping[str, str]) -> Any:
    request = fit_request(*given, **settings)
    warn_of_reading(request, 4)
    request["tables"]["priors"] = dict(priors)
    return _glauber.log_density_of_file(request)


def posterior(
    model: Model,
    task: Task | Observed,
    start: Any = None,
    *,
    priors: Mapping[str, str] | None = None,
    chains: Whole = 4,
    draws: Whole = 1000,
    warm_up: Whole = 1000,
    sampler: str | None = None,
    fixed: Any = None,
    fields: Mapping[str, Any] | None = None,
    seed: Whole = 1,
    route: str | None = None,
    replicates: Whole | None = None,
    threads: Whole = 0,
    memory: Whole | str = "1 GiB",
    progress: Callable[[int, int], Any] | None = None,
    executor: Any = None,
) -> Posterior:
    """Draws from the posterior of a task's parameters, by NUTS where the likelihood has gradients.

    Examples
    --------
    >>> import glauber
    >>> news = glauber.load("susceptible-infected", shape=(16, 16))
    >>> seen = glauber.simulate(news, {"beta": 0.3}, steps=8, replicates=4, seed=1)
    >>> found = glauber.posterior(news, glauber.Transition(seen), draws=200, warm_up=200)
    >>> found.draws["beta"].shape
    (4, 200)
    >>> low, high = found.interval("beta", 0.999)
    >>> low < 0.3 < high
    True
    """
    own = log_density(
        model, task, start, priors=priors, fixed=fixed, fields=fields, route=route, replicates=replicates, seed=seed,
        threads=threads, memory=memory,
    )
    return own.posterior(
        chains=chains, draws=draws, warm_up=warm_up, sampler=sampler, seed=seed, progress=progress, executor=executor
    )


def profile(
    model: Model,
    task: Task | Observed,
    start: Any = None,
    *,
    names: str | Sequence[str] | None = None,
    level: float = 0.95,
    fixed: Any = None,
    fields: Mapping[str, Any] | None = None,
    route: str | None = None,
    replicates: Whole | None = None,
    threads: Whole = 0,
    memory: Whole | str = "1 GiB",
    executor: Any = None,
) -> Profile:
    """Profiles the likelihood of a task's parameters: intervals, and in words what the data determine.

    Examples
    --------
    >>> import glauber
    >>> news = glauber.load("susceptible-infected", shape=(16, 16))
    >>> seen = glauber.simulate(news, {"beta": 0.3}, steps=8, replicates=4, seed=1)
    >>> found = glauber.profile(news, glauber.Transition(seen))
    >>> low, high = found.intervals["beta"]
    >>> low < found.estimates["beta"] < high
    True
    """
    if executor is not None:
        own = log_density(
            model, task, start, fixed=fixed, fields=fields, route=route, replicates=replicates,
            threads=threads, memory=memory,
        )
        return own.profile(names, level, executor=executor)
    request = fit_request(model, task, start, **_settings(fixed, fields, route, replicates, threads, 1, memory))
    warn_of_reading(request, 2)
    words = _glauber.profile_of_file(request, _names(names), real(level, "level"))
    return Profile(json.loads(words[0]), words[1])


def _noting(found: dict[str, Any], heard: list[str]) -> dict[str, Any]:
    """What was found, with what was heard of workers in its notes."""
    return {**found, "notes": [*found["notes"], *heard]}


def _saying(words: str, heard: list[str]) -> str:
    return "\n".join([words, *(f"note: {note}" for note in heard)])


def _names(given: str | Sequence[str] | None) -> list[str]:
    return [] if given is None else list(texts(given, "names"))


def _settings(fixed: Any, fields: Any, route: Any, replicates: Any, threads: Any, seed: Any, memory: Any) -> dict[str, Any]:
    return {
        "fixed": fixed,
        "fields": fields,
        "route": route,
        "replicates": replicates,
        "threads": threads,
        "estimator": None,
        "seed": seed,
        "precision": "f64",
        "memory": memory,
    }


def autologistic(
    fields: Any,
    *,
    directions: bool = False,
    priors: Mapping[str, str] | None = None,
    threads: Whole = 0,
) -> LogDensity:
    """The exact likelihood of snapshots of two states: P(y) ~ exp(a Σ y + b Σ y y' over neighbours), nothing beyond the edges.

    Parameters
    ----------
    fields : array [y, x] or [field, y, x]
        Of 0 and 1, none missing; the shorter side at most 22 sites. Several are independent of one another.
    directions : bool
        Tell neighbours along y and x apart: b_y and b_x in place of b.
    priors : dict, optional
        As for `log_density`; normal(0, 5) where none is given. A profile does not look at them.

    Examples
    --------
    >>> import glauber, numpy
    >>> field = (numpy.add.outer(numpy.arange(6), numpy.arange(8)) % 5 < 2).astype(float)
    >>> found = glauber.autologistic(field).profile()
    >>> sorted(found.estimates)
    ['a', 'b']
    """
    return LogDensity(_of_snapshots, (fields, bool(directions), priors_of(priors), threads))


def _of_snapshots(fields: Any, directions: bool, priors: Mapping[str, str], threads: Any) -> Any:
    own = numbers("the snapshots", fields).astype(float)
    if own.ndim not in (2, 3):
        raise InputError(f"the snapshots have shape {own.shape}: give [y, x] or [field, y, x]")
    names = ("a", "b_y", "b_x") if directions else ("a", "b")
    told_of = {**{name: "normal(0, 5)" for name in names}, **priors}
    return _glauber.autologistic_log_density(
        np.ascontiguousarray(own.reshape(-1)),
        own.shape[-2],
        own.shape[-1],
        directions,
        list(told_of.items()),
        whole(threads, "threads", 0, 1024),
    )


def persistent_walk(
    tracks: Sequence[Any],
    *,
    priors: Mapping[str, str] | None = None,
    threads: Whole = 0,
) -> LogDensity:
    """The exact likelihood of tracks by persistent walkers (velocities that forget themselves), seen with an error: parameters
    `speed` (root mean square), `persistence` (a time) and `noise` (of a position along each axis).

    Parameters
    ----------
    tracks : sequence of arrays [time, 1 + axes]
        For each track the time in the first column, rising, and the position along each axis in the others; frames may be
        missing. Tracks of fewer than three positions tell nothing and are left out.
    priors : dict, optional
        As for `log_density`; log-normal(ln start, 2) where none is given, about starts of the data's own size. A profile does not
        look at them.

    Examples
    --------
    >>> import glauber, numpy
    >>> steps = numpy.random.default_rng(1).normal(size=(5, 20, 2))
    >>> tracks = [numpy.column_stack([numpy.arange(20), walk.cumsum(axis=0)]) for walk in steps]
    >>> sorted(glauber.persistent_walk(tracks).names)
    ['noise', 'persistence', 'speed']
    """
    own = [numbers(f"track {k}", track).astype(float) for k, track in enumerate(tracks)]
    for k, track in enumerate(own):
        if track.ndim != 2 or track.shape[1] < 2:
            raise InputError(f"track {k} has shape {track.shape}: give [time, 1 + axes], times in the first column")
    return LogDensity(_of_tracks, (own, priors_of(priors), threads))


def _of_tracks(tracks: list[np.ndarray], priors: Mapping[str, str], threads: Any) -> Any:
    flat = [(np.ascontiguousarray(t[:, 0]), [np.ascontiguousarray(axis) for axis in t[:, 1:].T]) for t in tracks]
    count = whole(threads, "threads", 0, 1024)
    wanted = ("speed", "persistence", "noise")
    blank = {name: "gamma(1, 1)" for name in wanted}
    starts = {row[0]: row[3] for row in _glauber.persistent_walk_log_density(flat, list(blank.items()), count).parameters}
    usual = {name: f"log-normal({np.log(starts[name])}, 2)" for name in wanted}
    return _glauber.persistent_walk_log_density(flat, list({**usual, **priors}.items()), count)

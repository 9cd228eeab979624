"""Runs models and takes numbers from their states, with gradients of losses of those numbers.

A `Rollout` is compiled once and called many times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glauber import _glauber
from glauber._arrays import check_names, hint, memory_of, parameter_list, whole
from glauber._glauber import InputError
from glauber._model import Model
from glauber._simulation import request


@dataclass(frozen=True, eq=False)
class Outputs(Mapping[str, Any]):
    """The numbers taken in a rollout, by name: their means over replicates, an array over `at`.

    Where `at` is one step, each is one number.
    """

    at: Any
    """The steps they were taken after."""
    by_replicate: dict[str, np.ndarray]
    """Of every replicate: [replicate, at], or [replicate]."""
    last: dict[str, np.ndarray]
    """The last states: by layer [replicate, …lattice]. Empty where a gradient was taken."""

    def __getitem__(self, name: str) -> Any:
        if name not in self.by_replicate:
            raise InputError(f"there is no output `{name}`{hint(name, self.by_replicate)}")
        return self.by_replicate[name].mean(axis=0)

    def __iter__(self) -> Any:
        return iter(self.by_replicate)

    def __len__(self) -> int:
        return len(self.by_replicate)

    @property
    def mean(self) -> dict[str, Any]:
        """The mean over replicates of every output."""
        return {name: self[name] for name in self.by_replicate}

    @property
    def standard_error(self) -> dict[str, Any]:
        """The standard error of every mean."""
        count = len(next(iter(self.by_replicate.values()))) if self.by_replicate else 1
        return {
            name: v.std(axis=0, ddof=min(1, count - 1)) / np.sqrt(count)
            for name, v in self.by_replicate.items()
        }

    def __repr__(self) -> str:
        error = self.standard_error
        parts = [
            f"{n} = {np.array2string(np.asarray(self[n]), precision=6)} ± {np.array2string(np.asarray(error[n]), precision=2)}"
            for n in self
        ]
        return "Outputs(" + ", ".join(parts) + ")"


class Gradient(dict[str, Any]):
    """A gradient: by parameter a number, by parameter field an array of the lattice's shape."""

    start: dict[str, np.ndarray] | None = None
    """By the starting state, where wanted: by layer [replicate, …lattice] ([replicate, state, …lattice] for a layer of
    three or more named states)."""
    outputs: Outputs
    """The outputs of the run."""


class Rollout:
    """A model compiled with what is observed of it, and how its gradient is taken; see `rollout`."""

    def __init__(
        self,
        model: Model,
        steps: int,
        observe: Any,
        at: int | Sequence[int] | None,
        replicates: int,
        estimator: str,
        temperature: float,
        samples: int,
        fields: Mapping[str, Any] | None,
        start: Any,
        threads: int,
        precision: str,
        memory: int | str,
        observations: list[tuple[str | None, _glauber.Observation]] | None = None,
    ) -> None:
        self.model = model
        self.steps = whole(steps, "steps", 0, 2**31 - 1)
        self.replicates = whole(replicates, "replicates", 1, 2**31 - 1)
        self.fields, self.start = dict(fields or {}), start
        self.threads = whole(threads, "threads", 0, 1024)
        self._how = (
            str(estimator),
            float(temperature),
            whole(samples, "samples", 1, 1000),
            precision,
            memory_of(memory),
        )
        self.at = self.steps if at is None else at
        self._single = not hasattr(self.at, "__iter__")
        wanted = [self.at] if self._single else list(self.at)  # type: ignore[arg-type]
        self._at = [whole(t, "a step of at=", 0, 2**31 - 1) for t in wanted]
        if sorted(set(self._at)) != self._at or not self._at:
            raise InputError(f"at={self._at}: give steps in rising order, each once")
        if self._at[-1] > self.steps:
            raise InputError(f"at= asks for step {self._at[-1]}, but a rollout has {self.steps}: raise steps")
        self._observations = observations if observations is not None else _observations(model, observe)
        self.outputs: list[str] = []
        """The names of the numbers, in order."""
        for text, own in self._observations:
            names = own.outputs
            self.outputs += (
                names if text is None else [text] if len(names) == 1 else [f"{text}: {n}" for n in names]
            )
        twice = [n for i, n in enumerate(self.outputs) if n in self.outputs[:i]]
        if twice:
            raise InputError(f"two outputs are called `{twice[0]}`: give each its own name")
        self._native: _glauber.Plan | None = None
        self._pull: _glauber.Plan | None = None
        self._forward: _glauber.Plan | None = None

    @property
    def estimator(self) -> str:
        """What a draw's gradient is taken to be."""
        return self._how[0]

    def _plan(self) -> _glauber.Plan:
        if self._native is None:
            self._native = _glauber.Plan(self.model._native, [o for _, o in self._observations], *self._how)
        return self._native

    def _request(
        self,
        parameters: Any,
        seed: int,
        start: Any,
        fields: Any,
        replicates: int | None,
        pulled: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        if pulled is None:
            events = [(t, k) for t in self._at for k in range(len(self._observations))]
            data = [name for _, own in self._observations for name in own.fields]
        else:
            events, data = [(self.steps, 0)], list(pulled)
        return request(
            self.model,
            parameters,
            self.steps,
            self.replicates if replicates is None else replicates,
            seed,
            self.start if start is None else start,
            {**self.fields, **(fields or {}), **(pulled or {})},
            self.threads,
            events=events,
            data=data,
        )

    def _outputs(self, flat: np.ndarray, replicates: int, last: list[np.ndarray]) -> Outputs:
        table = (
            flat.reshape(replicates, len(self._at), len(self.outputs))
            if self.outputs
            else flat.reshape(replicates, 0, 0)
        )
        values = {n: table[:, 0, k] if self._single else table[:, :, k] for k, n in enumerate(self.outputs)}
        shape = (replicates, *self.model.shape)
        return Outputs(self.at, values, {n: s.reshape(shape) for n, s in zip(self.model.layers, last)})

    def _means(self, flat: np.ndarray) -> dict[str, Any]:
        table = flat.reshape(len(self._at), len(self.outputs))
        return {
            n: float(table[0, k]) if self._single else table[:, k].copy() for k, n in enumerate(self.outputs)
        }

    def _slopes(self, slopes: Any) -> np.ndarray:
        if not isinstance(slopes, Mapping):
            if len(self.outputs) != 1:
                raise InputError(
                    f"the loss gave the slopes {slopes!r}: give a dictionary {{output: slope}} for {', '.join(self.outputs)}"
                )
            slopes = {self.outputs[0]: slopes}
        check_names(slopes, self.outputs, "output")
        table = np.zeros((len(self._at), len(self.outputs)))
        for name, slope in slopes.items():
            slope = np.asarray(slope, dtype=float)
            if slope.ndim and slope.shape != (len(self._at),):
                raise InputError(
                    f"the slopes of output `{name}` have shape {slope.shape}: give {len(self._at)}, one for each step of at="
                )
            table[:, self.outputs.index(name)] = slope
        return table.reshape(-1)

    def __call__(
        self,
        parameters: Any = None,
        *,
        seed: int = 1,
        start: Any = None,
        fields: Mapping[str, Any] | None = None,
        replicates: int | None = None,
    ) -> Outputs:
        """Runs forwards.

        Parameters are as in `simulate`; `start` and `fields` add to, or take the place of, those the rollout was made
        with.
        """
        asked = self._request(parameters, seed, start, fields, replicates)
        if self._how[0] != "mean-field" and self._native is None:
            if self._forward is None:
                observations = [o for _, o in self._observations]
                self._forward = _glauber.Plan(self.model._native, observations, None, 1.0, 1, *self._how[3:])
            plan = self._forward
        else:
            plan = self._plan()
        flat, last = plan.rollout(asked)
        return self._outputs(flat, asked["replicates"], last)

    def value_and_grad(
        self,
        parameters: Any = None,
        loss: Callable[[dict[str, Any]], tuple[float, Any]] | str | None = None,
        *,
        seed: int = 1,
        start: Any = None,
        fields: Mapping[str, Any] | None = None,
        replicates: int | None = None,
        wrt_start: bool = False,
    ) -> tuple[float, Gradient]:
        """Runs forwards and backwards: a loss of the mean outputs and its gradient.

        Parameters
        ----------
        parameters, seed, start, fields, replicates
            As in a call.
        loss : callable, str or None
            A function of the mean outputs {name: number, or array over at} that returns (value, slopes): the slopes are
            its derivatives by every output, {name: …} alike. Or the name of an output, whose mean (summed over `at`) is
            the value. None where there is only one output.
        wrt_start : bool
            Whether the derivative by the starting state is wanted too, as `gradient.start`.

        Returns
        -------
        value : float
        gradient : Gradient
            {parameter: derivative}, and {parameter field: array}.
        """
        asked = self._request(parameters, seed, start, fields, replicates)
        function, slopes = None, None
        if callable(loss):

            def function(flat: np.ndarray) -> tuple[float, np.ndarray]:
                returned = loss(self._means(flat))
                if not isinstance(returned, tuple) or len(returned) != 2:
                    raise TypeError(f"the loss returned {returned!r}: return (value, {{output: slope}})")
                return float(returned[0]), self._slopes(returned[1])

        else:
            if loss is None and len(self.outputs) != 1:
                raise InputError(
                    f"the rollout has the outputs {', '.join(self.outputs) or 'none'}: say of which the gradient is, as loss="
                )
            slopes = self._slopes({loss or self.outputs[0]: 1.0})
        return self._gradient(self._plan(), asked, function, slopes, wrt_start)

    def _gradient(
        self, plan: _glauber.Plan, asked: Any, function: Any, slopes: Any, wrt_start: bool
    ) -> tuple[float, Gradient]:
        value, by_parameter, by_field, by_start, flat = plan.gradient(asked, function, slopes, wrt_start)
        gradient = Gradient(zip(self.model.parameters, by_parameter.tolist()))
        gradient.update({name: values.reshape(self.model.shape) for name, values in by_field})
        if by_start is not None:
            count = asked["replicates"]
            gradient.start = {}
            for (name, layer), values in zip(self.model.layers.items(), by_start):
                states = (len(layer.states),) if len(layer.states) > 2 else ()
                gradient.start[name] = values.reshape(count, *states, *self.model.shape)
        if plan is self._native:
            gradient.outputs = self._outputs(flat, asked["replicates"], [])
        return value, gradient

    def vjp(self, parameters: Any, cotangents: Any, *, wrt_start: bool = False, **settings: Any) -> Gradient:
        """The product of cotangents of the mean outputs, {name: …}, with their Jacobian."""
        asked = self._request(
            parameters,
            settings.get("seed", 1),
            settings.get("start"),
            settings.get("fields"),
            settings.get("replicates"),
        )
        return self._gradient(self._plan(), asked, None, self._slopes(cotangents), wrt_start)[1]

    def vjp_of_states(
        self, parameters: Any, cotangents: Mapping[str, Any], *, wrt_start: bool = False, **settings: Any
    ) -> Gradient:
        """The product of cotangents of the last states, by layer [replicate, …lattice], with their Jacobian."""
        names = list(self.model.layers)
        check_names(cotangents, names, "layer")
        nominal = [n for n in cotangents if len(self.model.layers[n].states) > 2]
        if nominal:
            raise InputError(
                f"the states of layer `{nominal[0]}` are names, through whose numbers no gradient flows: take outputs of "
                f's.layer("{nominal[0]}").is_(state)'
            )
        if self._pull is None:
            own = [n for n in names if len(self.model.layers[n].states) <= 2]

            def pull(s: Any) -> Any:
                return {"pull": sum((s.layer(n) * s.data(f"cotangent of {n}")).sum() for n in own)}

            self._pull = _glauber.Plan(self.model._native, [self.model._native.observe(pull)], *self._how)
        replicates = settings.get("replicates") or self.replicates
        zero = np.zeros((replicates, *self.model.shape))
        data = {
            f"cotangent of {n}": cotangents.get(n, zero)
            for n in names
            if len(self.model.layers[n].states) <= 2
        }
        asked = self._request(
            parameters,
            settings.get("seed", 1),
            settings.get("start"),
            settings.get("fields"),
            replicates,
            data,
        )
        return self._gradient(self._pull, asked, None, np.array([float(replicates)]), wrt_start)[1]

    def objective(
        self,
        loss: Any = None,
        *,
        fitted: Sequence[str] | None = None,
        fixed: Mapping[str, float] | None = None,
        seed: int = 1,
    ) -> RolloutObjective:
        """A function of an array of the fitted parameters that gives (loss, gradient), for `scipy.optimize`.

        Examples
        --------
        >>> import glauber
        >>> news = glauber.load("susceptible-infected", shape=(16, 16))
        >>> run = glauber.rollout(news, 4, "mean(aware)", replicates=50)
        >>> f = run.objective(lambda m: ((m["mean(aware)"] - 0.1) ** 2, 2 * (m["mean(aware)"] - 0.1)))
        >>> value, gradient = f([0.3])
        >>> gradient.shape, f.bounds
        ((1,), [(0.0, 1.0)])
        """
        return RolloutObjective(self, loss, fitted, fixed, seed)

    def simulator(self, names: Sequence[str] | None = None) -> Simulator:
        """A function from parameters to outputs with new noise in every call, for pyABC and sbi; see `Simulator`."""
        return Simulator(self, names)

    def __reduce__(self) -> Any:
        stored = [(text, own.stored()) for text, own in self._observations]
        settings = (self.at, self.replicates, *self._how, self.fields, self.start, self.threads)
        return _restored, (self.model, self.steps, stored, settings)

    def __repr__(self) -> str:
        outputs = ", ".join(self.outputs) or "no outputs"
        return f"Rollout of {self.model.name!r}: {self.steps} steps, {self.replicates} replicates, {outputs}; {self.estimator}"


def _restored(model: Model, steps: int, stored: list[Any], settings: tuple[Any, ...]) -> Rollout:
    at, replicates, estimator, temperature, samples, precision, memory, fields, start, threads = settings
    own = [(text, _glauber.Observation.restored(model._native, s)) for text, s in stored]
    return Rollout(
        model,
        steps,
        None,
        at,
        replicates,
        estimator,
        temperature,
        samples,
        fields,
        start,
        threads,
        precision,
        memory,
        own,
    )


def _observations(model: Model, observe: Any) -> list[tuple[str | None, _glauber.Observation]]:
    if observe is None:
        return []
    if isinstance(observe, str):
        return [(observe, model._native.summary(observe))]
    if callable(observe):
        return [(None, model._native.observe(observe))]
    if isinstance(observe, (list, tuple)):
        return [own for one in observe for own in _observations(model, one)]
    raise TypeError(
        f'observe is {observe!r}: give a function of a scope, a summary such as "mean(aware)", or a list of these'
    )


class RolloutObjective:
    """Parameters as an array → (loss, gradient), at one seed; made by `Rollout.objective`."""

    def __init__(
        self,
        run: Rollout,
        loss: Any,
        fitted: Sequence[str] | None,
        fixed: Mapping[str, float] | None,
        seed: int,
    ) -> None:
        own = run.model.parameters
        check_names(fitted or (), own, f"parameter of model `{run.model.name}`")
        check_names(fixed or {}, own, f"parameter of model `{run.model.name}`")
        self.names: list[str] = (
            list(fitted) if fitted is not None else [n for n in own if n not in (fixed or {})]
        )
        self.bounds = [(own[n].lowest, own[n].highest) for n in self.names]
        self.run, self.loss, self.fixed, self.seed = run, loss, dict(fixed or {}), seed

    def __call__(self, theta: Any) -> tuple[float, np.ndarray]:
        theta = np.asarray(theta, dtype=float)
        if theta.shape != (len(self.names),):
            raise InputError(
                f"θ has shape {theta.shape}: give {len(self.names)} numbers, {', '.join(self.names)}"
            )
        given = {**self.fixed, **dict(zip(self.names, theta.tolist()))}
        value, gradient = self.run.value_and_grad(given, self.loss, seed=self.seed)
        return value, np.array([gradient[n] for n in self.names])


class Simulator:
    """Parameters → outputs, with new noise in every call; made by `Rollout.simulator`.

    A dictionary of parameters gives a dictionary of outputs, as pyABC wants it. An array or tensor [parameter], or
    [batch, parameter], gives one [output], or [batch, output], of the same kind, as sbi wants it: the outputs' means over
    the rollout's replicates, in the order `columns`. Seeds are drawn from NumPy's global generator, so that `np.random.seed`
    makes a sequence of calls repeatable.
    """

    def __init__(self, run: Rollout, names: Sequence[str] | None) -> None:
        check_names(names or (), run.model.parameters, f"parameter of model `{run.model.name}`")
        self.run, self.names = run, list(names) if names is not None else list(run.model.parameters)

    @property
    def columns(self) -> list[str]:
        """The names of an array's outputs."""
        if self.run._single:
            return list(self.run.outputs)
        return [f"{n} after {t}" for t in self.run._at for n in self.run.outputs]

    def _one(self, parameters: Mapping[str, float]) -> Outputs:
        return self.run(parameters, seed=int(np.random.randint(0, 2**63 - 1, dtype=np.int64)))

    def __call__(self, parameters: Any) -> Any:
        if isinstance(parameters, Mapping):
            return self._one({str(k): float(v) for k, v in parameters.items()}).mean
        tensor = parameters if hasattr(parameters, "detach") else None
        theta = np.asarray(tensor.detach().cpu() if tensor is not None else parameters, dtype=float)
        if theta.ndim not in (1, 2) or theta.shape[-1] != len(self.names):
            raise InputError(
                f"the parameters have shape {theta.shape}: give [parameter] or [batch, parameter] of {', '.join(self.names)}"
            )
        rows = []
        for row in np.atleast_2d(theta):
            outputs = self._one(dict(zip(self.names, row.tolist()))).mean
            rows.append(np.stack([np.atleast_1d(outputs[n]) for n in self.run.outputs], axis=-1).reshape(-1))
        out = np.array(rows) if theta.ndim == 2 else rows[0]
        return tensor.new_tensor(out) if tensor is not None else out


def rollout(
    model: Model,
    steps: int,
    observe: Any = None,
    *,
    at: int | Sequence[int] | None = None,
    replicates: int = 1,
    estimator: str = "straight-through",
    temperature: float = 1.0,
    samples: int = 10,
    start: Any = None,
    fields: Mapping[str, Any] | None = None,
    threads: int = 0,
    precision: str = "f32",
    memory: int | str = "1 GiB",
) -> Rollout:
    """Compiles a model with what is observed of it, to be run and differentiated many times.

    Parameters
    ----------
    model : Model
    steps : int
        How many steps.
    observe : callable, str, or a list of these
        What is taken from a state: a function of a scope that returns {name: number per replicate}, or a summary such as
        "mean(aware)", "msd", "correlation(A, 1, 2)".
    at : int or sequence of int, optional
        After which steps it is taken; by default after the last.
    replicates : int
        Independent realisations in each run; a loss is one of the means over them.
    estimator : str
        What a draw's gradient is taken to be: "straight-through", "gumbel-softmax", "gumbel-rao", "reinmax",
        "score-function" or "mean-field". Which is biased, where: see `check`.
    temperature, samples : float, int
        Of the Gumbel estimators.
    start, fields, threads, precision
        As in `simulate`; data that an observation reads as `s.data("name")` are given with the fields.
    memory : int or str
        What the states kept for a gradient may take, such as "2 GiB"; beyond it steps are run again.

    Returns
    -------
    Rollout
        Call it for `Outputs`; `.value_and_grad` for gradients; `.objective` for SciPy; `.simulator` for pyABC and sbi.

    Examples
    --------
    >>> import glauber
    >>> news = glauber.load("susceptible-infected", shape=(16, 16))
    >>> run = glauber.rollout(news, 4, lambda s: {"aware": s["aware"].sum()}, at=[2, 4], replicates=100)
    >>> run({"beta": 0.3})["aware"].shape
    (2,)
    >>> value, gradient = run.value_and_grad({"beta": 0.3}, lambda m: (m["aware"].sum(), {"aware": [1, 1]}))
    >>> sorted(gradient)
    ['beta']
    """
    return Rollout(
        model,
        steps,
        observe,
        at,
        replicates,
        estimator,
        temperature,
        samples,
        fields,
        start,
        threads,
        precision,
        memory,
    )


def value_and_grad(
    model: Model,
    parameters: Any = None,
    steps: int = 1,
    observe: Any = None,
    loss: Any = None,
    *,
    seed: int = 1,
    wrt_start: bool = False,
    **settings: Any,
) -> tuple[float, Gradient]:
    """A loss of the mean outputs of a rollout, and its gradient: `rollout(…).value_and_grad(…)` in one call.

    To call it many times, make the rollout once. `settings` are those of `rollout`.
    """
    run = rollout(model, steps, observe, **settings)
    return run.value_and_grad(parameter_list(model, parameters), loss, seed=seed, wrt_start=wrt_start)

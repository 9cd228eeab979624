"""Runs models and takes numbers from their states, with gradients of losses of those numbers.

A `Rollout` is compiled once and called many times.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from glauber import _glauber
from glauber._arrays import check_names, few, memory_of, named_arrays, number, real, told, warn_of_scores, warn_of_slopes, whole
from glauber._callables import RolloutObjective, Simulator
from glauber._errors import InputError
from glauber._kinds import Real, Whole
from glauber._model import Model, model_of
from glauber._outputs import Gradient, Outputs, Places
from glauber._simulation import LastStates, request
from glauber._workers import warning_of, workers_of


class Rollout:
    """A model compiled with what is observed of it, and how its gradient is taken; see `rollout`."""

    def __init__(
        self,
        model: Model,
        steps: Whole,
        observe: Any,
        at: Whole | Sequence[Whole] | None,
        replicates: Whole,
        estimator: str,
        temperature: Real,
        samples: Whole,
        radius: Whole | None,
        fields: Mapping[str, Any] | None,
        start: Any,
        threads: Whole,
        precision: str,
        memory: Whole | str,
        observations: list[tuple[str | None, _glauber.Observation]] | None = None,
        executor: Any = None,
    ) -> None:
        self.model = model_of(model)
        self.steps = whole(steps, "steps", 0, 2**31 - 1)
        self.replicates = whole(replicates, "replicates", 1, 2**31 - 1)
        self.fields, self.start = named_arrays(fields, "fields", self.model.fields), start
        self.threads = whole(threads, "threads", 0, 1024)
        self._how = (
            str(estimator),
            real(temperature, "temperature"),
            whole(samples, "samples", 1, 1000),
            None if radius is None else whole(radius, "radius", 1, 2**31 - 1),
            str(precision),
            memory_of(memory),
        )
        _glauber.check_estimator(*self._how[:4])
        self._workers = workers_of(executor)
        self._crew = None if self._workers is None else self._workers.crew()
        self._observations = observations if observations is not None else _observations(model, observe)
        self.at = self.steps if at is None else at
        self._places = Places(_names(self._observations), self.at, self.steps)
        self.outputs: list[str] = self._places.names
        """The names of the numbers, in order."""
        self._events = [(t, k) for t in self._places.steps for k in range(len(self._observations))]
        self._data = [name for _, own in self._observations for name in own.fields]
        self._told = False
        self._native: _glauber.Plan | None = None
        self._pull: _glauber.Plan | None = None
        self._forward: _glauber.Plan | None = None

    @property
    def estimator(self) -> str:
        """What a draw's gradient is taken to be."""
        return self._how[0]

    def _plan(self) -> _glauber.Plan:
        if self._native is None:
            self._native = _glauber.Plan(self.model._native, [o for _, o in self._observations], *self._how, self._crew)
        return self._native

    def _request(
        self,
        parameters: Any,
        seed: Whole = 1,
        start: Any = None,
        fields: Mapping[str, Any] | None = None,
        replicates: Whole | None = None,
        first_step: Whole | None = None,
        pulled: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """A run as the native module takes it; `pulled` are the cotangents of last states."""
        return request(
            self.model,
            parameters,
            self.steps,
            self.replicates if replicates is None else replicates,
            seed,
            self.start if start is None else start,
            {**self.fields, **named_arrays(fields, "fields", self.model.fields), **(pulled or {})},
            self.threads,
            events=self._events if pulled is None else [(self.steps, 0)],
            first_step=first_step,
            data=self._data if pulled is None else list(pulled),
        )

    def _outputs(self, flat: np.ndarray, asked: dict[str, Any], last: list[np.ndarray]) -> Outputs:
        replicates = asked["replicates"]
        shape = (replicates, *self.model.shape)
        states = {n: s.reshape(shape) for n, s in zip(self.model.layers, last)}
        step = (asked["first_step"] or 0) + self.steps
        return Outputs(self.at, self._places.of_replicates(flat, replicates), LastStates(states, step, self.model.layers, self.model._native.scheme))

    def __call__(
        self,
        parameters: Any = None,
        *,
        seed: Whole = 1,
        start: Any = None,
        fields: Mapping[str, Any] | None = None,
        replicates: Whole | None = None,
        first_step: Whole | None = None,
    ) -> Outputs:
        """Runs forwards.

        Parameters are as in `simulate`; `start` and `fields` add to, or take the place of, those the rollout was made
        with. Under one seed a rollout has other noise than a simulation, so that a loss at the parameters that made the
        data is not 0.
        """
        asked = self._request(parameters, seed, start, fields, replicates, first_step)
        if self._how[0] != "mean-field" and self._native is None:
            if self._forward is None:
                observations = [o for _, o in self._observations]
                self._forward = _glauber.Plan(self.model._native, observations, None, 1.0, 1, *self._how[3:], self._crew)
            plan = self._forward
        else:
            plan = self._plan()
        with warning_of(self._workers, 1):
            flat, last = plan.rollout(asked)
        return self._outputs(flat, asked, last)

    def value_and_grad(
        self,
        parameters: Any = None,
        loss: Callable[[dict[str, Any]], tuple[float, Any]] | str | None = None,
        *,
        seed: Whole = 1,
        start: Any = None,
        fields: Mapping[str, Any] | None = None,
        replicates: Whole | None = None,
        first_step: Whole | None = None,
        wrt_start: bool = False,
    ) -> tuple[float, Gradient]:
        """Runs forwards and backwards: a loss of the mean outputs and its gradient.

        Parameters
        ----------
        parameters, seed, start, fields, replicates, first_step
            As in a call.
        loss : callable, str or None
            A function of the mean outputs {name: number, or array over at} that returns (value, slopes): the slopes are
            its derivatives by every output that it reads, {name: …} alike; by those that it does not read they are 0. Or
            the name of an output, whose mean (summed over `at`) is the value. None where there is only one output.
        wrt_start : bool
            Whether the derivative by the starting state is wanted too, as `gradient.start`.

        Returns
        -------
        value : float
        gradient : Gradient
            {parameter: derivative}, and {parameter field: array}.
        """
        asked = self._request(parameters, seed, start, fields, replicates, first_step)
        function, slopes = None, None
        if loss is not None and not callable(loss) and not isinstance(loss, str):
            raise TypeError(
                f"the loss is {told(loss)}: give a function of the mean outputs that returns (value, slopes), or an output's name"
            )
        if callable(loss):

            def function(flat: np.ndarray) -> tuple[float, np.ndarray]:
                means = self._places.of_means(flat)
                returned = loss(means)
                if not isinstance(returned, tuple) or len(returned) != 2:
                    raise TypeError(f"the loss returned {told(returned)}: return (value, {{output: slope}})")
                return _value(returned[0]), self._places.slopes_of_loss(returned[1], means)

        else:
            if loss is None and len(self.outputs) != 1:
                raise InputError(
                    f"the rollout has the outputs {', '.join(self.outputs) or 'none'}: say of which the gradient is, as loss="
                )
            slopes = self._places.slopes({loss or self.outputs[0]: 1.0})
        return self._gradient(self._plan(), asked, function, slopes, wrt_start)

    def _tell_missing(self) -> None:
        """Warns, once, of what the gradients of this rollout lack."""
        if self._told:
            return
        self._told = True
        scored = self.estimator in ("score-function", "light-cone", "differences")
        of_model = self.model._native.slopeless(True, scored)
        # What states do matters to later steps.
        found = [words for words, parameters in of_model if parameters or self.steps > 1]
        if not scored:
            found += [words for _, own in self._observations for words in own.slopeless()]
        for words in few(found, ": glauber.check(model).notes has them all"):
            warnings.warn(f"model `{self.model.name}`: {words}", UserWarning, stacklevel=4)

    def _gradient(
        self, plan: _glauber.Plan, asked: Any, function: Any, slopes: Any, wrt_start: bool
    ) -> tuple[float, Gradient]:
        self._tell_missing()
        with warning_of(self._workers, 2):
            value, by_parameter, by_field, by_start, flat = plan.gradient(asked, function, slopes, wrt_start)
        fields = [name for name, _ in by_field]
        everything = [*by_parameter.tolist(), *(values for _, values in by_field)]
        warn_of_slopes(f"model `{self.model.name}`", value, [*self.model.parameters, *fields], everything, 3)
        given = zip(self.model.parameters.items(), asked["parameters"])
        ends = [(name, value) for (name, own), value in given if value in (own.lowest, own.highest)]
        warn_of_scores(f"model `{self.model.name}`", self.estimator, ends, 3)
        gradient = Gradient(zip(self.model.parameters, by_parameter.tolist()))
        gradient.update({name: values.reshape(self.model.shape) for name, values in by_field})
        if by_start is not None:
            count = asked["replicates"]
            gradient.start = {}
            for (name, layer), values in zip(self.model.layers.items(), by_start):
                states = (len(layer.states),) if len(layer.states) > 2 else ()
                gradient.start[name] = values.reshape(count, *states, *self.model.shape)
        if plan is self._native:
            gradient.outputs = self._outputs(flat, asked, [])
        return value, gradient

    def vjp(self, parameters: Any, cotangents: Any, *, wrt_start: bool = False, **settings: Any) -> Gradient:
        """The product of cotangents of the mean outputs, {name: …}, with their Jacobian; those left out are 0."""
        asked = self._request(parameters, **settings)
        return self._gradient(self._plan(), asked, None, self._places.slopes(cotangents), wrt_start)[1]

    def vjp_of_states(
        self, parameters: Any, cotangents: Mapping[str, Any], *, wrt_start: bool = False, **settings: Any
    ) -> Gradient:
        """The product of cotangents of the last states, by layer [replicate, …lattice], with their Jacobian."""
        check_names(cotangents, self.model.layers, f"layer of model `{self.model.name}`")
        numeric = [n for n, layer in self.model.layers.items() if len(layer.states) <= 2]
        nominal = [n for n in cotangents if n not in numeric]
        if nominal:
            raise InputError(
                f"the states of layer `{nominal[0]}` are names, through whose numbers no gradient flows: take outputs of "
                f's.layer("{nominal[0]}").is_(state)'
            )
        if self._pull is None:

            def pull(s: Any) -> Any:
                return {"pull": sum((s.layer(n) * s.data(f"cotangent of {n}")).sum() for n in numeric)}

            self._pull = _glauber.Plan(self.model._native, [self.model._native.observe(pull)], *self._how, self._crew)
        replicates = settings.get("replicates") or self.replicates
        zero = np.zeros((replicates, *self.model.shape))
        pulled = {f"cotangent of {n}": cotangents.get(n, zero) for n in numeric}
        asked = self._request(parameters, pulled=pulled, **settings)
        return self._gradient(self._pull, asked, None, np.array([float(replicates)]), wrt_start)[1]

    def objective(
        self,
        loss: Any = None,
        *,
        fitted: Sequence[str] | None = None,
        fixed: Any = None,
        seed: Whole = 1,
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


def _value(loss: Any) -> float:
    """A loss's value, which may be infinite or NaN."""
    if isinstance(loss, str):
        raise TypeError(f"the value of the loss is {told(loss)}: give a number")
    return number(loss, "the value of the loss")


def rollout_of(given: Any) -> Rollout:
    """A rollout, or what to give in place of what was given."""
    if not isinstance(given, Rollout):
        raise TypeError(
            f"the rollout is {told(given)}: give what glauber.rollout(model, steps, observe) returns"
        )
    return given


def _restored(model: Model, steps: int, stored: list[Any], settings: tuple[Any, ...]) -> Rollout:
    at, replicates, estimator, temperature, samples, radius, precision, memory, fields, start, threads = settings
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
        radius,
        fields,
        start,
        threads,
        precision,
        memory,
        own,
    )


def _names(observations: list[tuple[str | None, _glauber.Observation]]) -> list[str]:
    """The outputs' names: a summary's is its text, where it has one number."""
    names: list[str] = []
    for text, own in observations:
        given = own.outputs
        names += given if text is None else [text] if len(given) == 1 else [f"{text}: {n}" for n in given]
    return names


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
        f'observe is {told(observe)}: give a function of a scope, a summary such as "mean(aware)", or a list of these'
    )


def rollout(
    model: Model,
    steps: Whole,
    observe: Any = None,
    *,
    at: Whole | Sequence[Whole] | None = None,
    replicates: Whole = 1,
    estimator: str = "straight-through",
    temperature: Real = 1.0,
    samples: Whole = 10,
    radius: Whole | None = None,
    start: Any = None,
    fields: Mapping[str, Any] | None = None,
    threads: Whole = 0,
    precision: str = "f32",
    memory: Whole | str = "1 GiB",
    executor: Any = None,
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
        "score-function", "light-cone", "differences" or "mean-field". Which is biased, where: see `check`; which to take:
        docs/gradients.md.
    temperature, samples : float, int
        Of the Gumbel estimators.
    radius : int, optional
        Of "light-cone": the farthest that is looked, in sites; less noise, and a bias by what lies beyond.
    start, fields, threads, precision
        As in `simulate`; data that an observation reads as `s.data("name")` are given with the fields.
    memory : int or str
        What the states kept for a gradient may take, such as "2 GiB"; beyond it steps are run again.
    executor : object with submit, optional
        Whose workers share the realisations, in blocks; the numbers are the same. See `Workers`. A pickled rollout has none.

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
        radius,
        fields,
        start,
        threads,
        precision,
        memory,
        executor=executor,
    )


def value_and_grad(
    model: Model,
    parameters: Any = None,
    steps: Whole = 1,
    observe: Any = None,
    loss: Any = None,
    *,
    seed: Whole = 1,
    wrt_start: bool = False,
    **settings: Any,
) -> tuple[float, Gradient]:
    """A loss of the mean outputs of a rollout, and its gradient: `rollout(…).value_and_grad(…)` in one call.

    To call it many times, make the rollout once. `settings` are those of `rollout`.
    """
    run = rollout(model, steps, observe, **settings)
    return run.value_and_grad(parameters, loss, seed=seed, wrt_start=wrt_start)

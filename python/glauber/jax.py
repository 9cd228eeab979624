"""Puts rollouts into JAX: functions that `jax.grad`, `jax.jit` and any loss or network can contain.

The engine runs on the CPU, called back from JAX; its gradient, under the rollout's estimator, is the function's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from glauber._arrays import (
    check_kinds,
    check_missing,
    check_names,
    named_arrays,
    named_numbers,
    parameter_list,
    told,
    whole,
)
from glauber._containers import lattice_axes, ordered
from glauber._errors import InputError
from glauber._rollout import Rollout, rollout_of
from glauber._simulation import steps_behind

try:
    import jax
    import jax.numpy as jnp
except ImportError:
    raise ImportError("glauber.jax needs JAX: pip install jax") from None


def _real() -> Any:
    return jnp.float64 if jax.config.read("jax_enable_x64") else jnp.float32


def _array(what: str, value: Any, axes: Any = ()) -> Any:
    """An array of real numbers, its named axes in order; nothing masked."""
    check_missing(what, value)
    value = ordered(what, value, axes)
    if not isinstance(value, jax.Array) and np.asarray(value).dtype.kind == "c":
        raise TypeError(f"{what} holds complex numbers: give real ones")
    try:
        return jnp.asarray(value, dtype=_real())
    except (TypeError, ValueError):
        raise TypeError(f"{what} is {told(value)}: give a number or an array of numbers") from None


def _seed(seed: Any) -> Any:
    """A seed that JAX can carry: a whole number, as its two halves where it has more bits than JAX was told to use."""
    if not isinstance(seed, jax.Array):
        seed = whole(seed, "seed", 0, 2**64 - 1)
        if seed > 2**31 - 1:
            return jnp.asarray(np.array([seed >> 32, seed & 0xFFFFFFFF], dtype=np.uint32))
    elif not jnp.issubdtype(seed.dtype, jnp.integer):
        raise TypeError(f"the seed holds {seed.dtype}: give a whole number")
    return jnp.asarray(seed)


def _number(seed: Any) -> int:
    """The seed that was carried."""
    halves = np.asarray(seed)
    return int(halves) if halves.ndim == 0 else (int(halves[0]) << 32) | int(halves[1])


def rollout(run: Rollout, result: str = "outputs") -> Callable[..., dict[str, Any]]:
    """A rollout as a differentiable function of JAX.

    Parameters
    ----------
    run : Rollout
        From `glauber.rollout`.
    result : str
        "outputs": the mean outputs, {name: array over at}; or "states": the last states, {layer: [replicate, …lattice]}.

    Returns
    -------
    callable
        f(parameters, seed=1, start=None, fields=None, first_step=None). `parameters` is {name: number}; `start` {layer: [replicate,
        …lattice]} and `fields` {name: [...lattice]} are differentiable too: the derivative by a start is that of each
        replicate, by a parameter field that of all together. Covariates have none. `seed` is a whole number;
        `first_step` the number of steps that the start has behind it.

    Examples
    --------
    >>> import glauber, glauber.jax, jax
    >>> news = glauber.load("susceptible-infected", shape=(16, 16))
    >>> f = glauber.jax.rollout(glauber.rollout(news, 4, "mean(aware)", replicates=50))
    >>> loss = lambda beta: (f({"beta": beta}, seed=1)["mean(aware)"] - 0.1) ** 2
    >>> value, slope = jax.value_and_grad(loss)(0.3)
    """
    if result not in ("outputs", "states"):
        raise InputError(f'result is "{result}": give "outputs" or "states"')
    model = rollout_of(run).model
    full = (run.replicates, *model.shape)

    def shapes() -> dict[str, Any]:
        if result == "states":
            return {name: jax.ShapeDtypeStruct(full, _real()) for name in model.layers}
        own = () if run._places.single else (len(run._places.steps),)
        return {name: jax.ShapeDtypeStruct(own, _real()) for name in run.outputs}

    def settings(inputs: dict[str, Any], seed: Any) -> dict[str, Any]:
        start = {name: np.asarray(v) for name, v in inputs["start"].items()} or None
        return {
            "seed": _number(seed[0]),
            "first_step": None if int(seed[1]) < 0 else int(seed[1]),
            "start": start,
            "fields": {name: np.asarray(v) for name, v in inputs["fields"].items()},
        }

    def host_forward(inputs: dict[str, Any], seed: Any) -> dict[str, np.ndarray]:
        found = run({n: float(v) for n, v in inputs["parameters"].items()}, **settings(inputs, seed))
        own: Any = found.last if result == "states" else found.mean
        return {name: np.asarray(own[name], dtype=_real()) for name in own}

    def host_backward(inputs: dict[str, Any], seed: Any, cotangents: dict[str, Any]) -> dict[str, Any]:
        theta = {n: float(v) for n, v in inputs["parameters"].items()}
        given = {name: np.asarray(c, dtype=float) for name, c in cotangents.items()}
        if result == "states":
            given = {n: c for n, c in given.items() if len(model.layers[n].states) <= 2}
        product = run.vjp_of_states if result == "states" else run.vjp
        gradient = product(theta, given, wrt_start=bool(inputs["start"]), **settings(inputs, seed))
        by_start = gradient.start or {}

        def of_start(name: str, value: Any) -> np.ndarray:
            own = by_start[name]
            if len(model.layers[name].states) > 2:
                return np.zeros(np.shape(value), dtype=_real())
            shared = np.ndim(value) == len(model.shape)
            return np.asarray(own.sum(axis=0) if shared else own, dtype=_real())

        return {
            "parameters": {n: np.asarray(gradient[n], dtype=_real()) for n in inputs["parameters"]},
            "start": {n: of_start(n, v) for n, v in inputs["start"].items()},
            "fields": {
                n: np.asarray(gradient[n] if n in gradient else np.zeros(np.shape(v)), dtype=_real())
                for n, v in inputs["fields"].items()
            },
        }

    def call(host: Any, out: Any, *inputs: Any) -> Any:
        return jax.pure_callback(host, out, *inputs, vmap_method="sequential")

    @jax.custom_vjp
    def function(inputs: dict[str, Any], seed: Any) -> dict[str, Any]:
        return call(host_forward, shapes(), inputs, seed)

    def forward(inputs: dict[str, Any], seed: Any) -> Any:
        return function(inputs, seed), (inputs, seed)

    def backward(kept: Any, cotangents: dict[str, Any]) -> Any:
        inputs, seed = kept
        out = jax.tree.map(lambda x: jax.ShapeDtypeStruct(jnp.shape(x), _real()), inputs)
        by = call(host_backward, out, inputs, seed, cotangents)
        return by, jax.tree.map(lambda x: np.zeros(jnp.shape(x), dtype=jax.dtypes.float0), seed)

    function.defvjp(forward, backward)

    def user(
        parameters: dict[str, Any],
        seed: Any = 1,
        start: dict[str, Any] | None = None,
        fields: dict[str, Any] | None = None,
        first_step: int | None = None,
    ) -> dict[str, Any]:
        check_kinds(model, start, "the start")
        usual = {n: p.default for n, p in model.parameters.items() if p.default is not None}
        given = {**usual, **named_numbers(parameters, "parameters")}
        known = {
            "parameters": reals(given, "parameter", model.parameters),
            "start": reals(named_arrays(start, "start", model.layers), "layer", model.layers),
            "fields": reals(named_arrays(fields, "fields", model.fields), "field", model.fields),
        }
        # Arrays no longer say it; what is not known is -1.
        behind = steps_behind(start) if first_step is None and start is not None else first_step
        behind = -1 if behind is None else whole(behind, "first_step", 0, 2**31 - 1)
        return function(known, (_seed(seed), np.int32(behind)))

    def reals(given: dict[str, Any], what: str, known: Any) -> dict[str, Any]:
        check_names(given, known, f"{what} of model `{model.name}`")
        lattice = lattice_axes(len(model.shape))
        axes = [] if what == "parameter" else [lattice, ("run", *lattice)]
        own = {name: _array(f"{what} `{name}`", value, axes) for name, value in given.items()}
        missing = [n for n in known if n not in own] if what == "parameter" else []
        if missing:
            raise InputError(
                f'model `{model.name}` has no default for parameter `{missing[0]}`: give {{"{missing[0]}": number}}'
            )
        for name, value in own.items():
            if what == "parameter" and value.size != 1:
                raise InputError(
                    f"parameter `{name}` has shape {value.shape}: give one number, or use jax.vmap for several"
                )
            if what != "parameter" and value.shape not in (full[1:], full):
                raise InputError(f"{what} `{name}` has shape {value.shape}: give {full[1:]}, or {full}")
        # What is traced is known only when it runs, and its mistakes then come from within JAX.
        if what == "parameter" and not any(isinstance(v, jax.core.Tracer) for v in own.values()):
            parameter_list(model, {n: float(v) for n, v in own.items()})
        return own

    user.__doc__ = f"{run!r} as a function of JAX: (parameters, seed=1, start=None, fields=None, first_step=None) → {{{result}}}."
    return user

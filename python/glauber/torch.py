"""Puts rollouts into PyTorch: functions that autograd goes back through, within any loss or network.

The engine runs on the CPU; its gradient, under the rollout's estimator, is the function's. Tensors on other devices are
brought over and back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from glauber._arrays import check_kinds, check_missing, check_names, named_arrays, named_numbers, told, whole
from glauber._containers import kind_of, lattice_axes, ordered
from glauber._errors import InputError
from glauber._outputs import Gradient
from glauber._rollout import Rollout, rollout_of
from glauber._simulation import steps_behind

try:
    import torch
except ImportError:
    raise ImportError("glauber.torch needs PyTorch: pip install torch") from None


_WORDS = {"parameters": "parameter", "start": "layer", "fields": "field"}


def _tensor(what: str, value: Any) -> Any:
    """A tensor of real numbers; numbers become one."""
    check_missing(what, value)
    try:
        own = value if torch.is_tensor(value) else torch.as_tensor(value, dtype=torch.get_default_dtype())
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"{what} is {told(value)}: give a number or a tensor of numbers") from None
    if own.is_complex():
        raise TypeError(f"{what} holds complex numbers: give a tensor of real numbers")
    return own


class _Call:
    """One call's inputs apart from the tensors that autograd follows."""

    def __init__(
        self, run: Rollout, result: str, seed: int, kinds: list[tuple[str, str]], first_step: int | None
    ) -> None:
        self.run, self.result, self.seed, self.kinds = run, result, seed, kinds
        self.first_step = first_step
        self.outputs: list[str] = list(run.model.layers) if result == "states" else list(run.outputs)

    def settings(self, tensors: tuple[Any, ...]) -> dict[str, Any]:
        own: dict[str, dict[str, Any]] = {"parameters": {}, "start": {}, "fields": {}}
        for (kind, name), tensor in zip(self.kinds, tensors):
            array = tensor.detach().cpu().numpy()
            own[kind][name] = float(array) if kind == "parameters" else array
        return {
            "parameters": own["parameters"],
            "seed": self.seed,
            "first_step": self.first_step,
            "start": own["start"] or None,
            "fields": own["fields"],
        }

    def derivative(self, kind: str, name: str, gradient: Gradient, like: Any) -> Any:
        if kind == "start":
            own: Any = (gradient.start or {})[name]
            if len(self.run.model.layers[name].states) > 2:
                return torch.zeros_like(like)
            own = own.sum(axis=0) if like.dim() == len(self.run.model.shape) else own
        else:
            own = gradient.get(name)
        return (
            torch.zeros_like(like)
            if own is None
            else torch.as_tensor(own, dtype=like.dtype, device=like.device).reshape(like.shape)
        )


class _Function(torch.autograd.Function):
    """The rollout as autograd sees it."""

    @staticmethod
    def forward(ctx: Any, call: _Call, *tensors: Any) -> Any:
        ctx.call = call
        ctx.save_for_backward(*tensors)
        settings = call.settings(tensors)
        found = call.run(settings.pop("parameters"), **settings)
        own: Any = found.last if call.result == "states" else found.mean
        like = next((t for t in tensors if t.is_floating_point()), torch.zeros(()))
        return tuple(
            torch.as_tensor(np.asarray(own[n], dtype=float), dtype=like.dtype, device=like.device)
            for n in call.outputs
        )

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        call, tensors = ctx.call, ctx.saved_tensors
        settings = call.settings(tensors)
        layers = call.run.model.layers
        given = {
            n: c.detach().cpu().numpy().astype(float)
            for n, c in zip(call.outputs, cotangents)
            if c is not None
        }
        if call.result == "states":
            given = {n: c for n, c in given.items() if len(layers[n].states) <= 2}
        product = call.run.vjp_of_states if call.result == "states" else call.run.vjp
        wants_start = any(
            kind == "start" and need for (kind, _), need in zip(call.kinds, ctx.needs_input_grad[1:])
        )
        gradient = product(settings.pop("parameters"), given, wrt_start=wants_start, **settings)
        out = [
            call.derivative(kind, name, gradient, tensor) if need else None
            for (kind, name), tensor, need in zip(call.kinds, tensors, ctx.needs_input_grad[1:])
        ]
        return (None, *out)


def rollout(run: Rollout, result: str = "outputs") -> Callable[..., dict[str, Any]]:
    """A rollout as a differentiable function of PyTorch.

    Parameters
    ----------
    run : Rollout
        From `glauber.rollout`.
    result : str
        "outputs": the mean outputs, {name: tensor over at}; or "states": the last states, {layer: [replicate, …lattice]}.

    Returns
    -------
    callable
        f(parameters, seed=1, start=None, fields=None, first_step=None). `parameters` is {name: number or tensor}, or a tensor [parameter]
        in the model's order, or [batch, parameter] for a batch of independent rollouts (their seeds are seed, seed + 1 …;
        every output gets a leading axis). `start` {layer: [replicate, …lattice]} and `fields` {name: [...lattice]} are
        differentiable too; covariates have no derivative. `first_step` is the number of steps that the start has behind it.

    Examples
    --------
    >>> import glauber, glauber.torch, torch
    >>> news = glauber.load("susceptible-infected", shape=(16, 16))
    >>> f = glauber.torch.rollout(glauber.rollout(news, 4, "mean(aware)", replicates=50))
    >>> beta = torch.tensor(0.3, requires_grad=True)
    >>> loss = (f({"beta": beta})["mean(aware)"] - 0.1) ** 2
    >>> loss.backward()
    """
    if result not in ("outputs", "states"):
        raise InputError(f'result is "{result}": give "outputs" or "states"')
    model = rollout_of(run).model

    def function(
        parameters: Any,
        seed: int = 1,
        start: dict[str, Any] | None = None,
        fields: dict[str, Any] | None = None,
        first_step: int | None = None,
    ) -> dict[str, Any]:
        if torch.is_tensor(parameters):
            names = list(model.parameters)
            if parameters.dim() not in (1, 2) or parameters.shape[-1] != len(names):
                raise InputError(
                    f"the parameters have shape {tuple(parameters.shape)}: give [parameter] or [batch, parameter] of {', '.join(names)}"
                )
            if parameters.dim() == 2:
                rows = [
                    function(row, seed + i, start, fields, first_step) for i, row in enumerate(parameters)
                ]
                if not rows:
                    raise InputError("the batch of parameters is empty: give at least one row")
                return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
            parameters = dict(zip(names, parameters.unbind()))
        kinds: list[tuple[str, str]] = []
        tensors: list[Any] = []
        known: dict[str, Any] = {
            "parameters": model.parameters,
            "start": model.layers,
            "fields": model.fields,
        }
        check_kinds(model, start, "the start")
        for kind, given in (("parameters", parameters), ("start", start), ("fields", fields)):
            known_names = [] if kind == "parameters" else list(known[kind])
            own = (
                named_numbers(given, kind) if kind == "parameters" else named_arrays(given, kind, known_names)
            )
            check_names(own, known[kind], f"{_WORDS[kind]} of model `{model.name}`")
            for name, value in own.items():
                kinds.append((kind, name))
                what = f"{_WORDS[kind]} `{name}`"
                lattice = lattice_axes(len(model.shape))
                if kind_of(value):
                    value = np.asarray(ordered(what, value, [lattice, ("run", *lattice)]), dtype=float)
                tensors.append(_tensor(what, value))
                if kind == "parameters" and tensors[-1].numel() != 1:
                    raise InputError(
                        f"parameter `{name}` has shape {tuple(tensors[-1].shape)}: give one number, or for a batch one "
                        "tensor [batch, parameter] of all parameters"
                    )
        # Tensors no longer say it.
        behind = steps_behind(start) if first_step is None and start is not None else first_step
        call = _Call(run, result, whole(seed, "seed", 0, 2**64 - 1), kinds, behind)
        return dict(zip(call.outputs, _Function.apply(call, *tensors)))

    function.__doc__ = f"{run!r} as a function of PyTorch: (parameters, seed=1, start=None, fields=None, first_step=None) → {{{result}}}."
    return function

"""Makes rollouts the functions of parameters that SciPy, pyABC and sbi call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from glauber._arrays import check_names, named_numbers, names, theta_of, theta_rows, whole
from glauber._errors import InputError
from glauber._kinds import Whole
from glauber._outputs import Outputs

if TYPE_CHECKING:
    from glauber._rollout import Rollout


class RolloutObjective:
    """Parameters as an array → (loss, gradient), at one seed; made by `Rollout.objective`."""

    def __init__(
        self,
        run: Rollout,
        loss: Any,
        fitted: Sequence[str] | None,
        fixed: Any,
        seed: Whole,
    ) -> None:
        own, fixed = run.model.parameters, named_numbers(fixed, "fixed")
        wanted = names(fitted, "fitted") if fitted is not None else [n for n in own if n not in fixed]
        check_names([*wanted, *fixed], own, f"parameter of model `{run.model.name}`")
        self.names: list[str] = wanted
        self.bounds = [(own[n].lowest, own[n].highest) for n in self.names]
        self.run, self.loss, self.fixed, self.seed = run, loss, fixed, seed

    def __call__(self, theta: Any) -> tuple[float, np.ndarray]:
        theta = theta_of(theta, self.names, [1] * len(self.names))
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
    [batch, parameter] (or a table with a column for each parameter, which are read by name), gives one [output], or [batch, output], of the same kind, as sbi wants it: the outputs' means over
    the rollout's replicates, in the order `columns`. Seeds are drawn from NumPy's global generator, so that `np.random.seed`
    makes a sequence of calls repeatable.
    """

    def __init__(self, run: Rollout, wanted: Sequence[str] | None) -> None:
        own = run.model.parameters
        self.run, self.names = run, names(wanted, "names") if wanted is not None else list(own)
        check_names(self.names, own, f"parameter of model `{run.model.name}`")

    @property
    def columns(self) -> list[str]:
        """The names of an array's outputs."""
        return self.run._places.columns

    def _one(self, parameters: Mapping[str, float]) -> Outputs:
        return self.run(parameters, seed=int(np.random.randint(0, 2**63 - 1, dtype=np.int64)))

    def __call__(self, parameters: Any) -> Any:
        if isinstance(parameters, Mapping):
            return self._one(parameters).mean
        tensor = parameters if hasattr(parameters, "detach") else None
        theta = theta_rows(parameters, self.names, "the parameters")
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

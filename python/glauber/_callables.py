"""Makes rollouts the functions of parameters that SciPy, pyABC and sbi call."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from glauber._arrays import check_names, named_numbers, names, theta_of, theta_rows
from glauber._errors import InputError
from glauber._kinds import Whole
from glauber._outputs import Outputs

if TYPE_CHECKING:
    from glauber._rollout import Rollout


_parent: Any = None
"""In a forked process: what stood for it when it was forked."""


def _forked() -> None:
    """Notes that this process is a fork. The interpreter calls it in the child."""
    global _parent
    _parent = multiprocessing.current_process()


def _own_numbers() -> tuple[int, ...]:
    """Numbers that tell this process from all others forked from the same one; none where it is no fork."""
    if _parent is None:
        return ()
    here = multiprocessing.current_process()
    # A worker gets its number after the fork; who forks by other means has none.
    own = () if here is _parent else tuple(getattr(here, "_identity", ()))
    return own or (os.getpid(),)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


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
    makes a sequence of calls repeatable. Forked processes inherit one state of that generator: each makes other seeds of it,
    by its number among the workers of `multiprocessing`, else by its process number.
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
        drawn = int(np.random.randint(0, 2**63 - 1, dtype=np.int64))
        own = _own_numbers()
        if own:
            drawn = int(np.random.SeedSequence((drawn, *own)).generate_state(1, np.uint64)[0])
        return self.run(parameters, seed=drawn)

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

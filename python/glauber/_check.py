"""Compares what every gradient estimator says with what the gradient is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glauber import _glauber
from glauber._arrays import few, parameter_list, run_fields, seed_of, whole
from glauber._kinds import Whole
from glauber._model import Model, model_of
from glauber._workers import heard_of, workers_of


@dataclass(frozen=True)
class Check:
    """The gradient of the layers' means after some steps: the reference, and every estimator's, as (mean, standard error)."""

    model: str
    theta: dict[str, float]
    kind: str
    reference: dict[str, tuple[float, float]]
    estimators: dict[str, dict[str, tuple[float, float]]]
    agrees: dict[str, bool]
    bias: dict[str, str]
    """When each is unbiased, in its own words."""
    notes: tuple[str, ...] = ()
    """What the estimators' gradients lack, and which were left out, where anything."""
    verdicts: dict[str, dict[str, str]] | None = None
    """By estimator and parameter: "agrees", "differs" or "cannot tell" (too noisy to say; more replicates would)."""
    off: dict[str, dict[str, tuple[float, float]]] | None = None
    """By estimator and parameter: the gradient less the reference, as (mean, standard error)."""
    deviation: dict[str, dict[str, float]] | None = None
    """By estimator and parameter: the standard deviation of one gradient at the cost of 100 rollouts."""
    outweighs: dict[str, dict[str, float | None]] | None = None
    """By estimator and parameter: from how many rollouts on its bias is more than its noise; None where none was seen."""

    def verdict(self, estimator: str) -> str:
        """Of all parameters together: "differs" where any does, "cannot tell" where any cannot be told."""
        if self.verdicts is None:
            return "agrees" if self.agrees[estimator] else "differs"
        own = self.verdicts[estimator].values()
        return next((words for words in ("differs", "cannot tell") if words in own), "agrees")

    def __repr__(self) -> str:
        def line(name: str, row: dict[str, tuple[float, float]], end: str = "") -> str:
            return f"{name:18}" + "".join(f"{m:>14.6g} ± {e:<9.2e}" for m, e in row.values()) + end

        notes = [f"note: {note}" for note in few(self.notes, ": .notes has them all")]
        head = f"gradient of the layers' means and likeness of {self.model}\n{'':18}" + "".join(
            f"{n:>26}" for n in self.reference
        )
        rows = [line(n, row, " " + self.verdict(n)) for n, row in self.estimators.items()]
        return "\n".join([*notes, head, line(self.kind, self.reference), *rows, *self._deviations()])

    def _deviations(self) -> list[str]:
        """How noisy and how far off each is, by every parameter."""
        if self.deviation is None or self.off is None or self.outweighs is None:
            return []
        lines = ["standard deviation of one gradient at the cost of 100 rollouts, and how far off the reference it is"]
        for name, row in self.deviation.items():
            for parameter, deviation in row.items():
                mean, error = self.off[name][parameter]
                many = self.outweighs[name][parameter]
                more = "" if many is None else f"; its bias outweighs its noise from {many:.3g} rollouts on"
                lines.append(f"{name:18}{parameter}: deviation {deviation:.3e}, off by {mean:.3g} ± {error:.1e}{more}")
        return lines


def check(
    model: Model,
    parameters: Any = None,
    *,
    fields: Mapping[str, Any] | None = None,
    steps: Whole = 3,
    replicates: Whole = 200,
    seed: Whole = 1,
    threads: Whole = 0,
    executor: Any = None,
) -> Check:
    """Compares every estimator's gradient of the layers' means and likeness with finite differences over common noise.

    Parameters are as in `simulate`; each of 20 batches has `replicates` realisations of `steps` steps.
    The workers of an `executor` share the realisations of a batch, as in `fit`.

    >>> import glauber
    >>> news = glauber.load("susceptible-infected", shape=(8, 8))
    >>> glauber.check(news, {"beta": 0.3}, replicates=50).agrees["light-cone"]
    True
    """
    theta = parameter_list(model_of(model), parameters)
    own = workers_of(executor)
    with heard_of(own) as heard:
        found = _glauber.check(
            model._native,
            run_fields(model, fields, 1),
            theta,
            whole(steps, "steps", 1, 10**6),
            whole(replicates, "replicates", 1, 10**7),
            seed_of(seed),
            whole(threads, "threads", 0, 1024),
            None if own is None else own.crew(),
        )
    lost = [] if own is None else own.troubles_of(heard)
    names = found["parameters"]
    return Check(
        model.name,
        dict(zip(model.parameters, theta)),
        found["kind"],
        dict(zip(names, found["reference"])),
        {name: dict(zip(names, pairs)) for name, pairs, *_ in found["estimators"]},
        {name: words == "agrees" for name, _, words, *_ in found["estimators"]},
        {name: bias for name, _, _, bias, _ in found["estimators"]},
        (*(words for words, _ in model._native.slopeless(True, False)), *found["notes"], *lost),
        *(
            {name: dict(zip(names, more[k])) for name, *_, more in found["estimators"]}
            for k in range(4)
        ),
    )

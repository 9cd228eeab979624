"""Names the numbers that a rollout takes: its outputs, their gradient, and how they lie in flat arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glauber._arrays import check_names, hint, numbers, told, whole
from glauber._errors import InputError


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
    """The last states: by layer [replicate, …lattice], to carry on from by `start=`. Empty where a gradient was taken."""

    def __getitem__(self, name: str) -> Any:
        if name not in self.by_replicate:
            raise InputError(f"there is no output `{name}`{hint(name, self.by_replicate)}")
        return self.by_replicate[name].mean(axis=0)

    def __iter__(self) -> Iterator[str]:
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
        parts = [f"{n} = {_digits(self[n], 6)} ± {_digits(error[n], 2)}" for n in self]
        return "Outputs(" + ", ".join(parts) + ")"


def _digits(values: Any, digits: int) -> str:
    """Numbers with so many significant digits each, so that small ones are seen."""
    return np.array2string(np.asarray(values), formatter={"float_kind": lambda x: f"{x:.{digits}g}"})


class Gradient(dict[str, Any]):
    """A gradient: by parameter a number, by parameter field an array of the lattice's shape."""

    start: dict[str, np.ndarray] | None = None
    """By the starting state, where wanted: by layer [replicate, …lattice] ([replicate, state, …lattice] for a layer of
    three or more named states)."""
    outputs: Outputs
    """The outputs of the run."""


class Places:
    """Where each number lies in a flat array [replicate, step of `at`, output]."""

    def __init__(self, names: list[str], at: int | Sequence[int], steps: int) -> None:
        twice = [n for i, n in enumerate(names) if n in names[:i]]
        if twice:
            raise InputError(f"two outputs are called `{twice[0]}`: give each its own name")
        self.names, self.at = names, at
        self.single = not isinstance(at, Iterable)
        wanted = list(at) if isinstance(at, Iterable) and not isinstance(at, str) else [at]
        self.steps = [whole(t, "a step of at=", 0, 2**31 - 1) for t in wanted]
        if sorted(set(self.steps)) != self.steps or not self.steps:
            raise InputError(f"at={self.steps}: give steps in rising order, each once")
        if self.steps[-1] > steps:
            raise InputError(f"at= asks for step {self.steps[-1]}, but a rollout has {steps}: raise steps")

    @property
    def columns(self) -> list[str]:
        """A name for every number."""
        if self.single:
            return list(self.names)
        return [f"{n} after {t}" for t in self.steps for n in self.names]

    def of_replicates(self, flat: np.ndarray, replicates: int) -> dict[str, np.ndarray]:
        """By name [replicate, at], or [replicate]."""
        table = flat.reshape(replicates, len(self.steps) if self.names else 0, len(self.names))
        return {n: table[:, 0, k] if self.single else table[:, :, k] for k, n in enumerate(self.names)}

    def of_means(self, flat: np.ndarray) -> dict[str, Any]:
        """By name [at], or a number."""
        table = flat.reshape(len(self.steps), len(self.names))
        return {
            n: float(table[0, k]) if self.single else table[:, k].copy() for k, n in enumerate(self.names)
        }

    def slopes(self, slopes: Any) -> np.ndarray:
        """Derivatives by the means, flat, from those by name."""
        if not isinstance(slopes, Mapping):
            if len(self.names) != 1:
                raise InputError(
                    f"the loss gave the slopes {told(slopes)}: give a dictionary {{output: slope}} for {', '.join(self.names)}"
                )
            slopes = {self.names[0]: slopes}
        check_names(slopes, self.names, "output")
        table = np.zeros((len(self.steps), len(self.names)))
        for name, slope in slopes.items():
            slope = numbers(f"the slope of output `{name}`", slope, finite=False).astype(float)
            if slope.ndim and slope.shape != (len(self.steps),):
                raise InputError(
                    f"the slopes of output `{name}` have shape {slope.shape}: give {len(self.steps)}, one for each step of at="
                )
            table[:, self.names.index(name)] = slope
        return table.reshape(-1)

"""Names the numbers that a rollout takes: its outputs, their gradient, and how they lie in flat arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from glauber._arrays import check_names, hint, numbers, told, whole
from glauber._containers import record
from glauber._errors import InputError
from glauber._over_time import grid, rows_html, short


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
        """The standard error of every mean; None for one replicate, whose spread nobody knows."""
        return {
            name: v.std(axis=0, ddof=1) / np.sqrt(len(v)) if len(v) > 1 else None
            for name, v in self.by_replicate.items()
        }

    def plot(self, axes: Any = None) -> Any:
        """Draws every output with Matplotlib, and gives the axes: the mean over replicates with its standard error over the
        steps of `at`; the replicates' own numbers where `at` is one step."""
        names, error = list(self), self.standard_error
        axes = grid(len(names)) if axes is None else np.atleast_1d(np.asarray(axes, dtype=object)).reshape(-1)
        for ax, name in zip(axes, names):
            own = self.by_replicate[name]
            if own.ndim > 1:
                steps, mean = np.asarray(self.at, dtype=float), np.asarray(self[name], dtype=float)
                spread = np.asarray([0.0 if e is None else e for e in np.atleast_1d(error[name])], dtype=float)
                ax.plot(steps, mean, "o-", ms=4)
                ax.fill_between(steps, mean - spread, mean + spread, alpha=0.3, lw=0)
                ax.set(xlabel="step", title=name)
            else:
                ax.hist(own, bins="auto")
                ax.axvline(float(self[name]), color="k", lw=1, label="mean")
                ax.set(xlabel=f"after step {self.at}", ylabel="replicates", title=name)
                ax.legend(frameon=False)
        return axes

    def _repr_html_(self) -> str:
        error = self.standard_error
        steps = list(np.atleast_1d(np.asarray(self.at)))
        rows = []
        for k, step in enumerate(steps):
            row = [f"{step}"]
            for name in self:
                off = None if error[name] is None else np.atleast_1d(error[name])[k]
                value, told_error = short(np.atleast_1d(self[name])[k]), short(off)
                row.append(f"{value} ± {told_error}" if told_error else value)
            rows.append(row)
        count = len(next(iter(self.by_replicate.values()))) if self.by_replicate else 0
        note = f"means over {count} replicates ± their standard errors" if count > 1 else "one replicate"
        return f"<div>{rows_html(['step', *self], rows)}<small>{note}</small></div>"

    def __repr__(self) -> str:
        def one(name: str, error: Any) -> str:
            return f"{name} = {in_digits(self[name], 6)}" + (
                "" if error is None else f" ± {in_digits(error, 2)}"
            )

        parts = [one(name, error) for name, error in self.standard_error.items()]
        return "Outputs(" + ", ".join(parts) + ")"


def in_digits(values: Any, digits: int) -> str:
    """Numbers with so many digits that count, however small they are."""
    array = np.asarray(values)
    if array.ndim == 0:
        return f"{float(array):.{digits}g}"
    return "[" + " ".join(in_digits(one, digits) for one in array) + "]"


class Gradient(dict[str, Any]):
    """A gradient: by parameter a number, by parameter field an array of the lattice's shape."""

    start: dict[str, np.ndarray] | None = None
    """By the starting state, where wanted: by layer [replicate, …lattice] ([replicate, state, …lattice] for a layer of
    three or more named states)."""
    outputs: Outputs
    """The outputs of the run."""


class Means(dict[str, Any]):
    """The mean outputs that a loss is handed; remembers which of them it read."""

    def __init__(self, items: Iterable[tuple[str, Any]]) -> None:
        super().__init__(items)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)

    def __missing__(self, name: str) -> Any:
        raise InputError(f"there is no output `{name}`{hint(name, self)}")

    def get(self, name: str, default: Any = None) -> Any:
        """The output of this name."""
        return self[name] if name in self else default

    def __iter__(self) -> Iterator[str]:
        # A loop over the names, or a copy of the whole, may read them all.
        self.read.update(super().keys())
        return super().__iter__()

    def keys(self) -> Any:
        """All names."""
        self.read.update(super().keys())
        return super().keys()

    def items(self) -> Any:
        """All names and means."""
        self.read.update(super().keys())
        return super().items()

    def copy(self) -> dict[str, Any]:
        """A plain dictionary of the same means."""
        return dict(self.items())

    def values(self) -> Any:
        """All means."""
        self.read.update(super().keys())
        return super().values()


class Places:
    """Where each number lies in a flat array [replicate, step of `at`, output]."""

    def __init__(self, names: list[str], at: Any, steps: int) -> None:
        twice = [n for i, n in enumerate(names) if n in names[:i]]
        if twice:
            raise InputError(f"two outputs are called `{twice[0]}`: give each its own name")
        self.names, self.at = names, at
        self.single = not isinstance(at, Iterable) or getattr(at, "ndim", 1) == 0
        wanted = [at] if self.single or isinstance(at, str) else list(at)
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

    def of_means(self, flat: np.ndarray) -> Means:
        """By name [at], or a number."""
        table = flat.reshape(len(self.steps), len(self.names))
        return Means(
            (n, float(table[0, k]) if self.single else table[:, k].copy()) for k, n in enumerate(self.names)
        )

    def slopes_of_loss(self, slopes: Any, means: Means) -> np.ndarray:
        """The slopes a loss returned; of outputs it never read they are 0, of others they must be there."""
        own = self._by_name(slopes)
        missing = [n for n in self.names if n in means.read and n not in own]
        if missing:
            raise InputError(
                f"the loss reads the output `{missing[0]}` but returned no slope for it: return {{output: slope}} for each of "
                f"{', '.join(n for n in self.names if n in means.read)}, 0 where the loss does not change with it"
            )
        return self.slopes(own)

    def _by_name(self, slopes: Any) -> dict[str, Any]:
        """Slopes by output; those of the only output may come alone."""
        try:
            own: Any = (
                slopes
                if np.isscalar(slopes) or isinstance(slopes, (list, np.ndarray))
                else record(slopes, "the slopes")
            )
        except TypeError:
            own = slopes
        if isinstance(own, dict):
            return own
        if len(self.names) != 1:
            raise InputError(
                f"the loss gave the slopes {told(slopes)}: give a dictionary {{output: slope}} for {', '.join(self.names)}"
            )
        return {self.names[0]: slopes}

    def slopes(self, slopes: Any) -> np.ndarray:
        """Derivatives by the means, flat, from those by name; those that are left out are 0."""
        slopes = self._by_name(slopes)
        check_names(slopes, self.names, "output")
        table = np.zeros((len(self.steps), len(self.names)))
        for name, slope in slopes.items():
            slope = numbers(f"the slope of output `{name}`", slope, finite=False, axes=[("time",)]).astype(
                float
            )
            if slope.ndim and slope.shape != (len(self.steps),):
                raise InputError(
                    f"the slopes of output `{name}` have shape {slope.shape}: give {len(self.steps)}, one for each step of at="
                )
            table[:, self.names.index(name)] = slope
        return table.reshape(-1)

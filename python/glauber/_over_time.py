"""Shows numbers over time: of data, of a fit's start and end, of a rollout; as plots and as tables for notebooks."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_ROWS = 12
"""Longer tables show their first and last rows."""


def pyplot() -> Any:
    """Matplotlib, or how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("plots need Matplotlib: pip install matplotlib") from None
    return plt


def grid(count: int) -> Any:
    """Axes for so many panels, at most three side by side; those that are left over are hidden."""
    columns = min(3, max(1, count))
    rows = max(1, -(-count // columns))
    _, axes = pyplot().subplots(
        rows, columns, figsize=(4 * columns, 3 * rows), squeeze=False, layout="constrained"
    )
    for ax in axes.reshape(-1)[count:]:
        ax.set_visible(False)
    return axes.reshape(-1)


def short(number: Any) -> str:
    """A number to four digits; nothing for what is none."""
    return "" if number is None or not np.isfinite(number) else f"{number:.4g}"


def rows_html(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, its middle left out where it is long; every text is escaped."""
    cut = len(rows) > MOST_ROWS
    shown = [*rows[: MOST_ROWS // 2], ["…"] * len(head), *rows[-(MOST_ROWS // 2) :]] if cut else list(rows)
    line = "<tr>{}</tr>".format
    cells = "".join(line("".join(f"<td>{html.escape(c)}</td>" for c in row)) for row in shown)
    return f"<table>{line(''.join(f'<th>{html.escape(h)}</th>' for h in head))}{cells}</table>"


@dataclass(frozen=True, eq=False)
class Curves:
    """A summary over time: of the data of a trajectory fit, and of simulations at its start and at its end."""

    summary: str
    """What was summarised, as "msd" or "mean(aware)"."""
    times: np.ndarray
    time_unit: str
    """"step" where the data have no unit."""
    unit: str
    """Of the values; empty where it is the lattice's own."""
    data: dict[str, np.ndarray]
    """By output [time]."""
    errors: dict[str, np.ndarray] | None
    """The data's standard errors, where they are known."""
    start: dict[str, np.ndarray]
    """Simulated where the fit started."""
    fit: dict[str, np.ndarray]
    """Simulated at the estimates."""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Curves:
        """The curves as the native module hands them over."""

        def by_name(columns: Any) -> dict[str, np.ndarray]:
            return {name: np.asarray(own, dtype=float) for name, own in zip(found["outputs"], columns)}

        start, fit = found["simulated"]
        return cls(
            found["summary"],
            np.asarray(found["times"], dtype=float),
            found["time_unit"] or "step",
            found["unit"] or "",
            by_name(found["data"]),
            None if found["errors"] is None else by_name(found["errors"]),
            by_name(start),
            by_name(fit),
        )

    def plot(self, axes: Any = None) -> Any:
        """Draws data, start and fit with Matplotlib, a panel for each output, and gives the axes."""
        axes = grid(len(self.data)) if axes is None else np.atleast_1d(np.asarray(axes, dtype=object)).reshape(-1)
        for ax, (name, data) in zip(axes, self.data.items()):
            errors = None if self.errors is None else self.errors[name]
            ax.errorbar(self.times, data, yerr=errors, fmt="o", ms=4, color="k", label="data", zorder=3)
            ax.plot(self.times, self.start[name], "--", color="0.55", label="start")
            ax.plot(self.times, self.fit[name], color="C0", label="fit")
            label = "step" if self.time_unit == "step" else f"time ({self.time_unit})"
            ax.set(xlabel=label, ylabel=self.unit, title=self.summary if len(self.data) == 1 else name)
            ax.legend(frameon=False)
        return axes

    def __repr__(self) -> str:
        return f"Curves of {self.summary}, {len(self.times)} times: data, start, fit"

    def _repr_html_(self) -> str:
        many = len(self.data) > 1
        head, columns = [self.time_unit], [[f"{t:g}" for t in self.times]]
        for name in self.data:
            own = {"data": self.data[name], "start": self.start[name], "fit": self.fit[name]}
            if self.errors is not None:
                own["± of data"] = self.errors[name]
            for what, values in own.items():
                head.append(f"{name}, {what}" if many else what)
                columns.append([short(x) for x in values])
        unit = f" ({self.unit})" if self.unit else ""
        title = f"<b>{html.escape(self.summary + unit)}</b>"
        return f"<div>{title}{rows_html(head, [list(row) for row in zip(*columns)])}</div>"

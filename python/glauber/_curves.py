"""Takes a mean squared displacement that is in memory apart into lags, values and their errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from glauber._arrays import numbers, real
from glauber._containers import columns, kind_of
from glauber._errors import InputError

COLUMNS = {
    "lag": ("lag", "lags"),
    "msd": ("msd", "mean_squared_displacement", "value", "values"),
    "standard_error": ("standard_error", "standard_errors", "error", "errors", "se", "sem"),
}
"""What the columns of a curve may be called."""

Curve = tuple["float | None", list[int], np.ndarray, "np.ndarray | None"]
"""The time of one lag where it is said, the lags, the values and their standard errors."""


def curve_of(msd: Any, interval: Any) -> tuple[Curve, list[str]]:
    """A curve in memory, and what is to be said of how it was read.

    By the names of its columns or the labels of its rows, else the values at lags of 1, 2 …
    """
    said: list[str] = []
    lags, values, errors = _parts(msd, said)
    values = numbers("msd", values).astype(float)
    if values.ndim != 1 or not len(values):
        raise InputError(
            f"msd has shape {values.shape}: give one number per lag, [lag], for lags of 1, 2 … intervals"
        )
    if errors is not None:
        errors = numbers("the errors of msd", errors).astype(float)
        if errors.shape != values.shape:
            raise InputError(
                f"msd has {len(values)} values and errors of shape {errors.shape}: give one error for each"
            )
    whole = np.arange(1, len(values) + 1) if lags is None else _whole(lags, len(values))
    order = np.argsort(whole, kind="stable")
    kept = [i for i in order if not (whole[i] == 0 and values[i] == 0)]
    own = None if interval is None else real(interval, "interval")
    if lags is not None and kept and whole[kept[0]] > 1:
        first = int(whole[kept[0]])
        said.append(
            f"lags count intervals: the first is {first} intervals"
            if own is None
            else f"lags count intervals: the first, {first}, is {first * own:g} units of time"
        )
    curve = (own, [int(whole[i]) for i in kept], values[kept], None if errors is None else errors[kept])
    return curve, said


def _whole(lags: Any, count: int) -> np.ndarray:
    own = numbers("the lags of msd", lags).astype(float)
    if (
        own.shape != (count,)
        or not (own == np.rint(own)).all()
        or (own < 0).any()
        or len(set(own.tolist())) != count
    ):
        shown = ", ".join(f"{x:g}" for x in own.reshape(-1)[:4])
        raise InputError(
            f"the lags of msd are {shown} …: give each once, as a whole number of intervals from 1 (interval= says how long one "
            "is), or the plain values at lags of 1, 2 …"
        )
    return own.astype(np.int64)


def _parts(msd: Any, said: list[str]) -> tuple[Any, Any, Any]:
    """Lags, values and errors; what is not there is None. What its names do not say is added to `said`."""
    kind = kind_of(msd)
    if kind == "pandas.Series":
        return _labels(msd.index, said), msd.to_numpy(), None
    if kind == "xarray.DataArray" and msd.ndim == 1:
        dim = msd.dims[0]
        if dim not in msd.coords:
            return None, msd.values, None
        _say_labels(dim, msd.coords[dim].values, said)
        return msd.coords[dim].values, msd.values, None
    named = msd._asdict() if isinstance(msd, tuple) and hasattr(msd, "_asdict") else msd
    table = None if isinstance(named, np.ndarray) and not _has_names(named) else columns(named, "msd")
    if table is None:
        if not (isinstance(msd, tuple) and len(msd) == 2):
            return None, msd, None
        values, errors = msd
        if kind_of(values) not in ("pandas.Series", "xarray.DataArray"):
            return None, values, errors
        lags, values, _ = _parts(values, said)
        theirs = _parts(errors, [])[0] if kind_of(errors) in ("pandas.Series", "xarray.DataArray") else lags
        if (lags is None) != (theirs is None) or (lags is not None and list(lags) != list(theirs)):
            raise InputError("msd and its errors have other labels: give both by the same lags, in one order")
        return lags, values, np.asarray(errors)
    found: dict[str, Any] = {}
    other = []
    for name, column in table.items():
        meant = next(
            (m for m, known in COLUMNS.items() if str(name).lower().replace(" ", "_") in known), None
        )
        if meant is None:
            other.append(str(name))
            continue
        if meant in found:
            raise InputError(f"msd has two columns for its {meant}: give one")
        # The rows of one table belong together, whatever their labels.
        found[meant] = column.to_numpy() if kind == "pandas.DataFrame" else column
    if "msd" not in found:
        raise InputError(
            f"msd has no column `msd`, only {', '.join(map(str, table))}: name the columns lag, msd and standard_error"
        )
    if "lag" not in found:
        if other:
            raise InputError(
                f"msd has no column `lag`, but {', '.join(f'`{name}`' for name in other)}: name the column of lags `lag`, in "
                "whole numbers of intervals (interval= says how long one is), or leave out what are no lags, and the rows are lags of 1, 2 …"
            )
        rows = named.index if kind == "pandas.DataFrame" else None
        found["lag"] = None if rows is None else _labels(rows, said)
        if found["lag"] is None:
            said.append("msd has no column `lag`: its rows were taken as lags of 1, 2 … intervals, in their order")
    elif other:
        said.append(f"of msd the columns {', '.join(f'`{name}`' for name in other)} were not read")
    return found.get("lag"), found["msd"], found.get("standard_error")


def _labels(index: Any, said: list[str]) -> Any:
    """The labels of rows as lags; None where they only count the rows."""
    labels = list(index)
    if all(isinstance(n, (int, np.integer)) and n == i for i, n in enumerate(labels)) and not index.name:
        return None
    _say_labels(index.name, labels, said)
    return labels


def _say_labels(name: Any, labels: Any, said: list[str]) -> None:
    """Says that labels that are not called lags were read as such."""
    if str(name).lower() in COLUMNS["lag"]:
        return
    shown = ", ".join(f"{n}" for n in labels[:4]) + (" …" if len(labels) > 4 else "")
    whose = "" if name is None else f" (`{name}`)"
    said.append(f"the labels of the rows of msd{whose}, {shown}, were taken as lags in whole numbers of intervals")


def _has_names(value: Any) -> bool:
    return bool(getattr(getattr(value, "dtype", None), "names", None))

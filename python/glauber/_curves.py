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


def curve_of(msd: Any, interval: Any) -> Curve:
    """A curve in memory: by the names of its columns or the labels of its rows, else the values at lags of 1, 2 …"""
    lags, values, errors = _parts(msd)
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
    return (
        None if interval is None else real(interval, "interval"),
        [int(whole[i]) for i in kept],
        values[kept],
        None if errors is None else errors[kept],
    )


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


def _parts(msd: Any) -> tuple[Any, Any, Any]:
    """Lags, values and errors; what is not there is None."""
    kind = kind_of(msd)
    if kind == "pandas.Series":
        labels = list(msd.index)
        plain = (
            all(isinstance(n, (int, np.integer)) and n == i for i, n in enumerate(labels))
            and not msd.index.name
        )
        return (None if plain else labels), msd.to_numpy(), None
    if kind == "xarray.DataArray" and msd.ndim == 1:
        dim = msd.dims[0]
        return (msd.coords[dim].values if dim in msd.coords else None), msd.values, None
    named = msd._asdict() if isinstance(msd, tuple) and hasattr(msd, "_asdict") else msd
    table = None if isinstance(named, (list, np.ndarray)) and not _has_names(named) else columns(named, "msd")
    if table is None:
        values, errors = msd if isinstance(msd, tuple) and len(msd) == 2 else (msd, None)
        return None, values, errors
    found: dict[str, Any] = {}
    for name, column in table.items():
        meant = next(
            (m for m, known in COLUMNS.items() if str(name).lower().replace(" ", "_") in known), None
        )
        if meant is None:
            continue
        if meant in found:
            raise InputError(f"msd has two columns for its {meant}: give one")
        found[meant] = column
    if "msd" not in found:
        raise InputError(
            f"msd has no column `msd`, only {', '.join(map(str, table))}: name the columns lag, msd and standard_error"
        )
    return found.get("lag"), found["msd"], found.get("standard_error")


def _has_names(value: Any) -> bool:
    return bool(getattr(getattr(value, "dtype", None), "names", None))

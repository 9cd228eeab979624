"""Takes tracks that are in memory apart into named columns, as the reader of track files names them."""

from __future__ import annotations

from typing import Any

import numpy as np

from glauber._arrays import check_missing, numbers
from glauber._containers import columns
from glauber._errors import InputError

NAMES = ("id", "t", "x", "y", "z")
"""What the columns of an array without names are called where a person names or numbers them."""

PLACES = {"id": 1, "time": 2, "x": 3, "y": 4, "z": 5}
"""The same by place, where nobody does."""

Column = tuple[str, Any, Any]
"""A column: its name, and its numbers or its texts."""


def tracks_of(tracks: Any, wanted: Any = None) -> tuple[list[Column], Any]:
    """The columns of tracks, and which is which: by their names where they have names, else in the order track, time, x, y [, z]."""
    table = columns(tracks, "the tracks")
    if table is None:
        rows = numbers("tracks", tracks, finite=False).astype(float)
        if rows.ndim != 2 or rows.shape[1] not in (4, 5):
            raise InputError(
                f"tracks have shape {rows.shape}: give rows (track, time, x, y) or (track, time, x, y, z), or a table with "
                "these columns by name"
            )
        names = NAMES
        if wanted is None:
            # They have no names, and none is to be said.
            names = tuple(f"column {place}" for place in PLACES.values())
            wanted = dict(list(PLACES.items())[: rows.shape[1]])
        table = {name: rows[:, i] for i, name in enumerate(names[: rows.shape[1]])}
    found = [_column(str(name), value) for name, value in table.items()]
    lengths = {len(c[1] if c[1] is not None else c[2]) for c in found}
    if len(lengths) > 1:
        raise InputError(
            f"the columns of the tracks have {', '.join(map(str, sorted(lengths)))} rows: give all alike"
        )
    return found, wanted


def _column(name: str, value: Any) -> Column:
    """A column's numbers, with times in seconds where they are dates; texts where it holds other things."""
    what = f"column `{name}` of the tracks"
    check_missing(what, value)
    array = np.asarray(value)
    if array.ndim != 1:
        raise InputError(f"{what} has shape {array.shape}: give one value for each point")
    if array.dtype.kind == "M":
        array = array - array.min() if len(array) else array.astype("m8[ns]")
    if array.dtype.kind == "m":
        seconds = array.astype("m8[ns]").astype(float) / 1e9
        return f"{name} (s)", np.where(np.isnat(array), np.nan, seconds), None
    if array.dtype.kind in "buif":
        return name, np.ascontiguousarray(array, dtype=np.float64), None
    return name, None, ["" if _is_missing(one) else str(one) for one in array.tolist()]


def _is_missing(one: Any) -> bool:
    return one is None or type(one).__name__ == "NAType" or (isinstance(one, float) and one != one)

"""Reads the names that containers carry: which number is which parameter, which column which quantity, which axis which.

Names go before places. What carries names is read by them alone; what carries none is read in order; what has no order (a
set), or names that say nothing here, is refused with what to give instead. pandas, polars, xarray and pyarrow are known by
the names of their types and never imported.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from glauber._errors import InputError

AXES: dict[str, frozenset[str]] = {
    "x": frozenset(["x", "column", "columns", "col", "lon", "long", "longitude", "easting"]),
    "y": frozenset(["y", "row", "rows", "lat", "latitude", "northing"]),
    "z": frozenset(["z", "plane", "planes", "slice", "depth", "altitude"]),
    "time": frozenset(
        ["time", "t", "tp", "datetime", "step", "frame", "second", "sec", "minute", "min", "hour", "day", "week", "month", "quarter", "year"]
        + ["date", "generation", "iteration", "tick", "sweep", "epoch", "snapshot", "elapsed"]
    ),
    "run": frozenset(
        ["run", "runs", "replicate", "replicates", "realisation", "realization", "member", "batch"]
    ),
    "layer": frozenset(["layer", "layers", "variable"]),
    "colour": frozenset(["colour", "color", "channel", "c", "band", "rgb", "s"]),
}
"""What an axis may be called, without case; the words of time also in the plural and among others, as `sample_time`."""


def kind_of(value: Any) -> str:
    """ "pandas.Series", "xarray.DataArray" …: the library and name of a value's type or of one it is derived from."""
    for cls in type(value).__mro__:
        library = cls.__module__.partition(".")[0]
        if library in ("pandas", "polars", "xarray", "pyarrow", "PIL"):
            return f"{library}.{cls.__name__}"
    return ""


def lattice_axes(count: int) -> tuple[str, ...]:
    """The names of a lattice's axes: x; y, x; z, y, x."""
    return ("z", "y", "x")[3 - count :]


def _texts(labels: Iterable[Any]) -> list[str] | None:
    """Labels that are names; none where any is another thing."""
    own = list(labels)
    return [str(n) for n in own] if own and all(isinstance(n, str) for n in own) else None


def _counts(labels: Iterable[Any]) -> bool:
    """Whether labels are only places: 0, 1, 2 …"""
    own = list(labels)
    return all(isinstance(n, (int, np.integer)) and n == i for i, n in enumerate(own))


def _labelled(labels: Iterable[Any], values: Sequence[Any], what: str) -> dict[str, Any] | list[Any]:
    """Values under their labels where those are names; in order where they only count; refused else."""
    own = list(labels)
    texts = _texts(own)
    if texts is not None:
        twice = [n for i, n in enumerate(texts) if n in texts[:i]]
        if twice:
            raise InputError(f"{what} name `{twice[0]}` twice: give each name once")
        return dict(zip(texts, values))
    if _counts(own):
        return list(values)
    shown = ", ".join(map(repr, own[:4])) + (" …" if len(own) > 4 else "")
    raise InputError(
        f"{what} are labelled {shown}, which are neither names nor 0, 1, 2 …: label them by name, or give a plain list of "
        "the values in order"
    )


def _attributes(value: Any) -> dict[str, Any] | None:
    """The fields of a named tuple, a data class, an attrs class or a namespace."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return dict(value._asdict())
    if isinstance(value, type):
        return None
    if dataclasses.is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if hasattr(type(value), "__attrs_attrs__"):
        return {f.name: getattr(value, f.name) for f in type(value).__attrs_attrs__}
    if isinstance(value, types.SimpleNamespace) or type(value).__name__ == "Namespace":
        return dict(vars(value))
    return None


def record(value: Any, what: str) -> dict[Any, Any] | list[Any]:
    """Values under their names where a container names them, else in order.

    Raises
    ------
    InputError
        For a container without order (a set), of several rows, or with labels that are no names.
    TypeError
        For what is no container at all.
    """
    if isinstance(value, Mapping):
        return dict(value)
    own = _attributes(value)
    if own is not None:
        return own
    if isinstance(value, (str, bytes)):
        raise TypeError
    if isinstance(value, (set, frozenset)):
        raise InputError(
            f"{what} are a {type(value).__name__}, which has no order: give a dictionary {{name: number}}"
        )
    kind = kind_of(value)
    if kind in ("pandas.DataFrame", "polars.DataFrame", "pyarrow.Table"):
        table = columns(value, what)
        rows = len(value)
        if rows != 1:
            raise InputError(f"{what} are a table of {rows} rows: give one of them")
        if table is None:
            return list(value.to_numpy()[0])
        return {name: scalar_of(column) for name, column in table.items()}
    if kind == "pandas.Series":
        return _labelled(value.index, list(value), what)
    if kind == "xarray.DataArray":
        return _of_data_array(value, what)
    dtype = getattr(value, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.names:
        if value.size != 1:
            raise InputError(f"{what} are a table of {value.size} rows: give one of them")
        # Not through a plain array, which would forget a mask.
        row = value if value.ndim == 0 else value.reshape(-1)[0]
        return {name: row[name] for name in dtype.names}
    return list(value)


def scalar_of(column: Any) -> Any:
    """The only value of a column."""
    own = list(column)
    return own[0] if len(own) == 1 else own


def _of_data_array(value: Any, what: str) -> dict[str, Any] | list[Any]:
    flat = value.squeeze()
    if flat.ndim != 1:
        if flat.ndim == 0 and value.ndim == 0:
            raise TypeError
        if flat.ndim == 0:
            flat = value.isel({d: slice(None) if d == value.dims[0] else 0 for d in value.dims})
        else:
            raise InputError(
                f"{what} have the axes {', '.join(map(str, value.dims))}: give one, with the names as its labels"
            )
    name = flat.dims[0]
    values = list(flat.values)
    return _labelled(flat.coords[name].values.tolist(), values, what) if name in flat.coords else values


def columns(value: Any, what: str) -> dict[str, Any] | None:
    """The columns of a table by name; None where they have none."""
    kind = kind_of(value)
    if kind == "xarray.Dataset":
        return _columns_of_dataset(value)
    if isinstance(value, Mapping):
        return {str(name): column for name, column in value.items()}
    if kind == "pandas.DataFrame":
        indexed = [n for n in value.index.names if n is not None]
        if indexed:
            value = value.reset_index(level=[n for n in indexed if n not in value.columns])
        own = _labelled(
            value.columns, [value.iloc[:, i] for i in range(value.shape[1])], f"the columns of {what}"
        )
        return own if isinstance(own, dict) else None
    if kind == "polars.DataFrame":
        return {name: value.get_column(name) for name in value.columns}
    if kind == "polars.LazyFrame":
        return columns(value.collect(), what)
    if kind in ("pyarrow.Table", "pyarrow.RecordBatch"):
        return {name: value.column(i).to_pylist() for i, name in enumerate(value.schema.names)}
    if kind == "xarray.DataArray" and value.ndim == 2:
        for dim in value.dims:
            texts = _texts(value.coords[dim].values.tolist()) if dim in value.coords else None
            if texts is not None:
                return {name: value.isel({dim: i}).values for i, name in enumerate(texts)}
        return None
    dtype = getattr(value, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.names:
        return {name: value[name] for name in dtype.names}
    if isinstance(value, (list, tuple)) and value and all(_is_row(row) for row in value):
        return _columns_of_rows(value, what)
    return None


def _is_row(row: Any) -> bool:
    dtype = getattr(row, "dtype", None)
    return isinstance(row, Mapping) or _attributes(row) is not None or bool(getattr(dtype, "names", None))


def _columns_of_rows(rows: Sequence[Any], what: str) -> dict[str, Any]:
    own = [record(row, what) for row in rows]
    names = list(own[0])
    for place, row in enumerate(own):
        if not isinstance(row, dict) or set(row) != set(names):
            raise InputError(
                f"row {place} of {what} has not the names of the first, {', '.join(map(str, names))}: give all alike"
            )
    return {str(name): [row[name] for row in own] for name in names}


def _columns_of_dataset(value: Any) -> dict[str, Any]:
    """The variables of a dataset as columns; of several axes, one row for each of their places."""
    if len(value.dims) > 1:
        return columns(value.to_dataframe().reset_index(), "the dataset") or {}
    own = {str(n): v.values for n, v in value.coords.items() if v.ndim == 1}
    return {**own, **{str(n): v.values for n, v in value.data_vars.items()}}


def by_name(value: Any, what: str, known: Sequence[str]) -> dict[Any, Any] | None:
    """Arrays under their names: of a mapping, a dataset, a structured array, a labelled axis; None for one array.

    The labels of an axis are names of arrays where it is called `layer`, or where all the known names are among them.
    """
    if isinstance(value, Mapping):
        return dict(value)
    own = _attributes(value)
    if own is not None:
        return own
    kind = kind_of(value)
    if kind in ("polars.DataFrame", "pyarrow.Table"):
        return columns(value, what)
    if kind == "pandas.DataFrame":
        return {n: value[n] for n in value.columns} if _texts(value.columns) else None
    if kind == "xarray.DataArray":
        for dim in value.dims:
            texts = _texts(value.coords[dim].values.tolist()) if dim in value.coords else None
            if texts is not None and (meaning_of(dim) == "layer" or set(known) <= set(texts)):
                return {name: value.isel({dim: i}, drop=True) for i, name in enumerate(texts)}
        return None
    dtype = getattr(value, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.names:
        return {name: value[name] for name in dtype.names}
    return None


def labels_of_time(value: Any, lattice: Sequence[str]) -> list[Any] | None:
    """The labels of the axis of time, whatever it is called, where they are not 0, 1, 2 …

    Of an array of xarray they are those of the axis and of what else is known along it; of a table of pandas, whose rows
    are the times of a line, its index.

    Raises
    ------
    InputError
        For labels that are no numbers, dates that are not evenly spaced, several labels that differ, times that differ from
        run to run, and numbers along the axis that may be uneven times and are not called so.
    """
    kind = kind_of(value)
    if kind == "pandas.DataFrame" and len(lattice) == 1:
        if value.columns.name is not None and meaning_of(value.columns.name) == "time":
            return _steps_of("the columns", np.asarray(value.columns))
        return _steps_of("the index", np.asarray(value.index))
    if kind != "xarray.DataArray":
        return None
    dim = _axis_of_time(value, lattice)
    if dim is None:
        return None
    own = {dim: value.coords[dim]} if dim in value.coords else {}
    beside = {n: c for n, c in value.coords.items() if n != dim and c.dims == (dim,) and meaning_of(n, c) == "time"}
    of_runs = {
        n: c for n, c in value.coords.items() if dim in c.dims and c.ndim > 1 and meaning_of(n, c) == "time"
    }
    alike = {n: c.isel({d: 0 for d in c.dims if d != dim}) for n, c in of_runs.items()}
    for name, one in alike.items():
        if not bool((of_runs[name] == one).all()):
            raise InputError(
                f"the times `{name}` differ along {', '.join(str(d) for d in of_runs[name].dims if d != dim)}: all runs of one "
                "array are seen at the same times; fit those that were together"
            )
    known = {**own, **beside, **alike}
    found = {name: _steps_of(f"`{name}`", np.asarray(c.values)) for name, c in known.items()}
    if not known:
        _check_unnamed_times(value, dim)
    first = next(iter(found), None)
    for name, labels in found.items():
        if not np.allclose(_spacing(labels, value.sizes[dim]), _spacing(found[first], value.sizes[dim])):
            raise InputError(
                f"the times are labelled by `{first}` and otherwise by `{name}`: leave one of them out, as array.drop_vars(\"{name}\")"
            )
    return None if first is None else found[first]


def _check_unnamed_times(value: Any, dim: Any) -> None:
    """Refuses numbers along an axis of time without labels that rise unevenly, as times do, but are not called so."""
    for name, c in value.coords.items():
        labels = np.asarray(c.values)
        if c.dims != (dim,) or meaning_of(name, c) is not None or labels.dtype.kind not in "iuf":
            continue
        steps = np.diff(labels.astype(float))
        if steps.size > 1 and (steps > 0).all() and not np.allclose(steps, steps[0]):
            shown = ", ".join(f"{n:g}" for n in labels[:4]) + (" …" if labels.size > 4 else "")
            raise InputError(
                f"`{name}` rises along the axis of time, {shown}: if these are the times, call it `time`, as "
                f"array.rename({{\"{name}\": \"time\"}}) or array.assign_coords({{\"{dim}\": array[\"{name}\"].values}}); if not, leave "
                f"it out, as array.drop_vars(\"{name}\")"
            )


def _axis_of_time(value: Any, lattice: Sequence[str]) -> Any:
    """The axis that is time: by its name, by its labels, or because no axis has a name and it lies there."""
    meanings = _meanings(value)
    if "time" in meanings:
        return value.dims[meanings.index("time")]
    before = value.ndim - len(lattice)
    return value.dims[before - 1] if before > 0 and all(m == "" for m in meanings) else None


def _steps_of(what: str, labels: np.ndarray) -> list[Any] | None:
    """Labels of times as numbers; none where they are 0, 1, 2 … or dates that are evenly spaced."""
    if _dated(labels):
        moments = labels.tolist() if labels.dtype.kind == "O" else list(labels)
        if len({later - earlier for earlier, later in zip(moments, moments[1:])}) > 1:
            raise InputError(
                f"the dates of {what}, the axis of time, are not evenly spaced: say by times= after which step each state was "
                "seen, and give .values, or assign whole numbers to the axis"
            )
        return None
    if labels.dtype.kind not in "iuf":
        raise InputError(
            f"the labels of {what}, the axis of time, are no numbers ({labels.reshape(-1)[0]!r} …): assign the step of each "
            "state to it, or give .values and say by times= after which step each was seen"
        )
    return None if np.array_equal(labels, np.arange(labels.size)) else list(labels.tolist())


def _spacing(labels: Sequence[float] | None, length: int) -> np.ndarray:
    """How times follow one another, whatever their unit."""
    times = np.asarray(labels if labels is not None else range(length), dtype=float)
    steps = np.diff(times)
    return steps / steps[0] if steps.size and steps[0] else steps


def meaning_of(axis: Any, coordinate: Any = None) -> str | None:
    """What an axis' name, or its labels, mean: one of `AXES`, "" where it has no name, None where that is not known."""
    whole = str(axis).lower()
    for meaning, names in AXES.items():
        if whole in names:
            return meaning
    # sample_time, timepoint, Days …
    words = "".join(c if c.isalpha() else " " for c in whole).split()
    if any(w.removesuffix("s") in AXES["time"] or w.startswith("time") for w in words):
        return "time"
    if coordinate is not None and _dated(np.asarray(coordinate.values)):
        return "time"
    return "" if axis is None or str(axis).startswith("dim_") else None


def _dated(labels: np.ndarray) -> bool:
    """Whether labels are dates, or spans of time."""
    return labels.dtype.kind in "Mm" or (
        labels.dtype.kind == "O" and labels.size > 0 and hasattr(labels.reshape(-1)[0], "timetuple")
    )


def _meanings(value: Any) -> list[str | None]:
    """What each axis of an array of xarray means."""
    return [meaning_of(dim, value.coords[dim] if dim in value.coords else None) for dim in value.dims]


def ordered(what: str, value: Any, wanted: Sequence[Sequence[str]]) -> Any:
    """An array with its named axes in the order that is wanted, one of several; where they have no names, as they are.

    Raises
    ------
    InputError
        Where names cannot be told from one another, or rows or columns are labelled out of order.
    """
    kind = kind_of(value)
    if kind in ("pandas.DataFrame", "pandas.Series"):
        for labels in (value.index, *([value.columns] if kind == "pandas.DataFrame" else [])):
            _check_rising(what, list(labels))
        return value if kind == "pandas.Series" else _turned(what, value, wanted)
    if kind != "xarray.DataArray":
        return value
    for dim in value.dims:
        if dim in value.coords and value.coords[dim].ndim == 1:
            _check_rising(what, value.coords[dim].values.tolist())
    fitting = [axes for axes in wanted if len(axes) == value.ndim]
    meanings = _meanings(value)
    if not fitting or all(m == "" for m in meanings) or (value.ndim == 1 and meanings[0] is None):
        return value
    for axes in fitting:
        order = _order(meanings, axes)
        if order is not None:
            return value.transpose(*[value.dims[i] for i in order])
    raise InputError(
        f"{what} has the axes {', '.join(map(str, value.dims))}: name them {' or '.join(', '.join(a) for a in fitting)}, in any "
        "order, or give its .values, whose order then counts"
    )


def _turned(what: str, frame: Any, wanted: Sequence[Sequence[str]]) -> Any:
    """A table with its rows and columns as wanted, by what they are called as a whole (`index.name`, `columns.name`)."""
    names = [frame.index.name, frame.columns.name]
    meanings = ["" if name is None else meaning_of(name) for name in names]
    fitting = [axes for axes in wanted if len(axes) == 2]
    if not fitting or not any(meanings):
        return frame
    for axes in fitting:
        order = _order(meanings, axes)
        if order is not None:
            return frame if order == [0, 1] else frame.T
    # A name that says nothing of an axis counts as none.
    known = [m for m in meanings if m]
    if len(known) == 1 and any(axes[meanings.index(known[0])] == known[0] for axes in fitting):
        return frame
    raise InputError(
        f"the rows of {what} are called `{names[0]}` and its columns `{names[1]}`: call them {' or '.join(', '.join(a) for a in fitting)}, in "
        "any order, or give the plain array (.to_numpy()), whose order then counts"
    )


def _order(meanings: Sequence[str | None], axes: Sequence[str]) -> list[int] | None:
    """Where each axis lies; one that is not known is the one that is left, except that times and layers are never guessed."""
    places: list[int | None] = [meanings.index(axis) if axis in meanings else None for axis in axes]
    open_axes = [i for i, place in enumerate(places) if place is None]
    left = [i for i in range(len(axes)) if i not in places]
    if len(open_axes) == 1 and len(left) == 1 and not meanings[left[0]] and axes[open_axes[0]] not in ("time", "layer"):
        places[open_axes[0]] = left[0]
    return None if None in places else [p for p in places if p is not None]


def _check_rising(what: str, labels: list[Any]) -> None:
    """Refuses rows or columns whose labels are numbers in no order: by which of them is the array to be read?"""
    if not labels or not all(isinstance(n, (int, float, np.number)) for n in labels):
        return
    steps = np.diff(np.asarray(labels, dtype=float))
    if not ((steps > 0).all() or (steps < 0).all()):
        shown = ", ".join(f"{n:g}" for n in labels[:4]) + (" …" if len(labels) > 4 else "")
        raise InputError(
            f"the rows or columns of {what} are labelled {shown}, in no order: sort them by their labels, or give the plain "
            "array (.to_numpy()), whose order then counts"
        )

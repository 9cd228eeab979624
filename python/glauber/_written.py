"""Reads numbers that were written down of a process: which column is which number of the model, which row which step.

Names go before places. Columns whose names are those of the numbers (of regions their labels) are read by them; others that are
taken by their place are said to be, or refused where they look like labels that are not there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glauber import _glauber
from glauber._arrays import numbers, of_texts, told
from glauber._containers import columns, kind_of, labels_of_time, lattice_axes, meaning_of, ordered
from glauber._errors import InputError
from glauber._simulation import Simulation, times_of

STEP = ("step", "steps")
"""What the column of steps may be called, as in a file."""


def written(data: Any, what: str, layer: str | None, shape: Sequence[int], outputs: Sequence[str], said: list[str]) -> tuple[np.ndarray, Any]:
    """Numbers [run, time, number] or fewer axes, NaN where nothing was seen, and their steps where the container says them.

    `layer` is what is seen site by site, None where `outputs` are the names of the numbers. How names were taken that say
    nothing here is added to `said`.
    """
    if isinstance(data, (str, bytes, os.PathLike)):
        raise TypeError(
            f"the data of `{what}` are the text {told(data)}: give numbers; of a file, what was read from it, as "
            "pandas.read_csv(path), whose column `step` is then read too, or numpy.load(path)"
        )
    if layer is not None:
        return _sites(data, what, layer, lattice_axes(len(shape)))
    return _numbers(data, what, outputs, said)


def _sites(data: Any, what: str, layer: str, lattice: tuple[str, ...]) -> tuple[np.ndarray, Any]:
    steps: Any = data.times if isinstance(data, Simulation) else None
    if isinstance(data, Mapping):
        if layer not in data:
            raise InputError(f"the data of `{what}` are {', '.join(map(str, data)) or 'nothing'}, and no `{layer}`: give its array")
        data = data[layer]
    if kind_of(data) in ("xarray.Dataset", "polars.DataFrame", "polars.LazyFrame", "pyarrow.Table"):
        raise InputError(f"the data of `{what}` are {told(data)}: give the array of `{layer}`, [time, {', '.join(lattice)}]")
    if steps is None:
        steps = times_of(data)
    if steps is None:
        steps = labels_of_time(data, lattice)
    data = ordered(f"the data of `{what}`", data, [("run", "time", *lattice), ("time", *lattice), lattice])
    return with_missing(data), steps


def _numbers(data: Any, what: str, outputs: Sequence[str], said: list[str]) -> tuple[np.ndarray, Any]:
    kind = kind_of(data)
    if kind == "pandas.Series":
        return with_missing(data), _index(data.index, None, what)
    if kind == "xarray.DataArray":
        return _data_array(data, what, outputs, said)
    table = data if kind == "pandas.DataFrame" else None
    if table is None and (_has_columns(data) or kind):
        table = columns(data, f"the data of `{what}`")
    if table is None:
        return with_missing(data), None
    if kind == "pandas.DataFrame":
        named = [n for n in table.index.names if n is not None]
        rows = None if named else table.index
        table = table.reset_index() if named else table
        own = {name: table.iloc[:, i] for i, name in enumerate(table.columns)}
        if len(own) != table.shape[1]:
            raise InputError(f"two columns of the data of `{what}` have one name: give each a name of its own")
    else:
        own, rows = table, None
    steps = None
    for name in list(own):
        if str(name).lower() in STEP and str(name) not in outputs:
            if steps is not None:
                raise InputError(f"the data of `{what}` have two columns of steps: give one")
            steps = numbers(f"the column `{name}`", np.asarray(own.pop(name)))
        elif isinstance(name, str) and meaning_of(name) in ("time", "run") and name not in outputs:
            raise InputError(
                f"the data of `{what}` have the column `{name}`: call the steps after which rows were seen `step` (or give steps= and leave it "
                "out), and give several runs as an array [run, time, number]"
            )
    if not own:
        raise InputError(f"the data of `{what}` have no column but that of steps: give what was seen")
    if steps is None and rows is not None:
        steps = _index(rows, said, what)
    own = {name: with_missing(column) for name, column in own.items()}
    lengths = {column.shape for column in own.values()}
    if len(lengths) != 1 or any(column.ndim != 1 for column in own.values()):
        raise InputError(f"the columns of the data of `{what}` differ in length, or are no columns: give a number for each time")
    order = in_order(list(own), what, outputs, said)
    values = list(own.values())
    return np.stack([values[i] for i in order], axis=-1), steps


def _has_columns(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return bool(data) and (isinstance(data[0], Mapping) or hasattr(data[0], "_asdict"))
    return isinstance(data, Mapping) or bool(getattr(getattr(data, "dtype", None), "names", None))


def _index(index: Any, said: list[str] | None, what: str) -> Any:
    """The steps of rows from their labels, where these are whole numbers and do not just count the rows."""
    labels = np.asarray(index)
    if labels.dtype.kind not in "iu" or np.array_equal(labels, np.arange(labels.size)):
        if index.name is not None and str(index.name).lower() in STEP:
            return labels
        return None
    if said is not None:
        shown = ", ".join(map(str, labels[:4])) + (" …" if labels.size > 4 else "")
        said.append(f"the labels of the rows of `{what}`, {shown}, were taken as steps: steps= says others")
    return labels


def _data_array(data: Any, what: str, outputs: Sequence[str], said: list[str]) -> tuple[np.ndarray, Any]:
    about = f"the data of `{what}`"
    steps = labels_of_time(data, ("number",) if data.ndim > 1 else ())
    others = [dim for dim in data.dims if meaning_of(dim, data.coords[dim] if dim in data.coords else None) not in ("time", "run")]
    names = None
    if len(others) == 1 and data.ndim > 1 and others[0] in data.coords:
        names = data.coords[others[0]].values.tolist()
        # Its labels are names, in any order.
        data = data.drop_vars(others[0])
    wanted = [axes for last in ("number", "x", "y", "z", "layer") for axes in (("run", "time", last), ("time", last))]
    dim = others[0] if others else None
    data = ordered(about, data, [*wanted, ("run", "time"), ("time",)])
    if names is not None:
        data = data.isel({dim: in_order(names, what, outputs, said)})
    return with_missing(data), steps


def in_order(names: Sequence[Any], what: str, outputs: Sequence[str], said: list[str]) -> list[int]:
    """Where each number of `outputs` stands among columns of these names."""
    count = len(names)
    plain = list(range(count))
    if len(outputs) == 1 or list(names) == plain == [_label(n) for n in outputs]:
        return plain
    if all(isinstance(n, (int, np.integer)) and n == i for i, n in enumerate(names)):
        # They only count the columns.
        if count == len(outputs):
            wanted = ", ".join(f"`{name}`" for name in outputs[:6]) + (" …" if len(outputs) > 6 else "")
            said.append(f"the columns of `{what}` have no names: they were taken by their place as {wanted}")
        return plain
    order, note = _glauber.columns_in_order([str(name) for name in names], list(outputs), what)
    said.extend([note] if note else [])
    return order


def _label(name: Any) -> float | None:
    """The number that a name is or ends with, as that of "region 2"."""
    text = str(name).strip()
    for kind in ("region ", "row ", "column "):
        text = text.removeprefix(kind)
    try:
        return float(text)
    except ValueError:
        return None


def with_missing(data: Any) -> np.ndarray:
    """Numbers, NaN where nothing was seen."""
    if hasattr(data, "detach"):
        data = data.detach().cpu()
    if isinstance(data, np.ma.MaskedArray):
        data = np.ma.filled(data.astype(float), np.nan)
    elif isinstance(data, (list, tuple)) and any(isinstance(one, np.ma.MaskedArray) and one.ndim for one in data):
        data = [with_missing(one) for one in data]
    array = np.asarray(data.to_numpy() if hasattr(data, "to_numpy") else data)
    if array.dtype.kind == "O":
        missing = [one is None or one is np.ma.masked or type(one).__name__ in ("NAType", "NaTType") for one in array.reshape(-1)]
        array = np.where(np.reshape(missing, array.shape), np.nan, array)
        try:
            array = array.astype(float)
        except (TypeError, ValueError):
            array = array.astype(str)
    if array.dtype.kind in "US":
        raise TypeError(f"the data hold text{of_texts(array)}, NaN where nothing was seen")
    if array.dtype.kind not in "buif":
        raise TypeError(f"the data hold no numbers (dtype {array.dtype}): give an array of numbers, NaN where nothing was seen")
    return np.ascontiguousarray(array, dtype=float)

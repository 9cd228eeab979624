"""Checks arrays and names that users give, and makes them what the engine takes.

Every mistake is an `InputError` or `TypeError` that says what was found and what is needed.
"""

from __future__ import annotations

import difflib
import math
import operator
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from glauber._containers import by_name, columns, kind_of, lattice_axes, ordered, record
from glauber._errors import InputError


def hint(name: str, known: Iterable[str]) -> str:
    """ ": did you mean `…`?", or what there is."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1) if isinstance(name, str) else []
    if near:
        return f": did you mean `{near[0]}`?"
    return f"; there are {', '.join(known)}" if known else ": there are none"


def check_names(names: Iterable[Any], known: Iterable[str], what: str) -> None:
    """Refuses a name that is not known, with the nearest one that is."""
    known = list(known)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"the name of a {what} is {name!r}: names are text")
        if name not in known:
            raise InputError(f"there is no {what} `{name}`{hint(name, known)}")


def told(value: Any) -> str:
    """A value in a message: in full where that is short, else what it is."""
    text = repr(value)
    if len(text) <= 60 and "\n" not in text:
        return text
    shape = getattr(value, "shape", None)
    return f"a {type(value).__name__}" + ("" if shape is None else f" of shape {tuple(shape)}")


def table(value: Any, what: str, example: str) -> dict[Any, Any]:
    """A dictionary, or none."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{what} is {told(value)}: give a dictionary, as {example}")
    return dict(value)


def names(value: Any, what: str) -> list[str]:
    """Several names, in order; a text is one of them."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, (set, frozenset)):
        raise InputError(f"{what} is a {type(value).__name__}, which has no order: give a list of names")
    try:
        return list(value)
    except TypeError:
        raise TypeError(f"{what} is {told(value)}: give a list of names") from None


def check_missing(what: str, value: Any) -> None:
    """Refuses masked entries, also of arrays within lists: what lies under a mask is no value."""
    if isinstance(value, np.ma.MaskedArray):
        mask: Any = np.ma.getmaskarray(value)
        parts = [mask[n] for n in mask.dtype.names] if mask.dtype.names else [mask]
        hidden = next((part for part in parts if part.any()), None)
        if hidden is not None:
            place = tuple(int(i) for i in np.argwhere(hidden)[0])
            raise InputError(
                f"{what} is missing (masked){f' at {place}' if place else ''}: give a number there, as array.filled(value), "
                "or leave it out"
            )
    elif isinstance(value, (list, tuple)):
        for one in value:
            if isinstance(one, (np.ma.MaskedArray, list, tuple)):
                check_missing(what, one)


def _one(value: Any, what: str, wanted: str) -> None:
    """Refuses what is not one number: masked, an array, complex, a text."""
    check_missing(what, value)
    if getattr(value, "ndim", 0) or isinstance(value, (str, bytes)):
        raise TypeError(f"{what} is {told(value)}: give {wanted}")
    if (
        isinstance(value, (complex, np.complexfloating))
        or getattr(getattr(value, "dtype", None), "kind", "") == "c"
    ):
        raise TypeError(f"{what} is {told(value)}, a complex number: give {wanted}")


def whole(value: Any, what: str, least: int = 0, most: int = 2**63 - 1) -> int:
    """A whole number within bounds; an array of no axes is one."""
    _one(value, what, "a whole number")
    try:
        number = int(operator.index(value))
    except TypeError:
        try:
            own = float(value)
        except (TypeError, ValueError):
            own = math.nan
        if not own.is_integer():
            raise TypeError(f"{what} is {told(value)}: give a whole number") from None
        number = int(own)
    if not least <= number <= most:
        raise InputError(
            f"{what} is {number}: give a whole number from {least}"
            + ("" if most > 2**60 and number < least else f" to {most}")
        )
    return number


def number(value: Any, what: str) -> float:
    """A number, which may be infinite or NaN; an array of no axes is one."""
    if isinstance(value, complex) or getattr(getattr(value, "dtype", None), "kind", "") == "c":
        raise TypeError(f"{what} is {told(value)}, a complex number: give a real one")
    _one(value, what, "a number")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{what} is {told(value)}: give a number") from None


def real(value: Any, what: str) -> float:
    """A finite number."""
    own = number(value, what)
    if not math.isfinite(own):
        raise InputError(f"{what} is {own}: give a finite number")
    return own


def seed_of(value: Any) -> int:
    """A seed: a whole number from 0 below 2⁶⁴."""
    return whole(value, "seed", 0, 2**64 - 1)


def _array(name: str, value: Any, axes: Sequence[Sequence[str]]) -> np.ndarray:
    """An array with its named axes in order; nothing masked."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if isinstance(value, (list, tuple)) and any(kind_of(one) for one in value):
        value = [_array(name, one, [own[1:] for own in axes]) for one in value]
    check_missing(name, value)
    if kind_of(value) == "xarray.Dataset":
        there = list(map(str, value.data_vars))
        one = there[0] if there else "name"
        raise InputError(f"{name} is a dataset of {', '.join(there) or 'nothing'}: give one of its arrays, as dataset[{one!r}]")
    try:
        return np.asarray(ordered(name, value, axes))
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name} is no array: its rows differ in length ({error})") from None


def _of_objects(array: np.ndarray) -> np.ndarray:
    """Python's own texts as an array of texts; other objects as they are."""
    return array.astype(str) if array.size and all(isinstance(one, str) for one in array.flat) else array


def of_texts(array: np.ndarray) -> str:
    """What texts there are, and how they become numbers."""
    if not array.ndim:
        return f", {str(array)!r}: give an array of numbers; of a file, what was read from it, as numpy.load(path)"
    found = list(dict.fromkeys(array.reshape(-1)[:1000].tolist()))
    try:
        [float(one) for one in found]
        return f" ({told(found[0])} …): give numbers, as array.astype(float)" if found else ": give an array of numbers"
    except ValueError:
        shown = ", ".join(map(repr, found[:4])) + (" …" if len(found) > 4 else "")
        return (
            f" ({shown}): give the number that stands for each, of a layer of named states its place 0, 1, 2 … in their list, as "
            f"numpy.vectorize({{{found[0]!r}: …}}.get)(array)"
        )


def numbers(name: str, value: Any, finite: bool = True, axes: Sequence[Sequence[str]] = ()) -> np.ndarray:
    """Numbers, finite where that is asked, as an array of uint8 or float64; any layout and any type of numbers is taken.

    Axes that have names are brought into the order of one of `axes`.
    """
    array = _array(name, value, axes)
    if array.dtype.kind == "O":
        for place, one in np.ndenumerate(array):
            if one is None or one is np.ma.masked or type(one).__name__ in ("NAType", "NaTType"):
                raise InputError(
                    f"{name} is missing ({one}) at {place}: give a number there, or leave it out"
                )
        array = _of_objects(array)
    if array.dtype.kind in "US":
        raise TypeError(f"{name} holds text{of_texts(array)}")
    if array.dtype.kind not in "buif":
        what = {"c": "complex numbers", "O": "Python objects"}.get(
            array.dtype.kind, "no numbers"
        )
        raise TypeError(
            f"{name} holds {what} (dtype {array.dtype}): give an array of numbers, as array.astype(float)"
        )
    if finite and array.dtype.kind == "f" and not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"{name} holds {array[place]} at {place}: give finite numbers")
    kept = np.uint8 if array.dtype.kind == "b" or array.dtype == np.uint8 else np.float64
    return np.asarray(array, dtype=kept, order="C")


def field(
    name: str, value: Any, shape: Sequence[int], replicates: int, everywhere: bool = False
) -> tuple[np.ndarray, int | None]:
    """A field for all replicates, or one for each: its flat numbers, and how many fields they are.

    With `everywhere` one number is that number at every site.
    """
    shape = tuple(shape)
    lattice = lattice_axes(len(shape))
    array = numbers(name, value, axes=[lattice, ("run", *lattice)])
    if array.ndim == 0 and everywhere:
        return np.full(math.prod(shape), array, dtype=np.float64), None
    if array.shape == shape:
        return array.reshape(-1), None
    if array.shape == (replicates, *shape):
        return array.reshape(-1), replicates
    if array.shape[1:] == shape:
        own = array.shape[0]
        raise InputError(
            f"{name} holds {own} lattices, one for each of {own} replicates, but {replicates} {'is' if replicates == 1 else 'are'} "
            f"run: give replicates={own}, or one lattice of them, which all replicates then share"
        )
    each = f", or {(replicates, *shape)} with one for each replicate"
    raise InputError(f"{name} has shape {array.shape}, but the lattice has {shape}: give {shape}{each}")


NAMES_OF_STATES = "names of states"
"""The array of a simulation's file that says what the numbers of named states mean."""


UPDATE_OF_STATES = "update scheme"
"""The array of a simulation's file that says under which update it was simulated."""


def check_kinds(model: Any, given: Any, what: str) -> None:
    """Refuses the states of a simulation (or its `.last`) where their numbers mean other states in this model."""
    for name, layer in (getattr(given, "kinds", None) or {}).items():
        if name not in model.layers:
            continue
        theirs, ours = layer.states, model.layers[name].states
        if bool(theirs) == bool(ours) and all(a == b for a, b in zip(theirs, ours)):
            continue
        told_as = [", ".join(states) if states else "numbers without names" for states in (theirs, ours)]
        raise InputError(
            f"in {what} the states of layer `{name}` are {told_as[0]}, but in model `{model.name}` they are {told_as[1]}: their "
            f'numbers mean other states; where the numbers are meant, give them alone, as {{"{name}": run["{name}"]}}, '
            "translated where need be"
        )


def start_fields(model: Any, start: Any, replicates: int) -> list[tuple[np.ndarray, int | None]] | None:
    """The states that replicates start from, one per layer; None where they start as the model says."""
    if start is None:
        return None
    names = list(model.layers)
    check_kinds(model, start, "the start")
    given = by_name(start, "the start", names)
    if given is None:
        if len(names) != 1:
            raise InputError(
                f"model `{model.name}` has the layers {', '.join(names)}: give start={{layer: array}}"
            )
        given = {names[0]: start}
    check_names(given, names, f"layer of model `{model.name}`")
    missing = [name for name in names if name not in given]
    if missing:
        raise InputError(
            f"start has no array for layer `{missing[0]}`: give one for each of {', '.join(names)}"
        )
    return [field(f"the start of layer `{name}`", given[name], model.shape, replicates) for name in names]


def run_fields(
    model: Any, fields: Mapping[str, Any] | None, replicates: int, more: Iterable[str] = ()
) -> list[Any]:
    """Covariates, parameter fields and data by name."""
    fields = named_arrays(fields, "fields", [*model.fields, *more])
    check_names(fields, [*model.fields, *more], f"field of model `{model.name}`")
    return [
        (name, field(f"field `{name}`", value, model.shape, replicates, everywhere=True)) for name, value in fields.items()
    ]


def named_arrays(value: Any, what: str, known: Iterable[str] = ()) -> dict[Any, Any]:
    """Arrays by name, from a dictionary, a dataset, a structured array; none from None."""
    if value is None:
        return {}
    own = by_name(value, what, list(known))
    if own is None:
        raise TypeError(f'{what} is {told(value)}: give a dictionary, as {{"name": array}}')
    return own


def named_numbers(value: Any, what: str) -> dict[Any, Any]:
    """Numbers by name, from a dictionary, a Series, a row, a record; none from None."""
    if value is None:
        return {}
    wanted = f'{what} is {told(value)}: give a dictionary, as {{"beta": 0.3}}'
    try:
        own = record(_of_result(value), what)
    except TypeError:
        raise TypeError(wanted) from None
    if not isinstance(own, dict):
        raise TypeError(wanted)
    return own


def _of_result(value: Any) -> Any:
    """The estimates of a fit's result; anything else as it is."""
    if hasattr(value, "params") and hasattr(value, "standard_errors"):
        return {n: v for n, v in value.params.items() if not isinstance(v, np.ndarray)}
    return value


def parameter_list(model: Any, given: Any) -> list[float]:
    """The value of every parameter in the model's order: those given by name or in order, else the defaults."""
    declared = model.parameters
    try:
        own = {} if given is None else record(_of_result(given), "the parameters")
        if isinstance(own, list) and any(getattr(x, "ndim", 0) or isinstance(x, (str, bytes)) for x in own):
            raise TypeError
    except TypeError:
        raise TypeError(
            f"the parameters are {told(given)}: give a dictionary {{name: number}}, or a list in the order "
            f"{', '.join(declared)}"
        ) from None
    if not isinstance(own, dict):
        if len(own) != len(declared):
            raise InputError(
                f"{len(own)} parameters were given, but model `{model.name}` has {len(declared)}: {', '.join(declared)}"
            )
        own = dict(zip(declared, own))
    check_names(own, declared, f"parameter of model `{model.name}`")
    values = []
    for name, parameter in declared.items():
        if name in own and own[name] is None:
            usual = "" if parameter.default is None else f", or leave `{name}` out for its default {parameter.default:g}"
            raise InputError(f"parameter `{name}` of model `{model.name}` is None: give a number{usual}")
        value = own.get(name, parameter.default)
        if value is None:
            raise InputError(
                f'model `{model.name}` has no default for parameter `{name}`: give {{"{name}": number}}'
            )
        one = number(value, f"parameter `{name}`")
        if not parameter.lowest <= one <= parameter.highest:
            raise InputError(
                f"parameter `{name}` of model `{model.name}` is {one}, outside its interval "
                f"[{parameter.lowest:g}, {parameter.highest:g}]"
            )
        values.append(one)
    return values


def theta_of(given: Any, names: Sequence[str], lengths: Sequence[int], what: str = "θ") -> np.ndarray:
    """The numbers of unknowns, flat, by their names where the container has names, else in order."""
    own: Any = None
    if not (isinstance(given, (list, np.ndarray)) and not getattr(given, "dtype", np.dtype(float)).names):
        try:
            own = record(given, what)
        except TypeError:
            pass
    if not isinstance(own, dict):
        return numbers(what, given).astype(float)
    check_names(own, names, "fitted parameter")
    missing = [n for n in names if n not in own]
    if missing:
        raise InputError(f"{what} has no `{missing[0]}`: give {', '.join(names)}")
    parts = [numbers(f"{what} of `{n}`", own[n]).astype(float).reshape(-1) for n in names]
    for name, part, length in zip(names, parts, lengths):
        if part.size != length:
            raise InputError(f"{what} of `{name}` has {part.size} numbers: give {length}")
    return np.concatenate(parts) if parts else np.zeros(0)


def theta_rows(given: Any, names: Sequence[str], what: str) -> np.ndarray:
    """Numbers [name] or [row, name] in the order of `names`: by the names of a Series or of a table's columns."""
    table = None if isinstance(given, np.ndarray) and not given.dtype.names else columns(given, what)
    if table is None:
        return theta_of(given, names, [1] * len(names), what)
    check_names(table, names, "parameter")
    missing = [n for n in names if n not in table]
    if missing:
        raise InputError(f"{what} have no column `{missing[0]}`: give {', '.join(names)}")
    return np.stack([numbers(f"{what}, `{n}`", table[n]).astype(float).reshape(-1) for n in names], axis=-1)


def warn_of_slopes(what: str, value: float, names: Sequence[str], gradient: Sequence[Any], depth: int) -> None:
    """Warns where a gradient is no number though the loss is one, `depth` calls up."""
    lost = [n for n, slope in zip(names, gradient) if not np.isfinite(slope).all()]
    if lost and math.isfinite(value):
        warnings.warn(
            f"{what}: the gradient of {', '.join(f'`{n}`' for n in lost)} is no finite number, though the loss is {value:g}: a "
            "function of the rule, or of the loss, has no finite slope at a value that it meets, such as a quotient by 0, or "
            "the root or logarithm of 0; keep its argument away from there, as p / max(n, 1)",
            UserWarning,
            stacklevel=depth + 1,
        )


SCORED = ("score-function", "light-cone")
"""Estimators that weigh what was drawn by its score."""


def warn_of_scores(what: str, estimator: str, ends: Sequence[tuple[str, float]], depth: int) -> None:
    """Warns where a gradient by scores is asked at ends of parameters' intervals, `depth` calls up."""
    if estimator in SCORED and ends:
        there = ", ".join(f"`{name}` = {value:g}" for name, value in ends)
        warnings.warn(
            f"{what}: {there} is an end of an interval, and draws whose probability is exactly 0 or 1 there have no score, so that "
            f"the gradient by `{estimator}` may lack a part: ask a little inside, or take the estimator \"differences\"",
            UserWarning,
            stacklevel=depth + 1,
        )


MOST_REMARKS = 3
"""So many remarks on a rule are said one by one: a rule that is unrolled has one for each turn."""


def few(remarks: Sequence[str], whole: str) -> list[str]:
    """The first remarks, and how many more there are; `whole` says where all are found."""
    more = len(remarks) - MOST_REMARKS
    if more <= 1:
        return list(remarks)
    return [*remarks[:MOST_REMARKS], f"and {more} more of this kind{whole}"]


def memory_of(value: Any) -> int:
    """Bytes, from a number or a text such as "2 GiB"."""
    if isinstance(value, str):
        parts = value.strip().split()
        units = {"B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
        try:
            return int(float(parts[0]) * units[parts[1].upper()])
        except (IndexError, KeyError, ValueError):
            raise InputError(f'memory is "{value}": give bytes, or a text such as "2 GiB"') from None
    return whole(value, "memory", 1)


def path_text(path: str | os.PathLike[str]) -> str:
    """A path as text."""
    try:
        return str(os.fspath(path))
    except TypeError:
        raise TypeError(f"the path is {path!r}: give a text or a pathlib.Path") from None

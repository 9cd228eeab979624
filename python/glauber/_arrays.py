"""Checks arrays and names that users give, and makes them what the engine takes.

Every mistake is an `InputError` or `TypeError` that says what was found and what is needed.
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

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
    """Several names; a text is one of them."""
    if isinstance(value, str):
        return [value]
    try:
        return list(value)
    except TypeError:
        raise TypeError(f"{what} is {told(value)}: give a list of names") from None


def whole(value: Any, what: str, least: int = 0, most: int = 2**63 - 1) -> int:
    """A whole number within bounds."""
    try:
        number = int(value.__index__())
    except AttributeError:
        if not (isinstance(value, float) and value.is_integer()):
            raise TypeError(f"{what} is {told(value)}: give a whole number") from None
        number = int(value)
    if not least <= number <= most:
        raise InputError(
            f"{what} is {number}: give a whole number from {least}" + ("" if most > 2**60 else f" to {most}")
        )
    return number


def real(value: Any, what: str) -> float:
    """A finite number."""
    if isinstance(value, complex) or getattr(getattr(value, "dtype", None), "kind", "") == "c":
        raise TypeError(f"{what} is {told(value)}, a complex number: give a real one")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{what} is {told(value)}: give a number") from None
    if not math.isfinite(number):
        raise InputError(f"{what} is {number}: give a finite number")
    return number


def seed_of(value: Any) -> int:
    """A seed: a whole number from 0 below 2⁶⁴."""
    return whole(value, "seed", 0, 2**64 - 1)


def numbers(name: str, value: Any, finite: bool = True) -> np.ndarray:
    """Numbers, finite where that is asked, as an array of uint8 or float64; any layout and any type of numbers is taken."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(f"{name} is no array: its rows differ in length ({error})") from None
    if array.dtype.kind not in "buif":
        what = {"c": "complex numbers", "O": "Python objects", "U": "text", "S": "text"}.get(
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


def field(name: str, value: Any, shape: Sequence[int], replicates: int) -> tuple[np.ndarray, int | None]:
    """A field for all replicates, or one for each: its flat numbers, and how many fields they are."""
    array = numbers(name, value)
    shape = tuple(shape)
    if array.shape == shape:
        return array.reshape(-1), None
    if array.shape == (replicates, *shape):
        return array.reshape(-1), replicates
    each = f", or {(replicates, *shape)} with one for each replicate"
    raise InputError(f"{name} has shape {array.shape}, but the lattice has {shape}: give {shape}{each}")


def start_fields(model: Any, start: Any, replicates: int) -> list[tuple[np.ndarray, int | None]] | None:
    """The states that replicates start from, one per layer; None where they start as the model says."""
    if start is None:
        return None
    names = list(model.layers)
    if not isinstance(start, Mapping):
        if len(names) != 1:
            raise InputError(
                f"model `{model.name}` has the layers {', '.join(names)}: give start={{layer: array}}"
            )
        start = {names[0]: start}
    check_names(start, names, f"layer of model `{model.name}`")
    missing = [name for name in names if name not in start]
    if missing:
        raise InputError(
            f"start has no array for layer `{missing[0]}`: give one for each of {', '.join(names)}"
        )
    return [field(f"the start of layer `{name}`", start[name], model.shape, replicates) for name in names]


def run_fields(
    model: Any, fields: Mapping[str, Any] | None, replicates: int, more: Iterable[str] = ()
) -> list[Any]:
    """Covariates, parameter fields and data by name."""
    fields = table(fields, "fields", '{"name": array}')
    check_names(fields, [*model.fields, *more], f"field of model `{model.name}`")
    return [
        (name, field(f"field `{name}`", value, model.shape, replicates)) for name, value in fields.items()
    ]


def parameter_list(model: Any, given: Any) -> list[float]:
    """The value of every parameter in the model's order: those given by name or in order, else the defaults."""
    declared = model.parameters
    if given is None:
        given = {}
    if not isinstance(given, Mapping):
        try:
            values = [float(x) for x in given]
        except (TypeError, ValueError):
            raise TypeError(
                f"the parameters are {told(given)}: give a dictionary {{name: number}}, or a list in the order "
                f"{', '.join(declared)}"
            ) from None
        if len(values) != len(declared):
            raise InputError(
                f"{len(values)} parameters were given, but model `{model.name}` has {len(declared)}: {', '.join(declared)}"
            )
        given = dict(zip(declared, values))
    check_names(given, declared, f"parameter of model `{model.name}`")
    values = []
    for name, parameter in declared.items():
        value = given.get(name, parameter.default)
        if value is None:
            raise InputError(
                f'model `{model.name}` has no default for parameter `{name}`: give {{"{name}": number}}'
            )
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"parameter `{name}` is {value!r}: give a number") from None
        if not parameter.lowest <= number <= parameter.highest:
            raise InputError(
                f"parameter `{name}` of model `{model.name}` is {number}, outside its interval "
                f"[{parameter.lowest:g}, {parameter.highest:g}]"
            )
        values.append(number)
    return values


def memory_of(value: int | str) -> int:
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

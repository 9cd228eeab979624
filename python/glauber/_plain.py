"""Makes the values of a fit plain: numbers, texts, lists and dictionaries of Python, as the native module takes them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glauber._arrays import check_missing, told
from glauber._errors import InputError


def plain(value: Any, what: str) -> Any:
    """A value as bool, int, float, str, list or dict; what is None is left out of dictionaries.

    Raises
    ------
    TypeError
        For anything else, with its place.
    InputError
        For what is masked, and for text that is none.
    """
    check_missing(what, value)
    if value is None or isinstance(value, (bool, np.bool_)):
        return value if value is None else bool(value)
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        return text(value, what)
    if isinstance(value, Mapping):
        own = {key_of(k): v for k, v in value.items()}
        return {key: plain(v, f"{what}.{key}") for key, v in own.items() if v is not None}
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    if isinstance(value, (complex, np.complexfloating)):
        raise TypeError(f"{what} is {told(value)}, a complex number: give a real one")
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return plain(value.item(), what)
    if hasattr(value, "__float__") and not hasattr(value, "__len__"):
        return float(value)
    if isinstance(value, (set, frozenset)):
        raise InputError(f"{what} is a {type(value).__name__}, which has no order: give a list")
    if isinstance(value, Sequence) and not isinstance(value, bytes) or hasattr(value, "__array__"):
        return [plain(v, what) for v in (value if isinstance(value, Sequence) else np.asarray(value))]
    raise TypeError(
        f"{what} is {told(value)}, which cannot stand in a fit: give numbers, text, lists or dictionaries of these"
    )


def text(value: str, what: str) -> str:
    """A text that other programs can read too."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"{what} is {ascii(value)}, half of a character: give whole ones") from None
    return str(value)


def key_of(name: Any) -> str:
    """A key."""
    if not isinstance(name, str):
        raise TypeError(f"{name!r} stands in place of a name: names are text")
    return text(name, "a name")

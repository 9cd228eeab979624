"""Writes the fit file that a call of `fit` means, for the command line to run."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def text_of(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if hasattr(value, "__float__") and not hasattr(value, "__len__"):
        number = float(value)
        return (
            repr(number)
            if math.isfinite(number)
            else ("nan" if math.isnan(number) else f"{'-' if number < 0 else ''}inf")
        )
    if isinstance(value, Mapping):
        return (
            "{ "
            + ", ".join(f"{json.dumps(key_of(k))} = {text_of(v)}" for k, v in value.items() if v is not None)
            + " }"
        )
    if isinstance(value, (Sequence, np.ndarray)):
        return "[" + ", ".join(text_of(v) for v in value) + "]"
    raise TypeError(f"{value!r} cannot stand in a fit: give numbers, text, lists or dictionaries of these")


def key_of(name: Any) -> str:
    """A key."""
    if not isinstance(name, str):
        raise TypeError(f"{name!r} stands in place of a name: names are text")
    return name


def document(top: Mapping[str, str], tables: Mapping[str, Mapping[str, Any]]) -> str:
    """A fit file of top-level keys and tables; None values are left out."""
    lines = [f"{key} = {text_of(value)}" for key, value in top.items()]
    for name, table in tables.items():
        kept = {key: value for key, value in table.items() if value is not None}
        lines.append(f"[{name}]")
        lines += [f"{json.dumps(key_of(key))} = {text_of(value)}" for key, value in kept.items()]
    return "\n".join(lines) + "\n"

"""Offers the functions a rule is written with: of traced values, and of plain numbers alike.

NumPy's own functions (`np.exp`, `np.where`, `np.minimum` …) of a traced value come here too.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from glauber._glauber import Expression

__all__ = [
    "clip",
    "cos",
    "cosh",
    "exp",
    "expm1",
    "floor",
    "heaviside",
    "log",
    "log1p",
    "maximum",
    "minimum",
    "round",
    "sigmoid",
    "sign",
    "sin",
    "sqrt",
    "stop_gradient",
    "tanh",
    "where",
]

Value = Any
"""A traced value or a number."""


def _unary(name: str, method: str, plain: Any, doc: str) -> Any:
    def function(x: Value) -> Value:
        return getattr(x, method)() if isinstance(x, Expression) else float(plain(x))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


exp = _unary("exp", "exp", np.exp, "eˣ.")
expm1 = _unary("expm1", "expm1", np.expm1, "eˣ − 1, exact near 0.")
log = _unary("log", "log", np.log, "The natural logarithm.")
log1p = _unary("log1p", "log1p", np.log1p, "ln(1 + x), exact near 0.")
sqrt = _unary("sqrt", "sqrt", np.sqrt, "√x.")
sin = _unary("sin", "sin", np.sin, "The sine of an angle in radians.")
cos = _unary("cos", "cos", np.cos, "The cosine of an angle in radians.")
cosh = _unary("cosh", "cosh", np.cosh, "The hyperbolic cosine.")
tanh = _unary("tanh", "tanh", np.tanh, "The hyperbolic tangent.")
sigmoid = _unary("sigmoid", "sigmoid", lambda x: 1 / (1 + np.exp(-x)), "1 / (1 + e⁻ˣ).")
floor = _unary("floor", "floor", np.floor, "The greatest whole number not above x; derivative 0.")
sign = _unary("sign", "sign", np.sign, "−1, 0 or 1; derivative 0.")
stop_gradient = _unary("stop_gradient", "stop_gradient", float, "x, taken as constant by every derivative.")


def round(x: Value, surrogate: str = "identity", width: float = 1.0) -> Value:  # noqa: A001
    """The nearest whole number, halves to even.

    Its derivative is taken to be that of a surrogate: "identity" (1 everywhere), "sigmoid" or "triangle", of this width.
    """
    return x.round(surrogate, width) if isinstance(x, Expression) else float(np.rint(x))


def heaviside(x: Value, surrogate: str = "sigmoid", width: float = 1.0) -> Value:
    """1 where x is above 0, else 0.

    Its derivative is taken to be that of a surrogate: "identity", "sigmoid" or "triangle", of this width.
    """
    return x.heaviside(surrogate, width) if isinstance(x, Expression) else float(x > 0)


def minimum(a: Value, b: Value) -> Value:
    """The lesser of two."""
    if isinstance(a, Expression):
        return a.minimum(b)
    return b.minimum(a) if isinstance(b, Expression) else float(min(a, b))


def maximum(a: Value, b: Value) -> Value:
    """The greater of two."""
    if isinstance(a, Expression):
        return a.maximum(b)
    return b.maximum(a) if isinstance(b, Expression) else float(max(a, b))


def clip(x: Value, lowest: Value, highest: Value) -> Value:
    """x, moved to the nearer end where it lies outside [lowest, highest]."""
    return minimum(maximum(x, lowest), highest)


def where(condition: Value, yes: Value, no: Value) -> Value:
    """`yes` where the condition is not 0, else `no`: a rule's `if`.

    >>> import glauber
    >>> glauber.where(3 > 2, 1.0, 0.0)
    1.0
    """
    if isinstance(condition, Expression):
        return condition.where_(yes, no)
    return yes if condition else no


def _rounded(x: Value, decimals: int = 0) -> Value:
    if decimals != 0:
        raise TypeError(
            "a traced value is rounded to whole numbers only: np.round(x), or glauber.round(x, surrogate)"
        )
    return round(x)


_NUMPY: dict[Any, Any] = {
    np.add: lambda a, b: a + b,
    np.subtract: lambda a, b: a - b,
    np.multiply: lambda a, b: a * b,
    np.divide: lambda a, b: a / b,
    np.floor_divide: lambda a, b: a // b,
    np.remainder: lambda a, b: a % b,
    np.power: lambda a, b: a**b,
    np.float_power: lambda a, b: a**b,
    np.negative: lambda a: -a,
    np.positive: lambda a: +a,
    np.absolute: abs,
    np.fabs: abs,
    np.equal: lambda a, b: a == b,
    np.not_equal: lambda a, b: a != b,
    np.less: lambda a, b: a < b,
    np.less_equal: lambda a, b: a <= b,
    np.greater: lambda a, b: a > b,
    np.greater_equal: lambda a, b: a >= b,
    np.logical_and: lambda a, b: (a != 0) & (b != 0),
    np.logical_or: lambda a, b: (a != 0) | (b != 0),
    np.logical_not: lambda a: a == 0,
    np.bitwise_and: lambda a, b: a & b,
    np.bitwise_or: lambda a, b: a | b,
    np.bitwise_xor: lambda a, b: a ^ b,
    np.logical_xor: lambda a, b: (a != 0) ^ (b != 0),
    np.invert: lambda a: ~a,
    np.minimum: minimum,
    np.maximum: maximum,
    np.fmin: minimum,
    np.fmax: maximum,
    np.sign: sign,
    np.sqrt: sqrt,
    np.square: lambda a: a * a,
    np.reciprocal: lambda a: 1 / a,
    np.exp: exp,
    np.exp2: lambda a: exp(a * math.log(2)),
    np.expm1: expm1,
    np.log: log,
    np.log2: lambda a: log(a) / math.log(2),
    np.log10: lambda a: log(a) / math.log(10),
    np.log1p: log1p,
    np.sin: sin,
    np.cos: cos,
    np.tan: lambda a: sin(a) / cos(a),
    np.cosh: cosh,
    np.tanh: tanh,
    np.floor: floor,
    np.ceil: lambda a: -floor(-a),
    np.rint: round,
    np.where: where,
    np.clip: clip,
    np.round: _rounded,
    np.sum: lambda a: a.sum(),
    np.mean: lambda a: a.mean(),
}


def of_numpy(function: Any, method: str, inputs: tuple[Any, ...], keywords: dict[str, Any] | None) -> Any:
    """What a function of NumPy makes of traced values."""
    name = getattr(function, "__name__", str(function))
    own = _NUMPY.get(function)
    if own is None or method != "__call__":
        raise TypeError(
            f"np.{name} of a traced value is none of the engine's instructions: the functions of glauber "
            f"(help(glauber)) and NumPy's functions of numbers are"
        )
    if any(isinstance(x, np.ndarray) and x.ndim > 0 for x in inputs):
        raise TypeError(
            'an array cannot stand in a rule, which is traced once for all sites: declare it with covariates=["name"], '
            'read it as s.field("name"), and pass fields={"name": array} when running'
        )
    if any(isinstance(x, complex) or getattr(getattr(x, "dtype", None), "kind", "") == "c" for x in inputs):
        raise TypeError("a complex number stands in a rule, which is made of real ones: write its parts apart")
    inputs = tuple(float(x) if isinstance(x, (np.generic, np.ndarray)) else x for x in inputs)
    try:
        return own(*inputs, **(keywords or {}))
    except TypeError:
        if not keywords:
            raise
        raise TypeError(
            f"np.{name} of traced values does not take {', '.join(keywords)}=: np.sum(x) and np.mean(x) are over all sites, "
            "and nothing is written into an array (help(glauber) lists what can stand in a rule)"
        ) from None

"""Hashes what a function does: so that runs which know nothing of each other can tell whether they ran the same one.

A function is taken by its code and constants, with the functions and plain values it reads of its module, what it encloses and what is
bound to it; what comes from packages by its name. Where things lie (texts that are paths, files), and comments, do not count.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import os
import sys
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""By which Python functions are compiled: the code of another is another."""
DEEPEST = 40
"""So deep things are looked into."""


def content_of(thing: Any) -> str:
    """A hash of a thing, in which functions count by what they do."""
    return _Hashes().of(thing, 0).hex()


def _digest(kind: str, *parts: bytes) -> bytes:
    own = hashlib.blake2b(kind.encode(), digest_size=16)
    for part in parts:
        own.update(len(part).to_bytes(8, "little"))
        own.update(part)
    return own.digest()


def _of_package(module: str) -> bool:
    """Whether a module is no own one of whoever runs it: of Python, or installed."""
    root = module.partition(".")[0]
    if root in sys.stdlib_module_names or root in ("glauber", "builtins"):
        return root != "__main__"
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return "site-packages" in file or "dist-packages" in file


class _Hashes:
    """Hashes things that may hold each other."""

    def __init__(self) -> None:
        self._begun: dict[int, int] = {}
        self._alive: list[Any] = []

    def of(self, thing: Any, depth: int) -> bytes:
        if thing is None or isinstance(thing, (bool, int, float, complex)):
            return _digest(type(thing).__name__, repr(thing).encode())
        if isinstance(thing, str):
            return _digest("str", b"" if _is_path(thing) else thing.encode("utf-8", "surrogatepass"))
        if isinstance(thing, (bytes, bytearray)):
            return _digest("bytes", bytes(thing))
        if isinstance(thing, os.PathLike):
            return _digest("path")
        if id(thing) in self._begun:
            return _digest("again", str(self._begun[id(thing)]).encode())
        if depth > DEEPEST:
            return _digest("deep", type(thing).__qualname__.encode())
        self._begun[id(thing)] = len(self._begun)
        # What is dropped gives its id to another.
        self._alive.append(thing)
        try:
            return self._compound(thing, depth + 1)
        except Exception:
            # What does not let itself be looked at counts by its name.
            return _digest("opaque", type(thing).__qualname__.encode())

    def _compound(self, thing: Any, depth: int) -> bytes:
        name = type(thing).__qualname__
        if isinstance(thing, np.ndarray) and thing.dtype != object:
            return _digest("array", str((thing.dtype.str, thing.shape)).encode(), np.ascontiguousarray(thing).tobytes())
        if isinstance(thing, (list, tuple)):
            return _digest(name, *(self.of(own, depth) for own in thing))
        if isinstance(thing, Mapping):
            return _digest(name, *sorted(_digest("item", self.of(k, depth), self.of(v, depth)) for k, v in thing.items()))
        if isinstance(thing, (set, frozenset)):
            return _digest(name, *sorted(_Hashes().of(own, depth) for own in thing))
        if isinstance(thing, functools.partial):
            return _digest("partial", *(self.of(own, depth) for own in (thing.func, thing.args, thing.keywords)))
        if isinstance(thing, types.MethodType):
            return _digest("method", self.of(thing.__func__, depth), self.of(thing.__self__, depth))
        if isinstance(thing, types.FunctionType):
            return self._function(thing, depth)
        if isinstance(thing, types.CodeType):
            return self._code(thing, depth)
        if isinstance(thing, type):
            return self._class(thing, depth)
        wrapped = getattr(thing, "__wrapped__", None)
        if isinstance(wrapped, types.FunctionType):
            return _digest(name, self.of(wrapped, depth))
        return self._object(thing, depth)

    def _named(self, thing: Any) -> bytes:
        return _digest("named", f"{thing.__module__}.{thing.__qualname__}".encode())

    def _function(self, own: types.FunctionType, depth: int) -> bytes:
        if _of_package(own.__module__ or ""):
            return self._named(own)
        enclosed = []
        for cell in own.__closure__ or ():
            try:
                enclosed.append(self.of(cell.cell_contents, depth))
            except ValueError:
                enclosed.append(_digest("empty"))
        given = [self.of(own.__defaults__, depth), self.of(own.__kwdefaults__, depth)]
        return _digest("function", self.of(own.__code__, depth), *given, *enclosed, *self._read(own, depth))

    def _read(self, own: types.FunctionType, depth: int) -> list[bytes]:
        """The functions and plain values that a function reads of its module, and of other own modules."""
        names, written = set(), set()
        for code in _codes(own.__code__):
            names.update(code.co_names)
            written.update(i.argval for i in dis.get_instructions(code) if i.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"))
        found = []
        for name in sorted(names - written):
            thing = own.__globals__.get(name)
            if isinstance(thing, types.ModuleType):
                if not _of_package(thing.__name__):
                    of_it = [(part, getattr(thing, part, None)) for part in sorted(names)]
                    found += [_digest(part, self.of(value, depth)) for part, value in of_it if _counts(value)]
            elif _counts(thing):
                found.append(_digest(name, self.of(thing, depth)))
        return found

    def _code(self, code: types.CodeType, depth: int) -> bytes:
        constants = code.co_consts
        # What documents it does nothing.
        if constants and isinstance(constants[0], str) and not code.co_name.startswith("<"):
            constants = (None, *constants[1:]) if _documents(code) else constants
        names = [*code.co_names, *code.co_varnames, *code.co_freevars, *code.co_cellvars]
        return _digest("code", code.co_code, " ".join(names).encode(), *(self.of(own, depth) for own in constants))

    def _class(self, own: type, depth: int) -> bytes:
        if _of_package(own.__module__):
            return self._named(own)
        parts = [(k, v) for k, v in sorted(vars(own).items()) if _counts(v) or isinstance(v, (staticmethod, classmethod, property))]
        inner = [_digest(k, self.of(getattr(v, "__func__", getattr(v, "fget", v)), depth)) for k, v in parts if k not in _OF_NO_MATTER]
        return _digest("class", own.__qualname__.encode(), *inner, *(self.of(base, depth) for base in own.__bases__ if base is not object))

    def _object(self, thing: Any, depth: int) -> bytes:
        """An object, by what it would be made of again."""
        kind = self.of(type(thing), depth)
        try:
            made = thing.__reduce_ex__(4)
        except Exception:
            return _digest("object", kind)
        if isinstance(made, str):
            return _digest("object", kind, made.encode())
        parts = [self.of(list(part) if k > 2 and part is not None else part, depth) for k, part in enumerate(made[:5])]
        return _digest("object", kind, *parts)


_OF_NO_MATTER = {"__doc__", "__module__", "__firstlineno__", "__static_attributes__", "__qualname__", "__annotations__"}


def _documents(code: types.CodeType) -> bool:
    """Whether a code's first constant is its documentation, which no instruction reads."""
    reads = (i for i in dis.get_instructions(code) if i.opname in ("LOAD_CONST", "RETURN_CONST"))
    return all(i.arg != 0 for i in reads)


def _codes(code: types.CodeType) -> list[types.CodeType]:
    inner = [own for const in code.co_consts if isinstance(const, types.CodeType) for own in _codes(const)]
    return [code, *inner]


def _counts(thing: Any) -> bool:
    """Whether what stands in a module makes a function what it is: not what may be filled while it runs."""
    plain = (bool, int, float, complex, str, bytes, tuple, frozenset, type, types.FunctionType, functools.partial, np.ndarray, np.generic)
    return isinstance(thing, plain)


def _is_path(text: str) -> bool:
    """Whether a text says where something lies, which may differ from machine to machine."""
    return os.sep in text or "/" in text

"""Counts how often the intervals of a study hold the truth: coverage, over the workers of an executor and over shards."""

from __future__ import annotations

import hashlib
import json
import math
import operator
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from statistics import NormalDist
from typing import Any

import numpy as np

from glauber import _glauber
from glauber._arrays import path_text, real, seed_of, told, whole
from glauber._containers import record
from glauber._content import PYTHON, content_of
from glauber._density import Posterior, Profile
from glauber._errors import InputError, RunError
from glauber._fit_result import FitResult
from glauber._kinds import Real, Whole
from glauber._workers import map as shared_out
from glauber._workers import pickled

ALARM = 1e-3
"""How often right intervals are called wrong, of all the parameters of a study together."""
KIND = "glauber coverage"
"""What a saved study says it is."""


def _interval(found: Any, name: str, level: float) -> tuple[float, float, float] | None:
    """Estimate and interval of a parameter, by what a study gave; None where it has no interval."""
    if isinstance(found, FitResult):
        error = found.standard_errors.get(name)
        if name not in found.params or np.ndim(found.params[name]):
            return _lacks(name, found.params)
        if error is None:
            return None
        wide = NormalDist().inv_cdf(0.5 + level / 2) * error
        return found.params[name], found.params[name] - wide, found.params[name] + wide
    if isinstance(found, Posterior):
        if name not in found.draws:
            return _lacks(name, found.draws)
        return (float(np.mean(found.draws[name])), *found.interval(name, level))
    if isinstance(found, Profile):
        if name not in found.intervals:
            return _lacks(name, found.intervals)
        low, high = found.intervals[name]
        return found.estimates[name], -math.inf if low is None else low, math.inf if high is None else high
    if isinstance(found, Mapping):
        if name not in found:
            return _lacks(name, found)
        if found[name] is None:
            return None
        try:
            low, high = (float(end) for end in found[name])
        except (TypeError, ValueError):
            raise InputError(f"the interval of `{name}` is {told(found[name])}: give (low, high)") from None
        return math.nan, low, high
    raise InputError(
        f"the study gave {told(found)}: it has to give what glauber.fit, posterior or profile return, or a dict of "
        "{parameter: (low, high)}"
    )


def _lacks(name: str, names: Iterable[str]) -> Any:
    raise InputError(f"the study gave nothing of `{name}`, which the truth has: it gave {', '.join(names) or 'nothing'}")


def _one(study: Callable[[int], Any], names: tuple[str, ...], level: float, seed: int) -> list[Any] | str:
    """Estimates and intervals of one set of data; words where its run failed."""
    try:
        found = study(seed)
    except RunError as error:
        return str(error)
    return [_interval(found, name, level) for name in names]


class Coverage:
    """How often the intervals of a study held the truth; made by `coverage`."""

    def __init__(self, asked: Mapping[str, Any], rows: Mapping[int, list[Any] | str]) -> None:
        self._asked = dict(asked)
        self._rows = {seed: rows[seed] for seed in sorted(rows)}
        self.truth: dict[str, float] = dict(asked["truth"])
        """The parameters that the data were drawn with."""
        self.level: float = asked["level"]
        """The level of the intervals."""
        self.failed: dict[int, str] = {seed: row for seed, row in self._rows.items() if isinstance(row, str)}
        """By seed, why a set of data has no result."""
        done = {seed: row for seed, row in self._rows.items() if not isinstance(row, str)}
        self.seeds = np.array(list(done), dtype=np.uint64)
        """The seeds of the sets of data that have a result."""
        self.estimates: dict[str, np.ndarray] = {}
        """By parameter, of each of these the estimate (NaN where the study gave intervals alone)."""
        self.intervals: dict[str, np.ndarray] = {}
        """By parameter, of each of these (low, high); NaN where there is no interval."""
        for place, name in enumerate(self.truth):
            own = np.array([[math.nan] * 3 if row[place] is None else row[place] for row in done.values()], dtype=float)
            self.estimates[name], self.intervals[name] = own.reshape(-1, 3)[:, 0], own.reshape(-1, 3)[:, 1:]

    @property
    def sets(self) -> int:
        """How many sets of data the whole study has."""
        return self._asked["sets"]

    @property
    def counted(self) -> dict[str, int]:
        """By parameter, how many sets of data gave an interval."""
        return {name: int(np.sum(~np.isnan(own[:, 0]))) for name, own in self.intervals.items()}

    @property
    def held(self) -> dict[str, int]:
        """By parameter, how many of these intervals hold the truth."""
        return {
            name: int(np.sum((own[:, 0] <= self.truth[name]) & (self.truth[name] <= own[:, 1])))
            for name, own in self.intervals.items()
        }

    @property
    def expected(self) -> dict[str, tuple[int, int]]:
        """By parameter, between which counts right intervals would hold the truth, but for one study in a thousand."""
        alarm = ALARM / len(self.truth)
        return {name: _likely(count, self.level, alarm) for name, count in self.counted.items()}

    @property
    def verdict(self) -> str:
        """What the counts say."""
        held, counted, expected = self.held, self.counted, self.expected
        narrow = [name for name in held if held[name] < expected[name][0]]
        wide = [name for name in held if held[name] > expected[name][1]]
        words = []
        if not any(counted.values()):
            words.append("no set of data gave an interval: nothing is known of them")
        if narrow:
            words.append(f"the intervals of {', '.join(narrow)} hold the truth too seldom: they are too narrow, or off it")
        if wide:
            words.append(f"the intervals of {', '.join(wide)} hold the truth too often: they are too wide")
        # A gap among those that are left out may hide anything.
        gaps = [f"{len(self._rows) - count} of {len(self._rows)} sets for {name}" for name, count in counted.items() if count < len(self._rows)]
        if gaps:
            words.append(f"there is no interval from {', '.join(gaps)}: what is counted speaks for the others alone")
        if len(self._rows) < self.sets:
            words.append(f"a part of the study: {len(self._rows)} of {self.sets} sets")
        return "; ".join(words) or "the intervals hold the truth as often as they say, as far as so many sets can tell"

    def to_json(self) -> dict[str, Any]:
        """The study as an object."""
        names = list(self.truth)
        each = [
            {"seed": seed, "failed": row} if isinstance(row, str) else {"seed": seed, **dict(zip(names, map(_plain, row)))}
            for seed, row in self._rows.items()
        ]
        counts = {
            name: {"held": self.held[name], "of": self.counted[name], "expected": list(self.expected[name])} for name in names
        }
        return {"kind": KIND, **self._asked, "verdict": self.verdict, "counts": counts, "each": each}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the study, or its part, as a new JSON file, which `Coverage.merge` reads."""
        name, own = path_text(path), self.to_json()
        try:
            with open(name, "x", encoding="utf-8") as file:
                json.dump({**own, "checksum": _checksum(own)}, file, indent=1, allow_nan=False)
                file.write("\n")
        except FileExistsError:
            raise InputError(f"{name} is there already: nothing was written; give another name") from None
        except OSError as error:
            folder = os.path.dirname(os.path.abspath(name))
            why = error.strerror if os.path.isdir(folder) else f"there is no folder {folder}: make it first"
            raise InputError(f"{name} cannot be written: {why}; .save to another path keeps what was computed") from None

    @classmethod
    def merge(cls, parts: Iterable[Coverage | str | os.PathLike[str]]) -> Coverage:
        """The whole study from its shards, or from the files that they saved.

        Parameters
        ----------
        parts : list of Coverage or path

        Raises
        ------
        InputError
            Where shards are missing, twice there, damaged, or of another study or version.
        """
        if isinstance(parts, (str, bytes, os.PathLike, Coverage)):
            raise InputError(f"the parts are {told(parts)}, which is one: give a list of all shards' files")
        named = [(part, f"part {k + 1}") if isinstance(part, Coverage) else (_read(part), path_text(part)) for k, part in enumerate(parts)]
        if not named:
            raise InputError("there is no part to merge: give the shards' files")
        asked = named[0][0]._asked
        rows: dict[int, list[Any] | str] = {}
        for part, name in named:
            for key, value in asked.items():
                if key in ("study", "python"):
                    continue
                if part._asked.get(key) != value:
                    raise InputError(
                        f"{name} is of another study than {named[0][1]}: its {key} is {part._asked.get(key)!r}, not {value!r}"
                    )
            if part._asked["python"] != asked["python"]:
                warnings.warn(
                    f"{name} was made by Python {part._asked['python']}, {named[0][1]} by {asked['python']}: whether they are of the same "
                    "study function cannot be told",
                    stacklevel=2,
                )
            elif part._asked["study"] != asked["study"]:
                raise InputError(
                    f"{name} is of another study than {named[0][1]}: the function that simulates and fits, or what it uses, is another; run "
                    "all shards with the same one"
                )
            twice = [seed for seed in part._rows if seed in rows]
            if twice:
                raise InputError(f"{name} has sets of data that another part has too, as that of seed {twice[0]}: give every shard once")
            rows.update(part._rows)
        missing = [seed for seed in range(asked["seed"], asked["seed"] + asked["sets"]) if seed not in rows]
        if missing:
            raise InputError(
                f"{len(missing)} of {asked['sets']} sets of data are missing, as that of seed {missing[0]}: give the files of all shards"
            )
        return cls(asked, rows)

    def __repr__(self) -> str:
        lines = [f"{len(self._rows)} sets of data, intervals of {100 * self.level:g} %: {self.verdict}"]
        for name in self.truth:
            held, count, (low, high) = self.held[name], self.counted[name], self.expected[name]
            share = f"{100 * held / count:.1f} %" if count else "none"
            lines.append(f"  {name} = {self.truth[name]:g}: held by {held} of {count} ({share}); right ones: {low} to {high}")
        if self.failed:
            seed, words = next(iter(self.failed.items()))
            lines.append(f"  {len(self.failed)} failed, as that of seed {seed}: {words}")
        return "\n".join(lines)


def _checksum(own: Mapping[str, Any]) -> str:
    """A hash of what a file says."""
    words = json.dumps(own, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(words.encode(), digest_size=16).hexdigest()


def _plain(own: Any) -> Any:
    """Estimate and interval as JSON has them: no end is null."""
    return None if own is None else [None if math.isnan(x) or math.isinf(x) else float(x) for x in own]


def _read(path: str | os.PathLike[str]) -> Coverage:
    """A saved study."""
    name = path_text(path)
    try:
        with open(name, encoding="utf-8") as file:
            own = json.load(file)
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from None
    except ValueError:
        raise InputError(f"{name} is damaged, or no file that a study of coverage saved: run its shard again") from None
    if not isinstance(own, dict) or own.get("kind") != KIND:
        raise InputError(f"{name} is no file that a study of coverage saved")
    version = own.get("version")
    if isinstance(version, str) and version != _glauber.__version__:
        raise InputError(
            f"{name} is of another study: its version is {version!r}, but this is glauber {_glauber.__version__}: run all shards by one"
        )
    try:
        if own.pop("checksum", None) != _checksum(own):
            raise ValueError
        asked = {key: own[key] for key in ("version", "truth", "level", "sets", "seed", "study", "python")}
        rows: dict[int, list[Any] | str] = {}
        for one in own["each"]:
            rows[int(one["seed"])] = one["failed"] if "failed" in one else [_ends(one[key]) for key in asked["truth"]]
        return Coverage(asked, rows)
    except (KeyError, TypeError, ValueError, IndexError):
        raise InputError(f"{name} is damaged: run its shard again") from None


def _ends(own: Any) -> Any:
    """What `_plain` wrote."""
    if own is None:
        return None
    estimate, low, high = own
    return [math.nan if estimate is None else estimate, -math.inf if low is None else low, math.inf if high is None else high]


def _likely(count: int, chance: float, alarm: float) -> tuple[int, int]:
    """Between which numbers of `count` trials succeed, with a probability of more than 1 − alarm."""
    if count == 0:
        return 0, 0
    log = math.lgamma(count + 1)
    each = [
        math.exp(log - math.lgamma(k + 1) - math.lgamma(count - k + 1) + k * math.log(chance) + (count - k) * math.log1p(-chance))
        for k in range(count + 1)
    ]
    below = np.cumsum(each)
    above = np.cumsum(each[::-1])[::-1]
    return int(np.argmax(below > alarm / 2)), int(count - np.argmax(above[::-1] > alarm / 2))


_AS_IN = 'give it as "3/16", the third of sixteen'


def _shard(shard: Any, sets: int) -> tuple[int, int]:
    """The number of a shard, from 1, and how many there are."""
    words = f"the shard is {told(shard)}: {_AS_IN}"
    try:
        parts = shard.split("/") if isinstance(shard, str) else shard
        own, count = (int(part) if isinstance(part, str) else operator.index(part) for part in parts)
    except (TypeError, ValueError, AttributeError):
        raise InputError(words) from None
    if count < 1:
        raise InputError(f"the shard is {own}/{count}: there are no shards at all; {_AS_IN}")
    if not 1 <= own <= count:
        raise InputError(f"there is no shard {own} of {count}: they are numbered from 1 to {count}; {_AS_IN}")
    if count > sets:
        raise InputError(f"the shard is {own}/{count}, but there are only {sets} sets of data to share out: give at most {sets} shards")
    return own, count


def coverage(
    study: Callable[[int], Any],
    truth: Any,
    sets: Whole = 200,
    *,
    level: Real = 0.95,
    seed: Whole = 1,
    shard: str | tuple[int, int] | None = None,
    executor: Any = None,
    progress: Callable[[int, int], Any] | None = None,
) -> Coverage:
    """How often intervals hold the truth, over sets of data that are drawn with it and fitted, shared among workers.

    Whether a study is fitted here or by any number of workers, in one piece or in shards, it gives the same numbers.

    Parameters
    ----------
    study : callable
        A function of a seed, at the top of a module: it simulates data by the truth with this seed, and returns what
        `fit`, `posterior` or `profile` found of them; or a dict of {parameter: (low, high)}. A `RunError` counts as a set that failed.
    truth : dict
        The parameters that are looked at, with the values that the data are drawn with.
    sets : int
        How many sets of data.
    level : float
        The level of the intervals, of which those of a fit are its estimates ± its standard errors' share. A profile, and a
        dict, have intervals of their own level: say which.
    seed : int
        That of the first set; the others follow.
    shard : str, optional
        "3/16" for the third of sixteen parts, each a run of its own: `Coverage.save` writes it, `Coverage.merge` puts all together.
    executor : object with submit, optional
        Whose workers share the sets, as in `Workers`.
    progress : callable, optional
        Gets (sets done, sets) now and then.

    Examples
    --------
    >>> import glauber, numpy
    >>> def study(seed):  # of the mean of 20 normal numbers of known variance
    ...     mean = numpy.random.default_rng(seed).normal(0.5, 1, 20).mean()
    ...     return {"mean": (mean - 1.96 / 20**0.5, mean + 1.96 / 20**0.5)}
    >>> found = glauber.coverage(study, {"mean": 0.5}, sets=100)
    >>> found.held["mean"], found.expected["mean"]
    (95, (87, 100))
    """
    if not callable(study):
        raise TypeError(f"the study is {told(study)}, which cannot be called: give a function of a seed")
    named = record(truth, "the truth")
    if not isinstance(named, dict):
        raise TypeError(f"the truth is {told(truth)}: give a dict of {{parameter: value}}")
    known = {str(name): real(value, f"the truth's `{name}`") for name, value in named.items()}
    if not known:
        raise InputError("the truth is empty: give the parameters that the data are drawn with")
    own_level = real(level, "level")
    if not 0 < own_level < 1:
        raise InputError(f"level is {own_level:g}: give a number between 0 and 1")
    count, first = whole(sets, "sets", 1, 10**7), seed_of(seed)
    if first + count > 2**64:
        raise InputError(f"seed is {first}: the seeds of {count} sets would not end below 2^64")
    seeds = range(first, first + count)
    if shard is not None:
        own, parts = _shard(shard, count)
        seeds = seeds[own - 1 :: parts]
    if executor is not None:
        pickled(study, "the study")
    # Before it runs, which may change what it uses.
    study_is = content_of(study)
    rows = shared_out(partial(_one, study, tuple(known), own_level), seeds, executor, progress=progress)
    asked = {"version": _glauber.__version__, "truth": known, "level": own_level, "sets": count, "seed": first, "study": study_is, "python": PYTHON}
    return Coverage(asked, dict(zip(seeds, rows)))

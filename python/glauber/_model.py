"""Defines models: written as Python functions, from the catalogue, or from model files."""

from __future__ import annotations

import html
import inspect
import math
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np

from glauber import _glauber
from glauber._arrays import check_names, few, hint, names, number, path_text, real, table, told, whole
from glauber._containers import lattice_axes
from glauber._errors import InputError, ModelError
from glauber._kinds import Real, Whole
from glauber._pictures import named_colours

if TYPE_CHECKING:
    from glauber._fit_result import FitResult
    from glauber._rollout import Rollout
    from glauber._simulation import Simulation
    from glauber._tasks import Task

Rule = Callable[["_glauber.Scope"], Any]


def _several(value: Any) -> bool:
    """Whether a value is several, not one: an array without axes is one."""
    if isinstance(value, (set, frozenset)):
        raise InputError(f"{told(value)} is a {type(value).__name__}, which has no order: give a list")
    return isinstance(value, Iterable) and getattr(value, "ndim", 1) != 0


def _lengths(shape: Any) -> tuple[Any, ...]:
    """The lengths of the axes in the order of a shape; those of a dictionary by the names x, y, z."""
    if isinstance(shape, Mapping):
        wanted = lattice_axes(min(len(shape), 3))
        if set(shape) != set(wanted):
            raise InputError(
                f"the lattice's axes are called {', '.join(map(str, shape))}: call them {', '.join(wanted)}"
            )
        return tuple(shape[axis] for axis in wanted)
    return tuple(shape) if _several(shape) else (shape,)


@dataclass(frozen=True, init=False)
class Lattice:
    """The sites' shape and boundary.

    Parameters
    ----------
    shape : int or sequence of int
        The length of each of one to three axes, as an array's shape: (x,), (y, x) or (z, y, x).
    boundary : str, number, or a sequence of one per axis
        "periodic" (the lattice closes on itself), "reflecting" (mirrored at its edge), or a number: the value of every
        site beyond the edge (of layers that have none of their own there: `Model`'s `edges`).

    Examples
    --------
    >>> import glauber
    >>> glauber.Lattice((64, 64), boundary="reflecting")
    Lattice(shape=(64, 64), boundary=('reflecting', 'reflecting'))
    """

    shape: tuple[int, ...]
    boundary: tuple[str | float, ...]

    def __init__(
        self, shape: Whole | Sequence[Whole], boundary: str | Real | Sequence[str | Real] = "periodic"
    ) -> None:
        lengths = _lengths(shape)
        one = isinstance(boundary, str) or not _several(boundary)
        edges: tuple[Any, ...] = (boundary,) * len(lengths) if one else tuple(boundary)  # type: ignore[arg-type]
        shape = tuple(whole(n, "an axis of the lattice", 1, 2**31 - 1) for n in lengths)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "boundary", tuple(self._edge(b) for b in edges))
        if len(edges) != len(lengths):
            raise InputError(
                f"the lattice has {len(lengths)} axes, but {len(edges)} boundaries were given: give one for each"
            )

    @staticmethod
    def _edge(boundary: Any) -> str | float:
        if isinstance(boundary, str):
            if boundary not in ("periodic", "reflecting"):
                raise InputError(
                    f'there is no boundary "{boundary}": give "periodic", "reflecting", or a number for fixed edges'
                )
            return boundary
        return real(boundary, "the value beyond a fixed edge")

    def _tuples(self) -> list[tuple[str, float]]:
        return [(b, 0.0) if isinstance(b, str) else ("fixed", b) for b in self.boundary]


@dataclass(frozen=True)
class Layer:
    """What a site of a layer may hold: its kind, its range, and the names of its states."""

    kind: str
    lowest: float
    highest: float
    states: tuple[str, ...] = ()
    colours: tuple[str | None, ...] = field(default=(), compare=False, repr=False)
    """What its states are drawn in, by number."""

    @classmethod
    def of(cls, name: str, given: Any) -> Layer:
        """A layer from its description; see `Model`."""
        wanted = (
            f'layer `{name}` is {given!r}: give "binary", a whole number n for 0 … n, a pair (lowest, highest) of whole '
            'numbers, a list of names of states, glauber.labels(cells=n), or "real"'
        )
        if isinstance(given, Layer):
            return given
        if given == "binary":
            return cls("binary", 0.0, 1.0)
        if given == "real":
            return cls("real", -math.inf, math.inf)
        if isinstance(given, (str, bool)) or given is None:
            raise InputError(wanted)
        if isinstance(given, Sequence) or _several(given):
            given = list(given)
            if given and all(isinstance(state, str) for state in given):
                if len(set(given)) != len(given):
                    raise InputError(f"layer `{name}` names a state twice: {', '.join(given)}")
                return cls("categories", 0.0, len(given) - 1.0, tuple(given))
            if len(given) != 2:
                raise InputError(wanted)
            lowest, highest = (whole(x, f"the range of layer `{name}`", -(2**31), 2**31 - 1) for x in given)
        else:
            lowest, highest = 0, whole(given, f"the capacity of layer `{name}`", 0, 2**31 - 1)
        if lowest > highest:
            raise InputError(
                f"layer `{name}` holds integers from {lowest} to {highest}, which are none: give lowest <= highest"
            )
        return cls("integers", float(lowest), float(highest))

    def _edge(self, name: str, given: Any) -> float:
        """Its value beyond fixed edges, from a number or the name of a state."""
        if isinstance(given, str):
            if given not in self.states:
                raise InputError(
                    f"layer `{name}` is {given!r} beyond the edges, but it is {self}: give one of its values"
                )
            return float(self.states.index(given))
        return real(given, f"the value of layer `{name}` beyond the edges")

    def _tuple(
        self, name: str
    ) -> tuple[str, str, tuple[int, int] | None, list[str] | None, list[str | None]]:
        finite = math.isfinite(self.lowest)
        return (
            name,
            self.kind,
            (int(self.lowest), int(self.highest)) if finite else None,
            list(self.states) or None,
            list(self.colours),
        )

    def __str__(self) -> str:
        if self.states:
            return "one of " + ", ".join(self.states)
        if self.kind == "labels":
            return f"labels of {self.highest:g} cells"
        return self.kind if self.kind != "integers" else f"integers {self.lowest:g} … {self.highest:g}"


def labels(cells: int) -> Layer:
    """A layer that says which cell a site belongs to: 1 … `cells`, or 0 for the medium around them.

    Sums over the sites of each cell are `Scope.cell_sum`, numbers of a cell `Scope.of_cell`.

    >>> import glauber
    >>> glauber.labels(cells=49)
    Layer(kind='labels', lowest=0.0, highest=49.0, states=())
    """
    return Layer("labels", 0.0, float(whole(cells, "the number of cells", 1, 2**31 - 2)))


@dataclass(frozen=True)
class Parameter:
    """The interval of a parameter, both ends included, the value it has where nobody says another, and what it is measured
    in (shown beside it, and of no effect)."""

    lowest: float
    highest: float
    default: float | None = None
    unit: str | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, name: str, given: Any) -> Parameter:
        """A parameter from its description; see `Model`."""
        named = {"unit": (0.0, 1.0), "positive": (0.0, math.inf), "any": (-math.inf, math.inf)}
        if isinstance(given, Parameter):
            return given
        if isinstance(given, str) and given in named:
            return cls(*named[given])
        try:
            if isinstance(given, (str, set, frozenset)):
                raise TypeError
            numbers = [None if x is None else number(x, f"parameter `{name}`") for x in given]
            return cls(*numbers)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise InputError(
                f"parameter `{name}` is {given!r}: give its interval (lowest, highest), with a default (lowest, highest, "
                'default), or "unit", "positive" or "any"'
            ) from None


UPDATES = ("synchronous", "sublattices", "random-sequential", "continuous-time")
"""The words for `update`."""


@dataclass(frozen=True)
class RandomSequential:
    """Random sequential update with choices of its own: how the site of an event is picked, and how many events a step has.

    The plain one, all sites with replacement and as many events in a step as sites, is the word "random-sequential".

    Parameters
    ----------
    among : tuple of str and int or str, optional
        A layer and a state, as ("occupied", 1) or ("cell", "agent"): sites are drawn among those in this state (agents), and a
        step has as many events as there are of them when it begins.
    events : int, optional
        How many events a step has instead.
    order : str
        "replacement": sites are drawn with replacement. "permutation": all sites once, in an order drawn for every step.

    Examples
    --------
    >>> import glauber
    >>> def step(s):
    ...     there = s.neighbour("von-neumann")
    ...     s.move_to(there, "walker", when=there["walker"] == 0)
    >>> update = glauber.RandomSequential(among=("walker", 1))
    >>> glauber.Model("walkers", (16, 16), {"walker": "binary"}, step, update=update).update
    RandomSequential(among=('walker', 1), events=None, order='replacement')
    """

    among: tuple[str, int | str] | None = None
    events: int | None = None
    order: str = "replacement"

    def __post_init__(self) -> None:
        if self.order not in ("replacement", "permutation"):
            raise InputError(f'the order is {told(self.order)}: give "replacement" or "permutation"')
        if isinstance(self.events, (bool, np.bool_)):
            raise InputError(f"the events of a step are {self.events}: give how many there are, a whole number of 1 or more")
        if self.events is not None:
            object.__setattr__(self, "events", whole(self.events, "the events of a step", 1, 2**32 - 1))
        if self.among is None:
            return
        if self.order == "permutation":
            raise InputError(
                'a permutation takes every site once, so that none are drawn among="…": leave out one of the two'
            )
        pair = list(self.among) if _several(self.among) and not isinstance(self.among, (str, Mapping)) else []
        if len(pair) != 2 or not isinstance(pair[0], str):
            raise InputError(
                f'among is {told(self.among)}: give a layer and a state, as among=("occupied", 1)'
            )
        if not isinstance(pair[1], str):
            pair[1] = whole(pair[1], "the state among which sites are drawn", -(2**31), 2**31 - 1)
        object.__setattr__(self, "among", tuple(pair))


def _update(given: Any, layers: Mapping[str, Layer]) -> tuple[str, tuple[str, int] | None, bool, int | None]:
    """An update as the native module takes it."""
    if isinstance(given, str):
        if given not in UPDATES:
            raise InputError(f'there is no update "{given}"{hint(given, UPDATES)}')
        return given, None, False, None
    if not isinstance(given, RandomSequential):
        raise InputError(
            f"update is {told(given)}: give one of {', '.join(UPDATES)}, or glauber.RandomSequential(…)"
        )
    among = given.among
    if among is not None:
        layer, state = among
        check_names([layer], layers, "layer")
        if isinstance(state, str):
            check_names([state], layers[layer].states, f"state of layer `{layer}`")
            state = layers[layer].states.index(state)
        among = (layer, state)
    return "random-sequential", among, given.order == "permutation", given.events


def _check_once(model: str, declared: Mapping[str, Iterable[Any]]) -> None:
    """Refuses a name that is declared as two kinds of thing: which of the two would a rule read?"""
    seen: dict[Any, str] = {}
    for kind, given in declared.items():
        for name in given:
            if seen.setdefault(name, kind) != kind:
                raise InputError(
                    f"model `{model}` has a {seen[name]} and a {kind} called `{name}`: give each a name of its own"
                )


class Model:
    """A stochastic lattice model: its declarations, how it starts, and what one step does.

    `start` and `step` are called once, with a `Scope` that stands for all sites at once; what they do is written down
    as a program, which then runs without Python.

    Parameters
    ----------
    name : str
        Its name, as errors and reports call it.
    lattice : int, sequence of int, or Lattice
        The sites; a shape alone is periodic.
    layers : dict
        What each site holds, by name: "binary", a whole number n for 0 … n, a pair (lowest, highest) of whole numbers, a
        list of names of states, or "real".
    step : callable
        The rule: a function of a scope `s` that says what every layer becomes, by `s.next("layer").bernoulli(p)`,
        `.categorical([p, …])` or `.set(value)`, or by returning {layer: value} (a value alone where there is one layer).
    parameters : dict, optional
        Named numbers: the interval (lowest, highest) or (lowest, highest, default), "unit", "positive" or "any"; or a
        `glauber.Parameter`, which may have a unit too.
    covariates : sequence of str, optional
        Fixed data per site that the rule reads as `s.field("name")`.
    fields : dict, optional
        Unknowns per site, each with its interval, read in the same way.
    start : callable, optional
        How a lattice starts where nobody gives a state; as `step`, but there are no layers to read yet.
    colours : dict, optional
        What states are drawn in, by layer: {state: colour}, or a list by number; "#rrggbb" or a name as "red".
    edges : dict, optional
        What layers are beyond the lattice's fixed edges, where that is not the lattice's number: a number, or the name of a
        state. What the rule computes there it computes from these: with `edges={"wall": 1}` the value `1 - s["wall"]` is 0.
    update : str or RandomSequential
        When the rule is applied to which sites: "synchronous" (all at once, from the state before), "sublattices" (colour after
        colour), "random-sequential" (one drawn site after another) or "continuous-time" (at rates per unit of time). Under the
        last three a rule may pick another site and write to it (`Scope.neighbour`, `Scope.anywhere`), and layers of which it
        says nothing stay as they are.

    Raises
    ------
    ModelError
        For a mistake in the rule, from the line that makes it.
    InputError
        For a mistake in the declarations.

    Examples
    --------
    >>> import glauber
    >>> def step(s):
    ...     alive = s["alive"]
    ...     around = alive.neighbours("moore").sum()
    ...     follows = (around == 3) | ((alive == 1) & (around == 2))
    ...     return s.bernoulli(s["fidelity"] * follows + (1 - s["fidelity"]) * alive)
    >>> life = glauber.Model("life", (32, 32), {"alive": "binary"}, step, parameters={"fidelity": (0, 1, 0.9)},
    ...                      start=lambda s: s.bernoulli(0.3))
    >>> life
    Model('life', shape (32, 32), layers alive: binary; parameters fidelity in [0, 1])
    """

    _native: _glauber.Model
    _recipe: tuple[str, dict[str, Any]] | None
    _rule: str = ""
    """The step as its author wrote it, where that is known."""

    def __init__(
        self,
        name: str,
        lattice: Whole | Sequence[Whole] | Lattice,
        layers: Mapping[str, Any],
        step: Rule,
        *,
        parameters: Mapping[str, Any] | None = None,
        covariates: Sequence[str] = (),
        fields: Mapping[str, Any] | None = None,
        start: Rule | None = None,
        colours: Mapping[str, Any] | None = None,
        edges: Mapping[str, Any] | None = None,
        update: str | RandomSequential = "synchronous",
    ) -> None:
        if not isinstance(lattice, Lattice):
            lattice = Lattice(lattice)
        layers = table(layers, "layers", '{"alive": "binary"}')
        if not layers:
            raise InputError(
                f'model `{name}` has no layers: give at least one, as layers={{"alive": "binary"}}'
            )
        for what, rule in (("step", step), ("start", start)):
            if rule is not None and not callable(rule):
                raise TypeError(f"{what} is {rule!r}: give a function of a scope")
        own = {n: Parameter.of(n, p) for n, p in table(parameters, "parameters", '{"p": (0, 1)}').items()}
        described = {n: Layer.of(n, values) for n, values in layers.items()}
        drawn = table(colours, "colours", '{"alive": ["white", "black"]}')
        check_names(drawn, described, "layer")
        for n, given in drawn.items():
            described[n] = replace(described[n], colours=tuple(named_colours(n, described[n], given)))
        beyond = table(edges, "edges", '{"alive": 1}')
        check_names(beyond, described, "layer")
        if beyond and all(isinstance(b, str) for b in lattice.boundary):
            raise InputError(
                "edges say what layers are beyond fixed edges, and this lattice has none: give "
                "lattice=glauber.Lattice(shape, boundary=0), or leave edges out"
            )
        unknown = {n: Parameter.of(n, p) for n, p in table(fields, "fields", '{"risk": (0, 1)}').items()}
        _check_once(
            str(name), {"layer": described, "parameter": own, "covariate": names(covariates, "covariates"), "field": unknown}
        )
        self._recipe = None
        self._adopt(
            _glauber.trace(
                str(name),
                list(lattice.shape),
                lattice._tuples(),
                [layer._tuple(n) for n, layer in described.items()],
                [(n, described[n]._edge(n, value)) for n, value in beyond.items()],
                [(n, p.lowest, p.highest, p.default, p.unit) for n, p in own.items()],
                names(covariates, "covariates"),
                [(n, p.lowest, p.highest) for n, p in unknown.items()],
                _update(update, described),
                start,
                step,
            )
        )
        self._rule = _source(step)

    @classmethod
    def _of(cls, native: _glauber.Model, recipe: tuple[str, dict[str, Any]] | None) -> Model:
        model = cls.__new__(cls)
        model._recipe = recipe
        model._adopt(native)
        return model

    def _adopt(self, native: _glauber.Model) -> None:
        self._native = native
        self._plans: dict[Any, _glauber.Plan] = {}
        self.name: str = native.name
        self.shape: tuple[int, ...] = native.shape
        boundary = tuple(kind if kind != "fixed" else value for kind, value in native.boundaries)
        self.lattice = Lattice(self.shape, boundary)
        self.layers: dict[str, Layer] = {}
        for name, kind, bounds, states, colours in native.layers:
            unbounded = (0.0, len(states) - 1.0) if states else (-math.inf, math.inf)
            lowest, highest = bounds or unbounded
            self.layers[name] = Layer(kind, float(lowest), float(highest), tuple(states or ()), tuple(colours))
        self.edges: dict[str, float] = dict(native.edges)
        """What layers are beyond fixed edges, where that is not the lattice's number."""
        self.parameters: dict[str, Parameter] = {
            name: Parameter(low, high, default, unit) for name, low, high, default, unit in native.parameters
        }
        self.fields: dict[str, Parameter | None] = {n: i and Parameter(*i) for n, i in native.fields}
        for note in few(native.notes, ": model.notes has them all"):
            warnings.warn(f"model `{self.name}`: {note}", UserWarning, stacklevel=4)

    def show(self, estimator: str | None = None) -> str:
        """How the rule is applied, and the programs of start and step as text; with an estimator, the step's adjoint too."""
        return self._native.show(estimator)

    @property
    def update(self) -> str | RandomSequential:
        """When the rule is applied to which sites: a word, or a `RandomSequential` where that has choices of its own."""
        word, among, each_once, events = self._native.update
        if among is None and not each_once and events is None:
            return word
        drawn: tuple[str, int | str] | None = among
        if among is not None and self.layers[among[0]].states:
            drawn = (among[0], self.layers[among[0]].states[among[1]])
        return RandomSequential(drawn, events, "permutation" if each_once else "replacement")

    def with_update(self, update: str | RandomSequential) -> Model:
        """The same rule under another update.

        A word leaves a model of that update as it is, with its choices. A rule for agents (`among=`) stays one: sites are drawn
        among them under every `RandomSequential`, and other updates, which would apply it at all sites, are refused.

        Raises
        ------
        ModelError
            Where the rule cannot be applied so.

        Examples
        --------
        >>> import glauber
        >>> glauber.load("voter", shape=(8, 8)).with_update("random-sequential").update
        'random-sequential'
        """
        own = _update(update, self.layers)
        if own == self._native.update or update == self._native.update[0]:
            return self
        try:
            native = self._native.updated(own)
        except ModelError as error:
            if self._recipe is None or not isinstance(update, str):
                raise
            name, options = self._recipe
            try:
                _glauber.load(name, list({**options, "update": update}.items()))
            except (InputError, ModelError):
                raise error from None
            raise ModelError(f'{error}; its own rule for that is glauber.load("{name}", update="{update}")') from None
        # The catalogue, asked again by its recipe, would give the other update.
        return Model._of(native, None)

    @property
    def notes(self) -> list[str]:
        """What a reader must know of the model on its lattice, such as a neighbour that counts twice on 2 × N sites."""
        return list(self._native.notes)

    @property
    def likelihood(self) -> bool:
        """Whether observed steps have an exact likelihood; `why_no_likelihood` says why where not."""
        return self._native.no_likelihood is None

    @property
    def why_no_likelihood(self) -> str | None:
        """What stands in the way of an exact likelihood, if anything."""
        return self._native.no_likelihood

    def simulate(self, parameters: Any = None, steps: Whole = 1, **settings: Any) -> Simulation:
        """The same as `glauber.simulate(model, …)`."""
        from glauber._simulation import simulate

        return simulate(self, parameters, steps, **settings)

    def rollout(self, steps: Whole, observe: Any = None, **settings: Any) -> Rollout:
        """The same as `glauber.rollout(model, …)`."""
        from glauber._rollout import rollout

        return rollout(self, steps, observe, **settings)

    def fit(self, task: Task, start: Any = None, **settings: Any) -> FitResult:
        """The same as `glauber.fit(model, …)`."""
        from glauber._fit import fit

        return fit(self, task, start, **settings)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self._native == other._native

    def __hash__(self) -> int:
        return hash((self.name, self.shape, tuple(self.layers), tuple(self.parameters)))

    def __reduce__(self) -> Any:
        return _restored, (self._native.stored(), self._recipe)

    def __repr__(self) -> str:
        layers = ", ".join(f"{name}: {layer}" for name, layer in self.layers.items())
        intervals = ", ".join(f"{n} in [{p.lowest:g}, {p.highest:g}]" for n, p in self.parameters.items())
        update = "" if self.update == "synchronous" else f"; update {self.update}"
        return f"Model({self.name!r}, shape {self.shape}, layers {layers}; parameters {intervals or 'none'}{update})"

    def _repr_html_(self) -> str:
        row = "<tr><th>{}</th><td>{}</td><td>{}</td></tr>".format
        rows = [row("layer", html.escape(n), html.escape(str(layer))) for n, layer in self.layers.items()]
        for name, p in self.parameters.items():
            usual = "" if p.default is None else f", usually {p.default:g}"
            unit = "" if p.unit is None else f" {html.escape(p.unit)}"
            rows.append(row("parameter", html.escape(name), f"[{p.lowest:g}, {p.highest:g}]{unit}{usual}"))
        rows += [
            row("field", html.escape(n), "covariate" if p is None else "unknown per site")
            for n, p in self.fields.items()
        ]
        if self.update != "synchronous":
            rows.append(row("update", html.escape(str(self.update)), ""))
        head = f"<b>{html.escape(self.name)}</b> on {html.escape(self._native.lattice)}"
        return f"<div>{head}<table>{''.join(rows)}</table></div>"


def _restored(stored: tuple[bytes, list[Any]], recipe: tuple[str, dict[str, Any]] | None) -> Model:
    return Model._of(_glauber.Model.restored(*stored), recipe)


def model_of(given: Any) -> Model:
    """A model, or what to give in place of what was given."""
    if not isinstance(given, Model):
        example = given if isinstance(given, str) else "voter"
        raise TypeError(f'the model is {told(given)}: give a glauber.Model, as glauber.load("{example}")')
    return given


def models() -> dict[str, str]:
    """The catalogue's models: what each is, by name.

    >>> import glauber
    >>> glauber.models()["voter"]
    "sites take over their neighbours' opinions"
    """
    return dict(_glauber.catalogue())


def load(name: str | os.PathLike[str], **options: Any) -> Model:
    """The catalogue's model of this name, or that of a model file.

    A model file, and the files of its covariates, are read here and not again: what becomes of them later changes neither
    this model nor its fits, and a pickle of it carries them.

    Parameters
    ----------
    name : str or path
        A name of `models()`, or the path of a model file (it ends in `.toml` or contains a `/`).
    **options
        The model's options, such as shape=(64, 64) (one number for one axis) or boundary="reflecting"; `-` in a name is
        written `_`.

    Raises
    ------
    InputError
        For an unknown name or option (with the nearest right one), or a mistake in the file, with its place.

    Examples
    --------
    >>> import glauber
    >>> glauber.load("susceptible-infected", shape=(32, 32)).shape
    (32, 32)
    """
    update = options.get("update")
    if isinstance(update, RandomSequential):
        return load(name, **{**options, "update": "random-sequential"}).with_update(update)
    given = {key.replace("_", "-"): _option(key, value) for key, value in options.items()}
    native = _glauber.load(path_text(name), list(given.items()))
    shape = options.get("shape", ())
    if not isinstance(shape, (Mapping, str)) and not _several(shape):
        _warn_of_a_line(name, options)
    # What was read from a file is the model from now on; the catalogue can be asked again.
    return Model._of(native, (str(name), given) if name in models() else None)


def _warn_of_a_line(name: str | os.PathLike[str], options: Mapping[str, Any]) -> None:
    """Says that a shape of one number is a line, where the model's usual lattice has more axes."""
    others = [(k.replace("_", "-"), _option(k, v)) for k, v in options.items() if k != "shape"]
    try:
        usual = Model._of(_glauber.load(path_text(name), others), None).shape
    except Exception:  # noqa: BLE001
        return
    if len(usual) > 1:
        length = options["shape"]
        text = f"shape={length} is one axis, a line of {length} sites; for a square give shape=({length}, {length}), for a line ({length},)"
        warnings.warn(text, stacklevel=3)


def _option(name: str, value: Any) -> Any:
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, Mapping):
        value = _lengths(value)
    if not _several(value):
        return bool(value) if isinstance(value, np.bool_) else real(value, f"option `{name}`")
    return [real(x, f"a number of option `{name}`") for x in value]


def _source(rule: Any) -> str:
    """A rule as its author wrote it, or nothing where that is not sure: code that was run from elsewhere names a file that says
    another thing, and so does one that was changed since."""
    try:
        text = inspect.cleandoc("\n" + inspect.getsource(rule))
        own = rule.__code__
    except Exception:
        return ""
    if own.co_name == "<lambda>":
        return text if "lambda" in text and all(name in text for name in own.co_names) else ""
    try:
        within = [compile(text, "", "exec")]
    except (SyntaxError, ValueError):
        return ""
    for code in within:
        within.extend(inner for inner in code.co_consts if isinstance(inner, CodeType))
    return text if any(_said(code) == _said(own) for code in within) else ""


def _said(code: CodeType) -> tuple[Any, ...]:
    """What a function's text says: its name, names and constants; whether a name is that of a function around it is not in its text."""
    names = {*code.co_names, *code.co_varnames, *code.co_freevars, *code.co_cellvars}
    return code.co_name, names, [repr(one) for one in code.co_consts if not isinstance(one, CodeType)]

# Types the native module: written by `cargo xtask python --stubs` from crates/python, not by hand.

"""
The native part of glauber.
"""

from _typeshed import Incomplete, SupportsGetItem
from collections.abc import Callable, Mapping, Sequence
from numpy import bool_, float64
from numpy.typing import NDArray
from typing import Any, Final, SupportsFloat, SupportsIndex, final

__all__ = ["__version__", "Beyond", "CellSum", "Crew", "Expression", "FitOutcome", "FitPieces", "LogDensity", "Model", "Neighbours", "Next", "Objective", "Observation", "Page", "Plan", "Scope", "There", "answer", "autologistic_log_density", "catalogue", "cells_fit", "cells_fit_tracks", "cells_log_density", "cells_picture", "cells_simulate", "cells_tracks", "check", "check_estimator", "columns_in_order", "fit_file", "forked", "load", "log_density_of_file", "objective_of_file", "one_of_many", "persistent_walk_log_density", "picture", "profile_of_file", "segment", "serve", "trace"]

__version__: Final[str]

@final
class Beyond:
    """
    A value, and what it is beyond fixed edges where it is read there; see `Expression.beyond`.
    """
    def at(self, /, there: There) -> Expression:
        """
        As `Expression.at`.
        """
    def neighbours(self, /, neighbourhood: str | Sequence[int | Sequence[int]] | Mapping[Any, float] | None = None) -> Neighbours:
        """
        As `Expression.neighbours`.
        """
    def shift(self, /, offset: int | Sequence[int]) -> Expression:
        """
        As `Expression.shift`.
        """

@final
class CellSum:
    """
    A sum over the sites of each cell; see `Scope.cell_sum`. `s.of_cell(sum, label)` is that of one cell.
    """
    def __getattr__(self, name: str, /) -> Any: ...
    def __repr__(self, /) -> str: ...

@final
class Crew:
    """
    The workers behind an executor: what plans and fits are handed, so that they share their runs among these.
    """
    def __new__(cls, /, carrier: Any, threads: SupportsIndex) -> Crew:
        """
        `carrier` carries tasks: it has `submit(tasks)`, `tell(words)`, `count()`, `measures()` and `ping(count)`.
        """

@final
class Expression:
    """
    A value of a rule that is being traced: a number per run, per replicate or per site.

    Python's operators, comparisons (1 where true, else 0) and NumPy's functions make further values of it.
    """
    def __abs__(self, /) -> Expression: ...
    def __add__(self, other: object, /) -> Expression: ...
    def __and__(self, other: object, /) -> Expression:
        """
        Both of two conditions.
        """
    def __array__(self, /, *_arguments, **_keywords) -> Any: ...
    def __array_function__(self, /, function: Any, _types: Any, inputs: tuple, keywords: dict) -> Any: ...
    def __array_ufunc__(self, /, function: Any, method: str, *inputs, **keywords) -> Any: ...
    def __bool__(self, /) -> bool: ...
    def __eq__(self, other: object, /) -> Expression: ...
    def __float__(self, /) -> float: ...
    def __floor__(self, /) -> Expression: ...
    def __floordiv__(self, other: object, /) -> Expression: ...
    def __format__(self, /, how: str) -> str: ...
    def __ge__(self, other: object, /) -> Expression: ...
    def __getitem__(self, _place: Any, /) -> Any: ...
    def __gt__(self, other: object, /) -> Expression: ...
    def __hash__(self, /) -> int: ...
    def __index__(self, /) -> int: ...
    def __int__(self, /) -> int: ...
    def __invert__(self, /) -> Expression:
        """
        Not this condition.
        """
    def __iter__(self, /) -> Any: ...
    def __le__(self, other: object, /) -> Expression: ...
    def __len__(self, /) -> int: ...
    def __lt__(self, other: object, /) -> Expression: ...
    def __mod__(self, other: object, /) -> Expression: ...
    def __mul__(self, other: object, /) -> Expression: ...
    def __ne__(self, other: object, /) -> Expression: ...
    def __neg__(self, /) -> Expression: ...
    def __or__(self, other: object, /) -> Expression:
        """
        At least one of two conditions.
        """
    def __pos__(self, /) -> Expression: ...
    def __pow__(self, power: object, modulo: object = None, /) -> Expression: ...
    def __radd__(self, other: object, /) -> Expression: ...
    def __rand__(self, other: object, /) -> Expression: ...
    def __repr__(self, /) -> str: ...
    def __rfloordiv__(self, other: object, /) -> Expression: ...
    def __rmod__(self, other: object, /) -> Expression: ...
    def __rmul__(self, other: object, /) -> Expression: ...
    def __ror__(self, other: object, /) -> Expression: ...
    def __round__(self, /, digits: SupportsIndex | None = None) -> Expression: ...
    def __rpow__(self, base: object, _modulo: object = None, /) -> Expression: ...
    def __rsub__(self, other: object, /) -> Expression: ...
    def __rtruediv__(self, other: object, /) -> Expression: ...
    def __rxor__(self, other: object, /) -> Expression: ...
    def __sub__(self, other: object, /) -> Expression: ...
    def __truediv__(self, other: object, /) -> Expression: ...
    def __xor__(self, other: object, /) -> Expression:
        """
        Exactly one of two conditions.
        """
    def at(self, /, there: There) -> Expression:
        """
        The value at a site that the rule picks, as s.neighbour("von-neumann"). It may be made of layers, fields and numbers, not
        of draws.
        """
    def beyond(self, /, value: float | Expression) -> Beyond:
        """
        This value, to be read across fixed edges (`.shift`, `.at`, `.neighbours`, `s.translate`), beyond which it is to be
        `value` and not what the rule makes of the layers' values there.
        """
    def cos(self, /) -> Expression:
        """
        The cosine of an angle in radians.
        """
    def cosh(self, /) -> Expression:
        """
        The hyperbolic cosine.
        """
    def exp(self, /) -> Expression:
        """
        eˣ.
        """
    def expm1(self, /) -> Expression:
        """
        eˣ − 1, exact near 0.
        """
    def floor(self, /) -> Expression:
        """
        The greatest whole number not above x; derivative 0.
        """
    def heaviside(self, /, surrogate: str = "sigmoid", width: SupportsFloat | SupportsIndex = 1.0) -> Expression:
        """
        1 where above 0, else 0; its derivative is taken to be the surrogate's: "identity", "sigmoid" or "triangle".
        """
    def is_(self, /, state: int | str) -> Expression:
        """
        1 where this is the state of this name or number, else 0. The derivative goes to that state's probability.
        """
    def log(self, /) -> Expression:
        """
        The natural logarithm.
        """
    def log1p(self, /) -> Expression:
        """
        ln(1 + x), exact near 0.
        """
    def maximum(self, /, other: float | Expression) -> Expression:
        """
        The greater of two.
        """
    def mean(self, /) -> Expression:
        """
        The mean over all sites: one number per replicate.
        """
    def minimum(self, /, other: float | Expression) -> Expression:
        """
        The lesser of two.
        """
    def neighbours(self, /, neighbourhood: str | Sequence[int | Sequence[int]] | Mapping[Any, float] | None = None) -> Neighbours:
        """
        The values around each site: "moore", "von-neumann", "hexagonal", offsets, or {offset: weight}.
        """
    def revealed_by(self, /, observed: float | Expression) -> Expression:
        """
        This random value, which the observed next state gives away as `observed`: simulations are unchanged, and the
        exact likelihood may pass the value on to other sites.
        """
    def round(self, /, surrogate: str = "identity", width: SupportsFloat | SupportsIndex = 1.0) -> Expression:
        """
        The nearest whole number (halves to even); its derivative is taken to be the surrogate's: "identity", "sigmoid" or
        "triangle" of this width.
        """
    def shift(self, /, offset: int | Sequence[int]) -> Expression:
        """
        The value at a displaced site: at site i that of site i + offset, one number per axis of the lattice.
        """
    def sigmoid(self, /) -> Expression:
        """
        1 / (1 + e⁻ˣ).
        """
    def sign(self, /) -> Expression:
        """
        −1, 0 or 1; derivative 0.
        """
    def sin(self, /) -> Expression:
        """
        The sine of an angle in radians.
        """
    def sqrt(self, /) -> Expression:
        """
        √x.
        """
    def stop_gradient(self, /) -> Expression:
        """
        This value, taken as constant by every derivative.
        """
    def sum(self, /) -> Expression:
        """
        The sum over all sites: one number per replicate.
        """
    def tanh(self, /) -> Expression:
        """
        The hyperbolic tangent.
        """
    def where_(self, /, yes: float | Expression, no: float | Expression) -> Expression:
        """
        `yes` where this is not 0, else `no`.
        """
    def with_gradient_of(self, /, other: float | Expression) -> Expression:
        """
        This value, with the derivative of another.
        """

@final
class FitOutcome:
    """
    What fits came to, to be written into a folder.
    """
    def write(self, /, folder: str) -> None:
        """
        Writes what `glauber fit` writes into its folder; nothing that is there is overwritten.
        """

@final
class FitPieces:
    """
    The fits of a request, of which pieces are wanted.
    """
    def __new__(cls, /, request: Incomplete) -> FitPieces: ...
    def piece(self, /, piece: bytes) -> bytes:
        """
        Does a piece: the bytes of what came of it.
        """

@final
class LogDensity:
    """
    The log density of a posterior.
    """
    def chain(self, /, chain: SupportsIndex, chains: SupportsIndex, draws: SupportsIndex, warm_up: SupportsIndex, sampler: str | None, seed: SupportsIndex) -> bytes:
        """
        Walks one chain of a posterior: what it drew, for `sample`.
        """
    @property
    def likelihood(self, /) -> tuple[str, str, bool, int]:
        """
        The route of the likelihood, what kind of number it is, whether it has gradients, and how many observations it has.
        """
    def log_likelihood(self, /, theta: NDArray[float64], noise: SupportsIndex) -> float:
        """
        ln L alone.
        """
    def log_prior(self, /, theta: NDArray[float64]) -> float:
        """
        ln prior alone.
        """
    @property
    def notes(self, /) -> list[str]:
        """
        What a person should know of the data.
        """
    @property
    def parameters(self, /) -> list[tuple[str, float, float, float, str]]:
        """
        For each parameter its name, where it may be, where chains begin, and its prior.
        """
    def profile(self, /, names: SupportsGetItem[int, str], level: SupportsFloat | SupportsIndex, elsewhere: Any | None = None) -> tuple[str, str]:
        """
        Profiles the likelihood: what was found as JSON, and in words. `elsewhere` has profiles walked by others: a function
        of a list of bytes, each for `walk_profile`, to what waits for what that gives.
        """
    def sample(self, /, chains: SupportsIndex, draws: SupportsIndex, warm_up: SupportsIndex, sampler: str | None, seed: SupportsIndex, progress: Any | None, walked: SupportsGetItem[int, bytes] | None = None) -> dict[str, Any]:
        """
        Draws from the posterior; `walked` has what its chains drew, where they were walked elsewhere.
        """
    def to_free(self, /, theta: NDArray[float64]) -> NDArray[float64]:
        """
        Parameters → free coordinates.
        """
    def to_natural(self, /, free: NDArray[float64]) -> tuple[NDArray[float64], float]:
        """
        Free coordinates → parameters, and ln |dθ/du|.
        """
    def value(self, /, theta: NDArray[float64], free: bool, noise: SupportsIndex) -> float:
        """
        ln L + ln prior; by free coordinates with their Jacobian.
        """
    def value_and_grad(self, /, theta: NDArray[float64], free: bool) -> tuple[float, NDArray[float64]]:
        """
        The same with its gradient.
        """
    def walk_profile(self, /, one: bytes) -> bytes:
        """
        Walks one profile, as `profile` asks for it of whoever does it elsewhere.
        """
    def why_impossible(self, /, theta: NDArray[float64]) -> str | None:
        """
        Why the likelihood is 0 there, where that can be said.
        """

@final
class Model:
    """
    A model: its declarations, its start and its step, and the covariates it came with, as they were when it was loaded.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    @property
    def boundaries(self, /) -> list[tuple[str, float]]:
        """
        The boundary along each axis: its kind, and the value of a fixed one.
        """
    @property
    def edges(self, /) -> list[tuple[str, float]]:
        """
        What layers are beyond fixed edges, where that is not the lattice's number.
        """
    @property
    def fields(self, /) -> list[tuple[str, tuple[float, float] | None]]:
        """
        Name of every field, and its interval where it is one of unknowns.
        """
    @property
    def has_start(self, /) -> bool: ...
    @property
    def lattice(self, /) -> str: ...
    @property
    def layers(self, /) -> list[tuple[str, str, tuple[int, int] | None, list[str] | None, list[str | None]]]:
        """
        Name, kind, range and states of every layer, and what its states are drawn in.
        """
    @property
    def name(self, /) -> str: ...
    @property
    def no_gradient(self, /) -> str | None:
        """
        Why gradients cannot pass through its steps; nothing where they can.
        """
    @property
    def no_likelihood(self, /) -> str | None:
        """
        Why there is no exact likelihood; nothing where there is.
        """
    @property
    def notes(self, /) -> list[str]:
        """
        What a reader must know of the model on its lattice.
        """
    def observe(self, /, function: Callable[[Scope], Any]) -> Observation:
        """
        Traces an observation: a function of a scope that leaves outputs, or returns them by name.
        """
    @property
    def parameters(self, /) -> list[tuple[str, float, float, float | None, str | None]]:
        """
        Name, interval, default and unit of every parameter.
        """
    @staticmethod
    def restored(bytes: bytes, covariates: SupportsGetItem[int, tuple[str, NDArray[float64] | None, str | None]]) -> Model:
        """
        The model that was stored.
        """
    @property
    def scheme(self, /) -> str:
        """
        The update with its choices, as a file of states holds it.
        """
    @property
    def shape(self, /) -> tuple: ...
    def show(self, /, estimator: str | None = None) -> str:
        """
        The start and the step as text, and the step's adjoint under an estimator.
        """
    def slopeless(self, /, several_steps: bool, scored: bool) -> list[tuple[str, list[str]]]:
        """
        Where gradients lack what parameters, or states of earlier steps, do: in words, with the parameters.
        """
    def stored(self, /) -> tuple[bytes, list[tuple[str, NDArray[float64] | None, str | None]]]:
        """
        What `restored` makes the same model of.
        """
    def summary(self, /, text: str) -> Observation:
        """
        The summary of this name, such as "mean(aware)".
        """
    @property
    def update(self, /) -> tuple[str, tuple[str, int] | None, bool, int | None]:
        """
        When its rule is applied to which sites.
        """
    def updated(self, /, update: tuple[str, tuple[str, SupportsIndex] | None, bool, SupportsIndex | None]) -> Model:
        """
        The same rule under another update.
        """

@final
class Neighbours:
    """
    The values around each site; see `Expression.neighbours`.
    """
    def count(self, /, state: int | str) -> Expression:
        """
        How many of them (by weight) are in the state of this name or number.
        """
    def mean(self, /) -> Expression:
        """
        Their weighted mean.
        """
    def sum(self, /) -> Expression:
        """
        Their weighted sum.
        """

@final
class Next:
    """
    What a layer becomes; see `Scope.next`.
    """
    def bernoulli(self, /, p: float | Expression) -> None:
        """
        1 with probability `p`, else 0.
        """
    def categorical(self, /, probabilities: Sequence[float | Expression]) -> None:
        """
        A class with these probabilities; the last class takes what is left of 1.
        """
    def set(self, /, value: float | str | Expression) -> None:
        """
        The next value at each site; of a layer of named states also a state's name.
        """
    def set_at(self, /, there: There, value: float | str | Expression) -> None:
        """
        The value at a picked site, written after those of the site itself; beyond a fixed edge nothing is written, whatever
        the rule says of the site itself: what it leaves behind for a site out there is gone (`there.exists()` tells).
        """

@final
class Objective:
    """
    An objective of a fit.
    """
    def evaluate(self, /, theta: NDArray[float64], iteration: SupportsIndex, wants_gradient: bool) -> tuple[float, NDArray[float64] | None]:
        """
        The loss and its gradient; the gradient is left out where it is not wanted.
        """
    @property
    def notes(self, /) -> list[str]:
        """
        What a person should know of the data and of how the objective was set up.
        """
    @property
    def observations(self, /) -> int | None:
        """
        How many numbers were observed, where that is known.
        """
    @property
    def slopeless(self, /) -> list[str]:
        """
        Those of the notes that say what gradients lack.
        """
    @property
    def start(self, /) -> NDArray[float64]:
        """
        θ where the fit starts.
        """
    @property
    def unknowns(self, /) -> list[tuple[str, float, float, list[int] | None]]:
        """
        For each unknown its name, interval, and shape (nothing for one number).
        """

@final
class Observation:
    """
    Numbers taken from a state: traced, or a summary by its name.
    """
    @property
    def fields(self, /) -> list[str]:
        """
        The names of the data per site that it reads.
        """
    @property
    def outputs(self, /) -> list[str]:
        """
        The names of its numbers.
        """
    @staticmethod
    def restored(model: Model, stored: bytes | str) -> Observation:
        """
        The observation of a model that was stored.
        """
    def slopeless(self, /) -> list[str]:
        """
        Where gradients lack what states do to its numbers, in words; nothing of a summary, which has its own derivative.
        """
    def stored(self, /) -> bytes | str:
        """
        The summary's text, or the program as bytes: what `restored` makes the same observation of.
        """

@final
class Page:
    """
    A page that is served until this is closed or collected.
    """
    @property
    def address(self, /) -> str:
        """
        Where it is.
        """
    def close(self, /) -> None:
        """
        Ends it: pages that are open are told, and their engines end.
        """
    @property
    def is_open(self, /) -> bool:
        """
        Whether it is served.
        """

@final
class Plan:
    """
    A model compiled with its observations; with an estimator, for gradients too.
    """
    def __new__(cls, /, model: Model, observations: SupportsGetItem[int, Observation], estimator: str | None, temperature: SupportsFloat | SupportsIndex, samples: SupportsIndex, radius: SupportsIndex | None, precision: str, memory: SupportsIndex, crew: Crew | None = None) -> Plan: ...
    @property
    def bytes_per_state(self, /) -> int:
        """
        Bytes that one state of one replicate takes in the history.
        """
    def gradient(self, /, request: Incomplete, loss: Any | None, slopes: NDArray[float64] | None, wants_start: bool) -> tuple[float, NDArray[float64], list[tuple[str, NDArray[float64]]], list[NDArray[float64]] | None, NDArray[float64]]:
        """
        The gradient of a loss of the mean outputs: a function of them, or their slopes where the loss is linear.
        """
    def rollout(self, /, request: Incomplete) -> tuple[NDArray[float64], list[NDArray[Any]]]:
        """
        The outputs, flat `[replicate][number]`, and for each layer the last states, flat `[replicate][site]`.
        """
    def simulate(self, /, request: Incomplete, every: SupportsIndex) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """
        The states of steps 0, every, 2 · every …: for each layer one flat array `[replicate][time][site]`; and those of
        the last step, flat `[replicate][site]`.
        """

@final
class Scope:
    """
    What a start, a step or an observation is traced with.
    """
    def __getattr__(self, name: str, /) -> Any: ...
    def __getitem__(self, name: str, /) -> Expression:
        """
        The layer, parameter or field of this name.
        """
    def __repr__(self, /) -> str: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...
    def __setitem__(self, layer: str, value: Any, /) -> None: ...
    def anywhere(self, /) -> There:
        """
        A site drawn uniformly from the whole lattice; it may be the site itself.
        """
    def bernoulli(self, /, p: float | Expression) -> Expression:
        """
        1 with probability `p` at each site, else 0.
        """
    def binomial(self, /, n: float | Expression, p: float | Expression) -> Expression:
        """
        The number of successes in `n` trials of probability `p` at each site.
        """
    def categorical(self, /, probabilities: Sequence[float | Expression]) -> Expression:
        """
        A class 0, 1, 2 … at each site with these probabilities; the last class takes what is left of 1.
        """
    def cell_sum(self, /, value: float | Expression, layer: str) -> CellSum:
        """
        The sum of a value over the sites of each cell of a layer of labels: its volume, where the value is 1. `s.of_cell(sum, label)`
        is that of the cell with a label. Sums are those of the state that the rule reads: before the step where it is synchronous,
        when a colour begins by sublattices, at that moment where events are one after another, for which the value must be a whole
        number.
        """
    def check_probability(self, /, what: str, p: float | Expression) -> None:
        """
        Has `p` checked to lie in [0, 1] wherever the step runs; an error calls it the probability of `what`.
        """
    def coordinate(self, /, axis: SupportsIndex) -> Expression:
        """
        The site's coordinate along an axis of the lattice, counted as in its shape, from 0.
        """
    def data(self, /, name: str) -> Expression:
        """
        Data to compare with in an observation, one number per site; declared by being named.
        """
    def field(self, /, name: str) -> Expression:
        """
        A covariate or parameter field: one fixed number per site.
        """
    def geometric(self, /, p: float | Expression) -> Expression:
        """
        How many trials of probability `p`, above 0, it takes at each site up to the first success, that one included (NumPy's
        `geometric`).
        """
    def layer(self, /, name: str) -> Expression:
        """
        A layer's value at each site before the step.
        """
    def look_up(self, /, numbers: SupportsGetItem[int, SupportsFloat | SupportsIndex], place: float | Expression) -> Expression:
        """
        The entry of a list of numbers that a whole number points at, 0 the first: such as an adhesion, by types.
        """
    def move_to(self, /, there: There, layer: str, left: float | str | Expression | None = None, when: float | Expression | None = None) -> None:
        """
        Moves what is here to the picked site, in one layer: that becomes as this is, and this becomes `left`, where `when` is 1
        (else 0: draw a chance by s.bernoulli) and there is such a site. Beyond a fixed edge there is none, and what is here
        stays: what is to leave there is set to `left` by the rule.
        """
    def neighbour(self, /, neighbourhood: str | Sequence[int | Sequence[int]] | Mapping[Any, float]) -> There:
        """
        A neighbour in a direction that is drawn for each site: uniformly, or by the neighbourhood's weights. Only a rule that is
        applied to one site after another (`update=`) may pick sites.
        """
    def neighbour_towards(self, /, direction: float | Expression, offsets: SupportsGetItem[int, int | Sequence[int]]) -> There:
        """
        The neighbour at the offset that `direction` picks from `offsets`, a whole number from 0 at each site.
        """
    def next(self, /, layer: str) -> Next:
        """
        Says what a layer becomes: `.set(value)`, `.bernoulli(p)` or `.categorical([p, …])`; at a picked site `.set_at(there,
        value)`.
        """
    def normal(self, /) -> Expression:
        """
        A standard normal number at each site.
        """
    def number(self, /, value: SupportsFloat | SupportsIndex) -> Expression:
        """
        A plain number as a traced value.
        """
    def observed_next(self, /, layer: str) -> Expression:
        """
        A layer's observed value after the step, for `revealed_by` and nothing else.
        """
    def of_cell(self, /, number: CellSum | Sequence[float], label: float | Expression) -> Expression:
        """
        The number of the cell that a label names: a sum over its sites, or the entry of a list of numbers, the medium's first.
        """
    def output(self, /, name: str, value: float | Expression) -> None:
        """
        Leaves a number per replicate under a name.
        """
    def parameter(self, /, name: str) -> Expression:
        """
        A parameter: one number for the whole run.
        """
    def poisson(self, /, rate: float | Expression) -> Expression:
        """
        The number of events of mean `rate` at each site.
        """
    def rates(self, /, rates: Sequence[float | Expression], most: float | Expression | None = None) -> Expression:
        """
        The number of the transition that an event is, for transitions of these rates per unit of time; one number higher than
        the last where none happens. For update="continuous-time", once in a rule. `most` is the highest sum of rates that a
        site can have, needed only where it cannot be found from the rule.
        """
    def replicate_bernoulli(self, /, p: float | Expression) -> Expression:
        """
        1 with probability `p` for each replicate, else 0.
        """
    def replicate_categorical(self, /, probabilities: Sequence[float | Expression]) -> Expression:
        """
        A class for each replicate with these probabilities; the last class takes what is left of 1.
        """
    def step(self, /) -> Expression:
        """
        The number of the step: 1 for the first.
        """
    def swap_with(self, /, there: There, layer: str, when: float | Expression | None = None) -> None:
        """
        Has this site and the picked one change places in one layer, where `when` is 1 (else 0: draw a chance by s.bernoulli) and there is such a site:
        beyond a fixed edge there is none, and nothing changes.
        """
    def translate(self, /, x: float | Expression | Beyond, direction: float | Expression, offsets: SupportsGetItem[int, int | Sequence[int]]) -> Expression:
        """
        The plane `x` moved as a whole by the offset that `direction` (one class per replicate) picks from `offsets`.
        """
    def uniform(self, /) -> Expression:
        """
        A uniform number in [0, 1) at each site.
        """

@final
class There:
    """
    Another site, as a rule picks it for each site that it is applied to: a neighbour in a drawn direction, or a site drawn from
    the lattice. `there["layer"]` and `x.at(there)` are what is there.
    """
    def __getattr__(self, name: str, /) -> Any: ...
    def __getitem__(self, name: str, /) -> Expression:
        """
        The layer, parameter or field of this name, at the picked site.
        """
    def __repr__(self, /) -> str: ...
    def exists(self, /) -> Expression:
        """
        1 where there is such a site, 0 where it lies beyond a fixed edge.
        """

def answer(body: bytes, contents: SupportsGetItem[int, tuple[tuple[SupportsIndex, SupportsIndex], bytes]]) -> bytes:
    """
    Answers a task, having kept what came with it.
    """

def autologistic_log_density(fields: NDArray[float64], height: SupportsIndex, width: SupportsIndex, directions: bool, priors: SupportsGetItem[int, tuple[str, str]], threads: SupportsIndex) -> LogDensity:
    """
    The log density of snapshots under the autologistic model, by transfer matrices.
    """

def catalogue() -> list[tuple[str, str]]:
    """
    The names of the catalogue's models, each with what it is.
    """

def cells_fit(labels: NDArray[Any] | None, shape: SupportsGetItem[int, SupportsIndex], file: tuple[str, str | None, SupportsIndex | None, SupportsIndex | None] | None, types: tuple[SupportsGetItem[int, tuple[SupportsIndex, SupportsIndex]], SupportsGetItem[int, str]] | None, types_file: str | None, torus: bool, coarsen: SupportsIndex, frames: tuple[SupportsIndex, SupportsIndex] | None, every: SupportsIndex, acceptance: str, connected: bool, unknown: SupportsGetItem[int, str], fixed: SupportsGetItem[int, tuple[str, SupportsFloat | SupportsIndex]], replicates: SupportsIndex, seed: SupportsIndex, threads: SupportsIndex) -> tuple[str, str]:
    """
    Fits the Cellular Potts model to labels over time; what was found as JSON, and in words.
    """

def cells_fit_tracks(table: SupportsGetItem[int, tuple[str, NDArray[float64] | None, SupportsGetItem[int, str] | None]] | None, file: str | None, site: SupportsFloat | SupportsIndex | None, torus: bool, setting: tuple[SupportsGetItem[int, SupportsIndex], SupportsGetItem[int, SupportsIndex], SupportsIndex | None, SupportsIndex, SupportsIndex], unknown: SupportsGetItem[int, str], ranges: SupportsGetItem[int, tuple[str, tuple[SupportsFloat | SupportsIndex, SupportsFloat | SupportsIndex]]], fixed: SupportsGetItem[int, tuple[str, SupportsFloat | SupportsIndex]], order: str, acceptance: str, connected: bool, seed: SupportsIndex, threads: SupportsIndex) -> tuple[str, str]:
    """
    Fits the Cellular Potts model to tracks; what was found as JSON, and in words.
    """

def cells_log_density(labels: NDArray[Any] | None, shape: SupportsGetItem[int, SupportsIndex], file: tuple[str, str | None, SupportsIndex | None, SupportsIndex | None] | None, types: tuple[SupportsGetItem[int, tuple[SupportsIndex, SupportsIndex]], SupportsGetItem[int, str]] | None, types_file: str | None, torus: bool, coarsen: SupportsIndex, frames: tuple[SupportsIndex, SupportsIndex] | None, every: SupportsIndex, acceptance: str, connected: bool, unknown: SupportsGetItem[int, str], fixed: SupportsGetItem[int, tuple[str, SupportsFloat | SupportsIndex]], priors: SupportsGetItem[int, tuple[str, str]], threads: SupportsIndex) -> LogDensity:
    """
    The log density of the coefficients of the Cellular Potts model, of labels over time.
    """

def cells_picture(labels: NDArray[Any], shape: SupportsGetItem[int, SupportsIndex], types: SupportsGetItem[int, tuple[SupportsIndex, SupportsIndex]]) -> bytes | None:
    """
    A state of cells as a PNG: its labels, the shape, and the types of labels. None where it cannot be drawn.
    """

def cells_simulate(shape: SupportsGetItem[int, SupportsIndex], begin: SupportsGetItem[int, SupportsIndex] | None, blocks: SupportsGetItem[int, SupportsIndex] | None, sides: SupportsGetItem[int, SupportsIndex], counts: SupportsGetItem[int, SupportsIndex] | None, volume: SupportsIndex | None, labels: NDArray[Any] | None, file: tuple[str, str | None, SupportsIndex | None, SupportsIndex | None] | None, frame: SupportsIndex, types: tuple[SupportsGetItem[int, tuple[SupportsIndex, SupportsIndex]], SupportsGetItem[int, str]] | None, types_file: str | None, parameters: SupportsGetItem[int, tuple[str, SupportsFloat | SupportsIndex]], torus: bool, order: str, acceptance: str, connected: bool, steps: SupportsIndex, every: SupportsIndex, seed: SupportsIndex, replicate: SupportsIndex, threads: SupportsIndex) -> dict[str, Any]:
    """
    Simulates cells that start as blocks (`blocks`), grown (`volume`) or as labels.
    """

def cells_tracks(parameters: SupportsGetItem[int, tuple[str, SupportsFloat | SupportsIndex]], setting: tuple[SupportsGetItem[int, SupportsIndex], SupportsGetItem[int, SupportsIndex], SupportsIndex | None, SupportsIndex, SupportsIndex], tracks: SupportsIndex, records: SupportsIndex, order: str, acceptance: str, connected: bool, seed: SupportsIndex, threads: SupportsIndex) -> dict[str, Any]:
    """
    Simulates tracks of cells: id, record, and z, y, x in sites; and notes.
    """

def check(model: Model, fields: SupportsGetItem[int, tuple[str, tuple[NDArray[Any], SupportsIndex | None]]], parameters: SupportsGetItem[int, SupportsFloat | SupportsIndex], steps: SupportsIndex, replicates: SupportsIndex, seed: SupportsIndex, threads: SupportsIndex, crew: Crew | None = None) -> dict[str, Any]:
    """
    What every estimator says of the gradient of the layers' means after some steps, and what it is.
    """

def check_estimator(name: str, temperature: SupportsFloat | SupportsIndex, samples: SupportsIndex, radius: SupportsIndex | None) -> None:
    """
    Refuses an estimator that there is not, or options that it does not take.
    """

def columns_in_order(names: SupportsGetItem[int, str], outputs: SupportsGetItem[int, str], what: str) -> tuple[list[int], str | None]:
    """
    Where each number of `outputs` stands among columns of these names, and what is to be said where they were taken by their place.
    """

def fit_file(request: Incomplete, progress: Any | None) -> tuple[dict[str, Any], BaseException | None]:
    """
    Runs the fits of a fit file: a dictionary, and what Python raised meanwhile.
    """

def forked() -> None:
    """
    Forgets the threads of the process this one was forked from. The interpreter calls it in the child.
    """

def load(name: str, options: SupportsGetItem[int, tuple[str, Any]]) -> Model:
    """
    The catalogue's model of this name, or that of a model file.
    """

def log_density_of_file(request: Incomplete) -> LogDensity:
    """
    The log density of a fit file's parameters.
    """

def objective_of_file(request: Incomplete) -> Objective:
    """
    The objective of a fit file's first fit.
    """

def one_of_many() -> None:
    """
    Takes one thread where all cores are asked for: this process is one of many. Workers call it.
    """

def persistent_walk_log_density(tracks: SupportsGetItem[int, tuple[NDArray[float64], SupportsGetItem[int, NDArray[float64]]]], priors: SupportsGetItem[int, tuple[str, str]], threads: SupportsIndex) -> LogDensity:
    """
    The log density of tracks of persistent walkers: for each its times, and its position along each axis.
    """

def picture(numbers: NDArray[float64], height: SupportsIndex, width: SupportsIndex, colours: SupportsGetItem[int, str]) -> bytes:
    """
    A plane of numbers as a PNG: of states in their colours, by number, or of numbers along a scale where none are given.
    """

def profile_of_file(request: Incomplete, names: SupportsGetItem[int, str], level: SupportsFloat | SupportsIndex) -> tuple[str, str]:
    """
    Profiles the likelihood of a fit file's parameters: what was found as JSON, and in words.
    """

def segment(image: NDArray[float64], height: SupportsIndex, width: SupportsIndex, preset: str, steps: SupportsIndex | None, rate: SupportsFloat | SupportsIndex | None, threshold: SupportsFloat | SupportsIndex | None, objects: str | None, flatten: SupportsIndex | None, truth: NDArray[bool_] | None, threads: SupportsIndex) -> dict[str, Any]:
    """
    Segments an image of grey values in [0, 1], flat and row by row; a truth gives scores.
    """

def serve(model: Model | None, name: str | None, options: SupportsGetItem[int, tuple[str, Any]], parameters: SupportsGetItem[int, tuple[str, SupportsFloat | SupportsIndex]], fit: str | None, data: str | None, rule: str, seed: SupportsIndex, port: SupportsIndex, threads: SupportsIndex) -> Page:
    """
    Serves a page with a model (a traced one, or one by name or path with options), or that of a fit, or both.
    """

def trace(name: str, shape: SupportsGetItem[int, SupportsIndex], boundaries: SupportsGetItem[int, tuple[str, SupportsFloat | SupportsIndex]], layers: SupportsGetItem[int, tuple[str, str, tuple[SupportsIndex, SupportsIndex] | None, SupportsGetItem[int, str] | None, SupportsGetItem[int, str | None]]], edges: SupportsGetItem[int, tuple[str, SupportsFloat | SupportsIndex]], parameters: SupportsGetItem[int, tuple[str, SupportsFloat | SupportsIndex, SupportsFloat | SupportsIndex, SupportsFloat | SupportsIndex | None, str | None]], covariates: SupportsGetItem[int, str], fields: SupportsGetItem[int, tuple[str, SupportsFloat | SupportsIndex, SupportsFloat | SupportsIndex]], update: tuple[str, tuple[str, SupportsIndex] | None, bool, SupportsIndex | None], start: Callable[[Scope], Any] | None, step: Callable[[Scope], Any]) -> Model:
    """
    Traces a model: its start and step are Python functions of a scope, each called once.
    """

"""Shares work among the workers of an executor: whatever has `.submit(function, *arguments)` that gives something with `.result()`.

Tasks are functions of this module, so that any worker finds them. What they need travels once per worker, by the hash of what it is: a
worker that misses something says so, and is sent it.
"""

from __future__ import annotations

import hashlib
import pickle
import queue
import threading
import time
import uuid
import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from glauber import _glauber
from glauber._arrays import told, whole
from glauber._errors import InputError, RunError
from glauber._kinds import Whole

__version__ = _glauber.__version__

PINGS = 5
"""Tasks without work by which the way to the workers is measured."""
MOST_LOST = 16
"""Tasks that are lost one after another, without an answer in between, before an executor is given no more."""
MOST_KEPT = 16
"""Pickled things that a worker keeps."""


# What runs on workers.


Answered = tuple[str, str, Any]
"""What an answer is, whose, and its value."""


def _whose(name: str, body: bytes) -> str:
    """What an answer is known by: the task's name, and a hash of what it was computed from."""
    return f"{name} {hashlib.blake2b(body, digest_size=8).hexdigest()}"


def _ping(version: str, name: str) -> Answered:
    """Answers at once."""
    whose = _whose(name, b"")
    return ("value", whose, b"") if version == __version__ else ("version", whose, __version__)


def _answer(version: str, name: str, body: bytes, contents: list[Any]) -> Answered:
    """Answers a task of the native module."""
    whose = _whose(name, body)
    if version != __version__:
        return "version", whose, __version__
    return "value", whose, _glauber.answer(body, contents)


_asks = False
"""Whether this process has work shared out: it is then no mere worker, even where it answers itself."""


def _begin() -> None:
    """Takes one thread for what would take all cores, where this process is one of many."""
    if not _asks:
        _glauber.one_of_many()


_kept: OrderedDict[str, Any] = OrderedDict()
_keeping = threading.Lock()


class _Missing(Exception):
    """Something was not sent yet."""


def _known(key: str, pickled: bytes | None) -> Any:
    """The thing of this hash; raises _Missing where it has not been sent."""
    with _keeping:
        if key not in _kept:
            if pickled is None:
                raise _Missing
            _kept[key] = pickle.loads(pickled)
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
        _kept.move_to_end(key)
        return _kept[key]


def _call(version: str, name: str, key: str, arguments: bytes, pickled: bytes | None) -> Answered:
    """Calls a function that was sent.

    Arguments and values travel as bytes, so that no executor packs them in a way of its own.
    """
    whose = _whose(name, arguments)
    if version != __version__:
        return "version", whose, __version__
    _begin()
    try:
        function = _known(key, pickled)
    except _Missing:
        return "missing", whose, None
    given = pickle.loads(arguments)
    try:
        value = function(*given)
    except Exception as error:
        return "raised", whose, _as_it_travels(error)
    try:
        return "value", whose, pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        words = f"what the function gave, {told(value)}, cannot be sent back, as it cannot be pickled: {_why_not_pickled(value, error)}"
        return "raised", whose, _as_it_travels(InputError(words))


def _rebuilt(kind: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> BaseException:
    """An exception of its own type, whatever the arguments of its constructor are."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class _Rebuilt:
    """Pickles an exception by what it holds."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __reduce__(self) -> Any:
        return _rebuilt, (type(self.error), self.error.args, self.error.__dict__)


def _as_it_travels(error: Exception) -> bytes:
    """What was raised, pickled; where it cannot be, an error that says its type and words."""
    for own in (error, _Rebuilt(error)):
        try:
            sent = pickle.dumps(own)
            if type(pickle.loads(sent)) is type(error):
                return sent
        except Exception:
            continue
    return pickle.dumps(RunError(f"{type(error).__name__}: {error}"))


# What stays here.


def _why_not_pickled(thing: Any, error: Exception) -> str:
    """Why something cannot be pickled, and what to do."""
    name = getattr(thing, "__qualname__", "")
    if "<lambda>" in name or "<locals>" in name:
        return "it is a lambda, or a function inside another: define it at the top of a module that workers can import"
    return f"{error}: give what is made of arrays, numbers, names and functions at the top of a module"


def pickled(thing: Any, what: str) -> tuple[str, bytes]:
    """Something as it travels, with its hash.

    Raises
    ------
    InputError
        Where it cannot be pickled, with the reason.
    """
    try:
        own = pickle.dumps(thing, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise InputError(
            f"{what} cannot be sent to workers, as it cannot be pickled: {_why_not_pickled(thing, error)}"
        ) from None
    if getattr(thing, "__module__", None) == "__main__" and callable(thing):
        import sys

        if not getattr(sys.modules.get("__main__"), "__file__", None):
            raise InputError(
                f"{what} cannot be sent to workers: it is defined in an interactive session, which they cannot import: put it into a module"
            )
    return hashlib.blake2b(own, digest_size=16).hexdigest(), own


class Workers:
    """The workers of an executor, and how they are used.

    An executor may be given for `executor=` as it is; this says more. It may be used for many calls, which share what the workers keep.

    Parameters
    ----------
    executor : object with submit
        `concurrent.futures.ProcessPoolExecutor` or `ThreadPoolExecutor`, loky's, `mpi4py.futures.MPIPoolExecutor`,
        `dask.distributed.Client` or what its `get_executor()` gives, or anything with `.submit(function, *arguments)` that
        gives something with `.result()`.
    count : int, optional
        How many workers it has, where it does not say so itself.
    threads : int
        How many threads each worker uses for a task.
    retries : int
        How often a task that was lost is given to the executor again; after that it is computed here.
    always : bool
        Send steps however short they are. By default the way to the workers and back is measured, and a step that is done
        sooner here is done here.

    Examples
    --------
    >>> import glauber
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> news = glauber.load("susceptible-infected", shape=(16, 16))
    >>> with ThreadPoolExecutor(2) as executor:
    ...     workers = glauber.Workers(executor, always=True)
    ...     shared = glauber.value_and_grad(news, {"beta": 0.3}, 4, "mean(aware)", replicates=8, executor=workers)
    >>> shared == glauber.value_and_grad(news, {"beta": 0.3}, 4, "mean(aware)", replicates=8)
    True
    """

    def __init__(
        self,
        executor: Any,
        count: Whole | None = None,
        *,
        threads: Whole = 1,
        retries: Whole = 3,
        always: bool = False,
    ) -> None:
        global _asks
        if isinstance(executor, type) or not callable(getattr(executor, "submit", None)):
            raise TypeError(
                f"the executor is {told(executor)}, which has no submit(function, …): give a "
                "concurrent.futures.ProcessPoolExecutor, loky's, mpi4py.futures.MPIPoolExecutor, or "
                "dask.distributed.Client(…).get_executor()"
            )
        if type(executor).__module__.startswith("distributed") and hasattr(executor, "get_executor"):
            # What a client submits twice it computes once, which would measure nothing.
            executor = executor.get_executor()
        _asks = True
        self.executor, self._name = executor, type(executor).__name__
        if isinstance(count, bool):
            raise TypeError(f"count is {count}: give how many workers there are, a whole number")
        own = _count(executor) if count is None else count
        self._carrier = _Carrier(
            executor, whole(own, "count", 1, 10**6), whole(retries, "retries", 0, 1000), bool(always)
        )
        self._threads = whole(threads, "threads", 1, 1024)
        self._native: _glauber.Crew | None = None

    @property
    def count(self) -> int:
        """How many workers there are."""
        return self._carrier.workers

    @property
    def notes(self) -> list[str]:
        """What a person should know of how they were used: what ran here instead, and why; what was lost."""
        return list(self._carrier.notes)

    def troubles_of(self, heard: list[str]) -> list[str]:
        """Those of some notes that say what became of workers."""
        return [words for words in heard if words in self._carrier.troubles]

    def crew(self) -> _glauber.Crew:
        """What the native module takes."""
        if self._native is None:
            self._native = _glauber.Crew(self._carrier, self._threads)
        return self._native

    def map(
        self,
        function: Callable[..., Any],
        items: Iterable[tuple[Any, ...]],
        what: str = "the function",
        seen: Callable[[int, int], Any] | None = None,
    ) -> list[Any]:
        """What a function gives for each tuple of arguments, in order; `seen` is told how many are done, of how many."""
        items = list(items)
        key, own = pickled(function, what)
        calls = [_Call.of(key, own, pickled(item, "an item")[1]) for item in items]
        batch = _Batch(self._carrier, calls, seen)
        try:
            batch.finish()
        except BaseException:
            batch.cancel()
            raise
        values = [
            pickle.loads(answer[0]) if answer is not None else function(*item)
            for answer, item in zip(batch.values, items)
        ]
        return values

    def beginning(
        self,
        function: Callable[..., Any],
        what: str,
        seen: Callable[[int, int], Any] | None,
        begun: list[int] | None = None,
    ) -> Callable[[list[bytes]], _Batch]:
        """A function that begins tasks, one for each of some bytes, which can be waited for; it adds to `begun` how many."""

        def begin(items: list[bytes]) -> _Batch:
            if begun is not None and self.count:
                begun[0] += len(items)
            key, own = pickled(function, what)
            calls = [_Call.of(key, own, pickle.dumps((item,))) for item in items]
            return _Batch(self._carrier, calls, seen, pickle.loads)

        return begin

    def warming(self, function: Callable[..., Any], what: str, most: int) -> _Batch:
        """Has workers start, and get a function ready with an empty item, while something else is done here; nobody waits
        for it."""
        key, own = pickled(function, what)
        calls = [_Call.of(key, own, pickle.dumps((b"",))) for _ in range(min(self.count, most))]
        return _Batch(self._carrier, calls)

    def __repr__(self) -> str:
        return f"Workers({self._name}, {self.count} workers)"


def _count(executor: Any) -> int:
    """How many workers an executor has, as far as it says."""
    for name in ("_max_workers", "num_workers"):
        own = getattr(executor, name, None)
        if isinstance(own, int) and own > 0:
            return own
    client = getattr(executor, "_client", None)
    if client is not None and hasattr(client, "nthreads"):
        return max(1, sum(client.nthreads().values()))
    raise InputError(
        f"how many workers {told(executor)} has cannot be told: give glauber.Workers(executor, count=…)"
    )


class _Carrier:
    """Carries tasks to an executor: what the native module speaks to."""

    def __init__(self, executor: Any, workers: int, retries: int, always: bool) -> None:
        self.executor, self.workers, self.retries, self.always = executor, workers, retries, always
        self.notes: list[str] = []
        self.troubles: set[str] = set()
        self.warned: set[str] = set()
        self.broken: str | None = None
        self.failure: RunError | None = None
        self.sent: set[str] = set()
        self.listeners: list[list[str]] = []
        self._name = uuid.uuid4().hex[:12]
        self._given = 0
        self._lost, self._row, self._row_began = 0, 0, 0
        self._lock = threading.Lock()

    def count(self) -> int:
        """How many workers may be asked."""
        if self.broken is None:
            return self.workers
        # Whoever asks now is told too.
        self.tell(self.broken)
        return 0

    def measures(self) -> tuple[int, int, bool]:
        """How the way to the workers is measured: how many there are, by how many pings, and whether it is of no matter."""
        return self.workers, PINGS, self.always

    def ping(self, count: int) -> _Batch:
        """Begins tasks without work."""
        return _Batch(self, [_Call(_ping, (), b"") for _ in range(count)])

    def tell(self, words: str) -> None:
        """Takes note of something, once; whoever listens hears it anyway."""
        for heard in [self.notes, *self.listeners]:
            if words not in heard:
                heard.append(words)

    def trouble(self, words: str) -> None:
        """Takes note of what became of workers."""
        self.troubles.add(words)
        self.tell(words)

    def name(self) -> tuple[int, str]:
        """The number and the name of a task, which no other has."""
        with self._lock:
            self._given += 1
            return self._given, f"{self._name}-{self._given}"

    def breaks(self, why: str) -> None:
        """Gives the executor no more tasks, for a reason."""
        if self.broken is None:
            self.broken = f"{why}: the rest was computed here"
        self.trouble(self.broken)

    def answered(self) -> None:
        """An answer has come."""
        with self._lock:
            self._lost, self._row = 0, 0

    def lost(self, number: int, why: str) -> None:
        """The task of this number was lost. Those that were lost together, as with a machine, count once: what counts is
        that others, given since, were lost too."""
        with self._lock:
            self._lost += 1
            if self._row == 0:
                self._row, self._row_began = 1, self._given
            elif number > self._row_began:
                self._row += 1
            breaks = self._row >= MOST_LOST and self.broken is None
        if breaks:
            self.breaks(f"{self._lost} tasks were lost, and none was answered in between ({why}), so the executor was given no more")

    def submit(self, tasks: Sequence[tuple[bytes, list[Any]]]) -> _Batch:
        """Begins tasks of the native module."""
        return _Batch(self, [_Call(_answer, task, task[0]) for task in tasks])


class _Call:
    """A task: its function, its arguments, what of them its answer is known by, and what it needs, which is sent where it is
    missing."""

    def __init__(
        self,
        function: Callable[..., Answered],
        arguments: tuple[Any, ...],
        body: bytes,
        needs: bytes | None = None,
        key: str | None = None,
    ) -> None:
        self.function, self.arguments, self.body, self.needs, self.key = function, arguments, body, needs, key
        self.number, self.whose = 0, ""
        self.misses = False
        self.losses = 0

    @classmethod
    def of(cls, key: str, own: bytes, arguments: bytes) -> _Call:
        """A call of a function that is sent by its hash."""
        return cls(_call, (key, arguments), arguments, own, key)


class _Batch:
    """Tasks under way, some of them for the second time."""

    def __init__(
        self,
        carrier: _Carrier,
        calls: list[_Call],
        seen: Callable[[int, int], Any] | None = None,
        read: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        self._carrier, self._calls, self._seen, self._read = carrier, calls, seen, read
        self.values: list[tuple[Any] | None] = [None] * len(calls)
        self._left = set(range(len(calls)))
        self._arrived: queue.SimpleQueue[tuple[int, Any, Any]] = queue.SimpleQueue()
        self._waiting: queue.SimpleQueue[tuple[int, Any] | None] | None = None
        self._futures: dict[int, Any] = {}
        try:
            for number, call in enumerate(calls):
                # As many as there are workers carry what is new to them.
                new = call.key is not None and call.key not in carrier.sent
                call.misses = new or (call.key is not None and number < carrier.workers and calls[0].misses)
                if call.key is not None:
                    carrier.sent.add(call.key)
                self._submit(number)
        except BaseException:
            self.cancel()
            raise

    @property
    def done(self) -> int:
        """How many tasks have ended."""
        return len(self._calls) - len(self._left)

    def _submit(self, number: int) -> None:
        call, carrier = self._calls[number], self._carrier
        if carrier.broken is not None:
            carrier.tell(carrier.broken)
            self._left.discard(number)
            return
        call.number, name = carrier.name()
        call.whose = _whose(name, call.body)
        more = () if call.key is None else (call.needs if call.misses else None,)
        try:
            future = carrier.executor.submit(call.function, __version__, name, *call.arguments, *more)
        except Exception as error:
            carrier.breaks(f"the executor takes no tasks any more ({_said(error)})")
            self._left.discard(number)
            return
        if not callable(getattr(future, "result", None)):
            raise self._failed(
                f"the executor's submit(function, …) gave {told(future)}, which has no result(): it has to give something that "
                "can be waited for, as a concurrent.futures.Future"
            )
        self._futures[number] = future
        if hasattr(future, "add_done_callback"):
            future.add_done_callback(lambda own, number=number: self._arrived.put((number, own, own)))
            return
        if self._waiting is None:
            self._waiting = queue.SimpleQueue()
            threading.Thread(target=_wait_in_turn, args=(self._waiting, self._arrived), daemon=True).start()
        self._waiting.put((number, future))

    def _take(self, number: int, future: Any, outcome: Any) -> None:
        call, carrier = self._calls[number], self._carrier
        if self._futures.get(number) is not future or number not in self._left:
            return
        try:
            found = outcome.result()
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except (ImportError, AttributeError) as error:
            raise self._failed(
                f"a worker could not run a task ({_said(error)}): install glauber {__version__} there, and let it import "
                "the modules of your functions"
            ) from error
        except BaseException as error:
            # A panic of a native module is no Exception.
            self._lose(number, _said(error))
            return
        kind, whose, value = found if isinstance(found, (tuple, list)) and len(found) == 3 else (None, None, None)
        if kind == "version":
            raise self._failed(
                f"a worker has glauber {value}, but this is glauber {__version__}: results would not be the same, so "
                "install the same version there"
            )
        if whose != call.whose or not (kind == "missing" or (kind in ("value", "raised") and isinstance(value, bytes))):
            self._lose(number, "what the executor gave is no answer to it")
            return
        carrier.answered()
        if kind == "raised":
            raise pickle.loads(value)
        if kind == "missing":
            call.misses = True
            self._submit(number)
            return
        self.values[number] = (value,)
        self._left.discard(number)

    def _lose(self, number: int, why: str) -> None:
        """Gives a lost task to the executor again, so often."""
        call, carrier = self._calls[number], self._carrier
        call.losses += 1
        carrier.lost(call.number, why)
        if call.losses <= carrier.retries:
            self._submit(number)
            return
        if carrier.broken is None:
            carrier.trouble(f"a task was lost {call.losses} times ({why}) and was computed here")
        self._left.discard(number)

    def _failed(self, words: str) -> RunError:
        """Why there is no use in going on."""
        self._carrier.failure = RunError(words)
        return self._carrier.failure

    def wait(self, seconds: float) -> bool:
        """Waits for so long at most; whether all tasks have ended."""
        end = time.monotonic() + seconds
        while self._left:
            try:
                arrived = self._arrived.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                return False
            try:
                before = self.done
                self._take(*arrived)
                if self._seen is not None and self.done > before:
                    self._seen(self.done, len(self._calls))
            except BaseException:
                self.cancel()
                raise
        self._end()
        return True

    def finish(self) -> None:
        """Waits for all."""
        while not self.wait(1.0):
            pass

    def cancel(self) -> None:
        """Takes back what has not begun."""
        for number in list(self._left):
            cancel = getattr(self._futures.get(number), "cancel", None)
            if cancel is not None:
                cancel()
        self._left.clear()
        self._end()

    def _end(self) -> None:
        if self._waiting is not None:
            self._waiting.put(None)
            self._waiting = None

    def answers(self) -> list[Any]:
        """The values in order; None for what was lost."""
        return [None if value is None else self._read(value[0]) for value in self.values]


def _wait_in_turn(waiting: queue.SimpleQueue[Any], arrived: queue.SimpleQueue[Any]) -> None:
    """Waits for what does not say itself that it has ended, one after the other, in a thread of its own: whoever wants the
    results may be interrupted."""
    while (given := waiting.get()) is not None:
        number, future = given
        outcome: Future[Any] = Future()
        try:
            outcome.set_result(future.result())
        except BaseException as error:
            outcome.set_exception(error)
        arrived.put((number, future, outcome))


def _said(error: BaseException) -> str:
    words = str(error).strip().splitlines()
    return f"{type(error).__name__}: {words[0]}" if words else type(error).__name__


_workers: weakref.WeakKeyDictionary[Any, Workers] = weakref.WeakKeyDictionary()


def workers_of(executor: Any) -> Workers | None:
    """The workers of an executor; the same ones in every call with the same executor."""
    if executor is None or isinstance(executor, Workers):
        return executor
    try:
        own = _workers.get(executor)
    except TypeError:
        return Workers(executor)
    if own is None:
        own = Workers(executor)
        if own.executor is executor:
            # Whoever gave it keeps it.
            own.executor = None
            own._carrier.executor = weakref.proxy(executor)
        _workers[executor] = own
    return own


@contextmanager
def heard_of(own: Workers | None) -> Iterator[list[str]]:
    """What is told of workers meanwhile: for the notes of what they are used for."""
    heard: list[str] = []
    if own is None:
        yield heard
        return
    own._carrier.listeners.append(heard)
    try:
        yield heard
    finally:
        own._carrier.listeners[:] = [one for one in own._carrier.listeners if one is not heard]


@contextmanager
def warning_of(own: Workers | None, level: int) -> Iterator[list[str]]:
    """Warns of what became of workers, once, where there are no notes to put it into; `level` frames above whoever uses it."""
    with heard_of(own) as heard:
        yield heard
    for words in [] if own is None else own.troubles_of(heard):
        if words not in own._carrier.warned:
            own._carrier.warned.add(words)
            # This function, and contextlib's.
            warnings.warn(words, stacklevel=level + 3)


@contextmanager
def failing_as_workers_do(own: Workers | None) -> Iterator[None]:
    """Raises what made workers of no use as itself, whatever it was met in."""
    if own is not None:
        own._carrier.failure = None
    try:
        yield
    except (InputError, RunError):
        if own is not None and own._carrier.failure is not None:
            raise own._carrier.failure from None
        raise


def map(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    executor: Any = None,
    *,
    progress: Callable[[int, int], Any] | None = None,
) -> list[Any]:
    """What a function gives for each item, in order, computed by the workers of an executor.

    The function travels once per worker: data bound to it (`functools.partial(f, data)`) is not sent with every item. An item that was
    lost with its worker is computed again. What the function raises is raised here, and what has not begun then is taken back.

    Parameters
    ----------
    function : callable
        A function at the top of a module, or what is made of one.
    items : iterable
    executor : optional
        As in `Workers`; without one everything is computed here.
    progress : callable, optional
        Gets (items done, items) now and then.

    Examples
    --------
    >>> import glauber, math
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(2) as executor:
    ...     glauber.map(math.sqrt, [1, 4, 9], executor)
    [1.0, 2.0, 3.0]
    """
    if not callable(function):
        raise TypeError(f"the function is {told(function)}, which cannot be called")
    own = workers_of(executor)
    items = list(items)
    if own is not None:
        with warning_of(own, 1):
            return own.map(function, [(item,) for item in items], seen=progress)
    values = []
    for item in items:
        values.append(function(item))
        if progress is not None:
            progress(len(values), len(items))
    return values

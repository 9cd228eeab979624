"""Shares work among workers that mix up, lose or never answer what they are given, or wait for each other: the same bits, an end, and
words of what became of it."""

from __future__ import annotations

import concurrent.futures
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import glauber
import pytest
import shared_work
from glauber import _workers
from shared_work import WORK

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def alone() -> dict[str, list[bytes]]:
    """Everything, in one process."""
    return shared_work.by_hand()


def script(text: str, folder: Path) -> subprocess.Popen[str]:
    """A script under way, in a process of its own: what hangs there is ended."""
    path = folder / "script.py"
    path.write_text(text)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    return subprocess.Popen([sys.executable, path], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def said_by(process: subprocess.Popen[str], seconds: float) -> str:
    try:
        return process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise


THREADS = """
import concurrent.futures
import shared_work
for work in (shared_work.by_starts, shared_work.by_bootstrap):
    alone = work(None, threads=1)
    with concurrent.futures.ThreadPoolExecutor(2) as executor:
        assert work(executor, threads=1) == alone
print("the same bits")
"""


def test_fits_on_threads_of_this_process_do_not_wait_for_each_other(tmp_path):
    assert said_by(script(THREADS, tmp_path), 120) == "the same bits\n"


NESTED = """
import concurrent.futures, multiprocessing
import glauber, shared_work

def inner(name):
    with concurrent.futures.ThreadPoolExecutor(2) as executor:
        return shared_work.WORK[name](executor)

if __name__ == "__main__":
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        assert glauber.map(inner, ["starts"], executor) == [shared_work.by_starts()]
    print("the same bits")
"""


def test_a_worker_may_itself_share_out_fits(tmp_path):
    assert said_by(script(NESTED, tmp_path), 120) == "the same bits\n"


class Local:
    """An executor of this thread: `changed` makes of each answer what comes back."""

    num_workers = 2

    def __init__(self) -> None:
        self.calls = 0

    def changed(self, answer: Any) -> Any:
        return answer

    def submit(self, function: Any, *arguments: Any) -> Any:
        self.calls += 1
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        function, arguments = pickle.loads(pickle.dumps((function, arguments)))
        try:
            future.set_result(self.changed(function(*arguments)))
        except Exception as error:
            future.set_exception(error)
        return future


class Swapped(Local):
    """Gives each task the answer of the one before."""

    before: Any = None

    def changed(self, answer: Any) -> Any:
        before, self.before = self.before, answer
        return answer if before is None else before


class Mixed(Swapped):
    """Does so now and then."""

    def changed(self, answer: Any) -> Any:
        before = super().changed(answer)
        return before if self.calls % 4 == 3 else answer


class Garbage(Local):
    """Answers with what is none."""

    def changed(self, answer: Any) -> Any:
        return [None, 3, (1, 2, 3), ("value", answer[1], 7), ("value", "other", b""), ("raised", answer[1], None)][self.calls % 6]


@pytest.mark.parametrize("kind", [Swapped, Mixed, Garbage])
@pytest.mark.parametrize("name", WORK)
def test_an_answer_to_another_task_is_not_believed(kind, name, alone):
    workers = glauber.Workers(kind(), always=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert WORK[name](workers) == alone[name]
    # A profile is one task, and the first answer is the right one.
    if kind is Garbage or (kind is Swapped and name != "profile"):
        assert any("computed here" in note for note in workers.notes), workers.notes


class Losing(Local):
    """Loses everything."""

    def submit(self, function: Any, *arguments: Any) -> Any:
        self.calls += 1
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        future.set_exception(ConnectionError("the worker went away"))
        return future


@pytest.mark.parametrize("name", ["fit", "starts", "bootstrap"])
def test_an_executor_that_loses_everything_is_given_no_more(name, alone):
    own = Losing()
    workers = glauber.Workers(own, always=True)
    assert WORK[name](workers) == alone[name]
    # Those that are given at once are all lost before that is known.
    assert own.calls < 120, own.calls
    words = [note for note in workers.notes if "tasks were lost, and none was answered in between" in note]
    assert len(words) == 1 and "went away" in words[0] and "computed here" in words[0], workers.notes


def test_many_that_are_lost_at_once_do_not_end_it():
    class Node(Local):
        def submit(self, function: Any, *arguments: Any) -> Any:
            if self.calls < 40:
                return Losing.submit(self, function, *arguments)
            return super().submit(function, *arguments)

    own = Node()
    # All forty are given before the first is known to be lost.
    workers = glauber.Workers(own, 40)
    assert workers.map(shared_work.cube, [(x,) for x in range(40)]) == [x**3 for x in range(40)]
    assert own.calls >= 80 and workers.notes == []


class Broken(Local):
    """Takes nothing."""

    def submit(self, function: Any, *arguments: Any) -> Any:
        raise concurrent.futures.BrokenExecutor("a child process terminated abruptly")


BROKEN = "the executor takes no tasks any more"


def test_a_broken_pool_is_said_in_the_notes_of_every_result():
    model, seen = shared_work.news(8), glauber.Transition(glauber.simulate(shared_work.news(8), {"beta": 0.3}, steps=4, replicates=2, seed=1))
    own = glauber.Workers(Broken(), always=True)
    drawn = glauber.posterior(model, seen, chains=2, draws=20, warm_up=20, executor=own)
    for found in (drawn, glauber.profile(model, seen, executor=own)):
        assert any(BROKEN in note for note in found.notes) and BROKEN in repr(found)
    checked = glauber.check(shared_work.news(6), {"beta": 0.3}, replicates=4, executor=own)
    assert any(BROKEN in note for note in checked.notes)
    # Of a second fit by the same workers too.
    for _ in range(2):
        found = glauber.fit(shared_work.news(8), shared_work.curve(3), {"beta": 0.3}, steps=2, replicates=4, progress=False, executor=own)
        assert any(BROKEN in note for note in found.notes), found.notes


USES = {
    "map": lambda e: glauber.map(shared_work.cube, [1, 2], e),
    "simulate": lambda e: glauber.simulate(shared_work.news(8), {"beta": 0.1}, steps=2, replicates=3, executor=e),
    "coverage": lambda e: glauber.coverage(shared_work.narrow, {"x": 0.0}, sets=3, executor=e),
    "objective": lambda e: glauber.objective(shared_work.news(8), shared_work.curve(3), {"beta": 0.3}, replicates=4, executor=e)([0.3]),
    "rollout": lambda e: glauber.rollout(shared_work.news(8), 2, "mean(aware)", replicates=4, executor=e)({"beta": 0.3}),
    "value_and_grad": lambda e: glauber.value_and_grad(
        shared_work.news(8), {"beta": 0.3}, 2, "mean(aware)", replicates=4, estimator="score-function", executor=e
    ),
}


@pytest.mark.parametrize("use", USES)
def test_a_broken_pool_is_warned_of_once_where_there_are_no_notes(use):
    own = glauber.Workers(Broken(), always=True)
    with pytest.warns(UserWarning, match=BROKEN):
        USES[use](own)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        USES[use](own)


NEVER = """
import concurrent.futures, os, signal, sys, time
import glauber, shared_work
signal.signal(signal.SIGINT, signal.default_int_handler)

KIND, what = "{kind}", "{what}"

class Never:
    num_workers, calls = 2, 0
    def submit(self, function, *arguments):
        self.calls += 1
        future = concurrent.futures.Future()
        # A fit has begun by then; starts are handed out whole.
        if (what == "fit" and self.calls <= 20) or (what == "starts" and function.__name__ != "_call"):
            future.set_result(function(*arguments))
        return future if KIND == "future" else Plain(future)

class Plain:
    def __init__(self, future):
        self.future = future
    def result(self):
        return self.future.result()

workers = glauber.Workers(Never(), always=True)
seen = glauber.simulate(shared_work.news(), {{"beta": 0.3}}, steps=5, replicates=3)
curve = glauber.Trajectory(states=seen, summary="mean(aware)")
print("ready", flush=True)
try:
    if what == "fit":
        glauber.fit(shared_work.news(), curve, {{"beta": 0.3}}, steps=30, replicates=10, estimator="straight-through", progress=False,
                    executor=workers, checkpoint="{folder}")
    if what == "starts":
        glauber.fit(shared_work.news(), glauber.Transition(seen, loss="pixel"), {{"beta": [0.2, 0.4]}}, steps=30, batch=4, progress=False,
                    executor=workers, checkpoint="{folder}")
    if what == "check":
        glauber.check(shared_work.news(6), {{"beta": 0.3}}, replicates=4, executor=workers)
    if what == "rollout":
        glauber.rollout(shared_work.news(), 4, "mean(aware)", replicates=6, executor=workers)({{"beta": 0.3}})
    if what == "objective":
        glauber.objective(shared_work.news(), curve, {{"beta": 0.3}}, replicates=6, executor=workers)([0.3])
    if what == "profile":
        glauber.profile(shared_work.news(), glauber.Transition(seen), executor=workers)
    if what == "map":
        glauber.map(shared_work.cube, [1, 2], workers)
    print("it ended")
except KeyboardInterrupt:
    print("stopped", sorted(os.listdir("{folder}")), flush=True)
os._exit(0)
"""


@pytest.mark.parametrize("kind", ["future", "plain"])
@pytest.mark.parametrize("what", ["fit", "starts", "check", "rollout", "objective", "profile", "map"])
def test_ctrl_c_ends_what_waits_for_workers_that_never_answer(what, kind, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    process = script(NEVER.format(kind=kind, what=what, folder=kept), tmp_path)
    assert process.stdout.readline() == "ready\n"
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    out = said_by(process, 30)
    assert out.startswith("stopped"), out
    if what in ("fit", "starts"):
        assert "checkpoint" in out, out


def test_what_submit_gives_has_to_have_a_result():
    class Forgets(Local):
        def submit(self, function: Any, *arguments: Any) -> Any:
            return None

    for name in ("fit", "starts", "posterior"):
        with pytest.raises(glauber.RunError, match=r"submit\(function, …\) gave None, which has no result\(\)"):
            WORK[name](glauber.Workers(Forgets(), always=True))


class Two(Exception):
    """Its constructor takes other arguments than its words."""

    def __init__(self, where: str, what: int) -> None:
        super().__init__(f"{where}: {what}")
        self.what = what


def raises_two(x: int) -> None:
    raise Two("here", x)


def gives_a_lock(x: int) -> Any:
    return threading.Lock()


def test_what_a_worker_raises_keeps_its_type_and_what_cannot_come_back_is_said():
    with pytest.raises(Two, match="here: 3") as raised:
        glauber.map(raises_two, [3], Local())
    assert raised.value.what == 3
    with pytest.raises(glauber.InputError, match="what the function gave.*cannot be sent back, as it cannot be pickled"):
        glauber.map(gives_a_lock, [3], Local())


def test_a_count_that_is_no_number_is_refused():
    with pytest.raises(TypeError, match="count is True"):
        glauber.Workers(Local(), True)


def test_a_note_of_what_runs_here_says_that_whole_fits_were_shared_out():
    curve = {"parameters": {"beta": 0.2}, "steps": 3, "runs": 4}
    found = glauber.fit(
        shared_work.news(8), glauber.Trajectory(simulate=curve, summary="spectrum(aware)"), {"beta": [0.2, 0.4]}, steps=2,
        replicates=4, progress=False, optimizer="nelder-mead", executor=glauber.Workers(Local(), always=True),
    )  # fmt: skip
    notes = [note for note in found.notes if "runs here" in note or "run here" in note]
    assert notes and all("whole fits were shared out, 2 of them" in note for note in notes), found.notes
    assert _workers.MOST_LOST == 16


def test_a_resumed_fit_and_one_that_was_run_elsewhere_say_of_their_gradient_what_they_would_have(tmp_path):
    seen = shared_work.curve(6)
    how = {"steps": 36, "replicates": 10, "learning_rate": 0.05, "estimator": "straight-through"}
    whole = glauber.fit(shared_work.news(), seen, {"beta": 0.5}, **how, progress=False)
    # At a third or two thirds of its steps, before it is stopped.
    assert any(f"after {steps} steps" in whole.verdict for steps in (12, 24)), whole.verdict

    def stop(_: str, step: int, *more: Any) -> None:
        if step >= 26:
            raise KeyboardInterrupt

    slowed = Slowed()
    with pytest.raises(glauber.FitInterrupted) as stopped:
        glauber.fit(
            shared_work.news(), seen, {"beta": 0.5}, **how, progress=stop, checkpoint=tmp_path, executor=glauber.Workers(slowed, always=True)
        )
    assert 24 < stopped.value.result.steps < 36
    resumed = glauber.fit(shared_work.news(), seen, {"beta": 0.5}, **how, progress=False, checkpoint=tmp_path)
    assert (resumed.verdict, resumed.notes) == (whole.verdict, whole.notes)
    starts = {"beta": [0.3, 0.5]}
    here = glauber.fit(shared_work.news(), seen, starts, **how, progress=False)
    there = glauber.fit(shared_work.news(), seen, starts, **how, progress=False, executor=glauber.Workers(Local(), always=True))
    assert [one.verdict for one in there.starts] == [one.verdict for one in here.starts]


class Slowed(Local):
    """Takes its time, so that a step is seen."""

    def submit(self, function: Any, *arguments: Any) -> Any:
        time.sleep(0.04)
        return super().submit(function, *arguments)

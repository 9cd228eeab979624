"""Holds work that is shared among workers against the same work in one process: the same bits, whoever the workers are and whatever
becomes of them; and what cannot be shared against its words."""

from __future__ import annotations

import concurrent.futures
import importlib.util
import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import glauber
import numpy as np
import pytest
import shared_work
from glauber import _workers
from shared_work import WORK

HERE = Path(__file__).resolve().parent


def spawned(count: int = 2) -> concurrent.futures.ProcessPoolExecutor:
    """Processes that share nothing with this one."""
    return concurrent.futures.ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))


def needs(module: str) -> None:
    """Skips, visibly, where a package is not there."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")


@pytest.fixture(scope="module")
def alone() -> dict[str, list[bytes]]:
    """Everything, in one process."""
    return shared_work.by_hand()


@pytest.fixture(scope="module", params=["threads", "spawn", "loky", "dask"])
def executor(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Two workers of each kind."""
    if request.param == "threads":
        with concurrent.futures.ThreadPoolExecutor(2) as own:
            yield own
    elif request.param == "spawn":
        with spawned() as own:
            yield own
    elif request.param == "loky":
        needs("loky")
        import loky

        own = loky.ProcessPoolExecutor(2)
        yield own
        own.shutdown(kill_workers=True)
    else:
        needs("distributed")
        from distributed import Client, LocalCluster

        with (
            LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
            Client(cluster) as client,
        ):
            yield client


@pytest.mark.parametrize("name", WORK)
def test_two_workers_give_the_bits_of_one_process(name, executor, alone):
    workers = glauber.Workers(executor, always=True)
    assert workers.count == 2
    assert WORK[name](workers) == alone[name]
    assert not any("lost" in note or "no tasks any more" in note for note in workers.notes)


class Counted:
    """An executor that counts what it is given: in this thread, whatever it is said to have."""

    def __init__(self, workers: int) -> None:
        self.num_workers, self.calls = workers, 0

    def submit(self, function: Any, *arguments: Any) -> Any:
        self.calls += 1
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        # As it travels.
        function, arguments = pickle.loads(pickle.dumps((function, arguments)))
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_any_number_of_workers_gives_the_bits_of_one_process(count, alone):
    for name in ("fit", "starts", "posterior"):
        own = Counted(count)
        assert WORK[name](glauber.Workers(own, always=True)) == alone[name]
        assert own.calls > 0


def test_mpi_gives_the_bits_of_one_process():
    needs("mpi4py")
    mpiexec = shutil.which("mpiexec")
    if mpiexec is None:
        pytest.skip("mpiexec is not installed (Debian's openmpi-bin has it)")
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1"}
    # The first rank asks, two answer.
    command = [mpiexec, "-n", "3", sys.executable, "-m", "mpi4py.futures", str(HERE / "shared_work.py")]
    environment = {**os.environ, **allowed, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0 and "AssertionError" not in done.stderr and "the same bits" not in done.stdout:
        trial = subprocess.run(
            [*command[:-1], str(HERE / "mpi_trial.py")], env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        if trial.returncode != 0:
            pytest.skip("MPI starts no ranks on this machine: " + trial.stderr.strip().splitlines()[-1][:200])
    assert done.returncode == 0, done.stderr
    assert "the same bits" in done.stdout


class Killing:
    """An executor that kills one of its workers when it is given its `when`-th task."""

    def __init__(self, executor: Any, when: int, kill: Any) -> None:
        self._executor, self.when, self._kill, self.calls, self.num_workers = executor, when, kill, 0, 2

    def submit(self, function: Any, *arguments: Any) -> Any:
        self.calls += 1
        future = self._executor.submit(function, *arguments)
        if self.calls == self.when:
            self._kill()
        return future


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system kills no processes by signals")
@pytest.mark.parametrize("name", ["fit", "bootstrap", "posterior"])
def test_a_worker_that_is_killed_costs_no_bit(name, alone):
    with spawned() as processes:
        when = {"fit": 9, "bootstrap": 6, "posterior": 2}[name]
        own = Killing(processes, when, lambda: os.kill(next(iter(processes._processes)), signal.SIGKILL))
        workers = glauber.Workers(own, always=True)
        assert WORK[name](workers) == alone[name]
        assert own.calls >= when
    # Such a pool is of no more use, and that is said.
    assert any("computed here" in note for note in workers.notes), workers.notes


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system kills no processes by signals")
def test_dask_makes_a_new_worker_for_one_that_is_killed(alone):
    needs("distributed")
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        pid = next(iter(client.run(os.getpid).values()))
        own = Killing(client.get_executor(), 40, lambda: os.kill(pid, signal.SIGKILL))
        workers = glauber.Workers(own, always=True)
        assert WORK["fit"](workers) == alone["fit"]
        assert own.calls > 40
        assert not any("no tasks any more" in note for note in workers.notes), workers.notes


class Losing(Counted):
    """An executor that loses every third task."""

    def submit(self, function: Any, *arguments: Any) -> Any:
        if self.calls % 3 == 2:
            self.calls += 1
            future: concurrent.futures.Future[Any] = concurrent.futures.Future()
            future.set_exception(ConnectionError("the worker went away"))
            return future
        return super().submit(function, *arguments)


def test_lost_tasks_are_done_again_and_then_here(alone):
    for name in ("fit", "starts"):
        for retries in (0, 3):
            workers = glauber.Workers(Losing(3), always=True, retries=retries)
            assert WORK[name](workers) == alone[name]
            assert any("computed here" in note and "went away" in note for note in workers.notes) == (retries == 0)


def test_what_is_known_is_not_sent_again():
    sizes: list[int] = []

    class Weighing(Counted):
        def submit(self, function: Any, *arguments: Any) -> Any:
            sizes.append(len(pickle.dumps(arguments)))
            return super().submit(function, *arguments)

    start = np.random.default_rng(1).integers(0, 2, (96, 96))
    workers = glauber.Workers(Weighing(2), always=True)
    run = glauber.rollout(shared_work.news(96), 2, "mean(aware)", replicates=4, start=start, executor=workers)
    for seed in range(3):
        run.value_and_grad({"beta": 0.1}, seed=seed)
    # Programs and states go with the first two questions; the rest are short.
    pings = 2 + _workers.PINGS
    assert min(sizes[pings : pings + 2]) > 96 * 96 and max(sizes[pings + 2 :]) < 3000, sizes


def test_a_step_that_is_too_short_runs_here_and_says_so():
    class Slow(Counted):
        def submit(self, function: Any, *arguments: Any) -> Any:
            time.sleep(0.05)
            return super().submit(function, *arguments)

    own = Slow(2)
    found = glauber.fit(shared_work.news(8), shared_work.curve(3), {"beta": 0.3}, steps=5, replicates=4, progress=False, executor=own)
    assert own.calls == 2 + _workers.PINGS
    assert any("it runs here" in note and "2 workers" in note for note in found.notes), found.notes


def test_objectives_rollouts_and_checks_share_their_blocks():
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        workers = glauber.Workers(threads, always=True)
        model, seen = shared_work.news(), shared_work.curve(5)
        here, there = (glauber.objective(model, seen, {"beta": 0.4}, replicates=6, executor=e) for e in (None, workers))
        assert here([0.4])[0] == there([0.4])[0] and here([0.4])[1] == there([0.4])[1]
        runs = [glauber.rollout(model, 4, "mean(aware)", replicates=6, estimator="score-function", executor=e) for e in (None, workers)]
        assert runs[0]({"beta": 0.3}) == runs[1]({"beta": 0.3})
        one, other = (run.value_and_grad({"beta": 0.3}, wrt_start=True) for run in runs)
        assert one == other and np.array_equal(one[1].start["aware"], other[1].start["aware"])
        small = shared_work.news(6)
        assert glauber.check(small, {"beta": 0.3}, replicates=4, executor=workers) == glauber.check(small, {"beta": 0.3}, replicates=4)
        # Light cones hold all rollouts against each other, site by site: whole numbers, added up in whatever order. What a check
        # asks has fields without a bound, whose cones want a look at all rollouts before.
        assert [note for note in workers.notes if "no bound" in note] == workers.notes
        workers = glauber.Workers(threads, always=True)
        cones = [
            glauber.value_and_grad(model, {"beta": 0.3}, 3, "mean(aware)", replicates=5, estimator="light-cone", executor=e)
            for e in (None, workers)
        ]
        assert cones[0] == cones[1] and not workers.notes, workers.notes


def test_map_gives_values_in_order_and_raises_what_is_raised():
    with spawned() as processes:
        seen: list[tuple[int, int]] = []
        found = glauber.map(shared_work.cube, range(6), processes, progress=lambda done, all: seen.append((done, all)))
        assert found == [x**3 for x in range(6)] and seen[-1] == (6, 6)
        with pytest.raises(ValueError, match="-2 is negative"):
            glauber.map(shared_work.cube, [1, -2, 3], processes)
        assert glauber.map(partial(pow, 2), [1, 5], processes) == [2, 32]
    assert glauber.map(shared_work.cube, [1, 2]) == [1, 8]


def test_what_is_no_executor_is_refused():
    for wrong in (3, "processes", object(), concurrent.futures.ProcessPoolExecutor):
        with pytest.raises(TypeError, match="ProcessPoolExecutor"):
            glauber.map(shared_work.cube, [1], wrong)
        with pytest.raises(TypeError, match="ProcessPoolExecutor"):
            shared_work.by_steps(wrong)

    class Silent:
        def submit(self, function: Any, *arguments: Any) -> Any:
            raise AssertionError

    with pytest.raises(glauber.InputError, match="count="):
        glauber.map(shared_work.cube, [1], Silent())
    with pytest.raises(TypeError, match="cannot be called"):
        glauber.map(3, [1])


def test_what_cannot_be_pickled_is_refused_with_the_reason():
    def inner(x: float) -> float:
        return x

    for wrong, why in ((lambda x: x, "lambda"), (inner, "top of a module"), (partial(shared_work.cube, threading.Lock()), "lock")):
        with pytest.raises(glauber.InputError, match=why):
            glauber.map(wrong, [1], Counted(2))


def test_a_model_or_task_that_cannot_be_pickled_is_refused_with_the_reason():
    class Held(glauber.Transition):
        def __reduce__(self) -> Any:
            raise TypeError("it holds an open file")

    task = Held(simulate={"parameters": {"beta": 0.3}, "steps": 3, "runs": 2}, loss="pixel")
    with pytest.raises(glauber.InputError, match="the fit cannot be sent to workers.*open file"):
        glauber.fit(shared_work.news(6), task, {"beta": [0.2, 0.3]}, steps=2, progress=False, executor=Counted(2))


def test_workers_of_another_version_are_an_error(monkeypatch):
    class Older(Counted):
        def submit(self, function: Any, version: str, *arguments: Any) -> Any:
            return super().submit(function, "0.0.1", *arguments)

    for name in ("fit", "starts", "bootstrap", "posterior"):
        with pytest.raises(glauber.RunError, match=r"a worker has glauber .*install the same version"):
            WORK[name](glauber.Workers(Older(2), always=True))


def test_workers_without_glauber_are_an_error():
    class Bare(Counted):
        def submit(self, function: Any, *arguments: Any) -> Any:
            future: concurrent.futures.Future[Any] = concurrent.futures.Future()
            future.set_exception(ModuleNotFoundError("No module named 'glauber'"))
            return future

    with pytest.raises(glauber.RunError, match="No module named 'glauber'.*install glauber"):
        shared_work.by_starts(glauber.Workers(Bare(2), always=True))


INTERRUPTED = """
import concurrent.futures, multiprocessing, signal, sys
import glauber, shared_work
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    task = glauber.Transition(simulate={"parameters": {"beta": 0.3}, "steps": 5, "runs": 3}, loss="pixel")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"), initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)) as executor:
        workers = glauber.Workers(executor, always=True)
        workers.map(shared_work.cube, [(1,)])
        print("ready", flush=True)
        try:
            glauber.fit(shared_work.news(), shared_work.curve(), {"beta": 0.3}, steps=STEPS, replicates=10, learning_rate=0.05, progress=False,
                        estimator="straight-through", executor=workers, checkpoint=sys.argv[1])
        except KeyboardInterrupt as stopped:
            print("stopped", stopped.result.steps, flush=True)
"""


def test_ctrl_c_leaves_a_checkpoint_that_other_workers_carry_on_from(tmp_path):
    script, kept = tmp_path / "interrupted.py", tmp_path / "kept"
    steps = 1000
    script.write_text(INTERRUPTED.replace("STEPS", str(steps)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    process = subprocess.Popen([sys.executable, script, kept], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    seen = shared_work.curve()
    how = {"steps": steps, "replicates": 10, "learning_rate": 0.05, "progress": False, "estimator": "straight-through"}
    whole = glauber.fit(shared_work.news(), seen, {"beta": 0.3}, **how)
    if out.startswith("stopped"):
        assert list(kept.iterdir()), out
    carried = glauber.fit(
        shared_work.news(), seen, {"beta": 0.3}, **how, executor=glauber.Workers(Counted(3), always=True), checkpoint=kept
    )
    assert shared_work.bits(carried.trace) == shared_work.bits(whole.trace)
    assert carried.params == whole.params and not list(kept.iterdir())


def test_a_checkpoint_of_another_fit_is_refused(tmp_path):
    seen = shared_work.curve(3)

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    how = {"steps": 10**6, "replicates": 4, "progress": stop, "checkpoint": tmp_path}
    with pytest.raises(glauber.FitInterrupted):
        glauber.fit(shared_work.news(), seen, {"beta": 0.3}, **how)
    kept = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert kept
    with pytest.raises(glauber.RunError, match="belongs to another fit"):
        glauber.fit(shared_work.news(), seen, {"beta": 0.3}, seed=2, **how)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == kept


def ramp(rate: float, beyond: float = 0.0) -> glauber.Model:
    def step(s: Any) -> Any:
        return s.bernoulli(glauber.where(s["a"] == 1, 0.8, s["q"] * rate))

    lattice = glauber.Lattice((8, 8), boundary=beyond)
    return glauber.Model("ramp", lattice, {"a": "binary"}, step, parameters={"q": (0, 1)}, start=lambda s: s.bernoulli(0.1))


def of_regions(regions: Any = 0, noise: float = 2.0, steps: tuple[int, int] = (1, 3), what: Any = "regions(a)") -> glauber.Observation:
    own = None if callable(what) else np.arange(64).reshape(8, 8) // 32 + np.asarray(regions)
    return glauber.Observation(what, [[3.0, 9.0], [11.0, 12.0]], {"name": "gaussian", "deviation": noise}, list(steps), own)


OTHERS = {
    "rule": (lambda: (ramp(1.0), glauber.Transition(CHANGES, loss="pixel")), lambda: (ramp(0.5), glauber.Transition(CHANGES, loss="pixel"))),
    "edges": (lambda: (ramp(1.0), glauber.Transition(CHANGES, loss="pixel")), lambda: (ramp(1.0, 1.0), glauber.Transition(CHANGES, loss="pixel"))),
    "noise": (lambda: (ramp(1.0), of_regions()), lambda: (ramp(1.0), of_regions(noise=3.0))),
    "steps": (lambda: (ramp(1.0), of_regions()), lambda: (ramp(1.0), of_regions(steps=(1, 4)))),
    "regions": (lambda: (ramp(1.0), of_regions()), lambda: (ramp(1.0), of_regions(regions=1 - 2 * (np.arange(64).reshape(8, 8) // 32)))),
    "function": (lambda: (ramp(1.0), of_regions(what=halves(1))), lambda: (ramp(1.0), of_regions(what=halves(0)))),
    "fixed": (
        lambda: (ramp(1.0), glauber.Experiment(of_regions(), mean_of=2)),
        lambda: (ramp(1.0), glauber.Experiment(of_regions(), mean_of=3)),
    ),
}
"""What was fitted, and what differs from it in one thing alone that no name tells."""
CHANGES = np.random.default_rng(1).integers(0, 2, (2, 6, 8, 8))


def halves(axis: int) -> Any:
    def seen(s: Any) -> Any:
        left = s.coordinate(axis) < 4
        return {"one": (s["a"] * left).sum(), "other": (s["a"] * (1 - left)).sum()}

    return seen


@pytest.mark.parametrize("change", OTHERS)
def test_a_checkpoint_of_another_model_or_observation_is_refused(change, tmp_path):
    first, other = OTHERS[change]

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    def fit(which: Any) -> Any:
        model, task = which()
        how = {"steps": 10**6} if isinstance(task, glauber.Transition) else {"steps": 20_000, "replicates": 200}
        return glauber.fit(model, task, {"q": 0.3}, checkpoint=tmp_path, progress=stop, **how)

    with pytest.raises(glauber.FitInterrupted):
        fit(first)
    assert list(tmp_path.iterdir())
    # A fit that carries on would be stopped, which pytest takes for its own end.
    with pytest.raises((glauber.RunError, KeyboardInterrupt), match="belongs to another fit"):
        fit(other)
    # The same model, made again, carries on.
    with pytest.raises(glauber.FitInterrupted):
        fit(first)


def test_progress_counts_the_fits_of_all_workers():
    told: list[tuple[Any, ...]] = []
    task = glauber.Transition(simulate={"parameters": {"beta": 0.3}, "steps": 5, "runs": 3}, loss="pixel")
    glauber.fit(
        shared_work.news(), task, {"beta": [0.2, 0.4, 0.5]}, steps=5, batch=4, executor=Counted(2), progress=lambda *seen: told.append(seen)
    )
    counted = [seen[1:3] for seen in told if seen[0] == "fits on 2 workers"]
    assert counted == [(1, 3), (2, 3), (3, 3)]


def test_a_fit_file_is_shared_out_too(tmp_path):
    file = tmp_path / "fit.toml"
    file.write_text(
        'model = "susceptible-infected"\ntask = "transition"\n[model-options]\nshape = [8, 8]\n[data.simulate]\n'
        'parameters = { beta = 0.3 }\nruns = 2\nsteps = 4\n[start]\nbeta = [0.2, 0.4, 0.6]\n[optimizer]\nbatch = 4\n'
    )
    how = {"overrides": {"optimizer.steps": 4}, "progress": False}
    alone, own = glauber.fit_file(file, **how), Counted(2)
    shared = glauber.fit_file(file, **how, executor=own)
    assert own.calls > 3 and shared.params == alone.params
    assert [shared_work.bits(one.trace) for one in shared.starts] == [shared_work.bits(one.trace) for one in alone.starts]

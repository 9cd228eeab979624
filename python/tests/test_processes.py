"""Checks what the package does among threads, processes and signals, and that its objects travel."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import glauber
import life
import numpy as np
import pytest


def test_the_interpreter_runs_while_the_engine_does():
    model = glauber.load("malevanets-kapral", shape=(128, 128))
    done = threading.Event()
    ticks = []

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.005)

    thread = threading.Thread(target=tick)
    thread.start()
    begin = time.monotonic()
    glauber.simulate(
        model, {"D_A": 0.1, "D_B": 0.4, "k1": 0.98, "k2": 0.1, "k3": 0.2}, steps=1500, every=1500
    )
    seconds = time.monotonic() - begin
    done.set()
    thread.join()
    during = sum(begin <= t <= begin + seconds for t in ticks)
    # With the lock held there would be one tick or two.
    assert during > min(10, seconds / 0.05)


ENDLESS = """
import signal, sys, glauber
signal.signal(signal.SIGINT, signal.default_int_handler)
news = glauber.load("susceptible-infected", shape=(256, 256))
print("ready", flush=True)
try:
    {call}
except KeyboardInterrupt as stopped:
    print("stopped", type(stopped).__name__, getattr(stopped, "result", None) is not None)
"""


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("glauber.simulate(news, {'beta': 0.0}, steps=10**8, every=10**8)", "KeyboardInterrupt False"),
        (
            "glauber.value_and_grad(news, {'beta': 0.1}, 5000, 'mean(aware)', replicates=400, memory='4 GiB')",
            "KeyboardInterrupt False",
        ),
        (
            "glauber.fit(news, glauber.Transition(simulate={'parameters': {'beta': 0.1}, 'steps': 8, 'runs': 2}), {'beta': 0.5}, "
            "steps=10**8, batch=4, progress=False)",
            "FitInterrupted True",
        ),
        # Many runs of few steps.
        ("glauber.check(news, {'beta': 0.1}, steps=2, replicates=10**6)", "KeyboardInterrupt False"),
    ],
)
def test_ctrl_c_stops(call, kind):
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS.format(call=call)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(1.5)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert out == f"stopped {kind}\n" and process.returncode == 0
    assert time.monotonic() - begin < 30


def square(p):
    run = glauber.rollout(life.model(8), 3, "mean(alive)", replicates=4)
    return run({"flip": p}, seed=5)["mean(alive)"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_give_the_same_numbers(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system does not {method}")
    code = f"""
import sys; sys.path.insert(0, {os.path.dirname(__file__)!r})
import multiprocessing, test_processes
if __name__ == "__main__":
    here = [test_processes.square(p) for p in (0.1, 0.2, 0.3)]
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        assert pool.map(test_processes.square, (0.1, 0.2, 0.3)) == here
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def test_threads_may_share_a_rollout():
    run = glauber.rollout(life.model(16), 10, "mean(alive)", replicates=8)
    alone = [run.value_and_grad({"flip": 0.1}, seed=s) for s in range(6)]
    found = [None] * 6

    def work(s):
        found[s] = run.value_and_grad({"flip": 0.1}, seed=s)

    threads = [threading.Thread(target=work, args=(s,)) for s in range(6)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert found == alone


def copies(thing):
    return [pickle.loads(pickle.dumps(thing)), copy.copy(thing), copy.deepcopy(thing)]


def test_models_travel(catalogue_model):
    for other in copies(catalogue_model):
        assert other == catalogue_model and other.layers == catalogue_model.layers
        assert other.update == catalogue_model.update and other.show() == catalogue_model.show()
        if other.update in ("synchronous", "sublattices"):
            assert other.show("gumbel-softmax") == catalogue_model.show("gumbel-softmax")


def test_own_models_and_rollouts_travel():
    model = life.model(8)
    before = glauber.simulate(model, {"flip": 0.2}, steps=4, seed=3)
    run = glauber.rollout(
        model,
        4,
        [lambda s: {"alive": s["alive"].sum()}, "variance(alive)"],
        at=[2, 4],
        replicates=3,
        estimator="reinmax",
    )
    for other in copies(model):
        assert np.array_equal(
            glauber.simulate(other, {"flip": 0.2}, steps=4, seed=3)["alive"], before["alive"]
        )
    for other in copies(run):
        assert other.vjp({"flip": 0.2}, {"alive": 1.0}) == run.vjp({"flip": 0.2}, {"alive": 1.0})
        assert repr(other) == repr(run)
    for other in copies(run.simulator()):
        assert other.columns == run.simulator().columns
    for other in copies(before):
        assert np.array_equal(other["alive"], before["alive"])


def test_results_travel():
    news = glauber.load("susceptible-infected", shape=(8, 8))
    task = glauber.Transition(simulate={"parameters": {"beta": 0.3}, "steps": 5, "runs": 2})
    found = glauber.fit(news, task, {"beta": 0.5}, steps=3, progress=False)
    for other in copies(found):
        assert other.params == found.params and np.array_equal(other.trace, found.trace)
    out = glauber.rollout(news, 2, "mean(aware)", replicates=2)({"beta": 0.3})
    for other in copies(out):
        assert other["mean(aware)"] == out["mean(aware)"]

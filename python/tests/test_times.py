"""Checks that noise is new where it should be, and that states keep the steps they were seen after."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys

import glauber
import life
import numpy as np
import pytest

QUANTILE = 5.0
"""Standard errors that a mean may be off: one false alarm in 1.7 million."""


def coins(shape=(64, 64)):
    """Coins thrown anew in every step."""
    return glauber.Model(
        "coins", shape, {"heads": "binary"}, lambda s: s.bernoulli(s["p"]), parameters={"p": (0, 1, 0.5)},
        start=lambda s: s.bernoulli(s["p"]),
    )


def clock(sites=400):
    """Sites that come up with probability p / n in step n, and go down with probability one half."""
    return glauber.Model(
        "clock", sites, {"up": "binary"}, lambda s: s.bernoulli(0.5 * s["up"] + (1 - s["up"]) * s["p"] / s.step()),
        parameters={"p": (0, 1)}, start=lambda s: s.bernoulli(0.5),
    )


def alike(a, b):
    """Whether two fields of fair coins share their noise: the share of equal ones is far from one half."""
    share = np.mean(np.asarray(a) == np.asarray(b))
    return abs(share - 0.5) > QUANTILE * 0.5 / math.sqrt(np.size(a))


def test_a_run_that_carries_on_has_new_noise():
    model = coins()
    runs = glauber.simulate(model, steps=3, replicates=2)
    again = glauber.simulate(model, steps=3, replicates=2, start=runs.last)
    for t in (1, 2, 3):
        for earlier in (1, 2, 3):
            assert not alike(runs["heads"][:, earlier], again["heads"][:, t])
    picked = {name: states[0] for name, states in runs.last.items()}
    third = glauber.simulate(model, steps=3, start=picked)
    assert not any(alike(runs["heads"][0, t], third["heads"][0, t]) for t in (1, 2, 3))
    # Two starts under one seed have one noise.
    flipped = glauber.simulate(model, steps=3, start={"heads": 1 - picked["heads"]})
    assert np.array_equal(flipped["heads"][0, 1:], third["heads"][0, 1:])


def test_a_run_that_carries_on_is_the_run_that_never_stopped():
    for model, values in ((life.model(16), {"flip": 0.2}), (clock(), {"p": 0.7})):
        whole = glauber.simulate(model, values, steps=11, replicates=3, seed=5)
        part = glauber.simulate(model, values, steps=4, replicates=3, seed=5, every=3)
        assert part.last.step == 4 and part.times.tolist() == [0, 3]
        rest = glauber.simulate(model, values, steps=7, replicates=3, seed=5, start=pickle.loads(pickle.dumps(part.last)))
        assert rest.times.tolist() == list(range(4, 12)) and rest.last.step == 11
        for name, states in whole.items():
            assert np.array_equal(states[:, 4:], rest[name])
            assert np.array_equal(states[:, -1], rest.last[name])
        also = glauber.simulate(model, values, steps=7, replicates=3, seed=5, start=part)
        given = glauber.simulate(model, values, steps=7, replicates=3, seed=5, start=dict(part.last), first_step=4)
        for other in (also, given):
            assert all(np.array_equal(other[name], rest[name]) for name in rest)


def test_arrays_taken_out_of_a_simulation_keep_their_times():
    model = coins((16, 16))
    run = glauber.simulate(model, {"p": 0.3}, steps=9, every=3, replicates=2)
    fit = lambda states, **s: glauber.fit(  # noqa: E731
        model, glauber.Transition(states, loss="pixel", **s), {"p": 0.5}, steps=20, learning_rate=0.5, optimizer="sgd", progress=False
    ).trace["loss"].tolist()
    expected = fit(run)
    for states in (dict(run), {**run}, run["heads"]):
        assert fit(states) == expected
    assert fit(dict(run), times=run.times) == expected
    # An array of its own has none.
    assert fit({"heads": run["heads"].copy()}) == fit(run["heads"].copy(), times=[0, 1, 2, 3]) != expected


PARTS = {
    "later times": (lambda c: c[:, 1:], [3, 6, 9]),
    "every second time": (lambda c: c[:, ::2], [0, 6]),
    "some runs": (lambda c: c[:2], [0, 3, 6, 9]),
    "one run": (lambda c: c[1], [0, 3, 6, 9]),
    "later times of one run": (lambda c: c[-1, 2:], [6, 9]),
    "turned about": (lambda c: c[:, :, ::-1, ::-1], [0, 3, 6, 9]),
    "as they are": (lambda c: c[...], [0, 3, 6, 9]),
    "of a part of them": (lambda c: c[1:][:, 1:][:, 1:], [6, 9]),
    "as another type": (lambda c: c.view(np.int8), [0, 3, 6, 9]),
    "a list of runs": (lambda c: list(c), [0, 3, 6, 9]),
}


@pytest.mark.parametrize("part", PARTS)
def test_parts_of_a_simulations_arrays_keep_their_times(part):
    model = coins((8, 12))
    take, times = PARTS[part]
    run = glauber.simulate(model, {"p": 0.3}, steps=9, every=3, replicates=3)
    fit = lambda states, **s: glauber.fit(  # noqa: E731
        model, glauber.Transition({"heads": states}, loss="pixel", **s), {"p": 0.5}, steps=3, optimizer="sgd", learning_rate=0.5, progress=False
    )
    states = take(run["heads"])
    found, expected = fit(states), fit(np.array(states), times=times)
    assert found.trace["loss"].tolist() == expected.trace["loss"].tolist()
    assert not any("nobody said" in note for note in [*found.notes, *expected.notes])
    # Also where the simulation itself is forgotten.
    del run
    assert fit(states).trace["loss"].tolist() == expected.trace["loss"].tolist()


def test_runs_are_not_read_as_times():
    model = coins((8, 12))
    run = glauber.simulate(model, {"p": 0.3}, steps=9, every=3, replicates=3)
    for states in (run["heads"][:, 2], run.last["heads"], run["heads"].transpose(1, 0, 2, 3)):
        with pytest.raises(glauber.InputError, match="are its runs"):
            glauber.objective(model, glauber.Transition({"heads": states}), {"p": 0.5})
    with pytest.raises(glauber.InputError):
        glauber.objective(model, glauber.Transition(run["heads"][:, ::-1]), {"p": 0.5})


def test_times_that_are_lost_are_said():
    model = coins((8, 12))
    fit = lambda states, **s: glauber.fit(  # noqa: E731
        model, glauber.Transition({"heads": states}, loss="pixel", **s), {"p": 0.5}, steps=3, optimizer="sgd", learning_rate=0.5, progress=False
    )
    fair = np.random.default_rng(1).integers(0, 2, (2, 5, 8, 12))
    found = fit(fair)
    assert any("nobody said when the states were seen: their 5 times are taken for steps 0, 1, 2 …" in n for n in found.notes)
    assert not any("nobody said" in n for n in fit(fair, times=range(5)).notes)
    run = glauber.simulate(model, {"p": 0.3}, steps=9, every=3, replicates=3)
    c = run["heads"]
    for lost in (c.copy(), 1 - c, c > 0, c.astype(float), np.concatenate([c, c]), np.stack([c[0], c[2]]), np.where(c > 0, 1, 0)):
        with pytest.warns(UserWarning, match="has arrays of this shape keeps the steps 0, 3, 6, 9: if they come from it, give times="):
            found = fit(lost)
        assert any("has arrays of this shape" in n for n in found.notes)
    assert not any("nobody said" in n for n in fit(c.copy(), times=run.times).notes)


def test_rollouts_carry_on_too():
    model = clock(50)
    run = glauber.rollout(model, 5, lambda s: {"up": s["up"].sum(), "step": s.step()}, replicates=4)
    first = run({"p": 0.5}, seed=2)
    second = run({"p": 0.5}, seed=2, start=first.last)
    whole = glauber.rollout(model, 10, lambda s: {"up": s["up"].sum(), "step": s.step()}, replicates=4)({"p": 0.5}, seed=2)
    assert (first["step"], second["step"]) == (5, 10)
    assert np.array_equal(whole.by_replicate["up"], second.by_replicate["up"])
    assert np.array_equal(whole.last["up"], second.last["up"]) and second.last.step == 10
    gradient = run.value_and_grad({"p": 0.5}, "up", seed=2, start=first.last)[1]
    assert np.array_equal(gradient.outputs.by_replicate["up"], second.by_replicate["up"])


def test_the_last_states_are_those_of_the_last_step():
    model = life.model(8)
    every_step = glauber.simulate(model, {"flip": 0.1}, steps=10, seed=3)
    for every in (1, 2, 4, 7, 10):
        some = glauber.simulate(model, {"flip": 0.1}, steps=10, seed=3, every=every)
        assert np.array_equal(some.last["alive"], every_step["alive"][:, -1])
        assert np.array_equal(some["alive"], every_step["alive"][:, some.times])


def test_simulations_and_rollouts_have_noise_of_their_own():
    model = coins()
    seen = glauber.simulate(model, steps=1, replicates=4, seed=1)
    run = glauber.rollout(model, 1, lambda s: {"wrong": ((s["heads"] - s.data("seen")) ** 2).mean()}, replicates=4)
    data = {"seen": seen["heads"][:, 1]}
    wrong = run(seed=1, fields=data)["wrong"]
    assert abs(wrong - 0.5) < QUANTILE * 0.5 / math.sqrt(4 * 64 * 64)
    assert run.value_and_grad(loss="wrong", seed=1, fields=data)[0] == wrong
    assert not alike(seen.last["heads"], run(seed=1, fields=data).last["heads"])


def test_lattices_of_different_shapes_have_noise_of_their_own():
    shapes = [(64, 64), (32, 64), (64, 32), (2048,), (1, 2048)]
    fields = [glauber.simulate(coins(shape), steps=1, seed=1)["heads"][0] for shape in shapes]
    for i, a in enumerate(fields):
        for b in fields[:i]:
            for t in (0, 1):
                assert not alike(a[t].reshape(-1)[:2048], b[t].reshape(-1)[:2048])


FORKED = """
import os, sys; sys.path.insert(0, {folder!r})
import numpy as np
import glauber, life
from multiprocessing import get_context

def one(_):
    return simulator({{"flip": 0.2}})["alive"]

simulator = glauber.rollout(life.model(16), 3, lambda s: {{"alive": s["alive"].sum()}}, replicates=2).simulator()
before = one(0)
if __name__ == "__main__":
    np.random.seed(3)
    with get_context("fork").Pool(4) as pool:
        first = pool.map(one, range(4), chunksize=1) + pool.map(one, range(4), chunksize=1)
    own = []
    for _ in range(3):
        r, w = os.pipe()
        if os.fork() == 0:
            os.write(w, str(one(0)).encode())
            os._exit(0)
        os.wait()
        own.append(float(os.read(r, 100)))
    print(len(set(first)), len(set(own)))
    np.random.seed(3)
    here = [one(0) for _ in range(3)]
    np.random.seed(3)
    assert [one(0) for _ in range(3)] == here
"""


def test_forked_simulators_give_different_numbers():
    if not hasattr(os, "fork"):
        pytest.skip("this system does not fork")
    done = subprocess.run(
        [sys.executable, "-c", FORKED.format(folder=os.path.dirname(__file__))],
        capture_output=True, text=True, timeout=120, check=False,
    )
    assert done.returncode == 0, done.stderr
    of_pool, of_forks = map(int, done.stdout.split())
    # 512 sites: that two of eight counts agree by chance happens, that only half differ does not.
    assert of_pool >= 5 and of_forks == 3


def fit(model, task, start=0.5, **settings):
    settings = {"steps": 250, "learning_rate": 0.05, "average": 0.4, "progress": False, **settings}
    return glauber.fit(model, task, start if isinstance(start, dict) else {"beta": start}, **settings)


def news():
    return glauber.load("susceptible-infected", shape=(32, 32))


@pytest.mark.parametrize("every", [2, 4])
def test_a_simulation_brings_its_times(every):
    model = news()
    seen = glauber.simulate(model, {"beta": 0.1}, steps=16, replicates=6, seed=2, every=every)
    with pytest.raises(glauber.InputError, match=f"{every} steps apart"):
        fit(model, glauber.Transition(seen, loss="likelihood"))
    found = fit(model, glauber.Transition(seen))
    assert any(f"{every} steps apart" in note for note in found.notes)
    # Some 3,000 sites turn, so β is known to about 2 %.
    assert found.params["beta"] == pytest.approx(0.1, rel=0.1)
    arrays = fit(model, glauber.Transition(dict(seen), times=seen.times))
    assert arrays.params == found.params
    curve = fit(model, glauber.Trajectory(states=seen, summary="mean(aware)"), replicates=30)
    assert curve.params["beta"] == pytest.approx(0.1, rel=0.1)


def test_rules_that_read_time_are_fitted_at_their_steps():
    model = clock(2000)
    seen = glauber.simulate(model, {"p": 0.8}, steps=12, replicates=4, seed=1)
    late = glauber.simulate(model, {"p": 0.8}, steps=6, replicates=4, seed=1, start=seen.last)
    assert late.times.tolist() == list(range(12, 19))
    for task, data in ((glauber.Transition, seen), (glauber.Transition, late)):
        likely = fit(model, task(data, loss="likelihood"), {"p": 0.5}, optimizer="rprop", steps=60)
        off = likely.params["p"] - 0.8
        assert abs(off) < QUANTILE * likely.standard_errors["p"], (data.times[0], likely.params)
        loss = fit(model, task(data), {"p": 0.5}, steps=400)
        assert abs(loss.params["p"] - 0.8) < 3 * QUANTILE * likely.standard_errors["p"]
    named = glauber.Transition({"up": late["up"]}, times=late.times, loss="likelihood")
    assert fit(model, named, {"p": 0.5}, optimizer="rprop", steps=60).params == likely.params


def test_files_carry_times(tmp_path):
    model = news()
    seen = glauber.simulate(model, {"beta": 0.2}, steps=8, replicates=5, seed=3, every=2)
    seen.save(tmp_path / "runs.npz")
    with np.load(tmp_path / "runs.npz") as file:
        assert file["times"].tolist() == [0, 2, 4, 6, 8]
        assert np.array_equal(file["aware"], seen["aware"])
        arrays = dict(file)
    assert fit(model, glauber.Transition(arrays), steps=20).params == fit(model, glauber.Transition(seen), steps=20).params
    file = tmp_path / "fit.toml"
    file.write_text(
        'model = "susceptible-infected"\ntask = "transition"\n[model-options]\nshape = [32, 32]\n[data]\nstates = "runs.npz"\n'
        "[start]\nbeta = 0.5\n[optimizer]\nsteps = 5\n"
    )
    assert "2 steps apart" in glauber.fit_file(file, progress=False).notes[0]
    with pytest.raises(glauber.InputError, match="2 steps apart"):
        glauber.fit_file(file, {"loss.name": "likelihood"}, progress=False)
    with pytest.raises(glauber.InputError, match="step-time"):
        glauber.fit_file(file, {"data.interval": 5.0}, progress=False)
    for times, words in (([0, 2, 4], "5 times"), ([0, 1, 2, 3, 3.5], "3.5"), ([0, 1, 3, 2, 4], "2 follows 3")):
        with pytest.raises(glauber.InputError, match=words):
            fit(model, glauber.Transition(arrays["aware"], times=times))


def test_patterns_and_starts_take_the_last_states_of_every_run():
    model = glauber.load("malevanets-kapral", shape=(12, 12))
    truth = {"D_A": 0.1, "D_B": 0.4, "k1": 0.98, "k2": 0.1, "k3": 0.2}
    runs = glauber.simulate(model, truth, steps=30, replicates=3, every=20)
    start, fixed = {"k1": 0.35, "k2": 0.91, "k3": 0.7}, {"D_A": 0.1, "D_B": 0.4}
    settings = {"fixed": fixed, "optimizer": "sgd", "learning_rate": 0.05, "steps": 3, "replicates": 3, "progress": False}
    one = glauber.simulate(model, truth, steps=30, every=20)
    whole, last, alone = (
        glauber.fit(model, glauber.Stability(pattern, steps=20), start, **settings)
        for pattern in (runs, runs.last, one)
    )
    assert whole.params == last.params and np.array_equal(whole.trace["loss"], last.trace["loss"])
    # The first of the three runs is the one alone; the other two are patterns too.
    assert all(np.array_equal(one.last[name], runs.last[name][:1]) for name in one)
    assert not np.array_equal(last.trace["loss"], alone.trace["loss"])


@pytest.mark.parametrize("replicates", [10, 25, 60])
def test_every_run_counts_alike_in_a_trajectory(replicates):
    model = news()
    rng = np.random.default_rng(1)
    share = np.repeat([0.002, 0.2], 10)
    start = (rng.random((20, 32, 32)) < share[:, None, None]).astype(np.uint8)
    seen = glauber.simulate(model, {"beta": 0.1}, steps=5, replicates=20, start={"aware": start}, seed=4)
    found = [
        fit(model, glauber.Trajectory(states={"aware": seen["aware"][order]}, summary="mean(aware)"), replicates=replicates)
        for order in (np.arange(20), np.arange(20)[::-1])
    ]
    for one in found:
        assert one.params["beta"] == pytest.approx(0.1, rel=0.08)
    assert any("every run counts alike" in note for note in found[0].notes) == (replicates % 20 != 0)


def test_an_initial_state_is_sought_at_its_steps():
    model = glauber.load("susceptible-infected", shape=(10, 10))
    start = np.zeros((10, 10))
    start[3, 7] = 1
    seen = glauber.simulate(model, {"beta": 0.8}, steps=4, start=start, seed=4, every=2)
    task = glauber.InitialState(seen, {"beta": 0.8}, start_sites=1)
    found = glauber.fit(model, task, steps=10, replicates=16, progress=False)
    assert any("after 2, 4 steps" in note for note in found.notes)
    with pytest.raises(glauber.InputError, match=r"leave `glauber.InitialState\(steps=…\)` out"):
        glauber.fit(model, glauber.InitialState(seen, {"beta": 0.8}, steps=3), steps=2, progress=False)

"""Checks fits of every task with data from NumPy, and what their results offer."""

from __future__ import annotations

import json
import math
import os
import pickle
from pathlib import Path

import glauber
import numpy as np
import pytest
from conftest import ROOT


@pytest.fixture(scope="module")
def transition():
    """A fit by the exact likelihood, with a comparison."""
    news = glauber.load("susceptible-infected", shape=(24, 24))
    seen = glauber.simulate(news, {"beta": 0.3}, steps=9, replicates=8, seed=1)
    task = glauber.Transition(seen, loss="likelihood", compare=["straight-through"])
    return glauber.fit(news, task, {"beta": 0.6}, optimizer="rprop", steps=60, progress=False)


def test_transitions(transition):
    error = transition.standard_errors["beta"]
    assert 0 < error < 0.02
    # A false alarm once in 10⁴ such data sets.
    assert abs(transition.params["beta"] - 0.3) < 3.89 * error
    assert transition.compared[0].name == "straight-through"


def test_own_models_are_fitted_to_arrays_of_any_kind():
    model = glauber.Model(
        "coins",
        (10, 10),
        {"heads": "binary"},
        lambda s: s.bernoulli(s["p"]),
        parameters={"p": "unit"},
        start=lambda s: 0,
    )
    rng = np.random.default_rng(2)
    seen = rng.random((4, 6, 10, 10)) < 0.7
    found = glauber.fit(
        model,
        glauber.Transition(seen, loss="likelihood"),
        {"p": 0.5},
        optimizer="rprop",
        steps=60,
        progress=False,
    )
    assert found.params["p"] == pytest.approx(seen[:, 1:].mean(), abs=1e-5)
    assert found.standard_errors["p"] == pytest.approx(math.sqrt(0.21 / 2000), rel=0.1)


def test_trajectories_of_states_curves_and_tracks():
    walk = glauber.load("persistent-random-walk")
    lags = np.arange(1, 11)
    # The closed form at p_center 0.2, p_resample 0.1.
    msd = 2 * 0.8 * (lags + 2 * np.array([sum((n - k) * 0.9**k for k in range(1, n)) for n in lags]))
    settings = {"steps": 600, "learning_rate": 0.05, "replicates": 1000, "average": 0.3, "progress": False}
    found = glauber.fit(walk, glauber.Trajectory(msd=msd), {"p_center": 0.4, "p_resample": 0.3}, **settings)
    assert found.params["p_center"] == pytest.approx(0.2, abs=0.1)
    assert found.params["p_resample"] == pytest.approx(0.1, abs=0.05)

    states = glauber.simulate(
        glauber.load("persistent-random-walk", walkers=200), [0.2, 0.1], steps=10, seed=3
    )
    # Walkers start anywhere: their tracks hold displacements.
    x, y = (states[n][0].astype(float) for n in ("x", "y"))
    rows = [(i, t, x[t, ..., i].item(), y[t, ..., i].item()) for i in range(200) for t in range(11)]
    tracks = glauber.fit(
        walk,
        glauber.Trajectory(tracks=np.array(rows), lags=5, bootstrap=10),
        {"p_center": 0.4, "p_resample": 0.3},
        **{**settings, "steps": 20},
    )
    assert tracks.steps == 20 and any("lags" in note for note in tracks.notes)

    news = glauber.load("susceptible-infected", shape=(16, 16))
    seen = glauber.simulate(news, {"beta": 0.2}, steps=6, replicates=30, seed=1)
    task = glauber.Trajectory(states=seen, summary="mean(aware)")
    curve = glauber.fit(
        news, task, {"beta": 0.5}, steps=150, learning_rate=0.05, replicates=50, average=0.3, progress=False
    )
    assert curve.params["beta"] == pytest.approx(0.2, abs=0.03)


def test_real_tracks_as_an_array_and_as_a_file():
    folder = Path(os.environ.get("GLAUBER_DATA", ROOT.parent / "shared" / "data"))
    file = folder / "tracks" / "t_cells.csv"
    if not file.exists():
        pytest.skip(f"{file} is not there, so no real tracks were fitted from Python")
    rows = np.genfromtxt(file, delimiter=",", skip_header=1)
    scale = {"step_time": 24.0, "site_length": math.sqrt(10), "lags": 10, "bootstrap": 20}
    walk, start = glauber.load("persistent-random-walk"), {"p_center": 0.3, "p_resample": 0.6}
    settings = {"steps": 300, "learning_rate": 0.01, "replicates": 1500, "average": 0.5, "progress": False}
    of_array = glauber.fit(walk, glauber.Trajectory(tracks=rows, **scale), start, **settings)
    of_file = glauber.fit(walk, glauber.Trajectory(tracks=file, **scale), start, **settings)
    assert of_array.params == of_file.params
    # The least-squares optimum of the closed form.
    assert of_array.params["p_center"] == pytest.approx(0.272, abs=0.05)
    assert of_array.params["p_resample"] == pytest.approx(0.616, abs=0.05)


def test_stationary_states(tmp_path):
    model = glauber.load("birth-death-migration", shape=(8, 8))
    rates = {"birth": 0.0, "death": 0.2, "migration": 0.2}
    seen = glauber.simulate(model, {**rates, "immigration": 0.4}, steps=60, every=20, replicates=40, seed=3)
    snapshots = {"particles": np.asarray(seen["particles"])[:, -2:]}
    task = glauber.Stationary(snapshots, summary="mean(particles)", steps=60)
    found = glauber.fit(
        model, task, {"immigration": 0.8}, fixed=rates, learning_rate=0.02, steps=30, replicates=8, progress=False
    )
    assert found.curves.times.tolist() == [30, 60]
    (observed,) = found.curves.data.values()
    assert observed == pytest.approx(2 * [snapshots["particles"].mean()])
    assert found.params["immigration"] < 0.6
    # As a fit file says it, to the last bit.
    np.savez(tmp_path / "snapshots.npz", **snapshots)
    (tmp_path / "fit.toml").write_text(
        """
model = "birth-death-migration"
task = "stationary"
model-options.shape = [8, 8]
data = { states = "snapshots.npz", steps = 60 }
loss.summary = "mean(particles)"
start.immigration = 0.8
fixed = { birth = 0.0, death = 0.2, migration = 0.2 }
optimizer = { learning-rate = 0.02, steps = 30, replicates = 8 }
"""
    )
    assert glauber.fit_file(tmp_path / "fit.toml", progress=False).params == found.params
    with pytest.raises(glauber.InputError, match="from its start on"):
        glauber.fit(model, glauber.Stationary(seen, summary="mean(particles)", steps=60), fixed=rates, progress=False)
    with pytest.raises(glauber.InputError, match=r"needs `glauber.Stationary\(steps=…\)`"):
        glauber.fit(model, glauber.Stationary(snapshots, summary="mean(particles)"), fixed=rates, progress=False)


def test_stability_of_a_pattern():
    model = glauber.load("malevanets-kapral", shape=(16, 16))
    truth = {"D_A": 0.1, "D_B": 0.4, "k1": 0.98, "k2": 0.1, "k3": 0.2}
    pattern = {n: a[0] for n, a in glauber.simulate(model, truth, steps=300, seed=1).last.items()}
    found = glauber.fit(
        model,
        glauber.Stability(pattern, steps=400),
        {"k1": 0.35, "k2": 0.91, "k3": 0.7},
        fixed={"D_A": 0.1, "D_B": 0.4},
        optimizer="sgd",
        learning_rate=0.05,
        steps=30,
        progress=False,
    )
    assert found.params["k2"] < 0.8 and found.trace["loss"][-1] < found.trace["loss"][0]
    assert set(found.params) == {"k1", "k2", "k3"}
    stacked = glauber.Stability(np.stack(list(pattern.values())), steps=400)
    again = glauber.fit(
        model,
        stacked,
        {"k1": 0.35, "k2": 0.91, "k3": 0.7},
        fixed={"D_A": 0.1, "D_B": 0.4},
        optimizer="sgd",
        learning_rate=0.05,
        steps=30,
        progress=False,
    )
    assert again.params == found.params


def test_initial_states():
    news = glauber.load("susceptible-infected", shape=(12, 12))
    start = np.zeros((12, 12))
    start[3, 7] = 1
    seen = glauber.simulate(news, {"beta": 0.8}, steps=2, start=start, seed=4)["aware"][0]
    task = glauber.InitialState(seen[1:], {"beta": 0.8}, steps=1, start_sites=1)
    found = glauber.fit(news, task, steps=60, learning_rate=0.3, replicates=32, progress=False)
    p = found.params["start of aware"]
    assert p.shape == (12, 12) and p.sum() == pytest.approx(1)
    (site,) = found.starting_sites["aware"]
    assert abs(np.subtract(site, (3, 7))).max() <= 1
    assert "data:image/png" in found._repr_html_() and "start of aware" in repr(found)
    assert f"aware: most likely started at {site} (probability {p[site]:.2f})" in repr(found)
    assert "most likely started at" in found._repr_html_()


def test_images():
    y, x = np.mgrid[:48, :48]
    disc = (y - 20) ** 2 + (x - 28) ** 2 < 150
    noise = np.random.default_rng(1).normal(0, 0.05, disc.shape)
    found = glauber.segment(np.clip(np.where(disc, 0.7, 0.2) + noise, 0, 1), truth=disc)
    assert found.dice > 0.97 and found.mask.dtype == bool and "Dice" in repr(found)
    eight_bits = glauber.segment((np.where(disc, 180, 50)).astype(np.uint8))
    assert eight_bits.mask.sum() == pytest.approx(disc.sum(), rel=0.05)
    for bad, words in [
        (np.zeros((4, 4)), "colour|contrast"),
        (np.full((4, 4), 2.0), "0"),
        (np.zeros(4), "shape"),
    ]:
        with pytest.raises(glauber.InputError, match=words):
            glauber.segment(bad)


def test_several_starts():
    news = glauber.load("susceptible-infected", shape=(16, 16))
    task = glauber.Transition(
        simulate={"parameters": {"beta": 0.3}, "steps": 6, "runs": 4}, loss="likelihood"
    )
    found = glauber.fit(news, task, {"beta": [0.1, 0.8]}, optimizer="rprop", steps=40, progress=False)
    assert [r.start["beta"] for r in found.starts] == [0.1, 0.8]
    assert found.truth == {"beta": 0.3} and "true 0.3" in repr(found)


def test_results_offer_trace_plot_and_json(transition):
    trace = transition.trace
    assert trace.dtype.names == ("step", "loss", "gradient_norm", "rate", "beta")
    assert (
        trace["step"][0] == 0 and trace["beta"][0] == 0.6 and trace["beta"][-1] == transition.params["beta"]
    )
    assert transition.to_json()["parameters"]["beta"]["standard_error"] == transition.standard_errors["beta"]
    assert "±" in repr(transition) and "<table>" in transition._repr_html_()
    pandas = pytest.importorskip("pandas", reason="pandas is not installed, so no DataFrame was made")
    assert isinstance(transition.dataframe, pandas.DataFrame)
    matplotlib = pytest.importorskip("matplotlib", reason="Matplotlib is not installed, so no plot was drawn")
    matplotlib.use("Agg")
    assert [ax.get_title() for ax in transition.plot()] == ["loss", "beta"]


def test_results_are_saved_as_the_command_line_does(tmp_path, transition):
    transition.save(tmp_path / "transition")
    names = {path.name for path in (tmp_path / "transition").iterdir()}
    assert names == {"result.json", "trace.csv", "trace-straight-through.csv", "trace.svg"}
    own = json.loads((tmp_path / "transition" / "result.json").read_text())
    assert own["parameters"] == transition.to_json()["parameters"] and own["notes"] == transition.notes
    with pytest.raises(glauber.InputError, match="nothing is overwritten"):
        transition.save(tmp_path / "transition")
    again = pickle.loads(pickle.dumps(transition))
    assert again.params == transition.params
    with pytest.raises(glauber.InputError, match="in the process that ran the fit"):
        again.save(tmp_path / "again")
    curve = glauber.Trajectory(msd="t-cells", step_time=24.0, site_length=10**0.5, lags=4)
    walk = glauber.load("persistent-random-walk")
    glauber.fit(walk, curve, steps=2, progress=False).save(tmp_path / "walk")
    assert (tmp_path / "walk" / "msd.svg").stat().st_size > 1000


def test_formation_tests_are_saved(tmp_path):
    path = tmp_path / "fit.toml"
    path.write_text(
        """
model = "malevanets-kapral"
task = "stability"
model-options.shape = [16, 16]
data.steps = 2
start = { D_A = 0.6 }
fixed = { D_B = 0.4, k1 = 0.98, k2 = 0.1, k3 = 0.2 }
optimizer = { name = "sgd", learning-rate = 1e-6, steps = 2 }
run.formation-test = { every = 2, steps = 20 }
[data.simulate]
steps = 20
parameters = { D_A = 0.1, D_B = 0.4, k1 = 0.98, k2 = 0.1, k3 = 0.2 }
"""
    )
    found = glauber.fit_file(path, progress=False)
    assert [test["step"] for test in found.formation.tests] == [0, 2]
    found.save(tmp_path / "out")
    names = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")}
    assert {"fit.toml", "formation.csv", "formation.svg", "formation/step-000002.npy"} <= names
    state = np.load(tmp_path / "out" / "formation" / "step-000002.npy")
    assert (state == np.stack(list(found.formation.tests[-1]["layers"].values()))).all()


def test_progress_is_told_and_may_stop_a_fit():
    news = glauber.load("susceptible-infected", shape=(64, 64))
    seen = glauber.simulate(news, {"beta": 0.3}, steps=12, replicates=8, seed=1)
    told = []

    class Enough(Exception):
        pass

    def look(attempt, step, steps, loss, names, values):
        told.append((step, steps, names, len(values)))
        if len(told) == 3:
            raise Enough

    with pytest.raises(Enough):
        glauber.fit(news, glauber.Transition(seen), {"beta": 0.6}, steps=10**6, progress=look)
    assert told[0][1:] == (10**6, ["beta"], 1) and told[0][0] < told[-1][0] < 10**6

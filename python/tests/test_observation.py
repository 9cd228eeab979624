"""Observations and experiments: what is refused, which route is taken, and that known parameters are found."""

import numpy as np
import pytest

import glauber


def contact(side=12):
    def step(s):
        caught = 1 - (1 - s["b"]) ** s["on"].neighbours("moore").sum()
        return s.bernoulli(s["on"] * (1 - s["g"]) + (1 - s["on"]) * caught)

    return glauber.Model(
        "contact", (side, side), {"on": "binary"}, step,
        parameters={"b": (0, 0.5), "g": (0, 1)}, start=lambda s: s.bernoulli(0.2),
    )  # fmt: skip


def counts(model, truth, runs, steps, p=0.7, seed=3):
    """Counts of a simulation, each site seen with probability p."""
    run = glauber.simulate(model, truth, steps=max(steps), replicates=runs, seed=seed)
    there = np.asarray(run["on"]).reshape(runs, max(steps) + 1, -1).sum(-1)[:, steps]
    return np.random.default_rng(seed).binomial(there.astype(int), p).astype(float)


TRUTH = {"b": 0.08, "g": 0.3}


def test_hidden_sites_and_missing_days_are_fitted_by_a_particle_filter():
    model, steps = contact(), [2, 3, 5, 8, 11, 14, 17, 20]
    data = counts(model, TRUTH, 4, steps)
    data[1, 3] = np.nan
    seen = glauber.Observation("count(on=1)", data[:, :, None], steps=steps, noise={"name": "binomial", "probability": "seen"})
    found = glauber.fit(model, seen, {"b": 0.15, "g": 0.4, "seen": 0.5}, replicates=100, steps=15, progress=False)
    assert found.likelihood == "particle-filter"
    assert any("1 of 32 numbers missing" in note for note in found.notes)
    assert any("route `particle-filter`" in note for note in found.notes)
    for name, truth in {**TRUTH, "seen": 0.7}.items():
        error, noise = found.standard_errors[name], found.simulation_noise[name]
        assert error is not None, found
        # Five errors: a false alarm below one in a million.
        assert abs(found.params[name] - truth) < 5 * np.hypot(error, noise), found
    assert found.to_json()["likelihood"] == "particle-filter"


def test_experiments_share_what_they_do_not_fix():
    model, steps = contact(), [2, 4, 6, 8, 10]
    data = {g: counts(model, {"b": 0.08, "g": g}, 3, steps, seed=int(100 * g)) for g in (0.2, 0.4)}
    noise = {"name": "binomial", "probability": 0.7}
    experiments = [
        glauber.Experiment(glauber.Observation("count(on=1)", own[:, :, None], steps=steps, noise=noise), fixed={"g": g}, name=f"g {g}")
        for g, own in data.items()
    ]
    found = glauber.fit(model, experiments, {"b": 0.2}, replicates=100, steps=10, progress=False)
    assert list(found.params) == ["b"]
    assert abs(found.params["b"] - 0.08) < 5 * np.hypot(found.standard_errors["b"], found.simulation_noise["b"]), found
    assert any("experiment `g 0.2`" in note for note in found.notes)


def test_every_state_seen_is_the_exact_likelihood():
    model = contact()
    run = glauber.simulate(model, TRUTH, steps=10, replicates=2, seed=1)
    seen = glauber.Observation("on", np.asarray(run["on"]), steps=run.times)
    found = glauber.fit(model, seen, {"b": 0.2, "g": 0.2}, progress=False)
    old = glauber.fit(model, glauber.Transition(run, loss="likelihood"), {"b": 0.2, "g": 0.2}, optimizer="nelder-mead", steps=300, progress=False)
    assert found.likelihood == "exact"
    for name in TRUTH:
        assert found.params[name] == pytest.approx(old.params[name], rel=1e-3)
        assert found.standard_errors[name] == pytest.approx(old.standard_errors[name], rel=1e-2)


def test_masked_sites_are_fitted_by_the_mean_field_filter():
    model = contact(24)
    run = glauber.simulate(model, TRUTH, steps=15, seed=1)
    states = np.asarray(run["on"])[0][1:].astype(float)
    hidden = np.broadcast_to(np.random.default_rng(1).random((24, 24)) < 0.5, states.shape)
    seen = glauber.Observation("on", np.ma.masked_array(states, hidden), steps=range(1, 16))
    found = glauber.fit(model, seen, {"b": 0.2, "g": 0.4}, progress=False)
    assert found.likelihood == "mean-field-filter"
    assert any("biased" in note for note in found.notes)
    for name, truth in TRUTH.items():
        assert abs(found.params[name] - truth) < 0.25 * truth, found


def test_a_function_of_the_state_is_seen():
    model = contact()

    def left(s):
        return {"left": (s["on"] * (s.coordinate(1) < 6)).sum()}

    seen = glauber.Observation(left, [[9.0], [12.0]], steps=[1, 3], noise={"name": "poisson"})
    f = glauber.objective(model, seen, {"b": 0.1, "g": 0.3}, replicates=50)
    assert np.isfinite(f.value([0.1, 0.3])) and f.names == ["b", "g"]
    assert f.value([0.1, 0.3]) == f.value([0.1, 0.3])


WRONG = [
    ("count(off=1)", [1.0], {}, "off"),
    ("count(on=1)", [-1.0], {"noise": "poisson"}, "negative"),
    ("count(on=1)", [1.5], {"noise": {"name": "binomial", "probability": 0.5}}, "whole number"),
    ("count(on=1)", [np.nan, np.nan], {"noise": "poisson"}, "all data"),
    ("count(on=1)", [1.0, 2.0, 3.0], {"noise": "poisson", "steps": [1, 2]}, "3 times, but 2 steps"),
    ("count(on=1)", [1.0, 2.0], {"noise": "poisson", "steps": [3, 2]}, "2 follows 3"),
    ("count(on=1)", [1.0], {"noise": "gaussian"}, "needs `deviation`"),
    ("count(on=1)", [1.0], {"noise": "poison"}, "there is none of this name"),
    ("regions(on=1)", [1.0], {"noise": "poisson"}, "map of regions"),
    ("on", [1.0, 2.0], {}, "shape"),
]


@pytest.mark.parametrize("what, data, more, words", WRONG)
def test_what_cannot_be_is_refused(what, data, more, words):
    seen = glauber.Observation(what, data, **more)
    with pytest.raises(glauber.InputError, match=words):
        glauber.fit(contact(), seen, {"b": 0.1, "g": 0.3}, progress=False)


def test_routes_are_refused_with_the_reason():
    seen = glauber.Observation("count(on=1)", [5.0, 6.0], noise="poisson")
    with pytest.raises(glauber.InputError, match="there are exact, particle-filter"):
        glauber.fit(contact(), seen, {"b": 0.1, "g": 0.3}, route="particles", progress=False)
    with pytest.raises(glauber.InputError, match="sites that are seen one by one"):
        glauber.fit(contact(), seen, {"b": 0.1, "g": 0.3}, route="mean-field-filter", progress=False)
    with pytest.raises(glauber.InputError, match="every layer at every site"):
        glauber.fit(contact(), seen, {"b": 0.1, "g": 0.3}, route="exact", progress=False)
    with pytest.raises(TypeError, match="list of unlike things"):
        glauber.fit(contact(), [seen, glauber.Experiment(seen)], {"b": 0.1, "g": 0.3}, progress=False)

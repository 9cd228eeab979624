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


def test_what_was_seen_has_profiles_and_posteriors():
    model = contact(8)
    states = np.asarray(glauber.simulate(model, TRUTH, steps=8, replicates=2, seed=2)["on"], dtype=float)
    states[:, :, np.random.default_rng(1).random((8, 8)) < 0.4] = np.nan
    seen = glauber.Observation("on", states, steps=range(9))
    density = glauber.log_density(model, seen, {"b": 0.1, "g": 0.3})
    assert (density.route, density.kind, density.has_gradient) == ("mean-field-filter", "approximate", True)
    assert density.observations == np.isfinite(states).sum()
    assert any("independent" in note for note in density.notes), density
    at, (value, slopes) = np.array([0.12, 0.25]), density.value_and_grad([0.12, 0.25])
    for k in range(2):
        step = 1e-4 * np.eye(2)[k]
        assert slopes[k] == pytest.approx((density(at + step) - density(at - step)) / 2e-4, rel=1e-4)
    # The profile's top is that of the fit, and its interval is where ln L has fallen by half of 3.84.
    found = glauber.profile(model, seen, {"b": 0.1, "g": 0.3})
    fitted = glauber.fit(model, seen, {"b": 0.1, "g": 0.3}, progress=False)
    assert found.estimates == pytest.approx(fitted.params, rel=2e-3)
    low, high = found.intervals["g"]
    assert density.log_likelihood(found.estimates) - density.log_likelihood({**found.estimates, "g": high}) > 1.9
    assert low < fitted.params["g"] < high
    drawn = density.posterior(chains=2, draws=200, warm_up=200)
    assert drawn.summary["g"]["rhat"] < 1.05 and any("independent" in note for note in drawn.notes), drawn
    # Uniform priors, so many data: the posterior is nearly the curvature's normal law.
    assert drawn.summary["g"]["sd"] == pytest.approx(fitted.standard_errors["g"], rel=0.25)


def test_a_noisy_likelihood_has_a_pseudo_marginal_posterior_and_no_profile():
    model, steps = contact(6), [2, 4, 6]
    data = counts(model, TRUTH, 3, steps)
    seen = glauber.Observation("count(on=1)", data[:, :, None], steps=steps, noise={"name": "binomial", "probability": 0.7})
    settings = {"fixed": {"g": TRUTH["g"]}, "replicates": 100}
    density = glauber.log_density(model, seen, {"b": 0.1}, **settings)
    assert (density.route, density.kind) == ("particle-filter", "noisy") and not density.has_gradient
    assert density([0.1]) == density([0.1]) != density([0.1], noise=1)
    with pytest.raises(glauber.InputError, match="a profile would be one of its noise"):
        glauber.profile(model, seen, {"b": 0.1}, **settings)
    with pytest.raises(glauber.InputError, match="there is no route `guess`"):
        glauber.log_density(model, seen, {"b": 0.1}, route="guess")
    found = glauber.posterior(model, seen, {"b": 0.1}, chains=2, draws=200, warm_up=200, **settings)
    # The mean by a sum over a grid of many evaluations' mean likelihoods.
    grid = np.linspace(0.005, 0.35, 47)
    heights = np.array([np.mean([np.exp(density.log_likelihood([b], noise=k) + 30) for k in range(20)]) for b in grid])
    mean = (grid * heights).sum() / heights.sum()
    sd = np.sqrt(((grid - mean) ** 2 * heights).sum() / heights.sum())
    own = found.summary["b"]
    # Five errors of the chains' mean, and two hundredths of the sd for the grid.
    assert abs(own["mean"] - mean) < 5 * own["error_of_mean"] + 0.05 * sd, (found, mean, sd)

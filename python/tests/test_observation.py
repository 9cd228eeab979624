"""Observations and experiments: what is refused, which route is taken, and that known parameters are found."""

import warnings

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
    # Numbers of those who are ill, near equilibrium, tell the ratio of the rates: both times 0.7 or 1.5 change ln L by less than 1.
    assert "do not determine `b`, `g`" in str(found), found
    assert found.standard_errors["b"] is None and found.standard_errors["g"] is None, found
    error, noise = found.standard_errors["seen"], found.simulation_noise["seen"]
    # Five errors: a false alarm below one in a million.
    assert abs(found.params["seen"] - 0.7) < 5 * np.hypot(error, noise), found
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


# Names go before places.

LABELS = np.repeat([3, 1, 7], 4)[None].repeat(12, 0)
BY_REGION = np.array([[9.0, 4.0, 27.0], [12.0, 9.0, 33.0], [11.0, 15.0, 40.0]])  # the labels 1, 3, 7
STEPS = [1, 2, 4]


def fitted_counts(data, steps=None, what="regions(on=1)"):
    """The loss of observed regions, and what is said of how they were read."""
    regions = LABELS if what.startswith("regions") else None
    seen = glauber.Observation(what, data, regions=regions, steps=steps, noise={"name": "gaussian", "deviation": 3.0})
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        f = glauber.objective(contact(), seen, {"b": 0.1, "g": 0.3}, replicates=20)
    return f.value([0.1, 0.3]), " ".join(str(one.message) for one in said)


def columns_of(order=(2, 0, 1), names=("1", "3", "7")):
    return {names[i]: BY_REGION[:, i] for i in order}


def frame(*args, **more):
    return pytest.importorskip("pandas").DataFrame(*args, **more)


def data_array(*args, **more):
    return pytest.importorskip("xarray").DataArray(*args, **more)


REGIONS = {
    "frame": lambda: (frame(columns_of()), STEPS),
    "labels as numbers": lambda: (frame(BY_REGION, columns=[1, 3, 7])[[7, 1, 3]], STEPS),
    "names in full": lambda: (frame(columns_of(names=("region 1", "region 3", "region 7"))), STEPS),
    "a column step": lambda: (frame(columns_of()).assign(step=STEPS), None),
    "an index step": lambda: (frame(columns_of()).set_index(pytest.importorskip("pandas").Index(STEPS, name="step")), None),
    "both say the steps": lambda: (frame(columns_of()).assign(step=STEPS), STEPS),
    "polars": lambda: (pytest.importorskip("polars").DataFrame(columns_of()), STEPS),
    "lazy": lambda: (pytest.importorskip("polars").DataFrame({"step": STEPS, **columns_of()}).lazy(), None),
    "pyarrow": lambda: (pytest.importorskip("pyarrow").table(columns_of()), STEPS),
    "dictionary": lambda: ({"step": STEPS, **columns_of()}, None),
    "records": lambda: ([{"step": s, "7": row[2], "1": row[0], "3": row[1]} for s, row in zip(STEPS, BY_REGION)], None),
    "structured": lambda: (np.array([(c, a, b) for a, b, c in BY_REGION], dtype=[(n, float) for n in "713"]), STEPS),
    "axes in another order": lambda: (data_array(BY_REGION.T, dims=("region", "time")), STEPS),
    "labels of axes": lambda: (
        data_array(BY_REGION[:, [2, 0, 1]].T, dims=("district", "time"), coords={"time": STEPS, "district": [7, 1, 3]}),
        None,
    ),
    "runs": lambda: (data_array(BY_REGION.T[:, :, None], dims=("region", "time", "run"), coords={"time": STEPS}), None),
    "dataset": lambda: (
        pytest.importorskip("xarray").Dataset({n: ("step", c) for n, c in columns_of().items()}, coords={"step": STEPS}),
        None,
    ),
}


@pytest.mark.parametrize("container", REGIONS)
def test_observed_regions_are_found_by_their_labels(container):
    data, steps = REGIONS[container]()
    value, said = fitted_counts(data, steps)
    assert value == fitted_counts(BY_REGION, STEPS)[0] != fitted_counts(BY_REGION[:, [2, 0, 1]], STEPS)[0]
    assert not said


@pytest.mark.parametrize(
    "data, steps, said",
    [
        (lambda: frame(BY_REGION, columns=["north", "mid", "south"]), STEPS, "`north`, `mid`, `south` of `regions(on=1)` were taken by"),
        (lambda: frame(BY_REGION), STEPS, "have no names: they were taken by their place as `region 1`, `region 3`, `region 7`"),
        (lambda: frame(BY_REGION, columns=["1", "3", "7"], index=STEPS), None, "the labels of the rows of `regions(on=1)`, 1, 2, 4"),
    ],
)
def test_observed_columns_that_are_taken_by_their_place_are_said(data, steps, said):
    value, found = fitted_counts(data(), steps)
    assert said in found and value == fitted_counts(BY_REGION, STEPS)[0]


@pytest.mark.parametrize(
    "data, steps, words",
    [
        (lambda: frame(columns_of(names=("1", "3", "8"))), STEPS, "the columns of the data of `regions.on=1.` are `8`, `1`, `3`"),
        (lambda: frame(columns_of(names=("1", "3", "west"))), STEPS, "name the columns by these"),
        (lambda: frame(columns_of(names=("20", "30", "40"))), STEPS, "name the columns by these"),
        (lambda: frame(columns_of()).assign(day=STEPS), None, "the column `day`: call the steps"),
        (lambda: frame(columns_of()).assign(step=STEPS), [1, 2, 3], "leave one of them out"),
        (lambda: data_array(BY_REGION, dims=("region", "run")), STEPS, "the axes region, run"),
        (lambda: "counts.csv", None, "pandas.read_csv"),
    ],
)
def test_observed_columns_that_may_be_others_are_refused(data, steps, words):
    with pytest.raises((glauber.InputError, TypeError), match=words):
        fitted_counts(data(), steps)


def test_observed_rows_are_found_by_their_numbers():
    data = np.arange(36.0).reshape(3, 12)
    turned = frame(data).iloc[:, ::-1]
    assert fitted_counts(turned, STEPS, "rows(on=1)") == fitted_counts(data, STEPS, "rows(on=1)")


def test_observed_sites_are_read_by_their_axes():
    run = glauber.simulate(contact(), TRUTH, steps=6, every=2, replicates=2, seed=1)
    states = np.array(run["on"])

    def value(data, steps=None):
        seen = glauber.Observation("on", data, steps=steps, noise={"name": "flipped", "probability": 0.05})
        return glauber.objective(contact(), seen, {"b": 0.1, "g": 0.3}, replicates=20).value([0.1, 0.3])

    expected = value(states, run.times)
    assert expected != value(states)
    for data in (
        run,
        run["on"],
        data_array(states, dims=("run", "time", "y", "x"), coords={"time": run.times}).transpose("x", "time", "y", "run"),
    ):
        assert value(data) == expected
    with pytest.raises(glauber.InputError, match="no `on`"):
        value({"off": states})

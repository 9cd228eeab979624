"""Checks models written in Python: what they simulate, their gradients, every function of the tracing."""

from __future__ import annotations

import math

import glauber
import life
import numpy as np
import pytest

# False-alarm rate of each comparison of two means: 10⁻⁴, two-sided.
QUANTILE = 3.89


def test_life_agrees_with_numpy():
    steps, runs = 6, 2000
    out = glauber.rollout(life.model(), steps, "mean(alive)", replicates=runs)({"flip": 0.1}, seed=3)
    mean, error = life.numpy_mean(0.1, steps, runs, seed=5)
    ours, own_error = out["mean(alive)"], out.standard_error["mean(alive)"]
    assert abs(ours - mean) < QUANTILE * math.hypot(error, own_error)
    assert 0.05 < mean < 0.6  # something happens


def test_score_function_gradient_of_life_agrees_with_finite_differences():
    model = life.model(8)
    run = glauber.rollout(model, 2, "mean(alive)", replicates=4000, estimator="score-function")
    h, batches = 0.02, 12
    gradients, differences = [], []
    for seed in range(batches):
        gradients.append(run.value_and_grad({"flip": 0.15}, seed=seed)[1]["flip"])
        ends = [run({"flip": 0.15 + s * h}, seed=100 + seed)["mean(alive)"] for s in (1, -1)]
        differences.append((ends[0] - ends[1]) / (2 * h))
    error = math.hypot(np.std(gradients, ddof=1), np.std(differences, ddof=1)) / math.sqrt(batches)
    # Student's t with 11 degrees of freedom, two-sided 10⁻⁴: 5.92; the central difference is off by O(h²).
    assert abs(np.mean(gradients) - np.mean(differences)) < 5.92 * error + 10 * h**2
    assert error < 0.2 * abs(np.mean(differences))


def test_the_same_model_in_python_and_in_the_catalogue_has_the_same_bits():
    def spread(s):
        aware = s.layer("aware")
        exposure = aware.neighbours("moore").sum()
        learns = 1.0 - (1.0 - s.parameter("beta")) ** exposure
        s.next("aware").bernoulli(aware + (1.0 - aware) * learns)

    known = glauber.load("susceptible-infected", shape=(16, 16))
    start = np.zeros((16, 16), dtype=np.uint8)
    start[8, 8] = 1
    own = glauber.Model(
        "susceptible-infected", (16, 16), {"aware": "binary"}, spread, parameters={"beta": (0, 1)}
    )
    a = glauber.simulate(own, {"beta": 0.3}, steps=8, replicates=3, seed=4, start=start)
    b = glauber.simulate(known, {"beta": 0.3}, steps=8, replicates=3, seed=4, start=start)
    assert np.array_equal(a["aware"], b["aware"])


def value_of(rule, x=0.7, y=-1.3):
    """A rule's value at two parameters, by running it in double precision."""
    model = glauber.Model(
        "probe",
        4,
        {"u": "real"},
        lambda s: rule(s, s["x"], s["y"]),
        parameters={"x": "any", "y": "any"},
        start=lambda s: 0.0,
    )
    return float(glauber.simulate(model, [x, y], steps=1, precision="f64")["u"][0, 1, 0])


OPERATORS = {
    "x + y": (lambda s, x, y: x + y, lambda x, y: x + y),
    "2 - x": (lambda s, x, y: 2 - x, lambda x, y: 2 - x),
    "x * y": (lambda s, x, y: x * y, lambda x, y: x * y),
    "1 / y": (lambda s, x, y: 1 / y, lambda x, y: 1 / y),
    "y // 1": (lambda s, x, y: y // 1, lambda x, y: y // 1),
    "y % x": (lambda s, x, y: y % x, lambda x, y: y % x),
    "x ** y": (lambda s, x, y: x**y, lambda x, y: x**y),
    "2 ** y": (lambda s, x, y: 2**y, lambda x, y: 2**y),
    "-x": (lambda s, x, y: -x, lambda x, y: -x),
    "abs y": (lambda s, x, y: abs(y), lambda x, y: abs(y)),
    "x < y": (lambda s, x, y: x < y, lambda x, y: 0.0),
    "x >= y": (lambda s, x, y: x >= y, lambda x, y: 1.0),
    "0.7 == x": (lambda s, x, y: 0.7 == x, lambda x, y: 1.0),
    "x != y": (lambda s, x, y: x != y, lambda x, y: 1.0),
    "and": (lambda s, x, y: (x > 0) & (y > 0), lambda x, y: 0.0),
    "or": (lambda s, x, y: (x > 0) | (y > 0), lambda x, y: 1.0),
    "not": (lambda s, x, y: ~(x > 0), lambda x, y: 0.0),
    "where": (lambda s, x, y: glauber.where(x > y, 5.0, y), lambda x, y: 5.0),
    "clip": (lambda s, x, y: glauber.clip(y, -1, 1), lambda x, y: -1.0),
    "minimum": (lambda s, x, y: glauber.minimum(2.0, y), lambda x, y: min(2.0, y)),
    "sigmoid": (lambda s, x, y: glauber.sigmoid(y), lambda x, y: 1 / (1 + math.exp(-y))),
    "heaviside": (lambda s, x, y: glauber.heaviside(x), lambda x, y: 1.0),
    "round": (lambda s, x, y: glauber.round(y), lambda x, y: -1.0),
    "np.exp": (lambda s, x, y: np.exp(y), lambda x, y: math.exp(y)),
    "np.log1p": (lambda s, x, y: np.log1p(x), lambda x, y: math.log1p(x)),
    "np.where": (lambda s, x, y: np.where(x < 0, x, y), lambda x, y: y),
    "np.maximum": (lambda s, x, y: np.maximum(x, 2.5), lambda x, y: 2.5),
    "np.float64 on the left": (lambda s, x, y: np.float64(2.0) * x - np.float32(1.0), lambda x, y: 2 * x - 1),
    "np.clip": (lambda s, x, y: np.clip(y, -1.0, 1.0), lambda x, y: -1.0),
    "np.ceil": (lambda s, x, y: np.ceil(y), lambda x, y: -1.0),
    "np.tan": (lambda s, x, y: np.tan(x), lambda x, y: math.tan(x)),
    "stop_gradient": (lambda s, x, y: glauber.stop_gradient(x), lambda x, y: x),
    "sum": (lambda s, x, y: (s.coordinate(0) + 0 * x).sum(), lambda x, y: 6.0),
    "mean": (lambda s, x, y: s.coordinate(0).mean(), lambda x, y: 1.5),
    "step": (lambda s, x, y: s.step(), lambda x, y: 1.0),
    "number": (lambda s, x, y: s.number(3), lambda x, y: 3.0),
    "shift": (lambda s, x, y: s.coordinate(0).shift(1), lambda x, y: 1.0),
    "weights": (
        lambda s, x, y: s.coordinate(0).neighbours({1: 2.0, (-1,): 0.5}).sum(),
        lambda x, y: 2 * 1 + 0.5 * 3,
    ),
    "offsets": (lambda s, x, y: s.coordinate(0).neighbours([(1,), (2,)]).mean(), lambda x, y: 1.5),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_and_functions(name):
    traced, plain = OPERATORS[name]
    assert value_of(traced) == pytest.approx(plain(0.7, -1.3), rel=1e-6)


def test_every_draw_has_its_mean():
    def step(s):
        s.next("bernoulli").bernoulli(0.3)
        s.next("class").categorical([0.2, 0.3, 0.5])
        s.next("uniform").set(s.uniform())
        s.next("normal").set(s.normal())
        s.next("binomial").set(s.binomial(10, 0.4))
        s.next("poisson").set(glauber.minimum(s.poisson(2.5), 200))
        direction = s.replicate_categorical([0.5, 0.5])
        coin = s.replicate_bernoulli(0.5)
        s.next("moved").set(s.translate(s.coordinate(1), direction, [(0, 0), (0, 1)]) + 0 * coin)

    sites = 200
    model = glauber.Model(
        "draws",
        (sites, sites),
        {
            "bernoulli": "binary",
            "class": ["a", "b", "c"],
            "uniform": "real",
            "normal": "real",
            "binomial": 10,
            "poisson": 200,
            "moved": "real",
        },
        step,
        start=lambda s: dict.fromkeys(
            ["bernoulli", "class", "uniform", "normal", "binomial", "poisson", "moved"], 0
        ),
    )
    last = glauber.simulate(model, steps=1, seed=9).last
    n = sites * sites
    for name, mean, variance in [
        ("bernoulli", 0.3, 0.21),
        ("class", 1.3, 0.61),
        ("uniform", 0.5, 1 / 12),
        ("normal", 0, 1),
        ("binomial", 4, 2.4),
        ("poisson", 2.5, 2.5),
    ]:
        assert abs(last[name].mean() - mean) < QUANTILE * math.sqrt(variance / n), name
    assert last["moved"].mean() == pytest.approx((sites - 1) / 2)


def test_named_states_are_asked_for_by_name():
    def step(s):
        cell = s["cell"]
        ill = cell.neighbours("moore").count("ill")
        caught = 1 - (1 - s["beta"]) ** ill
        s.next("cell").categorical(
            [
                (cell == "well") * (1 - caught),
                (cell == "well") * caught + (cell == "ill") * 0.5,
                (cell == "ill") * 0.5 + cell.is_("immune"),
            ]
        )

    model = glauber.Model(
        "epidemic",
        (16, 16),
        {"cell": ["well", "ill", "immune"]},
        step,
        parameters={"beta": "unit"},
        start=lambda s: s.categorical([0.9, 0.1, 0.0]),
    )
    runs = glauber.simulate(model, {"beta": 0.3}, steps=20, replicates=2)
    assert runs["cell"].dtype == np.uint8 and runs["cell"].max() == 2
    assert (np.diff((runs["cell"] == 2).sum(axis=(2, 3)).astype(int), axis=1) >= 0).all()


def test_covariates_and_parameter_fields():
    model = glauber.Model(
        "map",
        (4, 5),
        {"burnt": "binary"},
        lambda s: s.bernoulli(s["burnt"] + (1 - s["burnt"]) * s.field("fuel") * s["risk"]),
        covariates=["fuel"],
        fields={"risk": (0, 1)},
        start=lambda s: 0,
    )
    fuel, risk = np.zeros((4, 5)), np.full((4, 5), 0.5)
    fuel[:2] = 1
    last = glauber.simulate(model, steps=30, fields={"fuel": fuel, "risk": risk}).last["burnt"][0]
    assert last[:2].all() and not last[2:].any()
    run = glauber.rollout(model, 1, "mean(burnt)", fields={"fuel": fuel}, replicates=4)
    _, gradient = run.value_and_grad(fields={"risk": risk})
    assert gradient["risk"] == pytest.approx(fuel / 20)


def test_traced_values_can_be_hashed_and_kept_in_sets():
    seen = {}

    def step(s):
        a, b = s["u"], s["u"] + 1
        seen["set"] = len({a, b, a})
        seen["key"] = {a: 1}[a]
        return a

    glauber.Model("hash", 3, {"u": "real"}, step)
    assert seen == {"set": 2, "key": 1}


def test_the_model_shows_its_program():
    text = life.model().show("straight-through")
    assert "step of" in text and "adjoint under straight-through" in text
    assert life.model().likelihood
    assert "stochastic-life" in repr(life.model()) and "<table>" in life.model()._repr_html_()

"""Checks outputs, losses and gradients of rollouts against what they must be."""

from __future__ import annotations

import glauber
import life
import numpy as np
import pytest


def coins(sites=50):
    return glauber.Model(
        "coins",
        sites,
        {"heads": "binary"},
        lambda s: s.bernoulli(s["p"]),
        parameters={"p": "unit"},
        start=lambda s: 0,
    )


def test_outputs_by_name_step_and_replicate():
    run = glauber.rollout(
        life.model(8), 5, [lambda s: {"alive": s["alive"].sum()}, "mean(alive)"], at=[0, 2, 5], replicates=7
    )
    out = run({"flip": 0.2}, seed=2)
    assert list(out) == ["alive", "mean(alive)"] == run.outputs
    assert out.by_replicate["alive"].shape == (7, 3)
    assert out["mean(alive)"] == pytest.approx(out["alive"] / 64)
    for place, steps in enumerate([0, 2, 5]):
        last = glauber.rollout(life.model(8), steps, replicates=7)({"flip": 0.2}, seed=2).last["alive"]
        assert np.array_equal(out.by_replicate["alive"][:, place], last.sum(axis=(1, 2)))
    assert np.array_equal(out.last["alive"], last)
    assert out.standard_error["alive"] == pytest.approx(
        out.by_replicate["alive"].std(axis=0, ddof=1) / np.sqrt(7)
    )
    assert "alive" in repr(out) and "Rollout" in repr(run)


def test_a_linear_gradient_is_exact():
    run = glauber.rollout(coins(), 1, lambda s: {"heads": s["heads"].sum()}, replicates=3)
    value, gradient = run.value_and_grad({"p": 0.3}, seed=1)
    assert gradient == {"p": pytest.approx(50.0, rel=1e-6)}  # single precision
    assert value == run({"p": 0.3}, seed=1)["heads"]


def test_losses_may_be_names_functions_or_nothing():
    run = glauber.rollout(coins(), 3, ["mean(heads)", "count(heads)"], at=[1, 3], replicates=3)
    _, by_name = run.value_and_grad({"p": 0.3}, "count(heads)")
    assert by_name["p"] == pytest.approx(100.0)
    seen = []

    def loss(means):
        seen.append({n: m.shape for n, m in means.items()})
        return float(means["mean(heads)"] @ [1, 2]), {
            "mean(heads)": np.array([1.0, 2.0]),
            "count(heads)": 0.0,
        }

    value, by_function = run.value_and_grad({"p": 0.3}, loss)
    assert seen == [{"mean(heads)": (2,), "count(heads)": (2,)}]
    assert by_function["p"] == pytest.approx(3.0)
    assert value == pytest.approx(run({"p": 0.3})["mean(heads)"] @ [1, 2])


def test_a_loss_may_itself_run_glauber():
    inner = glauber.rollout(coins(), 1, "mean(heads)", replicates=3)

    def loss(means):
        return means["mean(heads)"] + inner({"p": 0.5})["mean(heads)"], {"mean(heads)": 1.0}

    run = glauber.rollout(coins(), 1, "mean(heads)", replicates=3, threads=1)
    assert run.value_and_grad({"p": 0.3}, loss)[1]["p"] == pytest.approx(1.0)


def test_gradients_by_the_start():
    def decay(s):
        return s["u"] * 0.5 + s["v"].shift((1,)) * s["w"]

    model = glauber.Model(
        "linear",
        6,
        {"u": "real", "v": "real"},
        lambda s: {"u": decay(s), "v": s["v"]},
        parameters={"w": "any"},
    )
    rng = np.random.default_rng(0)
    start = {"u": rng.normal(size=(2, 6)), "v": rng.normal(size=(2, 6))}
    run = glauber.rollout(
        model, 1, lambda s: {"first": (s["u"] * (s.coordinate(0) == 0)).sum()}, replicates=2, precision="f64"
    )
    value, gradient = run.value_and_grad({"w": 3.0}, start=start, wrt_start=True)
    expected = 0.5 * start["u"][:, 0] + 3.0 * start["v"][:, 1]
    assert value == pytest.approx(expected.mean())
    assert gradient.start["u"][:, 0] == pytest.approx(0.25) and gradient.start["u"][:, 1:] == pytest.approx(0)
    assert gradient.start["v"][:, 1] == pytest.approx(1.5)
    assert gradient["w"] == pytest.approx(start["v"][:, 1].mean())


def test_products_with_cotangents_of_states():
    model = glauber.Model("linear", 4, {"u": "real"}, lambda s: s["a"] * s["u"], parameters={"a": "any"})
    start = np.arange(8.0).reshape(2, 4)
    run = glauber.rollout(model, 2, replicates=2, precision="f64", start=start)
    cotangent = np.array([[1.0, 0, 0, 2], [0, 3, 0, 0]])
    gradient = run.vjp_of_states({"a": 2.0}, {"u": cotangent}, wrt_start=True)
    assert gradient["a"] == pytest.approx((2 * 2.0 * start * cotangent).sum())
    assert gradient.start["u"] == pytest.approx(4.0 * cotangent)


def test_checks_say_which_estimator_agrees():
    found = glauber.check(glauber.load("susceptible-infected", shape=(8, 8)), {"beta": 0.3}, replicates=200)
    assert found.agrees["score-function"] and not found.agrees["mean-field"]
    assert "agrees" in repr(found) and set(found.bias) == set(found.agrees)


def test_pictures_of_states():
    runs = glauber.simulate(life.model(), {"flip": 0.1}, steps=3)
    assert "data:image/png;base64" in runs._repr_html_() and "Simulation" in repr(runs)
    line = glauber.simulate(glauber.load("domany-kinzel", shape=[32]), {"p1": 0.7, "p2": 0.8}, steps=8)
    assert "all times" in line._repr_html_()
    matplotlib = pytest.importorskip("matplotlib", reason="Matplotlib is not installed, so no plot was drawn")
    matplotlib.use("Agg")
    assert runs.plot().get_title() == "alive, step 3"
    line.plot()

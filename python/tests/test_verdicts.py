"""Checks what a result says of its own estimates: an error only where it is one, in every face."""

from __future__ import annotations

import glauber
import numpy as np
import pytest


def coins(chance, *parameters):
    return glauber.Model(
        "coins",
        (12, 12),
        {"heads": "binary"},
        lambda s: s.bernoulli(chance(s)),
        parameters={name: "unit" for name in parameters},
        start=lambda s: 0,
    )


def throws(share):
    return np.random.default_rng(2).random((4, 6, 12, 12)) < share


def fitted(chance, start, share=0.3, steps=150, **settings):
    model = coins(chance, *start)
    task = glauber.Transition(throws(share), loss="likelihood")
    return glauber.fit(model, task, start, optimizer="rprop", steps=steps, progress=False, **settings)


def test_a_loss_has_simulation_noise_and_no_error():
    model = coins(lambda s: s["p"], "p")
    settings = {"optimizer": "sgd", "learning_rate": 0.5, "steps": 300, "average": 0.5, "progress": False}
    found = glauber.fit(model, glauber.Transition(throws(0.3)), {"p": 0.6}, **settings)
    assert found.standard_errors == {"p": None} and found.simulation_noise["p"] > 0
    assert found.monte_carlo_errors == found.simulation_noise
    assert found.likelihood is None and found.at_optimum in (True, None)
    for face in (repr(found), found._repr_html_()):
        assert "±" not in face and "simulation noise 0.0" in face and "error not known" in face
    own = found.to_json()["parameters"]["p"]
    assert own["standard_error"] is None and own["no_error_because"] == "error not known"
    assert any("exact likelihood, which gives errors" in note for note in found.notes)
    assert all(note in repr(found) for note in found.notes)


def test_a_likelihood_says_whether_the_fit_arrived():
    early = fitted(lambda s: s["p"], {"p": 0.9}, steps=2)
    assert early.standard_errors["p"] is None and early.at_optimum is False
    assert early.notes[0] == early.verdict and early.verdict.startswith("not at its optimum")
    assert early.verdict in repr(early).splitlines()[0] and early.verdict in early._repr_html_()
    late = fitted(lambda s: s["p"], {"p": 0.9})
    assert late.at_optimum is True and late.likelihood == "exact" and "±" in repr(late)
    n = throws(0.3)[:, 1:].size
    share = throws(0.3)[:, 1:].mean()
    assert late.standard_errors["p"] == pytest.approx((share * (1 - share) / n) ** 0.5, rel=1e-4)


def test_what_the_data_do_not_determine_is_named():
    product = fitted(lambda s: s["a"] * s["b"], {"a": 0.5, "b": 0.9})
    assert product.standard_errors == {"a": None, "b": None}
    assert "only `a` · `b`, not `a` and `b`" in repr(product).splitlines()[0]


def test_no_gradient_and_no_estimate_are_errors():
    with pytest.raises(glauber.RunError, match="was 0 in every one of 150 steps"):
        model = coins(lambda s: 0.3, "idle")
        task = glauber.Transition(throws(0.3), loss="likelihood")
        glauber.fit(model, task, {"idle": 0.5}, optimizer="rprop", steps=150, progress=False)
    with pytest.raises(glauber.RunError, match="no estimate.*probability 0"):
        fitted(lambda s: np.minimum(1, 2 * s["p"]), {"p": 0.7})


def test_the_best_of_several_starts_is_said():
    found = fitted(lambda s: np.minimum(1, 2 * s["p"]), {"p": [0.7, 0.4, 0.1]})
    assert [r.stopped for r in found.starts][0] == "diverged" and np.isnan(found.starts[0].params["p"])
    assert found.loss == min(r.loss for r in found.starts[1:])
    assert any("the best of 3 starts is start" in note and "1 diverged" in note for note in found.notes)


def test_estimators_are_not_called_biased_where_they_are_not():
    news = glauber.load("susceptible-infected", shape=(8, 8))
    seen = glauber.simulate(news, {"beta": 0.3}, steps=5, replicates=4)
    task = glauber.Transition(seen)
    found = glauber.fit(news, task, {"beta": 0.5}, estimator="score-function", steps=20, progress=False)
    assert "known bias" not in repr(found) and "unbiased for any loss" in repr(found)

def test_starts_that_end_at_mirrored_optima_are_said():
    model = coins(lambda s: 0.1 + 3 * (s["a"] - 0.5) ** 2, "a")
    task = glauber.Transition(throws(0.5), loss="likelihood")
    found = glauber.fit(model, task, [{"a": 0.2}, {"a": 0.8}], optimizer="rprop", steps=150, progress=False)
    low, high = sorted(fit.params["a"] for fit in found.starts)
    assert abs(low + high - 1) < 1e-3 and high - low > 0.5
    said = next(note for note in found.notes if "starts 1 and 2" in note)
    assert said.startswith(f"starts 1 and 2 end at different values (`a` = {low:.3f}"), said
    assert "with the same loss" in said and "noise" not in said
    # Starts that come to one place are no others.
    one = glauber.fit(coins(lambda s: s["a"], "a"), task, [{"a": 0.2}, {"a": 0.8}], optimizer="rprop", steps=150, progress=False)
    assert not any("different values" in note for note in one.notes)
    assert any("the same" in note for note in one.notes)

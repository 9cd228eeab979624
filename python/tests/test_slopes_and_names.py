"""Checks that a derivative that is not there, a name that is none and a question with one answer are said or refused."""

from __future__ import annotations

import warnings

import glauber
import numpy as np
import pytest


def model(step, layers=None, parameters=None, **more):
    return glauber.Model(
        "m",
        (16, 16),
        layers or {"a": "binary"},
        step,
        parameters=parameters or {"p": (0, 1, 0.3)},
        start=more.pop("start", lambda s: s.bernoulli(0.5)),
        **more,
    )


SEEN = glauber.simulate(model(lambda s: s.bernoulli(s["p"])), {"p": 0.3}, steps=6, replicates=4)


def fit(own, **settings):
    return glauber.fit(own, glauber.Transition(SEEN), {"p": 0.5}, steps=20, progress=False, **settings)


def test_a_parameter_that_acts_through_a_comparison_alone_is_not_fitted_by_gradients():
    alone = model(lambda s: s.uniform() < s["p"])
    with pytest.raises(glauber.InputError, match=r"`random number \(uniform\) < p`.*bernoulli\(p\)"):
        fit(alone)
    # A search needs no derivative, but should not compare draws site by site.
    found = fit(alone, optimizer="nelder-mead")
    assert sum("0 or 1" in note for note in found._remarks()) == 1


def test_what_a_comparison_takes_away_is_the_first_note_in_every_face():
    partly = model(lambda s: (s.uniform() < s["p"]) * s.bernoulli(s["p"]))
    # Behind what a comparison with differences found of it.
    wrong, missing = fit(partly)._remarks()[:2]
    assert "its gradient is wrong" in wrong and "`p`" in missing and "derivative" in missing
    assert "derivative" in glauber.check(partly, {"p": 0.3}, replicates=5).notes[0]
    assert "derivative" in repr(glauber.check(partly, {"p": 0.3}, replicates=5)).splitlines()[0]
    assert "has no derivative" in partly.show()
    run = glauber.rollout(partly, 2, "mean(a)", replicates=3)
    with pytest.warns(UserWarning, match="derivative"):
        run.value_and_grad({"p": 0.3})
    # Once for each rollout; and nothing where nothing is missing.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.value_and_grad({"p": 0.3})
        glauber.value_and_grad(model(lambda s: s.bernoulli(s["p"])), {"p": 0.3}, 2, "mean(a)")
    assert "derivative" not in model(lambda s: s.bernoulli(1 - (1 - s["p"]) ** s["a"].neighbours().sum())).show()


def test_not_a_number_in_a_comparison_is_an_error():
    own = model(lambda s: glauber.log(s["p"] - 0.5) < 0)
    assert glauber.simulate(own, {"p": 0.7}, steps=1)
    with pytest.raises(glauber.RunError, match="compares not-a-number"):
        glauber.simulate(own, {"p": 0.3}, steps=1)


def whole(rule):
    return model(lambda s: rule(s["n"]), {"n": 9}, start=lambda s: s.binomial(9, 0.5))


@pytest.mark.parametrize(
    "rule",
    [
        lambda n: (n % 2) & (n > 3),
        lambda n: (n // 4 % 2) | (n == 0),
        lambda n: ~(n % 2),
        lambda n: (n % 2) ^ (n // 2 % 2),
        lambda n: (n - 2 * (n // 2)) & (n < 9),
        lambda n: np.minimum(n, 1) & (n >= 1),
        lambda n: np.clip(n, 0, 1) & (n < 8),
    ],
)
def test_conditions_made_of_whole_numbers_are_numpys(rule):
    numbers = np.arange(256).reshape(16, 16) % 10
    found = glauber.simulate(whole(rule), steps=1, start=numbers).last["n"].reshape(16, 16)
    with_numpy = np.asarray(rule(numbers)).astype(np.int64)
    assert np.array_equal(found, with_numpy & 1)


@pytest.mark.parametrize(
    "rule", [lambda n: n > 200, lambda n: n < -1, lambda n: n >= 9.5, lambda n: 10 <= n, lambda n: n % 3 > 5]
)
def test_questions_with_one_answer_are_refused(rule):
    with pytest.raises(glauber.ModelError, match=r"one answer at every site, never"):
        whole(rule)


@pytest.mark.parametrize("rule", [lambda n: n > 9, lambda n: n >= 0, lambda n: n <= 9, lambda n: n < 0, lambda n: n < 50])
def test_the_ends_of_a_range_and_wide_bounds_may_be_asked(rule):
    whole(rule)


@pytest.mark.parametrize("name", ["", " ", "\t"])
def test_names_that_are_none_are_refused(name):
    for own in (
        {"layers": {name: "binary"}},
        {"parameters": {name: (0, 1)}},
        {"covariates": [name]},
        {"layers": {"c": ["x", name, "z"]}},
    ):
        with pytest.raises((glauber.ModelError, glauber.InputError), match="name"):
            model(lambda s: s.bernoulli(0.5), **own)


def test_two_states_of_one_colour_are_refused():
    with pytest.raises(glauber.ModelError, match="`x` and `y`.*#ff0000"):
        model(lambda s: s["c"], {"c": ["x", "y", "z"]}, colours={"c": ["red", "#ff0000", "blue"]})


@pytest.mark.parametrize("start", [[0.1, 0.2], (0.1, 0.2), np.array([0.1, 0.2]), [[0.1, 0.2], [0.3, 0.4]], 0.1, np.float32(0.1)])
def test_start_values_without_names_say_what_to_write(start):
    two = model(lambda s: s.bernoulli(s["p"] * s["q"]), parameters={"p": (0, 1), "q": (0, 1)})
    with pytest.raises(TypeError, match=r'start=\{"p": …, "q": …\}'):
        glauber.fit(two, glauber.Transition(SEEN), start, progress=False)


def test_several_simulations_are_told_how_to_become_one():
    with pytest.raises(TypeError, match="list of Simulations.*replicates"):
        glauber.fit(model(lambda s: s.bernoulli(s["p"])), glauber.Transition([SEEN, SEEN]), progress=False)


def test_seeds_beyond_their_limit_name_it_everywhere():
    own, limit = model(lambda s: s.bernoulli(s["p"])), str(2**64 - 1)
    for run in (
        lambda: glauber.simulate(own, {"p": 0.3}, seed=2**64),
        lambda: fit(own, seed=2**64),
        lambda: glauber.rollout(own, 1, "mean(a)")({"p": 0.3}, seed=2**64),
        lambda: glauber.check(own, {"p": 0.3}, seed=2**64),
        lambda: glauber.Transition(simulate={"parameters": {"p": 0.3}, "steps": 2, "seed": 2**64})
        and glauber.fit(
            own, glauber.Transition(simulate={"parameters": {"p": 0.3}, "steps": 2, "seed": 2**64}), progress=False
        ),
    ):
        with pytest.raises(glauber.InputError, match=limit):
            run()


def test_a_draw_beyond_its_edges_is_named_before_the_layer_it_would_leave():
    for rule, word in (
        (lambda s: s.poisson(s["k"]), "rate of `poisson`"),
        (lambda s: s.binomial(s["k"], 0.5), "number of trials of `binomial`"),
        (lambda s: s.binomial(3, s["k"]), "probability of `binomial`"),
    ):
        for what in ({"start": rule, "step": lambda s: s["n"]}, {"start": lambda s: 0, "step": rule}):
            own = model(layers={"n": 20}, parameters={"k": (-5, 5, 1)}, **what)
            with pytest.raises(glauber.RunError, match=word):
                glauber.simulate(own, {"k": -1}, steps=1)


def test_a_clock_that_nobody_set_is_said():
    own = model(lambda s: s.bernoulli(glauber.minimum(1, s["p"] * s.step() / 10)))
    seen = glauber.simulate(own, {"p": 0.5}, steps=8, replicates=4)
    guessed = glauber.fit(own, glauber.Transition({"a": np.array(seen["a"])}), steps=2, progress=False)
    known = glauber.fit(own, glauber.Transition(seen), steps=2, progress=False)
    assert any("step 0, as nobody said otherwise" in note for note in guessed._remarks())
    assert any(note.endswith("after step 0") for note in known._remarks())


def test_where_the_likelihood_is_0_at_the_start_it_is_said():
    own = model(lambda s: s.bernoulli(glauber.minimum(1, s["a"] + s["p"])))
    with pytest.raises(glauber.RunError, match="could not begin: the likelihood of the data is 0: .* whatever the parameters") as error:
        glauber.fit(own, glauber.Transition(SEEN, loss="likelihood"), {"p": 0.3}, steps=5, progress=False)
    assert "diverged" not in str(error.value)


def test_what_is_said_once_too_often_or_not_at_all_is_refused_where_it_stands():
    with pytest.raises(ValueError, match="named twice"):
        model(lambda s: s["a"].neighbours([(0, 1), (0, 1)]).sum())
    with pytest.raises(glauber.InputError, match="gumbel-rao"):
        glauber.rollout(model(lambda s: s.bernoulli(s["p"])), 2, "mean(a)", estimator="gumbel")


def test_scores_at_an_end_are_said_to_lack_a_part():
    """Where nothing can happen, what might have has no score: light cones give −0.25 for a true 0.9."""
    model = glauber.load("susceptible-infected", shape=(8, 8))
    for estimator in ("light-cone", "score-function"):
        with pytest.warns(UserWarning, match=r"`beta` = 0 is an end .*differences"):
            glauber.value_and_grad(model, {"beta": 0.0}, 3, "mean(aware)", estimator=estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        glauber.value_and_grad(model, {"beta": 0.0}, 3, "mean(aware)", estimator="differences")
        glauber.value_and_grad(model, {"beta": 0.1}, 3, "mean(aware)", estimator="light-cone")

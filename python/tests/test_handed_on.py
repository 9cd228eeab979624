"""Checks what is said of data that were handed on: other states' names, guessed clocks, simulated truths, lost slopes."""

from __future__ import annotations

import pickle
import warnings

import glauber
import numpy as np
import pytest

SETTINGS = {"steps": 20, "progress": False, "threads": 1}


def named(name, states):
    """Sites that are ill with probability p, their states in this order; numbers where there are none."""

    def step(s):
        if states is None:
            return s.bernoulli(s["p"])
        chances = {"ill": s["p"], "well": 1 - s["p"]}
        return s.categorical([chances.get(state, 0) for state in states])

    layer = "binary" if states is None else states
    return glauber.Model(name, (8, 8), {"c": layer}, step, parameters={"p": (0, 1)}, start=lambda s: 0)


def test_a_file_keeps_the_names_of_its_states(tmp_path):
    own = named("own", ["well", "ill"])
    path = tmp_path / "runs.npz"
    glauber.simulate(own, {"p": 0.2}, steps=5, replicates=2).save(path)
    arrays = dict(np.load(path))
    assert arrays["names of states"].tobytes().decode() == "c\twell\till"
    fit = lambda model, given: glauber.fit(model, glauber.Transition(given, loss="likelihood"), {"p": 0.5}, **SETTINGS)  # noqa: E731
    expected = fit(own, arrays).params
    for other in (named("turned", ["ill", "well"]), named("plain", None)):
        with pytest.raises(ValueError, match="their numbers mean other states"):
            fit(other, arrays)
    assert arrays["update scheme"].tobytes().decode() == "synchronous"
    del arrays["names of states"], arrays["update scheme"]
    assert fit(own, arrays).params == expected
    # Nothing is written where states have no names.
    bare = tmp_path / "bare.npz"
    glauber.simulate(named("plain", None), {"p": 0.2}, steps=2).save(bare)
    assert set(np.load(bare).files) == {"c", "times", "update scheme"}


def test_conditions_that_hold_nowhere_are_among_the_notes():
    def model(rule):
        return glauber.Model("m", (8, 8), {"n": (0, 9)}, lambda s: s.binomial(9, glauber.where(rule(s["n"]), 0.5, s["p"])), parameters={"p": (0, 1)}, start=lambda s: 4)

    for rule, told in ((lambda n: n > 9, True), (lambda n: n < 0, True), (lambda n: n >= 9, False), (lambda n: n < 9, False)):
        found = glauber.fit(
            model(rule), glauber.Transition(simulate={"parameters": {"p": 0.4}, "steps": 3, "runs": 2}, loss="pixel"), {"p": 0.5},
            learning_rate=0.01, **SETTINGS,
        )  # fmt: skip
        assert any("holds nowhere" in note for note in found.notes) == told


def test_fields_that_hold_no_data_are_told():
    model = glauber.Model("f", (8, 8), {"a": "binary"}, lambda s: s.bernoulli(glauber.sigmoid(s.field("h"))), covariates=["h"], start=lambda s: 0)
    field = np.zeros((8, 8))
    field[2, 3] = -9999
    with pytest.warns(UserWarning, match="field `h` holds -9999"):
        glauber.simulate(model, steps=1, fields={"h": field})


def test_states_of_other_names_are_refused_wherever_they_are_handed_on():
    own = named("own", ["well", "ill"])
    runs = glauber.simulate(own, {"p": 0.2}, steps=5, replicates=2)
    last = pickle.loads(pickle.dumps(runs.last))
    for other in (named("turned", ["ill", "well"]), named("plain", None)):
        rollout = glauber.rollout(other, 1, lambda s: {"n": s["c"].mean() if other.name == "plain" else s["c"].is_("ill").mean()}, replicates=2)
        for handed_on in (
            lambda: glauber.fit(other, glauber.Transition(runs, loss="likelihood"), {"p": 0.5}, **SETTINGS),
            lambda: glauber.objective(other, glauber.Transition(last), {"p": 0.5}),
            lambda: glauber.simulate(other, {"p": 0.2}, start=runs, replicates=2),
            lambda: glauber.simulate(other, {"p": 0.2}, start=last, replicates=2),
            lambda: rollout({"p": 0.2}, start=last),
        ):
            with pytest.raises(glauber.InputError, match="their numbers mean other states"):
                handed_on()
        # Numbers are numbers.
        glauber.simulate(other, {"p": 0.2}, start=dict(last), replicates=2)
    wider = named("wider", ["well", "ill", "dead"])
    for model in (own, wider):
        assert np.array_equal(glauber.simulate(model, {"p": 0.2}, start=runs, replicates=2)["c"][:, 0], last["c"])
    with pytest.raises(glauber.InputError, match="give replicates=2"):
        glauber.simulate(own, {"p": 0.2}, start=last)


def crowds(seen):
    """A second layer that follows what `seen` makes of the first."""

    def step(s):
        return {"x": s.bernoulli(s["p"]), "y": s.bernoulli(0.05 + 0.9 * seen(s["x"]))}

    return glauber.Model(
        "crowds", (8, 8), {"x": "binary", "y": "binary"}, step, parameters={"p": (0, 1)}, start=lambda s: {"x": 0, "y": 0}
    )


def test_an_objective_warns_of_what_its_gradient_lacks():
    model = crowds(lambda x: 0.5 * x + 0.5 * (x.neighbours("moore").sum() > 2))
    every = {n: glauber.simulate(model, {"p": 0.3}, steps=6, replicates=4, every=n) for n in (1, 3)}
    for task in (
        glauber.Trajectory(states=every[1], summary="mean(y)"),
        glauber.Stability(every[1], steps=4),
        glauber.Transition(every[3], loss="pixel"),
    ):
        with pytest.warns(UserWarning, match="has no derivative"):
            own = glauber.objective(model, task, {"p": 0.6}, estimator="straight-through")
        assert any("has no derivative" in note for note in own.notes)
        fitted = glauber.fit(
            model, task, {"p": 0.6}, optimizer="adam", estimator="straight-through", **SETTINGS
        )
        assert any("has no derivative" in note for note in fitted._remarks())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # One step has that of its parameters; the likelihood has one step.
        for task in (glauber.Transition(every[1], loss="pixel"), glauber.Transition(every[1], loss="likelihood")):
            glauber.objective(model, task, {"p": 0.6})


@pytest.mark.parametrize(
    ("seen", "right"),
    [
        (lambda x, y: x | y, lambda m: 2 * (1 - m)),
        (lambda x, y: x & y, lambda m: 2 * m),
        (lambda x, y: x ^ y, lambda m: 2 * (1 - 2 * m)),
        (lambda x, y: x != y, lambda m: 2 * (1 - 2 * m)),
        (lambda x, y: np.maximum(x, y), lambda m: 2 * (1 - m)),
        (lambda x, y: glauber.minimum(x, y), lambda m: 2 * m),
    ],
)
def test_conditions_combined_have_the_slope_of_their_expectation(seen, right):
    model = named("coins", None)
    run = glauber.rollout(
        model, 1, lambda s: {"v": seen(s["c"], s["c"].shift((0, 1))).mean(), "m": s["c"].mean()}, replicates=50, precision="f64"
    )
    value, gradient = run.value_and_grad({"p": 0.3}, "v")
    share = float(gradient.outputs.mean["m"])
    assert abs(gradient["p"] - right(share)) < 1e-9


def test_a_guarded_quotient_has_a_gradient_and_a_bare_one_says_why_not():
    def spreading(chance):
        def step(s):
            n = s["x"].neighbours("moore").sum()
            return s.bernoulli(s["x"] + (1 - s["x"]) * chance(n, s["p"]))

        return glauber.Model("s", (16, 16), {"x": "binary"}, step, parameters={"p": (0, 1)}, start=lambda s: s.bernoulli(0.05))

    model = spreading(lambda n, p: glauber.where(n > 0, p / n, 0))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*finite.*")
        value, gradient = glauber.value_and_grad(model, {"p": 0.3}, 3, "mean(x)", replicates=20)
    assert np.isfinite(gradient["p"]) and gradient["p"] > 0
    seen = glauber.simulate(model, {"p": 0.3}, steps=6, replicates=4)
    found = glauber.fit(model, glauber.Transition(seen, loss="likelihood"), {"p": 0.6}, optimizer="rprop", **{**SETTINGS, "steps": 60})
    # Five standard errors: a false alarm in 1.7 million.
    assert abs(found.params["p"] - 0.3) < 5 * found.standard_errors["p"]
    root = spreading(lambda n, p: 0.1 * p**0.5)
    with pytest.warns(UserWarning, match="no finite number, though the loss is"):
        glauber.value_and_grad(root, {"p": 0.0}, 3, "mean(x)")


def test_a_rule_that_reads_the_step_says_which_the_first_state_was_taken_for():
    model = glauber.Model(
        "fading", (16, 16), {"x": "binary"}, lambda s: s.bernoulli(s["p"] / s.step()), parameters={"p": (0, 1)},
        start=lambda s: s.bernoulli(0.5),
    )
    late = glauber.simulate(model, {"p": 0.6}, steps=12, replicates=6)["x"][:, 4:].copy()
    times = list(range(4, 13))
    for task in (glauber.Trajectory, glauber.Transition):
        more = {"summary": "mean(x)"} if task is glauber.Trajectory else {"loss": "likelihood"}
        guessed = glauber.fit(model, task(states=late, **more), {"p": 0.5}, optimizer="adam", **SETTINGS)
        assert any("as nobody said otherwise" in note and "`times=`" in note for note in guessed._remarks())
        said = glauber.fit(model, task(states=late, times=times, **more), {"p": 0.5}, optimizer="adam", **SETTINGS)
        assert not any("as nobody said otherwise" in note for note in said._remarks())
    still = glauber.fit(model, glauber.Stationary(late, summary="mean(x)", steps=6), {"p": 0.5}, optimizer="adam", **SETTINGS)
    assert any("has no stationary state" in note for note in still._remarks())


def test_snapshots_from_the_start_on_are_no_stationary_states():
    model = glauber.load("contact-process", update="synchronous", shape=(16, 16))
    run = glauber.simulate(model, {"lambda": 3.0}, steps=30, replicates=4)
    layer = next(iter(run))

    def fit(states):
        task = glauber.Stationary(states, summary=f"mean({layer})", steps=20)
        return glauber.fit(model, task, {"lambda": 2.0}, optimizer="adam", **SETTINGS)

    for states in ({layer: run[layer]}, run[layer], run):
        with pytest.raises(glauber.InputError, match="stationary"):
            fit(states)
    late = fit({layer: run[layer][:, 15:].copy()})
    assert any("nobody said when these states were seen" in note for note in late._remarks())
    carried_on = glauber.simulate(model, {"lambda": 3.0}, steps=20, replicates=4, start=dict(run.last), first_step=30)
    assert not any("nobody said when" in note for note in fit(carried_on)._remarks())


def test_the_truth_of_simulated_data_is_whole_and_what_the_fit_has_otherwise_is_said():
    model = glauber.load("susceptible-infected-recovered", shape=(12, 12))
    default = model.parameters["recovery"].default

    def fit(simulate, start, **more):
        task = glauber.Transition(simulate={"runs": 2, "steps": 4, **simulate}, loss="likelihood")
        return glauber.fit(model, task, start, optimizer="rprop", **SETTINGS, **more)

    both = {"infection": 0.6, "recovery": 0.3}
    found = fit({"parameters": {"infection": 0.3}}, both)
    assert found.truth == {"infection": 0.3, "recovery": default}
    assert any(f"`recovery` = {default:g}, its default" in note for note in found._remarks())
    found = fit({"parameters": {"infection": 0.3, "recovery": 0.1}}, {"infection": 0.6}, fixed={"recovery": 0.3})
    assert any("simulated at `recovery` = 0.1, and fitted with 0.3" in note for note in found._remarks())
    found = fit({"parameters": {"infection": 0.3, "recovery": 0.1}}, both)
    assert not any("simulated at" in note for note in found._remarks())


def test_a_simulation_does_not_overwrite_unasked(tmp_path):
    runs = glauber.simulate(named("own", None), {"p": 0.2})
    runs.save(tmp_path / "runs.npz")
    with pytest.raises(glauber.InputError, match="already there"):
        runs.save(tmp_path / "runs.npz")
    runs.save(tmp_path / "runs.npz", overwrite=True)

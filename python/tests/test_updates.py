"""Checks update schemes from Python: the words, what rules may do under them, what is refused, the examples."""

from __future__ import annotations

import pickle
import runpy

import glauber
import numpy as np
import pytest
from conftest import ROOT

EXAMPLES = ROOT / "examples" / "python"
SCHEMES = ["tasep", "kawasaki", "contact_process", "scratch_assay", "schelling"]


def example(name):
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))["model"]


def model_with(step, update="random-sequential", **settings):
    layers = settings.pop("layers", {"u": "binary"})
    lattice = settings.pop("lattice", (6, 6))
    return glauber.Model(
        "moving", lattice, layers, step, parameters={"p": (0, 1, 0.5)}, update=update,
        start=lambda s: dict.fromkeys(layers, s.bernoulli(0.4)), **settings,
    )  # fmt: skip


def swaps(s):
    s.swap_with(s.neighbour("von-neumann"), "u")


def votes(s):
    return s.bernoulli(s["u"].neighbours("von-neumann").mean())


def fingerprint(states):
    """The FNV-1a hash of bytes."""
    found = 0xCBF29CE484222325
    for byte in np.ascontiguousarray(states).tobytes():
        found = (found ^ byte) * 0x100000001B3 % 2**64
    return f"{found:016x}"


@pytest.mark.parametrize("name", SCHEMES)
def test_examples_are_short_and_give_the_bits_of_the_same_rule_in_rust(name):
    """`crates/engine/tests/schemes_in_python.rs` checks the same numbers of the models traced in Rust."""
    assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) <= 25
    model = example(name)
    runs = glauber.simulate(model, steps=6, replicates=3, seed=5, every=6)
    (states,) = (runs.last[layer] for layer in model.layers)
    known = dict(line.split() for line in (ROOT / "python/tests/schemes.txt").read_text().splitlines())
    assert states.dtype == np.uint8
    assert fingerprint(states) == known[name]


@pytest.mark.parametrize("name", SCHEMES)
def test_examples_have_a_model_file_of_the_same_process(name):
    """Means of the first layer over replicates agree, to 5 standard errors (false alarm below 1e-4 together)."""
    file = ROOT / "examples/models" / f"{name.replace('_', '-')}.toml"
    models = [example(name), glauber.load(file)]
    assert models[0].update == models[1].update or models[0].update.among[1] == 1
    assert models[0].shape == models[1].shape and models[0].lattice.boundary == models[1].lattice.boundary
    means = []
    for seed, model in enumerate(models):
        (states,) = glauber.simulate(model, steps=8, replicates=60, seed=seed, every=8).values()
        last = states[:, -1].reshape(60, -1).astype(float)
        numbers = np.stack([(last == 1).mean(axis=1), (last * np.roll(last, 1, axis=1)).mean(axis=1)])
        means.append((numbers.mean(axis=1), numbers.std(axis=1, ddof=1) / np.sqrt(60)))
    (a, own), (b, other) = means
    assert np.all(np.abs(a - b) <= 5 * np.hypot(own, other) + 1e-12), name


def test_the_update_is_known_and_can_be_another():
    voter = glauber.load("voter", shape=(8, 8))
    assert voter.update == "synchronous"
    for word in ("sublattices", "random-sequential"):
        other = voter.with_update(word)
        assert other.update == word and voter.update == "synchronous"
        assert pickle.loads(pickle.dumps(other)) == other
        assert word in repr(other) and word in other.show()
    assert voter.with_update("synchronous") is voter
    chosen = glauber.RandomSequential(among=("opinion", 1), events=7)
    assert voter.with_update(chosen).update == chosen
    each = glauber.RandomSequential(order="permutation")
    assert voter.with_update(each).update == each
    assert "colours 2" in voter.with_update("sublattices").show()


def test_named_states_are_named_in_updates_and_rules():
    def step(s):
        there = s.neighbour("von-neumann")
        s.move_to(there, "cell", left="gap", when=there["cell"] == "gap")

    model = glauber.Model(
        "cells", (8, 8), {"cell": ["gap", "left", "right"]}, step,
        update=glauber.RandomSequential(among=("cell", "right"), events=5),
        start=lambda s: s.categorical([0.4, 0.3, 0.3]),
    )  # fmt: skip
    assert model.update.among == ("cell", "right")
    runs = glauber.simulate(model, steps=20, seed=1)["cell"][0]
    counts = np.array([[(frame == state).sum() for state in range(3)] for frame in runs])
    assert np.all(counts == counts[0]) and np.any(runs[0] != runs[-1])
    # Who is not picked is moved by nobody.
    assert np.array_equal(runs[0] == 1, runs[-1] == 1)


def test_layers_of_which_the_rule_says_nothing_stay():
    model = model_with(swaps, layers={"u": "binary", "still": "binary"})
    runs = glauber.simulate(model, steps=5, seed=2)
    assert np.array_equal(runs["still"][0, 0], runs["still"][0, -1])
    assert not np.array_equal(runs["u"][0, 0], runs["u"][0, -1])


def test_fixed_edges_are_not_there():
    def step(s):
        there = s.neighbour([(0, 1)])
        s.next("u").set(there.exists())
        s.next("u").set_at(there, 1)

    model = model_with(step, lattice=glauber.Lattice((2, 5), boundary=0), update="sublattices")
    (frame,) = glauber.simulate(model, steps=1, seed=1).last["u"]
    assert frame[:, :4].all()


def test_places_anywhere_have_coordinates():
    """Long jumps along a row alone."""

    def step(s):
        there = s.anywhere()
        row = s.coordinate(0)
        s.swap_with(there, "u", when=row.at(there) == row)

    runs = glauber.simulate(model_with(step), steps=9, seed=3)["u"][0]
    assert np.array_equal(runs[0].sum(axis=1), runs[-1].sum(axis=1))
    assert np.any(runs[0] != runs[-1])


@pytest.mark.parametrize(
    ("update", "step", "kind", "words"),
    [
        ("randomly", votes, glauber.InputError, "there is no update"),
        ("sublatices", votes, glauber.InputError, "did you mean `sublattices`"),
        (7, votes, glauber.InputError, r"glauber\.RandomSequential"),
        ("synchronous", swaps, glauber.ModelError, 'give update="random-sequential"'),
        ("sublattices", lambda s: s.swap_with(s.anywhere(), "u"), glauber.ModelError, "whole lattice"),
        ("continuous-time", votes, glauber.ModelError, r"s\.rates\(\["),
        ("random-sequential", lambda s: s.rates([1.0]) * 0, glauber.ModelError, 'update="continuous-time"'),
        ("random-sequential", lambda s: s.bernoulli(s["u"].mean()), glauber.ModelError, "whole lattice"),
        (
            "random-sequential",
            lambda s: s.bernoulli(0.5).shift((0, 1)),
            glauber.ModelError,
            r"s\.next\(layer\)\.set_at, s\.move_to",
        ),
        ("continuous-time", lambda s: s.rates(s["u"]) * 0, TypeError, "a list of rates"),
        ("continuous-time", lambda s: s.rates([]) * 0, glauber.ModelError, "at least one rate"),
        (
            "continuous-time",
            lambda s: (s.rates([1]), s.rates([2])) and 0,
            glauber.ModelError,
            r"s\.rates\(\[a, b",
        ),
        ("random-sequential", lambda s: s["u"].at((0, 1)), TypeError, r"s\.neighbour\("),
        ("random-sequential", lambda s: s.swap_with("u", "u"), TypeError, "a picked site is wanted"),
        ("random-sequential", lambda s: s.neighbour("mooore"), ValueError, '"moore", "von-neumann"'),
        ("random-sequential", lambda s: s.neighbour({(0, 1): -1.0}), glauber.ModelError, "0 or more"),
        ("random-sequential", lambda s: s.anywhere()["v"], glauber.ModelError, "called `v`"),
        ("random-sequential", lambda s: s.anywhere().u, AttributeError, r'there\["layer"\]'),
        ("random-sequential", lambda s: s.next("u").set_at(s.anywhere(), 2), glauber.ModelError, "cannot hold"),
        (
            "random-sequential",
            lambda s: s.next("u").set_at(s.anywhere(), "on"),
            TypeError,
            "what layer `u` becomes is a str",
        ),
        (
            "random-sequential",
            lambda s: s.neighbour_towards(3, [(0, 1), (1, 0)])["u"],
            glauber.ModelError,
            "0 to 1",
        ),
        (glauber.RandomSequential(among=("v", 1)), votes, glauber.InputError, "no layer `v`"),
        (glauber.RandomSequential(among=("u", 2)), votes, glauber.ModelError, "it is never that"),
        (glauber.RandomSequential(among=("u", "on")), votes, glauber.InputError, "state of layer `u`"),
    ],
)
def test_mistakes(update, step, kind, words):
    with pytest.raises(kind, match=words):
        model_with(step, update)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"order": "random"}, '"replacement" or "permutation"'),
        ({"events": 0}, "events of a step"),
        ({"events": True}, "events of a step are True"),
        ({"among": "u"}, "a layer and a state"),
        ({"among": ("u", 1), "order": "permutation"}, "leave out one"),
    ],
)
def test_mistakes_of_random_sequential(settings, words):
    with pytest.raises(glauber.InputError, match=words):
        glauber.RandomSequential(**settings)


def test_sublattices_that_do_not_close_are_refused_with_lengths_that_do():
    with pytest.raises(glauber.ModelError, match="that will do are 38 × 38"):
        model_with(votes, "sublattices", lattice=(37, 37))
    with pytest.raises(glauber.ModelError, match="leads back to what the site"):
        model_with(swaps, "sublattices", lattice=(2, 2))


def test_what_was_run_before_a_rate_passed_its_bound_is_kept():
    def grows(s):
        return s["n"] + (s.rates([0.2 + 0.2 * s["n"]], most=1) == 0)

    model = glauber.Model("m", (8, 8), {"n": (0, 99)}, grows, update="continuous-time", start=lambda s: 0)
    with pytest.raises(glauber.RunError, match="`rates` of a site add up to 1.2.* times .*what was run before") as raised:
        glauber.simulate(model, steps=99, seed=1)
    kept = raised.value.simulation
    assert 1 < raised.value.step < 40 and kept.times[-1] == raised.value.step - 1
    again = glauber.simulate(model, steps=raised.value.step - 1, seed=1)
    assert np.array_equal(again["n"], kept["n"])


def test_agents_that_die_out_are_an_error_that_says_so():
    model = model_with(lambda s: 0, glauber.RandomSequential(among=("u", 1)))
    with pytest.raises(glauber.RunError, match="no site is left where u is 1"):
        glauber.simulate(model, steps=9, seed=1)
    # What was run before is not lost.
    slowly = model_with(lambda s: s["u"] * s.bernoulli(0.5), glauber.RandomSequential(among=("u", 1)))
    with pytest.raises(glauber.RunError, match="what was run before") as raised:
        glauber.simulate(slowly, steps=99, replicates=3, seed=1)
    kept = raised.value.simulation
    assert len(kept.times) == raised.value.step and kept["u"][:, 0].sum() > kept["u"][:, -1].sum() > 0
    again = glauber.simulate(slowly, steps=int(kept.times[-1]), replicates=3, seed=1)
    assert np.array_equal(again["u"], kept["u"])


def test_where_no_agent_is_left_at_the_start_that_is_kept():
    model = model_with(lambda s: s["u"] * s.bernoulli(0.5), glauber.RandomSequential(among=("u", 1)))
    with pytest.raises(glauber.RunError, match="the state at the start is the `.simulation`") as raised:
        glauber.simulate(model, steps=5, every=2, replicates=2, start={"u": np.zeros((6, 6), int)})
    kept = raised.value.simulation
    assert list(kept.times) == [0] and kept["u"].shape == (2, 1, 6, 6) and not kept["u"].any()


def test_agents_stay_agents_under_another_update():
    assay = glauber.load("scratch-assay", shape=(12, 16))
    for update in ["random-sequential", glauber.RandomSequential()]:
        again = assay.with_update(update)
        runs = [glauber.simulate(model, steps=4, seed=3)["cell"] for model in (assay, again)]
        assert again.update == assay.update and np.array_equal(*runs)
    empty = {"cell": np.zeros((12, 16), int)}
    fewer = assay.with_update(glauber.RandomSequential(events=5))
    assert fewer.update == glauber.RandomSequential(among=("cell", 1), events=5)
    with pytest.raises(glauber.RunError, match="no site is left where cell is 1"):
        glauber.simulate(fewer, steps=1, start=empty)
    for update in ["sublattices", "synchronous", glauber.RandomSequential(order="permutation")]:
        with pytest.raises(glauber.ModelError, match="one for agents, .*`cell` is 1.* write the condition into the rule"):
            assay.with_update(update)
    for name in ["scratch-assay", "schelling"]:
        with pytest.raises(glauber.InputError, match=r"has no option `update`.*\.with_update\(…\)"):
            glauber.load(name, update="sublattices")


def test_choices_without_effect_are_told():
    model = model_with(votes, glauber.RandomSequential(order="permutation", events=9))
    assert model.with_update("random-sequential") is model
    with pytest.warns(UserWarning, match=r"\(order = permutation, events = 9\) are without effect under sublattices"):
        other = model.with_update("sublattices")
    assert any("without effect" in note for note in other.notes)


def test_the_catalogue_has_another_rule_for_all_sites_at_once():
    contact = glauber.load("contact-process", shape=(8, 8))
    with pytest.raises(glauber.ModelError, match=r'glauber\.load\("contact-process", update="synchronous"\)'):
        contact.with_update("synchronous")
    assert glauber.load("contact-process", update="synchronous").update == "synchronous"


def test_routes_that_do_not_exist_are_not_recommended():
    anywhere = model_with(lambda s: s.anywhere()["u"])
    assert "sublattices" not in anywhere.why_no_likelihood and "Trajectory" in anywhere.why_no_likelihood
    assert 'update="sublattices"' in model_with(votes).why_no_likelihood
    seen = glauber.simulate(model_with(votes), steps=2)
    for ways in [{}, {"estimator": "differences"}, {"optimizer": "nelder-mead"}]:
        with pytest.raises((glauber.InputError, glauber.ModelError), match="no fit of the state at the start is offered"):
            glauber.fit(model_with(votes), glauber.InitialState(seen, {}), steps=3, progress=False, **ways)
    field = glauber.Model(
        "risky", (6, 6), {"u": "binary"}, lambda s: s.bernoulli(s.field("risk")), fields={"risk": (0, 1)},
        start=lambda s: 0, update="random-sequential",
    )  # fmt: skip
    with pytest.raises(glauber.InputError, match="none by a parameter field") as raised:
        field.show("straight-through")
    assert "take it" not in str(raised.value)
    summed = glauber.Model(
        "cells", (6, 6), {"c": glauber.labels(3)}, lambda s: glauber.where(s.of_cell(s.cell_sum(0.5, "c"), 1) > 2, 1, 0),
        start=lambda s: 0, update="sublattices",
    )  # fmt: skip
    with pytest.raises(glauber.ModelError, match="sum whole numbers of fine units, and divide where the sum is read") as raised:
        summed.with_update("random-sequential")
    assert "  " not in str(raised.value)


@pytest.mark.parametrize("edge", [0, 1])
def test_what_meets_a_fixed_edge(edge):
    """What moves or changes places stays; what the rule takes away for a site out there is gone."""

    def run(rule):
        def step(s):
            rule(s, s.neighbour_towards(0, [1]))

        model = glauber.Model(
            "edge", glauber.Lattice((5,), boundary=edge), {"u": "binary"}, step, start=lambda s: 1 - edge, update="sublattices"
        )
        return glauber.simulate(model, steps=9)["u"][0].sum(axis=1)

    def writes(s, there):
        s.next("u").set(0)
        s.next("u").set_at(there, s["u"])

    assert (run(lambda s, there: s.move_to(there, "u", when=s["u"] * (1 - there["u"]))) == 5 * (1 - edge)).all()
    assert (run(lambda s, there: s.swap_with(there, "u")) == 5 * (1 - edge)).all()
    assert run(writes)[-1] == 0


@pytest.mark.parametrize("most", [0, -1])
def test_a_bound_of_nothing_is_refused(most):
    with pytest.raises(glauber.ModelError, match=r"highest sum of rates \(most\) is 0 or less"):
        model_with(lambda s: glauber.where(s.rates([s["u"] + 0.5], most=most) == 0, 1, s["u"]), "continuous-time")


@pytest.mark.parametrize("rates", [lambda s: s.rates([0.5], most=s["p"])])
def test_rates_above_a_bound_of_nothing_are_named(rates):
    model = model_with(lambda s: glauber.where(rates(s) == 0, 1, s["u"]), "continuous-time")
    with pytest.raises(glauber.RunError, match="give a higher one"):
        glauber.simulate(model, {"p": 0}, steps=3, seed=1)


def test_exchanges_by_half_are_refused():
    model = model_with(lambda s: s.swap_with(s.neighbour("moore"), "u", when=s["p"]), "random-sequential")
    with pytest.raises(glauber.RunError, match=r"`when` of swap_with is 0\.25.*s\.bernoulli"):
        glauber.simulate(model, {"p": 0.25}, steps=3, seed=1)


def test_states_of_another_update_are_told():
    news = glauber.load("ising", shape=(16, 16))
    other = glauber.load("ising", shape=(16, 16), update="random-sequential")
    given = {"beta": 0.35, "field": 0.1}
    for model, words in [(news, 0), (other, 1)]:
        seen = glauber.simulate(model, given, steps=4, replicates=2, seed=3)
        assert seen.update == model.update
        task = glauber.Transition(seen, loss="likelihood")
        found = glauber.fit(news, task, {"beta": 0.2, "field": 0.0}, optimizer="rprop", steps=5, progress=False)
        assert sum("the states were simulated under" in note for note in found.notes) == words


def test_a_search_goes_on_where_agents_die_out():
    model = model_with(
        lambda s: s["u"] * s.bernoulli(1 - s["p"]), glauber.RandomSequential(among=("u", 1)), lattice=(20, 20)
    )
    seen = {"parameters": {"p": 0.1}, "runs": 8, "steps": 6, "seed": 1}
    task = glauber.Trajectory(simulate=seen, summary="mean(u)")
    found = glauber.fit(model, task, {"p": 0.6}, optimizer={"name": "cma-es", "spread": 1.0}, steps=30, progress=False)
    assert abs(found.params["p"] - 0.1) < 0.02
    with pytest.raises(glauber.RunError, match="no site is left where u is 1"):
        glauber.simulate(model, {"p": 0.97}, steps=6, replicates=8, seed=1)


def test_a_rate_above_its_bound_is_named():
    def step(s):
        event = s.rates([8 * s["p"]], most=2)
        return glauber.where(event == 0, 1, s["u"])

    model = model_with(step, "continuous-time")
    with pytest.raises(glauber.RunError, match=r"`rates` of a site add up to 2 times .* s\.rates\(\[…\], most=…\)"):
        glauber.simulate(model, {"p": 0.5}, steps=1)
    unbounded = glauber.Model(
        "driven", (4, 4), {"u": "binary"}, lambda s: glauber.where(s.rates([s["drive"]]) == 0, 1, s["u"]),
        covariates=["drive"], start=lambda s: 0, update="continuous-time",
    )  # fmt: skip
    with pytest.raises(glauber.RunError, match=r"s\.rates\(\[…\], most = …\) .in a model file"):
        glauber.simulate(unbounded, steps=1, fields={"drive": np.ones((4, 4))})


@pytest.mark.parametrize("update", ["random-sequential", "continuous-time"])
def test_what_has_no_way_back_is_refused_by_name_and_searches_do(update):
    def step(s):
        if update == "continuous-time":
            event = s.rates([s["p"] * (1 - s["u"])])
            return glauber.where(event == 0, 1, s["u"])
        return glauber.where(s.bernoulli(s["p"]), 1, s["u"])

    model = model_with(step, update, lattice=(12, 12))
    words = f'update="{update}" has no gradient'
    run = glauber.rollout(model, 2, "mean(u)", replicates=50)
    seen = run({"p": 0.3}, seed=1)["mean(u)"]
    assert 0.4 < seen[()] < 1
    for refused in (
        lambda: run.value_and_grad({"p": 0.3}),
        lambda: glauber.value_and_grad(model, {"p": 0.3}, 2, "mean(u)"),
        lambda: model.show("straight-through"),
    ):
        with pytest.raises(glauber.InputError, match=words):
            refused()
    checked = glauber.check(model, {"p": 0.3}, replicates=20)
    assert list(checked.estimators) == ["differences"] and any("no gradient" in note for note in checked.notes)
    assert not model.likelihood and "glauber.Trajectory" in model.why_no_likelihood
    truth = {"runs": 20, "steps": 4, "seed": 3, "parameters": {"p": 0.3}}
    tasks = [
        glauber.Trajectory(simulate=truth, summary="mean(u)"),
        glauber.Transition(simulate=truth, loss="count"),
    ]
    for task in tasks:
        with pytest.raises(glauber.InputError, match=words):
            glauber.fit(model, task, {"p": 0.6}, steps=3)
        found = glauber.fit(
            model, task, {"p": 0.6}, optimizer="nelder-mead", steps=30, replicates=200
            if isinstance(task, glauber.Trajectory)
            else None,
        )
        assert abs(found.params["p"] - 0.3) < 0.1, found
        assert any(f"update {update}" in note for note in found.notes)
    with pytest.raises(glauber.InputError, match="no exact likelihood"):
        glauber.fit(model, glauber.Transition(simulate=truth, loss="likelihood"), {"p": 0.6})


def test_sublattices_have_a_likelihood_and_every_gradient():
    def step(s):
        spin = 2 * s["up"] - 1
        around = spin.neighbours("von-neumann").sum()
        return s.bernoulli((2 * s["beta"] * around).sigmoid())

    ising = glauber.Model(
        "ising", (16, 16), {"up": "binary"}, step, parameters={"beta": (0, 2)},
        start=lambda s: s.bernoulli(0.5), update="sublattices",
    )  # fmt: skip
    assert ising.likelihood
    seen = glauber.simulate(ising, {"beta": 0.3}, steps=20, replicates=4, seed=1)
    found = glauber.fit(ising, glauber.Transition(seen, loss="likelihood"), {"beta": 0.1}, optimizer="rprop", steps=60)
    assert abs(found.params["beta"] - 0.3) < 4 * found.standard_errors["beta"]
    assert glauber.check(ising, {"beta": 0.3}, replicates=50).estimators

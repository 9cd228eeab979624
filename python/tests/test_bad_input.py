"""Checks that wrong data, settings and losses are refused with a message that says what to give instead."""

from __future__ import annotations

import math
import sys

import glauber
import numpy as np
import pytest

NEWS = glauber.load("susceptible-infected", shape=(8, 8))
SEEN = glauber.simulate(NEWS, {"beta": 0.3}, steps=4)["aware"]
RUN = glauber.rollout(NEWS, 3, "mean(aware)", replicates=4)
IMAGE = np.random.default_rng(1).random((16, 16))
WALK_START = {"p_center": 0.3, "p_resample": 0.3}


def expect(kind, words, call):
    with pytest.raises(kind, match=words):
        call()


@pytest.mark.parametrize(
    ("rule", "kind", "words"),
    [
        (lambda s: sum(x for x in s["u"]), TypeError, r"x\.neighbours"),
        (lambda s: len(s["u"]), TypeError, r"x\.sum\(\)"),
        (lambda s: s["u"][0, 0], TypeError, r"x\.shift"),
        (lambda s: [0 for _ in range(s["u"])], TypeError, "fixed number of times"),
        (lambda s: f"{s['u']:.2f}", TypeError, "cannot be formatted"),
        (lambda s: round(s["u"], 1), TypeError, r"glauber\.round"),
        (lambda s: 0 < s["u"] < 1, TypeError, "combine conditions with `&`"),
        (lambda s: np.sum(s["u"], axis=0), TypeError, "does not take axis="),
        (lambda s: np.zeros((4, 4)), TypeError, r'covariates=\["name"\]'),
        (lambda s: setattr(s, "u", 1), TypeError, r's\.next\("u"\)\.set\(value\)'),
        (lambda s: None, glauber.ModelError, r's\.next\("u"\)\.set\(s\.layer\("u"\)\)'),
        (lambda s: s["u"].shift((0.5, 1)), TypeError, "whole number"),
    ],
)
def test_what_python_cannot_do_with_a_traced_value(rule, kind, words):
    expect(kind, words, lambda: glauber.Model("m", (4, 4), {"u": "binary"}, rule, start=lambda s: 0))


def test_conditions_of_which_exactly_one_holds():
    model = glauber.Model(
        "either",
        (4, 4),
        {"u": "binary"},
        lambda s: (s["u"] == 1) ^ (s.coordinate(0) < 2),
        start=lambda s: s.coordinate(1) < 2,
    )
    y, x = np.mgrid[:4, :4]
    assert np.array_equal(model.simulate(steps=1)["u"][0, 1], (x < 2) ^ (y < 2))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"layers": ["u"]}, "layers is .*give a dictionary"),
        ({"parameters": ["p"]}, "parameters is .*give a dictionary"),
        ({"fields": ["f"]}, "fields is .*give a dictionary"),
        ({"covariates": 3}, "give a list of names"),
        ({"lattice": glauber.Lattice}, "give a whole number"),
    ],
)
def test_declarations_of_the_wrong_kind(settings, words):
    given = {"lattice": (4, 4), "layers": {"u": "binary"}, "step": lambda s: s["u"], **settings}
    expect(TypeError, words, lambda: glauber.Model("m", **given))


@pytest.mark.parametrize(
    ("task", "kind", "words"),
    [
        (glauber.Transition(5), glauber.InputError, "the data given"),
        (glauber.Transition([[1, 2], [3]]), glauber.InputError, "differ in length"),
        (glauber.Transition({"wear": SEEN}), glauber.InputError, "no array for layer `aware`.*only wear"),
        (glauber.Transition(np.where(SEEN, np.nan, 0.0)), glauber.InputError, "holds nan at"),
        (glauber.Transition(simulate=3), TypeError, "simulate is 3: give a dictionary"),
        (glauber.Transition(simulate={"stepz": 3}), glauber.InputError, "did you mean `steps`"),
        (glauber.Transition(simulate={"parameters": [0.3]}), TypeError, "give a dictionary"),
        (glauber.Transition(SEEN, compare=3), TypeError, "compare is 3: give a list of names"),
        (
            glauber.Trajectory(states=SEEN, summary="mean(aware)", at=[99]),
            glauber.InputError,
            "no value at step 99",
        ),
        (glauber.Stability(np.zeros((8, 8)), steps=0), glauber.InputError, "steps is 0"),
        (glauber.InitialState(SEEN[0, 1:], 0.3, steps=1), TypeError, "the parameters is 0.3: give a dict"),
        (
            glauber.InitialState(SEEN[0, 1:], {"beta": 0.3}, steps=1, start_sites=1000),
            glauber.InputError,
            "from 1 to 64",
        ),
    ],
)
def test_data_of_tasks(task, kind, words):
    expect(kind, words, lambda: glauber.fit(NEWS, task, steps=2, progress=False))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"msd": np.zeros((3, 3))}, "one number per lag"),
        ({"msd": [1, math.nan]}, "msd holds nan"),
        ({"msd": [-1.0, 2]}, "not negative"),
        ({"msd": "t-cell"}, "did you mean `t-cells`"),
        ({"tracks": np.zeros((10, 3))}, r"rows \(track, time, x, y\)"),
        ({"tracks": "nowhere.csv"}, "no such file"),
        ({"msd": [1, 2], "tracks": np.zeros((3, 4))}, "give one of"),
        ({"msd": [1, 2], "lags": -1}, "at least 1"),
    ],
)
def test_data_of_walks(data, words):
    walk = glauber.load("persistent-random-walk")
    expect(
        glauber.InputError,
        words,
        lambda: glauber.fit(walk, glauber.Trajectory(**data), WALK_START, steps=2, progress=False),
    )


@pytest.mark.parametrize(
    ("settings", "kind", "words"),
    [
        ({"start": {"beta": None}}, TypeError, "start of `beta` is None"),
        ({"start": {"beta": math.nan}}, glauber.InputError, "finite"),
        ({"start": [0.3]}, TypeError, "give a dictionary"),
        ({"optimizer": 3}, TypeError, "the optimizer is 3: give its name"),
        ({"estimator": 3}, TypeError, "the estimator is 3: give its name"),
        ({"progress": "yes"}, TypeError, "progress is 'yes'"),
        ({"fields": 3}, TypeError, "fields is 3: give a dictionary"),
        ({"threads": -1}, glauber.InputError, "threads is -1"),
        ({"seed": "a"}, TypeError, "seed is 'a': give a whole number"),
        ({"memory": "much"}, glauber.InputError, '"2 GiB"'),
        ({"precision": "f16"}, glauber.InputError, "`f32`, `f64`"),
        ({"learning_rate": -1}, glauber.InputError, "above 0"),
        ({"average": 2}, glauber.InputError, r"\[0, 1\]"),
    ],
)
def test_settings_of_fits(settings, kind, words):
    given = {"start": {"beta": 0.3}, "steps": 2, "progress": False, **settings}
    expect(kind, words, lambda: glauber.fit(NEWS, glauber.Transition(SEEN), **given))


def test_models_rollouts_and_files_of_the_wrong_kind():
    for call in (
        lambda: glauber.simulate("voter"),
        lambda: glauber.rollout("voter", 3),
        lambda: glauber.check("voter"),
        lambda: glauber.fit("voter", glauber.Transition(SEEN)),
    ):
        expect(TypeError, r'glauber\.load\("voter"\)', call)
    expect(TypeError, "give a text or a pathlib.Path", lambda: glauber.fit_file(3))
    expect(TypeError, "overrides is .*give a dictionary", lambda: glauber.fit_file("nowhere.toml", ["a"]))
    expect(glauber.InputError, "no layer `0`", lambda: glauber.simulate(NEWS, [0.3])[0])
    expect(TypeError, "give a dictionary", lambda: glauber.simulate(NEWS, np.zeros((1, 1))))


def test_objectives_and_simulators():
    objective = glauber.objective(NEWS, glauber.Transition(SEEN), {"beta": 0.3})
    of_run = RUN.objective(fitted="beta")
    for f in (objective, of_run):
        expect(glauber.InputError, "give 1", lambda f=f: f([0.1, 0.2]))
        expect(glauber.InputError, r"θ holds nan at \(0,\)", lambda f=f: f([math.nan]))
        expect(TypeError, "complex numbers", lambda f=f: f([1j]))
        expect(TypeError, "text", lambda f=f: f("x"))
    expect(glauber.InputError, "no parameter", lambda: RUN.objective(fixed={"b": 1}))
    expect(TypeError, "the loss is 3: give a function", lambda: RUN.objective(3)([0.2]))
    expect(TypeError, "the slope of output", lambda: RUN.objective(lambda m: (1.0, "x"))([0.2]))
    expect(TypeError, "the value of the loss is 'x'", lambda: RUN.objective(lambda m: ("x", 1.0))([0.2]))
    simulator = RUN.simulator("beta")
    expect(glauber.InputError, r"\[batch, parameter\]", lambda: simulator(np.zeros(3)))
    expect(glauber.InputError, "holds nan", lambda: simulator([math.nan]))
    expect(TypeError, "parameter `beta` is 'x'", lambda: simulator({"beta": "x"}))


def test_runs_that_no_memory_holds_are_refused_before_they_start():
    voter = glauber.load("voter", shape=(2048, 2048))
    expect(glauber.InputError, "fewer replicates", lambda: voter.rollout(1, replicates=10**6)())
    run = voter.rollout(1, "mean(opinion)", replicates=10**6)
    expect(glauber.InputError, "fewer replicates", lambda: run.value_and_grad(wrt_start=True))
    expect(glauber.InputError, "fewer with every=", lambda: voter.simulate(steps=10**4, replicates=100))


@pytest.mark.parametrize(
    ("image", "settings", "kind", "words"),
    [
        ("cells.png", {}, TypeError, "read it first"),
        ((IMAGE * 255).astype(int), {}, glauber.InputError, "give it as uint8 or uint16"),
        (IMAGE - 1, {}, glauber.InputError, r"\[0, 1\]"),
        (np.where(IMAGE > 0.5, np.nan, IMAGE), {}, glauber.InputError, "holds nan"),
        (np.zeros((0, 5)), {}, glauber.InputError, "nothing to segment"),
        (IMAGE, {"preset": "cell"}, glauber.InputError, "did you mean `cells`"),
        (IMAGE, {"truth": np.zeros((3, 3))}, glauber.InputError, "give both alike"),
        (IMAGE, {"steps": 0}, glauber.InputError, "from 1"),
        (IMAGE, {"rate": math.nan}, glauber.InputError, "finite"),
        (IMAGE, {"threshold": 2}, glauber.InputError, "0 to 1"),
        (IMAGE, {"objects": "both"}, glauber.InputError, '"bright", "dark" or "detect"'),
        (IMAGE, {"flatten": 9}, glauber.InputError, "from 0 to 4"),
        (IMAGE, {"threads": -1}, glauber.InputError, "threads is -1"),
    ],
)
def test_images_and_their_settings(image, settings, kind, words):
    expect(kind, words, lambda: glauber.segment(image, **settings))


def test_models_stored_by_another_version_or_damaged():
    stored, covariates = NEWS._native.stored()
    restored = glauber._glauber.Model.restored
    other = stored.replace(glauber.__version__.encode(), b"0.0.9"[: len(glauber.__version__)])
    expect(
        glauber.InputError, "stored by glauber .*build the model again", lambda: restored(other, covariates)
    )
    expect(glauber.InputError, "build the model again", lambda: restored(stored[:-3], covariates))


def test_jax_says_what_to_give():
    jax = pytest.importorskip("jax", reason="JAX is not installed, so glauber.jax was not run")
    import glauber.jax

    f = glauber.jax.rollout(RUN)
    expect(TypeError, "the rollout is 'x'", lambda: glauber.jax.rollout("x"))
    expect(TypeError, "give a dictionary", lambda: f(jax.numpy.array([0.3])))
    expect(TypeError, "parameter `beta` is 'x'", lambda: f({"beta": "x"}))
    expect(glauber.InputError, "outside its interval", lambda: f({"beta": math.nan}))
    expect(glauber.InputError, r"jax\.vmap", lambda: f({"beta": np.array([0.1, 0.2])}))
    expect(glauber.InputError, "shape", lambda: f({"beta": 0.3}, start={"aware": np.zeros((3, 3))}))
    expect(glauber.InputError, "seed", lambda: f({"beta": 0.3}, seed=2**64))
    expect(TypeError, "whole number", lambda: f({"beta": 0.3}, seed=1.5))


def test_torch_says_what_to_give():
    torch = pytest.importorskip(
        "torch",
        reason="PyTorch is not installed, so glauber.torch was not run (cargo xtask test --full does)",
    )
    import glauber.torch

    f = glauber.torch.rollout(RUN)
    expect(TypeError, "the rollout is 'x'", lambda: glauber.torch.rollout("x"))
    expect(TypeError, "give a dictionary", lambda: f([0.3]))
    expect(TypeError, "parameter `beta` is 'x'", lambda: f({"beta": "x"}))
    expect(TypeError, "complex numbers", lambda: f({"beta": torch.tensor(1j)}))
    expect(glauber.InputError, "outside its interval", lambda: f({"beta": torch.tensor(math.nan)}))
    expect(glauber.InputError, r"\[batch, parameter\]", lambda: f({"beta": torch.tensor([0.1, 0.2])}))
    expect(TypeError, "start is a Tensor", lambda: f({"beta": 0.3}, start=torch.zeros(8, 8)))
    expect(glauber.InputError, "shape", lambda: f({"beta": 0.3}, start={"aware": torch.zeros(3, 3)}))
    expect(TypeError, "whole number", lambda: f({"beta": 0.3}, seed=1.5))
    expect(glauber.InputError, "at least one row", lambda: f(torch.zeros(0, 1)))

def test_parameters_that_are_no_numbers_are_refused_in_true_words():
    model = glauber.load("susceptible-infected", shape=(8, 8))
    with pytest.raises(TypeError, match="parameter `beta` is '0.3'"):
        glauber.simulate(model, {"beta": "0.3"}, steps=2)
    with pytest.raises(glauber.InputError, match="`beta` .* is None: give a number"):
        glauber.simulate(model, {"beta": None}, steps=2)


def test_steps_of_a_trajectory_are_counted_as_they_are_compared():
    model = glauber.load("susceptible-infected", shape=(8, 8))
    seen = glauber.simulate(model, {"beta": 0.3}, steps=20, replicates=4)

    def fitted(at):
        task = glauber.Trajectory(seen, summary="mean(aware)", at=at)
        return glauber.fit(model, task, {"beta": 0.3}, steps=2, replicates=4, progress=False)

    assert any("of these 20 times 2 are compared" in note and "2, 3" in note for note in fitted([2, 3]).notes)
    for at in ([3, 3], [3, 2]):
        with pytest.raises(glauber.InputError, match="give steps in rising order, each once"):
            fitted(at)


def test_an_objective_without_a_gradient_says_so():
    model = glauber.load("susceptible-infected-recovered", shape=(8, 8))
    task = glauber.Observation("count(state=infected)", np.array([3.0, 4.0, 6.0]), noise="poisson")
    f = glauber.objective(model, task, {"infection": 0.2, "recovery": 0.1})
    assert np.isfinite(f.value(f.x0))
    with pytest.raises(glauber.InputError, match=r"has no gradient: call f.value.*jac=False"):
        f(f.x0)


def test_a_misspelt_state_of_regions_is_quoted():
    model = glauber.load("susceptible-infected-recovered", shape=(4, 4))
    task = glauber.Observation("regions(state=infectd)", np.zeros((3, 2)), regions=np.arange(16).reshape(4, 4) // 8)
    with pytest.raises(glauber.InputError, match=r"`regions\(state=infectd\)`.*did you mean `infected`.*write regions"):
        glauber.fit(model, task, {"infection": 0.2, "recovery": 0.1}, steps=2, progress=False)


def test_what_readers_said_is_noted_on_the_exception(tmp_path):
    np.savez(tmp_path / "seen.npz", aware=np.full((3, 4, 4), 2), seeds=np.ones(2))
    (tmp_path / "fit.toml").write_text(
        'model = "susceptible-infected"\ntask = "transition"\n[model-options]\nshape = [4, 4]\n[data]\n'
        'states = "seen.npz"\n[start]\nbeta = 0.3\n'
    )
    with pytest.raises(glauber.InputError, match="2 is not one of binary values") as raised:
        glauber.fit_file(str(tmp_path / "fit.toml"))
    # Before 3.11 exceptions have no notes.
    if sys.version_info >= (3, 11):
        assert any("the array `seeds` is not read" in note for note in raised.value.__notes__)

"""Checks that every mistake gets a Python exception that says what to do."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
import traceback

import glauber
import life
import numpy as np
import pytest


def model_with(step, **settings):
    layers = settings.pop("layers", {"u": "binary"})
    return glauber.Model(
        "mistaken",
        (6, 6),
        layers,
        step,
        parameters={"p": (0, 1)},
        start=lambda s: dict.fromkeys(layers, 0),
        **settings,
    )


@pytest.mark.parametrize(
    ("step", "kind", "words"),
    [
        (lambda s: 1 if s["u"] > 0 else 0, TypeError, r"glauber\.where\(condition, yes, no\)"),
        (lambda s: s["u"] and s["p"], TypeError, "combine conditions with `&`"),
        (lambda s: math.exp(s["p"]), TypeError, r"np\.exp\(x\) in place of math\.exp\(x\)"),
        (lambda s: np.array([1.0, 2.0]) * s["u"], TypeError, r'covariates=\["name"\]'),
        (lambda s: s["u"] * np.ones((6, 6)), TypeError, r'covariates=\["name"\]'),
        (lambda s: np.asarray(s["u"]), TypeError, "a traced value is no array"),
        (lambda s: np.linalg.norm(s["u"]), TypeError, "a traced value is no array|engine's instructions"),
        (lambda s: np.sort(s["u"]), TypeError, "engine's instructions"),
        (lambda s: np.add.reduce([s["u"]]), TypeError, "engine's instructions|unsupported|no array"),
        (lambda s: s["u"] + "a", TypeError, "unsupported operand"),
        (lambda s: s["u"] * math.nan, glauber.ModelError, "NaN"),
        (lambda s: s["v"], glauber.ModelError, "no layer, parameter or field called `v`"),
        (lambda s: s.parameter("pp"), glauber.ModelError, "did you mean `p`"),
        (lambda s: s.layer("uu"), glauber.ModelError, "no layer called `uu`"),
        (lambda s: s.u, AttributeError, r's\["u"\]'),
        (lambda s: s.__setitem__("u", 1), TypeError, r's\.next\("u"\)\.set\(value\)'),
        (lambda s: s.bernoulli("half"), TypeError, "the probability of a draw is a str"),
        (lambda s: s.categorical(0.5), TypeError, "list of probabilities"),
        (lambda s: s["u"].neighbours("mooore").sum(), ValueError, '"moore", "von-neumann"'),
        (lambda s: s["u"].neighbours([(1, 2, 3)]).sum(), TypeError, "2 axes"),
        (lambda s: s["u"].shift(1), TypeError, "2 axes"),
        (lambda s: s["u"] == "well", TypeError, "value without named states"),
        (lambda s: s.coordinate(5), glauber.ModelError, "axis below 2"),
        (lambda s: s["u"].round("step"), ValueError, '"identity", "sigmoid" and "triangle"'),
        (lambda s: [s["u"]], TypeError, "a rule returns a dictionary"),
        (lambda s: {"v": s["u"]}, glauber.ModelError, "no layer called `v`"),
        (lambda s: {"u": "x"}, TypeError, "what the rule returns for `u` is a str"),
        (lambda s: s["u"] + 7, glauber.ModelError, "which it cannot hold"),
        (
            lambda s: s.translate(s["u"], s.categorical([0.5, 0.5]), [(0, 0), (0, 1)]),
            glauber.ModelError,
            "one number per replicate",
        ),
        (lambda s: 1 / 0, ZeroDivisionError, "division by zero"),
    ],
)
def test_mistakes_in_a_rule(step, kind, words):
    with pytest.raises(kind, match=words):
        model_with(step)


def test_a_mistake_is_raised_from_the_users_line():
    def step(s):
        u = s["u"]
        risk = s.parameter("pp")  # the mistake
        return u * risk

    with pytest.raises(glauber.ModelError) as error:
        model_with(step)
    assert any(
        "# the mistake" in (frame.line or "") for frame in traceback.extract_tb(error.value.__traceback__)
    )


def test_a_forgotten_layer_names_function_file_and_line():
    def forgetful(s):
        return {"u": s["u"]}

    with pytest.raises(
        glauber.ModelError,
        match=r"does not say what layer `v` becomes(.|\n)*forgetful(.|\n)*test_errors.py\", line \d+",
    ):
        model_with(forgetful, layers={"u": "binary", "v": 5})


def test_a_layer_said_twice():
    def step(s):
        s.next("u").set(0)
        s.next("u").set(1)

    with pytest.raises(glauber.ModelError, match="says twice"):
        model_with(step)


def test_an_exception_within_the_rule_is_the_users_own_and_leaves_nothing_behind():
    class Mine(Exception):
        pass

    def step(s):
        raise Mine("own words")

    with pytest.raises(Mine, match="own words"):
        model_with(step)
    assert model_with(lambda s: s["u"]).name == "mistaken"


def test_values_do_not_outlive_their_rule_or_change_threads():
    kept = {}

    def step(s):
        kept["scope"], kept["value"] = s, s["u"]
        return s["u"]

    model_with(step)
    with pytest.raises(glauber.ModelError, match="already finished|another model"):
        kept["value"] + 1
    with pytest.raises(glauber.ModelError, match="traced already"):
        kept["scope"].layer("u")
    with pytest.raises(glauber.ModelError, match="already finished|another model"):
        model_with(lambda s: s["u"] + kept["value"])

    raised = []

    def crossing(s):
        def other_thread():
            try:
                s["u"] + 1
            except glauber.ModelError as error:
                raised.append(error)

        thread = threading.Thread(target=other_thread)
        thread.start()
        thread.join()
        return s["u"]

    model_with(crossing)
    assert raised


@pytest.mark.parametrize(
    ("settings", "kind", "words"),
    [
        ({"lattice": 0}, glauber.InputError, "axis of the lattice"),
        ({"lattice": (1, 2, 3, 4)}, glauber.InputError, "1 to 3|one, two or three|axes"),
        ({"lattice": (2**20, 2**20)}, glauber.InputError, "sites"),
        ({"lattice": glauber.Lattice}, TypeError, "give a whole number"),
        ({"lattice": "64"}, TypeError, "axis of the lattice"),
        ({"layers": {}}, glauber.InputError, "at least one"),
        ({"layers": {"u": "boolean"}}, glauber.InputError, '"binary"'),
        ({"layers": {"u": (3, 1)}}, glauber.InputError, "lowest <= highest"),
        ({"layers": {"u": ["a", "a"]}}, glauber.InputError, "twice"),
        ({"parameters": {"p": 3}}, glauber.InputError, "interval"),
        ({"parameters": {"p": (1, 0)}}, glauber.ModelError, "lowest < highest"),
        ({"parameters": {"p": (0, 1, 2)}}, glauber.InputError, "outside its interval"),
        ({"covariates": ["a", "a"]}, glauber.ModelError, "twice"),
        ({"step": None}, TypeError, "callable|function|NoneType"),
        ({"start": 3}, TypeError, "function of a scope"),
        ({"start": lambda s: s["u"]}, glauber.ModelError, "no value yet"),
    ],
)
def test_mistakes_in_declarations(settings, kind, words):
    given = {"lattice": (4, 4), "layers": {"u": "binary"}, "step": lambda s: s["u"], **settings}
    with pytest.raises(kind, match=words):
        glauber.Model("mistaken", **given)


def run(**settings):
    return glauber.simulate(life.model(6), **{"parameters": {"flip": 0.1}, "steps": 2, **settings})


@pytest.mark.parametrize(
    ("settings", "kind", "words"),
    [
        ({"parameters": {"flop": 0.1}}, glauber.InputError, "did you mean `flip`"),
        ({"parameters": {}}, glauber.InputError, "no default for parameter `flip`"),
        ({"parameters": {"flip": 1.5}}, glauber.InputError, r"outside its interval \[0, 1\]"),
        ({"parameters": {"flip": math.nan}}, glauber.InputError, "outside its interval"),
        ({"parameters": {"flip": "x"}}, TypeError, "give a number"),
        ({"parameters": [0.1, 0.2]}, glauber.InputError, "2 parameters were given"),
        ({"steps": -1}, glauber.InputError, "steps"),
        ({"steps": 1.5}, TypeError, "whole number"),
        ({"replicates": 0}, glauber.InputError, "replicates"),
        ({"seed": -1}, glauber.InputError, "seed"),
        ({"seed": 2**64}, glauber.InputError, "seed"),
        ({"every": 0}, glauber.InputError, "every"),
        ({"precision": "f16"}, glauber.InputError, '"f32" or "f64"'),
        ({"replicates": 2**30, "steps": 2**20}, glauber.InputError, "would not fit into memory"),
        ({"start": np.zeros((3, 3))}, glauber.InputError, r"shape \(3, 3\), but the lattice has \(6, 6\)"),
        ({"start": {"alive": np.full((6, 6), 2)}}, glauber.InputError, "which is not binary"),
        ({"start": {"alive": np.full((6, 6), 0.5)}}, glauber.InputError, "which is not binary"),
        ({"start": {"alive": np.full((6, 6), np.nan)}}, glauber.InputError, r"nan at \(0, 0\)"),
        ({"start": {"alive": np.zeros((6, 6), complex)}}, TypeError, "complex numbers"),
        ({"start": {"alive": np.zeros((6, 6), object)}}, TypeError, "Python objects"),
        ({"start": {"alive": [["a"] * 6] * 6}}, TypeError, "text"),
        ({"start": {"alive": [[1, 2], [3]]}}, glauber.InputError, "differ in length"),
        ({"start": {"dead": np.zeros((6, 6))}}, glauber.InputError, "no layer of model"),
        ({"start": {}}, glauber.InputError, "start has no array for layer `alive`"),
        ({"fields": {"fuel": np.zeros((6, 6))}}, glauber.InputError, "there is no field"),
    ],
)
def test_mistakes_in_a_run(settings, kind, words):
    with pytest.raises(kind, match=words):
        run(**settings)


def test_arrays_of_any_layout_are_taken():
    wide = np.zeros((12, 12), dtype=np.int64)
    wide[::4] = 1
    strided, turned = wide[::2, ::2], np.asfortranarray(wide[::2, ::2])
    assert not strided.flags["C_CONTIGUOUS"]
    outputs = [
        run(start=a)["alive"]
        for a in (
            strided,
            turned,
            strided.tolist(),
            strided.astype(bool),
            strided.astype(np.float32),
            strided[:, :].astype(">i2"),
        )
    ]
    assert all(np.array_equal(outputs[0], other) for other in outputs[1:])


def test_a_rule_that_leaves_its_range_says_where():
    model = glauber.Model(
        "growing",
        (4, 4),
        {"n": 3},
        lambda s: s["n"] + s["rate"],
        parameters={"rate": (0, 5)},
        start=lambda s: 0,
    )
    with pytest.raises(glauber.RunError, match=r"step 4, replicate 0, site \[0, 0\]: layer `n`.*was given 4"):
        glauber.simulate(model, {"rate": 1}, steps=10)
    improbable = glauber.Model(
        "improbable",
        4,
        {"u": "binary"},
        lambda s: s.bernoulli(s["p"]),
        parameters={"p": "any"},
        start=lambda s: 0,
    )
    with pytest.raises(glauber.RunError, match=r"probability of .* is 1.5, not in \[0, 1\]"):
        glauber.simulate(improbable, {"p": 1.5}, steps=1)


def test_missing_fields_and_starts_are_named():
    model = glauber.Model(
        "map", (3, 3), {"u": "binary"}, lambda s: s.bernoulli(s["fuel"]), covariates=["fuel"]
    )
    with pytest.raises(glauber.InputError, match=r"start=\{layer: array\}"):
        glauber.simulate(model)
    with pytest.raises(glauber.InputError, match="fuel"):
        glauber.simulate(model, start=np.zeros((3, 3)))


def test_mistakes_in_rollouts():
    model = life.model(6)
    for settings, kind, words in [
        ({"observe": "mean(alife)"}, glauber.InputError, "alife"),
        ({"observe": "average(alive)"}, glauber.InputError, "no summary"),
        ({"observe": 3}, TypeError, "function of a scope"),
        ({"observe": lambda s: None}, glauber.ModelError, "leaves no number"),
        ({"observe": "mean(alive)", "at": 9}, glauber.InputError, "a rollout has 3"),
        ({"observe": "mean(alive)", "at": [2, 1]}, glauber.InputError, "rising order"),
        ({"observe": ["mean(alive)", "mean(alive)"]}, glauber.InputError, "two outputs"),
        ({"observe": "mean(alive)", "memory": "much"}, glauber.InputError, "memory"),
    ]:
        with pytest.raises(kind, match=words):
            glauber.rollout(model, 3, **settings)({"flip": 0.1})
    with pytest.raises(glauber.InputError, match="did you mean `straight-through`"):
        glauber.rollout(model, 3, "mean(alive)", estimator="straight").value_and_grad({"flip": 0.1})
    run = glauber.rollout(model, 3, ["mean(alive)", "variance(alive)"])
    with pytest.raises(glauber.InputError, match="say of which the gradient is"):
        run.value_and_grad({"flip": 0.1})
    with pytest.raises(TypeError, match="return \\(value, "):
        run.value_and_grad({"flip": 0.1}, lambda m: 3.0)
    with pytest.raises(ZeroDivisionError):
        run.value_and_grad({"flip": 0.1}, lambda m: 1 / 0)
    with pytest.raises(glauber.InputError, match="there is no output"):
        run.value_and_grad({"flip": 0.1}, lambda m: (0.0, {"mean": 1.0}))
    with pytest.raises(glauber.InputError, match="no output `x`"):
        run({"flip": 0.1})["x"]


def test_mistakes_in_fits():
    news = glauber.load("susceptible-infected", shape=(8, 8))
    states = glauber.simulate(news, {"beta": 0.3}, steps=4)["aware"]
    for task, settings, kind, words in [
        (states, {}, TypeError, "glauber.Transition"),
        (glauber.Transition(), {}, glauber.InputError, "give one of states, simulate"),
        (glauber.Transition(states[..., :5]), {}, glauber.InputError, "the data given"),
        (glauber.Transition(states[0, :1]), {}, glauber.InputError, "only one time|two times"),
        (glauber.Transition(states + 1), {}, glauber.InputError, "is not one of binary"),
        (glauber.Transition(states, loss="pixels"), {}, glauber.InputError, "did you mean `pixel`"),
        (glauber.Transition(states), {"start": {"betta": 0.1}}, glauber.InputError, "did you mean `beta`"),
        (glauber.Transition(states), {"start": {"beta": 3}}, glauber.InputError, "outside its interval"),
        (glauber.Transition(states), {"start": 0.3}, TypeError, "dictionary"),
        (
            glauber.Transition(states),
            {"start": {"beta": 0.1}, "optimizer": "adams"},
            glauber.InputError,
            "did you mean `adam`",
        ),
        (
            glauber.Transition(states),
            {"start": {"beta": 0.1}, "optimizer": {"name": "adam", "learnin_rate": 1}},
            glauber.InputError,
            "learning-rate",
        ),
        (
            glauber.Transition(states),
            {"start": {"beta": 0.1}, "estimator": "straight"},
            glauber.InputError,
            "straight-through",
        ),
        (glauber.Transition(states), {"fixed": {"beta": 0.1}}, glauber.InputError, "nothing to fit"),
        (
            glauber.Trajectory(states=states, summary="mean(awaree)"),
            {"start": {"beta": 0.1}},
            glauber.InputError,
            "aware",
        ),
        (glauber.Stability(np.zeros((3, 3))), {"start": {"beta": 0.1}}, glauber.InputError, "shape"),
        (glauber.InitialState(states[0, :1], {"beta": 0.3}), {}, glauber.InputError, r"give `glauber.InitialState\(steps=…\)`"),
        (glauber.InitialState(states[0, :, :3], {"beta": 0.3}), {}, glauber.InputError, "shape"),
    ]:
        with pytest.raises(kind, match=words):
            glauber.fit(news, task, progress=False, steps=2, **settings)
    with pytest.raises(glauber.InputError, match="there is no such file"):
        glauber.fit_file("nowhere.toml")


def test_mistakes_in_names_of_the_catalogue():
    with pytest.raises(glauber.InputError, match="did you mean `voter`"):
        glauber.load("votter")
    with pytest.raises(glauber.InputError, match="no option `shap`"):
        glauber.load("voter", shap=(3, 3))
    with pytest.raises(glauber.InputError, match="nowhere.toml"):
        glauber.load("nowhere.toml")


def test_no_mistake_crashes_the_interpreter():
    # What a damaged pickle does.
    with pytest.raises(ValueError, match="not a model"):
        glauber._glauber.Model.restored(b"nonsense", [])
    code = "import glauber; glauber.load('voter', shape=(8, 8)).simulate(steps=3, threads=2)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

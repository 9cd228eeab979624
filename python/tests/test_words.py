"""What errors and notes of a fit tell one to write is Python: an argument that the call has, no key of a fit file."""

from __future__ import annotations

import inspect
import re
import warnings
from typing import Any, Callable

import glauber
import numpy as np
import pytest

NEWS = glauber.load("susceptible-infected", shape=(12, 12))
WALK = glauber.load("persistent-random-walk", walkers=20)
PATTERN = glauber.load("malevanets-kapral", shape=(16, 16))
SEEN = glauber.simulate(NEWS, {"beta": 0.3}, steps=8, replicates=4, seed=1)
STATES = SEEN["aware"]

KEY = re.compile(
    r"\b(data|loss|estimator|optimizer|run|model-options)\.[a-z]"
    r"|\[(data|start|fixed|loss|estimator|optimizer|run|model-options)\b[a-z.-]*\]|--[a-z]"
)
ARGUMENT = re.compile(r"`([a-z_]+)=")

Task = Any


def fit(task: Task, start: Any = {"beta": 0.5}, model: Any = NEWS, **settings: Any) -> Any:
    chosen = {"steps": 5, "learning_rate": 0.05, "progress": False, **settings}
    return glauber.fit(model, task, start, **chosen)


def walk(task: Task, **settings: Any) -> Any:
    return fit(task, {"p_center": 0.5, "p_resample": 0.5}, WALK, **settings)


def pattern(task: Task, **settings: Any) -> Any:
    return fit(task, {"k1": 0.4}, PATTERN, optimizer="sgd", **settings)


MEAN = "mean(aware)"
TRACKS = np.array([[1, 0, 0, 0], [1, 1.3, 1, 0], [1, 2, 2, 0.0], [1, 3, 1, 1]])
STEADY = np.array([[1, t, t % 3, t % 2] for t in range(12)], dtype=float)
MISTAKES: list[Callable[[], Any]] = [
    lambda: fit(glauber.Transition(STATES[:, :, :5])),
    lambda: fit(glauber.Transition(STATES[0, 0])),
    lambda: fit(glauber.Transition(STATES, times=[0, 2, 1, 3, 4, 5, 6, 7, 8])),
    lambda: fit(glauber.Transition(STATES[:, ::2], times=[0, 2, 4, 6, 8], loss="likelihood")),
    lambda: fit(glauber.Transition(STATES, loss="likelihood"), batch=3),
    lambda: fit(glauber.Transition(STATES), replicates=3),
    lambda: fit(glauber.Transition(STATES), fixed={"beta": 0.2}),
    lambda: fit(glauber.Transition(STATES), estimator={"name": "reinmax", "temperature": 0.3}),
    lambda: fit(glauber.Transition(STATES), estimator={"name": "reinmax", "samples": 3}),
    lambda: fit(glauber.Transition(STATES), estimator="nonsense"),
    lambda: fit(glauber.Transition(STATES), optimizer={"name": "adam", "betas": 3}),
    lambda: fit(glauber.Transition(STATES), optimizer={"name": "adam", "map": "lgit"}),
    lambda: fit(glauber.Transition(STATES), optimizer={"name": "adam", "patience": 3}),
    lambda: fit(glauber.Transition(STATES), optimizer={"name": "adam", "schedule": {"name": "step"}}),
    lambda: fit(glauber.Transition(STATES), optimizer={"name": "adam", "plateau": {"improvement": 3}}),
    lambda: glauber.fit(NEWS, glauber.Transition(STATES), {"beta": 0.5}, optimizer="sgd", progress=False),
    lambda: fit(glauber.Transition(STATES, compare=["nonsense"])),
    lambda: fit(glauber.Transition(STATES, compare=["reinmax"]), optimizer="nelder-mead"),
    lambda: fit(glauber.Transition(STATES, loss="nonsense")),
    lambda: fit(glauber.Transition(simulate={"stps": 3})),
    lambda: fit(glauber.Transition(simulate={"steps": 3, "start_sites": 4, "parameters": {"beta": 0.3}})),
    lambda: fit(glauber.Trajectory(states=STATES, summary=MEAN, interval=2.0)),
    lambda: fit(glauber.Trajectory(states=STATES, summary=MEAN, interval=3.0, step_time=2.0)),
    lambda: fit(glauber.Trajectory(states=STATES)),
    lambda: fit(glauber.Trajectory(states=STATES, summary="mean(awre)")),
    lambda: fit(glauber.Trajectory(states=STATES, summary=MEAN, at=[40])),
    lambda: fit(glauber.Trajectory(states=STATES, summary=MEAN, at=[])),
    lambda: fit(glauber.Trajectory(states=STATES[:1], summary=MEAN, weighted=True)),
    lambda: fit(glauber.Trajectory(states=STATES, summary=MEAN, lags=3)),
    lambda: fit(glauber.Trajectory(states=STATES * 0, summary=MEAN, loss="log-squared")),
    lambda: fit(glauber.Trajectory(msd=[1.0, 2.0, 3.0], summary=MEAN)),
    lambda: walk(glauber.Trajectory(msd=[1.0, 2.0, 3.0], interval=3.0, step_time=2.0)),
    lambda: walk(glauber.Trajectory(msd=[1.0, 2.0], interval=1.0, step_time=1.0, shortest_track=4)),
    lambda: walk(glauber.Trajectory(tracks={"cell": [1, 1], "frame": [0, 1], "px": [0.0, 1], "py": [0.0, 1]})),
    lambda: walk(glauber.Trajectory(tracks=TRACKS[[0, 2]], dimensions=3)),
    lambda: walk(glauber.Trajectory(tracks=TRACKS)),
    lambda: fit(glauber.InitialState(STATES[0, 5].copy(), {"beta": 0.3}), None),
    lambda: fit(glauber.InitialState(STATES[0], {"beta": 0.3}, start_sites=140), None),
    lambda: fit(glauber.InitialState(STATES[:1, 2:], {"beta": 0.3}, steps=3, times=[2, 3, 4, 5, 6, 7, 8]), None),
    lambda: fit(glauber.InitialState(STATES, {"beta": 0.3}), None),
    lambda: fit(glauber.InitialState(STATES[0], {"beta": 0.3}), {"beta": 0.2}),
    lambda: fit(glauber.Stationary(states=STATES[:, 3:], summary=MEAN)),
    lambda: pattern(glauber.Stability(simulate={"steps": 5}, steps=200_000), memory="1 MiB", replicates=64),
    lambda: pattern(glauber.Stability({"A": np.zeros((8, 8)), "B": np.zeros((8, 8))}, steps=3)),
    lambda: pattern(glauber.Stability({"A": np.full((16, 16), -9999.0), "B": np.zeros((16, 16))}, steps=3)),
]


def arguments() -> set[str]:
    tasks = (glauber.Transition, glauber.Trajectory, glauber.Stationary, glauber.Stability, glauber.InitialState)
    return {name for call in (glauber.fit, glauber.load, *tasks) for name in inspect.signature(call).parameters}


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_errors_are_said_in_arguments(number: int) -> None:
    with pytest.raises((glauber.InputError, glauber.RunError, TypeError, ValueError)) as raised:
        MISTAKES[number]()
    said = str(raised.value)
    assert not KEY.search(said), said
    for name in ARGUMENT.findall(said):
        assert name in arguments(), said


def test_notes_and_verdicts_are_said_in_arguments() -> None:
    found = [
        fit(glauber.Transition(SEEN)),
        fit(glauber.Transition(SEEN, loss="likelihood")),
        fit(glauber.Trajectory(states=SEEN, summary=MEAN)),
        walk(glauber.Trajectory(msd=[1.0, 2.0, 3.0], interval=1.0, step_time=1.0)),
        walk(glauber.Trajectory(tracks=STEADY)),
        fit(glauber.InitialState(STATES[0], {"beta": 0.3}), None),
        fit(glauber.InitialState(STATES[0, 4:6], {"beta": 0.3}, steps=3), None),
    ]
    for result in found:
        said = " ".join([result.verdict, *result.notes, str(result)])
        assert not KEY.search(said), said
        for name in ARGUMENT.findall(said):
            assert name in arguments(), said


def test_a_start_that_explains_nothing_is_told() -> None:
    """At beta = 0 nothing spreads, so that no other start than what was seen can have led to it."""
    seen = STATES[0, 6]
    assert 4 < seen.sum() < 140
    impossible = fit(glauber.InitialState(seen, {"beta": 0.0}, steps=6), None)
    assert any("none of" in note and "rollouts" in note for note in impossible.notes), impossible.notes
    right = fit(glauber.InitialState(seen, {"beta": 0.3}, steps=6, start_sites=1), None, steps=40)
    assert not any("rollouts from the most likely start" in note for note in right.notes), right.notes


def test_states_are_kept_before_the_end() -> None:
    with pytest.raises(glauber.InputError, match=r"every=10 keeps only the start of 9 steps.*\.last"):
        glauber.simulate(NEWS, steps=9, every=10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(glauber.simulate(NEWS, steps=9, every=9).times) == 2
        assert len(glauber.simulate(NEWS, steps=0, every=1).times) == 1


def test_what_is_no_array_of_numbers_is_refused_with_what_to_give():
    xarray = pytest.importorskip("xarray")
    model = glauber.Model("two", (3, 3), {"kind": ["dead", "alive"]}, lambda s: s["kind"], start=lambda s: 0)
    states = np.full((2, 3, 3), "alive")
    for task in (glauber.Transition, glauber.Stationary, glauber.InitialState, lambda s: glauber.Trajectory(states=s)):
        with pytest.raises(TypeError, match=r"the text 's4.npz': give arrays.*dict\(numpy.load"):
            glauber.fit(model, task("s4.npz"), progress=False)
    for own in (states, states.astype(object)):
        with pytest.raises(TypeError, match="holds text .'alive'.: give the number that stands for each") as told:
            glauber.fit(model, glauber.Transition(own), progress=False)
        assert "astype(float)" not in str(told.value)
    with pytest.raises(TypeError, match="text .'alive'.: give the number"):
        glauber.fit(model, glauber.Observation("kind", states), progress=False)
    with pytest.raises(TypeError, match="astype.float."):
        glauber.fit(model, glauber.Transition(np.full((2, 3, 3), "1")), progress=False)
    data = xarray.Dataset({"a": (("y", "x"), np.zeros((3, 3)))})
    with pytest.raises(glauber.InputError, match=r"a dataset of a: give one of its arrays, as dataset\['a'\]"):
        glauber.simulate(model, start={"kind": data})


def test_a_name_is_declared_once():
    def declare(**more):
        own = {"lattice": 4, "layers": {"c": "binary"}, "step": lambda s: s["c"], "parameters": {"p": (0, 1)}}
        return glauber.Model("m", **{**own, **more})

    for more, words in (
        ({"layers": {"p": "binary"}, "step": lambda s: s["p"]}, "a layer and a parameter called `p`"),
        ({"covariates": ["p"]}, "a parameter and a covariate called `p`"),
        ({"covariates": ["c"]}, "a layer and a covariate called `c`"),
        ({"fields": {"p": (0, 1)}}, "a parameter and a field called `p`"),
        ({"fields": {"e": (0, 1)}, "covariates": ["e"]}, "a covariate and a field called `e`"),
    ):
        with pytest.raises(glauber.InputError, match=words):
            declare(**more)


def test_many_notes_of_a_rule_are_few_warnings():
    def step(s):
        x = s["c"]
        for _ in range(50):
            x = glauber.where(x > 0.5, x * 0.9, x + 0.1)
        return s.bernoulli(glauber.clip(x * s["p"], 0, 1))

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model = glauber.Model("m", 4, {"c": "binary"}, step, parameters={"p": (0, 1)}, start=lambda s: s.bernoulli(0.5))
        glauber.value_and_grad(model, {"p": 0.5}, steps=2, observe="mean(c)", replicates=3)
    found = [str(one.message) for one in told]
    assert 3 <= len(found) <= 6 and any("more of this kind" in words for words in found), found

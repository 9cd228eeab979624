"""Checks that a loaded model is the object that was loaded, whatever becomes of its file, and that objects carry all they are."""

from __future__ import annotations

import copy
import os
import pickle

import glauber
import numpy as np
import pytest

RULE = """
states = ["green", "burning"]

[lattice]
shape = [6, 7]

[parameters]
p = [0.0, 1.0]

[covariates]
fuel = "fuel.npy"

[start]
burning = 0.3

[transitions]
"green -> burning" = "{rule}"
"""
FUEL = np.random.default_rng(3).random((6, 7)).round(2)


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A model file and the file of its covariate, in the working folder."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "p * fuel", FUEL)
    return tmp_path / "burning.toml"


def write(folder, rule, fuel):
    (folder / "burning.toml").write_text(RULE.format(rule=rule), encoding="utf-8")
    np.save(folder / "fuel.npy", fuel)


def answers(model):
    """What a simulation, a gradient, a fit and an objective say of a model."""
    layer = next(iter(model.layers))
    runs = glauber.simulate(model, {"p": 0.4}, steps=3, replicates=2, seed=5)
    task = glauber.Transition(runs, loss="likelihood")
    found = glauber.fit(model, task, {"p": 0.6}, steps=5, progress=False)
    return [
        runs[layer].tolist(),
        glauber.value_and_grad(model, {"p": 0.4}, 2, lambda s: {"n": s[layer].is_("burning").sum()}),
        found.params,
        found.loss,
        glauber.objective(model, task, {"p": 0.6})([0.3])[0],
    ]


def changes(folder):
    """What can become of the files of a model: edited, moved, removed; another working folder."""
    write(folder, "p * p * fuel", FUEL)
    yield "the rule was edited"
    write(folder, "p * fuel", 0.5 * FUEL)
    yield "the covariate was edited"
    os.rename(folder / "burning.toml", folder / "moved.toml")
    os.rename(folder / "fuel.npy", folder / "moved.npy")
    yield "the files were moved"
    os.chdir("/")
    yield "another working folder"


@pytest.mark.parametrize("given", ["burning.toml", "./burning.toml", "absolute"])
def test_what_becomes_of_the_file_does_not_matter(file, given):
    model = glauber.load(str(file) if given == "absolute" else given)
    expected, pickled = answers(model), pickle.dumps(model)
    for change in changes(file.parent):
        for own in (model, pickle.loads(pickled), copy.deepcopy(model)):
            assert answers(own) == expected, change
            assert own == model and hash(own) == hash(model), change


def test_models_are_equal_where_all_that_they_do_is(file):
    model = glauber.load(file)
    assert model == glauber.load("burning.toml")
    write(file.parent, "p * p * fuel", FUEL)
    assert glauber.load(file) != model
    write(file.parent, "p * fuel", FUEL[::-1])
    assert glauber.load(file) != model
    write(file.parent, "p * fuel", FUEL)
    assert glauber.load(file) == model


def test_a_covariate_that_is_not_there_is_missed_where_it_is_needed(file):
    os.remove(file.parent / "fuel.npy")
    model = glauber.load(file)
    with pytest.raises(glauber.InputError, match="fuel"):
        glauber.simulate(model, {"p": 0.4})
    restored = pickle.loads(pickle.dumps(model))
    for own in (model, restored):
        assert glauber.simulate(own, {"p": 0.4}, fields={"fuel": FUEL}).layers
        with pytest.raises(glauber.InputError, match="fuel"):
            glauber.simulate(own, {"p": 0.4})


def test_equal_models_are_fitted_alike():
    # Walkers are counted by the replicates of a fit, whether or not the model's own were said.
    msd = np.arange(1.0, 6.0)
    values = []
    for options in ({}, {"walkers": 1500}, {"walkers": 7}):
        model = glauber.load("persistent-random-walk", **options)
        f = glauber.objective(
            model, glauber.Trajectory(msd=msd), {"p_center": 0.3, "p_resample": 0.4}, replicates=96
        )
        values.append(f(f.x0)[0])
    assert values[0] == values[1] == values[2]
    assert glauber.load("persistent-random-walk") == glauber.load("persistent-random-walk", walkers=1500)
    # Those of observed lattices are as many as were observed.
    model = glauber.load("persistent-random-walk", walkers=20)
    states = glauber.simulate(model, {"p_center": 0.3, "p_resample": 0.4}, steps=4, replicates=3)
    f = glauber.objective(
        model, glauber.Trajectory(states=states), {"p_center": 0.3, "p_resample": 0.4}, replicates=3
    )
    assert np.isfinite(f(f.x0)[0])


def test_objectives_travel(file):
    model = glauber.load(file)
    runs = glauber.simulate(model, {"p": 0.4}, steps=3, replicates=2, seed=5)
    f = glauber.objective(model, glauber.Transition(runs), {"p": 0.6}, seed=9)
    f.iteration = 4
    pickled = pickle.dumps(f)
    os.remove(file)
    for other in (pickle.loads(pickled), copy.deepcopy(f)):
        assert other.iteration == 4 and other.names == f.names and other.bounds == f.bounds
        assert np.array_equal(other([0.3])[1], f([0.3])[1]) and other.value([0.3]) == f.value([0.3])


def test_errors_of_data_in_memory_name_no_files(file):
    model = glauber.load(file)
    walk = glauber.load("persistent-random-walk")
    rows = np.array([(1, 0, 0, 0), (1, 0, 1, 1)], dtype=float)
    for own, task in [
        (model, glauber.Transition(np.full((2, 6, 7), 9))),
        (model, glauber.Transition(np.zeros((2, 5, 5)))),
        (model, glauber.Stability(np.zeros((5, 5)))),
        (walk, glauber.Trajectory(tracks=rows)),
        (walk, glauber.Trajectory(tracks=rows[:1])),
        (walk, glauber.Trajectory(tracks={"x": [1.0], "y": [2.0]})),
        (walk, glauber.Trajectory(msd=[-1.0])),
    ]:
        with pytest.raises(glauber.InputError) as error:
            glauber.fit(own, task, steps=1, progress=False)
        assert not any(word in str(error.value) for word in ("/", "given.", "tmp", "--set")), error.value

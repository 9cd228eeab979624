"""Checks that Python gives the command line's states, gradients and fits, bit for bit, for every model of the catalogue."""

from __future__ import annotations

import csv

import glauber
import numpy as np
import pytest
from conftest import parameters, small
from fit_files import document, text_of


def options(name):
    """The model's options as arguments."""
    return [a for key, value in small(name).items() for a in ("--option", f"{key}={text_of(value)}")]


def test_states(catalogue_model, command_line, tmp_path):
    name = catalogue_model.name
    values = parameters(catalogue_model)
    given = [a for n, v in values.items() for a in ("--set", f"{n}={v!r}")]
    out = tmp_path / "states.npz"
    command_line(
        "simulate",
        name,
        *options(name),
        *given,
        "--steps",
        7,
        "--replicates",
        3,
        "--seed",
        42,
        "--every",
        2,
        "--out",
        out,
    )
    ours = glauber.simulate(catalogue_model, values, steps=7, replicates=3, seed=42, every=2)
    with np.load(out) as theirs:
        named = {"names of states"} if any(layer.states for layer in ours.kinds.values()) else set()
        assert set(theirs.files) == {*ours, "times", "update scheme"} | named
        assert np.array_equal(theirs["times"], ours.times)
        for layer, states in ours.items():
            assert states.shape == theirs[layer].shape
            assert np.array_equal(states, theirs[layer]), layer
    assert not np.array_equal(
        states, glauber.simulate(catalogue_model, values, steps=7, replicates=3, seed=43, every=2)[layer]
    )


def task_of(model, values):
    """A task with data the model simulates itself; walkers by their displacement, others by their transitions."""
    simulate = {"runs": 3, "steps": 5, "seed": 7, "parameters": values}
    if model.name == "persistent-random-walk":
        return glauber.Trajectory(simulate=simulate, summary="msd")
    return glauber.Transition(simulate=simulate)


@pytest.mark.parametrize("name", sorted(glauber.models()))
def test_fits_and_gradients(name, command_line, tmp_path):
    """The trace holds the loss and the gradient's length at every step, so equal traces mean equal gradients."""
    model = glauber.load(name, **small(name))
    values = parameters(model)
    if model.update not in ("synchronous", "sublattices"):
        with pytest.raises(glauber.InputError, match="has no gradient"):
            glauber.fit(model, task_of(model, values), values, seed=5, progress=False, steps=3)
        return
    # Nominal layers have no squared error of numbers, and start away from the truth.
    task = task_of(model, values)
    start = {n: 0.9 * v + 0.02 for n, v in values.items()}
    settings = {
        "steps": 3,
        "learning_rate": 0.01,
        "replicates": 32 if name == "persistent-random-walk" else None,
    }
    found = glauber.fit(model, task, start, seed=5, progress=False, **settings)

    given = task._given(model)
    optimizer = {"name": "adam", "steps": 3, "learning-rate": 0.01, "replicates": settings["replicates"]}
    tables = {
        "model-options": small(name),
        "data": given["data"],
        "loss": given["loss"],
        "start": start,
        "optimizer": optimizer,
        "run": {"seed": 5},
    }
    file = tmp_path / "fit.toml"
    file.write_text(document({"model": name, "task": given["task"]}, tables))
    theirs = command_line("fit", file, "--out", tmp_path / "out", "--quiet")
    for parameter, own in theirs["parameters"].items():
        assert own["estimate"] == found.params[parameter]
        assert own["standard_error"] == found.standard_errors[parameter]
    assert theirs["loss"] == found.loss or (theirs["loss"] is None and np.isnan(found.loss))
    with open(tmp_path / "out" / "trace.csv", encoding="utf-8") as rows:
        for line, ours in zip(csv.DictReader(rows), found.trace, strict=True):
            for column, text in line.items():
                assert np.array_equal(float(text), float(ours[column]), equal_nan=True), column

    again = glauber.fit_file(file, progress=False)
    assert again.params == found.params and np.array_equal(again.trace, found.trace)


def test_a_fit_of_arrays_is_that_of_the_file(command_line, tmp_path):
    news = glauber.load("susceptible-infected", shape=(16, 16))
    out = tmp_path / "states.npz"
    command_line(
        "simulate",
        news.name,
        "--option",
        "shape=[16,16]",
        "--set",
        "beta=0.3",
        "--steps",
        9,
        "--replicates",
        6,
        "--out",
        out,
    )
    file = tmp_path / "fit.toml"
    file.write_text(
        'model = "susceptible-infected"\ntask = "transition"\n[model-options]\nshape = [16, 16]\n[data]\nstates = "states.npz"\n'
        '[start]\nbeta = 0.6\n[loss]\nname = "likelihood"\n[optimizer]\nname = "rprop"\nsteps = 30\n'
    )
    theirs = command_line("fit", file, "--out", tmp_path / "out", "--quiet")["parameters"]["beta"]
    with np.load(out) as states:
        task = glauber.Transition(dict(states), loss="likelihood")
    found = glauber.fit(news, task, {"beta": 0.6}, optimizer="rprop", steps=30, progress=False)
    assert (found.params["beta"], found.standard_errors["beta"]) == (
        theirs["estimate"],
        theirs["standard_error"],
    )
    assert abs(found.params["beta"] - 0.3) < 4 * found.standard_errors["beta"]


def test_a_fit_of_an_initial_state(command_line, tmp_path):
    """The map that gradients leave, and its refinement by simulated likelihood."""
    news = glauber.load("susceptible-infected", shape=(12, 12))
    file, out = tmp_path / "fit.toml", tmp_path / "out"
    file.write_text(
        'model = "susceptible-infected"\ntask = "state"\n[model-options]\nshape = [12, 12]\n[fixed]\nbeta = 0.5\n'
        "[data]\nstart-sites = 1\nsimulate = { steps = 3, seed = 3, start-sites = 1 }\n"
        "[optimizer]\nsteps = 20\nreplicates = 16\n[run]\nseed = 9\n"
    )
    theirs = command_line("fit", file, "--out", out, "--quiet")
    task = glauber.InitialState(
        parameters={"beta": 0.5}, simulate={"steps": 3, "seed": 3, "start_sites": 1}, start_sites=1
    )
    found = glauber.fit(news, task, steps=20, replicates=16, seed=9, progress=False)
    assert np.array_equal(found.params["start of aware"], np.load(out / "start-aware.npy"))
    assert np.array_equal(found.params["fitted start of aware"], np.load(out / "weights-aware.npy"))
    with np.load(out / "most-likely-start.npz") as most_likely:
        sites = [tuple(int(i) for i in site) for site in np.argwhere(most_likely["aware"])]
    assert found.starting_sites["aware"] == sites and len(sites) == 1
    assert found.loss == theirs["loss"] and found.refined
    # A map that was refined is another than the gradients'.
    assert not np.array_equal(found.params["start of aware"], found.params["fitted start of aware"])


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ((), {}),
        (("--preset", "cells", "--steps", 40), {"preset": "cells", "steps": 40}),
        (
            ("--objects", "dark", "--flatten", 1, "--threshold", 0.4, "--rate", 0.02),
            {"objects": "dark", "flatten": 1, "threshold": 0.4, "rate": 0.02},
        ),
    ],
)
def test_a_segmentation(command_line, tmp_path, arguments, settings):
    pictures = pytest.importorskip("PIL.Image", reason="Pillow is not installed, so no image was compared")
    y, x = np.mgrid[:40, :56]
    disc = (y - 18) ** 2 + (x - 30) ** 2 < 120
    noise = np.random.default_rng(3).normal(0, 12, disc.shape)
    image = np.clip(np.where(disc, 170, 70) + 0.5 * x + noise, 0, 255).astype(np.uint8)
    file, out = tmp_path / "image.png", tmp_path / "out"
    pictures.fromarray(image).save(file)
    theirs = command_line("segment", file, "--out", out, "--quiet", *arguments)
    found = glauber.segment(image, **settings)
    assert np.array_equal(found.mask, np.asarray(pictures.open(out / "mask.png")) > 0)
    assert 0 < found.mask.sum() < found.mask.size
    assert found.steps == theirs["steps"]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_change_nothing(threads):
    news = glauber.load("susceptible-infected", shape=(16, 16))
    one, many = (
        glauber.simulate(news, {"beta": 0.3}, steps=5, replicates=6, threads=t) for t in (1, threads)
    )
    assert np.array_equal(one["aware"], many["aware"])
    run = glauber.rollout(news, 5, "mean(aware)", replicates=6, threads=threads)
    base = glauber.rollout(news, 5, "mean(aware)", replicates=6, threads=1)
    assert run.value_and_grad({"beta": 0.3}) == base.value_and_grad({"beta": 0.3})


def test_a_rollout_s_forward_run_is_that_of_its_gradient():
    for estimator in ("straight-through", "gumbel-softmax", "reinmax", "score-function", "mean-field"):
        news = glauber.load("susceptible-infected", shape=(12, 12))
        run = glauber.rollout(news, 4, "mean(aware)", at=[1, 4], replicates=5, estimator=estimator)
        before = run({"beta": 0.4}, seed=3)["mean(aware)"]
        _, gradient = run.value_and_grad(
            {"beta": 0.4}, lambda m: (m["mean(aware)"][1], {"mean(aware)": [0, 1]}), seed=3
        )
        assert np.array_equal(before, gradient.outputs["mean(aware)"])
        assert np.array_equal(before, run({"beta": 0.4}, seed=3)["mean(aware)"])

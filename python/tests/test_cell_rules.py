"""Checks cells in rules: labels, sums over cells, numbers of each; what is refused, and the examples."""

from __future__ import annotations

import os
import pickle
import runpy

import glauber
import numpy as np
import pytest
from conftest import ROOT

EXAMPLES = ROOT / "examples"


def example(name):
    return runpy.run_path(str(EXAMPLES / "python" / f"{name}.py"))["model"]


def volumes(labels, cells):
    return np.bincount(np.asarray(labels, int).ravel(), minlength=cells + 1)


def model_of(step, update="random-sequential", cells=3, **settings):
    layers = settings.pop("layers", {"cell": glauber.labels(cells)})
    return glauber.Model("cells", settings.pop("lattice", (8, 8)), layers, step, update=update, **settings)


def copies(s):
    return s.neighbour("von-neumann")["cell"]


@pytest.mark.parametrize("name", ["cell_sorting", "crawling_cell"])
def test_examples_are_short_and_run(name):
    assert len((EXAMPLES / "python" / f"{name}.py").read_text().splitlines()) <= 25
    model = example(name)
    assert isinstance(model.layers["cell"], glauber.Layer)
    assert pickle.loads(pickle.dumps(model)) == model
    runs = glauber.simulate(model, steps=3, seed=1, every=3)
    first, last = runs["cell"][0, 0], runs["cell"][0, -1]
    assert (first != last).any()
    cells = int(model.layers["cell"].highest)
    found = volumes(last, cells)[1:]
    target = 50 if name == "cell_sorting" else 500
    assert abs(found.mean() - target) < 0.3 * target


def test_the_model_file_of_sorting_is_the_same_process():
    """Means over replicates agree, to 5 standard errors (false alarm below 1e-5)."""
    loaded = glauber.load(str(EXAMPLES / "models" / "cell-sorting.toml"))
    assert len((EXAMPLES / "models" / "cell-sorting.toml").read_text().splitlines()) <= 25
    samples = []
    for model, seed in [(example("cell_sorting"), 1), (loaded, 2)]:
        last = glauber.simulate(model, steps=5, replicates=12, seed=seed, every=5).last["cell"]
        unlike = (last != np.roll(last, 1, axis=-1)).mean(axis=(1, 2))
        spread = np.array([volumes(labels, 49)[1:].std() for labels in last])
        samples.append(np.stack([unlike, spread]))
    difference = samples[0].mean(axis=1) - samples[1].mean(axis=1)
    error = np.sqrt(samples[0].var(axis=1, ddof=1) / 12 + samples[1].var(axis=1, ddof=1) / 12)
    assert (abs(difference) < 5 * error + 1e-12).all()


def test_sums_and_numbers_are_those_of_numpy():
    """What each site becomes is its cell's number, all at once and colour by colour."""
    labels = np.random.default_rng(1).integers(0, 4, (8, 8))
    food = np.random.default_rng(2).integers(0, 6, (8, 8))
    weights = np.array([0.5, -1, 2, 4])

    def step(s):
        held = s.cell_sum(s["food"] * s.coordinate(1), "cell")
        number = s.of_cell(held, s["cell"]) + s.of_cell(weights, s["cell"].shift((0, 1)))
        return {"cell": s["cell"], "food": s["food"], "seen": number}

    layers = {"cell": glauber.labels(3), "food": 5, "seen": "real"}
    for update in ["synchronous", "sublattices"]:
        model = model_of(step, update, layers=layers)
        start = {"cell": labels, "food": food, "seen": np.zeros((8, 8))}
        found = glauber.simulate(model, steps=1, start=start, precision="f64").last["seen"][0]
        sums = np.bincount(labels.ravel(), (food * np.arange(8)).ravel(), minlength=4)
        assert np.array_equal(found, sums[labels] + weights[np.roll(labels, -1, axis=1)])


def block():
    """49 cells of 6 × 6 sites in the middle of 56 × 56, in medium: without medium a target would cancel out of every copy."""
    labels = np.zeros((56, 56), int)
    for k in range(49):
        y, x = 7 + 6 * (k // 7), 7 + 6 * (k % 7)
        labels[y : y + 6, x : x + 6] = k + 1
    return labels


@pytest.mark.parametrize("written", ["python", "file"])
def test_parameters_of_sorting_are_recovered(written):
    """By the exact likelihood under sublattices, in the example and in the model file, from far: within 3 standard errors."""
    file = EXAMPLES / "models" / "cell-sorting.toml"
    model = example("cell_sorting") if written == "python" else glauber.load(str(file))
    model, truth = model.with_update("sublattices"), {"T": 10, "target": 40}
    seen = glauber.simulate(model, truth, steps=5, seed=11, start={"cell": block()})
    task = glauber.Transition(seen, loss="likelihood")
    guess = {"T": 7, "target": 30}
    found = glauber.fit(model, task, guess, optimizer="rprop", learning_rate=0.05, steps=50, progress=False)
    assert found.at_optimum, found.verdict
    for name, value in truth.items():
        error = found.standard_errors[name]
        assert abs(found.params[name] - value) < 3 * error and error < 0.1 * value, found


def test_a_target_that_cancels_out_is_said_not_to_be_determined():
    """In packed tissue every copy gains for one cell what another loses: the target is in no probability, and at no end."""
    model = example("cell_sorting").with_update("sublattices")
    task = glauber.Transition(glauber.simulate(model, steps=6, seed=1), loss="likelihood")
    ways = {"optimizer": "rprop", "learning_rate": 0.05, "steps": 40, "progress": False}
    found = glauber.fit(model, task, {"T": 10.3, "target": 45}, **ways)
    assert found.standard_errors["target"] is None
    assert "do not determine `target`" in found.verdict and "lies at the end" not in found.verdict, found


def how_it_crawls(labels):
    """Of one cell by frames, 5 steps apart: volume, perimeter (Moore neighbours outside), speed in sites a step, correlations of
    velocities 10 and 40 steps apart, and how far it came."""
    inside, shifts = np.asarray(labels) > 0.5, [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]
    perimeter = sum((inside & ~np.roll(inside, shift, axis=(1, 2))).sum(axis=(1, 2)) for shift in shifts)
    side = inside.shape[1]
    around = np.exp(2j * np.pi * np.arange(side) / side)
    angles = [np.angle((inside.sum(axis=axis) * around).sum(axis=1)) for axis in (2, 1)]
    places = np.stack([np.unwrap(angle) for angle in angles], axis=1) * side / (2 * np.pi)
    velocity = np.diff(places, axis=0)
    alike = [(velocity[k:] * velocity[:-k]).sum(axis=1).mean() / (velocity**2).sum(axis=1).mean() for k in (2, 8)]
    speed = np.hypot(*velocity.T).mean() / 5
    return [inside.sum(axis=(1, 2)).mean(), perimeter.mean(), speed, *alike, np.hypot(*(places[-1] - places[0]))]


@pytest.mark.skipif(not os.environ.get("GLAUBER_FULL"), reason="minutes: `cargo xtask test --full` runs it")
def test_the_cell_of_the_example_crawls_as_the_native_one():
    """The example's rule beside the native Act model at its settings, over 200 steps after 100: within 3 standard errors of the
    difference. (A smaller cell over 60 steps is compared in crates/cellular-potts/tests/in_rules.rs.)"""
    model = example("crawling_cell")
    start = glauber.simulate(model, steps=1, seed=1)["cell"][0, 0].astype(int)
    native = {
        "J01": 1,
        "J11": 5,
        "volume_strength": 1.5,
        "volume_target": 500,
        "perimeter_strength": 0.1,
        "perimeter_target": 260,
        "act_strength": 10,
        "max_act": 80,
    }
    ways = {"torus": True, "order": "random-sequential", "steps": 300, "every": 5}
    by_rule = [glauber.simulate(model, steps=300, every=5, seed=seed)["cell"][0, 20:] for seed in range(1, 17)]
    by_native = [
        glauber.cells.simulate(native, start=start, types=[0, 1], seed=seed, **ways).labels[20:] for seed in range(1, 65)
    ]
    samples = [np.array([how_it_crawls(labels) for labels in found]) for found in (by_rule, by_native)]
    difference = samples[0].mean(axis=0) - samples[1].mean(axis=0)
    error = np.sqrt(sum(sample.var(axis=0, ddof=1) / len(sample) for sample in samples))
    print([sample.mean(axis=0) for sample in samples], difference / error)
    assert (abs(difference) < 3 * error).all(), difference / error


@pytest.mark.parametrize("threads", [1, 2])
def test_any_number_of_threads_gives_the_same_bits(threads):
    model = example("cell_sorting").with_update("sublattices")
    one = glauber.simulate(model, steps=3, replicates=2, seed=4, threads=1).last["cell"]
    other = glauber.simulate(model, steps=3, replicates=2, seed=4, threads=threads).last["cell"]
    assert np.array_equal(one, other)


def test_what_makes_no_sense_is_refused():
    refusals = [
        (lambda s: s.of_cell(s.cell_sum(1, "food"), s["cell"]), "labels"),
        (lambda s: s.of_cell(s.cell_sum(s.bernoulli(0.5), "cell"), s["cell"]), "a draw"),
        (lambda s: s.of_cell(s.cell_sum(s["food"] * 0.5, "cell"), s["cell"]), "whole number"),
        (lambda s: s.of_cell([0, 1], s["cell"]), "4 numbers"),
        (lambda s: s.of_cell([0, 1, 2, np.inf], s["cell"]), "finite"),
        (lambda s: s.of_cell([0, 1, 2, 3], s["cell"] + 1), "0 to 3"),
        (lambda s: s.look_up([1, 2], s["cell"]), "from 0 to 1"),
        (lambda s: s.of_cell(s.cell_sum(1, "cel"), s["cell"]), "cell"),
    ]
    for value, words in refusals:
        with pytest.raises(glauber.ModelError, match=words):
            model_of(
                lambda s: {"cell": s["cell"], "food": glauber.where(value(s) > 1, 1, 0)},
                layers={"cell": glauber.labels(3), "food": 5},
            )
    with pytest.raises(TypeError, match="numbers of cells"):
        model_of(lambda s: s.of_cell("volume", s["cell"]))
    with pytest.raises(AttributeError, match="of_cell"):
        model_of(lambda s: s.cell_sum(1, "cell").mean())
    with pytest.raises(glauber.InputError, match="number of cells"):
        glauber.labels(0)


def test_labels_beyond_the_cells_declared_are_named():
    model = model_of(copies)
    labels = np.zeros((8, 8), int)
    labels[2, 5] = 4
    with pytest.raises(glauber.InputError, match=r"(?s)4.*3 cells"):
        glauber.simulate(model, steps=1, start={"cell": labels})
    grows = model_of(copies, start=lambda s: s.coordinate(0))
    with pytest.raises(glauber.RunError, match="cell"):
        glauber.simulate(grows, steps=1)


def test_labels_spread_by_every_scheme_that_picks_sites():
    start = {"cell": np.repeat(np.arange(4), 16).reshape(8, 8)}
    for update in ["random-sequential", "sublattices"]:
        last = glauber.simulate(model_of(copies, update), steps=2, start=start).last["cell"]
        assert set(np.unique(last)) <= {0, 1, 2, 3}
    with pytest.raises(glauber.ModelError, match="random-sequential"):
        model_of(copies, "synchronous")

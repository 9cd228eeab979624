"""Checks cells in rules: labels, sums over cells, numbers of each; what is refused, and the examples."""

from __future__ import annotations

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

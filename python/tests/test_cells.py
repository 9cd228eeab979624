"""Simulates and fits cells from Python: what is found, what is said, what is refused."""

from __future__ import annotations

import glauber
import numpy as np
import pytest
from glauber import cells

TRUTH = {"J01": 1.6, "J02": 1.6, "J11": 1.4, "J12": 1.1, "J22": 0.2}
TRUTH |= {"volume_strength": 0.1, "volume_target": 64}
START = dict(shape=(48, 48), blocks=(5, 5), sides=(8, 8), counts=(13, 12))


@pytest.fixture(scope="module")
def movie():
    return cells.simulate(TRUTH, **START, torus=True, steps=30)


def test_what_is_simulated_is_fitted(movie):
    assert movie.labels.shape == (31, 48, 48) and movie.labels.dtype == np.uint32
    assert sorted(movie.types.values()) == [1] * 13 + [2] * 12
    found = cells.fit(movie.labels, movie.types, torus=True, fixed={"volume_target": 64})
    for name, error in found.standard_errors.items():
        assert abs(found.params[name] - TRUTH[name]) < 4.5 * error, name
    assert not found.effective and found.fixed == {"volume_target": 64.0}
    assert {"words", "frames", "quantities"} <= set(found.check)
    assert "J12" in repr(found) and "J12" in found._repr_html_()
    # Names of types, a table, types by label: the same numbers.
    names = {label: "ab"[kind - 1] for label, kind in movie.types.items()}
    by_label = [0, *(movie.types[label] for label in sorted(movie.types))]
    table = {"label": list(movie.types), "type": list(movie.types.values())}
    for types in (names, by_label, table):
        again = cells.fit(
            movie.labels.astype(float), types, torus=True, fixed={"volume_target": 64}, replicates=0
        )
        assert again.params == found.params and again.check is None
    # A fit's result is what a simulation takes.
    assert cells.simulate(found, **START, torus=True, steps=1).params["volume_target"] == 64


def test_a_simulation_brings_its_types_and_types_their_names(movie):
    pandas = pytest.importorskip("pandas")
    found = cells.fit(movie, torus=True, replicates=0)
    assert {"J12", "volume_target"} <= set(found.params) and found.types == {1: "1", 2: "2"}
    assert abs(found.params["volume_target"] - 64) < 4.5 * found.standard_errors["volume_target"]
    assert cells.fit(movie.labels, pandas.Series(movie.types), torus=True, replicates=0).params == found.params
    names = {label: "ab"[kind - 1] for label, kind in movie.types.items()}
    named = cells.fit(movie.labels, names, torus=True, replicates=0)
    assert named.types == {1: "a", 2: "b"}
    assert any("1 is `a`, 2 is `b`" in note for note in named.notes)


def test_labels_that_floats_do_not_tell_apart_are_refused(movie):
    labels = movie.labels.astype(np.uint64)
    labels[labels == 5] = 2**63 + 1
    with pytest.raises(glauber.InputError, match="number the cells anew"):
        cells.fit(labels, torus=True)


def test_the_table_of_cells_is_that_of_the_labels(movie):
    assert movie.cells.dtype.names == ("step", "id", "type", "volume", "perimeter", "y", "x")
    last = movie.cells[movie.cells["step"] == 30]
    for row in last:
        assert (movie.labels[-1] == row["id"]).sum() == row["volume"]
    assert movie._repr_html_().startswith("<div><img")


def test_labels_start_a_simulation(movie):
    again = cells.simulate(TRUTH, start=movie.labels[0], types=movie.types, torus=True, steps=30)
    assert (again.labels == movie.labels).all()
    assert again.types == movie.types


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(shape=(20, 20)), "blocks="),
        (dict(blocks=(2, 2), sides=(4, 4)), "shape="),
        (dict(shape=(20, 20), grown=20), "counts="),
        (dict(shape=(20, 20), blocks=(2, 2)), "sides="),
        (dict(shape=(20, 20), blocks=(9, 9), sides=(4, 4)), "beyond axis 0"),
        (dict(**START, order="random"), '"random-sequential"'),
        (dict(**START, types={1: 1}), "counts="),
        (dict(start=np.full((4, 4), 0.5)), "whole numbers"),
        (dict(start=np.ones((4, 4), int), types={2: 1}), "label 1"),
    ],
)
def test_starts_that_do_not_fit_are_refused(arguments, words):
    with pytest.raises(glauber.InputError, match=words):
        cells.simulate(TRUTH, **arguments)


def test_what_is_missing_is_asked_for(movie):
    with pytest.raises(glauber.InputError, match="`J22`"):
        cells.simulate({k: v for k, v in TRUTH.items() if k != "J22"}, **START)
    with pytest.raises(glauber.InputError, match="needs two or more"):
        cells.fit(movie.labels[:1], movie.types)
    with pytest.raises(glauber.InputError, match="not both"):
        cells.fit(movie.labels, {label: "a" if label == 1 else 1 for label in movie.types})
    with pytest.raises(TypeError, match="give {label: type}"):
        cells.fit(movie.labels, 3)
    with pytest.raises(glauber.InputError, match="give \\(from, to\\)"):
        cells.fit(movie.labels, movie.types, frames=(3, 1))
    notes = cells.fit(movie.labels, movie.types, replicates=0).notes
    assert any("torus=True" in note for note in notes) and not any("--" in note for note in notes)


ACT = {"J01": 1, "volume_strength": 1.5, "volume_target": 60}
SETTING = dict(steps_per_frame=5, shape=(36, 36), burn_in=50)


def test_tracks_are_simulated_and_fitted():
    truth = {**ACT, "act_strength": 8, "max_act": 16}
    tracks = cells.simulate_tracks(truth, tracks=12, records=41, seed=3, **SETTING)
    assert tracks.dtype.names == ("id", "frame", "y", "x") and len(tracks) == 12 * 41
    again = cells.simulate_tracks(truth, tracks=12, records=41, seed=3, threads=1, **SETTING)
    assert (again == tracks).all()
    ranges = {"act_strength": (2, 30), "max_act": (6, 40)}
    found = cells.fit_tracks(tracks, fixed=ACT, site=1, ranges=ranges, **SETTING)
    for name, error in found.standard_errors.items():
        assert error is None or abs(found.params[name] - truth[name]) < 3.9 * error, name
    assert {"speed", "half_life"} <= set(found.observed) and found.verdict in found.notes[0]
    assert "act_strength" in repr(found) and "max_act" in found._repr_html_()
    # A fit's result is what a simulation takes, but for max_act, which is whole there.
    params = {**found.fixed, **found.params, "max_act": round(found.params["max_act"])}
    assert len(cells.simulate_tracks(params, tracks=1, records=3, **SETTING)) == 3


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(ranges={"max_act": (9, 3)}), "the smaller number first"),
        (dict(ranges={"max_act": 9}), "give (low, high)"),
        (dict(ranges={"J01": (1, 2)}), "is not fitted"),
        (dict(fixed={"J01": 1}), "grown"),
        (dict(site=-1), "positive length"),
        (dict(shape=(3, 3)), "do not fit"),
        (dict(counts=(0,)), "at least one cell"),
    ],
)
def test_what_does_not_fit_tracks_is_refused(arguments, words):
    rows = [[1, t, 0.3 * t, 0.1 * t * t] for t in range(20)]
    with pytest.raises(glauber.InputError, match=words.replace("(", r"\(").replace(")", r"\)")):
        cells.fit_tracks(rows, **{**SETTING, "fixed": ACT, "site": 1, **arguments})

"""Sweeps the containers that users have over every entry: equal to the plain NumPy call, or an error that says what to give.

Names go before places; named axes before the order of axes; what is masked is missing. Libraries that are not installed are
skipped, visibly.
"""

from __future__ import annotations

import collections
import dataclasses
import math
import re
import types

import glauber
import numpy as np
import pytest

SHAPE = (5, 5)
"""Square, so that an axis in the wrong place is no wrong shape."""
RNG = np.random.default_rng(7)
START = (RNG.random(SHAPE) < 0.4).astype(np.uint8)
FUEL = RNG.random(SHAPE).round(3)
TRUTH = {"birth": 0.7, "death": 0.2}

MODEL = glauber.Model(
    "patches",
    SHAPE,
    {"here": "binary"},
    lambda s: s.bernoulli(
        s["here"] * (1 - s["death"])
        + (1 - s["here"]) * s["birth"] * s.field("fuel") * s["here"].shift((0, 1))
    ),
    parameters={"birth": (0, 1), "death": (0, 1)},
    covariates=["fuel"],
    start=lambda s: s.bernoulli(0.5),
)
SEEN = glauber.simulate(MODEL, TRUTH, steps=4, replicates=3, seed=2, fields={"fuel": FUEL})["here"]
RUN = glauber.rollout(MODEL, 3, "mean(here)", replicates=3, start=START, fields={"fuel": FUEL})

Point = collections.namedtuple("Point", ["death", "birth"])


@dataclasses.dataclass
class Rates:
    death: float
    birth: float


def optional(name):
    """A library, or a skip that is seen."""
    return pytest.importorskip(name, reason=f"{name} is not installed, so none of its containers was tried")


def record(names=("death", "birth"), values=(0.2, 0.7)):
    return np.array([tuple(values)], dtype=[(n, float) for n in names])


def frame(**columns):
    return optional("pandas").DataFrame(columns or {"death": [0.2], "birth": [0.7]})


NAMED = {
    "dict": lambda: TRUTH,
    "dict, other order": lambda: {"death": 0.2, "birth": 0.7},
    "0-d arrays": lambda: {"death": np.array(0.2), "birth": np.array(0.7, dtype=">f8")},
    "texts": lambda: {"death": np.float64(0.2), "birth": np.longdouble("0.7")},
    "namedtuple": lambda: Point(0.2, 0.7),
    "data class": lambda: Rates(0.2, 0.7),
    "namespace": lambda: types.SimpleNamespace(death=0.2, birth=0.7),
    "structured row": lambda: record()[0],
    "structured array of one row": record,
    "record array": lambda: record().view(np.recarray)[0],
    "masked record, nothing masked": lambda: np.ma.array(record())[0],
    "Series": lambda: optional("pandas").Series({"death": 0.2, "birth": 0.7}),
    "row of a frame": lambda: frame().iloc[0],
    "row as a tuple": lambda: next(frame().itertuples(index=False)),
    "frame of one row": frame,
    "polars frame of one row": lambda: optional("polars").DataFrame({"death": [0.2], "birth": [0.7]}),
    "row of polars": lambda: (
        optional("polars").DataFrame({"death": [0.2], "birth": [0.7]}).row(0, named=True)
    ),
    "pyarrow": lambda: optional("pyarrow").table({"death": [0.2], "birth": [0.7]}),
    "dataset": lambda: optional("xarray").Dataset({"death": 0.2, "birth": 0.7}),
    "labelled array": lambda: optional("xarray").DataArray([0.2, 0.7], {"p": ["death", "birth"]}, ["p"]),
}
"""Containers with names: what they hold is told by them."""

ORDERED = {
    "list": lambda: [0.7, 0.2],
    "tuple": lambda: (0.7, 0.2),
    "array": lambda: np.array([0.7, 0.2]),
    "big-endian array": lambda: np.array([0.7, 0.2], dtype=">f8"),
    "strided array": lambda: np.array([0.7, 9, 0.2, 9])[::2],
    "backwards array": lambda: np.array([0.2, 0.7])[::-1],
    "masked array, nothing masked": lambda: np.ma.array([0.7, 0.2]),
    "generator": lambda: (x for x in (0.7, 0.2)),
    "Series without names": lambda: optional("pandas").Series([0.7, 0.2]),
    "polars Series": lambda: optional("polars").Series([0.7, 0.2]),
    "unlabelled DataArray": lambda: optional("xarray").DataArray([0.7, 0.2], dims=["p"]),
}
"""Containers with nothing but an order: that of the model."""

WRONG = {
    "set": lambda: {0.7, 0.2},
    "frozenset": lambda: frozenset([0.7, 0.2]),
    "text": lambda: "72",
    "number": lambda: 0.7,
    "other names": lambda: {"birth": 0.7, "deaths": 0.2},
    "Series with other names": lambda: optional("pandas").Series({"b": 0.7, "d": 0.2}),
    "Series in another order of numbers": lambda: optional("pandas").Series([0.7, 0.2], index=[1, 0]),
    "Series that names twice": lambda: optional("pandas").Series([0.7, 0.2], index=["birth", "birth"]),
    "frame of two rows": lambda: frame(birth=[0.7, 0.1], death=[0.2, 0.1]),
    "structured array of two rows": lambda: np.concatenate([record(), record()]),
    "masked number": lambda: {"birth": np.ma.masked, "death": 0.2},
    "masked array": lambda: np.ma.array([0.7, 0.2], mask=[False, True]),
    "masked record": lambda: np.ma.array(record(), mask=[(True, False)])[0],
    "complex": lambda: {"birth": np.complex128(0.7), "death": 0.2},
    "missing of pandas": lambda: {"birth": optional("pandas").NA, "death": 0.2},
    "an array for a number": lambda: {"birth": np.array([0.7, 0.2]), "death": 0.2},
}
"""What is refused everywhere."""

FREE = {
    "simulate": lambda p: glauber.simulate(MODEL, p, steps=3, start=START, fields={"fuel": FUEL})["here"],
    "rollout": lambda p: RUN(p)["mean(here)"],
    "value_and_grad": lambda p: list(RUN.value_and_grad(p)[1].values()),
    "vjp": lambda p: list(RUN.vjp(p, {"mean(here)": 1.0}).values()),
}
"""Entries that take parameters by name or in order."""


def transition(**settings):
    task = settings.pop("task", None) or glauber.Transition(SEEN, loss="likelihood")
    f = glauber.objective(MODEL, task, fields={"fuel": FUEL}, **settings)
    return [*f(f.x0), *f.x0]


BY_NAME = {
    "start of a fit": lambda p: transition(start=p)[0:1],
    "fixed": lambda p: RUN.objective(fixed=p, fitted=[])([])[0],
    "data to simulate": lambda p: transition(
        task=glauber.Trajectory(simulate={"parameters": p, "steps": 2, "runs": 2}, summary="mean(here)"),
        start={"birth": 0.5, "death": 0.5},
    )[0],
    "initial state": lambda p: transition(task=glauber.InitialState(SEEN[0, 1:], p, steps=1))[0],
}
"""Entries that take parameters by name alone."""


def same(found, expected):
    np.testing.assert_array_equal(np.asarray(found, dtype=float), np.asarray(expected, dtype=float))


@pytest.mark.parametrize("container", NAMED)
@pytest.mark.parametrize("entry", [*FREE, *BY_NAME])
def test_parameters_with_names_are_read_by_them(entry, container):
    call = {**FREE, **BY_NAME}[entry]
    same(call(NAMED[container]()), call(TRUTH))


@pytest.mark.parametrize("container", ORDERED)
@pytest.mark.parametrize("entry", FREE)
def test_parameters_without_names_are_read_in_order(entry, container):
    same(FREE[entry](ORDERED[container]()), FREE[entry](TRUTH))


@pytest.mark.parametrize("container", ORDERED)
@pytest.mark.parametrize("entry", BY_NAME)
def test_where_names_are_needed_an_order_is_refused(entry, container):
    with pytest.raises(TypeError, match="give a dictionary"):
        BY_NAME[entry](ORDERED[container]())


@pytest.mark.parametrize("container", WRONG)
@pytest.mark.parametrize("entry", [*FREE, *BY_NAME])
def test_what_has_no_order_or_other_names_is_refused(entry, container):
    with pytest.raises((glauber.InputError, TypeError)):
        # Several starts are what a table of several rows, or a list of numbers, gives a fit.
        if entry == "start of a fit" and ("two rows" in container or "an array" in container):
            raise glauber.InputError
        call = {**FREE, **BY_NAME}[entry]
        call(WRONG[container]())


def test_the_rows_of_a_table_are_several_starts():
    rows = frame(death=[0.2, 0.4], birth=[0.7, 0.3])
    task = glauber.Transition(SEEN, loss="likelihood")
    settings = {"fields": {"fuel": FUEL}, "steps": 1, "progress": False}
    found = glauber.fit(MODEL, task, rows, **settings)
    assert [one.start for one in found.starts] == [TRUTH, {"birth": 0.3, "death": 0.4}]


@pytest.mark.parametrize("container", NAMED)
def test_theta_with_names_is_read_by_them(container):
    f = glauber.objective(MODEL, glauber.Transition(SEEN, loss="likelihood"), TRUTH, fields={"fuel": FUEL})
    same(f(NAMED[container]())[1], f([0.7, 0.2])[1])
    g = RUN.objective()
    same(g(NAMED[container]())[1], g([0.7, 0.2])[1])


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow", "structured"])
def test_a_simulator_reads_a_table_by_its_columns(library):
    columns = {"death": [0.2, 0.3], "birth": [0.7, 0.6]}
    table = {
        "pandas": lambda: frame(**columns),
        "polars": lambda: optional("polars").DataFrame(columns),
        "pyarrow": lambda: optional("pyarrow").table(columns),
        "structured": lambda: np.array([(0.2, 0.7), (0.3, 0.6)], dtype=[("death", float), ("birth", float)]),
    }[library]()
    simulator = RUN.simulator()
    np.random.seed(1)
    expected = simulator(np.array([[0.7, 0.2], [0.6, 0.3]]))
    np.random.seed(1)
    same(simulator(table), expected)


# Arrays.


def data_array(array, dims, **coords):
    return optional("xarray").DataArray(array, coords or None, dims)


def layouts(array):
    """The same numbers in every layout and type that holds them."""
    array = np.asarray(array)
    wide = np.zeros([2 * n for n in array.shape], dtype=array.dtype)
    wide[tuple(slice(None, None, 2) for _ in array.shape)] = array
    turned = np.ascontiguousarray(array[::-1])[::-1]
    out = {
        "C": array,
        "Fortran": np.asfortranarray(array),
        "strided": wide[tuple(slice(None, None, 2) for _ in array.shape)],
        "negative strides": turned,
        "read-only": np.broadcast_to(array, array.shape),
        "big-endian": array.astype(array.dtype.newbyteorder(">")),
        "little-endian": array.astype(array.dtype.newbyteorder("<")),
        "double": array.astype(float),
        "big-endian double": array.astype(">f8"),
        "long double": array.astype(np.longdouble),
        "nested lists": array.tolist(),
        "list of arrays": list(array),
        "memory view": memoryview(np.ascontiguousarray(array)),
        "masked array, nothing masked": np.ma.array(array),
        "masked array of a false mask": np.ma.array(array, mask=np.zeros(array.shape, dtype=bool)),
    }
    if array.dtype.kind in "bui":
        out |= {
            t: array.astype(t) for t in ("?", "i1", "<i2", ">i2", "<u2", ">u4", "<i8", ">i8", "<f2", ">f4")
        }
    return out


def broken(array):
    """The same numbers where some are missing or none."""
    array = np.asarray(array, dtype=float)
    mask = np.zeros(array.shape, dtype=bool)
    mask[(0,) * (array.ndim - 1) + (1,)] = True
    holes, objects = array.copy(), array.astype(object)
    holes[mask], objects[mask] = np.nan, None
    return {
        "masked": np.ma.array(array, mask=mask),
        "masked in a list": [np.ma.array(one, mask=m) for one, m in zip(array, mask)],
        "masked integers": np.ma.array(array.astype(int), mask=mask),
        "NaN": holes,
        "None": objects,
        "complex": array.astype(complex),
        "texts": array.astype(str),
        "dates": array.astype("M8[s]"),
    }


def axes(array, dims):
    """The same array with named axes in other orders."""
    turned = tuple(reversed(dims))
    upper = tuple(d.upper() for d in turned)
    return {
        "named, as they are": data_array(array, dims),
        "named, turned": data_array(np.transpose(array), turned),
        "capitals, turned": data_array(np.transpose(array), upper),
        "without names": data_array(array, [f"dim_{i}" for i in range(np.ndim(array))]),
    }


LATTICE = ("y", "x")
SETTINGS = {"fields": {"fuel": FUEL}}


def fitted(task, **settings):
    f = glauber.objective(MODEL, task, **{"start": TRUTH, **SETTINGS, **settings})
    return [f(f.x0)[0]]


ARRAYS = {
    "start": (START, LATTICE, lambda a: glauber.simulate(MODEL, TRUTH, steps=2, start=a, **SETTINGS)["here"]),
    "start of a layer": (
        START,
        LATTICE,
        lambda a: glauber.simulate(MODEL, TRUTH, steps=2, start={"here": a}, **SETTINGS)["here"],
    ),
    "start of each replicate": (
        np.stack([START, 1 - START, START]),
        ("run", *LATTICE),
        lambda a: glauber.simulate(MODEL, TRUTH, steps=2, start=a, replicates=3, **SETTINGS)["here"],
    ),
    "start of a rollout": (START, LATTICE, lambda a: RUN(TRUTH, start=a)["mean(here)"]),
    "covariate": (
        FUEL,
        LATTICE,
        lambda a: glauber.simulate(MODEL, TRUTH, steps=2, start=START, fields={"fuel": a})["here"],
    ),
    "covariate of a fit": (
        FUEL,
        LATTICE,
        lambda a: fitted(glauber.Transition(SEEN, loss="likelihood"), fields={"fuel": a}),
    ),
    "states": (SEEN, ("run", "time", *LATTICE), lambda a: fitted(glauber.Transition(a, loss="likelihood"))),
    "states of one run": (
        SEEN[0],
        ("time", *LATTICE),
        lambda a: fitted(glauber.Transition(a, loss="likelihood")),
    ),
    "states of a layer": (
        SEEN,
        ("run", "time", *LATTICE),
        lambda a: fitted(glauber.Trajectory(states={"here": a}, summary="mean(here)")),
    ),
    "pattern": (START, LATTICE, lambda a: fitted(glauber.Stability(a, steps=2))),
    "initial state": (
        SEEN[0, 1:],
        ("time", *LATTICE),
        lambda a: fitted(glauber.InitialState(a, TRUTH, steps=1), start=None),
    ),
    "msd": (
        np.arange(1.0, 6.0),
        ("lag",),
        lambda a: fitted_walk(glauber.Trajectory(msd=a)),
    ),
    "msd's errors": (
        np.arange(1.0, 6.0) / 10,
        ("lag",),
        lambda a: fitted_walk(glauber.Trajectory(msd=(np.arange(1.0, 6.0), a), weighted=True)),
    ),
}
"""Entry → what it takes, the names of its axes, the call."""

WALK = glauber.load("persistent-random-walk")


def fitted_walk(task):
    f = glauber.objective(WALK, task, {"p_center": 0.3, "p_resample": 0.4}, replicates=64)
    return [f(f.x0)[0]]


@pytest.mark.parametrize("entry", ARRAYS)
def test_arrays_of_any_layout_are_the_same_numbers(entry):
    array, _, call = ARRAYS[entry]
    expected = call(array)
    for name, other in layouts(array).items():
        np.testing.assert_array_equal(call(other), expected, err_msg=f"{entry}: {name}")


@pytest.mark.parametrize("entry", ARRAYS)
@pytest.mark.parametrize(
    "how", ["masked", "masked in a list", "masked integers", "NaN", "None", "complex", "texts", "dates"]
)
def test_what_is_missing_or_no_number_is_refused(entry, how):
    array, _, call = ARRAYS[entry]
    if how == "masked in a list" and np.ndim(array) == 1:
        values = [np.ma.masked, *np.asarray(array)[1:]]
    else:
        values = broken(array)[how]
    with pytest.raises((glauber.InputError, TypeError)):
        call(values)


@pytest.mark.parametrize("entry", ARRAYS)
def test_named_axes_are_obeyed(entry):
    array, dims, call = ARRAYS[entry]
    expected = call(array)
    for name, other in axes(array, dims).items():
        np.testing.assert_array_equal(call(other), expected, err_msg=f"{entry}: {name}")


@pytest.mark.parametrize("entry", [e for e, (a, _, _) in ARRAYS.items() if np.ndim(a) > 1])
def test_axes_whose_names_say_nothing_are_refused(entry):
    array, dims, call = ARRAYS[entry]
    for names in (["north", "east", "up", "when"], ["x", "column", "col", "lon"]):
        with pytest.raises(glauber.InputError, match="axes"):
            call(data_array(array, names[: np.ndim(array)]))


def test_named_axes_of_datasets_structured_arrays_and_labels():
    xarray = optional("xarray")
    both = glauber.Model(
        "both",
        SHAPE,
        {"a": "binary", "b": "binary"},
        lambda s: {"a": s.bernoulli(s["p"] * s["b"]), "b": s.bernoulli(s["p"] * s["a"].shift((0, 1)))},
        parameters={"p": (0, 1, 0.8)},
    )
    a, b = START, (FUEL < 0.5).astype(np.uint8)
    expected = glauber.simulate(both, steps=2, start={"a": a, "b": b})
    dtype = [("b", "u1"), ("a", ">i2")]
    structured = np.empty(SHAPE, dtype=dtype)
    structured["a"], structured["b"] = a, b
    for start in (
        {"b": b, "a": a},
        structured,
        xarray.Dataset({"b": (["x", "y"], b.T), "a": (["y", "x"], a)}),
        xarray.DataArray(np.stack([b.T, a.T]), {"layer": ["b", "a"]}, ["layer", "x", "y"]),
        collections.namedtuple("States", "b a")(b, a),
    ):
        found = glauber.simulate(both, steps=2, start=start)
        assert all(np.array_equal(found[n], expected[n]) for n in "ab")
    hidden = np.ma.array(structured, mask=np.zeros(SHAPE, dtype=[("b", bool), ("a", bool)]))
    hidden["a"] = np.ma.masked
    for start in (hidden, {"a": a}, {"a": a, "b": b, "c": b}, xarray.Dataset({"a": (["y", "x"], a)})):
        with pytest.raises(glauber.InputError):
            glauber.simulate(both, steps=2, start=start)


def test_the_labels_of_time_are_times():
    plain = SEEN[:, ::2]
    # Labels go before what is known of the memory.
    assert fitted(glauber.Transition(data_array(plain, ("run", "time", "y", "x"), time=[0, 1, 2]))) == fitted(glauber.Transition(plain.copy()))
    plain = plain.copy()
    call = lambda states, **s: fitted(glauber.Transition(states, **s))  # noqa: E731
    expected = call(plain, times=[0, 2, 4])
    assert expected != call(plain)
    turned = data_array(plain.transpose(3, 1, 0, 2), ("x", "time", "run", "y"), time=[0, 2, 4])
    assert call(turned) == expected
    assert call({"here": turned}) == expected
    assert call(optional("xarray").Dataset({"here": turned})) == expected
    assert call(turned.assign_coords(time=[0, 1, 2])) == call(plain)
    dates = optional("pandas").to_datetime(["2026-01-01", "2026-01-02", "2026-01-04"])
    with pytest.raises(glauber.InputError, match="not evenly spaced"):
        call(turned.assign_coords(time=dates))
    with pytest.raises(glauber.InputError, match="leave times= out"):
        call(turned, times=[0, 2, 4])


def test_times_beside_the_axis_are_read_or_asked_for():
    plain = SEEN[:, ::2].copy()
    call = lambda states, **s: fitted(glauber.Transition(states, **s))  # noqa: E731
    expected = call(plain, times=[0, 2, 4])
    bare = data_array(plain, ("run", "t", "y", "x"))
    assert call(bare.assign_coords(elapsed=("t", [0.0, 2.0, 4.0]))) == expected
    by_run = np.tile([0, 2, 4], (len(plain), 1))
    assert call(bare.assign_coords(hours=(("run", "t"), by_run))) == expected
    by_run[1, 2] = 5
    with pytest.raises(glauber.InputError, match="differ along run"):
        call(bare.assign_coords(hours=(("run", "t"), by_run)))
    # What it is, nobody knows.
    with pytest.raises(glauber.InputError, match="call it `time`"):
        call(bare.assign_coords(stamp=("t", [0.0, 30.0, 150.0])))
    assert call(bare.assign_coords(light=("t", [3.0, 1.0, 2.0]))) == call(plain)


def test_frames_as_maps():
    pandas = optional("pandas")
    call = ARRAYS["covariate"][2]
    plain = pandas.DataFrame(FUEL)
    np.testing.assert_array_equal(call(plain), call(FUEL))
    # By north, downwards: a map as it is printed.
    np.testing.assert_array_equal(call(pandas.DataFrame(FUEL, index=np.arange(50.0, 45.0, -1))), call(FUEL))
    with pytest.raises(glauber.InputError, match="in no order"):
        call(plain.iloc[[1, 0, 2, 3, 4]])
    with pytest.raises(glauber.InputError, match="in no order"):
        call(plain[[1, 0, 2, 3, 4]])


# Tracks and curves.

ROWS = np.array(
    [
        (track, time, x, y)
        for track in (3, 4)
        for time, (x, y) in enumerate(np.cumsum(RNG.integers(-1, 2, (12, 2)), axis=0) * [1.0, 0.5])
    ]
)
COLUMNS = dict(zip(["track", "t", "x", "y"], ROWS.T))
MIXED = {name: COLUMNS[name] for name in ("y", "t", "track", "x")}


def structured_rows(columns):
    out = np.empty(len(ROWS), dtype=[(n, ">f8") for n in columns])
    for name, values in columns.items():
        out[name] = values
    return out


TABLES = {
    "rows": lambda: ROWS,
    "rows in lists": lambda: ROWS.tolist(),
    "big-endian, Fortran": lambda: np.asfortranarray(ROWS.astype(">f8")),
    "dictionary of columns": lambda: MIXED,
    "dictionary of lists": lambda: {n: v.tolist() for n, v in MIXED.items()},
    "structured": lambda: structured_rows(MIXED),
    "records": lambda: list(structured_rows(MIXED).view(np.recarray)),
    "rows as dictionaries": lambda: [dict(zip(MIXED, row)) for row in zip(*MIXED.values())],
    "rows as named tuples": lambda: list(frame(**MIXED).itertuples(index=False)),
    "pandas": lambda: frame(**MIXED),
    "pandas, tracks and times as its index": lambda: frame(**MIXED).set_index(["track", "t"]),
    "pandas, whole numbers": lambda: frame(**MIXED).astype({"track": "Int64", "t": ">i4"}),
    "pandas, shuffled": lambda: frame(**MIXED).sample(frac=1, random_state=1),
    "pandas without names": lambda: optional("pandas").DataFrame(ROWS),
    "pandas, more columns": lambda: frame(**{"note": ["a"] * len(ROWS), **MIXED}),
    "pandas, tracks by text": lambda: frame(**MIXED).assign(
        track=lambda f: f.track.map("cell {:.0f}".format)
    ),
    "polars": lambda: optional("polars").DataFrame(MIXED),
    "pyarrow": lambda: optional("pyarrow").table(MIXED),
    "dataset": lambda: optional("xarray").Dataset({n: ("point", v) for n, v in MIXED.items()}),
    "dataset of tracks by times": lambda: frame(**MIXED).set_index(["track", "t"]).to_xarray(),
    "labelled columns": lambda: data_array(
        np.stack(list(MIXED.values())), ("what", "point"), what=list(MIXED)
    ),
    "times as durations": lambda: frame(**MIXED).assign(
        t=lambda f: optional("pandas").to_timedelta(f.t, unit="s")
    ),
}

WRONG_TABLES = {
    "three columns": lambda: ROWS[:, :3],
    "no x": lambda: {n: v for n, v in MIXED.items() if n != "x"},
    "unequal columns": lambda: {**MIXED, "x": MIXED["x"][1:]},
    "masked": lambda: np.ma.array(ROWS, mask=ROWS == ROWS[3, 2]),
    "masked column": lambda: {**MIXED, "x": np.ma.array(MIXED["x"], mask=[True] + [False] * (len(ROWS) - 1))},
    "NaN": lambda: np.where(ROWS == ROWS[3, 2], np.nan, ROWS),
    "null of polars": lambda: optional("polars").DataFrame(
        {**{n: v.tolist() for n, v in MIXED.items()}, "x": [None, *MIXED["x"][1:]]}
    ),
    "missing of pandas": lambda: frame(
        **{**MIXED, "x": optional("pandas").array([None, *MIXED["x"][1:]], "Float64")}
    ),
    "named twice": lambda: optional("pandas").concat([frame(**MIXED), frame(**MIXED)[["x"]]], axis=1),
    "texts": lambda: frame(**{**MIXED, "x": ["a"] * len(ROWS)}),
}


@pytest.mark.parametrize("table", TABLES)
def test_tracks_in_any_table_are_the_same_tracks(table):
    settings = {"lags": 4, "bootstrap": 0}
    found = fitted_walk(glauber.Trajectory(tracks=TABLES[table](), **settings))
    assert found == fitted_walk(glauber.Trajectory(tracks=ROWS, **settings))


@pytest.mark.parametrize("table", WRONG_TABLES)
def test_tables_that_are_no_tracks_are_refused_without_a_path(table):
    with pytest.raises((glauber.InputError, TypeError)) as error:
        fitted_walk(glauber.Trajectory(tracks=WRONG_TABLES[table](), lags=4))
    assert "/" not in str(error.value) and "tmp" not in str(error.value), error.value


def test_columns_can_be_named():
    table = dict(zip(["who", "when", "east", "north"], ROWS.T))
    columns = {"id": "who", "time": "when", "x": "east", "y": "north"}
    expected = fitted_walk(glauber.Trajectory(tracks=ROWS, lags=4, bootstrap=0))
    assert fitted_walk(glauber.Trajectory(tracks=table, lags=4, bootstrap=0, columns=columns)) == expected
    with pytest.raises(glauber.InputError, match="the columns are `who`, `when`, `east`, `north`"):
        fitted_walk(glauber.Trajectory(tracks=table, lags=4))


VALUES = np.array([1.0, 2.5, 3.5, 4.0])
CURVES = {
    "array": lambda: VALUES,
    "list": lambda: VALUES.tolist(),
    "Series in order": lambda: optional("pandas").Series(VALUES),
    "Series by lag, shuffled": lambda: (
        optional("pandas").Series(VALUES, index=[1, 2, 3, 4]).iloc[[2, 0, 3, 1]]
    ),
    "Series by lag from 0": lambda: optional("pandas").Series(
        [0.0, *VALUES], index=optional("pandas").Index(range(5), name="lag")
    ),
    "frame": lambda: frame(msd=VALUES[::-1], lag=[4, 3, 2, 1]),
    "polars": lambda: optional("polars").DataFrame({"msd": VALUES, "lag": [1, 2, 3, 4]}),
    "structured": lambda: np.array(list(zip(VALUES, [1, 2, 3, 4])), dtype=[("msd", float), ("lag", int)]),
    "dictionary": lambda: {"lag": [1, 2, 3, 4], "msd": VALUES},
    "by the labels of an axis": lambda: data_array(VALUES[::-1], ("lag",), lag=[4, 3, 2, 1]),
    "named tuple": lambda: collections.namedtuple("Curve", "msd lag")(VALUES, [1, 2, 3, 4]),
}


@pytest.mark.parametrize("curve", CURVES)
def test_curves_are_read_by_their_lags(curve):
    found = fitted_walk(glauber.Trajectory(msd=CURVES[curve]()))
    assert found == fitted_walk(glauber.Trajectory(msd=VALUES))


@pytest.mark.parametrize(
    "curve",
    [
        lambda: optional("pandas").Series(VALUES, index=[0.5, 1, 1.5, 2]),
        lambda: frame(msd=VALUES, lag=[1, 1, 2, 3]),
        lambda: {"lag": [1, 2, 3, 4], "value of it": VALUES},
        lambda: (VALUES, VALUES[:2]),
        lambda: np.ma.array(VALUES, mask=[False, True, False, False]),
        # What may be times under another name.
        lambda: frame(time=[3, 1, 2, 4], msd=VALUES),
        lambda: frame(msd=VALUES, **{"lag (s)": [24, 48, 72, 96]}),
        lambda: {"tau": [3, 1, 2, 4], "msd": VALUES},
        lambda: optional("polars").DataFrame({"lagt": [24, 48, 72, 96], "msd": VALUES}),
        lambda: [{"seconds": 24 * n, "msd": v} for n, v in enumerate(VALUES, 1)],
        lambda: frame(tau=[3, 1, 2, 4], msd=VALUES).set_index("tau"),
        lambda: frame(msd=VALUES, **{"t [s]": [24.0, 48, 72, 96]}).set_index("t [s]"),
        lambda: np.array(list(zip(VALUES, [3, 1, 2, 4])), dtype=[("msd", float), ("tau", int)]),
    ],
)
def test_curves_that_are_none_are_refused(curve):
    with pytest.raises(glauber.InputError):
        fitted_walk(glauber.Trajectory(msd=curve()))


@pytest.mark.parametrize(
    "curve, lags, said",
    [
        (lambda: frame(lag=[24, 48, 72, 96], msd=VALUES), [24, 48, 72, 96], "the first is 24 intervals"),
        (lambda: frame(lag=[2, 1, 3, 4], msd=VALUES, who="me"), [1, 2, 3, 4], "`who` were not read"),
        (lambda: frame(msd=VALUES), [1, 2, 3, 4], "msd has no column `lag`"),
        (lambda: frame(msd=VALUES).set_axis([3, 1, 2, 4]), [1, 2, 3, 4], "the labels of the rows of msd, 3, 1, 2, 4"),
        (lambda: frame(tau=[3, 1, 2, 4], msd=VALUES).set_index("tau")["msd"], [1, 2, 3, 4], "of msd (`tau`), 3, 1, 2, 4"),
        (lambda: (frame(msd=VALUES).set_axis([2, 3, 4, 5])["msd"], VALUES), [2, 3, 4, 5], "of msd, 2, 3, 4, 5"),
        (lambda: data_array(VALUES, ("t",), t=[2, 4, 6, 8]), [2, 4, 6, 8], "of msd (`t`), 2, 4, 6, 8"),
    ],
)
def test_how_a_curve_was_read_is_said(curve, lags, said):
    walk = glauber.load("persistent-random-walk")
    task = glauber.Trajectory(msd=curve())
    found = glauber.fit(walk, task, {"p_center": 0.3, "p_resample": 0.5}, steps=1, replicates=2, progress=False)
    assert list(found.curves.times) == lags
    assert any(said in note for note in found.notes), found.notes
    with pytest.warns(UserWarning, match=re.escape(said)):
        glauber.objective(walk, task, {"p_center": 0.3, "p_resample": 0.5})


# Images.

Y, X = np.mgrid[:24, :32]
DISC = np.where((Y - 12) ** 2 + (X - 10) ** 2 < 40, 200, 30)


def images():
    eight = DISC.astype(np.uint8)
    colour = np.stack([eight] * 3, axis=-1)
    xarray, image = optional("xarray"), pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    palette = image.fromarray(eight).convert("P")
    palette.putpalette([255 - v for v in range(256) for _ in range(3)])
    return {
        "Fortran": np.asfortranarray(eight),
        "16 bits": (eight * 257.0).astype("<u2"),
        "16 bits, big-endian": (eight * 257.0).astype(">u2"),
        "share": eight / 255,
        "big-endian share": (eight / 255).astype(">f8"),
        "named axes, turned": xarray.DataArray(eight.T, dims=["x", "y"]),
        "colours, channels first": xarray.DataArray(np.moveaxis(colour, -1, 0), dims=["channel", "y", "x"]),
        "Pillow": image.fromarray(eight),
        "masked array, nothing masked": np.ma.array(eight),
        "palette": (palette, 255 - eight),
    }


def test_images_in_any_container_are_the_same_image():
    for name, given in images().items():
        other, plain = given if isinstance(given, tuple) else (given, DISC.astype(np.uint8))
        found, expected = (glauber.segment(i, steps=40).field for i in (other, plain))
        # Greys that are sums of colours, or shares of another greatest value, differ in their last digits.
        assert np.abs(found - expected).max() < 1e-5, name
    with pytest.raises(glauber.InputError, match="missing"):
        glauber.segment(np.ma.array(DISC.astype(np.uint8), mask=DISC == 200))
    with pytest.raises(glauber.InputError, match="missing"):
        glauber.segment(DISC.astype(np.uint8), truth=np.ma.array(DISC > 100, mask=DISC == 200))


# Other numbers.


def test_arrays_without_axes_are_numbers_everywhere():
    n = lambda x: np.array(x)  # noqa: E731
    runs = glauber.simulate(
        MODEL, TRUTH, steps=n(2), replicates=n(2), seed=n(3), every=n(1), threads=n(1), **SETTINGS
    )
    plain = glauber.simulate(MODEL, TRUTH, steps=2, replicates=2, seed=3, **SETTINGS)
    assert np.array_equal(runs["here"], plain["here"])
    assert glauber.Lattice(n(5), boundary=n(0.0)) == glauber.Lattice(5, boundary=0.0)
    assert glauber.load("domany-kinzel", shape=n(16)).shape == (16,)
    assert glauber.load("voter", shape=np.array([4, 6])).shape == (4, 6)
    run = glauber.rollout(MODEL, n(2), "mean(here)", at=n(2), replicates=n(2), start=START, **SETTINGS)
    assert np.isscalar(run(TRUTH)["mean(here)"])
    task = glauber.Trajectory(states=SEEN, summary="mean(here)", at=[n(1), n(2)])
    settings = {"steps": n(2), "learning_rate": n(0.1), "replicates": n(3), "average": n(0.5), "seed": n(1)}
    found = glauber.fit(
        MODEL, task, {k: n(v) for k, v in TRUTH.items()}, **SETTINGS, **settings, progress=False
    )
    assert found.steps == 2
    model = glauber.Model(
        "m", n(4), {"u": n(3)}, lambda s: s["u"], parameters={"p": np.array([0, 1, 0.5])}, start=lambda s: 0
    )
    assert model.layers["u"].highest == 3 and model.parameters["p"].default == 0.5
    for wrong in (n(1.5), n([2]), np.ma.masked, 2 + 0j):
        with pytest.raises((TypeError, glauber.InputError)):
            glauber.simulate(MODEL, TRUTH, steps=wrong, **SETTINGS)


def test_sets_have_no_order():
    for call in (
        lambda: glauber.Lattice({4, 5}),
        lambda: glauber.load("voter", shape={4, 5}),
        lambda: RUN.objective(fitted={"birth", "death"}),
        lambda: glauber.Model("m", 4, {"u": "binary"}, lambda s: s["u"], covariates={"a", "b"}),
        lambda: glauber.Model("m", 4, {"u": {"ill", "well"}}, lambda s: s["u"]),
    ):
        with pytest.raises(glauber.InputError, match="no order"):
            call()
    assert glauber.Lattice({"x": 6, "y": 4}).shape == (4, 6)
    with pytest.raises(glauber.InputError, match="call them y, x"):
        glauber.Lattice({"x": 6, "time": 4})


def test_slopes_are_read_by_name_and_none_is_left_out():
    run = glauber.rollout(MODEL, 2, ["mean(here)", "count(here)"], replicates=2, start=START, **SETTINGS)
    expected = run.vjp(TRUTH, {"mean(here)": 2.0, "count(here)": 3.0})
    pandas = optional("pandas")
    for slopes in (
        {"count(here)": 3.0, "mean(here)": 2.0},
        pandas.Series({"count(here)": 3.0, "mean(here)": 2.0}),
    ):
        assert run.value_and_grad(TRUTH, lambda m, s=slopes: (sum(m.values()), s))[1] == expected
        assert run.vjp(TRUTH, slopes) == expected
    # One that the loss never read does not change it.
    one = run.value_and_grad(TRUTH, lambda m: (2 * m["mean(here)"], {"mean(here)": 2.0}))[1]
    assert one == run.vjp(TRUTH, {"mean(here)": 2.0})
    for loss in (
        lambda m: (m["mean(here)"] + m["count(here)"], {"mean(here)": 1.0}),
        lambda m: (sum(m.values()), {"mean(here)": 1.0}),
        lambda m: (sum({**m}.values()), {"mean(here)": 1.0}),
        lambda m: (m.get("count(here)"), {"mean(here)": 1.0}),
    ):
        with pytest.raises(glauber.InputError, match=r"`count\(here\)` but returned no slope"):
            run.value_and_grad(TRUTH, loss)
    with pytest.raises(glauber.InputError, match="missing"):
        run.value_and_grad(TRUTH, lambda m: (0.0, {"mean(here)": np.ma.masked, "count(here)": 0.0}))
    assert math.isfinite(run.value_and_grad(TRUTH, "count(here)")[0])


# The axis of time, whatever it is called.

GAPS = [0, 1, 2, 3, 5, 6, 9]
OF_TIME = (
    "time t T frame frames step day days hour minute second week month year date datetime tp timepoint time_point time_step "
    "sample_time sampling_date generation iteration tick acquisition_time"
).split()


def told_times(value, model=None, **task):
    """The times that a task hands on of what it is given."""
    model = model or glauber.load("susceptible-infected", shape=(4, 6))
    arrays = glauber.Transition(value, **task)._given(model)["arrays"]
    return next((flat.tolist() for name, _, flat in arrays if name == "times"), None)


@pytest.mark.parametrize("dim", OF_TIME)
def test_labels_of_an_axis_of_time_are_times_whatever_it_is_called(dim):
    pandas = optional("pandas")
    array = np.zeros((2, len(GAPS), 4, 6))
    dims = ("run", dim, "y", "x")
    assert told_times(data_array(array, dims, **{dim: GAPS})) == GAPS
    assert told_times(data_array(array.swapaxes(0, 1), (dim, "run", "y", "x"), **{dim: GAPS})) == GAPS
    assert told_times(data_array(array, dims, **{dim: range(7)})) is None
    days = pandas.to_datetime("2024-01-28") + pandas.to_timedelta(GAPS, unit="D")
    texts = [f"d{t:02d}" for t in GAPS]
    for labels in (days, days.tz_localize("UTC"), days.date, days - days[0], texts):
        with pytest.raises(glauber.InputError, match="axis of time"):
            told_times(data_array(array, dims, **{dim: np.asarray(labels)}))
    # As frames of a film: one after the other.
    assert told_times(data_array(array, dims, **{dim: pandas.date_range("2024-01-28", periods=7)})) is None


def test_times_beside_an_axis_are_times():
    pandas = optional("pandas")
    array = np.zeros((2, len(GAPS), 4, 6))
    dims = ("run", "frame", "y", "x")
    assert told_times(data_array(array, dims, time=("frame", GAPS))) == GAPS
    assert told_times(data_array(array, dims, time=("frame", GAPS), frame=GAPS)) == GAPS
    assert told_times(data_array(array, dims, seconds=("frame", [30 * t for t in GAPS]), frame=GAPS)) == GAPS
    assert told_times(data_array(array, dims, mouse=("run", ["a", "b"]), frame=GAPS)) == GAPS
    with pytest.raises(glauber.InputError, match="leave one of them out"):
        told_times(data_array(array, dims, time=("frame", GAPS), frame=range(7)))
    days = pandas.to_datetime("2024-01-28") + pandas.to_timedelta(GAPS, unit="D")
    with pytest.raises(glauber.InputError, match="not evenly spaced"):
        told_times(data_array(array, dims, taken=("frame", days)))
    with pytest.raises(glauber.InputError, match="not evenly spaced"):
        told_times(data_array(array, ("run", "seen", "y", "x"), seen=days))


def test_an_axis_without_a_name_is_not_guessed_to_be_time():
    array = np.zeros((7, 4, 6))
    for dims in (("patient", "y", "x"), ("slice", "y", "x"), ("dim_0", "y", "x"), ("index", "y", "x")):
        with pytest.raises(glauber.InputError, match="name them time, y, x"):
            told_times(data_array(array, dims))
    # The run is the one that is left; axes that have no names at all go by order, with their labels.
    assert told_times(data_array(array[None], ("mouse", "time", "lat", "lon"), time=GAPS)) == GAPS
    assert told_times(data_array(array, ("dim_0", "dim_1", "dim_2"), dim_0=GAPS)) == GAPS


def test_the_rows_of_a_table_are_times_of_a_line():
    pandas = optional("pandas")
    line = glauber.load("domany-kinzel", shape=(6,))
    table = pandas.DataFrame(np.zeros((7, 6)))
    assert told_times(table, line) is None
    assert told_times(table.set_axis(GAPS), line) == GAPS
    assert told_times({next(iter(line.layers)): table.set_axis(GAPS)}, line) == GAPS
    days = pandas.to_datetime("2024-01-28") + pandas.to_timedelta(GAPS, unit="D")
    for index in (days, [f"d{t}" for t in GAPS]):
        with pytest.raises(glauber.InputError, match="axis of time"):
            told_times(table.set_axis(index), line)


def test_the_names_of_rows_and_columns_are_obeyed():
    pandas = optional("pandas")
    fire = glauber.load("forest-fire", shape=(6, 6))
    values = {"spread": 0.3, "burnout": 0.2, "slope_effect": 1.5}
    field = np.arange(36.0).reshape(6, 6)
    run = lambda e: glauber.simulate(fire, values, steps=4, fields={"elevation": e}, replicates=4)["state"]  # noqa: E731
    expected = run(field)
    long = pandas.DataFrame({"y": np.repeat(range(6), 6), "x": np.tile(range(6), 6), "e": field.ravel()})
    for index, columns in (("y", "x"), ("x", "y")):
        assert np.array_equal(run(long.pivot(index=index, columns=columns, values="e")), expected)
    assert np.array_equal(run(long.pivot(index="x", columns="y", values="e").rename_axis(columns=None)), expected)
    assert np.array_equal(run(pandas.DataFrame(field).rename_axis(index="parcel")), expected)
    with pytest.raises(glauber.InputError, match="the rows of field `elevation` are called `time` and its columns `x`"):
        run(pandas.DataFrame(field).rename_axis(index="time", columns="x"))
    # A line over time.
    line = glauber.Model("line", 6, {"on": "binary"}, lambda s: s.bernoulli(s["p"]), parameters={"p": (0, 1)})
    states = pandas.DataFrame(np.random.default_rng(1).integers(0, 2, (4, 6)), index=pandas.Index([0, 2, 4, 6], name="step"))
    found = [
        glauber.objective(line, glauber.Transition(own), {"p": 0.5})([0.4])[0]
        for own in (states, states.rename_axis(columns="x").T)
    ]
    assert found[0] == found[1]


def test_one_number_is_a_field_everywhere():
    fire = glauber.load("forest-fire", shape=(6, 8))
    values = {"spread": 0.3, "burnout": 0.2, "slope_effect": 1.5}
    expected = glauber.simulate(fire, values, steps=3, fields={"elevation": np.full((6, 8), 3.0)})["state"]
    for one in (3, 3.0, np.array(3.0), np.float32(3)):
        assert np.array_equal(glauber.simulate(fire, values, steps=3, fields={"elevation": one})["state"], expected)

"""What stands beyond fixed edges, against NumPy; and that a file of states says under which update they were made."""

import numpy as np
import pytest

import glauber

SHAPE = (5, 7)
AROUND = [(0, 1), (0, -1), (1, 0), (-1, 0)]


def moved(field, beyond, offset):
    """At site i the value at site i + offset, `beyond` outside."""
    wide = np.full((SHAPE[0] + 4, SHAPE[1] + 4), float(beyond))
    wide[2:-2, 2:-2] = field
    return np.roll(wide, [-d for d in offset], (0, 1))[2:-2, 2:-2]


def around(field, beyond):
    return sum(moved(field, beyond, offset) for offset in AROUND)


def start():
    dice = np.random.default_rng(3)
    return {
        "wall": dice.integers(0, 2, SHAPE),
        "kind": dice.integers(0, 3, SHAPE),
        "count": dice.integers(0, 10, SHAPE),
        "u": dice.integers(-8, 9, SHAPE) / 8,
        "out": np.zeros(SHAPE),
    }


def one_step(rule, update="synchronous", edges=None, boundary=0.0, p=0.5):
    model = glauber.Model(
        "edges", glauber.Lattice(SHAPE, boundary), {"wall": "binary", "kind": ["a", "b", "c"], "count": (0, 9), "u": "real", "out": "real"},
        lambda s: {**{name: s[name] for name in ("wall", "kind", "count", "u")}, "out": rule(s)},
        parameters={"p": "unit"}, covariates=["h"], edges=edges, update=update,
    )  # fmt: skip
    field = np.arange(35.0).reshape(SHAPE) / 8
    return glauber.simulate(model, {"p": p}, steps=1, start=start(), fields={"h": field}, precision="f64")["out"][0, -1]


# Rules, and the same in NumPy given what layers are beyond the edges: wall, kind, count, u.
RULES = {
    "complement": (lambda s: (1 - s["wall"]).shift((0, 1)), lambda a, e: moved(1 - a["wall"], 1 - e["wall"], (0, 1))),
    "complement around": (
        lambda s: (1 - s["wall"]).neighbours("von-neumann").sum(),
        lambda a, e: around(1 - a["wall"], 1 - e["wall"]),
    ),
    "a state": (lambda s: s["kind"].neighbours("von-neumann").count("c"), lambda a, e: around(a["kind"] == 2, e["kind"] == 2)),
    "a moved state": (lambda s: s["kind"].shift((-1, 0)).is_("b"), lambda a, e: moved(a["kind"], e["kind"], (-1, 0)) == 1),
    "a comparison": (lambda s: (s["count"] > 4).shift((1, -1)), lambda a, e: moved(a["count"] > 4, e["count"] > 4, (1, -1))),
    "a product with a parameter": (
        lambda s: (s["p"] * s["count"] + s["u"]).neighbours("von-neumann").mean(),
        lambda a, e: around(0.5 * a["count"] + a["u"], 0.5 * e["count"] + e["u"]) / 4,
    ),
    "a sum of a sum": (
        lambda s: (s["count"].neighbours("von-neumann").sum() - s["u"]).shift((0, -2)),
        lambda a, e: moved(around(a["count"], e["count"]) - a["u"], 4 * e["count"] - e["u"], (0, -2)),
    ),
    "a real layer": (lambda s: s["u"].shift((0, 1)), lambda a, e: moved(a["u"], e["u"], (0, 1))),
    "given": (lambda s: (1 - s["wall"]).beyond(0.25).shift((0, 1)), lambda a, e: moved(1 - a["wall"], 0.25, (0, 1))),
    "those that are there": (
        lambda s: glauber.where(s["u"] > 5, 0, 1).beyond(0).neighbours("von-neumann").sum(),
        lambda a, e: around(np.ones(SHAPE), 0),
    ),
    "a number": (lambda s: (s["wall"] * 0 + 1).neighbours("von-neumann").sum(), lambda a, e: np.full(SHAPE, 4.0)),
}


@pytest.mark.parametrize("update", ["synchronous", "sublattices", "permutation"])
@pytest.mark.parametrize("edges", [None, {"wall": 1}, {"wall": 1, "kind": "c", "count": 7, "u": -0.375}])
@pytest.mark.parametrize("boundary", [0.0, 1.0])
@pytest.mark.parametrize("rule", RULES)
def test_rules_see_what_they_make_of_the_edges(rule, boundary, edges, update):
    traced, plain = RULES[rule]
    given = {"wall": boundary, "kind": boundary, "count": boundary, "u": boundary, **(edges or {})}
    given["kind"] = "abc".index(given["kind"]) if isinstance(given["kind"], str) else given["kind"]
    scheme = glauber.RandomSequential(order="permutation") if update == "permutation" else update
    found = one_step(traced, scheme, edges, boundary)
    np.testing.assert_allclose(found, plain(start(), given), rtol=0, atol=1e-12)


def test_the_complement_of_an_edge_of_1_is_0():
    model = glauber.Model(
        "m", glauber.Lattice((3,), boundary=1), {"a": "binary"}, lambda s: (1 - s["a"]).shift((1,)),
    )  # fmt: skip
    assert glauber.simulate(model, steps=1, start={"a": np.zeros(3)})["a"][0, -1].tolist() == [1, 1, 0]


def test_a_picked_site_beyond_the_edge():
    def rule(s):
        there = s.neighbour_towards(0, [(0, 1)])
        return {"a": s["a"], "out": (2 - s["a"]).at(there) + 10 * (1 - there.exists()) + 100 * s["a"].beyond(7).at(there)}

    model = glauber.Model(
        "m", glauber.Lattice((2, 3), boundary=0), {"a": "binary", "out": (0, 2000)}, rule, edges={"a": 1},
        update=glauber.RandomSequential(order="permutation"),
    )  # fmt: skip
    given = {"a": np.array([[0, 1, 0], [1, 1, 1]]), "out": np.zeros((2, 3))}
    found = glauber.simulate(model, steps=1, start=given)["out"][0, -1]
    assert found.tolist() == [[101, 2, 711], [101, 101, 711]]


def test_gradients_reach_parameters_beyond_the_edges():
    def rule(s):
        return {"a": s["a"], "out": (s["p"] * (1 - s["a"])).neighbours("von-neumann").sum()}

    model = glauber.Model(
        "m", glauber.Lattice(SHAPE, boundary=1), {"a": "binary", "out": "real"}, rule, parameters={"p": (0, 1)}, edges={"a": 0},
        start=lambda s: {"a": 1, "out": 0},
    )  # fmt: skip
    run = glauber.rollout(model, 1, lambda s: {"m": s["out"].sum()}, precision="f64")
    value, gradient = run.value_and_grad({"p": 0.25}, "m")
    beyond = 2 * (SHAPE[0] + SHAPE[1])
    assert value == pytest.approx(0.25 * beyond)
    assert gradient["p"] == pytest.approx(beyond)


def test_edges_that_are_none_are_refused():
    def model(lattice, edges, **more):
        layers = {"a": "binary", "c": ["x", "y"]}
        return glauber.Model("m", lattice, layers, lambda s: {"a": s["a"], "c": s["c"]}, edges=edges, **more)

    fixed = glauber.Lattice((4, 4), boundary=0)
    for lattice, edges, message in [
        (fixed, {"a": 2}, "layer `a` .* is 2 beyond the edges, which it cannot hold"),
        (fixed, {"a": 0.5}, "cannot hold"),
        (fixed, {"a": float("nan")}, "nan|NaN|finite"),
        (fixed, {"c": "z"}, "'z' beyond the edges"),
        (fixed, {"b": 1}, "b"),
        ((4, 4), {"a": 1}, "this lattice has none"),
    ]:
        with pytest.raises((ValueError, TypeError), match=message):
            model(lattice, edges)
    assert model(fixed, {"a": 1, "c": "y"}).edges == {"a": 1, "c": 1}
    assert "a = 1" in glauber.Model("m", fixed, {"a": "binary"}, lambda s: s["a"], edges={"a": 1}).show()
    with pytest.raises(TypeError):
        glauber.Model("m", fixed, {"a": "binary"}, lambda s: s["a"].beyond(0) + 1)


def test_a_draw_that_is_open_out_there_has_no_likelihood():
    fixed = glauber.Lattice((4, 4), boundary=0)
    rule = lambda s: s.bernoulli(0.25 + 0.5 * s["a"]).shift((0, 1))  # noqa: E731
    assert not glauber.Model("m", fixed, {"a": "binary"}, rule).likelihood
    with pytest.raises(glauber.ModelError, match="shared by all sites|read at another site"):
        glauber.Model("m", fixed, {"a": "binary"}, rule, update="sublattices")


def voter(update):
    return glauber.load("voter", shape=(8, 8), update=update)


def test_files_say_under_which_update_they_were_made(tmp_path):
    path = tmp_path / "runs.npz"
    made = glauber.simulate(voter("sublattices"), steps=4, replicates=2, seed=1)
    made.save(path)
    arrays = dict(np.load(path))
    assert arrays["update scheme"].tobytes().decode() == "sublattices"
    settings = {"optimizer": "rprop", "steps": 2, "progress": False}
    told = "the states were simulated under update = sublattices, and this model has update = synchronous"
    for update, given, words in [
        ("sublattices", arrays, 0),
        ("synchronous", arrays, 1),
        ("synchronous", {"opinion": arrays["opinion"], "times": arrays["times"]}, 0),
    ]:
        found = glauber.fit(voter(update), glauber.Transition(given, loss="likelihood"), {"copying": 0.4, "noise": 0.1}, **settings)
        assert sum(told in note for note in found.notes) == words
    with pytest.warns(UserWarning, match="under update = sublattices.*carries on under its own"):
        glauber.simulate(voter("random-sequential"), steps=1, replicates=2, start=made.last)

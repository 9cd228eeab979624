"""Checks what operators of traced values refuse: bits, values that never occur, containers, complex numbers; and threads."""

from __future__ import annotations

import threading
import warnings
from fractions import Fraction

import glauber
import numpy as np
import pytest


def built(rule, **layers):
    """A model whose rule gives the next value of its first layer."""
    layers = layers or {"n": 9}
    first = next(iter(layers))
    return glauber.Model("operators", (4, 4), layers, step=lambda s: {first: rule(s)}, parameters={"p": "unit"})


def condition(made):
    """0 or 1 of a condition, as a next value."""
    return glauber.where(made, 1, 0)


@pytest.mark.parametrize(
    "combine",
    [
        lambda s: s["n"] & 1,
        lambda s: 1 & s["n"],
        lambda s: s["n"] | 2,
        lambda s: s["n"] ^ 1,
        lambda s: ~s["n"],
        lambda s: (s["n"] > 0) & s["n"],
        lambda s: (s["n"] > 0) & 2,
        lambda s: np.bitwise_and(s["n"], 1),
        lambda s: np.invert(s["n"]),
    ],
)
def test_bits_are_refused_and_conditions_combined(combine):
    with pytest.raises(TypeError, match=r"combines conditions.*(n // 2\*\*k % 2)"):
        built(combine)


def test_probabilities_are_no_conditions():
    with pytest.raises(TypeError, match="p \\* q"):
        built(lambda s: s.bernoulli(s["p"] & (s["n"] > 0)))


def test_conditions_combine_as_numpy_does():
    start = np.arange(16).reshape(4, 4) % 10
    rules = {
        "and": (lambda s: (s["n"] > 2) & (s["n"] < 7), (start > 2) & (start < 7)),
        "or": (lambda s: (s["n"] < 2) | (s["n"] == 7), (start < 2) | (start == 7)),
        "xor": (lambda s: (s["n"] > 2) ^ (s["n"] > 5), (start > 2) ^ (start > 5)),
        "not": (lambda s: ~(s["n"] > 2), ~(start > 2)),
        "true": (lambda s: (s["n"] > 2) & True, start > 2),
        "bit": (lambda s: s["n"] // 2 % 2, start // 2 % 2),
    }
    for name, (rule, wanted) in rules.items():
        found = built(rule).simulate({"p": 0.5}, start={"n": start}).last["n"]
        assert np.array_equal(found[0], wanted.astype(int)), name


@pytest.mark.parametrize("rest", [lambda s: s["n"] % 0, lambda s: 5 % (s["n"] * 0), lambda s: np.remainder(s["n"], 0)])
def test_a_remainder_by_a_constant_0_is_refused(rest):
    with pytest.raises(ZeroDivisionError, match="% 0 is no number"):
        built(rest)


STATES = {"cell": ["well", "ill", "dead"]}


@pytest.mark.parametrize(
    ("ask", "layers", "error", "words"),
    [
        (lambda s: s["cell"] == 7, STATES, glauber.ModelError, "never is.*well, ill, dead"),
        (lambda s: s["cell"] != 3, STATES, glauber.ModelError, "never is"),
        (lambda s: s["cell"] == -1, STATES, glauber.ModelError, "never is"),
        (lambda s: s["cell"] == 1.5, STATES, glauber.ModelError, "never is"),
        (lambda s: s["cell"].is_(3), STATES, glauber.ModelError, "always no"),
        (lambda s: s["cell"].neighbours().count(5) > 0, STATES, glauber.ModelError, "always no"),
        (lambda s: s["on"] == 2, {"on": "binary"}, glauber.ModelError, "never is"),
        (lambda s: s["n"] == 10, {"n": 9}, glauber.ModelError, "never is"),
        (lambda s: s["n"] == 2.5, {"n": 9}, glauber.ModelError, "never is"),
        (lambda s: s["cell"] == ("ill", "dead"), STATES, TypeError, "tuple.*one of several"),
        (lambda s: s["cell"] != ["ill"], STATES, TypeError, "list"),
        (lambda s: s["n"] == [1, 2], {"n": 9}, TypeError, "list"),
        (lambda s: s["n"] == {1}, {"n": 9}, TypeError, "set"),
        (lambda s: s["n"] == None, {"n": 9}, TypeError, "NoneType"),  # noqa: E711
        (lambda s: s["n"] == np.array([1, 2]), {"n": 9}, TypeError, "array"),
        (lambda s: s["n"] == 1j, {"n": 9}, TypeError, "complex"),
    ],
)
def test_questions_whose_answer_is_always_no_are_refused(ask, layers, error, words):
    with pytest.raises(error, match=words):
        built(lambda s: condition(ask(s)), **layers)


def test_whole_floats_are_states():
    start = np.arange(16).reshape(4, 4) % 3
    by_number = built(lambda s: condition(s["cell"] == 1.0), **STATES)
    assert np.array_equal(by_number.simulate({"p": 0.5}, start={"cell": start}).last["cell"][0], start == 1)
    assert by_number.show() == built(lambda s: condition(s["cell"] == "ill"), **STATES).show()
    assert by_number.show() == built(lambda s: condition(s["cell"] == np.int64(1)), **STATES).show()


@pytest.mark.parametrize("number", [1j, 1 + 0j, np.complex64(2), np.complex128(1 + 2j), np.array(1j)])
def test_complex_numbers_are_refused(number):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for rule in (
            lambda s: s["u"] * number,
            lambda s: number + s["u"],
            lambda s: np.multiply(s["u"], number),
            lambda s: glauber.minimum(s["u"], number),
            lambda s: s["u"] == number,
        ):
            with pytest.raises(TypeError, match=r"[Cc]omplex|real|unsupported"):
                built(rule, u="real")
        with pytest.raises(TypeError, match=r"[Cc]omplex|number"):
            built(lambda s: s["u"], u="real").simulate({"p": number})


def test_other_numbers_are_taken():
    model = built(lambda s: s["u"] * Fraction(1, 2) + np.float32(1) + np.array(2), u="real")
    assert np.allclose(model.simulate({"p": 0.5}, start={"u": np.ones((4, 4))}).last["u"], 3.5)


@pytest.mark.parametrize("offset", [(0.5, 1), 1.5, (1,), (1, 2, 3), "up", (1, None)])
def test_offsets_are_whole_numbers_for_each_axis(offset):
    with pytest.raises(TypeError, match="whole number for each"):
        built(lambda s: s["n"].shift(offset))


def test_draws_beyond_their_edges_name_themselves():
    for draw, words in [
        (lambda s: s.poisson(-1), "rate of `poisson` is -1"),
        (lambda s: s.poisson(1e10), "rate of `poisson` is 10000000000"),
        (lambda s: s.binomial(-1, 0.5), "trials of `binomial` is -1"),
        (lambda s: s.binomial(2.5, 0.5), "trials of `binomial` is 2.5"),
        (lambda s: s.categorical([0.3, 0.3, 0.3]), "add up to 0.9"),
    ]:
        with pytest.raises(glauber.ModelError, match=words):
            built(draw, u="real")
    model = glauber.Model(
        "shares",
        (8, 8),
        {"cell": ["a", "b", "c"]},
        parameters={"a": "unit", "b": "unit", "c": "unit"},
        step=lambda s: {"cell": s.categorical([s["a"], s["b"], s["c"]])},
    )
    start = {"cell": np.zeros((8, 8))}
    assert model.simulate({"a": 0.3, "b": 0.3, "c": 0.4}, start=start).last["cell"].max() == 2
    with pytest.raises(glauber.RunError, match="`categorical` add up to 1.5, not to 1"):
        model.simulate({"a": 0.5, "b": 0.5, "c": 0.5}, start=start)


def test_small_lattices_are_refused_or_said():
    def counting(shape, boundary="periodic"):
        return glauber.Model(
            "crowd",
            glauber.Lattice(shape, boundary),
            {"n": 26},
            step=lambda s: {"n": glauber.minimum(s["n"].neighbours("moore").sum(), 26)},
        )

    for shape, boundary in [((1, 9), "periodic"), ((9, 1), "reflecting"), ((1,), "periodic")]:
        with pytest.raises(glauber.ModelError, match="is the site itself"):
            counting(shape, boundary)
    with pytest.warns(UserWarning, match="counts twice"):
        assert "counts twice" in counting((2, 9)).notes[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert counting((3, 3)).notes == []
        assert counting((1, 9), 0.0).notes == []


def test_an_objective_is_evaluated_from_many_threads():
    model = glauber.load("susceptible-infected", shape=(16, 16))
    runs = model.simulate({"beta": 0.3}, steps=6, replicates=4, seed=3)
    objective = glauber.objective(model, glauber.Transition(runs), start={"beta": 0.2}, threads=2)
    wanted = objective([0.25])
    found: list[object] = []

    def work():
        for _ in range(5):
            found.append(objective([0.25]))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads), "the calls wait for one another"
    assert len(found) == 40
    for value in found:
        assert np.allclose(np.asarray(value[0] if isinstance(value, tuple) else value), np.asarray(wanted[0] if isinstance(wanted, tuple) else wanted))


def test_a_rule_of_many_operations_in_a_thread_with_a_small_stack():
    raised: list[BaseException] = []

    def rule(s):
        value = s["u"]
        for k in range(15_000):
            value = value * 0.999 + k * 1e-9
        return value

    def work():
        try:
            model = built(rule, u="real")
            model.simulate({"p": 0.5}, steps=1, start={"u": np.ones((4, 4))})
            glauber.rollout(model, 1, "mean(u)")({"p": 0.5}, start={"u": np.ones((4, 4))})
        except BaseException as error:  # noqa: BLE001
            raised.append(error)

    before = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert not raised, raised
    with pytest.raises(glauber.ModelError, match="100000 are the most"):
        built(lambda s: sum((s["u"] * (k + 2) for k in range(60_000)), s["u"]), u="real")

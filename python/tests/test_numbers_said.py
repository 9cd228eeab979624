"""Checks what results say of their numbers: digits, errors that nobody knows, names that other columns have, the last step."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import glauber
import numpy as np
import pytest
from test_processes import ENDLESS

RNG = np.random.default_rng(5)


def coins(*names, sites=(6, 6)):
    """A model that takes its parameters' mean for a probability."""
    return glauber.Model(
        "coins",
        sites,
        {"heads": "binary"},
        lambda s: s.bernoulli(sum(s[n] for n in names) / len(names)),
        parameters={n: (0, 1) for n in names},
        start=lambda s: 0,
    )


SEEN = (RNG.random((3, 4, 6, 6)) < 0.4).astype(np.uint8)


def test_small_numbers_keep_their_digits():
    out = glauber.Outputs(2, {"x": np.array([0.0012, 0.0041]), "y": np.array([3e-9, 5e-9])}, {})
    assert repr(out) == "Outputs(x = 0.00265 ± 0.0015, y = 4e-09 ± 1e-09)"
    several = glauber.Outputs([1, 2], {"x": np.array([[1e-7, 2.0], [3e-7, 2.5]])}, {})
    assert repr(several) == "Outputs(x = [2e-07 2.25] ± [1e-07 0.25])"
    check = glauber.Check("m", {"p": 0.1}, "exact", {"p": (1.2e-9, 0.0)}, {}, {}, {})
    assert "1.2e-09" in repr(check)


def test_one_replicate_has_no_standard_error():
    run = glauber.rollout(coins("p"), 2, ["mean(heads)", "count(heads)"], at=[1, 2])
    out = run({"p": 0.3})
    assert out.standard_error == {"mean(heads)": None, "count(heads)": None}
    assert "±" not in repr(out)
    assert (run({"p": 0.3}, replicates=2).standard_error["mean(heads)"] >= 0).all()


@pytest.mark.parametrize(
    "observe",
    [
        lambda s: s["heads"],
        lambda s: {"x": s["heads"]},
        lambda s: {"x": 2 * s["heads"] + s.coordinate(0)},
        lambda s: {"x": s["heads"].neighbours("moore").sum()},
        lambda s: s.output("x", s["heads"] == 1),
        lambda s: {"fine": s["heads"].sum(), "x": s.uniform()},
    ],
)
def test_an_output_per_site_is_refused(observe):
    with pytest.raises(
        glauber.ModelError,
        match=r"`(x|output|value|heads|.*)` has a value at every site.*sum\(\) or mean\(\)",
    ):
        glauber.rollout(coins("p"), 2, observe)


@pytest.mark.parametrize(
    "name", ["step", "loss", "gradient_norm", "rate", "ähnlich 😀", "a.b", 'quoted "x"', "𝛽", "new\nline"]
)
def test_parameters_of_any_name_are_fitted(name):
    model = coins(name, "other")
    settings = {"steps": 3, "progress": False, "optimizer": {"name": "adam", "map": {name: "logit"}}}
    task = glauber.Transition(SEEN, loss="likelihood")
    found = glauber.fit(model, task, {name: 0.6}, fixed={"other": 0.4}, **settings)
    assert set(found.params) == {name}
    usual = glauber.fit(
        coins("p", "other"), task, {"p": 0.6}, fixed={"other": 0.4}, **{**settings, "optimizer": "adam"}
    )
    assert found.loss == usual.loss and found.params[name] == usual.params["p"]
    fixed = ("step", "loss", "gradient_norm", "rate")
    column = f"{name} (parameter)" if name in fixed else name
    assert found.trace.dtype.names == (*fixed, column)
    np.testing.assert_array_equal(found.trace[column], usual.trace["p"])
    assert json.dumps(found.to_json()) and name in repr(found)
    simulated = glauber.Transition(simulate={"parameters": {name: 0.2, "other": 0.4}, "steps": 2, "runs": 2})
    assert glauber.fit(
        model, simulated, {name: 0.6}, fixed={"other": 0.4}, steps=1, progress=False
    ).truth == {name: 0.2}


def test_half_a_character_is_no_name():
    with pytest.raises((glauber.InputError, UnicodeEncodeError)):
        glauber.fit(coins("p"), glauber.Transition(SEEN), {"p\ud800": 0.5}, steps=1, progress=False)


def test_notebooks_show_names_as_they_are():
    evil = "<script>alert(1)</script>"
    model = glauber.Model(
        evil,
        (4, 4),
        {evil: "binary"},
        lambda s: s.bernoulli(s[f"p{evil}"]),
        parameters={f"p{evil}": (0, 1)},
        start=lambda s: 0,
    )
    runs = glauber.simulate(model, {f"p{evil}": 0.5}, steps=2)
    found = glauber.fit(
        model, glauber.Transition(runs, loss="likelihood"), {f"p{evil}": 0.4}, steps=1, progress=False
    )
    image = glauber.segment(RNG.random((8, 8)), steps=1)
    for html in (runs._repr_html_(), model._repr_html_(), found._repr_html_(), image._repr_html_()):
        assert "<script" not in html
    assert "&lt;script" in runs._repr_html_()


@pytest.mark.parametrize("seed", [0, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_seeds_up_to_2_to_the_64(seed):
    model, p = coins("p"), {"p": 0.3}
    runs = glauber.simulate(model, p, steps=1, seed=np.uint64(seed))
    assert runs.seed == seed
    settings = {"steps": 1, "progress": False, "seed": seed}
    simulated = {"parameters": p, "steps": 2, "runs": 2, "seed": seed}
    found = glauber.fit(model, glauber.Transition(simulate=simulated), {"p": 0.5}, **settings)
    assert found.seed == seed
    f = glauber.objective(model, glauber.Transition(SEEN), p, seed=seed)
    assert np.isfinite(f([0.3])[0])
    glauber.rollout(model, 1, "mean(heads)").objective(seed=seed)([0.3])
    assert glauber.check(model, p, seed=seed, replicates=2, steps=1).theta == p
    with pytest.raises(glauber.InputError, match="seed"):
        glauber.simulate(model, p, seed=2**64)


def test_seeds_of_fit_files_up_to_2_to_the_64(tmp_path):
    file = tmp_path / "fit.toml"
    text = """
        model = "susceptible-infected"
        task = "transition"
        model-options.shape = [8, 8]
        start.beta = 0.5
        optimizer = {{ name = "adam", learning-rate = 0.1, steps = 2 }}
        run.seed = {seed}
        [data.simulate]
        steps = 2
        seed = {seed}
        parameters.beta = 0.3
    """
    for seed in (18446744073709551615, '"18446744073709551615"'):
        file.write_text(textwrap.dedent(text).format(seed=seed), encoding="utf-8")
        assert glauber.fit_file(file, progress=False).seed == 2**64 - 1
    assert glauber.fit_file(file, {"run.seed": 2**63}, progress=False).seed == 2**63
    with pytest.raises(glauber.InputError, match="whole number"):
        glauber.fit_file(file, {"run.seed": 2**64}, progress=False)


def test_a_progress_callback_sees_the_last_step():
    seen = []
    task = glauber.Transition(SEEN, loss="likelihood")
    found = glauber.fit(coins("p"), task, {"p": 0.6}, steps=7, progress=lambda *now: seen.append(now))
    assert seen and seen[-1][1] == found.steps == 7 and seen[-1][5] == [found.trace["p"][-1]]


def test_a_notebook_s_line_ends_at_the_end(monkeypatch):
    shown = []

    class Handle:
        def update(self, what, raw):
            shown.append(what["text/plain"])

    display = type(
        "display",
        (),
        {"display": staticmethod(lambda what, **_: (shown.append(what["text/plain"]), Handle())[1])},
    )
    monkeypatch.setitem(
        sys.modules,
        "IPython",
        type("IPython", (), {"display": display, "get_ipython": staticmethod(lambda: None)}),
    )
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    progress = glauber._progress.Progress()
    progress._notebook, progress._terminal = True, False
    for step in range(4):
        progress("a", step, 3, 1.0, ["p"], [0.5])
    progress.close()
    assert "0/3" in shown[0] and "3/3" in shown[-1] and len(shown) == 2


PATTERN = """
    model = "malevanets-kapral"
    task = "stability"
    model-options.shape = [16, 16]
    start = { k1 = 0.5 }
    fixed = { D_A = 0.1, D_B = 0.4, k2 = 0.1, k3 = 0.2 }
    optimizer = { name = "adam", learning-rate = 0.01, steps = 4 }
    [run]
    formation-test = { every = 2, steps = 20, rollouts = 2 }
    [data]
    steps = 2
    [data.simulate]
    steps = 30
    parameters = { D_A = 0.1, D_B = 0.4, k1 = 0.98, k2 = 0.1, k3 = 0.2 }
"""


def test_formation_tests_of_a_fit_file_are_run(tmp_path, command_line_or_none):
    file = tmp_path / "fit.toml"
    file.write_text(textwrap.dedent(PATTERN), encoding="utf-8")
    found = glauber.fit_file(file, progress=False)
    tests = found.formation.tests
    assert [t["step"] for t in tests] == [0, 2, 4] and all(0 <= t["patterns"] <= 2 for t in tests)
    assert tests[0]["layers"]["A"].shape == (16, 16)
    assert found.formation.claim in found.notes and found.formation.claim.startswith(
        "formation test: after 4 steps"
    )
    assert found.to_json()["formation"]["verdict"] == tests[-1]["verdict"]
    assert (
        glauber.fit_file(
            file, {"optimizer.steps": 1, "run.formation-test": {"every": 9, "steps": 1}}, progress=False
        ).formation.rollouts
        == 1
    )
    if command_line_or_none is not None:
        own = command_line_or_none("fit", file, "--out", tmp_path / "out")["formation"]
        mine = found.to_json()["formation"]
        assert own["tests"] == mine["tests"] and own["verdict"] == mine["verdict"]


@pytest.fixture
def command_line_or_none(request):
    """The command line where there is one."""
    import os

    return request.getfixturevalue("command_line") if os.environ.get("GLAUBER_CLI") else None


def test_ctrl_c_stops_a_check():
    call = "glauber.check(news, {'beta': 0.1}, steps=2000, replicates=1000)"
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS.format(call=call)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    begin = time.monotonic()
    out, _ = process.communicate(timeout=60)
    assert out == "stopped KeyboardInterrupt False\n"
    assert time.monotonic() - begin < 20


def test_a_length_alone_is_a_line():
    assert glauber.load("domany-kinzel", shape=32).shape == (32,)
    with pytest.warns(UserWarning, match=r"one axis, a line of 32 sites"):
        assert glauber.load("voter", shape=32) == glauber.load("voter", shape=[32])


def test_values_that_a_layer_cannot_hold_are_told_in_words():
    states = glauber.load("susceptible-infected-recovered", shape=(4, 4))
    layer = next(iter(states.layers))
    with pytest.raises(glauber.InputError) as error:
        glauber.fit(states, glauber.Transition({layer: np.full((2, 4, 4), 9)}), steps=1, progress=False)
    assert "9 is not one of 0 (" in str(error.value)
    with pytest.raises(glauber.InputError, match="9 is not one of the whole numbers 0 to 3"):
        model = glauber.Model("n", 4, {"n": 3}, lambda s: s.binomial(3, s["p"]), parameters={"p": (0, 1)})
        glauber.fit(model, glauber.Transition(np.full((2, 4), 9)), {"p": 0.5}, steps=1, progress=False)


TYPED = """
import numpy as np

import glauber

n, x, tiny = np.int64(3), np.float32(0.5), np.uint8(1)
news = glauber.load("susceptible-infected", shape=(8, 8))
lattice = glauber.Lattice((n, n), boundary=x)
runs = glauber.simulate(news, {"beta": 0.3}, steps=n, replicates=n, seed=np.uint64(2), every=n, threads=tiny)
run = glauber.rollout(news, n, "mean(aware)", at=[n], replicates=n, temperature=x, samples=n, threads=tiny, memory=n)
run({"beta": x}, seed=n, replicates=n)
run.value_and_grad({"beta": x}, seed=n, replicates=n)
run.objective(seed=n)
glauber.value_and_grad(news, {"beta": x}, n, "mean(aware)", seed=n)
task = glauber.Trajectory(states=runs, summary="mean(aware)", at=[n], interval=x, lags=n, dimensions=n)
glauber.Stability(np.zeros((8, 8)), steps=n)
glauber.InitialState(np.zeros((8, 8)), {"beta": 0.3}, steps=n, start_sites=n)
glauber.fit(news, task, {"beta": x}, learning_rate=x, steps=n, replicates=n, batch=n, average=x, seed=n, threads=tiny, memory=n)
glauber.fit_file("fit.toml", {"optimizer.steps": n}, threads=n)
glauber.objective(news, task, {"beta": x}, replicates=n, batch=n, seed=n, threads=tiny, memory=n)
glauber.check(news, {"beta": x}, steps=n, replicates=n, seed=n, threads=tiny)
glauber.segment(np.zeros((8, 8)), steps=n, rate=x, threshold=x, flatten=n, threads=tiny)
news.simulate({"beta": x}, n)
news.rollout(n)
"""


def test_type_checkers_let_numpy_s_numbers_through(tmp_path):
    pytest.importorskip("mypy", reason="mypy is not installed, so no types were checked")
    file = tmp_path / "typed.py"
    file.write_text(TYPED, encoding="utf-8")
    folder = next(iter(glauber.__path__))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--follow-imports=silent",
            "--cache-dir",
            str(tmp_path / "cache"),
            str(file),
        ],
        capture_output=True,
        text=True,
        check=False,
        # An installed package is found by itself, and mypy refuses to be told of its folder.
        env={**os.environ, **({} if "site-packages" in folder else {"MYPYPATH": folder.rsplit("/", 1)[0]})},
    )
    assert done.returncode == 0, done.stdout

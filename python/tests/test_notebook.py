"""`glauber.view`: the page inside a notebook, by the real anywidget; in a real JupyterLab and Chromium where they are there.
What is missing is skipped, visibly."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest

import glauber

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PROXYLESS = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture
def anywidget():
    return pytest.importorskip("anywidget", reason="anywidget is not installed")


def status(address, **headers):
    try:
        with PROXYLESS.open(urllib.request.Request(address, headers=headers), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def coins():
    return glauber.Model(
        "coins",
        (12, 12),
        {"heads": "binary"},
        lambda s: s.next("heads").bernoulli(s["p"]),
        parameters={"p": (0, 1, 0.5)},
        start=lambda s: s.bernoulli(0.5),
    )


def test_without_anywidget_the_error_says_what_to_install(monkeypatch):
    glauber._view._widget.cache_clear()
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match="pip install anywidget"):
        glauber.view("voter")
    glauber._view._widget.cache_clear()


def test_observed_states_are_shown_beside_a_model(anywidget, tmp_path):
    runs = glauber.simulate(coins(), {"p": 0.3}, steps=4, seed=2)
    runs.save(tmp_path / "runs.npz")
    for data in (runs, {"heads": runs["heads"]}, {"heads": runs["heads"][0, -1]}, tmp_path / "runs.npz"):
        widget = glauber.view(coins(), data=data)
        assert status(widget.address)[0] == 200
        widget.close()
    by_name = glauber.view("susceptible-infected", shape=(12, 12), data={"aware": runs["heads"]})
    assert status(by_name.address)[0] == 200
    by_name.close()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda: {"heads": np.zeros((3, 9, 9))}, r"^data: array `heads` has shape \[3, 9, 9\]"),
        (lambda: {"tails": np.zeros((3, 12, 12))}, "no layer `tails`"),
        (lambda: {"heads": np.full((3, 12, 12), 0.5)}, "^data: array `heads`, run 0, time 0, site 0: 0.5"),
        (lambda: {"heads": np.full((3, 12, 12), np.nan)}, "^data: array `heads`"),
        (lambda: {"heads": np.ma.masked_equal(np.eye(12), 1)}, "masked"),
        (lambda: "nowhere.npz", "nowhere.npz: cannot open it"),
    ],
)
def test_what_is_no_observed_state_is_refused_by_its_own_name(anywidget, data, words):
    with pytest.raises(glauber.InputError, match=words):
        glauber.view(coins(), data=data())


def test_a_rule_is_shown_as_it_was_written_or_not_at_all(tmp_path):
    def follow(s):
        return s.bernoulli(s["p"])

    def model(step):
        return glauber.Model("m", (4, 4), {"a": "binary"}, step, parameters={"p": (0, 1, 0.5)}, start=lambda s: 0)

    assert model(follow)._rule == 'def follow(s):\n    return s.bernoulli(s["p"])'
    # Code that names a file which says another thing, though of one name.
    text = "def follow(s):\n    return s.bernoulli(s['p'])"
    path = tmp_path / "rules.py"
    path.write_text(text)
    space: dict = {}
    exec(compile(text, str(path), "exec"), space)
    assert model(space["follow"])._rule == text
    path.write_text(text.replace("'p'", "0.25"))
    exec(compile(text, str(path), "exec"), space)
    assert model(space["follow"])._rule == ""
    assert model(lambda s: s.bernoulli(0.5))._rule.count("lambda") >= 1


def test_the_widget_serves_the_page_until_it_is_closed(anywidget):
    widget = glauber.view(coins(), {"p": 0.25}, height=600)
    state = widget.get_state()
    assert state["address"].startswith("http://127.0.0.1:") and state["height"] == 600 and state["is_open"]
    assert "iframe" in widget._esm and "coins" in repr(widget) and isinstance(widget, anywidget.AnyWidget)
    code, page = status(widget.address)
    assert code == 200 and "<canvas" not in page.split("<body>")[0]
    assert status(widget.address, Host="evil.example")[0] == 421
    assert status(widget.address.rsplit("/", 2)[0] + "/")[0] == 403
    port = int(widget.address.split(":")[2].split("/")[0])
    widget.close()
    assert not widget.is_open and "closed" in repr(widget)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=2)
    widget.close()


def test_a_kernel_that_ends_ends_the_page(anywidget):
    script = "import glauber; print(glauber.view('voter', shape=(8, 8)).address, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as kernel:
        address = kernel.stdout.readline().strip()
        assert status(address)[0] == 200
        kernel.stdin.write("\n")
        kernel.stdin.flush()
        assert kernel.wait(timeout=30) == 0
    with pytest.raises(OSError):
        status(address)


def test_what_cannot_be_shown_is_an_error(anywidget, tmp_path):
    with pytest.raises(glauber.InputError, match="did you mean `voter`"):
        glauber.view("votr")
    with pytest.raises(glauber.InputError, match="`p` cannot be 7"):
        glauber.view(coins(), {"p": 7})
    with pytest.raises(glauber.InputError, match="q"):
        glauber.view(coins(), {"q": 0.5})
    with pytest.raises(TypeError, match="give a glauber.Model"):
        glauber.view(3)
    with pytest.raises(glauber.InputError, match="takes no options"):
        glauber.view(coins(), shape=(3, 3))
    with pytest.raises(glauber.InputError, match="nothing to show"):
        glauber.view()
    with pytest.raises(glauber.InputError, match="neither the course of a fit"):
        glauber.view(coins(), fit=tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(glauber.InputError, match="port"):
            glauber.view(coins(), port=taken.getsockname()[1])


def test_what_a_result_saved_can_be_seen(anywidget, tmp_path):
    model = coins()
    runs = glauber.simulate(model, {"p": 0.3}, steps=5, replicates=3, seed=1)
    result = glauber.fit(model, glauber.Transition(runs, loss="likelihood"), {"p": 0.6}, optimizer="rprop", steps=5)
    result.save(tmp_path / "run")
    widget = glauber.view(model, fit=tmp_path / "run")
    assert status(widget.address)[0] == 200
    widget.close()


@pytest.mark.skipif(importlib.util.find_spec("jupyterlab") is None, reason="JupyterLab is not installed")
@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")
def test_it_runs_in_jupyterlab(anywidget, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    cell = "import glauber\nseen = glauber.view('susceptible-infected', {'beta': 0.2}, shape=(24, 24))\nseen"
    notebook = {
        "cells": [
            {"cell_type": "code", "id": f"c{k}", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
            for k, source in enumerate([cell, "seen.close()"])
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "live.ipynb").write_text(json.dumps(notebook))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    package = str(Path(glauber.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": package, "JUPYTER_CONFIG_DIR": str(tmp_path / "c"), "IPYTHONDIR": str(tmp_path / "i")}
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0",
        "--IdentityProvider.token=secret", f"--ServerApp.root_dir={tmp_path}", "--ip=127.0.0.1",
    ]
    log = open(tmp_path / "lab.log", "w")
    with log, subprocess.Popen(command, env=environment, stdout=log, stderr=log) as lab:
        try:
            end = time.monotonic() + 120
            while True:
                try:
                    assert status(f"http://127.0.0.1:{port}/api?token=secret")[0] == 200
                    break
                except OSError:
                    assert time.monotonic() < end and lab.poll() is None, (tmp_path / "lab.log").read_text()
                    time.sleep(0.3)
            with playwright.sync_playwright() as run:
                browser = run.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1600, "height": 1200})
                page.goto(f"http://127.0.0.1:{port}/lab/tree/live.ipynb?token=secret", timeout=120_000)
                page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=180_000)
                # A cell that is run before the kernel is there is not run at all: it is run again.
                for attempt in range(10):
                    page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
                    page.keyboard.press("Shift+Enter")
                    try:
                        page.wait_for_selector("iframe[title='susceptible-infected, live']", timeout=30_000)
                        break
                    except playwright.TimeoutError:
                        if attempt == 9:
                            raise
                inner = page.frame_locator("iframe[title='susceptible-infected, live']")
                inner.locator("html[data-state=ready]").wait_for(timeout=60_000)
                frame = next(f for f in page.frames if f.url.startswith("http://127.0.0.1") and f"{port}" not in f.url)
                end = time.monotonic() + 60
                while int(frame.evaluate("document.documentElement.dataset.step ?? -1")) < 3:
                    assert time.monotonic() < end
                    time.sleep(0.1)
                assert float(inner.get_by_label("beta, as a number").input_value()) == 0.2
                # The widget heard that the page is there, and offers it in a tab of its own.
                page.wait_for_selector("text=Open the page in a tab of its own", timeout=30_000)
                if shots := os.environ.get("GLAUBER_SHOTS"):
                    page.screenshot(path=f"{shots}/jupyterlab.png")
                address = frame.url
                # The second cell closes it: frame and server go.
                page.keyboard.press("Shift+Enter")
                page.wait_for_selector("iframe[title='susceptible-infected, live']", state="detached", timeout=60_000)
                with pytest.raises(OSError):
                    status(address)
                browser.close()
        finally:
            lab.terminate()
            lab.wait(timeout=30)

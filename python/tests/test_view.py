"""The page of `glauber view` in a browser: it opens for every model, its sliders do what a simulation says, a broken model
file is told and mended. Skipped, visibly, where there is no Chromium or no Playwright."""

import io
import json
import os
import shutil
import socket
import struct
import subprocess
import time

import numpy as np
import pytest

import glauber

CLI = os.environ.get("GLAUBER_CLI")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(not CLI, reason="GLAUBER_CLI names no program")


class Served:
    """`glauber view` while it runs."""

    def __init__(self, *arguments, cwd=None):
        command = [CLI, "--json", "view", *arguments, "--no-browser", "--threads", "1"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.stderr.read())
        self.address = json.loads(line)["address"]
        self.port = int(self.address.split(":")[2].split("/")[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(2)
        try:
            self.process.wait(timeout=20)
        finally:
            self.process.kill()


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("there is no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as run:
        browser = run.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser, served, width=1600, height=1000):
    page = browser.new_page(viewport={"width": width, "height": height})
    page.wrongs = []
    page.on("console", lambda said: page.wrongs.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page.wrongs.append(str(error)))
    page.goto(served.address)
    page.wait_for_selector("html[data-state=ready]", timeout=20_000)
    rejoin(page, "document.documentElement.dataset.step !== undefined")
    return page


def step_of(page):
    return int(page.evaluate("document.documentElement.dataset.step"))


def curves(page):
    return page.evaluate("({steps: curve.steps, numbers: curve.numbers})")


def rejoin(page, script, seconds=30):
    """Waits until a script says true; in the page nothing may evaluate text, so it is asked from here."""
    end = time.monotonic() + seconds
    while not page.evaluate(script):
        assert time.monotonic() < end, (script, page.inner_text("#alert"), page.wrongs)
        time.sleep(0.05)


@pytest.mark.parametrize("name", [*glauber.models(), "cellular-potts"])
def test_the_page_opens_for_every_model(browser, name):
    with Served(name) as served:
        page = opened(browser, served)
        rejoin(page, "+document.documentElement.dataset.step >= 1")
        assert page.wrongs == []
        assert page.is_hidden("#alert"), page.inner_text("#alert")
        assert page.inner_text("h1") == name
        # Something is drawn, in more than one colour or in the one that its states have.
        colours = page.evaluate("new Set(layers[0].pixels).size")
        assert colours >= 1
        assert page.locator(".plot canvas").count() >= 1
        page.close()


@pytest.mark.parametrize("width", [400, 1600])
def test_nothing_is_wider_than_the_window(browser, width):
    for name in ["forest-fire", "domany-kinzel", "cellular-potts"]:
        with Served(name) as served:
            page = opened(browser, served, width=width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.close()


def test_the_curve_is_that_of_a_simulation_and_follows_the_slider(browser):
    with Served("susceptible-infected", "--seed", "5") as served:
        page = opened(browser, served)
        # Stand still, from the start again with another value of the parameter, then step by step.
        page.click("#play")
        for beta in [0.05, 0.6]:
            field = page.get_by_label("beta, as a number")
            field.fill(str(beta))
            field.press("Enter")
            page.click("#restart")
            rejoin(page, "curve.steps.length === 1 && curve.steps[0] === 0")
            for step in range(1, 7):
                page.click("#step")
                rejoin(page, f"curve.steps.length === {step + 1}")
            seen = [row[0] for row in curves(page)["numbers"]]
            run = glauber.simulate(glauber.load("susceptible-infected"), {"beta": beta}, 6, seed=5)
            wanted = np.asarray(run["aware"]).reshape(7, -1).mean(axis=1)
            assert np.allclose(seen, wanted, atol=1e-12), (beta, seen, wanted)
        assert f"beta={0.6}" in page.inner_text("#command")
        page.close()


def test_a_broken_model_file_is_told_and_mended(browser, tmp_path):
    subprocess.run([CLI, "new", "measles"], cwd=tmp_path, check=True, capture_output=True)
    file = tmp_path / "measles.toml"
    good = file.read_text()
    with Served("measles.toml", cwd=tmp_path) as served:
        page = opened(browser, served)
        file.write_text(good.replace("[rules]", "[rules]\nnonsense = 1 +", 1) if "[rules]" in good else good + "\n= 1\n")
        page.wait_for_selector("#alert:not([hidden])", timeout=10_000)
        told = page.inner_text("#alert")
        shown = subprocess.run([CLI, "show", "measles.toml"], cwd=tmp_path, capture_output=True, text=True)
        assert shown.returncode == 2
        # The same words as on the command line, and the old model runs on.
        assert told.splitlines()[0] in shown.stderr, (told, shown.stderr)
        before = step_of(page)
        rejoin(page, f"+document.documentElement.dataset.step > {before}")
        file.write_text(good)
        page.wait_for_selector("#alert", state="hidden", timeout=10_000)
        assert page.wrongs == []
        page.close()


def test_keys_and_labels(browser):
    with Served("ising") as served:
        page = opened(browser, served)
        page.keyboard.press("Space")
        assert page.inner_text("#play") == "Play"
        page.wait_for_timeout(300)
        before = step_of(page)
        page.keyboard.press(".")
        rejoin(page, f"+document.documentElement.dataset.step === {before + 1}")
        unlabelled = page.evaluate(
            """[...document.querySelectorAll('input, select, button, canvas')].filter((e) => !(e.labels && e.labels.length)
               && !e.getAttribute('aria-label') && !e.textContent.trim()).map((e) => e.outerHTML)"""
        )
        assert unlabelled == []
        page.close()


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A fit from two starts and a short posterior of it, with the states they are of."""
    folder = tmp_path_factory.mktemp("fitted")

    def call(*arguments):
        done = subprocess.run([CLI, *arguments], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done

    options = ["--option", "shape=[16,16]"]
    call("simulate", "susceptible-infected", *options, "--set", "beta=0.3", "--steps", "6", "--replicates", "2", "--out", "runs.npz")
    (folder / "own.toml").write_text(
        """model = "susceptible-infected"
task = "transition"
[model-options]
shape = [16, 16]
[data]
states = "runs.npz"
[start]
beta = [0.9, 0.6]
[loss]
name = "likelihood"
[optimizer]
name = "rprop"
learning-rate = 0.1
steps = 30
[posterior]
chains = 2
draws = 40
warm-up = 40
"""
    )
    call("fit", "own.toml", "--quiet", "--out", "run")
    return folder


def columns_of(path):
    lines = path.read_text().splitlines()
    names = lines[0].split(",")
    return {name: np.array([float(line.split(",")[k]) for line in lines[1:]]) for k, name in enumerate(names)}


def choose_row(page, row):
    page.evaluate(f"$('fit-row').value = '{row}'; $('fit-row').dispatchEvent(new Event('input'))")


def test_the_course_of_a_fit_can_be_gone_through(browser, fitted):
    trace = columns_of(fitted / "run" / "trace.csv")
    first = np.load(fitted / "runs.npz")["aware"][0, 0]
    with Served("--fit", "run", "--seed", "5", cwd=fitted) as served:
        page = opened(browser, served)
        rejoin(page, "!$('fit-box').hidden")
        page.click("#play")
        assert page.locator("#fit-which option").count() == 2
        assert "(the best)" in page.inner_text("#fit-which option >> nth=0")
        assert int(page.get_attribute("#fit-row", "max")) == len(trace["step"]) - 1
        for row in [3, len(trace["step"]) - 1, 0]:
            before = page.evaluate("model.course")
            choose_row(page, row)
            rejoin(page, f"model.course > {before} && !asked && curve.steps.length === 1 && curve.steps[0] === 0")
            beta = float(trace["beta"][row])
            assert float(page.input_value("[aria-label='beta, as a number']")) == beta
            assert f"beta = {beta!r}"[:14] in page.inner_text("#start")
            words = page.inner_text("#fit-words")
            assert words.startswith(f"step {trace['step'][row]:.0f} of"), words
            assert float(words.split("loss ")[1]) == pytest.approx(trace["loss"][row], rel=1e-3)
            assert page.get_attribute("#fit-row", "aria-valuetext") == words
            # The lattice runs with them, from the observed start.
            for step in range(1, 4):
                page.click("#step")
                rejoin(page, f"curve.steps.length === {step + 1}")
            model = glauber.load("susceptible-infected", shape=(16, 16))
            run = glauber.simulate(model, {"beta": beta}, 3, seed=5, start={"aware": first})
            wanted = np.asarray(run["aware"]).reshape(4, -1).mean(axis=1)
            assert np.allclose([numbers[0] for numbers in curves(page)["numbers"]], wanted, atol=1e-12)
        # By keyboard, and the other start.
        page.focus("#fit-row")
        page.keyboard.press("ArrowRight")
        rejoin(page, f"model.parameters[0].value === {float(trace['beta'][1])!r}")
        page.select_option("#fit-which", "1")
        rejoin(page, "model.parameters[0].value === courses[1].values[0][0] && courses[1].values[0][0] !== courses[0].values[0][0]")
        assert page.wrongs == [] and page.is_hidden("#alert")
        page.close()


def test_what_was_observed_with_the_same_seed_is_not_repeated(browser, fitted):
    seen = np.load(fitted / "runs.npz")["aware"][0].reshape(7, -1).mean(axis=1)
    options = ["--option", "shape=[16,16]", "--set", "beta=0.3", "--seed", "1"]
    with Served("susceptible-infected", *options, "--data", "runs.npz", cwd=fitted) as served:
        page = opened(browser, served)
        page.click("#play")
        page.click("#restart")
        rejoin(page, "curve.steps.length === 1 && curve.steps[0] === 0")
        for step in range(1, 5):
            page.click("#step")
            rejoin(page, f"curve.steps.length === {step + 1}")
        numbers = [row[0] for row in curves(page)["numbers"]]
        assert numbers[0] == seen[0] and numbers[1:] != list(seen[1:5])
        page.close()


def test_many_scrubs_end_where_the_last_was(browser, fitted):
    with Served("--fit", "run", cwd=fitted) as served:
        page = opened(browser, served)
        rejoin(page, "!$('fit-box').hidden")
        last = page.evaluate("courses[0].steps.length - 1")
        page.evaluate("for (let k = 0; k <= 200; k++) { $('fit-row').value = String(k % (courses[0].steps.length)); takeFromCourse(); } $('fit-row').value = $('fit-row').max; takeFromCourse()")
        rejoin(page, f"!asked && model.parameters[0].value === courses[0].values[{last}][0]")
        # At most one wish was under way: two restarts, not two hundred.
        assert page.evaluate("model.course") < 10
        page.close()


def test_draws_stand_behind_the_curves(browser, fitted):
    found = columns_of(fitted / "run" / "draws.csv")["beta"]
    first = np.load(fitted / "runs.npz")["aware"][0, 0]
    with Served("--fit", "run", cwd=fitted) as served:
        page = opened(browser, served)
        rejoin(page, "draws.count > 0 && +document.documentElement.dataset.draws >= 100", seconds=120)
        seen = page.evaluate("({count: draws.count, of: draws.of, steps: draws.steps, numbers: draws.numbers})")
        assert seen["of"] == len(found) == 80 and seen["count"] == 32
        assert seen["steps"][:4] == [0, 1, 2, 3]
        model = glauber.load("susceptible-infected", shape=(16, 16))
        for draw in [0, 17, 31]:
            beta = found[draw * (len(found) - 1) // 31]
            seed = (draw + 1) * 0x9E3779B97F4A7C15 % 2**64
            run = glauber.simulate(model, {"beta": beta}, 3, seed=seed, start={"aware": first})
            wanted = np.asarray(run["aware"]).reshape(4, -1).mean(axis=1)
            assert np.allclose([row[draw][0] for row in seen["numbers"][:4]], wanted, atol=1e-12), draw
        verdict = json.loads((fitted / "run" / "posterior.json").read_text())["verdict"]
        assert "32 of 80 draws" in page.inner_text("#draws-words") and verdict in page.inner_text("#draws-words")
        # A slider of what is drawn leaves them; other curves need other draws.
        page.evaluate("choose(model.parameters[0], 0.5)")
        page.wait_for_timeout(500)
        assert page.evaluate("draws.steps.length") >= len(seen["steps"])
        page.fill("#curves-of", "mean(aware); correlation(aware, 1, 2)")
        page.click("#curves-form button")
        rejoin(page, "draws.numbers.length > 3 && draws.numbers[3][0].length === 3", seconds=60)
        assert page.wrongs == [] and page.is_hidden("#alert")
        page.close()


def test_a_fit_file_finds_its_run_or_says_that_there_is_none(browser, fitted):
    with Served("--fit", "own.toml", cwd=fitted) as served:
        page = opened(browser, served)
        assert "no run of this fit was found" in page.inner_text("#notes")
        assert page.is_hidden("#fit-box") and page.is_hidden("#draws-words")
        page.close()
    (fitted / "out").mkdir(exist_ok=True)
    shutil.copytree(fitted / "run", fitted / "out" / "own", dirs_exist_ok=True)
    with Served("--fit", "own.toml", cwd=fitted) as served:
        page = opened(browser, served)
        rejoin(page, "!$('fit-box').hidden")
        assert "out/own, the last run" in page.inner_text("#notes")
        page.close()
    # Another model beside it: what is not of it is said and left out.
    with Served("voter", "--option", "shape=[16,16]", "--fit", "run", cwd=fitted) as served:
        page = opened(browser, served)
        assert "what was fitted is the model `susceptible-infected`" in page.inner_text("#notes")
        assert page.is_hidden("#fit-box")
        page.close()


def test_the_folder_of_a_posterior_is_enough(browser, fitted):
    done = subprocess.run(
        [CLI, "posterior", "own.toml", "--set", "posterior.draws=20", "--out", "drawn"], cwd=fitted, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    with Served("--fit", "drawn", cwd=fitted) as served:
        page = opened(browser, served)
        rejoin(page, "draws.count === 32 && draws.of === 40 && draws.steps.length > 2", seconds=60)
        assert page.is_hidden("#fit-box")
        page.close()
    with Served("--fit", "run", "--draws", "drawn", cwd=fitted) as served:
        page = opened(browser, served)
        rejoin(page, "draws.of === 40 && !$('fit-box').hidden", seconds=60)
        page.close()


@pytest.mark.parametrize("width", [400, 1600])
def test_a_fit_is_no_wider_than_the_window(browser, fitted, width):
    with Served("--fit", "run", cwd=fitted) as served:
        page = opened(browser, served, width=width)
        rejoin(page, "!$('fit-box').hidden && draws.steps.length > 2", seconds=60)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        unlabelled = page.evaluate(
            """[...document.querySelectorAll('input, select, button, canvas')].filter((e) => !(e.labels && e.labels.length)
               && !e.getAttribute('aria-label') && !e.textContent.trim()).map((e) => e.outerHTML)"""
        )
        assert unlabelled == []
        page.close()


def test_units_stand_beside_sliders(browser, tmp_path):
    subprocess.run([CLI, "new", "measles"], cwd=tmp_path, check=True, capture_output=True)
    file = tmp_path / "measles.toml"
    with Served("measles.toml", cwd=tmp_path) as served:
        page = opened(browser, served)
        assert "per step" in page.inner_text("label[for='p-recovery']")
        file.write_text(file.read_text().replace('unit = "per step"', 'unit = "per <b>day</b>"'))
        rejoin(page, "$('parameters').innerText.includes('per <b>day</b>')")
        page.close()
    with Served("cellular-potts", "--option", "cells-per-side=3") as served:
        page = opened(browser, served)
        assert "T per pair of neighbours" in page.inner_text("label[for='p-J11']")
        assert "sites" in page.inner_text("label[for='o-cell-side']")
        page.close()


def raw(port, text, wait=6.0):
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as stream:
        try:
            stream.sendall(text if isinstance(text, bytes) else text.encode())
            answer = b""
            while part := stream.recv(65536):
                answer += part
        except (ConnectionError, TimeoutError):
            pass
    return answer


def status(answer):
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1") else None


def handshake(served, **changed):
    token = served.address.split("/")[3]
    lines = {
        "Host": f"127.0.0.1:{served.port}",
        "Origin": f"http://127.0.0.1:{served.port}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    lines.update(changed)
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return f"GET /{token}/socket HTTP/1.1\r\n{head}\r\n".encode()


def frame(payload, kind=1, length=None):
    length = len(payload) if length is None else length
    head = bytes([0x80 | kind])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 65536:
        head += bytes([0x80 | 126]) + struct.pack(">H", length)
    else:
        head += bytes([0x80 | 127]) + struct.pack(">Q", length)
    return head + b"\0\0\0\0" + payload


def memory(process):
    with open(f"/proc/{process.pid}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def test_hostile_requests_are_refused():
    with Served("susceptible-infected") as served:
        host, path = f"127.0.0.1:{served.port}", "/" + served.address.split("/")[3] + "/"
        get = lambda path, host=host, more="": raw(served.port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n")  # noqa: E731
        page = get(path)
        assert status(page) == 200 and b"Content-Security-Policy: default-src 'none'" in page
        assert status(get("/")) == 403
        assert status(get("/" + "0" * 32 + "/")) == 403
        assert status(get(path + "../../etc/passwd")) == 404
        assert status(get(path + "%2e%2e/etc/passwd")) == 404
        assert status(get(path, host="evil.example")) == 421
        assert status(get(path, host=f"evil.example:{served.port}")) == 421
        assert status(get(path, more="Origin: http://evil.example\r\n")) == 403
        assert status(raw(served.port, f"POST {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")) == 405
        assert status(raw(served.port, "nonsense\r\n\r\n")) == 400
        assert status(get(path + "a" * 40_000)) in (431, 400, None)
        assert status(raw(served.port, handshake(served, Origin="http://evil.example"))) == 403
        assert status(raw(served.port, handshake(served, Origin=None))) == 403
        assert status(raw(served.port, handshake(served, **{"Sec-WebSocket-Version": "8"}))) == 426
        # A frame that says it is huge, nonsense in a frame, a binary frame: the socket is closed.
        for bad in [frame(b"", length=1 << 40), frame(b"{}"), frame(b"\xff\xfe"), frame(b"x", kind=2)]:
            answer = raw(served.port, handshake(served) + bad, wait=10)
            assert status(answer) == 101
        assert served.process.poll() is None
        assert status(get(path)) == 200


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is read from /proc")
def test_many_and_slow_sockets_take_bounded_memory():
    with Served("game-of-life", "--option", "shape=[512,512]") as served:
        before = memory(served.process)
        # 1,000 connections that say nothing, and pages that never read what they are sent.
        idle = [socket.create_connection(("127.0.0.1", served.port), timeout=5) for _ in range(1000)]
        for one in idle:
            one.close()
        time.sleep(0.5)
        slow = []
        for _ in range(20):
            stream = socket.create_connection(("127.0.0.1", served.port), timeout=5)
            stream.sendall(handshake(served))
            slow.append(stream)
        time.sleep(4)
        assert memory(served.process) - before < 600_000, "kB"
        for stream in slow:
            stream.close()
        time.sleep(1.5)
        host, path = f"127.0.0.1:{served.port}", "/" + served.address.split("/")[3] + "/"
        assert status(raw(served.port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")) == 200


def talk(served):
    """A socket as a page has it."""
    stream = socket.create_connection(("127.0.0.1", served.port), timeout=20)
    stream.sendall(handshake(served))
    reader = stream.makefile("rb")
    while reader.readline().strip():
        pass
    return stream, reader


def heard(reader):
    """The next message: its kind, and what it says."""
    head = reader.read(2)
    if len(head) < 2:
        return None, b""
    length = head[1] & 127
    if length == 126:
        length = struct.unpack(">H", reader.read(2))[0]
    elif length == 127:
        length = struct.unpack(">Q", reader.read(8))[0]
    return head[0] & 15, reader.read(length)


def test_hostile_wishes_about_fits_are_refused(fitted):
    with Served("--fit", "run", cwd=fitted) as served:
        for bad in [
            '{"do":"course"}',
            '{"do":"course","fit":-1,"row":0}',
            '{"do":"course","fit":0,"row":1e400}',
            '{"do":"course","fit":0,"row":0.5}',
            '{"do":"course","fit":"../run","row":0}',
            '{"do":"course","fit":0,"row":0,"folder":"/etc"}',
        ]:
            answer = raw(served.port, handshake(served) + frame(bad.encode()), wait=10)
            assert status(answer) == 101
        # Numbers that no course has are answered, and the page goes on.
        stream, reader = talk(served)
        for wish in [{"fit": 0, "row": 2**60}, {"fit": 2**60, "row": 0}, {"fit": 7, "row": 7}]:
            stream.sendall(frame(json.dumps({"do": "course", **wish}).encode()))
        errors = 0
        while errors < 3:
            kind, said = heard(reader)
            assert kind is not None
            errors += kind == 1 and json.loads(said).get("of") == "course"
        stream.close()
        assert served.process.poll() is None


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is read from /proc")
def test_draws_and_long_courses_take_bounded_memory(tmp_path):
    (tmp_path / "trace.csv").write_text(
        "step,loss,gradient_norm,rate,beta\n" + "".join(f"{k},{k % 977},0,0,0.{k % 10}1\n" for k in range(300_000))
    )
    rows = "".join(f"0,{k},0,-1,0.{k % 10}1\n" for k in range(50_000))
    (tmp_path / "draws.csv").write_text("chain,draw,diverging,log_density,beta\n" + rows)
    (tmp_path / "result.json").write_text('{"model": "susceptible-infected"}')
    with Served("susceptible-infected", "--option", "shape=[512,512]", "--fit", ".", cwd=tmp_path) as served:
        before = memory(served.process)
        stream, reader = talk(served)
        words, count = {}, 0
        while not {"model", "courses", "draws", "draws-row"} <= set(words):
            kind, said = heard(reader)
            assert kind is not None
            if kind == 1:
                said = said.decode()
                words[json.loads(said)["is"]] = said
            else:
                stream.sendall(frame(b'{"do":"drawn"}'))
        assert len(words["courses"]) < 200_000 and len(json.loads(words["courses"])["courses"][0]["steps"]) <= 1000
        count = json.loads(words["draws"])["count"]
        assert 1 <= count <= 32 and json.loads(words["draws"])["of"] == 50_000
        # Pages that open and close, and pages that read nothing: no engine outlives them, nothing piles up.
        for _ in range(12):
            for end_of in reversed(talk(served)):
                end_of.close()
        slow = [one for _ in range(4) for one in reversed(talk(served))]
        time.sleep(3)
        assert memory(served.process) - before < 900_000, "kB"
        for end_of in [reader, stream, *slow]:
            end_of.close()
        end = time.monotonic() + 60
        while len(os.listdir(f"/proc/{served.process.pid}/task")) > 2:
            assert time.monotonic() < end, "threads of closed pages go on"
            time.sleep(0.1)


def test_what_is_no_fit_is_an_error_of_the_command(fitted, tmp_path):
    def refused(*arguments):
        run = subprocess.run([CLI, "view", *arguments, "--no-browser"], capture_output=True, text=True, timeout=60, cwd=tmp_path)
        assert run.returncode == 2, run
        return run.stderr

    assert "nowhere" in refused("--fit", "nowhere")
    (tmp_path / "empty").mkdir()
    assert "neither the course of a fit" in refused("--fit", "empty")
    shutil.copytree(fitted / "run", tmp_path / "own")
    (tmp_path / "own" / "fit.toml").unlink()
    assert "name the model too" in refused("--fit", "own")
    (tmp_path / "own" / "draws.csv").write_text("beta\n0.5\n")
    assert "draws.csv" in refused("susceptible-infected", "--fit", "own")
    (tmp_path / "own" / "draws.csv").unlink()
    assert "holds no draws.csv" in refused("susceptible-infected", "--fit", str(fitted / "run"), "--draws", "own")
    (tmp_path / "own" / "trace.csv").write_text("step,loss,gradient_norm,rate,beta\n0,x,0,0,0\n")
    assert "`x` is not a number" in refused("susceptible-infected", "--fit", "own")
    assert "MODEL" in refused("--option", "shape=[3,3]", "--fit", str(fitted / "run"))


def test_what_cannot_be_shown_is_an_error_of_the_command():
    def refused(*arguments):
        run = subprocess.run([CLI, "view", *arguments, "--no-browser"], capture_output=True, text=True, timeout=60)
        assert run.returncode == 2, run
        return run.stderr

    assert "did you mean `susceptible-infected`" in refused("susceptible-infcted")
    assert "nowhere.toml" in refused("nowhere.toml")
    assert "beta" in refused("susceptible-infected", "--set", "beta=7")
    assert "cell-sid" in refused("cellular-potts", "--option", "cell-sid=3")
    with Served("ising") as served:
        assert "--port" in refused("ising", "--port", str(served.port))


def test_the_command_to_take_away_is_of_the_step_that_is_seen(browser):
    with Served("potts") as served:
        page = opened(browser, served)
        rejoin(page, "+document.documentElement.dataset.step >= 4")
        page.click("#play")
        # Pictures that were under way come still; then nothing moves.
        rejoin(page, 'document.getElementById("command").textContent.includes(`--steps ${document.documentElement.dataset.step} `)')
        seen = step_of(page)
        # A button has the focus: the keys do what they say all the same.
        for further in (1, 2, 3):
            page.keyboard.press(".")
            rejoin(page, f"+document.documentElement.dataset.step === {seen + further}")
        rejoin(page, f'document.getElementById("command").textContent.includes("--steps {seen + 3} ")')
        page.keyboard.press("r")
        rejoin(page, "+document.documentElement.dataset.step === 0")
        assert page.wrongs == []
        page.close()


def test_what_is_refused_in_a_field_is_told_and_taken_back(browser):
    with Served("potts") as served:
        page = opened(browser, served)
        option = page.locator("#o-states")
        before = option.input_value()
        option.fill("300")
        option.press("Enter")
        rejoin(page, 'document.getElementById("alert").textContent !== ""')
        rejoin(page, f'document.getElementById("o-states").value === "{before}"')
        name = page.evaluate("model.parameters[0].name")
        field = page.locator(f'input[aria-label="{name}, as a number"]')
        held = field.input_value()
        for text in ("1,000", "abc", "-1e9"):
            field.fill(text)
            field.press("Enter")
            rejoin(page, 'document.getElementById("alert").textContent !== ""')
            assert field.input_value() == held, text
        page.close()


def test_a_rule_that_failed_while_it_ran_goes_on_when_it_is_mended(browser, tmp_path):
    file = tmp_path / "measles.toml"
    subprocess.run([CLI, "new", str(file)], check=True, capture_output=True)
    good = file.read_text()
    rule = next(line for line in good.splitlines() if line.startswith('"susceptible -> infected"'))
    with Served(str(file)) as served:
        page = opened(browser, served)
        rejoin(page, "+document.documentElement.dataset.step >= 1")
        for _ in range(2):
            file.write_text(good.replace(rule, '"susceptible -> infected" = "2"'))
            rejoin(page, 'document.getElementById("alert").textContent.includes("2")')
            file.write_text(good)
            rejoin(page, 'document.getElementById("alert").textContent === "" && +document.documentElement.dataset.step >= 2')
        page.close()


def test_a_page_too_many_is_told_why(browser):
    with Served("voter") as served:
        pages = [opened(browser, served) for _ in range(8)]
        ninth = browser.new_page()
        ninth.goto(served.address)
        rejoin_words = 'document.getElementById("alert").textContent.includes("pages are open already")'
        ninth.wrongs = []
        rejoin(ninth, rejoin_words)
        for page in [*pages, ninth]:
            page.close()


def saved(page, button, count=1):
    """What a button gives away: names and bytes."""
    files = []
    page.on("download", lambda file: files.append(file))
    page.click(button)
    end = time.monotonic() + 60
    while len(files) < count:
        assert time.monotonic() < end, [file.suggested_filename for file in files]
        page.wait_for_timeout(50)
    return [(file.suggested_filename, open(file.path(), "rb").read()) for file in files]


def test_what_is_taken_away_is_what_is_seen(browser):
    image = pytest.importorskip("PIL.Image")
    with Served("malevanets-kapral", "--option", "shape=[32,32]") as served:
        page = opened(browser, served)
        page.click("#play")
        films = saved(page, "#gif", 2)
        assert sorted(name.split("-step-")[0] for name, _ in films) == ["malevanets-kapral-A", "malevanets-kapral-B"]
        page.close()
    with Served("cellular-potts", "--option", "cells-per-side=3") as served:
        page = opened(browser, served)
        page.click("#play")
        [(name, film)] = saved(page, "#gif")
        width, height = page.evaluate("[layers[0].canvas.width, layers[0].canvas.height]")
        # A key of three names is a line or two, not one of 131 states.
        with image.open(io.BytesIO(film)) as picture:
            assert picture.height / picture.width < 1.25 * height / width, picture.size
        [(name, sheet)] = saved(page, "#png")
        with image.open(io.BytesIO(sheet)) as picture:
            seen = np.array(picture.convert("RGB"))
        assert seen.shape[1] % width == 0 and seen.shape[0] > seen.shape[1], seen.shape
        pixels = np.array(page.evaluate("Array.from(layers[0].pixels)"), np.uint32).reshape(height, width)
        times = seen.shape[1] // width
        middle = seen[times // 2 : height * times : times, times // 2 :: times].astype(np.uint32)
        assert (middle[..., 0] | middle[..., 1] << 8 | middle[..., 2] << 16 | 0xFF000000 == pixels).all()
        page.close()


def test_the_command_says_where_it_is_another_run(browser, fitted):
    words = lambda page: page.inner_text("#command-words")  # noqa: E731
    with Served("susceptible-infected", "--option", "shape=[16,16]") as served:
        page = opened(browser, served)
        rejoin(page, "+document.documentElement.dataset.step >= 2")
        page.click("#play")
        rejoin(page, "document.getElementById('command-words').textContent.startsWith('The same')")
        page.locator("#p-beta").focus()
        page.keyboard.press("ArrowRight")
        rejoin(page, "document.getElementById('command-words').textContent.includes('not the run that is seen')")
        page.click("#restart")
        rejoin(page, "!document.getElementById('command-words').textContent.includes('not the run')")
        page.close()
    with Served("--fit", "run", cwd=fitted) as served:
        page = opened(browser, served)
        rejoin(page, "document.getElementById('command-words').textContent.includes('observed state')")
        assert "not the one that is seen" in words(page)
        page.close()


def test_a_broken_file_stays_told_until_it_is_mended(browser, tmp_path):
    path = tmp_path / "news.toml"
    subprocess.run([CLI, "new", "news"], cwd=tmp_path, check=True, capture_output=True)
    whole = path.read_text()
    with Served(str(path)) as served:
        page = opened(browser, served)
        path.write_text(whole.replace("[start]", "[start"))
        rejoin(page, "!document.getElementById('alert').hidden")
        page.locator("#parameters input[type=range]").first.focus()
        page.keyboard.press("ArrowRight")
        page.click("#restart")
        rejoin(page, "document.documentElement.dataset.step !== undefined")
        page.wait_for_timeout(300)
        assert "The model as it was before" in page.inner_text("#alert")
        path.write_text(whole)
        rejoin(page, "document.getElementById('alert').hidden")
        # Saved once more without a change the run goes on.
        course = page.evaluate("model.course")
        path.write_text(whole)
        page.wait_for_timeout(800)
        assert page.evaluate("model.course") == course
        page.close()


def test_narrow_intervals_sliders_of_options_and_what_is_no_number(browser, tmp_path):
    path = tmp_path / "near.toml"
    subprocess.run([CLI, "new", "near"], cwd=tmp_path, check=True, capture_output=True)
    with Served("susceptible-infected") as served:
        page = opened(browser, served)
        found = page.evaluate(
            "[[0.99996, 1, 0.99998], [0, 1e9, 5e8], [-3, 3, 0.1234567]].map(([low, high, value]) =>"
            " { const s = element('input', {type: 'range', min: String(low), max: String(high), step: 'any'}); s.value = String(value); return rounded(s); })"
        )
        assert abs(found[0] - 0.99998) < 1e-7 and found[1] == 5e8 and abs(found[2] - 0.123) < 6e-4, found
        field = page.locator("#parameters input:not([type=range])").first
        for nonsense in ["Infinity", "1e999", "-1e999", "NaN", "0x"]:
            field.fill(nonsense)
            field.press("Enter")
            rejoin(page, "document.getElementById('alert').textContent.includes('no number')")
            assert page.evaluate("document.documentElement.dataset.state") == "ready"
        page.close()
    with Served("cellular-potts", "--option", "cells-per-side=3") as served:
        page = opened(browser, served)
        assert page.locator("#options input[type=range]").count() >= 3
        box = page.locator("#o-cells-per-side")
        box.fill("500")
        box.press("Enter")
        rejoin(page, "document.getElementById('alert').textContent.includes('2048')")
        rejoin(page, "document.getElementById('o-cells-per-side').value === '3'")
        page.close()


def test_hover_follows_what_changes(browser):
    with Served("ising", "--option", "shape=[16,16]", "--set", "beta=0") as served:
        page = opened(browser, served)
        page.hover("#layers canvas")
        rejoin(page, "document.getElementById('site').textContent.startsWith('site')")
        first = page.inner_text("#site")
        rejoin(page, f"document.getElementById('site').textContent !== {json.dumps(first)}")
        page.close()


def test_a_page_that_takes_no_picture_loses_its_place():
    with Served("ising") as served:
        stream, _ = talk(served)
        begin = time.monotonic()
        stream.settimeout(60)
        while stream.recv(1 << 16):
            pass
        assert 25 < time.monotonic() - begin < 60


def test_lattices_that_are_too_large_are_refused_before_they_take_memory(browser):
    for options in [("ising", "--option", "shape=[20000,20000]"), ("persistent-random-walk", "--option", "walkers=100000000")]:
        done = subprocess.run([CLI, "view", *options, "--no-browser"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and "at most 16777216 are shown" in done.stderr, done.stderr
    with Served("persistent-random-walk") as served:
        page = opened(browser, served)
        walkers = page.locator("#o-walkers")
        before = walkers.input_value()
        walkers.fill("100000000")
        walkers.press("Enter")
        rejoin(page, 'document.getElementById("alert").textContent.includes("16777216")')
        rejoin(page, f'document.getElementById("o-walkers").value === "{before}"')
        step = step_of(page)
        rejoin(page, f"+document.documentElement.dataset.step > {step}")
        page.close()


def test_a_run_that_failed_goes_on_with_another_option(browser):
    with Served("gray-scott", "--option", "time-step=1", "--option", "shape=[32,32]") as served:
        page = opened(browser, served)
        rejoin(page, 'document.getElementById("alert").textContent.includes("gray-scott")')
        rejoin(page, 'document.getElementById("play").textContent === "Play"')
        page.locator("#o-time-step").fill("0.02")
        page.locator("#o-time-step").press("Enter")
        rejoin(page, '+document.documentElement.dataset.step >= 2 && document.getElementById("alert").hidden')
        page.close()

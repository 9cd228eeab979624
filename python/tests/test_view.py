"""The page of `glauber view` in a browser: it opens for every model, its sliders do what a simulation says, a broken model
file is told and mended. Skipped, visibly, where there is no Chromium or no Playwright."""

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

"""Sets the tests up: small models of the catalogue, the command line to compare with, and skips that are seen."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import glauber
import pytest
from command import binary

ROOT = Path(__file__).resolve().parents[2]

SMALL = {
    "persistent-random-walk": {"walkers": 64},
    "domany-kinzel": {"shape": [32]},
    "exclusion": {"shape": [32]},
}
"""Options that make a model of the catalogue small; the others take a shape."""


def small(name: str) -> dict[str, object]:
    """Options for a quick run of this model of the catalogue."""
    return SMALL.get(name, {"shape": [12, 16]})


def parameters(model: glauber.Model) -> dict[str, float]:
    """Values for all its parameters: the defaults, else the middle."""
    return {
        n: 0.5 * (p.lowest + min(p.highest, 1)) if p.default is None else p.default
        for n, p in model.parameters.items()
    }


@pytest.fixture(params=sorted(glauber.models()))
def catalogue_model(request: pytest.FixtureRequest) -> glauber.Model:
    """Every model of the catalogue, small."""
    return glauber.load(request.param, **small(request.param))


@pytest.fixture(scope="session")
def command_line() -> object:
    """Calls the command line and gives its JSON."""
    program = binary()

    def call(*arguments: object) -> dict[str, object]:
        done = subprocess.run(
            [program, "--json", *map(str, arguments)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


def pytest_terminal_summary(terminalreporter: object) -> None:
    """Says what was skipped in the words that the whole project's tests use."""
    seen = set()
    for report in terminalreporter.stats.get("skipped", []):  # type: ignore[attr-defined]
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        if reason not in seen:
            seen.add(reason)
            terminalreporter.write_line(f"SKIPPED: {reason}")  # type: ignore[attr-defined]

"""Names the command line that the package is compared with."""

import os
from pathlib import Path

import pytest


def binary() -> str:
    """The program that `GLAUBER_CLI` names; without it the test is skipped, since what lies about may be an older build."""
    program = os.environ.get("GLAUBER_CLI")
    if not program:
        pytest.skip("GLAUBER_CLI does not name the command line, so nothing is compared with it")
    return str(Path(program).resolve())

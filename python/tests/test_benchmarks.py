"""Checks that the benchmark of whole fits runs and leaves its table, plot and page."""

from __future__ import annotations

import csv
import subprocess
import sys

import pytest
from conftest import ROOT


def test_accuracy_per_second_is_measured(tmp_path):
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed, so bench/accuracy was not run")
    program = [sys.executable, str(ROOT / "bench/accuracy/run.py"), "--quick", "--seeds", "1", "--out", str(tmp_path)]
    (tmp_path / "BENCHMARKS.md").write_text("# Benchmarks\n\n## Accuracy per second\n\nleft over\n", encoding="utf-8")
    done = subprocess.run(program, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "docs/benchmarks/accuracy.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    methods = {row["method"] for row in rows}
    assert len({row["problem"] for row in rows}) == 3 and {"likelihood", "straight-through"} <= methods
    assert all(float(row["last_error"]) < 10 for row in rows)
    page = (tmp_path / "BENCHMARKS.md").read_text(encoding="utf-8")
    assert page.startswith("# Benchmarks\n\n## Accuracy per second") and "left over" not in page
    assert "<svg" in (tmp_path / "docs/benchmarks/accuracy.svg").read_text(encoding="utf-8")
    for method, package in (("ABC-SMC", "pyabc"), ("CMA-ES", "cma")):
        try:
            __import__(package)
        except ImportError:
            pytest.skip(f"{package} is not installed, so {method} was not run in bench/accuracy")
        assert method in methods

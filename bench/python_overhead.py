"""Measures what the Python face adds to a Malevanets–Kapral gradient step, against the same step in Rust.

    cargo build --release --package glauber --example gradient_step
    python bench/python_overhead.py [target/release/examples/gradient_step]

Both run on one thread and take turns, Python first in every other round; a round gives one ratio of their times. The
median of the ratios is reported with the interval that holds it at 95 % confidence (order statistics, no assumption about
the noise). Times are of the processor, so that a busy machine disturbs little; without Linux's /proc they are of the clock.
What a call costs whatever the number of steps is measured alone too, with a single step.
"""

from __future__ import annotations

import math
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import glauber
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "target/release/examples/gradient_step")

sites = np.arange(64 * 64).reshape(64, 64)
pattern = {"A": 20.0 + sites % 11, "B": 20.0 + sites % 7}
data = {"A before": pattern["A"], "B before": pattern["B"]}
theta = {"D_A": 0.1, "D_B": 0.4, "k1": 0.98, "k2": 0.1, "k3": 0.2}


def distance(s):
    """The squared distance to the pattern, summed over sites."""
    off = {n: s.layer(n) - s.data(f"{n} before") for n in pattern}
    return {"distance": (off["A"] * off["A"] + off["B"] * off["B"]).sum()}


def loss(means):
    """Its logarithm, with its slope."""
    return math.log(means["distance"]), {"distance": 1 / means["distance"]}


class Rust:
    """The program, which waits for numbers of gradients to take."""

    def __init__(self, steps: int) -> None:
        self.process = subprocess.Popen(
            [PROGRAM, str(steps)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.threads = Path(f"/proc/{self.process.pid}/task")

    def processor(self) -> float | None:
        """The milliseconds of processor time of all its threads so far, where the system tells."""
        try:
            files = [task / "schedstat" for task in self.threads.iterdir()]
            return sum(int(file.read_text().split()[0]) for file in files) / 1e6
        except (OSError, ValueError, IndexError):
            return None

    def __call__(self, repetitions: int) -> tuple[float, float]:
        """The loss, and the milliseconds of one gradient."""
        before = self.processor()
        self.process.stdin.write(f"{repetitions}\n")
        self.process.stdin.flush()
        value, elapsed = map(float, self.process.stdout.readline().split())
        after = self.processor()
        return value, elapsed if before is None or after is None else (after - before) / repetitions


class Python:
    """The same in this process."""

    def __init__(self, steps: int, clock) -> None:
        model = glauber.load("malevanets-kapral")
        self.run = glauber.rollout(model, steps, distance, start=pattern, fields=data, threads=1)
        self.clock = clock

    def __call__(self, repetitions: int) -> tuple[float, float]:
        """The loss, and the milliseconds of one gradient."""
        begin, value = self.clock(), math.nan
        for _ in range(repetitions):
            value, _ = self.run.value_and_grad(theta, loss, seed=1)
        return value, 1e3 * (self.clock() - begin) / repetitions


class Comparison(NamedTuple):
    """Times of every round, in milliseconds."""

    python: np.ndarray
    rust: np.ndarray


def compare(steps: int, repetitions: int, rounds: int) -> Comparison:
    """Both in turns; each gives the same loss, bit for bit."""
    rust = Rust(steps)
    python = Python(steps, time.perf_counter if rust.processor() is None else time.process_time)
    faces = {"python": python, "rust": rust}
    times: dict[str, list[float]] = {name: [] for name in faces}
    for face in faces.values():
        face(repetitions)
    for number in range(rounds):
        found = {name: faces[name](repetitions) for name in sorted(faces, reverse=number % 2 == 1)}
        assert found["python"][0] == found["rust"][0], found
        for name, (_, elapsed) in found.items():
            times[name].append(elapsed)
    rust.process.stdin.close()
    rust.process.wait()
    return Comparison(np.array(times["python"]), np.array(times["rust"]))


def median(values: np.ndarray) -> tuple[float, float, float]:
    """The median, and the order statistics that hold the true one with 95 % confidence."""
    ordered, n = np.sort(values), len(values)
    tail, below = 0.0, -1
    while (tail := tail + math.comb(n, below + 1) / 2**n) <= 0.025:
        below += 1
    below = max(below, 0)
    return float(np.median(ordered)), float(ordered[below]), float(ordered[n - 1 - below])


whole, short = compare(500, 4, 60), compare(1, 200, 30)
print(f"500 steps: Python {np.median(whole.python):.3f} ms, Rust {np.median(whole.rust):.3f} ms (medians)")
call = 1e3 * np.array(median(short.python - short.rust))
print("a call, with 1 step: +{:.0f} µs ({:.0f} to {:.0f})".format(*call))
of_call = call / 10 / np.median(whole.rust)
print("which is {:+.2f} % of 500 steps ({:+.2f} to {:+.2f})".format(*of_call))
print("Python face: {:+.1f} % ({:+.1f} to {:+.1f})".format(*(100 * (m - 1) for m in median(whole.python / whole.rust))))

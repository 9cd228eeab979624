"""Measures what the Python face adds to a Malevanets–Kapral gradient step, against the same step in Rust.

    cargo build --release --package glauber --example gradient_step
    python bench/python_overhead.py target/release/examples/gradient_step

Both run on one thread and take turns; processor time is compared, so that a busy machine disturbs little. What a call
costs whatever the number of steps is also measured alone, with a single step.
"""

import math
import resource
import subprocess
import sys
import time

import glauber
import numpy as np

sites = np.arange(64 * 64).reshape(64, 64)
pattern = {"A": 20.0 + sites % 11, "B": 20.0 + sites % 7}
data = {"A before": pattern["A"], "B before": pattern["B"]}
model = glauber.load("malevanets-kapral")


def distance(s):
    """The squared distance to the pattern, summed over sites."""
    off = {n: s.layer(n) - s.data(f"{n} before") for n in pattern}
    return {"distance": (off["A"] * off["A"] + off["B"] * off["B"]).sum()}


def loss(means):
    """Its logarithm, with its slope."""
    return math.log(means["distance"]), {"distance": 1 / means["distance"]}


theta = {"D_A": 0.1, "D_B": 0.4, "k1": 0.98, "k2": 0.1, "k3": 0.2}


def python(steps, repetitions):
    """The loss, and the milliseconds of processor time of one gradient step in Python."""
    run = glauber.rollout(model, steps, distance, start=pattern, fields=data, threads=1)
    run.value_and_grad(theta, loss, seed=1)
    begin = time.process_time()
    for _ in range(repetitions):
        value, _ = run.value_and_grad(theta, loss, seed=1)
    return value, 1e3 * (time.process_time() - begin) / repetitions


def child(steps, repetitions):
    """What Rust prints for so many gradient steps, and the milliseconds of processor time of it all."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.argv[1], str(repetitions), str(steps)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return out, 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def rust(steps, repetitions):
    """The same in Rust: the difference between many gradient steps and one."""
    (out, many), (_, one) = child(steps, repetitions + 1), child(steps, 1)
    return float(out.split()[0]), (many - one) / repetitions


def compare(steps, repetitions, rounds):
    """Milliseconds of Python and Rust, one row per round."""
    rows = []
    for _ in range(rounds):
        (ours, python_time), (theirs, rust_time) = python(steps, repetitions), rust(steps, repetitions)
        assert ours == theirs, (ours, theirs)
        rows.append((python_time, rust_time))
    return np.array(rows)


whole, short = compare(500, 15, 16), compare(1, 600, 8)
added = np.median(short[:, 0]) - np.median(short[:, 1])
print(f"500 steps: Python {np.median(whole[:, 0]):.3f} ms, Rust {np.median(whole[:, 1]):.3f} ms (medians)")
difference = whole[:, 0] / whole[:, 1] - 1
error = difference.std(ddof=1) / math.sqrt(len(difference))
print(f"whole against whole: {100 * difference.mean():+.2f} ± {100 * error:.2f} %")
print(
    f"1 step: Python {np.median(short[:, 0]):.3f} ms, Rust {np.median(short[:, 1]):.3f} ms, so the face adds {added:.3f} ms to a call"
)
print(f"which is {100 * added / np.median(whole[:, 1]):+.2f} % of 500 steps")

"""Measures what the Python face adds to a Malevanets–Kapral gradient step, against the same step in Rust.

    cargo build --release --package glauber --example gradient_step
    python bench/python_overhead.py target/release/examples/gradient_step

Both run on one thread and take turns; processor time is compared, so that a busy machine disturbs little.
"""

import math
import resource
import subprocess
import sys
import time

import glauber
import numpy as np

ROUNDS, REPETITIONS = 20, 15
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


run = glauber.rollout(model, 500, distance, start=pattern, fields=data, threads=1)
theta = {"D_A": 0.1, "D_B": 0.4, "k1": 0.98, "k2": 0.1, "k3": 0.2}


def python():
    """The loss, and the milliseconds of processor time of one step."""
    begin = time.process_time()
    for _ in range(REPETITIONS):
        value, _ = run.value_and_grad(theta, loss, seed=1)
    return value, 1e3 * (time.process_time() - begin) / REPETITIONS


def child(repetitions):
    """What Rust prints for so many steps after one to warm up, and the milliseconds of processor time of it all."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run([sys.argv[1], str(repetitions)], capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return out, 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def rust():
    """The same from Rust: the difference between many steps and one."""
    (out, many), (_, one) = child(REPETITIONS + 1), child(1)
    return float(out.split()[0]), (many - one) / REPETITIONS


python()
ours, theirs, losses = [], [], set()
for _ in range(ROUNDS):
    for measure, times in ((python, ours), (rust, theirs)):
        value, took = measure()
        times.append(took)
        losses.add(value)
assert len(losses) == 1, losses
ratio = np.array(ours) / np.array(theirs)
error = ratio.std(ddof=1) / math.sqrt(ROUNDS)
print(
    f"minimum: Python {min(ours):.3f} ms, Rust {min(theirs):.3f} ms, {100 * (min(ours) / min(theirs) - 1):+.2f} %"
)
print(
    f"median:  Python {np.median(ours):.3f} ms, Rust {np.median(theirs):.3f} ms; ratio {100 * (np.median(ratio) - 1):+.2f} %"
)
print(f"mean ratio {100 * (ratio.mean() - 1):+.2f} ± {100 * error:.2f} %")

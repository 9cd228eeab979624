"""Times glauber, PyTorch and JAX on the same problems, interleaved, and writes BENCHMARKS.md.

    python bench/peers/compare.py --runner target/release/runner [--rounds 9] [--problems walk,mk-gradient] [--out FILE]

Every program is started once per problem and answers `run SEED`; rounds go through all programs in turn, so that a busy
machine slows all alike. Before anything is timed, the numbers they find over different seeds must agree: means within
t · √(SE² + SE²), at a false-alarm rate of one in ten thousand for the whole page. All programs are kept on one core.
What is not installed is left out, and the page says so.
"""

import argparse
import datetime
import importlib.util
import json
import math
import os
import pathlib
import platform
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
PROBLEMS = {
    "mk-gradient": "Malevanets–Kapral 64 × 64, gradient through τ = 500 steps",
    "mk-forward": "Malevanets–Kapral 64 × 64, 500 steps forward",
    "mk-forward-512": "Malevanets–Kapral 512 × 512, 20 steps forward",
    "walk": "persistent walk, gradient step of 1,500 walkers × 10 steps (Gumbel-softmax)",
    "si-straight-through": "susceptible–infected, gradient step of 128 pairs of 64 × 64 (straight-through)",
    "si-gumbel-softmax": "the same by Gumbel-softmax",
    "si-forward": "susceptible–infected 1000 × 1000, 10 steps forward",
    "segmentation": "segmentation, 100 steps on 384 × 512 pixels",
}
# The least ratio asked for, by peer.
AIMS = {
    "mk-gradient": {"PyTorch": 40, "PyTorch compiled": 15, "JAX": 10},
    "walk": {"PyTorch": 20, "JAX": 5},
    "si-straight-through": {"PyTorch": 10, "JAX": 3},
    "segmentation": {"PyTorch": 10, "JAX": 2},
}
# Why an aim was missed where this project measured it; said where it is missed.
REASONS = {
    ("mk-gradient", "JAX"): "The aim was set on a machine where JAX took 330 ms. It compiles all steps to one loop; a tenth of its "
    "time is less than a fused loop by hand takes (`docs/decisions/0004-engine-speed.md`), whose 1.4-fold is the engine's.",
    ("si-straight-through", "PyTorch"): "The aim was set on a machine where PyTorch took 18 ms. glauber runs 128 pairs one after "
    "another, each small enough for the first-level cache: four fifths of its time are kernels over 4,096 sites (two counts "
    "of eight neighbours, noise, two look-ups, the loss and their derivatives), each bound by loads and stores.",
}
FALSE_ALARM = 1e-4
# The section at the page's end that bench/accuracy writes.
ACCURACY = "## Accuracy per second"
CELLS = "## Cellular Potts: likelihood, ABC and CMA-ES"


class Program:
    """One program on one problem, waiting for lines."""

    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=HERE
        )
        self.seconds, self.found, self.memory = [], {}, 0
        line = self.process.stdout.readline()
        if line.strip() != "ready":
            self.process.kill()
            why = self.process.stderr.read().strip().splitlines()
            raise RuntimeError(f"{name}: {why[-1] if why else 'ended before it was ready'}")

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def run(self, seed, timed):
        answer = self.ask(f"run {seed}")
        if timed:
            self.seconds.append(answer["seconds"])
        for name, value in answer["found"].items():
            self.found.setdefault(name, []).append(value)

    def end(self):
        self.memory = self.ask("memory")["memory"]
        self.process.stdin.close()
        self.process.wait()


def programs(problem, runner):
    python = sys.executable
    found = [Program("glauber", [str(runner), problem])]
    missing = []
    peers = [
        ("PyTorch", "torch", [python, "torch_runner.py", problem, "eager"]),
        ("PyTorch compiled", "torch", [python, "torch_runner.py", problem, "compiled"]),
        ("JAX", "jax", [python, "jax_runner.py", problem]),
    ]
    for name, module, command in peers:
        if importlib.util.find_spec(module) is None:
            missing.append(f"{name}: not installed")
            continue
        try:
            found.append(Program(name, command))
        except RuntimeError as error:
            missing.append(str(error))
    return found, missing


def quantile(degrees, rate):
    """Student's t, two-sided, by Fisher's expansion around the normal quantile."""
    z = statistics.NormalDist().inv_cdf(1 - rate / 2)
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / degrees + second / degrees**2


def disagreements(ours, other, rate):
    """What two programs do not agree on, in words."""
    wrong = []
    for name, a in ours.found.items():
        b = other.found[name]
        mean = statistics.fmean(a), statistics.fmean(b)
        spread = statistics.stdev(a) ** 2 / len(a) + statistics.stdev(b) ** 2 / len(b)
        # Single precision, summed over many sites, where nothing is random.
        bound = quantile(min(len(a), len(b)) - 1, rate) * math.sqrt(spread) + 1e-4 * abs(mean[0])
        if abs(mean[0] - mean[1]) > bound:
            wrong.append(f"{name}: {mean[0]:.6g} by glauber, {mean[1]:.6g} by {other.name} (allowed {bound:.2g})")
    return wrong


def measure(problem, runner, rounds, rate):
    everyone, missing = programs(problem, runner)
    for round_ in range(rounds):
        for program in everyone:
            program.run(1000 * round_ + 17, timed=True)
    for program in everyone:
        program.end()
    wrong = [w for other in everyone[1:] for w in disagreements(everyone[0], other, rate)]
    return everyone, missing, wrong


def in_words(seconds):
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def megabytes(memory):
    return f"{memory / 1e6:.0f} MB"


def section(problem, everyone, missing, wrong):
    ours = statistics.median(everyone[0].seconds)
    lines, reasons = [f"### {PROBLEMS[problem]}", ""], []
    lines += ["| program | median | least to greatest | glauber is faster by | aim | extra memory |", "|---|---|---|---|---|---|"]
    for program in everyone:
        median = statistics.median(program.seconds)
        # Ratios round by round: what slows a round slows all of it.
        ratio = statistics.median(b / a for a, b in zip(everyone[0].seconds, program.seconds))
        aim = AIMS.get(problem, {}).get(program.name)
        said = "" if program is everyone[0] else f"{ratio:.1f} ×"
        asked = "" if aim is None else f"{aim} × {'reached' if ratio >= aim else 'NOT reached'}"
        if aim is not None and ratio < aim and (problem, program.name) in REASONS:
            reasons.append(f"- {aim} × {program.name} is missed: {REASONS[problem, program.name]}")
        span = f"{in_words(min(program.seconds))} to {in_words(max(program.seconds))}"
        lines.append(f"| {program.name} | {in_words(median)} | {span} | {said} | {asked} | {megabytes(program.memory)} |")
    lines.append("")
    lines += [f"- left out: {m}" for m in missing]
    count = len(everyone[0].seconds)
    if wrong:
        lines += [f"- **disagreement**: {w}" for w in wrong]
    else:
        lines.append(f"- {count} rounds; the means of {', '.join(everyone[0].found)} agree.")
    return lines + reasons + [""], ours


def machine(modules=("torch", "jax", "numpy")):
    model = next(
        (l.split(":")[1].strip() for l in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if "model name" in l),
        platform.processor(),
    )
    versions = []
    for module in modules:
        if importlib.util.find_spec(module):
            versions.append(f"{module} {importlib.import_module(module).__version__}")
    load = os.getloadavg()[0]
    return f"{model}, {os.cpu_count()} cores, load average {load:.1f} at the end; Python {platform.python_version()}, " + ", ".join(
        versions
    )


CAVEATS = """# Benchmarks

Read these first:

- Written by `cargo xtask bench`; every number is from one run on one machine, and other work may have run beside it.
  Programs take turns round by round, so ratios can be trusted more than times.
- One core each. PyTorch and JAX are made for large batches and accelerators; lattices of 64 × 64 are small for them, and
  much of their time is the cost of starting operations.
- The peers' programs (`bench/peers`) are written as a user would write the model's definition, not tuned by an expert.
- Compilation is not timed, for any of them. JAX recompiles for another number of steps; glauber and PyTorch do not.
- glauber's random numbers, tables and adjoint differ from the peers'; what agrees are the means, which are checked.
- How time grows with sites, steps, replicates and threads: `docs/benchmarks/scaling.svg` (and `.csv`), by the program
  `scaling` of `bench/`.
- What an event costs against the lattice's size, where sites are updated one after another: `docs/benchmarks/events.svg` (and
  `.csv`), by the program `events` of `bench/`; with Criterion by `cargo bench -p glauber-bench --bench updates`.
- Extra memory is the most the process held resident beyond what it held after its imports, compilation included.
"""


def accuracy(page):
    """The section that another program wrote, to be kept."""
    parts = page.read_text(encoding="utf-8").split(ACCURACY) if page.exists() else []
    return f"\n{ACCURACY}{parts[1]}" if len(parts) > 1 else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runner", type=pathlib.Path, required=True, help="glauber's runner, built in release mode")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--problems", default=",".join(PROBLEMS))
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent.parent / "BENCHMARKS.md")
    arguments = parser.parse_args()
    chosen = arguments.problems.split(",")
    unknown = [p for p in chosen if p not in PROBLEMS]
    if unknown or arguments.rounds < 3:
        parser.error(f"problems are {', '.join(PROBLEMS)}; rounds at least 3")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    lines, medians, wrong_any = [], {}, False
    for problem in chosen:
        print(f"{problem} …", flush=True)
        everyone, missing, wrong = measure(problem, arguments.runner.resolve(), arguments.rounds, FALSE_ALARM / 40)
        own, medians[problem] = section(problem, everyone, missing, wrong)
        lines += own
        wrong_any |= bool(wrong)
        print("\n".join(own), flush=True)
    if {"mk-gradient", "mk-forward"} <= medians.keys():
        ratio = medians["mk-gradient"] / medians["mk-forward"]
        lines += [f"Malevanets–Kapral: a gradient takes {ratio:.1f} times a forward run (aim: at most 4).", ""]
    head = [CAVEATS, f"Machine: {machine()}. {datetime.date.today()}.", ""]
    page = "\n".join(head + lines) + accuracy(arguments.out)
    beside = arguments.out.with_suffix(".tmp")
    beside.write_text(page, encoding="utf-8")
    beside.replace(arguments.out)
    print(f"written: {arguments.out}")
    return 1 if wrong_any else 0


if __name__ == "__main__":
    sys.exit(main())

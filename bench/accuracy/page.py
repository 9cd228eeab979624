"""Writes the section "Accuracy per second" of BENCHMARKS.md: what counts, a table for each problem, and what it says in words."""

import datetime
import math
import os
import statistics

import numpy as np
from compare import ACCURACY, CELLS, in_words, machine

# A path whose error changed less than this share over its last half has settled.
STILL = 0.15
# Each method alone loads one core.
BUSY = 1.5
SEARCHES = ("CMA-ES", "ABC-SMC")

INTRODUCTION = """How long every way to fit takes until its estimate is within 1 % of the truth, on the same simulator through the
Python package. Read these first:

- *Within 1 %*: the first time from which on the estimate stays within 1 % of the truth, in every parameter, as long as the method
  is watched (how long is said below). The estimate of a fit by gradients is the mean of the last half of its steps so far, by the
  likelihood, which has no noise, where it stands; of CMA-ES the mean of its distribution, over the last half of its generations so
  far; of ABC-SMC the weighted mean of its last finished population.
- Seconds are the processor's, of one thread on one core, for every method: the wall clock's on a quiet machine. Imports,
  compilation, reading and making the data are not counted, for anyone.
- A site-step is one site simulated for one step (for the likelihood: one site looked at); a gradient's way back comes on top.
- Every seed has data of its own, from the simulator.
- Fits by estimators go by Adam in logits at one rate for each model, chosen by hand so that straight-through or ReinMax come close
  in some hundred steps; that by the likelihood by Rprop. CMA-ES (start of the fits, first width 0.2, candidates of a generation
  under common noise) and ABC-SMC (pyABC's defaults, adaptive weights, population 100, two runs a simulation) were tuned no further.
- susceptible–infected: 64 × 64 sites; fits and CMA-ES compare one step from 128 observed states at a time, the likelihood all
  steps; ABC-SMC compares the mean curve of whole runs. Persistent walk: all compare the logarithm of the mean squared displacement
  of 1,500 walkers after 1 to 10 steps.
- The comparison is unfair: glauber's own settings are by glauber's authors; ABC-SMC gives a whole posterior and starts
  from the prior, not from a point, simulates whole runs and sees their mean curve only, while fits and CMA-ES see pairs of states;
  pyABC and cma are Python, with some milliseconds of their own for each population or generation.
- The pixel loss is no proper score: at its true minimum the probability is not the truth. So estimators that follow it without
  bias (ReinMax, score function) settle elsewhere, as Gumbel-softmax and Gumbel-Rao do; straight-through and mean-field follow the
  Brier score in its place, whose minimum is the truth. The count loss has next to none of this.
"""


def median(values):
    """The median, infinite where most are."""
    return statistics.median(values) if all(map(math.isfinite, values)) else sorted(values)[len(values) // 2]


def time_words(seconds):
    return in_words(seconds) if math.isfinite(seconds) else "never"


def times(values):
    """Median and range in words."""
    values = sorted(values)
    if values[0] == math.inf:
        return "never"
    span = f" ({time_words(values[0])} to {time_words(values[-1])})" if len(values) > 1 else ""
    return time_words(median(values)) + span


def by_method(courses):
    found = {}
    for course in courses:
        found.setdefault(course.method, []).append(course)
    return found


def last_error(runs):
    return median([float(c.error[-1]) for c in runs])


def estimate(runs):
    """The medians of the last estimates in words."""
    return ", ".join(f"{median([c.estimate[name] for c in runs]):.4g}" for name in runs[0].estimate)


def settled(runs):
    """Whether the methods ended off the truth and had stopped to move there."""
    change = [abs(float(c.error_at(c.seconds[-1] / 2)) / max(float(c.error[-1]), 1e-9) - 1) for c in runs]
    return last_error(runs) > 0.01 and not np.isnan(change).any() and median(change) < STILL


def table(courses):
    lines = [
        "| method | within 5 % after | within 1 % after | seeds | million site-steps to 1 % | ends off by | at | watched |",
        "|---|---|---|---|---|---|---|---|",
    ]
    order = sorted(by_method(courses).items(), key=lambda item: (median([c.seconds_within(0.01) for c in item[1]]), last_error(item[1])))
    for name, runs in order:
        within = [c.seconds_within(0.01) for c in runs]
        steps = median([c.site_steps_within(0.01) for c in runs])
        cells = [
            name,
            times([c.seconds_within(0.05) for c in runs]),
            times(within),
            f"{sum(map(math.isfinite, within))} of {len(runs)}",
            f"{steps / 1e6:.3g}" if math.isfinite(steps) else "",
            f"{last_error(runs):.2%}",
            estimate(runs) + (" (settled)" if settled(runs) else ""),
            in_words(median([float(c.seconds[-1]) for c in runs])),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines + [""]


def of_search(name, runs, best):
    """How a search compares with the best fit, in words."""
    took = median([c.seconds_within(0.01) for c in runs])
    if math.isfinite(took) and math.isfinite(best):
        return f"{name} took {in_words(took)}, {took / best:.3g} times as long"
    if math.isfinite(took):
        return f"{name} took {in_words(took)}"
    return f"{name} was not within 1 % for good in {in_words(median([float(c.seconds[-1]) for c in runs]))}, and ended {last_error(runs):.2%} off"


def in_sentences(problem, courses):
    """Who came first, by how much, and who ended elsewhere."""
    methods = by_method(courses)
    fits = {name: runs for name, runs in methods.items() if name not in SEARCHES}
    took = {name: median([c.seconds_within(0.01) for c in runs]) for name, runs in fits.items()}
    ranked = sorted((t, name) for name, t in took.items() if math.isfinite(t))
    best = ranked[0][0] if ranked else math.inf
    said = [f"{problem}: " + (f"the first fit within 1 % was {ranked[0][1]}, after {in_words(best)}" if ranked else "no fit came within 1 %")]
    if len(ranked) > 1:
        said[0] += f"; {len(ranked)} of {len(fits)} came there, the last of them ({ranked[-1][1]}) after {in_words(ranked[-1][0])}"
    said[0] += "."
    others = [of_search(name, methods[name], best) for name in SEARCHES if name in methods]
    if others:
        said.append("; ".join(others) + ".")
    elsewhere = [f"{name} at {estimate(runs)}" for name, runs in fits.items() if settled(runs)]
    if elsewhere:
        said.append("Settled beside the truth: " + "; ".join(elsewhere) + ".")
    still = [name for name, runs in fits.items() if not math.isfinite(took[name]) and not settled(runs)]
    if still:
        said.append("Not there, or not for good, when they were stopped: " + "; ".join(still) + ".")
    return " ".join(said)


def section(courses, data_errors, missing):
    seeds = len({c.seed for c in courses})
    lines = [ACCURACY, "", INTRODUCTION]
    errors = "; ".join(f"{name} {median(values):.2%}" for name, values in data_errors.items())
    lines += [f"The data alone leave the best estimate off by (one standard deviation): {errors}.", ""]
    lines += [f"Machine: {machine(('glauber', 'pyabc', 'cma', 'numpy'))}. {datetime.date.today()}. {seeds} seeds; medians, and least to greatest.", ""]
    if os.getloadavg()[0] > BUSY:
        lines += ["**Other work ran beside this and shared caches and cores with it: times are somewhat too long.**", ""]
    lines += [f"Left out: {m}." for m in missing] + [""] * bool(missing)
    lines += ["![Error against seconds](docs/benchmarks/accuracy.svg)", "", "All runs: `docs/benchmarks/accuracy.csv`. In words:", ""]
    problems = dict.fromkeys(c.problem for c in courses)
    own = {problem: [c for c in courses if c.problem == problem] for problem in problems}
    lines += ["- " + in_sentences(problem, runs) for problem, runs in own.items()] + [""]
    for problem, runs in own.items():
        lines += [f"### {problem}: time until within 1 %", "", *table(runs)]
    return "\n".join(lines)


def write(path, courses, data_errors, missing):
    """Puts the section in the place of an older one, before that on cells."""
    page = path.read_text(encoding="utf-8") if path.exists() else ""
    kept, _, after = page.partition(CELLS)
    before = kept.split(ACCURACY)[0]
    after = f"\n{CELLS}{after}" if after else ""
    beside = path.with_suffix(".tmp")
    text = before.rstrip("\n") + "\n\n" * bool(before) + section(courses, data_errors, missing) + after
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)

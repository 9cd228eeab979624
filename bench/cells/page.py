"""Writes the section on the Cellular Potts model of BENCHMARKS.md: caveats, a table for each problem, posterior widths side by side."""

import datetime
import math
import os
import statistics

from compare import CELLS, in_words, machine
from methods import TOLERANCES

INTRODUCTION = """How long a fit of the Cellular Potts model takes until every coefficient is within 10 % and within 3 % of the truth: by
glauber's likelihoods, by ABC-SMC (pyABC) and by CMA-ES (cma), all on glauber's simulator through the Python package. Read these first:

- The comparison is unfair. The likelihood sees every site of every frame; ABC-SMC and CMA-ES see summaries of it, and begin from a whole
  range. ABC-SMC gives a posterior, CMA-ES a point. The data alone do not give the Act model's coefficients to 3 %: where no method comes
  there for good, that is the data's doing (the errors say how near anyone can come).
- *Within*: the first estimate from which on all of them stay within the tolerance, in every coefficient, as long as the method is watched.
  A fit by glauber is one number at its end. The estimates of the others: bench/cells/methods.py, which also has their settings: pyABC's
  defaults with populations of 100 and adaptive weights, CMA-ES's with a first width of 0.2. Neither was tuned.
- Seconds are the processor's (user and system), of one thread, for every method. Imports and the making of data are not counted.
- An attempt is one attempt to copy a label: sites × steps of everything simulated. The exact likelihood simulates nothing.
- Sorting: 64², 49 cells of two types, 40 steps by sublattices, J01, J02, J11, J12, J22 from 0 to 3 and `volume_strength` from 0 to 0.5,
  uniform; summaries are pairs by types and the deviation of volumes at steps 10, 20 and 40, from the same first frame.
- Act: tracks of 20 cells, 160 displacements, 5 steps each (λ_act/T 8, max_act 20; V = 100, P = 110, 48²: cells a fifth of the size of the
  published ones, so that all methods can be watched), λ_act/T from 1 to 40, max_act from 5 to 80, uniform in the logarithm; the
  same summaries for all: speed, mean squared displacements, velocities' correlations.
"""


def median(values):
    return statistics.median(values) if all(map(math.isfinite, values)) else sorted(values)[len(values) // 2]


def when(values, watched):
    """Median seconds, or how long it was watched in vain."""
    if math.isfinite(median(values)):
        missed = sum(not math.isfinite(v) for v in values)
        return in_words(median(values)) + (f" ({len(values) - missed} of {len(values)})" if missed else "")
    return f"not within it after {in_words(watched)}"


def by_method(courses):
    found = {}
    for course in courses:
        found.setdefault(course.method, []).append(course)
    return found


def seconds_within(course, truth, tolerance):
    place = course.first(truth, tolerance)
    return math.inf if place is None else course.seconds[place]


def attempts_within(course, truth, tolerance):
    place = course.first(truth, tolerance)
    return math.inf if place is None else course.attempts[place]


def unfinished(runs):
    """Whether ABC stands where it began, at the middle of the prior."""
    return runs[0].method == "ABC-SMC" and all(math.isnan(c.widths[-1][0]) for c in runs)


def table(truth, courses):
    """Method by method: when it came close, what it took, where it ended."""
    heads = "".join(f" within {100 * t:g} % after |" for t in TOLERANCES)
    lines = [f"| method |{heads} attempts until 10 % | attempts in all | ends off by | watched |", "|---|---|---|---|---|---|---|"]
    for name, runs in by_method(courses).items():
        watched = median([c.watched for c in runs])
        whens = [when([seconds_within(c, truth, t) for c in runs], watched) for t in TOLERANCES]
        until = median([attempts_within(c, truth, TOLERANCES[0]) for c in runs])
        off = median([float(c.errors(truth)[-1]) for c in runs])
        ends = "no population full" if unfinished(runs) else f"{100 * off:.1f} %"
        row = [name, *whens, f"{until:.2e}" if math.isfinite(until) else "", f"{median([c.attempts[-1] for c in runs]):.2e}"]
        lines.append("| " + " | ".join([*row, ends, in_words(watched)]) + " |")
    return lines + [""]


def widths(truth, courses):
    """Estimates and posterior widths, coefficient by coefficient, of the first seed."""
    seed = courses[0].seed
    runs = [c for c in courses if c.seed == seed]
    lines = ["| coefficient | truth | " + " | ".join(c.method for c in runs) + " |", "|---|---|" + "---|" * len(runs)]
    for place, (name, right) in enumerate(truth.items()):
        row = []
        for c in runs:
            estimate, width = c.estimates[-1][place], c.widths[-1][place]
            told = f"{estimate:.3g}" + (f" ± {width:.2g}" if math.isfinite(width) else "")
            row.append("none" if unfinished([c]) else told)
        lines.append(f"| `{name}` | {right:g} | " + " | ".join(row) + " |")
    return lines + [""]


def in_words_of(problem, truth, courses):
    """How the others compare with glauber's own fit."""
    methods = by_method(courses)
    (own, runs), others = next(iter(methods.items())), list(methods.items())[1:]
    took = median([c.seconds[-1] for c in runs])
    off = median([float(c.errors(truth)[-1]) for c in runs])
    said = [f"{problem}: the {own} took {in_words(took)}, its worst coefficient {100 * off:.1f} % off"]
    for name, found in others:
        until = median([seconds_within(c, truth, TOLERANCES[0]) for c in found])
        if math.isfinite(until):
            said.append(f"{name} came within 10 % after {in_words(until)}, {until / took:.3g} times as long")
        else:
            watched = median([c.watched for c in found])
            last = median([float(c.errors(truth)[-1]) for c in found])
            where = "had not filled a population" if unfinished(found) else f"was not within 10 % but {100 * last:.0f} % off"
            said.append(f"{name} {where} after {in_words(watched)}, {watched / took:.3g} times as long")
        ratios = [b / a for c, o in zip(found, runs) for a, b in zip(o.widths[-1], c.widths[-1]) if a > 0 and math.isfinite(b)]
        if ratios:
            said[-1] += f", and its posterior is {min(ratios):.2g} to {max(ratios):.2g} times as wide"
    return "; ".join(said) + "."


def section(truths, courses, missing):
    seeds = len({c.seed for c in courses})
    load = os.getloadavg()[0]
    lines = [CELLS, "", INTRODUCTION, f"Machine: {machine(('glauber', 'pyabc', 'cma', 'numpy'))}. {datetime.date.today()}. {seeds} seed{'s; medians' if seeds > 1 else ''}.", ""]
    if load > 1.5:
        lines += ["**Other work ran beside this, and shared caches and cores with it: seconds are somewhat too long, for every method.**", ""]
    lines += [f"Left out: {m}." for m in missing] + [""] * bool(missing)
    own = {problem: [c for c in courses if c.problem == problem] for problem in dict.fromkeys(c.problem for c in courses)}
    lines += ["All runs: `docs/benchmarks/cells.csv`. In words:", ""]
    lines += ["- " + in_words_of(problem, truths[problem], runs) for problem, runs in own.items()] + [""]
    for problem, runs in own.items():
        lines += [f"### {problem}: until every coefficient is close", "", *table(truths[problem], runs)]
        lines += ["Estimates and posterior widths (one standard deviation) from the same data, seed 1:", "", *widths(truths[problem], runs)]
    return "\n".join(lines)


def write(path, truths, courses, missing):
    """Puts the section at the end of the page, in the place of an older one."""
    before = path.read_text(encoding="utf-8").split(CELLS)[0] if path.exists() else ""
    beside = path.with_suffix(".tmp")
    text = before.rstrip("\n") + "\n\n" * bool(before) + section(truths, courses, missing)
    beside.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    beside.replace(path)

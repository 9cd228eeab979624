"""Compares fits of the Cellular Potts model with ABC-SMC and CMA-ES on the same simulator; writes tables.

    python bench/cells/run.py [--seeds 1] [--seconds 240] [--out FOLDER] [--quick]

Every method runs alone on one thread. Leaves the section on cells in BENCHMARKS.md, and docs/benchmarks/cells.csv, below `--out`. What
is not installed is left out, and the page says so. `--quick` shows that the program runs; its numbers mean nothing.
"""

import argparse
import csv
import importlib.util
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "peers")]

import methods  # noqa: E402
import page  # noqa: E402
import problems  # noqa: E402


def write_table(path, truths, courses):
    """One row for each run, as CSV."""
    header = ["problem", "method", "seed", "watched_seconds", "last_error", "attempts", "estimate", "width"]
    header += [f"seconds_within_{100 * t:g}_percent" for t in methods.TOLERANCES]
    rows = []
    for c in courses:
        truth = truths[c.problem]
        row = [c.problem, c.method, c.seed, f"{c.watched:.4g}", f"{c.errors(truth)[-1]:.4g}", f"{c.attempts[-1]:.4g}"]
        row += [" ".join(f"{n}={v:.5g}" for n, v in zip(truth, own)) for own in (c.estimates[-1], c.widths[-1])]
        rows.append(row + [f"{page.seconds_within(c, truth, t):.4g}" for t in methods.TOLERANCES])
    beside = path.with_suffix(".tmp")
    with open(beside, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    beside.replace(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1, help="rounds, each with other data and other noise")
    parser.add_argument("--seconds", type=float, default=240.0, help="how long ABC-SMC and CMA-ES are watched, each")
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent.parent, help="the repository, or another folder")
    parser.add_argument("--quick", action="store_true", help="small and short: only shows that it runs")
    arguments = parser.parse_args()
    if arguments.seeds < 1 or not arguments.seconds > 0:
        parser.error("--seeds is at least 1, --seconds above 0")
    ways, missing = [("own", methods.own)], []
    for package, way in (("pyabc", methods.abc_smc), ("cma", methods.cma_es)):
        if importlib.util.find_spec(package) is None:
            missing.append(f"{package} is not installed")
        else:
            ways.append((package, way))
    folder = arguments.out / "docs" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    budget = 2.0 if arguments.quick else arguments.seconds
    courses, truths = [], {}
    for seed in range(1, arguments.seeds + 1):
        for make in (problems.sorting, problems.act):
            problem = make(seed, arguments.quick)
            truths[problem.name] = problem.truth
            for _, way in ways:
                course = way(problem, seed, budget)
                courses.append(course)
                off = course.errors(problem.truth)[-1]
                print(f"{seed} {problem.name}, {course.method}: {off:.1%} off after {course.watched:.3g} s", flush=True)
                # After every run, so that one that is stopped leaves what it has.
                write_table(folder / "cells.csv", truths, courses)
                page.write(arguments.out / "BENCHMARKS.md", truths, courses, missing)
    print(f"written: {folder / 'cells.csv'}, {arguments.out / 'BENCHMARKS.md'}")


if __name__ == "__main__":
    main()

"""Measures how long every way to fit a model takes until its estimate is within 1 % of the truth; writes a table and a plot.

    python bench/accuracy/run.py [--seeds 5] [--stretch 1] [--out FOLDER] [--quick]

Every method runs alone on one thread, in rounds through all of them, with data of its own seed in each round. Leaves the section
"Accuracy per second" in BENCHMARKS.md, and docs/benchmarks/accuracy.csv and accuracy.svg, below `--out`. What is not installed is
left out, and the page says so. `--quick` shows on small problems that the program runs; its numbers mean nothing.
"""

import argparse
import csv
import importlib
import importlib.util
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "peers")]

import gradients  # noqa: E402
import page  # noqa: E402
import plot  # noqa: E402
from course import TOLERANCES  # noqa: E402
from problems import all_problems  # noqa: E402

SEARCH_SECONDS = 7.0


def searches():
    """The methods without gradients that are installed, and which are not."""
    found, missing = [], []
    for name, package in (("cma_es", "cma"), ("abc_smc", "pyabc")):
        if importlib.util.find_spec(package) is None:
            missing.append(f"{package} is not installed")
        else:
            found.append(importlib.import_module(name))
    return found, missing


def one_round(seed, stretch, quick, others):
    """The courses of all methods on all problems."""
    for problem in all_problems(seed, quick):
        names = list(gradients.methods(problem))
        for name in names[:2] if quick else names:
            yield problem, gradients.run(problem, name, seed, stretch * problem.seconds)
        for other in others:
            yield problem, other.run(problem, seed, stretch * SEARCH_SECONDS)


def write_table(path, courses):
    """One row for each run, as CSV."""
    header = ["problem", "method", "seed", "seconds", "last_error", "last_estimate"]
    header += [f"{what}_within_{100 * t:g}_percent" for t in TOLERANCES for what in ("seconds", "site_steps")]
    rows = []
    for c in courses:
        estimate = " ".join(f"{n}={v:.6g}" for n, v in c.estimate.items())
        row = [c.problem, c.method, c.seed, f"{c.seconds[-1]:.4g}", f"{c.error[-1]:.4g}", estimate]
        rows.append(row + [f"{v:.4g}" for t in TOLERANCES for v in (c.seconds_within(t), c.site_steps_within(t))])
    beside = path.with_suffix(".tmp")
    with open(beside, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    beside.replace(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="rounds, each with other data and other noise")
    parser.add_argument("--stretch", type=float, default=1.0, help="times the usual seconds for every method")
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent.parent, help="the repository, or another folder")
    parser.add_argument("--quick", action="store_true", help="small problems, two fits each: only shows that it runs")
    arguments = parser.parse_args()
    if arguments.seeds < 1 or not arguments.stretch > 0:
        parser.error("--seeds is at least 1, --stretch above 0")
    others, missing = searches()
    stretch = 0.03 * arguments.stretch if arguments.quick else arguments.stretch
    courses, data_errors = [], {}
    folder = arguments.out / "docs" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(1, arguments.seeds + 1):
        for problem, course in one_round(seed, stretch, arguments.quick, others):
            courses.append(course)
            data_errors.setdefault(problem.name, []).append(problem.data_error)
            within = course.seconds_within(0.01)
            print(f"{seed} {course.problem}, {course.method}: {course.error[-1]:.2%} off, within 1 % after {within:.3g} s", flush=True)
        # After every round, so that a run that is stopped leaves what it has.
        write_table(folder / "accuracy.csv", courses)
        plot.draw(folder / "accuracy.svg", courses)
        page.write(arguments.out / "BENCHMARKS.md", courses, data_errors, missing)
    print(f"written: {folder / 'accuracy.csv'}, {folder / 'accuracy.svg'}, {arguments.out / 'BENCHMARKS.md'}")


if __name__ == "__main__":
    main()

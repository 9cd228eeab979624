"""Measures over the catalogue which gradient estimator has which bias and noise after 1, 5, 20 and 50 steps; writes the table.

    python bench/gradients.py [--glauber PROGRAM] [--out FOLDER] [--models NAME …] [--steps 1 5 20 50] [--rollouts 1000]

Runs `glauber check` for every model at its own parameters, on small lattices, with states that are drawn at random. Leaves
docs/benchmarks/gradients.csv below `--out`, and the tables of docs/gradients.md between its two marks. What counts:

- bias: how far the mean gradient is off `differences`, as a part of the gradient, where that is more than chance (10⁻⁴ for a
  table of a model), of the worst parameter. Parameters that move what is asked by less than a tenth of what another does are left
  out, and those whose reference is less than five standard errors.
- noise: the standard deviation of one gradient at the cost of 100 rollouts, as a part of the gradient, of the worst parameter. A
  gradient backwards counts as one rollout for each replicate, one by differences as 1 + 4 for each parameter.
- error: √(bias² + noise²/100), what is left after 10,000 rollouts, some 100 steps of a fit.
"""

import argparse
import csv
import json
import math
import pathlib
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- bench/gradients.py: begin -->", "<!-- bench/gradients.py: end -->"
SQUARE = {"shape": "[24,24]"}
SEEDED = {**SQUARE, "start": "random", "density": "0.03"}
# What each model is asked with; those that update one site after another have no gradient but differences.
MODELS = {
    "susceptible-infected": (SQUARE, {"beta": "0.1"}),
    "susceptible-infected-recovered": (SEEDED, {}),
    "susceptible-exposed-infected-recovered": (SEEDED, {}),
    "contact-process": ({**SQUARE, "update": "synchronous", "start": "random"}, {}),
    "forest-fire": (SEEDED, {"wind_y": "-0.3"}),
    "scratch-assay": (SQUARE, {}),
    "birth-death-migration": (SQUARE, {}),
    "domany-kinzel": ({"shape": "[256]"}, {}),
    "voter": ({**SQUARE, "update": "synchronous"}, {}),
    "ising": (SQUARE, {}),
    "potts": (SQUARE, {}),
    "game-of-life": (SQUARE, {"noise": "0.05"}),
    "exclusion": ({"shape": "[256]"}, {}),
    "kawasaki": ({**SQUARE, "update": "sublattices"}, {}),
    "malevanets-kapral": (SQUARE, {}),
    "gray-scott": (SQUARE, {}),
    "persistent-random-walk": ({"walkers": "256"}, {}),
}
FIELDS = ["model", "steps", "estimator", "verdict", "bias", "noise", "error"]
BATCHES = 20
MATTERS = 0.1
# A reference of fewer standard errors is none.
KNOWN = 5.0


def checked(program, model, steps, rollouts):
    """What `glauber check` says as an object, or why there is nothing."""
    options, parameters = MODELS[model]
    words = [program, "check", model, "--json", "--steps", str(steps), "--replicates", str(max(rollouts // BATCHES, 2))]
    words += [w for name, value in options.items() for w in ("--option", f"{name}={value}")]
    words += [w for name, value in parameters.items() for w in ("--set", f"{name}={value}")]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    if found.returncode:
        return None, (found.stderr or found.stdout).strip()
    return json.loads(found.stdout), None


def rows_of(model, steps, said):
    """One row for each estimator."""
    truth = said["reference"]["gradient"]
    effects = {name: abs(slope) * max(abs(said["theta"][name]), 0.1) for name, slope in truth.items()}
    errors = said["reference"]["standard_error"]
    known = {name: effect for name, effect in effects.items() if effect > 0 and abs(truth[name]) >= KNOWN * errors[name]}
    told = [name for name, effect in known.items() if effect >= MATTERS * max(known.values())]
    if not told:
        return
    for estimator, own in said["estimators"].items():
        def worst(of):
            parts = [of(name) / abs(truth[name]) for name in told]
            return max(parts) if all(map(math.isfinite, parts)) and parts else math.inf
        bias = worst(lambda name: abs(own["off"][name]["mean"] or math.inf) if own["verdicts"][name] == "differs" else 0.0)
        noise = worst(lambda name: own["deviation_of_100_rollouts"][name] if own["deviation_of_100_rollouts"][name] is not None else math.inf)
        error = math.hypot(bias, noise / 10) if math.isfinite(bias + noise) else math.inf
        yield dict(zip(FIELDS, [model, steps, estimator, own["verdict"], bias, noise, error]))


def percent(x):
    if not math.isfinite(x):
        return "no number"
    return f"{100 * x:.2g} %" if x < 9.995 else f"{x:.1g} times"


def words(row):
    """A cell: bias, where there is one, and noise."""
    return (f"**{percent(row['bias'])}** off, " if row["bias"] else "") + percent(row["noise"])


def tables(rows, missing):
    """The tables in Markdown: of each number of steps a summary, then of all models."""
    steps = sorted({row["steps"] for row in rows})
    estimators = list(dict.fromkeys(row["estimator"] for row in rows))
    found = {(row["model"], row["steps"], row["estimator"]): row for row in rows}
    models = list(dict.fromkeys(row["model"] for row in rows))
    lines = ["| estimator | " + " | ".join(f"{t} step{'s' * (t > 1)}" for t in steps) + " |", "|---" * (len(steps) + 1) + "|"]
    for name in estimators:
        cells = []
        for t in steps:
            own = [found[m, t, name] for m in models if (m, t, name) in found]
            errors = sorted(row["error"] for row in own)
            best = sum(row["error"] <= min(found[row["model"], t, e]["error"] for e in estimators if (row["model"], t, e) in found) for row in own)
            biased = sum(row["bias"] > 0 for row in own)
            cells.append(f"{percent(statistics.median(errors))}, worst {percent(errors[-1])}; best {best}, biased {biased} of {len(own)}" if own else "")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "In each cell: median and worst over the models of the error after 10,000 rollouts; of how many models it is the least, and of how many a bias was seen.", ""]
    for t in steps:
        lines += [f"**{t} step{'s' * (t > 1)}**: bias where one is seen, and noise of one gradient at the cost of 100 rollouts", ""]
        lines += ["| model | " + " | ".join(estimators) + " |", "|---" * (len(estimators) + 1) + "|"]
        for m in models:
            cells = [words(found[m, t, e]) if (m, t, e) in found else "" for e in estimators]
            if any(cells):
                lines.append(f"| {m} | " + " | ".join(cells) + " |")
        lines.append("")
    lines += [f"Left out: {m}." for m in missing]
    return "\n".join(lines).rstrip("\n")


def write_rows(path, rows):
    """All rows, as CSV."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, **{k: f"{row[k]:.4g}" for k in ("bias", "noise", "error")}} for row in rows)


def read_rows(path):
    """The rows of such a file."""
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield {**row, "steps": int(row["steps"]), **{k: float(row[k]) for k in ("bias", "noise", "error")}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--glauber", default="glauber", help="the program")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT, help="the repository, or another folder")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--steps", nargs="+", type=int, default=[1, 5, 20, 50])
    parser.add_argument("--rollouts", type=int, default=1000, help="for each estimator")
    parser.add_argument("--read", nargs="+", type=pathlib.Path, help="CSV files of earlier runs to make the tables of, in place of measuring")
    arguments = parser.parse_args()
    folder = arguments.out / "docs" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    rows, missing = [], []
    if arguments.read:
        rows = [row for path in arguments.read for row in read_rows(path)]
        rows.sort(key=lambda row: (list(MODELS).index(row["model"]), row["steps"]))
        write_rows(folder / "gradients.csv", rows)
    for model in [] if arguments.read else arguments.models:
        for steps in arguments.steps:
            said, why = checked(arguments.glauber, model, steps, arguments.rollouts)
            if said is None:
                missing.append(f"{model} after {steps} steps ({why.splitlines()[0] if why else 'no answer'})")
                print(missing[-1], flush=True)
                continue
            own = list(rows_of(model, steps, said))
            if not own:
                missing.append(f"{model} after {steps} steps (no derivative stands five standard errors out of its reference's noise)")
            rows += own
            print(f"{model}, {steps} steps", flush=True)
        # After every model, so that a run that is stopped leaves what it has.
        write_rows(folder / "gradients.csv", rows)
    page = arguments.out / "docs" / "gradients.md"
    text = page.read_text(encoding="utf-8") if page.exists() else f"{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    page.write_text(f"{before}{BEGIN}\n\n{tables(rows, missing)}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    print(f"written: {folder / 'gradients.csv'}, {page}")


if __name__ == "__main__":
    main()

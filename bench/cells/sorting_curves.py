"""Draws how two types of cells sort under both update orders, beside the reference of two other programs.

    python bench/cells/sorting_curves.py [--seeds 32] [--out docs/pictures]

The model and the reference are those of the table in docs/cellular-potts.md. Leaves sorting-curves.svg and sorting-curves.csv in `--out`.
"""

import argparse
import csv
import pathlib
import sys

import matplotlib
import numpy as np
from glauber import cells

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "accuracy")]
from plot import slim  # noqa: E402
from problems import pairs  # noqa: E402

MODEL = {"J01": 1.6, "J02": 1.6, "J11": 1.4, "J12": 1.1, "J22": 0.2, "volume_strength": 0.1, "volume_target": 40}
TIMES = [1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 700, 1000]
PANELS = ["pairs 0–1", "pairs 0–2", "pairs 1–1", "pairs 1–2", "pairs 2–2", "deviation of volumes"]
ORDERS = {"random-sequential": ("#0072B2", "-"), "sublattices": ("#D55E00", (0, (5, 2)))}
REFERENCE = {
    1: [(363, 6), (364, 5), (609, 11), (1828, 16), (811, 25), (1.74, 0.13)],
    10: [(404, 12), (353, 12), (646, 22), (1756, 34), (1172, 46), (2.67, 0.17)],
    100: [(488, 16), (264, 17), (711, 23), (1557, 39), (1438, 57), (2.68, 0.18)],
    500: [(559, 32), (156, 31), (771, 31), (1360, 56), (1663, 80), (2.66, 0.18)],
    1000: [(584, 35), (122, 35), (848, 51), (1190, 90), (1797, 90), (2.58, 0.20)],
}
"""By step: mean and standard deviation over 32 seeds of each panel."""


def start():
    """96², a block of 100 cells of 6 × 6, half of each type."""
    labels, kinds = np.zeros((96, 96), np.int64), np.zeros(101, np.int64)
    for r in range(10):
        for q in range(10):
            label = 10 * r + q + 1
            kinds[label] = 1 if (7 * r + 3 * q) % 10 < 5 else 2
            labels[18 + 6 * r : 24 + 6 * r, 18 + 6 * q : 24 + 6 * q] = label
    return labels, kinds


def course(order, seed):
    """The panels' numbers by time."""
    labels, kinds = start()
    rows, done = [], 0
    for time in TIMES:
        ran = cells.simulate(
            MODEL, start=labels, types=kinds, torus=True, order=order, steps=time - done, every=time - done,
            seed=1000 * seed + time, threads=1,
        )  # fmt: skip
        labels, done = ran.labels[-1], time
        volumes = np.bincount(labels.ravel(), minlength=101)[1:]
        rows.append([*pairs(kinds, labels), volumes.std()])
    return rows


def draw(path, found):
    """Means over seeds, the range of one standard deviation, and the reference."""
    plt.rcParams.update({"svg.hashsalt": "sorting", "font.size": 10, "axes.facecolor": "white", "figure.facecolor": "white"})
    figure, grid = plt.subplots(2, 3, figsize=(11, 6), sharex=True, layout="constrained")
    for place, (axes, title) in enumerate(zip(grid.reshape(-1), PANELS)):
        for order, (colour, dashes) in ORDERS.items():
            own = found[order][:, :, place]
            mean, deviation = own.mean(axis=0), own.std(axis=0, ddof=1)
            axes.fill_between(TIMES, mean - deviation, mean + deviation, color=colour, alpha=0.15, lw=0)
            axes.plot(TIMES, mean, color=colour, ls=dashes, lw=1.8, label=order)
        for_bars = [[own[place][part] for own in REFERENCE.values()] for part in (0, 1)]
        axes.errorbar(list(REFERENCE), *for_bars, fmt="ko", ms=4, lw=1, capsize=2, label="two other programs")
        axes.set_xscale("log")
        axes.set_title(title, fontsize=10)
        if place >= 3:
            axes.set_xlabel("steps")
    handles, names = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    path.write_text(slim(path.read_text(encoding="utf-8")), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=32)
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent.parent / "docs" / "pictures")
    arguments = parser.parse_args()
    found = {order: np.array([course(order, seed) for seed in range(1, arguments.seeds + 1)]) for order in ORDERS}
    arguments.out.mkdir(parents=True, exist_ok=True)
    with open(arguments.out / "sorting-curves.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["order", "step", *(f"{panel} {part}" for panel in PANELS for part in ("mean", "sd"))])
        for order, own in found.items():
            for place, time in enumerate(TIMES):
                both = zip(own[:, place].mean(axis=0), own[:, place].std(axis=0, ddof=1))
                table.writerow([order, time, *(f"{x:.5g}" for pair in both for x in pair)])
    draw(arguments.out / "sorting-curves.svg", found)


if __name__ == "__main__":
    main()

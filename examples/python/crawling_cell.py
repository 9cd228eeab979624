"""A cell of the Act model crawls: copies are favoured from sites that were gained lately (Niculescu et al. 2015)."""
import glauber
import numpy as np

def step(s):
    cell, there, others = s["cell"], s.neighbour("moore"), s["cell"].neighbours("moore").sum()
    v = s.of_cell(s.cell_sum(1, "cell"), 1) - 500
    p = s.of_cell(s.cell_sum(8 - others, "cell"), 1) - 260
    activity = np.maximum(s["until"] - s.step(), 0)  # 80 when a site is gained, 1 less in each step
    logs = cell * glauber.where(activity > 0, np.log(np.maximum(activity, 1)), -1000)
    mean = cell * np.exp((logs + logs.neighbours("moore").sum()) / (1 + others))  # geometric, of the cell's sites
    gain = there["cell"] - cell
    longer = gain * (8 - 2 * others)
    rise = 20 * longer + 30 * (1 + 2 * gain * v) + 2 * longer * (2 * p + longer)
    rise += s["strength"] / 80 * (mean - mean.at(there))
    copied = s.bernoulli(np.exp(-np.maximum(rise, 0) / 20))
    s.next("cell").set(glauber.where(copied, there["cell"], cell))
    s.next("until").set(glauber.where(copied * (gain > 0), s.step() + 80, s["until"]))

disc = lambda s: {"cell": (s.coordinate(0) - 75) ** 2 + (s.coordinate(1) - 75) ** 2 < 160, "until": 0}
model = glauber.Model("crawling-cell", (150, 150), {"cell": glauber.labels(1), "until": 10**6}, step, start=disc,
                      parameters={"strength": (0, 2000, 200)}, update="random-sequential")
if __name__ == "__main__":
    cell = glauber.simulate(model, steps=5, seed=1)["cell"][0]
    print("sites of the cell:", *[int(c.sum()) for c in cell], "of 500 wanted")

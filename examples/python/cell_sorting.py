"""Cellular Potts: cells of two types sort by adhesion; a site may take the label of a neighbour (Metropolis)."""
import glauber
import numpy as np

KIND = [0] + [1 + (7 * k + 3 * (k // 7)) % 10 // 5 for k in range(49)]
ADHESION = [0, 16, 16, 16, 14, 11, 16, 11, 2]  # of kinds a and b in place 3 a + b
AROUND = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]

def step(s):
    cell, new, volume = s["cell"], s.neighbour("moore")["cell"], s.cell_sum(1, "cell")

    def cost(label):
        kind, others = s.of_cell(KIND, label), map(cell.shift, AROUND)
        adhesion = sum((o != label) * s.look_up(ADHESION, 3 * kind + s.of_cell(KIND, o)) for o in others)
        return adhesion + 2 * (label > 0) * (s.of_cell(volume, label) - s["target"])

    rise = cost(new) - cost(cell) + (new > 0) + (cell > 0)
    return glauber.where(s.bernoulli(np.exp(-np.maximum(rise, 0) / s["T"])), new, cell)

grid = lambda s: 1 + 7 * np.floor(s.coordinate(0) / 8) + np.floor(s.coordinate(1) / 8)
model = glauber.Model("cell-sorting", (56, 56), {"cell": glauber.labels(49)}, step, start=grid,
                      parameters={"T": (1, 100, 10), "target": (1, 1000, 50)}, update="random-sequential")
if __name__ == "__main__":
    cells = glauber.simulate(model, steps=20, seed=1)["cell"][0]
    print("unlike right neighbours:", *[int((c != np.roll(c, -1, 1)).sum()) for c in cells[::5]])

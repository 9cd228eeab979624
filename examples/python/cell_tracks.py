"""Fits a persistent random walk to cell tracks: an array of rows (track, time in s, x in µm, y in µm).

Without a file (CSV of id, t, x, y, as celltrackR writes it) it makes tracks of its own, at known parameters.

    python cell_tracks.py [tracks.csv]
"""

import os
import sys

import glauber
import numpy as np

SECONDS, MICROMETRES = 24.0, np.sqrt(10.0)  # of one step, of one site


def own_tracks(count=300, length=30, seed=1):
    """Tracks of walkers at p_center 0.25 and p_resample 0.4, as a microscope would give them."""
    walk = glauber.load("persistent-random-walk", walkers=count)
    runs = glauber.simulate(walk, {"p_center": 0.25, "p_resample": 0.4}, steps=length, seed=seed)
    x, y = (runs[n][0].reshape(length + 1, count) * MICROMETRES for n in ("x", "y"))
    time = SECONDS * np.arange(length + 1)
    return np.concatenate(
        [np.column_stack([np.full(length + 1, i), time, x[:, i], y[:, i]]) for i in range(count)]
    )


tracks = sys.argv[1] if len(sys.argv) > 1 else own_tracks()
task = glauber.Trajectory(tracks=tracks, step_time=SECONDS, site_length=MICROMETRES, lags=10)
steps = 400 if os.environ.get("GLAUBER_QUICK") else 4000
found = glauber.fit(
    glauber.load("persistent-random-walk"),
    task,
    {"p_center": 0.5, "p_resample": 0.5},
    learning_rate=0.02,
    steps=steps,
    replicates=1500,
    average=0.2,
)
print(found)
if len(sys.argv) == 1:
    print("the tracks were made at p_center 0.25, p_resample 0.4")
    assert abs(found.params["p_center"] - 0.25) < 0.15 and abs(found.params["p_resample"] - 0.4) < 0.15

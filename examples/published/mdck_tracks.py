"""Tracks of MDCK cells as persistent walkers seen with an error (Ulicna, Vallardi, Charras & Lowe 2021, Front. Comput. Sci. 3, 734559).

Speed, persistence and the error of a position, by the exact likelihood of all positions. The tracks are the example of btrack
(github.com/lowe-lab-ucl/btrack-examples, MIT), examples/tracks.csv: ID, t (frames), y, x (pixels), in the folder given.

    python mdck_tracks.py FOLDER
"""

import sys
from pathlib import Path

import glauber
import numpy as np


def tracks(folder):
    """Each track as [time, y, x]."""
    table = np.genfromtxt(folder / "tracks.csv", delimiter=",", names=True)
    rows = np.column_stack([table["t"], table["y"], table["x"]])
    return [rows[table["ID"] == own] for own in np.unique(table["ID"])]


def density(folder):
    return glauber.persistent_walk(tracks(folder))


if __name__ == "__main__":
    own = density(Path(sys.argv[1]))
    print(own.posterior(draws=500, warm_up=500))
    print(own.profile())

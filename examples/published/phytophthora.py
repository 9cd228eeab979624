"""Phytophthora in two fields of bell pepper (Gumpertz, Graham & Ristaino 1997, JABES 2, 131): an autologistic model of one map.

P(y) ~ exp(a sum y + b sum y y' over neighbours), by its exact likelihood: all 2^400 states of a field are summed by transfer
matrices. The maps are in the R package agridat (github.com/kwstat/agridat, MIT), gumpertz.pepper; here as an NPY array
[field, y, x] of 0 and 1 in the folder given.

    python phytophthora.py FOLDER
"""

import sys
from pathlib import Path

import glauber
import numpy as np


def fit(folder, field, directions=False):
    """The log density of a field, by a and b (b_y and b_x apart with `directions`)."""
    return glauber.autologistic(np.load(folder / "disease.npy")[field], directions=directions)


if __name__ == "__main__":
    for field in (0, 1):
        print(f"field {field + 1}")
        print("    " + str(fit(Path(sys.argv[1]), field).profile()).replace("\n", "\n    "))

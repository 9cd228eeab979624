"""Times attempts to copy a label, glauber's and glazier's, on the same packed cells, in turns in one run.

    cargo build --release -p glauber-cellular-potts --example speed
    pip install glazier
    python bench/cells/speed.py [target/release/examples/speed]

252 x 252 sites, 1,296 cells of 7 x 7 of two types, sorting's coefficients; one thread each; seconds are the processor's. glazier (0.3) takes
attempts one after another from Python, its only order on a processor.
"""

import json
import os
import re
import subprocess
import sys
import time

from glazier import _native

SIDE, CELL, ROUNDS = 252, 7, 3


def description(steps):
    """The cells as glazier reads them: contact energies for T = 10, Moore neighbours."""
    kind = {"target_volume": 49.0, "lambda_volume": 1.0}
    across = SIDE // CELL
    return json.dumps(
        {
            "name": "packed",
            "width": SIDE,
            "height": SIDE,
            "depth": 1,
            "types": [{"name": name, **kind} for name in ("one", "two")],
            "contact": [0, 16, 16, 16, 14, 11, 16, 11, 2],
            "temperature": 10.0,
            "neighbour_order": 2,
            "seed": 1,
            "steps": steps,
            "dump_every": 0,
            "initial": {"kind": "tiled", "side": CELL, "nx": across, "ny": across, "nz": 1, "fractions": {"one": 0.5, "two": 0.5}},
            "units": {"micron_per_site": 1.0, "minute_per_step": 1.0},
            "fields": [],
        }
    )


def seconds(steps):
    """Of a run of glazier."""
    text = description(steps)
    begun = time.process_time()
    _native.run(text)
    return time.process_time() - begun


def glazier(steps):
    """Million attempts a second; what a run needs besides its steps is taken off."""
    return SIDE * SIDE * steps / (seconds(2 * steps) - seconds(steps)) / 1e6


def glauber(binary, steps, order):
    """Million attempts a second: the median of the example's runs, and the fastest."""
    command = [binary, str(SIDE), str(steps), str(order)]
    environment = {**os.environ, "RAYON_NUM_THREADS": "1"}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    median, fastest = re.search(r": ([0-9.]+) million.*[0-9.]+–([0-9.]+)\)", told).groups()
    return float(median), float(fastest)


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else "target/release/examples/speed"
    rows = {"glauber, sublattices": [], "glauber, random-sequential": [], "glazier": []}
    for _ in range(ROUNDS):
        rows["glauber, sublattices"].append(glauber(binary, 600, 1))
        rows["glauber, random-sequential"].append(glauber(binary, 100, 0))
        rate = glazier(300)
        rows["glazier"].append((rate, rate))
    print(f"million attempts a second, medians of {ROUNDS} rounds (fastest), load average {os.getloadavg()[0]:.1f}")
    for name, rates in rows.items():
        medians = sorted(median for median, _ in rates)
        print(f"{name}: {medians[len(medians) // 2]:.1f} ({max(fastest for _, fastest in rates):.1f})")


if __name__ == "__main__":
    main()

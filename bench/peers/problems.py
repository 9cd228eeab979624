"""Makes the inputs that every runner starts from, and speaks to `compare.py`."""

import json
import resource
import sys
import time

import numpy as np


def hashed(count, seed):
    """Random numbers in [0, 1) that every program can make: `lowbias32` of the place and the seed."""
    x = np.arange(count, dtype=np.uint32) + np.uint32(seed * 1_000_003 & 0xFFFFFFFF)
    x ^= x >> 16
    x *= np.uint32(0x7FEB352D)
    x ^= x >> 15
    x *= np.uint32(0x846CA68B)
    x ^= x >> 16
    return x / 4294967296.0


def scattered(shape, share, seed):
    return (hashed(int(np.prod(shape)), seed) < share).astype(np.float32).reshape(shape)


def wave(side, low, high):
    phase = np.sin(np.arange(side) / side * 4.0 * 2.0 * np.pi)
    row = np.floor(0.5 * (low + high) + 0.5 * (high - low) * phase + 0.5).astype(np.float32)
    return np.broadcast_to(row, (side, side)).copy()


def standardised(height, width):
    grey = hashed(height * width, 3).reshape(height, width)
    z = ((grey - grey.mean()) / grey.std()).astype(np.float32)
    return z, (z - z.min()) / (z.max() - z.min())


def displacements():
    """The mean squared displacement after 1 to 10 steps at p_center = 0.2, p_resample = 0.1."""
    def at(n):
        return 1.6 * (n + 2 * sum((n - k) * 0.9**k for k in range(1, n)))

    return np.array([at(n) for n in range(1, 11)], dtype=np.float32)


THETA = (0.3, 0.5, 0.6, 0.2, 0.3)
CAPACITY = 50
ROOT = 2.0**0.5
SIDE, DIAGONAL = (ROOT - 1) * ROOT / 4, (ROOT - 1) / 4
DIRECTIONS = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)]
WEIGHTS = (0.6, 0.05, 0.15, 0.5)
OFFSETS = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def serve(make):
    """Answers `run SEED` with the seconds a run took and what it found, `memory` with bytes beyond those at the start."""
    before = peak()
    run = make()
    run(0)
    run(1)
    print("ready", flush=True)
    for line in sys.stdin:
        if line.startswith("run "):
            seed = int(line.split()[1])
            begin = time.perf_counter()
            found = {name: float(value) for name, value in run(seed).items()}
            seconds = time.perf_counter() - begin
            print(json.dumps({"seconds": seconds, "found": found}), flush=True)
        else:
            print(json.dumps({"memory": peak() - before}), flush=True)

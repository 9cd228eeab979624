"""Makes the two problems: six coefficients of cell sorting from a movie, two of the Act model from tracks.

Each knows its data, how to simulate them anew, the summaries by which simulations are compared, and the fit that needs none of it.
"""

import dataclasses

import numpy as np
from glauber import cells
from glauber._errors import InputError

SIDE, ACROSS, STEPS = 64, 7, 40
SEEN = (10, 20, 40)
"""Steps at which simulations of sorting are compared with the movie."""
TRACKS, RECORDS, BETWEEN, BURN_IN, LATTICE = 20, 161, 5, 200, 48
LAGS = (1, 4, 16)
CORRELATED = (2, 8, 32)


@dataclasses.dataclass
class Problem:
    """What is to be found, and from what."""

    name: str
    truth: dict
    ranges: dict
    """The prior is uniform between these; of the logarithm where `logarithmic`."""
    logarithmic: bool
    observed: np.ndarray
    """Summaries of the data."""
    spread: np.ndarray
    """Their standard deviations, about: for a loss."""
    simulate: object
    """Summaries of a simulation, given values and a seed; not numbers where no cell lived."""
    attempts: float
    """Copy attempts of a simulation."""
    fit: object
    """Estimates, standard errors and attempts of glauber's own fit."""
    own: str
    """What that is called."""

    def place(self, values):
        """Values as places between 0 and 1."""
        return np.array([self._scale(v, *self.ranges[n], forward=True) for n, v in zip(self.truth, values)])

    def values(self, place):
        """The values at a place."""
        return np.array([self._scale(float(p), *self.ranges[n], forward=False) for n, p in zip(self.truth, place)])

    def _scale(self, x, low, high, forward):
        if self.logarithmic:
            return np.log(x / low) / np.log(high / low) if forward else low * (high / low) ** x
        return (x - low) / (high - low) if forward else low + x * (high - low)


def sorting(seed, quick):
    """Adhesions and the strength of the volume term, J and λ in units of T, from the labels of 40 steps."""
    truth = {"J01": 1.6, "J02": 1.6, "J11": 1.4, "J12": 1.1, "J22": 0.2, "volume_strength": 0.1}
    settings = {"torus": True, "steps": STEPS, "threads": 1}
    movie = cells.simulate(
        {**truth, "volume_target": 64},
        shape=(SIDE, SIDE),
        blocks=(ACROSS, ACROSS),
        sides=(8, 8),
        counts=(25, 24),
        seed=1000 + seed,
        **settings,
    )
    kinds = np.zeros(ACROSS * ACROSS + 1, np.int64)
    for label, kind in movie.types.items():
        kinds[label] = kind

    def summaries(labels, table):
        found = [pairs(kinds, labels[frame]) for frame in (1, 2, 3)]
        deviation = [table["volume"][table["step"] == step].std() for step in SEEN]
        return np.concatenate([*found, deviation]).astype(float)

    def simulate(values, own_seed):
        done = cells.simulate(
            {**dict(zip(truth, values)), "volume_target": 64},
            start=movie.labels[0],
            types=movie.types,
            seed=own_seed,
            every=10,
            **settings,
        )
        return summaries(done.labels[[0, 1, 2, 4]], done.cells)

    def fit():
        found = cells.fit(movie.labels, movie.types, torus=True, fixed={"volume_target": 64}, replicates=0, threads=1)
        return found.params, found.standard_errors, 0.0

    ranges = {name: (0.0, 3.0) for name in truth} | {"volume_strength": (0.0, 0.5)}
    middle = [0.5 * (low + high) for low, high in ranges.values()]
    spread = np.std([simulate(middle, 10**6 + i) for i in range(5 if quick else 20)], axis=0)
    observed = summaries(movie.labels[[0, *SEEN]], movie.cells)
    attempts = float(SIDE * SIDE * STEPS)
    return Problem("sorting", truth, ranges, False, observed, spread + 1e-9, simulate, attempts, fit, "exact likelihood")


def pairs(kinds, labels):
    """Pairs of neighbouring sites of different labels on a torus: 0–1, 0–2, 1–1, 1–2, 2–2."""
    counts = np.zeros(9, np.int64)
    own = kinds[labels]
    for shift in ((0, 1), (1, 0), (1, 1), (1, -1)):
        other = np.roll(labels, shift, axis=(0, 1))
        differs = labels != other
        a, b = own[differs], kinds[other[differs]]
        counts += np.bincount(3 * np.minimum(a, b) + np.maximum(a, b), minlength=9)
    return counts[[1, 2, 4, 5, 8]]


def act(seed, quick):
    """λ_act/T and max_act of 20 small cells of the Act model from tracks of 160 displacements, 5 steps each."""
    truth = {"act_strength": 8.0, "max_act": 20.0}
    known = {
        "J01": 1.0,
        "volume_strength": 1.5,
        "volume_target": 100,
        "perimeter_strength": 0.1,
        "perimeter_target": 110,
    }
    tracks, records = (4, 101) if quick else (TRACKS, RECORDS)
    settings = {"steps_per_frame": BETWEEN, "shape": (LATTICE, LATTICE), "burn_in": BURN_IN, "threads": 1}

    def tracked(values, own_seed):
        params = {**known, "act_strength": float(values[0]), "max_act": max(1, round(float(values[1])))}
        return cells.simulate_tracks(params, tracks=tracks, records=records, seed=own_seed, **settings)

    def simulate(values, own_seed):
        try:
            return motion(tracked(values, own_seed), records)
        except InputError:
            return np.full(1 + len(LAGS) + len(CORRELATED), np.nan)

    data = tracked(list(truth.values()), 1000 + seed)

    def fit():
        found = cells.fit_tracks(
            data,
            site=1.0,
            fixed=known,
            ranges={"act_strength": ranges["act_strength"], "max_act": ranges["max_act"]},
            seed=seed,
            **settings,
        )
        return found.params, found.standard_errors, found.to_json()["attempts"]

    ranges = {"act_strength": (1.0, 40.0), "max_act": (5.0, 80.0)}
    # The data's own, by drawing tracks anew.
    draws = np.random.default_rng(seed).integers(0, tracks, (200, tracks))
    by_track = np.array([sums(t) for t in by_id(data, records)])
    spread = np.std([numbers(by_track[draw].sum(0)) for draw in draws], axis=0)
    attempts = float(tracks * LATTICE**2 * (BURN_IN + BETWEEN * (records - 1)))
    observed = motion(data, records)
    return Problem("Act", truth, ranges, True, observed, spread + 1e-9, simulate, attempts, fit, "synthetic likelihood")


def by_id(table, records):
    """Positions [track, record, axis]; cells that vanished are left out."""
    position = np.stack([table["y"], table["x"]], axis=1)
    found = [position[table["id"] == one] for one in np.unique(table["id"])]
    return [own for own in found if len(own) == records]


def sums(track):
    """Sums and counts of a track's speed, squared displacements and products of displacements."""
    steps = np.diff(track, axis=0)
    found = [(np.hypot(*steps.T).sum(), len(steps)), ((steps**2).sum(), len(steps))]
    for lag in LAGS:
        apart = track[lag:] - track[:-lag]
        found.append(((apart**2).sum(), len(apart)))
    for lag in CORRELATED:
        found.append(((steps[lag:] * steps[:-lag]).sum(), len(steps) - lag))
    return np.array(found, dtype=float)


def numbers(total):
    """The logarithms of speed and mean squared displacements, and the velocities' correlations."""
    means = total[:, 0] / total[:, 1]
    logarithms = np.log(np.concatenate([means[:1], means[2 : 2 + len(LAGS)]]))
    return np.concatenate([logarithms, means[2 + len(LAGS) :] / means[1]])


def motion(table, records):
    """Those of all tracks together."""
    found = by_id(table, records)
    with np.errstate(divide="ignore", invalid="ignore"):
        return numbers(np.sum([sums(track) for track in found], axis=0)) if found else np.full(1 + len(LAGS) + len(CORRELATED), np.nan)

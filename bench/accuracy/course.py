"""Keeps how an estimate moved while the seconds went by, and says when it had come close to the truth for good."""

import dataclasses
import math
import time

import numpy as np

TOLERANCES = (0.05, 0.01)
clock = time.process_time
"""Every method runs on one thread, so the processor's time is the wall clock's on a quiet machine, and bears a busy one better."""


@dataclasses.dataclass
class Course:
    """One run of one method on one problem."""

    problem: str
    method: str
    seed: int
    seconds: np.ndarray
    """When each estimate stood, [time]: seconds of `clock` since the method began."""
    error: np.ndarray
    """How far it was from the truth, [time]: relative, of the worst parameter."""
    site_steps: np.ndarray
    """What had been computed by then, [time]: sites × steps, forward."""
    estimate: dict
    """The last estimate, by parameter."""

    def first(self, tolerance):
        """The place of the first estimate from which on all are within the tolerance; None where the last is not."""
        outside = np.flatnonzero(~(self.error <= tolerance))
        place = 0 if not len(outside) else int(outside[-1]) + 1
        return place if place < len(self.error) else None

    def seconds_within(self, tolerance):
        """The seconds until the estimate was within the tolerance and stayed there; infinite for never."""
        place = self.first(tolerance)
        return math.inf if place is None else float(self.seconds[place])

    def site_steps_within(self, tolerance):
        """The same in site-steps."""
        place = self.first(tolerance)
        return math.inf if place is None else float(self.site_steps[place])

    def error_at(self, times):
        """The error of the estimate that stood at each time; not a number before the first."""
        place = np.searchsorted(self.seconds, times, side="right") - 1
        return np.where(place >= 0, self.error[np.maximum(place, 0)], np.nan)


def relative_error(estimates, truth):
    """The greatest of |estimate − truth| / truth over the parameters, for estimates [time, parameter]."""
    truth = np.array(list(truth.values()))
    return (np.abs(np.asarray(estimates) - truth) / truth).max(axis=1)


def tail_average(path):
    """After k steps the mean of the last half of them, for a path [time, parameter].

    With a constant rate and noisy gradients iterates wander about the optimum; their mean does not (Polyak & Juditsky 1992).
    """
    sums = np.concatenate([np.zeros((1, path.shape[1])), np.cumsum(path, axis=0)])
    upto = np.arange(1, len(path) + 1)
    since = upto // 2
    return (sums[upto] - sums[since]) / (upto - since)[:, None]

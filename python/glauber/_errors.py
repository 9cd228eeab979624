"""Defines what glauber raises, besides Python's own exceptions."""


class ModelError(ValueError):
    """A mistake in a model: which, where, and what to write instead."""

    __module__ = "glauber"


class InputError(ValueError):
    """Data, parameters or settings that do not fit: what was found, what is needed."""

    __module__ = "glauber"


class RunError(RuntimeError):
    """A run that failed: at which step and site, and what to change.

    Where a step of `simulate` cannot go on, as where no agent is left, `.simulation` is what was run before that step: the state at
    the start, if it was the first.
    """

    __module__ = "glauber"

    step: int | None = None
    simulation: object = None

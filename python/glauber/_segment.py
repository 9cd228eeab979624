"""Segments images into foreground and background by the two-class Potts energy."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from glauber import _glauber
from glauber._arrays import numbers, real, whole
from glauber._containers import kind_of
from glauber._errors import InputError
from glauber._kinds import Real, Whole
from glauber._model import Layer
from glauber._pictures import BINARY
from glauber._over_time import pyplot
from glauber._simulation import picture_html


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A mask, and how it compares with Otsu's threshold and with the truth."""

    mask: np.ndarray
    """The foreground: bool [y, x]."""
    field: np.ndarray
    """The fitted image: float32 [y, x] in [0, 1]."""
    steps: int
    bright_objects: bool
    otsu_threshold: float
    otsu_mask: np.ndarray
    dice: float | None = None
    jaccard: float | None = None
    otsu_dice: float | None = None
    otsu_jaccard: float | None = None

    def plot(self, ax: Any = None) -> Any:
        """Draws the mask with Matplotlib and gives the axes."""
        ax = ax if ax is not None else pyplot().subplots()[1]
        ax.imshow(self.mask, interpolation="nearest", cmap="gray")
        return ax

    def __repr__(self) -> str:
        scores = "" if self.dice is None else f", Dice {self.dice:.3f} (Otsu {self.otsu_dice:.3f})"
        return f"Segmentation {self.mask.shape}: {int(self.mask.sum())} pixels of foreground after {self.steps} steps{scores}"

    def _repr_html_(self) -> str:
        states = Layer("categories", 0, 1, ("ground", "object"), BINARY)
        return picture_html(self.mask, states, repr(self))


def segment(
    image: Any,
    preset: str = "auto",
    *,
    truth: Any = None,
    steps: Whole | None = None,
    rate: Real | None = None,
    threshold: Real | None = None,
    objects: str | None = None,
    flatten: Whole | None = None,
    threads: Whole = 0,
) -> Segmentation:
    """Segments an image, as `glauber segment` does on the command line, to the last bit.

    Parameters
    ----------
    image : array [y, x] or [y, x, colour]
        Grey values: whole numbers of 8 or 16 bits, or numbers in [0, 1]. Colours (red, green, blue) become their luma.
    preset : str
        "auto" for an image nobody has seen; "seadragon" and "cells" are the paper's settings.
    truth : array [y, x], optional
        The true foreground, only to score the result.
    steps, rate, threshold : int, float, float, optional
        The most steps, the rate of descent, and where the fitted field becomes foreground, in place of the preset's.
    objects : str, optional
        Which class is the foreground: "bright", "dark" or "detect"; by default the preset's.
    flatten : int, optional
        Subtract a background of this degree, 1 to 4, before anything else; 0 for none; by default the preset's.
    threads : int
        0 for all cores.

    Raises
    ------
    InputError
        For an image, truth or settings that do not fit.

    Examples
    --------
    >>> import glauber, numpy as np
    >>> y, x = np.mgrid[:32, :32]
    >>> disc = (y - 16) ** 2 + (x - 12) ** 2 < 60
    >>> bool((glauber.segment(np.where(disc, 0.8, 0.1)).mask == disc).mean() > 0.95)
    True
    """
    flat, shape = _grey(image)
    found = _glauber.segment(
        flat,
        *shape,
        str(preset),
        None if steps is None else whole(steps, "steps", 1, 2**63 - 1),
        None if rate is None else real(rate, "rate"),
        None if threshold is None else real(threshold, "threshold"),
        None if objects is None else str(objects),
        None if flatten is None else whole(flatten, "flatten", 0, 4),
        None if truth is None else _inside(truth, shape),
        whole(threads, "threads", 0, 1024),
    )
    own, otsu = found["scores"] or (None, None), found["otsu_scores"] or (None, None)
    return Segmentation(
        found["mask"].reshape(shape),
        found["field"].reshape(shape),
        found["steps"],
        found["bright_objects"],
        found["otsu_threshold"],
        found["otsu_mask"].reshape(shape),
        *own,
        *otsu,
    )


def _grey(image: Any) -> tuple[np.ndarray, tuple[int, int]]:
    """An image's grey values in [0, 1], flat, and its shape."""
    if isinstance(image, (str, os.PathLike)):
        raise TypeError(
            f"the image is the path {image!r}: read it first, as with matplotlib.image.imread(path)"
        )
    image = _unpacked(image)
    given = numbers("the image", image, axes=[("y", "x"), ("y", "x", "colour")])
    dtype = np.asarray(image).dtype
    # The byte order of a file is not what its numbers are.
    scale = {"u1": 255.0, "u2": 65535.0}.get(dtype.str[1:], 1.0)
    grey = given.astype(float) / scale
    if grey.ndim == 3 and grey.shape[2] in (3, 4):
        grey = np.clip(grey[..., :3] @ np.array([0.299, 0.587, 0.114]), 0.0, 1.0 if scale > 1 else None)
    if grey.ndim != 2:
        raise InputError(
            f"the image has shape {given.shape}: give [y, x], or [y, x, colour] of three colours"
        )
    if dtype.kind in "iu" and scale == 1.0 and grey.size and grey.max() > 1.0:
        raise InputError(
            f"the image holds whole numbers up to {grey.max():g} as {dtype}: give it as uint8 or uint16, or divided by "
            "its greatest possible value"
        )
    return np.ascontiguousarray(grey).reshape(-1), (grey.shape[0], grey.shape[1])


def _unpacked(image: Any) -> Any:
    """An image of Pillow as grey values or colours, where its numbers are neither (a palette's, say)."""
    if (
        kind_of(image) == "PIL.Image"
        and image.mode not in ("1", "L", "I", "F", "RGB", "RGBA")
        and image.mode[:2] != "I;"
    ):
        return image.convert("L" if image.mode in ("LA", "La") else "RGB")
    return image


def _inside(truth: Any, shape: tuple[int, int]) -> np.ndarray:
    """The true foreground, flat."""
    mask = numbers("the truth", _unpacked(truth), axes=[("y", "x")]) > 0
    if mask.shape != shape:
        raise InputError(f"the truth has shape {mask.shape}, but the image {shape}: give both alike")
    return np.ascontiguousarray(mask).reshape(-1)

"""Segments images into foreground and background by the two-class Potts energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glauber import _glauber
from glauber._arrays import numbers
from glauber._glauber import InputError
from glauber._model import Layer
from glauber._simulation import picture_html, pyplot


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
        return picture_html(self.mask, Layer("binary", 0, 1), repr(self))


def segment(
    image: Any,
    preset: str = "auto",
    *,
    truth: Any = None,
    steps: int | None = None,
    rate: float | None = None,
    threads: int = 0,
) -> Segmentation:
    """Segments an image.

    Parameters
    ----------
    image : array [y, x] or [y, x, colour]
        Grey values: whole numbers of 8 or 16 bits, or numbers in [0, 1]. Colours (red, green, blue) become their luma.
    preset : str
        "auto" for an image nobody has seen; "seadragon" and "cells" are the paper's settings.
    truth : array [y, x], optional
        The true foreground, only to score the result.
    steps, rate : int, float, optional
        In place of the preset's.

    Examples
    --------
    >>> import glauber, numpy as np
    >>> y, x = np.mgrid[:32, :32]
    >>> disc = (y - 16) ** 2 + (x - 12) ** 2 < 60
    >>> bool((glauber.segment(np.where(disc, 0.8, 0.1)).mask == disc).mean() > 0.95)
    True
    """
    given = np.asarray(image)
    scale = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}.get(given.dtype, 1.0)
    grey = numbers("the image", given).astype(float) / scale
    if grey.ndim == 3 and grey.shape[2] in (3, 4):
        grey = grey[..., :3] @ np.array([0.299, 0.587, 0.114])
    if grey.ndim != 2:
        raise InputError(
            f"the image has shape {given.shape}: give [y, x], or [y, x, colour] of three colours"
        )
    if truth is not None:
        truth = numbers("the truth", truth) > 0
        if truth.shape != grey.shape:
            raise InputError(
                f"the truth has shape {truth.shape}, but the image {grey.shape}: give both alike"
            )
        truth = np.ascontiguousarray(truth).reshape(-1)
    flat = np.ascontiguousarray(np.clip(grey, 0.0, 1.0) if scale > 1 else grey).reshape(-1)
    found = _glauber.segment(flat, grey.shape[0], grey.shape[1], preset, steps, rate, truth, threads)
    own, otsu = found["scores"] or (None, None), found["otsu_scores"] or (None, None)
    return Segmentation(
        found["mask"].reshape(grey.shape),
        found["field"].reshape(grey.shape),
        found["steps"],
        found["bright_objects"],
        found["otsu_threshold"],
        found["otsu_mask"].reshape(grey.shape),
        *own,
        *otsu,
    )

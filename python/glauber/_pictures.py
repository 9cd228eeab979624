"""Draws states in their colours, with a key: with Matplotlib, and as pictures for notebooks."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from glauber._arrays import check_names, told
from glauber._errors import InputError

if TYPE_CHECKING:
    from glauber._model import Layer

BINARY = ("#f6f4ee", "#20242a")
"""0 and 1 where nobody says other colours."""
MOST_SWATCHES = 24
"""With more states the key is a bar."""


def colours_of(layer: Layer) -> tuple[str, ...]:
    """What a layer's states are drawn in, by number; nothing where its values are numbers."""
    own = tuple(colour for colour in layer.colours if colour is not None)
    return own or (BINARY if layer.kind == "binary" else ())


def labels_of(layer: Layer) -> tuple[str, ...]:
    """What a key calls a layer's states."""
    return layer.states or tuple(str(k) for k in range(len(colours_of(layer))))


def named_colours(name: str, layer: Layer, given: Any) -> list[str | None]:
    """A layer's colours by number, from a list of them or from {state: colour}."""
    states = layer.states or (("0", "1") if layer.kind == "binary" else ())
    if not states:
        raise InputError(
            f"colours are those of states, but layer `{name}` holds {layer}: numbers are drawn along a scale"
        )
    if isinstance(given, Mapping):
        own = {str(state): colour for state, colour in given.items()}
        check_names(own, states, f"state of layer `{name}`")
        found = [own.get(state) for state in states]
    elif isinstance(given, Sequence) and not isinstance(given, str):
        found = list(given)
        if len(found) > len(states):
            raise InputError(f"layer `{name}` has {len(states)} states, but {len(found)} colours were given")
    else:
        raise TypeError(
            f'the colours of layer `{name}` are {told(given)}: give {{"{states[-1]}": "#d7301f"}}, or a colour for each state'
        )
    for colour in found:
        if colour is not None and not isinstance(colour, str):
            raise TypeError(f'a colour of layer `{name}` is {told(colour)}: give text, as "#d7301f" or "red"')
    return found


def draw(ax: Any, plane: np.ndarray, name: str, layer: Layer, **how: Any) -> Any:
    """A plane of states in their colours with a key, or of numbers with a scale, on Matplotlib's axes."""
    colours, labels = colours_of(layer), labels_of(layer)
    if not colours:
        image = ax.imshow(plane, interpolation="nearest", **how)
        ax.figure.colorbar(image, ax=ax, label=name)
        return image
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    count = len(colours)
    image = ax.imshow(
        plane, cmap=ListedColormap(list(colours)), vmin=-0.5, vmax=count - 0.5, interpolation="nearest", **how
    )
    if count > MOST_SWATCHES:
        bar = ax.figure.colorbar(image, ax=ax, label=name, ticks=np.linspace(0, count - 1, 9).round())
        bar.ax.set_yticklabels([labels[int(k)] for k in bar.get_ticks()])
        return image
    swatches = [Patch(facecolor=c, edgecolor="0.4", label=s) for c, s in zip(colours, labels)]
    ax.legend(
        handles=swatches, title=name, loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0.0, frameon=False
    )
    return image


def key_html(values: np.ndarray, layer: Layer) -> str:
    """The key to a picture's colours, for a notebook."""
    colours = colours_of(layer)
    if not colours:
        finite = values[np.isfinite(values)] if values.size else values
        return f"dark {finite.min():g} … bright {finite.max():g}" if finite.size else ""
    swatch = (
        '<span style="white-space:nowrap;margin-right:.8em"><span style="display:inline-block;width:.8em;height:.8em;'
        'border:1px solid #888;background:{}"></span> {}</span>'
    )
    shown = list(zip(colours, labels_of(layer)))[:MOST_SWATCHES]
    more = " …" if len(colours) > MOST_SWATCHES else ""
    return "".join(swatch.format(html.escape(c), html.escape(s)) for c, s in shown) + more

"""Shows how far a fit is: a line in a terminal, a line in a notebook, nothing elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

Callback = Callable[[str, int, int, float, Sequence[str], Sequence[float]], Any]


def _text(
    attempt: str, step: int, steps: int, loss: float, columns: Sequence[str], parameters: Sequence[float]
) -> str:
    share = step / steps if steps else 1.0
    bar = "█" * int(24 * share) + "░" * (24 - int(24 * share))
    values = "  ".join(f"{n} {v:.4g}" for n, v in list(zip(columns, parameters))[:6])
    return f"{attempt} {bar} {step}/{steps}  loss {loss:.4g}  {values}"


class Progress:
    """Shows a fit's progress where it can be seen; at most five times a second."""

    def __init__(self) -> None:
        self._last, self._shown = 0.0, False
        self._handle: Any = None
        self._waiting: str | None = None
        self._notebook = _in_notebook()
        self._terminal = not self._notebook and hasattr(sys.stderr, "isatty") and sys.stderr.isatty()

    def __call__(
        self,
        attempt: str,
        step: int,
        steps: int,
        loss: float,
        columns: Sequence[str],
        parameters: Sequence[float],
    ) -> None:
        """Shows a step."""
        text = _text(attempt, step, steps, loss, columns, parameters)
        if time.monotonic() - self._last < 0.2:
            self._waiting = text
            return
        self._show(text)

    def _show(self, text: str) -> None:
        self._last, self._waiting = time.monotonic(), None
        if self._terminal:
            sys.stderr.write(f"\r\x1b[2K{text[:200]}")
            sys.stderr.flush()
            self._shown = True
        elif self._notebook:
            from IPython.display import display

            if self._handle is None:
                self._handle = display({"text/plain": text}, raw=True, display_id=True)
            else:
                self._handle.update({"text/plain": text}, raw=True)

    def close(self) -> None:
        """Shows the last step that was seen in a notebook, where the line stays; clears it in a terminal."""
        if self._notebook and self._waiting is not None:
            self._show(self._waiting)
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


@contextmanager
def shown(wanted: bool | Callback | None) -> Iterator[Callback | None]:
    """What is called with every glance at a fit: the user's own, the usual (which clears its line), or nothing."""
    if not (wanted is None or isinstance(wanted, bool) or callable(wanted)):
        raise TypeError(f"progress is {wanted!r}: give False for silence, or a function")
    if wanted is False:
        yield None
    elif callable(wanted):
        yield wanted
    else:
        usual = Progress()
        try:
            yield usual
        finally:
            usual.close()

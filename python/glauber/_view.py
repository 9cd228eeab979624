"""Shows a model as it runs inside a notebook: the page of `glauber view`, served by the kernel's own process."""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from glauber import _glauber
from glauber._arrays import check_names, named_numbers, path_text, real, told, whole
from glauber._errors import InputError
from glauber._fit_result import FitResult
from glauber._kinds import Whole
from glauber._model import Model, _option
from glauber._simulation import Simulation

_SCRIPT = """
function render({ model, el }) {
  const address = model.get("address");
  const said = document.createElement("p");
  const frame = document.createElement("iframe");
  frame.title = model.get("title");
  frame.allow = "clipboard-write";
  frame.style.cssText = "width: 100%; box-sizing: border-box; border: 1px solid #8886; border-radius: 8px;";
  const size = () => { frame.style.height = `${model.get("height")}px`; };
  size();
  said.style.cssText = "margin: 4px 0; font-size: 13px; white-space: pre-wrap;";
  said.setAttribute("role", "status");
  const link = document.createElement("a");
  Object.assign(link, { href: address, target: "_blank", rel: "noreferrer", textContent: "Open the page in a tab of its own" });
  // The page tells its frame's owner that it is there: nothing else tells whether this browser reaches the kernel's machine.
  let there = false;
  const hear = (event) => {
    if (event.source !== frame.contentWindow || event.data !== "glauber view is there") return;
    there = true;
    said.replaceChildren(link);
  };
  const late = setTimeout(() => {
    if (there || !model.get("is_open")) return;
    const port = new URL(address).port;
    said.textContent = `This browser does not reach ${address.split("/").slice(0, 3).join("/")}, where the kernel serves the page: `
      + `only programs of the kernel's own machine do. If the kernel runs elsewhere, forward its port to yours: ssh -L ${port}:127.0.0.1:${port} HOST\\n`;
    said.append(link);
  }, 8000);
  const change = () => {
    if (model.get("is_open")) return;
    frame.remove();
    said.textContent = "The page was closed; call glauber.view(...) again.";
  };
  addEventListener("message", hear);
  model.on("change:height", size);
  model.on("change:is_open", change);
  if (model.get("is_open")) frame.src = address;
  el.replaceChildren(frame, said);
  change();
  return () => {
    clearTimeout(late);
    removeEventListener("message", hear);
    model.off("change:height", size);
    model.off("change:is_open", change);
    frame.remove();
  };
}
export default { render };
"""


@functools.cache
def _widget() -> Any:
    """The class of the widget, made when it is first wanted: anywidget is no dependency."""
    try:
        import anywidget
        import traitlets
    except ImportError:
        raise ImportError(
            "glauber.view shows the page inside a notebook and needs anywidget: pip install anywidget (outside notebooks, "
            "`glauber view MODEL` on the command line opens the same page in a browser)"
        ) from None

    class View(anywidget.AnyWidget):  # type: ignore[misc]
        """The page of a model inside a notebook; `close()` ends it, and so does the end of the kernel."""

        _esm = _SCRIPT
        address = traitlets.Unicode().tag(sync=True)
        title = traitlets.Unicode().tag(sync=True)
        height = traitlets.Int(900).tag(sync=True)
        is_open = traitlets.Bool(True).tag(sync=True)

        def __init__(self, page: _glauber.Page, title: str, height: int) -> None:
            self._page = page
            super().__init__(address=page.address, title=title, height=height)

        def close(self) -> None:
            """Ends the page and its engines."""
            self._page.close()
            if self.is_open:
                self.is_open = False
            super().close()

        def __repr__(self) -> str:
            return f"<glauber.view: {self.title} at {self.address}{'' if self.is_open else ', closed'}>"

    return View


@contextlib.contextmanager
def _as_file(data: Any) -> Iterator[str | None]:
    """The path of observed states; of those in memory a file that is there as long as they are read."""
    if data is None:
        yield None
    elif isinstance(data, (str, os.PathLike)):
        yield path_text(data)
    elif isinstance(data, (Simulation, Mapping)):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "states.npz")
            if isinstance(data, Mapping) and any(np.ma.is_masked(states) for states in data.values()):
                raise InputError("the data are masked: what was not seen cannot be shown yet; leave those times out")
            if isinstance(data, Simulation):
                data.save(path)
            else:
                np.savez(path, **{str(layer): np.asarray(states) for layer, states in data.items()})
            yield path
    else:
        raise TypeError(f"the data are {told(data)}: give a Simulation, arrays by layer, or a path")


def view(
    model: Model | str | os.PathLike[str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    *,
    fit: str | os.PathLike[str] | None = None,
    data: Any = None,
    seed: Whole = 1,
    threads: Whole = 0,
    port: Whole = 0,
    height: Whole = 900,
    **options: Any,
) -> Any:
    """Shows a model as it runs, with sliders for its parameters, inside a notebook.

    It is the page of `glauber view`, served by the kernel's process to the browser of the same machine alone, in a frame. The
    widget that is returned shows it where it is a cell's last value; its `close()` ends it, as the end of the kernel does.
    Needs anywidget.

    Parameters
    ----------
    model : Model, name or path
        A model, a name of `models()`, "cellular-potts", or the path of a model file, which is looked at while it is shown:
        save it, and the page runs on with the new rule. May be left out where a fit says it.
    parameters : dict, optional
        Values to begin with.
    fit : path, optional
        A fit file or the folder of its run (`FitResult.save` writes one): the course it took can be gone through, draws
        from its posterior stand behind the curves.
    data : Simulation, dict of arrays, or path, optional
        Observed states, shown beside the model's: a `Simulation`, arrays by layer ([run, time, lattice], [time, lattice] or
        [lattice]), or what `data.states` of a fit file may be. The model then begins with the first of them.
    seed : int
        The seed to begin with.
    threads : int
        Threads of each page's engine; 0 for all cores.
    port : int
        The port to serve at; 0 for any that is free. A fixed one can be forwarded from another machine.
    height : int
        Of the frame, in pixels.
    **options
        Options of a model that is given by name or path, as in `load`.

    Raises
    ------
    ImportError
        Where anywidget is not installed.
    InputError
        For what cannot be shown.
    """
    widget = _widget()
    native, name, given = None, None, []
    if isinstance(model, Model):
        if options:
            raise InputError(
                f"the model is made already and takes no options ({', '.join(options)}): give them to glauber.load"
            )
        if model._recipe is not None:
            name, given = model._recipe[0], list(model._recipe[1].items())
        else:
            native = model._native
    elif isinstance(model, (str, os.PathLike)):
        name = path_text(model)
        given = [(key.replace("_", "-"), _option(key, value)) for key, value in options.items()]
    elif isinstance(model, FitResult):
        raise InputError(
            "this is a fit's result: save it (result.save(folder)) and give the folder, glauber.view(fit=folder)"
        )
    elif model is not None:
        raise TypeError(f'the model is {told(model)}: give a glauber.Model, a name or a path, as "voter"')
    if isinstance(fit, FitResult):
        raise InputError("a fit's result is shown from its folder: result.save(folder), then glauber.view(fit=folder)")
    if isinstance(data, Mapping) and isinstance(model, Model):
        check_names(data, model.layers, "layer")
    with _as_file(data) as file:
        try:
            page = _glauber.serve(
                native,
                name,
                given,
                [(n, real(x, f"parameter `{n}`")) for n, x in named_numbers(parameters, "parameters").items()],
                None if fit is None else path_text(fit),
                file,
                model._rule if isinstance(model, Model) else "",
                whole(seed, "seed", 0, 2**64 - 1),
                whole(port, "port", 0, 65535),
                whole(threads, "threads", 0, 1024),
            )
        except InputError as error:
            # Who gave arrays knows of no file.
            if file is None or isinstance(data, (str, os.PathLike)) or file not in str(error):
                raise
            words = str(error).replace(file, "data").replace(", or set the lattice's shape under [model-options]", "")
            raise InputError(words) from None
    title = model.name if isinstance(model, Model) else name or "a fit"
    return widget(page, f"{title}, live", whole(height, "height", 100, 10_000))

"""Draws the error of every method against the seconds it has run."""

import re

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

# Colours that the colour-blind tell apart (Okabe & Ito 2008), and dashes besides.
STYLES = {
    "straight-through": ("#0072B2", "-"),
    "reinmax": ("#009E73", "-"),
    "gumbel-softmax": ("#E69F00", "-"),
    "gumbel-rao": ("#D55E00", (0, (4, 1.5))),
    "score-function": ("#56B4E9", (0, (4, 1.5))),
    "mean-field": ("#CC79A7", (0, (4, 1.5))),
    "likelihood": ("#000000", (0, (1, 1.2))),
    "CMA-ES": ("#555555", "-"),
    "ABC-SMC": ("#555555", (0, (6, 2, 1, 2))),
}
LEAST, MOST = 3e-4, 10.0
LOSSES = (", pixel loss", ", count loss")


def panels(courses):
    """What each panel holds: {title: {method: courses}}; the fits by one loss are one panel, likelihood and searches in each."""
    found = {}
    for problem in dict.fromkeys(c.problem for c in courses):
        own = [c for c in courses if c.problem == problem]
        losses = [loss for loss in LOSSES if any(c.method.endswith(loss) for c in own)]
        for loss in losses or [""]:
            panel = found.setdefault(problem + loss, {})
            for c in own:
                if c.method.endswith(loss) or not c.method.endswith(LOSSES):
                    panel.setdefault(c.method.removesuffix(loss) if loss else c.method, []).append(c)
    return found


def draw_method(axes, name, courses):
    """The median over seeds, and the range behind it."""
    begin = max(min(c.seconds[0] for c in courses), 1e-3)
    # A fit that found no gradient stood still from the start.
    end = max(max(c.seconds[-1] for c in courses), 1.1 * begin)
    times = np.geomspace(begin, end, 120)
    errors = np.array([c.error_at(times) for c in courses])
    seen = ~np.isnan(errors).any(axis=0)
    errors, times = np.maximum(errors[:, seen], LEAST), times[seen]
    if not len(times):
        return
    colour, dashes = STYLES[name]
    axes.fill_between(times, errors.min(axis=0), errors.max(axis=0), color=colour, alpha=0.12, lw=0)
    axes.plot(times, np.median(errors, axis=0), color=colour, ls=dashes, lw=1.8, label=name)


def slim(svg):
    """The same picture with coordinates to a tenth of a point, and no point twice."""
    points = re.compile(r"([ML]) (-?[\d.]+) (-?[\d.]+)")
    rounded = points.sub(lambda m: f"{m[1]} {float(m[2]):.1f} {float(m[3]):.1f}", svg)
    return re.sub(r"(\nL [-\d. ]+)\1+", r"\1", rounded)


def draw(path, courses):
    """Writes the plot."""
    plt.rcParams.update({"svg.hashsalt": "accuracy", "font.size": 10, "axes.facecolor": "white", "figure.facecolor": "white"})
    found = panels(courses)
    columns = 2
    rows = -(-(len(found) + 1) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(10, 3.6 * rows), sharey=True, layout="constrained")
    cells = grid.reshape(-1)
    handles = {}
    longest = max(c.seconds[-1] for c in courses)
    for axes, (title, methods) in zip(cells, found.items()):
        for name in STYLES:
            if name in methods:
                draw_method(axes, name, methods[name])
        for tolerance, text in ((0.05, "5 %"), (0.01, "1 %")):
            axes.axhline(tolerance, color="#999999", lw=0.8, ls=":")
            axes.text(1.15e-3, tolerance * 1.08, text, color="#666666", fontsize=9)
        axes.set(xscale="log", yscale="log", xlim=(1e-3, longest), ylim=(LEAST, MOST), title=title)
        axes.tick_params(labelleft=True)
        axes.set_ylabel("relative error")
        axes.set_xlabel("seconds")
        handles.update(zip(*reversed(axes.get_legend_handles_labels())))
    for axes in cells[len(found) :]:
        axes.axis("off")
    order = [name for name in STYLES if name in handles]
    text = "median of the seeds; shaded: least to greatest\nCMA-ES minimises the count loss in all four SI panels"
    legend = cells[-1].legend([handles[n] for n in order], order, loc="center", frameon=False, fontsize=11, handlelength=3.5, title=text)
    legend.get_title().set_fontsize(10)
    beside = path.with_suffix(".tmp")
    figure.savefig(beside, format="svg", metadata={"Date": None})
    beside.write_text(slim(beside.read_text(encoding="utf-8")), encoding="utf-8")
    beside.replace(path)
    plt.close(figure)

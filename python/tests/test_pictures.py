"""Checks what is drawn: states by name and colour, outputs, the curves of trajectory fits; in Matplotlib and in notebooks."""

from __future__ import annotations

import base64
import io
import re

import glauber
import life
import numpy as np
import pytest

FIRE = ("#9ccb86", "#e0401a", "#37322e")


@pytest.fixture
def plots():
    matplotlib = pytest.importorskip("matplotlib", reason="Matplotlib is not installed, so nothing was drawn")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def own(colours=None):
    """A model whose states' names need care in HTML."""
    return glauber.Model(
        "own",
        (6, 7),
        {"state": ["a<b", "c&d", "<script>"]},
        lambda s: s.categorical([0.2, 0.3, 0.5]),
        start=lambda s: s.categorical([0.2, 0.3, 0.5]),
        colours=colours,
    )


def burnt(steps=30):
    return glauber.simulate(glauber.load("forest-fire"), {"spread": 0.3}, steps=steps, seed=1)


def colours_in(html):
    """The colours of the pixels of the first picture of a notebook's text."""
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed, so pixels were not read")
    png = base64.b64decode(re.search(r"base64,([^\"]+)", html).group(1))
    pixels = np.asarray(image.open(io.BytesIO(png)).convert("RGB")).reshape(-1, 3)
    return {"#{:02x}{:02x}{:02x}".format(*own) for own in np.unique(pixels, axis=0)}


class TestStates:
    def test_a_model_says_what_its_states_are_drawn_in(self):
        layer = glauber.load("forest-fire").layers["state"]
        assert layer.states == ("tree", "burning", "burnt") and layer.colours == FIRE
        # Green is green, fire is red, charcoal is dark.
        red, green, blue = (np.array([int(c[i : i + 2], 16) for c in FIRE]) for i in (1, 3, 5))
        assert green[0] > red[0] > blue[0] and red[1] > 2 * green[1] and max(red[2], green[2], blue[2]) < 80

    def test_plots_have_a_key_with_names_and_no_scale(self, plots):
        from matplotlib.colors import to_hex

        ax = burnt().plot()
        key = ax.get_legend()
        assert [t.get_text() for t in key.get_texts()] == ["tree", "burning", "burnt"]
        assert [to_hex(p.get_facecolor()) for p in key.get_patches()] == list(FIRE)
        image = ax.get_images()[0]
        assert [to_hex(image.cmap(image.norm(k))) for k in range(3)] == list(FIRE)
        assert len(ax.figure.axes) == 1

    def test_binary_layers_have_a_key_and_numbers_a_scale(self, plots):
        alive = glauber.simulate(life.model(), {"flip": 0.1}, steps=2).plot()
        assert [t.get_text() for t in alive.get_legend().get_texts()] == ["0", "1"]
        counts = glauber.simulate(glauber.load("birth-death-migration", shape=(8, 8)), steps=2).plot()
        assert counts.get_legend() is None and len(counts.figure.axes) == 2

    def test_notebooks_show_the_colours_with_their_names(self):
        html = burnt()._repr_html_()
        assert colours_in(html) == set(FIRE)
        for name, colour in zip(("tree", "burning", "burnt"), FIRE):
            assert re.search(f"background:{colour}[^<]*</span> {name}<", html), name

    def test_names_are_escaped(self):
        html = glauber.simulate(own(), steps=1)._repr_html_()
        assert "<script>" not in html and "&lt;script&gt;" in html and "c&amp;d" in html

    def test_colours_are_by_name_or_by_number(self):
        named = own({"state": {"<script>": "red", "a<b": "#fff"}}).layers["state"].colours
        assert named[0] == "#ffffff" and named[2] == "#ff0000" and named[1].startswith("#")
        assert own({"state": ["black", "white", "#123456"]}).layers["state"].colours[2] == "#123456"
        # Who says nothing gets colours that differ.
        assert len(set(own().layers["state"].colours)) == 3

    def test_colours_go_with_a_model(self):
        import pickle

        model = pickle.loads(pickle.dumps(own({"state": ["black", "white", "#123456"]})))
        assert model.layers["state"].colours == ("#000000", "#ffffff", "#123456")

    @pytest.mark.parametrize(
        ("colours", "words"),
        [
            ({"stat": ["red"]}, "stat"),
            ({"state": {"a": "red"}}, "state of layer"),
            ({"state": ["red"] * 4}, "3 states"),
            ({"state": "red"}, "each state"),
            ({"state": [1]}, "text"),
            ({"state": ["redd"]}, "redd"),
        ],
    )
    def test_wrong_colours_are_refused(self, colours, words):
        with pytest.raises((glauber.InputError, TypeError), match=words):
            own(colours)
        with pytest.raises(glauber.InputError, match="scale"):
            glauber.Model("n", (3, 3), {"n": 5}, lambda s: s["n"], colours={"n": ["red"]})


class TestOutputs:
    def run(self, at, replicates=20):
        rollout = glauber.rollout(
            glauber.load("susceptible-infected", shape=(8, 8)),
            6,
            ["mean(aware)", "count(aware)"],
            at=at,
            replicates=replicates,
        )
        return rollout({"beta": 0.3}, seed=2)

    def test_over_time_the_mean_is_drawn(self, plots):
        outputs = self.run([2, 4, 6])
        axes = outputs.plot()
        assert [ax.get_title() for ax in axes[:2]] == ["mean(aware)", "count(aware)"]
        x, y = axes[0].lines[0].get_data()
        assert x.tolist() == [2, 4, 6] and y == pytest.approx(outputs["mean(aware)"])

    def test_after_one_step_the_replicates_are_drawn(self, plots):
        outputs = self.run(6)
        ax = outputs.plot()[0]
        assert sum(p.get_height() for p in ax.patches) == 20
        assert self.run(6, replicates=1).plot() is not None

    def test_notebooks_have_a_table(self):
        html = self.run([2, 4, 6])._repr_html_()
        assert html.count("<tr>") == 4 and "mean(aware)" in html and "±" in html and "20 replicates" in html
        assert "one replicate" in self.run(6, replicates=1)._repr_html_()

    def test_long_tables_are_cut_and_names_escaped(self):
        model = glauber.load("susceptible-infected", shape=(8, 8))
        named = glauber.rollout(model, 40, lambda s: {"<b>": s["aware"].mean()}, at=range(41), replicates=2)
        html = named(seed=1)._repr_html_()
        assert html.count("<tr>") < 20 and "…" in html and "&lt;b&gt;" in html and "<b>" not in html


class TestTrajectoryFits:
    @pytest.fixture(scope="class")
    def found(self):
        model = glauber.load("susceptible-infected", shape=(16, 16))
        seen = glauber.simulate(model, {"beta": 0.1}, steps=8, replicates=30, seed=5)
        task = glauber.Trajectory(seen, summary="mean(aware)", at=list(range(1, 9)))
        return seen, glauber.fit(model, task, {"beta": 0.3}, steps=30, learning_rate=0.02, progress=False)

    def test_curves_are_data_start_and_fit(self, found):
        seen, result = found
        curves = result.curves
        name = next(iter(curves.data))
        means = seen["aware"].reshape(30, 9, -1).mean(axis=(0, 2))[1:]
        assert curves.data[name] == pytest.approx(means) and curves.times.tolist() == list(range(1, 9))
        assert curves.start[name][-1] > curves.fit[name][-1]
        assert abs(curves.fit[name] - means).sum() < abs(curves.start[name] - means).sum()

    def test_plots_show_them_before_the_trace(self, found, plots):
        axes = found[1].plot()
        key = [t.get_text() for t in axes[0].get_legend().get_texts()]
        assert sorted(key) == ["data", "fit", "start"]
        assert [ax.get_title() for ax in axes[1:3]] == ["loss", "beta"]
        assert [ax.get_title() for ax in found[1].curves.plot()] == ["mean(aware)"]

    def test_notebooks_have_their_table(self, found):
        html = found[1]._repr_html_()
        assert "data" in html and "start" in html and "fit" in html and html.count("<tr>") >= 9

    def test_other_fits_have_none(self):
        model = glauber.load("susceptible-infected", shape=(16, 16))
        seen = glauber.simulate(model, {"beta": 0.1}, steps=8, replicates=3, seed=5)
        result = glauber.fit(model, glauber.Transition(seen), {"beta": 0.3}, steps=5, progress=False)
        assert result.curves is None

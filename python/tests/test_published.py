"""Repeats published fits on their real data: those of `shared/data` beside the checkout, or under GLAUBER_DATA; else skipped.

Each folder's README says where its numbers come from.
"""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

DATA = Path(os.environ.get("GLAUBER_DATA") or ROOT.parent / "shared" / "data") / "real"


def script(name, folder):
    """The example of this name, and the folder of its data."""
    if not (DATA / folder).is_dir():
        pytest.skip(f"no real data: set GLAUBER_DATA to a folder that holds real/{folder}")
    path = ROOT / "examples" / "published" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, DATA / folder


# eps, b_y, b_x by an independent maximisation, to the digits given.
TOMATO = {
    "all four plots": (0.2191, 0.0618, 0.0571),
    "1A": (0.3037, 0.0125, 0.0831),
    "1B": (0.2648, 0.1107, 0.1253),
    "2A": (0.2060, 0.0479, 0.0322),
    "2B": (0.1652, 0.0375, 0.0013),
    "1929": (0.2558, 0.0945, 0.0240),
}


def test_tomato_spotted_wilt_has_the_known_maxima():
    module, folder = script("tomato_spotted_wilt", "tomato-tswv")
    found = module.fits(folder)
    assert set(found) == set(TOMATO)
    for name, (eps, b_y, b_x) in TOMATO.items():
        own = found[name].estimates
        assert (own["eps"], own["b_y"], own["b_x"]) == pytest.approx((eps, b_y, b_x), abs=1.01e-4 / 2 + 1e-6), name
    # The pooled errors, .0100, .0126 and .0127, are a quarter of the 95 % intervals' width over 0.98.
    for name, error in {"eps": 0.0100, "b_y": 0.0126, "b_x": 0.0127}.items():
        low, high = found["all four plots"].intervals[name]
        assert (high - low) / (2 * 1.96) == pytest.approx(error, rel=0.03), name


def test_citrus_tristeza_stands_at_its_boundary_and_names_what_recovers():
    module, folder = script("citrus_tristeza", "citrus-ctv")
    found, forbidden = module.fit(folder, "IVIA3and4")
    assert not forbidden
    # Neighbours coded along y and x: the independent maximum to its digits.
    assert found.estimates["eps"] == pytest.approx(0.2305, abs=2e-4)
    assert found.estimates["b_y"] == pytest.approx(0.044, abs=6e-4)
    assert found.estimates["b_x"] == pytest.approx(0.012, abs=6e-4)
    found, forbidden = module.fit(folder, "IVIA6and7")
    assert [found.estimates[n] for n in ("eps", "b_y", "b_x")] == pytest.approx([0.1496, 0.109, 0.105], abs=6e-4)
    # El Realengo: thirteen recoveries, a tree not seen, hardly any spread between neighbours. With all four alike the independent
    # maximum is at the end of the interval; along y alone there is a trace of it.
    found, forbidden = module.fit(folder, "El-Realengo", alike=True)
    assert found.estimates["b"] == 0.0 and found.estimates["eps"] == pytest.approx(0.0923, abs=1e-4)
    low, high = found.intervals["b"]
    assert low is None and 0 < high < 0.1 and any("highest at the end 0" in note for note in found.notes), found
    found, forbidden = module.fit(folder, "El-Realengo")
    assert len(forbidden) == 13 and {map for map, _, _ in forbidden} == {3}
    maps, seen = module.orchard(folder, "El-Realengo")
    assert (~seen).sum() == 1
    assert found.estimates["b_x"] == 0.0 and found.estimates["b_y"] == pytest.approx(0.0086, abs=1e-4)
    assert found.estimates["eps"] == pytest.approx(0.0883, abs=1e-4)
    assert found.estimates["rho"] == pytest.approx(13 / 405, rel=1e-3)
    for name in ("b_y", "b_x"):
        low, high = found.intervals[name]
        assert low is None and 0 < high < 0.1, found
    # By the year: hazards of 1, 2, 1 and 5 years, the neighbours as they were.
    by_year, _ = module.fit(folder, "El-Realengo", by_year=True)
    assert by_year.estimates["eps"] == pytest.approx(0.04347, abs=1e-4)
    assert by_year.estimates["b_y"] == by_year.estimates["b_x"] == 0.0
    # Without the recoveries in the model the data are impossible, and the step is named.
    import glauber

    model = module.tristeza(maps.shape[1:])
    density = glauber.log_density(
        model, glauber.Transition(maps[None]), {"eps": 0.1, "b_y": 0.05, "b_x": 0.05}, fields={"seen": seen.astype(float)}
    )
    assert density(density.x0) == -np.inf
    assert "from step 3 to 4" in density.why_impossible(density.x0)


def test_phytophthora_has_its_exact_maximum():
    module, folder = script("phytophthora", "phytophthora-pepper")
    # At the independent maximum, its height to its digits and no slope beyond theirs (the information is some 20 to 30); a
    # whole profile takes minutes in a build for tests.
    density, at = module.fit(folder, 0), np.array([-2.8169, 1.2534])
    assert density.log_likelihood(at) == pytest.approx(-143.8313, abs=1e-4)
    slopes = density.value_and_grad(at)[1] + at / 25  # without the prior normal(0, 5)
    assert np.abs(slopes).max() < 0.02


def test_phytophthora_field_2_has_its_maximum_near_criticality():
    module, folder = script("phytophthora", "phytophthora-pepper")
    # Found here by Newton's method; nobody else's number is known. The information is 1,100 (a), 3,300 (b) and nearly singular, so
    # a slope of 0.4 is 0.003 errors.
    density, at = module.fit(folder, 1), np.array([-3.42960, 1.72470])
    assert density.log_likelihood(at) == pytest.approx(-119.8518, abs=5e-4)
    slopes = density.value_and_grad(at)[1] + at / 25  # without the prior normal(0, 5)
    assert np.abs(slopes).max() < 0.4


def test_mdck_tracks_have_a_posterior():
    module, folder = script("mdck_tracks", "mdck-tracks")
    density = module.density(folder)
    assert density.route == "kalman-filter" and density.observations > 100_000
    found = density.posterior(draws=300, warm_up=400, seed=1)
    assert found.summary["speed"]["rhat"] < 1.02, found
    # Of the fit of Fürth's law to the mean squared displacement: speed 2.95 ± .35, persistence 2.3 ± .1, noise .45 ± .12. The
    # likelihood weighs short lags, where the tracks are far from that law at long ones: the same size is asked.
    assert 2 < found.summary["speed"]["mean"] < 4 and 1 < found.summary["persistence"]["mean"] < 6, found
    assert 0 <= found.summary["noise"]["mean"] < 1, found


def test_citrus_trees_that_recover_are_borne_by_mistakes():
    module, folder = script("citrus_tristeza", "citrus-ctv")
    found = module.hidden(folder, "El-Realengo")
    # No spread between neighbours here either: the filter is exact there, and the interval has one side.
    assert found.estimates["b"] == pytest.approx(0, abs=1e-6)
    low, high = found.intervals["b"]
    assert low is None and high == pytest.approx(0.0042, abs=6e-4), found
    # A hazard of a year near that of the model with recoveries, 0.0435; one tree in a hundred is mistaken.
    assert found.estimates["eps"] == pytest.approx(0.0393, abs=2e-4)
    assert found.estimates["mistaken"] == pytest.approx(0.0092, abs=2e-4)
    assert found.estimates["first"] == pytest.approx(0.175, abs=1e-3)
    low, high = found.intervals["mistaken"]
    assert 0.004 < low < 0.0092 < high < 0.018, found


def test_errors_of_t_cells_are_those_of_their_tracks():
    tracks = DATA.parent / "tracks" / "t_cells.csv"
    if not tracks.is_file():
        pytest.skip("no real data: set GLAUBER_DATA to a folder that holds tracks/t_cells.csv")
    import glauber

    task = glauber.Trajectory(tracks=str(tracks), step_time=24.0, site_length=np.sqrt(10), lags=10, summary="msd")
    walk = glauber.load("persistent-random-walk")
    start = {"p_center": 0.2716, "p_resample": 0.6163}  # the least-squares optimum by the closed form
    found = glauber.fit(walk, task, start, errors="sandwich", learning_rate=1e-3, steps=100, average=0.5, progress=False)
    # By the closed form's slopes and the tracks' covariance; slopes are simulated here, by a difference of a tenth.
    assert found.standard_errors["p_center"] == pytest.approx(0.0793, rel=0.1), found
    assert found.standard_errors["p_resample"] == pytest.approx(0.0777, rel=0.1), found
    assert "errors by the sandwich" in found.verdict and "tracks" in found.verdict, found


def test_pedestrians_walk_as_was_seen_and_the_ring_as_is_known():
    module, folder = script("pedestrian_ring", "pedestrian-ring")
    import glauber

    # By the middle of the run, the README has 1.110, 1.022, 0.657, 0.373, 0.317 m/s.
    speeds = module.speeds(folder)
    assert list(speeds) == [4, 8, 16, 20, 24]
    assert list(speeds.values()) == pytest.approx([1.110, 1.022, 0.657, 0.373, 0.317], abs=0.025)
    # One after another on a ring a walker's way is free with probability (L − N)/(L − 1), exactly.
    sites, n = 30, 20
    taken = np.zeros(sites)
    taken[np.arange(n) * sites // n] = 1
    model = module.ring(sites, "sequential")
    run = glauber.simulate(
        model, {"pace": 1.0}, steps=module.STEPS, every=module.STEPS, replicates=40, seed=1, start={"taken": taken, "hops": 0 * taken}
    )
    hops = run["hops"][:, -1].sum(axis=-1) / (n * (module.STEPS - module.WARM))
    # Five errors of the mean.
    assert abs(hops.mean() - (sites - n) / (sites - 1)) < 5 * hops.std(ddof=1) / np.sqrt(40)

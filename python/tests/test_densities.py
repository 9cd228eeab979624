"""Log densities, posteriors and profiles, alone and in the hands of other libraries."""

import json
import pickle
import subprocess
from concurrent.futures import ThreadPoolExecutor

import glauber
import numpy as np
import pytest

BETA = 0.3


@pytest.fixture(scope="module")
def spread():
    model = glauber.load("susceptible-infected", shape=(16, 16))
    seen = glauber.simulate(model, {"beta": BETA}, steps=8, replicates=4, seed=1)
    return model, glauber.Transition(seen)


@pytest.fixture(scope="module")
def density(spread):
    return glauber.log_density(*spread, {"beta": 0.5})


def by_grid(density):
    """Mean and sd of a posterior of one parameter, by a sum over a fine grid."""
    x = np.linspace(*density.bounds[0], 4003)[1:-1]
    values = np.array([density([one]) for one in x])
    weights = np.exp(values - values.max())
    weights /= weights.sum()
    mean = (weights * x).sum()
    return mean, np.sqrt((weights * (x - mean) ** 2).sum())


def test_it_is_minus_infinity_outside_and_never_raises(density):
    for outside in (-0.1, 1.5, np.nan, np.inf):
        assert density([outside]) == -np.inf
        value, gradient = density.value_and_grad([outside])
        assert value == -np.inf and np.isnan(gradient).all()
    # At 0 nothing spreads, but something did.
    assert density([0.0]) == -np.inf
    assert "probability 0" in density.why_impossible([0.0])
    with pytest.raises(glauber.InputError, match="2 numbers"):
        density([0.1, 0.2])


def test_slopes_are_those_of_its_values(density):
    for at in (0.2, 0.6):
        value, (slope,) = density.value_and_grad({"beta": at})
        assert value == pytest.approx(density([at]), rel=1e-12)
        h = 1e-6
        assert slope == pytest.approx((density([at + h]) - density([at - h])) / (2 * h), rel=1e-5)
    free = density.transform.forward([0.2])
    assert density.transform.inverse(free) == pytest.approx([0.2])
    assert density.free(free) == pytest.approx(density([0.2]) + density.transform.log_jacobian(free))
    h = 1e-6
    by_difference = (density.free(free + h) - density.free(free - h)) / (2 * h)
    assert density.free_value_and_grad(free)[1][0] == pytest.approx(by_difference, rel=1e-5)


def test_it_is_the_objective_with_a_prior(spread, density):
    f = glauber.objective(spread[0], glauber.Transition(spread[1].states, loss="likelihood"), {"beta": 0.5})
    one, other = f.value([0.2]) - f.value([0.4]), density.log_likelihood([0.4]) - density.log_likelihood([0.2])
    pairs = other / one
    assert pairs == pytest.approx(round(pairs), rel=1e-9) and round(pairs) <= 32
    own = glauber.log_density(*spread, {"beta": 0.5}, priors={"beta": "beta(2, 5)"})
    assert own.priors == {"beta": "beta(2, 5)"}
    assert own([0.3]) == pytest.approx(density.log_likelihood([0.3]) + np.log(30 * 0.3 * 0.7**4))


def test_draws_are_those_of_the_posterior(density):
    found = density.posterior(draws=1000, seed=2)
    assert found.trusted and found.divergences == 0, found
    mean, sd = by_grid(density)
    own = found.summary["beta"]
    # 3.9 standard errors: one false alarm in 10,000 seeds.
    assert abs(own["mean"] - mean) < 3.9 * sd / np.sqrt(own["effective_bulk"])
    assert abs(own["sd"] / sd - 1) < 2 * 3.9 / np.sqrt(2 * own["effective_tail"])
    assert found.draws["beta"].shape == found.log_density.shape == (4, 1000)
    for chain, draw in [(0, 0), (3, 999)]:
        assert found.log_density[chain, draw] == pytest.approx(density([found.draws["beta"][chain, draw]]), abs=1e-8)
    assert repr(found).splitlines()[0] == found.verdict and "agree" in found.verdict
    assert any(note.startswith("priors:") for note in found.notes)
    assert json.loads(json.dumps(found.to_json()))["parameters"]["beta"]["rhat"] < 1.01
    again = density.posterior(draws=1000, seed=2)
    assert (again.draws["beta"] == found.draws["beta"]).all()


def test_threads_change_nothing_and_pickles_and_threads_of_python_work(spread, density):
    one = glauber.posterior(*spread, {"beta": 0.5}, draws=50, warm_up=100, threads=1)
    two = glauber.posterior(*spread, {"beta": 0.5}, draws=50, warm_up=100, threads=2)
    assert (one.draws["beta"] == two.draws["beta"]).all()
    assert pickle.loads(pickle.dumps(density))([0.3]) == density([0.3])
    with ThreadPoolExecutor(4) as pool:
        values = list(pool.map(density, [[x] for x in np.linspace(0.1, 0.9, 40)]))
    assert values == [density([x]) for x in np.linspace(0.1, 0.9, 40)]


def test_a_random_walk_finds_the_same(density):
    found = density.posterior(draws=4000, sampler="random-walk", seed=3)
    mean, sd = by_grid(density)
    own = found.summary["beta"]
    assert found.to_json()["sampler"] == "random-walk"
    assert abs(own["mean"] - mean) < 3.9 * sd / np.sqrt(own["effective_bulk"]), found


def test_profiles_fall_by_the_cut(spread, density):
    found = glauber.profile(*spread, {"beta": 0.5})
    low, high = found.intervals["beta"]
    top = density.log_likelihood([found.estimates["beta"]])
    for end in (low, high):
        assert 2 * (top - density.log_likelihood([end])) == pytest.approx(3.841459, rel=1e-4)
    assert low < BETA < high and found.aic == pytest.approx(2 - 2 * top)
    values, heights = found.curve("beta")
    assert heights.max() == pytest.approx(top) and (np.diff(values) > 0).all()
    assert repr(found).splitlines()[0] == found.verdict
    narrower = glauber.profile(*spread, {"beta": 0.5}, level=0.5).intervals["beta"]
    assert low < narrower[0] < narrower[1] < high


def test_what_cannot_be_is_said(spread):
    model, task = spread
    for priors, words in [
        ({"beta": "normall(0, 1)"}, "did you mean `normal`"),
        ({"bta": "normal(0, 1)"}, "bta"),
        ({"beta": "uniform(2, 3)"}, "0 everywhere"),
        ({"beta": "uniform(0.6, 0.9)"}, "start"),
    ]:
        with pytest.raises(glauber.InputError, match=words):
            glauber.log_density(model, task, {"beta": 0.5}, priors=priors)
    with pytest.raises(TypeError, match="a text"):
        glauber.log_density(model, task, priors={"beta": (0, 1)})
    with pytest.raises(glauber.InputError, match="no likelihood|a loss"):
        glauber.log_density(model, _pattern(model))
    with pytest.raises(glauber.InputError, match="nuts"):
        glauber.log_density(model, task).posterior(sampler="gibbs")
    with pytest.raises(glauber.InputError, match="level"):
        glauber.profile(model, task, level=2.0)
    with pytest.raises(glauber.InputError, match="no parameter `gamma`"):
        glauber.profile(model, task, names="gamma")


def _pattern(model):
    layer = next(iter(model.layers))
    states = glauber.simulate(model, {"beta": BETA}, steps=4, replicates=2, seed=1)
    return glauber.Stability(states[layer][0, 0])


def test_improper_priors_are_refused():
    def decay(s):
        s.next("whole").bernoulli(s["whole"] * glauber.exp(-s["rate"]))

    model = glauber.Model(
        "decay", lattice=(20,), layers={"whole": "binary"}, parameters={"rate": "positive"},
        start=lambda s: s.bernoulli(1.0), step=decay,
    )
    seen = glauber.simulate(model, {"rate": 0.4}, steps=3, replicates=3, seed=1)
    task = glauber.Transition(seen)
    with pytest.raises(glauber.InputError, match="improper"):
        glauber.log_density(model, task, {"rate": 1.0})
    own = glauber.log_density(model, task, {"rate": 1.0}, priors={"rate": "gamma(1, 1)"})
    assert own.bounds == [(0.0, np.inf)]
    # A profile has no prior, and so needs none.
    low, high = glauber.profile(model, task, {"rate": 1.0}).intervals["rate"]
    assert low < 0.4 < high


def test_emcee_draws_the_same(density):
    emcee = pytest.importorskip("emcee")
    walkers, width, log_prob, begin = density.for_emcee()
    sampler = emcee.EnsembleSampler(walkers, width, log_prob)
    sampler.random_state = np.random.RandomState(5).get_state()
    sampler.run_mcmc(begin, 600)
    draws = sampler.get_chain(discard=100, flat=True)[:, 0]
    mean, sd = by_grid(density)
    effective = draws.size / sampler.get_autocorr_time(discard=100, quiet=True)[0]
    assert abs(draws.mean() - mean) < 3.9 * sd / np.sqrt(effective)


def test_nutpie_draws_the_same(density):
    nutpie = pytest.importorskip("nutpie")
    trace = nutpie.sample(density.for_nutpie(), draws=500, tune=300, chains=2, cores=1, seed=5, progress_bar=False)
    draws = np.asarray(trace.posterior["beta"])
    mean, sd = by_grid(density)
    assert abs(draws.mean() - mean) < 3.9 * sd / np.sqrt(draws.size / 5)


def test_pypesto_finds_the_maximum(spread, density):
    pypesto = pytest.importorskip("pypesto")
    import pypesto.optimize

    problem = density.for_pypesto()
    assert list(problem.x_names) == ["beta"]
    result = pypesto.optimize.minimize(problem, n_starts=2, progress_bar=False, filename=None)
    found = glauber.profile(*spread, {"beta": 0.5})
    assert result.optimize_result[0].x[0] == pytest.approx(found.estimates["beta"], abs=1e-4)


def test_arviz_takes_the_draws(density):
    pytest.importorskip("arviz")
    found = density.posterior(draws=100, warm_up=100)
    data = found.to_arviz()
    assert np.asarray(data["posterior"]["beta"]).shape == (4, 100)
    assert np.asarray(data["sample_stats"]["lp"]).shape == (4, 100)


def test_matplotlib_shows_both(spread, density):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    assert len(density.posterior(draws=50, warm_up=50).plot()) == 1
    assert len(glauber.profile(*spread, {"beta": 0.5}).plot()) == 1


def test_cells_have_one_too():
    truth = {"J01": 1.6, "J11": 1.4, "volume_strength": 0.1, "volume_target": 36}
    movie = glauber.cells.simulate(truth, shape=(48, 48), blocks=(6, 6), sides=(6, 6), torus=True, steps=5)
    known = {"fixed": {"volume_target": 36}, "torus": True, "acceptance": "heat-bath"}
    priors = {"J01": "normal(0, 5)", "J11": "normal(0, 5)", "volume_strength": "half-normal(1)"}
    density = glauber.cells.log_density(movie.labels, movie.types, priors=priors, **known)
    assert sorted(density.names) == sorted(priors)
    value, gradient = density.value_and_grad([truth[name] for name in density.names])
    assert np.isfinite(value) and np.isfinite(gradient).all()
    fitted = glauber.cells.fit(movie.labels, movie.types, replicates=0, **known)
    found = density.posterior(chains=2, draws=200, warm_up=200)
    for name in density.names:
        # With so much data the posterior is nearly the normal law of the fit.
        error = fitted.standard_errors[name]
        assert abs(found.summary[name]["mean"] - fitted.params[name]) < 0.5 * error, found
    with pytest.raises(glauber.InputError, match="improper"):
        glauber.cells.log_density(movie.labels, movie.types, **known)


def test_the_command_line_says_the_same(tmp_path):
    from command import binary

    program = binary()

    (tmp_path / "fit.toml").write_text(
        'model = "susceptible-infected"\ntask = "transition"\n[model-options]\nshape = [16, 16]\n'
        "[data.simulate]\nparameters = { beta = 0.3 }\nruns = 4\nsteps = 8\nseed = 1\n"
        '[start]\nbeta = 0.5\n[loss]\nname = "likelihood"\n[priors]\nbeta = "beta(2, 5)"\n[posterior]\ndraws = 200\nwarm-up = 200\n'
    )

    def run(*arguments):
        return subprocess.run([program, *arguments], cwd=tmp_path, capture_output=True, text=True)

    done = run("posterior", "fit.toml", "--json", "--out", "p")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["parameters"]["beta"]["prior"] == "beta(2, 5)" and told["draws"] == 200
    table = np.genfromtxt(tmp_path / "p" / "draws.csv", delimiter=",", names=True)
    assert table.size == 800 and abs(table["beta"].mean() - told["parameters"]["beta"]["mean"]) < 1e-9
    done = run("profile", "fit.toml", "--out", "q")
    assert done.returncode == 0 and "the data determine every parameter" in done.stdout.splitlines()[0], done
    wrong = run("posterior", "fit.toml", "--set", 'priors.beta="gama(1, 1)"', "--out", "r")
    assert wrong.returncode == 2 and "did you mean `gamma`" in wrong.stderr
    assert not (tmp_path / "r").exists()

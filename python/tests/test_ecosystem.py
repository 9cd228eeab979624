"""Checks rollouts within the real libraries: JAX, PyTorch, SciPy, pyABC, sbi."""

from __future__ import annotations

import subprocess
import sys

import glauber
import life
import numpy as np
import pytest


def spread(side=12):
    return glauber.load("susceptible-infected", shape=(side, side))


def run_of(replicates=40, **settings):
    return glauber.rollout(
        spread(), 4, ["mean(aware)", "count(aware)"], at=[2, 4], replicates=replicates, **settings
    )


def linear():
    """A model without chance, whose derivatives are known."""
    return glauber.Model(
        "linear",
        (2, 3),
        {"u": "real"},
        lambda s: s["a"] * s["u"] + s.field("source"),
        parameters={"a": "any", "unused": (-1, 1, 0.0)},
        fields={"source": "any"},
    )


def linear_run(**settings):
    return glauber.rollout(
        linear(), 2, lambda s: {"sum": s["u"].sum()}, replicates=2, precision="f64", **settings
    )


START = np.arange(6.0).reshape(2, 3)
SOURCE = np.full((2, 3), 0.5)
# u₂ = a²u₀ + (a + 1)s
A = 1.5
LAST = A**2 * START + (A + 1) * SOURCE


class TestJax:
    jax = pytest.importorskip("jax", reason="JAX is not installed, so glauber.jax was not run")

    def test_gradients_are_the_engine_s(self):
        import glauber.jax

        run = run_of()
        f = glauber.jax.rollout(run)
        weights = {"mean(aware)": np.array([1.0, -2.0]), "count(aware)": np.array([0.5, 0.0])}

        def loss(beta):
            out = f({"beta": beta}, seed=3)
            return sum((out[n] * w).sum() for n, w in weights.items())

        value, slope = self.jax.value_and_grad(loss)(0.3)
        beta = float(np.float32(0.3))
        means = run({"beta": beta}, seed=3).mean
        assert value == pytest.approx(sum((means[n] * w).sum() for n, w in weights.items()), rel=1e-6)
        assert slope == pytest.approx(run.vjp({"beta": beta}, weights, seed=3)["beta"], rel=1e-6)
        jitted = self.jax.jit(self.jax.grad(loss))(0.3)
        assert jitted == pytest.approx(float(slope), rel=1e-6)

    def test_starts_and_fields_have_derivatives(self):
        import glauber.jax

        f = glauber.jax.rollout(linear_run(), "states")
        starts = np.stack([START, 2 * START])

        def loss(a, start, source):
            return f({"a": a}, start={"u": start}, fields={"source": source})["u"].sum()

        value, (by_a, by_start, by_source) = self.jax.value_and_grad(loss, (0, 1, 2))(A, starts, SOURCE)
        assert value == pytest.approx((A**2 * starts + (A + 1) * SOURCE).sum(), rel=1e-5)
        assert by_a == pytest.approx((2 * A * starts + SOURCE).sum(), rel=1e-5)
        assert by_start == pytest.approx(np.full((2, 2, 3), A**2))
        assert by_source == pytest.approx(np.full((2, 3), 2 * (A + 1)))
        shared = self.jax.grad(loss, 1)(A, START, SOURCE)
        assert shared == pytest.approx(np.full((2, 3), 2 * A**2))

    def test_maps_over_parameters(self):
        import glauber.jax

        run = glauber.rollout(spread(), 3, "mean(aware)", replicates=4)
        f = glauber.jax.rollout(run)
        mapped = self.jax.vmap(lambda b, s: f({"beta": b}, seed=s)["mean(aware)"])(
            np.array([0.2, 0.6]), np.array([1, 2])
        )
        for beta, seed, value in zip([0.2, 0.6], [1, 2], mapped):
            assert value == pytest.approx(
                run({"beta": float(np.float32(beta))}, seed=seed)["mean(aware)"], rel=1e-6
            )

    def test_mistakes_are_said(self):
        import glauber.jax

        f = glauber.jax.rollout(run_of())
        with pytest.raises(glauber.InputError, match="did you mean `beta`"):
            f({"betta": 0.3})
        with pytest.raises(glauber.InputError, match='"outputs" or "states"'):
            glauber.jax.rollout(run_of(), "state")


class TestTorch:
    def setup_method(self):
        self.torch = pytest.importorskip(
            "torch",
            reason="PyTorch is not installed, so glauber.torch was not run (cargo xtask test --full does)",
        )

    def test_gradients_are_the_engine_s(self):
        import glauber.torch

        run = run_of()
        f = glauber.torch.rollout(run)
        beta = self.torch.tensor(0.3, dtype=self.torch.float64, requires_grad=True)
        out = f({"beta": beta}, seed=3)
        (
            out["mean(aware)"] @ self.torch.tensor([1.0, -2.0], dtype=self.torch.float64)
            + 0.5 * out["count(aware)"][0]
        ).backward()
        cotangents = {"mean(aware)": [1.0, -2.0], "count(aware)": [0.5, 0.0]}
        assert beta.grad.item() == run.vjp({"beta": 0.3}, cotangents, seed=3)["beta"]
        assert out["mean(aware)"].tolist() == run({"beta": 0.3}, seed=3)["mean(aware)"].tolist()

    def test_gradcheck_of_starts_and_fields(self):
        import glauber.torch

        f = glauber.torch.rollout(linear_run(), "states")
        a = self.torch.tensor(A, dtype=self.torch.float64, requires_grad=True)
        start = self.torch.tensor(np.stack([START, 2 * START]), requires_grad=True)
        source = self.torch.tensor(SOURCE, requires_grad=True)
        call = lambda a, start, source: f({"a": a}, start={"u": start}, fields={"source": source})["u"]  # noqa: E731
        assert self.torch.autograd.gradcheck(call, (a, start, source))
        shared = self.torch.tensor(START, requires_grad=True)
        assert self.torch.autograd.gradcheck(lambda u: call(a, u, source), (shared,))

    def test_batches_of_parameters(self):
        import glauber.torch

        run = glauber.rollout(spread(), 3, "mean(aware)", replicates=4)
        betas = self.torch.tensor([[0.2], [0.6]], dtype=self.torch.float64, requires_grad=True)
        out = glauber.torch.rollout(run)(betas, seed=7)["mean(aware)"]
        out.sum().backward()
        for i, beta in enumerate([0.2, 0.6]):
            assert out[i].item() == run({"beta": beta}, seed=7 + i)["mean(aware)"]
            assert betas.grad[i, 0].item() == run.value_and_grad({"beta": beta}, seed=7 + i)[1]["beta"]
        with pytest.raises(glauber.InputError, match="give \\[parameter\\] or"):
            glauber.torch.rollout(run)(self.torch.zeros(3, 4, 5))

    def test_a_binary_start_goes_through_the_dynamics(self):
        import glauber.torch

        run = glauber.rollout(spread(), 2, "mean(aware)", replicates=3)
        start = self.torch.zeros(3, 12, 12, requires_grad=True)
        with self.torch.no_grad():
            start[:, 5, 5] = 1
        glauber.torch.rollout(run)(self.torch.tensor([0.4]), start={"aware": start})["mean(aware)"].backward()
        assert start.grad.shape == (3, 12, 12) and (start.grad > 0).any()


class TestScipy:
    optimize = pytest.importorskip(
        "scipy.optimize", reason="SciPy is not installed, so no optimizer of its was run"
    )

    def test_the_likelihood_by_bfgs_is_our_own_fit(self):
        news = spread(24)
        seen = glauber.simulate(news, {"beta": 0.3}, steps=9, replicates=6, seed=1)
        task = glauber.Transition(seen, loss="likelihood")
        f = glauber.objective(news, task, {"beta": 0.6})
        found = self.optimize.minimize(f, f.x0, jac=True, bounds=[(0.01, 0.99)], method="L-BFGS-B")
        ours = glauber.fit(news, task, {"beta": 0.6}, optimizer="rprop", steps=200, progress=False)
        assert found.x[0] == pytest.approx(ours.params["beta"], abs=0.05 * ours.standard_errors["beta"])
        assert f.value(found.x) == f(found.x)[0]
        with pytest.raises(glauber.InputError, match="give 1"):
            f([0.1, 0.2])

    def test_a_rollout_s_loss_is_brought_down(self):
        run = glauber.rollout(spread(), 4, "mean(aware)", replicates=400, estimator="reinmax")
        target = run({"beta": 0.35}, seed=5)["mean(aware)"]
        f = run.objective(
            lambda m: ((m["mean(aware)"] - target) ** 2, 2 * (m["mean(aware)"] - target)), seed=5
        )
        found = self.optimize.minimize(
            lambda x: f(x)[0], [0.6], bounds=f.bounds, method="Nelder-Mead", options={"xatol": 1e-4}
        )
        assert found.x[0] == pytest.approx(0.35, abs=2e-3)


def test_pyabc_recovers_a_parameter(tmp_path):
    pytest.importorskip("pyabc", reason="pyABC is not installed, so the simulator was not run in it")
    # In a process of its own: pyABC forks, and JAX's threads here would not survive that. Ours do.
    script = """
import sys, numpy as np, pyabc, glauber
run = glauber.rollout(glauber.load("susceptible-infected", shape=(12, 12)), 4, "mean(aware)", replicates=20)
observed = {"mean(aware)": run({"beta": 0.4}, seed=3)["mean(aware)"]}  # starts our threads before the fork
abc = pyabc.ABCSMC(
    run.simulator(), pyabc.Distribution(beta=pyabc.RV("uniform", 0, 1)), pyabc.PNormDistance(p=1), population_size=40,
    sampler=pyabc.sampler.MulticoreEvalParallelSampler(n_procs=2),
)
abc.new("sqlite:///" + sys.argv[1], observed)
frame, weights = abc.run(max_nr_populations=3).get_distribution()
print(np.average(frame["beta"], weights=weights), frame["beta"].nunique())
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "abc.db")],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    mean, different = done.stdout.split()
    assert 0.3 < float(mean) < 0.5
    assert int(different) > 20  # the workers' noise differs


def test_a_simulator_takes_what_sbi_gives():
    run = glauber.rollout(life.model(8), 3, ["mean(alive)", "variance(alive)"], at=[1, 3], replicates=2)
    simulator = run.simulator()
    np.random.seed(0)
    first = simulator(np.array([[0.1], [0.2]]))
    np.random.seed(0)
    assert np.array_equal(first, simulator(np.array([[0.1], [0.2]]))) and first.shape == (2, 4)
    assert not np.array_equal(first, simulator(np.array([[0.1], [0.2]])))
    assert len(simulator.columns) == 4 and simulator({"flip": 0.1}).keys() == {
        "mean(alive)",
        "variance(alive)",
    }
    torch = pytest.importorskip(
        "torch",
        reason="PyTorch is not installed, so glauber.torch was not run (cargo xtask test --full does)",
    )
    out = simulator(torch.tensor([[0.1], [0.2]]))
    assert torch.is_tensor(out) and out.shape == (2, 4) and out.dtype == torch.float32


def test_sbi_infers_a_parameter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # sbi writes its logs here
    pytest.importorskip(
        "torch",
        reason="PyTorch is not installed, so glauber.torch was not run (cargo xtask test --full does)",
    )
    inference = pytest.importorskip(
        "sbi.inference",
        reason="sbi is not installed, so the simulator was not run in it (cargo xtask test --full does)",
    )
    import torch
    from sbi.utils import BoxUniform

    torch.manual_seed(0)
    np.random.seed(0)
    run = glauber.rollout(spread(), 4, "mean(aware)", at=[2, 4], replicates=10)
    prior = BoxUniform(torch.zeros(1), torch.ones(1))
    theta = prior.sample((300,))
    trainer = inference.NPE(prior, density_estimator="mdn", show_progress_bars=False)
    trainer.append_simulations(theta, run.simulator()(theta)).train(max_num_epochs=60)
    observed = torch.tensor(run({"beta": 0.4}, seed=3)["mean(aware)"], dtype=torch.float32)
    samples = trainer.build_posterior().sample((500,), x=observed, show_progress_bars=False)
    assert abs(float(samples.mean()) - 0.4) < 0.1

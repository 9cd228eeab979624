"""Draws from four posteriors by glauber's NUTS, and from the same densities by nutpie's and by emcee.

    pip install emcee nutpie arviz pillow
    python bench/posteriors.py [DRAWS]

One core each, in turns. Of every sampler: seconds (of the processor), the least effective draws of any parameter, the largest R̂ (both by ArviZ, of four
chains; of emcee's walkers after the first half of the steps), and by how many standard errors its means are off
those of glauber's NUTS, the most of any parameter. Printed as a table in Markdown.
"""

import pathlib
import sys
import time
import warnings

import emcee
import glauber
import numpy as np
import nutpie
from glauber import cells
from PIL import Image

DRAWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
MAPS = pathlib.Path(__file__).resolve().parent.parent / "examples" / "maps"


def susceptible_infected():
    """One parameter."""
    model = glauber.load("susceptible-infected", shape=(32, 32))
    seen = glauber.simulate(model, {"beta": 0.3}, steps=10, replicates=4, seed=1)
    return glauber.log_density(model, glauber.Transition(seen), threads=1)


def recovered():
    """Two."""
    model = glauber.load("susceptible-infected-recovered", shape=(32, 32))
    seen = glauber.simulate(model, {"infection": 0.1, "recovery": 0.2}, steps=20, replicates=4, seed=1)
    return glauber.log_density(model, glauber.Transition(seen), threads=1)


def forest_fire():
    """Six, of five burns of the example's forest."""
    truth = {"spread": 0.15, "fuel_effect": 1.0, "slope_effect": 6.0, "wind_y": -0.3, "wind_x": 0.5, "burnout": 0.25}
    fields = {name: np.asarray(Image.open(MAPS / f"{name}.png").convert("L")) / 255.0 for name in ("fuel", "elevation")}
    model = glauber.load("forest-fire", shape=(48, 48), start="random", density=0.004)
    seen = glauber.simulate(model, truth, steps=40, replicates=5, seed=7, fields=fields)
    return glauber.log_density(model, glauber.Transition(seen), truth, fields=fields, threads=1)


def sorting():
    """Six of a Cellular Potts model: adhesions and the volumes' strength of 25 cells."""
    truth = {"J01": 1.6, "J02": 1.6, "J11": 1.4, "J12": 1.1, "J22": 0.2, "volume_strength": 0.1, "volume_target": 64}
    movie = cells.simulate(truth, shape=(48, 48), blocks=(5, 5), sides=(8, 8), begin=(4, 4), counts=(13, 12), torus=True, steps=30)
    priors = {name: "normal(0, 5)" for name in truth if name.startswith("J")} | {"volume_strength": "half-normal(5)"}
    return cells.log_density(movie.labels, movie.types, torus=True, fixed={"volume_target": 64}, priors=priors, threads=1)


def by_glauber(density):
    """Draws [chain, draw] by name."""
    found = density.posterior(chains=4, draws=DRAWS, warm_up=DRAWS, seed=1)
    return {name: np.asarray(found.draws[name]) for name in density.names}


def by_nutpie(density):
    """The same."""
    found = nutpie.sample(density.for_nutpie(), chains=4, draws=DRAWS, tune=DRAWS, cores=1, seed=1, progress_bar=False)
    return {name: np.asarray(found.posterior[name]).reshape(4, DRAWS) for name in density.names}


def by_emcee(density):
    """Each walker is a chain."""
    walkers, width, log_prob, begin = density.for_emcee()
    sampler = emcee.EnsembleSampler(walkers, width, log_prob)
    np.random.seed(1)
    sampler.run_mcmc(begin, 2 * DRAWS)
    kept = sampler.get_chain(discard=DRAWS)  # [step, walker, parameter]
    return {name: kept[:, :, k].T for k, name in enumerate(density.names)}


def main():
    """The table."""
    import arviz

    warnings.simplefilter("ignore")
    print("| posterior | sampler | seconds | effective draws | a second | largest R̂ | means off, standard errors |\n|---|---|---|---|---|---|---|")
    for make in (susceptible_infected, recovered, forest_fire, sorting):
        density, first = make(), None
        for name, sample in (("glauber", by_glauber), ("nutpie", by_nutpie), ("emcee", by_emcee)):
            begun = time.process_time()
            draws = sample(density)
            seconds = time.process_time() - begun
            effective = {p: float(arviz.ess(x)) for p, x in draws.items()}
            rhat = max(float(arviz.rhat(x)) for x in draws.values())
            means = {p: (x.mean(), x.std() / effective[p] ** 0.5) for p, x in draws.items()}
            first = first or means
            off = max(abs(means[p][0] - first[p][0]) / np.hypot(means[p][1], first[p][1]) for p in draws)
            least = min(effective.values())
            told = "" if name == "glauber" else f"{off:.1f}"
            print(f"| {make.__name__.replace('_', ' ')}, {len(draws)} | {name} | {seconds:.2f} | {least:.0f} | {least / seconds:.0f} | {rhat:.4f} | {told} |", flush=True)


if __name__ == "__main__":
    main()

"""The examples of docs/observations.md: known parameters lie within their intervals at the pinned seeds."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(
    not os.environ.get("GLAUBER_FULL"), reason="minutes: `cargo xtask test --full` runs it"
)
FOLDER = Path(__file__).parents[2] / "examples" / "observations"
CASES = [
    ("seir_regions", {"infection": 0.12, "size": 12.0}, "particle-filter", {"replicates": 200, "steps": 10}),
    ("scratch_profiles", {"motility": 0.4, "proliferation": 0.006}, "synthetic-likelihood", {"replicates": 200, "steps": 10}),
    ("forty_days", {"infection": 0.12, "recovery": 0.25}, "particle-filter", {"steps": 40}),
    ("two_experiments", {"infection": 0.1}, "particle-filter", {"replicates": 100, "steps": 10}),
]


def example(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name, truth, route, settings", CASES)
def test_known_parameters_are_found(name, truth, route, settings):
    found = example(name).fitted(**settings)
    assert found.likelihood == route
    for parameter, value in truth.items():
        error, noise = found.standard_errors[parameter], found.simulation_noise[parameter]
        assert error is not None, found
        # Five errors: a false alarm below one in a million by the normal law.
        assert abs(found.params[parameter] - value) < 5 * np.hypot(error, noise), found

"""Checks that what is written is true: examples run, stubs name all there is, the README's Python runs."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import glauber
import pytest
from conftest import ROOT
from glauber import _glauber

MODULES = sorted(m.name for m in pkgutil.iter_modules(glauber.__path__, "glauber.")) + ["glauber"]
NEEDS = {
    "glauber.torch": (
        "torch",
        "PyTorch is not installed, so glauber.torch was not run (cargo xtask test --full does)",
    ),
    "glauber.jax": ("jax", "JAX is not installed, so glauber.jax was not run"),
}


@pytest.mark.parametrize("name", MODULES)
def test_docstrings_run(name):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name][0], reason=NEEDS[name][1])
    module = importlib.import_module(name)
    assert module.__doc__
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


def test_every_public_name_is_documented():
    for name in glauber.__all__:
        thing = getattr(glauber, name)
        assert inspect.getdoc(thing), name
        if inspect.isclass(thing):
            for method, member in vars(thing).items():
                if not method.startswith("_") and callable(member):
                    assert inspect.getdoc(getattr(thing, method)), f"{name}.{method}"


def stub() -> dict[str, object]:
    """The stub's names: functions and values, and classes with their members."""
    tree = ast.parse((Path(glauber.__file__).parent / "_glauber.pyi").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            own = {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
            own |= {
                n.target.id
                for n in node.body
                if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
            }
            names[node.name] = own
        elif isinstance(node, ast.FunctionDef):
            names[node.name] = [a.arg for a in node.args.args + node.args.kwonlyargs]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not node.value:
            names[node.target.id] = None
    return names


def test_stubs_name_all_that_the_native_module_has():
    written = stub()
    there = {n for n in dir(_glauber) if not n.startswith("__")} | {"__version__"}
    assert set(written) == there
    for name in there:
        thing = getattr(_glauber, name)
        if inspect.isclass(thing) and not issubclass(thing, Exception):
            own = {m for m in vars(thing) if m not in {"__doc__", "__module__", "__new__"}}
            stubbed = written[name] - {"__new__", "__init__"}
            # Python makes these of others.
            made = {
                "__ge__",
                "__gt__",
                "__le__",
                "__lt__",
                "__ne__",
                "__eq__",
                "__hash__",
                "__getattribute__",
                "__getattr__",
                "__delitem__",
            }
            assert own - made <= stubbed | made, (name, own - stubbed)
            assert stubbed - made <= own, (name, stubbed - own)
        elif callable(thing) and not inspect.isclass(thing):
            assert list(inspect.signature(thing).parameters) == written[name], name


def test_the_readme_s_python_runs(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    assert blocks
    for block in blocks:
        done = subprocess.run(
            [sys.executable, "-c", block],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_the_guide_s_python_runs(tmp_path):
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    own = [b for b in blocks if "torch" not in b or importlib.util.find_spec("torch")]
    own = [b for b in own if "jax" not in b or importlib.util.find_spec("jax")]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(own)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("script", sorted((ROOT / "examples" / "python").glob("*.py")), ids=lambda p: p.stem)
def test_examples_run(script, tmp_path):
    if "import torch" in script.read_text(encoding="utf-8"):
        pytest.importorskip("torch", reason=NEEDS["glauber.torch"][1])
    env = {**os.environ, "MPLBACKEND": "Agg", "GLAUBER_QUICK": "1"}
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()

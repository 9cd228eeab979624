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


def stub() -> dict[str, ast.AST]:
    """What the stub declares, by name."""
    tree = ast.parse((Path(glauber.__file__).parent / "_glauber.pyi").read_text(encoding="utf-8"))
    own = {node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    return own | {n.target.id: n for n in tree.body if isinstance(n, ast.AnnAssign)}


def test_stubs_are_those_of_the_module_that_is_installed():
    """That they are what the Rust sources say is compared by `cargo xtask python`."""
    written = stub()
    assert set(written) == {n for n in dir(_glauber) if not n.startswith("__")} | {"__version__"}
    for name, node in written.items():
        thing = getattr(_glauber, name)
        if isinstance(node, ast.FunctionDef):
            assert list(inspect.signature(thing).parameters) == [a.arg for a in node.args.args], name
            assert ast.get_docstring(node) == inspect.getdoc(thing), name
        elif isinstance(node, ast.ClassDef):
            assert ast.get_docstring(node) == inspect.getdoc(thing), name
            for method in node.body[1:]:
                # Python calls it __getattribute__ in a class written in Rust.
                own = method.name.replace("__getattr__", "__getattribute__")
                assert hasattr(thing, own), f"{name}.{own}"


def runs(folder: Path, *arguments: str) -> str:
    """What Python prints in this folder."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "MPLBACKEND": "Agg", "GLAUBER_QUICK": "1"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_s_python_runs(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    assert blocks
    for block in blocks:
        runs(tmp_path, "-c", block)


@pytest.mark.parametrize("guide", ["python.md", "updates.md"])
def test_the_guides_python_runs(guide, tmp_path):
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    own = [b for b in blocks if "torch" not in b or importlib.util.find_spec("torch")]
    own = [b for b in own if "jax" not in b or importlib.util.find_spec("jax")]
    runs(tmp_path, "-c", "\n".join(own))


@pytest.mark.parametrize("script", sorted((ROOT / "examples" / "python").glob("*.py")), ids=lambda p: p.stem)
def test_examples_run(script, tmp_path):
    if "import torch" in script.read_text(encoding="utf-8"):
        pytest.importorskip("torch", reason=NEEDS["glauber.torch"][1])
    assert runs(tmp_path, str(script)).strip()

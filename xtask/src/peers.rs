//! Sets up what people use today in a virtual environment of its own and runs the comparisons with it.

use std::process::Command;

use anyhow::{Result, bail};

use crate::python::{self, Environment, run};

/// What the comparisons need besides the package.
const NEEDED: &[&str] = &["maturin>=1.16,<1.17", "numpy", "jax", "torch", "pyabc", "cma", "matplotlib"];

/// Runs `bench/peers/compare.py`, PyTorch and JAX step by step, then [`accuracy`] and [`cells`].
pub fn compare() -> Result<()> {
    let environment = environment()?;
    run(environment.python().args(["bench/peers/compare.py", "--runner"]).arg(runner()))?;
    run(&mut accuracy_in(&environment)?)?;
    run(environment.python().arg("bench/cells/run.py"))
}

/// Runs `bench/cells/run.py`, fits of cells against pyABC and CMA-ES, with these words.
pub fn cells(words: &[String]) -> Result<()> {
    let environment = environment()?;
    accuracy_in(&environment)?;
    run(environment.python().arg("bench/cells/run.py").args(words))
}

/// Runs `bench/accuracy/run.py`, whole fits against pyABC and CMA-ES, with these words.
pub fn accuracy(words: &[String]) -> Result<()> {
    run(accuracy_in(&environment()?)?.args(words))
}

fn accuracy_in(environment: &Environment) -> Result<Command> {
    let wheel = environment.wheel(&python::target())?;
    environment.pip(&["install", "--quiet", "--force-reinstall", "--no-deps", &wheel])?;
    let mut command = environment.python();
    command.arg("bench/accuracy/run.py");
    Ok(command)
}

fn environment() -> Result<Environment> {
    let Some(interpreter) = python::interpreter() else {
        bail!("there is no Python 3.10 or later with venv: install one, or name it in PYTHON");
    };
    let own = Environment::at(python::target().join("bench-venv"));
    own.make(&interpreter, false)?;
    own.install(NEEDED, "needed")?;
    Ok(own)
}

fn runner() -> std::path::PathBuf {
    let name = if cfg!(windows) { "runner.exe" } else { "runner" };
    python::target().join("release").join(name)
}

//! Sets up PyTorch and JAX in a virtual environment of their own and runs the comparison with them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Where the peers are installed.
const ENVIRONMENT: &str = "target/bench-venv";

/// Runs `bench/peers/compare.py`.
pub fn compare() -> Result<()> {
    let python = Path::new(ENVIRONMENT).join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !python.exists() {
        run("python3", &["-m", "venv", ENVIRONMENT])?;
    }
    let python = python.to_string_lossy().into_owned();
    run(&python, &["-m", "pip", "install", "--quiet", "numpy", "jax", "torch"])?;
    run(&python, &["bench/peers/compare.py", "--runner", "target/release/runner"])
}

fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let status = Command::new(program).args(arguments).status();
    let status = status.with_context(|| format!("cannot start {program}"))?;
    if !status.success() {
        bail!("{program} {} ended with {status}", arguments.join(" "));
    }
    Ok(())
}

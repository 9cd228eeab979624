//! Runs everything a person does in this repository: `cargo xtask check`, `test`, `bench`, `models`, `doc`.
#![allow(clippy::print_stdout, clippy::print_stderr)] // A tool for people at a terminal.

mod browser;
mod peers;
mod python;
mod structure;

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};

const HELP: &str = "\
cargo xtask COMMAND

  check    the quick loop: format, lints, unit tests of the crates above the engine
  test     everything: check's lints, all tests and documentation examples, with them the main job, and the Python package;
           with --full also the tests that take minutes, 100,000 generated files of each kind, the main job as released, and the
           package's PyTorch part, which installs several GB
  python   the Python package's tests alone; --full as above; with --stubs: writes the native module's stub
  bench    the engine's benchmarks, then those against PyTorch, JAX, pyABC and CMA-ES, which it installs into
           target/bench-venv and which fill BENCHMARKS.md; with --engine: the engine's alone; with --accuracy: whole fits
           against pyABC and CMA-ES alone, and what follows it goes to bench/accuracy/run.py; with --cells: the same of the
           Cellular Potts model, and bench/cells/run.py
  models   the catalogue's pages and pictures in docs/models; with --check: which of them are stale
  structure  lines of code per crate, circles between files, long files
  doc      the documentation, opened in a browser with --open
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let result = match words.first().map(String::as_str) {
        Some("check") => check(),
        Some("test") => test(full(&words)),
        Some("python") if words.iter().any(|w| w == "--stubs") => python::write_stub(),
        Some("python") => python::test(full(&words)),
        Some("bench") => bench(&words[1..]),
        Some("models") => models(&words[1..]),
        Some("structure") => structure::structure(),
        Some("doc") => doc(&words[1..]),
        _ => {
            print!("{HELP}");
            return ExitCode::from(if words.is_empty() { 0 } else { 2 });
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The engine against loops by hand, then against what people use today.
fn bench(words: &[String]) -> Result<()> {
    if let Some(at) = words.iter().position(|w| w == "--accuracy") {
        return peers::accuracy(&words[at + 1..]);
    }
    if let Some(at) = words.iter().position(|w| w == "--cells") {
        return peers::cells(&words[at + 1..]);
    }
    cargo(&["bench", "--package", "glauber-bench"])?;
    if words.iter().any(|w| w == "--engine") {
        return Ok(());
    }
    cargo(&["build", "--release", "--package", "glauber-bench", "--bin", "runner"])?;
    peers::compare()
}

/// The cheapest checks first.
fn lints() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])
}

fn check() -> Result<()> {
    lints()?;
    // The Python module needs an interpreter around it; `--lib` would build it without.
    cargo(&["test", "--workspace", "--lib", "--exclude", "glauber-python"])
}

fn full(words: &[String]) -> bool {
    words.iter().any(|w| w == "--full")
}

fn test(full: bool) -> Result<()> {
    browser::ensure();
    lints()?;
    cargo(&["test", "--workspace"])?;
    if full {
        // Those that take minutes are left out by `#[ignore]`.
        cargo(&[
            "test",
            "--release",
            "--workspace",
            "--exclude",
            "glauber-python",
            "--tests",
            "--",
            "--ignored",
        ])?;
        // A hundred thousand generated files of each kind, where the usual tests take some thousands.
        let readers =
            ["--package", "glauber-data", "--package", "glauber-arrays", "--package", "glauber-model-file"];
        let arguments = [&["test", "--release", "--tests"][..], &readers].concat();
        cargo_with(&arguments, &[("GLAUBER_FUZZ", "50")])?;
        main_job()?;
    }
    python::test(full)
}

/// The README's first command, into a folder of its own.
fn main_job() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("glauber-main-job-{}", std::process::id()));
    let out = folder.to_string_lossy().into_owned();
    let arguments = ["run", "--release", "--", "reproduce", "all", "--quick", "--out", &out, "--quiet"];
    let result = cargo(&arguments);
    let written = folder.join("index.html").exists() && folder.join("numbers/claims.json").exists();
    let _ = std::fs::remove_dir_all(&folder);
    result?;
    if !written {
        bail!("the main job left no page or claims in {out}");
    }
    println!("the main job ran and left its results");
    Ok(())
}

/// Writes the pages of docs/models, or compares them.
fn models(words: &[String]) -> Result<()> {
    let mut arguments = vec!["run", "--release", "-p", "glauber", "--example", "model_pages", "--"];
    arguments.extend(words.iter().map(String::as_str));
    cargo(&arguments)
}

fn doc(words: &[String]) -> Result<()> {
    let mut arguments = vec!["doc", "--workspace", "--no-deps"];
    arguments.extend(words.iter().map(String::as_str));
    cargo(&arguments)
}

fn cargo(arguments: &[&str]) -> Result<()> {
    cargo_with(arguments, &[])
}

/// Cargo with some more environment.
fn cargo_with(arguments: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    let begin = Instant::now();
    eprintln!("$ cargo {}", arguments.join(" "));
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().copied());
    let status = command.status().context("cargo could not be started")?;
    eprintln!("  {:.0} s", begin.elapsed().as_secs_f64());
    if !status.success() {
        bail!("`cargo {}` failed", arguments.join(" "));
    }
    Ok(())
}

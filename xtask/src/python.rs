//! Tests the Python package: builds its wheel, installs it into environments of its own below `target/`, runs pytest.
//!
//! The test environment is kept between runs and holds what the package plugs into (JAX, SciPy, pyABC; with `--full`
//! PyTorch and sbi, several GB). A second, clean environment gets what `pip install .` brings and nothing else, and runs
//! the README's Python. The native module's stub is written from the Rust sources, and compared with them in every test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// What the tests need besides the package; another maturin may write the stub in another way.
const NEEDED: &[&str] = &[
    "maturin>=1.16,<1.17",
    "numpy",
    "pytest",
    "pytest-xdist",
    "scipy",
    "jax",
    "pyabc",
    "matplotlib",
    "pandas",
    // The containers people have their data in, and independent readers of what is read here.
    "polars",
    "xarray",
    "pyarrow",
    "pillow",
    "tifffile",
    "mypy",
    // Drives Chromium through the page of `glauber view`.
    "playwright",
    // Executors that share work out.
    "loky",
    "distributed",
    "mpi4py",
    // Shows that page inside notebooks; with `--full` in a JupyterLab of its own.
    "anywidget",
];
/// What the whole of them needs.
const NEEDED_IN_FULL: &[&str] = &["torch", "sbi", "jupyterlab"];
/// The stub of the native module, and its first lines.
const STUB: &str = "python/glauber/_glauber.pyi";
const STUB_HEAD: &str =
    "# Types the native module: written by `cargo xtask python --stubs` from crates/python, not by hand.\n\n";

/// Builds, installs and tests the package; `full` with PyTorch.
pub fn test(full: bool) -> Result<()> {
    let Some(python) = interpreter() else {
        eprintln!("SKIPPED: no Python 3.10 or later with venv; the Python package was not tested");
        return Ok(());
    };
    let target = target();
    let own = Environment::for_tests(&python, &target)?;
    if full {
        own.install(NEEDED_IN_FULL, "needed-in-full")?;
    }
    if std::fs::read_to_string(STUB)? != own.stub(&target)? {
        bail!("{STUB} is not what the Rust sources say: run `cargo xtask python --stubs`");
    }
    let wheel = own.wheel(&target)?;
    own.pip(&["install", "--quiet", "--force-reinstall", "--no-deps", &wheel])?;
    readme_in_a_clean_environment(&python, &target)?;
    // The program as the Rust tests built it: what it says with checks on is what the module says without.
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    run(Command::new(program).args(["build", "--quiet", "--workspace", "--bin", "glauber"]))?;
    let cli = std::path::absolute(target.join("debug").join("glauber"))?;
    install_mpi();
    let mut pytest = own.python();
    // Two at a time: many tests wait for a browser, a process or a file.
    pytest.args(["-m", "pytest", "-q", "-n", "2", "python/tests"]).env("GLAUBER_CLI", cli);
    if full {
        // What takes minutes is skipped without it.
        pytest.env("GLAUBER_FULL", "1");
    }
    run(&mut pytest)
}

/// Installs what starts the ranks of MPI, where it is missing and this is a Debian that lets us; its tests are skipped visibly without.
fn install_mpi() {
    let there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !there("mpiexec") && there("apt-get") {
        let install = ["install", "--yes", "--quiet", "--no-install-recommends", "openmpi-bin"];
        let done = Command::new("apt-get").args(install).output();
        if !done.is_ok_and(|done| done.status.success()) {
            eprintln!("SKIPPED: openmpi-bin could not be installed; nothing runs by MPI");
        }
    }
}

/// Writes the native module's stub.
pub fn write_stub() -> Result<()> {
    let python = interpreter().context("no Python 3.10 or later with venv was found")?;
    let target = target();
    let stub = Environment::for_tests(&python, &target)?.stub(&target)?;
    std::fs::write(STUB, stub).with_context(|| format!("{STUB} could not be written"))
}

/// The README's Python, where `pip install .` was said and nothing else: it builds a wheel, with what is built already.
fn readme_in_a_clean_environment(python: &str, target: &Path) -> Result<()> {
    let clean = Environment::at(target.join("python-clean"));
    clean.make(python, true)?;
    clean.pip(&["install", "--quiet", "."])?;
    run(clean.python().args(["python/tests/readme.py", "README.md"]))
}

/// Where Cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from)
}

/// The first Python that is recent enough: the one named in `PYTHON`, else python3 or python.
pub fn interpreter() -> Option<String> {
    let named = std::env::var("PYTHON").ok();
    let names = named.into_iter().chain(["python3".to_string(), "python".to_string()]);
    let recent = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";
    let mut names = names;
    names.find(|name| Command::new(name).args(["-c", recent]).output().is_ok_and(|o| o.status.success()))
}

/// A virtual environment.
pub struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// The one in this folder, there or not.
    pub fn at(folder: PathBuf) -> Environment {
        Environment { folder }
    }

    /// The one that is kept between runs, with what the tests need.
    fn for_tests(python: &str, target: &Path) -> Result<Environment> {
        let own = Environment::at(target.join("python-tests"));
        own.make(python, false)?;
        own.install(NEEDED, "needed")?;
        Ok(own)
    }

    fn program(&self) -> PathBuf {
        let (scripts, name) = if cfg!(windows) { ("Scripts", "python.exe") } else { ("bin", "python") };
        self.folder.join(scripts).join(name)
    }

    /// Its interpreter.
    pub fn python(&self) -> Command {
        Command::new(self.program())
    }

    /// Makes it where it is not there, or `anew`.
    pub fn make(&self, python: &str, anew: bool) -> Result<()> {
        if anew && self.folder.exists() {
            std::fs::remove_dir_all(&self.folder)?;
        }
        if self.program().exists() {
            return Ok(());
        }
        run(Command::new(python).args(["-m", "venv"]).arg(&self.folder))
    }

    /// Runs its pip.
    pub fn pip(&self, arguments: &[&str]) -> Result<()> {
        let mut pip = self.python();
        run(pip.args(["-m", "pip", "--disable-pip-version-check"]).args(arguments))
    }

    /// Installs packages unless the note beside them says that these were.
    pub fn install(&self, packages: &[&str], note: &str) -> Result<()> {
        let (note, list) = (self.folder.join(note), packages.join("\n"));
        if std::fs::read_to_string(&note).is_ok_and(|known| known == list) {
            return Ok(());
        }
        let mut arguments = vec!["install", "--quiet"];
        arguments.extend(packages);
        self.pip(&arguments)?;
        std::fs::write(note, list).context("the test environment cannot be written to")
    }

    /// The stub that the Rust sources make: pyo3 leaves types and docs in the module, maturin reads them.
    fn stub(&self, target: &Path) -> Result<String> {
        let folder = target.join("stubs");
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        let mut build = self.python();
        build.args(["-m", "maturin", "generate-stubs", "--quiet", "--profile", "release"]);
        run(build.arg("--interpreter").arg(self.program()).arg("--out").arg(&folder))?;
        let file = ["glauber/_glauber.pyi", "_glauber.pyi"].map(|name| folder.join(name));
        let Some(file) = file.into_iter().find(|f| f.exists()) else {
            bail!("maturin left no stub in {}", folder.display())
        };
        Ok(STUB_HEAD.to_string() + &std::fs::read_to_string(file)?)
    }

    /// Builds the wheel and gives its path.
    pub fn wheel(&self, target: &Path) -> Result<String> {
        let folder = target.join("wheels");
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        let mut build = self.python();
        build.args(["-m", "maturin", "build", "--quiet", "--release", "--interpreter"]);
        run(build.arg(self.program()).arg("--out").arg(&folder))?;
        let mut files = std::fs::read_dir(&folder)?.flatten().map(|f| f.path());
        let wheel = files.find(|f| f.extension().is_some_and(|e| e == "whl"));
        let Some(wheel) = wheel else { bail!("maturin left no wheel in {}", folder.display()) };
        Ok(wheel.to_string_lossy().into_owned())
    }
}

/// Runs a command, saying what and how long.
pub fn run(command: &mut Command) -> Result<()> {
    let begin = Instant::now();
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|w| w.to_string_lossy())
        .collect();
    let words = words.join(" ");
    eprintln!("$ {words}");
    let status = command.status().with_context(|| format!("`{words}` could not be started"))?;
    eprintln!("  {:.0} s", begin.elapsed().as_secs_f64());
    if !status.success() {
        bail!("`{words}` failed");
    }
    Ok(())
}

//! Tries what befalls the folders of runs: resumed, finished, mistyped, shared by two processes, on a disk that is full.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_glauber"));
    command.args(arguments).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn glauber(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn refused(folder: &Path, arguments: &[&str], wanted: &[&str]) {
    let output = glauber(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", words(&output));
    for word in wanted {
        assert!(words(&output).contains(word), "{arguments:?}: no «{word}» in «{}»", words(&output));
    }
}

/// A fit of so many steps: a few dozen take no time, a million longer than any test.
fn fit_file(steps: u64, checkpoints: u64) -> String {
    format!(
        "model = \"susceptible-infected\"\ntask = \"transition\"\n[model-options]\nshape = [8, 8]\n[data]\nstates = \
         \"runs.npz\"\n[start]\nbeta = 0.8\n[optimizer]\nsteps = {steps}\nbatch = 4\n[run]\ncheckpoint-every = {checkpoints}\ntrace-every = 10\n"
    )
}

fn simulate(folder: &Path, out: &str, beta: &str) {
    let set = format!("beta={beta}");
    let arguments = [
        "simulate",
        "susceptible-infected",
        "--option",
        "shape=[8,8]",
        "--steps",
        "8",
        "--set",
        &set,
        "--out",
        out,
    ];
    let output = glauber(folder, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
}

fn with_fit(steps: u64, checkpoints: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fit.toml"), fit_file(steps, checkpoints)).unwrap();
    simulate(folder.path(), "runs.npz", "0.3");
    folder
}

/// Starts a fit and kills it once it has a checkpoint.
fn killed(folder: &Path, out: &str) {
    let mut child = command(folder, &["fit", "fit.toml", "--out", out, "--quiet"]).spawn().unwrap();
    wait_for(&folder.join(out).join("checkpoint-straight-through"), &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
}

fn wait_for(path: &Path, child: &mut Child) {
    for _ in 0..6000 {
        if path.exists() {
            return;
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended before {}", path.display());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("no {}", path.display());
}

const RESUME: [&str; 6] = ["fit", "fit.toml", "--out", "run", "--quiet", "--resume"];

#[test]
fn a_finished_run_is_not_resumed_and_a_mistyped_folder_is_none() {
    let folder = with_fit(3, 1000);
    let here = folder.path();
    assert_eq!(glauber(here, &["fit", "fit.toml", "--out", "run", "--quiet"]).status.code(), Some(0));
    let before = std::fs::read(here.join("run/result.json")).unwrap();
    refused(here, &RESUME, &["run", "finished", "--out"]);
    simulate(here, "others.npz", "0.6");
    refused(here, &[&RESUME[..], &["--set", "data.states=others.npz"]].concat(), &["finished"]);
    assert_eq!(std::fs::read(here.join("run/result.json")).unwrap(), before);
    refused(
        here,
        &["fit", "fit.toml", "--out", "rnu", "--quiet", "--resume"],
        &["rnu", "no such folder", "--resume"],
    );
    assert!(!here.join("rnu").exists());
    std::fs::create_dir(here.join("empty")).unwrap();
    refused(here, &["fit", "fit.toml", "--out", "empty", "--quiet", "--resume"], &["empty", "no checkpoint"]);
    // The results have a fit.toml of their own.
    refused(here, &["fit", "fit.toml", "--out", ".", "--quiet"], &["fit.toml", "would replace"]);
    assert_eq!(std::fs::read_to_string(here.join("fit.toml")).unwrap(), fit_file(3, 1000));
}

#[test]
fn a_killed_run_is_resumed_with_its_own_data_only() {
    let folder = with_fit(1_000_000, 20);
    let here = folder.path();
    killed(here, "run");
    assert!(here.join("run/.running").exists());
    let short = [&RESUME[..], &["--set", "optimizer.steps=5000"]].concat();
    // By another estimator it would be another run beside this one.
    let other = [&short[..], &["--set", "estimator.name=reinmax"]].concat();
    refused(here, &other, &["straight-through", "reinmax", "restore"]);
    assert!(!here.join("run/checkpoint-reinmax").exists());
    // The same path, other states.
    let own = std::fs::read(here.join("runs.npz")).unwrap();
    std::fs::remove_file(here.join("runs.npz")).unwrap();
    simulate(here, "runs.npz", "0.6");
    let output = glauber(here, &short);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    let wanted = ["belongs to another fit", "the observed states", "digest"];
    assert!(wanted.iter().all(|w| words(&output).contains(w)), "{}", words(&output));
    // The same states under another path.
    std::fs::write(here.join("moved.npz"), own).unwrap();
    let output = glauber(here, &[&short[..], &["--set", "data.states=moved.npz"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert!(here.join("run/result.json").exists() && !here.join("run/.running").exists());
}

#[test]
fn two_processes_do_not_share_a_folder() {
    let folder = with_fit(1_000_000, 20);
    let here = folder.path();
    let mut first = command(here, &["fit", "fit.toml", "--out", "two", "--quiet"]).spawn().unwrap();
    wait_for(&here.join("two/.running"), &mut first);
    refused(here, &["fit", "fit.toml", "--out", "two", "--quiet"], &["another process", "two", "--out"]);
    refused(here, &["fit", "fit.toml", "--out", "two", "--quiet", "--resume"], &["another process"]);
    first.kill().unwrap();
    first.wait().unwrap();
    // Without --out each has a folder of its own.
    let short = ["fit", "fit.toml", "--quiet", "--set", "optimizer.steps=2", "--json"];
    let both: Vec<Child> = (0..2).map(|_| command(here, &short).spawn().unwrap()).collect();
    let mut outs: Vec<String> = both
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            found["out"].as_str().unwrap().to_string()
        })
        .collect();
    outs.sort();
    assert_eq!(outs, ["out/fit", "out/fit-2"]);
    assert!(outs.iter().all(|out| here.join(out).join("result.json").exists()));
}

#[test]
fn a_model_file_is_taken_from_beside_the_fit_file_alone() {
    let folder = with_fit(2, 1000);
    let here = folder.path();
    std::fs::create_dir(here.join("fits")).unwrap();
    assert_eq!(glauber(here, &["new", "mine"]).status.code(), Some(0));
    let text = "model = \"mine.toml\"\ntask = \"transition\"\n[data.simulate]\nsteps = 3\n";
    std::fs::write(here.join("fits/fit.toml"), text).unwrap();
    refused(here, &["fit", "fits/fit.toml", "--out", "x"], &["fits/mine.toml", "--set model=mine.toml"]);
    assert!(!here.join("x").exists());
}

/// Files of more than 64 blocks (of 512 bytes, or 1024) are refused by the system, as on a disk that is full.
#[cfg(unix)]
#[test]
fn a_full_disk_loses_no_fit() {
    let folder = with_fit(3000, 20);
    let here = folder.path();
    let script = format!(
        "trap '' XFSZ; ulimit -f 64; exec {} fit fit.toml --out run --set run.trace-every=1 --set optimizer.batch=1",
        env!("CARGO_BIN_EXE_glauber")
    );
    let output = Command::new("sh").args(["-c", &script]).current_dir(here).output().unwrap();
    let (text, said) = (String::from_utf8_lossy(&output.stdout).into_owned(), words(&output));
    assert_eq!(output.status.code(), Some(1), "{text}\n{said}");
    assert!(text.contains("beta = ") && text.contains("a checkpoint was refused"), "{text}\n{said}");
    assert!(said.contains("the fit goes on and tries again"), "{said}");
    assert!(!text.contains("result, trace and plot in"), "nothing is there: {text}");
    assert!(said.contains("the result could not be kept") && said.contains("--resume"), "{said}");
    // Room again: the newest checkpoint that could be written carries the fit to its end.
    let output =
        glauber(here, &[&RESUME[..], &["--set", "run.trace-every=1", "--set", "optimizer.batch=1"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert!(here.join("run/result.json").exists());
}

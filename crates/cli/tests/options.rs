//! Tries every option of every command for its effect: what is accepted changes something, or says why not.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn glauber(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_glauber")).args(arguments).current_dir(folder).output().unwrap()
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

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = glauber(folder, &[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", words(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

const SIMULATE: [&str; 4] = ["simulate", "susceptible-infected", "--option", "shape=[9,7]"];

/// The state of step 9 is the picture of 9 steps, however many states are kept.
#[test]
fn a_picture_shows_the_last_state() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let draw = |more: &[&str], out: &str| {
        let found = json(here, &[&SIMULATE[..], more, &["--out", out]].concat());
        (std::fs::read(here.join(out)).unwrap(), found["notes"].clone())
    };
    let (plain, none) = draw(&["--steps", "9"], "plain.png");
    let (start, _) = draw(&["--steps", "1", "--set", "beta=0"], "start.png");
    let (every, notes) = draw(&["--steps", "9", "--every", "10"], "every.png");
    assert_eq!(every, plain);
    assert_ne!(every, start);
    assert_eq!(none, serde_json::json!([]));
    assert!(notes[0].as_str().unwrap().contains("step 9: --every has no effect"), "{notes}");
    let (_, notes) = draw(&["--steps", "9", "--replicates", "4"], "several.png");
    assert!(notes[0].as_str().unwrap().contains("one realisation: of 4"), "{notes}");
}

#[test]
fn what_simulate_keeps_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let with = |more: &[&'static str]| -> Vec<&'static str> { [&SIMULATE[..], more].concat() };
    for out in ["a.npz", "a.gif"] {
        refused(
            here,
            &with(&["--steps", "9", "--every", "10", "--out", out]),
            &["--every 10", "only the start"],
        );
        assert!(!here.join(out).exists());
    }
    let found = json(here, &with(&["--steps", "9", "--every", "4", "--out", "b.npz"]));
    assert!(found["notes"][0].as_str().unwrap().contains("step 8"), "{found}");
    assert_eq!(
        json(here, &with(&["--steps", "8", "--every", "4", "--out", "c.npz"]))["notes"],
        serde_json::json!([])
    );
    refused(here, &with(&["--layer", "aware", "--out", "d.npz"]), &["--layer", ".npz holds every layer"]);
    refused(here, &with(&["--layer", "awrae", "--out", "d.png"]), &["awrae", "aware"]);
}

#[test]
fn a_name_is_given_once() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let out = ["--out", "a.npz"];
    for (flag, name) in [("--set", "beta"), ("--option", "shape"), ("--covariate", "fuel")] {
        let value = |v: &str| format!("{name}={v}");
        let (one, two) = (value("0.1"), value("0.2"));
        let arguments = [&["simulate", "susceptible-infected", flag, &one, flag, &two][..], &out].concat();
        refused(here, &arguments, &[flag, name, "given before", "give it once"]);
    }
    std::fs::write(here.join("tracks.csv"), "id,t,x,y\n1,0,0,0\n1,1,1,0\n1,2,1,2\n").unwrap();
    let tracks = ["tracks", "tracks.csv", "--column"];
    refused(here, &[&tracks[..], &["x=x", "--column", "x=y"]].concat(), &["--column", "given before"]);
    refused(here, &[&tracks[..], &["time=t", "--column", "t=t"]].concat(), &["--column", "given before"]);
    let fit = "model = \"susceptible-infected\"\ntask = \"transition\"\n[data.simulate]\nsteps = 3\n";
    std::fs::write(here.join("fit.toml"), fit).unwrap();
    let set = ["fit", "fit.toml", "--out", "x", "--set", "run.seed=1"];
    refused(here, &[&set[..], &["--set", "run.seed=2"]].concat(), &["run.seed", "set twice"]);
    refused(here, &[&set[..], &["--seed", "2"]].concat(), &["run.seed", "set twice"]);
    assert!(!here.join("x").exists());
}

#[test]
fn options_without_effect_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("tracks.csv"), "id,t,x,y\n1,0,0,0\n1,1,1,0\n1,2,1,2\n").unwrap();
    refused(here, &["tracks", "tracks.csv", "--bootstrap", "0", "--seed", "3"], &["--seed", "--bootstrap"]);
    refused(here, &["show", "susceptible-infected", "--estimator", "nonsense"], &["--adjoint"]);
    refused(
        here,
        &["show", "susceptible-infected", "--adjoint", "--estimator", "reinmx"],
        &["reinmx", "did you mean `reinmax`"],
    );
    refused(here, &["show", "forest-fire", "--covariate", "fuel=none.npy"], &["none.npy"]);
    refused(here, &["show", "forest-fire", "--covariate", "feul=1"], &["feul", "fuel"]);
    let shown = glauber(here, &["show", "forest-fire", "--covariate", "fuel=0.25"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("fuel: 0.25 at every site"), "{shown:?}");
    refused(
        here,
        &["simulate", "susceptible-infected", "--seed", "-1", "--out", "x.npz"],
        &["'-1'", "from 0 to"],
    );
    refused(here, &["reproduce", "transition", "--seeds", "3", "--out", "x"], &["--seeds", "stability"]);
    refused(here, &["reproduce", "stability", "--data", ".", "--out", "x"], &["--data", "state"]);
}

/// What is lost on the way out is a failure, whoever asked for it.
#[cfg(target_os = "linux")]
#[test]
fn output_that_is_lost_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["models"][..], &["models", "--json"], &["--help"], &["show", "susceptible-infected"]]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_glauber"))
            .args(arguments)
            .current_dir(folder.path())
            .stdout(Stdio::from(full))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", words(&output));
        assert!(words(&output).contains("output could not be written"), "{arguments:?}: {}", words(&output));
    }
}

/// Whoever opens a pipe waits for one who writes: it is refused before, wherever a file is asked for.
#[cfg(unix)]
#[test]
fn a_pipe_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for name in ["pipe", "pipe.toml", "pipe.npz", "pipe.csv", "pipe.png"] {
        assert!(Command::new("mkfifo").arg(here.join(name)).status().unwrap().success());
    }
    let fit = "model = \"susceptible-infected\"\ntask = \"transition\"\n[data]\nstates = \"pipe.npz\"\n";
    std::fs::write(here.join("fit.toml"), fit).unwrap();
    for arguments in [
        &["fit", "pipe", "--out", "x"][..],
        &["fit", "pipe.toml", "--out", "x"],
        &["fit", "fit.toml", "--out", "x"],
        &["simulate", "./pipe.toml", "--out", "x.npz"],
        &["simulate", "forest-fire", "--covariate", "fuel=pipe.npz", "--out", "x.npz"],
        &["simulate", "forest-fire", "--covariate", "fuel=pipe.png", "--out", "x.npz"],
        &["tracks", "pipe.csv"],
        &["segment", "pipe.png", "--out", "x"],
    ] {
        refused(here, arguments, &["pipe"]);
    }
}

/// More threads than cores only wait for each other: no more are started, and the result is the same.
#[test]
fn a_thousand_threads_take_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let run = |threads: &str, out: &str| {
        let found = json(here, &[&SIMULATE[..], &["--threads", threads, "--out", out]].concat());
        (std::fs::read(here.join(out)).unwrap(), found["seconds"].as_f64().unwrap())
    };
    let ((one, _), (many, seconds)) = (run("1", "a.npz"), run("1000", "b.npz"));
    assert_eq!(one, many);
    // A thousand threads took seconds; sixteen take milliseconds, on a busy machine too.
    assert!(seconds < 1.0, "{seconds} s");
}

//! Tries what the command line knows of the steps states were seen after: runs that carry on, frames further apart.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use glauber::data::arrays::{ReadLimits, read_arrays};
use serde_json::Value;

fn glauber(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_glauber")).args(arguments).current_dir(folder).output().unwrap()
}

/// The JSON of a command that must succeed.
fn done(folder: &Path, arguments: &[&str]) -> Value {
    let output = glauber(folder, &[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

/// Runs a command that must fail with exit code 2 and every one of these words in its message.
fn refused(folder: &Path, arguments: &[&str], words: &[&str]) {
    let output = glauber(folder, arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    for word in words {
        assert!(message.contains(word), "{arguments:?}: no «{word}» in «{message}»");
    }
}

const NEWS: [&str; 5] = ["simulate", "susceptible-infected", "--option", "shape=[32,32]", "--set"];

fn simulate(here: &Path, beta: &str, more: &[&str]) {
    done(here, &[&NEWS[..], &[beta], more].concat());
}

fn numbers(here: &Path, file: &str, array: &str) -> Option<(Vec<usize>, Vec<f64>)> {
    let arrays = read_arrays(here.join(file), ReadLimits::default()).unwrap();
    let found = arrays.into_iter().find(|(name, _)| name == array);
    found.map(|(_, array)| (array.shape().to_vec(), array.to_f64()))
}

#[test]
fn a_run_carries_on_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    simulate(here, "beta=0.1", &["--replicates", "3", "--steps", "11", "--out", "whole.npz"]);
    simulate(here, "beta=0.1", &["--replicates", "3", "--steps", "4", "--out", "part.npz"]);
    simulate(here, "beta=0.1", &["--start", "part.npz", "--steps", "7", "--out", "rest.npz"]);
    let (whole, rest) =
        (numbers(here, "whole.npz", "aware").unwrap(), numbers(here, "rest.npz", "aware").unwrap());
    assert_eq!((&whole.0[..2], &rest.0[..2]), (&[3, 12][..], &[3, 8][..]));
    for run in 0..3 {
        assert_eq!(
            whole.1[(run * 12 + 4) * 1024..(run + 1) * 12 * 1024],
            rest.1[run * 8 * 1024..(run + 1) * 8 * 1024]
        );
    }
    assert_eq!(numbers(here, "rest.npz", "times").unwrap().1, (4..12).map(f64::from).collect::<Vec<_>>());
    assert_eq!(numbers(here, "whole.npz", "times").unwrap().1, (0..12).map(f64::from).collect::<Vec<_>>());
    let again = ["--start", "part.npz", "--steps", "2", "--out", "x.npz", "--replicates", "2"];
    refused(here, &[&NEWS[..], &["beta=0.1"], &again].concat(), &["--replicates 2", "3 realisations"]);
    refused(
        here,
        &[
            "simulate",
            "susceptible-infected",
            "--option",
            "shape=[64,64]",
            "--start",
            "part.npz",
            "--out",
            "x.npz",
        ],
        &["--start part.npz", "32, 32]", "[64, 64]", "--option shape"],
    );
}

const FIT: &str = "model = \"susceptible-infected\"\ntask = \"transition\"\n[model-options]\nshape = [32, 32]\n\
    [data]\nstates = \"every.npz\"\n[start]\nbeta = 0.5\n[optimizer]\nname = \"adam\"\nlearning-rate = 0.05\n\
    steps = 250\naverage = 0.4\n";

/// Every way to say that frames are four steps apart gives the same fit, near the truth; the likelihood refuses them.
#[test]
fn frames_further_apart_are_simulated_step_by_step_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("fit.toml"), FIT).unwrap();
    let runs = ["--replicates", "6", "--steps", "16", "--seed", "2"];
    simulate(here, "beta=0.1", &[&runs[..], &["--out", "all.npz"]].concat());
    simulate(here, "beta=0.1", &[&runs[..], &["--every", "4", "--out", "every.npz"]].concat());
    assert_eq!(numbers(here, "every.npz", "times").unwrap().1, [0.0, 4.0, 8.0, 12.0, 16.0]);
    // The same lattices without their times.
    let arrays = read_arrays(here.join("every.npz"), ReadLimits::default()).unwrap();
    let bare = arrays.iter().filter(|(name, _)| name == "aware").map(|(name, array)| (name.as_str(), array));
    glauber::data::arrays::write_npz(here.join("bare.npz"), bare, glauber::data::Overwrite::Refuse).unwrap();
    let ways: [&[&str]; 3] = [
        &[],
        &["--set", "data.states=all.npz", "--set", "data.frames.every=4"],
        &["--set", "data.states=bare.npz", "--set", "data.interval=20.0", "--set", "data.step-time=5.0"],
    ];
    let mut found = Vec::new();
    for (number, way) in ways.iter().enumerate() {
        let out = format!("out{number}");
        let fit = [&["fit", "fit.toml", "--quiet", "--out", &out], *way].concat();
        let estimate = done(here, &fit)["parameters"]["beta"]["estimate"].as_f64().unwrap();
        // Some 3,000 of the sites turn, so the data tell β to 2 %; five of that.
        assert!((estimate - 0.1).abs() < 0.01, "{way:?}: {estimate}");
        found.push(estimate.to_bits());
        let exact = [&["fit", "fit.toml", "--quiet"], *way, &["--set", "loss.name=likelihood"]].concat();
        refused(here, &exact, &["4 steps apart", "pixel"]);
    }
    assert!(found.iter().all(|bits| *bits == found[0]), "{found:?}");
    let text = glauber(here, &["fit", "fit.toml", "--quiet", "--out", "said"]).stdout;
    assert!(String::from_utf8_lossy(&text).contains("4 steps apart"));
    let other =
        ["fit", "fit.toml", "--out", "x", "--set", "data.interval=2.0", "--set", "data.step-time=1.0"];
    refused(here, &other, &["4 steps apart", "it is 2"]);
    refused(here, &["fit", "fit.toml", "--out", "x", "--set", "data.step-time=1.0"], &["data.interval"]);
    refused(here, &["fit", "fit.toml", "--out", "x", "--set", "data.first-step=3"], &["begin after step 0"]);
    refused(
        here,
        &["fit", "fit.toml", "--out", "x", "--set", "data.frames.first=7"],
        &["frame 7", "5 frames"],
    );
}

/// States of another layer are those of another model: 1, "aware", would be a burning tree.
#[test]
fn a_start_of_another_layer_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    simulate(here, "beta=0.1", &["--steps", "2", "--out", "news.npz"]);
    let other =
        ["simulate", "forest-fire", "--option", "shape=[32,32]", "--start", "news.npz", "--out", "x.npz"];
    refused(
        here,
        &other,
        &["--start news.npz", "`aware`", "`forest-fire` starts from `state`", "another model"],
    );
    simulate(here, "beta=0.1", &["--start", "news.npz", "--steps", "2", "--out", "more.npz"]);
}

/// What a reader said of the data is often why the run failed: it is not lost with it.
#[test]
fn what_readers_said_stands_before_the_error() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let rule = "states = [\"a\", \"b\"]\n[lattice]\nshape = [2, 2]\n[parameters]\np = [0.0, 1.0]\n[covariates]\nh = 0.0\n\
                [start]\nb = 0.0\n[transitions]\n\"a -> b\" = \"p * (1 + h / 1000)\"\n";
    std::fs::write(here.join("rule.toml"), rule).unwrap();
    let heights = glauber::data::arrays::Array::new(vec![2, 2], vec![10.0, 20.0, -9999.0, 0.0]).unwrap();
    glauber::data::arrays::write_npy(here.join("h.npy"), &heights, glauber::data::Overwrite::Refuse).unwrap();
    let run = ["simulate", "rule.toml", "--covariate", "h=h.npy", "--set", "p=0.5", "--out", "x.npz"];
    let output = glauber(here, &run);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let (note, error) = (said.find("note: covariate `h`").unwrap(), said.find("glauber: ").unwrap());
    assert!(note < error && said.contains("-9999") && said.contains("not in [0, 1]"), "{said}");
    assert!(output.stdout.is_empty());
}

//! Tries the command line as its users would: what works, what is refused, with which exit code and words.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn glauber(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_glauber")).args(arguments).current_dir(folder).output().unwrap()
}

fn json_of(output: &Output) -> Value {
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

const FIT: &str = r#"
model = "susceptible-infected"
task = "transition"
[model-options]
shape = [16, 16]
[data.simulate]
parameters = { beta = 0.3 }
runs = 20
steps = 12
[start]
beta = 0.8
[optimizer]
name = "sgd"
learning-rate = 1.0
steps = 60
batch = 64
average = 0.5
map = "clamp"
"#;

fn with_fit(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fit.toml"), text).unwrap();
    folder
}

#[test]
fn a_fit_recovers_its_parameter_and_leaves_its_results() {
    let folder = with_fit(FIT);
    let output = glauber(folder.path(), &["fit", "fit.toml", "--out", "run", "--json", "--quiet"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let result = json_of(&output);
    let beta = &result["parameters"]["beta"];
    let (estimate, error) = (beta["estimate"].as_f64().unwrap(), beta["standard_error"].as_f64().unwrap());
    let noise = beta["monte_carlo_error"].as_f64().unwrap();
    // Five standard errors: one false alarm in 1.7 million seeds.
    assert!((estimate - 0.3).abs() < 5.0 * error.hypot(noise), "{estimate} ± {error} ± {noise}");
    for name in ["result.json", "trace.csv", "trace.svg", "fit.toml"] {
        assert!(folder.path().join("run").join(name).exists(), "no {name}");
    }
    for key in ["model", "task", "loss", "steps", "stopped", "seed", "seconds", "version", "out"] {
        assert!(!result[key].is_null(), "no {key} in {result}");
    }
}

#[test]
fn the_same_seed_gives_the_same_numbers_on_one_thread_and_two() {
    let folder = with_fit(FIT);
    let trace = |out: &str, threads: &str| {
        let output =
            glauber(folder.path(), &["fit", "fit.toml", "--out", out, "--threads", threads, "--quiet"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        std::fs::read_to_string(folder.path().join(out).join("trace.csv")).unwrap()
    };
    assert_eq!(trace("one", "1"), trace("two", "2"));
}

#[test]
fn a_folder_that_holds_a_run_is_refused() {
    let folder = with_fit(FIT);
    let arguments = ["fit", "fit.toml", "--out", "run", "--quiet", "--set", "optimizer.steps=2"];
    assert_eq!(glauber(folder.path(), &arguments).status.code(), Some(0));
    let before = std::fs::read(folder.path().join("run/result.json")).unwrap();
    refused(folder.path(), &arguments, &["run", "--resume"]);
    assert_eq!(std::fs::read(folder.path().join("run/result.json")).unwrap(), before);
}

#[test]
fn simulated_states_can_be_fitted() {
    // The likelihood takes all pairs, and no batches.
    let folder = with_fit(&FIT.replace("batch = 64\n", "").replace(
        "[data.simulate]\nparameters = { beta = 0.3 }\nruns = 20\nsteps = 12",
        "[data]\nstates = \"runs.npz\"",
    ));
    let simulate = [
        "simulate",
        "susceptible-infected",
        "--option",
        "shape=[16,16]",
        "--set",
        "beta=0.3",
        "--steps",
        "12",
        "--replicates",
        "20",
        "--out",
        "runs.npz",
        "--json",
    ];
    let output = glauber(folder.path(), &simulate);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(json_of(&output)["replicates"], 20);
    let output = glauber(
        folder.path(),
        &[
            "fit",
            "fit.toml",
            "--out",
            "run",
            "--json",
            "--quiet",
            "--set",
            "loss.name=likelihood",
            "--set",
            "optimizer.name=rprop",
            "--set",
            "optimizer.learning-rate=0.1",
        ],
    );
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let beta = &json_of(&output)["parameters"]["beta"];
    let (estimate, error) = (beta["estimate"].as_f64().unwrap(), beta["standard_error"].as_f64().unwrap());
    assert!((estimate - 0.3).abs() < 5.0 * error, "{estimate} ± {error}");
    refused(folder.path(), &simulate, &["runs.npz", "exists already"]);
}

#[test]
fn pictures_and_films_are_written() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["film.gif", "last.png"] {
        let output = glauber(
            folder.path(),
            &["simulate", "susceptible-infected", "--option", "shape=[24,32]", "--steps", "6", "--out", name],
        );
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(std::fs::metadata(folder.path().join(name)).unwrap().len() > 100);
    }
}

#[test]
fn models_are_listed_shown_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let models = json_of(&glauber(folder.path(), &["models", "--json"]));
    assert!(models["models"].as_array().unwrap().iter().any(|m| m["name"] == "susceptible-infected"));
    let shown = glauber(folder.path(), &["show", "susceptible-infected", "--adjoint"]);
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains("sum of aware over 8 neighbours") && text.contains("d/d beta"), "{text}");
    let checked = json_of(&glauber(
        folder.path(),
        &[
            "check",
            "susceptible-infected",
            "--option",
            "shape=[5,5]",
            "--set",
            "beta=0.1",
            "--steps",
            "1",
            "--json",
        ],
    ));
    for estimator in ["straight-through", "score-function"] {
        assert_eq!(checked["estimators"][estimator]["verdict"], "agrees", "{checked}");
    }
}

#[test]
fn wrong_input_is_refused_with_place_and_remedy() {
    let folder = with_fit(FIT);
    let here = folder.path();
    let fit = |set: &'static str| ["fit", "fit.toml", "--out", "x", "--quiet", "--set", set];
    refused(here, &["fit", "none.toml"], &["none.toml", "no such file"]);
    refused(
        here,
        &["simulate", "suceptible-infected", "--out", "a.npz"],
        &["suceptible", "susceptible-infected"],
    );
    refused(
        here,
        &["simulate", "susceptible-infected", "--set", "beta=1.5", "--out", "a.npz"],
        &["beta", "1.5", "[0, 1]"],
    );
    refused(
        here,
        &["simulate", "susceptible-infected", "--set", "bta=0.5", "--out", "a.npz"],
        &["bta", "beta"],
    );
    refused(here, &["simulate", "susceptible-infected", "--out", "a.txt"], &["a.txt", ".npz"]);
    refused(here, &["simulate", "susceptible-infected", "--steps", "0", "--out", "a.npz"], &["--steps"]);
    refused(
        here,
        &["simulate", "susceptible-infected", "--out", "no/such/folder/a.npz"],
        &["no/such/folder"],
    );
    refused(here, &fit("optimizer.steps=0"), &["steps"]);
    refused(here, &fit("start.beta=1.5"), &["beta", "1.5"]);
    refused(here, &fit("start.betta=0.5"), &["betta", "beta"]);
    refused(here, &fit("optimizer.lerning-rate=1"), &["lerning-rate", "learning-rate"]);
    refused(here, &fit("optimizer.batch=0"), &["batch"]);
    refused(here, &fit("loss.name=pixels"), &["pixels", "pixel"]);
    refused(here, &fit("estimator.name=gumbel-softmx"), &["gumbel-softmx", "gumbel-softmax"]);
    refused(here, &fit("estimator.temperature=-1"), &["temperature"]);
    refused(here, &fit("model=susceptible"), &["susceptible-infected"]);
    refused(here, &fit("model-options.shap=[8,8]"), &["shap", "shape"]);
    refused(here, &fit("data.states=none.npz"), &["none.npz", "no such file"]);
    assert!(!here.join("x").join("result.json").exists());
    assert!(!here.join("x").exists(), "a refused fit leaves nothing behind");
}

#[test]
fn wrong_states_are_refused_with_their_place() {
    let folder = with_fit(&FIT.replace(
        "[data.simulate]\nparameters = { beta = 0.3 }\nruns = 20\nsteps = 12",
        "[data]\nstates = \"bad.npz\"",
    ));
    let here = folder.path();
    let write = |bytes: &[u8]| std::fs::write(here.join("bad.npz"), bytes).unwrap();
    let fit = ["fit", "fit.toml", "--out", "x", "--quiet"];
    refused(here, &fit, &["bad.npz"]);
    write(b"");
    refused(here, &fit, &["bad.npz"]);
    write(b"not an archive at all");
    refused(here, &fit, &["bad.npz"]);
    let simulate =
        ["simulate", "susceptible-infected", "--option", "shape=[8,8]", "--steps", "3", "--out", "small.npz"];
    assert_eq!(glauber(here, &simulate).status.code(), Some(0));
    refused(
        here,
        &["fit", "fit.toml", "--out", "x", "--quiet", "--set", "data.states=small.npz"],
        &["[16, 16]", "aware"],
    );
}

#[test]
fn states_a_layer_cannot_hold_are_refused_with_their_place() {
    use glauber::data::Overwrite;
    use glauber::data::arrays::{Array, write_npz};
    let folder = with_fit(&FIT.replace(
        "[data.simulate]\nparameters = { beta = 0.3 }\nruns = 20\nsteps = 12",
        "[data]\nstates = \"bad.npz\"",
    ));
    let write = |shape: Vec<usize>, values: Vec<f64>| {
        let array = Array::new(shape, values).unwrap();
        write_npz(folder.path().join("bad.npz"), [("aware", &array)], Overwrite::Replace).unwrap();
    };
    let fit = ["fit", "fit.toml", "--out", "x", "--quiet"];
    let mut values = vec![0.0; 2 * 3 * 256];
    values[256 + 7] = f64::NAN;
    write(vec![2, 3, 16, 16], values.clone());
    refused(folder.path(), &fit, &["run 0", "time 1", "site 7", "NaN"]);
    values[256 + 7] = 2.0;
    write(vec![2, 3, 16, 16], values);
    refused(folder.path(), &fit, &["run 0", "time 1", "site 7", "2", "binary"]);
    write(vec![2, 1, 16, 16], vec![0.0; 2 * 256]);
    refused(folder.path(), &fit, &["only one time"]);
    write(vec![1, 3, 16, 16], vec![1.0; 3 * 256]);
    refused(folder.path(), &fit, &["nothing to learn"]);
}

#[test]
fn an_output_that_cannot_be_written_is_refused() {
    let folder = with_fit(FIT);
    std::fs::write(folder.path().join("file"), "in the way").unwrap();
    refused(folder.path(), &["fit", "fit.toml", "--out", "file/run", "--quiet"], &["file/run"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("file")).unwrap(), "in the way");
}

#[test]
fn help_teaches_and_mistakes_exit_with_two() {
    let folder = tempfile::tempdir().unwrap();
    let help = glauber(folder.path(), &["fit", "--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("--resume"));
    assert_eq!(glauber(folder.path(), &["fitt"]).status.code(), Some(2));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_glauber"))
        .arg("models")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // As `| head -0` does; the program may even write before this, into the pipe's own room.
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

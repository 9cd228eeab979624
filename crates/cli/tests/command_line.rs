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
    let compare = "estimator.compare=[\"likelihood\"]";
    let arguments = ["fit", "fit.toml", "--out", "run", "--json", "--quiet", "--set", compare];
    let output = glauber(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let result = json_of(&output);
    let beta = &result["parameters"]["beta"];
    let (estimate, noise) = (beta["estimate"].as_f64().unwrap(), beta["simulation_noise"].as_f64().unwrap());
    let exact = result["compared"][0]["parameters"]["beta"]["standard_error"].as_f64().unwrap();
    // Least squares on pixels are at most 1.31 times the likelihood's error off: by Kantorovich's inequality for
    // variances p (1 − p) between 0.054 (eight neighbours) and 0.25. Five errors: one false alarm in 1.7 million seeds.
    assert!((estimate - 0.3).abs() < 5.0 * (1.31 * exact).hypot(noise), "{estimate}, {exact}, {noise}");
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
    let folder = with_fit(&FIT.replace(
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

#[test]
fn unknown_vector_instructions_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let simulate = |simd: &str, out: &str| {
        Command::new(env!("CARGO_BIN_EXE_glauber"))
            .args(["simulate", "susceptible-infected", "--option", "shape=[8,8]", "--out", out])
            .env("GLAUBER_SIMD", simd)
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    assert_eq!(simulate("plain", "a.npz").status.code(), Some(0));
    for name in ["sse9", "", "AVX2"] {
        let output = simulate(name, "b.npz");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains("GLAUBER_SIMD") && message.contains("plain"), "{message}");
    }
}

#[test]
fn simulations_take_double_precision_and_say_what_small_lattices_do() {
    let folder = tempfile::tempdir().unwrap();
    let simulate = |more: &[&str]| {
        glauber(folder.path(), &[&["simulate", "susceptible-infected", "--json"], more].concat())
    };
    let shape = ["--option", "shape=[16,16]"];
    for precision in ["f32", "f64"] {
        let out = format!("{precision}.npz");
        let output = simulate(&[&shape[..], &["--precision", precision, "--out", &out]].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(json_of(&output)["notes"], serde_json::json!([]));
    }
    let wrong = simulate(&[&shape[..], &["--precision", "f16", "--out", "c.npz"]].concat());
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    let ladder = simulate(&["--option", "shape=[2,16]", "--out", "d.npz"]);
    assert!(json_of(&ladder)["notes"][0].as_str().unwrap().contains("counts twice"), "{ladder:?}");
    let arguments = ["simulate", "susceptible-infected", "--option", "shape=[1,16]", "--out", "e.npz"];
    refused(folder.path(), &arguments, &["the site itself", "shape [16]"]);
}

fn text_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A fit by the exact likelihood of a model in a file, whose rule is `rule` of `parameters`.
fn with_rule(rule: &str, parameters: &[(&str, f64, f64)]) -> tempfile::TempDir {
    let list = |f: &dyn Fn(&(&str, f64, f64)) -> String| parameters.iter().map(f).collect::<String>();
    let folder = tempfile::tempdir().unwrap();
    let model = format!(
        "name = \"own\"\nstates = [\"off\", \"on\"]\n[lattice]\nshape = [24, 24]\n[parameters]\n{}[start]\non = 0.3\n[transitions]\n\
         \"off -> on\" = \"{rule}\"\n\"on -> off\" = \"0.3\"\n",
        list(&|(name, ..)| format!("{name} = [0.0, 1.0]\n"))
    );
    let fit = format!(
        "model = \"own.toml\"\ntask = \"transition\"\n[data.simulate]\nparameters = {{ {} }}\nruns = 4\nsteps = 8\n\
         [start]\n{}[loss]\nname = \"likelihood\"\n[optimizer]\nname = \"rprop\"\nsteps = 150\n",
        list(&|(name, truth, _)| format!("{name} = {truth:?}, ")).trim_end_matches(", "),
        list(&|(name, _, start)| format!("{name} = {start:?}\n")),
    );
    std::fs::write(folder.path().join("own.toml"), model).unwrap();
    std::fs::write(folder.path().join("fit.toml"), fit).unwrap();
    folder
}

#[test]
fn a_loss_has_simulation_noise_and_no_error_in_every_face() {
    let folder = with_fit(FIT);
    let output = glauber(folder.path(), &["fit", "fit.toml", "--out", "run", "--quiet"]);
    let text = text_of(&output);
    assert!(!text.contains('±'), "{text}");
    assert!(text.contains("simulation noise 0.0") && text.contains(", error not known"), "{text}");
    let first = text.lines().next().unwrap();
    assert!(first.contains("error not known") || first.contains("not at its optimum"), "{first}");
    let written = std::fs::read_to_string(folder.path().join("run/result.json")).unwrap();
    let result: Value = serde_json::from_str(&written).unwrap();
    let beta = &result["parameters"]["beta"];
    assert!(beta["standard_error"].is_null() && beta["simulation_noise"].as_f64().unwrap() > 0.0);
    assert!(result["likelihood"].is_null() && result.get("at_optimum").is_some());
    let notes: Vec<&str> = result["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(notes.iter().any(|n| n.contains("pairs of states")), "{notes:?}");
    assert!(notes.iter().any(|n| n.contains("exact likelihood, which gives errors")), "{notes:?}");
}

#[test]
fn a_likelihood_fit_says_whether_it_arrived() {
    let folder = with_rule("a", &[("a", 0.4, 0.9)]);
    let fit = |steps: &str| {
        let steps = format!("optimizer.steps={steps}");
        let output = glauber(folder.path(), &["fit", "fit.toml", "--json", "--quiet", "--set", &steps]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        json_of(&output)
    };
    let early = fit("2");
    assert!(early["parameters"]["a"]["standard_error"].is_null() && early["at_optimum"] == false);
    assert!(early["notes"][0].as_str().unwrap().starts_with("not at its optimum"), "{early}");
    let late = fit("150");
    let own = &late["parameters"]["a"];
    let (estimate, error) = (own["estimate"].as_f64().unwrap(), own["standard_error"].as_f64().unwrap());
    // A false alarm once in 10⁴ such data sets.
    assert!((estimate - 0.4).abs() < 3.89 * error && late["at_optimum"] == true, "{late}");
    assert_eq!(late["likelihood"], "exact");
}

#[test]
fn what_the_data_do_not_determine_is_named() {
    for (rule, only) in [("a*b", "`a` · `b`"), ("0.5*(a+b)", "`a` + `b`")] {
        let folder = with_rule(rule, &[("a", 0.5, 0.3), ("b", 0.4, 0.8)]);
        let output = glauber(folder.path(), &["fit", "fit.toml", "--quiet"]);
        let text = text_of(&output);
        let first = text.lines().next().unwrap();
        assert!(first.contains(&format!("the data determine only {only}")), "{text}");
        assert!(!text.contains('±'), "{text}");
    }
    let folder = with_rule("a", &[("a", 0.5, 0.3), ("idle", 0.4, 0.8)]);
    let text = text_of(&glauber(folder.path(), &["fit", "fit.toml", "--quiet"]));
    assert!(text.lines().next().unwrap().contains("do not determine `idle`"), "{text}");
    assert_eq!(text.matches('±').count(), 1, "{text}");
    let folder = with_rule("0.3", &[("idle", 0.4, 0.8)]);
    let output = glauber(folder.path(), &["fit", "fit.toml", "--quiet"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        text_of(&output).contains("the gradient by `idle` was 0 in every one of 150 steps"),
        "{output:?}"
    );
}

#[test]
fn a_fit_that_diverged_fails_and_has_no_estimate() {
    // The data contradict the start: its chance is 1, and some sites stayed off.
    let folder = with_rule("min(1, 2*a)", &[("a", 0.2, 0.7)]);
    let output = glauber(folder.path(), &["fit", "fit.toml", "--out", "run", "--json", "--quiet"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{output:?}");
    let text = text_of(&output);
    assert!(text.contains("no estimate") && text.contains("probability 0"), "{text}");
    let written = std::fs::read_to_string(folder.path().join("run/result.json")).unwrap();
    let result: Value = serde_json::from_str(&written).unwrap();
    assert!(result["parameters"]["a"]["estimate"].is_null() && result["stopped"] == "diverged", "{result}");
    // Among several starts it is passed over, and said.
    let several = ["fit", "fit.toml", "--json", "--quiet", "--set", "start.a=[0.7, 0.1, 0.3]"];
    let output = glauber(folder.path(), &several);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let result = json_of(&output);
    assert!(result["starts"][0]["parameters"]["a"]["estimate"].is_null());
    let best = result["best"].as_str().unwrap().to_string();
    assert!(best == "likelihood, start 2" || best == "likelihood, start 3", "{best}");
    let losses: Vec<f64> = (1..3).map(|k| result["starts"][k]["loss"].as_f64().unwrap()).collect();
    assert!((result["loss"].as_f64().unwrap() - losses[0].min(losses[1])).abs() < 1e-15);
    let notes = result["notes"].to_string();
    assert!(notes.contains("the best of 3 starts is start") && notes.contains("1 diverged"), "{notes}");
}

#[test]
fn a_fit_is_compared_with_itself_once_and_searches_go_by_their_name() {
    let folder = with_fit(FIT);
    let compare = "estimator.compare=[\"straight-through\", \"likelihood\", \"likelihood\"]";
    let output = glauber(folder.path(), &["fit", "fit.toml", "--json", "--quiet", "--set", compare]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let result = json_of(&output);
    let compared: Vec<&str> =
        result["compared"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(compared, ["likelihood"]);
    assert!(result["notes"].to_string().contains("fitted once"), "{result}");
    let text = FIT.split("[optimizer]").next().unwrap().to_string();
    let folder = with_fit(&(text + "[optimizer]\nname = \"nelder-mead\"\nsteps = 12\n"));
    let text = text_of(&glauber(folder.path(), &["fit", "fit.toml", "--quiet"]));
    assert!(text.contains("nelder-mead  beta = ") && !text.contains("straight-through  "), "{text}");
    refused(
        folder.path(),
        &["fit", "fit.toml", "--quiet", "--set", "estimator.compare=[\"gumbel-softmax\"]"],
        &["estimator.compare", "nelder-mead", "uses no gradients"],
    );
}

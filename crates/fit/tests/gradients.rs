//! Fits by gradients through many steps: those of examples/gradients recover what their data were made with; models that update
//! one site after another are fitted by differences; what is wrong with a gradient stands in the result's first line.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use glauber_fit::fit_file::FitFile;
use glauber_fit::job::{Outcome, Unkept, prepare};
use glauber_optimize::fit_result::FitResult;
use glauber_optimize::observer::{Observer, Silent};

fn run(file: &FitFile) -> Outcome {
    let mut job = prepare(file).unwrap();
    let mut silent = |_: &str| Box::new(Silent) as Box<dyn Observer>;
    job.run(&mut silent, &Unkept, &AtomicBool::new(false)).unwrap()
}

fn example(name: &str, set: &[&str]) -> FitResult {
    let path = format!("{}/../../examples/gradients/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let overrides: Vec<String> = set.iter().map(|o| (*o).to_string()).collect();
    let text = std::fs::read_to_string(&path).unwrap();
    let file = FitFile::parse(&text, Path::new(&path), &overrides, Path::new("")).unwrap();
    run(&file).fits.remove(0).result
}

fn fit(text: &str) -> FitResult {
    run(&FitFile::parse(text, Path::new("fit.toml"), &[], Path::new("")).unwrap()).fits.remove(0).result
}

/// Every estimate is within 3.5 of its errors of what the data were made with: five numbers or fewer, one false alarm in 400
/// seeds; and the seeds stand still.
fn recovers(result: &FitResult, truth: &[(&str, f64)]) {
    assert_eq!(result.at_optimum, Some(true), "{}: {:?}", result.verdict, result.estimates);
    for (name, true_value) in truth {
        let found = result.estimate(name).unwrap();
        let error = found.standard_error.unwrap();
        assert!((found.value - true_value).abs() < 3.5 * error, "{}", found.words());
        // An error that says nothing would be within anything.
        assert!(error < 0.3 * true_value.abs(), "{}", found.words());
    }
}

#[test]
fn an_epidemic_is_recovered_from_its_mean_curves_through_eight_steps() {
    recovers(&example("recovery", &[]), &[("infection", 0.2), ("recovery", 0.3)]);
}

#[test]
#[ignore = "minutes: cargo xtask test --full runs it"]
fn and_through_twenty() {
    let found = example("recovery", &["data.simulate.steps=20"]);
    recovers(&found, &[("infection", 0.2), ("recovery", 0.3)]);
}

#[test]
#[ignore = "minutes: cargo xtask test --full runs it"]
fn a_fire_tells_the_winds_direction_through_five_steps() {
    let found = example("wind", &[]);
    let value = |name: &str| found.estimate(name).unwrap().value;
    // How far 80 pairs lead astray is not known to the fit: the signs are what is asked.
    let (spread, y, x) = (value("spread"), value("wind_y"), value("wind_x"));
    assert!(y < -0.1 && x > 0.1 && (spread - 0.3).abs() < 0.05, "{:?}", found.estimates);
}

#[test]
#[ignore = "minutes: cargo xtask test --full runs it"]
fn predators_and_prey_are_recovered_from_the_number_of_prey_over_twenty_steps() {
    let found = example("lotka-volterra", &[]);
    // Starts are a half or twice as much. The three trade against each other: it comes to rest slowly, without errors.
    for (name, truth) in [("birth", 0.15), ("catch", 0.25), ("death", 0.2)] {
        let value = found.estimate(name).unwrap().value;
        assert!((value / truth - 1.0).abs() < 0.15, "{name}: {:?}", found.estimates);
    }
}

#[test]
#[ignore = "minutes: cargo xtask test --full runs it"]
fn an_epidemic_is_recovered_over_forty_days_and_from_counts_of_districts() {
    let truth = [("infection", 0.12), ("recovery", 0.25)];
    recovers(&example("forty-days", &[]), &truth);
    recovers(&example("forty-days", &["loss.summary=\"blocks(state=infected, 3, 3)\""]), &truth);
}

const EVENTS: &str = "model = \"contact-process\"\ntask = \"trajectory\"\nerrors = \"sandwich\"\n\
    [model-options]\nshape = [10, 10]\nstart = \"random\"\n\
    [data.simulate]\nparameters = { lambda = 1.5 }\nruns = 100\nsteps = 2\nseed = 4\n\
    [start]\nlambda = 0.8\n[loss]\nsummary = \"mean(occupied)\"\nweighted = true\n[estimator]\nname = \"differences\"\n\
    [optimizer]\nlearning-rate = 0.1\nsteps = 240\naverage = 0.4\nreplicates = 60\n\
    schedule = { name = \"cosine\", end = 0.05 }\n";

/// The squared error of single draws is least at probabilities of 0 or 1: every estimator follows that of their means. The fits
/// wander by some 0.005 and the data's own error is 0.006; those that went astray ended beyond 0.06.
#[test]
fn fits_to_single_draws_find_probabilities_by_every_estimator() {
    for estimator in ["straight-through", "reinmax", "score-function", "light-cone", "differences"] {
        let found = fit(&format!(
            "model = \"susceptible-infected\"\ntask = \"transition\"\n[model-options]\nshape = [16, 16]\n\
             [data.simulate]\nparameters = {{ beta = 0.3 }}\nruns = 20\nsteps = 6\n[start]\nbeta = 0.6\n[loss]\n\
             name = \"pixel\"\n[estimator]\nname = \"{estimator}\"\n[optimizer]\nsteps = 500\n"
        ));
        let beta = found.estimate("beta").unwrap().value;
        assert!((beta - 0.3).abs() < 0.03, "{estimator}: {beta}, {}", found.verdict);
        assert!(!found.verdict.contains("wrong"), "{estimator}: {}", found.verdict);
    }
}

/// Softened draws have another gradient, whose rest is elsewhere: it is said whatever the comparison with differences sees.
#[test]
fn a_fit_to_single_draws_by_softened_ones_says_that_it_is_biased() {
    let text = |loss: &str| {
        format!(
            "model = \"susceptible-infected\"\ntask = \"transition\"\n[model-options]\nshape = [8, 8]\n\
             [data.simulate]\nparameters = {{ beta = 0.3 }}\nruns = 4\nsteps = 4\n[start]\nbeta = 0.3\n[loss]\n\
             name = \"{loss}\"\n[estimator]\nname = \"gumbel-softmax\"\n[optimizer]\nsteps = 5\n"
        )
    };
    let found = fit(&text("pixel"));
    assert!(found.verdict.contains("biased: by softened draws"), "{}", found.verdict);
    assert!(!fit(&text("count")).verdict.contains("softened draws"));
}

/// What nothing depends on is an error before any run.
#[test]
fn a_parameter_that_nothing_reads_is_refused_at_once() {
    let text = "model = \"idle.model.toml\"\ntask = \"transition\"\n[data.simulate]\nparameters = { p = 0.3, q = 0.5 }\nruns = 4\n\
                steps = 2\n[start]\np = 0.5\nq = 0.5\n[loss]\nname = \"count\"\n";
    let folder = tempfile::tempdir().unwrap();
    let rule = "name = \"idle\"\nstates = [\"off\", \"on\"]\n[lattice]\nshape = [8, 8]\n[parameters]\n\
                p = { interval = [0, 1] }\nq = { interval = [0, 1] }\n[start]\non = 0.2\n[transitions]\n\"off -> on\" = \"p\"\n";
    std::fs::write(folder.path().join("idle.model.toml"), rule).unwrap();
    for search in ["", "[optimizer]\nname = \"nelder-mead\"\n"] {
        let path = folder.path().join("fit.toml");
        let file = FitFile::parse(&format!("{text}{search}"), &path, &[], Path::new("")).unwrap();
        let error = prepare(&file).err().unwrap().to_string();
        assert!(error.contains("depends on `q`"), "{error}");
    }
}

/// In continuous time, site after site: by differences, from the data to errors.
#[test]
fn a_model_by_events_is_fitted_by_differences() {
    recovers(&fit(EVENTS), &[("lambda", 1.5)]);
    let ordered = EVENTS.replace("start = \"random\"", "start = \"random\"\nupdate = \"random-sequential\"");
    recovers(&fit(&ordered.replace("steps = 2", "steps = 10")), &[("lambda", 1.5)]);
}

/// The straight-through gradient through steps that amplify is wrong; a cone that is cut off, and one that there is not, are
/// said at once.
#[test]
fn what_is_wrong_with_a_gradient_stands_in_the_first_line() {
    let text = |model: &str, summary: &str, estimator: &str| {
        format!(
            "model = \"{model}\"\ntask = \"trajectory\"\n[model-options]\nshape = [8, 8]\nstart = \"random\"\n\
             density = 0.05\n[data.simulate]\nparameters = {{ infection = 0.2, recovery = 0.3 }}\nruns = 20\nsteps = 6\n\
             [start]\ninfection = 0.3\n[fixed]\nrecovery = 0.3\n[loss]\nsummary = \"{summary}\"\n[estimator]\n{estimator}\n\
             [optimizer]\nlearning-rate = 0.02\nsteps = 40\nreplicates = 10\n"
        )
    };
    let sir = "susceptible-infected-recovered";
    let cut_off = fit(&text(sir, "mean(state=infected)", "name = \"light-cone\"\nradius = 1"));
    assert!(cut_off.verdict.contains("`radius` of 1 sites"), "{}", cut_off.verdict);
    let whole = fit(&text(sir, "variance(state=infected)", "name = \"light-cone\""));
    assert!(whole.verdict.contains("are the whole lattice"), "{}", whole.verdict);
    let plain = fit(&text(sir, "mean(state=infected)", "name = \"light-cone\""));
    assert!(!plain.verdict.contains("cone") && !plain.verdict.contains("wrong"), "{}", plain.verdict);
}

//! The synthetic likelihood: the normal law itself where the model is normal, and means of runs.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::float_cmp)]

use glauber_engine::Options;
use glauber_inference::route::{Route, Settings};
use glauber_inference::surface;
use glauber_lattice::{Lattice, Values};
use glauber_models::{ModelOptions, named};
use glauber_program::{Interval, Model};
use glauber_tasks::observation::{Design, Experiment, Noise, Observed, Watch, What};

fn settings(simulations: usize) -> Settings {
    Settings { simulations: Some(simulations), seed: 5, options: Options::default() }
}

/// Independent sites: a count is binomial with mean n p, nearly normal, so that the synthetic likelihood of runs is near the
/// normal one.
#[test]
fn a_count_has_its_normal_likelihood() {
    let model = Model::build("coins", Lattice::square(20))
        .layer("heads", Values::binary())
        .parameter("p", Interval::unit())
        .start(|s| s.next("heads").set(0.0))
        .step(|s| s.next("heads").bernoulli(s.parameter("p")))
        .unwrap();
    let what = What::named("count(heads=1)", None, &model).unwrap();
    let values = vec![110.0, 125.0, 118.0, 131.0];
    let seen =
        Observed::new("count(heads=1)", what, Noise::exact(), vec![1], 4, values.clone(), &model).unwrap();
    let design = Design::new(&model, vec![Experiment::new("all", vec![seen])], &[]).unwrap();
    let (route, _) = Route::of(&design, None).unwrap();
    assert_eq!(route, Route::Synthetic);
    let mut likelihood = route.likelihood(design, &[0.3], settings(20_000)).unwrap();
    let found = likelihood.log_likelihood(&[0.3], 0).unwrap();
    let (mean, variance): (f64, f64) = (400.0 * 0.3, 400.0 * 0.3 * 0.7);
    let wanted: f64 = values
        .iter()
        .map(|y| -0.5 * ((y - mean).powi(2) / variance + (std::f64::consts::TAU * variance).ln()))
        .sum();
    // The simulated mean has an error of sd/√20,000, the variance one of 1 %: 4.9 of both together.
    let slope: f64 = values.iter().map(|y| (y - mean) / variance).sum();
    let by_mean = slope.abs() * (variance / 20_000.0).sqrt();
    let by_variance =
        values.iter().map(|y| 0.5 * ((y - mean).powi(2) / variance - 1.0)).sum::<f64>().abs() * 0.01;
    assert!((found - wanted).abs() < 4.9 * (by_mean + by_variance), "{found} {wanted}");
    assert_eq!(likelihood.log_likelihood(&[1.2], 0).unwrap(), f64::NEG_INFINITY);
}

/// Susceptible, infected, recovered from means of 20 runs: the interval covers the truth.
#[test]
#[ignore = "minutes: cargo xtask test --full runs it"]
fn means_of_twenty_curves_give_an_interval_that_covers_the_truth() {
    let options =
        ModelOptions::none().with("shape", vec![32.0, 32.0]).with("start", "random").with("density", 0.02);
    let model = named("susceptible-infected-recovered", &options).unwrap();
    let names: Vec<&str> = model.declarations().parameters.iter().map(|p| p.name.as_str()).collect();
    let steps: Vec<u32> = (1..=10).map(|k| 3 * k).collect();
    let layer = &model.declarations().layers[0];
    let state = match &layer.values {
        Values::Categories(names) => names[1].clone(),
        _ => "1".into(),
    };
    let text = format!("count({}={state})", layer.name);
    let what = What::named(&text, None, &model).unwrap();
    let blank = Observed::new(&text, what, Noise::exact(), steps.clone(), 1, vec![1.0; 10], &model).unwrap();
    let experiment = Experiment { mean_of: 20, ..Experiment::new("curves", vec![blank]) };
    let design = Design::new(&model, vec![experiment], &[]).unwrap();
    let truth = [0.1, 0.2];
    assert_eq!(names.len(), 2, "{names:?}");
    let watch = Watch::new(&design, Options::default()).unwrap();
    let design = design.with_experiments(watch.drawn(&design, &truth, 9).unwrap());
    let mut likelihood = Route::Synthetic.likelihood(design, &[0.2, 0.3], settings(200)).unwrap();
    let found = surface::look(&mut *likelihood, &[0.2, 0.3], 1, &|| false).unwrap();
    println!("{found:?}");
    for (i, truth) in truth.iter().enumerate() {
        let error = found.verdict.known[i].error().unwrap();
        // Four errors: a false alarm of 6 in 100,000.
        assert!((found.theta[i] - truth).abs() < 4.0 * error.hypot(found.simulation_noise[i]), "{found:?}");
        assert!(error > 1e-4, "{found:?}");
    }
}

//! Checks every summary's way back against finite differences in double precision, and the walk's gradient against
//! the closed form.
#![allow(clippy::unwrap_used)]

use glauber_engine::{FieldData, LossValue, Observation, Options, Plan, Precision, Run};
use glauber_lattice::{Lattice, Values};
use glauber_models::{ModelOptions, named};
use glauber_program::estimators::{EstimatorOptions, named as estimator};
use glauber_program::{Interval, Model};
use glauber_statistics::tolerance::{SampleMean, shared};
use glauber_tasks::summaries::{SUMMARIES, SummaryChoice, observation};

fn double() -> Options {
    Options { precision: Precision::Double, ..Options::default() }
}

/// Two layers of real numbers that stand still, named so that every summary finds what it needs.
fn still(lattice: Lattice) -> Model {
    Model::build("still", lattice)
        .layer("x", Values::Real)
        .layer("y", Values::Real)
        .parameter_or("noise", Interval::positive(), 0.5)
        .step(|s| {
            for layer in ["x", "y"] {
                s.next(layer).set(s.layer(layer) * 1.0);
            }
        })
        .unwrap()
}

/// Numbers without a pattern, in (−1, 1).
fn numbers(count: usize, mut x: u64) -> Vec<f64> {
    let mut next = || {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (x >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn texts(one: &str, dimensions: usize) -> Vec<&'static str> {
    match one {
        "msd" => vec!["msd"],
        "mean" => vec!["mean(x)", "mean(y, x)"],
        "count" => vec!["count(y)", "count(x, y)"],
        "blocks" => vec![match dimensions {
            1 => "blocks(x, 3)",
            2 => "blocks(x, 2, 3)",
            _ => "blocks(x, 2, 1, 3)",
        }],
        "variance" => vec!["variance(x)"],
        "correlation" => vec!["correlation(x, 0, 1, 3)", "correlation(y)"],
        "spectrum" => vec!["spectrum(x)"],
        other => {
            panic!("write the summary `{other}` of the layers x, y here, so that its derivative is checked")
        }
    }
}

#[test]
fn every_summary_flows_back_as_finite_differences_say() {
    for lattice in [
        Lattice::line(12).periodic(),
        Lattice::new(&[6, 8]).unwrap().periodic(),
        Lattice::new(&[5, 7]).unwrap().bounded(glauber_lattice::Boundary::Reflecting),
        Lattice::new(&[5, 4]).unwrap().bounded(glauber_lattice::Boundary::Fixed(0.3)),
        Lattice::new(&[4, 5, 6]).unwrap().periodic(),
    ] {
        let model = still(lattice.clone());
        for text in SUMMARIES.iter().flat_map(|e| texts(e.name, lattice.dimensions())) {
            check_summary(
                &model,
                &observation(&text.parse::<SummaryChoice>().unwrap(), &model).unwrap(),
                text,
            );
        }
    }
}

fn check_summary(model: &Model, summary: &Observation, text: &str) {
    let sites = model.declarations().lattice.sites();
    let start = [numbers(sites, 3), numbers(sites, 4)];
    let plan = Plan::new(
        model,
        std::slice::from_ref(summary),
        Some(&*estimator("reinmax", EstimatorOptions::default()).unwrap()),
        double(),
    )
    .unwrap();
    let weights = numbers(summary.outputs().len(), 5);
    let value = |layers: &[Vec<f64>; 2], noise: f64| {
        let theta = [noise];
        let fields = layers.iter().map(|l| FieldData::shared(l.clone())).collect();
        let run = Run::new(&theta, 1).start(fields).observe(1, 0);
        let outputs = plan.simulate(&run).unwrap().outputs.mean();
        outputs.iter().zip(&weights).map(|(o, w)| o * w).sum::<f64>()
    };
    let theta = [0.5];
    let mut run =
        Run::new(&theta, 1).start(start.iter().map(|l| FieldData::shared(l.clone())).collect()).observe(1, 0);
    run.wants_start_gradient = true;
    let loss = |m: &[f64]| LossValue {
        value: m.iter().zip(&weights).map(|(m, w)| m * w).sum(),
        slopes: weights.clone(),
    };
    let found = plan.gradient(&run, &loss).unwrap();
    // Summaries are at most quadratic, so central differences are exact but for rounding: 10⁻¹⁶ times the value
    // (below 1000) over the step.
    let (step, bound) = (1e-3, 1e-9);
    for layer in 0..2 {
        for site in 0..sites {
            let (mut above, mut below) = (start.clone(), start.clone());
            above[layer][site] += step;
            below[layer][site] -= step;
            let difference = (value(&above, 0.5) - value(&below, 0.5)) / (2.0 * step);
            let slope = found.start[0][layer][site];
            assert!(
                (slope - difference).abs() < bound,
                "{text}, layer {layer}, site {site}: {slope} {difference}"
            );
        }
    }
    let difference = (value(&start, 0.5 + step) - value(&start, 0.5 - step)) / (2.0 * step);
    assert!(
        (found.parameters[0] - difference).abs() < bound,
        "{text}: noise {} {difference}",
        found.parameters[0]
    );
}

#[test]
fn summaries_have_their_known_values() {
    let model = still(Lattice::new(&[4, 6]).unwrap().periodic());
    // x: two waves along the longer axis; y: 1 everywhere.
    let wave = |site: usize| (std::f64::consts::TAU * 2.0 * (site % 6) as f64 / 6.0).cos();
    let layers = [(0..24).map(wave).collect::<Vec<f64>>(), vec![1.0; 24]];
    let values = |text: &str, step: usize| {
        let summary = observation(&text.parse::<SummaryChoice>().unwrap(), &model).unwrap();
        let plan = Plan::new(&model, &[summary], None, double()).unwrap();
        let run = Run::new(&[0.5], 1).start(layers.iter().map(|l| FieldData::shared(l.clone())).collect());
        plan.simulate(&run.observe(step, 0)).unwrap().outputs.mean()
    };
    let close = |found: Vec<f64>, right: &[f64]| {
        assert_eq!(found.len(), right.len());
        assert!(found.iter().zip(right).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?} {right:?}");
    };
    close(values("mean(y)", 0), &[1.0]);
    close(values("count(y)", 0), &[24.0]);
    close(values("variance(x)", 0), &[0.5]);
    close(values("variance(y)", 0), &[0.0]);
    // Without localisation noise at the start, with 4 σ² = 1 of it after a step.
    close(values("msd", 0), &[1.5]);
    close(values("msd", 1), &[2.5]);
    // Along the long axis cos(2π · 2r/6)/2, along the short axis 1/2.
    close(values("correlation(x, 0, 1, 3)", 0), &[0.5, 0.5 * (0.5 - 0.25), 0.5 * (0.5 + 0.5)]);
    // Two wave vectors of |F|² = 12², (±2/6) · 4 = 1.33 waves of the short side, in ring 1, which has 10.
    close(values("spectrum(x)", 0), &[2.0 * 144.0 / (10.0 * 24.0), 0.0]);
}

fn msd(n: usize, center: f64, resample: f64) -> f64 {
    let sum: f64 = (1..n).map(|k| (n - k) as f64 * (1.0 - resample).powi(k as i32)).sum();
    2.0 * (1.0 - center) * (n as f64 + 2.0 * sum)
}

#[test]
fn reinmax_and_the_score_function_give_the_walks_exact_gradient() {
    // One walker a replicate: the gradient of MSD(6) itself, from batches.
    let (center, resample, steps, batches, walkers) = (0.3, 0.4, 6, 100, 1000);
    let h = 1e-5;
    let exact = [
        (msd(steps, center + h, resample) - msd(steps, center - h, resample)) / (2.0 * h),
        (msd(steps, center, resample + h) - msd(steps, center, resample - h)) / (2.0 * h),
    ];
    let model = named("persistent-random-walk", &ModelOptions::none().with("walkers", 1.0)).unwrap();
    let theta = [center, resample];
    for name in ["reinmax", "score-function", "straight-through"] {
        let summary = observation(&"msd".parse().unwrap(), &model).unwrap();
        let by = estimator(name, EstimatorOptions::default()).unwrap();
        let plan = Plan::new(&model, &[summary], Some(&*by), double()).unwrap();
        let gradients: Vec<Vec<f64>> = (0..batches)
            .map(|seed| {
                let run = Run::new(&theta, steps).replicates(walkers).seed(seed).observe(steps, 0);
                plan.gradient(&run, &|m| LossValue { value: m[0], slopes: vec![1.0] }).unwrap().parameters
            })
            .collect();
        for parameter in 0..2 {
            let sample: Vec<f64> = gradients.iter().map(|g| g[parameter]).collect();
            let mean = SampleMean::of(&sample);
            let agrees = mean.agrees_with(exact[parameter], shared(1e-4, 6));
            // Straight-through misses what is quadratic in a draw: the whole of the derivative by p_center.
            assert_eq!(
                agrees,
                name != "straight-through",
                "{name} {parameter}: {mean:?} {}",
                exact[parameter]
            );
        }
    }
}

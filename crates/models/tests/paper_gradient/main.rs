//! Checks the paper's gradient of Malevanets–Kapral against a plain program in f64, and what departs from it against both.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod reference;

use glauber_engine::{FieldData, LossValue, Options, Plan, Precision, Run};
use glauber_models::{ModelOptions, named};
use glauber_program::Model;
use glauber_program::estimators::{EstimatorOptions, named as estimator_named};
use glauber_statistics::tolerance::{SampleMean, mean_within, shared};
use reference::{Departures, NONE, Noise, Program, State};

const NAMES: [&str; 5] = ["D_A", "D_B", "k1", "k2", "k3"];
const SIDE: usize = 12;
const CAPACITY: f64 = 20.0;
const THETA: [f64; 5] = [0.3, 0.5, 0.9, 0.4, 0.6];
/// Of each comparison.
const ALARM: f64 = 1e-3;

fn program() -> Program {
    Program { side: SIDE, capacity: CAPACITY, theta: THETA }
}

/// Two stripes of few and of many; a fifth of the sites is empty or full.
fn start() -> State {
    let at = |species: usize, site: usize| {
        let rough = (site * 7 + site / SIDE * 5 + species * 3) % 9;
        let low = (site % SIDE < SIDE / 2) == (species == 0);
        if low { rough.saturating_sub(1) as f64 } else { CAPACITY - rough.saturating_sub(1) as f64 }
    };
    [0, 1].map(|species| (0..SIDE * SIDE).map(|site| at(species, site)).collect())
}

fn fields() -> Vec<FieldData> {
    start().map(|layer| FieldData::shared(layer.iter().map(|n| *n as u8).collect::<Vec<u8>>())).to_vec()
}

fn model(excitation: &str, channel: &str) -> Model {
    let side = SIDE as f64;
    let options = ModelOptions::none().with("shape", vec![side, side]).with("capacity", CAPACITY);
    named("malevanets-kapral", &options.with("excitation", excitation).with("channel", channel)).unwrap()
}

fn by_engine(model: &Model, estimator: &str, steps: usize, samples: u64, replicates: usize) -> Vec<[f64; 5]> {
    at(&THETA, model, estimator, steps, samples, replicates)
}

/// The engine's gradients of Σ (x − x₀)², one sample per seed, each the mean over replicates.
fn at(
    theta: &[f64; 5],
    model: &Model,
    estimator: &str,
    steps: usize,
    samples: u64,
    replicates: usize,
) -> Vec<[f64; 5]> {
    let distance = model
        .observe(|s| {
            let off = |layer: &str| s.layer(layer) - s.data(&format!("{layer} before"));
            s.output("distance", (off("A") * off("A") + off("B") * off("B")).sum());
        })
        .unwrap();
    let estimator = estimator_named(estimator, EstimatorOptions::default()).unwrap();
    let options = Options { precision: Precision::Double, ..Options::default() };
    let plan = Plan::new(model, &[distance.into()], Some(&*estimator), options).unwrap();
    let sample = |seed| {
        let mut run =
            Run::new(theta, steps).replicates(replicates).seed(seed).start(fields()).observe(steps, 0);
        run.fields = ["A before", "B before"].map(String::from).into_iter().zip(fields()).collect();
        let found = plan.gradient(&run, &|m| LossValue { value: m[0], slopes: vec![1.0] }).unwrap();
        std::array::from_fn(|p| found.parameters[p])
    };
    (1..=samples).map(sample).collect()
}

fn by_reference(steps: usize, samples: u64, replicates: usize, leave: Departures) -> Vec<[f64; 5]> {
    let (program, start) = (program(), start());
    let sample = |seed: u64| {
        let mut noise = Noise(seed << 32);
        let mut sum = [0.0; 5];
        for _ in 0..replicates {
            let (_, gradient) = program.gradient(&start, steps, &mut noise, leave);
            (0..5).for_each(|p| sum[p] += gradient[p] / replicates as f64);
        }
        sum
    };
    (1..=samples).map(sample).collect()
}

fn column(samples: &[[f64; 5]], parameter: usize) -> SampleMean {
    SampleMean::of(&samples.iter().map(|g| g[parameter]).collect::<Vec<f64>>())
}

/// How far two means lie apart, in units of what is no alarm.
fn apart(a: &SampleMean, b: &SampleMean) -> f64 {
    let error = a.standard_error().hypot(b.standard_error());
    (a.mean - b.mean).abs() / mean_within(error, shared(ALARM, 5))
}

const PAPER: &str = "straight-through + gumbel-softmax";

fn compare(steps: usize, samples: u64, replicates: usize) {
    let engine = by_engine(&model("paper", "picked"), PAPER, steps, samples, replicates);
    let right = by_reference(steps, samples, replicates, NONE);
    for (p, name) in NAMES.iter().enumerate() {
        let (found, right) = (column(&engine, p), column(&right, p));
        eprintln!("{steps} steps, {name}: {found:?} by the engine, {right:?} by the plain program");
        assert!(apart(&found, &right) <= 1.0, "{steps} steps, {name}: {found:?}, not {right:?}");
    }
}

#[test]
fn the_paper_s_gradient_has_the_means_of_a_plain_program() {
    compare(1, 30, 300);
    compare(2, 30, 200);
    compare(50, 30, 30);
}

/// `cargo xtask test --full` runs it.
#[test]
#[ignore = "minutes: cargo xtask test --full runs it"]
fn the_paper_s_gradient_has_the_means_of_a_plain_program_after_500_steps() {
    compare(500, 100, 100);
}

/// What the options leave out of the paper's gradient, this program leaves out too; and each of them is seen.
#[test]
fn every_choice_of_options_is_what_it_says() {
    const STEPS: usize = 8;
    let (samples, replicates) = (30, 80);
    let paper = by_reference(STEPS, samples, replicates, NONE);
    let cases = [
        ("unit", "picked", PAPER, Departures { slope_everywhere: true, ..NONE }),
        ("paper", "averaged", PAPER, Departures { averaged: true, ..NONE }),
        ("paper", "picked", "straight-through", Departures { straight_directions: true, ..NONE }),
        (
            "unit",
            "averaged",
            "straight-through",
            Departures { slope_everywhere: true, averaged: true, straight_directions: true },
        ),
    ];
    for (excitation, channel, estimator, leave) in cases {
        let engine = by_engine(&model(excitation, channel), estimator, STEPS, samples, replicates);
        let right = by_reference(STEPS, samples, replicates, leave);
        let mut seen = false;
        for (p, name) in NAMES.iter().enumerate() {
            let (found, right, paper) = (column(&engine, p), column(&right, p), column(&paper, p));
            assert!(apart(&found, &right) <= 1.0, "{leave:?}, {name}: {found:?}, not {right:?}");
            seen |= apart(&found, &paper) > 1.0;
        }
        assert!(seen, "{leave:?} cannot be told from the paper's gradient");
    }
}

/// Without diffusion and after one step, both are in closed form: with δ the mean change that a channel makes where it was
/// picked, `averaged` is the slope of (Σ δ/6)² summed over sites and species, `picked` that of Σ δ²/6.
#[test]
fn picking_a_channel_first_keeps_the_spread_between_channels() {
    const GAMMA: f64 = 0.005;
    let theta = [0.0, 0.0, 0.9, 0.7, 0.8];
    let (mut averaged, mut picked) = ([0.0; 3], [0.0; 3]);
    let [a, b] = start();
    for (n, m) in a.iter().zip(&b) {
        let free = [CAPACITY - n, CAPACITY - m];
        let crowding = n * free[0] / ((CAPACITY - 1.0) * (CAPACITY - 2.0));
        // Species, constant, and δ over that constant.
        let channels = [
            (0, 0, GAMMA * crowding * (n - 1.0)),
            (0, 0, -GAMMA * crowding * (CAPACITY - 1.0 - n)),
            (0, 1, GAMMA * free[0] * m / CAPACITY),
            (0, 1, -GAMMA * n * free[1] / CAPACITY),
            (1, 2, GAMMA * free[0] * free[1] / CAPACITY),
            (1, 2, -GAMMA * n * m / CAPACITY),
        ];
        for (species, k, own) in channels {
            picked[k] += 2.0 * theta[2 + k] * own * own / 6.0;
            let mean: f64 =
                channels.iter().filter(|c| c.0 == species).map(|c| theta[2 + c.1] * c.2 / 6.0).sum();
            averaged[k] += 2.0 * mean * own / 6.0;
        }
    }
    for (channel, right) in [("averaged", averaged), ("picked", picked)] {
        let engine = at(&theta, &model("unit", channel), "straight-through", 1, 30, 600);
        for (k, right) in right.into_iter().enumerate() {
            let found = column(&engine, 2 + k);
            assert!(
                found.agrees_with(right, shared(ALARM, 6)),
                "{channel}, k{}: {found:?}, not {right}",
                k + 1
            );
        }
    }
    // They are far apart, not by noise alone.
    assert!(picked[0] > 2.0 * averaged[0].abs(), "{picked:?} {averaged:?}");
}

#[test]
fn a_picked_channel_never_fires_with_more_than_1() {
    let of = |capacity: f64| {
        let options = ModelOptions::none().with("excitation", "paper").with("capacity", capacity);
        named("malevanets-kapral", &options)
    };
    assert!(of(200.0).is_ok());
    let message = of(201.0).unwrap_err().to_string();
    assert!(message.contains("capacity") && message.contains("200"), "{message}");
}

/// The law does not depend on how its gradient is taken: means and variances of both species agree after 100 steps.
#[test]
fn picked_and_averaged_channels_have_the_same_law() {
    const RUNS: usize = 200;
    let moments = |channel: &str| {
        let model = model("unit", channel);
        let moments = model
            .observe(|s| {
                for name in ["A", "B"] {
                    s.output(name, s.layer(name).mean());
                    s.output(&format!("{name} squared"), (s.layer(name) * s.layer(name)).mean());
                }
            })
            .unwrap();
        let plan = Plan::new(&model, &[moments.into()], None, Options::default()).unwrap();
        let run = Run::new(&THETA, 100).replicates(RUNS).seed(5).start(fields()).observe(100, 0);
        let outputs = plan.simulate(&run).unwrap().outputs;
        let of = |number: usize| (0..RUNS).map(|r| outputs.replicate(r)[number]).collect::<Vec<f64>>();
        [0, 1, 2, 3].map(|number| SampleMean::of(&of(number)))
    };
    for (number, (a, b)) in moments("averaged").iter().zip(moments("picked")).enumerate() {
        let error = a.standard_error().hypot(b.standard_error());
        assert!(
            (a.mean - b.mean).abs() <= mean_within(error, shared(ALARM, 4)),
            "number {number}: {a:?}, {b:?}"
        );
    }
}

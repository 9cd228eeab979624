//! Checks that straight-through gradients through whole rollouts recover the catalogue's parameters from mean curves.
//!
//! Each model is run at known parameters; as many numbers (shares of states, products of neighbours, moments of maps) are
//! taken of the runs' means as there are parameters to find, and a fit from a wrong start must find them again. Where the
//! numbers determine the parameters, the fit's end solves m(θ) = t whatever the bias of the gradient on the way, so its
//! standard error is that of J⁻¹ ε: J by central differences with common noise, ε the mean's error over the runs.
//! Bound: 4.4 of these errors and the fit's own together (false alarm 1e-5 per parameter).
//!
//! Not here, because means do not determine them or straight-through has no slope there: births against deaths (only
//! their difference moves the mean) and migration; `p_center` and `p_resample` of the persistent walk, whose displacements
//! are found by `reinmax` (tests/trajectory.rs); Malevanets–Kapral (tests/malevanets_kapral.rs).
#![allow(clippy::unwrap_used)]

use glauber_engine::{FieldData, Observation, Options};
use glauber_models::{ModelOptions, OptionValue, named};
use glauber_optimize::descent::{Control, Descent};
use glauber_optimize::optimizers::Choice;
use glauber_program::estimators::StraightThrough;
use glauber_program::{Model, Scope};
use glauber_tasks::losses::curve::CurveLoss;
use glauber_tasks::states::States;
use glauber_tasks::tasks::trajectory::{Replication, Target, Trajectory};
use glauber_tasks::tasks::unknowns::Fitted;

struct Case<'a> {
    model: &'a Model,
    /// All parameters at their true values; `None` in `guess` where one is not fitted.
    truth: &'a [f64],
    guess: &'a [Option<f64>],
    steps: &'a [usize],
    covariates: Vec<(String, FieldData)>,
    /// The one state all runs begin with; the model's own start where there is none.
    start: Option<Vec<u8>>,
    iterations: u64,
    rate: f64,
}

const RUNS: usize = 800;

fn recover(case: &Case<'_>, trace: impl Fn(&Scope)) {
    let parameters = &case.model.declarations().parameters;
    let fixed: Vec<(String, f64)> = parameters
        .iter()
        .zip(case.truth.iter().zip(case.guess))
        .filter(|(_, (_, guess))| guess.is_none())
        .map(|(p, (truth, _))| (p.name.clone(), *truth))
        .collect();
    let fitted = Fitted::new(case.model, &fixed).unwrap().with_covariates(case.covariates.clone());
    let truth: Vec<f64> =
        case.truth.iter().zip(case.guess).filter(|(_, g)| g.is_some()).map(|(t, _)| *t).collect();
    let guess: Vec<f64> = case.guess.iter().flatten().copied().collect();
    let summary = || Observation::from(case.model.observe(&trace).unwrap());
    let objective = |values: Vec<f64>| {
        let target =
            Target { steps: case.steps.to_vec(), outputs: summary().outputs(), values, errors: None };
        let loss = CurveLoss::named("squared-error").unwrap();
        let replication = Replication { replicates: 60, seed: 5 };
        let starts = case.start.clone().map(|state| States {
            sites: state.len(),
            layers: vec![std::sync::Arc::new(state.into())],
            runs: 1,
            times: 1,
            steps: vec![0],
            timed: true,
            update: None,
        });
        let fitted = fitted.clone();
        let options = Options::default();
        Trajectory::new(
            case.model,
            fitted,
            summary(),
            target,
            loss,
            &StraightThrough,
            replication,
            starts,
            options,
        )
        .unwrap()
    };
    let width = truth.len();
    let probe = objective(vec![0.5; width]);
    let seen = probe.simulated(&truth, RUNS, 77).unwrap();
    let target = seen.mean();
    assert_eq!(target.len(), width, "as many numbers as parameters");
    let errors = expected_errors(&probe, &truth, &seen.values, case);
    let mut descent = Descent::new(Choice::new("adam"), case.rate, case.iterations);
    descent.average = 0.5;
    let result = descent.run(&mut objective(target), &guess, Control::default()).unwrap();
    for ((estimate, error), truth) in result.estimates.iter().zip(&errors).zip(&truth) {
        let bound = 4.4 * error.hypot(estimate.simulation_noise.unwrap_or(0.0));
        assert!(
            (estimate.value - truth).abs() <= bound && bound < 0.8 * truth.abs().max(1.0),
            "{}, {}: {} ± {error} for {truth}",
            case.model.name(),
            estimate.name,
            estimate.value
        );
    }
}

/// The standard errors of the solution of m(θ) = t: the diagonal of J⁻¹ Σ J⁻ᵀ, Σ the covariance of the runs' mean.
fn expected_errors(probe: &Trajectory, truth: &[f64], rows: &[f64], case: &Case<'_>) -> Vec<f64> {
    let n = truth.len();
    let mut jacobian = vec![vec![0.0; n]; n];
    let parameters = &case.model.declarations().parameters;
    let intervals: Vec<_> =
        parameters.iter().zip(case.guess).filter(|(_, g)| g.is_some()).map(|(p, _)| p.interval).collect();
    for k in 0..n {
        let room = (truth[k] - intervals[k].lowest).min(intervals[k].highest - truth[k]);
        let step = (0.1 * truth[k].abs().max(0.1)).min(0.5 * room);
        let at = |sign: f64| {
            let mut moved = truth.to_vec();
            moved[k] += sign * step;
            probe.simulated(&moved, 1000, 3).unwrap().mean()
        };
        let (above, below) = (at(1.0), at(-1.0));
        (0..n).for_each(|row| jacobian[row][k] = (above[row] - below[row]) / (2.0 * step));
    }
    let inverse = invert(&jacobian);
    let runs = rows.len() / n;
    let mean: Vec<f64> = (0..n).map(|k| rows[k..].iter().step_by(n).sum::<f64>() / runs as f64).collect();
    // The spread over runs of J⁻¹ times each run's deviation from the mean.
    let spread = |k: usize| {
        let squares = rows.chunks_exact(n).map(|row| {
            let moved: f64 = (0..n).map(|j| inverse[k][j] * (row[j] - mean[j])).sum();
            moved * moved
        });
        (squares.sum::<f64>() / (runs as f64 - 1.0) / runs as f64).sqrt()
    };
    (0..n).map(spread).collect()
}

/// The inverse of a small matrix, by Gauss–Jordan with pivots.
fn invert(matrix: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = matrix.len();
    let mut rows: Vec<Vec<f64>> = matrix.to_vec();
    for (i, row) in rows.iter_mut().enumerate() {
        row.extend((0..n).map(|j| f64::from(u8::from(i == j))));
    }
    for column in 0..n {
        let pivot =
            (column..n).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs())).unwrap();
        rows.swap(column, pivot);
        let scale = rows[column][column];
        rows[column].iter_mut().for_each(|x| *x /= scale);
        let own = rows[column].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != column) {
            let factor = row[column];
            row.iter_mut().zip(&own).for_each(|(x, o)| *x -= factor * o);
        }
    }
    rows.into_iter().map(|row| row[n..].to_vec()).collect()
}

fn model(name: &str, lengths: &[f64], options: &[(&str, OptionValue)]) -> Model {
    let mut own = ModelOptions::none().with("shape", lengths.to_vec());
    options.iter().for_each(|(key, value)| own.set(key, value.clone()));
    named(name, &own).unwrap()
}

fn case<'a>(model: &'a Model, truth: &'a [f64], guess: &'a [Option<f64>], steps: &'a [usize]) -> Case<'a> {
    Case { model, truth, guess, steps, covariates: Vec::new(), start: None, iterations: 400, rate: 0.04 }
}

const SQUARE: [f64; 2] = [16.0, 16.0];

#[test]
fn infections() {
    let si = model("susceptible-infected", &SQUARE, &[]);
    recover(&case(&si, &[0.3], &[Some(0.7)], &[4]), |s| s.output("aware", s.layer("aware").mean()));
    let sir = model("susceptible-infected-recovered", &SQUARE, &[]);
    recover(&case(&sir, &[0.2, 0.3], &[Some(0.4), Some(0.6)], &[4]), |s| {
        (1..3).for_each(|k| s.output(&format!("share {k}"), s.layer("state").is(k).mean()));
    });
    let seir = model("susceptible-exposed-infected-recovered", &SQUARE, &[]);
    recover(&case(&seir, &[0.3, 0.4, 0.2], &[Some(0.6), Some(0.6), Some(0.4)], &[5]), |s| {
        (1..4).for_each(|k| s.output(&format!("share {k}"), s.layer("state").is(k).mean()));
    });
    let contact = model("contact-process", &SQUARE, &[("update", "synchronous".into())]);
    recover(&case(&contact, &[2.0], &[Some(5.0)], &[8]), |s| {
        s.output("occupied", s.layer("occupied").mean())
    });
    let kinzel = model("domany-kinzel", &[256.0], &[]);
    recover(&case(&kinzel, &[0.7, 0.8], &[Some(0.4), Some(0.5)], &[1, 3]), |s| {
        s.output("active", s.layer("active").mean());
    });
}

#[test]
fn opinions_and_life() {
    let voter = model("voter", &SQUARE, &[("density", OptionValue::Number(0.8))]);
    recover(&case(&voter, &[0.5, 0.05], &[Some(0.2), Some(0.2)], &[2]), |s| {
        let opinion = s.layer("opinion");
        s.output("share", opinion.mean());
        s.output("pairs", (opinion * opinion.shift([0, 0, 1])).mean());
    });
    let life = model("game-of-life", &SQUARE, &[]);
    // The share alone cannot tell births from survivals.
    for guess in [[Some(0.4), None, None], [None, Some(0.9), None]] {
        recover(&case(&life, &[0.8, 0.6, 0.02], &guess, &[2]), |s| {
            s.output("share", s.layer("alive").mean())
        });
    }
}

#[test]
fn spins() {
    let ising = model("ising", &[10.0, 10.0], &[("start", OptionValue::Text("up".into()))]);
    recover(&case(&ising, &[0.35, -0.2], &[Some(0.15), Some(0.2)], &[1, 5]), |s| {
        s.output("share", s.layer("up").mean());
    });
    let potts = model("potts", &SQUARE, &[("start", OptionValue::Text("ordered".into()))]);
    recover(&case(&potts, &[0.8], &[Some(0.3)], &[3]), |s| s.output("first", s.layer("state").is(0).mean()));
}

#[test]
fn particles() {
    let ring = model("exclusion", &[64.0], &[]);
    let half: Vec<u8> = (0..64).map(|i| u8::from(i < 32)).collect();
    recover(&Case { start: Some(half), ..case(&ring, &[0.7], &[Some(0.3)], &[10]) }, |s| {
        s.output("ahead", (s.layer("occupied") * s.coordinate(0).at_least(32.0)).mean());
    });
    let open = model("exclusion", &[24.0], &[("boundary", OptionValue::Text("open".into()))]);
    recover(&case(&open, &[0.7, 0.6, 0.3], &[Some(0.5), Some(0.3), Some(0.6)], &[8]), |s| {
        let (occupied, x) = (s.layer("occupied"), s.coordinate(0));
        s.output("left", (occupied * x.less(8.0)).mean());
        s.output("right", (occupied * x.at_least(16.0)).mean());
        s.output("free", (occupied * (1.0 - occupied.shift([0, 0, 1])) * x.less(23.0)).mean());
    });
    let gas = model("birth-death-migration", &[4.0, 4.0], &[("density", OptionValue::Number(20.0))]);
    // One mean cannot tell losses from arrivals.
    for guess in [[None, Some(0.3), None, None], [None, None, Some(1.0), None]] {
        let own = Case { iterations: 200, ..case(&gas, &[0.05, 0.1, 0.25, 0.2], &guess, &[4]) };
        recover(&own, |s| s.output("n", s.layer("particles").mean()));
    }
    let options = [
        ("hops", OptionValue::Flag(false)),
        ("start", OptionValue::Text("poisson".into())),
        ("time-step", OptionValue::Number(0.02)),
    ];
    let stirred = model("gray-scott", &[8.0, 8.0], &options);
    recover(&case(&stirred, &[1.2, 0.1, 0.06], &[Some(0.6), None, Some(0.15)], &[60]), |s| {
        s.output("U", s.layer("U").mean());
        s.output("V", s.layer("V").mean());
    });
}

/// A fire on a map of fuel and height, from mean shares and their moments with the maps and coordinates.
#[test]
fn a_fire_on_a_map() {
    let fire = model(
        "forest-fire",
        &SQUARE,
        &[("start", OptionValue::Text("random".into())), ("density", OptionValue::Number(0.06))],
    );
    let map = |f: &dyn Fn(f64, f64) -> f64| {
        FieldData::shared((0..256).map(|i| f(f64::from(i / 16), f64::from(i % 16))).collect::<Vec<f64>>())
    };
    let covariates = vec![
        ("fuel".to_string(), map(&|y, x| (0.9 * x).sin() * (0.7 * y).cos())),
        ("elevation".to_string(), map(&|y, x| 2.0 * (0.5 * x + 1.0).sin() + 1.5 * (0.6 * y).sin())),
    ];
    let truth = [0.4, 0.8, 0.5, -0.3, 0.4, 0.3];
    let guess = [0.8, 0.2, 0.1, 0.1, 0.0, 0.6].map(Some);
    let own = Case { covariates, iterations: 400, ..case(&fire, &truth, &guess, &[2]) };
    recover(&own, |s| {
        let state = s.layer("state");
        let gone = 1.0 - state.is(0);
        s.output("burning", state.is(1).mean());
        s.output("gone", gone.mean());
        s.output("fuel", (gone * s.field("fuel")).mean());
        s.output("elevation", (gone * s.field("elevation")).mean());
        s.output("y", (gone * (s.coordinate(0) - 8.0) / 8.0).mean());
        s.output("x", (gone * (s.coordinate(1) - 8.0) / 8.0).mean());
    });
}

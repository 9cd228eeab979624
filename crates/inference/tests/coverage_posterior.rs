//! Counts over synthetic data how often intervals hold the truth, and whether posteriors are calibrated.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use glauber_engine::Options;
use glauber_inference::density::Density;
use glauber_inference::exact::Transitions;
use glauber_inference::likelihood::Likelihood;
use glauber_inference::posterior::{Settings, sample};
use glauber_inference::profile::profile;
use glauber_models::{ModelOptions, named};
use glauber_numbers::noise::{Purpose, derive_seed};
use glauber_program::Model;
use glauber_statistics::tolerance::{chi_square, chi_square_below, shared, successes_within};
use glauber_tasks::states::States;
use glauber_tasks::tasks::likelihood::Likelihood as OfTransitions;
use glauber_tasks::tasks::transition::Pairs;
use glauber_tasks::tasks::unknowns::Fitted;

fn epidemic() -> Model {
    named("susceptible-infected-recovered", &ModelOptions::none().with("shape", vec![16.0, 16.0])).unwrap()
}

/// The likelihood of an epidemic that was simulated with these parameters; nothing where it died out at once.
fn observed(model: &Model, truth: &[f64], seed: u64) -> Option<Transitions> {
    let states = States::simulate(model, truth, 12, 2, seed).unwrap();
    let fitted = Fitted::new(model, &[]).unwrap();
    let pairs = Pairs::new(model, &fitted, states, Options::default()).ok()?;
    let likelihood = OfTransitions::new(model, fitted, pairs, Options::default()).unwrap();
    Some(Transitions::new(likelihood, &[0.3, 0.3]))
}

/// How often the 95 % intervals by profile hold (0.1, 0.2), of so many epidemics.
fn covered(epidemics: u64) -> [u64; 2] {
    let (model, truth) = (epidemic(), [0.1, 0.2]);
    let mut held = [0; 2];
    for seed in 0..epidemics {
        let found = profile(&observed(&model, &truth, 100 + seed).unwrap(), &[], 0.95).unwrap();
        for ((held, profile), truth) in held.iter_mut().zip(&found.profiles).zip(truth) {
            *held += u64::from(profile.sides[0].at() <= truth && truth <= profile.sides[1].at());
        }
    }
    held
}

/// Ranks of the true parameters among draws of their posteriors, of parameters drawn from the prior: in ten classes.
fn ranks(epidemics: u64) -> [[u64; 10]; 2] {
    let model = epidemic();
    let mut classes = [[0; 10]; 2];
    for seed in 0..epidemics {
        let uniform = |k: u64| (derive_seed(seed, Purpose::Check, k) >> 11) as f64 / (1u64 << 53) as f64;
        // Both from the prior that the posterior supposes: uniform in (0, 1).
        let truth = [uniform(0), uniform(1)];
        let Some(likelihood) = observed(&model, &truth, 5000 + seed) else { continue };
        let density = Density::new(likelihood.another(), &[]).unwrap();
        let settings = Settings { chains: 2, draws: 250, warm_up: 300, seed, ..Settings::default() };
        let posterior = sample(&density, settings, &|| false, &|_, _| {}).unwrap();
        for (i, truth) in truth.iter().enumerate() {
            // Every fifth draw: nearly independent.
            let thinned: Vec<f64> = posterior.draws[i].concat().into_iter().step_by(5).collect();
            let below = thinned.iter().filter(|x| *x < truth).count();
            classes[i][below * 10 / (thinned.len() + 1)] += 1;
        }
    }
    classes
}

#[test]
fn intervals_of_some_epidemics_hold_the_truth() {
    // False alarm 0.001 for both together; of 24 at least 18 or so.
    let held = covered(24);
    let right = successes_within(24, 0.95, shared(1e-3, 2));
    assert!(held.iter().all(|n| right.contains(n)), "{held:?} of 24, right {right:?}");
}

#[test]
#[ignore = "minutes: cargo xtask test --full runs it"]
fn intervals_cover_as_often_as_they_say_and_posteriors_are_calibrated() {
    let held = covered(400);
    let right = successes_within(400, 0.95, shared(1e-3, 4));
    eprintln!("profiles: {held:?} of 400 intervals hold the truth, right {right:?}");
    assert!(held.iter().all(|n| right.contains(n)), "{held:?}");
    let classes = ranks(300);
    for own in classes {
        let count: u64 = own.iter().sum();
        let expected = [count as f64 / 10.0; 10];
        let (found, below) = (chi_square(&own, &expected), chi_square_below(9, shared(1e-3, 4)));
        eprintln!("ranks {own:?}: chi-square {found:.1}, below {below:.1}");
        assert!(found < below, "{own:?}: {found}");
    }
}

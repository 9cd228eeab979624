//! Checks every model of the catalogue with the check itself: the unbiased estimator agrees with the true gradient.
#![allow(clippy::unwrap_used)]

use glauber_model_file::load;
use glauber_models::{MODELS, ModelOptions, OptionValue};
use glauber_tasks::check::{CheckSettings, Verdict, check};
use glauber_tasks::covariates::read_covariates;

/// Small lattices, and parameters that leave every draw a chance either way.
fn small(name: &str) -> (ModelOptions, Vec<(&'static str, f64)>) {
    let mut options = ModelOptions::none();
    let shape = |lengths: &[f64]| OptionValue::List(lengths.to_vec());
    match name {
        "persistent-random-walk" => options.set("walkers", OptionValue::Number(4.0)),
        "domany-kinzel" | "exclusion" => options.set("shape", shape(&[6.0])),
        "ising" | "potts" => options.set("shape", shape(&[2.0, 4.0])),
        "contact-process" => {
            options.set("shape", shape(&[4.0, 4.0]));
            options.set("update", "synchronous".into());
        }
        _ => options.set("shape", shape(&[4.0, 4.0])),
    }
    let parameters = match name {
        "voter" => vec![("noise", 0.1)],
        "game-of-life" => vec![("birth", 0.8), ("survival", 0.7), ("noise", 0.1)],
        "persistent-random-walk" => vec![("p_resample", 0.4)],
        "forest-fire" => vec![("wind_y", 0.2)],
        _ => Vec::new(),
    };
    (options, parameters)
}

#[test]
fn the_check_runs_on_every_model_and_the_unbiased_estimator_passes() {
    let (mut differs, mut told, mut checked) = (false, 0, 0);
    for entry in MODELS {
        let (options, set) = small(entry.name);
        let loaded = load(entry.name, &options).unwrap();
        if loaded.model.update().is_by_events() {
            // Only differences have a gradient, and the check says so.
            let settings = CheckSettings { steps: 2, replicates: 200, ..CheckSettings::default() };
            let theta: Vec<f64> =
                loaded.model.declarations().parameters.iter().map(|p| p.default.unwrap()).collect();
            let found = check(&loaded.model, &Vec::new(), &theta, settings).unwrap();
            let names: Vec<&str> = found.estimators.iter().map(|e| e.name).collect();
            assert_eq!(names, ["differences"], "{}", entry.name);
            assert!(found.estimators[0].verdict() != Verdict::Differs, "{}: {found:#?}", entry.name);
            assert!(
                found.notes.iter().any(|n| n.contains("has no gradient")),
                "{}: {:?}",
                entry.name,
                found.notes
            );
            continue;
        }
        let covariates = read_covariates(&loaded, &[], &mut Vec::new()).unwrap();
        let parameters = &loaded.model.declarations().parameters;
        let value = |p: &glauber_program::Parameter| {
            set.iter().find(|(name, _)| *name == p.name).map_or(p.default.unwrap(), |(_, value)| *value)
        };
        let theta: Vec<f64> = parameters.iter().map(value).collect();
        let settings = CheckSettings { steps: 2, replicates: 200, ..CheckSettings::default() };
        let found = check(&loaded.model, &covariates, &theta, settings).unwrap();
        assert!(found.reference.iter().all(|r| r.mean.is_finite()), "{}", entry.name);
        for e in &found.estimators {
            let unbiased = ["score-function", "light-cone", "differences"].contains(&e.name);
            assert!(!unbiased || e.verdict() != Verdict::Differs, "{}: {found:#?}", entry.name);
            // Something that moves is asked of every model.
            told += usize::from(e.name == "light-cone" && e.verdict() == Verdict::Agrees);
            differs |= e.name == "straight-through" && e.verdict() == Verdict::Differs;
        }
        checked += 1;
    }
    // The check can tell a wrong gradient from a right one: two steps of Domany–Kinzel are not linear.
    assert!(differs);
    assert!(3 * told > checked, "of {checked} models only {told} could be told");
}

#[test]
fn what_nothing_depends_on_is_named() {
    let model = glauber_program::Model::build("coins", glauber_lattice::Lattice::square(4))
        .layer("heads", glauber_lattice::Values::binary())
        .parameter("p", glauber_program::Interval::unit())
        .parameter("idle", glauber_program::Interval::unit())
        .start(|s| s.next("heads").bernoulli(0.5))
        .step(|s| s.next("heads").bernoulli(s.parameter("p")))
        .unwrap();
    let settings = CheckSettings { steps: 1, replicates: 20, ..CheckSettings::default() };
    let found = check(&model, &Vec::new(), &[0.3, 0.5], settings).unwrap();
    let told: Vec<&String> = found.notes.iter().filter(|note| note.starts_with("nothing")).collect();
    assert!(told.len() == 1 && told[0].contains("`idle`"), "{:?}", found.notes);
}

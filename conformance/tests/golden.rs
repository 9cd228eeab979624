//! Sweeps the catalogue: every model under every estimator gives the recorded numbers, on every path of the engine.
//!
//! `golden.txt` holds, for each model, a fingerprint of the states after some steps, and for each estimator one of the
//! gradient. A changed line is a break of reproducibility: it belongs in CHANGELOG.md under that heading. Written anew
//! by `GLAUBER_GOLDEN=write cargo test -p glauber-conformance --test golden`.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use glauber_conformance::compare::same_gradient;
use glauber_engine::*;
use glauber_models::{MODELS, ModelOptions, named};
use glauber_program::Model;
use glauber_program::estimators::{ESTIMATORS, EstimatorOptions};

const STEPS: usize = 4;

/// Updates that are not the models' own.
const OTHER_UPDATES: [(&str, &str); 7] = [
    ("contact-process", "synchronous"),
    ("voter", "sublattices"),
    ("voter", "random-sequential"),
    ("ising", "random-sequential"),
    ("exclusion", "random-sequential"),
    ("exclusion", "continuous-time"),
    ("kawasaki", "sublattices"),
];

/// The sum of every layer's squares: its derivative differs from site to site.
fn observation(model: &Model) -> Observation {
    let layers = model.declarations().layers.clone();
    let program = model.observe(|s| {
        for layer in &layers {
            let x = s.layer(&layer.name);
            // What a nominal state's number is squared to means nothing: how many sites are in state 1.
            let number = if layer.is_nominal() { x.equals(1.0) } else { x * x };
            s.output(&layer.name, number.sum());
        }
    });
    program.unwrap().into()
}

fn parameters(model: &Model) -> Vec<f64> {
    let middle = |p: &glauber_program::Parameter| {
        let (low, high) = (p.interval.lowest, p.interval.highest);
        p.default.unwrap_or(if low.is_finite() && high.is_finite() { 0.5 * (low + high) } else { 1.0 })
    };
    model.declarations().parameters.iter().map(middle).collect()
}

fn run<'a>(model: &Model, parameters: &'a [f64]) -> Run<'a> {
    let mut run = Run::new(parameters, STEPS).replicates(2).seed(20).observe(STEPS, 0).observe(2, 0);
    let sites = model.declarations().lattice.sites();
    for field in &model.declarations().fields {
        let map: Vec<f64> = (0..sites).map(|site| 0.5 + 0.25 * ((site % 5) as f64)).collect();
        run = run.with_field(&field.name, FieldData::shared(map));
    }
    run
}

fn loss(mean: &[f64]) -> LossValue {
    let slope = |k: usize| 1.0 / (k as f64 + 1.0);
    let value = mean.iter().enumerate().map(|(k, m)| slope(k) * m).sum();
    LossValue { value, slopes: (0..mean.len()).map(slope).collect() }
}

/// FNV-1a over the bits.
fn fingerprint(numbers: impl IntoIterator<Item = f64>) -> u64 {
    let bytes = numbers.into_iter().flat_map(|x| x.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Options that must not change a number.
fn paths() -> Vec<Options> {
    let usual = Options { threads: 1, ..Options::default() };
    let mut paths: Vec<Options> =
        Simd::available().into_iter().map(|simd| Options { simd, ..usual }).collect();
    paths.push(Options { threads: 3, ..usual });
    paths.push(Options { compile: CompileOptions::plain(), simd: Simd::Plain, ..usual });
    paths
}

fn lines_of(name: &str, model: &Model) -> Vec<String> {
    let theta = parameters(model);
    let run = run(model, &theta);
    let observation = observation(model);
    let paths = paths();
    let simulate = |options: &Options| {
        let plan = Plan::new(model, std::slice::from_ref(&observation), None, *options).unwrap();
        let last = plan.simulate(&run).unwrap().last;
        fingerprint(last.into_iter().flatten().flatten())
    };
    let states = simulate(&paths[0]);
    for other in &paths[1..] {
        assert_eq!(simulate(other), states, "{}: {other:?}", model.name());
    }
    let mut lines = vec![format!("{name} states {states:016x}")];
    // Where sites are updated one after another there are no derivatives; three or more named states have no mean.
    let nominal = model.declarations().layers.iter().any(|layer| layer.is_nominal());
    let backwards = |name: &str| {
        !model.update().is_by_events() && name != "differences" && !(nominal && name == "mean-field")
    };
    for entry in ESTIMATORS.iter().filter(|e| backwards(e.name)) {
        let estimator = (entry.make)(EstimatorOptions { temperature: 0.8, samples: 3, radius: None });
        let gradient = |options: &Options| {
            let plan = Plan::new(model, std::slice::from_ref(&observation), Some(&*estimator), *options);
            plan.unwrap().gradient(&run, &loss).unwrap()
        };
        let first = gradient(&paths[0]);
        for other in &paths[1..] {
            same_gradient(&first, &gradient(other))
                .unwrap_or_else(|why| panic!("{} {}, {other:?}: {why}", model.name(), entry.name));
        }
        // Room for states 0 and 3 of both replicates, and for a stretch: the steps between are run again.
        let plan = Plan::new(model, std::slice::from_ref(&observation), Some(&*estimator), paths[0]).unwrap();
        // Within light cones the sums over replicates stand beside them: 8 bytes a site for each of two observations.
        let beside = if entry.name == "light-cone" { 16 * model.declarations().lattice.sites() } else { 0 };
        let tight = Options { memory: 9 * plan.bytes_per_state() + beside, ..paths[0] };
        same_gradient(&first, &gradient(&tight))
            .unwrap_or_else(|why| panic!("{} {}, checkpoints: {why}", model.name(), entry.name));
        let fields = first.fields.iter().flat_map(|(_, values)| values.iter().copied());
        let all = fingerprint(first.parameters.iter().copied().chain(fields));
        lines.push(format!("{name} {} {all:016x}", entry.name));
    }
    lines
}

#[test]
fn every_model_and_estimator_gives_the_recorded_numbers() {
    let usual = MODELS.iter().map(|entry| (entry.name.to_string(), entry.name, ModelOptions::none()));
    let others = OTHER_UPDATES.iter().map(|(name, update)| {
        (format!("{name}, {update},"), *name, ModelOptions::none().with("update", *update))
    });
    let lines: Vec<String> = usual
        .chain(others)
        .flat_map(|(label, name, options)| lines_of(&label, &named(name, &options).unwrap()))
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden.txt");
    if std::env::var("GLAUBER_GOLDEN").as_deref() == Ok("write") {
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        return;
    }
    let recorded = std::fs::read_to_string(&path).unwrap();
    let known: Vec<&str> = recorded.lines().collect();
    let changed: Vec<String> = lines.iter().filter(|l| !known.contains(&l.as_str())).cloned().collect();
    assert!(changed.is_empty(), "not as recorded:\n{}", changed.join("\n"));
    assert_eq!(known.len(), lines.len(), "golden.txt holds lines of models or estimators that are gone");
}

#[test]
fn planes_that_the_adjoint_reads_are_kept_with_the_states() {
    let model = named("malevanets-kapral", &ModelOptions::none()).unwrap();
    let bytes = |estimator: Option<&dyn glauber_program::Estimator>| {
        Plan::new(&model, &[observation(&model)], estimator, Options::default()).unwrap().bytes_per_state()
    };
    // Two layers; and the plane that each species excites.
    let estimator = glauber_program::estimators::StraightThrough;
    assert_eq!(bytes(Some(&estimator)), 2 * bytes(None));
}

//! Cells in rules: the likelihood by sublattices is the law of the simulation, bits do not depend on threads or on where a run is cut,
//! derivatives pass through sums, and what goes wrong is said.
#![allow(clippy::unwrap_used)]

use glauber_engine::{FieldData, Options, Plan, Precision, Run, Simd};
use glauber_lattice::{Lattice, Moore, Values, VonNeumann};
use glauber_likelihood::log_likelihood;
use glauber_program::estimators::{Differences, MeanField, ScoreFunction, StraightThrough};
use glauber_program::{Estimator, Interval, Model, ModelError, Pick, Update};
use glauber_statistics::tolerance::{chi_square, chi_square_below};

/// Labels are copied from neighbours, by heat bath: unlike neighbours cost J, volumes are held near 2 and 3.
fn potts(lattice: Lattice, cells: i32, update: Update) -> Model {
    let around: Vec<_> =
        glauber_lattice::Neighbours::on(&VonNeumann, lattice.dimensions()).offsets().to_vec();
    let targets: Vec<f64> = (0..=cells).map(|k| f64::from(k % 2 + 2)).collect();
    Model::build("potts", lattice)
        .layer("cell", Values::labels(cells))
        .parameter("J", Interval::any())
        .parameter("strength", Interval::any())
        .update(update)
        .step(|s| {
            let (cell, volume) = (s.layer("cell"), s.cell_sum(1.0, "cell"));
            let new = cell.at(s.neighbour(VonNeumann));
            let cost = |label: glauber_program::Expr| {
                let unlike = around.iter().map(|o| 1.0 - cell.shift(*o).equals(label));
                let unlike = unlike.fold(s.number(0.0), |sum, one| sum + one);
                let excess = s.of_cell(volume, label) - s.of_cell(&targets, label);
                s.parameter("J") * unlike + 2.0 * s.parameter("strength") * label.greater(0.0) * excess
            };
            let ends = s.parameter("strength") * (new.greater(0.0) + cell.greater(0.0));
            let rise = cost(new) - cost(cell) + ends;
            s.next("cell").set(s.bernoulli((-rise).sigmoid()).select(new, cell))
        })
        .unwrap()
}

/// Σ P(after | before) = 1 over all states, and the simulation has that law (χ², false alarm 10⁻³).
#[test]
fn the_likelihood_by_sublattices_is_the_law_of_the_simulation() {
    let model = potts(Lattice::line(6), 2, Update::Sublattices);
    let before = vec![1_u8, 1, 0, 2, 2, 0];
    let digits = |mut n: usize| -> Vec<u8> {
        let mut digit = || {
            let own = n % 3;
            n /= 3;
            own as u8
        };
        (0..6).map(|_| digit()).collect()
    };
    let after: Vec<Vec<u8>> = (0..729).map(digits).collect();
    let theta = [0.4, 0.3];
    let program = log_likelihood(&model.step).unwrap();
    let options = Options { precision: Precision::Double, ..Options::default() };
    let plan = Plan::new(&model, &[program.into()], None, options).unwrap();
    let mut run =
        Run::new(&theta, 0).replicates(729).start(vec![FieldData::shared(before.clone())]).observe(0, 0);
    run.targets = Some(vec![FieldData::picked(after.concat(), (0..729).collect())]);
    let law: Vec<f64> = plan.simulate(&run).unwrap().outputs.values.into_iter().map(f64::exp).collect();
    assert!((law.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{}", law.iter().sum::<f64>());
    let plan = Plan::new(&model, &[], None, Options::default()).unwrap();
    let runs = 100_000;
    let run = Run::new(&theta, 1).replicates(runs).seed(5).start(vec![FieldData::shared(before)]);
    let mut counts = vec![0_u64; 729];
    for frame in plan.simulate(&run).unwrap().last {
        counts[frame[0].iter().rev().fold(0, |number, x| 3 * number + *x as usize)] += 1;
    }
    let classes: Vec<usize> = (0..729).filter(|n| law[*n] * runs as f64 >= 5.0).collect();
    let impossible: u64 = (0..729).filter(|n| law[*n] <= 0.0).map(|n| counts[n]).sum();
    assert_eq!(impossible, 0);
    let observed: Vec<u64> = classes.iter().map(|n| counts[*n]).collect();
    let expected: Vec<f64> = classes.iter().map(|n| law[*n] * runs as f64).collect();
    let statistic = chi_square(&observed, &expected);
    assert!(classes.len() > 20 && statistic < chi_square_below(classes.len(), 1e-3), "{statistic}");
}

fn start(sites: usize, cells: u8) -> Vec<FieldData> {
    vec![FieldData::shared((0..sites).map(|i| (i * 7 / 5) as u8 % (cells + 1)).collect::<Vec<u8>>())]
}

/// The same bits with any vectors, any number of threads, whole or in two parts.
#[test]
fn bits_do_not_depend_on_how_a_run_is_made() {
    let each_once = Update::sequential(Pick::EachOnce);
    for update in [Update::Sublattices, Update::sequential(Pick::AnySite), each_once] {
        let model = potts(Lattice::square(12), 5, update);
        let simulate = |options: Options, run: &Run<'_>| {
            Plan::new(&model, &[], None, options).unwrap().simulate(run).unwrap().last
        };
        let theta = [0.7, 0.2];
        let run = Run::new(&theta, 6).replicates(3).seed(2).start(start(144, 5));
        let first = simulate(Options { threads: 1, ..Options::default() }, &run);
        for threads in [2, 5] {
            assert_eq!(first, simulate(Options { threads, ..Options::default() }, &run));
        }
        for simd in Simd::available() {
            assert_eq!(first, simulate(Options { simd, threads: 1, ..Options::default() }, &run));
        }
        let half =
            simulate(Options::default(), &Run::new(&theta, 3).replicates(3).seed(2).start(start(144, 5)));
        let dense: Vec<f64> = half.iter().flat_map(|frame| frame[0].clone()).collect();
        let then = FieldData::picked(dense, (0..3).collect());
        let rest = Run::new(&theta, 3).replicates(3).seed(2).start(vec![then]).first_step(3);
        assert_eq!(first, simulate(Options::default(), &rest));
    }
}

/// Where sums are of real numbers, derivatives pass through them as differences say.
#[test]
fn derivatives_pass_through_sums_over_cells() {
    let model = Model::build("food", Lattice::square(6))
        .layer("cell", Values::labels(3))
        .layer("food", Values::Real)
        .parameter("k", Interval::any())
        .update(Update::Sublattices)
        .step(|s| {
            let food = s.layer("food");
            let held = s.of_cell(s.cell_sum(food * food, "cell"), s.layer("cell"));
            s.next("food").set(food + s.parameter("k") * (held * 0.05).sin() * food.neighbours(Moore).mean());
        })
        .unwrap();
    let all = model.observe(|s| s.output("food", (s.layer("food") * s.coordinate(0)).sum())).unwrap();
    let labels: Vec<u8> = (0..36).map(|i| (i * 5 % 7) as u8 % 4).collect();
    let food: Vec<f64> = (0..36).map(|i| f64::from(i % 5) * 0.3).collect();
    let mut found = Vec::new();
    for estimator in [&StraightThrough as &dyn Estimator, &ScoreFunction] {
        let options = Options { precision: Precision::Double, ..Options::default() };
        let plan = Plan::new(&model, &[all.clone().into()], Some(estimator), options).unwrap();
        let at = |k: f64| {
            let theta = [k];
            let start = vec![FieldData::shared(labels.clone()), FieldData::shared(food.clone())];
            let run = Run::new(&theta, 3).start(start).observe(3, 0);
            let loss = |outputs: &[f64]| glauber_engine::LossValue { value: outputs[0], slopes: vec![1.0] };
            plan.gradient(&run, &loss).unwrap()
        };
        let step = 1e-5;
        let difference = (at(0.3 + step).value - at(0.3 - step).value) / (2.0 * step);
        let gradient = at(0.3).parameters[0];
        assert!((gradient - difference).abs() < 1e-6 * difference.abs(), "{gradient} for {difference}");
        found.push(gradient);
    }
    assert!(found[0].abs() > 1.0);
}

/// The score function has the derivative of a chance that reads sums, though labels have none: 12 means over 4,000
/// replicates against as many differences of means, to 5 standard errors.
#[test]
fn the_score_function_sees_what_parameters_do_to_labels() {
    let model = potts(Lattice::line(12), 3, Update::Sublattices);
    let medium = model.observe(|s| s.output("medium", s.layer("cell").equals(0.0).sum())).unwrap();
    let gradient = |estimator: &dyn Estimator, seed| {
        let plan = Plan::new(&model, &[medium.clone().into()], Some(estimator), Options::default()).unwrap();
        let theta = [0.4, 0.3];
        let run = Run::new(&theta, 1).replicates(4000).seed(seed).start(start(12, 3)).observe(1, 0);
        let loss = |outputs: &[f64]| glauber_engine::LossValue { value: outputs[0], slopes: vec![1.0] };
        plan.gradient(&run, &loss).unwrap().parameters
    };
    let mut seen = false;
    for parameter in 0..2 {
        let of = |estimator: &dyn Estimator| {
            let all: Vec<f64> = (0..12).map(|seed| gradient(estimator, seed)[parameter]).collect();
            glauber_statistics::tolerance::SampleMean::of(&all)
        };
        let (score, difference) = (of(&ScoreFunction), of(&Differences));
        let error = score.standard_error().hypot(difference.standard_error());
        assert!((score.mean - difference.mean).abs() < 5.0 * error, "{score:?} {difference:?}");
        seen |= difference.mean.abs() > 3.0 * error;
    }
    assert!(seen, "there was nothing to see");
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let plain = |update: Update| {
        Model::build("m", Lattice::square(4))
            .layer("cell", Values::labels(3))
            .layer("food", Values::up_to(5))
            .update(update)
    };
    let refused = |made: Result<Model, ModelError>, words: &[&str]| {
        let message = made.unwrap_err().to_string();
        words.iter().for_each(|word| assert!(message.contains(word), "{message}"));
    };
    let sequential = || Update::sequential(Pick::AnySite);
    let number = |made: &dyn Fn(&glauber_program::Scope) -> glauber_program::Expr, update| {
        plain(update).step(|s| {
            s.next("cell").set(s.layer("cell"));
            s.next("food").set(made(s).greater(1.0));
        })
    };
    refused(
        number(&|s| s.of_cell(s.cell_sum(1.0, "food"), s.layer("cell")), sequential()),
        &["layer `food`", "labels"],
    );
    let halves =
        |s: &glauber_program::Scope| s.of_cell(s.cell_sum(s.layer("food") * 0.5, "cell"), s.layer("cell"));
    refused(number(&halves, sequential()), &["whole number", "sublattices"]);
    assert!(number(&halves, Update::Sublattices).is_ok());
    refused(
        number(&|s| s.of_cell(s.cell_sum(s.uniform(), "cell"), s.layer("cell")), sequential()),
        &["a draw"],
    );
    refused(number(&|s| s.of_cell(&[1.0, 2.0], s.layer("cell")), sequential()), &["4 numbers", "not 2"]);
    refused(
        number(&|s| s.of_cell(&[1.0; 4], s.layer("cell") + 1.0), sequential()),
        &["0 to 3", "from 1 to 4"],
    );
    refused(number(&|s| s.look_up(&[1.0, 2.0], s.layer("food")), sequential()), &["from 0 to 1"]);
    let model = potts(Lattice::square(4), 2, Update::Sublattices);
    let error = Plan::new(&model, &[], Some(&MeanField), Options::default()).err().unwrap().to_string();
    assert!(error.contains("labels of cells, which have no mean"), "{error}");
    let step = |s: &glauber_program::Scope| s.next("opinion").set(s.layer("opinion"));
    let named = Model::build("opinions", Lattice::square(4));
    let named = named.layer("opinion", Values::categories(&["a", "b", "c"])).step(step).unwrap();
    let error = Plan::new(&named, &[], Some(&MeanField), Options::default()).err().unwrap().to_string();
    assert!(error.contains("three or more named states") && error.contains("`light-cone`"), "{error}");
    // Labels are chosen among labels, not computed.
    refused(
        plain(sequential()).step(|s| s.next("cell").set(s.layer("cell") + s.bernoulli(0.5))),
        &["labels from 0 to 3", "from 0 to 4", "where(copied"],
    );
}

//! The Cellular Potts model written as a rule, and the native one: the same law, by random-sequential update and by
//! sublattices; sorting of two types, and a cell of the Act model.
#![allow(clippy::unwrap_used)]

use glauber_cellular_potts::{Acceptance, Act, Cells, Elastic, Energy, Order, Simulation, displacement};
use glauber_engine::{FieldData, Options, Plan, Run};
use glauber_lattice::{Lattice, Moore, Neighbours, Offset, Values};
use glauber_program::{Expr, Interval, Model, Pick, Scope, Update};
use glauber_statistics::tolerance::{SampleMean, mean_within_estimated, shared};

fn around() -> Vec<Offset> {
    Moore.on(2).offsets().to_vec()
}

fn sequential() -> Update {
    Update::sequential(Pick::AnySite)
}

/// min(1, e^−rise).
fn metropolis(s: &Scope, rise: Expr) -> Expr {
    s.bernoulli((-rise.max(0.0)).exp())
}

/// Sorting as `crates/cellular-potts/tests/sorting.rs` and examples/python/cell_sorting.py have it.
fn sorting(lattice: Lattice, types: &[f64], update: Update) -> Model {
    const J: [f64; 9] = [0.0, 16.0, 16.0, 16.0, 14.0, 11.0, 16.0, 11.0, 2.0];
    Model::build("sorting", lattice)
        .layer("cell", Values::labels(types.len() as i32 - 1))
        .parameter_or("T", Interval::new(0.1, 100.0), 10.0)
        .update(update)
        .step(|s| {
            let (cell, volume) = (s.layer("cell"), s.cell_sum(1.0, "cell"));
            let new = cell.at(s.neighbour(Moore));
            let cost = |label: Expr| {
                let mut sum = 2.0 * label.greater(0.0) * (s.of_cell(volume, label) - 40.0);
                for offset in around() {
                    let other = cell.shift(offset);
                    let pair = 3.0 * s.of_cell(types, label) + s.of_cell(types, other);
                    sum = sum + (1.0 - other.equals(label)) * s.look_up(&J, pair);
                }
                sum
            };
            let rise = cost(new) - cost(cell) + new.greater(0.0) + cell.greater(0.0);
            s.next("cell").set(metropolis(s, rise / s.parameter("T")).select(new, cell))
        })
        .unwrap()
}

/// 48², a block of 25 cells of 6 × 6 sites.
fn block() -> Cells {
    let kind = |place: &[usize]| if (7 * place[0] + 3 * place[1]) % 10 < 5 { 1 } else { 2 };
    Cells::blocks(Lattice::square(48), &[9, 9], &[5, 5], &[6, 6], kind).unwrap()
}

/// Pairs of unlike labels by types, 0–1, 0–2, 1–1, 1–2, 2–2; mean volume, its standard deviation, and the energy.
fn row(cells: &Cells) -> [f64; 8] {
    let pairs = cells.pairs_by_types(2);
    let volumes: Vec<f64> = cells.volumes()[1..].iter().map(|&v| f64::from(v)).collect();
    let mean = volumes.iter().sum::<f64>() / volumes.len() as f64;
    let squares = |from: f64| volumes.iter().map(|v| (v - from).powi(2)).sum::<f64>();
    let pair = |a: usize, b: usize| pairs[3 * a + b] as f64;
    let of = [pair(0, 1), pair(0, 2), pair(1, 1), pair(1, 2), pair(2, 2)];
    let adhesion: f64 = of.iter().zip([16.0, 16.0, 14.0, 11.0, 2.0]).map(|(n, j)| n * j).sum();
    let spread = (squares(mean) / volumes.len() as f64).sqrt();
    [of[0], of[1], of[2], of[3], of[4], mean, spread, adhesion + squares(40.0)]
}

/// Both samples have the same means, column by column. Bound: Student's law for the difference, one false alarm in 1,000
/// for all columns together.
fn same_means<const N: usize>(what: &str, rule: &[[f64; N]], native: &[[f64; N]]) {
    for column in 0..N {
        let [a, b] = [rule, native]
            .map(|rows| SampleMean::of(&rows.iter().map(|row| row[column]).collect::<Vec<f64>>()));
        let error = (a.sd * a.sd / rule.len() as f64 + b.sd * b.sd / native.len() as f64).sqrt();
        let numbers = rule.len() + native.len() - 1;
        let limit = mean_within_estimated(numbers, error * (numbers as f64).sqrt(), shared(1e-3, N));
        #[allow(clippy::print_stderr)]
        {
            eprintln!(
                "{what} {column}: rule {:.3} ± {:.3}, native {:.3} ± {:.3}",
                a.mean, a.sd, b.mean, b.sd
            );
        }
        assert!((a.mean - b.mean).abs() <= limit, "{what}, column {column}: {} and {}", a.mean, b.mean);
    }
}

fn sorts_as_the_native_model(update: Update, order: Order, steps: usize, seeds: usize) {
    let start = block();
    let types: Vec<f64> = start.types().iter().map(|t| f64::from(*t)).collect();
    let model = sorting(start.lattice().clone(), &types, update);
    let labels = start.labels().iter().map(|l| f64::from(*l)).collect::<Vec<f64>>();
    let run = Run::new(&[10.0], steps).replicates(seeds).seed(3).start(vec![FieldData::shared(labels)]);
    let plan = Plan::new(&model, &[], None, Options { threads: 1, ..Options::default() }).unwrap();
    let ends = plan.simulate(&run).unwrap().last;
    let rule: Vec<[f64; 8]> = ends
        .iter()
        .map(|layers| {
            let labels = layers[0].iter().map(|x| *x as u32).collect();
            row(&Cells::new(start.lattice().clone(), labels, start.types().to_vec()).unwrap())
        })
        .collect();
    let energy = Energy {
        volume: Some(vec![Elastic { strength: 0.1, target: 40.0 }; 2]),
        ..Energy::of_adhesion(2, vec![0.0, 1.6, 1.6, 1.6, 1.4, 1.1, 1.6, 1.1, 0.2])
    };
    let native: Vec<[f64; 8]> = (0..2 * seeds as u32)
        .map(|replicate| {
            let made = Simulation::new(start.clone(), &energy, Acceptance::Metropolis, order, 4, replicate);
            let mut simulation = made.unwrap();
            simulation.run(steps as u64);
            row(&simulation.cells())
        })
        .collect();
    same_means(&format!("{order:?}"), &rule, &native);
}

#[test]
fn a_rule_sorts_cells_as_the_native_model_does_site_after_site() {
    sorts_as_the_native_model(sequential(), Order::RandomSequential, 20, 16);
}

#[test]
fn a_rule_sorts_cells_as_the_native_model_does_by_sublattices() {
    sorts_as_the_native_model(Update::Sublattices, Order::Sublattices, 20, 16);
}

#[test]
#[ignore = "minutes: cargo xtask test --full runs it"]
fn a_rule_sorts_cells_as_the_native_model_does_for_long() {
    sorts_as_the_native_model(sequential(), Order::RandomSequential, 300, 32);
    sorts_as_the_native_model(Update::Sublattices, Order::Sublattices, 300, 32);
}

const MOST: u32 = 40;

/// A cell of the Act model, as examples/python/crawling_cell.py has it, but smaller.
fn act(lattice: Lattice) -> Model {
    Model::build("act", lattice)
        .layer("cell", Values::labels(1))
        .layer("until", Values::up_to(1_000_000))
        .update(sequential())
        .step(|s| {
            let (cell, until, there) = (s.layer("cell"), s.layer("until"), s.neighbour(Moore));
            let others = cell.neighbours(Moore).sum();
            let v = s.of_cell(s.cell_sum(1.0, "cell"), 1.0) - 120.0;
            let p = s.of_cell(s.cell_sum(8.0 - others, "cell"), 1.0) - 130.0;
            let activity = (until - s.step()).max(0.0);
            let logs = cell * activity.greater(0.0).select(activity.max(1.0).ln(), -1000.0);
            let mean = cell * ((logs + logs.neighbours(Moore).sum()) / (1.0 + others)).exp();
            let gain = cell.at(there) - cell;
            let longer = gain * (8.0 - 2.0 * others);
            let rise = 20.0 * longer + 10.0 * (1.0 + 2.0 * gain * v) + 2.0 * longer * (2.0 * p + longer);
            let rise = rise + 200.0 / f64::from(MOST) * (mean - mean.at(there));
            let copies = metropolis(s, rise / 20.0);
            s.next("cell").set(copies.select(cell.at(there), cell));
            let gained = copies * gain.greater(0.0);
            s.next("until").set(gained.select(s.step() + f64::from(MOST), until));
        })
        .unwrap()
}

/// Volume, perimeter, sites that are active, and the distance that the cell has gone.
fn cell_row(cells: &Cells, perimeter: f64, active: f64) -> [f64; 4] {
    let centre = cells.centroids()[1].unwrap();
    let [_, y, x] = displacement(cells.lattice(), [0.0, 19.0, 19.0], centre);
    [f64::from(cells.volumes()[1]), perimeter, active, y.hypot(x)]
}

#[test]
fn a_rule_has_a_cell_crawl_as_the_native_act_model_does() {
    const STEPS: usize = 60;
    let mut labels = vec![0; 40 * 40];
    (14..25).for_each(|y| labels[40 * y + 14..40 * y + 25].fill(1));
    let start = Cells::new(Lattice::square(40), labels, vec![0, 1]).unwrap();
    let dense = |labels: &[u32]| labels.iter().map(|l| f64::from(*l)).collect::<Vec<f64>>();
    let first = vec![FieldData::shared(dense(start.labels())), FieldData::shared(vec![0.0; 1600])];
    let run = Run::new(&[], STEPS).replicates(24).seed(5).start(first);
    let model = act(start.lattice().clone());
    let plan = Plan::new(&model, &[], None, Options { threads: 1, ..Options::default() }).unwrap();
    let rule: Vec<[f64; 4]> = plan
        .simulate(&run)
        .unwrap()
        .last
        .iter()
        .map(|layers| {
            let labels: Vec<u32> = layers[0].iter().map(|x| *x as u32).collect();
            let at = |y: usize, x: usize| labels[40 * (y % 40) + x % 40];
            let own = (0..1600).filter(|i| labels[*i] == 1);
            let unlike = own.clone().map(|i| {
                let (y, x) = (i / 40 + 40, i % 40 + 40);
                around()
                    .iter()
                    .filter(|o| at((y as i32 + o[1]) as usize, (x as i32 + o[2]) as usize) != 1)
                    .count()
            });
            let perimeter = unlike.sum::<usize>() as f64;
            let active = own.filter(|i| layers[1][*i] > STEPS as f64).count() as f64;
            let cells = Cells::new(start.lattice().clone(), labels.clone(), vec![0, 1]).unwrap();
            cell_row(&cells, perimeter, active)
        })
        .collect();
    let energy = Energy {
        volume: Some(vec![Elastic { strength: 0.5, target: 120.0 }]),
        perimeter: Some(vec![Elastic { strength: 0.1, target: 130.0 }]),
        act: Some(vec![Act { strength: 10.0, most: MOST }]),
        ..Energy::of_adhesion(1, vec![0.0, 1.0, 1.0, 5.0])
    };
    let native: Vec<[f64; 4]> = (0..48)
        .map(|replicate| {
            let order = Order::RandomSequential;
            let made = Simulation::new(start.clone(), &energy, Acceptance::Metropolis, order, 6, replicate);
            let mut simulation = made.unwrap();
            simulation.run(STEPS as u64);
            let cells = simulation.cells();
            let active = simulation.activities().unwrap().into_iter().zip(cells.labels());
            let active = active.filter(|(a, label)| *a > 0 && **label == 1).count() as f64;
            cell_row(&cells, simulation.perimeters().unwrap()[1] as f64, active)
        })
        .collect();
    same_means("act", &rule, &native);
}

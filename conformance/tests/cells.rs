//! Compares rules of cells, which read sums over cells and numbers given for each, with the interpreter, bit for bit:
//! random rules under every scheme, every boundary, every way of picking.
#![allow(clippy::unwrap_used)]

use glauber_conformance::interpreter::{Inputs, interpret};
use glauber_conformance::reference::Oracle;
use glauber_engine::{CompileOptions, FieldData, Options, Plan, Precision, Run, noise_seed};
use glauber_lattice::{Boundary, Lattice, Moore, Values, VonNeumann};
use glauber_program::{CellSum, Expr, Interval, Model, Pick, Scope, There, Update, passes};

/// Small numbers from a seed (Steele, Lea & Flood's SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) % count as u64) as usize
    }
}

const CELLS: usize = 4;

/// What is summed: nothing but sites, another layer, coordinates, a perimeter, what is at a distance.
fn summed(s: &Scope, dice: &mut Dice) -> CellSum {
    let (cell, food) = (s.layer("cell"), s.layer("food"));
    let differs = |offset| 1.0 - cell.equals(cell.shift(offset));
    match dice.below(6) {
        0 => s.cell_sum(1.0, "cell"),
        1 => s.cell_sum(food, "cell"),
        2 => s.cell_sum(s.coordinate(0) * food - 2.0, "cell"),
        3 => s.cell_sum(differs([0, 0, 1]) + differs([0, 0, -1]), "cell"),
        4 => s.cell_sum(food.neighbours_all_round(Moore).sum(), "cell"),
        _ => s.cell_sum((food * cell.greater(2.0)).shift([0, 0, -2]), "cell"),
    }
}

/// A number made of sums and lists, for this site's label or another's.
fn pull(s: &Scope, dice: &mut Dice, there: There) -> Expr {
    let cell = s.layer("cell");
    let label = match dice.below(4) {
        0 => cell,
        1 => cell.at(there),
        2 => cell.shift([0, 0, 1]),
        _ => s.layer("food").greater(1.0).select(cell, cell.at(there)),
    };
    let given = s.of_cell(&[0.0, 0.5, -1.0, 2.0, 0.25], label);
    let sum = s.of_cell(summed(s, dice), label);
    match dice.below(3) {
        0 => (sum - 6.0) * 0.2 + given,
        1 => s.parameter("k") * sum - given * sum.abs().sqrt(),
        _ => sum.less(4.0 + given) * 2.0 - 1.0 + s.of_cell(&[0.0, 1.0, 2.0, 1.0, 2.0], label).equals(2.0),
    }
}

fn rule(seed: u64, update: Update) -> Model {
    let mut dice = Dice(seed);
    let shape: Vec<usize> = [vec![18], vec![6, 6], vec![2, 6, 6]][dice.below(3)].clone();
    let mut lattice = Lattice::new(&shape).unwrap();
    for axis in 0..shape.len() {
        let boundary = match dice.below(3) {
            0 => Boundary::Reflecting,
            1 => Boundary::Fixed([0.0, 1.0][dice.below(2)]),
            _ => Boundary::Periodic,
        };
        lattice = lattice.along(axis, boundary);
    }
    let continuous = update == Update::ContinuousTime;
    Model::build("random cells", lattice)
        .layer("cell", Values::labels(CELLS as i32))
        .layer("food", Values::integers(0, 3))
        .parameter("k", Interval::unit())
        .update(update)
        .step(|s| {
            let there = s.neighbour(VonNeumann);
            let (cell, food) = (s.layer("cell"), s.layer("food"));
            let mut happens = s.bernoulli(pull(s, &mut dice, there).sigmoid());
            if continuous {
                happens = s.rates(&[pull(s, &mut dice, there).sigmoid().into(), 0.5.into()]).is(0);
            }
            s.next("cell").set(happens.select(there.exists().select(cell.at(there), 0.0), cell));
            let eats = s.bernoulli(pull(s, &mut dice, there).sigmoid());
            let eaten = (food + 1.0) * food.less(3.0);
            let eats = if continuous { eats * happens } else { eats };
            s.next("food").set(eats.select(eaten, food));
        })
        .unwrap()
}

fn start(sites: usize, dice: &mut Dice) -> Vec<Vec<f64>> {
    let mut layer = |count| (0..sites).map(|_| dice.below(count) as f64).collect();
    vec![layer(CELLS + 1), layer(4)]
}

fn run<'a>(k: &'a [f64], start: &[Vec<f64>], steps: usize) -> Run<'a> {
    let start = start.iter().map(|layer| FieldData::shared(layer.clone())).collect();
    Run::new(k, steps).replicates(2).seed(9).start(start)
}

/// Events on the engine are those of the reference, which adds up anew for each.
#[test]
fn events_keep_the_sums_that_the_interpreter_adds_up() {
    let among = Pick::Among { layer: "food".into(), state: 1 };
    let schemes = [
        Update::sequential(Pick::AnySite),
        Update::sequential(Pick::EachOnce),
        Update::RandomSequential { pick: among, events: Some(30) },
        Update::RandomSequential { pick: Pick::AnySite, events: Some(150) },
        Update::ContinuousTime,
    ];
    let mut compared = 0;
    for seed in 0..60 {
        let model = rule(seed, schemes[seed as usize % schemes.len()].clone());
        let mut dice = Dice(seed ^ 0xabcd);
        let start = start(model.declarations().lattice.sites(), &mut dice);
        let run = run(&[0.3], &start, 2);
        let oracle = Oracle::new(&model, &[], None);
        let (precision, reference) = match seed / 5 % 2 {
            0 => (Precision::Single, oracle.simulate::<f32>(&run)),
            _ => (Precision::Double, oracle.simulate::<f64>(&run)),
        };
        assert!(reference.outside.is_empty(), "{seed}: {}", reference.outside[0]);
        for compile in [CompileOptions::default(), CompileOptions::plain()] {
            let options = Options { precision, compile, threads: 1, ..Options::default() };
            match Plan::new(&model, &[], None, options).unwrap().simulate(&run) {
                Ok(found) => {
                    assert!(reference.faults.is_empty(), "{seed}: {}", reference.faults[0]);
                    assert_eq!(found.last, reference.last, "{seed} {precision:?}\n{}", model.step);
                    compared += 1;
                }
                Err(error) => assert!(error.to_string().contains("no site is left"), "{seed}: {error}"),
            }
        }
    }
    assert!(compared > 90, "{compared} compared");
}

/// By sublattices, and all at once, the engine adds up what the interpreter does: the same bits for any number of threads,
/// with and without tables.
#[test]
fn steps_of_all_sites_add_up_as_the_interpreter_does() {
    let mut compared = 0;
    for seed in 0..80 {
        let model = rule(seed, Update::Sublattices);
        let mut dice = Dice(seed ^ 0xabcd);
        let lattice = model.declarations().lattice.clone();
        let start = start(lattice.sites(), &mut dice);
        let run = run(&[0.3], &start, 1);
        let whole = passes::sublattices(&model.step, false);
        let mut found = Vec::new();
        for (threads, compile) in [(1, CompileOptions::default()), (3, CompileOptions::plain())] {
            let options = Options { precision: Precision::Double, threads, compile, ..Options::default() };
            found.push(Plan::new(&model, &[], None, options).unwrap().simulate(&run).unwrap().last);
        }
        assert_eq!(found[0], found[1], "{seed}");
        for replicate in 0..2 {
            let inputs = Inputs {
                parameters: &[0.3],
                layers: &start,
                address: (noise_seed(9, &lattice), replicate, 1),
                ..Inputs::default()
            };
            let right = interpret::<f64>(&whole, &inputs);
            assert!(right.outside.is_empty(), "{seed}: {}", right.outside[0]);
            for layer in 0..2 {
                assert_eq!(
                    found[0][replicate as usize][layer],
                    right.next[&(layer as u32)],
                    "{seed} {layer}"
                );
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 160);
}

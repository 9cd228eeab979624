//! Compares rules that are applied to one site after another, and colour after colour, with the interpreter, bit for bit,
//! over random rules: every kind of read, write and draw, every boundary, every way of picking.
#![allow(clippy::unwrap_used)]

use glauber_conformance::interpreter::{Inputs, interpret_event};
use glauber_conformance::reference::Oracle;
use glauber_engine::{CompileOptions, FieldData, Options, Plan, Precision, Run, noise_seed};
use glauber_lattice::{Boundary, Colouring, Lattice, Moore, Neighbourhood, Values, VonNeumann};
use glauber_numbers::real::Real;
use glauber_program::{Expr, Interval, Model, ModelError, Operand, Pick, Scope, There, Update, footprint};

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

    fn unit(&mut self) -> f64 {
        self.below(1 << 20) as f64 / f64::from(1 << 20)
    }
}

const LAYERS: [&str; 4] = ["on", "kind", "count", "level"];

fn neighbourhood(dice: &mut Dice, dimensions: usize) -> Neighbourhood {
    use glauber_lattice::Neighbours;
    match dice.below(3) {
        0 => VonNeumann.on(dimensions),
        1 => Moore.on(dimensions),
        _ => Neighbourhood::weighted(&[([0, 0, 1], 2.0), ([0, 0, -1], 0.5), ([0, 0, 2], 1.5)]),
    }
}

/// A value made of a layer, perhaps seen from elsewhere; `there` picks the sites it may be seen at.
fn seen(s: &Scope, dice: &mut Dice, theres: &[There], dimensions: usize) -> Expr {
    let layer = s.layer(LAYERS[dice.below(4)]);
    let made = match dice.below(5) {
        0 => layer,
        1 => 1.0 - layer,
        2 => (layer * 0.7 + s.field("slope")).tanh(),
        3 => layer.greater(0.5) + s.parameter("p"),
        _ => layer * s.layer(LAYERS[dice.below(4)]),
    };
    match dice.below(6) {
        0 => made.shift([0, 0, dice.below(5) as i32 - 2]),
        1 => made.neighbours_all_round(neighbourhood(dice, dimensions)).sum(),
        2 if !theres.is_empty() => made.at(theres[dice.below(theres.len())]),
        3 if !theres.is_empty() => {
            let around = made.neighbours_all_round(neighbourhood(dice, dimensions)).sum();
            around.at(theres[dice.below(theres.len())])
        }
        _ => made,
    }
}

/// A value in [0, 1].
fn share(s: &Scope, dice: &mut Dice, theres: &[There], dimensions: usize) -> Expr {
    let a = seen(s, dice, theres, dimensions);
    let b = seen(s, dice, theres, dimensions);
    let x = match dice.below(5) {
        0 => a + b * 0.3,
        1 => a.less(b).select(a, b - 1.0),
        2 => a.max(b) - s.coordinate(0) * 0.1,
        3 => (a * b).sin() + s.step() * 0.01,
        _ => s.normal() + a,
    };
    x.sigmoid()
}

/// A new value of a layer.
fn new_value(s: &Scope, dice: &mut Dice, layer: usize, theres: &[There], dimensions: usize) -> Expr {
    let p = share(s, dice, theres, dimensions);
    match layer {
        0 => s.bernoulli(p),
        1 => {
            let rest = 1.0 - p;
            let (half, two) = (rest * 0.25, rest * 0.75);
            s.categorical(&[p.into(), half.into(), two.into()])
        }
        2 => match dice.below(3) {
            0 => s.binomial(5.0, p),
            1 => s.poisson(p * 3.0).min(5.0),
            _ => (p * 5.0).floor(),
        },
        _ => match dice.below(2) {
            0 => p,
            _ => s.layer("level") * 0.5 + s.uniform() * p,
        },
    }
}

/// A random rule under an update scheme; a rule that the scheme refuses is the error.
fn rule(seed: u64, update: Update) -> Result<Model, ModelError> {
    let mut dice = Dice(seed);
    let shape: Vec<usize> = match dice.below(3) {
        0 => vec![6 * (1 + dice.below(2))],
        1 => vec![4, 6],
        _ => vec![2, 4, 4],
    };
    let dimensions = shape.len();
    let mut lattice = Lattice::new(&shape).unwrap();
    for axis in 0..dimensions {
        let boundary = match dice.below(4) {
            0 => Boundary::Reflecting,
            1 => Boundary::Fixed([0.0, 1.0, 0.5][dice.below(3)]),
            _ => Boundary::Periodic,
        };
        lattice = lattice.along(axis, boundary);
    }
    let continuous = update == Update::ContinuousTime;
    let sublattices = update == Update::Sublattices;
    Model::build("random", lattice)
        .layer("on", Values::binary())
        .layer("kind", Values::categories(&["a", "b", "c"]))
        .layer("count", Values::integers(0, 5))
        .layer("level", Values::Real)
        .parameter("p", Interval::unit())
        .parameter("q", Interval::positive())
        .covariate("slope")
        .update(update)
        .step(|s| {
            let mut theres = Vec::new();
            if dice.below(3) > 0 {
                theres.push(s.neighbour(neighbourhood(&mut dice, dimensions)));
            }
            if dice.below(3) == 0 {
                let p = share(s, &mut dice, &theres, dimensions);
                let direction = s.bernoulli(p);
                theres.push(s.neighbour_towards(direction, &[[0, 0, 1], [0, 0, -1]]));
            }
            if dice.below(3) == 0 && !sublattices {
                theres.push(s.anywhere());
            }
            let mut happens = s.number(1.0);
            if continuous {
                let rates = [
                    share(s, &mut dice, &theres, dimensions) * s.parameter("q"),
                    s.layer("on") * 0.5,
                    s.parameter("q").min(3.0) * s.layer("kind").is(1),
                ];
                let rates = rates.map(Operand::from);
                let event = match dice.below(2) {
                    0 => s.rates(&rates),
                    _ => s.rates_below(&rates, s.parameter("q") * 2.0 + 0.5),
                };
                happens = event.is(dice.below(3) as u32);
            }
            for layer in 0..4 {
                if dice.below(3) > 0 {
                    let value = new_value(s, &mut dice, layer, &theres, dimensions);
                    s.next(LAYERS[layer]).set(happens.select(value, s.layer(LAYERS[layer])));
                }
            }
            for there in &theres {
                if dice.below(2) == 0 {
                    let layer = dice.below(4);
                    let value = new_value(s, &mut dice, layer, &theres, dimensions);
                    let kept = s.layer(LAYERS[layer]).at(*there);
                    // Beyond an edge nothing is written, whatever stands there.
                    let kept = there.exists().select(kept, value);
                    s.next(LAYERS[layer]).set_at(*there, happens.select(value, kept));
                }
            }
        })
}

fn start(model: &Model, dice: &mut Dice) -> Vec<Vec<f64>> {
    let sites = model.declarations().lattice.sites();
    let value = |layer: usize, dice: &mut Dice| match layer {
        0 => dice.below(2) as f64,
        1 => dice.below(3) as f64,
        2 => dice.below(6) as f64,
        _ => f64::from(dice.unit() as f32),
    };
    (0..4).map(|layer| (0..sites).map(|_| value(layer, dice)).collect()).collect()
}

fn run<'a>(theta: &'a [f64], start: &[Vec<f64>], slope: &[f64], steps: usize) -> Run<'a> {
    Run::new(theta, steps)
        .replicates(2)
        .seed(9)
        .start(start.iter().map(|layer| FieldData::shared(layer.clone())).collect())
        .with_field("slope", FieldData::shared(slope.to_vec()))
}

fn schemes() -> Vec<Update> {
    let among = |layer: &str, state| Pick::Among { layer: layer.into(), state };
    vec![
        Update::sequential(Pick::AnySite),
        Update::sequential(Pick::EachOnce),
        Update::sequential(among("on", 1)),
        Update::RandomSequential { pick: among("kind", 2), events: Some(9) },
        Update::RandomSequential { pick: Pick::AnySite, events: Some(700) },
        Update::ContinuousTime,
    ]
}

/// Events on the engine are those of the reference: same states, or the same complaint.
#[test]
fn events_are_the_interpreters() {
    let (mut compared, mut refused, mut stopped) = (0, 0, 0);
    for seed in 0..240 {
        let update = schemes()[seed as usize % 6].clone();
        let Ok(model) = rule(seed, update) else {
            refused += 1;
            continue;
        };
        let mut dice = Dice(seed ^ 0xabcd);
        let (start, sites) = (start(&model, &mut dice), model.declarations().lattice.sites());
        let slope: Vec<f64> = (0..sites).map(|_| dice.unit() - 0.5).collect();
        let theta = [0.4, 1.3];
        for precision in [Precision::Single, Precision::Double] {
            let run = run(&theta, &start, &slope, 3);
            let oracle = Oracle::new(&model, &[], None);
            let reference = match precision {
                Precision::Single => oracle.simulate::<f32>(&run),
                Precision::Double => oracle.simulate::<f64>(&run),
            };
            for compile in [CompileOptions::default(), CompileOptions::plain()] {
                let options = Options { precision, compile, threads: 1, ..Options::default() };
                let plan = Plan::new(&model, &[], None, options).unwrap();
                match plan.simulate(&run) {
                    Ok(found) => {
                        assert!(reference.faults.is_empty(), "{seed}: {}", reference.faults[0]);
                        for (replicate, (own, right)) in found.last.iter().zip(&reference.last).enumerate() {
                            for layer in 0..4 {
                                assert_eq!(
                                    own[layer], right[layer],
                                    "{seed} {precision:?} replicate {replicate} {}\n{}",
                                    LAYERS[layer], model.step
                                );
                            }
                        }
                        compared += 1;
                    }
                    Err(error) => {
                        let none_left = error.to_string().contains("no site is left");
                        let known = reference.faults.contains(&error);
                        assert!(known || none_left && !reference.faults.is_empty(), "{seed}: {error}");
                        stopped += 1;
                    }
                }
            }
        }
    }
    assert!(compared > 600, "{compared} compared, {refused} refused, {stopped} stopped");
}

/// One step, colour after colour, site after site of a colour, each from the state as it then is.
fn by_colours<F: Real>(model: &Model, colouring: &Colouring, inputs: &Inputs<'_>) -> Vec<Vec<f64>> {
    let d = model.declarations();
    let [_, height, width] = d.lattice.extent();
    let mut state = inputs.layers.to_vec();
    let rule = model.step.simulated();
    for colour in 0..colouring.colours {
        for site in 0..d.lattice.sites() {
            if colouring.colour([site / (height * width), site / width % height, site % width]) != colour {
                continue;
            }
            let written = {
                // A site's random numbers are its own.
                let own = Inputs { layers: &state, event: Some((site as u32, f64::NAN)), ..inputs.clone() };
                interpret_event::<F>(&rule, &own, site)
            };
            assert!(written.faults.is_empty(), "{:?}", written.faults);
            for (layer, site, value) in written.writes {
                let integer = d.layers[layer as usize].values.is_integer();
                state[layer as usize][site] = if integer { value + 0.0 } else { value };
            }
        }
    }
    state
}

/// A step by sublattices is the sites' updates one after another, in any order within a colour: the engine's step of all
/// colours at once against the rule applied site by site.
#[test]
fn sublattices_are_sites_one_after_another() {
    let (mut compared, mut refused) = (0, 0);
    for seed in 0..160 {
        let Ok(model) = rule(seed, Update::Sublattices) else {
            refused += 1;
            continue;
        };
        let mut dice = Dice(seed ^ 0xabcd);
        let (start, sites) = (start(&model, &mut dice), model.declarations().lattice.sites());
        let slope: Vec<f64> = (0..sites).map(|_| dice.unit() - 0.5).collect();
        let theta = [0.4, 1.3];
        let run = run(&theta, &start, &slope, 1);
        let options = Options { precision: Precision::Double, threads: 1, ..Options::default() };
        let found = Plan::new(&model, &[], None, options).unwrap().simulate(&run).unwrap();
        let colouring = Colouring::of(&footprint(&model.step), &model.declarations().lattice).unwrap();
        for replicate in 0..2 {
            let inputs = Inputs {
                parameters: &theta,
                layers: &start,
                fields: [("slope".to_string(), slope.clone())].into(),
                address: (noise_seed(9, &model.declarations().lattice), replicate, 1),
                ..Inputs::default()
            };
            let right = by_colours::<f64>(&model, &colouring, &inputs);
            for layer in 0..4 {
                for site in 0..sites {
                    let (own, right) = (found.last[replicate as usize][layer][site], right[layer][site]);
                    // What is put together of indicators is added up in another order.
                    assert!(
                        (own - right).abs() <= 1e-12 * right.abs().max(1.0),
                        "{seed} replicate {replicate} {} site {site}: {own} for {right}\n{}",
                        LAYERS[layer],
                        model.step
                    );
                }
            }
        }
        compared += 1;
    }
    assert!(compared > 60, "{compared} compared, {refused} refused");
}

/// The same step by colours as the engine runs it, a colour's own sites alone, and as the interpreter does, all sites for
/// every colour: the same bits, with and without tables.
#[test]
fn colours_on_the_engine_are_the_interpreters() {
    let mut compared = 0;
    for seed in 0..80 {
        let Ok(model) = rule(seed, Update::Sublattices) else { continue };
        let mut dice = Dice(seed ^ 0xabcd);
        let (start, sites) = (start(&model, &mut dice), model.declarations().lattice.sites());
        let slope: Vec<f64> = (0..sites).map(|_| dice.unit() - 0.5).collect();
        let theta = [0.4, 1.3];
        let run = run(&theta, &start, &slope, 2);
        for compile in [CompileOptions::default(), CompileOptions::plain()] {
            same_as_interpreter(&model, &run, Options { compile, threads: 1, ..Options::default() });
        }
        compared += 1;
    }
    assert!(compared > 30, "{compared} compared");
}

/// Rows longer than a block's, odd lengths, more threads than one: colours of two, three, four and five.
#[test]
fn colours_of_lattices_of_many_blocks_are_the_interpreters() {
    let lattice = |shape: &[usize]| Lattice::new(shape).unwrap();
    let open = Boundary::Fixed(0.0);
    for lattice in [
        lattice(&[4, 2052]),
        lattice(&[190, 181]).bounded(open),
        lattice(&[3, 3001]).along(1, open),
        lattice(&[4099]).bounded(open),
        lattice(&[7, 15, 33]).bounded(open),
    ] {
        for wide in [false, true] {
            let built = Model::build("wide", lattice.clone())
                .layer("on", Values::binary())
                .layer("u", Values::Real)
                .layer("still", Values::integers(0, 9))
                .parameter("p", Interval::unit())
                .update(Update::Sublattices)
                .start(|s| {
                    s.next("on").bernoulli(0.5);
                    s.next("u").set(s.uniform());
                    s.next("still").set(3.0);
                });
            let model = built.step(|s| {
                let (on, u) = (s.layer("on"), s.layer("u"));
                let around = if wide { on.neighbours(Moore).sum() } else { on.neighbours(VonNeumann).sum() };
                s.next("on").bernoulli((around * 0.7 - 1.4 + u * s.parameter("p")).sigmoid());
                let noise = s.uniform() * 0.1 + s.coordinate(0) * 0.01;
                s.next("u").set(u.neighbours(VonNeumann).mean() * 0.5 + noise);
                s.next("still").set(s.layer("still"));
            });
            let Ok(model) = model else { continue };
            let run = Run::new(&[0.3], 2).seed(4);
            for threads in [1, 3] {
                same_as_interpreter(&model, &run, Options { threads, ..Options::default() });
            }
        }
    }
}

fn same_as_interpreter(model: &Model, run: &Run<'_>, options: Options) {
    for precision in [Precision::Single, Precision::Double] {
        let oracle = Oracle::new(model, &[], None);
        let reference = match precision {
            Precision::Single => oracle.simulate::<f32>(run),
            Precision::Double => oracle.simulate::<f64>(run),
        };
        let plan = Plan::new(model, &[], None, Options { precision, ..options }).unwrap();
        let found = plan.simulate(run).unwrap();
        for (own, right) in found.last.iter().zip(&reference.last) {
            let lattice = &model.declarations().lattice;
            assert!(own == right, "{lattice} {precision:?}\n{}", model.step);
        }
    }
}

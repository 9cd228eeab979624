//! Checks update schemes against exact results: currents, mean occupancies, energies, laws of whole steps.
//!
//! Every limit is computed: from the standard error of independent replicates, or a χ² limit, with one false alarm in
//! 10,000 seeds for each test.
#![allow(clippy::unwrap_used)]

use glauber_engine::{FieldData, Options, Plan, Precision, Run, Simd};
use glauber_lattice::{Colouring, Lattice, Values, VonNeumann};
use glauber_likelihood::log_likelihood;
use glauber_program::{Expr, Interval, Model, Pick, Scope, Update};
use glauber_statistics::tolerance::{SampleMean, chi_square, chi_square_below, shared};

const ALARM: f64 = 1e-4;

fn sequential() -> Update {
    Update::sequential(Pick::AnySite)
}

/// Particles on an open line: in at the first site, out of the last, one place to the right in between.
fn tasep(length: usize, update: Update) -> Model {
    Model::build("tasep", Lattice::line(length).fixed(0.0))
        .layer("occupied", Values::binary())
        .parameter("entry", Interval::unit())
        .parameter("exit", Interval::unit())
        .update(update)
        .start(|s| s.next("occupied").set(0.0))
        .step(|s| {
            let occupied = s.layer("occupied");
            let first = s.coordinate(0).equals(0.0);
            let last = s.coordinate(0).equals(length as f64 - 1.0);
            let right = s.neighbour_towards(s.number(0.0), &[[0, 0, 1]]);
            let free = 1.0 - occupied.at(right);
            let leaves = occupied * last.select(s.parameter("exit"), free);
            let enters = (1.0 - occupied) * first * s.parameter("entry");
            let moves = s.bernoulli(leaves + enters);
            let hops = moves * occupied;
            s.next("occupied").set(moves.select(1.0 - occupied, occupied));
            s.next("occupied").set_at(right, hops.select(1.0, occupied.at(right)));
        })
        .unwrap()
}

/// The current of an open line is what Derrida, Evans, Hakim & Pasquier (1993) found, J = Z_{L-1}/Z_L; here entry times the
/// chance that the first site is free, averaged over steps at rest, for random sequential order.
#[test]
fn currents_of_open_exclusion_are_exact() {
    let known = [
        (10, 1.0, 1.0, 0.2857142857),
        (10, 0.3, 0.8, 0.2101693914),
        (10, 0.7, 0.2, 0.1599900080),
        (32, 1.0, 1.0, 0.2615384615),
        (32, 0.3, 0.8, 0.2100007708),
        (32, 0.7, 0.2, 0.1599999999),
    ];
    for (length, entry, exit, current) in known {
        let model = tasep(length, sequential());
        let first = model
            .observe(|s| s.output("first", (s.layer("occupied") * s.coordinate(0).equals(0.0)).sum()))
            .unwrap();
        let plan = Plan::new(&model, &[first.into()], None, Options::default()).unwrap();
        let (rest, steps) = (20 * length, 20 * length + 600);
        let theta = [entry, exit];
        let mut run = Run::new(&theta, steps).replicates(400).seed(1);
        for step in (rest..=steps).step_by(4) {
            run = run.observe(step, 0);
        }
        let outputs = plan.simulate(&run).unwrap().outputs;
        let currents: Vec<f64> = outputs
            .values
            .chunks(outputs.width)
            .map(|row| entry * (1.0 - row.iter().sum::<f64>() / row.len() as f64))
            .collect();
        let found = SampleMean::of(&currents);
        assert!(
            found.agrees_with(current, shared(ALARM, known.len())),
            "L = {length}, ({entry}, {exit}): {} ± {}, exact {current}",
            found.mean,
            found.standard_error()
        );
    }
}

/// Particles that try a random neighbour each time they are picked.
fn exclusion(pick: Pick, events: Option<u32>) -> Model {
    Model::build("exclusion", Lattice::new(&[4, 5]).unwrap())
        .layer("occupied", Values::binary())
        .parameter("p", Interval::unit())
        .update(Update::RandomSequential { pick, events })
        .step(|s| {
            let there = s.neighbour(VonNeumann);
            let occupied = s.layer("occupied");
            let goes = occupied * (1.0 - occupied.at(there)) * s.bernoulli(s.parameter("p"));
            s.move_to(there, "occupied", 0.0, goes);
        })
        .unwrap()
}

/// The mean occupancy of symmetric exclusion obeys (I + (p/4M) Δ)^k exactly after k events, M the number of sites, or of
/// particles where those are picked.
#[test]
fn mean_occupancy_of_exclusion_is_exact() {
    let start: Vec<u8> = (0..20).map(|site| u8::from(site % 5 < 2)).collect();
    let particles = start.iter().filter(|x| **x == 1).count();
    let cases = [
        (Pick::AnySite, 20, Some(30)),
        (Pick::AnySite, 20, None),
        (Pick::Among { layer: "occupied".into(), state: 1 }, particles, Some(30)),
        (Pick::Among { layer: "occupied".into(), state: 1 }, particles, None),
    ];
    for (pick, picked, events) in cases.clone() {
        let model = exclusion(pick, events);
        let plan = Plan::new(&model, &[], None, Options::default()).unwrap();
        let (p, replicates, steps) = (0.7, 40_000, 2);
        let theta = [p];
        let run = Run::new(&theta, steps)
            .replicates(replicates)
            .seed(2)
            .start(vec![FieldData::shared(start.clone())]);
        let last = plan.simulate(&run).unwrap().last;
        let k = steps * events.map_or(picked, |e| e as usize);
        let mut exact: Vec<f64> = start.iter().map(|x| f64::from(*x)).collect();
        for _ in 0..k {
            let before = exact.clone();
            for (site, value) in exact.iter_mut().enumerate() {
                let (y, x) = (site / 5, site % 5);
                let around = [(y + 1, x), (y + 3, x), (y, x + 1), (y, x + 4)];
                let sum: f64 = around.iter().map(|(y, x)| before[y % 4 * 5 + x % 5]).sum();
                *value += p / (4.0 * picked as f64) * (sum - 4.0 * before[site]);
            }
        }
        for site in 0..20 {
            let occupied: Vec<f64> = last.iter().map(|frame| frame[0][site]).collect();
            let found = SampleMean::of(&occupied);
            let alarm = shared(ALARM, 20 * cases.len());
            assert!(found.agrees_with(exact[site], alarm), "site {site}: {} for {}", found.mean, exact[site]);
        }
        assert!(last.iter().all(|frame| frame[0].iter().sum::<f64>() as usize == particles));
    }
}

/// −Σ of products over nearest pairs, per site.
fn energy(model: &Model) -> glauber_program::Program {
    model
        .observe(|s| {
            let spin = s.layer("up") * 2.0 - 1.0;
            let pairs = spin * (spin.shift([0, 0, 1]) + spin.shift([0, 1, 0]));
            s.output("energy", -(pairs.mean()));
        })
        .unwrap()
}

fn mean_energy(model: &Model, beta: f64, seed: u64) -> SampleMean {
    let plan = Plan::new(model, &[energy(model).into()], None, Options::default()).unwrap();
    let theta = [beta];
    let half: Vec<u8> = (0..16).map(|site| ((site / 4 + site % 4) % 2) as u8).collect();
    let mut run =
        Run::new(&theta, 700).replicates(600).seed(seed).start(vec![FieldData::shared(half)]).without_last();
    for step in (100..=700).step_by(3) {
        run = run.observe(step, 0);
    }
    let outputs = plan.simulate(&run).unwrap().outputs;
    let means: Vec<f64> =
        outputs.values.chunks(outputs.width).map(|row| row.iter().sum::<f64>() / row.len() as f64).collect();
    SampleMean::of(&means)
}

fn ising(update: Update, metropolis: bool) -> Model {
    Model::build("ising", Lattice::square(4))
        .layer("up", Values::binary())
        .parameter("beta", Interval::positive())
        .update(update)
        .step(|s| {
            let up = s.layer("up");
            let around = (up * 2.0 - 1.0).neighbours_all_round(VonNeumann).sum();
            let pull = s.parameter("beta") * around * 2.0;
            if metropolis {
                let spin = up * 2.0 - 1.0;
                let flips = s.bernoulli((-(pull * spin)).exp().min(1.0));
                s.next("up").set(flips.select(1.0 - up, up));
            } else {
                s.next("up").bernoulli(pull.sigmoid());
            }
        })
        .unwrap()
}

/// Exchanges of unlike neighbours by heat bath, which keeps the number of spins up (Kawasaki 1966).
fn kawasaki(metropolis: bool) -> Model {
    Model::build("kawasaki", Lattice::square(4))
        .layer("up", Values::binary())
        .parameter("beta", Interval::positive())
        .update(sequential())
        .step(|s| {
            let there = s.neighbour(VonNeumann);
            let spin = s.layer("up") * 2.0 - 1.0;
            let other = spin.at(there);
            let around = spin.neighbours_all_round(VonNeumann).sum();
            // Each counts the other among its neighbours: −1 · own where they differ.
            let cost = 2.0 * (spin * (around - other) + other * (around.at(there) - spin));
            let accepted = acceptance(s, s.parameter("beta") * cost, metropolis);
            let goes = s.layer("up").equals(s.layer("up").at(there)).select(0.0, accepted);
            s.swap_with(there, "up", goes);
        })
        .unwrap()
}

fn acceptance(s: &Scope, cost: Expr, metropolis: bool) -> Expr {
    s.bernoulli(if metropolis { (-cost).exp().min(1.0) } else { (-cost).sigmoid() })
}

/// By enumeration on the 4 × 4 torus.
#[test]
fn energies_at_rest_are_those_of_the_ensemble() {
    let mut checks = Vec::new();
    for update in [sequential(), Update::sequential(Pick::EachOnce), Update::Sublattices] {
        for metropolis in [false, true] {
            // Every site in turn, in an order that does not depend on the state, keeps the ensemble; Metropolis flips
            // colour by colour too.
            checks.push((ising(update.clone(), metropolis), 0.3, -0.8440540736));
        }
    }
    for (beta, exact) in [(0.2, -0.1703898095), (0.3, -0.3043932449), (0.4, -0.4362594238)] {
        for metropolis in [false, true] {
            checks.push((kawasaki(metropolis), beta, exact));
        }
    }
    let alarm = shared(ALARM, checks.len());
    for (number, (model, beta, exact)) in checks.iter().enumerate() {
        let found = mean_energy(model, *beta, 10 + number as u64);
        assert!(
            found.agrees_with(*exact, alarm),
            "{} by {}, β = {beta}: {} ± {}, exact {exact}",
            model.name(),
            model.update(),
            found.mean,
            found.standard_error()
        );
    }
}

fn contact(update: Update, shape: &[usize]) -> Model {
    Model::build("contact", Lattice::new(shape).unwrap())
        .layer("occupied", Values::binary())
        .parameter("lambda", Interval::positive())
        .update(update)
        .start(|s| s.next("occupied").set(1.0))
        .step(|s| {
            let occupied = s.layer("occupied");
            let birth = s.parameter("lambda") * (1.0 - occupied) * occupied.neighbours(VonNeumann).mean();
            let event = s.rates(&[occupied.into(), birth.into()]);
            s.next("occupied").set(event.is(0).select(0.0, event.is(1).select(1.0, occupied)));
        })
        .unwrap()
}

/// The contact process in continuous time against Gillespie's algorithm, written here: the distribution of the number of
/// occupied sites on a ring of 12 after 3 units of time, by χ².
#[test]
fn continuous_time_is_gillespies_process() {
    let (length, lambda, time, runs) = (12, 2.5, 3, 20_000);
    let model = contact(Update::ContinuousTime, &[length]);
    let plan = Plan::new(&model, &[], None, Options::default()).unwrap();
    let theta = [lambda];
    let run = Run::new(&theta, time).replicates(runs).seed(3);
    let mut found = vec![0_u64; length + 1];
    for frame in plan.simulate(&run).unwrap().last {
        found[frame[0].iter().sum::<f64>() as usize] += 1;
    }
    // A linear congruential generator of 64 bits, high half (Knuth's MMIX), is good enough for this size.
    let mut state = 7_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as f64 + 0.5) / f64::from(1_u32 << 31)
    };
    let mut direct = vec![0_u64; length + 1];
    for _ in 0..runs {
        let mut occupied = vec![true; length];
        let mut clock = 0.0;
        loop {
            let rate = |i: usize| {
                let around = [occupied[(i + 1) % length], occupied[(i + length - 1) % length]];
                let n = around.iter().filter(|o| **o).count() as f64;
                if occupied[i] { 1.0 } else { lambda * n / 2.0 }
            };
            let rates: Vec<f64> = (0..length).map(rate).collect();
            let total: f64 = rates.iter().sum();
            if total <= 0.0 {
                break;
            }
            clock -= uniform().ln() / total;
            if clock > time as f64 {
                break;
            }
            let mut at = uniform() * total;
            let site = rates.iter().position(|r| {
                at -= r;
                at < 0.0
            });
            let site = site.unwrap_or(length - 1);
            occupied[site] = !occupied[site];
        }
        direct[occupied.iter().filter(|o| **o).count()] += 1;
    }
    // Two samples of one size: Σ (a − b)²/(a + b), as many degrees of freedom as classes less 1.
    let classes: Vec<usize> = (0..=length).filter(|n| found[*n] + direct[*n] >= 20).collect();
    let statistic: f64 = classes
        .iter()
        .map(|n| (found[*n] as f64 - direct[*n] as f64).powi(2) / (found[*n] + direct[*n]) as f64)
        .sum();
    assert!(statistic < chi_square_below(classes.len() - 1, ALARM), "{statistic}: {found:?} {direct:?}");
}

/// The contact process dies out below its critical rate and lives above (3.29785 in one dimension, 1.64874 in two).
#[test]
fn the_contact_process_is_bracketed_by_its_critical_rates() {
    for (shape, low, high) in [(&[200][..], 2.6, 4.0), (&[24, 24][..], 1.3, 2.0)] {
        let model = contact(Update::ContinuousTime, shape);
        let count = model.observe(|s| s.output("occupied", s.layer("occupied").mean())).unwrap();
        let plan = Plan::new(&model, &[count.into()], None, Options::default()).unwrap();
        let at = |lambda: f64| {
            let theta = [lambda];
            let run = Run::new(&theta, 120).replicates(20).seed(4).observe(120, 0);
            plan.simulate(&run).unwrap().outputs.values
        };
        assert!(at(low).iter().all(|x| *x < 0.05), "{:?}", at(low));
        assert!(at(high).iter().all(|x| *x > 0.2), "{:?}", at(high));
    }
}

/// A voter takes over the opinion of a neighbour in a drawn direction, with probability q, and else errs with probability e.
fn voter(update: Update) -> Model {
    Model::build("voter", Lattice::new(&[2, 4]).unwrap())
        .layer("opinion", Values::binary())
        .parameter("q", Interval::unit())
        .parameter("e", Interval::unit())
        .update(update)
        .step(|s| {
            let there = s.neighbour(glauber_lattice::Neighbourhood::weighted(&[
                ([0, 0, 1], 3.0),
                ([0, 0, -1], 1.0),
                ([0, 1, 0], 2.0),
            ]));
            let own = s.layer("opinion");
            let follows = s.bernoulli(s.parameter("q"));
            let errs = s.bernoulli(s.parameter("e"));
            let taken = follows.select(own.at(there), own);
            s.next("opinion").set(errs.select(1.0 - taken, taken));
        })
        .unwrap()
}

/// The exact likelihood under sublattices sums to 1 over all next states, and is the frequency of simulations.
#[test]
fn likelihoods_under_sublattices_are_laws() {
    let before = vec![1_u8, 0, 0, 1, 1, 1, 0, 0];
    let after: Vec<Vec<u8>> =
        (0..256_u32).map(|n| (0..8).map(|site| (n >> site & 1) as u8).collect()).collect();
    let strip = |update| {
        Model::build("ising", Lattice::new(&[2, 4]).unwrap())
            .layer("up", Values::binary())
            .parameter("q", Interval::any())
            .parameter("e", Interval::any())
            .update(update)
            .step(|s| {
                let spin = s.layer("up") * 2.0 - 1.0;
                let around = spin.neighbours_all_round(VonNeumann).sum();
                s.next("up").bernoulli(((around * s.parameter("q") + s.parameter("e")) * 2.0).sigmoid());
            })
            .unwrap()
    };
    for model in [voter(Update::Sublattices), strip(Update::Sublattices)] {
        let theta = [0.4, 0.2];
        let program = log_likelihood(&model.step).unwrap();
        let options = Options { precision: Precision::Double, ..Options::default() };
        let plan = Plan::new(&model, &[program.into()], None, options).unwrap();
        let mut run =
            Run::new(&theta, 0).replicates(256).start(vec![FieldData::shared(before.clone())]).observe(0, 0);
        run.targets = Some(vec![FieldData::picked(after.concat(), (0..256).collect())]);
        let law: Vec<f64> = plan.simulate(&run).unwrap().outputs.values.into_iter().map(f64::exp).collect();
        assert!((law.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{}", law.iter().sum::<f64>());
        let plan = Plan::new(&model, &[], None, Options::default()).unwrap();
        let runs = 100_000;
        let run = Run::new(&theta, 1).replicates(runs).seed(5).start(vec![FieldData::shared(before.clone())]);
        let mut counts = vec![0_u64; 256];
        for frame in plan.simulate(&run).unwrap().last {
            let number = frame[0].iter().enumerate().map(|(site, x)| (*x as usize) << site).sum::<usize>();
            counts[number] += 1;
        }
        let classes: Vec<usize> = (0..256).filter(|n| law[*n] * runs as f64 >= 5.0).collect();
        let observed: Vec<u64> = classes.iter().map(|n| counts[*n]).collect();
        let expected: Vec<f64> = classes.iter().map(|n| law[*n] * runs as f64).collect();
        let statistic = chi_square(&observed, &expected);
        assert!(statistic < chi_square_below(classes.len(), shared(ALARM, 2)), "{statistic}");
    }
}

/// Runs by events are the same bits with any vectors, any number of threads, whole or resumed.
#[test]
fn events_are_the_same_bits_however_they_are_run() {
    for model in [contact(Update::ContinuousTime, &[9, 7]), tasep(33, sequential()), kawasaki(false)] {
        let theta = vec![0.6; model.declarations().parameters.len()];
        let shape = model.declarations().lattice.sites();
        let start: Vec<u8> = (0..shape).map(|i| (i % 3 == 0) as u8).collect();
        let run = |steps| {
            Run::new(&theta, steps).replicates(5).seed(6).start(vec![FieldData::shared(start.clone())])
        };
        let plan = |options| Plan::new(&model, &[], None, options).unwrap();
        let whole = plan(Options::default()).simulate(&run(7)).unwrap().last;
        for simd in Simd::available() {
            let options = Options { simd, threads: 2, ..Options::default() };
            assert_eq!(plan(options).simulate(&run(7)).unwrap().last, whole);
        }
        let options = Options { compile: glauber_engine::CompileOptions::plain(), ..Options::default() };
        assert_eq!(plan(options).simulate(&run(7)).unwrap().last, whole);
        let half = plan(Options::default()).simulate(&run(3)).unwrap().last;
        for (replicate, state) in half.into_iter().enumerate() {
            let state: Vec<u8> = state[0].iter().map(|x| *x as u8).collect();
            let mut rest = Run::new(&theta, 4).seed(6).start(vec![FieldData::shared(state)]).first_step(3);
            rest.first_replicate = replicate as u32;
            let last = plan(Options::default()).simulate(&rest).unwrap().last;
            assert_eq!(last[0], whole[replicate], "{}", model.name());
        }
    }
}

/// Sites whose neighbours are all eight around them have four colours wherever two by two closes, whatever the lengths by four.
#[test]
fn colourings_are_as_few_as_close() {
    for (shape, colours) in [(&[6, 6][..], 4), (&[6, 10], 4), (&[9, 9], 9), (&[4, 6, 10], 8)] {
        let board = Model::build("m", Lattice::new(shape).unwrap())
            .layer("x", Values::binary())
            .update(Update::Sublattices)
            .step(|s| s.next("x").bernoulli(s.layer("x").neighbours(glauber_lattice::Moore).mean()))
            .unwrap();
        let lattice = &board.declarations().lattice;
        let found = Colouring::of(&glauber_program::footprint(&board.step), lattice).unwrap();
        assert_eq!(found.colours, colours, "{shape:?}");
    }
}

/// A rule in continuous time that changes something without a transition says so.
#[test]
fn changes_without_a_transition_are_told() {
    let build = |ages: bool| {
        Model::build("m", Lattice::line(8))
            .layer("x", Values::binary())
            .layer("age", Values::integers(0, 100))
            .parameter("rate", Interval::positive())
            .update(Update::ContinuousTime)
            .step(|s| {
                let event = s.rates(&[s.parameter("rate").into(), s.layer("x").into()]);
                s.swap_with(s.neighbour(VonNeumann), "x", event.is(1));
                let older = (s.layer("age") + 1.0).min(100.0);
                s.next("age").set(if ages { older } else { event.is(0).select(older, s.layer("age")) });
            })
            .unwrap()
            .notes()
    };
    assert_eq!(build(false), Vec::<String>::new());
    let notes = build(true);
    assert!(notes.len() == 1 && notes[0].contains("may change `age` also where no transition"), "{notes:?}");
}

/// Where by the highest sum of rates nothing can happen, rates that cannot be are met all the same.
#[test]
fn rates_are_looked_at_where_nothing_can_happen() {
    let run = |rate: fn(&Scope) -> Expr, declared: Option<f64>, parameter: f64| {
        let model = Model::build("m", Lattice::line(70))
            .layer("x", Values::binary())
            .parameter("k", Interval::new(-5.0, 5.0))
            .update(Update::ContinuousTime)
            .start(|s| s.next("x").set(s.coordinate(0).equals(69.0)))
            .step(|s| {
                let rates = [rate(s).into(), s.number(0.5).into()];
                let rates = if declared.is_some() { &rates[..1] } else { &rates[..] };
                let event = match declared {
                    Some(most) => s.rates_below(rates, most),
                    None => s.rates(rates),
                };
                s.next("x").set(event.is(0).select(1.0 - s.layer("x"), s.layer("x")))
            })
            .map_err(|e| e.to_string())?;
        let plan = Plan::new(&model, &[], None, Options::default()).unwrap();
        plan.simulate(&Run::new(&[parameter], 3).replicates(2)).map(|_| ()).map_err(|e| e.to_string())
    };
    let k: fn(&Scope) -> Expr = |s| s.parameter("k");
    // k + 0.5 is 0, or below.
    for value in [-0.5, -1.0] {
        let message = run(k, None, value).unwrap_err();
        assert!(message.contains(&format!("the rate of `rates` is {value}")), "{message}");
    }
    // A highest sum of which nothing could ever come is refused; rates of which nothing comes are fine.
    let last: fn(&Scope) -> Expr = |s| s.layer("x") * s.parameter("k");
    for none in [0.0, -1.0] {
        let message = run(last, Some(none), 1.0).unwrap_err();
        assert!(message.contains("nothing would ever happen"), "{message}");
    }
    assert_eq!(run(last, None, 0.0), Ok(()));
    // Only the last site's rate is above the highest sum.
    let message = run(last, Some(0.5), 1.0).unwrap_err();
    assert!(message.contains("add up to 2 times") && message.contains("declare a higher one"), "{message}");
}

/// Whether two sites change places is 0 or 1: between them their values would be mixed.
#[test]
fn exchanges_happen_or_do_not() {
    let build = |when: fn(&Scope) -> Expr| {
        Model::build("m", Lattice::line(8).fixed(3.0))
            .layer("x", Values::integers(0, 20))
            .parameter("p", Interval::unit())
            .update(sequential())
            .start(|s| s.next("x").set(2.0 * s.coordinate(0)))
            .step(|s| s.swap_with(s.neighbour(VonNeumann), "x", when(s)))
    };
    let run = |when, p: f64| {
        let plan = Plan::new(&build(when).unwrap(), &[], None, Options::default()).unwrap();
        plan.simulate(&Run::new(&[p], 20)).map(|_| ()).map_err(|e| e.to_string())
    };
    let refused = build(|s| s.number(0.5)).unwrap_err().to_string();
    assert!(
        refused.contains("`when` of swap_with is 0.5") && refused.contains("s.bernoulli(p)"),
        "{refused}"
    );
    let p: fn(&Scope) -> Expr = |s| s.parameter("p");
    let refused = run(p, 0.25).unwrap_err();
    assert!(refused.contains("`when` of swap_with is 0.25"), "{refused}");
    assert_eq!(run(p, 1.0), Ok(()));
    assert_eq!(run(|s| s.bernoulli(s.parameter("p")), 0.25), Ok(()));
    // Beyond the edge, where the rule reads 3, nothing happens.
    assert_eq!(run(|s| (s.layer("x").at(s.neighbour(VonNeumann)) / 20.0).min(0.0), 1.0), Ok(()));
}

/// What cannot be is refused in words.
#[test]
fn rules_that_cannot_be_applied_so_are_refused() {
    let build = |update: Update, shape: &[usize], rule: fn(&Scope)| {
        Model::build("m", Lattice::new(shape).unwrap())
            .layer("x", Values::binary())
            .parameter("rate", Interval::positive())
            .update(update)
            .step(rule)
            .map(|_| ())
            .map_err(|e| e.to_string())
            .unwrap_err()
    };
    let moves: fn(&Scope) = |s| s.swap_with(s.neighbour(VonNeumann), "x", 1.0);
    let far: fn(&Scope) = |s| s.swap_with(s.anywhere(), "x", 1.0);
    let plain: fn(&Scope) = |s| s.next("x").bernoulli(s.layer("x").neighbours(VonNeumann).mean());
    let summing: fn(&Scope) = |s| s.next("x").bernoulli(s.layer("x").mean());
    let shifted: fn(&Scope) = |s| s.next("x").set(s.bernoulli(0.5).shift([0, 0, 1]));
    let wide: fn(&Scope) = |s| s.next("x").set(s.layer("x").shift([0, 0, 40]));
    for (message, words) in [
        (build(Update::Synchronous, &[8], moves), "two sites could write to one at once"),
        (build(Update::Sublattices, &[37], moves), "that will do are 36"),
        (build(Update::Sublattices, &[37], plain), "that will do are 38"),
        (build(Update::Sublattices, &[2], moves), "leads back to what the site itself writes"),
        (build(Update::Sublattices, &[8], far), "whole lattice"),
        (build(Update::Sublattices, &[8], wide), "leads farther than the lattice"),
        (build(sequential(), &[8], wide), "leads farther than the lattice"),
        (build(Update::ContinuousTime, &[8], plain), "states no rates"),
        (build(sequential(), &[1], moves), "is the site itself"),
        (
            build(
                Update::RandomSequential {
                    pick: Pick::Among { layer: "x".into(), state: 1 },
                    events: Some(0),
                },
                &[8],
                plain,
            ),
            "0 events",
        ),
        (build(sequential(), &[8], summing), "sums over the whole lattice"),
        (build(sequential(), &[8], shifted), "only the site of the event draws"),
        (
            build(Update::sequential(Pick::Among { layer: "x".into(), state: 2 }), &[8], plain),
            "it is never that",
        ),
        (
            build(Update::sequential(Pick::Among { layer: "xx".into(), state: 1 }), &[8], plain),
            "no layer called `xx`",
        ),
    ] {
        assert!(message.contains(words), "{message}");
    }
    let bounded = Model::build("m", Lattice::line(8))
        .layer("x", Values::binary())
        .parameter("rate", Interval::positive())
        .update(Update::ContinuousTime)
        .start(|s| s.next("x").set(1.0))
        .step(|s| {
            let event = s.rates_below(&[s.parameter("rate").into()], 2.0);
            s.next("x").set(event.is(0).select(0.0, s.layer("x")))
        })
        .unwrap();
    let plan = Plan::new(&bounded, &[], None, Options::default()).unwrap();
    let message = plan.simulate(&Run::new(&[3.0], 1)).unwrap_err().to_string();
    assert!(message.contains("`rates` of a site add up to 1.5 times"), "{message}");
    let fast = contact(Update::ContinuousTime, &[64, 64]);
    let plan = Plan::new(&fast, &[], None, Options::default()).unwrap();
    let message = plan.simulate(&Run::new(&[1e8], 1)).unwrap_err().to_string();
    assert!(message.contains("events on average, more than 1e9"), "{message}");
    let dying = exclusion(Pick::Among { layer: "occupied".into(), state: 1 }, None);
    let plan = Plan::new(&dying, &[], None, Options::default()).unwrap();
    let empty = vec![FieldData::shared(vec![0_u8; 20])];
    let message = plan.simulate(&Run::new(&[0.5], 1).start(empty)).unwrap_err().to_string();
    assert!(message.contains("no site is left where occupied is 1"), "{message}");
    let estimator = glauber_program::estimators::StraightThrough;
    let message = Plan::new(&dying, &[], Some(&estimator), Options::default()).err().unwrap().to_string();
    assert!(message.contains("has no gradient"), "{message}");
    let message = log_likelihood(&dying.step).unwrap_err().to_string();
    assert!(message.contains("serves instead"), "{message}");
}

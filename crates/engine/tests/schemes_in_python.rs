//! Checks that the rules of `examples/python` give the bits of the same rules traced in Rust: both are compared with the
//! fingerprints in `python/tests/schemes.txt`, those of Python by `python/tests/test_updates.py`.
#![allow(clippy::unwrap_used)]

use glauber_engine::{Options, Plan, Run};
use glauber_lattice::{Boundary, Lattice, Moore, Values, VonNeumann};
use glauber_program::{Interval, Model, Pick, Update};

fn tasep() -> Model {
    Model::build("tasep", Lattice::line(32).fixed(0.0))
        .layer("occupied", Values::binary())
        .parameter_or("entry", Interval::unit(), 0.3)
        .parameter_or("exit", Interval::unit(), 0.8)
        .update(Update::sequential(Pick::AnySite))
        .start(|s| s.next("occupied").set(0.0))
        .step(|s| {
            let (occupied, right) = (s.layer("occupied"), s.neighbour_towards(s.number(0.0), &[[0, 0, 1]]));
            let (first, last) = (s.coordinate(0).equals(0.0), s.coordinate(0).equals(31.0));
            let leaves = occupied * last.select(s.parameter("exit"), 1.0 - occupied.at(right));
            let moves = s.bernoulli(leaves + (1.0 - occupied) * first * s.parameter("entry"));
            s.next("occupied").set(moves.select(1.0 - occupied, occupied));
            s.next("occupied").set_at(right, (moves * occupied).select(1.0, occupied.at(right)));
        })
        .unwrap()
}

fn kawasaki() -> Model {
    Model::build("kawasaki", Lattice::square(64))
        .layer("up", Values::binary())
        .parameter_or("beta", Interval::new(0.0, 2.0), 0.6)
        .update(Update::sequential(Pick::AnySite))
        .start(|s| s.next("up").bernoulli(0.5))
        .step(|s| {
            let there = s.neighbour(VonNeumann);
            let spin = s.layer("up") * 2.0 - 1.0;
            let (around, other) = (spin.neighbours(VonNeumann).sum(), spin.at(there));
            let cost = 2.0 * (spin * (around - other) + other * (around.at(there) - spin));
            let accepted = s.bernoulli((-s.parameter("beta") * cost).sigmoid());
            let unlike = 1.0 - s.layer("up").equals(s.layer("up").at(there));
            s.swap_with(there, "up", unlike * accepted);
        })
        .unwrap()
}

fn contact_process() -> Model {
    Model::build("contact-process", Lattice::square(64))
        .layer("occupied", Values::binary())
        .parameter_or("lambda", Interval::new(0.0, 10.0), 1.9)
        .update(Update::ContinuousTime)
        .start(|s| s.next("occupied").set(1.0))
        .step(|s| {
            let occupied = s.layer("occupied");
            let birth = s.parameter("lambda") * (1.0 - occupied) * occupied.neighbours(VonNeumann).mean();
            let event = s.rates(&[occupied.into(), birth.into()]);
            s.next("occupied").set(event.is(0).select(0.0, event.is(1).select(1.0, occupied)));
        })
        .unwrap()
}

fn scratch_assay() -> Model {
    Model::build("scratch-assay", Lattice::new(&[48, 96]).unwrap().along(1, Boundary::Reflecting))
        .layer("cell", Values::binary())
        .parameter_or("motility", Interval::unit(), 0.9)
        .parameter_or("division", Interval::unit(), 0.02)
        .update(Update::sequential(Pick::Among { layer: "cell".into(), state: 1 }))
        .start(|s| {
            let seeded = s.coordinate(1).less(32.0).max(s.coordinate(1).at_least(64.0));
            s.next("cell").bernoulli(0.4 * seeded)
        })
        .step(|s| {
            let there = s.neighbour(VonNeumann);
            let divides = s.bernoulli(s.parameter("division"));
            let moves = (1.0 - divides) * s.bernoulli(s.parameter("motility"));
            let free = 1.0 - s.layer("cell").at(there);
            s.move_to(there, "cell", divides, free * moves.max(divides));
        })
        .unwrap()
}

fn schelling() -> Model {
    Model::build("schelling", Lattice::square(48))
        .layer("house", Values::categories(&["empty", "red", "blue"]))
        .parameter_or("wanted", Interval::unit(), 0.5)
        .update(Update::sequential(Pick::AnySite))
        .start(|s| s.next("house").categorical(&[0.1.into(), 0.45.into(), 0.45.into()]))
        .step(|s| {
            let (house, there) = (s.layer("house"), s.anywhere());
            let (reds, blues) = (house.neighbours(Moore).count(1), house.neighbours(Moore).count(2));
            let own = house.is(1).select(reds, blues);
            let unhappy = (1.0 - house.is(0)) * own.less(s.parameter("wanted") * (reds + blues));
            s.swap_with(there, "house", unhappy * house.at(there).is(0));
        })
        .unwrap()
}

/// The FNV-1a hash of bytes.
fn fingerprint(bytes: impl Iterator<Item = u8>) -> String {
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[test]
fn rules_traced_in_python_are_those_traced_here() {
    let found: Vec<String> = [
        ("tasep", tasep()),
        ("kawasaki", kawasaki()),
        ("contact_process", contact_process()),
        ("scratch_assay", scratch_assay()),
        ("schelling", schelling()),
    ]
    .into_iter()
    .map(|(name, model)| {
        let theta: Vec<f64> = model.declarations().parameters.iter().map(|p| p.default.unwrap()).collect();
        let plan = Plan::new(&model, &[], None, Options::default()).unwrap();
        let last = plan.simulate(&Run::new(&theta, 6).replicates(3).seed(5)).unwrap().last;
        let bytes = last.iter().flat_map(|frame| frame[0].iter().map(|x| *x as u8)).collect::<Vec<u8>>();
        format!("{name} {}", fingerprint(bytes.into_iter()))
    })
    .collect();
    let path = format!("{}/../../python/tests/schemes.txt", env!("CARGO_MANIFEST_DIR"));
    let known = std::fs::read_to_string(path).unwrap();
    assert_eq!(found.join("\n"), known.trim_end());
}

//! Checks what an update scheme asks of a rule when it is traced, and when the rule is taken to another scheme.
#![allow(clippy::unwrap_used)]

use glauber_lattice::{Boundary, Lattice, Moore, Offset, Values, VonNeumann};
use glauber_program::{Interval, Model, ModelError, Operand, Pick, Scope, Update};

fn among() -> Pick {
    Pick::Among { layer: "walker".into(), state: 1 }
}

fn walkers(update: Update) -> Model {
    Model::build("walkers", Lattice::square(8))
        .layer("walker", Values::binary())
        .update(update)
        .step(|s| {
            let there = s.neighbour(VonNeumann);
            s.move_to(there, "walker", 0.0, 1.0 - s.layer("walker").at(there))
        })
        .unwrap()
}

fn message<T: std::fmt::Debug>(found: Result<T, ModelError>) -> String {
    found.unwrap_err().to_string()
}

/// A rule for agents means nothing at other sites: it is kept among them, or refused.
#[test]
fn agents_stay_agents_or_are_refused() {
    let own = walkers(Update::RandomSequential { pick: among(), events: Some(7) });
    let to = |pick: Pick, events| own.updated(Update::RandomSequential { pick, events });
    assert_eq!(to(Pick::AnySite, None).unwrap(), own);
    let more = to(Pick::AnySite, Some(9)).unwrap();
    assert_eq!(*more.update(), Update::RandomSequential { pick: among(), events: Some(9) });
    let all = to(among(), None).unwrap();
    assert_eq!(*all.update(), Update::sequential(among()));
    for refused in [
        own.updated(Update::Sublattices),
        own.updated(Update::Synchronous),
        own.updated(Update::ContinuousTime),
        to(Pick::EachOnce, None),
    ] {
        let said = message(refused);
        assert!(
            said.contains("one for agents") && said.contains("write the condition into the rule"),
            "{said}"
        );
    }
    // Whoever builds it for all sites has said so.
    assert!(walkers(Update::Sublattices).updated(Update::sequential(Pick::AnySite)).is_ok());
}

/// What another scheme leaves without effect is said, as long as it is so.
#[test]
fn idle_choices_are_noted() {
    let own = walkers(Update::RandomSequential { pick: Pick::EachOnce, events: Some(3) });
    let by_colours = own.updated(Update::Sublattices).unwrap();
    let notes = by_colours.notes();
    assert_eq!(notes.len(), 1);
    assert!(
        notes[0].ends_with("(order = permutation, events = 3) are without effect under sublattices"),
        "{notes:?}"
    );
    let back = by_colours.updated(Update::sequential(Pick::AnySite)).unwrap();
    assert_eq!(back.notes(), Vec::<String>::new());
    assert_eq!(walkers(Update::Sublattices).updated(Update::Sublattices).unwrap().notes(), back.notes());
}

fn reading(lattice: Lattice, offsets: &[Offset], update: Update) -> Result<Model, ModelError> {
    let around = glauber_lattice::Neighbourhood::of(offsets);
    Model::build("far", lattice)
        .layer("on", Values::binary())
        .update(update)
        .step(|s| s.next("on").bernoulli(s.layer("on").neighbours(around).mean()))
}

/// As far as the lattice is long a site meets itself, or lies beyond the edges wherever it is asked for.
#[test]
fn nothing_reaches_as_far_as_the_lattice_is_long() {
    let (sequential, torus) = (|| Update::sequential(Pick::AnySite), || Lattice::square(3).periodic());
    let fixed = || Lattice::square(3).fixed(0.0);
    for (lattice, offset) in [(torus(), [0, 0, 5]), (torus(), [0, -4, 0]), (fixed(), [0, 5, 0])] {
        let said = message(reading(lattice.clone(), &[offset, [0, 0, 1]], sequential()));
        assert!(said.contains("sites or more along axis"), "{said}");
        assert!(
            message(reading(lattice, &[offset], Update::Sublattices)).contains("sites or more along axis")
        );
    }
    let said = message(reading(fixed(), &[[0, 0, 5]], sequential()));
    assert!(said.contains("offset [0, 5]") && said.contains("choose 6 sites or more along axis 1"), "{said}");
    // All sites at once it is some site, or what stands beyond the edges, and that is said.
    let note = |lattice: Lattice, offsets: &[Offset]| {
        reading(lattice, offsets, Update::Synchronous).unwrap().notes().join("; ")
    };
    assert!(note(torus(), &[[0, 0, 5]]).contains("offset [0, 5], as far away as"));
    assert!(note(fixed(), &[[0, 0, 5], [0, -3, 0]]).contains("beyond the fixed edges from every site"));
    assert_eq!(note(fixed(), &[[0, 0, 5], [0, 0, 1]]), "");
    assert!(reading(torus(), &[[0, 0, 2]], sequential()).is_ok());
    // Across a strip one site wide everything is outside: walls.
    let strip = Lattice::new(&[1, 8]).unwrap().bounded(Boundary::Fixed(0.0));
    let voter = Model::build("voter", strip)
        .layer("on", Values::binary())
        .update(sequential())
        .step(|s| s.next("on").set(s.layer("on").at(s.neighbour(VonNeumann))));
    assert!(voter.is_ok());
}

/// The lengths that are named do work.
#[test]
fn lengths_that_no_colouring_divides_are_told_the_nearest_that_do() {
    let swaps = |shape: &[usize]| {
        Model::build("swaps", Lattice::new(shape).unwrap().periodic())
            .layer("on", Values::binary())
            .update(Update::Sublattices)
            .step(|s| s.swap_with(s.neighbour(Moore), "on", 1.0))
    };
    let mut refused = 0;
    for shape in [[16, 17], [10, 13], [64, 25], [25, 25], [5, 7], [7, 7]] {
        let Err(error) = swaps(&shape) else { continue };
        let said = error.to_string();
        refused += 1;
        let lengths = said.split_once("that will do are ").unwrap().1.split_once(',').unwrap().0;
        let named: Vec<usize> = lengths.split(" × ").map(|n| n.parse().unwrap()).collect();
        assert!(swaps(&named).is_ok(), "{shape:?}: {said}");
        // Nothing nearer does.
        let distance = |other: &[usize]| other[0].abs_diff(shape[0]) + other[1].abs_diff(shape[1]);
        for y in 3..shape[0] + 12 {
            for x in 3..shape[1] + 12 {
                assert!(
                    distance(&[y, x]) >= distance(&named) || swaps(&[y, x]).is_err(),
                    "{y} × {x}: {said}"
                );
            }
        }
    }
    assert!(refused >= 4, "{refused}");
}

fn labelled(becomes: impl FnOnce(&Scope) -> Operand) -> Result<Model, ModelError> {
    Model::build("cells", Lattice::square(8))
        .layer("cell", Values::labels(3))
        .parameter("k", Interval::unit())
        .update(Update::sequential(Pick::AnySite))
        .step(|s| s.next("cell").set(becomes(s)))
}

/// Of labels one is chosen; what may be none of the declared ones is refused.
#[test]
fn labels_are_not_computed() {
    let copied = |s: &Scope| {
        let there = s.layer("cell").at(s.neighbour(Moore));
        s.bernoulli(0.5).select(there, s.layer("cell")).into()
    };
    assert!(labelled(copied).is_ok());
    assert!(labelled(|s| s.bernoulli(0.1).select(3.0, s.layer("cell")).into()).is_ok());
    assert!(labelled(|s| (s.layer("cell") + 1.0).min(3.0).into()).is_ok());
    for refused in [
        labelled(|s| s.bernoulli(0.1).select(4.0, s.layer("cell")).into()),
        labelled(|s| (s.layer("cell") + 1.0).into()),
        labelled(|s| (s.layer("cell") * s.parameter("k")).into()),
        labelled(|s| (0.5 * s.layer("cell") + 0.5 * s.layer("cell").at(s.neighbour(Moore))).into()),
    ] {
        let said = message(refused);
        assert!(said.contains("holds labels from 0 to 3, and the rule gives it a number from"), "{said}");
    }
    let elsewhere = labelled(|s| {
        s.next("cell").set_at(s.anywhere(), s.layer("cell") + 1.0);
        s.layer("cell").into()
    });
    assert!(message(elsewhere).contains("a label is chosen among labels"));
}

/// A highest sum of rates by which nothing could ever happen.
#[test]
fn a_highest_rate_of_nothing_is_refused() {
    for most in [0.0, -1.0, f64::NAN] {
        let found = Model::build("idle", Lattice::square(4))
            .layer("on", Values::binary())
            .update(Update::ContinuousTime)
            .step(|s| {
                let event = s.rates_below(&[1.0.into()], most);
                s.next("on").set(event.is(0).select(0.0, s.layer("on")));
            });
        assert!(message(found).contains("(most)"));
    }
}

/// `show` tells of a rate that no bound follows for, before a run is tried.
#[test]
fn a_rate_without_bound_is_shown() {
    let driven = Model::build("driven", Lattice::square(4))
        .layer("on", Values::binary())
        .covariate("drive")
        .update(Update::ContinuousTime)
        .step(|s| {
            let event = s.rates(&[s.field("drive").into()]);
            s.next("on").set(event.is(0).select(0.0, s.layer("on")));
        })
        .unwrap();
    let said = driven.application();
    assert!(said.iter().any(|(what, words)| *what == "events" && words.contains("[update]")), "{said:?}");
}

/// A named state is called by its name.
#[test]
fn agents_are_called_by_their_state() {
    let named = Model::build("named", Lattice::square(4))
        .layer("site", Values::categories(&["free", "agent"]))
        .update(Update::sequential(Pick::Among { layer: "site".into(), state: 1 }))
        .step(|s| s.next("site").set(s.layer("site")))
        .unwrap();
    let said = named.application();
    assert!(
        said.contains(&("events", "in a step as many as sites where site is agent".to_string())),
        "{said:?}"
    );
}

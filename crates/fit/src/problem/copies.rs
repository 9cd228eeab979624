//! Notes what observed lattices hold twice: runs that are copies of each other, and frames that were only held.
//!
//! Neither is a mistake for sure. Runs that a rule without chance makes of one start are the same, a run that came to rest holds its
//! last state, and where little happens nothing happens in most frames: of these nothing is said.

use std::collections::HashMap;

use glauber_data::{held_in_words, period_of_changes};
use glauber_engine::Numbers;
use glauber_program::Model;
use glauber_tasks::states::States;

/// The fewest changes of sites in a run that chance does not make twice.
const FEWEST_CHANGES: usize = 24;
/// The fewest sites that change at a time, on average, where most frames were held: where few do, nothing happens in many.
const AT_ONCE: usize = 8;

/// Sentences on what is held twice.
pub(super) fn copies(states: &States, model: &Model) -> Vec<String> {
    if model.step.declarations().draws.is_empty() || states.times < 2 {
        return Vec::new();
    }
    let changes: Vec<Vec<usize>> = (0..states.runs).map(|run| changes(states, run)).collect();
    same_runs(states, &changes).into_iter().chain(held_frames(&changes)).collect()
}

/// How many sites changed at each time after the first, in all layers together.
fn changes(states: &States, run: usize) -> Vec<usize> {
    fn differing<T: PartialEq>(numbers: &[T], sites: usize) -> impl Iterator<Item = usize> + '_ {
        let before = numbers.chunks(sites);
        before
            .zip(numbers[sites..].chunks(sites))
            .map(|(a, b)| a.iter().zip(b).filter(|(x, y)| x != y).count())
    }
    let mut changes = vec![0; states.times - 1];
    let length = states.times * states.sites;
    let own = run * length..(run + 1) * length;
    for layer in &states.layers {
        let add = |(all, one): (&mut usize, usize)| *all += one;
        match &**layer {
            Numbers::Bytes(v) => {
                changes.iter_mut().zip(differing(&v[own.clone()], states.sites)).for_each(add)
            }
            Numbers::Reals(v) => {
                changes.iter_mut().zip(differing(&v[own.clone()], states.sites)).for_each(add)
            }
        }
    }
    changes
}

fn same_runs(states: &States, changes: &[Vec<usize>]) -> Option<String> {
    let length = states.times * states.sites;
    let are_same = |a: usize, b: usize| {
        let (a, b) = (a * length..(a + 1) * length, b * length..(b + 1) * length);
        states.layers.iter().all(|layer| match &**layer {
            Numbers::Bytes(v) => v[a.clone()] == v[b.clone()],
            Numbers::Reals(v) => v[a.clone()] == v[b.clone()],
        })
    };
    // Runs that are the same change alike; few others do.
    let mut alike: HashMap<&[usize], Vec<usize>> = HashMap::new();
    let mut copies: Vec<(usize, usize)> = Vec::new();
    for run in (0..states.runs).filter(|run| changes[*run].iter().sum::<usize>() >= FEWEST_CHANGES) {
        let others = alike.entry(&changes[run]).or_default();
        match others.iter().find(|other| are_same(**other, run)) {
            Some(other) => copies.push((*other, run)),
            None => others.push(run),
        }
    }
    let &(one, other) = copies.first()?;
    let more = match copies.len() - 1 {
        0 => String::new(),
        n => format!(", and {n} more are copies of others"),
    };
    Some(format!(
        "runs {one} and {other} are the same{more}: each is counted as data of its own, which makes errors too small; leave the \
         copies out"
    ))
}

fn held_frames(changes: &[Vec<usize>]) -> Option<String> {
    // What comes after the last change is rest.
    let moving: Vec<&[usize]> = changes
        .iter()
        .filter_map(|own| Some(&own[..=own.iter().rposition(|changed| *changed > 0)?]))
        .collect();
    let held = |own: &[usize]| -> Vec<bool> { own.iter().map(|changed| *changed == 0).collect() };
    let periods: Vec<usize> = moving.iter().filter_map(|own| period_of_changes(&held(own))).collect();
    let most = |count: usize| 2 * count > moving.len();
    let ending =
        "a state that was only held is counted as a step in which nothing happened: leave such frames out";
    let of_runs = |count: usize| match moving.len() {
        1 => String::new(),
        all => format!("in {count} of {all} runs "),
    };
    if let Some(period) = periods.first().copied().filter(|_| most(periods.len())) {
        return Some(format!("{}{}: {ending}", of_runs(periods.len()), held_in_words("frame", period)));
    }
    let mostly = |own: &&&[usize]| {
        let changing = own.iter().filter(|changed| **changed > 0).count();
        own.len() >= 8
            && 2 * changing < own.len()
            && changing > 1
            && own.iter().sum::<usize>() >= AT_ONCE * changing
    };
    let count = moving.iter().filter(mostly).count();
    most(count).then(|| format!("{}most frames equal the one before them: {ending}", of_runs(count)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use glauber_data::arrays::Array;
    use glauber_lattice::{Lattice, Values};
    use glauber_models::{ModelOptions, named};

    /// Notes on runs of this model that show the frames of these numbers of a simulation.
    fn notes(name: &str, runs: &[(u64, Vec<usize>)]) -> Vec<String> {
        notes_of(&named(name, &ModelOptions::none().with("shape", vec![12.0, 12.0])).unwrap(), runs)
    }

    fn notes_of(model: &Model, runs: &[(u64, Vec<usize>)]) -> Vec<String> {
        let mut numbers = Vec::new();
        for (seed, frames) in runs {
            let parameters: Vec<f64> =
                model.declarations().parameters.iter().map(|p| p.default.unwrap_or(0.3)).collect();
            let states = States::simulate(model, &parameters, 60, 1, *seed).unwrap();
            for frame in frames {
                numbers.extend((0..144).map(|site| states.layers[0].at(frame * 144 + site)));
            }
        }
        let array = Array::new(vec![runs.len(), runs[0].1.len(), 12, 12], numbers).unwrap();
        let layer = model.declarations().layers[0].name.clone();
        copies(&States::from_arrays(model.declarations(), &[(layer, array)]).unwrap(), model)
    }

    fn held(by: usize, frames: usize) -> Vec<usize> {
        (0..frames).map(|frame| frame / by).collect()
    }

    #[test]
    fn runs_that_are_the_same_and_frames_that_were_held_are_noted() {
        let whole = held(1, 12);
        let voter = |runs: &[(u64, Vec<usize>)]| notes("voter", runs);
        assert_eq!(voter(&[(1, whole.clone()), (2, whole.clone())]), Vec::<String>::new());
        let copies = voter(&[(1, whole.clone()), (2, whole.clone()), (1, whole.clone()), (1, whole)]);
        assert!(
            copies.len() == 1 && copies[0].starts_with("runs 0 and 2 are the same, and 1 more"),
            "{copies:?}"
        );
        let twice = voter(&[(1, held(2, 24)), (2, held(2, 24))]);
        assert!(
            twice.len() == 1 && twice[0].starts_with("in 2 of 2 runs every second frame equals"),
            "{twice:?}"
        );
        let once = voter(&[(1, held(3, 24))]);
        assert!(once.len() == 1 && once[0].starts_with("only one frame in 3 differs"), "{once:?}");
        let mixed = vec![0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 4];
        let most = voter(&[(1, mixed)]);
        assert!(most.len() == 1 && most[0].starts_with("most frames equal"), "{most:?}");
    }

    #[test]
    fn rest_and_rules_without_chance_are_not_accused() {
        // Rest after five frames; throughout; a run in which little happens.
        let rest: Vec<usize> = (0..24).map(|frame: usize| frame.min(5)).collect();
        assert_eq!(notes("voter", &[(1, rest.clone()), (2, rest)]), Vec::<String>::new());
        assert_eq!(notes("voter", &[(1, vec![7; 12]), (1, vec![7; 12])]), Vec::<String>::new());
        let turns = Model::build("turns", Lattice::square(12))
            .layer("x", Values::binary())
            .start(|s| s.next("x").set(s.coordinate(0).less(5.0)))
            .step(|s| s.next("x").set(1.0 - s.layer("x")))
            .unwrap();
        assert_eq!(notes_of(&turns, &[(1, held(1, 12)), (1, held(1, 12))]), Vec::<String>::new());
    }
}

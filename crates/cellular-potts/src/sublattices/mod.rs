//! Makes attempts at all sites of a colour at once, colour after colour: the parallel Cellular Potts dynamics.
//!
//! A colour is a set of sites that are alike modulo the period (2; 3 with an Act term) along each axis, z slowest. No site of a
//! colour reads another one, so their attempts are independent given the state when the colour begins; volumes and
//! perimeters, which all of them read, are those of that moment. Copies are collected, and made when the colour is over: in
//! any number of threads the same.

mod side_by_side;

use glauber_numbers::noise::Key;
use rayon::prelude::*;

use crate::keys::{Draw, Noise, below};
use crate::plane::OUTSIDE;
use crate::state::{Attempt, Copy, Prepared, State};
use crate::vectors::Simd;

/// Sites of a colour below which threads cost more than they save.
const SITES_PER_TASK: usize = 1 << 14;

/// The keys of a step.
struct Keys {
    direction: Key,
    acceptance: Key,
    more: Key,
}

/// The sites of a colour in its rows: every `period`-th from the `first` on, so many.
struct Colour {
    first: usize,
    period: usize,
    count: usize,
}

/// One step; side by side with vectors where the state has halves, which then are ahead of its plane.
pub(crate) fn step<const PLAIN: bool, const NEIGHBOURS: usize>(
    state: &mut State,
    terms: &Prepared,
    noise: &Noise,
    now: u64,
    vectors: Option<Simd>,
    period: usize,
    copies: &mut Vec<Copy>,
) {
    let keys = Keys {
        direction: noise.key(now, Draw::Direction, 0),
        acceptance: noise.key(now, Draw::Acceptance, 0),
        more: noise.key(now, Draw::Acceptance, 1),
    };
    if let (true, 8, Some(simd)) = (PLAIN, NEIGHBOURS, vectors) {
        if let Some(mut halves) = state.halves.take() {
            side_by_side::step(state, &mut halves, terms, &keys, simd);
            state.halves = Some(halves);
            return;
        }
    }
    let extent = state.places.extent();
    // Along an axis that there is not, there is one colour.
    let shifts = |axis: usize| 0..extent[axis].min(period);
    for z in shifts(0) {
        for y in shifts(1) {
            let rows: Vec<usize> = (z..extent[0])
                .step_by(period)
                .flat_map(|z| (y..extent[1]).step_by(period).map(move |y| z * extent[1] + y))
                .collect();
            for x in shifts(2) {
                let colour = Colour { first: x, period, count: (extent[2] - x).div_ceil(period) };
                copies.clear();
                attempts::<PLAIN, NEIGHBOURS>(state, terms, &keys, &colour, &rows, copies);
                state.make_all(terms, copies);
            }
        }
    }
}

/// The copies that are accepted among the sites of a colour, in the order of sites.
fn attempts<const PLAIN: bool, const NEIGHBOURS: usize>(
    state: &State,
    terms: &Prepared,
    keys: &Keys,
    colour: &Colour,
    rows: &[usize],
    copies: &mut Vec<Copy>,
) {
    let of_rows = |rows: &[usize], copies: &mut Vec<Copy>| {
        for &row in rows {
            one_by_one::<PLAIN, NEIGHBOURS>(state, terms, keys, colour, row, copies);
        }
    };
    let rows_per_task = SITES_PER_TASK.div_ceil(colour.count);
    if rows.len() <= rows_per_task || rayon::current_num_threads() == 1 {
        return of_rows(rows, copies);
    }
    let parts: Vec<Vec<Copy>> = rows
        .par_chunks(rows_per_task)
        .map(|rows| {
            let mut copies = Vec::new();
            of_rows(rows, &mut copies);
            copies
        })
        .collect();
    copies.extend(parts.into_iter().flatten());
}

/// The attempts at the sites of a row.
fn one_by_one<const PLAIN: bool, const NEIGHBOURS: usize>(
    state: &State,
    terms: &Prepared,
    keys: &Keys,
    colour: &Colour,
    row: usize,
    copies: &mut Vec<Copy>,
) {
    let Ok(distances) = <[isize; NEIGHBOURS]>::try_from(state.places.distances()) else { return };
    let (begin, base) = (state.places.rows()[row], row * state.places.extent()[2]);
    for i in 0..colour.count {
        let x = colour.first + i * colour.period;
        let (address, site) = (begin + x, (base + x) as u32);
        let source = address.wrapping_add_signed(distances[below(keys.direction.word(site), NEIGHBOURS)]);
        let (old, new) = (state.sites[address], state.sites[source]);
        if new != old && new != OUTSIDE {
            let attempt = Attempt { site, address, source, old, new, word: keys.acceptance.word(site) };
            copies.extend(
                state.decide::<PLAIN, NEIGHBOURS>(terms, &distances, attempt, || keys.more.word(site)),
            );
        }
    }
}

//! Makes attempts at all sites of a colour at once, colour after colour: the parallel Cellular Potts dynamics.
//!
//! A colour is a set of sites that are alike modulo the period (2; 3 with an Act term) along each axis, z slowest. No site of a
//! colour reads another one, so their attempts are independent given the state when the colour begins; volumes and
//! perimeters, which all of them read, are those of that moment. Copies are collected, and made when the colour is over: in
//! any number of threads the same.

use rayon::prelude::*;

use crate::keys::{Draw, Noise, below};
use crate::plane::OUTSIDE;
use crate::state::{Attempt, Copy, Prepared, State};
use crate::words::{Simd, fill};

/// The sites of a row of a colour that are looked at in one go.
const BLOCK: usize = 256;
/// Sites of a colour below which threads cost more than they save.
const SITES_PER_TASK: usize = 1 << 14;

/// The keys of a step.
struct Keys {
    direction: glauber_numbers::noise::Key,
    acceptance: glauber_numbers::noise::Key,
    more: glauber_numbers::noise::Key,
}

/// One step.
pub(crate) fn step<const PLAIN: bool, const NEIGHBOURS: usize>(
    state: &mut State,
    terms: &Prepared,
    noise: &Noise,
    now: u64,
    simd: Simd,
    period: usize,
    copies: &mut Vec<Copy>,
) {
    let keys = Keys {
        direction: noise.key(now, Draw::Direction, 0),
        acceptance: noise.key(now, Draw::Acceptance, 0),
        more: noise.key(now, Draw::Acceptance, 1),
    };
    let extent = state.places.extent();
    let shifts = |axis: usize| 0..if extent[axis] == 1 { 1 } else { period };
    for z in shifts(0) {
        for y in shifts(1) {
            for x in shifts(2) {
                // An axis of one site has one colour, whatever the period.
                let rows: Vec<usize> = (z..extent[0])
                    .step_by(period)
                    .flat_map(|z| (y..extent[1]).step_by(period).map(move |y| z * extent[1] + y))
                    .collect();
                let colour = |rows: &[usize], copies: &mut Vec<Copy>| {
                    for &row in rows {
                        attempts::<PLAIN, NEIGHBOURS>(state, terms, &keys, simd, row, [x, period], copies);
                    }
                };
                copies.clear();
                let per_task = (SITES_PER_TASK * period / extent[2]).max(1);
                if rows.len() > per_task && rayon::current_num_threads() > 1 {
                    let parts: Vec<Vec<Copy>> = rows
                        .par_chunks(per_task)
                        .map(|rows| {
                            let mut copies = Vec::new();
                            colour(rows, &mut copies);
                            copies
                        })
                        .collect();
                    copies.extend(parts.into_iter().flatten());
                } else {
                    colour(&rows, copies);
                }
                for copy in copies.iter() {
                    state.make(terms, *copy);
                }
            }
        }
    }
}

/// The attempts at every `period`-th site of a row from `first` on.
fn attempts<const PLAIN: bool, const NEIGHBOURS: usize>(
    state: &State,
    terms: &Prepared,
    keys: &Keys,
    simd: Simd,
    row: usize,
    [first, period]: [usize; 2],
    copies: &mut Vec<Copy>,
) {
    let Ok(distances) = <[isize; NEIGHBOURS]>::try_from(state.places.distances()) else { return };
    let width = state.places.extent()[2];
    let (begin, base) = (state.places.rows()[row], row * width);
    let mut words = [0_u32; BLOCK];
    let mut differing = [(0_u32, 0_u32); BLOCK];
    let count = (width - first.min(width)).div_ceil(period);
    for block in (0..count).step_by(BLOCK) {
        let size = BLOCK.min(count - block);
        let from = first + block * period;
        fill(simd, &keys.direction, (base + from) as u32, period as u32, &mut words[..size]);
        // First all sites whose source has another label, without a branch; then what copies there would cost.
        let mut found = 0;
        for (i, word) in words[..size].iter().enumerate() {
            let address = begin + from + i * period;
            let direction = below(*word, NEIGHBOURS);
            let source = address.wrapping_add_signed(distances[direction]);
            differing[found] = (i as u32, direction as u32);
            found += usize::from(state.sites[address] != state.sites[source]);
        }
        for &(i, direction) in &differing[..found] {
            let x = from + i as usize * period;
            let address = begin + x;
            let source = address.wrapping_add_signed(distances[direction as usize % NEIGHBOURS]);
            let (old, new) = (state.sites[address], state.sites[source]);
            if new == OUTSIDE {
                continue;
            }
            let site = (base + x) as u32;
            let attempt = Attempt { site, address, source, old, new, word: keys.acceptance.word(site) };
            let copy = state.decide::<PLAIN, NEIGHBOURS>(terms, &distances, attempt, || keys.more.word(site));
            copies.extend(copy);
        }
    }
}

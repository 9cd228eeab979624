//! Decides the attempts of a colour side by side, as vectors: in two dimensions, where adhesion of few types and volumes count.
//!
//! Sites whose source has another label are picked out, a quarter in packed tissue; what their costs depend on is laid out in
//! columns; then columns are computed with. Each number is made by the operations of `State::decide` in their order, so it
//! has the same bits.

use glauber_numbers::noise::Key;

use crate::chance::{MARGIN, accepts, decided, level};
use crate::energy::Acceptance;
use crate::plane::{OUTSIDE, kind, label};
use crate::state::{Copy, FewTypes, Prepared, State, pair};
use crate::sublattices::{Colour, Keys};
use crate::vectors::{BLOCK, KEPT, Kept, Numbers, Vectors, Work, fill};

/// How far apart the sites of a colour are.
const PERIOD: usize = 2;
/// The attempts that are decided in one go, at most.
const ATTEMPTS: usize = KEPT - BLOCK;

/// Sites of a colour in a row, looked at in one go, in columns.
struct Block {
    words: Numbers,
    /// All ones where the source has another label.
    marks: Numbers,
    columns: [Numbers; 5],
    /// Of three rows, the sites to the left and right of the colour's, and those in between.
    rows: [[[u32; BLOCK + 1]; 2]; 3],
}

/// The columns of attempts. Sites:
const SITE: usize = 0;
/// What they are.
const OLD: usize = 1;
/// What their source is.
const NEW: usize = 2;
/// How many neighbours have each type, from 1 on, four bits for every type.
const KINDS: usize = 3;
/// How many have the label before, and 16 times how many have that after.
const SAME: usize = 4;

/// Room for what is computed of attempts.
struct Scratch {
    words: Kept,
    codes: Kept,
    levels: [f32; KEPT],
    change: [f64; KEPT],
    accepted: [Copy; KEPT],
}

/// Some rows of a colour.
pub(super) struct Rows<'a> {
    pub(super) state: &'a State,
    pub(super) terms: &'a Prepared,
    pub(super) keys: &'a Keys,
    pub(super) colour: &'a Colour,
    pub(super) rows: &'a [usize],
    pub(super) copies: &'a mut Vec<Copy>,
}

impl Work for Rows<'_> {
    #[inline(always)]
    fn run(self, vectors: impl Vectors) {
        let Rows { state, terms, keys, colour, rows, copies } = self;
        let Ok(distances) = <[isize; 8]>::try_from(state.places.distances()) else { return };
        let Some(few) = &terms.few else { return };
        let (mut columns, mut count) = ([[0; KEPT]; 5], 0);
        let mut block = Block {
            words: [0; BLOCK],
            marks: [0; BLOCK],
            columns: [[0; BLOCK]; 5],
            rows: [[[0; BLOCK + 1]; 2]; 3],
        };
        let mut scratch = Scratch {
            words: [0; KEPT],
            codes: [0; KEPT],
            levels: [0.0; KEPT],
            change: [0.0; KEPT],
            accepted: [Copy { site: 0, old: 0, new: 0, perimeters: [0; 2] }; KEPT],
        };
        let width = state.places.extent()[2];
        for &row in rows {
            let (begin, base) = (state.places.rows()[row], row * width);
            for from in (0..colour.count).step_by(BLOCK) {
                let size = BLOCK.min(colour.count - from);
                let from = colour.first + PERIOD * from;
                look(state, &distances, &keys.direction, [begin + from, base + from, size], &mut block);
                count = vectors.keep(&block.marks, &block.columns, &mut columns, count);
                if count > ATTEMPTS - BLOCK {
                    decide(state, terms, few, keys, &columns, count, &mut scratch, copies);
                    count = 0;
                }
            }
        }
        decide(state, terms, few, keys, &columns, count, &mut scratch, copies);
    }
}

/// Looks at the sites of a block, and marks those whose source has another label.
///
/// Always at a whole block, whose length the compiler knows; what is beyond the row is not marked.
#[inline(always)]
fn look(
    state: &State,
    distances: &[isize; 8],
    direction: &Key,
    [begin, site, size]: [usize; 3],
    block: &mut Block,
) {
    let Block { words, marks, columns, rows } = block;
    fill(direction, site as u32, PERIOD as u32, words);
    // The rows above, of and below the sites from the left neighbour of the first on: every other one from there, and those
    // in between.
    for (row, distance) in rows.iter_mut().zip([distances[0], distances[3], distances[5]]) {
        let from = &state.sites[begin.wrapping_add_signed(distance)..][..PERIOD * BLOCK + 1];
        let [outer, middle] = row;
        for (i, pair) in from.as_chunks::<PERIOD>().0.iter().enumerate().take(BLOCK) {
            outer[i] = pair[0];
            middle[i] = pair[1];
        }
        outer[BLOCK] = from[PERIOD * BLOCK];
    }
    let [above, level, below] = rows;
    let [sites, olds, news, kinds, same] = columns;
    for i in 0..BLOCK {
        let near = [
            above[0][i],
            above[1][i],
            above[0][i + 1],
            level[0][i],
            level[0][i + 1],
            below[0][i],
            below[1][i],
            below[0][i + 1],
        ];
        let old = level[1][i];
        // The neighbour in direction ⌊8 · word / 2³²⌋. By masks: a compiler takes choices for branches.
        let direction = words[i] >> 29;
        let [one, two, four] = [0, 1, 2].map(|bit| 0_u32.wrapping_sub(direction >> bit & 1));
        let either = |mask: u32, zero: u32, one: u32| zero ^ ((zero ^ one) & mask);
        let first = either(two, either(one, near[0], near[1]), either(one, near[2], near[3]));
        let second = either(two, either(one, near[4], near[5]), either(one, near[6], near[7]));
        let new = either(four, first, second);
        let (mut of_old, mut of_new) = (0_u32, 0_u32);
        for near in near {
            of_old += u32::from(near == old);
            of_new += u32::from(near == new);
        }
        sites[i] = (site + PERIOD * i) as u32;
        olds[i] = old;
        news[i] = new;
        same[i] = of_old | of_new << 4;
        marks[i] = if (new != old) & (new != OUTSIDE) { u32::MAX } else { 0 };
    }
    marks[size.min(BLOCK)..].fill(0);
    count_kinds(state, distances, begin, kinds);
}

/// Counts the neighbours of a block's sites by types: sums of codes over three rows, then over three columns, a byte each.
#[inline(always)]
fn count_kinds(state: &State, distances: &[isize; 8], begin: usize, kinds: &mut Numbers) {
    const ACROSS: usize = PERIOD * BLOCK;
    for (plane, codes) in state.codes.iter().enumerate() {
        let row = |left: isize| &codes[begin.wrapping_add_signed(left)..][..ACROSS + 32];
        let [above, level, below] = [distances[0], distances[3], distances[5]].map(row);
        let (mut columns, mut sums) = ([0_u8; ACROSS + 32], [0_u8; ACROSS]);
        for i in 0..ACROSS + 32 {
            columns[i] = above[i] + level[i] + below[i];
        }
        for i in 0..ACROSS {
            // Right where a site of the colour is in the middle; the other half is not used.
            sums[i] = (columns[i] + columns[i + 1] + columns[i + 2]).wrapping_sub(level[i + 1]);
        }
        // The first of every two, as two bytes read as one number.
        let first = |sums: &[u8; PERIOD]| u32::from(u16::from_le_bytes(*sums) & 255);
        let sums = sums.as_chunks::<PERIOD>().0;
        if plane == 0 {
            kinds.iter_mut().zip(sums).for_each(|(kinds, sums)| *kinds = first(sums));
        } else {
            kinds.iter_mut().zip(sums).for_each(|(kinds, sums)| *kinds |= first(sums) << (8 * plane as u32));
        }
    }
}

/// Decides attempts and appends those that are accepted.
#[inline(always)]
fn decide(
    state: &State,
    terms: &Prepared,
    few: &FewTypes,
    keys: &Keys,
    columns: &[Kept; 5],
    count: usize,
    scratch: &mut Scratch,
    copies: &mut Vec<Copy>,
) {
    let count = count.min(KEPT);
    let [site, old, new, kinds, same] = [SITE, OLD, NEW, KINDS, SAME].map(|column| &columns[column][..count]);
    let Scratch { words, codes, levels, change, accepted } = scratch;
    for i in 0..count {
        words[i] = keys.acceptance.word(site[i]);
    }
    match terms.acceptance {
        Acceptance::Metropolis => levels_of(Acceptance::Metropolis, &words[..count], levels),
        Acceptance::HeatBath => levels_of(Acceptance::HeatBath, &words[..count], levels),
    }
    for i in 0..count {
        let adhesion = few.change::<4>(pair(kind(old[i]), kind(new[i])), u64::from(kinds[i]), same[i]);
        change[i] = adhesion + (state.pull[label(new[i])] - state.pull[label(old[i])]);
    }
    let mut open = 0;
    for i in 0..count {
        let apart = f64::from(levels[i]) - change[i];
        let (yes, no) = (apart > MARGIN, apart < -MARGIN);
        codes[i] = u32::from(yes);
        open += u32::from(!(yes | no));
    }
    if open > 0 {
        // One in ten thousand.
        for i in 0..count {
            if decided(change[i], levels[i]).is_none() {
                let yes = accepts(terms.acceptance, change[i], words[i], || keys.more.word(site[i]));
                codes[i] = u32::from(yes);
            }
        }
    }
    // Written for every attempt and kept for those that are accepted, which spares a branch nobody can foresee.
    let mut found = 0;
    for i in 0..count {
        accepted[found % KEPT] = Copy { site: site[i], old: old[i], new: new[i], perimeters: [0; 2] };
        found += codes[i] as usize;
    }
    copies.extend_from_slice(&accepted[..found.min(KEPT)]);
}

#[inline(always)]
fn levels_of(acceptance: Acceptance, words: &[u32], levels: &mut [f32; KEPT]) {
    for (level_, word) in levels.iter_mut().zip(words) {
        *level_ = level(acceptance, *word);
    }
}

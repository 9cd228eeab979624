//! Decides the attempts of a colour side by side, as vectors: in two dimensions, where adhesion of few types and volumes count.
//!
//! A block of sites is looked at as vectors, also where nothing can change; sites whose source has another label, a quarter in
//! packed tissue, are picked out by their places in the block and decided. Each number is made by the operations of
//! `State::decide` in their order, so it has the same bits.

use rayon::prelude::*;

use glauber_numbers::noise::Key;

use crate::chance::{MARGIN, accepts, decided, level};
use crate::energy::Acceptance;
use crate::halves::{Around, Halves, Move};
use crate::plane::{OUTSIDE, kind, label};
use crate::state::{FewTypes, Prepared, State, few_place, pair};
use crate::sublattices::{Keys, SITES_PER_TASK};
use crate::vectors::{BLOCK, Numbers, PLACES, Simd, Vectors, Work, fill, with_vectors};

/// How far apart the sites of a colour are.
const PERIOD: usize = 2;
/// The copies that are handed over in one go, at most.
const MOVES: usize = 512;
/// The attempts whose levels are computed at once.
const LANES: usize = 8;

/// One step.
pub(super) fn step(state: &mut State, halves: &mut Halves, terms: &Prepared, keys: &Keys, simd: Simd) {
    let [_, height, width] = state.places.extent();
    let mut moves = Vec::new();
    for y in 0..height.min(PERIOD) {
        let rows: Vec<usize> = (y..height).step_by(PERIOD).collect();
        for x in 0..width.min(PERIOD) {
            moves.clear();
            let count = (width - x).div_ceil(PERIOD);
            let of_rows = |rows: &[usize], moves: &mut Vec<Move>| {
                with_vectors(
                    simd,
                    Rows { state: &*state, halves: &*halves, terms, keys, x, count, rows, moves },
                );
            };
            let rows_per_task = SITES_PER_TASK.div_ceil(count);
            if rows.len() <= rows_per_task || rayon::current_num_threads() == 1 {
                of_rows(&rows, &mut moves);
            } else {
                let parts = rows.par_chunks(rows_per_task).map(|rows| {
                    let mut moves = Vec::new();
                    of_rows(rows, &mut moves);
                    moves
                });
                moves.extend(parts.collect::<Vec<Vec<Move>>>().into_iter().flatten());
            }
            halves.make([y, x], &moves, &mut state.volumes);
            state.refresh_all(terms, moves.iter().map(|made| [made.old, made.new]));
        }
    }
}

/// Sites of a colour in a row, looked at in one go, in columns.
struct Block {
    /// Of directions.
    words: Numbers,
    /// All ones where the source has another label.
    marks: Numbers,
    /// What sites are.
    olds: Numbers,
    /// What their sources are.
    news: Numbers,
    /// The types of both, and how many neighbours have types 1 and 2: where the first bracket of costs is found.
    kinds: Numbers,
    /// The types of both, and how many neighbours have the label before and that after: where the second one is.
    same: Numbers,
    /// How many neighbours have each type, from 1 on, four bits for every type.
    counts: Numbers,
    /// The places of those that are marked.
    places: [u8; PLACES],
}

/// Room for what is decided.
struct Scratch {
    words: [u32; BLOCK],
    levels: [f32; BLOCK],
    change: [f64; BLOCK],
    accepted: [Move; MOVES],
    found: usize,
}

/// Some rows of a colour.
struct Rows<'a> {
    state: &'a State,
    halves: &'a Halves,
    terms: &'a Prepared,
    keys: &'a Keys,
    /// Where the colour begins in a row, and how many sites of it there are.
    x: usize,
    count: usize,
    rows: &'a [usize],
    moves: &'a mut Vec<Move>,
}

impl Work for Rows<'_> {
    #[inline(always)]
    fn run(self, vectors: impl Vectors) {
        let Rows { state, halves, terms, keys, x, count, rows, moves } = self;
        let Some(few) = &terms.few else { return };
        let mut block = Block {
            words: [0; BLOCK],
            marks: [0; BLOCK],
            olds: [0; BLOCK],
            news: [0; BLOCK],
            kinds: [0; BLOCK],
            same: [0; BLOCK],
            counts: [0; BLOCK],
            places: [0; PLACES],
        };
        let mut scratch = Scratch {
            words: [0; BLOCK],
            levels: [0.0; BLOCK],
            change: [0.0; BLOCK],
            accepted: [Move { at: 0, old: 0, new: 0 }; MOVES],
            found: 0,
        };
        let width = state.places.extent()[2];
        for &y in rows {
            for from in (0..count).step_by(BLOCK) {
                let x = x + PERIOD * from;
                let first = First { site: (y * width + x) as u32, at: halves.at(y, x) as u32 };
                let Some(around) = halves.sites(y, x) else { return };
                count_kinds(halves, y, x, &mut block.counts);
                look(&around, &keys.direction, first.site, (count - from).min(BLOCK), &mut block);
                let marked = vectors.keep(&block.marks, &mut block.places);
                decide(vectors, state, terms, few, keys, first, &block, marked, &mut scratch);
                if scratch.found > MOVES - BLOCK {
                    moves.extend_from_slice(&scratch.accepted[..scratch.found.min(MOVES)]);
                    scratch.found = 0;
                }
            }
        }
        moves.extend_from_slice(&scratch.accepted[..scratch.found.min(MOVES)]);
    }
}

/// The first site of a block: its number, and its place in its half.
#[derive(Clone, Copy)]
struct First {
    site: u32,
    at: u32,
}

/// Looks at the sites of a block, and marks those whose source has another label.
///
/// Always at a whole block, whose length the compiler knows; what is beyond the row is not marked.
#[inline(always)]
fn look(around: &Around<'_, u32>, direction: &Key, site: u32, size: usize, block: &mut Block) {
    let Block { words, marks, olds, news, kinds, same, counts, .. } = block;
    fill(direction, site, PERIOD as u32, words);
    let [above, level, below] = around;
    for i in 0..BLOCK {
        let near = [
            above[0][i],
            above[1][i],
            above[2][i],
            level[0][i],
            level[2][i],
            below[0][i],
            below[1][i],
            below[2][i],
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
        olds[i] = old;
        news[i] = new;
        let pair = pair(kind(old), kind(new)) as u32;
        kinds[i] = few_place(pair, counts[i]);
        same[i] = few_place(pair, of_old | of_new << 4);
        marks[i] = if (new != old) & (new != OUTSIDE) { u32::MAX } else { 0 };
    }
    if size < BLOCK {
        marks[size..].fill(0);
    }
}

/// Counts the neighbours of a block's sites by types: a byte for every two.
#[inline(always)]
fn count_kinds(halves: &Halves, y: usize, x: usize, counts: &mut Numbers) {
    for plane in 0..halves.planes() {
        let Some([above, level, below]) = halves.codes(plane, y, x) else { return };
        let mut sums = [0_u8; BLOCK];
        for i in 0..BLOCK {
            let beside = level[0][i] + level[2][i];
            sums[i] = (above[0][i] + above[1][i] + above[2][i])
                + (below[0][i] + below[1][i] + below[2][i])
                + beside;
        }
        if plane == 0 {
            counts.iter_mut().zip(sums).for_each(|(counts, sum)| *counts = u32::from(sum));
        } else {
            let shift = 8 * plane as u32;
            counts.iter_mut().zip(sums).for_each(|(counts, sum)| *counts |= u32::from(sum) << shift);
        }
    }
}

/// Decides the attempts of a block that are marked, and appends those that are accepted.
#[inline(always)]
fn decide(
    vectors: impl Vectors,
    state: &State,
    terms: &Prepared,
    few: &FewTypes,
    keys: &Keys,
    first: First,
    block: &Block,
    count: usize,
    scratch: &mut Scratch,
) {
    let count = count.min(BLOCK);
    let Scratch { words, levels, change, accepted, found } = scratch;
    let site = |place: u8| first.site + PERIOD as u32 * u32::from(place);
    // In whole vectors: what stands beyond the last place is the place of some site, too.
    for from in (0..count).step_by(LANES) {
        for i in from..from + LANES {
            words[i] = keys.acceptance.word(site(block.places[i]));
        }
    }
    let whole = count.next_multiple_of(LANES);
    match terms.acceptance {
        Acceptance::Metropolis => levels_of(Acceptance::Metropolis, &words[..whole], levels),
        Acceptance::HeatBath => levels_of(Acceptance::HeatBath, &words[..whole], levels),
    }
    costs(state, few, block, count, change);
    let [mut yes, open] = marks_of(vectors, change, levels, count);
    for place in ones(open) {
        // One in ten thousand.
        let attempt = site(block.places[place]);
        let accepted = decided(change[place], levels[place]).unwrap_or_else(|| {
            accepts(terms.acceptance, change[place], words[place], || keys.more.word(attempt))
        });
        yes |= u64::from(accepted) << place;
    }
    for attempt in ones(yes) {
        let place = block.places[attempt % PLACES];
        let at = usize::from(place) % BLOCK;
        let [old, new] = [block.olds[at], block.news[at]];
        accepted[*found % MOVES] = Move { at: first.at + u32::from(place), old, new };
        *found += 1;
    }
}

/// What the marked copies change.
#[inline(always)]
fn costs(state: &State, few: &FewTypes, block: &Block, count: usize, change: &mut [f64; BLOCK]) {
    let (pull, tables) = (&state.pull[..], few.tables());
    for (change, place) in change.iter_mut().zip(&block.places[..count.min(BLOCK)]) {
        let place = usize::from(*place) % BLOCK;
        let (old, new) = (block.olds[place], block.news[place]);
        let [kinds, same] = [block.kinds[place], block.same[place]].map(|place| place as usize);
        let adhesion = tables.change::<4>(kinds, u64::from(block.counts[place]), same);
        *change = adhesion + (pull[label(new)] - pull[label(old)]);
    }
}

/// Of the first attempts, a bit for each that is accepted for certain, and for each of which it is not certain.
#[inline(always)]
fn marks_of(vectors: impl Vectors, change: &[f64; BLOCK], levels: &[f32; BLOCK], count: usize) -> [u64; 2] {
    let (mut yes, mut no) = (0_u64, 0_u64);
    let eights = levels.as_chunks::<LANES>().0.iter().zip(change.as_chunks::<LANES>().0);
    for (eight, (levels, change)) in eights.take(count.div_ceil(LANES)).enumerate() {
        let [accepted, refused] = vectors.beyond(levels, change, MARGIN);
        yes |= u64::from(accepted) << (LANES * eight);
        no |= u64::from(refused) << (LANES * eight);
    }
    let all = if count == BLOCK { u64::MAX } else { (1 << count) - 1 };
    [all & yes, all & !(yes | no)]
}

/// The places of the ones of a number.
#[inline(always)]
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let place = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
        bits &= bits - 1;
        Some(place)
    })
}

#[inline(always)]
fn levels_of(acceptance: Acceptance, words: &[u32], levels: &mut [f32; BLOCK]) {
    for (levels, words) in levels.as_chunks_mut::<LANES>().0.iter_mut().zip(words.as_chunks::<LANES>().0) {
        for i in 0..LANES {
            levels[i] = level(acceptance, words[i]);
        }
    }
}

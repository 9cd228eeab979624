//! Decides the attempts of a colour side by side, as vectors: in two dimensions, where adhesion of few types and volumes count.
//!
//! Sites whose source has another label are picked out, a quarter in packed tissue; what their costs depend on is laid out in
//! columns; then columns are computed with. Each number is made by the operations of `State::decide` in their order, so it
//! has the same bits.

use glauber_numbers::noise::Key;

use crate::chance::{MARGIN, accepts, level};
use crate::keys::below;
use crate::plane::{OUTSIDE, kind, label};
use crate::state::{Copy, FEW, Prepared, State};
use crate::sublattices::{Colour, Keys};
use crate::vectors::{Work, fill};

/// The sites of a row that are looked at in one go.
const LOOK: usize = 128;
/// The attempts that are decided in one go.
const ATTEMPTS: usize = 256;

/// What attempts depend on, in columns.
struct Columns {
    count: usize,
    site: [u32; ATTEMPTS],
    old: [u32; ATTEMPTS],
    new: [u32; ATTEMPTS],
    /// The neighbours of the target.
    near: [[u32; ATTEMPTS]; 8],
    /// The change of cost by volumes.
    bulk: [f64; ATTEMPTS],
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
    fn run(self) {
        let Rows { state, terms, keys, colour, rows, copies } = self;
        let Ok(distances) = <[isize; 8]>::try_from(state.places.distances()) else { return };
        let mut columns = Columns {
            count: 0,
            site: [0; ATTEMPTS],
            old: [0; ATTEMPTS],
            new: [0; ATTEMPTS],
            near: [[0; ATTEMPTS]; 8],
            bulk: [0.0; ATTEMPTS],
        };
        for &row in rows {
            let (begin, base) = (state.places.rows()[row], row * state.places.extent()[2]);
            for block in (0..colour.count).step_by(LOOK) {
                let size = LOOK.min(colour.count - block);
                let from = colour.first + block * colour.period;
                pick(
                    state,
                    &distances,
                    &keys.direction,
                    colour.period,
                    [begin + from, base + from, size],
                    &mut columns,
                );
                if columns.count > ATTEMPTS - LOOK {
                    decide(terms, keys, &columns, copies);
                    columns.count = 0;
                }
            }
        }
        decide(terms, keys, &columns, copies);
    }
}

/// Picks out the attempts of a block whose source has another label.
#[inline(always)]
fn pick(
    state: &State,
    distances: &[isize; 8],
    direction: &Key,
    period: usize,
    [begin, site, size]: [usize; 3],
    columns: &mut Columns,
) {
    let mut words = [0_u32; LOOK];
    fill(direction, site as u32, period as u32, &mut words[..size]);
    let mut differing = [(0_u32, 0_u32); LOOK];
    let mut found = 0;
    for (i, word) in words[..size].iter().enumerate() {
        let address = begin + i * period;
        let new = state.sites[address.wrapping_add_signed(distances[below(*word, 8)])];
        differing[found % LOOK] = (i as u32, new);
        found += usize::from(state.sites[address] != new && new != OUTSIDE);
    }
    for &(i, new) in &differing[..found.min(LOOK)] {
        let address = begin + i as usize * period;
        let at = columns.count % ATTEMPTS;
        let old = state.sites[address];
        columns.site[at] = (site + i as usize * period) as u32;
        columns.old[at] = old;
        columns.new[at] = new;
        for (near, distance) in columns.near.iter_mut().zip(distances) {
            near[at] = state.sites[address.wrapping_add_signed(*distance)];
        }
        columns.bulk[at] = state.bulk[label(new)].gain + state.bulk[label(old)].loss;
        columns.count += 1;
    }
}

/// Decides attempts and appends those that are accepted.
#[inline(always)]
fn decide(terms: &Prepared, keys: &Keys, columns: &Columns, copies: &mut Vec<Copy>) {
    let count = columns.count.min(ATTEMPTS);
    let (site, old, new) = (&columns.site[..count], &columns.old[..count], &columns.new[..count]);
    let (mut kinds, mut of_old, mut of_new) = ([0_u32; ATTEMPTS], [0_i32; ATTEMPTS], [0_i32; ATTEMPTS]);
    for i in 0..count {
        // Four bits for every type; a type is in the upper eight bits of a site.
        let (mut sum, mut olds, mut news) = (0, 0, 0);
        for near in &columns.near {
            sum += 1_u32 << ((near[i] >> 22) & 28);
            olds += i32::from(near[i] == old[i]);
            news += i32::from(near[i] == new[i]);
        }
        (kinds[i], of_old[i], of_new[i]) = (sum, olds, news);
    }
    let mut change = [0.0_f64; ATTEMPTS];
    for (n, differences) in terms.differences.iter().enumerate() {
        for i in 0..count {
            let of_kind = (kinds[i] >> (4 * n)) & 15;
            let pair = (kind(old[i]) % FEW) * FEW + kind(new[i]) % FEW;
            change[i] += f64::from(of_kind as i32) * differences[pair];
        }
    }
    let mut codes = [0_u8; ATTEMPTS];
    let mut open = 0;
    for i in 0..count {
        let own = |site: u32| terms.own[kind(site) % FEW];
        let adhesion = change[i] + (f64::from(of_old[i]) * own(old[i]) - f64::from(of_new[i]) * own(new[i]));
        change[i] = adhesion + columns.bulk[i];
    }
    for i in 0..count {
        let apart = f64::from(level(terms.acceptance, keys.acceptance.word(site[i]))) - change[i];
        let (yes, no) = (apart > MARGIN, apart < -MARGIN);
        codes[i] = u8::from(yes);
        open += u32::from(!(yes | no));
    }
    if open > 0 {
        // One in ten thousand.
        for i in 0..count {
            let word = keys.acceptance.word(site[i]);
            if crate::chance::decided(change[i], level(terms.acceptance, word)).is_none() {
                codes[i] = u8::from(accepts(terms.acceptance, change[i], word, || keys.more.word(site[i])));
            }
        }
    }
    for i in 0..count {
        if codes[i] == 1 {
            copies.push(Copy { site: site[i], old: old[i], new: new[i], perimeters: [0; 2] });
        }
    }
}

//! Makes the attempts of a random-sequential step that can change something, and passes over all others at once.
//!
//! An attempt at a site whose neighbours all have its label changes nothing. Attempts draw their sites independently and
//! uniformly, so where b of N sites have a neighbour of another label, the number of attempts before the next one at such a site is
//! geometric, P(g ≥ k) = (1 − b/N)^k, and that site is uniform among the b. Which sites these are changes only by copies,
//! which happen at them. So drawing g, then one of them, gives the law of drawing every attempt, exactly (to the rounding of
//! a logarithm). A step ends after N attempts, those passed over included; the law has no memory, so the next one begins anew.
//!
//! The list of such sites is put in order when a step begins: what follows depends on the state alone, not on how it came about.

use glauber_numbers::elementary;

use crate::keys::{Draw, Noise, below, below_by_two};
use crate::plane::{OUTSIDE, Places};
use crate::state::{Attempt, Prepared, State};
use crate::vectors::{Vectors, Work};

/// Not in the list.
const NOWHERE: u32 = u32::MAX;

/// The sites that have a neighbour of another label.
#[derive(Clone, Debug)]
pub(crate) struct Boundary {
    /// Which.
    sites: Vec<u32>,
    /// Where each site is in the list.
    place: Vec<u32>,
    /// How many neighbours of another label each site has.
    others: Vec<u8>,
    /// Whether the list is no longer in order.
    mixed: bool,
}

impl Boundary {
    /// Those of a state.
    pub(crate) fn new(places: &Places, plane: &[u32]) -> Boundary {
        let count = places.sites();
        let mut boundary =
            Boundary { sites: Vec::new(), place: vec![NOWHERE; count], others: vec![0; count], mixed: false };
        for site in 0..count {
            let address = places.address(site);
            let differs = |distance: &&isize| {
                let neighbour = plane[address.wrapping_add_signed(**distance)];
                neighbour != plane[address] && neighbour != OUTSIDE
            };
            boundary.set(site, places.distances().iter().filter(differs).count() as u8);
        }
        boundary
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.sites.len()
    }

    /// The site in direction `direction` of `site` became other than it by `by`.
    #[inline]
    fn set(&mut self, site: usize, others: u8) {
        let before = std::mem::replace(&mut self.others[site], others);
        if before == 0 && others > 0 {
            self.place[site] = self.sites.len() as u32;
            self.sites.push(site as u32);
            self.mixed = true;
        } else if before > 0 && others == 0 {
            let place = self.place[site] as usize;
            self.sites.swap_remove(place);
            self.place[site] = NOWHERE;
            if let Some(&moved) = self.sites.get(place) {
                self.place[moved as usize] = place as u32;
            }
            self.mixed = true;
        }
    }

    /// A copy was made.
    pub(crate) fn follow(&mut self, places: &Places, plane: &[u32], site: usize, [old, new]: [u32; 2]) {
        let address = places.address(site);
        let mut own = 0;
        for (direction, distance) in places.distances().iter().enumerate() {
            let neighbour = plane[address.wrapping_add_signed(*distance)];
            if neighbour == OUTSIDE {
                continue;
            }
            own += u8::from(neighbour != new);
            let (was, is) = (u8::from(neighbour != old), u8::from(neighbour != new));
            if was != is {
                let there = places.neighbour(site, direction);
                self.set(there, self.others[there] + is - was);
            }
        }
        self.set(site, own);
    }

    /// Puts the list in order.
    fn sort(&mut self) {
        if std::mem::take(&mut self.mixed) {
            self.sites.sort_unstable();
            for (place, site) in self.sites.iter().enumerate() {
                self.place[*site as usize] = place as u32;
            }
        }
    }
}

/// One step.
pub(crate) struct Step<'a, const PLAIN: bool, const NEIGHBOURS: usize> {
    pub(crate) state: &'a mut State,
    pub(crate) boundary: &'a mut Boundary,
    pub(crate) terms: &'a Prepared,
    pub(crate) noise: Noise,
    pub(crate) now: u64,
}

impl<const PLAIN: bool, const NEIGHBOURS: usize> Work for Step<'_, PLAIN, NEIGHBOURS> {
    #[inline(always)]
    fn run(self, _: impl Vectors) {
        let Step { state, boundary, terms, noise, now } = self;
        let Ok(distances) = <[isize; NEIGHBOURS]>::try_from(state.places.distances()) else { return };
        let key = |draw, lane| noise.key(now, draw, lane);
        let sites = [key(Draw::Site, 0), key(Draw::Site, 1)];
        let gaps = [key(Draw::Gap, 0), key(Draw::Gap, 1)];
        let (direction, acceptance, more) =
            (key(Draw::Direction, 0), key(Draw::Acceptance, 0), key(Draw::Acceptance, 1));
        let attempts = state.places.sites();
        boundary.sort();
        let (mut event, mut counted, mut logarithm) = (0, 0, 0.0);
        while boundary.len() > 0 {
            if counted != boundary.len() {
                counted = boundary.len();
                logarithm = elementary::ln_1p(-(counted as f64 / attempts as f64));
            }
            let passed = gap(gaps.map(|key| key.word(event as u32)), logarithm);
            if passed >= (attempts - event) as f64 {
                return;
            }
            event += passed as usize;
            let index = event as u32;
            let site = boundary.sites[below_by_two(sites.map(|key| key.word(index)), counted)];
            let address = state.places.address(site as usize);
            let source = address.wrapping_add_signed(distances[below(direction.word(index), NEIGHBOURS)]);
            let (old, new) = (state.sites[address], state.sites[source]);
            if new != old && new != OUTSIDE {
                let attempt = Attempt { site, address, source, old, new, word: acceptance.word(index) };
                let copy = state.decide::<PLAIN, NEIGHBOURS>(terms, &distances, attempt, || more.word(index));
                if let Some(copy) = copy {
                    state.make(terms, copy);
                    boundary.follow(&state.places, &state.sites, site as usize, [old, new]);
                }
            }
            event += 1;
            if event == attempts {
                return;
            }
        }
    }
}

/// How many attempts are passed over: ⌊ln u / ln(1 − b/N)⌋, u in (0, 1).
#[inline(always)]
fn gap(words: [u32; 2], logarithm: f64) -> f64 {
    let whole = u64::from(words[0]) << 32 | u64::from(words[1]);
    let u = (whole as f64 + 0.5) * (1.0 / 18_446_744_073_709_551_616.0);
    (elementary::ln(u) / logarithm).floor()
}

#[cfg(test)]
mod tests {
    use super::*;
    use glauber_numbers::noise::Key;
    use glauber_statistics::tolerance::{chi_square, chi_square_below};

    #[test]
    fn gaps_are_geometric() {
        let keys = [Key::new(1, 0, 0, 3, 0), Key::new(1, 0, 0, 3, 1)];
        for q in [0.02_f64, 0.3, 0.9] {
            let logarithm = elementary::ln_1p(-q);
            let draws = 100_000;
            // As many cells as have an expectation of 20 or more, and one for the rest.
            let cells = ((20.0 / (q * f64::from(draws))).ln() / (1.0 - q).ln()) as usize + 1;
            let mut seen = vec![0; cells + 1];
            for i in 0..draws {
                let g = gap(keys.map(|key| key.word(i)), logarithm) as usize;
                seen[g.min(cells)] += 1;
            }
            let mut expected: Vec<f64> =
                (0..cells).map(|k| f64::from(draws) * q * (1.0 - q).powi(k as i32)).collect();
            expected.push(f64::from(draws) * (1.0 - q).powi(cells as i32));
            let limit = chi_square_below(cells, 1e-4);
            assert!(chi_square(&seen, &expected) < limit, "{q}: {} {limit}", chi_square(&seen, &expected));
        }
    }
}

//! Makes attempts one after another, each at a site drawn uniformly with replacement: the classic Cellular Potts dynamics.
//!
//! A step is as many attempts as sites. Which sites and directions they have does not depend on the state, so their words are
//! drawn for many attempts at once; the attempts themselves are made in order.

pub(crate) mod at_boundaries;

use crate::keys::{Draw, Noise, below, below_by_two};
use crate::plane::OUTSIDE;
use crate::state::{Attempt, Prepared, State};
use crate::vectors::{Vectors, Work, fill};

/// Attempts whose words are drawn at once.
const AHEAD: usize = 512;

/// One step.
pub(crate) struct Step<'a, const PLAIN: bool, const NEIGHBOURS: usize> {
    pub(crate) state: &'a mut State,
    pub(crate) terms: &'a Prepared,
    pub(crate) noise: Noise,
    pub(crate) now: u64,
}

impl<const PLAIN: bool, const NEIGHBOURS: usize> Work for Step<'_, PLAIN, NEIGHBOURS> {
    #[inline(always)]
    fn run(self, _: impl Vectors) {
        let Step { state, terms, noise, now } = self;
        let Ok(distances) = <[isize; NEIGHBOURS]>::try_from(state.places.distances()) else { return };
        let key = |draw, lane| noise.key(now, draw, lane);
        let (first, second) = (key(Draw::Site, 0), key(Draw::Site, 1));
        let (direction, acceptance, more) =
            (key(Draw::Direction, 0), key(Draw::Acceptance, 0), key(Draw::Acceptance, 1));
        let sites = state.places.sites();
        let mut words = [[0_u32; AHEAD]; 3];
        let mut addresses = [(0_u32, 0_usize, 0_usize); AHEAD];
        for begin in (0..sites).step_by(AHEAD) {
            let count = AHEAD.min(sites - begin);
            for (words, key) in words.iter_mut().zip([&first, &second, &direction]) {
                fill(key, begin as u32, 1, &mut words[..count]);
            }
            for event in 0..count {
                let site = below_by_two([words[0][event], words[1][event]], sites);
                let address = state.places.address(site);
                let source = address.wrapping_add_signed(distances[below(words[2][event], NEIGHBOURS)]);
                addresses[event] = (site as u32, address, source);
            }
            for (event, &(site, address, source)) in addresses[..count].iter().enumerate() {
                let (old, new) = (state.sites[address], state.sites[source]);
                if new != old && new != OUTSIDE {
                    let index = (begin + event) as u32;
                    let attempt = Attempt { site, address, source, old, new, word: acceptance.word(index) };
                    let copy =
                        state.decide::<PLAIN, NEIGHBOURS>(terms, &distances, attempt, || more.word(index));
                    if let Some(copy) = copy {
                        state.make(terms, copy);
                    }
                }
            }
        }
    }
}

//! Keeps what the cost of a copy depends on: labels, volumes, perimeters and activities; and says that cost.

use glauber_lattice::Offset;

use crate::act::{Activity, PreparedAct};
use crate::cells::Cells;
use crate::chance::{accepts, decided, level};
use crate::connectivity::Ring;
use crate::energy::{Acceptance, Elastic, Energy};
use crate::halves::Halves;
use crate::plane::{OUTSIDE, Places, kind, label};

/// The most types, medium included, whose neighbours are counted in parts of one number.
pub(crate) const FEW: usize = 8;

/// An energy made ready for the evaluation of copies.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) acceptance: Acceptance,
    /// Types, the medium included.
    kinds: usize,
    adhesion: Vec<f64>,
    /// Costs where types are few.
    pub(crate) few: Option<FewTypes>,
    /// By type, the medium's without effect.
    volume: Vec<Elastic>,
    perimeter: Option<Vec<Elastic>>,
    act: Option<PreparedAct>,
    ring: Option<Ring>,
}

impl Prepared {
    pub(crate) fn new(energy: &Energy, acceptance: Acceptance, offsets: &[Offset]) -> Prepared {
        let kinds = energy.types + 1;
        let mut adhesion = energy.adhesion.clone();
        // Two sites of medium have the same label; what lies outside is medium, too.
        adhesion[0] = 0.0;
        let with_medium = |elastic: &Vec<Elastic>| {
            let medium = Elastic { strength: 0.0, target: 0.0 };
            std::iter::once(medium).chain(elastic.iter().copied()).collect::<Vec<Elastic>>()
        };
        let none = vec![Elastic { strength: 0.0, target: 0.0 }; energy.types];
        let volume = with_medium(energy.volume.as_ref().unwrap_or(&none));
        Prepared {
            acceptance,
            kinds,
            few: (kinds <= FEW).then(|| FewTypes::new(&adhesion, &volume, offsets.len())),
            adhesion,
            volume,
            perimeter: energy.perimeter.as_ref().map(with_medium),
            act: energy.act.as_ref().and_then(|act| PreparedAct::new(act)),
            ring: energy.connected.then(|| Ring::new(offsets)),
        }
    }

    /// Whether only adhesion of few types and volumes count, so that the short way can be taken.
    pub(crate) fn is_plain(&self) -> bool {
        self.perimeter.is_none() && self.act.is_none() && self.ring.is_none() && self.few.is_some()
    }

    /// 2 λ (v − V).
    #[inline(always)]
    fn pull(&self, kind: usize, volume: i32) -> f64 {
        let Elastic { strength, target } = self.volume[kind];
        2.0 * strength * (f64::from(volume) - target)
    }

    /// Whether sites have activities.
    pub(crate) fn has_act(&self) -> bool {
        self.act.is_some()
    }
}

/// Costs of copies where types are few: as tables, since they have few values.
///
/// ```text
/// change = [base + (neighbours of type 1) slope_1 + … of type 2 + …]
///          + [(neighbours of the label before) J_before − (neighbours of that after) J_after] + volumes
/// ```
#[derive(Clone, Debug)]
pub(crate) struct FewTypes {
    /// The first bracket as far as type 2, by pair of types, then count of type 2, then of type 1, four bits each.
    by_kinds: Vec<f64>,
    /// What a neighbour of a type costs more than one of medium, from type 3 on: by type, then pair of types.
    slopes: Vec<[f64; FEW * FEW]>,
    /// The second bracket, by pair of types, then the count for the label after, then for that before.
    by_same: Vec<f64>,
    /// How many bits a count has: 4, or 5 in three dimensions.
    bits: u32,
}

impl FewTypes {
    fn new(adhesion: &[f64], volume: &[Elastic], neighbours: usize) -> FewTypes {
        let kinds = volume.len();
        let bits = if neighbours < 16 { 4 } else { 5 };
        let counts = 1 << bits;
        let mut few = FewTypes {
            by_kinds: vec![0.0; FEW * FEW * counts * counts],
            slopes: vec![[0.0; FEW * FEW]; kinds.saturating_sub(3)],
            by_same: vec![0.0; FEW * FEW * counts * counts],
            bits,
        };
        for old in 0..kinds {
            for new in 0..kinds {
                let own = |k: usize| adhesion[k * kinds + k];
                let difference = |n: usize| adhesion[new * kinds + n] - adhesion[old * kinds + n];
                let slope = |n: usize| if n < kinds { difference(n) - difference(0) } else { 0.0 };
                let base = neighbours as f64 * difference(0) + (volume[old].strength + volume[new].strength);
                let pair = pair(old, new);
                for high in 0..=neighbours {
                    for low in 0..=neighbours {
                        let place = (pair * counts + high) * counts + low;
                        let (low, high) = (low as f64, high as f64);
                        few.by_kinds[place] = base + low * slope(1) + high * slope(2);
                        few.by_same[place] = low * own(old) - high * own(new);
                    }
                }
                for n in 3..kinds {
                    few.slopes[n - 3][pair] = slope(n);
                }
            }
        }
        few
    }

    /// The change of cost but for volumes. `kinds` holds how many neighbours have each type, from 1 on, `same` how many have the
    /// label before and, above, that after; each in so many bits as counts have.
    #[inline(always)]
    pub(crate) fn change<const BITS: u32>(&self, pair: usize, kinds: u64, same: u32) -> f64 {
        debug_assert_eq!(BITS, self.bits);
        let mask = (1 << (2 * BITS)) - 1;
        let place = |counts: usize| pair << (2 * BITS) | counts & mask;
        self.tables().change::<BITS>(place(kinds as usize), kinds, place(same as usize))
    }

    /// The tables, to be looked at at many places.
    #[inline(always)]
    pub(crate) fn tables(&self) -> Tables<'_> {
        Tables { by_kinds: &self.by_kinds, slopes: &self.slopes, by_same: &self.by_same }
    }
}

/// The tables of [`FewTypes`].
#[derive(Clone, Copy)]
pub(crate) struct Tables<'a> {
    by_kinds: &'a [f64],
    slopes: &'a [[f64; FEW * FEW]],
    by_same: &'a [f64],
}

impl Tables<'_> {
    /// The change of cost but for volumes, from where the tables are to be looked at ([`few_place`]); `counts` as
    /// [`FewTypes::change`] has them.
    #[inline(always)]
    pub(crate) fn change<const BITS: u32>(&self, kinds: usize, counts: u64, same: usize) -> f64 {
        let mut sum = self.by_kinds[kinds];
        for (n, slopes) in self.slopes.iter().enumerate() {
            let count = counts >> (BITS * (n as u32 + 2)) & ((1 << BITS) - 1);
            sum += f64::from(count as u32) * slopes[(kinds >> (2 * BITS)) % (FEW * FEW)];
        }
        sum + self.by_same[same]
    }
}

/// Where costs of a copy onto one type from another are found.
#[inline(always)]
pub(crate) fn pair(old: usize, new: usize) -> usize {
    (old % FEW) * FEW + new % FEW
}

/// Where in a table of two dimensions a pair of types is with two counts, four bits each; counts above are passed over.
#[inline(always)]
pub(crate) fn few_place(pair: u32, counts: u32) -> u32 {
    pair << 8 | counts & 255
}

/// A copy that was accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Copy {
    /// The target.
    pub(crate) site: u32,
    /// What it was.
    pub(crate) old: u32,
    /// What it becomes.
    pub(crate) new: u32,
    /// By how much the perimeters of the losing and the gaining cell change.
    pub(crate) perimeters: [i32; 2],
}

/// What a copy would do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// The change of cost, in units of the temperature; `None` where the copy would cut a cell.
    pub(crate) change: Option<f64>,
    perimeters: [i32; 2],
}

/// Everything that changes.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) places: Places,
    /// Labels with types, with margins.
    pub(crate) sites: Vec<u32>,
    /// By label.
    pub(crate) volumes: Vec<i32>,
    /// 2 λ (v − V) of the volume term, by label: one site more costs λ more than that, one less λ less than its opposite.
    pub(crate) pull: Vec<f64>,
    /// By label.
    types: Vec<u8>,
    /// The same sites as sublattices take them side by side, where they do; then `sites` is as these are whenever no step runs.
    pub(crate) halves: Option<Halves>,
    /// By label; the medium's is not kept. Empty without a perimeter term.
    pub(crate) perimeters: Vec<i64>,
    /// With an Act term.
    pub(crate) activity: Option<Activity>,
}

impl State {
    /// The state of cells under an energy.
    pub(crate) fn new(cells: &Cells, terms: &Prepared, places: Places) -> State {
        let types = cells.types().to_vec();
        let packed: Vec<u32> =
            cells.labels().iter().map(|&l| l | u32::from(types[l as usize]) << 24).collect();
        let volumes: Vec<i32> = cells.volumes().iter().map(|&v| v as i32).collect();
        let sites = places.spread(&packed, OUTSIDE);
        let perimeters =
            if terms.perimeter.is_some() { perimeters(&places, &sites, types.len()) } else { Vec::new() };
        State {
            pull: volumes.iter().zip(&types).map(|(&v, &k)| terms.pull(usize::from(k), v)).collect(),
            volumes,
            perimeters,
            halves: None,
            types,
            activity: terms.has_act().then(|| Activity::new(&places)),
            sites,

            places,
        }
    }

    /// Holds the sites by halves too, for so many types of cells.
    pub(crate) fn with_halves(mut self, types: usize) -> State {
        self.halves = Some(Halves::new(&self.places, &self.sites, types));
        self
    }

    /// Takes the sites over from the halves.
    pub(crate) fn follow_halves(&mut self) {
        if let Some(halves) = &self.halves {
            halves.write(&self.places, &mut self.sites);
            self.places.fill_images(&mut self.sites, OUTSIDE);
        }
    }

    /// The labels in site order.
    pub(crate) fn labels(&self) -> Vec<u32> {
        let mut labels = self.places.gathered(&self.sites, 0);
        for site in &mut labels {
            *site = label(*site) as u32;
        }
        labels
    }

    /// What a copy of `new` onto the site at `address`, which holds `old`, costs, from all terms.
    pub(crate) fn cost(&self, terms: &Prepared, address: usize, source: usize, old: u32, new: u32) -> Cost {
        let (a, b) = (kind(old), kind(new));
        let distances = self.places.distances();
        let (mut sum, mut of_old, mut of_new, mut members) = (0.0, 0, 0, 0_u32);
        for (bit, distance) in distances.iter().enumerate() {
            let neighbour = self.sites[address.wrapping_add_signed(*distance)];
            let n = kind(neighbour);
            sum += terms.adhesion[b * terms.kinds + n] - terms.adhesion[a * terms.kinds + n];
            of_old += i32::from(neighbour == old);
            of_new += i32::from(neighbour == new);
            members |= u32::from(neighbour == old) << bit;
        }
        let own = |k: usize| terms.adhesion[k * terms.kinds + k];
        let adhesion = sum + (f64::from(of_old) * own(a) - f64::from(of_new) * own(b));
        let bulk = terms.volume[a].strength + terms.volume[b].strength;
        let mut change = adhesion + (bulk + (self.pull[label(new)] - self.pull[label(old)]));
        let all = distances.len() as i32;
        let perimeters = [2 * of_old - all, all - 2 * of_new];
        if let Some(perimeter) = &terms.perimeter {
            for (site, by) in [(old, perimeters[0]), (new, perimeters[1])] {
                let Elastic { strength, target } = perimeter[kind(site)];
                let (by, now) = (f64::from(by), self.perimeters[label(site)] as f64);
                change += strength * (by * (2.0 * (now - target) + by));
            }
        }
        if let (Some(act), Some(activity)) = (&terms.act, &self.activity) {
            change += act.change(activity, &self.places, &self.sites, [address, source], [old, new]);
        }
        let cut = label(old) != 0 && terms.ring.as_ref().is_some_and(|ring| !ring.holds_together(members));
        Cost { change: (!cut).then_some(change), perimeters }
    }

    /// The change of cost where only adhesion of few types and volumes count: that of [`State::cost`], summed by types of
    /// neighbours.
    #[inline(always)]
    pub(crate) fn plain_cost<const NEIGHBOURS: usize>(
        &self,
        terms: &Prepared,
        distances: &[isize; NEIGHBOURS],
        address: usize,
        old: u32,
        new: u32,
    ) -> f64 {
        let Some(few) = &terms.few else { return f64::NAN };
        // A place of four or five bits for every type but the medium's.
        let bits = if NEIGHBOURS == 8 { 4 } else { 5 };
        let (mut kinds, mut same) = (0_u64, 0_u32);
        for distance in distances {
            let neighbour = self.sites[address.wrapping_add_signed(*distance)];
            kinds += (1 << (bits * (kind(neighbour) % FEW))) >> bits;
            same += u32::from(neighbour == old) + (u32::from(neighbour == new) << bits);
        }
        let pair = pair(kind(old), kind(new));
        let adhesion = if NEIGHBOURS == 8 {
            few.change::<4>(pair, kinds, same)
        } else {
            few.change::<5>(pair, kinds, same)
        };
        adhesion + (self.pull[label(new)] - self.pull[label(old)])
    }

    /// Whether the copy is accepted, and what it changes.
    #[inline(always)]
    pub(crate) fn decide<const PLAIN: bool, const NEIGHBOURS: usize>(
        &self,
        terms: &Prepared,
        distances: &[isize; NEIGHBOURS],
        attempt: Attempt,
        more: impl FnOnce() -> u32,
    ) -> Option<Copy> {
        let Attempt { site, address, source, old, new, word } = attempt;
        let (change, perimeters) = if PLAIN {
            (self.plain_cost(terms, distances, address, old, new), [0; 2])
        } else {
            let cost = self.cost(terms, address, source, old, new);
            (cost.change?, cost.perimeters)
        };
        let accepted = decided(change, level(terms.acceptance, word))
            .unwrap_or_else(|| accepts(terms.acceptance, change, word, more));
        accepted.then_some(Copy { site, old, new, perimeters })
    }

    /// Makes a copy.
    #[inline(always)]
    pub(crate) fn make(&mut self, terms: &Prepared, copy: Copy) {
        self.make_but_for_pulls(terms, copy);
        self.refresh(terms, [copy.old, copy.new]);
    }

    /// Makes copies, none of which touches what another one depends on but for volumes and perimeters.
    pub(crate) fn make_all(&mut self, terms: &Prepared, copies: &[Copy]) {
        for copy in copies {
            self.make_but_for_pulls(terms, *copy);
        }
        self.refresh_all(terms, copies.iter().map(|copy| [copy.old, copy.new]));
    }

    /// Brings the pulls of cells up to date after many copies, of which the sites before and after are given.
    pub(crate) fn refresh_all(&mut self, terms: &Prepared, copies: impl ExactSizeIterator<Item = [u32; 2]>) {
        if copies.len() < self.volumes.len() / 4 {
            for sites in copies {
                self.refresh(terms, sites);
            }
            return;
        }
        for (label, pull) in self.pull.iter_mut().enumerate() {
            *pull = terms.pull(usize::from(self.types[label]), self.volumes[label]);
        }
    }

    #[inline(always)]
    fn refresh(&mut self, terms: &Prepared, sites: [u32; 2]) {
        for site in sites {
            self.pull[label(site)] = terms.pull(kind(site), self.volumes[label(site)]);
        }
    }

    #[inline(always)]
    fn make_but_for_pulls(&mut self, terms: &Prepared, copy: Copy) {
        let place = self.places.place(copy.site as usize);
        self.places.write(&mut self.sites, place, copy.new);
        self.volumes[label(copy.old)] -= 1;
        self.volumes[label(copy.new)] += 1;
        if !self.perimeters.is_empty() {
            self.perimeters[label(copy.old)] += i64::from(copy.perimeters[0]);
            self.perimeters[label(copy.new)] += i64::from(copy.perimeters[1]);
        }
        if let (Some(act), Some(activity)) = (&terms.act, &mut self.activity) {
            activity.gain(&self.places, place, act.most(kind(copy.new)));
        }
    }
}

/// An attempt at a site whose source has another label.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub(crate) site: u32,
    pub(crate) address: usize,
    pub(crate) source: usize,
    pub(crate) old: u32,
    pub(crate) new: u32,
    pub(crate) word: u32,
}

/// For every label, the neighbours of another label of each of its sites.
fn perimeters(places: &Places, sites: &[u32], labels: usize) -> Vec<i64> {
    let mut perimeters = vec![0; labels];
    for &row in places.rows() {
        for address in row..row + places.extent()[2] {
            let own = sites[address];
            let others = places.distances().iter().filter(|d| sites[address.wrapping_add_signed(**d)] != own);
            perimeters[label(own)] += others.count() as i64;
        }
    }
    perimeters
}

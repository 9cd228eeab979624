//! Keeps what the cost of a copy depends on: labels, volumes, perimeters and activities; and says that cost.

use glauber_lattice::Offset;

use crate::act::{Activity, PreparedAct};
use crate::cells::Cells;
use crate::chance::{accepts, decided, level};
use crate::connectivity::Ring;
use crate::energy::{Acceptance, Elastic, Energy};
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
    /// J[b, n] − J[a, n] by n, then 8 a + b; empty where there are more types than [`FEW`].
    pub(crate) differences: Vec<[f64; FEW * FEW]>,
    /// J[a, a] by type, where they are few.
    pub(crate) own: [f64; FEW],
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
        let (mut differences, mut own) = (Vec::new(), [0.0; FEW]);
        if kinds <= FEW {
            differences = vec![[0.0; FEW * FEW]; kinds];
            for a in 0..kinds {
                own[a] = adhesion[a * kinds + a];
                for b in 0..kinds {
                    for n in 0..kinds {
                        differences[n][a * FEW + b] = adhesion[b * kinds + n] - adhesion[a * kinds + n];
                    }
                }
            }
        }
        let with_medium = |elastic: &Vec<Elastic>| {
            let medium = Elastic { strength: 0.0, target: 0.0 };
            std::iter::once(medium).chain(elastic.iter().copied()).collect::<Vec<Elastic>>()
        };
        let none = vec![Elastic { strength: 0.0, target: 0.0 }; energy.types];
        Prepared {
            acceptance,
            kinds,
            adhesion,
            differences,
            own,
            volume: with_medium(energy.volume.as_ref().unwrap_or(&none)),
            perimeter: energy.perimeter.as_ref().map(with_medium),
            act: energy.act.as_ref().and_then(|act| PreparedAct::new(act)),
            ring: energy.connected.then(|| Ring::new(offsets)),
        }
    }

    /// Whether only adhesion of few types and volumes count, so that the short way can be taken.
    pub(crate) fn is_plain(&self) -> bool {
        self.perimeter.is_none() && self.act.is_none() && self.ring.is_none() && !self.differences.is_empty()
    }

    /// What one site more or less costs a cell.
    fn bulk(&self, kind: usize, volume: i32) -> Bulk {
        Bulk::new(self.volume[kind], volume)
    }

    /// Whether sites have activities.
    pub(crate) fn has_act(&self) -> bool {
        self.act.is_some()
    }
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

/// What the volume term makes of one site more or less.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bulk {
    pub(crate) gain: f64,
    pub(crate) loss: f64,
}

impl Bulk {
    /// λ (2 (v − V) ± 1), with v not yet changed.
    #[inline(always)]
    fn new(elastic: Elastic, volume: i32) -> Bulk {
        let twice = 2.0 * (f64::from(volume) - elastic.target);
        Bulk { gain: elastic.strength * (twice + 1.0), loss: elastic.strength * (1.0 - twice) }
    }
}

/// Everything that changes.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) places: Places,
    /// Labels with types, with margins.
    pub(crate) sites: Vec<u32>,
    /// By label.
    pub(crate) volumes: Vec<i32>,
    /// What one site more or less costs by the volume term, by label.
    pub(crate) bulk: Vec<Bulk>,
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
            bulk: volumes.iter().zip(&types).map(|(&v, &k)| terms.bulk(usize::from(k), v)).collect(),
            volumes,
            perimeters,
            activity: terms.has_act().then(|| Activity::new(&places)),
            sites,

            places,
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
        let mut change = adhesion + (self.bulk[label(new)].gain + self.bulk[label(old)].loss);
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
        // A byte for every type; a neighbourhood has at most 26 sites.
        let (mut counts, mut of_old, mut of_new) = (0_u64, 0, 0);
        for distance in distances {
            let neighbour = self.sites[address.wrapping_add_signed(*distance)];
            counts += 1 << (8 * (kind(neighbour) % FEW));
            of_old += i32::from(neighbour == old);
            of_new += i32::from(neighbour == new);
        }
        let (a, b) = (kind(old) % FEW, kind(new) % FEW);
        let mut sum = 0.0;
        for (n, differences) in terms.differences.iter().enumerate() {
            let count = (counts >> (8 * n)) as u8;
            sum += f64::from(count) * differences[a * FEW + b];
        }
        let adhesion = sum + (f64::from(of_old) * terms.own[a] - f64::from(of_new) * terms.own[b]);
        adhesion + (self.bulk[label(new)].gain + self.bulk[label(old)].loss)
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
        self.places.write(&mut self.sites, copy.site as usize, copy.new);
        for (site, by) in [(copy.old, -1), (copy.new, 1)] {
            let volume = &mut self.volumes[label(site)];
            *volume += by;
            self.bulk[label(site)] = terms.bulk(kind(site), *volume);
        }
        if !self.perimeters.is_empty() {
            self.perimeters[label(copy.old)] += i64::from(copy.perimeters[0]);
            self.perimeters[label(copy.new)] += i64::from(copy.perimeters[1]);
        }
        if let (Some(act), Some(activity)) = (&terms.act, &mut self.activity) {
            activity.gain(&self.places, copy.site as usize, act.most(kind(copy.new)));
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

//! Favours copies from sites that were gained lately: the Act model of protrusion.
//!
//! ```text
//! ΔH_act / T = (λ / m) (GM(target) − GM(source))
//! ```
//!
//! λ/T and m = max_act those of the source's cell, of the target's where the source is medium; GM the geometric mean of activity
//! over a site and its Moore neighbours in the same cell, 0 for medium. A site that is gained has activity m, which falls by 1
//! each step, to 0.
//!
//! Niculescu, Textor, de Boer (2015), "Crawling and gliding: a computational model for shape-driven cell migration", PLoS
//! Computational Biology 11, e1004280.

use glauber_numbers::elementary;

use crate::energy::Act;
use crate::plane::{Place, Places, kind, label};

/// When the activity of each site has worn off.
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    /// The steps done.
    now: u64,
    /// The step from which on a site's activity is 0.
    until: Vec<u64>,
}

impl Activity {
    /// No activity anywhere.
    pub(crate) fn new(places: &Places) -> Activity {
        Activity { now: 0, until: places.filled(0) }
    }

    /// As it was after so many steps, with these activities in site order.
    pub(crate) fn resume(&mut self, places: &Places, activities: &[u32], now: u64) {
        let until: Vec<u64> = activities.iter().map(|activity| now + u64::from(*activity)).collect();
        self.now = now;
        self.until = places.spread(&until, 0);
    }

    /// A site is gained by a cell whose sites are active for `most` steps (0: the medium).
    pub(crate) fn gain(&mut self, places: &Places, place: Place, most: u32) {
        places.write(&mut self.until, place, self.now + u64::from(most));
    }

    /// A step is over.
    pub(crate) fn pass(&mut self) {
        self.now += 1;
    }

    #[inline(always)]
    fn at(&self, address: usize) -> usize {
        self.until[address].saturating_sub(self.now) as usize
    }

    /// The activity of every site, in site order.
    pub(crate) fn by_site(&self, places: &Places) -> Vec<u32> {
        places.gathered(&self.until, 0).iter().map(|until| until.saturating_sub(self.now) as u32).collect()
    }
}

/// The Act term made ready.
#[derive(Clone, Debug)]
pub(crate) struct PreparedAct {
    /// λ/m by type, 0 for the medium and where there is no activity.
    slope: Vec<f64>,
    /// m by type.
    most: Vec<u32>,
    /// ln of 0, 1, 2, … up to the greatest activity.
    logarithms: Vec<f64>,
}

impl PreparedAct {
    /// `None` where no type has an effect of activity.
    pub(crate) fn new(by_type: &[Act]) -> Option<PreparedAct> {
        let acts = by_type.iter().any(|act| act.most > 0);
        acts.then(|| {
            let slope = |act: &Act| if act.most > 0 { act.strength / f64::from(act.most) } else { 0.0 };
            let greatest = by_type.iter().map(|act| act.most).max().unwrap_or(0);
            PreparedAct {
                slope: std::iter::once(0.0).chain(by_type.iter().map(slope)).collect(),
                most: std::iter::once(0).chain(by_type.iter().map(|act| act.most)).collect(),
                logarithms: (0..=greatest).map(|a| elementary::ln(f64::from(a))).collect(),
            }
        })
    }

    /// The activity of a site gained by a cell of this type.
    pub(crate) fn most(&self, kind: usize) -> u32 {
        self.most[kind]
    }

    /// The change of cost of a copy; `addresses` and `sites` of target and source.
    pub(crate) fn change(
        &self,
        activity: &Activity,
        places: &Places,
        plane: &[u32],
        addresses: [usize; 2],
        sites: [u32; 2],
    ) -> f64 {
        let kind = if label(sites[1]) != 0 { kind(sites[1]) } else { kind(sites[0]) };
        let slope = self.slope[kind];
        if slope.to_bits() << 1 == 0 {
            return 0.0;
        }
        let [target, source] = [0, 1].map(|i| self.mean(activity, places, plane, addresses[i], sites[i]));
        slope * (target - source)
    }

    /// The geometric mean about a site.
    fn mean(&self, activity: &Activity, places: &Places, plane: &[u32], address: usize, own: u32) -> f64 {
        let first = activity.at(address);
        if label(own) == 0 || first == 0 {
            return 0.0;
        }
        let (mut sum, mut count) = (self.logarithms[first], 1);
        for distance in places.distances() {
            let at = address.wrapping_add_signed(*distance);
            if plane[at] == own {
                let active = activity.at(at);
                if active == 0 {
                    return 0.0;
                }
                sum += self.logarithms[active];
                count += 1;
            }
        }
        elementary::exp(sum / f64::from(count))
    }
}

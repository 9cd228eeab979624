//! Weighs draws by what lies within their light cones, site by site: what the engine does with running sums.
//!
//! Which times of observation are taken together is the convention of [`Groups`]; which replicates are compared is restated
//! here.

use glauber_engine::{Run, Start};
use glauber_lattice::{Boundary, Lattice};
use glauber_program::{Cone, Extent, Groups};

/// For each replicate the number of its kind: those that have the same data throughout, or all of them where one would be
/// alone.
pub fn kinds(run: &Run<'_>) -> Vec<usize> {
    let starts = match &run.start {
        Start::States(layers) => &layers[..],
        Start::Model => &[],
    };
    let fields = run.fields.iter().map(|(_, data)| data);
    let data: Vec<_> = starts.iter().chain(fields).chain(run.targets.iter().flatten()).collect();
    let own = |replicate: usize| {
        let picks = data.iter().map(|d| d.picks().map_or(0, |p| p[replicate]));
        picks.chain([run.first_step.of(replicate)]).collect::<Vec<u32>>()
    };
    let all: Vec<Vec<u32>> = (0..run.replicates).map(own).collect();
    if all.iter().any(|one| all.iter().filter(|other| *other == one).count() < 2) {
        return vec![0; run.replicates];
    }
    all.iter().map(|one| all.iter().position(|other| other == one).unwrap_or(0)).collect()
}

/// The lead of one replicate's terms over the mean of the others of its kind.
pub fn lead(terms: &[Vec<f64>], kinds: &[usize], replicate: usize) -> Vec<f64> {
    let alike: Vec<usize> =
        (0..terms.len()).filter(|k| *k != replicate && kinds[*k] == kinds[replicate]).collect();
    let mean = |site: usize| alike.iter().map(|k| terms[*k][site]).sum::<f64>() / alike.len().max(1) as f64;
    terms[replicate].iter().enumerate().map(|(site, own)| own - mean(site)).collect()
}

/// The sum of `numbers` over the sites that a draw at `site` is felt at.
pub fn felt(lattice: &Lattice, numbers: &[f64], extent: Extent, site: usize) -> f64 {
    let shape = lattice.extent();
    let place = |site: usize| [site / (shape[1] * shape[2]), site / shape[2] % shape[1], site % shape[2]];
    let inside = |other: usize| {
        let Some(radius) = extent else { return true };
        (0..3).all(|axis| {
            let apart = place(site)[axis].abs_diff(place(other)[axis]);
            let periodic = lattice.boundaries()[axis] == Boundary::Periodic;
            (if periodic { apart.min(shape[axis] - apart) } else { apart }) <= radius[axis]
        })
    };
    (0..numbers.len()).filter(|other| inside(*other)).map(|other| numbers[other]).sum()
}

/// What lies ahead of a replicate on its way back.
#[derive(Default)]
pub struct Ahead {
    groups: Groups,
    leads: Vec<Vec<f64>>,
    /// What is no sum of local terms.
    pub rest: f64,
}

impl Ahead {
    /// Takes in a time of observation.
    pub fn take_in(&mut self, step: usize, reads: Extent, lead: Vec<f64>) {
        self.leads.push(lead);
        let leads = &mut self.leads;
        self.groups.take_in(step, reads, |place| {
            let near = leads.remove(place + 1);
            leads[place].iter_mut().zip(near).for_each(|(sum, x)| *sum += x);
        });
    }

    /// What the draws that led to the state after `step` are worth at each site. A group whose region has become the whole
    /// lattice stands apart from then on: times that follow are not gathered with it.
    pub fn worth(&mut self, lattice: &Lattice, cone: &Cone, step: usize) -> Vec<f64> {
        let draws = if step == 0 { cone.start } else { cone.draws };
        let sites = lattice.sites();
        let ones = vec![1.0; sites];
        let mut worth = vec![0.0; sites];
        let mut place = 0;
        while place < self.leads.len() {
            let span = self.groups.spans[place];
            let extent = cone.after(draws, span.reads, span.latest - step);
            if (0..sites).all(|site| felt(lattice, &ones, extent, site) > sites as f64 - 0.5) {
                self.groups.spans.remove(place);
                self.rest += self.leads.remove(place).into_iter().sum::<f64>();
                continue;
            }
            worth
                .iter_mut()
                .enumerate()
                .for_each(|(site, sum)| *sum += felt(lattice, &self.leads[place], extent, site));
            place += 1;
        }
        worth.into_iter().map(|own| own + self.rest).collect()
    }
}

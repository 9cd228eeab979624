//! Takes a movie apart into site updates: what each could have done, what it did, and what every choice costs.
//!
//! Under `sublattices` the states within a step are known from those before and after it: when a colour runs, sites of
//! earlier colours have their new labels and the others their old ones, and volumes and perimeters are those of this
//! state. A site of label a then becomes b with probability
//!
//! P(b) = Σ_{neighbours of label b} (1/z) acc(ΔH_b),  P(a) = 1 − Σ_{b ≠ a} P(b),
//!
//! where ΔH_b counts unlike pairs before and after, and with Δp_a = 2 n_a − z, Δp_b = z − 2 n_b (n: neighbours of that label)
//!
//! Δ Σ λ_V (v − V)² = λ_V (2 v_b + 1) − 2 λ_V V  −  λ_V (2 v_a − 1) + 2 λ_V V,
//! Δ Σ λ_P (p − P)² = Σ_{a, b} λ_P Δp (2 p + Δp) − 2 λ_P P Δp.
//!
//! So each choice is a row of numbers x with ΔH = constant + φ · x. Sites whose neighbours all have their own label, or
//! whose cell would be cut where that is refused, can do nothing, and are only counted.

use crate::coefficients::{Weight, Weights};
use crate::connectivity::Ring;
use crate::labels::Movie;
use crate::surroundings::{OUTSIDE, PeriodError, Surroundings, colours};
use glauber_lattice::{Moore, Neighbours};
use rayon::prelude::*;

/// How many updates of what kind a movie has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Site updates: sites times steps.
    pub updates: usize,
    /// Those with a neighbour of another label.
    pub at_boundaries: usize,
    /// Those that changed the label to a neighbour's.
    pub changes: usize,
    /// Those that changed it to a label that no neighbour had: no single step does that.
    pub impossible: usize,
    /// Those of them by which a label appeared of which there was no site.
    pub appeared: usize,
    /// Those of them that cut a cell, where that is refused.
    pub cut: usize,
}

impl Counts {
    fn add(&mut self, other: &Counts) {
        self.updates += other.updates;
        self.at_boundaries += other.at_boundaries;
        self.changes += other.changes;
        self.impossible += other.impossible;
        self.appeared += other.appeared;
        self.cut += other.cut;
    }
}

/// All updates of some movies that could have been otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Updates {
    /// How many φ there are: the length of a row.
    pub(crate) width: usize,
    /// How many neighbours a site has.
    pub(crate) neighbours: f64,
    /// Where every update's rows begin, and where the last one's end.
    pub(crate) begins: Vec<usize>,
    /// Which of its rows an update took, from 1; 0 where nothing changed.
    pub(crate) taken: Vec<u8>,
    /// By row: how many neighbours have its label.
    pub(crate) sources: Vec<u8>,
    /// By row: what ΔH/T is where φ is 0.
    pub(crate) constants: Vec<f64>,
    /// By row: x.
    pub(crate) rows: Vec<f64>,
    pub(crate) counts: Counts,
}

impl Updates {
    /// Of some movies, which share types.
    pub(crate) fn new(movies: &[&Movie], weights: &Weights, connected: bool) -> Result<Updates, PeriodError> {
        let mut all: Option<Updates> = None;
        for movie in movies {
            let around = Surroundings::new(movie.lattice());
            let ring = connected.then(|| Ring::new(Moore.on(movie.lattice().dimensions()).offsets()));
            let colours = colours(movie.lattice(), 2)?;
            let sweep = Sweep { movie, weights, around: &around, colours, ring };
            let steps = movie.frames().len().saturating_sub(1);
            let parts: Vec<Updates> = (0..steps).into_par_iter().map(|step| sweep.step(step)).collect();
            for part in parts {
                match &mut all {
                    Some(all) => all.append(part),
                    None => all = Some(part),
                }
            }
        }
        Ok(all.unwrap_or_else(|| Updates::empty(weights.products.len(), 8)))
    }

    fn empty(width: usize, neighbours: usize) -> Updates {
        Updates {
            width,
            neighbours: neighbours as f64,
            begins: vec![0],
            taken: Vec::new(),
            sources: Vec::new(),
            constants: Vec::new(),
            rows: Vec::new(),
            counts: Counts::default(),
        }
    }

    fn append(&mut self, other: Updates) {
        let behind = self.sources.len();
        self.begins.extend(other.begins[1..].iter().map(|begin| begin + behind));
        self.taken.extend(other.taken);
        self.sources.extend(other.sources);
        self.constants.extend(other.constants);
        self.rows.extend(other.rows);
        self.counts.add(&other.counts);
    }

    /// x of a row.
    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.rows[row * self.width..(row + 1) * self.width]
    }

    /// ΔH/T of a row.
    pub(crate) fn cost(&self, row: usize, phi: &[f64]) -> f64 {
        self.row(row).iter().zip(phi).fold(self.constants[row], |d, (x, phi)| d + x * phi)
    }

    /// How many updates could have been otherwise.
    pub(crate) fn len(&self) -> usize {
        self.taken.len()
    }
}

/// Volumes and perimeters by label.
struct Sizes {
    volumes: Vec<i64>,
    perimeters: Vec<i64>,
}

struct Sweep<'a> {
    movie: &'a Movie,
    weights: &'a Weights,
    around: &'a Surroundings,
    colours: Vec<Vec<u32>>,
    /// Where copies that would cut a cell are refused.
    ring: Option<Ring>,
}

impl Sweep<'_> {
    /// The updates between a frame and the next.
    fn step(&self, step: usize) -> Updates {
        let (mut state, after) = (self.movie.frames()[step].clone(), &self.movie.frames()[step + 1]);
        let mut sizes = self.sizes(&state);
        let mut updates = Updates::empty(self.weights.products.len(), self.around.size);
        let mut near: Vec<(u32, u8)> = Vec::new();
        for sites in &self.colours {
            let mut moves = Vec::new();
            for site in sites.iter().map(|site| *site as usize) {
                self.update(&state, &sizes, site, after[site], &mut near, &mut updates);
                if state[site] != after[site] {
                    moves.push(site);
                }
            }
            // Sites of one colour are no neighbours of each other: how they change perimeters adds up.
            for site in moves {
                let (from, to) = (state[site], after[site]);
                let (in_from, in_to) = (self.near(&state, site, from), self.near(&state, site, to));
                let size = self.around.size as i64;
                sizes.volumes[from as usize] -= 1;
                sizes.volumes[to as usize] += 1;
                sizes.perimeters[from as usize] += 2 * in_from - size;
                sizes.perimeters[to as usize] += size - 2 * in_to;
                state[site] = to;
            }
        }
        updates
    }

    fn update(
        &self,
        state: &[u32],
        sizes: &Sizes,
        site: usize,
        new: u32,
        near: &mut Vec<(u32, u8)>,
        updates: &mut Updates,
    ) {
        let old = state[site];
        updates.counts.updates += 1;
        near.clear();
        let mut beyond = 0;
        for neighbour in self.around.of(site) {
            if *neighbour == OUTSIDE {
                beyond += 1;
                continue;
            }
            let label = state[*neighbour as usize];
            match near.iter_mut().find(|(known, _)| *known == label) {
                Some((_, count)) => *count += 1,
                None => near.push((label, 1)),
            }
        }
        if near.iter().all(|(label, _)| *label == old) {
            self.count_impossible(sizes, old, new, updates);
            return;
        }
        updates.counts.at_boundaries += 1;
        if self.would_cut(state, site) {
            updates.counts.cut += usize::from(new != old);
            self.count_impossible(sizes, old, new, updates);
            return;
        }
        let taken = near.iter().filter(|(label, _)| *label != old).position(|(label, _)| *label == new);
        if new != old && taken.is_none() {
            self.count_impossible(sizes, old, new, updates);
            return;
        }
        updates.counts.changes += usize::from(new != old);
        updates.taken.push(taken.map_or(0, |place| place as u8 + 1));
        for (label, count) in near.iter().filter(|(label, _)| *label != old) {
            updates.sources.push(*count);
            let begin = updates.rows.len();
            updates.rows.resize(begin + updates.width, 0.0);
            let mut row = Row { constant: 0.0, x: &mut updates.rows[begin..] };
            self.adhesion(near, beyond, old, *label, &mut row);
            self.elastic(sizes, near, beyond, old, *label, &mut row);
            let constant = row.constant;
            updates.constants.push(constant);
        }
        updates.begins.push(updates.sources.len());
    }

    /// Whether any copy onto a site would cut its cell, and is refused.
    fn would_cut(&self, state: &[u32], site: usize) -> bool {
        let (Some(ring), own) = (&self.ring, state[site]) else { return false };
        let is_own = |neighbour: &u32| *neighbour != OUTSIDE && state[*neighbour as usize] == own;
        let set = |set, (bit, neighbour)| set | u32::from(is_own(neighbour)) << bit;
        let members = self.around.of(site).iter().enumerate().fold(0, set);
        own != 0 && !ring.holds_together(members)
    }

    fn count_impossible(&self, sizes: &Sizes, old: u32, new: u32, updates: &mut Updates) {
        if new != old {
            updates.counts.impossible += 1;
            updates.counts.appeared += usize::from(sizes.volumes[new as usize] == 0);
        }
    }

    /// The unlike pairs of a site, after less before.
    fn adhesion(&self, near: &[(u32, u8)], beyond: u8, old: u32, new: u32, row: &mut Row<'_>) {
        let types = self.movie.types();
        let side = (self.weights.adhesion.len() as f64).sqrt() as usize;
        let pair = |a: u32, b: u32| {
            self.weights.adhesion[types[a as usize] as usize * side + types[b as usize] as usize]
        };
        let outside = (beyond > 0).then_some((0, beyond));
        for (label, count) in near.iter().copied().chain(outside) {
            if label != new {
                row.add(pair(new, label), f64::from(count));
            }
            if label != old {
                row.add(pair(old, label), -f64::from(count));
            }
        }
    }

    /// What volumes and perimeters cost, after less before.
    fn elastic(&self, sizes: &Sizes, near: &[(u32, u8)], beyond: u8, old: u32, new: u32, row: &mut Row<'_>) {
        let count = |label: u32| -> i64 {
            let here = near.iter().find(|(known, _)| *known == label).map_or(0, |(_, count)| *count);
            i64::from(here) + if label == 0 { i64::from(beyond) } else { 0 }
        };
        let size = self.around.size as i64;
        for (label, volume_change, perimeter_change) in
            [(old, -1, 2 * count(old) - size), (new, 1, size - 2 * count(new))]
        {
            let Some(kind) = (self.movie.types()[label as usize] as usize).checked_sub(1) else { continue };
            let place = label as usize;
            for (weights, x, change) in [
                (&self.weights.volume, sizes.volumes[place], volume_change),
                (&self.weights.perimeter, sizes.perimeters[place], perimeter_change),
            ] {
                if let Some((of_square, of_target)) = weights.as_ref().map(|weights| weights[kind]) {
                    row.add(of_square, (change * (2 * x + change)) as f64);
                    row.add(of_target, (-2 * change) as f64);
                }
            }
        }
    }

    fn sizes(&self, state: &[u32]) -> Sizes {
        let cells = self.movie.types().len();
        let mut sizes = Sizes { volumes: vec![0; cells], perimeters: vec![0; cells] };
        for (site, label) in state.iter().enumerate() {
            sizes.volumes[*label as usize] += 1;
            sizes.perimeters[*label as usize] += self.around.size as i64 - self.near(state, site, *label);
        }
        sizes
    }

    /// How many neighbours of a site have a label; beyond fixed edges there is medium.
    fn near(&self, state: &[u32], site: usize, label: u32) -> i64 {
        let is = |neighbour: &&u32| match **neighbour {
            OUTSIDE => label == 0,
            neighbour => state[neighbour as usize] == label,
        };
        self.around.of(site).iter().filter(is).count() as i64
    }
}

struct Row<'a> {
    constant: f64,
    x: &'a mut [f64],
}

impl Row<'_> {
    fn add(&mut self, weight: Weight, count: f64) {
        match weight {
            Weight::Constant(value) => self.constant += value * count,
            Weight::Times(m, factor) => self.x[m] += factor * count,
        }
    }
}

//! Simulates cells in the plainest words, as the likelihood supposes: what the crate computes is held against this.
#![allow(dead_code)]

use glauber_cellular_potts::{Acceptance, Elastic, Energy, Movie};
use glauber_lattice::Lattice;
use glauber_numbers::elementary::exp;
use glauber_numbers::noise::Key;

/// Labels on a lattice of one, two or three axes, and the rules.
#[derive(Clone)]
pub struct Plain {
    pub lattice: Lattice,
    pub labels: Vec<u32>,
    pub types: Vec<u8>,
    pub energy: Energy,
    pub acceptance: Acceptance,
    pub seed: u64,
    pub step: u32,
}

impl Plain {
    pub fn new(
        lattice: Lattice,
        labels: Vec<u32>,
        types: Vec<u8>,
        energy: &Energy,
        acceptance: Acceptance,
        seed: u64,
    ) -> Plain {
        Plain { lattice, labels, types, energy: energy.clone(), acceptance, seed, step: 0 }
    }

    /// The neighbours of a site: `None` beyond a fixed edge.
    pub fn neighbours(&self, site: usize) -> Vec<Option<usize>> {
        let extent = self.lattice.extent();
        let boundaries = self.lattice.boundaries();
        let at = [site / (extent[1] * extent[2]), site / extent[2] % extent[1], site % extent[2]];
        let reach = |axis: usize| if axis < 3 - self.lattice.dimensions() { 0..=0i64 } else { -1..=1i64 };
        let mut found = Vec::new();
        for dz in reach(0) {
            for dy in reach(1) {
                for dx in reach(2) {
                    if (dz, dy, dx) == (0, 0, 0) {
                        continue;
                    }
                    let go = |axis: usize, d: i64| boundaries[axis].source(at[axis] as i64 + d, extent[axis]);
                    found.push(match (go(0, dz), go(1, dy), go(2, dx)) {
                        (Some(z), Some(y), Some(x)) => Some((z * extent[1] + y) * extent[2] + x),
                        _ => None,
                    });
                }
            }
        }
        found
    }

    fn label(&self, site: Option<usize>) -> u32 {
        site.map_or(0, |site| self.labels[site])
    }

    pub fn volumes(&self) -> Vec<i64> {
        let mut volumes = vec![0; self.types.len()];
        self.labels.iter().for_each(|label| volumes[*label as usize] += 1);
        volumes
    }

    pub fn perimeters(&self) -> Vec<i64> {
        let mut perimeters = vec![0; self.types.len()];
        for site in 0..self.labels.len() {
            let own = self.labels[site];
            let unlike = self.neighbours(site).into_iter().filter(|n| self.label(*n) != own).count();
            perimeters[own as usize] += unlike as i64;
        }
        perimeters
    }

    /// H/T from nothing: every pair once (those across fixed edges too), every cell.
    pub fn total(&self) -> f64 {
        let side = self.energy.types + 1;
        let mut total = 0.0;
        for site in 0..self.labels.len() {
            let own = self.labels[site];
            for neighbour in self.neighbours(site) {
                let other = self.label(neighbour);
                let weight = if neighbour.is_some() { 0.5 } else { 1.0 };
                if other != own {
                    let (a, b) = (self.types[own as usize], self.types[other as usize]);
                    total += weight * self.energy.adhesion[a as usize * side + b as usize];
                }
            }
        }
        let (volumes, perimeters) = (self.volumes(), self.perimeters());
        for label in 1..self.types.len() {
            let kind = self.types[label] as usize - 1;
            for (terms, size) in
                [(&self.energy.volume, volumes[label]), (&self.energy.perimeter, perimeters[label])]
            {
                if let Some(terms) = terms {
                    total += terms[kind].strength * (size as f64 - terms[kind].target).powi(2);
                }
            }
        }
        total
    }

    /// What a copy at a site changes, by H after less before.
    pub fn change(&self, site: usize, new: u32) -> f64 {
        let mut after = self.clone();
        after.labels[site] = new;
        after.total() - self.total()
    }

    /// The same from the neighbours alone, with sizes given: as fast as tests need.
    pub fn local_change(&self, site: usize, new: u32, volumes: &[i64], perimeters: &[i64]) -> f64 {
        let side = self.energy.types + 1;
        let old = self.labels[site];
        let around: Vec<u32> = self.neighbours(site).into_iter().map(|n| self.label(n)).collect();
        let pair = |a: u32, b: u32| {
            let (a, b) = (self.types[a as usize] as usize, self.types[b as usize] as usize);
            self.energy.adhesion[a * side + b]
        };
        let mut change = 0.0;
        for other in &around {
            change += if *other != new { pair(new, *other) } else { 0.0 };
            change -= if *other != old { pair(old, *other) } else { 0.0 };
        }
        let size = around.len() as i64;
        let count = |label: u32| around.iter().filter(|other| **other == label).count() as i64;
        for (label, volume, perimeter) in [(old, -1, 2 * count(old) - size), (new, 1, size - 2 * count(new))]
        {
            if label == 0 {
                continue;
            }
            let kind = self.types[label as usize] as usize - 1;
            let of = |term: &Elastic, x: i64, by: i64| {
                let off = |x: i64| (x as f64 - term.target).powi(2);
                term.strength * (off(x + by) - off(x))
            };
            if let Some(terms) = &self.energy.volume {
                change += of(&terms[kind], volumes[label as usize], volume);
            }
            if let Some(terms) = &self.energy.perimeter {
                change += of(&terms[kind], perimeters[label as usize], perimeter);
            }
        }
        change
    }

    /// Whether the neighbours of a site that belong to its cell fall apart without it.
    pub fn cut(&self, site: usize) -> bool {
        let own = self.labels[site];
        if own == 0 || !self.energy.connected {
            return false;
        }
        let axes = self.lattice.dimensions();
        let reach = |axis: usize| if axis < 3 - axes { 0..=0i64 } else { -1..=1i64 };
        let mut offsets = Vec::new();
        for z in reach(0) {
            for y in reach(1) {
                offsets.extend(reach(2).map(|x| [z, y, x]).filter(|offset| *offset != [0; 3]));
            }
        }
        let mut open: Vec<[i64; 3]> = offsets
            .iter()
            .zip(self.neighbours(site))
            .filter(|(_, neighbour)| neighbour.is_some_and(|n| self.labels[n] == own))
            .map(|(offset, _)| *offset)
            .collect();
        let Some(first) = open.pop() else { return false };
        let mut reached = vec![first];
        while let Some(place) = open
            .iter()
            .position(|a| reached.iter().any(|b| (0..3).all(|axis| (a[axis] - b[axis]).abs() <= 1)))
        {
            reached.push(open.swap_remove(place));
        }
        !open.is_empty()
    }

    /// The probability that one step of `sublattices` gives these labels, from total energies, and the smallest and largest
    /// sum of a site's probabilities.
    pub fn log_chance(&self, after: &[u32]) -> (f64, [f64; 2]) {
        let (mut now, mut log, mut sums) = (self.clone(), 0.0, [f64::INFINITY, 0.0f64]);
        for sites in self.colours() {
            let mut next = now.labels.clone();
            for site in sites {
                let around = now.neighbours(site);
                let share = 1.0 / around.len() as f64;
                let mut chances: Vec<(u32, f64)> = vec![(now.labels[site], 0.0)];
                let mut add = |label: u32, chance: f64| match chances.iter_mut().find(|(l, _)| *l == label) {
                    Some((_, sum)) => *sum += chance,
                    None => chances.push((label, chance)),
                };
                for source in around {
                    let label = source.map_or(now.labels[site], |source| now.labels[source]);
                    if label == now.labels[site] || now.cut(site) {
                        add(now.labels[site], share);
                        continue;
                    }
                    let yes = now.accepts(now.change(site, label));
                    add(label, share * yes);
                    add(now.labels[site], share * (1.0 - yes));
                }
                let sum: f64 = chances.iter().map(|(_, chance)| chance).sum();
                sums = [sums[0].min(sum), sums[1].max(sum)];
                log += chances.iter().find(|(label, _)| *label == after[site]).map_or(0.0, |(_, c)| *c).ln();
                next[site] = after[site];
            }
            now.labels = next;
        }
        (log, sums)
    }

    pub fn accepts(&self, change: f64) -> f64 {
        match self.acceptance {
            Acceptance::Metropolis => exp(-change.max(0.0)),
            Acceptance::HeatBath => 1.0 / (1.0 + exp(change)),
        }
    }

    /// The sites of every colour, in the order in which colours run.
    pub fn colours(&self) -> Vec<Vec<usize>> {
        let extent = self.lattice.extent();
        let axes = self.lattice.dimensions();
        let mut colours = vec![Vec::new(); 1 << axes];
        for site in 0..self.labels.len() {
            let at = [site / (extent[1] * extent[2]), site / extent[2] % extent[1], site % extent[2]];
            let colour = at[3 - axes..].iter().fold(0, |colour, x| 2 * colour + x % 2);
            colours[colour].push(site);
        }
        colours
    }

    /// One step of `sublattices`.
    pub fn sweep(&mut self) {
        let direction = Key::new(self.seed, 0, self.step, 1, 0);
        let acceptance = Key::new(self.seed, 0, self.step, 2, 0);
        for sites in self.colours() {
            let volumes = self.volumes();
            let perimeters = if self.energy.perimeter.is_some() { self.perimeters() } else { Vec::new() };
            let mut after = self.labels.clone();
            for site in sites {
                let around = self.neighbours(site);
                let draw = u64::from(direction.word(site as u32)) * around.len() as u64;
                let Some(source) = around[(draw >> 32) as usize] else { continue };
                let new = self.labels[source];
                if new == self.labels[site] || self.cut(site) {
                    continue;
                }
                let chance = self.accepts(self.local_change(site, new, &volumes, &perimeters));
                if acceptance.uniform::<f64>(site as u32) < chance {
                    after[site] = new;
                }
            }
            self.labels = after;
        }
        self.step += 1;
    }

    /// One step of `random-sequential`.
    pub fn shuffle(&mut self) {
        let keys = [0, 1, 2].map(|draw| Key::new(self.seed, 0, self.step, draw, 0));
        let (mut volumes, mut perimeters) = (self.volumes(), self.perimeters());
        for event in 0..self.labels.len() as u32 {
            let site = ((u64::from(keys[0].word(event)) * self.labels.len() as u64) >> 32) as usize;
            let around = self.neighbours(site);
            let draw = u64::from(keys[1].word(event)) * around.len() as u64;
            let Some(source) = around[(draw >> 32) as usize] else { continue };
            let (old, new) = (self.labels[site], self.labels[source]);
            if new != old
                && !self.cut(site)
                && keys[2].uniform::<f64>(event)
                    < self.accepts(self.local_change(site, new, &volumes, &perimeters))
            {
                self.labels[site] = new;
                volumes[old as usize] -= 1;
                volumes[new as usize] += 1;
                if self.energy.perimeter.is_some() {
                    perimeters = self.perimeters();
                }
            }
        }
        self.step += 1;
    }

    /// Frames `stride` steps apart, the present state first.
    pub fn film(&mut self, frames: usize, stride: usize) -> Movie {
        let mut film = vec![self.labels.clone()];
        for _ in 1..frames {
            (0..stride).for_each(|_| self.sweep());
            film.push(self.labels.clone());
        }
        Movie::new(self.lattice.clone(), self.types.clone(), film).unwrap()
    }
}

/// An energy by volume alone, one number for all types.
pub fn energy(types: usize, pairs: &[((usize, usize), f64)], strength: f64, target: f64) -> Energy {
    let side = types + 1;
    let mut adhesion = vec![0.0; side * side];
    for ((a, b), j) in pairs {
        adhesion[a * side + b] = *j;
        adhesion[b * side + a] = *j;
    }
    Energy {
        types,
        adhesion,
        volume: Some(vec![Elastic { strength, target }; types]),
        perimeter: None,
        act: None,
        connected: false,
    }
}

/// Sorting's energy, in units of T = 10, for cells of a target volume.
pub fn sorting(target: f64) -> Energy {
    let pairs = [((0, 1), 1.6), ((0, 2), 1.6), ((1, 1), 1.4), ((1, 2), 1.1), ((2, 2), 0.2)];
    energy(2, &pairs, 0.1, target)
}

/// A block of `across` × `across` square cells amidst a square lattice, two types mixed.
pub fn block(side: usize, across: usize, cell: usize) -> (Lattice, Vec<u32>, Vec<u8>) {
    let first = (side - across * cell) / 2;
    let mut labels = vec![0; side * side];
    for y in 0..across * cell {
        for x in 0..across * cell {
            labels[(first + y) * side + first + x] = (y / cell * across + x / cell + 1) as u32;
        }
    }
    let kind = |cell: usize| 1 + u8::from((7 * (cell / across) + 3 * (cell % across)) % 10 >= 4);
    let types = std::iter::once(0).chain((0..across * across).map(kind)).collect();
    (Lattice::square(side), labels, types)
}

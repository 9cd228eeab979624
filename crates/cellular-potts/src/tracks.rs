//! Follows the centroids of simulated cells, unrolled over periodic edges, and measures how tracks move.
//!
//! ```text
//! speed               mean |d_t|                     d_t the displacement between records t and t + 1
//! MSD(k)              mean |x_{t+k} − x_t|²
//! correlation(k)      mean d_t · d_{t+k} / mean |d_t|²      of velocities; where it falls to ½ is their half-life
//! ```
//!
//! Means over all records of all tracks, of which each is a ratio of sums; where a record is missing, what needs it is left out.
//! How far such a ratio is off is told by what single cells (where they share a lattice, single lattices) add to it, to first
//! order: r = A/B has the influences (A_i − r B_i)/B.

use crate::simulation::Simulation;
use crate::summaries::displacement;

/// Where a cell was, at records that are counted from 0; none is at one moment twice.
#[derive(Clone, Debug, PartialEq)]
pub struct CellTrack {
    /// Which records there are, increasing.
    pub records: Vec<u32>,
    /// (z, y, x) in sites, z 0 in a plane; not folded at periodic edges.
    pub positions: Vec<[f64; 3]>,
}

impl CellTrack {
    /// The last record; 0 where there is none.
    pub fn span(&self) -> u32 {
        self.records.last().copied().unwrap_or(0)
    }

    /// The positions by record, with gaps.
    fn by_record(&self) -> Vec<Option<[f64; 3]>> {
        let mut all = vec![None; self.span() as usize + 1];
        for (record, position) in self.records.iter().zip(&self.positions) {
            all[*record as usize] = Some(*position);
        }
        all
    }
}

/// Follows the cells of a simulation for so many records, `between` steps apart, the present state the first.
///
/// Unrolled by the shortest way from record to record, which is right where no cell goes half round the lattice in between. A
/// cell that vanishes has no further records.
pub fn follow(simulation: &mut Simulation, records: u32, between: u64) -> Vec<CellTrack> {
    let cells = simulation.cells();
    let lattice = cells.lattice().clone();
    let mut folded = cells.centroids();
    let mut tracks: Vec<CellTrack> = folded
        .iter()
        .skip(1)
        .map(|at| CellTrack {
            records: at.iter().map(|_| 0).collect(),
            positions: at.iter().copied().collect(),
        })
        .collect();
    for record in 1..records {
        simulation.run(between);
        let now = simulation.cells().centroids();
        for (track, (last, now)) in tracks.iter_mut().zip(folded.iter_mut().zip(&now).skip(1)) {
            let (Some(from), Some(to), Some(at)) = (*last, *now, track.positions.last().copied()) else {
                *last = None;
                continue;
            };
            let by = displacement(&lattice, from, to);
            track.records.push(record);
            track.positions.push([0, 1, 2].map(|axis| at[axis] + by[axis]));
            *last = *now;
        }
    }
    tracks
}

/// Which numbers are taken of tracks.
#[derive(Clone, Debug, PartialEq)]
pub struct Motion {
    /// Lags of the mean squared displacement, in records.
    pub displacement_lags: Vec<u32>,
    /// Lags of the velocities' correlation, in records.
    pub correlation_lags: Vec<u32>,
}

/// A sum and what it is divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    sum: f64,
    count: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    fn mean(&self) -> f64 {
        self.sum / self.count
    }
}

/// The sums of one track, or of the tracks of one lattice: speed, mean square (correlation at lag 0), displacements, correlations.
#[derive(Clone, Debug)]
pub(crate) struct MotionSums {
    all: Vec<Sum>,
}

/// What tracks come to.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// ln speed, ln MSD by lag, correlation by lag; not finite where tracks hold none.
    pub(crate) values: Vec<f64>,
    /// Covariances of these, row by row, were there as many lattices as are said.
    pub(crate) covariance: Vec<f64>,
}

/// The place of the first MSD among the sums.
const FIRST: usize = 2;

impl Motion {
    /// Lags by powers of 4 up to a quarter of the longest track: 1, 4, 16 … of displacements, 2, 8, 32 … of correlations.
    pub fn usual(tracks: &[CellTrack]) -> Motion {
        let longest = tracks.iter().map(CellTrack::span).max().unwrap_or(1).max(4);
        let lags = |first: u32| {
            std::iter::successors(Some(first), |lag| lag.checked_mul(4))
                .take_while(|lag| *lag <= longest / 4)
                .collect()
        };
        Motion { displacement_lags: lags(1), correlation_lags: lags(2) }
    }

    /// How many numbers.
    pub(crate) fn count(&self) -> usize {
        1 + self.displacement_lags.len() + self.correlation_lags.len()
    }

    /// What they are, in words.
    pub(crate) fn names(&self) -> Vec<String> {
        let displacements = self.displacement_lags.iter().map(|lag| format!("MSD after {lag}"));
        let correlations = self.correlation_lags.iter().map(|lag| format!("correlation after {lag}"));
        std::iter::once("speed".to_string()).chain(displacements).chain(correlations).collect()
    }

    /// As people read it: the number itself, not its logarithm.
    pub(crate) fn plain(&self, place: usize, value: f64) -> f64 {
        if place <= self.displacement_lags.len() { value.exp() } else { value }
    }

    /// The sums of tracks that go together.
    pub(crate) fn sums<'a>(&self, tracks: impl IntoIterator<Item = &'a CellTrack>) -> MotionSums {
        let mut all = vec![Sum::default(); self.count() + 1];
        for track in tracks {
            let at = track.by_record();
            let apart = |from: usize, to: usize| -> Option<[f64; 3]> {
                let (a, b) = ((*at.get(from)?)?, (*at.get(to)?)?);
                Some([b[0] - a[0], b[1] - a[1], b[2] - a[2]])
            };
            let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
            for from in 0..at.len() {
                let Some(step) = apart(from, from + 1) else { continue };
                all[0].add(dot(step, step).sqrt());
                all[1].add(dot(step, step));
                let first = FIRST + self.displacement_lags.len();
                for (sum, lag) in all[first..].iter_mut().zip(&self.correlation_lags) {
                    if let Some(later) = apart(from + *lag as usize, from + *lag as usize + 1) {
                        sum.add(dot(step, later));
                    }
                }
            }
            for from in 0..at.len() {
                for (sum, lag) in all[FIRST..].iter_mut().zip(&self.displacement_lags) {
                    if let Some(by) = apart(from, from + *lag as usize) {
                        sum.add(dot(by, by));
                    }
                }
            }
        }
        MotionSums { all }
    }

    /// What the sums of all lattices come to, and how they would scatter for `size` lattices.
    pub(crate) fn measured(&self, parts: &[MotionSums], size: f64) -> Measured {
        let mut total = vec![Sum::default(); self.count() + 1];
        for part in parts {
            for (all, own) in total.iter_mut().zip(&part.all) {
                all.sum += own.sum;
                all.count += own.count;
            }
        }
        let (n, logarithms) = (self.count(), 1 + self.displacement_lags.len());
        let square = total[1];
        let of = |place: usize| total[if place == 0 { 0 } else { place + 1 }];
        let values = (0..n)
            .map(|place| match place < logarithms {
                true => of(place).mean().ln(),
                false => of(place).mean() / square.mean(),
            })
            .collect();
        let influence = |part: &MotionSums, place: usize| {
            let (own, all) = (part.all[if place == 0 { 0 } else { place + 1 }], of(place));
            let moved = (own.sum - all.mean() * own.count) / all.count;
            if place < logarithms {
                return moved / all.mean();
            }
            let ratio = all.mean() / square.mean();
            let of_square = (part.all[1].sum - square.mean() * part.all[1].count) / square.sum;
            moved / square.mean() - ratio * of_square
        };
        let mut covariance = vec![0.0; n * n];
        for part in parts {
            let own: Vec<f64> = (0..n).map(|place| influence(part, place)).collect();
            for (row, a) in own.iter().enumerate() {
                for (column, b) in own.iter().enumerate() {
                    covariance[row * n + column] += a * b;
                }
            }
        }
        let parts = parts.len() as f64;
        let scale = parts / (parts - 1.0).max(1.0) * parts / size;
        covariance.iter_mut().for_each(|x| *x *= scale);
        Measured { values, covariance }
    }
}

/// How cells move, in numbers that people compare.
#[derive(Clone, Debug, PartialEq)]
pub struct MotionSummary {
    /// The mean |displacement| between records, a step.
    pub speed: f64,
    /// Lag in steps, mean squared displacement.
    pub mean_squared_displacement: Vec<(f64, f64)>,
    /// Lag in steps, correlation of velocities.
    pub correlation: Vec<(f64, f64)>,
    /// When the velocities' autocovariance has fallen to half the mean square, in steps, between two lags by a straight line; none
    /// where it has not within half the longest track.
    pub half_life: Option<f64>,
}

/// Measures tracks whose records are `between` steps apart, at the usual lags; the half-life among all lags.
///
/// ```
/// use glauber_cellular_potts::{CellTrack, motion};
/// // Straight on at one site a record.
/// let positions = (0..9).map(|t| [0.0, 0.0, f64::from(t)]).collect();
/// let found = motion(&[CellTrack { records: (0..9).collect(), positions }], 5.0);
/// assert_eq!((found.speed, found.half_life), (0.2, None));
/// assert_eq!(found.mean_squared_displacement, [(5.0, 1.0)]);
/// assert_eq!(found.correlation, [(10.0, 1.0)]);
/// ```
pub fn motion(tracks: &[CellTrack], between: f64) -> MotionSummary {
    let usual = Motion::usual(tracks);
    let values = usual.measured(&[usual.sums(tracks)], 1.0).values;
    let at = |lags: &[u32], first: usize| -> Vec<(f64, f64)> {
        let lags = lags.iter().zip(first..);
        lags.map(|(lag, place)| (f64::from(*lag) * between, usual.plain(place, values[place]))).collect()
    };
    MotionSummary {
        speed: values[0].exp() / between,
        mean_squared_displacement: at(&usual.displacement_lags, 1),
        correlation: at(&usual.correlation_lags, 1 + usual.displacement_lags.len()),
        half_life: half_life(tracks).map(|lag| lag * between),
    }
}

/// In records. Lags are looked at one after another in steps of a tenth of their size.
fn half_life(tracks: &[CellTrack]) -> Option<f64> {
    let longest = tracks.iter().map(CellTrack::span).max().unwrap_or(0);
    let mut before = (0.0, 1.0);
    let mut lag = 1_u32;
    while lag < longest.div_ceil(2) {
        let one = Motion { displacement_lags: Vec::new(), correlation_lags: vec![lag] };
        let value = one.measured(&[one.sums(tracks)], 1.0).values[1];
        if value.is_nan() {
            return None;
        }
        if value <= 0.5 {
            let (from, above) = before;
            return Some(from + (f64::from(lag) - from) * (above - 0.5) / (above - value));
        }
        before = (f64::from(lag), value);
        lag += (lag / 10).max(1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(xs: &[f64]) -> CellTrack {
        CellTrack {
            records: (0..xs.len() as u32).collect(),
            positions: xs.iter().map(|x| [0.0, 0.0, *x]).collect(),
        }
    }

    #[test]
    fn a_hand_counted_track() {
        // Displacements 1, 2, −1, 1, with a gap after the third position.
        let full = track(&[0.0, 1.0, 3.0, 2.0, 3.0]);
        let motion = Motion { displacement_lags: vec![1, 2], correlation_lags: vec![1] };
        let values = motion.measured(&[motion.sums([&full])], 1.0).values;
        let right =
            [(5.0_f64 / 4.0).ln(), (7.0_f64 / 4.0).ln(), (10.0_f64 / 3.0).ln(), (-1.0 / 3.0) / (7.0 / 4.0)];
        for (found, right) in values.iter().zip(right) {
            assert!((found - right).abs() < 1e-12, "{values:?}");
        }
        let mut gap = full;
        gap.records.remove(3);
        gap.positions.remove(3);
        let values = motion.measured(&[motion.sums([&gap])], 1.0).values;
        // Left: displacements 1 and 2; after two records 3 and, over the gap, 0.
        let right = [1.5_f64.ln(), 2.5_f64.ln(), 4.5_f64.ln(), 2.0 / 2.5];
        for (found, right) in values.iter().zip(right) {
            assert!((found - right).abs() < 1e-12, "{values:?}");
        }
    }

    /// The covariance from influences is that of ratios over many sets of lattices.
    #[test]
    fn influences_tell_how_ratios_scatter() {
        use glauber_numbers::noise::{Key, uniform};
        let key = Key::new(1, 2, 3, 4, 5);
        let motion = Motion { displacement_lags: vec![1, 4], correlation_lags: vec![2] };
        let parts: Vec<MotionSums> = (0..4000_u32)
            .map(|cell| {
                // Walks whose speed differs from cell to cell.
                let speed = 0.5 + uniform::<f64>(key.word(cell));
                let mut at = 0.0;
                let xs: Vec<f64> = (0..41)
                    .map(|t| {
                        at += speed * (uniform::<f64>(key.word(1_000_000 + 41 * cell + t)) - 0.3);
                        at
                    })
                    .collect();
                motion.sums([&track(&xs)])
            })
            .collect();
        let said = motion.measured(&parts, 20.0).covariance;
        let sets: Vec<Vec<f64>> = parts.chunks(20).map(|own| motion.measured(own, 20.0).values).collect();
        let n = motion.count();
        for place in 0..n {
            let mean = sets.iter().map(|set| set[place]).sum::<f64>() / sets.len() as f64;
            let variance =
                sets.iter().map(|set| (set[place] - mean).powi(2)).sum::<f64>() / (sets.len() - 1) as f64;
            let ratio = variance / said[place * n + place];
            // Of 200 sets; the ratio's own first-order error comes on top, a few per cent.
            let within = glauber_statistics::tolerance::variance_ratio_within(sets.len(), 1e-4);
            assert!(within.contains(&ratio), "{place}: {ratio}");
        }
    }
}

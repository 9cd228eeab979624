//! Takes the mean squared displacement of tracks, with bootstrap standard errors.
//!
//! For a lag of n intervals,
//!
//! MSD(n) = Σ |x(f + n) − x(f)|² / N(n)
//!
//! over all pairs of positions of all tracks that are n frames apart: all overlapping sub-tracks, N(n) of them. Where
//! a frame is missing, the pairs across it still count, at the lag they span.
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | n | lag | intervals |
//! | f | frame | intervals |
//! | x(f) | position at frame f | length |
//! | N(n) | sub-tracks of lag n | 1 |
//!
//! Standard errors: tracks, not displacements, are drawn with replacement, because displacements of one track are
//! correlated (Efron & Tibshirani, An Introduction to the Bootstrap, 1993); the standard error is the standard
//! deviation of MSD(n) over the replicates. Draws are a pure function of (seed, replicate, number), so the same seed
//! gives the same numbers. The values at different lags share their tracks and are strongly correlated.
//!
//! Reference: Beltman, Marée & de Boer, Nature Reviews Immunology 9, 789 (2009).
//! Departure: none; on tracks without gaps it is the mean over all overlapping sub-tracks that celltrackR takes.

use super::curve::{MsdCurve, MsdPoint};
use super::track::{Track, Tracks};
use crate::images::natural_order;

/// How standard errors are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// How many sets of tracks are drawn; 0 for no standard errors.
    pub replicates: u32,
    /// The seed of the draws.
    pub seed: u64,
}

impl Default for Bootstrap {
    /// 1,000 replicates from seed 0: a standard error is known to about 2 % of itself.
    fn default() -> Self {
        Self { replicates: 1000, seed: 0 }
    }
}

/// Why no mean squared displacement can be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MsdError {
    /// Lags are counted from 1.
    #[error("no lags were asked for; ask for at least 1")]
    NoLags,
    /// No track is that long.
    #[error("no sub-track spans {lag} intervals; the longest track spans {longest}: ask for fewer lags")]
    TooLong {
        /// The lag that was asked for.
        lag: u32,
        /// The intervals the longest track spans.
        longest: u32,
    },
    /// No sub-track spans any of the lags asked for.
    #[error(
        "no sub-track spans 1 to {lags} intervals; the shortest spans {shortest}: ask for {shortest} lags or more"
    )]
    TooShort {
        /// The lags that were asked for.
        lags: u32,
        /// The intervals that the shortest sub-track spans.
        shortest: u32,
    },
}

/// Squared displacements of a track at each lag: their sum and number.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    squares: f64,
    count: u64,
}

/// How many lags are taken where nobody says: ten, or as many as the longest track spans.
pub fn usual_lags(tracks: &Tracks) -> u32 {
    const USUAL: u32 = 10;
    tracks.tracks().iter().map(Track::span).max().unwrap_or(1).clamp(1, USUAL)
}

/// The mean squared displacement of all tracks at lags 1 to `lags`, in squared units of length.
///
/// Lags that no sub-track spans are left out, and noted in the curve. Standard errors are left out where there is one
/// track only, or where fewer than half of the bootstrap's sets hold a sub-track of the lag.
///
/// # Errors
/// If `lags` is 0 or more than the longest track spans, or no sub-track spans any of the lags.
pub fn mean_squared_displacement(
    tracks: &Tracks,
    lags: u32,
    bootstrap: Bootstrap,
) -> Result<MsdCurve, MsdError> {
    if lags == 0 {
        return Err(MsdError::NoLags);
    }
    let longest = tracks.tracks().iter().map(Track::span).max().unwrap_or(0);
    if lags > longest {
        return Err(MsdError::TooLong { lag: lags, longest });
    }
    // By their ids, so that neither sums nor errors depend on the order of a table's rows.
    let mut ordered: Vec<&Track> = tracks.tracks().iter().collect();
    ordered.sort_by(|a, b| natural_order(a.id(), b.id()));
    let sums: Vec<Vec<Sums>> = ordered.into_iter().map(|t| sums_of(t, lags as usize)).collect();
    let total = |lag: usize| {
        sums.iter().fold(Sums::default(), |all, t| Sums {
            squares: all.squares + t[lag].squares,
            count: all.count + t[lag].count,
        })
    };
    let errors = standard_errors(&sums, lags as usize, bootstrap);
    let mut points = Vec::with_capacity(lags as usize);
    let mut missing = Vec::new();
    for (lag, error) in (1..=lags).zip(errors) {
        let Sums { squares, count } = total(lag as usize - 1);
        if count == 0 {
            missing.push(lag.to_string());
            continue;
        }
        points.push(MsdPoint {
            lag,
            value: squares / count as f64,
            standard_error: error,
            sub_tracks: Some(count),
        });
    }
    if points.is_empty() {
        let steps = tracks.tracks().iter().flat_map(|t| t.frames().windows(2).map(|w| w[1] - w[0]));
        return Err(MsdError::TooShort { lags, shortest: steps.min().unwrap_or(longest) });
    }
    let note = match missing.as_slice() {
        [] => None,
        [one] => Some(format!("no sub-track spans a lag of {one} intervals: it was left out")),
        several => {
            Some(format!("no sub-track spans lags of {} intervals: they were left out", several.join(", ")))
        }
    };
    Ok(MsdCurve::of_tracks(tracks, points, note))
}

fn sums_of(track: &Track, lags: usize) -> Vec<Sums> {
    let mut sums = vec![Sums::default(); lags];
    let (frames, positions) = (track.frames(), track.positions());
    for start in 0..frames.len() {
        for end in start + 1..frames.len() {
            let lag = (frames[end] - frames[start]) as usize;
            if lag > lags {
                break;
            }
            let square: f64 =
                positions[end].iter().zip(&positions[start]).map(|(a, b)| (a - b) * (a - b)).sum();
            sums[lag - 1].squares += square;
            sums[lag - 1].count += 1;
        }
    }
    sums
}

fn standard_errors(sums: &[Vec<Sums>], lags: usize, bootstrap: Bootstrap) -> Vec<Option<f64>> {
    let replicates = u64::from(bootstrap.replicates);
    if sums.len() < 2 || replicates < 2 {
        return vec![None; lags];
    }
    // Mean and summed squared deviations of MSD(n) over the replicates, one by one (Welford).
    let mut seen = vec![(0u64, 0.0f64, 0.0f64); lags];
    for replicate in 0..replicates {
        let mut drawn = vec![Sums::default(); lags];
        for number in 0..sums.len() as u64 {
            let track = &sums[draw(bootstrap.seed, replicate, number, sums.len())];
            for (all, one) in drawn.iter_mut().zip(track) {
                all.squares += one.squares;
                all.count += one.count;
            }
        }
        for ((n, mean, deviations), all) in seen.iter_mut().zip(&drawn).filter(|(_, all)| all.count > 0) {
            let value = all.squares / all.count as f64;
            *n += 1;
            let from_old = value - *mean;
            *mean += from_old / *n as f64;
            *deviations += from_old * (value - *mean);
        }
    }
    seen.into_iter()
        .map(|(n, _, deviations)| {
            (n >= 2 && 2 * n >= replicates).then(|| (deviations / (n - 1) as f64).sqrt())
        })
        .collect()
}

/// A number below `below`, uniform to 2⁻⁶⁴ · `below`: a pure function of its arguments.
fn draw(seed: u64, replicate: u64, number: u64, below: usize) -> usize {
    let bits = mix(mix(mix(seed).wrapping_add(replicate)).wrapping_add(number));
    ((u128::from(bits) * below as u128) >> 64) as usize
}

/// The step of SplitMix64 (Steele, Lea & Flood, OOPSLA 2014).
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::track::Units;
    use super::*;

    fn tracks(all: Vec<(Vec<u32>, Vec<f64>)>) -> Tracks {
        let tracks = all
            .into_iter()
            .enumerate()
            .map(|(i, (frames, x))| {
                let positions = x.into_iter().map(|x| [x, 2.0 * x, 0.0]).collect();
                Track::new(i.to_string(), 0.0, frames, positions).unwrap()
            })
            .collect();
        Tracks::new(tracks, 24.0, 2, Units::default(), vec![]).unwrap()
    }

    #[test]
    fn splitmix_gives_its_known_numbers() {
        // The first outputs of SplitMix64 from state 0, and from 1234567 (its reference implementation).
        assert_eq!(mix(0), 0xE220_A839_7B1D_CDAF);
        assert_eq!(mix(1_234_567), 6_457_827_717_110_365_317);
    }

    #[test]
    fn steady_motion_grows_with_the_square_of_the_lag() {
        let set = tracks(vec![(vec![0, 1, 2, 3], vec![0.0, 1.0, 2.0, 3.0])]);
        let curve = mean_squared_displacement(&set, 3, Bootstrap::default()).unwrap();
        for (n, p) in (1..).zip(curve.points()) {
            assert_eq!((p.lag, p.sub_tracks, p.standard_error), (n, Some(4 - u64::from(n)), None));
            assert!((p.value - 5.0 * f64::from(n * n)).abs() < 1e-12);
        }
    }

    #[test]
    fn gaps_count_at_the_time_they_span() {
        // Frame 2 is missing: pairs are 0–1, 0–3, 1–3, and of the second track 0–1.
        let set = tracks(vec![(vec![0, 1, 3], vec![0.0, 1.0, 5.0]), (vec![0, 1], vec![0.0, 3.0])]);
        let curve = mean_squared_displacement(&set, 3, Bootstrap { replicates: 0, seed: 0 }).unwrap();
        let values: Vec<_> = curve.points().iter().map(|p| (p.value / 5.0, p.sub_tracks)).collect();
        assert_eq!(values, [(5.0, Some(2)), (16.0, Some(1)), (25.0, Some(1))]);
    }

    #[test]
    fn lags_beyond_the_tracks_are_refused() {
        let set = tracks(vec![(vec![0, 2], vec![0.0, 1.0])]);
        let take = |lags| mean_squared_displacement(&set, lags, Bootstrap::default()).unwrap_err();
        assert_eq!(take(0), MsdError::NoLags);
        assert_eq!(take(1), MsdError::TooShort { lags: 1, shortest: 2 });
        assert_eq!(take(9), MsdError::TooLong { lag: 9, longest: 2 });
        assert_eq!(usual_lags(&set), 2);
    }

    #[test]
    fn lags_that_nobody_has_are_left_out_and_said() {
        let set = tracks(vec![(vec![0, 2, 5], vec![0.0, 1.0, 3.0]), (vec![0, 3], vec![0.0, 2.0])]);
        let curve = mean_squared_displacement(&set, 5, Bootstrap { replicates: 0, seed: 0 }).unwrap();
        let values: Vec<_> = curve.points().iter().map(|p| (p.lag, p.value / 5.0)).collect();
        assert_eq!(values, [(2, 1.0), (3, 4.0), (5, 9.0)]);
        assert_eq!(curve.notes(), ["no sub-track spans lags of 1, 4 intervals: they were left out"]);
    }

    #[test]
    fn the_bootstrap_finds_the_known_standard_error_of_a_mean() {
        // Tracks of one step each, of squared length 5 s: the MSD is 5 times the mean of s, so its bootstrap standard
        // error is 5 sd / √n, where sd divides by n. Over 4,000 replicates a standard deviation is known to
        // 1 / √8000 of itself for a nearly normal mean; four of that is a false alarm once in 15,000 seeds.
        let n = 50;
        let squares: Vec<f64> = (0..n).map(|i| f64::from(i % 10) + 1.0).collect();
        let set = tracks(squares.iter().map(|s| (vec![0, 1], vec![0.0, s.sqrt()])).collect());
        let mean = squares.iter().sum::<f64>() / f64::from(n);
        let variance = squares.iter().map(|s| (s - mean) * (s - mean)).sum::<f64>() / f64::from(n);
        let exact = 5.0 * (variance / f64::from(n)).sqrt();
        let bootstrap = Bootstrap { replicates: 4000, seed: 7 };
        let curve = mean_squared_displacement(&set, 1, bootstrap).unwrap();
        let error = curve.points()[0].standard_error.unwrap();
        assert!((error / exact - 1.0).abs() < 4.0 / 8000f64.sqrt(), "{error} {exact}");
        assert_eq!(mean_squared_displacement(&set, 1, bootstrap).unwrap(), curve);
        let other = mean_squared_displacement(&set, 1, Bootstrap { seed: 8, ..bootstrap }).unwrap();
        assert_ne!(other.points()[0].standard_error, curve.points()[0].standard_error);
        assert_eq!(other.points()[0].value.to_bits(), curve.points()[0].value.to_bits());
    }
}

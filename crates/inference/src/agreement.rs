//! Measures whether chains agree, and how many independent draws theirs are worth.
//!
//! R̂ is the greater of two: of ranks turned into normal numbers (chains elsewhere), and of those of the distances from
//! the median (chains of another width), each chain in two halves. Effective draws in bulk are those of the ranks, in the
//! tails the fewer of those of the draws below the 5 % and above the 95 % quantile.
//!
//! Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Bayesian Analysis 16, 667. Autocorrelations are summed as long as
//! pairs of them stay positive and fall (Geyer 1992, Statistical Science 7, 473). Of chains that never moved nothing is
//! known: NaN.

use glauber_statistics::tolerance::mean_within;

/// What is known of the draws of one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// How much wider all chains together are than each; 1 where they agree, above 1.01 not yet.
    pub rhat: f64,
    /// Effective draws for what is in the middle: means and medians.
    pub bulk: f64,
    /// Effective draws for what is at the ends: intervals.
    pub tail: f64,
    /// The standard error of the mean of the draws.
    pub error_of_mean: f64,
}

impl Agreement {
    /// Of the draws of some chains, each as long.
    pub fn of(chains: &[Vec<f64>]) -> Agreement {
        let halves = split(chains);
        let all: Vec<f64> = halves.concat();
        if all.len() < 8 || all.iter().any(|x| !x.is_finite()) {
            return Agreement { rhat: f64::NAN, bulk: f64::NAN, tail: f64::NAN, error_of_mean: f64::NAN };
        }
        let ranked = normal_ranks(&halves);
        let middle = quantile(&sorted(&all), 0.5);
        let folded: Vec<Vec<f64>> =
            halves.iter().map(|c| c.iter().map(|x| (x - middle).abs()).collect()).collect();
        let rhat = rhat(&ranked).max(self::rhat(&normal_ranks(&folded)));
        let order = sorted(&all);
        let below = |q: f64| {
            let cut = quantile(&order, q);
            let flags: Vec<Vec<f64>> =
                halves.iter().map(|c| c.iter().map(|x| f64::from(u8::from(*x <= cut))).collect()).collect();
            effective(&flags)
        };
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let variance = all.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (all.len() - 1) as f64;
        Agreement {
            rhat,
            bulk: effective(&ranked),
            tail: below(0.05).min(below(0.95)),
            error_of_mean: (variance / effective(&halves)).sqrt(),
        }
    }
}

/// The value below which a share of sorted numbers lies, between neighbours in proportion.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    let above = (below + 1).min(last);
    sorted[below] + part * (sorted[above] - sorted[below])
}

/// The numbers in order.
pub fn sorted(numbers: &[f64]) -> Vec<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Every chain in two halves; the middle draw of an odd number left out.
fn split(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let halves = |chain: &Vec<f64>| {
        let half = chain.len() / 2;
        [chain[..half].to_vec(), chain[chain.len() - half..].to_vec()]
    };
    chains.iter().flat_map(halves).collect()
}

/// Each number as the normal quantile of its rank among all, ties at their mean rank.
fn normal_ranks(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let (length, all) = (chains.first().map_or(0, Vec::len), chains.concat());
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by(|a, b| all[*a].total_cmp(&all[*b]));
    let mut normal = vec![0.0; all.len()];
    let mut first = 0;
    while first < order.len() {
        let mut end = first + 1;
        while end < order.len() && all[order[end]].total_cmp(&all[order[first]]).is_eq() {
            end += 1;
        }
        // The mean of the ranks first + 1 … end.
        let rank = 0.5 * (first + 1 + end) as f64;
        let value = normal_quantile((rank - 0.375) / (all.len() as f64 + 0.25));
        order[first..end].iter().for_each(|place| normal[*place] = value);
        first = end;
    }
    normal.chunks(length.max(1)).map(<[f64]>::to_vec).collect()
}

fn normal_quantile(p: f64) -> f64 {
    if p < 0.5 { -mean_within(1.0, 2.0 * p) } else { mean_within(1.0, 2.0 * (1.0 - p)) }
}

/// Mean and variance (of n − 1) of each chain.
fn moments(chains: &[Vec<f64>]) -> Vec<(f64, f64)> {
    let moment = |chain: &Vec<f64>| {
        let n = chain.len() as f64;
        // A chain that stands still has no variance, not even by rounding.
        if let Some(first) = chain.first().filter(|first| chain.iter().all(|x| x.total_cmp(first).is_eq())) {
            return (*first, 0.0);
        }
        let mean = chain.iter().sum::<f64>() / n;
        (mean, chain.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0))
    };
    chains.iter().map(moment).collect()
}

/// The variance within chains and that of all: W and V⁺.
fn variances(chains: &[Vec<f64>]) -> (f64, f64) {
    let (m, n) = (chains.len() as f64, chains.first().map_or(0, Vec::len) as f64);
    let moments = moments(chains);
    let within = moments.iter().map(|(_, v)| v).sum::<f64>() / m;
    let middle = moments.iter().map(|(mean, _)| mean).sum::<f64>() / m;
    let between = match moments.len() {
        0 | 1 => 0.0,
        _ => moments.iter().map(|(mean, _)| (mean - middle) * (mean - middle)).sum::<f64>() / (m - 1.0),
    };
    (within, (n - 1.0) / n * within + between)
}

fn rhat(chains: &[Vec<f64>]) -> f64 {
    let (within, all) = variances(chains);
    // Chains that stand still, each elsewhere, do not agree; all at one place tell nothing.
    if within > 0.0 {
        (all / within).sqrt()
    } else if all > 0.0 {
        f64::INFINITY
    } else {
        f64::NAN
    }
}

fn effective(chains: &[Vec<f64>]) -> f64 {
    let (m, n) = (chains.len(), chains.first().map_or(0, Vec::len));
    let (within, all) = variances(chains);
    if all.is_nan() || all <= 0.0 || n < 4 {
        return f64::NAN;
    }
    let moments = moments(chains);
    let correlation = |lag: usize| {
        let covariance: f64 = chains
            .iter()
            .zip(&moments)
            .map(|(c, (mean, _))| {
                c[..n - lag].iter().zip(&c[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>()
                    / n as f64
            })
            .sum();
        // Of variances over n − 1, as W is.
        1.0 - (within - covariance / m as f64 * (n as f64 / (n as f64 - 1.0))) / all
    };
    let (mut sum, mut least) = (0.0, f64::INFINITY);
    let mut lag = 0;
    while lag + 1 < n {
        let first = if lag == 0 { 1.0 } else { correlation(lag) };
        let pair = first + correlation(lag + 1);
        if pair <= 0.0 {
            break;
        }
        least = least.min(pair);
        sum += least;
        lag += 2;
    }
    let total = (m * n) as f64;
    // Draws against one another may be worth more than as many independent ones, but not without end.
    let time = (2.0 * sum - 1.0).max(1.0 / libm::log10(total));
    total / time
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // Exact numbers are meant.
mod tests {
    use super::*;
    use crate::draws::Draws;
    use glauber_numbers::noise::Purpose;

    fn walks(chains: usize, length: usize, keep: f64, apart: f64) -> Vec<Vec<f64>> {
        let one = |chain: usize| {
            let mut x = 0.0;
            let mut walk = Vec::with_capacity(length);
            for step in 0..length + 100 {
                let z = Draws::new(3, Purpose::PosteriorMoves, chain, step as u64).normal(0);
                x = keep * x + (1.0 - keep * keep).sqrt() * z;
                if step >= 100 {
                    walk.push(x + apart * chain as f64);
                }
            }
            walk
        };
        (0..chains).map(one).collect()
    }

    #[test]
    fn independent_draws_count_each_and_correlated_ones_less() {
        let free = Agreement::of(&walks(4, 1000, 0.0, 0.0));
        // The number of effective draws is itself known to some per cent.
        assert!(free.rhat < 1.01 && (3000.0..5500.0).contains(&free.bulk), "{free:?}");
        assert!((2800.0..5500.0).contains(&free.tail), "{free:?}");
        // An autoregressive walk: n (1 − k) / (1 + k) = 4000 / 9.
        let slow = Agreement::of(&walks(4, 1000, 0.8, 0.0));
        assert!((330.0..580.0).contains(&slow.bulk), "{slow:?}");
        assert!((slow.error_of_mean - 1.0 / slow.bulk.sqrt()).abs() < 0.3 / slow.bulk.sqrt(), "{slow:?}");
    }

    #[test]
    fn chains_apart_or_of_other_width_do_not_agree() {
        assert!(Agreement::of(&walks(4, 500, 0.0, 0.5)).rhat > 1.1);
        let mut wide = walks(4, 500, 0.0, 0.0);
        wide[0].iter_mut().for_each(|x| *x *= 4.0);
        assert!(Agreement::of(&wide).rhat > 1.05);
        let stuck: Vec<Vec<f64>> = (0..4).map(|c| vec![f64::from(c); 100]).collect();
        assert_eq!(Agreement::of(&stuck).rhat, f64::INFINITY);
        let same = vec![vec![1.0; 100]; 4];
        assert!(Agreement::of(&same).rhat.is_nan());
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(quantile(&[1.0], 0.3), 1.0);
        assert!(quantile(&[], 0.3).is_nan());
    }
}

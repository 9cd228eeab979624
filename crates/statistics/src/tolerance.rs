//! Computes how far a random result may lie from what it should be, from sample sizes and a false-alarm rate.
//!
//! Every statistical test takes its bounds from here: nobody picks a "5 %". The false-alarm rate α is the
//! probability that a correct program fails the test; 0.001 is usual for one test at a pinned seed, [`shared`] among
//! several checks. Bounds are two-sided with α/2 on each side unless said. An α outside (0, 1), or parameters for
//! which no distribution exists, give NaN, with which every comparison fails.
//!
//! | question                                       | function                      | exact?                          |
//! |------------------------------------------------|-------------------------------|---------------------------------|
//! | is a mean right, its standard error known?     | [`mean_within`]               | by the central limit theorem    |
//! | is a mean right, its error from the sample?    | [`mean_within_estimated`]     | for normal data                 |
//! | is a count of successes right?                 | [`successes_within`]          | yes                             |
//! | is a Poisson count right?                      | [`poisson_within`]            | yes                             |
//! | is a variance right?                           | [`variance_ratio_within`]     | for normal data                 |
//! | do counts follow their expectations?           | [`chi_square_below`]          | for expectations of 5 and more  |
//! | does a sample follow its distribution?         | [`kolmogorov_smirnov_below`]  | an upper bound (Massart 1990)   |
//!
//! ```
//! use glauber_statistics::tolerance::{mean_within, successes_within};
//! // 10,000 fair coins: between 4835 and 5165 heads, but for one run in a thousand.
//! let heads = successes_within(10_000, 0.5, 0.001);
//! assert_eq!(heads, 4835..=5165);
//! // The same by the normal law: the half width of the mean.
//! let half_width = mean_within((0.25f64 / 10_000.0).sqrt(), 0.001);
//! assert!((half_width - 0.016453).abs() < 1e-6);
//! ```

use std::ops::RangeInclusive;

/// The false-alarm rate of each of `checks` checks that together may raise one with probability `false_alarm`
/// (Bonferroni: right whether or not they depend on each other).
pub fn shared(false_alarm: f64, checks: usize) -> f64 {
    false_alarm / checks.max(1) as f64
}

/// Half width about the true value within which a mean with this standard error lies: z(1 − α/2) · SE.
pub fn mean_within(standard_error: f64, false_alarm: f64) -> f64 {
    if is_rate(false_alarm) { standard_error * normal_quantile_above(false_alarm / 2.0) } else { f64::NAN }
}

/// Half width about the true value within which the mean of `count` normal numbers lies, whose standard deviation
/// `sd` was found from themselves: t(1 − α/2; count − 1) · sd / √count. NaN for fewer than two.
pub fn mean_within_estimated(count: usize, sd: f64, false_alarm: f64) -> f64 {
    if count < 2 || !is_rate(false_alarm) {
        return f64::NAN;
    }
    let freedom = (count - 1) as f64;
    // P(|T| > t) = I_x(ν/2, 1/2) with x = ν / (ν + t²), which falls as t grows.
    let tail = |t: f64| beta_ratio(freedom / 2.0, 0.5, freedom / (freedom + t * t));
    smallest(0.0, 1e9, |t| tail(t) <= false_alarm) * sd / (count as f64).sqrt()
}

/// The counts of successes in `trials` independent trials of probability `p` that are no alarm: outside them lies
/// at most α/2 on each side. Exact.
pub fn successes_within(trials: u64, p: f64, false_alarm: f64) -> RangeInclusive<u64> {
    if !is_rate(false_alarm) || !(0.0..=1.0).contains(&p) {
        return none();
    }
    // P(X ≤ k) = I_{1−p}(n − k, k + 1); P(X ≥ k) = I_p(k, n − k + 1).
    let at_most =
        |k: u64| if k >= trials { 1.0 } else { beta_ratio((trials - k) as f64, k as f64 + 1.0, 1.0 - p) };
    let at_least = |k: u64| if k == 0 { 1.0 } else { beta_ratio(k as f64, (trials - k) as f64 + 1.0, p) };
    let lowest = first(trials, |k| at_most(k) > false_alarm / 2.0);
    // The first k whose upper tail is improbable; one less is still allowed.
    let highest = if at_least(trials) > false_alarm / 2.0 {
        trials
    } else {
        first(trials, |k| at_least(k) <= false_alarm / 2.0).saturating_sub(1)
    };
    lowest..=highest
}

/// The Poisson counts of mean `mean` that are no alarm, at most α/2 outside on each side. Exact.
pub fn poisson_within(mean: f64, false_alarm: f64) -> RangeInclusive<u64> {
    let possible = mean > 0.0 && mean < 1e15;
    if !is_rate(false_alarm) || !possible {
        return none();
    }
    // P(X ≤ k) = Q(k + 1, mean); P(X ≥ k) = P(k, mean).
    let most = (mean + 100.0 * mean.sqrt() + 1000.0) as u64;
    let lowest = first(most, |k| gamma_above(k as f64 + 1.0, mean) > false_alarm / 2.0);
    let beyond = first(most, |k| k > 0 && 1.0 - gamma_above(k as f64, mean) <= false_alarm / 2.0);
    lowest..=beyond.saturating_sub(1)
}

/// The smallest and largest ratio of a sample's variance (divided by count − 1) to the true one, for `count` normal
/// numbers. NaN for fewer than two.
pub fn variance_ratio_within(count: usize, false_alarm: f64) -> RangeInclusive<f64> {
    if count < 2 || !is_rate(false_alarm) {
        return f64::NAN..=f64::NAN;
    }
    let freedom = (count - 1) as f64;
    let highest = chi_square_quantile_above(freedom, false_alarm / 2.0);
    let lowest = chi_square_quantile_above(freedom, 1.0 - false_alarm / 2.0);
    lowest / freedom..=highest / freedom
}

/// Σ (observed − expected)² / expected. Cells with an expectation of 0 count as infinite where something was seen.
pub fn chi_square(observed: &[u64], expected: &[f64]) -> f64 {
    let terms = observed.iter().zip(expected).map(|(&seen, &right)| {
        let off = seen as f64 - right;
        if right > 0.0 { off * off / right } else { if seen == 0 { 0.0 } else { f64::INFINITY } }
    });
    terms.sum()
}

/// The bound that a [`chi_square`] of so many degrees of freedom (cells minus fitted totals) exceeds with
/// probability α (one-sided). Expectations should be 5 or more.
pub fn chi_square_below(freedom: usize, false_alarm: f64) -> f64 {
    if freedom == 0 || !is_rate(false_alarm) {
        return f64::NAN;
    }
    chi_square_quantile_above(freedom as f64, false_alarm)
}

/// The largest distance between a sample's distribution function and the given one (Kolmogorov–Smirnov). The sample
/// is sorted in place. For a discrete law too: pass P(X ≤ x) and, as `before`, P(X < x).
pub fn kolmogorov_smirnov(
    sample: &mut [f64],
    before: impl Fn(f64) -> f64,
    up_to: impl Fn(f64) -> f64,
) -> f64 {
    sample.sort_by(f64::total_cmp);
    let count = sample.len() as f64;
    let mut most: f64 = 0.0;
    let mut start = 0;
    while start < sample.len() {
        let value = sample[start];
        let end = start + sample[start..].iter().take_while(|x| x.total_cmp(&value).is_eq()).count();
        let (below, reached) = (start as f64 / count - before(value), end as f64 / count - up_to(value));
        if below.is_nan() || reached.is_nan() {
            return f64::NAN;
        }
        most = most.max(below.abs()).max(reached.abs());
        start = end;
    }
    most
}

/// The bound that a [`kolmogorov_smirnov`] distance of `count` independent numbers exceeds with probability at most
/// α: √(ln(2/α) / 2n), the Dvoretzky–Kiefer–Wolfowitz inequality with the constant of Massart (1990).
pub fn kolmogorov_smirnov_below(count: usize, false_alarm: f64) -> f64 {
    if !is_rate(false_alarm) {
        return f64::NAN;
    }
    (libm::log(2.0 / false_alarm) / (2.0 * count as f64)).sqrt()
}

/// The mean of a sample and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleMean {
    /// How many numbers.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation (divided by count − 1).
    pub sd: f64,
}

impl SampleMean {
    /// Of these numbers; NaN where there are too few.
    pub fn of(sample: &[f64]) -> SampleMean {
        let count = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / count;
        let squares: f64 = sample.iter().map(|x| (x - mean) * (x - mean)).sum();
        SampleMean { count: sample.len(), mean, sd: (squares / (count - 1.0)).sqrt() }
    }

    /// sd / √count.
    pub fn standard_error(&self) -> f64 {
        self.sd / (self.count as f64).sqrt()
    }

    /// Whether the mean is as near to `right` as it is but with probability α.
    pub fn agrees_with(&self, right: f64, false_alarm: f64) -> bool {
        (self.mean - right).abs() <= mean_within_estimated(self.count, self.sd, false_alarm)
    }
}

fn is_rate(false_alarm: f64) -> bool {
    false_alarm > 0.0 && false_alarm < 1.0
}

/// A range with nothing in it.
fn none() -> RangeInclusive<u64> {
    RangeInclusive::new(1, 0)
}

/// The number that a standard normal one exceeds with probability `above`, at most ½.
fn normal_quantile_above(above: f64) -> f64 {
    smallest(0.0, 40.0, |z| 0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2) <= above)
}

fn chi_square_quantile_above(freedom: f64, above: f64) -> f64 {
    let most = freedom + 40.0 * (2.0 * freedom).sqrt() + 2000.0;
    smallest(0.0, most, |x| gamma_above(freedom / 2.0, x / 2.0) <= above)
}

/// The smallest number in [low, high] from which on a property holds, by bisection to the last bit.
fn smallest(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return high;
        }
        if holds(middle) { high = middle } else { low = middle }
    }
}

/// The smallest whole number up to `most` from which on a property holds; `most` where none does.
fn first(most: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

/// Q(a, x): the upper part of the gamma integral, a > 0. Series below the bend, Lentz's continued fraction above
/// (Press et al., *Numerical Recipes*, §6.2, gives both formulas).
fn gamma_above(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let front = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * f64::EPSILON * 0.5 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return (1.0 - front * sum).max(0.0);
    }
    let step = |i: f64| (i * (a - i), x - a + 1.0 + 2.0 * i);
    front / lentz(x - a + 1.0, step)
}

/// I_x(a, b): the regularised incomplete beta integral, a, b > 0 (same source, §6.4).
fn beta_ratio(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_ratio(b, a, 1.0 - x);
    }
    let ln_front =
        libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log1p(-x);
    let step = |i: f64| {
        // Coefficients d_{2m} and d_{2m+1} of the fraction 1 / (1 + d₁ / (1 + d₂ / …)).
        let m = (i / 2.0).floor();
        let d = if (i / 2.0 - m).abs() < 0.25 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        (d, 1.0)
    };
    libm::exp(ln_front) / (a * lentz(1.0, step))
}

/// b₀ + a₁ / (b₁ + a₂ / (b₂ + …)) with (aᵢ, bᵢ) from `step`, by the modified Lentz method.
fn lentz(b0: f64, step: impl Fn(f64) -> (f64, f64)) -> f64 {
    const TINY: f64 = 1e-300;
    const MOST: u32 = 1_000_000;
    let away = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut value = away(b0);
    let (mut c, mut d) = (value, 0.0);
    for i in 1..MOST {
        let (numerator, denominator) = step(f64::from(i));
        d = 1.0 / away(denominator + numerator * d);
        c = away(denominator + numerator / c);
        value *= c * d;
        if (c * d - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, right: f64) {
        assert!((found / right - 1.0).abs() < 1e-9, "{found} instead of {right}");
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        close(mean_within(1.0, 0.05), 1.959_963_984_540_054);
        close(mean_within(2.0, 0.001), 2.0 * 3.290_526_731_491_898);
        close(mean_within(1.0, 1e-9), 6.109_410_205_8);
        close(chi_square_below(1, 0.05), 3.841_458_820_694_124);
        close(chi_square_below(10, 0.001), 29.588_298_445_074_42);
        close(chi_square_below(100, 0.01), 135.806_723_204_26);
        close(mean_within_estimated(11, 11f64.sqrt(), 0.05), 2.228_138_851_964_939);
        close(mean_within_estimated(2, 2f64.sqrt(), 0.05), 12.706_204_736_432_1);
        // For many degrees of freedom ν: t = z + (z³ + z) / 4ν.
        let (z, freedom) = (1.959_963_984_540_054f64, 1e6);
        let t = z + (z.powi(3) + z) / (4.0 * freedom);
        close(mean_within_estimated(1_000_001, (freedom + 1.0).sqrt(), 0.05), t);
        close(kolmogorov_smirnov_below(1000, 0.001), (7.600_902_459_542_082f64 / 2000.0).sqrt());
    }

    #[test]
    fn binomial_bounds_are_those_of_the_summed_probabilities() {
        for (trials, p) in [(1u64, 0.5), (10, 0.5), (10, 0.01), (50, 0.3), (200, 0.999), (300, 0.2)] {
            let mut mass = vec![0.0; trials as usize + 1];
            for k in 0..=trials {
                let (n, x) = (trials as f64, k as f64);
                let ways = libm::lgamma(n + 1.0) - libm::lgamma(x + 1.0) - libm::lgamma(n - x + 1.0);
                mass[k as usize] = libm::exp(ways + x * libm::log(p) + (n - x) * libm::log1p(-p));
            }
            for alarm in [0.1, 0.01, 1e-4] {
                let range = successes_within(trials, p, alarm);
                let (low, high) = (*range.start() as usize, *range.end() as usize);
                let below = |k: usize| mass[..k].iter().sum::<f64>();
                let above = |k: usize| mass[k + 1..].iter().sum::<f64>();
                assert!(
                    below(low) <= alarm / 2.0 && above(high) <= alarm / 2.0,
                    "{trials} {p} {alarm} {range:?}"
                );
                assert!(below(low + 1) > alarm / 2.0, "{trials} {p} {alarm} {range:?} is too wide below");
                assert!(
                    high == 0 || above(high - 1) > alarm / 2.0,
                    "{trials} {p} {alarm} {range:?} is too wide above"
                );
            }
        }
        assert_eq!(successes_within(10, 0.0, 0.01), 0..=0);
        assert_eq!(successes_within(10, 1.0, 0.01), 10..=10);
    }

    #[test]
    fn poisson_bounds_are_those_of_the_summed_probabilities() {
        for mean in [0.01, 0.5, 3.0, 40.0] {
            let mass: Vec<f64> = (0..400)
                .map(|k| libm::exp(f64::from(k) * libm::log(mean) - mean - libm::lgamma(f64::from(k) + 1.0)))
                .collect();
            for alarm in [0.1, 0.001] {
                let range = poisson_within(mean, alarm);
                let (low, high) = (*range.start() as usize, *range.end() as usize);
                assert!(mass[..low].iter().sum::<f64>() <= alarm / 2.0, "{mean} {alarm} {range:?}");
                assert!(mass[..=low].iter().sum::<f64>() > alarm / 2.0, "{mean} {alarm} {range:?}");
                assert!(mass[high + 1..].iter().sum::<f64>() <= alarm / 2.0, "{mean} {alarm} {range:?}");
                assert!(
                    high == 0 || mass[high..].iter().sum::<f64>() > alarm / 2.0,
                    "{mean} {alarm} {range:?}"
                );
            }
        }
    }

    #[test]
    fn variances_have_their_chi_square_bounds() {
        // χ²(10): 2.5 % 3.2470, 97.5 % 20.4832.
        let range = variance_ratio_within(11, 0.05);
        assert!(
            (range.start() - 0.324_70).abs() < 1e-5 && (range.end() - 2.048_32).abs() < 1e-5,
            "{range:?}"
        );
    }

    #[test]
    fn a_wrong_rate_lets_nothing_pass() {
        for alarm in [0.0, 1.0, -1.0, f64::NAN] {
            assert!(mean_within(1.0, alarm).is_nan());
            assert!(chi_square_below(3, alarm).is_nan());
            assert!(kolmogorov_smirnov_below(3, alarm).is_nan());
            assert!(successes_within(10, 0.5, alarm).is_empty());
            assert!(poisson_within(3.0, alarm).is_empty());
            assert!(!SampleMean::of(&[1.0, 2.0]).agrees_with(1.5, alarm));
        }
        assert!(successes_within(10, 1.5, 0.01).is_empty());
    }

    #[test]
    fn the_alarm_rings_as_often_as_it_says() {
        // 4000 means of 50 uniform numbers, each tested at α = 0.05 by Student's bound; the number of alarms is
        // itself binomial.
        let mut x = 12345u64;
        let mut unit = || {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (x >> 11) as f64 / (1u64 << 53) as f64
        };
        let (mut means, mut distances) = (0, 0);
        for _ in 0..4000 {
            let mut sample: Vec<f64> = (0..50).map(|_| unit()).collect();
            means += u64::from(!SampleMean::of(&sample).agrees_with(0.5, 0.05));
            let distance = kolmogorov_smirnov(&mut sample, |x| x, |x| x);
            distances += u64::from(distance > kolmogorov_smirnov_below(50, 0.05));
        }
        assert!(successes_within(4000, 0.05, 0.001).contains(&means), "{means}");
        // The inequality is an upper bound; at n = 50 the true rate is near 0.04.
        assert!(distances <= *successes_within(4000, 0.05, 0.001).end() && distances >= 80, "{distances}");
    }

    #[test]
    fn statistics_by_hand() {
        close(chi_square(&[12, 8], &[10.0, 10.0]), 0.8);
        assert!(chi_square(&[1], &[0.0]).is_infinite());
        let uniform = |x: f64| x;
        close(kolmogorov_smirnov(&mut [0.9, 0.8], uniform, uniform), 0.8);
        // All mass at 1 where a fair coin is claimed.
        let (before, up_to) =
            (|x: f64| if x > 0.5 { 0.5 } else { 0.0 }, |x: f64| if x > 0.5 { 1.0 } else { 0.5 });
        close(kolmogorov_smirnov(&mut [1.0; 4], before, up_to), 0.5);
        assert!(kolmogorov_smirnov(&mut [f64::NAN], uniform, uniform).is_nan());
        close(shared(0.001, 10), 1e-4);
    }
}

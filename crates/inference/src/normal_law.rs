//! Gives the normal density of what was seen from n simulations, whose mean m and covariance S are themselves uncertain.
//!
//! Put in place of the true ones, m and S bend ln p: S⁻¹ is too large by (n − 1)/(n − d − 2) in the mean, so that a likelihood
//! from few simulations is too narrow. Two estimators are right in the mean, one in the logarithm, one in the density:
//!
//! ln p̂ = −½ (q + ln det S − b + d ln 2π), q = zᵀS⁻¹z − (t₁ zᵀS⁻¹CS⁻¹z + zᵀS⁻¹CS⁻¹CS⁻¹z)/(n − 1) − t₁/n, z = y − m
//!
//! p̂ = c |I − A⁻¹ TᵀG⁻¹T|^((n − k − d − 2)/2) / |A|^(k/2), A = (n − 1) C; 0 where the matrix is not positive
//!
//! | symbol | meaning |
//! |---|---|
//! | C, V | covariance of the simulations; the variances of noise about them, which are known: S = C + V |
//! | t₁, t₂ | traces of S⁻¹C and of its square: d without noise, and q is then zᵀS⁻¹z (n − d − 2)/(n − 1) − d/n |
//! | b | the bias of ln det S: Σᵢ ψ((n − i)/2) − ln((n − 1)/2) over d numbers, times (t₁² + t₂)/(d² + d) |
//! | T, G | what k runs show beyond m, row by row; I − 1/n |
//!
//! Of means of r runs S is a r-th; z, T and G are scaled with it. The first serves whatever takes means of ln p̂ (quadratics
//! fitted to it); the second whatever needs p̂ itself (pseudo-marginal walks). Both are exact for normal simulations without V;
//! the first with V to the order 1/n. From fewer than three simulations a number, both give way to correlations drawn towards
//! 0 by the share that minimises their expected squared error, and nothing is set right.
//!
//! References: Ghurye & Olkin 1969, Ann. Math. Stat. 40, 1261; Price, Drovandi, Lee & Nott 2018, J. Comput. Graph. Stat. 27, 1
//! (their estimators are those here for one run); Schäfer & Strimmer 2005, Stat. Appl. Genet. Mol. Biol. 4, 32 (shrinkage).

use rayon::prelude::*;

/// Which of the two is to be right in the mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// ln p̂.
    Logarithm,
    /// p̂.
    Density,
}

/// Simulations for each number from which on nothing is drawn towards 0.
pub(crate) const ENOUGH: usize = 3;

/// The normal law of simulations, as far as they tell it.
pub(crate) struct NormalLaw {
    simulations: f64,
    /// The numbers that vary, and the means of all that were asked for.
    varied: Vec<usize>,
    means: Vec<f64>,
    /// C, and what is added to its diagonal.
    covariance: Vec<f64>,
    noise: Vec<f64>,
    shrunk: bool,
    /// How many runs a number that was seen is the mean of.
    mean_of: f64,
}

impl NormalLaw {
    /// Of simulations (rows of numbers, of which those at the places `open` are asked for) with the variances of noise about
    /// them.
    pub(crate) fn of(rows: &[Vec<f64>], open: &[usize], noise: &[f64], mean_of: f64) -> NormalLaw {
        let m = rows.len() as f64;
        let means: Vec<f64> = open.iter().map(|k| rows.iter().map(|row| row[*k]).sum::<f64>() / m).collect();
        let variance = |(k, mean): (&usize, &f64)| {
            rows.iter().map(|row| (row[*k] - mean).powi(2)).sum::<f64>() / (m - 1.0)
        };
        let deviations: Vec<f64> = open.iter().zip(&means).map(|own| variance(own).sqrt()).collect();
        let varies = |i: &usize| deviations[*i].powi(2) + noise[open[*i]] > 1e-18 * means[*i].abs().max(1.0);
        let varied: Vec<usize> = (0..open.len()).filter(varies).collect();
        let d = varied.len();
        // Standardised simulations, by number.
        let standardised = |i: &usize| -> Vec<f64> {
            let scale = if deviations[*i] > 0.0 { 1.0 / deviations[*i] } else { 0.0 };
            rows.iter().map(|row| (row[open[*i]] - means[*i]) * scale).collect()
        };
        let columns: Vec<Vec<f64>> = varied.iter().map(standardised).collect();
        // Correlations, and the sums that say how far they may be trusted.
        let pair = |place: usize| {
            let (i, j) = (place / d, place % d);
            if j >= i {
                return (0.0, 0.0);
            }
            let products = columns[i].iter().zip(&columns[j]).map(|(a, b)| a * b);
            let (sum, squares) = products.fold((0.0, 0.0), |(s, q), p| (s + p, q + p * p));
            (sum / (m - 1.0), m / (m - 1.0).powi(3) * (squares - sum * sum / m))
        };
        let pairs: Vec<(f64, f64)> = (0..d * d).into_par_iter().with_min_len(64).map(pair).collect();
        let (doubt, size) = pairs.iter().fold((0.0, 0.0), |(v, s), (r, own)| (v + own, s + r * r));
        let shrunk = rows.len() < ENOUGH * d;
        let share = if shrunk && size > 0.0 { 1.0 - (doubt / size).clamp(0.0, 1.0) } else { 1.0 };
        let mut covariance = vec![0.0; d * d];
        for i in 0..d {
            let own = deviations[varied[i]];
            covariance[i * d + i] = own * own;
            for j in 0..i {
                let value = share * pairs[i * d + j].0 * own * deviations[varied[j]];
                covariance[i * d + j] = value;
                covariance[j * d + i] = value;
            }
        }
        let noise = varied.iter().map(|i| noise[open[*i]]).collect();
        NormalLaw { simulations: m, varied, means, covariance, noise, shrunk, mean_of }
    }

    /// ln p̂ of several runs together; −∞ where a number that nothing varies is another in them.
    pub(crate) fn ln_density(&self, runs: &[Vec<f64>], right: Right) -> f64 {
        let off = |run: &Vec<f64>| -> Vec<f64> { run.iter().zip(&self.means).map(|(y, m)| y - m).collect() };
        let beyond: Vec<Vec<f64>> = runs.iter().map(off).collect();
        let still = |i: &usize| !self.varied.contains(i);
        let bad = |i: usize| beyond.iter().any(|run| run[i].abs() > 1e-9 * self.means[i].abs().max(1.0));
        if (0..self.means.len()).filter(still).any(bad) {
            return f64::NEG_INFINITY;
        }
        if self.varied.is_empty() {
            return 0.0;
        }
        let beyond: Vec<Vec<f64>> =
            beyond.iter().map(|run| self.varied.iter().map(|i| run[*i]).collect()).collect();
        let (n, k, d) = (self.simulations, runs.len() as f64, self.varied.len() as f64);
        let known = self.noise.iter().any(|v| *v > 0.0);
        let apart = n - 1.0 - k >= d && n > self.mean_of * k;
        let found = match right {
            Right::Density if !known && !self.shrunk && apart => self.density(&beyond),
            _ => self.logarithm(&beyond),
        };
        found.unwrap_or(f64::NEG_INFINITY)
    }

    /// The mean-unbiased logarithm, summed over runs.
    fn logarithm(&self, beyond: &[Vec<f64>]) -> Option<f64> {
        let (n, r, d) = (self.simulations, self.mean_of, self.varied.len());
        let mut s = self.covariance.clone();
        (0..d).for_each(|i| s[i * d + i] += self.noise[i]);
        let root = Root::of(s, d)?;
        let [first, second] = match self.shrunk {
            true => [0.0; 2],
            false => root.traces(&self.noise),
        };
        let wide = d as f64;
        let full = (1..=d).map(|i| digamma(0.5 * (n - i as f64)) - (0.5 * (n - 1.0)).ln()).sum::<f64>();
        let bias = if first > 0.0 { full * (first * first + second) / (wide * wide + wide) } else { 0.0 };
        let log_determinant = root.log_determinant() - bias - wide * r.ln();
        let one = |z: &Vec<f64>| {
            let w = root.solved(z);
            let plain = dot(z, &w);
            let mut square = plain;
            if first > 0.0 {
                let u: Vec<f64> = self.covariance.chunks(d).map(|row| dot(row, &w)).collect();
                square -= (first * dot(&w, &u) + dot(&u, &root.solved(&u))) / (n - 1.0) + first / n;
            }
            -0.5 * (r * square + log_determinant + wide * std::f64::consts::TAU.ln())
        };
        Some(beyond.iter().map(one).sum())
    }

    /// The logarithm of the mean-unbiased density of all runs together.
    fn density(&self, beyond: &[Vec<f64>]) -> Option<f64> {
        let (n, r, d, k) = (self.simulations, self.mean_of, self.varied.len(), beyond.len());
        let a = self.covariance.iter().map(|c| (n - 1.0) * c).collect();
        let root = Root::of(a, d)?;
        let solved: Vec<Vec<f64>> = beyond.iter().map(|z| root.solved(z)).collect();
        let mut inner = vec![0.0; k * k];
        for i in 0..k {
            for j in 0..k {
                let own = if i == j { 1.0 } else { 0.0 };
                inner[i * k + j] = own - r / n - r * dot(&beyond[i], &solved[j]);
            }
        }
        let (wide, runs) = (d as f64, k as f64);
        let left = (1.0 - r * runs / n).ln();
        let inner = Root::of(inner, k)?.log_determinant() - left;
        let gammas = |x: f64| (0..d).map(|i| libm::lgamma(x - 0.5 * i as f64)).sum::<f64>();
        Some(
            -0.5 * wide * left
                + 0.5 * wide * runs * (r.ln() - std::f64::consts::PI.ln())
                + gammas(0.5 * (n - 1.0))
                - gammas(0.5 * (n - 1.0 - runs))
                - 0.5 * runs * root.log_determinant()
                + 0.5 * (n - runs - wide - 2.0) * inner,
        )
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Cholesky's root of a positive matrix, row by row.
struct Root {
    l: Vec<f64>,
    d: usize,
}

impl Root {
    /// Nothing where it is not positive.
    fn of(mut s: Vec<f64>, d: usize) -> Option<Root> {
        // Perfectly correlated numbers are told apart by rounding alone: a trifle on the diagonal bears them.
        (0..d).for_each(|i| s[i * d + i] *= 1.0 + 1e-9);
        for i in 0..d {
            for j in 0..=i {
                let rest = s[i * d + j] - dot(&s[i * d..i * d + j], &s[j * d..j * d + j]);
                if i == j {
                    if rest.is_nan() || rest <= 0.0 {
                        return None;
                    }
                    s[i * d + i] = rest.sqrt();
                } else {
                    s[i * d + j] = rest / s[j * d + j];
                }
            }
        }
        Some(Root { l: s, d })
    }

    fn log_determinant(&self) -> f64 {
        (0..self.d).map(|i| 2.0 * self.l[i * self.d + i].ln()).sum()
    }

    fn solved(&self, x: &[f64]) -> Vec<f64> {
        let (d, l) = (self.d, &self.l);
        let mut y = x.to_vec();
        for i in 0..d {
            y[i] = (y[i] - dot(&l[i * d..i * d + i], &y[..i])) / l[i * d + i];
        }
        for i in (0..d).rev() {
            y[i] /= l[i * d + i];
            for j in 0..i {
                y[j] -= l[i * d + j] * y[i];
            }
        }
        y
    }

    /// Of S⁻¹C and its square, where C is S less these variances.
    fn traces(&self, noise: &[f64]) -> [f64; 2] {
        let d = self.d;
        let noisy: Vec<usize> = (0..d).filter(|i| noise[*i] > 0.0).collect();
        let column = |i: &usize| {
            let mut unit = vec![0.0; d];
            unit[*i] = 1.0;
            self.solved(&unit)
        };
        let columns: Vec<Vec<f64>> = noisy.par_iter().map(column).collect();
        let (mut first, mut second) = (d as f64, d as f64);
        for (i, column) in noisy.iter().zip(&columns) {
            first -= noise[*i] * column[*i];
            second -= 2.0 * noise[*i] * column[*i];
            second += noisy.iter().map(|j| noise[*i] * noise[*j] * column[*j].powi(2)).sum::<f64>();
        }
        [first.max(0.0), second.max(0.0)]
    }
}

/// The derivative of ln Γ at a positive number: by recurrence beyond 6, there by its series.
fn digamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 6.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    sum + x.ln()
        - 0.5 / x
        - y * (1.0 / 12.0 - y * (1.0 / 120.0 - y * (1.0 / 252.0 - y * (1.0 / 240.0 - y / 132.0))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)] // Exact numbers are meant.
mod tests {
    use super::*;
    use crate::draws::Draws;
    use glauber_numbers::noise::Purpose;
    use glauber_statistics::tolerance::SampleMean;

    #[test]
    fn a_root_gives_quadratic_form_determinant_and_traces() {
        // S = [[4, 2], [2, 3]]: det 8, S⁻¹ = [[3, −2], [−2, 4]] / 8.
        let root = Root::of(vec![4.0, 2.0, 2.0, 3.0], 2).unwrap();
        let square = dot(&[1.0, 2.0], &root.solved(&[1.0, 2.0]));
        assert!((square - 11.0 / 8.0).abs() < 1e-7 && (root.log_determinant() - 8.0_f64.ln()).abs() < 1e-7);
        // V = diag(1, 0): S⁻¹V = [[3/8, 0], [−2/8, 0]].
        let [first, second] = root.traces(&[1.0, 0.0]);
        assert!((first - 13.0 / 8.0).abs() < 1e-7, "{first}");
        assert!((second - (2.0 - 6.0 / 8.0 + 9.0 / 64.0)).abs() < 1e-7, "{second}");
        assert!(Root::of(vec![1.0, 2.0, 2.0, 1.0], 2).is_none());
        assert!((digamma(1.0) + 0.577_215_664_901_532_9).abs() < 1e-9);
        // ψ(n + ½) = −γ − 2 ln 2 + Σ 2/(2k − 1).
        let sum: f64 = (1..=10).map(|k| 2.0 / f64::from(2 * k - 1)).sum();
        assert!((digamma(10.5) - (sum - 0.577_215_664_901_532_9 - 4.0_f64.ln())).abs() < 1e-9);
    }

    #[test]
    fn what_does_not_vary_must_be_as_it_was_seen() {
        let rows: Vec<Vec<f64>> = (0..50).map(|i| vec![3.0, f64::from(i % 7)]).collect();
        let of = |open: &[usize], seen: &[f64]| {
            let law = NormalLaw::of(&rows, open, &[0.0, 0.0], 1.0);
            [Right::Logarithm, Right::Density].map(|right| law.ln_density(&[seen.to_vec()], right))
        };
        assert!(of(&[0, 1], &[3.0, 2.0]).iter().all(|x| x.is_finite()));
        assert_eq!(of(&[0, 1], &[4.0, 2.0]), [f64::NEG_INFINITY; 2]);
        assert!(of(&[1], &[2.0]).iter().all(|x| x.is_finite()));
    }

    /// Simulations of two correlated normal numbers, x and x/2 + √¾ y, from so many draws.
    fn simulated(set: u64, n: usize) -> Vec<Vec<f64>> {
        let draws = Draws::new(8, Purpose::Check, 0, set);
        let number = |k: usize| draws.normal(k as u32);
        (0..n)
            .map(|i| (number(2 * i), number(2 * i + 1)))
            .map(|(x, y)| vec![x, 0.5 * x + 0.75_f64.sqrt() * y])
            .collect()
    }

    /// ln of the density of means of so many.
    fn truth(runs: &[Vec<f64>], variance: f64, mean_of: f64) -> f64 {
        let (s, c) = ((1.0 + variance) / mean_of, 0.5 / mean_of);
        let determinant = s * s - c * c;
        let one = |y: &Vec<f64>| {
            let square = (s * (y[0] * y[0] + y[1] * y[1]) - 2.0 * c * y[0] * y[1]) / determinant;
            -0.5 * (square + determinant.ln()) - std::f64::consts::TAU.ln()
        };
        runs.iter().map(one).sum()
    }

    /// 12 simulations of two numbers, three runs: the mean of p̂ is p, that of ln p̂ is ln p; false alarms of 10⁻⁵ by the
    /// samples' own errors. What takes m and S for the true ones is off by far more.
    #[test]
    fn density_and_logarithm_are_right_in_the_mean() {
        let runs = vec![vec![0.8, -0.4], vec![-0.3, 0.9], vec![0.2, 0.1]];
        for (mean_of, sets) in [(1.0, 20_000), (2.0, 20_000)] {
            let wanted = truth(&runs, 0.0, mean_of);
            let laws: Vec<NormalLaw> = (0..sets)
                .map(|set| NormalLaw::of(&simulated(set, 12), &[0, 1], &[0.0; 2], mean_of))
                .collect();
            let by = |right| -> Vec<f64> { laws.iter().map(|law| law.ln_density(&runs, right)).collect() };
            let ratios: Vec<f64> = by(Right::Density).iter().map(|l| (l - wanted).exp()).collect();
            let mean = SampleMean::of(&ratios);
            assert!(mean.agrees_with(1.0, 1e-5), "{mean_of}: {mean:?}");
            let mean = SampleMean::of(&by(Right::Logarithm));
            assert!(mean.agrees_with(wanted, 1e-5), "{mean_of}: {mean:?} {wanted}");
            assert!(
                !mean.agrees_with(wanted + 0.2, 1e-5) && !mean.agrees_with(wanted - 0.2, 1e-5),
                "{mean:?}"
            );
        }
    }

    /// With noise of known variance the logarithm is right to the order 1/n: of 40 simulations within 0.01 of the 0.1 that m
    /// and S in place of the true ones are off by.
    #[test]
    fn noise_of_known_variance_has_no_doubt() {
        let runs = vec![vec![0.8, -0.4], vec![-0.3, 0.9], vec![0.2, 0.1], vec![2.0, 1.0]];
        let wanted = truth(&runs, 0.5, 1.0);
        let found: Vec<f64> = (0..40_000)
            .map(|set| {
                NormalLaw::of(&simulated(set, 40), &[0, 1], &[0.5; 2], 1.0)
                    .ln_density(&runs, Right::Logarithm)
            })
            .collect();
        let mean = SampleMean::of(&found);
        assert!((mean.mean - wanted).abs() < 0.01 + 4.5 * mean.standard_error(), "{mean:?} {wanted}");
    }
}

//! Turns statistics into p-values: the normal, χ² and Poisson laws, and what many p-values say together.

/// One test's result: where it came from and how surprising it is.
pub struct Finding {
    /// Which test, on what.
    pub test: String,
    /// Two-sided: uniform on (0, 1) for random words, near 0 for too much *and* for too little.
    pub p: f64,
}

impl Finding {
    /// A finding from the upper tail of a law, folded to both sides.
    pub fn new(test: impl Into<String>, upper: f64) -> Finding {
        Finding { test: test.into(), p: (2.0 * upper.min(1.0 - upper)).clamp(0.0, 1.0) }
    }
}

/// P(N(0, 1) ≥ z).
pub fn normal_upper(z: f64) -> f64 {
    0.5 * libm::erfc(z / core::f64::consts::SQRT_2)
}

/// Q(a, x) = Γ(a, x) / Γ(a), the upper incomplete gamma function: series below a + 1, continued
/// fraction (Lentz) above; the normal law (Wilson and Hilferty) for very large a.
pub fn gamma_upper(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if a > 1e5 {
        let variance = 1.0 / (9.0 * a);
        return normal_upper((libm::cbrt(x / a) - 1.0 + variance) / variance.sqrt());
    }
    let scale = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-16 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return 1.0 - sum * scale;
    }
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1e300, 1.0 / b);
    let mut fraction = d;
    for i in 1..100_000 {
        let numerator = -f64::from(i) * (f64::from(i) - a);
        b += 2.0;
        d = 1.0 / (numerator * d + b);
        c = b + numerator / c;
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    scale * fraction
}

/// A χ² test of counts against probabilities (which sum to 1); cells are expected to hold several counts.
pub fn chi_square(test: impl Into<String>, counts: &[u64], probabilities: &[f64]) -> Finding {
    let total = counts.iter().sum::<u64>() as f64;
    let statistic: f64 = counts
        .iter()
        .zip(probabilities)
        .map(|(&count, &probability)| (count as f64 - total * probability).powi(2) / (total * probability))
        .sum();
    Finding::new(test, gamma_upper((counts.len() - 1) as f64 / 2.0, statistic / 2.0))
}

/// A χ² test of equally likely cells.
pub fn even(test: impl Into<String>, counts: &[u64]) -> Finding {
    chi_square(test, counts, &vec![1.0 / counts.len() as f64; counts.len()])
}

/// A count that is Poisson with the given mean; p from the middle of the count's own probability.
pub fn poisson(test: impl Into<String>, count: u64, mean: f64) -> Finding {
    let n = count as f64;
    // P(N ≤ n) = Q(n + 1, mean), so P(N > n) = 1 − Q(n + 1, mean).
    let above = 1.0 - gamma_upper(n + 1.0, mean);
    let here = libm::exp(n * libm::log(mean) - mean - libm::lgamma(n + 1.0));
    Finding::new(test, above + 0.5 * here)
}

/// Binomial(trials, ½) probabilities of 0 to `trials` successes.
pub fn binomial_halves(trials: u32) -> Vec<f64> {
    let n = f64::from(trials);
    let log_choose = |k: f64| libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
    (0..=trials).map(|k| libm::exp(log_choose(f64::from(k)) - n * core::f64::consts::LN_2)).collect()
}

/// P that the largest deviation of n uniform numbers from the uniform law is at least what it is
/// (Kolmogorov and Smirnov, with Stephens's correction for finite n).
pub fn uniformity(findings: &[Finding]) -> f64 {
    let mut p: Vec<f64> = findings.iter().map(|finding| finding.p).collect();
    p.sort_by(f64::total_cmp);
    let n = p.len() as f64;
    let distance = p
        .iter()
        .enumerate()
        .fold(0.0_f64, |distance, (i, &p)| distance.max(p - i as f64 / n).max((i + 1) as f64 / n - p));
    let x = distance * (n.sqrt() + 0.12 + 0.11 / n.sqrt());
    let terms = (1..100).map(|j| {
        let sign = if j % 2 == 1 { 2.0 } else { -2.0 };
        sign * libm::exp(-2.0 * f64::from(j * j) * x * x)
    });
    terms.sum::<f64>().clamp(0.0, 1.0)
}

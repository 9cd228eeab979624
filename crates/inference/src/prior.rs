//! Says what is thought of a parameter before the data are seen.
//!
//! On the natural scale, cut to the parameter's interval; not normalised anew where that cuts something off.
//!
//! | written                      | density                                   | where        |
//! |------------------------------|-------------------------------------------|--------------|
//! | `uniform`, `uniform(a, b)`   | 1/(b − a)                                 | a … b        |
//! | `normal(mean, sd)`           | e^−(x−m)²/2s² / s√2π                      | anywhere     |
//! | `log-normal(mean, sd)`       | that of ln x, over x                      | above 0      |
//! | `beta(a, b)`                 | x^(a−1) (1−x)^(b−1) / B(a, b)             | 0 … 1        |
//! | `gamma(shape, rate)`         | r^k x^(k−1) e^−rx / Γ(k)                  | above 0      |
//! | `half-normal(sd)`            | 2 e^−x²/2s² / s√2π                        | from 0       |
//!
//! Where nobody says, it is uniform on the interval, which must then have two ends: a density that cannot be normalised is
//! refused, as the posterior may have none either.
//!
//! ```
//! use glauber_inference::prior::Prior;
//! let prior = Prior::parse("gamma(shape = 2, rate = 10)").unwrap();
//! assert_eq!(prior, Prior::Gamma { shape: 2.0, rate: 10.0 });
//! assert!(Prior::parse("gamma(2)").unwrap_err().to_string().contains("rate"));
//! ```

use glauber_files::spelling::suggestion;
use glauber_optimize::objective::Interval;

const LN_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// A law of one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Prior {
    /// Every value between two ends alike; between those of the parameter's interval where none are given.
    Uniform(Option<Interval>),
    /// The normal law.
    Normal {
        /// Its mean.
        mean: f64,
        /// Its standard deviation.
        sd: f64,
    },
    /// The law of a number whose logarithm is normal.
    LogNormal {
        /// The logarithm's mean.
        mean: f64,
        /// The logarithm's standard deviation.
        sd: f64,
    },
    /// The beta law.
    Beta {
        /// Its first exponent plus 1.
        a: f64,
        /// Its second exponent plus 1.
        b: f64,
    },
    /// The gamma law.
    Gamma {
        /// Its exponent plus 1.
        shape: f64,
        /// How fast it falls.
        rate: f64,
    },
    /// The size of a normal number of mean 0.
    HalfNormal {
        /// That number's standard deviation.
        sd: f64,
    },
}

/// What is wrong with a prior.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PriorError {
    /// A text that is none.
    #[error(
        "`{text}` is no prior: {why}; there are uniform(a, b), normal(mean, sd), log-normal(mean, sd), beta(a, b), gamma(shape, rate), half-normal(sd)"
    )]
    Text {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A density that has no integral.
    #[error(
        "the prior of `{name}` is improper: uniform on {interval}, which has no end; give it one that can be normalised, such \
         as `gamma(shape, rate)`, `normal(mean, sd)` or `uniform(a, b)`"
    )]
    Improper {
        /// The parameter.
        name: String,
        /// Its interval.
        interval: Interval,
    },
    /// A density that is 0 wherever the parameter may be.
    #[error("the prior {prior} of `{name}` is 0 everywhere in its interval {interval}")]
    Nowhere {
        /// The parameter.
        name: String,
        /// The prior.
        prior: String,
        /// The parameter's interval.
        interval: Interval,
    },
    /// A prior of something that is not unknown.
    #[error("there is a prior of `{name}`, which is not fitted{hint}")]
    NotFitted {
        /// The name found.
        name: String,
        /// The nearest right one, as the end of a sentence.
        hint: String,
    },
    /// Two priors of one parameter.
    #[error("`{name}` has two priors: give it one")]
    Twice {
        /// The parameter.
        name: String,
    },
}

/// A law by name, and what its numbers are called.
const LAWS: [(&str, &[&str]); 6] = [
    ("uniform", &["a", "b"]),
    ("normal", &["mean", "sd"]),
    ("log-normal", &["mean", "sd"]),
    ("beta", &["a", "b"]),
    ("gamma", &["shape", "rate"]),
    ("half-normal", &["sd"]),
];

impl Prior {
    /// A prior as it is written: `normal(0.3, 0.1)`, `gamma(shape = 2, rate = 10)`, `uniform`.
    ///
    /// # Errors
    /// [`PriorError::Text`] with what is wrong.
    pub fn parse(text: &str) -> Result<Prior, PriorError> {
        let wrong = |why: String| PriorError::Text { text: text.to_string(), why };
        let (name, inner) = match text.trim().split_once('(') {
            None => (text.trim(), None),
            Some((name, rest)) => {
                let inner = rest.strip_suffix(')').ok_or_else(|| wrong("it does not end in `)`".into()))?;
                (name.trim(), Some(inner))
            }
        };
        let canonical = name.to_lowercase().replace('_', "-").replace("lognormal", "log-normal");
        let canonical = canonical.replace("halfnormal", "half-normal");
        let Some((name, wanted)) = LAWS.iter().find(|(known, _)| *known == canonical) else {
            let hint = suggestion(&canonical, LAWS.iter().map(|(known, _)| *known));
            return Err(wrong(format!("no law is called `{name}`{hint}")));
        };
        let arguments: Vec<&str> =
            inner.map_or(Vec::new(), |i| i.split(',').map(str::trim).filter(|a| !a.is_empty()).collect());
        if *name == "uniform" && arguments.is_empty() {
            return Ok(Prior::Uniform(None));
        }
        let mut numbers = vec![None; wanted.len()];
        for (place, argument) in arguments.iter().enumerate() {
            let (place, value) = match argument.split_once('=') {
                None => (place, *argument),
                Some((key, value)) => {
                    let key = key.trim();
                    let place = wanted.iter().position(|w| *w == key);
                    let known = || wrong(format!("{name} has no `{key}`, but {}", wanted.join(", ")));
                    (place.ok_or_else(known)?, value.trim())
                }
            };
            let number = glauber_files::number(value).filter(|x| x.is_finite());
            let number = number.ok_or_else(|| wrong(format!("`{value}` is no number")))?;
            match numbers.get_mut(place) {
                Some(slot) if slot.is_none() => *slot = Some(number),
                Some(_) => return Err(wrong(format!("`{}` is given twice", wanted[place]))),
                None => {
                    return Err(wrong(format!("{name} has {} numbers: {}", wanted.len(), wanted.join(", "))));
                }
            }
        }
        if let Some(missing) = numbers.iter().position(Option::is_none) {
            return Err(wrong(format!("`{}` is missing: {name}({})", wanted[missing], wanted.join(", "))));
        }
        let n: Vec<f64> = numbers.into_iter().flatten().collect();
        let prior = match *name {
            "uniform" => Prior::Uniform(Some(Interval::new(n[0], n[1]))),
            "normal" => Prior::Normal { mean: n[0], sd: n[1] },
            "log-normal" => Prior::LogNormal { mean: n[0], sd: n[1] },
            "beta" => Prior::Beta { a: n[0], b: n[1] },
            "gamma" => Prior::Gamma { shape: n[0], rate: n[1] },
            _ => Prior::HalfNormal { sd: n[0] },
        };
        prior.fault().map_or(Ok(prior), |why| Err(wrong(why)))
    }

    /// What is wrong with its numbers.
    fn fault(&self) -> Option<String> {
        let above = |named: &[(&str, f64)]| {
            let (name, x) = named.iter().find(|(_, x)| !(*x > 0.0 && x.is_finite()))?;
            Some(format!("`{name}` is {x}, but must be above 0"))
        };
        match *self {
            Prior::Uniform(Some(Interval { lowest, highest })) => {
                let right = lowest < highest && (highest - lowest).is_finite();
                (!right).then(|| format!("a = {lowest} is not below b = {highest}"))
            }
            Prior::Uniform(None) => None,
            Prior::Normal { sd, .. } | Prior::LogNormal { sd, .. } | Prior::HalfNormal { sd } => {
                above(&[("sd", sd)])
            }
            Prior::Beta { a, b } => above(&[("a", a), ("b", b)]),
            Prior::Gamma { shape, rate } => above(&[("shape", shape), ("rate", rate)]),
        }
    }

    /// Where its density may be above 0.
    fn anywhere(&self) -> Interval {
        match self {
            Prior::Uniform(own) => own.unwrap_or(Interval::any()),
            Prior::Normal { .. } => Interval::any(),
            Prior::Beta { .. } => Interval::unit(),
            Prior::LogNormal { .. } | Prior::Gamma { .. } | Prior::HalfNormal { .. } => Interval::positive(),
        }
    }

    /// Where a parameter of this name and interval may then be.
    ///
    /// # Errors
    /// [`PriorError::Improper`] or [`PriorError::Nowhere`] where it is no prior of that parameter.
    pub fn support(&self, name: &str, interval: Interval) -> Result<Interval, PriorError> {
        let own = self.anywhere();
        let both = Interval::new(own.lowest.max(interval.lowest), own.highest.min(interval.highest));
        let has_inside = both.lowest < both.highest;
        if !has_inside {
            return Err(PriorError::Nowhere { name: name.into(), prior: self.to_string(), interval });
        }
        if matches!(self, Prior::Uniform(None)) && !(both.highest - both.lowest).is_finite() {
            return Err(PriorError::Improper { name: name.into(), interval });
        }
        Ok(both)
    }

    /// ln of the density at x, for x in `support`, and its derivative by x; −∞ outside.
    pub fn log_density(&self, x: f64, support: Interval) -> (f64, f64) {
        if !support.contains(x) {
            return (f64::NEG_INFINITY, 0.0);
        }
        match *self {
            Prior::Uniform(own) => {
                let Interval { lowest, highest } = own.unwrap_or(support);
                (-libm::log(highest - lowest), 0.0)
            }
            Prior::Normal { mean, sd } => normal(x, mean, sd),
            Prior::LogNormal { mean, sd } => {
                let (value, slope) = normal(libm::log(x), mean, sd);
                (value - libm::log(x), (slope - 1.0) / x)
            }
            Prior::Beta { a, b } => {
                let ends = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
                let value = power(a - 1.0, libm::log(x)) + power(b - 1.0, libm::log1p(-x));
                (ends + value, power(a - 1.0, 1.0 / x) - power(b - 1.0, 1.0 / (1.0 - x)))
            }
            Prior::Gamma { shape, rate } => {
                let constant = shape * libm::log(rate) - libm::lgamma(shape);
                let value = power(shape - 1.0, libm::log(x)) - rate * x;
                (constant + value, power(shape - 1.0, 1.0 / x) - rate)
            }
            Prior::HalfNormal { sd } => {
                let (value, slope) = normal(x, 0.0, sd);
                (value + std::f64::consts::LN_2, slope)
            }
        }
    }
}

impl std::fmt::Display for Prior {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Prior::Uniform(None) => write!(f, "uniform"),
            Prior::Uniform(Some(Interval { lowest, highest })) => write!(f, "uniform({lowest}, {highest})"),
            Prior::Normal { mean, sd } => write!(f, "normal({mean}, {sd})"),
            Prior::LogNormal { mean, sd } => write!(f, "log-normal({mean}, {sd})"),
            Prior::Beta { a, b } => write!(f, "beta({a}, {b})"),
            Prior::Gamma { shape, rate } => write!(f, "gamma({shape}, {rate})"),
            Prior::HalfNormal { sd } => write!(f, "half-normal({sd})"),
        }
    }
}

fn normal(x: f64, mean: f64, sd: f64) -> (f64, f64) {
    let z = (x - mean) / sd;
    (-0.5 * z * z - libm::log(sd) - LN_SQRT_TWO_PI, -z / sd)
}

/// exponent · x, 0 where the exponent is, however infinite x.
fn power(exponent: f64, x: f64) -> f64 {
    if exponent.abs() < f64::MIN_POSITIVE { 0.0 } else { exponent * x }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // Exact numbers are meant.
mod tests {
    use super::*;

    const ALL: [&str; 7] = [
        "uniform",
        "uniform(0.1, 0.8)",
        "normal(0.4, 0.2)",
        "log-normal(-1, 0.5)",
        "beta(2, 3.5)",
        "gamma(3, 9)",
        "half-normal(0.3)",
    ];

    #[test]
    fn densities_have_these_slopes_and_integrals() {
        for text in ALL {
            let prior = Prior::parse(text).unwrap();
            let interval = if text == "uniform" { Interval::unit() } else { Interval::any() };
            let support = prior.support("x", interval).unwrap();
            let at = |x: f64| prior.log_density(x, support);
            let h = 1e-6;
            let by_difference = (at(0.3 + h).0 - at(0.3 - h).0) / (2.0 * h);
            assert!((at(0.3).1 - by_difference).abs() < 1e-6, "{text}: {} {by_difference}", at(0.3).1);
            // The trapezoid rule, far into the tails; corners of the uniform law cost one step's width.
            let (step, mut sum) = (1e-4, 0.0);
            for i in -50_000..200_000 {
                let x = (f64::from(i) + 0.5) * step;
                sum += libm::exp(at(x).0) * step;
            }
            assert!((sum - 1.0).abs() < 1e-3, "{text}: {sum}");
        }
    }

    #[test]
    fn what_is_written_is_read_and_said_again() {
        for text in ALL {
            assert_eq!(Prior::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Prior::parse("Normal(sd=1, mean=2)").unwrap(), Prior::Normal { mean: 2.0, sd: 1.0 });
        let wrong = [
            ("normall(0, 1)", "did you mean `normal`"),
            ("normal(0)", "`sd` is missing"),
            ("normal(0, -1)", "must be above 0"),
            ("normal(0, 1, 2)", "has 2 numbers"),
            ("normal(0, x)", "`x` is no number"),
            ("normal(0, 1", "does not end"),
            ("gamma(shape = 1, scale = 2)", "has no `scale`"),
            ("gamma(shape = 1, shape = 2)", "given twice"),
            ("uniform(1, 0)", "not below"),
            ("beta(0, 1)", "must be above 0"),
            ("", "no law"),
        ];
        for (text, words) in wrong {
            let error = Prior::parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn what_cannot_be_normalised_or_is_nowhere_is_refused() {
        let uniform = Prior::Uniform(None);
        let error = uniform.support("rate", Interval::positive()).unwrap_err();
        assert!(error.to_string().contains("improper"), "{error}");
        assert_eq!(
            Prior::parse("half-normal(1)").unwrap().support("x", Interval::any()).unwrap(),
            Interval::positive()
        );
        let beta = Prior::parse("beta(1, 1)").unwrap();
        assert!(beta.support("x", Interval::new(2.0, 3.0)).unwrap_err().to_string().contains("0 everywhere"));
        assert_eq!(beta.log_density(1.5, Interval::unit()).0, f64::NEG_INFINITY);
        assert_eq!(beta.log_density(0.0, Interval::unit()), (0.0, 0.0));
    }
}

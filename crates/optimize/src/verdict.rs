//! Says what is known of an estimate, in one place for all who print it: its error, or why it has none.
//!
//! A `±` is an error of the estimate and nothing else. It exists where the loss is an exact likelihood, the fit came to
//! rest at its optimum, and the data determine the parameter; the simulation's noise has a name of its own.
//!
//! ```
//! use glauber_optimize::verdict::Known;
//! assert_eq!(Known::Error(0.00042).words(), "± 0.00042");
//! assert_eq!(Known::NoLikelihood.words(), "error not known");
//! ```

use crate::unknown::{Interval, Unknown};

/// What is known of how far one number of θ is off.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// Its standard error.
    Error(f64),
    /// Nothing: the loss is no likelihood, so neither it nor its noise says how far the data lead astray.
    NoLikelihood,
    /// Nothing: the fit had not arrived where the likelihood is highest.
    NotAtOptimum,
    /// It lies at this end of its interval, where errors are not normal.
    AtEnd(f64),
    /// The likelihood has a kink there, or becomes 0 right beside it: errors are not normal.
    NotSmooth,
    /// The data do not determine it; perhaps only a combination, in these words.
    NotDetermined(Option<String>),
    /// No gradient reached it: it is where it started.
    NotReached,
    /// The curvature of the likelihood could not be computed.
    NotComputed,
    /// The fit was interrupted.
    Unfinished,
    /// The fit diverged: there is no estimate.
    Diverged,
}

impl Known {
    /// The standard error, where there is one.
    pub fn error(&self) -> Option<f64> {
        match self {
            Known::Error(error) => Some(*error),
            _ => None,
        }
    }

    /// In a few words, to stand after an estimate.
    pub fn words(&self) -> String {
        match self {
            Known::Error(error) => format!("± {}", significant(*error, 2)),
            Known::NoLikelihood | Known::NotComputed => "error not known".into(),
            Known::NotAtOptimum => "no error: not at its optimum".into(),
            Known::AtEnd(end) => format!("no error: at the end {end} of its interval"),
            Known::NotSmooth => "no error: the likelihood is not smooth here".into(),
            Known::NotDetermined(None) => "no error: the data do not determine it".into(),
            Known::NotDetermined(Some(only)) => format!("no error: the data determine only {only}"),
            Known::NotReached => "not fitted: no gradient reached it".into(),
            Known::Unfinished => "no error: interrupted".into(),
            Known::Diverged => "no estimate".into(),
        }
    }
}

/// What is known of a fit as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// By number of θ.
    pub known: Vec<Known>,
    /// Whether it came to rest at an optimum; `None` where nothing tells.
    pub at_optimum: Option<bool>,
    /// The same in words, for the first line a person reads.
    pub words: String,
    /// Whether those words are a warning.
    pub warns: bool,
    /// What else is to be known.
    pub notes: Vec<String>,
}

impl Verdict {
    /// The same for all `length` numbers of θ.
    pub fn of_all(
        length: usize,
        known: Known,
        at_optimum: Option<bool>,
        words: impl Into<String>,
    ) -> Verdict {
        let warns = matches!(known, Known::NotAtOptimum | Known::Diverged | Known::Unfinished);
        Verdict { known: vec![known; length], at_optimum, words: words.into(), warns, notes: Vec::new() }
    }
}

/// The share of an interval that its map does not tell from the end: twice what the logit stops at.
const AS_THE_END: f64 = 2e-13;

/// The end of its interval at which a number lies, as nearly as its map lets it.
pub fn end_of(interval: Interval, value: f64) -> Option<f64> {
    let Interval { lowest, highest } = interval;
    let width = highest - lowest;
    let near = |end: f64| {
        // A wide interval says nothing of the parameter's size; only what its map cannot tell from the end is there.
        let least = match width.is_finite() {
            true => (1e-9 * width.min(end.abs().max(1.0))).max(AS_THE_END * width),
            false => 1e-9 * end.abs(),
        };
        end.is_finite() && (value - end).abs() <= least.max(f64::MIN_POSITIVE)
    };
    if near(lowest) { Some(lowest) } else { near(highest).then_some(highest) }
}

/// The name and interval of every number of θ; a field's as `name[site]`.
pub(crate) fn numbers_of(unknowns: &[Unknown]) -> Vec<(String, Interval)> {
    let of = |unknown: &Unknown| -> Vec<(String, Interval)> {
        match unknown.is_scalar() {
            true => vec![(unknown.name.clone(), unknown.interval)],
            false => {
                (0..unknown.len()).map(|i| (format!("{}[{i}]", unknown.name), unknown.interval)).collect()
            }
        }
    };
    unknowns.iter().flat_map(of).collect()
}

/// Names in backticks, as a list in words.
pub(crate) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match &quoted[..] {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A number with so many significant digits, without an exponent where it is of a usual size.
pub fn significant(x: f64, digits: usize) -> String {
    let size = if x == 0.0 || !x.is_finite() { 0 } else { x.abs().log10().floor() as i32 };
    if (-5..7).contains(&size) {
        let decimals = (digits as i32 - 1 - size).max(0) as usize;
        format!("{x:.decimals$}")
    } else {
        format!("{x:.*e}", digits - 1)
    }
}

/// A number with as many decimals as its error of two digits has; five significant digits where there is none.
pub fn with_precision(x: f64, error: Option<f64>) -> String {
    let Some(error) = error.filter(|e| e.is_finite() && *e > 0.0) else { return significant(x, 5) };
    let digits = |x: f64| x.abs().log10().floor() as i32;
    let size = if x == 0.0 { digits(error) } else { digits(x) };
    if (-5..7).contains(&size) {
        let decimals = (1 - digits(error)).clamp(0, 17) as usize;
        return format!("{x:.decimals$}");
    }
    significant(x, (size - digits(error) + 2).clamp(1, 17) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_they_deserve() {
        assert_eq!(with_precision(0.300_123_4, Some(0.000_45)), "0.30012");
        assert_eq!(with_precision(0.3, None), "0.30000");
        assert_eq!(with_precision(3.217e-12, Some(4.1e-14)), "3.217e-12");
        assert_eq!(with_precision(0.0, Some(0.01)), "0.000");
        assert_eq!(with_precision(1234.5, Some(170.0)), "1234");
        assert_eq!(significant(0.000_45, 2), "0.00045");
        assert_eq!(significant(1.449e-3, 2), "0.0014");
        assert_eq!(significant(4.4e-15, 2), "4.4e-15");
        assert_eq!(significant(f64::NAN, 2), "NaN");
    }

    #[test]
    fn only_an_error_of_the_estimate_stands_after_plus_minus() {
        let all = [
            Known::NoLikelihood,
            Known::NotAtOptimum,
            Known::AtEnd(0.0),
            Known::NotSmooth,
            Known::NotDetermined(None),
            Known::NotDetermined(Some("`a` · `b`".into())),
            Known::NotReached,
            Known::NotComputed,
            Known::Unfinished,
            Known::Diverged,
        ];
        for known in all {
            assert!(known.error().is_none() && !known.words().contains('±'), "{known:?}");
        }
    }

    #[test]
    fn ends_are_told_from_insides() {
        let rates = Interval::new(0.0, f64::INFINITY);
        assert_eq!(end_of(Interval::unit(), 9.4e-14), Some(0.0));
        assert_eq!(end_of(Interval::unit(), 1.0 - 1e-13), Some(1.0));
        assert_eq!(end_of(Interval::unit(), 1e-6), None);
        assert_eq!(end_of(rates, 1e-12), None, "a small rate is no end");
        assert_eq!(end_of(rates, 0.0), Some(0.0));
        assert_eq!(end_of(Interval::any(), 1e300), None);
        let wide = Interval::new(0.0, 1e9);
        assert_eq!(end_of(wide, 0.395), None, "however wide its interval is");
        assert_eq!(end_of(wide, 9.4e-5), Some(0.0), "where its map ends");
        assert_eq!(end_of(wide, 1e9 - 9.4e-5), Some(1e9));
        assert_eq!(end_of(Interval::new(0.0, 1e-6), 1e-10), None);
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(listed(&["a"]), "`a`");
        assert_eq!(listed(&["a", "b", "c"]), "`a`, `b` and `c`");
    }
}

//! States what the arguments of draws must be, where only the run can tell.
//!
//! A draw means something for some arguments and nothing for others. What the bounds of a value do not prove is checked
//! wherever the program runs, in a simulation, for a gradient and in a likelihood alike: beyond its edges a draw is an
//! error that names it and the value, never a number.

use glauber_numbers::counts::MOST_COUNT;
use serde::{Deserialize, Serialize};

use crate::domain::Domain;

/// How far rounding may carry a probability, or a sum of them, beyond what it must be: this many times the distance from
/// 1 to the next number of the run's precision, which is what 128 roundings take at most.
pub const ROUNDINGS: f64 = 64.0;

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Requirement {
    /// A probability: in [0, 1].
    Probability,
    /// The probabilities of all classes of a draw, added up: 1.
    WholeOfOne,
    /// A number of trials: whole, from 0 to [`MOST_COUNT`].
    Trials,
    /// A rate: from 0 to [`MOST_COUNT`].
    Rate,
    /// A probability that is not 0: in (0, 1].
    Chance,
    /// The number of one of several offsets: whole, from 0, below their count.
    Direction(u32),
    /// Any number, also an infinite one: what is compared.
    Number,
    /// A site's sum of rates, as a share of the highest that was declared: at most 1.
    Share,
    /// Whether something happens: 0 or 1.
    Condition,
}

/// A value that is checked while the program runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The draw, or what else it is an argument of.
    pub what: String,
    /// What it must be.
    pub required: Requirement,
}

impl Requirement {
    /// The lowest and highest value allowed, given the precision's distance from 1 to the next number, and whether
    /// only whole numbers are.
    pub fn bounds(&self, epsilon: f64) -> (f64, f64, bool) {
        let slack = ROUNDINGS * epsilon;
        match self {
            Requirement::Probability | Requirement::Share => (-slack, 1.0 + slack, false),
            Requirement::WholeOfOne => (1.0 - slack, 1.0 + slack, false),
            Requirement::Trials => (0.0, MOST_COUNT, true),
            Requirement::Rate => (0.0, MOST_COUNT, false),
            Requirement::Chance => (f64::from(f32::MIN_POSITIVE), 1.0 + slack, false),
            Requirement::Direction(count) => (0.0, f64::from(*count) - 1.0, true),
            Requirement::Number => (f64::NEG_INFINITY, f64::INFINITY, false),
            Requirement::Condition => (0.0, 1.0, true),
        }
    }

    /// Whether a value is allowed.
    pub fn allows(&self, value: f64, epsilon: f64) -> bool {
        let (lowest, highest, whole) = self.bounds(epsilon);
        value >= lowest && value <= highest && !(whole && value.fract().abs() > 0.0)
    }

    /// A value that is allowed.
    pub fn harmless(&self) -> f64 {
        if matches!(self, Requirement::WholeOfOne | Requirement::Chance) { 1.0 } else { 0.0 }
    }

    /// Whether every value of a domain is allowed in every precision.
    pub fn proved_by(&self, domain: Domain) -> bool {
        let (lowest, highest, whole) = match self {
            Requirement::Probability | Requirement::Share => (0.0, 1.0, false),
            Requirement::Chance => (f64::from(f32::MIN_POSITIVE), 1.0, false),
            _ => self.bounds(f64::EPSILON),
        };
        domain.proves(lowest, highest) && (domain.integer || !whole)
    }

    /// Whether no value of a domain is allowed in any precision.
    pub(crate) fn refuted_by(&self, domain: Domain) -> bool {
        let (lowest, highest, whole) = self.bounds(f64::from(f32::EPSILON));
        let broken = whole && domain.lowest >= domain.highest && domain.lowest.fract().abs() > 0.0;
        domain.highest < lowest || domain.lowest > highest || broken
    }
}

impl Check {
    /// A number in seven digits, as long as it does not look allowed then.
    fn shown(&self, value: &str) -> String {
        let short = value.parse::<f64>().ok().and_then(|own| format!("{own:.6e}").parse::<f64>().ok());
        match short {
            Some(short) if !self.required.allows(short, f64::from(f32::EPSILON)) => short.to_string(),
            _ => value.to_string(),
        }
    }

    /// What is wrong with a value, and what to do about it.
    pub fn complaint(&self, value: impl std::fmt::Display) -> String {
        let what = &self.what;
        let value = self.shown(&value.to_string());
        let narrow = "correct the rule or narrow the parameters' intervals";
        match self.required {
            Requirement::Probability => {
                format!("the probability of `{what}` is {value}, not in [0, 1]; {narrow}")
            }
            Requirement::WholeOfOne => format!(
                "the probabilities of `{what}` add up to {value}, not to 1; write the last as what the others leave \
                 (1 - a - b), or divide each by their sum"
            ),
            Requirement::Trials => format!(
                "the number of trials of `{what}` is {value}, not a whole number from 0 to {MOST_COUNT}; {narrow}"
            ),
            Requirement::Rate => {
                format!("the rate of `{what}` is {value}, not a number from 0 to {MOST_COUNT}; {narrow}")
            }
            Requirement::Chance => {
                format!(
                    "the probability of a success of `{what}` is {value}, not above 0 and at most 1; {narrow}"
                )
            }
            Requirement::Direction(count) => format!(
                "the direction of `{what}` is {value}, not the number of one of its {count} offsets, 0 to {}; draw it \
                 with as many probabilities as there are offsets",
                count.saturating_sub(1)
            ),
            Requirement::Share => format!(
                "the `{what}` of a site add up to {value} times the highest sum that the rule declares; declare a higher one"
            ),
            Requirement::Condition => format!(
                "{what} is {value}, and it must be 0 or 1; where it is to happen with a probability, draw it: s.bernoulli(p)"
            ),
            Requirement::Number => format!(
                "`{what}` compares not-a-number, of which no comparison is true; give it a number at every site, also where \
                 the outcome is not used: of a quotient, a root or a logarithm bound the argument first, as in \
                 log(max(x, 1e-9))"
            ),
        }
    }

    /// What it is, for the printed program.
    pub(crate) fn label(&self) -> String {
        let what = &self.what;
        match self.required {
            Requirement::Probability => format!("probability of {what}"),
            Requirement::WholeOfOne => format!("sum of the probabilities of {what}"),
            Requirement::Trials => format!("number of trials of {what}"),
            Requirement::Rate => format!("rate of {what}"),
            Requirement::Chance => format!("probability of a success of {what}"),
            Requirement::Direction(_) => format!("direction of {what}"),
            Requirement::Number => format!("what is compared in {what}"),
            Requirement::Condition => what.clone(),
            Requirement::Share => format!("share of {what} in the highest sum declared"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_belong_to_what_is_allowed() {
        let single = f64::from(f32::EPSILON);
        for (required, good, bad) in [
            (Requirement::Probability, vec![0.0, 0.5, 1.0, 1.0 + single], vec![-0.1, 1.1, f64::NAN]),
            (Requirement::WholeOfOne, vec![1.0, 1.0 - single], vec![0.99, 1.01, f64::NAN]),
            (Requirement::Trials, vec![0.0, 3.0, 1e9], vec![-1.0, 2.5, 1e10, f64::INFINITY, f64::NAN]),
            (Requirement::Rate, vec![0.0, 0.25, 1e9], vec![-1e-9, 1e10, f64::INFINITY, f64::NAN]),
            (Requirement::Chance, vec![1e-9, 0.5, 1.0], vec![0.0, -0.5, 1.1, f64::NAN]),
            (Requirement::Direction(4), vec![0.0, 3.0], vec![-1.0, 0.5, 4.0]),
            (Requirement::Condition, vec![0.0, 1.0], vec![-1.0, 0.5, 2.0, f64::NAN]),
            (Requirement::Number, vec![f64::NEG_INFINITY, -2.5, 0.0, f64::INFINITY], vec![f64::NAN]),
        ] {
            for value in good {
                assert!(required.allows(value, single), "{required:?} {value}");
                assert!(!required.refuted_by(Domain::point(value)), "{required:?} {value}");
            }
            for value in bad {
                assert!(!required.allows(value, single), "{required:?} {value}");
                assert!(!required.proved_by(Domain::point(value)), "{required:?} {value}");
                assert!(required.refuted_by(Domain::point(value)) || value.is_nan(), "{required:?} {value}");
            }
            assert!(required.allows(required.harmless(), single));
        }
    }
}

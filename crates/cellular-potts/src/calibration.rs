//! Holds copies, by what they cost, against what the estimates expect of them.
//!
//! Choices of site updates are sorted into classes by ΔH/T. In each, with P the probability of a choice,
//!
//! χ² = Σ_classes (copies made − Σ P)² / Σ P (1 − P)
//!
//! has at most about as many degrees of freedom as there are classes: the bound takes them all. Under Metropolis the class ΔH ≤ 0 does not
//! depend on the size of the coefficients: a copy that costs nothing is made whenever it is drawn. Frames further apart
//! than one step show there, even where no move is impossible.

use crate::energy::Acceptance;
use crate::features::Updates;
use crate::likelihood::Rule;
use glauber_optimize::verdict::significant;
use glauber_statistics::tolerance::{chi_square_below, mean_within};

/// Where classes of ΔH/T end.
const ENDS: [f64; 12] = [-4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];
/// The rate at which the right model is doubted.
const FALSE_ALARM: f64 = 0.001;
/// The least expectation of a class of its own.
const LEAST: f64 = 10.0;

/// One class of choices.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Class {
    /// The lowest and highest ΔH/T.
    pub costs: [f64; 2],
    /// Choices in it.
    pub choices: usize,
    /// How many were taken.
    pub made: usize,
    /// How many the estimates expect.
    pub expected: f64,
    /// With which variance.
    pub variance: f64,
}

/// Copies made and expected, by what they cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// In the order of costs.
    pub classes: Vec<Class>,
    /// χ² of all.
    pub chi_square: f64,
    /// What χ² exceeds with probability 0.001 where the model is right.
    pub bound: f64,
}

impl Calibration {
    pub(crate) fn new(updates: &Updates, acceptance: Acceptance, phi: &[f64]) -> Calibration {
        let mut classes = vec![Class::default(); ENDS.len() + 1];
        for (place, class) in classes.iter_mut().enumerate() {
            let below = place.checked_sub(1).map_or(f64::NEG_INFINITY, |place| ENDS[place]);
            class.costs = [below, ENDS.get(place).copied().unwrap_or(f64::INFINITY)];
        }
        let rule = Rule::exact(acceptance);
        for update in 0..updates.len() {
            let begin = updates.begins[update];
            for row in begin..updates.begins[update + 1] {
                let d = updates.cost(row, phi);
                let place = ENDS.iter().position(|end| d <= *end).unwrap_or(ENDS.len());
                let chance = f64::from(updates.sources[row]) / updates.neighbours * rule.at(d).yes;
                let class = &mut classes[place];
                class.choices += 1;
                class.made += usize::from(updates.taken[update] as usize == row - begin + 1);
                class.expected += chance;
                class.variance += chance * (1.0 - chance);
            }
        }
        let classes = merged(&classes);
        let chi_square = classes.iter().map(Class::chi_square).sum();
        Calibration { chi_square, bound: chi_square_below(classes.len(), FALSE_ALARM), classes }
    }

    /// Whether the estimates do not describe how often copies were made.
    pub fn rejects(&self) -> bool {
        self.chi_square > self.bound
    }

    /// The class that departs most, in words.
    pub fn words(&self) -> String {
        let worst = self.classes.iter().max_by(|a, b| a.chi_square().total_cmp(&b.chi_square()));
        let Some(worst) = worst else { return "no copies to look at".into() };
        let costs = match worst.costs {
            [low, high] if low.is_infinite() && high.is_infinite() => "anything".into(),
            [low, high] if low.is_infinite() => format!("at most {high}"),
            [low, high] if high.is_infinite() => format!("more than {low}"),
            [low, high] => format!("{low} to {high}"),
        };
        let ratio = worst.made as f64 / worst.expected.max(f64::MIN_POSITIVE);
        let band = mean_within(worst.variance.sqrt() / worst.expected.max(f64::MIN_POSITIVE), FALSE_ALARM);
        format!(
            "copies that cost {costs} T were made {} times as often as the estimates expect (1 ± {} by chance): frames further apart than one step, another order of updates, or a term that is missing; the estimates are effective",
            significant(ratio, 3),
            significant(band, 2)
        )
    }
}

impl Class {
    fn chi_square(&self) -> f64 {
        let off = self.made as f64 - self.expected;
        if self.variance > 0.0 { off * off / self.variance } else { 0.0 }
    }
}

/// Classes joined with the next until each expects enough.
fn merged(classes: &[Class]) -> Vec<Class> {
    let mut merged: Vec<Class> = Vec::new();
    for class in classes.iter().filter(|class| class.choices > 0) {
        match merged.last_mut() {
            Some(last) if last.variance < LEAST || class.variance < LEAST => {
                last.costs[1] = class.costs[1];
                last.choices += class.choices;
                last.made += class.made;
                last.expected += class.expected;
                last.variance += class.variance;
            }
            _ => merged.push(*class),
        }
    }
    merged
}

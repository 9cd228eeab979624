//! Compares a fit's gradient with differences of runs, on few rollouts, where the fit starts, twice on its way, and where it ends.
//!
//! Gradients through many steps can be wrong by any amount, in sign too, and a fit by them goes on without a word. At each
//! place the two are taken several times, with the same noise for each pair; where their mean difference is more than its own
//! error allows (false alarm 10⁻³ for a place) and more than a quarter of the gradient, the result says so in its first line.
//! So does a gradient that is no number, or a hundred times the true one; one that grows a hundredfold is compared at once. What
//! is less is left to `glauber check`.

use std::sync::atomic::{AtomicBool, Ordering};

use glauber_optimize::fit_result::FitResult;
use glauber_optimize::objective::Objective;
use glauber_optimize::observer::{FitPlan, Observer};
use glauber_optimize::trace::Record;
use glauber_program::Estimator;
use glauber_program::estimators::{Differences, MeanField};
use glauber_statistics::tolerance::mean_within_estimated;

/// So many rollouts are enough for one gradient.
pub(super) const ROLLOUTS: u64 = 20;
/// How often the gradients are compared at a place.
const PAIRS: u64 = 8;
/// The chance that right gradients are called wrong at a place.
const FALSE_ALARM: f64 = 1e-3;
/// What is less than this part of the gradient is not told.
const MATTERS: f64 = 0.25;
/// A gradient that has grown so much is told however noisy it is.
const GROWN: f64 = 100.0;
/// Shorter fits are compared at their start and end alone.
const FEWEST_STEPS: u64 = 30;
/// The first steps, whose longest gradient others are measured by.
const MEASURED: u64 = 5;
/// Apart from the noise of the fit's own steps.
const FIRST: u64 = 1 << 40;

/// The gradient of a fit, and what it should be.
pub(crate) struct Watch {
    own: Box<dyn Objective>,
    reference: Box<dyn Objective>,
    /// The estimator of its own.
    estimator: String,
    /// Through how many steps it goes at most.
    steps: usize,
}

/// Whether a fit by this estimator is compared with differences: they are not with themselves, and mean field's gradient is of
/// another model. The score function and light cones are, as a draw of probability 0 or 1 has no score.
pub(crate) fn is_watched(estimator: &str) -> bool {
    ![MeanField.name(), Differences.name()].contains(&estimator)
}

/// What the first line of a result says of its light cones: that they are cut off, or none.
pub(super) fn words_of_cones(estimator: &dyn Estimator, notes: &[String]) -> Option<String> {
    let cone = estimator.light_cone()?;
    let cut_off = cone.radius.map(|radius| {
        format!("its gradient is biased by what a draw changes beyond the `radius` of {radius} sites")
    });
    let none = notes.iter().any(|note| note.starts_with("light-cone:"));
    let whole = none.then(|| {
        "its light cones are the whole lattice, where its gradient is as noisy as the score function's (see the notes)"
            .to_string()
    });
    let words: Vec<String> = cut_off.into_iter().chain(whole).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

impl Watch {
    /// Watches `own`, the gradient by an estimator through so many steps, with `reference`, that by differences.
    pub(crate) fn new(
        (own, estimator): (Box<dyn Objective>, &str),
        reference: Box<dyn Objective>,
        steps: usize,
    ) -> Watch {
        Watch { own, reference, estimator: estimator.into(), steps }
    }

    /// What to do where it is wrong.
    fn remedy(&self) -> &'static str {
        match self.estimator.as_str() {
            "light-cone" | "score-function" => {
                "take `estimator.name = \"differences\"`; a cone that `radius` cuts off wants a larger one, and a draw whose \
                 probability is 0 or 1 has no score: start inside the interval"
            }
            _ if self.steps > 1 => {
                "take `estimator.name = \"light-cone\"` or \"differences\", or fewer steps"
            }
            _ => "take `estimator.name = \"light-cone\"` or \"differences\"",
        }
    }

    /// Puts what is wrong with the gradient, at the fit's start, on its way or at its end, before all that is said of its
    /// result.
    pub(crate) fn tell(&mut self, start: &[f64], result: &mut FitResult, on_the_way: Vec<String>) {
        let places = [("at the start", start.to_vec()), ("where the fit ended", result.theta.clone())];
        let mut wrong = on_the_way;
        for (place, theta) in places {
            match self.compare(&theta) {
                Ok(found) => wrong.extend(found.into_iter().map(|words| format!("{words} {place}"))),
                Err(error) => {
                    result
                        .notes
                        .push(format!("its gradient was not compared with differences {place}: {error}"));
                }
            }
        }
        if wrong.is_empty() {
            return;
        }
        let words = format!("its gradient is wrong: {}; {}", wrong.join(", "), self.remedy());
        result.notes.insert(0, words.clone());
        result.verdict = format!("{words}; {}", result.verdict);
    }

    /// What is wrong at θ, for each unknown.
    fn compare(&mut self, theta: &[f64]) -> Result<Vec<String>, String> {
        let names: Vec<String> = self.own.unknowns().iter().map(|u| u.name.clone()).collect();
        let mut pairs = Vec::new();
        for pair in 0..PAIRS {
            let take = |objective: &mut dyn Objective| {
                let found = objective.evaluate(theta, FIRST + pair).map_err(|e| e.to_string())?;
                Ok::<Vec<f64>, String>(found.gradient)
            };
            pairs.push((take(&mut *self.own)?, take(&mut *self.reference)?));
        }
        let alarm = FALSE_ALARM / names.len().max(1) as f64;
        let told = names.iter().enumerate().filter_map(|(k, name)| {
            let pairs: Vec<(f64, f64)> = pairs.iter().map(|(own, right)| (own[k], right[k])).collect();
            wrong(&pairs, alarm).map(|what| format!("by {name} {what}"))
        });
        Ok(told.collect())
    }
}

/// What is wrong with gradients, given with the right ones.
fn wrong(pairs: &[(f64, f64)], alarm: f64) -> Option<String> {
    let n = pairs.len() as f64;
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
    let (own, right) = (mean(&|p| p.0), mean(&|p| p.1));
    if !own.is_finite() {
        return Some("it is no number".into());
    }
    let off = own - right;
    let square = mean(&|p| (p.0 - p.1 - off).powi(2)) * n / (n - 1.0);
    let size = mean(&|p| p.1.abs());
    let typical = mean(&|p| p.0.abs());
    let differs = off.abs() > mean_within_estimated(pairs.len(), square.sqrt(), alarm)
        && off.abs() > MATTERS * right.abs().max(own.abs());
    if differs || (typical > GROWN * size && size > 0.0) {
        return Some(format!("it is {own:.2e} for a true {right:.2e}"));
    }
    None
}

/// An observer around another that looks at the gradient on a fit's way.
pub(crate) struct Look<'a> {
    inner: &'a mut dyn Observer,
    watch: Option<&'a mut Watch>,
    interrupt: &'a AtomicBool,
    /// The steps at which it is compared.
    places: Vec<u64>,
    /// The longest of the first gradients, and how many they are.
    first: (f64, u64),
    grown: bool,
    wrong: Vec<String>,
}

impl<'a> Look<'a> {
    pub(crate) fn new(
        inner: &'a mut dyn Observer,
        watch: Option<&'a mut Watch>,
        interrupt: &'a AtomicBool,
    ) -> Look<'a> {
        let places = Vec::new();
        Look { inner, watch, interrupt, places, first: (0.0, 0), grown: false, wrong: Vec::new() }
    }

    /// What was wrong, in words.
    pub(crate) fn finish(self) -> Vec<String> {
        self.wrong
    }

    /// In words, once: that the gradient has grown out of all proportion to that of the first steps, or is no number.
    fn grown(&mut self, record: &Record) -> Option<String> {
        let length = record.gradient_norm;
        if self.first.1 < MEASURED && length.is_finite() {
            self.first = (self.first.0.max(length), self.first.1 + 1);
            return None;
        }
        let (most, _) = self.first;
        let grown = !length.is_finite() || (length > GROWN * most && most > 0.0);
        if self.grown || !grown {
            return None;
        }
        self.grown = true;
        Some(match length.is_finite() {
            true => format!("its length grows from {most:.1e} to {length:.1e} by step {}", record.step),
            false => format!("it is no number in step {}", record.step),
        })
    }

    /// Compares the gradient of a step, where it is one at which that is done.
    fn look(&mut self, record: &Record, theta: &[f64]) {
        if self.watch.is_none() {
            return;
        }
        let grown = self.grown(record);
        let here = grown.is_some() || self.places.contains(&record.step);
        let here = here && self.wrong.is_empty() && !self.interrupt.load(Ordering::Relaxed);
        if let Some(watch) = self.watch.as_mut().filter(|_| here) {
            // What cannot be compared is told of the start and the end. A gradient may grow and be right.
            let found = watch.compare(theta).unwrap_or_default();
            if !found.is_empty() || !record.gradient_norm.is_finite() {
                self.wrong.extend(grown);
            }
            self.wrong.extend(found.into_iter().map(|words| format!("{words} after {} steps", record.step)));
        }
    }
}

impl Observer for Look<'_> {
    fn begin(&mut self, plan: &FitPlan<'_>) {
        if plan.steps >= FEWEST_STEPS {
            self.places = vec![plan.steps / 3, 2 * plan.steps / 3];
        }
        // A fit that goes on where it was stopped, or that was run elsewhere, says of its way what it would have said.
        let scalars = plan.unknowns.iter().all(|unknown| unknown.is_scalar());
        for record in plan.earlier.iter().filter(|_| scalars) {
            self.look(record, &record.parameters);
        }
        self.inner.begin(plan);
    }

    fn step(&mut self, record: &Record, theta: &[f64]) {
        self.inner.step(record, theta);
        self.look(record, theta);
    }

    fn notice(&mut self, words: &str) {
        self.inner.notice(words);
    }

    fn end(&mut self, result: &FitResult) {
        self.inner.end(result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glauber_optimize::observer::Silent;

    #[test]
    fn a_gradient_that_grows_a_hundredfold_is_noticed_once() {
        let interrupt = AtomicBool::new(false);
        let mut silent = Silent;
        let mut look = Look::new(&mut silent, None, &interrupt);
        let record = |step: u64, gradient_norm: f64| Record {
            step,
            loss: 0.0,
            gradient_norm,
            rate: 0.1,
            parameters: Vec::new(),
        };
        for (step, length) in [0.1, 2.0, 0.5, 1.0, 0.0, 150.0, 199.0].into_iter().enumerate() {
            assert_eq!(look.grown(&record(step as u64, length)), None);
        }
        let found = look.grown(&record(7, 201.0));
        assert!(found.as_ref().is_some_and(|w| w.contains("2.0e0 to 2.0e2 by step 7")), "{found:?}");
        assert_eq!(look.grown(&record(8, f64::NAN)), None);
    }

    #[test]
    fn what_differs_is_told_and_noise_is_not() {
        let noise = [0.3, -0.2, 0.1, -0.4, 0.25, -0.15, 0.05, 0.02];
        let pairs = |own: f64, right: f64| -> Vec<(f64, f64)> {
            noise.iter().enumerate().map(|(k, x)| (own + x, right + noise[7 - k])).collect()
        };
        assert_eq!(wrong(&pairs(1.0, 1.1), 1e-3), None);
        assert!(wrong(&pairs(3.0, 1.0), 1e-3).is_some());
        assert!(wrong(&pairs(-3.0, 3.0), 1e-3).is_some_and(|w| w.contains("for a true")));
        assert!(wrong(&pairs(f64::NAN, 1.0), 1e-3).is_some_and(|w| w.contains("no number")));
        let wild: Vec<(f64, f64)> = noise.iter().map(|x| (x * 1e9, 1.0)).collect();
        assert!(wrong(&wild, 1e-3).is_some());
    }
}

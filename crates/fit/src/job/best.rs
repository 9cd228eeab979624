//! Says which of several starts led to the least loss, all measured on the same noise.
//!
//! The losses that the fits themselves saw are no fair judges: each is of the noise of its last steps, at points about
//! the estimate. Here every estimate is evaluated with the same numbers of noise, which no fit has seen.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Job;
use crate::outcome::{Best, Fit};
use glauber_optimize::fit_result::{Estimate, FitResult};
use glauber_optimize::multi_start::MultiStart;
use glauber_optimize::stopping::Stopped;
use glauber_optimize::verdict::{Known, significant, with_precision};

/// Evaluations of a noisy loss.
const EVALUATIONS: u64 = 32;
/// Their iterations lie beyond those of any fit.
const FIRST: u64 = 1 << 40;
/// What ln L differs by where two likelihoods are the same.
const SAME: f64 = 0.01;
/// Errors, or noises, and shares of its size by which two estimates of a number are different.
const ERRORS_APART: f64 = 3.0;
const SHARE_APART: f64 = 0.01;

impl Job {
    /// The best of the fits that are no comparisons. `fits` are those of the attempts, in their order.
    pub fn best(&mut self, fits: &[Fit], interrupt: Option<&AtomicBool>) -> Best {
        let own = self.attempts.iter().filter(|a| !a.comparison).count().min(fits.len());
        let usual = MultiStart::best_of(fits[..own].iter().map(|fit| &fit.result)).unwrap_or(0);
        if own < 2 {
            return Best { number: usual, words: None };
        }
        let mut losses: Vec<(usize, Vec<f64>)> = Vec::new();
        let mut exact = None;
        for (number, Fit { result, .. }) in fits[..own].iter().enumerate() {
            if matches!(result.stopped, Stopped::Diverged { .. } | Stopped::Interrupted) {
                continue;
            }
            let objective = self.judge.as_mut().unwrap_or(&mut self.attempts[number].objective);
            exact = objective.likelihood().map(|likelihood| likelihood.data);
            let times = if exact.is_some() { 1 } else { EVALUATIONS };
            let stopped = || interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed));
            let mut evaluate =
                |k| (!stopped()).then(|| objective.value(&result.theta, FIRST + k).ok()).flatten();
            let Some(found) = (0..times).map(&mut evaluate).collect::<Option<Vec<f64>>>() else {
                return Best { number: usual, words: None };
            };
            losses.push((number, found));
        }
        let mean = |found: &[f64]| found.iter().sum::<f64>() / found.len() as f64;
        // A fit that says itself that it did not arrive is best only where no other did.
        let left = |number: usize| fits[number].result.at_optimum == Some(false);
        losses.sort_by(|(m, a), (n, b)| left(*m).cmp(&left(*n)).then(mean(a).total_cmp(&mean(b))));
        let Some((number, best)) = losses.first().cloned() else {
            return Best { number: usual, words: Some(format!("all {own} starts diverged")) };
        };
        let is_left = |n: usize| left(n) && !left(number);
        let same_as_best = |found: &[f64]| match exact {
            Some(data) => (mean(found) - mean(&best)) * data <= SAME,
            None => !differ(&best, found),
        };
        let elsewhere = losses[1..].iter().filter(|(n, found)| !is_left(*n) && same_as_best(found));
        let elsewhere: Vec<String> = elsewhere
            .filter_map(|(n, _)| {
                let (first, second) = (number.min(*n), number.max(*n));
                let values = apart(&fits[first].result, &fits[second].result)?;
                let loss = if exact.is_some() { "the same loss" } else { "losses no more than noise apart" };
                Some(format!(
                    "starts {} and {} end at different values ({values}) with {loss}",
                    first + 1,
                    second + 1
                ))
            })
            .collect();
        let others = losses[1..].iter().map(|(n, found)| {
            let same = match (is_left(*n), same_as_best(found)) {
                (true, _) => ", not at its optimum",
                (false, false) => "",
                (false, true) if exact.is_some() => ", the same",
                (false, true) => ", no more than noise apart",
            };
            format!("start {}: {}{same}", n + 1, significant(mean(found), 6))
        });
        let lost = own - losses.len();
        let diverged = (lost > 0).then(|| format!("{lost} diverged"));
        let others: Vec<String> = others.chain(diverged).collect();
        let words = format!(
            "the best of {own} starts is start {}, with {} of {} ({})",
            number + 1,
            if self.judge.is_some() { "a loss by the exact likelihood" } else { "a loss" },
            significant(mean(&best), 6),
            others.join("; ")
        );
        let words: Vec<String> = elsewhere.into_iter().chain([words]).collect();
        Best { number, words: Some(words.join("; ")) }
    }
}

/// The scalars of which two fits found different values, with these; nothing where there are none. What the data do not determine
/// may lie anywhere, and is said to be so elsewhere.
fn apart(first: &FitResult, second: &FitResult) -> Option<String> {
    let is_open = |known: &Known| matches!(known, Known::NotDetermined(_) | Known::NotReached);
    let pairs = first.estimates.iter().zip(&second.estimates);
    let found = pairs.filter(|(a, b)| !is_open(&a.known) && !is_open(&b.known)).filter_map(|(a, b)| {
        let of = |e: &Estimate| e.standard_error.or(e.simulation_noise).unwrap_or(0.0);
        let (distance, size) = ((a.value - b.value).abs(), a.value.abs().max(b.value.abs()));
        let is_apart = distance > ERRORS_APART * of(a).max(of(b)) && distance > SHARE_APART * size;
        let digits = |x: f64| with_precision(x, Some(0.02 * distance));
        is_apart.then(|| format!("`{}` = {} and {}", a.name, digits(a.value), digits(b.value)))
    });
    let found: Vec<String> = found.collect();
    (!found.is_empty()).then(|| found.join(", "))
}

/// Whether two losses differ by more than their common noise allows: three errors of the mean difference.
fn differ(best: &[f64], other: &[f64]) -> bool {
    let differences: Vec<f64> = best.iter().zip(other).map(|(a, b)| b - a).collect();
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    if differences.len() < 2 {
        return mean > 0.0;
    }
    let variance = differences.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / (n - 1.0);
    mean > 3.0 * (variance / n).sqrt()
}

//! Decides when a fit ends, as data: after so many steps, when nothing moves, when nothing improves, when it diverges.
//!
//! *Tolerance:* no parameter moved by more than `change` (natural units) in each of the last `patience` steps, each step
//! taken as long as it would be at the full learning rate: standing still because a schedule has lowered the rate is no rest.
//! Meant for losses without noise; with noise parameters never rest.
//!
//! *Plateau:* the steps are cut into windows of `window`; the fit ends once the mean loss of `patience` windows in
//! a row is not below the best earlier window's mean by more than `improvement` times that mean's size.
//! Meant for noisy losses: a window must be long enough that its mean loss is known to within `improvement`.
//!
//! ```
//! use glauber_optimize::stopping::{StoppingRules, StoppingState, Stopped, Tolerance};
//! let rules = StoppingRules {
//!     tolerance: Some(Tolerance { change: 1e-6, patience: 2 }),
//!     ..StoppingRules::after(1000)
//! };
//! let (state, verdict) = rules.observe(StoppingState::default(), 1.0, 1e-9);
//! assert!(verdict.is_none());
//! let (_, verdict) = rules.observe(state, 1.0, 1e-9);
//! assert!(matches!(verdict, Some(Stopped::Tolerance { .. })));
//! ```

use serde::{Deserialize, Serialize};

/// Ends a fit whose parameters rest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tolerance {
    /// The largest change per step that counts as rest, in natural units; above 0.
    pub change: f64,
    /// How many steps of rest in a row; at least 1.
    pub patience: u64,
}

/// Ends a fit whose loss no longer falls.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    /// Steps whose losses are averaged; at least 1.
    pub window: u64,
    /// The relative fall of the mean loss that counts as improvement; at least 0.
    pub improvement: f64,
    /// How many windows in a row without improvement; at least 1.
    pub patience: u64,
}

/// When a fit ends. It always ends when it diverges or is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoppingRules {
    /// The most steps.
    pub steps: u64,
    /// End at rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Tolerance>,
    /// End without improvement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plateau: Option<Plateau>,
}

/// What the rules remember between steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoppingState {
    /// Steps of rest in a row.
    pub resting: u64,
    /// Losses summed in the window so far.
    pub in_window: u64,
    /// Their sum.
    pub window_sum: f64,
    /// The least mean loss of a finished window; ∞ before the first.
    pub best: f64,
    /// Windows without improvement in a row.
    pub stale: u64,
}

impl Default for StoppingState {
    fn default() -> Self {
        StoppingState { resting: 0, in_window: 0, window_sum: 0.0, best: f64::INFINITY, stale: 0 }
    }
}

/// Why a fit ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Stopped {
    /// It took all its steps.
    Steps,
    /// Its parameters rested.
    Tolerance {
        /// The largest change of a parameter in the last step.
        change: f64,
    },
    /// Its loss no longer fell.
    Plateau {
        /// The best window's mean loss.
        best: f64,
    },
    /// Its loss, gradient or parameters were not finite, or left their interval.
    Diverged {
        /// At which step.
        step: u64,
        /// What was found.
        what: String,
        /// What to try.
        advice: String,
    },
    /// It was asked to stop; a checkpoint is left where one is kept.
    Interrupted,
}

impl Stopped {
    /// One word, as in a fit's JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Stopped::Steps => "steps",
            Stopped::Tolerance { .. } => "tolerance",
            Stopped::Plateau { .. } => "plateau",
            Stopped::Diverged { .. } => "diverged",
            Stopped::Interrupted => "interrupted",
        }
    }
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stopped::Steps => write!(f, "took all its steps"),
            Stopped::Tolerance { change } => write!(f, "stopped by its tolerance (last change {change:.2e})"),
            Stopped::Plateau { best } => write!(f, "stopped improving (mean loss {best:.6e})"),
            Stopped::Diverged { step: 0, what, advice } => write!(f, "could not begin: {what}; {advice}"),
            Stopped::Diverged { step, what, advice } => {
                write!(f, "diverged at step {step}: {what}; {advice}")
            }
            Stopped::Interrupted => write!(f, "was interrupted"),
        }
    }
}

impl StoppingRules {
    /// Only the number of steps counts.
    pub fn after(steps: u64) -> StoppingRules {
        StoppingRules { steps, tolerance: None, plateau: None }
    }

    /// Looks at one step's loss and the parameters' largest change since the step before (∞ at the first step),
    /// and gives what to remember and, where the fit is to end, why. Does not count steps.
    pub fn observe(&self, state: StoppingState, loss: f64, change: f64) -> (StoppingState, Option<Stopped>) {
        let mut next = state;
        let mut verdict = None;
        if let Some(rule) = self.plateau {
            next.window_sum += loss;
            next.in_window += 1;
            if next.in_window >= rule.window {
                let mean = next.window_sum / next.in_window as f64;
                let better = next.best.is_infinite() || mean < next.best - rule.improvement * next.best.abs();
                next.stale = if better { 0 } else { next.stale + 1 };
                next.best = next.best.min(mean);
                (next.in_window, next.window_sum) = (0, 0.0);
                if next.stale >= rule.patience {
                    verdict = Some(Stopped::Plateau { best: next.best });
                }
            }
        }
        if let Some(rule) = self.tolerance {
            next.resting = if change <= rule.change { next.resting + 1 } else { 0 };
            if next.resting >= rule.patience {
                verdict = Some(Stopped::Tolerance { change });
            }
        }
        (next, verdict)
    }

    /// What is wrong with the rules' numbers, if anything, in words.
    pub fn fault(&self) -> Option<String> {
        if let Some(Tolerance { change, patience }) = self.tolerance {
            if !(change > 0.0 && change.is_finite()) {
                return Some(format!("the tolerance is {change}, but must be above 0"));
            }
            if patience == 0 {
                return Some("the patience of the tolerance is 0, but must be at least 1".into());
            }
        }
        if let Some(Plateau { window, improvement, patience }) = self.plateau {
            if window == 0 || patience == 0 {
                return Some("the window and patience of the plateau must be at least 1".into());
            }
            if !(improvement >= 0.0 && improvement.is_finite()) {
                return Some(format!(
                    "the improvement of the plateau is {improvement}, but must be at least 0"
                ));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps_until_stop(
        rules: StoppingRules,
        course: impl Iterator<Item = (f64, f64)>,
    ) -> Option<(usize, &'static str)> {
        let mut state = StoppingState::default();
        for (i, (loss, change)) in course.enumerate() {
            let (next, verdict) = rules.observe(state, loss, change);
            if let Some(stopped) = verdict {
                return Some((i, stopped.word()));
            }
            state = next;
        }
        None
    }

    #[test]
    fn tolerance_wants_rest_in_a_row() {
        let rules = StoppingRules {
            tolerance: Some(Tolerance { change: 0.1, patience: 3 }),
            ..StoppingRules::after(100)
        };
        let changes = [f64::INFINITY, 0.05, 0.05, 0.5, 0.1, 0.1, 0.0, 0.0];
        assert_eq!(steps_until_stop(rules, changes.map(|c| (1.0, c)).into_iter()), Some((6, "tolerance")));
    }

    #[test]
    fn plateau_forgives_noise_within_a_window_and_stops_after_its_patience() {
        let rule = Plateau { window: 10, improvement: 0.01, patience: 2 };
        let rules = StoppingRules { plateau: Some(rule), ..StoppingRules::after(1000) };
        // Falls until step 50, then stays at 1 with zigzag noise: windows 6 and 7 do not improve on window 5.
        let course = (0..200).map(|i| {
            let noise = if i % 2 == 0 { 0.5 } else { -0.5 };
            (1.0 + f64::from((50 - i).max(0)) + noise, 1.0)
        });
        assert_eq!(steps_until_stop(rules, course), Some((79, "plateau")));
        let falling = (0..200).map(|i| (1000.0 - 3.0 * f64::from(i), 1.0));
        assert_eq!(steps_until_stop(rules, falling), None);
    }

    #[test]
    fn a_negative_loss_may_fall_too() {
        let rule = Plateau { window: 1, improvement: 0.01, patience: 1 };
        let rules = StoppingRules { plateau: Some(rule), ..StoppingRules::after(1000) };
        let falling = (0..100).map(|i| (-f64::powi(1.1, i), 1.0));
        assert_eq!(steps_until_stop(rules, falling), None);
        let still = (0..100).map(|_| (-5.0, 1.0));
        assert_eq!(steps_until_stop(rules, still), Some((1, "plateau")));
    }

    #[test]
    fn wrong_rules_are_said() {
        let with = |tolerance, plateau| StoppingRules { steps: 1, tolerance, plateau }.fault();
        assert_eq!(with(None, None), None);
        assert!(with(Some(Tolerance { change: 0.0, patience: 1 }), None).is_some());
        assert!(with(Some(Tolerance { change: f64::NAN, patience: 1 }), None).is_some());
        assert!(with(Some(Tolerance { change: 1.0, patience: 0 }), None).is_some());
        assert!(with(None, Some(Plateau { window: 0, improvement: 0.0, patience: 1 })).is_some());
        assert!(with(None, Some(Plateau { window: 1, improvement: -1.0, patience: 1 })).is_some());
    }
}

//! Lets others watch a fit: progress bars, plots, pattern tests.

use crate::fit_result::FitResult;
use crate::objective::Unknown;
use crate::trace::Record;

/// What an observer is told before the first step.
#[derive(Clone, Copy, Debug)]
pub struct FitPlan<'a> {
    /// What is fitted.
    pub unknowns: &'a [Unknown],
    /// The names of a record's parameters.
    pub columns: &'a [String],
    /// The step to begin with; above 0 after a resume.
    pub first: u64,
    /// What was recorded of the steps before, by whoever took them.
    pub earlier: &'a [Record],
    /// The most steps.
    pub steps: u64,
}

/// Something that watches a fit. It cannot change it; to stop it, raise the fit's interrupt flag.
pub trait Observer {
    /// The fit begins, or carries on.
    fn begin(&mut self, plan: &FitPlan<'_>) {
        let _ = plan;
    }

    /// A step was evaluated, at `theta` in natural units; its update comes after this call. Called for every step,
    /// also those that the trace does not keep.
    fn step(&mut self, record: &Record, theta: &[f64]);

    /// Something happened that a person should know at once, in words: a checkpoint that could not be written.
    fn notice(&mut self, words: &str) {
        let _ = words;
    }

    /// The fit ended.
    fn end(&mut self, result: &FitResult) {
        let _ = result;
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn step(&mut self, _: &Record, _: &[f64]) {}
}

/// Any closure over a record and θ watches steps.
impl<F: FnMut(&Record, &[f64])> Observer for F {
    fn step(&mut self, record: &Record, theta: &[f64]) {
        self(record, theta);
    }
}

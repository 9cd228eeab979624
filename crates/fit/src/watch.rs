//! Shows a fit's progress as a bar: the loss and the first parameters, and how it ended.

use std::io::Write;

use glauber_optimize::fit_result::FitResult;
use glauber_optimize::observer::{FitPlan, Observer};
use glauber_optimize::trace::Record;
use glauber_report::progress::{Progress, Show};

/// The most parameters that are shown.
const MOST_SHOWN: usize = 6;

/// A progress bar for every fit.
pub struct ProgressWatch {
    title: String,
    show: Show,
    end: fn(&FitResult) -> String,
    bar: Option<Progress>,
    columns: Vec<String>,
}

impl ProgressWatch {
    /// A bar of this title that ends with what `end` says of the result.
    pub fn new(title: &str, show: Show, end: fn(&FitResult) -> String) -> ProgressWatch {
        ProgressWatch { title: title.to_string(), show, end, bar: None, columns: Vec::new() }
    }
}

impl Observer for ProgressWatch {
    fn begin(&mut self, plan: &FitPlan<'_>) {
        self.columns = plan.columns.to_vec();
        self.bar = Some(Progress::resumed(&self.title, plan.first, plan.steps, self.show));
    }

    fn step(&mut self, record: &Record, _theta: &[f64]) {
        if let Some(bar) = &mut self.bar {
            let names = self.columns.iter().map(String::as_str);
            let parameters = names.zip(record.parameters.iter().copied()).take(MOST_SHOWN);
            let readings: Vec<(&str, f64)> =
                std::iter::once(("loss", record.loss)).chain(parameters).collect();
            bar.update(record.step, &readings);
        }
    }

    fn notice(&mut self, words: &str) {
        if !matches!(self.show, Show::Silent) {
            // Nobody may be reading: that is no reason to stop.
            let _ = writeln!(std::io::stderr(), "{}: {words}", self.title);
        }
    }

    fn end(&mut self, result: &FitResult) {
        if let Some(bar) = self.bar.take() {
            bar.finish(&(self.end)(result));
        }
    }
}

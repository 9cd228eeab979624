//! Draws the course of all fits: every parameter and the loss over the steps.

use glauber_optimize::fit_result::FitResult;
use glauber_report::plot::{Figure, Panel};

use super::{Fit, Outcome};

impl Outcome {
    /// One panel per parameter, with a line for every fit, and one for the loss.
    pub fn figure(&self) -> Figure {
        let mut figure = Figure::new(format!("{}: {}", self.model, self.task.name()));
        let steps = |r: &FitResult| r.trace.records.iter().map(|r| r.step as f64).collect::<Vec<_>>();
        for name in &self.fits[0].result.trace.columns {
            let mut panel = Panel::new(name.clone()).x("step").y(name.clone());
            for Fit { name: fit, result, .. } in &self.fits {
                if let Some(values) = result.trace.column(name) {
                    panel = panel.line(fit.clone(), &steps(result), &values);
                }
            }
            if let Some(truth) = self.truth.get(name) {
                panel = panel.target(format!("true {truth}"), *truth);
            }
            figure = figure.panel(panel);
        }
        // A likelihood and a distance have no common scale.
        for likelihood in [false, true] {
            let own: Vec<&Fit> =
                self.fits.iter().filter(|fit| fit.result.likelihood.is_some() == likelihood).collect();
            if own.is_empty() {
                continue;
            }
            let name = if likelihood { "-ln likelihood per pair" } else { "loss" };
            let mut panel = Panel::new(name).x("step").y(name);
            for Fit { name: fit, result, .. } in &own {
                let values: Vec<f64> = result.trace.records.iter().map(|r| r.loss).collect();
                panel = panel.trace(fit.clone(), &steps(result), &values);
            }
            let positive = own.iter().flat_map(|fit| &fit.result.trace.records).all(|r| r.loss > 0.0);
            figure = figure.panel(if positive { panel.log_y() } else { panel });
        }
        figure
    }
}

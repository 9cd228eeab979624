//! Draws a trajectory fit: the summary over time of the data, before and after the fit.

use std::path::Path;

use glauber_report::plot::{Figure, Panel};

/// Numbers of a summary that get a panel each.
const MOST_PANELS: usize = 6;

/// A summary over time of the data and of simulations, in the data's units, to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Curves {
    /// What the summary is.
    pub summary: String,
    /// The names of its numbers.
    pub outputs: Vec<String>,
    /// The times.
    pub times: Vec<f64>,
    /// Their unit; none where they are steps.
    pub time_unit: Option<String>,
    /// The unit of the values; none where they are the lattice's own.
    pub unit: Option<String>,
    /// The data: \[number\]\[time\].
    pub data: Vec<Vec<f64>>,
    /// Their standard errors, where known.
    pub errors: Option<Vec<Vec<f64>>>,
    /// The simulations, in the order they were asked for: \[simulation\]\[number\]\[time\].
    pub simulated: Vec<Vec<Vec<f64>>>,
}

impl Curves {
    /// Writes `msd.svg` (or `summary.svg` for other summaries) into a folder: the data, and the first two simulations as
    /// those before and after a fit.
    ///
    /// # Errors
    /// What could not be written, in words.
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        let name = if self.summary == "msd" { "msd.svg" } else { "summary.svg" };
        figure(self).write(folder.join(name)).map_err(|e| e.to_string())
    }
}

fn figure(curves: &Curves) -> Figure {
    let title = match curves.summary.as_str() {
        "msd" => "Mean squared displacement, before and after the fit".to_string(),
        other => format!("{other}, before and after the fit"),
    };
    let x = curves.time_unit.as_ref().map_or("step".to_string(), |unit| format!("time ({unit})"));
    let unit = curves.unit.as_ref().map_or(String::new(), |unit| format!(" ({unit})"));
    let mut figure = Figure::new(title);
    for (number, output) in curves.outputs.iter().enumerate().take(MOST_PANELS) {
        let label = if curves.summary == "msd" { "MSD" } else { output.as_str() };
        let (times, data) = (&curves.times, &curves.data[number]);
        let panel = Panel::new(if curves.outputs.len() > 1 { output.as_str() } else { "" });
        let panel = panel.x(x.clone()).y(format!("{label}{unit}")).y_includes(0.0);
        let panel = match &curves.errors {
            Some(errors) => panel.points_with_errors("data ± standard error", times, data, &errors[number]),
            None => panel.points("data", times, data),
        };
        let panel = panel.line("before the fit", times, &curves.simulated[0][number]).dashed();
        figure = figure.panel(panel.line("after the fit", times, &curves.simulated[1][number]));
    }
    figure
}

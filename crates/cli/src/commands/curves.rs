//! Draws a trajectory fit: the summary over time of the data, before and after the fit.

use std::path::Path;

use glauber::fit::fit_file::{FitFile, Task};
use glauber::fit::job::{Curves, trajectory_curves};
use glauber::report::plot::{Figure, Panel};

use crate::outcome::Failure;

/// Numbers of a summary that get a panel each.
const MOST_PANELS: usize = 6;

/// Writes `msd.svg` (or `summary.svg` for other summaries) into `out`; nothing for other tasks.
pub fn draw(file: &FitFile, start: &[f64], theta: &[f64], out: &Path) -> Result<(), Failure> {
    if file.task != Task::Trajectory {
        return Ok(());
    }
    let curves = trajectory_curves(file, &[start, theta]).map_err(Failure::run)?;
    let name = if curves.summary == "msd" { "msd.svg" } else { "summary.svg" };
    figure(&curves).write(out.join(name)).map_err(Failure::run)
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

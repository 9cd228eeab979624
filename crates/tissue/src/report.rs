//! Says a fit of cells in words and JSON, and writes it into a folder.

use std::path::Path;

use glauber_cellular_potts::{Acceptance, Check};
use glauber_files::run_folder::write_whole;
use glauber_optimize::verdict::significant;
use glauber_report::plot::{Figure, Panel};
use serde_json::{Map, Value, json};

use crate::CellsOutcome;

/// What a fit of cells writes, besides what shows that a folder holds a run.
pub const OUTPUTS: &[&str] = &["parameters.json", "check.csv", "check.svg"];

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl CellsOutcome {
    /// Everything that a person should know, in order.
    pub fn all_notes(&self) -> Vec<String> {
        let mut notes = vec![self.fit.words.clone()];
        notes.extend(self.fit.notes.iter().cloned());
        notes.extend(
            self.check.iter().filter(|check| check.quantities.iter().any(|q| q.departs())).map(Check::words),
        );
        notes.extend(self.notes.iter().cloned());
        notes
    }

    /// As `glauber cells fit --json` prints it; `out` is the folder it stands in.
    pub fn object(&self, out: &Path) -> Value {
        let fit = &self.fit;
        let mut object = Map::new();
        let mut add = |key: &str, value: Value| {
            object.insert(key.into(), value);
        };
        add("model", json!("cellular-potts"));
        add("task", json!("cells"));
        add("parameters", Value::Object(self.parameters()));
        let fixed: Map<String, Value> = self.fixed.iter().map(|(name, x)| (name.clone(), json!(x))).collect();
        add("fixed", Value::Object(fixed));
        add("effective", json!(fit.effective));
        add("acceptance", json!(acceptance(fit.acceptance)));
        add("likelihood", json!("exact"));
        add("log_likelihood", json!(fit.log_likelihood));
        add("at_optimum", json!(fit.at_optimum));
        add("verdict", json!(fit.words));
        add("steps", json!(fit.steps));
        add("cells", json!(self.cells));
        add("types", json!(self.type_names));
        add("frames", json!([self.frames.start, self.frames.end]));
        add(
            "updates",
            json!({
                "all": fit.counts.updates,
                "at_boundaries": fit.counts.at_boundaries,
                "changes": fit.counts.changes,
                "impossible": fit.counts.impossible,
            }),
        );
        // An end that is not finite has no number in JSON.
        let end = |x: f64| x.is_finite().then_some(x);
        let classes: Vec<Value> = fit
            .calibration
            .classes
            .iter()
            .map(|class| {
                json!({"from": end(class.costs[0]), "to": end(class.costs[1]), "choices": class.choices,
                       "made": class.made, "expected": class.expected})
            })
            .collect();
        add(
            "calibration",
            json!({"chi_square": fit.calibration.chi_square, "bound": fit.calibration.bound, "classes": classes}),
        );
        add("check", self.check.as_ref().map_or(Value::Null, check_object));
        add("seed", json!(self.seed));
        add("notes", json!(self.all_notes()));
        add("seconds", json!(self.seconds));
        add("version", json!(env!("CARGO_PKG_VERSION")));
        add("out", json!(out));
        Value::Object(object)
    }

    fn parameters(&self) -> Map<String, Value> {
        let fit = &self.fit;
        let one = |place: usize| {
            let mut parameter = json!({
                "estimate": fit.estimate(place),
                "standard_error": fit.error(place),
                "interval": fit.interval(place),
            });
            if fit.error(place).is_none() {
                parameter["no_error_because"] = json!(fit.known[place].words());
            }
            (fit.unknowns[place].name.clone(), parameter)
        };
        (0..fit.unknowns.len()).map(one).collect()
    }

    /// In words, for people.
    pub fn text(&self, out: &Path) -> String {
        let fit = &self.fit;
        let last = self.frames.end - 1;
        let mut text = format!(
            "cellular-potts, {} cells, {}, frames {} to {last}: {}\n",
            self.cells, self.lattice, self.frames.start, fit.words
        );
        for note in &fit.notes {
            text += &format!("{note}\n");
        }
        for note in &self.notes {
            text += &format!("note: {note}\n");
        }
        text += "\n";
        let width = fit.unknowns.iter().map(|unknown| unknown.name.len()).max().unwrap_or(0);
        for (place, unknown) in fit.unknowns.iter().enumerate() {
            text += &format!("{:width$} {}\n", unknown.name, fit.said(place));
        }
        for (name, value) in &self.fixed {
            text += &format!("{name:width$} = {} (fixed)\n", significant(*value, 5));
        }
        text += &format!(
            "\nln likelihood {:.2} of {} site updates, {} of them at boundaries; J and strengths in units of T, {} acceptance\n",
            fit.log_likelihood,
            fit.observations(),
            fit.counts.at_boundaries,
            acceptance(fit.acceptance)
        );
        if let Some(check) = &self.check {
            let errors = if check.within_errors { "drawn within their errors" } else { "as estimated" };
            text += &format!(
                "\n{} simulations of frames {} to {}, parameters {errors}: {check}\n",
                check.replicates,
                check.frames.first().copied().unwrap_or(0),
                check.frames.last().copied().unwrap_or(0),
            );
        }
        text + &format!("\n{:.1} s; result, parameters and check in {}", self.seconds, out.display())
    }

    /// Writes `result.json`, `parameters.json`, and the check as `check.csv` and `check.svg`.
    ///
    /// # Errors
    /// What could not be written, in words.
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        let pretty =
            |value: &Value| serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(words);
        if let Some(check) = &self.check {
            write_whole(folder.join("check.csv"), table(check)).map_err(words)?;
            figure(check).write(folder.join("check.svg")).map_err(words)?;
        }
        let parameters = json!({"parameters": self.parameters(), "effective": self.fit.effective, "verdict": self.fit.words});
        write_whole(folder.join("parameters.json"), pretty(&parameters)?).map_err(words)?;
        write_whole(folder.join("result.json"), pretty(&self.object(folder))?).map_err(words)
    }
}

fn acceptance(acceptance: Acceptance) -> &'static str {
    match acceptance {
        Acceptance::Metropolis => "metropolis",
        Acceptance::HeatBath => "heat-bath",
    }
}

fn check_object(check: &Check) -> Value {
    let quantities: Vec<Value> = check
        .quantities
        .iter()
        .map(|q| {
            json!({"name": q.name, "observed": q.observed, "mean": q.mean, "band": q.band, "probability": q.probability,
                   "departs": q.departs(), "words": q.words(&check.frames)})
        })
        .collect();
    json!({"words": check.words(), "frames": check.frames, "replicates": check.replicates,
           "within_errors": check.within_errors, "quantities": quantities})
}

fn table(check: &Check) -> String {
    let mut text = String::from("quantity,frame,observed,simulated,low,high\n");
    for q in &check.quantities {
        for (place, frame) in check.frames.iter().enumerate() {
            let [low, high] = q.band[place];
            text += &format!("{},{frame},{},{},{low},{high}\n", q.name, q.observed[place], q.mean[place]);
        }
    }
    text
}

fn figure(check: &Check) -> Figure {
    let frames: Vec<f64> = check.frames.iter().map(|frame| *frame as f64).collect();
    let mut figure = Figure::new("The movie and simulations from its estimates").columns(3);
    for q in &check.quantities {
        let (low, high): (Vec<f64>, Vec<f64>) = q.band.iter().map(|[low, high]| (*low, *high)).unzip();
        figure = figure.panel(
            Panel::new(&q.name)
                .x("frame")
                .line("simulated", &frames, &q.mean)
                .band("95 % of simulations", &frames, &low, &high)
                .points("movie", &frames, &q.observed),
        );
    }
    figure
}

//! Says a fit of tracks in words and JSON, and writes it into a folder.

use std::path::Path;

use glauber_cellular_potts::MotionSummary;
use glauber_files::run_folder::write_whole;
use glauber_optimize::verdict::{significant, with_precision};
use glauber_report::plot::{Figure, Panel};
use serde_json::{Map, Value, json};

use crate::tracks::TracksOutcome;

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A number, or null where it is none.
fn number(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { Value::Null }
}

impl TracksOutcome {
    /// As `glauber cells fit --json` prints it; `out` is the folder it stands in.
    pub fn object(&self, out: &Path) -> Value {
        let fit = &self.fit;
        let parameters: Map<String, Value> = (0..fit.unknowns.len())
            .map(|place| {
                let unknown = &fit.unknowns[place];
                let mut parameter = json!({
                    "estimate": fit.estimates[place],
                    "standard_error": fit.errors[place].as_ref().ok(),
                    "interval": fit.intervals[place],
                    "noise_of_simulation": fit.noise[place],
                    "range": [unknown.low, unknown.high],
                });
                if let Err(why) = &fit.errors[place] {
                    parameter["no_error_because"] = json!(why);
                }
                (unknown.name.clone(), parameter)
            })
            .collect();
        let fixed: Map<String, Value> = self.fixed.iter().map(|(name, x)| (name.clone(), json!(x))).collect();
        let motion = |one: &MotionSummary| {
            json!({"speed": number(one.speed), "mean_squared_displacement": one.mean_squared_displacement,
                   "correlation": one.correlation, "half_life": one.half_life})
        };
        let rows: Vec<Value> = fit
            .rows
            .iter()
            .map(|row| json!({"name": row.name, "observed": row.observed, "simulated": row.simulated, "band": row.band}))
            .collect();
        json!({
            "model": "cellular-potts",
            "task": "tracks",
            "parameters": parameters,
            "fixed": fixed,
            "likelihood": "synthetic",
            "errors": "curvature of the synthetic likelihood, the simulations' own noise included",
            "correlations": fit.correlations,
            "at_optimum": fit.at_rest,
            "verdict": fit.words(),
            "describes": fit.bound.map(|_| !fit.departs()),
            "chi_square": number(fit.chi_square),
            "bound": fit.bound,
            "numbers": rows,
            "observed": motion(&fit.observed),
            "simulated": motion(&fit.simulated),
            "tracks": self.tracks,
            "records": self.records,
            "steps_per_frame": self.steps_per_frame,
            "lattice": self.lattice,
            "tracks_simulated": fit.tracks,
            "attempts": fit.attempts,
            "seed": self.seed,
            "notes": self.all_notes(),
            "seconds": self.seconds,
            "version": env!("CARGO_PKG_VERSION"),
            "out": out,
        })
    }

    /// In words, for people.
    pub fn text(&self, out: &Path) -> String {
        let fit = &self.fit;
        let mut text = format!(
            "cellular-potts, {} tracks of up to {} records, {} steps from one to the next: {}\n",
            self.tracks,
            self.records,
            self.steps_per_frame,
            fit.words()
        );
        self.all_notes().iter().skip(1).for_each(|note| text += &format!("note: {note}\n"));
        text.push('\n');
        let names = fit
            .unknowns
            .iter()
            .map(|one| one.name.len())
            .chain(self.fixed.iter().map(|(name, _)| name.len()));
        let width = names.max().unwrap_or(0);
        for (place, unknown) in fit.unknowns.iter().enumerate() {
            let estimate = with_precision(fit.estimates[place], fit.errors[place].as_ref().ok().copied());
            text += &format!("{:width$} = {estimate} {}\n", unknown.name, self.error_in_words(place));
        }
        for (name, value) in &self.fixed {
            text += &format!("{name:width$} = {} (fixed)\n", significant(*value, 5));
        }
        text += "\n± by the curvature of the synthetic likelihood, the simulations' own noise included; strengths and J in units of T\n\n";
        let half =
            |one: &MotionSummary| one.half_life.map_or("beyond the tracks".into(), |x| significant(x, 3));
        text += &format!(
            "speed {} sites a step, simulated {}; half-life of the velocities' autocovariance {} steps, simulated {}\n",
            significant(fit.observed.speed, 4),
            significant(fit.simulated.speed, 4),
            half(&fit.observed),
            half(&fit.simulated)
        );
        for row in &fit.rows {
            let [low, high] = row.band.map(|x| significant(x, 3));
            let apart =
                if row.observed < row.band[0] || row.observed > row.band[1] { "  outside" } else { "" };
            text += &format!(
                "  {}: {}, simulated {}, {low} to {high}{apart}\n",
                row.name,
                significant(row.observed, 3),
                significant(row.simulated, 3)
            );
        }
        text + &format!(
            "\n{} tracks simulated on {}; {:.1} s; result, parameters and check in {}",
            fit.tracks,
            self.lattice,
            self.seconds,
            out.display()
        )
    }

    /// Writes `result.json`, `parameters.json`, and the check as `check.csv` and `check.svg`.
    ///
    /// # Errors
    /// What could not be written, in words.
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        let pretty =
            |value: &Value| serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(words);
        let mut table = String::from("quantity,observed,simulated,low,high\n");
        for row in &self.fit.rows {
            table +=
                &format!("{},{},{},{},{}\n", row.name, row.observed, row.simulated, row.band[0], row.band[1]);
        }
        write_whole(folder.join("check.csv"), table).map_err(words)?;
        self.figure().write(folder.join("check.svg")).map_err(words)?;
        let object = self.object(folder);
        let parameters = json!({"parameters": object["parameters"], "verdict": object["verdict"]});
        write_whole(folder.join("parameters.json"), pretty(&parameters)?).map_err(words)?;
        write_whole(folder.join("result.json"), pretty(&object)?).map_err(words)
    }

    /// Mean squared displacement and correlation of velocities, of the tracks and as simulated.
    fn figure(&self) -> Figure {
        let fit = &self.fit;
        let displacements = fit.observed.mean_squared_displacement.len();
        let rows = |from: usize, count: usize| {
            &fit.rows[from.min(fit.rows.len())..(from + count).min(fit.rows.len())]
        };
        let panel = |title: &str, lags: &[(f64, f64)], from: usize| {
            let own = rows(from, lags.len());
            let at: Vec<f64> = lags.iter().take(own.len()).map(|(lag, _)| *lag).collect();
            let of = |value: fn(&glauber_cellular_potts::MotionRow) -> f64| {
                own.iter().map(value).collect::<Vec<f64>>()
            };
            Panel::new(title)
                .x("steps")
                .log_x()
                .line("simulated", &at, &of(|row| row.simulated))
                .band("95 % of as many cells", &at, &of(|row| row.band[0]), &of(|row| row.band[1]))
                .points("tracks", &at, &of(|row| row.observed))
        };
        Figure::new("The tracks, and cells simulated at the estimates")
            .columns(2)
            .panel(
                panel("mean squared displacement, sites²", &fit.observed.mean_squared_displacement, 1)
                    .log_y(),
            )
            .panel(panel("correlation of velocities", &fit.observed.correlation, 1 + displacements))
    }
}

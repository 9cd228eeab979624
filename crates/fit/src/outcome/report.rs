//! Says an outcome in words for people, and as JSON for scripts.

use std::path::Path;

use glauber_optimize::fit_result::Estimate;
use glauber_optimize::verdict::significant;
use serde_json::{Value, json};

use super::{Fit, FormationTests, Outcome, StartMap};

impl Outcome {
    /// The outcome as `glauber fit --json` prints it; `out` is the folder it stands in.
    pub fn object(&self, out: &Path) -> Value {
        let best = self.best.number;
        let mut object = serde_json::Map::new();
        object.insert("model".into(), json!(self.model));
        object.insert("update".into(), json!(self.update));
        object.insert("task".into(), json!(self.task.name()));
        object.extend(self.fits[best].result.to_json());
        object.insert("notes".into(), json!(self.all_notes()));
        if let Some((_, tests)) = self.fits[best].formation.as_ref().and_then(FormationTests::said) {
            object.insert("formation".into(), tests);
        }
        if let Some((_, start)) = self.start.as_ref().and_then(StartMap::said) {
            object.insert("start".into(), start);
        }
        object.insert("seconds".into(), json!(self.seconds));
        object.insert("version".into(), json!(env!("CARGO_PKG_VERSION")));
        object.insert("out".into(), json!(out));
        let named = |comparison: bool| -> Vec<Value> {
            let chosen = self.fits.iter().filter(|fit| fit.comparison == comparison);
            let entry = |fit: &Fit| {
                let mut entry = fit.result.to_json();
                entry.insert("name".into(), json!(fit.name));
                if let Some(caveat) = &fit.caveat {
                    entry.insert("caveat".into(), json!(caveat));
                }
                Value::Object(entry)
            };
            chosen.map(entry).collect()
        };
        let (starts, compared) = (named(false), named(true));
        if starts.len() > 1 {
            object.insert("best".into(), json!(self.fits[best].name));
            object.insert("starts".into(), json!(starts));
        }
        if !compared.is_empty() {
            object.insert("compared".into(), json!(compared));
        }
        if !self.truth.is_empty() {
            object.insert("truth".into(), json!(self.truth));
        }
        if let Some(drawn) = &self.posterior {
            object.insert("posterior".into(), drawn.object());
        }
        object.insert("about".into(), json!(self.notes));
        Value::Object(object)
    }

    /// The outcome in words, for people; `out` is the folder it stands in.
    pub fn text(&self, out: &Path) -> String {
        let best = &self.best().result;
        let mut text =
            format!("{}, task {}, seed {}: {}\n", self.model, self.task.name(), self.seed, best.verdict);
        for note in self.all_notes().iter().filter(|note| **note != best.verdict) {
            let about_data = self.data_notes.contains(note);
            text += &format!("{}{note}\n", if about_data { "note: " } else { "" });
        }
        text += "\n";
        let width = self.fits.iter().map(|fit| fit.name.len()).max().unwrap_or(0);
        for (number, fit) in self.fits.iter().enumerate() {
            let result = &fit.result;
            for estimate in &result.estimates {
                text += &format!("{:width$}  {}", fit.name, estimate.words());
                text += &self.against_truth(fit, estimate);
                text += &format!("  ({} steps, {})\n", result.steps, result.stopped);
            }
            // Those of the best stand above.
            let others = if number == self.best.number { &[] } else { &result.notes[..] };
            for note in others {
                text += &format!("{:width$}  {note}\n", "");
            }
            if let Some((claim, _)) = fit.formation.as_ref().and_then(FormationTests::said) {
                text += &format!("{:width$}  {claim}\n", "");
            }
        }
        if let Some((start, _)) = self.start.as_ref().and_then(StartMap::said) {
            text += &start;
        }
        if let Some(drawn) = &self.posterior {
            text += &format!("\nposterior: {}\n", drawn.posterior.text());
        }
        text + &format!("\n{:.1} s; result, trace and plot in {}", self.seconds, out.display())
    }

    /// How far an estimate is from the true value, where that is known: in standard errors, where there is one.
    fn against_truth(&self, fit: &Fit, estimate: &Estimate) -> String {
        let (Some(truth), Some(value)) = (self.truth.get(&estimate.name), estimate.found()) else {
            return String::new();
        };
        let off = significant(value - truth, 2);
        let sign = if value >= *truth { "+" } else { "" };
        let Some(error) = estimate.standard_error else {
            return format!("; true {truth}, off by {sign}{off}");
        };
        let far = ((value - truth) / error).abs();
        let verdict = match (far <= 3.0, &fit.caveat) {
            (true, _) => format!("{far:.1} standard errors off"),
            (false, Some(_)) => {
                format!("biased by {sign}{off}, {far:.0} standard errors, as this estimator is known to be")
            }
            (false, None) => format!("off by {sign}{off}, {far:.0} standard errors"),
        };
        format!(", true {truth}: {verdict}")
    }
}

//! Holds the pattern-formation tests of a fit, and keeps their pictures and scores.
//!
//! In the run folder: `formation/step-N.png` and `.npy` (one lattice per layer, so it can be a `data.pattern`) of every
//! test, `formation.csv` with the scores, `formation.svg` with all pictures. A resumed fit reads its earlier tests back.

use std::path::{Path, PathBuf};

use glauber_data::Overwrite;
use glauber_data::arrays::{Array, ReadLimits, read_npy, write_npy};
use glauber_files::run_folder::write_whole;
use glauber_program::Layer;
use glauber_report::frames::{Colouring, ContactSheet, Picture};
use glauber_tasks::formation::{Formation, FormationTest};
use serde_json::{Value, json};

/// Pictures side by side on the sheet.
const COLUMNS: usize = 5;

/// The tests of one fit.
#[derive(Clone, Debug)]
pub struct FormationTests {
    /// What they say together.
    pub claim: String,
    /// The steps of every rollout.
    pub steps: usize,
    /// The rollouts of every test.
    pub rollouts: usize,
    /// The lattice's shape.
    pub shape: Vec<usize>,
    /// The tests, in the order of the fit's steps.
    pub tests: Vec<Formation>,
    /// How long they took.
    pub seconds: f64,
    /// Why there are no more.
    pub failure: Option<String>,
    /// What could not be kept of them.
    pub unwritten: Option<String>,
}

impl FormationTests {
    /// No test yet.
    pub(crate) fn of(test: &FormationTest) -> FormationTests {
        FormationTests {
            claim: String::new(),
            steps: test.steps,
            rollouts: test.rollouts,
            shape: test.shape().to_vec(),
            tests: Vec::new(),
            seconds: 0.0,
            failure: None,
            unwritten: None,
        }
    }

    /// What the tests found, in words and for scripts. What went wrong is among the words: it is no reason to lose the
    /// fit that was watched.
    pub fn said(&self) -> Option<(String, Value)> {
        let wrong = [
            self.failure.as_ref().map(|failure| format!("no more tests: {failure}")),
            self.unwritten.as_ref().map(|failure| format!("not all tests could be kept: {failure}")),
        ];
        let wrong = wrong.into_iter().flatten().collect::<Vec<_>>().join("; ");
        if self.tests.is_empty() {
            return (!wrong.is_empty()).then(|| (wrong.clone(), json!({"verdict": null, "claim": wrong})));
        }
        let mut words = format!("{} ({} tests took {:.1} s)", self.claim, self.tests.len(), self.seconds);
        if !wrong.is_empty() {
            words += &format!("; {wrong}");
        }
        let tests: Vec<Value> = self.tests.iter().map(entry).collect();
        let verdict = self.tests.last().map(|t| t.verdict.word());
        let object = json!({
            "verdict": verdict,
            "claim": words,
            "steps": self.steps,
            "rollouts": self.rollouts,
            "tests": tests
        });
        Some((words, object))
    }
}

/// Where the tests of one fit are kept.
pub(crate) struct TestsFolder<'a> {
    /// The run folder.
    out: &'a Path,
    /// `formation`, or with the fit's name where there are several.
    name: String,
    /// The first layer.
    layer: &'a Layer,
}

impl<'a> TestsFolder<'a> {
    /// That of a fit whose name as a file is this.
    pub(crate) fn new(out: &'a Path, attempt: &str, several: bool, layer: &'a Layer) -> TestsFolder<'a> {
        let name = if several { format!("formation-{attempt}") } else { "formation".to_string() };
        TestsFolder { out, name, layer }
    }

    fn path(&self, step: u64, ending: &str) -> PathBuf {
        self.out.join(&self.name).join(format!("step-{step:06}.{ending}"))
    }

    /// Writes the newest test's picture and state, and all scores anew.
    pub(crate) fn keep_newest(&self, found: &FormationTests) -> Result<(), String> {
        self.keep(found, found.tests.len().saturating_sub(1))
    }

    /// Writes all tests.
    pub(crate) fn keep_all(&self, found: &FormationTests) -> Result<(), String> {
        self.keep(found, 0)
    }

    /// Writes pictures and states from the `first` test on, and all scores anew.
    fn keep(&self, found: &FormationTests, first: usize) -> Result<(), String> {
        if found.tests.is_empty() {
            return Ok(());
        }
        std::fs::create_dir_all(self.out.join(&self.name)).map_err(|e| e.to_string())?;
        for test in &found.tests[first..] {
            let shape: Vec<usize> =
                std::iter::once(test.layers.len()).chain(found.shape.iter().copied()).collect();
            let array = Array::new(shape, test.layers.concat()).map_err(|e| e.to_string())?;
            write_npy(self.path(test.step, "npy"), &array, Overwrite::Replace).map_err(|e| e.to_string())?;
            if let Some(picture) = self.picture(found, test)? {
                let colours = self.colouring(found)?;
                let large = picture
                    .enlarged_for_eyes()
                    .and_then(|p| p.with_legend(&colours))
                    .map_err(|e| e.to_string())?;
                large.write_png(self.path(test.step, "png")).map_err(|e| e.to_string())?;
            }
        }
        if found.shape.len() == 2 {
            self.sheet(found)?
                .write(self.out.join(format!("{}.svg", self.name)))
                .map_err(|e| e.to_string())?;
        }
        let mut csv = "step,variance,correlation,mean_wave_number,verdict,patterns,rollouts\n".to_string();
        for test in &found.tests {
            let s = &test.score;
            // Of a uniform lattice there is neither.
            let [correlation, mean_wave_number] = [s.correlation, s.mean_wave_number]
                .map(|x| if x.is_nan() { String::new() } else { x.to_string() });
            csv += &format!(
                "{},{},{correlation},{mean_wave_number},{},{},{}\n",
                test.step,
                s.variance,
                test.verdict.word(),
                test.patterns,
                found.rollouts
            );
        }
        write_whole(self.out.join(format!("{}.csv", self.name)), csv).map_err(|e| e.to_string())
    }

    fn colouring(&self, found: &FormationTests) -> Result<Colouring, String> {
        let (mut lowest, mut highest) = self.layer.values.range();
        if !(lowest.is_finite() && highest.is_finite()) {
            let numbers = || found.tests.iter().filter_map(|t| t.layers.first()).flatten().copied();
            (lowest, highest) = (numbers().fold(0.0, f64::min), numbers().fold(1.0, f64::max));
        }
        Colouring::of_layer(self.layer, lowest, highest).map_err(|e| e.to_string())
    }

    /// The first layer; none where the lattice is no plane.
    fn picture(&self, found: &FormationTests, test: &Formation) -> Result<Option<Picture>, String> {
        let (&[height, width], Some(layer)) = (&found.shape[..], test.layers.first()) else {
            return Ok(None);
        };
        Picture::of(layer, height, width, &self.colouring(found)?).map(Some).map_err(|e| e.to_string())
    }

    fn sheet(&self, found: &FormationTests) -> Result<ContactSheet, String> {
        let title =
            format!("Layer {} after {} steps from the model's own start", self.layer.name, found.steps);
        let mut sheet =
            ContactSheet::new(title, COLUMNS).key(self.layer.name.clone(), &self.colouring(found)?);
        for test in &found.tests {
            if let Some(picture) = self.picture(found, test)? {
                let caption = format!(
                    "step {}: {}, variance {:.0}",
                    test.step,
                    test.verdict.word(),
                    test.score.variance
                );
                sheet = sheet.with(&picture, caption).map_err(|e| e.to_string())?;
            }
        }
        Ok(sheet)
    }

    /// The tests that an interrupted fit ran before `first`.
    pub(crate) fn earlier(&self, test: &FormationTest, every: u64, first: u64) -> Vec<Formation> {
        let steps = (0..first).step_by(every.max(1) as usize);
        let scores = std::fs::read_to_string(self.out.join(format!("{}.csv", self.name))).unwrap_or_default();
        // The picture is that of one rollout; how many formed a pattern stands among the scores.
        let patterns = |step: u64| -> Option<usize> {
            let mut rows = scores.lines().map(|line| line.split(',').collect::<Vec<_>>());
            rows.find(|row| row[0] == step.to_string())?.get(5)?.parse().ok()
        };
        let read = |step| {
            let array = read_npy(self.path(step, "npy"), ReadLimits { bytes: 1 << 30 }).ok()?;
            let sites = test.shape().iter().product::<usize>().max(1);
            let layers = array.to_f64().chunks_exact(sites).map(<[f64]>::to_vec).collect();
            let found = test.judged(step, layers);
            Some(Formation { patterns: patterns(step).unwrap_or(found.patterns), ..found })
        };
        steps.filter_map(read).collect()
    }
}

fn entry(test: &Formation) -> Value {
    let s = &test.score;
    json!({
        "step": test.step,
        "variance": s.variance,
        "correlation": s.correlation,
        "mean_wave_number": s.mean_wave_number,
        "verdict": test.verdict.word(),
        "patterns": test.patterns,
    })
}

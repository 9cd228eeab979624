//! Watches a fit with a pattern-formation test every n steps, and keeps its pictures and scores.
//!
//! In the run folder: `formation/step-N.png` and `.npy` (one lattice per layer, so it can be a `data.pattern`) of every
//! test, `formation.csv` with the scores, `formation.svg` with all pictures. A resumed fit reads its earlier tests back.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use glauber::data::Overwrite;
use glauber::data::arrays::{Array, ReadLimits, read_npy, write_npy};
use glauber::files::run_folder::write_whole;
use glauber::optimize::fit_result::FitResult;
use glauber::optimize::observer::{Observer, Plan};
use glauber::optimize::trace::Record;
use glauber::program::Layer;
use glauber::report::frames::{Colouring, ContactSheet, Picture};
use glauber::tasks::formation::{Formation, FormationTest};
use serde_json::{Value, json};

/// Pictures side by side on the sheet.
const COLUMNS: usize = 5;

/// Where the tests of one fit go.
pub struct Folder {
    /// The run folder.
    pub out: PathBuf,
    /// `formation`, or with the fit's name where there are several.
    pub name: String,
    /// The first layer.
    pub layer: Layer,
}

/// An observer around another.
pub struct FormationWatch<'a, O: Observer> {
    inner: O,
    test: &'a FormationTest,
    every: u64,
    interrupt: &'a AtomicBool,
    folder: Folder,
    last: u64,
    tests: Vec<Formation>,
    seconds: f64,
    /// Why there are no more tests.
    failure: Option<String>,
    /// What could not be kept of them.
    unwritten: Option<String>,
}

impl<'a, O: Observer> FormationWatch<'a, O> {
    /// Tests at the start, every `every` steps, and at the end.
    pub fn new(
        inner: O,
        test: &'a FormationTest,
        every: u64,
        interrupt: &'a AtomicBool,
        folder: Folder,
    ) -> Self {
        FormationWatch {
            inner,
            test,
            every,
            interrupt,
            folder,
            last: 0,
            tests: Vec::new(),
            seconds: 0.0,
            failure: None,
            unwritten: None,
        }
    }

    /// What the tests found, in words and for scripts. What went wrong is among the words: it is no reason to lose the
    /// fit that was watched.
    pub fn finish(self) -> Option<(String, Value)> {
        let wrong = [
            self.failure.as_ref().map(|failure| format!("no more tests: {failure}")),
            self.unwritten.as_ref().map(|failure| format!("not all tests could be kept: {failure}")),
        ];
        let wrong = wrong.into_iter().flatten().collect::<Vec<_>>().join("; ");
        if self.tests.is_empty() {
            return (!wrong.is_empty()).then(|| (wrong.clone(), json!({"verdict": null, "claim": wrong})));
        }
        let mut words = format!(
            "{} ({} tests took {:.1} s)",
            self.test.claim(&self.tests),
            self.tests.len(),
            self.seconds
        );
        if !wrong.is_empty() {
            words += &format!("; {wrong}");
        }
        let tests: Vec<Value> = self.tests.iter().map(entry).collect();
        let verdict = self.tests.last().map(|t| t.verdict.word());
        Some((
            words.clone(),
            json!({
                "verdict": verdict,
                "claim": words,
                "steps": self.test.steps,
                "rollouts": self.test.rollouts,
                "tests": tests
            }),
        ))
    }

    fn path(&self, step: u64, ending: &str) -> PathBuf {
        self.folder.out.join(&self.folder.name).join(format!("step-{step:06}.{ending}"))
    }

    fn run_test(&mut self, step: u64, theta: &[f64]) {
        if self.failure.is_some() || self.tests.last().is_some_and(|t| t.step >= step) {
            return;
        }
        let begin = Instant::now();
        match self.test.run(theta, step, Some(self.interrupt)) {
            Ok(formation) => {
                self.tests.push(formation);
                self.seconds += begin.elapsed().as_secs_f64();
                if let Err(error) = self.keep() {
                    self.inner.notice(&format!("the formation test could not be kept: {error}"));
                    self.unwritten = Some(error);
                }
            }
            // The fit itself stops before its next step.
            Err(_) if self.interrupt.load(std::sync::atomic::Ordering::Relaxed) => {}
            Err(error) => self.failure = Some(format!("formation test at step {step}: {error}")),
        }
    }

    /// Writes the newest test's picture and state, and all scores anew.
    fn keep(&self) -> Result<(), String> {
        let Some(newest) = self.tests.last() else { return Ok(()) };
        std::fs::create_dir_all(self.folder.out.join(&self.folder.name)).map_err(|e| e.to_string())?;
        let shape: Vec<usize> =
            std::iter::once(newest.layers.len()).chain(self.test.shape().iter().copied()).collect();
        let array = Array::new(shape, newest.layers.concat()).map_err(|e| e.to_string())?;
        write_npy(self.path(newest.step, "npy"), &array, Overwrite::Replace).map_err(|e| e.to_string())?;
        if let Some(picture) = self.picture(newest)? {
            let colours = self.colouring()?;
            let large = picture
                .enlarged_for_eyes()
                .and_then(|p| p.with_legend(&colours))
                .map_err(|e| e.to_string())?;
            large.write_png(self.path(newest.step, "png")).map_err(|e| e.to_string())?;
            self.sheet()?
                .write(self.folder.out.join(format!("{}.svg", self.folder.name)))
                .map_err(|e| e.to_string())?;
        }
        let mut csv = "step,variance,correlation,mean_wave_number,verdict,patterns,rollouts\n".to_string();
        for test in &self.tests {
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
                self.test.rollouts
            );
        }
        write_whole(self.folder.out.join(format!("{}.csv", self.folder.name)), csv).map_err(|e| e.to_string())
    }

    fn colouring(&self) -> Result<Colouring, String> {
        let (mut lowest, mut highest) = self.folder.layer.values.range();
        if !(lowest.is_finite() && highest.is_finite()) {
            let numbers = || self.tests.iter().filter_map(|t| t.layers.first()).flatten().copied();
            (lowest, highest) = (numbers().fold(0.0, f64::min), numbers().fold(1.0, f64::max));
        }
        Colouring::of_layer(&self.folder.layer, lowest, highest).map_err(|e| e.to_string())
    }

    /// The first layer; none where the lattice is no plane.
    fn picture(&self, test: &Formation) -> Result<Option<Picture>, String> {
        let (&[height, width], Some(layer)) = (self.test.shape(), test.layers.first()) else {
            return Ok(None);
        };
        Picture::of(layer, height, width, &self.colouring()?).map(Some).map_err(|e| e.to_string())
    }

    fn sheet(&self) -> Result<ContactSheet, String> {
        let title = format!(
            "Layer {} after {} steps from the model's own start",
            self.folder.layer.name, self.test.steps
        );
        let mut sheet =
            ContactSheet::new(title, COLUMNS).key(self.folder.layer.name.clone(), &self.colouring()?);
        for test in &self.tests {
            if let Some(picture) = self.picture(test)? {
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
    fn earlier(&self, first: u64) -> Vec<Formation> {
        let steps = (0..first).step_by(self.every.max(1) as usize);
        let scores = std::fs::read_to_string(self.folder.out.join(format!("{}.csv", self.folder.name)));
        let scores = scores.unwrap_or_default();
        // The picture is that of one rollout; how many formed a pattern stands among the scores.
        let patterns = |step: u64| -> Option<usize> {
            let mut rows = scores.lines().map(|line| line.split(',').collect::<Vec<_>>());
            rows.find(|row| row[0] == step.to_string())?.get(5)?.parse().ok()
        };
        let read = |step| {
            let array = read_npy(self.path(step, "npy"), ReadLimits { bytes: 1 << 30 }).ok()?;
            let sites = self.test.shape().iter().product::<usize>().max(1);
            let layers = array.to_f64().chunks_exact(sites).map(<[f64]>::to_vec).collect();
            let test = self.test.judged(step, layers);
            Some(Formation { patterns: patterns(step).unwrap_or(test.patterns), ..test })
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

impl<O: Observer> Observer for FormationWatch<'_, O> {
    fn begin(&mut self, plan: &Plan<'_>) {
        self.last = plan.steps;
        self.tests = self.earlier(plan.first);
        self.inner.begin(plan);
    }

    fn step(&mut self, record: &Record, theta: &[f64]) {
        self.inner.step(record, theta);
        if record.step.is_multiple_of(self.every) || record.step == self.last {
            self.run_test(record.step, theta);
        }
    }

    fn notice(&mut self, words: &str) {
        self.inner.notice(words);
    }

    fn end(&mut self, result: &FitResult) {
        if !self.interrupt.load(std::sync::atomic::Ordering::Relaxed) {
            self.run_test(result.steps, &result.theta);
        }
        self.inner.end(result);
    }
}

/// The folder's name for one of several fits.
pub fn folder_name(attempt: &str, several: bool) -> String {
    if several { format!("formation-{attempt}") } else { "formation".to_string() }
}

//! Fits a model to data as a fit file says, and writes what was found.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use glauber::data::Overwrite;
use glauber::files::run_folder::{RunFolder, write_whole};
use glauber::fit::fit_file::FitFile;
use glauber::fit::job::{Attempt, Best, Job, formation_test, prepare};
use glauber::lattice::Values;
use glauber::optimize::checkpoint::CheckpointPolicy;
use glauber::optimize::fit_result::{Estimate, FitResult};
use glauber::optimize::observer::{FitPlan, Observer};
use glauber::optimize::stopping::Stopped;
use glauber::optimize::trace::Record;
use glauber::optimize::verdict::significant;
use glauber::program::Layer;
use glauber::report::plot::{Figure, Panel};
use glauber::report::progress::{Progress, Show};
use glauber::tasks::formation::FormationTest;
use serde_json::{Value, json};

use crate::arguments::Fit;
use crate::commands::curves;
use crate::commands::formation::{self, FormationWatch};
use crate::commands::start;
use crate::outcome::{Failure, Outcome};

static INTERRUPT: AtomicBool = AtomicBool::new(false);

/// Runs `glauber fit`.
pub fn run(arguments: &Fit) -> Result<Outcome, Failure> {
    let begin = Instant::now();
    let mut overrides = arguments.overrides.clone();
    overrides.extend(arguments.seed.map(|s| format!("run.seed={s}")));
    overrides.extend(arguments.threads.map(|t| format!("run.threads={t}")));
    let file = FitFile::load(&arguments.file, &overrides).map_err(Failure::input)?;
    let wanted = arguments.out.clone().or(file.run.out.clone());
    // The folder is claimed first, so that one that cannot be is refused before any work; one that stays empty goes again.
    let claimed = folder(wanted, &arguments.file, arguments.resume)?;
    let out = claimed.path().to_path_buf();
    let mut job = match prepare(&file) {
        Ok(job) => job,
        Err(error) => {
            claimed.abandon();
            return Err(Failure::input(error));
        }
    };
    let _ = ctrlc::set_handler(|| INTERRUPT.store(true, Ordering::Relaxed));
    let show = if arguments.quiet { Show::Silent } else { Show::Auto };
    let formation = Tests::of(&file, &job)?;
    let runs = Runs {
        out: &out,
        show,
        every: file.run.checkpoint_every,
        resume: arguments.resume,
        formation: &formation,
    };
    let (mut results, mut formations) = (Vec::new(), Vec::new());
    for attempt in &mut job.attempts {
        let (result, formed) = runs.run(attempt)?;
        formations.push(formed);
        let interrupted = result.stopped == Stopped::Interrupted;
        results.push(result);
        if interrupted {
            let text = format!(
                "interrupted; carry on with: glauber fit {} --out {} --resume",
                arguments.file.display(),
                out.display()
            );
            let object = json!({"stopped": "interrupted", "out": out});
            return Ok(Outcome::stopped(text, object));
        }
    }
    let best = job.best(&results, Some(&INTERRUPT));
    let diverged = matches!(results[best.number].stopped, Stopped::Diverged { .. });
    let found = if diverged { None } else { start::write(&job, &results[best.number], &out)? };
    let seconds = begin.elapsed().as_secs_f64();
    let (file, job, results, formations, out) = (&file, &job, &results, &formations, &out);
    let report = Report { file, job, results, formations, found, best, seconds, out };
    let done = Outcome::done(report.text(), report.object());
    match report.write() {
        Ok(()) => {
            runs.remove_checkpoints(job);
            // No estimate is no result: whoever reads the exit code or standard output must not take the start for one.
            if diverged { Err(Failure::run(report.text())) } else { Ok(done) }
        }
        // Whoever waited for the result is told it even so; the checkpoints stay, so that a resumed fit ends at once.
        Err(Failure { message, .. }) => {
            let carried = job.attempts.iter().any(|attempt| runs.checkpoint(attempt).exists());
            let remedy =
                if carried { "; make room, then --resume ends the fit again and keeps it" } else { "" };
            let unwritten = format!("the result could not be kept: {message}{remedy}");
            Ok(Outcome { unwritten: Some(unwritten), ..done })
        }
    }
}

/// What a fit writes into its folder whatever its task, besides what shows that a folder holds a run.
const OUTPUTS: &[&str] = &["fit.toml", "trace.svg", "msd.svg", "summary.svg"];

/// The folder for the results: the one asked for, or the first free one (when resuming, the last used) below `out/`.
fn folder(wanted: Option<PathBuf>, file: &Path, resume: bool) -> Result<RunFolder, Failure> {
    let stem = file.file_stem().map_or("fit".into(), |s| s.to_string_lossy().into_owned());
    let below = Path::new("out");
    match (wanted, resume) {
        (Some(folder), false) => RunFolder::new_at(folder, OUTPUTS),
        (None, false) => RunFolder::first_free(below, &stem),
        (Some(folder), true) => RunFolder::resumed(folder),
        (None, true) => {
            RunFolder::resumed(RunFolder::newest(below, &stem).unwrap_or_else(|| below.join(stem)))
        }
    }
    .map_err(Failure::input)
}

/// How all attempts are run.
struct Runs<'a> {
    out: &'a Path,
    show: Show,
    every: u64,
    resume: bool,
    formation: &'a Option<Tests>,
}

/// The formation tests of a job.
struct Tests {
    test: FormationTest,
    every: u64,
    layer: Layer,
    several: bool,
}

impl Tests {
    fn of(file: &FitFile, job: &Job) -> Result<Option<Tests>, Failure> {
        let every = file.run.formation_test.map_or(0, |t| t.every);
        let layer = job.model.declarations().layers.first();
        let layer = layer.cloned().unwrap_or_else(|| Layer::new("", Values::Real));
        let test = formation_test(file).map_err(Failure::input)?;
        Ok(test.map(|test| Tests { test, every, layer, several: job.attempts.len() > 1 }))
    }
}

/// What the formation tests of a fit say, in words and for scripts.
type Formed = Option<(String, Value)>;

impl Runs<'_> {
    fn checkpoint(&self, attempt: &Attempt) -> PathBuf {
        self.out.join(format!("checkpoint-{}", attempt.file_name()))
    }

    fn run(&self, attempt: &mut Attempt) -> Result<(FitResult, Formed), Failure> {
        let policy =
            CheckpointPolicy { path: self.checkpoint(attempt), every: self.every, resume: self.resume };
        let mut watcher =
            Watcher { name: attempt.name.clone(), show: self.show, bar: None, columns: Vec::new() };
        let Some(tests) = self.formation else {
            let result = attempt.run(Some(&mut watcher), Some(&INTERRUPT), Some(policy));
            return result.map(|r| (r, None)).map_err(Failure::run);
        };
        let name = formation::folder_name(&attempt.file_name(), tests.several);
        let folder = formation::Folder { out: self.out.to_path_buf(), name, layer: tests.layer.clone() };
        let mut watch = FormationWatch::new(watcher, &tests.test, tests.every, &INTERRUPT, folder);
        let result = attempt.run(Some(&mut watch), Some(&INTERRUPT), Some(policy)).map_err(Failure::run)?;
        Ok((result, watch.finish()))
    }

    fn remove_checkpoints(&self, job: &Job) {
        for attempt in &job.attempts {
            let _ = std::fs::remove_file(self.checkpoint(attempt));
        }
    }
}

/// Shows a fit's progress.
struct Watcher {
    name: String,
    show: Show,
    bar: Option<Progress>,
    columns: Vec<String>,
}

impl Observer for Watcher {
    fn begin(&mut self, plan: &FitPlan<'_>) {
        self.columns = plan.columns.to_vec();
        self.bar = Some(Progress::resumed(&self.name, plan.first, plan.steps, self.show));
    }

    fn step(&mut self, record: &Record, _theta: &[f64]) {
        if let Some(bar) = &mut self.bar {
            let names = self.columns.iter().map(String::as_str);
            let parameters = names.zip(record.parameters.iter().copied()).take(6);
            let readings: Vec<(&str, f64)> =
                std::iter::once(("loss", record.loss)).chain(parameters).collect();
            bar.update(record.step, &readings);
        }
    }

    fn notice(&mut self, words: &str) {
        if !matches!(self.show, Show::Silent) {
            let _ = writeln!(std::io::stderr(), "{}: {words}", self.name);
        }
    }

    fn end(&mut self, result: &FitResult) {
        if let Some(bar) = self.bar.take() {
            bar.finish(&result.stopped.to_string());
        }
    }
}

/// What is said at the end.
struct Report<'a> {
    file: &'a FitFile,
    job: &'a Job,
    results: &'a [FitResult],
    formations: &'a [Formed],
    found: Option<start::Found>,
    best: Best,
    seconds: f64,
    out: &'a Path,
}

impl Report<'_> {
    fn write(&self) -> Result<(), Failure> {
        for (number, (attempt, result)) in self.job.attempts.iter().zip(self.results).enumerate() {
            let name = match number == self.best.number {
                true => "trace.csv".to_string(),
                false => format!("trace-{}.csv", attempt.file_name()),
            };
            result.trace.write_csv(&self.out.join(name), Overwrite::Replace).map_err(Failure::run)?;
        }
        let figure = self.figure();
        figure.write(self.out.join("trace.svg")).map_err(Failure::run)?;
        let best = self.best.number;
        if !matches!(self.results[best].stopped, Stopped::Diverged { .. }) {
            curves::draw(self.file, &self.job.attempts[best].start, &self.results[best].theta, self.out)?;
        }
        let toml = self.file.to_toml().map_err(Failure::run)?;
        write_whole(self.out.join("fit.toml"), toml).map_err(Failure::run)?;
        let text = serde_json::to_string_pretty(&self.object()).map_err(Failure::run)?;
        write_whole(self.out.join("result.json"), text + "\n").map_err(Failure::run)?;
        Ok(())
    }

    /// One panel per parameter, with a line for every attempt, and one for the loss.
    fn figure(&self) -> Figure {
        let mut figure = Figure::new(format!("{}: {}", self.job.model.name(), self.job.task.name()));
        let steps = |r: &FitResult| r.trace.records.iter().map(|r| r.step as f64).collect::<Vec<_>>();
        for name in &self.results[0].trace.columns {
            let mut panel = Panel::new(name.clone()).x("step").y(name.clone());
            for (attempt, result) in self.job.attempts.iter().zip(self.results) {
                if let Some(values) = result.trace.column(name) {
                    panel = panel.line(attempt.name.clone(), &steps(result), &values);
                }
            }
            if let Some(truth) = self.job.truth.get(name) {
                panel = panel.target(format!("true {truth}"), *truth);
            }
            figure = figure.panel(panel);
        }
        // A likelihood and a distance have no common scale.
        for likelihood in [false, true] {
            let shown = |a: &Attempt| a.objective.likelihood().is_some() == likelihood;
            let own: Vec<_> = self.job.attempts.iter().zip(self.results).filter(|(a, _)| shown(a)).collect();
            if own.is_empty() {
                continue;
            }
            let name = if likelihood { "-ln likelihood per pair" } else { "loss" };
            let mut panel = Panel::new(name).x("step").y(name);
            for (attempt, result) in &own {
                let values: Vec<f64> = result.trace.records.iter().map(|r| r.loss).collect();
                panel = panel.trace(attempt.name.clone(), &steps(result), &values);
            }
            let positive = own.iter().flat_map(|(_, r)| &r.trace.records).all(|r| r.loss > 0.0);
            figure = figure.panel(if positive { panel.log_y() } else { panel });
        }
        figure
    }

    fn object(&self) -> Value {
        let best = self.best.number;
        let mut object = serde_json::Map::new();
        object.insert("model".into(), json!(self.job.model.name()));
        object.insert("task".into(), json!(self.job.task.name()));
        object.extend(self.results[best].to_json());
        object.insert("notes".into(), json!(self.notes()));
        if let Some((_, formed)) = &self.formations[best] {
            object.insert("formation".into(), formed.clone());
        }
        if let Some(found) = &self.found {
            object.insert("start".into(), found.object.clone());
        }
        object.insert("seconds".into(), json!(self.seconds));
        object.insert("version".into(), json!(glauber::VERSION));
        object.insert("out".into(), json!(self.out));
        let named = |comparison: bool| -> Vec<Value> {
            let chosen =
                self.job.attempts.iter().zip(self.results).filter(|(a, _)| a.comparison == comparison);
            let entry = |(attempt, result): (&Attempt, &FitResult)| {
                let mut entry = result.to_json();
                entry.insert("name".into(), json!(attempt.name));
                if let Some(caveat) = &attempt.caveat {
                    entry.insert("caveat".into(), json!(caveat));
                }
                Value::Object(entry)
            };
            chosen.map(entry).collect()
        };
        let (starts, compared) = (named(false), named(true));
        if starts.len() > 1 {
            object.insert("best".into(), json!(self.job.attempts[best].name));
            object.insert("starts".into(), json!(starts));
        }
        if !compared.is_empty() {
            object.insert("compared".into(), json!(compared));
        }
        if !self.job.truth.is_empty() {
            object.insert("truth".into(), json!(self.job.truth));
        }
        object.insert("about".into(), json!(self.job.notes));
        Value::Object(object)
    }

    /// All that a reader must know: of the best fit, of the choice among several, of the data.
    fn notes(&self) -> Vec<String> {
        let own = self.results[self.best.number].notes.iter();
        own.chain(&self.best.words).chain(&self.job.data_notes).chain(&self.job.notes).cloned().collect()
    }

    fn text(&self) -> String {
        let best = &self.results[self.best.number];
        let mut text = format!(
            "{}, task {}, seed {}: {}\n",
            self.job.model.name(),
            self.job.task.name(),
            self.file.run.seed,
            best.verdict
        );
        for note in self.notes().iter().filter(|note| **note != best.verdict) {
            let about_data = self.job.data_notes.contains(note);
            text += &format!("{}{note}\n", if about_data { "note: " } else { "" });
        }
        text += "\n";
        let width = self.job.attempts.iter().map(|a| a.name.len()).max().unwrap_or(0);
        let found = self.job.attempts.iter().zip(self.results).zip(self.formations).enumerate();
        for (number, ((attempt, result), formed)) in found {
            for estimate in &result.estimates {
                text += &format!("{:width$}  {}", attempt.name, estimate.words());
                text += &self.against_truth(attempt, estimate);
                text += &format!("  ({} steps, {})\n", result.steps, result.stopped);
            }
            // Those of the best stand above.
            let others = if number == self.best.number { &[] } else { &result.notes[..] };
            for note in others {
                text += &format!("{:width$}  {note}\n", "");
            }
            if let Some((claim, _)) = formed {
                text += &format!("{:width$}  {claim}\n", "");
            }
        }
        if let Some(found) = &self.found {
            text += &found.text;
        }
        text + &format!("\n{:.1} s; result, trace and plot in {}", self.seconds, self.out.display())
    }

    /// How far an estimate is from the true value, where that is known: in standard errors, where there is one.
    fn against_truth(&self, attempt: &Attempt, estimate: &Estimate) -> String {
        let (Some(truth), Some(value)) = (self.job.truth.get(&estimate.name), estimate.found()) else {
            return String::new();
        };
        let off = significant(value - truth, 2);
        let sign = if value >= *truth { "+" } else { "" };
        let Some(error) = estimate.standard_error else {
            return format!("; true {truth}, off by {sign}{off}");
        };
        let far = ((value - truth) / error).abs();
        let verdict = match (far <= 3.0, &attempt.caveat) {
            (true, _) => format!("{far:.1} standard errors off"),
            (false, Some(_)) => {
                format!("biased by {sign}{off}, {far:.0} standard errors, as this estimator is known to be")
            }
            (false, None) => format!("off by {sign}{off}, {far:.0} standard errors"),
        };
        format!(", true {truth}: {verdict}")
    }
}

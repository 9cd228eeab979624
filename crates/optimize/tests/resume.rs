//! Interrupts fits at random steps and checks that the resumed fit is the uninterrupted one, bit for bit.
#![allow(clippy::unwrap_used)]

mod objectives;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use glauber_optimize::checkpoint::{CheckpointError, CheckpointPolicy};
use glauber_optimize::clipping::Clip;
use glauber_optimize::descent::{Control, Descent, FitError};
use glauber_optimize::fit_result::FitResult;
use glauber_optimize::objective::Objective;
use glauber_optimize::optimizers::{Choice, OPTIMIZERS};
use glauber_optimize::schedule::{LearningRate, Schedule};
use glauber_optimize::stopping::{Plateau, Stopped, StoppingRules, Tolerance};
use glauber_optimize::trace::Record;
use objectives::{Draws, Noisy, Quadratic};

/// Everything at once: averages, both rules, clip, a schedule with a length, a thinned trace.
fn everything(optimizer: Choice) -> Descent {
    let stopping = StoppingRules {
        steps: 300,
        tolerance: Some(Tolerance { change: 1e-12, patience: 1000 }),
        plateau: Some(Plateau { window: 7, improvement: 0.0, patience: 1000 }),
    };
    Descent {
        learning_rate: LearningRate { start: 0.05, schedule: Schedule::Cosine { end: 0.1 }, warm_up: 20 },
        clip: Some(Clip::Norm(0.3)),
        average: 0.5,
        trace_every: 3,
        stopping,
        ..Descent::new(optimizer, 0.05, 300)
    }
}

/// Runs with a checkpoint file, stopping after each of `stops` and resuming; no stops is one uninterrupted run.
fn run_with_stops(
    descent: &Descent,
    make: &dyn Fn() -> Box<dyn Objective>,
    start: &[f64],
    path: &Path,
    every: u64,
    stops: &[u64],
) -> FitResult {
    for &stop in stops {
        let flag = AtomicBool::new(false);
        let mut observer = |record: &Record, _: &[f64]| flag.store(record.step >= stop, Ordering::Relaxed);
        let policy = CheckpointPolicy { path: path.to_path_buf(), every, resume: true };
        let control = Control {
            observer: Some(&mut observer),
            interrupt: Some(&flag),
            checkpoint: Some(policy),
            ..Control::default()
        };
        let result = descent.run(&mut *make(), start, control).unwrap();
        assert_eq!(result.stopped, Stopped::Interrupted);
    }
    let policy = CheckpointPolicy { path: path.to_path_buf(), every, resume: true };
    descent.run(&mut *make(), start, Control { checkpoint: Some(policy), ..Control::default() }).unwrap()
}

/// `{:?}` of f64 is exact, and equal for NaN.
fn exactly(result: &FitResult) -> String {
    format!("{result:?}")
}

#[test]
fn a_fit_interrupted_at_random_steps_is_the_uninterrupted_fit() {
    let folder = tempfile::tempdir().unwrap();
    let mut draws = Draws::new(2026, 0);
    let choices = OPTIMIZERS
        .iter()
        .map(|entry| Choice::new(entry.name))
        .chain([Choice::new("sgd").with("momentum", 0.7)]);
    for (i, choice) in choices.enumerate() {
        let descent = everything(choice);
        let make = || Box::new(Noisy::new(&[0.3, 0.7], 0.1, 5)) as Box<dyn Objective>;
        let start = [0.9, 0.0];
        let whole = descent.run(&mut *make(), &start, Control::default()).unwrap();
        assert_eq!((whole.steps, whole.stopped.word()), (300, "steps"));
        for case in 0..6 {
            let mut stops: Vec<u64> = (0..3).map(|_| draws.next() % 299).collect();
            stops.sort_unstable();
            stops.dedup();
            let path = folder.path().join(format!("{i}-{case}"));
            let resumed = run_with_stops(&descent, &make, &start, &path, [0, 50][case % 2], &stops);
            assert_eq!(
                exactly(&resumed),
                exactly(&whole),
                "{} stopped after {stops:?}",
                descent.optimizer.name
            );
        }
    }
}

#[test]
fn a_field_resumes_too() {
    let folder = tempfile::tempdir().unwrap();
    let descent = Descent { average: 0.3, ..Descent::new(Choice::new("adam"), 0.02, 40) };
    let make = || Box::new(Quadratic::with_field(&[30, 50])) as Box<dyn Objective>;
    let start = vec![0.5; 1501];
    let whole = descent.run(&mut *make(), &start, Control::default()).unwrap();
    let resumed = run_with_stops(&descent, &make, &start, &folder.path().join("c"), 10, &[3, 17, 39]);
    assert_eq!(exactly(&resumed), exactly(&whole));
}

#[test]
fn a_killed_fit_carries_on_from_its_last_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let descent = everything(Choice::new("adam"));
    let make = || Noisy::new(&[0.3, 0.7], 0.1, 5);
    let whole = descent.run(&mut make(), &[0.9, 0.1], Control::default()).unwrap();
    // Steal the file that a run writes at step 50, as if the process had been killed before step 100.
    let copy = folder.path().join("copy");
    let mut observer = |record: &Record, _: &[f64]| {
        if record.step == 99 {
            std::fs::copy(&path, &copy).unwrap();
        }
    };
    let policy = |path: &Path| Some(CheckpointPolicy { path: path.to_path_buf(), every: 50, resume: true });
    let control = Control { observer: Some(&mut observer), checkpoint: policy(&path), ..Control::default() };
    descent.run(&mut make(), &[0.9, 0.1], control).unwrap();
    let mut first = None;
    let mut observer = |record: &Record, _: &[f64]| {
        first.get_or_insert(record.step);
    };
    let control = Control { observer: Some(&mut observer), checkpoint: policy(&copy), ..Control::default() };
    let resumed = descent.run(&mut make(), &[0.9, 0.1], control).unwrap();
    assert_eq!(first, Some(50));
    assert_eq!(exactly(&resumed), exactly(&whole));
}

#[test]
fn resuming_a_finished_fit_gives_its_result_again() {
    let folder = tempfile::tempdir().unwrap();
    for (name, descent) in [
        ("steps", everything(Choice::new("adam"))),
        (
            "tolerance",
            Descent {
                stopping: StoppingRules {
                    tolerance: Some(Tolerance { change: 0.5, patience: 4 }),
                    ..StoppingRules::after(100)
                },
                ..everything(Choice::new("adam"))
            },
        ),
    ] {
        let path = folder.path().join(name);
        let mut count = 0;
        let mut results = Vec::new();
        for _ in 0..2 {
            let mut observer = |_: &Record, _: &[f64]| count += 1;
            let policy = CheckpointPolicy { path: path.clone(), every: 0, resume: true };
            let control =
                Control { observer: Some(&mut observer), checkpoint: Some(policy), ..Control::default() };
            results.push(descent.run(&mut Noisy::new(&[0.3], 0.1, 5), &[0.9], control).unwrap());
        }
        assert_eq!(results[0].stopped.word(), name);
        assert_eq!(exactly(&results[0]), exactly(&results[1]));
        assert_eq!(count, results[0].steps + 2, "the second run evaluates the last step only");
    }
}

#[test]
fn another_fit_is_not_resumed_and_the_difference_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let run = |descent: &Descent, start: f64, resume: bool, data: &str| {
        let policy = CheckpointPolicy { path: path.clone(), every: 0, resume };
        let identity = vec![("data.tracks".to_string(), data.to_string())];
        let control = Control { checkpoint: Some(policy), identity, ..Control::default() };
        descent.run(&mut Quadratic::probability(0.3), &[start], control)
    };
    let descent = Descent::new(Choice::new("adam"), 0.05, 20);
    run(&descent, 0.5, false, "a.csv").unwrap();
    let say = |result: Result<FitResult, FitError>| result.unwrap_err().to_string();
    assert!(matches!(
        run(&descent, 0.5, false, "a.csv"),
        Err(FitError::Checkpoint(CheckpointError::AlreadyThere { .. }))
    ));
    assert!(say(run(&descent, 0.6, true, "a.csv")).contains("start of beta was 0.5 and is now 0.6"));
    assert!(say(run(&descent, 0.5, true, "b.csv")).contains("data.tracks was a.csv and is now b.csv"));
    let faster = Descent::new(Choice::new("adam"), 0.06, 20);
    assert!(say(run(&faster, 0.5, true, "a.csv")).contains("learning-rate.start was 0.05 and is now 0.06"));
    let other = Descent { optimizer: Choice::new("adam").with("beta1", 0.8), ..descent.clone() };
    assert!(say(run(&other, 0.5, true, "a.csv")).contains("optimizer.beta1 was not given and is now 0.8"));
    // More steps of the same fit are the same fit, longer.
    let longer = Descent::new(Choice::new("adam"), 0.05, 60);
    let resumed = run(&longer, 0.5, true, "a.csv").unwrap();
    let whole = longer.run(&mut Quadratic::probability(0.3), &[0.5], Control::default()).unwrap();
    assert_eq!(exactly(&resumed), exactly(&whole));
}

/// A folder that is away stands for a disk that is full: the fit goes on, says so, and tries again.
#[test]
fn a_checkpoint_that_cannot_be_written_does_not_end_the_fit() {
    struct Away<'p> {
        folder: &'p Path,
        back_at: u64,
        told: Vec<String>,
    }
    impl glauber_optimize::observer::Observer for Away<'_> {
        fn step(&mut self, record: &Record, _: &[f64]) {
            if record.step == self.back_at {
                std::fs::create_dir(self.folder).unwrap();
            }
        }
        fn notice(&mut self, words: &str) {
            self.told.push(words.to_string());
        }
    }
    let outside = tempfile::tempdir().unwrap();
    let make = || Noisy::new(&[0.3, 0.7], 0.1, 5);
    for (name, back_at, note) in [
        ("returns", 55, "a checkpoint was refused 2 times, first at step 50, and written later"),
        ("gone", u64::MAX, "and none was written"),
    ] {
        let folder = outside.path().join(name);
        let path = folder.join("checkpoint");
        let methods: [Box<dyn Fn(Control<'_>) -> Result<FitResult, FitError>>; 2] = [
            Box::new(|control| everything(Choice::new("adam")).run(&mut make(), &[0.9, 0.1], control)),
            Box::new(|control| {
                let search = Choice::new("nelder-mead");
                let search = glauber_optimize::gradient_free::GradientFree::new(search, 100, 1);
                search.run(&mut make(), &[0.9, 0.1], control)
            }),
        ];
        for run in methods {
            let _ = std::fs::remove_dir_all(&folder);
            let whole = run(Control::default()).unwrap();
            let mut away = Away { folder: &folder, back_at, told: Vec::new() };
            let checkpoint = Some(CheckpointPolicy { path: path.clone(), every: 50, resume: false });
            let result =
                run(Control { observer: Some(&mut away), checkpoint, ..Control::default() }).unwrap();
            assert_eq!(away.told.len(), 1, "{:?}", away.told);
            assert!(
                away.told[0].starts_with("no checkpoint at step 50, the fit goes on"),
                "{}",
                away.told[0]
            );
            assert_eq!(path.exists(), back_at < 1000);
            assert!(result.notes.iter().any(|n| n.contains(note)), "{:?}", result.notes);
            let noted = FitResult { notes: whole.notes.clone(), ..result };
            assert_eq!(exactly(&noted), exactly(&whole), "the fit itself is the same");
        }
        // Nothing would be left of a fit that is interrupted.
        if back_at == u64::MAX {
            let flag = AtomicBool::new(true);
            let checkpoint = Some(CheckpointPolicy { path, every: 50, resume: false });
            let control = Control { interrupt: Some(&flag), checkpoint, ..Control::default() };
            let error = everything(Choice::new("adam")).run(&mut make(), &[0.9, 0.1], control).unwrap_err();
            assert!(matches!(error, FitError::Checkpoint(_)), "{error}");
        }
    }
}

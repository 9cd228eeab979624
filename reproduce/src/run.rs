//! Runs the parts of all experiments one after another, skipping what is finished, and writes the page.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use glauber_report::html::Verdict;
use glauber_report::progress::{Show, in_time};
use serde_json::{Value, json};

use crate::cells::OpenQuestions;
use crate::error::ReproduceError;
use crate::page;
use crate::part::{Context, Part};
use crate::settings::{Experiment, Settings};
use crate::stability::Stability;
use crate::state::State;
use crate::store::Store;
use crate::study::Study;
use crate::trajectory::Trajectory;
use crate::transition::Transition;

fn study(experiment: Experiment, settings: &Settings) -> Result<Box<dyn Study>, ReproduceError> {
    Ok(match experiment {
        Experiment::Transition => Box::new(Transition::new(settings)),
        Experiment::Trajectory => Box::new(Trajectory::new(settings)),
        Experiment::State => Box::new(State::new(settings)?),
        Experiment::Stability => Box::new(Stability::new(settings)),
        Experiment::Cells => Box::new(OpenQuestions::new(settings)),
    })
}

/// What a reproduction came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The page.
    pub page: PathBuf,
    /// Every claim: its key, what is claimed, what was measured, the verdict.
    pub claims: Vec<(&'static str, String, String, Verdict)>,
    /// Parts that were run, and those that were finished before.
    pub parts: (usize, usize),
    /// The seconds that all parts took, whenever they were run.
    pub seconds: f64,
}

/// Runs what is asked for and writes the page, its figures and numbers below `settings.out`.
///
/// Experiments that were finished in the same folder before keep their place on the page.
///
/// # Errors
/// [`ReproduceError::Input`] where the folder or the data are wrong, [`ReproduceError::Interrupted`] where the flag was
/// raised (what was finished is kept, and a fit under way leaves its checkpoint), [`ReproduceError::Part`] where a
/// part failed.
pub fn reproduce(settings: &Settings, show: Show, interrupt: &AtomicBool) -> Result<Summary, ReproduceError> {
    let studies: Vec<_> =
        settings.experiments.iter().map(|e| study(*e, settings)).collect::<Result<_, _>>()?;
    let what =
        json!({ "version": env!("CARGO_PKG_VERSION"), "quick": settings.quick, "seed": settings.seed });
    let store = Store::open(&settings.out, &what, settings.fresh)?;
    let parts: Vec<Part> = studies.iter().flat_map(|study| study.parts()).collect();
    let run = Run { store: &store, interrupt, show };
    let counts = run.parts(&parts)?;

    let mut shown = Vec::new();
    for experiment in Experiment::ALL {
        let asked = settings.experiments.contains(&experiment);
        let Ok(study) = study(experiment, settings) else { continue };
        let parts = study.parts();
        if asked || parts.iter().all(|part| part.is_finished(&store)) {
            let names: Vec<String> = parts.into_iter().map(|part| part.name).collect();
            shown.push(page::Shown { experiment, findings: study.findings(&store)?, names });
        }
    }
    let page = page::write(&store, settings, &shown)?;
    let names: Vec<&String> = shown.iter().flat_map(|s| &s.names).collect();
    let claims = shown.iter().flat_map(|s| &s.findings.claims);
    Ok(Summary {
        page,
        claims: claims.map(|c| (c.key, c.claim.clone(), c.measured.clone(), c.verdict)).collect(),
        parts: counts,
        seconds: names.iter().map(|name| store.seconds_of(name)).sum(),
    })
}

struct Run<'a> {
    store: &'a Store,
    interrupt: &'a AtomicBool,
    show: Show,
}

impl Run<'_> {
    /// Runs what is not finished; how many parts were run, and how many were not.
    fn parts(&self, parts: &[Part]) -> Result<(usize, usize), ReproduceError> {
        let open: Vec<&Part> = parts.iter().filter(|part| !part.is_finished(self.store)).collect();
        let begin = Instant::now();
        let (mut done, mut left) = (0.0, open.iter().map(|part| part.weight).sum::<f64>());
        for (number, part) in open.iter().enumerate() {
            // Weights are guesses for a slow machine; what this one needs for them shows as it goes.
            let elapsed = begin.elapsed().as_secs_f64();
            let pace = (elapsed + 1.0) / (done + 1.0);
            let time = std::time::Duration::from_secs_f64((left * pace).max(0.0));
            let place = number + 1 + parts.len() - open.len();
            let title = format!("[{place}/{}, {} left] {}", parts.len(), in_time(time), part.about);
            let context =
                Context { store: self.store, interrupt: self.interrupt, show: self.show, part, title };
            context.check()?;
            let began = Instant::now();
            let result: Value = (part.work)(&context)?;
            context.check()?;
            self.store.keep(&part.name, &part.settings, result, began.elapsed().as_secs_f64())?;
            done += part.weight;
            left -= part.weight;
        }
        Ok((open.len(), parts.len() - open.len()))
    }
}

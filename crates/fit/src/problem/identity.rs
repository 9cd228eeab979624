//! Says what a fit's course depends on: its settings, and a digest of everything that was read for it.
//!
//! Paths do not count, contents do: data that were changed under the same name make another fit, and the same data
//! under another name do not.

use glauber_optimize::checkpoint::{Identity, digest, digest_of, flatten};
use glauber_program::{Model, Program};
use glauber_tasks::observation::{Observed, What};
use glauber_tasks::states::States;
use glauber_tasks::tasks::initial_state::ObservedFrame;
use glauber_tasks::tasks::trajectory::Target;
use serde_json::{Value, json};

use super::model::Own;
use crate::fit_file::{FitFile, ModelSource};

/// The keys of `[data]` that hold paths: what is read there is told by its digest.
const PATHS: [&str; 7] = ["tracks", "msd", "curve", "states", "image", "pattern", "truth"];

/// What was read for a fit, each with a digest of its numbers.
#[derive(Clone, Default)]
pub(crate) struct Digests(Identity);

impl Digests {
    /// The model and the data per site that its rules read.
    pub(crate) fn of_model(file: &FitFile, own: &Own) -> Digests {
        let mut digests = Digests::default();
        if let (ModelSource::File(path), None) = (&file.model, &file.given.model) {
            // A rule that was changed in between makes it another fit.
            let text = std::fs::read(path).unwrap_or_default();
            let digest = digest_of(text.into_iter().map(f64::from)).replace("numbers", "bytes");
            digests.add("the text of the model file", digest);
        }
        if let Some(Ok(stored)) = file.given.model.as_ref().map(Model::to_bytes) {
            // Of a model in memory the name says nothing of its rule.
            digests.add("the model", digest_of(stored.into_iter().map(f64::from)));
        }
        for (name, field) in &own.covariates {
            let numbers = field.numbers();
            digests
                .add(&format!("the covariate {name}"), digest_of((0..numbers.len()).map(|i| numbers.at(i))));
        }
        digests
    }

    /// With states, called `what`.
    pub(crate) fn with_states(mut self, what: &str, states: &States) -> Digests {
        let States { runs, times, .. } = states;
        let numbers = states.layers.iter().flat_map(|layer| (0..layer.len()).map(|i| layer.at(i)));
        self.add(what, format!("{runs} runs of {times} times, {}", digest_of(numbers)));
        self.add(
            &format!("the steps of {what}"),
            digest_of(states.steps.iter().map(|step| f64::from(*step))),
        );
        self
    }

    /// With a summary over time.
    pub(crate) fn with_target(mut self, target: &Target) -> Digests {
        let steps: Vec<f64> = target.steps.iter().map(|step| *step as f64).collect();
        self.add("the steps compared", digest(&steps));
        self.add("the data's summary", digest(&target.values));
        if let Some(errors) = &target.errors {
            self.add("the data's standard errors", digest(errors));
        }
        self
    }

    /// With observed frames.
    pub(crate) fn with_frames(mut self, frames: &[ObservedFrame]) -> Digests {
        let steps = frames.iter().map(|frame| frame.step.to_string()).collect::<Vec<_>>().join(", ");
        self.add("the steps observed", steps);
        let numbers = frames.iter().flat_map(|frame| &frame.layers).flatten().copied();
        self.add("the frames observed", digest_of(numbers));
        self
    }

    /// With what was seen, when and with which noise; the numbers are told apart by `with_numbers`.
    pub(crate) fn with_observed(mut self, what: &str, observed: &Observed) -> Digests {
        let Observed { words, steps, noise, .. } = observed;
        self.add(what, format!("{words} after the steps {steps:?}, {}", noise.words()));
        let What::Numbers(own) = &observed.what else { return self };
        if let Some(Ok(stored)) = own.program().map(Program::to_bytes) {
            self.add(&format!("the function of {what}"), digest_of(stored.into_iter().map(f64::from)));
        }
        self
    }

    /// With a list of numbers.
    pub(crate) fn with_numbers(mut self, what: &str, numbers: &[f64]) -> Digests {
        self.add(what, digest(numbers));
        self
    }

    /// With what is said in words.
    pub(crate) fn with_words(mut self, what: &str, words: String) -> Digests {
        self.add(what, words);
        self
    }

    fn add(&mut self, what: &str, value: String) {
        self.0.push((what.to_string(), value));
    }
}

/// Everything a fit's course depends on that its method does not say.
pub(crate) fn identity_of(file: &FitFile, name: &str, read: &Digests) -> Identity {
    let mut identity =
        vec![("attempt".to_string(), name.to_string()), ("task".to_string(), file.task.name().to_string())];
    let mut data = json!(file.data);
    if let Some(table) = data.as_object_mut() {
        PATHS.iter().for_each(|key| drop(table.remove(*key)));
    }
    if let Some(covariates) = data.get_mut("covariates").and_then(Value::as_object_mut) {
        covariates.retain(|_, source| !source.is_string());
    }
    let model = match &file.model {
        ModelSource::Catalogue(name) => json!(name),
        ModelSource::File(_) => json!("a file"),
    };
    let mut estimator = json!({"temperature": file.estimator.temperature, "samples": file.estimator.samples});
    if let (Some(table), Some(radius)) = (estimator.as_object_mut(), *file.estimator.radius.unmarked()) {
        table.insert("radius".to_string(), json!(radius));
    }
    let optimizer = json!({"batch": file.optimizer.batch, "replicates": file.optimizer.replicates});
    let settings = json!({
        "model": model,
        "model-options": file.model_options,
        "data": data,
        "fixed": file.fixed,
        "loss": file.loss,
        "estimator": estimator,
        "optimizer": optimizer,
        "run": {"precision": file.run.precision},
    });
    flatten("", &settings, &mut identity);
    identity.extend(read.0.iter().cloned());
    identity
}

//! Says in words how a model's rule is applied: its update, which sites it reads and writes, colours or events.

use crate::bundle::Bundle;
use crate::estimators::Estimator;
use crate::model::Model;
use crate::program::{Program, Sink};
use crate::scheme::{colouring, footprint};
use crate::update::{Pick, Update};

impl Model {
    /// How the rule is applied, each part under its name: `update`, `footprint`, and `colours` or `events` where there are.
    ///
    /// ```
    /// # use glauber_lattice::{Lattice, Values, VonNeumann};
    /// # use glauber_program::{Model, Update};
    /// let voter = Model::build("voter", Lattice::square(8))
    ///     .layer("opinion", Values::binary())
    ///     .update(Update::Sublattices)
    ///     .step(|s| {
    ///         let there = s.neighbour(VonNeumann);
    ///         s.next("opinion").set(s.layer("opinion").at(there))
    ///     })?;
    /// let said = voter.application();
    /// assert_eq!(said[1].1, "reads 4 others, up to 1 site away; writes the site itself");
    /// assert_eq!(said[2], ("colours", "2".to_string()));
    /// # Ok::<(), glauber_program::ModelError>(())
    /// ```
    pub fn application(&self) -> Vec<(&'static str, String)> {
        let update = self.update();
        let mut said = vec![
            ("update", format!("{}: {}", update.name(), self.words_of_update())),
            ("footprint", footprint(&self.step).to_string()),
        ];
        if *update == Update::Sublattices {
            said.extend(colouring(&self.step).ok().map(|c| ("colours", c.colours.to_string())));
        }
        said.extend(self.events().map(|events| ("events", events)));
        said
    }

    /// What a step is, where it is not all sites at once.
    pub fn update_note(&self) -> Option<String> {
        let update = self.update();
        (*update != Update::Synchronous)
            .then(|| format!("update {}: a step is {}", update.name(), self.words_of_update()))
    }

    /// What a step is, in words; a state among which sites are drawn by its name.
    fn words_of_update(&self) -> String {
        let words = self.update().words();
        let Update::RandomSequential { pick: Pick::Among { layer, state }, .. } = self.update() else {
            return words;
        };
        let named = self.declarations().state_named(layer, *state);
        words.replace(&format!("{layer} is {state}"), &format!("{layer} is {named}"))
    }

    /// The adjoint of a whole step under an estimator; none where sites are updated one after another.
    pub fn adjoint(&self, estimator: &dyn Estimator) -> Option<Program> {
        Bundle::new(self, &[], Some(estimator)).adjoints.map(|adjoints| adjoints.step.whole)
    }

    /// How many events a step has, in words, where that is known before it runs.
    fn events(&self) -> Option<String> {
        let sites = self.declarations().lattice.sites();
        match self.update() {
            Update::Synchronous | Update::Sublattices => None,
            Update::RandomSequential { events: Some(events), .. } => Some(format!("{events} in a step")),
            Update::RandomSequential { pick: Pick::Among { layer, state }, .. } => {
                let state = self.declarations().state_named(layer, *state);
                Some(format!("in a step as many as sites where {layer} is {state}"))
            }
            Update::RandomSequential { .. } => Some(format!("{sites} in a step")),
            Update::ContinuousTime => Some(self.events_in_time(sites)),
        }
    }

    fn events_in_time(&self, sites: usize) -> String {
        if self.step.result(Sink::Fastest).is_some() {
            return format!(
                "in a step on average {sites} times the highest sum of rates that the rule declares (most)"
            );
        }
        let parameters = &self.declarations().parameters;
        let known = parameters.iter().all(|p| p.default.is_some());
        let values: Vec<f64> =
            parameters.iter().map(|p| p.default.unwrap_or_else(|| p.interval.inside())).collect();
        match self.step.highest_rate(&values, 1) {
            None => NO_HIGHEST_RATE.to_string(),
            Some(_) if !known => {
                format!("in a step on average {sites} times the highest sum of rates of a site")
            }
            Some(r) => {
                let mean = r * sites as f64;
                format!(
                    "in a step {mean} on average, where parameters are as usual: {sites} sites, rates of at most {r}"
                )
            }
        }
    }
}

/// That a rule in continuous time cannot be run as it is, and what to give.
pub const NO_HIGHEST_RATE: &str = "no highest sum of rates of a site follows from the rule, as where a rate is made of data \
                                   without bounds: give one, rates([…], most = …) (in a model file most = \"…\" of [update], \
                                   from Rust rates_below)";

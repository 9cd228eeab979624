//! Reads the tables `[priors]` and `[posterior]`: what is thought of parameters before, and how draws are made.

use std::collections::BTreeMap;

use glauber_inference::posterior::{Sampler, Settings};
use glauber_inference::prior::Prior;
use serde::{Serialize, Serializer};

use super::error::FitFileError;
use super::reader::{Key, Reader};

/// The keys of `[posterior]`.
pub const KEYS: &[Key] = &[
    ("chains", "whole number: chains that begin at different places (default 4)"),
    ("draws", "whole number: draws of each chain that are kept (default 1000)"),
    ("warm-up", "whole number: draws before these, in which the sampler learns (default 1000)"),
    (
        "sampler",
        "\"nuts\" or \"random-walk\" (default: nuts where the likelihood has gradients without noise)",
    ),
];

/// A prior as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriorChoice(pub Prior);

impl Serialize for PriorChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string())
    }
}

/// The `[posterior]` table; what is not given has its default when it is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PosteriorChoice {
    /// Chains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chains: Option<u64>,
    /// Draws of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draws: Option<u64>,
    /// Draws before these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<u64>,
    /// How they walk.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "sampler_name")]
    pub sampler: Option<Sampler>,
}

#[allow(clippy::ref_option)] // serde passes references
fn sampler_name<S: Serializer>(sampler: &Option<Sampler>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(sampler.map_or("nuts", Sampler::name))
}

impl PosteriorChoice {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == PosteriorChoice::default()
    }

    /// What the sampler is told.
    pub fn settings(&self, seed: u64) -> Settings {
        let usual = Settings::default();
        let or = |given: Option<u64>, usual: usize| {
            given.map_or(usual, |n| usize::try_from(n).unwrap_or(usize::MAX))
        };
        Settings {
            chains: or(self.chains, usual.chains),
            draws: or(self.draws, usual.draws),
            warm_up: or(self.warm_up, usual.warm_up),
            seed,
            sampler: self.sampler,
        }
    }
}

pub(super) fn read_posterior(mut table: Reader<'_>) -> Result<PosteriorChoice, FitFileError> {
    let words = Sampler::ALL.map(|sampler| (sampler.name(), sampler));
    // Written out, so that a table that is empty is told from none.
    let usual = Settings::default();
    Ok(PosteriorChoice {
        chains: Some(table.count("chains", 1)?.unwrap_or(usual.chains as u64)),
        draws: Some(table.count("draws", 4)?.unwrap_or(usual.draws as u64)),
        warm_up: Some(table.count("warm-up", 20)?.unwrap_or(usual.warm_up as u64)),
        sampler: table.word("sampler", &words)?,
    })
}

pub(super) fn read_priors(mut table: Reader<'_>) -> Result<BTreeMap<String, PriorChoice>, FitFileError> {
    let mut priors = BTreeMap::new();
    for key in table.keys() {
        let place = table.place(&key);
        if let Some(text) = table.text(&key)? {
            let prior = Prior::parse(&text).map_err(|error| table.error(place, error.to_string()))?;
            priors.insert(key, PriorChoice(prior));
        }
    }
    Ok(priors)
}

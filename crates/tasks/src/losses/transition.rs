//! Measures how far one simulated step is from the observed one.
//!
//! | name | formula, mean over the batch | note |
//! |---|---|---|
//! | `pixel` | mean over sites of Σ over layers (x̂ − x)² | |
//! | `count` | Σ over layers (Σ over sites x̂ − Σ over sites x)² | |
//!
//! x̂ is simulated from the observed state before, x observed. Neither is a proper score of the *draws*: the gradient
//! that calibrates probabilities with them is straight-through's, which follows the loss of the means (for `pixel`
//! the Brier score). The unbiased gradient of E(x̂ − x)² leads to probabilities of 0 or 1.
//!
//! Reference: Schering, Keemink & Textor 2023; Brier 1950 for the score.

use glauber_program::{Model, ModelError, Program, Scope, nearest_name};

/// One loss of the list.
#[derive(Clone, Copy)]
pub struct TransitionLoss {
    /// Its name, as in a fit file.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// A learning rate that suits plain gradient descent on it.
    pub usual_rate: f64,
    trace: fn(&Scope, &[String]),
}

/// Every loss. To add one: a function below, and a line here.
pub const TRANSITION_LOSSES: &[TransitionLoss] = &[
    TransitionLoss { name: "pixel", summary: "mean squared error per site", usual_rate: 2.0, trace: pixel },
    TransitionLoss {
        name: "count",
        summary: "squared error of the number of sites",
        usual_rate: 1e-7,
        trace: count,
    },
];

/// The name under which a layer's observed next values are given.
pub fn observed(layer: &str) -> String {
    format!("observed {layer}")
}

impl TransitionLoss {
    /// The loss of this name, or the name most like it.
    ///
    /// # Errors
    /// The nearest right name, where one is like it.
    pub fn named(name: &str) -> Result<TransitionLoss, Option<String>> {
        let found = TRANSITION_LOSSES.iter().find(|l| l.name == name);
        found.copied().ok_or_else(|| nearest_name(name, TRANSITION_LOSSES.iter().map(|l| l.name)))
    }

    /// The observation whose only output is the loss of one replicate.
    ///
    /// # Errors
    /// [`ModelError`] as in [`Model::observe`].
    pub fn observation(&self, model: &Model) -> Result<Program, ModelError> {
        let layers: Vec<String> = model.declarations().layers.iter().map(|l| l.name.clone()).collect();
        model.observe(|s| (self.trace)(s, &layers))
    }
}

fn pixel(s: &Scope, layers: &[String]) {
    let mut total = s.number(0.0);
    for layer in layers {
        let error = s.layer(layer) - s.data(&observed(layer));
        total = total + (error * error).mean();
    }
    s.output("loss", total);
}

fn count(s: &Scope, layers: &[String]) {
    let mut total = s.number(0.0);
    for layer in layers {
        let error = s.layer(layer).sum() - s.data(&observed(layer)).sum();
        total = total + error * error;
    }
    s.output("loss", total);
}

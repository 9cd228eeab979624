//! Says what a slider sets.

/// A number that a slider sets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Knob {
    pub(crate) name: String,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) value: f64,
    /// What it is measured in, where the model says it.
    pub(crate) unit: Option<String>,
}

//! Says where the data come from that a model reads per site.

use std::path::PathBuf;

/// A covariate of a model: data, one number per site.
#[derive(Clone, Debug, PartialEq)]
pub struct Covariate {
    /// Its name.
    pub name: String,
    /// Where its numbers come from.
    pub source: CovariateSource,
}

/// Where the numbers of a covariate come from.
#[derive(Clone, Debug, PartialEq)]
pub enum CovariateSource {
    /// An array of the lattice's shape in a file (a model file's paths are relative to it).
    File(PathBuf),
    /// The same number at every site.
    Constant(f64),
}

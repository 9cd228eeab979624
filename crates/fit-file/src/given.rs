//! Holds what a caller hands over in memory in place of the names and paths of a fit file: a model, arrays, tracks, a curve.

use std::sync::Arc;

use glauber_engine::{BackendName, Observation};
use glauber_program::Model;

use crate::piece::Pieces;
use glauber_data::arrays::Array;
use glauber_data::tracks::{MsdCurve, TableColumn};
use glauber_tasks::covariates::Covariates;

/// What takes the place of what a fit file names.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// In place of `model`.
    pub model: Option<Model>,
    /// What that model reads per site, by name.
    pub covariates: Covariates,
    /// In place of the file of `data.states` or `data.pattern`: arrays by layer.
    pub arrays: Option<Arc<Vec<(String, Array)>>>,
    /// In place of the file of `data.tracks`: the columns of a table of points.
    pub tracks: Option<Arc<Vec<TableColumn>>>,
    /// In place of the file of `data.msd`.
    pub curve: Option<MsdCurve>,
    /// What is seen, where that is no text: traced functions of the state, by the name that stands for `what`.
    pub programs: Vec<(String, Observation)>,
    /// What runs it, where that is not this machine's cores.
    pub backend: Option<BackendName>,
    /// Who does pieces of the job elsewhere.
    pub pieces: Option<Arc<dyn Pieces>>,
    /// How such names are said.
    pub said: std::collections::BTreeMap<String, String>,
}

impl Given {
    /// Whether everything is where the file says.
    pub fn is_empty(&self) -> bool {
        self.model.is_none()
            && self.arrays.is_none()
            && self.tracks.is_none()
            && self.curve.is_none()
            && self.programs.is_empty()
    }
}

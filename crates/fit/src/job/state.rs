//! Sets up fits of the lattice a process started from, and refines what they find.

use super::{Attempts, Made};
use crate::error::JobError;
use crate::problem::Problem;
use glauber_optimize::maps::Map;
use glauber_optimize::objective::Objective;
use glauber_program::Update;
use glauber_tasks::tasks::initial_state::{
    InitialState, InitialStateError, InitialStateSettings, ObservedFrame, Refinement, RefinementSettings,
    StateLoss, refine,
};

/// R where nobody says.
const USUAL_REPLICATES: u64 = 32;
const USUAL_ESTIMATOR: &str = "straight-through";
/// Sites times steps that one candidate's replicates are simulated for, about.
const REFINING_WORK: usize = 60_000_000;

/// What is needed after a fit of an initial state: its objective again, and the truth where it is known.
pub struct StateFit {
    objective: InitialState,
    refinement: RefinementSettings,
    /// Per layer: the sites that truly started on, ascending.
    pub truth: Option<Vec<Vec<usize>>>,
    /// The last observed frame, one field per layer.
    pub last_frame: Vec<Vec<f64>>,
}

impl StateFit {
    /// The expected number of starts per site as fitted, layer after layer.
    pub fn probabilities(&self, theta: &[f64]) -> Vec<f64> {
        self.objective.probabilities(theta)
    }

    /// The fitted map, made into probabilities by [`refine`].
    ///
    /// # Errors
    /// [`InitialStateError`] where a rollout fails.
    pub fn refined(&self, theta: &[f64]) -> Result<Refinement, InitialStateError> {
        refine(&self.objective, theta, self.refinement)
    }
}

/// What all fits share.
pub(super) struct Setup<'a> {
    pub(super) problem: &'a Problem,
    pub(super) frames: &'a [ObservedFrame],
    pub(super) parameters: &'a [f64],
    pub(super) loss: StateLoss,
}

impl Setup<'_> {
    /// What is needed afterwards.
    pub(super) fn fit(&self, truth: Option<Vec<Vec<usize>>>) -> Result<StateFit, JobError> {
        let objective = self.objective(&self.problem.estimator, false)?;
        let steps = self.frames.last().map_or(1, |f| f.step);
        let sites = self.problem.model.declarations().lattice.sites();
        let replicates = (REFINING_WORK / sites.saturating_mul(steps).max(1)).clamp(32, 256);
        let seed = self.problem.file.run.seed;
        let refinement = RefinementSettings { replicates, seed, ..RefinementSettings::default() };
        let last_frame = self.frames.last().map(|f| f.layers.clone()).unwrap_or_default();
        Ok(StateFit { objective, refinement, truth, last_frame })
    }

    fn objective(&self, estimator: &str, comparison: bool) -> Result<InitialState, JobError> {
        let Problem { file, model, covariates, options, .. } = self.problem;
        let update = model.update();
        if update.is_by_events() {
            let sublattices = model.updated(Update::Sublattices).is_ok();
            let other =
                if sublattices { ": give update = \"sublattices\", under which there is one" } else { "" };
            let message = format!(
                "no fit of the state at the start is offered under update = \"{update}\": it takes derivatives by every site's \
                 start, and where sites are updated one after another `differences` have none by it, nor is another estimator \
                 offered{other}"
            );
            return Err(file.wrong("task", message).into());
        }
        let estimator = self.problem.estimator_named(estimator, comparison)?;
        let settings = InitialStateSettings {
            replicates: file.optimizer.replicates.unwrap_or(USUAL_REPLICATES) as usize,
            start_sites: file.data.start_sites.map(|n| n as usize),
            loss: self.loss,
            sparsity: 0.0,
            seed: file.run.seed,
            options: *options,
        };
        let known = (self.parameters, &covariates[..]);
        InitialState::new(model, known, self.frames.to_vec(), &*estimator, settings).map_err(|error| {
            match error {
                InitialStateError::Model(error) => JobError::from(error),
                InitialStateError::Engine(error) => error.into(),
                InitialStateError::NotStates { .. } => file.wrong("model", error.to_string()).into(),
                InitialStateError::TooManyStarts { .. } => {
                    file.wrong("data.start-sites", error.to_string()).into()
                }
                InitialStateError::Frames(_) => file.wrong("data", error.to_string()).into(),
            }
        })
    }
}

impl Attempts for Setup<'_> {
    fn made_by(&self, name: &str, _start: &[f64], comparison: bool) -> Result<Made, JobError> {
        let objective = self.objective(name, comparison)?;
        // Weights that are normalised have no natural scale: only their ratios count.
        let usual = if self.problem.file.data.start_sites.is_some() { Map::Log } else { Map::Logit };
        let method = self.problem.method(objective.unknowns(), Some(usual))?;
        let estimator = self.problem.estimator_named(name, comparison)?;
        let caveat = (estimator.name() != USUAL_ESTIMATOR).then(|| estimator.bias().to_string());
        let (start, caveat) = (objective.usual_start(), caveat.filter(|_| method.is_by_gradient()));
        Ok(Made { objective: Box::new(objective), method, start, caveat, first: None })
    }
}

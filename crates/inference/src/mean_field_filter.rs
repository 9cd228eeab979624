//! Gives an approximate, noiseless likelihood of partly seen sites: the mean-field filter ("CAL").
//!
//! The probabilities of every site's states are carried from one observation to the next by
//! [`mean_field_filter`](glauber_likelihood::mean_field_filter), which says what is left out. ln L is the same number every
//! time; its gradient is by central differences. All runs of an experiment go together.
//!
//! Biased: by −4.5 % where half of a contact process of 64 × 64 sites is seen (docs/observations.md).

use std::sync::Arc;

use glauber_engine::{EngineError, FieldData, Numbers, Observation, Options, Plan, Precision, Run, Start};
use glauber_likelihood::{Filter, mean_field_filter};
use glauber_program::ModelError;
use glauber_tasks::observation::{Design, Experiment, What};
use glauber_tasks::tasks::transition::failed;

use crate::likelihood::{Kind, Likelihood, Parameter, Stop};

/// The name of the route.
pub const ROUTE: &str = "mean-field-filter";

/// The likelihood of a design by its mean-field filter.
#[derive(Clone)]
pub struct MeanFieldFilter {
    shared: Arc<Shared>,
}

struct Shared {
    design: Design,
    filter: Filter,
    plan: Plan,
    parameters: Vec<Parameter>,
    starts: Vec<Option<Vec<Arc<Numbers>>>>,
}

/// Why there is no mean-field filter for a design.
#[derive(Debug, thiserror::Error)]
pub enum MeanFieldError {
    /// The model has none.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Something else than sites is seen.
    #[error(
        "the mean-field filter is for sites that are seen one by one, and `{0}` is a number of the whole state: take \
         route = \"particle-filter\" or \"synthetic-likelihood\""
    )]
    Numbers(String),
    /// Means of runs.
    #[error("experiment `{0}` is a mean of several runs, and the mean-field filter is for single ones")]
    Means(String),
    /// Nothing says how runs start.
    #[error(
        "the mean-field filter needs to know how experiment `{0}` starts: give its start, or a model whose start draws sites apart"
    )]
    Start(String),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl MeanFieldFilter {
    /// The filter of a design; θ starts at `start`.
    ///
    /// # Errors
    /// [`MeanFieldError`] where the model or the design has none.
    pub fn new(design: Design, start: &[f64], options: Options) -> Result<MeanFieldFilter, MeanFieldError> {
        let filter = mean_field_filter(&design.model)?;
        for experiment in &design.experiments {
            if experiment.mean_of > 1 {
                return Err(MeanFieldError::Means(experiment.name.clone()));
            }
            if let Some(other) = experiment.observed.iter().find(|o| matches!(o.what, What::Numbers(_))) {
                return Err(MeanFieldError::Numbers(other.words.clone()));
            }
            if experiment.start.is_none() && filter.model.start.is_none() {
                return Err(MeanFieldError::Start(experiment.name.clone()));
            }
        }
        let options = Options { precision: Precision::Double, ..options };
        let plan =
            Plan::new(&filter.model, &[Observation::Program(filter.likelihood.clone())], None, options)?;
        let starts = design.experiments.iter().map(|e| certain(e, &filter)).collect();
        let unknowns = design.unknowns.iter().zip(start);
        let parameters = unknowns.map(|(u, start)| Parameter::new(&u.name, u.interval, *start)).collect();
        Ok(MeanFieldFilter { shared: Arc::new(Shared { design, filter, plan, parameters, starts }) })
    }

    fn value(&self, theta: &[f64]) -> Result<f64, EngineError> {
        let Shared { design, .. } = &*self.shared;
        let mut total = 0.0;
        for (e, experiment) in design.experiments.iter().enumerate() {
            total += self.experiment(e, experiment, theta)?;
        }
        Ok(if total.is_nan() { f64::NEG_INFINITY } else { total })
    }

    fn experiment(&self, e: usize, experiment: &Experiment, theta: &[f64]) -> Result<f64, EngineError> {
        let Shared { design, filter, plan, starts, .. } = &*self.shared;
        let numbers = design.numbers(theta, e);
        let parameters = design.parameters(&numbers);
        let (runs, sites) = (experiment.runs(), design.model.declarations().lattice.sites());
        let states = filter.seen.len();
        let arguments: Vec<Vec<f64>> =
            experiment.observed.iter().map(|o| design.arguments(o, &numbers)).collect();
        let all: Arc<Vec<u32>> = Arc::new((0..runs as u32).collect());
        let nothing: Vec<(String, FieldData)> =
            filter.seen.iter().map(|name| (name.clone(), FieldData::shared(vec![1.0; sites]))).collect();
        let mut run = Run::new(parameters, 0).replicates(runs);
        run.fields = experiment.covariates.clone();
        if let Some(layers) = &starts[e] {
            let of_each = layers[0].len() > sites;
            let picks = if of_each { all.clone() } else { Arc::new(vec![0; runs]) };
            run.start = Start::States(
                layers.iter().map(|l| FieldData::from_parts(l.clone(), Some(picks.clone()))).collect(),
            );
        }
        let steps = experiment.steps();
        let mut before = experiment.first_step();
        let mut total = 0.0;
        let covariates = run.fields.clone();
        for (place, step) in steps.iter().enumerate() {
            // On to the observation, unless the step that took the last one in has come there.
            if *step > before {
                run.fields = [covariates.clone(), nothing.clone()].concat();
                self.advance(&mut run, (step - before) as usize, before, &all)?;
                before = *step;
            }
            let mut chances = vec![vec![1.0; runs * sites]; states];
            for (observed, arguments) in experiment.observed.iter().zip(&arguments) {
                let (Some(time), What::Sites(selection)) =
                    (observed.steps.iter().position(|own| own == step), &observed.what)
                else {
                    continue;
                };
                let number = |k: usize| {
                    let state = f64::from(filter.lowest + k as i32);
                    selection
                        .state
                        .map_or(state, |own| f64::from(u8::from((state - f64::from(own)).abs() < 0.5)))
                };
                for r in 0..runs {
                    let seen = observed.at(r, time).iter().enumerate().filter(|(_, y)| !y.is_nan());
                    for (site, y) in seen {
                        for (k, chances) in chances.iter_mut().enumerate() {
                            let log =
                                observed.noise.law.ln_probability(*y, number(k), arguments, observed.states);
                            chances[r * sites + site] *= log.exp();
                        }
                    }
                }
            }
            let seen = filter.seen.iter().zip(chances);
            let seen: Vec<(String, FieldData)> = seen
                .map(|(name, own)| {
                    (name.clone(), FieldData::from_parts(Arc::new(own.into()), Some(all.clone())))
                })
                .collect();
            run.fields = [covariates.clone(), seen].concat();
            run.events = vec![(0, 0)];
            let last = place + 1 == steps.len();
            run.steps = usize::from(!last);
            run.wants_last = !last;
            run = run.first_step(before);
            let found = plan.simulate(&run)?;
            total += found.outputs.values.iter().sum::<f64>();
            if !total.is_finite() {
                return Ok(f64::NEG_INFINITY);
            }
            if !last {
                run.start = probabilities(&found.last, states, &all);
                before += 1;
            }
            run.events.clear();
        }
        Ok(total)
    }

    /// Steps at which nobody looked.
    fn advance(
        &self,
        run: &mut Run<'_>,
        steps: usize,
        first: u32,
        all: &Arc<Vec<u32>>,
    ) -> Result<(), EngineError> {
        run.steps = steps;
        run.wants_last = true;
        run.first_step = glauber_engine::FirstStep::Common(first);
        let found = self.shared.plan.simulate(run)?;
        run.start = probabilities(&found.last, self.shared.filter.seen.len(), all);
        Ok(())
    }
}

/// The start that goes on from the last probabilities of every run.
fn probabilities(last: &[Vec<Vec<f64>>], states: usize, all: &Arc<Vec<u32>>) -> Start {
    let layer = |k: usize| {
        let own: Vec<f64> = last.iter().flat_map(|frame| frame[k].iter().copied()).collect();
        FieldData::from_parts(Arc::new(own.into()), Some(all.clone()))
    };
    Start::States((0..states).map(layer).collect())
}

/// Probabilities of 0 and 1 where a start is known.
fn certain(experiment: &Experiment, filter: &Filter) -> Option<Vec<Arc<Numbers>>> {
    let layer = experiment.start.as_ref()?.layers.first()?.clone();
    let state = |k: usize| {
        let own = f64::from(filter.lowest + k as i32);
        let numbers: Vec<f64> =
            (0..layer.len()).map(|i| f64::from(u8::from((layer.at(i) - own).abs() < 0.5))).collect();
        Arc::new(Numbers::from(numbers))
    };
    Some((0..filter.seen.len()).map(state).collect())
}

impl Likelihood for MeanFieldFilter {
    fn parameters(&self) -> &[Parameter] {
        &self.shared.parameters
    }

    fn observations(&self) -> usize {
        self.shared.design.present()
    }

    fn kind(&self) -> Kind {
        Kind::Approximate
    }

    fn route(&self) -> &str {
        ROUTE
    }

    fn log_likelihood(&mut self, at: &[f64], _noise: u64) -> Result<f64, Stop> {
        match self.shared.design.holds(at) {
            true => self.value(at).map_err(failed),
            false => Ok(f64::NEG_INFINITY),
        }
    }

    fn has_gradient(&self) -> bool {
        true
    }

    fn with_gradient(&mut self, at: &[f64], gradient: &mut [f64]) -> Result<f64, Stop> {
        let value = self.log_likelihood(at, 0)?;
        for i in 0..at.len() {
            let interval = self.shared.parameters[i].interval;
            let width = interval.highest - interval.lowest;
            let size = if at[i] == 0.0 { width.min(1.0) } else { at[i].abs().min(width) };
            let mut moved = at.to_vec();
            let mut side = |x: f64| {
                moved[i] = x.clamp(interval.lowest, interval.highest);
                Ok::<_, Stop>((moved[i], self.log_likelihood(&moved, 0)?))
            };
            let ((high, above), (low, below)) = (side(at[i] + 1e-5 * size)?, side(at[i] - 1e-5 * size)?);
            gradient[i] = (above - below) / (high - low);
        }
        Ok(value)
    }

    fn why_impossible(&mut self, at: &[f64]) -> Option<String> {
        Some(match self.shared.design.holds(at) {
            true => "what was seen of a site has probability 0 in every state it may be in".into(),
            false => "a parameter lies outside its interval".into(),
        })
    }

    fn another(&self) -> Box<dyn Likelihood> {
        Box::new(self.clone())
    }
}

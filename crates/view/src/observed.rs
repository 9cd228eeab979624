//! Holds observed states, to be seen beside those of the model.

use std::sync::Arc;

use glauber_engine::{FieldData, Run};
use glauber_tasks::states::States;
use serde_json::{Value, json};

use crate::walk::Walk;

/// More observed states than this are not summarised: curves are made of the first runs.
const MOST_SUMMARISED: usize = 4096;

/// Observed states of a model, and their curves.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub(crate) states: Arc<States>,
    /// For every time the curves' numbers, in the mean over runs.
    numbers: Vec<Vec<f64>>,
    summarised: usize,
}

impl Observed {
    /// States without curves yet.
    pub(crate) fn new(states: Arc<States>) -> Observed {
        Observed { states, numbers: Vec::new(), summarised: 0 }
    }

    /// The step that the first states were seen after.
    pub(crate) fn first_step(&self) -> u32 {
        self.states.steps.first().copied().unwrap_or(0)
    }

    /// The first run's first state, layer by layer.
    pub(crate) fn start(&self) -> Vec<Vec<f64>> {
        self.states.dense(0)
    }

    /// The number of the first run's last state that was seen by this step.
    pub(crate) fn by(&self, step: u32) -> u32 {
        let seen = self.states.steps.partition_point(|known| *known <= step);
        seen.saturating_sub(1) as u32
    }

    /// Takes the curves' numbers of the observed states: a run of no step from each.
    ///
    /// # Errors
    /// What the engine says, in words.
    pub(crate) fn summarise(&mut self, walk: &Walk, parameters: &[f64]) -> Result<(), String> {
        let times = self.states.times;
        self.summarised = self.states.runs.min((MOST_SUMMARISED / times.max(1)).max(1));
        self.numbers = vec![Vec::new(); times];
        for time in 0..times {
            let picks: Arc<Vec<u32>> =
                Arc::new((0..self.summarised).map(|run| (run * times + time) as u32).collect());
            let fields: Vec<FieldData> = self.states.pick(&picks);
            let mut run = Run::new(parameters, 0).replicates(self.summarised).start(fields);
            run.fields = walk.covariates.clone();
            for observation in 0..walk.observations {
                run = run.observe(0, observation);
            }
            let outputs = walk.plan.outputs(&run).map_err(|error| error.to_string())?;
            self.numbers[time] = outputs.mean();
        }
        Ok(())
    }

    /// For the page.
    pub(crate) fn described(&self) -> Value {
        let runs = self.states.runs;
        let of = if self.summarised < runs {
            format!("the first {} of {runs} runs", self.summarised)
        } else {
            format!("{runs} runs")
        };
        json!({"runs": runs, "of": of, "steps": self.states.steps, "numbers": self.numbers})
    }
}

//! Fits without gradients: asks a search for points, evaluates them, tells it their losses.
//!
//! One step of this fit is one round of the search. Its record holds the best point of the round and that point's
//! loss; `rate` is the search's spread, and there is no gradient norm (NaN). A tolerance compares the spread, in free
//! coordinates. Candidates of one round share their noise (iteration = round), or all rounds do (iteration 0) where
//! the search needs it; the answer's own loss has the noise of the round after the last.
//!
//! Checkpoints, interruption, resuming and observers are as in [`crate::descent`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::checkpoint::FitState;
use crate::control::{Control, FitError};
use crate::driver::{Rules, drive};
use crate::fit_result::FitResult;
use crate::identity::identity_of;
use crate::maps::{Map, Maps};
use crate::objective::{Objective, Unknown};
use crate::optimizers::Choice;
use crate::searches::{self, MOST_UNKNOWNS, Search};
use crate::stepper::{Divergence, Ground, Look, Seen, Stepper, natural};
use crate::stopping::StoppingRules;
use crate::verdict::listed;

/// What a gradient-free fit does, as data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GradientFree {
    /// The search, by name, with options.
    pub search: Choice,
    /// Interval maps by unknown, where not the usual ones.
    #[serde(default)]
    pub maps: BTreeMap<String, Map>,
    /// When it ends; a step is a round.
    pub stopping: StoppingRules,
    /// Which rounds the trace keeps: those divisible by this, and the one at which a rule ended it. At least 1.
    pub trace_every: u64,
    /// The seed of the search's own draws and, for the record, of the objective's noise.
    pub seed: u64,
}

impl GradientFree {
    /// A search of so many rounds that keeps every one in its trace.
    pub fn new(search: Choice, rounds: u64, seed: u64) -> GradientFree {
        GradientFree {
            search,
            maps: BTreeMap::new(),
            stopping: StoppingRules::after(rounds),
            trace_every: 1,
            seed,
        }
    }

    /// Runs the search from a start (natural units, as long as θ).
    ///
    /// # Errors
    /// [`FitError`] where a setting, the start or a checkpoint is wrong, there are more than [`MOST_UNKNOWNS`]
    /// unknown numbers, or the objective fails.
    pub fn run(
        &self,
        objective: &mut dyn Objective,
        start: &[f64],
        control: Control<'_>,
    ) -> Result<FitResult, FitError> {
        let rules = Rules {
            maps: &self.maps,
            stopping: self.stopping,
            average: 0.0,
            trace_every: self.trace_every,
            seed: self.seed,
        };
        if let Some(what) = rules.fault() {
            return Err(FitError::Setting(what));
        }
        let mut stepper = Rounds {
            settings: self,
            search: searches::build(&self.search)?,
            points: Vec::new(),
            losses: Vec::new(),
            range: None,
        };
        let identity = |maps: &Maps, others: &_| identity_of(self, true, maps, start, others);
        drive(&rules, &mut stepper, identity, objective, start, control)
    }
}

/// Steps by rounds of points, of which only the losses are told.
struct Rounds<'s> {
    settings: &'s GradientFree,
    search: Box<dyn Search>,
    /// The points of the round that was looked at, in free coordinates, and their losses.
    points: Vec<Vec<f64>>,
    losses: Vec<f64>,
    /// The least and the greatest finite loss that was found.
    range: Option<(f64, f64)>,
}

impl Rounds<'_> {
    /// The losses of this round's points; nothing where told to stop.
    fn evaluate(
        &mut self,
        step: u64,
        ground: &mut Ground<'_>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<()>, FitError> {
        let iteration = self.iteration(step);
        self.losses.clear();
        for point in &mut self.points {
            if stop() {
                return Ok(None);
            }
            ground.maps.project(point);
            if ground.maps.astray(point).is_some() {
                self.losses.push(f64::INFINITY);
                continue;
            }
            let theta = natural(ground.maps, point);
            match ground.value(theta.as_deref().unwrap_or(point), step, iteration)? {
                Some(loss) => self.losses.push(loss),
                None => return Ok(None),
            }
        }
        for loss in self.losses.iter().filter(|loss| loss.is_finite()) {
            let (least, most) = self.range.unwrap_or((*loss, *loss));
            self.range = Some((least.min(*loss), most.max(*loss)));
        }
        Ok(Some(()))
    }

    /// Whose noise a round has.
    fn iteration(&self, step: u64) -> u64 {
        if self.search.takes_fresh_noise() { step } else { 0 }
    }
}

impl Stepper for Rounds<'_> {
    fn begin(&mut self, state: &mut FitState, _ground: &Ground<'_>) -> Result<(), FitError> {
        let length = state.free.len();
        if length == 0 || length > MOST_UNKNOWNS {
            return Err(FitError::Setting(format!(
                "`{}` is for 1 to {MOST_UNKNOWNS} unknown numbers, not {length}: use an optimizer with gradients, `adam` say",
                self.settings.search.name
            )));
        }
        state.memory = self.search.begin(&state.free);
        Ok(())
    }

    fn looks_after_the_last(&self) -> bool {
        false
    }

    fn look(
        &mut self,
        state: &mut FitState,
        ground: &mut Ground<'_>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Look, FitError> {
        let round = state.step;
        self.points = self.search.ask(&state.memory, round, self.settings.seed);
        if self.evaluate(round, ground, stop)?.is_none() {
            return Ok(Look::Interrupted);
        }
        let losses = &self.losses;
        let best = (0..losses.len())
            .filter(|&k| losses[k].is_finite())
            .min_by(|&a, &b| losses[a].total_cmp(&losses[b]));
        let shown = best.unwrap_or(0);
        let theta = natural(ground.maps, &self.points[shown]).unwrap_or_else(|| self.points[shown].clone());
        if best.is_none() && round == 0 {
            let advice =
                "check the data, and start the parameters elsewhere or with a smaller `spread`".into();
            let infinite = losses[0] == f64::INFINITY;
            let why = if infinite { ground.objective.why_infinite(&theta) } else { None };
            let why = why.map_or(String::new(), |why| format!(" ({why})"));
            let what = format!("no point of the first round has a finite loss{why}");
            return Ok(Look::Diverged(Divergence { what, advice }));
        }
        let spread = self.search.spread(&state.memory);
        Ok(Look::Seen(Seen {
            theta: Some(theta),
            loss: losses[shown],
            gradient_norm: f64::NAN,
            rate: spread,
            change: spread,
            course: (Vec::new(), Vec::new()),
            fault: None,
        }))
    }

    fn step(&mut self, state: &mut FitState, _maps: &Maps, _theta: Option<Vec<f64>>) {
        self.search.tell(&mut state.memory, &self.points, &self.losses);
    }

    fn answer(&self, state: &mut FitState) -> Vec<f64> {
        self.search.favourite(&state.memory)
    }

    fn unseen_answer(&self, state: &FitState) -> Option<u64> {
        Some(self.iteration(state.step))
    }

    /// Where no point was better than another.
    fn refuse_unfitted(&self, state: &FitState, unknowns: &[Unknown]) -> Result<(), FitError> {
        let Some((least, most)) = self.range else { return Ok(()) };
        let recorded = state.trace.records.iter().all(|r| r.loss.to_bits() == least.to_bits());
        if state.step == 0 || least.to_bits() != most.to_bits() || !recorded {
            return Ok(());
        }
        let names: Vec<&str> = unknowns.iter().map(|u| u.name.as_str()).collect();
        Err(FitError::NoEffect { rounds: state.step, loss: least, names: listed(&names) })
    }

    fn shows_rest(&self) -> bool {
        false
    }

    fn reached(&self) -> Option<&[bool]> {
        None
    }
}

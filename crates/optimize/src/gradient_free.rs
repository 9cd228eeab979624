//! Runs a gradient-free search over an objective: asks for points, evaluates them, tells their losses.
//!
//! One step of this fit is one round of the search. Its record holds the best point of the round and that point's
//! loss; `rate` is the search's spread, and there is no gradient norm (NaN). A tolerance compares the spread, in free
//! coordinates. Candidates of one round share their noise (iteration = round), or all rounds do (iteration 0) where
//! the search needs it; the answer's own loss has the noise of the round after the last.
//!
//! Checkpoints, interruption, resuming and observers are as in [`crate::descent`].

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use crate::averaging::Average;
use crate::checkpoint::{self, Identity, State};
use crate::course::Course;
use crate::curvature::look;
use crate::descent::{Control, FitError, identity_of};
use crate::fit_result::{Findings, FitResult};
use crate::maps::{Map, Maps};
use crate::objective::{Objective, ObjectiveError, Unknown};
use crate::observer::Plan;
use crate::optimizers::Choice;
use crate::searches::{self, MOST_UNKNOWNS, Search};
use crate::stopping::{Stopped, StoppingRules};
use crate::trace::{Record, Trace, parameters_of};
use crate::verdict::{Known, Verdict, end_of, listed};

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
        if let Some(what) = self.stopping.fault() {
            return Err(FitError::Setting(what));
        }
        if self.trace_every == 0 {
            return Err(FitError::Setting(
                "the trace keeps every 0th step, but must keep at least every 1st".into(),
            ));
        }
        let unknowns = objective.unknowns().to_vec();
        let maps = Maps::new(&unknowns, &self.maps)?;
        let (free, notes) = maps.start(start)?;
        if free.is_empty() || free.len() > MOST_UNKNOWNS {
            return Err(FitError::Setting(format!(
                "`{}` is for 1 to {MOST_UNKNOWNS} unknown numbers, not {}: use an optimizer with gradients, `adam` say",
                self.search.name,
                free.len()
            )));
        }
        let search = searches::build(&self.search)?;
        let blank = State {
            step: 0,
            memory: search.begin(&free),
            stopping: Default::default(),
            last_change: f64::INFINITY,
            previous: Vec::new(),
            caution: 1.0,
            course: Course::new(0),
            average: Average::new(0, Vec::new()),
            trace: Trace::of(&unknowns),
            free,
        };
        let identity = identity_of(self, true, &maps, start, &control.identity);
        let state = match &control.checkpoint {
            None => blank,
            Some(policy) => {
                policy.resume(&identity, blank, (self.stopping.steps / self.trace_every).saturating_add(2))?
            }
        };
        let rounds = Rounds {
            settings: self,
            unknowns,
            maps,
            search,
            saved: None,
            identity,
            state,
            control,
            notes,
            losses: None,
        };
        rounds.run(objective, start)
    }
}

/// A search under way.
struct Rounds<'s, 'c> {
    settings: &'s GradientFree,
    unknowns: Vec<Unknown>,
    maps: Maps,
    search: Box<dyn Search>,
    /// The round of the newest checkpoint.
    saved: Option<u64>,
    identity: Identity,
    state: State,
    control: Control<'c>,
    notes: Vec<String>,
    /// The least and the greatest finite loss that was found.
    losses: Option<(f64, f64)>,
}

impl Rounds<'_, '_> {
    fn run(mut self, objective: &mut dyn Objective, start: &[f64]) -> Result<FitResult, FitError> {
        if let Some(observer) = &mut self.control.observer {
            let columns = &self.state.trace.columns;
            let (first, steps) = (self.state.step, self.settings.stopping.steps);
            observer.begin(&Plan { unknowns: &self.unknowns, columns, first, steps });
        }
        let stopped = self.take_rounds(objective)?;
        let theta = self.natural(&self.search.favourite(&self.state.memory));
        let last_loss = self.state.trace.records.last().map_or(f64::NAN, |record| record.loss);
        let ended = !matches!(stopped, Stopped::Diverged { .. } | Stopped::Interrupted);
        let loss = if ended { self.value(objective, &theta)?.unwrap_or(last_loss) } else { last_loss };
        if ended {
            self.check_effect()?;
        }
        let likelihood = objective.likelihood();
        let length = theta.len();
        let verdict = match (&stopped, likelihood) {
            (Stopped::Diverged { .. }, _) => {
                Verdict::of_all(length, Known::Diverged, None, format!("no estimate: it {stopped}"))
            }
            (Stopped::Interrupted, _) => {
                Verdict::of_all(length, Known::Unfinished, None, "it was interrupted")
            }
            (_, Some(likelihood)) => look(objective, &theta, likelihood.data),
            (_, None) => self.of_loss(&theta),
        };
        let result = Findings {
            unknowns: self.unknowns,
            start,
            theta,
            simulation_noise: None,
            likelihood: likelihood.map(|l| l.route),
            verdict,
            loss,
            steps: self.state.step,
            stopped,
            seed: self.settings.seed,
            trace: self.state.trace,
            notes: self.notes,
        }
        .into_result();
        if let Some(observer) = &mut self.control.observer {
            observer.end(&result);
        }
        Ok(result)
    }

    fn take_rounds(&mut self, objective: &mut dyn Objective) -> Result<Stopped, FitError> {
        loop {
            let round = self.state.step;
            let every = self.control.checkpoint.as_ref().map_or(0, |policy| policy.every);
            if every > 0 && round > 0 && round.is_multiple_of(every) {
                self.save()?;
            }
            if round >= self.settings.stopping.steps {
                self.save()?;
                return Ok(Stopped::Steps);
            }
            let Some((points, losses)) = self.evaluate_round(objective)? else {
                self.save()?;
                return Ok(Stopped::Interrupted);
            };
            let best = (0..losses.len())
                .filter(|&k| losses[k].is_finite())
                .min_by(|&a, &b| losses[a].total_cmp(&losses[b]));
            if best.is_none() && round == 0 {
                let advice =
                    "check the data, and start the parameters elsewhere or with a smaller `spread`".into();
                let theta = self.natural(&points[0]);
                let why = if losses[0] == f64::INFINITY { objective.why_infinite(&theta) } else { None };
                let why = why.map_or(String::new(), |why| format!(" ({why})"));
                let what = format!("no point of the first round has a finite loss{why}");
                return Ok(Stopped::Diverged { step: 0, what, advice });
            }
            let shown = best.unwrap_or(0);
            let theta = self.natural(&points[shown]);
            let rate = self.search.spread(&self.state.memory);
            let parameters = parameters_of(&self.unknowns, &theta);
            let record =
                Record { step: round, loss: losses[shown], gradient_norm: f64::NAN, rate, parameters };
            if let Some(observer) = &mut self.control.observer {
                observer.step(&record, &theta);
            }
            let (stopping, verdict) = self.settings.stopping.observe(self.state.stopping, record.loss, rate);
            if let Some(stopped) = verdict {
                // The state is still the one before this round, so a resume from here repeats it and ends too.
                self.save()?;
                self.state.trace.records.push(record);
                return Ok(stopped);
            }
            self.state.stopping = stopping;
            if round.is_multiple_of(self.settings.trace_every) {
                self.state.trace.records.push(record);
            }
            self.search.tell(&mut self.state.memory, &points, &losses);
            self.state.step += 1;
        }
    }

    /// The points of this round and their losses; `None` where told to stop.
    #[allow(clippy::type_complexity)] // two lists of the same length
    fn evaluate_round(
        &mut self,
        objective: &mut dyn Objective,
    ) -> Result<Option<(Vec<Vec<f64>>, Vec<f64>)>, FitError> {
        let mut points = self.search.ask(&self.state.memory, self.state.step, self.settings.seed);
        let mut losses = Vec::with_capacity(points.len());
        for point in &mut points {
            if self.control.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                return Ok(None);
            }
            self.maps.project(point);
            if self.maps.astray(point).is_some() {
                losses.push(f64::INFINITY);
                continue;
            }
            let theta = self.natural(point);
            match self.value(objective, &theta)? {
                Some(loss) => losses.push(loss),
                None => return Ok(None),
            }
        }
        for loss in losses.iter().filter(|loss| loss.is_finite()) {
            let (least, most) = self.losses.unwrap_or((*loss, *loss));
            self.losses = Some((least.min(*loss), most.max(*loss)));
        }
        Ok(Some((points, losses)))
    }

    /// The loss at θ with this round's noise; `None` where the objective was told to stop.
    fn value(&self, objective: &mut dyn Objective, theta: &[f64]) -> Result<Option<f64>, FitError> {
        let step = self.state.step;
        let iteration = if self.search.takes_fresh_noise() { step } else { 0 };
        match objective.value(theta, iteration) {
            Ok(value) => Ok(Some(value)),
            Err(ObjectiveError::Interrupted) => Ok(None),
            Err(source) => {
                let numbers = parameters_of(&self.unknowns, theta);
                let pairs = self.state.trace.columns.iter().zip(numbers);
                let parameters =
                    pairs.map(|(name, value)| format!("{name} = {value:.6}")).collect::<Vec<_>>().join(", ");
                Err(FitError::Objective { step, parameters, source })
            }
        }
    }

    /// Refuses to call the start a result where no point was better than another.
    fn check_effect(&self) -> Result<(), FitError> {
        let Some((least, most)) = self.losses else { return Ok(()) };
        let recorded = self.state.trace.records.iter().all(|r| r.loss.to_bits() == least.to_bits());
        if self.state.step == 0 || least.to_bits() != most.to_bits() || !recorded {
            return Ok(());
        }
        let names: Vec<&str> = self.unknowns.iter().map(|u| u.name.as_str()).collect();
        Err(FitError::NoEffect { rounds: self.state.step, loss: least, names: listed(&names) })
    }

    /// What is known of a loss that is no likelihood.
    fn of_loss(&self, theta: &[f64]) -> Verdict {
        let mut verdict = Verdict::of_all(
            theta.len(),
            Known::NoLikelihood,
            None,
            "error not known, since the loss is no likelihood",
        );
        let mut words = Vec::new();
        for ((unknown, known), value) in self.unknowns.iter().zip(&mut verdict.known).zip(theta) {
            if let Some(end) = end_of(unknown.interval, *value) {
                words.push(format!("`{}` lies at the end {end} of its interval", unknown.name));
                *known = Known::AtEnd(end);
            }
        }
        if !words.is_empty() {
            (verdict.words, verdict.warns) = (words.join("; "), true);
        }
        verdict
    }

    fn natural(&self, free: &[f64]) -> Vec<f64> {
        let mut theta = vec![0.0; free.len()];
        self.maps.to_natural(free, &mut theta);
        theta
    }

    fn save(&mut self) -> Result<(), FitError> {
        if let Some(policy) = &self.control.checkpoint
            && self.saved != Some(self.state.step)
        {
            checkpoint::write(&policy.path, &self.identity, &self.state)?;
            self.saved = Some(self.state.step);
        }
        Ok(())
    }
}

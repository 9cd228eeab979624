//! Describes one run of a plan: parameters, start, data, how long, how many, observed when, from which seed.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use glauber_lattice::{Lattice, Values};
use glauber_numbers::noise::{Purpose, derive_seed};
use glauber_program::{FieldKind, Signature};

use crate::data::{FieldData, Numbers};
use crate::error::EngineError;

/// How the replicates start.
#[derive(Clone, Debug)]
pub enum Start {
    /// As the model says.
    Model,
    /// From given states: one entry per layer.
    States(Vec<FieldData>),
}

/// How many steps the starting states have behind them.
///
/// It decides the number of every step, which a rule may read and which its noise is made of: a run that carries on
/// from the last state of another goes on where that one stopped, as if it had never stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstStep {
    /// As many for all replicates.
    Common(u32),
    /// One number for each replicate.
    Each(Arc<Vec<u32>>),
}

impl FirstStep {
    /// The steps behind the start of a replicate.
    pub fn of(&self, replicate: usize) -> u32 {
        match self {
            FirstStep::Common(steps) => *steps,
            FirstStep::Each(all) => all.get(replicate).copied().unwrap_or(0),
        }
    }

    fn highest(&self) -> u32 {
        match self {
            FirstStep::Common(steps) => *steps,
            FirstStep::Each(all) => all.iter().copied().max().unwrap_or(0),
        }
    }
}

/// What runs of a plan are checked against.
pub struct Subject {
    /// What the model declares.
    pub signature: Signature,
    /// Whether the model has a start of its own.
    pub has_start: bool,
    /// For each observation, whether it reads the observed next state.
    pub reads_targets: Vec<bool>,
}

/// The seed that a lattice's noise is drawn from where a run has the seed `seed`: lattices of different shapes share no
/// noise.
///
/// ```
/// use glauber_backend::noise_seed;
/// use glauber_lattice::Lattice;
/// assert_eq!(noise_seed(1, &Lattice::square(8)), noise_seed(1, &Lattice::square(8)));
/// assert_ne!(noise_seed(1, &Lattice::square(8)), noise_seed(1, &Lattice::line(64)));
/// ```
pub fn noise_seed(seed: u64, lattice: &Lattice) -> u64 {
    lattice.shape().iter().fold(seed, |seed, length| derive_seed(seed, Purpose::Lattice, *length as u64))
}

/// One run.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// The parameters, in the order of the model's declarations.
    pub parameters: &'a [f64],
    /// How many steps.
    pub steps: usize,
    /// How many independent realisations.
    pub replicates: usize,
    /// The number of the first replicate: decides its noise.
    pub first_replicate: u32,
    /// The seed of all noise.
    pub seed: u64,
    /// How the replicates start.
    pub start: Start,
    /// How many steps the starting states have behind them. Steps of events and of recorders are counted from the start
    /// of this run all the same.
    pub first_step: FirstStep,
    /// Fields by name: covariates, parameter fields, data of observations.
    pub fields: Vec<(String, FieldData)>,
    /// Observed values of each layer, for likelihoods.
    pub targets: Option<Vec<FieldData>>,
    /// What is observed when: (step, observation), steps ascending; step 0 is the start.
    pub events: Vec<(usize, usize)>,
    /// Whether the derivative by the starting state is wanted.
    pub wants_start_gradient: bool,
    /// The parameters, by their places, that a gradient is wanted by: nothing where by all. Those that come for nothing
    /// are given anyway.
    pub wanted: Option<Vec<usize>>,
    /// Whether a simulation hands out the last states (it does unless told otherwise).
    pub wants_last: bool,
    /// Set from outside to stop the run.
    pub interrupt: Option<&'a AtomicBool>,
}

impl<'a> Run<'a> {
    /// The number of each replicate's kind, and how many there are of each: alike are those that start from the same state, with
    /// the same data, at the same step. Where one would be alone, all are taken together: their mean is then a worse guess
    /// of what another would do, but no wrong one.
    ///
    /// ```
    /// use glauber_backend::Run;
    /// assert_eq!(Run::new(&[], 3).replicates(4).kinds(), (vec![0; 4], vec![4]));
    /// ```
    pub fn kinds(&self) -> (Vec<usize>, Vec<usize>) {
        let starts = match &self.start {
            Start::States(layers) => &layers[..],
            Start::Model => &[],
        };
        let fields = self.fields.iter().map(|(_, data)| data);
        let data: Vec<_> = starts.iter().chain(fields).chain(self.targets.iter().flatten()).collect();
        let mut known: Vec<Vec<u32>> = Vec::new();
        let (mut kind, mut count) = (Vec::new(), Vec::new());
        for replicate in 0..self.replicates {
            let mut own: Vec<u32> = data.iter().filter_map(|d| Some(d.picks()?[replicate])).collect();
            if let FirstStep::Each(_) = self.first_step {
                own.push(self.first_step.of(replicate));
            }
            let place = known.iter().position(|k| *k == own).unwrap_or_else(|| {
                known.push(own);
                count.push(0);
                known.len() - 1
            });
            kind.push(place);
            count[place] += 1;
        }
        if count.iter().any(|n| *n < 2) {
            return (vec![0; self.replicates], vec![self.replicates]);
        }
        (kind, count)
    }

    /// One replicate of `steps` steps from the model's own start, seed 1, nothing observed.
    pub fn new(parameters: &'a [f64], steps: usize) -> Run<'a> {
        Run {
            parameters,
            steps,
            replicates: 1,
            first_replicate: 0,
            seed: 1,
            start: Start::Model,
            first_step: FirstStep::Common(0),
            fields: Vec::new(),
            targets: None,
            events: Vec::new(),
            wants_start_gradient: false,
            wanted: None,
            wants_last: true,
            interrupt: None,
        }
    }

    /// The same run with this many replicates.
    pub fn replicates(mut self, replicates: usize) -> Run<'a> {
        self.replicates = replicates;
        self
    }

    /// The same run from this seed.
    pub fn seed(mut self, seed: u64) -> Run<'a> {
        self.seed = seed;
        self
    }

    /// The same run from given states.
    pub fn start(mut self, layers: Vec<FieldData>) -> Run<'a> {
        self.start = Start::States(layers);
        self
    }

    /// The same run from states that have so many steps behind them.
    pub fn first_step(mut self, steps: u32) -> Run<'a> {
        self.first_step = FirstStep::Common(steps);
        self
    }

    /// The same run from states that have so many steps behind them, one number for each replicate.
    pub fn first_steps(mut self, steps: Arc<Vec<u32>>) -> Run<'a> {
        self.first_step = FirstStep::Each(steps);
        self
    }

    /// The same run for its observations alone: a simulation does not copy the last states out.
    pub fn without_last(mut self) -> Run<'a> {
        self.wants_last = false;
        self
    }

    /// The same run with a field.
    pub fn with_field(mut self, name: &str, data: FieldData) -> Run<'a> {
        self.fields.push((name.to_string(), data));
        self
    }

    /// The same run, with an observation of the plan taken after `step` steps too.
    pub fn observe(mut self, step: usize, observation: usize) -> Run<'a> {
        self.events.push((step, observation));
        self.events.sort_by_key(|e| e.0);
        self
    }

    /// The numbers given for a field of the model.
    pub fn field(&self, name: &str) -> Option<&FieldData> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, d)| d)
    }

    /// Whether the derivative by a parameter is wanted.
    pub fn wants_slope(&self, place: usize) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.contains(&place))
    }

    /// Whether the run is to stop.
    pub fn interrupted(&self) -> bool {
        self.interrupt.is_some_and(|i| i.load(std::sync::atomic::Ordering::Relaxed))
    }

    /// Checks everything that can be checked before running.
    ///
    /// # Errors
    /// What does not fit the model, in the user's words.
    pub fn check(&self, subject: &Subject) -> Result<(), EngineError> {
        let signature = &subject.signature;
        let model = || signature.model.clone();
        let length = |what: &str, found: usize, wanted: usize| {
            if found == wanted {
                Ok(())
            } else {
                Err(EngineError::Length { model: model(), what: what.into(), found, wanted })
            }
        };
        if self.replicates == 0 {
            return Err(EngineError::NoReplicates { model: model() });
        }
        if let FirstStep::Each(all) = &self.first_step {
            length("the list of first steps", all.len(), self.replicates)?;
        }
        let last = self.first_step.highest() as u64 + self.steps as u64;
        if last > u64::from(u32::MAX) {
            return Err(EngineError::TooLong { model: model(), last });
        }
        length("the parameter list", self.parameters.len(), signature.parameters.len())?;
        for (parameter, value) in signature.parameters.iter().zip(self.parameters) {
            if !parameter.interval.contains(*value) {
                let (name, interval) = (parameter.name.clone(), parameter.interval.to_string());
                return Err(EngineError::Parameter { model: model(), name, value: *value, interval });
            }
        }
        let sites = signature.lattice.sites();
        match &self.start {
            Start::Model if !subject.has_start => {
                return Err(EngineError::NoStart { model: model() });
            }
            Start::Model => {}
            Start::States(layers) => {
                length("the start (one field per layer)", layers.len(), signature.layers.len())?;
                for (layer, data) in signature.layers.iter().zip(layers) {
                    self.check_field(
                        signature,
                        &format!("the start of layer `{}`", layer.name),
                        data,
                        sites,
                    )?;
                    check_values(&model(), &layer.name, &layer.values, data, sites)?;
                }
            }
        }
        if let Some(targets) = &self.targets {
            length("the observed states (one field per layer)", targets.len(), signature.layers.len())?;
            for (layer, data) in signature.layers.iter().zip(targets) {
                self.check_field(signature, &format!("the observed layer `{}`", layer.name), data, sites)?;
                check_values(&model(), &layer.name, &layer.values, data, sites)?;
            }
        }
        for (name, data) in &self.fields {
            let what = format!("field `{name}`");
            self.check_field(signature, &what, data, sites)?;
            let kind = signature.fields.iter().find(|f| f.name == *name).map(|f| f.kind);
            let (range, wanted) = match kind {
                Some(FieldKind::Parameter(i)) => ((i.lowest, i.highest), format!("in {i}")),
                _ => ((f64::NEG_INFINITY, f64::INFINITY), "a finite number".to_string()),
            };
            check_numbers(&model(), &what, range, false, &wanted, data, sites)?;
        }
        for (step, observation) in &self.events {
            if *step > self.steps || *observation >= subject.reads_targets.len() {
                let what = format!("observation {observation} after step {step}: the list of observations");
                let found = subject.reads_targets.len();
                return Err(EngineError::Length { model: model(), what, found, wanted: observation + 1 });
            }
        }
        let reads_targets = self.events.iter().any(|(_, observation)| subject.reads_targets[*observation]);
        if reads_targets && self.targets.is_none() {
            return Err(EngineError::MissingField { model: model(), name: "observed next state".into() });
        }
        Ok(())
    }

    fn check_field(
        &self,
        signature: &Signature,
        what: &str,
        data: &FieldData,
        sites: usize,
    ) -> Result<(), EngineError> {
        let model = signature.model.clone();
        let found = data.numbers.len();
        let Some(picks) = data.picks() else {
            return match found == sites {
                true => Ok(()),
                false => Err(EngineError::Length { model, what: what.into(), found, wanted: sites }),
            };
        };
        if picks.len() != self.replicates {
            let what = format!("the choice of states for {what}");
            return Err(EngineError::Length { model, what, found: picks.len(), wanted: self.replicates });
        }
        let highest = picks.iter().max().map_or(0, |p| *p as usize + 1);
        if found % sites != 0 || found < highest * sites {
            return Err(EngineError::Length { model, what: what.into(), found, wanted: highest * sites });
        }
        Ok(())
    }
}

/// Checks that data lies in a layer's range.
fn check_values(
    model: &str,
    layer: &str,
    values: &Values,
    data: &FieldData,
    sites: usize,
) -> Result<(), EngineError> {
    let (what, wanted) = (format!("layer `{layer}`"), values.to_string());
    check_numbers(model, &what, values.range(), values.is_integer(), &wanted, data, sites)
}

/// Checks that the numbers a run uses are finite, in a range, and whole where wanted.
fn check_numbers(
    model: &str,
    what: &str,
    (lowest, highest): (f64, f64),
    whole: bool,
    wanted: &str,
    data: &FieldData,
    sites: usize,
) -> Result<(), EngineError> {
    let bad = |x: f64| !((x >= lowest) & (x <= highest) & x.is_finite()) | (whole & (x.fract().abs() > 0.0));
    let first_bad = |stretch: Range<usize>| match &*data.numbers {
        Numbers::Bytes(v) => {
            let used = &v[stretch];
            let (least, most) = used.iter().fold((255, 0), |(a, b): (u8, u8), x| (a.min(*x), b.max(*x)));
            let all_good = used.is_empty() || !(bad(f64::from(least)) || bad(f64::from(most)));
            if all_good { None } else { used.iter().position(|x| bad(f64::from(*x))) }
        }
        Numbers::Reals(v) => {
            let used = &v[stretch];
            // Without a way out of the loop it is a vector's work; the place is looked for only where there is one.
            let any = used.iter().fold(false, |any, x| any | bad(*x));
            if any { used.iter().position(|x| bad(*x)) } else { None }
        }
    };
    let position = match data.picks() {
        None => first_bad(0..data.numbers.len()),
        Some(picks) => picks.iter().find_map(|p| {
            let from = *p as usize * sites;
            first_bad(from..from + sites).map(|place| from + place)
        }),
    };
    match position {
        None => Ok(()),
        Some(position) => Err(EngineError::Data {
            model: model.to_string(),
            what: what.to_string(),
            value: data.numbers.at(position),
            position,
            wanted: wanted.to_string(),
        }),
    }
}

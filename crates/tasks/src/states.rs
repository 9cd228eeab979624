//! Holds observed lattices: for each layer, runs of states at successive times, and the step each time was seen after.

mod meanings;
mod times;

pub use meanings::{another_update, is_about_states, names_of_states, update_of_states};
pub use times::{mask_array, of_another_name, times_name, unread_arrays};

use std::sync::{Arc, Mutex};

use glauber_engine::{EngineError, FieldData, Frame, Numbers, Options, Plan, Recorder, Run};
use glauber_program::{Model, Signature, Update};

use glauber_data::arrays::{Array, Values as ArrayValues};
use glauber_data::no_data_sign;

/// What is wrong with observed lattices.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StatesError {
    /// Named states whose numbers mean other ones.
    #[error(
        "the states of layer `{layer}` are {found} in the data, but {wanted} in model `{model}`: their numbers mean other states; give \
         the data of this model, or, where the numbers are meant, leave the array `names of states` out of the data"
    )]
    OtherStates {
        /// The layer.
        layer: String,
        /// The model.
        model: String,
        /// The data's states.
        found: String,
        /// The model's.
        wanted: String,
    },
    /// A layer that the data have not.
    #[error("the data have no array `{layer}`, but model `{model}` has that layer; they have {found}")]
    MissingLayer {
        /// The model.
        model: String,
        /// The layer.
        layer: String,
        /// The arrays there are.
        found: String,
    },
    /// An array that is not shaped [run, time, …lattice].
    #[error(
        "array `{layer}` has shape {found:?}, but model `{model}` lives on {lattice:?}: \
         give [run, time, {lattice_text}], [time, {lattice_text}] or [{lattice_text}], or set the lattice's shape under [model-options]"
    )]
    Shape {
        /// The model.
        model: String,
        /// The layer.
        layer: String,
        /// The array's shape.
        found: Vec<usize>,
        /// The lattice's shape.
        lattice: Vec<usize>,
        /// The lattice's shape as text.
        lattice_text: String,
    },
    /// Layers of different numbers of runs or times.
    #[error(
        "array `{layer}` has {} runs of {} times, but the first layer has {} of {}: give all layers alike", .found.0, .found.1,
        .wanted.0, .wanted.1
    )]
    Unlike {
        /// The layer.
        layer: String,
        /// Its runs and times.
        found: (usize, usize),
        /// The first layer's.
        wanted: (usize, usize),
    },
    /// A value that its layer cannot hold.
    #[error("array `{layer}`, run {run}, time {time}, site {site}: {value} is not {values}{}", remedy_for(*.value, .values))]
    Value {
        /// The layer.
        layer: String,
        /// Which run.
        run: usize,
        /// Which time.
        time: usize,
        /// Which site.
        site: usize,
        /// What was found.
        value: f64,
        /// What the layer holds.
        values: String,
    },
    /// Steps that are none.
    #[error(
        "array `{array}`: {problem}; it must hold the step after which each time was seen, whole numbers that rise, one \
         for each time: correct it, or give it another name and say how far apart the times are by `data.interval` and \
         `data.step-time`"
    )]
    Times {
        /// The array.
        array: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An array that looks like times, under a name that is not read.
    #[error(
        "array `{array}` looks like times, which are read from an array `{wanted}` alone: call it `{wanted}` if it holds the \
         step after which each time was seen; else leave it out, and say how far apart the times are by `data.interval` \
         and `data.step-time`"
    )]
    LikeTimes {
        /// The array.
        array: String,
        /// The name that is read.
        wanted: String,
    },
    /// Nothing to fit.
    #[error("{0}")]
    Empty(String),
    /// The simulation of reference data failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Observed lattices of a model: one entry per layer, \[run\]\[time\]\[site\].
///
/// ```
/// use glauber_tasks::states::States;
/// use glauber_models::{ModelOptions, named};
/// let model = named("susceptible-infected", &ModelOptions::none().with("shape", vec![16.0, 16.0]))?;
/// let states = States::simulate(&model, &[0.3], 10, 4, 1)?;
/// assert_eq!((states.runs, states.times), (4, 11));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct States {
    /// One entry per layer, in the order of the model's declarations.
    pub layers: Vec<Arc<Numbers>>,
    /// How many runs.
    pub runs: usize,
    /// How many times per run, the start included.
    pub times: usize,
    /// How many sites.
    pub sites: usize,
    /// After how many steps of the process each time was seen, ascending; the same for every run. 0 is its start.
    pub steps: Vec<u32>,
    /// Whether the data themselves say so; else the times are taken to be 0, 1, 2 … steps.
    pub timed: bool,
    /// Under which update they were simulated ([`glauber_program::Update::in_full`]), where they say so.
    pub update: Option<String>,
}

impl States {
    /// Runs the model's own start for `steps` steps, `runs` times.
    ///
    /// # Errors
    /// [`StatesError::Engine`] as in [`Plan::simulate`].
    pub fn simulate(
        model: &Model,
        parameters: &[f64],
        steps: usize,
        runs: usize,
        seed: u64,
    ) -> Result<States, StatesError> {
        let plan = Plan::new(model, &[], None, Options::default())?;
        let run = Run::new(parameters, steps).replicates(runs).seed(seed);
        States::record(&plan, &run)
    }

    /// Records every state of a run.
    ///
    /// # Errors
    /// [`StatesError::Engine`] as in [`Plan::simulate`].
    pub fn record(plan: &Plan, run: &Run<'_>) -> Result<States, StatesError> {
        States::record_every(plan, run, 1)
    }

    /// Records the states of steps 0, every, 2 · every … of a run.
    ///
    /// # Errors
    /// [`StatesError::Engine`] as in [`Plan::simulate`].
    pub fn record_every(plan: &Plan, run: &Run<'_>, every: usize) -> Result<States, StatesError> {
        Ok(States::record_with_last(plan, run, every)?.0)
    }

    /// Records the states of steps 0, every, 2 · every … of a run, and apart from them those of its last step, where
    /// the run wants them: one time per run.
    ///
    /// # Errors
    /// [`StatesError::Engine`] as in [`Plan::simulate`].
    pub fn record_with_last(
        plan: &Plan,
        run: &Run<'_>,
        every: usize,
    ) -> Result<(States, States), StatesError> {
        let declarations = plan.declarations();
        let every = every.max(1);
        let shelf = Shelf {
            every,
            frames: (0..run.replicates).map(|_| Mutex::new(Vec::new())).collect(),
            bytes: declarations
                .layers
                .iter()
                .map(|l| fits_bytes(l.values.range(), l.values.is_integer()))
                .collect(),
        };
        let last = plan.simulate_recorded(run, Some(&shelf))?.last;
        let first = run.first_step.of(0);
        let steps = (0..=run.steps).step_by(every).map(|step| first + step as u32).collect();
        let bytes = shelf.bytes;
        let frames =
            shelf.frames.into_iter().flat_map(|own| own.into_inner().unwrap_or_else(|e| e.into_inner()));
        let sites = declarations.lattice.sites();
        let of = |layers: Vec<Arc<Numbers>>, steps: Vec<u32>| States {
            layers,
            runs: run.replicates,
            times: steps.len(),
            sites,
            steps,
            timed: true,
            update: Some(plan.update().in_full()),
        };
        let states = of(joined(&bytes, frames), steps);
        let last = last.into_iter().map(|frame| numbers(&bytes, frame));
        Ok((states, of(joined(&bytes, last), vec![first + run.steps as u32])))
    }

    /// Takes arrays named as the layers, of shape [run, time, …lattice], [time, …lattice] or […lattice]. A model of one
    /// layer takes a single array of any name. An array `times` besides holds the step after which each time was seen
    /// ([`times_name`]), another the names of the states ([`names_of_states`]).
    ///
    /// # Errors
    /// [`StatesError`] naming the layer, and the place of a value that it cannot hold.
    pub fn from_arrays(signature: &Signature, arrays: &[(String, Array)]) -> Result<States, StatesError> {
        let model = signature.model.clone();
        meanings::check(signature, arrays)?;
        let update = meanings::update(signature, arrays);
        let unread = times::unread(signature, arrays);
        let (steps, arrays) = times::split(signature, arrays);
        if let (None, Some(array)) = (steps, unread.iter().find(|(name, a)| times::is_like_times(name, a))) {
            let (array, wanted) = (array.0.clone(), times_name(signature).to_string());
            return Err(StatesError::LikeTimes { array, wanted });
        }
        let mut layers = Vec::new();
        let mut extent: Option<(usize, usize)> = None;
        for layer in &signature.layers {
            let only = signature.layers.len() == 1 && arrays.len() == 1;
            let found = arrays.iter().find(|(name, _)| *name == layer.name || only);
            let (_, array) = found.ok_or_else(|| StatesError::MissingLayer {
                model: model.clone(),
                layer: layer.name.clone(),
                found: arrays.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(", "),
            })?;
            let own = runs_and_times(signature, &layer.name, array.shape())?;
            let wanted = *extent.get_or_insert(own);
            if own != wanted {
                return Err(StatesError::Unlike { layer: layer.name.clone(), found: own, wanted });
            }
            layers.push(Arc::new(checked_numbers(signature, layer, array, own.1)?));
        }
        let (runs, times) = extent.unwrap_or((0, 0));
        if runs == 0 || times == 0 {
            return Err(StatesError::Empty(
                "the observed lattices hold no state: give at least one run with two times".into(),
            ));
        }
        let timed = steps.is_some();
        let steps = match steps {
            Some(array) => times::steps_of(signature, array, times)?,
            None => (0..times as u32).collect(),
        };
        Ok(States { layers, runs, times, sites: signature.lattice.sites(), steps, timed, update })
    }

    /// That they were simulated under another update than a model's, where they were.
    pub fn of_another_update(&self, own: &Update) -> Option<String> {
        meanings::another(self.update.as_deref()?, own)
    }

    /// The same lattices, `spacing` steps apart, the first seen after `first` steps.
    pub fn spaced(mut self, first: u32, spacing: u32) -> States {
        self.steps =
            (0..self.times as u32).map(|t| first.saturating_add(t.saturating_mul(spacing))).collect();
        self
    }

    /// How far apart successive times are, in words: `1 step`, or `2 to 6 steps`.
    pub fn spacing(&self) -> String {
        let gaps = || self.steps.windows(2).map(|pair| pair[1] - pair[0]);
        match (gaps().min(), gaps().max()) {
            (Some(1), Some(1)) => "1 step".into(),
            (Some(least), Some(most)) if least < most => format!("{least} to {most} steps"),
            (least, _) => format!("{} steps", least.unwrap_or(0)),
        }
    }

    /// Only the times first, first + every, … up to last.
    pub fn every(self, first: usize, last: usize, every: usize) -> States {
        let kept: Vec<usize> = (first..=last).step_by(every.max(1)).collect();
        if kept.len() == self.times {
            return self;
        }
        let places =
            || (0..self.runs).flat_map(|run| kept.iter().map(move |t| (run * self.times + t) * self.sites));
        let steps = kept.iter().map(|t| self.steps[*t]).collect();
        let layers = self.layers.iter().map(|numbers| {
            Arc::new(match &**numbers {
                Numbers::Bytes(v) => {
                    Numbers::Bytes(places().flat_map(|p| v[p..p + self.sites].to_vec()).collect())
                }
                Numbers::Reals(v) => {
                    Numbers::Reals(places().flat_map(|p| v[p..p + self.sites].to_vec()).collect())
                }
            })
        });
        States { layers: layers.collect(), times: kept.len(), steps, ..self }
    }

    /// The fields for replicates that take states by their number (run · times + time).
    pub fn pick(&self, picks: &Arc<Vec<u32>>) -> Vec<FieldData> {
        self.layers
            .iter()
            .map(|numbers| FieldData::from_parts(numbers.clone(), Some(picks.clone())))
            .collect()
    }

    /// Which run and time a state's number means.
    pub fn place(&self, state: u32) -> (usize, usize) {
        (state as usize / self.times, state as usize % self.times)
    }

    /// One state: for each layer its dense values.
    pub fn dense(&self, state: u32) -> Vec<Vec<f64>> {
        let from = state as usize * self.sites;
        self.layers.iter().map(|l| (from..from + self.sites).map(|site| l.at(site)).collect()).collect()
    }

    /// After how many steps each of these states was seen.
    pub fn steps_of(&self, states: &[u32]) -> Arc<Vec<u32>> {
        Arc::new(states.iter().map(|state| self.steps[self.place(*state).1]).collect())
    }
}

struct Shelf {
    every: usize,
    frames: Vec<Mutex<Vec<Vec<Numbers>>>>,
    bytes: Vec<bool>,
}

impl Recorder for Shelf {
    fn wants(&self, step: usize) -> bool {
        step % self.every == 0
    }

    fn record(&self, replicate: usize, _step: usize, layers: Frame) {
        let frame = numbers(&self.bytes, layers);
        self.frames[replicate].lock().unwrap_or_else(|e| e.into_inner()).push(frame);
    }
}

/// A state's numbers, as bytes where they fit.
fn numbers(bytes: &[bool], layers: Frame) -> Vec<Numbers> {
    let own = layers.into_iter().zip(bytes).map(|(values, bytes)| match bytes {
        true => Numbers::Bytes(values.into_iter().map(|x| x as u8).collect()),
        false => Numbers::Reals(values),
    });
    own.collect()
}

/// States one after another, for each layer.
fn joined(bytes: &[bool], states: impl Iterator<Item = Vec<Numbers>>) -> Vec<Arc<Numbers>> {
    let empty = |bytes: &bool| if *bytes { Numbers::Bytes(Vec::new()) } else { Numbers::Reals(Vec::new()) };
    let mut layers: Vec<Numbers> = bytes.iter().map(empty).collect();
    for state in states {
        for (all, own) in layers.iter_mut().zip(state) {
            match (all, own) {
                (Numbers::Bytes(all), Numbers::Bytes(own)) => all.extend(own),
                (Numbers::Reals(all), Numbers::Reals(own)) => all.extend(own),
                _ => {}
            }
        }
    }
    layers.into_iter().map(Arc::new).collect()
}

fn fits_bytes((lowest, highest): (f64, f64), integer: bool) -> bool {
    integer && lowest >= 0.0 && highest <= 255.0
}

fn runs_and_times(d: &Signature, layer: &str, shape: &[usize]) -> Result<(usize, usize), StatesError> {
    let lattice = d.lattice.shape();
    let extra = shape.len().wrapping_sub(lattice.len());
    if shape.ends_with(lattice) && extra <= 2 {
        // [run, time, …lattice], [time, …lattice], or one lattice alone.
        return Ok(match extra {
            2 => (shape[0], shape[1]),
            1 => (1, shape[0]),
            _ => (1, 1),
        });
    }
    Err(StatesError::Shape {
        model: d.model.clone(),
        layer: layer.to_string(),
        found: shape.to_vec(),
        lattice: lattice.to_vec(),
        lattice_text: lattice.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
    })
}

/// What a layer's values are, after "is not".
fn wanted(values: &glauber_lattice::Values) -> String {
    use glauber_lattice::Values;
    match values {
        Values::Binary => "one of binary values, 0 and 1".to_string(),
        Values::Integers { lowest, highest } => format!("one of the whole numbers {lowest} to {highest}"),
        Values::Categories(names) => {
            let numbered: Vec<String> = names.iter().enumerate().map(|(i, n)| format!("{i} ({n})")).collect();
            format!("one of {}", numbered.join(", "))
        }
        Values::Real => "a finite number".to_string(),
        Values::Labels { cells } => {
            format!("0 for the medium or the label of one of {cells} cells, 1 to {cells}")
        }
    }
}

fn checked_numbers(
    d: &Signature,
    layer: &glauber_program::Layer,
    array: &Array,
    times: usize,
) -> Result<Numbers, StatesError> {
    let (lowest, highest) = layer.values.range();
    let integer = layer.values.is_integer();
    let sites = d.lattice.sites();
    let bad = |x: f64| !x.is_finite() || x < lowest || x > highest || (integer && x.fract().abs() > 0.0);
    let numbers = match array.values() {
        ArrayValues::U8(v) if fits_bytes((lowest, highest), integer) => Numbers::Bytes(v.clone()),
        _ => Numbers::Reals(array.to_f64()),
    };
    let place = (0..numbers.len()).find(|i| bad(numbers.at(*i)));
    if let Some(place) = place {
        return Err(StatesError::Value {
            layer: layer.name.clone(),
            run: place / sites / times.max(1),
            time: place / sites % times.max(1),
            site: place % sites,
            value: numbers.at(place),
            values: wanted(&layer.values),
        });
    }
    Ok(match numbers {
        Numbers::Reals(v) if fits_bytes((lowest, highest), integer) => {
            Numbers::Bytes(v.into_iter().map(|x| x as u8).collect())
        }
        other => other,
    })
}

/// What to do about a value that a layer cannot hold, where it is one that masks and maps have.
fn remedy_for(value: f64, values: &str) -> String {
    let two = values.contains("binary") || (values.contains("1 (") && !values.contains("2 ("));
    if two && (value - 255.0).abs() < 0.5 {
        return "; a mask of 0 and 255 is `states > 127` in NumPy (pictures are read so)".to_owned();
    }
    if values.contains("label of one") && value > 0.0 && value.fract().abs() <= 0.0 {
        return "; declare as many cells as the highest label, or number the cells from 1 without gaps"
            .to_owned();
    }
    no_data_sign(&[0.0, 1.0, value]).map_or(String::new(), |_| {
        "; it often stands for no data, and lattices with sites that nobody saw cannot be given: crop them".to_owned()
    })
}

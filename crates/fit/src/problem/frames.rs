//! Takes frames of one run from a fit file's data, with what is known of the lattice it started from.
//!
//! Observed: frames of one run, simulated by the model (`data.simulate`) or read (`data.states`). Each was seen as many
//! steps after the start as the data or the fit file say (`times`);
//! with `data.steps` = n the first frame used was seen n steps after it and the others follow. Frame 0 of a series
//! without `data.steps` is the start itself: it is not fitted to, only compared with the result.
//!
//! All parameters are known: `[fixed]`, else those of the simulation, else the model's defaults.

use std::collections::BTreeMap;

use glauber_engine::{FieldData, Numbers, Plan, Run};
use glauber_numbers::noise::{Key, Purpose, derive_seed, uniform};
use glauber_program::Model;

use super::model::{Own, engine_options};
use super::states::{Seen, observed};
use super::times::one_step_a_frame;
use crate::error::JobError;
use crate::fit_file::{DataSource, FitFile, Simulation};
use glauber_files::spelling::suggestion;
use glauber_tasks::states::States;
use glauber_tasks::tasks::initial_state::{ObservedFrame, StateLoss};

/// The loss by its name.
pub(crate) fn loss_of(file: &FitFile) -> Result<StateLoss, JobError> {
    let Some(name) = file.loss.name.as_deref() else { return Ok(StateLoss::default()) };
    let found = StateLoss::ALL.iter().find(|(known, _)| *known == name);
    found.map(|(_, loss)| *loss).ok_or_else(|| {
        let hint = suggestion(name, StateLoss::ALL.map(|(known, _)| known));
        file.wrong("loss.name", format!("the task `state` has no loss called `{name}`{hint}")).into()
    })
}

/// What parameters are for.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Of {
    /// The fit's rollouts: fixed, else the simulation's.
    Fit,
    /// Simulated data: the simulation's, else fixed.
    Data,
}

/// Every parameter of the model, from `[fixed]`, the simulation, or else the model's default.
pub(crate) fn parameters_of(file: &FitFile, model: &Model, of: Of) -> Result<Vec<f64>, JobError> {
    let declared = &model.declarations().parameters;
    let names: Vec<&str> = declared.iter().map(|p| p.name.as_str()).collect();
    file.check_names("fixed", file.fixed.keys(), &names, "parameter")?;
    let simulated = match &file.data.source {
        Some(DataSource::Simulate(simulation)) => {
            let used = simulation.parameters.keys();
            file.check_names("data.simulate.parameters", used, &names, "parameter")?;
            simulation.parameters.clone()
        }
        _ => BTreeMap::new(),
    };
    let value = |parameter: &glauber_program::Parameter| {
        let name = &parameter.name;
        let mut found = [("fixed", file.fixed.get(name)), ("data.simulate.parameters", simulated.get(name))];
        if of == Of::Data {
            found.reverse();
        }
        let found = found.into_iter().find_map(|(table, value)| value.map(|v| (table, *v)));
        let (table, value) = match (found, parameter.default) {
            (Some(found), _) => found,
            (None, Some(default)) => ("model", default),
            (None, None) => {
                let message = format!("the task `state` needs every parameter: give `fixed.{name}`");
                return Err(file.wrong("fixed", message));
            }
        };
        if !parameter.interval.contains(value) {
            let message = format!("`{name}` is {value}; it must lie in {}", parameter.interval);
            return Err(file.wrong(&format!("{table}.{name}"), message));
        }
        Ok(value)
    };
    Ok(declared.iter().map(value).collect::<Result<_, _>>()?)
}

/// What was seen, and what is known of the start.
pub(crate) struct ObservedFrames {
    pub(crate) frames: Vec<ObservedFrame>,
    pub(crate) truth: Option<Vec<Vec<usize>>>,
    pub(crate) notes: Vec<String>,
    /// What the reader of the frames has to say.
    pub(crate) data_notes: Vec<String>,
}

/// The frames that a fit file's data hold.
pub(crate) fn frames_of(file: &FitFile, own: &Own) -> Result<ObservedFrames, JobError> {
    match file.source()? {
        DataSource::Simulate(simulation) => {
            let parameters = parameters_of(file, &own.model, Of::Data)?;
            simulated(file, own, &parameters, simulation)
        }
        DataSource::States(path) => {
            let Seen { states, notes: data_notes } = observed(file, &own.model, path)?;
            if states.runs != 1 {
                let message = format!(
                    "the data hold {} runs, and one start is fitted at a time: give one run",
                    states.runs
                );
                return Err(file.wrong("data.states", message).into());
            }
            Ok(ObservedFrames { data_notes, ..of_states(file, &states)? })
        }
        DataSource::Image(_) => {
            let message = "an image is segmented by `glauber segment IMAGE`; here give lattices, `data.states` (images \
                           of a binary layer too), or `data.simulate`";
            Err(file.wrong("data.image", message).into())
        }
        _ => Err(file.wrong("data", "the task `state` needs `data.states` or `data.simulate`").into()),
    }
}

/// The frames of one run.
fn of_states(file: &FitFile, states: &States) -> Result<ObservedFrames, JobError> {
    let said = states.timed || file.data.first_step.is_some();
    if let Some(steps) = file.data.steps.filter(|steps| said && *steps != u64::from(states.steps[0])) {
        let message = format!(
            "the first state used was seen after {} steps, as the data or `data.first-step` say, not after {steps}: leave \
             `data.steps` out",
            states.steps[0]
        );
        return Err(file.wrong("data.steps", message).into());
    }
    let step = |n: usize| match *file.data.steps {
        Some(steps) => steps as usize + (states.steps[n] - states.steps[0]) as usize,
        None => states.steps[n] as usize,
    };
    let lattice = |n: usize| -> Vec<Vec<f64>> {
        let from = n * states.sites;
        states.layers.iter().map(|l| (from..from + states.sites).map(|i| l.at(i)).collect()).collect()
    };
    let mut notes = Vec::new();
    let mut truth = None;
    let mut frames: Vec<ObservedFrame> =
        (0..states.times).map(|n| ObservedFrame { step: step(n), layers: lattice(n) }).collect();
    if frames[0].step == 0 {
        let started: Vec<Vec<usize>> = frames[0].layers.iter().map(|layer| on(layer)).collect();
        if let Some(wanted) = *file.data.start_sites
            && started.iter().all(|sites| sites.len() as u64 != wanted)
        {
            let message = format!(
                "frame 0 is taken for the start itself, and has {} sites on, but `data.start-sites` is {wanted}: if it was seen \
                 later, say after how many steps by `data.steps`; else correct `data.start-sites`",
                started.iter().map(|sites| sites.len().to_string()).collect::<Vec<_>>().join(" and ")
            );
            return Err(file.wrong("data.start-sites", message).into());
        }
        truth = Some(started);
        notes.push(
            "frame 0 is taken for the start itself and not fitted to; if it was seen later, give `data.steps`"
                .to_string(),
        );
        frames.remove(0);
    }
    if frames.is_empty() {
        let message = "the data hold one frame, and nothing says when it was seen: give `data.steps`, the number of steps \
                       from the start to it";
        return Err(file.wrong("data.steps", message).into());
    }
    Ok(ObservedFrames { frames, truth, notes, data_notes: Vec::new() })
}

/// The sites that are not off.
fn on(layer: &[f64]) -> Vec<usize> {
    (0..layer.len()).filter(|site| layer[*site] > 0.5).collect()
}

/// One run of the model, from its own start or from sites drawn at random.
fn simulated(
    file: &FitFile,
    own: &Own,
    parameters: &[f64],
    simulation: &Simulation,
) -> Result<ObservedFrames, JobError> {
    if simulation.runs != 1 {
        let message = "one start is fitted at a time: simulate one run";
        return Err(file.wrong("data.simulate.runs", message).into());
    }
    let model = own.starting(file, simulation.initial.as_ref())?.model;
    let steps = simulation.steps as usize;
    let sites = model.declarations().lattice.sites();
    if steps.saturating_add(1).saturating_mul(sites) > 1 << 30 {
        let message = "the simulated frames would take more than 1 GiB: ask for fewer steps";
        return Err(file.wrong("data.simulate.steps", message).into());
    }
    let plan = Plan::new(&model, &[], None, engine_options(file))?;
    let mut run = Run::new(parameters, steps).seed(simulation.seed);
    run.fields.clone_from(&own.covariates);
    if let Some(count) = *simulation.start_sites {
        if !(1..=sites as u64).contains(&count) {
            let message = format!("{count} sites cannot start on a lattice of {sites}");
            return Err(file.wrong("data.simulate.start-sites", message).into());
        }
        let layers = 0..model.declarations().layers.len();
        run = run.start(layers.map(|l| random_sites(simulation.seed, l, count as usize, sites)).collect());
    }
    let states = States::record(&plan, &run)?;
    let start: Vec<Vec<usize>> = states
        .layers
        .iter()
        .map(|numbers: &std::sync::Arc<Numbers>| (0..sites).filter(|site| numbers.at(*site) > 0.5).collect())
        .collect();
    one_step_a_frame(file)?;
    let wanted = &file.data.frames;
    let last = wanted.last.map_or(steps, |l| l as usize);
    let first = wanted.first.map_or(last, |f| f as usize).max(1);
    if last > steps || first > last {
        let message = format!("the simulated run has frames 1 to {steps}, not {first} to {last}");
        return Err(file.wrong("data.frames", message).into());
    }
    if wanted.every.is_some() && wanted.first.is_none() {
        let message = "`data.frames.every` has no effect on one frame, and of a simulated run only the last is observed: say with \
                       `data.frames.first` where to begin";
        return Err(file.wrong("data.frames", message).into());
    }
    let every = wanted.every.unwrap_or(1).max(1) as usize;
    let mut found = of_states(file, &states.every(first, last, every))?;
    found.truth = Some(start);
    Ok(found)
}

/// A start with so many different sites on.
fn random_sites(seed: u64, layer: usize, count: usize, sites: usize) -> FieldData {
    let key = Key::new(derive_seed(seed, Purpose::StartingSites, layer as u64), 0, 0, 0, 0);
    // The sites with the smallest of independent numbers are a random choice without repeats.
    let mut order: Vec<(u64, usize)> = (0..sites)
        .map(|site| ((uniform::<f64>(key.word(site as u32)) * 4_294_967_296.0) as u64, site))
        .collect();
    order.sort_unstable();
    let mut state = vec![0u8; sites];
    order.iter().take(count).for_each(|(_, site)| state[*site] = 1);
    FieldData::shared(state)
}

//! Takes a summary over time from a fit file's data: tracks, a curve, observed lattices, or the model itself.

use std::path::Path;
use std::sync::Arc;

use glauber_engine::{Observation, Options, Outputs, Plan, Precision};
use glauber_program::Model;

use super::model::{Own, engine_options};
use super::states::{Seen, observed};
use super::tracks::{TracksCurve, axes_of, tracks_curve, unlike};
use super::words::{name_of_data, notes_about};
use crate::error::JobError;
use crate::fit_file::{DataSource, FitFile, Simulation};
use glauber_data::read_time_curve;
use glauber_data::tracks::{MsdCurve, SHIPPED_CURVES, Units, read_msd_curve, shipped_curve};
use glauber_files::{rounded, significant};
use glauber_lattice::Values;
use glauber_tasks::losses::curve::{CURVE_LOSSES, CurveLoss};
use glauber_tasks::states::States;
use glauber_tasks::summaries::{SUMMARIES, SummaryChoice, observation};
use glauber_tasks::tasks::trajectory::{Target, rollout};

/// The longest rollout that is run.
pub(super) const MOST_STEPS: u64 = 1_000_000;
/// The most sites of all steps and runs that a simulated target may take.
const MOST_WORK: u64 = 1 << 40;
/// How many states are looked at in one run of the engine.
const CHUNK: usize = 2048;

/// A summary of the data over time, and what is known besides.
pub struct ObservedCurve {
    /// Which summary.
    pub choice: SummaryChoice,
    /// Its values at the steps that are compared.
    pub target: Target,
    /// Where rollouts begin, where not as the model says.
    pub starts: Option<States>,
    /// What a step and a number are in the data's units.
    pub scale: Scale,
    /// Of how many runs it is the mean, where that is known.
    pub runs: Option<usize>,
    /// How its values are correlated, \[value\]\[value\], where that is known, as of tracks.
    pub correlations: Option<Vec<f64>>,
    pub(super) notes: Vec<String>,
    /// What the readers of the data have to say.
    pub(super) data_notes: Vec<String>,
}

impl ObservedCurve {
    /// Of a summary at its steps, from the model's own start, of nobody knows how many runs.
    pub(super) fn of(
        choice: SummaryChoice,
        target: Target,
        scale: Scale,
        notes: Vec<String>,
    ) -> ObservedCurve {
        let (starts, runs, correlations, data_notes) = (None, None, None, Vec::new());
        ObservedCurve { choice, target, starts, scale, runs, correlations, notes, data_notes }
    }
}

/// What a step and a number of the summary are in the data's units.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// The time of a step.
    pub time: f64,
    /// Its unit; none where times are steps.
    pub time_unit: Option<String>,
    /// What a number of the lattice's own is.
    pub number: f64,
    /// Its unit; none where numbers are the lattice's own.
    pub number_unit: Option<String>,
}

impl Scale {
    pub(super) fn steps() -> Scale {
        Scale { time: 1.0, time_unit: None, number: 1.0, number_unit: None }
    }
}

/// The fit file's data as a summary over time. One replicate of the model is one independent run.
pub(super) fn observe(file: &FitFile, own: &Own) -> Result<ObservedCurve, JobError> {
    let model = &own.model;
    let found = match file.source()? {
        DataSource::Tracks(path) => {
            let TracksCurve { curve, correlations, notes } = tracks_curve(file, model, path)?;
            let of_curve = of_curve(file, model, "data.tracks", curve).map_err(|e| e.after(notes.clone()))?;
            ObservedCurve { data_notes: notes, correlations, ..of_curve }
        }
        DataSource::Msd(path) => {
            let curve = file.given.curve.clone().map_or_else(|| msd_curve(path), Ok)?;
            let data_notes = notes_about(path, curve.notes());
            let of_curve = as_said(file, curve).and_then(|curve| of_curve(file, model, "data.msd", curve));
            ObservedCurve { data_notes: data_notes.clone(), ..of_curve.map_err(|e| e.after(data_notes))? }
        }
        DataSource::Curve(path) => of_time_curve(file, model, path)?,
        DataSource::States(path) => of_states(file, own, path)?,
        DataSource::Simulate(simulation) => of_simulation(file, own, simulation)?,
        _ => {
            let message = "the task `trajectory` needs `data.tracks`, `data.msd`, `data.curve`, `data.states` or `data.simulate`";
            return Err(file.wrong("data", message).into());
        }
    };
    let said = found.data_notes.clone();
    compared(file, found).map_err(|error| error.after(said))
}

/// Of a summary over time what is compared.
fn compared(file: &FitFile, mut found: ObservedCurve) -> Result<ObservedCurve, JobError> {
    let before = found.target.steps.clone();
    keep_chosen_steps(file, &mut found.target)?;
    if found.target.steps.len() < before.len() {
        let kept: Vec<String> = found.target.steps.iter().map(usize::to_string).collect();
        found.notes.push(format!(
            "of these {} times {} {} compared, as `loss.at` says: step {}",
            before.len(),
            kept.len(),
            if kept.len() == 1 { "is" } else { "are" },
            listed_up_to(&kept, 12)
        ));
    }
    if let Some(all) = &mut found.correlations {
        let kept: Vec<usize> =
            (0..before.len()).filter(|i| found.target.steps.contains(&before[*i])).collect();
        *all = chosen_columns(&chosen_rows(all, &kept, before.len()), &kept, before.len());
    }
    let last = found.target.steps.last().copied().unwrap_or(0) as u64;
    let begin = found.starts.as_ref().and_then(|states| states.steps.first()).map_or(0, |s| u64::from(*s));
    let longest = file.data.steps.unwrap_or(MOST_STEPS);
    if last.saturating_sub(begin) > longest {
        let message = format!(
            "the data go to step {last}, but a rollout has {longest} steps{}: leave out the later steps with `loss.at` \
             or `data.lags`, or take longer steps with `data.step-time`",
            if file.data.steps.is_some() { "" } else { " at most" }
        );
        return Err(file.wrong("data.steps", message).into());
    }
    Ok(found)
}

/// The summary the fit file names, or the usual one.
pub(super) fn choice(file: &FitFile, model: &Model) -> Result<(SummaryChoice, Observation), JobError> {
    let of_walkers = model.layer("x").is_ok() && model.layer("y").is_ok();
    let text = match (&*file.loss.summary, of_walkers) {
        (Some(text), _) => text.as_str(),
        (None, true) => "msd",
        (None, false) => {
            let usages: Vec<&str> = SUMMARIES.iter().map(|e| e.usage).collect();
            let message = format!("say what is compared over time, as `loss.summary`: {}", usages.join("; "));
            return Err(file.wrong("loss", message).into());
        }
    };
    let wrong =
        |e: glauber_tasks::summaries::SummaryError| JobError::from(file.wrong("loss.summary", e.to_string()));
    let choice: SummaryChoice = text.parse().map_err(wrong)?;
    let observation = observation(&choice, model).map_err(wrong)?;
    Ok((choice, observation))
}

fn msd_curve(path: &Path) -> Result<MsdCurve, JobError> {
    match path.to_str().filter(|name| SHIPPED_CURVES.iter().any(|c| c.name == *name)) {
        Some(name) => Ok(shipped_curve(name)?),
        None => Ok(read_msd_curve(path)?),
    }
}

/// A curve with the interval and the units of the fit file, where the curve itself does not say them.
fn as_said(file: &FitFile, curve: MsdCurve) -> Result<MsdCurve, JobError> {
    let data = &file.data;
    let of_tracks: [(&str, bool); 4] = [
        ("bootstrap", data.bootstrap.is_some()),
        ("shortest-track", data.shortest_track.is_some()),
        ("dimensions", data.dimensions.is_some()),
        ("columns", *data.columns != Default::default()),
    ];
    if let Some((key, _)) = of_tracks.iter().find(|(_, given)| *given) {
        let message = format!(
            "`data.{key}` is about tracks, and `data.msd` holds a curve that was made of them: give the tracks as \
             `data.tracks`, or leave it out"
        );
        return Err(file.wrong(&format!("data.{key}"), message).into());
    }
    let curve = match (*data.interval, curve.known_interval()) {
        (Some(given), Some(said)) if (given / said - 1.0).abs() > 1e-9 => {
            let message = format!(
                "`data.interval` is {given}, but the curve says that its interval is {said}: correct one of them"
            );
            return Err(file.wrong("data.interval", message).into());
        }
        (Some(given), None) => curve.with_interval(given),
        _ => curve,
    };
    if let Some((found, remedy)) = curve.lags_like_times() {
        let key = if data.interval.is_some() { "data.interval" } else { "data.msd" };
        return Err(file.wrong(key, format!("the curve {found}: {remedy}")).into());
    }
    let units = Units { length: (*data.length_unit).clone(), time: (*data.time_unit).clone() };
    curve.with_units(units).map_err(|(key, message)| file.wrong(&format!("data.{key}"), message).into())
}

/// A curve without lags above the last that is asked for.
fn up_to_lag(file: &FitFile, curve: MsdCurve, lags: u64) -> Result<MsdCurve, JobError> {
    let first = curve.points().first().map_or(0, |p| p.lag);
    if u64::from(first) > lags {
        let message = format!(
            "the data have no lag up to {lags}: the first is {first} (lags count intervals of {}, not time)",
            rounded(curve.interval())
        );
        return Err(file.wrong("data.lags", message).into());
    }
    Ok(curve.up_to_lag(lags))
}

/// A curve in the data's units as a target in steps and sites.
fn of_curve(file: &FitFile, model: &Model, key: &str, curve: MsdCurve) -> Result<ObservedCurve, JobError> {
    let (choice, summary) = choice(file, model)?;
    if summary.outputs() != ["msd"] {
        let message =
            format!("`{key}` holds a mean squared displacement, which is the summary `msd`, not `{choice}`");
        return Err(file.wrong("loss.summary", message).into());
    }
    if let Some(found) = curve.dimensions().filter(|d| *d != axes_of(model)) {
        return Err(file.wrong(key, unlike(model, found, axes_of(model))).into());
    }
    let (step, site) =
        (file.data.step_time.unwrap_or(curve.interval()), file.data.site_length.unwrap_or(1.0));
    let curve = match *file.data.lags {
        Some(lags) => up_to_lag(file, curve, lags)?,
        None => curve,
    };
    let points = curve.to_lattice(step, site).map_err(|e| file.wrong("data.step-time", e))?;
    let without = points.iter().position(|p| p.standard_error.is_none());
    let some = points.iter().any(|p| p.standard_error.is_some());
    let partly = without.filter(|_| some).map(|place| {
        let lag = curve.points().get(place).map_or(0, |p| p.lag);
        let count = points.iter().filter(|p| p.standard_error.is_none()).count();
        let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        format!("the data have no standard error at lag {lag}{more}")
    });
    if let Some(missing) = partly.as_ref().filter(|_| loss_of(file).is_ok_and(|loss| loss.needs_errors)) {
        let message = format!("{missing}: give one for each lag, or leave those lags out of the data");
        return Err(file.wrong(key, message).into());
    }
    let errors: Option<Vec<f64>> = points.iter().map(|p| p.standard_error).collect();
    let target = Target {
        steps: points.iter().map(|p| p.step as usize).collect(),
        outputs: summary.outputs(),
        values: points.iter().map(|p| p.value).collect(),
        errors,
    };
    let units = curve.units();
    let said = |u: &Option<String>| u.clone().unwrap_or_default();
    let mut notes: Vec<String> = curve.comments().to_vec();
    notes.extend(partly.map(|missing| format!("{missing}: none of the others is used")));
    notes.push(
        format!(
            "{} lags; one step is {} {}, one site {} {}",
            points.len(),
            rounded(step),
            said(&units.time),
            significant(site, 4),
            said(&units.length)
        )
        .replace(" ,", ",")
        .trim_end()
        .to_string(),
    );
    let scale = Scale {
        time: step,
        time_unit: units.time.clone(),
        number: site * site,
        number_unit: units.length.as_ref().map(|u| format!("{u}²")),
    };
    Ok(ObservedCurve::of(choice, target, scale, notes))
}

/// A column that is called like a state or a layer of which the number that it is taken for says nothing.
fn of_something_else<'a>(
    model: &Model,
    columns: &'a [String],
    outputs: &'a [String],
) -> Option<(&'a str, &'static str, &'a str)> {
    let words = |text: &str| -> Vec<String> {
        text.to_lowercase().split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned).collect()
    };
    let layers = &model.declarations().layers;
    let states = layers.iter().filter_map(|layer| match &layer.values {
        Values::Categories(states) => Some(states),
        _ => None,
    });
    let names = states.flatten().map(|state| (state, "a state"));
    let names: Vec<_> = names.chain(layers.iter().map(|layer| (&layer.name, "a layer"))).collect();
    columns.iter().zip(outputs).find_map(|(column, output)| {
        let own = column.trim().to_lowercase();
        let (name, what) = names.iter().find(|(name, _)| name.to_lowercase() == own)?;
        let is_said = own == output.to_lowercase() || words(output).contains(&name.to_lowercase());
        (!is_said).then_some((column.as_str(), *what, output.as_str()))
    })
}

/// A summary over time as a table has it.
fn of_time_curve(file: &FitFile, model: &Model, path: &Path) -> Result<ObservedCurve, JobError> {
    let (choice, summary) = choice(file, model)?;
    let outputs = summary.outputs();
    let curve = read_time_curve(path, &outputs)?;
    let mut data_notes = notes_about(path, &curve.notes);
    let wrong = |key: &str, message: String| {
        JobError::from(file.wrong(key, message)).after(notes_about(path, &curve.notes))
    };
    if let Some((column, what, output)) = of_something_else(model, &curve.columns, &outputs) {
        let message = format!(
            "{}: the column `{column}` is called like {what} of the model, and `{output}` is compared: name it `value` if it is \
             that, or compare what it is, by `loss.summary`",
            path.display()
        );
        return Err(wrong("data.curve", message));
    }
    let step = match (curve.in_steps, curve.in_steps || file.data.step_time.is_some()) {
        (true, _) => 1.0,
        (false, true) => file.data.step_time.unwrap_or(1.0),
        (false, false) => {
            let message = format!(
                "{} has times, not steps: say how long a step is, as `data.step-time`",
                path.display()
            );
            return Err(wrong("data.curve", message));
        }
    };
    let mut steps = Vec::with_capacity(curve.times.len());
    for time in &curve.times {
        let (exact, whole) = (time / step, (time / step).round());
        if (exact - whole).abs() > 1e-6 * exact.max(1.0) || whole > MOST_STEPS as f64 {
            let message = format!("time {time} is {exact} steps, and must be a whole number of them");
            return Err(wrong("data.step-time", message));
        }
        steps.push(whole as usize);
    }
    let at_start = steps.iter().filter(|step| **step == 0).count();
    if at_start > 0 {
        data_notes.extend(notes_about(path, &["step 0 is the start, which is not compared".to_string()]));
    }
    let width = outputs.len();
    let after = |numbers: Vec<f64>| numbers[at_start * width..].to_vec();
    let target = Target {
        steps: steps[at_start..].to_vec(),
        values: after(curve.values),
        errors: curve.errors.map(after),
        outputs,
    };
    let notes = vec![format!("{choice} at {} steps of {}", target.steps.len(), name_of_data(file, path))];
    let time_unit = if curve.in_steps { None } else { (*file.data.time_unit).clone() };
    let scale = Scale { time: step, time_unit, ..Scale::steps() };
    Ok(ObservedCurve { data_notes, ..ObservedCurve::of(choice, target, scale, notes) })
}

/// The mean over observed runs.
fn of_states(file: &FitFile, own: &Own, path: &Path) -> Result<ObservedCurve, JobError> {
    let model = &own.model;
    let (choice, summary) = choice(file, model)?;
    let Seen { states, notes: data_notes } = observed(file, model, path)?;
    if states.times < 2 {
        let message =
            format!("{} has one time per run: a trajectory needs several", name_of_data(file, path));
        return Err(file.wrong("data.states", message).into());
    }
    let outputs = summary.outputs();
    let whole = summaries(file, own, &states, summary)?;
    let (mean, errors) = (whole.mean(), whole.standard_error());
    let from_data = match file.data.initial.as_deref() {
        None | Some("data") => true,
        Some("model") => false,
        Some(other) => {
            let message = format!(
                "`{other}` is no start: \"data\" begins at the first observed states, \"model\" as the model says"
            );
            return Err(file.wrong("data.initial", message).into());
        }
    };
    // The start itself says nothing; a first frame that the model's own start must first reach does.
    let first = usize::from(from_data || states.steps[0] == 0);
    let from = first * outputs.len();
    let target = Target {
        steps: states.steps[first..].iter().map(|step| *step as usize).collect(),
        values: mean[from..].to_vec(),
        errors: (states.runs > 1).then(|| errors[from..].to_vec()),
        outputs,
    };
    let begin = match (from_data, states.steps[0]) {
        (true, 0) => String::new(),
        (true, step) => format!(", from the state after step {step}"),
        (false, _) => ", from the model's own start".into(),
    };
    let notes = vec![format!(
        "{choice} at {} times {} apart, mean of {} observed runs{begin}",
        target.steps.len(),
        states.spacing(),
        states.runs
    )];
    let runs = Some(states.runs);
    let starts = from_data.then_some(states);
    Ok(ObservedCurve { starts, runs, data_notes, ..ObservedCurve::of(choice, target, Scale::steps(), notes) })
}

/// A summary of every observed state, \[run\]\[time\]\[number\]: one row per run, as the engine's outputs of a rollout.
pub(super) fn summaries(
    file: &FitFile,
    own: &Own,
    states: &States,
    summary: Observation,
) -> Result<Outputs, JobError> {
    let width = states.times * summary.outputs().len();
    let plan = Plan::new(&own.model, &[summary], None, double(file))?;
    let all: Vec<u32> = (0..(states.runs * states.times) as u32).collect();
    let parameters = vec_of_middles(&own.model);
    let mut values = Vec::with_capacity(states.runs * width);
    for chunk in all.chunks(CHUNK) {
        let picks = Arc::new(chunk.to_vec());
        let run = own.run(&parameters, 0).replicates(chunk.len()).start(states.pick(&picks)).observe(0, 0);
        values.extend(plan.outputs(&run)?.values);
    }
    Ok(Outputs { values, width })
}

/// Numbers inside every parameter's interval, for programs that read states alone.
fn vec_of_middles(model: &Model) -> Vec<f64> {
    let inside = |p: &glauber_program::Parameter| {
        let (low, high) = (p.interval.lowest, p.interval.highest);
        match (low.is_finite(), high.is_finite()) {
            (true, true) => 0.5 * (low + high),
            (true, false) => low,
            (false, true) => high,
            _ => 0.0,
        }
    };
    model.declarations().parameters.iter().map(inside).collect()
}

fn double(file: &FitFile) -> Options {
    Options { precision: Precision::Double, ..engine_options(file) }
}

/// Refuses a simulation that is larger than a target is worth; `outputs` are the numbers of its summary.
pub(super) fn check_simulation(
    file: &FitFile,
    model: &Model,
    simulation: &Simulation,
    outputs: usize,
) -> Result<(), JobError> {
    let sites = model.declarations().lattice.sites() as u64;
    let numbers = simulation.runs.saturating_mul(simulation.steps).saturating_mul(outputs as u64);
    let work = simulation.runs.saturating_mul(simulation.steps).saturating_mul(sites);
    if simulation.steps > MOST_STEPS || work > MOST_WORK || numbers > 1 << 30 {
        let message = format!(
            "{} runs of {} steps of {sites} sites are more than is simulated for a target: ask for fewer",
            simulation.runs, simulation.steps
        );
        return Err(file.wrong("data.simulate", message).into());
    }
    Ok(())
}

/// The mean over runs of the model itself at known parameters.
fn of_simulation(file: &FitFile, own: &Own, simulation: &Simulation) -> Result<ObservedCurve, JobError> {
    let model = &own.model;
    let (choice, summary) = choice(file, model)?;
    let truth = own.truth(file, simulation)?;
    let outputs = summary.outputs();
    check_simulation(file, model, simulation, outputs.len())?;
    let every = super::times::frames_of_simulation(file, simulation.steps as usize)?;
    let steps: Vec<usize> = every.filter(|step| *step > 0).collect();
    if steps.is_empty() {
        let message = "frame 0 is the start, which tells nothing: choose later frames too";
        return Err(file.wrong("data.frames", message).into());
    }
    let plan = Plan::new(model, &[summary], None, engine_options(file))?;
    let run = own.run(&truth, 0).replicates(simulation.runs as usize).seed(simulation.seed);
    let run = rollout(run, &steps, None);
    let seen = plan.outputs(&run)?;
    let errors = (simulation.runs > 1).then(|| seen.standard_error());
    let target = Target { steps, outputs, values: seen.mean(), errors };
    let notes = vec![format!(
        "{choice} over {} steps, mean of {} simulated runs",
        target.steps.len(),
        simulation.runs
    )];
    let runs = Some(simulation.runs as usize);
    Ok(ObservedCurve { runs, ..ObservedCurve::of(choice, target, Scale::steps(), notes) })
}

/// Some rows of a table of this width, in the order asked for.
fn chosen_rows(table: &[f64], rows: &[usize], width: usize) -> Vec<f64> {
    rows.iter().flat_map(|row| table[row * width..(row + 1) * width].to_vec()).collect()
}

/// Some columns of a table of this width.
fn chosen_columns(table: &[f64], columns: &[usize], width: usize) -> Vec<f64> {
    table.chunks(width.max(1)).flat_map(|row| columns.iter().map(move |column| row[*column])).collect()
}

/// The first of some words, with commas.
fn listed_up_to(words: &[String], most: usize) -> String {
    let more = if words.len() > most { ", …" } else { "" };
    words[..words.len().min(most)].join(", ") + more
}

/// Leaves only the steps of `loss.at`.
fn keep_chosen_steps(file: &FitFile, target: &mut Target) -> Result<(), JobError> {
    let Some(at) = &*file.loss.at else { return Ok(()) };
    let width = target.outputs.len();
    if let Some(step) = at.iter().find(|step| !target.steps.contains(&(**step as usize))) {
        let known: Vec<String> = target.steps.iter().take(12).map(usize::to_string).collect();
        let more = if target.steps.len() > 12 { ", …" } else { "" };
        let message = format!("the data have no value at step {step}; they have {}{more}", known.join(", "));
        return Err(file.wrong("loss.at", message).into());
    }
    if at.windows(2).any(|pair| pair[1] <= pair[0]) {
        let given: Vec<String> = at.iter().map(u64::to_string).collect();
        let message = format!("[{}]: give steps in rising order, each once", given.join(", "));
        return Err(file.wrong("loss.at", message).into());
    }
    if at.is_empty() {
        return Err(file
            .wrong("loss.at", "the list of steps is empty: name at least one, or leave `at` out")
            .into());
    }
    let kept: Vec<usize> =
        (0..target.steps.len()).filter(|i| at.contains(&(target.steps[*i] as u64))).collect();
    target.values = chosen_rows(&target.values, &kept, width);
    target.errors = target.errors.as_deref().map(|errors| chosen_rows(errors, &kept, width));
    target.steps = kept.iter().map(|i| target.steps[*i]).collect();
    Ok(())
}

/// The loss by its name.
pub(crate) fn loss_of(file: &FitFile) -> Result<CurveLoss, JobError> {
    let name = file.loss.name.as_deref().unwrap_or(CURVE_LOSSES[0].name);
    let loss = CurveLoss::named(name).map_err(|nearest| {
        let hint = match nearest {
            Some(n) => format!(": did you mean `{n}`?"),
            None => {
                format!("; there are {}", CURVE_LOSSES.iter().map(|l| l.name).collect::<Vec<_>>().join(", "))
            }
        };
        let task = file.task.name();
        file.wrong("loss.name", format!("the task `{task}` has no loss called `{name}`{hint}"))
    })?;
    Ok(if *file.loss.weighted { loss.weighted() } else { loss })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use glauber_lattice::Lattice;

    #[test]
    fn a_column_that_is_called_like_another_state_is_not_the_summary() {
        let model = Model::build("m", Lattice::line(4))
            .layer("state", Values::categories(&["grass", "tree"]))
            .step(|s| s.next("state").set(s.layer("state")))
            .unwrap();
        let outputs = ["mean(state=tree)".to_string()];
        let of = |column: &str| {
            of_something_else(&model, &[column.to_string()], &outputs).map(|(_, what, _)| what)
        };
        assert_eq!(of("Grass "), Some("a state"));
        for column in ["tree", "value", "cover", "mean(state=tree)", "state"] {
            assert_eq!(of(column), None, "{column}");
        }
    }
}

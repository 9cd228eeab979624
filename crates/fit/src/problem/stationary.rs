//! Takes a summary of stationary states from a fit file's data: snapshots whose times do not matter, or runs of the model.
//!
//! In a stationary state a summary has the same mean at every time. So rollouts of τ = `data.steps` steps from the model's
//! own start are compared with it twice, after τ/2 and after τ steps: where they are still on their way after τ/2 steps,
//! they agree with the data at one of the two at most, and the drawn curve shows it.

use std::path::Path;

use glauber_engine::{Observation, Outputs, Plan};

use super::curve::{MOST_STEPS, ObservedCurve, Scale, check_simulation, choice, summaries};
use super::model::{Own, engine_options};
use super::states::{Seen, observed, reads_the_step};
use super::words::name_of_data;
use crate::error::JobError;
use crate::fit_file::{DataSource, FitFile, Simulation};
use glauber_optimize::verdict::significant;
use glauber_tasks::tasks::trajectory::{Target, rollout};

/// The fit file's data as a summary that no longer changes.
pub(super) fn observe(file: &FitFile, own: &Own) -> Result<ObservedCurve, JobError> {
    let Some(steps) = *file.data.steps else {
        let message = "the task `stationary` needs `data.steps`: how many steps bring a rollout from the model's own start to \
                       its stationary state; it is compared after half as many too";
        return Err(file.wrong("data", message).into());
    };
    if !(2..=MOST_STEPS).contains(&steps) {
        let message = format!("{steps} steps: give 2 to {}", MOST_STEPS);
        return Err(file.wrong("data.steps", message).into());
    }
    let (choice, summary) = choice(file, &own.model)?;
    let outputs = summary.outputs();
    if choice.to_string() == "msd" {
        let message = "a mean squared displacement grows without end, so it has no stationary value: name another summary, \
                       or take the task `trajectory`";
        return Err(file.wrong("loss.summary", message).into());
    }
    let (rows, words, data_notes) = match file.source()? {
        DataSource::States(path) => of_states(file, own, path, summary)?,
        DataSource::Simulate(simulation) => of_simulation(file, own, simulation, summary)?,
        _ => {
            let message = "the task `stationary` needs `data.states` or `data.simulate`";
            return Err(file.wrong("data", message).into());
        }
    };
    let (mean, errors) = (rows.mean(), rows.standard_error());
    let clock = reads_the_step(&own.model).then(|| {
        format!(
            "the rule reads the step's number, and what changes with it has no stationary state: the data are compared with \
             steps {} and {steps} from the model's start",
            steps / 2
        )
    });
    let data_notes = data_notes.into_iter().chain(clock).collect();
    let several = rows.values.len() > rows.width;
    let target = Target {
        steps: vec![(steps / 2) as usize, steps as usize],
        values: [mean.clone(), mean].concat(),
        errors: several.then(|| [errors.clone(), errors].concat()),
        outputs,
    };
    let notes = vec![format!("{choice} of {words}, compared after {} and {steps} steps", steps / 2)];
    let scale = Scale::steps();
    Ok(ObservedCurve { data_notes, ..ObservedCurve::of(choice, target, scale, notes) })
}

/// The summary of every run, what they are in words, and what their reader has to say.
type Rows = (Outputs, String, Vec<String>);

/// Snapshots: of every run the mean over its times.
fn of_states(file: &FitFile, own: &Own, path: &Path, summary: Observation) -> Result<Rows, JobError> {
    let of_time = [
        ("interval", file.data.interval.unmarked().is_some()),
        ("step-time", file.data.step_time.unmarked().is_some()),
        ("first-step", file.data.first_step.unmarked().is_some()),
    ];
    if let Some((key, _)) = of_time.iter().find(|(_, given)| *given) {
        let message = "in a stationary state it does not matter when states were seen: leave it out";
        return Err(file.wrong(&format!("data.{key}"), format!("`data.{key}`: {message}")).into());
    }
    let Seen { states, mut notes } = observed(file, &own.model, path)?;
    if states.timed && states.steps.first() == Some(&0) {
        let message = format!(
            "{} begins with the start of a run, which is no stationary state: leave the first frames out, as with \
             data.frames = {{ first = {} }}; where that start was a stationary state already, say by `times` (in Python by \
             `first_step=` of the simulation) after which steps the states were seen",
            name_of_data(file, path),
            states.times.div_ceil(2)
        );
        return Err(file.wrong("data.states", message).into());
    }
    let width = summary.outputs().len();
    let outputs = summary.outputs();
    let whole = summaries(file, own, &states, summary)?;
    let series = over_runs(&whole.values, states.times, width);
    if let Some((output, early, late)) = unsettled(&series, width) {
        let message = format!(
            "{} is not stationary: `{}` is {} at first and {} in the last half of its {} times; leave the first frames out, as \
             with data.frames = {{ first = {} }}",
            name_of_data(file, path),
            outputs[output],
            significant(early, 3),
            significant(late, 3),
            states.times,
            states.times.div_ceil(2)
        );
        return Err(file.wrong("data.states", message).into());
    }
    if !states.timed && states.times > 1 {
        notes.push(
            "nobody said when these states were seen: all are taken for stationary, the first ones too (times with the states \
             would tell a start from a stationary state)"
                .to_string(),
        );
    }
    let over_times = |run: &[f64]| -> Vec<f64> {
        let sum = |k: usize| run[k..].iter().step_by(width).sum::<f64>();
        (0..width).map(|k| sum(k) / states.times as f64).collect()
    };
    let values = whole.values.chunks(whole.width).flat_map(over_times).collect();
    let words = format!(
        "{} observed states, {} in each of {} runs, of {}",
        states.runs * states.times,
        states.times,
        states.runs,
        name_of_data(file, path)
    );
    Ok((Outputs { values, width }, words, notes))
}

/// The mean over runs at every time: \[time\]\[number\].
fn over_runs(values: &[f64], times: usize, width: usize) -> Vec<f64> {
    let row = times * width;
    let runs = values.len() / row.max(1);
    (0..row).map(|k| values.iter().skip(k).step_by(row).sum::<f64>() / runs.max(1) as f64).collect()
}

/// Standard deviations of the last half's times by which the first ones may be off.
const SETTLED: f64 = 6.0;
/// So many times must its last half have.
const FEWEST_TIMES: usize = 8;

/// A number whose mean over the first times, however many of the first quarter, is far from the last half's: which, and both.
///
/// The spread of times, not the error of their mean, is the measure: successive states are alike. In 6 standard deviations
/// known from at least 8 times, a stationary series is off in fewer than one of 1,000 (Student's t of 7 degrees of freedom).
fn unsettled(series: &[f64], width: usize) -> Option<(usize, f64, f64)> {
    let times = series.len() / width.max(1);
    let half = times / 2;
    if half < FEWEST_TIMES {
        return None;
    }
    (0..width).find_map(|k| {
        let at = |t: usize| series[t * width + k];
        let late: Vec<f64> = (times - half..times).map(at).collect();
        let mean = late.iter().sum::<f64>() / half as f64;
        let variance = late.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (half - 1) as f64;
        let least = SETTLED * variance.sqrt().max(1e-9 * mean.abs());
        let early = (1..=(times / 4).max(1)).map(|n| (0..n).map(at).sum::<f64>() / n as f64);
        early.into_iter().find(|early| (early - mean).abs() > least).map(|early| (k, early, mean))
    })
}

/// The last states of runs of the model itself at known parameters.
fn of_simulation(
    file: &FitFile,
    own: &Own,
    simulation: &Simulation,
    summary: Observation,
) -> Result<Rows, JobError> {
    let model = &own.model;
    let truth = own.truth(file, simulation)?;
    check_simulation(file, model, simulation, summary.outputs().len())?;
    let plan = Plan::new(model, &[summary], None, engine_options(file))?;
    let run = own.run(&truth, 0).replicates(simulation.runs as usize).seed(simulation.seed);
    let run = rollout(run, &[simulation.steps as usize], None);
    let words = format!("{} simulated runs after {} steps", simulation.runs, simulation.steps);
    Ok((plan.outputs(&run)?, words, Vec::new()))
}

//! Says after which steps of the process a fit file's states were seen, and which of them are used.
//!
//! | who says it | steps |
//! |---|---|
//! | the data themselves (the array `times` of an NPZ, a simulation from Python) | as they say |
//! | `data.interval` and `data.step-time` | frame i after `data.first-step` + i · interval / step-time |
//! | nobody | frame i after `data.first-step` + i |
//!
//! Where the names of a folder's pictures skip numbers, i counts what is missing too.
//!
//! Where two of them speak and differ, the fit is refused. `data.frames` chooses frames by their number, whatever their
//! steps.

use std::iter::StepBy;
use std::ops::RangeInclusive;

use glauber_files::rounded;
use glauber_tasks::states::States;

use crate::error::JobError;
use crate::fit_file::FitFile;

/// Steps between two frames by `data.interval` and `data.step-time`; none where neither is given.
fn spacing(file: &FitFile) -> Result<Option<u32>, JobError> {
    let ratio = match (*file.data.interval, *file.data.step_time) {
        (None, None) => return Ok(None),
        (Some(_), None) => {
            let message = "`data.interval` is the time between two frames of states; give `data.step-time` too, the time of \
                           one step: by their ratio the frames are so many steps apart";
            return Err(file.wrong("data.interval", message).into());
        }
        (Some(interval), Some(step)) => interval / step,
        (None, Some(_)) => {
            let message = "`data.step-time` is the time of one step; give `data.interval` too, the time between two \
                           frames of the data";
            return Err(file.wrong("data.step-time", message).into());
        }
    };
    let whole = ratio.round();
    if !(1.0..1e9).contains(&whole) || (ratio - whole).abs() > 1e-6 * whole {
        let message = format!(
            "between two frames there are {} steps; `data.interval` / `data.step-time` must be a whole number",
            rounded(ratio)
        );
        return Err(file.wrong("data.interval", message).into());
    }
    Ok(Some(whole as u32))
}

/// The key that says how far apart frames are.
fn key_of_spacing(file: &FitFile) -> &'static str {
    if file.data.step_time.is_some() { "data.step-time" } else { "data.interval" }
}

/// The states of a file with the steps they were seen after; `positions` are the places of the times among evenly spaced
/// ones, where some are missing.
///
/// # Errors
/// [`JobError`] where the fit file says other steps than the data.
pub(crate) fn timed(
    file: &FitFile,
    mut states: States,
    positions: Option<&[u32]>,
) -> Result<States, JobError> {
    let spacing = spacing(file)?;
    let first = *file.data.first_step;
    if !states.timed {
        let (first, spacing) = (first.unwrap_or(0), u64::from(spacing.unwrap_or(1)));
        let place = |time: usize| positions.map_or(time as u64, |p| u64::from(p[time]));
        let last = place(states.times - 1).saturating_mul(spacing).saturating_add(first);
        if last > u64::from(u32::MAX) {
            let key = if first > 1 << 31 { "data.first-step" } else { key_of_spacing(file) };
            let message = format!("the last frame would be that of step {last}; steps go up to {}", u32::MAX);
            return Err(file.wrong(key, message).into());
        }
        states.steps = (0..states.times).map(|time| (first + place(time) * spacing) as u32).collect();
        return Ok(states);
    }
    if let Some(said) = spacing
        && states.steps.windows(2).any(|pair| pair[1] - pair[0] != said)
    {
        let message = format!(
            "the data say that their times are {} apart, but by `data.interval` and `data.step-time` it is {said}: \
             leave these two out, or correct them",
            states.spacing()
        );
        return Err(file.wrong(key_of_spacing(file), message).into());
    }
    match first {
        Some(first) if first != u64::from(states.steps[0]) => {
            let message = format!(
                "the data say that they begin after step {}, not {first}: leave `data.first-step` out",
                states.steps[0]
            );
            Err(file.wrong("data.first-step", message).into())
        }
        _ => Ok(states),
    }
}

/// Only the frames that `data.frames` names, of states that `what` holds.
///
/// # Errors
/// [`JobError`] where there are no such frames.
pub(crate) fn chosen(file: &FitFile, states: States, what: &str) -> Result<States, JobError> {
    let frames = &file.data.frames;
    let first = frames.first.unwrap_or(0) as usize;
    let last = frames.last.map_or(states.times.saturating_sub(1).max(first), |l| l as usize);
    if last >= states.times {
        let wanted = if frames.last.is_some() { last } else { first };
        let message = format!(
            "`data.frames` asks for frame {wanted}, but {what} has {} frames, numbered from 0",
            states.times
        );
        return Err(file.wrong("data.frames", message).into());
    }
    Ok(states.every(first, last, frames.every.unwrap_or(1) as usize))
}

/// The steps of a simulation of `steps` steps that `data.frames` chooses: frame i is the state after step i.
///
/// # Errors
/// [`JobError`] where there are no such frames, or `data.interval`, `data.step-time` or `data.first-step` say otherwise.
pub(crate) fn frames_of_simulation(
    file: &FitFile,
    steps: usize,
) -> Result<StepBy<RangeInclusive<usize>>, JobError> {
    one_step_a_frame(file)?;
    let frames = &file.data.frames;
    let first = frames.first.unwrap_or(0) as usize;
    let last = frames.last.map_or(steps.max(first), |last| last as usize);
    if last > steps {
        let message = format!("the simulated run has frames 0 to {steps}, not {first} to {last}");
        return Err(file.wrong("data.frames", message).into());
    }
    Ok((first..=last).step_by(frames.every.unwrap_or(1).max(1) as usize))
}

/// Refuses keys that would space or number the states of a simulation otherwise than its steps do.
pub(crate) fn one_step_a_frame(file: &FitFile) -> Result<(), JobError> {
    if let Some(said) = spacing(file)?.filter(|said| *said != 1) {
        let message = format!(
            "simulated data have a state after every step, not after every {said}: leave `data.interval` and \
             `data.step-time` out; `data.frames.every = {said}` takes every {said}-th state"
        );
        return Err(file.wrong(key_of_spacing(file), message).into());
    }
    if file.data.first_step.is_some_and(|first| first != 0) {
        let message = "simulated data begin at step 0: leave `data.first-step` out";
        return Err(file.wrong("data.first-step", message).into());
    }
    Ok(())
}

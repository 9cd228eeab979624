//! Says what is known of a fit of a loss that is no likelihood: whether it stood still, what it never reached.

use crate::course::{Course, Rest};
use crate::objective::{Interval, Unknown};
use crate::stepper::scalar_places;
use crate::verdict::{Known, Verdict, end_of, listed, with_precision};

/// The share of a course, at its end, by which rest is told where nothing is averaged.
pub(crate) const LAST_PART: f64 = 0.2;

/// What is known of a fit that ended at `theta`. `course` with the share of it that tells rest: nothing where it tells
/// none. `reached` says by unknown whether the fit could speak of it.
pub(crate) fn verdict_of_loss(
    unknowns: &[Unknown],
    theta: &[f64],
    course: Option<(&Course, f64)>,
    reached: Option<&[bool]>,
) -> Verdict {
    let places = scalar_places(unknowns);
    let scalars: Vec<&Unknown> = unknowns.iter().filter(|u| u.is_scalar()).collect();
    let theta: Vec<f64> = places.iter().map(|i| theta[*i]).collect();
    let intervals: Vec<Interval> = scalars.iter().map(|u| u.interval).collect();
    let share = course.map_or(0.0, |(_, share)| share);
    let rest = course.map(|(course, share)| course.rest(share, &intervals, &theta));
    let (known, at_optimum) = match rest {
        Some(Rest::Moved(..) | Rest::Pulled(_)) => (Known::NotAtOptimum, Some(false)),
        Some(Rest::Stood) => (Known::NoLikelihood, Some(true)),
        Some(Rest::Unclear) | None => (Known::NoLikelihood, None),
    };
    let mut words = Vec::new();
    match rest {
        Some(Rest::Moved(k, from, to)) => words.push(format!(
            "not at its optimum: `{}` still moved, from {} to {} between the two halves of the last {:.0} % of the steps",
            scalars[k].name,
            with_precision(from, Some((to - from).abs())),
            with_precision(to, Some((to - from).abs())),
            100.0 * share
        )),
        Some(Rest::Pulled(k)) => words.push(format!(
            "not at its optimum: `{}` stands, but the loss still falls along it; the learning rate is too low, or fell too fast",
            scalars[k].name
        )),
        _ => {}
    }
    let mut known = vec![known; scalars.len()];
    let reached = unknowns.iter().zip(reached.unwrap_or_default());
    let missed: Vec<&str> = reached.filter(|(_, r)| !**r).map(|(u, _)| u.name.as_str()).collect();
    if !missed.is_empty() {
        words.push(format!("no gradient reached {}: it is where it started", listed(&missed)));
    }
    for (k, unknown) in scalars.iter().enumerate() {
        if missed.contains(&unknown.name.as_str()) {
            known[k] = Known::NotReached;
        } else if let Some(end) = end_of(unknown.interval, theta[k]) {
            words.push(format!("`{}` lies at the end {end} of its interval", unknown.name));
            known[k] = Known::AtEnd(end);
        }
    }
    // An end may be where a step too wide threw it: that is no rest.
    let thrown = known.iter().any(|k| matches!(k, Known::AtEnd(_)));
    let at_optimum = if thrown && at_optimum == Some(true) { None } else { at_optimum };
    let warns = !words.is_empty();
    if !warns {
        words.push(match rest {
            Some(Rest::Stood) => "at rest; error not known, since the loss is no likelihood".to_string(),
            Some(_) if !scalars.is_empty() => {
                "error not known, since the loss is no likelihood; too few steps to tell rest".to_string()
            }
            _ => "error not known, since the loss is no likelihood".to_string(),
        });
    }
    Verdict { known, at_optimum, words: words.join("; "), warns, notes: Vec::new() }
}

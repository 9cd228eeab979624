//! Says what is known of a fit of a loss that is no likelihood: whether it stood still, what it never reached.

use crate::ended::Ended;
use crate::objective::Unknown;
use crate::rest::{Beyond, Rest};
use crate::verdict::{Known, Verdict, end_of, listed, significant, with_precision};

/// The share of a course, at its end, by which rest is told where nothing is averaged.
pub(crate) const LAST_PART: f64 = 0.2;

/// What is known of a fit whose scalars ended at `theta`; `ended` with its course, nothing where that tells no rest.
/// `reached` says by unknown whether the fit could speak of it.
pub(crate) fn verdict_of_loss(
    unknowns: &[Unknown],
    theta: &[f64],
    ended: Option<&Ended<'_>>,
    reached: Option<&[bool]>,
) -> Verdict {
    let scalars: Vec<&Unknown> = unknowns.iter().filter(|u| u.is_scalar()).collect();
    let share = ended.map_or(0.0, |ended| ended.share);
    let rest = ended.map(Ended::rest);
    let mut at_optimum = rest.as_ref().and_then(at_optimum);
    let known = if at_optimum == Some(false) { Known::NotAtOptimum } else { Known::NoLikelihood };
    let mut words: Vec<String> =
        rest.as_ref().and_then(|rest| warning(rest, &scalars, theta, share)).into_iter().collect();
    let mut known = vec![known; scalars.len()];
    if let Some(Rest::Plateau(k)) = rest {
        known[k] = Known::NotDetermined(None);
    }
    let reached = unknowns.iter().zip(reached.unwrap_or_default());
    let missed: Vec<&str> = reached.filter(|(_, r)| !**r).map(|(u, _)| u.name.as_str()).collect();
    if !missed.is_empty() {
        words.push(format!("no gradient reached {}: it is where it started", listed(&missed)));
    }
    for (k, unknown) in scalars.iter().enumerate() {
        if missed.contains(&unknown.name.as_str()) {
            known[k] = Known::NotReached;
        } else if let Some(end) = end_of(unknown.interval, theta[k]) {
            let is_said = matches!(
                rest,
                Some(
                    Rest::Flat(i, _, Beyond::Falls | Beyond::Unknown)
                    | Rest::Climbed(_, _, Some((i, _)))
                    | Rest::OnAndOff(i, ..)
                ) if i == k
            );
            let thrown = ended.filter(|_| at_optimum != Some(false)).and_then(|ended| ended.thrown(k, end));
            if let Some((before, now)) = thrown {
                let climbed = Rest::Climbed(before, now, Some((k, end)));
                words.splice(.., warning(&climbed, &scalars, theta, share));
                at_optimum = Some(false);
            } else if !is_said {
                words.push(format!("`{}` lies at the end {end} of its interval", unknown.name));
            }
            known[k] = Known::AtEnd(end);
        }
    }
    // An end may be where a step too wide threw it: that is no rest.
    let at_end = known.iter().any(|k| matches!(k, Known::AtEnd(_)));
    let at_optimum = if at_end && at_optimum == Some(true) { None } else { at_optimum };
    let warns = !words.is_empty();
    if !warns {
        let unclear = rest.as_ref().and_then(|rest| unclear(rest, &scalars, share));
        words.push(match rest {
            Some(Rest::Stood) => "at rest; error not known, since the loss is no likelihood".to_string(),
            _ => "error not known, since the loss is no likelihood".to_string(),
        });
        words.extend(unclear);
    }
    if at_optimum == Some(false) {
        known.iter_mut().filter(|k| **k == Known::NoLikelihood).for_each(|k| *k = Known::NotAtOptimum);
    }
    Verdict { known, at_optimum, words: words.join("; "), warns, notes: Vec::new() }
}

/// Whether a course says that a fit came to its optimum; nothing where it does not tell.
fn at_optimum(rest: &Rest) -> Option<bool> {
    match rest {
        Rest::Stood => Some(true),
        Rest::Moved(..) | Rest::Turned(..) | Rest::Drifted(_) => Some(false),
        Rest::Swung(..) | Rest::OnAndOff(..) | Rest::Strayed(..) => Some(false),
        Rest::Pulled(_) | Rest::Climbed(..) => Some(false),
        Rest::Flat(_, _, Beyond::Falls) => Some(false),
        Rest::Flat(..) | Rest::Plateau(_) | Rest::Slow(_) | Rest::Short => None,
    }
}

/// What a course that is no rest is to be called, in the first line.
fn warning(rest: &Rest, scalars: &[&Unknown], theta: &[f64], share: f64) -> Option<String> {
    let last = format!("the last {:.0} % of the steps", 100.0 * share);
    let between = |from: f64, to: f64| {
        let digits = |x| with_precision(x, Some((to - from).abs()));
        (digits(from), digits(to))
    };
    Some(match *rest {
        Rest::Drifted(ref moved) => {
            let names: Vec<&str> = moved.iter().map(|k| scalars[*k].name.as_str()).collect();
            format!(
                "not at its optimum: {} still moved together one way in {last}; take more steps",
                listed(&names)
            )
        }
        Rest::Swung(k, low, high) => {
            let (low, high) = between(low, high);
            let name = &scalars[k].name;
            format!(
                "not at its optimum: `{name}` swings from step to step, between about {low} and {high}: the learning rate is too \
                 high, lower it"
            )
        }
        Rest::OnAndOff(k, end, share_there) => format!(
            "not at its optimum: `{}` is thrown onto the end {end} of its interval and off it again (there in {} % of {last}), \
             which draws a mean of its steps aside: the learning rate is too high, lower it",
            scalars[k].name,
            significant(100.0 * share_there, 2)
        ),
        Rest::Strayed(k, low, high) => {
            let (low, high) = between(low, high);
            let name = &scalars[k].name;
            format!(
                "not at its optimum: the steps of `{name}` stray from about {low} to {high} in {last}, too widely for their mean \
                 to be the optimum: the learning rate is too high, lower it"
            )
        }
        Rest::Moved(k, from, to) => {
            let (from, to) = between(from, to);
            let name = &scalars[k].name;
            format!(
                "not at its optimum: `{name}` still moved, from {from} to {to} between the two halves of {last}"
            )
        }
        Rest::Turned(k, low, high) => {
            let (low, high) = between(low, high);
            let name = &scalars[k].name;
            format!(
                "not at its optimum: `{name}` still moved, between {low} and {high} in {last}, in few long sweeps: take more steps"
            )
        }
        Rest::Pulled(k) => format!(
            "not at its optimum: `{}` stands, but the loss still falls along it; the learning rate is too low, or fell too fast",
            scalars[k].name
        ),
        Rest::Climbed(before, now, Some((k, end))) => format!(
            "not at its optimum: `{}` was thrown to the end {end} of its interval, where steps hardly move it (the loss was {} \
             before, and is {} on average in {last}): lower the learning rate, or start elsewhere",
            scalars[k].name,
            significant(before, 2),
            significant(now, 2)
        ),
        Rest::Climbed(before, now, None) => format!(
            "not at its optimum: the loss was {} before, and is {} on average in {last}: lower the learning rate, or start \
             elsewhere",
            significant(before, 2),
            significant(now, 2)
        ),
        Rest::Plateau(k) => format!(
            "the loss no longer changes with `{}` where it ended (its gradient is exactly 0 in {last}), so what is given for it means \
             nothing: start elsewhere, where no probability is cut at 0 or 1, or lower the learning rate",
            scalars[k].name
        ),
        Rest::Flat(k, end, Beyond::Falls) => format!(
            "not at its optimum: `{}` was thrown to the end {end} of its interval, where steps hardly move it, though the loss \
             falls from there inwards: lower the learning rate, or start elsewhere",
            scalars[k].name
        ),
        Rest::Flat(k, end, Beyond::Unknown) => format!(
            "`{}` lies so near the end {end} of its interval that steps hardly move it: whether it belongs there is not known; \
             lower the learning rate, or start elsewhere, to see",
            scalars[k].name
        ),
        // That it lies at its end is said of every parameter that does.
        Rest::Flat(k, _, Beyond::Rises) if end_of(scalars[k].interval, theta[k]).is_some() => return None,
        Rest::Flat(k, end, Beyond::Rises) => {
            format!("`{}` approaches the end {end} of its interval", scalars[k].name)
        }
        Rest::Stood | Rest::Slow(_) | Rest::Short => return None,
    })
}

/// Why it is not clear whether a fit came to rest.
fn unclear(rest: &Rest, scalars: &[&Unknown], share: f64) -> Option<String> {
    match rest {
        _ if scalars.is_empty() => None,
        Rest::Short => Some("too few steps to tell rest".to_string()),
        Rest::Slow(k) => Some(format!(
            "not clear whether it is at rest: `{}` wandered slowly in the last {:.0} % of the steps; take more",
            scalars[*k].name,
            100.0 * share
        )),
        _ => None,
    }
}

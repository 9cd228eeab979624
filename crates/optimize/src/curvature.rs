//! Looks at an exact likelihood around an estimate: has the fit arrived, what do the data determine, how far is it off.
//!
//! With g the slopes and I the second derivatives of −ln likelihood at θ, taken as differences of its exact slopes at
//! two distances h and 2h, h a fiftieth of a standard error: I = (4 I(h) − I(2h)) / 3.
//!
//! | question | answer |
//! |---|---|
//! | has it arrived? | the Newton decrement gᵀ I⁻¹ g, the square of its distance in standard errors, is at most 0.01 |
//! | is it smooth? | I(h) and I(2h) agree; at a kink both grow as the distance shrinks |
//! | does it lie at an end? | an end is there, or the likelihood would still rise beyond it, or it is a tenth of an error away |
//! | what is determined? | directions whose eigenvalue of I, scaled to a diagonal of 1, is above 10⁻⁹ |
//! | is it a parabola? | one error to both sides ln L has not fallen by 2 and more, where it should by ½ |
//! | how far off? | √((I⁻¹)ᵢᵢ), over the directions that are determined, with what lies at an end held there |
//!
//! Where I(h) and I(2h) do not agree, the likelihood may have many kinks, each small beside an error, as where costs of whole numbers
//! change their sign one after another. Then slopes one and two errors away tell: where they give the same I, to a third, errors
//! are those of this course, and it is said; else there are none.
//!
//! Where directions are weak, I is taken at the optimum itself (some Newton steps away): beside it, the slope of a
//! product a · b looks like curvature. Boyd & Vandenberghe, *Convex Optimization* (2004), §9.5 for the decrement;
//! Rothenberg 1971, Econometrica 39, 577 for what is determined.

use crate::information::{FLAT, Information, Judged, REST, variances};
use crate::objective::{Interval, Objective, ObjectiveError};
use crate::verdict::{Known, Verdict, end_of, listed, numbers_of, significant};

/// The longest θ that gets standard errors: the matrix takes its square, its eigenvectors the cube.
const MOST_FOR_ERRORS: usize = 500;
/// Eigenvalues in whose directions a Newton step is always sound.
const STIFF: f64 = 1e-3;
/// Below this smallest eigenvalue the information is taken at the optimum itself.
const WEAK: f64 = 0.1;
/// The step of a difference in standard errors.
const STEP: f64 = 0.02;
/// What ln L changes by over a whole interval where the number is not felt, at most.
const FELT: f64 = 1e-4;
/// The share by which second derivatives at two distances differ at most where the likelihood is smooth.
const SMOOTH: f64 = 0.2;
/// The same over one and two errors, of a likelihood with many small kinks.
const SMOOTH_AFAR: f64 = 0.35;
/// The fall of ln L one error away, where a parabola's is a half, from which on that error says nothing.
const NO_PARABOLA: f64 = 2.0;
/// The largest Newton decrement of an optimum among kinks, whose slopes are those of the course about it.
const REST_AMONG_KINKS: f64 = 0.1;

/// What is known of an estimate under an exact likelihood: −ln L = `scale` times the objective's loss.
pub(crate) fn look(objective: &mut dyn Objective, theta: &[f64], scale: f64) -> Verdict {
    let n = theta.len();
    if n > MOST_FOR_ERRORS {
        let words = format!("errors are not computed for more than {MOST_FOR_ERRORS} unknown numbers");
        let scalars = objective.unknowns().iter().filter(|u| u.is_scalar()).count();
        return Verdict::of_all(scalars, Known::NotComputed, None, words);
    }
    let numbers = numbers_of(objective.unknowns());
    let scalars: Vec<bool> = objective.unknowns().iter().flat_map(|u| vec![u.is_scalar(); u.len()]).collect();
    let mut verdict =
        (Look { objective, numbers, scale, kinked: Vec::new() }).verdict(theta).unwrap_or_else(|error| {
            let words = format!("the likelihood around the estimate could not be computed: {error}");
            Verdict::of_all(n, Known::NotComputed, None, words)
        });
    let mut scalar = scalars.into_iter();
    verdict.known.retain(|_| scalar.next().unwrap_or(true));
    verdict
}

/// The least errors that estimates without bias can have from the data of an exact likelihood, at θ: the roots of the
/// inverse information's diagonal (Cramér & Rao). They are no errors of a fit by another loss, whose own are larger.
/// `None` where the objective is no likelihood, or does not determine every number.
///
/// # Errors
/// [`ObjectiveError`] as in [`Objective::evaluate`].
pub fn least_errors(
    objective: &mut dyn Objective,
    theta: &[f64],
) -> Result<Option<Vec<f64>>, ObjectiveError> {
    let Some(likelihood) = objective.likelihood().filter(|_| theta.len() <= MOST_FOR_ERRORS) else {
        return Ok(None);
    };
    let numbers = numbers_of(objective.unknowns());
    let mut look = Look { objective, numbers, scale: likelihood.data, kinked: Vec::new() };
    let mut known = vec![None; theta.len()];
    let mut steps = Vec::with_capacity(theta.len());
    for i in 0..theta.len() {
        steps.push(look.step(theta, i)?.0);
    }
    if steps.iter().any(|step| *step <= 0.0) {
        return Ok(None);
    }
    let at = look.information(theta, &mut known, &steps)?;
    let whole = at.free.len() == theta.len() && at.smallest() > FLAT;
    let all: Vec<usize> = (0..theta.len()).collect();
    Ok(whole.then(|| variances(&at, &all).into_iter().map(f64::sqrt).collect()))
}

/// Those numbers one error from which, on both sides, −ln likelihood has risen far more than a parabola of that error.
fn falls_beyond(
    at: &Information,
    theta: &[f64],
    judged: &Judged<'_>,
    known: &[Known],
    value: &mut dyn FnMut(&[f64]) -> f64,
) -> Vec<usize> {
    let n = theta.len();
    // Where a direction is not determined, a number's own error is not that of the inverse.
    if known.iter().any(|k| matches!(k, Known::NotDetermined(_))) {
        return Vec::new();
    }
    let (inverse, here) = (at.inverse(n), value(theta));
    let mut rise = |i: usize, error: f64, sign: f64| -> Option<f64> {
        let moved: Vec<f64> = (0..n).map(|j| theta[j] + sign * inverse[i * n + j] / error).collect();
        let inside = moved.iter().zip(judged.numbers).all(|(x, (_, interval))| interval.contains(*x));
        inside.then(|| value(&moved) - here)
    };
    let steep = |i: &usize| {
        let Some(error) = known[*i].error() else { return false };
        [-1.0, 1.0].iter().all(|sign| rise(*i, error, *sign).is_some_and(|rise| rise > NO_PARABOLA))
    };
    (0..n).filter(steep).collect()
}

struct Look<'a> {
    objective: &'a mut dyn Objective,
    numbers: Vec<(String, Interval)>,
    scale: f64,
    /// Numbers by which the likelihood has many small kinks, and the slope of its course there.
    kinked: Vec<(usize, f64)>,
}

impl Look<'_> {
    fn verdict(&mut self, theta: &[f64]) -> Result<Verdict, ObjectiveError> {
        let n = theta.len();
        let Some(mut gradient) = self.gradient(theta)? else {
            let words = "the likelihood is 0 at the estimate";
            return Ok(Verdict::of_all(n, Known::NotComputed, Some(false), words));
        };
        let mut known: Vec<Option<Known>> = vec![None; n];
        let mut steps = vec![0.0; n];
        let mut inward = false;
        for i in 0..n {
            let (step, curvature) = self.step(theta, i)?;
            steps[i] = step;
            if self.is_not_felt(theta, i, gradient[i])? {
                known[i] = Some(Known::NotDetermined(None));
                continue;
            }
            known[i] = self.at_end(theta, i, gradient[i], curvature);
            if let Some(Known::AtEnd(end)) = known[i] {
                let rises_inside = if self.is_lowest(i, end) { gradient[i] < 0.0 } else { gradient[i] > 0.0 };
                inward |= rises_inside && self.gain_inside(theta, i, end, gradient[i])? > REST;
            } else if curvature.is_nan() {
                known[i] = Some(Known::NotSmooth);
            }
        }
        if inward {
            return Ok(self.elsewhere(n, "the likelihood rises from the end of an interval where it stopped"));
        }
        let at = self.information(theta, &mut known, &steps)?;
        if at.values.iter().any(|v| !v.is_finite()) {
            return Ok(Verdict::of_all(
                n,
                Known::NotComputed,
                None,
                "the likelihood's curvature is not finite",
            ));
        }
        // At a kink the slope is that of one of its sides.
        self.kinked.iter().for_each(|(i, slope)| gradient[*i] = *slope);
        let rest = if self.kinked.is_empty() { REST } else { REST_AMONG_KINKS };
        let far = at.decrement(&gradient, STIFF);
        if far > rest {
            return Ok(self.far(n, far));
        }
        let (at, gradient) = match at.smallest() < WEAK && self.kinked.is_empty() {
            true => self.at_the_optimum(theta, at, gradient, &mut known, &steps)?,
            false => (at, gradient),
        };
        if at.smallest() < -1e-6 {
            return Ok(self.elsewhere(n, "the likelihood rises on both sides of it"));
        }
        let far = at.decrement(&gradient, FLAT);
        if far > rest {
            return Ok(self.far(n, far));
        }
        let Look { objective, numbers, scale, kinked } = self;
        let mut value = |theta: &[f64]| objective.value(theta, 0).map_or(f64::NAN, |v| v * *scale);
        let judged = Judged { numbers, theta, remedy: " under [fixed]" };
        let mut verdict = judged.errors(&at, known, &mut value);
        let steep = falls_beyond(&at, theta, &judged, &verdict.known, &mut value);
        if !steep.is_empty() {
            let names: Vec<&str> = steep.iter().map(|i| numbers[*i].0.as_str()).collect();
            steep.iter().for_each(|i| verdict.known[*i] = Known::NotComputed);
            let words = format!(
                "the likelihood hardly curves right at {} and falls steeply beside it, so that its curvature gives no error: draw \
                 its profile or a posterior",
                listed(&names)
            );
            verdict.words = if verdict.warns { format!("{}; {words}", verdict.words) } else { words };
            verdict.warns = true;
        }
        if !kinked.is_empty() {
            let names: Vec<&str> = kinked.iter().map(|(i, _)| numbers[*i].0.as_str()).collect();
            verdict.notes.push(format!(
                "the likelihood has many small kinks along {}: errors are by its course over two of them",
                listed(&names)
            ));
        }
        Ok(verdict)
    }

    /// The slopes of −ln L at θ; `None` where L is 0 or not a number.
    fn gradient(&mut self, theta: &[f64]) -> Result<Option<Vec<f64>>, ObjectiveError> {
        let found = self.objective.evaluate(theta, 0)?;
        let finite = found.value.is_finite() && found.gradient.iter().all(|g| g.is_finite());
        Ok(finite.then(|| found.gradient.into_iter().map(|g| g * self.scale).collect()))
    }

    /// How far one number may move to both sides.
    fn room(&self, theta: &[f64], i: usize) -> f64 {
        let Interval { lowest, highest } = self.numbers[i].1;
        (theta[i] - lowest).min(highest - theta[i])
    }

    /// A size that a number has.
    fn size(&self, theta: &[f64], i: usize) -> f64 {
        let Interval { lowest, highest } = self.numbers[i].1;
        let width = highest - lowest;
        match theta[i].abs() {
            x if x > 0.0 && width.is_finite() => x.min(width),
            x if x > 0.0 => x,
            _ => width.min(1.0),
        }
    }

    /// The width of a number's interval; of an infinite one what the number's size is.
    fn range(&self, theta: &[f64], i: usize) -> f64 {
        let Interval { lowest, highest } = self.numbers[i].1;
        if (highest - lowest).is_finite() { highest - lowest } else { self.size(theta, i).max(1.0) }
    }

    /// Whether the likelihood is all but the same over the whole finite interval of a number, by its slopes there: what slope there is,
    /// rounding, must not be taken for a pull towards an end.
    fn is_not_felt(&mut self, theta: &[f64], i: usize, slope: f64) -> Result<bool, ObjectiveError> {
        let Interval { lowest, highest } = self.numbers[i].1;
        let range = highest - lowest;
        if !range.is_finite() || slope.abs() * range >= FELT {
            return Ok(false);
        }
        // Flat at one place is not flat everywhere.
        for share in [0.07, 0.38, 0.71, 0.97] {
            let mut moved = theta.to_vec();
            moved[i] = lowest + share * range;
            let flat = self.gradient(&moved)?.is_some_and(|there| there[i].abs() * range < FELT);
            if !flat {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How far to step for differences by a number, and its own second derivative (NaN where L is 0 close by).
    fn step(&mut self, theta: &[f64], i: usize) -> Result<(f64, f64), ObjectiveError> {
        let (room, size) = (self.room(theta, i), self.size(theta, i));
        let first = (1e-4 * size).min(0.2 * room);
        if first.is_nan() || first <= 0.0 {
            return Ok((0.0, 0.0));
        }
        let Some([above, below]) = self.around(theta, i, first)? else { return Ok((first, f64::NAN)) };
        let curvature = (above[i] - below[i]) / (2.0 * first);
        let fine = STEP / curvature.sqrt();
        let step = if fine.is_finite() { fine.clamp(1e-7 * size, 0.05 * size.max(1e-3)) } else { first };
        Ok((step.min(0.2 * room), curvature))
    }

    /// The slopes at both sides of θ; `None` where L is 0 at one.
    fn around(
        &mut self,
        theta: &[f64],
        i: usize,
        step: f64,
    ) -> Result<Option<[Vec<f64>; 2]>, ObjectiveError> {
        let mut moved = theta.to_vec();
        moved[i] = theta[i] + step;
        let above = self.gradient(&moved)?;
        moved[i] = theta[i] - step;
        let below = self.gradient(&moved)?;
        Ok(above.zip(below).map(|(a, b)| [a, b]))
    }

    /// Whether a number lies at an end, or so near that the likelihood hardly rises on the way to it and beyond.
    fn at_end(&self, theta: &[f64], i: usize, slope: f64, curvature: f64) -> Option<Known> {
        let interval = self.numbers[i].1;
        if let Some(end) = end_of(interval, theta[i]) {
            return Some(Known::AtEnd(end));
        }
        let end = if slope > 0.0 { interval.lowest } else { interval.highest };
        let room = (theta[i] - end).abs();
        let would_go = if curvature > 0.0 { slope.abs() / curvature } else { f64::INFINITY };
        let reaches = end.is_finite() && slope != 0.0 && slope.abs() * room < REST && would_go > room;
        reaches.then_some(Known::AtEnd(end))
    }

    /// Whether an end of a number's interval is its lower one.
    fn is_lowest(&self, i: usize, end: f64) -> bool {
        end < self.numbers[i].1.highest
    }

    /// The square of the distance in standard errors to which the likelihood rises from an end.
    fn gain_inside(&mut self, theta: &[f64], i: usize, end: f64, slope: f64) -> Result<f64, ObjectiveError> {
        let size = self.size(theta, i);
        let step = 1e-4 * size;
        let mut moved = theta.to_vec();
        moved[i] = if self.is_lowest(i, end) { end + step } else { end - step };
        let Some(there) = self.gradient(&moved)? else { return Ok(0.0) };
        let curvature = (there[i] - slope) / (moved[i] - theta[i]);
        Ok(if curvature > 0.0 { slope * slope / curvature } else { f64::INFINITY })
    }

    /// The information at θ by all numbers of which nothing is known yet; where it is not smooth, that becomes known.
    fn information(
        &mut self,
        theta: &[f64],
        known: &mut [Option<Known>],
        steps: &[f64],
    ) -> Result<Information, ObjectiveError> {
        let n = theta.len();
        let mut rows: Vec<Vec<f64>> = vec![Vec::new(); n];
        for i in (0..n).filter(|i| known[*i].is_none()).collect::<Vec<_>>() {
            let step = steps[i];
            let (Some(near), Some(far)) = (self.around(theta, i, step)?, self.around(theta, i, 2.0 * step)?)
            else {
                known[i] = Some(Known::NotSmooth);
                continue;
            };
            let second = |at: &[Vec<f64>; 2], step: f64| -> Vec<f64> {
                at[0].iter().zip(&at[1]).map(|(a, b)| (a - b) / (2.0 * step)).collect()
            };
            let (near, far) = (second(&near, step), second(&far, 2.0 * step));
            let most = near[i].abs().max(far[i].abs());
            // What a step of a fiftieth of an error changes by less is rounding.
            let matters = most * step * step > 1e-3 * STEP * STEP;
            if matters && (near[i] - far[i]).abs() > SMOOTH * most {
                match self.afar(theta, i, step)? {
                    Some(row) => rows[i] = row,
                    None => known[i] = Some(Known::NotSmooth),
                }
                continue;
            }
            rows[i] = near.iter().zip(&far).map(|(a, b)| (4.0 * a - b) / 3.0).collect();
        }
        // A number that the likelihood does not feel over a hundred of its own sizes is not determined, all alone.
        for i in 0..n {
            let range = self.range(theta, i);
            if known[i].is_none() && rows[i][i].abs() * range * range < FELT {
                known[i] = Some(Known::NotDetermined(None));
            }
        }
        let free: Vec<usize> = (0..n).filter(|i| known[*i].is_none()).collect();
        Ok(Information::scaled(&rows, free))
    }

    /// The second derivatives by a number over the width of its error, where the likelihood has many small kinks along it; nothing
    /// where its course over two errors is no parabola either.
    fn afar(&mut self, theta: &[f64], i: usize, step: f64) -> Result<Option<Vec<f64>>, ObjectiveError> {
        let room = self.room(theta, i);
        let mut distance = step;
        // Until ln L has fallen by about a half on either side, where an error lies.
        let near = loop {
            if distance.is_nan() || distance <= 0.0 || 2.0 * distance > room {
                return Ok(None);
            }
            let Some(near) = self.around(theta, i, distance)? else { return Ok(None) };
            let fallen = 0.25 * distance * (near[0][i] - near[1][i]);
            if fallen >= 0.5 {
                break near;
            }
            // A parabola's fall grows by the square.
            distance *= if fallen > 0.0 { (0.55 / fallen).sqrt().clamp(1.05, 4.0) } else { 4.0 };
        };
        let Some(far) = self.around(theta, i, 2.0 * distance)? else { return Ok(None) };
        let second = |at: &[Vec<f64>; 2], step: f64| -> Vec<f64> {
            at[0].iter().zip(&at[1]).map(|(a, b)| (a - b) / (2.0 * step)).collect()
        };
        let (row, wide) = (second(&near, distance), second(&far, 2.0 * distance));
        // A kink alone, or one that outweighs the rest, halves it; a likelihood that falls on one side alone has no sign of its own.
        let alike = (row[i] - wide[i]).abs() <= SMOOTH_AFAR * row[i].abs().max(wide[i].abs());
        let falls = near[0][i] > 0.0 && near[1][i] < 0.0;
        if !alike || !falls {
            return Ok(None);
        }
        self.kinked.push((i, 0.5 * (near[0][i] + near[1][i])));
        Ok(Some(wide))
    }

    /// The information at the optimum that is at most a tenth of a standard error away, and the slopes there.
    fn at_the_optimum(
        &mut self,
        theta: &[f64],
        at: Information,
        gradient: Vec<f64>,
        known: &mut [Option<Known>],
        steps: &[f64],
    ) -> Result<(Information, Vec<f64>), ObjectiveError> {
        let (mut here, mut slopes) = (theta.to_vec(), gradient);
        let mut distance = at.decrement(&slopes, STIFF);
        for _ in 0..12 {
            let step = at.newton(&slopes, STIFF);
            let next: Vec<f64> = here.iter().zip(step).map(|(x, s)| x + s).collect();
            let inside = next.iter().zip(&self.numbers).all(|(x, (_, interval))| interval.contains(*x));
            let Some(there) = (if inside { self.gradient(&next)? } else { None }) else { break };
            let left = at.decrement(&there, STIFF);
            if left > 0.25 * distance {
                break;
            }
            (here, slopes, distance) = (next, there, left);
        }
        let at = self.information(&here, known, steps)?;
        Ok((at, slopes))
    }

    fn far(&self, n: usize, decrement: f64) -> Verdict {
        let distance = significant(decrement.sqrt(), 2);
        self.elsewhere(n, &format!("by slope and curvature about {distance} standard errors away"))
    }

    fn elsewhere(&self, n: usize, why: &str) -> Verdict {
        let words = format!("not at its optimum, so it has no errors: {why}");
        let mut verdict = Verdict::of_all(n, Known::NotAtOptimum, Some(false), words);
        verdict.notes.push("take more steps, another learning rate or another start".into());
        verdict
    }
}

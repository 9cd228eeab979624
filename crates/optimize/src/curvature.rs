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
//! | how far off? | √((I⁻¹)ᵢᵢ), over the directions that are determined, with what lies at an end held there |
//!
//! Where directions are weak, I is taken at the optimum itself (some Newton steps away): beside it, the slope of a
//! product a · b looks like curvature. Boyd & Vandenberghe, *Convex Optimization* (2004), §9.5 for the decrement;
//! Rothenberg 1971, Econometrica 39, 577 for what is determined.

use crate::combination::{Flat, combinations};
use crate::objective::{Interval, Objective, ObjectiveError};
use crate::searches::eigen;
use crate::verdict::{Known, Verdict, end_of, listed, numbers_of, significant};

/// The longest θ that gets standard errors: the matrix takes its square, its eigenvectors the cube.
const MOST_FOR_ERRORS: usize = 500;
/// The largest Newton decrement of a fit at rest.
const REST: f64 = 0.01;
/// Eigenvalues of the scaled information that are none.
const FLAT: f64 = 1e-9;
/// Eigenvalues in whose directions a Newton step is always sound.
const STIFF: f64 = 1e-3;
/// Below this smallest eigenvalue the information is taken at the optimum itself.
const WEAK: f64 = 0.1;
/// The condition number from which on it is said.
const ROUGH: f64 = 1e6;
/// The step of a difference in standard errors.
const STEP: f64 = 0.02;
/// The share by which second derivatives at two distances differ at most where the likelihood is smooth.
const SMOOTH: f64 = 0.2;

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
    let mut verdict = (Look { objective, numbers, scale }).verdict(theta).unwrap_or_else(|error| {
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
    let mut look = Look { objective, numbers, scale: likelihood.data };
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

struct Look<'a> {
    objective: &'a mut dyn Objective,
    numbers: Vec<(String, Interval)>,
    scale: f64,
}

/// Second derivatives by the numbers that are free, scaled: row and column k belong to number `free[k]`.
struct Information {
    free: Vec<usize>,
    /// Roots of the diagonal.
    roots: Vec<f64>,
    values: Vec<f64>,
    /// Eigenvectors, as columns.
    vectors: Vec<f64>,
}

impl Information {
    fn eigenvector(&self, k: usize) -> Vec<f64> {
        let m = self.free.len();
        (0..m).map(|i| self.vectors[i * m + k]).collect()
    }

    fn smallest(&self) -> f64 {
        self.values.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The slopes along every eigenvector.
    fn slopes(&self, gradient: &[f64]) -> Vec<f64> {
        let scaled: Vec<f64> =
            self.free.iter().zip(&self.roots).map(|(i, root)| gradient[*i] / root).collect();
        (0..self.free.len())
            .map(|k| self.eigenvector(k).iter().zip(&scaled).map(|(v, g)| v * g).sum())
            .collect()
    }

    /// gᵀ I⁻¹ g over the directions of at least this eigenvalue.
    fn decrement(&self, gradient: &[f64], least: f64) -> f64 {
        let slopes = self.slopes(gradient);
        self.values.iter().zip(slopes).filter(|(value, _)| **value >= least).map(|(v, s)| s * s / v).sum()
    }

    /// The Newton step over those directions, by number of θ.
    fn newton(&self, gradient: &[f64], least: f64) -> Vec<f64> {
        let mut step = vec![0.0; gradient.len()];
        for (k, slope) in
            self.slopes(gradient).into_iter().enumerate().filter(|(k, _)| self.values[*k] >= least)
        {
            for ((i, root), v) in self.free.iter().zip(&self.roots).zip(self.eigenvector(k)) {
                step[*i] -= v * slope / self.values[k] / root;
            }
        }
        step
    }
}

impl Look<'_> {
    fn verdict(&mut self, theta: &[f64]) -> Result<Verdict, ObjectiveError> {
        let n = theta.len();
        let Some(gradient) = self.gradient(theta)? else {
            let words = "the likelihood is 0 at the estimate";
            return Ok(Verdict::of_all(n, Known::NotComputed, Some(false), words));
        };
        let mut known: Vec<Option<Known>> = vec![None; n];
        let mut steps = vec![0.0; n];
        let mut inward = false;
        for i in 0..n {
            let (step, curvature) = self.step(theta, i)?;
            steps[i] = step;
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
        let far = at.decrement(&gradient, STIFF);
        if far > REST {
            return Ok(self.far(n, far));
        }
        let (at, gradient) = match at.smallest() < WEAK {
            true => self.at_the_optimum(theta, at, gradient, &mut known, &steps)?,
            false => (at, gradient),
        };
        if at.smallest() < -1e-6 {
            return Ok(self.elsewhere(n, "the likelihood rises on both sides of it"));
        }
        let far = at.decrement(&gradient, FLAT);
        if far > REST {
            return Ok(self.far(n, far));
        }
        Ok(self.errors(theta, &at, known))
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
                known[i] = Some(Known::NotSmooth);
                continue;
            }
            rows[i] = near.iter().zip(&far).map(|(a, b)| (4.0 * a - b) / 3.0).collect();
        }
        // A number that the likelihood does not feel over a hundred of its own sizes is not determined, all alone.
        for i in 0..n {
            let range = {
                let Interval { lowest, highest } = self.numbers[i].1;
                if (highest - lowest).is_finite() { highest - lowest } else { self.size(theta, i).max(1.0) }
            };
            if known[i].is_none() && rows[i][i].abs() * range * range < 1e-4 {
                known[i] = Some(Known::NotDetermined(None));
            }
        }
        let free: Vec<usize> = (0..n).filter(|i| known[*i].is_none()).collect();
        let roots: Vec<f64> = free.iter().map(|i| rows[*i][*i].abs().sqrt()).collect();
        let m = free.len();
        let mut scaled = vec![0.0; m * m];
        for (a, i) in free.iter().enumerate() {
            for (b, j) in free.iter().enumerate() {
                scaled[a * m + b] = 0.5 * (rows[*i][*j] + rows[*j][*i]) / (roots[a] * roots[b]);
            }
        }
        let (values, vectors) = eigen(&scaled, m);
        Ok(Information { free, roots, values, vectors })
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

    /// The errors of what is determined, and the names of what is not.
    fn errors(&mut self, theta: &[f64], at: &Information, mut known: Vec<Option<Known>>) -> Verdict {
        let m = at.free.len();
        let mut order: Vec<usize> = (0..m).collect();
        order.sort_by(|a, b| at.values[*a].total_cmp(&at.values[*b]));
        let mut flat = order.iter().filter(|k| at.values[**k] < FLAT).count();
        // A direction whose error is wider than an interval tells no more than the interval does.
        while flat < m && self.wider_than_its_interval(at, &order[flat..]) {
            flat += 1;
        }
        let (none, some) = order.split_at(flat);
        let projector = |a: usize, b: usize| -> f64 {
            none.iter().map(|k| at.vectors[a * m + k] * at.vectors[b * m + k]).sum()
        };
        let open: Vec<usize> = (0..m).filter(|a| projector(*a, *a) > 1e-6).collect();
        let directions = Flat {
            members: open.iter().map(|a| at.free[*a]).collect(),
            roots: open.iter().map(|a| at.roots[*a]).collect(),
            projector: open.iter().map(|a| open.iter().map(|b| projector(*a, *b)).collect()).collect(),
        };
        let names: Vec<String> = self.numbers.iter().map(|(name, _)| name.clone()).collect();
        let intervals: Vec<Interval> = self.numbers.iter().map(|(_, interval)| *interval).collect();
        let scale = self.scale;
        let objective = &mut *self.objective;
        let mut value = |theta: &[f64]| objective.value(theta, 0).map_or(f64::NAN, |v| v * scale);
        let found = combinations(&directions, theta, &names, &intervals, &mut value);
        for (members, words) in &found {
            members.iter().for_each(|i| known[*i] = Some(Known::NotDetermined(words.clone())));
        }
        let variances = variances(at, some);
        for (a, i) in at.free.iter().enumerate() {
            let error = variances[a].sqrt();
            // An end that is nearer than a tenth of an error is where it lies.
            let Interval { lowest, highest } = self.numbers[*i].1;
            let near = [lowest, highest].into_iter().find(|end| (theta[*i] - end).abs() < 0.1 * error);
            known[*i].get_or_insert(near.map_or(Known::Error(error), Known::AtEnd));
        }
        let known: Vec<Known> = known.into_iter().map(|k| k.unwrap_or(Known::NotComputed)).collect();
        let condition = match (some.first(), some.last()) {
            (Some(least), Some(most)) => at.values[*most] / at.values[*least],
            _ => 1.0,
        };
        self.said(theta, known, condition)
    }

    fn wider_than_its_interval(&self, at: &Information, some: &[usize]) -> bool {
        let wide = |(a, variance): (usize, f64)| {
            let Interval { lowest, highest } = self.numbers[at.free[a]].1;
            variance.sqrt() > highest - lowest
        };
        variances(at, some).into_iter().enumerate().any(wide)
    }

    /// What is known, in words.
    fn said(&self, theta: &[f64], known: Vec<Known>, condition: f64) -> Verdict {
        let mut words = Vec::new();
        let mut notes = Vec::new();
        // Where one number has no second derivative, nothing is known of how the others hang together with it.
        let mut known = known;
        if known.iter().any(|k| matches!(k, Known::NotSmooth)) {
            known.iter_mut().filter(|k| k.error().is_some()).for_each(|k| *k = Known::NotSmooth);
        }
        let those = |wanted: &dyn Fn(&Known) -> bool| -> Vec<&str> {
            let with = self.numbers.iter().zip(&known).filter(|(_, k)| wanted(k));
            with.map(|((name, _), _)| name.as_str()).collect()
        };
        let mut combined: Vec<(String, Vec<&str>)> = Vec::new();
        for ((name, _), known) in self.numbers.iter().zip(&known) {
            match known {
                Known::NotDetermined(Some(only)) => match combined.iter_mut().find(|(c, _)| c == only) {
                    Some((_, members)) => members.push(name),
                    None => combined.push((only.clone(), vec![name])),
                },
                Known::AtEnd(end) => words.push(format!("`{name}` lies at the end {end} of its interval")),
                _ => {}
            }
        }
        for (only, members) in &combined {
            words.push(format!("the data determine only {only}, not {}", listed(members)));
            notes.push(format!("to get errors, fix all but one of {} under [fixed]", listed(members)));
        }
        let alone = those(&|k| matches!(k, Known::NotDetermined(None)));
        if !alone.is_empty() {
            words.push(format!("the data do not determine {}", listed(&alone)));
        }
        let rough = those(&|k| matches!(k, Known::NotSmooth));
        if !rough.is_empty() {
            words.push(format!(
                "the likelihood is not smooth at {}: it has a kink there, or is 0 right beside it",
                listed(&rough)
            ));
        }
        if condition > ROUGH {
            notes.push(format!(
                "the information's condition number is {condition:.1e}: the data hardly determine one direction, and errors are rough"
            ));
        }
        for ((x, (name, interval)), known) in theta.iter().zip(&self.numbers).zip(&known) {
            let Some(error) = known.error() else { continue };
            for end in [interval.lowest, interval.highest] {
                if (x - end).abs() < 2.0 * error {
                    notes.push(format!(
                        "the error of `{name}` reaches beyond the end {end} of its interval: the normal law is rough there"
                    ));
                }
            }
        }
        let warns = !words.is_empty();
        let words = if warns { words.join("; ") } else { "at its optimum".to_string() };
        Verdict { known, at_optimum: Some(true), words, warns, notes }
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

/// The variances of the numbers that are free, over some eigenvectors.
fn variances(at: &Information, some: &[usize]) -> Vec<f64> {
    let m = at.free.len();
    let variance = |a: usize| {
        let own = some.iter().map(|k| at.vectors[a * m + k] * at.vectors[a * m + k] / at.values[*k]);
        own.sum::<f64>() / (at.roots[a] * at.roots[a])
    };
    (0..m).map(variance).collect()
}

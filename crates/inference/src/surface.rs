//! Finds the maximum of a noisy log-likelihood and what it says of parameters: quadratics fitted to its values.
//!
//! Around a centre the values at K random points, a standard error and more away, are fitted by a quadratic; its maximum
//! is the next centre, until the maximum lies among the points. The errors of the estimate are those of the quadratic's
//! curvature; how far the values' noise may move the maximum is the simulation's noise, told apart.
//!
//! ln L̂(θ) = c + bᵀ(θ − θ₀) − ½ (θ − θ₀)ᵀ I (θ − θ₀) + noise; θ̂ = θ₀ + I⁻¹ b; errors √(I⁻¹)ᵢᵢ
//!
//! A point of probability 0 is left out. The mean of ln L̂ lies half its variance below ln L; where that variance changes
//! with θ, the maximum is biased by it.
//!
//! Reference: Ionides, Breto, Park, Smith & King 2017, J. R. Soc. Interface 14, 20170126 (a smoothed noisy profile).

use glauber_numbers::noise::{Key, Purpose, derive_seed};
use glauber_optimize::information::{Information, Judged};
use glauber_optimize::objective::Interval;
use glauber_optimize::verdict::{Known, Verdict, significant};

use crate::flatness;
use crate::likelihood::{Likelihood, Parameter, Stop};

/// What the values around the maximum say.
#[derive(Clone, Debug)]
pub struct Surface {
    /// The maximum.
    pub theta: Vec<f64>,
    /// How far the values' noise moves it, by parameter.
    pub simulation_noise: Vec<f64>,
    /// What is known of each parameter.
    pub verdict: Verdict,
    /// The standard deviation of ln L̂ at the maximum.
    pub spread: f64,
    /// ln L̂ there, smoothed.
    pub log_likelihood: f64,
}

/// The most unknown numbers for which a quadratic is fitted.
pub const MOST_UNKNOWNS: usize = 12;
/// Rounds in which the centre may move.
const ROUNDS: usize = 12;
/// By so much ln L falls at the points' usual distance.
const FALL: f64 = 1.5;

/// Looks around a point near the maximum. `stop` ends it: there is no answer then.
///
/// # Errors
/// [`Stop`] as in [`Likelihood::log_likelihood`], or where it is interrupted.
pub fn look(
    likelihood: &mut dyn Likelihood,
    theta: &[f64],
    seed: u64,
    stop: &dyn Fn() -> bool,
) -> Result<Surface, Stop> {
    let parameters = likelihood.parameters().to_vec();
    let n = theta.len();
    let mut own =
        Points { likelihood, parameters, seed: derive_seed(seed, Purpose::Surface, 0), drawn: 0, stop };
    if n == 0 || n > MOST_UNKNOWNS {
        let words = format!(
            "the values of a noisy likelihood are looked at for 1 to {MOST_UNKNOWNS} unknown numbers"
        );
        return Ok(own.unknown(theta, words));
    }
    let Some((mut level, mut spread)) = own.level(theta)? else {
        return Ok(own.unknown(theta, "the likelihood is 0 at the estimate".into()));
    };
    let mut centre = theta.to_vec();
    let mut scales = own.scales(&centre, level, spread)?;
    let mut shape: Option<Quadratic> = None;
    for round in 0..ROUNDS {
        let terms = 1 + n + n * (n + 1) / 2;
        let count = (8 * terms).max(60) * if round >= 2 { 2 } else { 1 };
        let values = own.values(&centre, &scales, shape.as_ref(), count)?;
        let Some(mut found) = Quadratic::fitted(&values, &centre, &scales, level) else {
            return Ok(own.unknown(&centre, "too few points around the estimate have a likelihood".into()));
        };
        let (next, far) = found.step(&centre, &own.parameters);
        found.last_step = far;
        centre = next;
        let at_rest = far < 0.5 && round >= 2;
        scales = found.scales(&scales, &own.parameters);
        let whole = found.is_peak();
        shape = Some(found);
        if at_rest || (round + 1 == ROUNDS) {
            break;
        }
        if !whole {
            shape = None;
        }
        if let Some((own_level, own_spread)) = own.level(&centre)? {
            (level, spread) = (own_level, own_spread);
        }
    }
    let Some(shape) = shape else { return Ok(own.unknown(&centre, "no round was made".into())) };
    // The last quadratic was about the centre before; its maximum is the centre now, up to the ends of intervals.
    let numbers: Vec<(String, Interval)> =
        own.parameters.iter().map(|p| (p.name.clone(), p.interval)).collect();
    let information = Information::of(&shape.curvature, n);
    let judged = Judged { numbers: &numbers, theta: &centre, remedy: " under [fixed]" };
    let about = shape.clone();
    let mut verdict = judged.verdict(&information, &mut |at| -about.value(at));
    if shape.last_step > 0.5 {
        let words = format!(
            "not at its optimum, so it has no errors: the last step was of {} standard errors",
            significant(shape.last_step, 2)
        );
        verdict = Verdict::of_all(n, Known::NotAtOptimum, Some(false), words);
    }
    if verdict.known.iter().any(|known| known.error().is_some()) {
        let inverse = information.inverse(n);
        let parameters = own.parameters.clone();
        let flat = flatness::flat(&mut |at| own.value(at), &centre, &inverse, &parameters, spread)?;
        not_determined(&mut verdict, &flat, &parameters);
    }
    if spread > 2.0 {
        verdict.notes.push(format!(
            "ln L̂ has a standard deviation of {} at the estimate: more particles or simulations make it steadier (about 1 is \
             good)",
            significant(spread, 2)
        ));
    }
    let simulation_noise = shape.noise();
    let log_likelihood = shape.value(&centre);
    Ok(Surface { theta: centre, simulation_noise, verdict, spread, log_likelihood })
}

/// Takes the errors of parameters along which ln L̂ does not fall, and says so in the first line.
fn not_determined(verdict: &mut Verdict, flat: &[usize], parameters: &[Parameter]) {
    let lost: Vec<usize> = flat.iter().copied().filter(|i| verdict.known[*i].error().is_some()).collect();
    if lost.is_empty() {
        return;
    }
    lost.iter().for_each(|i| verdict.known[*i] = Known::NotDetermined(None));
    let names: Vec<String> = lost.iter().map(|i| format!("`{}`", parameters[*i].name)).collect();
    let names = names.join(", ");
    verdict.words = if lost.len() == 1 {
        format!(
            "the data do not determine {names}: three errors away, as its likelihood curves, they are about as likely"
        )
    } else {
        format!(
            "the data do not determine {names} one by one: three errors away, as their likelihood curves, they are about as \
             likely; give one of them under [fixed], or fit what they enter as"
        )
    };
    verdict.warns = true;
}

/// Draws points and takes the likelihood's values at them, each with noise of its own.
struct Points<'a> {
    likelihood: &'a mut dyn Likelihood,
    parameters: Vec<Parameter>,
    seed: u64,
    drawn: u64,
    stop: &'a dyn Fn() -> bool,
}

impl Points<'_> {
    fn value(&mut self, theta: &[f64]) -> Result<f64, Stop> {
        if (self.stop)() {
            return Err(Stop::Interrupted);
        }
        if self.parameters.iter().zip(theta).any(|(p, x)| !p.interval.contains(*x)) {
            return Ok(f64::NEG_INFINITY);
        }
        self.drawn += 1;
        // Evaluations of a fit count from 0; these lie far beyond.
        self.likelihood.log_likelihood(theta, (1 << 48) + self.drawn)
    }

    /// Mean and standard deviation of the values at a point.
    fn level(&mut self, theta: &[f64]) -> Result<Option<(f64, f64)>, Stop> {
        const TIMES: usize = 8;
        let values = (0..TIMES).map(|_| self.value(theta)).collect::<Result<Vec<_>, _>>()?;
        let finite: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        if finite.len() < 2 {
            return Ok(None);
        }
        let mean = finite.iter().sum::<f64>() / finite.len() as f64;
        let square = finite.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (finite.len() - 1) as f64;
        Ok(Some((mean, square.sqrt())))
    }

    /// How far each parameter is moved until ln L has fallen by some units, noise apart.
    fn scales(&mut self, centre: &[f64], level: f64, spread: f64) -> Result<Vec<f64>, Stop> {
        let wanted = FALL + spread;
        let mut scales = Vec::with_capacity(centre.len());
        for i in 0..centre.len() {
            let Interval { lowest, highest } = self.parameters[i].interval;
            let width = highest - lowest;
            let size = if centre[i].abs() > 0.0 { centre[i].abs() } else { width.min(1.0) };
            let most = if width.is_finite() { 0.5 * width } else { 4.0 * size };
            let mut scale = (0.1 * size).min(most);
            let mut grown = false;
            for _ in 0..10 {
                let mut fall = f64::NEG_INFINITY;
                for sign in [-1.0, 1.0] {
                    let mut moved = centre.to_vec();
                    moved[i] = (moved[i] + sign * scale).clamp(lowest, highest);
                    let value = 0.5 * (self.value(&moved)? + self.value(&moved)?);
                    fall = fall.max(level - value);
                }
                if fall > 3.0 * wanted && !grown {
                    scale *= 0.4;
                } else if fall < 0.5 * wanted && scale < most {
                    (scale, grown) = ((1.8 * scale).min(most), true);
                } else {
                    break;
                }
            }
            scales.push(scale);
        }
        Ok(scales)
    }

    /// Values at points about a centre: spread as the quadratic's errors say, or along the axes alone where there is none.
    fn values(
        &mut self,
        centre: &[f64],
        scales: &[f64],
        shape: Option<&Quadratic>,
        count: usize,
    ) -> Result<Vec<(Vec<f64>, f64)>, Stop> {
        let n = centre.len();
        let root = shape.and_then(|shape| shape.root());
        let mut found = Vec::with_capacity(count);
        for k in 0..count {
            let key = Key::new(self.seed, (self.drawn >> 32) as u32, self.drawn as u32, k as u32, 0);
            let normal = |i: u32| {
                let [a, b, ..] = key.words(i, 0);
                let unit = |word: u32| (f64::from(word) + 0.5) / 4_294_967_296.0;
                (-2.0 * unit(a).ln()).sqrt() * (std::f64::consts::TAU * unit(b)).cos()
            };
            let z: Vec<f64> = (0..n as u32).map(normal).collect();
            // From the middle to the edge alike: a direction, and a distance of at most two errors.
            let length = z.iter().map(|x| x * x).sum::<f64>().sqrt().max(1e-12);
            let u = f64::from(key.words(n as u32, 0)[0]) / 4_294_967_296.0;
            let reach = 2.0 * u.powf(1.0 / n as f64) / length;
            let mut theta = centre.to_vec();
            for i in 0..n {
                let own: f64 = match &root {
                    Some(root) => (0..n).map(|j| root[i * n + j] * z[j]).sum(),
                    None => scales[i] * z[i],
                };
                let Interval { lowest, highest } = self.parameters[i].interval;
                theta[i] += reach * own;
                // A point beyond an end is mirrored into the interval.
                if theta[i] < lowest {
                    theta[i] = (2.0 * lowest - theta[i]).min(highest);
                } else if theta[i] > highest {
                    theta[i] = (2.0 * highest - theta[i]).max(lowest);
                }
            }
            let value = self.value(&theta)?;
            if value.is_finite() {
                found.push((theta, value));
            }
        }
        Ok(found)
    }

    fn unknown(&self, theta: &[f64], words: String) -> Surface {
        let n = theta.len();
        Surface {
            theta: theta.to_vec(),
            simulation_noise: vec![f64::NAN; n],
            verdict: Verdict::of_all(n, Known::NotComputed, None, words),
            spread: f64::NAN,
            log_likelihood: f64::NAN,
        }
    }
}

/// A quadratic that was fitted to values.
#[derive(Clone, Debug)]
struct Quadratic {
    centre: Vec<f64>,
    /// How far the points lie about it, by parameter.
    scales: Vec<f64>,
    /// −2 × the second-order terms: the information, row by row.
    curvature: Vec<f64>,
    slope: Vec<f64>,
    constant: f64,
    /// The covariance of (constant, slopes, second-order terms) by the residuals.
    covariance: Vec<f64>,
    last_step: f64,
}

impl Quadratic {
    /// By least squares; values far below the best, where ln L is no quadratic, count little.
    fn fitted(values: &[(Vec<f64>, f64)], centre: &[f64], scales: &[f64], level: f64) -> Option<Quadratic> {
        let n = centre.len();
        let terms = 1 + n + n * (n + 1) / 2;
        if values.len() < terms + 8 {
            return None;
        }
        let best = values.iter().map(|(_, v)| *v).fold(level, f64::max);
        let row = |theta: &[f64]| -> Vec<f64> {
            let z: Vec<f64> = (0..n).map(|i| (theta[i] - centre[i]) / scales[i]).collect();
            let mut row = vec![1.0];
            row.extend(&z);
            for i in 0..n {
                row.extend((i..n).map(|j| z[i] * z[j]));
            }
            row
        };
        let mut normal = vec![0.0; terms * terms];
        let mut right = vec![0.0; terms];
        let rows: Vec<(Vec<f64>, f64, f64)> = values
            .iter()
            .map(|(theta, value)| {
                let below = (best - value) / (8.0 + 2.0 * n as f64);
                (row(theta), *value - level, 1.0 / (1.0 + below * below))
            })
            .collect();
        for (row, value, weight) in &rows {
            for a in 0..terms {
                right[a] += weight * row[a] * value;
                (0..terms).for_each(|b| normal[a * terms + b] += weight * row[a] * row[b]);
            }
        }
        let inverse = inverted(&normal, terms)?;
        let by = |a: usize| (0..terms).map(|b| inverse[a * terms + b] * right[b]).sum::<f64>();
        let found: Vec<f64> = (0..terms).map(by).collect();
        // Errors by the residuals themselves (White 1980): their spread changes from the middle to the edge.
        let freedom = rows.len() as f64 / (rows.len() - terms) as f64;
        let mut meat = vec![0.0; terms * terms];
        for (row, value, weight) in &rows {
            let off = value - row.iter().zip(&found).map(|(a, b)| a * b).sum::<f64>();
            let own = freedom * (weight * off).powi(2);
            for a in 0..terms {
                (0..terms).for_each(|b| meat[a * terms + b] += own * row[a] * row[b]);
            }
        }
        let mut covariance = product(&product(&inverse, &meat, terms), &inverse, terms);
        // Back to natural units.
        let mut unit = vec![1.0];
        unit.extend(scales.iter().map(|s| 1.0 / s));
        for i in 0..n {
            unit.extend((i..n).map(|j| 1.0 / (scales[i] * scales[j])));
        }
        for a in 0..terms {
            (0..terms).for_each(|b| covariance[a * terms + b] *= unit[a] * unit[b]);
        }
        let mut curvature = vec![0.0; n * n];
        let mut place = 1 + n;
        for i in 0..n {
            for j in i..n {
                let own = found[place] * unit[place];
                if i == j {
                    curvature[i * n + i] = -2.0 * own;
                } else {
                    curvature[i * n + j] = -own;
                    curvature[j * n + i] = -own;
                }
                place += 1;
            }
        }
        Some(Quadratic {
            centre: centre.to_vec(),
            scales: scales.to_vec(),
            curvature,
            slope: (0..n).map(|i| found[1 + i] * unit[1 + i]).collect(),
            constant: level + found[0],
            covariance,
            last_step: f64::INFINITY,
        })
    }

    fn is_peak(&self) -> bool {
        Information::of(&self.curvature, self.slope.len()).is_positive(self.slope.len())
    }

    /// The maximum, no further than three errors away and within the intervals, and how many errors away it is. Where
    /// the quadratic has none, up its slope.
    fn step(&self, centre: &[f64], parameters: &[Parameter]) -> (Vec<f64>, f64) {
        let n = centre.len();
        let information = Information::of(&self.curvature, n);
        let downhill: Vec<f64> = self.slope.iter().map(|s| -s).collect();
        let (mut step, far) = match self.is_peak() {
            true => (information.newton(&downhill, 1e-9), information.decrement(&downhill, 1e-9).sqrt()),
            false => {
                // Where it curves the wrong way only its slope is trusted.
                let stiff = |i: usize| self.curvature[i * n + i].abs().max(1e-300);
                let step: Vec<f64> = (0..n).map(|i| self.slope[i] / stiff(i)).collect();
                (step, f64::INFINITY)
            }
        };
        let longest = if far.is_finite() { far } else { 3.0 };
        if longest > 3.0 {
            step.iter_mut().for_each(|s| *s *= 3.0 / longest);
        }
        // No further than the points have shown: beyond them the quadratic is a guess.
        let inverse = if far.is_finite() { information.inverse(n) } else { vec![0.0; n * n] };
        let reach = |i: usize| 3.0 * self.scales[i].max(inverse[i * n + i].max(0.0).sqrt());
        let excess = (0..n).map(|i| step[i].abs() / reach(i)).fold(1.0, f64::max);
        step.iter_mut().for_each(|s| *s /= excess);
        let next = (0..n).map(|i| {
            let Interval { lowest, highest } = parameters[i].interval;
            (centre[i] + step[i]).clamp(lowest, highest)
        });
        let next: Vec<f64> = next.collect();
        // What an end stops is no step that is left.
        let moved: Vec<f64> = next.iter().zip(centre).map(|(a, b)| a - b).collect();
        let square: f64 = (0..n)
            .map(|i| (0..n).map(|j| moved[i] * self.curvature[i * n + j] * moved[j]).sum::<f64>())
            .sum();
        let far = if far.is_finite() { square.max(0.0).sqrt() } else { far };
        // A step that was cut short is not the last.
        (next, if excess > 1.0 { far.max(1.0) } else { far })
    }

    /// Distances at which ln L has fallen by some units, by the diagonal.
    fn scales(&self, before: &[f64], parameters: &[Parameter]) -> Vec<f64> {
        let n = before.len();
        let own = (0..n).map(|i| {
            let Interval { lowest, highest } = parameters[i].interval;
            let most = (highest - lowest) * 0.5;
            let curved = self.curvature[i * n + i];
            let wanted = if curved > 0.0 { 1.0 / curved.sqrt() } else { 2.0 * before[i] };
            wanted.clamp(0.2 * before[i], 4.0 * before[i]).min(most)
        });
        own.collect()
    }

    /// A root of the inverse information, row by row.
    fn root(&self) -> Option<Vec<f64>> {
        let n = self.slope.len();
        let information = Information::of(&self.curvature, n);
        if !information.is_positive(n) {
            return None;
        }
        let s = information.inverse(n);
        let mut root = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let dot: f64 = (0..j).map(|k| root[i * n + k] * root[j * n + k]).sum();
                let rest = s[i * n + j] - dot;
                root[i * n + j] = if i == j {
                    rest.max(0.0).sqrt()
                } else if root[j * n + j] > 0.0 {
                    rest / root[j * n + j]
                } else {
                    0.0
                };
            }
        }
        Some(root)
    }

    fn value(&self, theta: &[f64]) -> f64 {
        let n = self.centre.len();
        let off: Vec<f64> = theta.iter().zip(&self.centre).map(|(a, b)| a - b).collect();
        let square: f64 =
            (0..n).map(|i| (0..n).map(|j| off[i] * self.curvature[i * n + j] * off[j]).sum::<f64>()).sum();
        self.constant + off.iter().zip(&self.slope).map(|(a, b)| a * b).sum::<f64>() - 0.5 * square
    }

    /// How far the noise of the coefficients moves the maximum: dθ̂ = I⁻¹ (db − dI (θ̂ − θ₀)).
    fn noise(&self) -> Vec<f64> {
        let n = self.slope.len();
        let terms = 1 + n + n * (n + 1) / 2;
        let information = Information::of(&self.curvature, n);
        if !information.is_positive(n) {
            return vec![f64::NAN; n];
        }
        let inverse = information.inverse(n);
        let off: Vec<f64> =
            (0..n).map(|i| (0..n).map(|j| inverse[i * n + j] * self.slope[j]).sum()).collect();
        let noise = |k: usize| {
            let mut by = vec![0.0; terms];
            (0..n).for_each(|j| by[1 + j] = inverse[k * n + j]);
            let mut place = 1 + n;
            for i in 0..n {
                for j in i..n {
                    // A term t zᵢ zⱼ adds t to the slope of i by zⱼ and of j by zᵢ.
                    by[place] = inverse[k * n + i] * off[j] + inverse[k * n + j] * off[i];
                    place += 1;
                }
            }
            let of = |a: usize| (0..terms).map(|b| self.covariance[a * terms + b] * by[b]).sum::<f64>();
            (0..terms).map(|a| by[a] * of(a)).sum::<f64>().max(0.0).sqrt()
        };
        (0..n).map(noise).collect()
    }
}

fn product(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n * n];
    for i in 0..n {
        for k in 0..n {
            (0..n).for_each(|j| out[i * n + j] += a[i * n + k] * b[k * n + j]);
        }
    }
    out
}

/// The inverse by Gauss and Jordan with pivots; nothing of a singular matrix.
fn inverted(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut a = matrix.to_vec();
    let mut inverse = vec![0.0; n * n];
    (0..n).for_each(|i| inverse[i * n + i] = 1.0);
    for column in 0..n {
        let pivot = (column..n).max_by(|p, q| a[p * n + column].abs().total_cmp(&a[q * n + column].abs()))?;
        if a[pivot * n + column].abs() < 1e-300 {
            return None;
        }
        if pivot != column {
            (0..n).for_each(|k| {
                a.swap(pivot * n + k, column * n + k);
                inverse.swap(pivot * n + k, column * n + k);
            });
        }
        let scale = 1.0 / a[column * n + column];
        (0..n).for_each(|k| {
            a[column * n + k] *= scale;
            inverse[column * n + k] *= scale;
        });
        for row in (0..n).filter(|row| *row != column) {
            let factor = a[row * n + column];
            if factor != 0.0 {
                (0..n).for_each(|k| {
                    a[row * n + k] -= factor * a[column * n + k];
                    inverse[row * n + k] -= factor * inverse[column * n + k];
                });
            }
        }
    }
    Some(inverse)
}

//! Says from the information of a likelihood what the data determine, and how far an estimate is off.
//!
//! Taken by those numbers of θ that are free, scaled to a diagonal of 1, apart into eigenvalues: directions of an
//! eigenvalue below 10⁻⁹ are not determined and are named; over the others errors are √((I⁻¹)ᵢᵢ).
//!
//! ```
//! use glauber_optimize::information::{Information, Judged};
//! use glauber_optimize::objective::Interval;
//! let numbers = [("a".to_string(), Interval::any()), ("b".to_string(), Interval::any())];
//! let judged = Judged { numbers: &numbers, theta: &[1.0, 2.0], remedy: "" };
//! let verdict = judged.verdict(&Information::of(&[4.0, 0.0, 0.0, 25.0], 2), &mut |_| 0.0);
//! assert_eq!(verdict.known[1].error(), Some(0.2));
//! ```

use crate::combination::{Flat, combinations};
use crate::objective::Interval;
use crate::searches::eigen;
use crate::verdict::{Known, Verdict, listed};

/// Eigenvalues of the scaled information that are none.
pub const FLAT: f64 = 1e-9;
/// The largest Newton decrement of a fit at rest.
pub const REST: f64 = 0.01;
/// The share of a number within directions that are not determined, from which on it is not either.
const OPEN: f64 = 1e-6;
/// The condition number from which on it is said.
const ROUGH: f64 = 1e6;

/// Second derivatives by the numbers that are free, scaled: row and column k belong to number `free[k]`.
#[derive(Clone, Debug)]
pub struct Information {
    pub(crate) free: Vec<usize>,
    /// Roots of the diagonal.
    pub(crate) roots: Vec<f64>,
    pub(crate) values: Vec<f64>,
    /// Eigenvectors, as columns.
    pub(crate) vectors: Vec<f64>,
}

impl Information {
    /// That of all numbers by which the likelihood changes, from the whole matrix, row by row.
    pub fn of(matrix: &[f64], n: usize) -> Information {
        let free: Vec<usize> = (0..n).filter(|i| matrix[i * n + i] > 0.0).collect();
        let rows: Vec<Vec<f64>> = (0..n).map(|i| matrix[i * n..(i + 1) * n].to_vec()).collect();
        Information::scaled(&rows, free)
    }

    /// That of the numbers that are free; rows of the others are not looked at.
    pub(crate) fn scaled(rows: &[Vec<f64>], free: Vec<usize>) -> Information {
        let roots: Vec<f64> = free.iter().map(|i| rows[*i][*i].abs().sqrt()).collect();
        let m = free.len();
        let mut scaled = vec![0.0; m * m];
        for (a, i) in free.iter().enumerate() {
            for (b, j) in free.iter().enumerate() {
                scaled[a * m + b] = 0.5 * (rows[*i][*j] + rows[*j][*i]) / (roots[a] * roots[b]);
            }
        }
        let (values, vectors) = eigen(&scaled, m);
        Information { free, roots, values, vectors }
    }

    pub(crate) fn eigenvector(&self, k: usize) -> Vec<f64> {
        let m = self.free.len();
        (0..m).map(|i| self.vectors[i * m + k]).collect()
    }

    pub(crate) fn smallest(&self) -> f64 {
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
    pub fn decrement(&self, gradient: &[f64], least: f64) -> f64 {
        let slopes = self.slopes(gradient);
        self.values.iter().zip(slopes).filter(|(value, _)| **value >= least).map(|(v, s)| s * s / v).sum()
    }

    /// The Newton step over those directions, by number of θ, where a gradient of −ln likelihood is given.
    pub fn newton(&self, gradient: &[f64], least: f64) -> Vec<f64> {
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

impl Information {
    /// Whether it is of `n` numbers, all free, and positive along every direction.
    pub fn is_positive(&self, n: usize) -> bool {
        self.free.len() == n && self.smallest() > FLAT
    }

    /// The inverse of the whole matrix, row by row, over the directions that are determined; 0 for what is not free.
    pub fn inverse(&self, n: usize) -> Vec<f64> {
        let m = self.free.len();
        let mut inverse = vec![0.0; n * n];
        for k in (0..m).filter(|k| self.values[*k] >= FLAT) {
            for (a, i) in self.free.iter().enumerate() {
                for (b, j) in self.free.iter().enumerate() {
                    inverse[i * n + j] += self.vectors[a * m + k] * self.vectors[b * m + k]
                        / (self.values[k] * self.roots[a] * self.roots[b]);
                }
            }
        }
        inverse
    }
}

/// What is judged: the numbers of θ by name and interval, and where they stand.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// By number of θ.
    pub numbers: &'a [(String, Interval)],
    /// The estimate.
    pub theta: &'a [f64],
    /// What follows where parameters had better be fixed: how that is written, with a blank before it.
    pub remedy: &'a str,
}

impl Judged<'_> {
    /// What is known of an estimate at rest by its information; `value` is −ln likelihood.
    pub fn verdict(&self, at: &Information, value: &mut dyn FnMut(&[f64]) -> f64) -> Verdict {
        let mut known = vec![Some(Known::NotDetermined(None)); self.theta.len()];
        at.free.iter().for_each(|i| known[*i] = None);
        self.errors(at, known, value)
    }

    /// The errors of what is determined, and the names of what is not.
    pub(crate) fn errors(
        &self,
        at: &Information,
        mut known: Vec<Option<Known>>,
        value: &mut dyn FnMut(&[f64]) -> f64,
    ) -> Verdict {
        let theta = self.theta;
        let m = at.free.len();
        let mut order: Vec<usize> = (0..m).collect();
        order.sort_by(|a, b| at.values[*a].total_cmp(&at.values[*b]));
        let mut flat = order.iter().filter(|k| at.values[**k] < FLAT).count();
        // A direction whose error is wider than an interval tells no more than the interval does.
        while let Some(place) = self.wider_than_its_interval(at, &order, flat) {
            let direction = order.remove(place);
            order.insert(flat, direction);
            flat += 1;
        }
        let (none, some) = order.split_at(flat);
        let projector = |a: usize, b: usize| -> f64 {
            none.iter().map(|k| at.vectors[a * m + k] * at.vectors[b * m + k]).sum()
        };
        let open: Vec<usize> = (0..m).filter(|a| projector(*a, *a) > OPEN).collect();
        let directions = Flat {
            members: open.iter().map(|a| at.free[*a]).collect(),
            roots: open.iter().map(|a| at.roots[*a]).collect(),
            projector: open.iter().map(|a| open.iter().map(|b| projector(*a, *b)).collect()).collect(),
        };
        let names: Vec<String> = self.numbers.iter().map(|(name, _)| name.clone()).collect();
        let intervals: Vec<Interval> = self.numbers.iter().map(|(_, interval)| *interval).collect();
        let found = combinations(&directions, theta, &names, &intervals, value);
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
        self.said(known, condition)
    }

    /// The place in `order` of the direction that makes the error of a number wider than its interval, the first `flat` of them
    /// being none; nothing where none does. A number within those has no error anyway.
    fn wider_than_its_interval(&self, at: &Information, order: &[usize], flat: usize) -> Option<usize> {
        let m = at.free.len();
        let (none, some) = order.split_at(flat);
        let share = |a: usize, k: usize| at.vectors[a * m + k].powi(2);
        let is_open = |a: usize| none.iter().map(|k| share(a, *k)).sum::<f64>() > OPEN;
        let wide = |(a, variance): &(usize, f64)| {
            let Interval { lowest, highest } = self.numbers[at.free[*a]].1;
            !is_open(*a) && variance.sqrt() > highest - lowest
        };
        let (a, _) = variances(at, some).into_iter().enumerate().find(wide)?;
        let part = |k: &usize| share(a, *k) / at.values[*k];
        let widest = (0..some.len()).max_by(|x, y| part(&some[*x]).total_cmp(&part(&some[*y])))?;
        Some(flat + widest)
    }

    /// What is known, in words.
    fn said(&self, known: Vec<Known>, condition: f64) -> Verdict {
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
            notes.push(format!("to get errors, fix all but one of {}{}", listed(members), self.remedy));
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
        for ((x, (name, interval)), known) in self.theta.iter().zip(self.numbers).zip(&known) {
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
}

/// The variances of the numbers that are free, over some eigenvectors.
pub(crate) fn variances(at: &Information, some: &[usize]) -> Vec<f64> {
    let m = at.free.len();
    let variance = |a: usize| {
        let own = some.iter().map(|k| at.vectors[a * m + k] * at.vectors[a * m + k] / at.values[*k]);
        own.sum::<f64>() / (at.roots[a] * at.roots[a])
    };
    (0..m).map(variance).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores by a + s·b and by c: whatever s is, only that sum is lost, and c keeps its error.
    #[test]
    fn a_sum_of_unequal_parts_takes_no_other_errors_with_it() {
        let numbers = ["a", "b", "c"].map(|name| (name.to_string(), Interval::unit()));
        let judged = Judged { numbers: &numbers, theta: &[0.3, 0.5, 0.2], remedy: "" };
        for s in [1.0, 0.1, 1e-2, 1e-3, 1e-4] {
            let matrix = [4e4, 4e4 * s, 0.0, 4e4 * s, 4e4 * s * s, 0.0, 0.0, 0.0, 1e4];
            let verdict = judged.verdict(&Information::of(&matrix, 3), &mut |x| {
                2e4 * (x[0] + s * x[1] - 0.3 - 0.5 * s).powi(2)
            });
            assert!(matches!(verdict.known[0], Known::NotDetermined(_)), "{s}: {verdict:?}");
            assert!(matches!(verdict.known[1], Known::NotDetermined(_)), "{s}: {verdict:?}");
            assert_eq!(verdict.known[2].error().map(|e| (1e6 * e).round()), Some(1e4), "{s}: {verdict:?}");
        }
    }
}

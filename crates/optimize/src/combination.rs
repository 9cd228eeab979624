//! Names what the data determine where they do not determine every parameter: a product, a quotient, a sum.
//!
//! The directions in which a likelihood is flat leave, in every group of parameters that they mix, some combination f
//! of them with ∂f/∂θᵢ ∝ wᵢ. Where wᵢ θᵢ are as small whole numbers, f may be a product of powers; else, or where that
//! fails, a weighted sum. Either is said only where the likelihood itself stays the same when θ moves a twentieth of its
//! way with f held; else only the parameters are named.

use crate::objective::Interval;
use crate::verdict::listed;

/// The directions in which a likelihood is flat.
pub(crate) struct Flat {
    /// The numbers of θ that they move.
    pub members: Vec<usize>,
    /// The roots of the information's diagonal, by member: what the projector's coordinates are scaled by.
    pub roots: Vec<f64>,
    /// The projector on the flat directions, by pairs of members.
    pub projector: Vec<Vec<f64>>,
}

/// Couplings below this are none.
const COUPLED: f64 = 1e-3;
/// The share by which θ moves in a trial.
const MOVE: f64 = 0.05;
/// The change of ln L that is none.
const SAME: f64 = 1e-6;
/// How near to a whole number an exponent or weight must be.
const WHOLE: f64 = 2e-3;

/// Groups of numbers that are not determined, each with what is determined of it, in words.
pub(crate) fn combinations(
    flat: &Flat,
    theta: &[f64],
    names: &[String],
    intervals: &[Interval],
    value: &mut dyn FnMut(&[f64]) -> f64,
) -> Vec<(Vec<usize>, Option<String>)> {
    let mut found = Vec::new();
    for group in groups(&flat.projector) {
        let members: Vec<usize> = group.iter().map(|a| flat.members[*a]).collect();
        let lost = group.iter().map(|a| flat.projector[*a][*a]).sum::<f64>().round() as usize;
        let left = members.len().saturating_sub(lost);
        let its: Vec<&String> = members.iter().map(|i| &names[*i]).collect();
        let words = match left {
            0 => None,
            1 => {
                let weights = determined(flat, &group);
                let trial = Trial { theta, intervals, members: &members };
                let named = trial.product(&weights, &its, value).or_else(|| trial.sum(&weights, &its, value));
                named.or_else(|| Some(format!("one combination of {}", listed(&its))))
            }
            _ => Some(format!("{left} combinations of {}", listed(&its))),
        };
        found.push((members, words));
    }
    found
}

/// Members that flat directions couple, by their place.
fn groups(projector: &[Vec<f64>]) -> Vec<Vec<usize>> {
    let n = projector.len();
    let coupled = |a: usize, b: usize| {
        projector[a][b].abs() > COUPLED * (projector[a][a] * projector[b][b]).sqrt().max(f64::MIN_POSITIVE)
    };
    let mut group_of: Vec<usize> = (0..n).collect();
    for a in 0..n {
        for b in 0..a {
            if coupled(a, b) && group_of[a] != group_of[b] {
                let (from, to) = (group_of[a].max(group_of[b]), group_of[a].min(group_of[b]));
                group_of.iter_mut().filter(|g| **g == from).for_each(|g| *g = to);
            }
        }
    }
    let of = |g: usize| -> Vec<usize> { (0..n).filter(|a| group_of[*a] == g).collect() };
    (0..n).map(of).filter(|group| !group.is_empty()).collect()
}

/// w of the one combination that is determined in a group.
fn determined(flat: &Flat, group: &[usize]) -> Vec<f64> {
    let rest = |a: usize, b: usize| f64::from(u8::from(a == b)) - flat.projector[a][b];
    let longest = group.iter().copied().max_by(|a, b| rest(*a, *a).total_cmp(&rest(*b, *b))).unwrap_or(0);
    group.iter().map(|a| rest(*a, longest) * flat.roots[*a]).collect()
}

struct Trial<'a> {
    theta: &'a [f64],
    intervals: &'a [Interval],
    members: &'a [usize],
}

impl Trial<'_> {
    /// Π θᵢ^eᵢ, eᵢ ∝ wᵢ θᵢ.
    fn product(&self, w: &[f64], names: &[&String], value: &mut dyn FnMut(&[f64]) -> f64) -> Option<String> {
        let raw: Vec<f64> = self.members.iter().zip(w).map(|(i, w)| w * self.theta[*i]).collect();
        let exponents = whole(&raw)?;
        let scaled =
            |i: usize, exponent: i32, by: f64| self.theta[i] * (1.0 + by).powf(1.0 / f64::from(exponent));
        let holds = self.holds(value, |theta, first, other, by| {
            theta[self.members[first]] = scaled(self.members[first], exponents[first], by);
            theta[self.members[other]] = scaled(self.members[other], -exponents[other], by);
        });
        holds.then(|| {
            let power = |(name, e): (&&String, &i32)| match e.abs() {
                1 => format!("`{name}`"),
                e => format!("`{name}`^{e}"),
            };
            let side = |sign: i32| -> Vec<String> {
                names.iter().zip(&exponents).filter(|(_, e)| e.signum() == sign).map(power).collect()
            };
            let (above, below) = (side(1), side(-1));
            let below = below.iter().map(|name| format!(" / {name}")).collect::<String>();
            let above = if above.is_empty() { "1".to_string() } else { above.join(" · ") };
            above + &below
        })
    }

    /// Σ wᵢ θᵢ.
    fn sum(&self, w: &[f64], names: &[&String], value: &mut dyn FnMut(&[f64]) -> f64) -> Option<String> {
        let holds = self.holds(value, |theta, first, other, by| {
            let size =
                self.theta[self.members[first]].abs().max(1e-3 * self.theta[self.members[other]].abs());
            let step = by * if size > 0.0 { size } else { 1.0 };
            theta[self.members[first]] += step;
            theta[self.members[other]] -= step * w[first] / w[other];
        });
        holds.then(|| {
            let weights: Vec<f64> = match whole(w) {
                Some(whole) => whole.into_iter().map(f64::from).collect(),
                None => w.iter().map(|x| x / w[0]).collect(),
            };
            let mut text = String::new();
            for (place, (name, weight)) in names.iter().zip(weights).enumerate() {
                text += match (place, weight < 0.0) {
                    (0, false) => "",
                    (0, true) => "−",
                    (_, false) => " + ",
                    (_, true) => " − ",
                };
                let size = weight.abs();
                text += &if (size - 1.0).abs() < WHOLE {
                    format!("`{name}`")
                } else {
                    format!("{} `{name}`", (size * 1000.0).round() / 1000.0)
                };
            }
            text
        })
    }

    /// Whether ln L stays the same when the first member and each other move together.
    fn holds(
        &self,
        value: &mut dyn FnMut(&[f64]) -> f64,
        shift: impl Fn(&mut [f64], usize, usize, f64),
    ) -> bool {
        let before = value(self.theta);
        (1..self.members.len()).all(|other| {
            let inside = |by: f64| {
                let mut moved = self.theta.to_vec();
                shift(&mut moved, 0, other, by);
                let fits = self.members.iter().all(|i| self.intervals[*i].contains(moved[*i]));
                fits.then_some(moved)
            };
            let tried = [MOVE, -MOVE, 0.1 * MOVE, -0.1 * MOVE].into_iter().find_map(inside);
            tried.is_some_and(|moved| (value(&moved) - before).abs() <= SAME)
        })
    }
}

/// Small whole numbers in the same proportions, the first above 0 where any is.
fn whole(raw: &[f64]) -> Option<Vec<i32>> {
    let least = raw.iter().map(|x| x.abs()).fold(f64::INFINITY, f64::min);
    if !(least > 0.0 && least.is_finite()) {
        return None;
    }
    let sign = raw.first()?.signum();
    (1..=3).find_map(|times| {
        let found: Vec<f64> = raw.iter().map(|x| sign * x / least * f64::from(times)).collect();
        let near = found.iter().all(|x| (x - x.round()).abs() < WHOLE * x.abs() && x.abs() < 4.5);
        near.then(|| found.iter().map(|x| x.round() as i32).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(theta: &[f64], f: impl Fn(&[f64]) -> f64, slopes: &[f64]) -> Option<String> {
        // The information is slopes slopesᵀ: flat in all directions but one.
        let roots: Vec<f64> = slopes.iter().map(|s| s.abs()).collect();
        let n = theta.len();
        let unit: Vec<f64> = slopes.iter().map(|s| s.signum() / (n as f64).sqrt()).collect();
        let projector = (0..n)
            .map(|a| (0..n).map(|b| f64::from(u8::from(a == b)) - unit[a] * unit[b]).collect())
            .collect();
        let flat = Flat { members: (0..n).collect(), roots, projector };
        let names: Vec<String> = ["a", "b", "c"].iter().take(n).map(|s| s.to_string()).collect();
        let right = f(theta);
        let mut value = |theta: &[f64]| 1e6 * (f(theta) - right).powi(2);
        let intervals = vec![Interval::new(0.0, 10.0); n];
        let found = combinations(&flat, theta, &names, &intervals, &mut value);
        assert_eq!((found.len(), found[0].0.len()), (1, n));
        found[0].1.clone()
    }

    #[test]
    fn products_quotients_powers_and_sums_are_told_apart() {
        let say = |theta: &[f64], f: fn(&[f64]) -> f64, slopes: &[f64]| named(theta, f, slopes).unwrap();
        assert_eq!(say(&[0.5, 0.4], |t| t[0] * t[1], &[0.4, 0.5]), "`a` · `b`");
        assert_eq!(say(&[0.5, 0.5], |t| t[0] * t[1], &[0.5, 0.5]), "`a` · `b`", "though it looks like a sum");
        assert_eq!(
            say(&[0.5, 0.5], |t| t[0] + t[1], &[1.0, 1.0]),
            "`a` + `b`",
            "though it looks like a product"
        );
        assert_eq!(say(&[0.5, 0.25], |t| t[0] / t[1], &[4.0, -8.0]), "`a` / `b`");
        assert_eq!(say(&[0.5, 0.25], |t| t[0] * t[0] * t[1], &[0.25, 0.25]), "`a`^2 · `b`");
        assert_eq!(say(&[0.5, 0.7], |t| t[0] - t[1], &[1.0, -1.0]), "`a` − `b`");
        assert_eq!(say(&[0.5, 0.7], |t| t[0] + 0.3 * t[1], &[1.0, 0.3]), "`a` + 0.3 `b`");
        assert_eq!(say(&[0.5, 0.4, 0.3], |t| t[0] * t[1] * t[2], &[0.12, 0.15, 0.2]), "`a` · `b` · `c`");
        assert_eq!(say(&[0.5, 0.4, 0.3], |t| t[0] + t[1] + t[2], &[1.0, 1.0, 1.0]), "`a` + `b` + `c`");
        // sin(a) + b²: nothing simple.
        let slopes = [0.5f64.cos(), 1.4];
        assert_eq!(say(&[0.5, 0.7], |t| t[0].sin() + t[1] * t[1], &slopes), "one combination of `a` and `b`");
    }

    #[test]
    fn uncoupled_members_are_groups_of_their_own() {
        let flat = Flat {
            members: vec![0, 2],
            roots: vec![1.0, 1.0],
            projector: vec![vec![1.0, 0.0], vec![0.0, 1.0]],
        };
        let names = ["a", "b", "c"].map(String::from);
        let found = combinations(&flat, &[0.5; 3], &names, &[Interval::unit(); 3], &mut |_| 0.0);
        assert_eq!(found, [(vec![0], None), (vec![2], None)]);
    }
}

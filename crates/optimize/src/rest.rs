//! Judges from a fit's course whether its last part was rest: nothing moves, nothing pulls, and that is no accident.
//!
//! Everything is measured in free coordinates, where the optimizer walks ([`crate::maps`]): near an end of an interval a
//! parameter hardly moves, however far its free coordinate has to go. Of the last part (the averaged one, or the last fifth)
//! sixteen groups are made, whose means are a sample of the course:
//!
//! * *it moved* where the means of the first eight and of the last eight differ by more than their spread allows (Student's
//!   t of 14 degrees of freedom beyond 5), or where the groups follow one another smoothly: a momentum that turns round has
//!   equal halves. Smooth is a ratio of von Neumann (mean square of successive differences over variance; 2 where groups are
//!   independent, 0.05 for a line) below 0.15;
//! * *it was still pulled* where the mean slope is far from 0 beside its spread, and not small beside the largest of the
//!   whole course: a rate that fell too fast lets parameters stand where the loss still falls;
//! * *it lies on a plateau* where its slope was there before and is exactly 0 in the whole last part: nothing says where it
//!   belongs;
//! * *it lies on the flat of its map* where a step too wide threw it near an end, and steps no longer move it, though a slope,
//!   however small there, pulls it one way;
//! * *it swung* where a step throws it across, and the next back: at least half of the variance of the single steps (of the
//!   spectral density at the fastest frequency, four times that of independent steps) goes with the sign (−1)^step;
//! * *it was on and off an end* of its interval, so that the mean of its steps is drawn inwards; or *it strayed* so far, beside
//!   its size, that the mean of its steps is not the optimum of a loss that is no parabola over such a width;
//! * *it climbed* where the loss was far lower before than it is on the last part;
//! * *they moved together* where a combination of parameters, the smoothest there is, is smooth: in a valley each of them is
//!   noisy across it, and noise that they share hides how they go along it;
//! * *it stood* where none of these is so, the slope is 0 within its noise, and the groups either are independent (a ratio
//!   above 1: the fit went to and fro many times, as it does about an optimum) or are all but equal, with nothing left to
//!   travel at the pace at which they still approach one another;
//! * *it is not clear* for all else: a course that wanders slowly may go on for ever.
//!
//! A false "moved" comes once in some thousand parameters at rest; a false "not clear" in some per cent of them, by design:
//! who rests for long enough is told so.

use crate::ended::{Ended, GROUPS};
use crate::maps::{IntervalMap, Map};
use crate::objective::Interval;
use crate::searches::eigen;
use crate::single_steps::Steps;
use crate::verdict::end_of;

/// Student's t that chance does not reach, and that it rarely does.
const FAR: f64 = 5.0;
const RARE: f64 = 3.0;
/// The share of a parameter's size (of its travel, where that is more) that counts as a move; of free coordinates that are
/// logarithms, the number itself.
const MOVE: f64 = 1e-4;
/// The shares of the largest slope that are none, and that are a pull.
const NO_PULL: f64 = 1e-3;
const PULL: f64 = 1e-2;
/// Ratios of von Neumann of a course that is smooth, and of groups that are independent.
const SMOOTH: f64 = 0.15;
const INDEPENDENT: f64 = 1.0;
/// The share of its steepest slope on the course below which a map is flat.
const FLAT: f64 = 1e-3;
/// The least spread of steps that swing, beside their size.
const SWING: f64 = 0.05;
/// The share of steps at an end that is no accident, and the least spread, beside the interval, of what is thrown there.
const SOMETIMES: f64 = 0.02;
const AT_END: f64 = 0.02;
/// The spread of steps, beside a whole interval (0.29 where they lie all over it) and beside the distance from its only end,
/// over which no loss is a parabola.
const OF_INTERVAL: f64 = 0.25;
const OF_DISTANCE: f64 = 0.5;
/// Standard deviations, and share of the whole range, by which a loss that was lower before counts.
const CLIMBED: f64 = 8.0;
const CLIMBED_SHARE: f64 = 0.01;

/// How the last part of a course was; parameters by their place among the scalars.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rest {
    /// Every parameter stood, and nothing pulled.
    Stood,
    /// A parameter moved: its means in the two halves.
    Moved(usize, f64, f64),
    /// A parameter went smoothly to and fro between these two.
    Turned(usize, f64, f64),
    /// The slope still pulled a parameter one way.
    Pulled(usize),
    /// The slope by a parameter is exactly 0 on the whole last part, and was not before.
    Plateau(usize),
    /// A parameter lies where its map is flat, near this end; what the loss does from there into the interval.
    Flat(usize, f64, Beyond),
    /// The loss was lower before: its lowest, and its mean on the last part; with the parameter that lies where its map is
    /// flat, and that end, where one does.
    Climbed(f64, f64, Option<(usize, f64)>),
    /// A parameter swung from step to step between about these two.
    Swung(usize, f64, f64),
    /// A parameter lay at this end of its interval in this share of the steps, and off it in the others.
    OnAndOff(usize, f64, f64),
    /// A parameter's steps strayed over this range, no smaller than where they lie.
    Strayed(usize, f64, f64),
    /// Parameters moved together one way, each hidden in noise that they do not share: along a valley.
    Drifted(Vec<usize>),
    /// A parameter wandered too slowly to tell.
    Slow(usize),
    /// Too few steps.
    Short,
}

/// What the loss does from near an end of an interval into its inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// It falls: what lies near the end was thrown there.
    Falls,
    /// It rises: the end is better still.
    Rises,
    /// Its slope is 0 within its noise.
    Unknown,
}

impl Ended<'_> {
    /// How the last part was: what is worst.
    pub(crate) fn rest(&self) -> Rest {
        if let Some(swing) = self.swing() {
            return swing;
        }
        if let Some((before, now)) = self.climbed() {
            return Rest::Climbed(before, now, self.first_flat());
        }
        let whole = self.course.whole();
        let last = ((whole as f64 * self.share) as usize).min(whole);
        if last < GROUPS {
            return Rest::Short;
        }
        let scalars: Vec<Scalar> =
            (0..self.course.scalars()).map(|k| Scalar::of(self, k, whole, last)).collect();
        let mut all: Vec<Rest> = scalars.iter().map(Scalar::rest).collect();
        all.extend((0..self.course.scalars()).filter_map(|k| self.strayed(k)));
        all.extend(together(&scalars));
        let severity = |rest: &Rest| match rest {
            Rest::Flat(_, _, Beyond::Falls) => 4,
            Rest::Moved(..) | Rest::Turned(..) | Rest::Pulled(_) | Rest::Drifted(_) | Rest::Strayed(..) => 3,
            Rest::Flat(..) | Rest::Plateau(_) => 2,
            Rest::Slow(_) => 1,
            _ => 0,
        };
        // The first of the worst.
        all.into_iter().rev().max_by_key(severity).unwrap_or(Rest::Short)
    }

    /// Whether the loss on the last part is far above the lowest that was seen.
    fn climbed(&self) -> Option<(f64, f64)> {
        let n = self.losses.len();
        let last = &self.losses[n - ((n as f64 * self.share) as usize).min(n)..];
        if !self.lowest_at_rest || last.len() < 4 || self.losses.iter().any(|loss| !loss.is_finite()) {
            return None;
        }
        let now = Sample::of(last);
        let spread = now.error * (last.len() as f64).sqrt();
        let lowest = self.losses.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = self.losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let above = now.mean - lowest;
        (above > CLIMBED * spread && above > CLIMBED_SHARE * (highest - lowest)).then_some((lowest, now.mean))
    }
}

impl Ended<'_> {
    /// Whether steps were too wide: the mean of them is no optimum, and their spread no noise of it.
    pub(crate) fn swings(&self) -> bool {
        matches!(self.rest(), Rest::Swung(..) | Rest::OnAndOff(..) | Rest::Strayed(..))
    }

    /// The first parameter whose steps swing, or lie on and off an end of its interval.
    fn swing(&self) -> Option<Rest> {
        (0..self.course.scalars()).find_map(|k| {
            let steps = Steps::of(self, k)?;
            let size = self.maps[k].width().min(steps.mean.abs());
            if steps.alternates() && steps.spread > SWING * size {
                let (low, high) = self.about(k, &steps);
                return Some(Rest::Swung(k, low, high));
            }
            let Interval { lowest, highest } = self.maps[k].interval();
            let end = if steps.mean - lowest <= highest - steps.mean { lowest } else { highest };
            let width = self.maps[k].width();
            let scale = if width.is_finite() { width } else { steps.mean.abs() };
            let thrown = SOMETIMES <= steps.at_end && steps.at_end <= 1.0 - SOMETIMES;
            (thrown && steps.spread > AT_END * scale).then_some(Rest::OnAndOff(k, end, steps.at_end))
        })
    }

    /// Whether the steps of a parameter lie wide apart beside where they lie.
    fn strayed(&self, k: usize) -> Option<Rest> {
        let steps = Steps::of(self, k)?;
        let Interval { lowest, highest } = self.maps[k].interval();
        let most = match (lowest.is_finite(), highest.is_finite()) {
            (true, true) => OF_INTERVAL * (highest - lowest),
            (true, false) => OF_DISTANCE * (steps.mean - lowest),
            (false, true) => OF_DISTANCE * (highest - steps.mean),
            (false, false) => return None,
        };
        let (low, high) = self.about(k, &steps);
        (steps.spread > most).then_some(Rest::Strayed(k, low, high))
    }

    /// One standard deviation below and above the mean of its steps.
    fn about(&self, k: usize, steps: &Steps) -> (f64, f64) {
        let interval = self.maps[k].interval();
        ((steps.mean - steps.spread).max(interval.lowest), (steps.mean + steps.spread).min(interval.highest))
    }

    /// The first parameter that lies where its map is flat, and the end near it.
    fn first_flat(&self) -> Option<(usize, f64)> {
        let whole = self.course.whole();
        let steepest = |k: usize| {
            let slope = |b: usize| self.maps[k].slope(self.maps[k].to_free(self.course.value(b, k))).abs();
            (0..whole).map(slope).fold(0.0, f64::max)
        };
        (0..self.course.scalars())
            .find_map(|k| flat_end(self.maps[k], self.theta[k], steepest(k)).map(|end| (k, end)))
    }
}

/// The end near which a map is flat beside its steepest slope on the course, where a parameter lies there.
fn flat_end(map: IntervalMap, value: f64, steepest: f64) -> Option<f64> {
    let interval = map.interval();
    if let Some(end) = end_of(interval, value) {
        return Some(end);
    }
    let slope = map.slope(map.to_free(value)).abs();
    match map.map() {
        _ if slope >= FLAT * steepest => None,
        Map::Logit if value - interval.lowest > interval.highest - value => Some(interval.highest),
        Map::Logit => Some(interval.lowest),
        Map::Log if interval.lowest.is_finite() => Some(interval.lowest),
        Map::Log => Some(interval.highest),
        Map::Identity | Map::Clamp => None,
    }
}

/// One scalar on the last part of a course.
struct Scalar {
    k: usize,
    map: IntervalMap,
    end: f64,
    /// The means of the groups: of the free coordinate, of the slope by it, of the slope by the parameter.
    free: Vec<f64>,
    slopes: Vec<f64>,
    natural_slopes: Vec<f64>,
    /// The largest slope by the free coordinate, and the steepest map, on the whole course.
    largest: f64,
    steepest: f64,
    /// What counts as a move.
    least: f64,
    /// Whether its slope, where it last was one, was no smaller than before.
    fell: bool,
}

impl Scalar {
    fn of(ended: &Ended<'_>, k: usize, whole: usize, last: usize) -> Scalar {
        let (course, map, end) = (ended.course, ended.maps[k], ended.theta[k]);
        let free: Vec<f64> = (0..whole).map(|b| map.to_free(course.value(b, k))).collect();
        let steepness: Vec<f64> = free.iter().map(|u| map.slope(*u).abs()).collect();
        let natural: Vec<f64> = (0..whole).map(|b| course.slope(b, k)).collect();
        let slopes: Vec<f64> = natural.iter().zip(&steepness).map(|(g, s)| g * s).collect();
        let greatest = |of: &[f64]| of.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
        let (low, high) = ends_of(&free);
        let size = match map.map() {
            Map::Logit | Map::Log => 1.0,
            Map::Identity | Map::Clamp => end.abs().min(map.width()).max(high - low),
        };
        let last_slope = natural.iter().rev().copied().find(|slope| *slope != 0.0).unwrap_or(0.0);
        Scalar {
            fell: last_slope.abs() > PULL * greatest(&natural),
            k,
            map,
            end,
            slopes: groups(&slopes, last),
            natural_slopes: groups(&natural, last),
            largest: greatest(&slopes),
            steepest: greatest(&steepness),
            free: groups(&free, last),
            least: MOVE * size,
        }
    }

    fn rest(&self) -> Rest {
        let k = self.k;
        let (first, second) = self.free.split_at(GROUPS / 2);
        let (first, second) = (Sample::of(first), Sample::of(second));
        let (low, high) = ends_of(&self.free);
        let ratio = von_neumann(&self.free);
        let natural = |u: f64| self.map.to_natural(u);
        let is_still = self.is_still();
        let is_independent = ratio >= INDEPENDENT;
        let moved = (second.mean - first.mean).abs();
        let drift = moved / first.error.hypot(second.error);
        let slope = Sample::of(&self.slopes);
        let pull = slope.mean.abs();
        if let Some(end) = self.flat_end() {
            let beyond = self.beyond(end);
            // Where it belongs near its end it comes back: the pull on it is none, however flat its map.
            if is_still || !is_independent || pull > FAR * slope.error {
                return Rest::Flat(k, end, beyond);
            }
        }
        if self.is_level() {
            return Rest::Plateau(k);
        }
        if drift > FAR && moved > self.least {
            return Rest::Moved(k, natural(first.mean), natural(second.mean));
        }
        if ratio < SMOOTH && !is_still {
            return Rest::Turned(k, natural(low), natural(high));
        }
        if pull > FAR * slope.error && pull > PULL * self.largest {
            return Rest::Pulled(k);
        }
        let is_level = pull <= RARE * slope.error || pull <= NO_PULL * self.largest;
        let is_steady = drift <= RARE || moved <= self.least;
        // A fit that has no noise, or whose rate has fallen, tells no more than its slope and its last moves.
        let has_arrived = is_still
            && pull + 2.0 * slope.error <= PULL * self.largest
            && self.left_to_travel() <= self.least;
        if is_level && is_steady && (is_independent || has_arrived) { Rest::Stood } else { Rest::Slow(k) }
    }

    /// Whether its slope vanished at once, to the last bit, and for the whole last part. (Without noise that of a fit which
    /// arrived ends at 0 too, but smaller and smaller.)
    fn is_level(&self) -> bool {
        self.fell && self.natural_slopes.iter().all(|slope| *slope == 0.0)
    }

    /// Whether its groups are all but equal.
    fn is_still(&self) -> bool {
        let (low, high) = ends_of(&self.free);
        high - low <= self.least
    }

    fn flat_end(&self) -> Option<f64> {
        flat_end(self.map, self.end, self.steepest)
    }

    /// What the loss does from near an end inwards.
    fn beyond(&self, end: f64) -> Beyond {
        let Sample { mean, error } = Sample::of(&self.natural_slopes);
        let inwards = if end.to_bits() == self.map.interval().lowest.to_bits() { mean } else { -mean };
        match () {
            () if mean == 0.0 || mean.abs() <= FAR * error => Beyond::Unknown,
            () if inwards < 0.0 => Beyond::Falls,
            () => Beyond::Rises,
        }
    }

    /// How far it would still go, if its moves went on to shrink as they did from the first half to the second.
    fn left_to_travel(&self) -> f64 {
        let at = |group: usize| self.free[group];
        let (before, now) = ((at(GROUPS / 2) - at(0)).abs(), (at(GROUPS - 1) - at(GROUPS / 2 - 1)).abs());
        match () {
            () if now == 0.0 => 0.0,
            () if now >= before => f64::INFINITY,
            () => now * now / (before - now),
        }
    }
}

/// The least ratio of von Neumann of any combination of so many parameters: below it one of 100 samples of independent
/// groups lies (one of 150 for a single one), as found from 20,000 of each.
const INDEPENDENT_TOGETHER: [f64; 6] = [INDEPENDENT, 0.75, 0.6, 0.45, 0.36, 0.27];
/// Below this it is smooth: 1 in 10,000 samples of up to four parameters.
const SMOOTH_TOGETHER: f64 = 0.1;

/// Whether parameters move together along the combination that is smoothest. In a valley each of them is noisy across it, by
/// noise that hides how slowly all of them go along it.
fn together(scalars: &[Scalar]) -> Option<Rest> {
    let moving: Vec<&Scalar> = scalars.iter().filter(|s| !s.is_still() && s.flat_end().is_none()).collect();
    let columns: Vec<Vec<f64>> = moving.iter().map(|s| centred(&s.free)).collect();
    let basis = orthonormal(&columns);
    let n = basis.len();
    let limit = *INDEPENDENT_TOGETHER.get(n.checked_sub(1)?)?;
    let steps = |column: &[f64]| -> Vec<f64> { column.windows(2).map(|pair| pair[1] - pair[0]).collect() };
    let moves: Vec<Vec<f64>> = basis.iter().map(|column| steps(column)).collect();
    let matrix: Vec<f64> = moves.iter().flat_map(|a| moves.iter().map(|b| dot(a, b))).collect();
    let (values, vectors) = eigen(&matrix, n);
    let least = (0..n).min_by(|a, b| values[*a].total_cmp(&values[*b]))?;
    let ratio = values[least] * GROUPS as f64 / (GROUPS - 1) as f64;
    // The course along that combination, and how far each parameter went with it.
    let along: Vec<f64> =
        (0..GROUPS).map(|g| (0..n).map(|i| vectors[i * n + least] * basis[i][g]).sum()).collect();
    let (low, high) = ends_of(&along);
    let far = |s: &&&Scalar| dot(&centred(&s.free), &along).abs() * (high - low) > s.least;
    let moved: Vec<usize> = moving.iter().filter(far).map(|s| s.k).collect();
    match moved[..] {
        [_, ..] if ratio < SMOOTH_TOGETHER && n <= 4 => Some(Rest::Drifted(moved)),
        [first, ..] if ratio < limit => Some(Rest::Slow(first)),
        _ => None,
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn centred(numbers: &[f64]) -> Vec<f64> {
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    numbers.iter().map(|x| x - mean).collect()
}

/// Orthogonal columns of length 1 that span the same (Gram and Schmidt), without those that lie in the span of others.
fn orthonormal(columns: &[Vec<f64>]) -> Vec<Vec<f64>> {
    const NOTHING_LEFT: f64 = 1e-6;
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for column in columns {
        let mut left = column.clone();
        for _ in 0..2 {
            for own in &basis {
                let share = dot(own, &left);
                left.iter_mut().zip(own).for_each(|(x, y)| *x -= share * y);
            }
        }
        let length = dot(&left, &left).sqrt();
        if length > NOTHING_LEFT * dot(column, column).sqrt() {
            basis.push(left.iter().map(|x| x / length).collect());
        }
    }
    basis
}

/// Means over sixteen groups of the last numbers.
fn groups(numbers: &[f64], last: usize) -> Vec<f64> {
    let first = numbers.len() - last;
    let of = |group: usize| {
        let own = &numbers[first + group * last / GROUPS..first + (group + 1) * last / GROUPS];
        own.iter().sum::<f64>() / own.len() as f64
    };
    (0..GROUPS).map(of).collect()
}

fn ends_of(numbers: &[f64]) -> (f64, f64) {
    numbers.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)))
}

/// The mean square of successive differences over the variance; ∞ where nothing differs.
///
/// von Neumann (1941), *Distribution of the ratio of the mean square successive difference to the variance*.
fn von_neumann(numbers: &[f64]) -> f64 {
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let squares: f64 = numbers.iter().map(|x| (x - mean) * (x - mean)).sum();
    let successive: f64 = numbers.windows(2).map(|pair| (pair[1] - pair[0]) * (pair[1] - pair[0])).sum();
    if squares > 0.0 { successive / squares * n / (n - 1.0) } else { f64::INFINITY }
}

/// The mean of some numbers and its error.
struct Sample {
    mean: f64,
    error: f64,
}

impl Sample {
    fn of(numbers: &[f64]) -> Sample {
        let n = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / n;
        let squares: f64 = numbers.iter().map(|x| (x - mean) * (x - mean)).sum();
        Sample { mean, error: (squares / (n - 1.0) / n).sqrt() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::course::Course;

    /// Uniform in (−1, 1), a linear congruential generator.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        }
    }

    /// The rest of parameters in (0, 1), of which each step has values, slopes and a loss.
    fn of<const N: usize>(
        map: Map,
        steps: u32,
        share: f64,
        mut f: impl FnMut(f64) -> ([f64; N], [f64; N], f64),
    ) -> Rest {
        let (mut course, mut losses, mut theta) = (Course::new(N), Vec::new(), [0.0; N]);
        for k in 0..steps {
            let (x, slopes, loss) = f(f64::from(k));
            course.add(&x, &slopes, &x.map(|x| end_of(Interval::unit(), x).is_some()));
            losses.push(loss);
            theta = x;
        }
        let maps = [IntervalMap::new(map, Interval::unit(), "p").unwrap(); N];
        Ended { course: &course, share, maps: &maps, theta: &theta, losses: &losses, lowest_at_rest: true }
            .rest()
    }

    fn rest(steps: u32, share: f64, mut f: impl FnMut(f64) -> (f64, f64)) -> Rest {
        of(Map::Logit, steps, share, |k| {
            let (x, slope) = f(k);
            ([x], [slope], 0.0)
        })
    }

    #[test]
    fn noise_about_a_point_is_rest() {
        let found: Vec<Rest> = (1..200)
            .map(|seed| {
                let mut noise = Noise(seed);
                rest(1000, 0.2, |_| (0.3 + 0.01 * noise.next(), noise.next()))
            })
            .collect();
        // Not clear is 1 of 140 by the ratio, 1 of 110 by the slope (t beyond 3) and 1 of 100 by the drift, so at most 2.6 %
        // are expected: 5.2 of 199, and more than 15 come by chance once in 10,000 times (Poisson).
        let stood = found.iter().filter(|rest| **rest == Rest::Stood).count();
        assert!(stood >= 184, "{stood}: {found:?}");
        assert!(found.iter().all(|rest| matches!(rest, Rest::Stood | Rest::Slow(0))), "{found:?}");
    }

    #[test]
    fn a_slow_drift_under_noise_is_seen() {
        let mut noise = Noise(1);
        let found = rest(2000, 0.5, |k| (0.3 + 1e-4 * k + 0.01 * noise.next(), noise.next()));
        assert!(matches!(found, Rest::Moved(0, a, b) if (b - a - 0.05).abs() < 0.003), "{found:?}");
    }

    #[test]
    fn a_turning_point_is_no_rest() {
        // Equal halves, and a slope that changes its sign.
        for (steps, size) in [(60, 0.02), (100, 0.05), (1000, 0.01)] {
            let mut noise = Noise(1);
            let middle = f64::from(steps) * 0.8;
            let found = rest(steps, 0.4, |k| {
                let off = (k - middle) / f64::from(steps) / 0.2;
                (0.4 + size * off * off + 0.001 * noise.next(), off + 0.1 * noise.next())
            });
            assert!(matches!(found, Rest::Turned(..) | Rest::Slow(_)), "{found:?}");
        }
    }

    #[test]
    fn a_drift_along_a_valley_is_seen_through_the_noise_across_it() {
        let mut noise = Noise(3);
        let found = of(Map::Logit, 1000, 0.4, |k| {
            let (across, along) = (0.05 * noise.next(), 2e-5 * k + 1e-4 * noise.next());
            ([0.4 + across + along, 0.4 - across + along], [noise.next(), noise.next()], 0.0)
        });
        assert_eq!(found, Rest::Drifted(vec![0, 1]));
        let mut noise = Noise(3);
        let found = of(Map::Logit, 1000, 0.4, |_| {
            let (across, along) = (0.05 * noise.next(), 1e-3 * noise.next());
            ([0.4 + across + along, 0.4 - across + along], [noise.next(), noise.next()], 0.0)
        });
        assert_eq!(found, Rest::Stood);
    }

    #[test]
    fn a_frozen_fit_is_no_fit_at_rest() {
        // The rate fell to nothing long ago, and the loss still falls.
        let mut noise = Noise(1);
        assert_eq!(rest(2000, 0.2, |_| (0.7, 1.0 + noise.next())), Rest::Pulled(0));
        assert_eq!(rest(2000, 0.2, |_| (0.7, 1.0)), Rest::Pulled(0), "without noise too");
    }

    #[test]
    fn a_fit_without_noise_that_arrived_is_at_rest() {
        let arrives = |k: f64| (0.3 + 0.4 * (-0.05 * k).exp(), (-0.05 * k).exp());
        assert_eq!(rest(1000, 0.2, arrives), Rest::Stood);
        assert!(matches!(rest(100, 0.5, arrives), Rest::Moved(..)));
        // It creeps, and goes on for ever.
        assert!(rest(1000, 0.2, |k| (0.3 - 1e-7 * k, 1.0)) != Rest::Stood);
    }

    #[test]
    fn what_lies_on_the_flat_of_its_map_is_told_from_what_belongs_there() {
        // Thrown in the tenth step: the loss falls inwards, by noisy slopes that no step feels.
        let thrown = |end: f64, slope: f64| {
            let mut noise = Noise(1);
            rest(200, 0.4, |k| {
                let x = if k < 10.0 { 0.6 } else { (end - 1e-6 * (1.0 + 1e-3 * noise.next())).abs() };
                (x, slope + 0.1 * noise.next())
            })
        };
        assert_eq!(thrown(1.0, 1.0), Rest::Flat(0, 1.0, Beyond::Falls));
        assert_eq!(thrown(1.0, -1.0), Rest::Flat(0, 1.0, Beyond::Rises));
        assert_eq!(thrown(0.0, -1.0), Rest::Flat(0, 0.0, Beyond::Falls));
        assert_eq!(thrown(0.0, 1.0), Rest::Flat(0, 0.0, Beyond::Rises));
        // A small number to which the fit returns belongs there.
        let mut noise = Noise(1);
        let small = rest(2000, 0.4, |k| {
            let x = if k < 100.0 { 0.5 * (-0.1 * k).exp() } else { 1e-5 * (1.0 + 0.2 * noise.next()) };
            (x, noise.next())
        });
        assert_eq!(small, Rest::Stood);
    }

    #[test]
    fn a_slope_that_vanishes_to_the_last_bit_is_a_plateau() {
        let onto = |slope_there: f64| {
            rest(400, 0.4, |k| if k < 20.0 { (0.3 + 0.01 * k, 1.0) } else { (0.5, slope_there) })
        };
        assert_eq!(onto(0.0), Rest::Plateau(0));
        assert!(!matches!(onto(1e-9), Rest::Plateau(_)));
        // What arrives without noise has slopes that end at 0 too.
        let arrives = |k: f64| (0.5 + 0.2 * (-0.5 * k).exp(), if k < 70.0 { (-0.5 * k).exp() } else { 0.0 });
        assert!(!matches!(rest(400, 0.4, arrives), Rest::Plateau(_)));
        // One that no gradient ever reached is told elsewhere.
        assert!(!matches!(rest(400, 0.4, |_| (0.5, 0.0)), Rest::Plateau(_)));
    }

    #[test]
    fn a_loss_that_was_far_lower_before_is_no_rest() {
        let mut noise = Noise(1);
        let found = of(Map::Clamp, 300, 0.4, |k| {
            let thrown = k > 20.0;
            let x = if thrown { 0.9 } else { 0.6 };
            ([x + 0.001 * noise.next()], [noise.next()], if thrown { 5.0 } else { 0.5 } + 0.1 * noise.next())
        });
        assert!(matches!(found, Rest::Climbed(before, now, None) if before < 0.6 && now > 4.9), "{found:?}");
    }

    #[test]
    fn steps_that_throw_it_across_are_no_rest() {
        // Overshooting by 0.97 of the way at each step, from 64 steps to 100,000.
        for steps in [64, 200, 1000, 10_000, 100_000] {
            let mut noise = Noise(7);
            let mut off = 0.1;
            let found = rest(steps, 0.5, |_| {
                off = -0.97 * off + 0.02 * noise.next();
                (0.34 + off, off)
            });
            assert!(
                matches!(found, Rest::Swung(0, low, high) if low < 0.33 && high > 0.35),
                "{steps}: {found:?}"
            );
        }
        let found = of(Map::Clamp, 400, 0.5, |k| ([k % 2.0], [k % 2.0 - 0.5], 0.0));
        assert_eq!(found, Rest::Swung(0, 0.0, 1.0));
    }

    #[test]
    fn steps_that_are_independent_or_hardly_swing_are_not_said_to() {
        for seed in 1..200 {
            for steps in [40, 100, 1000, 5000] {
                let mut noise = Noise(seed);
                let found = rest(steps, 0.5, |_| (0.3 + 0.1 * noise.next(), noise.next()));
                // Of 40 steps one group of 20 remains, and 1 of 600 is beyond half of them (χ² of 1 above 10).
                let few = steps == 40 && matches!(found, Rest::Swung(..));
                let said = matches!(found, Rest::Swung(..) | Rest::OnAndOff(..) | Rest::Strayed(..));
                assert!(few || !said, "{seed}, {steps}: {found:?}");
            }
        }
        let small = rest(1000, 0.5, |k| (0.3 + 0.001 * (k % 2.0), k % 2.0 - 0.5));
        assert!(!matches!(small, Rest::Swung(..)), "{small:?}");
    }

    #[test]
    fn steps_on_and_off_an_end_and_steps_all_over_are_no_rest() {
        let mut noise = Noise(5);
        let found = of(Map::Clamp, 1000, 0.5, |_| {
            let x = (0.1 + 0.2 * noise.next()).max(0.0);
            ([x], [noise.next()], 0.0)
        });
        assert!(
            matches!(found, Rest::OnAndOff(0, end, share) if end == 0.0 && (share - 0.25).abs() < 0.1),
            "{found:?}"
        );
        let mut noise = Noise(5);
        let found = of(Map::Clamp, 1000, 0.5, |_| {
            let side = if noise.next() > 0.0 { 0.1 } else { 0.9 };
            ([side + 0.05 * noise.next()], [noise.next()], 0.0)
        });
        assert!(matches!(found, Rest::Strayed(..)), "{found:?}");
    }

    #[test]
    fn short_fits_tell_nothing() {
        assert_eq!(rest(50, 0.2, |_| (0.3, 0.0)), Rest::Short);
        let none = Course::new(0);
        let ended =
            Ended { course: &none, share: 0.5, maps: &[], theta: &[], losses: &[], lowest_at_rest: true };
        assert_eq!(ended.rest(), Rest::Short);
    }
}

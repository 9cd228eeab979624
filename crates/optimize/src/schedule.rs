//! Says how the learning rate changes over the steps of a fit.
//!
//! r(t) = r₀ · w(t) · s(t),  w(t) = min(1, (t + 1) / warm-up),  and with T the fit's steps
//!
//! | schedule     | s(t)                                                         |
//! |--------------|--------------------------------------------------------------|
//! | constant     | 1                                                            |
//! | step         | factor^⌊t / every⌋                                           |
//! | exponential  | 2^(−t / half-life)                                           |
//! | cosine       | end + (1 − end)(1 + cos(π t / T)) / 2                        |
//! | inverse-time | 1 / (1 + t / time)                                           |
//!
//! t: step, from 0; r₀: the rate given; w: linear warm-up (none where `warm_up` is 0). Cosine: Loshchilov & Hutter
//! (2017), *SGDR*, one cycle. Inverse time: Robbins & Monro (1951); with noise, it lets the iterates converge.
//! A schedule is a pure function of t, so a resumed fit needs nothing but t.
//!
//! ```
//! use glauber_optimize::schedule::{LearningRate, Schedule};
//! let rate = LearningRate { start: 0.1, schedule: Schedule::Cosine { end: 0.0 }, warm_up: 0 };
//! assert_eq!(rate.at(0, 100), 0.1);
//! assert!((rate.at(50, 100) - 0.05).abs() < 1e-15);
//! ```

use serde::{Deserialize, Serialize};

/// The shape of the learning rate over time, as a factor of its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Schedule {
    /// Always the same.
    #[default]
    Constant,
    /// Times `factor` every so many steps.
    Step {
        /// Steps between two changes, at least 1.
        every: u64,
        /// In (0, 1].
        factor: f64,
    },
    /// Halved every so many steps, smoothly.
    Exponential {
        /// Steps, above 0.
        half_life: f64,
    },
    /// Half a cosine down to a share of the start at the fit's last step.
    Cosine {
        /// The share left at the end, in \[0, 1\].
        end: f64,
    },
    /// 1 / (1 + t / time).
    InverseTime {
        /// The step at which it has fallen to one half, above 0.
        time: f64,
    },
}

impl Schedule {
    /// The names in a fit file.
    pub const NAMES: [&'static str; 5] = ["constant", "step", "exponential", "cosine", "inverse-time"];

    /// Its name in a fit file.
    pub fn name(&self) -> &'static str {
        match self {
            Schedule::Constant => "constant",
            Schedule::Step { .. } => "step",
            Schedule::Exponential { .. } => "exponential",
            Schedule::Cosine { .. } => "cosine",
            Schedule::InverseTime { .. } => "inverse-time",
        }
    }

    /// Whether s(t) depends on how many steps the fit has.
    pub fn depends_on_length(&self) -> bool {
        matches!(self, Schedule::Cosine { .. })
    }

    /// s(t) for step t of `steps`.
    pub fn factor(&self, step: u64, steps: u64) -> f64 {
        let t = step as f64;
        match *self {
            Schedule::Constant => 1.0,
            Schedule::Step { every, factor } => libm::pow(factor, (step / every.max(1)) as f64),
            Schedule::Exponential { half_life } => libm::exp2(-t / half_life),
            Schedule::Cosine { end } => {
                let share = if steps == 0 { 0.0 } else { (t / steps as f64).min(1.0) };
                end + (1.0 - end) * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * share))
            }
            Schedule::InverseTime { time } => 1.0 / (1.0 + t / time),
        }
    }

    /// What is wrong with its numbers, if anything: the key, the value found, what it must be.
    fn fault(&self) -> Option<(&'static str, f64, &'static str)> {
        let check = |key, value: f64, right: bool, range| (!right).then_some((key, value, range));
        match *self {
            Schedule::Constant => None,
            Schedule::Step { every: 0, .. } => Some(("every", 0.0, "at least 1")),
            Schedule::Step { factor, .. } => {
                check("factor", factor, factor > 0.0 && factor <= 1.0, "above 0 and at most 1")
            }
            Schedule::Exponential { half_life } => {
                check("half-life", half_life, half_life > 0.0 && half_life.is_finite(), "above 0")
            }
            Schedule::Cosine { end } => check("end", end, (0.0..=1.0).contains(&end), "in [0, 1]"),
            Schedule::InverseTime { time } => check("time", time, time > 0.0 && time.is_finite(), "above 0"),
        }
    }
}

/// What is wrong with a learning rate or its schedule.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{key}` is {found}, but must be {range}")]
pub struct ScheduleError {
    /// The key.
    pub key: &'static str,
    /// Its value.
    pub found: f64,
    /// What it must be.
    pub range: &'static str,
}

/// The learning rate of a fit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LearningRate {
    /// r₀, above 0.
    pub start: f64,
    /// Its course.
    #[serde(default)]
    pub schedule: Schedule,
    /// Steps over which it rises linearly to its course; 0 for none.
    #[serde(default)]
    pub warm_up: u64,
}

impl LearningRate {
    /// Always the same rate.
    pub fn constant(rate: f64) -> LearningRate {
        LearningRate { start: rate, schedule: Schedule::Constant, warm_up: 0 }
    }

    /// The rate at step `step` (from 0) of a fit of `steps`.
    pub fn at(&self, step: u64, steps: u64) -> f64 {
        let warmth = if step >= self.warm_up { 1.0 } else { (step as f64 + 1.0) / self.warm_up as f64 };
        self.start * warmth.min(1.0) * self.schedule.factor(step, steps)
    }

    /// Checks every number.
    ///
    /// # Errors
    /// [`ScheduleError`] naming the first that is out of its range.
    pub fn check(&self) -> Result<(), ScheduleError> {
        if !(self.start > 0.0 && self.start.is_finite()) {
            return Err(ScheduleError { key: "learning-rate", found: self.start, range: "above 0" });
        }
        match self.schedule.fault() {
            Some((key, found, range)) => Err(ScheduleError { key, found, range }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Schedule; 5] = [
        Schedule::Constant,
        Schedule::Step { every: 10, factor: 0.5 },
        Schedule::Exponential { half_life: 10.0 },
        Schedule::Cosine { end: 0.1 },
        Schedule::InverseTime { time: 10.0 },
    ];

    #[test]
    fn each_course_takes_the_values_of_its_formula() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-15, "{a} {b}");
        let at = |schedule: Schedule, t| schedule.factor(t, 100);
        close(at(ALL[0], 99), 1.0);
        close(at(ALL[1], 9), 1.0);
        close(at(ALL[1], 10), 0.5);
        close(at(ALL[1], 39), 0.125);
        close(at(ALL[2], 20), 0.25);
        close(at(ALL[3], 0), 1.0);
        close(at(ALL[3], 50), 0.55);
        close(at(ALL[3], 100), 0.1);
        close(at(ALL[3], 1000), 0.1);
        close(at(ALL[4], 10), 0.5);
        close(at(ALL[4], 30), 0.25);
    }

    #[test]
    fn no_course_rises_or_leaves_zero_to_one() {
        for schedule in ALL {
            let factors: Vec<f64> = (0..=100).map(|t| schedule.factor(t, 100)).collect();
            assert!(factors.iter().all(|f| (0.0..=1.0).contains(f)), "{schedule:?}");
            assert!(factors.windows(2).all(|pair| pair[1] <= pair[0]), "{schedule:?}");
        }
    }

    #[test]
    fn warm_up_rises_linearly_and_then_is_gone() {
        let rate = LearningRate { start: 2.0, schedule: Schedule::Constant, warm_up: 4 };
        let rates: Vec<f64> = (0..6).map(|t| rate.at(t, 100)).collect();
        assert_eq!(rates, [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]);
    }

    #[test]
    fn wrong_numbers_are_named() {
        let say =
            |start, schedule| LearningRate { start, schedule, warm_up: 0 }.check().unwrap_err().to_string();
        assert_eq!(say(0.0, Schedule::Constant), "`learning-rate` is 0, but must be above 0");
        assert!(say(f64::NAN, Schedule::Constant).contains("NaN"));
        assert!(say(1.0, Schedule::Step { every: 0, factor: 0.5 }).contains("`every` is 0"));
        assert!(say(1.0, Schedule::Step { every: 1, factor: 0.0 }).contains("`factor`"));
        assert!(say(1.0, Schedule::Exponential { half_life: 0.0 }).contains("`half-life`"));
        assert!(say(1.0, Schedule::Cosine { end: 1.1 }).contains("`end`"));
        assert!(say(1.0, Schedule::InverseTime { time: f64::INFINITY }).contains("`time`"));
    }

    #[test]
    fn a_schedule_is_written_and_read_as_data() {
        for schedule in ALL {
            let text = serde_json::to_string(&schedule).unwrap();
            assert!(text.contains(schedule.name()), "{text}");
            assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
        }
    }
}

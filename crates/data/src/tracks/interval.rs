//! Finds the interval of which all steps in time are multiples, or says that there is none.
//!
//! Times come from clocks, so a step may differ from a multiple of the interval by a twentieth of it. The interval is
//! the sum of all steps over that of their multiples, so that times that were rounded (0, 0.0083, 0.0167 h) lead no further
//! astray than over the whole span; the multiple is counted in the smallest steps there are. At the user's word a
//! step may differ by a quarter, as long as the median does not differ by more than a twentieth.

use super::face::Face;
use glauber_files::error::quoted;
use glauber_files::rounded;

/// How far a step may be from a multiple, as a part of the interval, where the interval is found.
const TOLERANCE: f64 = 0.05;
/// How far a step may be from a multiple of the interval that the user gives: it is beyond doubt which one is meant.
const BEYOND_DOUBT: f64 = 0.25;
/// Deviations above this part of the interval are worth a note.
const WORTH_SAYING: f64 = 1e-3;
/// The most times a common divisor may go into the smallest step to be offered as the interval.
const MOST_DIVISIONS: f64 = 12.0;

/// The step from one position of a track to its next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) track: usize,
    pub(super) line: u64,
    /// In the file's unit of time, or in frames; positive.
    pub(super) length: f64,
}

/// The interval that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interval {
    /// In units of time.
    pub(super) length: f64,
    /// What the file's times are multiplied by to be in units of time: the time of a frame, or 1.
    pub(super) scale: f64,
}

/// Why there is no interval.
#[derive(Clone, Debug)]
pub(super) enum NoInterval {
    /// A step is no multiple of the interval asked for.
    NotMultiple { step: Step, interval: f64 },
    /// Steps are multiples of another interval than the one asked for.
    Other { found: f64, interval: f64 },
    /// Two steps have no common interval, or one that neither of them is.
    Mixed { a: Step, b: Step, divisor: Option<f64>, jitter: Option<f64> },
    /// Frames that are not whole numbers.
    NotWhole { step: Step },
    /// The file's own time of a frame is useless.
    BadFrame(f64),
}

impl NoInterval {
    /// What was found, what to do, and the line it is at.
    pub(super) fn in_words(
        &self,
        ids: &[String],
        line_word: &str,
        face: Face,
    ) -> (String, String, Option<u64>) {
        let said = |s: &Step| {
            format!("{} in track {} ({line_word} {})", rounded(s.length), quoted(&ids[s.track]), s.line)
        };
        match self {
            Self::NotMultiple { step, interval } => (
                format!(
                    "the step in time of {} is no multiple of the interval {}",
                    said(step),
                    rounded(*interval)
                ),
                "correct the time or the interval".to_owned(),
                Some(step.line),
            ),
            Self::Other { found, interval } => (
                format!(
                    "steps in time are multiples of {}, not of the interval {} that was given",
                    rounded(*found),
                    rounded(*interval)
                ),
                format!("give {}, or leave it out", face.interval(*found)),
                None,
            ),
            Self::Mixed { a, b, divisor, jitter } => (
                format!("the intervals are mixed: {} but {}", said(a), said(b)),
                match (divisor, jitter) {
                    (Some(d), _) => format!(
                        "if frames are {} apart, with gaps, give {}; else split the file",
                        rounded(*d),
                        face.interval(*d)
                    ),
                    (None, Some(usual)) => format!(
                        "if the times are those of an uneven clock, give {}; else split the file into one for each \
                         interval",
                        face.interval(*usual)
                    ),
                    (None, None) => {
                        "split the file into one for each interval, or correct the times".to_owned()
                    }
                },
                Some(b.line),
            ),
            Self::NotWhole { step } => (
                format!("the step in frames of {} is not a whole number", said(step)),
                "number frames 0, 1, 2, …; or name the column of times".to_owned(),
                Some(step.line),
            ),
            Self::BadFrame(value) => (
                format!("gives {value} as the time of a frame"),
                format!("give the true one, such as {}", face.interval(30.0)),
                None,
            ),
        }
    }
}

/// Finds the interval; `frames` says that steps count frames of `frame` units of time, `asked` is the user's word.
pub(super) fn find(
    steps: &[Step],
    frames: bool,
    frame: Option<f64>,
    asked: Option<f64>,
) -> Result<(Interval, Vec<String>), NoInterval> {
    let mut notes = Vec::new();
    if frames {
        if let Some(step) = steps.iter().find(|s| deviation(s.length, 1.0) > 1e-6) {
            return Err(NoInterval::NotWhole { step: *step });
        }
        let scale = asked.or(frame).unwrap_or(1.0);
        if !(scale.is_finite() && scale > 0.0) {
            return Err(NoInterval::BadFrame(scale));
        }
        // Saved every fifth frame, a movie has one position in five frames: that is its interval.
        let frames = common_frames(steps).unwrap_or(1);
        if frames > 1 {
            notes.push(format!(
                "all positions are multiples of {frames} frames apart: a lag of 1 is {frames} frames"
            ));
        }
        return Ok((Interval { length: frames as f64 * scale, scale }, notes));
    }
    if let Some(asked) = asked {
        let off = |s: &&Step| deviation(s.length, asked) > BEYOND_DOUBT || s.length < asked / 2.0;
        let Some(step) = steps.iter().find(off) else {
            let own = median(steps.iter().map(|s| s.length / (s.length / asked).round().max(1.0)))
                .filter(|own| (own / asked - 1.0).abs() > TOLERANCE);
            if let Some(found) = own.or_else(|| of_one_track(steps, asked)) {
                return Err(NoInterval::Other { found, interval: asked });
            }
            note_jitter(steps, asked, &mut notes);
            return Ok((Interval { length: asked, scale: 1.0 }, notes));
        };
        // Whole numbers that are no multiples of the interval are frames under the name of times.
        if steps.iter().all(|s| deviation(s.length, 1.0) < 1e-9)
            && steps.iter().any(|s| s.length < asked / 2.0)
        {
            let frames = common_frames(steps).unwrap_or(1);
            let apart = if frames > 1 { format!(", {frames} apart") } else { String::new() };
            notes.push(format!(
                "times are whole numbers below the interval {asked}: they were taken for frames{apart}"
            ));
            return Ok((Interval { length: frames as f64 * asked, scale: asked }, notes));
        }
        return Err(NoInterval::NotMultiple { step: *step, interval: asked });
    }
    let Some(interval) = estimate(steps) else {
        // No track has two positions; the caller says so.
        return Ok((Interval { length: 1.0, scale: 1.0 }, notes));
    };
    if let Some(odd) = steps.iter().find(|s| deviation(s.length, interval) > TOLERANCE) {
        let middle = middle_of(steps, interval);
        let usual =
            steps.iter().find(|s| (s.length / interval - 1.0).abs() <= TOLERANCE).unwrap_or(&steps[0]);
        let near = |s: &Step| deviation(s.length, middle).max(deviation(s.length, interval)) <= BEYOND_DOUBT;
        let beyond_doubt = steps.iter().all(near) && of_one_track(steps, middle).is_none();
        let (divisor, jitter) = (common_divisor(steps), beyond_doubt.then_some(middle));
        // Some divisor fits any steps roughly; where all are near one multiple it is the clock that is uneven.
        let divisor = divisor.filter(|_| jitter.is_none());
        return Err(NoInterval::Mixed { a: *usual, b: *odd, divisor, jitter });
    }
    note_jitter(steps, interval, &mut notes);
    Ok((Interval { length: interval, scale: 1.0 }, notes))
}

/// How far a step is from a multiple of the interval, as a part of the interval.
fn deviation(step: f64, interval: f64) -> f64 {
    let multiple = step / interval;
    // A clock that runs a little fast or slow adds up over a long gap.
    ((multiple - multiple.round()).abs() - 1e-6 * multiple).max(0.0)
}

/// The interval by the smallest steps: their median, then, of those that fit it, the sum of all over that of their multiples; the
/// median step / multiple where that is the same but for rounding.
fn estimate(steps: &[Step]) -> Option<f64> {
    const ROUNDING: f64 = 1e-9;
    let least = steps.iter().map(|s| s.length).min_by(f64::total_cmp)?;
    let small = || steps.iter().map(|s| s.length).filter(|&l| l < 1.5 * least);
    let middle = median(small())?;
    // The multiples of long steps are counted by the mean of single ones, of which the median may be rounded.
    let single = small().filter(|l| deviation(*l, middle) <= TOLERANCE);
    let (count, sum) = single.fold((0.0, 0.0), |(n, sum), l| (n + 1.0, sum + l));
    let mean = sum / count;
    let multiple = |s: &Step| (s.length / mean).round().max(1.0);
    let fitting = || steps.iter().filter(|s| deviation(s.length, mean) <= TOLERANCE);
    let own = median(fitting().map(|s| s.length / multiple(s)))?;
    let whole = fitting().map(|s| s.length).sum::<f64>() / fitting().map(multiple).sum::<f64>();
    Some(if (whole / own - 1.0).abs() <= ROUNDING { own } else { whole })
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    if values.is_empty() {
        return None;
    }
    // The lower of two middle values: it is one of the file's own.
    let middle = (values.len() - 1) / 2;
    Some(*values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

/// The interval of a track that has an exact one of its own, which is not this one: no clock is uneven from track to track.
fn of_one_track(steps: &[Step], interval: f64) -> Option<f64> {
    steps.chunk_by(|a, b| a.track == b.track).find_map(|own| {
        let found = median(own.iter().map(|s| s.length / (s.length / interval).round().max(1.0)))?;
        // Fewer than three may agree by chance.
        let is_exact = own.len() > 2 && own.iter().all(|s| deviation(s.length, found) <= WORTH_SAYING);
        (is_exact && (found / interval - 1.0).abs() > TOLERANCE).then_some(found)
    })
}

/// The interval as all steps together say it, to three digits.
fn middle_of(steps: &[Step], interval: f64) -> f64 {
    let multiples: f64 = steps.iter().map(|s| (s.length / interval).round().max(1.0)).sum();
    format!("{:.2e}", steps.iter().map(|s| s.length).sum::<f64>() / multiples).parse().unwrap_or(interval)
}

fn note_jitter(steps: &[Step], interval: f64, notes: &mut Vec<String>) {
    let worst = steps.iter().map(|s| deviation(s.length, interval)).fold(0.0, f64::max);
    if worst > WORTH_SAYING {
        notes.push(format!(
            "steps in time deviate from multiples of the interval {} by up to {:.1} %; they were taken as \
             multiples",
            rounded(interval),
            worst * 100.0
        ));
    }
}

/// The number of frames that divides all steps, if it is more than one.
fn common_frames(steps: &[Step]) -> Option<u64> {
    fn divisor(a: u64, b: u64) -> u64 {
        if b == 0 { a } else { divisor(b, a % b) }
    }
    let common = steps.iter().fold(0, |d, s| divisor(d, s.length.round().min(1e15) as u64));
    (common > 1).then_some(common)
}

/// A length that divides all steps within the tolerance, if it is not too small to mean anything.
fn common_divisor(steps: &[Step]) -> Option<f64> {
    let least = steps.iter().map(|s| s.length).min_by(f64::total_cmp)?;
    let fits = |d: f64| steps.iter().all(|s| deviation(s.length, d) <= TOLERANCE / 2.0);
    (2..=MOST_DIVISIONS as u32).map(|n| least / f64::from(n)).find(|&d| fits(d))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn steps(lengths: &[f64]) -> Vec<Step> {
        lengths.iter().zip(1..).map(|(&length, line)| Step { track: 0, line, length }).collect()
    }

    fn times(lengths: &[f64], asked: Option<f64>) -> Result<(Interval, Vec<String>), NoInterval> {
        find(&steps(lengths), false, None, asked)
    }

    fn words(error: &NoInterval) -> (String, String) {
        let (found, remedy, _) = error.in_words(&["7".to_owned()], "line", Face::FitFile);
        (found, remedy)
    }

    #[test]
    fn tracks_of_two_exact_intervals_are_no_uneven_clock() {
        let two = |a: f64, b: f64| -> Vec<Step> {
            (0..12)
                .map(|k| Step { length: if k < 6 { a } else { b }, track: k / 6, line: k as u64 })
                .collect()
        };
        for asked in [Some(30.0), None] {
            let refused = find(&two(30.0, 36.0), false, None, asked);
            match (asked, refused) {
                (Some(_), Err(NoInterval::Other { found, .. })) => assert!((found - 36.0).abs() < 1e-9),
                (None, Err(NoInterval::Mixed { jitter: None, .. })) => {}
                (_, other) => panic!("{asked:?}: {other:?}"),
            }
        }
        assert!(find(&two(30.0, 60.0), false, None, Some(30.0)).is_ok());
    }

    #[test]
    fn regular_times_give_their_interval_exactly() {
        for interval in [24.0, 0.1, 1.0 / 3.0] {
            let found = times(&[interval, interval, 2.0 * interval, interval, 7.0 * interval], None).unwrap();
            assert_eq!(found, (Interval { length: interval, scale: 1.0 }, vec![]));
        }
    }

    #[test]
    fn rounded_times_give_the_interval_of_their_span() {
        // 30 s in hours, with four decimals, and a gap of 200 frames.
        let at = |n: f64| (n / 120.0 * 1e4).round() / 1e4;
        let mut lengths: Vec<f64> = (0..40).map(|n| at(f64::from(n) + 1.0) - at(f64::from(n))).collect();
        lengths.push(at(240.0) - at(40.0));
        let (interval, _) = times(&lengths, None).unwrap();
        assert!((interval.length * 120.0 - 1.0).abs() < 1e-4, "{}", interval.length);
    }

    #[test]
    fn jitter_is_borne_and_said() {
        let (interval, notes) = times(&[24.3, 23.9, 24.0, 48.2, 23.8], None).unwrap();
        assert!((interval.length - 24.0).abs() < 0.2);
        assert!(notes[0].contains("deviate"), "{notes:?}");
    }

    #[test]
    fn mixed_intervals_are_refused_with_the_common_one() {
        let (found, remedy) = words(&times(&[24.0, 24.0, 36.0], None).unwrap_err());
        assert_eq!(found, "the intervals are mixed: 24 in track `7` (line 1) but 36 in track `7` (line 3)");
        assert_eq!(
            remedy,
            "if frames are 12 apart, with gaps, give `interval = 12` under [data]; else split the file"
        );
        assert!(
            words(&times(&[24.0, 36.0], None).unwrap_err()).0.contains("24 in track `7` (line 1) but 36")
        );
        let (_, remedy) = words(&times(&[24.0, 24.0 * std::f64::consts::E], None).unwrap_err());
        assert!(remedy.contains("split the file"), "{remedy}");
        assert_eq!(times(&[24.0, 24.0, 36.0], Some(12.0)).unwrap().0, Interval { length: 12.0, scale: 1.0 });
    }

    #[test]
    fn the_users_interval_is_checked() {
        let (found, _) = words(&times(&[24.0, 24.0], Some(10.0)).unwrap_err());
        assert_eq!(found, "the step in time of 24 in track `7` (line 1) is no multiple of the interval 10");
        // Steps shorter than half the interval cannot be frames of it.
        assert!(times(&[0.01, 24.0], Some(24.0)).is_err());
        // Whole numbers below it are frames.
        let (interval, notes) = times(&[1.0, 1.0, 3.0], Some(24.0)).unwrap();
        assert_eq!(interval, Interval { length: 24.0, scale: 24.0 });
        assert!(notes[0].contains("taken for frames"));
    }

    #[test]
    fn uneven_clocks_are_believed_at_the_users_word() {
        let uneven = [30.9, 29.1, 32.3, 27.9, 59.2, 30.2];
        let (_, remedy) = words(&times(&uneven, None).unwrap_err());
        assert!(remedy.contains("uneven clock, give `interval = 29.9`"), "{remedy}");
        let (interval, notes) = times(&uneven, Some(30.0)).unwrap();
        assert_eq!(interval, Interval { length: 30.0, scale: 1.0 });
        assert!(notes[0].contains("by up to 7.7 %"), "{notes:?}");
        // But not against what all the steps say.
        let (found, remedy) = words(&times(&[12.0, 12.0, 12.1], Some(10.0)).unwrap_err());
        assert!(found.contains("multiples of 12, not of the interval 10"), "{found}");
        assert!(remedy.contains("`interval = 12`"), "{remedy}");
    }

    #[test]
    fn frames_take_the_files_time_or_the_users() {
        let lengths = steps(&[1.0, 2.0]);
        assert_eq!(find(&lengths, true, None, None).unwrap().0, Interval { length: 1.0, scale: 1.0 });
        assert_eq!(find(&lengths, true, Some(24.0), None).unwrap().0, Interval { length: 24.0, scale: 24.0 });
        assert_eq!(
            find(&lengths, true, Some(24.0), Some(30.0)).unwrap().0,
            Interval { length: 30.0, scale: 30.0 }
        );
        assert!(matches!(find(&lengths, true, Some(0.0), None), Err(NoInterval::BadFrame(_))));
        assert!(matches!(find(&steps(&[1.5]), true, None, None), Err(NoInterval::NotWhole { .. })));
        let (interval, notes) = find(&steps(&[10.0, 5.0]), true, Some(24.0), None).unwrap();
        assert_eq!(interval, Interval { length: 120.0, scale: 24.0 });
        assert!(notes[0].contains("multiples of 5 frames apart"), "{notes:?}");
    }
}

//! Reads dates and clock times in the names of a folder's pictures, such as 2024-01-31_12-59-58 or 00d03h30m.
//!
//! | numbers | read as |
//! |---|---|
//! | 2024 01 31, 20240131; 31 01 2024 where one number is above 12 | a date |
//! | with `d`, `h`, `m`, `s` behind them | days, hours, minutes, seconds |
//! | two or three, or 125958, behind a date | a clock time |
//! | three of two digits each, where minutes or seconds go above 23 | a clock time |

use super::numbered::{Column, Counts, step_of};
use super::refusal::Refusal;
use glauber_files::error::quoted;
use std::ops::RangeInclusive;

/// The time of each name in seconds, where the names have one; the columns that say it are marked as
/// [`Counts::Stamp`].
pub(super) fn stamps(columns: &mut [Column]) -> Option<Vec<u64>> {
    let mut seconds = vec![0u64; columns.first()?.values.len()];
    let (mut at, mut dated, mut clocked) = (0, false, false);
    while at < columns.len() {
        let rest = &columns[at..];
        let date = if dated { None } else { date_of(rest) };
        let clock = || if clocked { None } else { clock_of(rest, dated) };
        let Some((length, times)) = date.clone().or_else(clock) else {
            at += 1;
            continue;
        };
        seconds.iter_mut().zip(times).for_each(|(all, time)| *all = all.saturating_add(time));
        columns[at..at + length].iter_mut().for_each(|column| column.counts = Counts::Stamp);
        // A date of twelve or fourteen digits has its clock time in itself.
        let whole = date.is_some() && length == 1 && columns[at].texts[0].len() > 8;
        (dated, clocked) = (dated || date.is_some(), clocked || whole || date.is_none());
        at += length;
    }
    (dated || clocked).then_some(seconds)
}

/// How many columns there are, and the seconds that they say for every name.
type Read = Option<(usize, Vec<u64>)>;

/// Years that are taken for years.
const YEARS: RangeInclusive<u64> = 1900..=2100;

fn is_close(column: &Column) -> bool {
    column.before.chars().count() == 1
}

/// Whether there is such a day.
fn is_date(year: u64, month: u64, day: u64) -> bool {
    let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    let days = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=12).contains(&month) && (1..=days).contains(&day)
}

/// Where the first three numbers may be dates with the year behind: whether all are dates with the day first, and with
/// the month first.
fn year_last(columns: &[Column]) -> Option<(bool, bool)> {
    let [a, b, c, ..] = columns else { return None };
    let small = |column: &Column| column.fits(1..=2, 1..=31);
    if !(is_close(b) && is_close(c) && c.fits(4..=4, YEARS) && small(a) && small(b)) {
        return None;
    }
    let all = |month: &Column, day: &Column| {
        (0..c.values.len()).all(|at| is_date(c.values[at], month.values[at], day.values[at]))
    };
    Some((all(b, a), all(a, b)))
}

/// Whether dates are the same with the day and with the month first: 05-05-2024, or one day in all names, which tells nothing.
fn is_one_day_either_way(columns: &[Column]) -> bool {
    let [a, b, c, ..] = columns else { return false };
    a.values == b.values || [a, b, c].into_iter().all(|column| column.distinct().len() == 1)
}

/// Refuses names with dates that can be read with the day and with the month first, or with neither throughout.
pub(super) fn check_dates(columns: &[Column]) -> Result<(), Refusal> {
    if (0..columns.len()).any(|at| date_of(&columns[at..]).is_some()) {
        return Ok(());
    }
    let Some((at, ways)) = (0..columns.len()).find_map(|at| Some((at, year_last(&columns[at..])?))) else {
        return Ok(());
    };
    let [a, b, c] = [&columns[at], &columns[at + 1], &columns[at + 2]];
    let either = |at: usize| {
        let (first, second, year) = (a.values[at], b.values[at], c.values[at]);
        is_date(year, second, first) || is_date(year, first, second)
    };
    // In one changing number dates are in one order, whichever way they are read.
    let changing = [a, b, c].into_iter().filter(|column| column.distinct().len() > 1).count();
    let why = match ways {
        (true, true) if changing > 1 => "can be read with the day or with the month first",
        (false, false) if (0..a.values.len()).all(either) => {
            "are read some with the day first and some with the month first"
        }
        _ => return Ok(()),
    };
    let shown = format!("{}{}{}{}{}", a.texts[0], b.before, b.texts[0], c.before, c.texts[0]);
    Err(Refusal::unsupported(
        format!("holds dates in its names, such as {}, that {why}", quoted(&shown)),
        "name the pictures with the year first, as 2024-01-31, or number them",
    ))
}

fn date_of(columns: &[Column]) -> Read {
    let first = &columns[0];
    let digits = first.texts[0].len();
    if matches!(digits, 8 | 12 | 14) && first.fits(digits..=digits, 0..=u64::MAX) {
        let per_day = [1, 10_000, 1_000_000][(digits - 8).div_ceil(3)];
        let one = |value: &u64| {
            let (date, clock) = (value / per_day, value % per_day);
            let clock = if digits == 12 { clock * 100 } else { clock };
            let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
            let right = YEARS.contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
            right.then(|| seconds_of_date(year, month, day)).zip(seconds_of_clock(clock)).map(|(d, c)| d + c)
        };
        return Some((1, first.values.iter().map(one).collect::<Option<_>>()?));
    }
    let [a, b, c, ..] = columns else { return None };
    let month = |column: &Column| column.fits(1..=2, 1..=12);
    let day = |column: &Column| column.fits(1..=2, 1..=31);
    let (year, month, day) = if is_close(b) && is_close(c) && a.fits(4..=4, YEARS) && month(b) && day(c) {
        (a, b, c)
    } else {
        // Where every date reads either way, it is one only if it says the same either way.
        let (day_first, month_first) = year_last(columns)?;
        match (day_first, month_first) {
            (true, false) => (c, b, a),
            (false, true) => (c, a, b),
            (true, true) if is_one_day_either_way(columns) => (c, b, a),
            _ => return None,
        }
    };
    let one = |at: usize| seconds_of_date(year.values[at], month.values[at], day.values[at]);
    Some((3, (0..a.values.len()).map(one).collect()))
}

/// Seconds from the year 0 to a day, by the Gregorian calendar; years begin with March, so that February's end is theirs.
fn seconds_of_date(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    (365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day) * 86_400
}

/// Seconds of 125958; none where it is no time of a day.
fn seconds_of_clock(digits: u64) -> Option<u64> {
    let (hour, minute, second) = (digits / 10_000, digits / 100 % 100, digits % 100);
    (hour < 24 && minute < 60 && second < 60).then_some(3600 * hour + 60 * minute + second)
}

fn clock_of(columns: &[Column], dated: bool) -> Read {
    let mut units: Vec<u64> = Vec::new();
    for column in columns {
        match column.counts {
            Counts::Clock(unit) if units.last().is_none_or(|last| unit < *last) => units.push(unit),
            // 12h59m58
            Counts::Unknown if units.last() == Some(&60) && column.fits(1..=2, 0..=59) => units.push(1),
            _ => break,
        }
    }
    let bare = |n: usize| {
        let parts = columns.get(..n)?;
        let digits = if dated { 1..=2 } else { 2..=2 };
        let within = parts.iter().zip([23, 59, 59]).all(|(c, most)| c.fits(digits.clone(), 0..=most));
        let close = parts[1..].iter().all(|c| c.before.chars().count() == 1);
        let beyond_hours = parts[1..].iter().any(|c| c.values.iter().any(|v| *v > 23));
        (within && close && (dated || (n == 3 && beyond_hours))).then(|| [3600, 60, 1][..n].to_vec())
    };
    if units.is_empty() {
        units = bare(3).or_else(|| bare(2)).unwrap_or_default();
    }
    if units.is_empty() {
        // 125958 or 1259 behind a date.
        let column = columns.first().filter(|_| dated)?;
        // 0007, 0008 are a counter.
        let short = column.fits(4..=4, 0..=2359) && column.values.iter().any(|value| *value > 99);
        let one = |value: &u64| seconds_of_clock(if short { value * 100 } else { *value });
        let right = short || column.fits(6..=6, 0..=235_959);
        return right.then(|| column.values.iter().map(one).collect::<Option<_>>()).flatten().map(|t| (1, t));
    }
    let sum = |at: usize| {
        let parts = columns.iter().zip(&units);
        parts.fold(0u64, |sum, (c, unit)| sum.saturating_add(unit.saturating_mul(c.values[at])))
    };
    Some((units.len(), (0..columns[0].values.len()).map(sum).collect()))
}

/// Times in their order as multiples of the step between them, counted from the first, and the step in words. The clock
/// of a camera may be a twentieth of a step early or late.
pub(super) fn steps(sorted: &[u64]) -> (Vec<u64>, String) {
    let mut lengths: Vec<u64> = sorted.windows(2).map(|w| w[1] - w[0]).filter(|step| *step > 0).collect();
    lengths.sort_unstable();
    let usual = lengths.get(lengths.len().saturating_sub(1) / 2).copied().unwrap_or(1);
    let near = |step: &u64| {
        let multiple = *step as f64 / usual as f64;
        multiple > 0.5 && (multiple - multiple.round()).abs() <= 0.05
    };
    let step = if lengths.iter().all(near) { usual } else { step_of(sorted) };
    let mut frames = vec![0u64; sorted.len()];
    for (at, pair) in sorted.windows(2).enumerate() {
        // Step by step, so that small errors do not add up.
        frames[at + 1] = frames[at] + ((pair[1] - pair[0]) as f64 / step.max(1) as f64).round() as u64;
    }
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let (unit, word) = units.into_iter().find(|(unit, _)| step % unit == 0).unwrap_or((1, "s"));
    (frames, format!("{} {word}", step / unit))
}

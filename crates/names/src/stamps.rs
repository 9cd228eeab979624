//! Decides what dates and clock times in the names of a folder's pictures are, such as 2024-01-31_12-59-58 or 00d03h30m.
//!
//! Names have a reading where all of them can be read so (see `calendar`). One that is sure, with a year of four digits or
//! with units, is taken. Of several that put the pictures at different times, a mere count among them, one is taken where
//! it alone has all pictures equally far apart, and said; else they are refused.

use crate::calendar::{Reading, Unit, readings};
use crate::date_words::{DateWords, Mark};
use crate::numbered::{Column, Counts};
use glauber_files::Refusal;
use glauber_files::error::quoted;

/// What to do about names that say no one time.
const REMEDY: &str =
    "name the pictures with the year first, as 2024-01-31 or 2024-01-31_23-59, or number them in their order";

/// Puts one column, of the numbers of times, in place of those of a date and clock time, where the names have them.
///
/// # Errors
/// If there is more than one way to read them.
pub(crate) fn read_stamps(
    names: &[&str],
    columns: &mut Vec<Column>,
    words: &DateWords,
    notes: &mut Vec<String>,
) -> Result<(), Refusal> {
    check_mixed(columns)?;
    let Some((at, all)) = found(columns) else {
        return match words.days_of_week || columns.iter().any(|column| column.mark != Mark::Digits) {
            true => Err(unclear(
                names,
                "have days of the week, months, am or pm that are no dates or clock times",
            )),
            false => Ok(()),
        };
    };
    let (length, wide) = (all[0].length, columns.len());
    let (reading, counted, others) = decided(&all, names)?;
    let (mut frames, apart) = counted;
    if reading.what == COUNT {
        if !others.is_empty() {
            notes.push(format!(
                "the numbers in the names were taken for a count, not for {}",
                others.join(" or ")
            ));
        }
        return Ok(());
    }
    let not = if others.is_empty() { String::new() } else { format!(", not for {}", others.join(" or ")) };
    // Days, hours, minutes or seconds alone are counted, as numbers without a unit are.
    let by = match columns[at].counts {
        Counts::Clock(unit) if length == 1 => units_a_frame(&reading.times, &frames, unit),
        _ => 1,
    };
    frames.iter_mut().for_each(|frame| *frame *= by);
    let texts = columns[at].texts.clone();
    let stamp = Column {
        counts: Counts::Stamp,
        values: frames,
        texts,
        before: columns[at].before.clone(),
        after: columns[at + length - 1].after.clone(),
        mark: Mark::Digits,
    };
    if stamp.distinct().len() > 1 {
        // Other ways to read them that come to the same frames.
        let mut same: Vec<&str> = all.iter().map(|reading| reading.what.as_str()).collect();
        same.retain(|what| *what != reading.what && !others.iter().any(|other| other == what));
        same.dedup();
        let each = if by == 1 { ", each taken for one frame" } else { "" };
        notes.push(match same.is_empty() {
            true => format!("the names were taken for {}{not}, steps of {apart}{each}", reading.what),
            false => {
                let same = same.join(" or ");
                format!(
                    "the names were taken for {}{not}; as {same} they would be the same frames",
                    reading.what
                )
            }
        });
    }
    columns.splice(at..(at + length).min(wide), [stamp]);
    Ok(())
}

const COUNT: &str = "a count";

/// How many units of so many seconds the names go up by from frame to frame.
fn units_a_frame(times: &[u64], frames: &[u64], unit: u64) -> u64 {
    let span = |all: &[u64]| {
        let (least, most) = (all.iter().min(), all.iter().max());
        most.zip(least).map_or(0, |(most, least)| most - least) as f64
    };
    (span(times) / span(frames).max(1.0) / unit as f64).round().max(1.0) as u64
}

/// The place of the first date or clock time, and its readings.
fn found(columns: &[Column]) -> Option<(usize, Vec<Reading>)> {
    let varies = |column: &Column| column.distinct().len() > 1;
    let marked =
        |column: &Column| matches!(column.counts, Counts::Channel | Counts::Slice | Counts::Position);
    let mut units = None;
    for at in 0..columns.len() {
        let rest = &columns[at..];
        let mut all = readings(rest);
        // What is not sure must be all that changes; and a frame's number is its number.
        let alone = |reading: &Reading| {
            let inside = at..at + reading.length;
            let others = (0..columns.len()).filter(|place| !inside.contains(place));
            let counter =
                |place: usize| columns[place].counts == Counts::Time && reading.unit != Unit::Number;
            inside.clone().any(|place| varies(&columns[place]))
                && others.into_iter().all(|place| !varies(&columns[place]) || marked(&columns[place]))
                && !(inside.len() == 1 && counter(at))
        };
        let sure = all.iter().any(|reading| reading.sure);
        all.retain(|reading| if sure { reading.sure } else { alone(reading) });
        let longest = all.iter().map(|reading| reading.length).max();
        if let Some(longest) = longest {
            all.retain(|reading| reading.length == longest);
            let table = longest > 1 && !sure && is_table(&columns[at..at + longest]);
            if table {
                all.retain(Reading::is_even);
            }
            if longest == 1 && !sure && rest[0].mark == Mark::Digits {
                all.push(count(&rest[0]));
            }
            let clock =
                clock_of(&rest[longest..], true).filter(|_| all.iter().all(|reading| reading.is_date));
            if let Some((length, seconds)) = clock {
                all = readings_with(rest, longest, length, &seconds);
            }
            if !all.is_empty() {
                return Some((at, all));
            }
        }
        units = units.or_else(|| Some((at, clock_of(rest, false)?)));
    }
    let (at, (length, times)) = units?;
    let what = match (length, columns[at].counts) {
        (1, Counts::Clock(86_400)) => "days",
        (1, Counts::Clock(3_600)) => "hours",
        (1, Counts::Clock(60)) => "minutes",
        (1, Counts::Clock(1)) => "seconds",
        _ => "clock times",
    };
    let what = what.to_owned();
    let reading = Reading { what, length, times, unit: Unit::Second, sure: true, is_date: false, days: None };
    let mut all = vec![reading];
    let hours = columns[at].values.iter().all(|hour| *hour < 24) && columns[at].counts == Counts::Clock(3600);
    if let Some(times) = all[0].across_midnight().filter(|_| hours) {
        all.push(Reading { what: "clock times across midnight".to_owned(), times, ..all[0].clone() });
    }
    Some((at, all))
}

/// Dates with the clock time behind them.
fn readings_with(columns: &[Column], length: usize, clock: usize, seconds: &[u64]) -> Vec<Reading> {
    let dated = |reading: Reading| {
        let days = reading.days?;
        let times = days.iter().zip(seconds).map(|(day, clock)| day + clock).collect();
        Some(Reading { times, length: length + clock, unit: Unit::Second, days: None, ..reading })
    };
    let all = readings(columns).into_iter().filter(|reading| reading.length == length && reading.is_date);
    let sure: Vec<Reading> = all.collect();
    let any = sure.iter().any(|reading| reading.sure);
    sure.into_iter().filter(|reading| reading.sure || !any).filter_map(dated).collect()
}

fn count(column: &Column) -> Reading {
    let (what, times) = (COUNT.to_owned(), column.values.clone());
    Reading { what, length: 1, times, unit: Unit::Number, sure: false, is_date: false, days: None }
}

/// Whether the numbers are a table: all of the first with all of the second, and so on, as those of several series are.
fn is_table(columns: &[Column]) -> bool {
    let changing: Vec<usize> =
        columns.iter().map(|c| c.distinct().len()).filter(|count| *count > 1).collect();
    let names = columns[0].values.len();
    changing.len() > 1 && changing.iter().copied().fold(1, usize::saturating_mul) == names
}

type Frames = (Vec<u64>, String);

/// The one reading of several, with its frames, and what the others are that would put the pictures elsewhere.
fn decided<'a>(all: &'a [Reading], names: &[&str]) -> Result<(&'a Reading, Frames, Vec<String>), Refusal> {
    let counted: Vec<Frames> = all.iter().map(Reading::frames).collect();
    let even: Vec<usize> = (0..all.len()).filter(|&at| all[at].is_even()).collect();
    let agree = |places: &[usize]| places.windows(2).all(|pair| counted[pair[0]].0 == counted[pair[1]].0);
    let every: Vec<usize> = (0..all.len()).collect();
    // What is a count as well is one.
    let first = |places: &[usize]| {
        let count = places.iter().find(|at| all[**at].what == COUNT);
        count.or(places.first()).copied()
    };
    let chosen = match (agree(&every), first(&even)) {
        (true, _) => first(&every).unwrap_or(0),
        (false, Some(first)) if agree(&even) => first,
        _ => {
            let mut words: Vec<&str> = all.iter().map(|reading| reading.what.as_str()).collect();
            words.dedup();
            return Err(unclear(
                names,
                &format!("can be read as {}, in different times", words.join(" or ")),
            ));
        }
    };
    let other = |at: &usize| counted[*at].0 != counted[chosen].0;
    let mut others: Vec<String> =
        every.iter().filter(|at| other(at)).map(|at| all[*at].what.clone()).collect();
    others.dedup();
    Ok((&all[chosen], counted[chosen].clone(), others))
}

fn unclear(names: &[&str], why: &str) -> Refusal {
    let shown: Vec<String> = names.iter().take(2).map(|name| quoted(name)).collect();
    Refusal::unsupported(format!("holds names, such as {}, that {why}", shown.join(" and ")), REMEDY)
}

/// Refuses dates that are read some with the day first and some with the month first.
fn check_mixed(columns: &[Column]) -> Result<(), Refusal> {
    let mixed = columns.windows(3).find(|window| {
        let close = |column: &Column| column.before.chars().count() == 1;
        let small = |column: &Column| column.fits(1..=2, 1..=31);
        let dates = close(&window[1]) && close(&window[2]) && window[2].fits(4..=4, 1900..=2100);
        let (first, second) = (&window[0].values, &window[1].values);
        let either = first.iter().zip(second).all(|(a, b)| *a <= 12 || *b <= 12);
        let above = |values: &[u64]| values.iter().any(|value| *value > 12);
        dates && small(&window[0]) && small(&window[1]) && either && above(first) && above(second)
    });
    let Some([a, b, c]) = mixed.and_then(|window| <&[Column; 3]>::try_from(window).ok()) else {
        return Ok(());
    };
    let shown = format!("{}{}{}{}{}", a.texts[0], b.before, b.texts[0], c.before, c.texts[0]);
    Err(Refusal::unsupported(
        format!(
            "holds dates in its names, such as {}, that are read some with the day first and some with the month first",
            quoted(&shown)
        ),
        REMEDY,
    ))
}

/// The numbers that are a clock time with units, or one behind a date; how many, and its seconds.
fn clock_of(columns: &[Column], dated: bool) -> Option<(usize, Vec<u64>)> {
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
        let parts = columns.get(..n).filter(|_| dated)?;
        let within = parts.iter().zip([23, 59, 59]).all(|(c, most)| c.fits(1..=2, 0..=most));
        let close = parts[1..].iter().all(|c| c.before.chars().count() == 1);
        (within && close).then(|| [3600, 60, 1][..n].to_vec())
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

/// Seconds of 125958; none where it is no time of a day.
fn seconds_of_clock(digits: u64) -> Option<u64> {
    let (hour, minute, second) = (digits / 10_000, digits / 100 % 100, digits % 100);
    (hour < 24 && minute < 60 && second < 60).then_some(3600 * hour + 60 * minute + second)
}

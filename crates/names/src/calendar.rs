//! Lists what dates and clock times the numbers of a folder's names can be read as.
//!
//! A format is a list of parts, such as day, month, year. It is a reading where every name's numbers are such parts of a
//! day that there is. Numbers stand one behind the other (31-01-2024) or are written together (31012024).

use crate::date_words::Mark;
use crate::numbered::{Column, Counts, step_of};
use Part::{Day, DayOfYear, Half, Hour, Minute, Month, Quarter, Second, ShortYear, Week, WeekDay, Year};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// Years that are taken for years, and for those of two digits.
const YEARS: RangeInclusive<u64> = 1900..=2100;
const SHORT_YEARS: RangeInclusive<u64> = 1980..=2039;
const DAY: u64 = 86_400;

/// A part of a date or clock time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Year,
    /// A year by its last two digits.
    ShortYear,
    Month,
    Day,
    DayOfYear,
    Quarter,
    Week,
    WeekDay,
    Hour,
    Minute,
    Second,
    /// The hours that am or pm adds.
    Half,
}

/// Parts with what they are together, in words.
type Format = (&'static [Part], &'static str);

const DAY_FIRST: &str = "dates with the day first";
const MONTH_FIRST: &str = "dates with the month first";
const YEAR_FIRST: &str = "dates with the year first";
const MONTHS: &str = "months";
const CLOCK: &str = "clock times";

/// Numbers of their own.
const APART: &[Format] = &[
    (&[Year, Month, Day], YEAR_FIRST),
    (&[Day, Month, Year], DAY_FIRST),
    (&[Month, Day, Year], MONTH_FIRST),
    (&[ShortYear, Month, Day], YEAR_FIRST),
    (&[Day, Month, ShortYear], DAY_FIRST),
    (&[Month, Day, ShortYear], MONTH_FIRST),
    (&[Year, Week, WeekDay], "weeks"),
    (&[Hour, Minute, Second, Half], CLOCK),
    (&[Hour, Minute, Second], CLOCK),
    (&[Hour, Minute, Half], CLOCK),
    (&[Year, Month], MONTHS),
    (&[Month, Year], MONTHS),
    (&[Year, DayOfYear], "days of a year"),
    (&[Year, Week], "weeks"),
    (&[Year, Quarter], "quarters"),
    (&[Quarter, Year], "quarters"),
    (&[Day, Month], DAY_FIRST),
    (&[Month, Day], MONTH_FIRST),
    (&[Month, ShortYear], MONTHS),
    (&[Hour, Minute], CLOCK),
    (&[Hour, Half], CLOCK),
    (&[Month], MONTHS),
];

/// Numbers written together, two digits for each part but the year and the day of a year.
const TOGETHER: &[Format] = &[
    (&[Year, Month, Day, Hour, Minute, Second], YEAR_FIRST),
    (&[Year, Month, Day, Hour, Minute], YEAR_FIRST),
    (&[Year, Month, Day], YEAR_FIRST),
    (&[Day, Month, Year], DAY_FIRST),
    (&[Month, Day, Year], MONTH_FIRST),
    (&[Year, DayOfYear], "days of a year"),
    (&[ShortYear, Month, Day], YEAR_FIRST),
    (&[Day, Month, ShortYear], DAY_FIRST),
    (&[Month, Day, ShortYear], MONTH_FIRST),
    (&[Year, Month], MONTHS),
    (&[Month, Year], MONTHS),
    (&[Hour, Minute, Second], CLOCK),
    (&[Day, Month], DAY_FIRST),
    (&[Month, Day], MONTH_FIRST),
    (&[Month, ShortYear], MONTHS),
    (&[Hour, Minute], CLOCK),
];

/// What the numbers from one place on are for every name.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// In words, in the plural.
    pub(crate) what: String,
    /// How many numbers of a name it takes.
    pub(crate) length: usize,
    /// The time of each name, in seconds or months, or a number.
    pub(crate) times: Vec<u64>,
    /// What the times are in.
    pub(crate) unit: Unit,
    /// Whether it can hardly be anything but a time: it has a year of four digits, or units.
    pub(crate) sure: bool,
    /// Whether it ends with the day, so that a clock time may follow.
    pub(crate) is_date: bool,
    /// The seconds at which the days begin, where they are days of a year that is known.
    pub(crate) days: Option<Vec<u64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Second,
    Month,
    Number,
}

/// One name's parts.
#[derive(Clone, Copy, Default)]
struct Moment {
    year: Option<u64>,
    month: Option<u64>,
    day: Option<u64>,
    day_of_year: Option<u64>,
    week: Option<u64>,
    clock: u64,
}

/// The readings of the first of these numbers as dates and clock times.
pub(crate) fn readings(columns: &[Column]) -> Vec<Reading> {
    let apart = APART.iter().filter_map(|(parts, what)| {
        let window = columns.get(..parts.len())?;
        let close = |column: &Column| {
            let between = column.before.as_str();
            between.chars().count() <= 2 && !between.chars().any(|c| c.is_alphanumeric())
        };
        let marked = |(column, part): (&Column, &Part)| close(column) || matches!(part, Week | Quarter);
        let fits = window.iter().zip(*parts).all(|(column, part)| part.accepts(column))
            && window.iter().zip(*parts).skip(1).all(marked);
        // 1_2 and 9-15 are hardly dates and clock times.
        let two =
            |column: &Column| column.mark != Mark::Digits || column.texts.iter().all(|text| text.len() == 2);
        let word = window.iter().any(|column| column.mark != Mark::Digits);
        let points = window.iter().skip(1).all(|column| column.before == ".") && parts.first() != Some(&Hour);
        let whole = parts.contains(&Year) || word || (parts.len() > 1 && (points || window.iter().all(two)));
        let value = |name: usize, at: usize| Some(window[at].values[name]);
        (fits && whole).then(|| of_format(parts, what, parts.len(), names_of(columns), &value))
    });
    let together = TOGETHER.iter().filter_map(|(parts, what)| {
        let column = columns.first()?;
        let digits = parts.iter().map(|part| part.digits()).sum();
        let marked = parts.contains(&Year) && parts.contains(&Day) && column.counts != Counts::Stamp;
        let written = column.mark == Mark::Digits && column.texts.iter().all(|text| text.len() == digits);
        if !(column.fits(digits..=digits, 0..=u64::MAX) || (marked && written)) {
            return None;
        }
        let value = |name: usize, at: usize| {
            let from: usize = parts[..at].iter().map(|part| part.digits()).sum();
            let text = column.texts[name].get(from..from + parts[at].digits())?;
            text.parse().ok().filter(|value| parts[at].range().contains(value))
        };
        Some(of_format(parts, what, 1, names_of(columns), &value))
    });
    // 1000am
    let half = columns.get(..2).and_then(|window| {
        let fits = window[0].fits(3..=4, 100..=1259) && window[1].mark == Mark::HalfDay;
        let value = |name: usize, at: usize| {
            let digits = window[0].values[name];
            let value = [digits / 100, digits % 100, window[1].values[name]][at];
            [1..=12, 0..=59, 0..=12][at].contains(&value).then_some(value)
        };
        fits.then(|| of_format(&[Hour, Minute, Half], CLOCK, 2, names_of(columns), &value))
    });
    apart
        .chain(together)
        .chain(half)
        .flatten()
        .chain(decimals(columns))
        .chain(days_of_year(columns))
        .collect()
}

fn names_of(columns: &[Column]) -> usize {
    columns.first().map_or(0, |column| column.values.len())
}

/// Two numbers with a point between them, the second always of as many digits.
fn decimals(columns: &[Column]) -> Option<Reading> {
    let [whole, part] = columns.get(..2)? else { return None };
    let digits = part.texts.first()?.len();
    let plain = |column: &Column| column.mark == Mark::Digits && column.counts != Counts::Stamp;
    let fits = part.before == "."
        && !part.after.starts_with('.')
        && plain(whole)
        && part.fits(digits..=digits, 0..=u64::MAX)
        && digits <= 9;
    let power = 10u64.pow(digits.min(9) as u32);
    let times = whole.values.iter().zip(&part.values);
    let times = times.map(|(whole, part)| whole.saturating_mul(power).saturating_add(*part)).collect();
    fits.then(|| Reading {
        what: "numbers with a decimal point".to_owned(),
        length: 2,
        times,
        unit: Unit::Number,
        sure: false,
        is_date: false,
        days: None,
    })
}

impl Part {
    fn digits(self) -> usize {
        match self {
            Year => 4,
            DayOfYear => 3,
            _ => 2,
        }
    }

    fn range(self) -> RangeInclusive<u64> {
        match self {
            Year => YEARS,
            ShortYear => 0..=99,
            Month => 1..=12,
            Day => 1..=31,
            DayOfYear => 1..=366,
            Quarter => 1..=4,
            Week => 1..=53,
            WeekDay => 1..=7,
            Hour => 0..=23,
            Minute | Second => 0..=59,
            Half => 0..=12,
        }
    }

    fn accepts(self, column: &Column) -> bool {
        let behind = |words: &[&str]| {
            let letters = column.before.trim_start_matches(|c: char| !c.is_alphabetic()).to_lowercase();
            words.contains(&letters.as_str())
        };
        let all = |digits: RangeInclusive<usize>| {
            column.mark == Mark::Digits
                && column.counts != Counts::Stamp
                && column.texts.iter().all(|text| digits.contains(&text.len()))
                && column.values.iter().all(|value| self.range().contains(value))
        };
        match self {
            Month if column.mark == Mark::Month => true,
            Half => column.mark == Mark::HalfDay,
            Month | Day => column.fits(1..=2, self.range()),
            Hour => column.fits(1..=2, self.range()) && column.counts == Counts::Unknown,
            // p_2024-05-01 is no position.
            Year => all(4..=4),
            Week => all(2..=2) && behind(&["w", "kw", "week", "cw"]),
            Quarter => all(1..=1) && behind(&["q"]),
            WeekDay => column.fits(1..=1, self.range()),
            _ => column.fits(self.digits()..=self.digits(), self.range()),
        }
    }
}

/// The readings of all names in a format: more than one where the year is not said, or the day of clock times.
fn of_format(
    parts: &[Part],
    what: &str,
    length: usize,
    names: usize,
    value: &dyn Fn(usize, usize) -> Option<u64>,
) -> Vec<Reading> {
    let moment = |name: usize| {
        let values: Option<Vec<u64>> = (0..parts.len()).map(|at| value(name, at)).collect();
        Moment::of(parts, &values?)
    };
    let Some(moments) = (0..names).map(moment).collect::<Option<Vec<Moment>>>() else { return Vec::new() };
    // Years of two digits that jump about are days.
    let years = || moments.iter().filter_map(|moment| moment.year);
    if parts.contains(&ShortYear)
        && years().max().zip(years().min()).is_some_and(|(last, first)| last - first > 20)
    {
        return Vec::new();
    }
    let clock = parts.first() == Some(&Hour);
    let dated = parts.contains(&Day) || parts.contains(&DayOfYear);
    let sure = (parts.contains(&Year) && dated) || parts.contains(&Half);
    let is_date = !parts.contains(&Hour) && parts.iter().any(|part| matches!(part, Day | DayOfYear));
    let days: Option<Vec<u64>> = moments.iter().map(|moment| Moment { clock: 0, ..*moment }.time()).collect();
    let reading = |what: &str, times: Vec<u64>, unit: Unit| Reading {
        what: what.to_owned(),
        length,
        times,
        unit,
        sure,
        is_date,
        days: days.clone().filter(|_| is_date),
    };
    if clock {
        let times: Vec<u64> = moments.iter().map(|moment| moment.clock).collect();
        let across =
            across(&times, DAY).map(|times| reading("clock times across midnight", times, Unit::Second));
        return std::iter::once(reading(what, times, Unit::Second)).chain(across).collect();
    }
    if moments.iter().all(|moment| moment.year.is_some()) {
        let times = moments.iter().map(|moment| moment.time());
        let seconds: Option<Vec<u64>> = times.collect();
        return seconds
            .map(|seconds| match months(&moments) {
                Some(months) if !parts.contains(&Hour) => reading(what, months, Unit::Month),
                _ => reading(what, seconds, Unit::Second),
            })
            .into_iter()
            .collect();
    }
    // Without a year: any year, with or without the 29th of February, from January on or across its end.
    let mut all = Vec::new();
    for year in [2001, 2004] {
        let of_year = |year: u64| {
            let dated: Vec<Moment> = moments.iter().map(|m| Moment { year: Some(year), ..*m }).collect();
            let seconds: Option<Vec<u64>> = dated.iter().map(Moment::time).collect();
            seconds.map(|seconds| match months(&dated) {
                Some(months) => (months, Unit::Month, 12),
                None => (seconds, Unit::Second, if year == 2004 { 366 * DAY } else { 365 * DAY }),
            })
        };
        let Some((times, unit, period)) = of_year(year) else { continue };
        if let Some(across) = across(&times, period) {
            all.push(reading(&format!("{what}, across the end of a year"), across, unit));
        }
        all.push(reading(what, times, unit));
    }
    all
}

/// The same times where those before the largest gap belong to the next period: nothing where they are as close together as
/// they stand. A whole period that lacks one of its times is one that begins where periods do.
fn across(times: &[u64], period: u64) -> Option<Vec<u64>> {
    let sorted: Vec<u64> = times.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let mut lengths: Vec<u64> = sorted.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let around = period.checked_sub(sorted.last()? - sorted.first()?)?;
    let largest = *lengths.iter().max()?;
    let before = sorted[lengths.iter().position(|length| *length == largest)?];
    lengths.sort_unstable();
    let usual = lengths[(lengths.len() - 1) / 2];
    let is_whole = around <= usual && largest <= 2 * usual;
    (largest > around && !is_whole)
        .then(|| times.iter().map(|time| if *time <= before { time + period } else { *time }).collect())
}

/// Days of a year without the year, where they pass its end: 364, 365, 001. Others are in the order of their numbers.
fn days_of_year(columns: &[Column]) -> Vec<Reading> {
    /// Within so many usual steps the end of the year is passed.
    const NEAR: u64 = 4;
    let Some(column) = columns.first().filter(|column| column.fits(3..=3, 1..=366)) else {
        return Vec::new();
    };
    let days = column.distinct();
    let mut lengths: Vec<u64> = days.iter().zip(days.iter().skip(1)).map(|(a, b)| b - a).collect();
    lengths.sort_unstable();
    let (Some(usual), Some(first), Some(last)) =
        (lengths.get(lengths.len().saturating_sub(1) / 2), days.first(), days.last())
    else {
        return Vec::new();
    };
    let of_year = |length: u64| {
        let around = (first + length).checked_sub(*last)?;
        let times = across(&column.values, length).filter(|_| around <= NEAR * usual && around > 0)?;
        Some(Reading {
            what: "days of a year, across its end".to_owned(),
            length: 1,
            times: times.into_iter().map(|day| day * DAY).collect(),
            unit: Unit::Second,
            sure: false,
            is_date: false,
            days: None,
        })
    };
    [365, 366].into_iter().filter_map(of_year).collect()
}

/// Months counted from the year 0, where all names say one day of the month, or the last, or none.
fn months(moments: &[Moment]) -> Option<Vec<u64>> {
    let first = moments.first()?;
    let same = moments.iter().all(|moment| moment.day == first.day);
    let last = |moment: &Moment| {
        let (year, month, day) = (moment.year?, moment.month?, moment.day?);
        Some(day == days_in(year, month))
    };
    let wanted = same || moments.iter().all(|moment| last(moment) == Some(true));
    if !wanted {
        return None;
    }
    moments.iter().map(|moment| Some(12 * moment.year? + moment.month? - 1)).collect()
}

impl Moment {
    fn of(parts: &[Part], values: &[u64]) -> Option<Moment> {
        let mut moment = Moment::default();
        let (mut hour, mut half) = (0, None);
        for (part, value) in parts.iter().zip(values.iter().copied()) {
            match part {
                Year => moment.year = Some(value),
                ShortYear => {
                    let year = if value < 60 { 2000 + value } else { 1900 + value };
                    moment.year = Some(year).filter(|year| SHORT_YEARS.contains(year));
                    moment.year?;
                }
                Month => moment.month = Some(value),
                Quarter => moment.month = Some(3 * value - 2),
                Day => moment.day = Some(value),
                DayOfYear => moment.day_of_year = Some(value),
                Week => moment.week = Some(7 * (value - 1)),
                WeekDay => moment.week = moment.week.map(|days| days + value - 1),
                Hour => hour = value,
                Minute => moment.clock += 60 * value,
                Second => moment.clock += value,
                Half => half = Some(value),
            }
        }
        if let Some(half) = half {
            hour = Some(hour).filter(|hour| (1..=12).contains(hour))? % 12 + half;
        }
        moment.clock += 3600 * hour;
        Some(moment)
    }

    /// Seconds from the year 0; none where there is no such day.
    fn time(&self) -> Option<u64> {
        let year = self.year?;
        let day = match (self.day_of_year, self.week) {
            (Some(day), _) => {
                let days = if days_in(year, 2) == 29 { 366 } else { 365 };
                seconds_of_date(year, 1, 1) + (Some(day).filter(|day| *day <= days)? - 1) * DAY
            }
            // Week 1 is that of the 4th of January; weeks begin on Monday (ISO 8601).
            (None, Some(days)) => {
                let fourth = seconds_of_date(year, 1, 4) / DAY;
                (fourth - (fourth + MONDAY) % 7 + days) * DAY
            }
            (None, None) => {
                let (month, day) = (self.month?, self.day.unwrap_or(1));
                let there = day <= days_in(year, month);
                there.then(|| seconds_of_date(year, month, day))?
            }
        };
        Some(day + self.clock)
    }
}

/// What is added to a count of days so that Mondays are multiples of 7.
const MONDAY: u64 = 1;

fn days_in(year: u64, month: u64) -> u64 {
    let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Seconds from the year 0 to a day, by the Gregorian calendar; years begin with March, so that February's end is theirs.
fn seconds_of_date(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    (365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day) * DAY
}

impl Reading {
    /// The same clock times where the early ones are those of the next day.
    pub(crate) fn across_midnight(&self) -> Option<Vec<u64>> {
        across(&self.times, DAY)
    }

    /// The number of each name's time among evenly spaced ones, counted from the first, and the step in words. The clock of
    /// a camera may be a twentieth of a step early or late.
    pub(crate) fn frames(&self) -> (Vec<u64>, String) {
        let sorted: Vec<u64> = self.times.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let mut lengths: Vec<u64> = sorted.windows(2).map(|w| w[1] - w[0]).collect();
        lengths.sort_unstable();
        let usual = lengths.get(lengths.len().saturating_sub(1) / 2).copied().unwrap_or(1);
        let near = |step: &u64| {
            let multiple = *step as f64 / usual as f64;
            multiple > 0.5 && (multiple - multiple.round()).abs() <= 0.05
        };
        // Days and months are not late.
        let exact = self.unit != Unit::Second || sorted.iter().all(|time| time.is_multiple_of(DAY));
        let step = if !exact && lengths.iter().all(near) { usual } else { step_of(&sorted) }.max(1);
        let mut counted = vec![0u64; sorted.len()];
        for (at, pair) in sorted.windows(2).enumerate() {
            // Step by step, so that small errors do not add up.
            counted[at + 1] = counted[at] + ((pair[1] - pair[0]) as f64 / step as f64).round() as u64;
        }
        let frame = |time: &u64| sorted.binary_search(time).map_or(0, |at| counted[at]);
        (self.times.iter().map(frame).collect(), self.words(step))
    }

    /// Whether there are enough times for their being equally far apart to tell anything, and they are.
    pub(crate) fn is_even(&self) -> bool {
        const FEWEST: usize = 4;
        let sorted: Vec<u64> = self.times.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let steps: BTreeSet<u64> = sorted.windows(2).map(|pair| pair[1] - pair[0]).collect();
        sorted.len() >= FEWEST && steps.len() == 1
    }

    fn words(&self, step: u64) -> String {
        let units: &[(u64, &str)] = match self.unit {
            Unit::Second => &[(DAY, "d"), (3_600, "h"), (60, "min"), (1, "s")],
            Unit::Month => &[(12, "years"), (1, "months")],
            Unit::Number => return format!("{step} in the last digit"),
        };
        let (unit, word) = units.iter().find(|(unit, _)| step.is_multiple_of(*unit)).unwrap_or(&(1, "s"));
        match (step / unit, *word) {
            (1, "months") => "1 month".to_owned(),
            (1, "years") => "1 year".to_owned(),
            (count, word) => format!("{count} {word}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_the_end_of_a_period_begins_after_the_largest_gap() {
        // Eleven hours lie between the last and the first, three around midnight.
        let overnight = [20, 21, 22, 1, 2, 3, 4, 8, 9];
        let right = [20, 21, 22, 25, 26, 27, 28, 32, 33];
        assert_eq!(across(&overnight, 24).unwrap(), right);
        // By day, and all day with one missing.
        assert_eq!(across(&[8, 9, 10, 15, 16], 24), None);
        let all_day: Vec<u64> = (0..24).filter(|hour| *hour != 14).collect();
        assert_eq!(across(&all_day, 24), None);
        assert_eq!(across(&[6, 18], 24), None);
        assert_eq!(across(&[0, 30], 24), None, "no hours of one day");
    }

    #[test]
    fn days_are_counted_by_the_calendar() {
        let days = |year, month, day| seconds_of_date(year, month, day) / DAY;
        assert_eq!(days(2024, 3, 1) - days(2024, 2, 28), 2);
        assert_eq!(days(2023, 3, 1) - days(2023, 2, 28), 1);
        // 2024-01-01 and 2026-11-30 are Mondays.
        for monday in [days(2024, 1, 1), days(2026, 11, 30)] {
            assert_eq!((monday + MONDAY) % 7, 0);
        }
        let week = |year: u64, week: u64| {
            Moment { year: Some(year), week: Some(7 * (week - 1)), ..Moment::default() }.time()
        };
        assert_eq!(week(2026, 49), Some(seconds_of_date(2026, 11, 30)));
        assert_eq!(week(2021, 1), Some(seconds_of_date(2021, 1, 4)));
    }
}

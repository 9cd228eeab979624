//! Cuts the names of a folder's pictures into texts and numbers, says what the numbers count, and finds gaps in them.

use crate::date_words::{DateWords, Mark};
use glauber_files::error::quoted;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// What a number in a name counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counts {
    Time,
    Channel,
    Slice,
    Position,
    /// Days, hours, minutes or seconds, in seconds.
    Clock(u64),
    /// A part of a date or clock time.
    Stamp,
    Unknown,
}

/// A name cut into what is text and what is number: text, number, text, number, …, text.
pub(crate) struct Cut<'a> {
    pub(crate) texts: Vec<String>,
    numbers: Vec<(&'a str, u64, Mark)>,
}

/// Cuts a name; words that are months or halves of a day in all names are numbers too, days of the week are left out.
pub(crate) fn cut<'a>(name: &'a str, words: &DateWords) -> Cut<'a> {
    let (mut texts, mut numbers, mut text) = (Vec::new(), Vec::new(), String::new());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let like = |c: char| match first {
            '0'..='9' => c.is_ascii_digit(),
            _ => c.is_alphabetic() == first.is_alphabetic() && !c.is_ascii_digit(),
        };
        let end = rest.find(|c: char| !like(c)).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end);
        rest = after;
        let number = match first.is_ascii_digit() {
            true => Some((token, token.parse().unwrap_or(u64::MAX), Mark::Digits)),
            false => words.number(token).map(|(value, mark)| (token, value, mark)),
        };
        match number {
            Some(number) => {
                texts.push(std::mem::take(&mut text));
                numbers.push(number);
            }
            None if words.is_day_of_week(token) => {}
            None => text.push_str(token),
        }
    }
    texts.push(text);
    Cut { texts, numbers }
}

/// What the number after one text and before another counts.
fn counts(before: &str, after: &str) -> Counts {
    let letters = |c: &char| c.is_alphabetic();
    let trimmed = before.trim_end_matches(|c: char| !c.is_alphabetic());
    let word: String =
        trimmed.chars().rev().take_while(letters).collect::<Vec<_>>().into_iter().rev().collect();
    let unit: String = after.chars().take_while(letters).collect();
    match word.to_lowercase().as_str() {
        // T12h59m is a clock time.
        "t" | "time" | "c" | "w" | "z" | "p" | "s" if matches!(unit.as_str(), "h" | "d") => {}
        "t" | "tp" | "time" | "timepoint" | "frame" | "step" | "sk" => return Counts::Time,
        "c" | "ch" | "chan" | "channel" | "w" | "wavelength" | "lambda" | "colour" | "color" => {
            return Counts::Channel;
        }
        "z" | "slice" | "plane" | "zstack" | "depth" => return Counts::Slice,
        "p" | "pos" | "position" | "xy" | "s" | "site" | "series" | "scene" | "field" | "fov" | "well"
        | "tile" => {
            return Counts::Position;
        }
        _ => {}
    }
    match unit.to_lowercase().as_str() {
        "d" | "day" | "days" => Counts::Clock(86_400),
        "h" | "hr" | "hours" => Counts::Clock(3_600),
        "m" | "min" | "minutes" => Counts::Clock(60),
        "s" | "sec" | "seconds" => Counts::Clock(1),
        _ => match word.to_lowercase().as_str() {
            "d" | "day" | "days" => Counts::Clock(86_400),
            "h" | "hr" | "hour" | "hours" => Counts::Clock(3_600),
            "min" | "minute" | "minutes" => Counts::Clock(60),
            "sec" | "second" | "seconds" => Counts::Clock(1),
            _ => Counts::Unknown,
        },
    }
}

/// One place where the names have a number.
pub(crate) struct Column {
    pub(crate) counts: Counts,
    pub(crate) values: Vec<u64>,
    pub(crate) texts: Vec<String>,
    /// What stands before it.
    pub(crate) before: String,
    /// What stands behind it.
    pub(crate) after: String,
    /// Digits, or a word that stands for a number.
    pub(crate) mark: Mark,
}

impl Column {
    /// Where it is in the names, in words.
    pub(crate) fn place(&self) -> String {
        match self.before.is_empty() {
            true => "at the beginning".to_owned(),
            false => format!("after {}", quoted(&self.before)),
        }
    }

    pub(crate) fn distinct(&self) -> BTreeSet<u64> {
        self.values.iter().copied().collect()
    }

    /// Whether all its numbers have so many digits and lie in a range.
    pub(crate) fn fits(&self, digits: RangeInclusive<usize>, values: RangeInclusive<u64>) -> bool {
        let counts =
            !matches!(self.counts, Counts::Channel | Counts::Slice | Counts::Position | Counts::Stamp);
        (counts && self.mark == Mark::Digits)
            && self.texts.iter().all(|text| digits.contains(&text.len()))
            && self.values.iter().all(|value| values.contains(value))
    }
}

pub(crate) fn columns_of(names: &[&str], words: &DateWords) -> Vec<Column> {
    let cuts: Vec<Cut<'_>> = names.iter().map(|name| cut(name, words)).collect();
    let Some(first) = cuts.first() else { return Vec::new() };
    let column = |at: usize| Column {
        counts: counts(&first.texts[at], &first.texts[at + 1]),
        values: cuts.iter().map(|c| c.numbers[at].1).collect(),
        texts: cuts.iter().map(|c| c.numbers[at].0.to_string()).collect(),
        before: first.texts[at].clone(),
        after: first.texts[at + 1].clone(),
        mark: first.numbers[at].2,
    };
    (0..first.numbers.len()).map(column).collect()
}

/// The largest number that divides all steps between neighbours in time. 0 where there are fewer than two.
pub fn step_of(frames: &[u64]) -> u64 {
    let common = |a: u64, b: u64| {
        let (mut a, mut b) = (a, b);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    frames.windows(2).map(|w| w[1].abs_diff(w[0])).fold(0, common)
}

/// A sentence on the first gap in the numbers of times of these names, if there is one.
pub fn gap_note(frames: &[u64], names: &[String]) -> Option<String> {
    let step = step_of(frames);
    let gap = frames.windows(2).position(|w| w[1].abs_diff(w[0]) > step)?;
    let name = |at: usize| quoted(names.get(at).map_or("", String::as_str));
    Some(format!("the numbers in the names have gaps, first between {} and {}", name(gap), name(gap + 1)))
}

/// Compares names as a person does: runs of digits as numbers, the rest letter by letter.
///
/// ```
/// use glauber_names::natural_order;
///
/// let mut names = ["t10.png", "t9.png", "t010.png", "a.png"];
/// names.sort_by(|a, b| natural_order(a, b));
/// assert_eq!(names, ["a.png", "t9.png", "t10.png", "t010.png"]);
/// ```
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (Some(l), Some(r)) = (left.chars().next(), right.chars().next()) else {
            // Equal but for zeros in front, or one is the beginning of the other.
            return left.len().cmp(&right.len()).then_with(|| a.len().cmp(&b.len())).then_with(|| a.cmp(b));
        };
        if l.is_ascii_digit() && r.is_ascii_digit() {
            let (x, left_rest) = leading_number(left);
            let (y, right_rest) = leading_number(right);
            // Without zeros in front, the longer number is the larger.
            let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
            if order != Ordering::Equal {
                return order;
            }
            (left, right) = (left_rest, right_rest);
        } else {
            if l != r {
                return l.cmp(&r);
            }
            (left, right) = (&left[l.len_utf8()..], &right[r.len_utf8()..]);
        }
    }
}

/// The digits in front without leading zeros, and what follows them.
fn leading_number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].trim_start_matches('0'), &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_as_numbers() {
        for (a, b) in [
            ("f2", "f10"),
            ("f2a10", "f10a2"),
            ("f99999999999999999999998", "f99999999999999999999999"),
            ("f1", "f01"),
            ("f", "f1"),
            ("a", "b"),
            ("µ1", "µ2"),
        ] {
            assert_eq!(natural_order(a, b), Ordering::Less, "{a} {b}");
            assert_eq!(natural_order(b, a), Ordering::Greater, "{b} {a}");
        }
        assert_eq!(natural_order("f1", "f1"), Ordering::Equal);
    }

    #[test]
    fn gaps_in_numbers_are_noted() {
        let names = ["a", "b", "c"].map(str::to_owned);
        assert!(gap_note(&[1, 2, 4], &names).unwrap_or_default().ends_with("between `b` and `c`"));
        assert!(gap_note(&[1, 2, 3], &names).is_none());
        assert!(gap_note(&[0, 5, 10], &names).is_none());
        assert!(gap_note(&[7], &names).is_none());
        assert_eq!((step_of(&[0, 10, 15]), step_of(&[0, 2, 5]), step_of(&[3])), (5, 1, 0));
    }
}

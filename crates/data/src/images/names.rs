//! Finds time, channel and slice in the names of a folder's pictures.
//!
//! Names are cut into words and numbers: `exp_t00_ch01` is `exp_t#_ch#` with the numbers 00 and 01. What stands before
//! a number says what it counts (`t`, `frame`; `ch`, `w`; `z`, `slice`; `pos`, `xy`), after it `d`, `h`, `m`, `s` make a clock
//! of several numbers. Names that differ in more than one place hold more than one series: which is meant is asked.

use super::choice::{Pick, SeriesChoice};
use super::refusal::Refusal;
use glauber_files::error::quoted;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// The pictures of one series.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arranged {
    /// Places in the list of names: times one after the other, slices within each.
    pub(super) files: Vec<usize>,
    /// How many slices a time has.
    pub(super) slices: usize,
    /// The number of each time, where the names have one.
    pub(super) frames: Option<Vec<u64>>,
    /// What was taken for what.
    pub(super) notes: Vec<String>,
}

/// What a number in a name counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    Time,
    Channel,
    Slice,
    Position,
    /// Days, hours, minutes or seconds, in seconds.
    Clock(u64),
    Unknown,
}

/// A name cut into what is text and what is number: text, number, text, number, …, text.
struct Cut<'a> {
    texts: Vec<&'a str>,
    numbers: Vec<&'a str>,
}

fn cut(name: &str) -> Cut<'_> {
    let (mut texts, mut numbers) = (Vec::new(), Vec::new());
    let mut rest = name;
    loop {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        texts.push(&rest[..text]);
        rest = &rest[text..];
        if rest.is_empty() {
            return Cut { texts, numbers };
        }
        let number = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        numbers.push(&rest[..number]);
        rest = &rest[number..];
    }
}

/// What the number after one text and before another counts.
fn counts(before: &str, after: &str) -> Counts {
    let letters = |c: &char| c.is_alphabetic();
    let trimmed = before.trim_end_matches(|c: char| !c.is_alphabetic());
    let word: String =
        trimmed.chars().rev().take_while(letters).collect::<Vec<_>>().into_iter().rev().collect();
    let unit: String = after.chars().take_while(letters).collect();
    match word.to_lowercase().as_str() {
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
        _ => Counts::Unknown,
    }
}

/// One place where the names have a number.
struct Column {
    counts: Counts,
    values: Vec<u64>,
    texts: Vec<String>,
    /// What stands before it.
    before: String,
}

impl Column {
    fn distinct(&self) -> BTreeSet<u64> {
        self.values.iter().copied().collect()
    }
}

/// The series in a folder's names (without endings), in the order of times.
///
/// # Errors
/// If there are several series and the choice names none of them.
pub(super) fn arrange(names: &[String], choice: &SeriesChoice) -> Result<Arranged, Refusal> {
    let kinds = kinds_of(names);
    let mut notes = Vec::new();
    let (kept, by_word) = match &kinds[..] {
        [_] => ((0..names.len()).collect(), false),
        kinds if kinds.iter().all(|(_, files)| files.len() == 1) => {
            return Ok(alphabetical(names));
        }
        kinds => {
            let (pattern, files) = kind_chosen(kinds, choice)?;
            notes.push(format!("of the folder's pictures those named `{pattern}` were read"));
            (files.clone(), true)
        }
    };
    let choice = if by_word { &SeriesChoice { channel: None, ..choice.clone() } } else { choice };
    let own: Vec<&str> = kept.iter().map(|file| names[*file].as_str()).collect();
    let mut arranged = within_one_kind(&own, choice)?;
    arranged.files.iter_mut().for_each(|file| *file = kept[*file]);
    notes.append(&mut arranged.notes);
    Ok(Arranged { notes, ..arranged })
}

/// Names by their pattern, such as `t#_red`.
fn kinds_of(names: &[String]) -> Vec<(String, Vec<usize>)> {
    let mut kinds: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (file, name) in names.iter().enumerate() {
        kinds.entry(cut(name).texts.join("#")).or_default().push(file);
    }
    kinds.into_iter().collect()
}

fn alphabetical(names: &[String]) -> Arranged {
    let mut files: Vec<usize> = (0..names.len()).collect();
    files.sort_by(|a, b| natural_order(&names[*a], &names[*b]));
    let order: Vec<String> = files.iter().take(3).map(|file| quoted(&names[*file])).collect();
    let more = if names.len() > 3 { " …" } else { "" };
    let notes = vec![format!(
        "the names are not one name with a number: the pictures were read as {}{more}",
        order.join(", ")
    )];
    Arranged { files, slices: 1, frames: None, notes }
}

fn kind_chosen<'a>(
    kinds: &'a [(String, Vec<usize>)],
    choice: &SeriesChoice,
) -> Result<&'a (String, Vec<usize>), Refusal> {
    if let Some(Pick::Name(word)) = &choice.channel {
        let word = word.to_lowercase();
        let whole = |pattern: &str| {
            pattern.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|part| part == word)
        };
        let part = |pattern: &str| pattern.to_lowercase().contains(&word);
        let tests: [&dyn Fn(&str) -> bool; 2] = [&whole, &part];
        for fits in tests {
            let mut found = kinds.iter().filter(|(pattern, _)| fits(pattern));
            if let (Some(kind), None) = (found.next(), found.next()) {
                return Ok(kind);
            }
        }
    }
    let words: Vec<String> = kinds
        .iter()
        .take(6)
        .map(|(pattern, files)| format!("{} ({})", quoted(pattern), files.len()))
        .collect();
    let more = if kinds.len() > 6 { ", …" } else { "" };
    Err(Refusal::unsupported(
        format!(
            "holds pictures named in {} ways: {}{more}; # stands for a number",
            kinds.len(),
            words.join(", ")
        ),
        "give `data.channel = \"WORD\"` with a word that only the wanted ones have, or put them into a folder of their own",
    ))
}

/// Names that differ in their numbers only.
fn within_one_kind(names: &[&str], choice: &SeriesChoice) -> Result<Arranged, Refusal> {
    let mut columns = columns_of(names);
    columns.retain(|column| column.distinct().len() > 1);
    if columns.is_empty() && names.len() > 1 {
        return Err(Refusal::unsupported(
            format!(
                "holds two pictures of the same numbers, such as {} and {}",
                quoted(names[0]),
                quoted(names[1])
            ),
            "give every picture a number of its own, or put one of the two elsewhere",
        ));
    }
    let mut files: Vec<usize> = (0..names.len()).collect();
    let mut notes = Vec::new();
    for (what, key, pick) in
        [(Counts::Channel, "channel", &choice.channel), (Counts::Slice, "slice", &choice.slice)]
    {
        let several = columns.len() > 1 || pick.is_some();
        let Some(at) = columns.iter().position(|column| column.counts == what) else {
            if pick.is_some() && !is_time(pick) && !(what == Counts::Channel && columns.is_empty()) {
                return Err(no_such_axis(key, &columns));
            }
            continue;
        };
        if is_time(pick) || (what == Counts::Slice && (choice.depth.is_some() && pick.is_none() || !several))
        {
            continue;
        }
        let column = columns.remove(at);
        let wanted = picked(&column, key, pick, &columns)?;
        notes.push(format!(
            "{key} {wanted} was read, by the number after {} in the names",
            quoted(&column.before)
        ));
        files.retain(|file| column.values[*file] == wanted);
        columns.retain(|column| files.iter().map(|f| column.values[*f]).collect::<BTreeSet<_>>().len() > 1);
    }
    if let Some(position) = columns.iter().find(|c| c.counts == Counts::Position && columns.len() > 1) {
        return Err(Refusal::unsupported(
            format!(
                "holds {} positions, numbered after {}",
                position.distinct().len(),
                quoted(&position.before)
            ),
            "put the pictures of each position into a folder of their own",
        ));
    }
    let slice = columns.iter().position(|c| c.counts == Counts::Slice).filter(|_| choice.depth.is_some());
    let slice = slice.map(|at| columns.remove(at));
    let order = order_of(&columns, &mut files, &mut notes)?;
    let frames = order.map(|order| files.iter().map(|file| order[*file]).collect::<Vec<u64>>());
    stacked(files, frames, slice.as_ref(), notes)
}

fn columns_of(names: &[&str]) -> Vec<Column> {
    let cuts: Vec<Cut<'_>> = names.iter().map(|name| cut(name)).collect();
    let Some(first) = cuts.first() else { return Vec::new() };
    let column = |at: usize| Column {
        counts: counts(first.texts[at], first.texts[at + 1]),
        values: cuts.iter().map(|c| c.numbers[at].parse().unwrap_or(u64::MAX)).collect(),
        texts: cuts.iter().map(|c| c.numbers[at].to_string()).collect(),
        before: first.texts[at].to_string(),
    };
    (0..first.numbers.len()).map(column).collect()
}

fn is_time(pick: &Option<Pick>) -> bool {
    matches!(pick, Some(Pick::Name(name)) if name == "time")
}

fn no_such_axis(key: &str, columns: &[Column]) -> Refusal {
    let places: Vec<String> = columns.iter().map(|column| quoted(&column.before)).collect();
    let found = match &places[..] {
        [] => "holds names that differ in no number".to_string(),
        places => format!(
            "holds names that differ in the numbers after {}: none of them counts {key}s",
            places.join(", ")
        ),
    };
    Refusal::unsupported(found, format!("leave out `data.{key}`"))
}

/// The number that is picked among those of a column.
fn picked(column: &Column, key: &str, pick: &Option<Pick>, others: &[Column]) -> Result<u64, Refusal> {
    let distinct = column.distinct();
    let known: Vec<String> = distinct.iter().take(8).map(u64::to_string).collect();
    let known = known.join(", ") + if distinct.len() > 8 { ", …" } else { "" };
    let wanted = match pick {
        Some(Pick::Number(number)) => Some(*number as u64),
        Some(Pick::Name(name)) => {
            let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
            digits.parse().ok().filter(|_| {
                column.before.to_lowercase().ends_with(&name[..name.len() - digits.len()].to_lowercase())
            })
        }
        None => None,
    };
    match wanted {
        Some(number) if distinct.contains(&number) => Ok(number),
        Some(_) => Err(Refusal::unsupported(
            format!("has the {key}s {known} after {} in its names", quoted(&column.before)),
            format!("give one of them as `data.{key}`"),
        )),
        None => {
            let along: Vec<String> = others
                .iter()
                .map(|c| format!("{} after {}", c.distinct().len(), quoted(&c.before)))
                .collect();
            let along = if along.is_empty() {
                String::new()
            } else {
                format!(" beside the numbers that differ elsewhere ({})", along.join(", "))
            };
            Err(Refusal::unsupported(
                format!(
                    "holds {} {key}s, by the numbers {known} after {} in its names{along}",
                    distinct.len(),
                    quoted(&column.before)
                ),
                format!("choose one by `data.{key}`, or give `data.{key} = \"time\"` where they are times"),
            ))
        }
    }
}

/// Sorts the files in time; the number of each file's time (by file), where there is one number for it.
fn order_of(
    columns: &[Column],
    files: &mut [usize],
    notes: &mut Vec<String>,
) -> Result<Option<Vec<u64>>, Refusal> {
    let all_clock = columns.iter().all(|c| matches!(c.counts, Counts::Clock(_)));
    let numbers: Option<Vec<u64>> = match columns {
        [] => None,
        [one] => {
            match one.counts {
                Counts::Channel | Counts::Slice | Counts::Position => notes.push(format!(
                    "the numbers after {} in the names were taken for times",
                    quoted(&one.before)
                )),
                _ => {}
            }
            Some(one.values.clone())
        }
        several if all_clock => {
            let seconds = |file: usize| {
                several.iter().fold(0u64, |sum, c| match c.counts {
                    Counts::Clock(unit) => sum.saturating_add(unit.saturating_mul(c.values[file])),
                    _ => sum,
                })
            };
            Some((0..several[0].values.len()).map(seconds).collect())
        }
        several => one_of_several(several, files, notes)?,
    };
    match &numbers {
        Some(numbers) => {
            files.sort_by_key(|file| numbers[*file]);
        }
        None => files.sort_by_key(|file| columns.iter().map(|c| c.values[*file]).collect::<Vec<_>>()),
    }
    Ok(numbers)
}

/// Numbers in several places: the one that tells all files apart is time; if all together do, their order is; if they
/// make a table, there are several series.
fn one_of_several(
    columns: &[Column],
    files: &[usize],
    notes: &mut Vec<String>,
) -> Result<Option<Vec<u64>>, Refusal> {
    let distinct = |column: &Column| files.iter().map(|f| column.values[*f]).collect::<BTreeSet<_>>().len();
    let mut telling: Vec<&Column> = columns.iter().filter(|c| distinct(c) == files.len()).collect();
    telling.sort_by_key(|column| column.counts != Counts::Time);
    if let Some(time) = telling.first() {
        // The others must not contradict it, else they are another order of the same pictures.
        notes.push(format!("the numbers after {} in the names were taken for times", quoted(&time.before)));
        return Ok(Some(time.values.clone()));
    }
    let stamp = columns
        .iter()
        .all(|c| c.counts == Counts::Unknown && c.texts.iter().all(|t| t.len() == 2 || t.len() == 4));
    let table = columns.iter().map(distinct).fold(1, usize::saturating_mul);
    // Year, month, day, hour … have two or four digits each and fill no table, or only a part of one.
    if stamp && (columns.len() > 2 || table != files.len()) {
        notes.push("the names were taken for dates and clock times, and read in their order".to_string());
        return Ok(None);
    }
    let places: Vec<String> =
        columns.iter().map(|c| format!("{} after {}", distinct(c), quoted(&c.before))).collect();
    Err(Refusal::unsupported(
        format!("holds names that differ in several numbers ({}): more than one series", places.join(", ")),
        "put the pictures of one series into a folder of their own, or mark what the numbers count, as t01_ch0",
    ))
}

/// Files with their slices, as many at every time.
fn stacked(
    files: Vec<usize>,
    frames: Option<Vec<u64>>,
    slice: Option<&Column>,
    notes: Vec<String>,
) -> Result<Arranged, Refusal> {
    let twice = |number: u64| {
        Refusal::unsupported(
            format!("holds two pictures of the number {number}"),
            "give every picture a number of its own, or put one of the two elsewhere",
        )
    };
    let Some(slice) = slice else {
        let same = frames.as_deref().and_then(|frames| frames.windows(2).find(|w| w[0] == w[1]));
        return match same {
            Some(same) => Err(twice(same[0])),
            None => Ok(Arranged { files, slices: 1, frames, notes }),
        };
    };
    // One time a group of files; without times all are one group.
    let mut times: BTreeMap<u64, BTreeMap<u64, usize>> = BTreeMap::new();
    for (place, file) in files.iter().enumerate() {
        let time = frames.as_ref().map_or(0, |frames| frames[place]);
        if times.entry(time).or_default().insert(slice.values[*file], *file).is_some() {
            return Err(twice(slice.values[*file]));
        }
    }
    let all = slice.distinct();
    if let Some((time, own)) = times.iter().find(|(_, own)| !own.keys().eq(all.iter())) {
        return Err(Refusal::unsupported(
            format!("has {} of {} slices at time {time}", own.len(), all.len()),
            "give every slice at every time",
        ));
    }
    let frames = frames.map(|_| times.keys().copied().collect());
    let files = times.into_values().flat_map(BTreeMap::into_values).collect();
    Ok(Arranged { files, slices: all.len(), frames, notes })
}

/// Compares names as a person does: runs of digits as numbers, the rest letter by letter.
///
/// ```
/// use glauber_data::images::natural_order;
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
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::path::Path;

    fn names(all: &[&str]) -> Vec<String> {
        all.iter().map(|name| (*name).to_string()).collect()
    }

    fn read(all: &[&str], choice: &SeriesChoice) -> Result<Vec<String>, String> {
        let names = names(all);
        let found =
            arrange(&names, choice).map_err(|refusal| refusal.in_file(Path::new("folder")).to_string())?;
        Ok(found.files.iter().map(|file| names[*file].clone()).collect())
    }

    fn channel(pick: Pick) -> SeriesChoice {
        SeriesChoice { channel: Some(pick), ..SeriesChoice::default() }
    }

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
    fn one_number_is_time() {
        let none = SeriesChoice::default();
        assert_eq!(read(&["t10", "t9", "t2"], &none).unwrap(), ["t2", "t9", "t10"]);
        assert_eq!(arrange(&names(&["img5", "img10"]), &none).unwrap().frames, Some(vec![5, 10]));
        assert!(read(&["t1", "t01"], &none).unwrap_err().contains("two pictures"));
        let z = arrange(&names(&["a_z1", "a_z2"]), &none).unwrap();
        assert!(z.notes[0].contains("taken for times"), "{:?}", z.notes);
        // A well and a site that never change are no matter.
        assert_eq!(read(&["B02_s1_t2", "B02_s1_t1"], &none).unwrap(), ["B02_s1_t1", "B02_s1_t2"]);
        let clock = ["VID_A1_00d03h30m", "VID_A1_00d00h00m", "VID_A1_01d00h30m"];
        let found = arrange(&names(&clock), &none).unwrap();
        assert_eq!(found.frames, Some(vec![0, 12_600, 88_200]));
        let stamps = ["p_2024-05-01_12-30", "p_2024-05-01_12-00", "p_2024-05-02_09-30"];
        assert_eq!(read(&stamps, &none).unwrap()[0], "p_2024-05-01_12-00");
    }

    #[test]
    fn several_channels_are_asked_for_and_obeyed() {
        let none = SeriesChoice::default();
        for all in [
            vec!["exp_t00_ch00", "exp_t00_ch01", "exp_t01_ch00", "exp_t01_ch01"],
            vec!["c1t01", "c1t02", "c2t01", "c2t02"],
            vec!["img_w1_t1", "img_w2_t1", "img_w1_t2", "img_w2_t2"],
            vec!["t1_w1DAPI", "t1_w2GFP", "t2_w1DAPI", "t2_w2GFP"],
            vec!["t001_red", "t001_phase", "t002_red", "t002_phase"],
            vec!["img1", "img1_mask", "img2", "img2_mask"],
            vec!["t1_z1", "t1_z2", "t2_z1", "t2_z2"],
            vec!["xy1_t1", "xy1_t2", "xy2_t1", "xy2_t2"],
            vec!["img_001_01", "img_001_02", "img_002_01", "img_002_02"],
            vec!["img_000000_ch0", "img_000001_ch1", "img_000002_ch0"],
            vec!["a_ch0", "a_ch1"],
            vec!["t1", "t2", "t3", "average"],
        ] {
            let error = read(&all, &none).unwrap_err();
            assert!(error.starts_with("folder: ") && error.contains("; "), "{all:?}: {error}");
        }
        let leica = ["exp_t01_ch01", "exp_t00_ch00", "exp_t00_ch01", "exp_t01_ch00"];
        assert_eq!(read(&leica, &channel(Pick::Number(1))).unwrap(), ["exp_t00_ch01", "exp_t01_ch01"]);
        assert_eq!(
            read(&leica, &channel(Pick::Name("ch00".into()))).unwrap(),
            ["exp_t00_ch00", "exp_t01_ch00"]
        );
        assert!(read(&leica, &channel(Pick::Number(7))).unwrap_err().contains("0, 1"));
        let words = ["t001_red", "t001_phase", "t002_red", "t002_phase"];
        assert_eq!(read(&words, &channel(Pick::Name("red".into()))).unwrap(), ["t001_red", "t002_red"]);
        let time = channel(Pick::Name("time".into()));
        assert_eq!(read(&["a_ch0", "a_ch1"], &time).unwrap(), ["a_ch0", "a_ch1"]);
        let slice = SeriesChoice { slice: Some(Pick::Number(2)), ..SeriesChoice::default() };
        assert_eq!(read(&["t1_z1", "t1_z2", "t2_z1", "t2_z2"], &slice).unwrap(), ["t1_z2", "t2_z2"]);
    }

    #[test]
    fn slices_of_a_deep_lattice_lie_within_each_time() {
        let deep = SeriesChoice { depth: Some(2), ..SeriesChoice::default() };
        let found = arrange(&names(&["z1_t1", "z2_t1", "z1_t2", "z2_t2"]), &deep).unwrap();
        assert_eq!((found.files, found.slices, found.frames), (vec![0, 1, 2, 3], 2, Some(vec![1, 2])));
        assert!(read(&["z1_t1", "z2_t1", "z1_t2"], &deep).unwrap_err().contains("1 of 2 slices"));
    }

    #[test]
    fn names_without_numbers_are_read_by_the_alphabet_and_said() {
        let found = arrange(&names(&["middle", "early", "late"]), &SeriesChoice::default()).unwrap();
        assert_eq!(found.files, [1, 2, 0]);
        assert!(found.notes[0].contains("early"), "{:?}", found.notes);
    }
}

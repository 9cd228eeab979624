//! Finds time, channel and slice in the names of a folder's pictures.
//!
//! Names are cut into words and numbers: `exp_t00_ch01` is `exp_t#_ch#` with the numbers 00 and 01. What stands before
//! a number says what it counts (`t`, `frame`; `ch`, `w`; `z`, `slice`; `pos`, `xy`); dates and clock times are told by their
//! numbers (see `stamps`). Names that differ elsewhere in more than one place hold more than one series: which is meant
//! is asked.

use crate::choice::{Pick, SeriesChoice};
use crate::date_words::{DateWords, spelled};
use crate::numbered::{Column, Counts, columns_of, cut, natural_order};
use crate::order::order_of;
use crate::stamps::read_stamps;
use glauber_files::Refusal;
use glauber_files::error::quoted;
use std::collections::{BTreeMap, BTreeSet};

/// The pictures of one series.
#[derive(Debug, PartialEq, Eq)]
pub struct Arranged {
    /// Places in the list of names: times one after the other, slices within each.
    pub files: Vec<usize>,
    /// How many slices a time has.
    pub slices: usize,
    /// The number of each time, where the names have one.
    pub frames: Option<Vec<u64>>,
    /// The name of each time's first picture.
    pub names: Vec<String>,
    /// What was taken for what.
    pub notes: Vec<String>,
}

/// The series in a folder's names (without endings), in the order of times.
///
/// # Errors
/// If there are several series and the choice names none of them.
pub fn arrange(names: &[String], choice: &SeriesChoice) -> Result<Arranged, Refusal> {
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let words = DateWords::of(&all);
    let kinds = kinds_of(names, &words);
    let mut notes = Vec::new();
    let (kept, by_word) = match &kinds[..] {
        [_] => ((0..names.len()).collect(), false),
        kinds if kinds.iter().all(|(_, files)| files.len() == 1) => return alphabetical(names),
        kinds => {
            let (pattern, files) = kind_chosen(kinds, choice)?;
            notes.push(format!("of the folder's pictures those named `{pattern}` were read"));
            (files.clone(), true)
        }
    };
    let choice = if by_word { &SeriesChoice { channel: None, ..choice.clone() } } else { choice };
    let own: Vec<&str> = kept.iter().map(|file| names[*file].as_str()).collect();
    let mut arranged = within_one_kind(&own, choice, &words)?;
    arranged.files.iter_mut().for_each(|file| *file = kept[*file]);
    arranged.names =
        arranged.files.iter().step_by(arranged.slices).map(|file| names[*file].clone()).collect();
    notes.append(&mut arranged.notes);
    Ok(Arranged { notes, ..arranged })
}

/// Names by their pattern, such as `t#_red`.
fn kinds_of(names: &[String], words: &DateWords) -> Vec<(String, Vec<usize>)> {
    let mut kinds: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (file, name) in names.iter().enumerate() {
        kinds.entry(cut(name, words).texts.join("#")).or_default().push(file);
    }
    kinds.into_iter().collect()
}

/// Names without a number in common: the alphabet is their order only where they are single letters of it, one after the
/// other.
fn alphabetical(names: &[String]) -> Result<Arranged, Refusal> {
    let mut files: Vec<usize> = (0..names.len()).collect();
    files.sort_by(|a, b| natural_order(&names[*a], &names[*b]));
    let order: Vec<String> = files.iter().take(3).map(|file| quoted(&names[*file])).collect();
    let more = if names.len() > 3 { " …" } else { "" };
    let order = order.join(", ") + more;
    if !are_letters(&files.iter().map(|file| names[*file].as_str()).collect::<Vec<_>>()) {
        let why = match names.iter().any(|name| name.split(|c: char| !c.is_alphabetic()).any(spelled)) {
            true => "spell their numbers, or have letters that may be Roman numerals",
            false => "have no number that says their order in time",
        };
        return Err(Refusal::unsupported(
            format!("holds pictures whose names, {order}, {why}"),
            "number the names in the order of time, as t00, t01",
        ));
    }
    let notes = vec![format!("the names are not one name with a number: the pictures were read as {order}")];
    Ok(Arranged { files, slices: 1, frames: None, names: Vec::new(), notes })
}

/// Whether sorted names differ in one letter only, which goes up by one.
fn are_letters(sorted: &[&str]) -> bool {
    let letter = |first: &str, name: &str| {
        let common = first.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
        let rest = |name: &str| name.chars().skip(common + 1).collect::<String>();
        let at = |name: &str| name.chars().nth(common).filter(char::is_ascii_alphabetic).map(u32::from);
        (rest(first) == rest(name)).then(|| Some((common, at(first)?, at(name)?)))?
    };
    let steps: Option<Vec<_>> = sorted.windows(2).map(|pair| letter(pair[0], pair[1])).collect();
    steps
        .is_some_and(|steps| steps.iter().all(|(place, one, next)| *place == steps[0].0 && *next == *one + 1))
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
        "where they are several series, give `data.channel = \"WORD\"` with a word that only the wanted ones have, or put them \
         into a folder of their own; where they are one, number them in their order",
    ))
}

/// Names that differ in their numbers only.
fn within_one_kind(names: &[&str], choice: &SeriesChoice, words: &DateWords) -> Result<Arranged, Refusal> {
    let mut columns = columns_of(names, words);
    let mut notes = Vec::new();
    if names.len() > 1 {
        read_stamps(names, &mut columns, words, &mut notes)?;
    }
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
        notes.push(format!("{key} {wanted} was read, by the number {} of the names", column.place()));
        files.retain(|file| column.values[*file] == wanted);
        columns.retain(|column| files.iter().map(|f| column.values[*f]).collect::<BTreeSet<_>>().len() > 1);
    }
    if let Some(position) = columns.iter().find(|c| c.counts == Counts::Position && columns.len() > 1) {
        return Err(Refusal::unsupported(
            format!("holds {} positions, numbered {}", position.distinct().len(), position.place()),
            "put the pictures of each position into a folder of their own",
        ));
    }
    let slice = columns.iter().position(|c| c.counts == Counts::Slice).filter(|_| choice.depth.is_some());
    let slice = slice.map(|at| columns.remove(at));
    let order = order_of(&columns, &mut files, &mut notes)?;
    let frames = order.map(|order| files.iter().map(|file| order[*file]).collect::<Vec<u64>>());
    stacked(files, frames, slice.as_ref(), notes)
}

fn is_time(pick: &Option<Pick>) -> bool {
    matches!(pick, Some(Pick::Name(name)) if name == "time")
}

fn no_such_axis(key: &str, columns: &[Column]) -> Refusal {
    let places: Vec<String> = columns.iter().map(Column::place).collect();
    let found = match &places[..] {
        [] => "holds names that differ in no number".to_string(),
        places => format!(
            "holds names that differ in the numbers {}: none of them counts {key}s",
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
            format!("has the {key}s {known} {} of its names", column.place()),
            format!("give one of them as `data.{key}`"),
        )),
        None => {
            let along: Vec<String> =
                others.iter().map(|c| format!("{} {}", c.distinct().len(), c.place())).collect();
            // Beside other numbers of time they cannot be times too.
            let timed = others.iter().any(|c| !matches!(c.counts, Counts::Channel | Counts::Slice));
            let or = match timed {
                true => String::new(),
                false => format!(", or give `data.{key} = \"time\"` where they are times"),
            };
            let along = if along.is_empty() {
                String::new()
            } else {
                format!(" beside the numbers that differ elsewhere ({})", along.join(", "))
            };
            Err(Refusal::unsupported(
                format!(
                    "holds {} {key}s, by the numbers {known} {} of its names{along}",
                    distinct.len(),
                    column.place()
                ),
                format!("choose one by `data.{key}`{or}"),
            ))
        }
    }
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
            None => Ok(Arranged { files, slices: 1, frames, names: Vec::new(), notes }),
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
    Ok(Arranged { files, slices: all.len(), frames, names: Vec::new(), notes })
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
        assert_eq!(found.frames, Some(vec![0, 1, 7]));
        assert!(found.notes[0].contains("steps of 210 min"), "{:?}", found.notes);
        let stamps = ["p_2024-05-01_12-30", "p_2024-05-01_12-00", "p_2024-05-02_09-30"];
        assert_eq!(read(&stamps, &none).unwrap()[0], "p_2024-05-01_12-00");
    }

    #[test]
    fn dates_and_clock_times_are_in_order_with_their_gaps() {
        let none = SeriesChoice::default();
        // In order; the frames where all are as far apart as they say.
        for (all, frames) in [
            (vec!["a_2024-01-30", "a_2024-01-31", "a_2024-02-01"], vec![0, 1, 2]),
            (vec!["a_2023-12-31", "a_2024-01-01", "a_2024-01-02"], vec![0, 1, 2]),
            (vec!["a_2024-02-27", "a_2024-02-28", "a_2024-03-01"], vec![0, 1, 3]),
            (vec!["a_20240131", "a_20240201", "a_20240203"], vec![0, 1, 3]),
            (vec!["a_20240131_2330", "a_20240201_0000", "a_20240201_0030"], vec![0, 1, 2]),
            (vec!["a_20240131T235958", "a_20240131T235959", "a_20240201T000000"], vec![0, 1, 2]),
            (vec!["a20240131235958", "a20240131235959", "a20240201000000"], vec![0, 1, 2]),
            (vec!["a_31.01.2024", "a_01.02.2024", "a_02.02.2024"], vec![0, 1, 2]),
            (vec!["a_01-31-2024", "a_02-01-2024", "a_02-02-2024"], vec![0, 1, 2]),
            (vec!["c_12h58m", "c_12h59m", "c_13h00m"], vec![0, 1, 2]),
            (vec!["img_T12h59m58", "img_T12h59m59", "img_T13h00m00"], vec![0, 1, 2]),
            (vec!["c_12h59m58s", "c_12h59m59s", "c_13h00m01s"], vec![0, 1, 3]),
            (vec!["img_12_59_58", "img_12_59_59", "img_13_00_00"], vec![0, 1, 2]),
            (vec!["img_2024-01-31_23-59", "img_2024-02-01_00-00", "img_2024-02-01_00-02"], vec![0, 1, 3]),
            (
                vec!["img_2024-01-31 23.59.58", "img_2024-01-31 23.59.59", "img_2024-02-01 00.00.00"],
                vec![0, 1, 2],
            ),
            // A camera that is a second late, and a missing picture.
            (vec!["img_12_00_00", "img_12_30_01", "img_13_00_01", "img_14_00_02"], vec![0, 1, 2, 4]),
            // A number of its own that agrees with the date.
            (vec!["d_2024-01-31_0007", "d_2024-02-01_0008", "d_2024-02-01_0010"], vec![7, 8, 10]),
            (vec!["t3_2024-02-01", "t4_2024-02-02", "t5_2024-01-01"], vec![3, 4, 5]),
            // Of a date and a number that agree in order the date knows the gaps.
            (vec!["2024-02-01_1", "2024-02-02_2", "2024-02-05_3"], vec![0, 1, 4]),
        ] {
            let mut turned = names(&all);
            turned.reverse();
            let found = arrange(&turned, &none).unwrap_or_else(|_| panic!("{all:?}"));
            assert_eq!(found.names, all);
            assert_eq!(found.frames, Some(frames), "{all:?}");
        }
        // Numbers whose orders contradict one another.
        for all in [
            vec!["a1_b3", "a2_b1", "a3_b2"],
            vec!["b2_7", "b2_9", "b1_8"],
            vec!["1-99", "2-00", "2-01"],
            vec!["d_2024-01-31_0007", "d_2024-02-01_0003"],
        ] {
            assert!(read(&all, &none).unwrap_err().contains("contradict"), "{all:?}");
        }
        // Day and month cannot be told apart, or change places.
        for all in [
            vec!["a_01-02-2024", "a_02-01-2024"],
            vec!["05-11-2023", "05-12-2023", "05-01-2024"],
            vec!["05-02-2024", "07-02-2024", "05-03-2024", "07-05-2024"],
            vec!["a_13-02-2024", "a_02-14-2024"],
        ] {
            let error = read(&all, &none).unwrap_err();
            assert!(error.contains("day first") && error.contains("year first"), "{all:?}: {error}");
        }
        // Only one way are all of them days that there are.
        let sorted = ["30-11-2023", "15-12-2023", "02-01-2024"];
        assert_eq!(read(&["02-01-2024", "15-12-2023", "30-11-2023"], &none).unwrap(), sorted);
        let sorted = ["11-30-2023", "12-15-2023", "01-02-2024"];
        assert_eq!(read(&["01-02-2024", "12-15-2023", "11-30-2023"], &none).unwrap(), sorted);
        // The number in front has nothing before it.
        let error = read(&["1-99", "2-00", "2-01"], &none).unwrap_err();
        assert!(error.contains("2 at the beginning") && !error.contains("``"), "{error}");
    }

    /// Names in time; the frames that they say.
    #[test]
    fn dates_and_clock_times_of_every_spelling_are_read_with_their_gaps() {
        let none = SeriesChoice::default();
        let even: Vec<u64> = (0..9).collect();
        for (all, frames) in [
            // Over the end of a month.
            ("28-01 29-01 30-01 31-01 01-02 02-02", &even[..6]),
            ("28.01. 29.01. 31.01. 01.02.", &[0, 1, 3, 4]),
            ("01-28 01-29 01-30 01-31 02-01", &even[..5]),
            ("280124 290124 300124 310124 010224 020224", &even[..6]),
            ("240128 240129 240130 240131 240201", &even[..5]),
            ("img_0128 img_0129 img_0130 img_0131 img_0201", &even[..5]),
            ("img_2801 img_2901 img_3001 img_3101 img_0102", &even[..5]),
            ("28012024 30012024 01022024", &even[..3]),
            ("01282024 01302024 02012024", &even[..3]),
            ("24-01-28 24-01-29 24-01-31 24-02-01", &[0, 1, 3, 4]),
            ("28-01-24 29-01-24 30-01-24 31-01-24 01-02-24", &even[..5]),
            ("01-28-24 01-29-24 01-30-24 01-31-24 02-01-24", &even[..5]),
            ("28Jan 29Jan 31Jan 01Feb", &[0, 1, 3, 4]),
            ("Jan-28 Jan-30 Feb-01", &even[..3]),
            ("28Jan2024 30Jan2024 01Feb2024 05Feb2024", &[0, 1, 2, 4]),
            ("28-Jan-24 29-Jan-24 30-Jan-24 31-Jan-24 01-Feb-24", &even[..5]),
            ("2024366 2025001 2025003", &[0, 1, 3]),
            ("2024-365 2024-366 2025-001 2025-003", &[0, 1, 2, 4]),
            ("2024w51 2024w52 2025w01 2025w03", &[0, 1, 2, 4]),
            ("2024-W52-6 2024-W52-7 2025-W01-2", &[0, 1, 3]),
            // Months and years.
            ("2023-11-01 2023-12-01 2024-01-01 2024-03-01", &[0, 1, 2, 4]),
            ("2024-01-31 2024-02-29 2024-04-30", &[0, 1, 3]),
            ("01-11-2023 01-12-2023 01-01-2024 01-02-2024", &even[..4]),
            ("2023-11 2023-12 2024-01 2024-03", &[0, 1, 2, 4]),
            ("11-2023 12-2023 01-2024 03-2024", &[0, 1, 2, 4]),
            ("202311 202312 202401 202402", &even[..4]),
            ("112023 122023 012024 022024", &even[..4]),
            ("Nov2023 Dec2023 Jan2024 Mar2024", &[0, 1, 2, 4]),
            ("2023_Nov 2023_Dec 2024_Jan", &even[..3]),
            ("jan feb mar apr jun", &[0, 1, 2, 3, 5]),
            ("Jan Feb Mrz Apr Mai", &even[..5]),
            ("nov dec jan feb", &even[..4]),
            ("2023Q3 2023Q4 2024Q2", &[0, 1, 3]),
            ("2010-07-01 2011-07-01 2013-07-01", &[0, 1, 3]),
            // Clock times.
            ("10-00 10-15 10-30 10-45 11-00 11-30", &[0, 1, 2, 3, 4, 6]),
            ("img_10_00 img_10_15 img_10_45", &[0, 1, 3]),
            ("23-30 23-45 00-00 00-15", &even[..4]),
            ("23h30m 23h45m 00h00m 00h15m", &even[..4]),
            ("20h 21h 22h 23h 00h 01h 02h 03h 04h", &even[..]),
            ("08h 09h 10h 12h 16h", &[0, 1, 2, 4, 8]),
            ("0h 6h 18h", &[0, 6, 18]),
            ("day1 day3 day5", &[0, 2, 4]),
            ("0min 30min 61min 90min 150min", &[0, 30, 60, 90, 150]),
            // Days of a year, over its end.
            ("364 365 366 001 002", &even[..5]),
            ("361 363 365 002 004", &even[..5]),
            ("dec jan feb mar apr may jun jul aug sep", &(0..10).collect::<Vec<u64>>()),
            ("1000 1015 1030 1045 1100", &even[..5]),
            ("900am 1000am 1200pm 100pm", &[0, 1, 3, 4]),
            ("d0_h00 d0_h08 d0_h16 d1_h00 d1_h16", &[0, 1, 2, 3, 5]),
            // Numbers that are only numbers.
            ("t0.0 t0.5 t1.0 t2.0", &[0, 1, 2, 4]),
            ("img_0001 img_0002 img_0004", &[1, 2, 4]),
            ("IMG_1058 IMG_1059 IMG_1060 IMG_1061", &[1058, 1059, 1060, 1061]),
            ("step_0100 step_0250 step_1000", &[100, 250, 1000]),
        ] {
            let sorted: Vec<&str> = all.split(' ').collect();
            let mut turned = names(&sorted);
            turned.reverse();
            let found = arrange(&turned, &none).unwrap_or_else(|e| panic!("{}", e.in_file(Path::new(all))));
            assert_eq!(found.names, sorted);
            assert_eq!(found.frames.unwrap(), frames, "{all}");
        }
        let spaced = ["28 January 2024", "30 January 2024", "01 February 2024"];
        assert_eq!(read(&["01 February 2024", "28 January 2024", "30 January 2024"], &none).unwrap(), spaced);
        let days = ["January 28, 2024", "February 01, 2024"];
        assert_eq!(read(&["February 01, 2024", "January 28, 2024"], &none).unwrap(), days);
        let week = ["Mon 29 Jan", "Wed 31 Jan", "Thu 1 Feb"];
        assert_eq!(read(&["Thu 1 Feb", "Mon 29 Jan", "Wed 31 Jan"], &none).unwrap(), week);
    }

    #[test]
    fn names_that_say_several_times_or_none_are_refused() {
        let none = SeriesChoice::default();
        for (all, word) in [
            // As dates, months first or last, or clock times these are in other orders or other steps.
            ("a_10-09 a_02-10 a_02-09", "can be read as"),
            ("0102 0205 0301", "can be read as"),
            ("01-28 01-29 01-31 02-01", "can be read as"),
            ("0930 1015 1045 1130 1145", "can be read as"),
            ("01-02 03-02 05-06 07-08", "can be read as"),
            ("30-12 31-12 02-01", "end of a year"),
            ("23-30 23-45 00-15", "across midnight"),
            // Frames are missing where the day, or the year, ends.
            ("20-30 21-30 22-30 01-30 02-30 03-30 04-30 08-30 09-30", "across midnight"),
            ("20h 21h 22h 01h 02h 03h 04h 08h 09h", "across midnight"),
            ("364 365 366 003 004", "across its end"),
            ("dec jan mar apr may jun jul aug sep", "end of a year"),
            ("Mon_1 Tue_2 Mon_8", "days of the week"),
            ("Jan_100 Feb_200", "no dates"),
            ("I II III IV V VI VII VIII IX", "Roman"),
            ("one two three", "spell"),
            ("early middle late", "no number"),
            ("r0_c0 r0_c1 r1_c0 r1_c1", "channel"),
            ("01_01 01_02 02_01 02_02", "more than one series"),
        ] {
            let all: Vec<&str> = all.split(' ').collect();
            let error = read(&all, &none).err().unwrap_or_else(|| panic!("{all:?}"));
            assert!(error.contains(word), "{all:?}: {error}");
        }
        assert!(arrange(&names(&["one"]), &none).is_ok());
        assert_eq!(read(&["plot_c", "plot_a", "plot_b"], &none).unwrap(), ["plot_a", "plot_b", "plot_c"]);
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
        // Only what can be given is offered: beside times, channels are none.
        assert!(!read(&leica, &none).unwrap_err().contains("\"time\""));
        let both = ["a_ch0_z0", "a_ch0_z1", "a_ch1_z0", "a_ch1_z1"];
        assert!(read(&both, &none).unwrap_err().contains("\"time\""));
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
}

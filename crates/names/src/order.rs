//! Puts a folder's pictures in time by the numbers in their names, or says why these are no one order.

use crate::numbered::{Column, Counts};
use glauber_files::Refusal;
use std::collections::BTreeSet;

/// Sorts the files in time; the number of each file's time (by file), where there is one number for it.
pub(crate) fn order_of(
    columns: &[Column],
    files: &mut [usize],
    notes: &mut Vec<String>,
) -> Result<Option<Vec<u64>>, Refusal> {
    let numbers: Option<Vec<u64>> = match columns {
        [] => None,
        [one] => {
            if matches!(one.counts, Counts::Channel | Counts::Slice | Counts::Position) {
                notes.push(taken_for_times(one));
            }
            Some(one.values.clone())
        }
        several => Some(one_of_several(several, files, notes)?),
    };
    match &numbers {
        Some(numbers) => files.sort_by_key(|file| numbers[*file]),
        None => files.sort_by_key(|file| columns.iter().map(|c| c.values[*file]).collect::<Vec<_>>()),
    }
    Ok(numbers)
}

fn taken_for_times(column: &Column) -> String {
    format!("the numbers {} of the names were taken for times", column.place())
}

/// Numbers in several places: one that is called time and tells all files apart is time; else one that does and leads to the
/// same order as all numbers one after the other; if they contradict one another or make a table, there are several
/// series.
fn one_of_several(columns: &[Column], files: &[usize], notes: &mut Vec<String>) -> Result<Vec<u64>, Refusal> {
    let distinct = |column: &Column| files.iter().map(|f| column.values[*f]).collect::<BTreeSet<_>>().len();
    let telling: Vec<&Column> = columns.iter().filter(|c| distinct(c) == files.len()).collect();
    if let Some(time) = telling.iter().find(|c| c.counts == Counts::Time) {
        notes.push(taken_for_times(time));
        return Ok(time.values.clone());
    }
    let mut in_order = files.to_vec();
    in_order.sort_by_key(|file| columns.iter().map(|c| c.values[*file]).collect::<Vec<_>>());
    let follows = |column: &&Column| in_order.windows(2).all(|w| column.values[w[0]] < column.values[w[1]]);
    if telling.iter().all(follows)
        && let Some(time) = telling.iter().find(|c| c.counts == Counts::Stamp).or(telling.last())
    {
        if time.counts != Counts::Stamp {
            notes.push(taken_for_times(time));
        }
        return Ok(time.values.clone());
    }
    let places: Vec<String> = columns.iter().map(|c| format!("{} {}", distinct(c), c.place())).collect();
    let why = if telling.is_empty() {
        "more than one series"
    } else {
        "by them, their orders contradict one another"
    };
    Err(Refusal::unsupported(
        format!("holds names that differ in several numbers ({}): {why}", places.join(", ")),
        "put the pictures of one series into a folder of their own, or mark what the numbers count, as t01_ch0, or give dates with \
         the year first",
    ))
}

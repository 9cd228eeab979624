//! Reads cells from a PIF, CompuCell3D's text format: a box of sites a line, `id type x1 x2 y1 y2 [z1 z2]`, both ends in it.
//!
//! Boxes of type `Medium` are label 0. A later box lies over an earlier one. The lattice reaches to the largest coordinates, and is a plane
//! where no box has a z above 0.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use glauber_data::CellTypes;
use glauber_data::arrays::open_regular;

use crate::{CellsError, LabelStack};

/// The longest file that is read: 256 MiB.
const LONGEST: u64 = 256 << 20;
/// The most sites.
const MOST_SITES: usize = 1 << 28;

/// Whether a file is a PIF, by its name.
pub(super) fn is_pif(path: &Path) -> bool {
    let ending = path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_lowercase();
    ["pif", "piff"].contains(&ending.as_str())
}

/// One frame of labels, and their types.
pub(super) fn read(path: &Path) -> Result<(LabelStack, CellTypes), CellsError> {
    let refused = |words: String| CellsError::Request(format!("{}: {words}", path.display()));
    let (file, length) = open_regular(path)?;
    if length > LONGEST {
        return Err(refused("takes more than 256 MiB: save the cells as a TIFF or NPY of labels".into()));
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(|error| {
        refused(format!("is no text ({error}): a PIF has lines `id type x1 x2 y1 y2 [z1 z2]`"))
    })?;
    of_text(&text).map_err(refused)
}

/// A box of sites, ends in it, by x, y, z.
struct Part<'t> {
    id: i64,
    kind: &'t str,
    ends: [[usize; 2]; 3],
}

fn of_text(text: &str) -> Result<(LabelStack, CellTypes), String> {
    let mut parts = Vec::new();
    for (line, words) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let words: Vec<&str> = words.split_whitespace().collect();
        if words.is_empty() || words[0].starts_with('#') {
            continue;
        }
        if words[0].eq_ignore_ascii_case("include") {
            return Err(format!(
                "line {line}: clusters are not read: write the file without `Include Clusters`"
            ));
        }
        parts.push(part(&words).ok_or_else(|| {
            format!(
                "line {line}: `{}` is no line `id type x1 x2 y1 y2 [z1 z2]` of whole numbers from 0, none of 268,435,456 or more, first ends before second ones",
                words.join(" ").chars().take(60).collect::<String>()
            )
        })?);
    }
    let cells = || parts.iter().filter(|part| !is_medium(part.kind));
    if cells().next().is_none() {
        return Err("holds no cell: a PIF has lines `id type x1 x2 y1 y2 [z1 z2]`".into());
    }
    let mut notes = Vec::new();
    // Labels count from 1, the medium being 0.
    let shift = i64::from(cells().any(|part| part.id == 0));
    if shift == 1 {
        notes.push("cells are numbered from 0 in the file: every label is one more than there".into());
    }
    let mut names: Vec<&str> = cells().map(|part| part.kind).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > 255 {
        return Err(format!("names {} types: at most 255 are possible", names.len()));
    }
    let mut types: BTreeMap<i64, u8> = BTreeMap::new();
    for part in cells() {
        let kind = names.binary_search(&part.kind).map_or(0, |place| place as u8 + 1);
        if let Some(first) = types.insert(part.id + shift, kind).filter(|first| *first != kind) {
            let first = names[usize::from(first) - 1];
            return Err(format!(
                "cell {} is of type {first} and of type {}: give it one",
                part.id, part.kind
            ));
        }
    }
    let [width, height, depth] =
        [0, 1, 2].map(|axis| parts.iter().map(|part| part.ends[axis][1] + 1).max().unwrap_or(1));
    let sites = width.checked_mul(height).and_then(|n| n.checked_mul(depth)).filter(|n| *n <= MOST_SITES);
    let Some(sites) = sites else {
        return Err(format!(
            "its boxes reach over {depth} × {height} × {width} sites: at most {MOST_SITES} are read"
        ));
    };
    let mut labels = vec![0; sites];
    let mut named = vec![false; sites];
    let mut covered = 0_usize;
    for part in &parts {
        let label = if is_medium(part.kind) { 0 } else { part.id + shift };
        let [[x, last_x], [y, last_y], [z, last_z]] = part.ends;
        for row in (z..=last_z).flat_map(|z| (y..=last_y).map(move |y| z * height + y)) {
            for site in &mut labels[row * width + x..=row * width + last_x] {
                covered += usize::from(*site != 0 && *site != label);
                *site = label;
            }
            named[row * width + x..=row * width + last_x].fill(true);
        }
    }
    if covered > 0 {
        notes.push(format!(
            "boxes of different cells lie over one another at {covered} sites: the later ones count"
        ));
    }
    let unnamed = named.iter().filter(|named| !**named).count();
    if unnamed > 0 {
        notes.push(format!("{unnamed} of {sites} sites stand in no line: they are read as medium"));
    }
    let shape = if depth > 1 { vec![depth, height, width] } else { vec![height, width] };
    let told: Vec<String> = names.iter().zip(1..).map(|(name, kind)| format!("{kind} is `{name}`")).collect();
    notes.push(format!("types are numbered in the order of the alphabet: {}", told.join(", ")));
    notes.push(
        "the lattice reaches to the largest coordinates of the file; a first line `0 Medium 0 99 0 99 0 0` makes it 100 × 100".into(),
    );
    let names = names.iter().map(ToString::to_string).collect();
    let types = CellTypes { rows: types.into_iter().collect(), names, notes: Vec::new() };
    Ok((LabelStack { labels, shape, notes, types: None }, types))
}

fn is_medium(kind: &str) -> bool {
    kind.eq_ignore_ascii_case("medium")
}

fn part<'t>(words: &[&'t str]) -> Option<Part<'t>> {
    if words.len() != 6 && words.len() != 8 {
        return None;
    }
    let id = words[0].parse().ok().filter(|id| (0..i64::from(u32::MAX)).contains(id))?;
    let mut ends = [[0, 0]; 3];
    for (axis, pair) in words[2..].chunks_exact(2).enumerate() {
        let own: [usize; 2] = [pair[0].parse().ok()?, pair[1].parse().ok()?];
        if own[0] > own[1] || own[1] >= MOST_SITES {
            return None;
        }
        ends[axis] = own;
    }
    Some(Part { id, kind: words[1], ends })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn boxes_become_labels_and_types() {
        let text = "0 Medium 0 5 0 3 0 0\n1 soft 1 2 0 1 0 0\n\n2 hard 3 4 1 2 0 0\r\n1 soft 1 1 2 2 0 0\n";
        let (stack, types) = of_text(text).unwrap();
        assert_eq!(stack.shape, [4, 6]);
        assert!(!stack.notes.iter().any(|note| note.contains("in no line")), "{:?}", stack.notes);
        let rows: Vec<&[i64]> = stack.labels.chunks(6).collect();
        assert_eq!(rows, [[0, 1, 1, 0, 0, 0], [0, 1, 1, 2, 2, 0], [0, 1, 0, 2, 2, 0], [0, 0, 0, 0, 0, 0]]);
        assert_eq!((types.rows, types.names), (vec![(1, 2), (2, 1)], vec!["hard".into(), "soft".into()]));
        // Numbered from 0, in three dimensions, one over the other.
        let (stack, types) = of_text("0 a 0 1 0 0 0 1\n1 a 1 1 0 0 1 2").unwrap();
        assert_eq!((stack.shape, stack.labels), (vec![3, 1, 2], vec![1, 1, 1, 2, 0, 2]));
        assert_eq!(types.rows, [(1, 1), (2, 1)]);
        assert!(stack.notes[0].contains("from 0") && stack.notes[1].contains("1 sites"), "{:?}", stack.notes);
        // What no box holds is told.
        assert!(stack.notes[2].starts_with("1 of 6 sites"), "{:?}", stack.notes);
    }

    #[test]
    fn wrong_files_are_refused_with_their_line() {
        for (text, words) in [
            ("", "no cell"),
            ("0 Medium 0 9 0 9 0 0", "no cell"),
            ("Include Clusters\n0 1 a 0 1 0 1", "line 1: clusters"),
            ("1 a 0 1 0 1\n1 a 0 1 0", "line 2"),
            ("1 a 3 1 0 1", "line 1"),
            ("1 a -1 1 0 1", "line 1"),
            ("1 a 0 99999999999 0 1", "line 1"),
            ("1 a 0 99999999 0 99999999", "at most"),
            ("1 a 0 1 0 1\n1 b 2 3 0 1", "cell 1 is of type a and of type b"),
        ] {
            let error = of_text(text).unwrap_err();
            assert!(error.contains(words), "{text:?}: {error}");
        }
    }
}

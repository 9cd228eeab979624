//! Reads a folder of pictures as a time series, in the order a person numbers them.

use super::ImageLimits;
use super::stack::{ImageStack, Picture, check_pixels, read_picture};
use crate::arrays::Values;
use crate::{DataError, DataErrorKind};
use glauber_files::error::quoted;
use std::cmp::Ordering;
use std::path::{Path, PathBuf};

/// Endings of the files that are taken for pictures.
const ENDINGS: [&str; 5] = ["png", "jpg", "jpeg", "tif", "tiff"];

/// Reads all PNG, JPEG and TIFF files of a folder, one plane each, sorted so that `frame9` comes before `frame10`.
///
/// Hidden files, folders and other files are passed over (and counted in the notes), and so are gaps in the numbers.
///
/// # Errors
/// If the folder is missing or holds no pictures, one of them cannot be read, has several planes, or is not like the
/// first in size and depth, or all together are above the limit.
pub fn read_image_folder(path: impl AsRef<Path>, limits: ImageLimits) -> Result<ImageStack, DataError> {
    let folder = path.as_ref();
    let (files, others) = pictures_of(folder)?;
    let Some(first) = files.first() else {
        let found = format!("holds no pictures ({others} other files)");
        let remedy = format!("put files ending in {} there", ENDINGS.join(", "));
        return Err(DataError::new(DataErrorKind::Missing, folder, found, remedy));
    };
    let mut whole = read_picture(first, limits)?;
    one_plane(&whole, first)?;
    check_pixels(folder, files.len() as u64, whole.width as u64, whole.height as u64, limits)?;
    for file in &files[1..] {
        let next = read_picture(file, limits)?;
        one_plane(&next, file)?;
        join(&mut whole, next, file, first)?;
    }
    whole.planes = files.len();
    if others > 0 {
        whole.notes.push(format!("{others} files of the folder are no pictures and were passed over"));
    }
    whole.notes.extend(missing_numbers(&files));
    ImageStack::new(whole, folder)
}

fn pictures_of(folder: &Path) -> Result<(Vec<PathBuf>, usize), DataError> {
    let mut files = Vec::new();
    let mut others = 0;
    for entry in std::fs::read_dir(folder).map_err(|e| DataError::io(folder, "open it", &e))? {
        let path = entry.map_err(|e| DataError::io(folder, "read it", &e))?.path();
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if hidden || !path.is_file() {
            continue;
        }
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        if ending.is_some_and(|e| ENDINGS.contains(&e.as_str())) {
            files.push(path);
        } else {
            others += 1;
        }
    }
    files.sort_by(|a, b| natural_order(&name_of(a), &name_of(b)));
    Ok((files, others))
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

fn one_plane(picture: &Picture, file: &Path) -> Result<(), DataError> {
    if picture.planes == 1 {
        return Ok(());
    }
    let found = format!("is a stack of {} planes in a folder of images", picture.planes);
    Err(DataError::new(
        DataErrorKind::Unsupported,
        file,
        found,
        "name the stack itself, or split it into images",
    ))
}

fn join(whole: &mut Picture, next: Picture, file: &Path, first: &Path) -> Result<(), DataError> {
    if (next.height, next.width) != (whole.height, whole.width) {
        let found = format!(
            "is {} × {} pixels, but {} is {} × {}",
            next.width,
            next.height,
            quoted(&name_of(first)),
            whole.width,
            whole.height
        );
        return Err(DataError::new(DataErrorKind::Value, file, found, "use images of one size"));
    }
    for note in next.notes {
        if !whole.notes.contains(&note) {
            whole.notes.push(note);
        }
    }
    match (&mut whole.values, next.values) {
        (Values::U8(all), Values::U8(new)) => all.extend(new),
        (Values::U16(all), Values::U16(new)) => all.extend(new),
        (Values::U32(all), Values::U32(new)) => all.extend(new),
        (Values::F32(all), Values::F32(new)) => all.extend(new),
        (all, new) => {
            let found = format!(
                "has values of {}, but {} of {}",
                new.element_type(),
                quoted(&name_of(first)),
                all.element_type()
            );
            return Err(DataError::new(DataErrorKind::Value, file, found, "use images of one depth"));
        }
    }
    Ok(())
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

/// A note if the last number in the names skips some, where that number is all that differs.
fn missing_numbers(files: &[PathBuf]) -> Option<String> {
    let mut numbers = Vec::new();
    let mut frame = None;
    for file in files {
        let name = file.file_stem()?.to_string_lossy().into_owned();
        let end = name.rfind(|c: char| c.is_ascii_digit())? + 1;
        let start = name[..end]
            .rfind(|c: char| !c.is_ascii_digit())
            .map_or(0, |i| i + name[i..].chars().next().map_or(1, char::len_utf8));
        let around = (name[..start].to_owned(), name[end..].to_owned());
        if *frame.get_or_insert_with(|| around.clone()) != around {
            return None;
        }
        numbers.push(name[start..end].parse::<u64>().ok()?);
    }
    let gap = numbers.windows(2).find(|w| w[1] - w[0].min(w[1]) > 1)?;
    let step = numbers.windows(2).map(|w| w[1] - w[0].min(w[1])).min()?;
    let even = numbers.windows(2).all(|w| w[1] - w[0].min(w[1]) == step);
    (!even).then(|| {
        format!("the numbers in the names have gaps, first between {} and {}; the images were taken as consecutive", gap[0], gap[1])
    })
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
        let files = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert!(missing_numbers(&files(&["t1.png", "t2.png", "t4.png"])).is_some());
        assert!(missing_numbers(&files(&["t1.png", "t2.png", "t3.png"])).is_none());
        assert!(missing_numbers(&files(&["t0.png", "t5.png", "t10.png"])).is_none());
        assert!(missing_numbers(&files(&["a1.png", "b7.png", "b9.png"])).is_none());
        assert!(missing_numbers(&files(&["µ1.png", "µ2.png", "µ9.png"])).is_some());
    }
}

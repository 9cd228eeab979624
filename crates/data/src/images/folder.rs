//! Reads a folder of pictures, in the order a person numbers them.

use super::refusal::Refusal;
use super::stack::{ImageStack, Picture, append, check_pixels};
use super::{FORMATS, ImageLimits, read_picture};
use crate::{DataError, DataErrorKind};
use glauber_files::error::quoted;
use glauber_names::SeriesChoice;
use glauber_names::{Arranged, arrange};
use glauber_names::{gap_note, natural_order};
use std::path::{Path, PathBuf};

/// Reads all pictures of a folder, one plane each, sorted so that `frame9` comes before `frame10`.
///
/// Hidden files, folders and other files are passed over (and counted in the notes), and so are gaps in the numbers.
///
/// # Errors
/// If the folder is missing or holds no pictures, one of them cannot be read, has several planes, or is not like the
/// first in size and depth, or all together are above the limit.
pub fn read_image_folder(path: impl AsRef<Path>, limits: ImageLimits) -> Result<ImageStack, DataError> {
    let folder = path.as_ref();
    let (mut files, mut notes) = pictures_of(folder)?;
    files.sort_by(|a, b| natural_order(&name_of(a), &name_of(b)));
    // What the names say of times is of use where they are one series.
    let arranged = arrange(&stems_of(&files), &SeriesChoice::default());
    let gap = arranged.ok().and_then(|arranged| gap_note(arranged.frames.as_deref()?, &arranged.names));
    if let Some(gap) = gap {
        notes.push(format!("{gap}; the images were taken as consecutive"));
    }
    let mut picture = read_all(folder, &files, limits).map_err(|error| error.after(notes.clone()))?;
    picture.notes.append(&mut notes);
    ImageStack::new(picture, folder)
}

/// The series of a folder's pictures that is chosen.
pub(super) fn read_chosen(
    folder: &Path,
    choice: &SeriesChoice,
    limits: ImageLimits,
) -> Result<(ImageStack, Arranged), DataError> {
    let (files, mut notes) = pictures_of(folder)?;
    let arranged = arrange(&stems_of(&files), choice);
    let arranged = arranged.map_err(|refusal| refusal.in_file(folder).after(notes.clone()))?;
    let files: Vec<PathBuf> = arranged.files.iter().map(|file| files[*file].clone()).collect();
    notes.extend_from_slice(&arranged.notes);
    let mut picture = read_all(folder, &files, limits).map_err(|error| error.after(notes.clone()))?;
    picture.notes.append(&mut notes);
    Ok((ImageStack::new(picture, folder)?, arranged))
}

/// The pictures in a folder, and notes on what else is there.
fn pictures_of(folder: &Path) -> Result<(Vec<PathBuf>, Vec<String>), DataError> {
    let endings: Vec<&str> = FORMATS.iter().flat_map(|format| format.endings).copied().collect();
    let (mut files, mut others) = (Vec::new(), 0);
    for entry in std::fs::read_dir(folder).map_err(|e| DataError::io(folder, "open it", &e))? {
        let path = entry.map_err(|e| DataError::io(folder, "read it", &e))?.path();
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if hidden || !path.is_file() {
            continue;
        }
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        if ending.is_some_and(|e| endings.contains(&e.as_str())) {
            files.push(path);
        } else {
            others += 1;
        }
    }
    if files.is_empty() {
        let found = format!("holds no pictures ({others} other files)");
        let remedy = format!("put files ending in {} there", endings.join(", "));
        return Err(DataError::new(DataErrorKind::Missing, folder, found, remedy));
    }
    files.sort();
    let twice = files.windows(2).find(|w| w[0].with_extension("") == w[1].with_extension(""));
    if let Some([one, other]) = twice {
        let found = format!("holds one picture as {} and {}", quoted(&name_of(one)), quoted(&name_of(other)));
        return Err(DataError::new(DataErrorKind::Value, folder, found, "leave one of them there"));
    }
    let notes = match others {
        0 => Vec::new(),
        n => vec![format!("{n} files of the folder are no pictures and were passed over")],
    };
    Ok((files, notes))
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The names without endings; `a.ome.tif` is `a`.
fn stems_of(files: &[PathBuf]) -> Vec<String> {
    let stem = |file: &PathBuf| {
        let stem = file.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        stem.strip_suffix(".ome").map_or(stem.clone(), str::to_owned)
    };
    files.iter().map(stem).collect()
}

/// One plane of each file.
fn read_all(folder: &Path, files: &[PathBuf], limits: ImageLimits) -> Result<Picture, DataError> {
    let first = &files[0];
    let mut whole = read_picture(first, None, limits)?;
    one_plane(&whole, first)?;
    check_pixels(folder, files.len() as u64, whole.width as u64, whole.height as u64, limits)?;
    for file in &files[1..] {
        let next = read_picture(file, None, limits)?;
        one_plane(&next, file)?;
        join(&mut whole, next, file, first)?;
    }
    whole.planes = files.len();
    whole.axes = None;
    Ok(whole)
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
    let unlike = |found: String, remedy: &str| DataError::new(DataErrorKind::Value, file, found, remedy);
    if (next.height, next.width) != (whole.height, whole.width) {
        let found = format!(
            "is {} × {} pixels, but {} is {} × {}",
            next.width,
            next.height,
            quoted(&name_of(first)),
            whole.width,
            whole.height
        );
        return Err(unlike(found, "use images of one size"));
    }
    if next.bit_depth != whole.bit_depth || next.values.element_type() != whole.values.element_type() {
        let found = format!(
            "has values of {} and {} bits, but {} of {} and {}",
            next.values.element_type(),
            next.bit_depth,
            quoted(&name_of(first)),
            whole.values.element_type(),
            whole.bit_depth
        );
        return Err(unlike(found, "use images of one depth"));
    }
    if next.colour_table != whole.colour_table || next.was_colour != whole.was_colour {
        let found = format!("shows its numbers in other colours than {}", quoted(&name_of(first)));
        return Err(unlike(found, "save all images as grey, or with one colour table"));
    }
    if next.scaling != whole.scaling {
        let found = format!("is scaled otherwise than {}", quoted(&name_of(first)));
        return Err(unlike(found, "use images of one scale and offset"));
    }
    if next.no_data.map(f64::to_bits) != whole.no_data.map(f64::to_bits) {
        let found = format!("has another value for no data than {}", quoted(&name_of(first)));
        return Err(unlike(found, "use one value for no data"));
    }
    for note in next.notes {
        if !whole.notes.contains(&note) {
            whole.notes.push(note);
        }
    }
    append(&mut whole.values, next.values).map_err(|refusal: Refusal| refusal.in_file(file))
}

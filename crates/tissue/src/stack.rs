//! Reads labels over time from pictures or arrays, and the types of their cells.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use glauber_cellular_potts::{LabelsError, TypesOf};
use glauber_data::arrays::{Array, ReadLimits, read_arrays_of_numbers};
use glauber_data::images::{ImageLimits, ImageStack, Pick, SeriesChoice, read_series};
use glauber_data::{CellTypes, DataError, DataErrorKind, FileKind, read_cell_types};

use crate::CellsError;

/// Labels, frames one after the other.
#[derive(Clone, Debug)]
pub struct LabelStack {
    /// The labels.
    pub labels: Vec<i64>,
    /// Of a frame.
    pub shape: Vec<usize>,
    /// How they were read.
    pub notes: Vec<String>,
    /// The types that came with them, in a file of arrays.
    pub types: Option<CellTypes>,
}

/// A file of labels, and what to read of it.
#[derive(Clone, Debug)]
pub struct LabelsFile {
    /// A TIFF stack, a folder of pictures, an NPY or NPZ of labels `[time, (z,) y, x]`.
    pub path: PathBuf,
    /// Which array of an NPZ.
    pub array: Option<String>,
    /// Which channel of several.
    pub channel: Option<Pick>,
    /// How many slices a time has, from 1 on; of one slice what the file calls slices are times.
    pub depth: Option<usize>,
}

/// Where labels come from.
#[derive(Clone, Debug)]
pub enum Labels {
    /// A file.
    File(LabelsFile),
    /// Memory.
    Stack(LabelStack),
}

impl Labels {
    /// A file of which nothing needs to be said.
    pub fn of_file(path: impl Into<PathBuf>) -> Labels {
        Labels::File(LabelsFile { path: path.into(), array: None, channel: None, depth: None })
    }

    /// What messages call them.
    pub fn name(&self) -> String {
        match self {
            Labels::File(file) => file.path.display().to_string(),
            Labels::Stack(_) => "the labels".into(),
        }
    }

    /// The labels themselves.
    ///
    /// # Errors
    /// [`CellsError`] where the file is no stack of labels.
    pub fn read(&self) -> Result<Cow<'_, LabelStack>, CellsError> {
        match self {
            Labels::File(file) => read(file).map(Cow::Owned),
            Labels::Stack(stack) => Ok(Cow::Borrowed(stack)),
        }
    }
}

/// Where the types of cells come from.
#[derive(Clone, Debug, Default)]
pub enum Types {
    /// Nowhere: all cells have type 1.
    #[default]
    One,
    /// A table of labels and types.
    File(PathBuf),
    /// Ranges of labels.
    Ranges(Vec<(RangeInclusive<i64>, u8)>),
    /// A table in memory.
    Table(CellTypes),
}

impl Types {
    /// These, or where nobody gave any, those that came with the labels; in both cases with a note.
    pub fn or_own(&self, own: Option<&CellTypes>, notes: &mut Vec<String>) -> Types {
        match (self, own) {
            (Types::One, Some(own)) => {
                notes.push("types were read from `types` in the file of the labels".into());
                Types::Table(own.clone())
            }
            (given, own) => {
                if own.is_some() {
                    notes.push("`types` in the file of the labels were not read: others are given".into());
                }
                given.clone()
            }
        }
    }

    /// The file to which an error of labels and types belongs.
    pub(super) fn blamed_for(&self, error: &LabelsError, labels: &Labels) -> String {
        let of_types = matches!(
            error,
            LabelsError::NoType { .. } | LabelsError::TwoTypes { .. } | LabelsError::MediumType { .. }
        );
        match self {
            Types::File(path) if of_types => path.display().to_string(),
            Types::Ranges(_) if of_types => "--type-range".into(),
            Types::Table(_) if of_types => "the types".into(),
            _ => labels.name(),
        }
    }

    /// The types of labels, and what each is called, from type 1 on.
    ///
    /// # Errors
    /// [`CellsError::Data`] where the table cannot be read.
    pub fn read(&self, notes: &mut Vec<String>) -> Result<(TypesOf, Vec<String>), CellsError> {
        let numbers = |most: u8| (1..=most).map(|kind| kind.to_string()).collect();
        Ok(match self {
            Types::One => {
                notes.push("no types are given: all cells have type 1".into());
                (TypesOf::One, numbers(1))
            }
            Types::Ranges(ranges) => {
                let most = ranges.iter().map(|(_, kind)| *kind).max();
                (TypesOf::Ranges(ranges.clone()), numbers(most.unwrap_or(1)))
            }
            Types::File(path) => {
                let types = read_cell_types(path)?;
                notes.extend(types.notes);
                (TypesOf::Table(types.rows), types.names)
            }
            Types::Table(types) => {
                notes.extend(types.notes.iter().cloned());
                (TypesOf::Table(types.rows.clone()), types.names.clone())
            }
        })
    }
}

fn read(file: &LabelsFile) -> Result<LabelStack, CellsError> {
    let path = &file.path;
    if file.depth == Some(0) {
        let words = "a time has at least one slice: give --depth 1 where every plane is a time";
        return Err(CellsError::Request(format!("{}: {words}", path.display())));
    }
    if !path.is_dir() && FileKind::of(path)?.holds_arrays() {
        if file.channel.is_some() {
            return Err(without(
                path,
                "a channel",
                "an array has none; labels over time are [time, y, x] or [time, z, y, x]",
            ));
        }
        if file.depth.is_some() {
            return Err(without(
                path,
                "a depth",
                "an array says by its shape how deep it is, [time, z, y, x]",
            ));
        }
        return of_array(file);
    }
    if file.array.is_some() {
        return Err(without(path, "the name of an array", "pictures hold none"));
    }
    // Of one slice a time, slices of a file are times.
    let slice = (file.depth == Some(1)).then(|| Pick::Name("time".into()));
    let depth = file.depth.filter(|depth| *depth > 1);
    let choice = SeriesChoice { channel: file.channel.clone(), slice, depth };
    let of = |choice: &SeriesChoice| read_series(path, choice, ImageLimits::default());
    let mut series = of(&choice).map_err(|error| in_words(&error, path))?;
    let mut notes = Vec::new();
    let mut shape = series.shape(depth)[1..].to_vec();
    if let Some(depth) = depth.filter(|depth| series.slices != *depth) {
        if series.slices > 1 {
            // A plain stack, whose planes ImageJ calls slices, says nothing of times; any other file does.
            let said = series.slices;
            series = of(&SeriesChoice { depth: None, ..choice }).map_err(|_| {
                CellsError::Request(format!(
                    "{}: says that a time has {said} slices, and --depth is {depth}: give --depth {said}, or leave it to the file that \
                     is right",
                    path.display()
                ))
            })?;
        }
        notes.push(slices_of(path, series.stack.planes(), depth)?);
        shape = vec![depth, series.stack.height(), series.stack.width()];
    }
    let labels = series.stack.labels(path)?;
    notes.extend(series.stack.notes().iter().map(|note| in_options(note)));
    if let Some(gap) = series.gap() {
        let words =
            format!("{}: {gap}; the likelihood supposes one step from frame to frame", path.display());
        return Err(CellsError::Request(words));
    }
    notes.extend(series.step().filter(|step| *step > 1).map(|step| {
        format!("the names of the frames count by {step}; they were taken to be one step apart")
    }));
    Ok(LabelStack { labels, shape, notes, types: None })
}

/// Planes in times of so many slices, as a note.
fn slices_of(path: &Path, planes: usize, depth: usize) -> Result<String, CellsError> {
    if !planes.is_multiple_of(depth) {
        return Err(CellsError::Request(format!(
            "{}: holds {planes} planes, no whole number of times of {depth} slices: give the slices that a time has, --depth",
            path.display()
        )));
    }
    Ok(format!("its {planes} planes were taken for {} times of {depth} slices", planes / depth))
}

/// An error of a stack, with what this command has for it.
fn in_words(error: &DataError, path: &Path) -> CellsError {
    let remedy = match error.remedy() {
        remedy if remedy.contains("`data.channel` or `data.slice`") => {
            "choose a channel by --channel, and say how many slices a time has by --depth".into()
        }
        remedy if remedy.contains("`data.slice`") => {
            "for labels of three dimensions give the slices of a time, --depth; where the slices are times give --depth 1".into()
        }
        remedy => {
            let (own, _) = remedy.split_once(", or give `data.channel = \"time\"`").unwrap_or((remedy, ""));
            let in_python = if own.contains("`data.channel`") { " (in Python channel=)" } else { "" };
            in_options(own) + in_python
        }
    };
    CellsError::Request(format!("{}: {}; {remedy}", path.display(), error.found()))
}

/// Keys of fit files as options of the command.
fn in_options(note: &str) -> String {
    note.replace("`data.channel`", "--channel").replace("`data.slice`", "--depth")
}

/// What was asked for of a file that has no such thing.
fn without(path: &Path, option: &str, kind: &str) -> CellsError {
    CellsError::Request(format!("{}: {option} is given, and {kind}: leave it out", path.display()))
}

/// What a file of arrays may hold beside labels.
const BESIDE: [&str; 2] = ["types", "times"];

fn of_array(file: &LabelsFile) -> Result<LabelStack, CellsError> {
    let path = &file.path;
    let wanted = file.array.as_deref();
    let needed = |name: &str| name == wanted.unwrap_or("labels");
    let (mut arrays, _) = read_arrays_of_numbers(path, ReadLimits::default(), &needed)?;
    let at = arrays
        .iter()
        .position(|(name, _)| Some(name.as_str()) == wanted || (wanted.is_none() && name == "labels"));
    let others = arrays.iter().filter(|(name, _)| !BESIDE.contains(&name.as_str())).count();
    let alone = wanted.is_none() && others == 1;
    let at = at.or_else(|| {
        alone.then(|| arrays.iter().position(|(name, _)| !BESIDE.contains(&name.as_str()))).flatten()
    });
    let at = at.or((wanted.is_none() && arrays.len() == 1).then_some(0));
    let Some(at) = at else {
        let names: Vec<&str> = arrays.iter().map(|(name, _)| name.as_str()).collect();
        let found = format!("holds the arrays {}", names.join(", "));
        let remedy = "say which one holds the labels (--array NAME)";
        return Err(DataError::new(DataErrorKind::Missing, path, found, remedy).into());
    };
    let array = arrays.swap_remove(at).1;
    if let Some(empty) = array.shape().iter().position(|length| *length == 0) {
        let found = format!("has shape {:?}, of which axis {empty} is empty", array.shape());
        let remedy = "labels over time are [time, y, x] or [time, z, y, x], two times or more";
        return Err(DataError::new(DataErrorKind::Value, path, found, remedy).into());
    }
    let mut notes = Vec::new();
    let mut shape = array.shape().to_vec();
    if shape.len() == 2 {
        // One moment.
        shape.insert(0, 1);
    }
    if !(3..=4).contains(&shape.len()) {
        let found = format!("has shape {shape:?}");
        let remedy = "labels over time are [time, y, x] or [time, z, y, x]";
        return Err(DataError::new(DataErrorKind::Value, path, found, remedy).into());
    }
    // As planes of a picture, so that what is no label is told with its place.
    let planes: usize = shape[..shape.len() - 2].iter().product();
    let flat = vec![planes, shape[shape.len() - 2], shape[shape.len() - 1]];
    let labels = match Array::new(flat, array.into_values()) {
        Ok(array) => ImageStack::of_array(array, path)?.labels(path)?,
        Err(_) => Vec::new(),
    };
    let mut types = None;
    for (name, array) in arrays {
        match name.as_str() {
            "types" => match own_types(&array) {
                Some(own) => types = Some(own),
                None => notes.push(format!(
                    "`types` of {} were not read: they are no rows of label and type, nor types by label from the medium's 0 on",
                    path.display()
                )),
            },
            "times" if array.len() == shape[0] => notes.extend(spacing(path, &array.to_f64())?),
            _ => {}
        }
    }
    Ok(LabelStack { labels, shape: shape[1..].to_vec(), notes, types })
}

/// Types as `cells simulate` writes them, rows of label and type, or by label from the medium's 0 on.
fn own_types(array: &Array) -> Option<CellTypes> {
    let values = array.integers()?;
    let rows: Vec<(i64, i64)> = match array.shape() {
        [_, 2] => values.chunks_exact(2).map(|row| (row[0], row[1])).collect(),
        [_] if values.first() == Some(&0) => (0..).zip(values.iter().copied()).collect(),
        _ => return None,
    };
    let of_cells = rows.iter().filter(|row| **row != (0, 0));
    let rows: Vec<(i64, u8)> =
        of_cells.map(|(label, kind)| Some((*label, u8::try_from(*kind).ok()?))).collect::<Option<_>>()?;
    let most = rows.iter().map(|(_, kind)| *kind).max()?;
    let names = (1..=most).map(|kind| kind.to_string()).collect();
    Some(CellTypes { rows, names, notes: Vec::new() })
}

/// What is to be said of the times of frames, which must be equally far apart.
fn spacing(path: &Path, times: &[f64]) -> Result<Option<String>, CellsError> {
    let steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let Some(first) = steps.first().copied() else { return Ok(None) };
    let slack = 1e-6 * first.abs();
    let odd = steps.iter().position(|step| (step - first).abs() > slack || step.is_nan() || *step <= 0.0);
    if let Some(place) = odd {
        return Err(CellsError::Request(format!(
            "{}: `times` go from {} to {} between the frames {place} and {}, and by {first} before; the likelihood supposes one step from \
             frame to frame",
            path.display(),
            times[place],
            times[place + 1],
            place + 1
        )));
    }
    let words = format!("`times` of the file are {first} apart; its frames were taken to be one step apart");
    Ok(((first - 1.0).abs() > slack).then_some(words))
}

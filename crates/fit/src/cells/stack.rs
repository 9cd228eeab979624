//! Reads labels over time from pictures or arrays, and the types of their cells.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use glauber_cellular_potts::TypesOf;
use glauber_data::arrays::{Array, ReadLimits, read_arrays};
use glauber_data::images::{ImageLimits, ImageStack, Pick, SeriesChoice, read_series};
use glauber_data::{CellTypes, DataError, DataErrorKind, FileKind, read_cell_types};

use super::CellsError;

/// Labels, frames one after the other.
#[derive(Clone, Debug)]
pub struct LabelStack {
    /// The labels.
    pub labels: Vec<i64>,
    /// Of a frame.
    pub shape: Vec<usize>,
    /// How they were read.
    pub notes: Vec<String>,
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
    /// How many slices a time of a picture stack has.
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
    let choice = SeriesChoice { channel: file.channel.clone(), slice: None, depth: file.depth };
    let series = read_series(path, &choice, ImageLimits::default()).map_err(|error| in_words(error, path))?;
    let labels = series.stack.labels(path)?;
    let shape = series.shape(file.depth)[1..].to_vec();
    let mut notes: Vec<String> = series.stack.notes().iter().map(|note| in_options(note)).collect();
    if let Some(gap) = series.gap() {
        let words =
            format!("{}: {gap}; the likelihood supposes one step from frame to frame", path.display());
        return Err(CellsError::Request(words));
    }
    notes.extend(series.step().filter(|step| *step > 1).map(|step| {
        format!("the names of the frames count by {step}; they were taken to be one step apart")
    }));
    Ok(LabelStack { labels, shape, notes })
}

/// An error of a stack that has slices, with what this command has for them.
fn in_words(error: DataError, path: &Path) -> CellsError {
    if error.remedy().contains("`data.slice`") {
        return CellsError::Request(format!(
            "{}: {}; for labels of three dimensions give their slices a frame, --depth",
            path.display(),
            error.found()
        ));
    }
    if error.remedy().contains("`data.channel") {
        // A fit file can say that channels are times; here the file must.
        let remedy = error.remedy().split(", or give `data.channel = ").next().unwrap_or_default();
        return CellsError::Request(format!(
            "{}: {}; {} (in Python channel=)",
            path.display(),
            error.found(),
            in_options(remedy)
        ));
    }
    error.into()
}

/// Keys of fit files as options of the command.
fn in_options(note: &str) -> String {
    note.replace("`data.channel`", "--channel").replace("`data.slice`", "--depth")
}

/// What was asked for of a file that has no such thing.
fn without(path: &Path, option: &str, kind: &str) -> CellsError {
    CellsError::Request(format!("{}: {option} is given, and {kind}: leave it out", path.display()))
}

fn of_array(file: &LabelsFile) -> Result<LabelStack, CellsError> {
    let path = &file.path;
    let mut arrays = read_arrays(path, ReadLimits::default())?;
    let wanted = file.array.as_deref();
    let at = arrays
        .iter()
        .position(|(name, _)| Some(name.as_str()) == wanted || (wanted.is_none() && name == "labels"));
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
    Ok(LabelStack { labels, shape: shape[1..].to_vec(), notes: Vec::new() })
}

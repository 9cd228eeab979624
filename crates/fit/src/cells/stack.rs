//! Reads labels over time from pictures or arrays.

use glauber_data::arrays::{Array, ReadLimits, read_arrays};
use glauber_data::images::{ImageLimits, ImageStack, SeriesChoice, read_series};
use glauber_data::{DataError, DataErrorKind, FileKind};

use super::{CellsError, CellsRequest};

/// Labels, frames one after the other.
pub(super) struct LabelStack {
    pub(super) labels: Vec<i64>,
    /// Of a frame.
    pub(super) shape: Vec<usize>,
    pub(super) notes: Vec<String>,
}

pub(super) fn read(request: &CellsRequest) -> Result<LabelStack, CellsError> {
    let path = &request.labels;
    if !path.is_dir() && FileKind::of(path)?.holds_arrays() {
        return of_array(request);
    }
    let choice = SeriesChoice { channel: request.channel.clone(), slice: None, depth: request.depth };
    let series = read_series(path, &choice, ImageLimits::default())?;
    let labels = series.stack.labels(path)?;
    let shape = series.shape(request.depth)[1..].to_vec();
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

/// Keys of fit files as options of the command.
fn in_options(note: &str) -> String {
    note.replace("`data.channel`", "--channel").replace("`data.slice`", "--depth")
}

fn of_array(request: &CellsRequest) -> Result<LabelStack, CellsError> {
    let path = &request.labels;
    let mut arrays = read_arrays(path, ReadLimits::default())?;
    let wanted = request.array.as_deref();
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
    let shape = array.shape().to_vec();
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

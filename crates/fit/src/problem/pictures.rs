//! Reads pictures as the states of a model's layer: which series of them, and what their numbers mean.
//!
//! A layer of two states takes the larger of two values, labels, or what is brighter than a threshold
//! ([`ImageStack::inside`]); every other layer takes the numbers of the file as they are.

use std::path::Path;

use glauber_data::arrays::{Array, Values as ArrayValues};
use glauber_data::images::{
    ImageLimits, ImageStack, Pick, Series, SeriesChoice, Threshold, read_images, read_series,
};
use glauber_lattice::Values;
use glauber_program::{Layer, Model};

use super::words::notes_about;
use crate::error::JobError;
use crate::fit_file::{ColumnName, FitFile};

/// Pictures as states.
pub(crate) struct Pictures {
    /// By the layer's name, `[time, …lattice]`.
    pub(crate) array: (String, Array),
    /// For each time how many of the usual spacings after the first it was seen; none where that is 0, 1, 2 …
    pub(crate) positions: Option<Vec<u32>>,
    pub(crate) notes: Vec<String>,
}

/// A series of pictures as the states of the layer that `data.layer` names, else of the first.
///
/// # Errors
/// [`JobError`] where they cannot be read, or there is no telling what is meant by them.
pub(crate) fn pictures(file: &FitFile, model: &Model, path: &Path) -> Result<Pictures, JobError> {
    let shape = model.declarations().lattice.shape();
    let depth = (shape.len() == 3).then(|| shape[0]);
    let pick = |chosen: &Option<ColumnName>| {
        chosen.as_ref().map(|chosen| match chosen {
            ColumnName::Name(name) => Pick::Name(name.clone()),
            ColumnName::Number(number) => Pick::Number(*number as usize),
        })
    };
    let choice = SeriesChoice { channel: pick(&file.data.channel), slice: pick(&file.data.slice), depth };
    let series = read_series(path, &choice, ImageLimits::default())?;
    let layer = match &*file.data.layer {
        Some(name) => model.layer(name).map_err(|e| file.wrong("data.layer", e.to_string()))?,
        None => 0,
    };
    let layer = &model.declarations().layers[layer];
    let mut notes = series.stack.notes().to_vec();
    let read = positions(file, &series, path).and_then(|(positions, of_times)| {
        notes.extend(of_times);
        let array = lattices(file, layer, &series.stack, series.shape(depth), path, &mut notes)?;
        Ok((positions, array))
    });
    let (positions, array) = read.map_err(|error| error.after(notes_about(path, &notes)))?;
    Ok(Pictures { array: (layer.name.clone(), array), positions, notes: notes_about(path, &notes) })
}

/// One lattice for each layer: a file or folder with one plane a layer, in the model's order.
///
/// # Errors
/// [`JobError`] where there are not as many planes, or they cannot be read.
pub(crate) fn picture_of_each_layer(
    file: &FitFile,
    model: &Model,
    path: &Path,
) -> Result<(Vec<(String, Array)>, Vec<String>), JobError> {
    let stack = read_images(path, ImageLimits::default())?;
    let mut notes = stack.notes().to_vec();
    let arrays = of_each_layer(file, model, path, &stack, &mut notes);
    let arrays = arrays.map_err(|error| error.after(notes_about(path, &notes)))?;
    Ok((arrays, notes_about(path, &notes)))
}

fn of_each_layer(
    file: &FitFile,
    model: &Model,
    path: &Path,
    stack: &ImageStack,
    notes: &mut Vec<String>,
) -> Result<Vec<(String, Array)>, JobError> {
    let layers = &model.declarations().layers;
    let mut arrays = Vec::new();
    for (place, layer) in layers.iter().enumerate() {
        // One layer takes all planes: those of a lattice with three axes, or what the caller will refuse.
        let own = if layers.len() == 1 { Some(stack.clone()) } else { stack.one_plane(place) };
        let Some(own) = own.filter(|_| layers.len() == 1 || stack.planes() == layers.len()) else {
            let names: Vec<&str> = layers.iter().map(|l| l.name.as_str()).collect();
            let message = format!(
                "{}: it holds {} lattices, but the model has {} layers, `{}`: give one for each, in this order (an NPZ \
                 with these names, an NPY, or a folder of images)",
                path.display(),
                stack.planes(),
                layers.len(),
                names.join("`, `")
            );
            return Err(file.wrong("data", message).into());
        };
        let shape = match model.declarations().lattice.dimensions() {
            3 => vec![1, own.planes(), own.height(), own.width()],
            _ => vec![own.planes(), own.height(), own.width()],
        };
        arrays.push((layer.name.clone(), lattices(file, layer, &own, shape, path, notes)?));
    }
    Ok(arrays)
}

/// The values of a layer.
fn lattices(
    file: &FitFile,
    layer: &Layer,
    stack: &ImageStack,
    shape: Vec<usize>,
    path: &Path,
    notes: &mut Vec<String>,
) -> Result<Array, JobError> {
    let two_states = layer.values.is_integer() && layer.values.range() == (0.0, 1.0);
    let values = if two_states {
        let threshold = Threshold { given: *file.data.threshold, key: "data.threshold" };
        let found = stack.inside(threshold, path)?;
        notes.extend(found.notes);
        ArrayValues::U8(found.inside.iter().map(|inside| u8::from(*inside != *file.data.invert)).collect())
    } else {
        stack.check_all_there(path)?;
        if let Some(colours) = stack.table_colours() {
            notes.insert(0, colours_in_words(layer, &colours));
        }
        stack.array().values().clone()
    };
    Array::new(shape, values).map_err(|e| file.wrong("data", e.to_string()).into())
}

/// Which colours of a table were taken for which states.
fn colours_in_words(layer: &Layer, colours: &[(usize, [u8; 3])]) -> String {
    const SHOWN: usize = 8;
    let one = |(number, [red, green, blue]): &(usize, [u8; 3])| {
        let name = match &layer.values {
            Values::Categories(names) => names.get(*number).map(|name| format!(" as `{name}`")),
            _ => None,
        };
        format!("#{red:02x}{green:02x}{blue:02x} is {number}{}", name.unwrap_or_default())
    };
    let mut said: Vec<String> = colours.iter().take(SHOWN).map(one).collect();
    if colours.len() > SHOWN {
        said.push(format!("and {} more", colours.len() - SHOWN));
    }
    format!(
        "its colours are numbers in a table, which were taken for the states of `{}`, whatever the colours: {}; if \
         that is another order, save a grey picture whose values are the states",
        layer.name,
        said.join(", ")
    )
}

/// Where the names in a folder skip numbers, the place of each time among all that there should be.
///
/// # Errors
/// [`JobError`] where all numbers are multiples of another than 1, and nothing says how many steps that is.
fn positions(
    file: &FitFile,
    series: &Series,
    path: &Path,
) -> Result<(Option<Vec<u32>>, Option<String>), JobError> {
    let Some(step) = series.step() else { return Ok((None, None)) };
    let frames = series.frames.as_deref().unwrap_or_default();
    let (first, chosen) = (frames.first().copied().unwrap_or(0), &file.data.frames);
    let one = chosen.first.is_some() && chosen.first == chosen.last;
    if step > 1 && !one && file.data.interval.is_none() && file.data.step_time.is_none() {
        let message = format!(
            "{}: the numbers in the names go up by {step}, and nothing says whether such neighbours are one step or {step} \
             steps apart: give `data.interval = {step}.0` and `data.step-time = 1.0` where they are {step}, or 1.0 for both where \
             they are one",
            path.display()
        );
        return Err(file.wrong("data.states", message).into());
    }
    let places: Vec<u32> =
        frames.iter().map(|n| ((n - first) / step).min(u64::from(u32::MAX)) as u32).collect();
    Ok(match series.gap() {
        Some(gap) => {
            let note =
                format!("{gap}; what lies on either side of a gap was not taken for neighbours in time");
            (Some(places), Some(note))
        }
        None if step > 1 => (
            None,
            Some(format!(
                "the numbers in the names go up by {step}, which `data.interval` stands for: pictures were taken for \
                 neighbours in time"
            )),
        ),
        None => (None, None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_a_table_are_said_with_their_states() {
        let names = ["empty", "tree", "fire"].map(str::to_owned).to_vec();
        let layer = Layer::new("wood", Values::Categories(names));
        let said = colours_in_words(&layer, &[(0, [0, 0, 0]), (1, [255, 0, 0]), (2, [0, 128, 0])]);
        assert!(said.contains("#ff0000 is 1 as `tree`, #008000 is 2 as `fire`"), "{said}");
    }
}

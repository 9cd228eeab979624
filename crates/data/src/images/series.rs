//! Reads pictures as one series in time: of a file or folder with several channels or slices, the one that is chosen.

use super::axes::{Axes, Axis};
use super::folder::read_chosen;
use super::refusal::Refusal;
use super::stack::ImageStack;
use super::{ImageLimits, read_picture};
use crate::DataError;
use crate::arrays::Array;
use glauber_names::{Pick, SeriesChoice};
use glauber_names::{gap_note, step_of};
use std::path::Path;

/// Pictures at successive times.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The planes: slices one after the other within each time.
    pub stack: ImageStack,
    /// How many slices a time has.
    pub slices: usize,
    /// The number of each time in the names of a folder's pictures, where they have one.
    pub frames: Option<Vec<u64>>,
    /// The name of each time's first picture in a folder.
    names: Vec<String>,
}

impl Series {
    /// How many times there are.
    pub fn times(&self) -> usize {
        self.stack.planes() / self.slices.max(1)
    }

    /// The difference between the numbers of neighbours in time; none where there are no numbers.
    pub fn step(&self) -> Option<u64> {
        self.frames.as_deref().map(step_of).filter(|step| *step > 0)
    }

    /// A sentence on the first gap in the numbers, where there is one.
    pub fn gap(&self) -> Option<String> {
        gap_note(self.frames.as_deref()?, &self.names)
    }

    /// The shape of all states: `[time, y, x]`, or `[time, z, y, x]` where a time has several slices.
    pub fn shape(&self, depth: Option<usize>) -> Vec<usize> {
        let (height, width) = (self.stack.height(), self.stack.width());
        match depth {
            Some(_) => vec![self.times(), self.slices, height, width],
            None => vec![self.stack.planes(), height, width],
        }
    }
}

/// Reads a picture, a stack or a folder of pictures as states at successive times.
///
/// What a TIFF file (ImageJ, OME, tifffile) or the names in a folder say of channels, slices and times is obeyed.
///
/// # Errors
/// Those of [`super::read_images`]; also if there are several channels, slices or positions and nothing says which is
/// meant.
pub fn read_series(
    path: impl AsRef<Path>,
    choice: &SeriesChoice,
    limits: ImageLimits,
) -> Result<Series, DataError> {
    let path = path.as_ref();
    if path.is_dir() {
        let (stack, arranged) = read_chosen(path, choice, limits)?;
        let frames = arranged.frames.filter(|frames| frames.len() > 1);
        return Ok(Series { stack, slices: arranged.slices, frames, names: arranged.names });
    }
    let picture = read_picture(path, Some(choice), limits)?;
    let (axes, picked_sample) = (picture.axes.clone(), picture.picked_sample);
    let mut stack = ImageStack::new(picture, path)?;
    let choice =
        if picked_sample { SeriesChoice { channel: None, ..choice.clone() } } else { choice.clone() };
    let axes = axes.unwrap_or_else(|| Axes::new(vec![(Axis::Time, stack.planes())], ""));
    let selected = select(&axes, stack.planes(), &choice);
    let selected = selected.map_err(|refusal| refusal.in_file(path).after(stack.notes.clone()))?;
    let Selected { planes, slices, notes } = selected;
    if !planes.iter().copied().eq(0..stack.planes()) {
        stack.array = picked_planes(&stack.array, &planes);
    }
    stack.notes.extend(notes);
    Ok(Series { stack, slices, frames: None, names: Vec::new() })
}

/// Some planes of a stack, in this order.
fn picked_planes(array: &Array, planes: &[usize]) -> Array {
    let mut picked: Option<crate::arrays::Values> = None;
    for plane in planes {
        let Some(own) = array.outer_slice(&[*plane]).map(|slice| slice.to_values()) else { continue };
        match &mut picked {
            None => picked = Some(own),
            // Planes of one array are of one type.
            Some(all) => drop(super::stack::append(all, own)),
        }
    }
    let mut shape = array.shape().to_vec();
    shape[0] = planes.len();
    picked.and_then(|values| Array::new(shape, values).ok()).unwrap_or_else(|| array.clone())
}

struct Selected {
    planes: Vec<usize>,
    slices: usize,
    notes: Vec<String>,
}

/// What an axis is used for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Time,
    Depth,
    At(usize),
}

/// Which planes are read, times slowest.
fn select(axes: &Axes, pages: usize, choice: &SeriesChoice) -> Result<Selected, Refusal> {
    let mut notes = Vec::new();
    if axes.planes() < pages {
        notes.push(format!(
            "{} speaks of {} planes, and the file holds {pages}: those it does not speak of were left out",
            axes.said_by,
            axes.planes()
        ));
    }
    for (axis, key, pick) in
        [(Axis::Channel, "channel", &choice.channel), (Axis::Slice, "slice", &choice.slice)]
    {
        let length = axes.length(&axis);
        match pick {
            Some(Pick::Number(0)) => {}
            Some(Pick::Name(name)) if name == "time" => {}
            Some(_) if length == 1 => {
                return Err(Refusal::unsupported(
                    format!("does not say that it has several {key}s"),
                    format!("leave out `data.{key}`"),
                ));
            }
            _ => {}
        }
    }
    let mut uses = Vec::new();
    for (axis, length) in &axes.lengths {
        uses.push(use_of(axes, axis, *length, choice, &mut notes)?);
    }
    if uses.iter().filter(|own| **own == Use::Time).count() > 1 {
        return Err(ask(axes, "choose one by `data.channel` or `data.slice`"));
    }
    whole_depth(axes, &mut uses, choice, &mut notes);
    let lengths: Vec<usize> = axes.lengths.iter().map(|(_, n)| *n).collect();
    let along = |wanted: Use| uses.iter().position(|own| *own == wanted).map_or(1, |at| lengths[at]);
    let (times, slices) = (along(Use::Time), along(Use::Depth));
    let mut planes = Vec::with_capacity(times * slices);
    for time in 0..times {
        for slice in 0..slices {
            let place = uses.iter().zip(&lengths).fold(0, |place, (own, length)| {
                place * length
                    + match own {
                        Use::Time => time,
                        Use::Depth => slice,
                        Use::At(at) => *at,
                    }
            });
            planes.push(axes.order.as_ref().map_or(place, |order| order[place]));
        }
    }
    if planes.iter().any(|plane| *plane >= pages) {
        return Err(Refusal::damaged("speaks of planes that it does not hold"));
    }
    Ok(Selected { planes, slices, notes })
}

fn use_of(
    axes: &Axes,
    axis: &Axis,
    length: usize,
    choice: &SeriesChoice,
    notes: &mut Vec<String>,
) -> Result<Use, Refusal> {
    let alone = axes.lengths.len() == 1;
    let (key, pick) = match axis {
        Axis::Time => return Ok(Use::Time),
        Axis::Channel => ("channel", &choice.channel),
        Axis::Slice => ("slice", &choice.slice),
        Axis::Other(_) if alone => {
            notes.push(format!("its {} were taken for times", axis.words(length)));
            return Ok(Use::Time);
        }
        Axis::Other(_) => {
            return Err(ask(
                axes,
                "save one series as a file of its own, or name the axes (tifffile: metadata={'axes': 'TCYX'})",
            ));
        }
    };
    match pick {
        Some(Pick::Number(number)) if *number < length => {
            notes.push(format!("{key} {number} of {length} was read"));
            Ok(Use::At(*number))
        }
        Some(Pick::Name(name)) if name == "time" => Ok(Use::Time),
        None if *axis == Axis::Slice && choice.depth.is_some() => Ok(Use::Depth),
        // ImageJ calls the planes of every stack slices until somebody says otherwise.
        None if *axis == Axis::Slice && alone && axes.said_by.starts_with("ImageJ") => {
            notes.push(format!("ImageJ calls its {length} planes slices; they were taken for times"));
            Ok(Use::Time)
        }
        Some(pick) => Err(Refusal::unsupported(
            format!(
                "has no {key} {pick}: it says ({}) that its {} planes are {axes}",
                axes.said_by,
                axes.planes()
            ),
            format!("give `data.{key}` as a number from 0 to {}", length - 1),
        )),
        None => {
            let others = axes.lengths.iter().any(|(other, _)| *other == Axis::Time);
            let or = if others {
                String::new()
            } else {
                format!(", or give `data.{key} = \"time\"` where they are times")
            };
            Err(ask(axes, &format!("choose one by `data.{key}` (0 to {}){or}", length - 1)))
        }
    }
}

/// A lattice with three axes takes the planes of a file that says nothing of slices for the slices of one state, if they
/// are as many.
fn whole_depth(axes: &Axes, uses: &mut [Use], choice: &SeriesChoice, notes: &mut Vec<String>) {
    let Some(depth) = choice.depth else { return };
    let time = uses.iter().position(|own| *own == Use::Time);
    if let Some(time) = time.filter(|time| !uses.contains(&Use::Depth) && axes.lengths[*time].1 == depth) {
        uses[time] = Use::Depth;
        notes.push(format!("its {depth} planes were taken for the slices of one state"));
    }
}

fn ask(axes: &Axes, remedy: &str) -> Refusal {
    Refusal::unsupported(
        format!("says ({}) that its {} planes are {axes}", axes.said_by, axes.planes()),
        remedy,
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn axes(lengths: &[(Axis, usize)]) -> Axes {
        Axes::new(lengths.to_vec(), "OME")
    }

    fn pick(number: usize) -> Option<Pick> {
        Some(Pick::Number(number))
    }

    #[test]
    fn one_channel_or_slice_is_taken_from_its_places() {
        let own = axes(&[(Axis::Time, 3), (Axis::Slice, 2), (Axis::Channel, 2)]);
        let choice = SeriesChoice { channel: pick(1), slice: pick(0), depth: None };
        assert_eq!(select(&own, 12, &choice).unwrap().planes, [1, 5, 9]);
        let choice = SeriesChoice { channel: pick(1), slice: None, depth: Some(2) };
        let found = select(&own, 12, &choice).unwrap();
        assert_eq!((found.planes, found.slices), (vec![1, 3, 5, 7, 9, 11], 2));
        assert!(select(&own, 12, &SeriesChoice { channel: pick(2), ..choice }).is_err());
    }

    #[test]
    fn only_what_can_be_given_is_offered_and_what_is_none_is_named() {
        let told = |lengths: &[(Axis, usize)], choice: &SeriesChoice| {
            let own = axes(lengths);
            let refusal = select(&own, own.planes(), choice).err().unwrap();
            refusal.in_file(Path::new("a")).to_string()
        };
        let timed = [(Axis::Time, 3), (Axis::Slice, 2)];
        let none = SeriesChoice::default();
        assert!(!told(&timed, &none).contains("\"time\""), "{}", told(&timed, &none));
        assert!(told(&timed[1..], &none).contains("`data.slice = \"time\"`"));
        let beyond = told(&timed, &SeriesChoice { slice: pick(2), ..SeriesChoice::default() });
        assert!(beyond.contains("has no slice 2") && beyond.contains("from 0 to 1"), "{beyond}");
        let word = Some(Pick::Name("dapi".into()));
        let word = told(&[(Axis::Channel, 2)], &SeriesChoice { channel: word, ..SeriesChoice::default() });
        assert!(word.contains("has no channel `dapi`"), "{word}");
    }

    #[test]
    fn several_channels_or_slices_are_asked_for() {
        for axis in [Axis::Channel, Axis::Slice, Axis::Other("P".into())] {
            let own = axes(&[(Axis::Time, 3), (axis, 2)]);
            let error = select(&own, 6, &SeriesChoice::default()).err().unwrap();
            assert!(!error.in_file(Path::new("a")).remedy().is_empty());
        }
        let alone = axes(&[(Axis::Channel, 2)]);
        assert!(select(&alone, 2, &SeriesChoice::default()).is_err());
        let time = SeriesChoice { channel: Some(Pick::Name("time".into())), ..SeriesChoice::default() };
        assert_eq!(select(&alone, 2, &time).unwrap().planes, [0, 1]);
        assert!(select(&axes(&[(Axis::Time, 3)]), 3, &SeriesChoice { channel: pick(1), ..time }).is_err());
    }

    #[test]
    fn imagejs_plain_stacks_are_series_and_said_to_be() {
        let own = Axes::new(vec![(Axis::Slice, 4)], "ImageJ");
        let found = select(&own, 4, &SeriesChoice::default()).unwrap();
        assert_eq!(found.planes, [0, 1, 2, 3]);
        assert!(found.notes[0].contains("taken for times"));
        let deep = SeriesChoice { depth: Some(4), ..SeriesChoice::default() };
        assert_eq!(select(&own, 4, &deep).unwrap().slices, 4);
    }

    #[test]
    fn planes_in_another_order_are_found() {
        let mut own = axes(&[(Axis::Time, 3), (Axis::Channel, 2)]);
        own.order = Some(vec![0, 3, 1, 4, 2, 5]);
        let choice = SeriesChoice { channel: pick(1), ..SeriesChoice::default() };
        assert_eq!(select(&own, 6, &choice).unwrap().planes, [3, 4, 5]);
    }
}

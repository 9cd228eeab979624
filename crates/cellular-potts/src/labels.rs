//! Makes a movie of cells from arrays of labels, with types by a table or by ranges, and says what is odd about it.
//!
//! Labels may be any whole numbers from 0 (the medium) on; they are numbered anew without gaps, and [`Movie::name`] has
//! the label as it was given. Nothing is repaired in silence: what cannot be meant is an error, what is unusual a note.

use crate::cells::{Cells, CellsError};
use crate::surroundings::{OUTSIDE, Surroundings};
use glauber_lattice::{Boundary, Lattice};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// How labels get their types.
#[derive(Clone, Debug, PartialEq)]
pub enum TypesOf {
    /// Every cell has type 1.
    One,
    /// By ranges of labels, none of which gives a label another type than the others.
    Ranges(Vec<(RangeInclusive<i64>, u8)>),
    /// By label.
    Table(Vec<(i64, u8)>),
}

/// What is wrong with a movie of labels.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LabelsError {
    /// No movie.
    #[error("{0} frame of labels: a movie needs two or more")]
    TooFew(usize),
    /// Numbers left over.
    #[error("{values} labels are no whole number of frames of {sites} sites ({lattice})")]
    Length {
        /// Labels given.
        values: usize,
        /// Sites of a frame.
        sites: usize,
        /// The lattice in words.
        lattice: String,
    },
    /// A label below 0.
    #[error("label {label} in frame {frame}, {place}: labels are 0 for the medium and positive for cells")]
    Negative {
        /// The label.
        label: i64,
        /// Which frame, from 0.
        frame: usize,
        /// Where in it.
        place: String,
    },
    /// A frame without cells.
    #[error(
        "frame {0} has no cell at all, only 0: leave it out, or see whether the labels are another channel or array"
    )]
    Empty(usize),
    /// Labels without a type.
    #[error(
        "the types do not say what label {label} is, which frame {frame} has first{}: add it to the types",
        more(*.others)
    )]
    NoType {
        /// The first label without.
        label: i64,
        /// The frame in which it is first seen.
        frame: usize,
        /// How many labels more have none.
        others: usize,
    },
    /// A label of two types.
    #[error("the types give label {label} both type {first} and type {second}")]
    TwoTypes {
        /// The label.
        label: i64,
        /// The type it has first.
        first: u8,
        /// The other.
        second: u8,
    },
    /// Type 0 is the medium's.
    #[error(
        "the types give label {label} type {kind}: cells have types from 1 on, and label 0 is the medium, of type 0"
    )]
    MediumType {
        /// The label.
        label: i64,
        /// Its type.
        kind: u8,
    },
    /// Types and labels do not fit.
    #[error("{0}")]
    Cells(#[from] CellsError),
    /// A coarsening that does not fit.
    #[error("blocks of {by} do not fit axis {axis} of length {length}: {why}")]
    Coarsening {
        /// Sites of a block along an axis.
        by: usize,
        /// Which axis, counted as in the shape.
        axis: usize,
        /// Its length.
        length: usize,
        /// What would help.
        why: &'static str,
    },
}

fn more(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " (and 1 label more)".into(),
        n => format!(" (and {n} labels more)"),
    }
}

/// One frame of labels as cells to start from.
#[derive(Clone, Debug, PartialEq)]
pub struct StartingLabels {
    /// The cells, numbered without gaps.
    pub cells: Cells,
    /// By number the label that a cell was given with, the medium's 0 first.
    pub names: Vec<i64>,
    /// What is unusual, in words.
    pub notes: Vec<String>,
}

impl StartingLabels {
    /// Of the labels of one frame, in site order.
    ///
    /// # Errors
    /// [`LabelsError`]: negative labels, labels without a type, no cell at all, more or fewer labels than sites.
    ///
    /// ```
    /// use glauber_cellular_potts::{StartingLabels, TypesOf};
    /// use glauber_lattice::Lattice;
    /// let types = TypesOf::Table(vec![(7, 2), (40, 1)]);
    /// let labels = [0, 7, 7, 40, 40, 0, 0, 0, 0];
    /// let start = StartingLabels::read(Lattice::new(&[3, 3])?, &labels, &types)?;
    /// assert_eq!((start.cells.labels(), &start.names[..]), (&[0, 1, 1, 2, 2, 0, 0, 0, 0][..], &[0, 7, 40][..]));
    /// assert_eq!(start.cells.types(), [0, 2, 1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(lattice: Lattice, values: &[i64], types: &TypesOf) -> Result<StartingLabels, LabelsError> {
        let sites = lattice.sites();
        if values.len() != sites {
            return Err(LabelsError::Length { values: values.len(), sites, lattice: lattice.to_string() });
        }
        let Numbered { names, types, mut frames, mut notes } = numbered(&lattice, values, types)?;
        let cells = Cells::new(lattice, frames.pop().unwrap_or_default(), types)?;
        let pieces = pieces(cells.labels(), &Surroundings::new(cells.lattice()), names.len());
        let cut: BTreeSet<u32> = (1..names.len()).filter(|&n| pieces[n] > 1).map(|n| n as u32).collect();
        if !cut.is_empty() {
            notes.push(format!("{} in two or more pieces", in_words(&names, &cut)));
        }
        Ok(StartingLabels { cells, names, notes })
    }
}

/// Frames of labels, one step apart, and the types of all their cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Movie {
    lattice: Lattice,
    types: Vec<u8>,
    names: Vec<i64>,
    frames: Vec<Vec<u32>>,
    /// Which frame of those that were given each one is.
    numbers: Vec<usize>,
    notes: Vec<String>,
    /// How many of the notes, the first ones, are not of the frames; none is where nothing was looked for.
    lasting: Option<usize>,
}

impl Movie {
    /// Of labels that count from 1 without gaps; types by label.
    ///
    /// # Errors
    /// [`LabelsError`] where there are fewer than two frames, or labels and types do not fit.
    pub fn new(lattice: Lattice, types: Vec<u8>, frames: Vec<Vec<u32>>) -> Result<Movie, LabelsError> {
        if frames.len() < 2 {
            return Err(LabelsError::TooFew(frames.len()));
        }
        for frame in &frames {
            Cells::new(lattice.clone(), frame.clone(), types.clone())?;
        }
        let names = (0..types.len() as i64).collect();
        let numbers = (0..frames.len()).collect();
        Ok(Movie { lattice, types, names, frames, numbers, notes: Vec::new(), lasting: None })
    }

    /// Of an array of labels, frames one after the other.
    ///
    /// # Errors
    /// [`LabelsError`]: negative labels, labels without a type, frames without a cell, fewer than two frames.
    pub fn read(lattice: Lattice, values: &[i64], types: &TypesOf) -> Result<Movie, LabelsError> {
        let sites = lattice.sites();
        if values.len() % sites != 0 {
            return Err(LabelsError::Length { values: values.len(), sites, lattice: lattice.to_string() });
        }
        if values.len() < 2 * sites {
            return Err(LabelsError::TooFew(values.len() / sites));
        }
        let Numbered { names, types, frames, notes } = numbered(&lattice, values, types)?;
        if let Some(first) = frames.first() {
            Cells::new(lattice.clone(), first.clone(), types.clone())?;
        }
        let (numbers, lasting) = ((0..frames.len()).collect(), Some(notes.len()));
        Ok(Movie { lattice, types, names, frames, numbers, notes, lasting }.looked_at())
    }

    /// With notes on the frames that it has now.
    fn looked_at(mut self) -> Movie {
        if let Some(lasting) = self.lasting {
            self.notes.truncate(lasting);
            let odd = self.oddities();
            self.notes.extend(odd);
        }
        self
    }

    /// Some of the frames, by their places.
    fn kept(&self, places: impl Iterator<Item = usize>) -> Result<Movie, LabelsError> {
        let places: Vec<usize> = places.filter(|place| *place < self.frames.len()).collect();
        if places.len() < 2 {
            return Err(LabelsError::TooFew(places.len()));
        }
        let frames = places.iter().map(|place| self.frames[*place].clone()).collect();
        let numbers = places.iter().map(|place| self.numbers[*place]).collect();
        let (lattice, types, names) = (self.lattice.clone(), self.types.clone(), self.names.clone());
        let (notes, lasting) = (self.notes.clone(), self.lasting);
        Ok(Movie { lattice, types, names, frames, numbers, notes, lasting }.looked_at())
    }

    /// Cells that appear where there was none of them: the cell, and the number of the frame that has it first.
    pub(crate) fn newcomers(&self) -> Vec<(i64, usize)> {
        let mut seen = vec![false; self.types.len()];
        let mut new = Vec::new();
        for (place, frame) in self.frames.iter().enumerate() {
            for label in frame.iter().map(|label| *label as usize) {
                if !seen[label] {
                    seen[label] = true;
                    if place > 0 && label > 0 {
                        new.push((self.names[label], self.numbers[place]));
                    }
                }
            }
        }
        new
    }

    /// The sites.
    pub fn lattice(&self) -> &Lattice {
        &self.lattice
    }

    /// By label, `[0]` being the medium's.
    pub fn types(&self) -> &[u8] {
        &self.types
    }

    /// The labels by time.
    pub fn frames(&self) -> &[Vec<u32>] {
        &self.frames
    }

    /// What is unusual, in words.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The label that a cell was given with.
    pub fn name(&self, label: u32) -> Option<i64> {
        self.names.get(label as usize).copied()
    }

    /// How many types of cells there are: the highest type.
    pub fn kinds(&self) -> usize {
        self.types.iter().copied().max().unwrap_or(0).into()
    }

    /// One frame as cells; `None` beyond the last.
    pub fn cells(&self, frame: usize) -> Option<Cells> {
        Cells::new(self.lattice.clone(), self.frames.get(frame)?.clone(), self.types.clone()).ok()
    }

    /// Some of the frames.
    ///
    /// # Errors
    /// [`LabelsError::TooFew`] where fewer than two are left.
    pub fn part(&self, frames: std::ops::Range<usize>) -> Result<Movie, LabelsError> {
        self.kept(frames.start..frames.end.min(self.frames.len()))
    }

    /// Every `stride`-th frame, as if they were one step apart.
    ///
    /// # Errors
    /// [`LabelsError::TooFew`] where fewer than two are left.
    pub fn every(&self, stride: usize) -> Result<Movie, LabelsError> {
        self.kept((0..self.frames.len()).step_by(stride.max(1)))
    }

    /// Blocks of `by` sites along each axis as one site of their most frequent label; of equally frequent ones, that of
    /// the block's first site among them. Sites that fill no block at the end of a fixed axis are left out, and it is said.
    ///
    /// # Errors
    /// [`LabelsError::Coarsening`] where blocks do not close around a periodic axis, or an axis has no whole block.
    pub fn coarsened(&self, by: usize) -> Result<Movie, LabelsError> {
        let by = by.max(1);
        let (shape, skipped) = (self.lattice.shape(), 3 - self.lattice.dimensions());
        let boundaries = self.lattice.boundaries();
        let mut notes: Vec<String> =
            self.notes[..self.lasting.unwrap_or(self.notes.len()).min(self.notes.len())].to_vec();
        for (axis, length) in shape.iter().copied().enumerate() {
            let wrong = |why| LabelsError::Coarsening { by, axis, length, why };
            if boundaries[axis + skipped] == Boundary::Periodic && length % by != 0 {
                return Err(wrong("a periodic axis must be a whole number of blocks"));
            }
            if length < by {
                return Err(wrong("the axis is shorter than a block"));
            }
            if length % by != 0 {
                let left = length % by;
                notes.push(format!(
                    "the last {left} sites of axis {axis} fill no block of {by} and were left out"
                ));
            }
        }
        let coarse_shape: Vec<usize> = shape.iter().map(|length| length / by).collect();
        let Ok(mut lattice) = Lattice::new(&coarse_shape) else {
            return Err(LabelsError::Coarsening { by, axis: 0, length: shape[0], why: "nothing is left" });
        };
        for axis in 0..shape.len() {
            lattice = lattice.along(axis, boundaries[axis + skipped]);
        }
        let (fine, coarse) = (self.lattice.extent(), lattice.extent());
        let reach = |axis: usize| if axis < skipped { 1 } else { by };
        let mut counts: Vec<(u32, usize)> = Vec::new();
        let mut majority = |frame: &[u32], z: usize, y: usize, x: usize| {
            counts.clear();
            for dz in 0..reach(0) {
                for dy in 0..reach(1) {
                    for dx in 0..reach(2) {
                        let (z, y, x) = (z * reach(0) + dz, y * reach(1) + dy, x * reach(2) + dx);
                        let label = frame[(z * fine[1] + y) * fine[2] + x];
                        match counts.iter_mut().find(|(known, _)| *known == label) {
                            Some((_, count)) => *count += 1,
                            None => counts.push((label, 1)),
                        }
                    }
                }
            }
            let most = counts.iter().map(|(_, count)| *count).max();
            counts.iter().find(|(_, count)| Some(*count) == most).map_or(0, |(label, _)| *label)
        };
        let mut frames = Vec::with_capacity(self.frames.len());
        for frame in &self.frames {
            let mut labels = Vec::with_capacity(lattice.sites());
            for z in 0..coarse[0] {
                for y in 0..coarse[1] {
                    for x in 0..coarse[2] {
                        labels.push(majority(frame, z, y, x));
                    }
                }
            }
            frames.push(labels);
        }
        let (types, names, numbers) = (self.types.clone(), self.names.clone(), self.numbers.clone());
        let lasting = self.lasting.map(|_| notes.len());
        Ok(Movie { lattice, types, names, frames, numbers, notes, lasting }.looked_at())
    }

    /// Cells in pieces, that jump, come, go; frames that repeat.
    fn oddities(&self) -> Vec<String> {
        let around = Surroundings::new(&self.lattice);
        let mut notes = Vec::new();
        let (mut in_pieces, mut jumped): (BTreeSet<u32>, BTreeSet<u32>) = Default::default();
        let (mut came, mut went): (BTreeSet<u32>, BTreeSet<u32>) = Default::default();
        let mut pieces_in: BTreeSet<usize> = BTreeSet::new();
        let mut repeated = Vec::new();
        let mut before: Option<(&Vec<u32>, Vec<usize>)> = None;
        for (time, frame) in self.numbers.iter().copied().zip(&self.frames) {
            let mut volumes = vec![0usize; self.types.len()];
            frame.iter().for_each(|label| volumes[*label as usize] += 1);
            let pieces = pieces(frame, &around, self.types.len());
            for label in (1..pieces.len()).filter(|label| pieces[*label] > 1) {
                in_pieces.insert(label as u32);
                pieces_in.insert(time);
            }
            if let Some((earlier, earlier_volumes)) = &before {
                if *earlier == frame {
                    repeated.push(time);
                }
                let mut kept = vec![0usize; self.types.len()];
                for (old, new) in earlier.iter().zip(frame).filter(|(old, new)| old == new) {
                    kept[*old as usize] += usize::from(new == old);
                }
                for label in 1..self.types.len() {
                    match (earlier_volumes[label], volumes[label]) {
                        (0, 0) => {}
                        (0, _) => {
                            came.insert(label as u32);
                        }
                        (_, 0) => {
                            went.insert(label as u32);
                        }
                        // Small cells may move off their few sites.
                        (old, new) if kept[label] == 0 && old.min(new) > 4 => {
                            jumped.insert(label as u32);
                        }
                        _ => {}
                    }
                }
            }
            before = Some((frame, volumes));
        }
        let named = |labels: &BTreeSet<u32>| in_words(&self.names, labels);
        if !in_pieces.is_empty() {
            let frames: Vec<String> = pieces_in.iter().take(5).map(usize::to_string).collect();
            let dots = if pieces_in.len() > 5 { ", …" } else { "" };
            notes.push(format!(
                "{} in two or more pieces (frames {}{dots}): volumes and perimeters are those of all pieces together",
                named(&in_pieces),
                frames.join(", ")
            ));
        }
        if !jumped.is_empty() {
            notes.push(format!(
                "{} in two successive frames without a site in common: the labels jump, or the frames are far apart; see whether labels are the same cell's in every frame",
                named(&jumped)
            ));
        }
        if !went.is_empty() {
            notes.push(format!("{} not there any more in a later frame", named(&went)));
        }
        if !came.is_empty() {
            notes.push(format!(
                "{} not there in an earlier frame: no step of the model makes a cell, so these are impossible moves",
                named(&came)
            ));
        }
        if !repeated.is_empty() {
            let frames: Vec<String> = repeated.iter().take(5).map(usize::to_string).collect();
            let dots = if repeated.len() > 5 { ", …" } else { "" };
            notes.push(format!("frames {}{dots} are those before them, unchanged", frames.join(", ")));
        }
        notes
    }
}

/// "cell 7 is", "cells 7, 9 and 3 others are".
fn in_words(names: &[i64], labels: &BTreeSet<u32>) -> String {
    let shown: Vec<String> = labels.iter().take(5).map(|label| names[*label as usize].to_string()).collect();
    match (shown.len(), labels.len()) {
        (1, 1) => format!("cell {} is", shown[0]),
        (few, all) if all > few => {
            format!("cells {} and {} others are", shown.join(", "), all - few)
        }
        _ => format!("cells {} are", shown.join(", ")),
    }
}

/// Labels numbered anew without gaps.
struct Numbered {
    names: Vec<i64>,
    types: Vec<u8>,
    frames: Vec<Vec<u32>>,
    notes: Vec<String>,
}

/// Frames of labels, one after the other, numbered in the order of the labels as given.
fn numbered(lattice: &Lattice, values: &[i64], types: &TypesOf) -> Result<Numbered, LabelsError> {
    let sites = lattice.sites();
    if let Some(at) = values.iter().position(|label| *label < 0) {
        let place = place_of(lattice, at % sites);
        return Err(LabelsError::Negative { label: values[at], frame: at / sites, place });
    }
    let frames = values.chunks_exact(sites);
    if let Some(empty) = frames.clone().position(|frame| frame.iter().all(|label| *label == 0)) {
        return Err(LabelsError::Empty(empty));
    }
    let mut first_seen: BTreeMap<i64, usize> = BTreeMap::new();
    for (frame, labels) in frames.clone().enumerate() {
        let mut last = 0;
        for label in labels.iter().copied().filter(|label| *label != 0) {
            if label != last {
                first_seen.entry(label).or_insert(frame);
                last = label;
            }
        }
    }
    let mut notes = Vec::new();
    let kinds = kinds(types, &first_seen, &mut notes)?;
    let names: Vec<i64> = std::iter::once(0).chain(first_seen.keys().copied()).collect();
    let number: BTreeMap<i64, u32> = names.iter().zip(0..).map(|(name, number)| (*name, number)).collect();
    let frames: Vec<Vec<u32>> = frames
        .map(|labels| {
            let mut last = (0, 0);
            let numbered = |label: &i64| {
                if *label != last.0 {
                    last = (*label, number.get(label).copied().unwrap_or(0));
                }
                last.1
            };
            labels.iter().map(numbered).collect()
        })
        .collect();
    let types: Vec<u8> = std::iter::once(0).chain(kinds).collect();
    Ok(Numbered { names, types, frames, notes })
}

/// The type of every label that was seen, in their order.
fn kinds(
    types: &TypesOf,
    first_seen: &BTreeMap<i64, usize>,
    notes: &mut Vec<String>,
) -> Result<Vec<u8>, LabelsError> {
    let mut table: BTreeMap<i64, u8> = BTreeMap::new();
    match types {
        TypesOf::One => {}
        TypesOf::Ranges(ranges) => {
            if let Some((range, kind)) = ranges.iter().find(|(_, kind)| *kind == 0) {
                return Err(LabelsError::MediumType { label: *range.start(), kind: *kind });
            }
            if let Some((_, kind)) = ranges.iter().find(|(range, _)| range.contains(&0)) {
                return Err(LabelsError::MediumType { label: 0, kind: *kind });
            }
            for (place, (range, second)) in ranges.iter().enumerate() {
                let meets = |own: &&(RangeInclusive<i64>, u8)| {
                    own.1 != *second && own.0.start() <= range.end() && range.start() <= own.0.end()
                };
                if let Some((own, first)) = ranges[..place].iter().find(meets) {
                    let label = *own.start().max(range.start());
                    return Err(LabelsError::TwoTypes { label, first: *first, second: *second });
                }
            }
        }
        TypesOf::Table(rows) => {
            for (label, kind) in rows.iter().copied() {
                if (label == 0) != (kind == 0) {
                    return Err(LabelsError::MediumType { label, kind });
                }
                match table.insert(label, kind) {
                    Some(first) if first != kind => {
                        return Err(LabelsError::TwoTypes { label, first, second: kind });
                    }
                    _ => {}
                }
            }
            let unseen: Vec<i64> = table
                .keys()
                .copied()
                .filter(|label| *label != 0 && !first_seen.contains_key(label))
                .collect();
            if let Some(first) = unseen.first() {
                let others = unseen.len() - 1;
                notes.push(format!(
                    "the types name label {first}{}, which no frame has",
                    if others > 0 { format!(" and {others} others") } else { String::new() }
                ));
            }
        }
    }
    let kind_of = |label: &i64| match types {
        TypesOf::One => Some(1),
        TypesOf::Ranges(ranges) => {
            ranges.iter().find(|(range, _)| range.contains(label)).map(|(_, kind)| *kind)
        }
        TypesOf::Table(_) => table.get(label).copied(),
    };
    let without: Vec<i64> = first_seen.keys().copied().filter(|label| kind_of(label).is_none()).collect();
    if let Some(label) = without.first().copied() {
        let frame = first_seen.get(&label).copied().unwrap_or(0);
        return Err(LabelsError::NoType { label, frame, others: without.len() - 1 });
    }
    Ok(first_seen.keys().filter_map(kind_of).collect())
}

/// "row 3, column 4".
fn place_of(lattice: &Lattice, site: usize) -> String {
    let [_, rows, columns] = lattice.extent();
    let (plane, row, column) = (site / (rows * columns), site / columns % rows, site % columns);
    match lattice.dimensions() {
        1 => format!("site {column}"),
        2 => format!("row {row}, column {column}"),
        _ => format!("plane {plane}, row {row}, column {column}"),
    }
}

/// How many pieces every label is in, by Moore neighbours.
fn pieces(frame: &[u32], around: &Surroundings, labels: usize) -> Vec<usize> {
    let mut seen = vec![false; frame.len()];
    let mut pieces = vec![0; labels];
    let mut open = Vec::new();
    for start in 0..frame.len() {
        let label = frame[start];
        if label == 0 || seen[start] {
            continue;
        }
        pieces[label as usize] += 1;
        seen[start] = true;
        open.push(start as u32);
        while let Some(site) = open.pop() {
            for next in around.of(site as usize).iter().copied().filter(|next| *next != OUTSIDE) {
                if frame[next as usize] == label && !seen[next as usize] {
                    seen[next as usize] = true;
                    open.push(next);
                }
            }
        }
    }
    pieces
}

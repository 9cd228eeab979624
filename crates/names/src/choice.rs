//! Names which channel, slice or time of several is meant.

/// Which channel or slice is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Its number: from 0 in a file, as the names have it in a folder.
    Number(usize),
    /// A word that only the names of its pictures have; `time` says that the axis is time whatever the file calls it.
    Name(String),
}

/// Which of several series of pictures is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeriesChoice {
    /// The channel, where there are several.
    pub channel: Option<Pick>,
    /// The slice, where there are several.
    pub slice: Option<Pick>,
    /// How many slices a state has: those of a lattice with three axes; none where a state is a plane.
    pub depth: Option<usize>,
}

//! Names which channel, slice or time of several is meant.

use glauber_files::error::quoted;
use std::fmt;

/// Which channel or slice is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Its number: from 0 in a file, as the names have it in a folder.
    Number(usize),
    /// A word that only the names of its pictures have; `time` says that the axis is time whatever the file calls it.
    Name(String),
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pick::Number(number) => number.fmt(f),
            Pick::Name(name) => f.write_str(&quoted(name)),
        }
    }
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

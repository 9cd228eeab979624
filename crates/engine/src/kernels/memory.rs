//! Holds what passes read and write: fields, numbers, tables, parts of planes.

use glauber_lattice::Layout;
use glauber_numbers::noise::Key;
use glauber_numbers::real::Real;

use glauber_backend::plane::Plane;
use glauber_program::passes::MOST_ENTRIES;

/// The fields a pass reads.
pub(crate) struct Memory<'a, F> {
    pub(crate) layout: &'a Layout,
    pub(crate) layers: &'a [Plane<F>],
    pub(crate) next_adjoints: &'a [Plane<F>],
    pub(crate) local_advantage: &'a [Plane<F>],
    pub(crate) fields: &'a [Plane<F>],
    pub(crate) targets: &'a [Plane<F>],
    pub(crate) temporaries: &'a [Plane<F>],
    pub(crate) scalars: &'a [F],
    pub(crate) keys: &'a [Key],
    pub(crate) tables: &'a [Entries<F>],
    /// Numbers by label.
    pub(crate) tallies: &'a [Vec<F>],
}

/// Part of a field that a pass writes: the padded places from `base` on.
pub(crate) struct Output<'a, F> {
    pub(crate) part: Part<'a, F>,
    pub(crate) base: usize,
    /// Whether values are added to what is there.
    pub(crate) add: bool,
}

/// A mutable part of a plane.
pub(crate) enum Part<'a, F> {
    U8(&'a mut [u8]),
    I16(&'a mut [i16]),
    I32(&'a mut [i32]),
    Real(&'a mut [F]),
}

/// A value that may not be: which output or draw, at which site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Violation {
    OutOfRange { layer: u32, site: usize, value: f64 },
    Refused { check: u32, site: usize, value: f64 },
}

/// A table: the number of its entries and, rounded up so that masked indices need no check, their values.
#[derive(Clone, Debug)]
pub struct Entries<F> {
    pub(crate) count: usize,
    /// Whether all are probabilities.
    pub(crate) probabilities: bool,
    pub(crate) values: Box<[F; MOST_ENTRIES]>,
}

impl<F: Real> Entries<F> {
    pub(crate) fn new(count: usize) -> Entries<F> {
        Entries { count, probabilities: false, values: Box::new([F::ZERO; MOST_ENTRIES]) }
    }
}

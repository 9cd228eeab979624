//! Says what is unknown: names, intervals, and how many numbers each is.

pub use glauber_program::Interval;

/// How many numbers an unknown is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// One number.
    Scalar,
    /// One number per site of an array of this shape, in C order.
    Field(Vec<usize>),
}

/// A parameter, or a parameter field, that the fit is to find.
#[derive(Clone, Debug, PartialEq)]
pub struct Unknown {
    /// Its name, as in the model.
    pub name: String,
    /// Where every one of its numbers may lie.
    pub interval: Interval,
    /// How many numbers it is.
    pub extent: Extent,
}

impl Unknown {
    /// One unknown number.
    pub fn scalar(name: &str, interval: Interval) -> Unknown {
        Unknown { name: name.to_string(), interval, extent: Extent::Scalar }
    }

    /// One unknown number per site of an array of this shape.
    pub fn field(name: &str, interval: Interval, shape: &[usize]) -> Unknown {
        Unknown { name: name.to_string(), interval, extent: Extent::Field(shape.to_vec()) }
    }

    /// How many numbers of θ it takes.
    pub fn len(&self) -> usize {
        match &self.extent {
            Extent::Scalar => 1,
            Extent::Field(shape) => shape.iter().fold(1, |product: usize, &n| product.saturating_mul(n)),
        }
    }

    /// Whether it is a field without sites.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is a single number.
    pub fn is_scalar(&self) -> bool {
        self.extent == Extent::Scalar
    }
}

/// The length of θ for these unknowns.
pub fn length_of(unknowns: &[Unknown]) -> usize {
    unknowns.iter().fold(0, |sum: usize, unknown| sum.saturating_add(unknown.len()))
}

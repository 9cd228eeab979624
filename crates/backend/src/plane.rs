//! Holds one value per site in padded rows, in the smallest type of its range.

use glauber_lattice::{Layout, Storage};
use glauber_numbers::real::Real;
use glauber_program::Domain;

/// A padded plane of values; see [`Layout`].
#[derive(Clone, Debug)]
pub enum Plane<F> {
    /// Unsigned bytes.
    U8(Vec<u8>),
    /// Signed 16-bit integers.
    I16(Vec<i16>),
    /// Signed 32-bit integers.
    I32(Vec<i32>),
    /// Floating point.
    Real(Vec<F>),
}

/// How the margin of a plane is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Margin {
    /// It is never read.
    Unread,
    /// By the lattice's boundary.
    Lattice,
    /// By the lattice's boundary, with 0 where a fixed value stands: for derivatives.
    Zero,
}

/// Calls the same code with whichever vector a plane holds.
#[macro_export]
macro_rules! each_storage {
    ($plane:expr, $values:ident => $body:expr) => {
        match $plane {
            $crate::plane::Plane::U8($values) => $body,
            $crate::plane::Plane::I16($values) => $body,
            $crate::plane::Plane::I32($values) => $body,
            $crate::plane::Plane::Real($values) => $body,
        }
    };
}
pub use each_storage;

/// A number type of a plane, to and from `f64`.
pub trait Stored: Copy + Default + Send + Sync {
    /// The number nearest, as the language converts.
    fn from_number(value: f64) -> Self;
    /// The number itself.
    fn number(self) -> f64;
}

macro_rules! stored {
    ($($integer:ty),*) => {$(
        impl Stored for $integer {
            #[inline]
            fn from_number(value: f64) -> $integer {
                value as $integer
            }
            #[inline]
            fn number(self) -> f64 {
                f64::from(self)
            }
        }
    )*};
}
stored!(i16, i32);

impl Stored for u8 {
    /// As the language converts, but in a way that loops of vectors have: cut towards 0 and to the range, 0 for no number.
    #[inline(always)]
    fn from_number(value: f64) -> u8 {
        let positive = if value > 0.0 { value } else { 0.0 };
        let near = if positive < 255.0 { positive } else { 255.0 };
        near.to_i32() as u8
    }
    #[inline]
    fn number(self) -> f64 {
        f64::from(self)
    }
}

macro_rules! stored_reals {
    ($($real:ty),*) => {$(
        impl Stored for $real {
            #[inline]
            fn from_number(value: f64) -> $real {
                <$real as Real>::from_f64(value)
            }
            #[inline]
            fn number(self) -> f64 {
                self.to_f64()
            }
        }
    )*};
}
stored_reals!(f32, f64);

impl<F: Real + Stored> Plane<F> {
    /// A plane of zeros.
    pub fn zeros(storage: Storage, layout: &Layout) -> Plane<F> {
        let n = layout.padded_len();
        match storage {
            Storage::U8 => Plane::U8(vec![0; n]),
            Storage::I16 => Plane::I16(vec![0; n]),
            Storage::I32 => Plane::I32(vec![0; n]),
            Storage::Real => Plane::Real(vec![F::ZERO; n]),
        }
    }

    /// As what it stores its values.
    pub fn storage(&self) -> Storage {
        match self {
            Plane::U8(_) => Storage::U8,
            Plane::I16(_) => Storage::I16,
            Plane::I32(_) => Storage::I32,
            Plane::Real(_) => Storage::Real,
        }
    }

    /// Takes over another plane's values, margin included, in its own memory where they have a place there.
    pub fn copy_from(&mut self, other: &Plane<F>) {
        match (&mut *self, other) {
            (Plane::U8(to), Plane::U8(from)) if to.len() == from.len() => to.copy_from_slice(from),
            (Plane::I16(to), Plane::I16(from)) if to.len() == from.len() => to.copy_from_slice(from),
            (Plane::I32(to), Plane::I32(from)) if to.len() == from.len() => to.copy_from_slice(from),
            (Plane::Real(to), Plane::Real(from)) if to.len() == from.len() => to.copy_from_slice(from),
            _ => *self = other.clone(),
        }
    }

    /// Whether it holds nothing yet.
    pub fn is_empty(&self) -> bool {
        each_storage!(self, v => v.is_empty())
    }

    /// Sets everything, margin included, to zero.
    pub fn clear(&mut self) {
        each_storage!(self, v => v.fill(Stored::from_number(0.0)));
    }

    /// Sets every site's number (in site order) and fills the margin.
    pub fn set_dense(&mut self, layout: &Layout, margin: Margin, at: impl Fn(usize) -> f64) {
        each_storage!(self, v => {
            let width = layout.width();
            for row in 0..layout.rows() {
                let start = layout.row(row);
                for (x, value) in v[start..start + width].iter_mut().enumerate() {
                    *value = Stored::from_number(at(row * width + x));
                }
            }
        });
        self.fill_margin(layout, margin);
    }

    /// Copies dense numbers in (site order) and fills the margin.
    pub fn copy_dense<S: Stored>(&mut self, layout: &Layout, margin: Margin, dense: &[S]) {
        each_storage!(self, v => {
            let width = layout.width();
            for (row, dense) in dense.chunks_exact(width).enumerate() {
                let start = layout.row(row);
                for (value, number) in v[start..start + width].iter_mut().zip(dense) {
                    *value = Stored::from_number(number.number());
                }
            }
        });
        self.fill_margin(layout, margin);
    }

    /// Copies dense bytes in where the plane holds bytes; says whether it did.
    pub fn set_bytes(&mut self, layout: &Layout, margin: Margin, dense: &[u8]) -> bool {
        let Plane::U8(v) = self else { return false };
        layout.scatter(dense, v);
        self.fill_margin(layout, margin);
        true
    }

    /// The values in site order.
    pub fn dense(&self, layout: &Layout) -> Vec<f64> {
        let mut dense = Vec::with_capacity(layout.sites());
        each_storage!(self, v => {
            for row in 0..layout.rows() {
                let start = layout.row(row);
                dense.extend(v[start..start + layout.width()].iter().map(|x| x.number()));
            }
        });
        dense
    }

    /// Fills what lies around the lattice.
    pub fn fill_margin(&mut self, layout: &Layout, margin: Margin) {
        match margin {
            Margin::Unread => {}
            Margin::Lattice => each_storage!(self, v => layout.fill_margin_with(v, Stored::from_number)),
            Margin::Zero => each_storage!(self, v => layout.fill_margin(v, Stored::from_number(0.0))),
        }
    }
}

/// Whether a storage holds every value of a domain.
pub fn holds(storage: Storage, domain: Domain) -> bool {
    match storage {
        Storage::U8 => domain.integer && domain.proves(0.0, 255.0),
        Storage::I16 => domain.integer && domain.proves(-32768.0, 32767.0),
        Storage::I32 => domain.integer && domain.proves(f64::from(i32::MIN), f64::from(i32::MAX)),
        Storage::Real => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_cut_as_the_language_does() {
        let numbers = (-2000..=2000).map(|i| f64::from(i) * 0.171);
        let whole = (0..=255).flat_map(|i| [f64::from(i), f64::from(i) - 1e-9, f64::from(i) + 1e-9]);
        let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 1e300, -1e300, f64::MIN_POSITIVE, 255.9];
        for x in numbers.chain(whole).chain(odd) {
            assert_eq!(<u8 as Stored>::from_number(x), x as u8, "{x}");
        }
    }
}

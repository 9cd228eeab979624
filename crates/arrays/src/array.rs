//! Holds an array: a shape and its values in C order.

use super::values::{ElementType, Slice, Values, for_each_type};
use std::fmt;

/// An array of numbers: a shape and as many values, in C order (the last axis runs fastest).
///
/// States that `simulate` writes are arrays of shape `[run, time, y, x]` (`[run, time, z, y, x]` in 3-D), one for
/// every layer.
///
/// ```
/// use glauber_arrays::Array;
///
/// let array = Array::new(vec![2, 3], vec![1u8, 2, 3, 4, 5, 6])?;
/// assert_eq!(array.to_f64()[array.flat(&[1, 0]).unwrap()], 4.0);
/// assert_eq!(array.outer(&[1]).unwrap(), Array::new(vec![3], vec![4u8, 5, 6])?);
/// assert!(Array::new(vec![2, 2], vec![1.0]).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    shape: Vec<usize>,
    values: Values,
}

/// A shape that does not hold as many elements as there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the shape {} holds {}, but there are {found} values", Shape(.shape), match .holds { Some(n) => format!("{n} values"), None => "more values than can be counted".into() })]
pub struct ShapeMismatch {
    /// The shape asked for.
    pub shape: Vec<usize>,
    /// How many elements it holds; none where that overflows.
    pub holds: Option<usize>,
    /// How many elements there are.
    pub found: usize,
}

/// A shape as a person reads it: `2 × 64 × 64`; `a single number` for no axes.
pub(crate) struct Shape<'a>(pub(crate) &'a [usize]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("a single number");
        }
        for (axis, length) in self.0.iter().enumerate() {
            write!(f, "{}{length}", if axis == 0 { "" } else { " × " })?;
        }
        Ok(())
    }
}

/// How many elements a shape holds; none where that overflows.
pub(super) fn elements_of(shape: &[usize]) -> Option<usize> {
    // An axis of length zero makes the product zero, whatever the others are.
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1usize, |product, &length| product.checked_mul(length))
}

impl Array {
    /// An array of `shape` (an empty shape is a single number).
    ///
    /// # Errors
    /// If the shape does not hold as many elements as there are values.
    pub fn new(shape: Vec<usize>, values: impl Into<Values>) -> Result<Self, ShapeMismatch> {
        let values = values.into();
        let holds = elements_of(&shape);
        if holds != Some(values.len()) {
            return Err(ShapeMismatch { shape, holds, found: values.len() });
        }
        Ok(Self { shape, values })
    }

    /// The lengths of the axes, slowest first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements in C order.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The elements in C order, without the shape.
    pub fn into_values(self) -> Values {
        self.values
    }

    /// The type of the elements.
    pub fn element_type(&self) -> ElementType {
        self.values.element_type()
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All elements as `f64` (true is 1); 64-bit integers beyond 2⁵³ are rounded.
    pub fn to_f64(&self) -> Vec<f64> {
        self.values.to_f64()
    }

    /// All elements as `f32` (true is 1), rounded to the nearest.
    pub fn to_f32(&self) -> Vec<f32> {
        self.values.as_slice().to_f32()
    }

    /// The flat index of an element; none if the indices are too many, too few or too large.
    pub fn flat(&self, indices: &[usize]) -> Option<usize> {
        if indices.len() != self.shape.len() || indices.iter().zip(&self.shape).any(|(i, n)| i >= n) {
            return None;
        }
        Some(indices.iter().zip(&self.shape).fold(0, |flat, (i, n)| flat * n + i))
    }

    /// The indices of the element at a flat index, one an axis.
    pub fn indices(&self, flat: usize) -> Vec<usize> {
        let mut rest = flat;
        let mut indices = vec![0; self.shape.len()];
        for (index, &length) in indices.iter_mut().zip(&self.shape).rev() {
            *index = rest % length.max(1);
            rest /= length.max(1);
        }
        indices
    }

    /// The part of the array at the given indices of its first axes, borrowed: for `[run, time, y, x]` and
    /// `[run, time]`, one lattice. None if there are more indices than axes or one is too large.
    pub fn outer_slice(&self, leading: &[usize]) -> Option<Slice<'_>> {
        if leading.len() > self.shape.len() || leading.iter().zip(&self.shape).any(|(i, n)| i >= n) {
            return None;
        }
        let size: usize = self.shape[leading.len()..].iter().product();
        let start = leading.iter().zip(&self.shape).fold(0, |flat, (i, n)| flat * n + i) * size;
        let part = start..start + size;
        Some(for_each_type!(Values, &self.values, v => Slice::from(&v[part])))
    }

    /// The same part as an array of its own.
    pub fn outer(&self, leading: &[usize]) -> Option<Array> {
        let values = self.outer_slice(leading)?.to_values();
        Some(Array { shape: self.shape[leading.len()..].to_vec(), values })
    }

    /// The same elements under another shape.
    ///
    /// # Errors
    /// If the shape holds another number of elements.
    pub fn reshaped(self, shape: Vec<usize>) -> Result<Self, ShapeMismatch> {
        Self::new(shape, self.values)
    }

    /// The same numbers in the smallest unsigned, else signed, integer type that holds them all; unchanged if one of
    /// them is not a whole number within 64 bits.
    pub fn narrowed(&self) -> Array {
        let Some(integers) = self.integers() else { return self.clone() };
        let low = integers.iter().copied().min().unwrap_or(0);
        let high = integers.iter().copied().max().unwrap_or(0);
        let fits = |least: i64, most: i64| least <= low && high <= most;
        let values = if fits(0, u8::MAX.into()) {
            Values::U8(integers.iter().map(|&v| v as u8).collect())
        } else if fits(i8::MIN.into(), i8::MAX.into()) {
            Values::I8(integers.iter().map(|&v| v as i8).collect())
        } else if fits(0, u16::MAX.into()) {
            Values::U16(integers.iter().map(|&v| v as u16).collect())
        } else if fits(i16::MIN.into(), i16::MAX.into()) {
            Values::I16(integers.iter().map(|&v| v as i16).collect())
        } else if fits(0, u32::MAX.into()) {
            Values::U32(integers.iter().map(|&v| v as u32).collect())
        } else if fits(i32::MIN.into(), i32::MAX.into()) {
            Values::I32(integers.iter().map(|&v| v as i32).collect())
        } else {
            Values::I64(integers)
        };
        Array { shape: self.shape.clone(), values }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn shapes_are_checked() {
        assert!(Array::new(vec![], vec![1.5]).is_ok());
        assert!(Array::new(vec![0, usize::MAX, 7], Vec::<u8>::new()).is_ok());
        let error = Array::new(vec![2, 3], vec![1u8]).unwrap_err();
        assert_eq!(error.to_string(), "the shape 2 × 3 holds 6 values, but there are 1 values");
        let error = Array::new(vec![usize::MAX, 3], vec![1u8]).unwrap_err();
        assert_eq!(error.holds, None);
    }

    #[test]
    fn indices_and_flat_are_inverse() {
        let array = Array::new(vec![2, 3, 4], (0..24u8).collect::<Vec<_>>()).unwrap();
        for flat in 0..24 {
            assert_eq!(array.flat(&array.indices(flat)), Some(flat));
        }
        assert_eq!(array.flat(&[0, 3, 0]), None);
        assert_eq!(array.flat(&[0, 0]), None);
    }

    #[test]
    fn parts_are_where_they_should_be() {
        let array = Array::new(vec![2, 3, 2], (0..12i16).collect::<Vec<_>>()).unwrap();
        assert_eq!(array.outer(&[1, 2]).unwrap(), Array::new(vec![2], vec![10i16, 11]).unwrap());
        assert_eq!(array.outer(&[]).unwrap(), array);
        assert_eq!(array.outer(&[0, 0, 1]).unwrap(), Array::new(vec![], vec![1i16]).unwrap());
        assert_eq!(array.outer(&[2]), None);
        assert_eq!(array.outer(&[0, 0, 0, 0]), None);
        let empty = Array::new(vec![2, 0], Vec::<f64>::new()).unwrap();
        assert_eq!(empty.outer(&[1]).unwrap().len(), 0);
    }

    #[test]
    fn narrowing_keeps_every_value() {
        for (values, expected) in [
            (vec![0.0, 255.0], ElementType::U8),
            (vec![-1.0, 3.0], ElementType::I8),
            (vec![0.0, 256.0], ElementType::U16),
            (vec![-1.0, 128.0], ElementType::I16),
            (vec![0.0, 65536.0], ElementType::U32),
            (vec![-1.0, 65536.0], ElementType::I32),
            (vec![-1.0, 4294967296.0], ElementType::I64),
            (vec![0.5], ElementType::F64),
            (vec![f64::NAN], ElementType::F64),
            (vec![1e300], ElementType::F64),
        ] {
            let array = Array::new(vec![values.len()], values.clone()).unwrap();
            let narrow = array.narrowed();
            assert_eq!(narrow.element_type(), expected, "{values:?}");
            assert!(narrow.to_f64().iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }
}

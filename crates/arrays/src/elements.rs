//! Turns the bytes of array elements into values and back, a block at a time.

use super::array::elements_of;
use super::half::half_to_single;
use super::header::{HeaderError, read_up_to};
use super::values::{ElementType, Slice, Values, for_each_type};
use std::io::{self, Read, Write};

/// Bytes converted at once; a multiple of every element's size.
const BLOCK: usize = 1 << 16;

/// A number with a fixed layout of bytes.
pub(super) trait Bytes: Copy {
    const SIZE: usize;
    fn from_bytes(bytes: &[u8], big_endian: bool) -> Self;
    fn push_bytes(self, bytes: &mut Vec<u8>);
}

macro_rules! layouts {
    ($($type:ty),*) => { $(
        impl Bytes for $type {
            const SIZE: usize = size_of::<$type>();
            fn from_bytes(bytes: &[u8], big_endian: bool) -> Self {
                let mut own = [0; size_of::<$type>()];
                own.copy_from_slice(bytes);
                if big_endian { Self::from_be_bytes(own) } else { Self::from_le_bytes(own) }
            }
            fn push_bytes(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
        }
    )* };
}
layouts!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);

impl Bytes for bool {
    const SIZE: usize = 1;
    fn from_bytes(bytes: &[u8], _: bool) -> Self {
        bytes[0] != 0
    }
    fn push_bytes(self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(self));
    }
}

/// Reads `count` elements. Memory grows with what is really read, never with what is announced.
pub(super) fn read_elements(
    reader: &mut dyn Read,
    element: ElementType,
    big_endian: bool,
    count: usize,
) -> Result<Values, HeaderError> {
    let mut values = element.empty();
    for_each_type!(Values, &mut values, v => read_into(reader, v, big_endian, count)?);
    Ok(values)
}

/// Reads `count` elements of half precision as single precision.
pub(super) fn read_halves(
    reader: &mut dyn Read,
    big_endian: bool,
    count: usize,
) -> Result<Values, HeaderError> {
    let mut halves: Vec<u16> = Vec::new();
    read_into(reader, &mut halves, big_endian, count)?;
    Ok(Values::F32(halves.into_iter().map(half_to_single).collect()))
}

fn read_into<T: Bytes>(
    reader: &mut dyn Read,
    values: &mut Vec<T>,
    big_endian: bool,
    count: usize,
) -> Result<(), HeaderError> {
    let mut block = vec![0; BLOCK.min(count.saturating_mul(T::SIZE))];
    while values.len() < count {
        let wanted = (count - values.len()).min(BLOCK / T::SIZE);
        if values.capacity() - values.len() < wanted {
            // Doubling, but never beyond what the array needs.
            let more = (count - values.len()).min(values.len().max(wanted));
            values.try_reserve_exact(more).map_err(|_| {
                HeaderError::TooLarge(format!("needs more memory than there is, for {count} elements"))
            })?;
        }
        let bytes = &mut block[..wanted * T::SIZE];
        if read_up_to(reader, bytes)? < bytes.len() {
            return Err(HeaderError::Truncated);
        }
        values.extend(bytes.chunks_exact(T::SIZE).map(|b| T::from_bytes(b, big_endian)));
    }
    Ok(())
}

/// Writes elements, little-endian.
pub(super) fn write_elements(writer: &mut dyn Write, values: Slice<'_>) -> io::Result<()> {
    for_each_type!(Slice, values, v => write_from(writer, v))
}

fn write_from<T: Bytes>(writer: &mut dyn Write, values: &[T]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(BLOCK.min(values.len() * T::SIZE));
    for block in values.chunks(BLOCK / T::SIZE) {
        bytes.clear();
        block.iter().for_each(|v| v.push_bytes(&mut bytes));
        writer.write_all(&bytes)?;
    }
    Ok(())
}

/// The same elements in C order, given in Fortran order (first axis fastest).
pub(super) fn to_c_order(values: Values, shape: &[usize]) -> Values {
    // Vectors and arrays with at most one long axis read the same in both orders.
    if shape.iter().filter(|&&n| n != 1).count() < 2 || elements_of(shape) == Some(0) {
        return values;
    }
    for_each_type!(Values, &values, v => Values::from(reordered(v, shape)))
}

fn reordered<T: Copy>(values: &[T], shape: &[usize]) -> Vec<T> {
    let mut strides = vec![1; shape.len()];
    for axis in 1..shape.len() {
        strides[axis] = strides[axis - 1] * shape[axis - 1];
    }
    let mut indices = vec![0; shape.len()];
    let mut from = 0;
    let mut out = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        out.push(values[from]);
        for axis in (0..shape.len()).rev() {
            indices[axis] += 1;
            from += strides[axis];
            if indices[axis] < shape[axis] {
                break;
            }
            from -= strides[axis] * shape[axis];
            indices[axis] = 0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn fortran_order_is_undone() {
        // Element (i, j, k) of a 2 × 3 × 2 array is 100 i + 10 j + k, written first axis fastest.
        let mut fortran = Vec::new();
        for k in 0..2i32 {
            for j in 0..3 {
                for i in 0..2 {
                    fortran.push(100 * i + 10 * j + k);
                }
            }
        }
        let c = to_c_order(Values::I32(fortran), &[2, 3, 2]);
        assert_eq!(c, Values::I32(vec![0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121]));
    }

    #[test]
    fn both_byte_orders_are_read() {
        let read = |bytes: &[u8], big| read_elements(&mut &bytes[..], ElementType::U16, big, 2).unwrap();
        assert_eq!(read(&[1, 0, 0, 2], false), Values::U16(vec![1, 512]));
        assert_eq!(read(&[0, 1, 2, 0], true), Values::U16(vec![1, 512]));
    }

    #[test]
    fn long_arrays_pass_through_blocks_unchanged() {
        let values: Vec<f64> = (0..50_000).map(|i| f64::from(i) * 0.1).collect();
        let mut bytes = Vec::new();
        write_elements(&mut bytes, Slice::from(&values)).unwrap();
        let back = read_elements(&mut bytes.as_slice(), ElementType::F64, false, values.len()).unwrap();
        assert_eq!(back, Values::F64(values));
    }

    #[test]
    fn an_announced_length_takes_no_memory() {
        let announced = usize::MAX / 16;
        let result = read_elements(&mut &[0u8; 100][..], ElementType::F64, false, announced);
        assert!(matches!(result, Err(HeaderError::Truncated)));
    }
}

//! Undoes prediction and byte order, and puts the samples of strips and tiles where they belong in a plane.

use super::super::refusal::Refusal;
use super::directory::Bytes;
use super::layout::{Format, Layout};
use super::unpack::unpack;
use crate::arrays::{Values, half_to_single};
use std::io::{Read, Seek};

/// Bytes of one strip or tile, unpacked, that are never exceeded.
const MOST_CHUNK_BYTES: usize = 1 << 31;

/// A number made of the bits of a sample.
trait FromBits: Copy + Default {
    fn from_bits(bits: u64, depth: u8) -> Self;
}

macro_rules! whole {
    ($($type:ty),*) => { $(impl FromBits for $type {
        fn from_bits(bits: u64, _: u8) -> Self {
            bits as $type
        }
    })* };
}
whole!(u8, i8, u16, i16, u32, i32, u64, i64);

impl FromBits for f32 {
    fn from_bits(bits: u64, depth: u8) -> Self {
        if depth == 16 { half_to_single(bits as u16) } else { f32::from_bits(bits as u32) }
    }
}

impl FromBits for f64 {
    fn from_bits(bits: u64, _: u8) -> Self {
        f64::from_bits(bits)
    }
}

/// The wanted samples of every pixel of a plane: all of the first, then all of the next, each row by row.
///
/// # Errors
/// If a strip or tile cannot be unpacked, or ends before its samples do.
pub(super) fn read_samples<S: Read + Seek>(
    file: &mut Bytes<S>,
    layout: &Layout,
    wanted: &[usize],
) -> Result<Values, Refusal> {
    let mut chunks = Chunks { file, layout, wanted };
    Ok(match (layout.format, layout.bits) {
        (Format::Unsigned, 1..=8) => Values::U8(chunks.plane()?),
        (Format::Unsigned, 9..=16) => Values::U16(chunks.plane()?),
        (Format::Unsigned, 17..=32) => Values::U32(chunks.plane()?),
        (Format::Unsigned, _) => Values::U64(chunks.plane()?),
        (Format::Signed, 8) => Values::I8(chunks.plane()?),
        (Format::Signed, 16) => Values::I16(chunks.plane()?),
        (Format::Signed, 32) => Values::I32(chunks.plane()?),
        (Format::Signed, _) => Values::I64(chunks.plane()?),
        (Format::Real, 16 | 32) => Values::F32(chunks.plane()?),
        (Format::Real, _) => Values::F64(chunks.plane()?),
    })
}

struct Chunks<'a, S> {
    file: &'a mut Bytes<S>,
    layout: &'a Layout,
    wanted: &'a [usize],
}

impl<S: Read + Seek> Chunks<'_, S> {
    fn plane<T: FromBits>(&mut self) -> Result<Vec<T>, Refusal> {
        let layout = self.layout;
        let pixels = layout.width * layout.height;
        let mut plane = Vec::new();
        let values = pixels * self.wanted.len();
        plane.try_reserve_exact(values).map_err(|_| Refusal::too_large("does not fit in memory"))?;
        plane.resize(values, T::default());
        for chunk in 0..layout.chunks_a_sample() {
            let left = chunk % layout.across() * layout.chunk_width;
            let top = chunk / layout.across() * layout.chunk_height;
            if layout.separate {
                for (place, sample) in self.wanted.iter().enumerate() {
                    let bytes = self.chunk(sample * layout.chunks_a_sample() + chunk, top)?;
                    self.put(&bytes, (left, top), &[(0, place)], &mut plane);
                }
            } else {
                let bytes = self.chunk(chunk, top)?;
                let places: Vec<_> = self.wanted.iter().copied().zip(0..).collect();
                self.put(&bytes, (left, top), &places, &mut plane);
            }
        }
        Ok(plane)
    }

    /// The unpacked bytes of a strip or tile that begins at a row.
    fn chunk(&mut self, index: usize, top: usize) -> Result<Vec<u8>, Refusal> {
        let layout = self.layout;
        let length = layout.row_bytes().and_then(|row| row.checked_mul(layout.encoded_rows(top)));
        let length = length.filter(|length| *length <= MOST_CHUNK_BYTES);
        let length = length.ok_or_else(|| Refusal::too_large("has a strip or tile of more than 2 GiB"))?;
        let offset = layout.offsets[index];
        let count = match layout.counts.get(index) {
            // GDAL leaves out tiles that hold nothing.
            Some(0) if offset == 0 => {
                let remedy = "write it with all of them (gdal_translate -co SPARSE_OK=FALSE)";
                return Err(Refusal::unsupported("leaves out strips or tiles that hold no data", remedy));
            }
            // Plain bytes are where they are, whatever a program wrote about their number.
            _ if layout.compression == 1 => length as u64,
            Some(count) => *count,
            None => self.file.length().saturating_sub(offset),
        };
        let mut packed = self.file.at(offset, count)?;
        if layout.reversed_bits {
            packed.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
        unpack(layout.compression, packed, length)
    }

    /// Puts what a strip or tile holds of the plane; `places` are samples of a pixel in it, and where each goes.
    fn put<T: FromBits>(
        &self,
        bytes: &[u8],
        (left, top): (usize, usize),
        places: &[(usize, usize)],
        plane: &mut [T],
    ) {
        let layout = self.layout;
        let (rows, columns) =
            (layout.chunk_height.min(layout.height - top), layout.chunk_width.min(layout.width - left));
        let row_bytes = layout.row_bytes().unwrap_or(0);
        let interleaved = layout.interleaved();
        let mut samples = Vec::with_capacity(layout.chunk_width * interleaved);
        for (row, encoded) in bytes.chunks_exact(row_bytes).take(rows).enumerate() {
            decode_row(encoded, layout, self.file.big_endian(), &mut samples);
            for (sample, place) in places {
                let start = place * layout.width * layout.height + (top + row) * layout.width + left;
                for (to, x) in plane[start..start + columns].iter_mut().zip(0..) {
                    *to = T::from_bits(samples[x * interleaved + sample], layout.bits);
                }
            }
        }
    }
}

/// The bits of each sample of a row of a strip or tile.
fn decode_row(encoded: &[u8], layout: &Layout, big_endian: bool, samples: &mut Vec<u64>) {
    samples.clear();
    let count = layout.chunk_width * layout.interleaved();
    let stride = layout.interleaved();
    if layout.predictor == 3 {
        return real_predictor(encoded, usize::from(layout.bits / 8), stride, samples);
    }
    let join = |all: u64, byte: &u8| all << 8 | u64::from(*byte);
    match layout.bits {
        8 => samples.extend(encoded.iter().map(|byte| u64::from(*byte))),
        16 | 24 | 32 | 64 => {
            let whole = encoded.chunks_exact(usize::from(layout.bits / 8));
            match big_endian {
                true => samples.extend(whole.map(|b| b.iter().fold(0, join))),
                false => samples.extend(whole.map(|b| b.iter().rev().fold(0, join))),
            }
        }
        bits => samples.extend((0..count).map(|index| packed(encoded, index, usize::from(bits)))),
    }
    if layout.predictor == 2 {
        let mask = u64::MAX >> (64 - u32::from(layout.bits));
        for index in stride..samples.len() {
            samples[index] = samples[index].wrapping_add(samples[index - stride]) & mask;
        }
    }
}

/// One of numbers of few bits that lie without gaps, the highest bit first.
fn packed(bytes: &[u8], index: usize, bits: usize) -> u64 {
    (index * bits..(index + 1) * bits).fold(0, |all, bit| {
        let byte = bytes.get(bit / 8).copied().unwrap_or(0);
        all << 1 | u64::from(byte >> (7 - bit % 8) & 1)
    })
}

/// Adobe's Technical Note 3: bytes of one significance lie together, the highest first, each the difference to the one
/// before it.
fn real_predictor(encoded: &[u8], bytes: usize, stride: usize, samples: &mut Vec<u64>) {
    let mut sums = encoded.to_vec();
    for index in stride..sums.len() {
        sums[index] = sums[index].wrapping_add(sums[index - stride]);
    }
    let count = sums.len() / bytes;
    samples.extend(
        (0..count)
            .map(|index| (0..bytes).fold(0, |all, byte| all << 8 | u64::from(sums[byte * count + index]))),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_bits_are_unpacked_from_the_highest() {
        let bytes = [0b1010_0011, 0b1100_0101, 0b0000_0001];
        assert_eq!([0, 1, 2, 7, 8].map(|i| packed(&bytes, i, 1)), [1, 0, 1, 1, 1]);
        assert_eq!([0, 1, 2, 3].map(|i| packed(&bytes, i, 2)), [2, 2, 0, 3]);
        assert_eq!([0, 1].map(|i| packed(&bytes, i, 12)), [0xA3C, 0x501]);
    }

    #[test]
    fn bytes_of_real_numbers_are_put_together() {
        // 1.0 and 2.0 are 3F80 0000 and 4000 0000: their bytes by significance, then as differences.
        let planes = [0x3F, 0x40, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00u8];
        let mut encoded = planes;
        for index in (1..8).rev() {
            encoded[index] = planes[index].wrapping_sub(planes[index - 1]);
        }
        let mut samples = Vec::new();
        real_predictor(&encoded, 4, 1, &mut samples);
        assert_eq!(samples, [u64::from(1f32.to_bits()), u64::from(2f32.to_bits())]);
    }
}

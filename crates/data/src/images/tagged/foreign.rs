//! Leaves JPEG and fax inside a TIFF file to the decoder of the `tiff` crate.

use super::super::luma::grey;
use super::super::refusal::{Refusal, without_panic};
use super::layout::{Colours, Format, Layout};
use crate::arrays::Values;
use std::io::{Read, Seek};
use tiff::ColorType;
use tiff::TiffError;
use tiff::decoder::{Decoder, DecodingResult, Limits};

/// The grey values of the plane of a directory, counted from 0.
///
/// # Errors
/// If the `tiff` crate does not read it, or it is laid out in a way that has made it fail.
pub(super) fn read_foreign<S: Read + Seek>(
    source: &mut S,
    directory: usize,
    layout: &Layout,
) -> Result<Values, Refusal> {
    let usual =
        matches!((layout.samples, layout.bits), (1, 1 | 8) | (3, 8)) && layout.format == Format::Unsigned;
    if layout.separate || layout.reversed_bits || !usual {
        let found = format!("packs {} by JPEG or fax", layout.words());
        return Err(Refusal::unsupported(found, "save it without compression, or with LZW or Deflate"));
    }
    let decoded = without_panic(|| decode(source, directory, layout))?;
    let pixels = layout.width * layout.height;
    let (colour, mut bytes) = decoded;
    let whole = match colour {
        ColorType::Gray(1) => {
            let row = layout.width.div_ceil(8);
            let bits =
                |line: &[u8]| (0..layout.width).map(|x| line[x / 8] >> (7 - x % 8) & 1).collect::<Vec<_>>();
            bytes.chunks_exact(row).take(layout.height).flat_map(bits).collect()
        }
        ColorType::Gray(8) => bytes,
        ColorType::RGB(8) => {
            bytes.truncate(pixels * 3);
            grey(bytes, 3)
        }
        // The decoder leaves these as they are where its JPEG library did not turn them.
        other => {
            let found = format!("holds pixels of the kind {other:?} packed by JPEG");
            return Err(Refusal::unsupported(found, "save it without compression, or with LZW or Deflate"));
        }
    };
    if whole.len() < pixels {
        return Err(Refusal::truncated());
    }
    let mut values = whole;
    values.truncate(pixels);
    if layout.colours == Colours::WhiteIsZero {
        // The decoder turns these round; the file's numbers are wanted.
        let most = if layout.bits == 1 { 1 } else { 255 };
        values.iter_mut().for_each(|value| *value = most - *value);
    }
    Ok(Values::U8(values))
}

fn decode<S: Read + Seek>(
    source: &mut S,
    directory: usize,
    layout: &Layout,
) -> Result<(ColorType, Vec<u8>), Refusal> {
    let most = (layout.width * layout.height).saturating_mul(4).max(1 << 16);
    let mut limits = Limits::default();
    (limits.decoding_buffer_size, limits.intermediate_buffer_size) = (most, most);
    source.rewind()?;
    let mut decoder = Decoder::new(source).map_err(refused)?.with_limits(limits);
    decoder.seek_to_image(directory).map_err(refused)?;
    let colour = decoder.colortype().map_err(refused)?;
    match decoder.read_image().map_err(refused)? {
        DecodingResult::U8(bytes) => Ok((colour, bytes)),
        _ => Err(Refusal::damaged("holds other numbers than it says")),
    }
}

fn refused(error: TiffError) -> Refusal {
    match error {
        TiffError::IoError(e) => e.into(),
        TiffError::LimitsExceeded | TiffError::IntSizeError => {
            Refusal::too_large("claims more than the limit")
        }
        TiffError::UnsupportedError(e) => Refusal::unsupported(
            format!("cannot be unpacked: {e}"),
            "save it without compression, or with LZW or Deflate",
        ),
        other => Refusal::damaged(format!("is damaged: {other}")),
    }
}

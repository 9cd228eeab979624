//! Reads PNG and JPEG files as one grey plane.

use super::ImageLimits;
use super::luma::grey;
use super::stack::{Picture, check_pixels};
use crate::arrays::Values;
use crate::{DataError, DataErrorKind};
use glauber_files::error::bytes_in_words;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::{ColorType, ImageDecoder, ImageError, Limits};
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

/// Reads a PNG file: 1 to 16 bits, grey, colour or colour table, with or without transparency.
pub(super) fn read_png(file: File, path: &Path, limits: ImageLimits) -> Result<Picture, DataError> {
    let mut most = Limits::no_limits();
    // Four 16-bit samples a pixel, and room for the decoder itself.
    most.max_alloc = Some(limits.pixels.saturating_mul(8).saturating_add(1 << 24));
    let decoder = PngDecoder::with_limits(BufReader::new(file), most).map_err(|e| image_error(path, e))?;
    let mut notes = Vec::new();
    if decoder.is_apng().unwrap_or(false) {
        notes.push("the PNG is animated; its first frame was read".to_owned());
    }
    decode(decoder, path, limits, notes)
}

/// Reads a JPEG file: grey or colour.
pub(super) fn read_jpeg(
    file: File,
    length: u64,
    path: &Path,
    limits: ImageLimits,
) -> Result<Picture, DataError> {
    // A JPEG of noise takes about three bytes a pixel; one that is longer is something else.
    let longest = limits.pixels.saturating_mul(4).saturating_add(1 << 20);
    if length > longest {
        let found = format!("takes {}, more than {}", bytes_in_words(length), bytes_in_words(longest));
        return Err(DataError::new(
            DataErrorKind::TooLarge,
            path,
            found,
            "crop or bin it, or raise the limit",
        ));
    }
    let mut bytes = Vec::new();
    file.take(longest).read_to_end(&mut bytes).map_err(|e| DataError::io(path, "read it", &e))?;
    if !is_complete_jpeg(&bytes) {
        let remedy = "it is cut short: fetch or save it again";
        return Err(DataError::new(DataErrorKind::Truncated, path, "ends before its picture does", remedy));
    }
    let decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(|e| image_error(path, e))?;
    decode(decoder, path, limits, Vec::new())
}

/// Whether a JPEG has its end mark. The decoder fills what is missing with grey and says nothing, so it is looked for
/// here: after the first scan begins, the bytes FF D9 can only be the end.
fn is_complete_jpeg(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[mark, kind]) = bytes.get(at..at + 2) {
        match (mark, kind) {
            (0xFF, 0xDA) => return bytes[at..].windows(2).any(|w| w == [0xFF, 0xD9]),
            // Fill bytes and marks without a length.
            (0xFF, 0xFF) => at += 1,
            (0xFF, 0x01 | 0xD0..=0xD8) => at += 2,
            (0xFF, _) => {
                let Some(&[high, low]) = bytes.get(at + 2..at + 4) else { return false };
                at += 2 + usize::from(u16::from_be_bytes([high, low])).max(2);
            }
            // Not a segment: the decoder will say what is wrong.
            _ => return true,
        }
    }
    false
}

fn decode(
    decoder: impl ImageDecoder,
    path: &Path,
    limits: ImageLimits,
    mut notes: Vec<String>,
) -> Result<Picture, DataError> {
    let (width, height) = decoder.dimensions();
    check_pixels(path, 1, width.into(), height.into(), limits)?;
    let colour = decoder.color_type();
    let (channels, wide) = match colour {
        ColorType::L8 => (1, false),
        ColorType::La8 => (2, false),
        ColorType::Rgb8 => (3, false),
        ColorType::Rgba8 => (4, false),
        ColorType::L16 => (1, true),
        ColorType::La16 => (2, true),
        ColorType::Rgb16 => (3, true),
        ColorType::Rgba16 => (4, true),
        other => {
            let found = format!("holds pixels of an unknown kind ({other:?})");
            return Err(DataError::new(
                DataErrorKind::Unsupported,
                path,
                found,
                "convert it to 8- or 16-bit grey",
            ));
        }
    };
    if channels > 2 {
        notes.push("colour was turned into ITU-R 601 luma".to_owned());
    }
    if channels % 2 == 0 {
        notes.push("transparency was ignored".to_owned());
    }
    let length = usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(length).is_err() {
        let found = format!("{width} × {height} pixels do not fit in memory");
        return Err(DataError::new(DataErrorKind::TooLarge, path, found, "crop or bin it"));
    }
    bytes.resize(length, 0);
    decoder.read_image(&mut bytes).map_err(|e| image_error(path, e))?;
    let values = if wide {
        let samples = bytes.chunks_exact(2).map(|b| u16::from_ne_bytes([b[0], b[1]])).collect();
        Values::U16(grey(samples, channels))
    } else {
        Values::U8(grey(bytes, channels))
    };
    let (height, width) = (height as usize, width as usize);
    Ok(Picture { values, planes: 1, height, width, bit_depth: if wide { 16 } else { 8 }, notes })
}

fn image_error(path: &Path, error: ImageError) -> DataError {
    use std::io::ErrorKind;
    let again = "fetch or save it again";
    match error {
        ImageError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => DataError::new(
            DataErrorKind::Truncated,
            path,
            "ends before its picture does",
            "it is cut short: fetch or save it again",
        ),
        ImageError::IoError(e) => DataError::io(path, "read it", &e),
        ImageError::Limits(_) => DataError::new(
            DataErrorKind::TooLarge,
            path,
            "claims more pixels than the limit",
            "crop or bin it, or raise the limit",
        ),
        ImageError::Unsupported(e) => {
            DataError::new(DataErrorKind::Unsupported, path, e.to_string(), "convert it to 8- or 16-bit grey")
        }
        other => DataError::new(DataErrorKind::Format, path, format!("is damaged: {other}"), again),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_mark_in_a_thumbnail_does_not_count() {
        let with_thumbnail = [0xFF, 0xD8, 0xFF, 0xE1, 0, 4, 0xFF, 0xD9, 0xFF, 0xDA, 0, 2, 1, 2, 3];
        assert!(!is_complete_jpeg(&with_thumbnail));
        assert!(is_complete_jpeg(&[&with_thumbnail[..], &[0xFF, 0xD9]].concat()));
        assert!(!is_complete_jpeg(&[0xFF, 0xD8, 0xFF]));
    }
}

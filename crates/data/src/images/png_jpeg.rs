//! Reads PNG and JPEG files as one grey plane.

use super::luma::grey;
use super::refusal::{Refusal, without_panic};
use super::stack::{Format, Opened, Picture, check_pixels};
use crate::arrays::Values;
use crate::{DataError, DataErrorKind};
use glauber_files::error::bytes_in_words;
use image::codecs::jpeg::JpegDecoder;
use image::metadata::Orientation;
use image::{ColorType, ExtendedColorType, ImageDecoder, ImageError};
use png::{BitDepth, DecodingError};
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

/// PNG files.
pub(super) const PNG: Format =
    Format { name: "PNG", endings: &["png"], begins: |start| start.starts_with(b"\x89PNG"), read: read_png };

/// JPEG files.
pub(super) const JPEG: Format = Format {
    name: "JPEG",
    endings: &["jpg", "jpeg"],
    begins: |start| start.starts_with(b"\xFF\xD8\xFF"),
    read: read_jpeg,
};

/// Reads a PNG file: 1 to 16 bits, grey, colour or numbers of colours, with or without transparency. Values of few bits
/// are not stretched to 8.
fn read_png(opened: Opened<'_>) -> Result<Picture, DataError> {
    let Opened { file, path, limits, .. } = opened;
    let refused = |error: DecodingError| png_refusal(error).in_file(path);
    // Four 16-bit samples a pixel, and room for the decoder itself.
    let bytes =
        usize::try_from(limits.pixels.saturating_mul(8).saturating_add(1 << 24)).unwrap_or(usize::MAX);
    let mut decoder = png::Decoder::new_with_limits(BufReader::new(file), png::Limits { bytes });
    decoder.set_transformations(png::Transformations::IDENTITY);
    let info = decoder.read_header_info().map_err(refused)?;
    check_pixels(path, 1, info.width.into(), info.height.into(), limits)?;
    let mut reader = decoder.read_info().map_err(refused)?;
    let info = reader.info();
    let (width, height) = (info.width as usize, info.height as usize);
    let (colour, depth) = (info.color_type, info.bit_depth);
    let mut notes = Vec::new();
    if info.is_animated() {
        notes.push("the PNG is animated; its first frame was read".to_owned());
    }
    let channels = colour.samples();
    let was_colour = channels > 2;
    if was_colour {
        notes.push("colour was turned into ITU-R 601 luma".to_owned());
    }
    if channels % 2 == 0 || info.trns.is_some() {
        notes.push("transparency was ignored".to_owned());
    }
    let is_table = colour == png::ColorType::Indexed;
    let table = info.palette.as_ref().filter(|_| is_table);
    let colour_table = table.map(|p| p.chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect());
    let length = reader.output_buffer_size().unwrap_or(usize::MAX);
    let mut bytes = room_for(length, width, height, path)?;
    without_panic(|| reader.next_frame(&mut bytes).map_err(png_refusal))
        .map_err(|refusal| refusal.in_file(path))?;
    let values = match depth {
        BitDepth::Sixteen => {
            let samples = bytes.chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect();
            Values::U16(grey(samples, channels))
        }
        BitDepth::Eight => Values::U8(grey(bytes, channels)),
        // Only grey values and numbers of colours have fewer bits; each row begins at a byte.
        few => {
            let bits = few as usize;
            let row = (width * bits).div_ceil(8);
            let mask = (1u16 << bits) as u8 - 1;
            let one = |line: &[u8], x: usize| line[x * bits / 8] >> (8 - bits - x * bits % 8) & mask;
            Values::U8(
                bytes.chunks_exact(row).flat_map(|line| (0..width).map(move |x| one(line, x))).collect(),
            )
        }
    };
    Ok(Picture {
        values,
        planes: 1,
        height,
        width,
        bit_depth: depth as u8,
        notes,
        shades: true,
        was_colour,
        colour_table,
        no_data: None,
        scaling: None,
        axes: None,
        picked_sample: false,
    })
}

fn png_refusal(error: DecodingError) -> Refusal {
    match error {
        DecodingError::IoError(e) => e.into(),
        DecodingError::LimitsExceeded => Refusal::too_large("claims more pixels than the limit"),
        other => {
            let text = other.to_string();
            if text.contains("end of") || text.contains("EOF") || text.contains("unexpected end") {
                Refusal::truncated()
            } else {
                Refusal::damaged(format!("is damaged: {text}"))
            }
        }
    }
}

/// Room for a decoder's bytes, where there is as much memory.
fn room_for(length: usize, width: usize, height: usize, path: &Path) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(length).is_err() {
        let found = format!("{width} × {height} pixels do not fit in memory");
        return Err(DataError::new(DataErrorKind::TooLarge, path, found, "crop or bin it"));
    }
    bytes.resize(length, 0);
    Ok(bytes)
}

/// Reads a JPEG file: grey or colour.
fn read_jpeg(opened: Opened<'_>) -> Result<Picture, DataError> {
    let Opened { file, length, path, limits, .. } = opened;
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
        return Err(Refusal::truncated().in_file(path));
    }
    let in_file = |refusal: Refusal| refusal.in_file(path);
    let mut decoder =
        without_panic(|| JpegDecoder::new(Cursor::new(bytes)).map_err(jpeg_refusal)).map_err(in_file)?;
    let (width, height) = decoder.dimensions();
    check_pixels(path, 1, width.into(), height.into(), limits)?;
    let mut notes = Vec::new();
    let turned = without_panic(|| Ok(decoder.orientation().unwrap_or(Orientation::NoTransforms)));
    if turned.is_ok_and(|turned| turned != Orientation::NoTransforms) {
        notes.push("the camera's mark to turn or mirror it was ignored".to_owned());
    }
    let channels = match decoder.color_type() {
        ColorType::L8 => 1,
        ColorType::Rgb8 => 3,
        _ => {
            let remedy = "convert it to 8- or 16-bit grey";
            return Err(Refusal::unsupported("holds pixels of an unknown kind", remedy).in_file(path));
        }
    };
    if channels > 1 {
        notes.push("colour was turned into ITU-R 601 luma".to_owned());
    }
    if decoder.original_color_type() == ExtendedColorType::Cmyk8 {
        notes.push(
            "its colours are for print (CMYK); they were turned into red, green and blue first".to_owned(),
        );
    }
    let length = usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX);
    let (height, width) = (height as usize, width as usize);
    let mut bytes = room_for(length, width, height, path)?;
    without_panic(|| decoder.read_image(&mut bytes).map_err(jpeg_refusal)).map_err(in_file)?;
    Ok(Picture {
        values: Values::U8(grey(bytes, channels)),
        planes: 1,
        height,
        width,
        bit_depth: 8,
        notes,
        shades: true,
        was_colour: channels > 1,
        colour_table: None,
        no_data: None,
        scaling: None,
        axes: None,
        picked_sample: false,
    })
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

fn jpeg_refusal(error: ImageError) -> Refusal {
    match error {
        ImageError::IoError(e) => e.into(),
        ImageError::Limits(_) => Refusal::too_large("claims more pixels than the limit"),
        ImageError::Unsupported(e) => Refusal::unsupported(e.to_string(), "convert it to 8- or 16-bit grey"),
        other => Refusal::damaged(format!("is damaged: {other}")),
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

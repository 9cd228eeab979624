//! Reads every plane of a TIFF file: microscopy stacks, masks, labels.

use super::ImageLimits;
use super::luma::{Sample, grey, grey_of_planes};
use super::stack::{Picture, check_pixels};
use crate::arrays::Values;
use crate::{DataError, DataErrorKind};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError};

/// The size and kind that all planes must share.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Kind {
    width: u32,
    height: u32,
    colour: ColorType,
}

/// Reads a TIFF file: 1-, 8-, 16- and 32-bit grey, 32-bit real grey, 8- and 16-bit colour.
pub(super) fn read_tiff(file: File, path: &Path, limits: ImageLimits) -> Result<Picture, DataError> {
    let mut most = Limits::default();
    most.decoding_buffer_size =
        usize::try_from(limits.pixels).unwrap_or(usize::MAX).saturating_mul(8).max(1 << 16);
    most.intermediate_buffer_size = most.decoding_buffer_size;
    let mut decoder =
        Decoder::new(BufReader::new(file)).map_err(|e| tiff_error(path, 0, e))?.with_limits(most);
    let description = decoder.get_tag_ascii_string(Tag::ImageDescription).unwrap_or_default();
    let mut notes = Vec::new();
    let mut first = None;
    let mut values: Option<Values> = None;
    let mut planes = 0usize;
    loop {
        let kind = kind_of(&mut decoder, path, planes)?;
        check_pixels(path, planes as u64 + 1, kind.width.into(), kind.height.into(), limits)?;
        let agreed = *first.get_or_insert(kind);
        if kind != agreed {
            return Err(unlike(path, planes, agreed, kind));
        }
        let plane = read_plane(&mut decoder, kind, path, planes)?;
        match &mut values {
            None => values = Some(plane),
            Some(values) => append(values, plane, path, planes)?,
        }
        planes += 1;
        if !decoder.more_images() {
            break;
        }
        decoder.next_image().map_err(|e| tiff_error(path, planes, e))?;
    }
    let (Some(kind), Some(values)) = (first, values) else {
        return Err(DataError::new(DataErrorKind::Format, path, "has no planes", "save the image again"));
    };
    if is_colour(kind.colour) {
        notes.push("colour was turned into ITU-R 601 luma".to_owned());
    }
    if matches!(kind.colour, ColorType::RGBA(_) | ColorType::GrayA(_) | ColorType::Multiband { .. }) {
        notes.push("transparency was ignored".to_owned());
    }
    check_imagej(&description, planes, path, &mut notes)?;
    Ok(Picture {
        values,
        planes,
        height: kind.height as usize,
        width: kind.width as usize,
        bit_depth: kind.colour.bit_depth(),
        notes,
    })
}

fn is_colour(colour: ColorType) -> bool {
    matches!(colour, ColorType::RGB(_) | ColorType::RGBA(_))
}

fn kind_of(decoder: &mut Decoder<BufReader<File>>, path: &Path, plane: usize) -> Result<Kind, DataError> {
    let (width, height) = decoder.dimensions().map_err(|e| tiff_error(path, plane, e))?;
    let colour = decoder.colortype().map_err(|e| tiff_error(path, plane, e))?;
    match colour {
        ColorType::Gray(1 | 8 | 16 | 32)
        | ColorType::RGB(8 | 16)
        | ColorType::RGBA(8 | 16)
        | ColorType::GrayA(8 | 16)
        | ColorType::Multiband { bit_depth: 8 | 16, num_samples: 2 } => Ok(Kind { width, height, colour }),
        ColorType::Multiband { num_samples, .. } => Err(unsupported(
            path,
            plane,
            format!("has {num_samples} channels a pixel"),
            "save the channel to be read as an image of its own",
        )),
        other => Err(unsupported(
            path,
            plane,
            format!("has pixels of kind {other:?}"),
            "convert it to 8- or 16-bit grey",
        )),
    }
}

fn read_plane(
    decoder: &mut Decoder<BufReader<File>>,
    kind: Kind,
    path: &Path,
    plane: usize,
) -> Result<Values, DataError> {
    let pixels = kind.width as usize * kind.height as usize;
    let mut read = DecodingResult::U8(Vec::new());
    let layout = decoder.read_image_to_buffer(&mut read).map_err(|e| tiff_error(path, plane, e))?;
    let channels = match kind.colour {
        ColorType::Gray(_) => 1,
        ColorType::GrayA(_) | ColorType::Multiband { .. } => 2,
        ColorType::RGB(_) => 3,
        _ => 4,
    };
    let values = match read {
        DecodingResult::U8(bytes) if kind.colour == ColorType::Gray(1) => {
            unpack_bits(&bytes, kind.width as usize, kind.height as usize).map(Values::U8)
        }
        DecodingResult::U8(samples) => to_grey(samples, channels, layout.planes, pixels).map(Values::U8),
        DecodingResult::U16(samples) => to_grey(samples, channels, layout.planes, pixels).map(Values::U16),
        DecodingResult::U32(samples) if channels == 1 => Some(Values::U32(samples)),
        DecodingResult::F32(samples) if channels == 1 => Some(Values::F32(samples)),
        _ => {
            let found = "holds signed, 64-bit or half-precision values".to_owned();
            return Err(unsupported(path, plane, found, "convert it to 8- or 16-bit grey or 32-bit real"));
        }
    };
    values.filter(|v| v.len() == pixels).ok_or_else(|| {
        let found = format!("plane {} does not hold {} × {} pixels", plane + 1, kind.width, kind.height);
        DataError::new(DataErrorKind::Format, path, found, "the file is damaged: save it again")
    })
}

/// Grey values of samples that are interleaved (one plane) or in planes of their own; none if there are too few.
fn to_grey<T: Sample>(samples: Vec<T>, channels: usize, planes: usize, pixels: usize) -> Option<Vec<T>> {
    if samples.len() < pixels.checked_mul(channels)? {
        return None;
    }
    if planes <= 1 {
        return Some(grey(samples, channels));
    }
    match channels {
        1 | 2 => Some(samples[..pixels].to_vec()),
        _ => Some(grey_of_planes(&samples, pixels)),
    }
}

/// Bits as 0 and 1; each row begins at a byte.
fn unpack_bits(bytes: &[u8], width: usize, height: usize) -> Option<Vec<u8>> {
    let row = width.div_ceil(8);
    if bytes.len() < row * height {
        return None;
    }
    let bits = |line: &[u8]| (0..width).map(|x| line[x / 8] >> (7 - x % 8) & 1).collect::<Vec<_>>();
    Some(bytes.chunks_exact(row).take(height).flat_map(bits).collect())
}

fn append(values: &mut Values, plane: Values, path: &Path, index: usize) -> Result<(), DataError> {
    match (values, plane) {
        (Values::U8(all), Values::U8(new)) => all.extend(new),
        (Values::U16(all), Values::U16(new)) => all.extend(new),
        (Values::U32(all), Values::U32(new)) => all.extend(new),
        (Values::F32(all), Values::F32(new)) => all.extend(new),
        _ => {
            let found = "mixes whole and real values".to_owned();
            return Err(unsupported(path, index, found, "convert all planes to one type"));
        }
    }
    Ok(())
}

/// Compares the planes found with what ImageJ wrote about them.
///
/// ImageJ keeps stacks above 4 GiB outside the TIFF structure, so that a reader finds one plane only; and it says
/// which planes are channels, slices and frames.
fn check_imagej(
    description: &str,
    planes: usize,
    path: &Path,
    notes: &mut Vec<String>,
) -> Result<(), DataError> {
    if !description.starts_with("ImageJ=") {
        return Ok(());
    }
    let number = |key: &str| {
        description
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('=')?.trim().parse::<usize>().ok())
    };
    if let Some(images) = number("images").filter(|&n| n > planes) {
        let found = format!("has {planes} of the {images} planes that ImageJ announces");
        let remedy = "export it as an image sequence, or as BigTIFF with Bio-Formats";
        return Err(DataError::new(DataErrorKind::Unsupported, path, found, remedy));
    }
    let counts: Vec<_> = ["channels", "slices", "frames"]
        .iter()
        .filter_map(|key| Some((*key, number(key)?)))
        .filter(|(_, n)| *n > 1)
        .collect();
    if counts.len() > 1 {
        let words: Vec<_> = counts.iter().map(|(key, n)| format!("{n} {key}")).collect();
        notes.push(format!(
            "ImageJ says the {planes} planes are {}, the first varying fastest; they were read in that order",
            words.join(" × ")
        ));
    }
    Ok(())
}

fn unlike(path: &Path, plane: usize, first: Kind, other: Kind) -> DataError {
    let found = format!(
        "plane {} is {} × {} pixels of {:?}, plane 1 is {} × {} of {:?}",
        plane + 1,
        other.width,
        other.height,
        other.colour,
        first.width,
        first.height,
        first.colour
    );
    DataError::new(DataErrorKind::Unsupported, path, found, "save planes of one size and kind")
}

fn unsupported(path: &Path, plane: usize, found: String, remedy: &str) -> DataError {
    DataError::new(DataErrorKind::Unsupported, path, found, remedy).at(format!("plane {}", plane + 1))
}

fn tiff_error(path: &Path, plane: usize, error: TiffError) -> DataError {
    let place = format!("plane {}", plane + 1);
    let error = match error {
        TiffError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => DataError::new(
            DataErrorKind::Truncated,
            path,
            "ends before its picture does",
            "it is cut short: fetch or save it again",
        ),
        TiffError::IoError(e) => DataError::io(path, "read it", &e),
        TiffError::LimitsExceeded | TiffError::IntSizeError => DataError::new(
            DataErrorKind::TooLarge,
            path,
            "claims more than the limit",
            "crop or bin it, or raise the limit",
        ),
        TiffError::UnsupportedError(e) => {
            let found = if e.to_string().contains("RGBPalette") {
                "holds indices into a colour table".to_owned()
            } else {
                format!("cannot be read: {e}")
            };
            let remedy =
                "convert it to 8- or 16-bit grey (ImageJ: Image > Lookup Tables > Grays, then Image > Type)";
            DataError::new(DataErrorKind::Unsupported, path, found, remedy)
        }
        other => DataError::new(
            DataErrorKind::Format,
            path,
            format!("is damaged: {other}"),
            "fetch or save it again",
        ),
    };
    error.at(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_unpacked_row_by_row() {
        let bytes = [0b1010_0000, 0b1000_0000, 0b0000_0001, 0b0100_0000];
        assert_eq!(
            unpack_bits(&bytes, 10, 2),
            Some(vec![1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1])
        );
        assert_eq!(unpack_bits(&bytes, 10, 3), None);
    }

    #[test]
    fn imagejs_announcements_are_compared() {
        let mut notes = Vec::new();
        let path = Path::new("a.tif");
        assert!(check_imagej("ImageJ=1.53t\nimages=7\n", 1, path, &mut notes).is_err());
        assert!(check_imagej("ImageJ=1.53t\nimages=6\nchannels=2\nframes=3\n", 6, path, &mut notes).is_ok());
        assert!(notes[0].contains("2 channels × 3 frames"), "{notes:?}");
    }
}

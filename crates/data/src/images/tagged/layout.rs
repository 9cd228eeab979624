//! Says from the tags of a directory how a plane's samples lie in the file, or why they are not read.

use super::super::ImageLimits;
use super::super::refusal::Refusal;
use super::directory::{Bytes, Directory, tag};
use crate::DataErrorKind;
use std::io::{Read, Seek};

/// What the bits of a sample mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Unsigned,
    Signed,
    Real,
}

/// What the samples of a pixel mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colours {
    /// Grey, more where it is brighter.
    Grey,
    /// Grey, more where it is darker.
    WhiteIsZero,
    /// Red, green and blue.
    RedGreenBlue,
    /// Numbers of colours in a table.
    Table,
    /// Colours that only a decoder of another project turns into grey or red, green and blue.
    Foreign,
}

/// How the samples of one plane lie in the file.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub width: usize,
    pub height: usize,
    pub bits: u8,
    pub format: Format,
    pub samples: usize,
    pub colours: Colours,
    /// Samples beyond those of the colours that are transparency.
    pub transparency: bool,
    /// Samples beyond the colours that are neither colour nor transparency.
    pub others: usize,
    /// Whether each sample has strips or tiles of its own.
    pub separate: bool,
    pub compression: u64,
    pub predictor: u64,
    /// Whether the first pixel is in the lowest bit of a byte.
    pub reversed_bits: bool,
    pub tiled: bool,
    pub chunk_width: usize,
    pub chunk_height: usize,
    pub offsets: Vec<u64>,
    /// Bytes of each strip or tile; empty where the file does not say.
    pub counts: Vec<u64>,
}

impl Layout {
    /// # Errors
    /// If a tag is missing or contradicts another, or the samples are of a kind that is not read.
    pub(super) fn of<S: Read + Seek>(
        file: &mut Bytes<S>,
        directory: &Directory,
        limits: ImageLimits,
    ) -> Result<Layout, Refusal> {
        let side = |n: u64| usize::try_from(n).ok().filter(|n| *n > 0 && *n <= u32::MAX as usize);
        let width = file.one(directory, tag::WIDTH, 0)?;
        let height = file.one(directory, tag::HEIGHT, 0)?;
        let (Some(width), Some(height)) = (side(width), side(height)) else {
            return Err(Refusal::damaged(format!("has no pixels ({width} × {height})")));
        };
        let samples = file.one(directory, tag::SAMPLES, 1)?;
        let samples = usize::try_from(samples).ok().filter(|s| (1..=65535).contains(s));
        let samples =
            samples.ok_or_else(|| Refusal::damaged("has an impossible number of samples a pixel"))?;
        let bits = alike(file, directory, tag::BITS, 1)?;
        let format = format_of(file, directory)?;
        let photometric = file.one(directory, tag::PHOTOMETRIC, 1)?;
        let compression = file.one(directory, tag::COMPRESSION, 1)?;
        let colours = colours_of(photometric, compression)?;
        let own = if colours == Colours::RedGreenBlue { 3 } else { 1 };
        let extra = file.numbers(directory, tag::EXTRA_SAMPLES)?.unwrap_or_default();
        if samples < own {
            return Err(Refusal::damaged(format!(
                "has {samples} samples a pixel where its colours need {own}"
            )));
        }
        let beyond = samples - own;
        let transparent = extra.iter().take(beyond).filter(|kind| matches!(kind, 1 | 2)).count();
        let mut layout = Layout {
            width,
            height,
            bits: bits_of(bits, format)?,
            format,
            samples,
            colours,
            transparency: transparent > 0,
            others: if colours == Colours::Foreign { 0 } else { beyond - transparent },
            separate: samples > 1 && file.one(directory, tag::PLANAR, 1)? == 2,
            compression,
            predictor: file.one(directory, tag::PREDICTOR, 1)?,
            reversed_bits: file.one(directory, tag::FILL_ORDER, 1)? == 2,
            tiled: directory.has(tag::TILE_OFFSETS),
            chunk_width: width,
            chunk_height: height,
            offsets: Vec::new(),
            counts: Vec::new(),
        };
        layout.check_predictor()?;
        layout.read_chunks(file, directory, limits)?;
        Ok(layout)
    }

    /// Strips or tiles: their size, and where they are.
    fn read_chunks<S: Read + Seek>(
        &mut self,
        file: &mut Bytes<S>,
        directory: &Directory,
        limits: ImageLimits,
    ) -> Result<(), Refusal> {
        let (offsets, counts) = if self.tiled {
            let across = file.one(directory, tag::TILE_WIDTH, 0)?;
            let down = file.one(directory, tag::TILE_HEIGHT, 0)?;
            // A tile may be larger than the picture, but not without bound.
            let most = limits.pixels.max(1 << 22);
            if across == 0 || down == 0 || across.checked_mul(down).is_none_or(|pixels| pixels > most) {
                return Err(Refusal::damaged(format!("has tiles of {across} × {down} pixels")));
            }
            (self.chunk_width, self.chunk_height) = (across as usize, down as usize);
            (tag::TILE_OFFSETS, tag::TILE_COUNTS)
        } else {
            let rows = file.one(directory, tag::ROWS_PER_STRIP, u64::from(u32::MAX))?;
            if rows == 0 {
                return Err(Refusal::damaged("has strips without rows"));
            }
            self.chunk_height = self.height.min(usize::try_from(rows).unwrap_or(usize::MAX));
            (tag::STRIP_OFFSETS, tag::STRIP_COUNTS)
        };
        self.offsets = file.numbers(directory, offsets)?.unwrap_or_default();
        self.counts = file.numbers(directory, counts)?.unwrap_or_default();
        let needed = self.chunks_a_sample().checked_mul(if self.separate { self.samples } else { 1 });
        if needed.is_none_or(|needed| self.offsets.len() < needed) {
            let kind = if self.tiled { "tiles" } else { "strips" };
            return Err(Refusal::damaged(format!(
                "names {} {kind} where its size needs more",
                self.offsets.len()
            )));
        }
        if !self.counts.is_empty() && self.counts.len() < self.offsets.len() {
            return Err(Refusal::damaged("does not say how long each of its strips or tiles is"));
        }
        Ok(())
    }

    fn check_predictor(&self) -> Result<(), Refusal> {
        let whole_bytes = matches!(self.bits, 8 | 16 | 32 | 64);
        match self.predictor {
            1 => Ok(()),
            2 if whole_bytes => Ok(()),
            3 if self.format == Format::Real => Ok(()),
            other => Err(Refusal::unsupported(
                format!("has samples of {} bits predicted by method {other}", self.bits),
                "save it without a predictor",
            )),
        }
    }

    pub(super) fn across(&self) -> usize {
        self.width.div_ceil(self.chunk_width)
    }

    pub(super) fn chunks_a_sample(&self) -> usize {
        self.across().saturating_mul(self.height.div_ceil(self.chunk_height))
    }

    /// Samples of a pixel that lie together in a strip or tile.
    pub(super) fn interleaved(&self) -> usize {
        if self.separate { 1 } else { self.samples }
    }

    /// Bytes of a row of a strip or tile, unpacked; none where that overflows.
    pub(super) fn row_bytes(&self) -> Option<usize> {
        let samples = self.chunk_width.checked_mul(self.interleaved())?;
        Some(samples.checked_mul(usize::from(self.bits))?.div_ceil(8))
    }

    /// Rows that are encoded in a strip or tile that begins at a row: a last strip has fewer, a tile never.
    pub(super) fn encoded_rows(&self, from: usize) -> usize {
        if self.tiled { self.chunk_height } else { self.chunk_height.min(self.height - from) }
    }

    /// What must be the same in all planes of a stack.
    pub(super) fn like(&self, other: &Layout) -> bool {
        let key = |l: &Layout| (l.width, l.height, l.bits, l.format, l.colours, l.samples - l.others);
        key(self) == key(other) && self.samples == other.samples
    }

    /// Size and kind in words.
    pub(super) fn words(&self) -> String {
        let format = match self.format {
            Format::Unsigned => "",
            Format::Signed => "signed ",
            Format::Real => "real ",
        };
        let colours = match self.colours {
            Colours::Grey | Colours::WhiteIsZero => "grey",
            Colours::RedGreenBlue => "colour",
            Colours::Table => "numbers of colours in a table",
            Colours::Foreign => "colour that is packed",
        };
        let others =
            if self.others > 0 { format!(" with {} more samples", self.others) } else { String::new() };
        format!("{} × {} pixels of {} bits of {format}{colours}{others}", self.width, self.height, self.bits)
    }
}

/// A tag with one value a sample, all alike.
fn alike<S: Read + Seek>(
    file: &mut Bytes<S>,
    directory: &Directory,
    tag: u16,
    default: u64,
) -> Result<u64, Refusal> {
    let values = file.numbers(directory, tag)?.unwrap_or_else(|| vec![default]);
    let first = values.first().copied().unwrap_or(default);
    if values.iter().any(|value| *value != first) {
        let remedy = "save the channel to be read as an image of its own";
        return Err(Refusal::unsupported("has channels of different depths or types", remedy));
    }
    Ok(first)
}

fn format_of<S: Read + Seek>(file: &mut Bytes<S>, directory: &Directory) -> Result<Format, Refusal> {
    match alike(file, directory, tag::SAMPLE_FORMAT, 1)? {
        1 | 4 => Ok(Format::Unsigned),
        2 => Ok(Format::Signed),
        3 => Ok(Format::Real),
        5 | 6 => {
            let remedy = "save the real part, the imaginary part or the magnitude on its own";
            Err(Refusal::unsupported("holds complex numbers", remedy))
        }
        other => Err(Refusal::damaged(format!("has samples of the unknown format {other}"))),
    }
}

fn bits_of(bits: u64, format: Format) -> Result<u8, Refusal> {
    let read = match format {
        Format::Unsigned => matches!(bits, 1..=16 | 24 | 32 | 64),
        Format::Signed => matches!(bits, 8 | 16 | 32 | 64),
        Format::Real => matches!(bits, 16 | 32 | 64),
    };
    if read {
        return Ok(bits as u8);
    }
    let kind = match format {
        Format::Unsigned => "whole",
        Format::Signed => "signed whole",
        Format::Real => "real",
    };
    let found = format!("has {kind} numbers of {bits} bits");
    Err(Refusal::unsupported(found, "convert it to 8- or 16-bit grey or 32-bit real numbers"))
}

/// What the samples mean, where that can be read.
fn colours_of(photometric: u64, compression: u64) -> Result<Colours, Refusal> {
    let remedy = "convert it to 8- or 16-bit grey (ImageJ: Image > Type)";
    let found = match photometric {
        0 => return Ok(Colours::WhiteIsZero),
        1 | 4 => return Ok(Colours::Grey),
        2 => return Ok(Colours::RedGreenBlue),
        3 => return Ok(Colours::Table),
        6 if compression == 7 => return Ok(Colours::Foreign),
        5 => "has colours for print (CMYK)".to_string(),
        6 => "has colours as luminance and chrominance (YCbCr)".to_string(),
        8..=10 => "has colours as lightness and hues (Lab)".to_string(),
        32803 => "is the raw image of a camera's sensor".to_string(),
        other => format!("has colours of the unknown kind {other}"),
    };
    Err(Refusal::new(DataErrorKind::Unsupported, found, remedy))
}

//! Reads Netpbm pictures: PBM, PGM and PPM, as text and as bytes.
//!
//! ```text
//! P2
//! # made by hand
//! 4 2 255
//! 0 64 128 255
//! 255 128 64 0
//! ```
//!
//! P1 and P4 hold zeros and ones (1 is black), P2 and P5 grey values, P3 and P6 red, green and blue; the second of each
//! pair as bytes, two of them (the higher first) where values go beyond 255. Reference: the manual pages *pbm*, *pgm* and
//! *ppm* of Netpbm.
//!
//! Departures: a file holds one picture, and the highest value is that of some whole number of bits (1, 3 … 255 … 65535).

use super::luma::grey;
use super::refusal::Refusal;
use super::stack::{Format, Opened, Picture, check_pixels};
use crate::DataError;
use crate::arrays::Values;
use std::io::Read;

/// Netpbm pictures, known by P and a digit.
pub(super) const NETPBM: Format = Format {
    name: "a Netpbm picture",
    endings: &["pbm", "pgm", "ppm", "pnm"],
    begins: |start| matches!(start, [b'P', b'1'..=b'6', next, ..] if next.is_ascii_whitespace() || *next == b'#'),
    read: read_netpbm,
};

/// Reads a picture as one grey plane.
fn read_netpbm(opened: Opened<'_>) -> Result<Picture, DataError> {
    let Opened { file, length, path, limits, .. } = opened;
    // Three numbers of five digits and a space a pixel, and comments.
    if length > limits.pixels.saturating_mul(18).saturating_add(1 << 16) {
        return Err(Refusal::too_large(format!("takes {length} bytes, above the limit")).in_file(path));
    }
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).map_err(|e| DataError::io(path, "read it", &e))?;
    let refused = |refusal: Refusal| refusal.in_file(path);
    let mut text = Text { bytes: &bytes, at: 2 };
    let kind = bytes[1];
    let width = text.number("its width").map_err(refused)?;
    let height = text.number("its height").map_err(refused)?;
    let bits_alone = matches!(kind, b'1' | b'4');
    let highest = if bits_alone { 1 } else { text.number("its highest value").map_err(refused)? };
    check_pixels(path, 1, width, height, limits)?;
    if !(1..=65535).contains(&highest) || !(highest + 1).is_power_of_two() {
        let found = format!("says that its highest value is {highest}, which is no full scale");
        let remedy = "scale it to 255 or 65535 (pamdepth 255), or save it as PNG or TIFF";
        return Err(refused(Refusal::unsupported(found, remedy)));
    }
    let (width, height) = (width as usize, height as usize);
    let channels = if matches!(kind, b'3' | b'6') { 3 } else { 1 };
    let samples = match kind {
        b'1' => text.bits(width * height),
        b'2' | b'3' => text.numbers(channels * width * height, highest),
        b'4' => text.packed(width, height),
        _ => text.raw(channels * width * height, highest),
    };
    let samples = samples.map_err(refused)?;
    let mut notes = Vec::new();
    if channels == 3 {
        notes.push("colour was turned into ITU-R 601 luma".to_owned());
    }
    if bits_alone {
        notes.push("in a PBM 1 is black; its numbers were read as they are".to_owned());
    }
    let values = match highest {
        0..=255 => Values::U8(grey(samples.into_iter().map(|sample| sample as u8).collect(), channels)),
        _ => Values::U16(grey(samples, channels)),
    };
    Ok(Picture {
        values,
        planes: 1,
        height,
        width,
        bit_depth: (highest + 1).ilog2() as u8,
        notes,
        shades: true,
        was_colour: channels == 3,
        colour_table: None,
        no_data: None,
        scaling: None,
        axes: None,
        picked_sample: false,
    })
}

/// What is left to be read.
struct Text<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Text<'_> {
    /// The next byte that is neither white space nor within a comment.
    fn skip(&mut self) -> Option<u8> {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'#' => {
                    let rest = &self.bytes[self.at..];
                    self.at += rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len());
                }
                byte if byte.is_ascii_whitespace() => self.at += 1,
                byte => return Some(*byte),
            }
        }
        None
    }

    fn number(&mut self, what: &str) -> Result<u64, Refusal> {
        self.skip().ok_or_else(Refusal::truncated)?;
        let rest = &self.bytes[self.at..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += length;
        let digits = std::str::from_utf8(&rest[..length]).ok();
        let number = digits.and_then(|digits| digits.parse().ok()).filter(|n| *n < 1 << 32);
        number.ok_or_else(|| Refusal::damaged(format!("has no whole number below 2³² for {what}")))
    }

    /// Numbers in words.
    fn numbers(&mut self, count: usize, highest: u64) -> Result<Vec<u16>, Refusal> {
        let mut samples = Vec::new();
        for place in 0..count {
            let sample = self.number(&format!("value {} of {count}", place + 1))?;
            if sample > highest {
                return Err(Refusal::damaged(format!("holds {sample}, above its highest value {highest}")));
            }
            samples.push(sample as u16);
        }
        self.end(samples)
    }

    /// Zeros and ones, which need no spaces between them.
    fn bits(&mut self, count: usize) -> Result<Vec<u16>, Refusal> {
        let mut samples = Vec::new();
        for _ in 0..count {
            samples.push(match self.skip() {
                Some(bit @ (b'0' | b'1')) => u16::from(bit - b'0'),
                Some(_) => return Err(Refusal::damaged("holds something else than 0 and 1")),
                None => return Err(Refusal::truncated()),
            });
            self.at += 1;
        }
        self.end(samples)
    }

    fn end(&mut self, samples: Vec<u16>) -> Result<Vec<u16>, Refusal> {
        match self.skip() {
            None => Ok(samples),
            Some(_) => Err(more()),
        }
    }

    /// The bytes after the one white space that ends the head.
    fn body(&mut self, length: usize) -> Result<&[u8], Refusal> {
        let rest = self.bytes.get(self.at + 1..).ok_or_else(Refusal::truncated)?;
        match rest.len() {
            own if own < length => Err(Refusal::truncated()),
            // Some programs end the file with an end of line.
            own if own > length && !rest[length..].iter().all(u8::is_ascii_whitespace) => Err(more()),
            _ => Ok(&rest[..length]),
        }
    }

    /// Eight zeros and ones a byte; each row begins at one.
    fn packed(&mut self, width: usize, height: usize) -> Result<Vec<u16>, Refusal> {
        let row = width.div_ceil(8);
        let body = self.body(row * height)?;
        let bit = |line: &[u8], x: usize| u16::from(line[x / 8] >> (7 - x % 8) & 1);
        Ok(body.chunks_exact(row).flat_map(|line| (0..width).map(move |x| bit(line, x))).collect())
    }

    fn raw(&mut self, count: usize, highest: u64) -> Result<Vec<u16>, Refusal> {
        let samples: Vec<u16> = match highest {
            0..=255 => self.body(count)?.iter().map(|byte| u16::from(*byte)).collect(),
            _ => self.body(2 * count)?.chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect(),
        };
        match samples.iter().find(|sample| u64::from(**sample) > highest) {
            Some(sample) => {
                Err(Refusal::damaged(format!("holds {sample}, above its highest value {highest}")))
            }
            None => Ok(samples),
        }
    }
}

fn more() -> Refusal {
    Refusal::unsupported(
        "holds more than one picture, or something after its pixels",
        "save every picture as a file of its own, or all as a TIFF stack",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{ImageLimits, ImageStack, read_image};
    use super::*;

    fn read(bytes: &[u8]) -> Result<ImageStack, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.pnm");
        std::fs::write(&path, bytes).unwrap();
        read_image(&path, ImageLimits { pixels: 1 << 20 })
    }

    #[test]
    fn every_kind_gives_its_numbers() {
        let text: [(&[u8], &[f64]); 8] = [
            (b"P1\n3 2\n101 0\n1 0", &[1.0, 0.0, 1.0, 0.0, 1.0, 0.0]),
            (b"P2 # by hand\n3 2\n255\n0 64 128\n255 1 2\n", &[0.0, 64.0, 128.0, 255.0, 1.0, 2.0]),
            (b"P3 1 2 255 255 0 0\n0 255 0", &[76.0, 150.0]),
            (b"P4\n3 2\n\xA0\x40", &[1.0, 0.0, 1.0, 0.0, 1.0, 0.0]),
            (b"P5 2 2 255\n\x00\x0A\x20\xFF", &[0.0, 10.0, 32.0, 255.0]),
            (b"P5 2 1 4095\n\x0F\xFF\x00\x01", &[4095.0, 1.0]),
            (b"P6 1 1 255\n\x00\x00\xFF", &[29.0]),
            (b"P2 2 1 15 15 3", &[15.0, 3.0]),
        ];
        for (bytes, numbers) in text {
            let picture = read(bytes).unwrap();
            assert_eq!(picture.to_f64(), numbers, "{}", String::from_utf8_lossy(bytes));
        }
        let picture = read(b"P2 2 1 15 15 3").unwrap();
        assert_eq!((picture.bit_depth(), picture.to_unit()), (4, vec![1.0, 0.2]));
        assert!(read(b"P1 1 1 1").unwrap().notes()[0].contains("1 is black"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (bytes, word) in [
            (&b"P2 2 2 255 1 2 3"[..], "cut short"),
            (b"P5 2 2 255\n123", "cut short"),
            (b"P2 2 1 255 1 300", "300, above"),
            (b"P2 2 1 100 1 2", "no full scale"),
            (b"P2 2 1 0 0 0", "no full scale"),
            (b"P1 2 1 2 1", "else than 0 and 1"),
            (b"P5 1 1 255\nAP5 1 1 255\nB", "more than one picture"),
            (b"P5 99999999 99999999 255\n", "limit"),
            (b"P5 0 3 255\n", "no pixels"),
            (b"P5 x 3 255\n", "its width"),
        ] {
            let error = read(bytes).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}

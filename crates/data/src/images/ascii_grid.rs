//! Reads ESRI ASCII grids, the text files that maps of heights, cover and fuel come in.
//!
//! ```text
//! ncols        4
//! nrows        2
//! xllcorner    500000
//! yllcorner    4100000
//! cellsize     10
//! NODATA_value -9999
//! 12.5 13 13.5 14
//! 12 12.5 -9999 13.5
//! ```
//!
//! The first row of numbers is the northernmost, and the first row of the picture. `NODATA_value` may be missing; the
//! corner and the cell size are not used. Reference: Esri, *ASCII to Raster*.

use super::refusal::Refusal;
use super::stack::{Format, Opened, Picture, check_pixels};
use crate::arrays::Values;
use crate::tables::numeral;
use crate::{DataError, DataErrorKind};
use glauber_files::error::quoted;
use std::io::Read;

/// Grids, known by the first word of their header.
pub(super) const ASCII_GRID: Format =
    Format { name: "an ESRI ASCII grid", endings: &["asc"], begins: is_grid, read: read_ascii_grid };

fn is_grid(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start();
    let word = start.split(|byte| !byte.is_ascii_alphabetic()).next().unwrap_or_default();
    [&b"ncols"[..], b"nrows"].iter().any(|key| word.eq_ignore_ascii_case(key))
}

/// Reads a grid as one plane of real numbers.
fn read_ascii_grid(opened: Opened<'_>) -> Result<Picture, DataError> {
    let Opened { file, length, path, limits, .. } = opened;
    // A number of a grid takes some twenty characters at most.
    if length > limits.pixels.saturating_mul(32).saturating_add(1 << 16) {
        return Err(Refusal::too_large(format!("takes {length} bytes, above the limit")).in_file(path));
    }
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).map_err(|e| DataError::io(path, "read it", &e))?;
    let text = String::from_utf8_lossy(&bytes);
    let mut words = text.trim_start_matches('\u{FEFF}').split_ascii_whitespace().peekable();
    let mut header = Header::default();
    while let Some(word) = words.peek().filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic())) {
        let key = word.to_ascii_lowercase();
        if number(&key).is_some() {
            break;
        }
        words.next();
        let value = words.next().unwrap_or_default();
        header.set(&key, value).map_err(|refusal| refusal.in_file(path))?;
    }
    let (Some(height), Some(width)) = (header.rows, header.columns) else {
        let refusal = Refusal::damaged("begins as an ESRI ASCII grid, but does not say both ncols and nrows");
        return Err(refusal.in_file(path));
    };
    check_pixels(path, 1, width as u64, height as u64, limits)?;
    let mut values = Vec::new();
    for word in words {
        let Some(value) = number(word) else {
            let place = format!("row {}, column {}", values.len() / width, values.len() % width);
            let found = format!("{} is not a number", quoted(word));
            return Err(DataError::new(DataErrorKind::Value, path, found, "correct the grid").at(place));
        };
        values.push(value);
    }
    if values.len() != width * height {
        let found = format!(
            "holds {} numbers where {width} columns and {height} rows need {}",
            values.len(),
            width * height
        );
        return Err(DataError::new(DataErrorKind::Truncated, path, found, "fetch or write it again"));
    }
    Ok(Picture {
        values: Values::F64(values),
        planes: 1,
        height,
        width,
        bit_depth: 64,
        notes: Vec::new(),
        shades: false,
        was_colour: false,
        colour_table: None,
        no_data: header.no_data,
        scaling: None,
        axes: None,
        picked_sample: false,
    })
}

#[derive(Default)]
struct Header {
    rows: Option<usize>,
    columns: Option<usize>,
    no_data: Option<f64>,
}

impl Header {
    fn set(&mut self, key: &str, value: &str) -> Result<(), Refusal> {
        let count = || value.parse().ok().filter(|n| (1..=1usize << 32).contains(n));
        let wrong = || Refusal::damaged(format!("says that {key} is {}", quoted(value)));
        match key {
            "ncols" => self.columns = Some(count().ok_or_else(wrong)?),
            "nrows" => self.rows = Some(count().ok_or_else(wrong)?),
            "nodata_value" | "nodata" => self.no_data = Some(number(value).ok_or_else(wrong)?),
            "xllcorner" | "yllcorner" | "xllcenter" | "yllcenter" | "cellsize" | "dx" | "dy" => {
                number(value).ok_or_else(wrong)?;
            }
            _ => {
                return Err(Refusal::damaged(format!(
                    "has the word {} where numbers should be",
                    quoted(key)
                )));
            }
        }
        Ok(())
    }
}

/// A number with a decimal point, or the decimal comma of some countries' programs.
fn number(word: &str) -> Option<f64> {
    word.parse().ok().or_else(|| word.replacen(',', ".", 1).parse().ok()).or_else(|| numeral(word))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)] // Numbers are read exactly.
mod tests {
    use super::super::{ImageLimits, read_image};
    use super::*;

    fn read(text: &str) -> Result<super::super::ImageStack, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dem.asc");
        std::fs::write(&path, text).unwrap();
        read_image(&path, ImageLimits::default())
    }

    const HEADER: &str = "ncols 3\nNROWS 2\nxllcorner 0\nyllcorner 0\ncellsize 10\n";

    #[test]
    fn numbers_are_read_row_by_row_from_the_north() {
        let grid = read(&format!("{HEADER}nodata_value -9999\n1 2.5 -9999\n4 5e1 6\n")).unwrap();
        assert_eq!(grid.array().shape(), [1, 2, 3]);
        assert_eq!(grid.to_f64(), [1.0, 2.5, -9999.0, 4.0, 50.0, 6.0]);
        assert_eq!(grid.no_data, Some(-9999.0));
        assert_eq!(read(&format!("{HEADER}1,5 2 3 4 5 nan")).unwrap().to_f64()[0], 1.5);
    }

    /// Rows and columns count from 0, whatever is wrong there.
    #[test]
    fn a_place_has_one_name() {
        let grid = read(&format!("{HEADER}1 2 3 4 nan 6")).unwrap();
        let error = grid.check_all_there("dem.asc").unwrap_err().to_string();
        assert!(error.contains("row 1, column 1: "), "{error}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, word) in [
            (format!("{HEADER}1 2 3 4 5"), "5 numbers"),
            (format!("{HEADER}1 2 3 4 x 6"), "row 1, column 1: `x`"),
            ("ncols 3\ncellsize 1\n1 2 3".to_string(), "nrows"),
            ("ncols 99999999\nnrows 99999999\n1".to_string(), "above the limit"),
            ("ncols -3\nnrows 2\n1".to_string(), "ncols"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}

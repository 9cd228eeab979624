//! Says by its first bytes what a file is, and for one that is not read, what to save it as instead.

use super::FORMATS;
use crate::arrays::open_regular;
use crate::{DataError, DataErrorKind};
use std::io::Read;
use std::path::Path;

/// What a file is by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A NumPy array.
    Npy,
    /// A zip archive: NumPy arrays, or something else.
    Zip,
    /// A picture, stack or map in a format that is read: which.
    Image(&'static str),
    /// A folder.
    Folder,
    /// Nothing.
    Empty,
    /// Numbers in an array format that is not read: what it is.
    OtherArray(&'static str),
    /// A picture in a format that is not read: what it is.
    OtherImage(&'static str),
    /// A microscope's own format: what it is.
    Microscope(&'static str),
    /// Text of numbers.
    Table,
    /// Something else.
    Unknown,
}

impl FileKind {
    /// What is at a path.
    ///
    /// # Errors
    /// If there is nothing, or it cannot be opened.
    ///
    /// ```
    /// use glauber_data::FileKind;
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("RUNS.NPZ");
    /// std::fs::write(&path, b"PK\x03\x04")?;
    /// assert_eq!(FileKind::of(&path)?, FileKind::Zip);
    /// assert!(FileKind::of(&path)?.holds_arrays());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(path: impl AsRef<Path>) -> Result<FileKind, DataError> {
        let path = path.as_ref();
        if path.is_dir() {
            return Ok(FileKind::Folder);
        }
        let (file, _) = open_regular(path)?;
        let mut start = Vec::new();
        file.take(512).read_to_end(&mut start).map_err(|e| DataError::io(path, "read it", &e))?;
        Ok(FileKind::of_bytes(&start))
    }

    /// Whether it is read as arrays.
    pub fn holds_arrays(self) -> bool {
        matches!(self, FileKind::Npy | FileKind::Zip)
    }

    /// What a file is that begins so; 512 bytes are enough.
    fn of_bytes(start: &[u8]) -> FileKind {
        if let Some(format) = FORMATS.iter().find(|format| (format.begins)(start)) {
            return FileKind::Image(format.name);
        }
        let starts: [(&[u8], FileKind); 21] = [
            (b"\x93NUMPY", FileKind::Npy),
            (b"PK", FileKind::Zip),
            (b"GIF8", FileKind::OtherImage("a GIF")),
            (b"BM", FileKind::OtherImage("a BMP image")),
            (b"%PDF", FileKind::OtherImage("a PDF")),
            (b"\0\0\0\x0CjP", FileKind::OtherImage("a JPEG 2000 image")),
            (b"P5", FileKind::OtherImage("a PGM image")),
            (b"P6", FileKind::OtherImage("a PPM image")),
            (b"MATLAB", FileKind::OtherArray("a MATLAB file")),
            (b"\x89HDF", FileKind::OtherArray("an HDF5 file")),
            (b"CDF\x01", FileKind::OtherArray("a netCDF file")),
            (b"CDF\x02", FileKind::OtherArray("a netCDF file")),
            (b"SIMPLE  =", FileKind::OtherArray("a FITS file")),
            (b"NRRD", FileKind::OtherArray("an NRRD file")),
            (b"PAR1", FileKind::OtherArray("a Parquet file")),
            (b"ARROW1", FileKind::OtherArray("an Arrow file")),
            (b"RDX", FileKind::OtherArray("an R data file")),
            (b"\x1F\x8B", FileKind::OtherArray("packed by gzip (as R data and NIfTI are)")),
            (b"ZISRAWFILE", FileKind::Microscope("a Zeiss CZI file")),
            (b"\xDA\xCE\xBE\x0A", FileKind::Microscope("a Nikon ND2 file")),
            (b"DSAA", FileKind::OtherArray("a Surfer grid")),
        ];
        if let Some((_, kind)) = starts.iter().find(|(magic, _)| start.starts_with(magic)) {
            return *kind;
        }
        match start {
            [] => FileKind::Empty,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => {
                FileKind::OtherImage("a WebP image")
            }
            [0xD0, 0xCF, 0x11, 0xE0, ..] => {
                FileKind::OtherArray("a spreadsheet or a microscope's file of an old Office kind")
            }
            [0x70, 0, 0, 0, ..] => FileKind::Microscope("a Leica LIF file"),
            [0x80, 2..=5, ..] => FileKind::OtherArray("a Python pickle, which is never read"),
            _ if start.get(128..132) == Some(b"DICM") => FileKind::OtherImage("a DICOM image"),
            _ => of_text(start),
        }
    }

    /// The error for a file that is not what is `wanted`, such as "an image".
    pub fn refused(self, path: impl AsRef<Path>, wanted: &str) -> DataError {
        let arrays = "save it as NPY or NPZ (numpy.save, numpy.savez)";
        let (found, remedy) = match self {
            FileKind::Empty => ("is empty".to_string(), "save it again"),
            FileKind::Folder => (format!("is a folder, not {wanted}"), "name a file in it"),
            FileKind::Npy => (format!("is an NPY array, not {wanted}"), "convert it to PNG or TIFF"),
            FileKind::Zip => {
                (format!("is a zip or NPZ archive, not {wanted}"), "convert it to PNG or TIFF, or unpack it")
            }
            FileKind::OtherArray(what) => (format!("is {what}, not {wanted}"), arrays),
            FileKind::Table => (format!("is a text of numbers, not {wanted}"), arrays),
            FileKind::OtherImage(what) => (format!("is {what}"), "convert it to PNG or TIFF"),
            FileKind::Microscope(what) => (
                format!("is {what}"),
                "save it as an ImageJ or OME TIFF (Fiji: File > Import > Bio-Formats, then File > Save As > Tiff)",
            ),
            _ => (
                format!("is not {wanted}: neither {}", formats_in_words(" nor ")),
                "save a picture as PNG or TIFF, numbers as NPY or NPZ (numpy.save, numpy.savez)",
            ),
        };
        DataError::new(DataErrorKind::Format, path, found, remedy)
    }
}

/// The formats that are read, as "PNG, JPEG, TIFF nor an ESRI ASCII grid".
fn formats_in_words(last: &str) -> String {
    let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    names.split_last().map_or(String::new(), |(end, others)| others.join(", ") + last + end)
}

/// A table of numbers, or not.
fn of_text(start: &[u8]) -> FileKind {
    let Ok(text) = std::str::from_utf8(start).or_else(|e| std::str::from_utf8(&start[..e.valid_up_to()]))
    else {
        return FileKind::Unknown;
    };
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    let printable = text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace());
    let lines = text.lines().next().is_some_and(|line| {
        line.contains([',', ';', '\t']) || line.split_whitespace().all(|word| word.parse::<f64>().is_ok())
    });
    if printable && lines && !text.is_empty() { FileKind::Table } else { FileKind::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_content() {
        for (start, kind) in [
            (&b""[..], FileKind::Empty),
            (b"ncols 4\nnrows 5\n", FileKind::Image("an ESRI ASCII grid")),
            (b"\xEF\xBB\xBFNROWS 5", FileKind::Image("an ESRI ASCII grid")),
            (b"II*\0", FileKind::Image("TIFF")),
            (b"0,1,0\n1,0,1\n", FileKind::Table),
            (b"0 1 0\n1 0 1\n", FileKind::Table),
            (b"hello", FileKind::Unknown),
            (b"MATLAB 5.0 MAT-file", FileKind::OtherArray("a MATLAB file")),
            (b"RIFF\0\0\0\0WEBPVP8 ", FileKind::OtherImage("a WebP image")),
        ] {
            assert_eq!(FileKind::of_bytes(start), kind, "{start:?}");
        }
    }
}

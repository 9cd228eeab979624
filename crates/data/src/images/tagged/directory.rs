//! Reads the header, directories and tags of a TIFF file, each length checked against the file.

use super::super::refusal::Refusal;
use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Seek, SeekFrom};

/// The tags that are read here.
pub(super) mod tag {
    pub const SUBFILE: u16 = 254;
    pub const WIDTH: u16 = 256;
    pub const HEIGHT: u16 = 257;
    pub const BITS: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC: u16 = 262;
    pub const FILL_ORDER: u16 = 266;
    pub const DESCRIPTION: u16 = 270;
    pub const STRIP_OFFSETS: u16 = 273;
    pub const ORIENTATION: u16 = 274;
    pub const SAMPLES: u16 = 277;
    pub const ROWS_PER_STRIP: u16 = 278;
    pub const STRIP_COUNTS: u16 = 279;
    pub const PLANAR: u16 = 284;
    pub const PREDICTOR: u16 = 317;
    pub const COLOUR_TABLE: u16 = 320;
    pub const TILE_WIDTH: u16 = 322;
    pub const TILE_HEIGHT: u16 = 323;
    pub const TILE_OFFSETS: u16 = 324;
    pub const TILE_COUNTS: u16 = 325;
    pub const EXTRA_SAMPLES: u16 = 338;
    pub const SAMPLE_FORMAT: u16 = 339;
    pub const METAMORPH: [u16; 2] = [33628, 33629];
    pub const LSM: u16 = 34412;
    /// The sizes of the blocks of ImageJ's own metadata, and these.
    pub const IMAGEJ: [u16; 2] = [50838, 50839];
    pub const GDAL_METADATA: u16 = 42112;
    pub const NO_DATA: u16 = 42113;
}

/// A file whose lengths and byte order are known.
pub(super) struct Bytes<S> {
    source: S,
    length: u64,
    big_endian: bool,
    /// BigTIFF: counts and offsets of 8 bytes.
    wide: bool,
}

/// Where a tag's values lie.
#[derive(Clone, Copy, Debug)]
struct Entry {
    kind: u16,
    count: u64,
    place: u64,
}

/// One directory: what is said about one plane.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    entries: BTreeMap<u16, Entry>,
}

impl Directory {
    pub(super) fn has(&self, tag: u16) -> bool {
        self.entries.contains_key(&tag)
    }
}

impl<S: Read + Seek> Bytes<S> {
    /// The file and all its directories; `most` bounds how many there may be.
    pub(super) fn open(source: S, length: u64, most: u64) -> Result<(Self, Vec<Directory>), Refusal> {
        let mut bytes = Bytes { source, length, big_endian: false, wide: false };
        let start = bytes.at(0, 8)?;
        bytes.big_endian = start.starts_with(b"MM");
        let first = match bytes.number(&start[2..4]) {
            42 => bytes.number(&start[4..8]),
            43 => {
                bytes.wide = true;
                let offset = bytes.at(8, 8)?;
                bytes.number(&offset)
            }
            _ => return Err(Refusal::damaged("has no TIFF header")),
        };
        let directories = bytes.directories(first, most)?;
        Ok((bytes, directories))
    }

    pub(super) fn big_endian(&self) -> bool {
        self.big_endian
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The file itself, for a decoder of its own.
    pub(super) fn source(&mut self) -> &mut S {
        &mut self.source
    }

    /// `count` bytes from an offset; never more than the file holds.
    pub(super) fn at(&mut self, offset: u64, count: u64) -> Result<Vec<u8>, Refusal> {
        if offset.checked_add(count).is_none_or(|end| end > self.length) {
            return Err(Refusal::truncated());
        }
        self.source.seek(SeekFrom::Start(offset))?;
        let mut read = Vec::new();
        self.source.by_ref().take(count).read_to_end(&mut read)?;
        if (read.len() as u64) < count {
            return Err(Refusal::truncated());
        }
        Ok(read)
    }

    /// At most eight bytes as a number.
    fn number(&self, bytes: &[u8]) -> u64 {
        let join = |all: u64, byte: &u8| all << 8 | u64::from(*byte);
        if self.big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    }

    fn directories(&mut self, first: u64, most: u64) -> Result<Vec<Directory>, Refusal> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut next = first;
        while next != 0 {
            if !seen.insert(next) {
                return Err(Refusal::damaged("has directories that lead back to one another"));
            }
            if found.len() as u64 >= most {
                return Err(Refusal::too_large(format!("has more than {most} planes, above the limit")));
            }
            let (directory, following) = self.directory(next)?;
            found.push(directory);
            next = following;
        }
        Ok(found)
    }

    fn directory(&mut self, at: u64) -> Result<(Directory, u64), Refusal> {
        let (count_bytes, entry_bytes, value_bytes) = if self.wide { (8, 20, 8) } else { (2, 12, 4) };
        let count = self.at(at, count_bytes)?;
        let count = self.number(&count);
        // A directory with more than its number of possible tags is none.
        if count > 1 << 16 {
            return Err(Refusal::damaged(format!("claims a directory of {count} tags")));
        }
        let all = self.at(at + count_bytes, count * entry_bytes + value_bytes)?;
        let mut directory = Directory::default();
        let (entries, next) = all.split_at((count * entry_bytes) as usize);
        for (index, entry) in entries.chunks_exact(entry_bytes as usize).enumerate() {
            let (tag, kind) = (self.number(&entry[..2]) as u16, self.number(&entry[2..4]) as u16);
            let values = self.number(&entry[4..4 + value_bytes as usize]);
            let Some(bytes) = bytes_of(kind).and_then(|size| size.checked_mul(values)) else { continue };
            let own = at + count_bytes + index as u64 * entry_bytes + 4 + value_bytes;
            let inline = bytes <= value_bytes;
            let place = if inline { own } else { self.number(&entry[4 + value_bytes as usize..]) };
            directory.entries.entry(tag).or_insert(Entry { kind, count: values, place });
        }
        Ok((directory, self.number(next)))
    }

    /// The whole numbers of a tag; none where the tag is not there.
    pub(super) fn numbers(&mut self, directory: &Directory, tag: u16) -> Result<Option<Vec<u64>>, Refusal> {
        let Some(entry) = directory.entries.get(&tag).copied() else { return Ok(None) };
        if !matches!(entry.kind, 1 | 3 | 4 | 7 | 13 | 16 | 18) {
            return Err(Refusal::damaged(format!("tag {tag} does not hold whole numbers")));
        }
        let size = bytes_of(entry.kind).unwrap_or(1);
        let bytes = self.at(entry.place, entry.count.saturating_mul(size))?;
        Ok(Some(bytes.chunks_exact(size as usize).map(|chunk| self.number(chunk)).collect()))
    }

    /// The first whole number of a tag, or the default.
    pub(super) fn one(&mut self, directory: &Directory, tag: u16, default: u64) -> Result<u64, Refusal> {
        Ok(self.numbers(directory, tag)?.and_then(|n| n.first().copied()).unwrap_or(default))
    }

    /// The text of a tag; empty where the tag is not there or is no text.
    pub(super) fn text(&mut self, directory: &Directory, tag: u16) -> Result<String, Refusal> {
        let Some(entry) = directory.entries.get(&tag).copied() else { return Ok(String::new()) };
        if !matches!(entry.kind, 1 | 2 | 7) {
            return Ok(String::new());
        }
        let bytes = self.at(entry.place, entry.count)?;
        let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
        // ImageJ writes µ in the encoding of its machine; only ASCII matters here.
        Ok(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }
}

/// Bytes of one value of a TIFF type; none for types that are not known.
fn bytes_of(kind: u16) -> Option<u64> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16..=18 => Some(8),
        _ => None,
    }
}

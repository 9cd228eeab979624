//! Parses and writes the header of an NPY file, with every length bounded before it is believed.
//!
//! Layout: the six bytes `\x93NUMPY`, version (major, minor), the header's length (2 bytes in version 1, 4 in 2 and
//! 3, little-endian), then a Python dictionary such as `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`,
//! padded with spaces and a line feed to a multiple of 64 bytes.
//! Reference: `numpy.lib.format`, NumPy's NPY specification.

use super::array::{Shape, elements_of};
use super::values::ElementType;
use glauber_files::error::{bytes_in_words, quoted};
use std::io::{self, Read};

/// The first bytes of every NPY file.
pub(crate) const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Longest header read: NumPy's own are below 200 bytes; structured types, the only long ones, are refused anyway.
const LONGEST_HEADER: usize = 1 << 16;
/// NumPy's own limit on the number of axes.
const MOST_AXES: usize = 64;

/// What an NPY header says of its array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayHeader {
    /// The lengths of the axes, slowest first.
    pub shape: Vec<usize>,
    /// The type of the elements.
    pub element_type: ElementType,
    /// Whether the first axis runs fastest in the file (it never does in an [`super::Array`]).
    pub fortran_order: bool,
    /// Whether the elements' bytes are the most significant first.
    pub big_endian: bool,
    /// Whether the file's elements have half precision; they are read as single precision, exactly.
    pub half: bool,
    /// How many elements the shape holds.
    pub elements: usize,
    /// Bytes of the header, up to the first element.
    pub(crate) bytes: u64,
}

impl ArrayHeader {
    /// Bytes of all elements.
    pub fn data_bytes(&self) -> u64 {
        self.elements as u64 * if self.half { 2 } else { self.element_type.bytes() as u64 }
    }
}

/// What is wrong with a header: what was found, what to do.
#[derive(Debug)]
pub(crate) enum HeaderError {
    Read(io::Error),
    Truncated,
    Format(String, &'static str),
    Unsupported(String, &'static str),
    TooLarge(String),
}

const SAVE_AGAIN: &str = "write it again with numpy.save";

/// Reads the header of an NPY file.
pub(crate) fn read_header(reader: &mut dyn Read) -> Result<ArrayHeader, HeaderError> {
    let mut start = [0; 8];
    let got = read_up_to(reader, &mut start)?;
    if got == 0 {
        return Err(HeaderError::Format("is empty".into(), SAVE_AGAIN));
    }
    if !MAGIC.starts_with(&start[..got.min(6)]) && start[..6] != *MAGIC {
        return Err(not_npy(&start[..got]));
    }
    if got < 8 {
        return Err(HeaderError::Truncated);
    }
    let length_bytes = match start[6] {
        1 => 2,
        2 | 3 => 4,
        other => {
            let found = format!("is of NPY version {other}.{}", start[7]);
            return Err(HeaderError::Unsupported(
                found,
                "only versions 1 to 3 are known: save it as one of them",
            ));
        }
    };
    let mut length = [0; 4];
    if read_up_to(reader, &mut length[..length_bytes])? < length_bytes {
        return Err(HeaderError::Truncated);
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST_HEADER {
        let found = format!("announces a header of {}", bytes_in_words(length as u64));
        return Err(HeaderError::Format(
            found,
            "no plain array of numbers has one: save each field on its own",
        ));
    }
    let mut text = vec![0; length];
    if read_up_to(reader, &mut text)? < length {
        return Err(HeaderError::Truncated);
    }
    let mut header = Dictionary::new(&text).parse()?;
    header.bytes = (8 + length_bytes + length) as u64;
    Ok(header)
}

fn not_npy(start: &[u8]) -> HeaderError {
    let (found, remedy) = match start {
        [b'P', b'K', ..] => {
            ("is a zip archive, not an NPY file", "give it the ending .npz if it is an NPZ file")
        }
        [0x89, b'H', b'D', b'F', ..] => ("is an HDF5 file", "save the array with numpy.save"),
        [0x80, 2..=5, ..] => ("is a Python pickle, which is never read", "save the array with numpy.save"),
        [b'M', b'A', b'T', ..] => ("is a MATLAB file", "save the array with numpy.save"),
        _ => ("is not an NPY file (it does not start with \\x93NUMPY)", "save the array with numpy.save"),
    };
    HeaderError::Format(found.into(), remedy)
}

/// Reads until `buffer` is full or the source ends; how many bytes were read.
pub(crate) fn read_up_to(reader: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, HeaderError> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(HeaderError::Read(e)),
        }
    }
    Ok(filled)
}

/// The header of a C-ordered, little-endian array, as NumPy writes it.
pub(super) fn write_header(element: ElementType, shape: &[usize]) -> Vec<u8> {
    let axes: String = match shape {
        [one] => format!("({one},)"),
        many => format!("({})", many.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    };
    let mut text = format!("{{'descr': '{}', 'fortran_order': False, 'shape': {axes}, }}", descr(element));
    // The data begin at a multiple of 64 bytes.
    let unpadded = MAGIC.len() + 4 + text.len() + 1;
    text.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    text.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

fn descr(element: ElementType) -> &'static str {
    match element {
        ElementType::Bool => "|b1",
        ElementType::U8 => "|u1",
        ElementType::I8 => "|i1",
        ElementType::U16 => "<u2",
        ElementType::I16 => "<i2",
        ElementType::U32 => "<u4",
        ElementType::I32 => "<i4",
        ElementType::U64 => "<u8",
        ElementType::I64 => "<i8",
        ElementType::F32 => "<f4",
        ElementType::F64 => "<f8",
    }
}

/// The element type of a `descr` such as `<f8`, whether it is big-endian, and whether it has half precision.
fn element_of(descr: &str) -> Result<(ElementType, bool, bool), HeaderError> {
    let unsupported = |what: &str, remedy| {
        Err(HeaderError::Unsupported(format!("holds {what} (dtype {})", quoted(descr)), remedy))
    };
    let (order, code) = match descr.as_bytes().first() {
        Some(b'<' | b'>' | b'|' | b'=') => descr.split_at(1),
        _ => ("|", descr),
    };
    let element = match code {
        "b1" => ElementType::Bool,
        "u1" => ElementType::U8,
        "i1" => ElementType::I8,
        "u2" => ElementType::U16,
        "i2" => ElementType::I16,
        "u4" => ElementType::U32,
        "i4" => ElementType::I32,
        "u8" => ElementType::U64,
        "i8" => ElementType::I64,
        "f2" | "f4" => ElementType::F32,
        "f8" => ElementType::F64,
        _ => {
            return match code.as_bytes().first() {
                Some(b'O') => unsupported(
                    "pickled Python objects, which are never read because they can run code",
                    "save an array of numbers, e.g. numpy.save(path, array.astype(float))",
                ),
                Some(b'f') => {
                    unsupported("numbers of a precision not read here", "save it with .astype(numpy.float32)")
                }
                Some(b'c') => {
                    unsupported("complex numbers", "save the real and the imaginary part on their own")
                }
                Some(b'S' | b'U' | b'a') => unsupported("text", "save an array of numbers"),
                Some(b'm' | b'M') => {
                    unsupported("dates or durations", "save them as numbers with .astype(float)")
                }
                Some(b'V') => unsupported("raw records", "save each field as an array of numbers"),
                _ => unsupported("elements of an unknown type", "save an array of numbers"),
            };
        }
    };
    // '=' means the writer's order; NumPy never writes it, and little-endian is by far the likeliest.
    Ok((element, order == ">", code == "f2"))
}

/// Reads the one dictionary of a header; nothing else of Python's grammar.
struct Dictionary<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Dictionary<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    fn parse(mut self) -> Result<ArrayHeader, HeaderError> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.expect(b'{')?;
        while !self.accept(b'}') {
            let key = self.string()?;
            self.expect(b':')?;
            match key {
                "descr" if descr.is_none() => descr = Some(self.descr()?),
                "fortran_order" if fortran_order.is_none() => fortran_order = Some(self.boolean()?),
                "shape" if shape.is_none() => shape = Some(self.tuple()?),
                other => {
                    return Err(malformed(format!("its header has the unexpected key {}", quoted(other))));
                }
            }
            if !self.accept(b',') {
                self.expect(b'}')?;
                break;
            }
        }
        self.skip_spaces();
        if self.at < self.text.len() {
            return Err(malformed("its header goes on after the dictionary".into()));
        }
        let (Some(descr), Some(fortran_order), Some(shape)) = (descr, fortran_order, shape) else {
            return Err(malformed("its header lacks one of descr, fortran_order and shape".into()));
        };
        let (element_type, big_endian, half) = element_of(descr)?;
        let elements = elements_of(&shape)
            .filter(|n| n.checked_mul(element_type.bytes()).is_some_and(|b| isize::try_from(b).is_ok()))
            .ok_or_else(|| HeaderError::TooLarge(format!("claims the shape {}", Shape(&shape))))?;
        Ok(ArrayHeader { shape, element_type, fortran_order, big_endian, half, elements, bytes: 0 })
    }

    fn skip_spaces(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn accept(&mut self, byte: u8) -> bool {
        self.skip_spaces();
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), HeaderError> {
        if self.accept(byte) {
            return Ok(());
        }
        Err(malformed(format!("its header lacks a `{}` at byte {}", char::from(byte), self.at)))
    }

    fn descr(&mut self) -> Result<&'a str, HeaderError> {
        self.skip_spaces();
        if matches!(self.text.get(self.at), Some(b'[' | b'(')) {
            let found = "holds records of several fields (a structured dtype)".into();
            return Err(HeaderError::Unsupported(found, "save each field as an array of its own"));
        }
        self.string()
    }

    fn string(&mut self) -> Result<&'a str, HeaderError> {
        self.skip_spaces();
        let quote = match self.text.get(self.at) {
            Some(&q @ (b'\'' | b'"')) => q,
            _ => return Err(malformed(format!("its header lacks a quoted word at byte {}", self.at))),
        };
        let rest = &self.text[self.at + 1..];
        let end = rest.iter().position(|&b| b == quote);
        let end = end.ok_or_else(|| malformed("its header has a word without an end".into()))?;
        self.at += end + 2;
        std::str::from_utf8(&rest[..end]).map_err(|_| malformed("its header is not text".into()))
    }

    fn boolean(&mut self) -> Result<bool, HeaderError> {
        self.skip_spaces();
        let rest = &self.text[self.at..];
        for (word, value) in [("True", true), ("False", false)] {
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(malformed("fortran_order is neither True nor False".into()))
    }

    fn tuple(&mut self) -> Result<Vec<usize>, HeaderError> {
        self.expect(b'(')?;
        let mut lengths = Vec::new();
        while !self.accept(b')') {
            lengths.push(self.length()?);
            if lengths.len() > MOST_AXES {
                return Err(malformed(format!("its shape has more than {MOST_AXES} axes")));
            }
            if !self.accept(b',') {
                self.expect(b')')?;
                break;
            }
        }
        Ok(lengths)
    }

    fn length(&mut self) -> Result<usize, HeaderError> {
        self.skip_spaces();
        let digits = self.text[self.at..].iter().take_while(|b| b.is_ascii_digit()).count();
        let text = std::str::from_utf8(&self.text[self.at..self.at + digits]).unwrap_or_default();
        if text.is_empty() {
            return Err(malformed("its shape holds something that is not a length".into()));
        }
        self.at += digits;
        // Python 2 wrote long integers with an L.
        if self.text.get(self.at) == Some(&b'L') {
            self.at += 1;
        }
        text.parse().map_err(|_| HeaderError::TooLarge(format!("claims an axis of length {}", quoted(text))))
    }
}

fn malformed(found: String) -> HeaderError {
    HeaderError::Format(found, SAVE_AGAIN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(text: &str) -> Result<ArrayHeader, HeaderError> {
        Dictionary::new(text.as_bytes()).parse()
    }

    #[test]
    fn what_is_written_is_read() {
        for shape in [vec![], vec![5], vec![2, 3, 4], vec![0, 7]] {
            let bytes = write_header(ElementType::I16, &shape);
            assert_eq!(bytes.len() % 64, 0);
            let header = read_header(&mut bytes.as_slice()).unwrap();
            assert_eq!((&header.shape, header.element_type), (&shape, ElementType::I16));
            assert_eq!(header.bytes, bytes.len() as u64);
            assert!(!header.fortran_order && !header.big_endian);
        }
    }

    #[test]
    fn other_writers_spellings_are_read() {
        let header = parse("{\"shape\":(2L,3L),'fortran_order' : True , 'descr':'>f4'}  \n").unwrap();
        assert_eq!(header.shape, [2, 3]);
        assert!(header.fortran_order && header.big_endian);
        assert_eq!(parse("{'descr': '<i8', 'fortran_order': False, 'shape': ()}").unwrap().elements, 1);
    }

    #[test]
    fn what_is_not_read_says_why() {
        let refused = |descr: &str, word: &str| {
            let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,)}}");
            match parse(&text) {
                Err(HeaderError::Unsupported(found, _)) => assert!(found.contains(word), "{found}"),
                other => panic!("{descr}: {other:?}"),
            }
        };
        refused("'|O'", "pickled");
        refused("'|O8'", "pickled");
        refused("[('x', '<f8'), ('y', '<f8')]", "records");
        refused("'<U7'", "text");
        refused("'<c16'", "complex");
        refused("'<f16'", "precision");
        refused("'<M8[ns]'", "dates");
        refused("'|V8'", "records");
        refused("''", "unknown");
    }

    #[test]
    fn absurd_shapes_are_refused() {
        for shape in [
            "(99999999999999999999999,)",
            "(9223372036854775807, 9223372036854775807)",
            "(4611686018427387904, )",
        ] {
            let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}");
            assert!(matches!(parse(&text), Err(HeaderError::TooLarge(_))), "{shape}");
        }
        let many = "1,".repeat(100);
        assert!(parse(&format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({many})}}")).is_err());
    }

    #[test]
    fn broken_dictionaries_are_refused() {
        for text in [
            "",
            "{",
            "{'descr'",
            "{'descr': '<f8'}",
            "{'shape': (-1,)}",
            "{'shape': (1}",
            "{'a': 1}",
            "{}x",
            "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': ()}",
            "{'fortran_order': Maybe}",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

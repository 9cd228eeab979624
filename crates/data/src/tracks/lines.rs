//! Splits a table of text into records of fields, with the number of the line each begins at.
//!
//! Fields may be quoted; a quoted field may hold delimiters, doubled quotes and line feeds (RFC 4180). Empty lines and
//! lines that begin with `#` are passed over and counted, so that errors name the line an editor shows.

use std::io::{self, BufRead, Read};

/// The longest record that is read; a longer one comes of a quote that is never closed, or is no table.
const LONGEST_RECORD: usize = 1 << 20;

/// The most line feeds a record may hold in quotes.
const MOST_LINES: u64 = 1000;

/// Reads records one after the other.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    delimiter: u8,
    line: u64,
    bytes: Vec<u8>,
}

/// Why there is no next record.
#[derive(Debug)]
pub(super) enum LineError {
    Read(io::Error),
    /// A quote opened in this line is never closed.
    OpenQuote(u64),
    /// The record that begins in this line is longer than any table's.
    TooLong(u64),
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R, delimiter: u8) -> Self {
        Self { reader, delimiter, line: 0, bytes: Vec::new() }
    }

    /// Reads the next record into `fields`: the line it begins at, or none at the end.
    pub(super) fn next(&mut self, fields: &mut Vec<String>) -> Result<Option<u64>, LineError> {
        loop {
            self.bytes.clear();
            if !self.read_line()? {
                return Ok(None);
            }
            let start = self.line;
            if self.bytes.len() > LONGEST_RECORD {
                return Err(LineError::TooLong(start));
            }
            if start == 1 && self.bytes.starts_with(b"\xEF\xBB\xBF") {
                self.bytes.drain(..3);
            }
            let text = self.bytes.trim_ascii();
            if text.is_empty() || text.starts_with(b"#") {
                continue;
            }
            while !split(&self.bytes, self.delimiter, fields) {
                if self.line - start > MOST_LINES || self.bytes.len() > LONGEST_RECORD || !self.read_line()? {
                    return Err(LineError::OpenQuote(start));
                }
            }
            return Ok(Some(start));
        }
    }

    /// Appends the next line of the file; false at its end.
    fn read_line(&mut self) -> Result<bool, LineError> {
        let room = (LONGEST_RECORD + 1).saturating_sub(self.bytes.len()) as u64;
        let read =
            (&mut self.reader).take(room).read_until(b'\n', &mut self.bytes).map_err(LineError::Read)?;
        self.line += u64::from(read > 0);
        Ok(read > 0)
    }
}

/// Splits a record into trimmed fields; false if a quote is open at its end.
fn split(record: &[u8], delimiter: u8, fields: &mut Vec<String>) -> bool {
    fields.clear();
    let mut rest = record;
    loop {
        // A tab may be the delimiter, so it is not trimmed before a field.
        while let [b' ' | b'\r' | b'\n', after @ ..] = rest {
            rest = after;
        }
        let mut field = Vec::new();
        if let [b'"', after @ ..] = rest {
            rest = after;
            loop {
                match rest {
                    [] => return false,
                    [b'"', b'"', after @ ..] => {
                        field.push(b'"');
                        rest = after;
                    }
                    [b'"', after @ ..] => {
                        rest = after;
                        break;
                    }
                    [byte, after @ ..] => {
                        field.push(*byte);
                        rest = after;
                    }
                }
            }
        }
        let end = rest.iter().position(|&b| b == delimiter).unwrap_or(rest.len());
        field.extend_from_slice(rest[..end].trim_ascii_end());
        fields.push(String::from_utf8_lossy(field.trim_ascii()).into_owned());
        match rest.get(end + 1..) {
            Some(after) if end < rest.len() => rest = after,
            _ => return true,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn records(text: &str, delimiter: u8) -> Vec<(u64, Vec<String>)> {
        let mut lines = Lines::new(text.as_bytes(), delimiter);
        let mut all = Vec::new();
        let mut fields = Vec::new();
        while let Some(line) = lines.next(&mut fields).unwrap() {
            all.push((line, fields.clone()));
        }
        all
    }

    fn fields(text: &str, delimiter: u8) -> Vec<String> {
        records(text, delimiter)[0].1.clone()
    }

    #[test]
    fn lines_are_those_an_editor_shows() {
        let text = "\u{FEFF}a,b\r\n\r\n# note, with commas\n1,\"two\nlines\"\n\n3,4";
        let lines: Vec<_> = records(text, b',').into_iter().map(|(line, f)| (line, f.join("|"))).collect();
        assert_eq!(lines, [(1, "a|b".into()), (4, "1|two\nlines".into()), (7, "3|4".into())]);
    }

    #[test]
    fn quotes_and_spaces_are_taken_off() {
        assert_eq!(fields(" a , \"b, \"\"c\"\"\" ,5\" ,,", b','), ["a", "b, \"c\"", "5\"", "", ""]);
        assert_eq!(fields("a\t\tb c\t", b'\t'), ["a", "", "b c", ""]);
        assert_eq!(fields("\"\";1", b';'), ["", "1"]);
    }

    #[test]
    fn an_open_quote_is_named() {
        let mut lines = Lines::new(&b"a\n\"b\nc\n"[..], b',');
        let mut fields = Vec::new();
        assert_eq!(lines.next(&mut fields).unwrap(), Some(1));
        assert!(matches!(lines.next(&mut fields), Err(LineError::OpenQuote(2))));
    }

    #[test]
    fn endless_records_are_refused() {
        let next = |text: String| Lines::new(text.as_bytes(), b',').next(&mut Vec::new()).unwrap_err();
        assert!(matches!(next("x".repeat(LONGEST_RECORD + 1)), LineError::TooLong(1)));
        assert!(matches!(next(format!("\"{}", "\n".repeat(10_000_000))), LineError::OpenQuote(1)));
    }
}

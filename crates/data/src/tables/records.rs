//! Splits a table of text into records of fields, with the number of the line each begins at.
//!
//! Fields may be quoted; a quoted field may hold separators, doubled quotes and line feeds (RFC 4180). Lines end by a
//! line feed, a carriage return or both. Empty lines are passed over and counted, so that errors name the line an
//! editor shows; lines that begin with `#` are comments, which are kept.

/// The longest record that is read; a longer one comes of a quote that is never closed, or is no table.
const LONGEST_RECORD: usize = 1 << 20;

/// The most line feeds a record may hold in quotes.
const MOST_LINES: u64 = 1000;

/// What stands between two fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Separator {
    /// One character, with spaces around it or not.
    Character(char),
    /// Any run of spaces and tabs.
    Spaces,
}

impl Separator {
    /// The separators that are tried, the surest first.
    pub(crate) const ALL: [Self; 5] = [
        Self::Character('\t'),
        Self::Character(';'),
        Self::Character(','),
        Self::Character('|'),
        Self::Spaces,
    ];
}

/// A line that begins with `#`: its number, and what follows the sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Comment<'t> {
    pub(crate) line: u64,
    pub(crate) text: &'t str,
}

/// Why there is no next record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordError {
    /// A quote opened in this line is never closed.
    OpenQuote(u64),
    /// The record that begins in this line is longer than any table's.
    TooLong(u64),
}

/// Reads records one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Records<'t> {
    rest: &'t str,
    separator: Separator,
    /// Lines read so far.
    line: u64,
    /// The comments passed so far.
    pub(crate) comments: Vec<Comment<'t>>,
}

impl<'t> Records<'t> {
    /// Records of a text whose first line has the number `first`.
    pub(crate) fn new(text: &'t str, separator: Separator, first: u64) -> Self {
        Self { rest: text, separator, line: first.saturating_sub(1), comments: Vec::new() }
    }

    /// Reads the next record into `fields`: the line it begins at, or none at the end.
    pub(crate) fn next(&mut self, fields: &mut Vec<String>) -> Result<Option<u64>, RecordError> {
        loop {
            if self.rest.is_empty() {
                return Ok(None);
            }
            let whole = self.rest;
            let mut end = self.pass_line();
            let start = self.line;
            let text = whole[..end].trim();
            if text.starts_with('#') {
                // A tab at the end may be a separator.
                let comment =
                    whole[..end].trim_start().trim_start_matches('#').trim_end_matches(['\n', '\r']);
                self.comments.push(Comment { line: start, text: comment });
                continue;
            }
            // A byte that ends text files of old programs is no record.
            if text.is_empty() || text == "\u{1A}" {
                continue;
            }
            loop {
                if end > LONGEST_RECORD {
                    return Err(RecordError::TooLong(start));
                }
                if split(&whole[..end], self.separator, fields) {
                    return Ok(Some(start));
                }
                if self.line - start > MOST_LINES || self.rest.is_empty() {
                    return Err(RecordError::OpenQuote(start));
                }
                self.pass_line();
                end = whole.len() - self.rest.len();
            }
        }
    }

    /// Goes behind the next end of a line; how many bytes the line has, its end included.
    fn pass_line(&mut self) -> usize {
        let bytes = self.rest.as_bytes();
        let end = match bytes.iter().position(|b| matches!(b, b'\n' | b'\r')) {
            Some(at) if bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n') => at + 2,
            Some(at) => at + 1,
            None => bytes.len(),
        };
        self.rest = &self.rest[end..];
        self.line += 1;
        end
    }
}

/// The fields of a text that is one record, as far as it is one.
pub(crate) fn fields_of(text: &str, separator: Separator) -> Vec<String> {
    let mut fields = Vec::new();
    split(text, separator, &mut fields);
    fields
}

/// Splits a record into trimmed fields; false if a quote is open at its end.
fn split(record: &str, separator: Separator, fields: &mut Vec<String>) -> bool {
    fields.clear();
    let separates = |c: char| match separator {
        Separator::Character(character) => c == character,
        Separator::Spaces => c == ' ' || c == '\t',
    };
    // A tab may be the separator, so it is not trimmed before a field.
    let space = |c: char| c.is_whitespace() && !separates(c);
    let mut rest = match separator {
        Separator::Spaces => record.trim(),
        Separator::Character(_) => record,
    };
    loop {
        rest = rest.trim_start_matches(space);
        let mut field = String::new();
        if let Some(after) = rest.strip_prefix('"') {
            rest = after;
            loop {
                let Some(at) = rest.find('"') else { return false };
                field.push_str(&rest[..at]);
                rest = &rest[at + 1..];
                match rest.strip_prefix('"') {
                    Some(after) => {
                        field.push('"');
                        rest = after;
                    }
                    None => break,
                }
            }
        }
        let end = rest.find(separates);
        field.push_str(rest[..end.unwrap_or(rest.len())].trim_end());
        fields.push(field.trim().to_owned());
        match end {
            None => return true,
            Some(at) => rest = &rest[at + 1..],
        }
        if separator == Separator::Spaces {
            rest = rest.trim_start();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const COMMA: Separator = Separator::Character(',');

    fn records(text: &str, separator: Separator) -> Vec<(u64, Vec<String>)> {
        let mut records = Records::new(text, separator, 1);
        let mut all = Vec::new();
        let mut fields = Vec::new();
        while let Some(line) = records.next(&mut fields).unwrap() {
            all.push((line, fields.clone()));
        }
        all
    }

    fn fields(text: &str, separator: Separator) -> Vec<String> {
        records(text, separator)[0].1.clone()
    }

    #[test]
    fn lines_are_those_an_editor_shows() {
        let text = "a,b\r\n\r\n# note, with commas\n1,\"two\nlines\"\n\n3,4";
        for text in
            [text.to_owned(), text.replace("\r\n", "\n"), text.replace("\r\n", "\r").replace('\n', "\r")]
        {
            let read = records(&text, COMMA);
            let lines: Vec<_> =
                read.iter().map(|(line, f)| (*line, f.join("|").replace('\r', "\n"))).collect();
            assert_eq!(lines, [(1, "a|b".into()), (4, "1|two\nlines".into()), (7, "3|4".into())]);
        }
    }

    #[test]
    fn quotes_and_spaces_are_taken_off() {
        assert_eq!(fields(" a , \"b, \"\"c\"\"\" ,5\" ,,", COMMA), ["a", "b, \"c\"", "5\"", "", ""]);
        assert_eq!(fields("a\t\tb c\t", Separator::Character('\t')), ["a", "", "b c", ""]);
        assert_eq!(fields("\"\";1", Separator::Character(';')), ["", "1"]);
        assert_eq!(fields("  \"row 1\"  2 \t 3.5  \n", Separator::Spaces), ["row 1", "2", "3.5"]);
    }

    #[test]
    fn comments_are_kept_with_their_lines() {
        let mut records = Records::new("# id t\n1,2\n  #later", COMMA, 1);
        let mut fields = Vec::new();
        while records.next(&mut fields).unwrap().is_some() {}
        let kept: Vec<_> = records.comments.iter().map(|c| (c.line, c.text)).collect();
        assert_eq!(kept, [(1, " id t"), (3, "later")]);
    }

    #[test]
    fn an_open_quote_is_named() {
        let mut records = Records::new("a\n\"b\nc\n", COMMA, 1);
        let mut fields = Vec::new();
        assert_eq!(records.next(&mut fields), Ok(Some(1)));
        assert_eq!(records.next(&mut fields), Err(RecordError::OpenQuote(2)));
    }

    #[test]
    fn endless_records_are_refused() {
        let next = |text: String| Records::new(&text, COMMA, 1).next(&mut Vec::new()).unwrap_err();
        assert_eq!(next("x".repeat(LONGEST_RECORD + 1)), RecordError::TooLong(1));
        assert_eq!(next(format!("\"{}", "\n".repeat(10_000_000))), RecordError::OpenQuote(1));
    }
}

//! Makes text of bytes: UTF-8 as it should be, UTF-16 and Windows-1252 as spreadsheets and Windows programs write it.

/// The characters of Windows-1252 for the bytes 0x80 to 0x9F; Latin-1 has none there.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// How many bytes are looked at to tell UTF-16 without a byte-order mark.
const LOOKED_AT: usize = 1024;

/// The text without its byte-order mark, and a note where its encoding had to be guessed; nothing where the bytes are
/// no text.
pub(crate) fn decoded(bytes: Vec<u8>) -> Option<(String, Option<String>)> {
    let (text, note) = match bytes.as_slice() {
        [0xEF, 0xBB, 0xBF, rest @ ..] if std::str::from_utf8(rest).is_ok() => {
            (String::from_utf8_lossy(rest).into_owned(), None)
        }
        [0xFF, 0xFE, rest @ ..] => (utf16(rest, u16::from_le_bytes), None),
        [0xFE, 0xFF, rest @ ..] => (utf16(rest, u16::from_be_bytes), None),
        _ => match endings_of_utf16(&bytes) {
            Some(read) => {
                let note = "has no byte-order mark, but looks like UTF-16 and was read so".to_owned();
                (utf16(&bytes, read), Some(note))
            }
            None => match String::from_utf8(bytes) {
                Ok(text) => (text, None),
                Err(error) => {
                    let note = "is not UTF-8 text: it was read as Windows-1252 (Latin-1), which concerns \
                                names and units alone";
                    (error.into_bytes().into_iter().map(windows_1252).collect(), Some(note.to_owned()))
                }
            },
        },
    };
    let is_text = !text.chars().any(|c| {
        c.is_control()
            && !matches!(c, '\t' | '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{1A}' | '\u{80}'..='\u{9F}')
    });
    is_text.then_some((text, note))
}

fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9F => WINDOWS_1252[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}

fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The order of the bytes of UTF-16 without a mark: every second byte of plain text is 0.
fn endings_of_utf16(bytes: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    let start = &bytes[..bytes.len().min(LOOKED_AT) / 2 * 2];
    let zeros = |which: usize| start.iter().skip(which).step_by(2).filter(|&&b| b == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), start.len() / 2);
    if pairs < 2 {
        return None;
    }
    match (10 * even > 9 * pairs, 10 * odd > 9 * pairs) {
        (false, true) if even == 0 => Some(u16::from_le_bytes),
        (true, false) if odd == 0 => Some(u16::from_be_bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn in_utf16(text: &str, write: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(write).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "id,t,x [µm],y [µm]\n1,0,5,6\n";
        let marked = "\u{FEFF}".to_owned() + text;
        for (bytes, noted) in [
            (text.as_bytes().to_vec(), false),
            (marked.as_bytes().to_vec(), false),
            (in_utf16(&marked, u16::to_le_bytes), false),
            (in_utf16(&marked, u16::to_be_bytes), false),
            (in_utf16(text, u16::to_le_bytes), true),
            (in_utf16(text, u16::to_be_bytes), true),
            (text.chars().map(|c| c as u8).collect(), true),
        ] {
            let (read, note) = decoded(bytes).unwrap();
            assert_eq!((read.as_str(), note.is_some()), (text, noted), "{note:?}");
        }
        assert_eq!(decoded(b"5 \x80".to_vec()).unwrap().0, "5 €");
    }

    #[test]
    fn bytes_that_are_no_text_are_none() {
        for bytes in [&b"\x00\x01\x02\x03"[..], b"id,t\x00\x00x,y", b"MATLAB 5.0\x00\x01\xFF"] {
            assert!(decoded(bytes.to_vec()).is_none(), "{bytes:?}");
        }
        assert_eq!(decoded(Vec::new()), Some((String::new(), None)));
    }
}
